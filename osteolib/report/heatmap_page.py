"""What the page on heat maps shows: which knees, maps over films, scores against the true regions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from osteolib.explain.heatmaps import roi_scores
from osteolib.report.compared import Comparison
from osteolib.report.comparison import compare_statistics
from osteolib.report.show import with_ci
from osteolib.report.style import GREY, use_style
from osteolib.runs import Run
from osteolib.screen.phantom_control import PhantomControl, true_regions

Place = tuple[str, str]  # region, part


def unseen_knees(control: PhantomControl, size: int) -> tuple[pd.DataFrame, np.ndarray, np.ndarray, np.ndarray]:
    """Knees that neither trained nor validated, with ``screen`` and ``part``; their images, bones and joint regions."""
    scores = pd.read_parquet(control.folder / "scores.parquet").set_index("unit_id")
    knees = control.subjects.join(scores[["screen", "part"]], on="unit_id")
    held = np.flatnonzero(knees["part"].isin(["test, A", "external, B"]))
    knees = knees.iloc[held].reset_index(drop=True)
    return knees, control.images[held], *true_regions(knees, size)


def pick(people: pd.DataFrame, per_class: int, seed: int = 0) -> tuple[np.ndarray, list[str]]:
    """Knees to show, chosen by a rule: of each class the highest score, the lowest, the nearest 0.5, one by lot.

    ``people`` has ``label`` and ``screen``; the first ``per_class`` of the four. Returns their index and titles.
    """
    chosen = []
    for _, group in people.groupby("label"):
        score = group["screen"]
        first = [score.idxmax(), score.idxmin(), (score - 0.5).abs().idxmin()]
        rest = group.drop(index=first)
        lot = rest if len(rest) else group
        chosen += [*first, lot.sample(1, random_state=seed).index[0]][:per_class]
    return np.array(chosen), [f"{knee.label}\n{knee.screen:.2f}" for knee in people.loc[chosen].itertuples()]


def without_text(people: pd.DataFrame) -> pd.DataFrame:
    """Knees whose film has no burnt-in text, as far as their cohort names it in ``mask_boxes``."""
    return people[people["mask_boxes"].isna()] if "mask_boxes" in people else people


def maps_over_films(
    rows: Sequence[tuple[str, np.ndarray, np.ndarray | None]],
    titles: Sequence[Sequence[str]],
    outlines: np.ndarray | None = None,
) -> Figure:
    """Rows of (name, films, maps or None), one column a knee.

    ``titles``: of every row of films without maps, in order; ``outlines``, (knees, height, width), are drawn in all.
    """
    use_style()
    n = len(rows[0][1])
    fig, axes = plt.subplots(len(rows), n, squeeze=False, figsize=(7.6, 7.6 / n * len(rows) + 0.4))
    heads = iter(titles)
    for line, (name, films, heat) in zip(axes, rows, strict=True):
        line[0].set_ylabel(name, fontsize=8)
        head = [""] * n if heat is not None else next(heads)
        for i, axis in enumerate(line):
            axis.imshow(films[i], cmap="gray")
            if heat is not None:
                axis.imshow(heat[i], cmap="inferno", alpha=0.55)
            if outlines is not None:
                axis.contour(outlines[i], [0.5], colors="cyan", linewidths=0.8)
            axis.set(xticks=[], yticks=[], frame_on=False)
            axis.set_title(head[i], fontsize=8, loc="center", weight="normal")
    return fig


def gallery(films: np.ndarray, heat: np.ndarray, titles: Sequence[str]) -> Figure:
    """Films, each with its map below, in two halves under each other; all of one length, an even number."""
    halves = np.split(np.arange(len(films)), 2)
    rows = [line for half in halves for line in (("film", films[half], None), ("Grad-CAM", films[half], heat[half]))]
    return maps_over_films(rows, [[titles[i] for i in half] for half in halves])


def localisation(
    maps: Mapping[str, np.ndarray],
    regions: Mapping[str, np.ndarray],
    knees: pd.DataFrame,
    n_boot: int = 2000,
    seed: int = 0,
) -> dict[Place, Comparison]:
    """Scores of every map in every region, in each ``part`` of the knees; intervals draw ``split_group``.

    Returns
    -------
    By region and part: the maps as methods; ``energy``, ``more`` (energy minus area), ``hit``, ``area`` as metrics. A
    map that is zero everywhere points nowhere and is left out of its means; means of one person are left out, too.
    """
    found = {}
    for region, mask in regions.items():
        scored = {name: roi_scores(heat, mask) for name, heat in maps.items()}
        for part, own in knees.groupby("part").groups.items():
            rows = []
            for metric in ("energy", "more", "hit", "area"):
                values = {
                    name: s.eval("energy - area") if metric == "more" else s[metric] for name, s in scored.items()
                }
                seen = {name: v.where(scored[name]["energy"].notna())[own] for name, v in values.items()}
                told = {n: v for n, v in seen.items() if knees.loc[v.dropna().index, "split_group"].nunique() > 1}
                if told:
                    groups = knees.loc[own, "split_group"]
                    means = compare_statistics({metric: np.mean}, told, groups=groups, n_boot=n_boot, seed=seed)
                    rows.append(means.rows)
            if rows:
                found[region, part] = Comparison(pd.concat(rows, ignore_index=True))
    return found


def record_localisation(run: Run, found: Mapping[Place, Comparison]) -> None:
    """Record every score of :func:`localisation` but the area, which is no result of a map."""
    for (region, part), compared in found.items():
        scores = Comparison(compared.rows[compared.rows["metric"] != "area"])
        scores.record(run, "knee-phantom", f"{{metric}}, {region}, {{method}}, phantom, {part}")


def localisation_table(found: Mapping[Place, Comparison], knees: pd.DataFrame) -> pd.DataFrame:
    """:func:`localisation` as text, one row a region, part and map, with the number of empty maps."""
    n = knees["part"].value_counts()
    rows = []
    for (region, part), compared in found.items():
        shown = {metric: rows.set_index("method") for metric, rows in compared.rows.groupby("metric")}
        rows += [
            {
                "region": region,
                "part": part,
                "map": name,
                "area": f"{shown['area'].loc[name, 'value']:.2f}",
                "energy": with_ci(*compared.estimate(name, "energy")),
                "energy − area": with_ci(*compared.estimate(name, "more"), "+.2f"),
                "pointing game": with_ci(*compared.estimate(name, "hit")),
                "empty maps": int(n[part] - shown["energy"].loc[name, "n"]),
            }
            for name in compared.methods
        ]
    return pd.DataFrame(rows)


def localisation_in_words(compared: Comparison, maps: Sequence[str], n: int, bones: str = "knees") -> str:
    """One place's scores in two sentences; ``maps``: the one judged, that of random weights, the bump in the middle."""
    first, random, middle = maps
    if first not in compared.methods:
        return f"{first} is zero on these {n} {bones}: nothing in them raises this logit."
    energy, area, hit = (compared.estimate(first, metric)[0] for metric in ("energy", "area", "hit"))
    _, low, high = compared.estimate(first, "more")
    verdict = "more than" if low > 0 else "less than" if high < 0 else "no more and no less than"
    others = [compared.estimate(m, "energy")[0] if m in compared.methods else np.nan for m in (random, middle)]
    reach = f"{100 * low:+.0f} to {100 * high:+.0f}".replace("-", "−")
    return (
        f"On {n} {bones} **{energy:.0%}** of {first} lies in the region, which covers {area:.0%} of the image: "
        f"{verdict} chance (difference {reach} percentage points). Its highest place lies there in {hit:.0%}. With "
        f"random weights {others[0]:.0%} of the map lies there, of a bump in the middle {others[1]:.0%}."
    )


def energy_panels(found: Mapping[Place, Comparison], maps: Sequence[str]) -> Figure:
    """Energy of each map, one panel a region, one marker a part; dashed: the region's share of the image."""
    use_style()
    regions, parts = (list(dict.fromkeys(place[i] for place in found)) for i in (0, 1))
    fig, axes = plt.subplots(1, len(regions), figsize=(7.6, 2.9), sharey=True, squeeze=False)
    height = {name: len(maps) - 1 - k for k, name in enumerate(maps)}
    for axis, region in zip(axes[0], regions, strict=True):
        areas = []
        for part, shift, marker in zip(parts, (-0.12, 0.12), "so", strict=False):
            rows = found[region, part].rows
            areas.append(rows.loc[rows["metric"] == "area", "value"].mean())
            one = rows[rows["metric"] == "energy"]
            y = one["method"].map(height) + shift
            reach = np.abs(one[["ci_low", "ci_high"]].to_numpy().T - one["value"].to_numpy())
            axis.errorbar(one["value"], y, xerr=reach, fmt=marker, ms=5, label=part)
        axis.axvline(np.mean(areas), color=GREY, ls="--", lw=1, label="chance: share of area")
        axis.set(title=f"Energy: {region}", xlabel="share of the map", xlim=(0, None))
    axes[0, 0].set_yticks(list(height.values()), list(height))
    fig.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return fig


def likeness_at_the_ends(checked: pd.DataFrame) -> dict[str, float]:
    """Mean structural similarity with a random answer layer (``top_``) and with all random (``end_``), by kind."""
    mean = checked.groupby(["kind", "part"], sort=False)["ssim"].mean()
    ends = {"top": checked["part"].iloc[0], "end": checked["part"].iloc[-1]}
    names = {"Grad-CAM": "plain", "guided Grad-CAM": "guided"}
    return {f"{end}_{short}": float(mean[kind, part]) for end, part in ends.items() for kind, short in names.items()}


def likeness_panels(checked: pd.DataFrame) -> Figure:
    """Mean likeness to the first map as weights are made random from the answer down; columns as ``checked`` has them.

    ``checked``: rows of :func:`osteolib.explain.heatmaps.cascading_randomisation` with ``kind``.
    """
    use_style()
    fig, axes = plt.subplots(1, 2, figsize=(7.6, 3.2), sharey=True)
    titles = {"rank_correlation": "Rank correlation", "ssim": "Structural similarity"}
    for axis, (column, title) in zip(axes, titles.items(), strict=True):
        for kind, part in checked.groupby("kind"):
            mean = part.groupby("part", sort=False)[column].mean()
            axis.plot(range(len(mean) + 1), [1, *mean], "s--" if kind.startswith("guided") else "o-", ms=4, label=kind)
        names = mean.index.str.removeprefix("backbone.")
        axis.axhline(0, color=GREY, lw=0.8)
        axis.set_xticks(range(len(mean) + 1), ["nothing", *names], rotation=45, ha="right")
        axis.set_title(title)
    fig.supxlabel("random from the answer down to", fontsize=9)
    axes[1].legend()
    return fig
