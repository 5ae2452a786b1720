"""What was recorded set beside what a page trained live: one table that says which is which."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from osteolib.report.comparison import compare_scores
from osteolib.report.show import with_ci
from osteolib.runs.recorded import RECORDED, find_cell, read_record, state_of


def beside(
    live: pd.DataFrame, live_size: str, cells: Iterable[str], metric: str, target: str, folder: Path = RECORDED
) -> pd.DataFrame:
    """Live rows and those of recorded cells under each other; ``run`` says which is which, and how each was made.

    Parameters
    ----------
    live
        ``method, split, value, ci_low, ci_high, n`` of this run.
    live_size
        What this run was trained at: :func:`training_size` of its recipe.
    cells
        Names of recorded cells; one that is not there is a row that says so.
    metric, target
        Which of a record's results, as :func:`osteolib.stats.prediction_metrics.prediction_metrics` names them.
    """
    rows = [_row(f"live, this page: {live_size}", row) for row in live.to_dict("records")]
    for name in cells:
        record = read_record(name, folder)
        if record is None:
            cell = find_cell(name, folder)
            state = state_of(name, folder)
            rows.append({"run": f"{name}: {state} (profile {cell.profile}, about {cell.hours:g} hours)"})
            continue
        found = record.results[(record.results["metric"] == metric) & (record.results["target"] == target)]
        code = "other code than today's" if record.stale else "code as today"
        made = f"{record.run['date']}, {record.run['machine']}; {code}"
        head = f"recorded, {name}: {training_size(record.run['configuration'])}; {made}"
        rows += [_row(head, row) for row in found.to_dict("records")]
    return pd.DataFrame(rows).astype(object).fillna("")


def recorded_difference(
    name: str, method: str, reference: str, split: str, n_boot: int, seed: int, folder: Path = RECORDED
) -> tuple[float, float, float] | None:
    """AUROC for bone loss of one recorded method less another's, paired, with its interval; None without a record."""
    record = read_record(name, folder)
    if record is None:
        return None
    rows = record.predictions.query("target == 'bone_loss' and split == @split")
    both = rows.pivot(index="unit_id", columns="method", values="y_score")[[method, reference]]
    about = rows[rows["method"] == method].set_index("unit_id").loc[both.index]
    compared = compare_scores(about["y_true"], both, reference=reference, groups=about["split_group"],
                              n_boot=n_boot, seed=seed)  # fmt: skip
    return compared.difference(method, reference)


def training_size(about: Mapping[str, Any]) -> str:
    """Backbone, start, pixels and epochs of a recipe, and people where they are simulated, as text."""
    start = {"none": "random weights", "imagenet": "ImageNet"}.get(about["initialisation"], "a file of weights")
    people = f", {about['n_phantoms']} people" if "n_phantoms" in about else ""
    return f"{about['backbone']} from {start}, {about['image_size']} px, {about['epochs']} epochs{people}"


def _row(run: str, row: dict) -> dict[str, object]:
    shown = with_ci(row["value"], row["ci_low"], row["ci_high"])
    n = f"{int(row['n']):,}"
    return {"run": run, "method": row["method"], "tested on": row["split"], "estimate (95 % CI)": shown, "n": n}
