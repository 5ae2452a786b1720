import numpy as np
import pandas as pd
import pytest

from osteolib.report import plots
from osteolib.stats import bland_altman


def test_a_forest_draws_each_value_interval_and_range_of_shuffles_on_its_line():
    rows = pd.DataFrame([(0.9, 0.8, 0.95, 0.4, 0.6), (0.5, 0.4, 0.6, 0.3, 0.7)], ["age", "size"], plots.FOREST)
    axis = plots.forest(rows, "AUROC", "t", 0.5, {"paper": 0.933}).axes[0]
    dots = next(line for line in axis.lines if line.get_marker() == "o")
    assert dots.get_xdata().tolist() == [0.9, 0.5]
    assert [t.get_text() for t in axis.get_yticklabels()] == ["age", "size"]
    segments = axis.collections[0].get_segments()
    assert [s[:, 0].tolist() for s in segments] == [[0.8, 0.95], [0.4, 0.6]]
    assert [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in axis.patches] == [
        pytest.approx((0.4, 0.6)),
        pytest.approx((0.3, 0.7)),
    ]
    assert 0.933 in [line.get_xdata()[0] for line in axis.lines]
    assert plots.in_words(rows) == "age 0.90; size 0.50"


def test_a_bland_altman_plot_draws_differences_against_means_and_three_lines():
    reference, predicted = np.array([0.0, 1.0, 2.0, 3.0]), np.array([0.5, 1.0, 2.5, 4.0])
    agreement = bland_altman(reference, predicted)
    _, right = plots.scatter_and_difference(reference, predicted, agreement, ("a", "b"), "T").axes
    points = right.collections[0].get_offsets()
    assert np.allclose(points, np.column_stack([(reference + predicted) / 2, predicted - reference]))
    heights = sorted(line.get_ydata()[0] for line in right.lines)
    assert heights == pytest.approx([agreement.loa_low, agreement.bias, agreement.loa_high])


def test_shares_of_a_composition_add_to_one_in_each_class():
    films = pd.DataFrame({"label": ["normal"] * 3 + ["osteopenia"] * 2 + ["osteoporosis"], "sex": list("FFMFMM")})
    axis = plots.composition(films, {"sex": "Sex"}).axes[0]
    widths = np.array([bar.get_width() for bar in axis.patches]).reshape(2, 3)
    assert widths[0] == pytest.approx([2 / 3, 1 / 2, 0])
    assert widths.sum(axis=0) == pytest.approx([1, 1, 1])


def test_pictures_of_any_shape_become_squares_without_distortion():
    tall, wide = np.ones((40, 20), np.uint8), np.ones((20, 40), np.uint8)
    axes = plots.contact_sheet([tall, wide], ["$a$", "b"], columns=3).axes
    assert [axis.images[0].get_array().shape for axis in axes[:2]] == [(40, 40), (40, 40)]
    assert axes[0].get_title() == "$a$"
    assert not axes[2].images
