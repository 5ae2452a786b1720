"""A small part of the campaign; `make faults` runs the whole."""

import json
import runpy
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

UNSHARE = shutil.which("unshare")
HERE = Path(__file__).parent
FUZZ = runpy.run_path(str(HERE / "fuzz.py"))


def test_spoiled_inputs_are_answered_or_refused_by_name_and_nothing_is_written():
    run = subprocess.run(
        [sys.executable, HERE / "fuzz.py", "--n", "108", "--seed", "1000"], capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr[-2000:]
    counts = [json.loads(line) for line in run.stdout.splitlines()]
    assert sum(line["n"] for line in counts) == 108 and not {line["outcome"] for line in counts} & set(FUZZ["FAILURES"])
    refused = {line["kind"] for line in counts if line["outcome"] == "refused"}
    assert len(refused) == 9  # a campaign in which nothing is spoiled shows nothing


def test_inputs_are_spoiled_in_every_way_and_as_it_is_said():
    whole, seen = b"name: value\nn: 12\nshare: 0.5\nlabel: a b c d\n" * 3, Counter()
    for seed in range(200):
        data, how = FUZZ["spoil"](whole, np.random.default_rng(seed))
        seen[how] += data != whole
        longer = len(data) - len(whole)
        assert {"bits": longer == 0, "zeroed": longer == 0, "cut": whole.startswith(data), "lost": longer <= 0,
                "doubled": longer >= 0, "inserted": longer >= 0, "swapped": sorted(data) == sorted(whole),
                "number": data.count(b"\n") == whole.count(b"\n")}[how]  # fmt: skip
    assert len(seen) == 8 and min(seen.values()) >= 10, seen


def test_an_add_that_is_killed_leaves_nothing_half_written():
    run = subprocess.run([sys.executable, HERE / "kills.py", "add", "--kills", "2"], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-2000:]
    found = json.loads(run.stdout)
    assert found["exit"] == 0 and found["different"] == [] == found["half"] and found["results"] == 1


@pytest.mark.skipif(
    not UNSHARE or subprocess.run([UNSHARE, "-rm", "true"], capture_output=True).returncode != 0,
    reason="an ordinary user may not mount a small disk here",
)
def test_a_full_disk_and_a_read_only_folder_are_said_and_leave_nothing_half_written():
    run = subprocess.run([sys.executable, HERE / "disks.py", "add"], capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr[-2000:]
    assert len(run.stdout.splitlines()) == 2


def test_two_adds_at_once_give_what_one_gives():
    run = subprocess.run([sys.executable, HERE / "twice.py", "add"], capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr[-2000:]


@pytest.mark.parametrize("victim", ["f3.png", "people.csv"])
@pytest.mark.parametrize("before", ["read_people", "measure_film", "perceptual_hash", "describe_file"])
def test_a_file_that_disappears_while_a_folder_is_added_is_named_and_nothing_is_written(
    victim, before, tmp_path, monkeypatch
):
    from osteolib.cohorts import own

    FUZZ["originals"](tmp_path)
    folder, manifests = tmp_path / "own-csv", tmp_path / "manifests"
    monkeypatch.setattr(
        own, "manifest_paths", lambda name: (manifests / f"{name}.yaml", manifests / f"{name}.local.yaml")
    )
    step = getattr(own, before)

    def late(*arguments, **options):
        (folder / victim).unlink(missing_ok=True)
        return step(*arguments, **options)

    monkeypatch.setattr(own, before, late)
    with pytest.raises(own.FolderProblems, match=victim):
        own.add_folder(folder, "moved", bone="hand")
    assert not manifests.exists()


def test_a_cell_that_fails_does_not_stop_the_grid_and_is_shown_as_failed(tmp_path):
    kills = runpy.run_path(str(HERE / "kills.py"))
    copy = kills["Copy"](tmp_path / "project")
    cells = copy.folder / "data_manifests" / "recorded" / "cells.yaml"
    trial = kills["TRIAL"].replace("hours: 0.01", "hours: 0.01\n  grid: ablations")
    failing = trial.replace("trial:", "failing:").replace("seed: 0", "seed: -1")
    others = cells.read_text().replace("grid: ablations", "grid: other").replace(kills["TRIAL"], "")
    cells.write_text(others + failing + trial)
    grid = [str(copy.bin / "snakemake"), "ablations", "--cores", "1", "--nolock", "--keep-going", "--quiet", "all",
            "--config", "profile=smoke"]  # fmt: skip
    assert copy.run(grid) == 1
    listed = subprocess.run([copy.bin / "osteolib", "list"], env=copy.env, capture_output=True, text=True).stdout
    states = {line.split()[0]: line for line in listed.splitlines() if line.startswith("    ")}
    assert " recorded;" in states["trial"]
    assert "failed on 20" in states["failing"] and "ValueError: expected non-negative integer" in states["failing"]
    assert sorted(path.name for path in (cells.parent / "failing").iterdir()) == ["failed.json"]
