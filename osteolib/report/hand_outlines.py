"""Figures of the chapter on outlines: the network, its loss, many opinions of one hand, and where they lead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import networkx as nx
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from osteolib.phantoms.hand.shapes import BONES
from osteolib.report.comparison import Comparison
from osteolib.report.style import GREY, use_style
from osteolib.segment.bones import BoneImages
from osteolib.segment.opinions import KnownHands, Likeness, entropy_bits, opinion, pooled_calibration
from osteolib.segment.training import Drawn, Recipe
from osteolib.segment.transport import gamma_at, progress

BONE_COLOURS = ("#0072B2", "#56B4E9", "#CC79A7", "#D55E00", "#E69F00", "#F0E442", "#009E73")
LOOK = {
    "mixture": ("#0072B2", "-"),
    "single decoder": ("#D55E00", "--"),
    "mixture, one annotator": ("#009E73", ":"),
}  # colour and line of each model


def mixture_graph(recipe: Recipe, size: int) -> nx.DiGraph:
    """The mixture U-Net of a recipe as a flow chart, with its counts, for :func:`osteolib.report.schematic.draw`."""
    from osteolib.segment.mixture import MixtureUNet

    net = MixtureUNet(8, recipe.k, recipe.latent, recipe.width)
    count = {name: f"{sum(p.numel() for p in part.parameters()):,} parameters" for name, part in net.named_children()}
    each = f"{sum(p.numel() for p in net.decoders[0].parameters()):,} parameters"
    graph = nx.DiGraph()

    def box(name: str, kind: str, detail: str, *before: str) -> None:
        graph.add_node(name, kind=kind, title=name, detail=detail)
        graph.add_edges_from((b, name) for b in before)

    box("film x", "input", f"longer side {size}")
    box("encoder", "module", f"five levels\n{count['encoder']}", "film x")
    box("stop-gradient", "stop", "", "encoder")
    box("router", "module", f"average, two layers\n{count['routing']}", "stop-gradient")
    modules = [f"decoder {k + 1}" for k in range(recipe.k)]
    for module in modules:
        box(module, "module", f"{each}\nlatent: S = {recipe.n_samples} draws scale and shift", "encoder")
    box("1×1, 1×1, 1×1", "module", f"shared\n{count['convolutions']}", *modules)
    masks = f"{recipe.k * recipe.n_samples} masks and their weights"
    box("mixture q", "output", masks, "1×1, 1×1, 1×1", "router")
    return graph


def transport_plans(matrices: Mapping[str, NDArray], weights: Sequence[float]) -> Figure:
    """Matrices of masks by annotators side by side under their titles, every entry written out."""
    use_style()
    fig, axes = plt.subplots(1, len(matrices), figsize=(2.05 * len(matrices), 2.3))
    for axis, (name, values) in zip(axes, matrices.items(), strict=True):
        axis.imshow(values, cmap="Blues", vmin=0, vmax=1)
        for (i, j), value in np.ndenumerate(values):
            colour = "white" if value > 0.55 else "black"
            axis.text(j, i, f"{value:.1f}", ha="center", va="center", color=colour)
        axis.set(xticks=range(len(weights)), yticks=range(len(values)), title=name, xlabel="annotator")
        axis.set_xticklabels([f"{w:g}" for w in weights])
        axis.set_yticklabels([f"mask {i + 1}" for i in range(len(values))])
    return fig


def training(history: Mapping[str, pd.DataFrame], recipe: Recipe) -> Figure:
    """What is annealed; the loss of the mixture; the validation distance of the models that saw all annotators."""
    use_style()
    at = np.arange(recipe.epochs)
    done = [progress(epoch, recipe.epochs) for epoch in at]
    fig, axes = plt.subplots(1, 3, figsize=(8.6, 2.9))
    gamma = [gamma_at(p, 1 / (recipe.k * recipe.n_samples)) for p in done]
    axes[0].plot(at, gamma, color="#0072B2", label="row bound γ")
    axes[0].plot(at, [1 - p for p in done], "--", color="#D55E00", label="weight of cross-entropy")
    axes[0].set(title="What is annealed", ylim=(0, 1.35))
    for term, style in {"transport": "-", "routing": "--"}.items():
        axes[1].plot(history["mixture"][term], style, color="#0072B2", label=term)
    axes[1].set(title="Terms of the loss", ylim=(0, 1.4 * history["mixture"]["routing"].max()))
    for name in ("mixture", "single decoder"):
        colour, style = LOOK[name]
        axes[2].plot(history[name]["ged"], style, color=colour, label=name)
    axes[2].set(title="Validation GED²", ylim=(0, None))
    for axis in axes:
        axis.set_xlabel("epoch")
        axis.legend(fontsize="small", loc="upper right")
    return fig


def paint(axis: Axes, grey: NDArray, mask: NDArray, outline: NDArray | None = None, alpha: float = 0.6) -> None:
    """A film in [0, 1] with a label map over it, and the outlines of another in white."""
    axis.imshow(grey, cmap="gray", vmin=0, vmax=1)
    shown = np.ma.masked_equal(mask, 0)
    axis.imshow(shown, cmap=ListedColormap(BONE_COLOURS), vmin=1, vmax=7, alpha=alpha, interpolation="none")
    for value in np.unique(outline)[1:] if outline is not None else ():
        axis.contour(outline == value, [0.5], colors="white", linewidths=0.8)
    axis.axis("off")


def calmest(hands: pd.DataFrame) -> int:
    """Position of the hand with seven bones, without plate or cast, that lies most upright."""
    plain = hands["n_bones"].eq(7) & ~hands["plate"] & ~hands["cast"]
    return int(hands["x"].abs().where(plain, np.inf).to_numpy().argmin())


def hypotheses(hands: KnownHands, i: int, drawn: Drawn, annotators: Mapping[str, float]) -> Figure:
    """Metacarpals of hand ``i``: above as each annotator draws them, below the first draw of each module."""
    use_style()
    ends = [(at.min() - 3, at.max() + 3) for at in np.nonzero(hands.small[i] > 2)]
    window = tuple(slice(max(int(low), 0), int(high)) for low, high in ends)
    panels = [(mask, f"{n}, β = {w:g}") for mask, (n, w) in zip(hands.labels[i], annotators.items(), strict=True)]
    modules = drawn.pi.shape[1]
    firsts = drawn.labels[i, :: drawn.labels.shape[1] // modules]
    panels += [(mask, f"module {k + 1}, π = {drawn.pi[i, k]:.2f}") for k, mask in enumerate(firsts)]
    fig, axes = plt.subplots(2, modules, figsize=(8.4, 3.5))
    for axis, (mask, title) in zip(axes.flat, panels, strict=True):
        paint(axis, hands.images[i][window], mask[window], hands.small[i][window])
        axis.set_title(title, fontsize=9)
    return fig


def doubt(hands: KnownHands, i: int, drawn: Mapping[str, Drawn]) -> Figure:
    """The true mask of hand ``i``, and the entropy of each pixel's class by annotators and by models."""
    use_style()
    shares = {"annotators": opinion(hands.labels[i], hands.beta)} | {n: d.probability[i] for n, d in drawn.items()}
    fig, axes = plt.subplots(1, 1 + len(shares), figsize=(8.6, 3.4))
    paint(axes[0], hands.images[i], hands.small[i])
    axes[0].set_title("truth", fontsize=9)
    for axis, (name, p) in zip(axes[1:], shares.items(), strict=True):
        shown = axis.imshow(entropy_bits(p), cmap="magma", vmin=0, vmax=1.5)
        axis.set_title(name, fontsize=9)
        axis.axis("off")
    fig.colorbar(shown, ax=axes[-1], label="entropy (bits)", shrink=0.8)
    return fig


def reliability(hands: KnownHands, drawn: Mapping[str, Drawn], ece: Mapping[str, float]) -> Figure:
    """Share of pixels that are right by the probability of their class; ``ece`` goes into the legend."""
    use_style()
    fig, axis = plt.subplots(figsize=(5.2, 3.4))
    axis.plot([0.2, 1], [0.2, 1], color=GREY, lw=1)
    for name, d in drawn.items():
        bins, (colour, style) = pooled_calibration(d.probability, hands.labels, hands.beta), LOOK[name]
        known = {"marker": "o", "ms": 4, "color": colour, "label": f"{name}, ECE {ece[name]:.3f}"}
        axis.plot(bins["confidence"], bins["right"], style, **known)
    ends = {"xlim": (0.2, 1.01), "ylim": (0.2, 1.01)}
    axis.set(xlabel="probability of the most probable class", ylabel="share right", **ends)
    axis.legend(fontsize="small")
    return fig


def modes(like: Mapping[str, Likeness], annotators: Mapping[str, float], mass: Mapping[str, Comparison]) -> Figure:
    """IoU of modules with annotators for both mixtures; mean mass like each annotator, with intervals, by model."""
    use_style()
    names, places = list(annotators), np.arange(len(annotators))
    fig, axes = plt.subplots(1, 3, figsize=(8.8, 3.3), width_ratios=[1, 1, 1.15])
    for axis, name in zip(axes, [n for n in like if n.startswith("mixture")], strict=False):
        near, pi = like[name].near.mean(0), like[name].pi.mean(0)
        axis.imshow(near, cmap="Blues", vmin=near.min() - 0.1, vmax=near.max() + 0.05)
        for (i, j), value in np.ndenumerate(near):
            weight = "bold" if j == like[name].owner[i] else "normal"
            colour = "white" if value > near.mean() else "black"
            axis.text(j, i, f"{value:.2f}", ha="center", va="center", color=colour, weight=weight, fontsize=8)
        axis.set_xticks(places, names, rotation=35, fontsize=8)
        axis.set_yticks(range(len(pi)), [f"{k + 1}: π = {p:.2f}" for k, p in enumerate(pi)], fontsize=8)
        axis.set_title(f"{name}: IoU", fontsize=9)
    axes[2].bar(places, list(annotators.values()), 0.85, color="#DDDDDD", label="weight β")
    for k, (name, compared) in enumerate(mass.items()):
        value, low, high = compared.rows[["value", "ci_low", "ci_high"]].to_numpy(float).T
        options = {"fmt": "o", "ms": 3.5, "lw": 1.2, "color": LOOK[name][0], "label": name}
        axes[2].errorbar(places + 0.22 * (k - 1), value, [value - low, high - value], **options)
    axes[2].set_xticks(places, names, rotation=35, fontsize=8)
    axes[2].set(ylim=(-0.03, 1.75), yticks=[0, 0.5, 1])
    axes[2].set_title("Mass like each annotator", fontsize=9)
    axes[2].legend(fontsize=7.5, loc="upper right")
    return fig


def cut_bones(film: NDArray, labels: NDArray[np.uint8], bones: BoneImages) -> Figure:
    """A film in [0, 1] with the squares around its bones, and the bone images beside it."""
    use_style()
    rows = [["film", *BONES[:4]], ["film", *BONES[4:], "none"]]
    fig, axes = plt.subplot_mosaic(rows, figsize=(8.4, 3.2), width_ratios=[1.7, 1, 1, 1, 1])
    paint(axes["film"], film, labels, alpha=0.35)
    for name, colour in zip(BONES, BONE_COLOURS, strict=True):
        axes[name].set_title(name, color=colour, fontsize=9)
        if name in bones.images:
            y, x, side = bones.boxes[name]
            axes["film"].add_patch(plt.Rectangle((x, y), side, side, fill=False, ec=colour, lw=2))
            axes[name].imshow(bones.images[name], cmap="gray", vmin=0, vmax=1)
    for axis in axes.values():
        axis.axis("off")
    return fig


def outlined_films(
    films: Sequence[NDArray], seen: Sequence[NDArray], accepted: Sequence[NDArray], titles: ArrayLike
) -> Figure:
    """Films (0 to 255) with label maps in colour, and other outlines in white, thinned to 400 pixels."""
    use_style()
    fig, axes = plt.subplots(1, len(films), figsize=(8.8, 2.7), squeeze=False)
    for axis, film, mask, outline, title in zip(axes[0], films, seen, accepted, titles, strict=True):
        step = max(1, max(film.shape) // 400)
        thin = np.s_[::step, ::step]
        paint(axis, film[thin] / 255, mask[thin], outline[thin], 0.5)
        axis.set_title(title, fontsize=8)
    return fig
