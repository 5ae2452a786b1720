"""What the page on the hip pipeline shows, records and says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, NDArray

from osteolib.phantoms.hip.truth import FEMUR, read_masks
from osteolib.radiograph import read_radiograph
from osteolib.report import hip_pipeline_figures as figures
from osteolib.report import hip_pipeline_rows as rows
from osteolib.report.compared import Comparison
from osteolib.report.hip_paper import published_hip
from osteolib.report.show import figure, say, table, with_ci
from osteolib.runs import Run
from osteolib.screen.hip_study import Fitted, Networks, StudyHips, StudyRecipe
from osteolib.screen.imputation import pooled
from osteolib.screen.sub_clusters import CLASS_CUT
from osteolib.screen.triplet import load_triplet
from osteolib.screen.x1ai import cell_names
from osteolib.segment.hip_squares import hip_square
from osteolib.stats import bootstrap_difference, bootstrap_statistic
from osteolib.stats.agreement_clustered import bland_altman_clustered
from osteolib.views.hip_views import augmented, network_input, right_hip

PHANTOM, PAPER = "hip-phantom", "chen2024_hip"


def show_people(run: Run, study: StudyHips, every: pd.DataFrame) -> None:
    """Table 1 and how many hips take part; ``every`` are all rows of the cohort."""
    caption = "Table 1 of the phantom: who takes part, and everybody before hips with obstacles are left out"
    table(run, "people", rows.people_table(study.hips, every).rename_axis("phantom"), caption,
          folded="Who takes part")  # fmt: skip
    parts = study.hips.groupby("part")["subject_id"].nunique()
    run.fact(n_out=int(len(every) - len(study.hips)), n_all=len(every), **{f"n_{part}": int(parts[part])
             for part in ("train", "validation", "test")}, n_test_hips=len(study.rows("test")))  # fmt: skip
    say(
        run,
        "{n_out} of {n_all} hips are left out for metal. {n_train} people are there to train on, {n_validation} to "
        "choose the epoch, {n_test} to test ({n_test_hips} hips); both hips of a person lie in one part.",
    )


def show_stages(run: Run, study: StudyHips, number: int, degrees: float, seed: int) -> None:
    """Fig. 1a and b of one test hip (row ``number``): film, square, enhancement, background and tilt."""
    hip = study.hips.iloc[number]
    film, size = read_radiograph(hip["path"]).pixels, study.squares.images.shape[1]
    femur = (read_masks(hip["masks_path"], hip["image_id"]) & FEMUR).astype(bool)
    boxes = [hip_square(femur, side) for side in study.hips.loc[study.hips["image_id"] == hip["image_id"], "side"]]
    raw, inside = right_hip(film, femur, hip["side"], size)
    enhanced = study.squares.images[number]
    pair = network_input(enhanced[None].repeat(16, 0), inside[None].repeat(16, 0))
    tilted = augmented(*pair, torch.Generator().manual_seed(seed), degrees)[:, 0].numpy()
    white = tilted[np.argmax(tilted[:, 0, 0])]
    drawn = figures.stages(film, boxes, raw, enhanced, inside, white)
    alt = "A simulated pelvis with a square on each hip; one square as it is, enhanced, on black, and tilted on white."
    figure(run, "stages", drawn, alt=alt)


def show_network(run: Run, networks: Networks, recipe: StudyRecipe, n_cells: int) -> None:
    """Fig. 1c to g: the chart of what was trained, with its sizes."""
    model = load_triplet(networks.folder, recipe.triplet)
    alt = "From square and clinical variables over features, plane and sub-cluster to class and T-score."
    figure(run, "flow", figures.flow(model, recipe.image_size, n_cells), alt=alt)


def show_training(run: Run, networks: Networks, study: StudyHips) -> None:
    """What the triplet training did, in a sentence: the kept epoch, and how far apart the classes lie."""
    history = pd.read_parquet(networks.folder / "history.parquet")
    kept = history.loc[history["auroc"].idxmax()]
    run.fact(epochs=len(history), kept=int(kept["epoch"]) + 1, validation=float(kept["auroc"]),
             loss_first=float(history["loss"].iloc[0]), loss_last=float(history["loss"].iloc[-1]))  # fmt: skip
    say(
        run,
        "Over {epochs} epochs the loss of the triplets goes from {loss_first:.2f} to {loss_last:.2f}. Kept is epoch "
        "{kept}, with an AUROC of {validation:.2f} on the validation hips by the distances to the two class means.",
    )


def show_plane(run: Run, study: StudyHips, fitted: Fitted) -> None:
    """Fig. 1d and e, and what the plane gives away: classes of training hips beside those of test hips."""
    old, new = study.rows("train", "validation"), study.rows("test")
    low = study.squares.classes
    clusters = fitted.model.clusters
    drawn = figures.plane(clusters, fitted.x_train, low[old], fitted.x_test[0], low[new])
    alt = "Training hips by class with the boundary; the same by sub-cluster, filtered ones crossed; test hips."
    figure(run, "plane", drawn, alt=alt)
    right = {part: float(np.mean((clusters.score(x) >= 0.5) == low[at]))
             for part, x, at in (("old", fitted.x_train, old), ("new", fitted.x_test[0], new))}  # fmt: skip
    own = clusters.route(fitted.x_test[0]) == clusters.route(
        fitted.x_test[0], study.hips["t_score"].iloc[new], "true T-score")  # fmt: skip
    run.fact(right_old=right["old"], right_new=right["new"], out=float(1 - clusters.kept.mean()), cells=len(
             clusters.cuts) + 1, own=float(own.mean()))  # fmt: skip
    say(
        run,
        "The boundary has {right_old:.0%} of the hips it was fitted on at their side, and {right_new:.0%} of the test "
        "hips. The filter takes {out:.0%} of the training hips away. {own:.0%} of the test hips come to the one "
        "of {cells} sub-clusters that their true T-score belongs to.",
    )


def show_searches(run: Run, fitted: Fitted) -> None:
    """The searches: their course and what was chosen."""
    model, names = fitted.model, cell_names(fitted.model.clusters.cuts)
    alt = "Error on people left out of the best MLP of each sub-cluster by generation of the genetic algorithm."
    figure(run, "searches", figures.searches(model.history, names), alt=alt)
    kept = np.bincount(model.clusters.cell[model.clusters.kept], minlength=len(names))
    last = model.history.groupby("cell")["best"].last()
    chosen = pd.DataFrame({"T-scores": names, "hips": kept, "learning rate": [f"{h.learning_rate:.4f}" for h in
                           model.hypers], "neurons": ["-".join(map(str, h.neurons)) for h in model.hypers],
                           "epochs": [h.epochs for h in model.hypers],
                           "error, T": [f"{e:.2f}" for e in last]})  # fmt: skip
    table(run, "mlps", chosen, "What the genetic algorithm chose for each MLP (phantom)", index=False,
          folded="What was chosen for each sub-cluster")  # fmt: skip


def show_table_3(run: Run, found: pd.DataFrame, n: int) -> None:
    """Table 3: the phantom's rows with intervals, the printed ones below; every measure is recorded."""
    caption = (
        f"Table 3, per cent: {n} test hips of the phantom, intervals by patient; printed rows are of real hips. A "
        "printed AUC stands where it equals the mean of sensitivity and specificity (finding X-07)"
    )
    table(run, "table_3", rows.table_3(found), caption, index=False, group="kind",
          folded="Table 3: what each network calls, phantom and paper")  # fmt: skip
    for row in found.itertuples():
        run.result(None, f"{row.metric}, {row.method}", row.value, ci=(row.ci_low, row.ci_high), n=n, cohort=PHANTOM)


def show_roc(
    run: Run, study: StudyHips, scores: Mapping[str, Sequence[ArrayLike]], found: pd.DataFrame,
    attainable: Mapping[str, float], n_boot: int, seed: int,
) -> None:  # fmt: skip
    """Fig. 2 and its sentence: graded area against that of calls, rivals, attainable.

    The method check of the AUC: more than age, BMI and sex give to the same pipeline without a film, by an interval
    that lies above zero; the same holds for r in :func:`show_t_scores`.
    """
    test = study.hips.iloc[study.rows("test")]
    y = (test["t_score"] <= CLASS_CUT).to_numpy(int)
    first = {name: np.asarray(sets[0], float) for name, sets in scores.items()}
    areas = found.set_index(["method", "metric"])
    graded = areas.loc[(rows.PIPELINE, "auroc")]
    alt = f"ROC curves of the phantom's test hips; {rows.PIPELINE} has {graded['value']:.2f}. Printed calls as squares."
    figure(run, "roc", figures.roc(y, first, rows.PRINTED), alt=alt)
    words, gain = [], {}
    for name in list(first)[1:]:
        d = bootstrap_difference(y, first[name], first[rows.PIPELINE], n_boot=n_boot, seed=seed,
                                 groups=test["subject_id"])  # fmt: skip
        gain[name] = d.ci
        lead = "above" if d.ci[0] > 0 else "below" if d.ci[1] < 0 else "not told apart from"
        words.append(f"{lead} {name} ({with_ci(d.difference, *d.ci, '+.2f')})")
    calls = areas.loc[(rows.PIPELINE, "auroc of calls"), "value"]
    run.fact(auc=with_ci(*graded[["value", "ci_low", "ci_high"]]), calls=calls, rivals="; ".join(words),
             attainable_auc=attainable["auroc"])  # fmt: skip
    run.result(f"{PAPER}.T3.X1AI-Osteo.auc", "method_check", float(gain[rows.NO_FILM][0] > 0), n=len(y),
               cohort=PHANTOM)  # fmt: skip
    say(
        run,
        "The pipeline's graded AUROC is **{auc}**, that of its calls {calls:.2f}; {attainable_auc:.3f} is attainable "
        "on these films with age, BMI and sex. It lies {rivals}.",
    )


def show_t_scores(
    run: Run, study: StudyHips, fitted: Fitted, compared: Comparison, predicted: ArrayLike,
    attainable: Mapping[str, float],
) -> None:  # fmt: skip
    """Fig. 3 and 4 of the first imputed table, and agreement beside the single regressions and the attainable."""
    test, paper = study.hips.iloc[study.rows("test")], published_hip()
    ba = bland_altman_clustered(test["t_score"], predicted, test["subject_id"])
    r = compared.estimate(rows.PIPELINE, "r")
    cell = fitted.model.predict(fitted.x_test[0])["cell"]
    alt = f"Predicted against true T-scores of the phantom's test hips, r = {r[0]:.2f}, and differences against means."
    figure(run, "t_scores", figures.t_scores(test["t_score"], predicted, cell, ba, r[0],
           (paper["ba.lower"], paper["ba.upper"])), alt=alt)  # fmt: skip
    compared.record(run, PHANTOM, "{metric} of T-scores, {method}", "{metric} difference, {method} − {reference}")
    shown = compared.table(head="phantom, test hips")
    table(run, "t_scores", shown, "Predicted T-scores: intervals resample people", index=False,
          folded="The T-score of each method")  # fmt: skip
    run.result(f"{PAPER}.r", "method_check", float(compared.difference(rows.PIPELINE, rows.NO_FILM, "r")[1] > 0),
               n=len(test), cohort=PHANTOM)  # fmt: skip
    single = compared.difference(rows.PIPELINE, rows.RIDGE, "MAE")
    verdict = ("The MLPs err more than" if single[1] > 0 else "The MLPs err less than" if single[2] < 0
               else "The error of the MLPs is not told apart from that of")  # fmt: skip
    given = fitted.model.predict(fitted.x_test[0], test["t_score"], "true T-score")["t_score"]
    mae, routed = compared.estimate(rows.PIPELINE, "MAE")[0], float(np.abs(given.to_numpy() - test["t_score"]).mean())
    limits = f"{ba.loa_low:+.2f} to {ba.loa_high:+.2f}".replace("-", "−")
    run.fact(r=with_ci(*r), mae=mae, limits=limits, routed=routed, attainable_r=attainable["r"],
             attainable_mae=attainable["mae"], attainable_sd=1.96 * attainable["sd"], scan_r=attainable["scan_r"],
             single=verdict, difference=with_ci(*single, "+.2f"), most=_share_of_routing(1 - routed / mae))  # fmt: skip
    say(
        run,
        "r = **{r}** and a mean error of {mae:.2f} T by hip; limits of agreement {limits}, with two hips of a person "
        "taken as such. "
        "Who knew all that reaches the pixels would have r = {attainable_r:.2f}, {attainable_mae:.2f} T and limits of "
        "about ± {attainable_sd:.2f}; a second DXA scan of the same hip has r = {scan_r:.3f}. {single} "
        "one ridge regression on the same 131 numbers (difference in mean error {difference} T). Sent to the cell of "
        "its true T-score, as no new patient can be, a hip would be {routed:.2f} T off: {most}.",
    )


def _share_of_routing(share: float) -> str:
    if share <= 0:
        return "no less than routed by features"
    return f"{share:.0%} of the error goes when the cell is told, which is itself part of the answer"


def pooled_r(
    t_score: ArrayLike, sets: Sequence[ArrayLike], people: ArrayLike, n_boot: int, seed: int
) -> tuple[float, float, float, float]:
    """r over imputed tables on the scale of Fisher's z, its errors from a bootstrap of people: estimate, interval, and
    the share of its variance that imputation makes."""

    def fisher_z(true: NDArray, guess: NDArray) -> float:
        return float(np.arctanh(np.clip(rows.correlation(true, guess), -0.9999, 0.9999)))

    how = {"groups": people, "n_boot": n_boot, "seed": seed}
    each = [bootstrap_statistic(fisher_z, np.asarray(t_score, float), np.asarray(one, float), **how) for one in sets]
    found = pooled([one.estimate for one in each], [np.nanstd(one.replicates, ddof=1) for one in each])
    return (*np.tanh([found.estimate, *found.ci]).tolist(), 1 - found.within / found.se**2)


def show_imputation(
    run: Run, fitted: Fitted, hips: pd.DataFrame, sets: Sequence[ArrayLike], n_boot: int, seed: int
) -> None:
    """What the gaps in BMI cost; ``hips`` are those of the test."""
    value, low, high, share = pooled_r(hips["t_score"], sets, hips["subject_id"], n_boot, seed)
    run.fact(n_sets=len(sets), missing=fitted.missing, pooled=with_ci(value, low, high), made=share)
    say(
        run,
        "BMI was taken from {missing:.0%} of the test people and drawn {n_sets} times. Pooled, r = {pooled}; "
        "imputation makes {made:.1%} of its variance.",
    )
