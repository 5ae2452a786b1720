"""Pictures and rows of the chapter on the knee cohort: what its films show, and its table beside the published one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.patches import Rectangle

from osteolib.cohorts import LABELS
from osteolib.cohorts.duplicates import look_alike_pairs
from osteolib.radiograph import mask_markers, read_radiograph
from osteolib.report.baseline import class_tests, mean_ci
from osteolib.report.plots import contact_sheet
from osteolib.report.published import load_published
from osteolib.report.scorecard import for_reading, load_states, scorecard
from osteolib.report.show import figure, table
from osteolib.report.style import COLOURS, use_style
from osteolib.runs import Run

PAPER = "strnet2026_knee"
MEANS = {"age": ("age_mean", "age_years"), "bmi": ("bmi_mean", "bmi_kg_m2"), "tscore": ("t_score_mean", "t_score")}


def thumbnail(film: pd.Series, height: int = 260) -> np.ndarray:
    """One film for display: markers and burnt-in text masked, reduced to ``height`` rows, 8 bit.

    ``film`` is a row of a cohort: ``path``, and ``mask_boxes`` where the manifest names text that must not be shown.
    """
    from PIL import Image

    boxes = film.get("mask_boxes")
    pixels, _ = mask_markers(read_radiograph(film["path"]).pixels, boxes if isinstance(boxes, list) else ())
    low, high = np.percentile(pixels, (1, 99.5))
    shown = (np.clip((pixels - low) / max(high - low, 1), 0, 1) * 255).astype(np.uint8)
    width = round(shown.shape[1] * height / shown.shape[0])
    return np.asarray(Image.fromarray(shown).resize((width, height), Image.Resampling.LANCZOS))


def _describe(person: pd.Series) -> str:
    age = "age unknown" if pd.isna(person["age_years"]) else f"{person['age_years']:.0f} y"
    return f"{person['image_id']}: {person['label']}\n{person['sex']}, {age}, T {person['t_score']:.2f}"


def duplicate_groups(films: pd.DataFrame) -> tuple[list[list[str]], list[tuple[str, str]]]:
    """Groups of image ids with identical files, and pairs of different files that look alike to the perceptual hash."""
    identical = [list(ids) for _, ids in films.groupby("sha256", sort=False)["image_id"] if len(ids) > 1]
    first = films.drop_duplicates("sha256").reset_index(drop=True)
    near = [
        (first["image_id"][i], first["image_id"][j]) for i, j in sorted(map(sorted, look_alike_pairs(first["phash"])))
    ]
    return identical, near


def crossing_sheet(run: Run, films: pd.DataFrame, groups: Sequence[Sequence[str]]) -> None:
    """Each film that stands under several labels, once, with every row that claims it."""
    rows = films.set_index("image_id", drop=False)
    titles = ["\n".join(_describe(rows.loc[i]) for i in group) for group in groups]
    images = [thumbnail(rows.loc[group[0]]) for group in groups]
    sheet = contact_sheet(images, titles, columns=4, size=1.85)
    text = "; ".join(" = ".join(f"{i} ({rows.loc[i, 'label']})" for i in group) for group in groups)
    figure(run, "crossing_duplicates", sheet, alt=f"Films that stand in the set under two labels: {text}.")


def near_pair_sheet(run: Run, films: pd.DataFrame, pairs: Sequence[tuple[str, str]]) -> None:
    """Pairs of different files whose perceptual hashes are close, side by side."""
    rows = films.set_index("image_id", drop=False)
    ids = [i for pair in pairs for i in pair]
    sheet = contact_sheet(
        [thumbnail(rows.loc[i]) for i in ids], [_describe(rows.loc[i]) for i in ids], columns=4, size=1.85
    )
    figure(run, "near_pairs", sheet, alt="Pairs within Hamming distance 4 that are not the same file: "
           + ", ".join(f"{a} and {b}" for a, b in pairs) + ".")  # fmt: skip


def split_sheet(run: Run, films: pd.DataFrame, seed: int, n: int = 8) -> None:
    """Some bilateral films with the two boxes that they are split into."""
    from osteolib.radiograph import split_knees

    use_style()
    chosen = films[films["n_legs"] == 2].sample(n, random_state=seed)
    fig, axes = plt.subplots(2, n // 2, figsize=(7.6, 4.2))
    for axis, (_, film) in zip(axes.flat, chosen.iterrows(), strict=True):
        image = thumbnail(film)
        scale = image.shape[0] / film["height"]
        axis.imshow(image, cmap="gray")
        for side, (x0, y0, x1, y1) in split_knees(read_radiograph(film["path"]).pixels):
            colour = COLOURS["osteopenia"] if side == "right" else "#56B4E9"
            axis.add_patch(
                Rectangle((x0 * scale, y0 * scale), (x1 - x0) * scale, (y1 - y0) * scale, fill=False, ec=colour, lw=2)
            )
            axis.text(
                (x0 + x1) / 2 * scale, 14, side, color=colour, ha="center", va="center", fontsize=8, weight="bold"
            )
        axis.set_title(film["image_id"], fontsize=8, loc="center", weight="normal")
        axis.axis("off")
    figure(
        run, "split", fig, alt=f"{n} bilateral films, each with a box around the right and one around the left knee."
    )


def film_to_input(pictures: Mapping[str, np.ndarray], legs: np.ndarray, field: Sequence[int]) -> plt.Figure:
    """The way of a film to the network's input, one picture a step, each with its size in pixels.

    Parameters
    ----------
    pictures
        Title and picture of each step: the film first, then one leg; 8 bit or normalised.
    legs
        Boxes ``x0, y0, x1, y1`` of the legs on the film, drawn in blue.
    field
        The box of the foreground on the leg, drawn in orange.
    """
    use_style()
    fig, axes = plt.subplots(1, len(pictures), figsize=(1.65 * len(pictures), 2.1))
    for axis, (title, picture) in zip(axes, pictures.items(), strict=True):
        low, high = (0, 255) if picture.dtype == np.uint8 else (-2, 2)
        axis.imshow(picture, cmap="gray", vmin=low, vmax=high)
        size = f"{picture.shape[1]} × {picture.shape[0]}"
        axis.set_title(f"{title}\n{size}", fontsize=9, weight="normal", loc="center")
        axis.set(anchor="N", frame_on=False, xticks=[], yticks=[])
    marked = [(axes[0], leg, "#56B4E9") for leg in legs] + [(axes[1], field, "#E69F00")]
    for axis, (x0, y0, x1, y1), colour in marked:
        axis.add_patch(Rectangle((x0, y0), x1 - x0, y1 - y0, fill=False, ec=colour, lw=2))
    return fig


def sample_sheet(run: Run, films: pd.DataFrame, n_per_class: int, seed: int) -> None:
    """Films drawn at random from each class, masked."""
    classes = [films[films["label"] == label] for label in LABELS]
    drawn = pd.concat([c.sample(min(n_per_class, len(c)), random_state=seed) for c in classes])
    titles = [f"{film['image_id']} {film['label']}" for _, film in drawn.iterrows()]
    sheet = contact_sheet([thumbnail(film) for _, film in drawn.iterrows()], titles, columns=n_per_class // 2)
    figure(run, "sample", sheet, alt=f"{n_per_class} randomly drawn knee films of each class; markers are masked.")


def _published() -> pd.DataFrame:
    return load_published(PAPER).set_index("published_id")


def published_baseline() -> pd.DataFrame:
    """Table 3 of the paper as printed, in the shape of our own."""
    values = _published()
    names = {"n": "Knees", "age": "Age (years)", "bmi": "BMI (kg/m²)", "tscore": "T-score", "female_n": "Women"}
    rows = {}
    for key, title in names.items():
        cells = []
        for label in LABELS:
            entry = values.loc[f"{PAPER}.T3.{label.capitalize()}.{key}"]
            spread = f" ± {entry['spread']:g}" if pd.notna(entry["spread"]) else ""
            cells.append(f"{entry['reported']}{spread}")
        p = f"{PAPER}.T3.p.{ {'female_n': 'sex'}.get(key, key) }"
        rows[title] = [*cells, values.loc[p, "reported"] if p in values.index else ""]
    return pd.DataFrame.from_dict(rows, orient="index", columns=[*LABELS, "p"]).rename_axis("Characteristic")


def with_published_counts(ways: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Units by class in several ways of counting, with the paper's Stage 2 knees (Table 3) as the last line."""
    values = _published()
    counts = {name: units["label"].value_counts() for name, units in ways.items()}
    table = pd.DataFrame(counts).T.reindex(columns=LABELS)
    table.loc["the paper's Stage 2 knees, after its exclusions"] = [
        values.loc[f"{PAPER}.T3.{label.capitalize()}.n", "value"] for label in LABELS
    ]
    table = table.astype(int)
    return table.assign(total=table.sum(axis=1)).rename_axis(index="counted as", columns=None)


def common_sizes(films: pd.DataFrame, n: int) -> pd.Series:
    """Width × height of each film as text; sizes beyond the ``n`` most frequent ones become "other"."""
    size = films["width"].astype(str) + " × " + films["height"].astype(str)
    return size.where(size.isin(size.value_counts().index[:n]), "other")


def record_counts(run: Run, films: pd.DataFrame) -> None:
    """Result rows for the flow chart's source counts (Fig. 1): films, single and bilateral."""
    (cohort,) = run.cohorts
    counts = {"s2": len(films), "s2_single": (films["n_legs"] == 1).sum(), "s2_bi": (films["n_legs"] == 2).sum()}
    for key, value in counts.items():
        run.result(f"{PAPER}.flow.{key}", "count", value, n=len(films), cohort=cohort)


def record_baseline(run: Run, people: pd.DataFrame) -> None:
    """Result rows for the paper's Table 3: means with t intervals, share of women with Wilson's."""
    from statsmodels.stats.proportion import proportion_confint

    (cohort,) = run.cohorts
    for label in LABELS:
        group = people[people["label"] == label]
        for key, (metric, column) in MEANS.items():
            value, ci = mean_ci(group[column])
            n = group[column].notna().sum()
            run.result(f"{PAPER}.T3.{label.capitalize()}.{key}", metric, value, ci=ci, n=n, cohort=cohort)
        women, n = int((group["sex"] == "F").sum()), int(group["sex"].notna().sum())
        ci = proportion_confint(women, n, method="wilson")
        run.result(f"{PAPER}.T3.{label.capitalize()}.female_pct", "proportion", women / n, ci=ci, n=n, cohort=cohort)
    tests = class_tests(people)
    for key, column in {"age": "age_years", "sex": "sex", "bmi": "bmi_kg_m2", "tscore": "t_score"}.items():
        run.result(f"{PAPER}.T3.p.{key}", "p_value", tests[column], n=len(people), cohort=cohort)


def beside_published(run: Run) -> None:
    """Show the rows of this run that answer a published value, beside it and with the verdict."""
    card = scorecard(load_published(PAPER), pd.DataFrame(run.rows), load_states())
    answered = for_reading(card[card["ours"].notna()]).drop(columns=["Paper", "page", "Data"])
    table(run, "paper_against_ours", answered, "Published values beside ours", index=False, chips={"Verdict"})
