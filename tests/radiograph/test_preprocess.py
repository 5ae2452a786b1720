import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image
from skimage.filters import threshold_otsu

from osteolib.radiograph import normalise_intensity, otsu_crop, preprocess, resize, to_tensor_range

FILMS = st.one_of(
    arrays(np.uint8, st.tuples(st.integers(1, 30), st.integers(1, 30))),
    arrays(np.uint16, st.tuples(st.integers(1, 30), st.integers(1, 30)), elements=st.integers(0, 4095)),
)


def planted(height, width, box, grey=200):
    pixels = np.full((height, width), 10, np.uint8)
    x0, y0, x1, y1 = box
    pixels[y0:y1, x0:x1] = grey
    return pixels


def test_the_crop_is_the_planted_foreground_and_its_margin():
    """A box of 200 x 100 widened by 3 %: 6 columns and 3 rows on each side."""
    assert otsu_crop(planted(400, 500, (100, 150, 300, 250))) == (94, 147, 306, 253)
    assert otsu_crop(planted(400, 500, (100, 150, 300, 250)), margin=0) == (100, 150, 300, 250)


def test_the_margin_stops_at_the_frame():
    assert otsu_crop(planted(400, 500, (0, 2, 300, 400))) == (0, 0, 309, 400)


def test_a_small_foreground_falls_back_to_the_whole_frame():
    """40 x 40 of 200 x 200 pixels are 4 %; 64 x 64 are 10.24 %."""
    assert otsu_crop(planted(200, 200, (50, 50, 90, 90))) == (0, 0, 200, 200)
    assert otsu_crop(planted(200, 200, (50, 50, 114, 114)), margin=0) == (50, 50, 114, 114)
    assert otsu_crop(planted(200, 200, (50, 50, 90, 90)), margin=0, min_foreground=0.03) == (50, 50, 90, 90)


@pytest.mark.parametrize("value", [0, 7, 255])
def test_an_even_image_has_no_foreground_and_no_contrast(value):
    pixels = np.full((20, 30), value, np.uint8)
    assert otsu_crop(pixels) == (0, 0, 30, 20)
    assert not normalise_intensity(pixels).any()


@settings(deadline=None, max_examples=60)
@given(FILMS)
def test_the_crop_is_that_of_scikit_image(pixels):
    foreground = pixels > threshold_otsu(pixels)
    rows, columns = np.nonzero(foreground)
    expected = (0, 0, *pixels.shape[::-1])
    if foreground.any():
        expected = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    assert otsu_crop(pixels, margin=0, min_foreground=0) == expected


@settings(deadline=None, max_examples=60)
@given(FILMS, st.floats(0, 40), st.floats(60, 100))
def test_the_window_is_that_of_numpy_percentiles(pixels, low, high):
    bottom, top = np.percentile(pixels, [low, high])
    expected = np.clip((pixels - bottom) / max(top - bottom, 1e-9), 0, 1) * 255
    np.testing.assert_allclose(normalise_intensity(pixels, low, high), expected, atol=0.5 + 1e-6)


def test_the_window_does_not_depend_on_exposure(film):
    """Scaled and shifted pixels give the same picture, up to rounding."""
    pixels = film((0.5,)).astype(np.uint16)
    difference = normalise_intensity(pixels).astype(int) - normalise_intensity(16 * pixels + 300)
    assert np.abs(difference).max() <= 1


def test_resizing_keeps_an_even_image_its_mean_and_a_ramp():
    assert (resize(np.full((70, 40), 99, np.uint8), 16) == 99).all()
    noise = np.random.default_rng(0).integers(0, 256, (640, 320)).astype(np.uint8)
    assert resize(noise, 64).mean() == pytest.approx(noise.mean(), abs=0.5)
    ramp = np.tile(np.arange(256, dtype=np.uint8), (64, 1))
    np.testing.assert_allclose(resize(ramp, 64)[5, 4:-4], 4 * np.arange(4, 60) + 1.5, atol=1)


def test_the_tensor_range_in_closed_form():
    """(0 - 0.5) / 0.25 = -2, (51/255 - 0.5) / 0.25 = -1.2, (255/255 - 0.5) / 0.25 = 2."""
    values = to_tensor_range(np.array([[0, 51, 255]], np.uint8))
    assert values.dtype == np.float32
    np.testing.assert_allclose(values, [[-2.0, -1.2, 2.0]], atol=1e-6)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_the_chain_is_the_paper_step_by_step(film, dtype):
    pixels = np.pad(film((0.5,), leg_width=0.6), ((0, 0), (100, 60))).astype(dtype) * (1 if dtype == np.uint8 else 200)
    rows, columns = np.nonzero(pixels > threshold_otsu(pixels))
    dy, dx = round(0.03 * (np.ptp(rows) + 1)), round(0.03 * (np.ptp(columns) + 1))
    cut = pixels[max(rows.min() - dy, 0) : rows.max() + dy + 1, max(columns.min() - dx, 0) : columns.max() + dx + 1]
    low, high = np.percentile(cut, [1, 99])
    grey = np.rint(np.clip((cut - low) / (high - low), 0, 1) * 255).astype(np.uint8)
    small = np.asarray(Image.fromarray(grey).resize((96, 96), Image.Resampling.BILINEAR), np.float32)
    result = preprocess(pixels, size=96)
    assert result.shape == (96, 96) and result.dtype == np.float32
    np.testing.assert_allclose(result, (small / 255 - 0.5) / 0.25, atol=1e-6)
