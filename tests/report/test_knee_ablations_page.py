import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from osteolib.report import knee_ablations_page as page
from osteolib.report.ablation import compare_steps
from osteolib.runs.recorded import find_cell
from osteolib.screen.knee_parts import RELEASED, STAGES
from osteolib.screen.knee_parts_cells import FROZEN, OWN
from osteolib.stats import sensitivity_constrained_threshold

USES = "strnet-stage1"
RNG = np.random.default_rng(0)
N = 240
Y = np.arange(N) % 3 > 0


def network(method, gain, targets=("bone_loss", "severity", "t_score")):
    """Test and validation knees of one network; two knees a film."""
    rows = pd.DataFrame({"unit_id": [f"k{i}" for i in range(N)], "split_group": [f"f{i // 2}" for i in range(N)],
                         "split": np.where(np.arange(N) < 160, "test", "validation"), "method": method})  # fmt: skip
    score = 1 / (1 + np.exp(-(gain * Y - gain / 2 + 0.7 * SHARED + 0.3 * RNG.normal(size=N))))
    tables = {"bone_loss": rows.assign(y_true=Y.astype(float), y_score=score),
              "severity": rows[Y].assign(y_true=(np.arange(Y.sum()) % 2).astype(float), y_score=RNG.random(Y.sum())),
              "t_score": rows[Y].assign(y_true=-2.0, y_score=-1.5)}  # fmt: skip
    return pd.concat(tables[t].assign(target=t) for t in targets)


SHARED = RNG.normal(size=N)
STAGE_TARGETS = {"B0": ("bone_loss",), "B1": ("bone_loss",), "B2": ("bone_loss", "severity")}
ALL = pd.concat(network(stage, 0.2 if stage == "B0" else 3.0, STAGE_TARGETS.get(stage, ("bone_loss", "severity",
                "t_score"))) for stage in (*STAGES, RELEASED))  # fmt: skip


def test_table_4_is_read_as_it_is_printed():
    printed = page.paper_values()
    assert printed.loc["B0", "AUROC"] == 0.916 and printed.loc["B4", "T-score RMSE"] == 0.418
    assert np.isnan(printed.loc["B1", "severity AUROC"]) and page.n_tested() == 224
    steps = page.steps()
    assert steps["B0"].printed == pytest.approx((-0.017,)) and steps["B3"].printed == pytest.approx((-0.004,))
    assert [steps[s].base for s in ("B3", "B2", "B1", "B0")] == ["", "B3", "B2", "B1"] and not steps[RELEASED].printed


def test_only_the_planted_loss_is_told_from_no_change_and_films_are_the_groups(run):
    page.show_differences(run, "live", "by film", ALL, 200, 0)
    shown = pd.read_csv(run.folder / "live_steps.csv", index_col=0)
    assert shown["it is"].to_dict() == {"B3": "cannot tell", "B2": "cannot tell", "B1": "cannot tell", "B0": "a loss",
                                        RELEASED: "cannot tell"}  # fmt: skip
    test = ALL.query("method == 'B0' and target == 'bone_loss' and split == 'test'")
    assert shown.loc["B0", "AUROC (95 % CI)"].startswith(f"{roc_auc_score(test['y_true'], test['y_score']):.2f} (")
    assert shown.loc["B3", "printed"] == "−0.004" and shown.loc["B0", "printed"] == "−0.017"
    assert run.facts["live_clear"].startswith("*B0*, a loss") and run.facts["live_largest"] == pytest.approx(0.017)
    own = page.scored(ALL, page.steps(), "B4")
    assert len(own.y) == 160 and len(set(own.groups)) == 80
    assert set(compare_steps(own, page.steps(), "B4", 200, 0).methods) == {*STAGES, RELEASED}


def test_a_stage_has_the_columns_of_its_heads_and_the_rmse_is_that(run):
    page.show_table_4(run, {"live": ALL}, 200, 0)
    shown = pd.read_csv(run.folder / "table_4.csv")
    ours = shown[shown["run"] == "live"].set_index("stage")
    assert ours.loc["B0 baseline", "severity AUROC"] == "–" == ours.loc["B2 + severity head", "T-score RMSE"]
    assert ours.loc["B4 + TARR", "T-score RMSE"].startswith("0.50") and RELEASED in ours.index
    printed = shown[shown["run"].str.startswith("printed")].set_index("stage")
    assert printed.loc["B4 + TARR", "AUROC"] == "0.933" and len(printed) == 5


def test_the_threshold_comes_from_validation_knees_alone():
    rows = network("m", 3.0)
    test, valid = (rows.query("split == @part and target == 'bone_loss'") for part in ("test", "validation"))
    found = page.measured(rows, 200, 0)
    called = (
        test["y_score"] >= sensitivity_constrained_threshold(valid["y_true"].astype(int), valid["y_score"]).threshold
    )
    assert found["sensitivity"].startswith(f"{called[test['y_true'] == 1].mean():.2f} (")
    assert found["specificity"].startswith(f"{1 - called[test['y_true'] == 0].mean():.2f} (")
    easier = rows.assign(y_score=rows["y_score"].where(rows["split"] == "test", rows["y_score"] ** 2))
    assert page.measured(easier, 200, 0)["sensitivity"] != found["sensitivity"]


def test_missing_cells_and_failed_backbones_are_said(run, monkeypatch):
    class Record:
        run = {"configuration": {"failed": {"VGG19": "RuntimeError: not enough memory\nmore"}}}  # noqa: RUF012

    monkeypatch.setattr(page, "read_record", lambda name: Record if "backbones" in name else None)
    monkeypatch.setattr(page, "state_of", lambda name: "not recorded yet")
    found = page.show_cells(run, ["knee-parts-film-0", "knee-backbones-film-0"])
    assert list(found) == ["knee-backbones-film-0"] and run.facts["missing"] == "knee-parts-film-0, not recorded yet"
    assert run.facts["missing_hours"] == find_cell("knee-parts-film-0").hours
    assert run.facts["failed"] == "VGG19 in knee-backbones-film-0: RuntimeError: not enough memory"


def test_backbones_stand_beside_the_one_from_photographs_trained_and_frozen(run):
    nets = pd.concat([network(OWN, 3.0), network("VGG19", 0.2), network("Swin-T", 2.9),
                      network(FROZEN.format("VGG19"), 0.1, ("bone_loss",))])  # fmt: skip
    page.show_backbones(run, {"by film": nets}, 200, 0)
    shown = pd.read_csv(run.folder / "backbones.csv").set_index("backbone")
    assert shown.loc[OWN, "start"] == "ImageNet" and set(shown.loc[["VGG19", "Swin-T"], "start"]) == {"random"}
    assert shown.loc["Swin-T", "AUROC, frozen"] == "–" != shown.loc["VGG19", "AUROC, frozen"]
    assert "1 of 2 lie beyond chance behind" in run.facts["backbones"] and "Swin-T leads" in run.facts["backbones"]


def test_without_a_record_there_is_no_table_of_backbones(run):
    page.show_backbones(run, {}, 200, 0)
    assert not (run.folder / "backbones.csv").exists()
