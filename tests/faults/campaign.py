"""The whole campaign of faults, and its counts for the page of limits.

    python tests/faults/campaign.py                    # two hours: spoiled inputs, kills, small disks, two at once
    python tests/faults/campaign.py spoiled disks "killed add"      # parts of it; the counts of the others stay

What each part does, and what counts as a failure, is said in ``fuzz.py, kills.py, disks.py, twice.py``. The counts go
to ``data_manifests/faults.yaml`` with the day, the machine and the commit, whether or not anything failed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import yaml

from osteolib.runs import ROOT
from osteolib.runs.paths import write_atomic
from osteolib.runs.recorded import machine

HERE = Path(__file__).parent
PARTS = {
    "spoiled": ["fuzz.py", "--n", "1008"],
    **{f"killed {job}": ["kills.py", job, "--kills", "20"] for job in ("add", "record", "book")},
    "disks": ["disks.py"],
    **{f"twice {job}": ["twice.py", job] for job in ("add", "record", "page", "book")},
}
COUNTS = ROOT / "data_manifests" / "faults.yaml"


def lines_of(part: str) -> tuple[list[dict], int]:
    """What a part printed, a JSON object a line, and its exit status."""
    script, *options = PARTS[part]
    run = subprocess.run([sys.executable, HERE / script, *options], stdout=subprocess.PIPE, text=True, check=False)
    return [json.loads(line) for line in run.stdout.splitlines()], run.returncode


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], default=[])
    parts, bad = parser.parse_args().parts or list(PARTS), 0
    counts = yaml.safe_load(COUNTS.read_text(encoding="utf-8")) if COUNTS.is_file() else {}
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    for part in parts:  # which write the counts, so that the commit is asked for before
        made = {"date": date.today().isoformat(), "machine": machine(), "commit": commit.stdout.strip() or "unknown"}
        lines, status = lines_of(part)
        bad |= status
        counts[part] = made | {"exit": status, "lines": lines}
        write_atomic(COUNTS, yaml.safe_dump(counts, sort_keys=False, width=1000))
    return bad


if __name__ == "__main__":
    sys.exit(main())
