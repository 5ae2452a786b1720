"""What a data set is and where it comes from: ``data_manifests/cohorts/<name>.yaml``, read and checked."""

from __future__ import annotations

import csv
import re
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from osteolib.runs.paths import ROOT

FOLDER = ROOT / "data_manifests" / "cohorts"
KINDS = ("real", "phantom")


@dataclass(frozen=True)
class DataFile:
    """One file of a cohort: path below the cohort's folder, content, and the perceptual hash where it is an image.

    An empty ``sha256`` means that nobody here has seen the file. ``copy`` is a reduced copy that will do in its place.
    ``polarity`` is what bone is on a film where that was said: :data:`osteolib.radiograph.polarity.POLARITIES`.
    """

    path: str
    sha256: str
    bytes: int
    phash: str | None = None
    copy: DataFile | None = None
    polarity: str | None = None


@dataclass(frozen=True)
class Download:
    """One file to fetch, through a link that is certain (never a guessed one); ``unpack`` is zip, tar or None."""

    url: str
    sha256: str
    bytes: int
    unpack: str | None = None


@dataclass(frozen=True)
class Manifest:
    """The content of one manifest; see ``data_manifests/cohorts/knee-wani.yaml`` for the fullest example.

    ``folder`` lies below ``OSTEO_DATA``, or is absolute for a hospital's own folder. ``reader`` names the code that
    turns the files into subjects, ``table`` its columns, ``settings`` whatever else that code needs. ``files`` may be
    the name of a CSV beside the manifest. With ``partial`` any part of the files makes a cohort.
    """

    name: str
    title: str
    kind: str
    source: str
    licence: str
    citation: str
    folder: str = ""
    files: tuple[DataFile, ...] = ()
    partial: bool = False
    download: Download | None = None
    reader: str | None = None
    table: dict[str, Any] = field(default_factory=dict)
    label_rule: str | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    known_problems: tuple[str, ...] = ()
    what_would_run: str = ""

    def content(self) -> dict[str, Any]:
        """All that decides what the cohort is; where the folder lies and how it came there does not."""
        told = {key: value for key, value in asdict(self).items() if key not in ("folder", "download")}
        unsaid = (("copy", None), ("polarity", None))
        told["files"] = [{k: v for k, v in file.items() if (k, v) not in unsaid} for file in told["files"]]
        return told if self.partial else {key: value for key, value in told.items() if key != "partial"}


def list_manifests() -> list[Manifest]:
    """Every manifest of the project, those of a hospital's own folders included, ordered by name."""
    return [load_manifest(name) for name in _names()]


def load_manifest(name: str) -> Manifest:
    """Read and check one manifest.

    Raises
    ------
    ValueError
        There is no such manifest, or a field of it is unknown, absent or malformed.
    """
    if name not in _names():
        raise ValueError(f"no cohort {name!r}: there are {', '.join(_names()) or 'none'} (`osteolib data list`)")
    path = next(path for path in manifest_paths(name) if path.is_file())
    return parse_manifest(yaml.safe_load(path.read_text(encoding="utf-8")), path.name)


def manifest_paths(name: str) -> tuple[Path, Path]:
    """Where a manifest may lie: in the project, or beside it for a folder that must not be published."""
    return FOLDER / f"{name}.yaml", FOLDER / f"{name}.local.yaml"


def parse_manifest(content: Any, origin: str) -> Manifest:
    """Turn the content of a YAML file into a checked manifest; ``origin`` names it in errors."""
    if not isinstance(content, dict):
        raise ValueError(f"{origin}: a manifest is a mapping of fields, got {type(content).__name__}")
    known = {f.name for f in fields(Manifest)}
    required = ("name", "title", "kind", "source", "licence", "citation")
    problems = [f"unknown field {key!r}" for key in content if key not in known]
    problems += [f"field {key!r} is missing" for key in required if not content.get(key)]
    if content.get("kind") not in KINDS:
        problems.append(f"kind must be one of {', '.join(KINDS)}, got {content.get('kind')!r}")
    if content.get("name") and content["name"] != origin.removesuffix(".yaml").removesuffix(".local"):
        problems.append(f"name {content['name']!r} must be that of the file")
    if content.get("reader") and not (content.get("files") and content.get("folder")):
        problems.append("a cohort with a reader needs its folder and files")
    entries = content.get("files", [])
    if isinstance(entries, str):
        entries = _listed(FOLDER / entries)
    files = []
    for entry in entries:
        try:
            copy = DataFile(**entry["copy"]) if entry.get("copy") else None
            files.append(DataFile(**entry | {"copy": copy}))
        except (TypeError, AttributeError):
            problems.append(f"file entry {entry!r} needs path, sha256 and bytes, and for an image phash")
            continue
        for file in (files[-1], *([copy] if copy else [])):
            unseen = file is not copy and content.get("partial") and file.sha256 == ""
            if not (unseen or re.fullmatch("[0-9a-f]{64}", str(file.sha256))):
                problems.append(f"sha256 of {file.path} must be 64 hexadecimal digits")
            if Path(file.path).is_absolute() or ".." in Path(file.path).parts:
                problems.append(f"path {file.path!r} must lie below the cohort's folder")
    download = None
    if content.get("download") is not None:
        try:
            download = Download(**content["download"])
            problems += _download_problems(download, files, str(content.get("folder", "")))
        except TypeError:
            problems.append("download needs url, sha256 and bytes, and for an archive unpack")
    if problems:
        raise ValueError(f"{origin}: " + "; ".join(problems))
    known_problems = tuple(content.get("known_problems", ()))
    return Manifest(**content | {"files": tuple(files), "known_problems": known_problems, "download": download})


def _listed(path: Path) -> list[dict[str, Any]]:
    """File entries from a CSV: ``path, sha256, bytes``, and the same of a reduced copy; a long list parses fast."""
    if not path.is_file():
        raise ValueError(f"{path.name}, the manifest's list of files, is not there")
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    try:
        return [
            {"path": row["path"], "sha256": row["sha256"], "bytes": int(row["bytes"] or 0)}
            | ({"copy": {"path": row["copy_path"], "sha256": row["copy_sha256"], "bytes": int(row["copy_bytes"])}}
               if row.get("copy_path") else {})
            for row in rows
        ]  # fmt: skip
    except (KeyError, ValueError) as error:
        raise ValueError(f"{path.name}: columns path, sha256 and bytes are needed, bytes a number ({error})") from None


def _download_problems(download: Download, files: list[DataFile], folder: str) -> list[str]:
    link = urlsplit(str(download.url))
    here = link.scheme == "http" and link.hostname in ("127.0.0.1", "localhost", "::1")
    problems = []
    if not link.hostname or not (link.scheme == "https" or here):
        problems.append(f"download url must be https, got {download.url!r}")
    if not re.fullmatch("[0-9a-f]{64}", str(download.sha256)):
        problems.append("sha256 of download must be 64 hexadecimal digits")
    if type(download.bytes) is not int or download.bytes < 1:
        problems.append(f"bytes of download must be a positive number, got {download.bytes!r}")
    if download.unpack not in ("zip", "tar", None):
        problems.append(f"unpack of download must be zip, tar or null, got {download.unpack!r}")
    if not Path(folder).parts or Path(folder).is_absolute() or ".." in Path(folder).parts or not files:
        problems.append("a cohort with a download needs its files and a folder below OSTEO_DATA")
    elif download.unpack is None and [file.sha256 for file in files] != [download.sha256]:
        problems.append("a download that is not unpacked must be the one file of the cohort")
    return problems


def _names() -> list[str]:
    return sorted({p.name.removesuffix(".yaml").removesuffix(".local") for p in FOLDER.glob("*.yaml")})
