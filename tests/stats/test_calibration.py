import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit
from sklearn import calibration as sk
from sklearn.metrics import brier_score_loss

from osteolib.stats import brier_decomposition, calibration_curve, calibration_slope_intercept


def sample(seed=0, n=300, slope=1.0, intercept=0.0, distinct=None):
    """Scores, and outcomes whose log-odds are ``intercept + slope * logit(score)``."""
    rng = np.random.default_rng(seed)
    score = rng.uniform(0.02, 0.98, n) if distinct is None else rng.integers(1, distinct, n) / distinct
    return (rng.random(n) < expit(intercept + slope * logit(score))).astype(int), score


@pytest.mark.parametrize("strategy", ["quantile", "uniform"])
@pytest.mark.parametrize("distinct", [None, 7, 97])  # 7: fewer distinct scores than bins
def test_curve_equals_scikit_learn(strategy, distinct):
    y, score = sample(distinct=distinct)
    ours = calibration_curve(y, score, 10, strategy)
    observed, mean_score = sk.calibration_curve(y, score, n_bins=10, strategy=strategy)
    assert ours["observed"].to_numpy() == pytest.approx(observed)
    assert ours["mean_score"].to_numpy() == pytest.approx(mean_score)
    assert (ours["n"].sum(), ours["n_positive"].sum()) == (300, y.sum())


def test_hand_computed_curve():
    """Half of two, and Wilson's interval of 1 in 2 and 2 in 2: (k + z^2/2 -/+ ...) / (n + z^2)."""
    curve = calibration_curve([0, 1, 1, 1], [0.1, 0.3, 0.6, 1.0], 2, "uniform")
    assert curve["mean_score"].tolist() == pytest.approx([0.2, 0.8])
    assert curve["observed"].tolist() == [0.5, 1.0]
    z2 = 1.959963985**2
    half = np.sqrt(z2) * np.sqrt(2 * 0.5 * 0.5 + z2 / 4) / (2 + z2)
    assert curve.loc[0, ["ci_low", "ci_high"]].tolist() == pytest.approx([0.5 - half, 0.5 + half])
    assert curve.loc[1, ["ci_low", "ci_high"]].tolist() == pytest.approx([2 / (2 + z2), 1.0])


def test_a_score_on_an_edge_belongs_to_the_bin_below():
    curve = calibration_curve([0, 1, 1], [0.3, np.nextafter(0.3, 1), 0.0], 10, "uniform")
    assert curve["n"].tolist() == [1, 1, 1]
    assert curve["observed"].tolist() == [1, 0, 1]


def test_calibrated_scores_lie_inside_their_intervals_as_often_as_said():
    inside = []
    for seed in range(150):
        y, _ = sample(seed, n=400)
        curve = calibration_curve(y, sample(seed, n=400)[1])
        inside += ((curve["ci_low"] <= curve["mean_score"]) & (curve["mean_score"] <= curve["ci_high"])).tolist()
    assert np.mean(inside) == pytest.approx(0.95, abs=0.025)  # 1,500 bins; Wilson's coverage swings around 0.95


def test_slope_of_two_scores_in_closed_form():
    """Two distinct scores: the line through their observed log-odds; the variances of those are 1/k + 1/(n - k)."""
    y = np.repeat([1, 0, 1, 0], [10, 40, 45, 15])
    score = np.repeat([0.3, 0.6], [50, 60])
    x, observed = logit([0.3, 0.6]), np.log([10 / 40, 45 / 15])
    slope = (observed[1] - observed[0]) / (x[1] - x[0])
    variance = np.array([1 / 10 + 1 / 40, 1 / 45 + 1 / 15])
    half = 1.959963985 * np.sqrt(variance.sum()) / (x[1] - x[0])

    ours = calibration_slope_intercept(y, score)
    assert ours.slope == pytest.approx(slope)
    assert ours.slope_ci == pytest.approx((slope - half, slope + half))
    assert ours.intercept == pytest.approx(observed[0] - slope * x[0])
    at_zero = np.array([x[1], -x[0]]) / (x[1] - x[0])  # the intercept is a weighted sum of both log-odds
    half = 1.959963985 * np.sqrt(at_zero**2 @ variance)
    assert ours.intercept_ci == pytest.approx((ours.intercept - half, ours.intercept + half))
    assert (ours.n, ours.n_clipped) == (110, 0)


def test_in_the_large_equals_the_model_with_an_offset():
    from statsmodels.genmod.families import Binomial
    from statsmodels.genmod.generalized_linear_model import GLM

    y, score = sample(slope=0.5, intercept=-1)
    fit = GLM(y, np.ones(y.size), family=Binomial(), offset=logit(score)).fit(tol=1e-12)
    ours = calibration_slope_intercept(y, score, confidence=0.9)
    assert ours.in_the_large == pytest.approx(fit.params[0], abs=1e-9)
    assert ours.in_the_large_ci == pytest.approx(tuple(fit.conf_int(alpha=0.1)[0]), abs=1e-6)


def test_planted_slope_and_intercept_are_found_and_undone():
    y, score = sample(n=20_000, slope=0.6, intercept=-0.5)
    found = calibration_slope_intercept(y, score)
    assert found.slope_ci[0] < 0.6 < found.slope_ci[1] and found.slope == pytest.approx(0.6, abs=0.05)
    assert found.intercept_ci[0] < -0.5 < found.intercept_ci[1]

    mended = calibration_slope_intercept(y, expit(found.intercept + found.slope * logit(score)))
    assert (mended.slope, mended.intercept, mended.in_the_large) == pytest.approx((1, 0, 0), abs=1e-6)


def test_saturated_scores_are_clipped_and_counted():
    y, score = np.array([0, 1, 0, 1, 1, 0]), np.array([0, 0, 1, 1, 0.7, 0.4])
    ours = calibration_slope_intercept(y, score)
    by_hand = calibration_slope_intercept(y, np.clip(score, 1e-6, 1 - 1e-6))
    assert ours.n_clipped == 4 and by_hand.n_clipped == 0
    assert (ours.slope, ours.in_the_large) == (by_hand.slope, by_hand.in_the_large)


@given(st.integers(0, 10_000), st.integers(1, 12), st.sampled_from(["quantile", "uniform"]))
@settings(deadline=None, max_examples=80)
def test_brier_identity_is_exact_for_any_binning(seed, n_bins, strategy):
    rng = np.random.default_rng(seed)
    y, score = np.append(rng.integers(0, 2, 20), [0, 1]), rng.choice([0.0, 0.1, 0.35, 0.8, rng.random(), 1.0], 22)
    d = brier_decomposition(y, score, n_bins, strategy)
    total = d.reliability - d.resolution + d.uncertainty + d.within_variance - d.within_covariance
    assert total == pytest.approx(d.brier, abs=1e-14)
    assert d.brier == pytest.approx(brier_score_loss(y, score), abs=1e-14)
    assert min(d.reliability, d.resolution, d.within_variance) >= 0 and d.n_bins <= n_bins


def test_murphys_three_terms_suffice_where_each_bin_has_one_score():
    """Two forecasts: 0.2, right once in four, and 0.8, right thrice in four; the prevalence is one half."""
    y, score = [1, 0, 0, 0, 1, 1, 1, 0], [0.2] * 4 + [0.8] * 4
    d = brier_decomposition(y, score, 2)
    assert (d.reliability, d.resolution, d.uncertainty) == pytest.approx((0.05**2, 0.25**2, 0.25))
    assert (d.within_variance, d.within_covariance) == pytest.approx((0, 0), abs=1e-15)
    assert (d.brier, d.n_bins) == (pytest.approx(0.25 - 0.06), 2)


def test_a_constant_score_resolves_nothing():
    d = brier_decomposition([1, 0, 0, 0], [0.5] * 4)
    assert (d.reliability, d.resolution, d.uncertainty, d.n_bins) == (0.25**2, 0, 0.1875, 1)


Y, SCORE = [0, 0, 1, 1], [0.1, 0.4, 0.3, 0.9]
FUNCTIONS = [calibration_curve, calibration_slope_intercept, brier_decomposition]


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize(
    ("y", "score", "message"),
    [
        ([1, 1, 1, 1], SCORE, "only the class"),
        (Y, [0.1, np.nan, 0.3, 0.9], "y_score holds 1 values"),
        (Y, [-0.1, 0.2, 0.3, 0.9], "probabilities in .* -0.1 to 0.9: pass logits through a sigmoid"),
        (Y, SCORE[:3], "y_score 3"),
    ],
)
def test_bad_input_is_named(function, y, score, message):
    with pytest.raises(ValueError, match=message):
        function(y, score)


@pytest.mark.parametrize(
    "score",
    [[0.1, 0.2, 0.7, 0.9], [0.9, 0.7, 0.2, 0.1], [0.1, 0.5, 0.5, 0.9], [0.4] * 4],
    ids=["separated", "separated the wrong way", "touching", "constant"],
)
def test_a_slope_that_does_not_exist_is_named(score):
    with pytest.raises(ValueError, match="no finite calibration slope"):
        calibration_slope_intercept(Y, score)


@pytest.mark.parametrize("function", [calibration_curve, brier_decomposition])
@pytest.mark.parametrize(
    ("options", "message"), [({"n_bins": 0}, "n_bins must be at least 1"), ({"strategy": "equal"}, "strategy must be")]
)
def test_bad_binning_is_named(function, options, message):
    with pytest.raises(ValueError, match=message):
        function(Y, SCORE, **options)


@pytest.mark.parametrize("function", [calibration_curve, calibration_slope_intercept])
def test_bad_confidence_is_named(function):
    with pytest.raises(ValueError, match="confidence must lie"):
        function(Y, SCORE, confidence=95)
