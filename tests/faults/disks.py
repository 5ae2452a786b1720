"""A disk that is full, and a folder that may not be written to.

    python tests/faults/disks.py

On Linux, where an ordinary user may mount a small disk of their own (``unshare``). A copy of the project adds a folder
and makes a recorded run in it: on the small disk each ends in an error that says so, leaves nothing half written, and
gives the same results as ever once there is space. Two at once give what one gives.
"""

from __future__ import annotations

import json
import runpy
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

Copy = runpy.run_path(str(Path(__file__).with_name("kills.py")))["Copy"]
SAID = {"full": "no space is left for", "read-only": "nothing can be written to"}
WHERE = {"add": "data_manifests/cohorts", "record": "build"}


def on_disk(copy, command: list[str], folder: str, kind: str) -> subprocess.CompletedProcess:
    """Run a command of the copy while ``folder`` lies on a disk of its own that has no byte left, or is read-only."""
    path = shlex.quote(str(copy.folder / folder))
    setup = f"mount -t tmpfs -o size=32m tmpfs {path} && cp -a {path}.whole/. {path}/ && "
    setup += (
        f"(cat /dev/zero > {path}/filler 2> /dev/null || true)" if kind == "full" else f"mount -o remount,ro {path}"
    )
    line = f"{setup}; {shlex.join(command)}; status=$?; rm -f {path}/filler 2> /dev/null; " \
           f"ls -A {path} > {path}.left; exit $status"  # fmt: skip
    subprocess.run(["cp", "-a", str(copy.folder / folder), f"{copy.folder / folder}.whole"], check=True)
    try:
        return subprocess.run(["unshare", "--map-root-user", "--mount", "sh", "-c", line], cwd=copy.folder,
                              env=copy.env, capture_output=True, text=True)  # fmt: skip
    finally:
        subprocess.run(["rm", "-rf", f"{copy.folder / folder}.whole"], check=True)


def refused(copy, name: str, kind: str) -> dict[str, object]:
    """One line of the campaign: a job on such a disk, and again on the usual one."""
    command, patterns, _ = copy.job(name)
    (copy.folder / WHERE[name]).mkdir(exist_ok=True)
    run = on_disk(copy, command, WHERE[name], kind)
    left = (copy.folder / f"{WHERE[name]}.left").read_text().split("\n")
    before = copy.results(patterns)
    said = [line for line in (run.stdout + run.stderr).splitlines() if SAID[kind] in line]
    again = copy.run(command)
    found = {"job": name, "disk": kind, "exit": run.returncode, "said": said[-1] if said else "", "again": again}
    return found | {"half": [x for x in left if x.startswith(".") and not x.endswith(".lock")], "before": len(before),
                    "results": len(copy.results(patterns))}  # fmt: skip


def main() -> int:
    bad = False
    with tempfile.TemporaryDirectory() as folder:
        copy = Copy(Path(folder) / "project")
        for name in sys.argv[1:] or ["add", "record"]:
            for kind in SAID:
                found = refused(copy, name, kind)
                copy.forget(copy.job(name)[1])
                print(json.dumps(found), flush=True)
                bad |= not (found["exit"] and found["said"] and found["results"] and found["again"] == 0)
                bad |= bool(found["half"] or found["before"])
    return bad


if __name__ == "__main__":
    sys.exit(main())
