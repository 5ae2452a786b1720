"""How a page shows the comparison of real and simulated films: bands, a table, words, result rows."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from osteolib.phantoms import realism
from osteolib.report.plots import contact_sheet
from osteolib.report.show import figure, table, with_ci
from osteolib.report.style import use_style
from osteolib.runs import Run
from osteolib.stats import BootstrapResult

NAMES = {
    "slope": "spectral slope, 0.05 to 0.4 cycles/pixel",
    "fine": "log10 relative power above 0.25 cycles/pixel",
    "grey": "median grey",
    "grey_sd": "SD of grey",
    "black": "share of pixels below 16",
    "white": "share of pixels from 240 on",
    "contrast": "texture: contrast",
    "homogeneity": "texture: homogeneity",
    "energy": "texture: energy",
    "correlation": "texture: correlation",
    "canal": "tibia: depth of the canal",
    "peaks": "tibia: distance of the cortices",
    "joint": "height of the joint",
    "bone": "width of the bones / film",
}
"""What each measure is called on a page."""
KNEE_NAMES = NAMES | {name: f"bone ends: {name}" for name in realism.TEXTURE}
KNEE_GROUPS = {
    "spectrum": ("slope", "fine"),
    "framing": ("joint", "bone"),
    "grey levels": ("grey", "grey_sd", "black", "white"),
    "bone ends": realism.TEXTURE,
    "tibia": ("canal", "peaks"),
}


def range_table(compared: pd.DataFrame, names: Mapping[str, str], spread: bool = False) -> pd.DataFrame:
    """The result of :func:`osteolib.phantoms.realism.inside_range` for reading, one line a measure.

    With ``spread`` the last column holds the phantom's 5-95 % range in units of the real one.
    """

    def as_range(who: str) -> list[str]:
        return [with_ci(*row, ".3g") for row in compared[[who, f"{who}_low", f"{who}_high"]].to_numpy(float)]

    percent = (100 * compared[["share", "ci_low", "ci_high"]].astype(float)).round(0).to_numpy()
    table = pd.DataFrame({"measure": [names[name] for name in compared.index]})
    table["REAL: median (5 to 95 %)"] = as_range("real")
    table["PHANTOM: median (5 to 95 %)"] = as_range("phantom")
    table["phantom inside, % (95 % CI)"] = [with_ci(*p, ".0f") for p in percent]
    table["verdict"] = compared["verdict"].to_list()
    if spread:
        width = {who: compared[f"{who}_high"] - compared[f"{who}_low"] for who in ("real", "phantom")}
        table["spread"] = (width["phantom"] / width["real"]).astype(float).round(2).to_list()
    return table


def record_shares(run: Run, compared: pd.DataFrame, names: Mapping[str, str], n: int, cohort: str) -> None:
    """A result row for each measure, and the facts ``inside``, ``partly`` and ``outside``: which measures are."""
    for name, row in compared.iterrows():
        run.result(None, f"share inside the real range, {name}", row["share"],
                   ci=(row["ci_low"], row["ci_high"]), n=n, cohort=cohort)  # fmt: skip
    groups = {word: compared.index[compared["verdict"] == word] for word in ("inside", "partly", "outside")}
    run.fact(**{word: "; ".join(names[n] for n in group) or "none" for word, group in groups.items()})
    run.fact(n_measures=len(compared), n_inside=len(groups["inside"]))


def record_told(run: Run, told: BootstrapResult, cohort: str) -> None:
    """A result row and the facts ``told``, ``told_low``, ``told_high``: AUROC of phantom against real."""
    low, high = told.ci["auroc"]
    run.fact(told=told.estimate["auroc"], told_low=low, told_high=high)
    metric = "auroc, phantom told from real by all measures"
    run.result(None, metric, told.estimate["auroc"], ci=(low, high), n=told.n, cohort=cohort)


def curves_of(images: Mapping[str, list[NDArray]]) -> dict[str, dict[str, NDArray]]:
    """Spectrum (log10) and grey histogram of every film, by kind of film: what :func:`band_figure` draws."""
    return {
        "spectrum": {who: np.log10([realism.radial_spectrum(i)[1] for i in films]) for who, films in images.items()},
        "histogram": {who: np.array([realism.grey_histogram(i) for i in films]) for who, films in images.items()},
    }


def band_figure(curves: Mapping[str, Mapping[str, NDArray]]) -> plt.Figure:
    """Median and 5-95 % band of spectrum and histogram, and of ``profile`` across the tibia where it is given.

    ``curves`` as from :func:`curves_of`: by what is drawn, then by kind of film, shape (people, points).
    """
    use_style()
    fig, axes = plt.subplots(1, len(curves), figsize=(2.7 * len(curves) + 0.7, 3.1))
    n_rings = next(iter(curves["spectrum"].values())).shape[1]
    frequency = (np.arange(n_rings) + 0.5) / (2 * n_rings)
    for axis, x, kind in zip(axes, (frequency, np.arange(4, 256, 8), realism.CORTEX), curves, strict=False):
        draw_bands(axis, x, curves[kind])
    axes[0].set(xscale="log", xlabel="cycles per pixel", ylabel="log10 relative power", title="Radial power spectrum")
    axes[0].set_xticks([0.01, 0.03, 0.1, 0.3], ["0.01", "0.03", "0.1", "0.3"])
    axes[0].legend(fontsize="small", loc="lower left")
    axes[1].set(xlabel="grey", ylabel="share of pixels", title="Grey levels", yscale="log")
    axes[1].set_yticks([0.001, 0.01, 0.1], ["0.001", "0.01", "0.1"])
    if len(curves) > 2:
        axes[2].set(xlabel="widths of the shaft", ylabel="grey", title="Across the tibia")
    for axis in axes:
        axis.minorticks_off()
    return fig


def with_boxes(image: NDArray[np.uint8], boxes: Mapping[str, tuple[int, int, int, int]]) -> NDArray[np.uint8]:
    """A copy of a film with the edges of boxes (x0, y0, x1, y1) in white."""
    shown = image.copy()
    for x0, y0, x1, y1 in boxes.values():
        shown[y0:y1, [x0, x1 - 1]] = shown[[y0, y1 - 1], x0:x1] = 255
    return shown


def draw_bands(axis, x: NDArray, curves: dict[str, NDArray]) -> None:
    """Median and 5-95 % band of sets of curves, each of shape (people, len(x)), the first as a filled area."""
    for (name, values), colour, filled in zip(curves.items(), ("#767676", "#D55E00"), (True, False), strict=True):
        low, middle, high = np.quantile(values, (0.05, 0.5, 0.95), axis=0)
        axis.plot(x, middle, color=colour, lw=2, label=f"{name}: median, 5–95 %")
        if filled:
            axis.fill_between(x, low, high, color=colour, alpha=0.25, lw=0)
        else:
            axis.plot(x, low, color=colour, lw=1, ls="--")
            axis.plot(x, high, color=colour, lw=1, ls="--")


def show_regions(
    run: Run, knees: Mapping[str, pd.DataFrame], images: Mapping[str, NDArray], gaps: Mapping[str, list], n: int = 6
) -> None:
    """Some knees of each kind with the boxes beside the joint, and facts on how many people and films of both legs."""
    boxed = [
        with_boxes(image, realism.bone_ends(image, gap))
        for kind in images
        for image, gap in zip(images[kind][:n], gaps[kind][:n], strict=True)
    ]
    titles = [kind for kind in images for _ in images[kind][:n]]
    figure(run, "regions", contact_sheet(boxed, titles), alt="Some of the films above with two boxes each, in the bone "
           "by the joint.")  # fmt: skip
    for kind, units in knees.items():
        run.fact(**{f"n_{kind}": len(units), f"both_{kind}": np.mean(units["n_legs"] == 2)})


def show_ranges(run: Run, compared: pd.DataFrame, n: int) -> None:
    """The table of ranges of the knees, its result rows and facts; ``n`` simulated people."""
    table(run, "realism", range_table(compared, KNEE_NAMES, spread=True), "Real and simulated films, one knee per "
          "person", index=False)  # fmt: skip
    record_shares(run, compared, KNEE_NAMES, n, "knee-phantom")


def show_told(run: Run, told: BootstrapResult, best: tuple[str, float], groups: pd.DataFrame) -> None:
    """What tells simulated knees from real ones: all measures, the best one alone, and the table of groups."""
    record_told(run, told, "knee-phantom")
    passes = run.facts["told_low"] <= 0.5
    ends = "together they do not give it away" if passes else "what passes measure by measure need not pass together"
    run.fact(best=KNEE_NAMES[best[0]], best_auroc=best[1], ends=ends)
    table(
        run,
        "carried",
        groups.round(2),
        "AUROC of phantom against real, by group of measures",
        index=False,
    )
