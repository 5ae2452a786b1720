"""What the parts of the hand paper's method contribute: the steps that leave one out, and what each changes.

A step is told from the full method by the paired difference of two AUROCs of the same people.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from osteolib.report.comparison import Comparison, compare_scores
from osteolib.report.forest import forest
from osteolib.report.published import load_published
from osteolib.report.show import with_ci
from osteolib.report.style import COLOURS, GREY
from osteolib.stats import delong_test
from osteolib.stats.power import least_effect

FULL = "full method"
SQUARES, PATCHES, FILM = "squares, no mask", "random patches", "patches, then the film"
CROPS_ALONE, UNTRAINED, LABELS = "crops alone", "random weights", "labels alone"
CONVENTIONAL, VGG, HAND, FILMED = "conventional crops", "labels, VGG16", "labels, whole hand", "as filmed"
PAPER = "lee2025_hand"
LEVEL = 0.05  # of all comparisons together


@dataclass(frozen=True)
class Step:
    """One part left out or changed: the paper's table that does alike, words, the printed loss, what it is told from.

    ``printed`` holds ids of published losses of AUROC; ``base`` is the method that differs from this one in one thing.
    """

    table: str
    words: str
    base: str = FULL
    printed: tuple[str, ...] = ()


STEPS: Mapping[str, Step] = {
    SQUARES: Step("4", "no mask: what lies around the bone stays in its square"),
    PATCHES: Step("4", "no mask and no place: patches of a bone's size, anywhere", SQUARES),
    FILM: Step("4", "the same encoder, and one answer from the film as a whole", PATCHES, ("T4.SimCLR.dauc",)),
    CROPS_ALONE: Step("6", "views that are not turned, mirrored, shifted or relit"),
    UNTRAINED: Step("6", "no pre-training, a linear layer on random weights"),
    LABELS: Step("6, 8", "no pre-training, ResNet-18 taught the labels", FULL, ("T6.sup.dauc", "T8.gain.auc")),
    CONVENTIONAL: Step("7", "crops that may hold next to no bone"),
    VGG: Step("8", "as before with a VGG16", LABELS),
    HAND: Step("8", "as before on one image of the hand", LABELS),
    FILMED: Step("–", "grey levels as filmed in place of ranks"),
}
"""In the order of the paper's tables; the last is a part that the paper does not have."""


def compare_steps(people: Mapping[str, pd.DataFrame], n_boot: int, seed: int) -> Comparison:
    """AUROC of every method, and its difference from the full one and from its base.

    ``people``: ``group, y_true, y_score`` by method, of the same people in any order.
    """
    y, scores = on_same_people(people)
    pairs = [(name, base) for name, step in STEPS.items() for base in dict.fromkeys((FULL, step.base))]
    pairs.append((FULL, UNTRAINED))
    return compare_scores(y, scores, reference=pairs, n_boot=n_boot, seed=seed)


def on_same_people(people: Mapping[str, pd.DataFrame]) -> tuple[NDArray[np.int64], dict[str, NDArray[np.float64]]]:
    """Labels and each method's scores, (n,), in the order of the full method's people.

    Raises
    ------
    ValueError
        A method scored other people.
    """
    order = people[FULL]["group"]
    for name, votes in people.items():
        if set(votes["group"]) != set(order):
            raise ValueError(f"method {name!r} scored other people than {FULL!r}: score the same ones")
    scores = {name: votes.set_index("group")["y_score"][order].to_numpy(float) for name, votes in people.items()}
    return people[FULL]["y_true"].to_numpy(), scores


def summary(people: Mapping[str, pd.DataFrame], compared: Comparison, tested: Mapping[str, int]) -> pd.DataFrame:
    """A row a step: ``method, table, words, auroc, difference, p, verdict, printed`` and the least difference.

    ``p`` is DeLong's, corrected by Holm for all steps; ``verdict`` follows it. ``printed`` are the paper's changes.
    ``tested``: people by name of a column, which says what difference from the full method so many would show four
    times in five, as sure as this run's is.
    """
    from statsmodels.stats.multitest import multipletests

    y, scores = on_same_people(people)
    raw = [delong_test(y, scores[FULL], scores[name]).p for name in STEPS]
    p = multipletests(raw, method="holm")[1]
    printed, rows = printed_changes(), []
    for (name, step), corrected in zip(STEPS.items(), p, strict=True):
        value, low, high = compared.difference(name, FULL)
        clear = "a gain" if value > 0 else "a loss"
        least = {column: least_effect((low, high), n / len(y)) for column, n in tested.items()}
        rows.append({"method": name, "table": step.table, "words": step.words,
                     "auroc": with_ci(*compared.estimate(name)), "difference": with_ci(value, low, high, "+.2f"),
                     "value": value, "p": corrected, "verdict": clear if corrected < LEVEL else "cannot tell",
                     "printed": [printed[key] for key in step.printed], **least})  # fmt: skip
    return pd.DataFrame(rows)


def printed_changes() -> dict[str, float]:
    """What the paper prints that each step changes in the AUROC, by the end of its id: losses, so below 0."""
    known = load_published(PAPER).set_index("published_id")["value"]
    return {key: -float(known[f"{PAPER}.{key}"]) for step in STEPS.values() for key in step.printed}


def differences_figure(
    compared: Comparison, found: pd.DataFrame, ceiling: float, few: str, seeds: Mapping[str, Sequence[float]]
) -> Figure:
    """Differences from the full method, a line a step; grey, what the people of column ``few`` could not show.

    ``ceiling``: how far the attainable lies above the full method. ``seeds``: differences of single seeds, by method.
    """
    names = {row.method: f"{row.method} ({row.table})" for row in found.itertuples()}
    d = compared.differences
    rows = d[d["reference"] == FULL].assign(
        attainable=ceiling, metric="change", method=lambda t: t["method"].map(names)
    )
    printed = {names[row.method]: (row.printed[0],) for row in found.itertuples() if row.printed}
    ours = {names[row.method]: (COLOURS["normal"], "s") for row in found.itertuples() if row.table == "–"}
    strokes = {names[name]: values for name, values in seeds.items() if len(values) > 1}
    fig = forest(Comparison(rows.drop(columns="reference")), chance=0, published=printed, styles=ours, strokes=strokes,
                 xlabel="change of the AUROC against the full method, 95 % interval")  # fmt: skip
    axis, reach = fig.axes[0], 1.05 * max(found[few].max(), *rows["ci_high"].abs(), *rows["ci_low"].abs(), ceiling)
    axis.barh(range(len(found)), 2 * found[few][::-1], left=-found[few][::-1], height=0.72, color=GREY, alpha=0.16,
              zorder=0, label=f"too small for {few.split()[-1]} people")  # fmt: skip
    axis.set_xlim(-reach, reach)
    fig.legends[0].remove()
    fig.legend(loc="outside upper right", ncols=3, fontsize="small")
    return fig
