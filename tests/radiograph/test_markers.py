import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from osteolib.radiograph import mask_markers

SHAPE = (1200, 1000)


def plate(pixels, x, y, width=44, height=52, grey=205, ink=102, letter="R"):
    """A viewer's marker: an even rectangle with a letter of another grey."""
    picture = Image.fromarray(pixels)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((x, y, x + width - 1, y + height - 1), fill=grey)
    draw.text((x + width // 2, y + height // 2), letter, ink, ImageFont.load_default(36), anchor="mm")
    return np.array(picture), (x, y, x + width, y + height)


def coin(pixels, x, y, radius=25):
    rows, columns = np.ogrid[: pixels.shape[0], : pixels.shape[1]]
    marked = np.where((rows - y) ** 2 + (columns - x) ** 2 <= radius**2, np.uint8(245), pixels)
    return marked, (x - radius, y - radius, x + radius, y + radius)


def logo(pixels):
    """A white figure on a black square in the corner of the frame."""
    marked = pixels.copy()
    marked[:28, -28:] = 0
    marked[6:22, -24:-14] = 255
    marked[9:19, -12:-3] = 255
    return marked, (972, 0, 1000, 28)


def text(pixels, x=380, y=20, words="PT ID042"):
    picture = Image.fromarray(pixels)
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(32)
    draw.text((x, y), words, 255, font)
    return np.array(picture), draw.textbbox((x, y), words, font)


PLANTED = {
    "light plate beside the leg": lambda film: plate(film, 60, 300, letter="R"),
    "dark plate on muscle": lambda film: plate(film, 300, 200, grey=102, ink=204, letter="L"),
    "plate on bone": lambda film: plate(film, 480, 520),
    "strip of a plate cut by the border": lambda film: plate(film, 0, 400, width=12, height=60, grey=102, letter=""),
    "coin": lambda film: coin(film, 90, 1000),
    "coin cut by the border": lambda film: coin(film, 0, 800),
    "logo": logo,
    "burnt-in text": text,
}


@pytest.fixture(scope="module")
def clean(film):
    return film((0.5,), SHAPE, leg_width=0.4)


@pytest.mark.parametrize("plant", PLANTED.values(), ids=PLANTED)
def test_a_planted_marker_is_replaced_by_what_the_film_shows_without_it(clean, plant):
    pixels, (x0, y0, x1, y1) = plant(clean)
    masked, boxes = mask_markers(pixels)
    assert len(boxes) == 1
    assert boxes[0][0] <= max(x0, 0) and boxes[0][1] <= max(y0, 0) and boxes[0][2] >= x1 and boxes[0][3] >= y1
    area = (boxes[0][2] - boxes[0][0]) * (boxes[0][3] - boxes[0][1])
    assert area <= 4 * (x1 - x0) * (y1 - y0) + 4000  # little else is lost
    left = np.abs(masked.astype(int) - clean)
    assert left.max() < 60 and left.mean() < 1  # no stroke stands out: planted ones differ by 100 and more from film

    outside = np.ones(SHAPE, bool)
    outside[boxes[0][1] : boxes[0][3], boxes[0][0] : boxes[0][2]] = False
    np.testing.assert_array_equal(masked[outside], pixels[outside])


def test_a_film_without_markers_is_left_alone(film, clean):
    for pixels in (clean, film((0.25, 0.75), SHAPE), np.zeros(SHAPE, np.uint8), np.full(SHAPE, 90, np.uint8)):
        masked, boxes = mask_markers(pixels)
        assert boxes == []
        np.testing.assert_array_equal(masked, pixels)


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (7, 40), (60, 50)])
def test_frames_too_small_for_a_marker_are_left_alone(shape):
    pixels = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    masked, boxes = mask_markers(pixels)
    assert boxes == []
    np.testing.assert_array_equal(masked, pixels)


def test_several_markers_and_16_bit(clean):
    pixels, _ = plate(coin(logo(clean)[0], 90, 1000)[0], 60, 300)
    _, boxes = mask_markers(pixels)
    deep, deep_boxes = mask_markers(pixels.astype(np.uint16) * 16)
    assert deep.dtype == np.uint16 and deep_boxes == boxes
    assert len(boxes) == 3


def test_the_input_is_not_changed(clean):
    pixels, _ = text(clean)
    before = pixels.copy()
    pixels.flags.writeable = False
    mask_markers(pixels)
    np.testing.assert_array_equal(pixels, before)


def test_boxes_given_by_hand_are_fractions_of_the_frame():
    """An even film with a stain: the box is filled with exactly what surrounds it."""
    pixels = np.full((100, 200), 70, np.uint8)
    pixels[10:20, 40:80] = 90
    masked, boxes = mask_markers(pixels, [(0.2, 0.1, 0.4, 0.2)])
    assert boxes == [(40, 10, 80, 20)]
    assert (masked == 70).all()


def test_a_gradient_is_continued_across_a_box():
    """Left to right from 50 to 150: what is filled lies within a few grey levels of the ramp."""
    ramp = np.tile(np.linspace(50, 150, 300).round().astype(np.uint8), (200, 1))
    masked, _ = mask_markers(ramp, [(0.4, 0.4, 0.6, 0.6)])
    assert np.abs(masked.astype(int) - ramp).max() <= 15


def test_boxes_that_overlap_become_one():
    pixels = np.full((100, 100), 70, np.uint8)
    _, boxes = mask_markers(pixels, [(0.1, 0.1, 0.3, 0.3), (0.6, 0.6, 0.8, 0.8), (0.2, 0.2, 0.4, 0.5)])
    assert boxes == [(10, 10, 40, 50), (60, 60, 80, 80)]


def test_the_whole_frame_can_be_hidden():
    masked, _ = mask_markers(np.full((50, 50), 99, np.uint8), [(0, 0, 1, 1)])
    assert not masked.any()


@pytest.mark.parametrize(
    "box", [(0.5, 0, 0.4, 1), (0, 0, 1.2, 1), (-0.1, 0, 1, 1), (0, 0.3, 1, 0.3), (0, float("nan"), 1, 1)]
)
def test_a_box_outside_the_frame_is_named(box):
    with pytest.raises(ValueError, match="fractions of the frame"):
        mask_markers(np.zeros((50, 50), np.uint8), [box])
