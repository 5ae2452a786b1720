"""What the campaign of faults counted (``tests/faults/campaign.py``), as a table for the page of limits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pandas as pd
import yaml

from osteolib.runs import ROOT

COUNTS = ROOT / "data_manifests" / "faults.yaml"
CALLED = {"add": "osteolib data add", "record": "a recorded run", "page": "a notebook by papermill",
          "book": "make book PROFILE=smoke"}  # fmt: skip
COLUMNS = ["what was done", "times", "answered, or ended as if undisturbed", "refused, the culprit named", "failed"]


def read_counts() -> dict[str, dict[str, Any]]:
    """The counts by part, as ``spoiled, disks, killed add, twice page``; a part that was never run is not there."""
    return yaml.safe_load(COUNTS.read_text(encoding="utf-8")) if COUNTS.is_file() else {}


def fault_table(counts: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """One row for each thing that was done, with how often and how it ended."""
    lines: dict[str, list] = {}
    for part, about in counts.items():
        lines.setdefault(part.split()[0], []).extend(about["lines"])
    rows, seen = [], {}
    for line in lines.get("spoiled", []):
        seen.setdefault(line["kind"], Counter())[line["outcome"]] += line["n"]
    for kind, found in seen.items():
        fine = found["answered"], found["refused"]
        rows.append((f"{kind}: spoiled", found.total(), *fine, found.total() - sum(fine)))
    for line in lines.get("killed", []):
        bad = bool(line["exit"] or line["different"] or line["half"])
        what = f"{CALLED[line['job']]}: killed, begun again, then compared in {line['results']:,} files"
        rows.append((what, line["kills"], 0 if bad else line["kills"], 0, int(bad)))
    for line in lines.get("disks", []):
        good = bool(line["exit"] and line["said"] and line["again"] == 0 and not line["half"])
        rows.append((f"{CALLED[line['job']]}: a {line['disk']} disk", 1, 0, int(good), int(not good)))
    for line in lines.get("twice", []):
        good = line["fine"] == 2 and line["same"] and not line["half"]
        rows.append((f"{CALLED[line['job']]}: two at once", 1, int(good), 0, int(not good)))
    return pd.DataFrame(rows, columns=COLUMNS)


def made_on(counts: Mapping[str, Mapping[str, Any]]) -> str:
    """When, where and of which version the counts were made, a sentence."""
    if not counts:
        return "It has not been run."
    made = sorted({(about["date"], about["commit"], about["machine"]) for about in counts.values()})
    return "Counted " + "; ".join(f"on {day} at commit {commit} ({machine})" for day, commit, machine in made) + "."
