import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from osteolib.phantoms.settings import phantom_settings
from osteolib.phantoms.vertebra.hospitals import share_out
from osteolib.phantoms.vertebra.people import (
    as_read,
    chance_of_osteoporosis,
    sbmd_of_person,
    simulate,
    standardised,
    t_score_of,
)
from osteolib.phantoms.vertebra.scanner import plan_scans
from osteolib.phantoms.vertebra.truth import attainable
from osteolib.report.published import load_published

SETTINGS = phantom_settings("vertebra-phantom")
DXA = SETTINGS["dxa"]
MAKERS = DXA["makers"]
DXA_LEVELS = ("L1", "L2", "L3", "L4")  # where a vertebra can have a T-score


@pytest.fixture(scope="module")
def crowd():
    return {preset: simulate(SETTINGS, None, 0, preset) for preset in ("tpswav2025", "crossed", "unseen")}


def test_the_preset_has_the_papers_patients_and_vertebrae(crowd):
    """Table 1: patients and labelled vertebrae by site and split, unlabelled ones by site."""
    paper = load_published("tpswav2025_ct").set_index("published_id")["value"]
    rows = crowd["tpswav2025"]
    patients = rows.groupby(["site", "split"]).subject_id.nunique()
    labelled = rows[rows.labelled].groupby(["site", "split"]).size()
    for site in "ABC":
        for split in ("train", "valid", "test"):
            assert patients[site, split] == int(paper[f"tpswav2025_ct.T1.{site}.pt_{split}"])
            assert labelled[site, split] == int(paper[f"tpswav2025_ct.T1.{site}.v_{split}"])
        unlabelled = (~rows.labelled[rows.site == site]).sum()
        assert unlabelled == pytest.approx(int(paper[f"tpswav2025_ct.T1.{site}.v_pre"]), abs=2)
    assert (patients["D", "test"], labelled["D", "test"]) == (193, 271)
    assert set(rows.split[rows.site == "D"]) == {"test"}


def test_readings_follow_the_line_of_hui_and_agree_with_genants_patients():
    assert standardised(MAKERS["Hologic"], 1.0436, 0.972) == pytest.approx(1.0436)
    assert standardised(MAKERS["GE Lunar"], 1.0436, 1.2) == pytest.approx(1.0436 + 0.09683)
    lunar = np.linspace(0.8, 1.4, 7)
    hologic = as_read(MAKERS["Hologic"], 1.0436, standardised(MAKERS["GE Lunar"], 1.0436, lunar))
    np.testing.assert_allclose(hologic, 0.906 * lunar - 0.025, atol=0.006)  # Genant et al. 1994, spine
    for maker in MAKERS.values():
        np.testing.assert_allclose(as_read(maker, 1.0436, standardised(maker, 1.0436, lunar)), lunar)


def test_a_person_without_errors_has_one_t_score_at_every_level_and_nearly_one_on_two_makers():
    for level in DXA_LEVELS:
        true = sbmd_of_person(SETTINGS, -2.5) * SETTINGS["levels"][level]["areal"]
        hologic, lunar = (
            t_score_of(SETTINGS, m, [level], as_read(MAKERS[m], 1.0436, true))[0] for m in ("Hologic", "GE Lunar")
        )
        assert hologic == pytest.approx(-2.5, abs=1e-9)
        assert lunar == pytest.approx(-2.5, abs=0.03)


def test_the_chance_of_osteoporosis_is_that_of_the_normal_law():
    """By hand on a Hologic: T is normal around the person's with SD = CV x BMD / (slope x SD)."""
    t = np.array([-4.0, -2.5, -1.0, 1.0])
    cv = np.sqrt(0.04**2 + 0.02**2 + 0.02**2)
    by_hand = norm.cdf((-2.5 - t) / (cv * sbmd_of_person(SETTINGS, t) / (1.0550 * 0.110)))
    np.testing.assert_allclose(chance_of_osteoporosis(SETTINGS, t, "Hologic"), by_hand, rtol=1e-9)


def test_hospitals_have_the_share_of_osteoporosis_they_were_given(crowd):
    for preset in ("tpswav2025", "crossed"):
        own = crowd[preset][crowd[preset].labelled]
        for site, about in SETTINGS["hospitals"].items():
            ill = (own.t_score[own.site == site] <= -2.5).mean()
            clusters = own.subject_id[own.site == site].nunique()
            # the machine of the hospital moves it as well, by about 3 percentage points
            assert ill == pytest.approx(about["osteoporosis"], abs=0.06 + 2 * np.sqrt(0.25 / clusters))


def test_device_is_the_hospital_in_the_papers_preset_and_tells_nothing_of_it_when_crossed(crowd):
    paper, crossed, unseen = (crowd[p][crowd[p].labelled] for p in ("tpswav2025", "crossed", "unseen"))
    assert paper.groupby("site").device.nunique().max() == 1
    share = pd.crosstab(crossed.drop_duplicates("subject_id").site, crossed.drop_duplicates("subject_id").device,
                        normalize="index")  # fmt: skip
    np.testing.assert_allclose(share, 1 / 3, atol=0.01)
    gap = {name: (own.t_score <= -2.5).groupby(own.device).mean().agg(np.ptp) for name, own in
           (("paper", paper), ("crossed", crossed))}  # fmt: skip
    assert gap["crossed"] < 0.08 < 0.15 < gap["paper"]
    assert set(unseen.device[unseen.site == "D"]) == {"MEDIX"}
    assert "MEDIX" not in set(unseen.device[unseen.site != "D"])


def test_density_follows_the_t_score_as_strongly_as_the_manifest_says():
    rows = simulate(SETTINGS, 4000, 1)
    own = rows[rows.labelled & (rows.level == "L2")]
    r = np.corrcoef(np.log(own.spongy_mg_cm3), own.t_score_true)[0, 1]
    planted = SETTINGS["bone"]["spongy"]["t_correlation"]
    alone = SETTINGS["bone"]["vertebra"]["spongy_log_sd"] / SETTINGS["bone"]["spongy"]["log_sd"]
    assert r == pytest.approx(planted / np.sqrt(1 + alone**2), abs=0.03)


def test_a_ct_shows_a_stretch_of_the_spine_and_dxa_neighbours_of_l1_to_l4():
    rows = simulate(SETTINGS, 300, 2)
    assert set(rows.level) == set(SETTINGS["levels"])
    for _, own in rows.groupby("subject_id"):
        assert (np.diff(own.level_number) == 1).all()
        assert (np.diff(own.level_number[own.labelled]) == 1).all()
        assert set(own.level[own.labelled]) <= set(DXA_LEVELS)
    assert rows[["bmd_g_cm2", "t_score"]].notna().all(axis=1).equals(rows.labelled)
    by_level = rows.groupby("level")[["bmd_true_g_cm2", "spongy_mg_cm3"]].mean()
    assert by_level.bmd_true_g_cm2["L4"] > by_level.bmd_true_g_cm2["L1"] > by_level.bmd_true_g_cm2["T6"]
    assert by_level.spongy_mg_cm3["T4"] > by_level.spongy_mg_cm3["L3"]


def test_the_same_seed_gives_the_same_people_and_another_others():
    first, again, other = (simulate(SETTINGS, 20, seed, "crossed") for seed in (0, 0, 1))
    pd.testing.assert_frame_equal(first, again)
    assert not first.spongy_mg_cm3.head(20).equals(other.spongy_mg_cm3.head(20))


@pytest.mark.parametrize(("total", "low", "high"), [(17, 0, 5), (8, 1, 4), (30, 1, 4), (0, 0, 3)])
def test_things_are_shared_out_to_the_last_one_within_bounds(total, low, high):
    rng = np.random.default_rng(0)
    counts = share_out(total, rng.integers(low, high + 1, 8), low, high, rng)
    assert counts.sum() == total
    assert low <= counts.min() <= counts.max() <= high


def test_how_a_patient_is_scanned_knows_nothing_of_the_bone():
    rows = simulate(SETTINGS, 3000, 0)
    scans = rows.join(plan_scans(SETTINGS, rows, None, 0)).drop_duplicates("subject_id")
    assert rows.join(plan_scans(SETTINGS, rows, None, 0)).groupby("subject_id").scanner.nunique().max() == 1
    for name in ("noise_hu", "hu_offset", "kv", "fatness"):
        assert abs(np.corrcoef(scans[name], scans.t_score_true)[0, 1]) < 0.05
    assert abs(np.corrcoef(scans.fatness, scans.bmi_kg_m2)[0, 1]) < 0.05
    own = plan_scans(SETTINGS, rows, "tpswav2025", 0).scanner == rows.site
    assert own.mean() == pytest.approx(0.7 + 0.3 / 4, abs=0.03)


def test_the_makers_name_helps_the_reading_and_the_label_only_where_it_names_the_hospital():
    best = {(preset, known): attainable(preset, device=known, n_subjects=6000) for preset in ("crossed", "tpswav2025")
            for known in (False, True)}  # fmt: skip
    gain = {preset: best[preset, True].auroc - best[preset, False].auroc for preset in ("crossed", "tpswav2025")}
    assert gain["tpswav2025"] > gain["crossed"] + 0.002
    assert abs(gain["crossed"]) < 0.005
    for preset in ("crossed", "tpswav2025"):
        assert best[preset, True].mae < 0.95 * best[preset, False].mae
        assert best[preset, True].r > best[preset, False].r
    assert 0.8 < best["crossed", False].auroc < 0.95
