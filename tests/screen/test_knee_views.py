import numpy as np
import pandas as pd
import pytest

from osteolib.screen import knee_views as views
from osteolib.screen.texture_features import texture_features


def film(row: int, column: int, half: int = 40, n: int = 192) -> np.ndarray:
    """A bright bar from top to bottom, 2 x ``half`` wide, with a dark line across it at ``row``."""
    image = np.full((n, n), 20, np.uint8)
    image[:, column - half : column + half] = 200
    image[row - 2 : row + 2, column - half : column + half] = 60
    return image


@pytest.mark.parametrize(("row", "column"), [(60, 100), (110, 80)])
def test_the_square_lies_around_the_gap_and_is_as_wide_as_the_bone(row, column):
    rows, columns = views.joint_square(film(row, column))
    assert (rows.start + rows.stop) / 2 == pytest.approx(row, abs=4)
    assert (columns.start + columns.stop) / 2 == pytest.approx(column, abs=4)
    assert columns.stop - columns.start == pytest.approx(1.2 * 80, rel=0.2)
    assert rows.stop - rows.start == columns.stop - columns.start


def test_at_the_border_it_reaches_as_far_as_the_film():
    rows, columns = views.joint_square(film(30, 45))
    assert (rows.start, columns.start) == (0, 0)


def test_both_views_are_of_one_size_and_of_one_film(tmp_path, monkeypatch):
    double = np.stack([film(60, 100), film(110, 80)])
    monkeypatch.setattr(views, "knee_images", lambda subjects, size: double[:, :size, :size])
    made = views.knee_views(pd.DataFrame(), 96)
    assert {name: image.shape for name, image in made.items()} == dict.fromkeys(("whole", "joint"), (2, 96, 96))
    assert made["whole"].mean() == pytest.approx(double.mean(), abs=1)
    assert made["joint"].mean() > made["whole"].mean()  # less of the dark background


def test_features_are_kept_by_content_and_random_weights_are_the_same_ones_each_time(tmp_path, monkeypatch):
    monkeypatch.setattr("osteolib.runs.store.STORE", tmp_path)
    images = np.random.default_rng(0).integers(0, 256, (3, 64, 64), dtype=np.uint8)
    found = {encoder: views.view_features(encoder, images) for encoder in views.ENCODERS}
    assert {encoder: len(values) for encoder, values in found.items()} == dict.fromkeys(views.ENCODERS, 3)
    assert (found["texture"] == texture_features(images)).all()
    assert found["random weights"].std() > 0
    assert views.random_features(images[1:]) == pytest.approx(found["random weights"][1:], rel=1e-3, abs=1e-5)
    assert np.abs(found["random weights"] - found["ImageNet"]).max() > 0
    monkeypatch.setattr(views, "texture_features", lambda images: pytest.fail("computed twice"))
    assert (views.view_features("texture", images) == found["texture"]).all()
    with pytest.raises(ValueError, match="encoder must be one of ImageNet, texture, random weights, got 'vgg'"):
        views.view_features("vgg", images)
