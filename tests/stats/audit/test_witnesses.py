"""A witness is counts that print as the row does: true ones are let through, others are not."""

from fractions import Fraction

import numpy as np
import pytest

from osteolib.stats.audit import printed
from osteolib.stats.audit.checks import CHECKS
from osteolib.stats.audit.honest import ASSUMED
from osteolib.stats.audit.printed import ROUNDINGS
from osteolib.stats.audit.trials import WAYS, findings_of, ways_of
from osteolib.stats.audit.witnesses import WITNESSES, has_witness, some_table_prints


@pytest.mark.parametrize("check", WITNESSES)
def test_an_honest_study_has_a_witness(check):
    """Of one run: that of a mean over runs is a sum, which is not looked for."""
    for way in ways_of(check, ASSUMED):
        rng = np.random.default_rng(2)
        findings = [finding for _ in range(3) for finding in findings_of(check, WAYS[way].make(rng))]
        kept = [(outcome, given) for outcome, given in findings if check in ("proportion", "mean_sd", "f1_runs")
                or given.get("runs", 1) == 1]  # fmt: skip
        assert all(has_witness(check, given, outcome.computed) for outcome, given in kept)


OTHER = {  # what a check may have found, and other counts that do not print so
    "proportion": ({"value": printed("0.80"), "n": 10}, {"counts": [7]}),
    "mean_sd": ({"mean": printed("0.80"), "sd": printed("0.10"), "n": 10, "runs": 3},
                {"sample": [(8, 8, 8)], "population": []}),
    "f1_runs": ({"accuracy": printed("0.80"), "accuracy_sd": printed("0.10"), "f1": printed("0.80"),
                 "f1_sd": printed("0.10"), "n": 10}, {"solutions": [((7, 4), (8, 4), (9, 5))]}),
    "confusion": ({"reported": {"accuracy": printed("0.85")}, "n": 10, "positives": 5, "one_rounding": False}, {}),
    "exchange": ({"rows": {"m": {"sensitivity": printed("0.80")}}, "n": 10}, {"as_printed": {"best_positives": 3}}),
    "pooled": ({"rows": {"m": {"sensitivity": printed("0.97")}}, "n": 10}, {}),
    "fold_means": ({"reported": {"accuracy": printed("0.80")}, "worst": None, "best": {"accuracy": printed("0.85")}},
                   {"sizes": [(5, 5), (5, 5)], "counts": [(5, 4), (4, 3)]}),
    "class_averages": ({"reported": {"accuracy": printed("0.80")}, "sizes": [5, 5]},
                       {"right": [4, 4], "wrong": [2, 0]}),
}  # fmt: skip


@pytest.mark.parametrize("check", OTHER)
def test_counts_that_print_otherwise_are_no_witness(check):
    given, computed = OTHER[check]
    assert check in CHECKS and OTHER.keys() == WITNESSES.keys()
    assert not has_witness(check, {"runs": 1, "roundings": [*ROUNDINGS]} | given, computed)


def test_a_check_without_counts_has_none_and_a_table_is_looked_for_in_one_way_of_rounding():
    assert not has_witness("equation", {}, {})
    row = {"sensitivity": printed("0.894"), "specificity": printed("0.852")}  # 17 of 19 cut off, 23 of 27 rounded
    assert Fraction(17, 19) > Fraction("0.8945") and some_table_prints(row, 46, 19, [*ROUNDINGS])
    given = {"reported": row, "n": 46, "positives": 19, "runs": 1, "roundings": [*ROUNDINGS]}
    assert has_witness("confusion", given | {"one_rounding": False}, {})
    assert not has_witness("confusion", given | {"one_rounding": True}, {})
