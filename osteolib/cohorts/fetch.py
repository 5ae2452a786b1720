"""Get a cohort whose manifest has a link: downloaded with resumption, checked, unpacked safely, then verified.

Pooch compares the sha256 before anything is unpacked; it cannot resume, so it is given a downloader that can. All
happens in a hidden folder beside the target, whose content is renamed into place when complete.
"""

from __future__ import annotations

import shutil
import stat
import tarfile
import time
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PureWindowsPath
from urllib.parse import urlsplit

import pooch
import requests
import urllib3
from filelock import FileLock, Timeout
from tqdm import tqdm  # not tqdm.auto, whose bars in a notebook are widgets

from osteolib.cohorts.files import DataNotFound, Verification, data_folder, verify_files
from osteolib.cohorts.manifest import Download, Manifest, load_manifest

PAUSES_S = (0, 1, 2, 4, 8)
"""Seconds before each attempt; there are as many attempts as pauses."""

CHUNK = 1 << 16
TIMEOUT_S = (10, 60)  # to connect, between two pieces


def fetch(name: str) -> Verification:
    """Download and unpack a cohort to ``$OSTEO_DATA/<folder>`` and verify it; one that is there is verified only.

    Raises
    ------
    DataNotFound
        Its manifest has no link (the message says where to get it and where to unpack it), or OSTEO_DATA is not set.
    ValueError
        It is a phantom, the folder holds something else, the link fails, or the archive is not the declared one or
        unsafe. What a cut connection left is kept for the next call; of anything else nothing stays.
    """
    manifest = load_manifest(name)
    target, download = data_folder(manifest), manifest.download
    where = manifest.folder if Path(manifest.folder).is_absolute() else f"$OSTEO_DATA/{manifest.folder}"
    if target and manifest.files and (report := verify_files(manifest, target)).ok:
        return report
    if manifest.kind == "phantom":
        raise ValueError(f"{name} is a phantom, made here when it is loaded: there is nothing to fetch")
    if download is None:
        check = f", and run `osteolib data verify {name}`" if manifest.files else " (its files are not listed yet)"
        raise DataNotFound(
            f"{name} cannot be fetched, because no direct link to it is certain. Get it from its source, "
            f"{manifest.source} (licence: {manifest.licence}), unpack it to {where}{check}."
        )
    if target is None:
        raise DataNotFound(f"OSTEO_DATA is not set: set it to the folder that is to hold {manifest.folder} first")
    target = target.resolve()
    if target.is_file() or any(target.glob("*")):
        raise ValueError(f"{where} is not empty, and not {name} as its manifest has it: move it away first")
    work = target.with_name(f".{target.name}.fetch")
    work.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(work / "lock", timeout=0):
            _fetch(manifest, download, work, target)
    except Timeout:
        raise ValueError(f"{name} is being fetched by another run: wait for it") from None
    return verify_files(manifest, target)


def _fetch(manifest: Manifest, download: Download, work: Path, target: Path) -> None:
    part, content = work / f"{download.sha256}.part", work / "content"
    pooch.get_logger().setLevel("WARNING")  # else it prints the path of every file
    try:
        downloader = partial(resume, part=part, size=download.bytes)
        archive = Path(
            pooch.retrieve(download.url, f"sha256:{download.sha256}", manifest.name, work, downloader=downloader)
        )
        shutil.rmtree(content, ignore_errors=True)  # of a run that was killed: we hold the lock
        content.mkdir()
        if download.unpack:
            unpack(archive, download.unpack, content, limit=sum(file.bytes for file in manifest.files))
        else:
            path = content / manifest.files[0].path
            path.parent.mkdir(parents=True, exist_ok=True)
            archive.replace(path)
        content.rename(target)
    except ValueError:
        if not part.exists():
            shutil.rmtree(work, ignore_errors=True)
        raise
    shutil.rmtree(work)


def resume(link: str, output: str, _pooch: object, *, part: Path, size: int) -> None:
    """A downloader for pooch: continues ``part``, tries again when the connection is cut, checks the length."""
    problem: object = "the answer ended early"
    with requests.Session() as session:
        session.adapters.clear()  # a redirect that leaves https, or the one server on this machine, finds no adapter
        session.mount("https://", requests.adapters.HTTPAdapter())
        if link.startswith("http://"):  # the manifest allows it for this machine only
            session.mount(f"http://{urlsplit(link).netloc}/", requests.adapters.HTTPAdapter())
        for pause in PAUSES_S:
            if _size(part) == size:
                break
            time.sleep(pause)
            try:
                _receive(session, link, part, size)
            except requests.exceptions.InvalidSchema as error:
                raise ValueError(f"{link} is redirected to what is not https, refused: {error}") from None
            except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
                problem = error
    if _size(part) != size:
        raise ValueError(f"{link}: {_size(part)} of {size} bytes after {len(PAUSES_S)} attempts ({problem}); "
                         "what is there is kept, the same command goes on from it")  # fmt: skip
    part.replace(output)


def _receive(session: requests.Session, link: str, part: Path, size: int) -> None:
    """One request: what is missing of ``part``, or all of it where the server cannot continue."""
    have = _size(part)
    # identity: bytes are counted and hashed as they lie on the server
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    with session.get(link, headers=headers, stream=True, timeout=TIMEOUT_S) as response:
        code, span = response.status_code, response.headers.get("Content-Range", "")
        if code >= 500 or code == 429:
            raise requests.ConnectionError(f"the server answers {code} {response.reason}")
        if have and (code == 416 or (code == 206 and span.split("/")[0] != f"bytes {have}-{size - 1}")):
            part.unlink()  # not the file we began: the next attempt starts afresh
            return
        if code not in (200, 206):
            raise ValueError(f"{link}: the server answers {code} {response.reason}")
        have = have if code == 206 else 0
        total = have + int(response.headers.get("Content-Length", size - have))
        with part.open("ab" if have else "wb") as file, tqdm(
            total=size, initial=have, unit="B", unit_scale=True, disable=None  # None: only on a terminal
        ) as bar:  # fmt: skip
            for chunk in response.raw.stream(CHUNK, decode_content=False) if total == size else ():
                if (total := max(total, file.tell() + len(chunk))) > size:
                    break
                file.write(chunk)
                bar.update(len(chunk))
        if total != size:
            part.unlink()
            raise ValueError(f"{link} is not the file of the manifest: expected {size} bytes, got {total} or more")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


@dataclass(frozen=True)
class Member:
    """One entry of an archive; ``kind`` is file, folder or other (a link, a device)."""

    name: str
    size: int
    kind: str
    entry: zipfile.ZipInfo | tarfile.TarInfo


def unpack(archive: Path, how: str, folder: Path, limit: int) -> None:
    """Unpack a zip or tar of at most ``limit`` bytes of content into ``folder``; all is checked before any is written.

    Raises
    ------
    ValueError
        It is no such archive or encrypted, a member lies outside or is neither file nor folder, or they are too large.
    """
    try:
        with zipfile.ZipFile(archive) if how == "zip" else tarfile.open(archive) as opened:
            read = opened.open if how == "zip" else opened.extractfile
            for member in _checked(_members(opened), limit):
                path = folder / member.name
                (path if member.kind == "folder" else path.parent).mkdir(parents=True, exist_ok=True)
                if member.kind == "file":
                    with read(member.entry) as source, path.open("wb") as copy:  # neither reads beyond the stated size
                        shutil.copyfileobj(source, copy)
    except (zipfile.BadZipFile, tarfile.TarError, RuntimeError) as error:  # RuntimeError: encrypted
        raise ValueError(f"{archive.name} cannot be unpacked as {how}: {error}") from error


def _members(opened: zipfile.ZipFile | tarfile.TarFile) -> Iterator[Member]:
    if isinstance(opened, zipfile.ZipFile):
        for info in opened.infolist():
            plain = stat.S_IFMT(info.external_attr >> 16) in (0, stat.S_IFREG, stat.S_IFDIR)
            yield Member(
                info.filename, info.file_size, ("folder" if info.is_dir() else "file") if plain else "other", info
            )
    else:
        for info in opened:
            yield Member(info.name, info.size, "file" if info.isreg() else "folder" if info.isdir() else "other", info)


def _checked(members: Iterable[Member], limit: int) -> list[Member]:
    accepted, total = [], 0
    for member in members:  # one by one: a bomb is noticed before it is read to its end
        path = PureWindowsPath(member.name)  # knows both kinds of slashes, and drives
        if path.anchor or ".." in path.parts:
            raise ValueError(f"unsafe archive, nothing was unpacked: {member.name!r} lies outside of it")
        if member.kind == "other":
            raise ValueError(f"unsafe archive, nothing was unpacked: {member.name!r} is a link or a device")
        if not 0 <= member.size <= limit - total:
            raise ValueError(
                f"unsafe archive, nothing was unpacked: more than the {limit} bytes that the manifest lists"
            )
        total += member.size
        accepted.append(member)
    return accepted
