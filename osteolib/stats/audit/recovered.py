"""What recovered confusion matrices say about each other: running totals taken apart, one model against another."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy import stats

from osteolib.stats.audit.confusion import ConfusionMatrix
from osteolib.stats.audit.exchange import served_by
from osteolib.stats.audit.implied import smallest_mcnemar_p
from osteolib.stats.audit.printed import ROUNDINGS, Printed, printed


def step_of_totals(after: ConfusionMatrix, before: ConfusionMatrix) -> ConfusionMatrix:
    """The matrix of what came between two running totals.

    Raises
    ------
    ValueError
        A cell shrinks, so these are no running totals.
    """
    cells = {name: getattr(after, name) - getattr(before, name) for name in ("tp", "fp", "fn", "tn")}
    if shrinking := [name for name, count in cells.items() if count < 0]:
        raise ValueError(f"{', '.join(shrinking)} shrink from {before} to {after}: no running totals")
    return ConfusionMatrix(**cells)


def gains(new: ConfusionMatrix, old: ConfusionMatrix) -> tuple[int, int]:
    """Positives and negatives that one model has right beyond another, on one test set."""
    if (new.positives, new.n) != (old.positives, old.n):
        raise ValueError(f"{new} and {old} are not of one test set")
    return new.tp - old.tp, new.tn - old.tn


def smallest_paired_p(new: ConfusionMatrix, old: ConfusionMatrix) -> tuple[float, float]:
    """Least p of McNemar's and of a paired t-test between two models of which only the matrices are known.

    It assumes that within each class nothing changed the other way; the true p can only be larger.
    """
    changes = gains(new, old)
    better, worse = sum(k for k in changes if k > 0), -sum(k for k in changes if k < 0)
    differences = np.repeat([1, -1, 0], [better, worse, new.n - better - worse])
    return smallest_mcnemar_p(*changes), float(stats.ttest_1samp(differences, 0).pvalue)


def moved_digits(row: Mapping[str, Printed], shift: int, rng: np.random.Generator) -> dict[str, Printed]:
    """A printed row of shares with every cell up to ``shift`` hundredths of a point off, and without its F1.

    A control for a search over sizes: what fits it fits by chance. F1 is left out, since moved digits contradict it.
    """

    def near(value: Printed) -> Printed:
        return printed(f"{100 * float(value.value) + rng.integers(-shift, shift + 1) / 100:.2f} %")

    return {metric: near(value) for metric, value in row.items() if metric != "f1"}


def fits_by_chance(
    tables: Mapping[str, Mapping[str, Mapping[str, Printed]]], meaning: Mapping[str, str], n_max: int, n_controls: int,
    seed: int = 0, shift: int = 5,
) -> list[int]:  # fmt: skip
    """How many rows one size of a test set serves at most, in copies of tables with moved digits and without F1.

    Parameters
    ----------
    tables
        By name: rows that one size serves as printed, also without F1.
    meaning, n_max
        As in :func:`~osteolib.stats.audit.exchange.pooled_n`.
    n_controls
        Copies of each table.

    Raises
    ------
    ValueError
        Without F1 no size serves all rows of a table as printed, so F1 alone decided.
    """
    rng, found = np.random.default_rng(seed), []
    for name, rows in tables.items():
        for off in (0, *[shift] * n_controls):
            moved = {row: moved_digits(cells, off, rng) for row, cells in rows.items()}
            most = max(map(len, served_by(moved, meaning, np.arange(1, n_max + 1), 1, ROUNDINGS).values()), default=0)
            if not off and most < len(rows):
                raise ValueError(f"{name}: without F1 one size serves {most} of {len(rows)} rows only")
            found += [most] if off else []
    return found
