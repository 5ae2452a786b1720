# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
#   osteolib:
#     minutes: {smoke: 0.3, quick: 0.5, long: 2, paper: 5}
#     needs: [hip-phantom]
#     after: [33_hip_pipeline]
# ---
# %% [markdown]
# # Where on the hip?
# *Maps of hips with and without osteoporosis glow on the neck and the trochanters. Does the network look there, or is that where
# bone is?*
#
# Fig. 5 of the hip paper {cite:p}`chen2024_hip` shows guided Grad-CAM {cite:p}`selvaraju2017_gradcam` of one hip of each kind and
# finds "obscure trabeculation" on the femoral neck and the trochanters: where DXA measures, and where Singh's groups of
# trabeculae fade. A simulated hip has a neck whose outline is known, so that here such a sentence can be counted.
#
# **You will** turn the pipeline's class into one number that a gradient can follow, draw the paper's figure, score the maps
# against the true neck and against a map that only knows where bone is, cover the neck, and undo the network part by part.
# Half a minute to run (`quick`) once the network of [the pipeline's chapter](33_hip_pipeline.ipynb) is there.

# %% tags=["parameters"]
profile: str = "quick"  # smoke, quick, long or paper: osteolib/profiles.yaml
seed: int = 0  # as in the chapter whose network is looked at
n_hip_people: int | None = None  # simulated people; None: from the profile
film_width: int | None = None  # pixels across a film; None: from the profile
roi_size: int | None = None  # pixels along a side of a hip; None: from the profile
hip_epochs: int | None = None  # of the triplet network; None: from the profile
ga_generations: int | None = None  # of the genetic algorithm; None: from the profile
n_imputations: int | None = None  # imputed data sets; None: from the profile
n_boot: int | None = None  # bootstrap replicates; None: from the profile

# %% tags=["hide-input"]
import numpy as np
import osteolib
import pandas as pd
import torch
from osteolib.report import hip_heatmaps_page as page
from osteolib.report import load_or_explain, provenance
from osteolib.screen.hip_study import fit_study, study_hips, study_recipe
from osteolib.screen.triplet import TripletNet, load_triplet
from osteolib.screen.triplet import read_features, trained_triplet

run = osteolib.start(globals(), "36_hip_heatmaps")
cohort = load_or_explain(run, "hip-phantom", n_subjects=n_hip_people, seed=seed,
                         film_width=film_width, preset="chen2024")

# %% tags=["hide-input"]
recipe = study_recipe(roi_size, hip_epochs, ga_generations, n_imputations, seed)
study = study_hips(cohort, roi_size, seed)
folder = trained_triplet(study.squares, study.rows("train"),
                         study.rows("validation"), recipe.triplet)
fitted = fit_study(study, read_features(folder), recipe)

# %% [markdown]
# ## A class as one number
#
# The network gives 128 features $f$ of a square, not a class. Behind it, scaling, two principal components and the boundary
# between the classes are all linear. So the log-odds of osteoporosis are
#
# $$ y = w^\top f(\text{square}) + \text{a number for age, BMI and sex} , $$
#
# and $w$ can be read off the fitted pipeline. A gradient of $y$ passes through $f$ into the film. Looked at are the test
# hips; outside the femur a square is black, as the network was taught.

# %%
from osteolib.explain.heatmaps import centred_gaussian, grad_cam
from osteolib.explain.hip_heatmaps import FROM_THE_TOP, LAST, HipScore
from osteolib.explain.hip_heatmaps import class_scores, covered, score_weights
from osteolib.explain.hip_heatmaps import squares_on_black, true_necks

test = study.rows("test")
hips, classes = study.hips.iloc[test], study.squares.classes[test]
images, femur = study.squares.images[test], study.squares.femur[test]
neck = true_necks(hips, roi_size)
seen = squares_on_black(images, femur)
network = load_triplet(folder, recipe.triplet)
model = HipScore(network, score_weights(fitted.model.clusters)).eval()

# %% [markdown]
# Beside the two maps stand three that know less: Grad-CAM of eight networks with random weights, a bump in the middle, and a
# map that is even over the visible bone. The last is the hard one, since the neck lies on the bone, and a method that merely
# avoids the black would look good.

# %%
unlearned = np.empty(seen.shape, np.float32)
for draw in range(8):
    torch.manual_seed(seed + 1 + draw)
    unlearned[draw::8] = grad_cam(HipScore(TripletNet()), seen[draw::8], LAST)
maps = {page.GRAD_CAM: grad_cam(model, seen, LAST),
        page.GUIDED: grad_cam(model, seen, LAST, guided=True),
        page.RANDOM: unlearned,
        page.EVEN: femur.astype(float),
        page.MIDDLE: np.broadcast_to(centred_gaussian(roi_size), seen.shape)}

# %% tags=["hide-input"]
score = fitted.model.clusters.score(fitted.x_test[0])
rows, titles = page.hips_to_show(hips, score, classes, seed)
shown = {name: maps[name][rows] for name in (page.GRAD_CAM, page.GUIDED, page.RANDOM)}
page.show_maps(run, seen[rows], shown, titles, neck[rows])

# %% [markdown]
# *Above each square: whether the hip has osteoporosis, and the pipeline's score. Outlined: the femoral neck that DXA would
# measure. Chosen before looking: of each kind the highest score, the lowest, and the one nearest 0.5.*
#
# ## Counted

# %% tags=["hide-input"]
page.show_localisation(run, maps, neck, femur, hips, n_boot=n_boot, seed=seed)

# %% [markdown]
# ## Covered
#
# A map says what would raise the score; a cover says what the score lives on. The neck, or everything but the neck, is painted
# in the femur's own mean grey.

# %%
from osteolib.report.comparison import compare_scores

none = np.zeros_like(neck)
parts = {"nothing": none, "the neck": neck, "all but the neck": ~neck}
hidden = {name: class_scores(model, covered(images, femur, part))
          for name, part in parts.items()}
cover = compare_scores(classes, hidden, reference="nothing",
                       groups=hips["split_group"], n_boot=n_boot, seed=seed)

# %% tags=["hide-input"]
page.show_cover(run, cover)

# %% [markdown]
# In this phantom density and cortex change along the whole proximal femur together, so the neck is one place of several where
# the answer can be read. A network that reads the trochanters or the shaft instead makes no mistake.
#
# ## Undone
#
# The test of [the knees' maps](07_knee_heatmaps.ipynb) {cite:p}`adebayo2018_sanity`: the answer, the linear layer and the five
# convolutions become random, one after the other.

# %%
from osteolib.explain.heatmaps import cascading_randomisation

torch.manual_seed(seed + 1)
fresh = HipScore(TripletNet()).eval()
checked = pd.concat([
    cascading_randomisation(model, fresh, seen[rows], LAST, guided, FROM_THE_TOP)
    .assign(kind=page.GUIDED if guided else page.GRAD_CAM) for guided in (False, True)])

# %% tags=["hide-input"]
page.show_randomisation(run, checked)

# %% [markdown]
# ```{admonition} Deviations
# :class: note dropdown
# - **Whose maps.** Simulated hips, a small network and a short training; the paper's network is not printed. Nothing here
#   answers a published value, for Fig. 5 has no number.
# - **Of what.** The log-odds by the boundary in the plane. The paper does not say of which number its maps are.
# - **Colours.** One scale from dark to bright for all; the paper's runs from red to green.
# - **Trochanters** are no region of the simulated truth, so only the neck and the whole femur are scored.
# ```
#
# ```{admonition} Exercise
# :class: tip
# Two readers judge a map by eye: one sees the warm spot on the neck, the other sees it on bone. By how much is the second
# statement easier to earn? Compare, for the random networks' maps, the share inside the neck with the share inside the femur.
# ```

# %% tags=["solution"]
from osteolib.explain.heatmaps import roi_scores

on_neck, on_bone = (roi_scores(unlearned, region)["energy"].mean()
                    for region in (neck, femur))
print(f"random weights: {on_neck:.0%} on the neck, {on_bone:.0%} on bone; "
      f"the areas are {neck.mean():.0%} and {femur.mean():.0%}")
assert on_bone > on_neck

# %% [markdown]
# **Take away.** Glowing where the bone is proves little, for everything else was painted black. Ask for the share on the
# place that was named, beside a map that knows only where bone is, and cover the place.

# %% tags=["hide-input"]
provenance(run)
