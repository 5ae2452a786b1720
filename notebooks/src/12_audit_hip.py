# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
#   osteolib:
#     minutes: {smoke: 0.4, quick: 0.4, long: 0.4, paper: 0.4}
#     needs: []
# ---
# %% [markdown]
# # The numbers of the hip study
# *A film of the hip that measures a T-score as well as a second DXA scan would. Do the numbers behind this claim hold
# together?*
#
# The hip paper, X1AI-Osteo, reports a classifier of osteoporosis and a predictor of T-scores. It prints enough to check
# nearly everything: four metrics for each of three models, three AUCs, a Bland-Altman plot with intervals. Most of it
# agrees, to the last digit. One column does not mean what its name says, and one number is so good that it asks for an
# explanation.
#
# **You will** recover three confusion matrices from percentages, recognise an AUC that was computed from yes and no, read
# the number of pairs off a printed interval, and hold a T-score's error against the best that DXA does. Half a minute to
# run, thirty to work through.

# %% tags=["parameters"]
n_studies: int = 4000  # simulated test sets of each model
profile: str = "quick"  # smoke, quick, long or paper: osteolib/profiles.yaml
seed: int = 0  # seed of every random draw

# %%
import matplotlib.pyplot as plt
import numpy as np
import osteolib
import pandas as pd
import yaml
from osteolib.report import figure, provenance, say, style, table
from osteolib.report.audits import FOLDER, audit_paper, findings_table
from osteolib.report.published import load_published
from osteolib.stats.audit import implied
from scipy import stats

run = osteolib.start(globals(), "12_audit_hip")
findings = audit_paper("chen2024_hip")
found = findings.set_index("id")["details"]

# %%
published = load_published("chen2024_hip").set_index("published_id")
published.index = published.index.str.removeprefix("chen2024_hip.")
paper = published["value"].where(published["unit"] != "%", published["value"] / 100)
models = list(found["X-22"]["rows"])
n_hips, n_people = int(paper["test.images"]), int(paper["test.patients"])
style.use_style()
BLUE, ORANGE = style.COLOURS["normal"], "#D55E00"
rates = ("sens", "spec", "ppv", "npv")
printed = {m: [paper[f"T3.{m}.{k}"] for k in rates] for m in models}

# %% [markdown]
# ## What holds
#
# Behind four percentages stand four whole numbers. With $n$ hips,
#
# $$ \frac{TP}{TP + FN}, \quad \frac{TN}{TN + FP}, \quad \frac{TP}{TP + FP}, \quad \frac{TN}{TN + FN}, $$
#
# with $TP + FP + FN + TN = n$,
#
# must round to what is printed. Sensitivity and specificity alone fit many tables. All four, with $n$ known, leave few, and
# three models on one test set must share one number of positives. So: search every table of whole numbers.

# %%
cells = {m: {c: int(found["X-21"]["rows"][m][c]) for c in ("tp", "fp", "fn", "tn")}
         for m in models}
both = pd.DataFrame(cells).T.rename(columns=str.upper).astype(object)
names = ("sensitivity", "specificity", "ppv", "npv")
for name, key in zip(names, rates, strict=True):
    ours = [100 * found["X-21"]["rows"][m][name] for m in models]
    theirs = [100 * paper[f"T3.{m}.{key}"] for m in models]
    both[name] = [f"{a:.1f} ({b:.2f})" for a, b in zip(theirs, ours, strict=True)]
table(run, "matrices", both.rename_axis("model"), "The only confusion matrices that "
      "print these percentages; in brackets, what they give")

# %%
X04 = found["X-04"]
run.fact(metrics=4 * X04["n_rows"], served=4 * X04["rows_explained"], hips=n_hips,
         positives=X04["best_positives"], negatives=n_hips - X04["best_positives"],
         right=cells[models[0]]["tp"] + cells[models[0]]["tn"])
say(run, "**{served} of {metrics} metrics** are reproduced, by one matrix a model, "
    "with {positives} osteoporotic and {negatives} other hips for all three. "
    "X1AI-Osteo has {right} of {hips} hips right.")

# %% [markdown]
# That is a good sign, and rarer than one should think.

# %%
other = found["X-29"]["sizes"][1]
run.fact(other_n=other["n"], other_positives=other["positives"])
say(run, "With rounding to the nearest, no other size of the test set up to nine "
    "hundred hips serves. If cells were cut off here and rounded there, {other_n} hips "
    "with {other_positives} positive would serve as well; at the printed size the "
    "three matrices are the only ones either way.")

# %% [markdown]
# The counts of patients and hips add up as well, the limits of agreement fit the correlation and the spread of T-scores,
# and the concordance fits both. And the classes fit the T-scores: cutting a T-score this precise at −2.5 errs about as
# often as the printed classes do (X-11 below).
#
# ## An AUC without a score
#
# An AUC needs a score. It is the chance that an osteoporotic hip scores higher than another, over *all* cuts. A yes or no
# has one cut, so its "curve" is two straight lines through one point, and the area under them is
#
# $$ \mathrm{AUC}_\text{yes/no} = \frac{\text{sensitivity} + \text{specificity}}{2} . $$
#
# A graded score with the same operating point can have any area between the step (sensitivity × specificity) and the
# opposite step, $1 - (1 - \text{sensitivity})(1 - \text{specificity})$. Where in between do the printed AUCs lie?

# %%
def curve(sens, spec):
    """Curve of normal scores with one SD in both classes through the point."""
    fpr = np.linspace(0, 1, 400)
    return fpr, stats.norm.cdf(stats.norm.ppf(fpr) + stats.norm.ppf(sens)
                               + stats.norm.ppf(spec))

# %%
def plane(axis, model):
    sens, spec = printed[model][:2]
    area = found["X-22"]["rows"][model]
    axis.fill_between([0, 1 - spec, 1], [0, sens, 1], color=BLUE, alpha=0.15)
    axis.plot([0, 1 - spec, 1], [0, sens, 1], color=BLUE, lw=2)
    axis.plot([1 - spec, 1 - spec, 1], [0, sens, sens], "--", color=style.INK, lw=1)
    axis.plot(*curve(sens, spec), color=style.GREY, lw=1)
    axis.plot(1 - spec, sens, "o", color=ORANGE, ms=8, zorder=3)
    axis.set(title=model, xlabel="1 − specificity", aspect="equal")
    return area

# %%
fig, axes = plt.subplots(1, 3, figsize=(9, 3.6), sharey=True)
for axis, model in zip(axes, models, strict=True):
    area = plane(axis, model)
    smooth = stats.norm.cdf(sum(map(stats.norm.ppf, printed[model][:2])) / 2**0.5)
    lines = {"step, the least": area["least"], "normal scores": smooth,
             "two lines": area["labels"], "PRINTED": paper[f"T3.{model}.auc"]}
    for y, (name, a) in enumerate(lines.items()):
        told = f"{name:<16}" + (f"{100 * a:.1f} " if y == 3 else f"{100 * a:.2f}")
        axis.text(0.97, 0.26 - 0.07 * y, told, ha="right", family="monospace",
                  fontsize=8, color=(style.INK, style.GREY, BLUE, ORANGE)[y])
axes[0].set_ylabel("sensitivity")
figure(run, "roc_plane", fig, alt="ROC plane of each model: one operating point, two "
       "straight lines through it, the step below, a smooth curve above. " + "; ".join(
           f"{m}: two lines {100 * found['X-22']['rows'][m]['labels']:.2f}, printed "
           f"{100 * paper[f'T3.{m}.auc']:.1f}" for m in models))

# %% [markdown]
# Orange: the printed sensitivity and specificity. Blue: the two straight lines, and the area under them. Dashed: the least
# that a curve through the point can have. Grey: normal scores. **The printed AUCs are the blue areas, all three.**
#
# Could graded scores do that by luck? The model: negatives score $N(0, 1)$, positives $N(\mu, \sigma)$; $\sigma$ is drawn
# between a third and three, evenly in its logarithm, to be generous about the shape of the curve; the cut and $\mu$ are
# such that the true sensitivity and specificity are the printed ones. Each study has the test set's two classes, and we
# ask how far its AUC lies above its own yes/no area.

# %%
def gaps(sens, spec, n_pos, n_neg, rng):
    """AUC of the scores minus (sensitivity + specificity) / 2, for each study."""
    cut = stats.norm.ppf(spec)
    sigma = np.exp(rng.uniform(-np.log(3), np.log(3), (n_studies, 1)))
    noise = rng.standard_normal((n_studies, n_pos + n_neg))
    well = noise[:, :n_neg]
    ill = cut + sigma * (stats.norm.ppf(sens) + noise[:, n_neg:])
    ranks = stats.rankdata(np.hstack([ill, well]), axis=1)[:, :n_pos].sum(axis=1)
    auc = (ranks - n_pos * (n_pos + 1) / 2) / (n_pos * n_neg)
    return auc - ((ill > cut).mean(axis=1) + (well <= cut).mean(axis=1)) / 2

rng = np.random.default_rng(seed)
sizes = run.facts["positives"], run.facts["negatives"]
lead = {m: gaps(*printed[m][:2], *sizes, rng) for m in models}

# %%
fig, axes = plt.subplots(3, 1, figsize=(7.4, 3.9), sharex=True)
for axis, model in zip(axes, models, strict=True):
    axis.hist(100 * lead[model], 80, range=(-1, 13), color=style.GREY, alpha=0.6)
    labels = found["X-22"]["rows"][model]["labels"]
    axis.axvline(100 * (paper[f"T3.{model}.auc"] - labels), color=ORANGE, lw=2)
    axis.set(yticks=[], title=model)
    axis.spines["left"].set_visible(False)
axes[-1].set_xlabel("AUC minus (sensitivity + specificity) / 2, percentage points")
axes[0].text(0.3, axes[0].get_ylim()[1] * 0.8, "printed", color=ORANGE)
figure(run, "luck", fig, alt="For each model the simulated lead of a graded AUC over "
       "the yes/no area, all above zero, and the printed lead, at zero.")

# %%
graded = {m: found["X-22"]["rows"][m]["labels"] + np.quantile(lead[m], 0.01)
          for m in models}
values = yaml.safe_load((FOLDER / "chen2024_hip.yaml").read_text("utf-8"))["values"]
assert all(graded[m] > float(values[f"graded.{m}"]) for m in models)
odds = np.prod([found["X-22"]["rows"][m]["chance"] for m in models])
leads = np.concatenate(list(lead.values()))
run.fact(n_studies=n_studies, hits=int((abs(leads) < 0.001).sum()),
         closest=100 * float(abs(leads).min()), models=len(models),
         million=1e-6 / odds)
say(run, "In {n_studies:,} studies of each of {models} models a graded AUC agreed with "
    "its yes/no area, to the printed digit, {hits} times; the closest was "
    "{closest:.1f} points off. Drop the model, and let every area that a curve "
    "through the point can have be equally likely: the three agree together "
    "once in {million:.1f} million.")

# %% [markdown]
# The plain explanation is harmless: the routine that computes AUCs was given the predicted *classes*. A network whose scores
# are all 0 or 1, to the last digit stored, does the same. The Methods tie the ROC curve to augmentations and
# hyper-parameters instead of a threshold (N13), which fits.
#
# It does not flatter the tool: a graded AUC would nearly always be **higher**. But the number must not stand in a table beside AUCs of
# scores, and the comparison of the three models by it is one by balanced accuracy. (The order stays the same.)
#
# ## As good as a second scan
#
# Two measurements with independent errors differ by
#
# $$ s_d = \sqrt{s_\text{film}^2 + s_\text{DXA}^2}, \qquad\text{and two scans by}\qquad s_d = \sqrt{2}\, s_\text{DXA} . $$
#
# The paper's limits of agreement give $s_d$ at once, as their distance over 3.92. What is $s_\text{DXA}$? These are
# literature values, found in the abstracts of studies that scanned the same people again: in six women on
# a Lunar Prodigy, the make of this paper ([2003](https://doi.org/10.1385/JCD:6:2:159)); in 222 people in daily practice
# ([2005](https://doi.org/10.1007/s00198-005-1916-2)); in 195 people of the NOREPOS study on a Lunar Expert (*Eur J
# Epidemiol* 2008, 23). They are printed per cent or in g/cm², and are turned into T here, at the paper's mean T-score, with
# the young adults of NHANES III {cite:p}`looker1998`.

# %%
from osteolib.cohorts import DataNotFound, load_cohort

film = float(np.mean(found["X-08"]["rows"]["bias"]["sd"]))
errors = {f"two scans: {name}": row["two_scans"]
          for name, row in found["N14"]["rows"].items()}
errors["this film against DXA"] = film
try:  # the page does not need them
    nhanes = load_cohort("nhanes-dxa")
    run.uses(nhanes.name, nhanes.kind, nhanes.fingerprint)
    over = nhanes.subjects[nhanes.subjects["age_years"] >= paper["min_age"]]
    sites = (over["t_score_total_hip"] - over["t_score_neck"]).std()
    errors["neck and total hip of one scan"] = sites
except DataNotFound:
    print("NHANES is not here: its row is left out")

# %%
fig, (left, right) = plt.subplots(1, 2, figsize=(9.4, 3.2), width_ratios=(1, 1.05))
for y, (name, error) in enumerate(errors.items()):
    colour = ORANGE if name.startswith("this") else BLUE
    left.plot([0, error], [y, y], color=colour, lw=2)
    left.plot(error, y, "o", color=colour, ms=8)
    left.text(error + 0.025, y, f"{error:.2f}", va="center")
left.set(yticks=range(len(errors)), yticklabels=errors, xlabel="SD of differences, T")
left.set(xlim=(0, 1.15 * max(errors.values())), ylim=(len(errors) - 0.5, -0.5))
mean, sd = paper["tscore.mean"], published["spread"]["tscore.mean"]
grid = np.linspace(0.02, 1, 50)
auc = [implied.thresholded_measurement(mean, sd, e, paper["cut.op"])[2] for e in grid]
right.plot(grid, auc, color=style.INK)
_ = right.plot(film, found["X-11"]["auroc"], "o", color=ORANGE, ms=8)

# %%
told = float(published["reported"]["T3.X1AI-Osteo.auc"]) / 100
needed = float(np.interp(-told, -np.array(auc), grid))
right.axhline(told, color=BLUE, ls="--")
right.annotate(f"a T-score this precise: {found['X-11']['auroc']:.3f}",
               (film, found["X-11"]["auroc"]), (0.2, 1.005), va="center")
right.text(0.99, told + 0.003, f"printed AUC {told:.3f}", color=BLUE, ha="right")
right.plot([needed, needed], [0.85, told], ":", color=BLUE)
right.text(needed + 0.02, 0.9, f"error {needed:.2f} T", color=BLUE)
right.set(xlabel="error of a T-score, T", ylabel="AUC at the cut −2.5",
          ylim=(0.88, 1.015), xlim=(0, 1))
figure(run, "second_scan", fig, alt="Left: SD of differences: " + "; ".join(
    f"{k} {v:.2f}" for k, v in errors.items()) + ". Right: AUC of a predicted T-score "
    f"against its error; at {film:.2f} T {found['X-11']['auroc']:.3f}, while the "
    f"printed {told:.3f} belongs to {needed:.2f} T.")

# %%
scans = [row["two_scans"] for row in found["N14"]["rows"].values()]
run.fact(film=film, low=min(scans), high=max(scans), days=paper["interval.mean"],
         auc=100 * found["X-11"]["auroc"], told=100 * told, needed=needed)
say(run, "The film differs from the scan by {film:.2f} T; two scans of one hip differ "
    "by {low:.2f} to {high:.2f} T. The film was taken {days:.0f} days from the scan on "
    "average, and it is held against a scan with an error of its own. A score this "
    "precise would have an AUC of {auc:.1f} %; the printed {told:.1f} % would belong "
    "to an error of {needed:.2f} T.")

# %% [markdown]
# How far two *sites* of one hip differ is the subject of [Two real measurements of one
# person](03_two_measurements.ipynb). A model that reads the same hip can do better than that; it can hardly do better than
# the scan repeats itself.
#
# This is plausibility, not proof. What could make the error so small? The paper's design offers one candidate. Eight
# networks predict the T-score, each for one *sub-cluster* of T-scores. Whoever knows only the sub-cluster knows a lot:

# %%
def r_of_cells(cuts):
    """Correlation of a normal T-score with the mean of the cell it lies in."""
    z = (np.array([-np.inf, *cuts, np.inf]) - mean) / sd
    between = np.diff(stats.norm.pdf(z)) ** 2 / np.diff(stats.norm.cdf(z))
    return float(np.sqrt(between.sum()))

below = stats.norm.cdf(paper["cut.op"], mean, sd)
quarters = np.arange(0.25, 1, 0.25)
shares = np.r_[quarters * below, below, below + quarters * (1 - below)]
full = r_of_cells(stats.norm.ppf(shares, mean, sd))
half = r_of_cells(paper["cut.op"] + np.arange(-1.5, 1.6, 0.5))
assert abs(full - float(values["cells.full"])) < 5e-4 > abs(
    half - float(values["cells.half"]))

# %%
two = r_of_cells([paper["cut.op"]])
assert abs(two - found["N15"]["class_r"]) < 1e-4
run.fact(two=two, full=full, half=half, r=paper["r"])
say(run, "Naming the mean of the true class gives r = {two:.2f}. Naming the mean of "
    "the true sub-cluster, four on either side of −2.5, gives r = {full:.3f} (equally "
    "full ones) to {half:.3f} (ones of half a T-score). The printed r is {r}.")

# %% [markdown]
# So everything hangs on one question that the text leaves open: is a *test* hip sent to its sub-cluster by its features
# alone, or does its true T-score play a part, in the routing or in the filter for outliers, which the Methods describe with
# testing data? With the first, r is a feat; with the second, it is largely built in. A new patient has no true T-score.
#
# ## How many pairs?
#
# A 95 % interval narrows with $n$. For the bias and for a limit of agreement {cite:p}`blandaltman1986`
#
# $$ h_\text{bias} = \frac{1.96\, s_d}{\sqrt n}, \quad h_\text{limit} = 1.96\, s_d \sqrt{\frac{1}{n} +
# \frac{1.96^2}{2(n-1)}} , $$
#
# so a printed interval tells $n$, within what its digits allow.

# %%
n = np.arange(200, 801)
bias_half, limit_half = implied.bland_altman_half_widths(film, n)
rows = found["X-08"]["rows"]

# %%
fig, axis = plt.subplots(figsize=(7.4, 3.3))
for half_width, name, colour, key in ((limit_half, "limit", ORANGE, "ba.upper"),
                                      (bias_half, "bias", BLUE, "ba.bias")):
    width = (published["ci_high"][key] - published["ci_low"][key]) / 2
    axis.axhspan(width - 0.0005, width + 0.0005, color=colour, alpha=0.2, lw=0)
    axis.plot(n, half_width, color=colour, lw=2)
    axis.text(795, width + 0.0008, f"printed, {name}", color=colour, ha="right")
for people, name in ((n_people, "people"), (n_hips, "hips")):
    axis.axvline(people, color=style.INK, ls=":")
    axis.text(people + 5, 0.0225, f"{people} {name}")
axis.set(xlabel="pairs behind the interval", ylabel="half-width, T",
         ylim=(0.006, 0.024))
figure(run, "pairs", fig, alt="Half-widths fall with the number of pairs and meet the "
       f"printed bands near {n_hips}, far from {n_people}.")

# %%
run.fact(n_low=max(r["n_low"] for r in rows.values()), people=n_people,
         n_high=min(r["n_high"] for r in rows.values()), pairs=found["X-24"]["both"],
         effective=found["X-24"]["smallest"])
run.fact(missing=n_hips - run.facts["n_low"])
say(run, "All three intervals together need {n_low} to {n_high} pairs: the {hips} "
    "hips, not the {people} people. At most {missing} test hips can be missing from "
    "the plot. {pairs:.0f} people have both hips in it; if the errors of a person's "
    "hips were alike, the {hips} would count as {effective:.0f}.")

# %% [markdown]
# ## One hip or either hip
#
# Osteoporosis is printed for six patients in ten, but half of the test hips have it. No contradiction, if a patient counts
# once *either* hip is at −2.5 or below: with two normal T-scores and a left-right correlation $\rho$, that share of patients
# belongs to this share of hips.

# %%
from scipy.optimize import brentq

def hip_share(rho):
    both_sides = stats.multivariate_normal(cov=[[1, rho], [rho, 1]])
    return stats.norm.cdf(brentq(
        lambda z: 1 - both_sides.cdf([-z, -z]) - paper["op.pct"], -3, 3))

# %%
share = {rho: hip_share(rho) for rho in (0.7, 0.8, 0.9)}
assert all(abs(share[rho] - float(values[f"hips.r{rho * 100:.0f}"])) < 1e-3
           for rho in (0.7, 0.9))
run.fact(**{f"share_{rho * 10:.0f}": 100 * s for rho, s in share.items()},
         test=100 * sizes[0] / n_hips, ppv=100 * found["X-05"]["ppv"],
         npv=100 * found["X-05"]["npv"], patients=100 * paper["op.pct"])
say(run, "{share_7:.0f}, {share_8:.0f} and {share_9:.0f} % of hips for ρ = 0.7, 0.8 "
    "and 0.9; {test:.1f} % of the test hips. PPV and NPV belong to that share: where "
    "{patients} % have osteoporosis they would be {ppv:.1f} and {npv:.1f} %.")

# %% [markdown]
# ## All findings
#
# Sort, filter or search. *Sure* says how sure we are beyond the arithmetic.

# %%
table(run, "findings", findings_table(findings), "What the hip paper's numbers say "
      "about each other", index=False, filters=("Verdict", "Sure"), chips={"Verdict"})
counts = findings["verdict"].value_counts()
run.fact(n_findings=len(findings), consistent=int(counts["consistent"]),
         inconsistent=int(counts["inconsistent"]), derived=int(counts["derived"]))
say(run, "{n_findings} findings: {consistent} conditions hold, {inconsistent} do not "
    "(one weighty, three minor), {derived} are numbers that the paper does not print.")

# %% [markdown]
# ```{admonition} What to do with this paper now
# :class: important
# - Trust the counts: use the recovered confusion matrices, with intervals from X-17, widened for two hips of one person.
# - Read "AUC" as balanced accuracy, and leave it out of comparisons with other tools.
# - Compute PPV and NPV for your own prevalence.
# - Treat r = 0.996 as a claim to be tested on films whose DXA result nobody in the pipeline has seen.
# - Ask the authors for three things: the scores, the rule that sends a new patient to a sub-cluster, and how the test
#   patients were chosen.
# ```
#
# ```{admonition} What this does not say
# :class: note
# It does not say that the tool does not work. Its printed metrics agree with each other better than most, the classes and
# the T-scores support each other, and its lead over the two other networks is far beyond chance on these hips. An AUC of
# yes/no calls is a common slip of one line. An error as small as a second scan's is surprising, not impossible: the
# precision figures come from other people and other scanners, and the film shows the same bone. The supplement, which may
# answer several of the questions, could not be read here.
# ```
#
# ```{admonition} Exercise
# :class: tip
# A classifier returns scores with a single decimal: 0.0, 0.1, ... 1.0. Does its AUC still look like that of yes/no calls? And
# how coarse must scores be until it does? Predict first, then round normal scores to 2, 3, 5 and 11 levels.
# ```

# %% tags=["solution"]
from sklearn.metrics import roc_auc_score

truth = np.repeat([1, 0], sizes)
score = stats.norm.cdf(1.25 * (2 * truth - 1) + rng.standard_normal(truth.size))
for levels in (2, 3, 5, 11):
    coarse = np.round(score * (levels - 1)) / (levels - 1)
    print(f"{levels:>2} levels: {roc_auc_score(truth, coarse):.3f}")
calls = (score >= 0.5).astype(int)
one_point = roc_auc_score(truth, calls)
sens, fpr = calls[truth == 1].mean(), calls[truth == 0].mean()
assert np.isclose(one_point, (sens + 1 - fpr) / 2)
eleven = roc_auc_score(truth, np.round(score, 1))
assert abs(eleven - roc_auc_score(truth, score)) < 0.01 < eleven - one_point

# %% [markdown]
# **Take away.** Four percentages and an $n$ are enough to get the counts back; try it on the next paper you read. If an AUC
# is the mean of sensitivity and specificity, there was no score. And before admiring an error, ask how well the reference
# repeats itself.

# %%
provenance(run)
