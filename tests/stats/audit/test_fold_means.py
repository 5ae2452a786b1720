"""Means over folds: against every table of small folds, against scikit-learn's folds, and by hand."""

import ast
import subprocess
import sys
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, recall_score
from sklearn.model_selection import KFold, StratifiedKFold

from osteolib.stats.audit import made_up as made
from osteolib.stats.audit import printed
from osteolib.stats.audit.fold_means import any_spread, counts_with_means, fold_means, out_of_reach, stratified

NEAREST = ["half-up", "half-even"]


def means_of(sizes, counts):
    k = len(sizes)
    sens = sum(Fraction(tp, p) for (p, _), (tp, _) in zip(sizes, counts, strict=True)) / k
    spec = sum(Fraction(tn, m) for (_, m), (_, tn) in zip(sizes, counts, strict=True)) / k
    acc = sum(Fraction(tp + tn, p + m) for (p, m), (tp, tn) in zip(sizes, counts, strict=True)) / k
    return {"accuracy": acc, "sensitivity": sens, "specificity": spec, "balanced_accuracy": (sens + spec) / 2,
            "youden_j": sens + spec - 1}  # fmt: skip


@pytest.mark.parametrize("seed", range(12))
def test_two_small_folds_against_every_table(seed):
    """Half of the rows print what some counts give, half have one metric of other counts."""
    rng = np.random.default_rng(seed)
    sizes = [tuple(rng.integers(2, 6, 2).tolist()) for _ in range(2)]
    tables = list(product(*(range(size + 1) for pair in sizes for size in pair)))
    every = [means_of(sizes, (table[:2], table[2:])) for table in tables]
    truth, other = every[rng.integers(len(every))], every[rng.integers(len(every))]
    names = rng.choice(list(truth), 3, replace=False).tolist()
    values = truth | ({names[0]: other[names[0]]} if seed % 2 else {})
    shown = {name: printed(f"{float(values[name]):.3f}") for name in names}
    possible = any(all(shown[name].allows(means[name], NEAREST) for name in names) for means in every)
    found = fold_means(shown, sizes, roundings=NEAREST)
    assert found.verdict == ("consistent" if possible else "inconsistent")
    if possible:
        given_back = means_of(found.computed["sizes"], found.computed["counts"])
        assert all(shown[name].allows(given_back[name], NEAREST) for name in names)


@pytest.mark.parametrize("seed", range(12))
def test_bounds_of_single_folds_against_every_table(seed):
    """Worst and best fold of a truth bound the folds of every table; the mean of every second row is another's."""
    rng = np.random.default_rng(seed)
    sizes = [tuple(rng.integers(2, 6, 2).tolist()) for _ in range(2)]
    tables = [(t[:2], t[2:]) for t in product(*(range(size + 1) for pair in sizes for size in pair))]
    each = {name: [[means_of([pair], [counts])[name] for pair, counts in zip(sizes, table, strict=True)]
                   for table in tables] for name in ("accuracy", "sensitivity", "youden_j")}  # fmt: skip
    name, at, other = rng.choice(list(each)), rng.integers(len(tables)), rng.integers(len(tables))
    mean = sum(each[name][other if seed % 2 else at]) / 2
    shown = {key: printed(f"{float(value):.3f}") for key, value in
             (("mean", mean), ("worst", min(each[name][at])), ("best", max(each[name][at])))}  # fmt: skip
    low, high = shown["worst"].bounds(NEAREST)[0], shown["best"].bounds(NEAREST)[1]
    possible = any(shown["mean"].allows(sum(folds) / 2, NEAREST) and low <= min(folds) and max(folds) <= high
                   for folds in each[name])  # fmt: skip
    bounds = {"worst": {name: shown["worst"]}, "best": {name: shown["best"]}}
    found = fold_means({name: shown["mean"]}, sizes, roundings=NEAREST, **bounds)
    assert found.verdict == ("consistent" if possible else "inconsistent")
    if possible:
        pairs = zip(found.computed["sizes"], found.computed["counts"], strict=True)
        assert all(low <= means_of([pair], [counts])[name] <= high for pair, counts in pairs)


def test_a_mean_that_fits_without_the_bounds_of_its_folds_may_not_with_them():
    """Two folds of 2 + 2: an accuracy of 0.5 on average, but no fold has one from 0.6 to 0.7."""
    row, half = {"accuracy": printed("0.50")}, {"accuracy": printed("0.50")}
    assert fold_means(row, [[2, 2], [2, 2]]).verdict == "consistent"
    counts = fold_means(row, [[2, 2], [2, 2]], worst=half, best=half).computed["counts"]
    assert [tp + tn for tp, tn in counts] == [2, 2]
    assert fold_means(row, [[2, 2], [2, 2]], worst={"accuracy": printed("0.60")}).verdict == "inconsistent"
    assert fold_means(row, [[2, 2], [2, 2]], best={"specificity": printed("0.00")}).verdict == "consistent"


@given(st.integers(0, 2**32 - 1), st.integers(2, 10), st.booleans())
@settings(deadline=None, max_examples=10)
def test_honest_means_over_the_folds_of_scikit_learn_fit(seed, k, random_folds):
    rng = np.random.default_rng(seed)
    n, positives = made.draw_test_set(rng)
    scores = made.draw_runs(n, positives, rng, 1)[0]
    y = rng.permutation(np.repeat([1, 0], [positives, n - positives]))
    score = np.empty(n)
    score[y == 1], score[y == 0] = scores
    splitter = KFold if random_folds else StratifiedKFold
    folds = [test for _, test in splitter(k, shuffle=True, random_state=seed % 1000).split(y, y)]
    sizes = [(int(y[f].sum()), int((1 - y[f]).sum())) for f in folds]
    if not random_folds:
        assert any(sorted(sizes) == sorted(sets) for sets in stratified(n, positives, k))
        assert sorted(sizes) == sorted(stratified(n, positives, k)[0])
    if min(map(min, sizes)) == 0:
        return
    call = (score > 0).astype(int)
    each = [(accuracy_score(y[f], call[f]), recall_score(y[f], call[f]), recall_score(y[f], call[f], pos_label=0))
            for f in folds]  # fmt: skip
    mean = dict(zip(("accuracy", "sensitivity", "specificity"), np.mean(each, axis=0), strict=True))
    shown = {name: printed(f"{value:.3f}") for name, value in mean.items()}
    assert fold_means(shown, sizes).verdict == "consistent"
    spread = "any" if random_folds else "stratified"
    assert fold_means(shown, (), n, positives, k, 1, spread).verdict in ("consistent", "not checkable")
    assert random_folds or fold_means(shown, (), n, positives, k).verdict == "consistent"
    assert not out_of_reach(n, positives, k, {name: value.interval() for name, value in shown.items()})


def test_the_ways_to_spread_the_positives():
    assert [*any_spread(8, 3, 2)] == [[(2, 2), (1, 3)]]  # two folds of four: 2 + 1 only, since each has one
    ways = [*any_spread(9, 4, 2)]  # of five and of four
    assert sorted(map(tuple, ways)) == [((1, 4), (3, 1)), ((2, 3), (2, 2)), ((3, 2), (1, 3))]
    assert ways[0] == [(2, 3), (2, 2)]  # the likely one first
    assert all(sum(p for p, _ in way) == 20 and sum(map(sum, way)) == 61 for way in any_spread(61, 20, 3))


def test_gross_errors_are_seen_whatever_the_folds():
    row = {"accuracy": printed("0.96"), "sensitivity": printed("0.20"), "specificity": printed("0.30")}
    found = fold_means(row, (), 300, 150, 10, 1, "any")
    assert (found.verdict, found.computed["tried"]) == ("inconsistent", 0)


def test_other_metrics_are_left_out_of_account_and_repeats_are_further_folds():
    row = {"accuracy": printed("0.573"), "sensitivity": printed("0.768"), "f1": printed("0.99")}
    found = fold_means(row, [[52, 94], [74, 37]])
    assert found.verdict == "consistent" and found.computed["left_out"] == ["f1"] and found.computed["sets"] == 2
    assert fold_means(row, [[52, 94], [74, 37]], repeats=3).computed["sets"] == 6


def test_what_the_solver_leaves_open_is_not_checkable(monkeypatch):
    monkeypatch.setattr("osteolib.stats.audit.fold_means.counts_with_means", lambda *asked: None)
    row = {"accuracy": printed("0.573"), "sensitivity": printed("0.768")}
    assert fold_means(row, [[52, 94], [74, 37]]).verdict == "not checkable"
    monkeypatch.setattr("osteolib.stats.audit.fold_means.counts_with_means", lambda *asked: [])
    monkeypatch.setattr("osteolib.stats.audit.fold_means.MOST_SPLITS", 3)
    assert fold_means(row, (), 100, 40, 5, 1, "any").verdict == "not checkable"
    assert fold_means(row, (), 100, 40, 5).verdict == "inconsistent"


def test_the_solver_prints_nothing_of_its_own():
    """Its C code writes to the process, not to Python; with its presolve it does so for these folds."""
    sets = [(4, 9), (7, 10), (7, 12), (7, 6), (7, 11)]
    means = {"accuracy": (0.65605, 0.6562), "sensitivity": (0.63565, 0.6358), "specificity": (0.66165, 0.6618)}
    program = f"from osteolib.stats.audit.fold_means import *\nprint(counts_with_means({sets}, {means}, 2000))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert len(done.stdout.splitlines()) == 1 and done.stderr == ""
    assert done.stdout.startswith("[") and counts_with_means(sets, means, 2000) == ast.literal_eval(done.stdout)


def test_the_bound_of_one_fold_is_met_exactly():
    """One positive and one negative in each of two folds: sensitivity 0.5 needs one of two."""
    assert sorted(counts_with_means([(1, 1), (1, 1)], {"sensitivity": (0.5, 0.5), "specificity": (1, 1)})) == [
        (0, 1),
        (1, 1),
    ]
    assert counts_with_means([(1, 1), (1, 1)], {"sensitivity": (0.4, 0.49)}) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sizes": [[5, 5]], "n": 10}, "not both"),
        ({}, r"give the sizes of the folds as \[positives, negatives\], or n"),
        ({"sizes": [[5, 5, 2]]}, r"sizes: write \[positives, negatives\]"),
        ({"sizes": [[5, 2.5]]}, r"sizes: write \[positives, negatives\]"),
        ({"sizes": [5]}, r"sizes: write \[positives, negatives\]"),
        ({"sizes": [[0, 5], [2, 5]]}, "sensitivity is not defined in a set without positives"),
        ({"sizes": [[2, 5], [0, 0]]}, "a set without units"),
        ({"n": 100, "positives": 3, "folds": 5}, "each class have one unit in every fold"),
        ({"n": 100, "positives": 30, "folds": 1}, "folds must lie between 2 and 100"),
        ({"sizes": [[5, 5]], "reported": {"f1": printed("0.80")}}, "give one of them"),
        ({"sizes": [[5, 5]], "best": {"f1": printed("0.80")}}, "of single folds only: leave out f1"),
        (
            {"sizes": [[5, 5]], "best": {"accuracy": printed("0.70")}, "worst": {"accuracy": printed("0.80")}},
            "accuracy: the worst fold is better than the best",
        ),
        ({"sizes": [[5, 0], [2, 5]], "worst": {"specificity": printed("0.1")}}, "specificity is not defined in a set"),
    ],
)
def test_bad_input_is_named(arguments, message):
    row = {"accuracy": printed("0.80"), "sensitivity": printed("0.80")}
    with pytest.raises(ValueError, match=message):
        fold_means(**{"reported": row} | arguments)
