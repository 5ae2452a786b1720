"""What the page on the papers' test sets shows and records, section by section.

``claims`` are those of :func:`osteolib.report.claims.all_claims`, with what was ``found`` (a ``Replicability``).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from osteolib.report import claim_plots as plots
from osteolib.report.claims import SUBJECTS, in_one_sentence, patterns
from osteolib.report.published import load_published
from osteolib.report.show import figure, say, table
from osteolib.runs import Run
from osteolib.stats.replicability import Sample

Varied = Mapping[float, pd.DataFrame]  # power and luck of the claims, by what was assumed


def show_test_sets(run: Run, sets: Mapping[str, Sample], correlation: float, icc: float) -> None:
    """What goes into the model, and the size of each test set."""
    assumed = plots.what_is_assumed(correlation, icc)
    caption = "Favourable: it makes a study look stronger than it was"
    table(run, "contract", assumed, caption, index=False, folded="What goes into the model")
    caption = "The test sets, by class"
    table(run, "sizes", plots.sizes_table(sets), caption, folded=caption)


def show_one_claim(
    run: Run, sets: Mapping[str, Sample], best: float, last: float, leads: NDArray[np.float64], by_chance: float
) -> None:
    """How far the best of equal methods leads, of which the printed lead is one."""
    run.fact(one_best=best, one_last=last, one_chance=by_chance, one_median=np.median(leads),
             one_people=sets[SUBJECTS].people)  # fmt: skip
    say(
        run,
        "With {one_people} people the best of four *equal* methods leads the last by {one_median:.2f} in half of all "
        "studies. A lead as large as the printed one, {one_best} over {one_last}, comes out in {one_chance:.0%}.",
    )


def show_hills(run: Run, claims: pd.DataFrame) -> None:
    """Leads by chance and the printed one."""
    told = "; ".join(f"{c.label} {c.found.luck:.0%}" for c in claims.itertuples())
    alt = f"For each claim the leads that the best of equal methods shows by chance, with a dot at the printed: {told}"
    figure(run, "hills", plots.lead_hills(claims), alt=alt)


def show_intervals(run: Run, claims: pd.DataFrame) -> None:
    """What studies of this size print of each best value, once for each test set."""
    firsts = claims.drop_duplicates(["set", "best"])
    told = [
        f"{c.set} {c.best:.3f}, {c.found.interval[0]:.2f} to {c.found.interval[1]:.2f}" for c in firsts.itertuples()
    ]
    alt = "Printed values and 95 % intervals: " + "; ".join(told)
    figure(run, "intervals", plots.honest_intervals(firsts), alt=alt)


def show_people_needed(run: Run, claims: pd.DataFrame, sets: Mapping[str, Sample]) -> None:
    """People that each test set had and would need, and all claims in one table."""
    told = [
        f"{c.label} {c.study.sample.people}, for power {c.found.people_for_power}, for precision "
        f"{c.found.people_for_width}"
        for c in claims.itertuples()
    ]
    alt = "People in the test set and needed: " + "; ".join(told)
    figure(run, "people", plots.people_needed(claims), alt=alt)
    low, high = claims["found"].iloc[0].interval
    run.fact(**in_one_sentence(claims), hand_people=sets[SUBJECTS].people, hand_low=low, hand_high=high,
             hand_auroc=claims["best"].iloc[0])  # fmt: skip
    say(
        run,
        "Of {n} claims, {n_powered} would be found at least four times in five if it is true, and {n_weak} less than "
        "every second time. Large enough: {powered}. {n_lucky} leads come out as large in a quarter or more of "
        "studies of equal methods. With {hand_people} subjects a method whose true AUROC is {hand_auroc:.2f} prints "
        "{hand_low:.2f} to {hand_high:.2f}.",
    )
    caption = "Seen: the power; by chance: how often equal methods lead as much"
    table(run, "claims", plots.claims_table(claims), caption, index=False, folded="All claims in one table")


def show_patterns(run: Run, value: pd.Series) -> None:
    """Series of leads that no single lead shows."""
    run.fact(**patterns(value))
    say(
        run,
        "The knee paper's AUROC rises at {rising} of {steps} steps; equal methods come in any one order once in "
        "{orders} times. The CT paper's full model has the highest printed F1 of vertebrae at {sites_first} of "
        "{sites} sites; of {models} equal methods one is first at all with probability {all_sites:.3f}. A pattern "
        "says that *something* helps; the sizes say how little is known of *how much*.",
    )


def show_other_assumptions(
    run: Run, claims: pd.DataFrame, by_correlation: Varied, bones: NDArray[np.bool_], by_icc: Varied
) -> None:
    """Power and luck under other correlations; and under other ICCs of those claims (``bones``) where it enters."""
    alt = (
        "Share of studies that see each claim, and in which equal methods lead as much, at correlations 0, 0.5 and 0.8."
    )
    figure(run, "correlation", plots.under_other_assumptions(claims, by_correlation), alt=alt)
    power = {rho: result["power"] for rho, result in by_correlation.items()}
    run.fact(
        **{f"powered_{int(10 * rho)}": int((p >= 0.8).sum()) for rho, p in power.items()},
        median_0=100 * power[0.0].median(),
        median_8=100 * power[0.8].median(),
    )
    say(
        run,
        "The median claim would be seen in {median_0:.0f} % of studies at ρ = 0 and in {median_8:.0f} % at ρ = 0.8; "
        "80 % power is reached by {powered_0}, {powered_5} and {powered_8} of {n} claims at ρ = 0, 0.5 and 0.8.",
    )
    line = "When the units of a person are more or less alike"
    table(run, "icc", plots.icc_table(claims[bones], by_icc), "Claims with several units a person", folded=line)


def show_second_hospital(run: Run, inside: float, outside: float, drop: float, other: NDArray[np.float64]) -> None:
    """Whether the AUROC of the second hospital is a drop.

    Parameters
    ----------
    inside, outside
        Printed AUROCs of the two test sets.
    drop
        Share of pairs of studies without a true drop that fall by as much or more.
    other
        AUROCs of studies of the second hospital when the printed one is the truth.
    """
    value = load_published("strnet2026_knee").set_index("published_id")
    printed, people = value.loc["strnet2026_knee.ext.auroc"], value.at["strnet2026_knee.ext.n", "value"]
    low, high = np.quantile(other, (0.025, 0.975))
    run.fact(inside=inside, outside=outside, drop=100 * drop, clinic=int(people), ext_low=low, ext_high=high,
             printed_low=printed["ci_low"], printed_high=printed["ci_high"])  # fmt: skip
    say(
        run,
        "From {inside:.3f} to {outside:.3f}: with no true drop, {drop:.0f} % of such pairs fall by as much or more. "
        "The model's interval for {clinic} knees is {ext_low:.2f} to {ext_high:.2f}; the paper prints "
        "{printed_low:.2f} to {printed_high:.2f}.",
    )


def show_plan(run: Run, plan: Callable[..., tuple], seed: int) -> None:
    """A planned study at its first setting; in a person's session in JupyterLab also with sliders.

    ``plan`` gives a study, what is found of it and the lead, for ``positive``, ``negative``, ``units``, ``other``,
    ``lead``, ``rho`` and ``alike``, all with defaults.
    """

    def draw(**settings: Any) -> Figure:
        return plots.plan_leads(*plan(**settings), seed)

    alt = "Leads that equal and truly different methods print in a study of 60 patients and 120 controls."
    figure(run, "plan", draw(), alt=alt)
    if "JPY_SESSION_NAME" in os.environ:  # papermill sets none
        import ipywidgets

        ranges = {"positive": (5, 300), "negative": (5, 300), "units": (1, 7), "other": (0.55, 0.95, 0.01),
                  "lead": (0.01, 0.3, 0.01), "rho": (0, 0.95, 0.05), "alike": (0, 1, 0.1)}  # fmt: skip
        ipywidgets.interact_manual(lambda **settings: draw(**settings), **ranges)
