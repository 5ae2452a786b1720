"""The artefact store: whatever is costly is made once and found again under the hash of all it depends on.

An artefact is a folder ``build/store/<name>/<hash>/``. It is filled under a temporary name and renamed when complete,
so a killed run leaves nothing half-written; a lock that the operating system drops with the process keeps two runs from
making the same artefact twice.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from osteolib.runs.fingerprint import fingerprint
from osteolib.runs.paths import ROOT, digest, full_disk_named, make_folder, write_atomic

STORE = ROOT / "build" / "store"


def artefact(
    name: str,
    key: Mapping[str, Any],
    modules: Iterable[str],
    make: Callable[[Path], None],
    store: Path | None = None,
) -> Path:
    """The folder of an artefact, made by ``make(folder)`` if it is not there yet.

    Parameters
    ----------
    name
        What it is, as in ``"knee-films"``: the first folder under the store.
    key
        JSON-serialisable configuration and cohort fingerprint that the content depends on.
    modules
        Dotted names of the modules whose code computes it; their own imports are added.
    make
        Writes the content into the empty folder it is given. If it raises, nothing is kept.
    """
    from filelock import FileLock

    full_key = {"name": name, "key": dict(key), "code": fingerprint(modules)}
    home = (store or STORE) / name
    final = home / digest(full_key)
    if final.is_dir():
        return final
    make_folder(home)
    with FileLock(home / f".{final.name}.lock"):
        if final.is_dir():
            return final
        for left in home.glob(f".{final.name}.*/"):  # of a run that was killed: we hold the lock, nobody writes there
            shutil.rmtree(left)
        temporary = Path(tempfile.mkdtemp(dir=home, prefix=f".{final.name}."))
        try:
            with full_disk_named(home):
                make(temporary)
            write_atomic(temporary / "key.json", json.dumps(full_key, indent=1, default=str))
            os.chmod(temporary, 0o755)
            os.replace(temporary, final)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
    return final


def resumable_artefact(
    name: str,
    key: Mapping[str, Any],
    modules: Iterable[str],
    make: Callable[[Path, Path], None],
) -> Path:
    """An :func:`artefact` that takes long: ``make(folder, unfinished)`` has a second folder that outlives a killed run.

    What it leaves in ``unfinished`` is there again when the same code makes the same key, and goes with the last step.
    """
    modules = tuple(modules)
    unfinished = STORE / "unfinished" / digest({"name": name, "key": dict(key), "code": fingerprint(modules)})

    def fill(folder: Path) -> None:
        make(folder, unfinished)
        shutil.rmtree(unfinished, ignore_errors=True)

    return artefact(name, key, modules, fill)


def cached(
    name: str,
    key: Mapping[str, Any],
    modules: Iterable[str],
    make: Callable[[], pd.DataFrame],
    store: Path | None = None,
) -> pd.DataFrame:
    """A table from the store, computed by ``make()`` if it is not there yet; see :func:`artefact`."""
    folder = artefact(name, key, modules, lambda into: make().to_parquet(into / "table.parquet"), store)
    return pd.read_parquet(folder / "table.parquet")
