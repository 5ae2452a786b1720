"""Is there something behind a row that a check lets pass? Counts that, calculated anew, print as the row does.

An error that leaves such counts is one that no arithmetic sees: the study might have had them. The counts are those
that the check found, or are looked for among all tables; what they give is calculated here, not by the check.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from osteolib.stats.audit.class_averages import averages_of
from osteolib.stats.audit.printed import Printed
from osteolib.stats.audit.table_metrics import TABLE_METRICS


def has_witness(check: str, given: Mapping[str, Any], computed: Mapping[str, Any]) -> bool:
    """Whether counts stand behind what ``check`` calls consistent; False for checks that find none.

    Parameters
    ----------
    given
        The arguments of the check, as it gets them.
    computed
        What it found.
    """
    return check in WITNESSES and WITNESSES[check](given, computed)


def some_table_prints(row: Mapping[str, Printed], n: int, positives: int, roundings: list[str]) -> bool:
    """Whether one of all 2 x 2 tables prints so; 0 / 0 as 0."""
    tp, tn = (cell.ravel() for cell in np.mgrid[: positives + 1, : n - positives + 1])
    for name, shown in row.items():
        values = TABLE_METRICS[name](tp, n - positives - tn, positives - tp, tn)
        fits = shown.allows(np.nan_to_num(values, posinf=np.inf), roundings)
        tp, tn = tp[fits], tn[fits]
    return tp.size > 0


def _table(given: Mapping[str, Any], computed: Mapping[str, Any]) -> bool:
    ways = [[way] for way in given["roundings"]] if given["one_rounding"] else [given["roundings"]]
    return given["runs"] == 1 and any(
        some_table_prints(given["reported"], given["n"], given["positives"], way) for way in ways
    )


def _rows(given: Mapping[str, Any], positives: int) -> bool:
    return given["runs"] == 1 and all(
        some_table_prints(row, given["n"], positives, given["roundings"]) for row in given["rows"].values()
    )


def _share(given: Mapping[str, Any], computed: Mapping[str, Any]) -> bool:
    return given["value"].allows(Fraction(computed["counts"][0], given["n"] * given["runs"]), given["roundings"])


def _spread(given: Mapping[str, Any], computed: Mapping[str, Any]) -> bool:
    ddof = 1 if computed["sample"] else 0
    shares = np.array((computed["sample"] or computed["population"])[0]) / given["n"]
    return _mean_and_sd(shares, given["mean"], given["sd"], ddof, given["roundings"])


def _mean_and_sd(shares: np.ndarray, mean: Printed, sd: Printed, ddof: int, roundings: list[str]) -> bool:
    return bool(mean.allows(shares.mean(), roundings) and sd.allows(shares.std(ddof=ddof), roundings))


def _runs(given: Mapping[str, Any], computed: Mapping[str, Any]) -> bool:
    correct, tp = np.array(computed["solutions"][0]).T
    shares = {"accuracy": correct / given["n"], "f1": 2 * tp / (2 * tp + given["n"] - correct)}
    return any(
        all(_mean_and_sd(shares[name], given[name], given[f"{name}_sd"], ddof, given["roundings"]) for name in shares)
        for ddof in (0, 1)
    )


def _folds(given: Mapping[str, Any], computed: Mapping[str, Any]) -> bool:
    counts = zip(computed["sizes"], computed["counts"], strict=True)
    each = [{"accuracy": Fraction(tp + tn, p + m), "sensitivity": Fraction(tp, p), "specificity": Fraction(tn, m)}
            for (p, m), (tp, tn) in counts]  # fmt: skip
    means = (shown.allows(float(sum(fold[name] for fold in each) / len(each)), given["roundings"])
             for name, shown in given["reported"].items())  # fmt: skip
    worst = (shown.bounds(given["roundings"])[0] <= min(fold[name] for fold in each)
             for name, shown in (given["worst"] or {}).items())  # fmt: skip
    best = (max(fold[name] for fold in each) <= shown.bounds(given["roundings"])[1]
            for name, shown in (given["best"] or {}).items())  # fmt: skip
    return all(means) and all(worst) and all(best)


def _classes(given: Mapping[str, Any], computed: Mapping[str, Any]) -> bool:
    right, wrong, sizes = (np.array(part) for part in (computed["right"], computed["wrong"], given["sizes"]))
    missed, values = sizes - right, averages_of(right, wrong, given["sizes"])
    two = values["macro_ppv"] + values["macro_sensitivity"]
    other = {"macro_f1": 2 * values["macro_ppv"] * values["macro_sensitivity"] / two if two else 0.0}
    print_so = all(any(shown.allows(float(of[name]), given["roundings"]) for of in (values, other) if name in of)
                   for name, shown in given["reported"].items())  # fmt: skip
    return bool(print_so and missed.sum() == wrong.sum() and (missed + wrong <= missed.sum()).all())


WITNESSES: dict[str, Callable[[Mapping[str, Any], Mapping[str, Any]], bool]] = {
    "confusion": _table,
    "exchange": lambda given, computed: _rows(given, computed["as_printed"]["best_positives"]),
    "pooled": lambda given, computed: any(_rows(given, positives) for positives in range(given["n"] + 1)),
    "proportion": _share, "mean_sd": _spread, "f1_runs": _runs, "fold_means": _folds, "class_averages": _classes,
}  # fmt: skip
