"""Device and hospital on the page on the phantom vertebra: makers of DXA, real machines, who has which."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from osteolib.phantoms.vertebra.people import as_read, sbmd_of_person, t_score_of
from osteolib.report.show import figure, say, table
from osteolib.report.style import GREY, use_style
from osteolib.runs import Run

MAKERS = {"Hologic": ("#0072B2", "o"), "GE Lunar": ("#E69F00", "s"), "MEDIX": ("#D55E00", "^")}


def makers_figure(settings: Mapping[str, Any], level: str = "L3") -> plt.Figure:
    """What each maker's machine reads of one true BMD, and the T-score it prints."""
    use_style()
    dxa = settings["dxa"]
    sbmd = np.linspace(0.6, 1.4, 81)
    fig, axes = plt.subplots(1, 2, figsize=(7.6, 3.2))
    for maker, (colour, mark) in MAKERS.items():
        read = as_read(dxa["makers"][maker], dxa["anchor"], sbmd)
        look = {"color": colour, "lw": 1.8, "marker": mark, "markevery": 16, "ms": 5, "label": maker}
        axes[0].plot(sbmd, read - sbmd, **look)
        axes[1].plot(sbmd, t_score_of(settings, maker, [level] * len(sbmd), read), **look)
    axes[0].axhline(0, color=GREY, lw=1)
    axes[0].set(xlabel="true BMD of L3, g/cm²", ylabel="reading − true, g/cm²", title="The reading")
    axes[1].axhline(-2.5, color=GREY, lw=1, ls="--")
    axes[1].set(xlabel="true BMD of L3, g/cm²", ylabel="T-score", title="The T-score")
    axes[0].legend(fontsize="small")
    return fig


def at_the_cut(settings: Mapping[str, Any], level: str = "L3") -> pd.DataFrame:
    """What the three makers read and print where a Hologic prints T = -2.5: ``bmd`` in g/cm2 and ``t_score``."""
    dxa = settings["dxa"]
    true = settings["levels"][level]["areal"] * sbmd_of_person(settings, -2.5)
    read = {maker: float(as_read(dxa["makers"][maker], dxa["anchor"], true)) for maker in MAKERS}
    return pd.DataFrame(
        {"bmd": read, "t_score": {m: float(t_score_of(settings, m, [level], b)[0]) for m, b in read.items()}}
    )


def show_makers(run: Run, settings: Mapping[str, Any]) -> None:
    """Readings and T-scores of one BMD by maker, and what they are where a Hologic says -2.5."""
    figure(run, "makers", makers_figure(settings), alt="Reading minus true BMD, and T-score, against true BMD for "
           "three makers: readings differ widely, T-scores of Hologic and GE Lunar hardly.")  # fmt: skip
    cut = at_the_cut(settings)
    for maker, short in (("Hologic", "hologic"), ("GE Lunar", "lunar"), ("MEDIX", "medix")):
        run.fact(**{f"{short}_bmd": cut["bmd"][maker], f"{short}_t": cut["t_score"][maker]})
    run.fact(apart=cut["bmd"]["GE Lunar"] / cut["bmd"]["Hologic"] - 1)
    say(run, "An L3 that a Hologic reads at T = {hologic_t:.2f} has {hologic_bmd:.3f} g/cm² there and {lunar_bmd:.3f} "
        "g/cm² on a GE Lunar, {apart:.0%} more. The T-scores are {hologic_t:.2f} and {lunar_t:.2f}: each maker's "
        "reference of young women takes nearly all of the difference away again. With the line and reference assumed "
        "for MEDIX it would read {medix_t:.2f}.")  # fmt: skip


def machines_figure(readings: pd.DataFrame, lines: pd.DataFrame) -> plt.Figure:
    """Each machine's readings of one kind of object minus the mean over machines, and gain and drift of each."""
    use_style()
    fig, axes = plt.subplots(1, 2, figsize=(7.6, 3.0))
    mean = readings.groupby(["site", "insert"])["mg_cm3"].mean().groupby("insert").mean()
    for (device, own), (colour, mark) in zip(
        lines.groupby("device"), (("#D55E00", "^"), ("#0072B2", "o")), strict=False
    ):
        for k, site in enumerate(own["site"]):
            seen = readings[readings["site"] == site].groupby("insert")["mg_cm3"].mean()
            axes[0].plot(
                mean, seen - mean, color=colour, marker=mark, ms=3, lw=1, alpha=0.8, label=device if k == 0 else None
            )
        axes[1].plot(100 * (own["gain"] - 1), 100 * own["drift"], mark, color=colour, ms=6, alpha=0.85)
    axes[0].set(xlabel="mean of all machines, mg/cm³", ylabel="machine − mean, mg/cm³",
                title=f"REAL: one kind of object, {len(lines)} machines")  # fmt: skip
    axes[0].legend(fontsize="small", loc="upper left")
    for line in (axes[1].axhline, axes[1].axvline):
        line(0, color=GREY, lw=1)
    axes[1].set(xlabel="gain − 1, %", ylabel="drift, % per year", title="A line and a drift each")
    return fig


def show_machines(run: Run, readings: pd.DataFrame, lines: pd.DataFrame, settings: Mapping[str, Any]) -> None:
    """How real machines differ on one kind of object, beside what the phantom assumes of DXA machines of one maker."""
    figure(run, "machines", machines_figure(readings, lines), alt=f"Differences of {len(lines)} HR-pQCT machines from "
           "their mean by density of the insert, and each machine's gain against its drift.")  # fmt: skip
    within = lines.groupby("device")[["gain", "drift"]].std()
    top = readings.groupby("insert")["mg_cm3"].mean().max()
    ours, visits = settings["dxa"]["machine"], readings.groupby("site")["visit"].nunique()
    run.fact(gain_low=within["gain"].min(), gain_high=within["gain"].max(), drift_low=within["drift"].min(),
             drift_high=within["drift"].max(), n_machines=len(lines), bend=lines["residual"].max() / top,
             our_gain=ours["gain_sd"], our_drift=ours["drift_sd_per_year"], fewest=int(visits.min()))  # fmt: skip
    widest = lines["device"].eq(within["gain"].idxmax())
    run.result(None, "SD of gain between machines of one generation, largest", run.facts["gain_high"],
               n=int(widest.sum()), cohort="hrpqct-phantoms")  # fmt: skip
    gain_ok = run.facts["gain_low"] <= ours["gain_sd"] <= run.facts["gain_high"]
    drift_ok = run.facts["drift_low"] <= ours["drift_sd_per_year"] <= run.facts["drift_high"]
    straight = run.facts["bend"] < run.facts["gain_low"]
    run.fact(
        gain_word="between these" if gain_ok else "outside these",
        drift_word="between" if drift_ok else "outside",
        fits="a line is the right form" if straight
        else "a line is a rough form: what it leaves is as large as gains differ",
    )  # fmt: skip
    say(run, "{n_machines} machines read one kind of object ({fewest} or more visits); whether one specimen or several "
        "is not said, so that a gain may hold both. The insert furthest from its machine's line is off by {bend:.1%} "
        "of the densest one: **{fits}**. Between machines of one generation the gain has an SD of {gain_low:.1%} to "
        "{gain_high:.1%}, and the drift one of {drift_low:.1%} to {drift_high:.1%} a year (straight lines through two "
        "or three visits). The phantom takes {our_gain:.1%}, {gain_word}, and {our_drift:.1%} a year, "
        "{drift_word}.")  # fmt: skip


def prevalences(presets: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Share of osteoporosis among labelled vertebrae by preset and maker of the DXA, with counts: one row each."""
    rows = []
    for preset, vertebrae in presets.items():
        own = vertebrae[vertebrae["labelled"]]
        for maker, group in own.groupby("device"):
            ill = group["label"].eq("osteoporosis")
            rows.append({"preset": preset, "device": maker, "hospitals": " ".join(sorted(group["site"].unique())),
                         "vertebrae": len(group), "osteoporosis": ill.mean()})  # fmt: skip
    return pd.DataFrame(rows)


def hospitals_figure(shares: pd.DataFrame) -> plt.Figure:
    """Bars of :func:`prevalences`."""
    use_style()
    presets = list(dict.fromkeys(shares["preset"]))
    fig, axis = plt.subplots(figsize=(6.6, 2.9))
    for k, (maker, (colour, _)) in enumerate(MAKERS.items()):
        own = shares[shares["device"] == maker].set_index("preset").reindex(presets)
        at = np.arange(len(presets)) + 0.27 * (k - 1)
        axis.bar(at, own["osteoporosis"], 0.25, color=colour, label=maker)
        for x, value, where in zip(at, own["osteoporosis"], own["hospitals"], strict=True):
            if value == value:
                axis.text(x, value + 0.006, f"{where}", ha="center", fontsize=7.5)
    axis.set(xticks=range(len(presets)), ylabel="osteoporosis", title="By maker of the DXA (letters: hospitals)")
    axis.set_xticklabels(presets)
    axis.legend(fontsize="small", loc="upper left", bbox_to_anchor=(1, 1))
    return fig


def show_hospitals(run: Run, presets: Mapping[str, pd.DataFrame], settings: Mapping[str, Any]) -> None:
    """How common osteoporosis is by maker, in each preset, as figure, table and sentence."""
    shares = prevalences(presets)
    figure(run, "hospitals", hospitals_figure(shares), alt="Share of vertebrae with osteoporosis by maker of the DXA "
           "in each preset; in the paper's arrangement they differ widely, crossed they do not.")  # fmt: skip
    caption = "Simulated vertebrae with a DXA, by preset and maker"
    table(
        run,
        "hospitals",
        shares.assign(osteoporosis=shares["osteoporosis"].round(3)),
        caption,
        index=False,
        folded=caption,
    )
    spread = shares.groupby("preset")["osteoporosis"].agg(lambda s: s.max() - s.min())
    run.fact(gap_paper=100 * spread["tpswav2025"], gap_crossed=100 * spread["crossed"])
    for name, group in presets["tpswav2025"].query("labelled").groupby("site"):
        given = settings["hospitals"][name]["osteoporosis"]
        run.fact(**{f"share_{name}": group["label"].eq("osteoporosis").mean(), f"given_{name}": given})
    say(run, "In the paper's arrangement osteoporosis is {gap_paper:.0f} percentage points apart between makers, "
        "crossed it is {gap_crossed:.0f}. By hospital it is {share_A:.0%}, {share_B:.0%}, {share_C:.0%} and "
        "{share_D:.0%} (A to D); the simulated people were drawn so that on average it is the {given_A:.0%}, "
        "{given_B:.0%}, {given_C:.0%} and {given_D:.0%} recovered from the paper's tables.")  # fmt: skip
