"""A small part of benchmarks/bench_audit.py: the record holds, and both engines agree where both can be asked."""

import importlib.util
import sys
from collections import Counter

import numpy as np
import pytest
import yaml

from osteolib.runs import ROOT

NO_FOLDS = ("check_1_testset_no_kfold", "check_n_testsets_som_no_kfold", "check_1_dataset_kfold_som")


@pytest.fixture(scope="module")
def bench():
    spec = importlib.util.spec_from_file_location("bench_audit", ROOT / "benchmarks" / "bench_audit.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclasses look themselves up
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.fixture(scope="module")
def rows(bench):
    return bench.rows_of_papers()


def test_our_answers_are_those_documented_by_the_peer(bench):
    cases = [case for case in bench.documented() if "unknown" not in case.function]
    assert len(cases) == 17
    assert [bench.ours(case).possible for case in cases] == [case.possible for case in cases]


@pytest.mark.parametrize("seed", range(20))
def test_made_up_rows_are_counted_as_by_looking_at_every_table(bench, seed):
    n, positives, row, truth = bench.made_up(seed)
    cells = bench.solve(bench.metric_bounds(row, None, bench.NEAREST), n, 1, positives)
    assert cells.shape[1] == truth and (truth > 0 or seed % 2)


def test_the_record_has_every_row_that_the_audits_ask_for(bench, rows):
    recorded = yaml.safe_load(bench.RECORD.read_text(encoding="utf-8"))
    assert {paper: counts["rows"] for paper, counts in recorded["papers"].items()} == Counter(
        paper for paper, *_ in rows
    )
    assert recorded["documented"]["cases"] == len(bench.documented())


def test_both_engines_agree(bench, rows):
    """Without solvers: single and pooled test sets, made-up rows, and some rows of the papers."""
    pytest.importorskip("mlscorecheck", reason="a peer of the tests alone: pip install mlscorecheck")
    cases = [case for case in bench.documented() if case.function in NO_FOLDS]
    answers = [bench.theirs(case.function, case.scores, case.eps, **case.options) for case in cases]
    assert [(a.possible, a.tables) for a in answers] == [
        (o.possible, o.tables if a.tables is not None else None)
        for o, a in zip(map(bench.ours, cases), answers, strict=True)
    ]
    for seed in range(10):
        n, positives, row, truth = bench.made_up(seed)
        assert [answer.tables for answer in bench.same_row(n, positives, row)] == [truth, truth]
    known = [row for row in rows if row[2] is not None]
    some = [known[i] for i in np.linspace(0, len(known) - 1, 12).astype(int)]
    agree = bench.papers_agree(some)
    assert sum(counts["rows"] for counts in agree.values()) == 12
    assert all(counts["verdict"] == counts["tables"] == counts["rows"] for counts in agree.values())
