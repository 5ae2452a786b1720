"""Bootstrap intervals side by side with other libraries, in one run: python benchmarks/bench_bootstrap.py

Time of 2,000 replicates for 224 people, and time and peak memory for 100,000 (Linux and macOS). Every peer computes
the same estimates, which is checked. scikit-learn has no bootstrap: its functions are called in a loop, for fewer
replicates, and the time is scaled up in proportion.
"""

from __future__ import annotations

import resource
import sys
import time
import warnings

import confidenceinterval
import numpy as np
from scipy import stats
from sklearn import metrics as sk

from osteolib.stats import bootstrap_ci

SIX = ("auroc", "auprc", "sensitivity", "specificity", "ppv", "npv")
FIVE = ("auroc", "sensitivity", "specificity", "ppv", "npv")  # what the peers have a vectorised form or function for
THRESHOLD, N_BOOT = 0.5, 2000
TARGET_RATIO, TARGET_GIB = 150, 2.0


def screening(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels, 40 % positive, and probabilities one SD apart."""
    rng = np.random.default_rng(0)
    y = (np.arange(n) < 0.4 * n).astype(int)
    return y, stats.norm.cdf(rng.normal(size=n) + y - 0.5)


def seconds(call, repeats: int = 1):
    """Median time of ``repeats`` calls, and the last result."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        result = call()
        times.append(time.perf_counter() - start)
    return float(np.median(times)), result


def peak_gib() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**30 if sys.platform == "darwin" else peak / 2**20


def sklearn_six(y: np.ndarray, score: np.ndarray) -> list[float]:
    call = (score >= THRESHOLD).astype(int)
    return [
        sk.roc_auc_score(y, score),
        sk.average_precision_score(y, score),
        sk.recall_score(y, call),
        sk.recall_score(y, call, pos_label=0),
        sk.precision_score(y, call),
        sk.precision_score(y, call, pos_label=0),
    ]


def sklearn_loop(y: np.ndarray, score: np.ndarray, n_boot: int) -> list[float]:
    """Stratified replicates one after the other; returns the estimates of the sample."""
    rng = np.random.default_rng(0)
    classes = [np.flatnonzero(y == c) for c in (0, 1)]
    replicates = []
    for _ in range(n_boot):
        drawn = np.concatenate([rng.choice(members, members.size) for members in classes])
        replicates.append(sklearn_six(y[drawn], score[drawn]))
    np.percentile(replicates, [2.5, 97.5], axis=0)
    return sklearn_six(y, score)


def auroc_by_ranks(positive, negative, axis):
    m, n = positive.shape[axis], negative.shape[axis]
    ranks = stats.rankdata(np.concatenate([positive, negative], axis=axis), axis=axis)
    return (np.take(ranks, range(m), axis=axis).sum(axis=axis) - m * (m + 1) / 2) / (m * n)


def ppv_of_samples(positive, negative, axis):
    tp, fp = (positive >= THRESHOLD).sum(axis=axis), (negative >= THRESHOLD).sum(axis=axis)
    return tp / (tp + fp)


def npv_of_samples(positive, negative, axis):
    fn, tn = (positive < THRESHOLD).sum(axis=axis), (negative < THRESHOLD).sum(axis=axis)
    return tn / (fn + tn)


SCIPY = {
    "auroc": auroc_by_ranks,
    "sensitivity": lambda positive, negative, axis: (positive >= THRESHOLD).mean(axis=axis),
    "specificity": lambda positive, negative, axis: (negative < THRESHOLD).mean(axis=axis),
    "ppv": ppv_of_samples,
    "npv": npv_of_samples,
}


def scipy_vectorised(y: np.ndarray, score: np.ndarray, name: str):
    sample = (score[y == 1], score[y == 0])
    stats.bootstrap(sample, SCIPY[name], n_resamples=N_BOOT, method="percentile", vectorized=True, rng=0)
    return float(SCIPY[name](*sample, axis=-1))


CONFIDENCEINTERVAL = {
    "auroc": confidenceinterval.roc_auc_score,
    "sensitivity": confidenceinterval.tpr_score,
    "specificity": confidenceinterval.tnr_score,
    "ppv": confidenceinterval.ppv_score,
    "npv": confidenceinterval.npv_score,
}


def confidenceinterval_package(y: np.ndarray, score: np.ndarray, name: str):
    predicted = score if name == "auroc" else (score >= THRESHOLD).astype(int)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        estimate, _ = CONFIDENCEINTERVAL[name](
            y, predicted, method="bootstrap_percentile", n_resamples=N_BOOT, random_state=0
        )
    return float(estimate)


def agree(ours: list[float], theirs: list[float], who: str) -> None:
    if not np.allclose(ours, theirs, atol=1e-6):  # confidenceinterval adds 1e-7 to its denominators
        raise SystemExit(f"estimates differ from {who}: {ours} and {theirs}")


def row(what: str, ours: float, theirs: float) -> None:
    print(f"  {what:<58}{1e3 * ours:>10.1f}{1e3 * theirs:>12.1f}{theirs / ours:>9.1f}x")


def large(n: int = 100_000, loops: int = 3) -> float:
    """Before the peers run: the peak is that of the whole process so far."""
    y, score = screening(n)
    before = peak_gib()
    ours, result = seconds(lambda: bootstrap_ci(y, score, SIX, threshold=THRESHOLD, n_boot=N_BOOT))
    after = peak_gib()
    print(f"n = {n:,}, {N_BOOT:,} replicates, six metrics")
    print(f"  peak memory {after:.2f} GiB, of which {before:.2f} before the bootstrap; target {TARGET_GIB:.0f} GiB")
    theirs, estimates = seconds(lambda: sklearn_loop(y, score, loops))
    agree(list(result.estimate.values()), estimates, "scikit-learn")
    print(f"  {'':<58}{'ours, ms':>10}{'peer, ms':>12}{'ratio':>10}")
    row(f"scikit-learn in a loop ({loops} replicates, scaled up)", ours, theirs * N_BOOT / loops)
    return after


def small(n: int = 224, loops: int = 300) -> float:
    y, score = screening(n)
    print(f"\nn = {n}, {N_BOOT:,} replicates")
    print(f"  {'':<58}{'ours, ms':>10}{'peer, ms':>12}{'ratio':>10}")

    def us(names, stratify=True):
        return seconds(lambda: bootstrap_ci(y, score, names, THRESHOLD, N_BOOT, stratify), repeats=9)

    ours, result = us(SIX)
    theirs, estimates = seconds(lambda: sklearn_loop(y, score, loops))
    agree(list(result.estimate.values()), estimates, "scikit-learn")
    ratio = theirs * N_BOOT / loops / ours
    row(f"six metrics, scikit-learn in a loop ({loops}, scaled up)", ours, theirs * N_BOOT / loops)

    slower = []
    for peer, call, stratify, repeats in (
        ("scipy.stats.bootstrap, vectorised", scipy_vectorised, True, 9),
        ("confidenceinterval", confidenceinterval_package, False, 1),  # draws without strata
    ):
        total = 0.0
        for name in FIVE:
            ours, result = us((name,), stratify)
            theirs, estimate = seconds(lambda call=call, name=name: call(y, score, name), repeats)
            agree([result.estimate[name]], [estimate], peer)
            row(f"{name}, {peer}", ours, theirs)
            total += theirs
            slower += [f"{name} of {peer}"] * (ours > theirs)
        ours, _ = us(FIVE, stratify)
        row(f"these five in one call, {peer}", ours, total)
    print(f"  slower than: {', '.join(slower) or 'none of them'}")
    return ratio


if __name__ == "__main__":
    memory = large()
    ratio = small()
    print(
        f"\nEstimates agree. Target {TARGET_RATIO}x scikit-learn: {'met' if ratio >= TARGET_RATIO else 'MISSED'}",
        end="",
    )
    print(f" ({ratio:.0f}x); {TARGET_GIB:.0f} GiB: {'met' if memory < TARGET_GIB else 'MISSED'} ({memory:.2f} GiB)")
