import sys
from importlib.util import find_spec

import numpy as np
import pandas as pd
import pytest
import torch

from osteolib.screen import ct_swin_unetr as cell
from osteolib.screen.ct_study import CTStudy

HERE = find_spec("monai") is not None
needs_monai = pytest.mark.skipif(not HERE, reason="needs the extra: pip install -e .[ct]")
pytestmark = pytest.mark.filterwarnings("ignore")  # of MONAI's import and of its layers


def study(n=24):
    """Vertebrae in turn ill and not, cubes bright where ill."""
    y = np.arange(n) % 2
    part = np.arange(n) // 2 % 3
    rows = pd.DataFrame({"unit_id": [f"v{k}" for k in range(n)], "label": np.where(y, "osteoporosis", "normal")})
    cubes = 60 + 120 * y[:, None, None, None, None] + np.random.default_rng(0).integers(0, 20, (n, 1, 32, 32, 32))
    parts = {name: part == k for k, name in enumerate(("train", "validation", "test"))}
    return CTStudy(rows, np.zeros((n, 3, 8, 8), np.uint8), parts, rows[:0], {"cohort": "made-up"}), cubes.astype(
        np.uint8
    )


@needs_monai
def test_a_cube_has_one_logit_and_the_head_reads_sixteen_times_the_features():
    net = cell.SwinEncoder(features=12)
    assert net.head.in_features == 192 and net(torch.zeros(2, 1, 32, 32, 32)).shape == (2,)


@needs_monai
def test_cubes_that_brightness_parts_are_parted_and_only_others_are_scored(tmp_path, monkeypatch):
    monkeypatch.setattr("osteolib.runs.store.STORE", tmp_path)
    of, cubes = study()
    folder = cell.train_swin_unetr(of, cubes, epochs=4, seed=0, features=12)
    scores = pd.read_parquet(folder / "scores.parquet")
    assert set(scores["unit_id"]) == set(of.rows["unit_id"][~of.parts["train"]])
    ill = of.rows.set_index("unit_id").loc[scores["unit_id"], "label"].eq("osteoporosis").to_numpy()
    assert scores["score"][ill].min() > scores["score"][~ill].max()
    assert cell.train_swin_unetr(of, cubes, epochs=4, seed=0, features=12) == folder  # from the store


def test_without_monai_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "monai.networks.nets", None)
    with pytest.raises(ValueError, match=r"needs MONAI, which is an extra: pip install -e '\.\[ct\]'"):
        cell.SwinEncoder()
