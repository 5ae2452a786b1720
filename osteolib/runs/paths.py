"""Where things lie, and how a file is written so that nothing is ever half there."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(os.environ.get("OSTEO_ROOT", Path(__file__).resolve().parents[2]))
"""The project folder. Every path hangs on it, never on the working directory (notebooks are run from anywhere)."""


def digest(value: Any) -> str:
    """Sixteen hexadecimal digits that name a JSON-serialisable value; dictionary order does not matter."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's content, 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def make_folder(path: Path) -> Path:
    """A folder that can be written to, made if it is not there.

    Raises
    ------
    PermissionError
        It cannot: the project folder is read-only, or somebody else's. The message names it and what to do.
    """
    with refusals_named(path):
        path.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=path).close()
    return path


@contextmanager
def refusals_named(path: Path) -> Iterator[None]:
    """Say of a folder that may not be written to which one it is, and what to do; other faults pass as they are."""
    try:
        with full_disk_named(path):
            yield
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise
        here = _below_project(path)
        raise PermissionError(
            f"nothing can be written to {here}: copy the project to a folder of your own and run it there, or make "
            "this one writable (everything that runs leave lies in its build/)"
        ) from None


@contextmanager
def full_disk_named(path: Path) -> Iterator[None]:
    """Say of a disk without space which folder lies on it, and what to do; other faults pass as they are."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise OSError(
            f"no space is left for {_below_project(path)}: free some, as by deleting the build/ of a profile that "
            "you no longer need, and run again; what was finished is kept"
        ) from None


def _below_project(path: Path) -> Path:
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path


def write_atomic(path: Path, content: str | bytes) -> Path:
    """Write a file under a temporary name and rename it: a killed process leaves the old file or the new one."""
    data = content.encode() if isinstance(content, str) else content
    with refusals_named(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with full_disk_named(path.parent), os.fdopen(handle, "wb") as file:
            file.write(data)
        os.chmod(temporary, 0o644)  # mkstemp makes files that only their owner can read
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return path
