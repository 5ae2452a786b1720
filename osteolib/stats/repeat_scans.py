"""What the error of a reference measurement leaves for anything that is held against it.

A scan reads the truth plus an error of SD s, independent of it; S is the SD of what scans read over people. Then a
perfect reader of the truth has correlation sqrt(1 - s^2 / S^2) with a scan and differs from it with SD s; a second scan
has 1 - s^2 / S^2 and differs with SD sqrt(2) s. Source: Lord and Novick, Statistical Theories of Mental Test Scores
(1968), chapter 3: the reliability and its root.
"""

from __future__ import annotations

import numpy as np

from osteolib.stats.inputs import number


def t_score_error(cv_pct: float, t_score: float, mean: float, sd: float) -> float:
    """SD of one scan's T-score where BMD has an error of ``cv_pct`` percent, at a T-score.

    ``mean`` and ``sd`` in g/cm2 are those of the young people that T = (BMD - mean) / sd refers to.

    Raises
    ------
    ValueError
        The error is negative, ``sd`` or BMD at this T-score is not above 0, or an argument is no finite number.
    """
    cv_pct, t_score = number(cv_pct, "cv_pct"), number(t_score, "t_score")
    mean, sd = number(mean, "mean"), number(sd, "sd", "(0, inf)", "in g/cm2")
    bmd = mean + sd * t_score
    if cv_pct < 0 or not bmd > 0:
        raise ValueError(f"cv_pct, t_score: it needs an error of 0 % or more and a BMD above 0, got {cv_pct} % and "
                         f"{bmd:.3f} g/cm2")  # fmt: skip
    return cv_pct / 100 * bmd / sd


def r_of_perfect_reader(error_sd: float, scan_sd: float) -> float:
    """Correlation with one scan of whoever knows the truth; ``scan_sd`` is the SD of what scans read.

    Raises
    ------
    ValueError
        The error is not between 0 and ``scan_sd``.
    """
    return float(np.sqrt(r_of_second_scan(error_sd, scan_sd)))


def r_of_second_scan(error_sd: float, scan_sd: float) -> float:
    """Correlation of two scans of the same people; arguments and errors of :func:`r_of_perfect_reader`."""
    error_sd, scan_sd = number(error_sd, "error_sd"), number(scan_sd, "scan_sd")
    if not 0 <= error_sd <= scan_sd or scan_sd == 0:
        raise ValueError(
            f"error_sd, scan_sd: the error must lie between 0 and the spread of the scans, got {error_sd} and {scan_sd}"
        )
    number(scan_sd, "scan_sd", "(0, inf)")
    return float(1 - (error_sd / scan_sd) ** 2)
