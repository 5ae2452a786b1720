import numpy as np
import pytest

from osteolib.stats.repeat_scans import r_of_perfect_reader, r_of_second_scan, t_score_error


def test_an_error_in_percent_of_bmd_becomes_one_in_t_scores():
    """By hand: at T = -2.5 the neck has 0.858 - 0.3 = 0.558 g/cm2; 2 % of it are 0.01116, 0.093 of 0.12."""
    assert t_score_error(2, -2.5, 0.858, 0.12) == pytest.approx(0.093)
    assert t_score_error(0, -2.5, 0.858, 0.12) == 0


def test_correlations_are_those_of_simulated_scans():
    """Oracle: a truth and two scans of it, drawn."""
    rng = np.random.default_rng(0)
    truth = rng.normal(-2.6, 1.0, 400_000)
    first, second = truth + rng.normal(0, 0.4, (2, truth.size))
    spread = first.std()
    assert r_of_perfect_reader(0.4, spread) == pytest.approx(np.corrcoef(truth, first)[0, 1], abs=0.001)
    assert r_of_second_scan(0.4, spread) == pytest.approx(np.corrcoef(first, second)[0, 1], abs=0.002)
    assert (second - first).std() == pytest.approx(np.sqrt(2) * 0.4, rel=0.01)


def test_without_error_everything_agrees_and_with_nothing_else_nothing_does():
    assert r_of_perfect_reader(0, 1.1) == r_of_second_scan(0, 1.1) == 1
    assert r_of_perfect_reader(1.1, 1.1) == r_of_second_scan(1.1, 1.1) == 0


@pytest.mark.parametrize(("error", "spread"), [(-0.1, 1), (1.2, 1.1), (0, 0)])
def test_an_error_beyond_the_spread_is_refused(error, spread):
    with pytest.raises(ValueError, match="the error must lie between 0 and the spread"):
        r_of_second_scan(error, spread)


@pytest.mark.parametrize(("cv", "t"), [(-1, 0), (1, -8)])
def test_a_negative_error_or_no_bone_is_refused(cv, t):
    with pytest.raises(ValueError, match="needs an error of 0 % or more and a BMD above 0"):
        t_score_error(cv, t, 0.858, 0.12)
