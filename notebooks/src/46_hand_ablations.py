# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
#   osteolib:
#     minutes: {smoke: 1, quick: 4, long: 40, paper: 400}
#     needs: [hand-phantom]
#     records: [hand-parts-0, hand-parts-1, hand-parts-2]
#     after: [22_hand_ssl]
#     trains: 5
# ---
# %% [markdown]
# # What does each part contribute?
# *Take one part of a method away, and its score falls. By how much must it fall before the part has earned its place?*
#
# The journal version of the hand study {cite:p}`lee2025_hand` leaves parts of its method out, one after the other: the segmentation
# (its Table 4), the several decoders (5), augmentation and pre-training (6), the extended crops (7); and sets other networks beside it (8). Each
# loses. Such a table is read as a list of causes. Two things stand between the table and that reading: a step often takes several parts
# away at once, and a test set of some 19 people moves by itself.
#
# Here the same steps are taken on simulated hands, where more people can be scored. **They tell what a step does to this
# method at this size, and answer no row of the paper**, whose films are private.
#
# **You will** cut images with and without a segmentation, leave parts out one at a time, read ten paired differences in one figure, and
# compute what a test set of 19 people could have shown. About four minutes (`quick`) after
# [the chapter on four methods](22_hand_ssl.ipynb), whose trainings are taken up again.

# %% tags=["parameters"]
profile: str = "quick"  # smoke, quick, long or paper: osteolib/profiles.yaml
seed: int = 0  # of hands, split, patches, the first training and the bootstrap
image_size: int | None = None  # pixels along a side of an image; None: from the profile
backbone: str | None = None  # resnet50 for the papers' sizes; None: from the profile
ssl_epochs: int | None = None  # epochs of each training; None: from the profile
n_seeds: int | None = None  # trainings of each kind; None: from the profile
n_probes: int = 3  # seeds of the linear layer
probe_epochs: int = 100  # epochs of the linear layer; smoke takes five
n_boot: int | None = None  # bootstrap replicates; None: from the profile

# %% tags=["hide-input"]
import numpy as np
import osteolib
from osteolib.report import ablation, ablation_seeds, hand_ablations as steps
from osteolib.report import hand_ablations_page as page, load_or_explain, provenance
from osteolib.segment.bones import film_rows

run = osteolib.start(globals(), "46_hand_ablations")
cohort, others = (
    load_or_explain(run, "hand-phantom", preset="lee2025", seed=seed + k,
                    size=film_rows(image_size)) for k in (0, 1))

# %% [markdown]
# ## What is looked at
#
# A segmentation does three things at once. It says **where** the bones are, it **removes** what lies around them, and it
# makes **several** images of a person, whose answers are averaged. So there are four kinds of images beside the bones: the
# *squares* that the bones are cut out of, with all that is around the bone; as many *patches* of the same sizes anywhere in the film; one
# image of the *hand*; and the *film*. People and split are those of the chapter on four methods, and all grey levels are
# [ranks](43_hand_hidden.ipynb) within their image.

# %%
from osteolib.screen.hand_parts import pictures

given = pictures(cohort, others, image_size, seed)  # and who trains, half of the first

# %% tags=["hide-input"]
page.show_windows(run, cohort.subjects, given.images)

# %% [markdown]
# ## What is trained
#
# The *full method* is the paper's with ranks: SimCLR on six views of each bone, each of which holds at least 10 % bone, then a linear layer on
# frozen features and a vote. Each line below differs from it in one entry: the images, the augmentation, or the crops.
#
# Three rows have no pre-training: the network is taught the labels of the training people on whole bones; the same with a VGG16;
# and the same on one image of the hand, for as many epochs more as there are fewer images.

# %%
from osteolib.screen.hand_parts import FULL, labelled_steps, unlabelled_steps

sizes = backbone, ssl_epochs, image_size
trained = (unlabelled_steps(sizes, seed)
           | labelled_steps(sizes, seed, given.images))

# %% tags=["hide-input"]
page.show_recipes(run, trained)

# %% [markdown]
# ## One score a person
#
# Features of each image, a linear layer, the mean over the images of a person. Without a segmentation the paper takes one answer
# from the film: so the encoder of the patches reads the film as well.

# %%
from osteolib.screen.hand_parts import train_steps

seeds = [seed + k for k in range(n_seeds)]
probe_epochs = 5 if profile == "smoke" else probe_epochs
scores = train_steps(given, sizes, seeds, n_probes, probe_epochs)
votes = {step: scores.people(step, seeds) for step in scores.kind}

# %% [markdown]
# ## The difference, and what it could have been
#
# Every step is scored on the same people as the full method. So what counts is the paired difference of two AUROCs, $\Delta = A - A_{\text{full}}$, with
#
# $$ \operatorname{Var} \Delta = \operatorname{Var} A + \operatorname{Var} A_{\text{full}} - 2 \operatorname{Cov}(A, A_{\text{full}}) , $$
#
# $$ \Delta_{\min}(m) = (z_{0.975} + z_{0.80})\, \mathrm{SE}(\Delta) \sqrt{n / m} . $$
#
# The first is why two intervals that overlap say little. The second is the smallest true difference that $m$ people show four
# times in five, if $n$ people give the standard error $\mathrm{SE}(\Delta)$. [Without any
# image](16_replicability.ipynb) the same can be asked by simulation. With ten steps at 5 % each one of them would look like a finding by luck
# in about four runs of ten, if none did anything; Holm's correction keeps that below one in twenty.

# %%
from osteolib.phantoms.hand.truth import ideal_reader
from osteolib.report.hand_ssl_page import all_people
from osteolib.screen.hand_parts import UNTRAINED

scored = ablation.on_same_units(votes, FULL, unit="group")
compared = ablation.compare_steps(scored, steps.steps(), FULL, n_boot, seed,
                                  more=[(FULL, UNTRAINED)])
single = {k: {step: scores.people(step, [k]) for step, of in scores.said if of == k}
          for k in seeds}  # what each seed says by itself
tested = all_people(cohort, others).loc[votes[FULL]["group"]]
ideal = ideal_reader(preset="lee2025", seed=seed)(tested)

# %% tags=["hide-input"]
found = page.show_differences(run, scored, compared, ideal, single)

# %% [markdown]
# Read the figure from the grey bars. Inside them lies what a test set of the paper's size would not show if it were true, and what it
# would print by chance if nothing were. The dashed line is as far as anything can be expected to rise. Squares on the same line are what the paper prints for
# the table that does alike, on other hands, with other networks, and are **not comparable** in size.
#
# One row is no part of the paper: its films went into the network in a way that it does not describe, and here ranks stand before everything.
#
# ## One thing at a time
#
# Most steps above change more than one thing. Each of these changes one:

# %% tags=["hide-input"]
page.show_single_steps(run, compared)

# %% [markdown]
# ## And other trainings?
#
# An interval over people does not see that another training of the same step would have come out otherwise. So all steps are
# declared as recorded runs, each seed with other people, another split and other trainings. A mixed model takes the seed as a random effect,
# $a_{si} = \mu_s + u_i + e_{si}$ for step $s$ and seed $i$, so that what all steps of a seed share, $u_i$, is in no difference.

# %% tags=["hide-input"]
cells = ["hand-parts-0", "hand-parts-1", "hand-parts-2"]
ablation_seeds.show_seeds(
    run, ablation_seeds.auroc_by_seed(cells, "osteoporosis"), FULL, found)

# %% [markdown]
# ```{admonition} What it means
# :class: important
# A fall in an ablation table names a step, not a cause. Take the step apart, and print beside each difference its own interval over
# people and the difference that the test set could have shown. Where the interval holds both zero and the printed size, the part
# may matter or not: the table does not know. With `n_seeds` each row is trained
# several times on the same people, and each seed's difference is drawn as a small stroke.
# ```
#
# ```{admonition} Deviations, and what is left out
# :class: note dropdown
# - **Table 5** (one decoder) is not redone. [Page 21](21_hand_segmentation.ipynb) trains both kinds and compares their masks and the cortex in
#   them, but on most of the people who are scored here; masks on this page are the true ones.
# - **The full method** has ranks and, in `quick`, a half-width ResNet-18 with small views. Only SimCLR is taken apart; the paper's tables have
#   four methods.
# - **Patches** know the sizes of the bones, and are drawn again where they are almost black. They may hold no hand at all: these films have
#   much beside it. The paper gives neither the size of its patches nor how tightly its films are framed.
# - **Ranks** are taken within an image. Without a mask the background takes most of them and leaves few to bone; so the mask also
#   decides whose ranks they are, and its row holds that, too.
# - **Content.** Without a mask nearly no pixel is zero, so for squares and patches extended crops are conventional ones.
# - **Table 6** takes augmentation and pre-training away together. *Crops alone* takes the first away and keeps the second, which the
#   paper does not try; *labels alone* still turns, mirrors and trims each bone a little.
# - **Table 8** compares published systems made for hips, spines and chests. Here are their ingredients, not the systems: a VGG16 with batch normalisation
#   and a quarter of its channels (all of them in `paper`), and one image of the hand. Neither landmarks nor a transformer is rebuilt.
# - **Printed changes** are those that the paper's text quotes. The bodies of its tables were not at hand, and of Table 7 no number is quoted.
# - **AUROC alone.** Calls at 0.5 hang on the linear layer's offset; the paper's F1 and accuracy would need them. Its spread of an accuracy
#   in Table 6 is [held against 19 people](14_audit_hand.ipynb) elsewhere.
# - **Seeds.** One training of each kind in `quick`, three in `long`. A recorded seed draws people, split and trainings at once, so the
#   mixed model does not part the luck of people from that of training.
# - **Chosen before.** The number of epochs and the supervised recipe come from the chapter on four methods, which looked at these people.
# ```
#
# ```{admonition} Exercise
# :class: tip
# Draw a test set of 19 from the scored people, again and again, and look at the largest difference of the figure in each. How far do the
# draws spread, and how often does the sign turn? Predict the spread from the interval of all people first.
# ```

# %% tags=["solution"]
from sklearn.metrics import roc_auc_score

rng, (y, said, _) = np.random.default_rng(seed), scored
name = found.loc[found["value"].abs().idxmax(), "method"]
n_ill = round(19 * y.mean())
drawn = np.empty(500)
for k in range(len(drawn)):
    some = np.r_[rng.choice(np.flatnonzero(y == 1), n_ill),
                 rng.choice(np.flatnonzero(y == 0), 19 - n_ill)]
    drawn[k] = (roc_auc_score(y[some], said[name][some])
                - roc_auc_score(y[some], said[FULL][some]))
value, low, high = compared.difference(name, FULL)
predicted = (high - low) / 3.92 * np.sqrt(len(y) / 19)
turned = (drawn * value < 0).mean()
print(f"{name}: SD {drawn.std():.2f}, predicted {predicted:.2f}; turned {turned:.0%}")
assert 0.7 < drawn.std() / predicted < 1.5

# %% [markdown]
# **Take away.** Leave out one thing at a time, on the same people, with an interval of the difference; and say what the test set could
# have shown before saying what it showed.

# %% tags=["hide-input"]
provenance(run)
