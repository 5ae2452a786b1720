"""Is the audit right in both directions? Made-up studies, honest or with a planted error, and how often it objects.

A study tests three models on one test set of 40 to 400 people, one third to one half of them positive, once or as a
mean over three runs, and prints accuracy, sensitivity, specificity, F1 and AUC with 3 or 4 decimals, rounded in one of
the three ways. The auditor sees the printed values, n and the number of runs; not the number of positives. It calls a
study inconsistent if no number of positives serves all three models, or if all three AUCs are what calls instead of
scores would give, (sensitivity + specificity) / 2. The first never happens to an honest study: the true number of
positives serves. The second would take a chance hit in all three models, of which the AUCs of scores lie well clear.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from statistics import NormalDist

import numpy as np
import pandas as pd
from statsmodels.stats.proportion import proportion_confint

from osteolib.stats.audit.confusion import RATIOS
from osteolib.stats.audit.exchange import served_by
from osteolib.stats.audit.printed import ROUNDINGS, Printed, printed

KINDS = {
    "honest": "nothing is wrong",
    "exchanged columns": "PPV and NPV stand in the columns of sensitivity and specificity",
    "wrong digit": "one digit of accuracy, sensitivity, specificity or F1 of one model is another",
    "pooled test set": "tested on another test set as well, but the n of the first is printed",
    "hard-label AUC": "the AUCs are computed from calls instead of scores",
    "impossible mean": "the accuracy of one model is invented: up to 0.02 off, never the true one",
}
COLUMNS = ("accuracy", "sensitivity", "specificity", "f1")


def detection_rates(n_studies: int = 500, seed: int = 0) -> pd.DataFrame:
    """How often the audit calls a study inconsistent, by kind of study.

    Returns
    -------
    DataFrame
        One row per kind of :data:`KINDS`: ``kind``, ``planted`` (in words), ``studies``, ``called`` inconsistent,
        ``share`` and its 95 % Wilson interval ``ci_low``, ``ci_high``.
    """
    rng = np.random.default_rng(seed)
    called = [sum(called_inconsistent(*made_up_study(kind, rng)) for _ in range(n_studies)) for kind in KINDS]
    table = pd.DataFrame({"kind": KINDS.keys(), "planted": KINDS.values(), "studies": n_studies, "called": called})
    table["ci_low"], table["ci_high"] = proportion_confint(table["called"], n_studies, method="wilson")
    return table.assign(share=table["called"] / n_studies)


def called_inconsistent(rows: Mapping[str, Mapping[str, Printed]], n: int, runs: int) -> bool:
    """The auditor: ``rows`` are model to printed values by name, ``auc`` among them."""
    matrices = {model: {name: row[name] for name in COLUMNS} for model, row in rows.items()}
    most_served = max(map(len, served_by(matrices, {}, n, runs, ROUNDINGS).values()), default=0)
    three = [[row[name].bounds() for name in ("auc", "sensitivity", "specificity")] for row in rows.values()]
    from_calls = all(a[0] <= (s[1] + p[1]) / 2 and (s[0] + p[0]) / 2 <= a[1] for a, s, p in three)
    return most_served < len(rows) or from_calls


def made_up_study(kind: str, rng: np.random.Generator) -> tuple[dict[str, dict[str, Printed]], int, int]:
    """Printed rows, printed n, and runs of one study of this kind."""
    n, runs, decimals = int(rng.integers(40, 401)), int(rng.choice([1, 3])), int(rng.choice([3, 4]))
    rounding = rng.choice(ROUNDINGS)
    tested = n + int(rng.integers(20, 401)) if kind == "pooled test set" else n
    positives = int(tested * rng.uniform(1 / 3, 1 / 2))
    holds = {"sensitivity": "ppv", "specificity": "npv"} if kind == "exchanged columns" else {}
    rows = {}
    for model in ("I", "II", "III"):
        sens, spec = map(NormalDist().inv_cdf, rng.uniform(0.6, 0.95, 2))
        sums = dict.fromkeys((*COLUMNS, "auc"), Fraction(0))
        for _ in range(runs):
            ill, well = (
                rng.normal(sens, 1, positives),
                np.sort(rng.normal(-spec, 1, tested - positives)),
            )  # called if > 0
            tp, fp = int((ill > 0).sum()), int((well > 0).sum())
            cells = (tp, fp, positives - tp, well.size - fp)
            for name in COLUMNS:
                sums[name] += Fraction(*(RATIOS[holds.get(name, name)] @ cells).tolist())
            if kind == "hard-label AUC":
                sums["auc"] += (Fraction(tp, positives) + Fraction(cells[3], well.size)) / 2
            else:  # the share of pairs in which the positive scores higher; there are no ties
                sums["auc"] += Fraction(int(np.searchsorted(well, ill).sum()), positives * well.size)
        rows[model] = {name: print_as(value / runs, decimals, rounding) for name, value in sums.items()}
    if kind in ("wrong digit", "impossible mean"):
        column = rng.choice(COLUMNS) if kind == "wrong digit" else "accuracy"
        right = int(rows["II"][column].value * 10**decimals)
        step = int(rng.integers(1, 0.02 * 10**decimals + 1))
        if kind == "wrong digit":
            place = 10 ** int(rng.integers(decimals))
            digit = right // place % 10
            step = place * ((digit + int(rng.integers(1, 10))) % 10 - digit)
        wrong = right + step if right + step <= 10**decimals else right - step
        rows["II"][column] = print_as(Fraction(wrong, 10**decimals), decimals, rounding)
    return rows, n, runs


def print_as(value: Fraction, decimals: int, rounding: str) -> Printed:
    """A value from 0 on, rounded exactly."""
    scaled = value * 10**decimals
    whole = {"half-up": (scaled + Fraction(1, 2)) // 1, "half-even": round(scaled), "truncation": scaled // 1}[rounding]
    return printed(f"{whole / 10**decimals:.{decimals}f}")
