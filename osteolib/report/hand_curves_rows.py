"""From the recorded scores of many trainings to learning curves: AUROC by number of people, fits, people needed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from osteolib.screen.hand_curves import CORTEX, IDEAL, TAUGHT, TAUGHT_FILMED, TUNED
from osteolib.stats.bootstrap import bootstrap_ci
from osteolib.stats.learning_curve import PowerLaw, fit_power_law

NAMED = r"^(?P<name>.*), (?P<n>\d+) people, draw (?P<draw>\d+)$"
METHODS = {"simclr": "SimCLR", "vicreg": "VICReg", "swav": "SwAV"}
NO_TRAINING = (IDEAL, CORTEX)
SHARES = (0.5, 0.8, 0.95)
FAR = 10
"""A number of people this many times the largest that was tried is no estimate any more."""


@dataclass(frozen=True)
class Curves:
    """AUROC of every method by people, with replicates that resample the scored people, the same for all.

    Attributes
    ----------
    points
        Of the mean over drawings, indexed by ``name`` and ``n``: shape of each replicate row as in ``replicates``.
    drawings
        ``name, n, draw, auroc``: each training by itself.
    replicates
        Columns as the index of ``points``, one row a bootstrap replicate.
    """

    points: pd.Series
    drawings: pd.DataFrame
    replicates: pd.DataFrame

    @cached_property
    def names(self) -> list[str]:
        """Of the methods that have a curve."""
        return [n for n in dict.fromkeys(self.points.index.get_level_values("name")) if n not in NO_TRAINING]

    @cached_property
    def attainable(self) -> float:
        """AUROC of the ideal reader on these people."""
        return float(self.points[IDEAL].iloc[0])

    def estimate(self, name: str, n: int, reference: tuple[str, int] | None = None) -> tuple[float, float, float]:
        """AUROC, or its difference from ``reference``, with its interval."""
        value, drawn = self.points[name, n], self.replicates[name, n]
        if reference:
            value, drawn = value - self.points[reference], drawn - self.replicates[reference]
        return value, *np.quantile(drawn, (0.025, 0.975))

    def share(self, name: str, n: int) -> tuple[float, float, float]:
        """Share of the attainable above chance, the attainable resampled with it."""
        drawn = (self.replicates[name, n] - 0.5) / (self.replicates[IDEAL, 0] - 0.5)
        return (self.points[name, n] - 0.5) / (self.attainable - 0.5), *np.quantile(drawn, (0.025, 0.975))

    def sizes(self, name: str) -> NDArray[np.int64]:
        """Numbers of labelled people at which a method was tried."""
        return np.sort(self.points[name].index.to_numpy())

    def fit(self, name: str, most: int | None = None) -> tuple[PowerLaw, PowerLaw]:
        """The power law of what is missing to the attainable, and those of the replicates; up to ``most`` people."""
        n = self.sizes(name)
        n = n[n <= most] if most else n
        missing = self.attainable - self.points[name][n].to_numpy()
        drawn = self.replicates[[(IDEAL, 0)]].to_numpy() - self.replicates[name][n].to_numpy()
        return fit_power_law(n, missing), fit_power_law(n, drawn)

    def people_for(self, name: str, share: float) -> tuple[float, float, float]:
        """People that a share of the attainable takes by the fitted law, with its interval; infinite where none do."""
        law, drawn = self.fit(name)
        left = (1 - share) * (self.attainable - 0.5), (1 - share) * (self.replicates[IDEAL, 0].to_numpy() - 0.5)
        found = drawn.people_for(left[1])
        return float(law.people_for(left[0])), *np.quantile(found, (0.025, 0.975), method="nearest")


def read_curves(predictions: Iterable[pd.DataFrame], n_boot: int, seed: int) -> Curves:
    """Curves from the predictions of records whose people are the same.

    Raises
    ------
    ValueError
        A name is not ``method, N people, draw D``, or the records score different people.
    """
    scores, truth = {}, None
    for table in predictions:
        wide = table.pivot(index="unit_id", columns="method", values="y_score")
        y = table.drop_duplicates("unit_id").set_index("unit_id")["y_true"][wide.index]
        if truth is not None and not y.equals(truth):
            raise ValueError(
                "the records score different people: they are of different seeds or code, record them anew"
            )
        truth, scores = y, scores | {name: wide[name] for name in wide}
    named = pd.DataFrame({"method": list(scores)})
    named = named.join(named["method"].str.extract(NAMED))
    if named.isna().any(axis=None):
        raise ValueError(f"a method of a record is not named 'method, N people, draw D': {next(iter(scores))}")
    named = named.astype({"n": int, "draw": int}).sort_values(["name", "n", "draw"], ignore_index=True)
    found = [bootstrap_ci(truth, scores[name], "auroc", n_boot=n_boot, seed=seed, method="percentile")
             for name in named["method"]]  # fmt: skip
    drawings = named.drop(columns="method").assign(auroc=[r.estimate["auroc"] for r in found])
    each = pd.DataFrame(np.stack([r.replicates["auroc"] for r in found]))
    by = [drawings["name"], drawings["n"]]
    points = drawings.groupby(["name", "n"], sort=False)["auroc"].mean()
    return Curves(points, drawings, each.groupby(by, sort=False).mean().T)


def title(name: str) -> str:
    """A method as readers know it: ``simclr of 192`` is SimCLR that saw 192 people."""
    method, _, people = name.partition(" of ")
    if people.isdigit():
        return f"{METHODS[method]}, pre-trained on {int(people):,}"
    known = {TUNED: "SimCLR, fine-tuned", TAUGHT: "taught from random weights", "photographs": "encoder of photographs",
             TAUGHT_FILMED: "the same, as filmed"}  # fmt: skip
    return known.get(name, name)


def in_words(people: float, least: int, most: int) -> str:
    """A number of people to two digits; a bound below ``least`` and far beyond ``most``, which nobody tried."""
    if people < least:
        return f"under {least}"
    if people > FAR * most:
        return f"over {FAR * most:,}"
    digits = int(np.floor(np.log10(people))) - 1
    return f"{round(people / 10**digits) * 10**digits:,}"
