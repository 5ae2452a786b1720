from pathlib import Path

import pandas as pd
import pytest
import yaml

from osteolib.report.audits import FOLDER, audit_paper, findings_table
from osteolib.report.pages import AUDIT, disputed, whole_scorecard
from osteolib.report.published import PAPERS, load_published, printed_texts
from osteolib.runs import list_notebooks
from osteolib.stats.audit.kinds import KINDS


@pytest.fixture(scope="module", params=PAPERS)
def audited(request, audit):
    """Running an audit compares each verdict with the one its author expects."""
    return request.param, audit(request.param)


def test_every_finding_says_what_was_computed_and_what_to_do(audited):
    paper, findings = audited
    assert len(findings) > 10 and findings["id"].is_unique
    assert (findings["computed"].str.len() > 10).all(), paper
    assert not findings["computed"].str.contains(r"\{\{|nan\b", regex=True).any()
    inconsistent = findings[findings["verdict"] == "inconsistent"]
    assert (inconsistent[["innocent", "reader", "sure"]] != "").all(axis=None), "no charge without a way out"


def test_expectations_are_written_down_for_every_finding(audited):
    paper, _ = audited
    document = yaml.safe_load((FOLDER / f"{paper}.yaml").read_text(encoding="utf-8"))
    assert all("expect" in lead for lead in document["findings"])


def test_every_finding_has_a_kind_and_says_what_it_assumes_and_arithmetic_alone_accuses(audited):
    """Words, code, conventions and models differ: S-C1, S-C2, S-C4 (code), T-11, T-15 (a sentence beside tables)."""
    paper, findings = audited
    assert set(findings["kind"]) <= set(KINDS) and (findings["assumes"].str.len() > 10).all()
    assert set(findings.loc[findings["verdict"] == "inconsistent", "kind"]) == {"arithmetic"}
    differs = findings[findings["verdict"] == "differs"]
    assert "arithmetic" not in set(differs["kind"]) and (differs[["innocent", "reader"]] != "").all(axis=None)
    assert set(differs["id"]) == {"strnet2026_knee": {"S-C1", "S-C2", "S-C4"}, "tpswav2025_ct": {"T-11", "T-15"}}.get(
        paper, set()
    )
    kind = findings.set_index("id")["kind"]
    for lead, expected in {"X-07": "model", "X-12": "convention", "L25-05": "text", "S-21": "model"}.items():
        assert kind.get(lead, expected) == expected


def test_a_model_or_another_reading_is_no_contradiction(audited):
    """Bounds of normal scores (X-07), a stated definition (X-12), a hedged word (L25-05), one run where means over five
    fit (S-14, S-19, S-20), widths beside a bootstrap of ours (S-21), digits that may be cut off (L23-11)."""
    _, findings = audited
    verdict = findings.set_index("id")["verdict"]
    for lead in ("X-07", "X-12", "L25-05", "S-14", "S-19", "S-20", "S-21"):
        assert verdict.get(lead, "derived") == "derived"
    assert verdict.get("L23-11", "consistent") == "consistent"


def test_only_what_cannot_be_right_is_called_disputed(audited):
    paper, findings = audited
    concerned = findings[findings["concerns"].map(len) > 0]
    assert set(concerned["verdict"]) <= {"inconsistent"} and "low" not in set(concerned["sure"])
    published = set(load_published(paper)["published_id"])
    assert set(concerned["concerns"].explode().dropna()) <= published


def test_a_planted_slip_is_found_in_a_paper_that_was_consistent(tmp_path):
    """The sum of Table 1 of the hip paper, with one patient more."""
    text = """
study: planted
findings:
  - id: P1
    source: Results
    claim: training and test patients are all patients
    check: equation
    with: {expression: a + b, values: {a: chen2024_hip.train.patients, b: TEST}, equals: chen2024_hip.n_patients}
"""
    names = [name for name in printed_texts("chen2024_hip") if name in text]
    assert len(names) == 2, "the ids of the published values have changed"
    for test, verdict in (("chen2024_hip.test.patients", "consistent"), ('"301"', "inconsistent")):
        path = tmp_path / "chen2024_hip.yaml"
        path.write_text(text.replace("TEST", test), encoding="utf-8")
        assert audit_paper(path)["verdict"].item() == verdict


def test_a_concern_that_no_paper_reports_is_named(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(
        'study: s\nfindings:\n  - {id: A, source: t, claim: c, check: note, with: {text: "x"}, concerns: [nowhere]}\n',
        encoding="utf-8",
    )
    with pytest.raises(ValueError, match=r"mine\.yaml, A: 'concerns' names no printed number: \['nowhere'\]"):
        audit_paper(path)


def test_printed_texts_keep_zeros_percent_signs_spreads_and_settings():
    hip, knee = printed_texts("chen2024_hip"), printed_texts("strnet2026_knee")
    assert hip["chen2024_hip.female.pct"] == "77.0 %"
    assert (hip["chen2024_hip.ccc.low"], hip["chen2024_hip.ccc.high"]) == ("0.995", "0.997")
    assert knee["strnet2026_knee.code.lambda_fp"] == "0.1"
    assert "strnet2026_knee.T2.optimizer" not in knee  # a word


def test_a_disputed_value_is_marked_in_the_scorecard(tmp_path):
    value = "chen2024_hip.T3.X1AI-Osteo.sens"
    rows = [
        ("X-99", "inconsistent", "arithmetic", "it is said twice", value),
        ("X-98", "consistent", "arithmetic", "fine", "chen2024_hip.r"),
        ("X-97", "differs", "model", "unlike normal scores", "chen2024_hip.r"),
    ]
    table = pd.DataFrame(rows, columns=["id", "verdict", "kind", "claim", "concerns"])
    table.to_csv(tmp_path / "concerns.csv", index=False)
    recorded = {AUDIT: {"folder": tmp_path, "rows": []}}
    card = whole_scorecard(recorded).set_index("published_id")
    assert card.loc[value, ["verdict", "reason"]].tolist() == [
        "inconsistent as published",
        "Audit, X-99: it is said twice",
    ]
    assert (card["verdict"] == "inconsistent as published").sum() == 1
    assert disputed({AUDIT: {"folder": Path("nowhere"), "rows": []}}) == disputed({}) == []


def test_findings_have_the_headings_that_readers_see(audit):
    findings = audit(FOLDER / "example.yaml")
    table = findings_table(findings.assign(paper="made up"))
    assert table.columns[:2].tolist() == ["Paper", "Finding"] and len(table) == len(findings)


def test_the_page_that_records_disputes_exists():
    assert AUDIT in [notebook.name for notebook in list_notebooks()]
