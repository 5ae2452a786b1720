"""What the chapter on four methods shows and records, section by section: figures, tables, result rows, sentences."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from osteolib.cohorts import Cohort
from osteolib.phantoms.hand.shapes import BONES
from osteolib.phantoms.hand.truth import read_masks
from osteolib.radiograph import read_radiograph
from osteolib.report import hand_ssl as figures
from osteolib.report.comparison import Comparison, compare_scores, together
from osteolib.report.hand_ssl_results import EXTENDED, LARGE, RANDOM
from osteolib.report.show import figure, say, table, with_ci
from osteolib.runs import Run, load_profile
from osteolib.screen.hand_grid import NEW, Segments
from osteolib.screen.held_out_bones import mean_probability_by_bone, scores_of_people
from osteolib.ssl.pretrain import Recipe
from osteolib.views.multicrop import PRESETS, multi_crop

RANDOM_FILMED = RANDOM + figures.FILMED


def all_people(first: Cohort, more: Cohort) -> pd.DataFrame:
    """People of both cohorts by ``subject_id``, those of the second as :func:`with_new_people` calls them."""
    renamed = more.subjects.assign(subject_id=NEW + more.subjects["subject_id"])
    return pd.concat([first.subjects, renamed]).set_index("subject_id")


def show_split(run: Run, n_hands: int, segments: Segments, held: NDArray[np.bool_]) -> None:
    """``n_hands`` of the first cohort; ``held``: bones of people who do not train, shape (n,)."""
    bones = segments.table
    scored, ill = bones[held], bones[bones["y"] == 1]
    run.fact(n_hands=n_hands, n_new=bones["subject_id"].nunique() - n_hands, n_bones=len(bones),
             n_missing=len(segments.missing), n_train=bones.loc[~held, "subject_id"].nunique(),
             n_test=scored["subject_id"].nunique(),
             n_test_ill=ill.loc[held[ill.index], "subject_id"].nunique())  # fmt: skip
    say(
        run,
        "{n_hands} simulated people and {n_new} new ones give {n_bones} bones; {n_missing} are not on the film or cut "
        "off, and none is made up for them. The encoders learn from the bones of {n_train} people; {n_test} others are "
        "scored, {n_test_ill} of them ill.",
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


def show_pretraining(run: Run, history: Mapping[figures.Cell, pd.DataFrame], steps: int) -> None:
    """Loss and spread, with what ended near the loss of a collapsed encoder; ``steps`` of each pre-training."""
    alt = "Loss and spread of embeddings by epoch, four methods by kind of views; dotted, the collapsed loss."
    figure(run, "collapse", figures.collapse(history), alt=alt)
    last = last_epochs(history)
    gain = (1 - last["loss"] / last["collapsed loss"]).groupby(last["encoder"]).mean()
    stuck = [name for name in gain.index if gain[name] < 0.01]
    epochs = len(next(iter(history.values())))
    run.fact(ssl_epochs=epochs, steps=steps, stuck=", ".join(stuck) or "no method", most=gain.idxmax(),
             paper_epochs=load_profile("paper")["ssl_epochs"])  # fmt: skip
    say(
        run,
        "{ssl_epochs} epochs are {steps} steps (the papers print no number; the profile `paper` takes {paper_epochs} "
        "epochs). Farthest below the loss of its collapse is {most}. Within 1 % of it ended: **{stuck}**.",
    )


def last_epochs(history: Mapping[figures.Cell, pd.DataFrame]) -> pd.DataFrame:
    """A row a pre-training: its last loss, that of a collapse, SD of embeddings, directions they use."""
    columns = {"loss": "loss", "collapsed_loss": "collapsed loss", "embedding_sd": "spread", "effective_rank": "rank"}
    rows = [
        {"encoder": figures.cell_name(*cell), "seed": seed} | h.iloc[-1][list(columns)].rename(columns).to_dict()
        for (*cell, seed), h in history.items()
    ]
    return pd.DataFrame(rows)


def show_last_epochs(run: Run, history: Mapping[figures.Cell, pd.DataFrame]) -> None:
    """The last epoch of each pre-training, as a table."""
    caption = "Last epoch of each pre-training. Spread: SD of embeddings. Rank: directions they use"
    table(run, "pretraining", last_epochs(history).round(2), caption, index=False)


def show_knowledge(run: Run, known: Mapping[str, Mapping[str, float]]) -> None:
    """What linear models read off each encoder, by its name; random ones among them."""
    told = pd.DataFrame(known).T.rename_axis("encoder")
    columns = {"which bone": "which bone, accuracy", "cortex": "cortex, r", "window": "display window, r"}
    caption = (
        "Simulated people who did not train: what linear models read off frozen features, numbers as the mean over a "
        "person's bones. By chance: about 0.15, 0 and 0"
    )
    table(run, "knows", told.rename(columns=columns).round(2), caption)
    for fact, name in (("random", RANDOM), ("filmed", EXTENDED + figures.FILMED), ("large", LARGE)):
        run.fact(**{f"{fact}_{what}": told.loc[name, what] for what in ("cortex", "window")})
    say(
        run,
        "As filmed, SimCLR's features hold the width of the display window with r = {filmed_window:.2f} and the "
        "thickness of the cortex, which decides most of what can be known here, with {filmed_cortex:.2f}. On ranks and "
        "large views it is **{large_window:.2f} and {large_cortex:.2f}**; random weights on ranks have "
        "{random_window:.2f} and {random_cortex:.2f}.",
    )


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
