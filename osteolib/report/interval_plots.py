"""A figure about intervals: how often each kind holds the truth."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from osteolib.report.style import use_style

ORDER = (
    "Hanley-McNeil", "DeLong", "normal approximation", "Wilson", "bootstrap of people, BCa",
    "bootstrap, stratified, BCa", "bootstrap of people", "bootstrap, stratified", "bootstrap of knees",
)  # fmt: skip


def coverage_panels(coverage: pd.DataFrame, n_studies: int) -> Figure:
    """Share of studies with the truth inside, from :func:`osteolib.report.interval_checks.coverage_at_printed_sizes`.

    Rows: sensitivity, AUROC; columns: independent, correlated knees; grey: chance around 0.95.
    """
    use_style()
    noise = 1.96 * np.sqrt(0.95 * 0.05 / n_studies)
    fig, axes = plt.subplots(2, 2, figsize=(7.6, 4.8), sharex=True)
    for row, metric in zip(axes, ("sensitivity", "auroc"), strict=True):
        for axis, correlated in zip(row, (False, True), strict=True):
            part = coverage.loc[(metric, correlated)]
            part = part.loc[[name for name in ORDER if name in part.index]]
            axis.axvspan(0.95 - noise, 0.95 + noise, color="#D9D9D9", lw=0)
            for study, marker in zip(part.columns, "os^", strict=True):
                axis.plot(part[study], part.index, marker, ms=6, alpha=0.8, label=study)
            kind = "two correlated knees" if correlated else "independent knees"
            axis.set_title(f"{'AUROC' if metric == 'auroc' else metric}, {kind}", fontsize=9)
            axis.tick_params(axis="y", labelleft=not correlated)
    fig.supxlabel("share of studies with the truth inside (grey: chance around 0.95)", fontsize=9)
    fig.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
    return fig
