"""Recorded ablations over their seeds: what a step changes when people, split and training are others each time."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from osteolib.report.show import say, table, with_ci
from osteolib.runs import Run
from osteolib.runs.recorded import RECORDED, find_cell, read_record, state_of
from osteolib.stats.seeds import seeded_steps


def auroc_by_seed(cells: Iterable[str], target: str, folder: Path = RECORDED) -> pd.DataFrame:
    """AUROC of each method on test units, a row a cell, a column a method; a cell without a record is a row of NaN."""
    found = {}
    for name in cells:
        record = read_record(name, folder)
        if record is None:
            found[name] = pd.Series(dtype=float)
            continue
        rows = record.results.query("target == @target and metric == 'auroc' and split == 'test'")
        found[name] = rows.set_index("method")["value"]
    return pd.DataFrame(found).T.astype(float)


def show_seeds(run: Run, aurocs: pd.DataFrame, full: str, live: pd.DataFrame) -> None:
    """Changes against the full method over recorded seeds beside this page's, or which cells are missing.

    ``live``: ``method`` and ``difference`` in words, of this page's run (:func:`osteolib.report.ablation.summary`).
    """
    missing = aurocs.index[aurocs.isna().all(axis=1)]
    if len(missing):
        run.fact(seeds_missing="; ".join(f"{name}, {state_of(name)}" for name in missing),
                 seeds_hours=sum(find_cell(name).hours for name in missing))  # fmt: skip
        say(run, "Declared and not there: {seeds_missing}; about {seeds_hours:.1f} hours on one core.")
    known = aurocs.drop(index=missing).dropna(axis="columns", how="all")
    if len(known) < 2:
        return
    steps = [name for name in live["method"] if name in known]
    found = seeded_steps(known[[full, *steps]].to_numpy())
    words = dict(zip(live["method"], live["difference"], strict=True))
    changes = [known[step] - known[full] for step in steps]
    rows = [{"method": step, "this page, one seed": words[step], "recorded, over seeds": with_ci(*estimate, "+.2f"),
             "least and most of a seed": f"{change.min():+.2f}, {change.max():+.2f}".replace("-", "−")}
            for step, change, *estimate in zip(steps, changes, *found[:3], strict=True)]  # fmt: skip
    table(run, "seeds", pd.DataFrame(rows), "Simulated people: change of the AUROC against the full method (95 % CI); "
          "left, people drawn anew, right, the mixed model", index=False)  # fmt: skip
    losses = [step for step, high in zip(steps, found.ci_high, strict=True) if high < 0]
    gains = [step for step, low in zip(steps, found.ci_low, strict=True) if low > 0]
    signs = sum(int(np.sign(change.min()) != np.sign(change.max())) for change in changes)
    run.fact(n_seeds_recorded=len(known), seeds_losses=", ".join(losses) or "none", seeds_gains=", ".join(gains) or
             "none", sd_seed=found.sd_seed, sd_rest=found.sd_rest, n_signs=signs, n_seed_steps=len(steps),
             full_over_seeds=float(known[full].mean()))  # fmt: skip
    say(run, "Over {n_seeds_recorded} recorded seeds, where the full method has {full_over_seeds:.2f} on average, the "
        "steps that cost something beyond chance are: **{seeds_losses}**; that gain something: **{seeds_gains}** (not "
        "corrected for the number of steps). What all steps of a seed share has an SD of {sd_seed:.3f}, the rest "
        "{sd_rest:.3f}; of {n_seed_steps} steps {n_signs} change their sign from one seed to another.")  # fmt: skip
