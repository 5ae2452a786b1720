"""Printed p-values: each branch against scipy on data, the honest never accused, and hand-made errors."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from osteolib.stats.audit import printed
from osteolib.stats.audit.p_values import p_of_means, p_of_table


def groups(seed, n=None):
    rng = np.random.default_rng(seed)
    n_a, n_b = n or rng.integers(5, 80, 2)
    return rng.normal(60, 9, n_a), rng.normal(60 + rng.normal(0, 4), rng.uniform(4, 15), n_b)


def asked(a, b, p, decimals=1, error=False, **more):
    spread = [x.std(ddof=1) / (np.sqrt(x.size) if error else 1) for x in (a, b)]
    ends = [printed(f"{x:.{decimals}f}") for x in (a.mean(), spread[0], b.mean(), spread[1])]
    return p_of_means(p, ends[0], ends[1], a.size, ends[2], ends[3], b.size, **more)


TESTS = {
    "Student, SD, two tails": lambda a, b: stats.ttest_ind(a, b).pvalue,
    "Welch, SD, two tails": lambda a, b: stats.ttest_ind(a, b, equal_var=False).pvalue,
    "Student, SD, one tail": lambda a, b: min(
        stats.ttest_ind(a, b, alternative=side).pvalue for side in ("less", "greater")
    ),
    "normal, SD, two tails": lambda a, b: (
        2 * stats.norm.sf(abs(a.mean() - b.mean()) / np.sqrt(a.var(ddof=1) / a.size + b.var(ddof=1) / b.size))
    ),
}


@given(st.integers(0, 2**32 - 1), st.sampled_from(list(TESTS)), st.booleans(), st.integers(0, 2), st.integers(2, 4))
@settings(deadline=None, max_examples=40)
def test_the_honest_p_of_a_branch_is_reproduced_by_it(seed, way, error, decimals, digits):
    a, b = groups(seed)
    p = float(TESTS[way](a, b))
    if decimals == 0 and min(a.std(), b.std()) / 9 < 0.5:
        return
    shown = printed(f"{p:.{digits}f}")
    spread = max(decimals, 1)  # whole numbers would count as exact
    found = asked(a, b, shown, spread, error)
    branch = way.replace("SD", "standard error") if error else way
    assert found.verdict == "consistent" and branch in found.computed["reproduced_by"]
    low, high = np.broadcast_to(found.computed["p"][branch], 2)
    assert low - 1e-9 <= p <= high + 1e-9


@pytest.mark.parametrize("seed", range(6))
def test_exact_numbers_give_each_branch_its_own_p(seed):
    """With twelve digits the range is a point: that of scipy from the same means and SDs."""
    a, b = groups(seed)
    found = asked(a, b, printed("0.50"), 9).computed["p"]
    for way, test in TESTS.items():
        assert np.mean(found[way]) == pytest.approx(float(test(a, b)), rel=1e-5)


@given(st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=30)
def test_the_range_holds_every_p_that_rounding_allows(seed):
    rng = np.random.default_rng(seed)
    a, b = groups(seed)
    found = asked(a, b, printed("0.50"), 0 + 1).computed["p"]
    means, sds = [round(x.mean(), 1) for x in (a, b)], [round(x.std(ddof=1), 1) for x in (a, b)]
    for _ in range(20):
        m, s = means + rng.uniform(-0.05, 0.05, 2), np.maximum(sds + rng.uniform(-0.05, 0.05, 2), 0)
        for name, equal in (("Student", True), ("Welch", False)):
            p = stats.ttest_ind_from_stats(m[0], s[0], a.size, m[1], s[1], b.size, equal_var=equal).pvalue
            low, high = np.broadcast_to(found[f"{name}, SD, two tails"], 2)
            assert low * (1 - 1e-9) <= p <= high * (1 + 1e-9)


def test_a_p_that_no_test_gives_is_inconsistent_and_a_bound_is_kept_or_not():
    a, b = groups(3, (40, 40))
    b = b - b.mean() + a.mean() + 6
    assert asked(a, b, printed("0.84")).verdict == "inconsistent"
    assert asked(a, b, printed("0.05"), relation="<").verdict == "consistent"
    assert asked(a, b, printed("0.9"), relation=">").verdict == "inconsistent"
    p = printed(f"{asked(a, b, printed('0.5')).computed['p']['Welch, standard error, one tail'][0]:.3f}")
    assert asked(a, b, p).verdict == "consistent" and asked(a, b, p, stated=["SD"]).verdict == "inconsistent"
    assert asked(a, b, p, stated=["Welch", "one tail"]).computed["tried"] == 2
    with pytest.raises(ValueError, match="stated: no way has all of these choices"):
        asked(a, b, p, stated=["SD", "standard error"])
    same = asked(a, a, printed("0.001"), relation="<")
    assert same.verdict == "inconsistent" and same.computed["reproduced_by"] == []
    assert asked(a, a, printed("1.00")).verdict == "consistent"


@pytest.mark.parametrize("table", [[[12, 18], [21, 9]], [[3, 9], [8, 2]], [[0, 7], [5, 6]]])
def test_tables_of_counts(table):
    of = stats.chi2_contingency
    ways = {
        "Pearson": of(table, correction=False).pvalue,
        "Yates": of(table).pvalue,
        "Fisher, two tails": stats.fisher_exact(table).pvalue,
        "likelihood ratio": of(table, correction=False, lambda_=0).pvalue,
    }
    for way, p in ways.items():
        found = p_of_table(printed(f"{p:.3f}"), table)
        assert found.verdict == "consistent" and way in found.computed["reproduced_by"]
        assert found.computed["p"][way] == pytest.approx(p)
    assert p_of_table(printed("0.9999"), table).verdict == "inconsistent"
    larger = p_of_table(printed("0.05"), [[12, 18, 4], [21, 9, 9]], "<")
    assert larger.computed["tried"] == 2


def test_the_worked_example_of_fisher():
    """The lady tasting tea: 3 of 4 right is p = 17 / 70 with one tail (Fisher, The Design of Experiments, 1935)."""
    found = p_of_table(printed("0.243"), [[3, 1], [1, 3]])
    assert "Fisher, one tail" in found.computed["reproduced_by"]
    assert found.computed["p"]["Fisher, one tail"] == pytest.approx(float(Fraction(17, 70)))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: p_of_table(printed("0.04"), [[1, 2]]), "table: write rows of counts"),
        (lambda: p_of_table(printed("0.04"), [[1, 2], [3]]), "table: write rows of counts"),
        (lambda: p_of_table(printed("0.04"), [[1, 2.5], [3, 4]]), "table: write rows of counts"),
        (lambda: p_of_table(printed("0.04"), [[0, 0], [3, 4]]), "none of them all 0"),
        (lambda: p_of_table(printed("1.30"), [[1, 2], [3, 4]]), r"p = 1\.30 is no p-value"),
        (lambda: p_of_table(printed("1"), [[1, 2], [3, 4]]), "write it with its decimals"),
        (lambda: p_of_means(*[printed("0.5")] * 3, 1, *[printed("0.5")] * 2, 5), "n_a must be at least 2"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
