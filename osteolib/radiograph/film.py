"""What a film is once it is read, and the one error of everything that reads films."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MAX_PIXELS = 80_000_000
"""Largest film that is opened: a stitched whole-leg film has some 30 million, a decompression bomb far more."""


class RadiographError(ValueError):
    """A file or an image is not a radiograph that can be used; the message names it and the remedy."""


@dataclass(frozen=True, eq=False, repr=False)
class Radiograph:
    """One projection radiograph, without anything that names the patient.

    Attributes
    ----------
    pixels
        Shape (height, width), uint8 or uint16, bright bone, as a viewer hangs the film: head up, and of a film from
        the front or the back the patient's left at the image's right.
    spacing_mm
        Distance of rows and of columns at the detector, or None where the file does not say.
    view
        DICOM View Position (``"AP"``, ``"PA"``, ...) or None.
    side
        ``"right"`` or ``"left"`` of the patient, None where unknown or where both are shown.
    notes
        What was decided where the file leaves a choice, one sentence each; empty for an ordinary film.
    """

    pixels: NDArray[np.uint8] | NDArray[np.uint16]
    spacing_mm: tuple[float, float] | None = None
    view: str | None = None
    side: str | None = None
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        height, width = self.pixels.shape
        about = f"{width} x {height} {self.pixels.dtype}"
        notes = f", notes={self.notes}" if self.notes else ""
        return f"Radiograph({about}, spacing_mm={self.spacing_mm}, view={self.view}, side={self.side}{notes})"


def check_size(name: str, width: int, height: int) -> None:
    """RadiographError for a film called ``name`` that has no pixels or more than :data:`MAX_PIXELS`."""
    if width < 1 or height < 1:
        raise RadiographError(f"{name}: no pixels ({width} x {height}); export it again")
    if width * height > MAX_PIXELS:
        raise RadiographError(f"{name}: {width} x {height} exceeds {MAX_PIXELS:,} pixels; reduce it first")


def frozen(pixels: NDArray) -> NDArray:
    """The same pixels in one block of memory, which nobody can change."""
    pixels = np.ascontiguousarray(pixels)
    pixels.flags.writeable = False
    return pixels
