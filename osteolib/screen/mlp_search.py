"""Hyper-parameters of an MLP by a genetic algorithm (X1AI-Osteo, Methods, Fig. 1f), through DEAP.

Searched are the learning rate, the neurons of three layers and the epochs. The paper prints neither ranges nor sizes
of the search nor its fitness; here a set is as fit as its error is small on people of training that it did not see.
"""

from __future__ import annotations

import hashlib
import json
import random
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from osteolib.runs.paths import write_atomic
from osteolib.runs.store import resumable_artefact

STATE = "generations.json"


class Hyper(NamedTuple):
    """What the search sets of one MLP."""

    learning_rate: float
    neurons: tuple[int, int, int]
    epochs: int


@dataclass(frozen=True)
class SearchRecipe:
    """Size of the search and the ranges it looks in (from, to), all on a logarithmic scale."""

    generations: int = 40
    population: int = 12
    tournament: int = 3
    crossover: float = 0.6
    mutation: float = 0.4
    folds: int = 3
    learning_rate: tuple[float, float] = (3e-4, 3e-2)
    neurons: tuple[int, int] = (2, 64)
    epochs: tuple[int, int] = (10, 120)
    seed: int = 0


class Searched(NamedTuple):
    """The best of all generations, and ``generation, best, mean`` (error in T); generation 0 was drawn at random."""

    hyper: Hyper
    history: pd.DataFrame


def decode(genes: ArrayLike, recipe: SearchRecipe) -> Hyper:
    """Five genes in [0, 1] as a set of hyper-parameters: 0 is the lower end of a range, 1 the upper."""
    ends = np.log([recipe.learning_rate, *[recipe.neurons] * 3, recipe.epochs])
    rate, *counts = np.exp(ends[:, 0] + np.asarray(genes) * (ends[:, 1] - ends[:, 0]))
    *neurons, epochs = (round(count) for count in counts)
    return Hyper(float(rate), tuple(neurons), epochs)


def fit_mlp(x: ArrayLike, t_score: ArrayLike, hyper: Hyper, seed: int) -> Any:
    """An MLP of three layers from standardised features (n, 131) to the T-score, by scikit-learn's Adam.

    It learns the difference from the mean T-score: within a sub-cluster that is where every prediction begins.
    """
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPRegressor
    from sklearn.preprocessing import StandardScaler

    mlp = MLPRegressor(hidden_layer_sizes=hyper.neurons, learning_rate_init=hyper.learning_rate, max_iter=hyper.epochs,
                       n_iter_no_change=hyper.epochs, random_state=seed)  # fmt: skip
    centred = TransformedTargetRegressor(mlp, transformer=StandardScaler(with_std=False))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # how many epochs it gets is what is searched
        return centred.fit(np.asarray(x, float), np.asarray(t_score, float))


def unseen_error(x: ArrayLike, t_score: ArrayLike, people: ArrayLike, hyper: Hyper, folds: int, seed: int) -> float:
    """Root mean squared error in T over people left out fold by fold; with fewer people than folds, one by one."""
    from sklearn.model_selection import GroupKFold

    x, t, people = np.asarray(x, float), np.asarray(t_score, float), np.asarray(people)
    predicted = np.empty(len(t))
    for train, test in GroupKFold(min(folds, len(np.unique(people)))).split(x, t, people):
        predicted[test] = fit_mlp(x[train], t[train], hyper, seed).predict(x[test])
    return float(np.sqrt(np.mean((predicted - t) ** 2)))


def search_mlp(x: ArrayLike, t_score: ArrayLike, people: ArrayLike, recipe: SearchRecipe) -> Searched:
    """Search on the hips of one sub-cluster of training; from the store if it was done before.

    A search that was cut off goes on with the generation it was in and finds what it would have found.

    Parameters
    ----------
    x, t_score
        Standardised features, shape (n, 131), and T-scores, shape (n,).
    people
        Whose hip each row is, shape (n,): both hips of a person are left out together.

    Raises
    ------
    ValueError
        Fewer than two people.
    """
    x, t, people = np.asarray(x, float), np.asarray(t_score, float), np.asarray(people, str)
    if (n := len(np.unique(people))) < 2:
        raise ValueError(f"a search needs hips of two people or more, to leave one out: there is {n}")
    used = hashlib.sha256(x.tobytes() + t.tobytes() + "|".join(people).encode()).hexdigest()

    def make(folder: Path, unfinished: Path) -> None:
        done = _evolve(x, t, people, recipe, unfinished / STATE)
        write_atomic(folder / STATE, json.dumps(done))

    folder = resumable_artefact("hip-mlp", asdict(recipe) | {"hips": used}, (__name__,), make)
    done = json.loads((folder / STATE).read_text(encoding="utf-8"))
    return Searched(decode(done["best"], recipe), pd.DataFrame(done["history"]))


def _evolve(x: NDArray, t: NDArray, people: NDArray, recipe: SearchRecipe, at: Path) -> dict[str, Any]:
    """All generations; the state after each lies in the file ``at``."""
    from deap import base, tools

    class Error(base.Fitness):
        weights = (-1.0,)  # less is better

    class Genes(list):
        def __init__(self, genes, values=()):
            super().__init__(genes)
            self.fitness = Error(values)

    def mutate(genes: Genes) -> None:
        tools.mutGaussian(genes, mu=0, sigma=0.2, indpb=0.4)
        genes[:] = np.clip(genes, 0, 1).tolist()

    state: dict[str, Any] = {"history": [], "best": None, "population": []}
    if at.is_file():
        state = json.loads(at.read_text(encoding="utf-8"))
    population = [Genes(genes, values) for genes, values in state["population"]]
    for generation in range(len(state["history"]), recipe.generations + 1):
        with _drawing_from(recipe.seed, generation):
            if generation == 0:
                population = [Genes(random.random() for _ in range(5)) for _ in range(recipe.population)]
            else:
                best = tools.selBest(population, 1)
                chosen = tools.selTournament(population, recipe.population - 1, recipe.tournament)
                children = [Genes(genes, genes.fitness.values) for genes in chosen]
                for one, other in zip(children[::2], children[1::2], strict=False):
                    if random.random() < recipe.crossover:
                        tools.cxUniform(one, other, indpb=0.5)
                        del one.fitness.values, other.fitness.values
                for child in children:
                    if random.random() < recipe.mutation:
                        mutate(child)
                        del child.fitness.values
                population = best + children  # the best is never lost
        for genes in population:
            if not genes.fitness.valid:
                hyper = decode(genes, recipe)
                genes.fitness.values = (unseen_error(x, t, people, hyper, recipe.folds, recipe.seed),)
        errors = [genes.fitness.values[0] for genes in population]
        state["history"].append({"generation": generation, "best": min(errors), "mean": float(np.mean(errors))})
        state["best"] = list(tools.selBest(population, 1)[0])
        state["population"] = [(list(genes), genes.fitness.values) for genes in population]
        write_atomic(at, json.dumps(state))
    return {"history": state["history"], "best": state["best"]}


@contextmanager
def _drawing_from(seed: int, generation: int) -> Iterator[None]:
    """DEAP draws from Python's global generator: seeded inside for this generation, as it was outside."""
    before = random.getstate()
    random.seed(int(np.random.SeedSequence([seed, generation]).generate_state(1)[0]))
    try:
        yield
    finally:
        random.setstate(before)
