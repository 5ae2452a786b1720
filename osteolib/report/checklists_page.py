"""What the page on reporting shows and records: papers beside sub-items, each paper by itself, the audit beside both.

``answers`` and ``checks`` come from :mod:`osteolib.report.checklists`; ``audits`` are the findings by key of the paper.
"""

from __future__ import annotations

import html
from collections.abc import Mapping

import pandas as pd
from IPython.display import HTML, display

from osteolib.report.checklists import ANSWERS
from osteolib.report.show import say, table
from osteolib.runs import Run
from osteolib.runs.csv_text import csv_text

PAPER = {
    "strnet2026_knee": "Knee 2026", "lee2025_hand": "Hand 2025", "lee2023_hand": "Hand 2023",
    "chen2024_hip": "Hip 2024", "tpswav2025_ct": "CT 2025",
}  # fmt: skip
MARKS = dict(zip(ANSWERS, "●◐○–?", strict=True))
MEANS = {
    "reported": "reported", "in part": "in part", "not reported": "not reported in the text at hand",
    "does not apply": "does not apply", "not at hand": "would stand in a part that is not at hand",
}  # fmt: skip


def show_grid(run: Run, answers: pd.DataFrame) -> None:
    """Sub-items by papers, a mark a cell; a screen reader hears the word, the place and the findings."""
    run.write("answers.csv", csv_text(answers.assign(findings=answers["findings"].str.join(" "))))
    display(HTML(grid(answers)))


def grid(answers: pd.DataFrame) -> str:
    """The grid as HTML without an empty line; all text is escaped."""
    papers = answers["paper"].unique()
    head = "".join(f'<th scope="col">{html.escape(PAPER[paper])}</th>' for paper in papers)
    bodies = []
    for section, part in answers.groupby("section", sort=False):
        title = f'<tr class="group"><th colspan="{len(papers) + 1}" scope="rowgroup">{html.escape(section)}</th></tr>'
        rows = []
        for (item, asks), cells in part.groupby(["item", "asks"], sort=False):
            row = f'<th scope="row"><b>{html.escape(item)}</b> {html.escape(asks)}</th>'
            rows.append(f"<tr>{row}{''.join(map(_cell, cells.to_dict('records')))}</tr>")
        bodies.append("<tbody>\n" + "\n".join([title, *rows]) + "\n</tbody>")
    legend = "".join(f"<li><span aria-hidden='true'>{MARKS[a]}</span> {MEANS[a]}</li>" for a in ANSWERS)
    return (
        f'<div class="checklist">\n<ul>{legend}<li><sup>a</sup> a finding of the audit bears on it</li></ul>\n'
        "<table>\n<caption>Five papers and the 52 sub-items of TRIPOD+AI</caption>\n"
        f'<thead><tr><th scope="col">Sub-item</th>{head}</tr></thead>\n' + "\n".join(bodies) + "\n</table>\n</div>"
    )


def _cell(cell: Mapping[str, str | tuple[str, ...]]) -> str:
    told = [cell["answer"], cell["where"], cell["findings"] and f"audit: {', '.join(cell['findings'])}"]
    more = "<sup>a</sup>" if cell["findings"] else ""
    mark = f'<span aria-hidden="true">{MARKS[cell["answer"]]}{more}</span>'
    kind = cell["answer"].replace(" ", "-")
    return f'<td class="{kind}">{mark}<span class="unseen">{html.escape("; ".join(filter(None, told)))}</span></td>'


def show_papers(run: Run, answers: pd.DataFrame) -> None:
    """A folded table for each paper: the answer, and where it stands, what is missing or why, and the findings."""
    for paper, part in answers.groupby("paper", sort=False):
        audit = part["findings"].str.join(", ").map(lambda ids: f"Audit: {ids}." if ids else "")
        where = part["where"].map(lambda place: f"{place}." if place else "")
        shown = pd.DataFrame({
            "Sub-item": part["item"] + " " + part["asks"], "Section": part["section"], "Answer": part["answer"],
            "Where; what is missing, or why": where + " " + part["note"] + " " + audit,
        })  # fmt: skip
        caption = f"{PAPER[paper]}. Read: {part['at_hand'].iloc[0]}"
        table(run, f"answers_{paper}", shown, caption, index=False, group="Section", chips={"Answer"},
              folded=f"{PAPER[paper]}: where each sub-item is answered")  # fmt: skip


def show_alike(run: Run, answers: pd.DataFrame, everywhere: pd.Index, nowhere: pd.Index) -> None:
    """Sub-items that all report in full, and those of which none tells anything, where they apply and could be read."""
    asks = answers.drop_duplicates("item").set_index("item")["asks"]
    both = {"all report it": everywhere, "none does": nowhere}
    rows = [(item, text, group) for group, items in both.items() for item, text in asks.items() if item in items]
    table(run, "alike", pd.DataFrame(rows, columns=["Sub-item", "What it asks", "In the text at hand"]),
          "Where the five papers are alike", index=False)  # fmt: skip
    run.fact(n_everywhere=len(everywhere), n_nowhere=len(nowhere), n_items=len(asks))
    say(
        run,
        "On {n_everywhere} of {n_items} sub-items every paper says what is asked, on {n_nowhere} none says anything. "
        "Some of these take one sentence: that no protocol was published, that no patients were consulted.",
    )


def show_bearing(run: Run, bearing: pd.DataFrame, audits: Mapping[str, pd.DataFrame]) -> None:
    """What the audit computes beside an item: ``bearing`` are rows of the answers with one finding each."""
    found = pd.concat(audits, names=["paper"]).reset_index("paper").set_index(["paper", "id"])
    rows = bearing.join(found[["verdict", "computed"]], on=["paper", "findings"])
    shown = pd.DataFrame({
        "Sub-item": rows["item"] + " " + rows["asks"], "Paper": rows["paper"].map(PAPER), "Answer": rows["answer"],
        "Finding": rows["findings"], "Verdict": rows["verdict"], "What the audit computes": rows["computed"],
    })  # fmt: skip
    table(run, "bearing", shown, "Findings of the audit by the sub-item that they bear on", index=False,
          filters=("Paper", "Answer", "Verdict"), chips={"Answer", "Verdict"},
          folded=f"The {len(rows)} findings, to sort and to search")  # fmt: skip
    cells = ["paper", "item"]
    full = rows["answer"] == "reported"
    run.fact(
        n_bearing=len(rows.drop_duplicates(["paper", "findings"])),
        n_cells=len(rows.drop_duplicates(cells)),
        n_open=len(rows[~full].drop_duplicates(cells)),
        n_derived=len(rows[~full & (rows["verdict"] == "derived")].drop_duplicates(cells)),
        n_questioned=len(rows[full & (rows["verdict"] == "inconsistent")].drop_duplicates(cells)),
    )
    say(
        run,
        "{n_bearing} findings bear on {n_cells} cells of the grid. {n_open} of these cells are not reported in full; "
        "in {n_derived} of them the audit derives a number, or a reading, that is not printed. In {n_questioned} cells "
        "an item is reported and a finding on it is inconsistent, under what that finding assumes.",
    )


def show_checks(run: Run, checks: pd.DataFrame, audits: Mapping[str, pd.DataFrame]) -> None:
    """Checks of INSPECT-SR, what in the audit computes them, and examples with the verdict that the audit finds now."""
    verdict = {(paper, row.id): row.verdict for paper, found in audits.items() for row in found.itertuples()}
    examples = [
        "; ".join(f"{name} {verdict[paper, name]}" for paper, ids in check.items() for name in ids)
        for check in checks["findings"]
    ]
    behind = ["Examples", "Left to a reader"]
    shown = pd.DataFrame({
        "Check": checks.index, "What it asks": checks["asks"], "Computed": checks["computes"],
        "By these checks of the audit": checks["by"].str.join(", "),
        **dict(zip(behind, (examples, checks["limit"]), strict=True)),
    })  # fmt: skip
    table(run, "inspect_sr", shown, "Checks of INSPECT-SR that the audit computes; a click opens examples",
          index=False, folds={"What it asks": behind})  # fmt: skip
