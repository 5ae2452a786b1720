"""Tables and figures of the page on the numbers of the hand studies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from osteolib.report.style import GREY, INK
from osteolib.stats.audit import Printed, printed
from osteolib.stats.audit.random_splits import PARTS
from osteolib.stats.audit.reach import reachable_mean_sd, sd_floor

SHORT, LONG = "lee2023_hand", "lee2025_hand"
BLUE, SKY, ORANGE = "#0072B2", "#56B4E9", "#D55E00"
NEAREST = ("half-up", "half-even")
Runs = Mapping[str, Sequence[tuple[int, ...]]]  # row of Table 2 to possible counts of the runs
ACCURACIES = {"supervised": "T6.sup.acc", "single decoder": "T5.SimCLR.acc", "SimCLR, full": "T3.SimCLR.acc"}
AUCS = {"SimCLR, full": "T3.SimCLR", "single decoder": "T5.SimCLR", "no segmentation": "T4.SimCLR", "SwAV": "T3.SwAV",
        "supervised": "T6.sup", "DeepDXA": "T8.DeepDXA"}  # fmt: skip


def number(text: Mapping[str, str], name: str) -> float:
    """A published value as a fraction or a count."""
    value = float(printed(text[name]).value)
    return int(value) if value == int(value) else value


def cells(text: Mapping[str, str]) -> dict[tuple[str, str], int]:
    """Segments of the short paper by part and group (``op``, ``n``)."""
    return {(part, group): int(text[f"{SHORT}.T1.{group}.{part}"]) for part in PARTS for group in ("op", "n")}


def squares(images: int, segments: int, bones: int) -> Figure:
    """One square a hand that the segments need, those beyond the named radiographs apart."""
    least = -(-segments // bones)
    fig, axis = plt.subplots(figsize=(7.6, 3), layout="none")  # few squares would leave no room beside the words
    x, y = np.divmod(np.arange(least), 9)
    extra = np.arange(least) >= images
    for beyond, colour in ((False, BLUE), (True, ORANGE)):
        axis.scatter(x[extra == beyond], -y[extra == beyond], 150, colour, marker="s")
    words = f"{images} radiographs, at most {images * bones:,} segments"
    axis.text(0, 1, words, color=BLUE, weight="bold")
    axis.text(25, 1, f"{extra.sum()} hands more", color=ORANGE, weight="bold", ha="right")
    axis.text(0, -9.3, f"{segments:,} segments were used: at least {least} hands")
    axis.set(ylim=(-10, 1.8))
    axis.axis("off")
    return fig


def splits_table(splits: Mapping[tuple[str, bool], pd.DataFrame]) -> pd.DataFrame:
    """One row for each unit of a split and whether it is stratified, from ``describe_splits``."""
    return pd.DataFrame([{
        "unit of the split": unit, "by label": "yes" if by else "no",
        "test segments": "{:.0f} to {:.0f}".format(*f["size"].quantile([0.025, 0.975])),
        "shares as alike as printed (%)": round(100 * f["alike"].mean(), 1),
        "sizes as even, too (%)": round(100 * f["even"].mean(), 1),
        "test segments whose person is in training (%)": round(100 * f["seen"].mean(), 1),
        "people on both sides": round(f["both"].mean(), 1),
    } for (unit, by), f in splits.items()])  # fmt: skip


def leakage(alone: Mapping[str, pd.DataFrame], tests: int) -> Figure:
    """By unit of the split: sizes of the test set, and the share of its segments whose person is in training."""
    fig, axes = plt.subplots(1, 2, figsize=(7.6, 2.7), width_ratios=(1.2, 1))
    for row, f in enumerate(alone.values()):
        axes[0].hlines(row, *f["size"].quantile([0.025, 0.975]), color=BLUE, lw=8)
        axes[0].plot(f["size"].median(), row, "o", color=BLUE, ms=9)
        axes[1].barh(row, 100 * f["seen"].mean(), color=ORANGE, height=0.45)
        axes[1].text(100 * f["seen"].mean() + 2, row, f"{f['seen'].mean():.0%}", va="center")
    axes[0].axvline(tests, color=INK, ls="--")
    axes[0].text(tests + 1, 2.5, f"printed: {tests}", fontsize=9)
    axes[0].set(yticks=range(len(alone)), yticklabels=[f"by {u}" for u in alone], ylim=(-0.5, 2.9))
    axes[0].set_title("test segments, 95 % of splits")
    axes[1].set(yticks=[], ylim=(-0.5, 2.9), xlim=(0, 119), xticks=(0, 50, 100))
    axes[1].set_title("% whose person is in training")
    return fig


def possible_accuracies(text: Mapping[str, str], n: int, runs: int) -> Figure:
    """Accuracies that n people can have, with the printed ones; and the SDs that go with one of them, by test size."""
    mean, sd = (printed(text[f"{LONG}.T6.sup.acc{end}"]) for end in ("", ".spread"))
    fig, (upper, lower) = plt.subplots(2, 1, figsize=(7.6, 4.7), height_ratios=(1, 2))
    upper.vlines(np.arange(36, 50) / (runs * n), 0, 0.5, BLUE)
    upper.vlines(np.arange(12, 17) / n, 0, 1, BLUE, lw=3)
    for label, name in ACCURACIES.items():
        low, high = printed(text[f"{LONG}.{name}"]).interval(NEAREST)
        upper.axvspan(low, high, ymax=0.62, color=ORANGE, alpha=0.4, lw=0)
        upper.text((low + high) / 2, 1.12, f"{label}\n{text[f'{LONG}.{name}']}", ha="center", fontsize=9)
    upper.set(ylim=(0, 1.7), yticks=[], xlim=(0.63, 0.86))
    upper.set_xlabel(f"accuracy that {n} people can have: mean of {runs} runs (thin), of one (thick)")
    upper.spines["left"].set_visible(False)
    _spreads(lower, mean, runs)
    lower.axhspan(*sd.interval(NEAREST), color=ORANGE, alpha=0.35, lw=0)
    lower.text(50.6, 0.01, f"printed\n± {sd.text}", va="center")
    lower.axvline(n, color=GREY, ls=":")
    lower.set(xlabel="people in the test set", ylim=(-0.002, 0.06), xlim=(11, 50.5), ylabel="SD")
    words = f"SDs that three accuracies with mean {mean.text} can have (dark: sample, light: population)"
    lower.set_title(words, fontsize=9)
    return fig


def _spreads(axis: Axes, mean: Printed, runs: int) -> None:
    for n in range(12, 51):
        triples = np.array(reachable_mean_sd(mean, None, n, runs, roundings=NEAREST)).reshape(-1, runs)
        for ddof, colour in ((0, SKY), (1, BLUE)):
            spread = np.unique(triples.std(axis=1, ddof=ddof).round(9)) / n
            axis.plot(np.full(spread.size, n), spread, ".", color=colour, ms=5)


def aucs(text: Mapping[str, str]) -> dict[str, float]:
    """AUROCs of the journal version, that of the full method first."""
    return {label: number(text, f"{LONG}.{name}.auc") for label, name in AUCS.items()}


def six_aucs(value: Mapping[str, float], half: float, ends: tuple[float, float]) -> Figure:
    """AUROCs beside what other test sets would print for the first (shaded) and the ± printed with it."""
    fig, axis = plt.subplots(figsize=(7.6, 2.7))
    axis.axvspan(*ends, color=SKY, alpha=0.3, lw=0)
    top = next(iter(value.values()))
    for y, a in enumerate(reversed(value.values())):
        axis.plot(a, y, "o", color=ORANGE if a == top else BLUE, ms=9)
    axis.hlines(len(value) - 1, top - half, top + half, color=INK, lw=3, zorder=2)
    axis.set(xlim=(0.59, 1.01), yticks=range(len(value)), ylim=(-0.6, len(value) - 0.4))
    axis.set_yticklabels(list(value)[::-1])
    axis.set_xlabel("AUROC; shaded: 95 % of what other test sets of 6 and 13 people would print; bar: printed ±")
    return fig


def single_runs(details: Mapping[str, Mapping], carriers: int, runs: int) -> tuple[Runs, dict]:
    """Right answers of the runs by row of Table 2 (L23-10; constant in the supervised rows), and solutions for F1."""
    rows = {f"Supervised {crops}": [(carriers,) * runs] for crops in ("conv", "ext")}
    rows |= {name: row["sample"] for name, row in details["L23-10"]["rows"].items()}
    return rows, {name: row["solutions"] for name, row in details["L23-19"]["rows"].items()}


def runs_table(text: Mapping[str, str], rows: Runs, f1: Mapping[str, Sequence], carriers: int) -> pd.DataFrame:
    """Printed accuracy, right answers of the runs, and true positives of one solution, by row of Table 2."""

    def found(name: str) -> str:
        if f1.get(name):
            return ", ".join(str(tp) for _, tp in f1[name][0])
        return "none" if name in f1 else f"{carriers} in each"

    return pd.DataFrame([{
        "row": name,
        "printed accuracy (%)": text["{}.T2.{}.acc.{}".format(SHORT, *name.split())].removesuffix(" %"),
        "right answers of the three runs": " or ".join(", ".join(map(str, counts)) for counts in triples),
        "true positives, one solution": found(name),
    } for name, triples in rows.items()])  # fmt: skip


def thirty_runs(rows: Runs, f1: Mapping[str, Sequence], n: int, carriers: int) -> Figure:
    """Right answers and true positives of each run; an open mark is a second solution."""
    fig, axes = plt.subplots(1, 2, figsize=(7.8, 4), sharey=True, width_ratios=(2, 1))
    for at, label in ((carriers, "all called ill"), (n - carriers, "all normal")):
        axes[0].axvline(at, color=GREY, ls="--", lw=1)
        box = {"color": "white", "pad": 1}
        axes[0].text(at, len(rows) - 0.35, label, ha="center", va="center", fontsize=9, bbox=box)
    axes[0].set_title("blue: conventional, orange: extended crops", fontsize=9)
    for y, (name, triples) in enumerate(reversed(rows.items())):
        colour = ORANGE if name.endswith("ext") else BLUE
        for fill, counts in zip(("full", "none"), triples, strict=False):
            axes[0].plot(counts, (y, y + 0.14, y - 0.14), "o", ms=6, color=colour, fillstyle=fill)
        for pairs in f1.get(name, [((carriers, carriers),) * 3])[:1]:
            axes[1].plot([tp for _, tp in pairs], (y, y + 0.14, y - 0.14), "o", ms=6, color=colour)
        if name in f1 and not f1[name]:
            axes[1].text(24, y, "no whole numbers", ha="center", va="center", fontsize=9)
    for axis, most, label in ((axes[0], n, "right"), (axes[1], carriers, "true positives")):
        axis.set(xlim=(0, most + 3), xlabel=f"{label}, of {most}", ylim=(-0.6, len(rows)))
        axis.set(yticks=range(len(rows)), yticklabels=list(rows)[::-1])
    return fig


def split_facts(alone: Mapping[str, pd.DataFrame]) -> dict[str, float]:
    """Facts ``UNIT_even``, ``UNIT_seen`` and ``UNIT_both``: means over the splits of each unit."""
    return {f"{unit}_{k}": float(f[k].mean()) for unit, f in alone.items() for k in ("even", "seen", "both")}


def people_needed(text: Mapping[str, str], n: int, runs: int) -> dict[str, object]:
    """Facts: the supervised accuracy and its ±, the fewest people from n on that can print them, and SDs at least."""
    mean, sd = (printed(text[f"{LONG}.T6.sup.acc{end}"]) for end in ("", ".spread"))
    fits = [next(k for k in range(n, 200) if reachable_mean_sd(mean, sd, k, runs, ddof, NEAREST)) for ddof in (0, 1)]
    floors = {"floor": sd_floor(mean, n, NEAREST), "floor_any": sd_floor(mean, n)}
    floors["floor_20"] = sd_floor(mean, n + 1, NEAREST)
    return {"n_test": n, "sup": mean.text, "sup_sd": sd.text, "n_fit": fits[0], "n_sample": fits[1]} | floors


def lead_facts(details: Mapping[str, Mapping], value: Mapping[str, float], ends: tuple[float, float]) -> dict:
    """Facts: the largest lead in standard errors, how many AUROCs lie within the interval, leads in people."""
    inside = sum(ends[0] <= a <= ends[1] for a in value.values()) - 1  # without the best itself
    return {
        "z_max": max(row["z"] for row in details["L25-28"]["rows"].values()), "inside": inside,
        "n_other": len(value) - 1, "auc_low": ends[0], "auc_high": ends[1],
        "by_accuracy": details["L25-12"]["deepdxa"], "decoder": details["L25-12"]["decoder"],
    }  # fmt: skip


def run_facts(details: Mapping[str, Mapping], solutions: Mapping[str, Sequence], carriers: int) -> dict[str, float]:
    """Facts: how many accuracies are exact, the chance of that, and the sensitivities of the best model's runs."""
    chance = details["L23-09"]["rows"]["SimCLR ext"]["chance"]
    best = [tp for _, tp in solutions["SimCLR ext"][0]]
    return {
        "n_free": len(solutions), "n_exact": len(details["L23-09"]["consistent"]), "carriers": carriers,
        "by_luck": chance ** len(solutions), "low_sens": min(best) / carriers, "high_sens": max(best) / carriers,
    }  # fmt: skip
