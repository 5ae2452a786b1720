import numpy as np
import pandas as pd
import pytest

from osteolib.report import model_plots
from osteolib.stats import calibration_curve, decision_curve

RNG = np.random.default_rng(0)
TRUTH = RNG.integers(0, 2, 80)
SCORE = np.clip(0.5 + 0.2 * (TRUTH - 0.5) + RNG.normal(0, 0.15, 80), 0.01, 0.99)


def test_the_thick_line_of_training_curves_is_the_mean_of_the_folds():
    history = pd.DataFrame({"fold": [0, 0, 1, 1], "epoch": [0, 1, 0, 1], "auprc": [0.5, 0.7, 0.7, 0.9],
                            "auroc": 0.5, "loss": [2.0, 1.0, 4.0, 3.0]})  # fmt: skip
    axes = model_plots.training_curves(history).axes
    thick = [max(axis.lines, key=lambda line: line.get_linewidth()) for axis in axes]
    assert thick[0].get_xdata().tolist() == [1, 2]
    assert thick[0].get_ydata() == pytest.approx([0.6, 0.8])
    assert thick[2].get_ydata() == pytest.approx([3, 2])


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
