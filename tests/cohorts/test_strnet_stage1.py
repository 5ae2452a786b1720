from hashlib import sha256

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from osteolib.cohorts import DataNotFound, bone_loss, grouped_folds, load_cohort, load_manifest, state
from osteolib.cohorts.strnet_stage1 import file_list

UNSEEN = "osteopenia/Osteopenia 3.png"


@pytest.fixture
def films(draw_legs) -> dict[str, np.ndarray]:
    """One film of one leg three times, under two classes; a film of both and a crop of it; two others."""
    alone, both = draw_legs(1), draw_legs(20, legs=2)
    return {
        "normal/Normal 1.png": alone,
        "normal/Normal 2.png": alone,
        "normal/Normal 3.png": draw_legs(2),
        "osteopenia/Osteopenia 1.png": both,
        "osteopenia/Osteopenia 2.png": draw_legs(3),
        "osteoporosis/Osteoporosis 1.png": np.asarray(Image.fromarray(alone).resize((128, 256))),
        "osteoporosis/Osteoporosis 2.png": both[20:380, 170:310],
    }


@pytest.fixture
def stage1(world, films, monkeypatch):
    """Write the set, its list and manifest, and a ``knee-wani`` that holds two of its films; a file less if asked for.

    ``reduced`` files lie there as JPEG copies, under the class folder, and not as originals.
    """
    folder = world.data / "strnet-stage1"

    def make(left_out=(), reduced=()):
        rows = []
        for path, film in films.items():
            original, copy = folder / path, (folder / path).with_suffix(".jpg")
            original.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(film).save(original)
            Image.fromarray(film).save(copy, quality=90)
            row = {"path": path, "copy_path": copy.relative_to(folder).as_posix()}
            for key, file in (("", original), ("copy_", copy)):
                data = file.read_bytes()
                row |= {f"{key}sha256": sha256(data).hexdigest(), f"{key}bytes": len(data)}
            rows.append(row | {"height": film.shape[0], "width": film.shape[1]})
            (original if path in reduced else copy).unlink()
            if path in left_out:
                (copy if path in reduced else original).unlink()
        rows.append({"path": UNSEEN})
        listed = pd.DataFrame(rows).astype({n: "Int64" for n in ("bytes", "copy_bytes", "width", "height")})
        listed.to_csv(world.manifests / "strnet-stage1.csv", index=False)
        monkeypatch.setattr("osteolib.cohorts.strnet_stage1.LIST", world.manifests / "strnet-stage1.csv")
        fields = {"files": "strnet-stage1.csv", "partial": True, "label_rule": "who"}
        world.manifest("strnet-stage1", reader="strnet_stage1", **fields)
        known = listed.set_index("path")["sha256"]
        wani = {"normal/N7": "normal/Normal 1.png", "osteopenia/OP5": "osteopenia/Osteopenia 1.png"}
        files = [{"path": f"images/{film}.png", "sha256": known[path], "bytes": 1, "phash": "0" * 16}
                 for film, path in wani.items()]  # fmt: skip
        files.append({"path": "table.xlsx", "sha256": known["normal/Normal 3.png"], "bytes": 1})  # no film
        world.manifest("knee-wani", files=files)
        return folder

    return make


def test_a_file_is_a_film_with_the_class_of_its_folder_and_its_three_groups(stage1):
    stage1()
    cohort = load_cohort("strnet-stage1", unit="film")
    films = cohort.subjects.set_index("image_id")
    assert films["label"].to_dict() == {
        "Normal 1": "normal", "Normal 2": "normal", "Normal 3": "normal", "Osteopenia 1": "osteopenia",
        "Osteopenia 2": "osteopenia", "Osteoporosis 1": "osteoporosis", "Osteoporosis 2": "osteoporosis",
    }  # fmt: skip
    one, both = "Normal 1", "Osteopenia 1"
    assert films["bytes_group"].tolist() == [one, one, "Normal 3", both, "Osteopenia 2", *films.index[-2:]]
    assert films["picture_group"].tolist() == [one, one, "Normal 3", both, "Osteopenia 2", one, "Osteoporosis 2"]
    assert films["source_group"].tolist() == [one, one, "Normal 3", both, "Osteopenia 2", one, both]
    assert films["split_group"].equals(films["source_group"].rename("split_group"))
    assert films["subject_id"].equals(films["source_group"].rename("subject_id"))
    assert set(films["unit"]) == {"film"} and set(films["bone"]) == {"knee"}
    assert cohort.notes[0] == "7 of the 8 listed files are here; 1 are missing (osteopenia 1)."
    assert cohort.notes[1] == "They are 6 byte strings, 5 pictures and 4 source films."
    assert cohort.notes[2] == "5 files show a source film that also stands under another class."
    assert not any("reduced" in note or "verified" in note or "No file" in note for note in cohort.notes)


def test_a_film_of_both_legs_is_two_knees_of_one_group(stage1):
    stage1()
    knees = load_cohort("strnet-stage1").subjects
    assert len(knees) == 8
    both = knees[knees["image_id"] == "Osteopenia 1"]
    assert sorted(both["side"]) == ["left", "right"] and set(both["source_group"]) == {"Osteopenia 1"}


def test_what_is_told_of_the_original_is_that_of_the_list(stage1, films):
    folder = stage1()
    subjects = load_cohort("strnet-stage1", unit="film").subjects.set_index("file")
    for path, film in films.items():
        row = subjects.loc[path]
        assert (row["original_height"], row["original_width"]) == film.shape
        assert (row["original_bytes"], row["original_format"]) == ((folder / path).stat().st_size, ".png")


def test_the_linked_set_names_film_and_class_of_every_file_of_a_source(stage1):
    """Normal 1 is N7 of knee-wani and Osteopenia 1 is OP5, by their bytes; what is a copy or a crop of them, too."""
    stage1()
    films = load_cohort("strnet-stage1", unit="film").subjects.set_index("image_id")
    linked = {
        "Normal 1": "N7",
        "Normal 2": "N7",
        "Osteoporosis 1": "N7",
        "Osteopenia 1": "OP5",
        "Osteoporosis 2": "OP5",
    }
    assert films["wani_id"].dropna().to_dict() == linked
    classes = {"N7": "normal", "OP5": "osteopenia"}
    assert films["wani_label"].dropna().to_dict() == {file: classes[film] for file, film in linked.items()}
    assert films["wani_names"].to_dict() == {file: int(file in linked) for file in films.index}
    assert films.index[films["wani_file"]].tolist() == ["Normal 1", "Normal 2", "Osteopenia 1"]


def test_reduced_copies_make_the_cohort_of_their_originals(stage1, films):
    stage1()
    originals = load_cohort("strnet-stage1", unit="film")
    stage1(reduced=films)
    copies = load_cohort("strnet-stage1", unit="film")
    told = ["image_id", "label", "bytes_group", "picture_group", "source_group", "original_bytes", "wani_id", "file"]
    pd.testing.assert_frame_equal(copies.subjects[told], originals.subjects[told])
    assert set(copies.subjects["path"].str[-4:]) == {".jpg"}
    assert "7 files are reduced copies" in " ".join(copies.notes)
    assert copies.fingerprint != originals.fingerprint


def test_a_file_less_is_another_cohort_and_is_told(stage1):
    stage1()
    whole = load_cohort("strnet-stage1", unit="film")
    assert state("strnet-stage1") == "7/8"
    stage1(left_out=["normal/Normal 1.png"])
    part = load_cohort("strnet-stage1", unit="film")
    assert state("strnet-stage1") == "6/8"
    assert part.fingerprint != whole.fingerprint != load_cohort("strnet-stage1").fingerprint
    assert set(whole.subjects["image_id"]) - set(part.subjects["image_id"]) == {"Normal 1"}
    assert part.notes[0] == "6 of the 8 listed files are here; 2 are missing (normal 1, osteopenia 1)."
    groups = part.subjects.set_index("image_id")["source_group"]
    assert groups["Normal 2"] == groups["Osteoporosis 1"] == "Normal 2"  # named after a film that is there


def test_an_unseen_file_is_read_grouped_by_its_own_content_and_told(stage1, draw_legs):
    folder = stage1()
    Image.fromarray(draw_legs(2)).save(folder / UNSEEN)
    cohort = load_cohort("strnet-stage1", unit="film")
    film = cohort.subjects.set_index("image_id").loc["Osteopenia 3"]
    assert (film["label"], film["bytes_group"], film["source_group"]) == ("osteopenia", "Normal 3", "Normal 3")
    assert np.isnan(film["original_width"])
    assert state("strnet-stage1") == "present"
    assert "The content of 1 files could not be verified" in " ".join(cohort.notes)
    before = cohort.fingerprint
    Image.fromarray(draw_legs(4)).save(folder / UNSEEN)
    other = load_cohort("strnet-stage1", unit="film")
    assert other.fingerprint != before  # no content is stated, so that which is there counts
    assert other.subjects.set_index("image_id")["source_group"]["Osteopenia 3"] == "Osteopenia 3"


def test_two_classes_make_a_cohort_and_what_the_third_costs_is_told(stage1, films):
    stage1(left_out=[path for path in films if path.startswith("osteopenia")])
    cohort = load_cohort("strnet-stage1")
    assert set(cohort.subjects["label"]) == {"normal", "osteoporosis"}
    assert cohort.notes[-1] == "No file of osteopenia is here: what compares with that class cannot be answered."
    assert (
        cohort.subjects.set_index("image_id")["source_group"]["Osteoporosis 2"] == "Osteoporosis 2"
    )  # its film is gone


def test_folds_that_cannot_be_made_say_why(stage1, films):
    stage1()
    films_of = load_cohort("strnet-stage1", unit="film").subjects
    with pytest.raises(ValueError, match="5 folds cannot each hold every class: independent groups per class"):
        grouped_folds(films_of, bone_loss(films_of["label"]), 5)
    stage1(left_out=[path for path in films if not path.startswith("normal")])
    normal = load_cohort("strnet-stage1", unit="film").subjects
    with pytest.raises(ValueError, match=r"folds cannot each hold every class: .* use at most 0 folds"):
        grouped_folds(normal, bone_loss(normal["label"]), 2)


def test_a_file_in_another_class_or_changed_is_an_error_and_without_files_the_source_is_named(stage1, films, world):
    folder = stage1()
    (folder / "normal/Normal 3.png").rename(folder / "osteopenia/Normal 3.png")
    with pytest.raises(ValueError, match=r"damaged(.|\n)*moved\s+osteopenia/Normal 3\.png"):
        load_cohort("strnet-stage1")
    (folder / "osteopenia/Normal 3.png").unlink()
    (folder / "normal/Normal 1.png").write_bytes(b"another")
    with pytest.raises(ValueError, match=r"damaged(.|\n)*changed\s+normal/Normal 1\.png"):
        load_cohort("strnet-stage1")
    stage1(left_out=films)
    with pytest.raises(
        DataNotFound, match=r"strnet-stage1 are not here: A test set\. Source: https://doi\.org/10\.0/0"
    ):
        load_cohort("strnet-stage1")


def test_the_list_of_the_real_set_is_what_was_counted_and_links_every_film_of_knee_wani():
    """1,947 names; 1,727 files of 841 contents seen; all 217 distinct films of knee-wani are among them, by SHA-256."""
    listed = file_list()
    seen = listed[listed["sha256"] != ""]
    assert (len(listed), len(seen), seen["sha256"].nunique(), listed["path"].is_unique) == (1947, 1727, 841, True)
    wani = {file.sha256 for file in load_manifest("knee-wani").files if file.phash}
    assert len(wani & set(seen["sha256"])) == len(wani) == 217
    assert (seen.groupby("sha256")[["near_group", "source_group"]].nunique() == 1).all(axis=None)
    assert (seen.groupby("near_group")["source_group"].nunique() == 1).all()
    assert [file.path for file in load_manifest("strnet-stage1").files] == listed["path"].tolist()
