"""Tables and result rows of the chapter on outlines: scores of masks, modes, bones found, the cortex."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from osteolib.phantoms.hand.shapes import BONES
from osteolib.report.comparison import Comparison, compare_scores, compare_statistics, together
from osteolib.report.show import with_ci
from osteolib.runs import Run
from osteolib.segment.bones import BoneImages
from osteolib.segment.cortex_table import reasons_in_words
from osteolib.segment.opinions import Likeness
from osteolib.segment.overlap import effective_modules, iou
from osteolib.segment.real_hands import METACARPALS
from osteolib.segment.real_overlap import RealOverlap
from osteolib.stats import bland_altman

LESS_IS_BETTER = {"outline, mm", "GED²", "ECE"}
ASKED = ("GED²", "matched IoU", "ECE", "Dice, truth", "outline, mm")


def compare_means(
    scores: Mapping[str, pd.DataFrame], pairs: Sequence[tuple[str, str]] | None, n_boot: int, seed: int
) -> Comparison:
    """Means over hands of every column, one frame a model with a row a hand; ``pairs`` (model, reference)."""
    metrics = next(iter(scores.values())).columns
    how = {"reference": pairs, "n_boot": n_boot, "seed": seed}
    return together(*(compare_statistics({m: np.mean}, {k: f[m] for k, f in scores.items()}, **how) for m in metrics))


def record_models(run: Run, compared: Comparison, cohort: str = "hand-phantom") -> None:
    """The means of every model as results of the run; the true mask is none."""
    models = replace(compared, rows=compared.rows[compared.rows["method"] != "true mask"])
    models.record(run, cohort, "{metric}: {method}")


def by_metric(compared: Comparison, spec: str = ".3f") -> tuple[pd.DataFrame, pd.DataFrame]:
    """A row a metric: means with intervals, a column a model; and differences, a column a pair."""
    tables = compared.table(spec=spec).set_index("method"), compared.difference_table().set_index("difference")
    first, second = (t.T.rename(index=lambda name: name.removesuffix(" (95 % CI)")) for t in tables)
    return first.rename_axis("mean over hands", axis=0), second.rename_axis("difference of means", axis=0)


def sign_in_words(compared: Comparison, model: str, reference: str, metric: str) -> str:
    """``better``, ``worse``, or ``not told apart`` where the interval of the difference holds zero."""
    _, low, high = compared.difference(model, reference, metric)
    if not (low > 0 or high < 0):
        return "not told apart"
    return "better" if (high < 0) == (metric in LESS_IS_BETTER) else "worse"


def signs_in_words(compared: Comparison, model: str, reference: str) -> str:
    """:func:`sign_in_words` of the metrics that the page asks about, in one sentence."""
    return "; ".join(f"{metric} {sign_in_words(compared, model, reference, metric)}" for metric in ASKED)


def modes_table(like: Mapping[str, Likeness], annotators: Mapping[str, float]) -> pd.DataFrame:
    """Modes recovered, modules in use, mass misplaced; a row a model."""
    names, beta = list(annotators), list(annotators.values())
    rows = {
        model: {
            "modes recovered": ", ".join(names[j] for j in one.recovered) or "none",
            "modules in use, exp(H)": effective_modules(one.pi),
            "of K": one.pi.shape[1],
            "mass misplaced": one.misplaced(beta),
        }
        for model, one in like.items()
    }
    return pd.DataFrame(rows).T.infer_objects().rename_axis("model")


def masses(like: Mapping[str, Likeness], annotators: Sequence[str], n_boot: int, seed: int) -> dict[str, Comparison]:
    """Mean mass like each annotator with its interval, by model."""
    return {
        model: compare_statistics({"mass": np.mean}, dict(zip(annotators, one.mass.T, strict=True)), n_boot=n_boot,
                                  seed=seed)
        for model, one in like.items()
    }  # fmt: skip


def bones_found(
    predicted: Sequence[BoneImages], true: Sequence[BoneImages], overlap: NDArray, n_boot: int, seed: int
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Which bones a predicted mask yields that the true mask yields too.

    Parameters
    ----------
    predicted, true
        Bones of the same n hands by both masks.
    overlap
        IoU of the two masks of each bone, shape (n, 7).

    Returns
    -------
    A row a bone, and the totals ``n_shown, n_found, n_lost, n_extra`` with the reasons, ``why``, of those lost.
    """
    has = {who: np.array([[b in c.images for b in BONES] for c in cut]) for who, cut in
           {"true": true, "predicted": predicted}.items()}  # fmt: skip
    lost = has["true"] & ~has["predicted"]
    counts = {
        "by true mask": has["true"].sum(0),
        "found": (has["true"] & has["predicted"]).sum(0),
        "missed": lost.sum(0),
        "made up": (has["predicted"] & ~has["true"]).sum(0),
    }
    means = compare_statistics(
        {"IoU": np.mean},
        dict(zip(BONES, np.where(has["true"], overlap, np.nan).T, strict=True)),
        n_boot=n_boot,
        seed=seed,
    )
    table = pd.DataFrame({"bone": BONES, **counts})
    table["IoU with the truth (95 % CI)"] = [with_ci(*means.estimate(b), ".3f") for b in BONES]
    why = pd.Series([predicted[i].missing[BONES[k]] for i, k in np.argwhere(lost)], dtype=str)
    totals = zip(("n_shown", "n_found", "n_lost", "n_extra"), counts.values(), strict=True)
    return table, {name: int(n.sum()) for name, n in totals} | {"why": reasons_in_words(why)}


def overlap_by_bone(masks: Sequence[NDArray], true: Sequence[NDArray]) -> NDArray[np.float64]:
    """IoU of two label maps of each hand, shape (n, 7); NaN where neither has the bone."""
    return np.stack([iou(a[None], b[None])[0, 0] for a, b in zip(masks, true, strict=True)])


def agreement_table(known: pd.Series, read: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Bland-Altman of each reading against the known percentage, where at least three hands could be measured.

    ``known`` and the frames of :func:`osteolib.segment.cortex_table.cortex_table` share the index of hands.
    """
    columns = ("measured", "bias", "SD", "limits", "lower limit", "upper limit", "shaft, canal (mm)")
    rows = {}
    for name, frame in read.items():
        ok = frame["percentage"].dropna()
        rows[name] = {"measured": f"{len(ok)} of {len(frame)}"}
        if len(ok) >= 3:
            b = bland_altman(known[ok.index], ok)
            rows[name] |= {
                "bias": with_ci(b.bias, *b.bias_ci, "+.1f"),
                "SD": f"{b.sd:.1f}",
                "limits": f"{b.loa_low:+.1f} to {b.loa_high:+.1f}".replace("-", "−"),
                "lower limit": with_ci(b.loa_low, *b.loa_low_ci, "+.1f"),
                "upper limit": with_ci(b.loa_high, *b.loa_high_ci, "+.1f"),
                "shaft, canal (mm)": f"{frame['shaft_mm'].mean():.1f}, {frame['canal_mm'].mean():.1f}",
            }
    return pd.DataFrame(rows, index=columns).T.fillna("–").rename_axis("mask")


def record_agreement(run: Run, known: pd.Series, read: Mapping[str, pd.DataFrame], cohort: str) -> None:
    """Bias and limits of each reading as results of the run."""
    for name, frame in read.items():
        ok = frame["percentage"].dropna()
        if len(ok) >= 3:
            b = bland_altman(known[ok.index], ok)
            for what in ("bias", "loa_low", "loa_high"):
                metric, ci = f"cortical percentage, {name}: {what}", getattr(b, f"{what}_ci")
                run.result(None, metric, getattr(b, what), ci=ci, n=b.n, cohort=cohort)


def compare_percentages(
    ill: pd.Series, percentages: Mapping[str, pd.Series], attainable: float, n_boot: int, seed: int
) -> Comparison:
    """AUROC of cortical percentages, less is worse, each in the hands that have one; left out where one class is."""
    parts = []
    for name, values in percentages.items():
        ok = values.dropna()
        if ill[ok.index].nunique() == 2:
            how = {"attainable": attainable, "n_boot": n_boot, "seed": seed}
            parts.append(compare_scores(ill[ok.index], {name: -ok}, **how))
    return together(*parts)


def real_by_bone(gap: RealOverlap, n_boot: int, seed: int) -> pd.DataFrame:
    """Dice with the accepted masks of real films, a row a metacarpal."""
    values = dict(zip(METACARPALS, np.where(gap.there, gap.dice, np.nan).T, strict=True))
    means = compare_statistics({"Dice": np.mean}, values, n_boot=n_boot, seed=seed)
    rows = []
    for bone, each in values.items():
        middle = f"{np.nanmedian(each):.2f}" if np.isfinite(each).any() else "–"
        rows.append(
            (bone, int(np.isfinite(each).sum()), with_ci(*means.estimate(bone)), middle, int((each > 0.7).sum()))
        )
    return pd.DataFrame(rows, columns=["bone", "accepted masks", "mean Dice (95 % CI)", "median", "of Dice over 0.7"])
