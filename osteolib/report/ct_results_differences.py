"""Paired differences of the rows of the CT study: intervals, tests, and how many patients they take.

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

import numpy as np
import pandas as pd

from osteolib.report.audit_ct import PATIENTS, SITES, VERTEBRAE
from osteolib.report.ct_results_rows import PAPER, Scored, printed_tables, printed_values, units
from osteolib.screen import ct_ladder as ladder
from osteolib.screen.ct_patients import CUT
from osteolib.stats import bootstrap_difference, delong_test
from osteolib.stats.paired_calls import exchanged_by_person, mcnemar_exact, paired_t, right_and_error

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


def printed_gaps() -> dict[tuple[str, str], list[float]]:
    """By contrast, the differences in F1 (points) of vertebrae that the paper prints for sites A to D."""
    texts = {name: float(text.removesuffix(" %")) for name, text in printed_values().items() if ".T" in name}
    ids = {name: [f"{PAPER}.T2.{s}.{rung.printed}.f1" for s in SITES] for name, rung in ladder.LADDER.items()}
    ids |= {name: [f"{PAPER}.T4.{short}.{s}" for s in SITES] for name, short in ladder.TABLE_4.items()}
    both = [(m, r) for m, r in CONTRASTS if ids[m][0] in texts and ids[r][0] in texts]
    return {(m, r): [texts[a] - texts[b] for a, b in zip(ids[m], ids[r], strict=True)] for m, r in both}
