"""Figures of the page on the results of the CT study: F1 by site, ROC curves, paired differences, the rule "any"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from sklearn.metrics import roc_curve

from osteolib.report import ct_results_rows as rows
from osteolib.report.audit_ct import SITES, VERTEBRAE
from osteolib.report.compared import Comparison
from osteolib.report.ct_results_differences import CONTRASTS
from osteolib.report.style import COLOURS, GREY, INK, use_style
from osteolib.screen import ct_ladder as ladder

RED, BLUE, GREEN = COLOURS["osteoporosis"], COLOURS["normal"], "#009E73"
LINES = {
    ladder.SCRATCH: (GREY, ":"), ladder.SWAV: ("#CC79A7", "--"), ladder.TP_SWAV: (BLUE, "-."),
    ladder.SINGLE: (GREEN, "--"), ladder.FULL: (RED, "-"),
}  # fmt: skip
"""The rows of Fig. 3."""
EVERY = "every level"
POINTS = {
    "any": ("any vertebra", RED, "o", RED, 0.97), "together": ("T-scores together", BLUE, "^", BLUE, 1.03),
    EVERY: ("any, all levels on the CT", RED, "s", "white", 1.09),
}  # fmt: skip
"""Of each rule: its name, colour, marker, what fills it, and by how much its points are moved aside."""


def f1_by_site(found: Mapping[tuple[str, str], tuple[Comparison | None, str]]) -> Figure:
    """F1 of each row at each site, vertebrae above and patients below: ours with intervals, the printed as squares."""
    use_style()
    tables, _ = rows.printed_tables()
    fig, axes = plt.subplots(2, 4, figsize=(7.8, 4.2), sharex=True, sharey=True)
    height = {name: len(ladder.TABLE_2) - 1 - k for k, name in enumerate(ladder.TABLE_2)}
    for (level, unit), line in zip(rows.UNITS.items(), axes, strict=True):
        for site, axis in zip(SITES, line, strict=True):
            comparison, why = found[level, site]
            printed = tables.rows[level, site]
            for name, y in height.items():
                axis.plot(100 * float(printed[ladder.LADDER[name].printed]["f1"].value), y, "s", color=RED, ms=4.5)
                if comparison:
                    value, low, high = (100 * end for end in comparison.estimate(name, "f1"))
                    axis.plot([low, high], [y, y], color=INK, lw=1.6, solid_capstyle="butt")
                    axis.plot(value, y, "o", color=INK, ms=4.5)
            if not comparison:
                axis.text(24, 2.5, why.replace("all of ", "all of\n"), ha="center", va="center", fontsize=7, color=GREY)
            people = f", {comparison.rows['people'].iloc[0]} patients" if comparison else ""
            axis.set_title(f"{site} · {unit}{people if level == VERTEBRAE else ''}", fontsize=8, weight="normal")
            axis.grid(axis="x", color="#dddddd", lw=0.6)
    axes[0, 0].set(yticks=list(height.values()), ylim=(-0.6, len(height) - 0.4), xlim=(0, 100))
    axes[0, 0].set_yticklabels(height, fontsize=8)
    axes[1, 0].set_yticklabels(height, fontsize=8)
    fig.supxlabel("F1, %", fontsize=9)
    axes[0, 0].plot([], [], "o-", color=INK, ms=4.5, label="phantom, 95 % interval over patients")
    axes[0, 0].plot([], [], "s", color=RED, ms=4.5, label="printed, of the authors' patients")
    fig.legend(loc="outside upper right", ncols=2, fontsize="small")
    return fig


def roc_by_site(scored: rows.Scored) -> Figure:
    """Fig. 3: a panel a site."""
    use_style()
    fig, axes = plt.subplots(1, 4, figsize=(7.8, 2.7), sharex=True, sharey=True)
    for site, axis in zip(SITES, axes, strict=True):
        here = rows.units(scored, VERTEBRAE, site)
        y = here[ladder.SCRATCH]["y"]
        axis.plot([0, 1], [0, 1], color="#cccccc", lw=0.8)
        axis.set_title(f"{site}: {int(y.sum())} of {len(y)}", fontsize=8, weight="normal")
        if y.nunique() < 2:
            axis.text(0.5, 0.5, "one class only", ha="center", fontsize=8, color=GREY)
        else:
            for name, (colour, style) in LINES.items():
                axis.plot(*roc_curve(y, here[name]["score"])[:2], color=colour, ls=style, lw=1.4)
        axis.set_aspect("equal")
        axis.set(xticks=(0, 0.5, 1), yticks=(0, 0.5, 1))
    axes[0].set_ylabel("sensitivity")
    fig.supxlabel("1 − specificity, vertebrae with osteoporosis in the titles", fontsize=8)
    for name, (colour, style) in LINES.items():
        axes[0].plot([], [], color=colour, ls=style, lw=1.4, label=name)
    fig.legend(loc="outside upper center", ncols=5, fontsize=7.5, handlelength=2.4)
    return fig


def paired(frame: pd.DataFrame, printed: Mapping[tuple[str, str], Sequence[float]]) -> Figure:
    """Differences in F1 and AUROC with intervals over patients, and over vertebrae as if each were alone.

    ``printed`` has the differences of F1 (points) that the paper's sites A to D give, by method and reference.
    """
    use_style()
    fig, axes = plt.subplots(1, 2, figsize=(7.8, 2.9), sharey=True, width_ratios=[1.25, 1])
    names = [f"{method}\n− {reference}" for method, reference in CONTRASTS]
    for metric, axis in zip(("f1", "auroc"), axes, strict=True):
        axis.axvline(0, color=GREY, lw=0.8, ls=":")
        for k, pair in enumerate(CONTRASTS):
            y = len(names) - 1 - k
            one = frame[(frame["method"] == pair[0]) & (frame["reference"] == pair[1]) & (frame["metric"] == metric)]
            for row in one.itertuples():
                axis.plot(np.multiply(100, [row.alone_low, row.alone_high]), [y + 0.18] * 2, color="#9a9a9a", lw=1.2)
                axis.plot(np.multiply(100, [row.ci_low, row.ci_high]), [y] * 2, color=INK, lw=2.2)
                axis.plot(100 * row.value, y, "o", color=INK, ms=4.5)
            if metric == "f1":
                axis.plot(printed.get(pair, ()), [y - 0.27] * len(printed.get(pair, ())), "s", color=RED, ms=3.6)
        axis.set_xlabel(f"difference in {rows.METRICS[metric]}, points", fontsize=8)
    axes[0].set(yticks=range(len(names)), ylim=(-0.6, len(names) - 0.5))
    axes[0].set_yticklabels(names[::-1], fontsize=7)
    axes[0].plot([], [], "o-", color=INK, ms=4, label="phantom, patients resampled")
    axes[0].plot([], [], color="#9a9a9a", lw=1.2, label="vertebrae resampled")
    axes[0].plot([], [], "s", color=RED, ms=3.6, label="printed, sites A to D")
    fig.legend(loc="outside upper right", ncols=3, fontsize="small")
    return fig


def rule_any(
    seen: pd.DataFrame, closed: Mapping[str, pd.DataFrame], printed: Mapping[str, tuple[float, float]], words: str
) -> Figure:
    """What becomes of a patient as more of their vertebrae are looked at.

    Parameters
    ----------
    seen
        Rates of patients by ``n``, ``rule`` (of :data:`POINTS`) and ``metric`` with ``value, ci_low, ci_high``.
    closed
        By name (``errors alike``, ``errors apart``) the closed form by ``n``: its rates in columns.
    printed
        ``vertebra`` and ``patient``: place (vertebrae a patient) and share of site C.
    words
        What the likeness of errors was measured to be.
    """
    use_style()
    fig, axes = plt.subplots(1, 3, figsize=(7.8, 3.3), sharex=True)
    heads = {"prevalence": "ill patients", "sensitivity": "sensitivity",
             "specificity": "specificity"}  # fmt: skip
    for (metric, head), axis in zip(heads.items(), axes, strict=True):
        for (name, curve), style in zip(closed.items(), ("-", "--"), strict=True):
            if metric != "prevalence" or name == "errors alike":
                axis.plot(curve["n"], curve[metric], style, color=INK, lw=1.5 if style == "-" else 1)
        for rule, (_, colour, marker, inside, aside) in POINTS.items():
            for row in seen[(seen["rule"] == rule) & (seen["metric"] == metric)].dropna().itertuples():
                axis.plot([row.n * aside] * 2, [row.ci_low, row.ci_high], color=colour, lw=1.2)
                axis.plot(row.n * aside, row.value, marker, color=colour, mfc=inside, ms=5, zorder=3)
        axis.set_title(head, fontsize=9)
        axis.axvspan(4.5, 20, color="#f1f1f1", zorder=-5, lw=0)
        axis.set_xscale("log")
        axis.set_xticks((1, 2, 3, 4, 6, 9, 18), labels=("1", "2", "3", "4", "6", "9", "18"))
        axis.set_xticks((), minor=True)
        axis.set(xlim=(0.86, 20), ylim=(0, 1.02))
        axis.yaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
        axis.grid(axis="y", color="#e3e3e3", lw=0.6)
    (x0, y0), (x1, y1) = printed["vertebra"], printed["patient"]
    axes[0].plot([x0, x1], [y0, y1], "s:", color="#E69F00", ms=5, lw=1)
    axes[0].annotate(
        "site C, read\nfrom the print", (x1, y1), (5.2, max(y1 - 0.22, 0.03)), fontsize=7.5, color="#8a5f00"
    )
    axes[0].text(9.3, 0.99, "more than anyone\nhas labelled", ha="center", va="top", fontsize=7, color=GREY)
    fig.supxlabel("vertebrae looked at in each patient", fontsize=9)
    for text, colour, marker, inside, _ in POINTS.values():
        axes[0].plot([], [], marker, color=colour, mfc=inside, ms=5, label=text)
    axes[0].plot([], [], "-", color=INK, label=f"any: closed form, {words}")
    axes[0].plot([], [], "--", color=INK, label="any: if errors were apart")
    fig.legend(loc="outside upper center", ncols=3, fontsize=7.5, handlelength=1.8, columnspacing=1.4)
    return fig
