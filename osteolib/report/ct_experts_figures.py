"""Figures of the page on experts for DXA makers: biases, what follows a maker, probabilities, calls, gates."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from osteolib.report.style import GREY, INK, use_style
from osteolib.screen.ct_devices import EXPERTS, ONE, SHUFFLED, TOLD, WITHHELD

LOOKS = {ONE: (INK, "o"), TOLD: ("#0072B2", "s"), EXPERTS: ("#D55E00", "^"), SHUFFLED: ("#CC79A7", "v"),
         WITHHELD: ("#009E73", "D")}  # fmt: skip
GATES = (("#332288", "o"), ("#0099BB", "s"), ("#BB8800", "^"), (GREY, "D"))
WITHOUT, WITH = "best reader", "best reader, told the maker"
LOOKS |= {WITHOUT: (GREY, "o"), WITH: (GREY, "s")}


def biases(rows: pd.DataFrame) -> plt.Figure:
    """Bias with its interval (thick) and limits of agreement (thin) by group and network, a panel an arrangement.

    ``rows``: ``arrangement, group, network, bias, low, high, loa_low, loa_high, alike``; the last, a grey stroke, is
    the bias of somebody who predicts the same whoever measured.
    """
    fig, panels = _panels(rows, 3.1, sharex=True)
    for axis, own in panels:
        groups, networks = list(own["group"].unique()), list(own["network"].unique())
        for row in own.itertuples():
            y = len(groups) - 1 - groups.index(row.group) + 0.25 * (1 - networks.index(row.network))
            colour, mark = LOOKS[row.network]
            axis.plot([row.loa_low, row.loa_high], [y, y], color=colour, lw=0.7, alpha=0.6)
            axis.plot([row.low, row.high], [y, y], color=colour, lw=2.4, solid_capstyle="butt")
            axis.plot(row.bias, y, mark, color=colour, ms=5, label=row.network if row.group == groups[0] else None)
        for k, alike in enumerate(own.groupby("group", sort=False)["alike"].first()):
            axis.plot([alike] * 2, [len(groups) - 1.45 - k, len(groups) - 0.55 - k], color=GREY, lw=2, ls=":",
                      label=None if k else "predicts alike for all")  # fmt: skip
        axis.axvline(0, color=GREY, lw=0.8)
        axis.set(yticks=range(len(groups)), ylim=(-0.6, len(groups) - 0.4), xlabel="predicted − read BMD, g/cm²")
        axis.set_yticklabels(groups[::-1])
    _legend(fig, 4)
    return fig


def follows(rows: pd.DataFrame) -> plt.Figure:
    """How far predictions follow the maker; ``rows``: ``arrangement, reader, how, value, low, high``.

    ``how``: ``patients`` (filled marks: across patients, at equal true BMD) or ``told`` (open: one picture, told each).
    """
    names = list(rows["reader"].unique())
    fig, panels = _panels(rows, 0.3 * len(names) + 1.2, sharey=True, sharex=True)
    for axis, own in panels:
        for row in own.itertuples():
            colour, mark = LOOKS[row.reader]
            told = row.how == "told"
            y = len(names) - 1 - names.index(row.reader) + (-0.2 if told else 0.1)
            axis.plot([row.low, row.high], [y, y], color=colour, lw=1.2 if told else 2.2, solid_capstyle="butt")
            axis.plot(row.value, y, mark, color=colour, ms=5.5, mfc="white" if told else colour)
        for at in (0, 1):
            axis.axvline(at, color=GREY, lw=0.8, ls="--")
        axis.set(yticks=range(len(names)), ylim=(-0.6, len(names) - 0.4), xlabel="share of the makers' difference")
        axis.set_yticklabels(names[::-1])
    first = fig.axes[0]
    first.plot([], [], "o", color=INK, ms=5.5, label="patients of unlike makers, same true BMD")
    first.plot([], [], "o", color=INK, ms=5.5, mfc="white", label="one picture, told each maker")
    _legend(fig, 2)
    return fig


def chances(rows: pd.DataFrame) -> plt.Figure:
    """Mean probability of osteoporosis of the same vertebrae by maker told: ``arrangement, reader, told, chance``."""
    fig, panels = _panels(rows, 2.6, sharey=True)
    for axis, own in panels:
        makers = list(own["told"].unique())
        for name, line in own.groupby("reader", sort=False):
            colour, mark = LOOKS[name]
            axis.plot([makers.index(t) for t in line["told"]], line["chance"], mark + "-", color=colour, label=name)
        axis.set(xticks=range(len(makers)), xlim=(-0.4, len(makers) - 0.6), xlabel="told")
        axis.set_xticklabels(makers)
    fig.axes[0].set(ylabel="mean probability", ylim=(0, None))
    _legend(fig, 3)
    return fig


def calls(rows: pd.DataFrame) -> plt.Figure:
    """Vertebrae called at 0.5, and with osteoporosis, as shares: ``arrangement, site, reader, called, ill``."""
    fig, panels = _panels(rows, 2.7, sharey=True)
    for axis, own in panels:
        sites, readers = list(own["site"].unique()), list(own["reader"].unique())
        ill = own.groupby("site", sort=False)["ill"].first()
        axis.bar(range(len(sites)), ill, 0.86, color="#DDDDDD", label="has osteoporosis")
        for k, name in enumerate(readers):
            colour, mark = LOOKS[name]
            shown = own[own["reader"] == name].set_index("site")["called"].reindex(sites)
            at = np.arange(len(sites)) + 0.16 * (k - (len(readers) - 1) / 2)
            axis.plot(at, shown, mark, color=colour, ms=5, label=f"called by {name}")
        axis.set(xticks=range(len(sites)), xlabel="hospital")
        axis.set_xticklabels(sites)
    fig.axes[0].set_ylabel("share of vertebrae")
    _legend(fig, 3)
    return fig


def gates(rows: pd.DataFrame) -> plt.Figure:
    """Mean weights of the experts and evenness of a vertebra's weights, by maker, with intervals.

    ``rows``: ``arrangement, device, what`` (expert 1 ..., evenness), ``value, low, high``.
    """
    makers, names = list(rows["device"].unique()), list(rows["what"].unique())
    fig, panels = _panels(rows, 0.5 * len(makers) + 1.1, sharey=True, sharex=True)
    for axis, own in panels:
        for row in own.itertuples():
            k = names.index(row.what)
            y = len(makers) - 1 - makers.index(row.device) + 0.2 * (1.5 - k)
            colour, mark = GATES[k]
            axis.plot([row.low, row.high], [y, y], color=colour, lw=2.2, solid_capstyle="butt")
            axis.plot(row.value, y, mark, color=colour, ms=5, label=row.what if row.device == makers[0] else None)
        axis.set(yticks=range(len(makers)), ylim=(-0.6, len(makers) - 0.4), xlim=(0, 1), xlabel="mean weight, evenness")
        axis.set_yticklabels(makers[::-1])
    _legend(fig, 4)
    return fig


def _panels(
    rows: pd.DataFrame, height: float, **shared: bool
) -> tuple[plt.Figure, list[tuple[plt.Axes, pd.DataFrame]]]:
    """A panel for each ``arrangement``, titled with it, and the rows that belong into it; ``height`` in inches."""
    use_style()
    parts = dict(list(rows.groupby("arrangement", sort=False)))
    fig, axes = plt.subplots(1, len(parts), figsize=(8.2, height), squeeze=False, **shared)
    for axis, name in zip(axes[0], parts, strict=True):
        axis.set_title(name.capitalize())
    return fig, list(zip(axes[0], parts.values(), strict=True))


def _legend(fig: plt.Figure, ncols: int) -> None:
    """What the first panel names, above all panels."""
    handles, labels = fig.axes[0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside upper center", ncols=ncols, fontsize="small")
