import numpy as np
import pytest
from scipy.stats import norm

from osteolib.stats.power import power_of


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
