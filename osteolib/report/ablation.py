"""Ablations: a method with one part left out or changed, told from the full method on the same units.

A step is judged by the paired difference of two AUROCs; groups (people, source films) are drawn whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from osteolib.report.comparison import Comparison, compare_scores
from osteolib.report.forest import forest
from osteolib.report.show import with_ci
from osteolib.report.style import COLOURS, GREY
from osteolib.stats import delong_test
from osteolib.stats.power import least_effect

LEVEL = 0.05  # of all steps together


@dataclass(frozen=True)
class Step:
    """One part left out or changed.

    ``table``: the paper's table that does alike, "–" where none does, empty where the paper has no such table at all;
    ``words``: what is changed; ``base``: the method that differs from this one in one thing, where that is not the full
    one; ``printed``: the paper's changes of AUROC.
    """

    table: str
    words: str
    base: str = ""
    printed: tuple[float, ...] = ()


class Scored(NamedTuple):
    """Units that all methods scored: ``y`` (n,), ``scores`` (n,) by method, ``groups`` (n,)."""

    y: NDArray[np.int64]
    scores: dict[str, NDArray[np.float64]]
    groups: NDArray[np.str_]


def on_same_units(tables: Mapping[str, pd.DataFrame], full: str, unit: str = "unit_id") -> Scored:
    """Every method's scores in the order of the full one.

    ``tables``: by method, a row a unit, ``group, y_true, y_score`` and the column that names the unit.

    Raises
    ------
    ValueError
        A method scored other units.
    """
    first = tables[full]
    order = first[unit]
    for name, table in tables.items():
        if set(table[unit]) != set(order) or len(table) != len(order):
            raise ValueError(f"method {name!r} scored other units than {full!r}: score the same ones, each once")
    scores = {name: table.set_index(unit)["y_score"][order].to_numpy(float) for name, table in tables.items()}
    return Scored(first["y_true"].to_numpy().astype(int), scores, first["group"].to_numpy(str))


def compare_steps(
    scored: Scored, steps: Mapping[str, Step], full: str, n_boot: int, seed: int, more: Iterable[tuple[str, str]] = ()
) -> Comparison:
    """AUROC of every method, and its difference from the full one and from its base; ``more``: other pairs."""
    pairs = [(name, base) for name, step in steps.items() for base in dict.fromkeys((full, step.base or full))]
    return compare_scores(scored.y, scored.scores, reference=[*pairs, *more], groups=scored.groups, n_boot=n_boot,
                          seed=seed)  # fmt: skip


def summary(
    scored: Scored, compared: Comparison, steps: Mapping[str, Step], full: str, tested: Mapping[str, int]
) -> pd.DataFrame:
    """A row a step: ``method, table, words, auroc, difference, value, p, verdict, printed`` and the least difference.

    ``p`` is DeLong's, of groups, corrected by Holm for all steps; ``verdict`` follows it. ``tested``: units by name of
    a column, which says what difference from the full method so many would show four times in five, as sure as this
    run's is.
    """
    from statsmodels.stats.multitest import multipletests

    raw = [delong_test(scored.y, scored.scores[full], scored.scores[name], groups=scored.groups).p for name in steps]
    p = multipletests(raw, method="holm")[1]
    rows = []
    for (name, step), corrected in zip(steps.items(), p, strict=True):
        value, low, high = compared.difference(name, full)
        clear = "a gain" if value > 0 else "a loss"
        least = {column: least_effect((low, high), n / len(scored.y)) for column, n in tested.items()}
        rows.append({"method": name, "table": step.table, "words": step.words,
                     "auroc": with_ci(*compared.estimate(name)), "difference": with_ci(value, low, high, "+.2f"),
                     "value": value, "p": corrected, "verdict": clear if corrected < LEVEL else "cannot tell",
                     "printed": list(step.printed), **least})  # fmt: skip
    return pd.DataFrame(rows)


def differences_figure(
    compared: Comparison, found: pd.DataFrame, full: str, few: str, ceiling: float | None = None,
    seeds: Mapping[str, Sequence[float]] | None = None, labels: Mapping[str, str] | None = None,
) -> Figure:  # fmt: skip
    """Differences from the full method, a line a step; grey, what the units of column ``few`` could not show.

    ``ceiling``: how far the attainable lies above the full method. ``seeds``: differences of single seeds, by method.
    ``labels``: what stands on a step's line in place of its name and table. Steps of no table of the paper's (–) have
    squares.
    """
    names = {row.method: f"{row.method} ({row.table})" if row.table else row.method for row in found.itertuples()}
    names |= labels or {}
    d = compared.differences
    rows = d[d["reference"].eq(full) & d["method"].isin(names)].assign(
        metric="change", method=lambda t: t["method"].map(names)
    )
    rows["attainable"] = np.nan if ceiling is None else ceiling
    printed = {names[row.method]: (row.printed[0],) for row in found.itertuples() if row.printed}
    ours = {names[row.method]: (COLOURS["normal"], "s") for row in found.itertuples() if row.table == "–"}
    strokes = {names[name]: values for name, values in (seeds or {}).items() if len(values) > 1}
    fig = forest(Comparison(rows.drop(columns="reference")), chance=0, published=printed, styles=ours, strokes=strokes,
                 xlabel="change of the AUROC against the full method, 95 % interval")  # fmt: skip
    axis = fig.axes[0]
    reach = 1.05 * max(found[few].max(), *rows["ci_high"].abs(), *rows["ci_low"].abs(), ceiling or 0)
    axis.barh(range(len(found)), 2 * found[few][::-1], left=-found[few][::-1], height=0.72, color=GREY, alpha=0.16,
              zorder=0, label=f"too small for {few.removeprefix('least of ')}")  # fmt: skip
    axis.set_xlim(-reach, reach)
    for legend in list(fig.legends):
        legend.remove()
    fig.legend(loc="outside upper right", ncols=3, fontsize="small")
    return fig


def shown_summary(found: pd.DataFrame, tested: Iterable[str], printed: str) -> pd.DataFrame:
    """The summary as a table for readers; ``printed``: heading of the paper's changes, left out where it has none."""
    columns = {"method": "", "table": "table", "words": "what is changed", "auroc": "AUROC (95 % CI)",
               "difference": "against the full method", "p": "p (Holm)", "verdict": "it is",
               "printed": printed} | {column: column for column in tested}  # fmt: skip
    if not found["printed"].map(len).any():
        del columns["printed"]
    if not found["table"].any():
        del columns["table"]
    shown = found.assign(
        printed=[", ".join(f"{p:+.3g}".replace("-", "−") for p in ps) or "–" for ps in found["printed"]],
        p=[f"{p:.3f}" if p >= 0.001 else "< 0.001" for p in found["p"]],
        **{column: found[column].map("{:.2f}".format) for column in tested},
    )
    return shown[list(columns)].rename(columns=columns)
