import numpy as np
import pytest

from osteolib.phantoms.knee.best_t_score import best_t_score, known_of
from osteolib.phantoms.knee.people import LATENTS, simulate
from osteolib.phantoms.settings import phantom_settings

NEW = {part: simulate(phantom_settings("knee-phantom"), 20_000, part, seed=9) for part in "AB"}


def error(part: str, predicted: np.ndarray) -> float:
    return float(np.mean((NEW[part]["t_score"] - predicted) ** 2))


@pytest.mark.parametrize("part", ["A", "B"])
def test_on_new_people_no_line_through_one_thing_known_comes_near_it(part):
    people = NEW[part]
    best = error(part, best_t_score(part, 20_000).predict(known_of(people)))
    for column in known_of(people):
        line = np.polyfit(known_of(people)[column], people["t_score"], 1)
        assert best < error(part, np.polyval(line, known_of(people)[column]))


def test_what_it_leaves_over_cannot_be_predicted_from_anything_known():
    """The errors of a best prediction are uncorrelated with everything that it is made from."""
    known = known_of(NEW["A"])
    left = NEW["A"]["t_score"] - best_t_score("A").predict(known)
    assert known.corrwith(left).abs().max() < 0.02
    assert list(known) == [*LATENTS, "age_years", "bmi_kg_m2", "female"]


def test_where_the_label_is_measured_with_more_error_less_is_attainable():
    r = {part: np.corrcoef(best_t_score(part, 20_000).predict(known_of(people)), people["t_score"])[0, 1]
         for part, people in NEW.items()}  # fmt: skip
    assert r["B"] < r["A"]
