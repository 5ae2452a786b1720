"""How often a kind of interval holds the truth: simulated studies of known sensitivity and AUROC.

Scores of cases are normal with mean mu, those of normals with mean 0, both with SD 1: the AUROC is Phi(mu / sqrt 2),
the sensitivity at threshold t Phi(mu - t). Every person brings two knees, whose scores correlate. Intervals: Efron and
Tibshirani 1993 (bootstrap), Efron 1987 (BCa), DeLong et al. 1988, Hanley and McNeil 1982, Wilson 1927.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import norm

from osteolib.stats.inputs import MOST, generator, number, reals, whole
from osteolib.stats.resampling import Design, interval, usual_method

LARGEST = 2**28  # pairs of a case and a normal in all studies: 1 GiB
Ends = tuple[np.ndarray, np.ndarray]  # lower and upper end by study


def coverage(
    cases: int,
    normals: int,
    auroc: float,
    sensitivity: float,
    correlation: float,
    n_studies: int,
    rng: np.random.Generator,
    n_draws: int = 400,
) -> pd.DataFrame:
    """Share of simulated studies whose 95 % interval holds the true sensitivity, and the true AUROC.

    Parameters
    ----------
    cases, normals
        Knees of each class, even numbers: two a person.
    auroc, sensitivity
        The truth; the sensitivity fixes the threshold.
    correlation
        Of the scores of a person's two knees, 0 to 1.
    n_draws
        Bootstrap replicates of each study; all studies share their draws.

    Returns
    -------
    One row a metric and kind of interval: ``metric, interval, covers``. Where so few are drawn that
    :func:`osteolib.stats.resampling.usual_method` would choose it, the stratified kinds stand there as BCa as well.

    Raises
    ------
    ValueError
        An argument is not as above, or so many studies of this size do not fit in memory.
    """
    cases, normals = whole(cases, "cases", 2, MOST), whole(normals, "normals", 2, MOST)
    if cases % 2 or normals % 2:
        raise ValueError(f"cases and normals must be even, two knees a person: got {cases} and {normals}")
    auroc = number(auroc, "auroc", "(0, 1)", "a fraction")
    sensitivity = number(sensitivity, "sensitivity", "(0, 1)", "a fraction")
    n_studies = whole(n_studies, "n_studies", 1, MOST)
    generator(rng)
    if n_studies * cases * normals > LARGEST:
        raise ValueError(f"cases x normals x n_studies is above {LARGEST}: simulate fewer studies at once")
    truth = {"auroc": auroc, "sensitivity": sensitivity}
    mean = np.sqrt(2) * norm.ppf(auroc)
    positive, negative = (two_knees(n, correlation, n_studies, rng) for n in (cases, normals))
    psi = ((mean + positive)[:, :, None] > negative[:, None, :]).astype(np.float32)
    found = (positive >= -norm.ppf(sensitivity)).astype(np.float32)
    drawn = weights(cases, normals, n_draws, rng)
    kinds = {name: bootstrap_intervals(found, psi, *w) for name, w in drawn.items()}
    for name, knees in (("bootstrap, stratified", 1), ("bootstrap of people", 2)):
        if min(cases, normals) >= 2 * knees and usual_method(min(cases, normals) // knees) == "bca":
            kinds[f"{name}, BCa"] = bca_intervals(found, psi, *drawn[name], knees)
    rows = [
        (metric, name, np.mean((low <= truth[metric]) & (truth[metric] <= high)))
        for name, by_metric in (kinds | formula_intervals(found, psi)).items()
        for metric, (low, high) in by_metric.items()
    ]
    return pd.DataFrame(rows, columns=["metric", "interval", "covers"])


def two_knees(n: int, correlation: float, n_studies: int, rng: np.random.Generator) -> np.ndarray:
    """Standard normal scores of ``n`` knees, two a person, in each study; (studies, n).

    Raises
    ------
    ValueError
        ``n`` is odd or no count, or ``correlation`` does not lie in [0, 1].
    """
    n, n_studies = whole(n, "n", 2, MOST), whole(n_studies, "n_studies", 1, MOST)
    if n % 2 or n * n_studies > LARGEST:
        raise ValueError(
            f"n must be even, two knees a person, and n x n_studies at most {LARGEST}; got {n}, {n_studies}"
        )
    correlation = number(correlation, "correlation", "[0, 1]")
    generator(rng)
    shared = rng.normal(size=(n_studies, n // 2)).repeat(2, axis=1)
    own = rng.normal(size=(n_studies, n))
    return np.sqrt(correlation) * shared + np.sqrt(1 - correlation) * own


def weights(m: int, n: int, n_draws: int, rng: np.random.Generator) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """How often each case and each normal is drawn, (n_draws, m) and (n_draws, n), by kind of bootstrap.

    Raises
    ------
    ValueError
        ``m`` or ``n`` is odd or no count, or there are too many draws.
    """
    m, n, n_draws = whole(m, "m", 2, MOST), whole(n, "n", 2, MOST), whole(n_draws, "n_draws", 1, MOST)
    if m % 2 or n % 2 or (m + n) * n_draws > LARGEST:
        raise ValueError(
            f"m and n must be even, two knees a person, and (m + n) x n_draws at most {LARGEST}; got {m}, {n}"
        )
    generator(rng)

    def drawn(k: int, knees: int = 1) -> np.ndarray:
        return rng.multinomial(k // knees, np.full(k // knees, knees / k), n_draws).repeat(knees, axis=1)

    mixed = drawn(m + n)
    return {
        "bootstrap of knees": (mixed[:, :m], mixed[:, m:]),
        "bootstrap, stratified": (drawn(m), drawn(n)),
        "bootstrap of people": (drawn(m, 2), drawn(n, 2)),
    }


def bootstrap_intervals(found: np.ndarray, psi: np.ndarray, w: np.ndarray, v: np.ndarray) -> dict[str, Ends]:
    """Percentile intervals of both metrics in every study.

    Parameters
    ----------
    found
        (studies, m), 1 where a case is called.
    psi
        (studies, m, n), 1 where a case scores above a normal.
    w, v
        From :func:`weights`. A replicate's AUROC is sum_ij w_i psi_ij v_j / sum_ij w_i v_j; one that drew no
        case or no normal is left out.

    Raises
    ------
    ValueError
        The shapes do not fit, a value is no share or no count, or every replicate lacks a class.
    """
    return {
        metric: tuple(np.quantile(draws, (0.025, 0.975), axis=1))
        for metric, draws in _replicates(*_shares(found, psi), w, v).items()
    }


def bca_intervals(found: np.ndarray, psi: np.ndarray, w: np.ndarray, v: np.ndarray, knees: int) -> dict[str, Ends]:
    """BCa intervals of both metrics in every study, classes drawn apart; arrays as in :func:`bootstrap_intervals`.

    ``knees`` is how many neighbours make a person, who is drawn and left out whole; each class has two people or more.

    Raises
    ------
    ValueError
        As :func:`bootstrap_intervals`, or the knees do not make people, two of each class.
    """
    found, psi = _shares(found, psi)
    (m, n), knees = psi.shape[1:], whole(knees, "knees", 1, MOST)
    if m % knees or n % knees or min(m, n) < 2 * knees:
        raise ValueError(
            f"knees must divide the cases and the normals of psi {psi.shape} into people, two or more each"
        )
    sizes = m // knees, n // knees
    design = Design(np.arange(sum(sizes)).repeat(knees), sizes)
    without = (1 - np.eye(sum(sizes))).repeat(knees, axis=1)
    drawn, left = _replicates(found, psi, w, v), _replicates(found, psi, without[:, :m], without[:, m:])
    value = _replicates(found, psi, np.ones((1, m)), np.ones((1, n)))  # rounded as the draws: some equal it
    return {
        metric: tuple(np.transpose([interval(*study, design, 0.95)
                                    for study in zip(value[metric][:, 0], drawn[metric], left[metric], strict=True)]))
        for metric in drawn
    }  # fmt: skip


def _replicates(found: np.ndarray, psi: np.ndarray, w: np.ndarray, v: np.ndarray) -> dict[str, np.ndarray]:
    """Both metrics of every study and draw, (studies, draws), from checked ``found`` and ``psi``."""
    w, v = (reals(counts, name) for name, counts in (("w", w), ("v", v)))
    if w.ndim != 2 or v.ndim != 2 or len(w) != len(v) or (w.shape[1], v.shape[1]) != psi.shape[1:]:
        raise ValueError(f"w {w.shape} and v {v.shape} must be (n_draws, m) and (n_draws, n) of psi {psi.shape}")
    if not all(((counts >= 0) & np.isfinite(counts)).all() for counts in (w, v)):
        raise ValueError("w and v must hold counts, 0 or more")
    both = (w.sum(axis=1) > 0) & (v.sum(axis=1) > 0)
    if not both.any():
        raise ValueError("w and v draw no case or no normal in every replicate: draw more")
    if not both.all():
        w, v = w[both], v[both]
    w, v = w.astype(np.float32), v.astype(np.float32)
    sensitivity = found @ w.T / w.sum(axis=1)
    auroc = np.stack([((w @ p) * v).sum(axis=1) for p in psi]) / (w.sum(1) * v.sum(1))
    return {"sensitivity": sensitivity, "auroc": auroc}


def formula_intervals(found: np.ndarray, psi: np.ndarray) -> dict[str, dict[str, Ends]]:
    """Wilson and normal approximation for sensitivity, DeLong and Hanley-McNeil for AUROC; arrays as above.

    Raises
    ------
    ValueError
        As :func:`bootstrap_intervals`, or a class has one knee.
    """
    from statsmodels.stats.proportion import proportion_confint

    found, psi = _shares(found, psi)
    if min(psi.shape[1:]) < 2:
        raise ValueError(f"psi must have two cases and two normals at least, got shape {psi.shape}")
    (m, n), k, a = psi.shape[1:], found.sum(axis=1), psi.mean(axis=(1, 2), dtype=float)
    delong = (
        psi.mean(axis=2, dtype=float).var(axis=1, ddof=1) / m + psi.mean(axis=1, dtype=float).var(axis=1, ddof=1) / n
    )
    q1, q2 = a / (2 - a), 2 * a**2 / (1 + a)
    hanley = (a * (1 - a) + (m - 1) * (q1 - a**2) + (n - 1) * (q2 - a**2)) / (m * n)
    return {
        "Wilson": {"sensitivity": proportion_confint(k, m, method="wilson")},
        "normal approximation": {"sensitivity": proportion_confint(k, m)},
        **{
            name: {"auroc": (a - 1.96 * variance**0.5, a + 1.96 * variance**0.5)}
            for name, variance in (("DeLong", delong), ("Hanley-McNeil", np.maximum(hanley, 0)))
        },
    }


def _shares(found: np.ndarray, psi: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """``found`` (studies, m) and ``psi`` (studies, m, n), float32 from 0 to 1; or ValueError."""
    checked = []
    for name, values, ndim in (("found", found, 2), ("psi", psi, 3)):
        values = reals(values, name)
        if values.ndim != ndim or not values.size or not ((values >= 0) & (values <= 1)).all():
            raise ValueError(f"{name} must hold values from 0 to 1 in {ndim} dimensions, got shape {values.shape}")
        checked.append(values.astype(np.float32))
    if checked[0].shape != checked[1].shape[:2]:
        raise ValueError(
            f"found {checked[0].shape} and psi {checked[1].shape} must be (studies, m) and (studies, m, n)"
        )
    return checked[0], checked[1]
