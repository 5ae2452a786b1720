# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
#   osteolib:
#     minutes: {smoke: 0.4, quick: 1.2, long: 20, paper: 20}
#     needs: [knee-wani]
# ---
# %% [markdown]
# # What could a model be reading?
# *Before crediting a network with seeing bone, ask what is reached without looking at any.*
#
# STR-Net {cite:p}`strnet2026_knee` reports AUROC 0.933 for bone loss and r = 0.801 for the T-score, and its T-score head
# receives age, sex and BMI. A network can read a good deal more from a film than bone: how large the file is, whether one
# leg or two were laid on the table, how the exposure was windowed. Such *shortcuts* {cite:p}`geirhos2020_shortcut` may
# predict the label of one collection and nothing in the next.
#
# **You will** score simple covariates out of fold, put intervals on them, see what *nothing* looks like, and read two
# published numbers beside it all. About a minute to run, thirty to work through.

# %% tags=["parameters"]
cohort: str = "knee-wani"  # a cohort of films with T-scores
cross_class_duplicates: str = "exclude"  # or "keep": films under two labels
profile: str = "quick"  # smoke, quick, long or paper: osteolib/profiles.yaml
seed: int = 0  # seed of the folds, the shuffles and the bootstrap
n_boot: int | None = None  # bootstrap replicates; None: from the profile
n_folds: int | None = None  # grouped folds; None: from the profile
n_repeats: int | None = None  # times the folds are drawn; None: profile
n_shuffles: int | None = None  # shuffled targets; None: from the profile

# %%
import numpy as np
import pandas as pd

import osteolib
from osteolib.report import figure, load_or_explain, plots, provenance, say, table

run = osteolib.start(globals(), "02_knee_shortcuts")
loaded = load_or_explain(run, cohort, unit="film",
                         cross_class_duplicates=cross_class_duplicates)

# %% [markdown]
# ## Sets of covariates
#
# Three come from the table, three from the file. Those of the file are open to any network that is shown the film:
# resizing and normalising change how they look and do not remove them.

# %%
films = loaded.subjects
person = ["age_years", "bmi_kg_m2", "sex"]
size = ["width", "height"]
grey = [column for column in films if column.startswith("intensity_")]
covariates = {
    "age": ["age_years"], "BMI": ["bmi_kg_m2"], "sex": ["sex"],
    "film size": size, "single or bilateral": ["film_layout"],
    "whole-image intensity": grey,
    "age, BMI, sex": person,
    "size, layout, intensity": [*size, "film_layout", *grey],
    "all of them": [*person, *size, "film_layout", *grey],
}

# %% [markdown]
# ## Out of fold, in groups
#
# A logistic regression is fitted on all folds but one and scores the one left out; duplicates and near-duplicates never
# straddle the cut. For subject $i$ in fold $k(i)$,
#
# $$ \hat p_i = \sigma\!\left(\hat\beta^{(-k(i))} \cdot x_i\right), $$
#
# with imputation and scaling fitted inside the training folds as well. We draw the folds several times and average each
# subject's scores, so that one lucky cut does not decide.

# %%
from osteolib.cohorts import bone_loss, grouped_folds
from osteolib.screen import out_of_fold

loss = bone_loss(films["label"])
draws = [grouped_folds(films, loss, n_folds, seed + r) for r in range(n_repeats)]

def mean_score(columns, target):
    return np.mean([out_of_fold(films[columns], target, f) for f in draws], axis=0)

scores = {name: mean_score(columns, loss) for name, columns in covariates.items()}

# %% [markdown]
# Each AUROC gets a bootstrap interval that resamples groups of films, not films. And because "no information" does not
# mean 0.5 out of fold, we also ask what the same procedure finds when the labels are shuffled. (If women are by chance
# over-represented among the cases of the training folds, they are under-represented in the fold left out: the total is
# fixed. A feature that knows nothing therefore tends to score *below* 0.5.)

# %%
from osteolib.screen import shuffled_targets
from osteolib.stats import bootstrap_ci

rows = pd.DataFrame(index=list(covariates), columns=plots.FOREST, dtype=float)
shuffled = shuffled_targets(loss, n_shuffles, seed)
for name, columns in covariates.items():
    b = bootstrap_ci(loss, scores[name], metrics="auroc", n_boot=n_boot,
                     groups=films["split_group"], seed=seed)
    nothing = [bootstrap_ci(y, out_of_fold(films[columns], y, draws[0]), "auroc",
                            n_boot=100).estimate["auroc"] for y in shuffled]
    rows.loc[name] = [b.estimate["auroc"], *b.ci["auroc"],
                      *np.percentile(nothing, (2.5, 97.5))]
    run.result(None, f"auroc, bone loss, {name}", b.estimate["auroc"],
               ci=b.ci["auroc"], n=b.n, cohort=cohort)

# %%
from osteolib.report.published import load_published

paper = load_published("strnet2026_knee").set_index("published_id")["value"]
paper.index = paper.index.str.removeprefix("strnet2026_knee.")
figure(run, "screening",
       plots.forest(rows, "AUROC, bone loss against normal", "No bone was looked at",
                    0.5, {"STR-Net, internal": paper["test.auroc"],
                          "external": paper["ext.auroc"]}),
       alt="AUROC for each set of covariates: " + plots.in_words(rows))

# %%
table(run, "screening", rows.round(3), "AUROC for bone loss, out of fold")
of_age, of_file = rows.loc["age"], rows.loc["size, layout, intensity"]
run.fact(age_auroc=of_age["value"], age_low=of_age["ci_low"],
         age_high=of_age["ci_high"], file_auroc=of_file["value"],
         file_low=of_file["ci_low"], file_high=of_file["ci_high"],
         n_films=len(films), paper_auroc=paper["test.auroc"])
say(run, "**Age alone reaches AUROC {age_auroc:.3f}** (95 % CI {age_low:.3f} to "
    "{age_high:.3f}, {n_films} films), where the paper reports {paper_auroc} for "
    "its model. File size, layout and grey level together reach {file_auroc:.3f} "
    "({file_low:.3f} to {file_high:.3f}).")

# %% [markdown]
# ## The same for the T-score
#
# The target is now the T-score itself, by least squares. Two yardsticks stand beside: *age alone*, and a "model" that is
# told the true class and names the mean T-score of that class.

# %%
from osteolib.stats import bootstrap_statistic


def pearson_r(t, predicted):
    return np.corrcoef(t, predicted)[0, 1]

t_score = films["t_score"].to_numpy()
fitted = {name: mean_score(columns, t_score) for name, columns in covariates.items()}
t_rows = pd.DataFrame(index=list(covariates), columns=plots.FOREST, dtype=float)
shuffled = shuffled_targets(t_score, n_shuffles, seed)
for name, columns in covariates.items():
    b = bootstrap_statistic(pearson_r, t_score, fitted[name], n_boot=n_boot,
                            groups=films["split_group"], seed=seed)
    nothing = [pearson_r(y, out_of_fold(films[columns], y, draws[0])) for y in shuffled]
    t_rows.loc[name] = [b.estimate, *b.ci, *np.percentile(nothing, (2.5, 97.5))]

# %%
for name, row in t_rows.iterrows():
    run.result(None, f"pearson r, T-score, {name}", row["value"],
               ci=(row["ci_low"], row["ci_high"]), n=len(films), cohort=cohort)
figure(run, "t_score",
       plots.forest(t_rows, "Pearson r with the T-score, out of fold",
                    "The T-score without bone", 0.0,
                    {"STR-Net, internal (n = 31)": paper["ts.r"],
                     "external": paper["ext.r"]}),
       alt="Correlation with the T-score for each set: " + plots.in_words(t_rows))

# %%
from osteolib.screen import class_mean_yardstick
from osteolib.stats import fisher_z_ci

error = fitted["age"] - t_score
yardsticks = pd.DataFrame({
    "STR-Net, internal (n = 31)": {k: paper[f"ts.{k}"] for k in ("r", "mae", "rmse")},
    "age alone, out of fold": {"r": t_rows.loc["age", "value"],
                               "mae": np.abs(error).mean(),
                               "rmse": np.sqrt((error ** 2).mean())},
    "the mean of all people": {"mae": np.abs(t_score - t_score.mean()).mean(),
                               "rmse": t_score.std()},
    "the mean of the true class": class_mean_yardstick(t_score, films["label"])}).T
table(run, "yardsticks", yardsticks.round(3), "T-score: the pilot beside yardsticks")

# %%
low, high = fisher_z_ci(paper["ts.r"], int(paper["ts.n"]))
raw_r = films[["age_years", "t_score"]].corr().iloc[0, 1]
named = yardsticks.loc["the mean of the true class"]
run.fact(raw_r=raw_r, paper_r=paper["ts.r"], paper_low=low, paper_high=high,
         named_r=named["r"], named_mae=named["mae"], named_rmse=named["rmse"])
say(run, "Age and T-score correlate at r = {raw_r:.2f} in these people. The paper's "
    "{paper_r} from 31 knees has a 95 % interval from {paper_low:.2f} to "
    "{paper_high:.2f}, which holds that value. Naming the mean of the true class "
    "gives r = {named_r:.2f}, MAE {named_mae:.2f} and RMSE {named_rmse:.2f} "
    "without any prediction *within* a class.")

# %% [markdown]
# ## What the published tables imply
#
# One need not have the rows to see this. Table 3 of the paper gives the mean age and SD of each class of its Stage 2 knees.
# If ages are roughly normal, age alone separates two classes with
#
# $$ \mathrm{AUROC} = \Phi\!\left(\frac{\mu_1 - \mu_0}{\sqrt{\sigma_1^2 + \sigma_0^2}}\right), $$
#
# and a union of classes with the average of their AUROCs, weighted by size. The second line below asks what *knowing the
# source* of a film gives: bone loss is more frequent in Stage 2 than in Stage 1, so a network that tells the two sets
# apart, by their file format for instance, already ranks better than chance.

# %%
from scipy.stats import norm

t3 = load_published("strnet2026_knee").set_index("published_id")
t3 = t3[t3.index.str.contains(".T3.")].rename(lambda i: i.split(".T3.")[1])
n = {c: t3.loc[f"{c}.n", "value"] for c in ("Normal", "Osteopenia", "Osteoporosis")}

def auroc_of_age(positive, negative):
    a, b = t3.loc[f"{positive}.age"], t3.loc[f"{negative}.age"]
    return norm.cdf((a["value"] - b["value"]) / np.hypot(a["spread"], b["spread"]))

loss_n = n["Osteopenia"] + n["Osteoporosis"]
age_implied = sum(n[c] * auroc_of_age(c, "Normal")
                  for c in ("Osteopenia", "Osteoporosis")) / loss_n

# %%
# AUROC of a yes-or-no feature: 1/2 + (its share in one class - in the other) / 2
total = {c: paper[f"T1.{c}.total"] for c in ("Normal", "Osteopenia", "Osteoporosis")}
share = {c: n[c] / total[c] for c in n}  # of each class's films that are Stage 2
share["BoneLoss"] = loss_n / paper["T1.BoneLoss.total"]
by_source = {"loss": share["BoneLoss"] - share["Normal"],
             "severity": share["Osteopenia"] - share["Osteoporosis"]}
implied = pd.DataFrame({
    "bone loss against normal": {
        "age (Stage 2)": age_implied, "STR-Net (both)": paper["test.auroc"],
        "source of the film (both)": 0.5 + by_source["loss"] / 2},
    "osteoporosis against osteopenia": {
        "age (Stage 2)": auroc_of_age("Osteoporosis", "Osteopenia"),
        "source of the film (both)": 0.5 + by_source["severity"] / 2,
        "STR-Net (both)": paper["T5.auroc"]}})
table(run, "implied", implied.round(3), "AUROC that the published tables imply")

# %% [markdown]
# ## What this does and does not say
#
# It does not say that STR-Net reads age, and a skeleton does age visibly. It says that on this collection a number such
# as 0.933 cannot tell apart *seeing bone loss* from *seeing age*, and that any image model must be read beside the first
# line of the figure. What an image adds to age is a question of the difference, on the same subjects; the training
# chapter will ask it.
#
# ```{admonition} Where we deviate
# :class: warning
# The published values are for the paper's own test split of both stages. Stage 1 has no ages, so age can be scored on
# Stage 2 people only; we score films, the paper knees. The two are shown beside each other and get no verdict.
# ```

# %%
run.predictions(pd.concat([
    films[["subject_id", "image_id", "unit_id"]].assign(
        cohort=cohort, split="out-of-fold", fold=draws[0], seed=seed,
        method=f"logistic: {name}", target="bone_loss", y_true=loss, y_score=score)
    for name, score in scores.items()]))

# %% [markdown]
# ```{admonition} Exercise
# :class: tip
# Among people of similar age the shortcut should lose its power. Keep only those from 40 to 55 and score age again.
# Why is the AUROC lower, and why does that not make age a worse predictor of bone loss in a clinic?
# ```

# %% tags=["solution"]
band = films["age_years"].between(40, 55).to_numpy()
narrow = bootstrap_ci(loss[band], scores["age"][band], metrics="auroc",
                      n_boot=n_boot, seed=seed)
print(f"all ages {of_age['value']:.2f}; "
      f"40 to 55 only {narrow.estimate['auroc']:.2f}, n = {narrow.n}")
assert narrow.estimate["auroc"] < of_age["value"]  # less spread to rank by

# %% [markdown]
# **Take away.** Score the covariates before the images, out of fold, with intervals, and against shuffled labels. A
# published AUROC means something beside that, and little alone.

# %%
provenance(run)
