import numpy as np
import pandas as pd
import pytest
import torch

from osteolib.screen.ct_knows import CENTRE, MEASURED, QUESTIONS, alive, central_hu, features_of, what_vertebrae_tell
from osteolib.screen.ct_study import CTStudy

torch.set_num_threads(1)
N = 60


@pytest.fixture
def study():
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({
        "unit_id": [f"u{k}" for k in range(N)], "subject_id": [f"V{k // 2}" for k in range(N)],
        "label": np.where(rng.random(N) < 0.4, "osteoporosis", "normal"), "spongy_mg_cm3": rng.uniform(40, 200, N),
        "scale": rng.normal(1, 0.1, N), "scanner": rng.choice(["A", "B"], N), "level_number": rng.integers(1, 18, N),
    })  # fmt: skip
    part = np.arange(N) // 20
    parts = {name: part == k for k, name in enumerate(("train", "validation", "test"))}
    images = rng.integers(0, 255, (N, 3, 24, 24), dtype=np.uint8)
    return CTStudy(rows, images, parts, rows[:0], {"cohort": "c", "size": 24, "spacing_mm": 1.5})


def test_who_carries_the_answer_is_found_and_who_carries_noise_is_not(study):
    density = np.log(study.rows["spongy_mg_cm3"].to_numpy())
    told = what_vertebrae_tell(
        {"knows": density[:, None], "noise": np.random.default_rng(1).normal(size=(N, 1))}, study
    )
    assert list(told["question"].unique()) == list(QUESTIONS) and len(told) == 2 * len(QUESTIONS) * 20
    asked = told[told["question"] == "density"].set_index("reader")
    r = {name: np.corrcoef(asked.loc[name, "truth"], asked.loc[name, "answer"])[0, 1] for name in ("knows", "noise")}
    assert r["knows"] > 0.999 and abs(r["noise"]) < 0.6
    np.testing.assert_allclose(asked.loc["knows", "truth"], density[study.parts["test"]])
    scanner = told[told["question"] == "scanner"]
    assert set(scanner["answer"]) <= {0.0, 1.0} and (scanner["truth"] == 1).all()


def test_test_patients_alone_are_asked_and_none_of_theirs_is_fitted(study):
    features = {"f": np.random.default_rng(2).normal(size=(N, 4))}
    told = what_vertebrae_tell(features, study)
    assert set(told["unit_id"]) == {f"u{k}" for k in range(40, 60)}
    rows = study.rows.copy()
    rows.loc[study.parts["test"] | study.parts["validation"], "spongy_mg_cm3"] = 1.0  # other truths of those not fitted
    changed = what_vertebrae_tell(features, CTStudy(rows, study.images, study.parts, study.without, study.key))
    pd.testing.assert_series_equal(changed["answer"], told["answer"])


def test_mean_hu_is_that_of_the_square_in_the_middle():
    images = np.zeros((2, 3, 24, 24), np.uint8)
    low = 12 - CENTRE // 2
    images[0, :, low : low + CENTRE, low : low + CENTRE] = 51  # a fifth of the window of 1,000 HU
    np.testing.assert_allclose(central_hu(images), [0.0, -200.0])
    with pytest.raises(ValueError, match="planes of 8 pixels are smaller than the square that is read, 9"):
        central_hu(images[..., :8, :8])


def test_the_plain_measure_stands_without_any_encoder(study):
    features = features_of(study, {}, seed=0)
    assert list(features) == [MEASURED] and features[MEASURED].shape == (N, 1)


def test_a_reader_without_a_row_for_each_vertebra_is_named(study):
    with pytest.raises(ValueError, match="short has features of 5 vertebrae, the study has 60"):
        what_vertebrae_tell({"short": np.zeros((5, 2))}, study)


def test_a_unit_that_sleeps_in_nearly_all_fitted_rows_is_left_out():
    x = np.random.default_rng(0).random((40, 3))
    x[:, 1] = 0
    x[[0, 30], 1] = 1e-6, 5.0  # wakes once in the rows that are fitted on, and loudly in one that is asked
    fitted = np.arange(40) < 20
    np.testing.assert_array_equal(alive(x, fitted), x[:, [0, 2]])
    np.testing.assert_array_equal(alive(x[:, [1]], fitted), x[:, [1]])  # where nothing else is
