"""Sex and single bones in the control on real hands: comparisons, figure, tables, predictions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from osteolib.report.comparison import Comparison, compare_scores, compare_statistics, together
from osteolib.report.hand_control_page import AGE, FORMAT, LOOKS, REAL
from osteolib.report.show import figure, say, table, with_ci
from osteolib.report.style import GREY, use_style
from osteolib.runs import Run
from osteolib.segment.real_hands import METACARPALS
from osteolib.stats.ranks import auroc_within, spearman


def compare_sexes(
    male: NDArray, scores: Mapping[str, NDArray], strata: Mapping[str, NDArray], n_boot: int, seed: int
) -> Comparison:
    """AUROC of sex in all pairs of a boy and a girl, and in the pairs of one stratum, by what the strata are."""
    how = {"n_boot": n_boot, "seed": seed}
    parts = [compare_scores(male, scores, **how)]
    for what, stratum in strata.items():
        values = {name: (male, score, stratum) for name, score in scores.items()}
        parts.append(compare_statistics({what: auroc_within}, values, **how))
    return together(*parts)


def show_sex_table(run: Run, compared: Comparison) -> None:
    """AUROC of sex in all pairs and within strata, as a table."""
    caption = "Real hands: AUROC of sex (boys higher), in all pairs and in pairs that share a stratum"
    table(run, "sex", compared.table(head="known"), caption, index=False)


def show_sexes(run: Run, compared: Comparison) -> None:
    """The result rows of :func:`compare_sexes` and what they say."""
    is_auroc = compared.rows["metric"] == "auroc"
    replace(compared, rows=compared.rows[is_auroc]).record(run, REAL, "sex, {metric}, {method}")
    replace(compared, rows=compared.rows[~is_auroc]).record(run, REAL, "sex, auroc, {metric}, {method}")
    value = {name: compared.estimate(name) for name in compared.methods}
    seen = min(value[m][1] for m in ("SimCLR", "VICReg")) > 0.5
    run.fact(sex_s=with_ci(*value["SimCLR"]), sex_v=with_ci(*value["VICReg"]), format=with_ci(*value[FORMAT]),
             within=with_ci(*compared.estimate(FORMAT, "same film format")),
             known="; ".join(n for n, (_, low, _) in value.items() if low > 0.5) or "none",
             seen="finds" if seen else "is not shown to find")  # fmt: skip
    say(
        run,
        "**The chain {seen} sex**: AUROC {sex_s} with SimCLR and {sex_v} with VICReg. The height and width of the "
        "film, without any bone, reach {format}. Intervals wholly above 0.5: {known}.",
    )


def compare_single_bones(
    age: NDArray, bones: pd.DataFrame, predicted: Mapping[str, NDArray], n_boot: int, seed: int
) -> dict[str, Comparison]:
    """Spearman with bone age of each metacarpal's own prediction; ``bones``: ``hand, bone``; ``age`` by hand."""
    alone = {}
    for bone in METACARPALS:
        own = bones["bone"].eq(bone).to_numpy()
        if own.any():
            truth = age[bones.loc[own, "hand"]]
            values = {name: (truth, p[own]) for name, p in predicted.items()}
            alone[bone] = compare_statistics({AGE: spearman}, values, n_boot=n_boot, seed=seed)
    return alone


def alone_figure(alone: Mapping[str, Comparison], together: Mapping[str, float]) -> Figure:
    """Spearman of each metacarpal with its interval, by encoder; dashed, the vote of all (``together``)."""
    use_style()
    fig, axis = plt.subplots(figsize=(7, 3.2))
    for k, ((name, vote), (colour, marker)) in enumerate(zip(together.items(), LOOKS, strict=True)):
        axis.axhline(vote, color=colour, lw=1, ls="--")
        for place, compared in enumerate(alone.values()):
            (value, low, high), x = compared.estimate(name), place + 0.16 * (k - 1)
            axis.plot([x, x], [low, high], color=colour, lw=2)
            axis.plot(x, value, marker, color=colour, ms=7, label=name if place == 0 else None)
    axis.axhline(0, color=GREY, ls=":")
    axis.set_xticks(range(len(alone)), alone)
    axis.set(ylabel="Spearman with bone age", title="One bone alone (dashed: all bones)")
    fig.legend(fontsize="small", loc="outside lower center", ncols=3)
    return fig


def show_single_bones(run: Run, alone: Mapping[str, Comparison], together: Mapping[str, float]) -> None:
    """Each metacarpal alone beside the vote (``together``, by encoder), with the highest and the lowest in words."""
    alt = (
        "Spearman of each metacarpal's prediction with bone age, with intervals, for three encoders; dashed, the vote."
    )
    figure(run, "alone", alone_figure(alone, together), alt=alt)
    values = {f"{bone} with {name}": c.estimate(name) for bone, c in alone.items() for name in c.methods}
    best, least = max(values, key=lambda n: values[n][0]), min(values, key=lambda n: values[n][0])
    apart = values[best][1] > values[least][2]
    run.fact(n_alone=len(values), overlap="do not overlap" if apart else "overlap")
    run.fact(best=best, best_value=with_ci(*values[best]), least=least, least_value=with_ci(*values[least]))
    say(
        run,
        "Highest: {best}, {best_value}; lowest: {least}, {least_value}; their intervals {overlap}. Both were "
        "picked after looking, out of {n_alone}.",
    )


def record_predictions(
    run: Run, hands: pd.DataFrame, fold: NDArray, votes: Mapping[tuple[str, str], NDArray],
    targets: Mapping[str, NDArray], seed: int,
) -> None:  # fmt: skip
    """Every hand's prediction by (method, target) out of fold."""
    ids = hands[["subject_id", "image_id", "unit_id"]]
    frames = [
        ids.assign(cohort=REAL, split="test", fold=fold, seed=seed, method=method, target=what, y_true=targets[what],
                   y_score=p)
        for (method, what), p in votes.items()
    ]  # fmt: skip
    run.predictions(pd.concat(frames, ignore_index=True))
