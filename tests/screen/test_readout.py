import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from osteolib.screen.readout import read_out, what_bones_tell

N = 240
TRAIN = np.arange(N) < 160


def test_a_linear_target_is_read_and_noise_is_not():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(N, 5))
    linear = read_out(x, 3 * x[:, 0] - x[:, 1] + 7, TRAIN, ~TRAIN)
    assert linear == pytest.approx((3 * x[:, 0] - x[:, 1] + 7)[~TRAIN], abs=0.1)
    noise = read_out(x, rng.normal(size=N), TRAIN, ~TRAIN)
    assert noise.std() < 0.4


def test_a_binary_target_gives_the_probability_of_scikit_learn_and_text_a_word():
    x = np.random.default_rng(0).normal(size=(N, 3))
    y = (x[:, 0] > 0).astype(int)
    scaler = StandardScaler().fit(x[TRAIN])
    by_hand = LogisticRegression(C=0.01).fit(scaler.transform(x[TRAIN]), y[TRAIN])
    assert read_out(x, y, TRAIN, ~TRAIN) == pytest.approx(by_hand.predict_proba(scaler.transform(x[~TRAIN]))[:, 1])
    words = read_out(x, np.where(y == 1, "up", "down"), TRAIN, ~TRAIN)
    assert (words == np.where(read_out(x, y, TRAIN, ~TRAIN) > 0.5, "up", "down")).all()


def test_features_that_hold_the_answers_tell_all_three_and_noise_tells_none():
    person = np.repeat(np.arange(80), 2)
    bones = pd.DataFrame(
        {"subject_id": person, "bone": np.tile(["M1", "M2"], 80), "sex": np.where(person % 2, "F", "M"),
         "cortical_percentage": np.random.default_rng(0).normal(size=80)[person]}
    )  # fmt: skip
    answers = np.column_stack([bones["bone"].eq("M2"), bones["sex"].eq("F"), bones["cortical_percentage"]]).astype(
        float
    )
    told = what_bones_tell(answers, bones, person >= 50)
    assert told["which bone"] == told["sex"] == 1 and told["cortex of M2"] > 0.99
    told = what_bones_tell(np.random.default_rng(1).normal(size=(160, 3)), bones, person >= 50)
    assert 0.3 < told["which bone"] < 0.7 and 0.2 < told["sex"] < 0.8 and abs(told["cortex of M2"]) < 0.5
