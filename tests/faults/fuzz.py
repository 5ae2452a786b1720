"""Spoiled inputs by the hundred: a clear error or an answer for each, in time, in little memory, and nothing written.

    python tests/faults/fuzz.py --n 1000 --seed 0

Every input is one that the project itself wrote, with bits flipped, ends cut off, pieces doubled or lost, fields
swapped, numbers replaced. It is read in a process of its own kind with 2 GiB and 10 s. What counts as clear: a
ValueError or FileNotFoundError that names the file, or of an own folder begins with the folder's name.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import re
import resource
import shutil
import signal
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np

PROJECT = Path(__file__).resolve().parents[2]
SECONDS, MEMORY = 10, 2 * 2**30
HOSTILE = (
    "NaN",
    "-1",
    "1e999",
    "",
    "0,5",
    "=1+1",
    "' OR 1",
    "<b>x</b>",
    "../../x",
    "٣",
    "2.5e",
    "None",
    "true",
    "[",
    "&a *a",
)
FAILURES = ("unclear", "crashed", "too slow", "too large", "died", "wrote")


def originals(into: Path) -> dict[str, Path]:
    """One whole input of each kind, by its name: the path that is spoiled."""
    import pandas as pd
    from PIL import Image

    from osteolib.phantoms.dicom import write_dicom
    from osteolib.volume import Volume, write_nifti

    rng, y = np.random.default_rng(0), np.linspace(-1, 1, 160)
    bone = np.exp(-((np.hypot(*np.meshgrid(y, y)) - 0.4) ** 2) * 30) * 180 + rng.normal(20, 4, (160, 160))
    film = bone.clip(0, 255).astype(np.uint8)
    Image.fromarray(film).save(into / "film.png")
    Image.fromarray(film).save(into / "photo.jpg", quality=90)
    Image.fromarray(film.astype(np.uint16) * 200).save(into / "deep.png")
    write_dicom(film, 0.2, into / "film.dcm", body_part="HAND", view="PA")
    write_nifti(Volume(rng.normal(0, 200, (12, 12, 12)).astype(np.float32), np.diag([1.0, 1, 1, 1]), "RAS"),
                into / "scan.nii.gz")  # fmt: skip
    table = pd.DataFrame({"subject_id": [f"P{k}" for k in range(8)], "image": [f"f{k}.png" for k in range(8)],
                          "t_score": [-3.1, -2.5, -1.2, 0.4, -0.8, -2.6, -1.9, 1.1], "sex": list("FMFMFFMF"),
                          "age_years": [71, 64, 58, 80, 66, 73, 59, 62]})  # fmt: skip
    for name in ("csv", "xlsx"):
        folder = into / f"own-{name}"
        folder.mkdir()
        for k in range(8):
            Image.fromarray(np.roll(film, 3 * k, axis=k % 2)).save(folder / f"f{k}.png")
        getattr(table, {"csv": "to_csv", "xlsx": "to_excel"}[name])(folder / f"people.{name}", index=False)
    shutil.copy(PROJECT / "data_manifests" / "audits" / "example.yaml", into / "audit.yaml")
    shutil.copy(PROJECT / "data_manifests" / "cohorts" / "nhanes-dxa.yaml", into / "nhanes-dxa.yaml")
    return {
        "PNG": into / "film.png", "JPEG": into / "photo.jpg", "PNG of 16 bits": into / "deep.png",
        "DICOM": into / "film.dcm", "NIfTI": into / "scan.nii.gz", "table, CSV": into / "own-csv" / "people.csv",
        "table, XLSX": into / "own-xlsx" / "people.xlsx", "audit file": into / "audit.yaml",
        "manifest": into / "nhanes-dxa.yaml",
    }  # fmt: skip


def readers() -> dict[str, Callable[[Path], object]]:
    """What reads each kind."""
    from osteolib.cohorts.manifest import parse_manifest
    from osteolib.cohorts.own import FolderProblems, add_folder
    from osteolib.radiograph import read_radiograph
    from osteolib.report.audits import audit_paper
    from osteolib.volume import read_volume

    def manifest(path: Path) -> object:
        import yaml

        try:
            content = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (yaml.YAMLError, UnicodeDecodeError) as error:  # as the loader of a folder of manifests does
            raise ValueError(f"{path.name}: {error}") from None
        return parse_manifest(content, path.name)

    def own(path: Path) -> object:
        try:
            return add_folder(path.parent, "spoiled", bone="hand").unlink()  # whole enough: take the manifest away
        except FolderProblems as error:
            assert "nothing was written" in str(error)
            raise

    films = dict.fromkeys(("PNG", "JPEG", "PNG of 16 bits", "DICOM"), read_radiograph)
    return films | {"NIfTI": read_volume, "table, CSV": own, "table, XLSX": own, "audit file": audit_paper,
                    "manifest": manifest}  # fmt: skip


def spoil(data: bytes, rng: np.random.Generator) -> tuple[bytes, str]:
    """The bytes with something wrong, and what."""
    n = len(data)
    text = b"\0" not in data[:2000] and n < 200_000
    how = str(
        rng.choice(
            ["bits", "cut", "lost", "doubled", "zeroed", "inserted", *(["number", "swapped"] * 2 if text else [])]
        )
    )
    a, b = sorted(int(k) for k in rng.integers(0, n, 2))
    b = min(b, a + max(1, n // 8)) if how != "cut" else b
    if how == "bits":
        spoiled = bytearray(data)
        for place in rng.integers(0, n, int(rng.integers(1, 12))):
            spoiled[place] ^= 1 << int(rng.integers(8))
        return bytes(spoiled), how
    if how == "number":
        numbers = list(re.finditer(rb"-?\d+(\.\d+)?", data))
        one = numbers[int(rng.integers(len(numbers)))]
        return data[: one.start()] + str(rng.choice(HOSTILE)).encode() + data[one.end() :], how
    if how == "swapped":
        words = list(re.finditer(rb"[^\s,:{}\[\]]+", data))
        one, two = sorted(rng.choice(len(words), 2, replace=False))
        one, two = words[one], words[two]
        return (
            data[: one.start()] + two.group() + data[one.end() : two.start()] + one.group() + data[two.end() :]
        ), how
    piece = {"cut": b"", "lost": b"", "doubled": data[a:b] * 2, "zeroed": bytes(b - a), "inserted": rng.bytes(b - a)}[
        how
    ]
    return (data[:a] if how == "cut" else data[:a] + piece + data[(a if how == "inserted" else b) :]), how


def outcome(path: Path, read: Callable[[Path], object]) -> tuple[str, str]:
    """``answered``, ``refused`` or one of :data:`FAILURES`, and the message."""
    before = sorted(p.name for p in path.parent.iterdir())
    try:
        read(path)
        said = "answered", ""
    except (ValueError, FileNotFoundError) as error:
        clear = any(name in str(error) for name in (path.name, f"{path.parent.name} cannot become a cohort"))
        said = ("refused" if clear else "unclear"), f"{type(error).__name__}: {error}"
    except TimeoutError:
        said = "too slow", f"over {SECONDS} s"
    except MemoryError:
        said = "too large", f"over {MEMORY >> 30} GiB"
    except BaseException as error:  # whatever else is what is looked for
        said = "crashed", f"{type(error).__name__}: {error}"
    return said if sorted(p.name for p in path.parent.iterdir()) == before else ("wrote", said[1])


def work(kind: str, path: Path, seeds: list[int], log: Path) -> None:
    """Spoil, read, note; a line an input, so that a process that dies loses one."""
    import yaml  # noqa: F401  loaded before memory is counted

    whole, read = path.read_bytes(), readers()[kind]
    read(path)  # the whole one is read

    def late(*_: object) -> None:
        raise TimeoutError

    signal.signal(signal.SIGALRM, late)
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    warnings.simplefilter("ignore")
    for seed in seeds:
        data, how = spoil(whole, np.random.default_rng([seed, len(whole)]))
        path.write_bytes(data)
        with log.open("a") as file:
            file.write(json.dumps([kind, seed, how, "died", ""]) + "\n")
            file.flush()
        signal.alarm(SECONDS)
        found, message = outcome(path, read)
        signal.alarm(0)
        with log.open("a") as file:
            file.write(json.dumps([kind, seed, how, found, message[:300]]) + "\n")
    path.write_bytes(whole)


def campaign(n: int, seed: int) -> list[list]:
    """``kind, seed, how, outcome, message`` of about n spoiled inputs, as many of each kind."""
    lines: dict[tuple, list] = {}
    with tempfile.TemporaryDirectory() as folder:
        paths = originals(Path(folder))
        each = max(1, n // len(paths))
        for kind, path in paths.items():
            todo, log = list(range(seed, seed + each)), Path(folder) / "log.jsonl"
            while todo:
                process = multiprocessing.get_context("fork").Process(target=work, args=(kind, path, todo, log))
                process.start()
                process.join()
                done = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
                lines |= {(line[0], line[1]): line for line in done}
                left = [s for s in todo if (kind, s) not in lines]
                if len(left) == len(todo):
                    raise RuntimeError(f"{kind}: the whole input could not be read")
                todo = left
    return list(lines.values())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as root:  # manifests that `add` writes lie there
        shutil.copytree(PROJECT / "data_manifests", Path(root) / "data_manifests")
        os.environ["OSTEO_ROOT"] = root
        lines = campaign(given.n, given.seed)
    counts = Counter((line[0], line[3]) for line in lines)
    for (kind, found), n in sorted(counts.items()):
        print(json.dumps({"kind": kind, "outcome": found, "n": n}))
    bad = [line for line in lines if line[3] in FAILURES]
    for line in bad:
        print(*line, file=sys.stderr)
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
