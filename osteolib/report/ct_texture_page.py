"""What the page on texture maps draws and says: one matrix, maps of a vertebra, crops, density, kernel and noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from osteolib.report.show import figure, say, table, with_ci
from osteolib.report.style import GREY, INK, use_style
from osteolib.runs import Run
from osteolib.stats import fisher_z_ci
from osteolib.views.texture import FEATURES, ORIGINAL
from osteolib.views.texture_readings import HU, Binning

PHANTOM, REAL = "vertebra-phantom", "ct-vertebra-tptbox"
NAMES = {ORIGINAL: "original"} | {name: name.replace("_", " ") for name in FEATURES}
LOOK = {"autocorrelation": ("#0072B2", "o"), "joint_average": ("#56B4E9", "s"), "contrast": ("#D55E00", "^"),
        "difference_average": ("#E69F00", "v"), HU: (INK, "D")}  # fmt: skip


def show_by_hand(run: Run, image: NDArray, matrix: NDArray, contrast: NDArray) -> None:
    """An image of grey levels, the matrix of its neighbours along rows, and its map of contrast, number by number."""
    use_style()
    fig, axes = plt.subplots(1, 3, figsize=(7.6, 2.7))
    parts = {
        "grey levels": (image, "d"),
        "pairs along a row": (matrix, "d"),
        "map of contrast, 3 × 3": (contrast, ".2f"),
    }
    for axis, (title, (values, spec)) in zip(axes, parts.items(), strict=True):
        axis.imshow(values, cmap="Greys", vmin=0, vmax=1.8 * values.max())
        for (row, column), value in np.ndenumerate(values):
            axis.text(column, row, f"{value:{spec}}", ha="center", va="center")
        ticks = range(1, 5) if values is matrix else []
        axis.set(title=title, xticks=range(len(ticks)), yticks=range(len(ticks)), xticklabels=ticks, yticklabels=ticks)
    figure(run, "by_hand", fig, alt="A 4 by 4 image, its co-occurrence matrix along rows, and its map of contrast.")


def show_two_ways(run: Run, by_matrix: Mapping[str, float], by_pairs: Mapping[str, float]) -> None:
    """The four features twice: from the matrix and as means over pairs."""
    shown = pd.DataFrame({"from the matrix": by_matrix, "mean over pairs": by_pairs}).rename(index=NAMES)
    table(run, "two_ways", shown.rename_axis("feature").round(4), "The features of the 4 × 4 image along its rows")


def show_maps(run: Run, name: str, whose: str, pool: Mapping[str, NDArray], body: NDArray) -> None:
    """A slice of each member of a pool with the outline of the body; every map on its own scale."""
    use_style()
    fig, axes = plt.subplots(1, len(pool), figsize=(7.6, 1.9))
    for axis, (member, picture) in zip(axes, pool.items(), strict=True):
        low, high = np.quantile(picture, [0.01, 0.99])
        axis.imshow(picture, cmap="gray", vmin=low, vmax=high)
        axis.contour(body, [0.5], colors="#E69F00", linewidths=0.7)
        axis.set_title(NAMES[member], fontsize=8)
        axis.set(xticks=[], yticks=[])
    axes[0].set_ylabel(whose, fontsize=8)
    alt = f"Sagittal slices, {whose}: the image, two maps of brightness and two with an edge around the body."
    figure(run, name, fig, alt=alt)


def show_sameness(run: Run, maps: Mapping[str, NDArray], inside: NDArray) -> None:
    """How many different maps there are: correlations over the voxels of the real body."""
    of = {name: np.asarray(values)[inside].astype(float) for name, values in maps.items()}
    r = pd.DataFrame(of).corr()
    run.fact(n_voxels=int(inside.sum()), r_hu_mean=r.loc[ORIGINAL, "joint_average"],
             r_square=np.corrcoef(of["autocorrelation"], of["joint_average"] ** 2)[0, 1],
             r_root=np.corrcoef(of["difference_average"], np.sqrt(of["contrast"]))[0, 1],
             r_across=r.loc["joint_average", "contrast"])  # fmt: skip
    twins = min(run.facts["r_square"], run.facts["r_root"]) > 0.9
    run.fact(messages="about two messages" if twins else "more than two messages")
    say(run, "Over the {n_voxels} voxels of this body, autocorrelation follows the square of the joint average with "
        "r = {r_square:.3f}, and difference average the root of the contrast with r = {r_root:.3f}. Between the two "
        "pairs r is {r_across:.2f}. The pool has four maps and {messages}: how bright the surroundings are, "
        "and how much neighbours differ.")  # fmt: skip


def show_crops(run: Run, body: NDArray, crops: Mapping[str, pd.DataFrame]) -> None:
    """How much of the body crops show and what enlarging does to its contrast, by kind of crop, in a table."""
    rows = {}
    for name, frame in crops.items():
        meets = frame[frame["share"] > 0]
        share, times, kept = (meets[column].dropna().quantile([0.25, 0.5, 0.75]) for column in frame)
        rows[name] = {"body in view": f"{share[0.5]:.0%} ({share[0.25]:.0%} to {share[0.75]:.0%})",
                      "enlarged": f"{times[0.5]:.1f} times",
                      "contrast left": f"{kept[0.5]:.0%} ({kept[0.25]:.0%} to {kept[0.75]:.0%})"}  # fmt: skip
        size = name.split()[0]
        run.fact(**{f"{size}_met": len(meets) / len(frame), f"{size}_share": share[0.5], f"{size}_kept": kept[0.5]})
    rows["texture map"] = {"body in view": "100%", "enlarged": "1.0 times", "contrast left": "–"}
    caption = f"One sagittal slice of the real vertebra ({body.sum()} pixels of body): median and middle half of crops "
    caption += "that meet it"
    table(run, "crops", pd.DataFrame(rows).T.rename_axis("view"), caption)
    say(run, "Of large crops {large_met:.0%} meet the body, of small ones {small_met:.0%}; those hold "
        "{large_share:.0%} and {small_share:.0%} of it at the median. Enlarged to the whole side, neighbours lie "
        "closer together in the bone and differ less: {large_kept:.0%} and {small_kept:.0%} of the contrast is left. "
        "Whether an encoder suffers is another question.")  # fmt: skip


def correlations(means: pd.DataFrame, truth: NDArray) -> pd.DataFrame:
    """r of each map's mean, and of mean HU, with the true density: ``binning, window, map, r, low, high``."""
    rows = []
    for (binning, window), part in means.groupby(["binning", "window"], sort=False):
        for name in (*FEATURES, HU):
            r = float(np.corrcoef(part[name], truth)[0, 1])
            rows.append((binning, window, name, r, *fisher_z_ci(r, len(truth))))
    return pd.DataFrame(rows, columns=["binning", "window", "map", "r", "low", "high"])


def density_figure(found: Mapping[str, pd.DataFrame]) -> Figure:
    """r with density by binning and window, a panel a scanner; ``found`` as :func:`correlations` gives it."""
    use_style()
    fig, axes = plt.subplots(1, len(found), figsize=(7.6, 3.6), sharex=True, squeeze=False)
    for axis, (scanner, rows) in zip(axes[0], found.items(), strict=True):
        lines = list(dict.fromkeys(zip(rows["binning"], rows["window"], strict=True)))
        for place, name in enumerate((*FEATURES, HU)):
            part = rows[rows["map"] == name]
            y = np.arange(len(lines)) + 0.15 * (place - 2)
            colour, marker = LOOK[name]
            axis.hlines(y, part["low"], part["high"], color=colour, lw=1)
            axis.scatter(part["r"], y, c=colour, marker=marker, s=22, label=NAMES.get(name, name), zorder=3)
        axis.axvline(0, color=GREY, lw=0.8)
        ticks = [f"{binning}, {window}³" for binning, window in lines] if axis is axes[0, 0] else [""] * len(lines)
        axis.set(
            title=scanner, yticks=range(len(lines)), yticklabels=ticks, xlabel="r with true density", xlim=(-0.85, 1.02)
        )
        axis.invert_yaxis()
    fig.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=5, fontsize="small")
    return fig


def show_density(
    run: Run, found: Mapping[str, pd.DataFrame], patch: Binning, bone: Binning, clipped: Binning, window: int
) -> None:
    """Do the maps know the density? The figure, a result row each, and a sentence bound to what came out."""
    words = []
    for scanner, rows in found.items():
        of_hu = rows[rows["map"] == HU]  # the same in all bins and windows: recorded once
        for row in rows.drop(of_hu.index[1:]).itertuples():
            where = "" if row.map == HU else f"{row.binning}, window {row.window}, "
            metric = f"r with true density: {NAMES.get(row.map, row.map)}, {where}{scanner}"
            run.result(None, metric, row.r, ci=(row.low, row.high), n=run.facts["n_bodies"], cohort=PHANTOM)
        at = rows[rows["window"] == window].set_index(["binning", "map"])[["r", "low", "high"]]
        which, hu = scanner.split()[1], with_ci(*at.loc[(patch.name, HU)])
        run.fact(**{f"hu_{which}": hu, f"contrast_clipped_{which}": with_ci(*at.loc[(clipped.name, "contrast")])})
        for key, binning in {"patch": patch, "bone": bone, "clipped": clipped}.items():
            run.fact(**{f"mean_{key}_{which}": with_ci(*at.loc[(binning.name, "joint_average")])})
        words.append(f"{scanner}: mean HU {hu}")
    fig = density_figure(found)
    figure(run, "density", fig, alt=f"Correlation of each map's mean with true density by binning. {'; '.join(words)}.")
    say(run, "On scanner A the mean HU has r = {hu_A} with the density that was drawn, the joint average "
        "{mean_patch_A} where the patch sets the bins, **{mean_bone_A} where the bone does**, and {mean_clipped_A} "
        "where the HU are clipped first. On the sharp and noisy scanner B these are {hu_B}, {mean_patch_B}, "
        "{mean_bone_B} and {mean_clipped_B}. The contrast has {contrast_clipped_A} and {contrast_clipped_B} with "
        "clipped HU.")  # fmt: skip


def shifts(means: Mapping[str, pd.DataFrame], one: str, other: str) -> pd.DataFrame:
    """How far the same bones move from a scanner to another, in SDs between people on the first; index binning."""
    columns, keys = [*FEATURES, HU], ["binning", "window"]
    first, second = (means[name].set_index([*keys, "vertebra"])[columns] for name in (one, other))
    moved = (second - first.loc[second.index]).groupby(keys, sort=False).mean()
    return moved / first.groupby(keys, sort=False).std().loc[moved.index]


def show_kernel(
    run: Run, moved: pd.DataFrame, noise: pd.DataFrame, clean: pd.DataFrame, clipped: Binning, window: int
) -> None:
    """Shift of each map between two kernels, and what the contrast knows of noise, and of density without noise.

    ``noise`` and ``clean`` as :func:`correlations` gives them, with the noise of each scan and with density.
    """
    caption = "Simulated vertebrae: shift from scanner A to B, in standard deviations between people on A"
    moved = moved.round(1) + 0.0  # no minus before a zero
    table(run, "kernel", moved.reset_index().rename(columns=NAMES), caption, index=False)
    row = moved.loc[(clipped.name, window)]
    r = clean[clean["binning"] == clipped.name].set_index("map")[["r", "low", "high"]]
    run.fact(of_noise=with_ci(*noise.set_index(["binning", "window", "map"]).loc[(clipped.name, window, "contrast")]))
    run.fact(moved_contrast=row["contrast"], moved_mean=row["joint_average"], moved_hu=row[HU],
             clean_contrast=with_ci(*r.loc["contrast"]),
             louder="more" if abs(row["contrast"]) > 1 else "less",
             verdict=_follows(*r.loc["contrast", ["low", "high"]]))  # fmt: skip
    say(run, "From A to B the same bones move by {moved_contrast:+.1f} of these SDs in contrast, by "
        "{moved_mean:+.1f} in joint average and by {moved_hu:+.1f} in mean HU (clipped HU): the scanner changes the "
        "contrast {louder} than one person differs from the next. On A alone the contrast has r = {of_noise} with the "
        "noise of the scan, which varies with dose. Scanned without any, it has r = {clean_contrast} with density: "
        "{verdict}.")  # fmt: skip


def _follows(low: float, high: float) -> str:
    if low > 0:
        return "without noise it rises with density"
    return "without noise it falls with density" if high < 0 else "even without noise so many bones leave its sign open"


def show_noise(run: Run, levels: Sequence[float], read: Mapping[str, pd.DataFrame], bin_width: float) -> None:
    """Added noise on the real vertebra against the closed form of a fixed width; ``read`` by name of binning."""
    use_style()
    fig, axes = plt.subplots(1, 2, figsize=(7.6, 2.9))
    fine = np.linspace(0, max(levels), 50)
    for axis, name in zip(axes, ("contrast", "joint_average"), strict=True):
        for (binning, rows), mark in zip(read.items(), ("o-", "s--", "^:"), strict=False):
            values = rows[name].to_numpy()
            axis.plot(levels, values / values[0], mark, label=binning, color=None, ms=4)
        axis.set(title=NAMES[name], xlabel="SD of added noise, HU", ylabel="times that without")
    (binning, rows), *_ = read.items()
    start = rows["contrast"].iloc[0]
    axes[0].plot(fine, 1 + 2 * (fine / bin_width) ** 2 / start, color=INK, lw=0.8, label="closed form")
    axes[0].legend(fontsize="small")
    expected = 1 + 2 * (max(levels) / bin_width) ** 2 / start
    run.fact(noisiest=max(levels), noisy=rows["contrast"].iloc[-1] / start, expected=expected)
    alt = f"Contrast and joint average of the real body against added noise; {binning} follows the closed form."
    figure(run, "noise", fig, alt=alt)
    say(run, "With {noisiest:.0f} HU of added noise the contrast in bins of fixed width is {noisy:.2f} times that "
        "without; the closed form says {expected:.2f}.")  # fmt: skip


def show_nearest_rows(run: Run, paper: pd.DataFrame) -> None:
    """The published rows that differ in crops against pool alone, and that no table varies the pool itself."""
    cells = {method: [paper.loc[f"T2.{site}.ResNet34|{method}|Lclass.f1", "value"] for site in "ABCD"]
             for method in ("SwAV", "TP-SwAV")}  # fmt: skip
    shown = pd.DataFrame(cells, index=[f"site {site}" for site in "ABCD"]).T.rename_axis("pre-training")
    table(run, "nearest", shown, "F1 of vertebrae in %, ResNet34 with the class loss, as printed in Table 2")
