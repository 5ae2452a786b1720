# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
#   osteolib:
#     minutes: {smoke: 0.5, quick: 0.5, long: 2, paper: 2}
#     needs: [knee-phantom, knee-wani, nhanes-dxa]
# ---
# %% [markdown]
# # How real is the phantom knee?
# *Would the phantom fool a measuring eye?*
#
# The phantom of the last chapter answers whether a method can learn from knee films. That answer is worth as much as its
# films resemble real ones. A look at a few pictures does not settle it, so we measure: the same measures, by the same
# rule, on real and simulated films, and the phantom is held against the *spread* of the real ones.
#
# Nothing here is a result about patients. Phantom and real films stand side by side on this page alone, because their
# comparison is its point; every column says which is which.
#
# **You will** measure spectrum, grey levels, cortex and texture, read one table that says where the phantom lies outside,
# see whether all measures together give it away, and hold the simulated people against NHANES. Half a minute to run.

# %% tags=["parameters"]
profile: str = "quick"  # smoke, quick, long or paper: osteolib/profiles.yaml
seed: int = 0  # seed of the people, the choice of knees and the bootstrap
n_phantoms: int | None = None  # simulated people; None: from the profile
n_boot: int | None = None  # bootstrap replicates; None: from the profile
size: int = 128  # pixels of a prepared film; films of the phantom have 256, so no more

# %%
import matplotlib.pyplot as plt
import numpy as np
import osteolib
import pandas as pd
from osteolib.report import figure, load_or_explain, plots, realism
from osteolib.report import provenance, say, table, with_ci
from osteolib.report.style import use_style

run = osteolib.start(globals(), "08_knee_realism")
wani = load_or_explain(run, "knee-wani")

# %%
nhanes = load_or_explain(run, "nhanes-dxa", min_age_years=20)

# %%
phantom = load_or_explain(run, "knee-phantom", n_subjects=n_phantoms, seed=seed)

# %% [markdown]
# ## Side by side
#
# Both are prepared as for the network: cropped by Otsu's threshold, windowed between their 1st and 99th percentile, and
# reduced to a square. Two knees of one person are no two witnesses, so one knee per person is drawn, and copies of a film
# count once.

# %%
from osteolib.screen.knee_folds import knee_images

knees, images = {}, {}
for name, cohort in (("real", wani), ("phantom", phantom)):
    units = cohort.subjects.reset_index(drop=True)
    one = units.sample(frac=1, random_state=seed).drop_duplicates("split_group")
    knees[name], images[name] = one, knee_images(units, size)[one.index]
first = [image for name in images for image in images[name][:12]]
figure(run, "films", plots.contact_sheet(first, ["real"] * 12 + ["phantom"] * 12),
       alt="Two rows of real knees, then two rows of simulated knees, prepared alike.")

# %% [markdown]
# ## The same place on both
#
# Real films come without masks, so a region must be found on the picture itself, on both kinds alike. The rule: the joint
# is the line that over a fifth of the film's width stays darkest against what lies above and below it (between 12 % and
# 70 % of the height). How far that line runs gives the width $w$ of the bones. The two boxes, in femur and tibia, lie 0.08 to 0.30 $w$ from the line and span the middle
# 60 % of it. The profile across the shaft is read halfway from the joint to the lower edge of the film.

# %%
ROWS = (0.12, 0.70)  # where the joint of an AP knee film stands
gaps = {name: [realism.find_gap(image, ROWS) for image in images[name]]
        for name in images}


def with_boxes(image, gap):
    shown = image.copy()
    for x0, y0, x1, y1 in realism.bone_ends(image, gap).values():
        shown[y0:y1, [x0, x1 - 1]] = shown[[y0, y1 - 1], x0:x1] = 255
    return shown

# %%
drawn = [with_boxes(images[name][i], gaps[name][i]) for name in images
         for i in range(12)]
figure(run, "regions", plots.contact_sheet(drawn, ["real"] * 12 + ["phantom"] * 12),
       alt="The films above with two boxes each, in the bone beside the joint.")

# %% [markdown]
# The phantom has masks, so on it the rule itself can be checked: which share of the boxes is bone, and which share lies in
# the region that the phantom calls periarticular?

# %%
from osteolib.phantoms.knee.truth import read_masks
from osteolib.radiograph import otsu_crop, read_radiograph, resize


def prepared_masks(knee):
    frame = np.s_[knee.y0:knee.y1, knee.x0:knee.x1]
    x0, y0, x1, y1 = otsu_crop(read_radiograph(knee.path).pixels[frame])
    for mask in read_masks(knee.masks_path, knee.image_id):
        yield resize(mask[frame][y0:y1, x0:x1].astype(np.uint8) * 255, size) > 127


# %%
shares = []
for knee, gap in zip(knees["phantom"].itertuples(), gaps["phantom"], strict=True):
    masks = list(prepared_masks(knee))
    boxes = realism.bone_ends(masks[0], gap).values()
    inside = [np.concatenate([m[b:d, a:c].ravel() for a, b, c, d in boxes])
              for m in masks]
    shares.append(np.mean(inside, axis=1))
bone_share, region_share = np.array(shares).T

# %%
run.fact(n_real=len(knees["real"]), n_phantom=len(knees["phantom"]),
         both_real=np.mean(knees["real"]["n_legs"] == 2),
         both_phantom=np.mean(knees["phantom"]["n_legs"] == 2),
         bone_share=np.median(bone_share), region_share=np.median(region_share),
         missed=np.mean(bone_share < 0.9))
say(run, "One knee each of {n_real} real and {n_phantom} simulated people; "
    "{both_real:.0%} and {both_phantom:.0%} come from a film of both legs. In the "
    "phantom {bone_share:.0%} of the boxes are bone and {region_share:.0%} lie in its "
    "periarticular region (medians); in {missed:.1%} of the knees less than 90 % is "
    "bone. On real films only the eye can check, in the figure above.")

# %% [markdown]
# A rule that sometimes misses on real films widens the real range and so judges the phantom mildly.
#
# ## The measures

# %%
def measure(image, gap):
    frequency, power = realism.radial_spectrum(image)
    boxes = realism.bone_ends(image, gap).values()
    profile = realism.shaft_profile(image, (gap.row + size) // 2, *gap[1:])
    ends = pd.DataFrame([realism.texture(image[b:d, a:c]) for a, b, c, d in boxes])
    return {"slope": realism.spectral_slope(frequency, power),
            "fine": np.log10(power[frequency > 0.25].mean()),
            "grey": np.median(image), "grey_sd": image.std(),
            "black": np.mean(image < 16), "white": np.mean(image >= 240),
            **ends.mean(), **realism.cortex(profile),
            "joint": gap.row / size, "bone": gap.width / size}


measured = {name: pd.DataFrame(map(measure, images[name], gaps[name]))
            for name in images}

# %%
curves = {"spectrum": {}, "histogram": {}, "profile": {}}
for name, found in gaps.items():
    pairs = list(zip(images[name], found, strict=True))
    power = [realism.radial_spectrum(image)[1] for image, _ in pairs]
    curves["spectrum"][name] = np.log10(power)
    curves["histogram"][name] = np.array([realism.grey_histogram(i) for i, _ in pairs])
    curves["profile"][name] = np.array(
        [realism.shaft_profile(i, (g.row + size) // 2, *g[1:]) for i, g in pairs])
frequency = realism.radial_spectrum(images["real"][0])[0]

# %%
use_style()
fig, axes = plt.subplots(1, 3, figsize=(8.8, 3.3))
greys = np.arange(4, 256, 8)
for axis, x, kind in zip(axes, (frequency, greys, realism.CORTEX), curves, strict=True):
    realism.draw_bands(axis, x, curves[kind])
axes[0].set(xscale="log", xlabel="cycles per pixel", ylabel="log10 relative power",
            title="Radial power spectrum")
axes[0].set_xticks([0.01, 0.03, 0.1, 0.3], ["0.01", "0.03", "0.1", "0.3"])
axes[1].set(xlabel="grey", ylabel="share of pixels", title="Grey levels", yscale="log")
axes[1].set_yticks([0.001, 0.01, 0.1], ["0.001", "0.01", "0.1"])
axes[2].set(xlabel="widths of the shaft", ylabel="grey", title="Across the tibia")
_ = axes[0].legend(fontsize="small", loc="lower left")

# %%
for axis in axes:
    axis.minorticks_off()
figure(run, "bands", fig, alt="Power spectrum, grey histogram and profile across the "
       "tibial shaft: median and 5-95 % band of real and of simulated films.")

# %% [markdown]
# ## Inside or outside?
#
# The range of the real films is that from the 5th to the 95th percentile of people. Two samples of one population have 90 %
# inside. The words are fixed beforehand: *inside* from 80 %, *outside* below 50 %, *partly* between. A share near 100 % is
# no perfection: the phantom then varies less than real films. The last column says so, the phantom's range in units of
# the real one.

# %%
compared = realism.inside_range(measured["real"], measured["phantom"], n_boot, seed)
compared["spread"] = ((compared["phantom_high"] - compared["phantom_low"])
                      / (compared["real_high"] - compared["real_low"]))
NAMES = {
    "slope": "spectral slope, 0.05 to 0.4 cycles/pixel",
    "fine": "log10 relative power above 0.25 cycles/pixel",
    "grey": "median grey", "grey_sd": "SD of grey", "black": "share of pixels below 16",
    "white": "share of pixels from 240 on", "contrast": "bone ends: contrast",
    "homogeneity": "bone ends: homogeneity", "energy": "bone ends: energy",
    "correlation": "bone ends: correlation", "canal": "tibia: depth of the canal",
    "peaks": "tibia: distance of the cortices", "joint": "height of the joint",
    "bone": "width of the bones / film"}

# %%
def as_range(who):
    ends = compared[[who, f"{who}_low", f"{who}_high"]].astype(float)
    return [with_ci(*row, ".3g") for row in ends.to_numpy()]


percent = (100 * compared[["share", "ci_low", "ci_high"]].astype(float)).round(0)
shown = pd.DataFrame({
    "measure": [NAMES[name] for name in compared.index],
    "REAL: median (5 to 95 %)": as_range("real"),
    "PHANTOM: median (5 to 95 %)": as_range("phantom"),
    "phantom inside, % (95 % CI)": [with_ci(*p, ".0f") for p in percent.to_numpy()],
    "": compared["verdict"].to_list(),
    "spread": compared["spread"].astype(float).round(2).to_list()})
table(run, "realism", shown, "Real and simulated films, one knee per person", False)

# %%
for name, row in compared.iterrows():
    run.result(None, f"share inside the real range, {name}", row["share"],
               ci=(row["ci_low"], row["ci_high"]), n=run.facts["n_phantom"],
               cohort="knee-phantom")
words = {word: "; ".join(NAMES[n] for n in compared.index[compared["verdict"] == word])
         or "none" for word in ("inside", "partly", "outside")}
run.fact(**words, n_measures=len(compared),
         n_inside=int((compared["verdict"] == "inside").sum()))
say(run, "**Inside**: {inside}.\n\n**Partly**: {partly}.\n\n**Outside**: {outside}.")

# %% [markdown]
# ## All measures at once
#
# A forgery may pass each test and fail them together. So a logistic regression is given all measures of a film and asked:
# real or simulated? It is judged on films that it was not fitted on. 0.5 would be a fooled eye, 1 an eye that is never fooled.

# %%
from osteolib.screen import out_of_fold
from osteolib.stats import bootstrap_ci

both = pd.concat(measured.values(), ignore_index=True)
simulated = np.repeat([0, 1], [len(m) for m in measured.values()])
folds = np.random.default_rng(seed).permutation(len(both)) % 5
told = bootstrap_ci(simulated, out_of_fold(both, simulated, folds), "auroc",
                    n_boot=n_boot, seed=seed)
single = {n: bootstrap_ci(simulated, both[n], "auroc", n_boot=100).estimate["auroc"]
          for n in both}
best = max(single, key=lambda n: abs(single[n] - 0.5))
run.fact(told=told.estimate["auroc"], told_low=told.ci["auroc"][0],
         told_high=told.ci["auroc"][1], best=NAMES[best],
         best_auroc=max(single[best], 1 - single[best]))

# %%
run.result(None, "auroc, phantom told from real by all measures", run.facts["told"],
           ci=told.ci["auroc"], n=len(both), cohort="knee-phantom")
say(run, "{n_inside} of {n_measures} measures are inside, yet all together tell a "
    "phantom from a real film with **AUROC {told:.2f}** ({told_low:.2f} to "
    "{told_high:.2f}). The best single one, {best}, reaches {best_auroc:.2f}. "
    "A measuring eye is not fooled: what passes measure by measure does not pass "
    "as a combination.")

# %% [markdown]
# Which measures carry it? Each group alone, and all the others without it.

# %%
from sklearn.metrics import roc_auc_score

parts = {"spectrum": ["slope", "fine"], "framing": ["joint", "bone"],
         "grey levels": ["grey", "grey_sd", "black", "white"],
         "bone ends": ["contrast", "homogeneity", "energy", "correlation"],
         "tibia": ["canal", "peaks"]}
rows = [[name] + [roc_auc_score(simulated, out_of_fold(x, simulated, folds))
                  for x in (both[part], both.drop(columns=part))]
        for name, part in parts.items()]
carried = pd.DataFrame(rows, columns=["measures", "AUROC alone", "AUROC without them"])
table(run, "carried", carried.round(2), "Phantom told from real by groups of measures",
      index=False)

# %% [markdown]
# ```{admonition} What differs, and does it matter?
# :class: note
# - **Grey levels.** The phantom's window is drawn apart from the object, so that brightness cannot tell the label. Some
#   films are darker or paler than a radiographer would leave them; a network must cope with more than on real films. That
#   costs it a little score. It cannot give it one.
# - **Fine detail.** Noise and struts of the phantom are simulated at its own 256 pixels, while real films lose theirs in
#   reduction and compression. A network that works on the finest scale meets another scale here. Do not carry *weights* from
#   phantom to real films.
# - **Cortex.** The canal and the two cortices are there at about the right place. Their thickness is what the phantom's
#   density speaks through, so the method checks of the last chapter look at the right thing.
# - **Framing.** The joint stands in the middle of every phantom film and the knee is seen straight from the front; real
#   films show more of the shin and vary more. A rule tuned to the phantom's framing would fail on real films.
# - **What is not measured:** osteoarthritis, fractures, oblique views, the shape of the fat. The phantom has none of the
#   first three.
#
# What the phantom is used for, to show that a method recovers a planted signal and how much of it, asks for the right *kind*
# of picture. It does not ask for one that passes for real, and this one does not.
# ```
#
# ## The people
#
# Age is drawn as an assumption. BMI given age, and T-score given age and BMI, follow NHANES {cite:p}`nhanes_dxa`, for
# women and men apart, with $a$ the decades from 50 years:
#
# $$
# \begin{aligned}
# \log \mathrm{BMI} &= c_0 + c_1 a + c_2 a^2 + e_1, \\
# T &= b_0 + b_1 a + b_2 a^2 + b_3 \log(\mathrm{BMI}/27) + e_2 .
# \end{aligned}
# $$
#
# At a given age both are normal, so mean and SD of the T-score follow: BMI's spread adds to the residual's,
# $\sigma^2 = \sigma_2^2 + b_3^2 \sigma_1^2$. Does the fit in the manifest still come from these data, and does it fit?

# %%
from osteolib.cohorts import load_manifest
from osteolib.phantoms.people import age_terms, fit_people, t_terms

model = load_manifest("knee-phantom").settings["people"]
again = fit_people(nhanes.subjects)
off = max(np.abs(np.subtract(again[s][k], model[s][k])).max()
          for s in again for k in again[s])
assert nhanes.fingerprint == model["fitted_on"]["fingerprint"]


# %%
def t_by_age(sex, age):
    m, terms = model[sex], age_terms(age)
    slope = m["t_score"][3]
    mean = terms @ m["t_score"][:3] + slope * (terms @ m["log_bmi"] - np.log(27))
    return mean, np.hypot(m["t_score_sd"], slope * m["log_bmi_sd"])

# %%
people = nhanes.subjects.dropna(subset=["sex", "age_years", "bmi_kg_m2", "t_score"])
ages = np.arange(20, 81)
fig, axes = plt.subplots(1, 2, figsize=(8.4, 3.5), sharey=True)
for axis, sex, name in zip(axes, "FM", ("Women", "Men"), strict=True):
    mean, sd = t_by_age(sex, ages)
    axis.fill_between(ages, mean - sd, mean + sd, color="#D55E00", alpha=0.18, lw=0)
    axis.plot(ages, mean, color="#D55E00", lw=2, label="model: mean, ± SD")
    group = people[people["sex"] == sex]
    bins = group.groupby(group["age_years"] // 5 * 5)["t_score"].agg(["mean", "std"])
    at = group.groupby(group["age_years"] // 5 * 5)["age_years"].mean()
    axis.errorbar(at, bins["mean"], bins["std"], fmt="o", ms=4, color="#222222", lw=1,
                  label="NHANES, 5 years: mean, ± SD")
    axis.set(title=name, xlabel="age (years)")

# %%
axes[0].set(ylabel="T-score, lower hip site")
axes[0].legend(fontsize="small", loc="lower left")
figure(run, "nhanes_fit", fig, alt="T-score by age, women and men: NHANES means and "
       "SDs in groups of five years on the model's line and band.")

# %%
from scipy.stats import norm

rows = []
for (sex, decade), g in people.groupby(["sex", people["age_years"] // 10 * 10]):
    (mean, sd), t = t_by_age(sex, g["age_years"]), g["t_score"]
    rows.append({
        "sex": sex, "age": f"from {decade:.0f}", "NHANES n": len(g),
        "NHANES mean": t.mean(), "model mean": mean.mean(),
        "difference": t.mean() - mean.mean(),
        "NHANES SD": t.std(), "model SD": np.hypot(sd, mean.std()),
        "NHANES ≤ −2.5, %": 100 * np.mean(t <= -2.5),
        "model ≤ −2.5, %": 100 * norm.cdf((-2.5 - mean) / sd).mean()})
residuals = pd.DataFrame(rows)
table(run, "residuals", residuals.round(2), "T-score by sex and age: NHANES and the "
      "model of the phantom's people", index=False)

# %%
worst = residuals.loc[residuals["difference"].abs().idxmax()]
tail = residuals["model ≤ −2.5, %"] - residuals["NHANES ≤ −2.5, %"]
skewness = {s: (g["t_score"] - t_terms(g["age_years"], g["bmi_kg_m2"])
                @ model[s]["t_score"]).skew() for s, g in people.groupby("sex")}
run.fact(skew_f=skewness["F"], skew_m=skewness["M"], off=off,
         worst=worst["difference"], worst_sex=worst["sex"], worst_age=worst["age"],
         tail=tail[tail.abs().idxmax()],
         tail_at=" ".join(residuals.loc[tail.abs().idxmax(), ["sex", "age"]]))
say(run, "Fitted again, the largest difference from a coefficient of the manifest is "
    "{off:g}. The mean T-score of real people differs from the model's by {worst:+.2f} "
    "at most (sex {worst_sex}, decade {worst_age}); the model's share at or below −2.5 "
    "from theirs by {tail:+.1f} percentage points at most ({tail_at}). The residuals "
    "of real people are skewed, by {skew_f:.2f} in women and {skew_m:.2f} in men.")

# %% [markdown]
# Women lose bone fastest around the menopause; a parabola spreads that over decades, hence the alternating signs. And
# real residuals have a long upper and a short lower tail, where the model's are normal: it makes too many people with
# very low T-scores.
#
# ## Simulated people beside NHANES
#
# The phantom's people are older than NHANES from 20 years on. For a fair look NHANES is weighted to the phantom's ages, sex
# by sex. The patients of the knee films are a third group: their T-score is an ultrasound of the heel, so it may differ
# for that reason alone, and the phantom was not fitted to them.

# %%
simulated = phantom.subjects.drop_duplicates("subject_id")
of_p, of_n = ([d["sex"], (d["age_years"] / 5).round()] for d in (simulated, people))
share = simulated.groupby(of_p).size() / people.groupby(of_n).size()
weight = share.reindex(pd.MultiIndex.from_arrays(of_n)).fillna(0).to_numpy()
matched = people.sample(20000, replace=True, weights=weight, random_state=seed)
groups = {"PHANTOM": simulated, "REAL, NHANES at the phantom's ages": matched,
          "REAL, patients of the knee films": knees["real"]}

# %%
rows = []
for column, unit in (("age_years", "age, years"), ("bmi_kg_m2", "BMI, kg/m²"),
                     ("t_score", "T-score")):
    for sex in "FM":
        for who, d in groups.items():
            values = d.loc[d["sex"] == sex, column].dropna()
            rows.append([unit, sex, who, "" if d is matched else len(values),
                         *values.quantile([0.05, 0.25, 0.5, 0.75, 0.95]).round(2)])
columns = ["", "sex", "people", "n", "5 %", "25 %", "median", "75 %", "95 %"]
table(run, "people", pd.DataFrame(rows, columns=columns),
      "Simulated and real people, quantiles", index=False)

# %%
fig, axes = plt.subplots(1, 2, figsize=(7.6, 3.6))
at = np.linspace(0.02, 0.98, 49)
for axis, column, name in zip(axes, ("t_score", "bmi_kg_m2"),
                              ("T-score", "BMI (kg/m²)"), strict=True):
    for sex, style, colour, word in (("F", "o", "#0072B2", "women"),
                                     ("M", "s", "#E69F00", "men")):
        x, y = (d.loc[d["sex"] == sex, column].quantile(at)
                for d in (matched, simulated))
        axis.plot(x, y, style, ms=4, alpha=0.7, label=word, color=colour)
    axis.axline((x.iloc[24], x.iloc[24]), slope=1, color="#222222", lw=1)
    axis.set(xlabel=f"NHANES, {name}", ylabel=f"phantom, {name}", title=name)
axes[0].legend()
figure(run, "quantiles", fig, alt="Quantiles of T-score and BMI of the simulated "
       "people against those of NHANES people of the same ages, with the diagonal.")

# %%
from osteolib.phantoms.people import sample_people

many = sample_people(model, 100_000, np.random.default_rng(seed))
run.fact(men_model=many.loc[many["sex"] == "M", "t_score"].quantile(0.05))
for who, d in zip(("phantom", "nhanes", "patients"), groups.values(), strict=True):
    men = d.loc[d["sex"] == "M", "t_score"]
    run.fact(**{f"loss_{who}": np.mean(d["t_score"] <= -1),
                f"low_{who}": np.mean(d["t_score"] <= -2.5),
                f"men_{who}": men.quantile(0.05)})

# %%
say(run, "T-scores of −1 or lower: {loss_phantom:.0%} of the simulated people, "
    "{loss_nhanes:.0%} of NHANES at their ages, {loss_patients:.0%} of the patients "
    "with knee films; of −2.5 or lower: {low_phantom:.0%}, {low_nhanes:.0%} and "
    "{low_patients:.0%}. The 5 % of men with the lowest T-scores begin at "
    "{men_phantom:.2f} in the phantom, {men_model:.2f} in 100,000 people of its model "
    "and {men_nhanes:.2f} in NHANES. The phantom "
    "has the prevalence of a population, not that of the clinic, so its PPV and "
    "accuracy say nothing about the clinic's.")

# %% [markdown]
# ```{admonition} Exercise
# :class: tip
# Is the yardstick fair? Split the *real* films at random in two halves, call one of them the phantom, and ask both
# questions again: which share is inside, and what AUROC do all measures reach together? Predict both numbers first.
# ```

# %% tags=["solution"]
real = measured["real"].sample(frac=1, random_state=seed).reset_index(drop=True)
half = len(real) // 2
fair = realism.inside_range(real[:half], real[half:], 100, seed)
fake = (np.arange(len(real)) >= half).astype(int)
folds = np.random.default_rng(seed).permutation(len(real)) % 5
null = bootstrap_ci(fake, out_of_fold(real, fake, folds), "auroc", n_boot=200)
print(f"inside: {fair['share'].mean():.0%}; AUROC {null.estimate['auroc']:.2f}")
assert fair["share"].mean() > 0.8 and null.estimate["auroc"] < run.facts["told"]

# %% [markdown]
# **Take away.** Realism is a distance to a *spread*, measured on both sides by one rule. One by one the phantom's measures
# may pass; together they show what a trained eye sees. Use a phantom for what it was checked for, and say so.

# %%
provenance(run)
