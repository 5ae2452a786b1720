"""The audits of the five papers: their published values as names, the findings as a table for reading."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from osteolib.runs import ROOT
from osteolib.stats.audit.audit_file import load_audit, run_audit

FOLDER = ROOT / "data_manifests" / "audits"


def audit_paper(paper: str | Path) -> pd.DataFrame:
    """The findings of one paper, computed now.

    Parameters
    ----------
    paper
        Key of one of the five, or the path of any audit file: one with the name of a paper may use its values.

    Returns
    -------
    DataFrame
        One row per finding, as :func:`osteolib.stats.audit.audit_file.run_audit` gives it; ``attrs["dropped"]`` lists
        the leads that did not hold, with the reason.

    Raises
    ------
    ValueError
        The file is not an audit, does not find what it expects, or concerns a value that the paper does not report.
    """
    path = paper if isinstance(paper, Path) else FOLDER / f"{paper}.yaml"
    audit = load_audit(path, _published(path.stem))
    for lead in audit.document.findings:
        if unknown := sorted(set(lead.concerns) - set(audit.values)):
            raise ValueError(f"{path.name}, {lead.id}: 'concerns' names no printed number: {unknown}")
    findings = run_audit(audit)
    findings.attrs["dropped"] = [(lead.id, lead.reason) for lead in audit.document.dropped]
    return findings


def _published(name: str) -> dict[str, str]:
    """Printed texts of one of the five papers; for any other file none, and then their models are not loaded."""
    if not (ROOT / "data_manifests" / "published" / f"{name}.yaml").is_file():
        return {}
    from osteolib.report.published import printed_texts

    return printed_texts(name)


def findings_table(findings: pd.DataFrame) -> pd.DataFrame:
    """Findings under the headings that readers see."""
    shown = {
        "paper": "Paper", "id": "Finding", "source": "Where", "claim": "What the paper says", "verdict": "Verdict",
        "kind": "Kind", "sure": "Sure", "computed": "What we computed", "assumes": "It assumes",
        "innocent": "Innocent explanation", "reader": "What to do with it",
    }  # fmt: skip
    return findings[[name for name in shown if name in findings]].rename(columns=shown)
