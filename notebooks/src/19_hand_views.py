# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
#   osteolib:
#     minutes: {smoke: 0.8, quick: 0.5, long: 0.6, paper: 8}
#     needs: [hand-phantom]
# ---
# %% [markdown]
# # Crops that hold bone
# *A crop of a photograph nearly always shows something. What does a crop of a masked bone show?*
#
# Self-supervised learning compares views of one image: it should find that two crops of the same bone belong together.
# *Multi-crop* {cite:p}`caron2020_swav` takes two large and several small ones. On a bone that is cut out of its film most
# of the image is zero, so many small crops are black, and two black crops are alike whatever bone they come from. Both hand
# papers {cite:p}`lee2023_hand,lee2025_hand` therefore draw a crop anew until at least 10 % of its pixels are not zero: the
# *extended* multi-crop.
#
# **You will** cut seven bones out of phantom hands, see both kinds of views side by side, count how often the
# conventional ones are empty, and check that a sampler which never renders a rejected crop draws from the same law as
# the loop. Under a minute to run (`quick`).
#
# Everything here is counted on simulated hands with their true masks. It says what the rule does to images of
# this kind, not how well anything is diagnosed.

# %% tags=["parameters"]
profile: str = "quick"  # smoke, quick, long or paper: osteolib/profiles.yaml
seed: int = 0  # seed of the hands, the views and the bootstrap
image_size: int | None = None  # films have five times the rows; None: from the profile
n_boot: int | None = None  # bootstrap replicates; None: from the profile
n_hands: int = 48  # of the 192 simulated hands
n_views: int = 12  # views drawn of each bone, of each size and kind, for the counts
bone_size: int = 256  # pixels along each side of a bone image

# %% tags=["hide-input"]
import numpy as np
import osteolib
import pandas as pd
import torch
from osteolib.phantoms.hand.truth import read_masks
from osteolib.radiograph import read_radiograph
from osteolib.report import figure, hand_views, load_or_explain, provenance, say
from osteolib.segment.bones import bone_images, film_rows
from osteolib.views.multicrop import CROPS, PRESETS, Crop, place, sums_along_rows
from osteolib.views.rejection import sampled_boxes, shares_without_content
from osteolib.views.rejection import turned, views_and_contents
from torchvision.transforms import RandomResizedCrop

run = osteolib.start(globals(), "19_hand_views")
hands = load_or_explain(run, "hand-phantom", preset="lee2025", seed=seed,
                        size=film_rows(image_size)).subjects.head(n_hands)

# %% [markdown]
# ## Seven bones
#
# The image $x$ is multiplied pixel by pixel with the mask $m_b$ of each bone (a Hadamard product) and cut to a square around
# it:
#
# $$ x_b = \mathrm{crop}_b \left( x \odot m_b \right), \qquad
# b \in \{\text{ulna}, \text{radius}, \text{M1}, \dots, \text{M5}\} . $$
#
# A bone that is cut off or broken into pieces counts as missing, with the reason; none is made up.

# %%
cut = [bone_images(read_radiograph(row.path).pixels / 255,
                   read_masks(row.masks_path, row.image_id), bone_size)
       for row in hands.itertuples()]
pairs = [(hand, name) for hand, c in enumerate(cut) for name in c.images]
segments = pd.DataFrame(pairs, columns=["hand", "bone"])
bones = torch.tensor(np.stack([i for c in cut for i in c.images.values()]))[:, None]

# %% tags=["hide-input"]
filled = (bones > 0).float().mean((1, 2, 3)).numpy()
hand_views.record_bones(run, cut, segments["bone"], filled)
say(run, "{n_hands} hands give {n_bones} bone images; {n_missing} bones are missing "
    "({reasons}). In the median image {filled:.0%} of the pixels are not zero: from "
    "{least:.0%} ({least_bone}) to {most:.0%} ({most_bone}).")

# %% [markdown]
# The counterpart of Figure 3 (top) of the journal version: squares on the film, and what they hold.

# %% tags=["hide-input"]
pick = hand_views.clear_hand(hands, cut)
film = read_radiograph(hands["path"].iloc[pick]).pixels
figure(run, "bones", hand_views.bones_figure(film, cut[pick]), alt="A simulated hand "
       "with seven coloured squares and the masked bone images that they hold.")

# %% [markdown]
# ## Views, conventional and extended
#
# A view is a bone turned, mirrored, shifted and relit, then cut and resized. The counterparts of Figure 3 (bottom) of the
# journal version and Figures 1b and 1e of the short paper: one global and five local views of four bones. Both kinds start from
# the same random numbers, so they differ only where the first box has too little content: those boxes have
# red frames and are replaced.

# %%
AREAS = {crop.size: crop.scale for crop in CROPS}
LOCAL = Crop(5, 96, AREAS[96])
SHOWN = ["radius", "M1", "M2", "M5"]
row_of = segments.reset_index().set_index(["hand", "bone"])["index"]
four = bones[[row_of[pick, name] for name in SHOWN]]

FIGURE = (Crop(1, 224, AREAS[224]), LOCAL)
kinds = {kind: views_and_contents(four, FIGURE, PRESETS["lee2025"], least, seed + 3)
         for kind, least in (("conventional", 0), ("extended", 0.1))}

# %% tags=["hide-input"]
figure(run, "views", hand_views.views_figure(kinds, SHOWN), alt="Views of four bones, "
       "conventional and extended; those with less than 10 % bone have red frames.")

# %% [markdown]
# ## How often is a conventional crop empty?
#
# Many views of every bone, placed and counted but not rendered. *Content* is the share of non-zero pixels in the turned
# box before resize. Intervals resample hands with all their bones.

# %%
sums = sums_along_rows(bones)


def count(size, least, preset="lee2025"):
    """Content of n_views of every bone, (bones, views); the same draws each time."""
    same, crop = torch.Generator().manual_seed(seed), Crop(n_views, size, AREAS[size])
    placed = place(sums, same, crop, PRESETS[preset], least)
    return np.stack([p.content.numpy() for p in placed], 1)


contents = {(size, kind): count(size, least) for size in AREAS
            for kind, least in (("conventional", 0), ("extended", 0.1))}

# %% tags=["hide-input"]
drawn = {size: contents[size, "conventional"] for size in AREAS}
counted = shares_without_content(drawn, segments, min(n_boot, 1000), seed)
figure(run, "content", hand_views.content_figure(contents, segments["bone"]),
       alt="Histograms of the content of global and local crops by bone, conventional "
       "and extended, with the bound at 10 %.")
hand_views.show_counts(run, counted, contents[96, "conventional"])
say(run, "Of the conventional **local** crops **{local_empty:.0%} are empty** and "
    "{local_low:.0%} hold less than 10 % bone, most often empty for {worst} "
    "({worst_share:.0%}), least for {best} ({best_share:.0%}); of the global ones "
    "{global_empty:.1%} and {global_low:.1%}. Two local views of one bone are both "
    "empty in {both_empty:.0%} of pairs.")

# %% [markdown]
# Both papers draw anew because crops of bones are often empty. How often depends on the square (here 1.1 times the longer
# side of the bone) and on the areas, and the papers print neither.
#
# ## The law of the loop, without the loop
#
# The papers draw area, ratio and position, look, and start again until there is enough bone. Let a size $s$ be drawn with
# probability $q(s)$, let it have $N(s)$ positions in the image, of which $a(s)$ hold enough bone. Then the loop ends in
# an allowed box at position $p$ with
#
# $$ P(s, p) \;\propto\; \frac{q(s)}{N(s)} \, \mathbf{1}\!\left[\text{content}(s, p) \ge 0.1\right]
# \;=\; q(s)\, \frac{a(s)}{N(s)} \cdot \frac{1}{a(s)}\, \mathbf{1}\!\left[\,\cdot\,\right] . $$
#
# So one may accept the size with its share $a(s)/N(s)$ of allowed positions and then take one of these uniformly. Counting
# one uniform position does both. The sampler counts content in the *unturned* bone, by sums along its rows, and renders only the
# box that stands. The loop below does what the papers say: turn the image, draw, look, draw again.

# %%
def loop(bone, crop, rng, preset=PRESETS["lee2025"], least=0.1):
    """Draw until enough is not zero; content, height, middle of the box, tries."""
    source = turned(bone, rng, preset)
    for tries in range(1, 4097):
        y, x, tall, wide = RandomResizedCrop.get_params(source, crop.scale, crop.ratio)
        held = float((source[..., y:y + tall, x:x + wide] > 0).float().mean())
        if held >= least:
            return held, tall, x + wide / 2, y + tall / 2, tries


# %% tags=["hide-input"]
torch.manual_seed(seed)
rng = np.random.default_rng(seed)
n_draws = 200 * n_views
m2 = bones[row_of[pick, "M2"]]
looped = np.array([loop(m2, LOCAL, rng) for _ in range(n_draws)])
exact = sampled_boxes(m2, Crop(1, 96, AREAS[96]), PRESETS["lee2025"], 0.1, n_draws,
                      seed + 1)
hand_views.show_law(run, looped, exact)
say(run, "{n_draws} local boxes on one M2, by the loop and by the sampler. The largest "
    "Kolmogorov–Smirnov distance of the four curves is {largest_d:.3f} (smallest p = "
    "{smallest_p:.2f}); from {seen:.3f} on, one of them would count as a difference at "
    "the 5 % level. The loop needed {mean_tries:.1f} tries on average, at most "
    "{most_tries}.")

# %% [markdown]
# Equal curves are no proof of equality, and four tests give a small p by chance more often than one. The proof is the equation;
# the curves guard against an error in the code. Where no box can be found at all, the sampler does not run for ever: after 4,096
# boxes it says which image holds too little.
#
# ## Four or five local views, and two recipes
#
# The text of the journal version says four local views, the caption of its Figure 3 five, the short paper four. The loss sums
# over the two global targets and all other views,
#
# $$ L = \sum_{i \in \{1, 2\}} \; \sum_{v=1}^{V+2} \mathbf{1}_{v \ne i}\; \ell(z_v, z_i) , $$
#
# so $V$ local views give $2 (V + 1)$ terms, and every view must pass the encoder: a fifth adds $96^2$ to $2 \cdot 224^2 + 4 \cdot 96^2$
# pixels, 7 %. The contradiction is small; this book follows the text, four.
#
# The recipe also changed between the papers: ±20° and flips in the short one; ±30°, shifts of ±10 %, and brightness and
# contrast from 50 to 150 % in the journal version. Their results are not on the same recipe, so what the pre-training
# gained between them is not due to one thing.

# %% tags=["hide-input"]
by_recipe = {("lee2025", size): contents[size, "conventional"] for size in AREAS}
by_recipe |= {("lee2023", size): count(size, 0, "lee2023") for size in AREAS}
hand_views.show_recipes(run, bones, m2[None], by_recipe, segments["hand"],
                        min(n_boot, 1000), seed)
say(run, "From the earlier to the later recipe "
    "the share of local crops under 10 % changes by {change:+.1f} percentage points "
    "(95 % CI {change_low:+.1f} to {change_high:+.1f}). And light can go too far: in "
    "{white:.1%} of {n_lit} whole views of the later recipe more than half of the bone "
    "is pure white, a silhouette ({white_before:.1%} of the bones themselves).")

# %% [markdown]
# ```{admonition} Deviations, and what the papers leave open
# :class: dropdown note
# - **Areas.** Neither paper prints the areas of the crops. Those of SwAV {cite:p}`caron2020_swav` are taken: 14 to 100 % for
#   global and 5 to 14 % for local views, ratios from 3/4 to 4/3. Every share on this page depends on them.
# - **Content** is counted before resize, on the box in the turned image. The papers do not say where they count. After resize
#   the edges blur and a little more is non-zero.
# - **Ten tries for a size.** As in torchvision, a size that does not fit is drawn anew up to ten times; then the largest
#   central box is taken. With squares it hardly ever happens.
# - **Light on bone alone.** Brightness and contrast change the bone's pixels and leave the background zero; torchvision's
#   contrast would turn it grey and with it fill the crop.
# - **No smoothing** before a crop is shrunk. Bone images should therefore not be much larger than the views.
# - **Order** of mirror, turn, shift, crop, light, and the probability ½ of each mirroring: ours, the papers are silent.
# - **Masks** are the true ones of the phantom. A network's masks have ragged edges and holes.
# ```
#
# ```{admonition} Exercise
# :class: tip
# With four local views, how likely is it that all four conventional ones hold at least 10 % bone? If views were independent
# with one share for all bones, it would be the fourth power of a single view's share. Will the true value, over all bones, lie
# above or below it? Decide before you compute.
# ```

# %% tags=["solution"]
good = (contents[96, "conventional"] >= 0.1)
together = good[:, :4 * (n_views // 4)].reshape(len(good), -1, 4).all(2).mean()
power = good.mean() ** 4
print(f"all four: {together:.2f}; fourth power: {power:.2f}")
# bones differ, and the mean of a fourth power exceeds the fourth power of the mean
assert together > power

# %% [markdown]
# **Take away.** A rule like "draw again until it is good" defines a distribution. Write it down, and one can draw from
# it directly, test the code against the loop, and see what the rule changes, and for which views.

# %% tags=["hide-input"]
provenance(run)
