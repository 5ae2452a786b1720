import numpy as np
import pandas as pd
import pytest
from PIL import Image

from osteolib.cohorts import crop_controls as controls


@pytest.fixture(scope="module")
def film(draw_legs):
    return draw_legs(1, 2)


def test_the_place_is_where_the_crop_was_cut(film):
    crop = film[40:360, 170:310]
    found = controls.place(crop, film, 320 / 400, rows=200)
    x0, y0, x1, y1 = found.box
    rim = controls.RIM
    assert found.value > 0.9
    assert (x0, x1) == pytest.approx(((170 + rim * 140) / 320, (310 - rim * 140) / 320), abs=0.015)
    assert (y0, y1) == pytest.approx(((40 + rim * 320) / 400, (360 - rim * 320) / 400), abs=0.015)


def test_a_crop_larger_than_the_film_has_no_place(film):
    assert controls.place(film, film[:, :160], 1.2, rows=100).value == -1


def test_the_finer_look_forgives_a_width_changed_by_hand_and_knows_another_film(film, draw_legs):
    crop = film[40:360, 170:310]
    wider = np.asarray(Image.fromarray(crop).resize((143, 320)))
    assert controls.look_again(wider, film, 0.8) > 0.9
    assert controls.look_again(wider, draw_legs(2, 2), 0.8) < 0.7


def test_the_best_other_film_is_never_the_own_one(draw_legs):
    films = {name: draw_legs(seed, 2) for seed, name in enumerate("abc")}
    pictures = films | {"crop": films["b"][20:380, 165:300]}
    source = {"a": "a", "b": "b", "c": "c", "crop": "b"}
    other = controls.best_other_film(["crop"], pictures, source)
    own = controls.best_other_film(["crop"], pictures, source | {"crop": "none"})
    assert other["film"].item() in "ac" and own["film"].item() == "b"
    assert own["detail"].item() > 0.9 > other["detail"].item()


def test_files_in_a_folder_go_the_same_way(draw_legs, tmp_path, monkeypatch):
    monkeypatch.setattr("osteolib.runs.store.STORE", tmp_path / "store")
    films = {name: draw_legs(seed, 2) for seed, name in enumerate("abc")}
    pictures = films | {"crop": films["b"][20:380, 165:300]}
    rows = []
    for name, pixels in pictures.items():
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
        source = "b" if name == "crop" else name
        rows.append((name, str(tmp_path / f"{name}.png"), name, name, name, source))
    files = pd.DataFrame(rows, columns=["image_id", "path", "sha256", "bytes_group", "picture_group", "source_group"])
    crops = pd.DataFrame({"crop": ["crop"], "film": ["b"], "detail": [0.95], "scale": [0.9], "fits": [True]})
    others = controls.fit_without_own(files, crops, 5, 0)
    assert others["crop"].tolist() == ["crop"] and others["film"].item() in "ac"
    looked = controls.look_at_doubtful(files, crops, others, 0.7, 1)
    assert looked["in doubt"].empty and looked["clear"]["finer"].item() > 0.9 > looked["wrong"]["finer"].item()
