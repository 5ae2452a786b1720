# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
#   osteolib:
#     minutes: {smoke: 0.5, quick: 2, long: 3, paper: 30}
#     needs: [knee-phantom, knee-wani]
#     after: [04_knee_training, 05_knee_phantom]
# ---
# %% [markdown]
# # Where does the network look?
# *A heat map on a knee looks convincing. Does it show what the network uses, and is it better than pointing at the middle?*
#
# The paper {cite:p}`strnet2026_knee` shows three knees with Grad-CAM {cite:p}`selvaraju2017_gradcam` (Fig. 12), finds the
# warm colours in the spongy bone beside the joint, and says itself that looking is all that was done. On real films nobody
# can do more: no one knows where a network *should* look. On the phantom the region is known, so maps can be scored.
#
# **You will** compute Grad-CAM, score it against the truth and against maps that know nothing, ask the network itself by
# covering parts of the film, undo what it learned and see whether the maps notice, and only then look at real knees. Two
# minutes to run (`quick`) once the networks of the last chapters are there.

# %% tags=["parameters"]
cohort: str = "knee-wani"  # or your own films of knees: osteolib data add
profile: str = "quick"  # smoke, quick, long or paper: osteolib/profiles.yaml
seed: int = 0  # as in the chapters whose networks are looked at
n_phantoms: int | None = None  # simulated people; None: from the profile
image_size: int | None = None  # pixels; None: from the profile
backbone: str | None = None  # resnet18 or resnet50; None: from the profile
epochs: int | None = None  # None: from the profile
n_folds: int | None = None  # grouped folds of the real knees; None: from the profile
n_boot: int | None = None  # bootstrap replicates; None: from the profile

# %% tags=["hide-input"]
import numpy as np
import osteolib
import pandas as pd
import torch
from osteolib.report import figure, heatmap_page, load_or_explain, own_films
from osteolib.report import provenance, say, table, with_ci
from osteolib.screen.knee_folds import Recipe, knee_images
from osteolib.screen.strnet import STRNet, predict

run = osteolib.start(globals(), "07_knee_heatmaps")
own_films.check_films(cohort, "knee", "knee-wani")
recipe = Recipe(backbone=backbone, image_size=image_size, epochs=epochs, seed=seed)
a = load_or_explain(run, "knee-phantom", n_subjects=n_phantoms, seed=seed)

# %% tags=["hide-input"]
b = load_or_explain(run, "knee-phantom", acquisition="B", seed=seed + 1,
                    n_subjects=n_phantoms // 2)

# %% [markdown]
# ## The network of the phantom chapter, and knees it has not seen
#
# Trained on acquisition A. Looked at are A's test knees and all of B, each with its true bone and its true region around
# the joint, cropped and resized exactly as the film was.

# %% tags=["hide-input"]
from osteolib.screen.phantom_control import phantom_control, trained_network

control = phantom_control(a, b, recipe)
network = trained_network(control.folder, recipe)
knees, images, bone, joint = heatmap_page.unseen_knees(control, image_size)

# %% [markdown]
# ## Grad-CAM
#
# Channel $k$ of the last convolution stage is a small picture $A_k$. Weigh it by how much the logit $y$ of bone loss rises
# when that picture gets brighter, add up, keep what is positive, and enlarge to the size of the film:
#
# $$ L = \mathrm{ReLU}\Big(\sum_k \alpha_k A_k\Big), \qquad
#    \alpha_k = \frac{1}{Z} \sum_{i,j} \frac{\partial y}{\partial A_{k,ij}} . $$
#
# The network is in evaluation mode: with dropout on, or batch normalisation by batch, the map would depend on chance or on
# the other knees. Beside it stand the stage before, the same map of networks with random weights (eight, in turn), and a bump
# in the middle of every image that has seen nothing at all.

# %%
from osteolib.explain.heatmaps import centred_gaussian, grad_cam

unlearned = np.empty(images.shape, np.float32)
for draw in range(8):  # networks in turn, none with the weights training began with
    torch.manual_seed(seed + 1 + draw)
    unlearned[draw::8] = grad_cam(STRNet(backbone), images[draw::8])
maps = {"Grad-CAM": grad_cam(network, images),
        "Grad-CAM, one stage earlier": grad_cam(network, images, "backbone.layer3"),
        "Grad-CAM, random weights": unlearned,
        "the middle, unseen": np.broadcast_to(centred_gaussian(image_size),
                                              images.shape)}

# %% [markdown]
# At 128 pixels the last stage has 4 × 4 places: no map of it can be finer than that, however smooth it looks when enlarged.
# At the paper's 512 it has 16 × 16. Which knees are shown is decided before looking: of each class the one with the highest
# and the one with the lowest score. *Guided* Grad-CAM multiplies the map with a second method that is as fine as the film.

# %% tags=["hide-input"]
new = knees["part"] == "test, A"
rows, titles = heatmap_page.pick(knees[new], 2, seed)
guided = grad_cam(network, images[rows], guided=True)
guided = np.sqrt(guided / np.maximum(guided.max((1, 2), keepdims=True), 1e-30))
figure(run, "phantom_maps", heatmap_page.maps_over_films(
    [("film", images[rows], None), ("Grad-CAM", images[rows], maps["Grad-CAM"][rows]),
     ("guided", images[rows], guided),
     ("random weights", images[rows], maps["Grad-CAM, random weights"][rows])],
    [titles], joint[rows]), alt="Six phantom knees with the region around the joint "
    "outlined; Grad-CAM, guided Grad-CAM, and Grad-CAM of random weights.")

# %% [markdown]
# *Above each film: class and score. Outlined: the region around the joint. Each map on its own scale, the guided one by its
# square root.*
#
# ## Scores with a yardstick
#
# **Energy**: the share of a map that lies inside a region. **Pointing game** {cite:p}`zhang2018_pointing`: how often its
# highest place does. A map without preference gets the region's share of the image in both, so that is the chance level.
# But the joint is usually near the middle, so the harder yardstick is a bump in the middle that sees nothing.

# %%
from osteolib.explain.heatmaps import roi_scores

found = heatmap_page.localisation(maps, {"around the joint": joint, "bone": bone},
                                  knees, n_boot=n_boot, seed=seed)
roi_scores(maps["Grad-CAM"], joint).groupby(knees["part"]).mean().round(3)

# %% tags=["hide-input"]
figure(run, "energy", heatmap_page.energy_panels(found, list(maps)),
       alt="Energy inside the true regions, for four maps. " + "; ".join(
           f"{' '.join(place)}: {c.words('energy')}" for place, c in found.items()))
heatmap_page.record_localisation(run, found)
judged = "Grad-CAM", "Grad-CAM, random weights", "the middle, unseen"
run.fact(words=heatmap_page.localisation_in_words(
    found["around the joint", "test, A"], judged, int(new.sum())))
say(run, "New people of A, the region around the joint. {words}")

# %% tags=["hide-input", "hide-output"]
shown = heatmap_page.localisation_table(found, knees)
table(run, "localisation", shown, "Phantom: the "
      "share of each map in a true region (95 % intervals over people). area is what "
      "chance gets; a map that is zero everywhere is left out and counted", index=False)

# %% [markdown]
# ## Ask the network itself
#
# A place of the last stage has nearly the whole film in its field of view, so a warm spot there need not mean that the
# evidence is *there*. Another question is plainer: cover a region, each knee with its own mean grey there, and see what the
# score loses. (A covered film is unlike any in training; a loss may also come from that. No loss cannot.)

# %%
from osteolib.cohorts import bone_loss
from osteolib.radiograph import to_tensor_range
from osteolib.report.comparison import compare_scores

own, seen, near, film = np.flatnonzero(new), images[new], joint[new], bone[new]

def covered(region):
    """Score of each new knee of A with a region of its film covered."""
    grey = (seen * region).sum((1, 2)) / region.sum((1, 2)).clip(1)
    pictures = np.where(region, grey[:, None, None], seen).astype(np.uint8)
    x = torch.from_numpy(to_tensor_range(pictures))[:, None]
    return predict(network, x)["screen"]

# %%
hidden = {"nothing": covered(film & False), "region around the joint": covered(near),
          "rest of the bone": covered(film & ~near), "all but bone": covered(~film)}
cover = compare_scores(bone_loss(knees["label"][own]), hidden, reference="nothing",
                       groups=knees["split_group"][own], n_boot=n_boot, seed=seed)

# %% tags=["hide-input"]
shown = cover.table(head="covered").assign(**{
    "change of the AUROC": ["", *cover.difference_table()["AUROC (95 % CI)"]]})
table(run, "covered", shown, "Phantom, new knees of A: AUROC when a part of every film "
      "is covered, and its change; intervals draw people", index=False)

# %% [markdown]
# In the phantom, density and cortex carry the label along the whole bone, so a network may read the shaft and be right. A
# good score therefore does not promise a map around the joint, and a map elsewhere does not convict the network. What an
# anatomically plausible picture proves about a network is less than it seems.
#
# ## Does the map depend on what was learned?
#
# Some methods draw nearly the same picture with random weights: they find edges, as an eye does. So undo the learning, part
# by part from the answer down to the film, and compare each new map with the first one {cite:p}`adebayo2018_sanity`. A map
# that explains this network must change at once and stay changed. (The random weights are a fresh draw, not those the
# training began with: a short training stays close to its start, and that start would look like knowledge.)

# %%
from osteolib.explain.heatmaps import cascading_randomisation

checked = []
for draw in range(2):
    torch.manual_seed(seed + 1 + draw)  # again not the training's start
    fresh = STRNet(backbone).eval()
    for kind in (False, True):
        checked.append(cascading_randomisation(network, fresh, images[rows],
            guided=kind).assign(kind="guided Grad-CAM" if kind else "Grad-CAM"))
checked = pd.concat(checked, ignore_index=True)

# %% tags=["hide-input"]
figure(run, "randomisation", heatmap_page.likeness_panels(checked),
       alt="Likeness to the trained network's maps as parts are made random, for "
           "Grad-CAM and guided Grad-CAM.")
run.fact(**heatmap_page.likeness_at_the_ends(checked))
say(run, "With a random answer layer alone, the structural similarity to the first map "
    "is {top_plain:.2f} for Grad-CAM and {top_guided:.2f} for guided Grad-CAM; with "
    "everything random {end_plain:.2f} and {end_guided:.2f}.")

# %% [markdown]
# The closer to 1 with everything random, the more of the picture comes from the film and the method and not from learning.
#
# ```{admonition} Exercise
# :class: tip
# Give each knee the map of another knee. How much of the energy will lie around the joint? And what do both scores say of a
# map that is the same everywhere? Predict, then compute.
# ```

# %% tags=["solution"]
borrowed = roi_scores(np.roll(maps["Grad-CAM"], 7, axis=0), joint)
own = roi_scores(maps["Grad-CAM"], joint)
print(f"own map {own['energy'].mean():.3f}, borrowed {borrowed['energy'].mean():.3f}")
even = roi_scores(np.ones(joint.shape), joint)
assert np.allclose(even[["energy", "hit"]], even[["area"]])  # chance, in both

# %% [markdown]
# ```{admonition} Where we deviate
# :class: warning
# The paper's maps come from a pre-trained ResNet-50 at 512 pixels. In `quick` those of the phantom come from a ResNet-18 at
# 128, from random numbers, and those of the real knees from the networks of [the training page](04_knee_training.ipynb).
# Fig. 12 has no number to be held against; nothing on this page answers a published value.
# ```
#
# ## Real knees
#
# Each knee is looked at by the network of the training chapter that saw neither it nor its person. Of each class: the
# highest score, the lowest, the one nearest 0.5, one drawn by lot; films with burnt-in text are left out. There is no true
# region here, so there are pictures and no localisation scores. Where are the maps warm: around the joint, on the shaft, at
# a marker, on the background?

# %% tags=["hide-input"]
real = own_films.load_films(run, cohort, "knee", "knee-wani")

# %% tags=["hide-input"]
ended = own_films.end_without_training(run, real, n_folds, seed, "their maps")

# %%
from osteolib.explain.heatmaps import out_of_fold_maps
from osteolib.screen.knee_folds import cross_validate
from osteolib.screen.starts import as_started

films = knee_images(real.subjects, image_size)
from_imagenet = as_started(recipe)
trained = cross_validate(real.subjects, films, from_imagenet, n_folds, real.fingerprint)
test = trained.scores[trained.scores["part"] == "test"].set_index("unit_id")
people = real.subjects.join(test["screen"], on="unit_id")
rows, titles = heatmap_page.pick(heatmap_page.without_text(people), 4, seed)
heat = out_of_fold_maps(real.subjects, films, from_imagenet, trained, rows)

# %% tags=["hide-input"]
figure(run, "real_maps", heatmap_page.gallery(films[rows], heat, titles),
       alt="Twelve real knees, four of each class, each with its Grad-CAM map below.")
image = compare_scores(bone_loss(people["label"]), {"image": people["screen"]},
                       groups=people["split_group"], n_boot=n_boot, seed=seed)
run.fact(real=with_ci(*image.estimate("image")), n_real=len(people), so=(
    "holds 0.5: these may be maps of a network that knows nothing of bone loss"
    if image.estimate("image")[1] <= 0.5 else
    "lies above 0.5, but where a map should be warm is unknown here"))
say(run, "These networks reach **AUROC {real}** on {n_real} real knees, out of fold. "
    "That interval {so}.")

# %% [markdown]
# **Take away.** A heat map always shows something. Before believing one, ask for a region that was named beforehand, a
# yardstick that sees nothing, a cover that asks the network itself, and a map of random weights beside it. And look first
# at whether the network knows anything at all.

# %% tags=["hide-input"]
provenance(run)
