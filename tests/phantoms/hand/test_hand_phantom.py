import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from osteolib.cohorts import load_cohort, load_manifest
from osteolib.phantoms.hand import film as phantom
from osteolib.phantoms.hand.anatomy import hand, render
from osteolib.phantoms.hand.people import simulate
from osteolib.phantoms.hand.pose import HandPose, skeleton
from osteolib.phantoms.hand.shapes import BONES
from osteolib.phantoms.hand.truth import (
    ANNOTATOR_WEIGHTS,
    annotate,
    attainable_auroc,
    ideal_reader,
    read_masks,
    threshold_check,
)
from osteolib.phantoms.physics import Acquisition
from osteolib.phantoms.settings import phantom_settings, with_people
from osteolib.radiograph import read_radiograph

SETTINGS = with_people(load_manifest("hand-phantom").settings)
LATENT = {
    "density": 1.0, "cortical_percentage": 0.6, "joint_space_mm": 2.2, "bone_scale": 0.9, "fat_mm": 2.0,
    "muscle_scale": 1.0,
}  # fmt: skip


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("osteolib.runs.store.STORE", tmp_path_factory.mktemp("store"))
        yield load_cohort("hand-phantom", preset="lee2025", size=96)


def one_film(size: int = 256, **changes) -> dict:
    people = simulate(SETTINGS, 1, 0)
    film = people.join(phantom.plan_films(SETTINGS, people, 0, size)).iloc[0].to_dict()
    plain = {"x": 0.0, "y": 0.17, "exposure": 1.0, "window_low": -0.6, "window_high": 1.8, "spacing_mm": 270 / size}
    film |= plain | {f"open_{edge}": -0.1 for edge in ("left", "right", "top", "bottom")}
    film |= dict.fromkeys(("ring", "plate", "cast", "marker"), False) | changes
    return film | {"bones_present": " ".join(phantom.present(film))}


def shoot(size: int = 256, **changes) -> tuple[np.ndarray, np.ndarray]:
    tube = Acquisition(**SETTINGS["acquisition"])
    return phantom.render_film(one_film(size, **changes), tube, np.random.default_rng(5))


def test_the_preset_has_the_papers_subjects_by_sex_and_label(rendered):
    """Table 1 of the paper: 18 + 5 men and 115 + 54 women; its text: most osteoporosis between 50 and 79."""
    hands = rendered.subjects
    assert rendered.kind == "phantom" and hands.unit_id.is_unique and len(hands) == 192
    counts = hands.groupby(["sex", "label"]).size().to_dict()
    assert counts == {("F", "normal"): 115, ("F", "osteoporosis"): 54, ("M", "normal"): 18, ("M", "osteoporosis"): 5}
    assert hands.label.eq("osteoporosis").eq(hands.t_score < -2.5).all()
    assert hands[hands.label == "osteoporosis"].age_years.between(50, 80).mean() > 0.5


def test_the_same_seed_gives_the_same_bits_and_another_seed_other_people(tmp_path):
    def make(seed: int, folder: str) -> list[bytes]:
        people = simulate(SETTINGS, 2, seed)
        films = people.join(phantom.plan_films(SETTINGS, people, seed, 64))
        films["bones_present"] = [" ".join(phantom.present(film)) for film in films.to_dict("records")]
        (tmp_path / folder).mkdir()
        phantom.render_films(SETTINGS, films, seed, "png", tmp_path / folder)
        return [path.read_bytes() for path in sorted((tmp_path / folder).glob("*.png"))]

    first = make(0, "first")
    assert first == make(0, "again") != make(1, "other")
    a, b, c = (load_cohort("hand-phantom", n_subjects=20, render=False, seed=seed) for seed in (0, 0, 1))
    pd.testing.assert_frame_equal(a.subjects, b.subjects)
    assert a.fingerprint == b.fingerprint != c.fingerprint
    assert a.subjects.path.isna().all() and not a.subjects.t_score.equals(c.subjects.t_score)


def test_the_hand_follows_the_hip_as_strongly_as_measured():
    people = simulate(SETTINGS, 50_000, 0)
    bone = SETTINGS["bone"]
    assert people.t_score.mean() == pytest.approx(bone["t_score_mean"], abs=0.03)
    assert people.t_score.std() == pytest.approx(bone["t_score_sd"], rel=0.03)
    assert np.corrcoef(people.cortical_percentage, people.t_score)[0, 1] == pytest.approx(0.54, abs=0.02)
    assert np.corrcoef(np.log(people.density), people.t_score)[0, 1] == pytest.approx(0.54, abs=0.02)


def test_thresholds_keep_the_published_specificities_and_the_normal_law():
    """The two specificities fix mean and SD; the sensitivities follow from r, here by simulation of the normal law."""
    people = simulate(SETTINGS, 100_000, 1)
    table = threshold_check(people, SETTINGS).set_index("class")
    np.testing.assert_allclose(table.specificity, table.published_specificity, atol=0.015)
    cortex, bone = SETTINGS["bone"]["cortical_percentage"], SETTINGS["bone"]
    rng = np.random.default_rng(0)
    z = (people.t_score.to_numpy() - bone["t_score_mean"]) / bone["t_score_sd"]
    expected = cortex["mean"] + cortex["sd"] * (0.54 * z + np.sqrt(1 - 0.54**2) * rng.normal(size=len(z)))
    sick = people.t_score <= -2.5
    assert table.sensitivity["osteoporosis"] == pytest.approx((expected[sick] < 0.5).mean(), abs=0.02)
    by_hand = pd.DataFrame({"t_score": [0, 0, -3, -3, -2], "cortical_percentage": [0.7, 0.4, 0.4, 0.6, 0.5]})
    row = threshold_check(by_hand, SETTINGS).set_index("class").loc["osteoporosis"]
    assert (row.sensitivity, row.specificity, row.n_cases) == (0.5, 0.5, 2)


@pytest.mark.parametrize("percentage", [0.35, 0.6, 0.8])
def test_the_drawn_second_metacarpal_has_its_cortical_percentage_at_mid_shaft(percentage):
    pose = HandPose((900, 500), (250, 850), 10.0, -0.1, 1)
    bone = skeleton(pose, 2.2)["M2"]
    for seed in range(3):
        latent = LATENT | {"cortical_percentage": percentage}
        box, cortex, mineral, marrow = render(bone, pose, latent, np.random.default_rng(seed))
        middle = pose.to_pixels(bone.to_hand(np.array([[0, 0.5]])))[0]
        row = round(middle[1]) - box[1]
        total, canal = ((part[row - 5 : row + 6] > 1e-3).sum() for part in (cortex + mineral + marrow, marrow))
        assert (total - canal) / total == pytest.approx(percentage, abs=0.03)


def test_honest_no_statistic_of_the_whole_film_tells_the_label(rendered):
    """Else a model could score without a look at the bone. Out of fold, and each statistic by itself."""
    hands = rendered.subjects
    y = hands.label.eq("osteoporosis").to_numpy()
    x = np.array([
        [p.mean(), p.std(), *np.percentile(p, (5, 25, 50, 75, 95, 99))]
        for p in (read_radiograph(path).pixels for path in hands.path)
    ])  # fmt: skip
    model = make_pipeline(StandardScaler(), LogisticRegression())
    together = roc_auc_score(y, cross_val_predict(model, x, y, cv=5, method="predict_proba")[:, 1])
    alone = [max(a, 1 - a) for a in (roc_auc_score(y, column) for column in x.T)]
    assert together < 0.62 and max(alone) < 0.62
    assert roc_auc_score(y, -hands.cortical_percentage) > 0.7  # while the bone does


def test_how_a_film_is_taken_knows_nothing_of_the_person():
    people = simulate(SETTINGS, 20_000, 0)
    films = phantom.plan_films(SETTINGS, people, 0, 256).select_dtypes(["number", "bool"])
    films = films.drop(columns=["height", "width"]).astype(float)
    person = people[["t_score", "density", "cortical_percentage"]]
    r = np.corrcoef(films.T, person.T)[: films.shape[1], films.shape[1] :]
    assert np.abs(r).max() < 4.5 / np.sqrt(20_000)


def test_some_films_show_fewer_bones_and_no_label_where_a_bone_is_missing(rendered):
    hands = rendered.subjects
    assert 0.02 < (hands.n_bones < 7).mean() < 0.25
    for row in hands[(hands.n_bones < 7) | (hands.index < 12)].itertuples():
        labels = read_masks(row.masks_path, row.image_id)
        assert labels.shape == (row.height, row.width) == read_radiograph(row.path).pixels.shape
        shown = {BONES[value - 1] for value in np.unique(labels) if value}
        assert shown == set(row.bones_present.split()) and len(shown) == row.n_bones


def test_bones_lie_where_anatomy_has_them():
    """From the thumb to the little finger, seen from the back; a right hand is mirrored; the arm leaves the film."""
    for side, sign in (("left", -1), ("right", 1)):
        _, labels = shoot(side=side, angle=0.0, deviation=0.0)
        x = [np.argwhere(labels == value)[:, 1].mean() for value in range(1, 8)]
        assert np.all(np.diff(x[2:]) * sign > 0) and (x[0] - x[1]) * sign > 0
        assert set(np.unique(labels[-1])) == {0, 1, 2}
        rows = [np.argwhere(labels == value)[:, 0].mean() for value in (2, 5)]
        assert rows[0] > rows[1]


def test_denser_bone_and_thicker_cortex_add_mineral_and_leave_the_rest():
    pose = HandPose((240, 168), (84, 160), 0.8, 0.0, 1)

    def mineral(**changes) -> tuple[np.ndarray, np.ndarray]:
        tissue, labels = hand(pose, LATENT | changes, np.random.default_rng(0))
        return tissue["cortical"], labels

    base, labels = mineral()
    for changes in ({"density": 1.5}, {"cortical_percentage": 0.75}):
        more, same = mineral(**changes)
        assert more[labels > 0].sum() > 1.05 * base[labels > 0].sum()
        assert (more[base == 0] == 0).all() and (labels == same).mean() > 0.99


def test_annotators_differ_as_their_styles_say():
    _, labels = shoot(384)
    spacing = 270 / 384
    drawn = {name: annotate(labels, name, np.random.default_rng(1), spacing) for name in ANNOTATOR_WEIGHTS}
    area = {name: (one > 0).sum() / (labels > 0).sum() for name, one in drawn.items()}
    assert sum(ANNOTATOR_WEIGHTS.values()) == pytest.approx(1)
    assert area["tight"] < 0.92 < area["smooth"] < 1.05 < area["loose"]
    length = {name: np.ptp(np.argwhere(one == 5)[:, 0]) for name, one in (drawn | {"truth": labels}).items()}
    assert length["shafts"] == pytest.approx(0.76 * length["truth"], abs=5)
    again = annotate(labels, "tight", np.random.default_rng(1), spacing)
    assert (again == drawn["tight"]).all() and set(np.unique(again)) == set(range(8))
    assert not annotate(np.zeros((20, 20), np.uint8), "loose", np.random.default_rng(0)).any()
    with pytest.raises(ValueError, match="no annotator 'nobody': there are tight, loose"):
        annotate(labels, "nobody", np.random.default_rng(0))


def test_metal_shows_only_where_it_is_asked_for():
    plain, _ = shoot(160)
    for thing in ("ring", "plate", "cast", "marker"):
        with_it, _ = shoot(160, **{thing: True})
        brighter = (with_it.astype(int) - plain) > 40
        assert 0 < brighter.mean() < 0.25 or thing == "cast"
        assert (with_it != plain).any()


def test_the_ideal_reader_makes_of_many_other_people_what_is_attainable():
    """An AUROC over 20,000 people has a standard error below 0.01."""
    settings = phantom_settings("hand-phantom")
    others = simulate(settings, 20_000, 5)
    ill = others.t_score < -2.5
    likely = ideal_reader(n_subjects=20_000)(others)
    assert likely.min() >= 0 and likely.max() <= 1
    assert roc_auc_score(ill, likely) == pytest.approx(attainable_auroc(n_subjects=20_000), abs=0.02)
    assert roc_auc_score(ill, likely) > roc_auc_score(ill, -others.cortical_percentage)


def test_attainable_lies_between_one_latent_and_the_truth():
    people = simulate(SETTINGS, 40_000, 1)
    sick = people.t_score < -2.5
    both = attainable_auroc(n_subjects=20_000)
    assert roc_auc_score(sick, -people.cortical_percentage) + 0.02 < both < 0.93
    assert attainable_auroc(n_subjects=20_000, covariates=True) > both


def test_with_the_counts_of_its_own_people_a_preset_changes_nothing_and_with_others_it_does(monkeypatch):
    settings = phantom_settings("hand-phantom")
    people = simulate(settings, 20_000, 0)
    label = np.where(people.t_score < -2.5, "osteoporosis", "normal")
    own = pd.crosstab(people.sex, label).T.to_dict()
    thin_men = own | {"M": {"normal": 1, "osteoporosis": 4000}}  # then small hands no longer tell of thin bone
    patched = settings | {"presets": {"own": own, "thin men": thin_men}}
    monkeypatch.setattr("osteolib.phantoms.hand.truth.phantom_settings", lambda name: patched)
    plain, same, other = (attainable_auroc(n_subjects=20_000, preset=name) for name in (None, "own", "thin men"))
    assert same == pytest.approx(plain, abs=1e-6) and abs(other - plain) > 0.01


def test_dicom_says_hand_and_keeps_the_spacing(tmp_path, monkeypatch):
    monkeypatch.setattr("osteolib.runs.store.STORE", tmp_path)
    hands = load_cohort("hand-phantom", n_subjects=1, size=96, file_format="dicom").subjects
    film = read_radiograph(hands.path[0])
    assert film.pixels.shape == (96, 67)
    assert film.spacing_mm == pytest.approx((hands.spacing_mm[0],) * 2, abs=1e-4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"preset": "lee2030"}, "preset must be one of lee2025, or None: 'lee2030'"),
        ({"preset": "lee2025", "n_subjects": 5}, "leave n_subjects out"),
        ({"file_format": "tiff"}, "file_format must be png or dicom: 'tiff'"),
        ({"size": 10}, "size from 64 to 6000"),
        ({"n_subjects": 0}, "n_subjects must be 1 or more"),
    ],
)
def test_bad_options_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        load_cohort("hand-phantom", **options)
