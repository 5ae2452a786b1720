"""What sort of statement a finding is, and what its check takes for granted.

Only arithmetic, the printed numbers of one paper against each other, may say "inconsistent", and only under what it
assumes; every other kind says "differs".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from osteolib.stats.audit.printed import ROUNDINGS

Kind = Literal["arithmetic", "text", "code", "convention", "model"]
KINDS: dict[Kind, str] = {
    "arithmetic": "printed numbers of one paper against each other",
    "text": "what a paper says in words, as whoever wrote the finding reads them",
    "code": "a paper against the code that was released with it",
    "convention": "a paper against a definition or a habit from outside it",
    "model": "printed numbers against a statistical model or a simulation",
}
MODELS = {  # check: its model
    "proportion_interval": "n independent units", "bootstrap_interval": "units drawn anew within each class",
    "fisher_z_ci": "pairs from a two-dimensional normal distribution", "binomial_tails": "n independent units",
    "contingency": "independent units", "fisher_exact": "independent units, fixed margins",
    "welch_test": "independent values; the ± is a sample SD", "mcnemar": "nothing changed the other way in a class",
    "hanley_mcneil_se": "exponential scores, one unit a person", "binormal_auc_se": "normal scores of one SD",
    "auc_max_se": "independent units", "auc_difference_z": "exponential scores, and the correlation that is given",
    "normal_auroc": "normal groups", "binormal_auprc": "normal scores of one SD in both classes",
    "thresholded_measurement": "normal true values and an independent normal error",
    "chance_of_spread": "test sets drawn anew for each run", "chance_run_prints_as_mean": "normal runs",
    "share_with_sibling": "a random split of many units", "split_leakage": "a random split of units",
}  # fmt: skip
ONE_SET = "one model at one threshold on one test set of n units, all with a result"
PLAIN = "F1, PPV and sensitivity of the positive class, not averaged over the classes"
ASSUMES = {
    "equation": "all numbers are of the same people, the same run and the quantity that is named",
    "comparison": "both sides are of the same people, the same run and the quantity that is named",
    "same_text": "both places describe the same thing, and the words were typed in as they stand",
    "computed": "the printed numbers are right",
    "note": "the paper was read as it was meant",
    "proportion": "a share of n units, all with a result",
    "mean_sd": "one test set of n units for all runs; the ± is an SD, not a standard error",
    "f1_runs": "one test set of n units for all runs; the ± are SDs; F1 of the positive class",
    "member_of_sample": "the value is one of the n; the ± is an SD, not a standard error",
    "confusion": f"{ONE_SET}; counts added up over folds are one test set; {PLAIN}",
    "fold_means": "every fold has the size that is given, with a result for each unit; each counts alike in the mean",
    "class_averages": "each person is in one class and called one, in one run; no class is left out of a mean",
    "matrix": f"{ONE_SET}; {PLAIN}",
    "exchange": f"every row is {ONE_SET}, the same in all rows; {PLAIN}",
    "pooled": f"every row is {ONE_SET}, the same in all rows; {PLAIN}",
    "constant_classifier": "one decision for all n units",
    "auc_of_labels": "area and operating point are of one curve on one test set",
    "p_of_means": "a t-test or normal test of two independent groups was meant, with all of the people that are given",
    "p_of_table": "a test of independence of these very counts was meant",
    "regression_errors": "all are of the same n predictions, in one unit; R2 is 1 - MSE / variance, not r squared",
    "bland_altman": "limits at 1.96 or 2 SDs, one pair a person, and an interval by a formula, not by a bootstrap",
}


ANY_FORMULA = ("equation", "comparison", "computed", "same_text", "note")


def kind_of(check: str, claimed: Kind | None = None) -> Kind:
    """The kind of a finding: that of its check, or another that its author claims.

    Raises
    ------
    ValueError
        Arithmetic is claimed for a check of words, or of a model.
    """
    own: Kind = "model" if check in MODELS else "text" if check in ("same_text", "note") else "arithmetic"
    if claimed == "arithmetic" != own:
        raise ValueError(f"kind: {check} is no arithmetic ({KINDS[own]}): write {own}, or leave it out")
    return claimed or own


def assumptions(check: str, arguments: Mapping[str, Any], of_author: str = "") -> list[str]:
    """What a check with these arguments takes for granted, in words.

    Parameters
    ----------
    arguments
        As the function of the check gets them.
    of_author
        What the finding itself says that it assumes; it takes the place of what a check of any formula would say.
    """
    runs, roundings = arguments.get("runs"), arguments.get("roundings")
    own = ASSUMES.get(check) or MODELS.get(check) or "the printed numbers are right"
    said = [of_author] if of_author and check in ANY_FORMULA else [of_author, own] if of_author else [own]
    if runs is not None and check in ("proportion", "confusion", "exchange", "pooled"):
        said.append("one run" if runs == 1 else f"a mean over {runs} runs on this test set")
    if roundings is not None:
        other = "rounded once, to the nearest or by cutting off"
        said.append(other if set(roundings) >= set(ROUNDINGS) else f"rounded {' or '.join(roundings)}")
        if arguments.get("one_rounding"):
            said.append("in the same way throughout")
    return said
