import numpy as np
import pandas as pd
import pytest

from osteolib.report import model_plots
from osteolib.report.knee_results import curve_bands
from osteolib.stats import calibration_curve, decision_curve

RNG = np.random.default_rng(0)
TRUTH = RNG.integers(0, 2, 80)
SCORE = np.clip(0.5 + 0.2 * (TRUTH - 0.5) + RNG.normal(0, 0.15, 80), 0.01, 0.99)


HISTORY = pd.DataFrame({"fold": [0, 0, 1, 1], "epoch": [0, 1, 0, 1], "auprc": [0.5, 0.7, 0.7, 0.9], "auroc": 0.5,
                        "validation_loss": [3.0, 5.0, 1.0, 1.0], "loss": [2.0, 1.0, 4.0, 3.0]})  # fmt: skip


def test_the_thick_line_of_training_curves_is_the_mean_of_the_folds():
    axes = model_plots.training_curves(HISTORY, joins=5).axes
    auprc, _, losses = ([line for line in axis.lines if line.get_linewidth() == 2] for axis in axes)
    assert auprc[0].get_xdata().tolist() == [1, 2]
    assert auprc[0].get_ydata() == pytest.approx([0.6, 0.8])
    assert {line.get_label(): line.get_ydata().tolist() for line in losses} == {
        "validation": [2, 3],
        "training": [3, 2],
    }


@pytest.mark.parametrize(("joins", "marked"), [(1, [2, 2]), (2, None)])
def test_the_epoch_in_which_the_t_score_joins_is_marked_if_it_was_reached(joins, marked):
    """Epochs count from 0 in a history and from 1 on an axis."""
    for axis in model_plots.training_curves(HISTORY, joins).axes:
        dashed = [list(line.get_xdata()) for line in axis.lines if line.get_linestyle() == "--"]
        assert dashed == ([marked] if marked else [])


def test_a_star_stands_on_the_curve_of_its_threshold():
    """By hand: of 4 cases 3 are called, of 5 normals 2; so 3 of 5 calls are right."""
    y, score = np.repeat([1, 0], (4, 5)), np.array([0.9, 0.8, 0.6, 0.1, 0.7, 0.6, 0.3, 0.2, 0.1])
    band = curve_bands(y, score, np.arange(9), n_boot=100)
    roc, precision = model_plots.curves_with_bands({"image": band}, 4 / 9, {"image": (3 / 4, 3 / 5, 3 / 5)}).axes
    (x,), (height,) = next(line for line in roc.lines if line.get_marker() == "*").get_data()
    assert np.interp(x, band["at"], band["sensitivity"]) == height == 0.75
    (x,), (height,) = next(line for line in precision.lines if line.get_marker() == "*").get_data()
    assert np.interp(x, band["at"], band["precision"]) == pytest.approx(height) == pytest.approx(0.6)


def test_calibration_and_benefit_draw_what_the_statistics_say():
    left, right = model_plots.calibration_and_benefit(TRUTH, {"image": SCORE}).axes
    points = next(line for line in left.lines if line.get_marker() == "o")
    expected = calibration_curve(TRUTH, SCORE, n_bins=8)
    assert points.get_xdata() == pytest.approx(expected["mean_score"])
    assert points.get_ydata() == pytest.approx(expected["observed"])
    drawn = next(line for line in right.lines if line.get_label() == "image")
    assert drawn.get_ydata() == pytest.approx(decision_curve(TRUTH, SCORE)["model"])


def test_the_words_of_an_agreement_are_its_lines():
    reference, labels = pd.Series([-3.0, -1.5, 0.0]), pd.Series(["osteoporosis", "osteopenia", "normal"])
    predicted = reference + np.array([0.4, 0.5, 0.6])
    fig, words = model_plots.agreement_view(reference, predicted, labels, ("true", "predicted"))
    heights = [line.get_ydata()[0] for line in fig.axes[1].lines]
    assert heights == pytest.approx([0.5, 0.5 - 1.96 * 0.1, 0.5 + 1.96 * 0.1], abs=1e-4)
    assert "bias 0.50, limits 0.30 to 0.70" in words and "predicted against true" in words
