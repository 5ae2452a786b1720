import numpy as np
import pytest
from PIL import Image
from skimage.feature import match_template

from osteolib.cohorts.crops import RIM, ROWS, SAME_DETAIL, SCALES, coarse_correlation, find_crops


def cut(film: np.ndarray, scale: float, side: str = "right") -> np.ndarray:
    """One leg of a film of two, ``scale`` of its height, with white lines as of cutting by hand, stored 256 high."""
    rows, half = round(film.shape[0] * scale), film.shape[1] // 2
    top, left = (film.shape[0] - rows) // 3, 10 + (half if side == "right" else 0)
    crop = film[top : top + rows, left : left + min(half - 20, rows // 2)].copy()
    crop[:3] = crop[-3:] = crop[:, :3] = crop[:, -3:] = 255
    return np.asarray(Image.fromarray(crop).resize((round(256 * crop.shape[1] / rows), 256)))


@pytest.fixture(scope="module")
def films(draw_legs) -> dict[str, np.ndarray]:
    return {f"both {seed}": draw_legs(20 + seed, legs=2) for seed in range(5)}


@pytest.fixture(scope="module")
def found(films, draw_legs):
    crops = {
        f"{scale} {side}": cut(films["both 2"], scale, side) for scale in (1.0, 0.9, 0.7) for side in ("left", "right")
    }
    crops |= {"another": cut(draw_legs(30, legs=2), 0.9), "alone": draw_legs(31)}
    return find_crops(films | crops).set_index("crop")


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("scale", [1.0, 0.9, 0.7])
def test_a_knee_cut_out_of_a_film_of_both_is_found_with_film_and_scale(found, scale, side):
    row = found.loc[f"{scale} {side}"]
    assert row["fits"] and row["film"] == "both 2"
    assert row["scale"] == pytest.approx(scale, abs=0.02)
    assert 0.9 < row["detail"] <= 1


def test_a_knee_whose_film_is_not_there_fits_none(found):
    assert not found.loc[["another", "alone"], "fits"].any()
    assert (found.loc[["another", "alone"], "detail"] < SAME_DETAIL).all()
    assert len(found) == 8  # films of both are looked for nowhere


def test_a_film_that_was_brightened_squeezed_and_stored_anew_still_has_its_crops(films):
    other = np.clip(255 * (films["both 2"] / 255) ** 0.7, 0, 255).astype(np.uint8)
    other = np.asarray(Image.fromarray(other).resize((200, 250)))
    found = find_crops({"film": other, "no film": films["both 0"], "crop": cut(films["both 2"], 0.9)})
    assert found[["crop", "film", "fits"]].to_numpy().tolist() == [["crop", "film", True]]


def test_a_flat_film_and_a_flat_crop_fit_nothing(films):
    flat = {"flat film": np.full((100, 100), 90, np.uint8), "flat crop": np.full((100, 40), 90, np.uint8)}
    found = find_crops(flat | {"film": films["both 0"], "crop": cut(films["both 0"], 0.9)}).set_index("crop")
    assert found["fits"].to_dict() == {"flat crop": False, "crop": True}
    assert np.isfinite(found[["coarse", "detail", "scale"]]).all(axis=None)


def test_coarse_correlation_is_that_of_skimage():
    """Oracle: skimage's match_template over the film alone, so neither its padding nor a circular shift adds a place.

    Pictures have the size they are compared at, so that nothing is resized: 32 rows, and of the crop the inner 92 %.
    """
    rng = np.random.default_rng(0)
    wide, narrow = rng.integers(0, 255, (ROWS, 60)).astype(np.uint8), rng.integers(0, 255, (ROWS, 33)).astype(np.uint8)
    size = 25
    crop = rng.integers(0, 255, (size, 13)).astype(np.uint8)
    wide[3 : 3 + size, 40:53] = crop
    found, scale = coarse_correlation([crop], [wide, narrow])
    expected = []
    for film in (wide, narrow):
        tops = []
        for s in SCALES:
            factor = ROWS * s / size
            rows, columns = (max(4, int(side * (1 - 2 * RIM) * factor)) for side in crop.shape)
            high, across = min(size, rows / factor), min(13, columns / factor)
            box = ((13 - across) / 2, (size - high) / 2, (13 + across) / 2, (size + high) / 2)
            inner = Image.fromarray(crop.astype(np.float32)).resize((columns, rows), Image.Resampling.BILINEAR, box)
            tops.append(match_template(film.astype(float), np.asarray(inner, float)).max())
        expected.append((max(tops), SCALES[int(np.argmax(tops))]))
    np.testing.assert_allclose(found[0], [top for top, _ in expected], atol=1e-4)
    np.testing.assert_allclose(scale[0], [s for _, s in expected])
    assert scale[0, 0] == 0.79  # 25 of 32 rows


def test_a_crop_wider_than_a_film_cannot_be_cut_out_of_it():
    rng = np.random.default_rng(0)
    crop, film = rng.integers(0, 255, (40, 100)).astype(np.uint8), rng.integers(0, 255, (80, 60)).astype(np.uint8)
    wide = rng.integers(0, 255, (40, 160)).astype(np.uint8)
    found, _ = coarse_correlation([crop], [film, wide])
    assert found[0, 0] == -1 < found[0, 1]


@pytest.mark.parametrize("names", [(), ("both 0", "both 1"), ("narrow",)])
def test_without_wide_or_without_narrow_pictures_the_table_is_empty_and_of_the_same_kind(
    films, found, draw_legs, names
):
    pictures = films | {"narrow": draw_legs(0)}
    empty = find_crops({name: pictures[name] for name in names})
    assert len(empty) == 0
    assert empty.dtypes.to_dict() == found.reset_index().dtypes.to_dict()
