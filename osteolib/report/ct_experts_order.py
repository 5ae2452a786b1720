"""What the page on experts for DXA makers measures of the diagnosis: order within hospitals, and calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from osteolib.report.audit_ct import AS_PPV_NPV, SITES, VERTEBRAE, Tables
from osteolib.report.compared import DIFFERENCES, ROWS, Comparison
from osteolib.report.ct_experts_figures import WITH, WITHOUT
from osteolib.report.ct_experts_rows import Scored
from osteolib.screen.ct_devices import EXPERTS, ONE, PAPER, TOLD
from osteolib.stats.audit import nearest_matrix
from osteolib.stats.exact import exact_of_calls
from osteolib.stats.ranks import auroc_within
from osteolib.stats.within import aurocs_within

ALL, WITHIN = "all hospitals", "within hospitals"
AREAS = {ALL: lambda y, score, site: auroc_within(y, score, np.zeros(len(y))), WITHIN: auroc_within}
CUT = 0.5


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
