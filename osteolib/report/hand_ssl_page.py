"""What the chapter on four methods shows and records, section by section: figures, tables, result rows, sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from osteolib.phantoms.hand.shapes import BONES
from osteolib.phantoms.hand.truth import attainable_auroc, read_masks
from osteolib.radiograph import read_radiograph
from osteolib.report import hand_ssl as figures
from osteolib.report.comparison import Comparison, compare_scores, together
from osteolib.report.forest import forest
from osteolib.report.published import load_published
from osteolib.report.show import figure, say, table, with_ci
from osteolib.runs import Run, load_profile
from osteolib.screen.hand_grid import Segments
from osteolib.screen.held_out_bones import mean_probability_by_bone, scores_of_people
from osteolib.ssl.pretrain import Recipe
from osteolib.views.multicrop import PRESETS, multi_crop

PHANTOM, RANDOM = "hand-phantom", "random encoder, crops none"
CALLS = ("ppv", "sensitivity", "f1", "accuracy")
FEW = 5  # calls; no precision of fewer
PRINTED = r"lee2023_hand\.T2\..*auc\.(?:conv|ext)$|lee2025_hand\.T3\..*\.auc$"

Cell = tuple[str, str, int]  # method, crops, seed


def show_split(run: Run, hands: pd.DataFrame, segments: Segments, held: NDArray[np.bool_]) -> None:
    """``held``: bones of people who do not train, shape (n,)."""
    bones = segments.table
    scored = bones[held]
    run.fact(n_hands=len(hands), n_ill=int(hands["label"].eq("osteoporosis").sum()), n_bones=len(bones),
             n_missing=len(segments.missing), n_train=bones.loc[~held, "subject_id"].nunique(),
             n_test=scored["subject_id"].nunique(),
             n_test_ill=scored.loc[scored["y"] == 1, "subject_id"].nunique())  # fmt: skip
    say(
        run,
        "{n_hands} simulated people, {n_ill} with osteoporosis, give {n_bones} bones; {n_missing} are not on the "
        "film or cut off, and none is made up for them. The encoder learns from the bones of {n_train} people; "
        "{n_test} others are scored, {n_test_ill} of them ill.",
    )


def show_stages(run: Run, hands: pd.DataFrame, segments: Segments, recipe: Recipe, seed: int) -> None:
    """The two stages, with pictures of the first hand that has seven bones."""
    one = hands[hands["n_bones"] == 7].iloc[0]
    mine = segments.table["subject_id"].eq(one["subject_id"]).to_numpy()
    m2 = torch.from_numpy(segments.images[mine & segments.table["bone"].eq("M2")])[:, None] / 255
    preset, generator = PRESETS[recipe.augmentation], torch.Generator().manual_seed(seed)
    views = multi_crop(m2, generator, recipe.crops, preset, recipe.min_content)
    flat = [view for size in views for view in size[:, 0, 0].numpy()]
    film, labels = read_radiograph(one["path"]).pixels, read_masks(one["masks_path"], one["image_id"])
    alt = "Film with bone outlines, bone images, views of one bone; two stages: pre-training, a linear layer and vote."
    figure(run, "stages", figures.stages(film, labels, segments.images[mine], flat), alt=alt)


def show_pretraining(run: Run, history: Mapping[Cell, pd.DataFrame], steps: int) -> None:
    """Loss and spread, with what ended near the loss of a collapsed encoder; ``steps`` of each pre-training."""
    alt = "Loss and spread of embeddings by epoch, four methods and two kinds of crops; dotted, the collapsed loss."
    figure(run, "collapse", figures.collapse(history), alt=alt)
    last = last_epochs(history)
    gain = (1 - last["loss"] / last["collapsed loss"]).groupby(last["method"]).mean()
    stuck = [name for name in figures.NAMES.values() if gain[name] < 0.01]
    epochs = len(next(iter(history.values())))
    run.fact(ssl_epochs=epochs, steps=steps, stuck=", ".join(stuck) or "no method", most=gain.idxmax(),
             paper_epochs=load_profile("paper")["ssl_epochs"])  # fmt: skip
    say(
        run,
        "{ssl_epochs} epochs are {steps} steps (the papers print no number; the profile `paper` takes {paper_epochs} "
        "epochs). Farthest below its collapsed loss is {most}. Within 1 % of it ended: **{stuck}**.",
    )


def last_epochs(history: Mapping[Cell, pd.DataFrame]) -> pd.DataFrame:
    """A row a pre-training: its last loss, that of a collapse, SD of embeddings, directions they use."""
    columns = {"loss": "loss", "collapsed_loss": "collapsed loss", "embedding_sd": "spread", "effective_rank": "rank"}
    rows = [
        {"method": figures.NAMES[m], "crops": crops, "seed": seed} | h.iloc[-1][list(columns)].rename(columns).to_dict()
        for (m, crops, seed), h in history.items()
    ]
    return pd.DataFrame(rows)


def show_last_epochs(run: Run, history: Mapping[Cell, pd.DataFrame]) -> None:
    """The last epoch of each pre-training, as a table."""
    caption = "Last epoch of each pre-training. Spread: SD of embeddings. Rank: directions they use"
    table(run, "pretraining", last_epochs(history).round(2), caption, index=False)


def show_knowledge(run: Run, known: Mapping[Cell, Mapping[str, float]]) -> None:
    """What a linear model reads off each encoder; the first is the random one."""
    told = pd.DataFrame(known).T
    names = [(figures.NAMES.get(m, m), crops, seed) for m, crops, seed in told.index]
    told.index = pd.MultiIndex.from_tuples(names, names=["encoder", "crops", "seed"])
    columns = {"which bone": "which bone, accuracy", "sex": "sex, AUROC", "cortex of M2": "cortex of M2, r"}
    caption = "Simulated people who did not train: what a linear model reads off the frozen features. By chance: about "
    table(run, "knows", told.rename(columns=columns).round(2), f"{caption}0.15, 0.5 and 0")
    random, trained = told.iloc[0], told.iloc[1:]
    for fact, column in (("bone", "which bone"), ("r", "cortex of M2")):
        low, high = trained[column].min(), trained[column].max()
        run.fact(**{f"{fact}_random": random[column], f"{fact}_low": low, f"{fact}_high": high})
    say(
        run,
        "A random encoder names {bone_random:.0%} of the bones correctly, a pre-trained one {bone_low:.0%} to "
        "{bone_high:.0%}. The thickness of M2's cortex, which decides most of what can be known here, is read with r "
        "= {r_random:.2f} from the random encoder and {r_low:.2f} to {r_high:.2f} from the pre-trained.",
    )


def compare_encoders(
    people: Mapping[str, pd.DataFrame], plain: Mapping[str, NDArray], n_boot: int, seed: int
) -> Comparison:
    """AUROC of encoders and plain measurements, calls at 0.5 of the encoders, and what training and crops change.

    Parameters
    ----------
    people
        ``y_true, y_score`` of the same people in the same order, by ``<encoder>, crops <kind>``.
    plain
        Scores of the same people by name; higher means more likely ill.
    """
    y = next(iter(people.values()))["y_true"]
    scores = {name: votes["y_score"] for name, votes in people.items()}
    trained = [name for name in scores if name != RANDOM]
    pairs = [(name, RANDOM) for name in trained]
    pairs += [(n, n.replace("extended", "conventional")) for n in trained if n.endswith("extended")]
    how = {"n_boot": n_boot, "seed": seed}
    attainable = attainable_auroc(seed=seed, preset="lee2025")
    parts = [compare_scores(y, {**scores, **plain}, reference=pairs, attainable=attainable, **how)]
    for several in (True, False):
        some = {name: score for name, score in scores.items() if ((score >= 0.5).sum() >= FEW) == several}
        metrics = CALLS if several else CALLS[1:]
        parts += [compare_scores(y, some, metrics, threshold=0.5, **how)] if some else []
    return together(*parts)


def auroc_of_each(bones: pd.DataFrame, layers: Sequence[NDArray]) -> list[float]:
    """AUROC of the people's votes by each single layer: (n,) probabilities, NaN for bones that trained."""
    from sklearn.metrics import roc_auc_score

    votes = [scores_of_people(bones, layer) for layer in layers]
    return [float(roc_auc_score(v["y_true"], v["y_score"])) for v in votes]


def for_reading(method: str) -> str:
    """A method as a reader calls it: ``SimCLR, extended``."""
    return method.removesuffix(", crops none").replace("crops ", "")


def show_methods(run: Run, compared: Comparison, seeds: Mapping[str, list[float]], n_blind: int) -> None:
    """Our Table 3: a forest plot with the AUROC of each seed, a table, the result rows, and what they say.

    ``n_blind``: people whose cortex could not be measured.
    """
    shown = compared.renamed({name: for_reading(name) for name in compared.methods})
    colours = {f"{m}, {crops}": look for m in figures.NAMES.values() for crops, look in figures.CROPS.items()}
    strokes = {for_reading(name): marks for name, marks in seeds.items()}
    plot = forest(shown, strokes=strokes, styles=colours)
    figure(run, "auroc", plot, alt=f"AUROC with intervals, chance and the attainable as lines: {shown.words()}.")
    caption = "Our Table 3, simulated people: AUROC, and share of what is attainable above chance"
    table(run, "methods", shown.table(["auroc"], "encoder"), caption, index=False)
    compared.record(run, PHANTOM, "{metric}, {method}")
    auroc = compared.rows[compared.rows["metric"] == "auroc"].set_index("method")
    trained = [name for name in compared.methods if name.startswith(tuple(figures.NAMES.values()))]
    best, worst = auroc.loc[trained, "value"].idxmax(), auroc.loc[trained, "value"].idxmin()
    changes = compared.differences
    crops = changes[changes["reference"] != RANDOM]
    row = next(name for name in compared.methods if name.startswith("cortex"))
    for fact, name in {"best": best, "worst": worst, "random": RANDOM, "cortex": row}.items():
        run.fact(**{fact: for_reading(name), f"{fact}_auroc": with_ci(*compared.estimate(name))})
    above = changes[changes["reference"] == RANDOM]["ci_low"] > 0
    run.fact(attainable=auroc["attainable"].iloc[0], n_cells=len(trained), n_blind=n_blind, n_above=int(above.sum()),
             n_gain=int((crops["ci_low"] > 0).sum()), n_loss=int((crops["ci_high"] < 0).sum()))  # fmt: skip
    say(
        run,
        "Attainable is an AUROC of **{attainable:.2f}**. The {n_cells} rows of pre-trained encoders lie from "
        "{worst_auroc}, {worst}, to **{best_auroc}**, {best}, a random encoder at {random_auroc}. {n_above} of "
        "{n_cells} differences from the random encoder have an interval above zero. Extended crops help {n_gain} of "
        "four methods and harm {n_loss} by that rule. The row *{cortex}*, one number without any training, reaches "
        "**{cortex_auroc}** ({n_blind} people could not be measured).",
    )


def show_calls_and_changes(run: Run, compared: Comparison) -> None:
    """Secondary tables: calls at 0.5, paired changes of the AUROC, and what the papers print."""
    shown = compared.renamed({name: for_reading(name) for name in compared.methods})
    calls = replace(shown, rows=shown.rows[shown.rows["metric"] != "auroc"])
    columns = {"PPV (95 % CI)": "precision (95 % CI)", "sensitivity (95 % CI)": "recall (95 % CI)"}
    caption = f"Our Table 3, continued: calls at 0.5, and no precision of fewer than {FEW} of them"
    table(run, "calls", calls.table(head="encoder").rename(columns=columns), caption, index=False)
    caption = "Paired changes of the AUROC, simulated people, not corrected for their number"
    table(run, "changes", shown.difference_table(["auroc"], "+.2f"), caption, index=False)
    printed = pd.concat([load_published("lee2023_hand"), load_published("lee2025_hand")])
    printed = printed.loc[
        printed["published_id"].str.contains(PRINTED), ["paper", "source", "of", "reported", "spread"]
    ]
    table(run, "printed", printed, "Printed AUROC of both papers, for reference only", index=False)


def show_bones(run: Run, bones: pd.DataFrame, probability: NDArray, n_boot: int, seed: int) -> Comparison:
    """Mean probability of each bone by group of people, and each bone alone.

    ``bones`` and ``probability`` (n,), NaN for bones that trained. Returns the comparison of single bones.
    """
    people = scores_of_people(bones, probability)
    means, people_in = mean_probability_by_bone(bones, probability, people, list(BONES))
    scored = bones.assign(p=probability)[~np.isnan(probability)]
    how = {"n_boot": n_boot, "seed": seed}
    each = [compare_scores(d["y"], {bone: d["p"]}, **how) for bone, d in scored.groupby("bone")]
    alone = together(*each)
    alt = "Left: mean probability per bone for true positives, all ill, all healthy and false positives. Right: AUROC "
    figure(
        run, "bones", figures.bone_by_bone(means, people_in, alone), alt=f"{alt}of each bone alone: {alone.words()}."
    )
    tp, best = means["true positives"], alone.rows.set_index("method")["value"].idxmax()
    gap = (means["all with osteoporosis"] - means["all without"]).abs().max()
    run.fact(highest="nobody is a true positive" if tp.isna().all() else str(tp.idxmax()), best_bone=best, gap=gap,
             n_tp=people_in["true positives"], bone_auroc=with_ci(*alone.estimate(best)),
             offset=np.ptp(means["all without"]))  # fmt: skip
    say(
        run,
        "{n_tp} people are true positives; highest in them: {highest}. By itself {best_bone} separates best, "
        "{bone_auroc}. In people **without** the disease the means already differ between bones by up to "
        "{offset:.2f}; between all ill and all others they differ, in any one bone, by at most {gap:.2f}.",
    )
    return alone
