"""Figures and the table of the page on what the papers' test sets can show."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from osteolib.report.claims import SHORT, two_digits
from osteolib.report.style import GREY, INK, use_style
from osteolib.stats.replicability import Replicability, Sample, Study, simulate

PAPER_COLOURS = {"lee2025_hand": "#0072B2", "lee2023_hand": "#56B4E9", "strnet2026_knee": "#009E73",
                 "chen2024_hip": "#CC79A7", "tpswav2025_ct": "#D55E00"}  # fmt: skip


def lead_hills(claims: pd.DataFrame) -> Figure:
    """For each claim the leads of the best of equal methods as a hill, the printed lead as a dot.

    ``claims`` as from :func:`osteolib.report.claims.all_claims`, with ``found`` (a ``Replicability``).
    """
    fig, axis, places = _lines(claims, height=6.2)
    edges = np.arange(32) / 78  # an AUROC of 6 x 13 pairs comes in steps of 1/78
    for y, c in zip(places, claims.itertuples(), strict=True):
        hill = np.histogram(np.clip(c.found.leads, 0, edges[-1]), edges)[0]
        axis.stairs(
            y + 0.85 * hill / hill.max(), edges, baseline=y, fill=True, alpha=0.35, color=PAPER_COLOURS[c.paper]
        )
        axis.plot(c.claimed, y + 0.12, "o", ms=8, color=PAPER_COLOURS[c.paper], mec="white")
        axis.text(0.415, y + 0.15, "< 1 %" if c.found.luck < 0.005 else f"{100 * c.found.luck:.0f} %", fontsize=9)
    axis.text(0.415, len(claims) - 0.1, "equal methods\nlead by as much", fontsize=8)
    axis.set(xlim=(0, 0.4), ylim=(-0.2, len(claims)), xlabel="lead of the best method (AUROC, accuracy, F1 or r)")
    return fig


def honest_intervals(firsts: pd.DataFrame) -> Figure:
    """What studies print when the printed value is the truth (thin), and the printed ± (thick), a line each."""
    use_style()
    fig, axis = plt.subplots(figsize=(7.6, 0.3 * len(firsts) + 0.9))
    places = np.arange(len(firsts))[::-1]
    for y, c in zip(places, firsts.itertuples(), strict=True):
        low, high = c.found.interval
        axis.hlines(y, low, high, color=PAPER_COLOURS[c.paper], lw=2)
        axis.hlines(y, c.best - c.spread, c.best + c.spread, color=INK, lw=7)
        axis.plot(c.best, y, "o", color=PAPER_COLOURS[c.paper], ms=7, mec="white")
        axis.text(1.02, y, f"{low:.2f} to {high:.2f}", va="center", fontsize=9)
    names = [f"{SHORT[c.study.metric]} · {c.set}" for c in firsts.itertuples()]
    axis.set(yticks=places, xlim=(0.4, 1), xlabel="printed value, with what such studies print in 95 of 100 cases")
    axis.set_yticklabels(names)
    return fig


def people_needed(claims: pd.DataFrame) -> Figure:
    """People a test set had (dot), needs for 80 % power (arrow, number), and for ± 0.05 (bar)."""
    fig, axis, places = _lines(claims, height=5.2)
    axis.set_xscale("log")
    axis.xaxis.set_major_formatter("{x:,.0f}")
    for y, c in zip(places, claims.itertuples(), strict=True):
        had, need, colour = c.study.sample.people, c.found.people_for_power, PAPER_COLOURS[c.paper]
        axis.annotate("", (need, y), (had, y), arrowprops={"arrowstyle": "-|>", "color": colour, "lw": 2,
                                                          "shrinkA": 0, "shrinkB": 0})  # fmt: skip
        axis.plot(had, y, "o", color=colour, ms=8, mec="white")
        axis.plot(c.found.people_for_width, y, "|", color=INK, ms=12, mew=2)
        axis.text(1.3 * max(need, had), y, f"{two_digits(need):,}", va="center", fontsize=9)
    axis.set(xlim=(10, 2e5), xlabel="people in the test set")
    axis.set_title("dot: had · arrow, number: for 80 % power · bar: for ± 0.05", fontsize=9)
    return fig


def under_other_assumptions(claims: pd.DataFrame, by_correlation: Mapping[float, pd.DataFrame]) -> Figure:
    """Power (left) and luck (right) of each claim at several correlations, as from ``vary``."""
    fig, (left, right), places = _lines(claims, height=5.2, columns=2)
    for axis, column in ((left, "power"), (right, "luck")):
        for (rho, result), mark in zip(by_correlation.items(), "os^", strict=True):
            label, alpha = f"ρ = {rho:g}", 0.25 + 0.75 * rho
            axis.plot(100 * result[column], places, mark, color=INK, alpha=alpha, ms=7, label=label, ls="none")
        spans = 100 * pd.concat([result[column] for result in by_correlation.values()], axis=1)
        axis.hlines(places, spans.min(axis=1), spans.max(axis=1), "#BBBBBB", zorder=0)
        axis.set(xlim=(-3, 103), xlabel="% of simulated studies")
    left.set_title("a true difference is seen")
    right.set_title("equal methods lead as much")
    right.legend(loc="lower right")
    return fig


def _lines(claims: pd.DataFrame, height: float, columns: int = 1) -> tuple[Figure, Axes, np.ndarray]:
    """An empty figure with one line a claim, the first on top, and the places of the lines."""
    use_style()
    fig, axes = plt.subplots(1, columns, figsize=(7.6 if columns == 1 else 8.6, height), sharey=True)
    places = np.arange(len(claims))[::-1]
    for axis in np.atleast_1d(axes):
        axis.set_yticks(places)
        axis.set_yticklabels(claims["label"])
        axis.tick_params(axis="y", length=0, labelsize=8.5)
        axis.spines["left"].set_visible(False)
    return fig, axes, places


def plan_leads(study: Study, result: Replicability, lead: float, seed: int) -> Figure:
    """Leads that equal and truly different methods print in a planned study, with its answers as title."""
    use_style()
    fig, axis = plt.subplots(figsize=(7, 2.5))
    for what, colour, name in ((study.equal(), GREY, "equal"), (study, "#D55E00", "truly different")):
        both = simulate(what, 2000, seed)
        axis.hist(both[:, 0] - both[:, 1], 40, color=colour, alpha=0.5, label=name)
    axis.axvline(lead, color=INK, lw=1.5)
    axis.set(xlabel="printed lead in AUROC", yticks=[])
    axis.set_title(f"seen {result.power:.0%} · 80 % power: {result.people_for_power:,} people · "
                   f"± 0.05: {result.people_for_width:,} people", fontsize=10)  # fmt: skip
    axis.legend()
    return fig


def claims_table(claims: pd.DataFrame) -> pd.DataFrame:
    """Every claim with its test set and what was found, under headings for readers."""
    return pd.DataFrame([{
        "paper": c.paper, "claim": c.label, "units": c.study.sample.n_positive + c.study.sample.n_negative,
        "people": c.study.sample.people, "best": round(c.best, 3), "other": round(c.other, 3),
        "lead": round(c.claimed, 3), "place": f"{c.rank} of {c.k}", "seen (%)": round(100 * c.found.power),
        "by chance (%)": round(100 * c.found.luck, 0 if c.found.luck > 0.1 else 1),
        "interval": f"{c.found.interval[0]:.2f} to {c.found.interval[1]:.2f}",
        "people, 80 % power": two_digits(c.found.people_for_power),
        "people, ± 0.05": two_digits(c.found.people_for_width)} for c in claims.itertuples()])  # fmt: skip


def what_is_assumed(correlation: float, icc: float) -> pd.DataFrame:
    """What goes into the model of a test set, where it comes from, and whether it flatters the study."""
    rows = [
        ("AUROC, accuracy, F1, r", "printed", "taken as the truth, without rounding"),
        ("units by class", "printed, or computed from printed values", ""),
        ("people", "printed; segments / 7 bones; each knee its own person", "favourable"),
        ("ρ between methods", f"assumed {correlation:g}", "shown at 0, 0.5 and 0.8"),
        ("ICC within a person", f"assumed {icc:g}", "shown at 0, 0.5 and 0.8"),
        ("shape of the scores", "assumed normal, equal spread", "usual for ROC curves"),
        ("training anew, choosing on the test set, shift", "left out", "favourable"),
        ("test at 5 %", "its critical value is known exactly", "favourable"),
    ]
    return pd.DataFrame(rows, columns=["what", "where it comes from", "remark"])


def sizes_table(sets: Mapping[str, Sample]) -> pd.DataFrame:
    """Units by class and people of each test set, those of a correlation apart: it has no classes."""
    rows = {name: (s.n_positive, s.n_negative, s.people) for name, s in sets.items() if name != "knee, with T-score"}
    return pd.DataFrame(rows, index=["positive units", "negative units", "people"]).T.rename_axis("test set")


def icc_table(claims: pd.DataFrame, by_icc: Mapping[float, pd.DataFrame]) -> pd.DataFrame:
    """Power ("seen") and luck ("by chance") at several ICCs, in per cent, one row a claim."""
    names = {"power": "seen", "luck": "by chance"}
    columns = {
        f"{names[what]}, ICC {icc:g} (%)": (100 * result[what]).round(0).astype(int)
        for icc, result in by_icc.items()
        for what in names
    }
    return pd.DataFrame(columns).set_index(claims["label"].rename("claim"))
