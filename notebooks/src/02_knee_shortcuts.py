# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
#   osteolib:
#     minutes: {smoke: 0.2, quick: 0.8, long: 3, paper: 20}
#     needs: [knee-wani]
# ---
# %% [markdown]
# # What could a model be reading?
# *Before crediting a network with seeing bone, ask what is reached without looking at any.*
#
# STR-Net {cite:p}`strnet2026_knee` predicts bone loss and the T-score from a film, and its T-score head is also told age,
# sex and BMI. A network can read a good deal more from a film than bone: how large the file is, whether one leg or two
# were laid on the table, how the exposure was windowed. Such *shortcuts* {cite:p}`geirhos2020_shortcut` may
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

# %% tags=["hide-input"]
import numpy as np
import osteolib
import pandas as pd
from osteolib.cohorts import bone_loss, grouped_folds
from osteolib.report import figure, load_or_explain, plots, provenance, say, table
from osteolib.report.published import load_published
from osteolib.screen import out_of_fold
from osteolib.screen.covariates import sets_beside_shuffles
from osteolib.stats import bootstrap_ci

run = osteolib.start(globals(), "02_knee_shortcuts")
paper = load_published("strnet2026_knee").set_index("published_id")["value"]
paper.index = paper.index.str.removeprefix("strnet2026_knee.")
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
loss = bone_loss(films["label"])
draws = [grouped_folds(films, loss, n_folds, seed + r) for r in range(n_repeats)]

def mean_score(columns, target):
    return np.mean([out_of_fold(films[columns], target, f) for f in draws], axis=0)

scores = {name: mean_score(columns, loss) for name, columns in covariates.items()}

# %% [markdown]
# Each AUROC gets a bootstrap interval that resamples groups of films, not films. And because "no information" does not
# mean 0.5 out of fold, we also ask what one drawing of the folds finds when the labels are shuffled. (If women are by chance
# over-represented among the cases of the training folds, they are under-represented in the fold left out: the total is
# fixed. A feature that knows nothing therefore tends to score *below* 0.5.)

# %%
rows = sets_beside_shuffles(films, covariates, loss, scores, draws[0],
                            n_boot=n_boot, n_shuffles=n_shuffles, seed=seed)

# %% tags=["hide-input"]
for name, row in rows.iterrows():
    run.result(None, f"auroc, bone loss, {name}", row["value"],
               ci=(row["ci_low"], row["ci_high"]), n=len(films), cohort=cohort)
figure(run, "screening",
       plots.forest(rows, "AUROC, bone loss against normal", "No bone was looked at",
                    0.5, {"STR-Net, internal": paper["test.auroc"],
                          "external": paper["ext.auroc"]}),
       alt="AUROC for each set of covariates: " + plots.in_words(rows))
table(run, "screening", rows.round(3), "AUROC for bone loss, out of fold",
      folded="The same as a table")
of_age, of_file = rows.loc["age"], rows.loc["size, layout, intensity"]
run.fact(age_auroc=of_age["value"], age_low=of_age["ci_low"],
         age_high=of_age["ci_high"], file_auroc=of_file["value"],
         file_low=of_file["ci_low"], file_high=of_file["ci_high"],
         n_films=len(films), paper_auroc=paper["test.auroc"], with_t=int(paper["ts.n"]),
         paper_n=int(paper[["T1.BoneLoss.test", "T1.Normal.test"]].sum()))
say(run, "**Age alone reaches AUROC {age_auroc:.3f}** (95 % CI {age_low:.3f} to "
    "{age_high:.3f}) on these {n_films} films. The paper reports {paper_auroc} for its "
    "model on another test set: {paper_n} knees of both stages, {with_t} of them with "
    "a T-score. File size, layout and grey level together reach {file_auroc:.3f} "
    "({file_low:.3f} to {file_high:.3f}) here.")

# %% [markdown]
# ## The same for the T-score
#
# The target is now the T-score itself, by least squares, and the measure the correlation. The interval of the published
# one, and what naming the *true class* would score, stand on [the page of the T-scores](10_knee_t_scores.ipynb).

# %%
t_score = films["t_score"].to_numpy()
fitted = {name: mean_score(columns, t_score) for name, columns in covariates.items()}
t_rows = sets_beside_shuffles(films, covariates, t_score, fitted, draws[0],
                              n_boot=n_boot, n_shuffles=n_shuffles, seed=seed)

# %% tags=["hide-input"]
for name, row in t_rows.iterrows():
    run.result(None, f"pearson r, T-score, {name}", row["value"],
               ci=(row["ci_low"], row["ci_high"]), n=len(films), cohort=cohort)
figure(run, "t_score",
       plots.forest(t_rows, "Pearson r with the T-score, out of fold",
                    "The T-score without bone", 0.0,
                    {f"STR-Net, internal (n = {paper['ts.n']:.0f})": paper["ts.r"],
                     "external": paper["ext.r"]}),
       alt="Correlation with the T-score for each set: " + plots.in_words(t_rows))
run.fact(raw_r=films[["age_years", "t_score"]].corr().iloc[0, 1])
say(run, "Age and T-score correlate at r = {raw_r:.2f} in these people, with no fit.")

# %% [markdown]
# ## What this does and does not say
#
# It does not say that STR-Net reads age, and a skeleton does age visibly. Where age alone ranks people as well as a model
# does, a high AUROC cannot tell apart *seeing bone loss* from *seeing age*, and the model must be read beside the first
# line of the figure. What an image adds to age is a question of the difference, on the same subjects, asked
# [in the training chapter](04_knee_training.ipynb). What the paper's own tables imply about age, and about telling its two
# sources of films apart, is arithmetic: findings N3 and N6 of [the audit](13_audit_knee.ipynb).
#
# ```{admonition} Where we deviate
# :class: warning
# The published values are for the paper's own test split of both stages. Stage 1 has no ages, so age can be scored on
# Stage 2 people only; we score films, the paper knees. The two are shown beside each other and get no verdict.
# ```

# %% tags=["hide-input"]
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

# %% tags=["hide-input"]
provenance(run)
