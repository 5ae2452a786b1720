from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from osteolib.screen import ct_starts as module
from osteolib.screen.ct_starts import ENCODERS, start_recipe, starts
from osteolib.screen.ct_study import CTStudy
from osteolib.screen.moe_training import Recipe, train_once
from osteolib.ssl.ct_encoders import CT_FEATURES


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    monkeypatch.setattr("osteolib.runs.store.STORE", tmp_path / "store")


@pytest.fixture
def study(monkeypatch):
    """Twelve labelled vertebrae of six patients, and eight without DXA of those who train."""
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({
        "unit_id": [f"u{k}" for k in range(12)], "subject_id": [f"V{k // 2}" for k in range(12)],
        "split_group": [f"V{k // 2}" for k in range(12)], "level": "L1", "device": "Hologic",
        "label": ["osteoporosis", "normal"] * 6, "bmd_g_cm2": rng.uniform(0.6, 1.1, 12),
    })  # fmt: skip
    part = np.arange(12) // 4
    parts = {name: part == k for k, name in enumerate(("train", "validation", "test"))}
    without = pd.DataFrame({"split_group": ["V0", "V1"] * 4, "level": "L2"})
    pool = rng.integers(0, 255, (8, 5, 3, 24, 24), dtype=np.uint8)
    monkeypatch.setattr(module, "pool_images", lambda rows, size, spacing_mm, key: pool[: len(rows)])
    images = rng.integers(0, 255, (12, 3, 24, 24), dtype=np.uint8)
    return CTStudy(rows, images, parts, without, {"cohort": "c", "size": 24, "spacing_mm": 1.5})


def test_a_training_starts_from_what_was_pre_trained(study):
    files = starts(study, epochs=1)
    assert list(files) == ["swav", "tp-swav", "mae"]
    given = study.rows, study.images, study.parts
    for method in ("tp-swav", "mae"):
        recipe = Recipe(ENCODERS[method], epochs=1, warmup=0, batch_size=4, start=str(files[method]))
        assert train_once(*given, recipe, study.key) != train_once(*given, replace(recipe, start=None), study.key)


def test_patients_of_validation_and_test_are_refused(study):
    for person in ("V2", "V5"):
        leaked = replace(study, without=study.without.assign(split_group=["V0"] * 7 + [person]))
        with pytest.raises(ValueError, match=f"1 images belong to 1 held-out groups, the first {person}"):
            starts(leaked, ["tp-swav"], epochs=1)


def test_what_cannot_start_is_named(study):
    with pytest.raises(ValueError, match="method must be one of swav, tp-swav, mae, got 'voco'"):
        starts(study, ["voco"])
    with pytest.raises(ValueError, match="no vertebra without DXA to pre-train on"):
        starts(replace(study, without=study.without[:0]), ["mae"])


def test_every_method_has_an_encoder_that_exists():
    assert set(ENCODERS.values()) <= set(CT_FEATURES)
    assert start_recipe("mae", 3, 1).epochs == 3
