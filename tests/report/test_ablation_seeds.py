import pandas as pd
import pytest

from osteolib.report import ablation_seeds as page
from osteolib.runs.recorded import find_cell
from osteolib.stats.seeds import seeded_steps

CELLS = ["hand-parts-0", "hand-parts-1", "hand-parts-2"]
FULL = "full method"
WORDS = ["−0.10 (−0.20 to −0.00)", "+0.00 (−0.10 to +0.10)"]
LIVE = pd.DataFrame({"method": ["costs", "nothing"], "difference": WORDS})
AUROCS = pd.DataFrame({FULL: [0.80, 0.82, 0.78], "costs": [0.69, 0.72, 0.68], "nothing": [0.81, 0.81, 0.79]}, CELLS)


class Record:
    def __init__(self, value):
        self.results = pd.DataFrame([
            {"method": FULL, "target": "osteoporosis", "metric": "auroc", "split": "test", "value": value},
            {"method": FULL, "target": "osteoporosis", "metric": "auprc", "split": "test", "value": 0.1},
            {"method": FULL, "target": "t_score", "metric": "auroc", "split": "test", "value": 0.2},
            {"method": FULL, "target": "osteoporosis", "metric": "auroc", "split": "validation", "value": 0.3},
        ])  # fmt: skip


def test_a_cell_is_a_row_and_one_without_a_record_a_gap(monkeypatch):
    monkeypatch.setattr(page, "read_record", lambda name, _: None if name.endswith("1") else Record(0.7))
    found = page.auroc_by_seed(CELLS, "osteoporosis")
    assert found.index.tolist() == CELLS and found[FULL].isna().tolist() == [False, True, False]
    assert found.loc["hand-parts-2", FULL] == 0.7


def test_the_change_over_seeds_stands_beside_the_pages_and_only_the_planted_loss_is_named(run):
    page.show_seeds(run, AUROCS, FULL, LIVE)
    shown = pd.read_csv(run.folder / "seeds.csv", index_col=0)
    expected = seeded_steps(AUROCS.to_numpy())
    assert shown.loc["costs", "recorded, over seeds"].startswith(f"−{-expected.difference[0]:.2f} (")
    assert shown.loc["costs", "this page, one seed"] == LIVE["difference"][0]
    assert shown.loc["nothing", "least and most of a seed"] == "−0.01, +0.01"
    facts = run.facts
    assert (facts["seeds_losses"], facts["seeds_gains"], facts["n_signs"]) == ("costs", "none", 1)
    assert facts["sd_rest"] == pytest.approx(expected.sd_rest) and facts["full_over_seeds"] == pytest.approx(0.8)


def test_missing_seeds_are_named_with_their_hours_and_two_still_make_a_model(run, monkeypatch):
    monkeypatch.setattr(page, "state_of", lambda name: "not recorded yet")
    gap = AUROCS.copy()
    gap.loc["hand-parts-1"] = float("nan")
    page.show_seeds(run, gap, FULL, LIVE)
    assert run.facts["seeds_missing"] == "hand-parts-1, not recorded yet" and run.facts["n_seeds_recorded"] == 2
    assert run.facts["seeds_hours"] == find_cell("hand-parts-1").hours


def test_one_seed_makes_no_model(run, monkeypatch):
    monkeypatch.setattr(page, "state_of", lambda name: "failed on 2026-01-01: ValueError: no room")
    gap = AUROCS.copy()
    gap.iloc[1:] = float("nan")
    page.show_seeds(run, gap, FULL, LIVE)
    assert "failed on" in run.facts["seeds_missing"] and not (run.folder / "seeds.csv").exists()
