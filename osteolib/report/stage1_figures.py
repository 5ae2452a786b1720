"""Figures of the page on the films of ``strnet-stage1``: small pictures, and only of films of ``knee-wani``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import networkx as nx
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from osteolib.cohorts import load_manifest
from osteolib.cohorts.planted_copies import reduced
from osteolib.cohorts.strnet_stage1 import LINKED
from osteolib.radiograph import read_radiograph
from osteolib.report.knee_flow import chain
from osteolib.report.plots import contact_sheet
from osteolib.report.schematic import draw
from osteolib.report.style import COLOURS, GREY, INK, use_style

SIDE = 160
"""Pixels of the longer side of a picture that is shown, at most."""


def may_be_shown(files: pd.DataFrame) -> pd.Series:
    """Whether a file's picture may stand on a page: a film of ``knee-wani`` (CC BY 4.0) without burnt-in numbers.

    ``files`` are those of :func:`osteolib.report.stage1_counts.with_listed`.
    """
    manifest = load_manifest(LINKED)
    names = set(manifest.settings.get("mask_boxes", {}))
    marked = {file.sha256 for file in manifest.files if Path(file.path).stem in names}
    numbered = files.loc[files["content"].isin(marked), "source_group"]
    return files["wani_id"].notna() & ~files["source_group"].isin(numbered)


def thumbnail(path: str) -> np.ndarray:
    """A film as it is stored, small; nothing is masked, since masks made for full size miss on reduced copies."""
    return reduced(read_radiograph(path).pixels, SIDE)


def chain_figure(films: int, distinct: int, crops: int, cut: float, small: int, listed: int, missing: int) -> Figure:
    """How the sets hang together, as a chart.

    Parameters
    ----------
    films, distinct
        Films of ``knee-wani``, and how many of them are different files.
    crops, cut
        Different files of the set of single knees, and the share of them that show films of ``knee-wani``.
    small
        Different files of 128 x 256 pixels.
    listed, missing
        Files of the whole set, and those never seen.
    """
    chart = nx.DiGraph()
    start = (f"{films} films", f"knee-wani, one or both knees; {distinct} are different files", "input", "")
    knees = (f"{crops} pictures", f"one knee each; {cut:.0%} show a film of knee-wani", "box", "knees cut out")
    reduced = (f"{small} small pictures", "the same, 128 × 256 pixels", "box", "reduced")
    whole = (f"{listed:,} files", f"the films once, the pictures twice; {missing} not seen", "output", "")
    chain(chart, start, knees, reduced, whole)
    chain(chart, knees, whole)
    chain(chart, start, whole)
    return draw({"": chart})


def place_figure(crop: np.ndarray, film: np.ndarray, box: Sequence[float], names: tuple[str, str]) -> Figure:
    """A crop, the film with the place it was cut from, and the film's part there; box in shares of the film."""
    use_style()
    rows, columns = film.shape
    x0, y0, x1, y1 = (round(share * side) for share, side in zip(box, (columns, rows, columns, rows), strict=True))
    fig, axes = plt.subplots(1, 3, figsize=(6.6, 2.5))
    titles = (names[0], names[1], "the film, there")
    for axis, picture, title in zip(axes, (crop, film, film[y0:y1, x0:x1]), titles, strict=True):
        axis.imshow(picture, cmap="gray")
        axis.set_title(title, fontsize=9, weight="normal", loc="center")
        axis.axis("off")
    axes[1].add_patch(Rectangle((x0, y0), x1 - x0, y1 - y0, fill=False, ec="#E69F00", lw=2))
    return fig


def detail_figure(pairs: pd.DataFrame, crops: pd.DataFrame, others: pd.DataFrame, rule: float) -> Figure:
    """Correlations of detail of proposed pairs, of crops with their best film, and with the best other film."""
    use_style()
    fig, axes = plt.subplots(1, 2, figsize=(7.4, 2.7), sharex=True)
    bins, shown = np.linspace(0, 1, 41), {"histtype": "stepfilled", "alpha": 0.75}
    axes[0].hist(pairs["detail"].clip(0), bins, color=COLOURS["normal"], label="pairs of alike hashes", **shown)
    axes[1].hist(crops["detail"].clip(0), bins, color=COLOURS["normal"], label="best film", **shown)
    weight = np.full(len(others), len(crops) / max(len(others), 1))
    axes[1].hist(others["detail"].clip(0), bins, weights=weight, histtype="step", lw=1.8, color=COLOURS["osteoporosis"],
                 label="best of all other films")  # fmt: skip
    for axis, title in zip(axes, ("Two pictures", "A crop and a film"), strict=True):
        axis.axvline(rule, color=INK, ls="--", lw=1)
        axis.annotate("the rule", (rule, 0.93), xycoords=("data", "axes fraction"), xytext=(-3, 0),
                      textcoords="offset points", ha="right", fontsize=8)  # fmt: skip
        axis.set(title=title, xlabel="correlation of detail", xlim=(0, 1))
        axis.legend(loc="upper left", fontsize="small", bbox_to_anchor=(0, 0.88))
    axes[0].set_ylabel("pairs")
    axes[1].set_ylabel("crops")
    return fig


def pair_sheet(films: pd.DataFrame, pairs: pd.DataFrame) -> Figure:
    """Pairs side by side; ``pairs`` have ``a, b`` (image ids), ``detail``; ``films`` are indexed by image id."""
    images, titles = [], []
    for row in pairs.itertuples():
        for name, note in ((row.a, f"detail {row.detail:.2f}"), (row.b, films["label"][row.b])):
            images.append(thumbnail(films["path"][name]))
            titles.append(f"{name}\n{note}")
    return contact_sheet(images, titles, columns=6, size=1.25)


def film_sheet(films: pd.DataFrame, sources: Sequence[str]) -> Figure:
    """Source films, two in a row, each with one file of every picture and folder; above it how many files are alike."""
    use_style()
    one = films[films["source_group"].isin(sources)].groupby("source_group")
    shown = [part.groupby(["picture_group", "label"], sort=False) for _, part in one]
    wide = max(len(groups) for groups in shown)
    rows = -(-len(shown) // 2)
    fig, axes = plt.subplots(rows, 2 * wide, figsize=(2.5 * wide, 2.1 * rows), squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    blocks = [row[start : start + wide] for row in axes for start in (0, wide)]
    for block, groups in zip(blocks, shown, strict=False):
        order = sorted(groups, key=lambda part: -part[1]["n_legs"].max())
        for axis, ((_, label), part) in zip(block, order, strict=False):
            largest = part.loc[part["original_width"].fillna(0).idxmax()]
            axis.imshow(thumbnail(largest["path"]), cmap="gray")
            axis.set_title(f"{label}\n{len(part)} file{'s' * (len(part) > 1)}", fontsize=8, loc="center",
                           weight="normal", color=COLOURS[label])  # fmt: skip
        film = order[0][1].iloc[0]
        block[0].annotate(f"{film['wani_id']}; T-score: {film['wani_label']}", (0, -0.04), va="top", fontsize=7.5,
                          color=GREY, xycoords="axes fraction", annotation_clip=False)  # fmt: skip
    return fig
