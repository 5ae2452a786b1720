import numpy as np
import pandas as pd
import pytest

from osteolib.screen.imputation import covariate_table, imputed, pooled, with_gaps


def people(n=300, seed=0):
    rng = np.random.default_rng(seed)
    age = rng.normal(72, 9, n)
    table = {"age_years": age, "bmi_kg_m2": 40 - 0.2 * age + rng.normal(0, 1, n), "female": rng.random(n) < 0.7}
    return pd.DataFrame(table, [f"p{i}" for i in range(n)]).astype(float)


def test_rubins_rules_by_hand():
    # W = (1 + 4 + 1) / 3 = 2, B = 1, T = 2 + 4/3, nu = 2 (1 + 2 / (4/3))^2 = 12.5
    found = pooled([1.0, 2.0, 3.0], [1.0, 2.0, 1.0])
    assert found.estimate == 2 and found.within == 2 and found.between == 1
    assert found.se == pytest.approx(np.sqrt(10 / 3)) and found.df == pytest.approx(12.5)
    assert found.ci == (pytest.approx(2 - 2.1692 * np.sqrt(10 / 3), abs=1e-3), pytest.approx(5.9605, abs=1e-3))


def test_sets_that_agree_have_the_normal_interval():
    found = pooled([0.5] * 11, [0.1] * 11)
    assert found.df == np.inf and found.ci == (pytest.approx(0.5 - 0.196, abs=1e-4), pytest.approx(0.696, abs=1e-4))
    for wrong in (([1.0], [1.0]), ([1, 2], [1]), ([1, 2], [1, -1])):
        with pytest.raises(ValueError, match="of two sets at least"):
            pooled(*wrong)


def test_what_is_known_stays_and_what_is_drawn_follows_the_known():
    whole = people()
    gaps = with_gaps(whole, {"bmi_kg_m2": 0.5, "female": 0.2}, 1)
    sets = imputed(whole, gaps, 5)
    lost = gaps.isna()
    assert 0.4 < lost["bmi_kg_m2"].mean() < 0.6 and not lost["age_years"].any()
    for drawn in sets:
        assert not drawn.isna().any().any() and set(drawn["female"]) == {0.0, 1.0}
        pd.testing.assert_frame_equal(drawn.mask(lost), gaps)
    one = sets[0].loc[lost["bmi_kg_m2"]]
    assert np.corrcoef(one["bmi_kg_m2"], one["age_years"])[0, 1] < -0.7  # the planted slope
    assert np.std(one["bmi_kg_m2"] - (40 - 0.2 * one["age_years"])) == pytest.approx(1, abs=0.2)  # and its spread
    assert not np.allclose(sets[0]["bmi_kg_m2"], sets[1]["bmi_kg_m2"])
    again = imputed(whole, gaps, 5)
    assert all(a.equals(b) for a, b in zip(sets, again, strict=True))


def test_a_new_person_is_imputed_from_training_alone():
    train = people()
    new = with_gaps(people(50, 1), {"bmi_kg_m2": 0.5}, 2)
    alone = imputed(train, new, 2)
    other = new.copy()
    other.iloc[25:] = people(25, 9).where(new.iloc[25:].notna().to_numpy()).to_numpy()  # other people
    beside = imputed(train, other, 2)
    for a, b in zip(alone, beside, strict=True):
        pd.testing.assert_frame_equal(a.iloc[:25], b.iloc[:25])


def test_a_column_that_nobody_has_is_named():
    train = people().assign(bmi_kg_m2=np.nan)
    with pytest.raises(ValueError, match="bmi_kg_m2 of everybody in training is missing"):
        imputed(train, people(), 1)


def test_a_person_is_one_row_of_the_table():
    rows = pd.DataFrame({"subject_id": ["a", "a", "b"], "age_years": [70, 70, 60.0], "bmi_kg_m2": [24, 24, np.nan],
                         "sex": ["F", "F", None]})  # fmt: skip
    table = covariate_table(rows)
    assert table.index.tolist() == ["a", "b"] and table.loc["a", "female"] == 1 and table.loc["b"].isna().sum() == 2
    with pytest.raises(ValueError, match="of a differ between rows"):
        covariate_table(rows.assign(age_years=[70, 71, 60.0]))
