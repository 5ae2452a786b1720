import numpy as np
import pytest
from scipy import stats

from osteolib.stats import bootstrap_statistic, fisher_z_ci


def pearson_r(x, y):
    return stats.pearsonr(x, y).statistic


def mean_absolute_error(x, y):
    return np.abs(x - y).mean()


def t_scores(n=200, seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.normal(-1.5, 1.2, n)
    return truth, truth + rng.normal(0, 0.8, n)


def test_standard_error_of_a_mean():
    """The bootstrap SD of a mean is the population SD over sqrt(n), a closed form."""
    x = t_scores()[0]
    result = bootstrap_statistic(np.mean, x)
    assert result.replicates.std() == pytest.approx(x.std() / np.sqrt(x.size), rel=0.06)
    assert result.estimate == x.mean()


def test_correlation_of_normal_pairs_has_fishers_interval():
    truth, predicted = t_scores()
    result = bootstrap_statistic(pearson_r, truth, predicted, n_boot=1000)
    low, high = fisher_z_ci(result.estimate, truth.size)
    assert result.ci == pytest.approx((low, high), abs=0.3 * (high - low) / 3.92)


@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_agrees_with_scipy(method):
    truth, predicted = t_scores(n=40)
    ours = bootstrap_statistic(mean_absolute_error, truth, predicted, n_boot=3000, method=method)
    peer = stats.bootstrap(
        (truth, predicted),
        lambda x, y, axis: np.abs(x - y).mean(axis=axis),
        paired=True,
        vectorized=True,
        n_resamples=3000,
        method=method,
        rng=1,
    )
    assert ours.ci == pytest.approx(peer.confidence_interval, abs=0.2 * peer.standard_error)


def test_copies_of_a_unit_are_not_more_people():
    truth, predicted = t_scores(n=30)
    subject = np.repeat(np.arange(30), 4)
    one = bootstrap_statistic(mean_absolute_error, truth, predicted, n_boot=100)
    four = bootstrap_statistic(mean_absolute_error, truth[subject], predicted[subject], groups=subject, n_boot=100)
    assert four.replicates == pytest.approx(one.replicates)
    assert (four.n, four.n_subjects) == (120, 30)


def test_undefined_replicates_are_counted():
    """A ratio to the number of marked people, of whom there is one in four: sometimes none is drawn."""
    mark = np.array([1.0, 0, 0, 0])
    result = bootstrap_statistic(lambda m: 1 / m.sum() if m.any() else np.nan, mark, n_boot=400)
    assert result.undefined == np.isnan(result.replicates).sum()
    assert result.undefined / 400 == pytest.approx(0.75**4, abs=0.1)
    assert np.isfinite(result.ci).all()


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ((), "pass the arrays"),
        (([1, 2, 3], [1, 2]), "array 0 3, array 1 2"),
        (([1, 2, np.nan], [1, 2, 3]), r"array 0 holds 1 values that are not finite, at positions \[2\]"),
    ],
)
def test_bad_input_is_named(arrays, message):
    with pytest.raises(ValueError, match=message):
        bootstrap_statistic(mean_absolute_error, *arrays)


def test_an_undefined_estimate_is_refused():
    with pytest.raises(ValueError, match="whole sample is nan"):
        bootstrap_statistic(lambda x: np.nan, [1, 2, 3])
