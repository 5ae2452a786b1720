"""Scores of the knee networks read further: thresholds by fold, calibration, likeness of a person's two knees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import special

from osteolib.cohorts import bone_loss
from osteolib.report.compared import Comparison, label
from osteolib.report.comparison import compare_scores, together
from osteolib.report.knee_results import curve_bands, fitted_on_validation
from osteolib.report.show import with_ci
from osteolib.screen.knee_folds import fold_thresholds
from osteolib.screen.phantom_control import PhantomControl
from osteolib.stats import METRICS, brier_decomposition, calibration_slope_intercept, sensitivity_constrained_threshold

AT_THRESHOLD = tuple(name for name in METRICS if name not in ("auroc", "auprc", "brier"))
"""Metrics that need calls."""
SCORES = ("image, as it comes", "image, recalibrated", "age", "age and image")
"""Probabilities of bone loss that :func:`with_regressions` gives."""


def phantom_knees(control: PhantomControl) -> tuple[pd.DataFrame, float]:
    """Knees that did not train, with ``loss``, ``screen`` and ``part`` (A, B or validation); the threshold chosen on A.

    The threshold is that of Equation 2 on A's validation knees, on a grid from 0.01 to 0.99; NaN where there is none.
    """
    scores = pd.read_parquet(control.folder / "scores.parquet").drop(columns="t_score")
    knees = control.subjects.merge(scores, on="unit_id").assign(loss=lambda t: bone_loss(t["label"]))
    seen = knees[knees["part"] == "validation"]
    chosen = sensitivity_constrained_threshold(seen["loss"], seen["screen"], grid=np.arange(1, 100) / 100)
    names = {"test, A": "A", "external, B": "B"}
    return knees.assign(part=knees["part"].replace(names)), chosen.threshold


def compare_parts(knees: pd.DataFrame, threshold: float, n_boot: int = 2000, seed: int = 0) -> Comparison:
    """Every metric of the score ``screen`` in each ``part`` of :func:`phantom_knees`, each part a method."""
    calls = () if np.isnan(threshold) else AT_THRESHOLD
    return together(*(
        compare_scores(
            part["loss"], {name: part["screen"]}, ("auroc", "auprc", "brier", *calls), groups=part["split_group"],
            threshold=threshold if calls else None, n_boot=n_boot, seed=seed,
        )
        for name, part in knees.groupby("part")
        if name != "validation"
    ))  # fmt: skip


def with_regressions(rows: pd.DataFrame) -> pd.DataFrame:
    """Test rows of :func:`osteolib.report.knee_results.out_of_fold_rows` by unit, with what is fitted on validation.

    Further columns: ``loss``; ``image, as it comes``; regressions ``age``, ``age and image``, ``image, recalibrated``;
    ``called``, 0 or 1 by the threshold of the fold (Equation 2), NaN where the fold has none.
    """
    loss, label = bone_loss(rows["label"]), rows.drop_duplicates("unit_id").set_index("unit_id")["label"]
    sets = {"age": ["age_years"], "age and image": ["age_years", "image"], "image, recalibrated": ["image"]}
    fitted = {name: fitted_on_validation(rows, columns, loss) for name, columns in sets.items()}
    knees = rows[rows["part"] == "test"].set_index("unit_id").assign(loss=lambda t: bone_loss(t["label"]), **fitted)
    cuts = fold_thresholds(rows, label)
    cut = knees["fold"].map(cuts.set_index(cuts["fold"] - 1)["threshold"])
    called = (knees["screen"] >= cut).astype(float).where(cut.notna())
    return knees.assign(called=called, **{"image, as it comes": knees["screen"]})


def by_person(knees: pd.DataFrame) -> pd.DataFrame:
    """Means of :data:`SCORES` over each person's knees of :func:`with_regressions`; ``loss``, ``split_group``."""
    person = knees.groupby("subject_id")
    return person[list(SCORES)].mean().join(person[["loss", "split_group"]].first())


def compare_knees(knees: pd.DataFrame, n_boot: int = 2000, seed: int = 0) -> Comparison:
    """The image, age and both on :func:`with_regressions`, and the image's calls where its fold has a threshold."""
    how = {"n_boot": n_boot, "seed": seed}
    scores = {"image": knees["screen"], "age": knees["age"], "age and image": knees["age and image"]}
    ranked = compare_scores(knees["loss"], scores, ("auroc", "auprc"), groups=knees["split_group"], **how)
    able = knees[knees["called"].notna()]
    if able["loss"].nunique() < 2:
        return ranked
    calls = {"image": able["called"]}
    at = compare_scores(able["loss"], calls, AT_THRESHOLD, threshold=0.5, groups=able["split_group"], **how)
    return together(ranked, at)


def curves(
    samples: Mapping[str, tuple[pd.DataFrame, str]], n_boot: int = 2000, seed: int = 0
) -> dict[str, pd.DataFrame]:
    """:func:`osteolib.report.knee_results.curve_bands` of samples: rows (``loss, split_group``), column."""
    return {
        name: curve_bands(rows["loss"], rows[score], rows["split_group"], n_boot, seed)
        for name, (rows, score) in samples.items()
    }


def operating_points(compared: Comparison) -> dict[str, tuple[float, float, float]]:
    """Sensitivity, specificity and PPV of each method that calls; PPV is NaN where nobody is called."""
    wide = compared.rows.pivot(index="method", columns="metric", values="value")
    wide = wide.reindex(columns=["sensitivity", "specificity", "ppv"]).dropna(subset="sensitivity")
    return {str(method): tuple(row) for method, row in zip(wide.index, wide.to_numpy().tolist(), strict=True)}


def beyond(compared: Comparison, *metrics: str) -> Comparison:
    """The same without metrics that another page has recorded."""
    return replace(compared, rows=compared.rows[~compared.rows["metric"].isin(metrics)])


def carried_over(compared: Comparison, threshold: float, wanted: float) -> str:
    """What A's threshold, chosen to find the share ``wanted``, does in both :func:`compare_parts`, in words."""
    if np.isnan(threshold):
        return f"No threshold from 0.01 to 0.99 finds {wanted:.0%} of A's validation cases, so nobody is called"
    found, spared = (
        [with_ci(*compared.estimate(part, metric)) for part in ("A", "B")] for metric in ("sensitivity", "specificity")
    )
    return (
        f"The threshold {threshold:.2f}, the best of those that find {wanted:.0%} of A's validation cases, has "
        f"sensitivity {found[0]} on new people of A and {found[1]} on B, and specificity {spared[0]} and {spared[1]}"
    )


def called_at_youden(rows: pd.DataFrame, score: str, target: str) -> pd.Series:
    """Which test units reach the threshold of the best Youden index on their fold's validation units.

    Parameters
    ----------
    rows
        With ``unit_id, fold, part`` (test or validation), the score and the target, 0 or 1 or booleans.

    Returns
    -------
    Booleans indexed by ``unit_id``, in the order of the test rows.
    """
    from sklearn.metrics import roc_curve

    called = []
    for _, fold in rows.groupby("fold"):
        seen, test = fold[fold["part"] == "validation"], fold[fold["part"] == "test"]
        fpr, tpr, cut = roc_curve(seen[target], seen[score], drop_intermediate=False)
        best = cut[1:][np.argmax((tpr - fpr)[1:])]  # the first one calls nobody
        called.append(pd.Series((test[score] >= best).to_numpy(), test["unit_id"]))
    return pd.concat(called).reindex(rows.loc[rows["part"] == "test", "unit_id"])


def severity_comparison(rows: pd.DataFrame, n_boot: int = 2000, seed: int = 0) -> Comparison:
    """Osteoporosis against osteopenia on test knees: the severity head and age in years, as in the paper's Table 5.

    ``rows`` as of :func:`osteolib.report.knee_results.out_of_fold_rows`; a missing age is the median of its fold's
    validation knees. Calls are those of :func:`called_at_youden`.
    """
    ill = rows[bone_loss(rows["label"]) == 1]
    typical = rows[rows["part"] == "validation"].groupby("fold")["age_years"].median()
    ill = ill.assign(age=ill["age_years"].fillna(ill["fold"].map(typical)), y=ill["label"] == "osteoporosis")
    test = ill[ill["part"] == "test"]
    scores = {"severity head": "severity", "age": "age"}
    how = {"groups": test["split_group"], "n_boot": n_boot, "seed": seed}
    free = compare_scores(test["y"], {name: test[column] for name, column in scores.items()}, ("auprc", "auroc"), **how)
    calls = {name: called_at_youden(ill, column, "y") for name, column in scores.items()}
    return together(free, compare_scores(test["y"], calls, AT_THRESHOLD, threshold=0.5, **how))


def beside_table_5(severity: Comparison, paper: pd.DataFrame) -> pd.DataFrame:
    """:func:`severity_comparison` beside the published Table 5: one row a metric, the paper in the first column."""
    keys = {"auprc": "auprc", "auroc": "auroc", "accuracy": "acc", "balanced_accuracy": "bacc", "sensitivity": "sens",
            "specificity": "spec", "ppv": "ppv", "npv": "npv", "f1": "f1",
            "youden_j": "youden", "mcc": "mcc"}  # fmt: skip
    rows = {}
    for metric, key in keys.items():
        printed = paper.loc[f"T5.{key}", ["value", "ci_low", "ci_high"]]
        rows[label(metric)] = {"paper": with_ci(*printed, ".3f")} | {
            method: with_ci(*severity.estimate(method, metric), ".3f") if metric in metrics else "–"
            for method, metrics in severity.rows.groupby("method", sort=False)["metric"].agg(set).items()
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("metric")


def calibration_table(y_true: ArrayLike, probabilities: Mapping[str, ArrayLike]) -> pd.DataFrame:
    """Brier score and its parts, slope and calibration in the large; one row a score, clipped to 0.001 and 0.999."""
    rows = {}
    for name, p in probabilities.items():
        p = np.clip(np.asarray(p, float), 0.001, 0.999)
        brier, line = brier_decomposition(y_true, p), calibration_slope_intercept(y_true, p)
        rows[name] = {
            "Brier": round(brier.brier, 3),
            "reliability": round(brier.reliability, 3),
            "resolution": round(brier.resolution, 3),
            "uncertainty": round(brier.uncertainty, 3),
            "slope": with_ci(line.slope, *line.slope_ci),
            "in the large": with_ci(line.in_the_large, *line.in_the_large_ci),
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("score")


def within_class_likeness(knees: pd.DataFrame, score: str, target: str) -> tuple[float, int]:
    """Correlation of the log-odds of left and right knee of one film within the class, and the number of pairs.

    ``knees`` has ``image_id``, ``side``, ``part``, the probability ``score`` and the class ``target``.
    """
    logit = knees.assign(logit=special.logit(knees[score]))
    logit["logit"] -= logit.groupby(["part", target])["logit"].transform("mean")
    pairs = logit.pivot_table(index="image_id", columns="side", values="logit").dropna()
    return float(pairs.corr().iloc[0, 1]), len(pairs)
