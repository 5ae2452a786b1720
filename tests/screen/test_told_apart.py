import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from osteolib.screen.told_apart import best_single, by_group, told_apart


def films(n: int, shift: float, seed: int) -> pd.DataFrame:
    """Three measures: one that is shifted, one that is not, and one that shares most of its noise with the first."""
    rng = np.random.default_rng(seed)
    first, noise = rng.normal(size=n), rng.normal(size=n)
    return pd.DataFrame({"a": first + shift, "b": rng.normal(size=n), "c": first + 0.1 * noise})


def test_two_halves_of_one_population_are_not_told_apart():
    found = told_apart(films(300, 0, 1), films(300, 0, 2), 200, 0)
    assert found.ci["auroc"][0] < 0.5 < found.ci["auroc"][1] + 0.02


def test_a_shift_of_one_sd_gives_the_auroc_of_two_normals():
    real, phantom = (films(2000, shift, k)[["a"]] for k, shift in enumerate((0, 1)))
    assert told_apart(real, phantom, 100, 0).estimate["auroc"] == pytest.approx(norm.cdf(np.sqrt(0.5)), abs=0.02)


def test_measures_that_each_pass_may_fail_together():
    """a - c is all shift and next to no noise, though each of them hardly differs."""
    real, phantom = films(400, 0, 0), films(400, 0.5, 1)
    name, alone = best_single(real, phantom)
    assert name == "a"
    assert alone < 0.7
    assert told_apart(real, phantom, 100, 0).estimate["auroc"] > 0.95
    groups = by_group(real, phantom, {"pair": ["a", "c"], "other": ["b"]}, 0).set_index("measures")
    assert groups.loc["pair", "AUROC alone"] > 0.95 > 0.6 > groups.loc["pair", "AUROC without them"]
    assert groups.loc["other", "AUROC without them"] == groups.loc["pair", "AUROC alone"]  # the same columns


def test_a_measure_that_is_lower_in_phantoms_counts_in_its_own_direction():
    real, phantom = films(500, 0, 0), films(500, -2, 1)
    assert best_single(real, phantom)[1] == pytest.approx(norm.cdf(np.sqrt(2)), abs=0.03)
