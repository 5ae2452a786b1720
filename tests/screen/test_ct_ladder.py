from dataclasses import asdict, replace

import pytest

from osteolib.report.published import load_published
from osteolib.screen import ct_ladder as ladder
from osteolib.screen.ct_ladder import LADDER, NOT_ATTEMPTED, TABLE_2, TABLE_4, ladder_recipes
from osteolib.screen.moe_training import Recipe

BASE = Recipe("resnet18-half", epochs=2, seed=4)
METHODS = ("swav", "tp-swav", "mae")


@pytest.fixture
def starts(tmp_path):
    files = {method: tmp_path / f"{method}.safetensors" for method in METHODS}
    for file in files.values():
        file.write_bytes(b"weights")
    return files


def printed_ids():
    ids = load_published("tpswav2025_ct")["published_id"].str.removeprefix("tpswav2025_ct.")
    return set(ids)


def test_every_printed_row_is_trained_or_has_its_reason():
    ids = printed_ids()
    rows = {name.split(".")[2] for name in ids if name.startswith(("T2.", "T3."))}
    rows |= {name.removeprefix("T5.").rsplit(".", 1)[0] for name in ids if name.startswith("T5.")}
    trained = {rung.printed for rung in LADDER.values() if rung.printed}
    assert trained | set(NOT_ATTEMPTED) == rows and not trained & set(NOT_ATTEMPTED)
    assert all(f"T4.{short}.{site}" in ids for short in TABLE_4.values() for site in "ABCD")
    assert len([name for name in ids if name.startswith("T4.")]) == 4 * len(TABLE_4)


def test_each_step_of_the_ladder_changes_one_thing(starts):
    recipes = ladder_recipes(BASE, starts, {"mae": "vit-tiny"})
    assert list(recipes) == list(LADDER)

    def changed(a, b):
        one, other = asdict(recipes[a]), asdict(recipes[b])
        return {key for key in one if one[key] != other[key]}

    assert changed(ladder.SCRATCH, ladder.SWAV) == changed(ladder.SWAV, ladder.TP_SWAV) == {"start"}
    assert changed(ladder.TP_SWAV, ladder.SINGLE) == {"loss_weights"}
    assert changed(ladder.SINGLE, ladder.FULL) == {"n_experts"}
    assert changed(ladder.SCRATCH, ladder.AGAIN) == {"seed"}
    assert changed(ladder.SCRATCH, ladder.MAE) == {"start", "encoder"}
    assert all(changed(ladder.SCRATCH, name) == {"loss_weights"} for name in list(TABLE_4)[1:])
    assert recipes[ladder.SCRATCH_UNIFIED] == replace(BASE, n_experts=1)  # what other pages train, too
    assert recipes[ladder.FULL] == replace(BASE, start=str(starts["tp-swav"]))


def test_the_weights_of_the_losses_are_the_papers():
    assert [LADDER[name].loss_weights for name in TABLE_4] == [(1, 0, 0), (1, 1, 0), (1, 0, 0.5), (1, 1, 0.5)]
    assert len(TABLE_2) == 6


def test_a_start_that_is_missing_is_named(starts, tmp_path):
    with pytest.raises(ValueError, match="no start for mae: pre-train all of mae, swav, tp-swav"):
        ladder_recipes(BASE, {k: v for k, v in starts.items() if k != "mae"})
    with pytest.raises(ValueError, match=r"no file .*gone.safetensors: pre-train it again"):
        ladder_recipes(BASE, starts | {"swav": tmp_path / "gone.safetensors"})
    with pytest.raises(ValueError, match="encoder must be one of"):
        ladder_recipes(BASE, starts, {"mae": "vit-huge"})
