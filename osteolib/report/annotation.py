"""The page on annotation by prompts: figures of prompts and masks, tables of rules and of what they keep."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy.ndimage import affine_transform

from osteolib.radiograph import normalise_intensity
from osteolib.report.show import figure, table
from osteolib.report.style import GREY, use_style
from osteolib.runs import Run
from osteolib.segment.judged_masks import WORDS
from osteolib.segment.prompts import SIDE, Rules, decode_rle, prompt_for, rows_first
from osteolib.segment.real_hands import AnnotatedHand
from osteolib.stats import bootstrap_statistic

ACCEPTED, REJECTED = "#56B4E9", "#E69F00"


def prompt_figure(hand: AnnotatedHand, bone: str) -> plt.Figure:
    """The axes on the film, a bone upright with its prompt, and the outline that came back."""
    axes_of = {r["bone"]: np.array(r["prompt"]["axis"]) for r in hand.records}
    record = next(r for r in hand.records if r["bone"] == bone)
    prompt, matrix = prompt_for(bone, axes_of)
    crop, answer = (
        affine_transform(image, *rows_first(matrix), output_shape=(SIDE, SIDE), order=1)
        for image in (hand.pixels, decode_rle(record["rle"]).astype(np.float32))
    )
    word = "accepted" if record["accepted"] else "rejected"
    use_style()
    fig, panels = plt.subplots(1, 3, figsize=(8, 3.7), width_ratios=[0.8, 1, 1])
    panels[0].imshow(hand.pixels, cmap="gray")
    for name, ends in axes_of.items():
        panels[0].plot(*ends.T, color=ACCEPTED if name == bone else "white", lw=1.5)
    for panel in panels[1:]:
        panel.imshow(normalise_intensity(crop), cmap="gray")
    left, top, right, bottom = prompt.box
    box = {"fill": False, "edgecolor": "#CC79A7", "lw": 1.6, "label": "box"}
    panels[1].add_patch(plt.Rectangle((left, top), right - left, bottom - top, **box))
    panels[1].plot(*prompt.positive.T, "P", color=ACCEPTED, mec="black", ms=8, ls="", label="positive")
    panels[1].plot(*prompt.negative.T, "o", color=REJECTED, mec="black", ms=6, ls="", label="negative")
    panels[2].contour(answer, [0.5], linewidths=1.5, colors=ACCEPTED if record["accepted"] else REJECTED)
    titles = ("axes on the film", f"{bone} upright, prompt", f"answer, {word}")
    for panel, title in zip(panels, titles, strict=True):
        panel.set_title(title, fontsize=9)
        panel.set_anchor("N")
        panel.axis("off")
    fig.legend(*panels[1].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return fig


def rules_table(rules: Rules) -> pd.DataFrame:
    """The rules in the order in which they are asked, in words."""
    rows = {
        "area": (f"{rules.area[0]} to {rules.area[1]} of the axis squared", "nothing, or half a hand"),
        "elongation": (f"at least {rules.elongation}", "a blob at one end"),
        "covered": (f"at least {rules.covered:.0%} of the axis's middle 80 %", "part of a bone"),
        "waist": (f"middle at most {rules.waist:.0%} of the widest", "a leak beside it"),
        "piece": (f"the largest holds at least {rules.one_piece:.0%}", "islands"),
        "shared": (f"at most {rules.overlap:.0%} with other masks", "a bone taken twice"),
    }
    return pd.DataFrame([(word, *rows[word]) for word in WORDS], columns=["rule", "bound", "meant to catch"])


def in_short(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record with its long parts cut: what is stored, for a page."""
    short, counts = dict(record), record["rle"]["counts"]
    short["rle"] = {"size": record["rle"]["size"], "counts": [*counts[:6], "..."], "runs": len(counts)}
    prompt = record["prompt"]
    short["prompt"] = {k: np.round(v, 1).tolist()[: 4 if k == "box" else 2] for k, v in prompt.items()}
    return short | {"weights_sha256": record["weights_sha256"][:16] + "..."}


def show_dice(run: Run, judged: pd.DataFrame, n_boot: int, seed: int) -> None:
    """Dice of kept and rejected masks of simulated hands: figure, table, result rows and facts.

    ``judged``: one row per mask, ``image_id, bone, accepted, dice``. Hands are resampled; from fewer than five of them
    there is no interval.
    """
    figure(run, "dice", dice_figure(judged), alt="Dice of each mask with the true bone, by metacarpal, accepted and "
           "rejected apart.")  # fmt: skip
    rows, good, bad = [], judged[judged["accepted"]], judged[~judged["accepted"]]
    for word, part in (("accepted", good), ("rejected", bad), ("all", judged)):
        value, low, high = mean_dice(part, n_boot, seed)
        hands = part["image_id"].nunique()
        rows.append((word, len(part), hands, value, low, high, part["dice"].min(), part["dice"].max()))
        if len(part):
            ci = None if np.isnan(low) else (low, high)
            run.result(None, f"Dice with the truth, {word} masks", value, n=len(part), ci=ci, cohort="hand-phantom")
    columns = ["masks", "n", "hands", "mean Dice", "ci_low", "ci_high", "lowest", "highest"]
    table(run, "phantom", pd.DataFrame(rows, columns=columns).round(3), "SIMULATED hands: masks by prompt against the "
          "true outline; hands are resampled; fewer than five give no interval", index=False)  # fmt: skip
    run.fact(n_sim=len(judged), kept_sim=len(good), hands_sim=judged["image_id"].nunique())
    run.fact(kept_low=int((good["dice"] < 0.8).sum()), lost=int((bad["dice"] >= 0.8).sum()))
    means = {
        name: f"{part['dice'].mean():.2f}" if len(part) else "none" for name, part in (("good", good), ("bad", bad))
    }
    run.fact(**means)


def mean_dice(part: pd.DataFrame, n_boot: int, seed: int) -> tuple[float, float, float]:
    """Mean Dice of some masks and its 95 % interval over hands; NaN ends where there are fewer than five hands."""
    if part["image_id"].nunique() < 5:
        return part["dice"].mean(), np.nan, np.nan
    found = bootstrap_statistic(np.mean, part["dice"], groups=part["image_id"], n_boot=n_boot, seed=seed)
    return found.estimate, *found.ci


def dice_figure(judged: pd.DataFrame) -> plt.Figure:
    """Dice of each mask by bone; the sideways shift of the points carries no meaning."""
    use_style()
    fig, axis = plt.subplots(figsize=(6.6, 2.9))
    bones = list(judged["bone"].unique())
    place = judged["bone"].map(bones.index) + np.random.default_rng(0).uniform(-0.15, 0.15, len(judged))
    looks = ((True, "#0072B2", "o", "accepted"), (False, REJECTED, "X", "rejected"))
    for kept, colour, marker, name in looks:
        at = judged["accepted"] == kept
        axis.plot(place[at], judged["dice"][at], marker, color=colour, ls="", ms=7, mec="white", label=name)
    axis.set(xticks=range(len(bones)), xlim=(-0.5, len(bones) - 0.5), ylim=(0, 1.02), ylabel="Dice with the truth")
    axis.set_title("Simulated hands: what the rules kept")
    axis.set_xticklabels(bones)
    axis.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return fig


def review_figure(hand: AnnotatedHand, record: Mapping[str, Any]) -> plt.Figure:
    """A drawing of the review widget: the film with the outline of one mask, the rules' verdict, two buttons."""
    use_style()
    fig, axis = plt.subplots(figsize=(2.6, 3.5))
    axis.imshow(normalise_intensity(hand.pixels), cmap="gray")
    axis.contour(decode_rle(record["rle"]), [0.5], colors=REJECTED, linewidths=1.2)
    said = f"{record['bone']}: rules say {record['reason'] or 'accepted'}"
    axis.set_title(textwrap.fill(said, 34), fontsize=8, loc="center", weight="normal")
    axis.axis("off")
    for x, word in ((0.3, "accepted"), (0.7, "rejected")):
        look = {"facecolor": "#EEEEEE", "edgecolor": GREY, "boxstyle": "round"}
        fig.text(x, -0.03, word, ha="center", fontsize=9, bbox=look)
    return fig


def hands_figure(hands: Sequence[AnnotatedHand], bone_ages: Mapping[str, float]) -> plt.Figure:
    """The metacarpals of films with the outline of each mask, solid where accepted, and the rules that others broke."""
    use_style()
    columns = min(4, len(hands))
    n_rows = -(-len(hands) // columns)
    fig, grid = plt.subplots(n_rows, columns, figsize=(2.1 * columns, 2.5 * n_rows), squeeze=False)
    for axis in grid.flat[len(hands) :]:
        axis.axis("off")
    for axis, hand in zip(grid.flat, hands, strict=False):
        ends = np.concatenate([r["prompt"]["axis"] for r in hand.records])
        half, middle = 0.68 * np.ptp(ends, axis=0).max(), (ends.min(0) + ends.max(0)) / 2
        axis.imshow(normalise_intensity(hand.pixels), cmap="gray")
        broken: dict[str, list[str]] = {}
        for r in hand.records:
            look = (
                {"colors": ACCEPTED, "linestyles": "-"} if r["accepted"] else {"colors": REJECTED, "linestyles": "--"}
            )
            axis.contour(decode_rle(r["rle"]), [0.5], linewidths=1.2, **look)
            if word := next((word for word in WORDS if word in r["reason"]), ""):
                broken.setdefault(word, []).append(r["bone"])
        (x0, y0), (x1, y1) = middle - half, middle + half
        axis.set(xlim=(x0, x1), ylim=(y1, y0), facecolor="black", xticks=[], yticks=[])
        why = "; ".join(f"{word}: {' '.join(broken[word])}" for word in sorted(broken)) or "all accepted"
        axis.set_title(f"bone age {bone_ages[hand.image_id]:.1f}\n{why}", fontsize=7.5, loc="center", weight="normal")
    grid[0, 0].plot([], [], color=ACCEPTED, label="accepted")
    grid[0, 0].plot([], [], color=REJECTED, ls="--", label="rejected")
    fig.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return fig


def accepted_table(masks: pd.DataFrame) -> pd.DataFrame:
    """Masks asked for and accepted by bone, and the first rule broken by the others; the last line holds all."""
    counts = masks.groupby("bone", sort=False)["accepted"].agg(["size", "sum"])
    counts.columns = ["asked", "accepted"]
    broken = pd.crosstab(masks["bone"], masks["rule"]).drop(columns="", errors="ignore")
    counts = counts.join(broken.reindex(columns=[word for word in WORDS if word in broken]))
    counts.loc["all"] = counts.sum()
    return counts.fillna(0).astype(int)
