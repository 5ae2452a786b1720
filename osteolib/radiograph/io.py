"""Read a radiograph from DICOM, PNG or JPEG into one form: 2-D, bright bone, unsigned, with spacing, view and side.

The kind of a file is taken from its first bytes, not from its name. Of a DICOM only listed elements are read
(:mod:`osteolib.radiograph.dicom`).
"""

from __future__ import annotations

from pathlib import Path

from osteolib.radiograph.dicom import MODALITIES, read_dicom
from osteolib.radiograph.film import MAX_PIXELS, Radiograph, RadiographError, frozen
from osteolib.radiograph.images import read_image
from osteolib.radiograph.polarity import is_negative, sample, why_empty, why_saturated

__all__ = ["MAX_PIXELS", "MODALITIES", "Radiograph", "RadiographError", "read_radiograph"]


def read_radiograph(path: str | Path) -> Radiograph:
    """Read one DICOM, PNG or JPEG file.

    8-bit images stay uint8, deeper ones uint16. A picture is turned as its EXIF orientation says. A DICOM gets its
    modality and VOI look-up tables or window, MONOCHROME1 is inverted, padding becomes background, and the film is
    turned by its PatientOrientation: what the elements mean, and what contradicts, stands in
    :mod:`osteolib.radiograph.dicom` and the modules it names. Whatever the file says, the picture itself is looked at:
    a negative is refused and never inverted silently (:mod:`osteolib.radiograph.polarity`).

    Raises
    ------
    RadiographError
        The file is missing, empty, truncated, of another kind or modality, in colour, of several frames, larger than
        ``MAX_PIXELS``; compressed in a way for which there is no decoder; flat, saturated or a negative; or an element
        contradicts another. The message names the file without its folders, which may bear a patient's name, and the
        element, and what to do.
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
        film = Radiograph(frozen(read_image(path, png=head.startswith(b"\x89"))))
        invert = "invert its grey values"
    elif head[128:] == b"DICM":
        film = read_dicom(path)
        invert = "export it with the other PhotometricInterpretation (MONOCHROME1 or MONOCHROME2)"
    else:
        raise RadiographError(f"{path.name}: neither DICOM nor PNG nor JPEG, by its first bytes; export it again")
    seen = sample(film.pixels)
    if why := why_empty(seen):
        raise RadiographError(f"{path.name}: {why}, which shows no bone; export it again, with all its grey values")
    if is_negative(seen):
        raise RadiographError(
            f"{path.name}: a negative, with dark bone on a bright ground; {invert}, or cut off a bright frame around "
            "it; where bone is bright all the same, keep more of the film around it"
        )
    if why := why_saturated(seen):
        raise RadiographError(f"{path.name}: {why}; export it again, with a wider window, or cut off a white frame")
    return film
