"""What frozen and texture features of real knees tell, by person: questions about bone, and controls that must come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from osteolib.cohorts import bone_loss, grouped_folds
from osteolib.report.comparison import Comparison, compare_scores, together
from osteolib.runs.run import PREDICTION_COLUMNS
from osteolib.screen import out_of_fold
from osteolib.screen.covariates import pearson_r
from osteolib.screen.pc_readout import by_person, joined_scores, pc_scores, repeated_scores, shuffled_groups
from osteolib.stats import bootstrap_ci, bootstrap_statistic

QUESTIONS = ("osteoporosis", "bone loss", "T-score")
CONTROLS = ("both legs on the film", "sex", "age over 50")


def targets_of(units: pd.DataFrame) -> pd.DataFrame:
    """:data:`QUESTIONS` and :data:`CONTROLS` of each knee as numbers, NaN where not known; all are the person's."""
    age = units["age_years"]
    return pd.DataFrame({
        "osteoporosis": (units["label"] == "osteoporosis").astype(float),
        "bone loss": bone_loss(units["label"]).astype(float),
        "T-score": units["t_score"],
        "both legs on the film": (units["film_layout"] == "bilateral").astype(float),
        "sex": (units["sex"] == "M").astype(float),
        "age over 50": (age > 50).astype(float).where(age.notna()),
    })  # fmt: skip


@dataclass(frozen=True, eq=False)
class Answers:
    """What one set of features answers, by person.

    ``people`` one row each; ``truth`` their targets; ``each`` out-of-fold scores (draws, targets, people); ``folds``
    (draws, people); ``shuffled`` per question the dealt targets and what is read then, (shuffles, people) each.
    """

    people: pd.DataFrame
    truth: pd.DataFrame
    each: NDArray
    folds: NDArray
    shuffled: dict[str, tuple[NDArray, NDArray]]

    def score(self, target: str) -> NDArray:
        """Mean over the draws of the folds, shape (people,)."""
        return self.each.mean(0)[list(self.truth).index(target)]

    def measure(self, target: str, who: NDArray | None = None) -> float:
        """AUROC, or Pearson's r for the T-score; of the people ``who``."""
        known = self.truth[target].notna().to_numpy() & (True if who is None else who)
        return measure(target, self.truth.loc[known, target], self.score(target)[known])

    def mean_of_folds(self, target: str) -> float:
        """The measure within each fold of each draw, averaged; folds with one class are left out."""
        at, found = list(self.truth).index(target), []
        truth = self.truth[target].to_numpy()
        for scores, folds in zip(self.each[:, at], self.folds, strict=True):
            parts = [(folds == fold) & np.isfinite(truth) for fold in np.unique(folds)]
            found += [measure(target, truth[p], scores[p]) for p in parts if len(np.unique(truth[p])) > 1]
        return float(np.mean(found))

    def nothing(self, target: str) -> NDArray:
        """The measure of each shuffle."""
        return np.array([measure(target, *pair) for pair in zip(*self.shuffled[target], strict=True)])


def measure(target: str, truth, score) -> float:
    """Pearson's r for the T-score, AUROC for anything else."""
    return pearson_r(truth, score) if target == "T-score" else float(roc_auc_score(truth, score))


def ask(units: pd.DataFrame, features: NDArray, n_folds: int, n_repeats: int, n_shuffles: int, seed: int) -> Answers:
    """Ask all of :func:`targets_of` of features (n, k) of knees; shuffled questions in the first draw of the folds."""
    truth, person = targets_of(units), units["subject_id"]
    draws = draws_of(units, n_folds, n_repeats, seed)
    each = by_person(repeated_scores(features, truth.T, draws), person)
    shuffled = {}
    for question in QUESTIONS:  # the same shuffles of people for every set of features
        dealt = shuffled_groups(truth[question], units["split_group"], n_shuffles, seed)
        shuffled[question] = by_person(dealt, person), by_person(pc_scores(features, dealt, draws[0]), person)
        if question != "T-score":
            shuffled[question] = shuffled[question][0].round().astype(int), shuffled[question][1]
    first = (~person.duplicated()).to_numpy()
    people, truth = (frame[first].reset_index(drop=True) for frame in (units, truth))
    return Answers(people, truth, each, np.stack(draws)[:, first], shuffled)


def draws_of(units: pd.DataFrame, n_folds: int, n_repeats: int, seed: int) -> list[NDArray]:
    """Grouped folds, stratified by the three classes, drawn ``n_repeats`` times."""
    return [grouped_folds(units, units["label"], n_folds, seed + r) for r in range(n_repeats)]


def answer_rows(answers: Mapping[str, Answers], n_boot: int, seed: int) -> pd.DataFrame:
    """One row a set of features and target: ``value`` with its interval (groups resampled), what 95 % of the shuffles
    give, the mean of the folds, ``n``."""
    rows = []
    for name, each in answers.items():
        for target in each.truth:
            known = each.truth[target].notna().to_numpy()
            truth, score = each.truth.loc[known, target], each.score(target)[known]
            how = {"groups": each.people.loc[known, "split_group"], "n_boot": n_boot, "seed": seed}
            if target == "T-score":
                b = bootstrap_statistic(pearson_r, truth, score, **how)
                found = b.estimate, *b.ci
            else:
                b = bootstrap_ci(truth.astype(int), score, "auroc", **how)
                found = b.estimate["auroc"], *b.ci["auroc"]
            null = np.percentile(each.nothing(target), (2.5, 97.5)) if target in each.shuffled else (np.nan, np.nan)
            rows.append((name, target, *found, *null, each.mean_of_folds(target), int(known.sum())))
    columns = ["features", "target", "value", "ci_low", "ci_high", "null_low", "null_high", "folds", "n"]
    return pd.DataFrame(rows, columns=columns)


def best_of_looks(answers: Mapping[str, Answers], question: str) -> float:
    """The 97.5 % point of the best of all sets of features when the question is shuffled: one deal serves all."""
    return float(np.percentile(np.max([each.nothing(question) for each in answers.values()], axis=0), 97.5))


def subgroups(each: Answers, target: str, n_boot: int, seed: int) -> pd.DataFrame:
    """The measure of ``target`` within groups of people and of films, with intervals; and two rivals.

    The groups: men, women, films without copies, and each ending of the file. The rivals rank the same target by what
    the same features say of sex and of age over 50.
    """
    ending = each.people["path"].map(lambda path: Path(path).suffix)
    sex = each.people["sex"]
    parts = {"everybody": sex.notna(), "men": sex == "M", "women": sex == "F"}
    parts |= {"films of one row only": ~each.people["sha256"].duplicated(keep=False)}
    parts |= {f"files {end}": ending == end for end in sorted(set(ending))}
    rows = []
    for name, who in parts.items():
        who = np.asarray(who)
        y, groups = each.truth.loc[who, target].astype(int), each.people.loc[who, "split_group"]
        line = {"people": name, "n": int(who.sum()), "with": int(y.sum())}
        for reading in (target, "sex", "age over 50"):
            b = bootstrap_ci(y, each.score(reading)[who], "auroc", n_boot=n_boot, groups=groups, seed=seed)
            line[reading] = (b.estimate["auroc"], *b.ci["auroc"])
        rows.append(line)
    return pd.DataFrame(rows)


def image_added(
    units: pd.DataFrame, features: NDArray, n_folds: int, n_repeats: int, n_boot: int, seed: int
) -> Comparison:
    """AUROC, by person, of age and of age and sex, each alone and joined with the image (nested), and the gains.

    Metrics: ``osteoporosis`` and ``bone loss``.
    """
    truth, male = targets_of(units), (units["sex"] == "M").astype(float)
    known = {"age": units[["age_years"]].to_numpy(), "age and sex": np.column_stack([units["age_years"], male])}
    draws = draws_of(units, n_folds, n_repeats, seed)
    first = (~units["subject_id"].duplicated()).to_numpy()
    parts = []
    for question in ("osteoporosis", "bone loss"):
        found = [joined_scores(features, known, truth[question], units, folds) for folds in draws]
        scores = {}
        for name in known:
            mean = np.mean([each[name] for each in found], axis=0)
            scores[name], scores[f"{name}, image"] = by_person(mean, units["subject_id"])
        compared = compare_scores(truth.loc[first, question].astype(int), scores,
                                  reference=[(f"{name}, image", name) for name in known],
                                  groups=units.loc[first, "split_group"], n_boot=n_boot, seed=seed)  # fmt: skip
        parts.append(Comparison(compared.rows.assign(metric=question), compared.differences.assign(metric=question)))
    return together(*parts)


def age_probability(units: pd.DataFrame, n_folds: int, n_repeats: int, seed: int) -> NDArray[np.float64]:
    """Probability of osteoporosis by age alone, out of fold, by person: the mean over the draws of the folds."""
    target = targets_of(units)["osteoporosis"]
    found = [out_of_fold(units[["age_years"]], target, folds) for folds in draws_of(units, n_folds, n_repeats, seed)]
    return by_person(np.mean(found, axis=0), units["subject_id"])


def prediction_table(each: Answers, target: str, method: str, seed: int) -> pd.DataFrame:
    """Scores of one target by person, as ``Run.predictions`` wants them; the fold is that of the first draw."""
    known = {"cohort": "knee-wani", "split": "out-of-fold", "seed": seed, "method": method, "target": target}
    scores = {"fold": each.folds[0], "y_true": each.truth[target], "y_score": each.score(target)}
    person = each.people[["subject_id", "image_id"]].assign(unit_id=each.people["subject_id"])
    return person.assign(**known, **scores)[list(PREDICTION_COLUMNS)]
