"""What the page on the hip pipeline's parts shows: the squares, changes of the class and changes of the T-score."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from osteolib.report.ablation import Step, compare_steps, differences_figure, on_same_units, shown_summary, summary
from osteolib.report.comparison import Comparison, compare_statistics
from osteolib.report.forest import forest
from osteolib.report.hip_paper import published_hip
from osteolib.report.show import figure, say, table, with_ci
from osteolib.report.style import use_style
from osteolib.runs import Run
from osteolib.runs.recorded import find_cell, read_record, state_of
from osteolib.screen import hip_ablations as parts

PHANTOM = "hip-phantom"
WORDS = {
    parts.PLAIN_SQUARES: "what the network sees is not equalised",
    parts.CROSS_ENTROPY: "the same network and batches, taught the class",
    parts.ONE_A_CLASS: "two cells in place of eight",
    parts.ONE_FOR_ALL: "neither classes nor cells: one small network",
    parts.NO_FILTER: "hips that the regression misses train, too",
    parts.NO_SEARCH: "one set of genes for all cells, not bred",
    parts.NO_COVARIATES: "128 numbers of the film alone",
    parts.NO_FILM: "three numbers of the person alone",
    parts.RIDGE: "no plane, no cells, no small networks",
}


def show_squares(run: Run, enhanced: NDArray[np.uint8], plain: NDArray[np.uint8]) -> None:
    """Three hips as filmed and equalised; both (n, size, size)."""
    use_style()
    fig, axes = plt.subplots(2, 3, figsize=(6.6, 4.6))
    for name, images, row in (("as filmed", plain, axes[0]), ("equalised", enhanced, axes[1])):
        for axis, image in zip(row, images, strict=False):
            axis.imshow(image, cmap="gray", vmin=0, vmax=255)
            axis.set_xticks([])
            axis.set_yticks([])
        row[0].set_ylabel(name)
    figure(run, "squares", fig, alt="Three simulated hips, above as filmed, below after contrast-limited adaptive "
           "histogram equalisation.")  # fmt: skip


def compare_t_scores(said: pd.DataFrame, n_boot: int, seed: int) -> Comparison:
    """Mean absolute error and r of the T-score by step, and the paired changes; people are drawn whole.

    ``said``: as :func:`osteolib.screen.hip_ablations.as_table` has it, the same hips in one order for every method.
    """
    by = dict(list(said.groupby("method", sort=False)))
    values = {name: (rows["t_score"].to_numpy(), rows["predicted"].to_numpy()) for name, rows in by.items()}
    statistics = {"MAE": lambda true, told: np.abs(true - told).mean(),
                  "r": lambda true, told: np.corrcoef(true, told)[0, 1]}  # fmt: skip
    groups = by[parts.FULL]["group"].to_numpy(str)
    pairs = [(name, parts.FULL) for name in by if name != parts.FULL]
    return compare_statistics(statistics, values, reference=pairs, groups=groups, n_boot=n_boot, seed=seed)


def show_class(run: Run, said: pd.DataFrame, n_boot: int, seed: int) -> Comparison:
    """AUROC of osteoporosis: the figure, its table, and what could be told; steps that change no score are left out."""
    declared = {name: Step("", words) for name, words in WORDS.items() if name not in parts.SAME_SCORE}
    rows = said[said["method"].isin([parts.FULL, *declared])]
    scored = on_same_units(dict(list(rows.groupby("method", sort=False))), parts.FULL)
    compared = compare_steps(scored, declared, parts.FULL, n_boot, seed)
    n = int(published_hip()["test.images"])
    least = f"least of {n} hips"
    found = summary(scored, compared, declared, parts.FULL, {least: n})
    listed = "; ".join(f"{row.method} {row.difference}" for row in found.itertuples())
    figure(run, "class", differences_figure(compared, found, parts.FULL, least), alt="Change of the AUROC for "
           f"osteoporosis against the whole pipeline, simulated hips: {listed}.")  # fmt: skip
    table(run, "class_steps", shown_summary(found, [least], ""), f"Simulated hips (n = {len(scored.y)}): AUROC of "
          f"osteoporosis, its paired change, and the change that {n} hips would show four times in five", index=False,
          folded="Each step in numbers")  # fmt: skip
    compared.record(run, PHANTOM, "{metric}, {method}", "{metric}, {method} − {reference}")
    clear = found[found["verdict"] != "cannot tell"]
    run.fact(class_full=with_ci(*compared.estimate(parts.FULL)), n_class=len(found), class_clear="; ".join(
        f"*{row.method}*, {row.verdict}: {row.difference}" for row in clear.itertuples()) or "none")  # fmt: skip
    say(run, "The whole pipeline parts osteoporosis with an AUROC of {class_full}. Of {n_class} steps that can change "
        "its score, corrected by Holm, these can be told from no change: **{class_clear}**.")  # fmt: skip
    return compared


def show_t_scores(run: Run, said: pd.DataFrame, n_boot: int, seed: int) -> Comparison:
    """Error of the T-score: changes of the MAE as a forest, MAE and r in a table, and what lowers or raises it."""
    compared = compare_t_scores(said, n_boot, seed)
    d = compared.differences
    rows = d[d["metric"].eq("MAE")].assign(metric="change", attainable=np.nan).drop(columns="reference")
    figure(run, "t_scores", forest(Comparison(rows), chance=0, xlabel="change of the mean absolute error, T (95 % "
           "interval); left is better"), alt="Change of the mean absolute error of the T-score against the whole "
           "pipeline, simulated hips, a line a step.")  # fmt: skip
    shown = [{"": name, "what is changed": WORDS.get(name, "–"), "MAE, T": with_ci(*compared.estimate(name, "MAE")),
              "r": with_ci(*compared.estimate(name, "r")), "change of the MAE": with_ci(
                  *compared.difference(name, parts.FULL, "MAE"), "+.2f") if name != parts.FULL else "–"}
             for name in compared.methods]  # fmt: skip
    table(run, "t_steps", pd.DataFrame(shown), "Simulated hips: T-score (95 % CI; people drawn), not corrected for the "
          "number of steps", index=False, folded="T-scores in numbers")  # fmt: skip
    change = {name: compared.difference(name, parts.FULL, "MAE") for name in WORDS}
    better = [f"*{n}* ({with_ci(*c, '+.2f')})" for n, c in change.items() if c[2] < 0]
    worse = [f"*{n}* ({with_ci(*c, '+.2f')})" for n, c in change.items() if c[1] > 0]
    run.fact(t_full=with_ci(*compared.estimate(parts.FULL, "MAE")), t_better=", ".join(better) or "none",
             t_worse=", ".join(worse) or "none")  # fmt: skip
    say(run, "It misses the T-score by {t_full} T on average. Beyond chance less is missed with: **{t_better}**; more "
        "with: **{t_worse}**.")  # fmt: skip
    return compared


def show_recorded(run: Run, cell: str, live: Mapping[str, Comparison], n_boot: int, seed: int) -> None:
    """A larger run beside this page's, or that it is not there; ``live``: comparisons of ``class`` and ``T-score``."""
    record = read_record(cell)
    if record is None:
        run.fact(declared=find_cell(cell).what, declared_hours=find_cell(cell).hours, declared_state=state_of(cell))
        say(run, "A larger run is declared ({declared}; about {declared_hours:g} hours on one core): {declared_state}.")
        return
    rows = record.predictions.rename(columns={"split_group": "group"})
    ill, t = (rows[rows["target"] == target] for target in ("osteoporosis", "t_score"))
    told = ill.merge(t[["method", "unit_id", "y_true", "y_score"]].rename(columns={"y_true": "t_score", "y_score":
                     "predicted"}), on=["method", "unit_id"])  # fmt: skip
    declared = {name: Step("", "") for name in WORDS if name not in parts.SAME_SCORE}
    scored = on_same_units(dict(list(told[~told["method"].isin(parts.SAME_SCORE)].groupby("method"))), parts.FULL)
    long = {"class": compare_steps(scored, declared, parts.FULL, n_boot, seed),
            "T-score": compare_t_scores(told, n_boot, seed)}  # fmt: skip
    lines = []
    for name in WORDS:
        line = {"": name}
        for words, metric in (("class", "auroc"), ("T-score", "MAE")):
            for kind, found in (("live", live), ("recorded", long)):
                same = words == "class" and name in parts.SAME_SCORE
                change = "none by construction" if same else with_ci(
                    *found[words].difference(name, parts.FULL, metric), "+.2f")  # fmt: skip
                line[f"{'AUROC' if same or words == 'class' else 'MAE, T'}, {kind}"] = change
        lines.append(line)
    about = record.run["configuration"]
    table(run, "recorded", pd.DataFrame(lines), f"Simulated hips: changes on this page and recorded ({about['n_test']} "
          f"test hips, {about['image_size']} pixels, {about['epochs']} epochs)", index=False)  # fmt: skip
    run.fact(recorded_code=", by other code than today's" * record.stale,
             recorded_full=with_ci(*long["class"].estimate(parts.FULL)),
             recorded_mae=with_ci(*long["T-score"].estimate(parts.FULL, "MAE")))  # fmt: skip
    say(run, "Recorded{recorded_code}, the whole pipeline has an AUROC of {recorded_full} and misses the T-score by "
        "{recorded_mae} T.")  # fmt: skip
