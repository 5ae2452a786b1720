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
