"""Many rows of one test set: what the columns mean, how large the test set is, which cell cannot be right.

One test set has one number of positives, whatever model is tested on it. If every row of a table has a matrix of its
own but no number of positives serves them all, the columns are not what they are called, or the rows are not of one
test set. Each hypothesis about either is judged by how many rows it explains at one number of positives.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import permutations

import numpy as np
import pandas as pd

from osteolib.stats.audit.confusion import (
    FN,
    PER_RUN,
    TP,
    ConfusionMatrix,
    bounds_by_rounding,
    check_n,
    metric_bounds,
    solve,
)
from osteolib.stats.audit.fold_means import SOLVER
from osteolib.stats.audit.printed import ROUNDINGS, Printed
from osteolib.stats.audit.table_metrics import TABLE_METRICS

Row = Mapping[str, Printed]  # printed column, called by a name of a metric, to what stands in it
Rows = Mapping[str, Row]  # by the name of a model
Meaning = Mapping[str, str]  # printed column to the metric that it really holds; columns left out are what they say

MOST_OFF = 1e9  # of an infinite ratio
EXCHANGEABLE = ("sensitivity", "specificity", "ppv", "npv")


def exchange(
    rows: Rows, n: int, meanings: Sequence[Meaning] | None = None, runs: int = 1, roundings: Sequence[str] = ROUNDINGS,
    one_rounding: bool = False,
) -> pd.DataFrame:  # fmt: skip
    """Hypotheses about what the columns of a table mean, the one that explains most rows first.

    Parameters
    ----------
    rows
        All of one test set.
    n, runs, roundings
        As in :func:`confusion_matrices`.
    meanings
        The hypotheses. ``None``: all ways to give the printed columns among sensitivity, specificity, ppv and npv a
        meaning out of these four, as printed first. Of means over runs only sensitivity and specificity change
        places: the PPV of a mean follows from no counts, so that some reading as PPV or NPV would explain any numbers.
    one_rounding
        All numbers of a row were rounded in the same way, whichever of ``roundings``; other rows in another, perhaps.

    Returns
    -------
    DataFrame
        One row per hypothesis: a column for each exchanged column with its meaning; ``rows``; ``rows_with_solution``,
        each for itself; ``positives_needed``, the fewest different numbers of positives that serve those rows (1 if
        the table holds together); ``best_positives``, the number that serves most rows (the smallest of
        ``positives_tied`` that serve as many; missing if there is none); ``rows_explained`` by it. Hypotheses that
        explain as many rows keep their order.

    Raises
    ------
    ValueError
        As in :func:`confusion_matrices`, a hypothesis gives two columns one meaning, or reads means over runs as PPV or
        NPV.
    """
    can = [name for name in EXCHANGEABLE if runs == 1 or name not in PER_RUN]
    if meanings is None:
        columns = [name for name in can if any(name in row for row in rows.values())]
        meanings = [dict(zip(columns, order, strict=True)) for order in permutations(can, len(columns))]
    if refused := sorted({m for meaning in meanings for c, m in meaning.items() if m != c} & set(PER_RUN) - set(can)):
        raise ValueError(f"means over {runs} runs cannot be read as {', '.join(refused)}: no counts follow from them")
    columns = list(dict.fromkeys(column for meaning in meanings for column in meaning))
    table = []
    for meaning in meanings:
        served = served_by(rows, meaning, check_n(n, runs), runs, roundings, one_rounding)
        most = max(map(len, served.values()), default=0)
        best = sorted(positives for (_, positives), names in served.items() if len(names) == most)
        table.append({column: meaning.get(column, column) for column in columns})
        table[-1] |= {"rows": len(rows), "rows_with_solution": len(set().union(*served.values()))}
        table[-1] |= {"positives_needed": smallest_cover(served.values())}
        table[-1] |= {"best_positives": best[0] if best else pd.NA, "positives_tied": len(best), "rows_explained": most}
    return pd.DataFrame(table).sort_values("rows_explained", ascending=False, kind="stable", ignore_index=True)


def pooled_n(
    rows: Rows, n_max: int, meaning: Meaning | None = None, runs: int = 1, roundings: Sequence[str] = ROUNDINGS
) -> pd.DataFrame:
    """Sizes of a test set, up to ``n_max``, that would serve the rows if it is not the size that is named.

    Returns
    -------
    DataFrame
        ``n``, ``positives``, ``rows_explained`` and ``explained`` (the names of these rows), best first, then by n. Of
        each number of rows explained only the first twenty are listed. A multiple of a size that serves serves too,
        and the more people, the more fractions can be reached: the smallest n says most.
    """
    served = served_by(rows, meaning or {}, np.arange(1, check_n(n_max, runs) + 1), runs, roundings)
    sizes = [(*size, len(names), tuple(names)) for size, names in sorted(served.items())]
    table = pd.DataFrame(sizes, columns=["n", "positives", "rows_explained", "explained"])
    table = table.sort_values("rows_explained", ascending=False, kind="stable")
    return table.groupby("rows_explained", sort=False).head(20).reset_index(drop=True)


def nearest_matrix(
    n: int, positives: int, meaning: Meaning | None, reported: Row, roundings: Sequence[str] = ROUNDINGS
) -> tuple[ConfusionMatrix, dict[str, float]]:
    """The matrix that prints like most cells of one row, and how far off the others are.

    Returns
    -------
    ConfusionMatrix
        With ``positives`` of ``n``; of several that match as many cells, the one whose others are off least.
    dict
        For each printed column that it does not match: what it gives minus what is printed, a fraction.
    """
    check_n(n, 1, positives)
    renamed = _read_as(reported, meaning or {})
    metric_bounds(renamed)
    tp, tn = (grid.ravel() for grid in np.mgrid[: positives + 1, : n - positives + 1])
    cells = (tp, n - positives - tn, positives - tp, tn)
    off = np.empty((len(renamed), tp.size))
    for i, (metric, shown) in enumerate(renamed.items()):
        given = np.nan_to_num(TABLE_METRICS[metric](*cells), posinf=MOST_OFF)  # 0 / 0 as 0, as scikit-learn does
        off[i] = np.where(shown.allows(given, roundings), 0, given - float(shown.value))
    best = np.lexsort((np.abs(off).sum(axis=0), (off != 0).sum(axis=0)))[0]
    others = {column: float(error) for column, error in zip(reported, off[:, best], strict=True) if error}
    return ConfusionMatrix(*(int(cell[best]) for cell in cells)), others


def _read_as(row: Row, meaning: Meaning) -> Row:
    renamed = {meaning.get(column, column): value for column, value in row.items()}
    if len(renamed) < len(row):
        raise ValueError(f"two of the columns {list(row)} would mean the same under {dict(meaning)}")
    return renamed


def served_by(
    rows: Rows, meaning: Meaning, n: int | np.ndarray, runs: int, roundings: Sequence[str], one_rounding: bool = False
) -> dict[tuple[int, int], list[str]]:
    """Size of a test set and number of positives to the names of the rows that have a matrix there."""
    served = {}
    for name, row in rows.items():
        bounds = bounds_by_rounding(_read_as(row, meaning), roundings, one_rounding)
        cells = np.concatenate([solve(ends, n, runs) for ends in bounds], axis=1)
        sizes = np.stack([cells.sum(axis=0), cells[TP] + cells[FN]]) // runs
        for size in set(zip(*sizes.tolist(), strict=True)):
            served.setdefault(size, []).append(name)
    return served


def smallest_cover(groups: Collection[list[str]]) -> int:
    """How many of the groups it takes, at least, to have every name that is in one of them (exact set cover)."""
    choices = list(set(map(frozenset, groups)))
    everyone = frozenset().union(*choices)
    for number in range(5):  # enough for most tables, and then no solver is loaded
        if _covers(choices, everyone, number):
            return number
    from scipy.optimize import LinearConstraint, milp

    contains = np.array([[name in choice for choice in choices] for name in everyone], float)
    cover = LinearConstraint(contains, 1)
    return round(milp(np.ones(len(choices)), integrality=1, bounds=(0, 1), constraints=cover, options=SOLVER).fun)


def _covers(choices: list[frozenset[str]], names: frozenset[str], number: int) -> bool:
    """Whether so many of the choices have all names: one of them has the name that is in the fewest."""
    if not (names and number):
        return not names
    rare = min(names, key=lambda name: sum(name in choice for choice in choices))
    return any(_covers(choices, names - choice, number - 1) for choice in choices if rare in choice)
