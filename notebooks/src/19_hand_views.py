# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
#   osteolib:
#     minutes: {smoke: 0.7, quick: 1, long: 8, paper: 8}
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

# %%
import matplotlib.pyplot as plt
import numpy as np
import osteolib
import pandas as pd
import torch
from osteolib.report import figure, load_or_explain, provenance, say, table, with_ci
from osteolib.report.style import GREY, use_style
from osteolib.segment.bones import film_rows

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
from osteolib.phantoms.hand.shapes import BONES
from osteolib.phantoms.hand.truth import read_masks
from osteolib.radiograph import read_radiograph
from osteolib.segment.bones import bone_images

cut = [bone_images(read_radiograph(row.path).pixels / 255,
                   read_masks(row.masks_path, row.image_id), bone_size)
       for row in hands.itertuples()]
pairs = [(hand, name) for hand, c in enumerate(cut) for name in c.images]
segments = pd.DataFrame(pairs, columns=["hand", "bone"])
bones = torch.tensor(np.stack([i for c in cut for i in c.images.values()]))[:, None]
reasons = pd.Series([reason for c in cut for reason in c.missing.values()], dtype=str)

# %%
filled = (bones > 0).float().mean((1, 2, 3)).numpy()
segments["filled"] = filled
by_bone = segments.groupby("bone")["filled"].median()[list(BONES)]
why = [f"{n} {reason}" for reason, n in reasons.value_counts().items()]
run.fact(n_hands=len(cut), n_bones=len(segments), n_missing=len(reasons),
         reasons="; ".join(why) or "none",
         filled=np.median(filled), least=by_bone.min(), least_bone=by_bone.idxmin(),
         most=by_bone.max(), most_bone=by_bone.idxmax())
say(run, "{n_hands} hands give {n_bones} bone images; {n_missing} bones are missing "
    "({reasons}). In the median image {filled:.0%} of the pixels are not zero: from "
    "{least:.0%} ({least_bone}) to {most:.0%} ({most_bone}).")

# %% [markdown]
# The counterpart of Figure 3 (top) of the journal version: squares on the film, and what they hold.

# %%
COLOURS = ("#0072B2", "#56B4E9", "#CC79A7", "#D55E00", "#E69F00", "#F0E442", "#009E73")
whole = [k for k, c in enumerate(cut) if len(c.images) == 7]
calm = ~hands["cast"] & ~hands["plate"] & hands["x"].abs().lt(0.1)
calm &= hands["window_low"] > hands["window_low"].median()  # the paler films are harsh
pick = next((k for k in whole if calm.iloc[k]), whole[0])
one, row = cut[pick], hands.iloc[pick]
use_style()
fig, axes = plt.subplot_mosaic([["film", *BONES[:4]], ["film", *BONES[4:], "none"]],
                               figsize=(8.4, 3.6), width_ratios=[1.7, 1, 1, 1, 1])
axes["film"].imshow(read_radiograph(row["path"]).pixels, cmap="gray")
for (name, (y, x, side)), colour in zip(one.boxes.items(), COLOURS, strict=True):
    axes["film"].add_patch(
        plt.Rectangle((x, y), side, side, fill=False, ec=colour, lw=2))
    axes[name].imshow(one.images[name], cmap="gray", vmin=0, vmax=1)
    axes[name].set_title(name, color=colour, fontsize=9)

# %%
for axis in axes.values():
    axis.axis("off")
figure(run, "bones", fig, alt="A simulated hand film with seven coloured squares and "
       "the seven masked bone images that they hold.")

# %% [markdown]
# ## Views, conventional and extended
#
# A view is a bone turned, mirrored, shifted and relit, then cut and resized. The counterparts of Figure 3 (bottom) of the
# journal version and Figures 1b and 1e of the short paper: one global and five local views of four bones. Both kinds start from
# the same random numbers, so they differ only where the first box has too little content: those boxes have
# red frames and are replaced.

# %%
from osteolib.views.multicrop import CROPS, PRESETS, Crop, multi_crop, place
from osteolib.views.multicrop import sums_along_rows

AREAS = {crop.size: crop.scale for crop in CROPS}
FIGURE = (Crop(1, 224, AREAS[224]), Crop(5, 96, AREAS[96]))
SHOWN = ["radius", "M1", "M2", "M5"]
row_of = segments.reset_index().set_index(["hand", "bone"])["index"]
four = bones[[row_of[pick, name] for name in SHOWN]]


def views_of(some, min_content, crops=FIGURE):
    """Views and their content, each a list over the views of all crop sizes."""
    drawn = multi_crop(some, torch.Generator().manual_seed(seed + 3), crops,
                       min_content=min_content)
    return [view[:, 0].numpy() for crop in drawn for view in crop]

# %%
def contents_of(some, min_content, crops=FIGURE):
    own, sums = torch.Generator().manual_seed(seed + 3), sums_along_rows(some)
    return [p.content.numpy() for crop in crops
            for p in place(sums, own, crop, PRESETS["lee2025"], min_content)]


# %%
fig = plt.figure(figsize=(8.8, 3.4))
for half, (kind, least) in zip(fig.subfigures(1, 2, wspace=0.03),
                               (("conventional", 0), ("extended", 0.1)), strict=True):
    half.suptitle(f"{kind}: one global view, five local", fontsize=10, weight="bold")
    axes, views = half.subplots(4, 6), views_of(four, least)
    share = contents_of(four, least)
    for (k, b), axis in np.ndenumerate(axes):
        axis.imshow(views[b][k], cmap="gray", vmin=0, vmax=1)
        axis.set(xticks=[], yticks=[], ylabel=SHOWN[k] if b == 0 else "")
        bad = share[b][k] < 0.1
        axis.spines[:].set(visible=True, lw=2 if bad else 0.6,
                           color="red" if bad else GREY)

# %%
figure(run, "views", fig, alt="Views of four bones. Of the conventional ones several "
       "are black or nearly so, framed in red; the extended ones all hold bone.")

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

# %%
from osteolib.stats import bootstrap_statistic

events = {"empty": lambda c: c == 0, "under 10 %": lambda c: c < 0.1}
rows = []
for size in AREAS:
    for name in (*BONES, "all"):
        mine = segments["bone"].eq(name) | (name == "all")
        for event, holds in events.items():
            share = holds(contents[size, "conventional"][mine]).mean(1)
            ci = bootstrap_statistic(np.mean, share, groups=segments["hand"][mine],
                                     n_boot=min(n_boot, 1000), seed=seed).ci
            rows.append((size, name, event, share.mean(), *ci, int(mine.sum())))

# %%
counted = pd.DataFrame(rows, columns=["size", "bone", "event", "share", "low", "high",
                                      "n"])

# %%
percent = 100 * counted[["share", "low", "high"]]
text = counted.assign(shown=[with_ci(*p, ".1f") for p in percent.to_numpy()])
wide = text.pivot(index=["bone", "n"], columns=["size", "event"], values="shown")
wide = wide.reindex([*BONES, "all"], level="bone")
wide.columns = [f"{'global' if size == 224 else 'local'}, {event}, %"
                for size, event in wide.columns]

# %%
table(run, "empty", wide, "Conventional crops of simulated bones without content, % "
      "(95 % CI); n bone images")
overall = counted[counted["bone"] == "all"].set_index(["size", "event"])
for (size, event), r in overall.iterrows():
    run.result(None, f"share of conventional {size} px crops: {event}", r["share"],
               ci=(r["low"], r["high"]), n=r["n"], cohort="hand-phantom")

# %%
STYLES = {"conventional": {"color": "#BBBBBB", "histtype": "stepfilled"},
          "extended": {"color": "#D55E00", "histtype": "step", "lw": 1.6}}
fig, axes = plt.subplots(2, 7, figsize=(8.8, 3.8), sharex=True, sharey="row")
for line, size in zip(axes, AREAS, strict=True):
    for axis, name in zip(line, BONES, strict=True):
        mine = segments["bone"] == name
        for kind, style in STYLES.items():
            values = contents[size, kind][mine].ravel().clip(0, 1)
            axis.hist(values, np.linspace(0, 1, 21), label=kind, **style,
                      weights=np.full(len(values), 1 / len(values)))
        axis.axvline(0.1, color="#222222", lw=0.8, ls=":")
        axis.set(xticks=[0, 0.5, 1], xticklabels=["0", ".5", "1"],
                 title=name if size == 224 else "")

# %%
axes[0, 0].set_ylabel("global")
axes[1, 0].set_ylabel("local")
fig.supxlabel("content of the crop (dotted: 10 %)", fontsize=9)
fig.supylabel("share of crops", fontsize=9)
fig.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper right", ncols=2)
figure(run, "content", fig, alt="Histograms of the content of global and local crops "
       "by bone: conventional local crops pile up at zero, extended ones do not.")

# %%
black = (contents[96, "conventional"] == 0).sum(1)
worst = counted[(counted["size"] == 96) & (counted["event"] == "empty")
                & (counted["bone"] != "all")].sort_values("share")
run.fact(global_empty=overall.loc[(224, "empty"), "share"],
         global_low=overall.loc[(224, "under 10 %"), "share"],
         local_empty=overall.loc[(96, "empty"), "share"],
         local_low=overall.loc[(96, "under 10 %"), "share"],
         worst=worst["bone"].iloc[-1],
         worst_share=worst["share"].iloc[-1],
         best=worst["bone"].iloc[0], best_share=worst["share"].iloc[0],
         both_empty=(black * (black - 1)).mean() / (n_views * (n_views - 1)))

# %%
say(run, "Of the conventional **local** crops **{local_empty:.0%} are empty** and "
    "{local_low:.0%} hold less than 10 % bone, most often empty for {worst} "
    "({worst_share:.0%}), least for {best} ({best_share:.0%}). Global crops are hardly "
    "touched: {global_empty:.1%} and {global_low:.1%}. Two local views of one bone are "
    "both empty in {both_empty:.0%} of pairs.")

# %% [markdown]
# The claim of both papers holds on the phantom, for the small views. How often depends on the square (here 1.1 times the
# longer side of the bone) and on the areas, and the papers print neither.
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
from torchvision.transforms import InterpolationMode, RandomResizedCrop
from torchvision.transforms import functional as tv


# %%
def turned(bone, rng, preset):
    """Mirror, rotate and shift an image (1, size, size); nearest neighbour."""
    for flip in (tv.hflip, tv.vflip):
        bone = flip(bone) if rng.random() < preset.flip else bone
    shift = rng.uniform(-preset.translation, preset.translation, 2) * bone.shape[-1]
    angle = rng.uniform(-preset.degrees, preset.degrees)
    return tv.affine(bone, angle, shift.round().astype(int).tolist(), 1.0, [0.0],
                     InterpolationMode.NEAREST)

# %%
def loop(bone, crop, rng, preset=PRESETS["lee2025"], least=0.1):
    """Draw until enough is not zero; content, height, middle of the box, tries."""
    source = turned(bone, rng, preset)
    for tries in range(1, 4097):
        y, x, tall, wide = RandomResizedCrop.get_params(source, crop.scale, crop.ratio)
        held = float((source[..., y:y + tall, x:x + wide] > 0).float().mean())
        if held >= least:
            return held, tall, x + wide / 2, y + tall / 2, tries


# %%
torch.manual_seed(seed)
rng = np.random.default_rng(seed)
n_draws = 200 * n_views
m2 = bones[row_of[pick, "M2"]]
looped = np.array([loop(m2, FIGURE[1], rng) for _ in range(n_draws)])
own = torch.Generator().manual_seed(seed + 1)
many = sums_along_rows(m2[None]).expand(n_draws, -1, -1)
p = next(place(many, own, Crop(1, 96, AREAS[96]), PRESETS["lee2025"], 0.1))
top, left, tall, wide = p.boxes.double().T.numpy()
exact = np.stack([p.content.numpy(), tall, left + wide / 2, top + tall / 2], 1)

# %%
from scipy.stats import ks_2samp

QUANTITIES = ("content", "height of the box", "its middle, across", "its middle, down")
tests = [ks_2samp(looped[:, k], exact[:, k]) for k in range(4)]

# %%
fig, axes = plt.subplots(1, 4, figsize=(8.8, 2.7), sharey=True)
for k, axis in enumerate(axes):
    axis.ecdf(looped[:, k], color="#BBBBBB", lw=4, label="loop")
    axis.ecdf(exact[:, k], color="#D55E00", lw=1.2, label="sampler")
    axis.set(xlabel=QUANTITIES[k] + (" (px)" if k else ""))
    axis.set_title(f"KS p = {tests[k].pvalue:.2f}", fontsize=9)
axes[0].set_ylabel("cumulative share")
axes[0].legend(fontsize="small", loc="lower right")
figure(run, "law", fig, alt="Cumulative curves of content, height and middle of local "
       "boxes on one bone: the curves of loop and sampler lie on each other.")

# %%
tries = looped[:, 4]
run.fact(n_draws=n_draws, mean_tries=tries.mean(), most_tries=int(tries.max()),
         smallest_p=min(t.pvalue for t in tests),
         largest_d=max(t.statistic for t in tests),
         seen=1.36 * np.sqrt(2 / n_draws))
run.result(None, "Kolmogorov-Smirnov distance, loop against sampler, largest of four",
           run.facts["largest_d"], n=n_draws, cohort="hand-phantom")
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
# so $V$ local views give $2 (V + 1)$ terms, and every view must pass the encoder.

# %%
rows = [(v, 2 * (v + 1), 2 * v / (2 * (v + 1)), 2 * 224**2 + v * 96**2) for v in (4, 5)]
budget = pd.DataFrame(rows, columns=["local views", "terms of the loss",
                                     "share with a local view", "pixels an image"])
table(run, "local", budget.round(2), "Four local views against five", index=False)
run.fact(pixels=rows[1][3] / rows[0][3] - 1, terms4=rows[0][1], terms5=rows[1][1])
say(run, "The fifth view adds {pixels:.0%} of pixels and takes the loss from {terms4} "
    "to {terms5} terms. The contradiction is small; this book follows the text, four.")

# %% [markdown]
# The recipe also changed between the papers: ±20° and flips in the short one; ±30°, shifts of ±10 %, and brightness and
# contrast from 50 to 150 % in the journal version. Their results are not on the same recipe, so what the pre-training
# gained between them is not due to one thing.

# %%
fig, axes = plt.subplots(2, 8, figsize=(8.8, 2.7))
SOURCE = (Crop(8, 128, (1, 1), (1, 1)),)  # the whole source, as turned
for line, (name, preset) in zip(axes, sorted(PRESETS.items()), strict=True):
    views = multi_crop(m2[None], torch.Generator().manual_seed(seed), SOURCE, preset, 0)
    for axis, view in zip(line, views[0], strict=True):
        axis.imshow(view[0, 0], cmap="gray", vmin=0, vmax=1)
        axis.set(xticks=[], yticks=[])
    line[0].set_ylabel(name)
figure(run, "presets", fig, alt="Eight whole sources of one metacarpal by each paper's "
       "recipe; the later one also shifts and relights.")

# %%
by_recipe = {("lee2025", size): contents[size, "conventional"] for size in AREAS}
by_recipe |= {("lee2023", size): count(size, 0, "lee2023") for size in AREAS}
rows = [(*key, 100 * (c == 0).mean(), 100 * (c < 0.1).mean())
        for key, c in sorted(by_recipe.items())]
recipes = pd.DataFrame(rows, columns=["recipe", "px", "empty, %", "under 10 %, %"])
table(run, "recipes", recipes.round(1), "Conventional crops without content by recipe, "
      "all bones", index=False)

# %%
fewer, more = ((by_recipe[name, 96] < 0.1).mean(1) for name in sorted(PRESETS))
change = bootstrap_statistic(np.mean, 100 * (more - fewer), groups=segments["hand"],
                             n_boot=min(n_boot, 1000), seed=seed)
run.fact(change=change.estimate, change_low=change.ci[0], change_high=change.ci[1])
say(run, "From the earlier to the later recipe the share of local crops under 10 % "
    "changes by {change:+.1f} percentage points (95 % CI {change_low:+.1f} to "
    "{change_high:+.1f}): for content it hardly matters which one is taken.")

# %%
lit = multi_crop(bones[::4], torch.Generator().manual_seed(seed),
                 (Crop(4, 64, (1, 1), (1, 1)),), PRESETS["lee2025"], 0)[0]
white = (lit > 0.999).sum((2, 3, 4)) / (lit > 0).sum((2, 3, 4)).clamp(min=1)
before = (bones[::4] > 0.999).sum((1, 2, 3)) / (bones[::4] > 0).sum((1, 2, 3))
run.fact(white=(white > 0.5).float().mean().item(), n_lit=white.numel(),
         white_before=(before > 0.5).float().mean().item())
say(run, "Light can go too far, too: in {white:.1%} of {n_lit} whole views of the "
    "later recipe more than half of the bone is pure white, a silhouette without "
    "structure ({white_before:.1%} of the bones themselves). A factor of up to 1.5 "
    "saturates what was bright before, so it is the pale films that lose.")

# %% [markdown]
# ```{admonition} Deviations, and what the papers leave open
# :class: note
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
# it directly, test the code against the loop, and see what the rule changes: here the small views, hardly the large.

# %%
provenance(run)
