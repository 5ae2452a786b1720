"""Networks that are told the maker of the DXA, beside those that are not, and what they say when told another one.

A mixture of experts can use a maker's name in two ways: to follow the makers' readings, or, where makers and hospitals
coincide, to read off how common osteoporosis is. Telling one picture several makers shows both on the same vertebrae,
without the luck of who was examined where. The architecture is that of tpswav2025_ct, Section 2.2.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pandas as pd

from osteolib.runs.side_by_side import side_by_side
from osteolib.screen.ct_makers import readings
from osteolib.screen.ct_study import CTStudy
from osteolib.screen.moe import VertebraNet
from osteolib.screen.moe_training import Recipe, load_net, predict, train_once

ONE, TOLD, EXPERTS = "one head", "one head, told the maker", "experts"
SHUFFLED, WITHHELD = "experts, makers shuffled", "experts, maker withheld"
PAPER, CROSSED = "as in the paper", "makers crossed"
PRESETS = {PAPER: "tpswav2025", CROSSED: "crossed"}
"""How makers and hospitals go together: the phantom's preset by the name that pages give it."""
NOBODY = "nobody"
"""Told to a network in place of a maker: that it is not known."""


def arms(base: Recipe, controls: bool = True) -> dict[str, Recipe]:
    """What is set side by side: one head, the same told the maker, which the paper does not have, and its experts.

    With ``controls`` also experts who are told the maker of another patient, or none.
    """
    one = replace(base, n_experts=1)
    found = {ONE: one, TOLD: replace(one, device_to_experts=True), EXPERTS: base}
    if controls:
        found |= {SHUFFLED: replace(base, devices="shuffled"), WITHHELD: replace(base, devices="withheld")}
    return found


def trained_on(jobs: Mapping[Hashable, tuple[CTStudy, Recipe]]) -> dict[Hashable, Path]:
    """The artefact of each recipe on its study, all side by side; see :func:`osteolib.screen.ct_study.trained`."""
    return side_by_side(
        train_once, {name: (of.rows, of.images, of.parts, recipe, of.key) for name, (of, recipe) in jobs.items()}
    )


def known_makers(study: CTStudy) -> list[str]:
    """Makers that a training on this study hears of, in the order of the alphabet."""
    return sorted(study.rows.loc[study.parts["train"], "device"].dropna().unique())


def told_each(study: CTStudy, folder: Path, makers: Sequence[str]) -> pd.DataFrame:
    """What a trained network says of every test vertebra when it is told each of some makers.

    Parameters
    ----------
    makers
        Names that the network knows, and :data:`NOBODY` for none.

    Returns
    -------
    One row per vertebra and maker: ``unit_id, subject_id, site, device, bmd_true_g_cm2, bmd_g_cm2``, ``told`` (name),
    ``score`` (probability of osteoporosis), ``bmd`` in g/cm2, and ``gate_1`` ..., the weights of the experts.

    Raises
    ------
    ValueError
        A name is not one of those that the network was trained on.
    """
    net = load_net(folder)
    if strange := [name for name in makers if name not in (*net.devices, NOBODY)]:
        raise ValueError(f"device {', '.join(map(repr, strange))} is none that this network knows: tell it "
                         f"{', '.join(net.devices)}, or {NOBODY!r}")  # fmt: skip
    return _said(study, net, makers)


def moved(said: pd.DataFrame, first: str, second: str) -> pd.DataFrame:
    """How a vertebra's ``score`` and ``bmd`` move when ``second`` is told in place of ``first``.

    Parameters
    ----------
    said
        From :func:`told_each`.

    Returns
    -------
    One row per vertebra: ``unit_id, subject_id, site, score, bmd``, told ``second`` minus told ``first``.
    """
    one, other = (said[said["told"] == name].set_index("unit_id") for name in (first, second))
    both = one[["subject_id", "site"]].assign(**{key: other[key] - one[key] for key in ("score", "bmd")})
    return both.reset_index()


def gate_moved(said: pd.DataFrame) -> pd.Series:
    """How much of the gate's weight goes to other experts when another maker is told, indexed by ``unit_id``.

    Half the sum of absolute differences of the weights, 0 for a gate that does not hear the maker and 1 for one that
    asks different experts alone; the mean over all pairs of the makers that were told. ``said`` is from
    :func:`told_each`.

    Raises
    ------
    ValueError
        Fewer than two makers were told.
    """
    told = said[said["told"] != NOBODY]
    weights = [own.set_index("unit_id").filter(like="gate_") for _, own in told.groupby("told")]
    if len(weights) < 2:
        raise ValueError(f"told {', '.join(told['told'].unique()) or 'no maker'} alone: tell a network two makers or "
                         "more to compare")  # fmt: skip
    pairs = [(a - b.loc[a.index]).abs().sum(axis=1) / 2 for a, b in combinations(weights, 2)]
    return sum(pairs) / len(pairs)


def moves_with_maker(said: pd.DataFrame) -> pd.Series:
    """:func:`osteolib.screen.ct_makers.follows` for one picture that is told several makers, indexed by ``unit_id``.

    Slope of a vertebra's predictions on what the makers told would read of it; ``said`` is from :func:`told_each`.

    Raises
    ------
    ValueError
        Fewer than two makers were told, so that nothing differs.
    """
    bmd = said[said["told"] != NOBODY].pivot(index="unit_id", columns="told", values="bmd")
    if bmd.shape[1] < 2:
        raise ValueError(f"told {', '.join(bmd) or 'no maker'} alone: tell a network two makers or more to compare")
    true = said.drop_duplicates("unit_id").set_index("unit_id")["bmd_true_g_cm2"].loc[bmd.index]
    read = readings(true.to_numpy())[list(bmd)].to_numpy()
    apart = read - read.mean(axis=1, keepdims=True)
    return pd.Series((bmd.to_numpy() * apart).sum(axis=1) / (apart**2).sum(axis=1), bmd.index)


def told_nobody(study: CTStudy, folder: Path) -> pd.DataFrame:
    """A network with ``unknown="learned"``, told that it does not know the maker, by both readings of that.

    Returns
    -------
    As :func:`told_each`, with ``told`` = ``learned`` (the embedding learned from hidden makers) and ``mean`` (the mean
    of the known ones).

    Raises
    ------
    ValueError
        The network has no learned embedding.
    """
    learned, mean = load_net(folder), load_net(folder)
    if learned.unknown != "learned":
        raise ValueError("this network learned no unknown device: train it with Recipe(unknown='learned')")
    mean.unknown = "mean"
    return pd.concat(
        [_said(study, net, [NOBODY]).assign(told=name) for name, net in (("learned", learned), ("mean", mean))],
        ignore_index=True,
    )


def _said(study: CTStudy, net: VertebraNet, makers: Sequence[str]) -> pd.DataFrame:
    test = study.parts["test"]
    columns = ["unit_id", "subject_id", "site", "device", "bmd_true_g_cm2", "bmd_g_cm2"]
    about = study.rows.loc[test, columns].reset_index(drop=True)
    said = []
    for name in makers:
        answer = predict(net, study.images[test], pd.Series([None if name == NOBODY else name] * len(about)))
        own = about.assign(told=name, score=answer["osteoporosis"], bmd=answer["bmd_g_cm2"].astype(float))
        said.append(pd.concat([own, answer.filter(like="gate_")], axis=1))
    return pd.concat(said, ignore_index=True)
