import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix

from osteolib.stats import METRICS, decision_curve, referral_table, sensitivity_constrained_threshold
from osteolib.stats.metrics import evaluate, rank_scores
from osteolib.stats.thresholds import GRID

HUNDREDTHS = st.integers(0, 100).map(lambda i: i / 100)  # so that scores fall on the grid and tie


@st.composite
def scored_units(draw):
    n = draw(st.integers(2, 30))
    y = draw(st.lists(st.integers(0, 1), min_size=n, max_size=n).filter(lambda y: 0 < sum(y) < len(y)))
    return np.array(y), np.array(draw(st.lists(HUNDREDTHS, min_size=n, max_size=n)))


def brute_force(y, score, min_sensitivity):
    """Every tied best threshold in ascending order, with its sensitivity and specificity, by whole numbers."""
    rows = []
    for step in range(20, 81):
        called = [round(100 * s) >= step for s in score]
        tp = sum(c and t for c, t in zip(called, y, strict=True))
        tn = sum(not c and not t for c, t in zip(called, y, strict=True))
        rows.append((step / 100, tp / sum(y), tn / (len(y) - sum(y))))
    feasible = [row for row in rows if row[1] >= min_sensitivity]
    return [row for row in feasible if row[2] == max(row[2] for row in feasible)]


@given(scored_units(), st.sampled_from([0.5, 0.75, 0.86, 1.0]), st.sampled_from(["lowest", "highest", "middle"]))
@settings(deadline=None, max_examples=150)
def test_equals_the_search_one_by_one(sample, min_sensitivity, ties):
    y, score = sample
    best = brute_force(y, score, min_sensitivity)
    ours = sensitivity_constrained_threshold(y, score, min_sensitivity, ties=ties)

    assert ours.tied == tuple(row[0] for row in best)
    assert ours.feasible == bool(best)
    if best:
        row = best[{"lowest": 0, "highest": -1, "middle": (len(best) - 1) // 2}[ties]]
        assert (ours.threshold, ours.sensitivity, ours.specificity) == row


@given(scored_units())
@settings(deadline=None, max_examples=50)
def test_curve_is_monotone_and_agrees_with_the_metrics_of_the_bootstrap(sample):
    y, score = sample
    curve = sensitivity_constrained_threshold(y, score).curve
    assert curve["sensitivity"].is_monotonic_decreasing and curve["specificity"].is_monotonic_increasing
    for row in curve.iloc[::12].itertuples():
        metrics = evaluate(METRICS, rank_scores(y, score, row.threshold), np.ones((1, y.size), int))
        assert (row.sensitivity, row.specificity) == (metrics["sensitivity"][0], metrics["specificity"][0])


def test_hand_computed_case_and_its_ties():
    """Positives 0.5, 0.7, 0.9; negatives 0.3, 0.6. All three found up to 0.50; below 0.31 the 0.3 is called too."""
    y, score = [1, 1, 1, 0, 0], [0.5, 0.7, 0.9, 0.3, 0.6]
    lowest = sensitivity_constrained_threshold(y, score)
    assert (lowest.threshold, lowest.sensitivity, lowest.specificity) == (0.31, 1.0, 0.5)
    assert lowest.tied == tuple(i / 100 for i in range(31, 51))
    assert sensitivity_constrained_threshold(y, score, ties="highest").threshold == 0.50
    assert sensitivity_constrained_threshold(y, score, ties="middle").threshold == 0.40  # of 0.40 and 0.41


def test_the_grid_is_of_decimals_and_a_score_on_it_is_positive():
    blurred = np.arange(0.2, 0.805, 0.01)
    assert 0.3 not in blurred  # 0.30000000000000004 would miss the knee scored 0.3
    result = sensitivity_constrained_threshold([1, 0], [0.3, 0.29], 1.0, blurred)
    assert result.tied == (0.3,)
    assert tuple(result.curve["threshold"]) == GRID
    assert GRID[0] == 0.2 and GRID[-1] == 0.8 and len(GRID) == 61


def test_observed_scores_serve_as_a_grid_unrounded():
    rng = np.random.default_rng(0)
    y, score = np.arange(40) % 2, rng.random(40)
    result = sensitivity_constrained_threshold(y, score, 0.9, score, ties="highest")
    assert result.sensitivity == 0.9  # 18 of 20: the 18th highest positive score
    assert result.threshold == np.sort(score[y == 1])[2]


def test_a_sensitivity_that_equals_the_demand_will_do():
    """43 of 50 is 0.86; divided by 50 + 1e-8, as in the released code, it is not."""
    y = np.repeat([1, 0], [50, 50])
    score = np.concatenate([np.full(43, 0.6), np.full(7, 0.1), np.full(50, 0.4)])
    result = sensitivity_constrained_threshold(y, score)
    assert (result.threshold, result.sensitivity, result.specificity) == (0.41, 0.86, 1.0)


def test_an_infeasible_grid_is_reported():
    result = sensitivity_constrained_threshold([1, 1, 0], [0.1, 0.9, 0.5])
    assert not result.feasible and result.tied == ()
    assert np.isnan([result.threshold, result.sensitivity, result.specificity]).all()
    assert result.curve["sensitivity"].max() == 0.5 and not result.curve["feasible"].any()


def test_decision_curve_equals_the_counts_of_scikit_learn():
    rng = np.random.default_rng(0)
    y = (rng.random(200) < 0.3).astype(int)
    score = np.round(rng.random(200), 2)
    for row in decision_curve(y, score, np.arange(100) / 100).itertuples():
        _, fp, _, tp = confusion_matrix(y, score >= row.threshold).ravel()
        odds = row.threshold / (1 - row.threshold)
        assert row.model == pytest.approx((tp - fp * odds) / 200, abs=1e-12)
        everyone = y.mean() - (1 - y.mean()) * odds
        assert (row.treat_all, row.treat_none) == (pytest.approx(everyone, abs=1e-12), 0)


def test_decision_curve_of_a_perfect_score_is_the_prevalence_and_of_a_constant_one_that_of_everyone():
    y = np.repeat([1, 0], [3, 7])
    assert np.allclose(decision_curve(y, y)["model"], 0.3, rtol=0, atol=1e-15)
    constant = decision_curve(y, np.full(10, 0.9))
    assert np.allclose(constant["model"], constant["treat_all"], rtol=0, atol=1e-12)
    crossing = decision_curve(y, y, [0.3]).iloc[0]
    assert crossing["treat_all"] == pytest.approx(0, abs=1e-12)  # at t = prevalence all and none are worth the same


def test_referrals_reproduce_the_published_external_table():
    """STR-Net, section 3.7: 24 TP, 6 FN, 3 FP, 9 TN of 42 knees; PPV 0.889, NPV 0.600."""
    (row,) = referral_table(0.8, 0.75, [30 / 42]).itertuples()
    assert (round(row.ppv, 3), round(row.npv, 3)) == (0.889, 0.600)
    assert (row.ppv, row.npv) == pytest.approx((24 / 27, 9 / 15))
    counts = np.array([row.referrals_per_1000, row.found_per_1000, row.missed_per_1000])
    assert counts * 42 / 1000 == pytest.approx([27, 24, 6])


@given(st.integers(0, 40), st.integers(1, 40), st.integers(1, 40), st.integers(0, 40))
@settings(deadline=None, max_examples=60)
def test_referrals_equal_the_table_of_counts(tp, fp, fn, tn):
    n = tp + fp + fn + tn
    (row,) = referral_table(tp / (tp + fn), tn / (tn + fp), [(tp + fn) / n]).itertuples()
    assert (row.ppv, row.npv) == pytest.approx((tp / (tp + fp), tn / (tn + fn)))
    counts = np.array([tp + fp, tp, fn]) * 1000 / n
    assert [row.referrals_per_1000, row.found_per_1000, row.missed_per_1000] == pytest.approx(counts)


def test_referrals_at_the_edges():
    none = referral_table(0, 1, [0.2]).iloc[0]
    assert np.isnan(none["ppv"]) and (none["npv"], none["missed_per_1000"]) == (0.8, 200)
    healthy, ill = referral_table(0.9, 0.8, [0, 1]).itertuples()
    assert (healthy.ppv, healthy.npv, ill.ppv, ill.npv) == (0, 1, 1, 0)
    assert referral_table(0.9, 0.8)["ppv"].is_monotonic_increasing


Y, SCORE = [0, 0, 1, 1], [0.1, 0.4, 0.3, 0.9]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: sensitivity_constrained_threshold([1, 1, 1, 1], SCORE), "only the class"),
        (lambda: sensitivity_constrained_threshold(Y, [0.1, np.nan, 0.3, 0.9]), "y_score holds 1 values"),
        (lambda: sensitivity_constrained_threshold(Y, [-2.0, 0.1, 0.3, 1.9]), "probabilities in .* -2 to 1.9"),
        (lambda: sensitivity_constrained_threshold(Y, SCORE[:3]), "y_score 3"),
        (lambda: sensitivity_constrained_threshold(Y, SCORE, grid=[]), "grid must be a vector with at least one"),
        (lambda: sensitivity_constrained_threshold(Y, SCORE, grid=[0.2, np.nan]), "grid holds 1 values"),
        (lambda: sensitivity_constrained_threshold(Y, SCORE, 0.0), "min_sensitivity must lie in"),
        (lambda: sensitivity_constrained_threshold(Y, SCORE, 86), "min_sensitivity must lie in"),
        (lambda: sensitivity_constrained_threshold(Y, SCORE, np.nan), "min_sensitivity must lie in"),
        (lambda: sensitivity_constrained_threshold(Y, SCORE, ties="first"), "ties must be one of lowest"),
        (lambda: decision_curve(Y, SCORE, [0.5, 1.0]), "must lie in .* got 0.5 to 1"),
        (lambda: decision_curve(Y, SCORE, []), "thresholds must be a vector with at least one"),
        (lambda: decision_curve(Y, [0, 1, 2, 3]), "probabilities in"),
        (lambda: decision_curve([0, 0, 0, 0], SCORE), "only the class"),
        (lambda: referral_table(80, 0.75), "sensitivity must lie in .* a share, not a percentage"),
        (lambda: referral_table(0.8, np.nan), "specificity must lie in"),
        (lambda: referral_table(0.8, 0.75, [0.1, 1.2]), "prevalence must lie in"),
        (lambda: referral_table(0.8, 0.75, []), "prevalence must be a vector with at least one"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
