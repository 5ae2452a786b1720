"""Pixels of a PNG or JPEG file, turned as every viewer shows them."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from osteolib.radiograph.film import RadiographError, check_size
from osteolib.radiograph.polarity import POLARITIES

if TYPE_CHECKING:
    from PIL.JpegImagePlugin import JpegImageFile
    from PIL.PngImagePlugin import PngImageFile

COLOUR_TOLERANCE = 16  # grey levels of 255 by which JPEG may tear the channels of a grey image apart
UPRIGHT = 1  # EXIF orientation of a picture that is stored as it is shown
APP1 = "Raw profile type APP1"
POLARITY = "Polarity"  # the text of a PNG that says what bone is on it
SOURCES = {"exif", "xmp", "XML:com.adobe.xmp", "Raw profile type exif", APP1}  # where an orientation may stand


def read_image(path: Path, png: bool) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """Read a PNG (or else a JPEG) file: shape (height, width), EXIF orientation 1 to 8 honoured.

    Raises
    ------
    RadiographError
        The file is damaged, too large, in colour or see-through, or its EXIF data cannot be read.
    """
    from PIL import ImageChops, ImageOps
    from PIL.JpegImagePlugin import JpegImageFile
    from PIL.PngImagePlugin import PngImageFile

    try:
        # The plugin itself, since Image.open answers a large image with a warning before its size can be asked for.
        with (PngImageFile if png else JpegImageFile)(path) as image:
            check_size(path.name, *image.size)
            image.load()
            if _orientation(path, image) != UPRIGHT:
                image = ImageOps.exif_transpose(image)
            if image.mode in ("L", "I;16"):
                return np.asarray(image)
            if image.has_transparency_data and image.convert("RGBA").getchannel("A").getextrema()[0] < 255:
                raise RadiographError(f"{path.name}: partly transparent; export it in greyscale, without transparency")
            colour = image.convert("RGB")
    except RadiographError:
        raise
    except Exception as error:  # Pillow raises many kinds on a damaged file
        raise RadiographError(f"{path.name}: damaged or truncated ({error}); copy it again from its source") from None
    red, green, blue = colour.split()
    if max(ImageChops.difference(green, other).getextrema()[1] for other in (red, blue)) > COLOUR_TOLERANCE:
        raise RadiographError(f"{path.name}: a colour image; export the radiograph in greyscale, without annotations")
    return np.asarray(colour.convert("L"))


def says_bright_bone(path: Path) -> bool:
    """Whether the text of a PNG file states ``Polarity: bright bone``, as that of a kept copy does."""
    from PIL.PngImagePlugin import PngImageFile

    with PngImageFile(path) as image:
        return image.info.get(POLARITY) == POLARITIES[0]


def _orientation(path: Path, image: PngImageFile | JpegImageFile) -> int:
    """Orientation 1 to 8 from EXIF data, a PNG's text or XMP; 1 where there is none, or a number without meaning.

    EXIF data that break off may have held one: such a file is refused.
    """
    from PIL.ExifTags import Base

    if not SOURCES & set(image.info):
        return UPRIGHT
    profile = str(image.info.get(APP1, ""))
    if APP1 in image.info and b"Exif".hex() in profile:  # the same under another name, by older ImageMagick
        image.info.setdefault("Raw profile type exif", profile)
    try:
        found = image.getexif().get(Base.Orientation)
        whole = found is not None or _is_whole(image.info.get("exif", b""))
    except Exception:  # struct, syntax and key errors, by where the data break off
        found, whole = None, False
    if not whole:
        raise RadiographError(
            f"{path.name}: its EXIF data are damaged, so that its orientation is unknown; save it anew without them"
        )
    return found if found in range(1, 9) else UPRIGHT


def _is_whole(exif: bytes) -> bool:
    """Whether the directory that would tell the orientation is there to its end; Pillow takes one that breaks off."""
    tiff = exif.removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if not tiff or order is None:
        return not tiff
    (start,) = struct.unpack_from(f"{order}I", tiff, 4)
    (entries,) = struct.unpack_from(f"{order}H", tiff, start)
    return start + 2 + 12 * entries <= len(tiff)
