"""What the page on the phantom vertebra shows and records, section by section."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from osteolib.phantoms.vertebra.people import as_read, t_score_of
from osteolib.phantoms.vertebra.truth import Attainable
from osteolib.report.show import figure, say, table, with_ci
from osteolib.report.style import GREY, use_style
from osteolib.runs import Run
from osteolib.stats import BootstrapResult
from osteolib.volume import to_planes

COHORT = "vertebra-phantom"
MAKERS = {"Hologic": ("#0072B2", "o"), "GE Lunar": ("#E69F00", "s"), "MEDIX": ("#D55E00", "^")}
PLANES = ("axial", "coronal", "sagittal")


def slices_figure(columns: Mapping[str, NDArray[np.float32]], masks: Sequence[NDArray] = ()) -> plt.Figure:
    """Three slices through the middle of each patch, a column each; ``masks`` are outlined on the first plane."""
    use_style()
    fig, axes = plt.subplots(3, len(columns), figsize=(1.75 * len(columns), 5.4), squeeze=False)
    for k, (name, patch) in enumerate(columns.items()):
        for axis, plane, word in zip(axes[:, k], to_planes(patch), PLANES, strict=True):
            axis.imshow(plane, cmap="gray", vmin=0, vmax=1)
            axis.set(xticks=[], yticks=[])
            axis.spines[:].set_visible(False)
            if k == 0:
                axis.set_ylabel(word)
        axes[0, k].set_title(name, fontsize=8, weight="normal", loc="center")
    for k, mask in enumerate(masks):
        shown = mask[len(mask) // 2][::-1]
        for value, colour in ((1, "#E69F00"), (2, "#56B4E9"), (3, "#CC79A7")):
            axes[0, k].contour(shown == value, [0.5], colors=colour, linewidths=0.8)
    return fig


def show_slices(run: Run, name: str, columns: Mapping[str, NDArray], masks: Sequence[NDArray], alt: str) -> None:
    """:func:`slices_figure` of some patches."""
    figure(run, name, slices_figure(columns, masks), alt=alt)


def levels_figure(vertebrae: pd.DataFrame) -> plt.Figure:
    """True areal BMD and density of spongy bone by level: mean and SD of women and men."""
    use_style()
    fig, axes = plt.subplots(1, 2, figsize=(7.6, 3.1))
    names = vertebrae.drop_duplicates("level_number").sort_values("level_number")["level"]
    for axis, column, label in zip(axes, ("bmd_true_g_cm2", "spongy_mg_cm3"),
                                   ("true areal BMD, g/cm²", "spongy bone, mg/cm³"), strict=True):  # fmt: skip
        for sex, word, colour, mark, move in (
            ("F", "women", "#D55E00", "o", -0.12),
            ("M", "men", "#0072B2", "s", 0.12),
        ):
            by = vertebrae[vertebrae["sex"] == sex].groupby("level_number")[column].agg(["mean", "std"])
            axis.errorbar(
                by.index + move, by["mean"], by["std"].fillna(0), fmt=mark, ms=4, lw=1, color=colour, label=word
            )
        axis.set(xticks=range(1, 19), ylabel=label, xlabel="level")
        axis.set_xticks(sorted(vertebrae["level_number"].unique()), list(names), fontsize=7, rotation=90)
    axes[0].axvspan(12.5, 16.5, color="#EEEEEE", lw=0, zorder=0)
    axes[0].legend(loc="upper left", fontsize="small")
    return fig


def show_levels(run: Run, vertebrae: pd.DataFrame) -> None:
    """BMD by level, and how many vertebrae there are of which kind."""
    figure(run, "levels", levels_figure(vertebrae), alt="Mean and SD of areal BMD, which rises down the spine, and of "
           "the density of spongy bone, which falls, by level and sex.")  # fmt: skip
    own = vertebrae[vertebrae["labelled"]]
    run.fact(n_people=vertebrae["subject_id"].nunique(), n_vertebrae=len(vertebrae), n_labelled=len(own),
             per_person=len(own) / vertebrae["subject_id"].nunique(),
             r_spongy=np.corrcoef(np.log(own["spongy_mg_cm3"]), own["t_score_true"])[0, 1])  # fmt: skip
    say(run, "{n_people} simulated people have {n_vertebrae} vertebrae on their CT; {n_labelled} of them, between L1 "
        "and L4, have a DXA ({per_person:.1f} a person). Grey: where DXA is read. Among these, log density of spongy "
        "bone and true T-score correlate with r = {r_spongy:.2f}.")  # fmt: skip


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
    share, hologic = settings["levels"][level]["areal"], dxa["makers"]["Hologic"]
    reference = hologic["reference"]
    young = share * (dxa["anchor"] + hologic["slope"] * (reference["mean"] - hologic["at"]))
    true = young - 2.5 * reference["sd"] * share * hologic["slope"]
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
    """Each machine's readings of one object minus the mean over machines, and gain and drift of each."""
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
    axes[0].set(
        xlabel="mean of all machines, mg/cm³", ylabel="machine − mean, mg/cm³", title="REAL: one object, 13 machines"
    )
    axes[0].legend(fontsize="small", loc="upper left")
    for line in (axes[1].axhline, axes[1].axvline):
        line(0, color=GREY, lw=1)
    axes[1].set(xlabel="gain − 1, %", ylabel="drift, % per year", title="A line and a drift each")
    return fig


def show_machines(run: Run, readings: pd.DataFrame, lines: pd.DataFrame, settings: Mapping[str, Any]) -> None:
    """How real machines differ on one object, beside what the phantom assumes of DXA machines of one maker."""
    figure(run, "machines", machines_figure(readings, lines), alt="Differences of 13 HR-pQCT machines from their mean "
           "by density of the insert, and each machine's gain against its drift.")  # fmt: skip
    within = lines.groupby("device")[["gain", "drift"]].std()
    top = readings.groupby("insert")["mg_cm3"].mean().max()
    ours, visits = settings["dxa"]["machine"], readings.groupby("site")["visit"].nunique()
    run.fact(gain_low=within["gain"].min(), gain_high=within["gain"].max(), drift_low=within["drift"].min(),
             drift_high=within["drift"].max(), n_machines=len(lines), bend=lines["residual"].max() / top,
             our_gain=ours["gain_sd"], our_drift=ours["drift_sd_per_year"], fewest=int(visits.min()))  # fmt: skip
    run.result(None, "SD of gain between machines of one generation, largest", run.facts["gain_high"], n=len(lines),
               cohort="hrpqct-phantoms")  # fmt: skip
    gain_ok = run.facts["gain_low"] <= ours["gain_sd"] <= run.facts["gain_high"]
    drift_ok = run.facts["drift_low"] <= ours["drift_sd_per_year"] <= run.facts["drift_high"]
    run.fact(gain_word="between these" if gain_ok else "outside these", drift_word="between" if drift_ok else "outside")
    say(run, "{n_machines} machines read one kind of object ({fewest} or more visits). No insert lies further from its "
        "machine's line than {bend:.1%} of the densest one, so that **a line is the right form**. Between machines of "
        "one generation the gain has an SD of {gain_low:.1%} to {gain_high:.1%}, and the drift one of {drift_low:.1%} "
        "to {drift_high:.1%} a year (straight lines through two or three visits). The phantom takes {our_gain:.1%}, "
        "{gain_word}, and {our_drift:.1%} a year, {drift_word}.")  # fmt: skip


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


def show_hospitals(run: Run, presets: Mapping[str, pd.DataFrame]) -> None:
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
        run.fact(**{f"share_{name}": group["label"].eq("osteoporosis").mean()})
    say(run, "In the paper's arrangement osteoporosis is {gap_paper:.0f} percentage points apart between makers, "
        "crossed it is {gap_crossed:.0f}. By hospital it is {share_A:.0%}, {share_B:.0%}, {share_C:.0%} and "
        "{share_D:.0%} (A to D); the simulated people were drawn so that on average it is the 39, 17, 17 and 49 % "
        "recovered from the paper's tables.")  # fmt: skip


def show_honest(run: Run, honest: Mapping[str, BootstrapResult]) -> None:
    """AUROCs of what can be known without and with the bone, as table, rows and sentence.

    ``honest`` has the keys ``field, crossed``, ``field, tpswav2025``, ``age, sex and BMI``, ``mean HU of the body``.
    """
    rows = [(name, r.estimate["auroc"], *r.ci["auroc"], r.n) for name, r in honest.items()]
    known = pd.DataFrame(
        [(name, with_ci(*values), n) for name, *values, n in rows], columns=["known of a patch", "AUROC (95 % CI)", "n"]
    )
    table(run, "honest", known, "Simulated vertebrae: osteoporosis against the rest; people resampled", index=False)
    for name, value, low, high, n in rows:
        run.result(None, f"auroc, {name}", value, ci=(low, high), n=n, cohort=COHORT)
    at = {name: values for name, *values, _ in rows}
    blind, there = at["field, crossed"], at["field, tpswav2025"]
    run.fact(
        blind=with_ci(*blind),
        there=with_ci(*there),
        body=with_ci(*at["mean HU of the body"]),
        blind_word="holds 0.5" if blind[1] <= 0.5 <= blind[2] else "does not hold 0.5",
        there_word="above chance" if there[1] > 0.5 else "with so few people not surely above chance",
        may="names" if there[1] > 0.5 else "may name",
    )
    say(run, "Where scanners are drawn without a look at the hospital, a regression on everything beside the bone "
        "reaches {blind}, whose interval {blind_word}. In the paper's arrangement each hospital has a CT of its own, "
        "and the same statistics reach {there}, {there_word}: there, noise {may} the scanner, the scanner the "
        "hospital, and the hospital its share of osteoporosis. The mean HU of the body reaches {body}. That is "
        "physics, and the phantom is built so.")  # fmt: skip


def show_attainable(run: Run, best: Mapping[tuple[str, str], Attainable]) -> None:
    """Best values by preset and whether the maker is known: ``best[preset, "without"]``, ``best[preset, "with"]``."""
    rows = [
        {"preset": preset, "maker of the DXA": f"{known} it", "AUROC": f"{a.auroc:.3f}",
         "r of the reading": f"{a.r:.3f}",
         "mean absolute error, g/cm²": f"{a.mae:.3f}"}
        for (preset, known), a in best.items()
    ]  # fmt: skip
    table(run, "attainable", pd.DataFrame(rows), "Attainable from everything that reaches the pixels, simulated people "
          "that are never rendered", index=False)  # fmt: skip
    for (preset, known), a in best.items():
        for metric, value in (("auroc", a.auroc), ("r", a.r), ("MAE g/cm2", a.mae)):
            run.result(None, f"attainable {metric}, {preset}, {known} the maker", value, n=len(rows), cohort=COHORT)
    gain = {preset: best[preset, "with"].auroc - best[preset, "without"].auroc for preset, _ in best}
    less = {preset: 1 - best[preset, "with"].mae / best[preset, "without"].mae for preset, _ in best}
    run.fact(attainable=best["crossed", "without"].auroc, gain_paper=gain["tpswav2025"], gain_crossed=gain["crossed"],
             less_paper=less["tpswav2025"], less_crossed=less["crossed"])  # fmt: skip
    share = gain["crossed"] / gain["tpswav2025"] if gain["tpswav2025"] > 0 else np.nan
    run.fact(most="Most" if share < 0.5 else "Not most")
    say(run, "Attainable from the picture is an AUROC of **{attainable:.3f}** (crossed). To be told the maker adds "
        "{gain_paper:+.3f} in the paper's arrangement and {gain_crossed:+.3f} where makers are crossed. {most} of what "
        "the name of a maker tells about the *label* is therefore how common osteoporosis is at its hospital. For the "
        "*reading* it is real physics: the error falls by {less_crossed:.0%} crossed and {less_paper:.0%} in the "
        "paper's arrangement.")  # fmt: skip


def show_scan_settings(run: Run, settings: Mapping[str, Any]) -> None:
    """The four scanners as a table."""
    scanners = pd.DataFrame(settings["scanners"]).T.rename_axis("scanner").reset_index()
    scanners["HU per mg/cm³"] = [settings["tissue"]["hu_per_mg_cm3"][int(kv)] for kv in scanners["kv"]]
    names = {"kv": "kV", "slice_mm": "slice, mm", "mtf50_per_mm": "half passed at, 1/mm", "edge": "lift of edges",
             "noise_hu": "noise, HU"}  # fmt: skip
    table(
        run, "scanners", scanners.rename(columns=names), "Four simulated scanners", index=False, folded="Four scanners"
    )
