import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import roc_auc_score

from osteolib.stats import bootstrap_ci, delong_ci, delong_test


def brute_force(y, *scores):
    """AUROCs and their covariance from the full matrices of pairs (DeLong 1988, equations 4 to 6)."""
    psi = [np.heaviside(np.subtract.outer(s[y == 1], s[y == 0]), 0.5) for s in scores]
    v10 = np.atleast_2d(np.cov([p.mean(axis=1) for p in psi]))
    v01 = np.atleast_2d(np.cov([p.mean(axis=0) for p in psi]))
    return [p.mean() for p in psi], v10 / (y == 1).sum() + v01 / (y == 0).sum()


@given(st.integers(0, 10_000), st.integers(2, 12), st.integers(2, 12), st.integers(2, 6))
@settings(deadline=None, max_examples=60)
def test_equals_the_brute_force_over_all_pairs(seed, m, n, distinct):
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.repeat([1, 0], [m, n]))
    a, b = rng.integers(distinct, size=(2, m + n)) + 0.4 * y
    aurocs, covariance = brute_force(y, a, b)

    single = delong_ci(y, a)
    assert single.auroc == pytest.approx(aurocs[0], abs=1e-12)
    assert single.auroc == pytest.approx(roc_auc_score(y, a), abs=1e-12)
    assert single.se == pytest.approx(np.sqrt(covariance[0, 0]), abs=1e-9)

    variance = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
    if variance > 1e-9:
        pair = delong_test(y, a, b)
        assert pair.difference == pytest.approx(aurocs[1] - aurocs[0], abs=1e-12)
        assert pair.z == pytest.approx((aurocs[1] - aurocs[0]) / np.sqrt(variance), abs=1e-6)
        assert pair.p == pytest.approx(2 * stats.norm.cdf(-abs(pair.z)), abs=1e-12)


def test_hand_computed_case():
    """Positives 3, 2 and negatives 2, 1: V10 = V01 = (1, 3/4), of variance 1/32, so SE^2 = 1/64 + 1/64."""
    result = delong_ci([1, 1, 0, 0], [3, 2, 2, 1])
    assert result.auroc == 0.875
    assert result.se == pytest.approx(np.sqrt(1 / 32))
    assert result.ci == pytest.approx((0.875 - 1.959964 * np.sqrt(1 / 32), 1.0))  # cut at 1


def test_standard_error_is_that_of_the_bootstrap():
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], [150, 100])
    score = rng.normal(size=250) + y
    replicates = bootstrap_ci(y, score, "auroc").replicates["auroc"]
    assert delong_ci(y, score).se == pytest.approx(replicates.std(), rel=0.06)


def test_level_under_the_null():
    """Two equally good scores that share half their noise: p < 0.05 in 5 % of samples."""
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], [50, 40])
    trials, rejected = 800, 0
    for _ in range(trials):
        shared, a, b = rng.normal(size=(3, 90))
        rejected += delong_test(y, shared + a + 1.5 * y, shared + b + 1.5 * y).p < 0.05
    assert rejected / trials == pytest.approx(0.05, abs=0.03)  # four standard errors


def test_swapping_the_scores_changes_the_sign_only():
    rng = np.random.default_rng(0)
    y = np.arange(40) % 2
    a, b = rng.normal(size=(2, 40)) + [[0.5], [1.0]] * y
    ab, ba = delong_test(y, a, b), delong_test(y, b, a)
    assert (ab.difference, ab.z, ab.p) == pytest.approx((-ba.difference, -ba.z, ba.p))
    assert ab.ci == pytest.approx((-ba.ci[1], -ba.ci[0]))


def test_scores_of_one_order_do_not_differ():
    rng = np.random.default_rng(0)
    y, score = np.arange(40) % 2, rng.normal(size=40)
    result = delong_test(y, score, np.exp(score))
    assert (result.difference, result.ci, result.z, result.p) == (0, (0, 0), 0, 1)


def test_scores_all_equal_say_nothing():
    assert delong_ci([0, 0, 1, 1], [7, 7, 7, 7]).ci == (0.5, 0.5)


@pytest.mark.parametrize(
    ("y", "a", "b", "message"),
    [
        ([0, 0, 0, 1], [1, 2, 3, 4], [1, 2, 3, 4], "two subjects of each class, got 1 positive, 3"),
        ([0, 0, 0, 0], [1, 2, 3, 4], [1, 2, 3, 4], "only the class"),
        ([0, 0, 1, 1], [1, 2, 3], [1, 2, 3, 4], "score_a 3"),
        ([0, 0, 1, 1], [1, 2, 3, 4], [1, np.nan, 3, 4], "score_b holds 1 values"),
        ([0, 0, 1, 1], [1, 2, 3, 4], [4, 3, 2, 1], "differ by -1 but DeLong's variance is 0"),
    ],
)
def test_bad_input_is_named(y, a, b, message):
    with pytest.raises(ValueError, match=message):
        delong_test(y, a, b)


def obuchowski(y, score, subject):
    """Biometrics 1997, equations for one AUROC of clustered data, written out as in the paper."""
    x, z = score[y == 1], score[y == 0]
    psi = np.heaviside(np.subtract.outer(x, z), 0.5)
    area, m, n = psi.mean(), x.size, z.size
    v10 = {i: psi.mean(axis=1)[subject[y == 1] == i] for i in np.unique(subject)}
    v01 = {i: psi.mean(axis=0)[subject[y == 0] == i] for i in np.unique(subject)}
    i, i10, i01 = len(v10), *(sum(len(v) > 0 for v in part.values()) for part in (v10, v01))
    a = {k: v.sum() - len(v) * area for k, v in v10.items()}
    b = {k: v.sum() - len(v) * area for k, v in v01.items()}
    s10 = i10 / ((i10 - 1) * m) * sum(v**2 for v in a.values())
    s01 = i01 / ((i01 - 1) * n) * sum(v**2 for v in b.values())
    s11 = i / (i - 1) * sum(a[k] * b[k] for k in a)
    return s10 / m + s01 / n + 2 * s11 / (m * n)


@pytest.mark.parametrize("mixed", [False, True])
def test_units_of_a_subject_are_clustered_as_obuchowski_writes_it(mixed):
    rng = np.random.default_rng(1)
    subject = rng.integers(25, size=70)
    y = rng.integers(2, size=70) if mixed else rng.integers(2, size=25)[subject]
    score = rng.normal(size=25)[subject] + rng.normal(size=70).round(1) + y
    assert delong_ci(y, score, groups=subject).se == pytest.approx(np.sqrt(obuchowski(y, score, subject)), abs=1e-12)


def test_copies_of_a_subject_add_no_certainty():
    """Each subject three times, or once: the same interval, and the same test."""
    rng = np.random.default_rng(0)
    y = np.arange(40) % 2
    a, b = rng.normal(size=(2, 40)) + 0.8 * y
    once, alone = delong_test(y, a, b), delong_ci(y, a)
    y, a, b, subject = (np.tile(values, 3) for values in (y, a, b, np.arange(40)))
    thrice = delong_test(y, a, b, groups=subject)
    assert (thrice.z, thrice.p, *thrice.ci) == pytest.approx((once.z, once.p, *once.ci))
    assert delong_ci(y, a, groups=subject).se == pytest.approx(alone.se)
    assert delong_test(y, a, b).p < once.p  # what pretending costs


def test_two_knees_of_one_person_are_not_two_people():
    y, score = [1, 1, 0, 0], [3, 2, 2, 1]
    with pytest.raises(ValueError, match="two subjects of each class, got 1 positive, 2 negative"):
        delong_ci(y, score, groups=["p", "p", "q", "r"])
