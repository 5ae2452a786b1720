"""The audit in both directions, at small size: honest studies and planted errors, judged by its own checks."""

from fractions import Fraction

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score, recall_score, roc_auc_score
from sklearn.model_selection import StratifiedKFold

from osteolib.runs import ROOT
from osteolib.stats.audit import made_up as made
from osteolib.stats.audit import printed
from osteolib.stats.audit.averages import QUESTION, averages_that_fit, over_classes, room_for, two_folds
from osteolib.stats.audit.checks import CHECKS
from osteolib.stats.audit.honest import ASSUMED, OTHERWISE, PLANTED
from osteolib.stats.audit.kinds import kind_of
from osteolib.stats.audit.printed import ROUNDINGS
from osteolib.stats.audit.quantities import QUANTITIES
from osteolib.stats.audit.trials import WAYS, by_check, checks_tried, objections_to, rates

NEAREST = ["half-up", "half-even"]


def objections(way, number, seed=0):
    rng = np.random.default_rng(seed)
    return [objections_to(WAYS[way].make(rng)) for _ in range(number)]


@pytest.mark.parametrize("way", [way for way, about in WAYS.items() if about.group == ASSUMED])
def test_an_honest_study_that_works_as_assumed_is_never_accused(way):
    assert objections(way, 12) == [{}] * 12


WITH_A_NAME = [way for way, about in WAYS.items() if about.group == OTHERWISE and about.names]
CALLED = {  # ways that no arithmetic can name: of 6 such studies at least and at most so many are called inconsistent
    "1 to 5 failed films in one row": (3, 6), "median of 3 runs": (3, 6), "mean of 3 splits of other make-up": (1, 5),
    "mean of a bootstrap": (3, 6), "accuracy at another threshold": (5, 6), "sensitivity by patient": (5, 6),
    "± is a standard error": (5, 6), "bias with a bootstrap interval": (0, 1),
}  # fmt: skip


@pytest.mark.parametrize("way", WITH_A_NAME)
def test_of_another_way_of_working_the_finding_names_it_where_it_can(way):
    """The false accusations stay, since nothing tells them from errors; the finding then says what would explain it."""
    called = [found for found in objections(way, 4) if found]
    assert called and np.mean([WAYS[way].names in " ".join(found.values()) for found in called]) >= 0.5


@pytest.mark.parametrize("way", CALLED)
def test_of_another_way_of_working_without_a_name_the_finding_asks_how_it_was_done(way):
    """It knows no words for these, and must not be silent: one test set that cannot be is asked how it was averaged."""
    assert {*CALLED, *WITH_A_NAME} == {name for name, about in WAYS.items() if about.group == OTHERWISE}
    called = [found for found in objections(way, 6) if found]
    least, most = CALLED[way]
    assert least <= len(called) <= most
    of_one_run = [found["confusion"] for found in called if "confusion" in found and "splits" not in way]
    assert all(QUESTION in details for details in of_one_run)
    assert of_one_run or way in ("mean of 3 splits of other make-up", "± is a standard error",
                                 "bias with a bootstrap interval")  # fmt: skip


SEEN = {"last digit of a cell off by 1": 0.3, "n off by 1 to 3": 0.5, "positives off by 1 to 3": 0.3,
        "a row invented by formula": 0.3, "a row invented from a possible table": 0}  # fmt: skip


@pytest.mark.parametrize("way", [way for way, about in WAYS.items() if about.group == PLANTED])
def test_planted_errors_are_found_where_arithmetic_can_see_them(way):
    found = [bool(objection) for objection in objections(way, 6)]
    assert np.mean(found) >= SEEN.get(way, 0.6)
    if way == "a row invented from a possible table":  # what nobody can see
        assert not any(found)


def test_the_table_of_the_trial(monkeypatch):
    some = ["one run, any usual rounding", "rounded up", "two digits of a cell transposed"]
    monkeypatch.setattr("osteolib.stats.audit.trials.WAYS", {way: WAYS[way] for way in some})
    table = rates(5, seed=1)
    assert table["group"].tolist() == [ASSUMED, OTHERWISE, PLANTED] and table["way"].tolist() == some
    assert table["objected"].tolist() == [0, 1, 1] and table["named"].isna().tolist() == [True, False, True]
    assert table.loc[0, "ci_high"] == pytest.approx(3.8416 / (5 + 3.8416), abs=1e-3)  # Wilson at 0 of n
    assert "exchange 100%" in table.loc[1, "checks"] and table.loc[0, "checks"] == ""
    assert rates(5, seed=1).equals(table)


def test_every_check_of_arithmetic_that_can_accuse_is_part_of_the_trial():
    can = {check for check, function in CHECKS.items() if function not in QUANTITIES and kind_of(check) == "arithmetic"}
    assert {*checks_tried()} == can - {"computed"}  # which only derives


@pytest.mark.parametrize("check", checks_tried())
def test_each_check_is_right_in_both_directions(check):
    """A small part of benchmarks/record_audit_trial.py: nobody honest is accused, and what can be seen is found."""
    counted = by_check(check, 19, seed=1)
    assert counted["honest"] == counted["planted"] == 19 and counted["accused"] == 0
    visible = counted["planted"] - counted["invisible"]
    assert visible and counted["found"] >= 0.9 * visible
    if check in ("equation", "matrix"):  # quick
        parts = [by_check(check, 9, seed=1), by_check(check, 10, seed=1, first=9)]
        assert counted == {name: sum(part[name] for part in parts) for name in counted}


def test_the_record_of_the_trial_has_every_check_and_no_accusation():
    recorded = yaml.safe_load((ROOT / "data_manifests" / "audit_trial.yaml").read_text(encoding="utf-8"))
    assert [*recorded["checks"]] == checks_tried() and recorded["commit"] and recorded["seed"] == 0
    for counted in recorded["checks"].values():
        assert counted["honest"] == counted["planted"] > 0 == counted["accused"]
        assert counted["found"] >= 0.95 * (counted["planted"] - counted["invisible"]) > 0


# The made-up numbers against scikit-learn.


def study(seed):
    rng = np.random.default_rng(seed)
    n, positives = made.draw_test_set(rng)
    return n, positives, made.draw_runs(n, positives, rng, 1)[0], rng


def labels(scores):
    y = np.repeat([1, 0], [scores[0].size, scores[1].size])
    return y, np.concatenate(scores), (np.concatenate(scores) > 0).astype(int)


@given(st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=20)
def test_values_are_those_of_scikit_learn(seed):
    n, positives, scores, rng = study(seed)
    y, score, call = labels(scores)
    assert (y.size, y.sum()) == (n, positives)
    expected = {"accuracy": accuracy_score(y, call), "sensitivity": recall_score(y, call),
                "specificity": recall_score(y, call, pos_label=0), "f1": f1_score(y, call),
                "auc": roc_auc_score(y, score)}  # fmt: skip
    assert {name: float(value) for name, value in made.values_of(scores).items()} == pytest.approx(expected)
    assert float(made.of_hard_calls(scores)["auc"]) == pytest.approx(roc_auc_score(y, call))
    assert float(made.over_classes(scores, "f1")["f1"]) == pytest.approx(f1_score(y, call, average="macro"))
    weighted = made.over_classes(scores, "f1", weighted=True)["f1"]
    assert float(weighted) == pytest.approx(f1_score(y, call, average="weighted"))
    macro = float(made.over_classes(scores)["sensitivity"])
    assert macro == pytest.approx(recall_score(y, call, average="macro"))
    less = made.without(scores, 3, rng)
    assert less[0].size + less[1].size == n - 3 and set(less[0]) <= set(scores[0]) and set(less[1]) <= set(scores[1])
    best = max(accuracy_score(y, score > cut) for cut in score)
    assert float(made.at_another_threshold(scores)["accuracy"]) == pytest.approx(best)


@given(st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=8)
def test_the_average_that_was_taken_is_among_those_that_fit(seed):
    """Honest means over runs, classes and folds, with four digits: whatever else fits, the truth must."""
    n, positives, scores, rng = study(seed)

    def shown(values):
        return {name: made.print_as(values[name], 4, "half-up") for name in made.COLUMNS}

    runs = made.mean_of([made.values_of(run) for run in made.draw_runs(n, positives, rng, 3)])
    assert "a mean over 3 runs on one test set" in averages_that_fit(n, positives, shown(runs), NEAREST)
    by_class = over_classes(n, positives, shown(made.over_classes(scores, "f1")), NEAREST)
    assert "an F1 that is the mean over both classes" in by_class
    assert "means over both classes, sensitivity and the rest" in over_classes(
        n, positives, shown(made.over_classes(scores)), NEAREST
    )


def test_means_over_the_folds_of_scikit_learn_are_recognised():
    rng = np.random.default_rng(3)
    scores = made.draw_runs(100, 40, rng, 1)[0]  # 8 positives and 12 negatives a fold
    y, _, call = labels(scores)
    folds = [test for _, test in StratifiedKFold(5, shuffle=True, random_state=0).split(y, y)]
    values = [(accuracy_score(y[f], call[f]), recall_score(y[f], call[f]), recall_score(y[f], call[f], pos_label=0))
              for f in folds]  # fmt: skip
    reported = {name: printed(f"{value:.4f}")
                for name, value in zip(made.COLUMNS, np.mean(values, axis=0), strict=False)}  # fmt: skip
    assert "a mean over 5 stratified folds" in averages_that_fit(100, 40, reported, NEAREST)


@given(st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=30)
def test_a_pair_of_folds_that_is_true_is_never_ruled_out_beforehand(seed):
    rng = np.random.default_rng(seed)
    p, m, q, k = rng.integers(2, 60, 4).tolist()
    tp, tn, tp2, tn2 = (int(rng.integers(0, size + 1)) for size in (p, m, q, k))
    means = {"accuracy": (Fraction(tp + tn, p + m) + Fraction(tp2 + tn2, q + k)) / 2,
             "sensitivity": (Fraction(tp, p) + Fraction(tp2, q)) / 2,
             "specificity": (Fraction(tn, m) + Fraction(tn2, k)) / 2}  # fmt: skip
    for names in (list(means), ["accuracy", "sensitivity"], ["accuracy"]):
        bounds = {name: made.print_as(means[name], 3, "half-up").interval(ROUNDINGS) for name in names}
        assert room_for((p, m), p + q, m + k, bounds)
    assert not room_for(
        (p, m), p + q, m + k, {"accuracy": (1.0, 1.0), "sensitivity": (0.0, 0.9), "specificity": (0, 1)}
    )
    impossible = {"accuracy": printed("0.99"), "sensitivity": printed("0.10"), "specificity": printed("0.10")}
    assert two_folds(p + q + m + k, p + q, impossible, ROUNDINGS) is None
