"""What the page on ablations shows and records, section by section: images, differences, single steps."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from osteolib.phantoms.hand.truth import read_masks
from osteolib.radiograph import read_radiograph
from osteolib.report.ablation import Scored, differences_figure, shown_summary, summary
from osteolib.report.comparison import Comparison
from osteolib.report.hand_ablations import PAPER, steps
from osteolib.report.published import load_published
from osteolib.report.show import figure, say, table, with_ci
from osteolib.report.style import use_style
from osteolib.runs import Run
from osteolib.screen.hand_grid import Segments
from osteolib.screen.hand_parts import FILM, FULL, HAND, LABELS, PATCHES, SQUARES, UNTRAINED, VGG
from osteolib.screen.taught_bones import Taught
from osteolib.segment.bones import bone_images
from osteolib.segment.windows import film_box, hand_box
from osteolib.ssl.pretrain import Recipe

PHANTOM = "hand-phantom"
GOES = {SQUARES: "the mask", PATCHES: "the place", FILM: "the seven answers and the pixels"}
"""What goes with each part of the segmentation."""


def show_windows(run: Run, hands: pd.DataFrame, images: Mapping[str, Segments]) -> None:
    """What is looked at, of the first hand that has seven bones, and how much coarser hand and film are than a bone."""
    one = hands[hands["n_bones"] == 7].iloc[0]
    film, labels = read_radiograph(one["path"]).pixels, read_masks(one["masks_path"], one["image_id"])
    side = bone_images(film / 255, labels, 32).boxes["M2"][2]
    use_style()
    shown = {"bone": "bones", "its square": "squares", "a patch": "patches", "hand": "hand", "film": "film"}
    fig, axes = plt.subplots(1, len(shown), figsize=(8.8, 2.1))
    for axis, (title, kind) in zip(axes, shown.items(), strict=True):
        mine = images[kind].table["subject_id"].eq(one["subject_id"]) & images[kind].table["bone"].isin(["M2", "hand"])
        axis.imshow(images[kind].images[mine.to_numpy().argmax()], cmap="gray", vmin=0, vmax=255)
        axis.set_title(title)
        axis.axis("off")
    figure(run, "windows", fig, alt="One simulated hand: a metacarpal on black, its square with the neighbours, a "
           "patch of the same size from elsewhere, the hand, the whole film; grey levels are ranks.")  # fmt: skip
    run.fact(hand_coarser=hand_box(labels)[2] / side, film_coarser=film_box(film.shape)[2] / side)
    say(
        run,
        "All images come to the same number of pixels. So in this hand the second metacarpal is drawn "
        "{hand_coarser:.1f} times smaller in the image of the hand than in its own, and {film_coarser:.1f} times "
        "smaller in the film.",
    )


def show_recipes(run: Run, trained: Mapping[str, tuple[str, Recipe | Taught]]) -> None:
    """What each training is shown and how: a line each, with what differs from the full method marked by its words."""
    rows = []
    for name, (kind, recipe) in trained.items():
        told = "labels" if isinstance(recipe, Taught) else "nothing"
        views = " + ".join(f"{crop.n} of {crop.size} px" for crop in recipe.crops)
        content = f", at least {recipe.min_content:.0%} bone" if recipe.min_content else ""
        rows.append({"": name, "images": kind, "told": told, "network": recipe.encoder, "views": views + content,
                     "augmentation": recipe.augmentation, "epochs": recipe.epochs})  # fmt: skip
    table(run, "recipes", pd.DataFrame(rows), "Simulated people: what each training is shown", index=False,
          folded="The trainings")  # fmt: skip


def people_tested() -> dict[str, int]:
    """Columns of the least change, by the people that the paper may have tested: one fold, one a seed, and all."""
    known = load_published(PAPER).set_index("published_id")["value"]
    n = int(known[f"{PAPER}.cohort.n_subjects"])
    few = round(n * known[f"{PAPER}.split.test"] / 100)
    return {f"least of {k} people": k for k in (few, few * int(known[f"{PAPER}.eval.trials"]), n)}


def auroc(votes: pd.DataFrame) -> float:
    """Of ``y_true, y_score``."""
    return float(roc_auc_score(votes["y_true"], votes["y_score"]))


def show_differences(
    run: Run, scored: Scored, compared: Comparison, ideal: NDArray, single: Mapping[int, Mapping[str, pd.DataFrame]],
) -> pd.DataFrame:  # fmt: skip
    """The figure, the table behind it, the result rows and what they say; returns the summary.

    Parameters
    ----------
    scored
        People of each method, what made ``compared``.
    ideal
        What a reader of all that reaches the pixels says of them, (n,).
    single
        ``y_true, y_score`` of each method by each seed alone; a method without that seed is not there.
    """
    tested = people_tested()
    n_few, n_trials, n_all = tested.values()
    few = next(iter(tested))
    found = summary(scored, compared, steps(), FULL, tested)
    attainable = float(roc_auc_score(scored.y, ideal))
    full = compared.estimate(FULL)
    alone = {
        name: [auroc(votes[name]) - auroc(votes[FULL]) for votes in single.values() if name in votes]
        for name in steps()
    }
    fig = differences_figure(compared, found, FULL, few, attainable - full[0], alone)
    words = "; ".join(f"{row.method} {row.difference}" for row in found.itertuples())
    figure(run, "differences", fig, alt="Change of the AUROC against the full method, simulated people, with the "
           f"paper's printed changes as squares: {words}.")  # fmt: skip
    shown = shown_summary(found, tested, "printed, private films")
    caption = (
        f"Simulated people (n = {len(scored.y)}): AUROC, its paired change, and the change that {n_few}, "
        f"{n_trials} or {n_all} people would show four times in five"
    )
    table(run, "steps", shown, caption, index=False, folded="Each step in numbers")
    compared.record(run, PHANTOM, "{metric}, {method}", "{metric}, {method} − {reference}")
    _say_what_is_found(run, found, compared, attainable, tested)
    return found


def _say_what_is_found(
    run: Run, found: pd.DataFrame, compared: Comparison, attainable: float, tested: Mapping[str, int]
) -> None:
    clear = found[found["verdict"] != "cannot tell"]
    pairs = [(abs(p), row) for _, row in found.iterrows() for p in row["printed"]]
    printed = [size for size, _ in pairs]
    run.fact(
        full_auroc=with_ci(*compared.estimate(FULL)), attainable=attainable, n_steps=len(found), n_clear=len(clear),
        clear="; ".join(f"*{row.method}*, {row.verdict}: {row.difference}" for row in clear.itertuples()) or "none",
        random_auroc=with_ci(*compared.estimate(UNTRAINED)), n_printed=len(printed), printed_low=min(printed),
        printed_high=max(printed),
    )  # fmt: skip
    for key, (column, n) in zip(("few", "trials", "all"), tested.items(), strict=True):
        seen = sum(size >= row[column] for size, row in pairs)
        run.fact(**{f"n_{key}": n, f"{key}_low": found[column].min(), f"{key}_high": found[column].max(),
                    f"{key}_seen": seen})  # fmt: skip
    say(
        run,
        "The full method has an AUROC of {full_auroc}, where {attainable:.2f} is attainable and random weights have "
        "{random_auroc}. Of {n_steps} steps, corrected by Holm, **{n_clear}** can be told from no change: {clear}.",
    )
    say(
        run,
        "Four times in five, {n_few} people would show a change of {few_low:.2f} to {few_high:.2f} or more, depending "
        "on the step (grey). Of the {n_printed} printed changes beside these steps, {printed_low:.2f} to "
        "{printed_high:.2f} in size, **{few_seen}** reach that. If each of the paper's seeds drew a test set of its "
        "own, {n_trials} people were tested at most: {trials_low:.2f} to {trials_high:.2f}, and {trials_seen} do. All "
        "{n_all}, each tested once, would show {all_low:.2f} to {all_high:.2f}, and {all_seen} do.",
    )


def show_single_steps(run: Run, compared: Comparison) -> None:
    """Where a step stands beside another one and not the full method: one change at a time, in words by interval."""
    lines, costs = [], []
    for name, step in steps().items():
        if step.base or name == SQUARES:
            value, low, high = compared.difference(name, step.base or FULL)
            verdict = "a gain" if low > 0 else "a loss" if high < 0 else "this run cannot tell"
            lines.append({"from": step.base or FULL, "to": name, "AUROC (95 % CI)": with_ci(value, low, high, "+.2f"),
                          "it is": verdict})  # fmt: skip
            if name in GOES and high < 0:
                costs.append(GOES[name])
    change = {line["to"]: line["AUROC (95 % CI)"] for line in lines}
    run.fact(mask=change[SQUARES], place=change[PATCHES], film=change[FILM], vgg=change[VGG], hand=change[HAND],
             left=with_ci(*compared.estimate(PATCHES)), costs=" and ".join(costs) or "none of them",
             labels=with_ci(*compared.difference(LABELS, FULL), "+.2f"),
             pretraining=with_ci(*compared.difference(FULL, UNTRAINED), "+.2f"))  # fmt: skip
    caption = "Simulated people: steps told from their neighbour, paired, not corrected"
    table(run, "single", pd.DataFrame(lines), caption, index=False)
    say(
        run,
        "Taken apart, leaving out the segmentation is three things. The mask goes: {mask}. The place goes: {place}, "
        "which leaves {left}. The seven answers and the fine pixels go: {film}. Seen to cost something here: "
        "**{costs}**.",
    )
    say(
        run,
        "Labels in the place of pre-training and its linear layer make {labels}, where pre-training itself makes "
        "{pretraining} against random weights. And a row of Table 8 changes network and image at once: here the "
        "network alone makes {vgg}, the image alone {hand}.",
    )
