"""The encoder of Swin-UNETR on whole cubes of vertebrae, from random weights, class alone (tpswav2025_ct, Tables 2, 3).

The network is MONAI's, an extra (``pip install -e '.[ct]'``); the paper's row has its encoder and a head for the class.
A cube takes some hundred times the work of the three planes of the other pages: a recorded run of profile ``paper``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from osteolib.cohorts import load_cohort
from osteolib.runs.recorded import Recording
from osteolib.runs.run import PREDICTION_COLUMNS
from osteolib.runs.store import resumable_artefact
from osteolib.screen.ct_devices import PAPER, PRESETS
from osteolib.screen.ct_images import vertebra_images
from osteolib.screen.ct_study import SPACING_MM, UNLABELLED, CTStudy, ct_study, pace
from osteolib.screen.moe_training import to_input, warm_up
from osteolib.stats.prediction_metrics import prediction_metrics
from osteolib.train import fit

NAME, SIZE = "Swin-UNETR", 64
"""Pixels along each side of a cube; the network halves it five times."""
FEATURES = 48
MODULES = {
    "swin_unetr": (__name__, "osteolib.screen.ct_study", "osteolib.screen.ct_images", "osteolib.screen.moe_training",
                   "osteolib.phantoms.vertebra.people", "osteolib.phantoms.vertebra.scanner", "osteolib.train"),
}  # fmt: skip
"""Whose code the predictions depend on."""
GIVEN: dict[str, Any] = {}  # nothing comes from outside


class SwinEncoder(nn.Module):
    """Cubes (n, 1, size, size, size), ``size`` a multiple of 32, to one logit each, (n,)."""

    def __init__(self, features: int = FEATURES) -> None:
        super().__init__()
        try:
            from monai.networks.nets import SwinUNETR
        except ImportError:
            raise ValueError("Swin-UNETR needs MONAI, which is an extra: pip install -e '.[ct]'") from None
        self.encoder = SwinUNETR(in_channels=1, out_channels=1, feature_size=features, spatial_dims=3).swinViT
        self.head = nn.Linear(16 * features, 1)

    def to(self, *given: Any, **options: Any) -> SwinEncoder:
        """As any module's, but that no layout of 2-D images is put on cubes (:func:`osteolib.train.fit` asks it)."""
        options.pop("memory_format", None)
        return super().to(*given, **options) if given or options else self

    def forward(self, cubes: Tensor) -> Tensor:
        return self.head(self.encoder(cubes, True)[-1].mean((2, 3, 4))).squeeze(1)


def train_swin_unetr(
    study: CTStudy, cubes: NDArray[np.uint8], epochs: int, seed: int, features: int = FEATURES
) -> Path:
    """The artefact of a training on the vertebrae of ``train``; the epoch with the least validation loss counts.

    It holds ``scores.parquet`` (``unit_id, part, score``) of validation and test, and ``history.parquet``. Rate,
    warm-up and patience are those of the study's other networks (:mod:`osteolib.screen.moe_training`).

    Parameters
    ----------
    cubes
        Shape (n, 1, size, size, size), uint8, in the order of ``study.rows``.
    """
    y = torch.from_numpy(study.rows["label"].eq("osteoporosis").to_numpy(np.float32))
    train, validation = (np.flatnonzero(study.parts[name]) for name in ("train", "validation"))
    about = {"lr": 1e-5, "warmup": 150} | pace(epochs)

    def batches(epoch: int, generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
        for rows in np.array_split(train[torch.randperm(len(train), generator=generator).numpy()], -(-len(train) // 8)):
            yield to_input(cubes[rows]), y[rows]

    def loss(model: nn.Module, batch: tuple[Tensor, Tensor], epoch: int) -> dict[str, Tensor]:
        return {"loss": functional.binary_cross_entropy_with_logits(model(batch[0]).float(), batch[1])}

    def logits(model: nn.Module, rows: NDArray) -> Tensor:
        device = next(model.parameters()).device
        with torch.no_grad():
            return torch.cat([model(to_input(cubes[rows[k : k + 8]]).to(device)).float().cpu()
                              for k in range(0, len(rows), 8)])  # fmt: skip

    def validate(model: nn.Module) -> dict[str, float]:
        found = functional.binary_cross_entropy_with_logits(logits(model, validation), y[validation])
        return {"negative_loss": -float(found)}

    def make(folder: Path, unfinished: Path) -> None:
        torch.manual_seed(seed)
        net = SwinEncoder(features)
        fitted = fit(net, loss, batches, validate, folder=unfinished, monitor="negative_loss", epochs=epochs, seed=seed,
                     optimizer=partial(torch.optim.AdamW, lr=about["lr"], weight_decay=0.1),
                     schedule=partial(warm_up, epochs=about["warmup"]), stop_patience=max(5, epochs // 3))  # fmt: skip
        fitted.history.to_parquet(folder / "history.parquet")
        tables = []
        for part in ("validation", "test"):
            rows = np.flatnonzero(study.parts[part])
            said = torch.sigmoid(logits(net.eval(), rows)).double().numpy()
            tables.append(study.rows.loc[rows, ["unit_id"]].assign(part=part, score=said))
        pd.concat(tables, ignore_index=True).to_parquet(folder / "scores.parquet")

    key = {**study.key, "cube": cubes.shape[2], "epochs": epochs, "seed": seed, "features": features, **about}
    return resumable_artefact("vertebra-swin-unetr", key, MODULES["swin_unetr"], make)


def swin_unetr(sizes: Mapping[str, Any], seed: int) -> Recording:
    """The recorded cell: probability of osteoporosis of the study's test vertebrae."""
    cohort = load_cohort("vertebra-phantom", n_subjects=sizes["n_ct_study"], seed=seed, preset=PRESETS[PAPER],
                         unlabelled=UNLABELLED)  # fmt: skip
    study = ct_study(cohort)
    cubes = vertebra_images(study.rows, SIZE, SPACING_MM * 48 / SIZE, planes=False, key=study.key)
    folder = train_swin_unetr(study, cubes, sizes["ct_epochs"], seed)
    scores = pd.read_parquet(folder / "scores.parquet").query("part == 'test'")
    rows = study.rows[study.parts["test"]].merge(scores, on="unit_id", validate="one_to_one")
    predictions = rows.assign(
        cohort=cohort.name, split="test", fold=0, seed=seed, method=NAME, target="osteoporosis",
        y_true=rows["label"].eq("osteoporosis").astype(float), y_score=rows["score"],
    )[[*PREDICTION_COLUMNS, "split_group"]]  # fmt: skip
    about = {"backbone": NAME, "initialisation": "none", "image_size": SIZE, "epochs": sizes["ct_epochs"],
             "n_phantoms": sizes["n_ct_study"]}  # fmt: skip
    about |= {f"n_{part}": int(own.sum()) for part, own in study.parts.items()}
    used = {cohort.name: {"kind": cohort.kind, "fingerprint": cohort.fingerprint}}
    history = pd.read_parquet(folder / "history.parquet").assign(fold=0)
    return Recording(predictions, history, prediction_metrics(predictions), used, about)
