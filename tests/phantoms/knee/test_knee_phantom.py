import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from osteolib.cohorts import bone_loss, load_cohort, load_manifest
from osteolib.phantoms.knee import film as phantom
from osteolib.phantoms.knee.anatomy import Pose, chord, knee
from osteolib.phantoms.knee.people import simulate
from osteolib.phantoms.knee.truth import attainable_auroc, read_masks
from osteolib.phantoms.physics import Acquisition
from osteolib.radiograph import read_radiograph, split_knees

MANIFEST = load_manifest("knee-phantom")
SETTINGS = MANIFEST.settings


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("osteolib.runs.store.STORE", tmp_path_factory.mktemp("store"))
        yield load_cohort("knee-phantom", n_subjects=300, size=80)


def one_film(**changes) -> dict:
    """One knee on one film of acquisition A without metal, wide window."""
    people = simulate(SETTINGS, 1, "A", 0)
    film = people.join(phantom.plan_films(SETTINGS, people, "A", 0, 128)).iloc[0].to_dict()
    film |= {"n_legs": 1, "width": 128, "spacing_mm": 1.5, "marker": False, "implant": False, "artefact": False}
    return film | {"exposure": 1.0, "window_low": -1.5, "window_high": 4.0} | changes


def shoot(**changes) -> tuple[np.ndarray, np.ndarray]:
    tube = Acquisition(**SETTINGS["acquisitions"]["A"])
    return phantom.render_film(one_film(**changes), tube, np.random.default_rng(5))


def test_a_cohort_like_any_other(rendered):
    knees = rendered.subjects
    assert rendered.kind == "phantom" and set(knees.t_score_method) == {"simulated"}
    assert knees.subject_id.nunique() == 300
    both = knees[knees.n_legs == 2]
    assert both.groupby("image_id").side.agg("-".join).eq("right-left").all()
    assert both.groupby("image_id")[["density", "label", "path"]].nunique().eq(1).all(axis=None)
    pixels = read_radiograph(both.path.iloc[0]).pixels
    assert pixels.shape == (80, 120) and both.iloc[1].x0 == both.iloc[0].x1 == 60


def test_the_same_seed_gives_the_same_bits_and_another_seed_or_setting_other_people(tmp_path):
    def make(seed: int, folder: str) -> list[bytes]:
        options = {"n_subjects": 3, "acquisition": "A", "seed": seed, "size": 64}
        people = simulate(SETTINGS, 3, "A", seed)
        films = people.join(phantom.plan_films(SETTINGS, people, "A", seed, 64))
        (tmp_path / folder).mkdir()
        phantom.render_films(SETTINGS, films, options, tmp_path / folder)
        return [path.read_bytes() for path in sorted((tmp_path / folder).glob("*.png"))]

    first = make(0, "first")
    assert first == make(0, "again")
    assert first != make(1, "other")
    a, again, b = (load_cohort("knee-phantom", n_subjects=20, render=False, acquisition=x) for x in "AAB")
    pd.testing.assert_frame_equal(a.subjects, again.subjects)
    assert a.fingerprint == again.fingerprint != b.fingerprint
    assert not set(a.subjects.subject_id) & set(b.subjects.subject_id)
    assert a.subjects.path.isna().all()


def test_honest_no_statistic_of_the_whole_film_tells_the_label(rendered):
    """Else a model could score without a look at the bone. Out of fold, and each statistic by itself."""
    films = rendered.subjects.drop_duplicates("image_id")
    y = bone_loss(films.label)
    pixels = [read_radiograph(path).pixels for path in films.path]
    x = np.array([[p.mean(), p.std(), *np.percentile(p, (5, 25, 50, 75, 95, 99))] for p in pixels])
    model = make_pipeline(StandardScaler(), LogisticRegression())
    together = roc_auc_score(y, cross_val_predict(model, x, y, cv=5, method="predict_proba")[:, 1])
    alone = [max(a, 1 - a) for a in (roc_auc_score(y, column) for column in x.T)]
    assert together <= 0.6
    assert max(alone) <= 0.6
    # while the truth does tell it: the bone is worth looking at
    assert roc_auc_score(y, -films.density) > 0.7


def test_exposure_window_and_pose_know_nothing_of_the_person():
    people = simulate(SETTINGS, 20_000, "A", 0)
    films = phantom.plan_films(SETTINGS, people, "A", 0, 256)
    taken = films[["n_legs", "spacing_mm", "exposure", "window_low", "window_high", "implant", "artefact", "marker"]]
    person = people[["t_score", "density", "cortical_thickness_mm"]]
    r = np.corrcoef(taken.astype(float).T, person.T)[: taken.shape[1], taken.shape[1] :]
    assert np.abs(r).max() < 4 / np.sqrt(20_000)


def test_the_knee_follows_the_hip_as_the_manifest_says():
    people = simulate(SETTINGS, 50_000, "B", 0)
    bone = SETTINGS["bone"]
    z = (people.hip_t_score - people.hip_t_score.mean()) / people.hip_t_score.std()
    assert people.hip_t_score.mean() == pytest.approx(bone["t_score_mean"], abs=0.05)
    assert people.hip_t_score.std() == pytest.approx(bone["t_score_sd"], rel=0.05)
    assert np.corrcoef(np.log(people.density), z)[0, 1] == pytest.approx(bone["density_correlation"], abs=0.03)
    assert np.corrcoef(people.cortical_thickness_mm, z)[0, 1] == pytest.approx(bone["cortex_correlation"], abs=0.03)
    method = np.corrcoef(people.t_score, people.hip_t_score)[0, 1]
    assert method == pytest.approx(SETTINGS["labels"]["B"]["t_correlation"], abs=0.03)


def test_denser_bone_is_brighter_inside_the_region_at_all_else_equal():
    films = [shoot(density=density) for density in (0.5, 0.8, 1.1, 1.4)]
    regions = [mask & 2 > 0 for _, mask in films]
    assert all((regions[0] == region).all() for region in regions)
    inside = [pixels[regions[0]].mean() for pixels, _ in films]
    assert np.all(np.diff(inside) > 1)
    leg = (films[0][1] == 0) & (films[0][0] > 0)
    soft = [pixels[leg].mean() for pixels, _ in films]
    assert np.ptp(soft) < 0.15 * np.ptp(inside)  # beside the bone only scatter and the unsharp mask tell of it


def test_a_tube_of_bone_has_the_chords_of_its_circles():
    """Closed form: at offset v a ray crosses 2 sqrt(R^2 - v^2), of which 2 sqrt((R - t)^2 - v^2) within the cortex."""
    v, radius, wall = np.linspace(0, 14.5, 50, dtype=np.float32), np.float32(15), np.float32(4)
    p = np.float32(2)
    outer = chord(radius - v, radius, p)
    inner = chord(radius - v - wall, radius - wall, p)
    np.testing.assert_allclose(outer, 2 * np.sqrt(15**2 - v**2), rtol=1e-3)
    np.testing.assert_allclose(inner, 2 * np.sqrt(np.maximum(11**2 - v**2, 0)), atol=0.02)


def test_a_thicker_cortex_adds_mineral_to_every_bone():
    pose = Pose((128, 128), (64, 64), 0.6, 0.0, 1, 0.0)
    latent = one_film()
    thin, thick = (
        knee(pose, latent | {"cortical_thickness_mm": t}, np.random.default_rng(0))[0]["cortical"] for t in (3.0, 6.0)
    )
    assert (thick >= thin - 1e-3).mean() > 0.99 and thick.sum() > 1.3 * thin.sum()


def test_masks_lie_where_they_should(rendered):
    for row in rendered.subjects.head(20).itertuples():
        bone, region = read_masks(row.masks_path, row.image_id)
        assert bone.shape == region.shape == (row.height, row.width)
        assert not (region & ~bone).any()
        assert 0 < region[:, row.x0 : row.x1].sum() < 0.7 * bone[:, row.x0 : row.x1].sum()


def test_the_fibula_stands_outside_of_the_tibia():
    """A right knee lies mirrored to a left one; of both, the patient's right stands at the image's left."""
    for side, sign in (("right", -1), ("left", 1)):
        _, mask = shoot(side=side)
        low = mask[110] & 1
        centre_of_region = np.nonzero(mask & 2)[1].mean()
        assert sign * (np.flatnonzero(low).mean() - centre_of_region) > 0


def test_films_of_both_knees_show_two_legs():
    pixels, _ = shoot(n_legs=2, width=192, fat_mm=3.0, muscle_scale=0.85, spacing_mm=2.2)
    assert [side for side, _ in split_knees(pixels)] == ["right", "left"]


def test_attainable_lies_between_one_latent_and_the_truth():
    both = attainable_auroc(n_subjects=12_000)
    people = simulate(SETTINGS, 40_000, "A", 1)
    loss = people.t_score < -1
    assert both > roc_auc_score(loss, -people.density) + 0.02  # density alone is less
    assert both < 0.95  # the knee does not know the hip
    assert attainable_auroc(n_subjects=12_000, covariates=True) > both
    assert attainable_auroc("B", n_subjects=12_000) < both - 0.05  # its label is another method's


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"acquisition": "C"}, "acquisition must be one of A, B: 'C'"),
        ({"size": 100}, "size a multiple of 8"),
        ({"n_subjects": 0}, "n_subjects must be 1 or more"),
        ({"unit": "film"}, "no option unit: its options are n_subjects"),
    ],
)
def test_bad_options_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        load_cohort("knee-phantom", **options)
