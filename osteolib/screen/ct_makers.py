"""What makers of DXA read of the same bone, how much of it a prediction follows, and what a best reader would do.

At the same true BMD a network that knows nothing of makers predicts the same for all, and one that knows them follows
their readings. Mean residuals by maker do not tell this: a prediction from a noisy picture is pulled to the mean of
those it learned from, so that where makers and hospitals coincide a residual holds how thin the bones of a hospital
are, too. Hence :func:`follows`, at equal true BMD, which only a phantom knows.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from osteolib.phantoms.settings import phantom_settings
from osteolib.phantoms.vertebra.hospitals import with_unlabelled
from osteolib.phantoms.vertebra.people import as_read, read_again, simulate
from osteolib.phantoms.vertebra.scanner import plan_scans
from osteolib.phantoms.vertebra.truth import known_of, terms_of
from osteolib.runs.store import cached
from osteolib.stats.checks import finite_vector, same_length

MODULES = (__name__, "osteolib.phantoms.vertebra.people", "osteolib.phantoms.vertebra.truth")


def readings(true: ArrayLike) -> pd.DataFrame:
    """What machines of each maker read of true BMD, both in g/cm2, without error: a column a maker, shape (n, 3)."""
    dxa = phantom_settings("vertebra-phantom")["dxa"]
    return pd.DataFrame({name: as_read(about, dxa["anchor"], true) for name, about in dxa["makers"].items()})


def own_offset(true: ArrayLike, device: ArrayLike) -> NDArray[np.float64]:
    """What each vertebra's maker reads beyond the mean of all makers, at its true BMD; shape (n,), g/cm2.

    Raises
    ------
    ValueError
        A device is no maker of the phantom.
    """
    read, names = readings(true), pd.Series(device).reset_index(drop=True)
    if strange := sorted(set(names.dropna()) - set(read)) + ["missing"] * bool(names.isna().any()):
        raise ValueError(f"device {', '.join(map(repr, strange))} is no maker: use {', '.join(read)}")
    own = read.to_numpy()[np.arange(len(names)), read.columns.get_indexer(names)]
    return own - read.mean(axis=1).to_numpy()


def follows(predicted: ArrayLike, true: ArrayLike, offset: ArrayLike) -> float:
    """Change of the predicted BMD for a change of the maker's offset, at the same true BMD: least squares on both.

    Parameters
    ----------
    predicted, true, offset
        Shape (n,), g/cm2; the last as :func:`own_offset` gives it.

    Returns
    -------
    0 for a prediction that is the same whoever measured, 1 for one that differs as the readings do; NaN where a sample
    cannot tell maker from true BMD.
    """
    y, x, o = (finite_vector(v, name) for v, name in ((predicted, "predicted"), (true, "true"), (offset, "offset")))
    same_length(predicted=y, true=x, offset=o)
    if y.size < 3:
        return float("nan")
    centred = np.column_stack([x - x.mean(), o - o.mean()])
    if np.linalg.matrix_rank(centred, tol=1e-6) < 2:
        return float("nan")
    return float(np.linalg.lstsq(centred, y - y.mean(), rcond=None)[0][1])


def best_readers(preset: str, seed: int = 0, n_subjects: int = 20_000) -> pd.DataFrame:
    """Regressions on all that reaches the pixels, without and with the maker: what a perfect network would do.

    People of the paper's hospitals and splits, never rendered, their DXA dealt by :func:`read_again`; fitted on those
    who train, judged on those who test, D among them. The form is that of :func:`truth.attainable`.

    Returns
    -------
    One row per labelled test vertebra: ``unit_id, subject_id, site, device, bmd_true_g_cm2, y``, ``score`` and ``bmd``
    of the reader without the maker, ``score_told`` and ``bmd_told`` with, ``score_<maker>`` and ``bmd_<maker>`` when it
    is told each maker of those in training.
    """
    key = {"preset": preset, "seed": seed, "n": n_subjects}
    return cached("vertebra-best-readers", key, MODULES, lambda: _best_readers(preset, seed, n_subjects))


def blurred_gain(best: pd.DataFrame, auroc: float, seed: int = 0) -> tuple[float, float]:
    """AUROC of the best reader blurred to a lesser one's skill, and what the makers' names add to it then.

    A reader that sees less of the bone has more use for a list of prevalences. Normal noise is added to the logit of
    :func:`best_readers` without the maker until its AUROC is the one asked for (or as it is, if that is lower); then a
    logistic regression on this and one on this and the makers, fitted on the hospitals that train.

    Parameters
    ----------
    auroc
        Between 0.5 and 1, both left out.

    Raises
    ------
    ValueError
        ``auroc`` is not between them.
    """
    from scipy.special import logit
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score

    if not 0.5 < auroc < 1:
        raise ValueError(f"auroc must lie between 0.5 and 1 for a reader that knows something, got {auroc}")
    y, sharp = best["y"].to_numpy(), logit(best["score"].clip(1e-6, 1 - 1e-6).to_numpy())
    noise, low, high = np.random.default_rng([seed, 41]).normal(size=len(best)), 0.0, 64.0
    if roc_auc_score(y, sharp) > auroc:
        for _ in range(24):
            middle = (low + high) / 2
            low, high = (middle, high) if roc_auc_score(y, sharp + middle * noise) > auroc else (low, middle)
    alone = (sharp + low * noise)[:, None]
    named = np.column_stack([alone, pd.get_dummies(best["device"], dtype=float).iloc[:, 1:]])
    learn = best["site"].ne("D").to_numpy()
    found = [
        roc_auc_score(y, LogisticRegression(C=100).fit(x[learn], y[learn]).decision_function(x)) for x in (alone, named)
    ]
    return float(found[0]), float(found[1] - found[0])


def _best_readers(preset: str, seed: int, n_subjects: int) -> pd.DataFrame:
    from sklearn.linear_model import LinearRegression, LogisticRegression

    settings = with_unlabelled(phantom_settings("vertebra-phantom"), 0)  # nothing is asked of them
    rows = simulate(settings, n_subjects, seed, "tpswav2025")
    rows = read_again(settings, rows.join(plan_scans(settings, rows, "tpswav2025", seed)), preset, seed)
    test = rows["split"].eq("test").to_numpy()
    ill, makers = (rows["t_score"] <= -2.5).to_numpy(), sorted(rows["device"][~test].unique())
    about = rows.loc[test, ["image_id", "subject_id", "site", "device", "bmd_true_g_cm2"]].assign(y=ill[test] * 1)
    found = {}
    for end, known in (("", False), ("_told", True)):
        x = known_of(rows, known)
        terms = terms_of(x).fit(x[~test])
        chance = LogisticRegression(C=10, max_iter=200).fit(terms.transform(x[~test]), ill[~test])
        line = LinearRegression().fit(terms.transform(x[~test]), rows["bmd_g_cm2"][~test])
        cases = {end: x[test]}
        if known:
            cases |= {f"_{name}": _as_if(x[test], name) for name in makers}
        for name, case in cases.items():
            seen = terms.transform(case)
            found |= {f"score{name}": chance.predict_proba(seen)[:, 1], f"bmd{name}": line.predict(seen)}
    return about.rename(columns={"image_id": "unit_id"}).assign(**found).reset_index(drop=True)


def _as_if(x: pd.DataFrame, maker: str) -> pd.DataFrame:
    return x.assign(**{name: float(name == f"device_{maker}") for name in x if name.startswith("device_")})
