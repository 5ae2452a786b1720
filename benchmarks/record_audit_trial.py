"""Every check of the audit in both directions, at length: python benchmarks/record_audit_trial.py --studies 10000

Honest studies that a check calls inconsistent, and planted errors that it finds, for each check by itself. Writes
data_manifests/audit_trial.yaml, which page 17 shows; a small part of it is run in tests/stats/audit/test_trials.py.
"""

from __future__ import annotations

import argparse
import subprocess
import time
from datetime import UTC, datetime

import yaml

from osteolib.runs import ROOT, fingerprint
from osteolib.stats.audit.trials import by_check, checks_tried

RECORD = ROOT / "data_manifests" / "audit_trial.yaml"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=10_000, help="honest ones, and as many with an error, per check")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    git = ["git", "-C", str(ROOT)]
    if subprocess.run([*git, "status", "--porcelain", "osteolib"], capture_output=True, text=True, check=True).stdout:
        raise SystemExit("osteolib has changes that are not committed: commit them, so that the record names its code")
    commit = subprocess.run([*git, "rev-parse", "--short=10", "HEAD"], capture_output=True, text=True, check=True)
    code, checks = fingerprint(["osteolib.stats.audit.trials"]), {}
    for check in checks_tried():
        start = time.process_time()
        checks[check] = by_check(check, given.studies, given.seed)
        print(f"{check:<22}{checks[check]}  {time.process_time() - start:.0f} s", flush=True)
    record = {"date": datetime.now(UTC).date().isoformat(), "commit": commit.stdout.strip(), "code": code,
              "seed": given.seed, "cpu_minutes": round(time.process_time() / 60, 1), "checks": checks}  # fmt: skip
    RECORD.write_text(yaml.safe_dump(record, sort_keys=False), encoding="utf-8")
    if accused := [check for check, counts in checks.items() if counts["accused"]]:
        raise SystemExit(f"honest studies are accused by {', '.join(accused)}")


if __name__ == "__main__":
    main()
