import numpy as np
import pandas as pd
import pytest
import torch

from osteolib.explain.heatmaps import cascading_randomisation, grad_cam
from osteolib.explain.hip_heatmaps import (
    FROM_THE_TOP,
    LAST,
    HipScore,
    class_scores,
    covered,
    score_weights,
    squares_on_black,
    true_necks,
)
from osteolib.phantoms.hip.truth import FEMUR as FEMUR_BIT
from osteolib.phantoms.hip.truth import NECK
from osteolib.radiograph import to_tensor_range
from osteolib.screen.sub_clusters import fit_sub_clusters
from osteolib.screen.triplet import N_FEATURES, TripletNet, describe

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (3, 64, 64), dtype=np.uint8)
FEMUR = np.zeros((3, 64, 64), bool)
FEMUR[:, 8:56, 20:48] = True
SQUARES = squares_on_black(IMAGES, FEMUR)


def network(seed=0):
    torch.manual_seed(seed)
    return TripletNet().eval()


@pytest.fixture(scope="module")
def clusters():
    x = RNG.normal(size=(300, N_FEATURES + 3))
    t = -2.6 + 0.8 * x[:, :4].sum(1) / 2 + 0.3 * RNG.normal(size=300)
    return fit_sub_clusters(x, t)


def test_the_score_is_the_log_odds_of_the_pipeline(clusters):
    """Up to one number for all, which age, BMI and sex of the person and the offsets give."""
    weight = score_weights(clusters)
    features = describe(network(), IMAGES, FEMUR)
    covariates = np.tile(RNG.normal(size=3), (3, 1))
    p = clusters.score(np.column_stack([features, covariates]))
    found = HipScore(network(), weight)(torch.from_numpy(to_tensor_range(SQUARES))[:, None]).screen
    left = np.log(p / (1 - p)) - found.detach().numpy()
    assert np.ptp(left) < 1e-3
    assert np.ptp(found.detach().numpy()) > 10 * np.ptp(left)


def test_weights_are_those_of_the_scaler_the_plane_and_the_boundary(clusters):
    x = RNG.normal(size=(2, N_FEATURES + 3))
    x[1, N_FEATURES:] = x[0, N_FEATURES:]
    p = clusters.score(x)
    odds = np.log(p / (1 - p))
    assert odds[1] - odds[0] == pytest.approx(score_weights(clusters) @ (x[1] - x[0])[:N_FEATURES], rel=1e-6)


def test_outside_the_femur_the_square_is_black():
    assert (SQUARES[~FEMUR] == 0).all() and (SQUARES[FEMUR] == IMAGES[FEMUR]).all()


def test_it_is_explained_as_the_knees_network_is():
    model = HipScore(network(), RNG.normal(size=N_FEATURES))
    for layer, guided in ((LAST, False), ("block4", False), (LAST, True)):
        maps = grad_cam(model, SQUARES, layer, guided)
        assert maps.shape == SQUARES.shape and maps.min() >= 0 and maps.max() > 0


def test_a_weight_of_nothing_explains_nothing():
    assert grad_cam(HipScore(network(), np.zeros(N_FEATURES)), SQUARES, LAST).max() == 0


def test_it_can_be_undone_from_the_answer_to_the_film():
    model, other = HipScore(network(0), RNG.normal(size=N_FEATURES)), HipScore(network(1))
    checked = cascading_randomisation(model, other, SQUARES, LAST, parts=FROM_THE_TOP)
    assert checked["part"].unique().tolist() == list(FROM_THE_TOP)
    left = {name.split(".")[0] for name in model.state_dict()}
    assert left == set(FROM_THE_TOP)  # nothing that was learned stays
    same = cascading_randomisation(model, model, SQUARES, LAST, parts=FROM_THE_TOP)
    assert same["ssim"].to_numpy() == pytest.approx(1)


def test_a_neck_is_cut_as_its_film_and_a_left_one_is_mirrored(tmp_path):
    """A square femur on a film in either half, its neck in one corner."""
    truth = np.zeros((100, 200), np.uint8)
    for left in (20, 130):
        truth[30:80, left : left + 50] = FEMUR_BIT
    truth[30:55, 45:70] |= NECK  # the inner upper quarter of the patient's right femur
    truth[30:55, 130:155] |= NECK  # and of the left one
    np.savez(tmp_path / "masks.npz", film=truth)
    hips = pd.DataFrame({"side": ["right", "left"], "image_id": "film", "masks_path": str(tmp_path / "masks.npz")})
    right, left = true_necks(hips, 40)
    assert (np.abs(right.mean() - 0.25 / 1.15**2) < 0.02) and right[:20, 20:].sum() > 0.9 * right.sum()
    assert np.mean(right != left) < 0.05


def test_what_is_covered_is_the_femurs_mean_and_nothing_else_changes():
    region = np.zeros_like(FEMUR)
    region[:, :30] = True
    found = covered(IMAGES, FEMUR, region)
    for before, after, bone in zip(SQUARES, found, FEMUR, strict=True):
        assert set(after[:30][bone[:30]]) == {round(before[bone].mean())}
        assert (after[30:] == before[30:]).all() and (after[~bone] == 0).all()
    assert (covered(IMAGES, FEMUR, np.zeros_like(FEMUR)) == SQUARES).all()


def test_scores_do_not_depend_on_the_batch():
    model = HipScore(network(), RNG.normal(size=N_FEATURES))
    together = class_scores(model, np.tile(SQUARES, (40, 1, 1)))
    assert together.shape == (120,)
    assert together[:3] == pytest.approx(class_scores(model, SQUARES[:3]), abs=1e-5)
    assert together[:3] == pytest.approx(together[-3:], abs=1e-5)
