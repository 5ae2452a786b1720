# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
#   osteolib:
#     minutes: {smoke: 0.7, quick: 3, long: 3, paper: 10}
#     needs: [hand-phantom]
# ---
# %% [markdown]
# # What hides the bone
# *If a network finds nothing, is the question too hard, is the run too small, or is the bone hidden from it?*
#
# On films as they are and with the views that the hand papers describe, [an encoder](22_hand_ssl.ipynb) attains little of what could
# be attained. Before more people and more steps are asked for, look at what it is shown: a view is a bone turned, cut, shrunk and relit, and
# its grey levels have passed through an exposure and a display window that belong to the film and not to the bone.
#
# **You will** measure with a ruler what is left of the cortex in each kind of view, make grey levels independent of exposure and
# window with one line, and see what that does to features that nobody trained. About three minutes (`quick`).
#
# Simulated hands with known truth; no value of a paper is answered on this page.

# %% tags=["parameters"]
profile: str = "quick"  # smoke, quick, long or paper: osteolib/profiles.yaml
seed: int = 0  # of the hands, the views, the random encoders and the bootstrap
image_size: int | None = None  # pixels along a side of a bone; None: from the profile
n_boot: int | None = None  # bootstrap replicates; None: from the profile
n_random: int = 3  # random encoders, whose answers are averaged

# %% tags=["hide-input"]
import numpy as np
import osteolib
import torch
from osteolib.report import hand_hidden_page as page
from osteolib.report import load_or_explain, provenance
from osteolib.segment.bones import film_rows

run = osteolib.start(globals(), "43_hand_hidden")
cohort = load_or_explain(run, "hand-phantom", preset="lee2025", seed=seed,
                         size=film_rows(image_size))
hands = cohort.subjects

# %% [markdown]
# ## A ruler on a view
#
# In these hands the cortex of the second metacarpal, M2, carries most of what the film knows about the disease. A view is
# pasted back to where it was cut from, and its cortical percentage is measured there, with the true outline. Pose and outline
# cost this reader nothing, but it knows the middle of the shaft alone. So what it keeps *is* in the pixels; what it loses, to too few
# of them, to light that saturates or to a crop without that middle, a network might still read elsewhere on the shaft.

# %%
from osteolib.screen.view_oracle import read_views, second_metacarpals

m2, found = second_metacarpals(hands)
owners = hands[found]
reads = read_views(m2, pixels=(24, 64, 224), seed=seed)
views = page.auroc_of_views(
    reads, owners["label"].eq("osteoporosis").to_numpy(int),
    owners["cortical_percentage"].to_numpy(), n_boot, seed)

# %% tags=["hide-input"]
page.show_views(run, views, len(owners), seed)

# %% [markdown]
# Read the grid by rows: which step costs the ruler something. And by columns: how many pixels it needs, given the outline; a network
# has to find that first. The small local crops are most of the views of the papers' multi-crop, and each is asked to agree
# with the large ones. Where it holds no middle of the shaft, the two can agree on the cortex only by other parts of it.
#
# ## What all views of a film share
#
# Contrastive learning keeps what two views of one image have in common. All crops of all bones of a film have its exposure and its
# display window in common, so an encoder may learn those, and answer perfectly without looking at bone. But both act as a rising
# curve $c$ on every grey level $g$, and a rising curve leaves the **order** of grey levels as it is. With
#
# $$ r(p) = \frac{\#\{q \in \text{bone} : g(q) < g(p)\} + \tfrac12 \#\{q \in \text{bone} : g(q) = g(p)\}}{\#\,\text{bone}} , $$
#
# the rank of a pixel among those of its own bone, $r$ is the same for $g$ and for $c(g)$.

# %%
from osteolib.screen.hand_grid import N_FOLDS, cut_segments
from osteolib.segment.grey import ranked

segments = cut_segments(cohort, image_size)
pictures = {"as filmed": segments.images, "ranked": ranked(segments.images)}

# %% tags=["hide-input"]
first = segments.table["bone"].eq("M2").to_numpy().argmax()
page.show_curves(run, segments.images[first])

# %% [markdown]
# Something is lost as well: how bright a bone is as a whole. On a film that is mostly exposure, but some of it is mineral.
#
# ## What random features hold
#
# An encoder with random weights has no skill; what a linear model reads off its features lay open in the picture. Three numbers
# are asked for, one of the bone and two of the film, and the label. Half of the people teach the linear models, the others are read.

# %% tags=["hide-input"]
from osteolib.screen.bone_probe import embed, split_bones
from osteolib.screen.held_out_bones import scores_of_people
from osteolib.screen.read_people import read_by_bone
from osteolib.screen.readout import read_out
from osteolib.ssl.encoders import build_encoder

# %%
rows = segments.table
held = split_bones(rows, rows["y"], n_folds=N_FOLDS, seed=seed) != "train"
person = hands.set_index("subject_id")
truth = {"cortex": person["cortical_percentage"], "exposure": person["exposure"],
         "window": person["window_high"] - person["window_low"]}

# %%
def features(images, size, k):
    """Of the random encoder number k, shape (bones, features)."""
    torch.manual_seed(seed + k)
    return embed(build_encoder("resnet18-half"), images, size)


def ask(x, what):
    """The number that each held-out person's bones tell."""
    return read_by_bone(x, rows, truth[what][rows["subject_id"]], held)

# %%
def risk(x):
    """Probability of osteoporosis of each held-out bone, NaN for those that taught."""
    p = np.full(len(rows), np.nan)
    p[held] = read_out(x, rows["y"].to_numpy(int), ~held, held)
    return p

# %%
def told(images, size):
    """What all random encoders say on average: numbers by what was asked, and risk."""
    several = [features(images, size, k) for k in range(n_random)]
    said = {a: sum(ask(x, a) for x in several) / n_random for a in page.ASKED}
    numbers = {a: (truth[a][s.index].to_numpy(), s.to_numpy()) for a, s in said.items()}
    return numbers, scores_of_people(rows, np.stack([risk(x) for x in several]))


sizes = sorted({min(64, image_size), image_size})
answers = {f"{name}, {size} px": told(images, size)
           for size in sizes for name, images in pictures.items()}

# %% tags=["hide-input"]
from osteolib.report.comparison import compare_scores

known = page.compare_read({n: read for n, (read, _) in answers.items()}, n_boot, seed)
risks = {name: votes for name, (_, votes) in answers.items()}
y = next(iter(risks.values()))["y_true"]
pairs = [(n, n.replace("ranked", "as filmed")) for n in risks if n.startswith("r")]
screened = compare_scores(y, {n: v["y_score"] for n, v in risks.items()},
                          reference=pairs, n_boot=n_boot, seed=seed)
page.show_read(run, known, screened, n_random)

# %% [markdown]
# ```{admonition} What it means
# :class: important
# Where the ruler reads what a network does not, the question is not too hard: the cortex is in the view. What may drown it is grey
# that belongs to the film. Ranks are a step before the network and no augmentation: an augmentation of the light asks an encoder to
# *ignore* brightness and takes bone away with it, a rank removes what the film added. Real films have more to them, metal, tissue in front of the bone,
# letters burnt in: inside a mask those would take ranks, too. [Real hands](24_hand_control.ipynb) are asked what ranks do to them.
# ```
#
# ```{admonition} Deviations
# :class: note dropdown
# - **Ranks** are in neither hand paper. What their films went through before the network is not said.
# - **Areas of crops** are those of the method that both papers cite {cite:p}`caron2020_swav`; 40 to 100 % is ours, to compare with.
# - **The linear models** have a fixed penalty, not the papers' optimiser: they ask what is there, they do not screen.
# ```
#
# ```{admonition} Exercise
# :class: tip
# The square of a grey level is a rising curve, its distance from mid-grey is not. Predict for each whether ranks undo it, then
# compare ranks before and after on one bone without rounding.
# ```

# %% tags=["solution"]
from scipy.stats import rankdata

g = segments.images[first][segments.images[first] > 0] / 255
curves = {"square": g**2, "distance": np.abs(g - 0.5)}
same = {name: (rankdata(seen) == rankdata(g)).all() for name, seen in curves.items()}
print({name: bool(kept) for name, kept in same.items()})
assert same["square"] and not same["distance"]

# %% [markdown]
# **Take away.** Before asking for more people, ask a ruler what the network's input still holds, and take out of it what belongs to the
# film by construction.

# %% tags=["hide-input"]
provenance(run)
