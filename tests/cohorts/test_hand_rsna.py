import json

import numpy as np
import pytest
import yaml

from osteolib.cohorts import DataNotFound, load_cohort
from osteolib.cohorts.hand_rsna import read_keypoints
from osteolib.cohorts.manifest import FOLDER

REAL = yaml.safe_load((FOLDER / "hand-rsna.yaml").read_text())
ROWS = ("7,images/7.jpg,180,F,1", "8,images/8.jpg,57,M,0", "9,images/9.jpg,24,F,1")
ABSENT = [0.0] * 63


@pytest.fixture
def hands(world):
    """Write a folder like the real one: three films, two of them with keypoints on originals of 320 x 400 pixels."""

    def make(rows=ROWS, **fields):
        for seed, name in enumerate("789"):
            world.film(f"hand-rsna/images/{name}.jpg", seed)
        folder = world.data / "hand-rsna"
        (folder / "subjects.csv").write_text("\n".join(["image_id,file,bone_age_months,sex,has_keypoints", *rows]))
        left = np.column_stack([np.arange(21), 10 + np.arange(21), np.full(21, 2)]).astype(float)
        left[4] = 0
        about = {"width": 320, "height": 400}
        annotated = [
            {"image_id": "7", "left": left.ravel().tolist(), "right": ABSENT, "left_valid": True} | about,
            {"image_id": "9", "left": ABSENT, "right": left.ravel().tolist(), "left_valid": False} | about,
        ]
        (folder / "keypoints.json").write_text(json.dumps({"hands": annotated}))
        world.manifest("hand-rsna", **{key: REAL[key] for key in ("reader", "table")} | fields)

    return make


def test_a_row_per_hand_with_bone_age_and_neither_age_nor_label(hands, world):
    hands()
    cohort = load_cohort("hand-rsna")
    subjects = cohort.subjects.set_index("subject_id")
    assert subjects.bone_age_months.to_dict() == {"7": 180, "8": 57, "9": 24}
    assert subjects.sex.tolist() == ["F", "M", "F"]
    assert subjects.has_keypoints.tolist() == [True, False, True]
    assert (subjects.side == "left").all() and (subjects.unit == "hand").all()
    assert subjects[["age_years", "t_score", "label"]].isna().all(axis=None)
    assert subjects.path["8"] == str(world.data / "hand-rsna" / "images" / "8.jpg")
    assert "2.0 to 15.0 years" in cohort.notes[0]


def test_each_child_is_a_group_of_its_own_but_for_films_that_are_one_picture(hands, world):
    hands()
    assert load_cohort("hand-rsna").subjects.split_group.nunique() == 3
    world.film("hand-rsna/images/9.jpg", seed=0)
    folder = world.data / "hand-rsna"
    files = [world.entry(path, folder) for path in sorted(folder.rglob("*")) if path.is_file()]
    world.manifest("hand-rsna", **{key: REAL[key] for key in ("reader", "table")}, files=files)
    groups = load_cohort("hand-rsna").subjects.set_index("subject_id").split_group
    assert groups["9"] == groups["7"] != groups["8"]


@pytest.mark.parametrize("image_id", ["7", "9"])
def test_keypoints_are_scaled_to_the_stored_film_and_missing_where_not_marked(hands, image_id):
    hands()
    points = read_keypoints(image_id, (200, 160))
    marked = np.delete(np.arange(21), 4)
    np.testing.assert_allclose(points[marked], np.column_stack([marked / 2, (10 + marked) / 2]))
    assert points.shape == (21, 2) and np.isnan(points[4]).all()


def test_a_hand_without_keypoints_is_named(hands):
    hands()
    with pytest.raises(ValueError, match="hand-rsna: 8 has no keypoints"):
        read_keypoints("8", (200, 160))


def test_without_files_the_source_is_named(hands, monkeypatch):
    hands()
    monkeypatch.delenv("OSTEO_DATA")
    with pytest.raises(DataNotFound, match="OSTEO_DATA"):
        read_keypoints("7", (200, 160))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("10,images/10.jpg,24,F,0", "row 5: no film images/10.jpg"),
        ("7,images/8.jpg,24,F,0", "rows 2, 5, image_id: '7' appears more than once"),
        ("10,images/10.jpg,1800,F,0", "row 5, bone_age_months: '1800.0' must lie between 1 and 240"),
        ("10,images/10.jpg,24,girl,0", "row 5, sex: 'girl' must be one of F, M"),
    ],
)
def test_a_broken_row_is_named(hands, row, message):
    hands([*ROWS, row])
    with pytest.raises(ValueError, match=r"^subjects\.csv: .*" + message):
        load_cohort("hand-rsna")
