"""Errors of a regression: honest data are never accused, the bounds are met, and what breaks them is named."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from osteolib.stats.audit import printed
from osteolib.stats.audit.regression_errors import regression_errors


@given(st.integers(0, 2**32 - 1), st.integers(2, 4), st.integers(0, 1))
@settings(deadline=None, max_examples=60)
def test_honest_errors_are_never_accused(seed, decimals, ddof):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(5, 200))
    y = rng.normal(-1, 1, n)
    guess = rng.uniform(0, 1.2) * y + rng.normal(0, 0.3) + rng.normal(0, rng.uniform(0.05, 2), n)
    values = {"mae": sk.mean_absolute_error(y, guess), "mse": sk.mean_squared_error(y, guess),
              "rmse": sk.root_mean_squared_error(y, guess), "r2": sk.r2_score(y, guess),
              "r": np.corrcoef(y, guess)[0, 1], "sd": y.std(ddof=ddof), "bias": (guess - y).mean()}  # fmt: skip
    found = regression_errors(n, **{name: printed(f"{value:.{decimals}f}") for name, value in values.items()})
    assert found.verdict == "consistent"
    low, high = found.computed["rmse_between"]
    assert low - 1e-9 <= values["rmse"] <= high + 1e-9


def test_the_bounds_are_met_and_not_passed():
    """Errors all alike: RMSE = MAE. One error alone: RMSE = sqrt(n) MAE = 10 MAE for 100."""
    alike = {"mae": printed("0.300"), "rmse": printed("0.300")}
    assert regression_errors(100, **alike).verdict == "consistent"
    assert regression_errors(100, mae=printed("0.100"), rmse=printed("1.000")).verdict == "consistent"
    assert regression_errors(100, mae=printed("0.302"), rmse=printed("0.300")).computed["disagrees"] == ["RMSE and MAE"]
    assert regression_errors(100, mae=printed("0.100"), rmse=printed("1.020")).verdict == "inconsistent"


@pytest.mark.parametrize(
    ("given_", "apart"),
    [
        ({"rmse": "0.50", "mse": "0.36"}, ["RMSE and MSE"]),
        ({"rmse": "0.50", "r2": "0.90", "sd": "1.00"}, ["RMSE and R2 and SD"]),
        ({"rmse": "0.30", "r": "0.70", "sd": "1.00"}, ["RMSE and r and SD"]),  # at least sqrt(1 - 0.49) = 0.71
        ({"rmse": "0.30", "bias": "-0.41"}, ["RMSE and bias"]),
        ({"r2": "0.70", "r": "0.80"}, ["R2 and r"]),
        ({"mae": "0.40", "r2": "0.90", "sd": "1.00"}, ["MAE and R2 and SD"]),
    ],
)
def test_what_cannot_be_together_is_named(given_, apart):
    found = regression_errors(100, **{name: printed(text) for name, text in given_.items()})
    assert (found.verdict, found.computed["disagrees"]) == ("inconsistent", apart)


def test_sample_and_population_sd_are_both_allowed():
    y = np.arange(10.0)
    guess = y + np.where(np.arange(10) % 2, 1.0, -1.0)
    row = {"r2": printed(f"{sk.r2_score(y, guess):.4f}"), "rmse": printed("1.0000")}
    for ddof in (0, 1):
        assert regression_errors(10, **row, sd=printed(f"{y.std(ddof=ddof):.4f}")).verdict == "consistent"
    assert regression_errors(10, **row, sd=printed("3.1000")).verdict == "inconsistent"


@pytest.mark.parametrize(
    ("given_", "message"),
    [
        ({"mae": "0.30"}, "nothing to compare"),
        ({"r2": "0.90", "rmse": "0.30"}, "nothing to compare"),
        ({"r2": "1.20", "r": "0.90"}, r"r2 = 1\.20 cannot be"),
        ({"r2": "0.20", "r": "-1.20"}, r"r = -1\.20 cannot be"),
    ],
)
def test_bad_input_is_named(given_, message):
    with pytest.raises(ValueError, match=message):
        regression_errors(100, **{name: printed(text) for name, text in given_.items()})
    with pytest.raises(ValueError, match="n must be at least 2"):
        regression_errors(1, mae=printed("0.3"), rmse=printed("0.3"))
