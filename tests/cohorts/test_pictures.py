import io
from hashlib import sha256
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from osteolib.cohorts.pictures import REACH, STORED, group_files, picture_hash, picture_pairs, small_pictures


def jpeg(film: np.ndarray, quality: int) -> np.ndarray:
    data = io.BytesIO()
    Image.fromarray(film).save(data, "JPEG", quality=quality)
    return np.asarray(Image.open(data))


def resized(film: np.ndarray, width: int, height: int) -> np.ndarray:
    return np.asarray(Image.fromarray(film).resize((width, height)))


def gamma(film: np.ndarray, power: float) -> np.ndarray:
    return (255 * (film / 255) ** power).round().astype(np.uint8)


STORED_ANEW = {
    "half the size": lambda film: resized(film, 80, 200),
    "squeezed": lambda film: resized(film, 128, 256),
    "JPEG 30": lambda film: jpeg(film, 30),
    "darker": lambda film: gamma(film, 1.4),
    "lighter": lambda film: gamma(film, 0.7),
    "brighter": lambda film: np.clip(film.astype(int) + 40, 0, 255).astype(np.uint8),
    "mirrored": lambda film: np.ascontiguousarray(film[:, ::-1]),
    "all at once": lambda film: jpeg(resized(gamma(film[:, ::-1], 0.7), 128, 256), 60),
}


@pytest.fixture(scope="module")
def pairs(draw_legs) -> pd.DataFrame:
    """Eight copies of one film among six others, three of which are that film but for what is fine in it."""
    film = draw_legs(0)
    copies = {name: make(film) for name, make in STORED_ANEW.items()}
    others = {f"film {seed}": draw_legs(seed) for seed in range(1, 7)}
    for seed in (4, 5, 6):
        grain = gaussian_filter(np.random.default_rng(seed).normal(size=film.shape), 2.0) * 60
        coarse = gaussian_filter(film, 4.0, output=float)
        others[f"film {seed}"] = np.clip(coarse + grain * (film > 20), 0, 255).astype(np.uint8)
    return picture_pairs({"film 0": film} | copies | others)


@pytest.mark.parametrize("how", STORED_ANEW)
def test_a_film_stored_anew_is_one_picture_with_the_film(pairs, how):
    (row,) = pairs[(pairs["a"] == "film 0") & (pairs["b"] == how)].itertuples()
    assert row.same and row.distance <= REACH
    assert row.mirrored == (how in ("mirrored", "all at once"))
    assert 0.85 < row.detail <= 1 + 1e-12  # a correlation, in floating point


def test_all_copies_are_paired_with_each_other_once_and_nothing_else_is(pairs):
    expected = set(combinations(["film 0", *STORED_ANEW], 2))
    assert sorted(pairs.loc[pairs["same"], ["a", "b"]].itertuples(index=False, name=None)) == sorted(expected)
    assert not pairs.duplicated(["a", "b"]).any()


def test_films_that_differ_in_what_is_fine_only_are_looked_at_and_told_apart(pairs):
    proposed = pairs[pairs["b"].str.startswith("film") & (pairs["a"] == "film 0")]
    assert {"film 4", "film 5", "film 6"} <= set(proposed["b"])  # the hash alone would join them
    assert not proposed["same"].any() and proposed["detail"].max() < 0.65


def test_the_distance_is_that_of_the_hashes(draw_legs):
    """Oracle: the bits of the two hashes, counted by Python."""
    film, other = draw_legs(0), gamma(draw_legs(0)[:, ::-1], 1.4)
    (row,) = picture_pairs({"a": film, "b": other}).itertuples()
    hashes = int(picture_hash(film), 16), int(picture_hash(other, mirrored=True), 16)
    assert row.mirrored and row.distance == int.bit_count(hashes[0] ^ hashes[1])


def test_blank_films_are_not_called_one_picture(draw_legs):
    pairs = picture_pairs({"black": np.zeros((100, 100), np.uint8), "grey": np.full((90, 80), 99, np.uint8)})
    assert not pairs["same"].any()


def test_without_pairs_the_table_is_empty_and_of_the_same_kind(draw_legs, pairs):
    for pictures in ({}, {"a": draw_legs(0)}, {"a": draw_legs(0), "b": draw_legs(1)}):
        none = picture_pairs(pictures)
        assert len(none) == 0
        assert none.dtypes[["distance", "mirrored", "detail", "same"]].equals(
            pairs.dtypes[["distance", "mirrored", "detail", "same"]]
        )


@pytest.fixture
def shelf(world):
    """Write films to files; a table of them as :func:`group_files` wants it."""

    def write(films: dict[str, np.ndarray], **columns) -> pd.DataFrame:
        rows = []
        for name, film in films.items():
            path = world.data / name
            Image.fromarray(film).save(path, **({"quality": 80} if path.suffix == ".jpg" else {}))
            rows.append((path.stem, str(path), sha256(path.read_bytes()).hexdigest()))
        return pd.DataFrame(rows, columns=["image_id", "path", "sha256"]).assign(**columns)

    return write


@pytest.fixture
def family(draw_legs):
    """A stranger; a film of both, the same squeezed, one leg of it, the same leg as JPEG and a twin of that."""
    both = draw_legs(20, legs=2)
    leg = both[20:380, 10:150]
    return {
        "stranger.png": draw_legs(7),
        "both.png": both,
        "both small.png": resized(both, 128, 256),
        "leg.png": leg,
        "leg JPEG.jpg": leg,
        "leg twin.jpg": leg,
    }


def test_grades_nest_and_groups_are_named_after_their_first_file(shelf, family):
    files = shelf(family)
    grouped, pairs, crops = group_files(files)
    assert grouped["bytes_group"].tolist() == [
        "stranger", "both", "both small", "leg", "leg JPEG", "leg JPEG"]  # fmt: skip
    assert grouped["picture_group"].tolist() == ["stranger", "both", "both", "leg", "leg", "leg"]
    assert grouped["source_group"].tolist() == ["stranger", "both", "both", "both", "both", "both"]
    for finer, wider in (("bytes_group", "picture_group"), ("picture_group", "source_group")):
        assert (grouped.groupby(finer)[wider].nunique() == 1).all()
    assert grouped[files.columns].equals(files)
    assert pairs.loc[pairs["same"], ["a", "b"]].to_numpy().tolist() == [["both", "both small"], ["leg", "leg JPEG"]]
    assert crops.loc[crops["fits"], ["crop", "film"]].to_numpy().tolist() == [["leg", "both"]]


def test_without_looking_for_crops_a_source_is_a_picture(shelf, family):
    grouped, _, crops = group_files(shelf(family), look_for_crops=False)
    assert grouped["source_group"].equals(grouped["picture_group"].rename("source_group"))
    assert len(crops) == 0


def test_the_order_of_the_files_names_the_groups_and_changes_nothing_else(shelf, family):
    files = shelf(family)
    back = group_files(files[::-1])[0][::-1]
    assert back.index.equals(files.index)
    assert back["source_group"].tolist() == ["stranger"] + ["leg twin"] * 5


def test_groups_come_back_from_the_store(shelf, family, monkeypatch):
    files = shelf(family)
    fresh = group_files(files)
    for name in ("picture_pairs", "find_crops", "picture_hash"):
        monkeypatch.setattr(f"osteolib.cohorts.pictures.{name}", lambda *_: pytest.fail("computed again"))
    for one, other in zip(fresh, group_files(files), strict=True):
        pd.testing.assert_frame_equal(one, other)


def test_same_as_joins_files_of_one_content_and_one_reduced_copy_of_two_contents(shelf, draw_legs):
    """a and b are copies of one original; c and d are byte-identical copies of two originals of one picture."""
    films = {"a.png": draw_legs(1), "b.png": draw_legs(2), "c.png": draw_legs(3), "d.png": draw_legs(3)}
    grouped, _, _ = group_files(shelf(films, same_as=["one", "one", "two", "three"]))
    assert grouped["bytes_group"].tolist() == ["a", "a", "c", "d"]
    assert grouped["picture_group"].tolist() == grouped["source_group"].tolist() == ["a", "a", "c", "c"]


def test_a_film_of_16_bits_is_one_picture_with_its_8_bit_export(shelf, draw_legs):
    film = draw_legs(1)
    grouped, _, _ = group_files(shelf({"raw.png": film.astype(np.uint16) * 16, "export.png": film}))
    assert grouped["bytes_group"].tolist() == ["raw", "export"]
    assert grouped["picture_group"].tolist() == ["raw", "raw"]


def test_small_pictures_are_at_most_256_pixels_and_their_sizes_are_those_of_the_files(shelf, draw_legs):
    files = shelf({"a.png": draw_legs(1), "b.png": resized(draw_legs(2), 50, 100)})
    small, size = small_pictures({row.sha256: row.path for row in files.itertuples()})
    assert [small[sha].shape for sha in files["sha256"]] == [(STORED, 102), (100, 50)]
    assert size[files["sha256"]].tolist() == [400 * 160, 5000]
    np.testing.assert_array_equal(small[files["sha256"][1]], resized(draw_legs(2), 50, 100))


def test_a_dicom_is_one_picture_with_the_file_made_from_it(world, shelf, draw_legs):
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, generate_uid

    pixels = draw_legs(1)
    film = Dataset()
    film.file_meta = FileMetaDataset()
    film.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    film.SOPClassUID = film.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.1.1"  # digital X-ray
    film.SOPInstanceUID = film.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    film.Modality, film.SamplesPerPixel, film.PixelRepresentation = "DX", 1, 0
    film.PhotometricInterpretation = "MONOCHROME1"  # the lowest value is white
    film.Rows, film.Columns, film.BitsAllocated, film.BitsStored, film.HighBit = *pixels.shape, 16, 12, 11
    film.PixelData = (4095 - pixels.astype("<u2") * 16).tobytes()
    film.save_as(world.data / "a.dcm", enforce_file_format=True)
    dicom = pd.DataFrame([("dicom", str(world.data / "a.dcm"), "d" * 64)], columns=["image_id", "path", "sha256"])
    files = pd.concat([dicom, shelf({"export.jpg": pixels, "other.png": draw_legs(2)})], ignore_index=True)
    assert group_files(files)[0]["picture_group"].tolist() == ["dicom", "dicom", "other"]
