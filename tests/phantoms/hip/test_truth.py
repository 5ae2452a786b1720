import numpy as np
import pytest

from osteolib.phantoms.hip.people import LATENTS, simulate
from osteolib.phantoms.hip.truth import FEMUR, JOINT, NECK, PELVIS, SCREW, attainable, known_of, read_masks
from osteolib.phantoms.settings import phantom_settings

SETTINGS = phantom_settings("hip-phantom")


def test_masks_are_bits_that_do_not_meet(tmp_path):
    bits = (FEMUR, JOINT, SCREW, NECK, PELVIS)
    assert sum(bits) == np.bitwise_or.reduce(bits) == 31
    drawn = np.array([[FEMUR | NECK, PELVIS | FEMUR], [SCREW, 0]], np.uint8)
    np.savez_compressed(tmp_path / "masks.npz", P00000=drawn)
    read = read_masks(tmp_path / "masks.npz", "P00000")
    np.testing.assert_array_equal(read, drawn)
    np.testing.assert_array_equal((read & FEMUR) > 0, [[True, True], [False, False]])


@pytest.fixture(scope="module")
def best():
    return attainable("chen2024", n_subjects=20_000)


def test_a_reader_who_knew_the_bone_is_held_back_by_the_error_of_the_scan_alone(best):
    """Oracle: at the neck the error is CV x BMD; r of truth with measurement is sqrt(1 - error variance / variance)."""
    hips = simulate(SETTINGS, 20_000, 0, "chen2024")
    neck = hips.t_score_neck_true
    error = np.hypot(SETTINGS["repeat_scan_cv"]["neck"] * (0.858 + 0.12 * neck).mean() / 0.12, 0.1 / np.sqrt(12))
    ceiling = np.sqrt(1 - error**2 / (neck.var() + error**2))
    assert 0.985 < best["r"] < ceiling < 1
    assert error < best["sd"] < 1.7 * error


def test_a_second_scan_differs_from_the_first_by_both_errors(best):
    hips = simulate(SETTINGS, 20_000, 0, "chen2024")
    one = np.std(hips.t_score_neck - hips.t_score_neck_true)
    assert best["scan_sd"] == pytest.approx(np.sqrt(2) * one, rel=0.12)  # of the lower of two sites: not quite
    assert best["scan_r"] == pytest.approx(1 - best["scan_sd"] ** 2 / 2 / hips.t_score.var(), abs=0.002)


def test_attainable_lies_between_one_latent_and_the_truth(best):
    from sklearn.metrics import roc_auc_score

    hips = simulate(SETTINGS, 10_000, 3, "chen2024")
    osteoporosis = hips.t_score <= -2.5
    for name in ("density", "cortical_thickness_mm"):
        assert roc_auc_score(osteoporosis, -hips[name]) < best["auroc"] < 1
        assert np.corrcoef(hips.t_score, hips[name])[0, 1] < best["r"]
    true = np.minimum(hips.t_score_neck_true, hips.t_score_total_true)
    assert best["auroc"] <= roc_auc_score(osteoporosis, -true) + 0.002  # whoever knew both true T-scores
    assert best["mae"] < best["sd"]


def test_age_sex_and_bmi_add_next_to_nothing_to_the_bone_itself(best):
    with_them = attainable("chen2024", covariates=True, n_subjects=20_000)
    assert with_them["r"] == pytest.approx(best["r"], abs=0.002)


def test_known_is_what_reaches_the_pixels():
    hips = simulate(SETTINGS, 20, 0)
    assert list(known_of(hips)) == [*LATENTS, "neck"]
    assert list(known_of(hips, covariates=True))[-3:] == ["age", "log_bmi", "woman"]
    np.testing.assert_allclose(known_of(hips)["neck"], 0.858 + 0.12 * hips.t_score_neck_true)
