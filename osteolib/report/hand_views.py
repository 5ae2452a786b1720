"""Figures and a table of the page on crops of masked bones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from osteolib.phantoms.hand.shapes import BONES
from osteolib.report.hand_phantom import BONE_COLOURS
from osteolib.report.show import figure, table, with_ci
from osteolib.report.style import GREY, use_style
from osteolib.runs import Run
from osteolib.segment.bones import BoneImages
from osteolib.stats import bootstrap_statistic
from osteolib.views.multicrop import PRESETS, Crop
from osteolib.views.rejection import silhouettes, views_and_contents

if TYPE_CHECKING:
    import torch

STYLES = {
    "conventional": {"color": "#BBBBBB", "histtype": "stepfilled"},
    "extended": {"color": "#D55E00", "histtype": "step", "lw": 1.6},
}
RECIPES = ("lee2023", "lee2025")
"""Presets of the two papers, the earlier first."""
SIZES = {224: "global", 96: "local"}


def record_bones(run: Run, cut: Sequence[BoneImages], bone_of: pd.Series, filled: NDArray) -> None:
    """Facts on bone images: how many, why others are missing, and how much of them is not zero.

    ``bone_of`` and ``filled``: bone and share of pixels that are not zero, one per image.
    """
    reasons = pd.Series([reason for c in cut for reason in c.missing.values()], dtype=str)
    why = "; ".join(f"{n} {reason}" for reason, n in reasons.value_counts().items())
    run.fact(n_hands=len(cut), n_bones=len(bone_of), n_missing=len(reasons), reasons=why or "none")
    by_bone = pd.Series(filled).groupby(bone_of.to_numpy()).median().reindex(BONES)
    run.fact(filled=np.median(filled), least=by_bone.min(), least_bone=by_bone.idxmin())
    run.fact(most=by_bone.max(), most_bone=by_bone.idxmax())


def clear_hand(hands: pd.DataFrame, cut: Sequence[BoneImages]) -> int:
    """The place of a hand that shows its bones well: all seven, straight, no metal, not one of the paler films."""
    whole = [k for k, c in enumerate(cut) if len(c.images) == len(BONES)]
    calm = ~hands["cast"] & ~hands["plate"] & hands["x"].abs().lt(0.1)
    calm &= hands["window_low"] > hands["window_low"].median()
    return next((k for k in whole if calm.iloc[k]), whole[0])


def bones_figure(film: NDArray, cut: BoneImages) -> plt.Figure:
    """A film with the square around each of its seven bones, and what the squares hold."""
    use_style()
    places = [["film", *BONES[:4]], ["film", *BONES[4:], "none"]]
    fig, axes = plt.subplot_mosaic(places, figsize=(8.2, 3.4), width_ratios=[1.7, 1, 1, 1, 1])
    axes["film"].imshow(film, cmap="gray")
    for name, (y, x, side) in cut.boxes.items():
        box = plt.Rectangle((x, y), side, side, fill=False, ec=BONE_COLOURS[name], lw=2)
        axes["film"].add_patch(box)
        axes[name].imshow(cut.images[name], cmap="gray", vmin=0, vmax=1)
        axes[name].set_title(name, color=BONE_COLOURS[name], fontsize=9)
    for axis in axes.values():
        axis.axis("off")
    return fig


def views_figure(kinds: Mapping[str, tuple[Sequence[NDArray], Sequence[NDArray]]], names: Sequence[str]) -> plt.Figure:
    """Views of some bones side by side by kind; a view with less than 10 % content has a red frame.

    ``kinds``: by name, a list of views (bones, height, width) and one of their contents (bones,), in the same order.
    """
    use_style()
    fig = plt.figure(figsize=(8.6, 3.3))
    halves = fig.subfigures(1, len(kinds), wspace=0.03, squeeze=False)[0]
    for half, (kind, (views, contents)) in zip(halves, kinds.items(), strict=True):
        half.suptitle(f"{kind}: one global view, five local", fontsize=10, weight="bold")
        axes = half.subplots(len(names), len(views), squeeze=False)
        for (k, v), axis in np.ndenumerate(axes):
            axis.imshow(views[v][k], cmap="gray", vmin=0, vmax=1)
            axis.set(xticks=[], yticks=[], ylabel=names[k] if v == 0 else "")
            bad = contents[v][k] < 0.1
            axis.spines[:].set(visible=True, lw=2 if bad else 0.6, color="red" if bad else GREY)
    return fig


def empty_table(counted: pd.DataFrame) -> pd.DataFrame:
    """:func:`osteolib.views.rejection.shares_without_content` for reading: a line a bone, percent with intervals."""
    percent = 100 * counted[["share", "low", "high"]]
    text = counted.assign(shown=[with_ci(*p, ".1f") for p in percent.to_numpy()])
    wide = text.pivot(index=["bone", "n"], columns=["size", "event"], values="shown").reindex(
        [*BONES, "all"], level="bone"
    )
    order = counted[["size", "event"]].drop_duplicates().itertuples(index=False)
    wide = wide[[tuple(pair) for pair in order]]
    wide.columns = [f"{SIZES[size]}, {event}, %" for size, event in wide.columns]
    return wide


def content_figure(contents: Mapping[tuple[int, str], NDArray], bone_of: pd.Series) -> plt.Figure:
    """Histograms of the content of crops by size, kind and bone; ``contents`` (bones, views) by size and kind."""
    use_style()
    fig, axes = plt.subplots(len(SIZES), len(BONES), figsize=(8.4, 3.4), sharex=True, sharey="row")
    for line, (size, word) in zip(axes, SIZES.items(), strict=True):
        for axis, name in zip(line, BONES, strict=True):
            for kind, style in STYLES.items():
                values = contents[size, kind][bone_of == name].ravel().clip(0, 1)
                weights = np.full(len(values), 1 / max(len(values), 1))
                axis.hist(values, np.linspace(0, 1, 21), weights=weights, label=kind, **style)
            axis.axvline(0.1, color="#222222", lw=0.8, ls=":")
            axis.set(xticks=[0, 0.5, 1], xticklabels=["0", ".5", "1"], title=name if size == max(SIZES) else "")
        line[0].set_ylabel(word)
    fig.supxlabel("content of the crop (dotted: 10 %)", fontsize=9)
    fig.supylabel("share of crops", fontsize=9)
    fig.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper right", ncols=2)
    return fig


def law_figure(loop: NDArray, sampler: NDArray, names: Sequence[str], p_values: Sequence[float]) -> plt.Figure:
    """Cumulative curves of what two ways of drawing give; one panel a column of ``loop`` and ``sampler``."""
    use_style()
    fig, axes = plt.subplots(1, len(names), figsize=(8.4, 2.5), sharey=True)
    for k, axis in enumerate(axes):
        axis.ecdf(loop[:, k], color="#BBBBBB", lw=4, label="loop")
        axis.ecdf(sampler[:, k], color="#D55E00", lw=1.2, label="sampler")
        axis.set(xlabel=names[k])
        axis.set_title(f"KS p = {p_values[k]:.2f}", fontsize=9)
    axes[0].set_ylabel("cumulative share")
    axes[0].legend(fontsize="small", loc="lower right")
    return fig


def presets_figure(views: Mapping[str, NDArray]) -> plt.Figure:
    """Views (n, height, width) of one bone by recipe, a line each."""
    use_style()
    n = len(next(iter(views.values())))
    fig, axes = plt.subplots(len(views), n, figsize=(8.4, 1.25 * len(views)))
    for line, (name, images) in zip(axes, views.items(), strict=True):
        for axis, image in zip(line, images, strict=True):
            axis.imshow(image, cmap="gray", vmin=0, vmax=1)
            axis.set(xticks=[], yticks=[])
        line[0].set_ylabel(name)
    return fig


def show_counts(run: Run, counted: pd.DataFrame, local: NDArray) -> None:
    """The table of crops without content, rows for all bones, facts; ``local``: their content, (bones, views)."""
    table(run, "empty", empty_table(counted), "Conventional crops of simulated bones without content, % (95 % CI); n "
          "bone images")  # fmt: skip
    for r in counted[counted["bone"] == "all"].itertuples():
        metric = f"share of conventional {r.size} px crops: {r.event}"
        run.result(None, metric, r.share, ci=(r.low, r.high), n=r.n, cohort="hand-phantom")
        run.fact(**{f"{SIZES[r.size]}_{'empty' if r.event == 'empty' else 'low'}": r.share})
    some = counted[(counted["size"] == 96) & (counted["event"] == "empty") & (counted["bone"] != "all")]
    by_bone, empty = some.set_index("bone")["share"], (local == 0).sum(1)
    run.fact(worst=by_bone.idxmax(), worst_share=by_bone.max(), best=by_bone.idxmin(), best_share=by_bone.min())
    n_views = local.shape[1]
    run.fact(both_empty=(empty * (empty - 1)).mean() / (n_views * (n_views - 1)))


def show_law(run: Run, loop: NDArray, sampler: NDArray) -> None:
    """Two ways of drawing boxes: curves, the largest Kolmogorov-Smirnov distance, and how often the loop tried.

    ``sampler`` (n, 4): content, height, middle across, middle down; ``loop`` the same and the number of tries.
    """
    from scipy.stats import ks_2samp

    tests = [ks_2samp(loop[:, k], sampler[:, k]) for k in range(4)]
    names = ("content", "height of the box (px)", "its middle, across (px)", "its middle, down (px)")
    figure(run, "law", law_figure(loop, sampler, names, [t.pvalue for t in tests]), alt="Cumulative curves of content, "
           "height and middle of local boxes on one bone, by the loop and by the sampler.")  # fmt: skip
    n, distance = len(loop), max(t.statistic for t in tests)
    run.fact(n_draws=n, mean_tries=loop[:, 4].mean(), most_tries=int(loop[:, 4].max()), largest_d=distance)
    run.fact(smallest_p=min(t.pvalue for t in tests), seen=1.36 * np.sqrt(2 / n))
    metric = "Kolmogorov-Smirnov distance, loop against sampler, largest of four"
    run.result(None, metric, distance, n=n, cohort="hand-phantom")


def show_recipes(
    run: Run, bones: torch.Tensor, one: torch.Tensor, contents: Mapping[tuple[str, int], NDArray], hand_of: pd.Series,
    n_boot: int, seed: int,
) -> None:  # fmt: skip
    """Both papers' recipes: views of one bone, the change of crops under 10 % between them, silhouettes; two CSV files.

    ``contents`` (bones, views) of conventional crops by recipe and size; ``hand_of`` each bone, which is resampled.
    """
    whole = Crop(8, 128, (1, 1), (1, 1))  # the whole source, as turned
    sheets = {name: views_and_contents(one, (whole,), PRESETS[name], 0, seed)[0] for name in RECIPES}
    drawn = presets_figure({name: [view[0] for view in views] for name, views in sheets.items()})
    figure(run, "presets", drawn, alt="Eight whole sources of one metacarpal by each paper's recipe, a line each.")
    fewer, more = ((contents[name, 96] < 0.1).mean(1) for name in RECIPES)
    change = bootstrap_statistic(np.mean, 100 * (more - fewer), groups=hand_of, n_boot=n_boot, seed=seed)
    run.fact(change=change.estimate, change_low=change.ci[0], change_high=change.ci[1])
    white, before = silhouettes(bones[::4], PRESETS["lee2025"], seed)
    run.fact(white=white.mean(), n_lit=white.size, white_before=before.mean())
    run.write("recipes.csv", recipes_table(contents).round(1).to_csv(index=False))
    run.write("local.csv", local_views_table((4, 5)).round(2).to_csv(index=False))


def recipes_table(contents: Mapping[tuple[str, int], NDArray]) -> pd.DataFrame:
    """Percent of crops without content by recipe and size; ``contents`` (bones, views) by both."""
    rows = [(*key, 100 * (c == 0).mean(), 100 * (c < 0.1).mean()) for key, c in sorted(contents.items())]
    return pd.DataFrame(rows, columns=["recipe", "px", "empty, %", "under 10 %, %"])


def local_views_table(numbers: Sequence[int], size: int = 224, local_size: int = 96) -> pd.DataFrame:
    """What V local views beside two global ones cost: terms of the loss, their share with a local view, pixels."""
    rows = [(v, 2 * (v + 1), 2 * v / (2 * (v + 1)), 2 * size**2 + v * local_size**2) for v in numbers]
    return pd.DataFrame(
        rows, columns=["local views", "terms of the loss", "share with a local view", "pixels an image"]
    )
