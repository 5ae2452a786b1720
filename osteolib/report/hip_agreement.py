"""Predicted and measured T-scores of hips, two of them a person's: agreement by hip and by patient, and calibration."""

from __future__ import annotations

import pandas as pd
from numpy.typing import ArrayLike

from osteolib.report.hip_paper import published_hip
from osteolib.report.show import say, table, with_ci
from osteolib.runs import Run
from osteolib.runs.parameters import load_profile
from osteolib.runs.recorded import find_cell, read_record, state_of
from osteolib.screen.hip_cells import NO_FILM, PIPELINE, RIDGE
from osteolib.stats.agreement import Agreement, bland_altman
from osteolib.stats.agreement_clustered import ClusteredAgreement, bland_altman_clustered, by_person
from osteolib.stats.t_score_calibration import calibration_bins, proportional_bias

COLUMNS = {"bias": "bias", "loa_low": "lower limit", "loa_high": "upper limit"}


def by_hip_and_patient(t_score: ArrayLike, predicted: ArrayLike, person: ArrayLike) -> dict[str, tuple]:
    """Bland-Altman by hip, two of a person taken as such, and by patient, of the mean and of the lowest T-score."""
    pairs = {how: by_person(t_score, predicted, person, how) for how in ("mean", "lowest")}
    return {"by hip": bland_altman_clustered(t_score, predicted, person)} | {
        f"by patient, {how} of the hips": bland_altman(both["reference"], both["predicted"])
        for how, both in pairs.items()
    }


def _row(found: Agreement | ClusteredAgreement) -> dict[str, str]:
    return {head: with_ci(getattr(found, name), *getattr(found, f"{name}_ci")) for name, head in COLUMNS.items()}


def show_agreement(
    run: Run, t_score: ArrayLike, predicted: ArrayLike, person: ArrayLike, n_boot: int, seed: int
) -> None:
    """Limits by hip and by patient beside the printed ones, and whether a prediction keeps its word at each level."""
    paper, found = published_hip(), by_hip_and_patient(t_score, predicted, person)
    rows = [{"kind": "phantom", "agreement": name, "n": one.n, **_row(one)} for name, one in found.items()]
    printed = {head: f"{paper[key]:.3f}".replace("-", "−") for head, key in
               (("bias", "ba.bias"), ("lower limit", "ba.lower"), ("upper limit", "ba.upper"))}  # fmt: skip
    rows.append({"kind": "printed", "agreement": "Fig. 4", "n": "", **printed})
    table(run, "limits", pd.DataFrame(rows), "Bias and limits of agreement in T (95 % CI)", index=False,
          group="kind", folded="Limits by hip and by patient")  # fmt: skip
    bins = calibration_bins(t_score, predicted, person, n_bins=4, n_boot=n_boot, seed=seed)
    shown = pd.DataFrame({
        "predicted, mean": bins["predicted"].map("{:.2f}".format).str.replace("-", "−"),
        "measured, mean (95 % CI)": [with_ci(*row) for row in bins[["measured", "ci_low", "ci_high"]].to_numpy()],
        "mean error, T": bins["mae"].map("{:.2f}".format), "hips": bins["n"], "people": bins["n_people"],
    })  # fmt: skip
    table(run, "calibration", shown, "Phantom: what hips have on average that are told a T-score (people resampled)",
          index=False, folded="Calibration of the T-score")  # fmt: skip
    bias = proportional_bias(t_score, predicted, person, n_boot=n_boot, seed=seed)
    run.fact(on_mean=with_ci(bias.on_mean.estimate, *bias.on_mean.ci), expected_on_mean=bias.expected_on_mean,
             calibrated=with_ci(bias.calibration_slope.estimate, *bias.calibration_slope.ci))  # fmt: skip
    say(run, "With each T of level the error changes by {on_mean} T; a prediction with this r that keeps its word has "
        "{expected_on_mean:+.2f}. Of a T more that is predicted {calibrated} is there.")  # fmt: skip


def show_recorded(run: Run, cell: str) -> None:
    """What the recorded pipeline of a larger run came to, in a sentence, or that there is none yet."""
    record = read_record(cell)
    if record is None:
        sizes = load_profile(find_cell(cell).profile)
        run.fact(declared_people=sizes["n_hip_people"], declared_pixels=sizes["roi_size"],
                 declared_state=state_of(cell))  # fmt: skip
        say(run, "A run on {declared_people} simulated people at {declared_pixels} pixels is declared: "
            "{declared_state}.")  # fmt: skip
        return
    found = record.results.set_index(["method", "target", "metric"])[["value", "ci_low", "ci_high"]]
    about = record.run["configuration"]
    run.fact(
        recorded_people=about["n_phantoms"], recorded_pixels=about["image_size"], recorded_epochs=about["epochs"],
        recorded_test=about["n_test"], recorded_code=", by other code than today's" * record.stale,
        recorded_r=with_ci(*found.loc[(PIPELINE, "t_score", "pearson_r")]),
        recorded_auc=with_ci(*found.loc[(PIPELINE, "osteoporosis", "auroc")]),
        recorded_ridge=with_ci(*found.loc[(RIDGE, "t_score", "pearson_r")]),
        recorded_blind=with_ci(*found.loc[(NO_FILM, "t_score", "pearson_r")]),
    )  # fmt: skip
    say(run, "Recorded{recorded_code}, {recorded_people} simulated people, {recorded_pixels} pixels, "
        "{recorded_epochs} epochs, {recorded_test} test hips: AUROC {recorded_auc}; r of the pipeline "
        "**{recorded_r}**, of the one ridge {recorded_ridge}, without the film {recorded_blind}.")  # fmt: skip
