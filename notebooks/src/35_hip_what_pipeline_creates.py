# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
#   osteolib:
#     minutes: {smoke: 0.4, quick: 1.5, long: 10, paper: 30}
#     needs: [hip-phantom, dxa-korea969]
#     after: [33_hip_pipeline]
#     trains: 3
# ---
# %% [markdown]
# # What can the pipeline itself create?
# *r = 0.996 and limits of ± 0.2. Which steps of such a pipeline could make these numbers, and what is left without them?*
#
# The hip paper {cite:p}`chen2024_hip` sends a hip to one of eight sub-clusters of T-scores, filters outliers by the error of a
# regression, and lets one small network a sub-cluster predict. For hips of training the T-score is known, so both steps may
# read it. For a test hip it is the answer. [The audit](12_audit_hip.ipynb) left one question open: the text does not say which
# T-score routes a test hip.
#
# This page does not guess what was done. It switches on, one at a time, each step that a new patient could not bring, on hips
# of which everything is known, and looks at the number that comes out.
#
# **You will** work out on paper what a told sub-cluster is worth, climb a ladder from the honest pipeline upwards, and see on
# real people how near the printed r one comes without any film. About two minutes to run (`quick`), thirty to work through.

# %% tags=["parameters"]
profile: str = "quick"  # smoke, quick, long or paper: osteolib/profiles.yaml
seed: int = 0  # seed of every random draw, and of the networks
n_hip_people: int | None = None  # simulated people; None: from the profile
film_width: int | None = None  # pixels across a film; None: from the profile
roi_size: int | None = None  # pixels along a side of a hip; None: from the profile
hip_epochs: int | None = None  # of the triplet network; None: from the profile
ga_generations: int | None = None  # of the genetic algorithm; None: from the profile
n_imputations: int | None = None  # imputed data sets; None: from the profile
n_folds: int | None = None  # grouped folds of the real people; None: from the profile
n_boot: int | None = None  # bootstrap replicates; None: from the profile

# %% tags=["hide-input"]
import numpy as np
import osteolib
import pandas as pd
from osteolib.report import hip_created_page as page
from osteolib.report import load_or_explain, provenance
from osteolib.report.hip_paper import published_hip
from osteolib.report.hip_created import agreement_of

run = osteolib.start(globals(), "35_hip_what_pipeline_creates")
paper = published_hip()

# %% [markdown]
# ## Told a part of the answer
#
# A reader whose predictions correlate with the T-score at $r$ is told in which of several cells the T-score lies, and fits a
# line in each. With $p_k$ the share of hips in cell $k$ and $v_k$ the share of the variance that is left inside it, the
# correlation over all hips becomes
#
# $$ r_\text{told}^2 = 1 - \sum_k p_k \, v_k \, \frac{1 - r^2}{1 - r^2 + r^2 v_k} . $$
#
# Inside a narrow cell hardly any spread is left to read, so the reader's own $r$ nearly drops out. Leaving out whoever errs
# by $c$ or more cuts the error's normal curve at $\pm c$, to the share $w$ of its variance:
# $r_\text{kept}^2 = r^2 / (r^2 + (1 - r^2)\, w)$. First without a formula, with drawn T-scores and no reader at all:

# %%
rng = np.random.default_rng(seed)
t_score = pd.Series(rng.normal(paper["tscore.mean"], paper["tscore.sd"], 200_000))

def named(cuts):
    """r of naming the mean of the cell that the true T-score lies in."""
    cell = np.searchsorted(cuts, t_score)
    return t_score.corr(t_score.groupby(cell).transform("mean"))

simulated = {"class": named([paper["cut.op"]]),
             "sub-cluster": named(paper["cut.op"] + np.arange(-1.5, 1.6, 0.5))}

# %% tags=["hide-input"]
page.show_closed_forms(run, paper, simulated)

# %% [markdown]
# So a told sub-cluster lifts every reader to nearly the same height, the blind one too, and a filter lifts whom it keeps. The
# sub-clusters here are steps of half a T-score; the paper's ranges stand in a supplement that could not be read.
#
# ## Simulated hips: the ladder
#
# Now with films. The network of [the pipeline's chapter](33_hip_pipeline.ipynb) on its test people, whom they have never seen, the
# pipeline behind them, and one test hip after another with helps switched on. Two more helps are of another kind: the
# *patient* is known. The other hip, or a copy of the test film (tilted a little, on black or white, as the paper augments),
# stands among as many training hips as before, and network and pipeline are trained anew.

# %% tags=["hide-input"]
cohort = load_or_explain(run, "hip-phantom", n_subjects=n_hip_people, seed=seed,
                         film_width=film_width, preset="chen2024")

# %%
from osteolib.screen.hip_created import cell_means, fit_like, with_helps
from osteolib.screen.hip_leaks import leaked_predictions
from osteolib.screen.hip_study import fit_study, study_hips, study_recipe
from osteolib.screen.triplet import N_FEATURES, read_features, trained_triplet

recipe = study_recipe(roi_size, hip_epochs, ga_generations, n_imputations, seed)
study = study_hips(cohort, roi_size, seed)
network = trained_triplet(study.squares, study.rows("train"),
                          study.rows("validation"), recipe.triplet)
fitted = fit_study(study, read_features(network), recipe)

# %%
old, new = study.rows("train", "validation"), study.rows("test")
t = study.hips["t_score"].to_numpy()
x_old, x_new = fitted.x_train, fitted.x_test[0]  # the first imputed set
again = fit_like(fitted.model, recipe.clusters, seed)

def alone(columns):
    """The pipeline fitted on some of the 131 features, with each help."""
    return with_helps(again(x_old[:, columns], t[old]), x_new[:, columns], t[new])

people_only, film_only = alone(slice(N_FEATURES, None)), alone(slice(N_FEATURES))
helped = with_helps(fitted.model, x_new, t[new])
leaked = leaked_predictions(study, fitted, recipe)
means = cell_means(t[old], t[new], recipe.clusters.cuts)

# %% tags=["hide-input"]
from osteolib.phantoms.hip.truth import attainable

ladder = page.all_steps(people_only, film_only, helped, leaked, means)
person = study.hips["subject_id"].iloc[new]
steps = agreement_of(t[new], ladder, person, n_boot, seed)
page.show_phantom(run, steps, paper, attainable("chen2024", covariates=True, seed=seed))
page.show_met(run, page.met_the_patient(t[new], ladder, person, n_boot, seed))

# %% [markdown]
# Blue steps are what the abstract of a study seems to speak of. Orange ones need the answer first. The two green ones need no
# answer, only a careless split; how much they give depends on how well a network can know a film by heart, which a short
# training of a small one hardly does. Routing alone does not bind a network to the range of its sub-cluster: a hip unlike the
# few it learned from may be sent far outside, and such a hip a filter removes.
#
# ## Where the correlation comes from

# %% tags=["hide-input"]
page.show_shares(run, steps)

# %% [markdown]
# ```{admonition} Exercise
# :class: tip
# How narrow must equal sub-clusters be until naming the mean of the true one gives the printed 0.996, without any film?
# Guess first; within a cell of width $w$ the spread is about $w / \sqrt{12}$.
# ```

# %% tags=["solution"]
from osteolib.stats.built_in import r_when_routed

guess = paper["tscore.sd"] * np.sqrt(12 * (1 - paper["r"] ** 2))
for width in (0.5, 0.4, 0.3, 0.2):
    cuts = np.arange(-8, 3, width)
    r = r_when_routed(0, cuts, paper["tscore.mean"], paper["tscore.sd"])
    print(f"{width} T wide, everywhere: r = {r:.4f}")
print(f"about {guess:.2f} T wide")
assert abs(r_when_routed(0, np.arange(-8, 3, guess), -2.6, 1.1) - 0.996) < 0.001

# %% [markdown]
# ## Real people, no film
#
# 969 Koreans of 50 and more with a DXA of the hip {cite:p}`kim2022_korea`. The "features" are age, BMI and sex, and nothing
# else. Behind them stands the same kind of pipeline: two classes, eight sub-clusters
# (equally full before the filter; fewer where too few are left), a filter, a network each. Everyone is predicted by a pipeline that was fitted on other people.

# %% tags=["hide-input"]
korea = load_or_explain(run, "dxa-korea969")

# %%
from osteolib.cohorts import grouped_folds
from osteolib.screen.hip_created import even_cuts, helps_out_of_fold
from osteolib.screen.sub_clusters import CLASS_CUT, ClusterRecipe

people = korea.subjects
t = people["t_score"].to_numpy()
x = people[["age_years", "bmi_kg_m2"]].assign(male=people["sex"] == "M")
fold = grouped_folds(people, t <= CLASS_CUT, n_folds, seed)

def fit(x, t):
    return fit_like(recipe=ClusterRecipe(cuts=even_cuts(t)), seed=seed)(x, t)

real = helps_out_of_fold(x, t, fold, fit)

# %% tags=["hide-input"]
page.show_real(run, agreement_of(t, real, people["split_group"], n_boot, seed), paper)

# %% [markdown]
# How can a filter do so much? Whom a regression misses by half a T-score or more is no longer asked about. What is left over
# is easy by construction, and the number no longer speaks of the people who were invited.
#
# ```{admonition} What this does not say
# :class: important
# It does not say that the authors routed or filtered their test hips by the true T-score. A second reading is innocent: routed by
# features, with a film that shows far more than ours. Against the filter speaks the paper itself: its printed intervals need
# nearly all 497 test hips ([the audit](12_audit_hip.ipynb)). Against a hip on both sides speak its 1430 and 300 patients, which
# add up to 1730. What would settle the route is one sentence of the Methods: how a hip whose T-score nobody knows finds its sub-cluster.
# ```
#
# ```{admonition} Deviations
# :class: note dropdown
# - **Sub-clusters.** Half a T-score each on the phantom, equally full on the real people; the paper's are not known to us.
# - **Networks.** `quick` trains for some epochs on some hundred simulated hips; refits take the hyper-parameters that the
#   search found for the honest pipeline, or, for the real people, one set for all.
# - **Real people** have one T-score each, the lower of neck and total hip as printed, one decimal, and no side.
# - **Filter.** For test hips the regression of the class that routed them; in the ladder the steps with a filter are about
#   fewer hips than the others.
# - **Imputation.** The first imputed set, as in the paper's Fig. 3.
# ```

# %% [markdown]
# **Take away.** Whatever routes, filters or splits is part of the model and must be what a new patient brings. Before
# admiring a correlation, ask what age, BMI and sex would print under the same rules; and print how many cases each rule
# removed.

# %% tags=["hide-input"]
provenance(run)
