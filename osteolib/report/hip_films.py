"""Figures of the page on the phantom hip: films in a row, groups of trabeculae fading, drawn mineral against BMD."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from osteolib.phantoms.hip.shapes import GROUPS
from osteolib.phantoms.hip.trabeculae import singh_grade, visible
from osteolib.phantoms.hip.truth import FEMUR, JOINT, NECK, PELVIS, SCREW
from osteolib.report.style import GREY, INK, use_style

GROUP_COLOURS = dict(zip(GROUPS, ("#0072B2", "#D55E00", "#56B4E9", "#E69F00", "#009E73"), strict=True))
MASK_COLOURS = {"pelvis": (PELVIS, "#56B4E9"), "femur": (FEMUR, "#E69F00"), "neck (DXA)": (NECK, "#009E73"),
                "screws": (SCREW, "#CC79A7"), "artificial joint": (JOINT, "#D55E00")}  # fmt: skip


def film_rows(rows: Sequence[Sequence[NDArray]], titles: Sequence[Sequence[str]], size: float) -> plt.Figure:
    """Films in rows under their titles, each from 0 to 255; ``size`` is a film's width in inches."""
    use_style()
    columns, (height, width) = max(map(len, rows)), rows[0][0].shape
    figsize = (columns * size, len(rows) * (size * height / width + 0.28))
    fig, axes = plt.subplots(len(rows), columns, figsize=figsize, squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    for line, films, names in zip(axes, rows, titles, strict=True):
        for axis, film, name in zip(line, films, names, strict=False):
            axis.imshow(film, cmap="gray", vmin=0, vmax=255, interpolation="antialiased")
            axis.set_title(name, fontsize=8, weight="normal")
    return fig


def masks_figure(film: NDArray, mask: NDArray) -> plt.Figure:
    """A film, and beside it what is known of each of its pixels."""
    use_style()
    fig, axes = plt.subplots(1, 2, figsize=(7.6, 3.3))
    for axis in axes:
        axis.imshow(film, cmap="gray", vmin=0, vmax=255)
        axis.axis("off")
    for name, (bit, colour) in MASK_COLOURS.items():
        if (mask & bit > 0).any():
            axes[1].contour(mask & bit > 0, [0.5], colors=colour, linewidths=1.3)
            axes[1].plot([], [], color=colour, label=name)
    fig.legend(*axes[1].get_legend_handles_labels(), loc="outside lower center", ncols=5)
    return fig


def fading_figure(low: float, high: float) -> plt.Figure:
    """How much of each group is there by density, and the grade of the Singh index that follows."""
    use_style()
    grid = np.linspace(low, high, 240)
    grades = np.array([singh_grade(d) for d in grid])
    fig, axis = plt.subplots(figsize=(6.4, 3.1))
    for name, colour in GROUP_COLOURS.items():
        axis.plot(grid, [visible(name, d) for d in grid], color=colour, lw=2, label=name)
    for grade in np.unique(grades):
        of_grade = grid[grades == grade]
        axis.text(of_grade.mean(), 1.05, grade, ha="center", fontsize=9, color=INK)
        if of_grade[-1] < high:
            axis.axvline(of_grade[-1], color=GREY, lw=0.8, ls=":")
    axis.set(xlabel="density of spongy bone (1 in young adults)", ylabel="share of the group left", ylim=(0, 1.13))
    axis.set_title("Grade of the Singh index above", fontsize=9, pad=10)
    axis.legend(fontsize="small", loc="upper left", bbox_to_anchor=(1, 1))
    return fig


def neck_figure(drawn: ArrayLike, measured: ArrayLike, sex: Sequence[str]) -> plt.Figure:
    """Mineral per area in the region of the drawn neck against the BMD of the simulated scan, g/cm2."""
    use_style()
    fig, axis = plt.subplots(figsize=(4.2, 3.6))
    table = pd.DataFrame({"x": np.asarray(measured), "y": np.asarray(drawn), "sex": np.asarray(sex)})
    for code, colour, marker in (("F", "#D55E00", "o"), ("M", "#0072B2", "s")):
        group = table[table["sex"] == code]
        axis.scatter(group["x"], group["y"], s=14, color=colour, marker=marker, alpha=0.7, lw=0,
                     label={"F": "women", "M": "men"}[code])  # fmt: skip
    ends = [table[["x", "y"]].min().min(), table[["x", "y"]].max().max()]
    axis.plot(ends, ends, color=GREY, lw=1)
    axis.set(xlabel="BMD of the neck by the simulated scan, g/cm²", ylabel="mineral drawn in the region, g/cm²")
    axis.legend(fontsize="small")
    return fig


def slopes_figure(slopes: Mapping[str, Sequence[float]]) -> plt.Figure:
    """Spectral slope of films of several kinds, one line of dots each."""
    use_style()
    fig, axis = plt.subplots(figsize=(6.4, 0.5 + 0.5 * len(slopes)))
    for row, (values, colour) in enumerate(zip(slopes.values(), ("#0072B2", "#D55E00", "#009E73"), strict=False)):
        jitter = np.random.default_rng(row).uniform(-0.22, 0.22, len(values))
        axis.plot(values, row + jitter, ".", color=colour, alpha=0.5, ms=4)
        axis.plot(np.median(values), row, "|", color=INK, ms=20, mew=2)
    axis.set_yticks(range(len(slopes)), list(slopes))
    axis.set(xlabel="exponent of power by spatial frequency", ylim=(len(slopes) - 0.5, -0.5))
    return fig
