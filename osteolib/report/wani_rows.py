"""Do the films of ``knee-wani`` belong to their rows? Copies that disagree, and what films tell of sex and age."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import roc_auc_score

from osteolib.cohorts import bone_loss, grouped_folds
from osteolib.report.comparison import Comparison, compare_statistics
from osteolib.screen import out_of_fold
from osteolib.screen.pc_readout import by_person, pc_scores, repeated_scores, shuffled_groups
from osteolib.stats import bootstrap_ci
from osteolib.stats.random_sets import auroc_of_random_sets

YOUNG = 45
NORMAL, LOSS, YOUNG_LOSS, OLD_LOSS = "normal", "bone loss", f"bone loss, {YOUNG} or younger", f"bone loss, over {YOUNG}"
SHOWN = {"sex": ("sex", "{}"), "age_years": ("age, years", "{:.0f}"), "height_m": ("height, m", "{:.2f}"),
         "bmi_kg_m2": ("BMI, kg/m²", "{:.1f}"), "t_score": ("T-score", "{:.2f}")}  # fmt: skip


def copies_table(subjects: pd.DataFrame) -> pd.DataFrame:
    """Films of one content under several people: one row a group, the people's values joined by " / ".

    Columns: ``films, class``, those of :data:`SHOWN`, ``fields that differ``, and the largest difference in height,
    ``height_cm``.
    """
    films = subjects.drop_duplicates("image_id")
    rows = []
    for _, group in films[films.duplicated("sha256", keep=False)].groupby("sha256", sort=False):
        differ = [name for fact, (name, _) in SHOWN.items() if group[fact].nunique(dropna=False) > 1]
        values = {name: " / ".join(map(form.format, group[fact])) for fact, (name, form) in SHOWN.items()}
        rows.append({"films": " = ".join(group["image_id"]), "class": " / ".join(group["label"].unique())} | values
                    | {"fields that differ": ", ".join(name.split(",")[0] for name in differ),
                       "height_cm": 100 * np.ptp(group["height_m"])})  # fmt: skip
    return pd.DataFrame(rows)


def parts_of(people: pd.DataFrame) -> dict[str, NDArray[np.bool_]]:
    """Who is normal, who has bone loss, and of these who is young; masks of shape (n,)."""
    loss, young = bone_loss(people["label"]) == 1, (people["age_years"] <= YOUNG).to_numpy()
    return {NORMAL: ~loss, LOSS: loss, YOUNG_LOSS: loss & young, OLD_LOSS: loss & ~young}


@dataclass(frozen=True, eq=False)
class Decoded:
    """What one encoder's features say of each person, out of fold, by models of all and of bone loss alone."""

    people: pd.DataFrame
    sex: NDArray  # log-odds of "man", shape (people,)
    sex_from_loss: NDArray  # of models that saw no normal film
    age_from_loss: NDArray  # years, likewise
    shuffled: NDArray  # sex dealt anew to groups, (shuffles, people), and what is decoded then
    shuffled_sex: NDArray


def decode(units: pd.DataFrame, features: NDArray, n_folds: int, n_repeats: int, n_shuffles: int, seed: int) -> Decoded:
    """Decode sex and age of people from features of their knees, the mean of ``n_repeats`` draws of grouped folds.

    ``units`` is one row a knee, its age known, in the order of ``features``. The shuffled sexes are decoded in the
    first draw.
    """
    draws = [grouped_folds(units, units["label"], n_folds, seed + r) for r in range(n_repeats)]
    male, loss = (units["sex"] == "M").to_numpy(float), bone_loss(units["label"]) == 1
    age = units["age_years"].to_numpy()
    targets = [male, np.where(loss, male, np.nan), np.where(loss, age, np.nan)]
    found = by_person(repeated_scores(features, targets, draws).mean(0), units["subject_id"])
    shuffled = shuffled_groups(male, units["split_group"], n_shuffles, seed)
    nothing = by_person(pc_scores(features, shuffled, draws[0]), units["subject_id"])
    people = units.drop_duplicates("subject_id").reset_index(drop=True)
    return Decoded(people, *found, by_person(shuffled, units["subject_id"]).astype(int), nothing)


def sex_by_part(decoded: Mapping[str, Decoded], n_boot: int, seed: int) -> pd.DataFrame:
    """AUROC of sex in each part, with its interval (groups resampled) and what holds 95 % of the shuffles.

    Index: part and encoder. Columns: ``value, ci_low, ci_high, null_low, null_high, n, from_loss`` (the AUROC of the
    models that saw no normal film).
    """
    rows = {}
    for encoder, each in decoded.items():
        male = (each.people["sex"] == "M").to_numpy(int)
        for part, who in parts_of(each.people).items():
            groups = each.people.loc[who, "split_group"]
            b = bootstrap_ci(male[who], each.sex[who], "auroc", n_boot=n_boot, groups=groups, seed=seed)
            nothing = [roc_auc_score(y[who], s[who]) for y, s in zip(each.shuffled, each.shuffled_sex, strict=True)
                       if 0 < y[who].sum() < who.sum()]  # fmt: skip
            rows[f"{part} ({encoder})"] = [b.estimate["auroc"], *b.ci["auroc"], *np.percentile(nothing, (2.5, 97.5)),
                                           who.sum(), roc_auc_score(male[who], each.sex_from_loss[who])]  # fmt: skip
    columns = ["value", "ci_low", "ci_high", "null_low", "null_high", "n", "from_loss"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).astype({"n": int})


@dataclass(frozen=True, eq=False)
class AsLow:
    """A part's AUROC beside random sets of as many groups: ``share`` of the sets scored as low or lower."""

    part: str
    value: float
    n_groups: int
    draws: NDArray

    @property
    def share(self) -> float:
        """Of the sets that hold both sexes; one set more counts, the part itself."""
        known = self.draws[np.isfinite(self.draws)]
        return float((1 + (known <= self.value).sum()) / (1 + known.size))


def as_low(each: Decoded, part: str, n_draws: int, seed: int) -> AsLow:
    """How often random sets of bone-loss groups, as many as the part has, give so low an AUROC of sex."""
    male, masks = (each.people["sex"] == "M").to_numpy(int), parts_of(each.people)
    who, pool, groups = masks[part], masks[LOSS], each.people["split_group"]
    n = groups[who].nunique()
    draws = auroc_of_random_sets(male[pool], each.sex[pool], groups[pool], n, n_draws, seed)
    return AsLow(part, float(roc_auc_score(male[who], each.sex[who])), n, draws)


def age_by_part(each: Decoded, n_boot: int, seed: int) -> Comparison:
    """Mean predicted age of each part, and three differences: each from the older with bone loss, normal from young."""
    masks = parts_of(each.people)
    values = {part: np.where(masks[part], each.age_from_loss, np.nan) for part in (NORMAL, YOUNG_LOSS, OLD_LOSS)}
    groups = each.people["split_group"]
    means = compare_statistics({"mean predicted age": np.mean}, values, groups=groups, n_boot=n_boot, seed=seed)
    code = np.select([masks[NORMAL], masks[YOUNG_LOSS]], [0, 1], 2).astype(float)
    number = {NORMAL: 0, YOUNG_LOSS: 1, OLD_LOSS: 2}

    def minus(part: str, other: str):
        return lambda age, code: age[code == number[part]].mean() - age[code == number[other]].mean()

    lines, arrays = [], {"": (each.age_from_loss, code)}
    for part, other in ((NORMAL, OLD_LOSS), (YOUNG_LOSS, OLD_LOSS), (NORMAL, YOUNG_LOSS)):
        d = compare_statistics({"": minus(part, other)}, arrays, groups=groups, n_boot=n_boot, seed=seed)
        n = int((masks[part] | masks[other]).sum())
        lines.append((part, other, "mean predicted age", *d.estimate(""), n, n))
    return Comparison(means.rows, pd.DataFrame(lines, columns=means.differences.columns))


def agreement_by_file(each: Decoded, n_boot: int, seed: int) -> pd.DataFrame:
    """Share of people whose decoded sex is the recorded one, by part and ending of the file, with an interval."""
    right = ((each.sex > 0) == (each.people["sex"] == "M")).to_numpy(float)
    ending = each.people["path"].map(lambda path: Path(path).suffix)
    rows = []
    for part, who in parts_of(each.people).items():
        for end in sorted(ending.unique()):
            some = who & (ending == end).to_numpy()
            groups = each.people.loc[some, "split_group"]
            found = compare_statistics({"share": np.mean}, {"": right[some]}, groups=groups, n_boot=n_boot, seed=seed)
            rows.append((part, end, int(some.sum()), *found.estimate("")))
    return pd.DataFrame(rows, columns=["people", "file", "n", "value", "ci_low", "ci_high"])


def age_and_loss(units: pd.DataFrame, n_folds: int, n_boot: int, seed: int) -> ArrayLike:
    """AUROC of age for bone loss, by person and out of fold: value and interval."""
    people = units.drop_duplicates("subject_id").reset_index(drop=True)
    loss = bone_loss(people["label"])
    score = out_of_fold(people[["age_years"]], loss, grouped_folds(people, loss, n_folds, seed))
    b = bootstrap_ci(loss, score, "auroc", n_boot=n_boot, groups=people["split_group"], seed=seed)
    return b.estimate["auroc"], *b.ci["auroc"]
