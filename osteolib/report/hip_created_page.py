"""What the page on what the hip pipeline creates shows and records, section by section."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from osteolib.report.comparison import Comparison, compare_statistics
from osteolib.report.hip_created import (
    INFORMED,
    KNOWS,
    LIMITS,
    PEOPLE,
    Paper,
    built_in_curves,
    ladder,
    ladder_table,
)
from osteolib.report.show import figure, say, table, with_ci
from osteolib.runs import Run
from osteolib.screen.hip_created import BOTH, CELL, CLASS, HELPS, HONEST, OUTLIERS
from osteolib.screen.hip_leaks import COPIES, SIBLINGS
from osteolib.screen.sub_clusters import CUTS, ClusterRecipe
from osteolib.stats.agreement import Z_LIMIT
from osteolib.stats.built_in import limit_of, r_when_filtered, r_when_routed

READERS = (0.0, 0.5, 0.8, 0.95)
PEOPLE_ONLY, FILM_ONLY = "age, BMI, sex alone", "film alone"
NO_FILM, NO_NETWORK = "age, BMI, sex, true sub-cluster: no film", "mean of the true sub-cluster: no network"
REAL = "dxa-korea969"


def closed_forms(paper: Paper) -> pd.DataFrame:
    """r and half width of the limits of some readers without help and with each, at the paper's mean and SD."""
    mean, sd, outlier = paper["tscore.mean"], paper["tscore.sd"], ClusterRecipe.outlier
    rows = []
    for r in READERS:
        filtered, kept = r_when_filtered(r, outlier, sd)
        told = [r_when_routed(r, cuts, mean, sd) for cuts in ((paper["cut.op"],), CUTS)]
        rows.append((r, limit_of(r, sd), *told, limit_of(told[1], sd), filtered, kept))
    columns = ["r without help", "limits ±", "r, class told", "r, sub-cluster told", "limits ± then",
               "r, outliers left out", "share kept"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def show_closed_forms(run: Run, paper: Paper, simulated: Mapping[str, float]) -> None:
    """Curves and table; ``simulated``: r of naming the mean of the true ``class`` and ``sub-cluster``, drawn."""
    rows, sd = closed_forms(paper), paper["tscore.sd"]
    some = rows.set_index("r without help")["r, sub-cluster told"]
    alt = "r with help against r without: " + "; ".join(f"{r} becomes {told:.3f}" for r, told in some.items())
    figure(run, "built_in", built_in_curves(CUTS, ClusterRecipe.outlier, paper, sd), alt=alt)
    table(run, "closed_forms", rows.round(3), "In closed form: normal T-scores with the paper's mean and SD, "
          "sub-clusters of half a T-score", index=False)  # fmt: skip
    best = rows["r, sub-cluster told"].max()
    reach = "reaches" if best >= paper["r"] else "does not quite reach"
    run.fact(cells=simulated["sub-cluster"], classes=simulated["class"], eight=some[0.8], printed=paper["r"], best=best,
             reach=reach, cells_limit=limit_of(some[0.0], sd))  # fmt: skip
    say(run, "In a simulation of T-scores alone, naming the mean of the true class correlates at {classes:.2f}, of the "
        "true sub-cluster at {cells:.3f}, with limits of ± {cells_limit:.2f}. A reader whose own r is 0.8 would print "
        "{eight:.3f}. With these ranges the best of the four {reach} {printed}: it gets {best:.3f}.")  # fmt: skip


def show_real(run: Run, steps: Comparison, paper: Paper) -> None:
    """Real people without any film: the honest regression and each help; ``steps`` from ``agreement_of``."""
    kinds = {name: INFORMED if name == HONEST else KNOWS for name in steps.methods}
    steps.record(run, REAL, "{metric}, T-score from age, BMI and sex, {method}")
    figure(run, "real_ladder", ladder(steps, kinds, paper, "Real people, no film"),
           alt=f"Pearson r of age, BMI and sex with each help: {steps.words('r', '.3f')}.")  # fmt: skip
    table(run, "real_steps", ladder_table(steps, kinds, "real"), "Real: T-score of the hip from age, BMI and sex, "
          "out of fold; intervals draw people", index=False, folded="Every step on real people")  # fmt: skip
    n = steps.rows.set_index(["method", "metric"])["n"]
    low, high = (steps.estimate(BOTH, end)[0] for end in LIMITS)
    run.fact(
        real_n=int(n[HONEST, "r"]),
        real_honest=with_ci(*steps.estimate(HONEST, "r")),
        real_class=with_ci(*steps.estimate(CLASS, "r")),
        real_cell=with_ci(*steps.estimate(CELL, "r")),
        real_out=with_ci(*steps.estimate(OUTLIERS, "r")),
        real_both=with_ci(*steps.estimate(BOTH, "r"), ".3f"),
        real_low=low,
        real_high=high,
        real_kept=n[BOTH, "r"] / n[HONEST, "r"],
    )
    say(run, "Age, BMI and sex of {real_n} real people tell their T-score with **r = {real_honest}**. Routed by the "
        "true class it is {real_class}, by the true sub-cluster {real_cell}. With test outliers left out instead it is "
        "{real_out}, with both **{real_both}**, limits {real_low:+.2f} to {real_high:+.2f}, on {real_kept:.0%} of "
        "them. No film is looked at anywhere.")  # fmt: skip


def all_steps(people: pd.DataFrame, film: pd.DataFrame, helped: pd.DataFrame, leaked: pd.DataFrame,
              means: NDArray[np.float64]) -> pd.DataFrame:  # fmt: skip
    """The predictions of the ladder in its order, from :func:`with_helps` of parts and of the whole, and the leaks.

    ``means``: the mean of each hip's true sub-cluster.
    """
    first = {PEOPLE_ONLY: people[HONEST], FILM_ONLY: film[HONEST], HONEST: helped[HONEST]}
    last = {name: helped[name] for name in HELPS if name != HONEST} | {NO_FILM: people[CELL], NO_NETWORK: means}
    return pd.DataFrame(first).join(leaked[[COPIES, SIBLINGS]]).assign(**last)


def kind_of(step: str) -> str:
    """What a step of :func:`all_steps` knows."""
    return INFORMED if step in (PEOPLE_ONLY, FILM_ONLY, HONEST) else PEOPLE if step in (COPIES, SIBLINGS) else KNOWS


def show_phantom(run: Run, steps: Comparison, paper: Paper, best: Paper) -> None:
    """The ladder on simulated hips; ``best``: ``attainable`` of the phantom."""
    kinds = {name: kind_of(name) for name in steps.methods}
    steps.record(run, "hip-phantom", "{metric}, T-score, {method}, phantom")
    told = f"Pearson r step by step: {steps.words('r', '.3f')}. The paper: {paper['r']}; attainable {best['r']:.3f}."
    figure(run, "ladder", ladder(steps, kinds, paper, "Simulated hips", best), alt=told)
    table(run, "steps", ladder_table(steps, kinds, "phantom"), "Phantom: agreement step by step; intervals draw people",
          index=False, folded="Every step on simulated hips")  # fmt: skip
    highest = max(steps.methods, key=lambda name: steps.estimate(name, "r")[0])
    low, high = (steps.estimate(HONEST, end)[0] for end in LIMITS)
    n = steps.rows.set_index(["method", "metric"])["n"]
    run.fact(honest=with_ci(*steps.estimate(HONEST, "r")), honest_low=low, honest_high=high, n_test=int(n[HONEST, "r"]),
             cell=with_ci(*steps.estimate(CELL, "r"), ".3f"), named=with_ci(*steps.estimate(NO_NETWORK, "r"), ".3f"),
             no_film=with_ci(*steps.estimate(NO_FILM, "r"), ".3f"), highest=highest, best_r=best["r"],
             highest_r=with_ci(*steps.estimate(highest, "r"), ".3f"), scan_r=best["scan_r"],
             scan_limit=Z_LIMIT * best["scan_sd"])  # fmt: skip
    say(run, "On {n_test} test hips the pipeline that a new patient could use reaches **r = {honest}**, limits "
        "{honest_low:+.2f} to {honest_high:+.2f}; whoever knew everything of the bone that reaches a film would reach "
        "{best_r:.3f}, and a second simulated scan {scan_r:.3f} with limits of ± {scan_limit:.2f}. Routed by the true "
        "sub-cluster the same networks print **{cell}**. Age, BMI and sex routed so print {no_film}, no film, and the "
        "sub-cluster's mean {named}, no network. The highest step is *{highest}*, {highest_r}.")  # fmt: skip


def met_the_patient(t_score: NDArray, ladder: pd.DataFrame, person: ArrayLike, n_boot: int, seed: int) -> Comparison:
    """r with a copy and with the other hip in training, each less the honest r on the same hips; people are drawn."""
    values = {name: (np.asarray(t_score, float), ladder[name].to_numpy()) for name in (HONEST, COPIES, SIBLINGS)}
    return compare_statistics({"r": lambda t, said: float(np.corrcoef(t, said)[0, 1])}, values, groups=person,
                              reference=[(COPIES, HONEST), (SIBLINGS, HONEST)], n_boot=n_boot, seed=seed)  # fmt: skip


def show_met(run: Run, met: Comparison) -> None:
    """What it gives to have met the patient."""
    gains = {short: met.difference(name, HONEST, "r") for short, name in (("copy", COPIES), ("sibling", SIBLINGS))}
    run.fact(**{f"{short}_gain": with_ci(*gain, "+.2f") for short, gain in gains.items()})
    sentence = ("On the same hips r changes by {copy_gain} with a copy of the film in training, by {sibling_gain} with "
                "the other hip there")  # fmt: skip
    known = [low > 0 for _, low, _ in gains.values()]
    if not any(known):
        sentence += ": neither is told apart from nothing in so short a training"
    say(run, sentence + ".")


def show_shares(run: Run, steps: Comparison) -> None:
    """Where the squared correlation comes from: people, film, routing; in this order and in a sentence."""
    squared = [steps.estimate(name, "r")[0] ** 2 for name in (PEOPLE_ONLY, HONEST, CELL)]
    added = np.diff([0.0, *squared])
    sources = ("age, BMI, sex", "the film", "routing by the truth")
    found = pd.DataFrame({"source": sources, "adds to r²": added, "r² so far": squared})
    table(
        run, "shares", found.round(2), "Phantom: where the squared correlation comes from, in this order", index=False
    )
    run.fact(from_people=added[0], from_film=added[1], from_truth=added[2], so_far=squared[-1])
    say(run, "Of r² = {so_far:.2f} with true routing, age, BMI and sex give {from_people:.2f}; the film changes it by "
        "{from_film:+.2f} and the truth by {from_truth:+.2f}. What comes first gets what is shared.")  # fmt: skip
