import numpy as np
import pytest

from osteolib.screen.same_person import person_in_features

PERSON, BONE = np.repeat(np.arange(400), 5), np.tile(np.arange(5), 400)


@pytest.mark.parametrize("rho", [0.0, 0.3, 0.8])
def test_planted_variance_and_directions_are_found(rho):
    """Equal variance in 12 directions: of n people's means the ratio is 12 / (1 + 12 / n)."""
    rng = np.random.default_rng(0)
    u = rng.normal(size=(400, 12))
    x = np.sqrt(rho) * u[PERSON] + np.sqrt(1 - rho) * rng.normal(size=(2000, 12))
    x += BONE[:, None]  # the mean of a kind of bone is nobody's trait
    found, directions = person_in_features(x, PERSON, BONE)
    assert found == pytest.approx(rho, abs=0.03)
    assert directions == pytest.approx(12 / (1 + 12 / 400), rel=0.02)


def test_people_who_differ_in_one_way_alone_span_one_direction():
    rng = np.random.default_rng(1)
    trait = rng.normal(size=400)[PERSON]
    x = np.outer(trait, [1.0, -2.0, 0.5, 3.0])
    found, directions = person_in_features(x, PERSON, BONE)
    assert found == pytest.approx(1) and directions == pytest.approx(1)


def test_a_constant_feature_does_no_harm_and_names_serve_as_well_as_numbers():
    rng = np.random.default_rng(2)
    x = rng.normal(size=(2000, 3))
    x[:, 1] = 5
    names = np.array([f"p{k}" for k in PERSON])
    assert person_in_features(x, names, BONE) == pytest.approx(person_in_features(x, PERSON, BONE))
