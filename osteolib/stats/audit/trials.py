"""Is the audit right in both directions? Its own checks on made-up studies: honest ones, and ones with a planted error.

An honest study may work or write otherwise than the audit assumes and not say so; to arithmetic that looks like an
error. Each study becomes an audit file, as a reader would write it who knows the printed numbers, n and the number of
positives, and :func:`~osteolib.stats.audit.audit_file.run_audit` judges it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from statsmodels.stats.proportion import proportion_confint

from osteolib.stats.audit.audit_file import Audit, Document, run_audit
from osteolib.stats.audit.further_studies import FURTHER
from osteolib.stats.audit.honest import HONEST, Study
from osteolib.stats.audit.planted import PLANTED_ERRORS

WAYS = HONEST | PLANTED_ERRORS | FURTHER


def rates(n_studies: int = 100, seed: int = 0) -> pd.DataFrame:
    """How often the audit objects to a study, by the way it was made.

    Returns
    -------
    DataFrame
        One row per way of :data:`WAYS`: ``group``, ``way``, ``studies``, ``objected`` (share with a finding that is
        inconsistent) with its 95 % Wilson interval ``ci_low``, ``ci_high``, ``named`` (share of these whose finding
        names the way as another reading; NaN where it cannot) and ``checks`` (what objected, and how often).
    """
    table = []
    for way, about in WAYS.items():
        rng = np.random.default_rng([seed, list(WAYS).index(way)])
        objections = [objections_to(about.make(rng)) for _ in range(n_studies)]
        called = [found for found in objections if found]
        low, high = proportion_confint(len(called), n_studies, method="wilson")
        named = [about.names in " ".join(found.values()) for found in called] if about.names else []
        checks = pd.Series([check for found in called for check in found], dtype=str).value_counts()
        table.append({
            "group": about.group, "way": way, "studies": n_studies, "objected": len(called) / n_studies,
            "ci_low": low, "ci_high": high, "named": np.mean(named) if named else np.nan,
            "checks": ", ".join(f"{check} {count / n_studies:.0%}" for check, count in checks.items()),
        })  # fmt: skip
    return pd.DataFrame(table)


def objections_to(study: Study) -> dict[str, str]:
    """The checks that call a study inconsistent, each with the other readings that it names."""
    document = Document.model_validate({"study": "made up", "values": study.values, "findings": study.leads})
    audit = Audit(Path("made-up.yaml"), document, study.values, [1] * len(study.leads))
    found = run_audit(audit)
    return {lead.check: str(lead.details) for lead in found.itertuples() if lead.verdict == "inconsistent"}
