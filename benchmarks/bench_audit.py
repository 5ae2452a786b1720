"""The audit beside mlscorecheck (Kovács and Fazekas, Neurocomputing 2024) in one run: python benchmarks/bench_audit.py

Three comparisons, each with the same interval around every printed value: the cases of its documentation that
both can put; every confusion matrix that the audits of the five papers ask for, of one run; and made-up rows of small
test sets, where all tables can be counted. Then the audit alone, in both directions: honest studies that are called
inconsistent, and planted errors that are found. ``--record`` writes the counts of the comparisons to
data_manifests/audit_peer.yaml, which the book shows.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import wraps
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from osteolib.report.audits import FOLDER, audit_paper
from osteolib.report.published import PAPERS
from osteolib.runs import ROOT
from osteolib.stats.audit import Printed, printed
from osteolib.stats.audit.checks import CHECKS
from osteolib.stats.audit.class_averages import class_averages
from osteolib.stats.audit.confusion import metric_bounds, solve
from osteolib.stats.audit.fold_means import counts_with_means, fold_means
from osteolib.stats.audit.honest import ASSUMED
from osteolib.stats.audit.made_up import print_as
from osteolib.stats.audit.table_metrics import TABLE_METRICS
from osteolib.stats.audit.trials import rates

RECORD = ROOT / "data_manifests" / "audit_peer.yaml"
NAMES = {  # ours to theirs
    "accuracy": "acc", "sensitivity": "sens", "specificity": "spec", "ppv": "ppv", "npv": "npv", "f1": "f1p",
    "balanced_accuracy": "bacc", "youden_j": "bm", "mcc": "mcc", "kappa": "kappa", "jaccard": "ji",
    "fowlkes_mallows": "fm", "lr_positive": "lrp", "lr_negative": "lrn", "odds_ratio": "dor",
    "macro_sensitivity": "sens", "macro_specificity": "spec", "micro_sensitivity": "sens", "micro_specificity": "spec",
    "micro_ppv": "ppv", "one_vs_rest_accuracy": "acc",
}  # fmt: skip
NEAREST = ("half-up", "half-even")
N_ROWS, REPEATS = 300, 3  # made-up; of a documented case, of which the shortest counts


@dataclass(frozen=True)
class Answer:
    """Whether some counts print so, how many tables do (where they are counted), and the seconds that it took."""

    possible: bool
    tables: int | None
    seconds: float


@dataclass(frozen=True)
class Case:
    """A documented case: test sets or folds of (positives, negatives), printed values, half-widths, and its answer."""

    name: str
    sets: list[tuple[int, int]]
    scores: dict[str, float]
    eps: float
    possible: bool
    function: str
    options: dict[str, Any]


def documented() -> list[Case]:
    """Examples in the documentation of mlscorecheck 1.0.3 whose test sets, folds or classes are numbers we can put."""
    one, first = [(530, 902)], {"sensitivity": 0.22, "specificity": 0.86, "f1": 0.3, "fowlkes_mallows": 0.32}
    two = [(52, 94), (74, 37)]
    four = [(349, 50), (478, 323), (324, 83), (123, 145)]
    pooled = [(405, 223), (3, 422), (109, 404)]
    pairs = [[(22, 23), (96, 72)], [(300, 200), (481, 223)]]
    in_all = [*pairs[0], *pairs[1]]
    test_sets = [{"p": p, "n": n} for p, n in four]
    several = [{"dataset": {"p": sum(p for p, _ in pair), "n": sum(n for _, n in pair)},
                "folding": {"folds": [{"p": p, "n": n} for p, n in pair]}} for pair in pairs]  # fmt: skip
    folds = {"dataset": {"p": 126, "n": 131}, "folding": {"folds": [{"p": p, "n": n} for p, n in two]}}
    unknown = {"dataset": {"p": 126, "n": 131}, "folding": {"n_folds": 2, "n_repeats": 1}}
    few = {"dataset": {"p": 19, "n": 97}, "folding": {"n_folds": 3, "n_repeats": 1}}
    means = {"accuracy": 0.573, "sensitivity": 0.768, "balanced_accuracy": 0.662}
    of_sets = {"accuracy": 0.6441, "sensitivity": 0.6706, "specificity": 0.3796, "balanced_accuracy": 0.5251}
    of_pairs = {"accuracy": 0.61, "sensitivity": 0.709, "specificity": 0.461, "balanced_accuracy": 0.585}
    sums = {"accuracy": 0.4719, "npv": 0.6253, "f1": 0.3091}
    sum_sets = {"testsets": [{"p": p, "n": n} for p, n in pooled]}
    rounds = {"dataset": {"p": 10, "n": 20}, "folding": {"n_folds": 5, "n_repeats": 1}}
    stratified = {"n_folds": 4, "n_repeats": 2, "strategy": "stratified_sklearn"}
    repeated = {"dataset": {"p": 398, "n": 569}, "folding": stratified}
    classes, three = [(size, 190 - size) for size in (10, 100, 80)], {"testset": {0: 10, 1: 100, 2: 80}}
    macro = {"one_vs_rest_accuracy": 0.6, "macro_sensitivity": 0.3417, "macro_specificity": 0.6928}
    micro = {"one_vs_rest_accuracy": 0.5158, "micro_sensitivity": 0.2737, "micro_specificity": 0.6368,
             "micro_ppv": 0.2737}  # fmt: skip
    glass = [(p, m) for p, m in zip((5, 4, 4, 4), (43, 44, 44, 44), strict=True)] * 2
    bounded = {"dataset": {"p": 17, "n": 175}, "folding": stratified, "fold_score_bounds": {"acc": (0.8, 1.0)}}
    eighths = [(100, 142), (100, 142), (99, 142), (99, 143)] * 2
    return [
        Case("one test set", one, first | {"accuracy": 0.62}, 1e-2, True, "check_1_testset_no_kfold",
             {"testset": {"p": 530, "n": 902}}),
        Case("one test set", one, first | {"accuracy": 0.92}, 1e-2, False, "check_1_testset_no_kfold",
             {"testset": {"p": 530, "n": 902}}),
        Case("folds of known size", two, means, 1e-3, True, "check_1_dataset_known_folds_mos", folds),
        Case("folds of known size", two, means | {"sensitivity": 0.568}, 1e-3, False,
             "check_1_dataset_known_folds_mos", folds),
        Case("stratified folds, repeated", eighths, {"accuracy": 0.9, "specificity": 0.9, "sensitivity": 0.6}, 1e-2,
             False, "check_1_dataset_known_folds_mos", repeated),
        Case("folds of unknown size", [(257, 126)], means, 1e-3, True, "check_1_dataset_unknown_folds_mos", unknown),
        Case("folds of unknown size", [(116, 19)], {"accuracy": 0.9, "specificity": 0.9, "sensitivity": 0.6}, 1e-4,
             False, "check_1_dataset_unknown_folds_mos", few),
        Case("mean over test sets", four, of_sets, 1e-4, True, "check_n_testsets_mos_no_kfold",
             {"testsets": test_sets}),
        Case("mean over test sets", four, of_sets | {"sensitivity": 0.6756}, 1e-4, False,
             "check_n_testsets_mos_no_kfold", {"testsets": test_sets}),
        Case("mean over data sets of folds", in_all, of_pairs, 1e-3, True,
             "check_n_datasets_mos_known_folds_mos", {"evaluations": several}),
        Case("mean over data sets of folds", in_all, {"accuracy": 0.71, "sensitivity": 0.709,
             "specificity": 0.461}, 1e-3, False, "check_n_datasets_mos_known_folds_mos", {"evaluations": several}),
        Case("test sets pooled", pooled, sums, 1e-4, True, "check_n_testsets_som_no_kfold", sum_sets),
        Case("test sets pooled", pooled, sums | {"npv": 0.6263}, 1e-4, False, "check_n_testsets_som_no_kfold",
             sum_sets),
        Case("folds pooled", [(10, 20)], {"accuracy": 0.428, "npv": 0.392, "balanced_accuracy": 0.442, "f1": 0.391},
             1e-3, False, "check_1_dataset_kfold_som", rounds),
        Case("folds, each within bounds", glass, {"accuracy": 0.9, "specificity": 0.9, "sensitivity": 0.6,
             "balanced_accuracy": 0.1}, 1e-2, False, "check_1_dataset_known_folds_mos", bounded),
        Case("macro-averages of classes", classes, macro, 1e-4, True, "check_1_testset_no_kfold_macro", three),
        Case("macro-averages of classes", classes, macro | {"one_vs_rest_accuracy": 0.602}, 1e-4, False,
             "check_1_testset_no_kfold_macro", three),
        Case("micro-averages of classes", classes, micro, 1e-4, True, "check_1_testset_no_kfold_micro", three),
        Case("micro-averages of classes", classes, micro | {"one_vs_rest_accuracy": 0.5258}, 1e-4, False,
             "check_1_testset_no_kfold_micro", three),
    ]  # fmt: skip


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Its log and its solver's output are left out, so that printing is not timed."""
    logging.disable(logging.CRITICAL)
    kept = os.dup(1)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        try:
            yield
        finally:
            os.dup2(kept, 1)
            os.close(kept)
            logging.disable(logging.NOTSET)


def timed(call: Callable[[], Any], repeats: int = 1) -> tuple[Any, float]:
    """A result, and the shortest time of so many calls."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        result = call()
        seconds.append(time.perf_counter() - start)
    return result, min(seconds)


def theirs(function: str, scores: dict[str, float], eps: float, **options: Any) -> Answer:
    from mlscorecheck.check import binary, multiclass

    with quiet():
        call = getattr(multiclass if function.endswith(("macro", "micro")) else binary, function)
        found, seconds = timed(
            lambda: call(scores={NAMES[name]: value for name, value in scores.items()}, eps=eps, **options), REPEATS
        )
    return Answer(not found["inconsistency"], found.get("n_valid_tptn_pairs"), seconds)


def within(scores: dict[str, float], eps: float) -> dict[str, tuple[Fraction, Fraction]]:
    return {name: (Fraction(str(value)) - Fraction(str(eps)), Fraction(str(value)) + Fraction(str(eps)))
            for name, value in scores.items()}  # fmt: skip


def ours(case: Case) -> Answer:
    """The same question: one table of all sets together, or counts in each set that have these means."""
    bounds = within(case.scores, case.eps)
    p, n = (sum(side) for side in zip(*case.sets, strict=True))
    digits = -round(np.log10(case.eps))
    shown = {name: f"{value:.{digits}f}" for name, value in case.scores.items()}
    if case.function.endswith(("macro", "micro")):
        texts = {name: printed(text) for name, text in shown.items()}
        found, seconds = timed(lambda: class_averages([p for p, _ in case.sets], texts, ["up", "truncation"]), REPEATS)
        return Answer(found.verdict != "inconsistent", None, seconds)
    if "testset" in case.options or "som" in case.function:
        cells, seconds = timed(lambda: solve(bounds, p + n, 1, p), REPEATS)
        return Answer(cells.shape[1] > 0, cells.shape[1], seconds)
    if "unknown" in case.function:
        (size, positives), folds = case.sets[0], case.options["folding"]["n_folds"]
        found, seconds = timed(
            lambda: fold_means(shown, (), size, positives, folds, 1, "any", ["up", "truncation"]), REPEATS
        )
        return Answer(found.verdict != "inconsistent", None, seconds)
    means = {name: tuple(map(float, ends)) for name, ends in bounds.items()}
    each = case.options.get("fold_score_bounds", {})
    single = {name: each[NAMES[name]] for name in case.scores if NAMES[name] in each}
    counts, seconds = timed(lambda: counts_with_means(case.sets, means, single=single), REPEATS)
    return Answer(bool(counts), None, seconds)


def rows_of_papers() -> list[tuple[str, int, int, dict[str, Printed]]]:
    """Paper, n, positives and printed metrics of every matrix of one run that the audits ask for, as they are run."""
    rows, check = [], CHECKS["confusion"]

    @wraps(check)
    def noted(n, reported, positives=None, runs=1, **options):
        if runs == 1:
            rows.append((paper, n, positives, reported))
        return check(n, reported, positives, runs, **options)

    CHECKS["confusion"] = noted
    try:
        for paper in PAPERS:  # a copy of its audit, with these findings only
            content = yaml.safe_load((FOLDER / f"{paper}.yaml").read_text(encoding="utf-8"))
            content["findings"] = [lead for lead in content["findings"] if lead["check"] == "confusion"]
            if content["findings"]:
                with tempfile.TemporaryDirectory() as folder:
                    copy = Path(folder) / f"{paper}.yaml"
                    copy.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
                    audit_paper(copy)
    finally:
        CHECKS["confusion"] = check
    return rows


def same_row(n: int, positives: int, reported: dict[str, Printed], tolerance: float = 1e-9) -> tuple[Answer, Answer]:
    """Both answers for one row that was rounded to the nearest; theirs allows for floats, by so much."""
    from mlscorecheck.check import binary

    cells, seconds = timed(lambda: solve(metric_bounds(reported, None, NEAREST), n, 1, positives))
    scores = {NAMES[name]: float(value.value) for name, value in reported.items()}
    eps = {NAMES[name]: 0.5 * 10.0**-value.decimals for name, value in reported.items()}
    with quiet():
        found, their_seconds = timed(lambda: binary.check_1_testset_no_kfold(
            testset={"p": positives, "n": n - positives}, scores=scores, eps=eps,
            numerical_tolerance=tolerance))  # fmt: skip
    return (
        Answer(cells.shape[1] > 0, cells.shape[1], seconds),
        Answer(not found["inconsistency"], found.get("n_valid_tptn_pairs"), their_seconds),
    )


def papers_agree(rows: list[tuple[str, int, int, dict[str, Printed]]]) -> dict[str, dict[str, int]]:
    """By paper: rows, and how many agree in verdict and in the number of tables; unknown positives are all tried."""
    agree = {paper: {"rows": 0, "verdict": 0, "tables": 0} for paper in dict.fromkeys(row[0] for row in rows)}
    for paper, n, positives, reported in rows:
        numbers = [positives] if positives is not None else range(1, n)
        pairs = [same_row(n, number, reported) for number in numbers]
        us, them = (sum(pair[i].tables or 0 for pair in pairs) for i in (0, 1))
        agree[paper]["rows"] += 1
        agree[paper]["verdict"] += (us > 0) == any(pair[1].possible for pair in pairs)
        agree[paper]["tables"] += us == them
    return agree


def made_up(seed: int) -> tuple[int, int, dict[str, Printed], int]:
    """n, positives, a row of three to five metrics (in every second one is of another table), and the true count."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(20, 61))
    positives = int(rng.integers(5, n - 4))
    tp, tn = (axis.ravel() for axis in np.mgrid[: positives + 1, : n - positives + 1])
    cells = (tp, n - positives - tn, positives - tp, tn)
    names = rng.choice([*NAMES][:9], int(rng.integers(3, 6)), replace=False).tolist()
    sensible = np.flatnonzero(tp * tn > cells[1] * cells[2])  # better than chance: nothing printed is negative
    truth, other = rng.choice(sensible, 2)
    values = {name: TABLE_METRICS[name](*cells) for name in names}
    at = {name: truth for name in names} | ({names[0]: other} if seed % 2 else {})
    shown = {name: print_as(Fraction(values[name][at[name]]), 3, "half-up") for name in names}
    fits = np.all([shown[name].allows(np.nan_to_num(values[name]), NEAREST) for name in names], axis=0)
    return n, positives, shown, int(fits.sum())


def line(what: str, us: Answer, them: Answer) -> None:
    tables = "" if us.tables is None else f"{us.tables:,} / {them.tables if them.tables is not None else '-'}"
    verdict = ("inconsistent", "possible")[us.possible]
    same = "" if us.possible == them.possible else "  DIFFERS"
    print(f"  {what:<32}{verdict:<14}{tables:>12}{1e3 * us.seconds:>10.1f}{1e3 * them.seconds:>10.1f}"
          f"{them.seconds / us.seconds:>8.1f}x{same}")  # fmt: skip


def documented_agree() -> int:
    counts_with_means([(5, 5)], {"accuracy": (0.5, 0.5)})  # the solvers are loaded before either is timed
    theirs("check_1_testset_no_kfold", {"accuracy": 0.5}, 0.1, testset={"p": 5, "n": 5})
    right = 0
    print(
        "Documented cases".ljust(34)
        + "both say".ljust(14)
        + f"{'tables':>12}{'ours, ms':>10}{'theirs':>10}{'ratio':>9}"
    )
    for case in documented():
        us, them = ours(case), theirs(case.function, case.scores, case.eps, **case.options)
        line(case.name, us, them)
        right += us.possible == them.possible == case.possible
    print(f"  {right} of {len(documented())} as documented, by both")
    return right


def made_up_agree(n_rows: int = N_ROWS) -> dict[str, int]:
    """How many made-up rows each counts right; theirs with its own tolerance."""
    right, seconds = {"ours": 0, "theirs": 0}, np.zeros(2)
    for seed in range(n_rows):
        n, positives, row, truth = made_up(seed)
        pair = dict(zip(right, same_row(n, positives, row, 1e-6), strict=True))
        for who, answer in pair.items():
            right[who] += (answer.tables or 0) == truth
        seconds += [answer.seconds for answer in pair.values()]
    print(f"\n{n_rows} made-up rows, tables counted as by looking at every one: ours {right['ours']}, theirs "
          f"{right['theirs']}; {1e3 * seconds[0] / n_rows:.1f} and {1e3 * seconds[1] / n_rows:.1f} ms a row, "
          f"{seconds[1] / seconds[0]:.1f}x")  # fmt: skip
    return {"rows": n_rows, **right}


def both_directions(n_studies: int) -> None:
    """Studies called inconsistent, by the way they were made; honest ones that work as assumed must never be."""
    table = rates(n_studies)
    print(f"\n{'Called inconsistent, of ' + str(n_studies):<62}{'share':>6}")
    for way in table.sort_values("group", kind="stable").itertuples():
        print(f"  {way.group + ': ' + way.way:<60}{way.objected:>6.0%}")
    accused = table.loc[(table["group"] == ASSUMED) & (table["objected"] > 0), "way"]
    if len(accused):
        raise SystemExit(f"honest studies are accused: {', '.join(accused)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--record", action="store_true", help="write data_manifests/audit_peer.yaml")
    parser.add_argument("--studies", type=int, default=20, help="of each way of working, in both directions")
    given = parser.parse_args()
    right = documented_agree()
    rows = made_up_agree()
    papers = papers_agree(rows_of_papers())
    print(f"\n{'Rows of the five papers':<34}{'rows':>6}{'verdict':>9}{'tables':>8}")
    for paper, agree in papers.items():
        print(f"  {PAPERS[paper]:<32}{agree['rows']:>6}{agree['verdict']:>9}{agree['tables']:>8}")
    if given.record:
        from importlib.metadata import version

        found = {"mlscorecheck": version("mlscorecheck"), "documented": {"cases": len(documented()), "both": right},
                 "made_up": rows, "papers": papers}  # fmt: skip
        RECORD.write_text(yaml.safe_dump(found, sort_keys=False, allow_unicode=True), encoding="utf-8")
    both_directions(given.studies)


if __name__ == "__main__":
    main()
