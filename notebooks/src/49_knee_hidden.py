# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
#   osteolib:
#     minutes: {smoke: 1.5, quick: 3, long: 5, paper: 20}
#     needs: [knee-phantom, strnet-stage1]
#     after: [05_knee_phantom]
# ---
# %% [markdown]
# # Does a knee film hide its bone?
# *On hands, the exposure of the film drowned the bone until grey levels were replaced by their ranks. Are knees the same?*
#
# [The page on hands](43_hand_hidden.ipynb) found that features see how a film was taken before they see bone. The knee paper
# {cite:p}`strnet2026_knee` prepares its knees before the network (Section 2.2): it crops the lit field and stretches the grey
# levels. Does that take the film out already, or would ranks help here, too?
#
# **You will** ask frozen features of simulated knees for two numbers of the bone and two of the film, replace grey levels by ranks
# over the picture and over the bone alone, and ask real knees whether it changes a score. About three minutes (`quick`).

# %% tags=["parameters"]
profile: str = "quick"  # smoke, quick, long or paper: osteolib/profiles.yaml
seed: int = 0  # of the people, the halves, the folds and the bootstrap
feature_size: int = 160  # pixels along each side of a knee for the frozen features
n_phantoms: int | None = None  # simulated people; None: from the profile
n_folds: int | None = None  # folds of the real knees; None: from the profile
n_boot: int | None = None  # bootstrap replicates; None: from the profile

# %% tags=["hide-input"]
import osteolib
from osteolib.report import knee_hidden_page as page
from osteolib.report import load_or_explain, provenance

run = osteolib.start(globals(), "49_knee_hidden")
phantom = load_or_explain(run, "knee-phantom", n_subjects=n_phantoms, seed=seed)

# %% [markdown]
# ## Three kinds of grey
#
# A display shows $w(e \cdot x)$ of what reaches the detector, $x$: exposure $e$ and window $w$ belong to the film, and both rise with $x$.
# Stretching between two percentiles takes out every *straight* line $a x + b$. Ranks take out every *rising* curve, and with it
# whatever the bone shared with it. Over the whole picture the share of soft tissue and of background decides which rank
# a bone gets. Inside the bone nothing but bone does; only a phantom knows that outline.

# %%
from osteolib.screen.knee_folds import knee_images
from osteolib.screen.knee_grey import kinds_of_grey, photograph_features
from osteolib.screen.phantom_control import true_regions

knees = phantom.subjects
bone, _ = true_regions(knees, feature_size)
kinds = kinds_of_grey(knee_images(knees, feature_size), bone)
features = {kind: photograph_features(images) for kind, images in kinds.items()}

# %% tags=["hide-input"]
page.show_pictures(run, kinds, knees["exposure"].to_numpy())

# %% [markdown]
# ## What features tell of bone and of film
#
# The encoder is an EfficientNet-Lite0 of photographs, which nobody trains further. Half of the people teach one linear model for
# each number, the knees of the others are read.

# %%
from osteolib.cohorts import bone_loss
from osteolib.phantoms.knee.truth import attainable_auroc
from osteolib.screen.knee_grey import told_of_knees

truth = knees.assign(window=knees["window_high"] - knees["window_low"],
                     y=bone_loss(knees["label"]))
told, asked = {}, truth[list(page.ASKED)]
for kind, x in features.items():
    told[kind], held = told_of_knees(x, knees, asked, truth["y"], seed)

# %% tags=["hide-input"]
read, risk = page.compare_told(told, truth[held], n_boot, seed)
page.show_told(run, read, risk, attainable_auroc("A", seed=seed), int(held.sum()))

# %% [markdown]
# What is told of the exposure after stretching may come from noise and from where the detector saturates: no rising curve undoes those.
# And a gain by ranks is no proof that exposure was the trouble. Ranks also spread the contrast over all grey levels, which an encoder of
# photographs reads; and they take away, for how bright a bone is beside soft tissue is mineral, too.
#
# ## Real knees
#
# On the films of Stage 1 neither exposure nor density is known. What can be asked: does the score split by source film
# change, and can the brightness of the knee as prepared still be told?

# %% tags=["hide-input"]
stage1 = load_or_explain(run, "strnet-stage1")

# %%
import numpy as np
from osteolib.screen.copies import FREE, HELD, out_of_fold_scores
from osteolib.screen.copy_splits import folds_by, knee_pixels
from osteolib.screen.knee_grey import PREPARED
from osteolib.screen.readout import read_out

real = stage1.subjects
pictures = kinds_of_grey(knee_pixels(real, feature_size))
seen = {kind: photograph_features(images) for kind, images in pictures.items()}
scores = {model: {} for model in (HELD, FREE)}
for kind, x in seen.items():
    said = out_of_fold_scores(real, dict.fromkeys(scores, x), "film", n_folds, seed)
    for model in scores:
        scores[model][kind] = said[model].to_numpy()

# %%
bright = {"truth": pictures[PREPARED].mean(axis=(1, 2))}
fold = folds_by(real, "film", n_folds, seed)
for kind, x in seen.items():
    bright[kind] = np.empty(len(real))
    for k in range(n_folds):
        bright[kind][fold == k] = read_out(x, bright["truth"], fold != k, fold == k)

# %% tags=["hide-input"]
page.show_real(run, bone_loss(real["label"]), scores, bright,
               real["source_group"].to_numpy(str), n_boot, seed)

# %% [markdown]
# ```{admonition} What it means
# :class: important
# Ask of a preparation which curves it undoes, and of features what they still tell of the film. The bones of the hands were cut out
# and nothing more; a knee is stretched before the network sees it. A mask decides whose ranks they are: over a whole picture,
# a thick thigh moves the ranks of the bone; inside the bone its brightness against the tissue is gone.
# ```
#
# ```{admonition} Deviations
# :class: note dropdown
# - **Ranks** are in no version of the knee paper.
# - **Frozen features** of photographs stand for a network here. What a trained one reads is [asked of its heat maps](07_knee_heatmaps.ipynb)
#   and on [the phantom](05_knee_phantom.ipynb).
# - **Linear models** have a fixed penalty for risks and one chosen on the teaching half for numbers.
# - **Real knees** have no outline of the bone here, so ranks are of the whole picture. Labels are those of the folders.
# ```
#
# ```{admonition} Exercise
# :class: tip
# Which of these does the stretch between percentiles undo, and which do ranks: $2x + 10$, $x^{0.5}$, $255 - x$? Try them on one knee.
# ```

# %% tags=["solution"]
from scipy.stats import rankdata

def stretch(g):
    return (g - g.min()) / np.ptp(g)

x = 1 + kinds[PREPARED][0].astype(float)
curves = {"2x + 10": 2 * x + 10, "root": np.sqrt(x), "255 - x": 255 - x}
by_stretch = [name for name, g in curves.items() if np.allclose(stretch(g), stretch(x))]
by_rank = [name for name, g in curves.items() if (rankdata(g) == rankdata(x)).all()]
print(f"a stretch undoes {by_stretch}, ranks undo {by_rank}")
assert by_stretch == ["2x + 10"] and by_rank == ["2x + 10", "root"]

# %% [markdown]
# **Take away.** Exposure is a nuisance that a preparation can remove by construction; check that it did, on films whose exposure is
# known, before an augmentation is asked to.

# %% tags=["hide-input"]
provenance(run)
