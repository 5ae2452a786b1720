import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2, t

from osteolib.stats import bland_altman
from osteolib.stats.agreement_clustered import bland_altman_clustered, by_person

PEOPLE = np.repeat(["a", "b", "c"], 2)
D = np.array([1.0, 3.0, 4.0, 6.0, 6.0, 10.0])


def planted(people, both, between, within, bias, seed):
    """Differences of people, the first ``both`` of them with two hips."""
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(people), np.where(np.arange(people) < both, 2, 1))
    return person, bias + rng.normal(0, between, people)[person] + rng.normal(0, within, person.size)


def test_hand_computed_case():
    """Person means 2, 5, 8, squares within 2 + 2 + 8 of 3 degrees: v = 9, s_w^2 = 4, variance 9 + 4 / 2 = 11."""
    found = bland_altman_clustered(np.zeros(6), D, PEOPLE)
    assert (found.n, found.n_subjects, found.bias) == (6, 3, 5)
    assert (found.sd_within**2, found.sd_between**2, found.sd**2) == pytest.approx((4, 7, 11))
    assert found.shared == pytest.approx(7 / 11)
    assert (found.loa_low, found.loa_high) == pytest.approx((5 - 1.959964 * 11**0.5, 5 + 1.959964 * 11**0.5))
    assert found.bias_ci == pytest.approx((5 - t.ppf(0.975, 2) * 3**0.5, 5 + t.ppf(0.975, 2) * 3**0.5))
    upper = 11 + np.hypot(9 * (1 - 2 / chi2.ppf(0.025, 2)), 2 * (1 - 3 / chi2.ppf(0.025, 3)))
    assert found.sd_ci[1] == pytest.approx(upper**0.5)
    wide = np.hypot(t.ppf(0.975, 2) * 3**0.5, 1.959964 * (upper**0.5 - 11**0.5))
    assert found.loa_high_ci[1] == pytest.approx(found.loa_high + wide)


def test_of_equal_sizes_the_parts_are_those_of_one_way_analysis_of_variance():
    """statsmodels' table: the within part is its residual mean square, the between part (MSB - MSW) / 2."""
    from statsmodels.formula.api import ols
    from statsmodels.stats.anova import anova_lm

    person, d = planted(40, 40, 0.4, 0.3, 0.1, seed=0)
    ms = anova_lm(ols("d ~ C(person)", pd.DataFrame({"d": d, "person": person})).fit())["mean_sq"]
    found = bland_altman_clustered(np.zeros(80), d, person)
    assert found.sd_within**2 == pytest.approx(ms["Residual"])
    assert found.sd_between**2 == pytest.approx((ms["C(person)"] - ms["Residual"]) / 2)


def test_and_those_of_a_mixed_model():
    """Balanced data: restricted maximum likelihood and analysis of variance agree (statsmodels)."""
    from statsmodels.regression.mixed_linear_model import MixedLM

    person, d = planted(60, 60, 0.4, 0.3, 0.1, seed=1)
    fitted = MixedLM(d, np.ones((d.size, 1)), person).fit()
    found = bland_altman_clustered(np.zeros(d.size), d, person)
    assert found.sd_between**2 == pytest.approx(float(np.squeeze(fitted.cov_re)), rel=1e-3)
    assert found.sd_within**2 == pytest.approx(fitted.scale, rel=1e-3)
    assert found.bias == pytest.approx(float(fitted.fe_params[0]), abs=1e-6)


def test_intervals_cover_what_was_planted_and_those_of_independent_hips_do_not():
    """300 people as in the paper's test set in small: 60 people, 40 with both hips. Bias 0.2, SD 0.5, mostly shared."""
    truth = {"bias_ci": 0.2, "sd_ci": 0.5, "loa_low_ci": 0.2 - 1.96 * 0.5, "loa_high_ci": 0.2 + 1.96 * 0.5}
    hits, naive = dict.fromkeys(truth, 0), 0
    for seed in range(600):
        person, d = planted(60, 40, 0.4, 0.3, 0.2, seed)
        found = bland_altman_clustered(np.zeros(d.size), d, person)
        for name, value in truth.items():
            low, high = getattr(found, name)
            hits[name] += low <= value <= high
        low, high = bland_altman(np.zeros(d.size), d).bias_ci
        naive += low <= 0.2 <= high
    assert all(0.915 <= count / 600 <= 0.985 for count in hits.values()), hits
    assert naive / 600 < 0.91


def test_with_independent_hips_nothing_is_shared_and_limits_are_the_plain_ones():
    person, d = planted(3000, 3000, 0, 0.5, 0, seed=3)
    found, plain = bland_altman_clustered(np.zeros(6000), d, person), bland_altman(np.zeros(6000), d)
    assert found.shared < 0.05
    assert found.loa_high == pytest.approx(plain.loa_high, abs=0.01)


def test_a_between_part_cannot_be_negative():
    found = bland_altman_clustered(np.zeros(6), np.tile([-1.0, 1.0], 3), PEOPLE)  # all person means are 0
    assert (found.sd_between, found.shared, found.sd) == (0, 0, pytest.approx(1))


@given(st.integers(0, 10_000), st.floats(-5, 5))
@settings(deadline=None, max_examples=30)
def test_order_does_not_matter_and_a_shift_moves_the_bias_alone(seed, shift):
    rng = np.random.default_rng(seed)
    person, d = planted(12, 7, 0.4, 0.3, 0, seed)
    order, x = rng.permutation(d.size), rng.normal(size=d.size)
    before = bland_altman_clustered(x, x + d, person)
    after = bland_altman_clustered(x[order], (x + d + shift)[order], person[order])
    assert after.bias == pytest.approx(before.bias + shift)
    assert after.sd == pytest.approx(before.sd)
    assert after.loa_low_ci == pytest.approx(np.add(before.loa_low_ci, shift))
    frame = before.to_frame()
    assert frame.loc["loa_low"].tolist() == [before.loa_low, *before.loa_low_ci]


def test_by_person_the_mean_or_the_lowest():
    """The lowest of either side may come from different hips, as a diagnosis takes them."""
    x, y = [-1.0, -2.0, -3.0], [-1.5, -1.0, -2.0]
    assert by_person(x, y, ["b", "b", "a"]).loc["b"].tolist() == [-1.5, -1.25]
    lowest = by_person(x, y, ["b", "b", "a"], "lowest")
    assert lowest.index.tolist() == ["b", "a"]
    assert lowest.loc["b"].tolist() == [-2.0, -1.5]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: bland_altman_clustered([0, 0, 0, 0], [1, 2, 3, 4], list("aabb")), "at least 3 people, got 2"),
        (lambda: bland_altman_clustered([0, 0, 0], [1, 2, 3], list("abc")), "nobody has two pairs.*use bland_altman"),
        (lambda: bland_altman_clustered([0, 0, 0], [1, 2, 3], list("ab")), "3 units, but 2 groups"),
        (lambda: bland_altman_clustered([0, np.nan], [1, 2], list("ab")), r"reference .* positions \[1\]"),
        (lambda: bland_altman_clustered([0, 1], [1, 2, 3], list("ab")), "lengths differ"),
        (lambda: bland_altman_clustered([0, 1], [1, 2], list("ab"), 95), "strictly between 0 and 1"),
        (lambda: by_person([0], [1], ["a"], "median"), "how must be one of mean, lowest, got 'median'"),
        (lambda: by_person([0, 1], [1, 2], ["a", None]), r"no subject for 1 units, at positions \[1\]"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
