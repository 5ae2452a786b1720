"""The figures of the page on the numbers of the hip study."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import stats

from osteolib.report.published import load_published
from osteolib.report.style import COLOURS, GREY, INK
from osteolib.stats.audit.implied import bland_altman_half_widths, thresholded_measurement
from osteolib.stats.audit.normal_models import curve_through_point, r_of_cells

PAPER = "chen2024_hip"
BLUE, ORANGE = COLOURS["normal"], "#D55E00"
RATES = {"sens": "sensitivity", "spec": "specificity", "ppv": "ppv", "npv": "npv"}


@dataclass(frozen=True)
class Paper:
    """What the paper prints: by id without its name, shares as fractions."""

    table: pd.DataFrame  # as load_published gives it
    value: pd.Series

    def rates(self, model: str) -> dict[str, float]:
        return {name: float(self.value[f"T3.{model}.{key}"]) for key, name in RATES.items()}

    def point(self, model: str) -> tuple[float, float]:
        """Sensitivity and specificity."""
        return self.rates(model)["sensitivity"], self.rates(model)["specificity"]

    def reported(self, model: str) -> dict[str, str]:
        """The four metrics of one model as printed, for ``confusion_matrices``."""
        return {name: f"{self.table.at[f'T3.{model}.{key}', 'reported']} %" for key, name in RATES.items()}


def read_paper() -> Paper:
    table = load_published(PAPER).set_index("published_id")
    table.index = table.index.str.removeprefix(f"{PAPER}.")
    return Paper(table, table["value"].where(table["unit"] != "%", table["value"] / 100))


def matrices_table(paper: Paper, rows: Mapping[str, Mapping]) -> pd.DataFrame:
    """The only matrices (finding X-21), and each metric in per cent as printed and, in brackets, as they give it."""
    cells = {m: {c.upper(): int(row[c]) for c in ("tp", "fp", "fn", "tn")} for m, row in rows.items()}
    table = pd.DataFrame(cells).T.astype(object)
    for name in RATES.values():
        table[name] = [f"{100 * paper.rates(m)[name]:.1f} ({100 * row[name]:.2f})" for m, row in rows.items()]
    return table.rename_axis("model")


def yes_no_areas(
    paper: Paper, areas: Mapping[str, Mapping[str, float]], leads: Mapping[str, np.ndarray], cell: float = 3.0
) -> Figure:
    """The printed AUC of each model in its ROC plane; and below, how far graded scores lead the area of yes and no.

    Parameters
    ----------
    areas
        By model: ``least`` and ``labels`` (finding X-22).
    leads
        By model: AUC less that area in simulated studies.
    """
    fig, axes = plt.subplots(2, len(areas), figsize=(cell * len(areas), 4.9), height_ratios=(5, 2), sharey="row")
    for (upper, lower), (model, area) in zip(axes.T, areas.items(), strict=True):
        printed = float(paper.value[f"T3.{model}.auc"])
        _plane(upper, *paper.point(model))
        upper.set(title=model, xlabel="1 − specificity")
        smooth = stats.norm.cdf(sum(map(stats.norm.ppf, paper.point(model))) / 2**0.5)
        told = {"step, the least": area["least"], "normal scores": smooth, "two lines": area["labels"]}
        words = [f"{name:<16}{100 * a:.2f}" for name, a in told.items()] + [f"{'PRINTED':<16}{100 * printed:.1f} "]
        for y, (line, colour) in enumerate(zip(words, (INK, GREY, BLUE, ORANGE), strict=True)):
            upper.text(0.99, 0.26 - 0.07 * y, line, ha="right", family="monospace", fontsize=8, color=colour)
        lower.hist(100 * leads[model], 80, range=(-1, 13), color=GREY, alpha=0.6)
        lower.axvline(100 * (printed - area["labels"]), color=ORANGE, lw=2)
        lower.set(yticks=[], xlabel="lead of graded scores, points")
        lower.spines["left"].set_visible(False)
    axes[0, 0].set_ylabel("sensitivity")
    axes[1, -1].text(0.4, axes[1, -1].get_ylim()[1] * 0.8, "printed", color=ORANGE)
    return fig


def _plane(axis: Axes, sens: float, spec: float) -> None:
    x, y, fpr = [0, 1 - spec, 1], [0, sens, 1], np.linspace(0, 1, 400)
    axis.fill_between(x, y, color=BLUE, alpha=0.15)
    axis.plot(x, y, color=BLUE, lw=2)
    axis.plot([1 - spec, 1 - spec, 1], [0, sens, sens], "--", color=INK, lw=1)
    axis.plot(fpr, curve_through_point(fpr, sens, spec), color=GREY, lw=1)
    axis.plot(1 - spec, sens, "o", color=ORANGE, ms=8, zorder=3)


def auc_by_error(paper: Paper, errors: np.ndarray) -> np.ndarray:
    """AUC at the cut for osteoporosis of a T-score with each error, in the paper's population."""
    mean, sd = float(paper.value["tscore.mean"]), float(paper.table.at["tscore.mean", "spread"])
    return np.array([thresholded_measurement(mean, sd, e, float(paper.value["cut.op"]))[2] for e in errors])


def second_scan(errors: Mapping[str, float], film: float, area: float, told: float, curve: pd.Series) -> Figure:
    """The film's error beside that of a second scan, and the AUC that a T-score with each error would have.

    Parameters
    ----------
    errors
        SDs of differences in T by what is compared; that of the film begins with "this".
    film, area, told
        Its error, the AUC of a T-score this precise, and the printed AUC.
    curve
        AUC by error, falling; see :func:`auc_by_error`.
    """
    fig, (left, right) = plt.subplots(1, 2, figsize=(9.4, 3.2), width_ratios=(1, 1.05))
    for y, (name, error) in enumerate(errors.items()):
        colour = ORANGE if name.startswith("this") else BLUE
        left.plot([0, error], [y, y], color=colour, lw=2)
        left.plot(error, y, "o", color=colour, ms=8)
        left.text(error + 0.025, y, f"{error:.2f}", va="center")
    left.set(yticks=range(len(errors)), yticklabels=errors, xlabel="SD of differences, T")
    left.set(xlim=(0, 1.15 * max(errors.values())), ylim=(len(errors) - 0.5, -0.5))
    right.plot(curve.index, curve, color=INK)
    right.plot(film, area, "o", color=ORANGE, ms=8)
    right.axhline(told, color=BLUE, ls="--")
    right.annotate(f"a T-score this precise: {area:.3f}", (film, area), (0.2, 1.005), va="center")
    right.text(0.99, told + 0.003, f"printed AUC {told:.3f}", color=BLUE, ha="right")
    needed = error_of_auc(curve, told)
    right.plot([needed, needed], [0.85, told], ":", color=BLUE)
    right.text(needed + 0.02, 0.9, f"error {needed:.2f} T", color=BLUE)
    right.set(xlabel="error of a T-score, T", ylabel="AUC at the cut −2.5", ylim=(0.88, 1.015), xlim=(0, 1))
    return fig


def error_of_auc(curve: pd.Series, auc: float) -> float:
    """The error at which a falling curve of :func:`auc_by_error` has this AUC."""
    return float(np.interp(-auc, -curve.to_numpy(), curve.index.to_numpy(float)))


def pairs_behind(paper: Paper, film: float) -> Figure:
    """Half-widths of the intervals of a bias and of a limit by number of pairs, beside those that are printed."""
    n = np.arange(200, 801)
    bias, limit = bland_altman_half_widths(film, n)
    fig, axis = plt.subplots(figsize=(7.4, 3))
    for half, name, colour, key in ((limit, "limit", ORANGE, "ba.upper"), (bias, "bias", BLUE, "ba.bias")):
        width = float(paper.table.at[key, "ci_high"] - paper.table.at[key, "ci_low"]) / 2
        axis.axhspan(width - 0.0005, width + 0.0005, color=colour, alpha=0.2, lw=0)
        axis.plot(n, half, color=colour, lw=2)
        axis.text(795, width + 0.0008, f"printed, {name}", color=colour, ha="right")
    for key, name in (("test.patients", "people"), ("test.images", "hips")):
        axis.axvline(paper.value[key], color=INK, ls=":")
        axis.text(paper.value[key] + 5, 0.0225, f"{paper.value[key]:.0f} {name}")
    axis.set(xlabel="pairs behind the interval", ylabel="half-width, T", ylim=(0.006, 0.024))
    return fig


def cell_facts(paper: Paper) -> dict[str, float]:
    """Facts: r of naming the mean of the true class (``two``) or sub-cluster, equally ``full`` or ``half`` a T."""
    mean, sd = float(paper.value["tscore.mean"]), float(paper.table.at["tscore.mean", "spread"])
    cut = float(paper.value["cut.op"])
    below, quarters = stats.norm.cdf(cut, mean, sd), np.arange(0.25, 1, 0.25)
    shares = np.r_[quarters * below, below, below + quarters * (1 - below)]
    cuts = {"two": [cut], "full": stats.norm.ppf(shares, mean, sd), "half": cut + np.arange(-1.5, 1.6, 0.5)}
    return {name: r_of_cells(at, mean, sd) for name, at in cuts.items()}


def yes_no_facts(areas: Mapping[str, Mapping[str, float]], leads: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Facts: how often a graded AUC agreed with its yes/no area (``hits``), the ``closest``, and pure chance."""
    every = np.abs(np.concatenate(list(leads.values())))
    odds = np.prod([area["chance"] for area in areas.values()])
    return {
        "hits": int((every < 0.001).sum()), "closest": 100 * float(every.min()), "models": len(areas),
        "million": 1e-6 / float(odds),
    }  # fmt: skip


def two_scans(rows: Mapping[str, Mapping[str, float]], film: float, people: pd.DataFrame | None) -> dict[str, float]:
    """SDs of differences in T: of two scans (finding N14), of film and scan, and of two sites of one scan if there."""
    errors = {f"two scans: {name}": row["two_scans"] for name, row in rows.items()} | {"this film against DXA": film}
    if people is not None:
        errors["neck and total hip of one scan"] = float((people["t_score_total_hip"] - people["t_score_neck"]).std())
    return errors
