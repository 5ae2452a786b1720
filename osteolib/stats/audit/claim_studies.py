"""Made-up studies of one claim each, honest and with one error that shows however the numbers were rounded.

For the checks that no table of models asks for: spreads of runs, limits of agreement, comparisons, members of samples,
printed tables, pooled test sets, classifiers that say one thing, averages over classes.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np

from osteolib.stats.audit import made_up as made
from osteolib.stats.audit.class_averages import averages_of
from osteolib.stats.audit.further_studies import one_lead, row_of
from osteolib.stats.audit.honest import ASSUMED, OTHERWISE, PLANTED, TABLES, Rows, Study, Way, agreement, lead
from osteolib.stats.audit.made_up import COLUMNS
from osteolib.stats.audit.planted import PLANTED_ERRORS, planted, shown
from osteolib.stats.audit.table_metrics import fraction

Make = Callable[[np.random.Generator], Study]


def spreads_of_others(rng: np.random.Generator) -> Study:
    """The SD of the accuracy and the mean F1 are those of another model's runs."""
    n, positives = (min(count, most) for count, most in zip(made.draw_test_set(rng), (80, 30), strict=True))
    first, other = ([made.values_of(run) for run in made.draw_runs(n, positives, rng, 3)] for _ in range(2))
    mean = {name: np.mean([float(run[name]) for run in runs]) for name, runs in (("accuracy", first), ("f1", other))}
    sd = {name: np.std([float(run[name]) for run in other], ddof=1) for name in mean}
    values = {name: f"{mean[name]:.4f}" for name in mean} | {f"{name}_sd": f"{sd[name]:.4f}" for name in sd}
    sizes = {"n": str(n), "runs": 3}
    return Study(values, [
        lead("mean_sd", {"mean": "accuracy", "sd": "accuracy_sd", **sizes}),
        lead("f1_runs", {name: name for name in values} | sizes | {"positives": str(positives)}),
    ])  # fmt: skip


def half_the_pairs(rng: np.random.Generator) -> Study:
    """Limits and interval of the bias are of half as many pairs as are printed."""
    d = rng.normal(rng.normal(0, 0.05), rng.uniform(0.1, 0.5), int(rng.integers(20, 200)))
    sd, half = d.std(ddof=1), 1.96 * d.std(ddof=1) / np.sqrt(d.size)
    ends = {"loa_low": d.mean() - 1.96 * sd, "loa_high": d.mean() + 1.96 * sd,
            "ci_low": d.mean() - half, "ci_high": d.mean() + half}  # fmt: skip
    arguments = {name: name for name in ends} | {"candidates": [2 * d.size]}
    return one_lead("bland_altman", {name: f"{end:.3f}" for name, end in ends.items()}, arguments)


def gain(wrong: bool = False) -> Make:
    """A method is called better than another; with the error, by printed numbers at least two digits worse."""

    def study(rng: np.random.Generator) -> Study:
        digits = int(rng.integers(2, 5))
        low, high = sorted(rng.uniform(0.5, 1, 2))
        if wrong:
            low, high = high + 2 * 10.0**-digits, low
        values = {"new": f"{high:.{digits}f}", "old": f"{low:.{digits}f}"}
        return one_lead("comparison", values, {"statement": "new > old", "values": {name: name for name in values}})

    return study


def member(wrong: bool = False) -> Make:
    """One run and mean ± SD of all; with the error, the run lies further out than a member of so many can."""

    def study(rng: np.random.Generator) -> Study:
        runs = rng.normal(rng.uniform(0.4, 0.9), rng.uniform(0.01, 0.05), int(rng.integers(3, 10)))
        sd = runs.std(ddof=int(rng.integers(0, 2)))
        value = runs.mean() + 1.2 * np.sqrt(runs.size) * sd + 0.004 if wrong else rng.choice(runs)
        values = {"value": f"{value:.3f}", "mean": f"{runs.mean():.3f}", "sd": f"{sd:.3f}"}
        return one_lead("member_of_sample", values, {name: name for name in values} | {"n": str(runs.size)})

    return study


def counted(wrong: bool = False) -> Make:
    """A printed table with its metrics and its n; with the error, one count is off by 1 to 3."""

    def study(rng: np.random.Generator) -> Study:
        n, positives = made.draw_test_set(rng)
        cells = made.counts(made.draw_runs(n, positives, rng, 1)[0])
        values = {name: made.ratio(name, cells) for name in COLUMNS}
        names = (*COLUMNS, *(name for name in ("kappa", "jaccard") if fraction(name, *cells)[0] >= 0))
        values |= {name: Fraction(*(int(part) for part in fraction(name, *cells))) for name in names[4:]}
        shown_cells = np.array(cells)
        shown_cells[rng.integers(4)] += rng.integers(1, 4) * wrong
        given = dict(zip(("tp", "fp", "fn", "tn"), map(str, shown_cells), strict=True)) | {"n": str(n)}
        return one_lead("matrix", row_of(values, names, made.draw_printing(rng)),
                        given | {"reported": {name: name for name in names}})  # fmt: skip

    return study


def one_table(check: str, table: Make) -> Make:
    """What pooled asks of a table of models, or exchange of rows that were each rounded in one way."""
    more = {"exchange": {"one_rounding": True}, "pooled": {"n_max": 1}}[check]  # no search for other sizes

    def study(rng: np.random.Generator) -> Study:
        asked = table(rng)
        (given,) = (found["with"] for found in asked.leads if found["check"] == "exchange")
        return Study(asked.values, [lead(check, given | more)])

    return study


def constant(wrong: bool = False) -> Make:
    """The scores of calling everybody positive; with the error, an accuracy three to nine digits off."""

    def study(rng: np.random.Generator) -> Study:
        n, positives = made.draw_test_set(rng)
        cells = positives, n - positives, 0, 0
        values = {name: made.ratio(name, cells) for name in ("accuracy", "f1")}
        values["accuracy"] += Fraction(int(rng.integers(3, 10)), 1000) * wrong
        printing = shown if wrong else made.draw_printing(rng)
        return one_lead("constant_classifier", row_of(values, ("accuracy", "f1"), printing),
                        {"n": str(n), "positives": str(positives),
                         "reported": {"accuracy": "accuracy", "f1": "f1"}})  # fmt: skip

    return study


def classes(wrong: bool = False, weighted: bool = False) -> Make:
    """Averages over three classes of 8 to 40 people; with the error, the macro sensitivity is that of another model.

    ``weighted``: those called macro are weighted by the sizes of the classes.
    """

    def study(rng: np.random.Generator) -> Study:
        sizes = rng.integers(8, 41, 3)
        averages = []
        for _ in range(2):
            chances = np.eye(3) * rng.uniform(0.5, 0.9) + rng.dirichlet(np.ones(3), 3) * 0.4
            table = np.array([rng.multinomial(size, row / row.sum()) for size, row in zip(sizes, chances, strict=True)])
            right = table.diagonal()
            averages.append(averages_of(right, table.sum(axis=0) - right, sizes.tolist()))
        values = averages[0] | ({"macro_sensitivity": averages[1]["macro_sensitivity"]} if wrong else {})
        names = ("accuracy", "macro_sensitivity", str(rng.choice(["macro_f1", "weighted_ppv", "macro_specificity"])))
        of = {name: name.replace("macro_", "weighted_") if weighted else name for name in names}
        exact = {name: Fraction(float(values[of[name]])).limit_denominator(10**9) for name in names}
        printing = shown if wrong else made.draw_printing(rng)
        return one_lead("class_averages", row_of(exact, names, printing),
                        {"sizes": sizes.tolist(), "reported": {name: name for name in names}})  # fmt: skip

    return study


def off_accuracy(rows: Rows, n: int, positives: int, rng: np.random.Generator) -> None:
    """The accuracy of one row is three to nine last digits too low."""
    rows["II"]["accuracy"] = shown(rows["II"]["accuracy"].value - Fraction(int(rng.integers(3, 10)), 1000))


ONE_RUN, LARGER = TABLES["one run, any usual rounding"].make, PLANTED_ERRORS["tested on more people than are printed"]
CLAIMS = {
    "a table, asked for one way of rounding": Way(ASSUMED, one_table("exchange", ONE_RUN)),
    "a table of as many people as are printed": Way(ASSUMED, one_table("pooled", ONE_RUN)),
    "limits of agreement at 1.96 SD": Way(ASSUMED, agreement(1.96, "formula")),
    "a gain that is one": Way(ASSUMED, gain()),
    "one run of those that are averaged": Way(ASSUMED, member()),
    "a printed table": Way(ASSUMED, counted()),
    "everybody called positive": Way(ASSUMED, constant()),
    "averages over three classes": Way(ASSUMED, classes()),
    "weighted averages called macro": Way(OTHERWISE, classes(weighted=True), "weighted averages called macro"),
    "SD and F1 of another model's runs": Way(PLANTED, spreads_of_others),
    "limits of agreement of half the pairs": Way(PLANTED, half_the_pairs),
    "a table of more people than are printed": Way(PLANTED, one_table("pooled", LARGER.make)),
    "an accuracy 3 to 9 digits too low": planted(off_accuracy),
    "a gain that is a loss": Way(PLANTED, gain(wrong=True)),
    "a run out of reach of its mean and SD": Way(PLANTED, member(wrong=True)),
    "a count of a printed table off by 1 to 3": Way(PLANTED, counted(wrong=True)),
    "everybody called positive, accuracy off": Way(PLANTED, constant(wrong=True)),
    "macro sensitivity of another model": Way(PLANTED, classes(wrong=True)),
}  # fmt: skip
