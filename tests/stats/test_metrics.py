import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from osteolib.stats.metrics import METRICS, evaluate, rank_scores

SKLEARN_CALLS = {
    "sensitivity": lambda y, call: sk.recall_score(y, call),
    "specificity": lambda y, call: sk.recall_score(y, call, pos_label=0),
    "ppv": lambda y, call: sk.precision_score(y, call),
    "npv": lambda y, call: sk.precision_score(y, call, pos_label=0),
    "accuracy": sk.accuracy_score,
    "balanced_accuracy": sk.balanced_accuracy_score,
    "f1": sk.f1_score,
    "mcc": sk.matthews_corrcoef,
    "youden_j": lambda y, call: sk.balanced_accuracy_score(y, call, adjusted=True),
}
SKLEARN_SCORES = {"auroc": sk.roc_auc_score, "auprc": sk.average_precision_score, "brier": sk.brier_score_loss}


def test_every_metric_has_its_oracle():
    assert set(METRICS) == set(SKLEARN_CALLS) | set(SKLEARN_SCORES)


def defined(name: str, y: np.ndarray, call: np.ndarray) -> bool:
    """Whether the metric is more than 0 / 0, from its textbook definition."""
    both = 0 < y.sum() < y.size
    return {
        "auroc": both,
        "auprc": y.any(),
        "sensitivity": y.any(),
        "specificity": not y.all(),
        "balanced_accuracy": both,
        "youden_j": both,
        "ppv": call.any(),
        "npv": not call.all(),
        "f1": y.any() or call.any(),
    }.get(name, True)


@st.composite
def weighted_samples(draw):
    """Labels, scores of at most six values, so nearly all tied, and how often each unit was drawn."""
    n = draw(st.integers(2, 25))
    y = draw(st.lists(st.integers(0, 1), min_size=n, max_size=n))
    score = draw(st.lists(st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.7, 1.0]), min_size=n, max_size=n))
    drawn = draw(st.lists(st.integers(0, 4), min_size=n, max_size=n).filter(any))
    return np.array(y), np.array(score), np.array(drawn)


@given(weighted_samples(), st.sampled_from([-0.5, 0.1, 0.3, 0.31, 1.0, 1.5]))
@settings(deadline=None, max_examples=150)
def test_weights_equal_scikit_learn_on_the_repeated_units(sample, threshold):
    y, score, drawn = sample
    ranked = rank_scores(y, score, threshold)
    ours = evaluate(METRICS, ranked, drawn[None, ranked.order])

    y_drawn, score_drawn = np.repeat(y, drawn), np.repeat(score, drawn)
    call = (score_drawn >= threshold).astype(int)
    for name in METRICS:
        if not defined(name, y_drawn, call):
            assert np.isnan(ours[name][0]), name
        elif name == "mcc" and y_drawn.min() == y_drawn.max() == call.min() == call.max():
            assert ours[name][0] == 0  # a 1 x 1 table, of which scikit-learn warns before it returns 0
        elif name in SKLEARN_CALLS:
            assert ours[name][0] == pytest.approx(SKLEARN_CALLS[name](y_drawn, call), abs=1e-12), name
        else:
            assert ours[name][0] == pytest.approx(SKLEARN_SCORES[name](y_drawn, score_drawn), abs=1e-12), name


def test_hand_computed_case():
    """Positives at 3, 2 and negatives at 2, 1: of four pairs three are right and one is tied."""
    ranked = rank_scores(np.array([1, 1, 0, 0]), np.array([3.0, 2.0, 2.0, 1.0]), threshold=2.0)
    result = evaluate(["auroc", "auprc", "ppv", "npv", "mcc"], ranked, np.ones((1, 4), int))
    assert result["auroc"][0] == 3.5 / 4
    assert result["auprc"][0] == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    assert (result["ppv"][0], result["npv"][0]) == (2 / 3, 1)
    assert result["mcc"][0] == pytest.approx((2 * 1 - 1 * 0) / np.sqrt(3 * 2 * 2 * 1))


def test_large_counts_do_not_overflow():
    n = 200_000
    y = np.arange(n) % 2
    ranked = rank_scores(y, y + np.arange(n) / n, threshold=1.2)
    result = evaluate(["mcc", "auroc"], ranked, np.full((1, n), 3))
    call = (y + np.arange(n) / n >= 1.2).astype(int)
    assert result["mcc"][0] == pytest.approx(sk.matthews_corrcoef(y, call))
    assert result["auroc"][0] == pytest.approx(1.0)
