"""What the page on what hides the bone shows and records, section by section: figures, tables, sentences."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from osteolib.phantoms.hand.truth import attainable_auroc
from osteolib.report.comparison import Comparison, compare_scores, compare_statistics
from osteolib.report.show import figure, say, table, with_ci
from osteolib.report.style import use_style
from osteolib.runs import Run
from osteolib.screen.view_oracle import KINDS
from osteolib.segment.grey import ranked

PHANTOM = "hand-phantom"
CURVES = {
    "as filmed": lambda x: x,
    "darker": lambda x: x**2,
    "narrow window": lambda x: 1 / (1 + np.exp(12 * (0.5 - x))),
}
ASKED = {"cortex": "cortical percentage", "window": "width of the display window", "exposure": "exposure"}


def auroc_of_views(reads: pd.DataFrame, ill: NDArray[np.int_], cortex: NDArray, n_boot: int, seed: int) -> pd.DataFrame:
    """A row a kind of view and size: share readable, r with the true cortex among these, AUROC of all with interval.

    Where nothing can be read the mean of the readable stands in: the view says nothing of that hand.

    Parameters
    ----------
    reads
        From :func:`osteolib.screen.view_oracle.read_views`.
    ill, cortex
        Of each bone, shape (n,): 0 or 1, and its true percentage, 0 to 1.
    """
    rows = []
    for (kind, pixels), view in reads.groupby(["kind", "pixels"], sort=False):
        read = view.set_index("bone")["percentage"].reindex(range(len(ill))).to_numpy()
        seen = np.isfinite(read)
        score = -np.where(seen, read, read[seen].mean() if seen.any() else 0.0)
        r = np.corrcoef(read[seen], cortex[seen])[0, 1] if seen.sum() > 9 else np.nan
        found = compare_scores(ill, {"view": score}, n_boot=n_boot, seed=seed).estimate("view")
        rows.append((kind, pixels, seen.mean(), r, *found))
    return pd.DataFrame(rows, columns=["kind", "pixels", "readable", "r", "auroc", "ci_low", "ci_high"])


def views_figure(found: pd.DataFrame, attainable: float) -> Figure:
    """Share of what is attainable above chance that each view keeps, as a grid of kinds and sizes."""
    use_style()
    grid = found.assign(share=(found["auroc"] - 0.5) / (attainable - 0.5))
    share = grid.pivot(index="kind", columns="pixels", values="share").reindex(KINDS)
    fig, axis = plt.subplots(figsize=(7.2, 3.6))
    shown = axis.imshow(share, cmap="cividis", vmin=0, vmax=1, aspect="auto")
    for (row, column), value in np.ndenumerate(share.to_numpy()):
        colour = "black" if value > 0.6 else "white"
        axis.text(column, row, f"{value:.0%}".replace("-", "−"), ha="center", va="center", color=colour)
    axis.set_xticks(range(share.shape[1]), share.columns)
    axis.set_yticks(range(len(share)), share.index)
    axis.set_xlabel("pixels along a side of the view")
    axis.grid(False)
    fig.colorbar(shown, label="share of the attainable", format=lambda x, _: f"{x:.0%}")
    return fig


def show_views(run: Run, found: pd.DataFrame, n_hands: int, seed: int) -> None:
    """The figure, the table behind it and what they say."""
    attainable = attainable_auroc(seed=seed, preset="lee2025")
    figure(run, "views", views_figure(found, attainable), alt="Share of the attainable that a ruler reads off views of "
           "M2, by what was done to the view and its size in pixels; the table below has the numbers.")  # fmt: skip
    shown = found.assign(auroc=[with_ci(*x) for x in found[["auroc", "ci_low", "ci_high"]].to_numpy()])
    columns = {"kind": "what is done", "readable": "middle of the shaft read", "r": "r with the true cortex",
               "auroc": "AUROC (95 % CI)"}  # fmt: skip
    shown = shown.rename(columns=columns).drop(columns=["ci_low", "ci_high"]).round(2)
    table(run, "views", shown, f"Simulated hands (n = {n_hands}): the ruler on one view of M2 each", index=False,
          folded="Each view in numbers")  # fmt: skip
    at = found.set_index(["kind", "pixels"])
    least, most = found["pixels"].min(), found["pixels"].max()
    told = (("whole", "nothing", most), ("small", "nothing", least), ("light", "light", most),
            ("global", "crop of 14 to 100 %", most), ("local", "crop of 5 to 14 %", most))  # fmt: skip
    for fact, kind, size in told:
        row = at.loc[kind, size]
        run.fact(**{f"{fact}_auroc": with_ci(*row[["auroc", "ci_low", "ci_high"]]), f"{fact}_read": row["readable"]})
    run.fact(attainable=attainable, n_hands=n_hands, least=int(least), most=int(most))
    say(
        run,
        "Of a view of the whole bone the ruler makes an AUROC of {whole_auroc} at {most} pixels and {small_auroc} at "
        "{least}, where {attainable:.2f} is attainable from the film. After the papers' change of light alone it is "
        "{light_auroc} at {most} pixels; {light_read:.0%} of the bones can be read then. Of crops of 14 to 100 % of "
        "a bone {global_read:.0%} can be read, AUROC {global_auroc}; of the local crops, 5 to 14 %, "
        "**{local_read:.0%}**, AUROC {local_auroc}.",
    )


def show_curves(run: Run, bone: NDArray[np.uint8]) -> None:
    """One bone (height, width) through three display curves, as it is seen and ranked."""
    use_style()
    fig, axes = plt.subplots(2, 3, figsize=(7.2, 4.6))
    pictures, changed = [], 0.0
    for (name, curve), (top, low) in zip(CURVES.items(), axes.T, strict=True):
        lit = np.where(bone > 0, np.rint(1 + 254 * curve(bone / 255)), 0).astype(np.uint8)
        pictures.append(ranked(lit[None])[0])
        changed = max(changed, float(np.abs(pictures[-1] - pictures[0].astype(float))[bone > 0].mean()))
        for axis, picture in ((top, lit), (low, pictures[-1])):
            axis.imshow(picture, cmap="gray", vmin=0, vmax=255)
            axis.axis("off")
        top.set_title(name)
    for axis, label in zip(axes[:, 0], ("grey levels", "ranks"), strict=True):
        axis.text(-0.08, 0.5, label, transform=axis.transAxes, rotation=90, va="center", ha="right", fontweight="bold")
    figure(run, "curves", fig, alt="One metacarpal through three display curves: above three pictures of different "
           "brightness, below their ranks, three pictures that look the same.")  # fmt: skip
    run.fact(changed=changed)
    say(run, "Between the three lower pictures a pixel differs by {changed:.1f} of 255 grey levels on average: what 8 "
        "bits have rounded to one level cannot be told apart again.")  # fmt: skip


def compare_read(read: Mapping[str, Mapping[str, tuple[NDArray, NDArray]]], n_boot: int, seed: int) -> Comparison:
    """Pearson's r of what was read with what is true, ``read[encoder][asked]`` as (truth, said) of the same people."""
    values = {f"{name}: {asked}": pair for name, kinds in read.items() for asked, pair in kinds.items()}
    pairs = [(f"ranked, {size}: {a}", f"as filmed, {size}: {a}") for size in sizes_of(read) for a in ASKED]
    return compare_statistics({"r": lambda truth, said: np.corrcoef(truth, said)[0, 1]}, values, reference=pairs,
                              n_boot=n_boot, seed=seed)  # fmt: skip


def sizes_of(read: Mapping[str, object]) -> list[str]:
    """``64 px`` and so on, of names such as ``ranked, 64 px``."""
    return list(dict.fromkeys(name.split(", ")[1] for name in read))


def show_read(run: Run, found: Comparison, screened: Comparison, n_seeds: int) -> None:
    """What random encoders' features hold, as filmed and ranked, and what the ranks change."""
    names = list(dict.fromkeys(method.split(": ")[0] for method in found.methods))
    rows = {
        name: {ASKED[a]: with_ci(*found.estimate(f"{name}: {a}")) for a in ASKED}
        | {"osteoporosis, AUROC": with_ci(*screened.estimate(name))}
        for name in names
    }
    shown = pd.DataFrame(rows).T.rename_axis("random encoder on").reset_index()
    caption = (
        "Simulated people who did not train: r (95 % CI) of what a linear model reads off frozen features with the "
        f"truth, and AUROC; mean of {n_seeds} random encoders"
    )
    table(run, "read", shown, caption, index=False)
    screened.record(run, PHANTOM, "{metric}, random encoder, {method}")
    size = sizes_of({name: 0 for name in names})[0]
    gain = found.differences.set_index("method").loc[f"ranked, {size}: cortex"]
    ill = screened.differences.set_index("method").loc[f"ranked, {size}"]
    run.fact(size=size, n_random=n_seeds, ill=with_ci(*ill[["value", "ci_low", "ci_high"]], spec="+.2f"), **{
        f"{key}_{a}": with_ci(*found.estimate(f"{name}, {size}: {a}"))
        for key, name in (("filmed", "as filmed"), ("ranked", "ranked")) for a in ASKED
    }, gain=with_ci(*gain[["value", "ci_low", "ci_high"]], spec="+.2f"), clear=bool(gain["ci_low"] > 0))  # fmt: skip
    say(
        run,
        "At {size}, the cortex is read with r = {filmed_cortex} as filmed and **{ranked_cortex}** from ranks "
        "(difference {gain}). The exposure of the film, which says nothing about bone, is read with r = "
        "{filmed_exposure} and {ranked_exposure}, the width of the display window with {filmed_window} and "
        "{ranked_window}. The AUROC for osteoporosis changes by {ill}. "
        + ("Nothing was trained: it is the picture that changed." if run.facts["clear"] else
           "For the cortex this run cannot tell the two apart."),
    )  # fmt: skip
