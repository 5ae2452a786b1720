"""Figures of the chapters on learning without labels: two stages, collapse, and which bone matters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch
from numpy.typing import NDArray

from osteolib.report.comparison import Comparison
from osteolib.report.style import GREY, INK, use_style
from osteolib.ssl.losses import METHODS

NAMES = dict(zip(METHODS, ("SimCLR", "SupCon", "SwAV", "VICReg"), strict=True))
"""The methods as their authors write them."""
CROPS = {"conventional": ("#767676", "o"), "extended": ("#D55E00", "^"), "large": ("#0072B2", "s")}
"""Colour and marker of a kind of views."""
FILMED = ", as filmed"

Cell = tuple[str, str, str, int]  # method, kind of views, grey levels, seed


def cell_name(method: str, crops: str, grey: str) -> str:
    """How a cell is called: ``SimCLR, large``, and ``SimCLR, extended, as filmed`` where grey levels are not ranked."""
    return f"{NAMES[method]}, {crops}{FILMED * (grey == 'filmed')}"


ARROWS = ((0.525, 0.56, 0.7), (0.672, 0.705, 0.7), (0.81, 0.865, 0.7), (0.525, 0.545, 0.28), (0.655, 0.7, 0.28),
          (0.83, 0.875, 0.28))  # from x to x at y, of the figure  # fmt: skip
BLUE, ORANGE = {"fc": "#E8F1F8", "ec": "#0072B2"}, {"fc": "#FBEDE3", "ec": "#D55E00"}
BOXES = ((0.615, 0.7, "encoder $f$", BLUE), (0.755, 0.7, "head $g$", BLUE), (0.6, 0.28, "$f$, frozen", ORANGE),
         (0.765, 0.28, "linear layer", ORANGE), (0.93, 0.7, "loss between\nviews", None),
         (0.93, 0.28, "mean over\nbones", None))  # fmt: skip
HEADS = ((0.085, 0.94, "film, masks"), (0.25, 0.94, "bones"), (0.445, 0.94, "views of M2"),
         (0.75, 0.94, "1: without labels"), (0.75, 0.46, "2: whole bones, with labels"))  # fmt: skip


def stages(film: NDArray, labels: NDArray, bones: Sequence[NDArray], views: Sequence[NDArray]) -> Figure:
    """Film with outlines, its bones, views of one bone (two global, then local), and the two stages of training.

    ``film`` and ``labels`` (height, width); ``bones`` up to eight; ``views`` in [0, 1], up to six.
    """
    use_style()
    fig = plt.figure(figsize=(8.8, 3.3))
    fig.set_layout_engine("none")

    def place(x: float, y: float, width: float, height: float, image: NDArray, **options: float) -> plt.Axes:
        axis = fig.add_axes((x, y, width, height))
        axis.imshow(image, cmap="gray", vmin=0, **options)
        axis.axis("off")
        return axis

    place(0.0, 0.12, 0.17, 0.76, film).contour(labels > 0, [0.5], colors="#E69F00", linewidths=0.7)
    for k, image in enumerate(bones):
        place(0.19 + 0.065 * (k % 2), 0.68 - 0.19 * (k // 2), 0.06, 0.17, image)
    for k, image in enumerate(views):
        x, y = (0.37, 0.62 - 0.25 * k) if k < 2 else (0.475, 0.68 - 0.15 * (k - 2))
        place(x, y, *((0.09, 0.23) if k < 2 else (0.05, 0.13)), image, vmax=1)
    for x, y, text, colours in BOXES:
        box = {"boxstyle": "round,pad=0.5"} | colours if colours else None
        fig.text(x, y, text, ha="center", va="center", parse_math=True, bbox=box)
    for start, end, y in ARROWS:
        arrow = FancyArrowPatch((start, y), (end, y), arrowstyle="-|>", mutation_scale=10, color=INK)
        fig.add_artist(arrow)
    for x, y, text in HEADS:
        fig.text(x, y, text, ha="center", fontweight="bold", fontsize=9)
    return fig


def collapse(history: Mapping[Cell, pd.DataFrame]) -> Figure:
    """Loss and spread of the embeddings by epoch; dotted, the loss of a collapsed encoder; thin, grey as filmed."""
    use_style()
    fig, axes = plt.subplots(2, 4, figsize=(8.8, 4.0), sharex=True)
    legend = {}
    for (method, crops, grey, _), h in history.items():
        (top, low), (colour, marker) = axes[:, METHODS.index(method)], CROPS[crops]
        filmed = grey == "filmed"
        known = {"color": colour, "marker": marker, "ms": 4, "lw": 1.2} | (
            {"ls": "--", "mfc": "none"} if filmed else {}
        )
        line = top.plot(h["epoch"] + 1, h["loss"], **known)[0]
        legend.setdefault(f"{crops}{FILMED * filmed}", line)
        low.plot(h["epoch"] + 1, h["embedding_sd"], **known)
        top.axhline(h["collapsed_loss"].iloc[0], color=INK, ls=":")
        top.set_title(NAMES[method])
        low.set_ylim(0, 1.05)
    axes[0, 0].set_ylabel("loss")
    axes[1, 0].set_ylabel("spread of embeddings")
    fig.supxlabel("epoch (dotted: the loss of a collapsed encoder)", fontsize=9)
    fig.legend(legend.values(), legend.keys(), loc="outside upper right", ncols=4)
    return fig


def bone_by_bone(means: pd.DataFrame, people_in: Mapping[str, int], alone: Comparison) -> Figure:
    """Left, mean probability of each bone in groups of people (columns of ``means``); right, AUROC of each alone."""
    use_style()
    looks = (("#D55E00", "^"), ("#E69F00", "s"), ("#0072B2", "o"), ("#56B4E9", "v"))
    fig, (left, right) = plt.subplots(1, 2, figsize=(8.8, 3.5))
    for name, (colour, marker) in zip(means, looks, strict=True):
        label = f"{name}, n = {people_in[name]}"
        left.plot(range(len(means)), means[name], marker, ls="-", color=colour, label=label)
    for k, bone in enumerate(means.index):
        if bone in alone.methods:
            value, low, high = alone.estimate(bone)
            right.plot([k, k], [low, high], color=INK)
            right.plot(k, value, "o", color=INK)
    right.axhline(0.5, color=GREY, ls=":")
    for axis, what in ((left, "mean probability"), (right, "AUROC of the bone alone")):
        axis.set_xticks(np.arange(len(means)), means.index)
        axis.set_ylabel(what)
    fig.legend(loc="outside lower center", ncols=2)
    return fig
