import json

import pytest

from osteolib.report import pages, site


@pytest.fixture
def fill(monkeypatch):
    monkeypatch.setattr(pages, "tables", lambda recorded: {"some_table": "TABLE"})
    facts = {"age_auroc": 0.94123, "bias": -0.5, "n": 12345}
    return site.renderer({"01_knee_people": {"facts": {}}, "02_knee_shortcuts": {"facts": facts}})


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("AUROC {{ knee_shortcuts.age_auroc | num(3) }}.", "AUROC 0.941."),
        ("{{ knee_shortcuts.bias | num }}", "−0.50"),
        ("{{ knee_shortcuts.n | num(0) }}", "12,345"),
        ("{{ some_table }}", "TABLE"),
        ("{{ knee_people.n_films }}", site.ABSENT),
        ("{{ knee_people.x | num(2) }}", site.ABSENT),
        ("$\\frac{a}{b}$ and {cite:p}`x`\n", "$\\frac{a}{b}$ and {cite:p}`x`\n"),
    ],
)
def test_numbers_on_a_page_come_from_the_runs(fill, page, expected):
    assert fill(page) == expected


def test_an_executed_notebook_becomes_a_page():
    figure = {"output_type": "display_data", "data": {}, "metadata": {"image/png": {"alt": "A line."}}}
    cells = [
        {"cell_type": "code", "metadata": {"tags": ["injected-parameters"]}, "source": "seed = 1", "outputs": []},
        {"cell_type": "code", "metadata": {"tags": ["solution"], "papermill": {}}, "source": "1", "outputs": []},
        {"cell_type": "code", "metadata": {}, "source": "plot()", "outputs": [figure]},
    ]
    page = site.for_reading({"cells": cells, "metadata": {"papermill": {"input_path": "/somewhere/private"}}})
    tags = [cell["metadata"]["tags"] for cell in page["cells"]]
    assert tags == [["injected-parameters", "remove-cell"], ["solution", "hide-cell"], []]
    assert page["cells"][2]["metadata"]["mystnb"]["image"]["alt"] == "A line."
    assert "somewhere" not in json.dumps(page)


def test_a_half_drawn_figure_is_left_out_and_a_finished_one_keeps_its_text():
    def shown(metadata):
        return {"output_type": "display_data", "data": {"image/png": "x"}, "metadata": metadata}

    finished = shown({"image/png": {"alt": "a hand"}})
    words = {"output_type": "stream", "name": "stdout", "text": "words"}
    cell = {"cell_type": "code", "metadata": {}, "outputs": [shown({}), words, shown({"image/png": {}}), finished]}
    (page,) = site.for_reading({"cells": [cell], "metadata": {}})["cells"]
    assert page["outputs"] == [words, finished] and page["metadata"]["mystnb"] == {"image": {"alt": "a hand"}}
