"""The page on the phantom hand: its films and bones, four annotators, the cortex, two studies, what is attainable.

Functions that draw return a figure; ``show_`` functions choose what is shown and give figures, tables, facts to a run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.colors import to_rgb
from numpy.typing import NDArray

from osteolib.phantoms.hand.shapes import BONES
from osteolib.phantoms.hand.truth import ANNOTATOR_WEIGHTS, annotate
from osteolib.phantoms.settings import phantom_settings
from osteolib.report.plots import contact_sheet
from osteolib.report.realism import NAMES, band_figure, curves_of, range_table, record_shares, record_told
from osteolib.report.show import figure, table
from osteolib.report.style import GREY, use_style
from osteolib.runs import Run
from osteolib.segment.overlap import dice, iou, surface_distance
from osteolib.segment.shaft_profile import ACROSS
from osteolib.stats import BootstrapResult

BONE_COLOURS = dict(
    zip(BONES, ("#0072B2", "#56B4E9", "#CC79A7", "#D55E00", "#E69F00", "#F0E442", "#009E73"), strict=True)
)
OURS, TRUE = "#E69F00", "white"


def painted(image: NDArray[np.uint8], labels: NDArray, alpha: float = 0.45) -> NDArray[np.float64]:
    """Grey film with each bone in its colour, shape (height, width, 3), 0 to 1."""
    colours = np.array([to_rgb(c) for c in ("black", *BONE_COLOURS.values())])
    over = (labels > 0)[..., None] * alpha
    return np.repeat(image[..., None] / 255, 3, axis=2) * (1 - over) + colours[labels] * over


def masks_figure(films: Sequence[NDArray], masks: Sequence[NDArray]) -> plt.Figure:
    """Films with the true masks of their target bones, and how many there are."""
    use_style()
    fig, axes = plt.subplots(1, len(films), figsize=(2.1 * len(films), 3.4))
    for axis, film, labels in zip(axes, films, masks, strict=True):
        axis.imshow(painted(film, labels))
        axis.set_title(f"{len(np.unique(labels)) - 1} bones", fontsize=9)
        axis.axis("off")
    for name, colour in BONE_COLOURS.items():
        axes[0].plot([], [], "s", color=colour, label=name)
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=7)
    return fig


def annotators_figure(film: NDArray, truth: NDArray, drawn: Mapping[str, NDArray]) -> plt.Figure:
    """Outlines of the second and third metacarpal by each annotator (orange) on the true ones (white)."""
    where = np.argwhere(np.isin(truth, (BONES.index("M2") + 1, BONES.index("M3") + 1)))
    (top, left), (bottom, right) = where.min(0) - 6, where.max(0) + 6
    cut = np.s_[max(top, 0) : bottom, max(left, 0) : right]
    use_style()
    fig, axes = plt.subplots(1, len(drawn), figsize=(8, 3.3))
    for axis, (name, labels) in zip(axes, drawn.items(), strict=True):
        axis.imshow(film[cut], cmap="gray")
        for value in np.unique(truth[cut])[1:]:
            for drawing, colour in ((truth, TRUE), (labels, OURS)):
                axis.contour(drawing[cut] == value, [0.5], colors=colour, linewidths=1.1)
        axis.set_title(f"{name}, weight {ANNOTATOR_WEIGHTS[name]:g}", fontsize=9)
        axis.axis("off")
    return fig


def annotators_table(hands: pd.DataFrame, masks: Mapping[str, NDArray], rng: np.random.Generator) -> pd.DataFrame:
    """How far the four annotators stray from the truth: means over hands (``image_id``, ``spacing_mm``), a row each."""
    rows = []
    m2 = BONES.index("M2") + 1
    for image_id, spacing in zip(hands["image_id"], hands["spacing_mm"], strict=True):
        truth = masks[image_id]
        for name, weight in ANNOTATOR_WEIGHTS.items():
            drawn = annotate(truth, name, rng, spacing)
            rows.append({
                "annotator": name, "weight": weight, "area / true area": (drawn > 0).sum() / (truth > 0).sum(),
                "Dice with the truth": np.nanmean(dice(iou(drawn[None], truth[None]))),
                "distance of the outlines of M2, mm": surface_distance(drawn == m2, truth == m2, (spacing,) * 2)[0],
            })  # fmt: skip
    return pd.DataFrame(rows).groupby("annotator", sort=False).mean()


def profile_figure(profiles: NDArray, percentage: NDArray) -> plt.Figure:
    """Mean profile across the second metacarpal of each third of the hands, by true cortical percentage.

    ``profiles`` (n, 141), read at :data:`ACROSS`; dotted lines stand at the true edges of the canal.
    """
    use_style()
    fig, axis = plt.subplots(figsize=(6.2, 3.2))
    third = pd.qcut(percentage, 3, labels=False)
    for k, colour in enumerate(("#D55E00", "#E69F00", "#0072B2")):
        c = percentage[third == k].mean()
        axis.plot(ACROSS, profiles[third == k].mean(0), color=colour, lw=2, label=f"c = {c:.2f}")
        for side in (-1, 1):
            axis.axvline(side * (1 - c), color=colour, lw=1, ls=":")
    for side in (-1, 1):
        axis.axvline(side, color=GREY, lw=1)
    axis.set(xlabel="half-widths of the shaft (grey lines: its edges)", ylabel="grey, relative")
    axis.set_title("Across the second metacarpal")
    axis.legend(title="mean true percentage", fontsize="small", loc="upper left", bbox_to_anchor=(1, 1))
    return fig


def studies_figure(grid: NDArray, curves: NDArray, check: pd.DataFrame, r: float, interval: tuple[float, float]):
    """Sensitivity against the correlation r at the published specificities, with r of one study and its interval.

    ``curves`` (len(grid), classes) in the order of ``check``: ``class`` and ``published_sensitivity``.
    """
    use_style()
    fig, axis = plt.subplots(figsize=(6.2, 3.3))
    axis.axvspan(*interval, color="#D9D9D9", lw=0)
    axis.axvline(r, color=GREY, lw=1)
    for curve, row, colour in zip(curves.T, check.to_dict("records"), ("#E69F00", "#D55E00"), strict=True):
        axis.plot(grid, curve, color=colour, lw=2, label=f"{row['class']}, phantom's law")
        look = {"color": colour, "lw": 1.4, "ls": "--", "label": f"{row['class']}, published"}
        axis.axhline(row["published_sensitivity"], **look)
    axis.set(xlabel="correlation r of cortical percentage and T-score", ylabel="sensitivity", ylim=(0.3, 1.03))
    axis.set_title("At the published specificities")
    axis.legend(fontsize="small", loc="lower right")
    return fig


def show_films(run: Run, hands: pd.DataFrame, pixels: Mapping[str, NDArray]) -> None:
    """Twelve films, four of them cut off or with metal, and facts on the people."""
    odd = (hands["n_bones"] < 7) | hands["plate"] | hands["cast"]
    some = pd.concat([hands[~odd].head(8), hands[odd].head(4)])
    titles = [f"{row.sex} {row.age_years:.0f}, T {row.t_score:.1f}, {row.n_bones} bones" for row in some.itertuples()]
    sheet = contact_sheet([pixels[i] for i in some["image_id"]], titles, size=1.4)
    figure(run, "films", sheet, alt="Twelve simulated hand films with sex, age, T-score and number of target bones; "
           "some are cut off or hold metal.")  # fmt: skip
    ages = hands.loc[hands["label"] == "osteoporosis", "age_years"]
    run.fact(n=len(hands), women=(hands["sex"] == "F").mean(), cases=len(ages))
    run.fact(from50=ages.between(50, 79.999).mean(), youngest=hands["age_years"].min())


def show_bones(run: Run, hands: pd.DataFrame, pixels: Mapping[str, NDArray], masks: Mapping[str, NDArray]) -> None:
    """Two films with all bones and two with fewer, and facts on how many there are."""
    seven = hands["n_bones"] == 7
    some = pd.concat([hands[seven].head(2), hands[~seven].head(2)])["image_id"]
    figure(run, "masks", masks_figure([pixels[i] for i in some], [masks[i] for i in some]), alt="Films with the true "
           "masks of the target bones, two with all seven and up to two with fewer.")  # fmt: skip
    counts = pd.Series(" ".join(hands["bones_present"]).split()).value_counts()[list(BONES)]
    run.fact(n_fewer=int((~seven).sum()), n_segments=int(counts.sum()), most=7 * len(hands))
    run.fact(rarest=counts.idxmin(), rarest_n=int(counts.min()))


def show_annotators(
    run: Run, film: NDArray, truth: NDArray, drawn: Mapping[str, NDArray], styles: pd.DataFrame
) -> None:
    """Outlines of four annotators on one film, and the table of :func:`annotators_table`."""
    figure(run, "annotators", annotators_figure(film, truth, drawn), alt="Outlines of two metacarpals by each of four "
           "annotators (orange) on the true ones (white).")  # fmt: skip
    caption = "Four styles on twelve hands, means over the bones"
    table(run, "annotators", styles.round(3), caption, folded=caption)


def show_profiles(run: Run, profiles: NDArray, percentage: NDArray) -> None:
    """Profiles across the second metacarpal by true cortical percentage, as in :func:`profile_figure`."""
    figure(run, "profile", profile_figure(profiles, percentage), alt="Mean profiles across the second metacarpal for "
           "thin, middling and thick cortices, with the true edges of shaft and canal.")  # fmt: skip


def show_studies(run: Run, grid: NDArray, curves: NDArray, check: pd.DataFrame, interval: tuple[float, float]) -> None:
    """The figure and table of the thresholds of one study beside the correlation of another, and what r it would need.

    ``check`` of :func:`osteolib.phantoms.hand.truth.threshold_check`, osteopenia first; other arguments as for
    :func:`studies_figure`.
    """
    assumed = phantom_settings("hand-phantom")["bone"]["cortical_percentage"]["t_correlation"]
    figure(run, "studies", studies_figure(grid, curves, check, assumed, interval), alt="Sensitivity against r at fixed "
           "specificity, for two thresholds, beside the published sensitivities.")  # fmt: skip
    kinds = {"published": "published_", "phantom": ""}
    pairs = {f"{kind}: {who}": check[prefix + kind]
             for kind in ("sensitivity", "specificity") for who, prefix in kinds.items()}  # fmt: skip
    shown = check[["class", "below"]].join(pd.DataFrame(pairs)).round(3)
    table(run, "thresholds", shown, "Thresholds on the cortical percentage of M2, against normal subjects; published "
          "in 200 patients, ours in 100,000 simulated people", index=False, folded="In numbers")  # fmt: skip
    need = np.interp(check["published_sensitivity"].iloc[0], curves[:, 0], grid)
    enough = grid[curves[:, 1] > 0.995]
    porosis = f"r = {enough[0]:.2f}" if len(enough) else f"more than r = {grid[-1]:.2f}"
    run.fact(need_penia=need, need_porosis=porosis, assumed=assumed)
    run.fact(penia=check["sensitivity"].iloc[0], porosis=check["sensitivity"].iloc[1])
    reached = len(enough) and max(need, enough[0]) <= interval[1]
    run.fact(together="can" if reached else "cannot")


def show_known(run: Run, honest: Mapping[str, BootstrapResult], best: Mapping[str, float]) -> None:
    """AUROCs by what is known of a person, three of the films' people and two attainable ones: table, rows, facts."""
    rows = [(name, r.estimate["auroc"], *r.ci["auroc"], r.n) for name, r in honest.items()]
    rows += [(name, value, np.nan, np.nan, 50_000) for name, value in best.items()]
    known = pd.DataFrame(rows, columns=["known", "AUROC", "ci_low", "ci_high", "n"])
    table(run, "attainable", known.round(3), "Simulated people: osteoporosis against the rest, by what is known of "
          "them", index=False, folded="Every AUROC with its interval")  # fmt: skip
    for name, value, low, high, n in rows:
        ci = None if np.isnan(low) else (low, high)
        run.result(None, f"auroc, {name}", value, ci=ci, n=n, cohort="hand-phantom")
    (blind, people, cortex), (attainable, covariates) = (known["AUROC"][:3], known["AUROC"][3:])
    run.fact(blind=blind, blind_low=rows[0][2], blind_high=rows[0][3], people=people, cortex=cortex)
    run.fact(attainable=attainable, covariates=covariates)


def show_realism(
    run: Run, regions: Mapping[str, Sequence[NDArray]], compared: pd.DataFrame, told: BootstrapResult
) -> None:
    """Regions of real and simulated hands, their spectra and grey levels, and the table of ranges."""
    some = [image for group in regions.values() for image in group[:6]]
    titles = [name.upper() for name, group in regions.items() for _ in group[:6]]
    figure(run, "regions", contact_sheet(some, titles), alt="Regions around the metacarpals: a row of real hands, then "
           "one of simulated hands, found by one rule and prepared alike.")  # fmt: skip
    curves = curves_of({name.upper(): group for name, group in regions.items()})
    figure(run, "bands", band_figure(curves), alt="Power spectrum and grey histogram of the region: median and 5-95 % "
           "band of real and of simulated films.")  # fmt: skip
    caption = "Region of the metacarpals, real and simulated films, measure by measure"
    table(run, "realism", range_table(compared, NAMES), caption, index=False, folded=caption)
    record_shares(run, compared, NAMES, len(regions["phantom"]), "hand-phantom")
    record_told(run, told, "hand-phantom")
    run.fact(n_real=len(regions["real"]), n_phantom=len(regions["phantom"]))
