"""What the page that trains on the real knees shows and records of its network and of its training."""

from __future__ import annotations

import pandas as pd

from osteolib.report import model_plots
from osteolib.report.compared import Comparison
from osteolib.report.knee_results import optimiser_steps
from osteolib.report.knee_settings import joins, most_steps
from osteolib.report.published import load_published
from osteolib.report.show import figure, say, table
from osteolib.runs import Run
from osteolib.screen.knee_folds import Recipe
from osteolib.screen.strnet import STRNet


def show_reach(run: Run, reach: pd.DataFrame, backbone: str) -> None:
    """How far each loss reaches (:func:`osteolib.screen.strnet.gradient_reach`), and the sizes of the networks."""
    sizes = {tarr: sum(p.numel() for p in STRNet("resnet50", tarr).parameters()) for tarr in ("released", "text")}
    run.fact(parameters=int(reach["parameters"].sum()), backbone=backbone, **sizes)
    caption = "Parameters of each part, and the norm of each loss's gradient in it"
    table(run, "reach", reach.round(4).rename_axis("part"), caption)
    say(run, "The network trained here ({backbone}) has {parameters:,} parameters. With ResNet-50 the module of the "
        "released code gives {released:,} and the one that the text describes {text:,}.")  # fmt: skip


def show_training(run: Run, rows: pd.DataFrame, history: pd.DataFrame, recipe: Recipe) -> None:
    """The curves of all folds, how long they trained beside the paper, and where the validation loss turned.

    ``rows`` and ``history`` as from :func:`osteolib.report.knee_results.out_of_fold_rows`.
    """
    fig = model_plots.training_curves(history, joins())
    figure(run, "training", fig, alt="Validation AUPRC, validation AUROC, and validation and training loss by epoch, "
           "a thin line for each fold and their mean.")  # fmt: skip
    taken = optimiser_steps(rows, history, recipe.batch_size).mean()
    printed = load_published("strnet2026_knee").set_index("published_id")["value"]
    keys = ("T1.Total.train", "T2.batch", "T2.epochs")
    knees, batch, most = (int(printed[f"strnet2026_knee.{key}"]) for key in keys)
    folds = history.sort_values("epoch").groupby("fold")
    lowest = folds.apply(lambda fold: fold.loc[fold["validation_loss"].idxmin(), "epoch"])
    best = folds.apply(lambda fold: fold.loc[fold["auprc"].idxmax(), "epoch"])
    run.fact(n_train=int(taken["knees"]), steps=int(taken["steps"]), their_train=knees,
             their_steps=most_steps(knees, batch, most), turned=int((lowest < folds["epoch"].max()).sum()),
             n_trainings=len(lowest), kept=_one_to_another(best))  # fmt: skip
    say(run, "A network trains on {n_train} knees on average and takes {steps} steps of the optimiser. The paper's "
        "{their_train:,} training knees give up to **{their_steps:,} steps**, unless early stopping ends them sooner. "
        "In {turned} of {n_trainings} folds the validation loss is lowest before the last epoch; a rise from there on "
        "is what learning by heart looks like. Kept, by AUPRC: epoch {kept}.")  # fmt: skip


def _one_to_another(epochs: pd.Series) -> str:
    """Which epochs, counted from 1, as text."""
    return ", ".join(str(epoch + 1) for epoch in sorted(epochs))


def show_gain(run: Run, compared: Comparison, by_fold: pd.DataFrame, knees: pd.DataFrame) -> None:
    """The image's AUROC, pooled and as the mean of its folds; with age also what the image adds to age.

    ``knees`` are the test rows of :func:`osteolib.report.knee_results.out_of_fold_rows`; the methods of ``compared``
    are ``image`` and, where ages are known, ``age`` and ``age and image``.
    """
    auroc, low, high = compared.estimate("image")
    run.fact(auroc=auroc, low=low, high=high, n_knees=len(knees), folds_auroc=by_fold["image"].mean(),
             n_people=knees["subject_id"].nunique())  # fmt: skip
    text = ("On {n_knees} knees of {n_people} people the image model reaches **AUROC {auroc:.3f}** ({low:.3f} to "
            "{high:.3f}); the mean of its folds is {folds_auroc:.3f}.")  # fmt: skip
    if "age" in by_fold:
        gain, gain_low, gain_high = compared.difference("age and image", "age")
        run.fact(gain=gain, gain_low=gain_low, gain_high=gain_high, age=compared.estimate("age")[0])
        text += (" Age alone reaches {age:.3f}. Adding the image to age changes the AUROC by {gain:+.3f} "
                 "({gain_low:+.3f} to {gain_high:+.3f}).")  # fmt: skip
    say(run, text)


def show_power(run: Run, power: pd.DataFrame, normal: pd.DataFrame, width: float) -> None:
    """How often a simulated score of known worth shows a gain over age.

    Parameters
    ----------
    power
        ``auroc``, ``found``, from :func:`osteolib.stats.added_value.added_value_found`, with 0.7, 0.8 and 0.9.
    normal
        The knees of the rarer class, with ``split_group``.
    width
        Of the interval of the image's AUROC.
    """
    found = {f"found_{100 * a:.0f}": f for a, f in zip(power["auroc"], power["found"], strict=True)}
    run.fact(n_normal=len(normal), n_groups=normal["split_group"].nunique(), width=width, **found)
    often = power["auroc"][power["found"] >= 0.8]
    run.fact(seen=f"from an AUROC of {often.min():.1f} on" if len(often) else "for none of the scores tried")
    say(run, "The rarer class here are {n_normal} normal knees in **{n_groups} independent groups**; the interval of "
        "the image's AUROC is {width:.2f} wide. An image score with an AUROC of 0.70 would show a gain over age in "
        "{found_70:.0%} of such studies, one with 0.80 in {found_80:.0%}, one with 0.90 in {found_90:.0%}. Four times "
        "in five a gain would be seen {seen}; where none is seen, a smaller one may still be there.")  # fmt: skip
