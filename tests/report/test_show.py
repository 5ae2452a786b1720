import json

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from osteolib.cohorts import DataNotFound
from osteolib.report import show
from osteolib.runs import Run


@pytest.fixture
def shown(monkeypatch):
    """What a notebook would display."""
    displayed = []
    monkeypatch.setattr(show, "display", displayed.append)
    return displayed


@pytest.fixture
def run(tmp_path):
    return Run("09_test", {"profile": "smoke", "seed": 0, "note": "<b>"}, tmp_path, in_book=True)


def test_a_subject_id_is_data_and_never_markup(run, shown):
    nasty = "<script>alert('x')</script>"
    show.table(run, "people", pd.DataFrame({"subject_id": [nasty], "t_score": [-1.0]}), "A & B", index=False)
    html = shown[0].data
    assert nasty not in html
    assert "&lt;script&gt;" in html
    assert "A &amp; B" in html
    assert nasty.replace('"', '""') in (run.folder / "people.csv").read_text()  # the file keeps the value


def test_a_figure_is_saved_and_carries_its_alternative_text(run, shown):
    fig, _ = plt.subplots()
    show.figure(run, "empty", fig, alt="An empty frame.")
    assert (run.folder / "empty.png").read_bytes().startswith(b"\x89PNG")
    _, metadata = shown[0]._repr_mimebundle_()
    assert metadata["image/png"]["alt"] == "An empty frame."
    assert not plt.get_fignums()


def test_prose_quotes_recorded_facts_only(run, shown):
    run.fact(auroc=0.9412)
    show.say(run, "AUROC {auroc:.2f}")
    assert shown[0].data == "AUROC 0.94"
    with pytest.raises(ValueError, match=r"did not record: \['aurok'\]"):
        show.say(run, "AUROC {aurok:.2f}")
    run.fact(bias=-0.381, who="non-smokers")
    show.say(run, "bias {bias:+.2f} in {who}")
    assert shown[1].data == "bias −0.38 in non-smokers"


def test_missing_data_are_explained_in_the_book_and_an_error_by_hand(run, shown, monkeypatch):
    def absent(name, **options):
        raise DataNotFound(f"{name} is not here <i>")

    monkeypatch.setattr(show, "load_cohort", absent)
    assert show.load_or_explain(run, "knee-wani") is None
    assert "not here" in shown[0].data
    assert "&lt;i&gt;" in shown[0].data
    assert (run.folder / "missing.txt").read_text().startswith("knee-wani")
    run.in_book = False
    with pytest.raises(DataNotFound):
        show.load_or_explain(run, "knee-wani")


def test_a_page_says_how_it_was_made(run, shown):
    run.uses("knee-wani", "real", "abc")
    show.provenance(run)
    html = shown[0].data
    assert "knee-wani (real, abc)" in html
    assert "note = &lt;b&gt;" in html
    assert json.loads((run.folder / "run.json").read_text())["versions"]["pandas"] == pd.__version__
