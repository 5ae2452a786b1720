"""Pictures are turned as every viewer shows them; the oracle is Pillow's own transposition of the stored picture."""

import zlib
from struct import pack

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from osteolib.cohorts.films import measure_film
from osteolib.radiograph import RadiographError, read_radiograph

T = Image.Transpose
STORED_AS = {  # how an upright film is stored so that a viewer, which undoes it, shows it upright
    1: None, 2: T.FLIP_LEFT_RIGHT, 3: T.ROTATE_180, 4: T.FLIP_TOP_BOTTOM, 5: T.TRANSPOSE, 6: T.ROTATE_90,
    7: T.TRANSVERSE, 8: T.ROTATE_270,
}  # fmt: skip
XMP = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="{}"/></x:xmpmeta>'


def stored(pixels, orientation):
    image = Image.fromarray(pixels)
    return image if orientation == 1 else image.transpose(STORED_AS[orientation])


def exif(orientation):
    data = Image.Exif()
    data[0x010F], data[0x0112] = "Scanner", orientation
    return data


def text(key, content):
    info = PngInfo()
    info.add_text(key, content)
    return info


def profile(orientation):
    """EXIF data as ImageMagick keeps them in a PNG: name, length, hexadecimal digits."""
    data = b"Exif\0\0" + exif(orientation).tobytes().removeprefix(b"Exif\0\0")
    digits = data.hex()
    return f"\nexif\n{len(data):8}\n" + "\n".join(digits[i : i + 72] for i in range(0, len(digits), 72)) + "\n"


WAYS = {
    "JPEG": lambda image, path, o: image.save(path, "JPEG", quality=95, exif=exif(o)),
    "JPEG in colours": lambda image, path, o: image.convert("RGB").save(path, "JPEG", quality=95, exif=exif(o)),
    "JPEG, XMP": lambda image, path, o: image.save(path, "JPEG", quality=95, xmp=XMP.format(o).encode()),
    "PNG": lambda image, path, o: image.save(path, "PNG", exif=exif(o)),
    "PNG in colours": lambda image, path, o: image.convert("RGB").save(path, "PNG", exif=exif(o)),
    "PNG, text": lambda image, path, o: image.save(path, "PNG", pnginfo=text("Raw profile type exif", profile(o))),
    "PNG, text of old": lambda image, path, o: image.save(
        path, "PNG", pnginfo=text("Raw profile type APP1", profile(o).replace("exif", "generic", 1))),
    "PNG, XMP": lambda image, path, o: image.save(path, "PNG", pnginfo=text("XML:com.adobe.xmp", XMP.format(o))),
    "PNG, behind the pixels": lambda image, path, o: _behind(image, path, o),
}  # fmt: skip


def _behind(image, path, orientation):
    """The chunk eXIf may stand after the pixels."""
    image.save(path, "PNG")
    body = b"eXIf" + exif(orientation).tobytes().removeprefix(b"Exif\0\0")
    chunk = pack(">I", len(body) - 4) + body + pack(">I", zlib.crc32(body))
    whole = path.read_bytes()
    path.write_bytes(whole[:-12] + chunk + whole[-12:])


@pytest.mark.parametrize("orientation", STORED_AS)
@pytest.mark.parametrize("way", WAYS)
def test_a_picture_is_turned_as_viewers_show_it(tmp_path, legs, way, orientation):
    upright = (legs // 16).astype(np.uint8)
    path = tmp_path / "film.x"
    WAYS[way](stored(upright, orientation), path, orientation)
    film = read_radiograph(path)
    assert film.pixels.shape == upright.shape and film.pixels.flags.c_contiguous
    np.testing.assert_allclose(film.pixels.astype(int), upright, atol=20 if "JPEG" in way else 0)
    assert np.abs(film.pixels - upright.astype(float)).mean() < 2


@pytest.mark.parametrize("orientation", STORED_AS)
def test_a_deep_picture_is_turned_too(tmp_path, legs, orientation):
    stored(legs, orientation).save(tmp_path / "film.png", exif=exif(orientation))
    np.testing.assert_array_equal(read_radiograph(tmp_path / "film.png").pixels, legs)


@pytest.mark.parametrize("orientation", [3, 6])
def test_right_stays_right(tmp_path, legs, orientation):
    """A phone that was held another way once swapped the sides of a film, or left none to be found."""
    upright = (legs // 16).astype(np.uint8)
    for o in (1, orientation):
        stored(upright, o).save(tmp_path / f"{o}.jpg", quality=95, exif=exif(o))
    one, other = (measure_film(tmp_path / f"{o}.jpg", knees=True) for o in (1, orientation))
    assert [knee["side"] for knee in other] == ["right", "left"] == [knee["side"] for knee in one]
    np.testing.assert_allclose([knee["x0"] for knee in other], [knee["x0"] for knee in one], atol=2)


@pytest.mark.parametrize("number", [0, 9, 77])
def test_an_orientation_without_meaning_is_none(tmp_path, legs, number):
    upright = (legs // 16).astype(np.uint8)
    Image.fromarray(upright).save(tmp_path / "film.png", exif=exif(number))
    np.testing.assert_array_equal(read_radiograph(tmp_path / "film.png").pixels, upright)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF", "ignore:Truncated File")  # by Pillow, as it opens the file
@pytest.mark.parametrize("kept", [2, 7, 9, 20, 30])
def test_damaged_exif_data_are_refused(tmp_path, legs, kept):
    """Orientation is the second entry of the data: broken off before it, nobody knows how the film is to be turned."""
    data = exif(6).tobytes()[: 6 + kept]
    Image.fromarray((legs // 16).astype(np.uint8)).save(tmp_path / "film.jpg", exif=data)
    with pytest.raises(RadiographError, match=r"film\.jpg: its EXIF data are damaged.*save it anew without them"):
        read_radiograph(tmp_path / "film.jpg")


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_a_picture_one_can_see_through_is_refused(tmp_path, legs, mode):
    image = Image.fromarray((legs // 16).astype(np.uint8))
    if mode == "P":
        image.convert("P").save(tmp_path / "film.png", transparency=bytes([0, 128]) + b"\xff" * 254)
    else:
        image = image.convert(mode)
        image.putalpha(image.getchannel("A").point(lambda _: 100))
        image.save(tmp_path / "film.png")
    with pytest.raises(RadiographError, match=r"film\.png: partly transparent; export"):
        read_radiograph(tmp_path / "film.png")
