import numpy as np
import pandas as pd
import pytest
from scipy.special import comb

from osteolib.cohorts import load_cohort
from osteolib.screen.ct_patients import RULES, drawn, patients, rates, with_t_score


@pytest.fixture(scope="module")
def spine():
    """Labelled vertebrae of a phantom without pictures, and a reader that errs at random."""
    cohort = load_cohort("vertebra-phantom", n_subjects=150, seed=1, preset="tpswav2025", render=False)
    rows = cohort.subjects[cohort.subjects["labelled"]].reset_index(drop=True)
    rng = np.random.default_rng(0)
    y = (rows["t_score"] <= -2.5).astype(int)
    return rows.assign(y=y, score=np.clip(0.3 + 0.4 * y + rng.normal(0, 0.25, len(rows)), 0, 1),
                       bmd_predicted=rows["bmd_g_cm2"])  # fmt: skip


def test_a_perfect_bmd_gives_the_t_score_that_the_machine_printed(spine):
    told = with_t_score(spine)
    np.testing.assert_allclose(told["t_predicted"], told["t_score"], atol=0.006)


def test_a_machine_without_reference_is_named(spine):
    with pytest.raises(ValueError, match="no reference for the device 'Norland': leave these vertebrae out"):
        with_t_score(spine.assign(device="Norland"))


def test_patients_by_hand():
    scored = pd.DataFrame({"subject_id": ["b", "a", "b"], "site": ["C", "A", "C"], "y": [0, 0, 1],
                           "score": [0.2, 0.6, 0.4], "t_score": [-2.0, -1.0, -3.2]})  # fmt: skip
    table = patients(scored).set_index("subject_id")
    assert table.index.tolist() == ["b", "a"] and table.loc["b", ["n", "y", "score"]].tolist() == [2, 1, 0.4]
    assert table.loc["b", ["mean", "t_score"]].tolist() == pytest.approx([0.3, -2.6])
    assert "t_predicted" not in table


def test_choices_of_vertebrae_are_those_of_an_urn(spine):
    told = with_t_score(spine)
    shares = drawn(told, 2, 3)
    for subject, rows in told.groupby("subject_id"):
        if len(rows) < 3:
            assert subject not in shares.index
            continue
        m, well, quiet = len(rows), (rows["y"] == 0).sum(), (rows["score"] < 0.5).sum()
        neither = ((rows["y"] == 0) & (rows["score"] < 0.5)).sum()
        of = shares.loc[subject]
        assert of["any ill"] == pytest.approx(1 - comb(well, 2) / comb(m, 2))
        assert of["any called"] == pytest.approx(1 - comb(quiet, 2) / comb(m, 2))
        assert of["any neither"] == pytest.approx(comb(neither, 2) / comb(m, 2))
    for rule in RULES:
        both = shares[f"{rule} ill"] + shares[f"{rule} called"] - shares[f"{rule} both"] + shares[f"{rule} neither"]
        np.testing.assert_allclose(both, 1)


def test_all_of_three_vertebrae_give_the_rates_of_the_patients(spine):
    told = with_t_score(spine)
    three = told[told.groupby("subject_id")["y"].transform("size") == 3]
    found = rates(drawn(three, 3, 3), 200, 0).set_index(["rule", "metric"])
    table = patients(three)
    ill, called = table["y"] == 1, table["score"] >= 0.5
    value = found["value"]["any"]
    assert value["sensitivity"] == pytest.approx(called[ill].mean())
    assert value["specificity"] == pytest.approx((~called[~ill]).mean())
    assert value["prevalence"] == pytest.approx(ill.mean()) and value["called"] == pytest.approx(called.mean())
    assert found["value"]["together"]["sensitivity"] == 1  # the BMD is perfect
    inside = found.dropna()
    assert (inside["ci_low"] <= inside["value"] + 1e-9).all() and (inside["value"] <= inside["ci_high"] + 1e-9).all()


def test_one_vertebra_at_a_time_a_patient_has_the_rates_of_vertebrae(spine):
    """With as many vertebrae each, the mean over choices of one is the mean over vertebrae."""
    told = with_t_score(spine)
    three = told[told.groupby("subject_id")["y"].transform("size") == 3]
    value = rates(drawn(three, 1, 3), 100, 0).set_index(["rule", "metric"])["value"]["any"]
    called = three["score"] >= 0.5
    assert value["sensitivity"] == pytest.approx(called[three["y"] == 1].mean())
    assert value["prevalence"] == pytest.approx(three["y"].mean())


def test_more_vertebrae_make_more_patients_ill(spine):
    told = with_t_score(spine)
    ill = [drawn(told, n, 3)["any ill"].mean() for n in (1, 2, 3)]
    assert ill[0] < ill[1] < ill[2]


def test_nobody_with_so_many_vertebrae_gives_no_rates(spine):
    nothing = rates(drawn(with_t_score(spine), 5, 5), 100, 0)
    assert nothing["value"].isna().all() and (nothing["people"] == 0).all()
    with pytest.raises(ValueError, match="between 1 and at_least = 3, got 4"):
        drawn(spine, 4, 3)
