"""A server on this machine that cuts, lies, redirects and sends archives that want out of their folder."""

import io
import shutil
import tarfile
import threading
import zipfile
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from filelock import FileLock

from osteolib.cohorts import DataNotFound, load_cohort
from osteolib.cohorts.fetch import CHUNK, fetch

FILES = {"table.csv": b"subject_id\na\n", "images/a.bin": np.random.default_rng(0).bytes(200_000)}


class Site(ThreadingHTTPServer):
    """Serves ``pages``, functions of the handler; ``log`` has path and Range of each request, ``sent`` counts bytes."""

    daemon_threads = False  # closing waits for every answer

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.pages, self.log, self.sent = {}, [], 0

    def handle_error(self, *_):
        """A client that hangs up is no fault."""

    @property
    def ranges(self):
        return [asked for _, asked in self.log]


class Handler(BaseHTTPRequestHandler):
    timeout = 5

    def do_GET(self):
        self.server.log.append((self.path, self.headers.get("Range")))
        self.server.pages.get(self.path, lambda handler: handler.send_error(404))(self)

    def log_message(self, *_):
        pass

    def answer(self, code, body=b"", **headers):
        self.send_response(code)
        for key, value in headers.items():
            self.send_header(key.replace("_", "-"), str(value))
        self.end_headers()
        self.server.sent += len(body)
        self.wfile.write(body)


def serve(body, stops=(), ranges=True):
    """Answer with ``body``, the first answers only up to the byte positions ``stops``."""
    stops = list(stops)

    def page(handler):
        asked = handler.headers.get("Range") if ranges else None
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
        headers = {"Content_Length": len(body) - start}
        if asked:
            headers["Content_Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
        handler.answer(206 if asked else 200, body[start : stops.pop(0) if stops else None], **headers)

    return page


@pytest.fixture
def site(monkeypatch):
    monkeypatch.setattr("osteolib.cohorts.fetch.PAUSES_S", (0, 0, 0))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with Site() as site:
        thread = threading.Thread(target=site.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield site
        site.shutdown()
        thread.join(timeout=5)


def offer(world, site, body, unpack="zip", files=FILES, page=None, **change):
    """A cohort ``set`` that holds ``files``, with a link to ``body`` on the site."""
    entries = [{"path": path, "sha256": sha256(data).hexdigest(), "bytes": len(data)} for path, data in files.items()]
    link = {"url": f"{site.url}/set", "sha256": sha256(body).hexdigest(), "bytes": len(body), "unpack": unpack}
    site.pages["/set"] = page or serve(body)
    world.manifest("set", files=entries, download=link | change)


def zipped(files=FILES):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def tarred(files=FILES, mode="w:gz", **member):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            for key, value in member.items():
                setattr(info, key, value)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def below(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def arrived(world):
    """Every file is there as it was packed, and nothing else."""
    content = {path: (world.data / path).read_bytes() for path in below(world.data)}
    return content == {f"set/{path}": data for path, data in FILES.items()} and len(list(world.data.iterdir())) == 1


@pytest.mark.parametrize(
    ("body", "unpack"), [(zipped(), "zip"), (tarred(), "tar"), (tarred(mode="w"), "tar"), (tarred(mode="w:xz"), "tar")]
)
def test_an_archive_arrives_once_and_whole(world, site, body, unpack):
    offer(world, site, body, unpack)
    assert fetch("set").ok
    assert arrived(world)
    assert fetch("set").ok  # already here: no further request
    assert site.log == [("/set", None)]


def test_a_single_file_needs_no_unpacking(world, site):
    data = FILES["images/a.bin"]
    offer(world, site, data, None, files={"images/a.bin": data})
    assert fetch("set").ok
    assert below(world.data) == ["set/images/a.bin"]


def test_a_cut_connection_is_taken_up_where_it_was_cut(world, site):
    body = zipped()
    offer(world, site, body, page=serve(body, stops=[100_000, 150_000]))
    assert fetch("set").ok
    assert arrived(world)
    assert site.ranges == [None, "bytes=100000-", "bytes=150000-"]
    assert site.sent == len(body)  # no byte twice


def test_what_a_failed_run_left_is_continued_by_the_next(world, site):
    body = zipped()
    offer(world, site, body, page=serve(body, stops=[1000, 2000, 3000]))
    with pytest.raises(ValueError, match=rf"3000 of {len(body)} bytes after 3 attempts .* goes on"):
        fetch("set")
    assert not (world.data / "set").exists()
    assert fetch("set").ok
    assert site.ranges[-1] == "bytes=3000-"
    assert site.sent == len(body)
    assert arrived(world)


def other_span(body):
    stubborn = [
        serve(body, stops=[1000]),
        lambda h: h.answer(206, body[500:], Content_Range=f"bytes 500-9/{len(body)}"),
    ]
    return lambda handler: (stubborn.pop(0) if stubborn else serve(body))(handler)


def no_such_range(body):
    answers = [serve(body, stops=[1000]), lambda handler: handler.answer(416)]
    return lambda handler: (answers.pop(0) if answers else serve(body))(handler)


@pytest.mark.parametrize(
    ("page", "ranges"),
    [
        (lambda body: serve(body, stops=[1000], ranges=False), [None, "bytes=1000-"]),
        (other_span, [None, "bytes=1000-", None]),
        (no_such_range, [None, "bytes=1000-", None]),
    ],
    ids=["ignores Range", "sends another span", "refuses Range"],
)
def test_a_server_that_cannot_continue_is_asked_for_the_whole(world, site, page, ranges):
    body = zipped()
    offer(world, site, body, page=page(body))
    assert fetch("set").ok
    assert arrived(world)
    assert site.ranges == ranges


def test_wrong_bytes_are_named_and_not_kept(world, site):
    body = zipped()
    wrong = bytes(len(body))
    offer(world, site, body, page=serve(wrong))
    with pytest.raises(ValueError, match=f"expected .*{sha256(body).hexdigest()} but got {sha256(wrong).hexdigest()}"):
        fetch("set")
    assert not list(world.data.iterdir())


@pytest.mark.parametrize("said", [True, False], ids=["length said", "length not said"])
def test_a_file_of_another_length_is_refused(world, site, said):
    body, longer = zipped(), zipped() + bytes(2_000_000)
    offer(world, site, body, page=serve(longer) if said else lambda handler: handler.answer(200, longer))
    with pytest.raises(ValueError, match=rf"expected {len(body)} bytes, got \d+") as error:
        fetch("set")
    got = int(str(error.value).split(" got ")[1].split()[0])
    assert got == len(longer) if said else got <= len(body) + CHUNK  # what has no end is not read to its end
    assert not list(world.data.iterdir())


def test_an_answer_that_ends_early_without_saying_its_length_is_continued(world, site):
    body = zipped()
    answers = [lambda handler: handler.answer(200, body[:5000])]
    offer(world, site, body, page=lambda handler: (answers.pop() if answers else serve(body))(handler))
    assert fetch("set").ok
    assert site.ranges == [None, "bytes=5000-"]


def test_a_redirect_on_the_same_server_is_followed_with_its_range(world, site):
    body = zipped()
    offer(world, site, body, page=lambda handler: handler.answer(302, Location="/moved"))
    site.pages["/moved"] = serve(body, stops=[1000])
    assert fetch("set").ok
    assert site.log == [("/set", None), ("/moved", None), ("/set", "bytes=1000-"), ("/moved", "bytes=1000-")]


@pytest.mark.parametrize("scheme", ["file://", "ftp://127.0.0.1", "http://192.0.2.1"])  # TEST-NET-1: nobody is there
def test_a_redirect_away_from_https_is_refused(world, site, tmp_path, scheme):
    (tmp_path / "set.zip").write_bytes(zipped())
    page = lambda handler: handler.answer(302, Location=f"{scheme}{tmp_path}/set.zip")  # noqa: E731
    offer(world, site, zipped(), page=page)
    with pytest.raises(ValueError, match="not https, refused"):
        fetch("set")
    assert len(site.log) == 1
    assert not list(world.data.iterdir())


def test_a_dead_link_is_told_at_once_and_a_busy_server_asked_again(world, site):
    busy, body = [lambda handler: handler.answer(503)], zipped()
    offer(world, site, body)
    del site.pages["/set"]
    with pytest.raises(ValueError, match=r"/set: the server answers 404 Not Found"):
        fetch("set")
    assert len(site.log) == 1
    assert not list(world.data.iterdir())
    offer(world, site, body, page=lambda handler: (busy.pop() if busy else serve(body))(handler))
    assert fetch("set").ok
    assert len(site.log) == 3


def linked_zip():
    info = zipfile.ZipInfo("link")
    info.external_attr = 0o120777 << 16
    return zipped({info: b"/etc/passwd"})


def locked_zip():
    """The flag of an encrypted member set in both of its headers."""
    body = bytearray(zipped({"a.txt": b"a"}))
    body[6] |= 1
    body[body.index(b"PK\x01\x02") + 8] |= 1
    return bytes(body)


EVIL = {"good.txt": b"good", "../evil.txt": b"evil"}
ABROAD = {"good.txt": b"good", "/evil.txt": b"evil"}


@pytest.mark.parametrize(
    ("body", "unpack", "message"),
    [
        (zipped(EVIL), "zip", r"'\.\./evil\.txt' lies outside"),
        (zipped({"good.txt": b"good", "a\\..\\..\\evil.txt": b"evil"}), "zip", "lies outside"),
        (zipped({"C:/evil.txt": b"evil"}), "zip", "lies outside"),
        (zipped(ABROAD), "zip", "'/evil.txt' lies outside"),
        (linked_zip(), "zip", "'link' is a link"),
        (zipped({"bomb": bytes(1_000_000)}), "zip", "more than the 200013 bytes"),
        (locked_zip(), "zip", "cannot be unpacked as zip.*encrypted"),
        (tarred(), "zip", "cannot be unpacked as zip"),
        (tarred(EVIL), "tar", "lies outside"),
        (tarred(ABROAD), "tar", "'/evil.txt' lies outside"),
        (tarred({"link": b""}, type=tarfile.SYMTYPE, linkname="/etc"), "tar", "'link' is a link"),
        (tarred({"link": b""}, type=tarfile.LNKTYPE, linkname="/etc/passwd"), "tar", "'link' is a link"),
        (tarred({"null": b""}, type=tarfile.CHRTYPE), "tar", "'null' is a link or a device"),
        (tarred({"bomb": bytes(1_000_000)}), "tar", "more than the 200013 bytes"),
        (zipped(), "tar", "cannot be unpacked as tar"),
    ],
    ids=[
        *("zip-above", "zip-backslash", "zip-absolute-drive", "zip-absolute", "zip-link", "zip-bomb", "zip-encrypted"),
        *("not-zip", "tar-above", "tar-absolute", "tar-symlink", "tar-hardlink", "tar-device", "tar-bomb", "not-tar"),
    ],
)
def test_an_unsafe_archive_is_refused_before_anything_is_written(world, site, tmp_path, body, unpack, message):
    offer(world, site, body, unpack)
    before = below(tmp_path)
    with pytest.raises(ValueError, match=message):
        fetch("set")
    assert below(tmp_path) == before
    assert not list(world.data.iterdir())


def test_a_run_killed_while_unpacking_leaves_nothing_half_written(world, site, monkeypatch):
    offer(world, site, zipped())

    def killed(source, copy):
        copy.write(source.read(10))
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(shutil, "copyfileobj", killed)
        fetch("set")
    assert not (world.data / "set").exists()
    assert fetch("set").ok
    assert arrived(world)
    assert len(site.log) == 1  # the archive was there and checked


def test_an_archive_without_what_the_manifest_lists_is_reported(world, site):
    offer(world, site, zipped({"table.csv": b"subject_id\nb\n"}))
    assert dict(fetch("set").files.itertuples(index=False)) == {"table.csv": "changed", "images/a.bin": "missing"}


def test_a_folder_with_other_content_is_left_alone(world, site):
    offer(world, site, zipped())
    (world.data / "set").mkdir()
    (world.data / "set" / "mine.txt").write_text("mine")
    with pytest.raises(ValueError, match=r"\$OSTEO_DATA/set is not empty.*move it away"):
        fetch("set")
    assert below(world.data) == ["set/mine.txt"]
    assert not site.log


def test_two_runs_do_not_write_at_once(world, site):
    offer(world, site, zipped())
    (world.data / ".set.fetch").mkdir()
    with FileLock(world.data / ".set.fetch" / "lock"), pytest.raises(ValueError, match="by another run"):
        fetch("set")
    assert fetch("set").ok


def test_without_a_link_the_source_and_the_place_are_told(world, site, monkeypatch):
    world.manifest("set", files=[{"path": "a.csv", "sha256": "0" * 64, "bytes": 1}])
    told = r"no direct link.*https://doi\.org/10\.0/0.*CC0.*\$OSTEO_DATA/set"
    with pytest.raises(DataNotFound, match=told + ".*verify set"):
        fetch("set")
    world.manifest("set", files=[])
    with pytest.raises(DataNotFound, match=told + r" \(its files are not listed yet\)"):
        fetch("set")
    world.manifest("set", files=[], kind="phantom")
    with pytest.raises(ValueError, match=r"phantom.*nothing to fetch"):
        fetch("set")
    offer(world, site, zipped())
    monkeypatch.delenv("OSTEO_DATA")
    with pytest.raises(DataNotFound, match="OSTEO_DATA is not set"):
        fetch("set")
    with pytest.raises(DataNotFound, match="OSTEO_DATA"):
        load_cohort("set")  # never fetches by itself
    assert not site.log


@pytest.mark.parametrize("terminal", [True, False])
def test_progress_is_shown_on_a_terminal_only(world, site, monkeypatch, terminal):
    """A notebook's standard error is none."""
    screen = io.StringIO()
    screen.isatty = lambda: terminal
    monkeypatch.setattr("sys.stderr", screen)
    offer(world, site, zipped())
    assert fetch("set").ok
    assert bool(screen.getvalue()) == terminal
