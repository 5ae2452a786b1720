"""Figures of the page on the hip pipeline: its stages, its plane, its searches, ROC curves and predicted T-scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import networkx as nx
import numpy as np
import pandas as pd
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike, NDArray

from osteolib.report import schematic
from osteolib.report.style import COLOURS, GREY, INK, use_style
from osteolib.screen.sub_clusters import SubClusters
from osteolib.screen.triplet import N_FEATURES, TripletNet
from osteolib.screen.x1ai import cell_names
from osteolib.stats.agreement_clustered import ClusteredAgreement

CLASSES = ("#0072B2", "#D55E00")  # no osteoporosis, osteoporosis
LINES = (("#D55E00", "-"), ("#0072B2", "--"), ("#009E73", "-."), ("#CC79A7", ":"), ("#767676", (0, (1, 1))))


def stages(
    film: NDArray, boxes: Sequence[tuple[int, int, int, int]], raw: NDArray, enhanced: NDArray, femur: NDArray,
    tilted: NDArray,
) -> Figure:  # fmt: skip
    """Fig. 1a to c: a film with the squares of its hips, one square, enhanced, on black, tilted on white."""
    use_style()
    fig, axes = plt.subplots(1, 5, figsize=(7.8, 1.9), width_ratios=[1.5, 1, 1, 1, 1])
    pictures = (film, raw, enhanced, np.where(femur, enhanced, 0), tilted)
    titles = ("a  film", "b  square", "enhanced", "on black", "tilted, on white")
    for axis, picture, title in zip(axes, pictures, titles, strict=True):
        axis.imshow(picture, cmap="gray", vmin=0, vmax=1 if picture is tilted else 255)
        axis.set_title(title, fontsize=8, loc="left", weight="normal")
        axis.axis("off")
    for x0, y0, x1, y1 in boxes:
        axes[0].add_patch(Rectangle((x0, y0), x1 - x0, y1 - y0, fill=False, ec="#E69F00", lw=1.6))
    return fig


def flow(model: TripletNet, size: int, n_cells: int) -> Figure:
    """Fig. 1c to g as a chart, with the sizes of the network that was trained."""
    chart = nx.DiGraph()
    with torch.no_grad():
        grid = model.body(torch.zeros(1, 1, size, size)).shape[1:]
    n = sum(p.numel() for p in model.parameters())
    boxes = (
        ("square", "input", f"{size} × {size}, one grey", []),
        ("compact CNN", "box", f"{n:,} parameters; {grid[0]} channels of {grid[1]} × {grid[2]}, averaged", ["square"]),
        ("features", "box", f"{N_FEATURES}, of length 1; trained by triplets", ["compact CNN"]),
        ("age, BMI, sex", "input", "imputed where missing", []),
        (f"{N_FEATURES + 3} numbers", "box", "standardised on training hips", ["features", "age, BMI, sex"]),
        ("plane", "box", "two principal components, a line between the classes", [f"{N_FEATURES + 3} numbers"]),
        ("sub-cluster", "box", f"the nearest of the class, of {n_cells}", ["plane", f"{N_FEATURES + 3} numbers"]),
        ("MLP", "box", f"of {n_cells}, one a sub-cluster, each found by a genetic algorithm",
         ["sub-cluster", f"{N_FEATURES + 3} numbers"]),
        ("class", "output", "osteoporosis or not, and a score", ["plane"]),
        ("T-score", "output", "of the hip", ["MLP"]),
    )  # fmt: skip
    for name, kind, detail, before in boxes:
        chart.add_node(name, kind=kind, title=name, detail=detail, part="", shape=(), parameters=0)
        chart.add_edges_from((one, name) for one in before)
    return schematic.draw({"": chart})


def plane(clusters: SubClusters, x_train: NDArray, low: ArrayLike, x_test: NDArray, low_test: ArrayLike) -> Figure:
    """Fig. 1d and e: classes of training with the boundary, sub-clusters with what was filtered out, and test hips."""
    use_style()
    fig, axes = plt.subplots(1, 3, figsize=(7.8, 3.3), sharex=True, sharey=True)
    points, new = clusters.plane(x_train), clusters.plane(x_test)
    for axis, at, classes in ((axes[0], points, low), (axes[2], new, low_test)):
        for value, marker, name in ((0, "o", "class 0"), (1, "^", "class 1, T ≤ −2.5")):
            own = np.asarray(classes).astype(int) == value
            axis.scatter(*at[own].T, s=11, c=CLASSES[value], marker=marker, alpha=0.6, lw=0, label=name)
        _boundary(axis, clusters, np.concatenate([points, new]))
    out = ~clusters.kept
    axes[1].scatter(*points[out].T, s=9, c=GREY, marker="x", lw=0.6, label="filtered out")
    shades = plt.get_cmap("viridis")(np.linspace(0, 1, len(clusters.cuts) + 1))
    for cell, (shade, name) in enumerate(zip(shades, cell_names(clusters.cuts), strict=True)):
        own = clusters.kept & (clusters.cell == cell)
        axes[1].scatter(*points[own].T, s=9, color=shade, lw=0, label=name.split(" (")[0])
    titles = ("d  training: two classes", "e  sub-clusters by T-score", "test hips, by their true class")
    for axis, title in zip(axes, titles, strict=True):
        axis.set_title(title, fontsize=8.5)
        axis.set_xlabel("component 1", fontsize=8)
    axes[0].set_ylabel("component 2", fontsize=8)
    handles = axes[0].get_legend_handles_labels(), axes[1].get_legend_handles_labels()
    fig.legend(*(a + b for a, b in zip(*handles, strict=True)), loc="outside lower center", ncols=4, fontsize=7,
               markerscale=1.5)  # fmt: skip
    return fig


def _boundary(axis: Axes, clusters: SubClusters, points: NDArray) -> None:
    a, b, c = clusters.line
    (left, bottom), (right, top) = points.min(0), points.max(0)
    axis.set(xlim=(left - 1, right + 1), ylim=(bottom - 1, top + 1))
    normal = np.array([a, b]) / np.hypot(a, b)
    foot, along = -c / np.hypot(a, b) * normal, np.array([-normal[1], normal[0]])
    ends = np.stack([foot - 99 * along, foot + 99 * along])
    axis.plot(*ends.T, color="#CC0000", lw=1.4)


def searches(history: pd.DataFrame, names: Sequence[str]) -> Figure:
    """The best error of each sub-cluster's search by generation."""
    use_style()
    fig, axis = plt.subplots(figsize=(6.6, 2.9))
    shades = plt.get_cmap("viridis")(np.linspace(0, 1, len(names)))
    for (_, of), shade, name, marker in zip(history.groupby("cell"), shades, names, "osD^vP*X", strict=False):
        axis.plot(of["generation"], of["best"], color=shade, marker=marker, ms=4, label=name)
    axis.set(xlabel="generation", ylabel="error on people left out, T", xticks=range(history["generation"].max() + 1))
    axis.legend(fontsize=7, loc="center left", bbox_to_anchor=(1, 0.5))
    return fig


def roc(y_true: ArrayLike, scores: Mapping[str, ArrayLike], names: Mapping[str, str]) -> Figure:
    """Fig. 2: ROC curves of graded scores, their calls at 0.5 as large dots, and the printed calls as squares.

    ``names`` are the published ones by network, for the squares.
    """
    from sklearn.metrics import roc_curve

    from osteolib.report.published import load_published

    use_style()
    y = np.asarray(y_true)
    printed = load_published("chen2024_hip").set_index("published_id")["value"] / 100
    fig, axis = plt.subplots(figsize=(4.5, 4.2))
    for (name, score), (colour, line) in zip(scores.items(), LINES, strict=False):
        score = np.asarray(score, float)
        fpr, tpr, _ = roc_curve(y, score)
        axis.plot(fpr, tpr, color=colour, ls=line, lw=1.8, label=name)
        called = score >= 0.5
        axis.plot(called[y == 0].mean(), called[y == 1].mean(), "o", ms=8, color=colour, mec=INK)
        if name in names:
            sens, spec = (printed[f"chen2024_hip.T3.{names[name]}.{key}"] for key in ("sens", "spec"))
            axis.plot(1 - spec, sens, "s", ms=7, mfc="none", mec=colour, mew=1.8)
    axis.plot([0, 1], [0, 1], color=GREY, lw=0.8)
    axis.plot([], [], "o", color="white", mec=INK, label="calls at 0.5, phantom")
    axis.plot([], [], "s", mfc="none", mec=INK, label="printed, real hips")
    axis.set(xlabel="1 − specificity", ylabel="sensitivity", xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
    axis.legend(fontsize=7.5, loc="lower right")
    return fig


def t_scores(
    true: ArrayLike, predicted: ArrayLike, cell: ArrayLike, ba: ClusteredAgreement, r: float,
    printed: tuple[float, float],
) -> Figure:  # fmt: skip
    """Fig. 3 and 4: predicted against DXA's T-score, coloured by sub-cluster, and their difference against the mean.

    ``printed`` are the paper's limits of agreement.
    """
    use_style()
    true, predicted = np.asarray(true, float), np.asarray(predicted, float)
    fig, (left, right) = plt.subplots(1, 2, figsize=(7.6, 3.5))
    ends = [min(true.min(), predicted.min()) - 0.2, max(true.max(), predicted.max()) + 0.2]
    left.plot(ends, ends, color=GREY, lw=0.8)
    left.axvline(-2.5, color=GREY, lw=0.8, ls=":")
    left.axhline(-2.5, color=GREY, lw=0.8, ls=":")
    style = {"s": 16, "c": cell, "cmap": "viridis", "lw": 0.3, "edgecolors": INK}
    left.scatter(true, predicted, **style)
    left.set(xlabel="T-score by DXA", ylabel="predicted T-score", title=f"r = {r:.2f}", xlim=ends, ylim=ends)
    left.set_aspect("equal")
    right.scatter((true + predicted) / 2, predicted - true, **style)
    for value, line in ((ba.bias, "-"), (ba.loa_low, "--"), (ba.loa_high, "--")):
        right.axhline(value, color=COLOURS["osteoporosis"], ls=line, lw=1.4)
    right.axhspan(*printed, color=GREY, alpha=0.3, lw=0)
    right.set(xlabel="mean of the two", ylabel="predicted − DXA", title="grey: the printed limits")
    return fig
