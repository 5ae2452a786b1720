"""From a file to a T-score a hip, with a detector that knows the truth and a pipeline fitted on planted features."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from osteolib.phantoms.dicom import write_dicom
from osteolib.radiograph import Radiograph, RadiographError
from osteolib.screen.hip_created import fit_like
from osteolib.screen.hip_score import reduced, score_hips, square_of, why_not
from osteolib.screen.sub_clusters import with_covariates
from osteolib.screen.triplet import N_FEATURES, TripletNet, describe
from osteolib.segment.hip_instances import eight_bit
from osteolib.segment.hip_squares import hip_square
from osteolib.segment.hip_usual import UsualHips, fit_usual
from osteolib.segment.mask_rcnn import HipFound
from osteolib.views.hip_views import right_hip

torch.set_num_threads(1)
SIZE, PERSON = 64, (70.0, 23.0, 1.0)  # age, BMI, sex


@pytest.fixture(scope="module")
def trained():
    """A network with random weights, and a pipeline whose T-score depends on features of that length."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    features = rng.normal(size=(400, N_FEATURES))
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    x = np.column_stack([features, rng.normal(70, 8, 400), rng.normal(23, 3, 400), rng.integers(0, 2, 400)])
    t = -2.6 + 8 * features[:, :4].sum(1) - 0.05 * (x[:, -3] - 70) + 0.2 * rng.normal(size=400)
    return TripletNet().eval(), fit_like()(x, t)


def pelvis(height=240, width=320):
    """Two femurs of a head, a neck, a trochanter and a shaft, mirror images of each other but for their grain."""
    rows, columns = np.mgrid[:height, : width // 2]
    head = (rows - 80) ** 2 + (columns - 110) ** 2 < 24**2
    neck = (np.abs(rows - 60 - 0.75 * (130 - columns)) < 16) & (columns > 55) & (columns < 115)
    shaft = (np.abs(columns - 62) < 18) & (rows > 75)
    half = head | neck | shaft
    femur = np.concatenate([half, half[:, ::-1]], 1)
    film = 60 + 90 * femur + np.random.default_rng(1).normal(0, 12, femur.shape)
    return film.clip(0, 255).round().astype(np.uint8), femur


def detector(femur, metal=None, absent=()):
    """Truth in the form of what is found; ``metal`` maps a side to joint or screw."""

    def find(pixels):
        assert pixels.shape == femur.shape and pixels.dtype == np.uint8
        found = []
        for side, half in (("right", np.s_[:, : femur.shape[1] // 2]), ("left", np.s_[:, femur.shape[1] // 2 :])):
            own = np.zeros_like(femur)
            own[half] = femur[half]
            kind = (metal or {}).get(side)
            masks = {"femur": own} | ({kind: own} if kind else {})
            scores = {"femur": 0.9, "joint": 0.0, "screw": 0.0} | ({kind: 0.8} if kind else {})
            one = HipFound(side, scores, masks, hip_square(own, side))
            if side in absent:
                one = HipFound(side, {"femur": 0.1}, {}, None, f"no femur found in the {side} half of the film")
            found.append(one)
        return tuple(found)

    return find


@pytest.fixture(scope="module")
def usual():
    """What the toy femurs, a little higher, lower, larger and smaller, are to a detector."""
    rng, films = np.random.default_rng(2), []
    _, femur = pelvis()
    for _ in range(20):
        moved = np.roll(femur, rng.integers(-6, 7), axis=0)
        height = 240 + 2 * int(rng.integers(-8, 9))
        moved = np.pad(moved, ((0, max(0, height - 240)), (0, 0)))[:height]
        films.append((moved.shape, detector(moved)(np.zeros(moved.shape, np.uint8))))
    return fit_usual(films)


EVERYTHING = UsualHips(np.zeros((5, 9)), np.ones(9), np.inf)
"""To whom nothing is strange: for tests of what else is asked."""


def score(trained, film, find, covariates=PERSON, usual=EVERYTHING):
    return score_hips(film, find, usual, *trained, covariates, size=SIZE)


def test_a_film_is_scored_as_step_by_step(trained):
    film, femur = pelvis()
    network, pipeline = trained
    for said, one in zip(score(trained, Radiograph(film), detector(femur)), detector(femur)(film), strict=True):
        image, mask = square_of(film, one, SIZE)
        x = with_covariates(describe(network, np.stack([image]), np.stack([mask])), [PERSON])
        alone = pipeline.predict(x).iloc[0]
        assert (said.side, said.reason, said.square) == (one.side, "", one.square)
        assert said.t_score == pytest.approx(alone["t_score"], abs=1e-4)
        assert said.score == pytest.approx(alone["score"], abs=1e-5)
        assert 0.2 < mask.mean() < 0.8 and image.shape == (SIZE, SIZE)


def test_a_larger_film_is_reduced_first_and_squares_are_told_in_its_own_pixels(trained):
    film, femur = pelvis()
    large = np.repeat(np.repeat(film, 3, 0), 3, 1)
    assert (reduced(large, 320) == film).all() and reduced(film, 400) is film
    small, found = (
        score_hips(Radiograph(f), detector(femur), EVERYTHING, *trained, PERSON, size=SIZE, film_width=320)
        for f in (film, large)
    )
    assert [one.t_score for one in found] == [one.t_score for one in small]
    assert found[0].square == tuple(3 * edge for edge in small[0].square)
    with pytest.raises(ValueError, match=r"its square is 61 mm wide"):
        about = Radiograph(large, spacing_mm=(0.2, 0.2))
        score_hips(about, detector(femur), EVERYTHING, *trained, PERSON, size=SIZE, film_width=320)


def test_a_mirrored_film_changes_the_sides_alone(trained):
    film, femur = pelvis()
    right, left = score(trained, Radiograph(film), detector(femur))
    other = score(trained, Radiograph(film[:, ::-1].copy()), detector(femur[:, ::-1]))
    assert [one.t_score for one in other] == pytest.approx([left.t_score, right.t_score], abs=0.02)
    assert right.t_score != left.t_score  # their grain differs


def test_png_and_dicom_give_one_score(trained, tmp_path):
    film, femur = pelvis()
    Image.fromarray(film).save(tmp_path / "hip.png")
    write_dicom(film, 1.0, tmp_path / "hip.dcm", None, "HIP")
    png, dicom = (score(trained, tmp_path / name, detector(femur)) for name in ("hip.png", "hip.dcm"))
    assert [one.t_score for one in png] == [one.t_score for one in dicom]
    deep = (film.astype(np.uint16) * 257) >> 2
    write_dicom(deep, 1.0, tmp_path / "deep.dcm", None, "HIP")
    assert all(one.t_score is not None for one in score(trained, tmp_path / "deep.dcm", detector(femur)))
    # a film of 16 bits is cut for training as it is cut for scoring
    for one in right_hip(deep, femur, "right", 40), right_hip(eight_bit(deep), femur, "right", 40):
        np.testing.assert_array_equal(one[0], right_hip(eight_bit(deep), femur, "right", 40)[0])


def test_age_and_sex_count(trained):
    film, femur = pelvis()
    young, old = (score(trained, Radiograph(film), detector(femur), (age, 23.0, 1.0)) for age in (55.0, 90.0))
    assert young[0].t_score > old[0].t_score  # as planted


def test_a_hip_behind_metal_is_not_scored_and_the_other_one_is(trained):
    film, femur = pelvis()
    right, left = score(trained, Radiograph(film), detector(femur, {"right": "joint"}))
    assert (right.t_score, right.score) == (None, None)
    assert right.reason == "right hip: obstructed by an artificial joint (score 0.80)"
    assert left.reason == "" and left.t_score is not None
    alone = score(trained, Radiograph(film), detector(femur))
    assert left.t_score == pytest.approx(alone[1].t_score, abs=1e-5)


def test_metal_on_both_sides_is_an_answer_and_no_error(trained):
    film, femur = pelvis()
    both = score(trained, Radiograph(film), detector(femur, {"right": "screw", "left": "joint"}))
    assert [one.t_score for one in both] == [None, None]
    assert [one.reason.split(" (")[0] for one in both] == [
        "right hip: obstructed by screws", "left hip: obstructed by an artificial joint"]  # fmt: skip


def test_one_hip_only(trained):
    film, femur = pelvis()
    right, left = score(trained, Radiograph(film), detector(femur, absent=("left",)))
    assert right.t_score is not None and left.t_score is None
    assert left.reason == "left hip: no femur found in the left half of the film" and left.square is None


def test_a_film_of_another_bone_is_refused(trained, tmp_path):
    film, femur = pelvis()
    Image.fromarray(film).save(tmp_path / "hand.png")
    with pytest.raises(ValueError, match=r"^hand\.png: no hip can be scored \(right hip: no femur.*AP film of the pel"):
        score(trained, tmp_path / "hand.png", detector(femur, absent=("right", "left")))
    small = np.zeros_like(femur)
    small[60:100, 70:90] = small[60:100, 230:250] = True
    with pytest.raises(ValueError, match=r"^the film: .*no proximal femur, its square spans 14% of half the film"):
        score(trained, Radiograph(film), detector(small))
    tall = np.zeros_like(femur)
    tall[20:, 50:120] = tall[20:, 210:280] = True
    with pytest.raises(ValueError, match=r"it fills [78]\d% of its square"):
        score(trained, Radiograph(film), detector(tall))
    with pytest.raises(ValueError, match=r"its square is 20 mm wide"):
        score(trained, Radiograph(film, spacing_mm=(0.2, 0.2)), detector(femur))


def test_a_hip_unlike_those_of_the_training_is_refused(trained, usual):
    """A femur of the right size and fullness that hangs upside down, and one that crosses the middle of the film."""
    film, femur = pelvis()
    assert all(one.t_score is not None for one in score(trained, Radiograph(film), detector(femur), usual=usual))
    turned = detector(np.roll(femur[::-1], -30, axis=0))
    with pytest.raises(
        ValueError, match=r"no hip can be scored \(right hip: what was found is no proximal femur, unlike"
    ):
        score(trained, Radiograph(film), turned, usual=usual)
    middle = detector(np.concatenate([np.roll(half, by, axis=1) for half, by in zip(
        np.split(femur, 2, axis=1), (24, -24), strict=True)], 1))  # fmt: skip
    with pytest.raises(ValueError, match="from the middle"):
        score(trained, Radiograph(film), middle, usual=usual)
    one_side = femur.copy()
    one_side[:, 160:] = np.roll(femur[::-1], -30, axis=0)[:, 160:]
    right, left = score(trained, Radiograph(film), detector(one_side), usual=usual)
    assert right.t_score is not None and left.t_score is None and "unlike hips known" in left.reason


def test_metal_without_a_hip_is_no_hip(trained, usual):
    """On a film of another bone metal may be seen as well; it makes no hip of it."""
    film, femur = pelvis()
    turned = detector(np.roll(femur[::-1], -30, axis=0), {"right": "screw"})
    with pytest.raises(ValueError, match="no hip can be scored"):
        score(trained, Radiograph(film), turned, usual=usual)
    known = score(trained, Radiograph(film), detector(femur, {"right": "screw", "left": "screw"}), usual=usual)
    assert all("obstructed by screws" in one.reason for one in known)


def test_what_is_missing_is_named(trained, tmp_path):
    film, femur = pelvis()
    with pytest.raises(ValueError, match=r"age, BMI or sex is missing for 2 hips: impute first"):
        score(trained, Radiograph(film), detector(femur), (np.nan, 23.0, 1.0))
    with pytest.raises(RadiographError, match=r"none\.png: cannot be opened"):
        score(trained, tmp_path / "none.png", detector(femur))


def test_several_kinds_of_metal_are_told():
    _, femur = pelvis()
    one = detector(femur, {"right": "joint"})(femur.astype(np.uint8))[0]
    both = replace(one, masks=one.masks | {"screw": femur}, scores=one.scores | {"screw": 0.6})
    assert why_not(both, femur.shape, None).endswith("an artificial joint (score 0.80) and screws (score 0.60)")
