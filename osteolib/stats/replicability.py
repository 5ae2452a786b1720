"""What a test set of a given size can show, by simulating thousands of studies of that size.

One model serves every comparison. Unit u (a bone, a knee, a vertebra) of person p gets from method j the score

    s_upj = slope_j x_u + intercept_j + e_upj,

x_u being the truth: 1 or 0 for a class, or a standardised T-score when the metric is ``pearson_r``. The noise e is
standard normal. It correlates by ``correlation`` between two methods on one unit, by ``icc`` between two units of one
person under one method, and by their product otherwise; ``s > 0`` is a positive call. So

    AUROC = Phi(slope / sqrt 2), sensitivity = Phi(slope + intercept), specificity = Phi(-intercept),
    r = slope / sqrt(1 + slope^2).

This is the binormal model of Hanley and McNeil, Radiology 1982, with their correlated scores of 1983.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from scipy import stats

from osteolib.stats.inputs import MOST, instance, number, one_of, whole

METRICS = ("auroc", "accuracy", "f1", "pearson_r")
MOST_METHODS = 1000
STEEP = 1e9  # of a score whose noise float32 no longer sees
HALF_WIDTH = 0.05  # an interval that a reader can use, in the unit of the metric
UNITS_AT_MOST = 1500  # beyond, the SD of every metric here is proportional to 1 / sqrt(n)


@dataclass(frozen=True)
class Sample:
    """A test set: units by class, and how many people they come from, each with about as many.

    The units of a person are of one class, unless ``positive_people`` says how many people share the positive units.
    """

    n_positive: int
    n_negative: int
    people: int
    positive_people: int | None = None

    def __post_init__(self) -> None:
        for name in ("n_positive", "n_negative", "people"):
            whole(getattr(self, name), name, 0, MOST)
        if self.positive_people is not None:
            whole(self.positive_people, "positive_people", 1, MOST)
        if min(self.n_positive, self.n_negative) < 2 or not 2 <= self.people <= self.n_positive + self.n_negative:
            raise ValueError(f"a test set needs two units of each class, and from 2 to as many people as units: {self}")

    def scaled(self, factor: float) -> Sample:
        """The same make-up with ``factor`` times the people."""
        p, n, people = (max(2, round(factor * c)) for c in (self.n_positive, self.n_negative, self.people))
        return Sample(p, n, min(people, p + n), self.positive_people and (round(factor * self.positive_people) or None))

    def layout(self) -> tuple[np.ndarray, np.ndarray]:
        """Person of each unit (int), and whether it is positive (bool); both of shape (units,)."""
        units = np.arange(self.n_positive + self.n_negative)
        person = units * self.people // units.size
        carriers = int((person < self.positive_people).sum()) if self.positive_people else self.n_positive
        if carriers < self.n_positive:
            raise ValueError(f"{self.positive_people} people have {carriers} units, too few for the positive: {self}")
        return person, np.isin(units, units[: self.n_positive] * carriers // self.n_positive)


@dataclass(frozen=True)
class Study:
    """A comparison of methods on one test set: the model at the head of this module.

    ``methods`` holds (slope, intercept) of each, from :func:`from_auroc`, :func:`from_accuracy_f1` or :func:`from_r`:
    the claimed best first, the one it is compared with second. ``correlation`` and ``icc`` lie in [0, 1].
    """

    sample: Sample
    metric: str
    methods: tuple[tuple[float, float], ...]
    correlation: float = 0.5
    icc: float = 0.5

    def __post_init__(self) -> None:
        instance(Sample, self.sample, "sample")
        one_of(self.metric, "metric", METRICS)
        for name in ("correlation", "icc"):
            number(getattr(self, name), name, "[0, 1]")
        pairs = self.methods if isinstance(self.methods, tuple | list) else ()
        if not pairs or not all(isinstance(pair, tuple | list) and len(pair) == 2 for pair in pairs):
            raise ValueError(
                f"methods must be pairs of slope and intercept, as from_auroc gives them, got {self.methods!r}"
            )
        for value in (value for pair in pairs for value in pair):
            number(value, "methods", f"[-{STEEP:g}, {STEEP:g}]")

    def equal(self, k: int = 2) -> Study:
        """The same test set with ``k`` methods that are all as good as the average of those compared."""
        return replace(self, methods=(tuple(np.mean(self.methods, axis=0)),) * k)


@dataclass(frozen=True, eq=False)
class Replicability:
    """What :func:`assess` returns."""

    power: float  # a true difference of the claimed size is found at 5 %, two-sided, and in its direction
    luck: float  # the best of k equal methods leads the rank-th by the claimed difference or more
    interval: tuple[float, float]  # holds 95 % of what such studies print for the first method
    people_for_power: int  # for 80 % power
    people_for_width: int  # for an interval of the first method of +/- HALF_WIDTH
    leads: np.ndarray = field(repr=False)  # (n_studies,) lead of the best of k equal methods over the rank-th


def from_auroc(auroc: float) -> tuple[float, float]:
    """Slope and intercept of a binormal score with this AUROC, a fraction strictly between 0 and 1; else ValueError."""
    auroc = number(auroc, "auroc", "(0, 1)", "a fraction; at 0 and 1 the classes lie infinitely far apart")
    return float(np.sqrt(2) * stats.norm.ppf(auroc)), 0.0


def from_r(r: float) -> tuple[float, float]:
    """Slope and intercept of a score that correlates with the truth by r, -1 < r < 1; else ValueError."""
    r = number(r, "r", "(-1, 1)", "strictly: at -1 and 1 there is no noise")
    return float(r / np.sqrt(1 - r**2)), 0.0


def from_accuracy_f1(accuracy: float, f1: float, n_positive: int, n_negative: int) -> tuple[float, float]:
    """Slope and intercept of a score with this accuracy and F1 (fractions) at this make-up.

    Wrong calls number FP + FN = n (1 - accuracy), and F1 = 2 TP / (2 TP + FP + FN) then gives TP.

    Raises
    ------
    ValueError
        No sensitivity and specificity strictly between 0 and 1 give both: check the counts, and give fractions.
    """
    n_positive, n_negative = whole(n_positive, "n_positive", 1), whole(n_negative, "n_negative", 1)
    for name, value in (("accuracy", accuracy), ("f1", f1)):
        if not 0 <= number(value, name) <= 1:
            raise ValueError(f"{name}: fractions from 0 to 1 are needed, got {value}: divide percent by 100")
    wrong = (n_positive + n_negative) * (1 - accuracy)
    tp = wrong * f1 / (2 * (1 - f1)) if f1 < 1 else float(n_positive)  # an F1 of 1 leaves no wrong call
    rates = np.array([tp / n_positive, 1 - (wrong - n_positive + tp) / n_negative])
    if not ((rates > 0) & (rates < 1)).all():
        raise ValueError(f"no sensitivity and specificity give {accuracy=}, {f1=}, {n_positive=}, {n_negative=}")
    sensitivity, specificity = stats.norm.ppf(rates)
    return float(sensitivity + specificity), float(-specificity)


def simulate(study: Study, n_studies: int = 4000, seed: int = 0) -> np.ndarray:
    """The metric of every method in ``n_studies`` studies of this size; shape (n_studies, methods), float64.

    Raises
    ------
    ValueError
        ``study`` is none, or ``n_studies`` or ``seed`` is no count.
    """
    instance(Study, study, "study")
    n_studies, seed = whole(n_studies, "n_studies", 1, MOST), whole(seed, "seed", 0, 2**64)
    rng, (person, positive) = np.random.default_rng(seed), study.sample.layout()
    at_once = max(1, 1_000_000 // (len(study.methods) * person.size))  # a few MB, near the processor
    sizes = [min(at_once, n_studies - start) for start in range(0, n_studies, at_once)]
    return np.concatenate([_simulate(study, size, person, positive, rng) for size in sizes])


def _simulate(study: Study, size: int, person: np.ndarray, positive: np.ndarray, rng) -> np.ndarray:
    def noise(places: int) -> np.ndarray:  # (size, methods, places)
        own, common = (rng.standard_normal((size, k, places), np.float32) for k in (len(study.methods), 1))
        return float(np.sqrt(1 - study.correlation)) * own + float(np.sqrt(study.correlation)) * common

    e = noise(person.size)
    if study.sample.people < person.size:
        e = float(np.sqrt(1 - study.icc)) * e + float(np.sqrt(study.icc)) * noise(study.sample.people)[:, :, person]
    slope, intercept = np.array(study.methods, np.float32).T[:, None, :, None]
    if study.metric == "pearson_r":
        truth = rng.standard_normal((size, 1, person.size), np.float32)
        return stats.pearsonr(slope * truth + intercept + e, np.broadcast_to(truth, e.shape), axis=-1).statistic
    score = slope * positive + intercept + e
    if study.metric == "auroc":
        ranked = positive[score.argsort(axis=-1)]
        pairs = (np.cumsum(~ranked, axis=-1, dtype=np.int32) * ranked).sum(axis=-1)  # negatives below each positive
        return pairs / (study.sample.n_positive * study.sample.n_negative)
    tp, fp = ((score[..., of] > 0).sum(axis=-1) for of in (positive, ~positive))
    accuracy = (tp + study.sample.n_negative - fp) / person.size
    return accuracy if study.metric == "accuracy" else 2 * tp / (tp + fp + study.sample.n_positive)


def assess(study: Study, claimed: float, k=2, rank=2, n_studies: int = 4000, seed: int = 0) -> Replicability:
    """What a study of this size can say about its first method.

    The critical value of the power is that of equal methods in the same model. A real study does not know it, so no
    test of the same difference can be expected to find more.

    Parameters
    ----------
    claimed
        The first method's printed lead over the second, in the unit of the metric, above 0.
    k, rank
        Methods that were compared, and the place of the second among them (k if it came last).

    Raises
    ------
    ValueError
        An argument is not as above, or ``study`` has one method only.
    """
    if len(instance(Study, study, "study").methods) < 2:
        raise ValueError("study has one method only: give the one it is compared with as well")
    number(claimed, "claimed")
    k, rank = whole(k, "k", 0, MOST_METHODS), whole(rank, "rank", 0, MOST_METHODS)
    n_studies, seed = whole(n_studies, "n_studies", 0, MOST), whole(seed, "seed", 0, 2**64)
    if claimed > 2:
        raise ValueError(f"claimed must be a fraction, as the metric is, got {claimed}: divide percent by 100")
    if not (claimed > 0 and 2 <= rank <= k and n_studies >= 100):
        raise ValueError(f"need a claim > 0, 2 <= rank <= k, 100 studies; got {claimed}, {rank}, {k}, {n_studies}")
    number(claimed, "claimed", "(0, inf)")
    ordered = np.sort(simulate(study.equal(k), n_studies, seed)).T
    leads = ordered[-1] - ordered[-rank] + 1e-9  # 3/19 - 2/19 is a hair less than 1/19
    null = np.abs(np.diff(simulate(study.equal(), n_studies, seed + 1)))
    true = -np.diff(simulate(study, n_studies, seed + 2))
    critical = np.quantile(null, 0.95, method="inverted_cdf")
    (above, at), (found, tied) = ((np.mean(x > critical + 1e-9), np.isclose(x, critical).mean()) for x in (null, true))
    power = found + tied * (0.05 - above) / at  # counts on few people have ties: a randomised test keeps the 5 %

    def spread(at: Study) -> float:  # 1 at 80 % power, normal approximation
        sds = [np.diff(simulate(s, n_studies // 2, seed + 3)).std() for s in (at, at.equal())]
        return np.dot(stats.norm.ppf((0.8, 0.975)), sds) / claimed

    def width(at: Study) -> float:
        return np.ptp(_interval(at, n_studies // 2, seed)) / (2 * HALF_WIDTH)

    needed = [_people(study, goal) for goal in (spread, width)]
    luck = float(np.mean(leads >= claimed))
    return Replicability(float(power), luck, _interval(study, n_studies, seed), *needed, leads)


def _interval(study: Study, n_studies: int, seed: int) -> tuple[float, float]:
    values = simulate(replace(study, methods=study.methods[:1]), n_studies, seed)
    return tuple(np.quantile(values, (0.025, 0.975)).tolist())


def _people(study: Study, excess) -> int:
    """People at which ``excess`` is 1: it falls with 1 / sqrt(n), more exactly so the nearer the sample comes."""
    largest = max(1.0, UNITS_AT_MOST / (study.sample.n_positive + study.sample.n_negative))
    factor = tried = 1.0
    for _ in range(2):
        factor = tried * excess(replace(study, sample=study.sample.scaled(tried))) ** 2
        tried = min(factor, largest)
    return max(1, int(np.ceil(factor * study.sample.people)))
