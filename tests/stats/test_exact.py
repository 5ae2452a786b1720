import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom
from statsmodels.stats.proportion import proportion_confint

from osteolib.stats import bootstrap_ci, bootstrap_difference, bootstrap_statistic, delong_ci, exact_interval


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 60), st.floats(0, 1), st.floats(0.5, 0.99))
def test_it_is_clopper_and_pearsons(n, share, confidence):
    k = round(share * n)
    peer = proportion_confint(k, n, alpha=1 - confidence, method="beta")
    assert exact_interval(k, n, confidence) == pytest.approx(np.nan_to_num(peer, nan=float(k > 0)), abs=1e-9)


def test_all_of_twelve_leave_room_and_the_ends_are_those_of_the_binomial():
    low, high = exact_interval(12, 12)
    assert high == 1 and binom.pmf(12, 12, low) == pytest.approx(0.025)
    assert exact_interval(0, 12) == pytest.approx((0, 1 - low))


Y = np.repeat([1, 0], 12)
SCORE = np.where(Y == 1, 0.9, 0.1)


def test_a_sample_without_errors_gets_exact_intervals_beside_those_without_spread():
    names = ("auroc", "sensitivity", "specificity", "ppv", "npv", "accuracy", "f1", "auprc")
    found = bootstrap_ci(Y, SCORE, names, 0.5, n_boot=100)
    assert found.degenerate == names and set(found.ci.values()) == {(1.0, 1.0)}
    twelve, all_of_them = exact_interval(12, 12), exact_interval(24, 24)
    assert found.exact == {"auroc": twelve, "sensitivity": twelve, "specificity": twelve, "ppv": twelve, "npv": twelve,
                           "accuracy": all_of_them}  # fmt: skip
    none = bootstrap_ci(Y, -SCORE, ("auroc", "sensitivity"), 0.5, n_boot=100)
    assert none.exact == {"auroc": exact_interval(0, 12), "sensitivity": exact_interval(0, 12)}


def test_ordinary_metrics_have_none():
    rng = np.random.default_rng(0)
    y, score = np.tile([0, 1], 30), rng.random(60)
    assert bootstrap_ci(y, score, ("auroc", "sensitivity"), 0.5, n_boot=100).exact == {}
    assert delong_ci(y, score).exact is None and not delong_ci(y, score).degenerate


def test_two_knees_of_a_person_count_once():
    people = np.arange(24) // 2
    assert bootstrap_ci(Y, SCORE, "sensitivity", 0.5, n_boot=100, groups=people).exact == {
        "sensitivity": exact_interval(6, 6)
    }
    mixed = np.tile(np.arange(12), 2)  # a knee of each class: twelve people make six pairs of two
    assert bootstrap_ci(Y, SCORE, "auroc", n_boot=100, groups=mixed).exact == {"auroc": exact_interval(6, 6)}


def test_the_exact_interval_of_an_auroc_covers_where_the_bootstrap_does_not():
    """Twelve of each, AUROC 0.98: samples without error are common, and all of them are covered."""
    rng, covered, points = np.random.default_rng(0), [], 0
    for _ in range(200):
        found = delong_ci(Y, Y * 2.9 + rng.normal(size=24))
        if found.degenerate:
            points += 1
            covered.append(found.exact[0] <= 0.98 <= found.exact[1])
    assert points > 20 and all(covered)


def test_one_positive_says_so_and_one_person_is_refused():
    y, score = np.array([1, 0, 0, 0, 0, 0]), np.array([0.9, 0.8, 0.95, 0.1, 0.2, 0.3])
    found = bootstrap_ci(y, score, ("auroc", "sensitivity"), 0.5, n_boot=100)
    assert found.degenerate == ("auroc", "sensitivity") and found.exact == {"sensitivity": exact_interval(1, 1)}
    assert bootstrap_difference(y, score, -score, n_boot=100).degenerate
    for call in (
        lambda: bootstrap_ci(y, score, groups=["p"] * 6, n_boot=100),
        lambda: bootstrap_statistic(np.mean, score, groups=["p"] * 6, n_boot=100),
        lambda: bootstrap_statistic(np.mean, [3.0], n_boot=100),
    ):
        with pytest.raises(ValueError, match=r"(groups|arrays): all units are of one subject"):
            call()


def test_equal_scores_are_no_certainty_and_have_no_exact_interval():
    found = delong_ci(Y, np.zeros(24))
    assert (found.auroc, found.degenerate, found.exact) == (0.5, True, None)
    assert bootstrap_ci(Y, np.zeros(24), "auroc", n_boot=100).exact == {}
