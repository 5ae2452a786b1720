"""Draws a comparison: each method's estimate and interval on a line of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from osteolib.report.compared import Comparison, label
from osteolib.report.style import COLOURS, GREY, INK, use_style


def forest(
    comparison: Comparison,
    metric: str | None = None,
    *,
    chance: float | None = None,
    published: Mapping[str, Sequence[float]] | None = None,
    strokes: Mapping[str, Sequence[float]] | None = None,
    styles: Mapping[str, tuple[str, str]] | None = None,
    xlabel: str | None = None,
) -> Figure:
    """Points and 95 % intervals, one method a line, from the top down.

    Parameters
    ----------
    metric
        The one drawn; default: the first.
    chance
        Drawn as a dotted line; default 0.5 for AUROC. The attainable, where known, is a dashed one.
    published
        Published values as squares, ``(value,)`` or ``(value, ci_low, ci_high)``: on the line of a method of that
        name, otherwise on a line of their own above the methods.
    strokes
        Small strokes above a method's interval: its folds, or its seeds.
    styles
        ``(colour, marker)`` of a method.
    """
    use_style()
    metric, published, styles = metric or comparison.metrics[0], published or {}, styles or {}
    rows = comparison.rows[comparison.rows["metric"] == metric]
    names = [name for name in published if name not in set(rows["method"])] + list(rows["method"])
    height = {name: len(names) - 1 - k for k, name in enumerate(names)}
    fig, axis = plt.subplots(figsize=(7.2, 0.36 * len(names) + 1.2))
    chance = 0.5 if chance is None and metric == "auroc" else chance
    if chance is not None:
        axis.axvline(chance, color=GREY, lw=1, ls=":", label="chance" if metric == "auroc" else None)
    for k, row in enumerate(rows.itertuples()):
        y, (colour, marker) = height[row.method], styles.get(row.method, (INK, "o"))
        if not np.isnan(row.attainable):
            axis.plot([row.attainable] * 2, [y - 0.5, y + 0.5], color=COLOURS["normal"], lw=1.4, ls="--",
                      label="_" * bool(k) + "attainable")  # fmt: skip
        axis.plot([row.ci_low, row.ci_high], [y, y], color=colour, lw=2, solid_capstyle="butt")
        axis.plot(row.value, y, marker, color=colour, ms=7)
    for name, marks in (strokes or {}).items():
        axis.plot(marks, [height[name] + 0.3] * len(marks), "|", color=GREY, ms=6)
    for k, (name, (value, *ends)) in enumerate(published.items()):
        y = height[name] if name not in set(rows["method"]) else height[name] - 0.25
        if ends:
            axis.plot(ends, [y, y], color=COLOURS["osteoporosis"], lw=2, solid_capstyle="butt")
        axis.plot(value, y, "s", color=COLOURS["osteoporosis"], ms=6, label="_" * bool(k) + "published")
    axis.set(yticks=list(height.values()), xlabel=xlabel or f"{label(metric)}, 95 % interval",
             ylim=(-0.6, len(names) - 0.4))  # fmt: skip
    axis.set_yticklabels(names)
    if axis.get_legend_handles_labels()[1]:
        fig.legend(loc="outside upper right", ncols=3, fontsize="small")
    return fig
