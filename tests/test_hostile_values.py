"""Every public function of the statistics and heat maps, every argument, values that nobody should give.

One rule: an answer that is right, or one ValueError that names an argument. Never another exception, a warning, or a
NaN that the words of the function do not promise. :func:`calls` has one valid call of every function; a new function
without one fails here. What is given in place of an argument depends on its type hint and on the valid value.
"""

import dataclasses
import inspect
import pkgutil
import re
import warnings
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from importlib import import_module
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import osteolib.explain
import osteolib.stats
from osteolib.phantoms.hip.truth import FEMUR, NECK
from osteolib.screen.sub_clusters import fit_sub_clusters
from osteolib.screen.triplet import N_FEATURES, TripletNet
from osteolib.stats.copies import Binormal, Likeness, copy_codes
from osteolib.stats.copy_coverage import Setting
from osteolib.stats.replicability import Sample, Study, from_auroc
from osteolib.stats.resampling import design_resampling

INNER = {
    "stats.checks": "the checks themselves",
    "stats.inputs": "the checks themselves",
    "stats.metrics": "called with what bootstrap_ci and referral_table have checked",
    "explain.inputs": "the checks themselves",
}
"""Modules whose functions are parts of others."""
APART = {
    "stats.exact.exact_of_calls": "called with what bootstrap_ci and delong_ci have checked",
    "stats.resampling.check_people": "a check",
    "stats.t_score_calibration.slope": "called thousands of times with what proportional_bias has checked",
    "explain.heatmaps.out_of_fold_maps": "needs trained networks on disk: tests/explain/test_heatmaps.py",
    "explain.heatmaps.ScreeningLogit": "what grad_cam looks at",
}
HUGE = {("stats.calibration.calibration_curve", "n_bins"), ("stats.calibration.brier_decomposition", "n_bins")}
"""Not tried with 10**9: it asks for gigabytes."""
HELD = ("stats.calibration", "stats.labels", "stats.thresholds")
"""Modules that recorded runs of hours hold by their code: what fails there stands in :data:`KNOWN`."""

KNOWN = {
    "stats.calibration.brier_decomposition": {"y_true", "y_score", "n_bins", "strategy"},
    "stats.calibration.calibration_curve": {"y_true", "y_score", "n_bins", "strategy", "confidence"},
    "stats.calibration.calibration_slope_intercept": {"y_true", "y_score", "confidence"},
    "stats.calibration.probabilities": {"y_true", "y_score"},
    "stats.labels.bone_loss": {"label"},
    "stats.labels.label_from_t_score": {"t_score", "rule"},
    "stats.thresholds.decision_curve": {"y_true", "y_score", "thresholds"},
    "stats.thresholds.referral_table": {"sensitivity", "specificity", "prevalence"},
    "stats.thresholds.sensitivity_constrained_threshold": {"y_true", "y_score", "min_sensitivity", "grid", "ties"},
}
"""Arguments that break the rule in :data:`HELD`: other exceptions for what is no number, hidden values read."""

N = 24
RNG = np.random.default_rng(0)
Y = np.tile([0, 1, 1, 0, 0, 1], 4)
SCORE = RNG.integers(-16, 16, N) / 8 + Y  # eighths, which float16 holds exactly
OTHER = RNG.integers(-16, 16, N) / 8 + Y / 2
SHARE = RNG.integers(4, 60, N) / 64
T, PREDICTED = RNG.integers(-32, 8, N) / 8, RNG.integers(-32, 8, N) / 8
PEOPLE = np.array([f"P{i // 2}" for i in range(N)])
SHEETS = np.tile([0, 0, 1], 8)
FILES = pd.DataFrame({"label": np.where(Y, "osteoporosis", "normal"), "bytes_group": np.arange(N) // 2,
                      "picture_group": np.arange(N) // 4, "source_group": np.arange(N) // 4})  # fmt: skip
MODEL, ALIKE = Binormal(1.0, 1.0, 0.5), Likeness()
SETTING = Setting("whole", ("osteoporosis",), MODEL)
STUDY = Study(Sample(10, 12, 20), "auroc", (from_auroc(0.8), from_auroc(0.7)))
IMAGES = RNG.integers(0, 256, (2, 16, 16), dtype=np.uint8)
REGION = np.zeros((2, 16, 16), bool)
REGION[:, 4:12, 4:12] = True


class Network(nn.Module):
    """A convolution, its mean, one logit; ``spoil`` changes the answer."""

    def __init__(self, spoil=lambda screen: screen):
        super().__init__()
        torch.manual_seed(0)
        self.features, self.answer, self.spoil = nn.Conv2d(1, 3, 4, stride=4), nn.Linear(3, 1), spoil

    def forward(self, images):
        return SimpleNamespace(screen=self.spoil(self.answer(self.features(images).mean((2, 3))).squeeze(1)))


def public():
    """Functions and checked classes of both packages by ``package.module.name``."""
    found = {}
    for package in (osteolib.stats, osteolib.explain):
        for module in pkgutil.iter_modules(package.__path__):
            short = f"{package.__name__.split('.')[-1]}.{module.name}"
            if module.ispkg or short in INNER:
                continue
            home = import_module(f"{package.__name__}.{module.name}")
            for name, thing in vars(home).items():
                own = getattr(thing, "__module__", None) == home.__name__ and not name.startswith("_")
                checked = inspect.isclass(thing) and (hasattr(thing, "__post_init__") or issubclass(thing, nn.Module))
                if own and (inspect.isfunction(thing) or checked) and f"{short}.{name}" not in APART:
                    found[f"{short}.{name}"] = thing
    return found


def rng():
    return np.random.default_rng(1)


@lru_cache
def calls():
    """A valid call of every function, by name: its arguments."""
    two = {"reference": T, "predicted": PREDICTED}
    few = {"n_boot": 100, "seed": 1}
    draws = {"counts": 50, "design": design_resampling(N, PEOPLE)}
    psi, found = (RNG.random((2, 4, 6)) < 0.7).astype(float), (RNG.random((2, 4)) < 0.7).astype(float)
    features = RNG.normal(size=(200, N_FEATURES + 3))
    clusters = fit_sub_clusters(features, -2.6 + 0.4 * features[:, :4].sum(1) + 0.3 * RNG.normal(size=200))
    torch.manual_seed(0)
    triplet = TripletNet((4, 4, 4, 4)).eval()
    from osteolib.explain.hip_heatmaps import HipScore

    predictions = pd.DataFrame({"method": "a", "target": "x", "split": "test", "y_true": Y, "y_score": SHARE,
                                "split_group": PEOPLE})  # fmt: skip
    studies = pd.DataFrame({"study": [0, 1], "draw": "files", "metric": "auroc", "value": [0.7, 0.8],
                            "ci_low": [0.6, 0.7], "ci_high": [0.8, 0.9], "units": 24})  # fmt: skip
    at_random = {"y_true": Y, "y_score": SCORE, "groups": PEOPLE}
    settings = few | {"method": "percentile", "groups": PEOPLE, "confidence": 0.95}
    codes = copy_codes(FILES)
    return {
        "stats.added_value.added_value_found": {"y_true": Y, "probability": SHARE, "groups": PEOPLE, "aurocs": [0.75],
                                                "n_studies": 1, **few},
        "stats.agreement.bland_altman": two | {"confidence": 0.95},
        "stats.agreement.lin_ccc": two | {"confidence": 0.95},
        "stats.agreement_clustered.bland_altman_clustered": two | {"groups": PEOPLE, "confidence": 0.95},
        "stats.agreement_clustered.by_person": two | {"groups": PEOPLE, "how": "lowest"},
        "stats.any_positive.any_positive": {"subject": PEOPLE, "positive": Y},
        "stats.any_positive.positives_of": {"n": 4, "prevalence": 0.25, "alike": 0.5},
        "stats.any_positive.rates_of_any": {"sensitivity": 0.75, "specificity": 0.5, "errors_alike": 0.25,
                                            "positives": np.array([0.5, 0.25, 0.25])},
        "stats.any_positive.uncalled_by_person": {"chance": 0.5, "alike": 0.25},
        "stats.bootstrap.bootstrap_ci": {"y_true": Y, "y_score": SHARE, "metrics": ("auroc", "sensitivity"),
                                         "threshold": 0.5, "stratify": True, **settings},
        "stats.bootstrap.bootstrap_difference": {"y_true": Y, "score_a": SCORE, "score_b": OTHER, "metric": "auroc",
                                                 "threshold": 0.5, "stratify": True, **settings, "method": "bca"},
        "stats.bootstrap_any.bootstrap_statistic": {"statistic": largest_gap, "arrays": (T, PREDICTED), **settings},
        "stats.built_in.limit_of": {"r": 0.5, "sd": 1.25},
        "stats.built_in.r_when_filtered": {"r": 0.5, "largest": 0.5, "sd": 1.25},
        "stats.built_in.r_when_routed": {"r": 0.5, "cuts": np.array([-2.5, -1.0]), "mean": -1.5, "sd": 1.25},
        "stats.calibration.brier_decomposition": {"y_true": Y, "y_score": SHARE, "n_bins": 4, "strategy": "quantile"},
        "stats.calibration.calibration_curve": {"y_true": Y, "y_score": SHARE, "n_bins": 4, "strategy": "uniform",
                                                "confidence": 0.95},
        "stats.calibration.calibration_slope_intercept": {"y_true": Y, "y_score": SHARE, "confidence": 0.95},
        "stats.calibration.probabilities": {"y_true": Y, "y_score": SHARE},
        "stats.copies.Binormal": {"mean": 1.0, "sd": 1.0, "threshold": 0.5},
        "stats.copies.Likeness": {"bytes": 1.0, "picture": 0.75, "film": 0.5},
        "stats.copies.binormal": {"auroc": 0.75, "specificity": 0.75, "sensitivity": 0.625},
        "stats.copies.copy_codes": {"subjects": FILES},
        "stats.copies.covariance_of_signs": {"h": 0.5, "r": np.array([0.0, 0.5, -0.5])},
        "stats.copies.design_effects": {"codes": codes, "case": Y, "model": MODEL, "likeness": ALIKE},
        "stats.copies.draw_files": {"label": FILES["label"].to_numpy(object), "sizes": {"normal": 3, "osteoporosis": 2},
                                    "rng": rng()},
        "stats.copies.draw_scores": {"codes": codes, "case": Y, "model": MODEL, "likeness": ALIKE, "rng": rng()},
        "stats.copy_coverage.Setting": {"name": "x", "cases": ("ill",), "model": MODEL, "sizes": {"well": 3}},
        "stats.copy_coverage.expected_effects": {"subjects": FILES, "setting": SETTING, "likeness": ALIKE, "n_sets": 2,
                                                 "seed": 1},
        "stats.copy_coverage.groups_in": {"subjects": FILES},
        "stats.copy_coverage.simulated_studies": {"subjects": FILES, "setting": SETTING, "likeness": ALIKE,
                                                  "n_studies": 1, "rng": rng(), "n_draws": 100},
        "stats.copy_coverage.width_and_coverage": {"studies": studies, "setting": SETTING},
        "stats.correlation.fisher_z_ci": {"r": 0.5, "n": 30, "confidence": 0.95},
        "stats.coverage.bca_intervals": {"found": found, "psi": psi, "w": np.ones((9, 4)), "v": np.ones((9, 6)),
                                         "knees": 2},
        "stats.coverage.bootstrap_intervals": {"found": found, "psi": psi, "w": np.ones((9, 4)), "v": np.ones((9, 6))},
        "stats.coverage.coverage": {"cases": 4, "normals": 6, "auroc": 0.75, "sensitivity": 0.75, "correlation": 0.5,
                                    "n_studies": 3, "rng": rng(), "n_draws": 20},
        "stats.coverage.formula_intervals": {"found": found, "psi": psi},
        "stats.coverage.two_knees": {"n": 4, "correlation": 0.5, "n_studies": 3, "rng": rng()},
        "stats.coverage.weights": {"m": 4, "n": 6, "n_draws": 5, "rng": rng()},
        "stats.exact.exact_interval": {"successes": 12, "n": 12, "confidence": 0.95},
        "stats.labels.bone_loss": {"label": FILES["label"].to_numpy(object)},
        "stats.labels.label_from_t_score": {"t_score": T, "rule": "who"},
        "stats.learning_curve.fit_power_law": {"n": np.arange(1, N + 1), "error": OTHER},
        "stats.likeness.likeness_of_errors": {"subject": PEOPLE, "truth": Y, "called": 1 - Y, **few},
        "stats.likeness.likeness_of_truth": {"subject": PEOPLE, "truth": Y, **few},
        "stats.paired_calls.exchanged_by_person": {"difference": SCORE, "groups": PEOPLE, "n_draws": 50, "seed": 1,
                                                   "levels": (0.05,)},
        "stats.paired_calls.mcnemar_exact": {"y_true": Y, "called_a": Y[::-1], "called_b": 1 - Y},
        "stats.paired_calls.paired_t": {"difference": SCORE},
        "stats.paired_calls.right_and_error": {"y_true": Y, "score": SHARE, "threshold": 0.5},
        "stats.power.least_effect": {"ci": (0.0, 0.25), "times": 0.5, "chance": 0.75},
        "stats.power.power_of": {"effect": 0.125, "ci": (0.0, 0.25)},
        "stats.prediction_metrics.prediction_metrics": {"predictions": predictions, **few},
        "stats.random_sets.auroc_of_random_sets": at_random | {"n_groups": 4, "n_draws": 20, "seed": 1},
        "stats.ranks.auroc_within": {"y": Y, "score": SCORE, "stratum": SHEETS},
        "stats.ranks.spearman": {"a": SCORE, "b": OTHER},
        "stats.repeat_scans.r_of_perfect_reader": {"error_sd": 0.25, "scan_sd": 1.0},
        "stats.repeat_scans.r_of_second_scan": {"error_sd": 0.25, "scan_sd": 1.0},
        "stats.repeat_scans.t_score_error": {"cv_pct": 2.0, "t_score": -2.5, "mean": 0.875, "sd": 0.125},
        "stats.replicability.Sample": {"n_positive": 10, "n_negative": 12, "people": 20, "positive_people": 9},
        "stats.replicability.Study": {"sample": Sample(10, 12, 20), "metric": "auroc",
                                      "methods": (from_auroc(0.8),) * 2, "correlation": 0.5, "icc": 0.5},
        "stats.replicability.assess": {"study": STUDY, "claimed": 0.125, "k": 3, "rank": 2, "n_studies": 100,
                                       "seed": 1},
        "stats.replicability.from_accuracy_f1": {"accuracy": 0.75, "f1": 0.75, "n_positive": 20, "n_negative": 30},
        "stats.replicability.from_auroc": {"auroc": 0.75},
        "stats.replicability.from_r": {"r": 0.5},
        "stats.replicability.simulate": {"study": STUDY, "n_studies": 5, "seed": 1},
        "stats.resampling.check_settings": {"n_boot": 100, "confidence": 0.95, "method": "bca"},
        "stats.resampling.design_resampling": {"n": N, "groups": PEOPLE, "y_true": Y},
        "stats.resampling.usual_method": {"n_rarer": 12},
        "stats.resampling.draw_counts": {"design": draws["design"], "n_boot": 100, "seed": 1},
        "stats.resampling.interval": {"estimate": 0.5, "replicates": SCORE, "left_out": RNG.integers(0, 64, 12) / 64,
                                      "design": draws["design"], "confidence": 0.95},
        "stats.resampling.leave_one_out_counts": {"design": draws["design"]},
        "stats.roc.delong_ci": {"y_true": Y, "y_score": SCORE, "confidence": 0.95, "groups": PEOPLE},
        "stats.roc.delong_test": {"y_true": Y, "score_a": SCORE, "score_b": OTHER, "confidence": 0.95,
                                  "groups": PEOPLE},
        "stats.seeds.seeded_steps": {"values": [[0.7, 0.75, 0.8], [0.72, 0.74, 0.83], [0.66, 0.7, 0.8]],
                                     "confidence": 0.95},
        "stats.t_score_calibration.calibration_bins": two | {"groups": PEOPLE, "n_bins": 3, **few},
        "stats.t_score_calibration.proportional_bias": two | {"groups": PEOPLE, "cut": -2.5, **few},
        "stats.thresholds.decision_curve": {"y_true": Y, "y_score": SHARE, "thresholds": np.array([0.25, 0.5])},
        "stats.thresholds.referral_table": {"sensitivity": 0.75, "specificity": 0.5,
                                            "prevalence": np.array([0.25, 0.5])},
        "stats.thresholds.sensitivity_constrained_threshold": {"y_true": Y, "y_score": SHARE, "min_sensitivity": 0.75,
                                                               "grid": np.array([0.25, 0.5]), "ties": "lowest"},
        "stats.within.aurocs_within": {"y": Y, "scores": {"a": SCORE}, "stratum": SHEETS, "groups": PEOPLE, **few},
        "explain.heatmaps.cascading_randomisation": {"trained": Network(), "untrained": Network(), "images": IMAGES,
                                                     "layer": "features", "guided": False, "parts": ("answer",)},
        "explain.heatmaps.centred_gaussian": {"size": 16, "sd": 0.25},
        "explain.heatmaps.grad_cam": {"model": Network(), "images": IMAGES, "layer": "features", "guided": False,
                                      "batch_size": 2},
        "explain.heatmaps.roi_scores": {"maps": RNG.random((2, 16, 16)), "masks": REGION},
        "explain.hip_heatmaps.HipScore": {"network": triplet, "weight": RNG.normal(size=N_FEATURES)},
        "explain.hip_heatmaps.class_scores": {"model": HipScore(triplet), "images": IMAGES},
        "explain.hip_heatmaps.covered": {"images": IMAGES, "femur": REGION, "region": ~REGION},
        "explain.hip_heatmaps.score_weights": {"clusters": clusters},
        "explain.hip_heatmaps.squares_on_black": {"images": IMAGES, "femur": REGION},
        "explain.hip_heatmaps.true_necks": {"hips": pd.DataFrame({"side": ["left"], "image_id": "film",
                                                                  "masks_path": masks_file()}), "size": 16},
    }  # fmt: skip


@lru_cache
def masks_file():
    import tempfile

    drawn = np.zeros((60, 120), np.uint8)
    drawn[10:50, 10:50] = drawn[10:50, 70:110] = FEMUR
    drawn[10:30, 70:90] |= NECK
    path = f"{tempfile.mkdtemp()}/masks.npz"
    np.savez(path, film=drawn)
    return path


def largest_gap(x, y):
    return float(np.abs(x - y).mean())


# hostile values


NOTHING = [None, object(), {}, {"a": 1}, set(), 1 + 2j, "x", "0.5", b"x", np.nan, np.inf, -np.inf, [], (), np.array([]),
           np.ma.masked, pd.NA, pd.NaT, 10**400, np.array(["a", "b"]), np.zeros((2, 2, 2, 2)), datetime(2024, 1, 1),
           Decimal("0.5"), [[1], [2, 3]], range(0), [None], [np.ma.masked, 1.0], torch.ones(3, requires_grad=True),
           pd.DataFrame(), np.array(None), np.timedelta64(3, "s")]  # fmt: skip
NUMBERS = [0, 1, -1, 0.5, 2, 50, 95, 1e308, -1e308, 1e-308, 5e-324, 1e17, -0.0, True, np.float16(0.5), np.int8(1),
           np.uint8(200), Fraction(1, 2), [0.5], np.array(0.5), np.array([0.5]), 1 - 1e-16, 1 + 2e-16, 1e-17, -1e-17,
           np.longdouble("1e4000"), np.bool_(True)]  # fmt: skip
WHOLES = [
    0,
    1,
    2,
    3,
    -1,
    True,
    2.0,
    2.5,
    np.int8(5),
    np.uint8(200),
    10**9,
    10**18,
    2**63,
    10**30,
    -(10**30),
    [3],
    np.array(4),
]


def of_a_vector(v: np.ndarray):
    n = len(v)
    yield from (v[:-1], v[:0], v[:1], v[:, None], v[None], np.append(v, v[:1]), pd.DataFrame({"a": v}))
    if v.dtype.kind not in "biuf":  # names
        yield from (np.full(n, "one"), np.full(n, None), pd.Series(v).mask(np.arange(n) == 2), np.arange(n) * 1.0,
                    np.where(np.arange(n) == 3, np.nan, 1.0), pd.Categorical(v), [[k] for k in range(n)],
                    [(k, k) for k in range(n)], np.ma.array(v, mask=np.arange(n) == 1), np.arange(n) % 2 == 0,
                    np.arange(n))  # fmt: skip
        return
    for bad in (np.nan, np.inf, -np.inf, 1e308, -1e308, 1e-308, 7.0, -7.0, 0.5, 1e17):
        w = v.astype(float)
        w[n // 2] = bad
        yield w
    w = v.astype(object)
    for bad in (None, pd.NA, "a", "0,5", 10**400, 1j, [1], Decimal(1), np.ma.masked):
        w = w.copy()
        w[n // 2] = bad
        yield w
    yield from (np.ma.array(v, mask=np.arange(n) == 1), np.ma.array(v, mask=True), v.astype(str), v.astype("S8"),
                v.astype(complex), np.zeros(n), np.ones(n), np.full(n, 0.1), v > v.mean(), v * 100.0, -v * 1.0,
                v.astype("M8[s]"), np.full(n, 2**63, np.uint64), np.arange(n) + 2**60, np.full(n, 1e308),
                np.tile([-1e308, 1e308], n)[:n], v * 1e-300, v * 1e-160, v * 1e160, v.astype("longdouble") * 10,
                pd.array([None, *np.ones(n - 1, int)], dtype="Int64"), iter(v.tolist()), np.arange(n), np.arange(n) / n,
                1e16 + np.arange(n) * 2.0, np.eye(1, n).ravel(), 1 - np.eye(1, n).ravel(), 
                pd.Series(v, dtype="category"), v.astype([("a", float)]))  # fmt: skip


def of_a_picture(p: np.ndarray):
    yield from (p / 255, p.astype(float), p.astype(np.uint16) * 257, p.astype(np.int64), p.astype(np.int8), p > 0, p[0],
                p[None], p[:0], p[:, :0], p[:, :1][..., :1], p[:, :5][..., :5], p[:1], p[:, ::-1], np.zeros_like(p),
                np.full_like(p, 1), np.ma.array(p, mask=p > p.mean()), np.ma.array(p), p * 1j, p.astype(object),
                p.astype(str), -p.astype(float), np.where(p > 0, np.nan, 1.0), np.where(p > 0, np.inf, 1.0),
                p.astype(np.float16), p.tolist(), p.T, p.astype(np.float32) / 3, (p > p.mean()).astype(np.uint8),
                (p > p.mean()).astype(int) * 255)  # fmt: skip


def of_a_table(t: pd.DataFrame):
    yield from (
        t.iloc[:0],
        t.iloc[:1],
        t.set_axis(np.zeros(len(t)), axis=0),
        pd.concat([t, t], axis=1),
        t.to_dict(),
        t.T,
    )
    for column in t:
        yield t.drop(columns=column)
        for bad in (np.nan, None, 10**30, -1, "x", 1j, [1], np.inf, True):
            yield t.assign(**{column: pd.Series([bad] * len(t), index=t.index, dtype=object)})
        yield t.assign(**{column: t[column].mask(np.arange(len(t)) == len(t) - 1)})


def spoiled_networks():
    yield Network(lambda screen: screen.detach())
    yield Network(lambda screen: screen[:, None].repeat(1, 2))
    yield Network(lambda screen: screen.sum())
    yield Network(lambda screen: screen * torch.nan)
    yield Network(lambda screen: None)
    yield Network(lambda screen: torch.ones_like(screen, requires_grad=True))
    yield from (nn.Linear(3, 1), nn.Identity(), Network().half(), Network().double(), Network().requires_grad_(False))
    with torch.inference_mode():
        yield Network()


def hostile(hint: str, value):
    """What is given in place of a valid value."""
    yield from NOTHING
    if isinstance(value, bool):
        yield from (0, 1, "no", np.bool_(True), 2.0, [True])
    elif hint.startswith("int") or (isinstance(value, int) and "float" not in hint):
        yield from WHOLES
    elif isinstance(value, int | float):
        yield from NUMBERS
    elif isinstance(value, str):
        yield from ("", "nonsense", ["mean"], 0, True, f" {value}", value.upper())
    elif isinstance(value, pd.DataFrame):
        yield from of_a_table(value)
    elif isinstance(value, np.ndarray):
        yield from of_a_vector(value) if value.ndim == 1 else of_a_picture(value)
    elif isinstance(value, nn.Module):
        yield from spoiled_networks()
    elif isinstance(value, np.random.Generator):
        yield from (0, np.random.RandomState(0), np.random)
    elif isinstance(value, dict):
        yield from ({"normal": bad} for bad in (0, -1, 1.5, 10**9, None, "3", True, 1.0))
    elif isinstance(value, tuple | list):
        yield from ((value[0], *value), value[:0], (None,), ("nonsense",), (0.5,), value[0], iter(value), (1.0, np.nan),
                    ((np.nan, 1.0),), ((1e300, 0.0), (1.0, 0.0)), (0,), (b"x",), ([],))  # fmt: skip
    elif callable(value):
        yield from (lambda *a: None, lambda *a: np.ones(2), lambda *a: "1", lambda *a: 1j, lambda *a: np.nan,
                    lambda *a: np.inf, lambda *a: np.array(1.0), lambda *a: 1, lambda *a: True, np.ones(3))  # fmt: skip


def run(function, arguments: dict):
    arguments = {name: rng() if isinstance(v, np.random.Generator) else v for name, v in arguments.items()}
    arrays = arguments.pop("arrays", ())
    if "arrays" in inspect.signature(function).parameters:
        statistic = arguments.pop("statistic")
        arrays = arrays if isinstance(arrays, tuple | list) else (arrays,)
        found = function(statistic, *arrays, **arguments)
    else:
        found = function(**arguments)
    return list(found) if inspect.isgenerator(found) else found


def leaves(found) -> Iterable:
    """Numbers and words in an answer."""
    if dataclasses.is_dataclass(found) and not isinstance(found, type):
        for one in dataclasses.fields(found):
            yield from leaves(getattr(found, one.name))
    elif isinstance(found, pd.DataFrame | pd.Series):
        yield from leaves(found.reset_index().to_numpy(object).ravel())
    elif isinstance(found, dict):
        yield from leaves(list(found.values()))
    elif isinstance(found, np.ndarray | list | tuple):
        if isinstance(found, np.ndarray) and found.dtype != object:
            yield from (
                found.ravel()[:1] if found.dtype.kind != "f" else found.ravel()[~np.isfinite(found.ravel())][:1]
            )
        else:
            for one in found:
                yield from leaves(one)
    else:
        yield found


def promised(function, found) -> str:
    """The words of a function and of what it returns."""
    words = function.__doc__ or ""
    if dataclasses.is_dataclass(found) or hasattr(found, "_fields"):
        words += inspect.getsource(type(found))
        parts = (
            [getattr(found, one.name) for one in dataclasses.fields(found)] if dataclasses.is_dataclass(found) else []
        )
        words += "".join(inspect.getsource(type(part)) for part in parts if dataclasses.is_dataclass(part))
    return words


def verdict(function, arguments: dict) -> str:
    """Empty where the rule holds, else what went wrong."""
    names = set(inspect.signature(function).parameters) | ({"array"} if "arrays" in arguments else set())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = run(function, arguments)
    except ValueError as error:
        named = any(re.search(rf"\b{name}\b", str(error)) for name in names)
        return "" if named else f"ValueError names no argument: {error}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    words = promised(function, found)
    for leaf in leaves(found):
        if isinstance(leaf, float | np.floating) and np.isnan(leaf) and "NaN" not in words:
            return "NaN that nobody promised"
        if isinstance(leaf, float | np.floating) and np.isinf(leaf) and "infinite" not in words:
            return "infinite"
        if isinstance(leaf, complex | np.complexfloating):
            return "complex"
    return ""


def wrong(name: str) -> dict[tuple[str, int], str]:
    """What went wrong with which hostile value of which argument."""
    function, valid = public()[name], calls()[name]
    found = {}
    for argument, parameter in inspect.signature(function).parameters.items():
        hint, value = str(parameter.annotation), valid[argument]
        if argument == "arrays":
            continue
        for number, bad in enumerate(hostile(hint, value)):
            if (name, argument) in HUGE and isinstance(bad, int) and bad > 10**6:
                continue
            if complaint := verdict(function, valid | {argument: bad}):
                found[argument, number] = f"{complaint[:200]} <- {argument}={bad!r:.80}"
    if "arrays" in valid:  # in place of one of them
        for number, bad in enumerate([*NOTHING, *of_a_vector(valid["arrays"][0])]):
            if complaint := verdict(function, valid | {"arrays": (bad, valid["arrays"][1])}):
                found["arrays[0]", number] = f"{complaint[:200]} <- {bad!r:.80}"
    return found


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def test_every_public_function_has_a_valid_call():
    assert sorted(public()) == sorted(calls())
    for name, function in public().items():
        assert set(calls()[name]) == set(inspect.signature(function).parameters), name
        assert verdict(function, calls()[name]) == "", name
    exported = {name for name in osteolib.stats.__all__ if inspect.isfunction(getattr(osteolib.stats, name))}
    assert exported <= {name.split(".")[-1] for name in public()}
    for name in (*INNER, *APART):  # no exception outlives what it was made for
        assert pkgutil.resolve_name(f"osteolib.{name}")


@pytest.mark.parametrize("name", [name for name in sorted(public()) if name.rpartition(".")[0] not in HELD])
def test_a_right_answer_or_an_error_that_names_an_argument(name):
    assert list(wrong(name).values()) == []


@pytest.mark.parametrize("name", [name for name in sorted(public()) if name.rpartition(".")[0] in HELD])
def test_what_is_held_breaks_the_rule_where_it_is_known_to_and_nowhere_else(name):
    assert {argument for argument, _ in wrong(name)} == KNOWN.get(name, set())


def same_values(v: np.ndarray):
    """A vector in other types and containers; what is hidden or shuffled is not read."""
    n = len(v)
    yield from (v.tolist(), tuple(v.tolist()), pd.Series(v, index=np.random.default_rng(0).permutation(n)),
                v.astype(object), np.ma.array(v), np.repeat(v, 2)[::2], pd.Series(v).array)  # fmt: skip
    if v.dtype.kind in "biuf":
        yield from (v.astype(kind) for kind in (np.float16, np.float32, ">f8", np.longdouble))
        yield from (v.astype(kind) for kind in (np.int8, np.uint8, bool) if set(v) <= {0, 1})
        frozen = v.copy()
        frozen.setflags(write=False)
        yield frozen


def alike(a, b) -> bool:
    """Whether two answers are the same to the bit."""
    if dataclasses.is_dataclass(a):
        return all(alike(getattr(a, one.name), getattr(b, one.name)) for one in dataclasses.fields(a))
    if isinstance(a, pd.DataFrame | pd.Series):
        return a.reset_index().astype(object).equals(b.reset_index().astype(object))
    if isinstance(a, np.ndarray):
        return a.shape == b.shape and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
    if isinstance(a, dict):
        return alike(list(a.values()), list(b.values()))
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(alike, a, b))
    return a == b or (a != a and b != b)


@pytest.mark.parametrize("name", [name for name in sorted(calls()) if name.startswith("stats")])
def test_type_container_and_index_of_a_vector_change_nothing(name):
    """By position, whatever index a Series has; an int8 or float16 neither overflows nor rounds on the way."""
    function, valid = public()[name], calls()[name]
    vectors = {key: v for key, v in valid.items() if isinstance(v, np.ndarray) and v.ndim == 1}
    if not vectors or name.endswith(".label_from_t_score"):  # keeps the index of what it is given
        return
    expected = run(function, valid)
    for argument, vector in vectors.items():
        for other in same_values(vector):
            try:
                found = run(function, valid | {argument: other})
            except ValueError:
                continue
            assert alike(expected, found), f"{argument} as {type(other).__name__} {getattr(other, 'dtype', '')}"


def test_what_a_masked_array_hides_is_never_read():
    """Two hidden values, two answers would be wrong; there is none."""
    from osteolib.stats import bland_altman, bootstrap_ci, delong_ci

    hidden = np.arange(N) == 5
    for score in (np.where(hidden, 99.0, SCORE), np.where(hidden, -99.0, SCORE)):
        for call in (
            lambda s: delong_ci(Y, s),
            lambda s: bootstrap_ci(Y, s, n_boot=100),
            lambda s: bland_altman(T, s),
        ):
            with pytest.raises(ValueError, match="hides 1 values, which are missing: drop these units"):
                call(np.ma.array(score, mask=hidden))
