# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
#   osteolib:
#     minutes: {smoke: 0.5, quick: 0.5, long: 0.6, paper: 1}
#     needs: [knee-phantom, knee-wani]
# ---
# %% [markdown]
# # How STR-Net is built
# *A paper draws its network once, by hand. What does the network that is run look like, and what trains which part?*
#
# Figures 1 to 3 of STR-Net {cite:p}`strnet2026_knee` show whose films went in, the path of an image, and the module that
# routes it to three tasks. Here the same three are drawn from the running objects: a batch goes through the network, every
# part that it passes becomes a box, and every gradient that comes back becomes a line. A drawing of this kind cannot
# differ from the code.
#
# **You will** read the network and both versions of its routing module, find a part that no loss trains, hold the flow of
# films as published beside the flow that we can count, and follow one film to the network's input. Under a minute to run,
# thirty to work through.

# %% tags=["parameters"]
profile: str = "quick"  # smoke, quick, long or paper: osteolib/profiles.yaml
architecture: str = "resnet50"  # the backbone, as in the paper; or resnet18
seed: int = 0  # seed of the weights and of the phantom
image_size: int | None = None  # pixels; None: from the profile
n_folds: int | None = None  # grouped folds; None: from the profile

# %% tags=["hide-input"]
import osteolib
import torch
from osteolib.radiograph import mask_markers, normalise_intensity, otsu_crop
from osteolib.radiograph import read_radiograph, resize, to_tensor_range
from osteolib.report import figure, knee_network_page, knees, load_or_explain
from osteolib.report import provenance, say, schematic
from osteolib.screen.knee_folds import covariates_of, knee_images
from osteolib.screen.strnet import STRNet, encode_targets, gradient_reach

run = osteolib.start(globals(), "06_knee_network")
phantom = load_or_explain(run, "knee-phantom", n_subjects=40, seed=seed)

# %% [markdown]
# ## The network
#
# With $\theta_k$ the weights of part $k$, each of the three losses $\mathcal{L}_j$ of Equation 1 reaches the part if
#
# $$ \left\lVert \nabla_{\theta_k} \mathcal{L}_j \right\rVert > 0 . $$
#
# Three simulated knees, one of each class, go through both versions of the network, and all these norms are computed. A
# norm of exactly zero says that no path leads back.

# %%
some = phantom.subjects.groupby("label").head(1)
pixels = torch.from_numpy(to_tensor_range(knee_images(some, image_size)))[:, None]
batch = (pixels, torch.from_numpy(covariates_of(some)))
truth = encode_targets(some["label"], some["t_score"])
torch.manual_seed(seed)
nets = {tarr: STRNet(architecture, tarr) for tarr in ("released", "text")}
LOSSES = ["screen", "severity", "t_score"]
reach = {tarr: gradient_reach(net, batch[0], truth, batch[1])[LOSSES]
         for tarr, net in nets.items()}

# %% [markdown]
# Under each name: what the part is, the shape of what it passes on, its number of parameters. The coloured lines are the
# gradients, each as far back as it reaches. Follow them upwards.

# %% tags=["hide-input"]
knee_network_page.show_network(run, nets["released"], batch, reach["released"])
say(run, "The T-score's loss trains {own}, and nothing before the stop-gradient. "
    "**No loss at all trains {untrained}**: its {idle:,} parameters stay the random "
    "numbers they started as, and the T-score is read through them.")

# %% [markdown]
# So the T-score cannot teach the image features anything, and whatever a model with this branch gains in screening over one
# without must come from elsewhere. The text of the paper has the stop at the same place; what follows from it is not said.

# %% tags=["hide-input", "hide-output"]
knee_network_page.show_backbone(run, nets["released"], pixels)

# %% [markdown]
# ## Two routing modules
#
# The text and the released code describe two different modules for task-aware representation routing (TARR). Here is the way
# from the neck to the screening head in both; the other two routes are alike.

# %% tags=["hide-input"]
knee_network_page.show_routes(run, nets, batch, reach)
say(run, "Counted: {released:,} with the released module and {text:,} with the "
    "module of the text. The paper states about {stated} million.")

# %% [markdown]
# ## A flow of films, as published
#
# The flow chart of Figure 1 ends in 1,570 knees. What the files of its larger source are is [a page of its
# own](25_stage1_films.ipynb); here its chart stands as printed, and only the sums are ours. Does it add up?

# %% tags=["hide-input"]
knee_network_page.show_published_flow(run)
say(run, "Of {sums} printed counts {agree} are the sums of their parts. But {gone_1:,} "
    "of {knees_1:,} knees of Stage 1 ({share_1:.0%}) and {gone_2} of {knees_2} of "
    "Stage 2 ({share_2:.0%}) are gone, and the paper does not say how many for which "
    "reason.")

# %% [markdown]
# The figure's caption takes Stage 1 from the larger set and Stage 2 from the one with ages and T-scores; Section 2.1 names
# the two sources the other way round. The counts, ages and T-scores of Stage 2 are those of the table in
# {cite:p}`wani2021_data`, which we have, so this page follows the caption.
#
# ## The same source, here

# %% tags=["hide-input"]
real = load_or_explain(run, "knee-wani")

# %% tags=["hide-input"]
knee_network_page.show_own_flow(run, real, n_folds)
say(run, "Here {lost} of {people} people leave, each for a stated reason, and every "
    "knee of the others stays: {n_knees}.")

# %% [markdown]
# Every film goes the same way to the network (Section 2.2). The legs are found and cut apart (blue), Otsu's threshold
# {cite:p}`otsu1979` finds the foreground of each (orange), grey values are clipped at the 1st and 99th percentile, and what is left
# becomes a square, whatever its shape was. Augmentation, in training only, is shown
# [where it is trained](04_knee_training.ipynb).

# %%
legs = real.subjects[real.subjects["image_id"] == "OP23"]  # one that needs cropping
boxes = legs[["x0", "y0", "x1", "y1"]].astype(int).to_numpy()
film, _ = mask_markers(read_radiograph(legs["path"].iloc[0]).pixels)
x0, y0, x1, y1 = boxes[0]
leg = film[y0:y1, x0:x1]
left, top, right, bottom = field = otsu_crop(leg)
crop = leg[top:bottom, left:right]
clipped = normalise_intensity(crop)
square = to_tensor_range(resize(clipped, image_size))

# %% tags=["hide-input"]
steps = {"film": film, "one leg": leg, "foreground": crop, "clipped": clipped,
         "resized": square}
figure(run, "stages_real", knees.film_to_input(steps, boxes, field),
       alt="A real film of both legs, one leg cut out, its foreground, clipped and "
           "resized to a square.")

# %% [markdown]
# ```{admonition} Where we deviate
# :class: warning
# Boxes of Stage 1 and of the external cohort hold printed numbers: a part of the first is missing here, the second is
# private. The network has random weights: which parts a gradient reaches depends on the wiring, not on the weights.
# ```
#
# ```{admonition} Exercise
# :class: tip
# `STRNet(stop_gradient="route")` stops the T-score's gradient before its own route instead of behind it. Which box changes
# its colour? Does the backbone learn from T-scores then? Predict, then draw it.
# ```

# %% tags=["solution"]
moved = STRNet("resnet18", stop_gradient="route")  # smaller, with the same wiring
after = gradient_reach(moved, batch[0], truth, batch[1])[LOSSES]
graph = schematic.with_gradients(schematic.trace(moved, batch), after)
schematic.draw({"Stopped before the route": graph})
print(after["t_score"].round(3).to_string())
assert after.at["tarr.t_score", "t_score"] > 0 == after.at["backbone", "t_score"]

# %% [markdown]
# **Take away.** Draw a network from the object that runs, and draw the gradients with it: a box in a figure does not say
# that anything trains it. And add up a flow chart before believing it; where numbers leave, ask for the reason.

# %% tags=["hide-input"]
provenance(run)
