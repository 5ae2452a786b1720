import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from osteolib.stats.t_score_calibration import calibration_bins, proportional_bias, slope


def calibrated(n, r, seed=0):
    """T-scores N(-2.6, 1.1) and predictions that keep their word, with correlation r."""
    rng = np.random.default_rng(seed)
    predicted = -2.6 + 1.1 * r * rng.standard_normal(n)
    return predicted + 1.1 * np.sqrt(1 - r**2) * rng.standard_normal(n), predicted


def test_slopes_are_those_of_least_squares():
    x, y = calibrated(60, 0.8)
    found = proportional_bias(x, y, n_boot=100)
    for own, a, b in (
        (found.on_mean, (x + y) / 2, y - x),
        (found.predicted_on_reference, x, y),
        (found.calibration_slope, y, x),
    ):
        fitted = LinearRegression().fit(a[:, None], b)
        assert own.estimate == pytest.approx(fitted.coef_[0])
    fitted = LinearRegression().fit(y[:, None], x)
    assert found.calibration_at_cut.estimate == pytest.approx(fitted.predict([[-2.5]])[0] + 2.5)


@pytest.mark.parametrize("r", [0.5, 0.8, 0.98])
def test_an_honest_prediction_has_the_slope_on_the_mean_that_is_foretold(r):
    """Calibration slope 1, predicted on reference r^2, difference on mean -2 (1 - r^2) / (1 + 3 r^2)."""
    x, y = calibrated(40_000, r)
    found = proportional_bias(x, y, n_boot=100)
    assert found.calibration_slope.estimate == pytest.approx(1, abs=0.03)
    assert found.predicted_on_reference.estimate == pytest.approx(r**2, abs=0.015)
    assert found.expected_on_mean == pytest.approx(-2 * (1 - r**2) / (1 + 3 * r**2), abs=0.02)
    assert found.on_mean.estimate == pytest.approx(found.expected_on_mean, abs=0.02)
    assert found.calibration_at_cut.estimate == pytest.approx(0, abs=0.02)


def test_an_interval_draws_people():
    """Every hip twice under one person: the interval of the person alone, not one narrower by the root of two."""
    x, y = calibrated(80, 0.8)
    once = proportional_bias(x, y, np.arange(80), n_boot=400)
    twice = proportional_bias(np.tile(x, 2), np.tile(y, 2), np.tile(np.arange(80), 2), n_boot=400)
    assert twice.calibration_slope.ci == pytest.approx(once.calibration_slope.ci)


def test_bins_by_hand():
    found = calibration_bins([1, 3, 5, 9], [0, 2, 4, 6], list("aabb"), n_bins=2, n_boot=100)
    assert found[["predicted", "measured"]].to_numpy().tolist() == [[1, 2], [5, 7]]
    assert found[["mae", "rmse"]].to_numpy() == pytest.approx(np.array([[1, 1], [2, np.sqrt(5)]]))
    assert found[["n", "n_people"]].to_numpy().tolist() == [[2, 1], [2, 1]]
    assert found[["ci_low", "ci_high"]].isna().all(axis=None)


def test_bins_of_a_calibrated_prediction_lie_on_the_line_and_equal_predictions_share_one():
    x, y = calibrated(20_000, 0.9, seed=1)
    found = calibration_bins(x, y, n_bins=10, n_boot=100)
    assert found["n"].eq(2000).all()
    assert np.abs(found["measured"] - found["predicted"]).max() < 0.05
    assert found["measured"].between(found["ci_low"], found["ci_high"]).all()
    coarse = calibration_bins(x, y.round(), n_bins=10, n_boot=100)
    assert coarse["n"].sum() == 20_000 and coarse["predicted"].is_monotonic_increasing


def test_the_interval_of_a_bin_is_that_of_a_mean():
    x, y = calibrated(4000, 0.9, seed=2)
    found = calibration_bins(x, y, n_bins=4, n_boot=2000).iloc[1]
    own = (y > np.quantile(y, 0.25)) & (y < np.quantile(y, 0.5))
    assert (found.ci_high - found.ci_low) / 3.92 == pytest.approx(x[own].std() / own.sum() ** 0.5, rel=0.1)


def test_a_slope_on_a_constant_is_none():
    assert np.isnan(slope(np.ones(3), np.arange(3.0)))


@pytest.mark.parametrize("function", [proportional_bias, calibration_bins])
@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        ([1, 1, 1], [1, 2, 3], "reference is constant"),
        ([1, 2, 3], [2, 2, 2], "predicted is constant"),
        ([1, 2, 3], [1, 2], "lengths differ"),
        ([1, 2, np.inf], [1, 2, 3], r"positions \[2\]"),
    ],
)
def test_bad_input_is_named(function, x, y, message):
    with pytest.raises(ValueError, match=message):
        function(x, y)


def test_one_bin_is_none():
    with pytest.raises(ValueError, match="n_bins must be at least 2, got 1"):
        calibration_bins([1, 2, 3], [1, 2, 3], n_bins=1)
