"""What the page on the hip pipeline shows of outlines that were found instead of given."""

from __future__ import annotations

from functools import partial

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray
from torch import nn

from osteolib.report.comparison import compare_statistics
from osteolib.report.hip_outlines import COLOURS
from osteolib.report.show import figure, say, with_ci
from osteolib.report.style import use_style
from osteolib.runs import Run
from osteolib.screen.hip_outlined import Outlined, outlined_hips, outlined_t_scores
from osteolib.screen.hip_study import Fitted, Networks, StudyHips, StudyRecipe
from osteolib.screen.sub_clusters import CLASS_CUT
from osteolib.screen.triplet import load_triplet
from osteolib.segment.mask_rcnn import find_hips

FOUND, GIVEN = "outlines found", "true outlines"
DRAWN = 5


def drawn_hips(iou: ArrayLike, there: NDArray[np.bool_], most: int = DRAWN) -> NDArray[np.int64]:
    """Positions of hips with a square, from the best outline to the worst in equal steps."""
    rows = np.flatnonzero(there)
    rows = rows[np.argsort(-np.asarray(iou, float)[rows], kind="stable")]
    return rows[np.unique(np.linspace(0, len(rows) - 1, most).round().astype(int))] if len(rows) else rows


def outlined_figure(study: StudyHips, test: NDArray, outlined: Outlined, both: pd.DataFrame) -> Figure:
    """Squares by found outlines, and below them what the network gets; beside them what it gets by true ones.

    ``both`` has, by row of ``outlined``, the T-scores ``t_score`` (true), ``given`` and ``found``.
    """
    use_style()
    rows = drawn_hips(outlined.table["iou"], outlined.there)
    fig, axes = plt.subplots(3, len(rows), figsize=(7.8, 4.3), squeeze=False)
    for column, row in zip(axes.T, rows, strict=True):
        image, femur, true = outlined.images[row], outlined.femur[row], test[row]
        seen = study.squares.images[true], study.squares.femur[true]
        for axis, picture in zip(
            column, (image, np.where(femur, image, 0), np.where(seen[1], seen[0], 0)), strict=True
        ):
            axis.imshow(picture, cmap="gray", vmin=0, vmax=255)
            axis.set(xticks=[], yticks=[])
        column[0].contour(femur, [0.5], colors=COLOURS["femur"], linewidths=1.3)
        t = both.iloc[row]
        column[0].set_title(f"IoU {outlined.table['iou'].iloc[row]:.2f}", fontsize=8.5, loc="left", weight="normal")
        for axis, name in ((column[1], "found"), (column[2], "given")):
            axis.set_xlabel(f"says {t[name]:+.1f}, true {t['t_score']:+.1f}".replace("-", "−"), fontsize=7.5)
    for axis, name in zip(axes[:, 0], ("outline found", "seen by it", "by the true one"), strict=True):
        axis.set_ylabel(name, fontsize=8.5)
    return fig


def show_outlined(
    run: Run, study: StudyHips, fitted: Fitted, networks: Networks, recipe: StudyRecipe,
    detector: tuple[nn.Module, int], n_boot: int, seed: int,
) -> None:  # fmt: skip
    """The test hips by outlines that were found: drawn, and what the T-scores lose by it.

    ``detector`` is a Mask R-CNN that none of the test hips trained, and the width of its films in the network.
    """
    test, (model, columns) = study.rows("test"), detector
    hips = study.hips.iloc[test]
    outlined = outlined_hips(partial(find_hips, model, columns=columns), hips, recipe.image_size)
    x = fitted.x_test[0]
    both = pd.DataFrame({"t_score": hips["t_score"].to_numpy(), "given": fitted.model.predict(x)["t_score"].to_numpy(),
                         "found": outlined_t_scores(outlined, load_triplet(networks.folder, recipe.triplet),
                                                    fitted.model, x)})  # fmt: skip
    there = outlined.there
    run.fact(outlined=int(there.sum()), outlined_of=len(hips), not_outlined=int((~there).sum()))
    if there.sum() < 3 or hips["subject_id"][there].nunique() < 2:
        say(run, "The detector gave {outlined} of {outlined_of} test hips a square: trained too briefly to go on from.")
        return
    iou = outlined.table["iou"].to_numpy()
    alt = f"Test hips by found outlines from best to worst, IoU {iou[there].max():.2f} to {iou[there].min():.2f}."
    figure(run, "outlined", outlined_figure(study, test, outlined, both), alt=alt)
    _tell(run, both, iou, there, hips["subject_id"], n_boot, seed)


def _tell(
    run: Run, both: pd.DataFrame, iou: NDArray, there: NDArray[np.bool_], people: pd.Series, n_boot: int, seed: int
) -> None:  # fmt: skip
    """Mean errors on the same hips with either outline, their difference, and how far single T-scores move."""
    known = both.where(pd.Series(there, both.index))
    statistics = {"MAE": lambda true, said: float(np.abs(said - true).mean())}
    values = {GIVEN: (known["t_score"], known["given"]), FOUND: (known["t_score"], known["found"])}
    compared = compare_statistics(
        statistics, values, reference=[(FOUND, GIVEN)], groups=people, n_boot=n_boot, seed=seed
    )
    compared.record(run, "hip-phantom", "{metric} of T-scores, {method}", "{metric}, {method} − {reference}")
    moved = known["found"] - known["given"]
    size = {"moved": lambda by: float(np.abs(by).mean())}
    change = compare_statistics(size, {"T": moved}, groups=people, n_boot=n_boot, seed=seed)
    more = compared.difference(FOUND, GIVEN)
    verdict = ("The error grows" if more[1] > 0 else "The error shrinks" if more[2] < 0
               else "The two errors are not told apart")  # fmt: skip
    rest = int((~there).sum())
    others = f"; {rest} are flagged for metal that is not there, or lack a femur" if rest else ""
    crossed = int(((known["found"] <= CLASS_CUT) != (known["given"] <= CLASS_CUT))[there].sum())
    run.fact(others=others, mae_given=with_ci(*compared.estimate(GIVEN)), mae_found=with_ci(*compared.estimate(FOUND)),
             mae_more=with_ci(*more, "+.2f"), outlined_verdict=verdict, outlined_iou=float(iou[there].mean()),
             moved=with_ci(*change.estimate("T")), crossed=crossed, shift=float(moved.mean()))  # fmt: skip
    say(run, "{outlined} of {outlined_of} test hips go on{others}. Of these, mean IoU {outlined_iou:.2f}, the "
        "T-score is {mae_given} T off by true outlines and **{mae_found}** by found ones. {outlined_verdict} "
        "(difference {mae_more} T). One hip's prediction moves by {moved} T on average, by {shift:+.2f} with its sign, "
        "and {crossed} cross −2.5.")  # fmt: skip
