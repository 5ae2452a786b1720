import numpy as np
import pandas as pd
import pytest

from osteolib.phantoms.hip.film import plan_films, render_films, to_hips
from osteolib.phantoms.hip.people import simulate
from osteolib.phantoms.hip.shapes import GROUPS
from osteolib.phantoms.hip.trabeculae import singh_grade
from osteolib.phantoms.hip.truth import FEMUR, NECK, SCREW
from osteolib.phantoms.settings import phantom_settings
from osteolib.report import hip_films, hip_realism
from osteolib.report import hip_phantom_page as page
from osteolib.stats import bootstrap_ci

USES = "hip-phantom"
SETTINGS = phantom_settings("hip-phantom")


@pytest.fixture(scope="module")
def hips(tmp_path_factory):
    people = simulate(SETTINGS, 10, 0, "chen2024")
    films, folder = plan_films(SETTINGS, people, 0, 96), tmp_path_factory.mktemp("films")
    render_films(SETTINGS, films, 0, "png", folder)
    table = to_hips(films, people)
    return table.assign(path=[str(folder / f"{i}.png") for i in table.image_id], masks_path=str(folder / "masks.npz"))


def test_films_stand_under_their_titles_on_one_scale_of_grey():
    films = [[np.full((30, 40), 10), np.full((30, 40), 250)], [np.zeros((30, 40))]]
    fig = hip_films.film_rows(films, [["a", "b"], ["c"]], 2.0)
    assert [axis.get_title(loc="left") for axis in fig.axes] == ["a", "b", "c", ""]
    assert all(axis.images[0].get_clim() == (0, 255) for axis in fig.axes[:3])


def test_the_legend_of_the_masks_names_what_is_there():
    mask = np.zeros((40, 60), np.uint8)
    mask[5:35, 10:25], mask[15:20, 10:25] = FEMUR, FEMUR | NECK
    fig = hip_films.masks_figure(np.zeros_like(mask), mask)
    assert [t.get_text() for t in fig.legends[0].get_texts()] == ["femur", "neck (DXA)"]
    mask[0:4, 0:9] = SCREW
    fig = hip_films.masks_figure(np.zeros_like(mask), mask)
    assert "screws" in [t.get_text() for t in fig.legends[0].get_texts()]


def test_the_curves_of_the_groups_rise_and_every_grade_is_named():
    axis = hip_films.fading_figure(0.1, 1.4).axes[0]
    curves = {line.get_label(): line.get_ydata() for line in axis.lines if line.get_label() in GROUPS}
    assert set(curves) == set(GROUPS) and all((np.diff(y) > 0).all() for y in curves.values())
    assert [t.get_text() for t in axis.texts] == ["1", "2", "3", "4", "5", "6"]
    assert [singh_grade(d) for d in page.DENSITIES] == [6, 5, 4, 3, 2, 1]


def test_the_page_counts_what_lies_on_its_films(run, hips):
    page.show_films(run, hips)
    assert (run.facts["n_films"], run.facts["n_hips"]) == (10, 20)
    assert run.facts["n_screw"] + run.facts["n_joint"] == hips["obstructed"].sum()
    page.show_masks(run, hips)
    page.show_people(run, hips)
    shown = pd.read_csv(run.folder / "people.csv").set_index("what")
    worst = hips.groupby("image_id").t_score.min()
    assert (
        shown.loc["osteoporosis by the lowest T-score, % of people", "PHANTOM"] == f"{100 * (worst <= -2.5).mean():.1f}"
    )
    assert shown.loc["women, %", "PUBLISHED: real patients"] == "77.0"


def test_mineral_of_necks_is_compared_hip_by_hip_and_a_missing_neck_left_out(run):
    scan = np.linspace(0.4, 1.0, 12)
    hips = pd.DataFrame({"bmd_neck_g_cm2": scan, "sex": ["F", "M"] * 6}, index=np.arange(12)[::-1])
    necks = pd.DataFrame({"bmd_g_cm2": scan + 0.02, "width_mm": 33.0})
    necks.loc[3, "bmd_g_cm2"] = np.nan
    page.show_necks(run, hips, necks)
    assert run.facts["r_neck"] == pytest.approx(1) and run.facts["n_necks"] == 11
    assert run.facts["neck_bias"] == pytest.approx(0.02)


def test_what_is_known_becomes_rows_and_words(run):
    truth = np.repeat([0, 1], 20)
    names = ("statistics of the whole film", "age", "bone")
    honest = {name: bootstrap_ci(truth, truth * shift + np.arange(40) % 20, "auroc", n_boot=100, seed=0)
              for name, shift in zip(names, (0, 10, 30), strict=True)}  # fmt: skip
    best = {"film": {"auroc": 0.99, "r": 0.98, "mae": 0.1, "sd": 0.14, "scan_r": 0.985, "scan_sd": 0.13}}
    page.show_known(run, honest, best)
    assert [row["value"] for row in run.rows] == pytest.approx([0.5, 0.875, 1, 0.99, 0.98, 0.1])
    assert run.facts["blind_where"] == "within"
    assert (run.facts["best_r"], run.facts["paper_r"]) == (0.98, 0.996)


def test_geometry_is_told_by_kind_and_sex(run):
    hips = simulate(SETTINGS, 30, 0)
    films = plan_films(SETTINGS, hips, 0, 200)
    necks = pd.DataFrame({"bmd_g_cm2": 0.8, "width_mm": 34.4 * hips["bone_scale"]})
    measures = hip_realism.geometry(hips, films, necks)
    assert measures["diameter of the head, mm"].iloc[0] == pytest.approx(47 * hips["bone_scale"].iloc[0])
    assert measures["angle of neck and shaft, degrees"].iloc[1] == pytest.approx(128 + films["neck_shaft_left"].iloc[0])
    korea = pd.DataFrame({"sex": ["F", "M"], "neck_width_cm": [3.2, 3.6], "neck_cortical_thickness_cm": [0.15, 0.18]})
    hip_realism.show_geometry(run, measures, korea)
    assert (run.facts["width_F_real"], run.facts["cortex_M_real"]) == pytest.approx((32, 1.8))
    women = measures.loc[measures["sex"] == "F", "width of the neck, mm"]
    assert run.facts["width_F_phantom"] == pytest.approx(women.median())
    kinds = pd.read_csv(run.folder / "geometry.csv").groupby("kind").size()
    assert set(kinds.index) == {"phantom", "published", "real, 969 Koreans"}


def test_slopes_of_the_same_noise_lie_in_one_range(run):
    rng = np.random.default_rng(0)
    pictures = {kind: [rng.integers(0, 255, (180, 200)).astype(np.uint8) for _ in range(12)] for kind in ("a", "b")}
    hip_realism.show_slopes(run, pictures)
    assert run.facts["slope_hip"] == pytest.approx(run.facts["slope_knee"], abs=0.1) and run.facts["n_knees"] == 12
    assert hip_realism.prepared(pictures["a"][0]).shape == (160, 160)


def test_one_bone_is_shown_in_many_films(run):
    page.show_fading(run, SETTINGS, 96, 0)
    page.show_changes(run, SETTINGS, 64, 0)
    assert {p.name for p in run.folder.glob("*.png")} == {"fading.png", "groups.png", "changes.png"}


def test_of_both_hips_the_thinner_one_counts(hips):
    both = page.of_both(hips)
    assert len(both) == 10
    first = hips[hips.image_id == both.index[0]]
    assert both["density"].iloc[0] == first["density"].min()
    stats = page.whole_film(hips.drop_duplicates("image_id")["path"])
    assert stats.shape == (10, 8) and (stats[2] <= stats[7]).all()
