import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

from osteolib.stats.any_positive import DENSITY, uncalled_by_person
from osteolib.stats.likeness import likeness_of_errors, likeness_of_truth


def patients(n_patients, n, errors_alike, alike=0.5, seed=0):
    """Vertebrae with a truth alike within a patient, and readings that share what the patient adds."""
    rng = np.random.default_rng(seed)
    share = rng.beta(0.3 * (1 / alike - 1), 0.7 * (1 / alike - 1), n_patients)
    truth = rng.random((n_patients, n)) < share[:, None]
    reading = np.sqrt(errors_alike) * rng.normal(size=(n_patients, 1))
    reading = reading + np.sqrt(1 - errors_alike) * rng.normal(size=truth.shape)
    called = reading > np.where(truth, norm.ppf(0.25), norm.ppf(0.9))
    return np.repeat(np.arange(n_patients), n), truth.ravel().astype(int), called.ravel().astype(int)


@pytest.mark.parametrize("planted", [0.0, 0.35, 0.8])
def test_a_planted_likeness_is_found(planted):
    who, y, c = patients(1500, 3, planted)
    errors, truth = likeness_of_errors(who, y, c, 200), likeness_of_truth(who, y, 200)
    assert errors.value == pytest.approx(planted, abs=0.1) and truth.value == pytest.approx(0.5, abs=0.06)
    assert errors.low <= errors.value <= errors.high and truth.low < 0.5 < truth.high


def test_two_units_are_left_uncalled_as_two_correlated_normal_numbers_are_below_their_cuts():
    for first, second, r in ((0.9, 0.25, 0.4), (0.5, 0.99, 0.8)):
        ours = uncalled_by_person(first, r) * uncalled_by_person(second, r) @ DENSITY
        scipys = multivariate_normal([0, 0], [[1, r], [r, 1]]).cdf([norm.ppf(first), norm.ppf(second)])
        assert ours == pytest.approx(scipys, abs=1e-5)


def test_the_correlation_of_truth_by_hand():
    """Half of the units are ill; a pair of ill ones, one of well ones, one mixed: (1/4 + 1/4 - 1/4) / (3 x 1/4)."""
    assert likeness_of_truth(list("aabbcc"), [1, 1, 0, 0, 1, 0], 100).value == pytest.approx(1 / 3)
    assert likeness_of_truth(list("aabb"), [1, 1, 0, 0], 100).value == pytest.approx(1)
    assert likeness_of_truth(list("aabb"), [1, 0, 0, 1], 100).value == 0  # -1, and none is below 0


def test_the_order_of_rows_does_not_matter():
    who, y, c = patients(80, 3, 0.5)
    order = np.random.default_rng(1).permutation(len(who))
    assert likeness_of_errors(who, y, c, 100).value == likeness_of_errors(who[order], y[order], c[order], 100).value


def test_without_a_pair_or_with_one_class_there_is_nothing_to_measure():
    alone = likeness_of_errors(["a", "b", "c"], [0, 1, 0], [0, 1, 1], 100)
    assert np.isnan(alone).all() and np.isnan(likeness_of_truth(["a", "a"], [1, 1], 100)).all()


@pytest.mark.parametrize(
    ("given", "message"),
    [((["a"], [0, 1], [0, 1]), "2 units, but 1 subject"), ((["a", "a"], [0, 2], [0, 1]), "truth must hold 0 and 1"),
     (([], [], []), "truth must be a vector with at least one value")],
)  # fmt: skip
def test_bad_input_is_named(given, message):
    with pytest.raises(ValueError, match=message):
        likeness_of_errors(*given)
