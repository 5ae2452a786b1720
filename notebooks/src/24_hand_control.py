# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
#   osteolib:
#     minutes: {smoke: 0.5, quick: 3, long: 8, paper: 20}
#     needs: [hand-rsna]
#     trains: 4
# ---
# %% [markdown]
# # A positive control on real hands
# *Does the machinery of the hand papers find, on real films, something that is surely there?*
#
# No public film of a hand carries a label of bone loss. So nobody outside can say whether the hand papers'
# {cite:p}`lee2023_hand,lee2025_hand` machinery sees osteoporosis. But before a machine's silence about one thing counts,
# it should have spoken about another. Real hands of children and adolescents {cite:p}`halabi2019_rsna` come with two targets:
# the **bone age** that a radiologist read from the film, which is in the picture by definition, and **sex**, which may or
# may not be.
#
# The steps are those of the papers: bone images, pre-training without labels, frozen features, a linear layer, a vote
# over bones. If they cannot find bone age, their silence elsewhere means little. If they can, the chain works on real films,
# and nothing is said about osteoporosis.
#
# **You will** cut metacarpals along keypoints, see whether ranks help on real films as [on simulated ones](43_hand_hidden.ipynb), pre-train
# on real bones, look for bone age and sex in held-out hands, and hold every number against shortcuts that need no network.
# About three minutes (`quick`). Everything on this page is real; no value of a paper is answered.

# %% tags=["parameters"]
profile: str = "quick"  # smoke, quick, long or paper: osteolib/profiles.yaml
seed: int = 0  # seed of the folds, the pre-training and the bootstrap
image_size: int | None = None  # pixels along a side of a bone; None: from the profile
backbone: str | None = None  # resnet50 trains the papers' sizes; None: from the profile
ssl_epochs: int | None = None  # of a pre-training; None: from the profile
n_boot: int | None = None  # bootstrap replicates; None: from the profile
n_parts: int = 3  # parts of the hands; each is tested once by what the others taught
n_random: int = 3  # random encoders to compare with

# %% tags=["hide-input"]
import numpy as np
import osteolib
import pandas as pd
import torch
from osteolib.report import figure, load_or_explain, provenance
from osteolib.report import hand_control_grey as on_grey, hand_control_page as page
from osteolib.report import hand_control_rows as details
from osteolib.report.hand_ssl import FILMED, NAMES

run = osteolib.start(globals(), "24_hand_control")
cohort = load_or_explain(run, "hand-rsna")

# %% [markdown]
# ## Metacarpals without a segmentation
#
# Some of the films come with 21 keypoints, and those give an axis for each metacarpal. Around it stands a *capsule*: every pixel closer
# than 0.14 lengths of the axis (0.21 for the thumb), with round ends a little beyond the joint. The bone image is
# the papers' Hadamard product of film and mask, cut to a square around the bone and resized. In units of the axis every capsule of
# a bone is the same, so **neither size nor outline can tell the age**. The other films have no keypoints; no bone can be cut
# from them, so they are left out, from the pre-training too.

# %%
from osteolib.segment.grey import ranked
from osteolib.segment.real_metacarpals import real_metacarpals

real = real_metacarpals(cohort, image_size)  # axes, capsules around them, bone images
hands, rows = real.hands, real.table
age, male = hands["bone_age_months"].to_numpy(float), hands["sex"].eq("M").to_numpy(int)
tall = np.array([max(film.shape) for film in real.raw])
large = (tall > np.median(tall)).astype(int)  # the films come in two formats
bones = ranked(real.images)

# %% tags=["hide-input"]
page.show_bones(run, real, len(cohort.subjects), male, large, n_boot, seed)

# %% [markdown]
# A reader of bone ages would look for the growth plate at the head of the metacarpals (at the base of the first) and see it
# narrow and close. It is in these pictures.
#
# ## Pre-training on real bones
#
# Hands are split into parts, so that sexes are balanced. For each part an encoder is pre-trained on the bones of the other
# parts and never sees the held-out hands, not even without their labels. Two methods: SimCLR {cite:p}`chen2020_simclr` and
# VICReg {cite:p}`bardes2021_vicreg`, on ranked bones and with the large views of [the chapter on four methods](22_hand_ssl.ipynb).
# Beside them stand encoders that learned nothing from these films: random weights, and EfficientNet-Lite0 as others trained
# it on photographs.

# %%
from osteolib.cohorts import grouped_folds
from osteolib.runs.side_by_side import side_by_side
from osteolib.screen.hand_grid import grid_recipe
from osteolib.ssl.pretrain import pretrained

fold = grouped_folds(hands, hands["sex"], n_parts, seed)
hand = rows["hand"].to_numpy()
group = hands["split_group"].to_numpy(str)[hand]
METHODS = ("simclr", "vicreg")
recipes = {m: grid_recipe(m, "large", seed, backbone, ssl_epochs, image_size)
           for m in METHODS}

# %%
def lesson(method, k):
    """What the encoder learns that part k is tested with."""
    seen = fold[hand] != k
    unknown = np.full(seen.sum(), np.nan)
    return (bones[seen], group[seen], unknown, set(group[~seen]), recipes[method])


folders = side_by_side(pretrained, {
    (m, k): lesson(m, k) for m in METHODS for k in range(n_parts)})

# %% tags=["hide-input"]
fewest = int(min((fold[hand] != k).sum() for k in range(n_parts)))
page.show_pretraining(run, {
    c: pd.read_parquet(f / "history.parquet") for c, f in folders.items()}, fewest,
    recipes["simclr"].batch_size)

# %% [markdown]
# ## A linear layer and a vote
#
# The encoder is frozen. On the standardised features $x_b$ of the training hands' bones stands ridge regression of a target $t$,
# bone age or sex (0 and 1), with its penalty chosen by cross-validation over the training *hands*,
#
# $$ \min_{w} \sum_b (t_b - w^\top x_b)^2 + \alpha \lVert w \rVert^2 , \qquad
#    \hat t = \frac{1}{|B|} \sum_{b \in B} w^\top x_b , $$
#
# and a hand's prediction is the mean over its bones $B$, as in the papers' vote. A prediction outside the training hands' range is
# cut to it: a line fitted to a few hundred features can run far out.

# %% tags=["hide-input"]
from osteolib.screen.bone_probe import embed, embed_stored
from osteolib.screen.weights import frozen_features
from osteolib.ssl.encoders import build_encoder
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


# %%
def predicted(features, target):
    """Prediction of each bone by the other parts; ``features`` has one array a part."""
    out, t = np.empty(len(rows)), target[hand].astype(float)
    for k, x in enumerate(features):
        seen = fold[hand] != k
        search = GridSearchCV(make_pipeline(StandardScaler(), Ridge()),
                              {"ridge__alpha": np.logspace(0, 5, 6)},
                              cv=GroupKFold(4), scoring="neg_mean_squared_error")
        search.fit(x[seen], t[seen], groups=group[seen])
        out[~seen] = search.predict(x[~seen]).clip(t[seen].min(), t[seen].max())
    return out

# %%
network, view = recipes["simclr"].encoder, recipes["simclr"].crops[0].size
seen_by = side_by_side(embed_stored, {
    c: (f, network, bones, view) for c, f in folders.items()})
features = {NAMES[m]: [seen_by[m, k] for k in range(n_parts)] for m in METHODS}
RANDOM = [f"random encoder {k + 1}" for k in range(n_random)]
for end, images in (("", bones), (FILMED, real.images)):
    for k, name in enumerate(RANDOM):
        torch.manual_seed(seed + k)
        features[name + end] = [embed(build_encoder(network), images, view)] * n_parts
    known = frozen_features("efficientnet_lite0", images)
    features[on_grey.PHOTOGRAPHS + end] = [known] * n_parts
targets = {"age": age, "sex": male}
by_bone = {(name, what): predicted(x, t) for name, x in features.items()
           for what, t in targets.items()}
vote = {c: pd.Series(p).groupby(hand).mean().to_numpy() for c, p in by_bone.items()}

# %% [markdown]
# ## Grey levels of a real film
#
# Ranks inside the mask are robust to exposure by construction. But a real mask holds more than bone: soft tissue in the capsule, the edge of
# a neighbour, a letter. Do ranks help there, or harm? Encoders that learned nothing from these films answer first, with bone age:

# %%
grey = on_grey.compare_grey(
    age, {name: p for (name, what), p in vote.items() if what == "age"}, RANDOM,
    large == 0, n_boot, seed)

# %% tags=["hide-input"]
on_grey.show_grey(run, grey, n_random)

# %% [markdown]
# ## What needs no network
#
# The shortcuts are tested in the same parts with linear models: format of the film, grey level of the film, grey level and sharpness of
# the bone images (a small bone is enlarged, and so smoother), how the bones lie, and the length of the third metacarpal in pixels. The
# last is no artefact, for bones grow, but **the network cannot see it**: every bone is scaled to the same square.

# %%
from osteolib.screen import out_of_fold
from osteolib.screen.hand_shortcuts import shortcuts

for name, columns in shortcuts(real, view).items():
    for what, target in targets.items():
        vote[name, what] = out_of_fold(columns, target, fold)

# %% [markdown]
# ## Bone age
#
# Two measures: Spearman's correlation with the radiologist's reading, and the mean absolute error in months, beside that of
# always saying the training hands' mean. Intervals resample hands; the luck of the pre-training and of the
# parts is not in them. Because the format of the film knows something of bone age, *found* is said on this page only
# where two intervals of Spearman's correlation lie above zero: that of all films, and that of the films of the smaller format.

# %%
ages = {name: p for (name, what), p in vote.items()
        if what == "age" and FILMED not in name}
compared = page.compare_ages(age, ages, large == 0, n_boot, seed)
learned = {name: ages[name] for name in ("SimCLR", "VICReg")}
gains = page.compare_with_random(age, learned, [ages[r] for r in RANDOM], n_boot, seed)

# %% tags=["hide-input"]
mean_age = np.array([age[fold != k].mean() for k in fold])
page.show_ages(run, compared, age, mean_age, n_boot, seed)
figure(run, "age", page.age_figure(age, male, learned | {RANDOM[0]: ages[RANDOM[0]]}),
       alt="Predicted against read bone age of held-out hands for SimCLR, VICReg and a "
       f"random encoder. Spearman: {compared.words()}.")
page.show_verdict(run, compared, gains, RANDOM, int((large == 0).sum()))

# %% [markdown]
# ## Sex
#
# Boys and girls differ a little in bone age here and much in the format of their films. So beside the AUROC stand two of pairs of a girl and
# a boy that share a stratum: a third of bone age, or a format. A score that lives on the stratum falls back to 0.5 there.

# %%
strata = {"same third of bone age": pd.qcut(age, 3, labels=False),
          "same film format": large}
by_sex = details.compare_sexes(male, {name: vote[name, "sex"] for name in ages}, strata,
                               n_boot, seed)

# %% tags=["hide-input"]
details.show_sexes(run, by_sex)

# %% tags=["hide-input", "hide-output"]
details.show_sex_table(run, by_sex)

# %% [markdown]
# Values below 0.5 are no riddle. Where nothing is found, the class that is rarer among the tested hands was the commoner among
# the others, so a model without knowledge leans the wrong way; intervals do not redraw the parts and do not show it. Nor does this
# show that sex is not in the bones: so few hands, of all ages and in bones scaled to one size, are a hard place to look.
#
# ## Bone by bone
#
# The same linear layer judged on each metacarpal alone, with intervals.

# %% tags=["hide-input"]
THREE = [*learned, RANDOM[0]]
alone = details.compare_single_bones(age, rows, {m: by_bone[m, "age"] for m in THREE},
                                     n_boot, seed)
whole = {m: compared.estimate(m)[0] for m in THREE}
details.show_single_bones(run, alone, whole)
details.record_predictions(run, hands, fold, vote, targets, seed)

# %% [markdown]
# ```{admonition} Deviations
# :class: note dropdown
# - **Whose hands.** Children and adolescents, a growing skeleton; the papers' subjects are adults. Bone age and bone loss are different
#   questions: a growth plate is larger and plainer than a thinned cortex.
# - **Masks** are capsules along keypoints and hold some soft tissue and the edges of neighbours; no ulna, no radius.
# - **Size.** Some 180 bones a pre-training, against the papers' hundreds of people; in `quick` a half-width ResNet-18
#   and 64 px views. One seed of the pre-training, one drawing of the parts.
# - **Ranks and large views** are not the papers'. Both come from simulated hands; the page took them after a look at what ranks do here to
#   encoders that learned nothing from these films.
# - **Linear layer**: ridge regression for both targets, because bone age is no class; the papers train theirs with LARC.
# - **Film**: half size, JPEG; windowed between its 1st and 99th percentile before it is cut.
# ```
#
# ```{admonition} Exercise
# :class: tip
# The vote averages over up to five bones. Predict: is the mean of five better than the average bone alone, and by how much?
# Compare Spearman's correlation of the vote with the mean over single metacarpals, for each of the three encoders.
# ```

# %% tags=["solution"]
single = {m: np.mean([c.estimate(m)[0] for c in alone.values()]) for m in THREE}
for m in single:
    print(f"{m}: vote {whole[m]:.2f}, mean of single bones {single[m]:.2f}")
assert all(whole[m] > single[m] - 0.1 for m in single)  # what is not shared averages

# %% [markdown]
# **Take away.** Before a machine's silence counts, let it speak on something that is surely there; and put beside its answer
# a network that learned nothing, a ruler, and the format of the film.

# %% tags=["hide-input"]
provenance(run)
