import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osteolib.stats.audit.expression import MAX_LENGTH, compare, did_you_mean, evaluate
from osteolib.stats.audit.printed import printed

SENS, SPEC = printed("0.862"), printed("0.765")  # 0.8615 to 0.863 and 0.7645 to 0.766, one digit cut off included


def test_the_range_of_an_expression_by_hand():
    assert evaluate("(sens + spec) / 2", {"sens": SENS, "spec": SPEC}) == (0.813, 0.8145)
    assert evaluate("sens - spec", {"sens": SENS, "spec": SPEC}) == (0.0955, 0.0985)
    assert evaluate("18 + women", {"women": printed("1,301")}) == (1319, 1319)  # counts are exact
    assert evaluate("a * b", {"a": (-2, 3), "b": (-5, 7)}) == (-15, 21)
    assert evaluate("a ** 2", {"a": (-2, 3)}) == (0, 9)
    assert evaluate("a ** 3 - a0", {"a": (-2, 3), "a0": 1}) == (-9, 26)
    assert evaluate("-min(a, 1) + max(a, 2)", {"a": (0, 0)}) == (2, 2)
    assert evaluate("mean(a, b, 6)", {"a": 1, "b": (2, 5)}) == (3, 4)
    assert evaluate("abs(a)", {"a": (-2, 1)}) == (0, 2)
    assert evaluate("ceil(372 / 7) + floor(a)", {"a": (1.5, 2.5)}) == (55, 56)


def test_decimals_are_exact_and_not_binary():
    assert evaluate("0.1 + 0.2 - 0.3", {}) == (0, 0)
    assert compare("a + b == c", {"a": Fraction(1, 10), "b": Fraction(2, 10), "c": Fraction(3, 10)})[0] is True


def test_functions_enclose_their_value_closely():
    for text, value in {
        "sqrt(2)": math.sqrt(2), "exp(1)": math.e, "log(10)": math.log(10), "normal_cdf(1.96)": 0.9750021048517795,
    }.items():  # fmt: skip
        low, high = evaluate(text, {})
        assert low <= value <= high
        assert high - low < 1e-11
    assert evaluate("sqrt(1 - r)", {"r": (0.99, 1.01)})[0] == 0  # only the part that has a root


EXPRESSIONS = {  # each name stands more than once, but for the first
    "sens * p + spec * (1 - q)": lambda sens, spec, p, q: sens * p + spec * (1 - q),
    "sens * p / (sens * p + (1 - spec) * (1 - p))": lambda sens, spec, p, q: (
        sens * p / (sens * p + (1 - spec) * (1 - p))
    ),
    "sqrt(p * (1 - p)) - q * (1 - q) ** 2": lambda sens, spec, p, q: math.sqrt(p * (1 - p)) - q * (1 - q) ** 2,
    "2 * sens * q / (sens + q) - normal_cdf(p - p ** 2)": lambda sens, spec, p, q: (
        2 * sens * q / (sens + q) - math.erfc(-(p - p**2) / math.sqrt(2)) / 2
    ),
}


@settings(deadline=None, max_examples=60)
@given(
    true=st.lists(st.fractions(Fraction(1, 20), Fraction(19, 20)), min_size=4, max_size=4),
    decimals=st.integers(1, 4),
    cut=st.booleans(),
    which=st.sampled_from(sorted(EXPRESSIONS)),
)
def test_the_true_value_is_never_outside(true, decimals, cut, which):
    unit = 10**decimals
    shown = [Fraction(math.floor(x * unit) if cut else math.floor(x * unit + Fraction(1, 2)), unit) for x in true]
    if any(not 0 < x < 1 for x in shown):
        return  # a denominator may be 0
    names = dict(zip(("sens", "spec", "p", "q"), shown, strict=True))
    values = {name: printed(f"{float(x):.{decimals}f}") for name, x in names.items()}
    value = EXPRESSIONS[which](*map(float, true))
    low, high = evaluate(which, values)
    assert low - 1e-12 <= value <= high + 1e-12


def test_a_name_that_stands_twice_does_not_widen_much():
    low, high = evaluate("p * (1 - p)", {"p": (0.2, 0.4)})  # true range: 0.16 to 0.24
    assert 0.158 < low <= 0.16
    assert 0.24 <= high < 0.242
    assert compare("p > p - 0.001", {"p": (0.2, 0.4)})[0] is True


@pytest.mark.parametrize(
    ("statement", "answer"),
    [
        ("new > old", None), ("new >= old - 1", True), ("new < old - 1", False), ("new <= old - 1", False),
        ("new == old", None), ("new == old + 1", False), ("1 == 1", True), ("2 > 2", False), ("2 >= 2", True),
        ("old < new + 1", True), ("2 <= 2", True),
    ],
)  # fmt: skip
def test_a_statement_holds_fails_or_is_left_open_by_the_digits(statement, answer):
    assert compare(statement, {"new": printed("0.83"), "old": printed("0.827")})[0] is answer


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("sens + spek", "'spek', which has no value; did you mean 'spec'"),
        ("__import__('os').system('ls')", "is not allowed"),
        ("sens.real", "is not allowed"),
        ("[sens for sens in (1,)]", "is not allowed"),
        ("True + 1", "is not allowed"),
        ("'a' * 3", "is not allowed"),
        ("sqrt(sens, spec)", "is not allowed"),
        ("1 / (sens - 0.862)", r"'sens - 0.862' may be 0"),
        ("sqrt(0 - sens)", "sqrt of"),
        ("log(0)", "log of 0"),
        ("exp(100000)", "exp of"),
        ("sens ** spec", "is not allowed"),
        ("sens ** 11", "whole powers up to 10"),
        ("sens ** -1", "is not allowed"),
        ("sens +", "cannot read the expression"),
        ("lambda: 1", "is not allowed"),
        ("1" * (MAX_LENGTH + 1), "at most 300 characters"),
        ("(" * 20 + "sens" + "**10)" * 20, "too many digits"),
        ("-" * 290 + "1 +", "cannot read"),
    ],
)
def test_everything_else_is_refused_with_the_remedy(expression, message):
    with pytest.raises(ValueError, match=message):
        evaluate(expression, {"sens": SENS, "spec": SPEC})


@pytest.mark.parametrize("statement", ["sens", "sens < spec < 1", "sens != spec", "sens in spec"])
def test_a_comparison_needs_one_relation(statement):
    with pytest.raises(ValueError, match="must compare two expressions"):
        compare(statement, {"sens": SENS, "spec": SPEC})


def test_the_closest_name_is_offered_or_all():
    assert did_you_mean("sensitivty", ["sensitivity", "specificity"]) == "did you mean 'sensitivity'?"
    assert did_you_mean("x", ["sensitivity", "ppv"]) == "known: sensitivity, ppv"
    assert did_you_mean("x", []) == "known: none"
