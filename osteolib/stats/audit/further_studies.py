"""Made-up studies of further kinds: means over folds, ratios of a table, p-values, errors of a regression.

Each kind is made honestly, as the audit assumes, and with one error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import numpy as np
import scipy  # its parts load when they are used

from osteolib.stats.audit import made_up as made
from osteolib.stats.audit.honest import ASSUMED, PLANTED, Study, Way, as_printed, lead
from osteolib.stats.audit.made_up import COLUMNS, Printing, Values
from osteolib.stats.audit.table_metrics import fraction

MORE = ("kappa", "jaccard", "f2", "lr_positive", "lr_negative", "odds_ratio")
FOLDED = ("accuracy", "sensitivity", "specificity")
Make = Callable[[np.random.Generator], Study]


def one_lead(check: str, shown: Mapping[str, str], arguments: Mapping[str, Any]) -> Study:
    """A study with one finding, which names all printed values."""
    return Study(dict(shown), [lead(check, arguments)])


def row_of(values: Values, names: tuple[str, ...], printing: Printing) -> dict[str, str]:
    return {name: printing(values[name]).text for name in names}


def folds(stratified: bool, wrong: bool = False, ends: bool = False) -> Make:
    """Means over five folds whose sizes are told; with the error, the accuracy is that of another model.

    ``ends``: the accuracy of the worst and of the best fold are printed as well.
    """

    def study(rng: np.random.Generator) -> Study:
        n, positives = made.draw_test_set(rng)
        of = [rng.permutation(np.arange(size) % 5) for size in (positives, n - positives)]
        if not stratified:  # each fold keeps one of each class
            of = [np.concatenate([np.arange(5), rng.integers(0, 5, size - 5)]) for size in (positives, n - positives)]
        each = []
        for scores in made.draw_runs(n, positives, rng, 1) + made.draw_runs(n, positives, rng, 1):
            parts = [tuple(side[of[c] == k] for c, side in enumerate(scores)) for k in range(5)]
            each.append([made.values_of(part) for part in parts])
        values = made.mean_of(each[0]) | ({"accuracy": made.mean_of(each[1])["accuracy"]} if wrong else {})
        printing = made.draw_printing(rng)
        shown = row_of(values, FOLDED, printing)
        sizes = np.array([np.bincount(side, minlength=5) for side in of]).T.tolist()
        given = {"sizes": sizes, "reported": {name: name for name in FOLDED}}
        if ends:
            accuracies = [part["accuracy"] for part in each[0]]
            shown |= {"worst": printing(min(accuracies)).text, "best": printing(max(accuracies)).text}
            given |= {end: {"accuracy": end} for end in ("worst", "best")}
        return one_lead("fold_means", shown, given)

    return study


def ratios(wrong: str = "", one_rounding: bool = False) -> Make:
    """Kappa, Jaccard, F2, likelihood ratios and odds ratio of a table; with the error, ``wrong`` is calculated so."""

    def study(rng: np.random.Generator) -> Study:
        n, positives = made.draw_test_set(rng)
        first, other = (made.counts(made.draw_runs(n, positives, rng, 1)[0]) for _ in range(2))
        values = {name: made.ratio(name, first) for name in COLUMNS}
        for name in MORE:
            top, bottom = (int(part) for part in fraction(name, *first))
            if bottom and top >= 0:  # an infinite ratio is not printed, and printing knows no minus sign
                values[name] = Fraction(top, bottom)
        if wrong == "lr_positive" and values["specificity"]:
            values["lr_positive"] = values["sensitivity"] / values["specificity"]
        elif wrong:
            top, bottom = (int(part) for part in fraction(wrong, *other))
            values[wrong] = Fraction(abs(top), bottom)
        printing = as_printed(3, "half-up") if wrong else made.draw_printing(rng)
        names = ("sensitivity", "specificity", *(name for name in MORE if name in values))
        shown = row_of(values, names, printing)
        given = {"n": str(n), "positives": str(positives), "one_rounding": one_rounding}
        return one_lead("confusion", shown, given | {"reported": {name: name for name in names}})

    return study


def means(wrong: bool = False) -> Make:
    """Two groups and a p-value of one of the usual tests; with the error, p is off by 0.1 or more, and all is told."""

    def study(rng: np.random.Generator) -> Study:
        sizes = rng.integers(10, 100, 2)
        a, b = rng.normal(60, 9, sizes[0]), rng.normal(60 + rng.normal(0, 3), rng.uniform(6, 12), sizes[1])
        equal, error, tail = (bool(choice) for choice in rng.integers(0, 2, 3))
        p = float(scipy.stats.ttest_ind(a, b, equal_var=equal).pvalue) / (2 if tail else 1)
        stated = ["Student" if equal else "Welch", "standard error" if error else "SD",
                  "one tail" if tail else "two tails"]  # fmt: skip
        if wrong:
            p = (p + rng.uniform(0.1, 0.4)) % (0.5 if tail else 1)
        by = np.sqrt(sizes) if error else np.ones(2)
        numbers = (a.mean(), a.std(ddof=1) / by[0], b.mean(), b.std(ddof=1) / by[1])
        names = ("mean_a", "spread_a", "mean_b", "spread_b")
        shown = {name: f"{number:.2f}" for name, number in zip(names, numbers, strict=True)}
        shown["p"] = f"{p:.{rng.integers(2, 4)}f}"
        given = {"n_a": int(sizes[0]), "n_b": int(sizes[1])} | ({"stated": stated} if wrong else {})
        return one_lead("p_of_means", shown, {name: name for name in shown} | given)

    return study


def counts(wrong: bool = False) -> Make:
    """A 2 x 2 table and a p-value of one of the usual tests; with the error, p is far from all of them."""

    def study(rng: np.random.Generator) -> Study:
        table = rng.integers(3, 60, (2, 2))
        of = scipy.stats.chi2_contingency
        ps = [of(table, correction=False).pvalue, of(table).pvalue, scipy.stats.fisher_exact(table).pvalue]
        p = float(rng.choice(ps))
        if wrong:
            p = min(ps) / 4 - 0.001 if min(ps) > 0.1 else max(ps) * 2 + 0.03
        return one_lead("p_of_table", {"p": f"{p:.3f}"}, {"p": "p", "table": table.tolist()})

    return study


def errors(wrong: bool = False) -> Make:
    """Errors of a regression; with the error, the RMSE is that of another model."""

    def study(rng: np.random.Generator) -> Study:
        n = int(rng.integers(30, 200))
        y = rng.normal(-1.5, 1.2, n)
        first, other = (rng.uniform(0.4, 1) * y - rng.uniform(0, 0.8) + rng.normal(0, rng.uniform(0.2, 1), n) - y
                        for _ in range(2))  # fmt: skip
        squares = [float((error**2).mean()) for error in (first, other)]
        values = {"mae": np.abs(first).mean(), "rmse": np.sqrt(squares[wrong]), "r2": 1 - squares[0] / y.var(),
                  "r": np.corrcoef(y, y + first)[0, 1], "sd": y.std(ddof=int(rng.integers(0, 2))),
                  "bias": first.mean()}  # fmt: skip
        digits = int(rng.integers(2, 4))
        shown = {name: f"{value:.{digits}f}" for name, value in values.items()}
        return one_lead("regression_errors", shown, {name: name for name in shown} | {"n": str(n)})

    return study


FURTHER = {
    "mean of 5 stratified folds, sizes told": Way(ASSUMED, folds(True)),
    "mean of 5 uneven folds, sizes told": Way(ASSUMED, folds(False)),
    "the same, with the worst and the best fold": Way(ASSUMED, folds(True, ends=True)),
    "kappa, likelihood and odds ratios": Way(ASSUMED, ratios()),
    "kappa and ratios, asked for one way of rounding": Way(ASSUMED, ratios(one_rounding=True)),
    "p of two means, whichever test": Way(ASSUMED, means()),
    "p of a 2 x 2 table, whichever test": Way(ASSUMED, counts()),
    "MAE, RMSE, R2, r, SD and bias": Way(ASSUMED, errors()),
    "fold means with the accuracy of another model": Way(PLANTED, folds(True, wrong=True)),
    "the same, with the worst and the best fold of the first": Way(PLANTED, folds(True, wrong=True, ends=True)),
    "kappa of another row": Way(PLANTED, ratios("kappa")),
    "likelihood ratio as sensitivity / specificity": Way(PLANTED, ratios("lr_positive")),
    "p of two means off by 0.1 or more": Way(PLANTED, means(wrong=True)),
    "p of a table unlike every test": Way(PLANTED, counts(wrong=True)),
    "RMSE of another model": Way(PLANTED, errors(wrong=True)),
}
