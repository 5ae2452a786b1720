import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from osteolib.screen.readout import read_out

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
