import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osteolib.report.verdict import VERDICTS, Margin, load_margins, method_check, verdict
from osteolib.runs import ROOT
from osteolib.stats import METRICS

MARGINS = load_margins()


def around(value, half=0.03):
    return value - half, value + half


@pytest.mark.parametrize(
    ("metric", "published", "decimals", "ours", "ci", "expected"),
    [
        ("auroc", 0.933, 3, 0.940, around(0.940), "reproduced"),
        ("auroc", 0.93, 2, 0.98, around(0.98), "reproduced"),  # 0.98 - 0.93 exceeds 0.05 in binary fractions
        ("auroc", 0.93, 2, 0.984, around(0.984), "reproduced"),  # 0.93 may stand for 0.9349
        ("auroc", 0.930, 3, 0.984, around(0.984), "direction reproduced"),  # 0.930 may not
        ("auroc", 0.933, 3, 0.80, around(0.80), "direction reproduced"),  # far, but better than chance
        ("auroc", 0.933, 3, 0.52, around(0.52), "not reproduced"),  # 0.49 to 0.55 holds chance
        ("auroc", 0.933, 3, 0.40, around(0.40), "not reproduced"),  # worse than chance
        ("auroc", 0.45, 2, 0.36, around(0.36), "direction reproduced"),  # both worse than chance
        ("auroc", 0.933, 3, 0.940, (0.88, 0.99), "inconclusive"),  # half-width 0.055
        ("auroc", 0.933, 3, 0.940, (0.89, 0.99), "reproduced"),  # half-width 0.05: as wide as the margin
        ("auroc", 0.933, 3, 0.940, None, "inconclusive"),
        ("auroc", 0.933, 3, 0.940, (float("nan"), float("nan")), "inconclusive"),
        ("sensitivity", 0.904, 3, 0.80, around(0.80), "not reproduced"),  # chance has no one value
        ("pearson_r", 0.801, 3, 0.70, around(0.70, 0.08), "direction reproduced"),
        ("pearson_r", 0.80, 2, 0.70, around(0.70, 0.08), "reproduced"),
        ("t_score_bias", -0.30, 2, -0.15, around(-0.15, 0.05), "direction reproduced"),
        ("t_score_bias", -0.30, 2, 0.15, around(0.15, 0.05), "not reproduced"),
        ("t_score_bias", 0.00, 2, 0.15, around(0.15, 0.05), "not reproduced"),  # no bias has no direction
        ("age_mean", 34.5, 1, 36.4, None, "reproduced"),  # describes these records: no interval
        ("age_mean", 34.5, 1, 36.6, None, "not reproduced"),
        ("proportion", 0.588, 3, 0.54, None, "reproduced"),
        ("count", 239, 0, 239, None, "reproduced"),
        ("count", 239, 0, 238, None, "not reproduced"),
        ("p_value", 0.001, 3, 0.0400, None, "direction reproduced"),
        ("p_value", 0.051, 3, 0.0400, None, "not reproduced"),
    ],
)
def test_hand_computed_cases(metric, published, decimals, ours, ci, expected):
    assert verdict(published, ours, ci, MARGINS[metric], decimals=decimals) == expected


def test_a_phantom_never_gets_a_verdict():
    with pytest.raises(ValueError, match="phantom confirms no clinical number"):
        verdict(0.9, 0.9, (0.89, 0.91), MARGINS["auroc"], decimals=2, kind="phantom")


@pytest.mark.parametrize(
    ("published", "ours", "ci", "message"),
    [
        (0.9, float("nan"), (0.8, 0.9), "finite"),
        (float("nan"), 0.9, (0.8, 0.9), "finite"),
        (0.9, 0.9, (0.95, 0.85), "upside down"),
    ],
)
def test_bad_input_is_named(published, ours, ci, message):
    with pytest.raises(ValueError, match=message):
        verdict(published, ours, ci, MARGINS["auroc"], decimals=2)


FRACTIONS = st.floats(0, 1)


@settings(deadline=None, max_examples=100)
@given(FRACTIONS, FRACTIONS, st.floats(0.0501, 0.5))
def test_an_interval_wider_than_the_margin_decides_nothing(published, ours, half):
    assert verdict(published, ours, around(ours, half), MARGINS["auroc"], decimals=3) == "inconclusive"


@settings(deadline=None, max_examples=100)
@given(FRACTIONS, FRACTIONS, st.floats(0, 0.05), st.integers(1, 4))
def test_a_narrow_interval_always_decides_and_more_decimals_never_help(published, ours, half, decimals):
    given_, finer = (
        verdict(published, ours, around(ours, half), MARGINS["auroc"], decimals=d) for d in (decimals, decimals + 1)
    )
    assert {given_, finer} <= set(VERDICTS[:3])
    assert VERDICTS.index(given_) <= VERDICTS.index(finer)


@settings(deadline=None, max_examples=100)
@given(FRACTIONS, FRACTIONS, st.floats(0, 0.05))
def test_swapping_disease_and_health_changes_no_verdict(published, ours, half):
    """AUROC of the other class is 1 - AUROC: the rules may not prefer one side."""
    here = verdict(published, ours, around(ours, half), MARGINS["auroc"], decimals=3)
    there = verdict(1 - published, 1 - ours, around(1 - ours, half), MARGINS["auroc"], decimals=3)
    near_an_edge = min(
        abs(abs(ours - published) - 0.0505), abs(abs(ours - 0.5) - half), abs(published - 0.5), abs(half - 0.05)
    )
    assert here == there or near_an_edge < 1e-9


def test_method_check_passes_only_if_all_pass():
    assert [method_check(x) for x in ([1, 1.0], [1, 0], [])] == ["passed", "failed", None]
    with pytest.raises(ValueError, match=r"1 \(passed\) or 0 \(failed\), got 0\.93"):
        method_check([1, 0.93])


def test_every_metric_of_the_bootstrap_has_a_margin():
    assert set(METRICS) <= set(MARGINS)


def test_the_page_prints_the_margins_that_the_code_uses():
    page = (ROOT / "book" / "verdicts.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| ([\w-]+) \| (.*?) \| (.*?) \| (.*?) \|$", page, flags=re.MULTILINE)
    printed = {metric: (rule, margin, no_effect, reason) for metric, rule, margin, no_effect, reason in rows}
    assert printed == {
        name: (
            m.rule.replace("p_value", "p-value"),
            {"count": "equal", "p_value": "same side"}.get(m.rule) or f"{m.margin:g} {m.unit}".strip(),
            "" if m.no_effect is None else f"{m.no_effect:g}",
            m.reason,
        )
        for name, m in MARGINS.items()
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "auroc: {rule: estimate, margin: -0.05, no_effect: 0.5, reason: x}",
            r"m\.yaml, auroc: margin .*greater than 0",
        ),
        ("auroc: {rule: close, margin: 0.05, no_effect: 0.5, reason: x}", r"m\.yaml, auroc: rule "),
        ("auroc: {rule: estimate, margin: null, no_effect: 0.5, reason: x}", "do not go together"),
        ("count: {rule: count, margin: 1, no_effect: null, reason: x}", "do not go together"),
        ("p: {rule: p_value, margin: null, no_effect: null, reason: x}", "needs its level"),
        ("auroc: {rule: estimate, margin: 0.05, no_effect: 0.5}", r"auroc: reason Field required"),
        ("auroc: {rule: estimate, margin: 0.05, no_effect: 0.5, reason: x, tolerance: 1}", "auroc: tolerance Extra"),
    ],
)
def test_a_margin_that_makes_no_sense_is_named(tmp_path, text, message):
    (tmp_path / "m.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        load_margins(tmp_path / "m.yaml")


def test_a_margin_cannot_be_changed_after_the_fact():
    with pytest.raises(ValueError, match="frozen"):
        MARGINS["auroc"].margin = 0.5
    assert isinstance(MARGINS["auroc"], Margin)
