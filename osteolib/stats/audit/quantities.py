"""Quantities that follow from printed numbers and decide nothing by themselves: checks whose verdict is "derived".

Each is a function of :mod:`osteolib.stats.audit` or a call of scipy. In an audit file it is used like any check:
``check: hanley_mcneil_se, with: {auc: auc, n_pos: 48, n_neg: 119}``.
"""

from __future__ import annotations

import scipy  # its parts load when they are used

from osteolib.stats.audit import implied, leakage, reach
from osteolib.stats.audit.limits import at_least, between, fractions
from osteolib.stats.correlation import fisher_z_ci


def proportion_interval(successes: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's interval of a proportion."""
    return tuple(scipy.stats.binomtest(successes, n).proportion_ci(confidence, method="wilson"))


def bootstrap_interval(tp: int, fp: int, fn: int, tn: int, metric: str) -> tuple[float, float]:
    """95 % percentile interval of a metric: 2,000 resamplings of a confusion matrix within its two classes."""
    from osteolib.stats.bootstrap import bootstrap_ci

    return bootstrap_ci(*implied.scores_of_matrix(tp, fp, fn, tn), metric, 0.5, method="percentile").ci[metric]


def binomial_tails(successes: int, n: int, p: float) -> tuple[float, float]:
    """Chances of at most, and of at least, so many successes of n where each has chance p."""
    fractions(p=p)
    between(0, n, successes=successes)
    return scipy.stats.binom.cdf(successes, n, p), scipy.stats.binom.sf(successes - 1, n, p)


def contingency(table: list) -> tuple[float, float, float]:
    """Pearson's chi-square of a table of counts (rows of equal length), its p, and p with Yates' correction (2 x 2)."""
    result = scipy.stats.chi2_contingency(table, correction=False)
    return result.statistic, result.pvalue, scipy.stats.chi2_contingency(table).pvalue


def fisher_exact(table: list) -> tuple[float, float]:
    """Odds ratio of a 2 x 2 table of counts, and Fisher's exact p (two-sided)."""
    return tuple(scipy.stats.fisher_exact(table))


def welch_test(mean_a: float, sd_a: float, n_a: int, mean_b: float, sd_b: float, n_b: int) -> tuple[float, float]:
    """Welch's t of two means with their sample SDs, and its two-sided p."""
    at_least(2, n_a=n_a, n_b=n_b)
    at_least(0, sd_a=sd_a, sd_b=sd_b)
    if sd_a == sd_b == 0:
        raise ValueError("both SDs are 0: the means cannot differ by chance")
    return tuple(scipy.stats.ttest_ind_from_stats(mean_a, sd_a, n_a, mean_b, sd_b, n_b, equal_var=False))


def mcnemar(gains: list) -> float:
    """Smallest p of McNemar's exact test, from the net units (one number, or one per class) that one method gains."""
    return implied.smallest_mcnemar_p(*gains)


QUANTITIES = {  # function: names of what it returns
    proportion_interval: "low high", bootstrap_interval: "low high", fisher_z_ci: "low high",
    binomial_tails: "p_at_most p_at_least", contingency: "chi2 p p_yates", fisher_exact: "odds_ratio p",
    welch_test: "t p", mcnemar: "smallest_p", implied.hanley_mcneil_se: "se", implied.binormal_auc_se: "se",
    implied.auc_max_se: "se", implied.auc_difference_z: "z", implied.matrix_of_accuracy_f1: "tp fp fn tn",
    implied.predictive_values: "ppv npv", implied.implied_prevalence: "low high",
    implied.yardstick_of_classes: "rmse r", implied.normal_auroc: "auroc", implied.binormal_auprc: "auprc",
    implied.thresholded_measurement: "sensitivity specificity auroc", implied.brier_skill: "skill",
    reach.sd_floor: "sd", reach.chance_of_spread: "chance", reach.chance_run_prints_as_mean: "chance",
    leakage.share_with_sibling: "chance", leakage.split_leakage: "test_share subjects_on_both_sides subjects",
}  # fmt: skip
