from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from osteolib.report import agreement_page
from osteolib.stats import bland_altman

USES = "here"


def test_a_reference_comes_back_from_the_scores_that_it_gave():
    """BMD = 0.858 + 0.120 T for women, 0.930 + 0.137 T for men; ours are half a unit lower."""
    t = np.array([-3.0, -1.0, 0.0, 2.0])
    people = pd.concat([
        pd.DataFrame({"sex": sex} | {f"{name}": values for site in ("neck", "total_hip") for name, values in (
            (f"t_score_{site}_extract", t), (f"bmd_{site}_g_cm2", mean + sd * t), (f"t_score_{site}", t - 0.5))})
        for sex, mean, sd in (("F", 0.858, 0.120), ("M", 0.930, 0.137))
    ])  # fmt: skip
    table = agreement_page.extract_references(people)
    assert table["site"].tolist() == ["neck", "total_hip"] * 2
    assert table["mean"].tolist() == pytest.approx([0.858, 0.858, 0.930, 0.930])
    assert table["SD"].tolist() == pytest.approx([0.120, 0.120, 0.137, 0.137])
    assert table["ours − theirs (T)"].tolist() == pytest.approx([-0.5] * 4)


def test_each_person_counts_once_and_sites_that_were_not_measured_are_empty():
    people = pd.DataFrame({"subject_id": ["a", "a", "b", "c"], "age_years": [60, 60, 40, 70], "t_score_neck": -1.0})
    everyone, old = agreement_page.sites_of(SimpleNamespace(subjects=people), 50)
    assert everyone["subject_id"].tolist() == ["a", "b", "c"]
    assert old["subject_id"].tolist() == ["a", "c"]
    assert everyone["t_score_spine"].isna().all() and (everyone["t_score_neck"] == -1).all()
    _, old = agreement_page.sites_of(SimpleNamespace(subjects=people.assign(age_years=np.nan)), 50)
    assert len(old) == 3  # nobody's age is known


def test_rows_and_table_hold_the_same_agreement(run):
    a, b = pd.Series([0.0, -1.0, -2.0, -3.0]), pd.Series([0.5, -1.0, -1.5, -3.0])
    pairs = {"a and b": (a, b, bland_altman(a, b))}
    agreement_page.record_agreement(run, pairs, "here")
    rows = pd.DataFrame(run.rows)
    assert rows["metric"].tolist() == [f"{m}, a and b" for m in ("t_score_bias", *["t_score_limit"] * 2, "lin_ccc")]
    table = agreement_page.beside_the_hip_paper(pairs)
    mine, printed = table.iloc[0], table.loc[agreement_page.HIP_PAPER]
    assert (mine["bias"], mine["lower limit"], mine["upper limit"], mine["CCC"]) == tuple(rows["value"])
    assert rows["value"][0] == 0.25
    assert (printed["n"], printed["r"], printed["bias"]) == (497, 0.996, -0.010)
