"""What the page on learning curves shows of pre-training, unlabelled people and the luck of a drawing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from osteolib.report.hand_curves_page import NEAR, PAPER, by_doubling, families, look
from osteolib.report.hand_curves_rows import Curves, title
from osteolib.report.show import figure, say, table, with_ci
from osteolib.report.style import GREY, INK, use_style
from osteolib.runs import Run
from osteolib.screen.hand_curves import PHOTOGRAPHS, RANDOM, TAUGHT, TAUGHT_FILMED


def show_gain(run: Run, curves: Curves | None) -> None:
    """What pre-training adds to labels: differences from the taught network, by labelled people."""
    whole, frozen = families(curves) if curves else ([], [])
    chosen = [n for n in (*whole, *frozen) if n not in (TAUGHT, TAUGHT_FILMED, RANDOM, PHOTOGRAPHS)]
    if curves is None or not chosen:
        return
    rows = []
    for name in chosen:
        for n in curves.sizes(name):
            value, low, high = curves.estimate(name, n, (TAUGHT, n))
            verdict = "above" if low > 0 else "below" if high < 0 else "cannot be told"
            rows.append((title(name), int(n), value, low, high, verdict))
    found = pd.DataFrame(rows, columns=["method", "n", "value", "low", "high", "verdict"])
    figure(run, "gain", gain_figure(curves, chosen), alt="Difference of the AUROC from that of the network taught from "
           "random weights, by labelled people; the folded table has the numbers.")  # fmt: skip
    shown = found.assign(**{"difference (95 % CI)": [with_ci(*x, "+.2f") for x in
                                                     found[["value", "low", "high"]].to_numpy()]})  # fmt: skip
    shown = shown.rename(columns={"n": "labelled people", "verdict": "it is"})
    caption = f"Simulated people: AUROC less that of the network taught from random weights; {len(shown)} comparisons"
    table(run, "gain", shown[["method", "labelled people", "difference (95 % CI)", "it is"]],
          f"{caption}, not corrected", index=False, group="method", folded="The differences in numbers")  # fmt: skip
    above = found[found["verdict"].eq("above")]
    below = found[found["verdict"].eq("below")]

    def numbers(rows: pd.DataFrame) -> str:
        by = rows.groupby("method", sort=False)["n"].apply(lambda n: ", ".join(f"{k:,}" for k in n))
        return "; ".join(f"{method}: with {n}" for method, n in by.items()) or "nowhere"

    run.fact(gain_above=numbers(above), gain_below=numbers(below), n_gain=len(found))
    say(run, "Pre-training without labels is above the network taught from random weights, its interval clear of "
        "zero: {gain_above}. It is below: {gain_below}. Of {n_gain} differences one in twenty would be so by "
        "luck.")  # fmt: skip


def gain_figure(curves: Curves, names: Sequence[str]) -> Figure:
    """Paired differences from the taught network by labelled people."""
    use_style()
    fig, axis = plt.subplots(figsize=(7.2, 3.2))
    for k, name in enumerate(names):
        colour, marker = look(name)
        n = curves.sizes(name)
        value, low, high = np.transpose([curves.estimate(name, m, (TAUGHT, m)) for m in n])
        axis.errorbar(n * 1.05 ** (k - len(names) / 2), value, (value - low, high - value), fmt=marker, color=colour,
                      markersize=5, elinewidth=1, label=title(name))  # fmt: skip
    axis.axhline(0, color=INK, lw=1)
    axis.axvline(PAPER, color=GREY, lw=0.8, alpha=0.6)
    by_doubling(axis, np.unique(np.concatenate([curves.sizes(name) for name in names])))
    axis.set(xlabel="labelled people", ylabel="AUROC, less the taught network's")
    axis.legend(loc="upper left", bbox_to_anchor=(1, 1), fontsize=8)
    return fig


def show_unlabelled(run: Run, curves: Curves | None, labelled: int = 192) -> None:
    """AUROC with ``labelled`` people by how many were seen without labels, each encoder for as many steps."""
    rows = []
    for name in curves.names if curves else ():
        method, _, people = name.partition(" of ")
        if people:
            rows.append((method, int(people), name))
    if curves is None or not rows:
        return
    seen = pd.DataFrame(rows, columns=["method", "people", "name"]).sort_values(["method", "people"])
    several = {m: own for m, own in seen.groupby("method", sort=False) if len(own) > 1}
    use_style()
    fig, axis = plt.subplots(figsize=(6.4, 3))
    for method, own in several.items():
        value, low, high = np.transpose([curves.estimate(name, labelled) for name in own["name"]])
        colour, marker = look(method)
        axis.errorbar(own["people"], value, (value - low, high - value), color=colour, marker=marker, markersize=5,
                      elinewidth=0.8, label=title(f"{method} of 0").split(",")[0])  # fmt: skip
    for name, text in ((RANDOM, "random weights"), (TAUGHT, "taught from random weights")):
        colour, _ = look(name)
        axis.axhline(curves.points[name, labelled], color=colour, ls="--", lw=1, label=text)
    by_doubling(axis, np.unique(seen["people"]))
    axis.set(xlabel="people seen without labels", ylabel=f"AUROC, {labelled} labelled")
    axis.legend(loc="upper left", bbox_to_anchor=(1, 1), fontsize=8)
    lines, changes = [], {}
    for method, own in several.items():
        few, many = own["name"].iloc[0], own["name"].iloc[-1]
        changes[method] = curves.estimate(many, labelled, (few, labelled))
        lines += [{"method": title(name), "AUROC (95 % CI)": with_ci(*curves.estimate(name, labelled)),
                   "less random weights": with_ci(*curves.estimate(name, labelled, (RANDOM, labelled)), "+.2f")}
                  for name in own["name"]]  # fmt: skip
    figure(run, "unlabelled", fig, alt="AUROC by the number of people seen without labels.")
    caption = f"Simulated people, {labelled} of them labelled: frozen encoders that took as many steps each"
    table(run, "unlabelled", pd.DataFrame(lines), caption, index=False, folded="The figure in numbers")
    said = "; ".join(f"{title(f'{m} of 0').split(',')[0]} {with_ci(*c, '+.2f')}" for m, c in changes.items())
    ends = "; ".join(f"{own['people'].iloc[0]:,} to {own['people'].iloc[-1]:,}" for own in several.values())
    clear = any(low > 0 for _, low, _ in changes.values())
    run.fact(unlabelled=said, unlabelled_ends=ends, labelled=labelled)
    verdict = "More people help here." if clear else (
        "No interval lies above zero: after as many steps, this run cannot tell more people from more views of few."
    )  # fmt: skip
    say(run, "From fewest to most people seen without labels ({unlabelled_ends}), with {labelled} labelled, the AUROC "
        "changes by {unlabelled}. " + verdict)  # fmt: skip


def show_meaning(run: Run, curves: Curves | None) -> None:
    """Whether 192 people stand on a steep part, and what ranks are worth in people; the words follow the numbers."""
    if curves is None:
        return
    most = int(curves.sizes(TAUGHT).max())
    value, low, high = curves.estimate(TAUGHT, most, (TAUGHT, NEAR))
    run.fact(rise=with_ci(value, low, high, "+.3f"), times=most // NEAR)
    told = (
        "**On ranked bones** {times} times the {near} people of the hand papers add {rise} to the AUROC of the taught "
    )
    told += "network: " + ("more people help. " if low > 0 else "here they do not stand on a steep part. ")
    if TAUGHT_FILMED in curves.names:
        fewest, few = (int(n) for n in curves.sizes(TAUGHT)[:2])
        enough = [
            int(n) for n in curves.sizes(TAUGHT_FILMED) if curves.points[TAUGHT_FILMED, n] >= curves.points[TAUGHT, few]
        ]
        single = curves.drawings.query("name == @TAUGHT and n == @fewest")["auroc"]
        value, low, high = curves.estimate(TAUGHT_FILMED, most, (TAUGHT_FILMED, NEAR))
        run.fact(
            filmed_rise=with_ci(value, low, high, "+.3f"), few=few, enough=min(enough, default=0), fewest=fewest,
            most=most, gap=with_ci(*curves.estimate(TAUGHT, NEAR, (TAUGHT_FILMED, NEAR)), "+.2f"),
            few_auroc=with_ci(*curves.estimate(TAUGHT, few)), n_single=len(single), single_low=single.min(),
            single_high=single.max(),
        )  # fmt: skip
        told += "**As filmed** they add {filmed_rise}" + (": there they do. " if low > 0 else ". ")
        told += (
            "With {near} people ranks are worth {gap}. The AUROC that {few} people give on ranks, {few_auroc}, takes "
        )
        told += "{enough:,} as filmed" if enough else "more than the {most:,} that were tried as filmed"
        told += "; with {fewest} it is a lottery on ranks, too: {n_single} drawings from {single_low:.2f} to "
        told += "{single_high:.2f}."
    say(run, told.strip())


def luck_figure(by_size: Mapping[int, Sequence[float]]) -> Figure:
    """AUROC of each drawing of a small training set."""
    use_style()
    fig, axis = plt.subplots(figsize=(5.6, 2.8))
    for n, values in by_size.items():
        axis.plot([n] * len(values), values, "o", color=GREY, alpha=0.6, markersize=5)
        axis.plot(n, np.mean(values), "_", color=INK, markersize=18, markeredgewidth=2)
    by_doubling(axis, np.array(list(by_size)))
    axis.axhline(0.5, color=GREY, ls=":", lw=1)
    axis.set(xlabel="labelled people", ylabel="AUROC")
    return fig


def show_luck(run: Run, by_size: Mapping[int, Sequence[float]]) -> None:
    """The scatter of drawings, and its spread in words."""
    figure(run, "luck", luck_figure(by_size), alt="AUROC of several drawings of training people, by their number.")
    first, last = min(by_size), max(by_size)
    run.fact(luck_first=first, luck_last=last, n_luck=len(by_size[first]), **{
        f"luck_{key}_{where}": float(how(by_size[n])) for key, how in (("low", np.min), ("high", np.max))
        for where, n in (("first", first), ("last", last))
    })  # fmt: skip
    say(run, "{n_luck} drawings of {luck_first} people have an AUROC from {luck_low_first:.2f} to "
        "{luck_high_first:.2f} on the same others; {luck_last} people from {luck_low_last:.2f} to "
        "{luck_high_last:.2f}. An interval over the scored people knows nothing of this spread.")  # fmt: skip
