"""What the pages on published numbers share: the table of findings, weightiest first, and counts of verdicts."""

from __future__ import annotations

import pandas as pd

from osteolib.report.audits import findings_table
from osteolib.report.show import say, table
from osteolib.runs import Run

WEIGHT = ("inconsistent", "differs", "derived", "not checkable", "consistent")
SURE = ("high", "medium", "low", "")
BEHIND = ["Where", "What we computed", "It assumes", "Innocent explanation", "What to do with it"]
SUMMARY = (
    "{n} findings: **{consistent} conditions hold**, {inconsistent} do not ({strong} of them with medium or high "
    "certainty), {differs} differ from words, code or a convention, {derived} are numbers or readings that follow from "
    "the printed ones, and {not_checkable} no arithmetic decides. A click on a claim opens what was computed, what "
    "that assumes, an innocent explanation, and what to do with it."
)


def by_weight(findings: pd.DataFrame) -> pd.DataFrame:
    """Findings with those first that a reader must know: by verdict (:data:`WEIGHT`), then by how sure we are."""
    place = {"verdict": WEIGHT.index, "sure": SURE.index}
    return findings.sort_values(["verdict", "sure"], key=lambda column: column.map(place[column.name]), kind="stable")


def verdict_counts(findings: pd.DataFrame) -> dict[str, int]:
    """How many findings there are in all (``n``), with each verdict, and ``strong``: inconsistent and not unsure."""
    counts = findings["verdict"].value_counts()
    strong = (findings["verdict"] == "inconsistent") & (findings["sure"] != "low")
    return {"n": len(findings), "strong": int(strong.sum())} | {
        verdict.replace(" ", "_"): int(counts.get(verdict, 0)) for verdict in WEIGHT
    }


def show_findings(run: Run, caption: str, **audits: pd.DataFrame) -> None:
    """One table of all findings of a page, and behind a line the leads that were dropped; both are kept as CSV.

    Parameters
    ----------
    audits
        What :func:`~osteolib.report.audits.audit_paper` gives, by the name of the paper (of which only more than one
        is shown).
    """
    first = ["Paper"] if len(audits) > 1 else []
    whole = pd.concat([found.assign(paper=name) for name, found in audits.items()])
    run.fact(**verdict_counts(whole))
    say(run, SUMMARY)
    sorts = ("Verdict", "Kind", "Sure")
    shown = findings_table(by_weight(whole))[[*first, "Finding", *sorts, "What the paper says", *BEHIND]]
    options = {"filters": (*first, *sorts), "chips": {"Verdict"}, "folds": {"What the paper says": BEHIND}}
    table(run, "findings", shown, caption, index=False, **options)
    leads = [lead for found in audits.values() for lead in found.attrs["dropped"]]
    if leads:
        dropped = pd.DataFrame(leads, columns=["lead", "why it was dropped"])
        line = f"Looked at and left out ({len(dropped)})"
        table(run, "dropped", dropped, "Leads that did not hold, or belong elsewhere", index=False, folded=line)
