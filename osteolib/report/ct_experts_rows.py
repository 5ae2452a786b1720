"""What the page on experts for DXA makers measures: biases, what follows a maker, order within hospitals, calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from osteolib.report.audit_ct import AS_PPV_NPV, SITES, VERTEBRAE, Tables
from osteolib.report.compared import DIFFERENCES, ROWS, Comparison
from osteolib.report.ct_experts_figures import WITH, WITHOUT
from osteolib.screen.ct_devices import EXPERTS, ONE, TOLD, moves_with_maker
from osteolib.screen.ct_makers import follows, own_offset
from osteolib.stats.agreement import bland_altman
from osteolib.stats.agreement_clustered import bland_altman_clustered
from osteolib.stats.audit import nearest_matrix
from osteolib.stats.bootstrap_any import bootstrap_statistic
from osteolib.stats.exact import exact_of_calls
from osteolib.stats.ranks import auroc_within
from osteolib.stats.within import aurocs_within

PAPER, CROSSED = "as in the paper", "makers crossed"
PRESETS = {PAPER: "tpswav2025", CROSSED: "crossed"}
ALL, WITHIN = "all hospitals", "within hospitals"
AREAS = {ALL: lambda y, score, site: auroc_within(y, score, np.zeros(len(y))), WITHIN: auroc_within}
CUT = 0.5
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
            arrays = v["bmd_predicted"], v["bmd_true_g_cm2"], own_offset(v["bmd_true_g_cm2"], v["device"])
            found = with_interval(follows, arrays, v["subject_id"], n_boot, seed)
            rows.append((arrangement, reader, "patients", *found, len(v)))
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


def order(of: Mapping[str, pd.DataFrame], pairs: Sequence[tuple[str, str]], n_boot: int, seed: int) -> Comparison:
    """AUROC over all hospitals and within hospitals of every network, with paired differences; people are resampled.

    What a sample does not have (one class, or no hospital with both) is left out. Where all draws give one value, the
    AUROC over all hospitals has its exact interval.
    """
    first = next(iter(of.values()))
    site, person = pd.Categorical(first["site"]).codes, first["subject_id"]
    strata = {ALL: np.zeros(len(site)), WITHIN: site}
    scores = {name: v["score"].to_numpy() for name, v in of.items()}
    size, rows, differences, exact = (len(first), person.nunique()), [], [], set()
    y, number = first["y"].to_numpy(), pd.factorize(person)[0]
    for metric, stratum in strata.items():
        drawn = aurocs_within(y, scores, stratum, person, n_boot, seed)
        if not np.isfinite(next(iter(drawn.values()))[0]):
            continue
        for name, values in drawn.items():
            value, *ends = _ends(values)
            if (
                metric == ALL
                and np.ptp(ends) == 0
                and (sure := exact_of_calls("auroc", y, scores[name], None, number, 0.95))
            ):
                ends = sure
                exact.add((name, metric))
            rows.append((name, metric, value, *ends, *size, np.nan))
        differences += [(a, b, metric, *_ends(drawn[a] - drawn[b]), *size) for a, b in pairs]
    frames = pd.DataFrame(rows, columns=ROWS), pd.DataFrame(differences, columns=DIFFERENCES)
    return Comparison(*frames, frozenset(exact))


def _ends(values: NDArray) -> tuple[float, float, float]:
    """The sample's own value, which stands first, and the middle 95 % of the others."""
    low, high = np.nanquantile(values[1:], (0.025, 0.975))
    return values[0], low, high


def attained(best: pd.DataFrame, end: str) -> dict[str, float]:
    """AUROC of a best reader over all hospitals and within them; ``end`` is empty, or ``_told`` with the maker."""
    arrays = best["y"].to_numpy(), best[f"score{end}"].to_numpy(), pd.Categorical(best["site"]).codes
    return {name: f(*arrays) for name, f in AREAS.items()}


def calls(scored: Scored) -> pd.DataFrame:
    """Shares called at 0.5 and with osteoporosis by hospital: ``arrangement, site, reader, called, ill, f1, n``."""
    rows = [
        (arrangement, site, reader, (own["score"] >= CUT).mean(), own["y"].mean(), f1(own["y"], own["score"]), len(own))
        for arrangement, of in scored.items()
        for reader, v in of.items()
        for site, own in v.groupby("site")
    ]
    return pd.DataFrame(rows, columns=["arrangement", "site", "reader", "called", "ill", "f1", "n"])


def f1(y: pd.Series, score: pd.Series) -> float:
    """F1 of calls at 0.5; NaN where nobody is ill and nobody is called."""
    called = score >= CUT
    either = y.sum() + called.sum()
    return float(2 * (y * called).sum() / either) if either else float("nan")


def printed_change(tables: Tables, positives: Mapping[str, int]) -> pd.DataFrame:
    """Table 2, one head and with experts, by hospital: F1 as printed, shares called and ill as recovered, in per cent.

    ``positives``: vertebrae with osteoporosis by hospital. Returns ``site, f1_one, f1_experts, called_one,
    called_experts, ill``.
    """
    rows = []
    for site in SITES:
        n, row = tables.size[VERTEBRAE][site], {"site": site}
        for name, model in zip(("one", "experts"), tables.models[-2:], strict=True):
            shown = tables.rows[VERTEBRAE, site][model]
            matrix = nearest_matrix(n, positives[site], AS_PPV_NPV, shown)[0]
            row |= {f"f1_{name}": 100 * float(shown["f1"].value), f"called_{name}": 100 * (matrix.tp + matrix.fp) / n}
        rows.append(row | {"ill": 100 * positives[site] / n})
    return pd.DataFrame(rows)


def side_by_side(printed: pd.DataFrame, ours: pd.DataFrame, best: pd.DataFrame) -> pd.DataFrame:
    """What telling the maker changes, by hospital: printed, of our networks, of the best reader; in per cent."""
    ours = ours[ours["arrangement"] == PAPER].set_index(["reader", "site"])

    def arrow(a: float, b: float) -> str:
        return "–" if a != a or b != b else f"{a:.1f} → {b:.1f}"

    kept, perfect = printed.set_index("site"), best.set_index(["reader", "site"])
    f1s = {s: arrow(*kept.loc[s, ["f1_one", "f1_experts"]]) for s in SITES}
    called = {s: arrow(*kept.loc[s, ["called_one", "called_experts"]]) for s in SITES}
    rows = [
        ("printed", f"F1, {ONE} → {EXPERTS}", f1s),
        ("printed", "called (recovered)", called),
        ("printed", "osteoporosis (recovered)", {s: f"{kept.loc[s, 'ill']:.1f}" for s in SITES}),
    ]
    nets, reader = "phantom, networks", "phantom, best reader"
    for kind, of, first, then, word in (
        (nets, ours, ONE, EXPERTS, f"{ONE} → {EXPERTS}"),
        (nets, ours, ONE, TOLD, f"{ONE} → told the maker"),
        (reader, perfect, WITHOUT, WITH, "alone → told the maker"),
    ):
        for what, column in (("F1", "f1"), ("called", "called")):
            cells = {s: arrow(*(100 * of[column].get((r, s), np.nan) for r in (first, then))) for s in SITES}
            rows.append((kind, f"{what}, {word}", cells))
        if then != EXPERTS:
            rows.append((kind, "osteoporosis", {s: f"{100 * of['ill'].get((then, s), np.nan):.1f}" for s in SITES}))
    return pd.DataFrame([{"kind": kind, "%": what} | cells for kind, what, cells in rows])
