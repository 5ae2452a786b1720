"""What the chapter on outlines shows and records, section by section: figures, tables, result rows and sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from osteolib.phantoms.hand.truth import ANNOTATOR_WEIGHTS, attainable_auroc
from osteolib.report import hand_outline_rows as rows
from osteolib.report import hand_outlines as figures
from osteolib.report import plots, schematic
from osteolib.report.comparison import Comparison, compare_statistics
from osteolib.report.show import figure, say, table, with_ci
from osteolib.runs import Run
from osteolib.segment.bones import BoneImages
from osteolib.segment.cortex_table import reasons_in_words
from osteolib.segment.opinions import KnownHands, Likeness
from osteolib.segment.real_hands import AnnotatedHand
from osteolib.segment.real_overlap import RealOverlap
from osteolib.segment.training import Drawn, Recipe
from osteolib.stats import bland_altman

PHANTOM, REAL = "hand-phantom", "hand-rsna"


def show_network(run: Run, recipe: Recipe, size: int) -> None:
    """The mixture U-Net of a recipe, drawn from the network that is trained."""
    drawing = schematic.draw({"The mixture U-Net": figures.mixture_graph(recipe, size)})
    alt = "a router behind a stop-gradient, joined in the mixture."
    figure(
        run, "network", drawing, alt=f"Film, encoder, decoders with a latent each, shared 1×1 convolutions, and {alt}"
    )


def show_toy(
    run: Run, cost: NDArray, plans: Mapping[float, NDArray], weights: Sequence[float], refused: str, loss: float
) -> None:
    """The plans by row bound, costs of the tightest and the free one, why a tighter one is refused, and Eq. 7."""
    toy = {"cost C": cost} | {f"plan, γ = {gamma}": plan for gamma, plan in plans.items()}
    alt = "A cost matrix and its transport plans: the smaller the row bound, the more mass mask 2 must take."
    figure(run, "toy", figures.transport_plans(toy, weights), alt=alt)
    spent = {gamma: (plan * cost).sum() for gamma, plan in plans.items()}
    run.fact(tight=spent[min(plans)], tightest=min(plans), free=spent[1.0], refused=refused, loss=loss)
    say(
        run,
        "Unbound (γ = 1), each annotator's mass goes to the mask that is nearest to him and the cost is {free:.2f}. "
        "With γ = {tightest}, mask 1 may take no more than that, mask 2 learns a little from an annotator it is "
        "unlike, and the cost is {tight:.2f}. With γ = 0.4 there is no plan at all: *{refused}*. With a router that "
        "gives each mask one half, Equation 7 is {loss:.2f} (γ = 1, λ = 1).",
    )


def show_parts(run: Run, recipe: Recipe, parts: Sequence[NDArray], mm: float) -> None:
    """``parts``: rows of the hands to train, to choose the epoch, to test; ``mm``: width of a network's pixel."""
    run.fact(**dict(zip(("n_train", "n_val", "n_test"), map(len, parts), strict=True)), epochs=recipe.epochs, mm=mm)
    say(
        run,
        "{n_train} hands to train, {n_val} to choose the epoch, {n_test} to test; {epochs} epochs. A pixel of the "
        "network is {mm:.1f} mm wide.",
    )


def show_curves(
    run: Run, folders: Mapping[str, Path], recipe: Recipe, hands: KnownHands, drawn: Mapping[str, Drawn],
    compared: Comparison,
) -> None:  # fmt: skip
    """How the trainings went, and whether the probabilities are right."""
    history = {name: pd.read_parquet(folder / "history.parquet") for name, folder in folders.items()}
    alt = "Row bound and cross-entropy weight by epoch, terms of the loss, and the validation energy distance."
    figure(run, "training", figures.training(history, recipe), alt=alt)
    ece = {name: compared.estimate(name, "ECE")[0] for name in drawn}
    alt = "Share of pixels that are right by their probability, three models, and the diagonal."
    figure(run, "reliability", figures.reliability(hands, drawn, ece), alt=alt)


def show_hand(run: Run, hands: KnownHands, i: int, mixture: Drawn) -> None:
    """Test hand ``i`` as annotators and modules draw it."""
    alt = "Metacarpals of one hand as four annotators draw them and as four modules do, on the true outline."
    figure(run, "hypotheses", figures.hypotheses(hands, i, mixture, ANNOTATOR_WEIGHTS), alt=alt)


def show_doubt(run: Run, hands: KnownHands, i: int, drawn: Mapping[str, Drawn]) -> None:
    """Where annotators and models are unsure: the entropy of each pixel of test hand ``i``."""
    two = {name: drawn[name] for name in ("mixture", "single decoder")}
    alt = "True mask of a hand, and pixel entropy of annotators, mixture and single decoder in bits."
    figure(run, "doubt", figures.doubt(hands, i, two), alt=alt)


def show_scores(run: Run, hands: KnownHands, compared: Comparison) -> None:
    """``compared``: means of :func:`osteolib.segment.opinions.scores_by_hand` for the true mask and all models."""
    shown = ["true mask", "single decoder", "mixture"]
    means = rows.by_metric(compared, ".2f")[0].loc[list(rows.ASKED), shown]
    caption = (
        f"Simulated hands: means over {len(hands)} test hands with 95 % intervals; IoU and Dice are means over bones"
    )
    table(run, "main_scores", means, caption)
    rows.record_models(run, compared)
    ged = {name: compared.estimate(name, "GED²")[0] for name in compared.methods}
    words = rows.signs_in_words(compared, "mixture", "single decoder")
    run.fact(words=words, mix_ged=ged["mixture"], one_ged=ged["single decoder"], true_ged=ged["true mask"])
    say(
        run,
        "The mixture against the single decoder: **{words}**. GED² is {mix_ged:.3f} against {one_ged:.3f}; the true "
        "outline alone, one mask without any error, has {true_ged:.3f}. Intervals resample hands: the luck of a "
        "training is not in them, and there is one of each.",
    )


def show_all_scores(run: Run, compared: Comparison) -> None:
    """Means of all models and paired differences, as tables."""
    means, differences = rows.by_metric(compared)
    table(run, "scores", means, "All scores of all models on the simulated test hands")
    caption = "The same hands, paired differences (95 % intervals). For outline, GED² and ECE less is better"
    table(run, "differences", differences, caption)


def show_modes(run: Run, like: Mapping[str, Likeness], compared: Comparison, n_boot: int, seed: int) -> None:
    """Which module draws like which annotator, and the mass of the masks like each, with a sentence."""
    mass = rows.masses(like, list(ANNOTATOR_WEIGHTS), n_boot, seed)
    alt = "IoU of each module with each annotator for two mixtures, and the mass like each annotator beside his weight."
    figure(run, "modes", figures.modes(like, ANNOTATOR_WEIGHTS, mass), alt=alt)
    modes = rows.modes_table(like, ANNOTATOR_WEIGHTS)
    for end, name in (("", "mixture"), ("_one", "mixture, one annotator")):
        usage, wrong = modes.loc[name, ["modules in use, exp(H)", "mass misplaced"]]
        run.fact(**{f"n_modes{end}": len(like[name].recovered), f"used{end}": usage, f"wrong{end}": wrong})
    near, four = like["mixture"].near.mean(0).max(1), "mixture, one annotator"
    run.fact(best=near.max(), smallest=near.min(), ged_one=compared.estimate(four, "GED²")[0],
             worse=rows.sign_in_words(compared, four, "mixture", "GED²"))  # fmt: skip
    say(
        run,
        "Trained on four annotators the mixture recovers {n_modes} of 4 modes, uses {used:.1f} of its modules and "
        "misplaces {wrong:.0%} of the mass. Trained on **one annotator an image** it recovers {n_modes_one}, uses "
        "{used_one:.1f} and misplaces {wrong_one:.0%}; its GED² is {ged_one:.3f} (paired with four: {worse}). With "
        "the annotator nearest to it, the best module of the first has an IoU of {best:.2f}, the poorest "
        "{smallest:.2f}.",
    )


def show_modes_table(run: Run, like: Mapping[str, Likeness]) -> None:
    """Modes recovered, modules in use and mass misplaced, as a table."""
    caption = "Modes and module usage. Mass misplaced: half the summed difference from the weights, 0 to 1"
    table(run, "modes", rows.modes_table(like, ANNOTATOR_WEIGHTS).round(3), caption)


def show_bones(
    run: Run, masks: Sequence[NDArray], true: Sequence[NDArray], cut: Mapping[str, Sequence[BoneImages]],
    n_boot: int, seed: int,
) -> pd.DataFrame:  # fmt: skip
    """How many bones the predicted masks yield; ``cut`` by ``predicted`` and ``true`` masks. Returns a row a bone."""
    overlap = rows.overlap_by_bone(masks, true)
    found, totals = rows.bones_found(cut["predicted"], cut["true"], overlap, n_boot, seed)
    run.fact(**totals)
    say(
        run,
        "{n_found} of {n_shown} bones are found, {n_lost} missed ({why}), {n_extra} made up. Missed bones are left "
        "out of what follows, as in the papers.",
    )
    return found


def show_found(run: Run, found: pd.DataFrame, film: NDArray, mask: NDArray, bones: BoneImages) -> None:
    """Bones found, missed and made up, as a table, and those of one film (in [0, 1]) as a figure."""
    alt = "A simulated film with coloured squares around the predicted bones, and the masked bone images."
    figure(run, "bones", figures.cut_bones(film, mask, bones), alt=alt)
    caption = "Bone images of the simulated test hands; by true mask: what the same rules yield from that"
    table(run, "found", found, caption, index=False)


def show_cortex(run: Run, hands: pd.DataFrame, read: Mapping[str, pd.DataFrame]) -> None:
    """Agreement of each reading with the known percentage of M2; ``read`` by whose mask it was."""
    known = 100 * hands["cortical_percentage"]
    short = rows.agreement_table(known, read)[["measured", "bias", "SD", "limits"]]
    table(run, "cortex", short, "Measured minus true cortical percentage of M2, percentage points; bias with 95 % CI")
    recorded = ("true mask, all hands", "mixture", "single decoder")
    rows.record_agreement(run, known, {name: read[name] for name in recorded}, PHANTOM)
    for who, name in (("true", "true mask"), ("auto", "mixture")):
        off = read[name]["percentage"] - known[read[name].index]
        run.fact(**{f"{who}_bias": off.mean(), f"{who}_sd": off.std()})
    run.fact(why_not=reasons_in_words(pd.concat(read[name]["reason"] for name in recorded[:2])))
    say(
        run,
        "Hands without a reading (true masks of all hands, predicted masks of the test hands): {why_not}. With true "
        "masks the reading is off by {true_bias:+.1f} points on average (SD {true_sd:.1f}), with predicted ones by "
        "{auto_bias:+.1f} (SD {auto_sd:.1f}). A constant bias does not touch an AUROC, but it moves every threshold: "
        "50 % and 60 % of a published study mean something else for this ruler.",
    )


def show_agreement(run: Run, hands: pd.DataFrame, read: Mapping[str, pd.DataFrame]) -> None:
    """Measured (mixture) against true percentage of M2 and their difference; all limits with their intervals."""
    known, ok = 100 * hands["cortical_percentage"], read["mixture"]["percentage"].dropna()
    caption = "Limits of agreement with 95 % intervals, percentage points; mean widths"
    table(run, "agreement", rows.agreement_table(known, read).drop(columns="limits", errors="ignore"), caption)
    if len(ok) >= 3:
        b, labels = bland_altman(known[ok.index], ok), hands["label"][ok.index]
        two = plots.scatter_and_difference(known[ok.index], ok, b, ("true", "measured"), "points", labels=labels)
        handles, texts = two.axes[0].get_legend_handles_labels()
        two.axes[0].legend(handles[::2], texts[::2], fontsize="small")  # the phantom has two classes
        limits = f"bias {b.bias:+.1f}, limits {b.loa_low:+.1f} to {b.loa_high:+.1f} points"
        figure(run, "cortex", two, alt=f"Measured against true cortical percentage of {b.n} test hands: {limits}.")


def show_screening(
    run: Run, hands: pd.DataFrame, percentages: Mapping[str, pd.Series], n_boot: int, seed: int
) -> Comparison:
    """AUROC for osteoporosis against the rest of cortical percentages, known or measured, beside the attainable."""
    ill = hands["label"].eq("osteoporosis").astype(int)
    compared = rows.compare_percentages(ill, percentages, attainable_auroc(seed=seed, preset="lee2025"), n_boot, seed)
    compared.record(run, PHANTOM, "{metric}, {method}")
    run.fact(screen=compared.words(), attainable=compared.rows["attainable"].iloc[0])
    say(run, "AUROC of the percentage alone for osteoporosis against the rest: {screen}. Attainable: {attainable:.2f}.")
    return compared


def show_screen_table(run: Run, compared: Comparison) -> None:
    """The screening as a table."""
    caption = "Simulated people: osteoporosis against the rest; attainable is what all that is on the film could tell"
    table(run, "screen", compared.table(head="known of the hand", spec=".3f"), caption, index=False)


def show_real(run: Run, hands: Sequence[AnnotatedHand], gap: RealOverlap, n_boot: int, seed: int) -> None:
    """The domain gap: Dice of metacarpals on real films, in a sentence and a row of films."""
    if not len(gap.by_hand):
        say(run, "Of these real hands no mask was accepted, so there is nothing to hold the network against.")
        return
    mean = compare_statistics({"Dice": np.mean}, {"all": gap.by_hand}, n_boot=n_boot, seed=seed)
    value, *ends = mean.estimate("all")
    metric = "Dice with accepted masks, metacarpals, trained on phantoms"
    run.result(None, metric, value, ci=ends, n=len(gap.by_hand), cohort=REAL)
    n, (any_bone, right) = len(gap.by_hand), gap.inside()
    young, old = gap.by_hand[: max(1, n // 2)], gap.by_hand[min(n // 2, n - 1) :]  # of a single hand, both
    run.fact(real=with_ci(value, *ends), young=young.mean(), old=old.mean(),
             any_bone=any_bone, right=right, n_real=len(hands), n_masks=gap.there.sum(),
             n_good=(gap.dice[gap.there] > 0.7).sum())  # fmt: skip
    say(
        run,
        "**The domain gap, measured**: mean Dice with {n_masks} accepted masks of {n_real} real hands is **{real}** "
        "(hands resampled), {young:.2f} in the younger half of the hands, {old:.2f} in the older; {n_good} masks "
        "agree with more than 0.7. Of the pixels inside accepted masks {any_bone:.0%} are called a metacarpal and "
        "{right:.0%} the right one. Below, from the youngest to the oldest: look for frames, markers and fingers "
        "that are taken for bones.",
    )
    some = np.linspace(0, len(hands) - 1, min(6, len(hands))).round().astype(int)
    films = ([h.pixels for h in hands], gap.seen, gap.accepted)
    titles = [
        f"REAL, Dice {gap.dice[i][gap.there[i]].mean():.2f}" if gap.there[i].any() else "REAL, no accepted mask"
        for i in some
    ]
    alt = "Real hands with the network's bones in colour and the outlines of accepted masks in white."
    figure(run, "real", figures.outlined_films(*([each[i] for i in some] for each in films), titles), alt=alt)


def show_real_by_bone(run: Run, gap: RealOverlap, n_boot: int, seed: int) -> None:
    """Dice on real films by metacarpal, as a table."""
    caption = f"REAL hands, n = {len(gap.seen)}: the network trained on simulated films against accepted masks"
    table(run, "real", rows.real_by_bone(gap, n_boot, seed), caption, index=False)
