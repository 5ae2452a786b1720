"""The recorded networks of the four splits over their seeds: what a split changes, and how far luck goes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from osteolib.report.show import say, table, with_ci
from osteolib.runs import Run
from osteolib.runs.recorded import RECORDED, list_cells, read_record
from osteolib.stats.seeds import seeded_steps

SPLITS = ("image", "bytes", "picture", "film")


def recorded_aurocs(folder: Path = RECORDED) -> pd.DataFrame:
    """AUROC for bone loss of test knees, a row a seed, a column a split, NaN where a cell is declared and missing."""
    found = {}
    for name in list_cells(folder):
        kind, split, seed = [*name.split("-"), "", ""][:3]
        if kind == "stage1" and split in SPLITS and seed.isdigit():
            record = read_record(name, folder)
            found[int(seed), split] = np.nan
            if record is not None:
                row = record.results.query("target == 'bone_loss' and metric == 'auroc' and split == 'test'")
                found[int(seed), split] = float(row["value"].item())
    return pd.Series(found, dtype=float).unstack().reindex(columns=SPLITS).rename_axis(index="seed", columns="split")


def show_seeds(run: Run, aurocs: pd.DataFrame) -> None:
    """The table of :func:`recorded_aurocs` with what each split changes, where two seeds of a split are there."""
    known = aurocs.dropna(how="all").dropna(axis="columns", how="all")
    freedom = known.count().sum() - known.shape[1] - (len(known) - 1)
    if "image" not in known or min(known.shape) < 2 or freedom < 1:
        say(run, "Too few seeds are recorded to tell the luck of a split and a training from what a split changes.")
        return
    found = seeded_steps(known[["image", *known.columns.drop("image")]].to_numpy())
    changes = dict(zip(known.columns.drop("image"), zip(*found[:3], strict=True), strict=True))
    rows = [{"split": f"by {split}", **{f"seed {seed}": f"{value:.3f}" if value == value else "not recorded"
                                        for seed, value in aurocs[split].items()},
             "less by image (95 % CI)": with_ci(*changes[split], "+.2f") if split in changes else "–"}
            for split in aurocs.columns]  # fmt: skip
    table(run, "seeds", pd.DataFrame(rows), "Recorded networks, AUROC for bone loss of test knees by seed, and the "
          "change over seeds (mixed model)", index=False)  # fmt: skip
    last = known.columns[-1]
    run.fact(n_seeded=found.n, n_seeds_recorded=len(known), last_split=last, over_seeds=with_ci(*changes[last], "+.2f"),
             sd_seed=found.sd_seed, sd_rest=found.sd_rest)  # fmt: skip
    say(run, "A seed deals the films out anew and trains anew. Over {n_seeds_recorded} seeds ({n_seeded} networks) the "
        "split by {last_split} changes the AUROC by **{over_seeds}** against the split by image. The luck that the "
        "splits of one seed share has an SD of {sd_seed:.3f}, all other luck {sd_rest:.3f}.")  # fmt: skip
