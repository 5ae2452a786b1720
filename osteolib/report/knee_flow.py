"""Flow charts of the knee films: the counts that the paper prints, and what becomes of the set that is here.

Charts are graphs for :func:`osteolib.report.schematic.draw`; boxes of kind ``published`` hold printed numbers, of kind
``box`` our own.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from itertools import pairwise

import networkx as nx
import pandas as pd

from osteolib.cohorts import Cohort, flow
from osteolib.report.published import load_published

PAPER = "strnet2026_knee"
SUMS = {
    "Stage 1, source films": ("flow.s1", "flow.s1_single", "flow.s1_bi"),
    "Stage 2, source films": ("flow.s2", "flow.s2_single", "flow.s2_bi"),
    "knees of both stages": ("n_dev", "stage1.n", "stage2.n"),
    "knees of the split": ("n_dev", "T1.Total.train", "T1.Total.val", "T1.Total.test"),
    "knees of the classes": ("n_dev", "T1.Normal.total", "T1.BoneLoss.total"),
}
"""What the paper counts: the whole, then its parts."""

Step = tuple[str, str, str, str]
"""A box: title, detail, kind, and what stands on the arrow that leads to it."""


def published_values() -> pd.Series:
    """Every number of the paper by its short name (``flow.s1``, ``T2.params`` ...)."""
    values = load_published(PAPER).set_index("published_id")["value"]
    return values.rename(index=lambda name: name.removeprefix(f"{PAPER}.")).dropna()


def published_sums(values: Mapping[str, float]) -> pd.DataFrame:
    """Each printed count beside the sum of its parts: ``what, printed, sum of its parts, agrees`` (yes or no)."""
    rows = [(what, int(values[whole]), int(sum(values[p] for p in parts))) for what, (whole, *parts) in SUMS.items()]
    table = pd.DataFrame(rows, columns=["what", "printed", "sum of its parts"])
    same = table["printed"] == table["sum of its parts"]
    return table.assign(agrees=same.map({True: "yes", False: "no"}))


def unexplained(values: Mapping[str, float], stage: int) -> tuple[int, int]:
    """Knees on a stage's films if every leg is cut out, and how many of these the paper does not use."""
    knees = int(values[f"flow.s{stage}_single"] + 2 * values[f"flow.s{stage}_bi"])
    return knees, knees - int(values[f"stage{stage}.n"])


def published_chart(values: Mapping[str, float]) -> nx.DiGraph:
    """The flow chart of the paper's Figure 1, with our sum of the knees between its boxes."""
    n = {name: int(value) for name, value in values.items() if value == int(value)}
    whole = f"{n['n_dev']:,} knees", "development", "published", ""
    train, validation, test = (
        (f"{n[f'T1.Total.{part}']:,} {name}", "knees", "published", "")
        for part, name in (("train", "training"), ("val", "validation"), ("test", "internal test"))
    )
    threshold = f"threshold {values['thr.tau']:g}"
    external = f"{n['flow.ext']} external", "people of another hospital", "published", threshold
    chart = nx.DiGraph()
    chain(chart, *stage_steps(values, 1), whole, train)
    chain(chart, *stage_steps(values, 2), whole, validation, external)
    chain(chart, whole, test)
    return chart


def stage_steps(values: Mapping[str, float], stage: int) -> list[Step]:
    """The way of one source's films to the knees that the paper uses."""
    films, single, both, kept = (
        int(values[name]) for name in (*(f"flow.s{stage}{part}" for part in ("", "_single", "_bi")), f"stage{stage}.n")
    )
    knees, gone = unexplained(values, stage)
    return [
        (f"{films:,} films", f"Stage {stage}: {single:,} single, {both} of both legs", "published", ""),
        (f"{knees:,} knees", "if all cut: our sum", "box", ""),
        (f"{kept:,} knees", f"used, Stage {stage}", "published", f"− {gone:,}, reasons\nnot counted"),
    ]


def own_chart(cohort: Cohort, n_folds: int) -> nx.DiGraph:
    """The flow chart of the set that is here: people, films, knees, folds, with the reason for each one left out."""
    people, *left_out, kept = flow(cohort).itertuples(index=False)
    why = "\n".join(
        textwrap.fill(f"− {-step.subjects} {step.step.removeprefix('left out: ')}", 26) for step in left_out
    )
    layouts = cohort.subjects.drop_duplicates("image_id")["film_layout"].value_counts()
    films = "one a person: " + ", ".join(f"{count} {layout}" for layout, count in layouts.items())
    chart = nx.DiGraph()
    chain(
        chart,
        (f"{people.subjects} people", "rows of the table", "box", ""),
        (f"{kept.subjects} films", films, "box", why),
        (f"{len(cohort.subjects)} knees", "all that are found", "box", ""),
        (f"{n_folds} folds", "by person; each knee is tested once", "box", ""),
    )
    return chart


def chain(graph: nx.DiGraph, *steps: Step) -> None:
    """Add boxes one below the other; a title that the graph knows already is the same box."""
    for title, detail, kind, _ in steps:
        graph.add_node(title, title=title, detail=detail, kind=kind)
    for (before, *_), (after, *_, label) in pairwise(steps):
        graph.add_edge(before, after, label=label)
