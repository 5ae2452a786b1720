"""What the chapter on the two splits shows and records, section by section: figures, tables, result rows, sentences."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from osteolib.report.comparison import Comparison, compare_scores, together
from osteolib.report.show import figure, say, table, with_ci
from osteolib.report.style import GREY, use_style
from osteolib.runs import Run

PHANTOM, TAUGHT = "hand-phantom", "supervised"
METRICS = ("auroc", "f1", "accuracy")
MULTI_CROP = ("extended", "conventional")
BY_BONES, BY_PEOPLE = (("#F2B48C", "v"), ("#E8843A", "s"), ("#D55E00", "^")), ("#0072B2", "o")

Key = tuple[str, str, str]  # encoder, crops, split by
Planted = Mapping[tuple[str, int], NDArray]  # split by and dimensions: AUROC, (rho, draw)


def show_table_1(run: Run, bones: pd.DataFrame, parts: Mapping[str, NDArray]) -> None:
    """Bones by class and part, split ``by`` people and bones, and how many people stand on both sides."""
    order = ["train", "validation", "test"]
    ill = bones["y"].map({0: "normal", 1: "osteoporosis"})
    counts = pd.concat({by: pd.crosstab(ill, part)[order] for by, part in parts.items()})
    counts.index = counts.index.set_names(["split by", "bones of people with"])
    table(run, "table1", counts, "Our Table 1: bone images of simulated people by part")
    tested, train = (set(bones.loc[parts["bones"] == name, "subject_id"]) for name in ("test", "train"))
    run.fact(n_bones=len(bones), n_people=bones["subject_id"].nunique(), n_tested=len(tested),
             n_both=len(tested & train))  # fmt: skip
    say(
        run,
        "The tables look alike. But split by bones, **{n_both} of the {n_tested} people** with a test bone have "
        "bones in training too; split by people, none.",
    )


def planted_figure(rho: NDArray, curve: Planted) -> Figure:
    """AUROC of features without knowledge against the share of variance that a person's bones share."""
    use_style()
    fig, axis = plt.subplots(figsize=(6.6, 3.6))
    shades = iter(BY_BONES)
    for (by, dim), values in curve.items():
        colour, marker = next(shades) if by == "bones" else BY_PEOPLE
        label = f"split by {by}, {dim} dimensions"
        axis.plot(rho, values.mean(1), "-", marker=marker, color=colour, label=label)
        axis.plot(rho, values, ".", color=colour, alpha=0.4, ms=4)
    axis.axhline(0.5, color=GREY, ls=":")
    axis.set(xlabel="share ρ of a feature's variance that a person's bones share",
             ylabel="AUROC without any knowledge")  # fmt: skip
    axis.legend(fontsize="small")
    return fig


def show_planted(run: Run, rho: NDArray, curve: Planted, at: float = 0.7) -> None:
    """The curves, and what they say at one share of variance, for the fewest and the most dimensions."""
    dims = [dim for by, dim in curve if by == "bones"]
    row = int(np.flatnonzero(np.isclose(rho, at))[0])
    few, many = (curve["bones", dim][row] for dim in (min(dims), max(dims)))
    clean = next(values for (by, _), values in curve.items() if by == "people")
    alt = (
        "AUROC of features without knowledge against the share of variance due to the person: at a share of "
        f"{at}, {few.mean():.2f} in {min(dims)} dimensions and {many.mean():.2f} in {max(dims)} split by bones, "
        f"{clean[row].mean():.2f} split by people."
    )
    figure(run, "planted", planted_figure(rho, curve), alt=alt)
    metric = f"AUROC of features without knowledge, split by bones, rho {at:g}, {max(dims)} dimensions"
    run.result(None, metric, many.mean(), n=many.size, cohort=PHANTOM)
    run.fact(few=few.mean(), many=many.mean(), clean=clean.mean(), least=min(dims), most=max(dims), rho=at)
    say(
        run,
        "Split by bones, features that know nothing reach **{many:.2f}** at ρ = {rho} with {most} dimensions, and "
        "{few:.2f} with {least}. Split by people they stay at {clean:.2f}.",
    )


def compare_bones(
    bones: pd.DataFrame, probability: Mapping[Key, NDArray], n_boot: int, seed: int, by_person: bool = True
) -> Comparison:
    """Each bone scored by itself, calls at 0.5; NaN where a bone is not scored.

    ``by_person`` resamples people with all their bones; otherwise bones, as if they were independent.
    """
    parts, subject = [], bones["subject_id"].to_numpy(str)
    for key, p in probability.items():
        ok = ~np.isnan(p)
        how = {"groups": subject[ok] if by_person else None, "threshold": 0.5, "n_boot": n_boot, "seed": seed}
        parts.append(compare_scores(bones.loc[ok, "y"], {method_name(key): p[ok]}, METRICS, **how))
    return together(*parts)


def method_name(key: Key) -> str:
    """``SimCLR, crops extended, split by people``."""
    return f"{key[0]}, crops {key[1]}, split by {key[2]}"


def gaps(compared: Comparison, keys: list[Key]) -> dict[tuple[str, str], float]:
    """AUROC split by bones minus split by people, by (encoder, crops), of those that were split both ways."""
    value = {key: compared.estimate(method_name(key))[0] for key in keys}
    both = [key for key in keys if key[2] == "people" and (*key[:2], "bones") in value]
    return {key[:2]: value[(*key[:2], "bones")] - value[key] for key in both}


def show_table_2(
    run: Run, compared: Comparison, keys: list[Key], shared: Mapping[tuple[str, str], tuple[float, float, float]]
) -> None:
    """Both splits side by side, and beside them what a split by bones is worth to features that know nothing.

    ``shared``: of each pre-trained encoder's features, by (encoder, crops), the share of variance and the number of
    directions of :func:`osteolib.screen.same_person.person_in_features`, and the AUROC of noise with these two.
    """
    gap = gaps(compared, keys)
    lines = []
    for (encoder, crops), difference in gap.items():
        line = {"encoder": f"{encoder}, {crops}"}
        for by in ("people", "bones"):
            line[f"split by {by}"] = with_ci(*compared.estimate(method_name((encoder, crops, by))))
        known = [f"{value:.2f}" for value in shared.get((encoder, crops), ())] or ["–"] * 3
        line["bones − people"] = with_ci(difference, np.nan, np.nan, "+.2f")
        lines.append(line | dict(zip(("ρ", "directions", "noise"), known, strict=True)))
    caption = "Our Table 2, simulated people: AUROC of single bones by both splits (people resampled), by encoder "
    caption += "and crops; what a person's bones share in the features; the AUROC of noise that shares as much"
    table(run, "leak", pd.DataFrame(lines), caption, index=False)
    compared.record(run, PHANTOM, "{metric} of bones, {method}")
    rho, directions, worth = np.array(list(shared.values())).T
    taught = next(difference for key, difference in gap.items() if key[0] == TAUGHT)
    run.fact(rho_low=rho.min(), rho_high=rho.max(), dims_low=directions.min(), dims_high=directions.max(),
             worth=worth.mean(), taught_gap=taught, n_gap=len(gap), n_up=sum(d > 0 for d in gap.values()),
             mean_gap=np.mean(list(gap.values())))  # fmt: skip
    say(
        run,
        "In the features of these encoders a person's bones share {rho_low:.0%} to {rho_high:.0%} of the variance, "
        "in {dims_low:.1f} to {dims_high:.1f} directions. Features without knowledge of that kind would reach "
        "{worth:.2f} on average. In {n_up} of {n_gap} rows the split by bones scores higher; the mean difference "
        "of all rows is {mean_gap:+.3f}. The supervised network, whose every weight may learn to know people by "
        "heart, differs by **{taught_gap:+.2f}**.",
    )


def show_calls(run: Run, compared: Comparison, keys: list[Key]) -> None:
    """All three metrics of every row."""
    shown = compared.table()
    names = pd.DataFrame(keys, columns=["encoder", "crops", "split by"])
    caption = "Our Table 2 in full: each bone scored by itself, calls at 0.5"
    table(run, "table2", pd.concat([names, shown.drop(columns=["method", "n"], errors="ignore")], axis=1), caption,
          index=False, group="encoder")  # fmt: skip


def interval_widths(over_people: Comparison, over_bones: Comparison) -> pd.DataFrame:
    """Widths of the AUROC's intervals by what was resampled, and their ratio; a row a method of both."""
    wide, narrow = (c.rows[c.rows["metric"] == "auroc"].set_index("method") for c in (over_people, over_bones))
    frame = pd.DataFrame({"people": wide["ci_high"] - wide["ci_low"], "bones": narrow["ci_high"] - narrow["ci_low"]})
    frame = frame.loc[narrow.index]
    return frame.assign(ratio=frame["people"] / frame["bones"])


def show_widths(run: Run, widths: pd.DataFrame) -> None:
    """How much wider intervals over people are, and what a bone is worth as evidence."""
    run.fact(ratio=widths["ratio"].mean(), information=1 / widths["ratio"].mean() ** 2)
    say(
        run,
        "Over people the interval is {ratio:.1f} times as wide as over bones: as evidence, a bone counts about "
        "{information:.0%} of an independent one.",
    )


def show_width_table(run: Run, widths: pd.DataFrame) -> None:
    """The widths of all intervals, as a table."""
    caption = "Width of the 95 % interval of the AUROC by what is resampled"
    table(run, "widths", widths.round(2), caption)
