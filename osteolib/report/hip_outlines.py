"""Figures of the page on hip contours: films with what is found on them, overlaps, the squares that are cut."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from osteolib.report.style import GREY, INK, use_style
from osteolib.segment.hip_instances import BITS
from osteolib.segment.hip_squares import cut_square
from osteolib.segment.mask_rcnn import HipFound

COLOURS = {"femur": "#56B4E9", "joint": "#E69F00", "screw": "#CC79A7"}
NAMES = {"femur": "femur", "joint": "artificial joint", "screw": "screws"}
Shown = tuple[NDArray[np.uint8], NDArray[np.uint8], Sequence[HipFound]]
"""A film, its true bit flags, and what was found on it."""


def films_found(films: Sequence[Shown], titles: Sequence[str]) -> Figure:
    """Films side by side: found contours in colour, true ones in white, squares as yellow boxes."""
    use_style()
    fig, axes = plt.subplots(1, len(films), figsize=(9, 9 / len(films) * 0.75 + 0.6), squeeze=False)
    for axis, (pixels, truth, found), title in zip(axes[0], films, titles, strict=True):
        _film(axis, pixels)
        for flag in BITS.values():
            _contour(axis, truth & flag > 0, "white", 0.7)
        for hip in found:
            for name, mask in hip.masks.items():
                _contour(axis, mask, COLOURS[name], 1.3)
            if hip.square:
                x0, y0, x1, _ = hip.square
                box = plt.Rectangle((x0, y0), x1 - x0, x1 - x0, fill=False, ec="#F0E442", lw=1, ls="--")
                axis.add_patch(box)
        axis.set_title(title, fontsize=9)
    keys = [Line2D([], [], color=colour, label=NAMES[name]) for name, colour in COLOURS.items()]
    keys += [Line2D([], [], color="#F0E442", ls="--", label="square")]
    keys += [plt.Rectangle((0, 0), 1, 1, fc="#444444", ec="white", lw=1.4, label="true contour")]
    fig.legend(handles=keys, loc="outside lower center", ncols=5, fontsize="small")
    return fig


def overlaps(judged: pd.DataFrame, least: Mapping[str, float], seed: int = 0) -> Figure:
    """IoU of every test hip by class, with the mean and the required value as lines."""
    use_style()
    rng = np.random.default_rng(seed)  # vertical jitter only
    fig, axis = plt.subplots(figsize=(7.6, 2.7))
    values = {name: judged[f"iou_{name}"].dropna() for name in BITS}
    for place, (name, found) in enumerate(reversed(values.items())):
        at = place + rng.uniform(-0.22, 0.22, len(found))
        axis.scatter(found, at, s=12, alpha=0.55, color=COLOURS[name], edgecolor=INK, linewidths=0.3)
        if len(found):
            axis.plot([found.mean()] * 2, [place - 0.34, place + 0.34], color=INK, lw=2)
        axis.plot([least[name]] * 2, [place - 0.45, place + 0.45], color="#D55E00", lw=1.5, ls="--")
        axis.text(least[name] + 0.006, place + 0.3, f"{least[name]:.2f}", color="#D55E00", fontsize=8)
    axis.set(xlabel="IoU with the true mask; one dot a hip, 0 where it was missed", ylim=(-0.5, 2.5), xlim=(None, 1.03))
    axis.set_yticks(range(3), [f"{NAMES[n]}, n = {len(v)}" for n, v in reversed(values.items())])
    keys = [Line2D([], [], color=INK, lw=2, label="mean"),
            Line2D([], [], color="#D55E00", ls="--", label="what the paper requires")]  # fmt: skip
    fig.legend(handles=keys, loc="outside upper right", ncols=2, fontsize="small")
    return fig


def squares(films: Sequence[Shown], size: int = 224, most: int = 6) -> Figure:
    """The first squares cut from films, left hips mirrored so that all stand alike."""
    use_style()
    cut = [(cut_square(pixels, hip.square, size), hip) for pixels, _, found in films for hip in found if hip.square]
    fig, axes = plt.subplots(1, max(1, len(cut[:most])), figsize=(1.5 * max(1, len(cut[:most])), 1.85), squeeze=False)
    for axis, (square, hip) in zip(axes[0], cut, strict=False):
        _film(axis, square if hip.side == "right" else square[:, ::-1])
        words = "left out" if hip.obstructed else "kept"
        axis.set_title(f"{hip.side}, {words}", fontsize=8.5)
    for axis in axes[0]:
        axis.axis("off")
    return fig


def offsets(judged: pd.DataFrame) -> Figure:
    """How far the edges of the squares lie from those by the true mask, free hips and obstructed ones."""
    use_style()
    fig, axis = plt.subplots(figsize=(6, 2.6))
    groups = {"free": ~judged["obstructed"], "with metal": judged["obstructed"]}
    for (name, rows), (colour, style) in zip(groups.items(), ((INK, "-"), (GREY, "--")), strict=True):
        off = np.sort((judged["off_px"] * judged["spacing_mm"])[rows].dropna())
        if len(off):
            label = f"{name}, {len(off)} squares"
            axis.step(off, np.arange(1, len(off) + 1) / len(off), color=colour, ls=style, where="post", label=label)
    axis.set(xlabel="largest shift of an edge of the square (mm)", ylabel="share of squares", ylim=(0, 1.03))
    axis.set_xlim(left=0)
    axis.legend(fontsize="small", loc="lower right")
    return fig


def loss_terms(history: pd.DataFrame) -> Figure:
    """Terms of the loss by epoch, on a logarithmic scale."""
    use_style()
    names = {"objectness": "is there anything (RPN)", "rpn_box_reg": "box (RPN)", "classifier": "class",
             "box_reg": "box", "mask": "mask"}  # fmt: skip
    fig, axis = plt.subplots(figsize=(6, 2.8))
    for (term, name), marker in zip(names.items(), "os^Dv", strict=True):
        axis.plot(history["epoch"] + 1, history[term], marker=marker, ms=4, label=name)
    axis.set(xlabel="epoch", ylabel="mean loss", yscale="log")
    axis.xaxis.get_major_locator().set_params(integer=True)
    axis.yaxis.set_major_formatter("{x:g}")  # the book's figures show dollar signs as they are
    fig.legend(loc="outside right center", fontsize="small")
    return fig


def _film(axis: Axes, pixels: NDArray) -> None:
    axis.imshow(pixels, cmap="gray", vmin=0, vmax=255)
    axis.axis("off")


def _contour(axis: Axes, mask: NDArray[np.bool_], colour: str, width: float) -> None:
    if mask.any() and not mask.all():
        axis.contour(mask, [0.5], colors=colour, linewidths=width)
