"""What the page on grey levels of knees shows: pictures, what features tell of simulated knees, and real ones."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

from osteolib.report.comparison import Comparison, compare_scores, compare_statistics
from osteolib.report.show import figure, say, table, with_ci
from osteolib.report.style import use_style
from osteolib.runs import Run
from osteolib.screen.knee_grey import IN_BONE, PREPARED, RANKED

ASKED = {"density": "density of the bone", "cortical_thickness_mm": "cortex", "exposure": "exposure",
         "window": "window"}  # fmt: skip
PHANTOM, REAL = "knee-phantom", "strnet-stage1"


def show_pictures(run: Run, kinds: Mapping[str, NDArray[np.uint8]], exposure: NDArray[np.float64]) -> None:
    """The simulated knees with the least and the most exposure, in every kind of grey."""
    use_style()
    ends = {"least exposure": int(np.argmin(exposure)), "most exposure": int(np.argmax(exposure))}
    fig, axes = plt.subplots(len(ends), len(kinds), figsize=(2.4 * len(kinds), 5.0), squeeze=False)
    for row, (end, i) in zip(axes, ends.items(), strict=True):
        for axis, images in zip(row, kinds.values(), strict=True):
            axis.imshow(images[i], cmap="gray", vmin=0, vmax=255)
            axis.set_xticks([])
            axis.set_yticks([])
        row[0].set_ylabel(end)
    for axis, kind in zip(axes[0], kinds, strict=True):
        axis.set_title(kind)
    figure(run, "pictures", fig, alt="Two simulated knees, of the least and of the most exposure, prepared as the "
           "paper does, as ranks of the whole picture, and as ranks of the bone alone.")  # fmt: skip


def compare_told(
    told: Mapping[str, pd.DataFrame], truth: pd.DataFrame, n_boot: int, seed: int
) -> tuple[Comparison, Comparison]:
    """Spearman's rho of what was told with what is true, and AUROC of the risk, of the same knees, by person.

    ``told`` by kind of grey; ``truth``: the columns asked for, ``y`` and ``subject_id``.
    """
    values = {f"{kind}: {a}": (truth[a].to_numpy(), said[a].to_numpy()) for kind, said in told.items() for a in ASKED}
    others = [kind for kind in told if kind != PREPARED]
    how = {"groups": truth["subject_id"].to_numpy(str), "n_boot": n_boot, "seed": seed}
    read = compare_statistics({"rho": rho}, values,
                              reference=[(f"{kind}: {a}", f"{PREPARED}: {a}") for kind in others for a in ASKED],
                              **how)  # fmt: skip
    risk = compare_scores(truth["y"], {kind: said["risk"] for kind, said in told.items()},
                          reference=[(kind, PREPARED) for kind in others], **how)  # fmt: skip
    return read, risk


def show_told(run: Run, read: Comparison, risk: Comparison, attainable: float, n: int) -> None:
    """The table of simulated knees, and what ranks change of bone and of film."""
    rows = [{"grey levels": kind} | {f"{ASKED[a]}, ρ": with_ci(*read.estimate(f"{kind}: {a}")) for a in ASKED}
            | {"bone loss, AUROC": with_ci(*risk.estimate(kind))} for kind in risk.methods]  # fmt: skip
    table(run, "told", pd.DataFrame(rows), f"Simulated knees of people who taught nothing (n = {n}): what linear "
          "models read off frozen features (95 % CI)", index=False)  # fmt: skip
    name = "{metric}, frozen features, {method}"
    risk.record(run, PHANTOM, name, name + " − {reference}")
    change = {(k, a): read.difference(f"{k}: {a}", f"{PREPARED}: {a}") for k in (RANKED, IN_BONE) for a in ASKED}
    ill = {kind: risk.difference(kind, PREPARED) for kind in (RANKED, IN_BONE)}
    run.fact(told_exposure=with_ci(*read.estimate(f"{PREPARED}: exposure")),
             told_density=with_ci(*read.estimate(f"{PREPARED}: density")),
             told_attainable=attainable, told_auroc=with_ci(*risk.estimate(PREPARED)),
             **{f"{key}_{a}": with_ci(*change[kind, a], "+.2f") for key, kind in (("whole", RANKED), ("bone", IN_BONE))
                for a in ("density", "exposure")},
             **{f"{key}_auroc": with_ci(*ill[kind], "+.2f") for key, kind in (("whole", RANKED), ("bone", IN_BONE))},
             whole_word=word(ill[RANKED]), bone_word=word(ill[IN_BONE]))  # fmt: skip
    film = max(read.estimate(f"{PREPARED}: {a}")[2] for a in ("exposure", "window"))
    drowned = ("The bone is not drowned: its density is told better than exposure and window." if
               read.estimate(f"{PREPARED}: density")[1] > film else "That bone is told better than the film, this run "
               "cannot say.")  # fmt: skip
    run.fact(drowned=drowned)
    say(run, "As the paper prepares them, frozen features tell the exposure of a film with ρ = **{told_exposure}** and "
        "the density of the bone with ρ = {told_density}; AUROC for bone loss {told_auroc}, where "
        "{told_attainable:.2f} is attainable. {drowned} Ranks over the whole picture change the exposure by "
        "{whole_exposure}, the density by {whole_density} and the AUROC by **{whole_auroc}**: {whole_word}. Ranks "
        "inside the true outline of the bone change them by {bone_exposure}, {bone_density} and **{bone_auroc}**: "
        "{bone_word}.")  # fmt: skip


def rho(true: NDArray[np.float64], said: NDArray[np.float64]) -> float:
    """Spearman's rank correlation: a linear model may say something far out of one knee."""
    return float(np.corrcoef(rankdata(true), rankdata(said))[0, 1])


def word(difference: tuple[float, float, float]) -> str:
    """Of a difference of AUROCs with its interval."""
    return "a gain" if difference[1] > 0 else "a loss" if difference[2] < 0 else "this run cannot tell"


def show_real(
    run: Run, y: NDArray[np.int64], scores: Mapping[str, Mapping[str, NDArray]], bright: Mapping[str, NDArray],
    groups: NDArray[np.str_], n_boot: int, seed: int,
) -> None:  # fmt: skip
    """Real knees: AUROC out of fold of each model with and without ranks, and how well brightness is still told.

    ``scores[model][kind]`` (n,), probabilities; ``bright``: ``truth`` and what the features of each kind tell of it.
    """
    rows, change = [], {}
    for model, by_kind in scores.items():
        found = compare_scores(y, by_kind, reference=[(RANKED, PREPARED)], groups=groups, n_boot=n_boot, seed=seed)
        change[model] = found.difference(RANKED, PREPARED)
        found.record(run, REAL, f"{{metric}} by film, {model}, {{method}}",
                     f"{{metric}} by film, {model}, {{method}} − {{reference}}")  # fmt: skip
        rows.append({"model": model} | {kind: with_ci(*found.estimate(kind)) for kind in by_kind}
                    | {"ranked less prepared": with_ci(*change[model], "+.2f")})  # fmt: skip
    table(run, "real", pd.DataFrame(rows), f"Real knees of Stage 1 (n = {len(y):,}), split by source film: AUROC for "
          "bone loss (95 % CI; films drawn)", index=False)  # fmt: skip
    told = compare_statistics({"rho": rho}, {kind: (bright["truth"], bright[kind]) for kind in (PREPARED, RANKED)},
                              groups=groups, n_boot=n_boot, seed=seed)  # fmt: skip
    changes = [f"{with_ci(*by, '+.2f')} ({model}: {word(by)})" for model, by in change.items()]
    run.fact(real_changes=" and by ".join(changes),
             real_bright=with_ci(*told.estimate(PREPARED)), real_bright_ranked=with_ci(*told.estimate(RANKED)),
             n_real=f"{len(y):,}")  # fmt: skip
    say(run, "On real knees, split by film, ranks change the AUROC by {real_changes}. How bright the prepared knee is, "
        "its features tell with ρ = {real_bright}; after ranks with ρ = {real_bright_ranked}.")  # fmt: skip
