import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad
from sklearn.metrics import accuracy_score, f1_score, roc_auc_score
from statsmodels.stats.power import NormalIndPower
from statsmodels.stats.proportion import proportion_effectsize

from osteolib.stats import delong_test, fisher_z_ci
from osteolib.stats.replicability import (
    HALF_WIDTH,
    Sample,
    Study,
    assess,
    from_accuracy_f1,
    from_auroc,
    from_r,
    simulate,
)

KNEES = Sample(136, 88, 224)
HALVES = Sample(100, 100, 200)


def both_above(z: float, correlation: float) -> float:
    """P(X < z and Y < z) of two standard normals."""
    return stats.multivariate_normal([0, 0], [[1, correlation], [correlation, 1]]).cdf([z, z])


def auroc_sd(auroc: float, p: int, n: int) -> float:
    """Exact SD of a binormal AUROC: Hanley and McNeil's Equation 1 with Q1 = Q2 = P(both of two pairs in order)."""
    q = both_above(stats.norm.ppf(auroc), 0.5)
    return np.sqrt((auroc * (1 - auroc) + (p + n - 2) * (q - auroc**2)) / (p * n))


def rates(value: float) -> tuple[float, float]:
    """Sensitivity and specificity both ``value``, so that accuracy is, too."""
    z = stats.norm.ppf(value)
    return 2 * z, -z


@pytest.mark.parametrize(("auroc", "p", "n"), [(0.85, 6, 13), (0.933, 136, 88), (0.5, 30, 12)])
def test_the_spread_of_the_auroc_is_hanley_and_mcneils(auroc, p, n):
    values = simulate(Study(Sample(p, n, p + n), "auroc", (from_auroc(auroc),)), 8000)
    assert values.mean() == pytest.approx(auroc, abs=4 * values.std() / np.sqrt(8000))
    assert values.std() == pytest.approx(auroc_sd(auroc, p, n), rel=0.04)


def test_two_methods_scatter_about_each_other_as_delong_estimates():
    """DeLong's standard error of one large study, scaled to the small one; scores written out here once more."""
    rng = np.random.default_rng(1)
    y = np.repeat([1, 0], 4000)
    common = rng.normal(size=y.size)
    a, b = (from_auroc(v)[0] * y + np.sqrt(0.2) * rng.normal(size=y.size) + np.sqrt(0.8) * common for v in (0.8, 0.85))
    test = delong_test(y, a, b)
    simulated = simulate(Study(HALVES, "auroc", (from_auroc(0.85), from_auroc(0.8)), correlation=0.8), 6000)
    se = (test.ci[1] - test.ci[0]) / (2 * 1.96) * np.sqrt(4000 / 100)
    assert np.diff(simulated).std() == pytest.approx(se, rel=0.06)


@pytest.mark.parametrize(
    ("metric", "oracle"), [("auroc", roc_auc_score), ("accuracy", accuracy_score), ("f1", f1_score)]
)
def test_metrics_are_those_of_scikit_learn(metric, oracle):
    """The same scores, drawn here once more, through another library."""
    study = Study(Sample(7, 9, 16), metric, (from_accuracy_f1(0.75, 0.7, 7, 9), from_auroc(0.9)))
    y = np.repeat([1, 0], [7, 9])
    rng = np.random.default_rng(0)
    own, common = (rng.standard_normal((100, k, 16), np.float32) for k in (2, 1))
    slope, intercept = np.array(study.methods).T[:, None, :, None]
    scores = slope * y + intercept + np.sqrt(0.5) * (own + common)
    shown = scores if metric == "auroc" else scores > 0
    expected = [[oracle(y, shown[s, m]) for m in (0, 1)] for s in range(100)]
    np.testing.assert_allclose(simulate(study, 100), expected, atol=1e-9)


def test_accuracy_and_f1_give_back_the_confusion_matrix():
    """TP 47, FN 20, FP 16, TN 315 by hand: accuracy 362/398, F1 94/130."""
    slope, intercept = from_accuracy_f1(362 / 398, 94 / 130, 67, 331)
    assert stats.norm.cdf(slope + intercept) == pytest.approx(47 / 67)
    assert stats.norm.cdf(-intercept) == pytest.approx(315 / 331)


def test_r_scatters_as_fisher_says():
    low, high = np.quantile(simulate(Study(Sample(15, 16, 31), "pearson_r", (from_r(0.801),)), 8000), (0.025, 0.975))
    expected = fisher_z_ci(0.801, 31)
    assert np.arctanh(high) - np.arctanh(low) == pytest.approx(np.ptp(np.arctanh(expected)), rel=0.05)


@pytest.mark.parametrize("icc", [0.0, 0.3, 0.8])
def test_units_of_one_person_inflate_the_variance_by_the_design_effect(icc):
    """1 + (m - 1) ICC, the ICC of right calls following from that of the scores (orthant probability)."""
    m, accuracy = 7, 0.8
    right = (both_above(stats.norm.ppf(accuracy), icc) - accuracy**2) / (accuracy * (1 - accuracy))
    values = simulate(Study(Sample(70, 70, 20), "accuracy", (rates(accuracy),), icc=icc), 8000)
    independent = accuracy * (1 - accuracy) / 140
    assert values.var() / independent == pytest.approx(1 + (m - 1) * right, rel=0.06)


def test_the_noise_of_two_units_and_two_methods_correlates_as_the_model_says():
    """Through accuracies of one unit a class: cov(method 1 on unit 1, method 2 on unit 2) needs icc x correlation."""
    study = Study(Sample(2, 2, 2), "accuracy", (rates(0.5),) * 2, correlation=0.6, icc=0.7)
    values = simulate(study, 60_000)
    same, other = (both_above(0, c) - 0.25 for c in (0.6, 0.6 * 0.7))
    assert np.cov(values.T)[0, 1] == pytest.approx((4 * same + 4 * other) / 16, abs=0.002)


@pytest.mark.parametrize("metric", ["auroc", "accuracy", "f1"])
@pytest.mark.parametrize("sample", [KNEES, Sample(6, 13, 19)], ids=["224", "19"])
def test_equal_methods_are_told_apart_one_time_in_forty(sample, metric):
    """5 % two-sided is 2.5 % in the claimed direction, whether or not the metric comes in a few steps."""
    n_studies = 4000
    found = assess(Study(sample, metric, (rates(0.85),) * 2), 0.05, n_studies=n_studies, seed=5).power
    margin = 4 * np.sqrt(2 * 0.025 * 0.975 / n_studies)  # four standard errors; the critical value is simulated, too
    assert found == pytest.approx(0.025, abs=margin)


def test_power_is_the_closed_form_of_two_proportions():
    """Methods without correlation are right independently: two binomials of the same n."""
    study = Study(Sample(200, 200, 400), "accuracy", (rates(0.85), rates(0.77)), correlation=0.0)
    expected = NormalIndPower().power(proportion_effectsize(0.85, 0.77), 400, 0.05)
    assert assess(study, 0.08, n_studies=8000).power == pytest.approx(expected, abs=0.035)


def test_power_is_the_closed_form_of_two_aurocs():
    a, b, n = 0.85, 0.77, 70
    study = Study(Sample(n, n, 2 * n), "auroc", (from_auroc(a), from_auroc(b)), correlation=0.0)
    middle = stats.norm.cdf(np.mean([from_auroc(v)[0] for v in (a, b)]) / np.sqrt(2))
    critical = 1.96 * np.sqrt(2) * auroc_sd(middle, n, n)
    expected = stats.norm.sf((critical - (a - b)) / np.hypot(auroc_sd(a, n, n), auroc_sd(b, n, n)))
    assert assess(study, a - b, n_studies=8000).power == pytest.approx(expected, abs=0.03)


def test_the_best_of_four_equal_methods_is_ahead_as_order_statistics_say():
    claimed, sd = 0.06, auroc_sd(0.8, 50, 50)
    study = Study(Sample(50, 50, 100), "auroc", (from_auroc(0.8),) * 2, correlation=0.0)
    over_last = assess(study, claimed, k=4, rank=4, n_studies=8000).luck
    assert over_last == pytest.approx(stats.studentized_range.sf(claimed / sd, 4, np.inf), abs=0.025)
    over_next = assess(study, claimed, k=4, rank=2, n_studies=8000).luck
    expected, _ = quad(lambda x: 4 * stats.norm.pdf(x) * stats.norm.cdf(x - claimed / sd) ** 3, -8, 8)
    assert over_next == pytest.approx(expected, abs=0.025)


def test_the_people_needed_reach_what_was_asked_for():
    """Simulated again, with other seeds, at the size that came out."""
    study = Study(Sample(20, 40, 30), "auroc", (from_auroc(0.85), from_auroc(0.75)))
    found = assess(study, 0.1)
    enough = Study(study.sample.scaled(found.people_for_power / 30), "auroc", study.methods)
    assert enough.sample.people == found.people_for_power
    assert assess(enough, 0.1, seed=77).power == pytest.approx(0.8, abs=0.04)
    wide = Study(study.sample.scaled(found.people_for_width / 30), "auroc", study.methods)
    low, high = assess(wide, 0.1, seed=77).interval
    assert high - low == pytest.approx(2 * HALF_WIDTH, rel=0.06)


def test_smaller_differences_and_more_alike_units_need_more_people():
    def needed(second, icc=0.0, people=48):
        study = Study(Sample(48, 119, people), "auroc", (from_auroc(0.83), from_auroc(second)), icc=icc)
        return assess(study, 0.83 - second, n_studies=600).people_for_power

    assert needed(0.81) > needed(0.78) > needed(0.73)
    assert needed(0.78, icc=0.8) > needed(0.78, icc=0.4) > needed(0.78, icc=0.0)


def test_layout_spreads_units_over_people_and_positives_over_their_carriers():
    person, positive = Sample(48, 119, 24).layout()
    assert np.bincount(person).tolist().count(7) == 23
    assert positive.sum() == 48
    assert np.unique(person[positive]).size == 7  # one class each, but for the last
    person, positive = Sample(67, 331, 106, 29).layout()
    assert positive.sum() == 67
    assert set(person[positive]) == set(range(29))


def test_batches_do_not_change_what_a_seed_means():
    study = Study(KNEES, "auroc", (from_auroc(0.9), from_auroc(0.8)))
    np.testing.assert_array_equal(simulate(study, 3000, 4), simulate(study, 3000, 4))
    assert simulate(study, 3000, 4).shape == (3000, 2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Sample(1, 20, 21), "two units of each class"),
        (lambda: Sample(5, 5, 11), "as many people as units"),
        (lambda: Sample(67, 331, 106, 10).layout(), "too few for the positive"),
        (lambda: Study(KNEES, "auc", ()), "auroc"),
        (lambda: Study(KNEES, "auroc", (), correlation=1.2), "correlation"),
        (lambda: from_accuracy_f1(0.9, 0.99, 67, 331), "f1=0.99"),
        (lambda: from_accuracy_f1(90.95, 72.31, 67, 331), "fractions|sensitivity"),
        (lambda: assess(Study(KNEES, "auroc", (from_auroc(0.9),) * 2), -0.1), "claim > 0"),
        (lambda: assess(Study(KNEES, "auroc", (from_auroc(0.9),) * 2), 0.1, k=3, rank=4), "rank <= k"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: from_auroc(1.0), "auroc must be a number in"),
        (lambda: from_auroc(85), "auroc must be a number in"),
        (lambda: from_r(1.0), "r must be a number in"),
        (lambda: from_accuracy_f1(1, 1, 20, 30), "accuracy=1, f1=1"),
        (lambda: from_accuracy_f1(0.9, 1, 20, 30), "f1=1"),
        (lambda: from_accuracy_f1(0.9, 0.9, 20.5, 30), "n_positive must be a whole number"),
        (lambda: assess(Study(KNEES, "auroc", (from_auroc(0.9),)), 0.1), "study has one method only"),
        (lambda: assess(Study(KNEES, "auroc", (from_auroc(0.9),) * 2), 5), "claimed must be a fraction"),
    ],
)
def test_scores_without_noise_and_percent_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
