"""The figures of the page on the numbers of the knee study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from osteolib.report.published import load_published
from osteolib.report.style import GREY, INK
from osteolib.stats.audit import printed
from osteolib.stats.audit.reach import reachable_proportion

PAPER = "strnet2026_knee"
BLUE, ORANGE = "#0072B2", "#D55E00"
T5 = {
    "accuracy": "acc", "balanced accuracy": "bacc", "sensitivity": "sens", "specificity": "spec", "PPV": "ppv",
    "NPV": "npv", "F1": "f1", "Youden's J": "youden", "MCC": "mcc",
}  # fmt: skip
"""Rows of Table 5 whose interval can be resampled, and their ids."""

GOOD = ["S-01", "S-07", "S-27", "S-28", "S-52", "S-32", "S-26", "S-C3", "S-C8"]


def read_values() -> pd.DataFrame:
    """The printed values as ``load_published`` gives them, by their id without the name of the paper."""
    value = load_published(PAPER).set_index("published_id")
    return value.set_axis(value.index.str.removeprefix(f"{PAPER}."))


def what_holds(findings: pd.DataFrame) -> pd.DataFrame:
    """Nine of the findings that say yes."""
    holds = findings.set_index("id").loc[GOOD, ["source", "claim", "computed"]]
    return holds.set_axis(["where", "what the paper says", "what we computed"], axis=1)


def as_count(shown: str, n: int) -> str:
    """The count of n that prints so, rounded to the nearest, if there is one."""
    counts = reachable_proportion(printed(shown), n, 1, ("half-up", "half-even"))
    return f"{counts[0]}/{n}" if counts else f"no count of {n}"


def possible_values(value: pd.DataFrame, auprc: Mapping[str, Mapping[str, float]]) -> list[tuple[str, str, str]]:
    """Printed values, and what the test sets of Table 1 and of Fig. 7 say to each; ``auprc`` is finding S-10."""
    count = value["value"].dropna().astype(float)
    positives = {"T1": count["T1.BoneLoss.test"], "F7": count["F7.TP"] + count["F7.FN"]}
    sets = [(p, count["test.n"] - p) for p in positives.values()]
    asked = (("Abstract, sensitivity", "test.sens", 0), ("Abstract, specificity", "test.spec", 1),
             ("VGG19, sensitivity", "F6.vgg19.sens", 0))  # fmt: skip
    lines = []
    for words, key, part in asked:
        shown = value.at[key, "reported"]
        lines.append((f"{words} {shown}", *(as_count(shown, int(sizes[part])) for sizes in sets)))
    auc = value.loc[["test.auprc", "test.auroc"], "reported"]
    expected = (f"{auprc[k]['auprc']:.3f} expected" for k in ("table1", "fig7"))
    return [*lines, ("AUPRC {} at AUROC {}".format(*auc), *expected)]


def two_test_sets(abstract: Sequence[float], figure7: Sequence[float], lines: Sequence[tuple[str, str, str]]) -> Figure:
    """Two confusion matrices (tp, fp, fn, tn), and below which printed value each test set can give."""
    fig = plt.figure(figsize=(7.4, 4.9))
    upper, lower = fig.add_gridspec(2, 1, height_ratios=(5, 3), hspace=0.08)
    left, right = (fig.add_subplot(part) for part in upper.subgridspec(1, 2))
    _matrix(left, abstract, "The only matrix of the abstract", BLUE)
    _matrix(right, figure7, "Printed in Fig. 7", ORANGE)
    axis = fig.add_subplot(lower)
    axis.axis("off")
    axis.set(xlim=(0, 1), ylim=(len(lines) - 0.5, -1.4))
    places = list(zip((0, 0.45, 0.75), (INK, BLUE, ORANGE), strict=True))
    for (x, colour), cells, words in zip(places, (None, abstract, figure7), ("Printed", "", ""), strict=True):
        head = words or f"{cells[1] + cells[3]:.0f} + {cells[0] + cells[2]:.0f} knees"
        axis.text(x, -0.9, head, weight="bold", color=colour)
    for y, line in enumerate(lines):
        for (x, colour), words in zip(places, line, strict=True):
            axis.text(x, y, words, color=GREY if "no " in words else colour)
    return fig


def _matrix(axis: Axes, cells: Sequence[float], title: str, colour: str) -> None:
    tp, fp, fn, tn = map(int, cells)
    counts = np.array([[tn, fp], [fn, tp]])
    shares = counts / counts.sum(axis=1, keepdims=True)
    axis.imshow(shares, cmap="Greys", vmin=0, vmax=2.4)
    for (row, column), count in np.ndenumerate(counts):
        words = f"{count}\n{shares[row, column]:.3f}"
        axis.text(column, row, words, ha="center", va="center", fontsize=13, color=INK)
    axis.set(xticks=[0, 1], xticklabels=["called normal", "called loss"], yticks=[0, 1])
    axis.set_yticklabels([f"normal\n{tn + fp}", f"bone loss\n{tp + fn}"])
    axis.tick_params(length=0)
    axis.set_title(title, color=colour)


def seeds_table(value: pd.DataFrame) -> pd.DataFrame:
    """Headline values beside the mean and SD over five seeds of Table 4."""
    pairs = {"AUPRC": ("test.auprc", "auprc"), "AUROC": ("test.auroc", "auroc"), "sensitivity": ("test.sens", "sens"),
             "severity AUROC": ("T5.auroc", "sev_auroc"), "T-score RMSE": ("ts.rmse", "rmse")}  # fmt: skip
    rows = {
        name: (value.at[head, "value"], *value.loc[f"T4.B4.{key}", ["value", "spread"]])
        for name, (head, key) in pairs.items()
    }
    return pd.DataFrame(rows, index=["headline", "mean", "sd"]).T.astype(float)


def seed_facts(of: Mapping[str, Mapping], value: pd.DataFrame) -> dict[str, object]:
    """Facts: the chance that a run prints as the mean (S-25), and how far the RMSE of the T-score lies away (S-24)."""
    mean = value.loc["T4.B4.rmse"]
    return {
        "z": "{:.2f} to {:.2f}".format(*of["S-24"]["z"]), "limit": of["S-24"]["limit_sample"],
        "chance": of["S-25"]["chance"], "rmse": value.at["ts.rmse", "reported"], "mean_rmse": mean["reported"],
        "sd_rmse": f"{mean['spread']:.{len(mean['reported'].partition('.')[2])}f}",
    }  # fmt: skip


def five_seeds(seeds: pd.DataFrame, chances: Sequence[float]) -> Figure:
    """Where the headline lies among runs of five, and the chance that 0, 1, ... 4 metrics agree by accident."""
    fig, (left, right) = plt.subplots(1, 2, figsize=(7.6, 3.6), width_ratios=(3, 2))
    z = np.linspace(-2.6, 2.6, 200)
    hill = 0.7 * np.exp(-(z**2) / (2 * 0.8))  # variance 1 - 1/5
    for y, row in enumerate(seeds.iloc[::-1].itertuples()):
        left.fill_between(z, y, y + hill, color="0.85", lw=0)
        at = (row.headline - row.mean) / row.sd
        left.plot(at, y + 0.12, "o", ms=9, color=ORANGE if at else BLUE, mec="white")
        left.text(2.7, y + 0.13, f"{row.headline:.3f}\n{row.mean:.3f} ± {row.sd:.3f}", va="center", fontsize=8)
    left.set(yticks=np.arange(len(seeds)) + 0.15, yticklabels=seeds.index[::-1], xlim=(-2.6, 2.6))
    left.set_xlabel("headline less five-seed mean, in SDs")
    left.set_title("Headline (dot), one run of five (hill)", fontsize=9.5)
    left.tick_params(axis="y", length=0)
    bars = right.bar(range(len(chances)), chances, color=["0.75"] * (len(chances) - 1) + [BLUE])
    labels = [f"{s:.2g}" if s > 1e-3 else f"{s:.0e}" for s in chances]
    right.bar_label(bars, labels, fontsize=8, padding=2)
    right.set(yscale="log", ylim=(1e-6, 4), yticks=[], xticks=range(len(chances)))
    right.set_xlabel("how many of the four equal\nthe mean in three decimals")
    right.minorticks_off()
    right.spines["left"].set_visible(False)
    right.set_title("Chance of it, by accident", fontsize=9.5)
    return fig


def implied_gaps(of: Mapping[str, Mapping], value: pd.DataFrame) -> pd.DataFrame:
    """Values of Table 5 less what sensitivity, specificity and counts imply, and what rounding allows of it."""
    checks = {"Youden's J": of["S-16"], "accuracy": of["S-17"], "F1": of["S-47"], "balanced accuracy": of["S-15"],
              "PPV": of["S-19"]["rows"]["ppv"], "NPV": of["S-19"]["rows"]["npv"], "MCC": of["S-20"]}  # fmt: skip
    gaps = {}
    for name, check in checks.items():
        low, high = check.get("between", check.get("value_between"))
        shown = float(value.at[f"T5.{T5[name]}", "value"])  # it stands for 0.0005 less to 0.001 more
        gaps[name] = (low - check["value"] - 1e-3, high - check["value"] + 5e-4, shown - check["value"])
    return pd.DataFrame(gaps, index=["low", "high", "printed"]).T


def half_widths(value: pd.DataFrame, resampled: Mapping[str, float]) -> pd.DataFrame:
    """Half-widths of the intervals of Table 5: printed, and of a bootstrap (``high``, by ``boot.T5.NAME``)."""
    printed_at = {n: np.ptp(value.loc[f"T5.{k}", ["ci_low", "ci_high"]].astype(float)) / 2 for n, k in T5.items()}
    return pd.DataFrame({"printed": printed_at, "high": {n: float(resampled[f"boot.T5.{k}"]) for n, k in T5.items()}})


def table_5(gaps: pd.DataFrame, widths: pd.DataFrame) -> Figure:
    """Values beside what rounding allows, intervals beside a bootstrap; orange where the printed one does not fit."""
    fig, (left, right) = plt.subplots(1, 2, figsize=(7.6, 3.7))
    fits = gaps["printed"].between(gaps["low"], gaps["high"])
    _dots(left, gaps, fits, "Values: what rounding allows (bar)", "printed less implied, as one run")
    left.set(xticks=[-0.008, -0.004, 0])
    fits = widths["printed"] <= 1.1 * widths["high"]
    _dots(right, widths.assign(low=0), fits, "Intervals: bootstrap (bar)", "half-width of the 95 % interval")
    return fig


def _dots(axis: Axes, rows: pd.DataFrame, fits: pd.Series, title: str, xlabel: str) -> None:
    for y, row in enumerate(rows.iloc[::-1].itertuples()):
        axis.barh(y, row.high - row.low, left=row.low, color="0.85")
        axis.plot(row.printed, y, "o", ms=8, mec="white", color=BLUE if fits[row.Index] else ORANGE)
    axis.set(yticks=range(len(rows)), yticklabels=rows.index[::-1], xlabel=xlabel)
    axis.tick_params(axis="y", length=0)
    axis.set_title(title, fontsize=9.5)
