from fractions import Fraction
from functools import lru_cache, partial
from itertools import combinations
from math import inf, isinf, isnan, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from osteolib.report.published import load_published
from osteolib.stats.audit import ROUNDINGS, ConfusionMatrix, confusion_matrices, printed
from osteolib.stats.audit.confusion import TooManyMatrices, a_few, metric_bounds
from osteolib.stats.audit.made_up import print_as
from osteolib.stats.audit.table_metrics import TABLE_METRICS

METRICS = tuple(TABLE_METRICS)
ROOTS = ("mcc", "fowlkes_mallows")


def exactly(name: str, *cells: int) -> Fraction | float:
    return every_metric(*cells)[name]


@lru_cache(maxsize=20_000)
def every_metric(tp: int, fp: int, fn: int, tn: int) -> dict[str, Fraction | float]:
    """Textbook definitions, in fractions; 0 / 0 is 0, a number by 0 infinite; what has a root in floats."""

    def ratio(a, b):
        return Fraction(a, b) if b else inf if a else Fraction(0)

    sens, spec = ratio(tp, tp + fn), ratio(tn, tn + fp)
    both = (tp + fn) * (tn + fp) > 0
    root = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
    n = tp + fp + fn + tn
    chance = Fraction((tp + fp) * (tp + fn) + (fn + tn) * (fp + tn), n * n)
    precision = ratio(tp, tp + fp)

    def f(beta_squared):  # of precision and recall
        below = beta_squared * precision + sens
        return ratio((1 + beta_squared) * precision * sens, 1) / below if below else Fraction(0)

    return {
        "accuracy": ratio(tp + tn, tp + fp + fn + tn),
        "sensitivity": sens,
        "specificity": spec,
        "ppv": ratio(tp, tp + fp),
        "npv": ratio(tn, tn + fn),
        "f1": ratio(2 * tp, 2 * tp + fp + fn),
        "balanced_accuracy": (sens + spec) / 2 if both else Fraction(0),
        "youden_j": sens + spec - 1 if both else Fraction(0),
        "mcc": (tp * tn - fp * fn) / sqrt(root) if root else 0.0,
        "fowlkes_mallows": sqrt(precision * sens),
        "dice": ratio(2 * tp, (tp + fp) + (tp + fn)),
        "jaccard": ratio(tp, n - tn),
        "f2": f(4),
        "f0_5": f(Fraction(1, 4)),
        "kappa": (Fraction(tp + tn, n) - chance) / (1 - chance) if chance < 1 else Fraction(0),
        "lr_positive": ratio(tp * (fp + tn), fp * (tp + fn)),
        "lr_negative": ratio(fn * (fp + tn), tn * (tp + fn)),
        "odds_ratio": ratio(tp * tn, fp * fn),
    }


def round_text(value: Fraction | float, decimals: int, rounding: str) -> str:
    shown = print_as(abs(Fraction(value)), decimals, rounding)
    return f"{'-' if value < 0 and shown.value else ''}{shown.text}"


def all_matrices(n: int) -> list[tuple[int, int, int, int]]:
    return [(tp, fp, p - tp, n - p - fp) for p in range(n + 1) for tp in range(p + 1) for fp in range(n - p, -1, -1)]


@pytest.mark.parametrize("n", range(1, 26))
def test_the_search_finds_what_a_look_at_every_matrix_finds(n):
    """All matrices of n <= 25, each subset of metrics in turn, two matrices' printed values mixed to be hard."""
    rng = np.random.default_rng(n)
    cells = all_matrices(n)
    exact = {name: [exactly(name, *cell) for cell in cells] for name in METRICS}
    subsets = [names for size in (1, 2, 3, 4) for names in combinations(METRICS, size)]
    for names in [subsets[i] for i in rng.choice(len(subsets), 12, replace=False)]:
        truth = int(rng.integers(len(cells)))
        rounding, decimals = rng.choice(ROUNDINGS), int(rng.integers(1, 5))
        names = [name for name in names if not isinf(exact[name][truth])] or ["accuracy"]
        roundings = ROUNDINGS if rng.random() < 0.5 else (rounding,)
        reported = {name: printed(round_text(exact[name][truth], decimals, rounding)) for name in names}
        positives = None if rng.random() < 0.7 else sum(cells[truth][::2])
        expected = set(cells) if positives is None else {cell for cell in cells if cell[0] + cell[2] == positives}
        for name, shown in reported.items():
            low, high = shown.bounds(roundings)
            slack = 1e-12 if name in ROOTS else 0
            expected &= {cell for cell, x in zip(cells, exact[name], strict=True) if low - slack <= x <= high + slack}
        found = confusion_matrices(n, positives=positives, roundings=roundings, **reported)
        assert {(m.tp, m.fp, m.fn, m.tn) for m in found} == expected
        assert len(found) == len(expected)
        assert cells[truth] in expected


@given(st.data())
@settings(deadline=None, max_examples=80)
def test_the_true_matrix_is_always_among_the_solutions(data):
    cells = tuple(data.draw(st.integers(0, 60)) for _ in range(4))
    n = sum(cells)
    if n == 0:
        return
    names = data.draw(st.sets(st.sampled_from(METRICS), min_size=2)) | {"accuracy"}
    reported = {}
    for name in sorted(name for name in names if not isinf(exactly(name, *cells))):
        rounding, percent = data.draw(st.sampled_from(ROUNDINGS)), data.draw(st.booleans())
        value, decimals = exactly(name, *cells), data.draw(st.integers(2, 4))
        reported[name] = f"{round_text(value * 100, decimals - 2, rounding)} %" if percent else None
        reported[name] = reported[name] or round_text(value, decimals, rounding)
    positives = data.draw(st.sampled_from([None, cells[0] + cells[2]]))
    assert ConfusionMatrix(*cells) in confusion_matrices(n, positives=positives, **reported)


@given(st.data())
@settings(deadline=None, max_examples=80)
def test_the_true_sums_are_always_among_the_solutions_for_means_over_runs(data):
    p, n, runs = data.draw(st.integers(1, 20)), data.draw(st.integers(1, 20)), data.draw(st.integers(2, 4))
    cells = []
    for _ in range(runs):
        tp, fp = data.draw(st.integers(0, p)), data.draw(st.integers(0, n))
        cells.append((tp, fp, p - tp, n - fp))
    names = data.draw(st.sets(st.sampled_from(METRICS), min_size=2)) | {"accuracy"}
    names = {name for name in names if not any(isinf(exactly(name, *cell)) for cell in cells)}
    rounding = data.draw(st.sampled_from(ROUNDINGS))
    means = {name: sum(Fraction(exactly(name, *cell)) for cell in cells) / runs for name in names}
    reported = {name: round_text(mean, 3, rounding) for name, mean in means.items()}
    sums = ConfusionMatrix(*map(sum, zip(*cells, strict=True)))
    positives = data.draw(st.sampled_from([None, p]))
    found = confusion_matrices(p + n, runs=runs, positives=positives, **reported)
    assert sums in found
    assert all(m.n == runs * (p + n) and m.positives % runs == 0 for m in found)


def test_means_over_runs_against_every_pair_of_runs():
    """Two runs on 9 people with 4 positives: accuracy, sensitivity, specificity exact; PPV no matrix too few."""
    runs = [(tp, fp, 4 - tp, 5 - fp) for tp in range(5) for fp in range(6)]
    shown = {"accuracy": printed("0.72"), "sensitivity": printed("0.75"), "ppv": printed("0.68")}
    linear, all_three = set(), set()
    for a in runs:
        for b in runs:
            fits = {
                name: text.allows((exactly(name, *a) + exactly(name, *b)) / 2, ["half-up"])
                for name, text in shown.items()
            }
            sums = ConfusionMatrix(*(x + y for x, y in zip(a, b, strict=True)))
            linear |= {sums} if fits["accuracy"] and fits["sensitivity"] else set()
            all_three |= {sums} if all(fits.values()) else set()
    given_two = {name: shown[name] for name in ("accuracy", "sensitivity")}
    settings_ = {"runs": 2, "positives": 4, "roundings": ["half-up"]}
    assert set(confusion_matrices(9, **settings_, **given_two)) == linear
    assert all_three and all_three <= set(confusion_matrices(9, **settings_, **shown)) <= linear


def test_a_matrix_knows_its_metrics():
    matrix = ConfusionMatrix(tp=146, fp=17, fn=16, tn=45)
    assert (matrix.n, matrix.positives) == (224, 162)
    assert matrix.metric("sensitivity") == 146 / 162
    assert isnan(ConfusionMatrix(0, 0, 3, 4).metric("ppv"))


def test_zero_over_zero_may_be_printed_as_zero_and_as_nothing_else():
    nobody_called = ConfusionMatrix(0, 0, 3, 7)
    assert nobody_called in confusion_matrices(10, accuracy="0.70", sensitivity="0.00", ppv="0.00")
    assert nobody_called not in confusion_matrices(10, accuracy="0.70", sensitivity="0.00", ppv="1.00")


def test_floats_come_with_their_decimals():
    as_text = confusion_matrices(224, sensitivity="0.904", specificity="0.770", positives=136)
    assert confusion_matrices(224, 3, sensitivity=0.904, specificity=0.77, positives=136) == as_text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 10, "recall": "0.9"}, r"unknown metrics \['recall'\].*sensitivity"),
        ({"n": 10}, "report one or more"),
        ({"n": None, "f1": "0.9"}, "n must be a whole number"),
        ({"n": 0, "f1": "0.9"}, "n must be a whole number from 1"),
        ({"n": 10.5, "f1": "0.9"}, "n must be a whole number"),
        ({"n": 10, "positives": 11, "f1": "0.9"}, "positives must be a whole number from 0 to 10, got 11"),
        ({"n": 10, "runs": 0, "f1": "0.9"}, "runs must be"),
        ({"n": 10, "sensitivity": "97.2"}, r"sensitivity = 97\.2 cannot be: write a percentage as '97\.2 %' or 0\.972"),
        ({"n": 10, "sensitivity": "-0.1"}, "cannot be"),
        ({"n": 10, "sensitivity": 0.9}, "does not have None decimals"),
        ({"n": 10, "decimals": 1, "sensitivity": 0.95}, "does not have 1 decimals"),
        ({"n": 10, "sensitivity": "<0.9"}, "bounds"),
        ({"n": 5000, "mcc": "0.5"}, "give positives, more metrics or more decimals"),
        ({"n": 600, "f1": "0.5"}, "give positives, more metrics or more decimals"),
        ({"n": 1_000_000, "mcc": "0.123456789"}, "too large for values with so many decimals"),
    ],
)
def test_bad_input_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        confusion_matrices(**arguments)


def test_the_hip_table_has_one_matrix_a_model_and_249_positives():
    """X-04: twelve printed cells of three models on 497 hips."""
    shown = load_published("chen2024_hip").set_index("published_id")["reported"]
    expected = {"X1AI-Osteo": (242, 11, 7, 237), "ResNet50": (210, 60, 39, 188), "InceptionV3": (195, 53, 54, 195)}
    for model, cells in expected.items():
        shorts = {"sensitivity": "sens", "specificity": "spec", "ppv": "ppv", "npv": "npv"}
        row = {metric: f"{shown[f'chen2024_hip.T3.{model}.{short}']} %" for metric, short in shorts.items()}
        assert confusion_matrices(497, **row) == [ConfusionMatrix(*cells)]


def test_the_knee_figure_is_from_another_test_set_than_the_headline():
    """S-07, S-08: 0.904 and 0.773 are shares of 136 and 88, never of the 162 and 62 in the confusion matrix."""
    shown = load_published("strnet2026_knee").set_index("published_id")["reported"]
    shown = shown.rename(lambda published_id: published_id.removeprefix("strnet2026_knee."))
    n, positives = int(shown["T1.Total.test"]), int(shown["T1.BoneLoss.test"])
    headline = {"sensitivity": shown["test.sens"], "specificity": shown["test.spec"]}
    assert confusion_matrices(n, positives=positives, **headline) == [ConfusionMatrix(123, 20, 13, 68)]
    figure = ConfusionMatrix(*(int(shown[f"F7.{cell}"]) for cell in ("TP", "FP", "FN", "TN")))
    assert (figure.n, figure.positives) == (n, 162)
    assert confusion_matrices(n, positives=162, sensitivity=headline["sensitivity"]) == []
    assert confusion_matrices(n, positives=162, specificity=headline["specificity"]) == []


@pytest.mark.parametrize("name", ["kappa", "jaccard", "dice", "f2", "f0_5", "fowlkes_mallows", "mcc"])
def test_metrics_are_those_of_scikit_learn(name):
    y, call = np.repeat([1, 0, 1, 0], [23, 8, 9, 41]), np.repeat([1, 1, 0, 0], [23, 8, 9, 41])
    theirs = {
        "kappa": sk.cohen_kappa_score, "jaccard": sk.jaccard_score, "dice": sk.f1_score, "mcc": sk.matthews_corrcoef,
        "f2": partial(sk.fbeta_score, beta=2), "f0_5": partial(sk.fbeta_score, beta=0.5),
        "fowlkes_mallows": lambda y, call: sqrt(sk.precision_score(y, call) * sk.recall_score(y, call)),
    }  # fmt: skip
    assert ConfusionMatrix(23, 8, 9, 41).metric(name) == pytest.approx(theirs[name](y, call), rel=1e-12)


def test_likelihood_ratios_are_those_of_scikit_learn_and_an_infinite_one_is_never_printed_as_a_number():
    y, call = np.repeat([1, 0, 1, 0], [23, 8, 9, 41]), np.repeat([1, 1, 0, 0], [23, 8, 9, 41])
    matrix, ours = sk.class_likelihood_ratios(y, call), ConfusionMatrix(23, 8, 9, 41)
    assert (ours.metric("lr_positive"), ours.metric("lr_negative")) == pytest.approx(matrix)
    assert ours.metric("odds_ratio") == pytest.approx(matrix[0] / matrix[1])
    assert ConfusionMatrix(23, 0, 9, 41).metric("lr_positive") == inf
    none_false = confusion_matrices(73, positives=32, specificity="1.000", lr_positive="99.00")
    assert none_false == []


def test_a_ratio_without_decimals_is_asked_how_it_was_rounded():
    with pytest.raises(ValueError, match=r"lr_positive = 4 does not say how it was rounded: write '~4'"):
        confusion_matrices(81, lr_positive="4", sensitivity="0.719")
    assert ConfusionMatrix(23, 8, 9, 41) in confusion_matrices(81, lr_positive="~4", sensitivity="0.719")
    with pytest.raises(ValueError, match=r"kappa = 1\.20 cannot be"):
        confusion_matrices(81, kappa="1.20")


@pytest.mark.parametrize("second", [{}, {"f1": "0.740"}, {"kappa": "0.58"}])
def test_accuracy_alone_narrows_the_search_as_well(second):
    """Of 6,000 people without the number of positives, a search over every sensitivity would be too long."""
    n, reported = 34, {"accuracy": "0.7941"} | second
    expected = set()
    for cells in all_matrices(n):
        if all(printed(text).allows(exactly(name, *cells)) for name, text in reported.items()):
            expected.add(cells)
    assert {(m.tp, m.fp, m.fn, m.tn) for m in confusion_matrices(n, **reported)} == expected
    large = confusion_matrices(6000, accuracy="0.79125", f1="0.73500", mcc="0.56400", sensitivity="0.7123")
    assert all(m.n == 6000 for m in large)


def test_large_test_sets():
    """Ten million people: what cannot be is seen, and of what can be a few tables show that it can."""
    n, positives = 10**7, 4 * 10**6
    row = {"sensitivity": "0.90", "specificity": "0.84"}
    assert confusion_matrices(n, positives=positives, **row, accuracy="0.91") == []
    with pytest.raises(TooManyMatrices, match=r"more than 2,000,000 matrices"):
        confusion_matrices(n, positives=positives, **row)
    few = a_few(metric_bounds(row | {"accuracy": "0.864"}), n, positives)
    assert few.shape[1] > 10 and (few.sum(axis=0) == n).all() and (few[0] + few[2] == positives).all()
    for tp, _, fn, tn in few.T[::50]:
        assert printed("0.864").allows(Fraction(int(tp + tn), n))
        assert printed("0.90").allows(Fraction(int(tp), int(tp + fn)))
    with pytest.raises(ValueError, match="give positives"):
        confusion_matrices(n, **row)
    with pytest.raises(ValueError, match="too large for values with so many decimals"):
        confusion_matrices(10**9, positives=10**8, balanced_accuracy="0.8912")
