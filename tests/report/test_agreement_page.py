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
