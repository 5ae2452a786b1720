"""Read a radiograph from DICOM, PNG or JPEG into one form: 2-D, bright bone, unsigned, with spacing, view and side.

The kind of a file is taken from its first bytes, not from its name. Of a DICOM only listed elements are read
(:mod:`osteolib.radiograph.dicom`).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from osteolib.radiograph.dicom import MODALITIES, read_dicom
from osteolib.radiograph.dicom_values import TOP, Values, unsigned
from osteolib.radiograph.film import MAX_PIXELS, Radiograph, RadiographError, frozen
from osteolib.radiograph.images import read_image, says_bright_bone
from osteolib.radiograph.polarity import POLARITIES, is_negative, sample, why_empty, why_saturated

__all__ = ["MAX_PIXELS", "MODALITIES", "Radiograph", "RadiographError", "read_radiograph"]


def read_radiograph(path: str | Path, polarity: str | None = None) -> Radiograph:
    """Read one DICOM, PNG or JPEG file.

    8-bit images stay uint8, deeper ones uint16. A picture is turned as its EXIF orientation says. A DICOM gets its
    modality and VOI look-up tables or window, MONOCHROME1 is inverted, padding becomes background, and the film is
    turned by its PatientOrientation: what the elements mean, and what contradicts, stands in
    :mod:`osteolib.radiograph.dicom` and the modules it names. Whatever the file says, the picture itself is looked at:
    a negative is refused and never inverted silently (:mod:`osteolib.radiograph.polarity`).

    Parameters
    ----------
    polarity
        What bone is on the film as a viewer shows it, where somebody knows: ``"bright bone"``, which is taken as it is,
        or ``"dark bone"``, which is inverted. None: the picture is asked, unless it is a PNG that says ``Polarity:
        bright bone`` in its text.

    Raises
    ------
    RadiographError
        The file is missing, empty, truncated, of another kind or modality, in colour, of several frames, larger than
        ``MAX_PIXELS``; compressed in a way for which there is no decoder; flat, saturated or a negative; or an element
        contradicts another. The message names the file without its folders, which may bear a patient's name, and the
        element, and what to do.
    """
    path = Path(path)
    if polarity not in (None, *POLARITIES):
        raise RadiographError(f"{path.name}: polarity must be one of {', '.join(POLARITIES)}, got {polarity!r}")
    try:
        with path.open("rb") as file:
            head = file.read(132)
    except OSError as error:
        raise RadiographError(f"{path.name}: cannot be opened ({error.strerror}); check the path") from None
    if not head:
        raise RadiographError(f"{path.name}: the file is empty; copy it again from its source")
    png = head.startswith(b"\x89PNG\r\n\x1a\n")
    if png or head.startswith(b"\xff\xd8\xff"):
        pixels = read_image(path, png)
        if polarity == "dark bone":
            pixels = unsigned(Values(pixels, 255 if pixels.dtype == np.uint8 else TOP, None), inverted=True)
        film = Radiograph(frozen(pixels))
        invert = "invert its grey values"
    elif head[128:] == b"DICM":
        film = read_dicom(path, polarity)
        invert = "export it with the other PhotometricInterpretation (MONOCHROME1 or MONOCHROME2)"
    else:
        raise RadiographError(f"{path.name}: neither DICOM nor PNG nor JPEG, by its first bytes; export it again")
    seen = sample(film.pixels)
    if why := why_empty(seen):
        raise RadiographError(f"{path.name}: {why}, which shows no bone; export it again, with all its grey values")
    if not polarity and is_negative(seen) and not (png and says_bright_bone(path)):
        raise RadiographError(
            f"{path.name}: a negative, with dark bone on a bright ground; {invert}, or cut off a bright frame around "
            "it, or say what bone is on it: 'dark bone' (it is then inverted) or 'bright bone' (it is then taken as it "
            "is), in a column polarity of its table"
        )
    if why := why_saturated(seen):
        raise RadiographError(f"{path.name}: {why}; export it again, with a wider window, or cut off a white frame")
    return film
