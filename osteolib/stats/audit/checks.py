"""The vocabulary of an audit file: checks of printed numbers, each with a verdict and all that a sentence would quote.

"inconsistent" is said only where nothing that rounding half-up, half-even or by truncation allows satisfies the check,
and it holds under what the check assumes (:mod:`osteolib.stats.audit.kinds`); "differs" is the same where words, code,
a convention or a model stand on one side; "derived" is a number that the study does not print; "not checkable" is what
no arithmetic decides. Where a check finds nothing that fits, ``fits_if`` beside its numbers names other ways of writing
them under which it would (:mod:`osteolib.stats.audit.other_ways`). In ``computed`` a range is a pair (low, high), or
one number where both are equal.
"""

from __future__ import annotations

from dataclasses import astuple
from typing import Any, Literal

import numpy as np

from osteolib.stats.audit import implied, reach
from osteolib.stats.audit.arguments import Exact, Number, Operand, Roundings, Share, Spread
from osteolib.stats.audit.averages import QUESTION
from osteolib.stats.audit.class_averages import class_averages
from osteolib.stats.audit.confusion import (
    MOST,
    ConfusionMatrix,
    TooManyMatrices,
    a_few,
    confusion_matrices,
    metric_bounds,
)
from osteolib.stats.audit.exchange import exchange as exchange_table
from osteolib.stats.audit.exchange import nearest_matrix, pooled_n
from osteolib.stats.audit.expression import compare, evaluate
from osteolib.stats.audit.fold_means import fold_means
from osteolib.stats.audit.outcome import Outcome, judged, range_of
from osteolib.stats.audit.p_values import p_of_means, p_of_table
from osteolib.stats.audit.printed import ROUNDINGS, Printed
from osteolib.stats.audit.quantities import QUANTITIES
from osteolib.stats.audit.regression_errors import regression_errors
from osteolib.stats.audit.table_metrics import TABLE_METRICS

NEAREST = ("half-up", "half-even")
MOST_TRIED = 20_000_000  # matrices that are looked at for the nearest
MOST_LISTED = 1_000_000  # proportions that are looked at one by one
LISTED = 20  # of many solutions a sentence quotes a few
Row = dict[str, Number]  # metric to printed number
Values = dict[str, Operand]  # name in an expression to printed number


def _rounded(values: dict[str, Any], roundings: Roundings) -> dict[str, Any]:
    return {name: value.bounds(roundings) if isinstance(value, Printed) else value for name, value in values.items()}


def _as_printed(values: dict[str, Any]) -> dict[str, Any]:
    return {name: v.value if isinstance(v, Printed) else sum(v) / 2 for name, v in values.items()}


def equation(expression: str, equals: Number, values: Values, roundings: Roundings = ROUNDINGS) -> Outcome:
    """An expression of printed numbers equals another printed number: sums, differences, percentages, formulas.

    computed: value (of the printed numbers), between (its range before rounding), printed, difference.

    Example: {expression: "(sens + spec) / 2", values: {sens: sensitivity, spec: specificity}, equals: "0.806"}
    """
    rounded = _rounded(values | {"_printed_": equals}, roundings)
    low, high = evaluate(f"({expression}) - _printed_", rounded)
    found = {"value": evaluate(expression, _as_printed(values))[0], "between": range_of(evaluate(expression, rounded))}
    printed = float(equals.value)
    return judged(low <= 0 <= high, **found, printed=printed, difference=found["value"] - printed)


def comparison(statement: str, values: Values, roundings: Roundings = ROUNDINGS) -> Outcome:
    """A statement with one of == < <= > >= holds: gains have the sign that is claimed, a bound is kept.

    Consistent where some unrounded values satisfy it. computed: certain (whatever the rounding), difference (left minus
    right, of the printed numbers), between (its range).

    Example: {statement: "new > old", values: {new: auc_extended, old: auc_conventional}}
    """
    holds, between = compare(statement, _rounded(values, roundings))
    difference = compare(statement, _as_printed(values))[1][0]
    return judged(holds is not False, certain=holds is not None, difference=difference, between=range_of(between))


def same_text(texts: dict[str, str]) -> Outcome:
    """Places of one study use the same words or settings; capitals and spaces do not count.

    computed: the words under the name of each place.

    Example: {texts: {methods: "224 x 224", results: "224 x 244"}}
    """
    same = len({" ".join(text.lower().split()) for text in texts.values()}) == 1
    return Outcome("consistent" if same else "differs", dict(texts))


def computed(expressions: dict[str, str], values: Values, roundings: Roundings = ROUNDINGS) -> Outcome:
    """Numbers that the study does not print, by name of the expression.

    computed: under each name its value of the printed numbers, and NAME_between its range before rounding.

    Example: {expressions: {prevalence: "positives / n"}, values: {positives: "48", n: "167"}}
    """
    found = {name: evaluate(text, _as_printed(values))[0] for name, text in expressions.items()}
    ranges = {f"{n}_between": range_of(evaluate(text, _rounded(values, roundings))) for n, text in expressions.items()}
    return Outcome("derived", found | ranges)


def note(text: str) -> Outcome:
    """Something that no arithmetic decides: an omission, a wording, what the released code does.

    Example: {text: "The number of annotators is not given."}
    """
    return Outcome("not checkable", {"note": text})


def proportion(value: Share, n: int, runs: int = 1, roundings: Roundings = ROUNDINGS) -> Outcome:
    """A proportion is a count over n, or the mean of so many runs on one test set of n (GRIM).

    computed: counts (of n * runs; the first 20), n_counts, nearest (the reachable proportion closest to the printed
    one), chance (that an arbitrary number with these decimals would be reachable: small says much).

    Example: {value: accuracy, n: 167, runs: 3}
    """
    counts = reach.reachable_counts(value, n, runs, roundings)
    most = 10**value.decimals  # of the printed numbers from 0 to 1; every one of them is hit by so many counts
    if n * runs <= MOST_LISTED:
        reachable = np.unique((np.arange(n * runs + 1) / (n * runs)).round(value.decimals)).size
    else:
        reachable = min(n * runs, most) + 1
    chance = reachable / (most + 1)
    nearest = round(value.value * n * runs) / (n * runs)
    return judged(bool(counts), counts=list(counts[:LISTED]), n_counts=len(counts), nearest=nearest, chance=chance)


def mean_sd(mean: Share, sd: Spread, n: int, runs: int, roundings: Roundings = ROUNDINGS) -> Outcome:
    """Mean and SD of the proportions of a few runs on one test set of n come from counts (GRIMMER).

    Consistent if sample SD (ddof 1) or population SD (ddof 0) allows it. computed: n_sample, n_population (solutions of
    each), sample, population (the counts of each run, first 20), smallest_sample and smallest_population (the smallest
    SD above 0 that this mean allows).

    Example: {mean: "79.24 %", sd: "0.69 %", n: 167, runs: 3}
    """
    found = {}
    for name, ddof in (("sample", 1), ("population", 0)):
        solutions = reach.reachable_mean_sd(mean, sd, n, runs, ddof, roundings)
        found |= {f"n_{name}": len(solutions), name: solutions[:LISTED]}
        if reach.reachable_counts(mean, n, runs, roundings):
            found[f"smallest_{name}"] = reach.smallest_nonzero_sd(n, runs, ddof, mean, roundings)
    return judged(found["n_sample"] + found["n_population"] > 0, **found)


def f1_runs(
    accuracy: Share, accuracy_sd: Spread, f1: Share, f1_sd: Spread, n: int, positives: int, runs: int,
    roundings: Roundings = ROUNDINGS,
) -> Outcome:  # fmt: skip
    """Means and SDs of accuracy and F1 over a few runs on one test set come from the same runs.

    Consistent if sample SDs (ddof 1) or population SDs (ddof 0) allow it. computed: n_solutions, solutions (for each
    run: correct, true positives; first 20), n_sample, n_population (solutions of each).

    Example: {accuracy: "79.84 %", accuracy_sd: "0.35 %", f1: f1, f1_sd: f1_sd, n: 167, positives: 48, runs: 3}
    """
    found, solutions = {}, []
    for name, ddof in (("sample", 1), ("population", 0)):
        correct = reach.reachable_mean_sd(accuracy, accuracy_sd, n, runs, ddof, roundings)
        fitting = reach.f1_runs(correct, n, positives, f1, f1_sd, ddof, roundings)
        found[f"n_{name}"] = len(fitting)
        solutions += [solution for solution in fitting if solution not in solutions]
    return judged(bool(solutions), n_solutions=len(solutions), solutions=solutions[:LISTED], **found)


def member_of_sample(value: Number, mean: Number, sd: Spread, n: int, roundings: Roundings = ROUNDINGS) -> Outcome:
    """A single result is one of the n whose mean and SD are printed.

    Consistent if sample or population SD allows it. computed: z (distance in SDs), limit_sample, limit_population (the
    largest z that a member can have), others_sample, others_population (largest SD of the other members then).

    Example: {value: "0.347", mean: "0.418", sd: "0.036", n: 5}
    """
    found, possible = {}, False
    for name, ddof in (("sample", 1), ("population", 0)):
        member = reach.member_of_sample(value, mean, sd, n, ddof, roundings)
        possible |= member.possible
        found |= {"z": range_of(member.z), f"limit_{name}": member.limit, f"others_{name}": member.sd_of_others}
    return judged(possible, **found)


def confusion(
    n: int, reported: Row, positives: int | None = None, runs: int = 1, roundings: Roundings = ROUNDINGS,
    one_rounding: bool = False,
) -> Outcome:  # fmt: skip
    """Some confusion matrix of n units (with so many positives) prints all reported metrics; or the mean of runs does.

    With one_rounding all numbers of the row were rounded in the same way, which finds more. computed: n_solutions,
    n_nearest (those of rounding to the nearest), positives_possible (first 20), and ranges over all solutions of tp,
    fp, fn, tn (of one run, on average), positives, called (positive) and every metric; of more solutions than can be
    listed only n_solutions. Without solution but with positives: nearest (tp, fp, fn, tn that print most of the
    metrics) and off (the metrics that they do not print: what they give minus what is printed) and question (how were
    the values averaged?); the ways of averaging that would fit stand in fits_if. Metrics may also stand beside n,
    without reported.

    Example: {n: 224, positives: 136, reported: {sensitivity: "0.904", specificity: "0.773"}}
    """
    ways = [[way] for way in roundings] if one_rounding else [roundings]
    bounds = [metric_bounds(reported, None, way) for way in ways]  # refuses what is no metric
    given = {"runs": runs, "positives": positives, **reported}
    try:
        solutions = list(dict.fromkeys(m for way in ways for m in confusion_matrices(n, roundings=way, **given)))
        n_nearest = len(confusion_matrices(n, roundings=NEAREST, **given))
    except TooManyMatrices:
        if positives is None or runs > 1 or not any(a_few(ends, n, positives).size for ends in bounds):
            raise
        return Outcome("consistent", {"n_solutions": f"more than {MOST:,}"})
    found = {"n_solutions": len(solutions), "n_nearest": n_nearest}
    if solutions:
        tp, fp, fn, tn = cells = np.array([astuple(solution) for solution in solutions]).T / runs
        found["positives_possible"] = np.unique(tp + fn).tolist()[:LISTED]
        spans = {"tp": tp, "fp": fp, "fn": fn, "tn": tn, "positives": tp + fn, "called": tp + fp}
        spans |= {name: metric(*cells) for name, metric in TABLE_METRICS.items()}
        found |= {name: range_of(span) for name, span in spans.items()}
    elif positives is not None and runs == 1:
        found["question"] = QUESTION
        if (positives + 1) * (n - positives + 1) <= MOST_TRIED:
            nearest, off = nearest_matrix(n, positives, None, reported, roundings)
            found |= {"nearest": astuple(nearest), "off": off}
    return judged(bool(solutions), **found)


def matrix(
    tp: int, fp: int, fn: int, tn: int, reported: Row | None = None, n: int | None = None,
    positives: int | None = None, roundings: Roundings = ROUNDINGS,
) -> Outcome:  # fmt: skip
    """A printed confusion matrix agrees with reported metrics, and with the n and positives of another place.

    computed: n, positives, called (positive), correct, every metric, and disagrees (names of what does not fit).

    Example: {tp: 24, fp: 3, fn: 6, tn: 9, reported: {accuracy: "0.786"}, n: "42"}
    """
    cells = ConfusionMatrix(tp, fp, fn, tn)
    found = {"n": cells.n, "positives": cells.positives, "called": tp + fp, "correct": tp + tn}
    found |= {name: cells.metric(name) for name in TABLE_METRICS}
    disagrees = _disagrees(reported, found, roundings) if reported else []
    disagrees += [name for name, count in (("n", n), ("positives", positives)) if count not in (None, found[name])]
    return judged(not disagrees, **found, disagrees=disagrees)


def _disagrees(reported: Row, computed: dict[str, float], roundings: Roundings) -> list[str]:
    """Reported metrics that are not those computed; 0 / 0 may be printed as 0. ValueError: unknown or impossible."""
    metric_bounds(reported)
    given = {name: float(np.nan_to_num(computed[name])) for name in reported}
    return [name for name, number in reported.items() if not number.allows(given[name], roundings)]


def exchange(
    n: int, rows: dict[str, Row], runs: int = 1, roundings: Roundings = ROUNDINGS, one_rounding: bool = False
) -> Outcome:
    """The columns of a table mean what they say: one test set has one number of positives, which serves every row.

    Every exchange among sensitivity, specificity, PPV and NPV is tried; without F1 the mirror image, with the classes
    the other way round, explains as much. Of means over runs only sensitivity and specificity are exchanged: their PPV
    and NPV do not follow from counts, and would explain anything. With one_rounding all numbers of a row were rounded
    in the same way, which finds more. computed: n_rows; as_printed, best and second (each with meaning, rows_explained
    at its best number of positives, best_positives, positives_needed, rows_with_solution), hypotheses (the table of
    all).

    Example: {n: 1490, rows: {"*": {sensitivity: table2.*.sen, specificity: table2.*.spe, accuracy: table2.*.acc}}}
    """
    records = exchange_table(rows, n, None, runs, roundings, one_rounding).to_dict("records")
    for record in records:
        meaning = {column: record.pop(column) for column in list(record) if column in TABLE_METRICS}
        record["meaning"] = ", ".join(f"{column} is {metric}" for column, metric in meaning.items())
        record["as_printed"] = all(column == metric for column, metric in meaning.items())
    printed = next(record for record in records if record["as_printed"])
    ranked = dict(zip(("best", "second"), records, strict=False))
    holds = printed["rows_explained"] == len(rows)
    return judged(holds, n_rows=len(rows), as_printed=printed, **ranked, hypotheses=records)


def pooled(n: int, rows: dict[str, Row], n_max: int = 2000, runs: int = 1, roundings: Roundings = ROUNDINGS) -> Outcome:
    """The rows of a table come from the n units that are named, with one number of positives.

    Other sizes up to n_max are searched. computed: n_rows, rows_explained (at n), best_n, best_positives,
    best_rows_explained, best_explained (their names), second_rows_explained (of the next n and positives that are no
    multiple of these), sizes (the table).

    Example: {n: 669, n_max: 2000, rows: {"*": {accuracy: table3.*.acc, ppv: table3.*.sen, npv: table3.*.spe}}}
    """
    named = int(exchange_table(rows, n, [{}], runs, roundings)["rows_explained"][0])
    sizes = pooled_n(rows, n_max, None, runs, roundings).to_dict("records")
    found = {"n_rows": len(rows), "rows_explained": named}
    if sizes:
        best = sizes[0]
        others = [s["rows_explained"] for s in sizes if s["n"] * best["positives"] != s["positives"] * best["n"]]
        found |= {f"best_{key}": best[key] for key in best} | {"second_rows_explained": max(others, default=0)}
    return judged(named == len(rows), **found, sizes=sizes)


def constant_classifier(
    n: int, positives: int, reported: Row | None = None, roundings: Roundings = ROUNDINGS
) -> Outcome:
    """Yardsticks: what calling everybody positive, or everybody negative, would score.

    With reported: consistent if these are the metrics of one of the two. computed: METRIC_all_positive and
    METRIC_all_negative for every metric, calls (which of the two fits).

    Example: {n: 167, positives: 48, reported: {accuracy: "28.74 %", f1: "0.447"}}
    """
    table = implied.constant_classifier(n, positives)
    found = {f"{name}_{call}": value for call, metrics in table.items() for name, value in metrics.items()}
    if reported is None:
        return Outcome("derived", found)
    calls = [call for call, metrics in table.items() if not _disagrees(reported, metrics, roundings)]
    return judged(bool(calls), **found, calls=calls)


def auc_of_labels(auc: Share, sensitivity: Share, specificity: Share, roundings: Roundings = ROUNDINGS) -> Outcome:
    """An AUROC against one operating point of the same curve.

    Inconsistent if no curve through the point has it, else derived. computed: equals_labels (whether it is the area
    (sensitivity + specificity) / 2 of yes/no decisions, to the printed digit), labels, labels_between, least, largest
    (of all curves), chance (share of what is possible that prints like this: how easily it would agree by accident).

    Example: {auc: "96.4 %", sensitivity: "97.2 %", specificity: "95.6 %"}
    """
    point = {"sens": sensitivity, "spec": specificity, "auc": auc}
    ends = _rounded(point, roundings)
    possible = [compare(text, ends)[0] for text in ("auc >= sens * spec", "auc <= 1 - (1 - sens) * (1 - spec)")]
    least, labels, largest = implied.auc_through_point(float(sensitivity.value), float(specificity.value))
    found = {"equals_labels": compare("auc == (sens + spec) / 2", ends)[0] is not False, "labels": labels}
    found |= {"labels_between": range_of(evaluate("(sens + spec) / 2", ends)), "least": least, "largest": largest}
    found["chance"] = min(1.0, 10.0**-auc.decimals / max(largest - least, 1e-9))
    return Outcome("inconsistent" if False in possible else "derived", found)


def bland_altman(
    loa_low: Number, loa_high: Number, ci_low: Number, ci_high: Number,
    of: Literal["bias", "limit"] = "bias", candidates: Exact = (), roundings: Roundings = ROUNDINGS,
) -> Outcome:  # fmt: skip
    """Limits of agreement fit the printed interval of the bias (or of one limit), and some number of pairs.

    Inconsistent if no number fits, or none of the candidates. computed: n_low, n_high (numbers of pairs that fit, 0 if
    none does), sd (range of the SD of differences, of limits at 1.96), fitting (candidates inside).

    Example: {loa_low: "-0.214", loa_high: "0.194", ci_low: "-0.019", ci_high: "-0.001", candidates: [497, 300]}
    """
    for low, high, what in ((loa_low, loa_high, "loa"), (ci_low, ci_high, "ci")):
        if low.value > high.value:
            raise ValueError(f"{what}_low {low.text} lies above {what}_high {high.text}: exchange them")
    n_low, n_high = implied.bland_altman_n((loa_low, loa_high), (ci_low, ci_high), of, roundings) or (0, 0)
    fitting = [n for n in candidates if n_low <= n <= n_high]
    sd = range_of(implied.sd_from_loa(loa_low, loa_high, roundings=roundings))
    return judged(bool(fitting if candidates else n_high), n_low=n_low, n_high=n_high, sd=sd, fitting=fitting)


CHECKS = {function.__name__: function for function in (
    equation, comparison, same_text, proportion, mean_sd, f1_runs, member_of_sample, confusion, fold_means,
    class_averages, matrix, exchange, pooled, constant_classifier, auc_of_labels, bland_altman, p_of_means, p_of_table,
    regression_errors, computed, note, *QUANTITIES,
)}  # fmt: skip
