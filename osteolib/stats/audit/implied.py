"""What printed numbers imply: quantities a paper does not print but that follow from those it does.

Small closed forms, each with its source. Shares are fractions in [0, 1], never per cent. Where a library has the
quantity in one call (statsmodels ``proportion_confint``, scipy ``ttest_ind_from_stats``, our ``fisher_z_ci``) call
that; :func:`scores_of_matrix` opens the rest of :mod:`osteolib.stats` to a published confusion matrix.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from math import sqrt

import numpy as np
import scipy  # its parts load when they are used
from numpy.typing import ArrayLike

from osteolib.stats.agreement import Z_LIMIT
from osteolib.stats.audit.limits import above_zero, at_least, between, fractions
from osteolib.stats.audit.printed import ROUNDINGS, Printed
from osteolib.stats.audit.table_metrics import TABLE_METRICS
from osteolib.stats.metrics import npv, ppv

MOST_UNITS = 1_000_000  # of a matrix that is written out
LOPSIDED = 10_000  # pairs up to which an exact interval of a limit differs from the approximate one to be seen


def constant_classifier(n: int, positives: int) -> dict[str, dict[str, float]]:
    """Every threshold metric of calling all n units positive, and of calling all negative; NaN where it is 0 / 0."""
    if not 0 <= positives <= n or n == 0:
        raise ValueError(f"positives must lie between 0 and n = {n}, n at least 1, got {positives}")
    counts = {"all_positive": (positives, n - positives, 0, 0), "all_negative": (0, 0, positives, n - positives)}
    return {call: {name: float(f(*c)) for name, f in TABLE_METRICS.items()} for call, c in counts.items()}


def scores_of_matrix(tp: int, fp: int, fn: int, tn: int) -> tuple[np.ndarray, np.ndarray]:
    """The units of a confusion matrix as ``(y_true, y_score)``, each (n,) of 0 and 1: call = score >= 0.5.

    With them ``bootstrap_ci`` gives the interval that resampling would have printed, and ``delong_ci`` the AUROC of
    hard labels, (sensitivity + specificity) / 2, with its standard error.
    """
    at_least(0, tp=tp, fp=fp, fn=fn, tn=tn)
    if tp + fp + fn + tn > MOST_UNITS:
        raise ValueError(f"a matrix of {tp + fp + fn + tn:,} units is too large to draw: at most {MOST_UNITS:,}")
    return np.repeat([1, 0, 1, 0], [tp, fp, fn, tn]), np.repeat([1, 1, 0, 0], [tp, fp, fn, tn])


def matrix_of_accuracy_f1(accuracy: float, f1: float, n: int, positives: float) -> tuple[float, float, float, float]:
    """The (tp, fp, fn, tn) that have this accuracy and F1: with E = n (1 - accuracy) errors, TP = E F1 / (2 - 2 F1).

    Not whole numbers where the two are rounded or means over runs; then an average run, approximately.
    """
    fractions(accuracy=accuracy, f1=f1)
    between(0, n, positives=positives)
    if f1 == 1:
        raise ValueError("F1 = 1 means no errors: the matrix is (positives, 0, 0, n - positives)")
    errors = n * (1 - accuracy)
    tp = errors * f1 / (2 * (1 - f1))
    return tp, errors - (positives - tp), positives - tp, n - positives - errors + (positives - tp)


def auc_through_point(sensitivity: float, specificity: float) -> tuple[float, float, float]:
    """Least AUROC, AUROC of the hard labels, and largest AUROC of a curve through one operating point.

    Least: a step, sensitivity x specificity. Straight lines to (0, 0) and (1, 1): (sensitivity + specificity) / 2,
    which is what a program returns when it is given predicted classes instead of scores, and also the least that a
    concave curve can have. Largest: 1 - (1 - sensitivity)(1 - specificity).
    """
    fractions(sensitivity=sensitivity, specificity=specificity)
    labels = (sensitivity + specificity) / 2
    return sensitivity * specificity, labels, 1 - (1 - sensitivity) * (1 - specificity)


def _noether_se(auc: float, q1: float, q2: float, n_pos: int, n_neg: int) -> float:
    """Var = [A(1 - A) + (n_pos - 1)(Q1 - A^2) + (n_neg - 1)(Q2 - A^2)] / (n_pos n_neg), exact given Q1 and Q2.

    Q1: chance that two random positives both score above one random negative; Q2: one positive above two negatives.
    """
    fractions(auc=auc)
    if min(n_pos, n_neg) < 1:
        raise ValueError(f"an AUROC needs units of both classes, got {n_pos} positive and {n_neg} negative")
    variance = auc * (1 - auc) + (n_pos - 1) * (q1 - auc**2) + (n_neg - 1) * (q2 - auc**2)
    return sqrt(max(variance, 0.0) / (n_pos * n_neg))


def hanley_mcneil_se(auc: float, n_pos: int, n_neg: int) -> float:
    """Standard error of an AUROC if the scores were exponential: Q1 = A / (2 - A), Q2 = 2 A^2 / (1 + A).

    Source: Hanley and McNeil, Radiology 1982.
    """
    return _noether_se(auc, auc / (2 - auc), 2 * auc**2 / (1 + auc), n_pos, n_neg)


def binormal_auc_se(auc: float, n_pos: int, n_neg: int) -> float:
    """What DeLong's standard error estimates, if the scores are normal with one SD in both classes.

    Then Q1 = Q2 = P(Z1 < z, Z2 < z) with z = Phi^-1(A) and correlation 1/2, which is A - 2 T(z, 1 / sqrt 3), T Owen's
    function. Source: Owen, Ann Math Stat 1956; DeLong et al., Biometrics 1988.
    """
    fractions(auc=auc)
    q = auc - 2 * scipy.special.owens_t(scipy.stats.norm.ppf(auc), 1 / sqrt(3))
    return _noether_se(auc, q, q, n_pos, n_neg)


def auc_max_se(auc: float, n_pos: int, n_neg: int) -> float:
    """Largest standard error of an AUROC whatever the scores: sqrt(A (1 - A) / min(n_pos, n_neg)).

    The AUROC is an average of averages of min(n_pos, n_neg) independent pairs, and a pair has variance <= A (1 - A).
    Source: Birnbaum and Klose, Ann Math Stat 1957; Hoeffding, J Am Stat Assoc 1963, section 5.
    """
    fractions(auc=auc)
    at_least(1, n_pos=n_pos, n_neg=n_neg)
    return sqrt(auc * (1 - auc) / min(n_pos, n_neg))


def auc_difference_z(
    auc_a: float, auc_b: float, n_pos: int, n_neg: int, correlation: float = 0.0, other: tuple[int, int] | None = None
) -> float:
    """(A_a - A_b) / sqrt(s_a^2 + s_b^2 - 2 r s_a s_b) with Hanley and McNeil's standard errors.

    Parameters
    ----------
    correlation
        Of the two estimates: 0 for two test sets, about 0.5 for similar models on one (Hanley and McNeil, Radiology
        1983, tabulate it).
    other
        ``(n_pos, n_neg)`` behind ``auc_b`` where it comes from another test set.
    """
    fractions(auc_a=auc_a, auc_b=auc_b)
    between(-1, 1, correlation=correlation)
    s_a, s_b = hanley_mcneil_se(auc_a, n_pos, n_neg), hanley_mcneil_se(auc_b, *(other or (n_pos, n_neg)))
    if (variance := s_a**2 + s_b**2 - 2 * correlation * s_a * s_b) <= 0:
        raise ValueError(f"AUROCs {auc_a} and {auc_b} with correlation {correlation}: their difference cannot vary")
    return (auc_a - auc_b) / sqrt(variance)


def smallest_mcnemar_p(*gains: int) -> float:
    """Smallest p that the exact McNemar test can give for two classifiers of one test set.

    Only the units that one has right and the other wrong count; a net gain of g in a group needs at least |g| of them,
    and every pair of units beyond that, one each way, raises p. So p = binomial test of sum(g > 0) against
    sum(g < 0) at 1/2.

    Parameters
    ----------
    gains
        Net units that a has right beyond b: one number for all, or one per class
        (``a.tp - b.tp, a.tn - b.tn``), which is sharper where the classes disagree.

    Source: McNemar, Psychometrika 1947.
    """
    wins, losses = sum(g for g in gains if g > 0), -sum(g for g in gains if g < 0)
    return float(scipy.stats.binomtest(wins, wins + losses).pvalue) if wins + losses else 1.0


def sd_from_loa(
    low: Printed, high: Printed, z: float = Z_LIMIT, roundings: Sequence[str] = ROUNDINGS
) -> tuple[float, float]:
    """Range of the SD of differences behind limits of agreement bias -/+ z SD: (high - low) / (2 z)."""
    (a, b), (c, d) = low.interval(roundings), high.interval(roundings)
    return float((c - b) / (2 * z)), float((d - a) / (2 * z))


def bland_altman_half_widths(sd: ArrayLike, n: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Half-widths of the 95 % intervals of the bias and of a limit of agreement: n pairs, this SD of differences.

    t SD / sqrt(n) and t SD sqrt(1 / n + z^2 / (2 (n - 1))), t with n - 1 degrees of freedom: Bland and Altman, Stat
    Methods Med Res 1999, section 2.1: of a limit approximately, :func:`osteolib.stats.bland_altman` has it exactly.
    """
    n = np.asarray(n)
    t = scipy.special.stdtrit(n - 1, 0.975)  # scipy.stats.t.ppf, which takes ten times as long for one number
    return t * sd / np.sqrt(n), t * sd * np.sqrt(1 / n + Z_LIMIT**2 / (2 * (n - 1)))


def bland_altman_n(
    loa: tuple[Printed, Printed], ci: tuple[Printed, Printed], of: str, roundings: Sequence[str] = ROUNDINGS
) -> tuple[int, int] | None:
    """Smallest and largest number of pairs with which printed limits of agreement and an interval agree.

    Allowed are the textbook's variants: limits at 1.96 or at 2 SD, a normal or a t quantile, and for a limit the
    variance of 1999, the 3 SD^2 / n of Bland and Altman, Lancet 1986, or the exact interval (Carkeet, Optom Vis Sci
    2015). None: no n >= 3 fits.

    Parameters
    ----------
    loa
        Lower and upper limit of agreement as printed.
    ci
        Printed 95 % interval of the bias (``of="bias"``) or of one limit (``of="limit"``).
    """
    half_low, half_high = sd_from_loa(*ci, z=1.0, roundings=roundings)
    sd_low, sd_high = sd_from_loa(*loa, z=2.0, roundings=roundings)[0], sd_from_loa(*loa, roundings=roundings)[1]

    def widths(n: int) -> tuple[float, ...]:  # each falls with n
        bias, limit = bland_altman_half_widths(1.0, n)
        normal = Z_LIMIT / sqrt(n)
        if of == "bias":
            return bias, normal
        return limit, limit * normal / bias, bias * sqrt(3), normal * sqrt(3), *([exact(n)] if n <= LOPSIDED else [])

    def exact(n: int) -> float:
        inner, outer = scipy.stats.nct.ppf((0.025, 0.975), n - 1, Z_LIMIT * sqrt(n)) / sqrt(n)
        return (outer - inner) / 2

    sizes = range(3, 10**9)
    wide = bisect_left(sizes, True, key=lambda n: sd_low * min(widths(n)) <= half_high + 1e-12)  # so many are too wide
    fit = bisect_left(sizes, True, key=lambda n: sd_high * max(widths(n)) < half_low - 1e-12)  # so many wide or fitting
    return (sizes[wide], sizes[fit - 1]) if wide < fit else None


def brier_skill(brier: float, prevalence: float) -> float:
    """1 - Brier / (p (1 - p)): what a forecast gains over naming the prevalence p for everybody (Brier 1950)."""
    fractions(brier=brier, prevalence=prevalence)
    if prevalence in (0, 1):
        raise ValueError(f"with a prevalence of {prevalence} naming it is never wrong: there is no skill to gain")
    return 1 - brier / (prevalence * (1 - prevalence))


def predictive_values(sensitivity: float, specificity: float, prevalence: float) -> tuple[float, float]:
    """PPV and NPV at a prevalence, by Bayes' theorem; NaN where nobody is called so."""
    fractions(sensitivity=sensitivity, specificity=specificity, prevalence=prevalence)
    tp, tn = sensitivity * prevalence, specificity * (1 - prevalence)
    table = (tp, 1 - prevalence - tn, prevalence - tp, tn)
    return float(ppv(*table)), float(npv(*table))


def implied_prevalence(
    sensitivity: Printed, specificity: Printed, ppv: Printed, roundings: Sequence[str] = ROUNDINGS
) -> tuple[float, float]:
    """Range of the test set's prevalence p: odds p / (1 - p) = PPV / (1 - PPV) x (1 - specificity) / sensitivity.

    The odds rise with PPV and fall with the other two, so the ends of the printed intervals give the ends of the range.
    With n known, :func:`confusion_matrices` says more.
    """
    fractions(sensitivity=float(sensitivity.value), specificity=float(specificity.value), ppv=float(ppv.value))
    ends = [np.clip(x.interval(roundings), 0, 1) for x in (sensitivity, specificity, ppv)]
    (s_low, s_high), (c_low, c_high), (v_low, v_high) = ends
    corners = (s_high, c_high, v_low), (s_low, c_low, v_high)
    low, high = (v * (1 - c) / (v * (1 - c) + (1 - v) * s) for s, c, v in corners)
    return float(low), float(high)


def yardstick_of_classes(n: ArrayLike, mean: ArrayLike, sd: ArrayLike) -> tuple[float, float]:
    """RMSE and Pearson r of a "prediction" that names the mean of the true class, from a table of n, mean, SD by class.

    RMSE^2 = squares within the classes / n and r^2 = squares between / total, the analysis of variance; ddof 1.
    """
    n, mean, sd = (np.asarray(x, float) for x in (n, mean, sd))
    if not n.shape == mean.shape == sd.shape or n.ndim != 1 or not np.isfinite([n, mean, sd]).all():
        raise ValueError("n, mean and sd are lists of finite numbers, one for each class")
    if n.min(initial=1) < 1 or sd.min(initial=0) < 0 or n.sum() < 2:
        raise ValueError(f"each class has n >= 1 and an SD >= 0; got n {n.tolist()}, sd {sd.tolist()}")
    within = (n - 1) @ sd**2
    between = n @ (mean - np.average(mean, weights=n)) ** 2
    return float(np.sqrt(within / n.sum())), float(np.sqrt(between / (between + within)))


def normal_auroc(positive: ArrayLike, negative: ArrayLike) -> float:
    """AUROC of one variable between two classes, each a mixture of normal groups, rows ``(n, mean, sd)``.

    High values are positive. Sum over pairs of groups of their shares times Phi((m_1 - m_0) / sqrt(sd_1^2 + sd_0^2)).
    """
    groups = [np.array(rows, float) for rows in (positive, negative)]
    for name, rows in zip(("positive", "negative"), groups, strict=True):
        if rows.ndim != 2 or rows.shape[1] != 3 or not np.isfinite(rows).all():
            raise ValueError(f"{name} is a list of groups, each [n, mean, SD] of finite numbers")
        if rows[:, 0].min() < 0 or rows[:, 0].sum() <= 0 or rows[:, 2].min() <= 0:
            raise ValueError(f"{name}: n must not be negative, an SD must be above 0, got {rows.tolist()}")
    (n1, m1, s1), (n0, m0, s0) = (rows.T for rows in groups)
    above = scipy.stats.norm.cdf((m1[:, None] - m0) / np.hypot(s1[:, None], s0))
    return float(np.average(above, weights=np.outer(n1, n0)))


def binormal_auprc(auc: float, prevalence: float) -> float:
    """Area under the precision-recall curve of normal scores with one SD in both classes and this AUROC.

    Integral over the recall t of p t / (p t + (1 - p) Phi(Phi^-1(t) - sqrt 2 Phi^-1(A))), p the prevalence.
    """
    fractions(auc=auc, prevalence=prevalence)
    above_zero(prevalence=prevalence)
    distance = sqrt(2) * scipy.stats.norm.ppf(auc)

    def precision(recall: float) -> float:
        fpr = scipy.special.ndtr(scipy.special.ndtri(recall) - distance)
        return prevalence * recall / (prevalence * recall + (1 - prevalence) * fpr)

    return float(scipy.integrate.quad(precision, 0, 1, limit=200)[0])


def thresholded_measurement(
    mean: float, sd: float, error_sd: float, threshold: float, bias: float = 0.0
) -> tuple[float, float, float]:
    """Sensitivity, specificity and AUROC of a measurement with normal error for "true value <= threshold".

    True values are normal (mean, sd), the measurement adds an independent error (bias, error_sd > 0); a case is called
    where the measurement is <= threshold. Integrated over the measurement, given which the true value is normal again.
    """
    above_zero(sd=sd, error_sd=error_sd)
    total = sqrt(sd**2 + error_sd**2)
    z = np.linspace(-9, 9, 20_001)  # of the measurement
    x = mean + bias + total * z
    density = scipy.stats.norm.pdf(z)
    cases = density * scipy.stats.norm.cdf(threshold, mean + sd**2 / total * z, sd * error_sd / total)
    below = [scipy.integrate.cumulative_trapezoid(d, x, initial=0) for d in (cases, density - cases)]
    case_rate, other_rate = (b / b[-1] for b in below)
    called = [float(np.interp(threshold, x, rate)) for rate in (case_rate, other_rate)]
    return called[0], 1 - called[1], float(scipy.integrate.trapezoid(case_rate, other_rate))
