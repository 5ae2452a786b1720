"""Read a radiograph from DICOM, PNG or JPEG into one form: 2-D, bright bone, unsigned, with spacing, view and side.

The kind of a file is taken from its first bytes, not from its name. Of a DICOM only the elements listed here are read,
so that no name, number or date of a patient ever enters the program.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pydicom import Dataset

MAX_PIXELS = 80_000_000
"""Largest film that is opened: a stitched whole-leg film has some 30 million, a decompression bomb far more."""

COLOUR_TOLERANCE = 16  # grey levels of 255 by which JPEG may tear the channels of a grey image apart
MODALITIES = ("CR", "DX", "RF", "RG")  # DICOM PS3.3 C.7.3.1.1.1: projections; CT and MR slices are another matter
VIEWS = ("AP", "PA", "LL", "RL", "RLD", "LLD", "RLO", "LLO")  # PS3.3 C.8.7.1.1.1, View Position
SIDES = {"R": "right", "L": "left"}

_ABOUT = [
    "Modality", "ViewPosition", "ImageLaterality", "Laterality", "ImagerPixelSpacing", "PixelSpacing",
]  # fmt: skip
_PIXELS = [
    "SamplesPerPixel", "PhotometricInterpretation", "NumberOfFrames", "Rows", "Columns", "BitsAllocated", "BitsStored",
    "HighBit", "PixelRepresentation", "PixelData", "ModalityLUTSequence", "RescaleIntercept", "RescaleSlope",
    "VOILUTSequence", "WindowCenter", "WindowWidth", "VOILUTFunction",
]  # fmt: skip


class RadiographError(ValueError):
    """A file or an image is not a radiograph that can be used; the message names it and the remedy."""


@dataclass(frozen=True, eq=False, repr=False)
class Radiograph:
    """One projection radiograph, without anything that names the patient.

    Attributes
    ----------
    pixels
        Shape (height, width), uint8 or uint16, bright bone.
    spacing_mm
        Distance of rows and of columns at the detector, or None where the file does not say.
    view
        DICOM View Position (``"AP"``, ``"PA"``, ...) or None.
    side
        ``"right"`` or ``"left"`` of the patient, None where unknown or where both are shown.
    """

    pixels: NDArray[np.uint8] | NDArray[np.uint16]
    spacing_mm: tuple[float, float] | None = None
    view: str | None = None
    side: str | None = None

    def __repr__(self) -> str:
        height, width = self.pixels.shape
        about = f"{width} x {height} {self.pixels.dtype}"
        return f"Radiograph({about}, spacing_mm={self.spacing_mm}, view={self.view}, side={self.side})"


def read_radiograph(path: str | Path) -> Radiograph:
    """Read one DICOM, PNG or JPEG file.

    8-bit images stay uint8, deeper ones uint16. A DICOM gets its modality and VOI look-up tables or window, as pydicom
    applies them, and MONOCHROME1 is inverted.

    Raises
    ------
    RadiographError
        The file is missing, empty, truncated, of another kind or modality, in colour, of several frames, or larger
        than ``MAX_PIXELS``. The message names the file without its folders, which may bear a patient's name.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            head = file.read(132)
    except OSError as error:
        raise RadiographError(f"{path.name}: cannot be opened ({error.strerror}); check the path") from None
    if not head:
        raise RadiographError(f"{path.name}: the file is empty; copy it again from its source")
    if head.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")):
        return Radiograph(_frozen(_read_image(path, png=head.startswith(b"\x89"))))
    if head[128:] == b"DICM":
        return _read_dicom(path)
    raise RadiographError(f"{path.name}: neither DICOM nor PNG nor JPEG, by its first bytes; export it again")


def _read_image(path: Path, png: bool) -> NDArray:
    from PIL import ImageChops
    from PIL.JpegImagePlugin import JpegImageFile
    from PIL.PngImagePlugin import PngImageFile

    try:
        # The plugin itself, since Image.open answers a large image with a warning before its size can be asked for.
        with (PngImageFile if png else JpegImageFile)(path) as image:
            _check_size(path, *image.size)
            image.load()
            if image.mode in ("L", "I;16"):
                return np.asarray(image)
            colour = image.convert("RGB")
    except RadiographError:
        raise
    except Exception as error:  # Pillow raises many kinds on a damaged file
        raise RadiographError(f"{path.name}: damaged or truncated ({error}); copy it again from its source") from None
    red, green, blue = colour.split()
    if max(ImageChops.difference(green, other).getextrema()[1] for other in (red, blue)) > COLOUR_TOLERANCE:
        raise RadiographError(f"{path.name}: a colour image; export the radiograph in greyscale, without annotations")
    return np.asarray(colour.convert("L"))


def _read_dicom(path: Path) -> Radiograph:
    import pydicom

    try:
        return _from_dicom(path, pydicom.dcmread(path, specific_tags=_ABOUT + _PIXELS))
    except RadiographError:
        raise
    except Exception as error:  # pydicom raises many kinds, and parses an element only when it is asked for
        raise RadiographError(f"{path.name}: damaged DICOM ({type(error).__name__}); export it again") from None


def _from_dicom(path: Path, data: Dataset) -> Radiograph:
    from pydicom.pixels import apply_modality_lut, apply_voi_lut

    modality = str(data.get("Modality", "")) or "none"
    if modality not in MODALITIES:
        raise RadiographError(f"{path.name}: modality {modality}; give a projection ({', '.join(MODALITIES)})")
    photometric, frames = data.get("PhotometricInterpretation"), int(data.get("NumberOfFrames") or 1)
    if photometric not in ("MONOCHROME1", "MONOCHROME2") or frames > 1:
        raise RadiographError(f"{path.name}: {photometric}, {frames} frame(s); export one frame of MONOCHROME1 or 2")
    _check_size(path, int(data.get("Columns") or 0), int(data.get("Rows") or 0))
    try:
        values = apply_voi_lut(apply_modality_lut(data.pixel_array, data), data)
    except Exception as error:  # a missing element, too few bytes, or a compression without a decoder
        about = f"{type(error).__name__}, {data.file_meta.TransferSyntaxUID.name}"
        raise RadiographError(f"{path.name}: pixels cannot be decoded ({about}); export it uncompressed") from None
    spacing = np.atleast_1d(data.get("ImagerPixelSpacing") or data.get("PixelSpacing") or 0.0).astype(float)
    view = str(data.get("ViewPosition") or "")
    return Radiograph(
        pixels=_frozen(_unsigned(values, int(data.BitsStored), inverted=photometric == "MONOCHROME1")),
        spacing_mm=(float(spacing[0]), float(spacing[1])) if spacing.size == 2 and (spacing > 0).all() else None,
        view=view if view in VIEWS else None,
        side=SIDES.get(str(data.get("ImageLaterality") or data.get("Laterality") or "")),
    )


def _unsigned(values: NDArray, bits_stored: int, inverted: bool) -> NDArray:
    """Keep the values where they fit the stored bits; else shift, and scale what would exceed 16 bits."""
    values, top = values.astype(np.float64), float(2**bits_stored - 1)
    if values.min() < 0 or values.max() > top:
        values -= values.min()
        top = values.max()
    if top > np.iinfo(np.uint16).max:
        values *= np.iinfo(np.uint16).max / top
        top = float(np.iinfo(np.uint16).max)
    if inverted:  # MONOCHROME1: the lowest value is meant to be shown white
        values = top - values
    return np.rint(values).astype(np.uint8 if top <= 255 else np.uint16)


def _check_size(path: Path, width: int, height: int) -> None:
    if width < 1 or height < 1:
        raise RadiographError(f"{path.name}: no pixels ({width} x {height}); export it again")
    if width * height > MAX_PIXELS:
        raise RadiographError(f"{path.name}: {width} x {height} exceeds {MAX_PIXELS:,} pixels; reduce it first")


def _frozen(pixels: NDArray) -> NDArray:
    pixels.flags.writeable = False
    return pixels
