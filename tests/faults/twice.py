"""Two of the same at once: both end well or one says that the other is at work, and the results are those of one.

    python tests/faults/twice.py add record page book

A ``page`` is one notebook by papermill with parameters of its own, a ``book`` is ``make book PROFILE=smoke``.
"""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
import tempfile
from pathlib import Path

Copy = runpy.run_path(str(Path(__file__).with_name("kills.py")))["Copy"]


def twice(copy, name: str) -> dict[str, object]:
    """One line of the campaign: ``fine`` of two, whether results are the ``same`` as of one alone, ``half`` files."""
    command, patterns, _ = copy.job(name)
    if copy.run(command) != 0:
        raise RuntimeError(f"{name} fails alone: {' '.join(command)}")
    whole = copy.results(patterns)
    copy.forget(patterns)
    command = copy.job(name)[0]  # again, for the folders that it needs
    both = [subprocess.Popen(command, cwd=copy.folder, env=copy.env, stdout=subprocess.DEVNULL,
                             stderr=subprocess.PIPE, text=True) for _ in range(2)]  # fmt: skip
    errors = [process.communicate()[1] for process in both]
    fine = [process.returncode == 0 or "at work on" in error for process, error in zip(both, errors, strict=True)]
    return {"job": name, "fine": sum(fine), "results": len(whole), "same": copy.results(patterns) == whole,
            "half": copy.half_written()}  # fmt: skip


def main() -> int:
    bad = False
    with tempfile.TemporaryDirectory() as folder:
        copy = Copy(Path(folder) / "project")
        for name in sys.argv[1:] or ["add", "record", "page", "book"]:
            found = twice(copy, name)
            copy.forget(copy.job(name)[1])
            print(json.dumps(found), flush=True)
            bad |= found["fine"] != 2 or not found["same"] or not found["results"] or bool(found["half"])
    return bad


if __name__ == "__main__":
    sys.exit(main())
