"""Films of pelves: who lies on them, how they are taken, that they are honest, and what is written."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from osteolib.phantoms.films import MASKS, blurred, box_of, developed
from osteolib.phantoms.hip import film as phantom
from osteolib.phantoms.hip.people import LATENTS, simulate
from osteolib.phantoms.hip.truth import FEMUR, NECK, read_masks
from osteolib.phantoms.physics import Acquisition, detect, expose
from osteolib.phantoms.settings import phantom_settings
from osteolib.radiograph import read_radiograph

SETTINGS = phantom_settings("hip-phantom")
WIDTH = 128


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    hips = simulate(SETTINGS, 150, 0, "chen2024")
    films = phantom.plan_films(SETTINGS, hips, 0, WIDTH)
    folder = tmp_path_factory.mktemp("films")
    phantom.render_films(SETTINGS, films, 0, "png", folder)
    return phantom.to_hips(films, hips), folder


def test_two_hips_of_a_person_share_a_film_the_right_one_at_the_image_s_left(rendered):
    hips, folder = rendered
    assert len(hips) == 300 and hips.unit_id.is_unique and (hips.groupby("image_id").size() == 2).all()
    assert (hips.subject_id == hips.image_id).all() and hips.unit_id[0] == "P00000-right"
    right = hips[hips.side == "right"]
    assert (right.x0 == 0).all() and (right.x1 == WIDTH // 2).all()
    assert (hips.y1 == hips.height).all() and (hips.height == WIDTH * 3 // 4).all()
    assert (hips.obstructed == (hips.obstacle != "none")).all()
    for row in hips.head(12).itertuples():
        mask = read_masks(folder / MASKS, row.image_id)
        assert mask.shape == (row.height, row.width) == read_radiograph(folder / f"{row.image_id}.png").pixels.shape
        half = mask[row.y0 : row.y1, row.x0 : row.x1]
        assert ((half & NECK > 0).any() == (row.obstacle != "joint")) and (half & FEMUR > 0).any()


def test_latents_of_a_hip_are_those_of_its_person_whatever_the_order_of_rows():
    hips = simulate(SETTINGS, 5, 3)
    turned = pd.concat([hips[hips.side == "left"], hips[hips.side == "right"]])
    films = phantom.plan_films(SETTINGS, turned, 3, WIDTH)
    spread = phantom.to_hips(films, turned)
    pd.testing.assert_frame_equal(spread[list(LATENTS)], turned[list(LATENTS)])
    assert (spread.image_id.loc[hips.index] == np.repeat(films.image_id, 2).to_numpy()).all()
    left = films.density_left.to_numpy()
    np.testing.assert_array_equal(left, hips.density[hips.side == "left"])


def test_one_hip_without_the_other_is_refused():
    hips = simulate(SETTINGS, 3, 0)
    for wrong in (hips.iloc[:5], hips.assign(side="right")):
        with pytest.raises(ValueError, match="hips must come in pairs, one row 'right' and one 'left'"):
            phantom.plan_films(SETTINGS, wrong, 0, WIDTH)


def test_the_same_seed_gives_the_same_bits_and_another_seed_another_film(tmp_path):
    def make(seed: int, name: str) -> list[bytes]:
        films = phantom.plan_films(SETTINGS, simulate(SETTINGS, 2, seed), seed, 64)
        (tmp_path / name).mkdir()
        phantom.render_films(SETTINGS, films, seed, "png", tmp_path / name)
        return [path.read_bytes() for path in sorted((tmp_path / name).glob("*.png"))]

    assert make(0, "first") == make(0, "again") != make(1, "other")


def test_honest_no_statistic_of_the_whole_film_tells_the_label(rendered):
    """Else a model could score without a look at the bone. Both hips of a person on one side of the fold."""
    hips, folder = rendered
    one = hips.groupby("image_id").t_score.min()
    y = (one <= -2.5).to_numpy()
    images = [read_radiograph(folder / f"{image}.png").pixels for image in one.index]
    x = np.array([[p.mean(), p.std(), *np.percentile(p, (5, 25, 50, 75, 95, 99))] for p in images])
    model = make_pipeline(StandardScaler(), LogisticRegression())
    folds = GroupKFold(5).split(x, y, np.arange(len(y)))
    together = roc_auc_score(y, cross_val_predict(model, x, y, cv=folds, method="predict_proba")[:, 1])
    alone = [max(a, 1 - a) for a in (roc_auc_score(y, column) for column in x.T)]
    assert 0.38 < together < 0.62 and max(alone) < 0.62
    # while what the bone is made of tells it well
    worst = hips.groupby("image_id")[["density", "cortical_thickness_mm"]].min()
    bone = make_pipeline(StandardScaler(), LogisticRegression()).fit(worst, y)
    assert roc_auc_score(y, bone.predict_proba(worst)[:, 1]) > 0.88


def test_how_a_film_is_taken_knows_nothing_of_the_person():
    hips = simulate(SETTINGS, 20_000, 0)
    films = phantom.plan_films(SETTINGS, hips, 0, 256)
    taken = films.drop(columns=[f"{name}_{side}" for name in LATENTS for side in ("right", "left")])
    metal = {f"metal_{side}": films[f"obstacle_{side}"] != "none" for side in ("right", "left")}
    taken = taken.assign(**metal).select_dtypes(["number", "bool"]).drop(columns=["height", "width"]).astype(float)
    person = pd.DataFrame({
        name: hips[name].to_numpy().reshape(-1, 2).mean(1) for name in ("t_score", "density", "cortical_thickness_mm")
    })  # fmt: skip
    r = np.corrcoef(taken.T, person.T)[: taken.shape[1], taken.shape[1] :]
    assert np.abs(r).max() < 4.5 / np.sqrt(20_000)


def test_metal_is_as_frequent_as_in_the_paper():
    """490 of 3,460 hips are left out there; 163 images of nails, 137 of artificial joints."""
    films = phantom.plan_films(SETTINGS, simulate(SETTINGS, 20_000, 1), 1, 256)
    obstacles = pd.concat([films.obstacle_right, films.obstacle_left])
    share = obstacles.value_counts(normalize=True)
    assert 1 - share["none"] == pytest.approx(490 / 3460, abs=0.006)
    assert share["screw"] / (1 - share["none"]) == pytest.approx(163 / 300, abs=0.03)


def test_eight_bits_are_what_the_shared_physics_shows_and_sixteen_are_finer():
    tube = Acquisition(**SETTINGS["acquisition"] | {"detail_mm": 3.0})
    depth = np.random.default_rng(0).normal(0, 0.5, (96, 128)).astype(np.float32)
    expected = expose(depth, 0.7, tube, np.random.default_rng(1), 1.2, (-1.0, 1.1))
    photons = detect(depth, 0.7, tube, np.random.default_rng(1), 1.2)
    eight, sixteen = (developed(photons, 0.7, tube, (-1.0, 1.1), bits) for bits in (8, 16))
    assert np.abs(eight.astype(int) - expected).max() <= 1 and (eight == expected).mean() > 0.999
    assert sixteen.dtype == np.uint16
    assert np.abs(sixteen / 65535 - eight / 255).max() <= 0.51 / 255


def test_a_wide_blur_on_coarse_pixels_is_that_of_fine_ones():
    from scipy.ndimage import gaussian_filter

    image = np.zeros((203, 300), np.float32)
    image[60:140, 80:170] = 1
    np.testing.assert_allclose(blurred(image, 20.0), gaussian_filter(image, 20.0), atol=0.02)


def test_a_box_ends_where_the_film_does():
    curve = np.array([(-5.0, 10.2), (30.0, 12.0), (7.5, 40.9)])
    assert box_of(curve, (100, 20)) == (0, 8, 20, 44)
    assert box_of(curve + (200, 0), (100, 20)) is None  # noqa: RUF005


def test_a_film_of_a_large_detector_is_sixteen_bits_deep_and_its_anatomy_the_same(tmp_path):
    hips = simulate(SETTINGS, 1, 2)
    small, large = (phantom.plan_films(SETTINGS, hips, 2, width) for width in (400, 800))
    phantom.render_films(SETTINGS, large, 2, "dicom", tmp_path)
    film = read_radiograph(tmp_path / "P00000.dcm")
    assert film.pixels.dtype == np.uint16 and film.pixels.shape == (600, 800)
    assert (film.view, film.side) == ("AP", None)
    assert film.spacing_mm == pytest.approx((large.spacing_mm[0],) * 2, abs=1e-4)
    fine = read_masks(tmp_path / MASKS, "P00000")
    tube = Acquisition(**SETTINGS["acquisition"])
    _, coarse = phantom.render_film(
        small.iloc[0].to_dict(), SETTINGS["film"]["magnification"], tube, np.random.default_rng(0)
    )
    a, b = fine[::2, ::2] & FEMUR > 0, coarse & FEMUR > 0
    assert (a & b).sum() / (a | b).sum() > 0.95


@pytest.mark.parametrize("width", [400, 4000])
def test_what_the_collimator_closes_is_black(width):
    film = {"closed_left": 0.1, "closed_right": -0.05, "closed_top": 0.0, "closed_bottom": 0.25}
    field = phantom.lit(film, (width * 3 // 4, width))
    assert field.sum() == pytest.approx(0.9 * 0.75 * field.size, rel=0.01)
    assert not field[:, 0].any() and field[0, -1]
