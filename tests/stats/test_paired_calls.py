from itertools import product

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar

from osteolib.stats.paired_calls import exchanged_by_person, mcnemar_exact, paired_t, right_and_error


def test_mcnemar_is_that_of_statsmodels():
    rng = np.random.default_rng(0)
    y, a, b = (rng.integers(0, 2, 60) for _ in range(3))
    right, other = a == y, b == y
    table = [[(right & other).sum(), (right & ~other).sum()], [(~right & other).sum(), (~right & ~other).sum()]]
    assert mcnemar_exact(y, a, b) == pytest.approx(mcnemar(table, exact=True).pvalue)
    assert mcnemar_exact(y, a, a) == 1


def test_the_t_test_is_that_of_scipy():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 30))
    assert paired_t(b - a) == pytest.approx(stats.ttest_rel(b, a).pvalue)
    assert paired_t(np.zeros(5)) == 1 and paired_t([0.2, 0.2]) == 0 and np.isnan(paired_t([1.0]))


def test_exchanging_by_person_gives_the_share_of_all_exchanges():
    d, who = np.array([0.3, 0.1, 0.4, -0.2, 0.5, 0.1]), ["a", "a", "b", "c", "d", "d"]
    totals = np.array([0.4, 0.4, -0.2, 0.6])
    every = np.array([abs(np.dot(signs, totals)) for signs in product((-1, 1), repeat=4)])
    share = (every >= totals.sum() - 1e-12).mean()
    assert exchanged_by_person(d, who, 20_000, 1).p == pytest.approx(share, abs=0.01)


def test_a_t_test_over_units_keeps_its_promise_where_each_is_a_person_and_breaks_it_where_they_are_not():
    rng = np.random.default_rng(2)
    alone = exchanged_by_person(rng.normal(size=400), np.arange(400), 4000, 0)
    assert alone.t_below[0.05] == pytest.approx(0.05, abs=0.012) and alone.t_below[0.001] < 0.004
    people = np.repeat(np.arange(100), 4)
    shared = exchanged_by_person(np.repeat(rng.normal(size=100), 4), people, 4000, 0)
    # four equal units: the t of units is twice that of people
    expected = 2 * stats.norm.sf(1.96 / 2)
    assert shared.t_below[0.05] == pytest.approx(expected, abs=0.03) and shared.t_below[0.001] > 0.05


def test_no_difference_is_no_evidence():
    assert exchanged_by_person(np.zeros(4), list("aabb")) == (1.0, {0.05: 0.0, 0.001: 0.0})


def test_right_and_error_by_hand():
    right, error = right_and_error([1, 0, 1], [0.5, 0.6, 0.4])
    assert right.tolist() == [1, 0, 0] and error == pytest.approx([0.5, 0.6, 0.6])


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="called_a must hold 0 and 1 only"):
        mcnemar_exact([0, 1], [0.2, 0.9], [0, 1])
    with pytest.raises(ValueError, match="needs two to vary"):
        exchanged_by_person([0.1], ["a"])
    with pytest.raises(ValueError, match="2 units, but 1 groups"):
        exchanged_by_person([0.1, 0.2], ["a"])
