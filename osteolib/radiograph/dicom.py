"""Read a DICOM film: only the elements listed here, so that no name, number or date of a patient enters the program."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from osteolib.radiograph.dicom_shown import REMEDY, grey_values
from osteolib.radiograph.dicom_values import Values, bits_of, first_of, number, stored_values, unsigned, whole
from osteolib.radiograph.film import Radiograph, RadiographError, check_size, frozen
from osteolib.radiograph.hanging import VIEWS, hang, orientation, side_of
from osteolib.radiograph.polarity import NEGATIVE, negative_score, sample, why_empty, why_saturated

if TYPE_CHECKING:
    from pydicom import Dataset

MODALITIES = ("CR", "DX", "RF", "RG")  # DICOM PS3.3 C.7.3.1.1.1: projections; CT and MR slices are another matter

ABOUT = [
    "Modality", "ViewPosition", "PatientOrientation", "BodyPartExamined", "FrameLaterality", "ImageLaterality",
    "Laterality", "ImagerPixelSpacing", "PixelSpacing",
]  # fmt: skip
PIXELS = [
    "SamplesPerPixel", "PhotometricInterpretation", "NumberOfFrames", "Rows", "Columns", "BitsAllocated", "BitsStored",
    "HighBit", "PixelRepresentation", "PixelData", "PixelPaddingValue", "PixelPaddingRangeLimit", "ModalityLUTSequence",
    "RescaleIntercept", "RescaleSlope", "VOILUTSequence", "WindowCenter", "WindowWidth", "VOILUTFunction",
    "PresentationIntentType", "PresentationLUTShape", "PixelIntensityRelationshipSign",
]  # fmt: skip


def read_dicom(path: Path, polarity: str | None = None) -> Radiograph:
    """Read one DICOM film; ``polarity`` is what bone is on it by its PhotometricInterpretation, where that is known.

    Raises
    ------
    RadiographError
        See :func:`osteolib.radiograph.read_radiograph`; the message names the element.
    """
    import pydicom

    try:
        return _from_dicom(path.name, pydicom.dcmread(path, specific_tags=ABOUT + PIXELS), polarity)
    except RadiographError:
        raise
    except Exception as error:  # pydicom raises many kinds, and parses an element only when it is asked for
        raise RadiographError(f"{path.name}: damaged DICOM ({type(error).__name__}); export it again") from None


def _from_dicom(name: str, data: Dataset, polarity: str | None) -> Radiograph:
    modality = str(data.get("Modality") or "none")
    if modality not in MODALITIES:
        raise RadiographError(f"{name}: modality {modality}; give a projection ({', '.join(MODALITIES)})")
    photometric, frames = data.get("PhotometricInterpretation"), whole(data, name, "NumberOfFrames", 1)
    if photometric not in ("MONOCHROME1", "MONOCHROME2") or frames > 1:
        raise RadiographError(f"{name}: {photometric}, {frames} frame(s); export one frame of MONOCHROME1 or 2")
    if (samples := whole(data, name, "SamplesPerPixel", 1)) != 1:
        raise RadiographError(f"{name}: SamplesPerPixel is {samples}, of {photometric} it must be 1; export it again")
    check_size(name, whole(data, name, "Columns", 0), whole(data, name, "Rows", 0))
    side = side_of(data, name)
    stored = _decoded(data, name)
    shown, culprit = grey_values(data, name, stored)
    inverted, notes = _polarity(data, name, shown, polarity)
    grey = unsigned(shown, inverted)
    why = culprit and (why_empty(sample(grey)) or why_saturated(sample(grey)))
    if why and not why_empty(sample(unsigned(stored, inverted))):
        raise RadiographError(f"{name}: {culprit} flattens the picture ({why}); {REMEDY}")
    pixels, turned = hang(data, name, grey)
    notes += [f"turned to stand upright, from PatientOrientation {orientation(data)}"] if pixels is not grey else []
    spacing = _spacing(data, name)
    view = str(data.get("ViewPosition") or "")
    return Radiograph(
        pixels=frozen(pixels),
        spacing_mm=spacing[::-1] if spacing and turned else spacing,
        view=view if view in VIEWS else None,
        side=side,
        notes=tuple(notes),
    )


def _spacing(data: Dataset, name: str) -> tuple[float, float] | None:
    """Distance of rows and of columns at the detector, else that of a calibrated film; None where neither is told."""
    for keyword in ("ImagerPixelSpacing", "PixelSpacing"):
        if first_of(data, keyword) is None:
            continue
        try:
            spacing = tuple(float(part) for part in data.get(keyword))
        except (TypeError, ValueError):
            raise RadiographError(f"{name}: {keyword} is no pair of numbers; remove it or export it again") from None
        return spacing if len(spacing) == 2 and min(spacing) > 0 and max(spacing) < float("inf") else None
    return None


def _polarity(data: Dataset, name: str, film: Values, stated: str | None) -> tuple[bool, list[str]]:
    """Whether grey values are to be inverted for bright bone, and what was decided.

    PhotometricInterpretation says it, and for the detector's raw values PixelIntensityRelationshipSign may (C.8.11.3):
    1 where more radiation, the air beside the bone, has larger values. PresentationLUTShape repeats it. Where they
    contradict each other the picture decides, unless somebody has ``stated`` what PhotometricInterpretation shows.
    """
    photometric = str(data.PhotometricInterpretation)
    said = {f"PhotometricInterpretation {photometric}": photometric == "MONOCHROME1"}
    shape = str(data.get("PresentationLUTShape") or "").upper()
    if shape in ("IDENTITY", "INVERSE"):
        said[f"PresentationLUTShape {shape}"] = shape == "INVERSE"
    raw = str(data.get("PresentationIntentType") or "").upper() == "FOR PROCESSING"
    notes = ["the raw values of a detector (FOR PROCESSING), not those of a finished film"] if raw else []
    if stated:
        return (photometric == "MONOCHROME1") != (stated == "dark bone"), notes
    sign = whole(data, name, "PixelIntensityRelationshipSign", 0)
    if raw and sign in (1, -1) and not data.get("ModalityLUTSequence"):
        rising = sign * number(data, name, "RescaleSlope", 1.0) > 0
        said[f"PixelIntensityRelationshipSign {sign}"] = rising
    if len(set(said.values())) == 1:
        return photometric == "MONOCHROME1", notes
    score = negative_score(sample(unsigned(film, inverted=False)))
    if abs(score) < NEGATIVE:
        raise RadiographError(
            f"{name}: {' and '.join(said)} contradict each other, and the picture does not tell what is bright; "
            "correct the wrong one, or remove all but PhotometricInterpretation"
        )
    how = "inverted" if score > 0 else "not inverted"
    return score > 0, [*notes, f"{' and '.join(said)} contradict each other; {how}, by the picture"]


def _decoded(data: Dataset, name: str) -> Values:
    """Stored values, by a decoder that the environment has; what it lacks is named."""
    from pydicom.pixels import get_decoder, pixel_array
    from pydicom.uid import RLELossless

    if "PixelData" not in data:
        raise RadiographError(f"{name}: it holds no PixelData; export the film itself")
    syntax = data.file_meta.get("TransferSyntaxUID")
    if syntax is None:
        raise RadiographError(f"{name}: its header has no TransferSyntaxUID; export it again")
    try:
        available = get_decoder(syntax).is_available
    except NotImplementedError:  # a syntax that pydicom does not know at all: told as one that it cannot decode
        available = False
    if not available:
        raise RadiographError(
            f"{name}: compressed as {syntax.name} ({syntax}), for which there is no decoder here; decompress it first "
            "(gdcmconv --raw IN OUT) or export it uncompressed, as RLE or as JPEG 2000"
        )
    bits_of(data, name)
    if not syntax.is_encapsulated:
        _cut_to_size(data, name)
    try:
        words = pixel_array(data, correct_unused_bits=False)
    except Exception as error:  # every decoder has its own kinds
        how = "export it uncompressed" if syntax.is_encapsulated else "export it again"
        raise RadiographError(
            f"{name}: pixels cannot be decoded ({type(error).__name__}, {syntax.name}); {how}"
        ) from None
    if words.ndim != 2 or words.dtype.kind not in "iu":
        raise RadiographError(f"{name}: its pixels are no grey values of one film; export it again")
    return stored_values(data, name, words, packed=not syntax.is_encapsulated or syntax == RLELossless)


def _cut_to_size(data: Dataset, name: str) -> None:
    """Bytes behind the last pixel are dropped; missing ones, and a second film, are told."""
    rows, columns = whole(data, name, "Rows"), whole(data, name, "Columns")
    allocated = whole(data, name, "BitsAllocated")
    needed, given = -(-rows * columns * allocated // 8), len(data.PixelData)
    if given < needed or given >= 2 * needed + 2:
        raise RadiographError(
            f"{name}: PixelData holds {given:,} bytes, but {rows} x {columns} of {allocated} bits are {needed:,}; "
            "pixels cannot be decoded; copy it again from its source"
        )
    if given > needed + needed % 2:
        data.PixelData = data.PixelData[: needed + needed % 2]
