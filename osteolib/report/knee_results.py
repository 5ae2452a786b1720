"""Numbers behind the knee chapters on intervals and T-scores: rows out of fold, bands of curves, agreement.

Everything here that resamples draws groups of knees (one person, or people whose films are copies), never single knees.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import special, stats

from osteolib.cohorts import Cohort, bone_loss
from osteolib.phantoms.knee.best_t_score import best_t_score, known_of
from osteolib.report.compared import DIFFERENCES, ROWS, Comparison
from osteolib.report.recorded import beside, training_size
from osteolib.report.show import table
from osteolib.runs.run import PREDICTION_COLUMNS, Run
from osteolib.screen import out_of_fold
from osteolib.screen.knee_folds import Recipe, cross_validate, knee_images
from osteolib.screen.phantom_control import PhantomControl
from osteolib.stats.metrics import rank_scores
from osteolib.stats.prediction_metrics import prediction_metrics
from osteolib.stats.resampling import design_resampling, draw_counts

RECORDED_KNEES = ("knee-wani-0", "knee-wani-imagenet-0")
ADDED = ("r", "CCC", "MAE", "RMSE")
"""What :func:`compare_agreement` takes differences of."""


def out_of_fold_rows(cohort: Cohort, recipe: Recipe, n_folds: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Every knee's validation row and test row of the grouped cross-validation, and the training histories.

    Rows: the columns of the cohort, ``fold``, ``part`` (``test`` or ``validation``), the network's probabilities
    ``screen`` and ``severity``, its ``predicted_t_score``, and ``image``, the log-odds of ``screen``.
    """
    images = knee_images(cohort.subjects, recipe.image_size)
    scores, history, _ = cross_validate(cohort.subjects, images, recipe, n_folds, cohort.fingerprint)
    scores = scores.rename(columns={"t_score": "predicted_t_score"}).assign(image=special.logit(scores["screen"]))
    return cohort.subjects.merge(scores, on="unit_id", validate="one_to_many"), history


HEAD, AGE, REFITTED, JOINED = (
    "STR-Net's head", "age alone", "age (fitted on validation)", "age and head (fitted on validation)",
)  # fmt: skip


def t_scores_by_person(rows: pd.DataFrame) -> pd.DataFrame:
    """Predicted T-scores of the test rows of :func:`out_of_fold_rows`, means over each person's knees.

    Columns: ``t_score``; the head as it comes; age alone and the mean of all, fitted outside the fold; age, and age and
    head, :func:`fitted_on_validation`; the mean of the person's *true* class; ``label, split_group``. Where nobody has
    an age there are none of age.
    """
    aged = rows["age_years"].notna().any()
    knees = rows[rows["part"] == "test"].set_index("unit_id")
    constant = pd.DataFrame({"constant": np.ones(len(knees))}, knees.index)
    columns = {
        "t_score": knees["t_score"],
        HEAD: knees["predicted_t_score"],
        AGE: out_of_fold(knees[["age_years"]], knees["t_score"], knees["fold"]) if aged else None,
        "mean of all": out_of_fold(constant, knees["t_score"], knees["fold"]),
        REFITTED: fitted_on_validation(rows, ["age_years"], rows["t_score"]) if aged else None,
        JOINED: fitted_on_validation(rows, ["age_years", "predicted_t_score"], rows["t_score"]) if aged else None,
    }
    columns = {name: values for name, values in columns.items() if values is not None}
    person = pd.DataFrame(columns, knees.index).groupby(knees["subject_id"], sort=False).mean()
    known = knees.groupby("subject_id", sort=False)[["label", "split_group"]].first()
    person["true class mean"] = person["t_score"].groupby(known["label"]).transform("mean")
    return person.join(known)


def show_recorded_heads(run: Run, rows: pd.DataFrame, recipe: Recipe, n_boot: int, seed: int) -> None:
    """Pearson's r of the T-score head by knee: of ``rows`` (:func:`out_of_fold_rows`), and of the recorded networks."""
    test = rows[rows["part"] == "test"]
    said = {"method": "STR-Net", "target": "t_score", "split": "out-of-fold"}
    test = test.assign(y_true=test["t_score"], y_score=test["predicted_t_score"], **said)
    live = prediction_metrics(test, n_boot, seed).query("metric == 'pearson_r'")
    both = beside(live, training_size(asdict(recipe)), RECORDED_KNEES, "pearson_r", "t_score")
    caption = "Real knees, r of the T-score head by knee: this run, and longer, recorded ones"
    table(run, "recorded", both, caption, index=False, group="run")


def optimiser_steps(rows: pd.DataFrame, history: pd.DataFrame, batch_size: int) -> pd.DataFrame:
    """Training knees and steps of the optimiser, by fold; a last batch of one knee is not trained on."""
    n_train = rows["unit_id"].nunique() - rows.groupby("fold").size()
    steps = history.groupby("fold").size() * np.ceil((n_train - 1) / batch_size)
    return pd.DataFrame({"knees": n_train, "steps": steps.astype(int)})


def prediction_table(
    knees: pd.DataFrame, score: str, seed: int, method: str, cohort: str = "knee-wani"
) -> pd.DataFrame:
    """Test rows of :func:`out_of_fold_rows`, indexed by unit, as ``Run.predictions`` wants them."""
    known = {"cohort": cohort, "split": "out-of-fold", "seed": seed, "method": method, "target": "bone_loss"}
    table = knees.reset_index().assign(**known, y_true=bone_loss(knees["label"]), y_score=knees[score].to_numpy())
    return table[list(PREDICTION_COLUMNS)]


def fitted_on_validation(rows: pd.DataFrame, columns: list[str], target: ArrayLike) -> pd.Series:
    """A regression of ``target`` fitted on each fold's validation knees, and what it says of its test knees.

    Fitting it on the test scores of the other folds would leak: those come from networks that were trained on this
    fold's test knees. ``rows`` as from :func:`out_of_fold_rows`, ``target`` one value a row (0 and 1 gives a logistic
    regression). Indexed by ``unit_id``, in the order of the test rows.
    """
    rows = rows.assign(target=np.asarray(target, float))
    fitted = []
    for _, fold in rows.groupby("fold"):
        held = (fold["part"] == "test").to_numpy()
        fitted.append(pd.Series(out_of_fold(fold[columns], fold["target"], held)[held], fold["unit_id"][held]))
    return pd.concat(fitted).reindex(rows.loc[rows["part"] == "test", "unit_id"])


def phantom_people(control: PhantomControl) -> pd.DataFrame:
    """The people who did not train, by acquisition (``A``, ``B``) and ``subject_id``: means of a person's knees.

    Columns: ``t_score, hip_t_score, density, age_years`` as simulated, the head's prediction, ``label``.
    """
    scores = pd.read_parquet(control.folder / "scores.parquet").rename(columns={"t_score": HEAD})
    knees = control.subjects.merge(scores[scores["part"] != "validation"], on="unit_id")
    people = knees.groupby([knees["part"].str[-1], "subject_id"])
    means = people[["t_score", "hip_t_score", HEAD, "density", "age_years"]].mean()
    return means.assign(label=people["label"].first())


def phantom_predictions(control: PhantomControl, seed: int = 0) -> dict[str, pd.DataFrame]:
    """Of each acquisition :func:`phantom_people` with three predictions of the T-score that need no network.

    ``age alone``: a line fitted on the people who trained; ``mean of all``: their mean; ``attainable``:
    :func:`osteolib.phantoms.knee.best_t_score.best_t_score`.
    """
    everyone = control.subjects.drop_duplicates("subject_id").set_index("subject_id")
    train = control.subjects[control.parts["train"]].drop_duplicates("subject_id")
    line = np.polyfit(train["age_years"], train["t_score"], 1)
    people = phantom_people(control)
    return {
        part: people.loc[part].assign(**{
            AGE: lambda here: np.polyval(line, here["age_years"]),
            "mean of all": train["t_score"].mean(),
            "attainable": lambda here, p=part: best_t_score(p, seed=seed).predict(known_of(everyone.loc[here.index])),
        })
        for part in ("A", "B")
    }  # fmt: skip


def auroc_by_fold(y_true: ArrayLike, scores: Mapping[str, ArrayLike], folds: ArrayLike) -> pd.DataFrame:
    """AUROC of each score within each fold: one row a fold, one column a score.

    Pooled, knees of different folds are set against each other, though different networks scored them; here not.
    """
    from sklearn.metrics import roc_auc_score

    table = pd.DataFrame({name: np.asarray(score) for name, score in scores.items()}).assign(y=np.asarray(y_true))
    return table.groupby(np.asarray(folds)).apply(lambda f: f[list(scores)].apply(lambda s: roc_auc_score(f["y"], s)))


def curve_bands(
    y_true: ArrayLike, y_score: ArrayLike, groups: ArrayLike, n_boot: int = 2000, seed: int = 0
) -> pd.DataFrame:
    """ROC and precision-recall curve of a score with pointwise 95 % bands, stratified as in ``bootstrap_ci``.

    Returns
    -------
    One row for each ``at`` of 0, 0.01 ... 1: ``sensitivity`` where at most that share of the negatives is called;
    ``precision`` where at least that share of the positives is found (and at least one); each with ``_low``, ``_high``.
    """
    y, at = np.asarray(y_true, np.int64), np.linspace(0, 1, 101)
    ranked, design = rank_scores(y, np.asarray(y_score, float)), design_resampling(y.size, groups, y)

    def curves(counts: np.ndarray) -> list[np.ndarray]:
        weights = counts[:, design.subject[ranked.order]]
        tp = np.cumsum(weights * ranked.positive, axis=1)[:, ranked.tie_ends]
        fp = np.cumsum(weights, axis=1)[:, ranked.tie_ends] - tp
        both = []
        for t, f in zip(tp, fp, strict=True):
            allowed = np.searchsorted(f, at * f[-1] + 1e-9, side="right")  # thresholds with few enough false positives
            enough = np.searchsorted(t, np.maximum(at * t[-1] - 1e-9, 1))  # first one that finds enough, at least one
            both.append(np.concatenate([np.append(0, t)[allowed] / t[-1], t[enough] / (t + f)[enough]]))
        return both

    pieces = [np.ones((1, design.n_subjects), np.int64), *draw_counts(design, n_boot, seed)]
    sample, *draws = (row for counts in pieces for row in curves(counts))
    columns = [f"{curve}{end}" for end in ("", "_low", "_high") for curve in ("sensitivity", "precision")]
    values = np.vstack([sample, np.quantile(draws, [0.025, 0.975], axis=0)]).reshape(6, at.size)
    return pd.DataFrame(values.T, columns=columns).assign(at=at)


def agreement_draws(
    reference: ArrayLike, predicted: ArrayLike, groups: ArrayLike, n_boot: int = 2000, seed: int = 0
) -> pd.DataFrame:
    """Agreement of a prediction in the sample (row 0) and in every bootstrap replicate (the rows after it).

    Same ``groups`` and ``seed``: same replicates, so two predictions' frames may be subtracted.

    Returns
    -------
    ``r`` (NaN where one of the two is constant), ``CCC`` (Lin), ``MAE``, ``RMSE``, ``bias`` and the 95 % limits
    ``lower limit``, ``upper limit`` of ``predicted - reference``.
    """
    # one origin for both, near the data, so that the variances below do not cancel
    x, y = (np.asarray(values, float) - np.mean(reference) for values in (reference, predicted))
    design = design_resampling(x.size, groups)
    weights = [np.ones((1, x.size)), *(counts[:, design.subject] for counts in draw_counts(design, n_boot, seed))]
    moments = np.column_stack([np.ones(x.size), x, y, x * x, y * y, x * y, np.abs(y - x)])
    n, *sums = (np.concatenate(weights) @ moments).T
    mx, my, mxx, myy, mxy, mae = (total / n for total in sums)
    vx, vy, cov, bias = mxx - mx**2, myy - my**2, mxy - mx * my, my - mx
    spread, variance = np.sqrt(np.maximum(vx * vy, 0)), np.maximum(vx + vy - 2 * cov, 0)  # rounding may go below 0
    reach = stats.norm.ppf(0.975) * np.sqrt(variance * n / (n - 1))

    def ratio(a: np.ndarray, b: np.ndarray) -> np.ndarray:  # NaN: one person drawn alone, or a constant prediction
        return np.divide(a, b, out=np.full_like(a, np.nan), where=b > 1e-6)

    r, ccc = ratio(cov, spread), ratio(2 * cov, vx + vy + bias**2)
    return pd.DataFrame({"r": r, "CCC": ccc, "MAE": mae, "RMSE": np.sqrt(variance + bias**2), "bias": bias,
                         "lower limit": bias - reach, "upper limit": bias + reach})  # fmt: skip


def compare_agreement(
    reference: ArrayLike,
    predictions: Mapping[str, ArrayLike],
    groups: ArrayLike,
    pairs: Iterable[tuple[str, str]] = (),
    n_boot: int = 2000,
    seed: int = 0,
) -> Comparison:
    """Agreement of several predictions with one reference, from :func:`agreement_draws`.

    What does not exist, r of a constant, is left out. ``pairs``, of a prediction and the one it is set against, get
    differences of :data:`ADDED`.
    """
    draws = {name: agreement_draws(reference, values, groups, n_boot, seed) for name, values in predictions.items()}
    counts = len(np.asarray(reference)), len(set(np.asarray(groups).tolist()))

    def lines(draws: pd.DataFrame, columns: Iterable[str]) -> list[tuple]:
        low, high = (draws.iloc[1:].quantile(q) for q in (0.025, 0.975))
        return [(c, draws[c].iloc[0], low[c], high[c]) for c in columns if draws[c].notna().iloc[0]]

    rows = [(name, *line, *counts, np.nan) for name, each in draws.items() for line in lines(each, each)]
    differences = [(a, b, *line, *counts) for a, b in pairs for line in lines(draws[a] - draws[b], ADDED)]
    return Comparison(pd.DataFrame(rows, columns=ROWS), pd.DataFrame(differences, columns=DIFFERENCES))
