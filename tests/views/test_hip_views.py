import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from osteolib.runs import store
from osteolib.views.hip_views import augmented, enhance, hip_images, network_input, on_background, right_hip


@pytest.fixture(autouse=True)
def own_store(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "STORE", tmp_path / "store")


def pelvis(dtype=np.uint8):
    """A film that is its own mirror image: a head and a shaft on either side, brighter towards the outside."""
    height, width = 120, 200
    y, x = np.mgrid[:height, :width]
    x = np.minimum(x, width - 1 - x)  # distance from the nearer edge
    femur = (np.hypot(y - 35, x - 62) < 14) | ((np.abs(x - 40) < 8) & (y > 30))
    film = np.where(femur, 250 - x, 60 - x / 2)
    return (film * (256 if dtype == np.uint16 else 1)).astype(dtype), femur


def test_a_left_hip_becomes_the_right_hip_of_its_mirror_image():
    film, femur = pelvis()
    right, left = (right_hip(film, femur, side, 48) for side in ("right", "left"))
    np.testing.assert_array_equal(right[0], left[0])
    np.testing.assert_array_equal(right[1], left[1])
    assert right[0].shape == (48, 48) and right[0].dtype == np.uint8 and right[1].dtype == bool
    columns = right[0][10:40].mean(0)
    assert columns[12] > columns[-6]  # outside of the bone at the left, as on a right hip


def test_sixteen_bits_become_eight_without_losing_order():
    film, femur = pelvis(np.uint16)
    square, inside = right_hip(film, femur, "right", 48)
    assert square.dtype == np.uint8 and square[inside].mean() > square[~inside].mean() + 50


def test_enhancement_spreads_the_grey_and_forgets_exposure():
    rng = np.random.default_rng(0)
    dull = (100 + 20 * rng.random((64, 64))).astype(np.uint8)
    bright = enhance(dull)
    assert bright.dtype == np.uint8 and np.ptp(bright.astype(int)) > 5 * np.ptp(dull.astype(int))
    np.testing.assert_array_equal(enhance(dull), enhance(dull))
    far = np.abs(enhance(dull).astype(int) - enhance(dull + 60).astype(int))
    assert far.max() <= 1


def test_the_background_is_the_grey_that_is_asked_for_and_the_femur_stays():
    images = torch.full((2, 1, 4, 4), 0.5)
    femur = torch.zeros(2, 1, 4, 4)
    femur[:, :, 1:3, 1:3] = 1
    both = on_background(images, femur, torch.tensor([0.0, 1.0]))
    assert both[0, 0, 0].tolist() == [0] * 4 and both[1, 0, 0].tolist() == [1] * 4
    assert (both[:, 0, 1:3, 1:3] == 0.5).all()
    assert on_background(images, femur, 1.0)[0, 0, 0, 0] == 1


def test_augmented_hips_are_tilted_on_black_or_white_as_the_generator_says():
    image = np.zeros((1, 33, 33), np.uint8)
    image[:, :, 16] = 200  # a shaft
    squares = network_input(np.repeat(image, 40, 0), np.repeat(image > 0, 40, 0))
    some = augmented(*squares, torch.Generator().manual_seed(3), 6.0)
    again = augmented(*squares, torch.Generator().manual_seed(3), 6.0)
    torch.testing.assert_close(some, again)
    corner = some[:, 0, 0, 0]
    assert set(corner.tolist()) == {0.0, 1.0} and 10 < corner.sum() < 30
    bone = torch.where(corner[:, None, None] == 1, 1 - some[:, 0], some[:, 0])
    lean = bone[:, 2].argmax(1) - bone[:, 30].argmax(1)
    assert lean.abs().max() <= 28 * np.tan(np.radians(6)) + 1.5 and (lean > 0).any() and (lean < 0).any()
    still = augmented(*squares, torch.Generator().manual_seed(3), 0.0)
    straight = torch.where(still[:, 0, 0, :1, None] == 1, 1 - still[:, 0], still[:, 0])
    assert (straight[:, 2].argmax(1) == 16).all()


def subjects(tmp_path, femur=None, sides=("right", "left")):
    film, drawn = pelvis()
    Image.fromarray(film).save(tmp_path / "film.png")
    bits = (drawn if femur is None else femur).astype(np.uint8) | 16  # a pelvis everywhere
    np.savez(tmp_path / "masks.npz", a=bits)
    known = {"image_id": "a", "path": str(tmp_path / "film.png"), "masks_path": str(tmp_path / "masks.npz")}
    return pd.DataFrame([{"unit_id": f"a-{side}", "side": side, **known} for side in sides])


def test_a_table_of_hips_becomes_squares_that_are_found_again(tmp_path, monkeypatch):
    hips = subjects(tmp_path)
    images, femur = hip_images(hips, 40)
    assert images.shape == femur.shape == (2, 40, 40)
    np.testing.assert_array_equal(images[0], images[1])
    film, drawn = pelvis()
    np.testing.assert_array_equal(femur[0], right_hip(film, drawn, "right", 40)[1])
    monkeypatch.setattr("osteolib.views.hip_views.enhance", lambda square: 1 / 0)
    np.testing.assert_array_equal(hip_images(hips, 40)[0], images)


def test_a_hip_without_a_femur_is_named(tmp_path):
    femur = pelvis()[1].copy()
    femur[:, 100:] = False
    with pytest.raises(ValueError, match="hip a-left: no femur in the left half of the film"):
        hip_images(subjects(tmp_path, femur), 40)
