import numpy as np
import pytest
from scipy.stats import norm

from osteolib.stats.power import least_effect, power_of


def test_no_effect_is_found_in_one_of_twenty():
    assert power_of(0.0, (-0.1, 0.1)).chance == pytest.approx(0.05)
    assert power_of(0.0, (-0.1, 0.1)).times == np.inf


def test_the_textbook_effect_of_2_8_standard_errors_has_80_per_cent():
    se = 0.02
    found = power_of(-(norm.ppf(0.975) + norm.ppf(0.8)) * se, (0.3 - 1.96 * se, 0.3 + 1.96 * se))
    assert found.chance == pytest.approx(0.8, abs=1e-3) and found.times == pytest.approx(1, abs=1e-3)
    assert power_of(0.5 * 2.8016 * se, (-1.96 * se, 1.96 * se)).times == pytest.approx(4, abs=0.01)


def test_it_is_how_often_a_simulated_interval_leaves_0_out():
    drawn = np.random.default_rng(0).normal(0.03, 0.02, 200_000)
    outside = (np.abs(drawn) > 1.96 * 0.02).mean()
    assert power_of(0.03, (-1.96 * 0.02, 1.96 * 0.02)).chance == pytest.approx(outside, abs=0.005)


def test_an_interval_without_width_says_nothing():
    assert np.isnan(power_of(0.1, (0.2, 0.2))).all()


@pytest.mark.parametrize("chance", [0.5, 0.8, 0.99])
def test_the_least_effect_is_what_is_found_with_that_chance(chance):
    ci = (-0.03, 0.09)
    assert power_of(least_effect(ci, chance=chance), ci).chance == pytest.approx(chance, abs=1e-4)
    assert least_effect(ci, times=4) == pytest.approx(least_effect(ci) / 2)


def test_the_least_effect_of_a_tenth_of_the_people_by_hand():
    """2.8016 standard errors of 0.05, times the root of ten."""
    assert least_effect((-1.95996 * 0.05, 1.95996 * 0.05), 0.1) == pytest.approx(2.8016 * 0.05 * 10**0.5, rel=1e-4)


@pytest.mark.parametrize("wrong", [{"times": 0}, {"chance": 1}, {"chance": 0.2}, {"ci": (0.2, 0.1)}])
def test_what_gives_no_least_effect_is_named(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        least_effect(**{"ci": (0.0, 0.2)} | wrong)
