"""The list of what is made again is complete: all tables and figures of the papers, and all that a value names."""

import re

import pytest
import yaml

from osteolib.report.published import load_published
from osteolib.report.regenerated import load_regenerated, regenerated_table

PRINTED = {  # tables and figures, as counted in the papers
    "strnet2026_knee": (6, 12),
    "lee2025_hand": (8, 5),
    "lee2023_hand": (2, 6),
    "chen2024_hip": (3, 5),
    "tpswav2025_ct": (5, 3),
}


@pytest.mark.parametrize("paper", PRINTED)
def test_every_table_and_figure_has_its_row(paper):
    tables, figures = PRINTED[paper]
    wanted = {f"Table {k + 1}" for k in range(tables)} | {f"Figure {k + 1}" for k in range(figures)}
    assert set(load_regenerated()[paper]) - {"Supplement"} == wanted


@pytest.mark.parametrize("paper", PRINTED)
def test_what_a_published_value_names_is_listed(paper):
    named = set(load_published(paper)["source"].str.findall(r"(?:Table|Fig\.) \d+").explode().dropna())
    assert named
    assert {name.replace("Fig.", "Figure") for name in named} <= set(load_regenerated()[paper])


def test_a_row_links_to_its_pages():
    lines = regenerated_table("strnet2026_knee").splitlines()
    assert len(lines) == 2 + 18
    assert "| Table 2 |" in lines[3]
    assert re.search(r"\[Training STR-Net on the real knees\]\(\.\./\.\./notebooks/04_knee_training\.ipynb\)", lines[3])


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"what": "x", "pages": ["99_nowhere"], "from": "y"}, "no page 99_nowhere"),
        ({"what": "x", "pages": ["01_knee_people"]}, "give what, pages and from"),
    ],
)
def test_a_wrong_entry_is_named(entry, said, tmp_path):
    file = tmp_path / "regenerated.yaml"
    file.write_text(yaml.safe_dump({"p": {"Table 1": entry}}))
    with pytest.raises(ValueError, match=rf"regenerated\.yaml, p, Table 1: .*{said}"):
        load_regenerated(file)
