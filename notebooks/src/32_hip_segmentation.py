# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
#   osteolib:
#     minutes: {smoke: 0.6, quick: 5, long: 40, paper: 120}
#     trains: 1
#     needs: [hip-phantom, knee-phantom, hand-phantom]
#     records: [hip-outlines-0]
# ---
# %% [markdown]
# # Where is the hip?
# *Before any T-score there is a contour. How good must it be, and what is lost on the way to it?*
#
# The hip study {cite:p}`chen2024_hip` lets a Mask R-CNN {cite:p}`he2017_maskrcnn` mark three things on a film of the pelvis:
# femur, artificial joint, screws. The femur's contour gives a pair of squares, one a hip, that all further networks see (Fig. 1b);
# hips with metal are left out. The paper asks for an overlap of more than 0.97 for femur and joint and 0.95 for screws. What was
# reached stands in its Table 2, whose numbers the text that we have does not hold. **Everything here is measured on simulated
# films**, where the true masks are known.
#
# **You will** turn a required overlap into millimetres, train a Mask R-CNN in two minutes, cut the squares, count what the rule
# on metal leaves out, and show the network films it was not made for. Five minutes to run (`quick`), thirty to work through.

# %% tags=["parameters"]
profile: str = "quick"  # smoke, quick, long or paper: osteolib/profiles.yaml
seed: int = 0  # seed of people, weights and bootstrap
n_hip_people: int | None = None  # one film of both hips each; None: from the profile
film_width: int | None = None  # pixels; None: from the profile
mask_epochs: int | None = None  # of 96 half films; None: from the profile
backbone: str | None = None  # resnet18 or resnet50; None: from the profile
n_boot: int | None = None  # bootstrap replicates; None: from the profile

# %% tags=["hide-input"]
import osteolib
from osteolib.report import hip_segmentation_page as page
from osteolib.report import load_or_explain, provenance
from osteolib.report.hip_outlines_recorded import show_recorded
from osteolib.report.hip_paper import published_hip
from osteolib.report.hip_strange import show_strange

run = osteolib.start(globals(), "32_hip_segmentation")
paper = published_hip()
cohort = load_or_explain(run, "hip-phantom", n_subjects=n_hip_people, seed=seed,
                         film_width=film_width, preset="chen2024")

# %% [markdown]
# ## What does 0.97 ask for?
#
# Overlap is intersection over union of the found mask $A$ and the true one $B$. Let a contour lie a distance $d$ too far inside
# everywhere. What is lost is a rim, $d$ times the perimeter $P$, of an area $|B|$:
#
# $$ \mathrm{IoU} = \frac{|A \cap B|}{|A \cup B|} \approx 1 - d\, \frac{P}{|B|}
# \qquad\Rightarrow\qquad d_{\max} \approx (1 - \mathrm{IoU}_\text{required})\, \frac{|B|}{P} . $$
#
# A disc of 48 mm, as wide as a femoral head, and a rod of 7 mm, drawn finely:

# %%
import numpy as np
from osteolib.segment.hip_judged import outline_room

y, x = np.mgrid[-40:40:0.1, -40:40:0.1]  # mm
disc, rod = np.hypot(x, y) < 24, (abs(x) < 3.5) & (abs(y) < 38)
print(f"disc {outline_room(disc, 0.1, 0.97):.2f} mm, r/2 x 0.03 = {12 * 0.03:.2f}")
print(f"rod  {outline_room(rod, 0.1, 0.95):.2f} mm")

# %% tags=["hide-input"]
from osteolib.segment.mask_rcnn import sized

hips = cohort.subjects
recipe = sized(film_width, backbone, mask_epochs, seed)
page.show_room(run, hips.head(60), page.required(paper), recipe.columns)

# %% [markdown]
# ## The network
#
# A ResNet with a feature pyramid looks at half a film, a hip at a time, left hips mirrored. A proposal network says where something
# might be; each proposal gets a class, a corrected box and a mask of its own. Five terms are learned together:
#
# $$ \mathcal{L} = \underbrace{\mathcal{L}_\text{objectness} + \mathcal{L}_\text{box}^\text{RPN}}_{\text{proposals}}
# + \mathcal{L}_\text{class} + \mathcal{L}_\text{box} + \mathcal{L}_\text{mask} . $$
#
# A third of the people is kept for the test, among them those on whom [the pipeline](33_hip_pipeline.ipynb) is tested. Hips with
# metal are few, so the network is shown as many with a joint, and with screws, as free ones.

# %%
from osteolib.screen.hip_parts import held_out
from osteolib.segment.hip_instances import hip_halves
from osteolib.segment.hip_judged import judged_hips
from osteolib.segment.mask_rcnn import load_mask_rcnn, trained_mask_rcnn

new = held_out(hips, seed)  # both hips of a person, or none
train, test = hips[~new], hips[new]
halves = hip_halves(cohort, recipe.columns).take(~new)
folder = trained_mask_rcnn(halves, recipe)
model = load_mask_rcnn(folder, recipe)
judged = judged_hips(model, test, recipe.columns)

# %% tags=["hide-input"]
page.show_training(run, folder, recipe, train, test)
films = page.seen(model, page.examples(test), recipe.columns)
page.show_films(run, films)

# %% [markdown]
# ## How well does it outline?
#
# One dot a test hip. A network mask of 56 × 56 pixels is stretched over a box; finer than that it cannot draw. A thing that was
# missed counts as 0.

# %% tags=["hide-input"]
compared = page.show_overlap(run, judged, paper, n_boot, seed)
page.show_paper(run, judged, train, compared, paper)
show_recorded(run, "hip-outlines-0", compared, paper, n_boot, seed)

# %% [markdown]
# ## The squares
#
# How far a square reaches is not printed. Here its side is 1.15 times the width of the proximal femur, from the inner edge of the
# head to the outer edge of the greater trochanter, and it begins just above the head. So it holds head, neck and both trochanters,
# however much of the shaft a film shows.

# %%
from osteolib.segment.hip_squares import hip_square

pixels, truth, found = films[0]
right = hip_square(truth & 1 > 0, "right")
print("found:", found[0].square, " by the true mask:", right)

# %% tags=["hide-input"]
page.show_squares(run, films, judged)

# %% [markdown]
# A square hangs on a few places of the contour: the top and the inner edge of the head, the outer edge of the trochanter. Where
# these are right, the rest of an outline may be off and nothing is lost; where one is off, so is the square, whatever the IoU
# says. Only where the background is blackened out, as in one of the paper's augmentations, do later networks see the contour
# itself.
#
# ## Metal
#
# The paper leaves out hips with implants, deformity, severe osteoarthritis. Here metal is the only obstacle, and the network's
# own flag decides: a hip is left out if a joint or screws are found with a score of at least ½.

# %% tags=["hide-input"]
page.show_exclusion(run, judged, n_boot, seed)

# %% [markdown]
# In a hospital the two groups may well differ. Nails and many joints follow a broken hip, which weak bones have more often. If so,
# leaving them out leaves out low T-scores, and the share of hips that can be read is part of the result.
#
# ## Films it was not made for
#
# A film with one hip blanked, an empty one, knees {cite:p}`strnet2026_knee` and hands {cite:p}`lee2025_hand` from two other
# phantoms. A detector has no class *something else*: it names the likeliest of what it knows. So its answers are asked once more.
# How sure is it? Where in its half of the film does the femur lie, how large is it, how full is the square? Where is the largest
# circle in the upper inner corner, where a head must be, and how wide? These nine numbers $z$, each divided by its SD over the
# films that trained the detector, are held against those of the five nearest hips of the training. A hip goes on if
#
# $$ d(z) = \frac{1}{5} \sum_{k=1}^{5} \lVert z - z_{(k)} \rVert \le d_{95} , $$
#
# where 95 % of the training hips are as near to their five nearest on other films. No other bone has a part in that line.

# %%
from osteolib.radiograph import read_radiograph
from osteolib.segment.mask_rcnn import find_hips


def seen(path):
    film = read_radiograph(path).pixels
    return film.shape, find_hips(model, film, recipe.columns)


trained_on = [seen(path) for path in train["path"].unique()]  # the usual

# %% tags=["hide-input"]
knees = load_or_explain(run, "knee-phantom", n_subjects=20, seed=seed + 1)

# %% tags=["hide-input"]
hands = load_or_explain(run, "hand-phantom", n_subjects=20, seed=seed + 1)

# %% tags=["hide-input"]
pelves = [read_radiograph(path).pixels for path in test["path"].unique()]
blanked = [np.where(np.arange(film.shape[1]) < film.shape[1] // 2, film, 0)
           .astype(np.uint8) for film in pelves[:5]]
legs, palms = ([read_radiograph(path).pixels for path in some.subjects["path"].unique()]
               for some in (knees, hands))
show_strange(run, model, trained_on, {
    "pelves of the test": pelves, "pelvis, left hip blanked": blanked,
    "black": [np.zeros_like(pelves[0])], "simulated knees": legs,
    "simulated hands": palms}, recipe.columns)

# %% [markdown]
# Such a line knows the framing, the detector and the bones it was drawn on. On another hospital's films it must be drawn anew,
# and a bone that happens to lie, and to be drawn, as a hip does would pass. The view that stands in a file's header should be
# read first.
#
# Folded here: the course of the training, and all overlaps.

# %% tags=["hide-input", "hide-output"]
page.show_loss(run, folder)
page.show_overlap_table(run, judged, compared)

# %% [markdown]
# ```{admonition} Deviations, and what is not printed
# :class: note dropdown
# - **Size, depth, training**: not printed. `quick` has to learn in two minutes on one core, so the network is a ResNet-18 with
#   narrow heads and few proposals, from random weights; `paper` takes a ResNet-50 with torchvision's widths.
# - **Half films.** The paper shows one film with two contours. Half a film, mirrored where it is a left hip, costs half as much and
#   leaves one pose to learn. It assumes that each hip lies in its half, as it does in the phantom.
# - **One instance a class and hip.** Boxes of parallel screws overlap so far that all but one are suppressed. Whether a hip has
#   screws is the question, not how many.
# - **Batch norm is trained.** Detectors usually freeze it, with statistics from ImageNet; there are none here.
# - **Metal is shown more often than it occurs**, two times in three instead of one in seven. This was set after a first run that
#   showed it one time in three: that network found none of the screws among the test hips.
# - **Batches of 2** were chosen after a look as well: on other simulated films the first epoch's loss fell faster than in batches
#   of 4, for the same work.
# - **The phantom's bones** are one pelvis and one femur, varied. No arthritis, no fracture: contours are easier here than in a
#   hospital. Where metal covers bone, the true mask of the femur goes on underneath.
# - **Who is tested** was first drawn by hips with metal; later by the study of the next page, so that its test hips are new to
#   both networks.
# - **What is asked of a hip** was settled after a look at twenty other knees and hands, and at the test hips of seed 0: a normal
#   cloud in place of neighbours let many half knees pass. The line itself saw films of the training alone.
# - **Nobody looks.** In the paper medical personnel confirm each outline before the T-score; here the network alone decides.
# - **A check of the method**, written before the first run: of each class at least 95 % of test hips must be found with an IoU of at
#   least 0.5. It stands on the scorecard as passed or failed.
# ```
#
# ```{admonition} Exercise
# :class: tip
# A square of 100 × 100 pixels is found one pixel too far to the right. What is its IoU? How far may it be shifted before 0.97 is
# lost, and how far if it had 20 × 20? Work it out before you look.
# ```

# %% tags=["solution"]
from osteolib.segment.hip_judged import overlap


def shifted(side, by):
    film = np.zeros((side, side + 10), bool)
    film[:, :side] = True
    return overlap(film, np.roll(film, by, axis=1))


# (s - d) / (s + d) > 0.97 means d < s x 0.03 / 1.97: 1.5 pixels of 100, 0.3 of 20
print(f"{shifted(100, 1):.3f} and {shifted(100, 2):.3f}; of 20: {shifted(20, 1):.3f}")
assert shifted(100, 1) > 0.97 > shifted(100, 2) and shifted(20, 1) < 0.91

# %% [markdown]
# **Take away.** An overlap is no length. Ask what a required IoU means in millimetres for the thing at hand, and whether the next
# step needs it. Count the hips that a rule leaves out as part of the result.

# %% tags=["hide-input"]
provenance(run)
