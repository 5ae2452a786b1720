"""The power law of learning curves, against planted curves and scipy."""

import numpy as np
import pytest
from scipy.optimize import least_squares

from osteolib.stats.learning_curve import fit_power_law

N = 48 * 2.0 ** np.arange(7)


@pytest.mark.parametrize(("floor", "scale", "exponent"), [(0.0, 1.5, 0.5), (0.04, 2.0, 0.7), (0.1, 8.0, 1.2)])
def test_a_planted_curve_comes_back(floor, scale, exponent):
    law = fit_power_law(N, floor + scale * N**-exponent)
    assert law.floor == pytest.approx(floor, abs=2e-3)
    assert law.exponent == pytest.approx(exponent, abs=0.02)
    assert law.error(N) == pytest.approx(floor + scale * N**-exponent, abs=1e-3)
    wanted = floor + 0.1
    assert law.people_for(wanted) == pytest.approx((scale / 0.1) ** (1 / exponent), rel=0.05)


def test_no_curve_within_the_bounds_fits_better():
    error = 0.05 + 1.2 * N**-0.6 + np.random.default_rng(0).normal(0, 0.01, (20, N.size))
    law = fit_power_law(N, error)
    for row, floor, scale, exponent in zip(error, law.floor, law.scale, law.exponent, strict=True):

        def left(p, row=row):
            return p[0] + p[1] * N ** -p[2] - row

        other = least_squares(left, (max(floor, 1e-6), max(scale, 1e-6), exponent), bounds=([0, 0, 0.05], [1, 1e5, 2]))
        assert np.square(left((floor, scale, exponent))).sum() <= 2 * other.cost * 1.02 + 1e-9


def test_a_curve_that_does_not_fall_is_its_mean():
    law = fit_power_law(N, np.linspace(0.1, 0.2, N.size))
    assert (law.scale, law.floor) == (0, pytest.approx(0.15))
    assert law.people_for(0.1) == np.inf
    assert law.people_for(0.2) == 0


def test_what_the_floor_forbids_takes_infinitely_many():
    law = fit_power_law(N, 0.1 + 2 * N**-0.5)
    assert np.isinf(law.people_for(0.05))


@pytest.mark.parametrize(
    ("n", "error", "said"),
    [
        ([48, 96, 96], [0.3, 0.2, 0.2], "three different"),
        ([0, 1, 2], [0.3, 0.2, 0.1], "1 or more"),
        ([1, 2, 3], [0.3, 0.2], "length"),
        ([1, 2, 3], [0.3, 0.2, np.nan], "finite"),
    ],
)
def test_what_is_no_curve_is_refused(n, error, said):
    with pytest.raises(ValueError, match=said):
        fit_power_law(n, error)
