# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
#   osteolib:
#     minutes: {smoke: 0.5, quick: 2, long: 90, paper: 300}
#     needs: [hip-phantom]
#     after: [33_hip_pipeline]
#     records: [hip-parts-0]
#     trains: 2
# ---
# %% [markdown]
# # Which step of the hip pipeline does the work?
# *Seven steps lie between a film and a T-score. Take one away at a time: which is missed, and which was in the way?*
#
# X1AI-Osteo {cite:p}`chen2024_hip` enhances its squares, learns by triplets, divides hips into eight sub-clusters, leaves outliers out,
# breeds a network for each cell, and adds age, BMI and sex. The paper compares the whole with two open networks; it prints no table in
# which one step is left out. So there is no printed number to hold these against, and **all results here are phantom results**.
#
# **You will** see which step can change which answer before anything is run, leave each out on the same test hips, and put one line in
# the place of all that follows the network. About two minutes (`quick`) after [the pipeline's chapter](33_hip_pipeline.ipynb).

# %% tags=["parameters"]
profile: str = "quick"  # smoke, quick, long or paper: osteolib/profiles.yaml
seed: int = 0  # of people, split, weights, searches and bootstrap
n_hip_people: int | None = None  # simulated people; None: from the profile
film_width: int | None = None  # pixels across a film; None: from the profile
roi_size: int | None = None  # pixels along a side of a hip; None: from the profile
hip_epochs: int | None = None  # of the networks; None: from the profile
ga_generations: int | None = None  # of the searches; None: from the profile
n_imputations: int | None = None  # imputed tables, of which the first is used here
n_boot: int | None = None  # bootstrap replicates; None: from the profile

# %% tags=["hide-input"]
import osteolib
from osteolib.report import hip_ablations_page as page
from osteolib.report import load_or_explain, provenance

run = osteolib.start(globals(), "48_hip_ablations")
cohort = load_or_explain(run, "hip-phantom", preset="chen2024", seed=seed,
                         n_subjects=n_hip_people, film_width=film_width)

# %% [markdown]
# ## The whole pipeline
#
# As in its chapter, fitted on the same people: the triplet network, the plane and its line, eight cells, a bred network in each.

# %%
from osteolib.screen.hip_study import fit_study, study_hips, study_recipe
from osteolib.screen.triplet import read_features, trained_triplet

recipe = study_recipe(roi_size, hip_epochs, ga_generations, n_imputations, seed)
study = study_hips(cohort, roi_size, seed)
network = trained_triplet(study.squares, study.rows("train"),
                          study.rows("validation"), recipe.triplet)
fitted = fit_study(study, read_features(network), recipe)

# %% [markdown]
# ## What can change what
#
# The score of osteoporosis is the probability at the boundary, drawn in the plane of two components $u, v$ of 131 numbers:
#
# $$ s = \sigma(a u + b v + c) . $$
#
# Cells, filter and search come after it. They can change the T-score of a hip, and **not its score**: whatever they are, every AUROC
# stays as it is. Only what makes the 131 numbers can move it: the squares, the loss, the film, the covariates. One more row has no
# boundary at all: a ridge regression on the 131 numbers, whose T-score also ranks the hips.
#
# ## Two other networks
#
# One learns by the same triplets from squares whose contrast is not equalised. The other sees the same hips in the same batches, and
# learns the class by cross-entropy through one linear layer:

# %%
from osteolib.screen.hip_ablations import other_features, without_enhancement

features = other_features(study, recipe)
plain = without_enhancement(study, roi_size)

# %% tags=["hide-input"]
page.show_squares(run, *(squares[study.rows("test")[:3]] for squares in (
    study.squares.images, plain.squares.images)))

# %% [markdown]
# ## Each step left out
#
# What lies behind the network is fitted again on the training hips, with the genes that the searches chose for the whole. No test
# hip enters any fit. All steps answer for the same hips, so differences are paired, and people are drawn whole.

# %%
from osteolib.screen.hip_ablations import FULL, SAME_SCORE, as_table, said_by_steps

said = as_table(study, said_by_steps(study, fitted, features, recipe))
scores = said.pivot(index="unit_id", columns="method", values="y_score")
scores[list(SAME_SCORE)].sub(scores[FULL], axis=0).abs().max()  # none by construction

# %% tags=["hide-input"]
by_class = page.show_class(run, said, n_boot, seed)

# %% [markdown]
# Grey is what the paper's own number of test hips would not show if it were true; its hips are two to a person at most, as here.
#
# ## And the T-score

# %% tags=["hide-input"]
by_t_score = page.show_t_scores(run, said, n_boot, seed)
page.show_recorded(run, "hip-parts-0", {"class": by_class, "T-score": by_t_score},
                   n_boot, seed)

# %% [markdown]
# A hip that is sent to the wrong cell gets a T-score of that cell, however well its own network was bred. So cells help a reader whose
# router is nearly right and harm one whose router is not. [The page on what the pipeline can create](35_hip_what_pipeline_creates.ipynb)
# shows the other end: told the right cell, hardly anything else is needed.
#
# ```{admonition} What it means
# :class: important
# A pipeline of many steps should be printed beside the shortest one that has the same inputs. A step that cannot change a number
# by construction needs no experiment; one that can needs a paired difference with an interval. Here the steps are our reading of a text whose
# sizes stand in a supplement that was not at hand: a loss by one of ours says nothing of the authors' own.
# ```
#
# ```{admonition} Deviations
# :class: note dropdown
# - **Refitted steps** take the genes found for the whole pipeline; searching anew for each would be fairer to them and cost hours.
# - **One regressor for all** takes the genes of the middle cell.
# - **Cross-entropy** keeps the epoch whose probabilities part the validation hips best, triplets that of the distance to class centres:
#   each is chosen by what it learned.
# - **The first imputed table** alone, as in the paper's Fig. 3.
# - **Outlines** are the true ones. [The chapter](33_hip_pipeline.ipynb) asks what found ones change.
# - **One training of each kind.** Intervals draw people; another seed would train another network.
# ```
#
# ```{admonition} Exercise
# :class: tip
# Name the mean T-score of the training hips for everybody. By how much does that miss? Which steps above does it beat?
# ```

# %% tags=["solution"]
import numpy as np

known = study.hips["t_score"].to_numpy()
old, new = study.rows("train", "validation"), study.rows("test")
nothing = np.abs(known[new] - known[old].mean()).mean()
missed = {name: (rows["predicted"] - rows["t_score"]).abs().mean()
          for name, rows in said.groupby("method")}
beaten = [name for name, error in missed.items() if error > nothing]
print(f"{nothing:.2f} T; beats {', '.join(beaten) or 'none'}")
best = np.abs(known[new] - np.median(known[new])).mean()  # of all constants
assert best <= nothing and nothing < 1.2 * best
assert profile == "smoke" or min(missed.values()) < nothing

# %% [markdown]
# **Take away.** Before adding a step, ask which numbers it can change; after adding it, show the pipeline without it.

# %% tags=["hide-input"]
provenance(run)
