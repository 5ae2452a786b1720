import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from osteolib.phantoms.hip.truth import FEMUR
from osteolib.screen.hip_outlined import outlined_hips, outlined_t_scores
from osteolib.screen.triplet import N_FEATURES, TripletNet, describe
from osteolib.segment.hip_squares import hip_square
from osteolib.segment.mask_rcnn import HipFound
from osteolib.views.hip_views import hip_images

torch.set_num_threads(1)
SIZE = 32


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    """Two films of two hips each, block-like femurs with a grain; rows in no order."""
    folder, rng = tmp_path_factory.mktemp("films"), np.random.default_rng(0)
    truth = np.zeros((120, 160), np.uint8)
    truth[30:110, 35:55] = truth[30:110, 105:125] = FEMUR
    truth[30:50, 25:65] = truth[30:50, 95:135] = FEMUR
    for name in "ab":
        film = (60 + 100 * (truth > 0) + rng.normal(0, 9, truth.shape)).clip(0, 255).astype(np.uint8)
        Image.fromarray(film).save(folder / f"{name}.png")
    np.savez(folder / "masks.npz", a=truth, b=truth)
    hips = pd.DataFrame([(f"{i}-{side}", i, side, str(folder / f"{i}.png"), str(folder / "masks.npz"))
                         for side in ("left", "right") for i in "ab"],
                        columns=["unit_id", "image_id", "side", "path", "masks_path"], index=[4, 9, 2, 7])  # fmt: skip
    return hips, truth > 0


def detector(femur, lost=None):
    """Truth as found; ``lost`` of the calls in turn has no femur on the right."""
    calls = []

    def find(pixels):
        calls.append(pixels)
        found = []
        for side, half in (("right", np.s_[:, :80]), ("left", np.s_[:, 80:])):
            own = np.zeros_like(femur)
            own[half] = femur[half]
            if len(calls) - 1 == lost and side == "right":
                found.append(HipFound(side, {"femur": 0.1, "joint": 0.0, "screw": 0.0}, {}, None, "no femur"))
            else:
                scores = {"femur": 0.9, "joint": 0.0, "screw": 0.0}
                found.append(HipFound(side, scores, {"femur": own}, hip_square(own, side)))
        return tuple(found)

    return find


class Sums:
    """The T-score is the first feature and the age."""

    def predict(self, x):
        return pd.DataFrame({"t_score": x[:, 0] + x[:, N_FEATURES]})


def test_true_outlines_that_are_found_give_the_squares_of_the_training(films, tmp_path, monkeypatch):
    monkeypatch.setattr("osteolib.runs.store.STORE", tmp_path)
    hips, femur = films
    images, inside = hip_images(hips, SIZE)
    found = outlined_hips(detector(femur), hips, SIZE)
    np.testing.assert_array_equal(found.images, images)
    np.testing.assert_array_equal(found.femur, inside)
    assert found.table.index.tolist() == [4, 9, 2, 7] and (found.table["iou"] == 1).all() and found.there.all()


def test_a_hip_that_is_not_found_has_no_t_score_and_others_keep_theirs(films):
    hips, femur = films
    found = outlined_hips(detector(femur, lost=0), hips, SIZE)
    assert found.table["reason"].tolist() == ["", "", "right hip: no femur", ""]
    assert found.table["iou"].tolist() == [1, 1, 0, 1]
    network = TripletNet().eval()
    x = np.column_stack([np.full((4, N_FEATURES), 99.0), [50.0, 60.0, 70.0, 80.0], np.zeros((4, 2))])
    said = outlined_t_scores(found, network, Sums(), x)
    features = describe(network, found.images, found.femur)[:, 0]
    assert np.isnan(said[2])
    np.testing.assert_allclose(said[[0, 1, 3]], (features + x[:, N_FEATURES])[[0, 1, 3]], rtol=1e-5)


def test_a_smaller_outline_has_its_overlap(films):
    hips, femur = films
    small = femur & (np.arange(120)[:, None] < 90)
    found = outlined_hips(detector(small), hips, SIZE)
    assert found.table["iou"].tolist() == pytest.approx([small.sum() / femur.sum()] * 4)
