"""The audits of the five papers: their published values as names, the findings as a table for reading."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from osteolib.report.published import printed_texts
from osteolib.runs import ROOT
from osteolib.stats.audit import load_audit, run_audit

FOLDER = ROOT / "data_manifests" / "audits"


def audit_paper(paper: str, extra: Mapping[str, str] | None = None, folder: Path = FOLDER) -> pd.DataFrame:
    """The findings of one paper, computed now.

    Parameters
    ----------
    extra
        Further names to printed texts: what the page itself computed.

    Returns
    -------
    DataFrame
        As :func:`osteolib.stats.audit.run_audit` gives it; ``attrs["dropped"]`` lists the leads that did not hold.
    """
    audit = load_audit(folder / f"{paper}.yaml", printed_texts(paper) | dict(extra or {}))
    findings = run_audit(audit).assign(paper=paper)
    findings.attrs["dropped"] = [(lead.id, lead.reason) for lead in audit.document.dropped]
    return findings


def findings_table(findings: pd.DataFrame) -> pd.DataFrame:
    """Findings under the headings that readers see."""
    shown = {
        "id": "Finding", "source": "Where", "claim": "What the paper says", "verdict": "Verdict", "sure": "Sure",
        "computed": "What we computed", "innocent": "Innocent explanation", "reader": "What to do with it",
    }  # fmt: skip
    return findings[list(shown)].rename(columns=shown)
