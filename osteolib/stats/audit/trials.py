"""Is the audit right in both directions? Its own checks on made-up studies: honest ones, and ones with a planted error.

An honest study may work or write otherwise than the audit assumes and not say so; to arithmetic that looks like an
error. Each study becomes an audit file, as a reader would write it who knows the printed numbers, n and the number of
positives, and :func:`~osteolib.stats.audit.audit_file.run_audit` judges it. Each check
can be tried by itself as well, in both directions.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from statsmodels.stats.proportion import proportion_confint

from osteolib.stats.audit.audit_file import Audit, Document, perform, run_audit
from osteolib.stats.audit.checks import CHECKS
from osteolib.stats.audit.claim_studies import CLAIMS
from osteolib.stats.audit.further_studies import FURTHER
from osteolib.stats.audit.honest import ASSUMED, HONEST, PLANTED, Study
from osteolib.stats.audit.outcome import Outcome
from osteolib.stats.audit.planted import PLANTED_ERRORS
from osteolib.stats.audit.witnesses import has_witness

WAYS = HONEST | PLANTED_ERRORS | FURTHER | CLAIMS
ERRORS_OF = {  # checks whose consistent findings carry no counts: the planted errors that they must see
    "equation": ["an accuracy 3 to 9 digits too low"],
    "auc_of_labels": ["an AUC too low for its row"],
}


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


def by_check(check: str, n_studies: int, seed: int = 0, first: int = 0) -> dict[str, int]:
    """How often one check is right in either direction, of so many honest studies and of so many with an error.

    Studies have numbers, from ``first`` on, which draw them whatever was drawn before: counts of two parts add up.

    Returns
    -------
    dict
        ``honest`` studies that work as the check assumes, and how many it ``accused``; studies with a ``planted``
        error, how many of these are ``invisible`` to any arithmetic (:mod:`~osteolib.stats.audit.witnesses`), and how
        many it ``found``. The ways of working, and the errors, take turns.
    """
    counted = dict.fromkeys(("honest", "accused", "planted", "invisible", "found"), 0)
    for group, studies, called in ((ASSUMED, "honest", "accused"), (PLANTED, "planted", "found")):
        ways = ways_of(check, group)
        for number in range(first, first + n_studies):
            way = ways[number % len(ways)]
            study = WAYS[way].make(np.random.default_rng([seed, list(WAYS).index(way), number]))
            findings = findings_of(check, study)
            accused = any(outcome.verdict == "inconsistent" for outcome, _ in findings)
            counted[studies] += 1
            counted[called] += accused
            if group == PLANTED and not accused:
                counted["invisible"] += all(has_witness(check, given, outcome.computed) for outcome, given in findings)
    return counted


def checks_tried() -> list[str]:
    """The checks that some honest study and some planted error ask for."""
    return [check for check in CHECKS if all(ways_of(check, group) for group in (ASSUMED, PLANTED))]


def ways_of(check: str, group: str) -> list[str]:
    """Ways of working, or errors, whose studies ask for a check."""
    if group == PLANTED and check in ERRORS_OF:
        return ERRORS_OF[check]
    return [way for way, about in WAYS.items() if about.group == group and check in _asked(way)]


@cache
def _asked(way: str) -> set[str]:
    return {found["check"] for found in WAYS[way].make(np.random.default_rng(0)).leads}


def findings_of(check: str, study: Study) -> list[tuple[Outcome, dict[str, Any]]]:
    """What a check finds in each row that a study asks it about, and the arguments that it was given."""
    asked = [found for found in study.leads if found["check"] == check]
    return [perform(check, found["with"] | row, study.values)
            for found in asked for row in (found["rows"] or {"": {}}).values()]  # fmt: skip
