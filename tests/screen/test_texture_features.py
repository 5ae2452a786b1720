import numpy as np
import pytest
from skimage.feature import graycomatrix, graycoprops, local_binary_pattern

from osteolib.screen.texture_features import PROPERTIES, texture_features

PER_TILE = 18  # 4 properties x 2 distances + 10 patterns


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (2, 48, 48), dtype=np.uint8)


def test_a_tile_has_what_scikit_image_gives_for_it(images):
    tile = images[1, 16:32, 32:48]  # second row of tiles, third column: the sixth
    found = texture_features(images)[1, 5 * PER_TILE : 6 * PER_TILE]
    pairs = graycomatrix(tile // 8, [1, 3], np.arange(4) * np.pi / 4, 32, symmetric=True, normed=True)
    assert found[:8] == pytest.approx(np.concatenate([graycoprops(pairs, p).mean(1) for p in PROPERTIES]), rel=1e-6)
    patterns = local_binary_pattern(images[1], 8, 1, method="uniform")[16:32, 32:48]
    assert found[8:] == pytest.approx([(patterns == code).mean() for code in range(10)])


def test_an_even_film_has_no_contrast_and_stripes_have_only_that():
    even = np.full((1, 24, 24), 100, np.uint8)
    stripes = np.tile(np.uint8([0, 255]), (1, 24, 12))  # neighbours across differ by 31 levels, along by none
    flat, striped = (texture_features(i)[0, :PER_TILE] for i in (even, stripes))
    assert flat[:6] == pytest.approx([0, 0, 1, 1, 1, 1])
    # 0 and 180 degrees differ, 90 does not, both diagonals do: three of four directions
    assert striped[0] == pytest.approx(0.75 * 31**2)


def test_patterns_are_shares_and_a_film_does_not_depend_on_the_others(images):
    found = texture_features(images)
    assert found.shape == (2, 162)
    assert found.dtype == np.float32
    assert found.reshape(2, 9, PER_TILE)[..., 8:].sum(-1) == pytest.approx(1)
    assert (texture_features(images[1:]) == found[1:]).all()
    assert texture_features(images[:0]).shape == (0, 162)


@pytest.mark.parametrize(
    "wrong", [np.zeros((2, 24, 24)), np.zeros((24, 24), np.uint8), np.zeros((1, 24, 30), np.uint8)]
)
def test_other_shapes_and_types_are_refused(wrong):
    with pytest.raises(ValueError, match=r"shape \(n, size, size\) of uint8"):
        texture_features(wrong)
