import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osteolib.stats.audit.normal_models import r_of_cells
from osteolib.stats.built_in import limit_of, r_when_filtered, r_when_routed

MEAN, SD = -2.6, 1.1  # the paper's T-scores
HALVES = (-4.0, -3.5, -3.0, -2.5, -2.0, -1.5, -1.0)


def simulated(r, n=400_000, seed=0):
    rng = np.random.default_rng(seed)
    t = rng.normal(size=n)
    return MEAN + SD * t, r * t + np.sqrt(1 - r**2) * rng.normal(size=n)


@pytest.mark.parametrize("r", [0.5, 0.8, 0.95])
@pytest.mark.parametrize("cuts", [(-2.5,), HALVES])
def test_a_simulation_that_fits_a_line_in_each_cell_finds_the_same(r, cuts):
    t, seen = simulated(r)
    cell, predicted = np.searchsorted(cuts, t), np.empty(t.size)
    for k in range(len(cuts) + 1):
        own = cell == k
        predicted[own] = np.polyval(np.polyfit(seen[own], t[own], 1), seen[own])
    assert r_when_routed(r, cuts, MEAN, SD) == pytest.approx(np.corrcoef(t, predicted)[0, 1], abs=0.002)
    assert limit_of(r_when_routed(r, cuts, MEAN, SD), SD) == pytest.approx(1.96 * (predicted - t).std(), rel=0.01)


def test_the_leads_of_the_second_check():
    """Knowing the class alone .80; the sub-cluster, four and four, .982 (equally full) or more (half T-scores)."""
    assert r_when_routed(0, (-2.5,), MEAN, SD) == pytest.approx(0.80, abs=0.005)
    assert r_when_routed(0, HALVES, MEAN, SD) == pytest.approx(0.98, abs=0.01)
    for cuts in ((-2.5,), HALVES):
        assert r_when_routed(0, cuts, MEAN, SD) == pytest.approx(r_of_cells(cuts, MEAN, SD))


@settings(deadline=None, max_examples=40)
@given(st.floats(0, 1), st.lists(st.floats(-6, 1), max_size=6, unique=True))
def test_what_is_told_never_hurts(r, cuts):
    cuts = sorted(np.unique(np.round(cuts, 2)))
    told = r_when_routed(r, cuts, MEAN, SD)
    assert r - 1e-9 <= told <= 1
    assert r_when_routed(r, [], MEAN, SD) == pytest.approx(r, abs=1e-7)
    assert r_when_routed(r, sorted({*cuts, -2.5}), MEAN, SD) >= told - 1e-9


@pytest.mark.parametrize("r", [0.5, 0.8, 0.95])
def test_a_simulated_filter_finds_the_same(r):
    t, seen = simulated(r, seed=1)
    predicted = MEAN + SD * r * seen
    kept = np.abs(predicted - t) < 0.5
    found, share = r_when_filtered(r, 0.5, SD)
    assert share == pytest.approx(kept.mean(), abs=0.003)
    assert found == pytest.approx(np.corrcoef(t[kept], predicted[kept])[0, 1], abs=0.003)


def test_a_wide_filter_changes_nothing_and_a_perfect_reader_needs_none():
    assert r_when_filtered(0.8, 50, SD) == pytest.approx((0.8, 1))
    assert r_when_filtered(1, 0.5, SD) == (1, 1)
    assert r_when_routed(1, HALVES, MEAN, SD) == 1
    assert limit_of(1, SD) == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: r_when_routed(1.2, [], MEAN, SD), r"r must be a number in \[0, 1\]; got 1.2"),
        (lambda: r_when_routed(0.5, [-2, -2.5], MEAN, SD), r"cuts must rise: \[-2.0, -2.5\]"),
        (lambda: r_when_filtered(0.5, 0, SD), r"largest must be a number in \(0, inf\); got 0"),
        (lambda: r_when_filtered(0.5, 0.5, 0), r"sd must be a number in \(0, inf\)"),
        (lambda: limit_of(-0.1, 1), r"r must be a number in \[0, 1\]"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_cell_in_which_nobody_is_changes_nothing():
    assert r_when_routed(0.5, [-2.5, 40.0], -2.6, 1.1) == pytest.approx(r_when_routed(0.5, [-2.5], -2.6, 1.1))
