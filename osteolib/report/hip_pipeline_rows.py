"""Numbers of the page on the hip pipeline: who takes part, the measures of Table 3, agreement, predictions to keep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from osteolib.report.compared import Comparison
from osteolib.report.comparison import compare_scores, compare_statistics
from osteolib.report.published import printed_texts
from osteolib.runs.run import PREDICTION_COLUMNS
from osteolib.screen.hip_cells import NO_FILM as NO_FILM
from osteolib.screen.hip_cells import PIPELINE
from osteolib.screen.hip_cells import RIDGE as RIDGE
from osteolib.screen.imputation import pooled
from osteolib.stats import lin_ccc

NAMES = {"resnet50": "ResNet-50", "inception_v3": "Inception-v3"}
FROZEN = "EfficientNet-Lite0, frozen"
PRINTED = {PIPELINE: "X1AI-Osteo", "ResNet-50": "ResNet50", "Inception-v3": "InceptionV3"}
"""Our name of a network, and that in the ids of the published values."""
MEASURES = {"sensitivity": "sens", "specificity": "spec", "ppv": "ppv", "npv": "npv", "auroc": "auc"}
HEADS = {"sensitivity": "sensitivity", "specificity": "specificity", "ppv": "PPV", "npv": "NPV", "auroc": "AUC, score",
         "auroc of calls": "AUC, calls"}  # fmt: skip
Z = 1.959963984540054


def people_table(hips: pd.DataFrame, every: pd.DataFrame) -> pd.DataFrame:
    """Table 1: people and hips of training (with validation), of test and of the whole cohort.

    ``hips`` are those that take part, with ``part``; ``every`` are all rows of the cohort.
    """
    test = hips["part"] == "test"
    columns = {"training": hips[~test], "test": hips[test], "all, before exclusion": every}
    lines = {}
    for name, rows in columns.items():
        people = rows.drop_duplicates("subject_id")
        share = rows["label"].value_counts(normalize=True)
        lines[name] = {
            "people": f"{len(people)}",
            "hips": f"{len(rows)}",
            "women, %": f"{100 * people['sex'].eq('F').mean():.1f}",
            "age, years, mean (SD)": _mean_sd(people["age_years"]),
            "BMI, kg/m², mean (SD)": _mean_sd(people["bmi_kg_m2"]),
            "T-score of the hip, mean (SD)": _mean_sd(rows["t_score"]),
            "hips with osteoporosis, %": f"{100 * share.get('osteoporosis', 0):.1f}",
            "hips with osteopenia, %": f"{100 * share.get('osteopenia', 0):.1f}",
            "obstructed hips, %": f"{100 * rows['obstructed'].mean():.1f}",
        }
    return pd.DataFrame(lines)


def _mean_sd(values: pd.Series) -> str:
    return f"{values.mean():.1f} ({values.std():.1f})".replace("-", "−")


def measures(
    y_true: ArrayLike, scores: Mapping[str, Sequence[ArrayLike]], people: ArrayLike, n_boot: int, seed: int
) -> pd.DataFrame:
    """The measures of Table 3 at the cut of 0.5, with the area under graded scores and under yes/no calls.

    Parameters
    ----------
    y_true, people
        Shape (n,): 1 for osteoporosis; whose hip it is, what intervals resample.
    scores
        Of each method one array (n,) for each imputed table: probabilities of osteoporosis. Of one array the interval
        is the bootstrap's; several are pooled by Rubin's rules, their standard errors from the bootstrap.

    Returns
    -------
    ``method, metric, value, ci_low, ci_high``; PPV is absent where nobody is called, NPV where everybody is.
    """
    rows = []
    for method, sets in scores.items():
        each = {str(number): np.asarray(score, float) for number, score in enumerate(sets)}
        how = {"groups": people, "n_boot": n_boot, "seed": seed}
        graded = compare_scores(y_true, each, list(MEASURES), threshold=0.5, **how).rows
        called = compare_scores(y_true, {name: (s >= 0.5).astype(float) for name, s in each.items()}, **how).rows
        found = pd.concat([graded, called.assign(metric="auroc of calls")])
        for metric, of in found.groupby("metric", sort=False):
            value, low, high = of["value"].mean(), of["ci_low"].iloc[0], of["ci_high"].iloc[0]
            if len(of) > 1:
                one = pooled(of["value"], (of["ci_high"] - of["ci_low"]) / (2 * Z))
                low, high = (min(max(end, 0.0), 1.0) for end in one.ci)
            rows.append((method, metric, value, low, high))
    return pd.DataFrame(rows, columns=["method", "metric", "value", "ci_low", "ci_high"])


def table_3(found: pd.DataFrame) -> pd.DataFrame:
    """Measures in per cent, a row a network of the phantom and a row a printed one; what is not there is a dash.

    A printed AUC stands with the areas of yes/no calls: each is the mean of its sensitivity and specificity.
    """
    printed = printed_texts("chen2024_hip")
    lines = []
    for method, of in found.groupby("method", sort=False):
        row = of.set_index("metric")
        cells = {head: _percent(row.loc[key]) if key in row.index else "–" for key, head in HEADS.items()}
        lines.append({"kind": "phantom", "network": method, **cells})
    for method, name in PRINTED.items():
        texts = {key: printed[f"chen2024_hip.T3.{name}.{short}"].removesuffix(" %") for key, short in MEASURES.items()}
        texts["auroc of calls"] = texts.pop("auroc")  # finding X-07 of the paper's audit
        cells = {head: texts.get(key, "–") for key, head in HEADS.items()}
        lines.append({"kind": "printed", "network": method, **cells})
    return pd.DataFrame(lines)


def _percent(row: pd.Series) -> str:
    value, low, high = (100 * row[end] for end in ("value", "ci_low", "ci_high"))
    return f"{value:.0f} ({low:.0f} to {high:.0f})"


def correlation(true: NDArray, predicted: NDArray) -> float:
    """Pearson's r; 0 for a prediction that does not vary."""
    return float(np.corrcoef(true, predicted)[0, 1]) if np.ptp(true) > 0 and np.ptp(predicted) > 0 else 0.0


def agreement(
    t_score: ArrayLike, predicted: Mapping[str, ArrayLike], people: ArrayLike, n_boot: int, seed: int
) -> Comparison:
    """r, concordance and mean absolute error of predicted T-scores by hip, intervals by patient."""

    def ccc(true: NDArray, guess: NDArray) -> float:
        return lin_ccc(true, guess).ccc if np.ptp(true) > 0 and np.ptp(guess) > 0 else 0.0

    statistics = {"r": correlation, "CCC": ccc, "MAE": lambda true, guess: float(np.abs(guess - true).mean())}
    values = {name: (np.asarray(t_score, float), np.asarray(guess, float)) for name, guess in predicted.items()}
    first, *others = values
    return compare_statistics(statistics, values, reference=[(first, name) for name in others], groups=people,
                              n_boot=n_boot, seed=seed)  # fmt: skip


def predictions(
    hips: pd.DataFrame, cohort: str, seed: int, scores: Mapping[str, Sequence[ArrayLike]],
    t_scores: Mapping[str, Sequence[ArrayLike]],
) -> pd.DataFrame:  # fmt: skip
    """All predictions for the test hips in the columns of the contract; ``fold`` counts imputed tables from 0."""
    parts = []
    truth = {"osteoporosis": (hips["t_score"] <= -2.5).astype(float), "t_score": hips["t_score"].astype(float)}
    for target, methods in (("osteoporosis", scores), ("t_score", t_scores)):
        for method, sets in methods.items():
            for fold, values in enumerate(sets):
                parts.append(hips[["subject_id", "image_id", "unit_id"]].assign(
                    cohort=cohort, split="test", fold=fold, seed=seed, method=method, target=target,
                    y_true=truth[target], y_score=np.asarray(values, float)))  # fmt: skip
    return pd.concat(parts, ignore_index=True)[list(PREDICTION_COLUMNS)]
