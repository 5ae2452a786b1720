"""Figures of the lesson on auditing a paper: what a printed number hides, and the tables behind a few of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import comb

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from osteolib.report.style import GREY, INK, use_style
from osteolib.stats.audit import ROUNDINGS, ConfusionMatrix, Printed, confusion_matrices, printed

RED, BLUE, GREEN = "#D55E00", "#0072B2", "#009E73"
LOOKS = {"": ("#999999", 1.5), "blue": (BLUE, 16), "green": (GREEN, 60), "red": (RED, 130)}
"""Colour and size of the matrices that one, two, three and four printed numbers leave."""

QUIZ = pd.DataFrame(
    {"accuracy": ["0.844", "0.867", "0.833", "0.856"], "sensitivity": ["0.844", "0.781", "0.906", "0.688"],
     "specificity": ["0.845", "0.914", "0.763", "0.948"], "f1": ["0.794", "0.806", "0.795", "0.772"]},
    index=["I", "II", "III", "IV"],
)  # fmt: skip
"""The made-up table of the exercise: four models on 90 people, one digit of it wrong."""


def what_was_printed(panels: Mapping[str, Sequence[str]]) -> Figure:
    """What each printed text may have been, a bar for each way of rounding; one panel for each title."""
    use_style()
    fig, axes = plt.subplots(1, len(panels), figsize=(8.2, 2.4), squeeze=False)
    for axis, (title, texts) in zip(axes[0], panels.items(), strict=True):
        for row, shown in enumerate(reversed(texts)):
            for i, name in enumerate(ROUNDINGS):
                low, high = printed(shown).interval([name])
                colour = (BLUE, GREEN, RED)[i]
                axis.hlines(row + 0.22 * (1 - i), low, high, colour, lw=8, label=name if row == 0 else None)
            axis.vlines(float(printed(shown).value), row - 0.36, row + 0.36, INK, lw=1.2)
        axis.set_yticks(range(len(texts)), reversed(texts))
        axis.set(title=title, ylim=(-0.6, len(texts) - 0.4), xlabel="what it may have been")
        axis.locator_params(axis="x", nbins=5)
    fig.legend(*axes[0, 0].get_legend_handles_labels(), ncols=3, loc="outside lower center")
    return fig


def sieve(
    left: Mapping[str, Sequence[ConfusionMatrix]], n: int, positives: int, reported: Mapping[str, Printed]
) -> Figure:
    """The matrices that each of four printed numbers leaves, in the plane of true positives and false negatives.

    Parameters
    ----------
    left
        What each number leaves, in the order in which they are used: accuracy, sensitivity, specificity, positives.
        All matrices of the first must have one number of right answers.
    reported
        The printed ``sensitivity`` and ``specificity``, drawn as rays.
    """
    use_style()
    fig, (plane, bars) = plt.subplots(1, 2, figsize=(9, 3.8), width_ratios=(2.3, 1))
    (correct,) = {m.tp + m.tn for m in next(iter(left.values()))}
    for order, ((label, matrices), (colour, size)) in enumerate(zip(left.items(), LOOKS.values(), strict=True), 2):
        edge = "white" if order > 3 else "none"
        points = [m.tp for m in matrices], [m.fn for m in matrices]
        plane.scatter(*points, size, colour, edgecolors=edge, zorder=order, label=f"{label} ({len(matrices):,})")
    sensitivity, specificity = (float(reported[name].value) for name in ("sensitivity", "specificity"))
    plane.axline((0, 0), slope=(1 - sensitivity) / sensitivity, color=BLUE, lw=1)
    plane.axline((correct, n - correct), slope=(1 - specificity) / specificity, color=GREEN, lw=1)
    plane.axline((positives, 0), slope=-1, color=RED, lw=1)
    plane.set(xlabel="true positives", ylabel="false negatives", xlim=(-3, correct + 3), ylim=(-1, n - correct + 1))
    counts = {"n alone": comb(n + 3, 3)} | {label: len(matrices) for label, matrices in left.items()}
    bars.barh([*counts][::-1], [*counts.values()][::-1], color=GREY)
    bars.bar_label(bars.containers[0], fmt="{:,.0f}", padding=3)
    bars.set(xscale="log", xlim=(0.5, 50 * counts["n alone"]), xlabel="matrices left (logarithmic)")
    bars.minorticks_off()
    bars.set_xticks([])
    bars.tick_params(axis="y", length=0)
    legend = fig.legend(*plane.get_legend_handles_labels(), ncols=4, loc="outside lower center")
    for handle in legend.legend_handles:
        handle.set(sizes=[45], edgecolor="none")
    return fig


def out_of_reach(proportion: Printed, n: int, sd: Printed, sds: Mapping[str, np.ndarray], mean: str) -> Figure:
    """Values that can be reached, as lines, and the band of what is printed: a proportion of ``n``, and an SD.

    ``sds`` are the SDs that some counts with the printed ``mean`` have, by the kind of SD.
    """
    use_style()
    fig, (left, right) = plt.subplots(1, 2, figsize=(8.6, 2.5))
    middle = float(proportion.value) * n
    counts = np.arange(np.floor(middle - 0.012 * n), middle + 0.016 * n)
    _reachable(left, 100 * counts / n, [f"{count:.0f}" for count in counts])
    left.set(ylim=(0, 0.9), yticks=[], xlabel=f"accuracy (%): counts of {n}")
    for row, values in enumerate(sds.values()):
        near = 100 * values[values < 0.01]
        _reachable(right, near, [f"{value:.3f}" for value in near], row)
    right.set(xlim=(0.2, 1), ylim=(0, len(sds) + 0.05), xlabel=f"SD (%), mean {mean}")
    right.set_yticks(0.3 + np.arange(len(sds)), list(sds))
    for axis, number in ((left, proportion), (right, sd)):
        axis.axvspan(*(100 * end for end in number.interval()), color=RED, alpha=0.3, lw=0)
        axis.set_title(f"printed {number.text}: the band")
    return fig


def _reachable(axis: Axes, values: Sequence[float], labels: Sequence[str], row: int = 0) -> None:
    axis.vlines(values, row, row + 0.65, BLUE, lw=2)
    for value, label in zip(values, labels, strict=True):
        axis.text(value, row + 0.7, label, ha="center", fontsize=9)


def positives_needed(rows: Mapping[str, Mapping[str, Printed]], n: int, positives: int) -> Figure:
    """Numbers of positives with which each row can be printed: its columns as named, and as PPV and NPV.

    ``positives`` is the number that the paper prints elsewhere, a dashed line.
    """
    meanings = {"as printed": {}, "as PPV and NPV": {"sensitivity": "ppv", "specificity": "npv"}}
    use_style()
    fig, axes = plt.subplots(1, len(meanings), figsize=(8.2, 2.3), sharex=True, sharey=True, squeeze=False)
    for axis, (title, meaning) in zip(axes[0], meanings.items(), strict=True):
        axis.axvline(positives, color=GREY, lw=1, ls="--")
        for model, row in rows.items():
            renamed = {meaning.get(name, name): number for name, number in row.items()}
            served = sorted({m.positives for m in confusion_matrices(n, **renamed)})
            axis.plot(served, [model] * len(served), "o", color=BLUE, ms=9)
        axis.set(title=title, xlabel="positives in the test set")
        axis.set_ylim(len(rows) - 0.5, -0.5)
    return fig


def rows_explained(readings: pd.DataFrame, n_rows: int) -> Figure:
    """How many rows each reading of two columns explains; ``readings`` as from ``exchange``."""
    use_style()
    names = readings["sensitivity"] + " · " + readings["specificity"]
    fig, axis = plt.subplots(figsize=(7, 2.8))
    axis.barh(names, readings["rows_explained"], color=np.where(names == "sensitivity · specificity", RED, BLUE))
    for i, row in readings[readings["rows_explained"] > 0].iterrows():
        others = f", or {row['positives_tied'] - 1} other numbers" if row["positives_tied"] > 1 else ""
        said = f"with {row['best_positives']} positives{others}"
        axis.text(row["rows_explained"] + 0.05, i, said, va="center", fontsize=9)
    axis.set(xlabel="rows explained", xlim=(0, n_rows + 1), xticks=range(n_rows + 1),
             title="What the columns sensitivity · specificity may really hold")  # fmt: skip
    axis.invert_yaxis()
    return fig


def readings_as_facts(readings: pd.DataFrame) -> dict[str, int | str]:
    """What ``exchange`` found, for prose: rows explained ``as_printed`` and by the best reading (``explained``).

    ``reading`` and ``best``: the best reading and its number of positives; ``tied`` and ``mirror``: those of the next.
    """
    first, second = readings.iloc[0], readings.iloc[1]
    by_name = readings.set_index(["sensitivity", "specificity"])["rows_explained"]
    return {
        "as_printed": int(by_name["sensitivity", "specificity"]),
        "explained": int(first["rows_explained"]),
        "best": int(first["best_positives"]),
        "mirror": int(second["best_positives"]),
        "reading": f"{first['sensitivity']} · {first['specificity']}",
        "tied": f"{second['sensitivity']} · {second['specificity']}",
    }


def rows_of(text: Mapping[str, str], table: str) -> dict[str, dict[str, Printed]]:
    """Rows of a table whose values are named ``table.row.acc``, ``.sens`` and ``.spec``, by row and metric."""
    metrics = {"acc": "accuracy", "sens": "sensitivity", "spec": "specificity"}
    rows: dict[str, dict[str, Printed]] = {}
    for name, shown in text.items():
        if name.startswith(f"{table}."):
            _, row, short = name.split(".")
            rows.setdefault(row, {})[metrics[short]] = printed(shown)
    return rows
