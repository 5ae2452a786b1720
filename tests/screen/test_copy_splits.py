"""STR-Net under one split: who gets a row of the other set, which shares test and validation take, what is scored."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from osteolib.screen import stage1_cells
from osteolib.screen.copy_splits import parts_by, train_under, with_rows
from osteolib.screen.knee_folds import Recipe


def test_only_a_file_that_is_one_film_of_the_other_set_gets_its_row():
    knees = pd.DataFrame({
        "unit_id": list("abcd"), "wani_id": ["N1", "N1", "N2", None], "wani_names": [1, 1, 2, 0],
        "wani_file": [True, False, True, False],
    })  # fmt: skip
    people = pd.DataFrame({"image_id": ["N1", "N1", "N2"], "age_years": [40.0, 40.0, 50.0], "sex": ["F", "F", "M"],
                           "bmi_kg_m2": [20.0, 20.0, 30.0], "t_score": [-0.5, -0.5, -0.9]})  # fmt: skip
    found = with_rows(knees, people)
    assert found["t_score"].tolist() == pytest.approx([-0.5, np.nan, np.nan, np.nan], nan_ok=True)
    assert found["sex"].isna().tolist() == [False, True, True, True]


@pytest.fixture
def drawn(tmp_path, monkeypatch) -> pd.DataFrame:
    """28 films of 2 files with the same bytes; every seventh film has a T-score."""
    monkeypatch.setattr("osteolib.runs.store.STORE", tmp_path / "store")
    rng, rows = np.random.default_rng(0), []
    for film in range(28):
        path = tmp_path / f"{film}.png"
        Image.fromarray(rng.integers(30, 220, (48, 40), np.uint8)).save(path)
        label = ("normal", "osteopenia", "osteoporosis", "normal")[film % 4]
        for copy in "ab":
            rows.append({"unit_id": f"{film}{copy}", "path": str(path), "sha256": f"{film:064d}", "label": label,
                         "bytes_group": str(film), "picture_group": str(film), "source_group": str(film)})  # fmt: skip
    table = pd.DataFrame(rows).assign(x0=0, y0=0, x1=40, y1=48, age_years=np.nan, sex=None, bmi_kg_m2=np.nan)
    known = table["source_group"].astype(int) % 7 == 0
    same = {"subject_id": table["source_group"], "split_group": table["source_group"], "image_id": table["unit_id"]}
    return table.assign(t_score=np.where(known, -1.5, np.nan), **same)


def test_parts_have_the_papers_shares_and_tear_no_group(drawn):
    parts = parts_by(drawn, "film", seed=0)
    assert [parts[name].sum() for name in ("test", "validation", "train")] == [8, 8, 40]
    for name in parts:
        assert drawn[parts[name]].groupby("source_group").size().eq(2).all()
    torn = parts_by(drawn, "image", seed=0)
    assert any(set(drawn[torn["test"]]["source_group"]) & set(drawn[torn["train"]]["source_group"]))


def test_predictions_name_what_training_saw(drawn):
    recipe = Recipe("resnet18", image_size=32, epochs=1, batch_size=16)
    for split, copied in {"film": False, "image": True}.items():
        folder = train_under(drawn, split, recipe, "abc")
        table = stage1_cells.scored_knees(drawn, split, recipe, pd.read_parquet(folder / "scores.parquet"))
        test = table.query("split == 'test'")
        train = set(drawn[parts_by(drawn, split, 0)["train"]]["source_group"])
        assert (test["copied"] == test["split_group"].isin(train)).all() and test["copied"].any() == copied
        assert set(test["target"]) <= {"bone_loss", "severity", "t_score"}
        loss = test.query("target == 'bone_loss'").set_index("unit_id")["y_true"]
        label = drawn.set_index("unit_id")["label"].loc[loss.index]
        assert (loss == (label != "normal")).all()
