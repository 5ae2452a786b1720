import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from osteolib.phantoms.hand.shapes import BONES
from osteolib.segment import real_hands
from osteolib.segment.prompts import Predictor, axes_from_keypoints, decode_rle
from osteolib.segment.real_hands import METACARPALS, annotated_hands, annotated_phantoms


@pytest.fixture
def store(points, tmp_path, monkeypatch):
    monkeypatch.setattr("osteolib.runs.store.STORE", tmp_path / "store")
    monkeypatch.setattr(real_hands, "read_keypoints", lambda image_id, shape: points)
    return tmp_path / "store"


@pytest.fixture
def hands(tmp_path):
    """Seven films of noise, one of them without keypoints; bone ages out of order."""
    rows = []
    for k, months in enumerate([90, 30, 60, 10, 120, 180, 20]):
        path = tmp_path / f"{k}.png"
        Image.fromarray(np.random.default_rng(k).integers(0, 255, (280, 220), dtype=np.uint8)).save(path)
        rows.append(
            {"image_id": f"hand{k}", "path": str(path), "bone_age_months": months, "has_keypoints": months != 60}
        )
    return pd.DataFrame(rows)


class Fake:
    """A segmenter that fills the box, and counts how often it is asked."""

    def __init__(self, weights="0"):
        self.asked, self.weights = 0, weights * 64

    def __call__(self):
        return Predictor("box", self.weights, self.predict)

    def predict(self, crop, prompt):
        self.asked += 1
        left, top, right, bottom = map(int, prompt.box)
        mask = np.zeros(crop.shape, bool)
        mask[top:bottom, left:right] = True
        return mask


def months(found, hands):
    return hands.set_index("image_id").bone_age_months[[hand.image_id for hand in found]].tolist()


def test_hands_are_spread_evenly_over_bone_age_and_those_without_keypoints_left_out(store, hands):
    fake = Fake()
    assert months(annotated_hands(hands, 3, fake), hands) == [10, 30, 180]  # ranks 0, 2.5 (to the even 2) and 5 of six
    assert months(annotated_hands(hands.sample(frac=1, random_state=1), 6, fake), hands) == [10, 20, 30, 90, 120, 180]
    assert months(annotated_hands(hands, 1, fake), hands) == [90]
    for n in (0, 7):
        with pytest.raises(ValueError, match=f"n = {n} hands asked for, but there are 6 with keypoints"):
            annotated_hands(hands, n, fake)


def test_a_record_for_every_bone_with_the_box_in_the_film(store, hands, points):
    (hand,) = annotated_hands(hands, 1, Fake())
    assert [record["bone"] for record in hand.records] == list(METACARPALS)
    np.testing.assert_array_equal(hand.pixels, np.asarray(Image.open(hands.path[0])))
    for record in hand.records:
        mask, axis = decode_rle(record["rle"]), axes_from_keypoints(points)[record["bone"]]
        assert mask.shape == hand.pixels.shape
        middle = np.argwhere(mask).mean(0)[::-1]  # a box around the axis has the axis's middle
        np.testing.assert_allclose(middle, axis.mean(0), atol=1.5)
        area = 1.06 * 2 * (0.21 if record["bone"] == "M1" else 0.14)  # the box in squared lengths of the axis
        assert mask.sum() / np.linalg.norm(axis[1] - axis[0]) ** 2 == pytest.approx(area, rel=0.05)
        assert record["reason"] and not record["accepted"]  # a box has no waist
        assert "reviewed" not in record
    (hand,) = annotated_hands(hands, 1, Fake(), bones=("M2",))
    assert [record["bone"] for record in hand.records] == ["M2"]


def test_what_is_stored_is_not_asked_again_until_film_weights_or_points_change(store, hands, points, monkeypatch):
    fake = Fake()
    first = annotated_hands(hands, 2, fake)
    assert fake.asked == 10
    again = annotated_hands(hands, 2, fake)
    assert fake.asked == 10 and [a.records for a in again] == [b.records for b in first]
    annotated_hands(hands, 6, fake)
    assert fake.asked == 30  # four new hands
    annotated_hands(hands, 2, other := Fake("1"))
    assert other.asked == 10
    Image.fromarray(np.random.default_rng(9).integers(0, 255, (280, 220), dtype=np.uint8)).save(
        hands.path[3]
    )  # the youngest
    annotated_hands(hands, 2, fake)
    assert fake.asked == 35
    monkeypatch.setattr(real_hands, "read_keypoints", lambda image_id, shape: points + 1)
    annotated_hands(hands, 2, fake)
    assert fake.asked == 45


def test_a_killed_run_goes_on_with_the_hand_it_was_at(store, hands):
    fake = Fake()

    class Killed(Fake):
        def predict(self, crop, prompt):
            if self.asked == 7:
                raise KeyboardInterrupt
            return super().predict(crop, prompt)

    with pytest.raises(KeyboardInterrupt):
        annotated_hands(hands, 3, Killed())
    found = annotated_hands(hands, 3, fake)
    assert fake.asked == 10  # the first hand was whole, the second's two masks are made anew
    assert [len(hand.records) for hand in found] == [5, 5, 5]
    assert len([p for p in store.glob("annotated-hand/*/records.json") if json.loads(p.read_text())]) == 3


def test_a_phantom_is_prompted_along_its_true_bones(store, tmp_path):
    labels = np.zeros((280, 220), np.uint8)
    labels[60:200, 90:110] = BONES.index("M2") + 1
    labels[210:270, 90:110] = BONES.index("radius") + 1
    Image.fromarray((np.where(labels, 200, 30) + np.arange(220) % 16).astype(np.uint8)).save(tmp_path / "film.png")
    np.savez(tmp_path / "masks.npz", film=labels)
    row = {"image_id": "film", "path": str(tmp_path / "film.png"), "masks_path": str(tmp_path / "masks.npz")}
    (hand,) = annotated_phantoms(pd.DataFrame([row]), Fake())
    (record,) = hand.records  # the radius is not asked for
    assert record["bone"] == "M2"
    np.testing.assert_allclose(record["prompt"]["axis"], [[99.5, 199.5], [99.5, 59.5]], atol=1)


def test_bad_hands_are_named(store, hands, monkeypatch):
    monkeypatch.setattr(real_hands, "read_keypoints", lambda image_id, shape: np.full((21, 2), np.nan))
    with pytest.raises(ValueError, match="no axis of a bone: no hand was found"):
        annotated_hands(hands, 1, Fake())
    assert not list(store.glob("annotated-hand/*/records.json"))
