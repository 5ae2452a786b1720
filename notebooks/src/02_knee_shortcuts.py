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
cohort: str = "knee-wani"  # or your own films of knees: osteolib data add
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
from osteolib.report import own_films, provenance, shortcuts_page as page
from osteolib.report.published import load_published
from osteolib.screen import out_of_fold
from osteolib.screen.covariates import sets_beside_shuffles
from osteolib.stats import bootstrap_ci

run = osteolib.start(globals(), "02_knee_shortcuts")
paper = load_published("strnet2026_knee").set_index("published_id")["value"]
paper.index = paper.index.str.removeprefix("strnet2026_knee.")
loaded = own_films.load_films(run, cohort, "knee", "knee-wani", unit="film",
                              cross_class_duplicates=cross_class_duplicates)

# %% tags=["hide-input"]
if not own_films.end_with_too_few(run, loaded, n_folds, "all that is predicted here"):
    own_films.show_left_out(run, loaded, {
        "age_years": "sets that hold age, and the exercise",
        "bmi_kg_m2": "sets that hold BMI", "sex": "sets that hold sex",
        "t_score": "the section on the T-score"})

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
covariates = own_films.sets_that_are_here(films, covariates, "all of them")

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

def mean_score(columns, target, rows=slice(None)):
    return np.mean([out_of_fold(films[columns][rows], target, f[rows])
                    for f in draws], axis=0)

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
page.show_screening(run, rows, len(films), paper)

# %% [markdown]
# ## The same for the T-score
#
# The target is now the T-score itself, by least squares, and the measure the correlation. The interval of the published
# one, and what naming the *true class* would score, stand on [the page of the T-scores](10_knee_t_scores.ipynb).

# %%
known = films["t_score"].notna().to_numpy()  # a table may hold labels alone
measured, t_score = films[known], films["t_score"][known].to_numpy()
if known.any():
    fitted = {name: mean_score(columns, t_score, known)
              for name, columns in covariates.items()}
    t_rows = sets_beside_shuffles(measured, covariates, t_score, fitted,
                                  draws[0][known], n_boot=n_boot,
                                  n_shuffles=n_shuffles, seed=seed)

# %% tags=["hide-input"]
if known.any():
    for name, row in t_rows.iterrows():
        run.result(None, f"pearson r, T-score, {name}", row["value"],
                   ci=(row["ci_low"], row["ci_high"]), n=len(measured), cohort=cohort)
    page.show_t_scores(run, t_rows, measured, paper)

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
if "age" in scores and len(set(loss[band])) == 2:
    narrow = bootstrap_ci(loss[band], scores["age"][band], metrics="auroc",
                          n_boot=n_boot, seed=seed)
    print(f"all ages {rows.loc['age', 'value']:.2f}; "
          f"40 to 55 only {narrow.estimate['auroc']:.2f}, n = {narrow.n}")
# less spread to rank by; among other people, or without ages, it need not be so
assert cohort != "knee-wani" or narrow.estimate["auroc"] < rows.loc["age", "value"]

# %% [markdown]
# **Take away.** Score the covariates before the images, out of fold, with intervals, and against shuffled labels. A
# published AUROC means something beside that, and little alone.

# %% tags=["hide-input"]
provenance(run)
