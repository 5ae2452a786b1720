"""What the page on experts for DXA makers measures: biases, what follows a maker."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from osteolib.report.ct_experts_figures import WITH, WITHOUT
from osteolib.screen.ct_devices import EXPERTS, PAPER, TOLD, moves_with_maker
from osteolib.screen.ct_makers import follows, own_offset
from osteolib.stats.agreement import bland_altman
from osteolib.stats.agreement_clustered import bland_altman_clustered
from osteolib.stats.bootstrap_any import bootstrap_statistic

Scored = Mapping[str, Mapping[str, pd.DataFrame]]  # by arrangement and network: test vertebrae, from scored_test
NOTHING = float("nan"), float("nan"), float("nan")


def with_interval(
    statistic: Callable[..., float], arrays: Sequence, person: pd.Series, n_boot: int, seed: int
) -> tuple[float, float, float]:
    """A statistic of vertebrae with its interval, people resampled; NaN for what so few cannot give."""
    value = statistic(*(np.asarray(a, float) for a in arrays)) if len(person) else float("nan")
    if not np.isfinite(value) or person.nunique() < 3:
        return value, float("nan"), float("nan")
    found = bootstrap_statistic(statistic, *arrays, groups=person, n_boot=n_boot, seed=seed)
    return found.estimate, *found.ci


def groups_of(vertebrae: pd.DataFrame, arrangement: str) -> pd.Series:
    """Where vertebrae are told apart by bias: maker and hospital where these coincide, else the maker."""
    if arrangement != PAPER:
        return vertebrae["device"]
    return vertebrae["device"] + ", " + vertebrae["site"]


def biases(scored: Scored) -> pd.DataFrame:
    """Bland-Altman of BMD by arrangement, group and network, several vertebrae of a person taken as such.

    Returns
    -------
    ``arrangement, group, network, n, people, bias, low, high, loa_low, loa_high`` (NaN below three people), ``alike``:
    the bias of somebody who predicts the same whoever measured, in g/cm2.
    """
    rows = []
    for arrangement, of in scored.items():
        for network, vertebrae in of.items():
            offset = own_offset(vertebrae["bmd_true_g_cm2"], vertebrae["device"])
            for group, own in vertebrae.assign(offset=offset).groupby(groups_of(vertebrae, arrangement)):
                pair, person = (own["bmd_g_cm2"], own["bmd_predicted"]), own["subject_id"]
                people, found = person.nunique(), (*NOTHING, float("nan"), float("nan"))
                if people >= 3:
                    several = person.duplicated().any()
                    b = bland_altman_clustered(*pair, person) if several else bland_altman(*pair)
                    found = b.bias, *b.bias_ci, b.loa_low, b.loa_high
                rows.append((arrangement, group, network, len(own), people, *found, -own["offset"].mean()))
    columns = ["arrangement", "group", "network", "n", "people", "bias", "low", "high", "loa_low", "loa_high", "alike"]
    return pd.DataFrame(rows, columns=columns)


def followed(
    scored: Scored, said: Mapping[str, Mapping[str, pd.DataFrame]], best: Mapping[str, pd.DataFrame],
    n_boot: int, seed: int,
) -> pd.DataFrame:  # fmt: skip
    """Share of the makers' difference that predictions follow: ``arrangement, reader, how, value, low, high, n``.

    ``how`` is ``patients``, across patients at equal true BMD, or ``told``, one picture told each maker; ``said`` is
    from :func:`told_each`, by arrangement and network, empty where a training heard of one maker alone.
    """
    rows = []
    for arrangement, of in scored.items():
        for reader, v in of.items():
            rows.append((arrangement, reader, "patients", *followed_by_patients(v, n_boot, seed), len(v)))
        for reader, of_reader in said[arrangement].items():
            slope = moves_with_maker(of_reader)
            person = of_reader.drop_duplicates("unit_id").set_index("unit_id")["subject_id"].loc[slope.index]
            rows.append(
                (arrangement, reader, "told", *with_interval(np.mean, [slope], person, n_boot, seed), len(slope))
            )
        b = best[arrangement]
        for reader, column in ((WITHOUT, "bmd"), (WITH, "bmd_told")):
            value = follows(b[column], b["bmd_true_g_cm2"], own_offset(b["bmd_true_g_cm2"], b["device"]))
            rows.append((arrangement, reader, "patients", value, value, value, len(b)))
        makers = [name.removeprefix("bmd_") for name in b if name.startswith("bmd_") and f"score_{name[4:]}" in b]
        asked = pd.concat([b.assign(told=name, bmd=b[f"bmd_{name}"]) for name in makers if name != "told"])
        slope = moves_with_maker(asked).mean()
        rows.append((arrangement, WITH, "told", slope, slope, slope, len(b)))
    return pd.DataFrame(rows, columns=["arrangement", "reader", "how", "value", "low", "high", "n"])


def followed_by_patients(vertebrae: pd.DataFrame, n_boot: int, seed: int) -> tuple[float, float, float]:
    """:func:`osteolib.screen.ct_makers.follows` of a network's test vertebrae, with its interval."""
    true = vertebrae["bmd_true_g_cm2"]
    arrays = vertebrae["bmd_predicted"], true, own_offset(true, vertebrae["device"])
    return with_interval(follows, arrays, vertebrae["subject_id"], n_boot, seed)


def asked_apart(said: Mapping[str, pd.DataFrame], n_boot: int, seed: int) -> tuple[float, float, float]:
    """How much more of the makers' difference experts follow in one picture than one head that is told, with interval.

    ``said`` is from :func:`told_each`, by network: both on the same vertebrae, so that the difference is a paired one.
    """
    experts, told = (moves_with_maker(said[name]) for name in (EXPERTS, TOLD))
    person = said[EXPERTS].drop_duplicates("unit_id").set_index("unit_id")["subject_id"]
    apart = experts - told
    return with_interval(np.mean, [apart], person.loc[apart.index], n_boot, seed)


def chances(said: Mapping[str, Mapping[str, pd.DataFrame]], best: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Mean probability of the same vertebrae by what is told: ``arrangement, reader, told, chance``."""
    rows = []
    for arrangement, of in said.items():
        for reader, told in of.items():
            means = told.groupby("told", sort=False)["score"].mean()
            rows += [(arrangement, reader, name, value) for name, value in means.items()]
        makers = list(dict.fromkeys(name for told in of.values() for name in told["told"]))
        rows += [(arrangement, WITH, name, best[arrangement][f"score_{name}"].mean()) for name in makers]
    return pd.DataFrame(rows, columns=["arrangement", "reader", "told", "chance"])
