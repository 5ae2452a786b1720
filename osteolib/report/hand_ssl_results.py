"""What the encoders of the chapter on four methods are worth: the comparison, its figure, tables and sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from osteolib.phantoms.hand.truth import attainable_auroc
from osteolib.report.comparison import Comparison, compare_scores, together
from osteolib.report.forest import forest
from osteolib.report.hand_ssl import CROPS, FILMED, NAMES
from osteolib.report.published import load_published
from osteolib.report.show import figure, say, table, with_ci
from osteolib.runs import Run
from osteolib.screen.held_out_bones import scores_of_people

PHANTOM, RANDOM, TAUGHT = "hand-phantom", "random encoder", "supervised"
CALLS = ("ppv", "sensitivity", "f1", "accuracy")
FEW = 5  # calls; no precision of fewer
TRAINED = tuple(NAMES.values())
PRINTED = r"lee2023_hand\.T2\..*auc\.(?:conv|ext)$|lee2025_hand\.T3\..*\.auc$"
LARGE, EXTENDED, CONVENTIONAL = (f"SimCLR, {crops}" for crops in ("large", "extended", "conventional"))
CONTRASTS = {
    "ranks": (EXTENDED, EXTENDED + FILMED),
    "large": (LARGE, EXTENDED),
    "extended": (EXTENDED, CONVENTIONAL),
    "trained": (LARGE, RANDOM),
}
"""What one step changes, each a pair of encoders that differ in nothing else."""


def compare_encoders(
    people: Mapping[str, pd.DataFrame], plain: Mapping[str, NDArray], ideal: NDArray, n_boot: int, seed: int
) -> Comparison:
    """AUROC of encoders and plain measurements, calls at 0.5 of the encoders, and what training and views change.

    Parameters
    ----------
    people
        ``y_true, y_score`` of the same people in the same order, by name of the encoder.
    plain
        Scores of the same people by name; higher means more likely ill.
    ideal
        What a reader of all that reaches the pixels says of them, shape (n,): its AUROC is the attainable.
    """
    y = next(iter(people.values()))["y_true"]
    scores = {name: votes["y_score"] for name, votes in people.items()}
    pairs = [(name, RANDOM) for name in scores if RANDOM not in name and FILMED not in name]
    pairs += [pair for pair in CONTRASTS.values() if set(pair) <= set(scores) and pair not in pairs]
    how = {"n_boot": n_boot, "seed": seed}
    attainable = float(roc_auc_score(y, ideal))
    parts = [compare_scores(y, {**scores, **plain}, reference=pairs, attainable=attainable, **how)]
    for several in (True, False):
        some = {name: score for name, score in scores.items() if ((score >= 0.5).sum() >= FEW) == several}
        metrics = CALLS if several else CALLS[1:]
        parts += [compare_scores(y, some, metrics, threshold=0.5, **how)] if some else []
    return together(*parts)


def auroc_of_each(bones: pd.DataFrame, layers: Sequence[NDArray]) -> list[float]:
    """AUROC of the people's votes by each single layer: (n,) probabilities, NaN for bones that trained."""
    votes = [scores_of_people(bones, layer) for layer in layers]
    return [float(roc_auc_score(v["y_true"], v["y_score"])) for v in votes]


def show_methods(run: Run, compared: Comparison, seeds: Mapping[str, list[float]], n_blind: int) -> None:
    """Our Table 3: a forest plot with the AUROC of each seed, a table, the result rows, and what they say.

    ``n_blind``: people whose cortex could not be measured.
    """
    looks = {name: CROPS[name.split(", ")[1]] for name in compared.methods if name.startswith(TRAINED)}
    plot = forest(compared, strokes=seeds, styles=looks)
    figure(run, "auroc", plot, alt=f"AUROC with intervals, chance and the attainable as lines: {compared.words()}.")
    caption = "Our Table 3, simulated people: AUROC, and share of what is attainable above chance"
    table(run, "methods", compared.table(["auroc"], "encoder"), caption, index=False, folded="The figure in numbers")
    compared.record(run, PHANTOM, "{metric}, {method}")
    auroc = compared.rows[compared.rows["metric"] == "auroc"].set_index("method")
    learned = [name for name in looks if name.endswith("large")]
    best, worst = auroc.loc[learned, "value"].idxmax(), auroc.loc[learned, "value"].idxmin()
    row = next(name for name in compared.methods if name.startswith("cortex"))
    named = {"best": best, "worst": worst, "random": RANDOM, "cortex": row, "taught": TAUGHT}
    for fact, name in named.items():
        run.fact(**{fact: name, f"{fact}_auroc": with_ci(*compared.estimate(name)),
                    f"{fact}_share": compared.share(name)[0]})  # fmt: skip
    run.fact(attainable=auroc["attainable"].iloc[0], at_large=attainable_auroc(preset="lee2025"), n_blind=n_blind)
    say(
        run,
        "Attainable for these people is an AUROC of **{attainable:.2f}** ({at_large:.2f} among many like them). On "
        "ranks and large views the four methods lie from {worst_auroc}, {worst}, to **{best_auroc}**, {best}: "
        "{best_share:.0%} of the attainable above chance. Random weights have {random_auroc}, {random_share:.0%}. The "
        "same network taught the labels of the training people has **{taught_auroc}**, {taught_share:.0%}. *{cortex}*, "
        "one number without any training, has {cortex_auroc}, {cortex_share:.0%} ({n_blind} could not be measured).",
    )


def show_contrasts(run: Run, compared: Comparison) -> None:
    """What each single step changes, in words that follow the intervals."""
    said = {
        "ranks": "grey levels replaced by their ranks, all else the same",
        "large": "large views in place of the papers' multi-crop",
        "extended": "extended in place of conventional crops",
        "trained": "SimCLR on large views in place of random weights",
    }
    d = compared.differences.set_index(["method", "reference"])
    lines = []
    for key, text in said.items():
        if (pair := CONTRASTS[key]) in d.index:
            value, low, high = d.loc[pair, ["value", "ci_low", "ci_high"]]
            verdict = "a gain" if low > 0 else "a loss" if high < 0 else "this run cannot tell"
            lines.append(
                {"what is changed": text, "AUROC (95 % CI)": with_ci(value, low, high, "+.2f"), "it is": verdict}
            )
            run.fact(**{f"change_{key}": with_ci(value, low, high, "+.2f"), f"verdict_{key}": verdict})
    caption = "Simulated people, SimCLR, one pre-training each: one step changed at a time, paired, not corrected"
    table(run, "steps", pd.DataFrame(lines), caption, index=False)


def show_calls_and_changes(run: Run, compared: Comparison) -> None:
    """Secondary tables: calls at 0.5, paired changes of the AUROC, and what the papers print."""
    calls = replace(compared, rows=compared.rows[compared.rows["metric"] != "auroc"])
    columns = {"PPV (95 % CI)": "precision (95 % CI)", "sensitivity (95 % CI)": "recall (95 % CI)"}
    caption = f"Our Table 3, continued: calls at 0.5, and no precision of fewer than {FEW} of them"
    table(run, "calls", calls.table(head="encoder").rename(columns=columns), caption, index=False)
    caption = "Paired changes of the AUROC, simulated people, not corrected for their number"
    table(run, "changes", compared.difference_table(["auroc"], "+.2f"), caption, index=False)
    printed = pd.concat([load_published("lee2023_hand"), load_published("lee2025_hand")])
    printed = printed.loc[
        printed["published_id"].str.contains(PRINTED), ["paper", "source", "of", "reported", "spread"]
    ]
    table(run, "printed", printed, "Printed AUROC of both papers, for reference only", index=False)
