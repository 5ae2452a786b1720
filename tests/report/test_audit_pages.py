import pandas as pd
import pytest

from osteolib.report import show
from osteolib.report.audit_pages import by_weight, show_findings, verdict_counts
from osteolib.runs import Run

ROWS = [
    ("A", "consistent", "high"),
    ("B", "inconsistent", "low"),
    ("C", "derived", "medium"),
    ("D", "inconsistent", "high"),
    ("E", "derived", "high"),
]


@pytest.fixture
def findings():
    told = {"source": "Table 1", "claim": "5 of 7", "computed": "no", "innocent": "a slip", "reader": "ask",
            "kind": "arithmetic", "assumes": "one run"}  # fmt: skip
    table = pd.DataFrame(ROWS, columns=["id", "verdict", "sure"]).assign(**told)
    table.attrs["dropped"] = [("F", "it holds after all")]
    return table


def test_what_a_reader_must_know_comes_first_and_equals_keep_their_order(findings):
    assert by_weight(findings)["id"].tolist() == ["D", "B", "E", "C", "A"]


def test_every_verdict_is_counted_also_where_there_is_none(findings):
    counts = verdict_counts(findings)
    assert counts == {
        "n": 5,
        "strong": 1,
        "inconsistent": 2,
        "differs": 0,
        "derived": 2,
        "not_checkable": 0,
        "consistent": 1,
    }


def test_a_page_shows_its_findings_once_and_keeps_them_as_files(findings, tmp_path, monkeypatch):
    displayed = []
    monkeypatch.setattr(show, "display", displayed.append)
    run = Run("09_test", {"profile": "smoke", "seed": 0}, tmp_path, in_book=True)
    show_findings(run, "All findings", hand=findings)
    sentence, table, dropped = (shown.data for shown in displayed)
    assert "5 findings: **1 conditions hold**, 2 do not" in sentence
    assert table.count("<summary>5 of 7</summary>") == 5 and "Paper" not in table
    assert "it holds after all" in dropped and dropped.startswith("<details")
    assert pd.read_csv(run.folder / "findings.csv")["Finding"].tolist() == ["D", "B", "E", "C", "A"]
    assert pd.read_csv(run.folder / "dropped.csv").iloc[0].tolist() == ["F", "it holds after all"]
    other = findings.drop(columns="id").assign(id="G")
    other.attrs["dropped"] = []
    show_findings(run, "All findings", hand=findings, knee=other)
    assert set(pd.read_csv(run.folder / "findings.csv")["Paper"]) == {"hand", "knee"}
