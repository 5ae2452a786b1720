"""What the page on the numbers of the hip study shows and records, section by section.

``found`` holds the numbers behind the findings of the audit, by their id.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from osteolib.cohorts import DataNotFound, load_cohort
from osteolib.report import audit_hip as hip
from osteolib.report.audit_hip import Paper
from osteolib.report.show import figure, say, table
from osteolib.runs import Run

Found = Mapping[str, Mapping]


def show_matrices(run: Run, paper: Paper, found: Found) -> None:
    """The only matrices behind the printed percentages, and the sizes that serve all models."""
    both = hip.matrices_table(paper, found["X-21"]["rows"])
    caption = "The only confusion matrices that print these percentages; in brackets, what they give"
    table(run, "matrices", both, caption)
    served, other = found["X-04"], found["X-29"]["sizes"][1]
    hips = int(paper.value["test.images"])
    run.fact(
        metrics=4 * served["n_rows"],
        served=4 * served["rows_explained"],
        hips=hips,
        positives=served["best_positives"],
        negatives=hips - served["best_positives"],
        right=int(both.loc["X1AI-Osteo", ["TP", "TN"]].sum()),
        other_n=other["n"],
        other_positives=other["positives"],
    )
    say(
        run,
        "**{served} of {metrics} metrics** are reproduced, by one matrix a model, with {positives} osteoporotic and "
        "{negatives} other hips for all three. X1AI-Osteo has {right} of {hips} hips right. With rounding to the "
        "nearest, no other size up to nine hundred hips serves. (If cells were cut off here and rounded there, "
        "{other_n} hips with {other_positives} positive would, too.)",
    )


def show_yes_no(run: Run, paper: Paper, found: Found, leads: Mapping[str, np.ndarray]) -> None:
    """Printed AUCs beside the areas of yes and no; ``leads`` of graded scores in simulated studies, by model."""
    areas = found["X-22"]["rows"]
    told = [
        f"{model}: two lines {100 * area['labels']:.2f}, printed {100 * paper.value[f'T3.{model}.auc']:.1f}"
        for model, area in areas.items()
    ]
    alt = "ROC plane of each model, and the lead of graded scores in simulated studies. " + "; ".join(told)
    figure(run, "roc_plane", hip.yes_no_areas(paper, areas, leads), alt=alt)
    run.fact(n_studies=len(next(iter(leads.values()))), **hip.yes_no_facts(areas, leads))
    say(
        run,
        "Orange: the printed operating point. Blue: two straight lines, and the area under them. Dashed: the least "
        "that a curve through the point can have. Grey: normal scores. **The printed AUCs are the blue areas, all "
        "three.** In {n_studies:,} studies of each of {models} models a graded AUC agreed with its yes/no area, to "
        "the printed digit, {hits} times; the closest was {closest:.1f} points off. Without any model of scores: if "
        "every area that a curve through the point can have were equally likely, the three would agree together once "
        "in {million:.1f} million.",
    )


def nhanes_of_age(run: Run, age: float) -> pd.DataFrame | None:
    """People of NHANES with hip scans, from this age on; None where the data are absent, which the page survives."""
    try:
        nhanes = load_cohort("nhanes-dxa")
    except DataNotFound:
        return None
    run.uses(nhanes.name, nhanes.kind, nhanes.fingerprint)
    return nhanes.subjects[nhanes.subjects["age_years"] >= age]


def show_second_scan(run: Run, paper: Paper, found: Found, film: float, curve: pd.Series) -> None:
    """The film's error (SD, T) beside that of a second scan; ``curve``: AUC by error, see ``auc_by_error``."""
    people, scans = nhanes_of_age(run, paper.value["min_age"]), found["N14"]["rows"]
    if people is None:
        say(run, "NHANES is not here: its row is left out.")
    errors = hip.two_scans(scans, film, people)
    told, area = float(paper.value["T3.X1AI-Osteo.auc"]), found["X-11"]["auroc"]
    needed = hip.error_of_auc(curve, told)
    between = [row["two_scans"] for row in scans.values()]
    run.fact(film=film, auc=100 * area, days=paper.value["interval.mean"], told=100 * told, needed=needed,
             low=min(between), high=max(between))  # fmt: skip
    alt = (
        "SD of differences: "
        + "; ".join(f"{what} {error:.2f}" for what, error in errors.items())
        + f". AUC at {film:.2f} T {area:.3f}; the printed {told:.3f} belongs to {needed:.2f} T."
    )
    figure(run, "second_scan", hip.second_scan(errors, film, area, told, curve), alt=alt)
    say(
        run,
        "The film differs from the scan by {film:.2f} T; two scans of one hip differ by {low:.2f} to {high:.2f} T. "
        "The film was taken {days:.0f} days from the scan on average, and is held against a scan with an error of "
        "its own. A score this precise would have an AUC of {auc:.1f} %; the printed {told:.1f} % would belong to an "
        "error of {needed:.2f} T.",
    )


def show_sub_clusters(run: Run, paper: Paper) -> None:
    """What naming the true class or sub-cluster alone gives, beside the printed r."""
    run.fact(**hip.cell_facts(paper), r=paper.value["r"])
    say(
        run,
        "Naming the mean of the true class gives r = {two:.2f}. Naming the mean of the true sub-cluster, four on "
        "either side of −2.5, gives r = {full:.3f} (equally full ones) to {half:.3f} (ones of half a T-score). The "
        "printed r is {r}.",
    )


def show_pairs(run: Run, paper: Paper, found: Found, film: float) -> None:
    """How many pairs the printed intervals of a Bland-Altman plot need; ``film`` is the SD of differences (T)."""
    hips, people = (int(paper.value[f"test.{unit}"]) for unit in ("images", "patients"))
    alt = f"Half-widths fall with the number of pairs and meet the printed bands near {hips}, far from {people}."
    figure(run, "pairs", hip.pairs_behind(paper, film), alt=alt)
    rows = found["X-08"]["rows"].values()
    low, high = max(row["n_low"] for row in rows), min(row["n_high"] for row in rows)
    run.fact(n_low=low, n_high=high, people=people, missing=hips - low, pairs=found["X-24"]["both"],
             effective=found["X-24"]["smallest"])  # fmt: skip
    say(
        run,
        "All three intervals together need {n_low} to {n_high} pairs: the {hips} hips, not the {people} people. At "
        "most {missing} test hips can be missing from the plot. {pairs:.0f} people have both hips in it; if the "
        "errors of a person's hips were alike, the {hips} would count as {effective:.0f}.",
    )


def show_sides(run: Run, paper: Paper, found: Found, share: Mapping[float, float]) -> None:
    """The share of hips that belongs to the printed share of patients, by left-right correlation."""
    positives, rates = found["X-04"]["best_positives"], found["X-05"]
    run.fact(
        **{f"share_{rho * 10:.0f}": 100 * s for rho, s in share.items()},
        test=100 * positives / int(paper.value["test.images"]),
        ppv=100 * rates["ppv"],
        npv=100 * rates["npv"],
        patients=100 * paper.value["op.pct"],
    )
    say(
        run,
        "{share_7:.0f}, {share_8:.0f} and {share_9:.0f} % of hips for ρ = 0.7, 0.8 and 0.9; {test:.1f} % of the test "
        "hips. PPV and NPV belong to that share: where {patients} % have osteoporosis they would be {ppv:.1f} and "
        "{npv:.1f} %.",
    )
