import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from statsmodels.stats.proportion import proportion_confint

from osteolib.stats import bootstrap_ci, delong_ci
from osteolib.stats.coverage import (
    bca_intervals,
    bootstrap_intervals,
    coverage,
    formula_intervals,
    two_knees,
    weights,
)
from osteolib.stats.resampling import design_resampling, draw_counts

RNG = np.random.default_rng(0)
POSITIVE, NEGATIVE = RNG.normal(1, 1, 20), RNG.normal(0, 1, 12)
FOUND = (POSITIVE > 0.5).astype(np.float32)[None]
PSI = (POSITIVE[:, None] > NEGATIVE).astype(np.float32)[None]
Y, SCORE = np.repeat([1, 0], [20, 12]), np.concatenate([POSITIVE, NEGATIVE])


def test_formulas_are_those_of_other_implementations():
    found = formula_intervals(FOUND, PSI)
    delong = delong_ci(Y, SCORE)
    half = 1.96 * delong.se
    assert [float(e[0]) for e in found["DeLong"]["auroc"]] == pytest.approx([delong.auroc - half, delong.auroc + half])
    wilson = proportion_confint(FOUND.sum(), 20, method="wilson")
    assert [float(e[0]) for e in found["Wilson"]["sensitivity"]] == pytest.approx(wilson)


def test_hanley_and_mcneil_by_hand():
    """Two and two, A = 3/4: Q1 = 3/5, Q2 = 9/14, variance (3/16 + (3/5 - 9/16) + (9/14 - 9/16)) / 4."""
    psi = np.array([[[1, 1], [1, 0]]], np.float32)
    low, high = formula_intervals(np.ones((1, 2), np.float32), psi)["Hanley-McNeil"]["auroc"]
    variance = (3 / 16 + (3 / 5 - 9 / 16) + (9 / 14 - 9 / 16)) / 4
    assert (high[0] - low[0]) / 2 / 1.96 == pytest.approx(variance**0.5)


def test_a_replicate_is_the_auroc_with_weights():
    w, v = weights(20, 12, 60, np.random.default_rng(0))["bootstrap, stratified"]
    low, high = bootstrap_intervals(FOUND, PSI, w, v)["auroc"]
    draws = [roc_auc_score(Y, SCORE, sample_weight=np.concatenate(pair)) for pair in zip(w, v, strict=True)]
    assert (low[0], high[0]) == pytest.approx(tuple(np.quantile(draws, (0.025, 0.975))), abs=1e-5)


@pytest.mark.parametrize(("stratify", "people"), [(False, False), (True, False), (True, True)])
def test_the_intervals_that_are_judged_are_those_of_bootstrap_ci(stratify, people):
    """With the draws of ``bootstrap_ci`` the fast form that simulates many studies gives its very interval."""
    y, score = np.asarray(Y), np.asarray(SCORE)
    groups = np.arange(y.size) // 2 if people else None
    design = design_resampling(y.size, groups, y if stratify else None)
    drawn = np.concatenate(list(draw_counts(design, 500, 3)))[:, design.subject].astype(float)
    fast = bootstrap_intervals(FOUND, PSI, drawn[:, y == 1], drawn[:, y == 0])
    threshold = score[y == 1][FOUND[0] == 1].min()
    how = {"groups": groups, "seed": 3}
    ours = bootstrap_ci(y, score, ("auroc", "sensitivity"), threshold, 500, stratify, "percentile", **how)
    for metric, ends in ours.ci.items():
        assert (fast[metric][0][0], fast[metric][1][0]) == pytest.approx(ends, abs=2e-6)  # single precision
    if stratify:
        fast = bca_intervals(FOUND, PSI, drawn[:, y == 1], drawn[:, y == 0], 1 + people)
        chosen = bootstrap_ci(y, score, ("auroc", "sensitivity"), threshold, 500, **how)
        assert chosen.method == "bca"  # of 12 normals
        for metric, ends in chosen.ci.items():
            assert (fast[metric][0][0], fast[metric][1][0]) == pytest.approx(ends, abs=2e-3)  # ties are rounded apart


def test_of_few_people_bca_holds_the_truth_more_often_than_percentiles():
    """600 studies of 30 cases and 12 normals, one knee each: four standard errors of a coverage of 0.95 are 0.036."""
    covers = coverage(30, 12, 0.83, 0.8, 0.0, 600, np.random.default_rng(2)).set_index(["metric", "interval"])["covers"]
    for metric in ("auroc", "sensitivity"):
        plain, bca = covers[metric, "bootstrap, stratified"], covers[metric, "bootstrap, stratified, BCa"]
        assert plain < bca and 0.95 - 0.036 <= bca <= 0.95 + 0.036
    many = coverage(100, 120, 0.83, 0.8, 0.0, 2, np.random.default_rng(2))
    assert not many["interval"].str.contains("BCa").any()


def test_a_class_of_one_person_cannot_be_left_out():
    with pytest.raises(ValueError, match="into people, two or more each"):
        bca_intervals(FOUND, PSI, np.ones((2, 20)), np.ones((2, 12)), 12)


def test_people_are_drawn_with_both_knees_and_strata_keep_their_size():
    drawn = weights(20, 12, 50, np.random.default_rng(0))
    w, v = drawn["bootstrap of people"]
    assert (w[:, ::2] == w[:, 1::2]).all() and (v[:, ::2] == v[:, 1::2]).all()
    for name, (w, v) in drawn.items():
        assert set(w.sum(1) + v.sum(1)) == {32}
        assert (len(set(w.sum(1))) == 1) == (name != "bootstrap of knees")


def test_two_knees_of_a_person_correlate_as_asked():
    scores = two_knees(40, 0.7, 2000, np.random.default_rng(0))
    left, right = scores[:, ::2].ravel(), scores[:, 1::2].ravel()
    assert np.corrcoef(left, right)[0, 1] == pytest.approx(0.7, abs=0.01)
    assert scores.std() == pytest.approx(1, abs=0.02)


def test_intervals_keep_their_promise_where_their_assumption_holds():
    independent = coverage(160, 60, 0.85, 0.8, 0.0, 400, np.random.default_rng(1))
    assert independent["covers"].between(0.91, 0.99).all()
    paired = coverage(160, 60, 0.85, 0.8, 1.0, 400, np.random.default_rng(1)).set_index(["metric", "interval"])[
        "covers"
    ]
    assert paired["auroc", "bootstrap of people"] > 0.9
    assert paired["auroc", "DeLong"] < 0.88 and paired["sensitivity", "Wilson"] < 0.9  # a copy is no second witness


def test_an_odd_number_of_knees_is_refused():
    with pytest.raises(ValueError, match="must be even, two knees a person: got 3 and 4"):
        coverage(3, 4, 0.8, 0.8, 0, 10, np.random.default_rng(0))
