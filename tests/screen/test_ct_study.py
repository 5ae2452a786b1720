from dataclasses import replace

import numpy as np
import pytest

from osteolib.cohorts import load_cohort
from osteolib.phantoms.settings import phantom_settings
from osteolib.phantoms.vertebra.people import as_read, t_score_of
from osteolib.screen import ct_study as module
from osteolib.screen.ct_starts import start_recipe
from osteolib.screen.ct_study import ct_study, dealt_anew, pace
from osteolib.screen.moe_training import Recipe
from osteolib.ssl.ct_pretrain import CTRecipe

SETTINGS = phantom_settings("vertebra-phantom")
OPTIONS = {"n_subjects": 400, "seed": 3, "preset": "tpswav2025", "render": False}


@pytest.fixture(autouse=True)
def images(monkeypatch):
    """No scan is drawn: a picture holds the number of its row."""

    def number(rows, size, spacing_mm, key):
        return np.arange(len(rows), dtype=np.uint8)[:, None, None, None] * np.ones((1, 3, size, size), np.uint8)

    monkeypatch.setattr(module, "vertebra_images", number)


@pytest.fixture(scope="module")
def cohort():
    return load_cohort("vertebra-phantom", unlabelled=0.28, **OPTIONS)


def test_a_patient_is_in_one_part_and_only_those_who_train_pre_train(cohort):
    study = ct_study(cohort, size=4)
    people = {name: set(study.rows["subject_id"][part]) for name, part in study.parts.items()}
    assert not people["train"] & people["test"] and not people["train"] & people["validation"]
    assert sum(part.sum() for part in study.parts.values()) == len(study.rows) == len(study.images)
    assert set(study.rows["site"][study.parts["test"]]) == set("ABCD")
    assert "D" not in set(study.rows["site"][~study.parts["test"]])
    assert not set(study.without["subject_id"]) & (people["test"] | people["validation"])
    assert study.without["bmd_g_cm2"].isna().all() and study.rows["label"].notna().all()


def test_what_cannot_be_a_study_is_refused(cohort):
    rows = cohort.subjects
    with pytest.raises(ValueError, match=r"no labelled vertebra in validation, test of .*: ask for more people"):
        ct_study(replace(cohort, subjects=rows[rows["split"] == "train"]), size=4)
    healthy = rows["label"].ne("osteoporosis") | rows["split"].ne("train")
    with pytest.raises(ValueError, match="the vertebrae of train are all of one class"):
        ct_study(replace(cohort, subjects=rows[healthy]), size=4)


def test_machines_dealt_anew_change_readings_and_nothing_else(cohort):
    study = ct_study(cohort, size=4)
    crossed, unseen = (dealt_anew(study, preset, 5) for preset in ("crossed", "unseen"))
    same = [c for c in study.rows if c not in ("device", "bmd_g_cm2", "t_score", "label")]
    assert crossed.rows[same].equals(study.rows[same]) and crossed.images is study.images
    by_person = crossed.rows.drop_duplicates("subject_id").groupby("site")["device"].value_counts().unstack()
    assert (by_person.max(axis=1) - by_person.min(axis=1) <= 1).all()  # all makers at each hospital, as often
    assert crossed.rows.groupby("subject_id")["device"].nunique().max() == 1
    assert set(unseen.rows["device"][unseen.rows["site"] == "D"]) == {"MEDIX"}
    assert set(unseen.rows["device"][unseen.parts["train"]]) == {"Hologic", "GE Lunar"}
    assert study.key != crossed.key != unseen.key


def test_a_new_reading_is_that_of_its_maker_with_the_error_of_a_person_and_a_vertebra(cohort):
    rows = dealt_anew(ct_study(cohort, size=4), "crossed", 5).rows
    dxa = SETTINGS["dxa"]
    for maker, own in rows.groupby("device"):
        exact = as_read(dxa["makers"][maker], dxa["anchor"], own["bmd_true_g_cm2"])
        error = (own["bmd_g_cm2"] - exact) / own["bmd_true_g_cm2"] * dxa["makers"][maker]["slope"]
        assert error.std() == pytest.approx(np.hypot(dxa["person_cv"], dxa["vertebra_cv"]), rel=0.15)
        assert abs(error.mean()) < 4 * error.std() / np.sqrt(own["subject_id"].nunique())
        t = t_score_of(SETTINGS, maker, own["level"], own["bmd_g_cm2"])
        np.testing.assert_allclose(own["t_score"], t, atol=0.006)
    assert (rows["label"].eq("osteoporosis") == (rows["t_score"] <= -2.5)).all()


def test_fewer_vertebrae_without_dxa_and_the_same_labelled_ones(cohort):
    whole, none = (load_cohort("vertebra-phantom", unlabelled=share, **OPTIONS).subjects for share in (1, 0))
    some = cohort.subjects
    counts = [(~rows["labelled"].astype(bool)).sum() for rows in (none, some, whole)]
    assert counts[0] == 0 and counts[1] / counts[2] == pytest.approx(0.28, abs=0.01)
    assert len({int(rows["labelled"].sum()) for rows in (none, some, whole)}) == 1
    with pytest.raises(ValueError, match=r"unlabelled 0 to 1: .*, 1\.5"):
        load_cohort("vertebra-phantom", unlabelled=1.5, **OPTIONS)


def test_the_papers_epochs_have_the_papers_rates():
    """tpswav2025_ct, Section 3.1: 1e-5 after 150 of 400 epochs; 1e-4 after 100 of 300."""
    full = Recipe(epochs=400, **pace(400))
    assert (full.lr, full.warmup, pace(12)["lr"]) == (1e-5, 150, 1e-3)
    assert start_recipe("swav", 300, 0) == CTRecipe("swav", epochs=300)
    assert (start_recipe("swav", 300, 0).lr, start_recipe("swav", 6, 0).lr) == (1e-4, 1e-3)
