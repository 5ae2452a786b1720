"""Figures of a trained model: how it learned, how well it separates, and how honest its scores are."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from osteolib.report.plots import scatter_and_difference
from osteolib.report.style import COLOURS, GREY, INK, use_style
from osteolib.stats import bland_altman, calibration_curve, decision_curve

Point = tuple[float, float, float]
LINES = (("#0072B2", "-"), ("#D55E00", "--"), ("#009E73", "-."), ("#CC79A7", ":"))


def training_curves(history: pd.DataFrame, joins: int) -> Figure:
    """Validation AUPRC and AUROC, and both losses, of every fold by epoch; thick lines: their means.

    Parameters
    ----------
    history
        ``fold, epoch`` (from 0), ``auprc, auroc, validation_loss, loss`` (of the training, with what counts so far).
    joins
        The epoch, from 0, from which the T-score's loss counts: dashed, as in the paper's Fig. 4a, if it was reached.
    """
    use_style()
    fig, axes = plt.subplots(1, 3, figsize=(7.6, 2.7))
    for axis, column in zip(axes, ("auprc", "auroc", "validation_loss"), strict=True):
        _by_epoch(axis, history, column, COLOURS["normal"], "-", "validation")
        axis.set(xlabel="epoch")
    _by_epoch(axes[2], history, "loss", COLOURS["osteoporosis"], ":", "training")
    axes[1].axhline(0.5, color=INK, lw=0.8)
    for axis, title in zip(axes, ("AUPRC, validation", "AUROC, validation", "Loss"), strict=True):
        axis.set_title(title)
        axis.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        if joins <= history["epoch"].max():
            axis.axvline(joins + 1, color=INK, ls="--", lw=0.8, label="T-score joins")
    axes[2].legend(fontsize="x-small", frameon=True, framealpha=0.8, edgecolor="none")
    return fig


def _by_epoch(axis: Axes, history: pd.DataFrame, column: str, colour: str, line: str, name: str) -> None:
    for _, fold in history.groupby("fold"):
        axis.plot(fold["epoch"] + 1, fold[column], color=colour, ls=line, lw=0.7, alpha=0.4)
    mean = history.groupby("epoch")[column].mean()
    axis.plot(mean.index + 1, mean, color=colour, ls=line, lw=2, label=name)


def calibration_and_benefit(y_true: ArrayLike, scores: Mapping[str, ArrayLike]) -> Figure:
    """Left: observed share against mean score in groups of scores. Right: net benefit against the threshold."""
    use_style()
    fig, (left, right) = plt.subplots(1, 2, figsize=(7.6, 3.6))
    left.plot([0, 1], [0, 1], color=GREY, lw=0.8)
    for (name, score), (colour, line) in zip(scores.items(), LINES, strict=False):
        curve = calibration_curve(y_true, score, n_bins=8)
        reach = np.abs(curve[["ci_low", "ci_high"]].to_numpy().T - curve["observed"].to_numpy())
        left.errorbar(curve["mean_score"], curve["observed"], yerr=reach, color=colour, ls=line, marker="o", ms=4,
                      lw=1.2, label=name)  # fmt: skip
        benefit = decision_curve(y_true, score)
        right.plot(benefit["threshold"], benefit["model"], color=colour, ls=line, lw=2, label=name)
    right.plot(benefit["threshold"], benefit["treat_all"], color=INK, lw=1, label="refer everybody")
    right.axhline(0, color=GREY, lw=1, label="refer nobody")
    left.set(xlabel="mean score", ylabel="share with bone loss", title="Calibration", xlim=(0, 1), ylim=(0, 1.02))
    right.set(xlabel="threshold", ylabel="net benefit", title="Decision curve", ylim=(-0.1, None))
    left.legend(fontsize="small", loc="lower right")
    right.legend(fontsize="small")
    return fig


def agreement_view(
    reference: pd.Series, predicted: pd.Series, labels: pd.Series, names: tuple[str, str]
) -> tuple[Figure, str]:
    """Predicted against true T-scores by class, and their difference against their mean; the figure and its words."""
    ba = bland_altman(reference, predicted)
    words = (
        f"Left: {names[1]} against {names[0]} T-score by class. Right: difference against mean; bias {ba.bias:.2f}, "
        f"limits {ba.loa_low:.2f} to {ba.loa_high:.2f}."
    )
    return scatter_and_difference(reference, predicted, ba, names, "T", labels), words


def curves_with_bands(
    bands: Mapping[str, pd.DataFrame], prevalence: float, points: Mapping[str, Point] | None = None
) -> Figure:
    """ROC and precision-recall curves with pointwise bands, from :func:`osteolib.report.knee_results.curve_bands`.

    ``points`` are operating points by the name of their curve, drawn as stars: sensitivity, specificity and PPV.
    """
    use_style()
    fig, axes = plt.subplots(1, 2, figsize=(7.6, 3.9))
    for axis, column in zip(axes, ("sensitivity", "precision"), strict=True):
        for (name, band), (colour, line) in zip(bands.items(), LINES, strict=False):
            axis.plot(band["at"], band[column], color=colour, ls=line, lw=2, label=name)
            axis.fill_between(band["at"], band[f"{column}_low"], band[f"{column}_high"], color=colour, alpha=0.18, lw=0)
        axis.set(xlim=(0, 1), ylim=(0, 1.02), aspect="equal")
    axes[0].plot([0, 1], [0, 1], color=GREY, lw=0.8)
    axes[1].axhline(prevalence, color=GREY, lw=0.8, ls="--")
    colours = dict(zip(bands, (colour for colour, _ in LINES), strict=False))
    for name, (sensitivity, specificity, ppv) in (points or {}).items():
        star = {"marker": "*", "ms": 15, "mfc": colours[name], "mec": INK, "ls": "", "clip_on": False, "zorder": 5}
        axes[0].plot(1 - specificity, sensitivity, label=f"{name}: operating point", **star)
        axes[1].plot(sensitivity, ppv, **star)
    axes[0].set(xlabel="1 − specificity", ylabel="sensitivity", title="ROC")
    axes[1].set(xlabel="sensitivity (recall)", ylabel="PPV (precision)", title="Precision and recall")
    axes[0].legend(loc="lower right", fontsize="small")
    return fig
