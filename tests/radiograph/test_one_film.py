"""One film, written in every way that DICOM allows, is read as that film; or refused, and the message names why."""

import io

import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.pixels import apply_modality_lut, apply_voi_lut
from pydicom.sequence import Sequence
from pydicom.uid import (
    MPEG4HP41,
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLossless,
    JPEGLSLossless,
    RLELossless,
)

from osteolib.radiograph import RadiographError, read_radiograph

MONO1 = {"PhotometricInterpretation": "MONOCHROME1"}
FULL = {"WindowCenter": 2048, "WindowWidth": 4096}  # all 12 bits
BITS16 = {"BitsStored": 16, "HighBit": 15}
SIGNED = {"PixelRepresentation": 1}
EXACT, IN_8_BITS, IN_100 = 1e-9, 1 / 160, 0.012  # share of the film's range by which a pixel may differ


def lut(content, bits, first=0, n=4096, vr="OW", at="VOILUTSequence"):
    """A sequence of one table; entries as bytes, or as numbers that are written in words."""
    item = Dataset()
    item.add_new("LUTDescriptor", "SS" if first < 0 else "US", [n % 65536, first, bits])
    words = content if isinstance(content, bytes) else np.asarray(content, "<u2").tobytes()
    item.add_new("LUTData", vr, words if vr == "OW" else list(map(int, content)))
    return {at: Sequence([item])}


RAMP = np.arange(4096)
AS_IT_IS = {
    "plain": lambda f: (f, {}, EXACT),
    "inverted": lambda f: (4095 - f, MONO1, EXACT),
    "16 bits stored": lambda f: (f, BITS16, EXACT),
    "16 bits stored, inverted": lambda f: (4095 - f, BITS16 | MONO1, EXACT),
    "8 bits": lambda f: ((f // 16).astype("u1"), {}, IN_8_BITS),
    "32 bits": lambda f: (f.astype("u4") << 8, {"BitsStored": 20, "HighBit": 19}, 1e-4),
    "high bit 15": lambda f: (f << 4, {"HighBit": 15}, EXACT),
    "high bit 13": lambda f: (f << 2, {"HighBit": 13}, EXACT),
    "high bit 15, inverted": lambda f: ((4095 - f) << 4, {"HighBit": 15} | MONO1, EXACT),
    "overlay above": lambda f: (f | _overlay(f) << 12, {}, EXACT),
    "overlay below": lambda f: (f << 4 | _overlay(f), {"HighBit": 15}, EXACT),
    "overlay above, signed": lambda f: ((f - 2048) & 4095 | _overlay(f) << 13, SIGNED, EXACT),
    "signed": lambda f: (f.astype("i2") - 2048, SIGNED, EXACT),
    "signed, inverted": lambda f: (2047 - f.astype("i2"), SIGNED | MONO1, EXACT),
    "signed, unused bits clear": lambda f: ((f - 2048) & 4095, SIGNED, EXACT),
    "signed, high bit 15": lambda f: ((f - 2048) << 4, SIGNED | {"HighBit": 15}, EXACT),
    "signed, 16 bits": lambda f: ((f.astype("i4") * 16 - 32768).astype("i2"), SIGNED | BITS16, EXACT),
    "signed, positive": lambda f: (f.astype("i2"), SIGNED | BITS16, EXACT),
    "signed, positive, inverted": lambda f: (4095 - f.astype("i2"), SIGNED | BITS16 | MONO1, EXACT),
    "implicit": lambda f: (f, {"syntax": ImplicitVRLittleEndian}, EXACT),
    "deflated": lambda f: (f, {"syntax": DeflatedExplicitVRLittleEndian}, EXACT),
    "big endian": lambda f: (f.astype(">u2"), {"syntax": ExplicitVRBigEndian}, EXACT),
    "RLE": lambda f: (f, {"compress": RLELossless}, EXACT),
    "RLE, high bit 15": lambda f: (f << 4, {"compress": RLELossless, "HighBit": 15}, EXACT),
    "JPEG 2000": lambda f: (f, {"pillow": ("JPEG2000", JPEG2000Lossless)}, EXACT),
    "JPEG 2000, inverted": lambda f: (4095 - f, {"pillow": ("JPEG2000", JPEG2000Lossless)} | MONO1, EXACT),
    "JPEG": lambda f: ((f // 16).astype("u1"), {"pillow": ("JPEG", JPEGBaseline8Bit)}, 0.1),
    "too many bytes": lambda f: (f, {"PixelData": f.tobytes() + b"\7" * 30}, EXACT),
    "rescaled": lambda f: (f, {"RescaleSlope": 1, "RescaleIntercept": -1024}, EXACT),
    "rescaled, steep": lambda f: (f, {"RescaleSlope": 30, "RescaleIntercept": 5}, 1e-4),
    "rescaled, flat": lambda f: (f, {"RescaleSlope": 0.001, "RescaleIntercept": 0}, EXACT),
    "rescaled, downwards": lambda f: (4095 - f, {"RescaleSlope": -1, "RescaleIntercept": 4095}, EXACT),
    "rescaled, downwards, window": lambda f: (
        4095 - f, {"RescaleSlope": -1, "RescaleIntercept": 4095} | FULL, EXACT),
    "rescale elements empty": lambda f: (f, {"RescaleSlope": "", "RescaleIntercept": ""}, EXACT),
    "modality table": lambda f: (4095 - f, lut(RAMP[::-1], 12, at="ModalityLUTSequence"), EXACT),
    "modality table, MONOCHROME1": lambda f: (f, lut(RAMP[::-1], 12, at="ModalityLUTSequence") | MONO1, EXACT),
    "modality table, window": lambda f: (4095 - f, lut(RAMP[::-1], 12, at="ModalityLUTSequence") | FULL, EXACT),
    "VOI table of 8 bits in words": lambda f: (f, lut(RAMP // 16, 8), IN_8_BITS),
    "VOI table of 8 bits, packed": lambda f: (f, lut((RAMP // 16).astype("u1").tobytes(), 8), IN_8_BITS),
    "VOI table of 8 bits, MONOCHROME1": lambda f: (4095 - f, lut(RAMP // 16, 8) | MONO1, IN_8_BITS),
    "VOI table of 8 bits, packed, big endian": lambda f: (
        f.astype(">u2"), lut((RAMP // 16).astype("u1").reshape(-1, 2)[:, ::-1].tobytes(), 8)
        | {"syntax": ExplicitVRBigEndian}, IN_8_BITS),
    "VOI table of 12 bits": lambda f: (f, lut(RAMP, 12), EXACT),
    "VOI table of 16 bits": lambda f: (f, lut(RAMP * 16, 16), EXACT),
    "VOI table of 16 bits, MONOCHROME1": lambda f: (4095 - f, lut(RAMP * 16, 16) | MONO1, EXACT),
    "VOI table that says 16 and uses 12": lambda f: (4095 - f, lut(RAMP, 16) | MONO1, EXACT),
    "VOI table that says 8 and uses 12": lambda f: (f, lut(RAMP, 8), EXACT),
    "VOI table as numbers": lambda f: (f, lut(RAMP, 12, vr="US"), EXACT),
    "VOI table of 65,536": lambda f: (f * 16, BITS16 | lut(np.arange(65536), 16, n=65536), EXACT),
    "VOI table from below 0": lambda f: (f.astype("i2") - 2048, SIGNED | lut(RAMP, 12, first=-2048), EXACT),
    "VOI table after rescaling": lambda f: (
        f, lut(RAMP, 12, first=-1024) | {"RescaleSlope": 1, "RescaleIntercept": -1024}, EXACT),
    "VOI table before a window": lambda f: (f, lut(RAMP, 12) | {"WindowCenter": 0, "WindowWidth": 1}, EXACT),
    "VOI sequence empty": lambda f: (f, {"VOILUTSequence": Sequence([])}, EXACT),
    "window": lambda f: (f, FULL, EXACT),
    "window, MONOCHROME1": lambda f: (4095 - f, FULL | MONO1, EXACT),
    "window, exact": lambda f: (
        f, {"WindowCenter": 2047.5, "WindowWidth": 4095, "VOILUTFunction": "LINEAR_EXACT"},
        EXACT),
    "windows": lambda f: (f, {"WindowCenter": [2048, 40], "WindowWidth": [4096, 0]}, EXACT),
    "windows, one width": lambda f: (f, {"WindowCenter": [2048, 40], "WindowWidth": 4096}, EXACT),
    "window of 16 bits": lambda f: (f, {"WindowCenter": 32768, "WindowWidth": 65536}, EXACT),
    "window elements empty": lambda f: (f, {"WindowCenter": "", "WindowWidth": None, "VOILUTFunction": ""}, EXACT),
    "PresentationLUTShape": lambda f: (f, {"PresentationLUTShape": "IDENTITY"}, EXACT),
    "PresentationLUTShape, inverted": lambda f: (4095 - f, {"PresentationLUTShape": "INVERSE"} | MONO1, EXACT),
    "PresentationLUTShape against it": lambda f: (4095 - f, {"PresentationLUTShape": "INVERSE"}, EXACT),
    "PresentationLUTShape against it, wrongly": lambda f: (f, {"PresentationLUTShape": "INVERSE"}, EXACT),
    "IDENTITY of MONOCHROME1": lambda f: (4095 - f, {"PresentationLUTShape": "IDENTITY"} | MONO1, EXACT),
    "raw": lambda f: (4095 - f, _raw(1) | MONO1, EXACT),
    "raw, bright bone": lambda f: (f, _raw(-1), EXACT),
    "raw, only its sign says it": lambda f: (4095 - f, _raw(1), EXACT),
    "raw, only its sign says that it is bright": lambda f: (f, _raw(-1) | MONO1, EXACT),
    "raw without sign": lambda f: (4095 - f, {"PresentationIntentType": "FOR PROCESSING"} | MONO1, EXACT),
}  # fmt: skip


def _overlay(film):
    """A frame and a letter, as burnt into unused bits."""
    drawn = np.zeros_like(film)
    drawn[5:60, 5:8] = drawn[5:8, 5:40] = drawn[30:33, 5:30] = 1
    return drawn


def _raw(sign):
    return {"PresentationIntentType": "FOR PROCESSING", "PixelIntensityRelationshipSign": sign}


@pytest.fixture
def write(write_dicom):
    """Write a film, compressed or not; a file format of Pillow becomes the frame of a DICOM."""

    def write(pixels, name="film.dcm", compress=None, pillow=None, syntax=None, **elements):
        if syntax is not None:
            elements["syntax"] = syntax
        path, data = write_dicom(np.ascontiguousarray(pixels), name, **elements)
        if pillow:
            frame = io.BytesIO()
            more = {"irreversible": False, "no_jp2": True} if pillow[0] == "JPEG2000" else {"quality": 95}
            Image.fromarray(pixels).save(frame, pillow[0], **more)
            data.PixelData, data.file_meta.TransferSyntaxUID = encapsulate([frame.getvalue()]), pillow[1]
            data["PixelData"].VR = "OB"
        elif compress:
            data.compress(compress)
        if pillow or compress:
            data.save_as(path, enforce_file_format=True)
        return path

    return write


def to_range(pixels, of=None):
    """0 to 1 between the extremes of a film, or of the part that ``of`` tells."""
    own = pixels if of is None else pixels[of]
    return (pixels - float(own.min())) / (float(own.max()) - float(own.min()))


@pytest.mark.parametrize("way", AS_IT_IS)
def test_a_film_is_read_as_one_film_however_it_is_written(write, legs, way):
    pixels, elements, rounding = AS_IT_IS[way](legs)
    film = read_radiograph(write(pixels, **elements))
    assert film.pixels.dtype in (np.uint8, np.uint16) and not film.pixels.flags.writeable
    np.testing.assert_allclose(to_range(film.pixels), to_range(legs), rtol=0, atol=rounding)
    decided = "against" in way or way.startswith(("raw", "IDENTITY"))
    assert bool(film.notes) == decided and len(repr(film).split("notes=")) == 1 + decided


PADDED = {
    "below all": lambda f, p: (np.where(p, 0, f + 10), {"PixelPaddingValue": 0}),
    "white": lambda f, p: (np.where(p, 4095, f // 2), {"PixelPaddingValue": 4095}),
    "0, MONOCHROME1": lambda f, p: (np.where(p, 0, 4095 - f // 2), {"PixelPaddingValue": 0} | MONO1),
    "black, MONOCHROME1": lambda f, p: (np.where(p, 4095, 4000 - f // 2), {"PixelPaddingValue": 4095} | MONO1),
    "range": lambda f, p: (
        np.where(p, 4000 + _steps(f), f // 2), {"PixelPaddingValue": 3990, "PixelPaddingRangeLimit": 4095}),
    "range, high to low, MONOCHROME1": lambda f, p: (
        np.where(p, _steps(f), 4095 - f // 2), {"PixelPaddingValue": 100, "PixelPaddingRangeLimit": 0} | MONO1),
    "beyond the stored bits": lambda f, p: (np.where(p, 65535, f), {"PixelPaddingValue": 65535}),
    "signed": lambda f, p: (
        np.where(p, -2000, f.astype("i2") // 2).astype("i2"), SIGNED | {"PixelPaddingValue": -2000}),
    "signed, beyond the stored bits": lambda f, p: (
        np.where(p, -32768, f.astype("i2") // 2 - 1000).astype("i2"), SIGNED | {"PixelPaddingValue": -32768}),
    "a window": lambda f, p: (
        np.where(p, 4095, f // 2), {"PixelPaddingValue": 4095, "WindowCenter": 1024, "WindowWidth": 2048}),
    "a window, MONOCHROME1": lambda f, p: (
        np.where(p, 0, 4095 - f // 2), MONO1 | {"PixelPaddingValue": 0, "WindowCenter": 3072, "WindowWidth": 2048}),
    "a table": lambda f, p: (np.where(p, 4095, f // 2), {"PixelPaddingValue": 4095} | lut(RAMP // 16, 8)),
    "rescaled": lambda f, p: (
        np.where(p, 4095, f // 2), {"PixelPaddingValue": 4095, "RescaleSlope": 2, "RescaleIntercept": -7}),
}  # fmt: skip


def _steps(film):
    return np.arange(film.size, dtype=film.dtype).reshape(film.shape) % 95


@pytest.mark.parametrize("way", PADDED)
def test_padding_is_background_and_never_bone(write, legs, way):
    padding = np.zeros(legs.shape, bool)
    padding[:, :30] = padding[:, -30:] = padding[-10:] = True
    pixels, elements = PADDED[way](legs, padding)
    film = read_radiograph(write(pixels.astype(pixels.dtype if pixels.dtype == np.int16 else np.uint16), **elements))
    assert (film.pixels[padding] == film.pixels[~padding].min()).all()
    shown = to_range(film.pixels, ~padding)[~padding]
    np.testing.assert_allclose(shown, to_range(legs, ~padding)[~padding], atol=IN_100)


REFUSED = {
    "WindowWidth is 0.*remove WindowCenter and WindowWidth": {"WindowCenter": 2048, "WindowWidth": 0},
    "WindowWidth is -5": {"WindowCenter": 2048, "WindowWidth": -5},
    "WindowWidth is 0.5": {"WindowCenter": 2048, "WindowWidth": 0.5},
    "WindowWidth is missing, though its twin is given": {"WindowCenter": 2048},
    "WindowCenter is missing": {"WindowCenter": "", "WindowWidth": 4096},
    "WindowCenter 0 with WindowWidth 1 flattens the picture": {"WindowCenter": 0, "WindowWidth": 1},
    "WindowCenter 1 with WindowWidth 2 flattens the picture": {"WindowCenter": 1, "WindowWidth": 2},
    "WindowCenter 128 with WindowWidth 256 flattens": {"WindowCenter": 128, "WindowWidth": 256},
    "WindowCenter 60000 with WindowWidth 100 flattens": {"WindowCenter": 60000, "WindowWidth": 100},
    "VOILUTFunction 'CUBIC' is unknown": FULL | {"VOILUTFunction": "CUBIC"},
    "VOILUTSequence flattens the picture": lut(np.full(4096, 7), 12),
    "VOILUTSequence is damaged": lut(RAMP[:90], 12),
    "ModalityLUTSequence is damaged": lut(RAMP[:90], 12, at="ModalityLUTSequence"),
    "RescaleSlope is 0; remove": {"RescaleSlope": 0, "RescaleIntercept": 7},
    "BitsStored 12 and HighBit 3 do not fit BitsAllocated 16": {"HighBit": 3},
    "BitsStored 17 and HighBit 16 do not fit BitsAllocated 16": {"BitsStored": 17, "HighBit": 16},
    "values exceed BitsStored 10": {"BitsStored": 10, "HighBit": 9},
    "SamplesPerPixel is 3": {"SamplesPerPixel": 3},
    "holds no PixelData": {"PixelData": None},
    "BitsStored is missing": {"BitsStored": None},
    "every pixel is padding": {"PixelPaddingValue": 0, "PixelPaddingRangeLimit": 4095},
    "PixelPaddingRangeLimit without PixelPaddingValue": {"PixelPaddingRangeLimit": 5},
    "a negative, with dark bone.*other PhotometricInterpretation": MONO1,
}  # fmt: skip


@pytest.mark.parametrize("why", REFUSED)
def test_what_cannot_be_shown_is_refused_with_its_element(write, legs, why):
    with pytest.raises(RadiographError, match=rf"^film\.dcm: .*{why}"):
        read_radiograph(write(legs, **REFUSED[why]))


@pytest.mark.parametrize("window", [(0, 1), (2048, 0), (128, 256)])
def test_the_remedy_of_a_window_works(write, legs, window):
    path = write(legs, WindowCenter=window[0], WindowWidth=window[1])
    with pytest.raises(RadiographError, match="remove"):
        read_radiograph(path)
    np.testing.assert_array_equal(read_radiograph(write(legs)).pixels, legs)


@pytest.mark.parametrize("sign", [1, -1])
def test_contradicting_words_and_a_picture_that_does_not_tell(write, sign):
    noise = np.random.default_rng(0).integers(0, 4096, (100, 100)).astype(np.uint16)
    elements = _raw(sign) | ({} if sign == 1 else MONO1)
    with pytest.raises(
        RadiographError, match=r"PixelIntensityRelationshipSign .*contradict each other, and the picture"
    ):
        read_radiograph(write(noise, **elements))


@pytest.mark.parametrize("syntax", [JPEGLossless, JPEGLSLossless, MPEG4HP41, UID("1.2.3.4")])
def test_a_syntax_without_a_decoder_is_named_with_what_decompresses_it(write_dicom, legs, syntax):
    path, data = write_dicom(legs)
    data.PixelData, data.file_meta.TransferSyntaxUID = encapsulate([b"\xff\xd8\xff\xc3"]), syntax
    data["PixelData"].VR = "OB"
    data.save_as(path, enforce_file_format=True)
    with pytest.raises(RadiographError, match=rf"{syntax}.*no decoder.*gdcmconv --raw IN OUT.*uncompressed"):
        read_radiograph(path)


@pytest.mark.parametrize("elements", [
    {"WindowCenter": 1500, "WindowWidth": 2800},
    {"WindowCenter": 1500, "WindowWidth": 2800, "VOILUTFunction": "SIGMOID"},
    {"WindowCenter": 1500, "WindowWidth": 2800, "VOILUTFunction": "LINEAR_EXACT"},
    {"WindowCenter": 500, "WindowWidth": 2800, "RescaleSlope": 1, "RescaleIntercept": -1000},
    lut(np.sqrt(RAMP * 4095), 16), lut(np.sqrt(RAMP * 4095), 16, at="ModalityLUTSequence"),
])  # fmt: skip
@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_tables_and_windows_are_applied_as_pydicom_does(write_dicom, legs, elements, photometric):
    stored = 4095 - legs if photometric == "MONOCHROME1" else legs
    path, data = write_dicom(stored, PhotometricInterpretation=photometric, **elements)
    expected = apply_voi_lut(apply_modality_lut(stored, data), data).astype(float)
    expected = -expected if photometric == "MONOCHROME1" else expected
    np.testing.assert_allclose(to_range(read_radiograph(path).pixels), to_range(expected), atol=1 / 3000)
