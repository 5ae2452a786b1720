"""Numbers of the page on the results of the CT study: by row, site and level, beside the printed ones.

Method checks, fixed before any result of the rows with a start was seen. On all test vertebrae, by the difference in
AUROC with patients resampled; 1 if the interval lies above zero, else 0, which says "not shown here":

- TP-SwAV above SwAV, both with the class alone (answers ``T2.A.ResNet34|TP-SwAV|Lclass.f1``);
- unified above class, both from TP-SwAV (``T2.A.ResNet34|TP-SwAV|Lunified.f1``);
- a mixture of experts above a single head, both unified and from TP-SwAV (``T2.A.ResNet34+MoE|TP-SwAV|Lunified.f1``);
- unified above class, both from random weights (``T4.Lunified.A``).

And by the rates of patients: the closed form of "any positive" with errors as alike as measured, within the intervals
of what patients with three or four labelled vertebrae show (``T3.A.ResNet34+MoE|TP-SwAV|Lunified.f1``). Amended after a
first look: an interval of one point (a sensitivity of 1 in every draw) decides nothing, and no check is recorded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np
import pandas as pd

from osteolib.report.audit_ct import AS_PPV_NPV, PATIENTS, SITES, VERTEBRAE, Tables, read_tables
from osteolib.report.compared import Comparison
from osteolib.report.comparison import compare_scores
from osteolib.report.published import printed_texts
from osteolib.runs.run import PREDICTION_COLUMNS
from osteolib.screen import ct_ladder as ladder
from osteolib.screen.ct_patients import CUT, patients
from osteolib.stats import bootstrap_difference, delong_test
from osteolib.stats.audit import ROUNDINGS, ConfusionMatrix, nearest_matrix
from osteolib.stats.audit.exchange import served_by
from osteolib.stats.paired_calls import exchanged_by_person, mcnemar_exact, paired_t, right_and_error

PAPER = "tpswav2025_ct"
ALL = "all"
METRICS = {"accuracy": "accuracy", "sensitivity": "sensitivity", "specificity": "specificity", "ppv": "PPV",
           "npv": "NPV", "f1": "F1", "auroc": "AUROC"}  # fmt: skip
UNITS = {VERTEBRAE: "vertebrae", PATIENTS: "patients"}
CONTRASTS = (
    (ladder.TP_SWAV, ladder.SWAV), (ladder.SINGLE, ladder.TP_SWAV), (ladder.FULL, ladder.SINGLE),
    (ladder.SCRATCH_UNIFIED, ladder.SCRATCH), (ladder.FULL, ladder.SCRATCH), (ladder.AGAIN, ladder.SCRATCH),
)  # fmt: skip
"""Method and reference; the last is the control: nothing but the seed differs."""
MIXTURE = CONTRASTS[2]
CHECKS = {
    CONTRASTS[0]: "T2.A.ResNet34|TP-SwAV|Lclass.f1", CONTRASTS[1]: "T2.A.ResNet34|TP-SwAV|Lunified.f1",
    MIXTURE: "T2.A.ResNet34+MoE|TP-SwAV|Lunified.f1", CONTRASTS[3]: "T4.Lunified.A",
}  # fmt: skip
Z, POWER_Z = 1.959963984540054, 0.8416212335729143
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


def differences(
    scored: Scored, site: str, n_boot: int, seed: int, contrasts: Sequence[tuple[str, str]] = CONTRASTS
) -> pd.DataFrame:
    """Of each contrast F1 and AUROC of vertebrae: difference, interval over patients, and over vertebrae as if alone.

    Returns
    -------
    ``method, reference, metric, value, ci_low, ci_high, alone_low, alone_high, n, people``; empty where a site has one
    class.
    """
    here, rows = units(scored, VERTEBRAE, site), []
    for method, reference in contrasts:
        a, b = here[reference], here[method]
        if a["y"].nunique() < 2:
            continue
        for metric in ("f1", "auroc"):
            given = (a["y"], a["score"], b["score"], metric, CUT, n_boot)
            d = bootstrap_difference(*given, groups=a["subject_id"], seed=seed)
            alone = bootstrap_difference(*given, seed=seed)
            rows.append((method, reference, metric, d.difference, *d.ci, *alone.ci, d.n, d.n_subjects))
    columns = ["method", "reference", "metric", "value", "ci_low", "ci_high", "alone_low", "alone_high", "n", "people"]
    return pd.DataFrame(rows, columns=columns)


def difference_of(frame: pd.DataFrame, method: str, reference: str, metric: str):
    """One row of :func:`differences` as a named tuple, or None where there is none."""
    same = frame["method"].eq(method) & frame["reference"].eq(reference) & frame["metric"].eq(metric)
    return next(frame[same].itertuples(), None)


def tested(scored: Scored, n_draws: int, seed: int) -> pd.DataFrame:
    """p of each contrast on all test vertebrae, by tests that count vertebrae and by two that count patients.

    ``false_stars`` and ``false_three``: how often the paired t-test of probabilities falls below 0.05 and 0.001 when
    the two networks are exchanged patient by patient.
    """
    rows = []
    for method, reference in CONTRASTS:
        a, b = scored[reference], scored[method]
        y, people = a["y"].to_numpy(), a["subject_id"]
        (right_a, error_a), (right_b, error_b) = (right_and_error(y, s["score"], CUT) for s in (a, b))
        swapped = exchanged_by_person(error_b - error_a, people, n_draws, seed)
        try:
            delong = [delong_test(y, a["score"], b["score"], groups=g).p for g in (None, people)]
        except ValueError:  # fewer than two persons of a class, or no variance
            delong = [np.nan, np.nan]
        rows.append({
            "method": method, "reference": reference, "t_right": paired_t(right_b - right_a),
            "t_error": paired_t(error_b - error_a), "mcnemar": mcnemar_exact(y, a["score"] >= CUT, b["score"] >= CUT),
            "delong": delong[0], "delong_patients": delong[1], "exchanged": swapped.p,
            "false_stars": swapped.t_below[0.05], "false_three": swapped.t_below[0.001],
        })  # fmt: skip
    return pd.DataFrame(rows)


def power(by_site: Mapping[str, pd.DataFrame], all_sites: pd.DataFrame) -> pd.DataFrame:
    """What a paired F1 difference of the full model and a single head can show, here and at the paper's size.

    The half width of the 95 % interval shrinks with the square root of the number of patients. What a site of the
    paper would have (``at_paper``) is taken from our interval of all sites; ``needed`` patients show the printed
    difference with a power of 80 %.

    Parameters
    ----------
    by_site, all_sites
        :func:`differences` of each site, and of all: of :data:`MIXTURE` at least.
    """
    tables, _ = printed_tables()
    every = difference_of(all_sites, *MIXTURE, "f1")
    whole = 50 * (every.ci_high - every.ci_low) if every is not None else np.nan
    whole, people = whole or np.nan, every.people if every is not None else 0
    rows = []
    for site, frame in by_site.items():
        gap = printed_gaps()[MIXTURE][SITES.index(site)]
        paper, d = tables.size[PATIENTS][site], difference_of(frame, *MIXTURE, "f1")
        half, here = (50 * (d.ci_high - d.ci_low), int(d.people)) if d is not None else (np.nan, 0)
        needed = people * ((1 + POWER_Z / Z) * whole / gap) ** 2
        rows.append((site, here, half or np.nan, paper, whole * np.sqrt(people / paper), gap, needed))
    return pd.DataFrame(rows, columns=["site", "people", "half", "paper", "at_paper", "gap", "needed"])


def losses(found: Mapping[tuple[str, str], tuple[Comparison | None, str]]) -> pd.DataFrame:
    """Table 4: F1 of vertebrae in per cent by loss and site, all from random weights."""
    printed = _texts()
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


def printed_gaps() -> dict[tuple[str, str], list[float]]:
    """By contrast, the differences in F1 (points) of vertebrae that the paper prints for sites A to D."""
    texts = {name: float(text.removesuffix(" %")) for name, text in _texts().items() if ".T" in name}
    ids = {name: [f"{PAPER}.T2.{s}.{rung.printed}.f1" for s in SITES] for name, rung in ladder.LADDER.items()}
    ids |= {name: [f"{PAPER}.T4.{short}.{s}" for s in SITES] for name, short in ladder.TABLE_4.items()}
    both = [(m, r) for m, r in CONTRASTS if ids[m][0] in texts and ids[r][0] in texts]
    return {(m, r): [texts[a] - texts[b] for a, b in zip(ids[m], ids[r], strict=True)] for m, r in both}


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
def _texts() -> dict[str, str]:
    return printed_texts(PAPER)
