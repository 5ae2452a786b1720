"""What the papers report: the files are whole, their faults are named, and the grid says for ears what it shows."""

import html
import re
import shutil

import pandas as pd
import pytest

from osteolib.report import checklists_page as page
from osteolib.report import show
from osteolib.report.checklists import ANSWERS, FOLDER, load_answers, load_checks, load_items
from osteolib.report.published import PAPERS

LETTERS = {3: "abc", 5: "ab", 6: "abc", 8: "abc", 9: "abc", 12: "abcdefg", 18: "abcdef", 20: "abc", 23: "ab", 27: "abc"}
"""Of the 27 items of the statement those with more than one part."""


@pytest.fixture(scope="module")
def answers():
    return load_answers()


@pytest.fixture
def folder(tmp_path):
    """A copy of the checklists, and ``change(name, old, new)`` for one place in it."""
    shutil.copytree(FOLDER, tmp_path / "checklists")

    def change(name: str, old: str, new: str):
        path = tmp_path / "checklists" / name
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1
        path.write_text(text.replace(old, new), encoding="utf-8")
        return path.parent

    return change


def test_the_sub_items_are_those_of_the_statement():
    items = load_items()
    assert items.index.tolist() == [f"{n}{part}" for n in range(1, 28) for part in LETTERS.get(n, [""])]
    assert len(items) == 52
    only = items[items["for"] != "D;E"]["for"]
    assert only[only == "E"].index.tolist() == ["12f", "12g", "20c", "24"]
    assert only[only == "D"].index.tolist() == ["9a", "12a", "12b", "12c", "15", "22", "27a", "27b"]


def test_every_paper_answers_every_sub_item_once(answers):
    assert answers["paper"].unique().tolist() == list(PAPERS)
    items = load_items().index.tolist()
    assert all(part["item"].tolist() == items for _, part in answers.groupby("paper"))
    assert set(answers["answer"]) == set(ANSWERS)


def test_an_answer_gives_its_place_or_its_reason(answers):
    placed = answers["answer"].isin(["reported", "in part"])
    assert ((answers["where"] != "") == placed).all()
    assert (answers["note"][answers["answer"].isin(["in part", "does not apply", "not at hand"])] != "").all()


def test_answers_are_those_on_the_printed_page(answers):
    """Read again from the papers by eye."""
    cell = answers.set_index(["paper", "item"])
    assert cell.loc[("chen2024_hip", "5b"), "where"] == "Patient selection"  # November 2017 to September 2019
    assert cell.loc[("tpswav2025_ct", "5b"), "where"] == "Section 3.1"  # March 2018 to December 2023
    assert cell.loc[("lee2025_hand", "17"), "answer"] == "reported"  # number of the review board, informed consent
    assert cell.loc[("lee2023_hand", "17"), "answer"] == "not reported"
    assert cell.loc[("strnet2026_knee", "18f"), "where"] == "Declarations"  # an address on GitHub
    assert cell.loc[("strnet2026_knee", "26"), "where"] == "Section 4.4"  # six numbered limitations
    assert cell.loc[("lee2025_hand", "18e"), "answer"] == "not at hand"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("  3a: {answer: reported, where: Section 1}\n", "", r"no answer for 3a: add it"),
        ("  3a: {", "  3d: {", r"no answer for 3a"),
        ("  3a: {", "  4: {answer: not reported}\n  3a: {", r"'4' stands twice"),
        ("  3a: {", "  28: {answer: not reported}\n  3a: {", r"28: the checklist has no such sub-item"),
        ("3a: {answer: reported,", "3a: {answer: yes indeed,", r"answers\.3a\.answer Input should be 'reported'"),
        ("3a: {answer: reported, where: Section 1}", "3a: {answer: reported}", r"answers\.3a: 'reported' needs where"),
        ("3a: {answer: reported, where: Section 1}", "3a: {answer: not reported, where: Section 1}",
         r"answers\.3a: 'not reported' has no 'where'"),
        ("3a: {answer: reported, where: Section 1}", "3a: {answer: not at hand}", r"'not at hand' needs note"),
        ("3a: {answer: reported, where: Section 1}", "3a: {answer: does not apply}", r"'does not apply' needs note"),
        ("3a: {answer: reported,", "3a: {answer: in part,", r"'in part' needs note"),
        ("3a: {answer: reported, where: Section 1}", "3a: {answer: reported, where: ' '}",
         r"answers\.3a\.where: is empty: fill it in"),
        ("3a: {answer: reported, where: Section 1}", "3a: {answer: reported, place: Section 1}", r"place is not known"),
        ("3a: {answer: reported, where: Section 1}", "3a: Section 1", r"answers\.3a must be a mapping"),
        ("findings: [S-54]", "findings: [S-540]", r"8a: the audit of strnet2026_knee has no finding 'S-540'; did you"),
        ("findings: [S-54]", "findings: [T-02]", r"8a: the audit of strnet2026_knee has no finding 'T-02'"),
        ("paper: strnet2026_knee", "paper: knee", r"'paper' is 'knee'; it must be the file name"),
    ],
)  # fmt: skip
def test_a_fault_of_an_answer_is_one_line_with_file_and_sub_item(folder, old, new, message):
    path = folder("strnet2026_knee.yaml", old, new)
    with pytest.raises(ValueError, match=rf"strnet2026_knee\.yaml:\d+: .*{message}") as caught:
        load_answers(path)
    assert "\n" not in str(caught.value)


def test_the_line_is_that_of_the_fault(folder):
    path = folder("strnet2026_knee.yaml", "  3a: {answer: reported, where: Section 1}", "  3a: {answer: reported}")
    text = (path / "strnet2026_knee.yaml").read_text(encoding="utf-8").splitlines()
    with pytest.raises(ValueError, match=rf":{text.index('  3a: {answer: reported}') + 1}: "):
        load_answers(path)


def test_a_paper_without_a_file_is_named(folder):
    path = folder("tripod-ai.yaml", "checklist: TRIPOD+AI", "checklist: TRIPOD+AI")
    (path / "chen2024_hip.yaml").unlink()
    with pytest.raises(ValueError, match=r"chen2024_hip\.yaml: there is no such file"):
        load_answers(path)


def test_a_sub_item_without_text_is_named(folder):
    path = folder("tripod-ai.yaml", '"Dates of the data"', '""')
    with pytest.raises(ValueError, match=r"tripod-ai\.yaml:\d+: items\.5b\.asks: is empty"):
        load_items(path)


def test_checks_of_trust_are_those_that_arithmetic_can_reach():
    checks = load_checks()
    assert checks.index.tolist() == ["4.4", "4.6", "4.7", "4.8", "4.9", "4.10", "4.11"]
    assert set(checks[checks["computes"] == "in part"].index) == {"4.7", "4.11"}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("by: [proportion, mean_sd,", "by: [proportions, mean_sd,", r"4\.8: the audit has no check 'proportions'; did"),
        ("chen2024_hip: [X-28]", "chen2024_hip: [X-280]", r"4\.8: the audit of chen2024_hip has no finding 'X-280'"),
        ("chen2024_hip: [X-28]", "chen2024: [X-28]", r"4\.8: there is no paper 'chen2024'; did you mean"),
        ("by: [computed, comparison, same_text]", "by: []", r"checks\.4\.11\.by List should have at least 1 item"),
    ],
)
def test_a_fault_of_a_check_is_named(folder, old, new, message):
    with pytest.raises(ValueError, match=rf"inspect-sr\.yaml:\d+: {message}"):
        load_checks(folder("inspect-sr.yaml", old, new))


def test_every_cell_of_the_grid_says_in_words_what_its_mark_shows(answers):
    text = page.grid(answers)
    assert "\n\n" not in text
    cells = re.findall(r'<td class="([\w-]+)"><span aria-hidden="true">(.)(<sup>a</sup>)?</span>'
                       r'<span class="unseen">(.*?)</span></td>', text)  # fmt: skip
    told = answers.sort_values("item", key=lambda items: items.map(load_items().index.get_loc), kind="stable")
    assert len(cells) == len(told) == 260
    for (kind, mark, more, words), row in zip(cells, told.itertuples(), strict=True):
        assert kind == row.answer.replace(" ", "-") and mark == page.MARKS[row.answer]
        said = html.unescape(words).split("; ")
        assert said[0] == row.answer and bool(more) == bool(row.findings)
        assert not row.findings or said[-1] == f"audit: {', '.join(row.findings)}"
    assert len(set(page.MARKS.values())) == len(ANSWERS)  # told apart without colour
    assert text.count('scope="rowgroup"') == 8 and text.count('scope="row"') == 52


def test_text_of_a_cell_is_never_markup(answers):
    spoiled = answers.assign(where="<script>", asks="a & b")
    assert "<script>" not in page.grid(spoiled) and "a &amp; b" in page.grid(spoiled)


@pytest.fixture
def displayed(monkeypatch):
    shown = []
    for module in (show, page):
        monkeypatch.setattr(module, "display", shown.append)
    return shown


def test_the_page_keeps_all_answers_as_files(answers, run, displayed):
    page.show_grid(run, answers)
    page.show_papers(run, answers)
    kept = pd.read_csv(run.folder / "answers.csv")
    assert len(kept) == 260 and not {"score", "sum"} & set(kept.columns)
    assert len(displayed) == 6 and all(shown.data.startswith("<details") for shown in displayed[1:])
    assert len(pd.read_csv(run.folder / "answers_chen2024_hip.csv")) == 52


def test_findings_are_counted_by_cell(run, displayed):
    """Three cells with findings, two not in full; one derived, one questioned; by hand."""
    bearing = pd.DataFrame({
        "paper": ["chen2024_hip"] * 4, "item": ["21", "21", "20a", "9b"], "asks": ["x"] * 4,
        "answer": ["in part", "in part", "reported", "not reported"], "findings": ["A", "B", "C", "D"],
    })  # fmt: skip
    verdicts = ["derived", "derived", "inconsistent", "consistent"]
    audits = {"chen2024_hip": pd.DataFrame({"id": [*"ABCD"], "verdict": verdicts, "computed": ["y"] * 4})}
    page.show_bearing(run, bearing, audits)
    assert {k: run.facts[f"n_{k}"] for k in ("bearing", "cells", "open", "derived", "questioned")} == {
        "bearing": 4, "cells": 3, "open": 2, "derived": 1, "questioned": 1,
    }  # fmt: skip


def test_examples_carry_the_verdict_of_now(run, displayed, audit):
    checks = load_checks().loc[["4.11"]]
    page.show_checks(run, checks, {paper: audit(paper) for paper in ("lee2025_hand", "lee2023_hand")})
    assert pd.read_csv(run.folder / "inspect_sr.csv")["Examples"].tolist() == [
        "L25-16 derived; L23-06 derived; L23-17 derived"
    ]
