"""Who comes to which hospital: patients by hospital and split, their DXA's maker, and which vertebrae are seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from osteolib.phantoms.people import sample_people

POOL = 40  # people for each patient, from whom hospitals draw without putting back


def patients_of(
    settings: Mapping[str, Any],
    n: int | None,
    preset: str,
    rng: np.random.Generator,
    chance: Callable[[NDArray, str], NDArray],
) -> pd.DataFrame:
    """Patients, one row each: people of the model with ``site``, ``split``, ``device``, and the levels on their CT.

    Parameters
    ----------
    n
        Patients over all hospitals; None: the paper's.
    chance
        Probability of osteoporosis in a vertebra, of T-scores and a maker.

    Returns
    -------
    ``level_names`` and ``level_labelled`` hold an array a patient.
    """
    rule, hospitals = settings["presets"][preset], settings["hospitals"]
    even = rule.get("even")
    cells = _cells(hospitals, n, even)
    pool = sample_people(settings["people"], max(20_000, POOL * int(cells["patients"].sum())), rng)
    makers = list(settings["dxa"]["makers"])
    groups = []
    for site, here in cells.groupby("site", sort=False):
        devices = makers if rule["devices"] == "crossed" else rule["devices"][site]
        ill = np.mean([chance(pool.t_score.to_numpy(), maker) for maker in devices], axis=0)
        weights = _weights(pool.t_score.to_numpy(), ill, None if even else hospitals[site]["osteoporosis"])
        count = int(here["patients"].sum())
        picked = pool.iloc[rng.choice(len(pool), count, replace=False, p=weights)]
        labelled = np.concatenate([
            share_out(total, rng.integers(1, 5, size), 1, 4, rng)
            for total, size in zip(here["labelled"], here["patients"], strict=True)
        ])  # fmt: skip
        # a CT of the chest shows most of the thoracic spine, one of the abdomen its lower end; half each, an assumption
        others = np.where(rng.random(count) < 0.5, rng.integers(10, 13, count), rng.integers(3, 8, count))
        groups.append(picked.assign(
            site=site, split=np.repeat(here["split"], here["patients"]).to_numpy(),
            device=rng.permutation(np.resize(devices, count)), n_labelled=labelled,
            n_unlabelled=share_out(int(here["unlabelled"].sum()), others, 0, 12, rng),
        ))  # fmt: skip
    patients = pd.concat(groups, ignore_index=True)
    six = rng.random(len(patients)) < settings["six_lumbar"]
    levels = [
        _levels(list(settings["levels"]), *counts, rng)
        for counts in zip(patients.pop("n_labelled"), patients.pop("n_unlabelled"), six, strict=True)
    ]
    patients["level_names"], patients["level_labelled"] = (list(part) for part in zip(*levels, strict=True))
    return patients


def with_unlabelled(settings: Mapping[str, Any], share: float) -> dict[str, Any]:
    """The settings with this share of the vertebrae without DXA; 0: none of them is on a scan."""

    def fewer(about: Mapping[str, Any]) -> dict[str, Any]:
        return {**about, "unlabelled": share * about["unlabelled"]}

    hospitals = {name: fewer(about) for name, about in settings["hospitals"].items()}
    presets = {
        name: {**rule, "even": fewer(rule["even"])} if "even" in rule else rule
        for name, rule in settings["presets"].items()
    }
    return {**settings, "hospitals": hospitals, "presets": presets}


def share_out(total: int, start: ArrayLike, low: int, high: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """``total`` things among people, near ``start`` for each, from ``low`` to ``high``, the rest at random; shape (n,).

    As near to ``total`` as the bounds allow.
    """
    counts = np.clip(np.asarray(start, int), low, high)
    total = int(np.clip(total, low * len(counts), high * len(counts)))
    while left := total - counts.sum():
        step = np.sign(left)
        free = np.flatnonzero(counts < high if step > 0 else counts > low)
        counts[rng.permutation(free)[: abs(left)]] += step
    return counts


def _cells(hospitals: Mapping[str, Any], n: int | None, even: Mapping[str, float] | None) -> pd.DataFrame:
    """A row per hospital and split that has patients; ``patients``, ``labelled`` and ``unlabelled`` vertebrae."""
    rows = [
        {"site": site, "split": split, "patients": count, "labelled": about["labelled"][split],
         "unlabelled": about["unlabelled"] * count / sum(about["patients"].values())}
        for site, about in hospitals.items() for split, count in about["patients"].items() if count
    ]  # fmt: skip
    cells = pd.DataFrame(rows)
    per_patient = cells[["labelled", "unlabelled"]].div(cells["patients"], axis=0)
    if even:
        per_patient = pd.DataFrame(even, index=cells.index, dtype=float)
        cells["patients"] = cells["patients"] / cells.groupby("site")["patients"].transform("sum")
    if n is not None or even:
        n = n if n is not None else sum(sum(about["patients"].values()) for about in hospitals.values())
        exact = n * cells["patients"] / cells["patients"].sum()
        whole = np.floor(exact).astype(int)
        whole[(exact - whole).nlargest(n - whole.sum()).index] += 1  # the largest remainders
        cells["patients"] = whole
        cells[["labelled", "unlabelled"]] = per_patient.mul(whole, axis=0)
    cells[["labelled", "unlabelled"]] = cells[["labelled", "unlabelled"]].round().astype(int)
    return cells[cells["patients"] > 0]


def _weights(t_score: NDArray, ill: NDArray, wanted: float | None) -> NDArray:
    """Weights exp(-k T) of a pool under which a share ``wanted`` of vertebrae has osteoporosis; None: equal ones."""
    from scipy.optimize import brentq

    def tilted(k: float) -> NDArray:
        w = np.exp(-k * np.clip(t_score, -5, 5))
        return w / w.sum()

    return tilted(0 if wanted is None else brentq(lambda k: tilted(k) @ ill - wanted, -2, 3))


def _levels(
    names: list[str], n_labelled: int, n_unlabelled: int, six: bool, rng: np.random.Generator
) -> tuple[ArrayLike, ArrayLike]:
    """Levels of one scan, a stretch of the spine, and which of them have a DXA: neighbours among L1 to L4."""
    l1, last = names.index("L1"), names.index("L6") if six else names.index("L5")
    first = l1 + rng.integers(0, 5 - n_labelled)
    below = min(rng.integers(0, last - first - n_labelled + 2), n_unlabelled)
    seen = np.arange(first + n_labelled + below - n_labelled - n_unlabelled, first + n_labelled + below)
    return np.array(names)[seen], (seen >= first) & (seen < first + n_labelled)
