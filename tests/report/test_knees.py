import numpy as np
import pandas as pd
import pytest
from PIL import Image

from osteolib.report import knees
from osteolib.report.published import load_published

USES = "knee-wani"

LABELS = ["normal"] * 10 + ["osteopenia"] * 20 + ["osteoporosis"] * 10
PEOPLE = pd.DataFrame(
    {
        "label": LABELS,
        "sex": ["F", "M"] * 20,
        "age_years": np.linspace(20, 80, 40),
        "bmi_kg_m2": np.linspace(20, 35, 40),
        "t_score": np.linspace(0, -3.5, 40),
        "n_legs": [1, 2, 2, 2] * 10,
    }
)


def test_copies_are_groups_and_look_alikes_are_pairs_of_different_files():
    """a = b by content; c is 4 bits from a, d is 5 bits from both."""
    films = pd.DataFrame(
        {"image_id": list("abcd"), "sha256": ["x", "x", "y", "z"],
         "phash": ["0000000000000000", "0000000000000000", "000000000000000f", "1f00000000000000"]}
    )  # fmt: skip
    identical, near = knees.duplicate_groups(films)
    assert identical == [["a", "b"]]
    assert near == [("a", "c")]


def test_rows_for_table_3_answer_published_values_with_hand_computed_numbers(run):
    knees.record_baseline(run, PEOPLE)
    rows = pd.DataFrame(run.rows).set_index("published_id")
    assert set(rows.index) <= set(load_published(knees.PAPER)["published_id"])
    assert len(rows) == 3 * 4 + 4
    normal = PEOPLE[PEOPLE["label"] == "normal"]
    assert rows.loc["strnet2026_knee.T3.Normal.age", "value"] == pytest.approx(normal["age_years"].mean())
    assert rows.loc["strnet2026_knee.T3.Osteopenia.female_pct", "value"] == 0.5
    low, high = rows.loc["strnet2026_knee.T3.Osteopenia.female_pct", ["ci_low", "ci_high"]]
    assert low == pytest.approx(1 - high)  # Wilson's interval is symmetric at one half
    assert rows.loc["strnet2026_knee.T3.p.sex", "value"] == pytest.approx(1)  # the same share in every class


def test_counts_of_legs_are_recorded(run):
    knees.record_counts(run, PEOPLE)
    assert {r["published_id"].rsplit(".", 1)[1]: r["value"] for r in run.rows} == {
        "s2": 40,
        "s2_single": 10,
        "s2_bi": 30,
    }


def test_published_counts_stand_under_ours():
    table = knees.with_published_counts({"people": PEOPLE})
    assert table.loc["people"].tolist() == [10, 20, 10, 40]
    assert table.iloc[-1].tolist() == [34, 206, 69, 309]  # Table 3


def test_rare_sizes_become_other():
    films = pd.DataFrame({"width": [10, 10, 20, 30], "height": [10, 10, 10, 10]})
    assert knees.common_sizes(films, n=1).tolist() == ["10 × 10", "10 × 10", "other", "other"]


def test_a_thumbnail_shows_no_marker_and_nothing_in_a_box_given_by_hand(tmp_path):
    rng = np.random.default_rng(0)
    pixels = rng.integers(15, 30, (800, 600), dtype=np.uint8)
    pixels[:, 200:400] = rng.integers(110, 130, (800, 200), dtype=np.uint8)
    pixels[:, 260:340] = rng.integers(180, 200, (800, 80), dtype=np.uint8)
    pixels[100:140, 500:540] = 220  # a plate beside the leg
    pixels[700:712, 20:150:3] = 255  # text that only a person recognises
    Image.fromarray(pixels).save(tmp_path / "film.png")
    film = pd.Series({"path": str(tmp_path / "film.png"), "mask_boxes": [[0.0, 0.86, 0.3, 0.91]]})
    shown = knees.thumbnail(film, height=800).astype(int)
    background = np.median(shown[300:600, 450:590])
    assert abs(shown[100:140, 500:540] - background).max() < 40
    assert abs(shown[700:712, 20:150] - background).max() < 40
    assert shown[400, 300] - background > 100  # the leg is still there


def test_the_way_of_a_film_shows_sizes_and_outlines_of_legs_and_foreground():
    film = np.zeros((40, 60), np.uint8)
    pictures = {"film": film, "leg": film[:, :20], "input": np.zeros((32, 32), np.float32)}
    fig = knees.film_to_input(pictures, np.array([[0, 0, 20, 40], [30, 0, 60, 40]]), (2, 1, 18, 39))
    assert [axis.get_title() for axis in fig.axes] == ["film\n60 × 40", "leg\n20 × 40", "input\n32 × 32"]
    boxes = [[(*p.get_xy(), p.get_width(), p.get_height()) for p in axis.patches] for axis in fig.axes]
    assert boxes == [[(0, 0, 20, 40), (30, 0, 30, 40)], [(2, 1, 16, 38)], []]
