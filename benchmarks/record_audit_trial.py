"""Every check of the audit in both directions, at length: python benchmarks/record_audit_trial.py --studies 10000

Honest studies that a check calls inconsistent, and planted errors that it finds, for each check by itself. The counts
stand in data_manifests/audit_trial.yaml, which page 17 shows, and grow part by part: a run that is stopped is gone on
with, as long as the code is the same. A small part of it is run in tests/stats/audit/test_trials.py.
"""

from __future__ import annotations

import argparse
import subprocess
import time
from datetime import UTC, datetime
from typing import Any

import yaml

from osteolib.runs import ROOT, fingerprint
from osteolib.stats.audit.trials import by_check, checks_tried

RECORD = ROOT / "data_manifests" / "audit_trial.yaml"
PART = 250  # studies of each check between two writings


def begun(seed: int) -> dict[str, Any]:
    """The record as it stands, or an empty one where the code or the seed was another."""
    git = ["git", "-C", str(ROOT)]
    if subprocess.run([*git, "status", "--porcelain", "osteolib"], capture_output=True, text=True, check=True).stdout:
        raise SystemExit("osteolib has changes that are not committed: commit them, so that the record names its code")
    commit = subprocess.run([*git, "rev-parse", "--short=10", "HEAD"], capture_output=True, text=True, check=True)
    code = fingerprint(["osteolib.stats.audit.trials"])
    empty = {"date": "", "commit": commit.stdout.strip(), "code": code, "seed": seed, "cpu_minutes": 0.0, "checks": {}}
    record = yaml.safe_load(RECORD.read_text(encoding="utf-8")) if RECORD.is_file() else empty
    return record if (record["code"], record["seed"]) == (code, seed) else empty


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=10_000, help="honest ones, and as many with an error, per check")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    record = begun(given.seed)
    before, checks = record["cpu_minutes"], record["checks"]
    done = min((counts["honest"] for counts in checks.values()), default=0)
    while done < given.studies:
        part = min(PART, given.studies - done)
        for check in checks_tried():
            new = by_check(check, part, given.seed, done)
            checks[check] = {name: checks.get(check, {}).get(name, 0) + count for name, count in new.items()}
        done += part
        minutes = round(before + time.process_time() / 60, 1)
        record |= {"date": datetime.now(UTC).date().isoformat(), "cpu_minutes": minutes}
        RECORD.write_text(yaml.safe_dump(record, sort_keys=False), encoding="utf-8")
        print(f"{done:,} honest studies of each check, and as many errors: {minutes} minutes", flush=True)
    for check, counts in checks.items():
        print(f"{check:<22}{counts}")
    if accused := [check for check, counts in checks.items() if counts["accused"]]:
        raise SystemExit(f"honest studies are accused by {', '.join(accused)}")


if __name__ == "__main__":
    main()
