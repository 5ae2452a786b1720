"""The figures of the book. Each function draws one and returns it; what it means stands in the notebook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from osteolib.cohorts import LABELS
from osteolib.report.style import COLOURS, GREY, INK, MARKERS, use_style
from osteolib.stats import Agreement

FOREST = ("value", "ci_low", "ci_high", "null_low", "null_high")
"""Columns of the table behind :func:`forest`."""


def age_and_t_score(people: pd.DataFrame) -> Figure:
    """Age against T-score by class, with the two cut-offs, and the ages of each class as strips."""
    use_style()
    fig, (left, right) = plt.subplots(1, 2, figsize=(7.6, 3.6), width_ratios=[3, 2])
    rng = np.random.default_rng(0)  # horizontal jitter only
    for place, label in enumerate(LABELS):
        group = people[people["label"] == label]
        style = {"c": COLOURS[label], "marker": MARKERS[label], "s": 22, "alpha": 0.75, "linewidths": 0}
        left.scatter(group["age_years"], group["t_score"], label=label, **style)
        right.scatter(place + rng.uniform(-0.22, 0.22, len(group)), group["age_years"], **style)
        right.hlines(group["age_years"].mean(), place - 0.35, place + 0.35, color=INK, lw=2)
    for cut in (-1.0, -2.5):
        left.axhline(cut, color=GREY, lw=1, ls="--")
    left.set(xlabel="age (years)", ylabel="T-score (ultrasound)", title="T-score against age")
    left.legend(loc="upper right")
    right.set(xticks=range(len(LABELS)), ylabel="age (years)", title="Ages (bar: mean)")
    right.set_xticklabels(LABELS, rotation=20)
    return fig


def composition(films: pd.DataFrame, columns: Mapping[str, str]) -> Figure:
    """Share of each value of some film properties within the classes, as stacked horizontal bars."""
    use_style()
    fig, axes = plt.subplots(1, len(columns), figsize=(7.6, 2.7), squeeze=False)
    shades = ["#0072B2", "#56B4E9", "#009E73", "#F0E442", "#E69F00", "#CC79A7", "#999999"]
    for axis, (column, title) in zip(axes[0], columns.items(), strict=True):
        share = pd.crosstab(films["label"], films[column], normalize="index").reindex(LABELS)
        left = np.zeros(len(share))
        for colour, value in zip(shades, share.columns, strict=False):
            axis.barh(share.index, share[value], left=left, color=colour, edgecolor="white", label=str(value))
            left += share[value].to_numpy()
        axis.set(title=title, xlabel="share of films", xlim=(0, 1))
        axis.invert_yaxis()
        axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.28), ncols=2, fontsize="small")
    return fig


def contact_sheet(images: Sequence[np.ndarray], titles: Sequence[str], columns: int = 6, size: float = 1.25) -> Figure:
    """Small pictures in a grid, each with a title; images are 2-D, shown from their own minimum to their maximum."""
    use_style()
    n_rows = -(-len(images) // columns)
    fig, axes = plt.subplots(n_rows, columns, figsize=(columns * size, n_rows * (size + 0.35)), squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    for axis, image, title in zip(axes.flat, images, titles, strict=False):
        height, width = image.shape
        side = max(height, width)
        square = np.pad(image, (((side - height) // 2,), ((side - width) // 2,)), constant_values=image.min())
        axis.imshow(square, cmap="gray", interpolation="antialiased")
        axis.set_title(title, fontsize=7.5, loc="center", weight="normal")
    return fig


def forest(rows: pd.DataFrame, xlabel: str, title: str, null: float, published: Mapping[str, float]) -> Figure:
    """Estimates with intervals, one line each, beside published values as vertical lines.

    Parameters
    ----------
    rows
        Index: name of the line; columns :data:`FOREST`, the last two of them the range that shuffled targets give.
    null
        The value of a model that knows nothing, drawn as a dashed line.
    """
    use_style()
    fig, axis = plt.subplots(figsize=(7.2, 0.38 * len(rows) + 1.4))
    places = np.arange(len(rows))[::-1]
    axis.barh(places, rows["null_high"] - rows["null_low"], left=rows["null_low"], height=0.62, color="#D9D9D9",
              label="95 % of shuffles")  # fmt: skip
    axis.axvline(null, color=GREY, ls="--", lw=1)
    for (name, value), style in zip(published.items(), ("-", ":", "-."), strict=False):
        axis.axvline(value, color=COLOURS["osteoporosis"], ls=style, lw=1.6, label=f"{name}: {value:g}")
    axis.hlines(places, rows["ci_low"], rows["ci_high"], color=INK, lw=1.8)
    axis.plot(rows["value"], places, "o", color=INK, ms=6)
    for place, value, high in zip(places, rows["value"], rows["ci_high"], strict=True):
        axis.annotate(f"{value:.2f}", (high, place), xytext=(5, 0), textcoords="offset points", va="center", fontsize=8)
    axis.set(yticks=places, xlabel=xlabel, title=title, ylim=(-0.7, len(rows) - 0.3))
    axis.set_yticklabels(rows.index)
    axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.9 / fig.get_figheight()), ncols=4, fontsize="small")
    return fig


def in_words(rows: pd.DataFrame) -> str:
    """The estimates of a :func:`forest` as text, for readers who cannot see it."""
    return "; ".join(f"{name} {value:.2f}" for name, value in rows["value"].items())


def scatter_and_difference(
    reference: ArrayLike, predicted: ArrayLike, agreement: Agreement, names: tuple[str, str], unit: str, labels=None
) -> Figure:
    """Two views of the same pairs: one against the other, and their difference against their mean (Bland-Altman).

    With ``labels``, the class of each pair, each class has its own marker, and the least-squares line is drawn.
    """
    use_style()
    reference, predicted = np.asarray(reference, float), np.asarray(predicted, float)
    fig, (left, right) = plt.subplots(1, 2, figsize=(7.6, 3.6))

    def draw(axis, x: np.ndarray, y: np.ndarray) -> None:
        if labels is None:
            axis.scatter(x, y, s=4, alpha=0.18, color=COLOURS["normal"], linewidths=0, rasterized=True)
        for label in LABELS if labels is not None else ():
            rows = np.asarray(labels) == label
            axis.scatter(x[rows], y[rows], s=18, alpha=0.7, c=COLOURS[label], marker=MARKERS[label], lw=0, label=label)

    draw(left, reference, predicted)
    ends = [min(reference.min(), predicted.min()), max(reference.max(), predicted.max())]
    left.plot(ends, ends, color=INK, lw=1, ls="-" if labels is None else "--")
    if labels is not None:
        span = np.array([reference.min(), reference.max()])
        left.plot(span, np.polyval(np.polyfit(reference, predicted, 1), span), color=INK, lw=1.6)
        left.legend(fontsize="small", loc="best")
    r = np.corrcoef(reference, predicted)[0, 1]
    left.set(xlabel=f"{names[0]} ({unit})", ylabel=f"{names[1]} ({unit})", title=f"Correlation: r = {r:.3f}")
    draw(right, (reference + predicted) / 2, predicted - reference)
    lines = {"bias": agreement.bias, "lower limit": agreement.loa_low, "upper limit": agreement.loa_high}
    for name, value in lines.items():
        right.axhline(value, color=COLOURS["osteoporosis"], lw=1.8, ls="-" if name == "bias" else "--")
        right.annotate(
            f"{name} {value:+.2f}", (1, value), xycoords=("axes fraction", "data"), xytext=(-4, 4),
            textcoords="offset points", ha="right", fontsize=9, weight="bold",
            bbox={"fc": "white", "ec": "none", "alpha": 0.7, "pad": 1},
        )  # fmt: skip
    right.margins(y=0.12)
    right.set(
        xlabel=f"mean of the two ({unit})",
        ylabel=f"{names[1]} − {names[0]} ({unit})",
        title=f"Agreement: 95 % within {agreement.loa_high - agreement.loa_low:.2f}",
    )
    return fig


def correlation_against_range(table: pd.DataFrame) -> Figure:
    """How r falls and the limits stay when the range of the reference is narrowed; columns ``width, r, half_width``."""
    use_style()
    fig, axis = plt.subplots(figsize=(6.6, 3.4))
    axis.plot(table["width"], table["r"], "o-", color=COLOURS["normal"], label="correlation r")
    axis.plot(table["width"], table["half_width"], "s--", color=COLOURS["osteoporosis"], label="limits: ± half width")
    axis.set(
        xlabel="width of the reference range kept (T-score units)", ylim=(0, None), title="Same scanner, same people"
    )
    axis.legend()
    return fig
