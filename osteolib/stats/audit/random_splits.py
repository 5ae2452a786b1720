"""Random splits 8:1:1 of pieces of people: how even they come out, and who stands on both sides."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

PARTS = ("train", "val", "test")


def made_up_segments(
    cells: Mapping[tuple[str, str], int], people: Mapping[str, int], bones: int, rng: np.random.Generator
) -> pd.DataFrame:
    """A cohort with the printed sums: as many second hands as the segments need, and bones missing at random.

    Parameters
    ----------
    cells
        Segments by part (:data:`PARTS`) and group, such as ``("test", "op")``.
    people
        By group; the first is the one with the disease.
    bones
        Of a whole hand.

    Returns
    -------
    DataFrame
        One row a segment: ``segment``, ``hand``, ``person`` (numbers) and ``ill``.
    """
    rows = []
    for place, (group, n) in enumerate(people.items()):
        counts = [cells[part, group] for part in PARTS]
        hands = sum(-(-count // bones) for count in counts)
        owner = np.r_[np.arange(n), rng.permutation(n)[: hands - n]]
        kept = np.sort(rng.permutation(hands * bones)[: sum(counts)]) // bones
        apart = 10_000 * place  # so that no hand or person has a number of another group
        rows.append(pd.DataFrame({"hand": kept + apart, "person": owner[kept] + apart, "ill": place == 0}))
    table = pd.concat(rows, ignore_index=True)
    table.insert(0, "segment", np.arange(len(table)))
    return table


def random_split(units: np.ndarray, ill: np.ndarray, by_label: bool, rng: np.random.Generator) -> np.ndarray:
    """Part of every segment: 2 test, 1 validation (a tenth of the units each), 0 training.

    ``by_label`` draws the tenths from the ill and from the others; ``ill`` is the same for all segments of a unit.
    """
    names, first, back = np.unique(units, return_index=True, return_inverse=True)
    part = np.zeros(len(names), int)
    strata = (ill[first], ~ill[first]) if by_label else (np.full(len(names), True),)
    for stratum in strata:
        order = rng.permutation(np.flatnonzero(stratum))
        tenth = round(len(order) / 10)
        part[order[:tenth]], part[order[tenth : 2 * tenth]] = 2, 1
    return part[back]


def evenness(part: np.ndarray, ill: np.ndarray) -> tuple[float, float]:
    """How far test and validation are from a tenth, in segments, and shares of the ill in the parts from each other."""
    off = max(abs(len(part) / 10 - (part == p).sum()) for p in (1, 2))
    return float(off), float(np.ptp([ill[part == p].mean() for p in (0, 1, 2)]))


def printed_evenness(
    cells: Mapping[tuple[str, str], int], groups: tuple[str, str] = ("op", "n")
) -> tuple[float, float]:
    """:func:`evenness` of the split with these cells."""
    counts = [cells[part, group] for part in PARTS for group in groups]
    part = np.repeat([0, 0, 1, 1, 2, 2], counts)
    return evenness(part, np.repeat([True, False] * 3, counts))


def describe_splits(
    segments: pd.DataFrame, unit: str, by_label: bool, printed: tuple[float, float], n_splits: int,
    rng: np.random.Generator,
) -> pd.DataFrame:  # fmt: skip
    """Many random splits of :func:`made_up_segments`.

    Parameters
    ----------
    unit
        What is kept together: ``segment``, ``hand`` or ``person``.
    printed
        :func:`evenness` as printed.

    Returns
    -------
    DataFrame
        One row a split: ``size`` of the test set, whether shares are as ``alike`` as printed, and sizes as ``even``,
        too, share of test segments whose person is ``seen`` in training, number of people on ``both`` sides.
    """
    of, ill, person = (segments[name].to_numpy() for name in (unit, "ill", "person"))
    rows = []
    for _ in range(n_splits):
        part = random_split(of, ill, by_label, rng)
        known, tested = np.unique(person[part == 0]), person[part == 2]
        off, apart = evenness(part, ill)
        alike = apart <= printed[1] + 1e-9
        both = np.intersect1d(tested, known).size
        rows.append((len(tested), alike, alike and off <= printed[0] + 1e-9, np.isin(tested, known).mean(), both))
    return pd.DataFrame(rows, columns=["size", "alike", "even", "seen", "both"])
