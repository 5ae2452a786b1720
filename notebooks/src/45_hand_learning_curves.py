# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
#   osteolib:
#     minutes: {smoke: 0.7, quick: 1, long: 1, paper: 5}
#     needs: [hand-phantom]
#     after: [22_hand_ssl]
#     records: [hand-taught-0, hand-untaught-0]
# ---
# %% [markdown]
# # How many people does it take?
# *Before a study is planned: what would twice as many labelled people bring, and what would films without labels?*
#
# The hand papers {cite:p}`lee2023_hand,lee2025_hand` have 192 people with a hand film and a bone density, and report that a network
# taught with these labels fails while one that was pre-trained without labels succeeds. Whether that is a property of the method
# or of the number 192 cannot be asked of private films. On simulated hands it can: there are as many people as are asked for, and the best that
# any reader could do with the film is known.
#
# **You will** see how much luck a small training set is, read learning curves from 12 to 3,072 people that took hours to make, fit
# the law they follow, ask whether pre-training saves labels, and try to foretell the large from the small. About a minute (`quick`); the
# trainings are recorded.
#
# Simulated hands throughout: what is counted here are people *of this phantom*, whose link from bone density to cortex is an
# assumption.

# %% tags=["parameters"]
profile: str = "quick"  # smoke, quick, long or paper: osteolib/profiles.yaml
seed: int = 0  # of the hands made on this page, the drawings and the bootstrap
image_size: int | None = None  # pixels along a side of a bone; None: from the profile
backbone: str | None = None  # None: from the profile
n_boot: int | None = None  # bootstrap replicates; None: from the profile
n_drawings: int = 8  # of small training sets

# %% tags=["hide-input"]
import numpy as np
import osteolib
import torch
from osteolib.report import hand_curves_gain as gain, hand_curves_page as page
from osteolib.report import load_or_explain, provenance
from osteolib.segment.bones import film_rows

run = osteolib.start(globals(), "45_hand_learning_curves")
teachers, others = (
    load_or_explain(run, "hand-phantom", preset="lee2025", seed=seed + k,
                    size=film_rows(image_size)) for k in (0, 1))

# %% [markdown]
# ## A small training set is a draw of a lottery
#
# Take an encoder with random weights, which knows nothing and costs nothing, and teach a linear layer on its features with few people.
# Draw these few several times out of 192, and score the same 192 others each time.

# %%
from osteolib.screen.bone_probe import embed
from osteolib.screen.hand_grid import cut_segments, grid_recipe, with_grey
from osteolib.ssl.encoders import build_encoder

torch.manual_seed(seed)
recipe = grid_recipe("simclr", "large", seed, backbone, 1, image_size)
encoder, rows, x = build_encoder(recipe.encoder), {}, {}
for name, people in (("old", teachers), ("new", others)):
    bones = with_grey(cut_segments(people, image_size), "ranked")
    rows[name] = bones.table
    x[name] = embed(encoder, bones.images, recipe.crops[0].size)

# %%
old, new = rows["old"], rows["new"]
label = old.groupby("subject_id")["y"].first()


def drawn(n_people, draw):
    """People at random, as many of each class as the 192 have."""
    rng = np.random.default_rng([seed, draw])
    return np.concatenate([
        rng.choice(own.index, round(n_people * len(own) / len(label)), replace=False)
        for _, own in label.groupby(label)])


# %%
from osteolib.screen.bone_probe import vote
from osteolib.screen.readout import read_out
from sklearn.metrics import roc_auc_score

features, y = np.vstack([x["old"], x["new"]]), np.append(old["y"], new["y"])
asked = np.repeat([False, True], [len(old), len(new)])


def auroc_after(people):
    """Teach a linear layer with these people's bones, and score the others."""
    seen = np.append(old["subject_id"].isin(people), np.zeros(len(new), bool))
    votes = vote(new["subject_id"], new["y"], read_out(features, y, seen, asked))
    return roc_auc_score(votes["y_true"], votes["y_score"])


# %%
by_size = {n: [auroc_after(drawn(n, d)) for d in range(n_drawings)]
           for n in (24, 48, 96)}

# %% tags=["hide-input"]
gain.show_luck(run, by_size)

# %% [markdown]
# A paper has one drawing. If it compares two methods on it, at least both have the same luck; its headline number has one lucky or
# unlucky draw in it that no resampling of test people can show.
#
# ## Curves
#
# The same question at sizes that take hours: bones of up to 3,072 people, sets that lie within one another, the mean over several drawings
# where people suffice, and always the same new people to score. Two kinds of learners:
#
# - a network **taught as a whole**: from random weights, on bones whose grey levels are [ranked](43_hand_hidden.ipynb), or on the same
#   bones as filmed; or from an encoder that was pre-trained without labels (fine-tuned);
# - a **frozen** encoder on ranked bones, and a linear layer with the labels. The encoder learned from views of the bones of 3,072 people
#   without a label, or from photographs, or not at all.

# %% tags=["hide-input"]
curves = page.recorded_curves(run, n_boot, seed)
page.show_curves(run, curves)

# %% [markdown]
# Read each curve against two lines. The dashed one is all that the film holds; no number of people lifts a curve over it. It lies a
# little too high for any of these: bones that are cut out and drawn to one size no longer show how large the hand is, nor the flesh
# around it. The other line is a ruler: a curve below it has not learned to measure what anyone can measure.
#
# ## The law of a curve, and how many people it takes
#
# What is missing to the attainable AUROC $A$ falls about as a power of the number of people $n$
# {cite:p}`figueroa2012`, down to a floor $c$ that this network will not pass:
#
# $$ A - \mathrm{AUROC}(n) = c + a\, n^{-b}, \qquad a, c \ge 0 . $$
#
# Solved for $n$ it says how many people a share $s$ of the attainable takes: $c + a\, n^{-b} = (1 - s)\,(A - \tfrac12)$.

# %% tags=["hide-input"]
page.show_needed(run, curves)

# %% [markdown]
# The intervals resample the people who are scored, and let each replicate draw its own curve. Where one end lies far beyond what was
# tried, the data do not say how many people it takes, and an honest answer is that end and not the middle.
#
# ## Does pre-training save labels?
#
# The case for learning without labels is that it pays where labels are few. So subtract the network taught from random weights on
# the very same people:

# %% tags=["hide-input"]
gain.show_gain(run, curves)

# %% [markdown]
# And what do more films without labels bring, if each encoder may take as many steps? With few people, the same bones come more often.

# %% tags=["hide-input"]
gain.show_unlabelled(run, curves)

# %% [markdown]
# ## What this says of patients, and what it does not

# %% tags=["hide-input"]
gain.show_meaning(run, curves)

# %% [markdown]
# The numbers stay with the phantom. How strongly a hand film knows the hip is set in its settings, from published correlations; real films
# vary in more ways, which takes more people, and may hold more than a cortex. The way of asking carries over: a hospital that has 200 labelled films
# can teach with 50, 100 and 200 of them and see which of these pictures it is in before it collects a thousand.
#
# ```{admonition} Deviations
# :class: note dropdown
# - **No paper** has such a curve. The grey line marks the 154 people, eight tenths of 192, that train in the hand papers.
# - **Views** are those of the recipe that learns, large ones: see [the page on four methods](22_hand_ssl.ipynb).
# - **One seed** of each training; up to three drawings for small sets, one for large ones. Intervals know of neither.
# - **Steps.** A taught network takes 200 steps or two passes over its people, whichever is more; each pre-training takes as many steps as two
#   passes over 3,072 people take.
# - **The linear layer** chooses its penalty by cross-validation over all labelled people. That of the hand papers, on the page named above, sets
#   people aside to choose an epoch.
# - **Size.** Half-width ResNet-18 on views of 64 and 96 pixels; people beyond 3,072, three seeds and the knee phantom have no record here.
# ```
#
# ```{admonition} Exercise
# :class: tip
# A hospital has 384 people and asks what 3,072 would bring. Fit the law to the sizes up to 384 of the network taught from random
# weights and foretell the AUROC at 3,072. Predict first: will the forecast be too high or too low? Then compare.
# ```

# %% tags=["solution"]
forecast = made = low = high = np.nan  # without a record there is nothing to foretell
if curves is not None:
    law, replicates = curves.fit("supervised", most=384)
    forecast = curves.attainable - float(law.error([3072])[0])
    spread = curves.attainable - replicates.error([3072])
    low, high = np.quantile(spread, (0.025, 0.975))
    made = curves.estimate("supervised", 3072)[0]
    print(f"forecast {forecast:.2f} ({low:.2f} to {high:.2f}), made {made:.2f}")
# a forecast from few sizes can be wrong by a lot, and its interval says so
assert curves is None or abs(forecast - made) < max(high - low, 0.1)

# %% [markdown]
# **Take away.** Plan with a curve, not with a point: teach with a quarter and a half of the people you have, see whether the curve still
# rises, and ask first what the picture hides. A step before the network can be worth more than many people.

# %% tags=["hide-input"]
provenance(run)
