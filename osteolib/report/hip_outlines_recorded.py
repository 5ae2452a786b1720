"""The recorded Mask R-CNN beside the one that a page has trained."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from osteolib.report.compared import Comparison
from osteolib.report.hip_outlines import NAMES
from osteolib.report.hip_segmentation_page import compare_overlap, required
from osteolib.report.show import say, table
from osteolib.runs import Run
from osteolib.runs.parameters import load_profile
from osteolib.runs.recorded import find_cell, read_record, state_of
from osteolib.screen.hip_cells import OVERLAP
from osteolib.segment.hip_instances import BITS
from osteolib.segment.mask_rcnn import SURE, sized


def overlaps_of(predictions: pd.DataFrame) -> pd.DataFrame:
    """Predictions of :func:`osteolib.screen.hip_cells.outlines` as a table with one row a hip, for
    :func:`osteolib.report.hip_segmentation_page.compare_overlap`; a class that is not there is NaN."""
    people = predictions.drop_duplicates("unit_id").set_index("unit_id")[["split_group"]]
    for name in BITS:
        own = predictions[predictions["target"] == OVERLAP + name].set_index("unit_id")
        people[f"iou_{name}"] = own["y_true"]
        people[f"there_{name}"] = people.index.isin(own.index)
        people[f"found_{name}"] = (own["y_score"] >= SURE).reindex(people.index, fill_value=False)
    return people


def show_recorded(run: Run, cell: str, live: Comparison, paper: Mapping[str, float], n_boot: int, seed: int) -> None:
    """Overlaps of the recorded network under those of this page, or that it is not recorded yet."""
    record = read_record(cell)
    if record is None:
        declared = find_cell(cell)
        sizes = load_profile(declared.profile)
        run.fact(declared=declared.options["visits"] * sizes["mask_epochs"], declared_hours=declared.hours,
                 declared_columns=sized(sizes["film_width"], sizes["backbone"], 1, 0).columns,
                 declared_people=sizes["n_hip_people"], declared_state=state_of(cell))  # fmt: skip
        say(run, "A longer training is declared, {declared} half films of {declared_people} people, {declared_columns} "
            "pixels wide, about {declared_hours:g} hours on one core: {declared_state}.")  # fmt: skip
        return
    about = record.run["configuration"]
    long = compare_overlap(overlaps_of(record.predictions), required(paper), n_boot, seed)
    shown = pd.concat({"live, this page": live.table(head="class", spec=".3f"),
                       "recorded": long.table(head="class", spec=".3f")}, names=["run"])  # fmt: skip
    caption = "Phantom: the network of this page and the recorded one, each on its own test hips"
    table(run, "recorded", shown.reset_index(level=0), caption, index=False, group="run",
          folded="Recorded beside live")  # fmt: skip
    run.fact(recorded_visits=about["visits"] * about["epochs"], recorded_columns=about["columns"],
             recorded_people=about["n_phantoms"], recorded_test=about["n_test"], recorded_iou="; ".join(
             f"{name} {long.text(name, 'mean IoU', '.3f')}" for name in NAMES.values() if name in long.methods),
             recorded_code=", by other code than today's" * record.stale, recorded_reach=long.text(
             NAMES["femur"], "share over the required IoU"))  # fmt: skip
    say(run, "Recorded{recorded_code}, {recorded_visits} half films of {recorded_people} people shown, "
        "{recorded_columns} pixels wide, tested on {recorded_test} hips: mean IoU **{recorded_iou}**; the share of "
        "femurs over the required IoU is {recorded_reach}.")  # fmt: skip
