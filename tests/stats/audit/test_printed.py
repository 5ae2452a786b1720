from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osteolib.stats.audit import ROUNDINGS, Printed, printed

MODES = {"half-up": ROUND_HALF_UP, "half-even": ROUND_HALF_EVEN, "truncation": ROUND_DOWN}


@pytest.mark.parametrize(
    ("text", "value", "decimals"),
    [
        ("0.90", Fraction(9, 10), 2),
        (".904", Fraction(904, 1000), 3),
        ("97.2 %", Fraction(972, 1000), 3),
        ("97%", Fraction(97, 100), 2),
        ("1,301", Fraction(1301), 0),
        ("−0.5", Fraction(-1, 2), 1),
        (" -12.50 ", Fraction(-25, 2), 2),
    ],
)
def test_a_text_is_read_with_its_decimals(text, value, decimals):
    assert printed(text) == Printed(text, value, decimals)


@pytest.mark.parametrize(
    "text", ["<0.001", "0,90", "0.9 ± 0.1", "0.8-0.9", "1,30", "", ".", "%", "nan", "1e-3", "1.2.3"]
)
def test_what_is_not_one_number_is_refused_with_the_remedy(text):
    with pytest.raises(ValueError, match="write digits with a decimal point"):
        printed(text)


def test_a_number_without_quotes_is_refused():
    with pytest.raises(ValueError, match=r"0\.9 is not a printed text: put it in quotes"):
        printed(0.9)


def test_bounds_by_hand():
    assert printed("0.90").interval(["half-up"]) == (0.895, 0.905)
    assert printed("0.90").interval() == (0.895, 0.91)
    assert printed("0.90").interval(["truncation"]) == (0.90, 0.91)
    assert printed("−0.5").bounds() == (Fraction(-6, 10), Fraction(-45, 100))
    assert printed("0.0").bounds() == (Fraction(-1, 10), Fraction(1, 10))
    assert printed("586").bounds() == (586, 586)  # a count is exact
    with pytest.raises(ValueError, match="half-up, half-even, truncation"):
        printed("0.9").bounds(["nearest"])


@given(
    st.decimals(-50, 50, places=8, allow_nan=False),
    st.integers(1, 5),
    st.sampled_from(ROUNDINGS),
)
@settings(deadline=None, max_examples=200)
def test_what_the_decimal_module_rounds_is_allowed_and_lies_within_one_unit(x, decimals, rounding):
    shown = printed(str(x.quantize(Decimal(1).scaleb(-decimals), MODES[rounding])))
    assert shown.allows(Fraction(x), [rounding])
    assert shown.allows(float(x), [rounding])
    unit = Fraction(1, 10**decimals)
    outside = [shown.value + unit * Fraction(101, 100), shown.value - unit * Fraction(101, 100)]
    assert not any(shown.allows(y) or shown.allows(float(y)) for y in outside)


@given(st.integers(1, 3000), st.integers(1, 5), st.data())
@settings(deadline=None, max_examples=100)
def test_a_share_computed_with_floats_is_judged_as_the_exact_share(n, decimals, data):
    """Each share of n that is near a bound: the verdict on the float is the verdict on the fraction."""
    k = data.draw(st.integers(0, n))
    shown = printed(f"{k / n:.{decimals}f}")
    near = np.arange(max(0, k - n // 5), min(n, k + n // 5) + 1)
    exact = [shown.allows(Fraction(int(j), n)) for j in near]
    assert shown.allows(near / n).tolist() == exact
    assert shown.allows(1 - (n - near) / n).tolist() == exact
    assert shown.allows(k / n)


def test_what_a_computer_cuts_is_allowed():
    assert int(100 * 0.29) == 28
    assert printed("28 %").allows(0.29) and printed("28 %").allows(Fraction(29, 100))


def test_nothing_allows_nan():
    assert not printed("0.9").allows(float("nan"))
    assert printed("0.9").allows(np.array([np.nan, 0.9])).tolist() == [False, True]
