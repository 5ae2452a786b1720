"""The page on copies and intervals: the paper's settings, the figures, and widths beside printed ones."""

from __future__ import annotations

from collections.abc import Iterable

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from osteolib.cohorts import LABELS
from osteolib.report.compared import label
from osteolib.report.style import COLOURS, GREY, INK, use_style
from osteolib.stats.copies import Likeness, binormal, covariance_of_signs
from osteolib.stats.copy_coverage import (
    DRAWS,
    UNRELATED,
    Setting,
    expected_effects,
    simulated_studies,
    width_and_coverage,
)

METRICS = ("auroc", "sensitivity", "specificity")
SCREENING, WEAKER, SEVERITY, WHOLE = "screening", "weaker score", "severity", "whole set"
LOOK = dict(zip((SCREENING, WEAKER, SEVERITY, WHOLE), zip("os^D", (*COLOURS.values(), INK), strict=True), strict=True))


def printed_settings(paper: pd.DataFrame, weaker_auroc: float) -> list[Setting]:
    """The kinds of study of the page, the printed values taken as the truth.

    ``paper`` is a paper's published values, indexed by id without the paper. Screening has the class counts of Table 1,
    severity those of Table 5; the weaker score has the AUROC given, one SD and the printed specificity.
    """
    loss = LABELS[1:]
    test = {name: int(paper.loc[f"T1.{name.capitalize()}.test", "value"]) for name in LABELS}
    graded = {name: int(paper.loc[f"T5.{key}", "value"]) for name, key in zip(loss, ("penia", "op"), strict=True)}
    printed, weaker = binormal(*_printed(paper, "test")), binormal(weaker_auroc, _printed(paper, "test")[1])
    return [
        Setting(SCREENING, loss, printed, test),
        Setting(WEAKER, loss, weaker, test),
        Setting(SEVERITY, loss[1:], binormal(*_printed(paper, "T5")), graded),
        Setting(WHOLE, loss, printed),
    ]


def _printed(paper: pd.DataFrame, place: str) -> tuple[float, float, float]:
    """AUROC, specificity and sensitivity as :func:`binormal` takes them."""
    return tuple(float(paper.loc[f"{place}.{key}", "value"]) for key in ("auroc", "spec", "sens"))


def call_correlation(share: float, r: np.ndarray) -> np.ndarray:
    """Correlation of two calls, each yes with probability ``share``, whose normal scores correlate at ``r``."""
    from scipy.stats import norm

    return covariance_of_signs(norm.ppf(share), r) / (share * (1 - share))


def study_all(
    subjects: pd.DataFrame, settings: Iterable[Setting], likeness: Likeness, n_studies: int, rng: np.random.Generator
) -> pd.DataFrame:
    """:func:`osteolib.stats.copy_coverage.width_and_coverage` of every setting, and the design effects beside it.

    The whole set gets a third of the studies: each takes several times as long. Columns: ``setting``, those of both
    tables by ``draw`` and ``metric``.
    """
    parts = []
    for setting in settings:
        n = n_studies if setting.sizes else max(n_studies // 3, 20)
        found = width_and_coverage(simulated_studies(subjects, setting, likeness, n, rng), setting)
        parts.append(
            found.merge(expected_effects(subjects, setting, likeness), on="metric").assign(setting=setting.name)
        )
    return pd.concat(parts, ignore_index=True)


def effective_numbers(found: pd.DataFrame) -> pd.DataFrame:
    """Files, films and effective number of each setting and metric; the simulated design effect with its 95 % interval.

    The simulated one is the variance of the estimates over the studies, over that of unrelated films by formula;
    its interval is the chi-squared interval of a variance.
    """
    from scipy.stats import chi2

    rows = found[found["draw"] == DRAWS[-1]]
    simulated = (rows["sd"] / rows["se_files"]) ** 2
    free = rows["studies"] - 1
    ends = [simulated * free / chi2.ppf(q, free) for q in (0.975, 0.025)]
    columns = {
        "setting": rows["setting"], "metric": rows["metric"].map(label), "files": rows["n"].round().astype(int),
        "design effect": rows["design_effect"].round(2), "effective number": rows["n_eff"].round().astype(int),
        "design effect, simulated": [f"{v:.2f} ({a:.2f} to {b:.2f})" for v, a, b in zip(simulated, *ends, strict=True)],
    }  # fmt: skip
    return pd.DataFrame(columns).reset_index(drop=True)


def widths(found: pd.DataFrame) -> pd.DataFrame:
    """Mean width of the intervals: a row a setting and metric, a column what is drawn."""
    wide = found.pivot(index=["setting", "metric"], columns="draw", values="width")[[*DRAWS, UNRELATED]]
    return wide.loc[[(s, m) for s in found["setting"].unique() for m in METRICS]]


def beside_print(found: pd.DataFrame, paper: pd.DataFrame) -> pd.DataFrame:
    """Width of Table 5's printed intervals beside those at its size and values, by metric.

    Columns: ``printed``; by formula, 3.92 standard errors, as if ``unrelated`` and with the ``copies`` of the set; the
    mean simulated width by draw.
    """
    rows = paper.loc[["T5.auroc", "T5.sens", "T5.spec"]]
    at = found[(found["setting"] == SEVERITY) & (found["draw"] == DRAWS[0])].set_index("metric").loc[list(METRICS)]
    formula = {"unrelated": 3.92 * at["se_files"], "copies": 3.92 * at["se"]}
    first = pd.DataFrame({"printed": (rows["ci_high"] - rows["ci_low"]).to_numpy()} | formula)
    return first.join(widths(found).loc[SEVERITY, list(DRAWS)]).rename(index=label)


def copies_in_short(found: pd.DataFrame) -> dict[str, float]:
    """Numbers for the prose: ``SETTING_METRIC_...`` of screening and of the whole set.

    ``ratio`` is the mean width when films are drawn over that when files are, ``root`` the root of the design effect,
    ``files``, ``films`` and ``none`` the coverage of the two draws and of as many unrelated films.
    """
    table, short = found.set_index(["setting", "metric", "draw"]).sort_index(), {}
    for place, setting in (("test", SCREENING), ("all", WHOLE)):
        for metric in METRICS:
            at = table.loc[(setting, metric)]
            covers = {"files": DRAWS[0], "films": DRAWS[-1], "none": UNRELATED}
            numbers = {name: at.loc[draw, "covers"] for name, draw in covers.items()}
            numbers["ratio"] = at.loc[DRAWS[-1], "width"] / at.loc[DRAWS[0], "width"]
            numbers |= {"root": at["design_effect"].iloc[0] ** 0.5, "n_eff": at["n_eff"].iloc[0]}
            short |= {f"{place}_{metric}_{name}": float(value) for name, value in numbers.items()}
    return short


def coverage_of_draws(found: pd.DataFrame) -> Figure:
    """Share of studies with the truth inside, by what the bootstrap draws; bars: 95 % interval of that share."""
    use_style()
    fig, axes = plt.subplots(1, 3, figsize=(7.8, 3.6), sharex=True, sharey=True)
    order = [UNRELATED, *DRAWS[::-1]]
    for axis, metric in zip(axes, METRICS, strict=True):
        axis.axvline(0.95, color=GREY, lw=1, ls=":")
        for k, (setting, (marker, colour)) in enumerate(LOOK.items()):
            rows = found[(found["metric"] == metric) & (found["setting"] == setting)].set_index("draw").loc[order]
            height = np.arange(len(order)) + 0.15 * (1.5 - k)
            axis.hlines(height, rows["covers_low"], rows["covers_high"], color=colour, lw=1.2)
            axis.plot(rows["covers"], height, marker, color=colour, ms=5, label=setting)
        axis.set_title(label(metric), fontsize=9)
        axis.set_yticks(np.arange(len(order)), [name.replace(", all", ",\nall") for name in order])
        axis.axhline(0.5, color=GREY, lw=0.6)
    fig.supxlabel("share of studies whose 95 % interval holds the truth", fontsize=9)
    fig.supylabel("the bootstrap draws", fontsize=9)
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=4)
    return fig


def ratio_by_likeness(
    subjects: pd.DataFrame, settings: Iterable[Setting], likeness: Likeness, found: pd.DataFrame
) -> Figure:
    """How many times wider an interval has to be, against the correlation of two files of one film.

    Lines: root of the design effect of the AUROC, screening and the whole set; a picture's files stay at least as alike
    as a film's. Markers: the width of drawing films over that of drawing files, as simulated.
    """
    use_style()
    fig, axis = plt.subplots(figsize=(6.4, 3.0))
    r = np.linspace(0, 1, 9)
    simulated = widths(found)
    for setting in settings:
        if setting.name not in (SCREENING, WHOLE):
            continue
        marker, colour = LOOK[setting.name]
        alike = [Likeness(likeness.bytes, min(max(likeness.picture, film), likeness.bytes), film) for film in r]
        effects = [expected_effects(subjects, setting, each, n_sets=15).set_index("metric") for each in alike]
        wider = [effect.loc["auroc", "design_effect"] ** 0.5 for effect in effects]
        axis.plot(r, wider, "-" if setting.sizes is None else "--", color=colour, label=setting.name)
        here = simulated.loc[(setting.name, "auroc")]
        axis.plot(likeness.film, here[DRAWS[-1]] / here[DRAWS[0]], marker, color=colour, ms=7)
    axis.set(xlabel="correlation of the scores of two files of one film", ylabel="times wider", ylim=(0.9, None))
    axis.axhline(1, color=GREY, lw=1, ls=":", label="no copies")
    fig.legend(loc="outside upper center", ncols=3)
    return fig


def labels_crossed(files: pd.DataFrame) -> dict[str, int]:
    """Byte strings and films that stand under bone loss and normal alike: ``crossed_bytes, crossed_films``."""
    loss = files["label"] != "normal"
    levels = {"crossed_bytes": "bytes_group", "crossed_films": "source_group"}
    return {name: int((loss.groupby(files[column]).nunique() > 1).sum()) for name, column in levels.items()}


def coverage_table(found: pd.DataFrame) -> pd.DataFrame:
    """Coverage with its own 95 % interval: a row a setting and draw, a column a metric."""
    said = [
        f"{v:.0%} ({a:.0%} to {b:.0%})"
        for v, a, b in found[["covers", "covers_low", "covers_high"]].itertuples(index=False)
    ]
    wide = found.assign(said=said).pivot(index=["setting", "draw"], columns="metric", values="said")
    order = [(setting, draw) for setting in found["setting"].unique() for draw in (*DRAWS, UNRELATED)]
    return wide.loc[order, list(METRICS)].rename(columns=label).rename_axis(None, axis=1).reset_index()


def coverage_sentence(found: pd.DataFrame) -> str:
    """Where the coverage is below 95 % (one-sided binomial test at 1 %), worded by what came out."""
    from scipy.stats import binom

    held = (found["covers"] * found["studies"]).round()
    below = found.assign(below=binom.cdf(held, found["studies"], 0.95) < 0.01)
    at = below.set_index(["setting", "draw", "metric"])["below"].sort_index()

    def short(setting: str, draw: str) -> str:
        names = [label(metric) for metric in METRICS if at[setting, draw, metric]]
        return " and ".join(", ".join(names).rsplit(", ", 1)) or "nothing"

    n = found.groupby("setting")["studies"].first()
    seen = {place: (binom.ppf(0.01, n[place], 0.95) - 1) / n[place] for place in (WHOLE, SCREENING)}
    return (
        "**Short of 95 %, at a level of 1 %.** In the whole set: "
        f"drawing files, {short(WHOLE, DRAWS[0])}; drawing films, {short(WHOLE, DRAWS[-1])}. In a test set of the "
        f"paper's size: drawing files, {short(SCREENING, DRAWS[0])}; drawing films, {short(SCREENING, DRAWS[-1])}; and "
        f"where no file has a copy, {short(SCREENING, UNRELATED)}. The last is the yardstick: a percentile bootstrap "
        "of so few files can fall short without any copy. With so few studies only a coverage of at most "
        f"{seen[WHOLE]:.0%} (whole set) or {seen[SCREENING]:.0%} (test set) is told from 95 %."
    )


def printed_sentence(printed: pd.DataFrame) -> str:
    """Which of the two formulas is nearer to the widths that Table 5 prints, worded by what came out."""
    off = (printed[["unrelated", "copies"]].sub(printed["printed"], axis=0)).abs()
    nearer = off.index[off["unrelated"] < off["copies"]].tolist()
    share = printed["copies"] / printed["unrelated"] - 1
    return (
        "The printed width is nearer to that of unrelated files than to that of copies for "
        f"{len(nearer)} of {len(printed)} metrics. The copies would ask for a change of "
        + ", ".join(f"{share[metric]:+.0%} ({metric})" for metric in printed.index)
        + "."
    )
