"""The ladder of the page on what a pipeline creates: agreement step by step, drawn and tabulated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from osteolib.report.comparison import Comparison, together
from osteolib.report.knee_results import compare_agreement
from osteolib.report.show import with_ci
from osteolib.report.style import COLOURS, GREY, INK, use_style
from osteolib.stats.agreement import Z_LIMIT
from osteolib.stats.built_in import r_when_filtered, r_when_routed

LIMITS = ("lower limit", "upper limit")
INFORMED, KNOWS, PEOPLE = "a new patient brings all it needs", "reads the true T-score", "has met the patient"
LOOKS = {INFORMED: (COLOURS["normal"], "o"), PEOPLE: ("#009E73", "D"), KNOWS: (COLOURS["osteoporosis"], "s")}
Paper = Mapping[str, float]


def agreement_of(
    t_score: ArrayLike, predictions: pd.DataFrame, person: ArrayLike, n_boot: int = 2000, seed: int = 0
) -> Comparison:
    """Agreement of every column with the truth on the hips it counts (those that are not NaN); people are drawn."""
    t, person, parts = np.asarray(t_score, float), np.asarray(person), []
    for name in predictions:
        counted = predictions[name].notna().to_numpy()
        one = {name: predictions[name][counted]}
        parts.append(compare_agreement(t[counted], one, person[counted], n_boot=n_boot, seed=seed))
    return together(*parts)


def ladder(
    steps: Comparison, kinds: Mapping[str, str], paper: Paper, title: str, attainable: Paper | None = None
) -> Figure:
    """Correlation and limits of agreement of each step, from the top down; the paper's as lines.

    Parameters
    ----------
    steps
        From :func:`agreement_of`.
    kinds
        Method to one of :data:`LOOKS`.
    paper
        Published ``r``, ``ba.lower`` and ``ba.upper``.
    attainable
        ``r`` and ``sd`` (of the differences, T) of the best possible reader, drawn dotted where it is known.
    """
    use_style()
    names = steps.methods
    fig, (left, right) = plt.subplots(1, 2, figsize=(8.6, 0.42 * len(names) + 1.7), sharey=True, width_ratios=(4, 5))
    for y, name in zip(range(len(names) - 1, -1, -1), names, strict=True):
        colour, marker = LOOKS[kinds[name]]
        r, low, high = steps.estimate(name, "r")
        left.plot([low, high], [y, y], color=colour, lw=2, solid_capstyle="butt")
        left.plot(r, y, marker, color=colour, ms=7)
        left.annotate(f"{r:.3f}", (low, y), xytext=(-5, 0), textcoords="offset points", ha="right", va="center",
                      fontsize=8)  # fmt: skip
        ends = [steps.estimate(name, metric) for metric in LIMITS]
        right.barh(y, ends[1][0] - ends[0][0], left=ends[0][0], height=0.46, color=colour, alpha=0.35, lw=0)
        right.plot(steps.estimate(name, "bias")[0], y, marker, color=colour, ms=5)
        for _, inner, outer in ends:
            right.plot([inner, outer], [y, y], color=colour, lw=2, solid_capstyle="butt")
    left.axvline(paper["r"], color=INK, lw=1.4, ls="--", label=f"paper: r = {paper['r']}, limits ± 0.2")
    right.axvline(0, color=GREY, lw=0.8)
    for end in ("ba.lower", "ba.upper"):
        right.axvline(paper[end], color=INK, lw=1.4, ls="--")
    if attainable is not None:
        left.axvline(attainable["r"], color=GREY, lw=1.6, ls=":", label=f"attainable: r = {attainable['r']:.3f}")
        for sign in (-1, 1):
            right.axvline(sign * Z_LIMIT * attainable["sd"], color=GREY, lw=1.6, ls=":")
    floor = min(0.5, *(steps.estimate(name, "r")[1] for name in names))
    room = 0.24 * (1.02 - floor)  # for the numbers
    left.set(yticks=range(len(names)), xlabel="Pearson r, 95 % interval", xlim=(floor - room, 1.02))
    left.set_yticklabels(names[::-1], fontsize=9)
    right.set(xlabel="predicted − measured T-score: bias and 95 % limits", ylim=(-0.6, len(names) - 0.4))
    left.set_title(title)
    shown = [plt.Line2D([], [], color=c, marker=m, lw=2, label=k) for k, (c, m) in LOOKS.items() if k in kinds.values()]
    line = left.get_legend_handles_labels()[0]
    fig.legend(handles=[*shown, *line], loc="outside lower center", ncols=2, fontsize=8.5)
    return fig


def ladder_table(steps: Comparison, kinds: Mapping[str, str], kind: str) -> pd.DataFrame:
    """:func:`ladder` as text, one row a step; ``kind`` is ``phantom`` or ``real``."""
    rows = []
    for name in steps.methods:
        n = int(steps.rows.loc[steps.rows["method"] == name, "n"].iloc[0])
        r = steps.estimate(name, "r")
        limits = " to ".join(f"{steps.estimate(name, end)[0]:+.2f}" for end in LIMITS).replace("-", "−")
        rows.append((name, kinds[name], kind, n, with_ci(*r, ".3f"), with_ci(*steps.estimate(name, "CCC"), ".3f"),
                     limits, with_ci(*steps.estimate(name, "RMSE"))))  # fmt: skip
    columns = ["step", "what it knows", "kind", "n", "r (95 % CI)", "CCC (95 % CI)", "limits", "RMSE (95 % CI)"]
    return pd.DataFrame(rows, columns=columns)


def built_in_curves(cuts: Sequence[float], outlier: float, paper: Paper, sd: float) -> Figure:
    """r of a reader before and after the truth helps, in closed form, for the paper's mean and SD of T-scores.

    ``cuts`` part the sub-clusters, the class's cut is ``cut.op``; ``outlier``: errors that large are left out.
    """
    use_style()
    fig, axis = plt.subplots(figsize=(6.6, 3.9))
    before = np.linspace(0, 1, 101)
    mean = paper["tscore.mean"]
    lines = {
        "the true sub-cluster is told": [r_when_routed(r, cuts, mean, sd) for r in before],
        "the true class is told": [r_when_routed(r, [paper["cut.op"]], mean, sd) for r in before],
        f"errors of {outlier} T and more are left out": [r_when_filtered(r, outlier, sd)[0] for r in before],
        "no help": before,
    }
    styles = ("-", "--", "-.", ":")
    colours = (COLOURS["osteoporosis"], COLOURS["osteopenia"], "#009E73", GREY)
    for (name, after), style, colour in zip(lines.items(), styles, colours, strict=True):
        axis.plot(before, after, style, color=colour, lw=2, label=name)
    axis.axhline(paper["r"], color=INK, lw=1.2, ls="--")
    axis.annotate(f"paper: {paper['r']}", (0.02, paper["r"]), xytext=(0, 3), textcoords="offset points", fontsize=9)
    axis.set(xlabel="r of the reader without help", ylabel="r that a study would print", xlim=(0, 1), ylim=(0, 1.06))
    axis.legend(loc="lower right", fontsize=9)
    return fig
