"""The five papers' claims that one method leads another, each with its test set and the two printed values.

Sizes that a paper does not print by class are worked out from what it does print; :func:`samples_of_papers` says how.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import factorial

import numpy as np
import pandas as pd

from osteolib.report.published import load_published
from osteolib.stats.replicability import Sample, Study, assess, from_accuracy_f1, from_auroc, from_r

FULL, SINGLE, SCRATCH = "ResNet34+MoE|TP-SwAV|Lunified", "ResNet34|TP-SwAV|Lunified", "ResNet34|scratch|Lclass"
"""Rows of the CT paper's Tables 2 and 3: the whole method, without experts, and without pre-training."""

SHORT = {"auroc": "AUROC", "accuracy": "accuracy", "f1": "F1", "pearson_r": "r"}
SUBJECTS, BONES, KNEES = "hand 2025, subjects", "hand 2023, bone segments", "knee, test"


def published_fractions() -> pd.Series:
    """Every published value by its id, percentages as fractions."""
    published = load_published().set_index("published_id")
    return published["value"].where(published["unit"] != "%", published["value"] / 100)


def samples_of_papers(value: pd.Series) -> dict[str, Sample]:
    """Units by class and people of each test set, from :func:`published_fractions`.

    Hand, 2025: the printed tenth of the subjects of each class. Hip: the share of positive hips from sensitivity,
    specificity and PPV. CT: accuracy, F1 and the column printed SEN, read as PPV, give the positive vertebrae or
    patients (:func:`ct_positives`). The others are printed. A knee counts as a person, and a hand of 2023 as seven
    bones.
    """

    def number(name: str) -> int:
        return int(value[name])

    tenth = value["lee2025_hand.split.test"]
    hand = [round(tenth * value[f"lee2025_hand.T1.derived.{group}"]) for group in ("osteoporosis", "normal")]
    bones = [number(f"lee2023_hand.T1.{group}.test") for group in ("op", "n")]
    knees = [number(f"strnet2026_knee.T1.{group}.test") for group in ("BoneLoss", "Normal")]
    clinic, lost = (number(f"strnet2026_knee.ext.{key}") for key in ("n", "bl_n"))
    films = number("strnet2026_knee.ts.n")
    hips = number("chen2024_hip.test.images")
    sens, spec, ppv = (value[f"chen2024_hip.T3.X1AI-Osteo.{key}"] for key in ("sens", "spec", "ppv"))
    odds = ppv / (1 - ppv) * (1 - spec) / sens
    broken = round(hips * odds / (1 + odds))
    sets = {
        SUBJECTS: Sample(*hand, sum(hand)),
        BONES: Sample(*bones, round(sum(bones) / number("lee2023_hand.bones"))),
        KNEES: Sample(*knees, sum(knees)),
        "knee, with T-score": Sample(films // 2, films - films // 2, films),  # a correlation: the classes do not enter
        "knee, second hospital": Sample(lost, clinic - lost, clinic),
        "hip": Sample(broken, hips - broken, number("chen2024_hip.test.patients")),
    }
    for site in "ACD":
        n, people = (number(f"tpswav2025_ct.T1.{site}.{key}") for key in ("v_test", "pt_test"))
        positive, carriers = ct_positives(value, site, "T2", n), ct_positives(value, site, "T3", people)
        sets[f"CT {site}, vertebrae"] = Sample(positive, n - positive, people, carriers)
        sets[f"CT {site}, patients"] = Sample(carriers, people - carriers, people)
    return sets


def ct_positives(value: pd.Series, site: str, table: str, n: int) -> int:
    """Vertebrae (T2) or patients (T3) with osteoporosis among ``n``, from the full model's row of the CT paper.

    F1 and accuracy give TP; TP (2 / F1 - 1 / PPV) are the positives.

    Raises
    ------
    ValueError
        It is further than 0.4 from a whole number, so the columns do not mean what is assumed here.
    """
    accuracy, f1, ppv = (value[f"tpswav2025_ct.{table}.{site}.{FULL}.{key}"] for key in ("acc", "f1", "sen_col"))
    positives = n * (1 - accuracy) * f1 / (2 * (1 - f1)) * (2 / f1 - 1 / ppv)
    if abs(positives - round(positives)) >= 0.4:
        raise ValueError(f"{table}, site {site}: {positives:.2f} positives of {n} are no whole number")
    return round(positives)


def placed(value: pd.Series, pattern: str, other: str) -> tuple[int, int]:
    """How many printed values a table ranks (their ids match ``pattern``), and the place of one of them."""
    rows = value[value.index.str.fullmatch(pattern)]
    return len(rows), int((rows > rows[other]).sum()) + 1


def claim_lines(value: pd.Series) -> list[tuple]:
    """Paper, words, test set, metric, ids of the better and the other value, k and rank, one line a claim."""
    supcon = placed(value, r"lee2023_hand\.T2\.(?!Sup.*ised).*\.auc\.ext", "lee2023_hand.T2.SupCon.auc.ext")
    steps = {i: placed(value, r"strnet2026_knee\.T4\.B\d\.auroc", f"strnet2026_knee.T4.B{i}.auroc") for i in (0, 3)}
    ct = {
        t: placed(value, rf"tpswav2025_ct\.{t}\.C\..*\.f1", f"tpswav2025_ct.{t}.C.{SCRATCH}.f1") for t in ("T2", "T3")
    }
    four, backbones = (int(value[f"{i}"]) for i in ("lee2025_hand.ssl.n_methods", "strnet2026_knee.F6.n_backbones"))
    return [
        *(("lee2025_hand", words, SUBJECTS, metric, f"T3.SimCLR.{key}", f"{other}.{key}", *k_rank)
          for words, metric, key, other, *k_rank in (
              ("many decoders, not one", "auroc", "auc", "T5.SimCLR", 2, 2),
              ("with segmentation", "auroc", "auc", "T4.SimCLR", 2, 2),
              ("best of 4, over last", "auroc", "auc", "T3.SwAV", four, four),
              ("with pre-training", "auroc", "auc", "T6.sup", 2, 2),
              ("many decoders, not one", "accuracy", "acc", "T5.SimCLR", 2, 2),
              ("over DeepDXA", "accuracy", "acc", "T8.DeepDXA", 2, 2))),
        ("lee2023_hand", "best of 4, over next", BONES, "auroc", "T2.SimCLR.auc.ext", "T2.SupCon.auc.ext", *supcon),
        ("lee2023_hand", "extended crops", BONES, "auroc", "T2.SimCLR.auc.ext", "T2.SimCLR.auc.conv", 2, 2),
        ("lee2023_hand", "extended crops", BONES, "f1", "T2.SimCLR.f1.ext", "T2.SimCLR.f1.conv", 2, 2),
        ("strnet2026_knee", "full, over plain", KNEES, "auroc", "T4.B4.auroc", "T4.B0.auroc", *steps[0]),
        ("strnet2026_knee", "full, over next", KNEES, "auroc", "T4.B4.auroc", "T4.B3.auroc", *steps[3]),
        ("strnet2026_knee", "over next backbone", "knee, with T-score", "pearson_r", "ts.r", "F6.vit.r",
         backbones + 1, 2),
        ("chen2024_hip", "over ResNet50", "hip", "auroc", "T3.X1AI-Osteo.auc", "T3.ResNet50.auc", 3, 2),
        *(("tpswav2025_ct", words, f"CT {site}, {unit}", "f1", f"{table}.{site}.{FULL}.f1",
           f"{table}.{site}.{other}.f1", *k_rank)
          for words, site, unit, table, other, k_rank in (
              ("full, over scratch", "C", "vertebrae", "T2", SCRATCH, ct["T2"]),
              ("full, over scratch", "C", "patients", "T3", SCRATCH, ct["T3"]),
              ("experts, not one head", "D", "vertebrae", "T2", SINGLE, (2, 2)),
              ("experts, not one head", "A", "vertebrae", "T2", SINGLE, (2, 2)))),
    ]  # fmt: skip


def all_claims(value: pd.Series, sets: Mapping[str, Sample], correlation: float, icc: float) -> pd.DataFrame:
    """One row a claim.

    Returns
    -------
    ``paper, claim, set, label`` (words), ``study`` (a :class:`Study` whose methods print the two values), ``best``,
    ``other``, their difference ``claimed``, ``k, rank`` as in :func:`osteolib.stats.replicability.assess`, and
    ``spread``, the ± that the paper prints beside the better value (NaN where none).
    """
    spread = load_published().set_index("published_id")["spread"]
    rows = []
    for paper, words, name, metric, *keys, k, rank in claim_lines(value):
        best, other = (f"{paper}.{key}" for key in keys)
        methods = tuple(_method(value, sets[name], metric, key) for key in (best, other))
        claim = f"{words}, {SHORT[metric]}"
        rows.append(
            {"paper": paper, "claim": claim, "set": name, "label": f"{claim} · {name}",
             "study": Study(sets[name], metric, methods, correlation, icc), "best": value[best], "other": value[other],
             "claimed": value[best] - value[other], "k": k, "rank": rank, "spread": spread[best]}
        )  # fmt: skip
    return pd.DataFrame(rows)


def _method(value: pd.Series, sample: Sample, metric: str, key: str) -> tuple[float, float]:
    """Slope and intercept of a printed value; accuracy and F1 need each other."""
    if metric in ("auroc", "pearson_r"):
        return {"auroc": from_auroc, "pearson_r": from_r}[metric](value[key])
    pair = value[key.replace(".f1", ".acc")], value[key.replace(".acc", ".f1")]
    return from_accuracy_f1(*pair, sample.n_positive, sample.n_negative)


def vary(claims: pd.DataFrame, assumption: str, setting: float, n_studies: int, seed: int) -> pd.DataFrame:
    """``power`` and ``luck`` of each claim when ``assumption`` (``correlation`` or ``icc``) is ``setting``."""
    found = [
        assess(replace(c.study, **{assumption: setting}), c.claimed, c.k, c.rank, n_studies, seed)
        for c in claims.itertuples()
    ]
    return pd.DataFrame({"power": [f.power for f in found], "luck": [f.luck for f in found]}, index=claims.index)


def several_units(claims: pd.DataFrame) -> np.ndarray:
    """Which claims were tested on more units than people; bool, one a row."""
    samples = [study.sample for study in claims["study"]]
    return np.array([s.people < s.n_positive + s.n_negative for s in samples])


def two_digits(n: float) -> int:
    """``n`` with the two digits that a simulation knows."""
    return int(float(f"{n:.2g}"))


def in_one_sentence(claims: pd.DataFrame) -> dict[str, int | float | str]:
    """How many claims a study of their size would see or mistake, as facts for prose; ``claims`` with ``found``.

    ``n_powered`` at least 80 % power, named in ``powered``; ``n_weak`` below 50 %; ``n_lucky`` leads that a quarter
    or more of studies of equal methods show.
    """
    power, luck = (np.array([getattr(found, name) for found in claims["found"]]) for name in ("power", "luck"))
    named = [
        f"{c.label} ({c.study.sample.people:,} people, where {two_digits(c.found.people_for_power):,} would do)"
        for c in claims[power >= 0.8].itertuples()
    ]
    return {"n": len(claims), "n_powered": len(named), "powered": "; ".join(named) or "none",
            "n_weak": int((power < 0.5).sum()), "n_lucky": int((luck >= 0.25).sum())}  # fmt: skip


def patterns(value: pd.Series) -> dict[str, int | float]:
    """Series of printed leads, which no single lead shows, and how often equal methods would print them.

    The knee paper's ablation: steps that rise, of how many, and the number of orders. The CT paper's vertebrae: sites
    at which the full model's F1 is the highest, and the chance that one of the models is first at all of them.
    """
    ablation = value[value.index.str.fullmatch(r"strnet2026_knee\.T4\.B\d\.auroc")].sort_index()
    f1 = value[value.index.str.fullmatch(r"tpswav2025_ct\.T2\.[A-D]\..*\.f1")]
    first = f1.groupby(f1.index.str.split(".").str[2]).idxmax().str.contains(FULL, regex=False)
    models = len(f1) // len(first)
    return {"rising": int((np.diff(ablation) > 0).sum()), "steps": len(ablation) - 1,
            "orders": factorial(len(ablation)), "sites": len(first), "sites_first": int(first.sum()),
            "models": models, "all_sites": models ** (1 - len(first))}  # fmt: skip
