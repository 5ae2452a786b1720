import json

import pandas as pd
import pytest

from osteolib.runs import ParameterError, run
from osteolib.runs.authoring import generate, without_solutions
from osteolib.runs.notebooks import read_notebook

SOURCE = """\
# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
#   osteolib: {minutes: {smoke: 0.1, quick: 1, paper: 5}, needs: [knee-wani]}
# ---
# %% [markdown]
# # Does it work?

# %% tags=["parameters"]
profile: str = "quick"  # sizes
seed: int = 0
n_boot: int | None = None

# %%
1 + 1

# %% tags=["solution"]
assert 2 + 2 == 4
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    (tmp_path / "notebooks" / "src").mkdir(parents=True)
    source = tmp_path / "notebooks" / "src" / "09_test.py"
    source.write_text(SOURCE)
    (tmp_path / "notebooks" / "09_test.ipynb").write_text(generate(source))
    monkeypatch.setattr(run, "ROOT", tmp_path)
    monkeypatch.setattr(run, "FOLDER", tmp_path / "notebooks")
    monkeypatch.delenv(run.BOOK, raising=False)
    return tmp_path


def test_the_book_s_folder_is_written_by_the_book_alone(project, monkeypatch):
    by_hand = run.start({"profile": "smoke", "seed": 0}, "09_test")
    assert by_hand.folder.parent == project / "build" / "smoke" / "runs" / "09_test"
    other = run.start({"profile": "smoke", "seed": 1}, "09_test")
    assert other.folder != by_hand.folder
    monkeypatch.setenv(run.BOOK, "1")
    assert run.start({"profile": "smoke", "seed": 0}, "09_test").folder == project / "build/smoke/results/09_test"
    with pytest.raises(ParameterError, match="profile's own values"):
        run.start({"profile": "smoke", "seed": 1}, "09_test")


def test_start_fills_the_namespace_and_refuses_injected_strangers(project):
    namespace = {"profile": "paper", "seed": 3, "n_boot": None}
    run.start(namespace, "09_test")
    assert namespace["n_boot"] == 10000
    with pytest.raises(ParameterError, match="epocs"):
        run.start({"profile": "paper", "epocs": 4, "In": ["", "# Parameters\nepocs = 4\n"]}, "09_test")


def test_results_are_read_back_as_recorded(project):
    this = run.start({"profile": "smoke", "seed": 5}, "09_test")
    this.uses("knee-wani", "real", "abc")
    this.result("p.x", "auroc", 0.9, ci=(0.8, 0.95), n=10, cohort="knee-wani")
    this.result(None, "count", 7, n=7, cohort="knee-wani")
    this.fact(auroc=0.9, name="<i>")
    this.finish()
    back = run.read_results(this.folder)
    assert list(back["rows"].columns) == list(run.RESULT_COLUMNS)
    assert back["rows"]["ci_high"][0] == 0.95
    assert back["rows"]["kind"].tolist() == ["real", "real"]
    assert back["facts"] == {"auroc": 0.9, "name": "<i>"}
    assert back["run"]["parameters"]["seed"] == 5


def test_a_result_needs_a_cohort_of_this_run_and_an_upright_interval(project):
    this = run.start({"profile": "smoke", "seed": 0}, "09_test")
    with pytest.raises(ValueError, match="'nhanes-dxa' was not loaded"):
        this.result(None, "auroc", 0.5, n=3, cohort="nhanes-dxa")
    this.uses("nhanes-dxa", "real", "abc")
    with pytest.raises(ValueError, match="upside down"):
        this.result(None, "auroc", 0.5, ci=(0.6, 0.4), n=3, cohort="nhanes-dxa")
    assert not (this.folder / "results.csv").exists()


def test_every_way_a_cohort_was_loaded_is_recorded_once(project):
    this = run.start({"profile": "smoke", "seed": 0}, "09_test")
    for fingerprint in ("keep", "exclude", "keep"):
        this.uses("knee-wani", "real", fingerprint)
    assert this.finish()["cohorts"] == {"knee-wani": {"kind": "real", "fingerprints": ["keep", "exclude"]}}


def test_predictions_have_the_columns_of_the_contract(project):
    this = run.start({"profile": "smoke", "seed": 0}, "09_test")
    with pytest.raises(ValueError, match="y_score"):
        this.predictions(pd.DataFrame(columns=[c for c in run.PREDICTION_COLUMNS if c != "y_score"]))
    with pytest.raises(ValueError, match="fact 'x'"):
        this.fact(x=[1, 2])


def test_a_generated_notebook_has_fixed_ids_a_language_and_no_output(project):
    text = (project / "notebooks" / "09_test.ipynb").read_text()
    notebook = json.loads(text)
    assert notebook["metadata"]["kernelspec"]["language"] == "python"
    assert [c["id"] for c in notebook["cells"]] == [f"09-test-{i:02d}" for i in range(4)]
    assert all(not c.get("outputs") for c in notebook["cells"])
    assert generate(project / "notebooks" / "src" / "09_test.py") == text
    read = read_notebook(project / "notebooks" / "09_test.ipynb")
    assert (read.title, read.needs, read.minutes["paper"]) == ("Does it work?", ("knee-wani",), 5)


def test_exercises_lose_the_solutions_and_nothing_else(project):
    text = (project / "notebooks" / "09_test.ipynb").read_text()
    before, after = json.loads(text)["cells"], json.loads(without_solutions(text))["cells"]
    assert "2 + 2" not in json.dumps(after)
    assert [c["source"] for c in before[:-1]] == [c["source"] for c in after[:-1]]
