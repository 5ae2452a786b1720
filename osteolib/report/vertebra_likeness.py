"""How the page on the phantom vertebra sets real vertebrae beside simulated ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from osteolib.phantoms.vertebra import likeness
from osteolib.report.show import figure, say, table, with_ci
from osteolib.report.style import use_style
from osteolib.runs import Run
from osteolib.volume import body_core, to_planes

RINGS = (0.03, 0.07, 0.12, 0.17, 0.22, 0.27, 0.3334)
"""Edges of rings of spatial frequency in cycles per mm, for voxels of 1.5 mm."""
REAL, PHANTOM = "#222222", "#D55E00"

Pair = tuple[NDArray[np.float32], NDArray[np.bool_]]
"""A patch in HU and the mask of its vertebra."""


def beside_figure(real: NDArray[np.float32], simulated: Sequence[NDArray[np.float32]]) -> plt.Figure:
    """Three planes of a real vertebra (first column) and of simulated ones."""
    use_style()
    patches = [real, *simulated]
    fig, axes = plt.subplots(3, len(patches), figsize=(1.3 * len(patches), 4.0))
    for k, patch in enumerate(patches):
        for axis, plane in zip(axes[:, k], to_planes(patch), strict=True):
            axis.imshow(plane, cmap="gray", vmin=0, vmax=1)
            axis.axis("off")
        axes[0, k].set_title(
            "REAL" if k == 0 else "PHANTOM", fontsize=9, loc="center", color=REAL if k == 0 else PHANTOM
        )
    return fig


def curves_figure(real: Mapping[str, NDArray], simulated: Mapping[str, NDArray]) -> plt.Figure:
    """Histogram of HU in the core, power by frequency and the profile across the body: real on the phantom's band.

    Each of shape (vertebrae, points), of :func:`curves_of`.
    """
    use_style()
    fig, axes = plt.subplots(1, 3, figsize=(8.4, 2.7))
    x = {"histogram": BINS[:-1] + 12.5, "power": (np.array(RINGS[:-1]) + RINGS[1:]) / 2, "profile": likeness.ACROSS}
    for axis, name in zip(axes, x, strict=True):
        low, middle, high = np.nanquantile(simulated[name], (0.05, 0.5, 0.95), axis=0)
        axis.fill_between(x[name], low, high, color=PHANTOM, alpha=0.22, lw=0, label="phantom, 5–95 %")
        axis.plot(x[name], middle, color=PHANTOM, lw=1.5)
        for k, line in enumerate(real[name]):
            axis.plot(x[name], line, color=REAL, lw=1.5, label="real" if k == 0 else None)
    axes[0].set(xlabel="HU", ylabel="share of voxels", title="Within the body")
    axes[1].set(xlabel="cycles per mm", ylabel="relative power", title="Spectrum")
    axes[2].set(xlabel="half-widths of the body", ylabel="HU", title="From left to right")
    fig.legend(*axes[2].get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize="small")
    return fig


BINS = np.arange(-300.0, 476.0, 25.0)
"""Edges of the histogram of HU."""


def curves_of(pairs: Sequence[Pair], spacing_mm: float) -> dict[str, NDArray]:
    """Histogram, power by frequency and profile of each patch, each of shape (patches, points)."""
    cores = [voxels[likeness.core_box(mask)] for voxels, mask in pairs]
    inside = [voxels[body_core(mask)] for voxels, mask in pairs]
    return {
        "histogram": np.array([np.histogram(hu, BINS)[0] / hu.size for hu in inside]),
        "power": np.array([likeness.radial_power(core, spacing_mm, RINGS) for core in cores]),
        "profile": np.array([likeness.profile_across(voxels, mask) for voxels, mask in pairs]),
    }


def show_likeness(run: Run, real: Sequence[Pair], simulated: Sequence[Pair], spacing_mm: float) -> None:
    """One real vertebra beside simulated ones: slices of those nearest in HU, and curves of all."""
    core = [np.mean(voxels[body_core(mask)]) for voxels, mask in simulated]
    wanted = np.mean(real[0][0][body_core(real[0][1])])
    near = np.argsort(np.abs(np.array(core) - wanted))[:4]
    figure(run, "beside", beside_figure(real[0][0], [simulated[k][0] for k in near]), alt="Axial, coronal and sagittal "
           "slices of one real L3 and of four simulated lumbar vertebrae of like density.")  # fmt: skip
    curves = [curves_of(pairs, spacing_mm) for pairs in (real, simulated)]
    figure(run, "curves", curves_figure(*curves), alt="Histogram of HU, spectrum and profile across the body of a real "
           "L3 on the band of simulated ones.")  # fmt: skip


def show_ranges(run: Run, real: Mapping[float, Sequence[Pair]], simulated: Mapping[float, Sequence[Pair]]) -> None:
    """Where real vertebrae lie among simulated ones, as a table and a sentence; both by size of the voxels in mm."""
    rows, out = [], []
    for size, pairs in real.items():
        measured = [
            pd.DataFrame([likeness.measures(*pair, size) for pair in kind]) for kind in (pairs, simulated[size])
        ]
        for name, row in likeness.compare(*measured).iterrows():
            ends = (row["real_low"], row["real_high"]) if len(pairs) > 1 else (1, 0)
            range_of = (row["phantom"], row["phantom_low"], row["phantom_high"])
            rows.append({"voxels": f"{size:g} mm", "measure": likeness.NAMES[name],
                         "REAL: median (range)": with_ci(row["real"], *ends, ".3g"),
                         "PHANTOM: median (5 to 95 %)": with_ci(*range_of, ".3g"),
                         "real ones inside": f"{row['inside'] * len(pairs):.0f} of {len(pairs)}"})  # fmt: skip
            if row["inside"] < 0.5:
                out.append(f"{likeness.NAMES[name]} ({size:g} mm)")
    table(run, "likeness", pd.DataFrame(rows), "Real and simulated lumbar vertebrae, measure by measure", index=False,
          folded="Measure by measure")  # fmt: skip
    run.fact(n_measures=len(rows), n_in=len(rows) - len(out), out="; ".join(out) or "none", n_real=len(real))
    say(run, "For {n_in} of {n_measures} measures most real vertebrae lie within the simulated 90 %. Outside: {out}. "
        "There are {n_real} real people, so that nothing can be said of how real people spread.")  # fmt: skip
