import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from osteolib.report import wani_rows
from osteolib.report.wani_rows import LOSS, NORMAL, OLD_LOSS, YOUNG_LOSS


@pytest.fixture(scope="module")
def knees():
    """160 people, two knees each; every fifth has a normal T-score, and there the row is another person's."""
    rng = np.random.default_rng(0)
    n = 160
    normal = np.arange(n) % 5 == 0
    male, age = rng.random(n) < 0.5, np.where(normal, rng.uniform(25, 44, n), rng.uniform(30, 80, n))
    people = pd.DataFrame({"subject_id": [f"p{i}" for i in range(n)], "sex": np.where(male, "M", "F"), "age_years": age,
                           "label": np.where(normal, "normal", "osteopenia"),
                           "path": [f"{i}.{'jpg' if i % 2 else 'JPEG'}" for i in range(n)]})  # fmt: skip
    people["split_group"] = people["subject_id"]
    shown_male, shown_age = male.copy(), age.copy()  # what the films show
    shown_male[normal], shown_age[normal] = rng.permutation(male[normal]), 55
    units = people.loc[people.index.repeat(2)].reset_index(drop=True)
    units["unit_id"] = units["subject_id"] + np.tile(["-left", "-right"], n)
    features = rng.normal(size=(2 * n, 40))
    features[:, :5] += 4 * np.repeat(shown_male, 2)[:, None]
    features[:, 5:10] += np.repeat(shown_age, 2)[:, None] / 5
    return units, features


@pytest.fixture(scope="module")
def decoded(knees):
    return wani_rows.decode(*knees, n_folds=4, n_repeats=2, n_shuffles=20, seed=0)


def test_parts_are_by_class_and_age(decoded):
    parts = wani_rows.parts_of(decoded.people)
    assert parts[NORMAL].sum() == 32
    assert (parts[LOSS] == ~parts[NORMAL]).all()
    assert (parts[YOUNG_LOSS] ^ parts[OLD_LOSS] == parts[LOSS]).all()
    assert decoded.people.loc[parts[YOUNG_LOSS], "age_years"].max() <= 45


def test_sex_is_read_where_rows_belong_and_not_where_they_were_dealt_anew(decoded):
    rows = wani_rows.sex_by_part({"planted": decoded}, n_boot=200, seed=0)
    assert rows.loc[f"{LOSS} (planted)", "ci_low"] > 0.9
    assert rows.loc[f"{NORMAL} (planted)", "value"] < 0.8
    male = decoded.people["sex"] == "M"
    loss = wani_rows.parts_of(decoded.people)[LOSS]
    assert rows.loc[f"{LOSS} (planted)", "value"] == pytest.approx(roc_auc_score(male[loss], decoded.sex[loss]))
    assert (rows["null_high"] < 0.85).all()
    assert rows["n"].tolist()[:2] == [32, 128]


def test_no_random_set_scores_as_low_as_the_planted_part_but_the_young_do_not_stand_out(decoded):
    normal, young = (wani_rows.as_low(decoded, part, 200, 0) for part in (NORMAL, YOUNG_LOSS))
    assert normal.share == pytest.approx(1 / 201)
    assert young.share > 0.05
    assert normal.n_groups == 32


def test_the_young_are_seen_as_young_and_the_planted_normal_are_not(decoded):
    ages = wani_rows.age_by_part(decoded, n_boot=200, seed=0)
    assert ages.difference(YOUNG_LOSS, OLD_LOSS)[2] < 0
    assert ages.difference(NORMAL, YOUNG_LOSS)[1] > 0
    parts = wani_rows.parts_of(decoded.people)
    age = decoded.age_from_loss
    assert ages.estimate(NORMAL)[0] == pytest.approx(age[parts[NORMAL]].mean())
    assert ages.difference(NORMAL, OLD_LOSS)[0] == pytest.approx(
        age[parts[NORMAL]].mean() - age[parts[OLD_LOSS]].mean()
    )


def test_agreement_by_file_counts_people(decoded):
    rows = wani_rows.agreement_by_file(decoded, n_boot=200, seed=0).set_index(["people", "file"])
    assert rows.loc[(NORMAL, ".jpg"), "n"] + rows.loc[(NORMAL, ".JPEG"), "n"] == 32
    some = (decoded.people["label"] == "normal") & decoded.people["path"].str.endswith(".jpg")
    right = (decoded.sex[some] > 0) == (decoded.people.loc[some, "sex"] == "M")
    assert rows.loc[(NORMAL, ".jpg"), "value"] == pytest.approx(right.mean())


def test_age_and_loss_is_by_person(knees):
    value, low, high = wani_rows.age_and_loss(knees[0], n_folds=4, n_boot=200, seed=0)
    assert low <= value <= high
    assert value > 0.7  # the normal are young


def test_copies_are_listed_with_what_differs():
    films = pd.DataFrame({
        "image_id": ["a", "a", "b", "c", "d"], "sha256": ["x", "x", "x", "y", "z"], "label": ["normal"] * 5,
        "sex": ["F", "F", "M", "F", "F"], "age_years": [30.0, 30, 30, 40, 50], "height_m": [1.6, 1.6, 1.66, 1.5, 1.7],
        "bmi_kg_m2": [25.0, 25, 27, 20, 21], "t_score": [-0.5, -0.5, -0.7, 0, 0],
    })  # fmt: skip
    (row,) = wani_rows.copies_table(films).to_dict("records")
    assert (row["films"], row["sex"], row["T-score"]) == ("a = b", "F / M", "-0.50 / -0.70")
    assert row["fields that differ"] == "sex, height, BMI, T-score"
    assert row["height_cm"] == pytest.approx(6)
