"""Averages over classes: against scikit-learn, against every table of few people, and beside mlscorecheck."""

import logging
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score, multilabel_confusion_matrix, precision_score, recall_score

from osteolib.stats.audit import class_averages as module
from osteolib.stats.audit import printed
from osteolib.stats.audit.class_averages import MEANS, OF_TOTAL, SUMS, averages_of, class_averages

NEAREST = ["half-up", "half-even"]


def compositions(total, parts):
    if parts == 1:
        return [(total,)]
    return [(first, *rest) for first in range(total + 1) for rest in compositions(total - first, parts - 1)]


def counts_of(table):
    table = np.asarray(table)
    right = table.diagonal()
    return right, table.sum(axis=0) - right


def shown(values, names, decimals=3):
    return {name: printed(f"{float(values[name]):.{decimals}f}") for name in names}


@given(st.integers(0, 2**32 - 1), st.integers(2, 5))
@settings(deadline=None, max_examples=25)
def test_averages_are_those_of_scikit_learn(seed, classes):
    rng = np.random.default_rng(seed)
    table = rng.integers(0, 9, (classes, classes))
    table[:, -1] *= seed % 3 > 0  # in some tables nobody is called the last class
    table[:, 0] += 1
    true, called = (np.repeat(side.ravel(), table.ravel()) for side in np.mgrid[:classes, :classes])
    labels = range(classes)
    expected = {"accuracy": accuracy_score(true, called)}
    for how in ("macro", "micro", "weighted"):
        options = {"average": how, "labels": labels, "zero_division": 0}
        expected |= {f"{how}_sensitivity": recall_score(true, called, **options),
                     f"{how}_ppv": precision_score(true, called, **options),
                     f"{how}_f1": f1_score(true, called, **options)}  # fmt: skip
    tn, fp, _, tp = multilabel_confusion_matrix(true, called, labels=labels).reshape(classes, 4).T
    specificity, sizes = tn / (tn + fp), table.sum(axis=1)
    expected |= {"macro_specificity": specificity.mean(), "micro_specificity": tn.sum() / (tn + fp).sum(),
                 "weighted_specificity": np.average(specificity, weights=sizes),
                 "one_vs_rest_accuracy": ((tp + tn) / sizes.sum()).mean()}  # fmt: skip
    del expected["weighted_ppv"], expected["weighted_f1"]
    expected |= {"weighted_ppv": precision_score(true, called, average="weighted", zero_division=0),
                 "weighted_f1": f1_score(true, called, average="weighted", zero_division=0)}  # fmt: skip
    found = averages_of(*counts_of(table), sizes.tolist())
    assert {name: float(found[name]) for name in expected} == pytest.approx(expected)
    assert found.keys() == expected.keys() == {*SUMS, *MEANS}


SIZES = [3, 4, 2]
EVERY = [counts_of(rows) for rows in product(*(compositions(size, 3) for size in SIZES))]
RIGHT, WRONG = (np.array(side) for side in zip(*EVERY, strict=True))
VALUES = averages_of(RIGHT, WRONG, SIZES)
HARMONIC = 2 * VALUES["macro_ppv"] * VALUES["macro_sensitivity"] / np.maximum(
    VALUES["macro_ppv"] + VALUES["macro_sensitivity"], 1e-9)  # fmt: skip


@pytest.mark.parametrize("seed", range(24))
def test_few_people_in_three_classes_against_every_table(seed, monkeypatch):
    """Half of the rows print what some table gives, half have one average of another; sums are programmed as well."""
    rng = np.random.default_rng(seed)
    truth, other = rng.integers(len(EVERY), size=2)
    names = rng.choice([*SUMS, *MEANS], 3, replace=False).tolist()
    values = {name: VALUES[name][truth] for name in names} | ({names[0]: VALUES[names[0]][other]} if seed % 2 else {})
    if "macro_f1" in names and seed % 4 == 0:
        values["macro_f1"] = HARMONIC[truth]
    row = shown(values, names, 2)
    fits = {name: row[name].allows(VALUES[name], NEAREST) for name in names}
    if "macro_f1" in names:
        fits["macro_f1"] |= row["macro_f1"].allows(HARMONIC, NEAREST)
    found = class_averages(SIZES, row, NEAREST)
    assert found.verdict == ("consistent" if np.all([*fits.values()], axis=0).any() else "inconsistent")
    assert found.computed["left_out"] == []
    if found.verdict == "consistent":
        given_back = np.equal([*found.computed["right"], *found.computed["wrong"]], np.hstack([RIGHT, WRONG])).all(
            axis=1
        )
        assert (given_back & np.all([*fits.values()], axis=0)).any()  # a table, and one that prints so
    monkeypatch.setattr(module, "AT_ONCE", -1)
    sums = {name: row[name] for name in names if name in SUMS}
    found = class_averages(SIZES, row, NEAREST)
    assert found.computed["left_out"] == [name for name in names if name in MEANS]
    possible = np.all([fits[name] for name in sums], axis=0).any()
    assert found.verdict == ("not checkable" if not sums else "consistent" if possible else "inconsistent")


@pytest.mark.parametrize("sizes", [[1, 1], [2, 3], [1, 1, 2], [2, 1, 2]])
def test_counts_are_of_a_table_exactly_as_said(sizes):
    """Right ones and wrong calls of every table, and only these, are let through by both ways of looking."""
    k = len(sizes)
    tables = {tuple(np.concatenate(counts_of(rows)).tolist()) for rows in product(*(compositions(s, k) for s in sizes))}
    for right in product(*(range(size + 1) for size in sizes)):
        for wrong in product(range(sum(sizes) + 1), repeat=k):
            missed = np.subtract(sizes, right)
            is_one = sum(wrong) == missed.sum() and all(missed + wrong <= missed.sum())
            assert is_one == ((*right, *wrong) in tables)


@given(st.integers(0, 2**32 - 1), st.integers(2, 6), st.integers(2, 4))
@settings(deadline=None, max_examples=25)
def test_honest_averages_are_never_refused(seed, classes, decimals):
    rng = np.random.default_rng(seed)
    sizes = rng.integers(5, 60, classes).tolist()
    table = [rng.multinomial(size, rng.dirichlet(np.ones(classes) + 4 * (np.arange(classes) == i)))
             for i, size in enumerate(sizes)]  # fmt: skip
    values = averages_of(*counts_of(table), sizes)
    names = rng.choice([*SUMS, *MEANS], int(rng.integers(1, 5)), replace=False).tolist()
    found = class_averages(sizes, shown(values, [*names, "accuracy"], decimals))
    assert found.verdict == "consistent"


def test_what_only_all_classes_together_can_refuse():
    """All of the first class right and nobody else: whom the second lacks must be called the first or the third."""
    row = {"macro_sensitivity": printed("1.000"), "macro_specificity": printed("0.900")}
    assert class_averages([20, 20, 20], row).verdict == "inconsistent"
    row = {"accuracy": printed("0.800"), "micro_f1": printed("0.790")}
    assert class_averages([40, 30, 30], row).verdict == "inconsistent"
    row = {name: printed("0.8000") for name in OF_TOTAL[:5]} | {"micro_specificity": printed("0.9000")}
    assert class_averages([40, 30, 30], row).computed["left_out"] == []
    assert class_averages([40, 30, 30], row).verdict == "consistent"


def test_averages_that_are_no_sums_are_left_out_of_account_where_too_many_tables_are_left():
    row = {"accuracy": printed("0.80"), "macro_f1": printed("0.05")}
    found = class_averages([4000, 3000, 3000], row)
    assert found.verdict == "consistent" and found.computed["left_out"] == ["macro_f1"]
    assert class_averages([4000, 3000, 3000], {"macro_f1": printed("0.05")}).verdict == "not checkable"
    assert class_averages([40, 30, 30], row).verdict == "inconsistent"


def test_what_the_solver_leaves_open_is_not_checkable(monkeypatch):
    row = {"macro_sensitivity": printed("0.741"), "macro_specificity": printed("0.855")}
    monkeypatch.setattr(module, "_programmed", lambda *asked: None)
    assert class_averages([40, 30, 30], row).verdict == "not checkable"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of its solver
@pytest.mark.parametrize("documented", [True, False])
def test_beside_mlscorecheck(documented):
    """Theirs takes each class for itself: where it objects, so must we; where counts are honest, both are silent."""
    multiclass = pytest.importorskip("mlscorecheck.check.multiclass", reason="a peer of the tests alone")
    ours = {"sens": "macro_sensitivity", "spec": "macro_specificity", "acc": "one_vs_rest_accuracy"}
    micro = {"sens": "micro_sensitivity", "spec": "micro_specificity", "acc": "one_vs_rest_accuracy",
             "ppv": "micro_ppv"}  # fmt: skip
    cases = [
        ("macro", [10, 100, 80], {"acc": 0.6, "sens": 0.3417, "spec": 0.6928}, 4, True),
        ("macro", [10, 100, 80], {"acc": 0.6020, "sens": 0.3417, "spec": 0.6928}, 4, False),
        ("micro", [10, 100, 80], {"acc": 0.5158, "sens": 0.2737, "spec": 0.6368, "ppv": 0.2737}, 4, True),
        ("micro", [10, 100, 80], {"acc": 0.5258, "sens": 0.2737, "spec": 0.6368, "ppv": 0.2737}, 4, False),
    ]
    rng = np.random.default_rng(1)
    for _ in range(0 if documented else 12):
        sizes = rng.integers(5, 30, 3).tolist()
        rows = [[averages_of(*counts_of([rng.multinomial(size, rng.dirichlet(np.ones(3))) for size in sizes]), sizes)
                 for _ in range(2)] for _ in range(2)]  # fmt: skip
        for how, names in (("macro", ours), ("micro", micro)):
            honest, mixed = ({short: round(float(values[i][name]), 3) for i, (short, name) in
                              zip((first, 1, 1, 1), names.items(), strict=False)}
                             for values in rows[:1] for first in (1, 0))  # fmt: skip
            cases += [(how, sizes, honest, 3, True), (how, sizes, mixed, 3, None)]
    for how, sizes, scores, decimals, possible in cases:
        names = ours if how == "macro" else micro
        logging.disable(logging.CRITICAL)
        options = {"verbosity": 0} if how == "macro" else {}
        theirs = getattr(multiclass, f"check_1_testset_no_kfold_{how}")(
            testset=dict(enumerate(sizes)), scores=scores, eps=0.5 * 10**-decimals, **options)  # fmt: skip
        logging.disable(logging.NOTSET)
        found = class_averages(
            sizes, {names[short]: printed(f"{value:.{decimals}f}") for short, value in scores.items()}, NEAREST
        )
        if theirs["inconsistency"]:
            assert found.verdict == "inconsistent" and possible is not True
        if possible is not None:
            assert (found.verdict == "consistent") == possible != theirs["inconsistency"]


@pytest.mark.parametrize(
    ("sizes", "reported", "message"),
    [
        ([5], {"accuracy": "0.80"}, "sizes: write how many people each class has, 2 to 50 classes"),
        ("5", {"accuracy": "0.80"}, "sizes: write how many people each class has"),
        ([5, 0], {"accuracy": "0.80"}, "sizes: 0 is no number of people"),
        ([5, 2.5], {"accuracy": "0.80"}, "sizes: 2.5 is no number of people"),
        ([5, 5], {"f1": "0.80"}, r"unknown averages \['f1'\]: report one or more of accuracy"),
        ([5, 5], {}, "unknown averages"),
        ([5, 5], {"accuracy": "97.2"}, "accuracy = 97.2 is no average: write it with its decimals"),
        ([5, 5], {"accuracy": "1"}, "accuracy = 1 is no average"),
    ],
)
def test_bad_input_is_named(sizes, reported, message):
    with pytest.raises(ValueError, match=message):
        class_averages(sizes, {name: printed(text) for name, text in reported.items()})
