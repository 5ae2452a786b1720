import numpy as np
import pandas as pd
import pytest
import torch
from torchvision.models.detection.roi_heads import paste_masks_in_image
from torchvision.ops import box_iou, masks_to_boxes

from osteolib.phantoms.hip.truth import FEMUR, JOINT, NECK, SCREW
from osteolib.segment.hip_instances import (
    BITS,
    CLASSES,
    FEWEST,
    HipHalves,
    eight_bit,
    frame,
    hip_halves,
    paste,
    reduction,
    targets,
    to_network,
)

torch.set_num_threads(1)


def blob(shape=(96, 64), box=(10, 20, 30, 70), flag=FEMUR):
    bits = np.zeros(shape, np.uint8)
    bits[box[1] : box[3], box[0] : box[2]] = flag
    return bits


def test_boxes_are_torchvisions_with_ends_excluded():
    rng = np.random.default_rng(0)
    for _ in range(20):
        x0, y0 = rng.integers(0, 30, 2)
        bits = torch.from_numpy(blob(box=(x0, y0, x0 + rng.integers(4, 30), y0 + rng.integers(4, 60))))
        found = targets(bits)
        expected = masks_to_boxes(found["masks"]) + torch.tensor([0, 0, 1, 1])
        torch.testing.assert_close(found["boxes"], expected)
        assert float(box_iou(found["boxes"], expected)) == 1


def test_what_overlaps_is_found_as_both_and_other_bits_are_no_class():
    bits = blob(flag=FEMUR | NECK)
    bits[40:60, 12:20] |= JOINT
    found = targets(torch.from_numpy(bits))
    assert found["labels"].tolist() == [1, 2] and CLASSES == ("femur", "joint", "screw")
    assert found["masks"].sum((1, 2)).tolist() == [20 * 50, 8 * 20]


def test_several_screws_are_one_instance_and_a_speck_is_none():
    bits = blob(box=(4, 4, 8, 30), flag=SCREW) | blob(box=(12, 4, 16, 30), flag=SCREW)
    found = targets(torch.from_numpy(bits))
    assert found["labels"].tolist() == [3] and found["boxes"].tolist() == [[4, 4, 16, 30]]
    speck = targets(torch.from_numpy(blob(box=(0, 0, FEWEST - 1, 1), flag=SCREW)))
    assert len(speck["boxes"]) == 0 and speck["boxes"].shape == (0, 4) and speck["masks"].shape == (0, 96, 64)


@pytest.mark.parametrize("shape", [(96, 128), (480, 640), (300, 401), (400, 300)])
def test_half_a_film_keeps_its_proportions_and_its_place(shape):
    """A rectangle of the left hip lies in the mirrored, reduced frame where arithmetic puts it."""
    height, width = shape
    film = np.zeros(shape, np.uint8)
    film[height // 4 : height // 2, 5 * width // 8 : 7 * width // 8] = 200
    small, scale = to_network(film, "left", 64), reduction(shape, 64)
    ys, xs = np.nonzero(small > 100)
    left = width - 7 * width // 8  # of the mirrored half
    found = np.array([xs.min(), ys.min(), xs.max() + 1, ys.max() + 1])
    expected = scale * np.array([left, height // 4, width - 5 * width // 8, height // 2])
    assert np.abs(found - expected).max() <= 1 and small.shape == frame(64)
    assert not to_network(film, "right", 64).any()


def test_flags_and_film_halved_are_means_of_their_blocks():
    film = np.zeros((96, 128), np.uint8)
    film[:, :20], film[:, 100:] = 100, 60
    bits = blob((96, 128), (0, 0, 21, 96), FEMUR | JOINT)
    np.testing.assert_array_equal(to_network(film, "right", 32)[:48, 8:12].mean(0), [100, 100, 0, 0])
    flags = to_network(bits, "right", 32, flags=True)[:48]
    assert (flags[:, :10] == FEMUR | JOINT).all() and (flags[:, 10] == FEMUR | JOINT).all() and not flags[:, 11:].any()


def test_a_mask_comes_back_to_its_box_as_torchvision_pastes_it():
    rng = np.random.default_rng(1)
    smooth = torch.nn.functional.interpolate(torch.from_numpy(rng.random((1, 1, 5, 5))), (28, 28), mode="bicubic")
    for box in ([10, 20, 66, 90], [-8, 5, 40, 61], [60, 80, 130, 140]):
        theirs = paste_masks_in_image(smooth.float(), torch.tensor([box], dtype=torch.float32), (100, 100), padding=1)
        ours = paste(smooth[0, 0], box, (100, 100))
        assert np.mean(ours != (theirs[0, 0].numpy() >= 0.5)) < 0.02  # theirs rounds, and blurs the box's edge
        assert ours.any()


def test_a_full_mask_fills_its_box_to_a_fraction_of_a_pixel():
    drawn = paste(torch.ones(8, 8), (10.4, 20.0, 30.0, 40.6), (60, 60))
    ys, xs = np.nonzero(drawn)
    assert (xs.min(), ys.min(), xs.max(), ys.max()) == (10, 20, 29, 40)
    assert not paste(torch.ones(8, 8), (70, 70, 90, 90), (60, 60)).any()


def test_reducing_and_pasting_a_true_mask_gives_it_back():
    """Cut to its box and reduced to 56 x 56, a rectangle with a notch returns with IoU over 0.95."""
    mask = np.zeros((120, 100), bool)
    mask[10:110, 20:70] = True
    mask[40:60, 20:40] = False
    small = torch.nn.functional.interpolate(torch.from_numpy(mask[10:110, 20:70].astype(np.float32))[None, None],
                                            (56, 56), mode="bilinear", antialias=True)[0, 0]  # fmt: skip
    back = paste(small, (20, 10, 70, 110), mask.shape)
    assert (back & mask).sum() / (back | mask).sum() > 0.95


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="multiple of 32"):
        frame(100)
    with pytest.raises(ValueError, match="uint8"):
        to_network(np.zeros((4, 4)), "right", 32)
    with pytest.raises(ValueError, match="right or left"):
        to_network(np.zeros((4, 4), np.uint8), "both", 32)


def test_a_film_of_sixteen_bits_is_brought_to_eight():
    film = np.linspace(0, 65535, 96 * 128).astype(np.uint16).reshape(96, 128)
    assert eight_bit(film).dtype == np.uint8 and eight_bit(film).min() == 0 and eight_bit(film).max() == 255
    small = (film // 257).astype(np.uint8)
    assert eight_bit(small) is small


def test_half_films_of_a_phantom_agree_with_its_masks(tmp_path, monkeypatch):
    """Both halves hold one femur at nearly the same place; obstructed hips and only those hold metal."""
    from osteolib.cohorts import load_cohort
    from osteolib.phantoms.hip.truth import read_masks

    monkeypatch.setattr("osteolib.runs.store.STORE", tmp_path)
    cohort = load_cohort("hip-phantom", n_subjects=4, seed=1, film_width=256)
    halves = hip_halves(cohort, 64)
    assert halves.images.shape == halves.bits.shape == (8, *frame(64)) and halves.images.dtype == torch.uint8
    metal = np.array([bool((bits & (JOINT | SCREW)).any()) for bits in halves.bits])
    np.testing.assert_array_equal(metal, cohort.subjects["obstructed"])
    for row, bits in zip(cohort.subjects.itertuples(), halves.bits.numpy(), strict=True):
        film = read_masks(row.masks_path, row.image_id)[:, row.x0 : row.x1]
        share = (film & FEMUR > 0).mean()
        assert (bits & FEMUR > 0).sum() == pytest.approx(share * film.size * reduction((192, 256), 64) ** 2, rel=0.05)
    again = hip_halves(cohort, 64)
    assert again.digest() == halves.digest() != halves.take([0, 1]).digest()
    assert len(halves.take(cohort.subjects["side"] == "left").images) == 4
    deep = load_cohort("hip-phantom", n_subjects=4, seed=1, film_width=256, file_format="dicom")
    assert (hip_halves(deep, 64).images != halves.images).any()  # another film, another artefact
    table = load_cohort("hip-phantom", n_subjects=4, seed=1, film_width=256, render=False)
    with pytest.raises(ValueError, match="render=True"):
        hip_halves(table, 64)


def test_hips_are_taken_by_position_or_mask():
    halves = HipHalves(torch.arange(6, dtype=torch.uint8).reshape(6, 1, 1), torch.zeros(6, 1, 1, dtype=torch.uint8))
    assert halves.take([4, 1]).images.flatten().tolist() == [4, 1]
    assert halves.take(pd.Series([True, False] * 3)).images.flatten().tolist() == [0, 2, 4]
    assert set(BITS) == set(CLASSES)
