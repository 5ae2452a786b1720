"""What the page from a CT to vertebrae shows and records, section by section."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from osteolib.report.show import figure, say, table
from osteolib.report.style import GREY, use_style
from osteolib.runs import Run
from osteolib.volume import LabelMap, Patch, Vertebra, Volume, body_core, resample, to_planes

ORANGE, BLUE = "#E69F00", "#0072B2"
PLANES = ("axial", "coronal", "sagittal")
SEEN = 40  # voxels of an outline from which it gets its name
SPACINGS = (1.5, 2.0, 3.0, 5.0)  # mm, of which the first is the finest scan's own


def show_ways(run: Run, ways: int, same: int, as_slices: bool) -> None:
    """``same`` of so many stored orientations were read as one volume, and whether a DICOM series was."""
    run.fact(ways=ways, same=same, series="did so, too" if as_slices else "did not")
    say(
        run,
        "Of {ways} files that hold one volume along {ways} sets of axes, **{same} came out as the same array**, "
        "voxel for voxel. The volume as a folder of DICOM slices {series}.",
    )


def along_column(grid: Volume | LabelMap, middles: NDArray[np.float64]) -> tuple[NDArray, NDArray]:
    """Slices of a volume that follow the column, from the side (depth, height) and from behind (depth, width).

    ``middles``: shape (n, 3), indices of the bodies' middles, from one end of the column to the other.
    """
    order = np.argsort(middles[:, 0])
    up = np.arange(len(grid.voxels))
    back, left = (np.interp(up, middles[order, 0], middles[order, k]).round().astype(int) for k in (1, 2))
    return grid.voxels[up, :, left], grid.voxels[up, back, :]


def spine_figure(volume: Volume, labels: LabelMap, vertebrae: list[Vertebra]) -> plt.Figure:
    """The column from the side and from behind, each vertebra outlined and named."""
    use_style()
    whole = [v for v in vertebrae if not v.problem]
    middles = np.array([np.argwhere(body_core(labels.voxels == v.label)).mean(0) for v in whole])
    depth, *across = volume.spacing_mm
    fig, axes = plt.subplots(1, 2, figsize=(7.6, 4.4))
    views = zip(axes, ("from the side, front on the right", "from behind, patient's right on the right"), across,
                along_column(volume, middles), along_column(labels, middles), strict=True)  # fmt: skip
    for axis, title, mm, hu, numbers in views:
        axis.imshow(hu, cmap="gray", vmin=-200, vmax=700, origin="lower", aspect=depth / mm)
        for v in vertebrae:
            if (seen := numbers == v.label).any():
                axis.contour(seen, [0.5], colors="#ffffff" if v.problem else ORANGE, linewidths=1)
                text = f"{v.level} ({v.problem})" if v.problem else v.level
                text = text if seen.sum() > SEEN else ""
                axis.text(2, np.argwhere(seen)[:, 0].mean(), text, color="#ffffff", fontsize=8, va="center")
        axis.set_title(f"{title}, along the column", fontsize=8.5, weight="normal")
        axis.axis("off")
    return fig


def show_spine(run: Run, volume: Volume, labels: LabelMap, vertebrae: list[Vertebra]) -> None:
    """Figure and table of the vertebrae of the trunk CT."""
    whole = [v for v in vertebrae if not v.problem]
    figure(
        run, "spine", spine_figure(volume, labels, vertebrae),
        alt=f"A trunk CT from the side and from behind with {len(vertebrae)} vertebrae outlined and named.",
    )  # fmt: skip
    gaps = [round(a.centre_mm[2] - b.centre_mm[2]) for a, b in pairwise(vertebrae)]
    rows = pd.DataFrame({
        "level": [v.level for v in vertebrae], "number": [v.label for v in vertebrae],
        "up, mm": [round(v.centre_mm[2]) for v in vertebrae],
        "to the next, mm": pd.array([*gaps, None], dtype="Int64"),
        "volume, cm³": [round(v.volume_mm3 / 1000, 1) for v in vertebrae],
        "kept": [f"no: {v.problem}" if v.problem else "yes" for v in vertebrae],
    })  # fmt: skip
    table(run, "vertebrae", rows, "Vertebrae of the trunk CT by its program's map, from the neck down.", index=False)
    run.fact(
        n_found=len(vertebrae), n_whole=len(whole), whole=", ".join(v.level for v in whole),
        aside=", ".join(f"{v.level} ({v.problem})" for v in vertebrae if v.problem) or "none",
    )  # fmt: skip
    say(
        run,
        "{n_found} numbers of the map are vertebrae, **{n_whole} can be measured** ({whole}). Set aside: {aside}. "
        "A mask that touches the edge belongs to a vertebra of which a part is not in the picture.",
    )


def planes_figure(patches: Mapping[str, Patch]) -> plt.Figure:
    """Each patch in its three planes, the inside of the body outlined."""
    use_style()
    fig, axes = plt.subplots(3, len(patches), figsize=(1.28 * len(patches), 4.1), squeeze=False)
    for column, (name, patch) in zip(axes.T, patches.items(), strict=True):
        inside = to_planes(body_core(patch.mask).astype(np.float32), (0, 1))
        for axis, plane, core in zip(column, to_planes(patch.voxels), inside, strict=True):
            axis.imshow(plane, cmap="gray", vmin=0, vmax=1)
            axis.contour(core, [0.5], colors=ORANGE, linewidths=0.8)
            axis.set(xticks=[], yticks=[])
            axis.spines[:].set_visible(False)
        column[0].set_title(name, fontsize=8, loc="center", weight="normal")
    for axis, word in zip(axes[:, 0], PLANES, strict=True):
        axis.set_ylabel(word, fontsize=8)
    return fig


def show_planes(run: Run, patches: Mapping[str, Patch]) -> None:
    """Figure of all patches, one column each."""
    some = next(iter(patches.values()))
    run.fact(side=some.spacing_mm * len(some.voxels), voxel=some.spacing_mm, n_patches=len(patches))
    figure(run, "planes", planes_figure(patches),
           alt=f"{len(patches)} vertebrae in an axial, a coronal and a sagittal slice, the inside of the body "
               "outlined.")  # fmt: skip
    say(
        run,
        "{n_patches} vertebrae in cubes of {side:.0f} mm, voxels of {voxel:g} mm, the middle of the body in the "
        "middle of the cube. Outlined: what is measured next.",
    )


def body_table(patches: Mapping[str, Patch]) -> pd.DataFrame:
    """HU of each vertebra: ``mean, median, sd`` inside its body; ``whole``, the mean over its mask."""
    rows = {}
    for name, patch in patches.items():
        inside = patch.voxels[body_core(patch.mask)]
        rows[name] = {"mean": inside.mean(), "median": np.median(inside), "sd": inside.std(),
                      "whole": patch.voxels[patch.mask].mean()}  # fmt: skip
    return pd.DataFrame(rows).T


def coarser_table(volume: Volume, labels: LabelMap) -> pd.DataFrame:
    """Mean and SD of HU inside one body, mask ``labels`` > 0, at several spacings of the same scan."""
    inside = labels.voxels > 0
    rows = []
    for mm in SPACINGS:
        new, mask = (resample(grid, mm).voxels for grid in (volume, LabelMap(inside * np.uint16(1), labels.affine, "")))
        rows.append({"mm": mm, "mean": new[mask > 0].mean(), "sd": new[mask > 0].std()})
    return pd.DataFrame(rows)


def show_body(run: Run, values: pd.DataFrame, expert: float, coarser: pd.DataFrame, one: str) -> None:
    """HU by vertebra, and what coarser voxels keep.

    Parameters
    ----------
    values
        Of :func:`body_table`.
    expert
        Mean HU of the region that the finer scan's own map calls the inside of the body; ``one`` is its row.
    """
    use_style()
    fig, (left, right) = plt.subplots(1, 2, figsize=(7.6, 3.0), width_ratios=(3, 2))
    x = np.arange(len(values))
    left.errorbar(x, values["mean"], values["sd"], fmt="o", color=BLUE, capsize=3, label="inside the body, mean and SD")
    left.plot(x, values["whole"], "s", color=ORANGE, mfc="white", label="whole mask, mean")
    left.set(xticks=x, ylabel="HU", ylim=(-60, None))
    left.set_xticklabels(values.index, fontsize=7.5)
    left.legend(fontsize=7.5, loc="upper center", ncols=2)
    left.set_ylim(top=1.25 * max(values["whole"].max(), (values["mean"] + values["sd"]).max()))
    right.plot(coarser["mm"], coarser["mean"], "o-", color=BLUE, label="mean")
    right.plot(coarser["mm"], coarser["sd"], "^--", color=GREY, label="SD")
    right.set(xlabel="voxel, mm", ylabel="HU", ylim=(0, None), title=one)
    right.legend(fontsize=7.5)
    alt = "Hounsfield units inside the body of each vertebra and over its whole mask, and mean and SD by size of voxel."
    figure(run, "body", fig, alt=alt)
    trunk = values.drop(index=one)
    odd = trunk["sd"].idxmax()
    first, last = coarser.iloc[0], coarser.iloc[-1]
    run.fact(
        low=trunk["mean"].min(), high=trunk["mean"].max(), whole_low=trunk["whole"].min(), odd=odd,
        whole_high=trunk["whole"].max(), odd_sd=trunk["sd"][odd], odd_mean=trunk["mean"][odd],
        odd_median=trunk["median"][odd], rest_sd=trunk["sd"].drop(odd).max(), found=values["mean"][one], expert=expert,
        mean_moves=abs(coarser["mean"] - first["mean"]).max(), sd_first=first["sd"], sd_last=last["sd"],
        coarse=last["mm"], fine=first["mm"], white=first["sd"] * (first["mm"] / last["mm"]) ** 1.5,
    )  # fmt: skip
    say(
        run,
        "Inside the bodies of the trunk CT lie {low:.0f} to {high:.0f} HU; over the whole masks, cortex and arch "
        "included, {whole_low:.0f} to {whole_high:.0f}. On the other scan our outline gives {found:.0f} HU and the "
        "region that its own map calls the inside of the body {expert:.0f}.",
    )
    if trunk["sd"][odd] > 1.5 * trunk["sd"].drop(odd).max() and trunk["mean"][odd] > trunk["median"][odd]:
        say(
            run,
            "{odd}, stands out: its SD is {odd_sd:.0f} HU, {rest_sd:.0f} at most in the others. The slices show a "
            "bright spot; the mean ({odd_mean:.0f}) hears it more than the median ({odd_median:.0f}).",
        )
    say(
        run,
        "From {fine:g} to {coarse:g} mm the mean of that outline moves by {mean_moves:.1f} HU at most, its SD goes "
        "from {sd_first:.0f} to {sd_last:.0f}. Noise whose voxels know nothing of each other would fall to "
        "{white:.0f}: what is left above is coarse structure, or noise that is coarse itself, and one scan cannot tell "
        "which.",
    )


def show_refusals(run: Run, said: pd.DataFrame) -> None:
    """Table of spoiled copies and the words of the reader, how many were refused, set aside or read."""
    counts, read = said["answer"].value_counts(), said[said["answer"] == "read"]
    silent = read.loc[read["said"] == "", "fault"]
    run.fact(n_faults=len(said), n_refused=int(counts.get("refused", 0)), n_aside=int(counts.get("set aside", 0)),
             n_read=len(read) - len(silent),
             silent=f" Read without a word: {'; '.join(silent)}." if len(silent) else "")  # fmt: skip
    table(run, "refusals", said, "What is wrong with a copy of the scan, and what the reader says.", index=False)
    say(
        run,
        "{n_faults} spoiled copies: {n_refused} refused, {n_aside} read with a vertebra set aside, {n_read} put right, "
        "with a note.{silent}",
    )
