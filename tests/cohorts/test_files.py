import shutil
from hashlib import sha256

import pytest

from osteolib.cohorts import DataNotFound, find_data, load_cohort, load_manifest, state, verify


@pytest.fixture
def cohort_of_three(world):
    for name, content in {"a.csv": "a", "sub/b.csv": "b", "sub/c.csv": "c"}.items():
        (world.data / "set" / name).parent.mkdir(parents=True, exist_ok=True)
        (world.data / "set" / name).write_text(content)
    world.manifest("set", what_would_run="Nothing yet.")
    return world.data / "set"


def test_each_file_is_told_apart_as_ok_missing_changed_or_extra(cohort_of_three):
    assert state("set") == "present"
    (cohort_of_three / "sub/b.csv").write_text("x")  # same length, another content
    (cohort_of_three / "sub/c.csv").unlink()
    (cohort_of_three / "d.csv").write_text("d")
    report = verify("set")
    assert dict(report.files.itertuples(index=False)) == {
        "a.csv": "ok", "sub/b.csv": "changed", "sub/c.csv": "missing", "d.csv": "extra",
    }  # fmt: skip
    assert not report.ok
    assert state("set") == "damaged"
    assert str(report).splitlines()[0] == "set: 1 ok, 1 missing, 1 changed, 1 extra"


def test_a_file_too_many_does_no_harm(cohort_of_three):
    (cohort_of_three / "notes.txt").write_text("mine")
    assert verify("set").ok
    assert state("set") == "present"


def test_absent_data_say_what_is_missing_where_it_comes_from_and_what_to_do(world, cohort_of_three, monkeypatch):
    for file in cohort_of_three.rglob("*.csv"):
        file.unlink()
    assert state("set") == "absent"
    with pytest.raises(DataNotFound, match=r"A test set.*doi\.org.*\$OSTEO_DATA/set/a\.csv.*osteolib data verify set"):
        find_data(load_manifest("set"))
    monkeypatch.delenv("OSTEO_DATA")
    with pytest.raises(DataNotFound, match="Set the environment variable OSTEO_DATA") as error:
        load_cohort("set")
    assert str(world.data) not in str(error.value)  # the message may stand on a published page


def test_a_set_that_nobody_has_says_what_would_run(world):
    world.manifest("private", files=[], what_would_run="The whole hand chapter.")
    with pytest.raises(DataNotFound, match="The whole hand chapter"):
        load_cohort("private")
    assert state("private") == "absent"


def test_a_relative_data_folder_hangs_on_the_project_not_on_the_working_directory(cohort_of_three, monkeypatch):
    monkeypatch.setattr("osteolib.cohorts.files.ROOT", cohort_of_three.parents[1])
    monkeypatch.setenv("OSTEO_DATA", "data")
    assert state("set") == "present"


def test_the_deep_check_finds_a_wrong_perceptual_hash(world):
    film = world.film("set/a.png", seed=0)
    entry = world.entry(film, film.parent)
    world.manifest("set", files=[entry])
    assert verify("set", deep=True).ok
    inverted = f"{int(entry['phash'], 16) ^ (2**64 - 1):016x}"
    world.manifest("set", files=[entry | {"phash": inverted}])
    assert verify("set").ok
    assert not verify("set", deep=True).ok


@pytest.fixture
def partial(world):
    """A set any part of which will do: two classes of two files with reduced copies, and one that nobody has seen."""
    folder, entries = world.data / "set", []

    def write(path: str) -> dict:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(f"content of {path}")
        return world.entry(folder / path, folder)

    for name in ("low/L 1", "low/L 2", "high/H 1", "high/H 2"):
        entries.append(write(f"{name}.txt") | {"copy": write(f"{name}.small")})
        (folder / f"{name}.small").unlink()
    entries.append({"path": "high/H 3.txt", "sha256": "", "bytes": 0})
    world.manifest("set", files=entries, partial=True)
    return folder


def states(name: str = "set") -> dict[str, str]:
    return dict(verify(name).files.itertuples(index=False, name=None))


def test_any_part_of_a_partial_set_will_do_and_it_is_told_how_many_are_there(partial):
    assert states() == {
        "low/L 1.txt": "ok", "low/L 2.txt": "ok", "high/H 1.txt": "ok", "high/H 2.txt": "ok", "high/H 3.txt": "missing",
    }  # fmt: skip
    assert state("set") == "4/5"
    (partial / "low/L 1.txt").unlink()
    report = verify("set")
    assert report.ok and report.files.state.value_counts().to_dict() == {"ok": 3, "missing": 2}
    assert [file.path for file in report.present] == ["low/L 2.txt", "high/H 1.txt", "high/H 2.txt"]
    assert state("set") == "3/5"
    assert str(report).splitlines()[0] == "set: 3 ok, 2 missing, 0 changed, 0 extra"


def test_a_reduced_copy_stands_in_for_its_original_and_is_called_one(partial):
    (partial / "low/L 1.txt").unlink()
    (partial / "low/L 1.small").write_text("content of low/L 1.small")
    assert states()["low/L 1.small"] == "copy"
    assert state("set") == "4/5"
    assert str(verify("set")).splitlines()[0] == "set: 3 ok, 1 copy, 1 missing, 0 changed, 0 extra"
    (partial / "low/L 1.txt").write_text("content of low/L 1.txt")  # both: the original counts
    assert states()["low/L 1.txt"] == "ok" and states()["low/L 1.small"] == "extra"
    assert state("set") == "4/5"


def test_a_copy_may_have_the_name_of_its_original(world):
    (world.data / "set").mkdir()
    (world.data / "set/a.txt").write_text("original")
    original = world.entry(world.data / "set/a.txt", world.data / "set")
    (world.data / "set/a.txt").write_text("copy")
    world.manifest("set", files=[original | {"copy": world.entry(world.data / "set/a.txt", world.data / "set")}])
    assert states() == {"a.txt": "copy"} and state("set") == "present"
    (world.data / "set/a.txt").write_text("neither")
    assert states() == {"a.txt": "changed"} and state("set") == "damaged"


def test_a_changed_copy_is_named_once_as_it_lies_there(partial):
    (partial / "low/L 1.txt").unlink()
    (partial / "low/L 1.small").write_text("another")
    assert {file: word for file, word in states().items() if "L 1" in file} == {"low/L 1.small": "changed"}
    assert state("set") == "damaged"


def test_a_file_without_stated_content_is_unseen_and_taken_as_it_is(partial):
    (partial / "high/H 3.txt").write_text("never seen")
    report = verify("set")
    assert states()["high/H 3.txt"] == "unseen" and state("set") == "present"
    assert report.present[-1].sha256 == sha256(b"never seen").hexdigest() and report.present[-1].bytes == 10


def test_a_class_folder_under_another_name_is_damage_in_part_and_absence_in_whole(partial):
    (partial / "high").rename(partial / "High bone mass")
    assert {file: word for file, word in states().items() if "H" in file} == {
        "high/H 1.txt": "missing", "high/H 2.txt": "missing", "high/H 3.txt": "missing",
        "High bone mass/H 1.txt": "moved", "High bone mass/H 2.txt": "moved",
    }  # fmt: skip
    assert state("set") == "damaged"
    shutil.rmtree(partial / "low")
    assert state("set") == "absent"
    told = r"High bone mass/H 1\.txt is there: it should be high/H 1\.txt, so rename"
    with pytest.raises(DataNotFound, match=told):  # though the first file of the list is not there at all
        load_cohort("set")


def test_a_file_more_is_extra_in_a_partial_set_too(partial):
    (partial / "low/L 9.txt").write_text("mine")
    (partial / "low/.DS_Store").write_text("not seen")
    assert states()["low/L 9.txt"] == "extra" and state("set") == "4/5"
    assert not any("DS_Store" in file for file in states())


def test_a_folder_one_too_deep_is_told_with_where_the_files_should_lie(partial):
    inside = partial / "archive"
    inside.mkdir()
    for name in ("low", "high"):
        (partial / name).rename(inside / name)
    with pytest.raises(DataNotFound, match=r"archive/high/H 1\.txt is there: it should be high/H 1\.txt, so rename"):
        load_cohort("set")
    shutil.rmtree(partial)
    with pytest.raises(DataNotFound, match=r"Unpack it so that \$OSTEO_DATA/set/low/L 1\.txt exists"):
        load_cohort("set")


def test_a_long_report_names_the_first_fifty_of_each_kind(world):
    (world.data / "set").mkdir()
    (world.data / "set/a.txt").write_text("a")
    entries = [{"path": f"{number:03}.txt", "sha256": "0" * 64, "bytes": 1} for number in range(60)]
    world.manifest("set", files=[world.entry(world.data / "set/a.txt", world.data / "set"), *entries])
    lines = str(verify("set")).splitlines()
    assert lines[1] == "  missing  000.txt" and lines[-1] == "  missing  and 10 more" and len(lines) == 52
