import numpy as np
import pytest

from osteolib.cohorts import label_from_t_score, load_cohort
from osteolib.phantoms.hip.people import LATENTS


def test_the_table_alone_has_one_row_per_hip_and_two_per_film():
    cohort = load_cohort("hip-phantom", n_subjects=60, seed=3, render=False)
    hips = cohort.subjects
    assert cohort.kind == "phantom" and len(hips) == 120 and hips.unit_id.is_unique
    assert (hips.groupby("image_id").size() == 2).all() and hips.path.isna().all()
    assert (hips.unit_id == hips.image_id + "-" + hips.side).all()
    assert (hips.split_group == hips.subject_id).all() and hips.groupby("subject_id").side.nunique().eq(2).all()
    assert set(LATENTS) <= set(hips) and hips.t_score_method.eq("simulated").all()
    assert hips.age_years.min() >= 50
    for name in ("unit", "bone", "view"):
        assert hips[name].tolist() == [{"unit": "hip", "bone": "hip", "view": "AP"}[name]] * 120


def test_the_patients_right_hip_stands_at_the_images_left():
    hips = load_cohort("hip-phantom", n_subjects=5, film_width=320, render=False).subjects
    right, left = hips[hips.side == "right"], hips[hips.side == "left"]
    assert (right.x0 == 0).all() and (left.x1 == left.width).all() and (left.width == 320).all()
    assert (right.x1.to_numpy() == left.x0.to_numpy()).all() and (hips.y1 == hips.height).all()


def test_the_label_is_of_the_lower_t_score_by_the_rule_of_the_hip():
    hips = load_cohort("hip-phantom", n_subjects=300, preset="chen2024", render=False).subjects
    np.testing.assert_array_equal(hips.t_score, np.minimum(hips.t_score_neck, hips.t_score_total))
    assert hips.label.equals(label_from_t_score(hips.t_score, "hip"))
    assert (hips.label[hips.t_score == -2.5] == "osteoporosis").all() and (hips.t_score == -2.5).any()
    assert (hips.label[hips.t_score == -1.5] == "osteopenia").all() and (hips.t_score == -1.5).any()


def test_about_one_hip_in_seven_is_obstructed_whatever_its_bone():
    hips = load_cohort("hip-phantom", n_subjects=3000, preset="chen2024", render=False).subjects
    share = hips.obstructed.mean()
    assert share == pytest.approx(490 / 3460, abs=0.02)
    assert (hips.obstacle.ne("none") == hips.obstructed).all()
    assert set(hips.obstacle) == {"none", "screw", "joint"}
    group = hips.groupby("obstructed").t_score.mean()
    assert abs(group[True] - group[False]) < 4 * hips.t_score.std() / np.sqrt(share * len(hips))


def test_seed_and_preset_make_another_cohort_and_the_same_call_the_same():
    def cohort(**options):
        return load_cohort("hip-phantom", n_subjects=10, render=False, **options)

    again = cohort(seed=1)
    assert cohort(seed=1).subjects.equals(again.subjects) and cohort(seed=1).fingerprint == again.fingerprint
    assert len({cohort(seed=1).fingerprint, cohort(seed=2).fingerprint, cohort(preset="chen2024").fingerprint}) == 3


def test_films_and_masks_lie_in_the_store(tmp_path, monkeypatch):
    from PIL import Image

    from osteolib.phantoms.hip.truth import FEMUR, read_masks

    monkeypatch.setattr("osteolib.runs.store.STORE", tmp_path)
    hips = load_cohort("hip-phantom", n_subjects=1, film_width=128, seed=2).subjects
    with Image.open(hips.path[0]) as film:
        assert film.size == (128, hips.height[0])
    mask = read_masks(hips.masks_path[0], hips.image_id[0])
    assert mask.shape == (hips.height[0], 128)
    assert all((mask[:, part] & FEMUR).any() for part in (slice(0, 64), slice(64, 128)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"preset": "chen2030"}, "preset must be one of chen2024, or None: 'chen2030'"),
        ({"file_format": "tiff"}, "file_format must be png or dicom: 'tiff'"),
        ({"film_width": 10}, "film_width from 64 to 6000"),
        ({"n_subjects": 0}, "n_subjects must be 1 or more"),
    ],
)
def test_bad_options_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        load_cohort("hip-phantom", **options)
