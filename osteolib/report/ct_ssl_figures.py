"""Figures of the page on texture-preserving pre-training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from osteolib.report.comparison import Comparison
from osteolib.report.style import GREY, INK, use_style

NAMES = {"swav": "SwAV, crops", "tp-swav": "TP-SwAV, pool", "mae": "MAE", "random": "random encoder",
         "random resnet18-half": "random ResNet", "random vit-tiny": "random ViT"}  # fmt: skip
LOOK = {"swav": ("#767676", "o"), "tp-swav": ("#D55E00", "^"), "mae": ("#0072B2", "s")}
READERS = {NAMES[method]: look for method, look in LOOK.items()}
"""Colour and marker of each method by the name that a reader sees."""
PLANES = ("axial", "coronal", "sagittal")


def pool_figure(pool: NDArray, members: Sequence[str], crops: Sequence[NDArray]) -> Figure:
    """Members (5, 3, size, size) of one vertebra, and crops of it (3, size, size), from above and from the side."""
    use_style()
    pictures = [*pool, *crops]
    titles = [name.replace("_", "\n").replace("autoc", "auto-\nc") for name in members]
    titles += [f"crop {k}" for k in range(1, len(crops) + 1)]
    fig, axes = plt.subplots(2, len(pictures), figsize=(8.8, 2.9))
    for column, (picture, title) in enumerate(zip(pictures, titles, strict=True)):
        for row, plane in enumerate((0, 2)):
            axis = axes[row, column]
            axis.imshow(picture[plane], cmap="gray", vmin=0, vmax=255)
            axis.set(xticks=[], yticks=[])
            if column == 0:
                axis.set_ylabel(PLANES[plane])
        axes[0, column].set_title(title, fontsize=8, color=INK if column < len(pool) else LOOK["tp-swav"][0])
    return fig


def history_figure(history: Mapping[str, pd.DataFrame]) -> Figure:
    """Loss by epoch with what a collapsed encoder has, that of the painter, and the directions embeddings use."""
    use_style()
    fig, (swapped, painted, rank) = plt.subplots(1, 3, figsize=(8.8, 2.7))
    for method, h in history.items():
        colour, marker = LOOK[method]
        known = {"color": colour, "marker": marker, "ms": 4, "lw": 1.2, "label": NAMES[method]}
        axis, column = (painted, "loss") if method == "mae" else (swapped, "swapped")
        axis.plot(h["epoch"] + 1, h[column], **known)
        rank.plot(h["epoch"] + 1, h["effective_rank"], **known)
        axis.axhline(h["collapsed_loss"].iloc[-1], color=INK, ls=":", lw=1.2)
    swapped.set(title="Equation 1", ylabel="loss a view (dotted: ln K)")
    painted.set(title="painting", ylabel="error (dotted: mean picture)")
    rank.set(title="directions in use", ylabel="effective rank", ylim=(0, None))
    for axis in (swapped, painted, rank):
        axis.set_xlabel("epoch")
        axis.xaxis.get_major_locator().set_params(integer=True)
    fig.legend(*rank.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return fig


def designed_figure(pictures: Mapping[str, NDArray], found: Mapping[str, Comparison]) -> Figure:
    """Above, pictures (size, size) by title; below, r of each reader with its 95 % interval, a panel a question."""
    use_style()
    fig = plt.figure(figsize=(8.8, 4.6))
    above, below = fig.subfigures(2, 1, height_ratios=(1, 1.35))
    for axis, (title, picture) in zip(above.subplots(1, len(pictures)), pictures.items(), strict=True):
        axis.imshow(picture, cmap="gray", vmin=0, vmax=255)
        axis.set_title(title, fontsize=8)
        axis.set(xticks=[], yticks=[])
    axes = below.subplots(1, len(found), sharey=True)
    for axis, (question, compared) in zip(axes, found.items(), strict=True):
        names = compared.methods
        for y, name in zip(range(len(names))[::-1], names, strict=True):
            value, low, high = compared.estimate(name)
            colour, marker = READERS.get(name, (INK, "D" if name.startswith("mean") else "x"))
            axis.plot([low, high], [y, y], color=colour, lw=2)
            axis.plot(value, y, marker, color=colour, ms=7)
        axis.axvline(0, color=GREY, ls=":", lw=1)
        axis.set(title=question, xlabel="r on other pictures", xlim=(-0.42, 1.06),
                 yticks=range(len(names))[::-1], ylim=(-0.6, len(names) - 0.4))  # fmt: skip
        axis.set_yticklabels(names)
    return fig
