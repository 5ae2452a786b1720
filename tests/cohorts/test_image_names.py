"""Names of images in every script and every coding mean the file that a person would take, or are told truly."""

import unicodedata

import pandas as pd
import pytest

from osteolib.cohorts.image_names import image_ids, match_images
from osteolib.cohorts.tables import tidy_table
from osteolib.cohorts.values import PLAIN_ID, cell_text

SCRIPTS = [
    "müller",
    "Żółć",
    "रोगी1",
    "ผู้ป่วย01",
    "患者",
    "пациент",
    "ασθενής",
    "مريض",
    "חולה",
    "환자",
    "רופא-1",
    "नेपाल 2",
]


@pytest.mark.parametrize("name", SCRIPTS)
@pytest.mark.parametrize("on_disk", ["NFC", "NFD"])
@pytest.mark.parametrize("in_table", ["NFC", "NFD"])
def test_letters_of_every_script_make_names(name, on_disk, in_table):
    file, stated = unicodedata.normalize(on_disk, f"{name}.png"), unicodedata.normalize(in_table, f"{name}.png")
    matched, wrong = match_images(pd.Series({2: cell_text(stated)}), [file])
    assert wrong == [] and matched[2] == file
    assert image_ids([file]) == [unicodedata.normalize("NFC", name)]
    tidy, found = tidy_table(pd.DataFrame({"id": [cell_text(name)]}), {"id": {"plain": True}})
    assert found == [] and pd.Series(tidy.id).str.fullmatch(PLAIN_ID).all()


@pytest.mark.parametrize(
    ("file", "stated"),
    [
        ("knee  1.png", "knee  1.png"), ("knee  1.png", "knee 1.png"),
        ("knee 1 .png", "knee 1.png"), (" a.png", "a.png"),
        ("films/a.png", "films\\a.png"), ("films/a.png", "./films/a.png"), ("IMG1.PNG", "img1.png"),
        ("a\u200bb.png", "ab.png"), ("a\u00a0b.png", "a b.png"),
    ],
)  # fmt: skip
def test_names_are_compared_as_people_read_them(file, stated):
    matched, wrong = match_images(pd.Series({2: cell_text(stated)}), [file])
    assert wrong == [] and matched[2] == file


@pytest.mark.parametrize(
    ("stated", "found", "others", "what"),
    [
        (["a.png"], ["A.png", "a.PNG"], [], "row 2: there is no image 'a.png'"),
        (["a b.png"], ["a  b.png", "a b.png"], [], "have one name but for spaces or the coding of letters: rename one"),
        (["müller.png"], ["müller.png", unicodedata.normalize("NFD", "müller.png")], [], "have one name but for"),
        (["a.tif"], [], ["a.tif"], "the file is there, but images end in .png"),
        (["a"], ["a.png"], [], "did you mean 'a.png'"),
        (["C:/films/a.png"], ["a.png"], [], "did you mean 'a.png'"),
        (["patient-1O.png"], ["patient-10.png"], [], "did you mean 'patient-10.png'"),
        (["a.png", "A.png"], ["a.png"], [], "row 3: there is no image 'A.png'"),
        (["IMG.png", "img.png"], ["Img.png"], [], "image 'Img.png' is meant by several rows"),
        (["a<b>.png"], ["a<b>.png"], [], "may hold letters, digits, spaces and . : + - _ only"),
        (["a.png", "a.jpg"], ["a.png", "a.jpg"], [], "has the same name as another"),
    ],
)  # fmt: skip
def test_names_that_fit_no_file_or_two_are_told_truly(stated, found, others, what):
    wrong = match_images(pd.Series(dict(enumerate(stated, 2))), found, others)[1]
    assert any(what in line for line in wrong), wrong
