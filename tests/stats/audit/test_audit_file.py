import os
import re
import time

import pandas as pd
import pytest
import yaml

from osteolib.runs import ROOT
from osteolib.stats.audit.audit_file import COLUMNS, load_audit, report, run_audit, vocabulary
from osteolib.stats.audit.plain_yaml import MOST_BYTES, read_yaml
from osteolib.stats.audit.sentences import show

EXAMPLE = ROOT / "data_manifests" / "audits" / "example.yaml"
STUDY = """\
study: Wrists
values:
  n: "167"
  positives: "48"
  sens: "83.3 %"
  acc.a: "0.838"
  acc.b: "0.871"
findings:
  - id: W1
    source: Table 2
    claim: sensitivity 83.3 %
    check: proportion
    with: {value: sens, n: positives}
"""
CHECK = STUDY[STUDY.index("    check:") :]


def write(tmp_path, text):
    path = tmp_path / "a.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def audited(tmp_path, text, values=None):
    return run_audit(load_audit(write(tmp_path, text), values))


def test_the_documented_example_finds_what_was_planted_in_it():
    audit = load_audit(EXAMPLE)
    findings = run_audit(audit)
    assert list(findings) == COLUMNS
    assert findings["id"].is_unique
    verdicts = findings.set_index("id")["verdict"]
    assert list(verdicts.index[verdicts == "inconsistent"]) == ["W6", "W7", "W8"] and verdicts["W13"] == "differs"
    text = findings.set_index("id")["computed"]
    assert "TP 40, FP 19, FN 8, TN 100" in text["W5"]
    assert "sensitivity is ppv, specificity is npv, 48 positives serve 4" in text["W8"]
    assert "the same to the printed digit" in text["W10"]
    assert text["W14"].startswith("Whether both wrists")
    assert audit.document.dropped[0].id == "W15"
    said = report(findings)
    assert all(value in said for value in findings["claim"])
    assert said.endswith("14 findings: 5 consistent, 4 derived, 3 inconsistent, 1 differs, 1 not checkable")


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("check: proportion", "check: proprotion", 9, "unknown check 'proprotion'; did you mean 'proportion'"),
        ("n: positives}", "m: positives}", 9, r"n is missing; m is not known here \(proportion takes value, n, runs"),
        ("value: sens,", "value: sensitivity,", 9, "no value has the name 'sensitivity'; known: n, positives, sens"),
        ("value: sens,", "value: acc.c,", 9, "no value has the name 'acc.c'; did you mean 'acc.[ab]'"),
        ("value: sens,", "value: 0.833,", 9, "0.833 is not a printed text: put it in quotes"),
        ("value: sens,", 'value: "83.3",', 9, "83.3 is no proportion: write a percentage as '97.2 %' or 0.972"),
        ("value: sens,", 'value: "<0.001",', 9, "cannot read '<0.001' as one printed number"),
        ("n: positives}", "n: sens}", 9, "83.3 % is not a count"),
        ("n: positives}", "n: 0}", 9, "n must be at least 1"),
        ("n: positives}", "n: positives, runs: [3]}", 9, "runs"),
        ("n: positives}", "n: positives, roundings: [down]}", 9, "roundings.0"),
        ('n: "167"', "n: 167", 3, "values.n must be a text: put it in quotes"),
        ('sens: "83.3 %"', 'sens: "83,3 %"', 5, "values.sens.*cannot read '83,3 %'"),
        ('sens: "83.3 %"', 'positives: "49"', 5, "'positives' stands twice"),
        ('n: "167"', '7: "167"', 3, "values.7"),
        ("study: Wrists", "study: Wrists\nstudies: 2", 2, "studies is not known here"),
        ("study: Wrists\n", "", 1, "study is missing"),
        ("    source: Table 2\n", "", 9, "findings.0.source is missing"),
        ("source: Table 2", "source: 2", 10, "findings.0.source must be a text"),
        ("claim:", "sure: certainly\n    claim:", 11, "findings.0.sure Input should be 'high', 'medium', 'low'"),
        ("claim:", "expect: wrong\n    claim:", 11, "findings.0.expect"),
        ("claim:", "expect: inconsistent\n    claim:", 9, "W1: expected inconsistent, but proportion finds consistent"),
        (
            "claim:",
            'means: "{{ counts }} of {{ size }}"\n    claim:',
            9,
            "'size' is undefined; computed: counts",
        ),
        ("claim:", 'means: "{{ counts "\n    claim:', 9, "cannot fill in the sentence"),
        ("claim:", 'means: "{{ counts + 1 }}"\n    claim:', 9, "W1: a sentence calculates with numbers only"),
        ("claim:", "means: \"{{ ''.__class__.__mro__ }}\"\n    claim:", 9, "access to attribute '__class__'"),
        ("claim:", 'means: "{% for i in range(9) %}x{% endfor %}"\n    claim:', 9, "must not loop or take powers"),
        ("claim:", 'means: "{{ 9 ** 9 ** 9 }}"\n    claim:', 9, "must not loop or take powers"),
        ("findings:", "dropped: [{id: W1, reason: none}]\nfindings:", 8, "the id W1 stands twice"),
        ("study: Wrists", "study: !!python/object/apply:os.system [ls]", 1, "python/object/apply:os.system"),
        ("study: Wrists", "study: &a Wrists\nsource: *a", 2, r"an alias \(\*\)"),
        ("study: Wrists", "study: " + "[" * 20, 1, "nested too deeply"),
        ("study: Wrists", "study: [", 3, "not a plain YAML file"),
        ("study: Wrists", "study: 2020-13-45", 1, "'2020-13-45' is read as a date: put it in quotes"),
    ],
)
def test_bad_input_is_one_clear_message_with_file_and_line(tmp_path, old, new, line, message):
    assert old in STUDY
    with pytest.raises(ValueError, match=message) as error:
        audited(tmp_path, STUDY.replace(old, new, 1))
    assert str(error.value).startswith(f"{tmp_path / 'a.yaml'}:{line}: ")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("check", "message"),
    [
        ("check: confusion\n    with: {reported: {sensitivity: sens}}", "n is missing"),
        (
            "check: confusion\n    with: {n: n, reported: {sensitivty: sens}}",
            "unknown metrics .*sensitivity, specificity",
        ),
        ("check: confusion\n    with: {n: n, positives: 200, reported: {sensitivity: sens}}", "positives must be"),
        ("check: confusion\n    with: {n: n, reported: {sensitivity: '97.2'}}", "write a percentage as '97.2 %'"),
        ("check: matrix\n    with: {tp: 1, fp: 1, fn: 1, tn: 1, reported: {sens: sens}}", "unknown metrics"),
        ("check: matrix\n    with: {tp: -1, fp: 1, fn: 1, tn: 1}", "-1 is not a count"),
        ("check: equation\n    with: {expression: a +, equals: n, values: {a: n}}", "cannot read the expression"),
        ("check: comparison\n    with: {statement: a > c, values: {a: n}}", "names 'c', which has no value"),
        ("check: computed\n    with: {expressions: {x: a / 0}, values: {a: n}}", "may be 0"),
        (
            "check: auc_of_labels\n    with: {auc: '93.3', sensitivity: sens, specificity: sens}",
            "93.3 is no proportion",
        ),
        ("check: hanley_mcneil_se\n    with: {auc: '93.3', n_pos: 48, n_neg: 119}", "auc must be a fraction"),
        ("check: hanley_mcneil_se\n    with: {auc: sens}", "n_pos is missing; n_neg is missing"),
        ("check: constant_classifier\n    with: {n: positives, positives: n}", "positives must lie between"),
        ("check: proportion\n    rows: {a: {value: acc.a, n: n}, b: {value: acc.c, n: n}}", "row b: .*'acc.c'"),
        ('check: proportion\n    rows: {"*": {value: auc.*, n: n}}', r"no names of values fit the row '\*'"),
        ("check: proportion\n    rows: {}\n    with: []", "findings.0.with must be a mapping: write NAME: value"),
    ],
)
def test_arguments_that_cannot_be_are_refused_with_file_and_line(tmp_path, check, message):
    with pytest.raises(ValueError, match=message) as error:
        audited(tmp_path, STUDY.replace(CHECK, f"    {check}\n"))
    assert re.match(rf"{tmp_path}/a.yaml:\d+: ", str(error.value))
    assert "\n" not in str(error.value)


def test_every_fault_is_told_at_once(tmp_path):
    second = STUDY[STUDY.index("  - id") :].replace("W1", "W2").replace("sens,", "sons,")
    with pytest.raises(ValueError, match="W1") as error:
        audited(tmp_path, STUDY.replace("n: positives}", "n: 0}") + second)
    first, other = str(error.value).splitlines()
    assert first.startswith(f"{tmp_path / 'a.yaml'}:9: W1: ")
    assert other.startswith(f"{tmp_path / 'a.yaml'}:14: W2: ")


def test_size_and_depth_are_bounded(tmp_path):
    path = tmp_path / "big.yaml"
    path.write_bytes(b"study: x\n" * 1_200_000)
    with pytest.raises(ValueError, match=r"big.yaml:1: 10.8 MB is more than the 1 MB"):
        load_audit(path)
    path.write_text("a: [" * (MOST_BYTES // 4))
    start = time.perf_counter()
    with pytest.raises(ValueError, match="nested too deeply"):
        load_audit(path)
    path.write_text("a: &a [x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n")
    with pytest.raises(ValueError, match=r"big.yaml:2: .*alias"):
        load_audit(path)
    assert time.perf_counter() - start < 60  # a bomb would take for ever
    for content, message in ((b"\xff\xfe\xfa", "big.yaml:1: not a plain YAML"), (b"", "big.yaml:1: the file")):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=message):
            load_audit(path)
    with pytest.raises(ValueError, match="there is no such file"):
        load_audit(tmp_path / "none.yaml")


def test_nothing_in_a_file_is_executed(tmp_path):
    mark = tmp_path / "mark"
    python = f"__import__('os').mkdir('{mark}')"
    sentence = f"{{{{ values.__init__.__globals__['os'].mkdir('{mark}') }}}}"
    for text in (
        f"study: !!python/object/apply:os.mkdir ['{mark}']\n",
        STUDY.replace("claim:", f'means: "{sentence}"\n    claim:'),
        STUDY.replace(CHECK, f'    check: computed\n    with: {{expressions: {{x: "{python}"}}, values: {{}}}}\n'),
    ):
        with pytest.raises(ValueError, match=r"a.yaml:\d+"):
            audited(tmp_path, text)
    assert os.listdir(tmp_path) == ["a.yaml"]


def test_lines_of_entries(tmp_path):
    content, lines = read_yaml(write(tmp_path, STUDY))
    assert content == yaml.safe_load(STUDY)
    assert lines["values", "sens"] == 5
    assert lines["findings", "0"] == 9
    assert lines["findings", "0", "with", "n"] == 13


def test_published_values_are_names_too_and_are_not_redefined(tmp_path):
    published = {"paper.T1.n": "1,301", "paper.T2.a|b.acc": "83.8 %", "paper.T2.c+d.acc": "0.50", "paper.device": "X"}
    text = STUDY.replace(CHECK, """\
    check: proportion
    with: {n: paper.T1.n}
    rows: {"*": {value: paper.T2.*.acc}}
    means: "{{ n_rows }} rows, {{ consistent }}; {{ rows['a|b'].n_counts }}, {{ values['paper.T1.n'] }}"
""")  # fmt: skip
    findings = audited(tmp_path, text, published)
    assert findings.loc[0, "computed"] == "2 rows, a|b, c+d; 2, 1,301"
    assert findings.loc[0, "details"]["rows"]["c+d"]["nearest"] == pytest.approx(650 / 1301)
    with pytest.raises(ValueError, match=r"a.yaml:3: n is a published value"):
        audited(tmp_path, STUDY, {"n": "200"})
    with pytest.raises(ValueError, match="cannot read 'X' as one printed number"):
        audited(tmp_path, STUDY.replace("value: sens", "value: paper.device"), published)


def test_of_several_rows_the_most_serious_verdict_counts(tmp_path):
    text = STUDY.replace(CHECK, """\
    check: proportion
    with: {n: n}
    rows: {a: {value: acc.a}, b: {value: acc.b}}
""")  # fmt: skip
    finding = audited(tmp_path, text).loc[0]
    assert finding["verdict"] == "inconsistent"
    assert (finding["details"]["inconsistent"], finding["details"]["consistent"]) == (["b"], ["a"])
    assert finding["computed"].startswith("n rows 2; inconsistent b;")
    assert (
        audited(tmp_path, text.replace("b: {value: acc.b}", "b: {value: acc.a, n: 500}")).loc[0, "verdict"]
        == "consistent"
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "yes"), (False, "no"), (0.83333, "0.8333"), (1490.0, "1490"), (30256.0, "30256"), (3, "3"), ("x", "x"),
        ((0.25, 0.5), "0.25 to 0.5"), ((1, 2), "1, 2"), ([], "none"), ([(1, 2, 3)], "1, 2, 3"), ({"a_b": 1}, "a b 1"),
        (7.1e-9, "7.1e-09"), ({}, "none"),
    ],
)  # fmt: skip
def test_numbers_in_words(value, text):
    assert show(value) == text


def test_the_vocabulary_tells_arguments_meaning_and_example():
    table = vocabulary().set_index("check")
    assert isinstance(table, pd.DataFrame)
    assert table.loc["proportion", "arguments"] == "value, n, runs=1, roundings"
    assert "counts" in table.loc["proportion", "meaning"]
    assert table.loc["hanley_mcneil_se", "meaning"].endswith("computed: se.")
    assert (table["meaning"].str.len() > 20).all()
