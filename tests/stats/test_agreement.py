import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osteolib.stats import bland_altman, lin_ccc


def test_the_frame_holds_the_same_numbers():
    result = bland_altman([0.0, 0.0, 0.0], [1.0, 2.0, 3.0])
    frame = result.to_frame()
    assert frame.loc["bias"].tolist() == [result.bias, *result.bias_ci]
    assert frame.loc["loa_high"].tolist() == [result.loa_high, *result.loa_high_ci]


def test_hand_computed_case():
    """Differences 1, 2, 3: bias 2, SD 1, limits 2 +/- 1.96."""
    result = bland_altman([0.0, 0.0, 0.0], [1.0, 2.0, 3.0])
    assert (result.n, result.bias, result.sd) == (3, 2.0, 1.0)
    assert (result.loa_low, result.loa_high) == pytest.approx((0.040, 3.960), abs=1e-3)
    assert result.bias_ci == pytest.approx((2 - 4.3027 / np.sqrt(3), 2 + 4.3027 / np.sqrt(3)), abs=1e-4)
    assert result.sd_ci == pytest.approx((np.sqrt(2 / 7.3778), np.sqrt(2 / 0.050636)), rel=1e-4)  # chi2 with 2 df


def test_intervals_of_the_limits_are_the_exact_ones():
    """Carkeet's factors at 42 pairs, and as many misses at either end where there are ten: the symmetric interval of
    1999 misses 6.5 and 0.02 %."""
    rng = np.random.default_rng(2)
    difference = rng.normal(size=42)
    difference = (difference - difference.mean()) / difference.std(ddof=1)
    found = bland_altman(np.zeros(42), difference)
    assert found.loa_high_ci == pytest.approx((1.5186, 2.6013), abs=1e-4)
    assert found.loa_low_ci == pytest.approx((-2.6013, -1.5186), abs=1e-4)
    above = below = 0
    for _ in range(4000):
        low, high = bland_altman(np.zeros(10), rng.normal(size=10)).loa_high_ci
        above, below = above + (high < 1.959964), below + (low > 1.959964)
    assert abs(above / 4000 - 0.025) < 0.01 and abs(below / 4000 - 0.025) < 0.01  # four standard errors


def test_published_hip_interval_is_what_its_n_implies():
    """A reported bias of -0.010 with limits -0.214 and 0.194 and n = 497 must come with a CI of about +/- 0.009."""
    rng = np.random.default_rng(0)
    difference = rng.normal(size=497)
    difference = -0.010 + 0.104 * (difference - difference.mean()) / difference.std(ddof=1)
    low, high = bland_altman(np.zeros(497), difference).bias_ci
    assert (high - low) / 2 == pytest.approx(0.0092, abs=2e-4)


def test_bias_is_predicted_minus_reference():
    assert bland_altman([1, 2, 3, 4], [2, 3, 4, 5]).bias == 1


@given(st.floats(-5, 5), st.integers(0, 10_000))
@settings(deadline=None, max_examples=50)
def test_a_constant_shift_moves_the_bias_and_nothing_else(shift, seed):
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=20), rng.normal(size=20)
    before, after = bland_altman(a, b), bland_altman(a, b + shift)
    assert after.bias == pytest.approx(before.bias + shift)
    assert after.sd == pytest.approx(before.sd)
    assert after.loa_low_ci == pytest.approx(np.add(before.loa_low_ci, shift))


def test_intervals_cover_the_truth_as_often_as_they_say():
    """Bias 0.3, SD 1, limits 0.3 -/+ 1.96; four standard errors of 2,000 trials are 0.02."""
    rng = np.random.default_rng(1)
    truth = {"bias_ci": 0.3, "sd_ci": 1.0, "loa_low_ci": 0.3 - 1.96, "loa_high_ci": 0.3 + 1.96}
    hits = dict.fromkeys(truth, 0)
    for _ in range(2000):
        result = bland_altman(np.zeros(30), 0.3 + rng.normal(size=30))
        for name, value in truth.items():
            low, high = getattr(result, name)
            hits[name] += low <= value <= high
    assert all(0.93 <= count / 2000 <= 0.97 for count in hits.values()), hits


def test_ccc_hand_computed_case():
    """1, 2, 3 against 2, 3, 4: r = 1, variances 2/3, shift 1, so ccc = (4/3) / (4/3 + 1) = 4/7.

    With r = 1 and equal variances the variance of z reduces to 2 ccc^2 / (1 + ccc)^2 / (n - 2) = 32/121.
    """
    result = lin_ccc([1, 2, 3], [2, 3, 4])
    assert (result.ccc, result.pearson_r, result.bias_correction) == pytest.approx((4 / 7, 1, 4 / 7))
    half = 1.959964 * np.sqrt(32 / 121)
    assert result.ci == pytest.approx(tuple(np.tanh(np.arctanh(4 / 7) + np.array([-half, half]))))


@pytest.mark.parametrize(("shift", "scale"), [(0.0, 1.0), (1.0, 1.0), (1.0, 3.0)])
def test_ccc_interval_covers_the_truth(shift, scale):
    """Bivariate normal pairs with r = 0.95; the variance as first printed in 1989 errs by -32 % and +24 % (SE) here."""
    rng = np.random.default_rng(0)
    truth = 2 * 0.95 * scale / (1 + scale**2 + shift**2)
    trials, hits, z, half = 1000, 0, [], []
    for _ in range(trials):
        x, noise = rng.normal(size=(2, 60))
        result = lin_ccc(x, shift + scale * (0.95 * x + np.sqrt(1 - 0.95**2) * noise))
        hits += result.ci[0] <= truth <= result.ci[1]
        z.append(np.arctanh(result.ccc))
        half.append(np.diff(np.arctanh(result.ci))[0] / 2)
    assert hits / trials == pytest.approx(0.95, abs=0.03)
    assert np.mean(half) / 1.96 == pytest.approx(np.std(z), rel=0.1)


@given(st.integers(0, 10_000))
@settings(deadline=None, max_examples=50)
def test_ccc_invariants(seed):
    """Symmetric, unchanged by a common change of unit, at most |r|, and its sign that of r."""
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(2, 12))
    result = lin_ccc(x, y)
    assert lin_ccc(y, x).ccc == pytest.approx(result.ccc)
    assert lin_ccc(10 * x - 3, 10 * y - 3).ci == pytest.approx(result.ci)
    assert abs(result.ccc) <= abs(result.pearson_r) <= 1 + 1e-12
    assert result.ccc == pytest.approx(result.pearson_r * result.bias_correction)
    assert result.ci[0] <= result.ccc <= result.ci[1]


def test_perfect_concordance():
    result = lin_ccc([1, 2, 4], [1, 2, 4])
    assert result.ccc == pytest.approx(1)
    assert result.ci == pytest.approx((1, 1))


@pytest.mark.parametrize("statistic", [bland_altman, lin_ccc])
@pytest.mark.parametrize(
    ("reference", "predicted", "message"),
    [
        ([1, 2], [1, 2], "at least 3"),
        ([1, 2, 3], [1, 2], "lengths differ: reference 3, predicted 2"),
        ([1, np.nan, 3], [1, 2, 3], r"reference .* positions \[1\]"),
        ([1, 2, 3], [[1, 2, 3]], r"predicted must be a vector .* shape \(1, 3\)"),
    ],
)
def test_bad_input_is_named(statistic, reference, predicted, message):
    with pytest.raises(ValueError, match=message):
        statistic(reference, predicted)


def test_constant_measurement_has_no_concordance():
    with pytest.raises(ValueError, match="constant"):
        lin_ccc([1, 2, 3], [2, 2, 2])


def test_confidence_is_a_share():
    with pytest.raises(ValueError, match="confidence must lie strictly between 0 and 1"):
        bland_altman([1, 2, 3], [1, 2, 3], confidence=95)


def test_pairs_on_a_line_have_a_correlation_of_one_and_not_more():
    """Rounding gave 1 + 2e-16, of which no interval can be asked."""
    rng = np.random.default_rng(0)
    for _ in range(50):
        a = rng.normal(-2, 1, 30)
        for found in (lin_ccc(a, a + 0.4), lin_ccc(a, a), lin_ccc(a, -a)):
            assert -1 <= found.pearson_r <= 1 and -1 <= found.ccc <= 1 and found.bias_correction <= 1
