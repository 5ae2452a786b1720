"""The comparison of the page on one model under four splits: its figure, its table, its sentences."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from osteolib.cohorts import bone_loss
from osteolib.report.compared import Comparison
from osteolib.report.comparison import compare_scores
from osteolib.report.show import interval_facts, with_ci
from osteolib.report.style import GREY, INK, use_style
from osteolib.screen.copies import FACTS, FREE, HELD, NEAREST, has_copy, out_of_fold_scores
from osteolib.screen.copy_splits import SPLITS, folds_by

GRADES = {"the same bytes": "bytes_group", "the same picture": "picture_group", "the same film": "source_group"}
LOOKS = {FREE: ("#0072B2", "o"), HELD: ("#56B4E9", "s"), NEAREST: ("#D55E00", "^"), FACTS: ("#767676", "D")}
NETWORK = ("#009E73", "P")


def copies_across(subjects: pd.DataFrame, n_folds: int, seed: int) -> pd.DataFrame:
    """Share of knees of which another fold holds the same bytes, picture or film, under each split."""
    rows = {}
    for split, column in SPLITS.items():
        fold = folds_by(subjects, split, n_folds, seed)
        shares = {name: has_copy(subjects, fold, grade).mean() for name, grade in GRADES.items()}
        rows[f"by {split}"] = {"groups": subjects[column].nunique()} | shares
    return pd.DataFrame(rows).T.astype({"groups": int}).rename_axis("split")


def compare_splits(
    subjects: pd.DataFrame, looked_at: Mapping[str, NDArray], n_folds: int, n_boot: int, seed: int
) -> tuple[Comparison, dict[str, pd.DataFrame]]:
    """AUROC of every model under every split, on the same knees, and by film less by image; the scores by split.

    Methods are called ``model, by split``; intervals draw source films under every split.
    """
    scores = {split: out_of_fold_scores(subjects, looked_at, split, n_folds, seed) for split in SPLITS}
    named = {f"{model}, by {split}": table[model].to_numpy() for model in looked_at for split, table in scores.items()}
    pairs = [(f"{model}, by film", f"{model}, by image") for model in looked_at]
    groups = subjects["source_group"].to_numpy(str)
    y = bone_loss(subjects["label"])
    return compare_scores(y, named, reference=pairs, groups=groups, n_boot=n_boot, seed=seed), scores


def splits_figure(
    compared: Comparison, printed: float, external: float, networks: Mapping[str, tuple[float, float, float]]
) -> Figure:
    """AUROC against the split, a line for each simple model; networks as markers, printed values as lines."""
    use_style()
    fig, axis = plt.subplots(figsize=(7.2, 4.2))
    models = list(dict.fromkeys(name.rsplit(", by ", 1)[0] for name in compared.methods))
    for k, model in enumerate(models):
        colour, marker = LOOKS[model]
        found = np.array([compared.estimate(f"{model}, by {split}") for split in SPLITS])
        x = np.arange(len(SPLITS)) + 0.07 * (k - 1.5)
        reach = np.abs(found[:, 1:] - found[:, :1]).T
        axis.errorbar(x, found[:, 0], yerr=reach, color=colour, marker=marker, ms=6, lw=1.6, elinewidth=1, label=model)
    for k, (split, (value, low, high)) in enumerate(networks.items()):
        x = list(SPLITS).index(split) + 0.22
        axis.errorbar([x], [value], yerr=[[value - low], [high - value]], color=NETWORK[0], marker=NETWORK[1], ms=8,
                      ls="", elinewidth=1, label="_" * bool(k) + "STR-Net, one test set")  # fmt: skip
    axis.axhline(printed, color=INK, lw=1, ls="--")
    axis.text(3.42, printed, f" printed,\n test: {printed:.3f}", va="center", fontsize="small")
    axis.axhline(external, color=INK, lw=1, ls=":")
    axis.text(3.42, external, f" printed,\n external:\n {external:.3f}", va="center", fontsize="small")
    axis.axhline(0.5, color=GREY, lw=0.8)
    axis.set(xticks=range(4), xticklabels=[f"split by {split}" for split in SPLITS], ylabel="AUROC, bone loss",
             xlim=(-0.3, 3.4), ylim=(0.45, 1.0))  # fmt: skip
    axis.legend(fontsize="small", loc="upper center", bbox_to_anchor=(0.5, -0.1), ncol=3)
    return fig


def by_split(compared: Comparison) -> pd.DataFrame:
    """A row a model: its AUROC under each split, and by film less by image."""
    rows = []
    for model in dict.fromkeys(name.rsplit(", by ", 1)[0] for name in compared.methods):
        row = {"model": model} | {f"by {s}": with_ci(*compared.estimate(f"{model}, by {s}")) for s in SPLITS}
        change = compared.difference(f"{model}, by film", f"{model}, by image")
        rows.append(row | {"film − image": with_ci(*change, "+.2f")})
    return pd.DataFrame(rows)


def in_words(compared: Comparison, subjects: pd.DataFrame, printed: float) -> dict[str, object]:
    """The facts of the comparison, and the sentence that they bear."""
    facts = {"printed": printed, "n_films": int(subjects["source_group"].nunique())}
    for short, model in {"free": FREE, "held": HELD, "near": NEAREST, "file": FACTS}.items():
        for split in ("image", "film"):
            facts |= interval_facts(f"{short}_{split}", *compared.estimate(f"{model}, by {split}"))
    sentence = ("Split by image, the model that only looks up the nearest pictures scores {near_image:.2f} "
                "({near_image_low:.2f} to {near_image_high:.2f}), beside the printed {printed:.3f} of STR-Net. Split "
                "by film it scores {near_film:.2f} ({near_film_low:.2f} to {near_film_high:.2f}). ")  # fmt: skip
    if facts["near_image_low"] <= printed <= facts["near_image_high"]:
        sentence += "**A model without any idea of bones reaches the printed value when the split is by image.** "
    drops = [compared.difference(f"{m}, by film", f"{m}, by image") for m in LOOKS]
    fallen = sum(high < 0 for _, _, high in drops)
    facts |= {"fallen": fallen, "n_models": len(drops)}
    sentence += "{fallen} of the {n_models} models fall by more than chance when the split goes from images to films"
    sentence += "; of the two that read features the freer falls more." if drops[0][0] < drops[1][0] else "."
    above = [short for short in ("free", "held") if facts[f"{short}_film_low"] > 0.5]
    if len(above) == 2:
        sentence += (" What the frozen features keep lies above chance: {free_film:.2f} ({free_film_low:.2f} to "
                     "{free_film_high:.2f}) and {held_film:.2f} ({held_film_low:.2f} to {held_film_high:.2f}), on "
                     "{n_films} films.")  # fmt: skip
    else:
        sentence += " What is left cannot be told from chance for both readings of the frozen features."
    return facts | {"sentence": sentence}


def left_in_words(left: Comparison) -> dict[str, object]:
    """What remains by film once layout and size say nothing, and the sentence that says it."""
    within = "pairs of one layout and size"
    facts: dict[str, object] = {}
    for short, model in {"held_left": HELD, "file_left": FACTS}.items():
        facts |= interval_facts(short, *left.estimate(model, within))
    sentence = ("Among films that look alike from outside, the frozen features (100 components) put {held_left:.0%} of "
                "pairs in the right order ({held_left_low:.0%} to {held_left_high:.0%}), the facts of the file alone "
                "{file_left:.0%} ({file_left_low:.0%} to {file_left_high:.0%}). ")  # fmt: skip
    if facts["held_left_low"] > 0.5 and facts["file_left_low"] > 0.5:
        sentence += ("Something real remains, and so does something of the file within each class: part of what "
                     "remains may still be where a film came from.")  # fmt: skip
    elif facts["held_left_low"] > 0.5:
        sentence += "Something remains that these shortcuts do not explain; others may."
    else:
        sentence += "What remains cannot be told from chance."
    return facts | {"left_sentence": sentence}
