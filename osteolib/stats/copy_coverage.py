"""How wide a bootstrap interval is, and how often it holds the truth, when it draws files, bytes, pictures or films.

Simulated studies on the copies of a real set: who is a copy of whom is taken from the set, the scores are drawn. The
intervals are those of :func:`osteolib.stats.bootstrap.bootstrap_ci` itself, stratified by class, read as percentiles.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from osteolib.stats.bootstrap import bootstrap_ci
from osteolib.stats.copies import LEVELS, Binormal, Likeness, copy_codes, design_effects, draw_files, draw_scores
from osteolib.stats.inputs import MOST, frame, generator, instance, vector, whole

DRAWS = ("files", "distinct bytes", "pictures", "films")
"""What a bootstrap can draw, in the order of :data:`osteolib.stats.copies.LEVELS` after the files themselves."""

UNRELATED = "files, all of different films"
"""The yardstick: as many files without any copy, and a bootstrap that draws them."""

ALONE = Likeness(0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Setting:
    """A kind of study: which labels count as cases, how many files of each label, and the true scores."""

    name: str
    cases: tuple[str, ...]
    model: Binormal
    sizes: Mapping[str, int] | None = None  # files drawn of each label; None: all there are

    def __post_init__(self):
        instance(str, self.name, "name")
        if (
            not isinstance(self.cases, tuple | list)
            or not self.cases
            or not all(isinstance(c, str) for c in self.cases)
        ):
            raise ValueError(f"cases must be a tuple of labels, e.g. ('osteoporosis',), got {self.cases!r}")
        instance(Binormal, self.model, "model")
        for label, n in instance((Mapping, type(None)), self.sizes, "sizes").items() if self.sizes is not None else ():
            whole(n, f"sizes[{label!r}]", 1)


def simulated_studies(
    subjects: pd.DataFrame,
    setting: Setting,
    likeness: Likeness,
    n_studies: int,
    rng: np.random.Generator,
    n_draws: int = 300,
) -> pd.DataFrame:
    """Estimates and 95 % intervals of simulated studies; each draws its own test set and its own scores.

    Parameters
    ----------
    subjects
        One row a file: ``label`` and the columns of :data:`osteolib.stats.copies.LEVELS`.
    n_draws
        Bootstrap replicates of each interval.

    Returns
    -------
    One row a study, metric and kind of interval: ``study, draw, metric, value, ci_low, ci_high, units``, the last being
    how many units the bootstrap drew from; ``draw`` out of :data:`DRAWS`, or :data:`UNRELATED`.

    Raises
    ------
    ValueError
        An argument is not as above, or a study would lack one class.
    """
    frame(subjects, "subjects", ["label"])
    instance(Setting, setting, "setting")
    n_studies, n_draws = whole(n_studies, "n_studies", 1, MOST), whole(n_draws, "n_draws", 100, MOST)
    generator(rng)
    label, every = subjects["label"].to_numpy(object), copy_codes(subjects)
    is_case, metrics, rows = _cases(label, setting), list(setting.model.truth), []
    for study in range(n_studies):
        files = np.arange(len(label)) if setting.sizes is None else draw_files(label, setting.sizes, rng)
        case, codes, seed = is_case[files], every[files], int(rng.integers(2**32))
        scores = draw_scores(codes, case, setting.model, likeness, rng)
        jobs = [(draw, scores, units) for draw, units in zip(DRAWS, (None, *codes.T), strict=True)]
        jobs.append((UNRELATED, draw_scores(codes, case, setting.model, ALONE, rng), None))
        for draw, score, units in jobs:
            try:
                found = bootstrap_ci(
                    case, score, metrics, setting.model.threshold, n_draws, True, "percentile", units, seed=seed
                )
            except ValueError as error:
                raise ValueError(f"subjects, drawn as {draw}: {error}") from None
            rows += [(study, draw, name, found.estimate[name], *found.ci[name], found.n_subjects) for name in metrics]
    return pd.DataFrame(rows, columns=["study", "draw", "metric", "value", "ci_low", "ci_high", "units"])


def width_and_coverage(studies: pd.DataFrame, setting: Setting) -> pd.DataFrame:
    """What :func:`simulated_studies` found, one row a kind of interval and metric.

    Columns: ``draw, metric, units`` (mean number drawn from), ``width`` (mean), ``covers`` with its own 95 % interval
    ``covers_low, covers_high`` (Wilson, of the number of studies), ``sd`` of the estimates over the studies (NaN
    of one).

    Raises
    ------
    ValueError
        ``studies`` lacks one of these columns or has a metric that ``setting`` has no truth for.
    """
    from statsmodels.stats.proportion import proportion_confint

    frame(studies, "studies", ["study", "draw", "metric", "value", "ci_low", "ci_high", "units"])
    truth = studies["metric"].map(instance(Setting, setting, "setting").model.truth)
    if truth.isna().any():
        raise ValueError(
            f"studies has metrics that setting does not know: {studies['metric'][truth.isna()].unique()[:3]}"
        )
    for column in ("value", "ci_low", "ci_high", "units"):
        vector(studies[column], f"studies, column {column},")
    told = studies.assign(width=studies["ci_high"] - studies["ci_low"],
                          held=(studies["ci_low"] <= truth) & (truth <= studies["ci_high"]))  # fmt: skip
    found = (
        told.groupby(["draw", "metric"], sort=False)
        .agg(units=("units", "mean"), width=("width", "mean"), covers=("held", "mean"), held=("held", "sum"),
             sd=("value", "std"), studies=("held", "size"))
        .reset_index()
    )  # fmt: skip
    low, high = proportion_confint(found["held"], found["studies"], method="wilson")
    return found.assign(covers_low=low, covers_high=high).drop(columns="held")


def groups_in(subjects: pd.DataFrame) -> pd.DataFrame:
    """How many different files, bytes, pictures and films there are, and how many files stand behind one.

    One row a kind of unit (:data:`DRAWS`): ``units``; ``files_each``, the mean number of files in the group of a *file*
    (large groups weigh more: it is the m of the design effect); ``both``, groups whose files have more than one label.

    Raises
    ------
    ValueError
        ``subjects`` lacks a column or has no value in one, or its index names two files alike.
    """
    frame(subjects, "subjects", ["label", *LEVELS.values()])
    if not subjects.index.is_unique:
        raise ValueError("subjects has an index that is not unique: reset it, one name for each file")
    columns = [subjects.index, *(subjects[column] for column in LEVELS.values())]
    rows = []
    for draw, column in zip(DRAWS, columns, strict=True):
        sizes = subjects.groupby(column).size()
        labels = subjects.groupby(column)["label"].nunique()
        rows.append((draw, len(sizes), float((sizes**2).sum() / sizes.sum()), int((labels > 1).sum())))
    return pd.DataFrame(rows, columns=["unit", "units", "files_each", "both"])


def expected_effects(
    subjects: pd.DataFrame, setting: Setting, likeness: Likeness, n_sets: int = 40, seed: int = 0
) -> pd.DataFrame:
    """:func:`osteolib.stats.copies.design_effects` of a setting, the mean over ``n_sets`` test sets drawn anew.

    Raises
    ------
    ValueError
        An argument is not as there, or a set would lack one class.
    """
    frame(subjects, "subjects", ["label"])
    instance(Setting, setting, "setting")
    n_sets, seed = whole(n_sets, "n_sets", 1, MOST), whole(seed, "seed", 0, 2**128)
    label, codes, rng = subjects["label"].to_numpy(object), copy_codes(subjects), np.random.default_rng(seed)
    if setting.sizes is None:
        test_sets = [np.arange(len(label))]
    else:
        test_sets = [draw_files(label, setting.sizes, rng) for _ in range(n_sets)]
    case = _cases(label, setting)
    found = [design_effects(codes[rows], case[rows], setting.model, likeness) for rows in test_sets]
    return pd.concat(found).groupby("metric", sort=False).mean().reset_index()


def _cases(label: np.ndarray, setting: Setting) -> np.ndarray:
    """1 where a label counts as a case, shape (n,); ValueError where a test set would lack one class."""
    case = np.isin(label, list(setting.cases)).astype(int)
    drawn = set(label if setting.sizes is None else setting.sizes)
    if not drawn & set(setting.cases) or not drawn - set(setting.cases):
        raise ValueError(f"setting {setting.name!r} would have one class only: subjects has the labels "
                         f"{sorted(map(str, set(label)))}, cases are {', '.join(setting.cases)}")  # fmt: skip
    return case
