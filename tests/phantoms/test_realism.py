import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osteolib.phantoms import realism


def coloured_noise(exponent: float, n: int = 128, seed: int = 0) -> np.ndarray:
    """Noise whose amplitude goes as frequency^exponent."""
    radius = np.hypot(np.fft.fftfreq(n)[:, None], np.fft.fftfreq(n))
    radius[0, 0] = 1
    white = np.fft.fft2(np.random.default_rng(seed).normal(size=(n, n)))
    return np.fft.ifft2(white * radius**exponent).real


@pytest.mark.parametrize("exponent", [0.0, -1.0, -1.5])
def test_the_slope_of_noise_of_known_colour(exponent):
    slopes = [realism.spectral_slope(*realism.radial_spectrum(coloured_noise(exponent, seed=s))) for s in range(8)]
    assert np.mean(slopes) == pytest.approx(2 * exponent, abs=0.05)


def test_white_noise_has_a_flat_spectrum_and_a_wave_one_peak():
    power = np.mean([realism.radial_spectrum(coloured_noise(0, seed=s))[1] for s in range(20)], axis=0)
    np.testing.assert_allclose(power[1:], 1, atol=0.15)  # the first ring loses what the mean took
    rows, columns = np.mgrid[:128, :128]
    wave = np.sin(2 * np.pi * (0.12 * rows + 0.16 * columns))  # 0.2 cycles per pixel, aslant
    frequency, power = realism.radial_spectrum(wave)
    assert abs(frequency[power.argmax()] - 0.2) < 1 / 128


def test_a_film_too_small_for_its_rings_is_named():
    with pytest.raises(ValueError, match="32 rings need a film of more than 64 pixels a side"):
        realism.radial_spectrum(np.eye(64))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**31), st.floats(1, 1000))
def test_the_spectrum_knows_neither_brightness_nor_contrast_nor_a_quarter_turn(seed, gain):
    noise = coloured_noise(-1, 32, seed)
    power = realism.radial_spectrum(noise, 8)[1]
    np.testing.assert_allclose(realism.radial_spectrum(gain * noise + 100, 8)[1], power, rtol=1e-5)
    np.testing.assert_allclose(realism.radial_spectrum(np.rot90(noise), 8)[1], power, rtol=1e-6)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**31))
def test_a_histogram_is_that_of_numpy_and_knows_no_place(seed):
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 256, (20, 30)).astype(np.uint8)
    shares = realism.grey_histogram(image)
    np.testing.assert_allclose(shares, np.histogram(image, np.arange(0, 257, 8))[0] / 600)
    np.testing.assert_array_equal(realism.grey_histogram(rng.permuted(image.ravel()).reshape(30, 20)), shares)
    np.testing.assert_array_equal(realism.grey_histogram(255 - image), shares[::-1])  # the negative is the mirror


def joint(n: int = 128, row: int = 50, left: int = 30, right: int = 100) -> np.ndarray:
    """Bright bones above and below a dark line four rows high, on darker tissue."""
    image = np.full((n, n), 60, np.uint8)
    image[:, left:right] = 180
    image[row - 2 : row + 2, left:right] = 90
    return image


@pytest.mark.parametrize(("row", "left", "right"), [(50, 30, 100), (80, 50, 90), (30, 20, 110)])
def test_a_planted_gap_is_found_with_its_width(row, left, right):
    gap = realism.find_gap(joint(128, row, left, right), (0.12, 0.7))
    assert abs(gap.row - row) <= 1
    assert abs(gap.column - (left + right) / 2) <= 2
    assert gap.width == pytest.approx(right - left, rel=0.08)


def test_the_longer_of_two_gaps_counts_and_one_outside_the_rows_does_not():
    image = joint(128, 50, 30, 100)
    image[75:79, 30:45] = 90  # as dark, but short
    image[100:104, 30:100] = 20  # darker and long, but outside
    assert abs(realism.find_gap(image, (0.12, 0.7)).row - 50) <= 1
    assert abs(realism.find_gap(image, (0.7, 0.95)).row - 102) <= 1


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_an_even_film_has_no_gap(grey):
    with pytest.raises(ValueError, match="no dark gap between rows 12% and 70%"):
        realism.find_gap(np.full((64, 64), grey, np.uint8), (0.12, 0.7))


def test_boxes_by_hand_and_never_beyond_the_film():
    image = np.zeros((128, 128), np.uint8)
    boxes = realism.bone_ends(image, realism.Gap(60, 64, 50.0))
    assert boxes == {"above": (49, 45, 79, 56), "below": (49, 64, 79, 75)}  # 4, 15 and 15 pixels
    for gap in (realism.Gap(4, 2, 90.0), realism.Gap(126, 127, 90.0), realism.Gap(60, 60, 1.0)):
        for x0, y0, x1, y1 in realism.bone_ends(image, gap).values():
            assert 0 <= x0 < x1 <= 128
            assert 0 <= y0 < y1 <= 128
            realism.texture(image[y0:y1, x0:x1])


def test_texture_of_a_checkerboard_in_closed_form():
    """Of 0 and 255, so of levels 0 and 31: beside each other always different, diagonally always the same."""
    board = (np.indices((9, 9)).sum(0) % 2 * 255).astype(np.uint8)
    found = realism.texture(board)
    assert found["contrast"] == pytest.approx(31**2 / 2)
    assert found["homogeneity"] == pytest.approx((1 / (1 + 31**2) + 1) / 2)
    assert found["energy"] == pytest.approx(np.sqrt(0.5), abs=1e-3)  # two cells of the matrix, one half each
    assert found["correlation"] == pytest.approx(0, abs=1e-9)  # the mean of -1, -1, 1 and 1


def test_texture_of_an_even_patch():
    assert realism.texture(np.full((9, 9), 77, np.uint8)) == {
        "contrast": 0.0, "homogeneity": 1.0, "energy": 1.0, "correlation": 1.0,
    }  # fmt: skip


def cylinder(n: int = 256, axis: float = 120.0, outer: float = 40.0, inner: float = 26.0) -> np.ndarray:
    """Projection of a hollow cylinder upright in the film: chords of two circles, on tissue of grey 40."""
    x = np.arange(n) - axis
    chord = [2 * np.sqrt(np.clip(r**2 - x**2, 0, None)) for r in (outer, inner)]
    line = 40 + 190 * (chord[0] - chord[1]) / (2 * np.sqrt(outer**2 - inner**2))
    return np.tile(np.rint(line), (n, 1)).astype(np.uint8)


@pytest.mark.parametrize("inner", [20.0, 26.0, 32.0])
def test_a_planted_hollow_cylinder_has_its_cortices_where_the_canal_begins(inner):
    """A ray that grazes the canal has the longest way through the wall, 2 sqrt(R^2 - r^2); in the middle 2 (R - r)."""
    profile = realism.shaft_profile(cylinder(inner=inner), 128, 124, 130.0)
    found = realism.cortex(profile)
    assert found["peaks"] == pytest.approx(inner / 40, abs=0.06)  # read in steps of 0.025 on either side
    assert found["canal"] == pytest.approx(1 - (40 - inner) / np.sqrt(40**2 - inner**2), abs=0.03)
    np.testing.assert_allclose(profile, profile[::-1], atol=12)  # the edges stand at -0.5 and 0.5


def test_a_second_bone_beside_the_shaft_is_not_taken_for_it():
    image = np.maximum(cylinder(), cylinder(axis=190, outer=10, inner=6))
    alone, beside = (realism.shaft_profile(i, 128, 124, 130.0) for i in (cylinder(), image))
    inside = np.abs(realism.CORTEX) <= 0.5
    np.testing.assert_array_equal(alone[inside], beside[inside])


def test_two_samples_of_one_population_share_nine_tenths():
    rng = np.random.default_rng(0)
    real, phantom = (pd.DataFrame(rng.gamma(2, size=(n, 2)), columns=["a", "b"]) for n in (2000, 3000))
    found = realism.inside_range(real, phantom, 200, 0)
    assert (found["verdict"] == "inside").all()
    np.testing.assert_allclose(found["share"].astype(float), 0.9, atol=0.02)
    assert ((found["ci_low"] < 0.9) & (found["ci_high"] > 0.9)).all()


def test_ranges_and_words_by_hand():
    real = pd.DataFrame(dict.fromkeys("abc", np.arange(101.0)))  # 5 to 95
    shifted = np.arange(101.0)
    phantom = pd.DataFrame({"a": shifted / 2 + 20, "b": shifted + 30, "c": shifted + 90})
    found = realism.inside_range(real, phantom, 50, 0)
    assert list(found["verdict"]) == ["inside", "partly", "outside"]
    assert found["share"].tolist() == pytest.approx([1, 66 / 101, 6 / 101])
    assert found.loc["a", ["real_low", "real", "real_high"]].tolist() == [5, 50, 95]
    assert found.loc["b", ["phantom_low", "phantom", "phantom_high"]].tolist() == [35, 80, 125]


def test_measures_of_a_film_by_hand():
    film = np.tile(np.array([[10, 30], [30, 50]], np.uint8), (48, 48))  # as fine as a film can be: 0.5 cycles a pixel
    found = realism.film_measures(film)
    assert (found["grey"], found["grey_sd"]) == (30, pytest.approx(np.sqrt(200)))
    blurred = realism.film_measures(np.repeat(np.repeat(film, 4, 0), 4, 1)[:96, :96])
    assert found["slope"] > blurred["slope"]
    assert found["fine"] > blurred["fine"]


def test_a_hand_is_measured_as_a_whole_and_in_its_middle():
    square = np.random.default_rng(0).integers(0, 255, (96, 96)).astype(np.uint8)
    found = realism.hand_measures(square)
    assert found == realism.film_measures(square) | realism.texture(square[24:72, 24:72])
    square[:20] = 0  # outside the middle
    assert realism.hand_measures(square)["contrast"] == found["contrast"]


def test_the_square_lies_on_the_brightest_piece_and_knows_no_marker():
    film = np.full((400, 300), 20, np.uint8)
    film[100:300, 60:220] = np.linspace(120, 200, 160).astype(np.uint8)  # 200 x 160: a side of 0.8 sqrt(32,000) = 143
    film[5:25, 270:295] = 255
    square = realism.brightest_square(film, 96)
    assert square.shape == (96, 96)
    assert np.diff(square.astype(int).mean(0)).min() >= 0  # nothing but the ramp, darker to brighter
    left, right = (np.interp(140 + side * 143 / 2, np.arange(60, 220), np.linspace(120, 200, 160)) for side in (-1, 1))
    window = np.percentile(np.linspace(left, right, 143), (1, 99))
    middle = 255 * (np.linspace(120, 200, 160)[80] - window[0]) / np.ptp(window)
    assert square[48, 48] == pytest.approx(middle, abs=8)
