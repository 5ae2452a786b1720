import numpy as np
import pytest
from scipy import stats

from osteolib.stats import fisher_z_ci


def test_published_interval_of_the_knee_paper():
    """STR-Net, internal test: r = 0.801 of 31 patients leaves 0.62 to 0.90."""
    assert fisher_z_ci(0.801, 31) == pytest.approx((0.62, 0.90), abs=0.005)


@pytest.mark.parametrize("confidence", [0.90, 0.95, 0.99])
def test_equals_scipy(confidence):
    rng = np.random.default_rng(0)
    x = rng.normal(size=31)
    y = x + rng.normal(size=31)
    peer = stats.pearsonr(x, y)
    expected = peer.confidence_interval(confidence)
    assert fisher_z_ci(peer.statistic, 31, confidence) == pytest.approx((expected.low, expected.high))


def test_no_correlation_is_symmetric():
    low, high = fisher_z_ci(0.0, 103)
    assert low == -high
    assert np.arctanh(high) == pytest.approx(0.196, abs=1e-4)  # 1.96 / sqrt(100)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((1.0, 31), "strictly between -1 and 1"),
        ((np.nan, 31), "strictly between -1 and 1"),
        ((0.5, 3), "at least 4 pairs"),
        ((0.5, 31, 95), "confidence"),
    ],
)
def test_bad_input_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        fisher_z_ci(*arguments)
