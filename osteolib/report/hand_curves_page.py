"""What the page on learning curves shows: what was recorded, the curves, people needed, what pre-training adds."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from osteolib.report.hand_curves_rows import SHARES, Curves, in_words, read_curves, title
from osteolib.report.show import figure, say, table, with_ci
from osteolib.report.style import GREY, INK, use_style
from osteolib.runs import Run
from osteolib.runs.recorded import find_cell, read_record, state_of
from osteolib.screen.hand_curves import CORTEX, IDEAL, PHOTOGRAPHS, RANDOM, TAUGHT, TAUGHT_FILMED, TUNED

CELLS = ("hand-taught-0", "hand-few-0", "hand-filmed-0", "hand-untaught-0")
PAPER = 154
"""Labelled people who train in the hand papers: eight tenths of 192."""
NEAR = 192
"""Labelled people at which methods are compared in words."""
LOOKS = {
    TAUGHT: (INK, "o"), TAUGHT_FILMED: ("#56B4E9", "P"), TUNED: ("#D55E00", "s"), "simclr": ("#0072B2", "o"),
    "vicreg": ("#009E73", "^"), "swav": ("#CC79A7", "v"), PHOTOGRAPHS: ("#E69F00", "D"), RANDOM: (GREY, "x"),
}  # fmt: skip
PHANTOM = "hand-phantom"


def recorded_curves(run: Run, n_boot: int, seed: int) -> Curves | None:
    """The curves of the recorded runs and a sentence on how they were made, and which run is missing.

    None where there is no curve: without the first cell nobody knows the attainable, and records of different code are
    not joined.
    """
    records = {cell: read_record(cell) for cell in CELLS}
    missing = [find_cell(cell) for cell, record in records.items() if record is None]
    if missing:
        run.fact(
            missing=", ".join(f"{cell.name} ({state_of(cell.name)})" for cell in missing),
            hours=sum(cell.hours for cell in missing),
        )
        say(run, "Not there: {missing}, about {hours:g} hours on one core. Its curves are left out.")
    if records[CELLS[0]] is None:
        return None
    about = {cell: record.run for cell, record in records.items() if record}
    if len({(r["code"], r["configuration"]["n_test"]) for r in about.values()}) > 1:
        say(run, "The records were made by different code and are not joined: `make record` makes them anew.")
        return None
    curves = read_curves((record.predictions for record in records.values() if record), n_boot, seed)
    first = next(iter(about.values()))
    made = first["configuration"]
    run.fact(n_test=made["n_test"], n_train=made["n_train"], recorded_on=first["date"], machine=first["machine"],
             recorded_hours=sum(r["hours"] for r in about.values()), steps=made["steps"], passes=made["passes"],
             recorded_code=", by other code than today's" * any(r.stale for r in records.values() if r),
             n_trainings=len(curves.drawings) - 2, attainable=curves.attainable,
             cortex=with_ci(*curves.estimate(CORTEX, 0)), cortex_share=curves.share(CORTEX, 0)[0])  # fmt: skip
    say(run, "Recorded{recorded_code} on {recorded_on} ({machine}; {recorded_hours:.1f} hours): {n_trainings} scorings "
        "of the same {n_test} new people, by networks that trained on up to {n_train:,} others. Attainable for them is "
        "an AUROC of **{attainable:.2f}**; the cortex of M2, measured by a ruler and taught by nobody, has {cortex}, "
        "{cortex_share:.0%} of it, counted above chance as every share here.")  # fmt: skip
    return curves


def show_curves(run: Run, curves: Curves | None) -> None:
    """AUROC by labelled people: networks taught as a whole, and a linear layer on frozen encoders."""
    if curves is None:
        return
    whole, frozen = families(curves)
    drawn = curves_figure(curves, *filter(None, (whole, frozen)))
    figure(run, "curves", drawn, alt="AUROC by labelled people; the folded table has the numbers.")
    rows = [
        {"method": title(name), "labelled people": n, "drawings": len(own),
         "AUROC (95 % CI)": with_ci(*curves.estimate(name, n), ".3f"),
         "single drawings": ", ".join(f"{a:.3f}" for a in own["auroc"]),
         "share of the attainable": "{:.0%} ({:.0%} to {:.0%})".format(*curves.share(name, n)).replace("-", "−")}
        for (name, n), own in curves.drawings.groupby(["name", "n"], sort=False) if name not in (IDEAL, CORTEX)
    ]  # fmt: skip
    caption = f"Simulated people, {run.facts['n_test']} scored: AUROC by labelled people (mean of drawings)"
    table(run, "curves", pd.DataFrame(rows), caption, index=False, group="method", folded="All curves in numbers")
    for name in curves.names:
        for n in curves.sizes(name):
            value, low, high = curves.estimate(name, n)
            run.result(None, f"auroc, {title(name)}, {n} labelled people", value, n=run.facts["n_test"],
                       cohort=PHANTOM, ci=(low, high))  # fmt: skip
    learned = [name for name in frozen if name not in (RANDOM, PHOTOGRAPHS)]
    run.fact(near=NEAR)
    told = (
        "With {near} labelled people, as many as the hand papers have, the network taught from random weights reaches "
    )
    told += "{taught_near}; from {taught_first} to {taught_last:,} people it goes from {taught_least} to "
    told += "**{taught_most}**, {taught_share:.0%} of the attainable. "
    named = {"taught": TAUGHT}
    if TAUGHT_FILMED in whole:
        named["filmed"] = TAUGHT_FILMED
        told += "The same network on the same bones **as filmed** has {filmed_near} with {near} people, and goes from "
        told += "{filmed_least} with {filmed_first} to **{filmed_most}** with {filmed_last:,}. "
    if learned:
        named |= {"best": max(learned, key=lambda name: curves.points[name, NEAR]), "random": RANDOM}
        run.fact(best=title(named["best"]))
        told += (
            "Of the encoders that learned from bones without labels {best} reads best with {near}, {best_near}, and "
        )
        told += "goes from {best_least} with {best_first} to {best_most} with {best_last:,}; random weights have "
        told += "{random_near} with {near}"
        told += (
            "." if PHOTOGRAPHS not in frozen else ", and an encoder of photographs, which saw no hand, {photo_near}."
        )
        named |= {"photo": PHOTOGRAPHS} if PHOTOGRAPHS in frozen else {}
    for key, name in named.items():
        first, last = int(curves.sizes(name).min()), int(curves.sizes(name).max())
        run.fact(**{f"{key}_share": curves.share(name, last)[0], f"{key}_first": first, f"{key}_last": last})
        run.fact(**{f"{key}_{where}": with_ci(*curves.estimate(name, n))
                    for where, n in (("least", first), ("near", NEAR), ("most", last))})  # fmt: skip
    say(run, told.strip())


def families(curves: Curves) -> tuple[list[str], list[str]]:
    """Networks taught as a whole; frozen encoders, of each method the one that saw most people."""
    whole = [name for name in (TAUGHT, TAUGHT_FILMED, TUNED) if name in curves.names]
    most: dict[str, int] = {}
    for name in curves.names:
        method, _, people = name.partition(" of ")
        if people:
            most[method] = max(most.get(method, 0), int(people))
    frozen = [f"{method} of {people}" for method, people in most.items()]
    frozen.sort(key=lambda name: list(LOOKS).index(name.partition(" of ")[0]))
    return whole, [*frozen, *(name for name in (PHOTOGRAPHS, RANDOM) if name in curves.names)]


def look(name: str) -> tuple[str, str]:
    """Colour and marker of a method."""
    return LOOKS[name.partition(" of ")[0]]


def curves_figure(curves: Curves, *panels: Sequence[str]) -> Figure:
    """One panel a family: means with intervals, drawings as small dots, the attainable and the ruler as lines."""
    use_style()
    fig, axes = plt.subplots(1, len(panels), figsize=(8.8, 4.2), sharey=True, squeeze=False)
    heads = ("taught as a whole", "frozen, a linear layer taught")
    for axis, names, head in zip(axes[0], panels, heads, strict=False):
        for name in names:
            colour, marker = look(name)
            n = curves.sizes(name)
            value, low, high = np.transpose([curves.estimate(name, k) for k in n])
            axis.errorbar(n, value, (value - low, high - value), color=colour, marker=marker, markersize=5, lw=1.4,
                          elinewidth=0.8, label=title(name))  # fmt: skip
            own = curves.drawings[curves.drawings["name"].eq(name)]
            axis.plot(own["n"], own["auroc"], ".", color=colour, markersize=3, alpha=0.6)
        named = axis is axes[0, 0]  # in one legend
        axis.axhline(curves.attainable, color=INK, ls="--", lw=1, label="attainable" if named else None)
        axis.axhline(
            curves.points[CORTEX, 0], color=GREY, ls="-.", lw=1, label="a ruler on the cortex" if named else None
        )
        axis.axhline(0.5, color=GREY, ls=":", lw=1)
        axis.axvline(PAPER, color=GREY, lw=0.8, alpha=0.6)
        by_doubling(axis, curves.sizes(names[0]))
        axis.set(xlabel="labelled people", title=head)
        axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.34), ncols=2, fontsize=8)
    first = axes[0, 0]
    first.annotate(f"{PAPER}: hand papers", (PAPER, 0.5), (4, 4), textcoords="offset points", fontsize=8, color=GREY)
    first.set_ylabel("AUROC")
    return fig


def by_doubling(axis: Axes, n: np.ndarray) -> None:
    """A logarithmic axis with a tick at each number of people."""
    axis.set_xscale("log", base=2)
    axis.set_xticks(n)
    axis.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.0f}"))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.tick_params(axis="x", labelrotation=45)


def show_needed(run: Run, curves: Curves | None) -> None:
    """The fitted laws and how many people each method would take for shares of the attainable."""
    if curves is None:
        return
    whole, frozen = families(curves)
    least, most, rows = int(curves.sizes(TAUGHT).min()), int(curves.sizes(TAUGHT).max()), []
    for name in (n for n in (*whole, *frozen) if len(curves.sizes(n)) >= 5):
        law, drawn = curves.fit(name)
        ends = np.quantile(drawn.exponent, (0.025, 0.975))
        row = {"method": title(name), "exponent (95 % CI)": with_ci(float(law.exponent), *ends) if np.ptp(ends) else
               f"{float(law.exponent):.2f}, the end of what is tried"}  # fmt: skip
        for share in SHARES:
            people, low, high = (in_words(n, least, most) for n in curves.people_for(name, share))
            row[f"people for {share:.0%}"] = f"{people} ({low} to {high})" if low != high else people
        rows.append(row)
    caption = (f"Simulated people: labelled people that a share of the attainable takes, by the fitted law; tried were "
               f"{least} to {most:,}, and what lies beyond is extrapolated")  # fmt: skip
    table(run, "needed", pd.DataFrame(rows), caption, index=False)
    by_name = {row["method"]: row for row in rows}
    for key, name in (("ranked", TAUGHT), ("filmed", TAUGHT_FILMED)):
        if name in curves.names:
            own = by_name[title(name)]
            run.fact(**{f"{key}_{share:.0%}".rstrip("%"): own[f"people for {share:.0%}"] for share in SHARES})
    told = (
        "Taught from random weights on ranked bones, 80 % of what can be attained *on this phantom* takes {ranked_80} "
    )
    told += "people, and 95 % {ranked_95}."
    if TAUGHT_FILMED in curves.names:
        told += " On the same bones **as filmed** 80 % takes {filmed_80}, and 95 % {filmed_95}."
    say(run, told)
