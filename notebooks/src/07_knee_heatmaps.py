# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
#   osteolib:
#     minutes: {smoke: 1, quick: 1, long: 30, paper: 30}
#     needs: [knee-phantom, knee-wani]
#     after: [04_knee_training, 05_knee_phantom]
#     trains: 5
# ---
# %% [markdown]
# # Where does the network look?
# *A heat map on a knee looks convincing. Does it show what the network uses, and is it better than pointing at the middle?*
#
# The paper {cite:p}`strnet2026_knee` shows three knees with Grad-CAM {cite:p}`selvaraju2017_gradcam` (Fig. 12), finds the
# warm colours in the spongy bone beside the joint, and says itself that looking is all that was done. On real films nobody
# can do more: no one knows where a network *should* look. On the phantom the region is known, so maps can be scored.
#
# **You will** compute Grad-CAM, score it against the truth and against maps that know nothing, ask the network itself by
# covering parts of the film, undo what it learned and see whether the maps notice, and only then look at real knees. About
# a minute to run (`quick`) once the networks of the last chapters are there.

# %% tags=["parameters"]
profile: str = "quick"  # smoke, quick, long or paper: osteolib/profiles.yaml
seed: int = 0  # as in the chapters whose networks are looked at
n_phantoms: int | None = None  # simulated people; None: from the profile
image_size: int | None = None  # pixels; None: from the profile
backbone: str | None = None  # resnet18 or resnet50; None: from the profile
epochs: int | None = None  # None: from the profile
n_folds: int | None = None  # grouped folds of the real knees; None: from the profile
n_boot: int | None = None  # bootstrap replicates; None: from the profile

# %%
import matplotlib.pyplot as plt
import numpy as np
import osteolib
import pandas as pd
import torch
from osteolib.report import figure, load_or_explain, provenance, say, table, with_ci
from osteolib.report.style import GREY, use_style
from osteolib.screen.knee_folds import Recipe, knee_images
from osteolib.screen.strnet import STRNet, predict

run = osteolib.start(globals(), "07_knee_heatmaps")
recipe = Recipe(backbone=backbone, image_size=image_size, epochs=epochs, seed=seed)
a = load_or_explain(run, "knee-phantom", n_subjects=n_phantoms, seed=seed)

# %%
b = load_or_explain(run, "knee-phantom", acquisition="B", seed=seed + 1,
                    n_subjects=n_phantoms // 2)

# %% [markdown]
# ## The network of the phantom chapter, and knees it has not seen
#
# Trained on acquisition A. Looked at are A's test knees and all of B, each with its true bone and its true region around
# the joint, cropped and resized exactly as the film was.

# %%
from osteolib.screen.phantom_control import phantom_control
from osteolib.screen.phantom_control import trained_network, true_regions

control = phantom_control(a, b, recipe)
network = trained_network(control.folder, recipe)
scores = pd.read_parquet(control.folder / "scores.parquet").set_index("unit_id")
knees = control.subjects.join(scores[["screen", "part"]], on="unit_id")
held = np.flatnonzero(knees["part"].isin(["test, A", "external, B"]))
knees, images = knees.iloc[held].reset_index(drop=True), control.images[held]
bone, joint = true_regions(knees, image_size)

# %% [markdown]
# ## Grad-CAM
#
# Channel $k$ of the last convolution stage is a small picture $A_k$. Weigh it by how much the logit $y$ of bone loss rises
# when that picture gets brighter, add up, keep what is positive, and enlarge to the size of the film:
#
# $$ L = \mathrm{ReLU}\Big(\sum_k \alpha_k A_k\Big), \qquad
#    \alpha_k = \frac{1}{Z} \sum_{i,j} \frac{\partial y}{\partial A_{k,ij}} . $$
#
# The network is in evaluation mode: with dropout on, or batch normalisation by batch, the map would depend on chance or on
# the other knees. Beside it stand the stage before, the same map of networks with random weights (eight, in turn), and a bump
# in the middle of every image that has seen nothing at all.

# %%
from osteolib.explain.heatmaps import centred_gaussian, grad_cam

unlearned = np.empty(images.shape, np.float32)
for draw in range(8):  # networks in turn, none with the weights training began with
    torch.manual_seed(seed + 1 + draw)
    unlearned[draw::8] = grad_cam(STRNet(backbone), images[draw::8])
maps = {"Grad-CAM": grad_cam(network, images),
        "Grad-CAM, one stage earlier": grad_cam(network, images, "backbone.layer3"),
        "Grad-CAM, random weights": unlearned,
        "the middle, unseen": np.broadcast_to(centred_gaussian(image_size),
                                              images.shape)}
run.fact(grid=-(-image_size // 32), size=image_size)
say(run, "At {size} pixels the last stage has {grid} × {grid} places: no map of it "
    "can be finer than that, however smooth it looks when enlarged. At the paper's 512 "
    "it has 16 × 16.")

# %% [markdown]
# Which knees are shown is decided before looking: of each class the one with the highest and the one with the lowest
# score. *Guided* Grad-CAM multiplies the map with a second method that is as fine as the film.

# %%
def pick(people, per_class):
    """Of each class: highest, lowest, nearest 0.5, drawn by lot; rows and titles."""
    chosen = []
    for _, group in people.groupby("label"):
        score = group["screen"]
        first = [score.idxmax(), score.idxmin(), (score - 0.5).abs().idxmin()]
        rest = group.drop(index=first)
        lot = rest if len(rest) else group
        chosen += [*first, lot.sample(1, random_state=seed).index[0]][:per_class]
    return np.array(chosen), [f"{k.label}\n{k.screen:.2f}"
                              for k in people.loc[chosen].itertuples()]

# %%
def show(rows, titles, outlines=None):
    """Rows of (name, images, maps or None); one column per knee."""
    use_style()
    fig, axes = plt.subplots(len(rows), len(titles), squeeze=False,
                             figsize=(7.6, 7.6 / len(titles) * len(rows) + 0.4))
    for line, (name, pictures, heat) in zip(axes, rows, strict=True):
        line[0].set_ylabel(name, fontsize=8)
        for i, axis in enumerate(line):
            axis.imshow(pictures[i], cmap="gray")
            if heat is not None:
                axis.imshow(heat[i], cmap="inferno", alpha=0.55)
            if outlines is not None:
                axis.contour(outlines[i], [0.5], colors="cyan", linewidths=0.8)
            axis.set(xticks=[], yticks=[], frame_on=False)
    return fig, axes

# %%
def head(line, titles):
    for axis, title in zip(line, titles, strict=True):
        axis.set_title(title, fontsize=8, loc="center", weight="normal")

# %%
new = knees["part"] == "test, A"
rows, titles = pick(knees[new], 2)
guided = grad_cam(network, images[rows], guided=True)
guided = np.sqrt(guided / np.maximum(guided.max((1, 2), keepdims=True), 1e-30))
fig, axes = show([("film", images[rows], None),
    ("Grad-CAM", images[rows], maps["Grad-CAM"][rows]),
    ("guided", images[rows], guided),
    ("random weights", images[rows], maps["Grad-CAM, random weights"][rows])],
    titles, joint[rows])
head(axes[0], titles)
figure(run, "phantom_maps", fig, alt="Six phantom knees with the region around the "
       "joint outlined; Grad-CAM, guided Grad-CAM, and Grad-CAM of random weights.")

# %% [markdown]
# *Above each film: class and score. Outlined: the region around the joint. Each map on its own scale, the guided one by its
# square root.*
#
# ## Scores with a yardstick
#
# **Energy**: the share of a map that lies inside a region. **Pointing game** {cite:p}`zhang2018_pointing`: how often its
# highest place does. A map without preference gets the region's share of the image in both, so that is the chance level.
# But the joint is usually near the middle, so the harder yardstick is a bump in the middle that sees nothing.

# %%
from osteolib.explain.heatmaps import roi_scores
from osteolib.stats import bootstrap_statistic

def mean_ci(values):
    """Mean and interval over people; NaN where fewer than two people have a map."""
    person = knees.loc[values.index, "split_group"]
    if person.nunique() < 2:
        return np.nan, np.nan, np.nan
    r = bootstrap_statistic(np.mean, values, groups=person, n_boot=n_boot, seed=seed)
    return r.estimate, *r.ci

# %%
rows = []
for region, mask in {"around the joint": joint, "bone": bone}.items():
    for name, heat in maps.items():
        scored = roi_scores(heat, mask).assign(part=knees["part"])
        scored["more"] = scored["energy"] - scored["area"]
        for part, s in scored.groupby("part"):
            seen = s.dropna()  # a map that is zero everywhere points nowhere
            rows += [(region, part, name, kind, *mean_ci(seen[kind]), len(seen),
                      len(s) - len(seen)) for kind in ("energy", "more", "hit", "area")]

# %%
names = ["region", "part", "map", "score", "value", "low", "high", "n", "empty"]
long = pd.DataFrame(rows, columns=names).set_index(names[:4]).sort_index()
text = long.apply(lambda r: with_ci(r.value, r.low, r.high), axis=1)
wide = text.unstack("score").rename(columns={"more": "energy − area",
                                             "hit": "pointing game"})
wide["area"] = long["value"].unstack("score")["area"].round(2)
wide["empty maps"] = long["empty"].unstack("score")["energy"]
shown = wide[["area", "energy", "energy − area", "pointing game", "empty maps"]]
table(run, "localisation", shown.sort_index(level=[0, 1], ascending=[True, False]),
      "Phantom: the share of each map in a true region (95 % intervals over people). "
      "area is what chance gets; a map that is zero everywhere is left out and counted")

# %%
use_style()
fig, axes = plt.subplots(1, 2, figsize=(7.6, 2.9), sharey=True)
for axis, region in zip(axes, ("around the joint", "bone"), strict=True):
    for shift, mark, part in ((0.12, "o", "test, A"), (-0.12, "s", "external, B")):
        one = long.loc[region, part].xs("energy", level="score").loc[list(maps)]
        reach = np.abs(one[["low", "high"]].T.to_numpy() - one["value"].to_numpy())
        axis.errorbar(one["value"], np.arange(len(maps))[::-1] + shift, xerr=reach,
                      fmt=mark, ms=5, label=part)
    area = long.xs((region, "area"), level=("region", "score"))["value"].mean()
    axis.axvline(area, color=GREY, ls="--", lw=1, label="chance: share of area")
    axis.set(title=f"Energy: {region}", xlabel="share of the map", xlim=(0, None))
axes[0].set_yticks(np.arange(len(maps))[::-1], list(maps))
fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
figure(run, "energy", fig, alt="Energy inside the true regions, for four maps.")

# %%
get = long["value"].loc["around the joint", "test, A"]
more = long.loc[("around the joint", "test, A", "Grad-CAM", "more")]
run.fact(energy=100 * get["Grad-CAM", "energy"], area=100 * get["Grad-CAM", "area"],
         middle=100 * get["the middle, unseen", "energy"], n_a=int(more["n"]),
         random=100 * get["Grad-CAM, random weights", "energy"],
         low=100 * more["low"], high=100 * more["high"],
         hit=100 * get["Grad-CAM", "hit"], verdict="more than" if more["low"] > 0 else
         "less than" if more["high"] < 0 else "no more and no less than")

# %%
text = ("On {n_a} new knees of A, **{energy:.0f} %** of Grad-CAM lies around the "
        "joint, a region that covers {area:.0f} % of the image: {verdict} chance "
        "(difference {low:+.0f} to {high:+.0f} percentage points). Its highest place "
        "lies there in {hit:.0f} %. With random weights {random:.0f} % of the map lies "
        "there, of a bump in the middle, without looking, {middle:.0f} %.")
empty = "Grad-CAM is zero on the new knees of A: nothing in them raises this logit."
say(run, text if np.isfinite(more["value"]) else empty)

# %%
recorded = long.drop("area", level="score").dropna()
for (region, part, name, kind), r in recorded.iterrows():
    run.result(None, f"{kind}, {region}, {name}, phantom, {part}", r["value"],
               ci=(r["low"], r["high"]), n=r["n"], cohort="knee-phantom")

# %% [markdown]
# ## Ask the network itself
#
# A place of the last stage has nearly the whole film in its field of view, so a warm spot there need not mean that the
# evidence is *there*. Another question is plainer: cover a region, each knee with its own mean grey there, and see what the
# score loses. (A covered film is unlike any in training; a loss may also come from that. No loss cannot.)

# %%
from osteolib.radiograph import to_tensor_range

own, seen = np.flatnonzero(new), images[new]

def covered(mask):
    """Score of each new knee of A with a region of its film covered."""
    region = mask[own]
    grey = (seen * region).sum((1, 2)) / region.sum((1, 2)).clip(1)
    pictures = np.where(region, grey[:, None, None], seen).astype(np.uint8)
    x = torch.from_numpy(to_tensor_range(pictures))[:, None]
    return predict(network, x)["screen"]

# %%
hidden = {"nothing": covered(bone & False),
          "the region around the joint": covered(joint),
          "the rest of the bone": covered(bone & ~joint),
          "all but bone": covered(~bone)}

# %%
from osteolib.cohorts import bone_loss
from osteolib.stats import bootstrap_ci, bootstrap_difference

loss, rows = bone_loss(knees["label"][own]), []
options = {"n_boot": n_boot, "seed": seed}
of_a = options | {"groups": knees["split_group"][own]}
for name, scored in hidden.items():
    r = bootstrap_ci(loss, scored, "auroc", **of_a)
    d = bootstrap_difference(loss, hidden["nothing"], scored, "auroc", **of_a)
    rows.append((name, r.estimate["auroc"], *r.ci["auroc"], d.difference, *d.ci, r.n))
names = ["covered", "auroc", "ci_low", "ci_high", "change", "change_low", "change_high",
         "n"]
cover = pd.DataFrame(rows, columns=names)

# %%
table(run, "covered", cover.round(3), "Phantom, new knees of A: AUROC when a part of "
      "every film is covered, and its change (95 % intervals over people)", index=False)
at = cover.set_index("covered")
run.fact(near=at["change"]["the region around the joint"],
         far=at["change"]["the rest of the bone"], uncovered=at["auroc"]["nothing"])
say(run, "The AUROC of {uncovered:.2f} changes by {near:+.2f} without the region "
    "around the joint, and by {far:+.2f} without the rest of the bone.")

# %% [markdown]
# In the phantom, density and cortex carry the label along the whole bone, so a network may read the shaft and be right. A
# good score therefore does not promise a map around the joint, and a map elsewhere does not convict the network. What an
# anatomically plausible picture proves about a network is less than it seems.
#
# ## Does the map depend on what was learned?
#
# Some methods draw nearly the same picture with random weights: they find edges, as an eye does. So undo the learning, part
# by part from the answer down to the film, and compare each new map with the first one {cite:p}`adebayo2018_sanity`. A map
# that explains this network must change at once and stay changed. (The random weights are a fresh draw, not those the
# training began with: a short training stays close to its start, and that start would look like knowledge.)

# %%
from osteolib.explain.heatmaps import cascading_randomisation

rows, _ = pick(knees[new], 2)
checked = []
for draw in range(2):
    torch.manual_seed(seed + 1 + draw)  # again not the training's start
    fresh = STRNet(backbone).eval()
    for kind in (False, True):
        checked.append(cascading_randomisation(network, fresh, images[rows],
            guided=kind).assign(kind="guided Grad-CAM" if kind else "Grad-CAM"))
checked = pd.concat(checked, ignore_index=True)

# %%
fig, axes = plt.subplots(1, 2, figsize=(7.6, 3.2), sharey=True)
for axis, column in zip(axes, ("rank_correlation", "ssim"), strict=True):
    for kind, part in checked.groupby("kind"):
        style = "s--" if kind.startswith("guided") else "o-"
        mean = part.groupby("part", sort=False)[column].mean()
        axis.plot(range(len(mean) + 1), [1, *mean], style, ms=4, label=kind)
    parts = mean.index.str.removeprefix("backbone.")
    axis.axhline(0, color=GREY, lw=0.8)
    axis.set_xticks(range(len(mean) + 1), ["nothing", *parts], rotation=45, ha="right")
axes[0].set_title("Rank correlation")
axes[1].set_title("Structural similarity")
fig.supxlabel("random from the answer down to", fontsize=9)
axes[1].legend()
figure(run, "randomisation", fig, alt="Likeness to the trained network's maps falls as "
       "parts are made random, for Grad-CAM and guided Grad-CAM.")

# %%
ends = checked[checked["part"] == checked["part"].iloc[-1]].groupby("kind")[
    ["rank_correlation", "ssim"]].mean()
top = checked[checked["part"] == "screen_head"].groupby("kind")[
    ["rank_correlation", "ssim"]].mean()
table(run, "randomisation", pd.concat({"answer alone": top, "all": ends},
      names=["made random"]).round(3).reset_index(), "Phantom: likeness of maps before "
      "and after weights were made random, mean over the knees shown and two draws; 1 "
      "is the same map", index=False)
run.fact(**{f"{name}_{kind.split()[0].replace('-', '')}": frame.loc[kind, "ssim"]
            for name, frame in (("top", top), ("end", ends)) for kind in frame.index})
say(run, "With a random answer layer alone, the structural similarity to the first map "
    "is {top_GradCAM:.2f} for Grad-CAM and {top_guided:.2f} for guided Grad-CAM; with "
    "everything random {end_GradCAM:.2f} and {end_guided:.2f}.")

# %% [markdown]
# The closer to 1 with everything random, the more of the picture comes from the film and the method and not from learning.
#
# ```{admonition} Exercise
# :class: tip
# Give each knee the map of another knee. How much of the energy will lie around the joint? And what do both scores say of a
# map that is the same everywhere? Predict, then compute.
# ```

# %% tags=["solution"]
borrowed = roi_scores(np.roll(maps["Grad-CAM"], 7, axis=0), joint)
own = roi_scores(maps["Grad-CAM"], joint)
print(f"own map {own['energy'].mean():.3f}, borrowed {borrowed['energy'].mean():.3f}")
even = roi_scores(np.ones(joint.shape), joint)
assert np.allclose(even[["energy", "hit"]], even[["area"]])  # chance, in both

# %% [markdown]
# ```{admonition} Where we deviate
# :class: warning
# The paper's maps come from a pre-trained ResNet-50 at 512 pixels. In `quick` these come from a ResNet-18 at 128, from
# random numbers, and on the phantom. Fig. 12 has no number to be held against; nothing on this page answers a published
# value.
# ```
#
# ## Real knees
#
# Each knee is looked at by the network of the training chapter that saw neither it nor its person. Of each class: the
# highest score, the lowest, the one nearest 0.5, one drawn by lot; films with burnt-in text are left out. There is no true
# region here, so there are pictures and no localisation scores. Where are the maps warm: around the joint, on the shaft, at
# a marker, on the background?

# %%
real = load_or_explain(run, "knee-wani")

# %%
from osteolib.explain.heatmaps import out_of_fold_maps
from osteolib.screen.knee_folds import cross_validate

people, films = real.subjects, knee_images(real.subjects, image_size)
trained = (people, films, recipe, n_folds, real.fingerprint)
scores, _ = cross_validate(*trained)
test = scores[scores["part"] == "test"].set_index("unit_id")
people = people.join(test["screen"], on="unit_id")
rows, titles = pick(people[people["mask_boxes"].isna()], 4)
heat = out_of_fold_maps(*trained, rows)

# %%
upper, lower = rows[:6], rows[6:]
fig, axes = show([("film", films[upper], None), ("Grad-CAM", films[upper], heat[:6]),
                  ("film", films[lower], None), ("Grad-CAM", films[lower], heat[6:])],
                 titles[:6])
head(axes[0], titles[:6])
head(axes[2], titles[6:])
figure(run, "real_maps", fig, alt="Twelve real knees, four of each class, each with "
       "its Grad-CAM map below; class and score above.")

# %%
r = bootstrap_ci(bone_loss(people["label"]), people["screen"], "auroc",
                 groups=people["split_group"], **options)
low, high = r.ci["auroc"]
so = ("That interval holds 0.5: these are maps of a network that may know nothing of "
      "bone loss, and not one of them is evidence about bone" if low <= 0.5 <= high else
      "That interval does not hold 0.5, but where a map should be warm is unknown here")
run.fact(real=r.estimate["auroc"], real_low=low, real_high=high, n_real=r.n, so=so)
say(run, "These networks reach **AUROC {real:.2f}** ({real_low:.2f} to "
    "{real_high:.2f}) on {n_real} real knees, out of fold. {so}.")

# %% [markdown]
# **Take away.** A heat map always shows something. Before believing one, ask for a region that was named beforehand, a
# yardstick that sees nothing, a cover that asks the network itself, and a map of random weights beside it. And look first
# at whether the network knows anything at all.

# %%
provenance(run)
