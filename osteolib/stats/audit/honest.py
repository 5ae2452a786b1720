"""Honest studies as audit files: as the audit assumes them, and worked or written otherwise without a word about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from osteolib.stats.audit import made_up as made
from osteolib.stats.audit.made_up import COLUMNS, MODELS, Printing, Scores, Values
from osteolib.stats.audit.other_ways import WHOLE, WORDS
from osteolib.stats.audit.printed import Printed

Rows = dict[str, dict[str, Printed]]
Make = Callable[[list[Scores], np.random.Generator, str], Values]


ASSUMED, OTHERWISE, PLANTED = "honest, as assumed", "honest, worked otherwise", "planted error"


@dataclass(frozen=True)
class Study:
    """Printed texts by name, and the findings that a reader would ask of them."""

    values: dict[str, str]
    leads: list[dict[str, Any]]


@dataclass(frozen=True)
class Way:
    """A way of working, or an error: ``group``, what the audit should name of it (if it can), and how to make one."""

    group: str
    make: Callable[[np.random.Generator], Study]
    names: str = ""


def table_study(rows: Rows, n: int, positives: int, runs: int = 1) -> Study:
    """What a reader would ask of a table of models, each with accuracy, sensitivity, specificity, F1 and AUC.

    The confusion matrix is asked of the second row, which carries what was planted; the exchange asks it of all.
    """
    values = {f"{model}.{name}": cell.text for model, row in rows.items() for name, cell in row.items()}
    cells = {model: {name: f"{model}.{name}" for name in COLUMNS} for model in rows}
    sizes = {"n": str(n), "runs": runs}
    weighted = "(sens * p + spec * (n - p)) / n"
    formulas, curves = {}, {}
    for model, names in cells.items():
        counts = {"p": str(positives), "n": str(n)}
        operands = {"sens": names["sensitivity"], "spec": names["specificity"], **counts}
        formulas[model] = {"values": operands, "equals": names["accuracy"]}
        curves[model] = {"auc": f"{model}.auc"} | {name: names[name] for name in ("sensitivity", "specificity")}
    leads = [
        lead("confusion", sizes | {"positives": str(positives), "reported": cells[MODELS[1]]}),
        lead("exchange", sizes | {"rows": cells}),
        lead("proportion", sizes, {model: {"value": names["accuracy"]} for model, names in cells.items()}),
        lead("equation", {"expression": weighted}, formulas),
        lead("auc_of_labels", {}, curves),
    ]
    return Study(values, leads)


def lead(check: str, arguments: Mapping[str, Any], rows: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A finding of a file."""
    words = {"id": check, "source": "made up", "claim": "made up", "check": check}
    return words | {"with": dict(arguments), "rows": dict(rows or {})}


def honest(make: Make, runs: int = 1, printing: Printing | None = None) -> Callable[[np.random.Generator], Study]:
    """Studies of three models, each printing what ``make`` gives of its runs."""

    def study(rng: np.random.Generator) -> Study:
        n, positives = made.draw_test_set(rng)
        show = printing or made.draw_printing(rng)
        values = {model: make(made.draw_runs(n, positives, rng), rng, model) for model in MODELS}
        rows = {model: {name: show(value) for name, value in row.items()} for model, row in values.items()}
        return table_study(rows, n, positives, runs)

    return study


def as_printed(decimals: int, rounding: str) -> Printing:
    """One way of printing for a whole study."""
    return lambda value: made.print_as(value, decimals, rounding)


def of_other_splits(runs: list[Scores], rng: np.random.Generator, model: str) -> Values:
    """Three random splits, each with a few positives more or less."""
    parts = []
    for ill, well in runs[:3]:
        more = int(rng.integers(-3, 4))
        parts.append(made.values_of((rng.choice(ill, ill.size + more), rng.choice(well, well.size - more))))
    return made.mean_of(parts)


TABLES = {
    "one run, any usual rounding": Way(ASSUMED, honest(lambda r, g, m: made.values_of(r[0]))),
    "mean of 3 runs, said so": Way(ASSUMED, honest(lambda r, g, m: made.mean_of([*map(made.values_of, r[:3])]), 3)),
    "AUC of calls": Way(ASSUMED, honest(lambda r, g, m: made.of_hard_calls(r[0]))),
    "rounded twice": Way(OTHERWISE, honest(lambda r, g, m: made.values_of(r[0]), 1, as_printed(3, "twice")),
                         WORDS["twice"]),
    "rounded up": Way(OTHERWISE, honest(lambda r, g, m: made.values_of(r[0]), 1, as_printed(3, "up")), WORDS["up"]),
    "macro F1": Way(OTHERWISE, honest(lambda r, g, m: made.over_classes(r[0], "f1")), "F1 that is the mean over both"),
    "weighted F1": Way(OTHERWISE, honest(lambda r, g, m: made.over_classes(r[0], "f1", True)), "F1 weighted"),
    "macro averages throughout": Way(OTHERWISE, honest(lambda r, g, m: made.over_classes(r[0])),
                                     "means over both classes, sens"),
    "1 to 5 failed films in one row": Way(OTHERWISE, honest(lambda r, g, m: made.values_of(
        made.without(r[0], int(g.integers(1, 6)), g) if m == "II" else r[0]))),
    "mean of 5 random folds": Way(OTHERWISE, honest(lambda r, g, m: made.over_folds(r[0], 5, False, g)), "folds"),
    "mean of 5 stratified folds": Way(OTHERWISE, honest(lambda r, g, m: made.over_folds(r[0], 5, True, g)),
                                      "5 stratified folds"),
    "mean of 3 runs, not said": Way(OTHERWISE, honest(lambda r, g, m: made.mean_of([*map(made.values_of, r[:3])])),
                                    "mean over 3 runs on"),
    "median of 3 runs": Way(OTHERWISE, honest(lambda r, g, m: made.median_of([*map(made.values_of, r[:3])]))),
    "mean of 3 splits of other make-up": Way(OTHERWISE, honest(of_other_splits, 3)),
    "mean of a bootstrap": Way(OTHERWISE, honest(lambda r, g, m: made.over_resamples(r[0], g))),
    "accuracy at another threshold": Way(OTHERWISE, honest(lambda r, g, m: made.at_another_threshold(r[0]))),
    "sensitivity by patient": Way(OTHERWISE, honest(lambda r, g, m: made.by_patient(r[0]))),
}  # fmt: skip


def spread_study(of: str) -> Callable[[np.random.Generator], Study]:
    """Three runs with mean ± of accuracy and F1: sample SD, population SD, or standard error."""

    def study(rng: np.random.Generator) -> Study:
        n, positives = made.draw_test_set(rng)
        n, positives = min(n, 80), min(positives, 30)
        runs = [made.values_of(scores) for scores in made.draw_runs(n, positives, rng, 3)]
        values = {}
        for name in ("accuracy", "f1"):
            each = [float(run[name]) for run in runs]
            sd = np.std(each, ddof=of != "population SD") / (np.sqrt(3) if of == "standard error" else 1)
            values |= {name: f"{np.mean(each):.4f}", f"{name}.sd": f"{sd:.4f}"}
        both = {"accuracy": "accuracy", "accuracy_sd": "accuracy.sd", "f1": "f1", "f1_sd": "f1.sd"}
        sizes = {"n": str(n), "runs": 3}
        leads = [lead("mean_sd", {"mean": "accuracy", "sd": "accuracy.sd", **sizes}),
                 lead("f1_runs", both | sizes | {"positives": str(positives)})]  # fmt: skip
        return Study(values, leads)

    return study


def mean_ages(rng: np.random.Generator) -> Study:
    """The mean age of all is that of two groups together; all three in whole years."""
    a, b = rng.integers(20, 200, 2).tolist()
    ages = [rng.normal(mean, 9, size) for mean, size in zip(rng.uniform(45, 75, 2), (a, b), strict=True)]
    means = [f"{np.mean(group):.0f}" for group in (*ages, np.concatenate(ages))]
    values = dict(zip(("cases", "controls", "all"), means, strict=True))
    operands = {"x": "cases", "y": "controls", "a": str(a), "b": str(b)}
    return Study(values, [lead("equation", {"expression": "(a * x + b * y) / (a + b)", "values": operands,
                                            "equals": "all"})])  # fmt: skip


def agreement(z: float, interval: str) -> Callable[[np.random.Generator], Study]:
    """Limits of agreement at so many SDs, with an interval of the bias by a formula or by resampling."""

    def study(rng: np.random.Generator) -> Study:
        d = rng.normal(rng.normal(0, 0.05), rng.uniform(0.1, 0.5), int(rng.integers(20, 200)))
        half = 1.96 * d.std(ddof=1) / np.sqrt(d.size)
        ends = [d.mean() - half, d.mean() + half]
        if interval == "bootstrap":
            ends = np.quantile(rng.choice(d, (1000, d.size)).mean(axis=1), (0.025, 0.975))
        limits = [d.mean() - z * d.std(ddof=1), d.mean() + z * d.std(ddof=1)]
        names = ("loa_low", "loa_high", "ci_low", "ci_high")
        values = {name: f"{end:.2f}" for name, end in zip(names, [*limits, *ends], strict=True)}
        return Study(values, [lead("bland_altman", dict(zip(names, names, strict=True)) | {"candidates": [d.size]})])

    return study


HONEST = TABLES | {
    "± is a sample SD": Way(ASSUMED, spread_study("sample SD")),
    "± is a population SD": Way(ASSUMED, spread_study("population SD")),
    "limits of agreement at 2 SD": Way(ASSUMED, agreement(2, "formula")),
    "± is a standard error": Way(OTHERWISE, spread_study("standard error")),
    "mean ages in whole years": Way(OTHERWISE, mean_ages, WHOLE),
    "bias with a bootstrap interval": Way(OTHERWISE, agreement(1.96, "bootstrap")),
}
