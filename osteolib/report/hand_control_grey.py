"""What ranks inside the bone do on real films, in the control on real hands: bone age with and without them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
from numpy.typing import NDArray

from osteolib.report.comparison import Comparison, compare_statistics
from osteolib.report.hand_control_page import AGE, OTHERS, REAL, mean_spearman
from osteolib.report.hand_ssl import FILMED
from osteolib.report.show import say, table, with_ci
from osteolib.runs import Run

PHOTOGRAPHS = "EfficientNet-Lite0 of photographs"
"""An encoder that was trained on ImageNet by others and is not trained further."""


def compare_grey(
    age: NDArray, predicted: Mapping[str, NDArray], random: Sequence[str], small: NDArray, n_boot: int, seed: int
) -> dict[str, Comparison]:
    """Spearman of encoders that learned nothing from these films, ranks against grey levels as filmed, paired.

    ``predicted`` has each encoder under its name, for ranks, and with :data:`FILMED`. Returns the comparison in
    ``all films`` and in those of the ``smaller format`` (``small``, shape (hands,), bool).
    """
    kinds = {OTHERS: list(random), PHOTOGRAPHS: [PHOTOGRAPHS]}
    found = {}
    for films, rows in (("all films", slice(None)), ("smaller format", small)):
        values = {
            kind + end: (age[rows], *(predicted[name + end][rows] for name in names))
            for kind, names in kinds.items()
            for end in ("", FILMED)
        }
        pairs = [(kind, kind + FILMED) for kind in kinds]
        found[films] = compare_statistics({AGE: mean_spearman}, values, reference=pairs, n_boot=n_boot, seed=seed)
    return found


def show_grey(run: Run, found: Mapping[str, Comparison], n_random: int) -> None:
    """The table and what it says; the sentence follows the intervals."""
    lines = [
        {"encoder": kind, "films": films, "ranked": with_ci(*compared.estimate(kind)),
         "as filmed": with_ci(*compared.estimate(kind + FILMED)),
         "difference": with_ci(*compared.difference(kind, kind + FILMED), spec="+.2f")}
        for kind in (OTHERS, PHOTOGRAPHS) for films, compared in found.items()
    ]  # fmt: skip
    caption = f"Real hands: Spearman with bone age, ranked and as filmed ({n_random} random encoders, their mean)"
    table(run, "grey", pd.DataFrame(lines), caption, index=False, group="encoder")
    whole = found["all films"]
    whole.record(run, REAL, "bone age, {metric}, {method}, mean of encoders")
    change = {kind: whole.difference(kind, kind + FILMED) for kind in (OTHERS, PHOTOGRAPHS)}
    clear = [kind for kind, (_, low, _) in change.items() if low > 0]
    worse = [kind for kind, (*_, high) in change.items() if high < 0]
    run.fact(grey_random=with_ci(*change[OTHERS], spec="+.2f"), grey_photo=with_ci(*change[PHOTOGRAPHS], spec="+.2f"),
             grey_clear=" and ".join(clear), grey_worse=" and ".join(worse))  # fmt: skip
    said = "Ranks change Spearman's correlation by **{grey_random}** on random weights and {grey_photo} on the encoder "
    said += "of photographs. "
    if clear:
        said += "With {grey_clear} that is a gain: on real films, too, grey levels of the film stood before the bone. "
    if worse:
        said += "With {grey_worse} it is a loss: there the grey level of the bone knew something. "
    if not clear and not worse:
        said += "Neither interval excludes zero: this run cannot tell. "
    say(run, said.strip())
