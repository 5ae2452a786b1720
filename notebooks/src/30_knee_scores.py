# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
#   osteolib:
#     minutes: {smoke: 0.4, quick: 0.5, long: 1, paper: 5}
#     needs: [knee-wani, knee-phantom]
#     after: [04_knee_training, 05_knee_phantom]
# ---
# %% [markdown]
# # Our two networks: curves, thresholds, severity, calibration
# *One AUROC is not all that a score can be asked. Where is it used, on whom, how sure is it, and is it a probability?*
#
# STR-Net {cite:p}`strnet2026_knee` is read in curves with an operating point (Figures 5 and 9), in a table of severity
# (Table 5), in a Brier score. Here our two networks are read in the same forms: the one of
# [the phantom chapter](05_knee_phantom.ipynb), on new people and on another hospital, and the five of
# [the training chapter](04_knee_training.ipynb), each on the real knees it never saw. They are other networks on other people,
# so their numbers answer none of the paper's.
#
# **You will** see who is tested, follow a threshold from one hospital to the next, ask by knee and by person what the image
# adds to age, read severity beside age, and tell a score from a probability. A minute to run once the networks are trained,
# thirty to work through.

# %% tags=["parameters"]
cohort: str = "knee-wani"  # or your own films of knees: osteolib data add
profile: str = "quick"  # smoke, quick, long or paper: osteolib/profiles.yaml
seed: int = 0  # seed of every random draw, and of the networks
n_phantoms: int | None = None  # simulated people; None: from the profile
image_size: int | None = None  # pixels; None: from the profile
backbone: str | None = None  # resnet18 or resnet50; None: from the profile
epochs: int | None = None  # None: from the profile
n_folds: int | None = None  # grouped folds; None: from the profile
n_boot: int | None = None  # bootstrap replicates; None: from the profile

# %% tags=["hide-input"]
import osteolib
import pandas as pd
from osteolib.cohorts import load_cohort, state
from osteolib.report import figure, load_or_explain, provenance, say, table, with_ci
from osteolib.report import knee_scores, model_plots, own_films
from osteolib.report.baseline import beside_table_6
from osteolib.report.published import load_published

run = osteolib.start(globals(), "30_knee_scores")
own_films.check_films(cohort, "knee", "knee-wani")
paper = load_published("strnet2026_knee").set_index("published_id")
paper.index = paper.index.str.removeprefix("strnet2026_knee.")
how = {"n_boot": n_boot, "seed": seed}
a = load_or_explain(run, "knee-phantom", n_subjects=n_phantoms, seed=seed)

# %% tags=["hide-input"]
b = load_or_explain(run, "knee-phantom", acquisition="B", seed=seed + 1,
                    n_subjects=n_phantoms // 2)

# %% [markdown]
# ## Who is tested
#
# Table 6 of the paper describes its 42 external people. Beside them stand ours: the simulated people of the other hospital B,
# those of A whom the network did not see, and, where the films are here, the people on the real knees.

# %%
from osteolib.screen.knee_folds import Recipe
from osteolib.screen.phantom_control import phantom_control

recipe = Recipe(backbone=backbone, image_size=image_size, epochs=epochs, seed=seed)
phantom, threshold = knee_scores.phantom_knees(phantom_control(a, b, recipe))
tested = {f"phantom {part}, simulated": phantom[phantom["part"] == part]
          for part in "BA"}
if state(cohort) == "present":
    tested["real people, here"] = load_cohort(cohort).subjects

# %% tags=["hide-input"]
table(run, "people", beside_table_6(paper, tested), "Table 6 as printed (other "
      "people), and who is tested on this page; mean ± SD, number (share)")
run.fact(prevalence_b=phantom.loc[phantom["part"] == "B", "loss"].mean(),
         printed=float(paper.loc["ext.bl_pct", "value"]))
say(run, "Of B's knees {prevalence_b:.0%} have bone loss, of the paper's external "
    "people {printed:.0f} %. AUPRC, PPV and NPV move with that share; AUROC, "
    "sensitivity and specificity need not.")

# %% [markdown]
# ## Phantom: the threshold moves to another hospital
#
# The threshold follows [Equation 2](04_knee_training.ipynb) on A's validation knees and goes unchanged to new people of A and
# to B. Its grid is widened to 0.01 to 0.99: the paper's, from 0.20 to 0.80, may hold none for a network that was trained
# shortly. The star is where it lands on each curve. Intervals draw people.

# %%
simulated = knee_scores.compare_parts(phantom, threshold, **how)
parts = {part: (phantom[phantom["part"] == part], "screen") for part in "AB"}
drawn = knee_scores.curves(parts, **how)
stars = knee_scores.operating_points(simulated)

# %% tags=["hide-input"]
figure(run, "curves_phantom", model_plots.curves_with_bands(
    drawn, run.facts["prevalence_b"], stars),
    alt="Phantom: ROC and precision-recall curves of A and B with 95 % bands, a star "
        f"at A's threshold. AUROC: {simulated.words('auroc')}.")
knee_scores.beyond(simulated, "auroc").record(run, "knee-phantom",
                                              "{metric}, phantom, {method}")
table(run, "phantom", simulated.table().drop(columns="n").set_index("method").T
      .rename_axis("metric"), "Phantom: bone loss against normal",
      folded="Every metric on A and B")
r, n_pairs = knee_scores.within_class_likeness(phantom, "screen", "loss")
run.fact(pair_r=r, n_pairs=n_pairs, carried=knee_scores.carried_over(
    simulated, threshold, paper.loc["thr.sens", "value"]))
say(run, "{carried}. Within a class the two knees of a person score alike at r = "
    "{pair_r:.2f} ({n_pairs} pairs).")

# %% [markdown]
# What such likeness does to an interval that draws knees is simulated on [the page on intervals](09_knee_intervals.ipynb). The
# dashed line on the right is the share of B with bone loss, what a coin would reach.
#
# ## Real knees: curves
#
# Each knee is called at the threshold of its own fold, so the star of all folds need not lie on the pooled curve.

# %% tags=["hide-input"]
loaded = own_films.load_films(run, cohort, "knee", "knee-wani")

# %% tags=["hide-input"]
rest = "the real knees, which stand here beside age, and all that follows"
ended = own_films.end_page(run, loaded, ["age_years"], rest) or (
    own_films.end_without_training(run, loaded, n_folds, seed, rest))

# %%
from osteolib.report.knee_results import out_of_fold_rows
from osteolib.screen.starts import as_started

rows, _ = out_of_fold_rows(loaded, as_started(recipe), n_folds)
knees = knee_scores.with_regressions(rows)
real = knee_scores.compare_knees(knees, **how)
drawn = knee_scores.curves({"image": (knees, "screen"), "age": (knees, "age")}, **how)

# %% tags=["hide-input"]
figure(run, "curves_real", model_plots.curves_with_bands(
    drawn, knees["loss"].mean(), knee_scores.operating_points(real)),
    alt="Real knees: ROC and precision-recall curves of image and age with 95 % bands, "
        f"a star where the image is used. AUROC: {real.words('auroc')}.")
knee_scores.beyond(real, "auroc", "auprc").record(run, cohort,
                                                  "{metric}, bone loss, {method}")
table(run, "real", real.table().drop(columns="n", errors="ignore").set_index("method").T
      .rename_axis("metric"), "Real knees, out of fold: bone loss against normal; "
      "calls are the image's", folded="Every metric of image and age")

# %% [markdown]
# Most of these knees have bone loss, so precision is high wherever one looks: read the curve on the right against its dashed
# line.
#
# ## Does the image add to age? By knee, and by person
#
# The gain is asked for [where the network is trained](04_knee_training.ipynb); here, what the unit does to its interval.
# DeLong's formula {cite:p}`delong1988` takes units for independent, and both knees of a person have one age and one label.
# Obuchowski {cite:p}`obuchowski1997` adds up what the knees of a person contribute before squaring it, so what they share
# counts in full and what they disagree in cancels. Or one averages a person's knees first. The bootstrap needs neither;
# drawing people is enough.

# %%
from osteolib.stats import bootstrap_difference, delong_ci, delong_test

people = knee_scores.by_person(knees)
added = {}
for unit, frame in {"knee": knees, "person": people}.items():
    pair = frame["loss"].astype(int), frame["age"], frame["age and image"]
    group = frame["split_group"]  # a person, or people whose films are copies
    added[unit, "DeLong"] = delong_test(*pair)
    added[unit, "Obuchowski"] = delong_test(*pair, groups=group)
    added[unit, "bootstrap"] = bootstrap_difference(*pair, groups=group, **how)
age = knees["loss"].astype(int), knees["age"]
apart, grouped = delong_ci(*age), delong_ci(*age, groups=knees["split_group"])

# %% tags=["hide-input"]
table(run, "added_to_age", pd.DataFrame([
    (*which, with_ci(d.difference, *d.ci, "+.4f")) for which, d in added.items()],
    columns=["unit", "interval", "difference (95 % CI)"]), "AUROC of age and image "
    f"minus age: {len(knees)} knees, {len(people)} people; Obuchowski and bootstrap by "
    "person, or people whose films are copies", index=False)
width = {which: d.ci[1] - d.ci[0] for which, d in added.items()}
run.fact(narrow=width["knee", "DeLong"] / width["knee", "Obuchowski"],
         narrow_age=apart.se / grouped.se)
say(run, "With knees taken for independent the standard error of the AUROC of *age* is "
    "{narrow_age:.0%} of what it is with the knees of a group together, and the "
    "interval of the *difference* {narrow:.0%} as wide.")
last = added["person", "bootstrap"]
run.result(None, "auroc difference, age and image - age, by person", last.difference,
           n=len(people), cohort=cohort, ci=last.ci)

# %% [markdown]
# ## Severity: the layout of Table 5
#
# Within bone loss, the severity head tells osteoporosis from osteopenia. The paper does not say how its threshold was
# chosen; here it is the one with the best Youden index {cite:p}`youden1950` on each fold's validation knees, for the head
# and for age in years alike.

# %% tags=["hide-input"]
if not own_films.show_too_few(run, loaded, own_films.SEVERITY, n_folds, "severity"):
    severity = knee_scores.severity_comparison(rows, **how)
    severity.record(run, cohort, "{metric}, severity, {method}")
    table(run, "table_5", knee_scores.beside_table_5(severity, paper), "Osteoporosis "
          "or osteopenia: the paper's Table 5 (other people), and ours on real knees, "
          "out of fold")

# %% [markdown]
# ## Is a score what it says?
#
# The Brier score {cite:p}`brier1950` is the mean of $(p_i - y_i)^2$. It splits into how far the scores lie from the observed
# shares (reliability, small is good), how far those shares differ from each other (resolution, large is good) and what
# nobody can change (uncertainty). A recalibration $\operatorname{logit} P(y = 1) = a + b \operatorname{logit} p$ says how:
# $b < 1$ means scores that are too extreme; the intercept with $b = 1$ that they are too low, or too high, on the whole. And a
# score is useful only if acting on it beats referring everybody or nobody: the decision curve {cite:p}`vancalster2019`.

# %% tags=["hide-input"]
loss, ours = people["loss"], people[list(knee_scores.SCORES)]
figure(run, "calibration", model_plots.calibration_and_benefit(loss, ours),
       alt="Left: share with bone loss against mean score. Right: net benefit of each "
           "score, and of referring everybody or nobody.")
calibration = knee_scores.calibration_table(loss, ours)
table(run, "calibration", calibration, "Calibration by person, out of fold",
      folded="In numbers")
share = paper.loc["ext.bl_n", "value"] / paper.loc["ext.n", "value"]
run.fact(brier=paper.loc["ext.brier", "value"], coin=share * (1 - share))
say(run, "The column *uncertainty* is what naming the prevalence for everybody scores: "
    "read each Brier score beside it. The paper's external one, {brier}, stands beside "
    "{coin:.3f}, that of its own external people, and not beside ours.")

# %% [markdown]
# A network whose classes were weighted alike does not name the prevalence: *as it comes* its score is no risk, and its line in
# the decision curve is that of a misread score. The recalibrated one is meant.
#
# ```{admonition} Where we deviate
# :class: warning
# Intervals draw people (and people whose films are copies of each other together), the paper drew images. Our networks are
# those of `quick` unless the profile says otherwise, started as the training page says, on Stage 2 alone, and scores of
# five networks are pooled. The severity threshold is our choice. The paper's numbers stand here to be read, not
# to be answered.
# ```
#
# ```{admonition} Exercise
# :class: tip
# Recalibration bends the scores of each fold by one curve that only rises, or only falls. Which of AUROC and Brier score can it
# change within a fold, and why can the pooled AUROC change although no fold's does? Predict, then compute.
# ```

# %% tags=["solution"]
from osteolib.report.knee_results import auroc_by_fold

both = {name: knees[name] for name in ("image, as it comes", "image, recalibrated")}
by_fold = auroc_by_fold(knees["loss"], both, knees["fold"])
print(by_fold.round(3), (by_fold - 0.5).abs().round(3), sep="\n")
# pooled, knees of different folds are set against each other: there the curves count
assert (by_fold - 0.5).abs().diff(axis=1).iloc[:, 1].abs().max() < 0.01

# %% [markdown]
# **Take away.** Say on whom a score was read and where it is cut; carry a threshold only with its interval on the other side;
# count people; and call a score a probability only after it has been asked.

# %% tags=["hide-input"]
provenance(run)
