"""Which findings may accuse, what they take for granted, and which other ways of writing numbers they name."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osteolib.stats.audit import checks, exchange, printed
from osteolib.stats.audit.audit_file import load_audit, report, run_audit
from osteolib.stats.audit.checks import CHECKS
from osteolib.stats.audit.kinds import ASSUMES, KINDS, MODELS, assumptions, kind_of
from osteolib.stats.audit.other_ways import WHOLE, WORDS, ways_that_fit
from osteolib.stats.audit.printed import CHOICES, ROUNDINGS

UP, TWICE = (WORDS[way] for way in CHOICES)


def finding(tmp_path, check, arguments, more=""):
    lead = f"  - id: F\n    source: T\n    claim: c\n    check: {check}\n    with: {arguments}\n{more}"
    text = f"study: S\nfindings:\n{lead}"
    (tmp_path / "a.yaml").write_text(text, encoding="utf-8")
    findings = run_audit(load_audit(tmp_path / "a.yaml"))
    return findings.iloc[0], report(findings)


def test_every_check_has_a_kind_and_an_assumption():
    assert {kind_of(check) for check in CHECKS} == {"arithmetic", "text", "model"} < set(KINDS)
    assert ASSUMES.keys() | MODELS.keys() <= CHECKS.keys()
    assert not ASSUMES.keys() & MODELS.keys()
    assert all(assumptions(check, {})[0] for check in CHECKS)


FALSE = '{statement: "a > b", values: {a: "0.1", b: "0.9"}}'


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_check_accuses_as_arithmetic_only(tmp_path, kind):
    found, said = finding(tmp_path, "comparison", FALSE, f"    kind: {kind}\n    assumes: one scanner\n")
    assert found["verdict"] == ("inconsistent" if kind == "arithmetic" else "differs")
    assert found["kind"] == kind and found["assumes"].startswith("one scanner; rounded once")
    assert f"Kind: {kind}. Assumes: one scanner; rounded once" in said


@pytest.mark.parametrize(
    ("check", "arguments"),
    [("same_text", "{texts: {a: x, b: y}}"), ("note", "{text: x}"), ("fisher_z_ci", '{r: "0.8", n: 31}')],
)
def test_words_and_models_cannot_be_called_arithmetic(tmp_path, check, arguments):
    assert finding(tmp_path, check, arguments)[0]["verdict"] != "inconsistent"
    with pytest.raises(ValueError, match=rf"a.yaml:3: F: kind: {check} is no arithmetic .*leave it out"):
        finding(tmp_path, check, arguments, "    kind: arithmetic\n")


def test_assumptions_tell_the_runs_and_the_roundings_of_this_finding(tmp_path):
    found, _ = finding(tmp_path, "proportion", '{value: "0.50", n: 4}')
    assert (
        found["assumes"]
        == "a share of n units, all with a result; one run; rounded once, to the nearest or by cutting off"
    )
    other, _ = finding(tmp_path, "proportion", '{value: "0.50", n: 4, runs: 3, roundings: [twice]}')
    assert "a mean over 3 runs on this test set; rounded twice" in other["assumes"]


def twice(x, decimals, rng):
    """Rounded to one digit more, then again, ties at random as binary numbers have them."""
    for digits in (decimals + 1, decimals):
        scaled = x * 10**digits
        tie = scaled - math.floor(scaled) == Fraction(1, 2)
        x = Fraction(math.floor(scaled) + int(rng.integers(2)) if tie else round(scaled), 10**digits)
    return x


@given(st.fractions(0, 50, max_denominator=5000), st.integers(1, 4), st.integers(0, 99))
@settings(deadline=None, max_examples=200)
def test_the_named_choices_allow_what_they_print_and_no_more_than_a_unit(x, decimals, seed):
    rng = np.random.default_rng(seed)
    for way, shown in (("twice", twice(x, decimals, rng)), ("up", Fraction(math.ceil(x * 10**decimals), 10**decimals))):
        number = printed(f"{float(shown):.{decimals}f}")
        assert number.allows(x, [way])
        low, high = number.bounds([way])
        assert high - low <= Fraction(11, 10) / 10**decimals


def test_choices_by_hand():
    assert printed("0.85").bounds(["twice"]) == (Fraction(8445, 10000), Fraction(8555, 10000))  # 0.8445, 0.845, 0.85
    assert printed("0.85").bounds(["up"]) == (Fraction(84, 100), Fraction(85, 100))
    assert printed("-0.85").bounds(["up"]) == (Fraction(-86, 100), Fraction(-85, 100))
    assert printed("-0.85").bounds(["truncation", "twice"]) == (Fraction(-86, 100), Fraction(-8445, 10000))
    assert printed("0.85").bounds(["truncation"]) == (Fraction(85, 100), Fraction(86, 100))
    assert not set(CHOICES) & set(ROUNDINGS)


def test_a_whole_number_that_was_rounded_is_written_as_one(tmp_path):
    """Mean ages 61.4 of 100 and 66.4 of 50 people: 63.07 in all, printed 61, 66 and 63."""
    assert printed("63").bounds() == (63, 63) and printed("63").is_count
    assert printed("~63").bounds(["half-up"]) == (Fraction(125, 2), Fraction(127, 2)) and not printed("~63").is_count
    ages = '{{expression: (100 * a + 50 * b) / 150, values: {{a: "{}61", b: "{}66"}}, equals: "{}63"}}'
    found, said = finding(tmp_path, "equation", ages.format("", "", ""))
    assert found["verdict"] == "inconsistent" and f"It would fit as {WHOLE}." in said
    assert finding(tmp_path, "equation", ages.format("~", "~", "~"))[0]["verdict"] == "consistent"
    with pytest.raises(ValueError, match="~63 is not a count"):
        finding(tmp_path, "proportion", '{value: "0.5", n: "~63"}')


def test_sums_of_counts_are_not_excused_by_rounding():
    people = {"a": printed("120"), "b": printed("47")}
    assert ways_that_fit(checks.equation, {"expression": "a + b", "values": people, "equals": printed("168"),
                                           "roundings": list(ROUNDINGS)}) == []  # fmt: skip


def test_a_number_rounded_twice_is_named(tmp_path):
    """19 of 21 is 0.90476: to three digits 0.905, and from these 0.91; up it is 0.91 at once."""
    found, said = finding(tmp_path, "proportion", '{value: "0.91", n: 21}')
    assert found["verdict"] == "inconsistent" and found["details"]["fits_if"] == [UP, TWICE]
    assert f"It would fit as {UP} or as {TWICE}." in said
    assert finding(tmp_path, "proportion", '{value: "0.91", n: 21, roundings: [twice]}')[0]["verdict"] == "consistent"


def test_of_several_rows_a_way_is_named_that_serves_all(tmp_path):
    rows = '    rows: {a: {value: "0.46"}, b: {value: "0.10"}, c: {value: "0.50"}}\n'
    found, _ = finding(tmp_path, "proportion", "{n: 22}", rows)  # 10 / 22 is 0.4545 and 2 / 22 is 0.0909
    assert found["details"]["inconsistent"] == ["a", "b"] and found["details"]["fits_if"] == [UP]


@pytest.mark.parametrize("auc", ["'1'", "1", "'0'"])
def test_a_share_without_decimals_is_asked_how_it_was_rounded(tmp_path, auc):
    """An AUC of 0.996 printed as 1 would contradict any sensitivity below 1 if it were taken as it stands."""
    with pytest.raises(ValueError, match=r"[01] does not say how it was rounded: write [01]\.00"):
        finding(tmp_path, "auc_of_labels", f"{{auc: {auc}, sensitivity: '0.97', specificity: '0.96'}}")
    rounded, _ = finding(tmp_path, "auc_of_labels", "{auc: '1.0', sensitivity: '0.97', specificity: '0.96'}")
    assert rounded["verdict"] == "derived"


@pytest.mark.parametrize("sd", ["sd: '-0.1'", "sd: '−1 %'"])
def test_a_negative_sd_is_refused(tmp_path, sd):
    with pytest.raises(ValueError, match="is no SD: it cannot be negative"):
        finding(tmp_path, "mean_sd", f"{{mean: '0.8', {sd}, n: 20, runs: 3}}")
    with pytest.raises(ValueError, match="is no SD"):
        finding(tmp_path, "member_of_sample", f"{{value: '0.8', mean: '0.8', {sd}, n: 20}}")


@given(st.integers(20, 60), st.integers(0, 2**32 - 1), st.sampled_from([0, 1]))
@settings(deadline=None, max_examples=15)
def test_three_honest_runs_are_reached_by_either_sd(n, seed, ddof):
    rng = np.random.default_rng(seed)
    positives = n // 3
    tp, fp = rng.binomial(positives, 0.8, 3), rng.binomial(n - positives, 0.2, 3)
    correct = tp + n - positives - fp
    f1 = 2 * tp / (2 * tp + n - correct)
    parts = [
        printed(f"{x:.4f}") for x in (correct.mean() / n, correct.std(ddof=ddof) / n, f1.mean(), f1.std(ddof=ddof))
    ]
    outcome = checks.f1_runs(*parts, n, positives, 3)
    assert outcome.verdict == "consistent" and outcome.computed[("n_population", "n_sample")[ddof]] > 0


def mean_rows(rng, runs, n_rows=3):
    """Printed means of ``runs`` runs on one test set, with the PPV and NPV beside; and its n."""
    n = int(rng.integers(60, 300))
    p = int(n * rng.uniform(0.3, 0.5))
    rows = {}
    for k in range(n_rows):
        tp, fp = rng.binomial(p, rng.uniform(0.6, 0.95), runs), rng.binomial(n - p, rng.uniform(0.05, 0.4), runs)
        values = {"accuracy": (tp + n - p - fp) / n, "sensitivity": tp / p, "specificity": 1 - fp / (n - p)}
        rows[f"m{k}"] = {name: printed(f"{value.mean():.3f}") for name, value in values.items()}
    return rows, n


@pytest.mark.parametrize("runs", [2, 3, 5])
def test_means_over_runs_are_never_read_as_predictive_values(runs):
    """Two random columns, and one mistyped cell of honest means: read as PPV or NPV they were always explained."""
    rng = np.random.default_rng(runs)
    explained = 0
    for _ in range(20):
        rows, n = mean_rows(rng, runs)
        table = exchange(rows, n, runs=runs)
        assert table.columns[:2].tolist() == ["sensitivity", "specificity"] and len(table) == 2
        assert table.iloc[0][["sensitivity", "specificity", "rows_explained"]].tolist() == [
            "sensitivity",
            "specificity",
            3,
        ]
        free = {m: row | {c: printed(f"{rng.uniform(0.5, 1):.3f}") for c in ("sensitivity", "specificity")}
                for m, row in rows.items()}  # fmt: skip
        explained += (exchange(free, n, runs=runs)["rows_explained"] == 3).any()
        wrong = {m: dict(row) for m, row in rows.items()}
        wrong["m1"]["sensitivity"] = printed(f"{float(wrong['m1']['sensitivity'].value) - 0.04:.3f}")
        hypotheses = exchange(wrong, n, runs=runs)
        others = hypotheses[hypotheses["sensitivity"] != "sensitivity"]
        assert (others["rows_explained"] < 3).all()
    assert explained <= 4  # 44 to 59 of 60 with PPV and NPV; more runs make a finer grid, which chance hits more often
    with pytest.raises(ValueError, match=f"means over {runs} runs cannot be read as npv, ppv"):
        exchange(rows, n, [{"sensitivity": "ppv", "specificity": "npv"}], runs)


@pytest.mark.parametrize("z", [1.96, 2.0])
@pytest.mark.parametrize("decimals", [2, 3])
def test_limits_at_1_96_and_at_2_sds_are_both_textbook(z, decimals):
    """Bland and Altman print two SDs in 1986 and 1.96 in 1999."""
    rng = np.random.default_rng(1)
    for _ in range(50):
        n, bias, sd = int(rng.integers(20, 300)), rng.normal(0, 0.1), rng.uniform(0.2, 1)
        half = 1.96 * sd / math.sqrt(n)
        ends = (bias - z * sd, bias + z * sd, bias - half, bias + half)
        shown = [printed(f"{end:.{decimals}f}") for end in ends]
        assert checks.bland_altman(*shown, candidates=[n]).verdict == "consistent"
