"""Killed without warning, as a power cut does: what a resumed run gives is what an undisturbed one gives.

    python tests/faults/kills.py add record book --kills 20

In a copy of the project each job runs once undisturbed; then, from nothing, it is ended by SIGKILL at random moments,
started again each time, and let run to its end. Its results must be the same, byte for byte, and nothing half written
may be left.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
MADE = (".git", ".venv", ".snakemake", ".hypothesis", ".*_cache", "__pycache__", "build", "exercises", "*.local.yaml")
TRIAL = """
trial:
  what: a small run to be killed
  job: osteolib.screen.hip_cells.pipeline
  profile: smoke
  options: {seed: 0}
  hours: 0.01
"""


class Copy:
    """A copy of the project as it is now, without what was built, that runs on the same environment."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(PROJECT, folder, ignore=shutil.ignore_patterns(*MADE))
        (folder / ".venv").symlink_to(PROJECT / ".venv")
        own = {"OSTEO_ROOT": str(folder), "PYTHONPATH": str(folder), "TQDM_DISABLE": "1"}
        self.env = {name: value for name, value in os.environ.items() if name != "OSTEO_DATA"} | own
        self.bin = PROJECT / ".venv" / "bin"
        with (folder / "data_manifests" / "recorded" / "cells.yaml").open("a") as cells:  # pages name the others
            cells.write(TRIAL)

    def job(self, name: str) -> tuple[list[str], list[str], float]:
        """Command, patterns of its results, and about how many seconds it takes at most before it is killed."""
        if name == "add":
            own = self.folder / "own"
            if not own.exists():
                sys.path.insert(0, str(Path(__file__).parent))
                from fuzz import originals

                own.mkdir()
                originals(own)
            command = [str(self.bin / "osteolib"), "data", "add", str(own / "own-csv"), "--name", "spoiled"]
            return [*command, "--bone", "hand"], ["data_manifests/cohorts/spoiled.local.yaml"], 3
        if name == "record":
            return (
                [str(self.bin / "python"), "-m", "osteolib.runs.recorded", "trial"],
                ["data_manifests/recorded/trial/*.csv"],
                20,
            )
        if name == "page":
            line = f"{self.bin / 'python'} -m papermill --no-progress-bar -p profile smoke -p seed 5 " \
                   "notebooks/19_hand_views.ipynb build/page-$$.ipynb"  # fmt: skip
            (self.folder / "build").mkdir(exist_ok=True)
            return ["sh", "-c", line], ["build/smoke/runs/*/*/*.csv", "build/smoke/runs/*/*/facts.json"], 20
        book = [str(self.bin / "snakemake"), "--cores", "2", "--nolock", "--rerun-incomplete", "--rerun-triggers",
                "params", "--quiet", "all", "--config", "profile=smoke"]  # fmt: skip
        return book, ["build/smoke/results/*/*.csv", "build/smoke/results/*/facts.json"], 60

    def results(self, patterns: list[str]) -> dict[str, str]:
        """SHA-256 of each result."""
        found = {path for pattern in patterns for path in self.folder.glob(pattern)}
        return {str(p.relative_to(self.folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(found)}

    def forget(self, patterns: list[str]) -> None:
        """Take away results and whatever was stored on the way to them."""
        for pattern in patterns:
            for path in self.folder.glob(pattern):
                path.unlink()
        for folder in ("build", "data_manifests/recorded/trial"):
            shutil.rmtree(self.folder / folder, ignore_errors=True)

    def run(self, command: list[str], limit: float | None = None) -> int | None:
        """The exit status, or None for a run that was killed with all its processes after ``limit`` seconds."""
        process = subprocess.Popen(command, cwd=self.folder, env=self.env, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, start_new_session=True)  # fmt: skip
        try:
            return process.wait(limit)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return None

    def half_written(self) -> list[str]:
        """Files of a write that was not finished: they have hidden names."""
        names = [*self.folder.glob("data_manifests/**/.*"), *self.folder.glob("build/*/results/**/.*")]
        return [str(path.relative_to(self.folder)) for path in names if path.is_file() and path.name != ".lock"]


def killed(copy: Copy, name: str, kills: int, rng: random.Random) -> dict[str, object]:
    """Counts of one job: ``kills, same`` (results as of the undisturbed run), ``different``, ``half``."""
    command, patterns, longest = copy.job(name)
    if copy.run(command) != 0:
        raise RuntimeError(f"{name} fails undisturbed: {' '.join(command)}")
    whole = copy.results(patterns)
    copy.forget(patterns)
    done = 0
    for _ in range(20 * kills):  # a run may be quicker than the knife
        if done == kills:
            break
        status = copy.run(command, rng.uniform(0.05, longest))
        done += status is None
        if status == 0:
            copy.forget(patterns)
    started = time.monotonic()
    status, half = copy.run(command), copy.half_written()
    again = copy.results(patterns)
    different = sorted(name for name in whole.keys() | again.keys() if whole.get(name) != again.get(name))
    return {"job": name, "kills": done, "exit": status, "results": len(whole), "different": different, "half": half,
            "seconds": round(time.monotonic() - started)}  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("jobs", nargs="+", choices=["add", "record", "book"])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    given, bad = parser.parse_args(), False
    with tempfile.TemporaryDirectory() as folder:
        copy, rng = Copy(Path(folder) / "project"), random.Random(given.seed)
        for name in given.jobs:
            found = killed(copy, name, given.kills, rng)
            print(json.dumps(found), flush=True)
            bad |= bool(found["exit"] or found["different"] or found["half"])
    return bad


if __name__ == "__main__":
    sys.exit(main())
