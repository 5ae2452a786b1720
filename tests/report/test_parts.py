import re

import pytest
import yaml

from osteolib.report.parts import in_minutes, page_line, question
from osteolib.runs import ROOT, list_notebooks

PARTS = sorted((ROOT / "book" / "parts").glob("*.md"))


def test_a_line_has_title_question_minutes_and_data():
    line = page_line("03_two_measurements")
    assert line.startswith("[Two real measurements of one person](../../notebooks/03_two_measurements.ipynb). *A corr")
    assert line.endswith("data: `nhanes-dxa`.")
    assert page_line("17_audit_your_own").endswith("data: none.")
    assert page_line("22_hand_ssl").endswith("data: simulated.")
    with pytest.raises(ValueError, match="'99_none'"):
        page_line("99_none")


def test_every_page_asks_something():
    assert not [notebook.name for notebook in list_notebooks() if len(question(notebook)) < 20]


@pytest.mark.parametrize(
    ("minutes", "words"), [(0.3, "1 minute"), (1.4, "1 minute"), (7, "7 minutes"), (240, "4 hours")]
)
def test_times_are_words(minutes, words):
    assert in_minutes(minutes) == words


def test_each_part_opens_with_a_page_that_names_all_its_pages_in_their_order():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    for part in toc["parts"]:
        opening, *chapters = [chapter["file"] for chapter in part["chapters"]]
        text = (ROOT / f"{opening}.md").read_text(encoding="utf-8")
        assert opening.startswith("book/parts/")
        linked = re.findall(r'page\("(\w+)"\)|\(\.\./([\w/]+)\.md\)', text)
        named = [f"notebooks/{notebook}" if notebook else f"book/{page}" for notebook, page in linked]
        assert [name for name in named if name in chapters] == chapters, opening


def test_the_readme_tells_what_each_profile_costs():
    """Its minutes are those that the pages declare, within a third."""
    rows = re.findall(
        r"^\| `(\w+)` \|.*\| about ([\d,]+)", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    told = {name: float(minutes.replace(",", "")) for name, minutes in rows}
    declared = {profile: sum(n.minutes[profile] for n in list_notebooks()) for profile in told}
    assert set(told) == set(list_notebooks()[0].minutes)
    assert all(2 / 3 < told[name] / minutes < 3 / 2 for name, minutes in declared.items()), declared
