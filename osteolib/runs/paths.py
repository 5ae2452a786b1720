"""Where things lie, and how a file is written so that nothing is ever half there."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(os.environ.get("OSTEO_ROOT", Path(__file__).resolve().parents[2]))
"""The project folder. Every path hangs on it, never on the working directory (notebooks are run from anywhere)."""


def digest(value: Any) -> str:
    """Sixteen hexadecimal digits that name a JSON-serialisable value; dictionary order does not matter."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def write_atomic(path: Path, content: str | bytes) -> Path:
    """Write a file under a temporary name and rename it: a killed process leaves the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = content.encode() if isinstance(content, str) else content
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.chmod(temporary, 0o644)  # mkstemp makes files that only their owner can read
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return path
