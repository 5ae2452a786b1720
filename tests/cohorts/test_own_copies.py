import numpy as np
import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

from osteolib import cli
from osteolib.cohorts import add_folder, bone_loss, grouped_folds, load_cohort
from osteolib.cohorts.crops import find_crops
from osteolib.cohorts.own_copies import contradictions, describe_copies, with_groups


def resized(film: np.ndarray, width: int, height: int) -> np.ndarray:
    return np.asarray(Image.fromarray(film).resize((width, height)))


@pytest.fixture
def ward(world, draw_legs):
    """Ten films of eight people. p1's film comes again as the same bytes and squeezed, p4's as a crop of one leg."""
    one, both = draw_legs(1), draw_legs(20, legs=2)
    films = {
        "a": ("p1", "normal", one),
        "a again": ("p1", "normal", one),
        "a squeezed": ("p2", "osteopenia", resized(one, 128, 256)),
        "both": ("p3", "osteoporosis", both),
        "crop": ("p4", "normal", both[20:380, 170:310]),
        "crop small": ("p4", "normal", resized(both[20:380, 170:310], 100, 257)),
        **{f"single {seed}": (f"s{seed}", "osteopenia", draw_legs(seed)) for seed in (31, 32, 33, 34)},
    }
    folder = world.data / "ward"
    folder.mkdir()
    for name, (_, _, film) in films.items():
        Image.fromarray(film).save(folder / f"{name}.png")
    rows = [(subject, f"{name}.png", label) for name, (subject, label, _) in films.items()]
    pd.DataFrame(rows, columns=["subject_id", "image", "label"]).to_csv(folder / "table.csv", index=False)
    return folder


CROSSING = ["a = a again = a squeezed: normal / osteopenia", "both = crop = crop small: osteoporosis / normal"]


def test_what_was_added_is_told_with_its_copies_and_their_contradictions(ward):
    result = CliRunner().invoke(cli.app, ["data", "add", str(ward), "--name", "ward"])
    assert result.exit_code == 0, result.output
    assert result.output.splitlines()[1:] == [
        "Copies: 10 files are 6 films. Byte-identical to another file: 1; the same picture stored anew: 2; one leg cut "
        "out of a film of both: 1. No split tears them apart.",
        "Films with more than one label, to be looked at: 2",
        *(f"  {group}" for group in CROSSING),
        "Films with more than one subject, to be looked at: 2",
        "  a = a again = a squeezed: p1 / p2",
        "  both = crop = crop small: p3 / p4",
    ]


def test_no_split_tears_a_film_apart_and_a_reader_of_results_is_told(ward):
    add_folder(ward, "ward")
    cohort = load_cohort("ward")
    films = cohort.subjects.drop_duplicates("image_id").set_index("image_id")
    assert films["split_group"].to_dict() == {
        "a": "a", "a again": "a", "a squeezed": "a", "both": "both", "crop": "both", "crop small": "both",
        **{f"single {seed}": f"single {seed}" for seed in (31, 32, 33, 34)},
    }  # fmt: skip
    assert films["picture_group"]["crop small"] == "crop" and films["bytes_group"]["a again"] == "a"
    assert cohort.notes == ("2 films stand under more than one label, as copies or crops of one leg.",)
    fold = pd.Series(grouped_folds(cohort.subjects, bone_loss(cohort.subjects["label"]), 2))
    assert (fold.groupby(cohort.subjects["source_group"]).nunique() == 1).all()


def test_films_of_another_bone_are_grouped_by_picture_and_never_as_crops(ward, monkeypatch):
    add_folder(ward, "ward", bone="hip")
    searched = []
    monkeypatch.setattr("osteolib.cohorts.pictures.find_crops", lambda p: searched.extend(p) or find_crops(p))
    films = load_cohort("ward").subjects.set_index("image_id")
    assert not searched, "looked for crops"
    assert films["source_group"].equals(films["picture_group"].rename("source_group"))
    assert films["picture_group"][["a", "a again", "a squeezed", "crop small"]].tolist() == ["a", "a", "a", "crop"]
    assert films["split_group"]["crop"] == "crop" != films["split_group"]["both"]


def test_both_ways_agree_where_there_is_nothing_to_cut_out(ward):
    add_folder(ward, "ward", bone="hip")
    films = load_cohort("ward").subjects
    films = films[films["image_id"] != "both"].assign(sha256=films["bytes_group"])[["image_id", "path", "sha256"]]
    pd.testing.assert_frame_equal(with_groups(films, knees=True), with_groups(films, knees=False))


def groups(n: int) -> pd.DataFrame:
    """n films of two files each, the second with another label."""
    rows = [(f"{i}{end}", f"{i}a", f"p{i}", label) for i in range(n) for end, label in (("a", "normal"), ("b", "x"))]
    films = pd.DataFrame(rows, columns=["image_id", "source_group", "subject_id", "label"])
    return films.assign(bytes_group=films["source_group"], picture_group=films["source_group"])


def test_ten_contradictions_are_named_and_the_others_counted():
    lines = describe_copies(groups(12)).splitlines()
    assert lines[1] == "Films with more than one label, to be looked at: 12"
    assert lines[2] == "  0a = 0b: normal / x" and lines[11] == "  9a = 9b: normal / x"
    assert lines[12:] == ["  and 2 more"]  # and nobody's film is another's
    assert describe_copies(groups(10)).splitlines()[-1] == "  9a = 9b: normal / x"


def test_films_without_copies_are_said_to_have_none():
    films = groups(3).drop_duplicates("source_group")
    assert contradictions(films, "label") == []
    assert describe_copies(films) == "No copies: 3 files, as many films."
