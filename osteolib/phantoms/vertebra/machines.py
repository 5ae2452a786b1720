"""How machines differ that read one kind of unchanging object: a line for each, its scatter, and its drift."""

from __future__ import annotations

import numpy as np
import pandas as pd


def machine_lines(readings: pd.DataFrame) -> pd.DataFrame:
    """Fit each machine's readings as offset + gain x the mean over machines, insert by insert.

    Parameters
    ----------
    readings
        ``site, device, insert, mg_cm3, years``, several readings of every insert.

    Returns
    -------
    One row per ``site`` and ``device``: ``offset`` (mg/cm3), ``gain``, ``residual`` (largest distance of an insert's
    mean from the line, mg/cm3) and ``drift`` (of the densest insert, share of its mean per year; missing with one
    visit).
    """
    mean = readings.groupby(["site", "insert"])["mg_cm3"].mean().groupby("insert").mean()
    rows = []
    for (site, device), own in readings.groupby(["site", "device"]):
        seen = own.groupby("insert")["mg_cm3"].mean()
        gain, offset = np.polyfit(mean[seen.index], seen, 1)
        densest = own[own["insert"] == mean.idxmax()]
        steady = densest["years"].nunique() < 2
        drift = np.nan if steady else np.polyfit(densest["years"], densest["mg_cm3"] / densest["mg_cm3"].mean(), 1)[0]
        off = float(np.abs(seen - (offset + gain * mean[seen.index])).max())
        rows.append({"site": site, "device": device, "offset": offset, "gain": gain, "residual": off, "drift": drift})
    return pd.DataFrame(rows)
