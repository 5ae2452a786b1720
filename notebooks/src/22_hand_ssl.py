# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
#   osteolib:
#     minutes: {smoke: 1.2, quick: 5, long: 95, paper: 600}
#     needs: [hand-phantom]
#     trains: 8
# ---
# %% [markdown]
# # Four ways to learn without labels
# *Does a network that was never told who is ill arrange bones so that a straight line can tell?*
#
# Few patients have both a hand film and a bone density. Both hand papers {cite:p}`lee2023_hand,lee2025_hand` therefore
# pre-train an encoder on views of bones without labels and then put one linear layer on its frozen features. They compare
# SimCLR {cite:p}`chen2020_simclr`, SupCon {cite:p}`khosla2020_supcon`, SwAV {cite:p}`caron2020_swav` and VICReg
# {cite:p}`bardes2021_vicreg`, and report that extended crops and pre-training carry the result: an AUROC of 0.85 for
# SimCLR on private films.
#
# Those films cannot be had. Simulated hands can show what each step does, whether it works at this size, and how much of
# the attainable it attains. **They never confirm a clinical number, and no value of a paper is answered on this page.**
#
# **You will** pre-train all four with both kinds of crops, watch whether they collapse, ask the frozen features what they
# know, put them beside a random encoder, a plain measurement and the attainable score, and take Figure 5 of the journal
# version apart. About five minutes the first time (`quick`), seconds afterwards.

# %% tags=["parameters"]
profile: str = "quick"  # smoke, quick, long or paper: osteolib/profiles.yaml
seed: int = 0  # of the hands, the split, the first pre-training and the bootstrap
image_size: int | None = None  # pixels along a side of a bone; None: from the profile
backbone: str | None = None  # resnet50 for the papers' sizes; None: from the profile
ssl_epochs: int | None = None  # epochs of each pre-training; None: from the profile
n_seeds: int | None = None  # pre-trainings of each kind; None: from the profile
n_probes: int = 3  # seeds of the linear layer
probe_epochs: int = 100  # epochs of the linear layer; smoke takes five
n_boot: int | None = None  # bootstrap replicates; None: from the profile

# %% tags=["hide-input"]
import numpy as np
import osteolib
import pandas as pd
import torch
from osteolib.report import hand_ssl_page as page
from osteolib.report import load_or_explain, provenance
from osteolib.report.hand_ssl import NAMES
from osteolib.segment.bones import film_rows

run = osteolib.start(globals(), "22_hand_ssl")
cohort = load_or_explain(run, "hand-phantom", preset="lee2025", seed=seed,
                         size=film_rows(image_size))

# %% [markdown]
# ## Bones and split
#
# Bones are cut out with the **true** masks, so that nothing on this page is due to a bad segmentation. All bones of a person
# stay on one side of the split. Half of the people train encoder and layer. The other half is two quarters: one chooses the
# epoch of the layer, the other is scored, and then they change places. So one pre-training gives honest scores for half of all
# people. The papers' 8:1:1 would leave about 19 to score, and [so few can show next to nothing](16_replicability.ipynb).

# %%
from osteolib.screen.bone_probe import split_bones
from osteolib.screen.hand_grid import N_FOLDS, cut_segments

hands = cohort.subjects
segments = cut_segments(cohort, image_size)
bones, rows = segments.images, segments.table
subject, y = rows["subject_id"].to_numpy(str), rows["y"].to_numpy()
part = split_bones(rows, y, n_folds=N_FOLDS, seed=seed)
held = part != "train"

# %% tags=["hide-input"]
page.show_split(run, hands, segments, held)

# %% [markdown]
# ## Two stages
#
# Figures 1 and 4 of the journal version, drawn from one hand of this run: film and masks, bones, views of one bone
# (two global, four local) that pull the encoder $f$ and a projection head $g$ together; then $f$ stands still, a linear
# layer reads its features of each whole bone, and a person's score is the mean over the bones present.

# %% tags=["hide-input"]
from osteolib.screen.hand_grid import CONTENT, grid_encoder, grid_recipe

sizes = backbone, ssl_epochs, image_size
recipe = grid_recipe("simclr", "extended", seed, *sizes)
page.show_stages(run, hands, segments, recipe, seed)

# %% [markdown]
# ## Pre-training
#
# With embeddings $z_v = g(f(x_v))$ of the views every method minimises one sum over the two global targets and all other
# views,
#
# $$ L = \sum_{i \in \{1, 2\}} \; \sum_{v \ne i} \ell(z_v, z_i) , $$
#
# with its own $\ell$. **SimCLR**: find the other view of the same bone among all bones of the batch. **SupCon**: find any bone of the
# same class; it is shown the labels of training people and of nobody else. **SwAV**: predict to which cluster the other view is assigned,
# with clusters of equal size. **VICReg**: be alike between views, spread over bones, uncorrelated between dimensions.
#
# Each has a trivial answer that must be avoided: the same embedding for every image. The dotted line is the loss of that
# collapse. The lower row shows the spread of the embeddings (0: a point, 1: even on the sphere).

# %%
from osteolib.runs.side_by_side import side_by_side

CELLS = [(method, crops, seed + k) for method in NAMES for crops in CONTENT
         for k in range(n_seeds)]
folders = side_by_side(grid_encoder, {
    cell: (segments, part, grid_recipe(*cell, *sizes)) for cell in CELLS})

# %% tags=["hide-input"]
history = {c: pd.read_parquet(f / "history.parquet") for c, f in folders.items()}
steps = int((~held).sum() // recipe.batch_size)  # of an epoch
page.show_pretraining(run, history, ssl_epochs * steps)

# %% tags=["hide-input", "hide-output"]
page.show_last_epochs(run, history)

# %% [markdown]
# SupCon is the one to watch. It is told to put all bones of one class into one place, and on a film the classes can hardly
# be told apart, so pulling a class together pulls everything together. With two unequal classes that is a known failure
# of the method {cite:p}`mildenberger2025`. It needs no bug and no bad luck, only a question that is hard.
#
# ## What do the features know?
#
# Before asking for osteoporosis, ask for something that should be there. On features of training people one linear model
# each is fitted: which of the seven bones is it? Is the person a woman? How thick is the cortex of M2 (ridge regression)? All are
# scored on people who did not train.

# %%
from osteolib.screen.bone_probe import embed, embed_stored
from osteolib.screen.readout import what_bones_tell
from osteolib.ssl.encoders import build_encoder

torch.manual_seed(seed)
untrained, view = build_encoder(recipe.encoder), recipe.crops[0].size
features = {("random encoder", "none", seed): embed(untrained, bones, view)}
features |= side_by_side(embed_stored, {
    c: (f, recipe.encoder, bones, view) for c, f in folders.items()})
known = rows.merge(hands[["subject_id", "sex", "cortical_percentage"]], on="subject_id")
told = side_by_side(what_bones_tell, {c: (x, known, held) for c, x in features.items()})

# %% tags=["hide-input"]
page.show_knowledge(run, told)

# %% [markdown]
# Look at the last column before you blame the number of steps: the random encoder took none. Whatever changes between two views of
# one bone, a method is asked to **ignore**: position, size, turn, and with the later recipe brightness and contrast from 50 to 150 %.
# But bone mineral *is* brightness on a film. [The next page](43_hand_hidden.ipynb) measures what each of these steps leaves of the cortex,
# and what hides it. Sex is no help as a control: every bone is scaled to its own length, and there are few men.
#
# ## Probe and vote
#
# Now the question of the papers. The linear layer is trained as they train theirs, the epoch with the highest macro-F1 on the
# choosing quarter counts, and a person's score is the mean over the bones present (Equation 10 of the journal version):
#
# $$ p = \frac{1}{|B|} \sum_{b \in B} p_b . $$

# %%
from osteolib.screen.held_out_bones import held_out_probability, scores_of_people

probe_epochs = 5 if profile == "smoke" else probe_epochs
layers = side_by_side(held_out_probability, {
    (*key, k): (x, y, subject, part, seed + k, probe_epochs)
    for key, x in features.items() for k in range(n_probes)})
scores = {}
for (method, crops, *_), (probability, _) in layers.items():
    name = f"{NAMES.get(method, method)}, crops {crops}"
    scores.setdefault(name, []).append(probability)
people = {name: scores_of_people(rows, np.stack(p)) for name, p in scores.items()}

# %% [markdown]
# Two rows beside them need no network: the cortical percentage of M2 as
# [measured automatically](21_hand_segmentation.ipynb) on the film, and its true value. Where it cannot be measured the median
# stands in.

# %%
from osteolib.segment.cortex_table import cortex_by_true_mask

scored = people["random encoder, crops none"]["group"]
tested = hands.set_index("subject_id").loc[scored]
measured = cortex_by_true_mask(tested)["percentage"]
plain = {"cortex of M2, true, crops none": -tested["cortical_percentage"]}
if measured.notna().mean() > 0.5:
    filled = measured.fillna(measured.median())
    plain = {"cortex of M2, measured, crops none": -filled} | plain

# %% tags=["hide-input"]
seeds = {name: page.auroc_of_each(rows, layers) for name, layers in scores.items()}
compared = page.compare_encoders(people, plain, n_boot, seed)
page.show_methods(run, compared, seeds, int(measured.isna().sum()))

# %% [markdown]
# The random encoder is the row that both papers lack. Features that nobody trained already carry brightness and shape, and a linear
# layer can use them; what pre-training adds is the difference from that row. The best of eight is picked after the fact and looks
# better than it is. And a measurement that a ruler could make belongs into every such table: here it is what a network has to beat.
#
# Nothing in this says that pre-training fails on real films: these are a small network, small views and few steps. It says that at this
# size a table of methods, each with one decimal more than its interval allows, would rank luck. What the papers print stands below for
# reference and is **not comparable**: private films, other sizes, and in the earlier paper bones instead of people.

# %% tags=["hide-input", "hide-output"]
page.show_calls_and_changes(run, compared)

# %% [markdown]
# ## Which bone matters?
#
# Figure 5 of the journal version shows the mean probability of each bone in **true positives** of SimCLR and reads from it that M2,
# radius and ulna contribute most. But a bone whose probability is high in everybody would look as important, and true positives are people
# chosen for high probabilities. So here are the same means for everyone else too, and the AUROC of each bone alone.

# %% tags=["hide-input"]
SHOWN = "SimCLR, crops extended"
alone = page.show_bones(run, rows, np.mean(scores[SHOWN], axis=0), n_boot, seed)

# %% [markdown]
# True positives lie above ½ on average because that is how they were chosen, and so do false positives. Only the distance between
# *all* ill and *all* others, or a bone's own AUROC, says that a bone knows something. The paper's figure shows neither.
#
# ```{admonition} Deviations, and open points of both papers
# :class: note dropdown
# - **Masks** are the phantom's true ones: no bone is lost to a bad mask.
# - **Size.** In `quick` a half-width ResNet-18, 64 and 32 px views, batches of 64, one seed of the pre-training. The
#   papers train ResNet-50 at 224 and 96 px with batches of 128, three seeds, and print no number of epochs.
# - **Split** 2:1:1 with test and validation changing places, for 8:1:1. One drawing of it: its luck is not in the intervals, nor is that
#   of the pre-training.
# - **Other films.** The journal version also pre-trains on 1,154 public hands; here the encoder sees the training half alone.
# - **SupCon** sees the labels of training people. The papers do not say whose labels it saw.
# - **SwAV** uses ε = 0.03. With its authors' 0.05 its loss stayed at that of a collapsed encoder, in a trial that is not on this page; they warn
#   of values that are too high.
# - **Learning rate, temperature, areas of crops** are those of the methods' own papers: neither hand paper prints them.
# ```
#
# ```{admonition} Exercise
# :class: tip
# The vote is a mean over up to seven bones. Does it beat the average single bone? Predict, then compare the AUROC of the vote with
# the mean of the AUROCs of the bones alone.
# ```

# %% tags=["solution"]
single = alone.rows["value"].mean()
together = compared.estimate(SHOWN, "auroc")[0]
print(f"vote {together:.2f}, mean of single bones {single:.2f}")
# bones of one person share what is known and each adds noise of its own: averaging
# helps unless nothing is known, when both are chance
assert together > single - 0.06

# %% [markdown]
# **Take away.** Put a random encoder, a plain measurement, the attainable score and an interval over people beside every pre-trained encoder,
# and ask its features first for something that should be there. Without these a table of methods ranks luck.

# %% tags=["hide-input"]
provenance(run)
