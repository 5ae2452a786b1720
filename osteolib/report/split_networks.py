"""STR-Net under each split in the forms of the paper's Figures 4a, 5a, 7 and 8."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.metrics import confusion_matrix, roc_curve

from osteolib.report.style import COLOURS, GREY, INK, use_style
from osteolib.runs.recorded import read_record
from osteolib.stats import sensitivity_constrained_threshold


class Trained(NamedTuple):
    """One network's ``history`` (an epoch a row) and ``predictions`` (test and validation knees), and what it is."""

    history: pd.DataFrame
    predictions: pd.DataFrame
    about: str


def longest_trained(live: Mapping[str, tuple[pd.DataFrame, pd.DataFrame]], seed: int) -> dict[str, Trained]:
    """For each split the recorded network where there is one, else the live one (its history and predictions)."""
    chosen = {}
    for split, (history, predictions) in live.items():
        record = read_record(f"stage1-{split}-{seed}") if seed < 3 else None
        chosen[split] = (Trained(record.history, record.predictions, "recorded") if record
                         else Trained(history, predictions, "live"))  # fmt: skip
    return chosen


def network_panels(trained: Mapping[str, Trained]) -> Figure:
    """A row for each split: validation by epoch, ROC with the operating point, confusion matrix there, T-scores."""
    use_style()
    fig, axes = plt.subplots(len(trained), 4, figsize=(10.4, 2.7 * len(trained)), squeeze=False)
    for row, (split, network) in zip(axes, trained.items(), strict=True):
        test = network.predictions.query("split == 'test'")
        loss, valid = test[test["target"] == "bone_loss"], network.predictions.query("split == 'validation'")
        valid = valid[valid["target"] == "bone_loss"]
        chosen = sensitivity_constrained_threshold(valid["y_true"].astype(int), valid["y_score"])
        _epochs(row[0], network.history)
        _roc(row[1], loss, chosen.threshold if chosen.feasible else None)
        _matrix(row[2], loss, chosen.threshold if chosen.feasible else None)
        _t_scores(row[3], test[test["target"] == "t_score"])
        row[0].set_ylabel(f"split by {split}, {network.about}", fontweight="bold")
    return fig


def _epochs(axis: Axes, history: pd.DataFrame) -> None:
    for column, colour, name in (("auprc", COLOURS["normal"], "AUPRC"), ("auroc", COLOURS["osteoporosis"], "AUROC")):
        axis.plot(history["epoch"] + 1, history[column], color=colour, marker=".", label=name)
    axis.set(title="Validation (Fig. 4a)", xlabel="epoch", ylim=(0.4, 1))
    axis.legend(fontsize="small", loc="lower right")


def _roc(axis: Axes, knees: pd.DataFrame, threshold: float | None) -> None:
    false, true, _ = roc_curve(knees["y_true"], knees["y_score"])
    axis.plot([0, 1], [0, 1], color=GREY, lw=0.8)
    axis.plot(false, true, color=INK, lw=1.6)
    if threshold is not None:
        called, ill = knees["y_score"] >= threshold, knees["y_true"] == 1
        axis.plot(called[~ill].mean(), called[ill].mean(), "*", color=COLOURS["osteopenia"], ms=13, mec=INK)
    axis.set(title="ROC (Fig. 5a)", xlabel="1 − specificity", ylabel="sensitivity")


def _matrix(axis: Axes, knees: pd.DataFrame, threshold: float | None) -> None:
    axis.set_title("At the threshold (Fig. 7)")
    if threshold is None:
        axis.text(0.5, 0.5, "no threshold finds\n86 % of the\nvalidation cases", ha="center", va="center")
        return axis.set_axis_off()
    counts = confusion_matrix(knees["y_true"].astype(int), (knees["y_score"] >= threshold).astype(int))
    share = counts / counts.sum(1, keepdims=True)
    axis.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for (i, j), n in np.ndenumerate(counts):
        axis.text(
            j, i, f"{n}\n{share[i, j]:.0%}", ha="center", va="center", color="white" if share[i, j] > 0.6 else INK
        )
    axis.set(xticks=[0, 1], yticks=[0, 1], xticklabels=["normal", "bone loss"], yticklabels=["normal", "bone\nloss"],
             xlabel=f"called at {threshold:.2f}")  # fmt: skip


def _t_scores(axis: Axes, knees: pd.DataFrame) -> None:
    axis.set(title="T-scores (Fig. 8)", xlabel="from the table", ylabel="predicted")
    if knees.empty:
        axis.text(0.5, 0.5, "no T-score here", ha="center", va="center", transform=axis.transAxes)
        return
    true, said = knees["y_true"].to_numpy(float), knees["y_score"].to_numpy(float)
    axis.plot(true, said, ".", color=INK, alpha=0.6)
    ends = np.array([min(true.min(), said.min()), max(true.max(), said.max())])
    axis.plot(ends, ends, color=GREY, ls="--", lw=0.9, label="equal")
    if np.ptp(true) > 0:
        slope, offset = np.polyfit(true, said, 1)
        axis.plot(ends, slope * ends + offset, color=COLOURS["normal"], lw=1.4, label="fitted line")
    axis.legend(fontsize="small")
