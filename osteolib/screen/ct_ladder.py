"""The rows of Tables 2 to 5 of tpswav2025_ct as trainings, under the names that our pages give them.

A ladder: from random weights and the class alone, by another start, by two more tasks, to a mixture of experts. Rows of
which nothing is trained here keep their reason beside them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from osteolib.screen.ct_study import CLASS
from osteolib.screen.moe import LOSS_WEIGHTS, N_EXPERTS
from osteolib.screen.moe_training import Recipe

FULL, SINGLE = "TP-SwAV, unified + MoE", "TP-SwAV, unified"
SCRATCH, MAE, SWAV, TP_SWAV = "scratch", "MAE", "SwAV", "TP-SwAV"
SCRATCH_UNIFIED, AGAIN = "scratch, unified", "scratch, another seed"


@dataclass(frozen=True)
class Rung:
    """One row.

    Attributes
    ----------
    printed
        How the ids of published values call it in Tables 2 and 3; None where those tables do not have it.
    start
        What pre-trained its encoder: a method of :mod:`osteolib.screen.ct_starts`; None for random weights.
    loss_weights, n_experts
        As in :class:`osteolib.screen.moe_training.Recipe`.
    more_seed
        Added to the seed of the others: a training that differs in nothing else.
    """

    printed: str | None = None
    start: str | None = None
    loss_weights: tuple[float, float, float] = CLASS
    n_experts: int = 1
    more_seed: int = 0


LADDER = {
    SCRATCH: Rung("ResNet34|scratch|Lclass"),
    MAE: Rung("ViT|MAE|Lclass", "mae"),
    SWAV: Rung("ResNet34|SwAV|Lclass", "swav"),
    TP_SWAV: Rung("ResNet34|TP-SwAV|Lclass", "tp-swav"),
    SINGLE: Rung("ResNet34|TP-SwAV|Lunified", "tp-swav", LOSS_WEIGHTS),
    FULL: Rung("ResNet34+MoE|TP-SwAV|Lunified", "tp-swav", LOSS_WEIGHTS, N_EXPERTS),
    "scratch, class + BMD": Rung(loss_weights=(LOSS_WEIGHTS[0], LOSS_WEIGHTS[1], 0.0)),
    "scratch, class + position": Rung(loss_weights=(LOSS_WEIGHTS[0], 0.0, LOSS_WEIGHTS[2])),
    SCRATCH_UNIFIED: Rung(loss_weights=LOSS_WEIGHTS),
    AGAIN: Rung(more_seed=1),
}
"""All trainings; the last is a control, and the four called scratch but for it are Table 4."""
TABLE_2 = tuple(name for name, rung in LADDER.items() if rung.printed)
TABLE_4 = {
    SCRATCH: "Lclass", "scratch, class + BMD": "Lclass+LBMD", "scratch, class + position": "Lclass+Lposition",
    SCRATCH_UNIFIED: "Lunified",
}  # fmt: skip
"""Our name of a row of Table 4, and that in the ids of the published values."""

NOT_ATTEMPTED = {
    "Swin-UNETR|scratch|Lclass": "on cubes it needs an accelerator: declared for paper (ct-swin-unetr-0), not run",
    "nnFormer|Alice|Lclass": "neither Alice nor its weights install here as a package",
    "SwinT|SwinMM|Lclass": "neither SwinMM nor its weights install here as a package",
    "ResNet34|VOCO|Lclass": "neither VOCO nor its weights install here as a package",
    "SwinT|scratch|Lclass": "too slow to be trained live; a recorded run stands above",
    "SwinT|TP-SwAV|Lclass": "Swin-T at the paper's size needs an accelerator; not run",
    "SwinT+MoE|TP-SwAV|Lunified": "Swin-T at the paper's size needs an accelerator; not run",
}
"""Printed rows of Tables 2, 3 and 5 without a training of ours, and why."""


def ladder_recipes(
    base: Recipe, starts: Mapping[str, Path], encoders: Mapping[str, str] | None = None
) -> dict[str, Recipe]:
    """The recipe of each row of :data:`LADDER`.

    Parameters
    ----------
    base
        Encoder, epochs, seed and whatever else the rows share; its loss, experts, start and devices are each row's own.
    starts
        File of encoder weights by method: :func:`osteolib.screen.ct_starts.starts`.
    encoders
        The encoder of a method whose weights do not fit that of ``base``.

    Raises
    ------
    ValueError
        A row's start is missing, or its file is.
    """
    needed = dict.fromkeys(rung.start for rung in LADDER.values() if rung.start)
    if missing := [method for method in needed if method not in starts]:
        raise ValueError(f"no start for {', '.join(missing)}: pre-train all of {', '.join(needed)}")
    if gone := [str(starts[method]) for method in needed if not Path(starts[method]).is_file()]:
        raise ValueError(f"no file {gone[0]}: pre-train it again")
    return {
        name: replace(
            base,
            encoder=(encoders or {}).get(rung.start, base.encoder) if rung.start else base.encoder,
            start=str(starts[rung.start]) if rung.start else None,
            loss_weights=rung.loss_weights, n_experts=rung.n_experts, seed=base.seed + rung.more_seed,
        )
        for name, rung in LADDER.items()
    }  # fmt: skip
