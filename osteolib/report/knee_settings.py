"""Table 2 of the knee paper beside what trains here: every own value is read from the objects that run.

A setting is named by the end of its published id (``lr`` for ``strnet2026_knee.T2.lr``).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import nn

from osteolib.report.published import load_published, printed_texts
from osteolib.report.show import say, table
from osteolib.runs import Run, load_profile
from osteolib.screen.knee_folds import Recipe
from osteolib.screen.starts import as_started
from osteolib.screen.strnet import STRNet, Targets, class_weights, encode_targets, strnet_loss
from osteolib.train import ADAMW, HALVED_AT_REST, fit

PAPER = "strnet2026_knee."


class Trained(NamedTuple):
    """A recipe and the folds it is trained in: all but one to test and one to validate train."""

    recipe: Recipe
    n_folds: int

    def n_train(self, n_units: int) -> int:
        """Units that one network trains on, if the folds are equal."""
        return round(n_units * (1 - 2 / self.n_folds))


def default(function: Callable, argument: str) -> float:
    """What a function takes for an argument that is not given."""
    return inspect.signature(function).parameters[argument].default


def joins() -> int:
    """The epoch, from 0, from which the T-score's loss counts."""
    return default(strnet_loss, "warmup_epochs")


def most_steps(n_train: int, batch_size: int, epochs: int) -> int:
    """Steps of the optimiser if no training stops early; a last batch of one is left out, as in the training."""
    return int(np.ceil((n_train - 1) / batch_size)) * epochs


def own_settings(recipe: Recipe) -> dict[str, float | str]:
    """What a recipe and the defaults of network, loss and training give for the rows of Table 2 that we have, by id."""
    net, optimiser, plateau = _shape_of(recipe.backbone, recipe.tarr), ADAMW.keywords, HALVED_AT_REST.keywords

    def way(part: nn.Module) -> str:
        layers = [layer for layer in part if isinstance(layer, nn.Linear)]
        return " to ".join(str(n) for n in (layers[0].in_features, *(layer.out_features for layer in layers)))

    first = next(layer for layer in net.backbone.modules() if isinstance(layer, nn.Conv2d))
    route = net.tarr["screen"]
    return {
        "T2.backbone": recipe.backbone,
        "pre.size": recipe.image_size,
        "T2.channels": first.in_channels,
        "T2.pretrain": recipe.initialisation,
        "T2.neck": net.neck[0].out_features,
        "T2.dropout": next(layer.p for layer in net.neck if isinstance(layer, nn.Dropout)),
        "T2.tarr_hidden": route.adapter[0].out_features if recipe.tarr == "released" else "none",
        "T2.tarr_out": net.screen_head.in_features,
        "T2.ts_img": way(net.image_adapter),
        "T2.ts_tab": way(net.tabular_encoder),
        "T2.ts_fuse": way(net.fusion),
        "T2.optimizer": ADAMW.func.__name__,
        "T2.lr": optimiser["lr"],
        "T2.wd": optimiser["weight_decay"],
        "T2.plateau_factor": plateau["factor"],
        "T2.plateau_patience": plateau["patience"],
        "T2.clip": default(fit, "max_norm"),
        "T2.epochs": recipe.epochs,
        "T2.patience": default(fit, "stop_patience"),
        "T2.batch": recipe.batch_size,
        "T2.lambda_s": default(strnet_loss, "lambda_severity"),
        "T2.lambda_t": default(strnet_loss, "lambda_t_score"),
        "T2.warmup": joins(),
        "T2.seed": recipe.seed,
        "T2.params": round(sum(p.numel() for p in net.parameters()) / 1e6, 2),
    }


def _shape_of(backbone: str, tarr: str) -> STRNet:
    with torch.device("meta"):  # shapes without numbers
        return STRNet(backbone, tarr)


def agrees(own: float | str, printed: pd.Series) -> bool:
    """Whether a value of ours is the printed one; words are compared without case, hyphens and blanks."""
    if not pd.isna(printed["value"]):
        return own == printed["value"]
    plain = [str(text).lower().replace("-", "").replace(" ", "") for text in (own, printed["reported"])]
    return plain[0] == plain[1]


def beside_table_2(trained: Mapping[str, Trained], subjects: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows of Table 2, then what it does not list: as printed, text or code where they say more, and ours.

    Parameters
    ----------
    trained
        What is trained, by the head of its column.
    subjects
        One row a unit of the whole cohort: ``label, t_score``.

    Returns
    -------
    The table; and booleans, one row a row of Table 2 (index: the setting in words), one column of ``trained``: ours is
    as printed.
    """
    paper = load_published("strnet2026_knee").set_index("published_id")
    paper.index = paper.index.str.removeprefix(PAPER)
    own, said = {head: own_settings(each.recipe) for head, each in trained.items()}, _said_elsewhere()
    rows, same = [], {}
    for key in next(iter(own.values())):
        printed = paper.loc[key]
        setting = printed["quantity"] + (f" ({printed['unit']})" if isinstance(printed["unit"], str) else "")
        same[setting] = {head: agrees(values[key], printed) for head, values in own.items()}
        ours = {head: printed["reported"] if same[setting][head] else str(own[head][key]) for head in own}
        rows.append({"setting": setting, "paper": printed["reported"], "text or code": said.get(key, "")} | ours)
    return pd.DataFrame([*rows, *_not_listed(trained, subjects, paper)]), pd.DataFrame(same).T


def _said_elsewhere() -> dict[str, str]:
    """What text or released code say of a row of Table 2, where it is not the printed value alone."""
    paper = load_published("strnet2026_knee").set_index("published_id")["reported"]
    seeds = ", ".join(paper[paper.index.str.startswith(f"{PAPER}T4.seed.")])
    text = sum(p.numel() for p in _shape_of("resnet50", "text").parameters()) / 1e6
    return {
        "T2.tarr_hidden": "text: none, a scale and one projection",
        "T2.seed": f"Table 4: also {seeds}",
        "T2.params": f"with the module of the text {text:.2f}",
    }


def _not_listed(trained: Mapping[str, Trained], subjects: pd.DataFrame, paper: pd.DataFrame) -> list[dict[str, str]]:
    """What Table 2 leaves out and a training needs."""
    code = {name.removeprefix(f"{PAPER}code."): text for name, text in printed_texts("strnet2026_knee").items()}
    classes = [int(paper.loc[f"T1.{name}.train", "value"]) for name in ("Normal", "Osteopenia", "Osteoporosis")]
    table_1 = encode_targets(np.repeat(["normal", "osteopenia", "osteoporosis"], classes), np.zeros(sum(classes)))
    here = encode_targets(subjects["label"], subjects["t_score"])
    n, each = len(subjects), trained.items()
    sizes = [paper.loc[f"T1.Total.{part}", "reported"] for part in ("train", "val", "test")]
    knees, batch, epochs = (int(paper.loc[k, "value"]) for k in ("T1.Total.train", "T2.batch", "T2.epochs"))
    fourth = f"code: {code['lambda_fp']}, from epoch {code['fp_warmup_epochs']} on"
    lines = {
        "weights of the positive cases, screening and severity": (
            "weighted (Section 2.4)", f"code: {_weights(table_1, 'released')}",
            {head: f"{t.recipe.class_weights}: {_weights(here, t.recipe.class_weights)}" for head, t in each},
        ),
        "fourth loss, on normal knees": (
            "none: three terms (Equation 1)", fourth,
            dict.fromkeys(trained, f"{default(strnet_loss, 'lambda_normal'):g}"),
        ),
        "split": (
            f"once: {sizes[0]} train, {sizes[1]} validate, {sizes[2]} test", "",
            {head: f"{t.n_folds} grouped folds, each tested once" for head, t in each},
        ),
        "knees that one network trains on": (sizes[0], "", {head: f"about {t.n_train(n)}" for head, t in each}),
        "steps of the optimiser, at most": (
            f"{most_steps(knees, batch, epochs):,}", "",
            {head: f"{most_steps(t.n_train(n), t.recipe.batch_size, t.recipe.epochs):,}" for head, t in each},
        ),
    }  # fmt: skip
    return [{"setting": name, "paper": printed, "text or code": other} | ours
            for name, (printed, other, ours) in lines.items()]  # fmt: skip


def _weights(targets: Targets, rule: str) -> str:
    return " and ".join(f"{weight:.2g}" for weight in class_weights(targets, rule))


def at_profile(recipe: Recipe, profile: str) -> Trained:
    """The recipe at the sizes of a profile, started as it can be here, and the profile's folds."""
    sizes = load_profile(profile)
    large = replace(recipe, backbone=sizes["backbone"], image_size=sizes["image_size"], epochs=sizes["epochs"])
    return Trained(as_started(large, recipe.initialisation), sizes["n_folds"])


def show_settings(run: Run, recipe: Recipe, n_folds: int, subjects: pd.DataFrame) -> None:
    """:func:`beside_table_2` for this run and for the profile ``paper``, and a sentence that names what differs."""
    trained = {"ours, this run": Trained(recipe, n_folds), "ours, profile paper": at_profile(recipe, "paper")}
    rows, same = beside_table_2(trained, subjects)
    here, there = ("; ".join(same.index[~same[head]]) or "nothing" for head in trained)
    run.fact(n_settings=len(same), n_same=int(same.iloc[:, 0].sum()), settings_here=here, settings_there=there)
    table(run, "settings", rows, "Table 2 as printed, what text or released code say beyond it, and ours; below, what "
          "it does not list", index=False, folded="Table 2, setting by setting")  # fmt: skip
    say(run, "Of {n_settings} printed settings {n_same} are taken as printed. Others here: {settings_here}. Others in "
        "the profile `paper`: {settings_there}.")  # fmt: skip
