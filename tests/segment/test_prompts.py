import json
from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import array_shapes, arrays

from osteolib.cohorts import load_cohort
from osteolib.phantoms.hand.shapes import BONES
from osteolib.phantoms.hand.truth import read_masks
from osteolib.radiograph import read_radiograph
from osteolib.segment.prompts import (
    Predictor,
    Rules,
    annotate_bones,
    axes_from_keypoints,
    axes_from_masks,
    decode_rle,
    encode_rle,
    label_map,
    lite_medsam,
    prompt_for,
    segment_anything,
    verdict,
)

AXIS = np.array([[60.0, 180.0], [60.0, 20.0]])  # x and y: upright, 160 long


def bone(half=12.0, waist=0.6, axis=AXIS, shape=(200, 120)):
    """A rod along an axis, narrower in the middle."""
    y, x = np.indices(shape)
    length = np.linalg.norm(axis[1] - axis[0])
    up = (axis[1] - axis[0]) / length
    u = ((x - axis[0, 0]) * up[0] + (y - axis[0, 1]) * up[1]) / length
    v = (x - axis[0, 0]) * up[1] - (y - axis[0, 1]) * up[0]
    return (np.abs(v) < half * (waist + (1 - waist) * (2 * u - 1) ** 2)) & (u > 0) & (u < 1)


def threshold(crop, prompt):
    """A predictor that sees what is bright inside the box."""
    left, top, right, bottom = map(int, prompt.box)
    mask = np.zeros(crop.shape, bool)
    mask[top:bottom, left:right] = crop[top:bottom, left:right] > 127
    return mask


FAKE = Predictor("threshold", "0" * 64, threshold)


@settings(deadline=None, max_examples=50)
@given(arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=9)))
def test_run_lengths_give_the_mask_back(mask):
    rle = json.loads(json.dumps(encode_rle(mask)))
    assert sum(rle["counts"]) == mask.size
    np.testing.assert_array_equal(decode_rle(rle), mask)


def test_run_lengths_are_those_of_coco():
    """Column by column, zeros first: 1 0 / 1 1 is 0 zeros, 2 ones, 1 zero, 1 one."""
    assert encode_rle([[1, 0], [1, 1]]) == {"size": [2, 2], "counts": [0, 2, 1, 1]}


@pytest.mark.parametrize("degrees", [0, 25, -40, 90, 170])
def test_the_crop_is_upright_and_the_prompt_lies_on_the_bone(degrees):
    turn = np.radians(degrees)
    axis = np.array([300, 400]) + 80 * np.array([[0, 0], [np.sin(turn), -np.cos(turn)]])
    aside = 30 * np.array([np.cos(turn), np.sin(turn)])
    prompt, matrix = prompt_for("M2", {"M2": axis, "M3": axis + aside})
    corners = np.array([[128, 208, 1], [128, 48, 1]]) @ matrix.T  # 256 / 1.6 = 160 pixels of crop are one length
    np.testing.assert_allclose(corners, axis, atol=1e-9)
    assert np.linalg.det(matrix[:, :2]) > 0  # never mirrored
    left, top, right, bottom = prompt.box
    inside = (prompt.negative > (left, top)).all(1) & (prompt.negative < (right, bottom)).all(1)
    assert not inside.any() and len(prompt.negative) >= 6
    assert ((prompt.positive > (left, top)) & (prompt.positive < (right, bottom))).all()
    middle = np.linalg.solve(matrix[:, :2], (axis + aside).mean(0) - matrix[:, 2])
    assert np.isclose(prompt.negative, middle).all(1).any()  # the neighbour is marked as outside


def test_axes_from_keypoints_follow_the_drawn_hand_and_leave_out_what_is_not_marked():
    points = np.full((21, 2), np.nan)
    points[[0, 1, 2]] = [0, 0], [30, -20], [60, -60]
    points[[5, 9, 13, 17]] = [25, -100], [0, -100], [-20, -90], [-40, -80]
    axes = axes_from_keypoints(points)
    assert tuple(axes) == ("M1", "M2", "M3", "M4", "M5")
    np.testing.assert_allclose(axes["M3"], [[0.02 * 65, -33 - 0.02 * 20], [0, -100]])  # -100 + 0.67 * 100, and b
    points[9] = np.nan
    assert tuple(axes_from_keypoints(points)) == ("M1", "M2", "M4", "M5")
    points[0] = np.nan
    assert tuple(axes_from_keypoints(points)) == ("M1",)
    with pytest.raises(ValueError, match=r"shape \(21, 2\)"):
        axes_from_keypoints(points[:20])


def test_axes_from_masks_are_the_ends_of_the_bones():
    labels = np.where(bone(), BONES.index("M2") + 1, 0)
    axes = axes_from_masks(labels)
    assert tuple(axes) == ("M2",)
    np.testing.assert_allclose(axes["M2"], AXIS, atol=2)


def test_each_rule_rejects_what_it_is_for():
    good, rules = bone(), Rules()
    other = np.zeros_like(good)

    def reason(mask, other=other):
        return verdict("M2", {"M2": mask, "M3": other}, AXIS, rules)

    holed, island, half = good.copy(), good.copy(), good.copy()
    holed[80:120] = False
    island[:60, 100:] = True
    half[100:] = False
    assert reason(good) == ""
    assert reason(other).startswith("area 0.00")
    assert reason(np.ones_like(good)).startswith("area 0.94")
    assert reason(bone(half=60, waist=0.3) & (np.indices(good.shape)[0] < 140)).startswith(("area", "elongation"))
    assert reason(holed).endswith("covered, less than 90%")
    assert reason(half)
    assert reason(bone(half=14, waist=1)).startswith("no waist: 100%")
    assert reason(island).startswith(("elongation", "largest piece"))
    assert reason(good, np.roll(good, 8, axis=1)).endswith("more than 5%")
    assert verdict("M2", {"M2": good}, AXIS, rules) == ""


def test_a_known_bone_comes_back_through_the_crop_with_its_provenance():
    axis = np.array([[150.0, 260.0], [210.0, 60.0]])
    truth = bone(half=16, axis=axis, shape=(320, 300))
    pixels = np.where(truth, 200, 40).astype(np.uint8)
    records = json.loads(json.dumps(annotate_bones(pixels, {"M3": axis}, FAKE)))
    (record,) = records
    found = decode_rle(record["rle"])
    assert (found & truth).sum() / (found | truth).sum() > 0.9
    assert (record["bone"], record["accepted"], record["reason"], record["model"]) == ("M3", True, "", "threshold")
    assert record["prompt"]["axis"] == axis.tolist() and record["weights_sha256"] == "0" * 64
    assert record["rules"]["waist"] == asdict(Rules())["waist"]
    assert "reviewed" not in record  # nobody has looked
    np.testing.assert_array_equal(label_map(records) == BONES.index("M3") + 1, found)
    strict = annotate_bones(pixels, {"M3": axis}, FAKE, replace(Rules(), elongation=50))
    assert not strict[0]["accepted"] and not label_map(strict).any()


def test_bad_input_is_named():
    pixels = np.zeros((200, 120), np.uint8)
    assert "area" in annotate_bones(pixels, {"M2": AXIS}, FAKE)[0]["reason"]  # a constant image: nothing is found
    with pytest.raises(ValueError, match="no axis of a bone"):
        annotate_bones(pixels, {}, FAKE)
    with pytest.raises(ValueError, match="M2: its axis leaves the image"):
        annotate_bones(pixels, {"M2": AXIS + 100}, FAKE)
    with pytest.raises(ValueError, match="unsigned integers"):
        annotate_bones(pixels.astype(float), {"M2": AXIS}, FAKE)


def test_a_checkpoint_of_sam_with_the_wrong_hash_is_refused(tmp_path):
    path = tmp_path / "sam_vit_b_01ec64.pth"
    path.write_bytes(b"not the weights")
    with pytest.raises(ValueError, match=r"^sam_vit_b_01ec64\.pth: sha256 .* is not .* published weights, ec2df"):
        segment_anything(str(path))
    with pytest.raises(ValueError, match="no SAM model 'vit_x'"):
        segment_anything(str(path), "vit_x")


def test_sam_is_given_the_points_and_its_best_mask_is_taken(monkeypatch):
    told = {}

    class Network:
        def load_state_dict(self, weights):
            assert weights == {"a": 1}

    class Sam:
        def __init__(self, network):
            assert isinstance(network, Network)

        def set_image(self, image):
            told["image"] = image

        def predict(self, points, labels):
            told["points"], told["labels"] = points, labels
            return np.array([np.zeros((256, 256)), np.ones((256, 256))], bool), np.array([0.2, 0.9]), None

    monkeypatch.setattr("segment_anything.SamPredictor", Sam)
    monkeypatch.setattr("segment_anything.sam_model_registry", {"vit_b": Network})
    monkeypatch.setattr("osteolib.segment.prompts.published_weights", lambda path, sha256: {"a": 1})
    predictor = segment_anything("checkpoint.pth")
    prompt, _ = prompt_for("M2", {"M2": AXIS})
    assert predictor.predict(np.zeros((256, 256), np.uint8), prompt).all()
    assert told["image"].shape == (256, 256, 3)
    assert told["labels"].tolist() == [True] * 3 + [False] * 6
    assert predictor.weights_sha256.startswith("ec2df627")


def test_lite_medsam_outlines_the_first_metacarpal_of_a_phantom(tmp_path, monkeypatch):
    monkeypatch.setattr("osteolib.runs.store.STORE", tmp_path)
    hand = load_cohort("hand-phantom", n_subjects=1, seed=5, size=400).subjects.iloc[0]
    labels = read_masks(hand.masks_path, hand.image_id)
    axes = {"M1": axes_from_masks(labels)["M1"]}
    (record,) = annotate_bones(read_radiograph(hand.path).pixels, axes, lite_medsam())
    found, truth = decode_rle(record["rle"]), labels == BONES.index("M1") + 1
    assert (found & truth).sum() / (found | truth).sum() > 0.6
    assert record["weights_sha256"].startswith("79d8c9dc")
