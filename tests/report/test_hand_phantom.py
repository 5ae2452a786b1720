import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb

from osteolib.phantoms.hand.shapes import BONES
from osteolib.report import hand_phantom
from osteolib.segment.shaft_profile import ACROSS
from osteolib.stats import bootstrap_ci

USES = "hand-phantom"


def hand() -> np.ndarray:
    labels = np.zeros((200, 160), np.uint8)
    for k in range(len(BONES)):
        labels[40:150, 8 + 20 * k : 22 + 20 * k] = k + 1
    return labels


def test_a_painted_bone_has_its_colour_and_the_rest_stays_grey():
    film = np.full((200, 160), 51, np.uint8)
    shown = hand_phantom.painted(film, hand(), alpha=0.5)
    np.testing.assert_allclose(shown[0, 0], 0.2)
    np.testing.assert_allclose(shown[50, 10], 0.1 + 0.5 * np.array(to_rgb(hand_phantom.BONE_COLOURS["ulna"])))


def test_the_figures_of_masks_and_annotators_name_what_they_show():
    labels = hand()
    few = np.where(labels > 5, 0, labels)
    fig = hand_phantom.masks_figure([np.zeros_like(labels)] * 2, [labels, few])
    assert [axis.get_title(loc="left") for axis in fig.axes] == ["7 bones", "5 bones"]
    assert [t.get_text() for t in fig.legends[0].get_texts()] == list(BONES)
    fig = hand_phantom.annotators_figure(np.zeros_like(labels), labels, {"tight": few, "loose": labels})
    assert [axis.get_title(loc="left") for axis in fig.axes] == ["tight, weight 0.3", "loose, weight 0.3"]


def test_annotators_stray_in_the_direction_of_their_style():
    table = hand_phantom.annotators_table(
        pd.DataFrame({"image_id": ["a", "b"], "spacing_mm": 0.42}), {"a": hand(), "b": hand()}, np.random.default_rng(0)
    )
    area = table["area / true area"]
    assert area["shafts"] < area["tight"] < area["smooth"] < area["loose"]
    assert table["Dice with the truth"].idxmax() == "smooth"
    assert table["weight"].sum() == pytest.approx(1)


def test_curves_are_means_of_thirds_with_the_true_canal_dotted():
    percentage = np.repeat([0.4, 0.5, 0.6], 2)
    profiles = percentage[:, None] + np.zeros_like(ACROSS)
    axis = hand_phantom.profile_figure(profiles, percentage).axes[0]
    curves = [line for line in axis.lines if len(line.get_xdata()) == 141]
    assert [line.get_ydata()[0] for line in curves] == pytest.approx([0.4, 0.5, 0.6])
    dotted = sorted(line.get_xdata()[0] for line in axis.lines if line.get_linestyle() == ":")
    assert dotted == pytest.approx([-0.6, -0.5, -0.4, 0.4, 0.5, 0.6])


def test_published_sensitivities_are_dashed_beside_the_law():
    check = pd.DataFrame({"class": ["osteopenia", "osteoporosis"], "published_sensitivity": [0.88, 1.0]})
    grid = np.linspace(0.3, 0.9, 4)
    axis = hand_phantom.studies_figure(grid, np.column_stack([grid, grid**2]), check, 0.54, (0.44, 0.63)).axes[0]
    dashed = [line.get_ydata()[0] for line in axis.lines if line.get_linestyle() == "--"]
    assert dashed == [0.88, 1.0]
    np.testing.assert_allclose(axis.lines[3].get_ydata(), grid**2)


def test_what_is_known_becomes_rows_and_facts(run):
    truth = np.repeat([0, 1], 20)
    honest = {name: bootstrap_ci(truth, truth * shift + np.arange(40) % 20, "auroc", n_boot=100, seed=0)
              for name, shift in (("blind", 0), ("people", 10), ("cortex", 30))}  # fmt: skip
    hand_phantom.show_known(run, honest, {"film": 0.84, "and people": 0.9})
    assert [row["value"] for row in run.rows] == pytest.approx([0.5, 1 - 50 / 400, 1, 0.84, 0.9])
    assert [row["n"] for row in run.rows] == [40, 40, 40, 50_000, 50_000]
    assert np.isnan(run.rows[3]["ci_low"])
    assert (run.facts["attainable"], run.facts["covariates"], run.facts["cortex"]) == (0.84, 0.9, 1)


@pytest.mark.parametrize(("slope", "other", "word"), [(1.2, 1.6, "can"), (0.5, 1.6, "cannot"), (1.2, 0.9, "cannot")])
def test_whether_two_studies_hold_together_follows_from_the_r_that_both_would_need(run, tmp_path, slope, other, word):
    check = pd.DataFrame({"class": ["osteopenia", "osteoporosis"], "below": [0.6, 0.5]})
    for kind in ("sensitivity", "specificity"):
        check = check.assign(**{kind: [0.7, 0.6], f"published_{kind}": [0.6, 1.0]})
    grid = np.linspace(0.3, 1, 71)
    curves = np.column_stack([slope * grid, other * grid])
    hand_phantom.show_studies(run, grid, curves, check, (0.44, 0.63))
    assert run.facts["together"] == word  # 0.6 is reached at r = 0.6 / slope, 0.995 at r = 0.995 / other
    assert run.facts["need_porosis"] == ("r = 0.63" if other > 1 else "more than r = 1.00")
    assert pd.read_csv(tmp_path / "thresholds.csv")["sensitivity: published"].tolist() == [0.6, 1.0]
