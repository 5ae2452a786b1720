"""Numbers of the page on the results of the CT study: by row, site and level, beside the printed ones."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import pandas as pd

from osteolib.report.audit_ct import AS_PPV_NPV, PATIENTS, SITES, VERTEBRAE, Tables, read_tables
from osteolib.report.compared import Comparison
from osteolib.report.comparison import compare_scores
from osteolib.report.published import printed_texts
from osteolib.runs.run import PREDICTION_COLUMNS
from osteolib.screen import ct_ladder as ladder
from osteolib.screen.ct_patients import CUT, patients
from osteolib.stats.audit import ROUNDINGS, ConfusionMatrix, nearest_matrix
from osteolib.stats.audit.exchange import served_by

PAPER = "tpswav2025_ct"
ALL = "all"
METRICS = {"accuracy": "accuracy", "sensitivity": "sensitivity", "specificity": "specificity", "ppv": "PPV",
           "npv": "NPV", "f1": "F1", "auroc": "AUROC"}  # fmt: skip
UNITS = {VERTEBRAE: "vertebrae", PATIENTS: "patients"}
Scored = Mapping[str, pd.DataFrame]  # by row of the ladder: vertebrae as scored_test gives them


def units(scored: Scored, level: str, site: str) -> dict[str, pd.DataFrame]:
    """Vertebrae or patients of one site, or of all, by row."""
    tables = {name: patients(rows) if level == PATIENTS else rows for name, rows in scored.items()}
    return {name: rows[rows["site"].eq(site) | (site == ALL)] for name, rows in tables.items()}


def measured(here: Scored, level: str, n_boot: int, seed: int) -> tuple[Comparison | None, str]:
    """The measures of Tables 2 and 3 of each row with intervals that resample patients, or None and why not.

    ``here`` is of :func:`units` at this level.
    """
    first = next(iter(here.values()))
    if first["y"].nunique() < 2:
        return None, "all of one class" if len(first) else f"no {UNITS[level]} in the test"
    scores = {name: rows["score"].to_numpy() for name, rows in here.items()}
    how = {"groups": first["subject_id"], "threshold": CUT, "n_boot": n_boot, "seed": seed}
    return compare_scores(first["y"], scores, list(METRICS), **how), ""


def every_measure(scored: Scored, n_boot: int, seed: int) -> dict[tuple[str, str], tuple[Comparison | None, str]]:
    """:func:`measured` of each level and site, and of all sites together."""
    return {(level, site): measured(units(scored, level, site), level, n_boot, seed)
            for level in UNITS for site in (*SITES, ALL)}  # fmt: skip


@cache
def printed_tables() -> tuple[Tables, dict[tuple[str, str, str], tuple[ConfusionMatrix, dict[str, float]]]]:
    """Tables 2 and 3, and by table, site and printed row the matrix that the audit's reading gives."""
    tables = read_tables()
    found = {}
    for (level, site), rows in tables.rows.items():
        n = tables.size[level][site]
        served = served_by(rows, AS_PPV_NPV, n, 1, ROUNDINGS)
        positives = max(served, key=lambda key: len(served[key]))[1]
        found |= {(level, site, m): nearest_matrix(n, positives, AS_PPV_NPV, row) for m, row in rows.items()}
    return tables, found


def site_table(found: tuple[Comparison | None, str], level: str, site: str) -> pd.DataFrame:
    """Ours, the print under its own heads, and the print as the audit reads it: a line a row, per cent."""
    tables, matrices = printed_tables()
    comparison, _ = found
    lines = []
    for name in ladder.TABLE_2 if comparison else ():
        there = set(comparison.rows.loc[comparison.rows["method"] == name, "metric"])
        cells = {head: comparison.text(name, key, ".0f", 100) if key in there else "–" for key, head in METRICS.items()}
        lines.append({"kind": "phantom", "row": name, **cells})
    for kind in ("printed, as headed", "printed, as the audit reads it"):
        for name in ladder.TABLE_2:
            model = ladder.LADDER[name].printed
            row, (matrix, off) = tables.rows[level, site][model], matrices[level, site, model]
            cells = dict.fromkeys(METRICS.values(), "–")
            cells |= {METRICS[key]: f"{100 * float(value.value):.2f}" for key, value in row.items()}
            if kind != "printed, as headed":
                told = len(off) <= 1  # else no matrix of this site's own units is near
                cells |= {METRICS[to]: f"{100 * float(row[key].value):.2f}" for key, to in AS_PPV_NPV.items()}
                cells |= {METRICS[key]: f"{100 * matrix.metric(key):.1f}" if told else "–" for key in AS_PPV_NPV}
            lines.append({"kind": kind, "row": name, **cells})
    return pd.DataFrame(lines)


def losses(found: Mapping[tuple[str, str], tuple[Comparison | None, str]]) -> pd.DataFrame:
    """Table 4: F1 of vertebrae in per cent by loss and site, all from random weights."""
    printed = printed_values()
    lines = []
    for name in ladder.TABLE_4:
        cells = {}
        for site in SITES:
            comparison, _ = found[VERTEBRAE, site]
            cells[f"Site {site}"] = comparison.text(name, "f1", ".0f", 100) if comparison else "–"
        lines.append({"kind": "phantom", "loss": _loss(name), **cells})
    for name, short in ladder.TABLE_4.items():
        cells = {f"Site {s}": printed[f"{PAPER}.T4.{short}.{s}"].removesuffix(" %") for s in SITES}
        lines.append({"kind": "printed", "loss": _loss(name), **cells})
    return pd.DataFrame(lines)


def _loss(name: str) -> str:
    return "class" if name == ladder.SCRATCH else name.removeprefix("scratch, ")


def predictions(scored: Scored, cohort: str, seed: int) -> pd.DataFrame:
    """All predictions for the test vertebrae in the columns of the contract."""
    parts = [
        rows[["subject_id", "image_id", "unit_id"]].assign(
            cohort=cohort, split="test", fold=0, seed=seed, method=name, target="osteoporosis",
            y_true=rows["y"].astype(float), y_score=rows["score"].astype(float))
        for name, rows in scored.items()
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True)[list(PREDICTION_COLUMNS)]


@cache
def printed_values() -> dict[str, str]:
    """What the paper prints, by id, as text."""
    return printed_texts(PAPER)
