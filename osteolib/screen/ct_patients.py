"""From scored vertebrae to patients: by any vertebra, as tpswav2025_ct does, and by all vertebrae together.

Practice at DXA reads one T-score of L1 to L4 together. Its stand-in here is the mean of the T-scores of a patient's
vertebrae, each against the reference of its maker and level.
"""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd

from osteolib.phantoms.settings import phantom_settings
from osteolib.phantoms.vertebra.people import as_read, t_score_of
from osteolib.screen.ct_cuts import MIDDLE, at_cut
from osteolib.screen.ct_images import vertebra_images
from osteolib.screen.ct_study import SIZE, SPACING_MM
from osteolib.screen.moe_training import load_net, predict
from osteolib.stats.exact import exact_interval

CUT, T_CUT = MIDDLE, -2.5
RULES = ("any", "together")
JOINT = ("ill", "called", "both", "neither")


def with_t_score(scored: pd.DataFrame) -> pd.DataFrame:
    """Adds ``t_predicted``: the T-score of ``bmd_predicted``, g/cm² as the vertebra's ``device`` reads it.

    Raises
    ------
    ValueError
        A device has no reference in the phantom's settings.
    """
    settings = phantom_settings("vertebra-phantom")
    if unknown := sorted(set(scored["device"]) - set(settings["dxa"]["makers"])):
        raise ValueError(f"no reference for the device {', '.join(map(repr, unknown))}: leave these vertebrae out")
    rows = scored.assign(t_predicted=np.nan)
    for maker, here in rows.groupby("device").groups.items():
        rows.loc[here, "t_predicted"] = t_score_of(
            settings, maker, rows.loc[here, "level"], rows.loc[here, "bmd_predicted"]
        )
    return rows


def every_vertebra(vertebrae: pd.DataFrame, folder: Path, fingerprint: str, cut: float = MIDDLE) -> pd.DataFrame:
    """A trained network on all vertebrae that a CT shows, those without DXA too, at levels that it never learned from.

    Truth is what the patient's machine would read without any error of its own.

    Parameters
    ----------
    vertebrae
        Rows of a ``vertebra-phantom``.
    folder
        The network: :func:`osteolib.screen.moe_training.train_once`.
    fingerprint
        Of the cohort.
    cut
        Of the network: :func:`osteolib.screen.ct_cuts.best_cut`.

    Returns
    -------
    The rows with ``t_score``, ``y``, ``score``, ``bmd_predicted`` and ``t_predicted``.
    """
    settings, rows = phantom_settings("vertebra-phantom"), vertebrae.reset_index(drop=True)
    images = vertebra_images(rows, SIZE, SPACING_MM, key={"cohort": fingerprint})
    said = predict(load_net(folder), images, rows["device"])
    rows = rows.assign(score=at_cut(said["osteoporosis"], cut), bmd_predicted=said["bmd_g_cm2"])
    for maker, here in rows.groupby("device").groups.items():
        of = rows.loc[here]
        read = as_read(settings["dxa"]["makers"][maker], settings["dxa"]["anchor"], of["bmd_true_g_cm2"])
        rows.loc[here, "t_score"] = t_score_of(settings, maker, of["level"], read)
    return with_t_score(rows.assign(y=(rows["t_score"] <= T_CUT).astype(int)))


def patients(scored: pd.DataFrame) -> pd.DataFrame:
    """One row per patient, in order of first appearance.

    Parameters
    ----------
    scored
        One row per vertebra: ``subject_id, site, y, score`` and, where known, ``t_score, t_predicted``.

    Returns
    -------
    ``subject_id, site, n`` (vertebrae); ``y`` and ``score`` by any vertebra, the score being the largest; ``mean``, the
    mean score; ``t_score`` and ``t_predicted``, means.
    """
    by = scored.groupby("subject_id", sort=False)
    table = pd.DataFrame({
        "site": by["site"].first(), "n": by.size(), "y": by["y"].max(), "score": by["score"].max(),
        "mean": by["score"].mean(),
    })  # fmt: skip
    for name in ("t_score", "t_predicted"):
        if name in scored:
            table[name] = by[name].mean()
    return table.reset_index()


def drawn(scored: pd.DataFrame, n: int, at_least: int) -> pd.DataFrame:
    """What patients of ``at_least`` vertebrae would be if only ``n`` of theirs were looked at, over all ways to choose.

    Parameters
    ----------
    scored
        As in :func:`patients`, with ``t_score`` and ``t_predicted``.

    Returns
    -------
    One row per patient, indexed by them: for each rule (``any``, ``together``) the shares of choices in which the
    patient is ill, called, both, and neither: ``any ill``, ``any called`` ...

    Raises
    ------
    ValueError
        ``n`` is not between 1 and ``at_least``.
    """
    if not 1 <= n <= at_least:
        raise ValueError(f"n must lie between 1 and at_least = {at_least}, got {n}")
    found = {}
    for subject, rows in scored.groupby("subject_id", sort=False):
        if len(rows) < at_least:
            continue
        chosen = np.array(list(combinations(range(len(rows)), n)))
        y, called = rows["y"].to_numpy() == 1, rows["score"].to_numpy() >= CUT
        t, t_predicted = rows["t_score"].to_numpy(), rows["t_predicted"].to_numpy()
        told = {
            "any": (y[chosen].any(axis=1), called[chosen].any(axis=1)),
            "together": (t[chosen].mean(axis=1) <= T_CUT, t_predicted[chosen].mean(axis=1) <= T_CUT),
        }
        found[subject] = [
            share.mean()
            for ill, positive in told.values()
            for share in (ill, positive, ill & positive, ~ill & ~positive)
        ]
    names = [f"{rule} {name}" for rule in RULES for name in JOINT]
    return pd.DataFrame.from_dict(found, orient="index", columns=names, dtype=float)


def rates(shares: pd.DataFrame, n_boot: int, seed: int) -> pd.DataFrame:
    """Rates of patients under each rule, with 95 % intervals over draws of patients; NaN where there is none to call.

    ``shares`` are of :func:`drawn`.

    Returns
    -------
    ``rule, metric`` (sensitivity, specificity, prevalence, called), ``value, ci_low, ci_high, people, exact``. If
    ``exact``, all draws give one value, and the interval is that of :func:`osteolib.stats.exact.exact_interval`, of
    the patients with a choice that could be called rightly or wrongly.
    """
    people = len(shares)
    equal = np.full(people, 1 / max(people, 1))
    draws = np.random.default_rng([seed, 43]).multinomial(people, equal, n_boot) if people else np.ones((1, 0))
    weights = np.concatenate([np.ones((1, people)), draws])
    rows = []
    for rule in RULES:
        ill, called, both, neither = ((weights @ shares[f"{rule} {name}"].to_numpy()) for name in JOINT)
        measures = {"sensitivity": (both, ill), "specificity": (neither, people - ill), "prevalence": (ill, people),
                    "called": (called, people)}  # fmt: skip
        for metric, (top, bottom) in measures.items():
            bottom = np.broadcast_to(np.asarray(bottom, float), top.shape)
            value = np.divide(top, bottom, out=np.full(top.shape, np.nan), where=bottom > 1e-9)
            low, high = np.nanquantile(value[1:], (0.025, 0.975)) if np.isfinite(value[1:]).any() else (np.nan,) * 2
            if exact := bool(high - low < 1e-9):
                asked = {"sensitivity": shares[f"{rule} ill"], "specificity": 1 - shares[f"{rule} ill"]}
                n = int((asked[metric] > 0).sum()) if metric in asked else people
                low, high = exact_interval(min(max(value[0], 0.0), 1.0) * n, n)
            rows.append((rule, metric, value[0], low, high, people, exact))
    return pd.DataFrame(rows, columns=["rule", "metric", "value", "ci_low", "ci_high", "people", "exact"])
