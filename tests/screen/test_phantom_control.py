import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from osteolib.cohorts import load_cohort
from osteolib.runs import store
from osteolib.screen import knee_folds
from osteolib.screen.knee_folds import Recipe, covariates_of, knee_images
from osteolib.screen.phantom_control import phantom_control, trained_network, true_regions


@pytest.fixture(scope="module")
def cohorts(tmp_path_factory):
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("store")
        patch.setattr(store, "STORE", folder)
        patch.setattr(knee_folds, "STORE", folder)
        yield (
            load_cohort("knee-phantom", n_subjects=50, size=64),
            load_cohort("knee-phantom", n_subjects=6, acquisition="B", seed=1, size=64),
        )
    torch.set_num_threads(threads)


def test_the_control_trains_on_a_alone_and_its_network_is_the_one_that_was_scored(cohorts):
    from osteolib.radiograph import to_tensor_range
    from osteolib.screen.strnet import predict

    recipe = Recipe("resnet18", image_size=32, epochs=1, batch_size=16)
    control = phantom_control(*cohorts, recipe)
    subjects, parts = control.subjects, control.parts
    assert np.sum(list(parts.values()), axis=0).tolist() == [1] * len(subjects)
    person = {name: set(subjects["subject_id"][rows]) for name, rows in parts.items()}
    assert sum(len(people) for people in person.values()) == 56  # nobody stands in two parts
    assert person["external, B"] == set(cohorts[1].subjects["subject_id"])
    assert control.images.shape == (len(subjects), 32, 32)

    known = pd.read_parquet(control.folder / "scores.parquet").set_index("unit_id")["screen"]
    rows = np.flatnonzero(parts["test, A"])
    pixels = torch.from_numpy(to_tensor_range(control.images[rows]))[:, None]
    again = predict(trained_network(control.folder, recipe), pixels, torch.from_numpy(covariates_of(subjects)[rows]))
    np.testing.assert_allclose(again["screen"], known[subjects["unit_id"].iloc[rows]], atol=0.02)  # bf16 where it can

    with pytest.raises(ValueError, match="of another model"):
        trained_network(control.folder, Recipe("resnet50"))


def test_regions_go_the_way_of_the_film(cohorts, tmp_path):
    """Films that show the region itself, bright on grey, come out of the preparation as the masks do."""
    path = tmp_path / "masks.npz"
    rng = np.random.default_rng(0)
    film, bits = np.zeros((90, 120), np.uint8), np.zeros((90, 120), np.uint8)
    for left in (0, 60):
        top, x = rng.integers(10, 30), left + rng.integers(8, 20)
        film[top : top + 50, x : x + 34] = 120
        bits[top : top + 50, x : x + 34] = 1
        film[top + 10 : top + 30, x + 5 : x + 25] = 250
        bits[top + 10 : top + 30, x + 5 : x + 25] = 3
    Image.fromarray(film).save(tmp_path / "film.png")
    np.savez(path, film=bits)
    knees = pd.DataFrame({
        "image_id": "film", "path": str(tmp_path / "film.png"), "masks_path": str(path),
        "x0": [0, 60], "x1": [60, 120], "y0": 0, "y1": 90,
    })  # fmt: skip
    bone, joint = true_regions(knees, 48)
    prepared = knee_images(knees, 48)
    assert (joint & ~bone).sum() == 0 and 0.1 < joint.mean() < bone.mean()
    assert (joint == (prepared > (120 + 250) / 2 / 250 * 255)).mean() > 0.99  # but for a pixel at the edge
    assert (bone == (prepared > 60 / 250 * 255)).mean() > 0.99


def test_the_region_of_a_phantom_lies_on_its_bone(cohorts):
    knees = cohorts[0].subjects
    bone, joint = true_regions(knees, 48)
    assert bone.shape == (len(knees), 48, 48)
    assert not (joint & ~bone).any() and joint.any(axis=(1, 2)).all()
