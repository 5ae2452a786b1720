import json
import multiprocessing
import os
import signal
import time
from dataclasses import replace
from importlib import import_module

import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn.metrics import average_precision_score, roc_auc_score

from osteolib.cohorts import DataNotFound
from osteolib.report.recorded import beside, recorded_difference
from osteolib.runs import recorded
from osteolib.runs.parameters import load_profile
from osteolib.runs.recorded import Recording, find_cell, list_cells, make_record, read_record, record_hash, state_of
from osteolib.screen import knee_cells
from osteolib.screen.given import same_given
from osteolib.stats import bootstrap_difference
from osteolib.stats.prediction_metrics import prediction_metrics

CELL = {"what": "A trial", "job": "osteolib.screen.knee_cells.real_folds", "profile": "smoke", "options": {"seed": 3},
        "hours": 0.5}  # fmt: skip


def job(sizes, seed):
    rng = np.random.default_rng(seed)
    score = rng.random(40)
    table = pd.DataFrame({
        "cohort": "made-up", "subject_id": [f"S{i // 2}" for i in range(40)], "image_id": "", "split": "test",
        "fold": 0,
        "unit_id": [f"U{i}" for i in range(40)], "seed": seed, "method": "m", "target": "bone_loss",
        "y_true": (score + 0.3 * rng.normal(size=40) > 0.5).astype(float), "y_score": score,
    }).assign(split_group=lambda t: t["subject_id"])  # fmt: skip
    history = pd.DataFrame({"epoch": [0, 1], "loss": [1.0, 0.5], "fold": 0})
    configuration = {"image_size": 32, "epochs": sizes["epochs"], "backbone": "resnet18", "initialisation": "none"}
    return Recording(table, history, prediction_metrics(table, 200), {"made-up": {"kind": "real"}}, configuration)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(knee_cells, "real_folds", job)
    monkeypatch.setitem(knee_cells.GIVEN, "real_folds", lambda sizes, seed: {"n": 40 + seed})
    (tmp_path / "cells.yaml").write_text(yaml.safe_dump({"trial-3": CELL, "trial-4": CELL}))
    return tmp_path


def test_a_record_comes_back_as_it_was_written_and_is_made_once(folder, monkeypatch):
    assert read_record("trial-3", folder) is None and record_hash("trial-3", folder) == ""
    path = make_record("trial-3", folder)
    record = read_record("trial-3", folder)
    assert record.predictions["y_score"].tolist() == pytest.approx(
        job({"epochs": 1}, 3).predictions["y_score"], abs=1e-7
    )
    assert record.run["options"] == {"seed": 3} and record.run["configuration"]["epochs"] == 2 and not record.stale
    assert record.run["given"] == {"n": 43}
    assert {"machine", "hours", "versions", "code", "cohorts"} <= set(record.run)
    monkeypatch.setattr(knee_cells, "real_folds", None)
    assert make_record("trial-3", folder) == path and state_of("trial-3", folder) == "recorded"


@pytest.mark.parametrize("table", recorded.TABLES)
def test_an_edited_record_is_refused_and_named_with_a_remedy(folder, table):
    make_record("trial-3", folder)
    file = folder / "trial-3" / f"{table}.csv"
    whole = file.read_text()
    edited = whole.replace("0", "1", 1)
    assert edited != whole
    file.write_text(edited)
    with pytest.raises(ValueError, match=rf"trial-3/{table}\.csv was edited.*make record CELL=trial-3"):
        read_record("trial-3", folder)
    assert state_of("trial-3", folder) == "damaged"
    file.unlink()
    with pytest.raises(ValueError, match=rf"{table}\.csv is missing"):
        read_record("trial-3", folder)
    file.write_text(whole)
    assert not read_record("trial-3", folder).stale


def test_a_record_of_other_code_says_so(folder):
    path = make_record("trial-3", folder)
    before = record_hash("trial-3", folder)
    run = json.loads(path.read_text())
    path.write_text(json.dumps(run | {"code": "0" * 16}))
    assert read_record("trial-3", folder).stale and state_of("trial-3", folder) == "recorded by other code"
    assert record_hash("trial-3", folder) != before
    path.write_text(json.dumps(run | {"modules": ["osteolib.that_is_gone"]}))
    assert read_record("trial-3", folder).stale
    live = pd.DataFrame([{"method": "m", "split": "test", "value": 0.5, "ci_low": 0.4, "ci_high": 0.6, "n": 9}])
    shown = beside(live, "32 px, 1 epoch", ["trial-3"], "auroc", "bone_loss", folder=folder)
    assert shown["run"].iloc[0].startswith("live, this page") and "other code" in shown["run"].iloc[1]


def test_a_record_knows_the_sizes_it_asked_for_and_no_others(folder, monkeypatch):
    run = json.loads(make_record("trial-3", folder).read_text())
    assert run["sizes"] == {"epochs": 2}
    smoke = recorded.load_profile("smoke")
    monkeypatch.setattr(recorded, "load_profile", lambda name: smoke | {"n_planted": 77})
    assert not read_record("trial-3", folder).stale
    monkeypatch.setattr(recorded, "load_profile", lambda name: smoke | {"epochs": 3})
    assert read_record("trial-3", folder).stale


def test_live_and_recorded_stand_beside_each_other_and_what_is_not_recorded_is_said(folder):
    make_record("trial-3", folder)
    live = pd.DataFrame([{"method": "m", "split": "test", "value": 0.5, "ci_low": 0.4, "ci_high": 0.6, "n": 9}])
    shown = beside(live, "32 px, 1 epoch", ["trial-3", "trial-4"], "auroc", "bone_loss", folder=folder)
    assert shown["run"].iloc[0] == "live, this page: 32 px, 1 epoch"
    assert shown["run"].iloc[1].startswith("recorded, trial-3: resnet18 from random weights, 32 px, 2 epochs; 20")
    expected = read_record("trial-3", folder).results.query("metric == 'auroc'").iloc[0]
    assert shown["estimate (95 % CI)"].iloc[1].startswith(f"{expected.value:.2f} ({expected.ci_low:.2f}")
    assert shown["run"].iloc[2].startswith("trial-4: not recorded yet") and shown["n"].iloc[2] == ""


def test_what_one_recorded_method_adds_to_another_is_paired_and_draws_groups(folder, monkeypatch):
    def two(sizes, seed):
        first = job(sizes, seed)
        worse = first.predictions.assign(method="other", y_score=1 - 0.5 * first.predictions["y_score"])
        both = pd.concat([first.predictions, worse.sample(frac=1, random_state=0)])
        return replace(first, predictions=both, results=prediction_metrics(both, 200))

    monkeypatch.setattr(knee_cells, "real_folds", two)
    assert recorded_difference("trial-3", "m", "other", "test", 200, 0, folder) is None
    make_record("trial-3", folder)
    m = job({"epochs": 1}, 3).predictions.sort_values("unit_id")
    y, score, groups = m["y_true"].astype(int), m["y_score"], m["split_group"]
    expected = bootstrap_difference(y, 1 - 0.5 * score, score, groups=groups, n_boot=200, seed=0)
    found = recorded_difference("trial-3", "m", "other", "test", 200, 0, folder)
    assert found == pytest.approx((expected.difference, *expected.ci), abs=1e-6)


def run_slowly(folder, started):
    def slow(sizes, seed):
        started.set()
        time.sleep(60)

    knee_cells.real_folds = slow
    make_record("trial-3", folder)


def test_a_cell_killed_half_way_leaves_nothing_and_the_next_run_completes_it(folder):
    context = multiprocessing.get_context("fork")
    started = context.Event()
    process = context.Process(target=run_slowly, args=(folder, started))
    process.start()
    assert started.wait(30)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert sorted(p.name for p in folder.iterdir()) == ["cells.yaml"]
    make_record("trial-3", folder)
    assert state_of("trial-3", folder) == "recorded"


def test_a_cell_that_fails_is_shown_with_its_error_until_it_is_recorded(folder, monkeypatch):
    def fails(sizes, seed):
        raise RuntimeError(f"no room for {seed} under {recorded.ROOT}/build\nand more")

    with monkeypatch.context() as patch, pytest.raises(RuntimeError, match="no room"):
        patch.setattr(knee_cells, "real_folds", fails)
        make_record("trial-3", folder)
    failed = state_of("trial-3", folder)
    assert failed.startswith("failed on 20") and failed.endswith(": RuntimeError: no room for 3 under ./build")
    assert read_record("trial-3", folder) is None and record_hash("trial-3", folder) != ""
    live = pd.DataFrame([{"method": "m", "split": "test", "value": 0.5, "ci_low": 0.4, "ci_high": 0.6, "n": 9}])
    shown = beside(live, "32 px", ["trial-3"], "auroc", "bone_loss", folder=folder)
    assert shown["run"].iloc[1].startswith(f"trial-3: {failed}")
    make_record("trial-3", folder)
    assert state_of("trial-3", folder) == "recorded" and not (folder / "trial-3" / recorded.FAILED).exists()


def test_killed_between_its_files_a_record_does_not_count(folder, monkeypatch):
    written = []

    def dies(path, content, write=recorded.write_atomic):
        if path.name == "run.json":
            raise KeyboardInterrupt
        written.append(path.name)
        return write(path, content)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(recorded, "write_atomic", dies)
        make_record("trial-3", folder)
    assert len(written) == 3 and state_of("trial-3", folder) == "not recorded yet"
    make_record("trial-3", folder)
    assert state_of("trial-3", folder) == "recorded"


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({**CELL, "seeds": 3}, r"cells\.yaml, trial: got an unexpected keyword argument 'seeds'"),
        ({k: v for k, v in CELL.items() if k != "hours"}, r"cells\.yaml, trial: missing 1 required .* 'hours'"),
        ({**CELL, "job": "os.system"}, r"trial: job must name a function of osteolib, got 'os\.system'"),
    ],
)
def test_a_cell_that_makes_no_sense_is_named(tmp_path, entry, message):
    (tmp_path / "cells.yaml").write_text(yaml.safe_dump({"trial": entry}))
    with pytest.raises(ValueError, match=message):
        list_cells(tmp_path)


def test_an_unknown_cell_is_named_with_the_nearest():
    with pytest.raises(ValueError, match="no recorded cell 'knee-wani0': did you mean 'knee-wani-0'"):
        find_cell("knee-wani0")


ORACLES = {
    "auroc": roc_auc_score,
    "auprc": average_precision_score,
    "pearson_r": lambda y, s: np.corrcoef(y, s)[0, 1],
    "mae": lambda y, s: np.abs(y - s).mean(),
}


HERE = [name for name in list_cells() if record_hash(name)]


def test_a_cell_is_recorded_in_the_project():
    """Else the next test would recompute nothing, and pass."""
    assert HERE


@pytest.mark.parametrize("name", [name for name in HERE if read_record(name).run.get("given")])
def test_what_a_recorded_training_was_given_is_what_the_readers_bring_today(name):
    """In place of the readers' code: units, targets, parts, and the grey levels of some."""
    record = read_record(name)
    module, _, function = record.cell.job.rpartition(".")
    try:
        now = import_module(module).GIVEN[function](load_profile(record.cell.profile), **record.cell.options)
    except DataNotFound:
        pytest.skip("its films are not here")
    assert same_given(now, record.run["given"])


@pytest.mark.parametrize("name", HERE)
def test_every_recorded_metric_follows_from_its_predictions(name):
    """Values by scikit-learn and numpy; intervals by the project's own bootstrap, whose tests are elsewhere."""
    record = read_record(name)
    keys = ["method", "target", "split"]
    for row in record.results.itertuples():
        part = record.predictions.loc[(record.predictions[keys] == [getattr(row, k) for k in keys]).all(axis=1)]
        # the file has eight digits of each prediction, which tie people whose probabilities lie nearer: a few pairs
        near = 1e-6 if part["y_score"].is_unique else 1e-4
        assert row.value == pytest.approx(ORACLES[row.metric](part["y_true"], part["y_score"]), abs=near)
        assert (row.n, row.n_groups) == (len(part), part["split_group"].nunique())
        assert row.ci_low <= row.value <= row.ci_high
    again = prediction_metrics(record.predictions.astype({"split_group": str}))
    # so an end of an interval may differ as well
    tied = record.predictions.duplicated([*keys, "y_score"]).any()
    pd.testing.assert_frame_equal(again, record.results, check_dtype=False, rtol=1e-5, atol=1e-4 if tied else 1e-5)


def test_metrics_of_predictions_by_hand():
    """Two of four pairs ranked right is 0.5; errors 1 and 1 make an MAE of 1, and opposite order r = -1."""
    base = {"method": "m", "split": "s", "split_group": list("abcd")}
    screened = pd.DataFrame({**base, "target": "loss", "y_true": [0, 1, 0, 1], "y_score": [0.1, 0.2, 0.4, 0.3]})
    measured = pd.DataFrame({**base, "target": "t", "y_true": [1.0, 2.0, 3.0, 4.5], "y_score": [4.0, 3.0, 2.0, 0.5]})
    found = prediction_metrics(pd.concat([screened, measured]), 200).set_index("metric")["value"]
    assert found["auroc"] == 0.5
    assert found["mae"] == pytest.approx((3 + 1 + 1 + 4) / 4)
    assert found["pearson_r"] == pytest.approx(np.corrcoef([1, 2, 3, 4.5], [4, 3, 2, 0.5])[0, 1])
