"""Proof of value: five steps of each kind of training give the loss curve that is stored here.

One thread, float32. Whoever changes a curve says why in the commit that stores the new one
(``python tests/test_loss_curves.py`` prints all of them).
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from osteolib.runs import store

STORED = Path(__file__).with_name("loss_curves.json")
N, STEPS = 24, 5
RNG = np.random.default_rng(0)
X = np.abs(np.linspace(-1, 1, 32))
WIDTH = RNG.uniform(0.3, 0.9, N)
GREY = np.stack([np.tile((w > X) * np.where(0.7 * w > X, 0.4, 1.0) * 200, (32, 1)) for w in WIDTH]).astype(np.uint8)
NAMES = np.array([f"S{i:02d}" for i in range(N)])
Y = (WIDTH < 0.6).astype(int)
PART = np.array(["train"] * 14 + ["validation"] * 5 + ["test"] * 5)
CROPS = ((2, 24, (0.3, 1)), (1, 17, (0.1, 0.3)))


def pre_training(method: str, folder: Path) -> pd.DataFrame:
    from osteolib.ssl.pretrain import Recipe, pretrain
    from osteolib.views.multicrop import Crop

    recipe = Recipe(method, "resnet18-half", "small", tuple(Crop(*crop) for crop in CROPS), epochs=STEPS, batch_size=N)
    labels = Y.astype(float) if method == "supcon" else np.full(N, np.nan)
    return pretrain(GREY, NAMES, labels, (), recipe, folder).history


def mixture(folder: Path) -> pd.DataFrame:
    from osteolib.segment.training import Annotated, Recipe, train_mixture

    images = torch.from_numpy(GREY[:6])[:, None] / 255
    labels = torch.stack([images[:, 0] > 0.3, images[:, 0] > 0.6], dim=1).to(torch.uint8)
    data = Annotated(images, labels, torch.full((6, 2), 0.5))
    return train_mixture(data, data.take([0, 1]), Recipe(epochs=STEPS, batch=6), folder)[1].history


def screening(folder: Path) -> pd.DataFrame:
    from osteolib.screen.knee_folds import Recipe, train_once

    subjects = pd.DataFrame({
        "unit_id": NAMES, "label": np.where(Y == 1, np.where(WIDTH < 0.45, "osteoporosis", "osteopenia"), "normal"),
        "t_score": 4 * WIDTH - 3, "age_years": 50.0 + np.arange(N), "sex": ["F", "M"] * (N // 2), "bmi_kg_m2": 25.0,
    })  # fmt: skip
    recipe = Recipe(backbone="resnet18", image_size=32, epochs=STEPS)
    made = train_once(subjects, GREY, {name: name == PART for name in ("train", "validation", "test")}, recipe, {})
    return pd.read_parquet(made / "history.parquet")


def labelled_bones(folder: Path) -> pd.DataFrame:
    from osteolib.screen.taught_bones import Taught, supervised
    from osteolib.views.multicrop import Crop

    # at the rate of the pages a last digit grows too fast to tell a change of code from one of processor
    recipe = Taught(crops=tuple(Crop(*c) for c in CROPS), augmentation="lee2025", min_content=0.1, epochs=STEPS,
                    batch_size=N, lr=1e-4, weight_decay=1e-4)  # fmt: skip
    return pd.read_parquet(supervised(GREY, Y, NAMES, PART, recipe) / "history.parquet")


def linear_layer(folder: Path) -> pd.DataFrame:
    from osteolib.screen.bone_probe import linear_probe

    features = np.random.default_rng(1).normal(size=(N, 6)).astype(np.float32) + Y[:, None]
    return linear_probe(features, Y, NAMES, PART, epochs=STEPS)[1]


KINDS = {
    **{method: lambda folder, method=method: pre_training(method, folder)
       for method in ("simclr", "supcon", "swav", "vicreg")},
    "mixture": mixture, "screening": screening, "labelled bones": labelled_bones, "linear layer": linear_layer,
}  # fmt: skip


def curve(kind: str, folder: Path) -> list[float]:
    """The losses of one kind of training, in a store of its own; one thread, float32 everywhere."""
    threads = torch.get_num_threads()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "STORE", folder)
        patch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True})
        torch.set_num_threads(1)
        try:
            return KINDS[kind](folder / kind)["loss"].tolist()
        finally:
            torch.set_num_threads(threads)


def test_every_kind_of_training_has_its_curve():
    assert set(json.loads(STORED.read_text())) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_training_takes_the_steps_it_always_took(kind, tmp_path):
    # processors add in different orders, and what that leaves in the last digits grows from step to step: between AVX2
    # and AVX-512 by up to 2e-5, 2e-4 and 2e-3 in the second, third and later steps
    for step, (now, then) in enumerate(zip(curve(kind, tmp_path), json.loads(STORED.read_text())[kind], strict=True)):
        assert now == pytest.approx(then, rel=(2e-5, 1e-4, 1e-3, 1e-2, 1e-2)[step]), step


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        print(json.dumps({kind: curve(kind, Path(name)) for kind in KINDS}, indent=1))
