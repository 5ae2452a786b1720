from dataclasses import replace

import numpy as np
import pytest

from osteolib.cohorts import load_cohort
from osteolib.phantoms.hand.truth import read_masks
from osteolib.radiograph import read_radiograph
from osteolib.screen.hand_grid import cut_segments
from osteolib.screen.hand_windows import BY_BONE, BY_PERSON, cut_windows, part_of_people
from osteolib.segment.bones import bone_images, film_rows
from osteolib.segment.windows import cut_square


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("osteolib.runs.store.STORE", tmp_path_factory.mktemp("store"))
        return load_cohort("hand-phantom", n_subjects=12, size=film_rows(32))


@pytest.fixture(scope="module")
def segments(cohort):
    return cut_segments(cohort, 32)


@pytest.fixture(scope="module")
def windows(cohort):
    return cut_windows(cohort, 32, seed=0)


def test_people_have_as_many_squares_and_patches_as_bones_and_one_hand_and_film(segments, windows):
    for kind in BY_BONE:
        assert windows[kind].table.equals(segments.table) and windows[kind].images.shape == segments.images.shape
    people = segments.table.drop_duplicates("subject_id")
    for kind in BY_PERSON:
        assert windows[kind].table["subject_id"].tolist() == people["subject_id"].tolist()
        assert windows[kind].table["y"].tolist() == people["y"].tolist()
        assert len(windows[kind].images) == len(people) and windows[kind].images.dtype == np.uint8


def test_a_square_is_what_the_mask_of_its_bone_was_laid_over(cohort, windows):
    hand = cohort.subjects.iloc[2]
    film, labels = read_radiograph(hand.path).pixels, read_masks(hand.masks_path, hand.image_id)
    (top, left, side) = bone_images(film / 255, labels, 32).boxes["M3"]
    mine = windows["squares"].table["bone_id"].eq(f"{hand.subject_id}-M3").to_numpy()
    square = windows["squares"].images[mine][0]
    np.testing.assert_array_equal(square, cut_square(film, (top, left, side), 32))
    bone = cut_square(np.where(labels == 5, film, 0).astype(np.uint8), (top, left, side), 32)
    assert (square >= bone).all() and (square > bone).any()  # a Hadamard product takes light away


def test_the_seed_moves_the_patches_and_nothing_else(cohort, windows):
    again, other = (cut_windows(cohort, 32, seed) for seed in (0, 1))
    for kind in windows:
        np.testing.assert_array_equal(windows[kind].images, again[kind].images)
        assert (windows[kind].images == other[kind].images).all() == (kind != "patches")


def test_a_person_without_a_bone_image_is_left_out(cohort, monkeypatch):
    first = cohort.subjects["masks_path"].iloc[0], cohort.subjects["image_id"].iloc[0]

    def read(path, image):
        labels = read_masks(path, image)
        return np.zeros_like(labels) if (path, image) == first else labels

    monkeypatch.setattr("osteolib.screen.hand_windows.read_masks", read)
    some = cut_windows(replace(cohort, subjects=cohort.subjects.iloc[:3]), 32, 0)
    assert some["film"].table["subject_id"].tolist() == cohort.subjects["subject_id"].iloc[1:3].tolist()


def test_a_person_is_in_the_part_of_all_own_bones(segments, windows):
    names = np.array(["train", "validation", "test"])
    part = names[segments.table["subject_id"].factorize()[0] % 3]
    people = windows["hand"].table
    own = part_of_people(people, segments.table, part)
    for person, name in zip(people["subject_id"], own, strict=True):
        assert set(part[segments.table["subject_id"] == person]) == {name}
