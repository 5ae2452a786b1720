"""What the page on predicted T-scores shows of published values: two yardsticks, and correlations beside ours."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from osteolib.report.compared import Comparison, Interval
from osteolib.report.forest import forest
from osteolib.report.show import figure, say, table, with_ci
from osteolib.runs import Run


def show_yardsticks(run: Run, paper: pd.DataFrame, within: float, whole: float, fisher: Mapping[str, Interval]) -> None:
    """The printed RMSEs beside two predictions that need no film, and which of the two the internal one is nearer to.

    Parameters
    ----------
    paper
        Published values of the knee paper, indexed without its name.
    within, whole
        RMSE of naming the true class's mean, and of naming the mean of all.
    fisher
        Printed r with its interval: ``internal test``, ``external``.
    """
    internal = paper.loc["ts.rmse", "value"]
    rmse = {"STR-Net, internal (printed)": internal,
            "STR-Net, mean of five seeds (printed)": paper.loc["T4.B4.rmse", "value"],
            "names the true class mean": within, "names the mean of all": whole}  # fmt: skip
    nearer = "naming the true class" if abs(internal - within) < abs(internal - whole) else "naming one number"
    run.fact(class_rmse=within, class_r=np.sqrt(1 - within**2 / whole**2), mean_rmse=whole, internal_rmse=internal)
    run.fact(nearer=nearer, internal=with_ci(*fisher["internal test"]), external=with_ci(*fisher["external"]))
    shown = pd.Series(rmse, name="RMSE").round(3).rename_axis("prediction").to_frame()
    table(run, "yardsticks", shown, "RMSE as printed, and of two yardsticks from the paper's Table 3")
    say(run, "Naming the true class reaches RMSE {class_rmse:.3f} and r = {class_r:.2f}; naming one number for "
        "everybody {mean_rmse:.2f}. The printed internal RMSE, {internal_rmse}, is nearer to {nearer}. The internal r "
        "is {internal}, the external one {external}.")  # fmt: skip


def show_correlations(run: Run, ours: Comparison, fisher: Mapping[str, Interval], age: str) -> None:
    """Our correlations and the printed ones in one figure, and which printed intervals hold that of ``age``, if it is
    among ours."""
    published = {f"published, {name}": r for name, r in fisher.items()}
    told = "; ".join(f"{name} {with_ci(*r)}" for name, r in fisher.items())
    fig = forest(ours.renamed("{}, real knees here"), "r", chance=0, published=published,
                 xlabel="Pearson r, 95 % interval")  # fmt: skip
    figure(
        run, "correlations", fig, alt=f"Correlations with 95 % intervals. {ours.words('r')}. Published squares: {told}"
    )
    if age not in set(ours.rows["method"]):
        return
    reached = ours.estimate(age, "r")[0]
    held = [name for name, (_, low, high) in fisher.items() if low <= reached <= high]
    run.fact(age_r=reached, held=", ".join(held) or "none")
    say(run, "Age alone reaches r = {age_r:.2f} here. Of the published intervals these hold that value: {held}.")
