import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from osteolib.report import ct_experts_order as ordered
from osteolib.report import ct_recorded as page
from osteolib.runs.recorded import Record, find_cell, read_record
from osteolib.screen.ct_cells import BACKBONES
from osteolib.screen.ct_devices import CROSSED, EXPERTS, ONE, PAPER, TOLD
from osteolib.screen.ct_frozen import INSTALLED, UNTRAINED
from osteolib.screen.ct_makers import own_offset

USES = "vertebra-phantom"
ABOUT = {"n_phantoms": 1200, "epochs": 40, "n_test": 160}


def vertebrae(share, shift, seed=0):
    """Two vertebrae of 80 people each; BMD follows a share of the maker, a score errs by ``1 - shift``."""
    rng = np.random.default_rng(seed)
    who, k = np.repeat(np.arange(80), 2), np.arange(160)
    true = np.repeat(rng.normal(0.95, 0.12, 80), 2)
    device = np.array(["GE Lunar", "Hologic", "MEDIX"])[who % 3]
    offset, noise = own_offset(true, device), rng.normal(0, 0.15, 160) * (1 - shift)
    return pd.DataFrame({
        "unit_id": [f"v{n}" for n in k], "subject_id": [f"p{n}" for n in who], "split_group": [f"p{n}" for n in who],
        "site": np.array(list("ABCD"))[who % 4], "device": device, "bmd_true_g_cm2": true, "bmd_g_cm2": true + offset,
        "bmd_predicted": true + share * offset, "y": (true < 0.9).astype(int),
        "score": 1 / (1 + np.exp(20 * (true + noise - 0.9))),
    })  # fmt: skip


NETWORKS = {ONE: (0.0, 0.0), TOLD: (1.0, 0.0), EXPERTS: (0.5, 0.9)}
SCORED = {a: {name: vertebrae(*how) for name, how in NETWORKS.items()} for a in (PAPER, CROSSED)}


def predictions():
    rows = []
    for arrangement, of in SCORED.items():
        for name, v in of.items():
            own = v.assign(split=arrangement, method=name)
            rows += [own.assign(target="osteoporosis", y_true=v["y"] * 1.0, y_score=v["score"]),
                     own.assign(target="bmd", y_true=v["bmd_g_cm2"], y_score=v["bmd_predicted"])]  # fmt: skip
    return pd.concat(rows, ignore_index=True).drop(columns=["y", "score", "bmd_g_cm2", "bmd_predicted"])


def test_predictions_come_back_as_the_vertebrae_that_the_page_scores():
    found = page.scored_of(predictions())
    for arrangement, of in SCORED.items():
        for name, v in of.items():
            own = found[arrangement][name].set_index("unit_id").loc[v["unit_id"]].reset_index()
            pd.testing.assert_frame_equal(own[v.columns.drop("split_group")], v.drop(columns="split_group"))


def test_recorded_experts_stand_beside_live_or_are_said_to_be_missing(run, monkeypatch):
    cell = find_cell("ct-experts-0")
    orders = {a: ordered.order(of, [(EXPERTS, ONE)], 100, 0) for a, of in SCORED.items()}
    monkeypatch.setattr(page, "read_record", lambda name: None)
    page.show_experts(run, cell.name, SCORED, orders, 100, 0)
    assert run.facts["declared_people"] == 1200 and run.facts["declared_epochs"] == 40
    table = predictions()
    record = Record(cell, table, table, table, {"configuration": ABOUT}, stale=True)
    monkeypatch.setattr(page, "read_record", lambda name: record)
    page.show_experts(run, cell.name, SCORED, orders, 100, 0)
    shown = pd.read_csv(run.folder / "recorded.csv")
    assert set(shown["run"]) == {"live, this page", "recorded"} and len(shown) == 12
    one = SCORED[PAPER][EXPERTS]
    assert shown.iloc[-4]["AUROC, all hospitals"].startswith(f"{roc_auc_score(one['y'], one['score']):.2f}")
    assert run.facts["recorded_follow"].startswith("0.50") and run.facts["recorded_word"] == "gain"
    assert "other code" in run.facts["recorded_code"]


@pytest.mark.parametrize(("equal", "word"), [(False, "Swin-T is the better"), (True, "cannot be told apart")])
def test_recorded_backbones_are_compared_on_the_same_vertebrae(run, monkeypatch, equal, word):
    cell = find_cell("ct-swin-0")
    monkeypatch.setattr(page, "read_record", lambda name: None)
    page.show_backbones(run, cell.name, 100, 0)
    assert run.facts["declared_epochs"] == cell.options["epochs"] == 20
    rng, of, rows = np.random.default_rng(1), vertebrae(0, 1), []
    for k, name in enumerate(BACKBONES):
        score = of["y"] + rng.normal(0, 1 if k else 0.1, 160)
        rows.append(of.assign(method=name, y_true=of["y"] * 1.0, y_score=score))
    if equal:
        rows[0]["y_score"] = rows[1]["y_score"]
    table = pd.concat(rows, ignore_index=True)
    record = Record(cell, table, table, table, {"configuration": ABOUT}, stale=False)
    monkeypatch.setattr(page, "read_record", lambda name: record)
    page.show_backbones(run, cell.name, 100, 0)
    assert word in run.facts["backbones_word"] and run.facts["recorded_code"] == ""
    assert run.facts["backbones"].startswith(f"Swin-T {roc_auc_score(of['y'], rows[0]['y_score']):.2f}")


def test_an_encoder_that_installs_is_set_beside_the_recorded_ones(run, monkeypatch):
    cell = find_cell("ct-frozen-0")
    monkeypatch.setattr(page, "read_record", lambda name: None)
    page.show_frozen(run, cell.name, 100, 0)
    assert run.facts["declared_epochs"] == 40
    rng, of, rows = np.random.default_rng(2), vertebrae(0, 1), []
    for name, noise in ((INSTALLED, 0.02), ("tp-swav", 3.0), (UNTRAINED, 1.0), ("random resnet18-half", 0.1)):
        density = of["bmd_true_g_cm2"]
        rows += [of.assign(method=name, target="osteoporosis", y_true=of["y"] * 1.0,
                           y_score=of["y"] + rng.normal(0, noise, 160)),
                 of.assign(method=name, target="density", y_true=density,
                           y_score=density + rng.normal(0, noise, 160)),
                 of.assign(method=name, target="size", y_true=density,
                           y_score=density + rng.normal(0, 0.1, 160))]  # fmt: skip
    table = pd.concat(rows, ignore_index=True)
    history = pd.DataFrame(
        {"method": "tp-swav", "loss": [3.0, 0.9], "collapsed_loss": 3.5, "effective_rank": [9.0, 19]}
    )
    record = Record(cell, table, history, table, {"configuration": ABOUT}, stale=False)
    monkeypatch.setattr(page, "read_record", lambda name: record)
    page.show_frozen(run, cell.name, 100, 0)
    assert run.facts["installed_auroc"].startswith("1.00") and run.facts["installed_word"] == "above"
    r = np.corrcoef(rows[1]["y_true"], rows[1]["y_score"])[0, 1]
    assert run.facts["pool_lost"].startswith("−") and run.facts["pool_kept"].startswith(("+0.0", "−0.0"))
    assert (run.facts["pool_loss"], run.facts["pool_rank"]) == (0.9, 19)
    assert run.facts["installed_density"].startswith(f"{r:.2f}") and "TP-SwAV, pool" in set(
        pd.read_csv(run.folder / "recorded.csv")["reader"]
    )


def test_the_recorded_vertebrae_are_those_of_the_test_part_in_both_arrangements():
    found = page.scored_of(read_record("ct-experts-0").predictions)
    n = read_record("ct-experts-0").run["configuration"]["n_test"]
    assert {len(v) for of in found.values() for v in of.values()} == {n}
