"""Whom the gate of the experts asks, maker by maker: weights with intervals, and whether makers have their experts."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from osteolib.report import ct_experts_figures as draw
from osteolib.report.ct_experts_rows import Scored, with_interval
from osteolib.report.show import figure, say, table, with_ci
from osteolib.runs import Run
from osteolib.screen.ct_devices import CROSSED, EXPERTS, PAPER, gate_moved
from osteolib.screen.moe import load_balance

COHORT = "vertebra-phantom"
EVEN = "evenness"
"""Entropy of the weights of one vertebra over that of equal ones: 1 mixes all experts alike, 0 asks one alone."""
LEAD = "lead"
"""The largest mean weight of a maker less the next: above zero beyond chance, and this expert leads."""


def gate_rows(scored: Scored, n_boot: int, seed: int) -> pd.DataFrame:
    """Weights by maker, people resampled: ``arrangement, device, what, value, low, high, n, people, first``.

    ``what``: ``expert 1`` ..., mean weight; :data:`EVEN`, its mean over vertebrae; :data:`LEAD`. ``first`` is the
    number of the expert with the largest mean weight.
    """
    rows = []
    for arrangement, of in scored.items():
        for device, own in of[EXPERTS].groupby("device"):
            person, size = own["subject_id"], (len(own), own["subject_id"].nunique())
            weights = own.filter(like="gate_").to_numpy(float)
            first = int(weights.mean(axis=0).argmax())
            each = np.array([load_balance(w[None], [device])["evenness"].iloc[-1] for w in weights])
            measures = {f"expert {k}": (np.mean, [w]) for k, w in enumerate(weights.T, 1)}
            measures[EVEN] = np.mean, [each]
            measures[LEAD] = _lead, [weights[:, first], *np.delete(weights, first, axis=1).T]
            for what, (statistic, arrays) in measures.items():
                found = with_interval(statistic, arrays, person, n_boot, seed)
                rows.append((arrangement, device, what, *found, *size, first + 1))
    columns = ["arrangement", "device", "what", "value", "low", "high", "n", "people", "first"]
    return pd.DataFrame(rows, columns=columns)


def _lead(own: np.ndarray, *others: np.ndarray) -> float:
    return float(own.mean() - max(other.mean() for other in others))


def specialised(rows: pd.DataFrame) -> str:
    """In words, whether makers have experts of their own; ``rows`` of one arrangement from :func:`gate_rows`."""
    leads = rows[rows["what"] == LEAD]
    sure = leads[leads["low"] > 0]
    if len(leads) < 2:
        return "there is one maker, and nothing to specialise in"
    if sure["first"].nunique() == len(leads):
        return "each maker has an expert of its own"
    if sure["first"].nunique() > 1:
        return "different experts lead for some makers, and not each has its own"
    if len(sure) == len(leads):
        return "one and the same expert leads for every maker"
    return "no two makers are led by different experts beyond the chance of who was tested"


def show_gates(
    run: Run, scored: Scored, said: Mapping[str, Mapping[str, pd.DataFrame]], n_boot: int, seed: int
) -> None:
    """Weights and evenness by maker, whether experts specialise, and what the name alone moves in one picture.

    ``said`` is from :func:`osteolib.screen.ct_devices.told_each`, by arrangement and network, empty for one maker.
    """
    rows = gate_rows(scored, n_boot, seed)
    drawn = rows[rows["what"] != LEAD]
    told = "; ".join(f"{r.arrangement}, {r.device}, {r.what} {r.value:.2f}" for r in drawn.itertuples())
    figure(run, "gates", draw.gates(drawn), alt=f"Mean weights of the three experts and evenness by maker: {told}.")
    shown = rows.assign(text=[with_ci(*r) for r in rows[["value", "low", "high"]].to_numpy()])
    index = ["arrangement", "device", "n", "people"]
    wide = shown.pivot(index=index, columns="what", values="text")[list(rows["what"].unique())].reset_index()
    caption = ("Phantom: mean weight of each expert, evenness of a vertebra's weights, and lead of the first expert "
               "(95 % CI, people resampled)")  # fmt: skip
    table(run, "gates", wide.rename(columns={"device": "DXA", "n": "vertebrae"}), caption, index=False,
          folded="Weights by maker")  # fmt: skip
    for r in drawn[drawn["what"].eq(EVEN) & np.isfinite(drawn["low"])].itertuples():
        run.result(None, f"evenness of a vertebra's gate, {r.arrangement}, {r.device}", r.value, ci=(r.low, r.high),
                   n=r.n, cohort=COHORT)  # fmt: skip
    for name, end in ((PAPER, "paper"), (CROSSED, "crossed")):
        own = rows[rows["arrangement"] == name]
        weights = own[own["what"].str.startswith("expert")].pivot(index="device", columns="what", values="value")
        moved = np.nan, np.nan, np.nan
        if EXPERTS in said[name]:
            each = 100 * gate_moved(said[name][EXPERTS])
            person = said[name][EXPERTS].drop_duplicates("unit_id").set_index("unit_id")["subject_id"].loc[each.index]
            moved = with_interval(np.mean, [each], person, n_boot, seed)
        run.fact(**{f"special_{end}": specialised(own), f"widest_{end}": float(100 * np.ptp(weights, axis=0).max()),
                    f"moved_{end}": "–" if np.isnan(moved[0]) else with_ci(*moved, ".1f"),
                    f"even_{end}": float(own.loc[own["what"] == EVEN, "value"].mean())})  # fmt: skip
    say(run, "**Do experts specialise by maker? In the paper's arrangement {special_paper}; crossed, "
        "{special_crossed}.** An expert's mean weight differs by up to {widest_paper:.0f} points of 100 between "
        "makers, crossed by {widest_crossed:.0f}; a single vertebra's weights are even to {even_paper:.2f} and "
        "{even_crossed:.2f} (1: mixes all alike, 0: asks one alone). The gate hears the picture, too, so that thin "
        "bones may choose as well as makers. Told each maker about one and the same picture, it moves {moved_paper} "
        "points of weight in the paper's arrangement and {moved_crossed} crossed. No loss balances the load: an "
        "expert may be left idle.")  # fmt: skip
