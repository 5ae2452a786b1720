import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image
from pydicom.uid import JPEG2000Lossless

from osteolib.radiograph import MAX_PIXELS, RadiographError, read_radiograph


@pytest.fixture
def deep():
    return np.random.default_rng(0).integers(0, 4096, (40, 30)).astype(np.uint16)


def test_a_deep_dicom_keeps_its_bits_and_its_description(write_dicom, deep):
    path, _ = write_dicom(
        deep, ImagerPixelSpacing=[0.15, 0.2], PixelSpacing=[0.3, 0.3], ViewPosition="AP", ImageLaterality="R"
    )
    film = read_radiograph(path)
    np.testing.assert_array_equal(film.pixels, deep)
    assert film.pixels.dtype == np.uint16
    assert (film.spacing_mm, film.view, film.side) == ((0.15, 0.2), "AP", "right")


@pytest.mark.parametrize(
    ("elements", "spacing", "side"),
    [
        ({}, None, None),
        ({"PixelSpacing": [0.3, 0.4], "Laterality": "L"}, (0.3, 0.4), "left"),
        ({"ImageLaterality": "B"}, None, None),
        ({"ImagerPixelSpacing": [0, 0]}, None, None),
    ],
)
def test_what_a_dicom_does_not_say_is_none(write_dicom, deep, elements, spacing, side):
    film = read_radiograph(write_dicom(deep, **elements)[0])
    assert (film.spacing_mm, film.view, film.side) == (spacing, None, side)


def test_monochrome1_is_the_negative(write_dicom, deep):
    path, _ = write_dicom(deep, PhotometricInterpretation="MONOCHROME1")
    np.testing.assert_array_equal(read_radiograph(path).pixels, 4095 - deep)
    shallow = (deep // 16).astype(np.uint8)
    path, _ = write_dicom(shallow, PhotometricInterpretation="MONOCHROME1")
    pixels = read_radiograph(path).pixels
    assert pixels.dtype == np.uint8
    np.testing.assert_array_equal(pixels, 255 - shallow)


def test_negative_and_very_large_values_keep_their_order(write_dicom):
    signed = np.array([[-1000, 0], [500, 3000]], np.int16)
    path, _ = write_dicom(signed, PixelRepresentation=1, BitsStored=16, HighBit=15)
    np.testing.assert_array_equal(read_radiograph(path).pixels, signed.astype(int) + 1000)
    path, _ = write_dicom(
        signed.view(np.uint16) // 2, BitsStored=16, HighBit=15, RescaleSlope=100, RescaleIntercept=0, RescaleType="US"
    )
    pixels = read_radiograph(path).pixels
    assert pixels.max() == 65535 and (np.argsort(pixels, None) == np.argsort(signed.view(np.uint16), None)).all()


def test_nothing_that_names_the_patient_is_kept_or_shown(write_dicom, deep, tmp_path):
    folder = tmp_path / "Secret Person"
    folder.mkdir()
    path, _ = write_dicom(deep, name="Secret Person/1.dcm")
    film = read_radiograph(path)
    shown = repr(film) + repr(vars(film))
    assert not any(word in shown for word in ("Secret", "Person", "007", "1950"))
    path.write_bytes(path.read_bytes()[:400])
    with pytest.raises(RadiographError) as raised:
        read_radiograph(path)
    assert "Secret" not in str(raised.value) and "1.dcm" in str(raised.value)


@pytest.mark.parametrize("modality", ["CT", "MR", "SR", None])
def test_what_is_no_projection_is_refused(write_dicom, deep, modality):
    path, _ = write_dicom(deep, Modality=modality)
    with pytest.raises(RadiographError, match=rf"film\.dcm: modality {modality or 'none'}; give a projection"):
        read_radiograph(path)


@pytest.mark.parametrize("modality", ["CR", "DX", "RF", "RG"])
def test_projections_are_accepted(write_dicom, deep, modality):
    np.testing.assert_array_equal(read_radiograph(write_dicom(deep, Modality=modality)[0]).pixels, deep)


def test_dicoms_that_cannot_be_used_are_named(write_dicom, deep):
    cases = {
        "2 frame": write_dicom(np.stack([deep, deep]), "frames.dcm", NumberOfFrames=2),
        "RGB, 1 frame": write_dicom(deep, "rgb.dcm", PhotometricInterpretation="RGB"),
        "no pixels": write_dicom(deep, "none.dcm", Rows=0),
        "cannot be decoded": write_dicom(deep, "short.dcm", PixelData=deep.tobytes()[:100]),
        "exceeds": write_dicom(deep, "bomb.dcm", Rows=60_000, Columns=60_000),
    }
    for message, (path, _) in cases.items():
        with pytest.raises(RadiographError, match=rf"{path.name}: .*{message}"):
            read_radiograph(path)


def test_a_damaged_element_is_named(write_dicom, deep):
    path, _ = write_dicom(deep, ImagerPixelSpacing=[0.15, 0.15])
    path.write_bytes(path.read_bytes().replace(rb"0.15\0.15", rb"0.15\0.x5"))
    with pytest.raises(RadiographError, match=r"film\.dcm: ImagerPixelSpacing is no pair of numbers; remove it"):
        read_radiograph(path)


def test_a_compression_that_cannot_be_decoded_is_named(write_dicom, deep):
    from pydicom.encaps import encapsulate

    path, data = write_dicom(deep)
    data.file_meta.TransferSyntaxUID = JPEG2000Lossless
    data.PixelData = encapsulate([b"\xff\x4f\xff\x51 no image"])
    data["PixelData"].VR = "OB"
    data.save_as(path, enforce_file_format=True)
    with pytest.raises(RadiographError, match=r"film\.dcm: .*JPEG 2000.*export it uncompressed"):
        read_radiograph(path)


def test_png_of_8_and_16_bits_is_kept_exactly(tmp_path, deep):
    Image.fromarray(deep).save(tmp_path / "deep.png")
    Image.fromarray((deep // 16).astype(np.uint8)).save(tmp_path / "shallow.png")
    np.testing.assert_array_equal(read_radiograph(tmp_path / "deep.png").pixels, deep)
    film = read_radiograph(tmp_path / "shallow.png")
    np.testing.assert_array_equal(film.pixels, deep // 16)
    assert not film.pixels.flags.writeable and film.side is None


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA", "P", "L"])
def test_grey_in_other_clothes_is_grey(tmp_path, deep, mode):
    grey = (deep // 16).astype(np.uint8)
    Image.fromarray(grey).convert(mode).save(tmp_path / "film.png")
    np.testing.assert_array_equal(read_radiograph(tmp_path / "film.png").pixels, grey)


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_jpeg_is_what_pillow_decodes_and_the_ending_does_not_matter(tmp_path, film, mode):
    Image.fromarray(film((0.5,))).convert(mode).save(tmp_path / "film.jpg", quality=90)
    (tmp_path / "film.jpg").rename(tmp_path / "film.png")
    with Image.open(tmp_path / "film.png") as image:
        expected = np.asarray(image.convert("L"))
    np.testing.assert_array_equal(read_radiograph(tmp_path / "film.png").pixels, expected)


def test_a_photograph_is_refused(tmp_path):
    colours = np.random.default_rng(0).integers(0, 256, (20, 20, 3)).astype(np.uint8)
    Image.fromarray(colours).save(tmp_path / "photo.png")
    with pytest.raises(RadiographError, match=r"photo\.png: a colour image; export"):
        read_radiograph(tmp_path / "photo.png")


@pytest.mark.parametrize("kind", ["film.jpg", "film.png"])
@pytest.mark.parametrize("kept", [0.001, 0.02, 0.3, 0.9])
def test_truncated_files_are_named(tmp_path, film, kind, kept):
    path = tmp_path / kind
    Image.fromarray(film((0.5,))).save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: max(int(kept * len(whole)), 24)])
    with pytest.raises(RadiographError, match=rf"{kind}: damaged or truncated .* copy it again"):
        read_radiograph(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"subject,t_score\n1,-2.5\n", "neither DICOM nor PNG nor JPEG"),
        (b"\x89PNG\r\n\x1a\n", "damaged or truncated"),
        (b"\xff\xd8\xff", "damaged or truncated"),
        (b"\0" * 128 + b"DICM", "modality none"),
    ],
)
def test_files_that_are_no_images_are_named(tmp_path, content, message):
    path = tmp_path / "film.png"
    path.write_bytes(content)
    with pytest.raises(RadiographError, match=rf"film\.png: .*{message}"):
        read_radiograph(path)


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    for path in (tmp_path / "nothing.png", tmp_path):
        with pytest.raises(RadiographError, match=rf"{path.name}: cannot be opened .* check the path"):
            read_radiograph(path)


def test_a_decompression_bomb_is_an_error_and_no_warning(tmp_path):
    """90 million black pixels are 11 kB as PNG. Pillow would warn here; large films below the limit open in silence."""
    path = tmp_path / "bomb.png"
    Image.new("1", (10_000, 9_000)).save(path)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with pytest.raises(RadiographError, match=rf"bomb\.png: 10000 x 9000 exceeds {MAX_PIXELS:,} pixels"):
            read_radiograph(path)
    assert not caught


def test_threads_read_what_one_reads(tmp_path, film):
    """Reading changes no state of Pillow, so that threads cannot disturb each other."""
    paths = [tmp_path / f"{i}.png" for i in range(6)]
    for i, path in enumerate(paths):
        Image.fromarray(film((0.5,), seed=i)).save(path)
    with ThreadPoolExecutor(3) as pool:
        for i, read in enumerate(pool.map(read_radiograph, paths)):
            np.testing.assert_array_equal(read.pixels, film((0.5,), seed=i))


def test_no_element_that_is_read_could_name_a_person():
    """None of the patient, and no kind of value that holds text, names, dates or numbers of a file or a study."""
    from pydicom.datadict import dictionary_VR, tag_for_keyword

    from osteolib.radiograph.dicom import ABOUT, PIXELS

    kinds = {"CS", "DS", "IS", "US", "SS", "SQ", "US or SS", "OB or OW"}
    for keyword in ABOUT + PIXELS:
        assert tag_for_keyword(keyword) >> 16 != 0x0010 and dictionary_VR(tag_for_keyword(keyword)) in kinds, keyword
