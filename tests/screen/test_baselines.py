import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from osteolib.screen import out_of_fold

RNG = np.random.default_rng(0)
AGE = RNG.normal(55, 12, 90)
FEATURES = pd.DataFrame({"age_years": AGE, "sex": np.where(RNG.random(90) < 0.5, "F", "M")})
FOLDS = np.arange(90) % 5
LOSS = (AGE + RNG.normal(0, 8, 90) > 50).astype(int)


def test_one_fold_by_hand():
    train, test = FOLDS != 2, FOLDS == 2
    mean, sd = AGE[train].mean(), AGE[train].std()
    model = LogisticRegression(max_iter=1000).fit(((AGE[train] - mean) / sd)[:, None], LOSS[train])
    expected = model.predict_proba(((AGE[test] - mean) / sd)[:, None])[:, 1]
    assert out_of_fold(FEATURES[["age_years"]], LOSS, FOLDS)[test] == pytest.approx(expected)


def test_a_row_s_own_fold_has_no_say_in_its_score():
    """Turning over every label of fold 1 leaves its own scores alone and moves all others."""
    before = out_of_fold(FEATURES, LOSS, FOLDS)
    turned = np.where(FOLDS == 1, 1 - LOSS, LOSS)
    after = out_of_fold(FEATURES, turned, FOLDS)
    assert after[FOLDS == 1] == pytest.approx(before[FOLDS == 1])
    assert not np.allclose(after[FOLDS != 1], before[FOLDS != 1])


def test_missing_values_take_the_training_median():
    holes = FEATURES[["age_years"]].copy()
    holes.loc[7, "age_years"] = np.nan
    filled = holes.copy()
    filled.loc[7, "age_years"] = np.nanmedian(holes["age_years"][FOLDS[7] != FOLDS])
    score = out_of_fold(holes, LOSS, FOLDS)
    assert score[7] == pytest.approx(out_of_fold(filled, LOSS, FOLDS)[7])


def test_least_squares_for_a_continuous_target_recovers_a_planted_line():
    t_score = 2 - 0.07 * AGE
    assert out_of_fold(FEATURES[["age_years"]], t_score, FOLDS) == pytest.approx(t_score)


def test_a_planted_signal_is_found_and_noise_is_not():
    score = out_of_fold(FEATURES[["age_years"]], LOSS, FOLDS)
    assert roc_auc_score(LOSS, score) == pytest.approx(roc_auc_score(LOSS, AGE), abs=0.03)
    noise = pd.DataFrame({"noise": np.random.default_rng(1).normal(size=90)})
    assert roc_auc_score(LOSS, out_of_fold(noise, LOSS, FOLDS)) < 0.65


def test_a_feature_that_nobody_has_is_named():
    with pytest.raises(ValueError, match=r"\['bmi_kg_m2'\] are missing in every row"):
        out_of_fold(FEATURES.assign(bmi_kg_m2=np.nan), LOSS, FOLDS)


@pytest.mark.parametrize(
    ("target", "folds", "message"),
    [
        (LOSS[:-1], FOLDS, "differ in length: 90, 89, 90"),
        (np.where(np.arange(90) == 3, np.nan, LOSS), FOLDS, "missing in 1 rows"),
        ((FOLDS == 0).astype(int), FOLDS, "fold 0 have one class"),
    ],
)
def test_bad_input_is_named(target, folds, message):
    with pytest.raises(ValueError, match=message):
        out_of_fold(FEATURES, target, folds)
