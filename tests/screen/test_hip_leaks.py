"""A small study in which a network can know films by heart: squares of pure grain, T-scores that nothing tells."""

import numpy as np
import pandas as pd
import pytest
import torch

from osteolib.screen import hip_leaks
from osteolib.screen.hip_leaks import COPIES, SIBLINGS, leaked_predictions, with_copies
from osteolib.screen.hip_study import Fitted, StudyHips, StudyRecipe
from osteolib.screen.triplet import N_FEATURES, Hips

torch.set_num_threads(1)
RNG = np.random.default_rng(0)
N = 24  # people
PARTS = np.repeat(["train", "validation", "test"], [28, 10, 10])


@pytest.fixture
def study():
    person = np.repeat(np.arange(N), 2)
    hips = pd.DataFrame({"subject_id": person, "side": np.tile(["right", "left"], N), "part": PARTS,
                         "t_score": RNG.normal(-2.5, 1, 2 * N)})  # fmt: skip
    images = RNG.integers(0, 256, (2 * N, 32, 32), dtype=np.uint8)
    femur = np.zeros((2 * N, 32, 32), bool)
    femur[:, 4:28, 8:24] = True
    return StudyHips(hips, Hips(images, femur, (hips["t_score"] <= -2.5).to_numpy(np.int64)))


def test_copies_come_after_all_hips_and_are_changed_a_little(study):
    rows = study.rows("test")
    more = with_copies(study.squares, rows, 6.0, seed=0)
    assert len(more.images) == 2 * N + len(rows)
    assert (more.images[: 2 * N] == study.squares.images).all()
    assert (more.classes[2 * N :] == study.squares.classes[rows]).all()
    assert more.femur[2 * N :].all()  # the background is part of a copy
    outside = more.images[2 * N :, 0, 0]
    assert set(outside) == {0, 255}
    still = with_copies(study.squares, rows, 0.0, seed=0).images[2 * N :]
    inside = study.squares.femur[rows]
    assert (still[inside] == study.squares.images[rows][inside]).all()
    assert (with_copies(study.squares, rows, 6.0, seed=0).images == more.images).all()


def test_what_is_trained_and_what_is_tested(study, monkeypatch):
    """The network sees siblings or copies of test hips, as many hips as before; honest ones choose the epoch."""
    trained, fitted_on = [], []

    def training(squares, train, validation, recipe):
        trained.append((np.asarray(train), np.asarray(validation), len(squares.images)))
        return len(trained) - 1

    class Names:
        """Names the row it is asked about, which is its first feature."""

        def predict(self, x, t_score, routing, filtering):
            assert t_score is None and (routing, filtering) == ("features", "training")
            return pd.DataFrame({"t_score": x[:, 0], "kept": True})

    def fit(x, t_score):
        fitted_on.append((x[:, 0].astype(int), t_score))
        return Names()

    monkeypatch.setattr(hip_leaks, "trained_triplet", training)
    monkeypatch.setattr(hip_leaks, "side_by_side", lambda f, calls: {name: f(*given) for name, given in calls.items()})
    rows = np.arange(2 * N + 10)
    monkeypatch.setattr(hip_leaks, "read_features", lambda folder: np.tile(rows[:, None], (1, N_FEATURES)))
    monkeypatch.setattr(hip_leaks, "fit_like", lambda *given: fit)
    x = np.zeros((2 * N, N_FEATURES + 3))
    old, test = study.rows("train", "validation"), study.rows("test")
    found = leaked_predictions(study, Fitted(None, x[old], [x[test]], 0.0), StudyRecipe())

    assert found[SIBLINGS].tolist() == found[COPIES].tolist() == test.tolist()
    assert len(trained) == 3 and all(len(train) == 28 and n == 2 * N + 10 for train, _, n in trained)
    assert all((validation == study.rows("validation")).all() for _, validation, _ in trained)
    person, side = study.hips["subject_id"].to_numpy(), study.hips["side"].to_numpy()
    for train, _, _ in trained[:2]:
        taught = train[np.isin(train, test)]
        assert set(person[taught]) == set(person[test]) and len(set(side[taught])) == 1
    assert set(trained[2][0]) >= set(range(2 * N, 2 * N + 10)) and not set(trained[2][0]) & set(test)
    t = study.hips["t_score"].to_numpy()
    for on, scores in fitted_on:
        assert len(on) == 38 and set(study.rows("validation")) < set(on)
        known = np.where(on < 2 * N, on, test[(on - 2 * N) % 10])
        assert scores.tolist() == t[known].tolist()
