# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
#   osteolib:
#     minutes: {smoke: 0.7, quick: 0.7, long: 0.7, paper: 0.7}
#     needs: []
# ---
# %% [markdown]
# # What these test sets can show
# *If somebody repeated each study with other people, how often would the printed difference come out again? And how often
# would it come out if the methods were equal?*
#
# Each of the five papers puts one method first. Whether it *is* first depends on the method. Whether a study *can tell*
# depends on how many people were tested, how alike the methods' errors are, and how many bones come from one person. This
# page needs no image: it takes each paper's own test-set size and printed values, repeats the study thousands of times in a
# model that is stated in full, and counts.
#
# Nothing here says that a claim is wrong. A true gain can be printed from a test set that was too small to show it; then
# the paper is right, and the reader cannot know.
#
# **You will** see how a test set is turned into a model, read one table of all claims, and plan a study of your own with
# sliders. Under a minute to run, thirty to work through.

# %% tags=["parameters"]
n_studies: int = 2000  # simulated studies for every number below; at least 100
correlation: float = 0.5  # of two methods' errors on one image: assumed; varied below
icc: float = 0.5  # of a method's errors on two units of a person: assumed; varied below
profile: str = "quick"  # smoke, quick, long or paper: osteolib/profiles.yaml
seed: int = 0  # seed of every random draw

# %%
import matplotlib.pyplot as plt
import numpy as np
import osteolib
import pandas as pd
from dataclasses import replace
from osteolib.report import figure, provenance, say, style, table
from osteolib.report.published import load_published
from osteolib.stats.replicability import Sample, Study, assess, simulate
from osteolib.stats.replicability import from_accuracy_f1, from_auroc, from_r

run = osteolib.start(globals(), "16_replicability")
published = load_published().set_index("published_id")
percent = published["unit"] == "%"
value = published["value"].where(~percent, published["value"] / 100)  # all as fractions

# %% [markdown]
# ## The model
#
# Unit $u$ (a bone, a knee, a vertebra) of person $p$ gets from method $j$ the score
#
# $$ s_{upj} = b_j x_u + a_j + e_{upj}, \qquad e \sim N(0, 1), $$
#
# where $x_u$ is 1 with disease and 0 without. This is the *binormal* model {cite:p}`hanleymcneil1982`. It gives
# $\mathrm{AUROC} = \Phi(b / \sqrt 2)$, sensitivity $\Phi(b + a)$ and specificity $\Phi(-a)$ at the cut $s > 0$, so the printed
# values fix $a$ and $b$. For a predicted T-score, $x$ is the true one, standardised, and $r = b / \sqrt{1 + b^2}$. Two numbers
# say how errors hang together: $e$ correlates by $\rho$ between two methods on one unit, by ICC between two units of one
# person under one method, and by $\rho \cdot \mathrm{ICC}$ between different units under different methods.

# %%
contract = pd.DataFrame([
    ("AUROC, accuracy, F1, r", "printed", "taken as the truth, without rounding"),
    ("units by class", "printed, or computed from printed values (next cell)", ""),
    ("people", "printed; segments / 7 bones; each knee its own person", "favourable"),
    ("ρ between methods", f"assumed {correlation:g}", "shown at 0, 0.5 and 0.8"),
    ("ICC within a person", f"assumed {icc:g}", "shown at 0, 0.5 and 0.8"),
    ("shape of the scores", "assumed normal, equal spread", "usual for ROC curves"),
    ("training anew, choosing on the test set, shift", "left out", "favourable"),
    ("test at 5 %", "its critical value is known exactly", "favourable")],
    columns=["what", "where it comes from", "remark"])
table(run, "contract", contract, "What goes into the model. Favourable: it makes a "
      "study look stronger than it was", index=False)

# %% [markdown]
# ## The test sets
#
# Most sizes are printed. Three have to be worked out:
#
# - *Hand, 2025*: the printed share of the subjects of each class, with and without osteoporosis.
# - *Hip*: the share of positive hips $\pi$ follows from sensitivity, specificity and the positive predictive value, since
#   $\mathrm{PPV}/(1-\mathrm{PPV}) = \pi\,\mathrm{sens}/((1-\pi)(1-\mathrm{spec}))$.
# - *CT*: from accuracy and F1 follows $TP = \frac{F_1}{2(1-F_1)}\, n (1 - \mathrm{acc})$, and with the column printed SEN read
#   as a predictive value (the chapter on the audit says why), the positives are $TP\,(2/F_1 - 1/\mathrm{PPV})$. It comes out
#   within 0.4 of a whole number of vertebrae or patients wherever we use it.

# %%
FULL, SINGLE = "ResNet34+MoE|TP-SwAV|Lunified", "ResNet34|TP-SwAV|Lunified"
SCRATCH = "ResNet34|scratch|Lclass"

def number(name):
    return int(value[name])

def positives(site, tab, n):
    """Units with osteoporosis at a CT site, from the full model's row of a table."""
    row = f"tpswav2025_ct.{tab}.{site}.{FULL}"
    acc, f1, ppv = (value[f"{row}.{name}"] for name in ("acc", "f1", "sen_col"))
    found = n * (1 - acc) * f1 / (2 * (1 - f1)) * (2 / f1 - 1 / ppv)
    assert abs(found - round(found)) < 0.4
    return round(found)

# %%
def ct_site(site):
    n, people = (number(f"tpswav2025_ct.T1.{site}.{k}") for k in ("v_test", "pt_test"))
    p, carriers = positives(site, "T2", n), positives(site, "T3", people)
    return (Sample(p, n - p, people, carriers),
            Sample(carriers, people - carriers, people))

# %%
tenth = value["lee2025_hand.split.test"]
hand = [round(tenth * value[f"lee2025_hand.T1.derived.{g}"])
        for g in ("osteoporosis", "normal")]
bones = [number(f"lee2023_hand.T1.{group}.test") for group in ("op", "n")]
hands = round(sum(bones) / number("lee2023_hand.bones"))
knees = [number(f"strnet2026_knee.T1.{group}.test") for group in ("BoneLoss", "Normal")]
clinic, lost = (number(f"strnet2026_knee.ext.{k}") for k in ("n", "bl_n"))
films = number("strnet2026_knee.ts.n")
hips, hip_people = (number(f"chen2024_hip.test.{k}") for k in ("images", "patients"))
sens, spec, ppv = (value[f"chen2024_hip.T3.X1AI-Osteo.{k}"]
                   for k in ("sens", "spec", "ppv"))
odds = ppv / (1 - ppv) * (1 - spec) / sens

# %%
broken = round(hips * odds / (1 + odds))
sets = {"hand 2025, subjects": Sample(*hand, sum(hand)),
        "hand 2023, bone segments": Sample(*bones, hands),
        "knee, test": Sample(*knees, sum(knees)),
        "knee, with T-score": Sample(films // 2, films - films // 2, films),
        "knee, second hospital": Sample(lost, clinic - lost, clinic),
        "hip": Sample(broken, hips - broken, hip_people)}
for site in "ACD":
    sets[f"CT {site}, vertebrae"], sets[f"CT {site}, patients"] = ct_site(site)
sizes = pd.DataFrame({name: (s.n_positive, s.n_negative, s.people)
                      for name, s in sets.items() if name != "knee, with T-score"},
                     index=["positive units", "negative units", "people"]).T
table(run, "sizes", sizes.rename_axis("test set"), "The test sets, by class")

# %% [markdown]
# ## The claims
#
# One line each: the words, the test set, the metric, the keys of the two printed values, and *k* and *rank*: out of how many
# compared methods the best was the best, and the place of the one it is set against (2: the runner-up, *k*: the last). They
# are counted from the printed tables where those are readable. Where a paper compares one change with its absence, *k* is 2.

# %%
def placed(pattern, other):
    """How many printed values a table ranks, and the place of one of them."""
    rows = value[value.index.str.fullmatch(pattern)]
    assert other in rows.index
    return len(rows), int((rows > value[other]).sum()) + 1

ssl = placed(r"lee2023_hand\.T2\.(?!Sup.*ised).*\.auc\.ext",
             "lee2023_hand.T2.SupCon.auc.ext")
steps = {f"B{i}": placed(r"strnet2026_knee\.T4\.B\d\.auroc",
                         f"strnet2026_knee.T4.B{i}.auroc") for i in (0, 3)}
ct = {tab: placed(rf"tpswav2025_ct\.{tab}\.C\..*\.f1",
                  f"tpswav2025_ct.{tab}.C.{SCRATCH}.f1") for tab in ("T2", "T3")}
four = number("lee2025_hand.ssl.n_methods")
backbones = number("strnet2026_knee.F6.n_backbones") + 1

# %%
SUBJECTS, BONES, KNEES = list(sets)[:3]
of = {}
of["lee2025_hand"] = [
    (words, SUBJECTS, metric, f"T3.SimCLR.{key}", f"{other}.{key}", *kr)
    for words, metric, key, other, *kr in (
        ("many decoders, not one", "auroc", "auc", "T5.SimCLR", 2, 2),
        ("with segmentation", "auroc", "auc", "T4.SimCLR", 2, 2),
        ("best of 4, over last", "auroc", "auc", "T3.SwAV", four, four),
        ("with pre-training", "auroc", "auc", "T6.sup", 2, 2),
        ("many decoders, not one", "accuracy", "acc", "T5.SimCLR", 2, 2),
        ("over DeepDXA", "accuracy", "acc", "T8.DeepDXA", 2, 2))]

# %%
SIM = "T2.SimCLR"
of["lee2023_hand"] = [
    ("best of 4, over next", BONES, "auroc", f"{SIM}.auc.ext", "T2.SupCon.auc.ext",
     *ssl),
    ("extended crops", BONES, "auroc", f"{SIM}.auc.ext", f"{SIM}.auc.conv", 2, 2),
    ("extended crops", BONES, "f1", f"{SIM}.f1.ext", f"{SIM}.f1.conv", 2, 2)]
of["strnet2026_knee"] = [
    ("full, over plain", KNEES, "auroc", "T4.B4.auroc", "T4.B0.auroc", *steps["B0"]),
    ("full, over next", KNEES, "auroc", "T4.B4.auroc", "T4.B3.auroc", *steps["B3"]),
    ("over next backbone", "knee, with T-score", "pearson_r", "ts.r", "F6.vit.r",
     backbones, 2)]

# %%
of["chen2024_hip"] = [("over ResNet50", "hip", "auroc", "T3.X1AI-Osteo.auc",
                       "T3.ResNet50.auc", 3, 2)]
of["tpswav2025_ct"] = [
    (words, f"CT {site}, {unit}", "f1", f"{tab}.{site}.{a}.f1",
     f"{tab}.{site}.{b}.f1", *kr) for words, site, unit, tab, a, b, kr in (
        ("full, over scratch", "C", "vertebrae", "T2", FULL, SCRATCH, ct["T2"]),
        ("full, over scratch", "C", "patients", "T3", FULL, SCRATCH, ct["T3"]),
        ("experts, not one head", "D", "vertebrae", "T2", FULL, SINGLE, (2, 2)),
        ("experts, not one head", "A", "vertebrae", "T2", FULL, SINGLE, (2, 2)))]

# %%
def methods(sample, metric, keys):
    """Slope and intercept of each printed value; accuracy and F1 need each other."""
    if metric == "auroc":
        return tuple(from_auroc(value[key]) for key in keys)
    if metric == "pearson_r":
        return tuple(from_r(value[key]) for key in keys)
    return tuple(from_accuracy_f1(value[key.replace(".f1", ".acc")],
                                  value[key.replace(".acc", ".f1")],
                                  sample.n_positive, sample.n_negative) for key in keys)

# %%
SHORT = {"auroc": "AUROC", "accuracy": "accuracy", "f1": "F1", "pearson_r": "r"}
rows = []
for paper, lines in of.items():
    for words, name, metric, best, other, k, rank in lines:
        keys = [f"{paper}.{key}" for key in (best, other)]
        study = Study(sets[name], metric, methods(sets[name], metric, keys),
                      correlation, icc)
        rows.append({"paper": paper, "claim": f"{words}, {SHORT[metric]}", "set": name,
                     "study": study, "best": value[keys[0]], "other": value[keys[1]],
                     "claimed": value[keys[0]] - value[keys[1]], "k": k, "rank": rank,
                     "spread": published["spread"][keys[0]]})
claims = pd.DataFrame(rows)
claims["found"] = [assess(c.study, c.claimed, c.k, c.rank, n_studies, seed)
                   for c in claims.itertuples()]

# %% [markdown]
# ## The dot and the hill
#
# The hill is what chance does: all methods are equal, one test set is drawn, and the best of them leads by so much. The dot
# is the printed lead. On the hill's flank or inside it, equal methods print such a lead often; the number says how often.

# %%
style.use_style()
PAPERS = {"lee2025_hand": "#0072B2", "lee2023_hand": "#56B4E9", "strnet2026_knee":
          "#009E73", "chen2024_hip": "#CC79A7", "tpswav2025_ct": "#D55E00"}
claims["label"] = claims["claim"] + " · " + claims["set"]
places = np.arange(len(claims))[::-1]

def lined(axis, **labels):
    """One line a claim."""
    axis.set(yticks=places, yticklabels=claims["label"], **labels)
    axis.tick_params(axis="y", length=0, labelsize=8.5)
    axis.spines["left"].set_visible(False)

# %%
fig, axis = plt.subplots(figsize=(7.6, 7.4))
edges = np.arange(32) / 78  # an AUROC of 6 x 13 pairs comes in steps of 1/78
for y, c in zip(places, claims.itertuples(), strict=True):
    hill = np.histogram(np.clip(c.found.leads, 0, edges[-1]), edges)[0]
    axis.stairs(y + 0.85 * hill / hill.max(), edges, baseline=y, fill=True, alpha=0.35,
                color=PAPERS[c.paper])
    axis.plot(c.claimed, y + 0.12, "o", ms=8, color=PAPERS[c.paper], mec="white")
    axis.text(0.415, y + 0.15, "< 1 %" if c.found.luck < 0.005
              else f"{100 * c.found.luck:.0f} %", fontsize=9)
axis.text(0.415, len(claims) - 0.1, "equal methods\nlead by as much", fontsize=8)
lined(axis, xlim=(0, 0.4), ylim=(-0.2, len(claims)),
      xlabel="lead of the best method (AUROC, accuracy, F1 or r)")
figure(run, "hills", fig, alt="For each claim the leads that the best of equal methods "
       "shows by chance, with a dot at the printed lead: " + "; ".join(
           f"{c.label} {c.found.luck:.0%}" for c in claims.itertuples()))

# %% [markdown]
# ## An honest interval
#
# Several papers print "± " over a few trainings. That says how much the *training* wavers, on the same test people. It does
# not say how much the result would move with other people. Thin line: 95 % of what studies of this size print when the
# printed value is the truth. Thick line: the printed ±.

# %%
firsts = claims.drop_duplicates(["set", "best"]).iloc[::-1].reset_index(drop=True)
names = [f"{SHORT[c.study.metric]} · {c.set}" for c in firsts.itertuples()]
ranges = ["{:.2f} to {:.2f}".format(*f.interval) for f in firsts["found"]]

# %%
fig, axis = plt.subplots(figsize=(7.6, 0.36 * len(firsts) + 1.2))
for y, c in firsts.iterrows():
    axis.hlines(y, *c["found"].interval, color=PAPERS[c["paper"]], lw=2)
    axis.hlines(y, c["best"] - c["spread"], c["best"] + c["spread"],
                color=style.INK, lw=7)
    axis.plot(c["best"], y, "o", color=PAPERS[c["paper"]], ms=7, mec="white")
    axis.text(1.02, y, ranges[y], va="center", fontsize=9)
axis.set(yticks=range(len(firsts)), yticklabels=names, xlim=(0.4, 1),
         xlabel="printed value, with what such studies print in 95 of 100 cases")
figure(run, "intervals", fig, alt="Printed values and 95 % intervals: " + "; ".join(
    f"{n} {b:.3f}, {r}" for n, b, r in zip(names, firsts["best"], ranges, strict=True)))

# %% [markdown]
# ## How many people would it take?
#
# To find a true difference of the printed size four times in five, and to know the best method's own value to within ± 0.05.

# %%
def rounded(n):
    return int(float(f"{n:.2g}"))  # the simulation knows two digits

def arrow(axis, y, colour, had, need, width):
    """People a test set had, needs for 80 % power, and needs for a narrow interval."""
    axis.annotate("", (need, y), (had, y), arrowprops={
        "arrowstyle": "-|>", "color": colour, "lw": 2, "shrinkA": 0, "shrinkB": 0})
    axis.plot(had, y, "o", color=colour, ms=8, mec="white")
    axis.plot(width, y, "|", color=style.INK, ms=13, mew=2)
    axis.text(1.3 * max(need, had), y, f"{rounded(need):,}", va="center", fontsize=9)

# %%
fig, axis = plt.subplots(figsize=(7.6, 6.6))
axis.set_xscale("log")
axis.xaxis.set_major_formatter("{x:,.0f}")
for y, c in zip(places, claims.itertuples(), strict=True):
    arrow(axis, y, PAPERS[c.paper], c.study.sample.people, c.found.people_for_power,
          c.found.people_for_width)
lined(axis, xlim=(10, 2e5), xlabel="people in the test set")
axis.set_title("dot: had · arrow, number: for 80 % power · bar: for ± 0.05", fontsize=9)
figure(run, "people", fig, alt="People in the test set and needed: " + "; ".join(
    f"{c.label} {c.study.sample.people}, for power {c.found.people_for_power}, for "
    f"precision {c.found.people_for_width}" for c in claims.itertuples()))

# %% [markdown]
# ## All claims in one table
#
# *Seen*: how often a study of this size finds a true difference of the printed size, at 5 % and in its direction. *By
# chance*: how often the best of *k* equal methods leads the one of that place by as much; for *k* = 2, either of two.

# %%
whole = pd.DataFrame([{
    "paper": c.paper, "claim": c.label, "units": c.study.sample.n_positive
    + c.study.sample.n_negative, "people": c.study.sample.people,
    "best": round(c.best, 3), "other": round(c.other, 3), "lead": round(c.claimed, 3),
    "place": f"{c.rank} of {c.k}", "seen (%)": round(100 * c.found.power),
    "by chance (%)": round(100 * c.found.luck, 0 if c.found.luck > 0.1 else 1),
    "interval": f"{c.found.interval[0]:.2f} to {c.found.interval[1]:.2f}",
    "people, 80 % power": rounded(c.found.people_for_power),
    "people, ± 0.05": rounded(c.found.people_for_width)} for c in claims.itertuples()])
table(run, "claims", whole, "What the test sets can show", index=False)

# %%
found = pd.DataFrame([vars(f) for f in claims["found"]])
run.fact(n=len(claims), n_powered=int((found["power"] >= 0.8).sum()),
         n_weak=int((found["power"] < 0.5).sum()),
         n_lucky=int((found["luck"] >= 0.25).sum()),
         hand_low=found["interval"][0][0], hand_high=found["interval"][0][1],
         hand_people=sum(hand), hand_auroc=claims["best"][0])
say(run, "Of {n} claims, {n_powered} would be found at least four times in five if it "
    "is true, and {n_weak} less than every second time. {n_lucky} leads come out as "
    "large in a quarter or more of studies of equal methods. With {hand_people} "
    "subjects a method whose true AUROC is {hand_auroc:.2f} prints {hand_low:.2f} to "
    "{hand_high:.2f}.")

# %% [markdown]
# The hip paper's test set is large enough for its claim by a wide margin. (Its AUROCs equal the mean of sensitivity and
# specificity, which is what hard calls instead of scores give; the lead is large either way.)
#
# ## What the sizes do not weigh
#
# Three things speak for the papers and are not in the table.
#
# - **A pattern.** If the steps of an ablation rise in just the order in which parts were added, equal methods do that once in
#   (number of steps)! times, and if one method is first on several separate test sets, equal methods do that rarely, too.
# - **Prior reason.** A part that ought to help needs less evidence than a surprise.
# - **Alike methods.** Two versions of one network err on the same images. The more alike, the smaller a difference can be
#   seen: that is $\rho$, next.
#
# And one speaks against: several comparisons on the *same* few people are not independent. The same fortunate test set
# carries all of them.

# %%
from math import factorial

auroc = [value[f"strnet2026_knee.T4.B{i}.auroc"] for i in range(steps["B0"][0])]
vertebra = value[value.index.str.fullmatch(r"tpswav2025_ct\.T2\.[A-D]\..*\.f1")]
site = vertebra.index.str.split(".").str[2]
first = vertebra.groupby(site).idxmax().str.contains(FULL, regex=False)
models = len(vertebra) // len(first)
run.fact(rising=bool(np.all(np.diff(auroc) > 0)), orders=factorial(len(auroc)),
         sites=len(first), sites_first=int(first.sum()), models=models,
         all_sites=models ** (1 - len(first)))
assert run.facts["rising"] and run.facts["sites_first"] == run.facts["sites"]
say(run, "The knee paper's AUROC rises at every step: equal methods come in that order "
    "once in {orders} times. The CT paper's full model has the printed F1 of vertebrae "
    "highest at all {sites} sites: of {models} equal methods one is first everywhere "
    "with probability {all_sites:.3f}.")

# %% [markdown]
# So each single lead may be small for its test set while the series of them is not chance alone. A pattern says that
# *something* helps; the table says how little is known about *how much*.
#
# ## How much hangs on the assumptions?
#
# Nobody printed $\rho$ or ICC. If two methods err almost alike ($\rho = 0.8$), smaller differences show; if the bones of a
# person fail together (high ICC), the many bones count for little more than the person. Two versions of one network may lie
# above 0.8. Then only the predictions tell, image by image: a paired test on them needs no assumed $\rho$, and any author can
# print it.

# %%
def vary(name, values, rows):
    """Power and chance of the claims when one assumption changes."""
    fewer = max(100, n_studies // 3)
    return {v: pd.DataFrame([vars(assess(
        replace(c.study, **{name: v}), c.claimed, c.k, c.rank, fewer, seed))
        for c in rows.itertuples()], index=rows.index)[["power", "luck"]]
        for v in values}

people = np.array([s.sample.people < s.sample.n_positive + s.sample.n_negative
                   for s in claims["study"]])
by_correlation = vary("correlation", (0.0, 0.5, 0.8), claims)
by_icc = vary("icc", (0.0, 0.5, 0.8), claims[people])

# %%
fig, axes = plt.subplots(1, 2, figsize=(8.6, 6.4), sharey=True)
for axis, column in zip(axes, ("power", "luck"), strict=True):
    for (v, result), mark in zip(by_correlation.items(), "os^", strict=True):
        axis.plot(100 * result[column], places, mark, color=style.INK,
                  alpha=0.25 + 0.75 * v, ms=7, label=f"ρ = {v:g}", ls="none")
    spans = 100 * pd.concat([r[column] for r in by_correlation.values()], axis=1)
    axis.hlines(places, spans.min(axis=1), spans.max(axis=1), "#BBBBBB", zorder=0)
    lined(axis, xlim=(-3, 103), xlabel="% of simulated studies")
axes[0].set_title("a true difference is seen")
axes[1].set_title("equal methods lead as much")
axes[1].legend(loc="lower right")
figure(run, "correlation", fig, alt="Share of studies that see each claim, and in "
       "which equal methods lead as much, at correlations 0, 0.5 and 0.8.")

# %%
icc_table = pd.concat({f"ICC {v:g}": (100 * r).round(0)
                       for v, r in by_icc.items()}, axis=1)
icc_table.columns = [f"{'seen' if b == 'power' else 'by chance'}, {a} (%)"
                     for a, b in icc_table.columns]
icc_table.index = claims["label"][people].rename("claim")
table(run, "icc", icc_table.astype(int), "Claims with several units a person, when the "
      "units are more or less alike")
power = {v: r["power"] for v, r in by_correlation.items()}
run.fact(**{f"powered_{int(10 * v)}": int((p >= 0.8).sum()) for v, p in power.items()},
         median_0=100 * power[0.0].median(), median_8=100 * power[0.8].median())
say(run, "The median claim would be seen in {median_0:.0f} % of studies at ρ = 0 and "
    "in {median_8:.0f} % at ρ = 0.8; four times in five are reached by {powered_0}, "
    "{powered_5} and {powered_8} of {n} claims at ρ = 0, 0.5 and 0.8.")

# %% [markdown]
# ## The second hospital
#
# The knee paper's AUROC is lower on the external knees than on its own test set. Is that a drop? Here the two test sets are
# separate, so each is simulated with the *same* true AUROC, halfway between.

# %%
inside, outside = (value[f"strnet2026_knee.{k}.auroc"] for k in ("test", "ext"))
same = ((from_auroc((inside + outside) / 2)),)
ours, theirs = (simulate(Study(sets[name], "auroc", same), n_studies, seed + i)[:, 0]
                for i, name in enumerate((KNEES, "knee, second hospital")))
other = Study(sets["knee, second hospital"], "auroc", (from_auroc(outside),) * 2)
low, high = np.quantile(simulate(other.equal(1), n_studies, seed), (0.025, 0.975))
run.fact(inside=inside, outside=outside, drop=100 * np.mean(ours - theirs
         >= inside - outside), ext_low=low, ext_high=high, clinic=clinic,
         printed_low=published["ci_low"]["strnet2026_knee.ext.auroc"],
         printed_high=published["ci_high"]["strnet2026_knee.ext.auroc"])
say(run, "From {inside:.3f} to {outside:.3f}: with no true drop, {drop:.0f} % of such "
    "pairs fall by as much or more. The model's interval for {clinic} knees is "
    "{ext_low:.2f} to {ext_high:.2f}; the paper prints {printed_low:.2f} to "
    "{printed_high:.2f}, wider and so honest about its size.")

# %% [markdown]
# ## Plan your own
#
# In JupyterLab the next cell shows sliders: people, bones per person, the two AUROCs, $\rho$ and ICC. In the book it shows
# one setting of them.

# %%
def plan(positive=60, negative=120, units=1, other=0.80, lead=0.05, rho=0.5, alike=0.5):
    """Two methods on people with ``units`` images each: what would this study show?"""
    sample = Sample(positive * units, negative * units, positive + negative)
    better = min(other + lead, 0.999)
    study = Study(sample, "auroc", (from_auroc(better), from_auroc(other)), rho, alike)
    result = assess(study, better - other, n_studies=600, seed=seed)
    fig, axis = plt.subplots(figsize=(7, 2.6))
    for what, colour, name in ((study.equal(), style.GREY, "equal"),
                               (study, "#D55E00", "truly different")):
        both = simulate(what, 2000, seed)
        axis.hist(both[:, 0] - both[:, 1], 40, color=colour, alpha=0.5, label=name)
    axis.axvline(better - other, color=style.INK, lw=1.5)
    axis.set(xlabel="printed lead in AUROC", yticks=[])
    return fig, axis, result

# %%
def draw(**settings):
    """The figure of a plan, with its answers as title."""
    fig, axis, result = plan(**settings)
    axis.set_title(f"seen {result.power:.0%} · 80 % power: {result.people_for_power:,} "
                   f"people · ± 0.05: {result.people_for_width:,} people", fontsize=10)
    axis.legend()
    return fig

figure(run, "plan", draw(), alt="Leads that equal and truly different methods print in "
       "a study of 60 patients and 120 controls.")

# %%
import os

if "JPY_SESSION_NAME" in os.environ:  # a person's session in JupyterLab, not papermill
    import ipywidgets
    from IPython.display import display

    def live(**settings):
        fig = draw(**settings)
        display(fig)
        plt.close(fig)

    ipywidgets.interact_manual(live, positive=(5, 300), negative=(5, 300), units=(1, 7),
                               other=(0.55, 0.95, 0.01), lead=(0.01, 0.3, 0.01),
                               rho=(0, 0.95, 0.05), alike=(0, 1, 0.1))

# %% [markdown]
# ```{admonition} Exercise 1
# :class: tip
# The hand paper of 2025 tests one radiograph of each subject. Suppose it had scored all seven bones of a subject and counted
# them as seven units. How much of the seven-fold would it gain at ICC 0.5, and how much at ICC 1? Predict first: the design
# effect of a mean is $1 + (m - 1)\,\mathrm{ICC}$.
# ```

# %% tags=["solution"]
spread, hand_auroc = {}, claims["best"][0]
for m, alike in ((1, 0.0), (7, 0.5), (7, 1.0)):
    sample = Sample(hand[0] * m, hand[1] * m, sum(hand))
    one = Study(sample, "auroc", (from_auroc(hand_auroc),), icc=alike)
    spread[m, alike] = simulate(one, 2000, seed).std()
    print(f"{m} bones, ICC {alike}: AUROC {hand_auroc} ± {1.96 * spread[m, alike]:.2f}")
assert spread[7, 0.5] < spread[1, 0.0]  # some gain
assert abs(spread[7, 1.0] / spread[1, 0.0] - 1) < 0.1  # none: seven copies of a person

# %% [markdown]
# ```{admonition} Exercise 2
# :class: tip
# A lead half as large: how many times the people does it take?
# ```

# %% tags=["solution"]
need = {}
for lead in (0.08, 0.04):
    pair = (from_auroc(0.80 + lead), from_auroc(0.80))
    need[lead] = assess(Study(Sample(60, 60, 120), "auroc", pair), lead,
                        n_studies=1000).people_for_power
print(need)
assert 3 < need[0.04] / need[0.08] < 6  # about four: n goes with 1 / lead squared

# %% [markdown]
# **Take away.** Before asking who leads, ask by how much equal methods would lead in a test set of this size. Print an
# interval that resamples people, beside the ± over trainings. Plan the test set from the difference that would matter, and
# count people, not bones.

# %%
provenance(run)
