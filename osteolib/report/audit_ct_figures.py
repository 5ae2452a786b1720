"""The figures of the page on the numbers of the CT study."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from osteolib.report.audit_ct import AS_PPV_NPV, NAMES, PATIENTS, SITES, VERTEBRAE, Found, Tables, shares
from osteolib.report.style import GREY, INK
from osteolib.stats.audit import ROUNDINGS
from osteolib.stats.audit.exchange import served_by

BLUE, ORANGE = "#0072B2", "#D55E00"


def meanings(tables: Tables, explained: pd.DataFrame, positives: Mapping[str, int]) -> Figure:
    """Rows of 40 that each meaning of two columns explains; and, by site, rows that each number of positives serves."""
    fig, axes = plt.subplot_mosaic([["all", s] for s in SITES], figsize=(8.6, 5), width_ratios=[2, 3])
    total = explained.sum(axis=1).sort_values(kind="stable")
    bars = axes["all"].barh(total.index, total, color=[BLUE if m == "PPV and NPV" else GREY for m in total.index])
    axes["all"].bar_label(bars, padding=3, fontsize=9)
    axes["all"].set(xlabel="rows of 40 that one P per site serves", xlim=(0, 46), title="What the two columns hold")
    for site in SITES:
        axis, n = axes[site], tables.size[VERTEBRAE][site]
        for name, meaning, colour in (("as printed", {}, GREY), ("as PPV and NPV", AS_PPV_NPV, BLUE)):
            found = served_by(tables.rows[VERTEBRAE, site], meaning, n, 1, ROUNDINGS)
            served = [len(which) for which in found.values()]
            axis.vlines([p for _, p in found], 0, served, color=colour, lw=3, label=name)
        place = {"xytext": (4, -8), "textcoords": "offset points", "fontsize": 9}
        axis.annotate(f"P = {positives[site]}", (positives[site], max(served)), **place)
        axis.margins(x=0.12)
        axis.set(ylim=(0, 11), ylabel="rows", title=f"Site {site}: {n:,} vertebrae")
    axes["D"].set_xlabel("number of vertebrae with osteoporosis, P")
    axes["A"].legend(loc="upper right", fontsize=8)
    return fig


def dumbbells(tables: Tables, found: Found, mark: tuple[float, float]) -> Figure:
    """Printed columns (rings) and recovered values (dots) by model, site and metric; one pair is written out."""
    fig, axes = plt.subplots(2, 4, figsize=(9.2, 5.6), sharey=True, sharex="row")
    y = np.arange(len(NAMES))[::-1]
    heads = {"sensitivity": "SEN", "specificity": "SPE"}
    for line, (metric, head) in zip(axes, heads.items(), strict=True):
        for axis, site in zip(line, SITES, strict=True):
            both = shares(tables, found, site, metric)
            axis.hlines(y, both["printed"], both["recovered"], color="#BBBBBB", lw=2)
            axis.plot(both["printed"], y, "o", mfc="white", mec=INK)
            colours = [BLUE] * (len(y) - 1) + [ORANGE]  # the last is MoE
            axis.scatter(both["recovered"], y, c=colours, s=40, zorder=3)
            axis.set_title(f"Site {site}: {head}", fontsize=10)
        line[0].set_yticks(y, NAMES)
        line[1].set_xlabel(f"{metric} (%): ring as printed, dot recovered (orange: MoE)", x=1.05)
    place = {"xytext": (-4, 0), "textcoords": "offset points", "ha": "right", "va": "center", "fontsize": 8}
    axes[0, 3].annotate(f"{mark[0]:.2f} →\n{mark[1]:.1f}", (mark[1], 2), weight="bold", **place)
    return fig


def sizes_that_fit(
    tables: Tables, fit: Mapping[str, Mapping], total: Mapping[str, tuple[int, int]], chance: int
) -> Figure:
    """For the patients of three sites, how many rows each number of patients serves; grey band: what chance serves."""
    fig, axes = plt.subplots(len(fit), 1, figsize=(8.4, 5.2), sharex=True, squeeze=False)
    for axis, site in zip(axes[:, 0], fit, strict=True):
        most = pd.Series({key: len(which) for key, which in fit[site].items()}).groupby(level=0).max()
        axis.axhspan(0, chance, color="#EEEEEE", zorder=0)
        axis.vlines(most.index, 0, most, color=GREY, lw=1.5)
        own = tables.size[PATIENTS][site]
        for n, colour, what, side in (
            (own, BLUE, "site", "right"), (total[site][0], ORANGE, "running total", "left")
        ):  # fmt: skip
            axis.vlines(n, 0, most[n], color=colour, lw=4)
            axis.text(n, most[n] + 0.2, f"{n:,}: {what}", color=colour, ha=side, fontsize=9)
        axis.set(ylim=(0, 8.4), ylabel="rows of 10", title=f"Rows of 'site {site}'")
    axes[-1, 0].set(xlabel="number of patients that would serve the rows", xlim=(0, 2050))
    return fig


def gains_of_moe(table: pd.DataFrame) -> Figure:
    """What MoE has right beyond a single head: ``unit``, ``site``, ``positives``, ``negatives`` and least ``p``."""
    fig, axes = plt.subplots(1, 2, figsize=(8.6, 3.4), sharey=True)
    for axis, (unit, part) in zip(axes, table.groupby("unit", sort=False), strict=True):
        _gains(axis, unit, part)
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return fig


def _gains(axis: Axes, unit: str, part: pd.DataFrame) -> None:
    y = np.arange(len(part))[::-1]
    axis.barh(y + 0.19, part["positives"], 0.36, color=ORANGE, label="with osteoporosis")
    axis.barh(y - 0.19, part["negatives"], 0.36, color=BLUE, label="without")
    axis.axvline(0, color=INK, lw=1)
    for place, g in zip(y, part.itertuples(), strict=True):
        axis.text(22, place, f"net {g.positives + g.negatives:+d}\np ≥ {g.p:.2g}", va="center", fontsize=9)
    axis.set(yticks=y, xlim=(-6, 33), xticks=range(-5, 21, 5), title=unit, xlabel=f"{unit} more right with MoE")
    axis.set_yticklabels([f"site {s}" for s in part["site"]])
