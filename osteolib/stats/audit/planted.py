"""Made-up studies with one planted error each; all else is honest, of one run, with three digits rounded half up."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np

from osteolib.stats.audit import made_up as made
from osteolib.stats.audit.honest import PLANTED, Rows, Study, Way, table_study
from osteolib.stats.audit.made_up import COLUMNS, MODELS
from osteolib.stats.audit.printed import Printed, printed

Change = Callable[[Rows, int, int, np.random.Generator], tuple[int, int] | None]  # new n and positives, where they are


def shown(value: Fraction | float) -> Printed:
    """With three digits, rounded half up."""
    return made.print_as(Fraction(value).limit_denominator(10**9), 3, "half-up")


def planted(change: Change, names: str = "") -> Way:
    """Studies of three models in which ``change`` has altered the printed rows."""

    def study(rng: np.random.Generator) -> Study:
        n, positives = made.draw_test_set(rng)
        rows = {}
        for model in MODELS:
            (scores,) = made.draw_runs(n, positives, rng, 1)
            rows[model] = {name: shown(value) for name, value in made.values_of(scores).items()}
            cells = made.counts(scores)
            rows[model] |= {name: shown(made.ratio(name, cells)) for name in ("ppv", "npv")}
        n, positives = change(rows, n, positives, rng) or (n, positives)
        kept = {model: {name: row[name] for name in (*COLUMNS, "auc")} for model, row in rows.items()}
        return table_study(kept, n, positives)

    return Way(PLANTED, study, names)


def off_by(rows: Rows, rng: np.random.Generator, least: int, most: int) -> None:
    """One cell of accuracy, sensitivity, specificity or F1 is so many last digits too high or too low."""
    name = str(rng.choice(COLUMNS))
    digits = int(1000 * rows["II"][name].value)
    step = int(rng.integers(least, most + 1)) * int(rng.choice([-1, 1]))
    rows["II"][name] = shown(Fraction(digits + step if 0 <= digits + step <= 1000 else digits - step, 1000))


def transposed(rows: Rows, n: int, positives: int, rng: np.random.Generator) -> None:
    """Two neighbouring digits of one cell have changed places, where they differ by more than one."""
    name = str(rng.choice(COLUMNS))
    digits = rows["II"][name].text[2:]
    pairs = [i for i in (0, 1) if abs(int(digits[i]) - int(digits[i + 1])) > 1]
    if rows["II"][name].value == 1 or not pairs:
        return off_by(rows, rng, 18, 90)
    i = int(rng.choice(pairs))
    rows["II"][name] = printed(f"0.{digits[:i]}{digits[i + 1]}{digits[i]}{digits[i + 2 :]}")
    return None


def exchanged(rows: Rows, models: tuple[str, ...], first: str = "specificity", second: str = "sensitivity") -> None:
    """In these rows sensitivity holds ``first`` and specificity ``second``."""
    for model in models:
        row = rows[model]
        row["sensitivity"], row["specificity"] = row[first], row[second]


def other_split(rows: Rows, n: int, positives: int, rng: np.random.Generator) -> None:
    """One row comes from a test set of as many people, of whom other many are positive."""
    (scores,) = made.draw_runs(n, positives + int(rng.choice([-1, 1]) * rng.integers(5, 12)), rng, 1)
    rows["II"] |= {name: shown(value) for name, value in made.values_of(scores).items()}


def another_row(rows: Rows, n: int, positives: int, rng: np.random.Generator) -> None:
    """One row was made up from a table that could be: nothing in it contradicts anything."""
    (scores,) = made.draw_runs(n, positives, rng, 1)
    rows["II"] |= {name: shown(value) for name, value in made.values_of(scores).items()}


def copied(name: str) -> Change:
    """One cell was copied from the row above."""

    def change(rows: Rows, n: int, positives: int, rng: np.random.Generator) -> None:
        rows["II"][name] = rows["I"][name]

    return change


def free(rows: Rows, n: int, positives: int, rng: np.random.Generator) -> None:
    """Four numbers of one row were invented, each for itself."""
    rows["II"] |= {name: shown(rng.uniform(0.6, 0.95)) for name in COLUMNS}


def by_formula(rows: Rows, n: int, positives: int, rng: np.random.Generator) -> None:
    """Sensitivity and specificity of one row were invented, accuracy and F1 calculated from them."""
    sens, spec = rng.uniform(0.6, 0.95, 2)
    tp, fp = sens * positives, (1 - spec) * (n - positives)
    values = ((tp + n - positives - fp) / n, sens, spec, 2 * tp / (tp + fp + positives))
    rows["II"] |= {name: shown(value) for name, value in zip(COLUMNS, values, strict=True)}


def larger_set(rows: Rows, n: int, positives: int, rng: np.random.Generator) -> tuple[int, int]:
    """Tested on more people than are printed."""
    return n - int(rng.integers(n // 5, n // 2)), positives - int(rng.integers(1, positives // 2))


def low_auc(rows: Rows, n: int, positives: int, rng: np.random.Generator) -> None:
    """The AUC of one row lies below what its sensitivity and specificity leave room for."""
    rows["II"]["auc"] = shown(float(rows["II"]["sensitivity"].value * rows["II"]["specificity"].value) - 0.02)


def _step(rng: np.random.Generator) -> int:
    return int(rng.integers(1, 4)) * int(rng.choice([-1, 1]))


PLANTED_ERRORS = {
    "last digit of a cell off by 1": planted(lambda r, n, p, g: off_by(r, g, 1, 1)),
    "last digits of a cell off by 2 to 9": planted(lambda r, n, p, g: off_by(r, g, 2, 9)),
    "two digits of a cell transposed": planted(transposed),
    "sensitivity and specificity exchanged in a row": planted(lambda r, n, p, g: exchanged(r, ("II",))),
    "sensitivity and specificity exchanged in all rows": planted(lambda r, n, p, g: exchanged(r, MODELS)),
    "PPV and NPV in the columns of both": planted(lambda r, n, p, g: exchanged(r, MODELS, "ppv", "npv"),
                                                  "sensitivity is ppv, specificity is npv"),
    "n off by 1 to 3": planted(lambda r, n, p, g: (n + _step(g), p)),
    "positives off by 1 to 3": planted(lambda r, n, p, g: (n, p + _step(g))),
    "tested on more people than are printed": planted(larger_set),
    "a row of another split": planted(other_split), "accuracy copied from another row": planted(copied("accuracy")),
    "F1 copied from another row": planted(copied("f1")), "an AUC too low for its row": planted(low_auc),
    "a row of invented numbers": planted(free), "a row invented by formula": planted(by_formula),
    "a row invented from a possible table": planted(another_row),
}  # fmt: skip
"""Error: how it is planted."""
