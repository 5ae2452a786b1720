"""STR-Net's text against its code: what the audit file keeps of a built network, computed again, and the figure."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from osteolib.report.audit_knee import BLUE, ORANGE, T5
from osteolib.report.style import GREY
from osteolib.stats.audit.quantities import bootstrap_interval

LOSSES = {"screen": "screening", "severity": "severity", "t_score": "T-score"}
PARTS = {
    "backbone, neck": ("backbone", "neck"), "shared routing": ("tarr.shared",),
    "screening": ("tarr.screen", "screen_head"), "severity": ("tarr.severity", "severity_head"),
    "T-score, route": ("tarr.t_score",), "T-score, head": ("image_adapter", "tabular_encoder", "fusion"),
}  # fmt: skip
METRICS = {"acc": "accuracy", "bacc": "balanced_accuracy", "sens": "sensitivity", "spec": "specificity",
           "youden": "youden_j"}  # others are called alike  # fmt: skip


def network_values(reach: pd.DataFrame, count: pd.Series) -> dict[str, float]:
    """Sizes of both networks, what no loss reaches, and the code's class weights.

    Parameters
    ----------
    reach
        Of the network as released: a row a part, the gradient of each loss and the ``parameters``.
    count
        Printed values by id, for the training films of each class.
    """
    import torch

    from osteolib.screen.strnet import STRNet, class_weights, encode_targets

    with torch.device("meta"):  # shapes only: for counting
        nets = {tarr: STRNet("resnet50", tarr) for tarr in ("released", "text")}
    now = {f"net.{tarr}.parameters": sum(p.numel() for p in net.parameters()) for tarr, net in nets.items()}
    idle = (reach[list(LOSSES)] == 0).all(axis=1)
    now["net.idle.parameters"] = int(reach.loc[idle, "parameters"].sum())
    now["net.before.gradient"] = float(reach.loc[reach.index.str.match("backbone|neck|tarr"), "t_score"].max())
    classes = ("normal", "osteopenia", "osteoporosis")
    labels = np.repeat(classes, [int(count[f"T1.{name.capitalize()}.train"]) for name in classes])
    weights = class_weights(encode_targets(labels, np.full(len(labels), np.nan)), "released")
    return now | {"net.weight.screen": float(weights.screen), "net.weight.severity": float(weights.severity)}


def printed_values(count: pd.Series, share_of_figure7: float) -> dict[str, float]:
    """Shares of bone loss, and bootstrap intervals of the nearest matrix of Table 5 and of the external test."""
    shares = {"test": ("T1.BoneLoss.test", "test.n"), "val": ("T1.BoneLoss.val", "T1.Total.val"),
              "severity": ("T5.op", "T5.n"), "ext": ("ext.bl_n", "ext.n")}  # fmt: skip
    now = {f"prevalence.{name}": count[part] / count[whole] for name, (part, whole) in shares.items()}
    now["prevalence.fig7"] = share_of_figure7
    for key in T5.values():
        low, high = bootstrap_interval(64, 15, 10, 47, METRICS.get(key, key))
        now[f"boot.T5.{key}"] = (high - low) / 2
    for key in ("sens", "spec", "ppv", "npv"):
        low, high = bootstrap_interval(24, 3, 6, 9, METRICS.get(key, key))
        now |= {f"boot.ext.{key}.low": low, f"boot.ext.{key}.high": high}
    return now


def check_kept(now: Mapping[str, float], kept: Mapping[str, str]) -> None:
    """Hold what was computed against what the audit file keeps, to its last digit.

    Raises
    ------
    ValueError
        Names differ, or a value does.
    """
    off = [f"{k}: {now.get(k)}, kept {kept.get(k)}" for k in sorted(set(now) | set(kept))
           if k not in now or k not in kept or abs(now[k] - float(kept[k])) > 6e-5]  # fmt: skip
    if off:
        raise ValueError("the audit file keeps other values than are computed now: " + "; ".join(off))


def untouched(reach: pd.DataFrame) -> str:
    """The parts that no loss trains."""
    trains = reached(reach)
    return ", ".join(trains.index[~trains.any(axis=1)])


def reached(reach: pd.DataFrame) -> pd.DataFrame:
    """Whether each loss trains each of :data:`PARTS`."""
    trains = {loss: [bool(reach.loc[list(names), loss].max() > 0) for names in PARTS.values()] for loss in LOSSES}
    return pd.DataFrame(trains, index=list(PARTS))


def text_and_code(reach: pd.DataFrame, count: pd.Series, code: Mapping[str, str]) -> Figure:
    """The pull of the loss on a normal knee's logit, with and without the fourth term; and what each loss trains.

    ``code`` holds settings of the released code by name: ``fp_margin`` and ``lambda_fp``.
    """
    fig, (left, right) = plt.subplots(1, 2, figsize=(7.6, 3.3), width_ratios=(4, 3))
    share = count["T1.Normal.train"] / count["T1.Total.train"]
    _pulls(left, share, float(code["fp_margin"]), float(code["lambda_fp"]), count["thr.tau"])
    trains = reached(reach)
    for (y, x), on in np.ndenumerate(trains.to_numpy()):
        right.plot(x, y, "o", ms=13, color=BLUE if on else "white", mec="0.7")
    for y in np.flatnonzero(~trains.any(axis=1)):
        right.axhspan(y - 0.5, y + 0.5, color=ORANGE, alpha=0.15, lw=0)
    right.set(xticks=range(3), xticklabels=LOSSES.values(), yticks=range(len(trains)), yticklabels=trains.index)
    right.set(xlim=(-0.6, 2.6), ylim=(len(trains) - 0.5, -0.5))
    right.spines[:].set_visible(False)
    right.tick_params(length=0)
    right.set_title("What each loss trains (code)", fontsize=9.5)
    return fig


def _pulls(axis: Axes, normal_share: float, margin: float, weight: float, tau: float) -> None:
    p = np.linspace(0, 1, 401)
    plain = p * normal_share  # mean over all knees
    fourth = weight * 2 * np.maximum(p - margin, 0) * p * (1 - p)  # mean over normal knees
    axis.plot(p, plain + fourth, color=ORANGE, label="code: four terms")
    axis.plot(p, plain, color=BLUE, label="text: three terms")
    axis.axvline(tau, color=GREY, ls=":", lw=1)
    axis.text(tau + 0.02, 0, "τ", color=GREY)
    axis.set(xlabel="probability given to a normal knee", ylabel="pull on its logit")
    axis.set(xlim=(0, 1), ylim=(-0.01, 0.29))
    axis.legend(loc="upper left", fontsize=8)
