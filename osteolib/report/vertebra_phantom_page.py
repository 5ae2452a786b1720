"""What the page on the phantom vertebra shows and records, section by section."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from osteolib.phantoms.vertebra.truth import Attainable
from osteolib.report.show import figure, say, table, with_ci
from osteolib.report.style import use_style
from osteolib.runs import Run
from osteolib.stats import BootstrapResult
from osteolib.volume import to_planes

COHORT = "vertebra-phantom"
PLANES = ("axial", "coronal", "sagittal")


def slices_figure(columns: Mapping[str, NDArray[np.float32]], masks: Sequence[NDArray] = ()) -> plt.Figure:
    """Three slices through the middle of each patch, a column each; ``masks`` are outlined on the first plane."""
    use_style()
    fig, axes = plt.subplots(3, len(columns), figsize=(1.3 * len(columns), 4.0), squeeze=False)
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
    fig, axes = plt.subplots(1, 2, figsize=(7.6, 2.7))
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


def show_honest(run: Run, honest: Mapping[str, BootstrapResult]) -> None:
    """AUROCs of what can be known without and with the bone, as table, rows and sentence.

    ``honest`` has the keys ``field, crossed``, ``field, tpswav2025``, ``age, sex and BMI``, ``mean HU of the body``.
    """
    rows = [(name, r.estimate["auroc"], *r.ci["auroc"], r.n) for name, r in honest.items()]
    known = pd.DataFrame(
        [(name, with_ci(*values), n) for name, *values, n in rows], columns=["known of a patch", "AUROC (95 % CI)", "n"]
    )
    table(run, "honest", known, "Simulated vertebrae: osteoporosis against the rest; people resampled", index=False,
          folded="What each of them tells, with n")  # fmt: skip
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
          "that are never rendered", index=False, folded="Attainable, by arrangement")  # fmt: skip
    for (preset, known), a in best.items():
        for metric, value in (("auroc", a.auroc), ("r", a.r), ("MAE g/cm2", a.mae)):
            run.result(None, f"attainable {metric}, {preset}, {known} the maker", value, n=a.n, cohort=COHORT)
    gain = {preset: best[preset, "with"].auroc - best[preset, "without"].auroc for preset, _ in best}
    less = {preset: 1 - best[preset, "with"].mae / best[preset, "without"].mae for preset, _ in best}
    run.fact(
        attainable=best["crossed", "without"].auroc, hinted=best["tpswav2025", "without"].auroc,
        gain_paper=gain["tpswav2025"], gain_crossed=gain["crossed"],
        less_paper=less["tpswav2025"], less_crossed=less["crossed"],
    )  # fmt: skip
    share = gain["crossed"] / gain["tpswav2025"] if gain["tpswav2025"] > 0 else np.nan
    run.fact(most="Most" if share < 0.5 else "Not most")
    say(run, "Attainable from the picture is an AUROC of **{attainable:.3f}** (crossed), and {hinted:.3f} in the "
        "paper's arrangement, where the scanner that the picture shows hints at the hospital. To be told the maker "
        "adds {gain_paper:+.4f} there and {gain_crossed:+.4f} where makers are crossed. {most} of what the name of a "
        "maker tells beside the picture about the *label* is therefore how common osteoporosis is at its hospital. For "
        "the *reading* it is real physics: the error falls by {less_crossed:.0%} crossed and {less_paper:.0%} in the "
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
