from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from osteolib.report import own_films
from osteolib.runs.parameters import ParameterError

FOLDERS = {
    "knee-wani": ("knee_wani", {}, "real"), "knee-phantom": (None, {"bone": {"density": 1}}, "phantom"),
    "nhanes-dxa": ("nhanes", {}, "real"), "my-knees": ("own", {"bone": "Knee"}, "real"),
    "my-hands": ("own", {"bone": "hand"}, "real"),
}  # fmt: skip


@pytest.fixture
def folders(monkeypatch):
    made = {name: SimpleNamespace(name=name, reader=reader, settings=settings, kind=kind)
            for name, (reader, settings, kind) in FOLDERS.items()}  # fmt: skip
    monkeypatch.setattr(own_films, "load_manifest", made.__getitem__)
    monkeypatch.setattr(own_films, "list_manifests", lambda: list(made.values()))
    return made


def cohort_of(subjects, manifest):
    return SimpleNamespace(name=manifest.name, subjects=pd.DataFrame(subjects), manifest=manifest)


class Run:
    def __init__(self):
        self.facts = {}

    def fact(self, **values):
        self.facts |= values


@pytest.fixture
def told(monkeypatch):
    lines = []
    monkeypatch.setattr(own_films, "say", lambda run, text: lines.append(text.format(**run.facts)))
    return lines


@pytest.mark.parametrize("name", ["knee-wani", "my-knees"])
def test_films_of_the_bone_pass(folders, name):
    own_films.check_films(name, "knee", "knee-wani")


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("my-hands", "has films of the hand"),
        ("nhanes-dxa", "has no films"),
        ("knee-phantom", "is simulated"),
    ],
)
def test_others_are_refused_in_one_line_with_both_bones_and_a_choice(folders, name, what):
    with pytest.raises(ParameterError) as error:
        own_films.check_films(name, "knee", "knee-wani")
    text = str(error.value)
    assert f"{name!r} {what}" in text and "films of the knee: choose knee-wani, my-knees, or add" in text
    assert "\n" not in text and "--bone knee" in text


def test_what_is_lacking_is_said_once_with_what_to_add(folders, told):
    run = Run()
    cohort = cohort_of({"age_years": [np.nan, np.nan], "sex": ["F", None]}, folders["my-knees"])
    parts = {"age_years": "the part on age", "sex": "the part on sex", "t_score": "the part on T-scores"}
    assert own_films.show_left_out(run, cohort, parts) == {"age_years", "t_score"}
    (line,) = told
    assert "my-knees has no age, no T-score: the part on age; the part on T-scores." in line
    assert "add the columns `age_years`, `t_score` to the table" in line


def test_nothing_is_said_where_nothing_is_lacking(folders, told):
    run = Run()
    cohort = cohort_of({"age_years": [50.0, np.nan]}, folders["my-knees"])
    assert own_films.show_left_out(run, cohort, {"age_years": "age"}) == set()
    assert not own_films.end_page(run, cohort, ["age_years"], "all")
    assert told == [] and run.facts == {}


def test_a_page_that_cannot_go_on_says_so_and_is_finished(folders, told, monkeypatch):
    run, shown = Run(), []
    shell = SimpleNamespace(input_transformers_cleanup=[])
    monkeypatch.setattr(own_films, "provenance", shown.append)
    monkeypatch.setattr("osteolib.report.show.get_ipython", lambda: shell)
    assert own_films.end_page(run, cohort_of({"sex": ["F"]}, folders["my-knees"]), ["t_score_neck"], "everything")
    assert len(told) == 1 and "no T-score of the femoral neck: everything" in told[0]
    assert shown == [run]
    (emptied,) = shell.input_transformers_cleanup
    assert emptied(["provenance(run)\n"]) == []


SETS = {"age": ["age"], "file": ["width"], "both": ["age", "width"], "all": ["age", "width", "sex"]}


@pytest.mark.parametrize(
    ("films", "kept"),
    [
        ({"age": [1], "width": [2], "sex": ["F"]}, SETS),
        ({"age": [1], "width": [2], "sex": [None]}, {k: v for k, v in SETS.items() if k != "all"}),
        ({"width": [2], "sex": ["F"]}, {"file": ["width"], "all": ["width", "sex"]}),
        ({"age": [np.nan], "width": [2], "sex": [None]}, {"file": ["width"]}),
    ],
)
def test_sets_of_columns_without_those_that_are_empty(films, kept):
    assert own_films.sets_that_are_here(pd.DataFrame(films), SETS, "all") == kept


def people_of(manifest, **labels):
    """Two films of each of so many people with a label."""
    label = [name for name, n in labels.items() for _ in range(n)]
    films = {"subject_id": [f"p{i}" for i in range(len(label))], "label": label}
    films = pd.DataFrame(films | {"split_group": films["subject_id"]}).loc[np.repeat(np.arange(len(label)), 2)]
    return cohort_of(films.reset_index(drop=True), manifest)


@pytest.mark.parametrize(
    ("people", "says"),
    [
        ({"normal": 9}, "9 with normal bone and 0 with bone loss, and 5 of each are needed, one for each fold: all."),
        ({"osteopenia": 2, "osteoporosis": 7}, "0 with normal bone and 9 with bone loss, and 5 of each are needed"),
        ({"normal": 9, "osteopenia": 4}, "data add` again, or take fewer folds, `-p n_folds 4`."),
        ({"normal": 9, "osteopenia": 2}, "data add` again."),
        ({"normal": 9, "osteoporosis": 9}, "0 with osteopenia and 9 with osteoporosis, and not each of 5 trainings"),
        ({"normal": 9, "osteopenia": 9, "osteoporosis": 9}, ""),
    ],
)  # fmt: skip
def test_a_page_that_trains_ends_with_one_line_where_an_own_folder_lacks_a_class(
    folders, told, monkeypatch, people, says
):
    own = SimpleNamespace(**vars(folders["my-knees"]), table={"file": "people.csv"})
    ends = []
    monkeypatch.setattr(own_films, "stop", ends.append)
    run, cohort = Run(), people_of(own, **people)
    assert own_films.end_without_training(run, cohort, 5, 0, "all") == bool(says) == bool(ends)
    if says:
        (line,) = told
        assert says in line and "their rows in people.csv, and run `osteolib data add` again" in line
        assert line.endswith(says) or "fewer" not in line


def test_people_whose_films_are_copies_count_once_and_a_public_set_is_left_to_its_folds(folders, told, monkeypatch):
    monkeypatch.setattr(own_films, "stop", lambda run: None)
    own = SimpleNamespace(**vars(folders["my-knees"]), table={"file": "people.csv"})
    run, cohort = Run(), people_of(own, normal=9, osteopenia=3)
    assert not own_films.end_with_too_few(run, cohort, 3, "all")
    cohort.subjects["split_group"] = cohort.subjects["split_group"].replace("p10", "p11")
    assert own_films.end_with_too_few(run, cohort, 3, "all") and "2 with bone loss" in told[0]
    assert not own_films.end_without_training(run, people_of(folders["knee-wani"], normal=9), 3, 0, "all")
