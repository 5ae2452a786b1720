"""What the chapter on the two splits shows of networks taught with labels, and the curves of all trainings."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from osteolib.report.comparison import Comparison
from osteolib.report.hand_protocols_page import METRICS, TAUGHT, Key, method_name
from osteolib.report.hand_ssl import NAMES
from osteolib.report.published import load_published
from osteolib.report.show import figure, say, table, with_ci
from osteolib.report.style import use_style
from osteolib.runs import Run


def curves_figure(history: Mapping[str, pd.DataFrame]) -> Figure:
    """Macro-F1 by epoch on training and validation people; a panel an encoder."""
    use_style()
    fig, axes = plt.subplots(1, len(history), figsize=(8.8, 2.6), sharey=True)
    looks = {"train_macro_f1": ("training", "#767676", "--"), "macro_f1": ("validation", "#0072B2", "-")}
    for axis, (name, h) in zip(axes, history.items(), strict=True):
        for column, (label, colour, style) in looks.items():
            if column in h:
                axis.plot(h["epoch"] + 1, h[column], style, color=colour, label=label)
        axis.set(title=name, xlabel="epoch", ylim=(0, 1.02))
        axis.xaxis.get_major_locator().set_params(integer=True)
    axes[0].set_ylabel("macro-F1")
    fig.legend(*axes[-1].get_legend_handles_labels(), loc="outside upper right", ncols=2)
    return fig


def show_curves(run: Run, history: Mapping[str, pd.DataFrame]) -> None:
    """``history`` by encoder; those of linear layers are named as the methods are."""
    alt = "Macro-F1 by epoch on training and validation people, for two supervised networks and four linear layers."
    figure(run, "curves", curves_figure(history), alt=alt)
    ends = [h.iloc[-1] for name, h in history.items() if name in NAMES.values()]
    run.fact(train_f1=np.mean([end["train_macro_f1"] for end in ends]), val_f1=np.mean([e["macro_f1"] for e in ends]))
    say(
        run,
        "At the end the four layers have a mean macro-F1 of {train_f1:.2f} in training and {val_f1:.2f} in "
        "validation: the distance is what the layer learned by heart.",
    )


def show_taught(run: Run, bones: pd.DataFrame, compared: Comparison, probability: Mapping[Key, NDArray]) -> None:
    """The supervised network at two recipes beside one that calls all bones alike."""
    lines, prevalence = [], bones["y"].mean()
    for kind in ("whole", "views"):
        key = (TAUGHT, kind, "people")
        p = probability[key]
        called = (p[~np.isnan(p)] >= 0.5).mean()
        cells = {metric: with_ci(*compared.estimate(method_name(key), metric)) for metric in METRICS}
        lines.append({"trained on": kind} | cells | {"bones called ill": f"{called:.0%}"})
        run.fact(**{f"{kind}_auroc": cells["auroc"], f"{kind}_called": called})
    for name, f1, accuracy, share in (("calls all ill", 2 * prevalence / (1 + prevalence), prevalence, 1),
                                      ("calls none ill", 0, 1 - prevalence, 0)):  # fmt: skip
        lines.append({"trained on": name, "auroc": "0.50", "f1": f"{f1:.2f}", "accuracy": f"{accuracy:.2f}",
                      "bones called ill": f"{share:.0%}"})  # fmt: skip
    caption = "Supervised, split by people, simulated: single bones, and what calling all of them alike would give"
    table(run, "taught", pd.DataFrame(lines).rename(columns={"auroc": "AUROC (95 % CI)", "f1": "F1"}), caption,
          index=False)  # fmt: skip
    printed = load_published("lee2023_hand").set_index("published_id")["reported"]
    row = {f"printed_{m}": printed[f"lee2023_hand.T2.Supervised.{m}.ext"] for m in ("auc", "f1", "acc")}
    run.fact(prevalence=prevalence, all_ill=2 * prevalence / (1 + prevalence), **row)
    say(
        run,
        "On whole bones the AUROC is **{whole_auroc}** and {whole_called:.0%} of the bones are called ill; on the "
        "views of multi-crop, at the lower rate, {views_auroc} and {views_called:.0%}. A network that calls every bone "
        "ill would have, at this prevalence of {prevalence:.0%}, an accuracy of {prevalence:.0%} and an F1 of "
        "{all_ill:.2f}. The paper prints, for extended crops, an AUC of {printed_auc}, an F1 of {printed_f1} and an "
        "accuracy of {printed_acc} %: a pair of that kind.",
    )
