import errno
import multiprocessing
import os
import signal
import time

import pandas as pd
import pytest

from osteolib.runs import artefact, cached
from osteolib.runs import store as module
from osteolib.runs.paths import digest, write_atomic
from osteolib.runs.store import resumable_artefact

MODULES = ["osteolib.runs.paths"]
TABLE = pd.DataFrame({"subject_id": ["a", "<b>"], "t_score": [-1.5, float("nan")], "n": [1, 2]})


def test_an_artefact_is_made_once(tmp_path):
    calls = []

    def make():
        calls.append(1)
        return TABLE

    first, second = (cached("t", {"seed": 1}, MODULES, make, tmp_path) for _ in range(2))
    pd.testing.assert_frame_equal(first, TABLE)
    pd.testing.assert_frame_equal(second, TABLE)
    assert len(calls) == 1
    cached("t", {"seed": 2}, MODULES, make, tmp_path)
    assert len(calls) == 2


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES])
@pytest.mark.parametrize("refusing", [("tempfile.TemporaryFile", "tempfile.mkstemp"), ("Path.mkdir",)])
def test_a_project_that_cannot_be_written_to_is_said_in_one_line_with_a_remedy(tmp_path, monkeypatch, code, refusing):
    def refused(*at, **how):
        raise OSError(code, os.strerror(code))

    for name in refusing:  # root may write to any folder
        monkeypatch.setattr(f"osteolib.runs.paths.{name}", refused)
    for write in (lambda: write_atomic(tmp_path / "a" / "b.txt", "b"),
                  lambda: artefact("t", {}, MODULES, lambda into: None, tmp_path)):  # fmt: skip
        with pytest.raises(PermissionError, match=r"nothing can be written to .*: copy the project to a folder"):
            write()
    assert not [p for p in tmp_path.rglob("*") if p.is_file()]


def test_what_was_made_before_a_project_became_read_only_is_still_found(tmp_path, monkeypatch):
    made = artefact("t", {}, MODULES, lambda into: (into / "whole.txt").write_text("whole"), tmp_path)

    def refused(*at, **how):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    for name in ("tempfile.TemporaryFile", "tempfile.mkstemp", "Path.mkdir"):
        monkeypatch.setattr(f"osteolib.runs.paths.{name}", refused)
    assert artefact("t", {}, MODULES, None, tmp_path) == made
    with pytest.raises(PermissionError):
        artefact("t", {"seed": 1}, MODULES, None, tmp_path)


def _fails_with(number):
    def fail(*at, **how):
        raise OSError(number, os.strerror(number))

    return fail


def test_a_full_disk_is_named_and_another_fault_of_it_passes(tmp_path, monkeypatch):
    with pytest.raises(OSError, match=r"no space is left for .*t: free some"):
        artefact("t", {}, MODULES, _fails_with(errno.ENOSPC), tmp_path)
    with pytest.raises(OSError, match="Input/output error"):
        artefact("t", {}, MODULES, _fails_with(errno.EIO), tmp_path)
    assert not [p for p in (tmp_path / "t").iterdir() if p.is_dir()]
    monkeypatch.setattr("osteolib.runs.paths.tempfile.mkstemp", _fails_with(errno.ENOSPC))
    with pytest.raises(OSError, match="no space is left for"):
        write_atomic(tmp_path / "b.txt", "b")


def test_a_failed_make_leaves_nothing_and_the_next_one_succeeds(tmp_path):
    def fail(folder):
        (folder / "half.txt").write_text("half")
        raise RuntimeError("disk full")

    with pytest.raises(RuntimeError, match="disk full"):
        artefact("t", {}, MODULES, fail, tmp_path)
    assert not [p for p in (tmp_path / "t").iterdir() if p.is_dir()]
    folder = artefact("t", {}, MODULES, lambda into: (into / "whole.txt").write_text("whole"), tmp_path)
    assert (folder / "whole.txt").read_text() == "whole"


def test_what_a_cut_off_run_left_is_found_by_the_same_key_and_code_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "STORE", tmp_path)
    found, code = [], ["as it was"]
    monkeypatch.setattr(module, "fingerprint", lambda modules: code[0])

    def make(folder, unfinished):
        found.append(unfinished.is_dir())
        unfinished.mkdir(parents=True, exist_ok=True)
        if len(found) < 4:
            raise KeyboardInterrupt

    def run(key):
        return resumable_artefact("t", key, MODULES, make)

    for key, text in (({"seed": 1}, "as it was"), ({"seed": 2}, "as it was"), ({"seed": 1}, "edited")):
        code[0] = text
        with pytest.raises(KeyboardInterrupt):
            run(key)
    code[0] = "as it was"
    run({"seed": 1})
    assert found == [False, False, False, True]
    assert len([*(tmp_path / "unfinished").iterdir()]) == 2  # of the finished one nothing is left


def _slow(store, started):
    def make(folder):
        (folder / "half.txt").write_text("half")
        started.set()
        time.sleep(60)

    artefact("t", {}, MODULES, make, store)


def test_a_killed_run_leaves_no_artefact_and_no_lock(tmp_path):
    context = multiprocessing.get_context("spawn")
    started = context.Event()
    process = context.Process(target=_slow, args=(tmp_path, started))
    process.start()
    assert started.wait(30)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    folder = artefact("t", {}, MODULES, lambda into: (into / "whole.txt").write_text("whole"), tmp_path)
    assert {p.name for p in folder.iterdir()} == {"whole.txt", "key.json"}
    assert [p for p in (tmp_path / "t").iterdir() if p.is_dir()] == [folder]  # what the killed run left is gone


def test_digest_ignores_the_order_of_keys_and_sees_every_value():
    assert digest({"a": 1, "b": [2, None]}) == digest({"b": [2, None], "a": 1})
    assert len({digest(v) for v in ({"a": 1}, {"a": 1.5}, {"a": "1"}, {"a": True}, {"a": None}, {})}) == 6


def test_a_write_that_fails_keeps_the_old_file(tmp_path, monkeypatch):
    path = write_atomic(tmp_path / "x.txt", "old")
    monkeypatch.setattr(os, "replace", lambda *a: (_ for _ in ()).throw(OSError("no space")))
    with pytest.raises(OSError, match="no space"):
        write_atomic(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
