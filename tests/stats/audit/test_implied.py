from math import comb, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats
from sklearn import metrics

from osteolib.stats import bland_altman, bootstrap_ci, delong_ci
from osteolib.stats.audit.implied import (
    auc_difference_z,
    auc_max_se,
    auc_through_point,
    binormal_auc_se,
    binormal_auprc,
    bland_altman_half_widths,
    bland_altman_n,
    brier_skill,
    constant_classifier,
    hanley_mcneil_se,
    implied_prevalence,
    matrix_of_accuracy_f1,
    normal_auroc,
    predictive_values,
    scores_of_matrix,
    sd_from_loa,
    smallest_mcnemar_p,
    thresholded_measurement,
    yardstick_of_classes,
)
from osteolib.stats.audit.printed import printed

NEAREST = ("half-up", "half-even")
LOA = printed("-0.214"), printed("0.194")  # hip radiographs, Fig. 4: bias -0.010 (-0.019, -0.001), n = 497
matrices = st.tuples(*[st.integers(1, 60)] * 4)  # tp, fp, fn, tn


@given(matrices)
@settings(deadline=None, max_examples=30)
def test_a_matrix_becomes_units_with_its_own_counts(matrix):
    tp, fp, fn, tn = matrix
    y, score = scores_of_matrix(*matrix)
    assert metrics.confusion_matrix(y, score >= 0.5).tolist() == [[tn, fp], [fn, tp]]


@pytest.mark.parametrize(("n", "positives"), [(167, 48), (7, 7), (5, 0)])
def test_constant_classifiers_have_scikit_learns_metrics(n, positives):
    y = np.repeat([1, 0], [positives, n - positives])
    for name, call in (("all_positive", 1), ("all_negative", 0)):
        found, calls = constant_classifier(n, positives)[name], np.full(n, call)
        assert found["accuracy"] == pytest.approx(metrics.accuracy_score(y, calls))
        if positives:
            assert found["f1"] == pytest.approx(metrics.f1_score(y, calls))


def test_published_constant_classifiers():
    """Hand 2023: accuracy 28.74 %, F1 .447 of the supervised model; hand 2025: all-negative .693, all-positive .470."""
    of_segments = constant_classifier(167, 48)["all_positive"]
    assert printed("28.74 %").allows(of_segments["accuracy"])
    assert printed("0.447").allows(of_segments["f1"])
    people = constant_classifier(192, 59)
    assert people["all_negative"]["accuracy"] == pytest.approx(0.693, abs=5e-4)
    assert (people["all_negative"]["f1"], people["all_positive"]["f1"]) == pytest.approx((0, 0.470), abs=5e-4)


@given(matrices)
@settings(deadline=None, max_examples=50)
def test_accuracy_and_f1_give_the_matrix_back(matrix):
    tp, fp, fn, tn = matrix
    n = sum(matrix)
    found = matrix_of_accuracy_f1((tp + tn) / n, 2 * tp / (2 * tp + fp + fn), n, tp + fn)
    assert found == pytest.approx(matrix)


def test_average_matrix_of_19_subjects():
    """Hand 2025, Table 6: the model that is said to predict one class calls 29 % positive."""
    tp, fp, fn, tn = matrix_of_accuracy_f1(0.72, 0.53, 19, 19 * 59 / 192)
    assert (tp, fp, fn, tn) == pytest.approx((3.0, 2.5, 2.8, 10.7), abs=0.05)
    assert (tp + fp) / 19 == pytest.approx(0.29, abs=0.005)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 6)), min_size=4, max_size=40), st.integers(0, 6))
@settings(deadline=None, max_examples=100)
def test_every_auroc_lies_between_the_bounds_of_its_operating_points(units, threshold):
    y, score = np.array(units).T
    if 0 < y.sum() < y.size:
        call = score >= threshold
        sensitivity, specificity = call[y == 1].mean(), (~call)[y == 0].mean()
        least, labels, most = auc_through_point(sensitivity, specificity)
        assert least - 1e-12 <= metrics.roc_auc_score(y, score) <= most + 1e-12
        assert labels == pytest.approx(metrics.roc_auc_score(y, call))
        assert least <= labels + 1e-12


def test_hard_labels_of_the_hip_paper():
    """Its three AUCs are the mean of sensitivity and specificity; DeLong's interval of hard labels comes with them."""
    for tp, fp, fn, tn, auc in [
        (242, 11, 7, 237, "96.4 %"),
        (210, 60, 39, 188, "80.1 %"),
        (195, 53, 54, 195, "78.5 %"),
    ]:
        found = auc_through_point(tp / (tp + fn), tn / (tn + fp))[1]
        assert printed(auc).allows(found, NEAREST)
        assert delong_ci(*scores_of_matrix(tp, fp, fn, tn)).auroc == pytest.approx(found)
    assert auc_through_point(0.972, 0.956)[0] == pytest.approx(0.929, abs=5e-4)


@pytest.mark.parametrize(("auc", "n_pos", "n_neg"), [(0.65, 40, 25), (0.933, 136, 88), (0.878, 30, 12)])
def test_standard_errors_against_simulated_studies(auc, n_pos, n_neg):
    """Exponential scores for Hanley and McNeil, normal ones for the binormal form; both below the bound."""
    rng = np.random.default_rng(0)

    def simulated(positive, negative):
        ranks = stats.rankdata(np.concatenate([positive, negative], axis=1), axis=1)[:, :n_pos].sum(axis=1)
        return ((ranks - n_pos * (n_pos + 1) / 2) / (n_pos * n_neg)).std()

    trials = 6000
    normal = rng.normal(sqrt(2) * stats.norm.ppf(auc), 1, (trials, n_pos)), rng.normal(size=(trials, n_neg))
    exponential = rng.exponential(auc / (1 - auc), (trials, n_pos)), rng.exponential(size=(trials, n_neg))
    assert binormal_auc_se(auc, n_pos, n_neg) == pytest.approx(simulated(*normal), rel=0.04)
    assert hanley_mcneil_se(auc, n_pos, n_neg) == pytest.approx(simulated(*exponential), rel=0.04)
    delong = np.mean([
        delong_ci(np.repeat([1, 0], [n_pos, n_neg]), np.concatenate(study)).se
        for study in zip(*(scores[:300] for scores in normal), strict=True)
    ])  # fmt: skip
    assert binormal_auc_se(auc, n_pos, n_neg) == pytest.approx(delong, rel=0.06)
    assert max(binormal_auc_se(auc, n_pos, n_neg), hanley_mcneil_se(auc, n_pos, n_neg)) < auc_max_se(auc, n_pos, n_neg)


@pytest.mark.parametrize("auc", [0.3, 0.5, 0.8, 0.99])
def test_binormal_components_are_a_bivariate_normal_chance(auc):
    z = stats.norm.ppf(auc)
    q = stats.multivariate_normal.cdf([z, z], cov=[[1, 0.5], [0.5, 1]])
    variance = (auc * (1 - auc) + (7 + 4) * (q - auc**2)) / (8 * 5)
    assert binormal_auc_se(auc, 8, 5) == pytest.approx(sqrt(variance), abs=1e-6)


def test_the_largest_standard_error_is_reached():
    """One positive that beats a share A of very many negatives or none: 30 negatives all alike, so the pair decides."""
    assert auc_max_se(0.878, 30, 12) == pytest.approx(0.094, abs=5e-4)
    positives = stats.binom(12, 0.7)  # each of 12 positives is above all, or below all, negatives
    assert auc_max_se(0.7, 12, 1000) == pytest.approx(positives.std() / 12)


@pytest.mark.parametrize("se", [hanley_mcneil_se, binormal_auc_se, auc_max_se])
def test_a_perfect_auroc_has_no_spread(se):
    assert se(1.0, 10, 20) == pytest.approx(0, abs=1e-9)


def test_published_auroc_errors_and_differences():
    """Hand 2025 with 6 of 19 positive, hand 2023 with 48 of 167, knee with 136 of 224 and 30 of 42."""
    found = [hanley_mcneil_se(*case) for case in [
        (0.85, 6, 13), (0.85, 18, 39), (0.827, 48, 119), (0.827, 6, 13), (0.933, 136, 88), (0.878, 30, 12),
    ]]  # fmt: skip
    assert found == pytest.approx([0.108, 0.061, 0.039, 0.115, 0.0164, 0.053], abs=5e-4)
    z = [[auc_difference_z(0.85, 0.85 - drop, 6, 13, r) for r in (0, 0.5)] for drop in (0.05, 0.07, 0.17, 0.18, 0.19)]
    assert np.array(z) == pytest.approx(
        np.array([[0.31, 0.43], [0.42, 0.59], [0.96, 1.33], [1.01, 1.41], [1.06, 1.48]]), abs=0.005
    )
    assert auc_difference_z(0.933, 0.878, 136, 88, other=(30, 12)) == pytest.approx(1.00, abs=0.005)


def test_smallest_mcnemar_p_is_that_of_a_full_search():
    """Over every table of wins and losses with these net gains in two classes of six units."""

    def p(wins, losses):  # exact, two-sided, by hand
        tail = sum(comb(wins + losses, k) for k in range(min(wins, losses) + 1)) / 2 ** (wins + losses)
        return min(1.0, 2 * tail)

    for gains in np.ndindex(13, 13):
        gains = [g - 6 for g in gains]
        classes = [[(max(g, 0) + extra, max(-g, 0) + extra) for extra in range((6 - abs(g)) // 2 + 1)] for g in gains]
        every = [p(a[0] + b[0], a[1] + b[1]) for a in classes[0] for b in classes[1]]
        assert smallest_mcnemar_p(*gains) == pytest.approx(min(every))


@pytest.mark.parametrize(
    ("gains", "published"),
    [
        ([(20, 8), (3, 2), (1, -2), (13, -4)], [7.45e-9, 0.0625, 1, 0.049]),  # MoE against one head, vertebrae, A to D
        ([(0, 4), (1, -1), (5, 1)], [0.125, 1, 0.031]),  # the same, patients, B to D
        ([(2, 3), (6, 3), (4, -2), (9, -8)], [0.0625, 0.0039, 0.69, 1]),  # unified against class loss, vertebrae
    ],
)
def test_published_mcnemar_bounds(gains, published):
    """CT: true positives and true negatives gained from one recovered matrix to the other."""
    assert [smallest_mcnemar_p(*gain) for gain in gains] == pytest.approx(published, rel=0.01)


def test_mcnemar_by_class_is_sharper_than_by_total():
    assert smallest_mcnemar_p(13, -4) == pytest.approx(0.049, rel=0.01)
    assert smallest_mcnemar_p(13 - 4) == pytest.approx(0.0039, rel=0.01)
    assert smallest_mcnemar_p(0, 0) == smallest_mcnemar_p() == 1


def test_half_widths_are_those_of_bland_altman():
    rng = np.random.default_rng(0)
    difference = rng.normal(size=30)
    result = bland_altman(np.zeros(30), difference)
    bias, limit = bland_altman_half_widths(result.sd, 30)
    assert bias == pytest.approx(np.diff(result.bias_ci)[0] / 2)
    assert limit == pytest.approx(stats.t.ppf(0.975, 29) * result.sd * np.sqrt(1 / 30 + 1.959964**2 / (2 * 29)))
    assert limit == pytest.approx(np.diff(result.loa_low_ci)[0] / 2, rel=0.05)  # the exact one is lopsided


@given(st.integers(3, 3000), st.integers(0, 10_000), st.integers(2, 4))
@settings(deadline=None, max_examples=60)
def test_an_honest_bland_altman_figure_fits_its_own_n(n, seed, places):
    rng = np.random.default_rng(seed)
    result = bland_altman(np.zeros(n), rng.normal(rng.normal(), rng.uniform(0.1, 2), n))

    def shown(*values):
        return tuple(printed(f"{x:.{places}f}") for x in values)

    loa = shown(result.loa_low, result.loa_high)
    low, high = sd_from_loa(*loa)
    assert low <= result.sd <= high
    textbook_1986 = np.array([-1, 1]) * 1.96 * np.sqrt(3 / n) * result.sd + result.loa_low
    wald = np.array([-1, 1]) * 1.96 * result.sd / np.sqrt(n) + result.bias
    intervals = [("bias", result.bias_ci), ("bias", wald), ("limit", result.loa_high_ci), ("limit", textbook_1986)]
    for of, ci in intervals:
        least, most = bland_altman_n(loa, shown(*ci), of)
        assert least <= n <= most


def test_published_limits_fit_497_hips_and_not_300_people():
    low, high = sd_from_loa(*LOA)
    assert low < 0.1041 < high
    assert np.array(bland_altman_half_widths(0.1041, [497, 300])) == pytest.approx(
        np.array([[0.0092, 0.0118], [0.0158, 0.0204]]), abs=2e-4
    )
    for of, ci in [("bias", ("-0.019", "-0.001")), ("limit", ("-0.230", "-0.198")), ("limit", ("0.178", "0.210"))]:
        least, most = bland_altman_n(LOA, tuple(map(printed, ci)), of)
        assert 300 < least <= 497 <= most < 650
    assert bland_altman_n(LOA, (printed("-9.0"), printed("9.0")), "bias") is None


def test_brier_skill():
    """Knee, external: .178 with 30 of 42 positive is 13 % better than naming 71.4 % for everybody."""
    y = np.repeat([1, 0], [30, 12])
    assert brier_skill(metrics.brier_score_loss(y, np.full(42, 30 / 42)), 30 / 42) == pytest.approx(0)
    assert brier_skill(0.178, 30 / 42) == pytest.approx(0.13, abs=0.005)


@given(matrices)
@settings(deadline=None, max_examples=50)
def test_bayes_there_and_back(matrix):
    tp, fp, fn, tn = matrix
    sensitivity, specificity, prevalence = tp / (tp + fn), tn / (tn + fp), (tp + fn) / sum(matrix)
    ppv, npv = predictive_values(sensitivity, specificity, prevalence)
    assert (ppv, npv) == pytest.approx((tp / (tp + fp), tn / (tn + fn)))
    low, high = implied_prevalence(*(printed(f"{x:.3f}") for x in (sensitivity, specificity, ppv)))
    assert low <= prevalence <= high


def test_prevalence_of_the_hip_paper():
    """Half of the test hips, where 60 % of patients are positive; at .604 PPV and NPV would be others."""
    rows = [("97.2 %", "95.6 %", "95.7 %"), ("84.3 %", "75.8 %", "77.8 %"), ("78.3 %", "78.6 %", "78.6 %")]
    for row in rows:
        low, high = implied_prevalence(*map(printed, row), roundings=NEAREST)
        assert low < 249 / 497 < high < 0.51
    assert predictive_values(0.972, 0.956, 0.604) == pytest.approx((0.971, 0.957), abs=5e-4)
    low, high = implied_prevalence(printed("0.900"), printed("1.000"), printed("1.000"))
    assert (low, high) == (0, 1)  # no false positive: any prevalence


def test_naming_the_class_mean():
    """Against the errors themselves; knee, Table 3: RMSE .326 and r .86, where the model has .347 and .801."""
    rng = np.random.default_rng(0)
    groups = [rng.normal(m, 0.3, n) for m, n in ((-0.7, 34), (-1.9, 206), (-2.7, 69))]
    named = np.concatenate([np.full(len(g), g.mean()) for g in groups])
    truth = np.concatenate(groups)
    rmse, r = yardstick_of_classes(*np.transpose([(len(g), g.mean(), g.std(ddof=1)) for g in groups]))
    assert rmse == pytest.approx(np.sqrt(((named - truth) ** 2).mean()))
    assert r == pytest.approx(np.corrcoef(named, truth)[0, 1])
    assert yardstick_of_classes([34, 206, 69], [-0.66, -1.88, -2.68], [0.21, 0.38, 0.16]) == pytest.approx(
        (0.326, 0.86), abs=0.002
    )


def test_auroc_of_age_alone():
    """Knee, Table 3: .945 between bone loss and normal. Simulated, and as one integral."""
    positive, negative = [(206, 51.5, 8.9), (69, 62.7, 12.0)], [(34, 34.5, 7.0)]
    found = normal_auroc(positive, negative)
    assert found == pytest.approx(0.945, abs=5e-4)

    def density(x):
        return (206 * stats.norm.pdf(x, 51.5, 8.9) + 69 * stats.norm.pdf(x, 62.7, 12.0)) / 275

    assert found == pytest.approx(
        integrate.quad(lambda x: density(x) * stats.norm.cdf(x, 34.5, 7.0), 0, 130)[0], abs=1e-6
    )
    assert normal_auroc(negative, positive) == pytest.approx(1 - found)


def test_binormal_auprc():
    """Against average precision of simulated scores; .5 gives the prevalence, 1 gives 1."""
    rng = np.random.default_rng(0)
    y = (rng.uniform(size=200_000) < 0.3).astype(int)
    score = rng.normal(size=y.size) + y * sqrt(2) * stats.norm.ppf(0.85)
    assert binormal_auprc(0.85, 0.3) == pytest.approx(metrics.average_precision_score(y, score), abs=0.005)
    assert binormal_auprc(0.5, 0.3) == pytest.approx(0.3)
    assert binormal_auprc(1.0, 0.3) == pytest.approx(1)


def test_published_auprc_fits_the_prevalence_of_table_1():
    """Knee: .956 and .974 at 136 of 224 and 166 of 226, not at 162 of 224; severity and external .912, .943."""
    cases = [(0.933, 136 / 224), (0.933, 162 / 224), (0.927, 166 / 226), (0.898, 74 / 136), (0.878, 30 / 42)]
    assert [binormal_auprc(*case) for case in cases] == pytest.approx([0.954, 0.971, 0.970, 0.912, 0.943], abs=5e-4)


def test_a_thresholded_measurement():
    """Simulated people; hip: error SD .104 and bias -.010 mean sensitivity .975, specificity .964, AUROC .997."""
    rng = np.random.default_rng(0)
    truth = rng.normal(-2.6, 1.1, 400_000)
    measured = truth + rng.normal(-0.3, 0.5, truth.size)
    case, call = truth <= -2.5, measured <= -2.5
    sensitivity, specificity, auroc = thresholded_measurement(-2.6, 1.1, 0.5, -2.5, bias=-0.3)
    assert (sensitivity, specificity) == pytest.approx((call[case].mean(), (~call)[~case].mean()), abs=0.004)
    assert auroc == pytest.approx(metrics.roc_auc_score(case, -measured), abs=0.002)
    assert thresholded_measurement(-2.6, 1.1, 0.104, -2.5, -0.01) == pytest.approx((0.975, 0.964, 0.997), abs=5e-4)


def test_published_bootstrap_intervals_can_be_drawn_from_the_matrix():
    """Knee, external: 24 of 30 and 9 of 12; printed .633-.933, .500-1.000, .793-1.000, .429-.818."""
    names = ("sensitivity", "specificity", "ppv", "npv")
    found = bootstrap_ci(*scores_of_matrix(24, 3, 6, 9), names, threshold=0.5, method="percentile")
    assert np.array(list(found.ci.values())) == pytest.approx(
        np.array([[0.633, 0.933], [0.5, 1], [0.793, 1], [0.429, 0.818]]), abs=5e-4
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: constant_classifier(10, 11), "positives must lie between 0 and n = 10"),
        (lambda: auc_through_point(97.2, 0.956), r"sensitivity must be a fraction in \[0, 1\], got 97.2"),
        (lambda: hanley_mcneil_se(0.8, 0, 10), "both classes, got 0 positive"),
        (lambda: auc_difference_z(1, 1, 10, 10), "cannot vary"),
        (lambda: matrix_of_accuracy_f1(0.9, 1, 10, 4), "F1 = 1 means no errors"),
        (lambda: predictive_values(0.9, 0.8, 30), "prevalence must be a fraction"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
