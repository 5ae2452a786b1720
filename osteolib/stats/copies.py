"""Files that are copies of each other at three levels, and what copies do to the spread of a metric.

Some files have the same bytes, some show the same picture, some come from the same film; each level lies inside the
next. Two files that share a level have correlated scores, so a set of files knows less than as many different films.
The factor by which the variance of a metric grows is its design effect; the number of files over it, the effective
number. Source: Kish, Survey Sampling, 1965, chapter 5; for the AUROC the Hoeffding projection behind DeLong et al.,
Biometrics 1988, with the terms between cases and normals of one cluster as in Obuchowski, Biometrics 1997.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import norm

from osteolib.stats.inputs import codes, frame, generator, instance, number, reals, unmasked, whole, zeros_and_ones

LEVELS = {"bytes": "bytes_group", "picture": "picture_group", "film": "source_group"}
"""What files can share, from the narrowest level to the widest, and the column of a cohort that numbers it."""
MOST_FILES = 20_000


@dataclass(frozen=True)
class Likeness:
    """Correlation of the scores of two files of one label that share their bytes; no more than their picture; film.

    A network answers the same to the same bytes: 1. The other two are choices.
    """

    bytes: float = 1.0
    picture: float = 0.9
    film: float = 0.5

    def __post_init__(self):
        for name in ("bytes", "picture", "film"):
            number(getattr(self, name), name)
        if not 0 <= self.film <= self.picture <= self.bytes <= 1:
            raise ValueError(f"a closer copy cannot be less alike: need 0 <= film <= picture <= bytes <= 1, got {self}")

    @property
    def by_level(self) -> np.ndarray:
        """Correlation at the levels 0 (another film), 1 (film), 2 (picture), 3 (bytes), 4 (the file itself)."""
        return np.array([0, self.film, self.picture, self.bytes, 1.0])


@dataclass(frozen=True)
class Binormal:
    """Scores of normals are standard normal, those of cases normal with ``mean`` and ``sd``; called from ``threshold``.

    The truths are of a case and a normal that share no film.
    """

    mean: float
    sd: float
    threshold: float

    def __post_init__(self):
        number(self.mean, "mean")
        number(self.sd, "sd", "(0, inf)")
        number(self.threshold, "threshold")

    @property
    def truth(self) -> dict[str, float]:
        """True value of each metric: Phi(mean / sqrt(1 + sd^2)), Phi((mean - threshold) / sd), Phi(threshold)."""
        auroc = norm.cdf(self.mean / np.hypot(1, self.sd))
        sensitivity, specificity = norm.cdf((self.mean - self.threshold) / self.sd), norm.cdf(self.threshold)
        return {"auroc": float(auroc), "sensitivity": float(sensitivity), "specificity": float(specificity)}


def binormal(auroc: float, specificity: float, sensitivity: float | None = None) -> Binormal:
    """The scores that have these values; without ``sensitivity`` those with one SD for both classes.

    With u, a and t the normal quantiles of AUROC, sensitivity and specificity, the SD s of the cases solves
    u^2 (1 + s^2) = (t + a s)^2; of two solutions the one nearer to 1 is taken.

    Raises
    ------
    ValueError
        No pair of normal distributions has these values, or one is no fraction strictly between 0 and 1.
    """
    auroc, specificity = number(auroc, "auroc", "(0, 1)", "a fraction"), number(specificity, "specificity", "(0, 1)")
    if sensitivity is not None:
        sensitivity = number(sensitivity, "sensitivity", "(0, 1)", "a fraction")
    u, t = norm.ppf([auroc, specificity])
    if sensitivity is None:
        return Binormal(float(u * np.sqrt(2)), 1.0, float(t))
    a = norm.ppf(sensitivity)
    found = [s.real for s in np.roots([u**2 - a**2, -2 * t * a, u**2 - t**2]) if np.isreal(s) and s.real > 0]
    fits = [s for s in found if np.isclose((t + a * s) / np.hypot(1, s), u)]  # squaring also solves for -u
    if not fits:
        raise ValueError(
            f"auroc, sensitivity, specificity: no normal scores have AUROC {auroc}, sensitivity {sensitivity}, "
            f"specificity {specificity}"
        )
    sd = min(fits, key=lambda s: abs(np.log(s)))
    return Binormal(float(t + a * sd), float(sd), float(t))


def copy_codes(subjects: pd.DataFrame) -> np.ndarray:
    """Numbers of the groups of :data:`LEVELS`, shape (n, 3), each from 0.

    Raises
    ------
    ValueError
        Files of one group lie in two of the next level: copies of one picture would be of two films; or ``subjects``
        lacks a column of :data:`LEVELS`, or has no value in one.
    """
    frame(subjects, "subjects", LEVELS.values())
    for narrow, wide in zip(list(LEVELS.values())[:-1], list(LEVELS.values())[1:], strict=True):
        homes = subjects.groupby(narrow)[wide].nunique()
        if torn := homes.index[homes > 1].tolist():
            raise ValueError(f"subjects: {len(torn)} groups of {narrow} lie in several of {wide}, first {torn[0]!r}")
    return np.column_stack([pd.factorize(subjects[column])[0] for column in LEVELS.values()])


def draw_files(label: np.ndarray, sizes: Mapping[str, int], rng: np.random.Generator) -> np.ndarray:
    """Rows of a test set with so many files of each label, drawn without replacement as a split by file does.

    Raises
    ------
    ValueError
        ``label`` is no vector of labels, or ``sizes`` asks for more files of one than there are, or for none.
    """
    generator(rng)
    label, sizes = unmasked(label, "label"), dict(instance(Mapping, sizes, "sizes"))
    codes(label, label.size, "label")
    for name, n in sizes.items():
        sizes[name] = whole(n, f"sizes[{name!r}]", 1, int((label == name).sum()))
    if not sizes:
        raise ValueError("sizes is empty: say how many files of each label are drawn")
    return np.concatenate([rng.choice(np.flatnonzero(label == name), n, replace=False) for name, n in sizes.items()])


def draw_scores(
    codes: np.ndarray, case: np.ndarray, model: Binormal, likeness: Likeness, rng: np.random.Generator
) -> np.ndarray:
    """A score for each file: an effect of its film, of its picture, of its bytes and of its own, shifted by its label.

    ``codes`` (n, 3) from :func:`copy_codes`, ``case`` (n,) 0 or 1; returns (n,). The effects do not know the label, so
    a case and a normal of one film are as alike, beside their shift, as two cases of it.

    Raises
    ------
    ValueError
        An argument is not as above.
    """
    codes, case = _files(codes, case, model, likeness)
    generator(rng)
    levels = likeness.by_level
    own = np.sqrt(levels[4] - levels[3]) * rng.normal(size=len(case))
    shared = [
        np.sqrt(levels[k] - levels[k - 1]) * rng.normal(size=code.max() + 1)[code]
        for k, code in zip((3, 2, 1), codes.T, strict=True)
    ]
    z = own + sum(shared)
    return np.where(case == 1, model.mean + model.sd * z, z)


def _files(codes: np.ndarray, case: np.ndarray, model: Binormal, likeness: Likeness) -> tuple[np.ndarray, np.ndarray]:
    """Groups of files (n, 3) int64 and their class (n,) int64, checked with the model."""
    instance(Binormal, model, "model")
    instance(Likeness, likeness, "likeness")
    found, case = reals(codes, "codes"), zeros_and_ones(case, "case")
    if (
        found.shape != (case.size, len(LEVELS))
        or not ((found >= 0) & (found < 10**9) & (found == np.floor(found))).all()
    ):
        raise ValueError(f"codes must be whole numbers from 0 on, shape ({case.size}, {len(LEVELS)}) as case has "
                         f"{case.size} files: take them from copy_codes; got shape {found.shape}")  # fmt: skip
    return found.astype(np.int64), case


def covariance_of_signs(h: float, r: np.ndarray | float) -> np.ndarray:
    """Cov(1[X < h], 1[Y < h]) of standard normal X and Y with correlation ``r``, element by element.

    Plackett's integral with t = sin(angle): (1 / 2 pi) int_0^{arcsin r} exp(-h^2 / (1 + sin angle)) d angle.

    Raises
    ------
    ValueError
        ``h`` is no finite number, or a correlation does not lie in [-1, 1].
    """
    h, r = number(h, "h"), reals(r, "r")
    if not (np.abs(r) <= 1).all():
        raise ValueError("r must hold correlations from -1 to 1, none missing")
    nodes, weights = np.polynomial.legendre.leggauss(64)
    end = np.arcsin(r)[..., None]
    integrand = np.exp(-(h**2) / (1 + np.sin(end * (nodes + 1) / 2)))
    return (integrand * weights).sum(-1) * end[..., 0] / (4 * np.pi)


def design_effects(codes: np.ndarray, case: np.ndarray, model: Binormal, likeness: Likeness) -> pd.DataFrame:
    """What the copies do to each metric.

    Parameters
    ----------
    codes, case
        As in :func:`draw_scores`.

    Returns
    -------
    One row a metric: ``n`` files it rests on, ``se`` its standard error with these copies, ``se_files`` as if each file
    were a film of its own, ``design_effect`` the ratio of their squares, ``n_eff = n / design_effect``. The AUROC's are
    of first order in the number of files.

    Raises
    ------
    ValueError
        An argument is not as above, one class has no file, the model parts the classes (an AUROC that rounds to 1), or
        there are more files than a table of all pairs can hold.
    """
    codes, case = _files(codes, case, model, likeness)
    truth, r = model.truth, likeness.by_level
    if sure := [name for name, value in truth.items() if not 0 < value < 1]:
        raise ValueError(
            f"model has {sure[0]} {truth[sure[0]]:g}: without errors copies have no effect on their number"
        )
    if not 0 < case.sum() < case.size:
        raise ValueError("case holds one class only: both 0 and 1 are needed")
    if case.size > MOST_FILES:
        raise ValueError(f"codes has {case.size} files, more than {MOST_FILES}: take a random part of the groups")
    shared = sum((code[:, None] == code).astype(np.int8) for code in codes.T)
    np.fill_diagonal(shared, 4)
    side = {1: case == 1, 0: case == 0}
    m, n = int(side[1].sum()), int(side[0].sum())
    pairs = {(a, b): np.bincount(shared[side[a]][:, side[b]].ravel(), minlength=5) for a, b in ((1, 1), (0, 0), (1, 0))}
    alone = {(1, 1): np.array([0, 0, 0, 0, m]), (0, 0): np.array([0, 0, 0, 0, n]), (1, 0): np.zeros(5)}
    called = {key: covariance_of_signs(norm.ppf(truth[key]), r) for key in ("sensitivity", "specificity")}
    u, scale = norm.ppf(truth["auroc"]), 1 + model.sd**2
    above = {  # of two pairs that share a case, a normal, or hold the case of one and the normal of the other film
        (1, 1): covariance_of_signs(u, model.sd**2 * r / scale) / m**2,
        (0, 0): covariance_of_signs(u, r / scale) / n**2,
        (1, 0): 2 * covariance_of_signs(u, -model.sd * r / scale) / (m * n),
    }
    rows = []
    for metric, count, part in (
        ("auroc", m + n, above),
        ("sensitivity", m, {(1, 1): called["sensitivity"] / m**2}),
        ("specificity", n, {(0, 0): called["specificity"] / n**2}),
    ):
        with_copies, files = (sum(k[key] @ part[key] for key in part) for k in (pairs, alone))
        effect = with_copies / files
        rows.append((metric, count, with_copies**0.5, files**0.5, effect, count / effect))
    return pd.DataFrame(rows, columns=["metric", "n", "se", "se_files", "design_effect", "n_eff"])
