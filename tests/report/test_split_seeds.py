import json

import numpy as np
import pandas as pd
import pytest

from osteolib.report import split_seeds as page
from osteolib.runs.recorded import list_cells
from osteolib.stats.seeds import seeded_steps


def recorded(values):
    return pd.DataFrame(values, index=pd.Index(range(len(values)), name="seed"), columns=list(page.SPLITS))


def test_the_declared_cells_make_a_full_grid_and_a_missing_one_is_a_gap():
    found = page.recorded_aurocs()
    assert found.shape == (3, 4) and list(found.columns) == list(page.SPLITS)
    for seed, split in ((0, "image"), (0, "film"), (1, "image")):
        results = pd.read_csv(page.RECORDED / f"stage1-{split}-{seed}" / "results.csv")
        own = results[
            (results["target"] == "bone_loss") & (results["metric"] == "auroc") & (results["split"] == "test")
        ]
        assert found.loc[seed, split] == own["value"].item()
    missing = [(int(name[-1]), name.split("-")[1]) for name in list_cells() if name.startswith("stage1-")
               and "random" not in name and not (page.RECORDED / name / "run.json").is_file()]  # fmt: skip
    assert found.isna().sum().sum() == len(missing) and all(np.isnan(found.loc[key]) for key in missing)


def test_what_a_split_changes_is_the_mixed_models_with_gaps_named(run):
    values = recorded([[0.93, 0.88, 0.77, 0.75], [0.91, 0.9, np.nan, 0.72], [0.92, np.nan, 0.8, 0.7]])
    page.show_seeds(run, values)
    expected = seeded_steps(values.to_numpy())
    shown = pd.read_csv(run.folder / "seeds.csv").set_index("split")
    assert shown.loc["by picture", "seed 1"] == "not recorded" and shown.loc["by film", "seed 2"] == "0.700"
    assert shown.loc["by film", "less by image (95 % CI)"].startswith(
        f"{expected.difference[2]:+.2f}".replace("-", "−")
    )
    assert run.facts["n_seeded"] == 10 and run.facts["last_split"] == "film"
    assert run.facts["sd_rest"] == pytest.approx(expected.sd_rest)
    json.dumps(run.facts)


@pytest.mark.parametrize(
    "values",
    [
        [[0.9, 0.8, 0.7, 0.7]],
        [[0.9, 0.8, 0.7, 0.7], [0.9, np.nan, np.nan, np.nan]],
        [[np.nan, 0.8, 0.7, 0.7], [np.nan, 0.8, 0.7, 0.6]],
    ],
)
def test_too_few_recorded_seeds_are_said(values, run, capsys):
    page.show_seeds(run, recorded(values))
    assert "n_seeded" not in run.facts and not (run.folder / "seeds.csv").exists()
