from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from osteolib.phantoms.hand.shapes import BONES
from osteolib.screen.hand_shortcuts import directions, look, shortcuts
from osteolib.segment import real_metacarpals as module
from osteolib.segment.real_metacarpals import real_metacarpals


@pytest.fixture
def bones(points, tmp_path, monkeypatch):
    """Three films, the second without keypoints; the last in the table is the youngest."""
    monkeypatch.setattr(module, "read_keypoints", lambda image_id, shape: points)
    rows = []
    for k, (months, marked) in enumerate([(90, True), (30, False), (20, True)]):
        path = tmp_path / f"{k}.png"
        Image.fromarray(np.random.default_rng(k).integers(40, 255, (280, 220 + k), dtype=np.uint8)).save(path)
        rows.append({"image_id": f"hand{k}", "path": str(path), "bone_age_months": months, "has_keypoints": marked})
    return real_metacarpals(SimpleNamespace(subjects=pd.DataFrame(rows), fingerprint="abc"), 64)


def test_hands_with_keypoints_from_the_youngest_and_an_image_for_each_bone(bones):
    assert bones.hands["image_id"].tolist() == ["hand2", "hand0"]
    assert bones.table["bone"].tolist() == ["M1", "M2", "M3", "M4", "M5"] * 2
    assert bones.table["hand"].tolist() == [0] * 5 + [1] * 5
    assert bones.images.shape == (10, 64, 64) and bones.images.dtype == np.uint8
    assert bones.missing.empty
    assert bones.raw[0].shape == bones.masks[0].shape == (280, 222)


def test_a_bone_image_is_zero_where_its_capsule_is_not(bones):
    cut, number = bones.cut[0], BONES.index("M3") + 1
    top, left, side = cut.boxes["M3"]
    window = np.zeros((side, side), bool)
    for y, x in np.argwhere(bones.masks[0] == number):
        window[y - top, x - left] = True
    assert (bones.images[2] > 0).mean() == pytest.approx(window.mean(), abs=0.05)


def test_shortcuts_hold_what_they_are_called(bones):
    columns = shortcuts(bones, 32)
    assert columns["film: height and width"].to_numpy().tolist() == [[280, 222], [280, 220]]
    grey = columns["film: mean and SD of grey"].to_numpy()
    assert grey == pytest.approx(np.array([[film.mean(), film.std()] for film in bones.raw]))
    length = np.linalg.norm(np.diff(bones.axes[0]["M3"], axis=0))
    assert columns["length of M3, pixels (unseen)"]["M3"].tolist() == pytest.approx([length] * 2)
    assert all(len(frame) == 2 for frame in columns.values())
    assert all(isinstance(name, str) for frame in columns.values() for name in frame)


def test_a_flat_bone_has_no_spread_and_no_edges():
    image = np.zeros((64, 64), np.uint8)
    image[8:56, 8:56] = 100
    assert look(image, 64) == pytest.approx((100, 0, 0))


def test_directions_are_unit_vectors_and_nan_for_a_bone_without_axis():
    axes = {"M1": np.array([[0.0, 0.0], [3.0, 4.0]])}
    assert directions(axes)[:2] == pytest.approx([0.6, 0.8])
    assert np.isnan(directions(axes)[2:]).all()
