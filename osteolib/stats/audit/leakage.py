"""Leakage by arithmetic: how often a random split of units puts one subject on both sides.

Hands, bones, knees or images of one person look alike and share the label, so a unit whose sibling was trained on is
not a new person.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import scipy  # its parts load when they are used

from osteolib.stats.audit.limits import at_least, fractions


def share_with_sibling(units_per_subject: float, train_share: float) -> float:
    """Chance that a test unit has a sibling in training: 1 - (1 - s)^(k - 1), each unit in training with chance s.

    The limit of :func:`split_leakage` for many subjects. k >= 1, s in [0, 1].
    """
    fractions(train_share=train_share)
    at_least(1, units_per_subject=units_per_subject)
    return 1 - (1 - train_share) ** (units_per_subject - 1)


@dataclass(frozen=True)
class Leakage:
    """What a random split by units does to subjects; expectations over all splits of these sizes."""

    test_share: float  # of the test units: a sibling is in training
    subjects_on_both_sides: float  # expected number with units in training and in test
    subjects: int


def split_leakage(subjects: Mapping[int, int], n_train: int, n_test: int) -> Leakage:
    """Exact expectation for a split that draws ``n_train`` and ``n_test`` of all units at random, whoever they are of.

    Units beyond the two (validation, or dropped) count as on neither side. Of a subject with k of N units none is in
    training with the hypergeometric chance C(N - k, n_train) / C(N, n_train).

    Parameters
    ----------
    subjects
        Units per subject -> number of such subjects, e.g. ``{1: 148, 2: 44}`` for 44 of 192 people with both hands.
    """
    at_least(0, **{f"subjects with {k} units": m for k, m in subjects.items()})
    units = sum(k * m for k, m in subjects.items())
    if min(subjects, default=0) < 1 or min(n_train, n_test) < 1 or n_train + n_test > units:
        raise ValueError(f"cannot draw {n_train} + {n_test} of {units} units: each part and each subject needs one")

    def none(k: int, drawn: int, of: int = units) -> float:
        return float(scipy.stats.hypergeom.pmf(0, of, k, drawn))

    leaked = sum(k * m * (1 - none(k - 1, n_train, units - 1)) for k, m in subjects.items()) / units
    both = sum(m * (1 - none(k, n_train) - none(k, n_test) + none(k, n_train + n_test)) for k, m in subjects.items())
    return Leakage(leaked, both, sum(subjects.values()))
