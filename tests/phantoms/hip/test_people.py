import numpy as np
import pandas as pd
import pytest
from scipy.stats import truncnorm

from osteolib.cohorts import DataNotFound, find_data, load_cohort, load_manifest
from osteolib.phantoms.hip.joint import fit_hips, move_to, sample_hips
from osteolib.phantoms.hip.people import LATENTS, density_of, neck_bmd, scan, simulate, thickness_of
from osteolib.report.published import load_published

SETTINGS = load_manifest("hip-phantom").settings
PAPER = SETTINGS["presets"]["chen2024"]
SIMULATED = {preset: simulate(SETTINGS, 20_000, 5, preset) for preset in (None, "chen2024")}
PRINTED = (
    load_published("chen2024_hip").set_index("published_id").value.rename(lambda i: i.removeprefix("chen2024_hip."))
)


def pairs(values: pd.Series) -> np.ndarray:
    """Right and left of each person, shape (n, 2)."""
    return values.to_numpy().reshape(-1, 2)


def test_the_fit_finds_planted_coefficients_and_leaves_out_what_is_missing():
    planted = {
        "F": {"log_bmi": [3.3, 0.02, -0.01], "log_bmi_sd": 0.2, "neck": [-0.6, -0.5, 0.04, 2.0], "neck_sd": 0.9,
              "total": [-0.2, -0.4, 0.02, 2.6], "total_sd": 1.0, "correlation": 0.85},
        "M": {"log_bmi": [3.2, -0.02, 0.01], "log_bmi_sd": 0.2, "neck": [0.1, -0.2, 0.02, 1.0], "neck_sd": 1.1,
              "total": [0.5, 0.0, -0.05, 2.9], "total_sd": 0.8, "correlation": 0.7},
    }  # fmt: skip
    people = planted | {"women": 0.5, "age_years": {"mean": 65, "sd": 20, "low": 50, "high": 90}}
    drawn = sample_hips(people, SETTINGS["sides"], 40_000, np.random.default_rng(0))
    one_hip = drawn.rename(columns={"neck_left": "t_score_neck", "total_left": "t_score_total_hip"})
    one_hip.loc[:9, "bmi_kg_m2"] = np.nan
    model = fit_hips(one_hip)
    assert model["F"]["n"] + model["M"]["n"] == 40_000 - 10
    for sex, truth in planted.items():
        for name, value in truth.items():
            near = 0.1 if name in ("neck", "total") else 0.012
            np.testing.assert_allclose(model[sex][name], value, atol=near, err_msg=f"{sex} {name}")


def test_too_few_people_of_one_sex_are_refused():
    table = pd.DataFrame({"sex": ["F"] * 60, "age_years": 60.0, "bmi_kg_m2": 27.0, "t_score_neck": -1.0})
    with pytest.raises(ValueError, match="0 complete rows of sex M"):
        fit_hips(table.assign(t_score_total_hip=-0.5))


@pytest.mark.parametrize("people", [SETTINGS["people"], PAPER])
def test_the_manifest_has_the_coefficients_of_the_cohort_that_it_names(people):
    fitted_on = people["fitted_on"]
    try:
        find_data(load_manifest(fitted_on["cohort"]))
    except DataNotFound:
        pytest.skip(f"the data of {fitted_on['cohort']} are not here")
    cohort = load_cohort(fitted_on["cohort"], **fitted_on["options"])
    assert cohort.fingerprint == fitted_on["fingerprint"]
    assert fit_hips(cohort.subjects) == {sex: people[sex] for sex in ("F", "M")}


def test_the_ages_of_the_preset_have_the_printed_mean_and_sd():
    age = PAPER["age_years"]
    low, high = ((age[edge] - age["mean"]) / age["sd"] for edge in ("low", "high"))
    ages = truncnorm(low, high, loc=age["mean"], scale=age["sd"])
    assert (round(ages.mean(), 1), round(ages.std(), 1)) == (PRINTED["age.mean"], 11.1)
    assert age["low"] == PRINTED["min_age"] and PAPER["women"] == PRINTED["female.pct"] / 100


def test_the_preset_has_the_printed_t_scores_and_the_printed_share_of_osteoporosis():
    hips = SIMULATED["chen2024"]
    t = pairs(hips.t_score)
    assert t.mean() == pytest.approx(PRINTED["tscore.mean"], abs=0.05)  # as printed, to one decimal
    assert t.std() == pytest.approx(1.1, abs=0.03)
    assert 100 * np.mean(t.min(axis=1) <= -2.5) == pytest.approx(PRINTED["op.pct"], abs=1.5)  # sampling SD 0.35
    assert 100 * np.mean(hips.sex == "F") == pytest.approx(PRINTED["female.pct"], abs=1)
    assert hips.age_years.mean() == pytest.approx(PRINTED["age.mean"], abs=0.3)


def test_the_move_of_the_preset_is_what_brings_its_people_to_the_printed_t_scores():
    still = {name: part for name, part in PAPER.items() if name != "move"}
    drawn = sample_hips(still, SETTINGS["sides"], 100_000, np.random.default_rng(6))
    lower = np.minimum(drawn[["neck_right", "neck_left"]], drawn[["total_right", "total_left"]].to_numpy())
    assert move_to(lower.to_numpy(), -2.57, 1.1) == pytest.approx(PAPER["move"], abs=0.02)
    assert move_to(np.array([0.0, 2.0]), -2.0, 0.5) == {"shift": -2.5, "scale": 0.5}  # -2.5, -1.5


@pytest.mark.parametrize("preset", [None, "chen2024"])
def test_the_two_hips_of_a_person_are_as_alike_as_in_the_literature(preset):
    """Measured BMD, so with the error of both scans: 0.92 to 0.95 (Mounach et al. 2012)."""
    hips = SIMULATED[preset]
    for column in ("bmd_neck_g_cm2", "bmd_total_hip_g_cm2"):
        assert 0.915 <= np.corrcoef(pairs(hips[column]).T)[0, 1] <= 0.97, column
    assert hips.side.tolist()[:4] == ["right", "left"] * 2
    for same in ("sex", "age_years", "bmi_kg_m2", "bone_scale", "fat_mm", "muscle_scale"):
        assert (hips[same].to_numpy()[::2] == hips[same].to_numpy()[1::2]).all(), same
    right, left = pairs(hips.t_score_neck_true).T
    assert np.mean(right - left) == pytest.approx(0, abs=0.01)


def test_people_keep_the_joint_distribution_of_the_two_sites():
    """Oracle: the fit of what was drawn gives the manifest's coefficients back."""
    drawn = simulate(SETTINGS, 60_000, 1).iloc[::2]
    again = fit_hips(drawn.rename(columns={"t_score_neck_true": "n", "t_score_total_true": "t"}).assign(
        t_score_neck=lambda x: x.n, t_score_total_hip=lambda x: x.t))  # fmt: skip
    for sex in ("F", "M"):
        for name in ("neck", "total"):
            assert again[sex][name][1:] == pytest.approx(SETTINGS["people"][sex][name][1:], abs=0.09)
            assert again[sex][f"{name}_sd"] == pytest.approx(SETTINGS["people"][sex][f"{name}_sd"], rel=0.02)
        assert again[sex]["correlation"] == pytest.approx(SETTINGS["people"][sex]["correlation"], abs=0.02)


def test_a_printed_t_score_is_the_true_one_with_the_error_of_a_scan_to_one_decimal():
    true = np.full(200_000, -2.0)
    t, bmd = scan(SETTINGS, "neck", true, np.random.default_rng(0))
    at = 0.858 - 2 * 0.120
    assert bmd.mean() == pytest.approx(at, abs=1e-4)
    assert bmd.std() / at == pytest.approx(SETTINGS["repeat_scan_cv"]["neck"], rel=0.01)
    expected = np.hypot(SETTINGS["repeat_scan_cv"]["neck"] * at / 0.120, 0.1 / np.sqrt(12))  # and the rounding's
    assert (t + 2).std() == pytest.approx(expected, rel=0.01)
    np.testing.assert_array_equal(t, t.round(1))
    hips = SIMULATED[None]
    lower = np.minimum(hips.t_score_neck, hips.t_score_total)
    np.testing.assert_array_equal(hips.t_score, lower)
    neck = hips.t_score_site == "femoral neck"
    np.testing.assert_array_equal(hips.bmd_g_cm2[neck], hips.bmd_neck_g_cm2[neck])


@pytest.mark.parametrize("preset", [None, "chen2024"])
def test_density_and_cortex_and_size_make_the_true_bmd_of_the_neck(preset):
    hips = SIMULATED[preset]
    made = neck_bmd(
        SETTINGS["bone"]["neck_mm"],
        *(hips[name].to_numpy() for name in ("density", "cortical_thickness_mm", "bone_scale")),
    )
    np.testing.assert_allclose(made, 0.858 + 0.120 * hips.t_score_neck_true, rtol=1e-9)
    assert hips.cortical_thickness_mm.between(0.8, 9.6).all() and hips.density.between(0.1, 2.2).all()
    young = hips[hips.t_score_neck_true.between(-0.3, 0.3) & (hips.sex == "F")]
    assert young.density.mean() == pytest.approx(1, abs=0.12)


def test_the_law_of_the_neck_turns_round():
    law = SETTINGS["bone"]["neck_mm"]
    density, thickness, size = (np.array(x) for x in ([0.3, 0.8, 1.4], [4.0, 5.0, 7.0], [0.9, 1.0, 1.1]))
    bmd = neck_bmd(law, density, thickness, size)
    np.testing.assert_allclose(density_of(law, bmd, thickness, size), density)
    np.testing.assert_allclose(thickness_of(law, bmd, density, size), thickness)
    assert (neck_bmd(law, density + 0.1, thickness, size) > bmd).all()
    assert (neck_bmd(law, density, thickness + 0.1, size) > bmd).all()


def test_what_is_not_bone_says_no_more_of_the_t_score_than_sex_and_bmi_do():
    """Honesty of the table: within sex and at one BMI, fat, muscle, joint space, turn and size know nothing of it."""
    hips = SIMULATED[None].iloc[::2]
    for _, group in hips.groupby("sex"):
        terms = np.vander(group.bmi_kg_m2 - 27, 6)
        left = group.t_score - terms @ np.linalg.lstsq(terms, group.t_score, rcond=None)[0]
        for name in ("fat_mm", "muscle_scale", "joint_space_mm", "rotation_deg", "bone_scale"):
            assert abs(np.corrcoef(group[name], left)[0, 1]) < 0.04, name


def test_the_same_seed_gives_the_same_people_and_another_one_others():
    first = simulate(SETTINGS, 50, 1)
    pd.testing.assert_frame_equal(first, simulate(SETTINGS, 50, 1))
    assert not first.t_score.equals(simulate(SETTINGS, 50, 2).t_score)
    assert set(LATENTS) <= set(first) and len(first) == 100 and first.notna().all().all()


def test_a_preset_that_is_not_there_is_named():
    with pytest.raises(ValueError, match="preset must be one of chen2024, or None: 'chen2030'"):
        simulate(SETTINGS, 5, 0, "chen2030")
