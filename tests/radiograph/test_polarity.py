"""A negative is seen in the picture of every bone, and no film is taken for one; what shows nothing is refused."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from osteolib.cohorts import load_cohort
from osteolib.radiograph import RadiographError, read_radiograph
from osteolib.radiograph.polarity import NEGATIVE, negative_score, sample, why_empty, why_saturated

FILMS = {
    "knee-phantom": {"n_subjects": 12, "size": 96},
    "hand-phantom": {"n_subjects": 12, "size": 160},
    "hip-phantom": {"n_subjects": 8, "film_width": 160},
}


@pytest.fixture(scope="module")
def simulated():
    """A few films of every bone, by phantom."""
    return {
        name: [read_radiograph(path).pixels for path in load_cohort(name, seed=11, **options).subjects.path.unique()]
        for name, options in FILMS.items()
    }


@pytest.mark.parametrize("name", FILMS)
def test_negatives_are_told_from_films(simulated, name):
    """A small part of what :mod:`osteolib.radiograph.polarity` states of 2,070 real and 1,660 simulated films."""
    scores = np.array([negative_score(sample(film)) for film in simulated[name]])
    negatives = np.array([negative_score(sample(255 - film)) for film in simulated[name]])
    assert (scores < NEGATIVE).all(), scores
    assert (negatives > NEGATIVE).mean() >= 0.9, negatives
    np.testing.assert_allclose(negatives, -scores, atol=0.03)
    assert not any(why_empty(sample(film)) or why_saturated(sample(film)) for film in simulated[name])


@pytest.mark.parametrize("name", FILMS)
@pytest.mark.parametrize("how", ["as it is", "on its side", "mirrored", "large", "deep", "steep", "soft"])
def test_a_negative_is_seen_however_it_is_stored(simulated, name, how):
    change = {
        "as it is": lambda f: f, "on its side": np.rot90, "mirrored": lambda f: f[:, ::-1],
        "large": lambda f: np.kron(f, np.ones((5, 5), f.dtype)), "deep": lambda f: f.astype(np.uint16) * 200 + 3000,
        "steep": lambda f: (255 * (f / 255) ** 1.5).astype(np.uint8),
        "soft": lambda f: (255 * (f / 255) ** 0.8).astype(np.uint8),
    }[how]  # fmt: skip
    films = [change(film) for film in simulated[name]]
    assert not any(negative_score(sample(film)) > NEGATIVE for film in films)
    assert np.mean([negative_score(sample(film.max() - film)) > NEGATIVE for film in films]) >= 0.75


def test_a_negative_picture_is_refused_and_its_remedy_works(tmp_path, film):
    for kind, centres in (("one", (0.5,)), ("two", (0.28, 0.72))):
        pixels = film(centres)
        Image.fromarray(255 - pixels).save(tmp_path / f"{kind}.png")
        with pytest.raises(RadiographError, match=rf"{kind}\.png: a negative, with dark bone.*invert its grey values"):
            read_radiograph(tmp_path / f"{kind}.png")
        Image.fromarray(pixels).save(tmp_path / f"{kind}.png")
        np.testing.assert_array_equal(read_radiograph(tmp_path / f"{kind}.png").pixels, pixels)


def test_a_bright_frame_is_named_as_a_reason(tmp_path, film):
    framed = np.pad(film((0.5,)), 200, constant_values=255)
    Image.fromarray(framed).save(tmp_path / "film.png")
    with pytest.raises(RadiographError, match="cut off a bright frame"):
        read_radiograph(tmp_path / "film.png")
    Image.fromarray(framed[200:-200, 200:-200]).save(tmp_path / "film.png")
    read_radiograph(tmp_path / "film.png")


@pytest.mark.parametrize("kind", ["png", "deep", "MONOCHROME1", "MONOCHROME2"])
def test_whoever_knows_what_bone_is_on_a_film_is_believed(tmp_path, film, write_dicom, kind):
    """A negative is inverted, a film that only looks like one is taken as it is, and so is one that looks like none."""
    legs, path = film((0.28, 0.72)), tmp_path / "film.png"

    def write(pixels):
        if kind == "png":
            Image.fromarray(pixels).save(path)
        elif kind == "deep":
            Image.fromarray(pixels.astype(np.uint16) * 16).save(path)  # 12 bits of 16, as many exports
        else:
            return write_dicom(pixels if kind == "MONOCHROME2" else 255 - pixels, PhotometricInterpretation=kind)[0]
        return path

    scale = 16 if kind == "deep" else 1
    np.testing.assert_array_equal(read_radiograph(write(255 - legs), "dark bone").pixels, legs * np.uint16(scale))
    np.testing.assert_array_equal(
        read_radiograph(write(255 - legs), "bright bone").pixels, (255 - legs) * np.uint16(scale)
    )
    np.testing.assert_array_equal(read_radiograph(write(legs), "bright bone").pixels, legs * np.uint16(scale))
    with pytest.raises(
        RadiographError, match=r"film\.\w+: polarity must be one of bright bone, dark bone, got 'negative'"
    ):
        read_radiograph(path, "negative")


def flat(value, dtype=np.uint8):
    return np.full((90, 80), value, dtype)


def stray(value, n):
    pixels = flat(value)
    pixels.ravel()[np.random.default_rng(0).choice(pixels.size, n, replace=False)] = 255 - value
    return pixels


def blocks():
    return np.kron(np.random.default_rng(0).integers(0, 2, (9, 8)), np.full((10, 10), 255)).astype(np.uint8)


def noise(low, high, dtype=np.uint8):
    return np.random.default_rng(0).integers(low, high, (90, 80)).astype(dtype)


@pytest.mark.parametrize(
    ("pixels", "why"),
    [
        (flat(0), "every pixel is equal (0), of 7,200 looked at"),
        (flat(255), "every pixel is equal (255), of 7,200 looked at"),
        (flat(30000, np.uint16), "every pixel is equal (30000), of 7,200 looked at"),
        (stray(0, 1), "100.0% of its pixels are equal"),
        (stray(255, 5), "99.9% of its pixels are equal"),
        (stray(0, 150), "97.9% of its pixels are equal"),
        (noise(100, 103), "it is nearly flat, with values from 100 to 102"),
        (noise(30000, 30100, np.uint16), "it is nearly flat"),
        (blocks(), "100% of its pixels are black or white"),
    ],
)
@pytest.mark.parametrize("kind", ["png", "dcm"])
def test_what_shows_nothing_is_refused(tmp_path, write_dicom, pixels, why, kind):
    import re

    if kind == "png":
        Image.fromarray(pixels).save(tmp_path / "film.png")
    else:
        bits = 8 * pixels.itemsize
        write_dicom(pixels, BitsStored=bits, HighBit=bits - 1)
    with pytest.raises(RadiographError, match=rf"film\.{kind}: {re.escape(why)}.*shows no bone; export it again"):
        read_radiograph(tmp_path / f"film.{kind}")


def test_a_saturated_film_is_refused(tmp_path, film):
    pixels = (film((0.5,), leg_width=0.6).astype(float) * 9).clip(0, 255).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "film.png")
    with pytest.raises(RadiographError, match=r"film\.png: .*(saturated|black or white)"):
        read_radiograph(tmp_path / "film.png")


@pytest.mark.parametrize("modality", [None, "DX"])
def test_other_peoples_files_are_read_or_refused_and_never_anything_else(tmp_path, modality):
    """pydicom's own test files that are on disk, as they are and with the modality of a film."""
    import warnings

    import pydicom

    counts = {"read": 0, "refused": 0}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some break rules of DICOM, which pydicom complains of
        for path in sorted((Path(pydicom.__file__).parent / "data" / "test_files").rglob("*.dcm")):
            if modality:
                try:
                    data = pydicom.dcmread(path)
                    data.Modality = modality
                    data.save_as(path := tmp_path / "film.dcm", enforce_file_format=True)
                except Exception:  # what cannot be written anew says nothing about reading
                    continue
            try:
                pixels = read_radiograph(path).pixels
                assert pixels.ndim == 2 and pixels.dtype in (np.uint8, np.uint16) and pixels.max() > pixels.min()
                counts["read"] += 1
            except RadiographError as error:
                assert ": " in str(error) and "damaged DICOM" not in str(error), str(error)
                counts["refused"] += 1
    assert counts["refused"] > 10 and (counts["read"] > 10 or not modality)
