import re
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osteolib.report.published import load_published
from osteolib.stats.audit import ROUNDINGS, ConfusionMatrix, checks, exchange, nearest_matrix, pooled_n, printed
from osteolib.stats.audit import made_up as made
from osteolib.stats.audit.exchange import served_by, smallest_cover
from osteolib.stats.audit.made_up import print_as
from osteolib.stats.audit.other_ways import MIXED, ways_that_fit
from osteolib.stats.audit.table_metrics import RATIOS

NEAREST = ("half-up", "half-even")
PPV_NPV = {"sensitivity": "ppv", "specificity": "npv"}
COLUMNS = ("accuracy", "sensitivity", "specificity", "f1")


def table_of(cells: dict[str, tuple], holds: dict[str, str] | None = None, decimals: int = 4) -> dict:
    """The printed rows of matrices: accuracy, sensitivity, specificity, F1, each in its column or exchanged."""
    rows = {}
    for model, counts in cells.items():
        values = {c: Fraction(*(RATIOS[(holds or {}).get(c, c)] @ counts).tolist()) for c in COLUMNS}
        rows[model] = {column: print_as(value, decimals, "half-up") for column, value in values.items()}
    return rows


def ten_models(n: int, positives: int, seed: int) -> dict[str, tuple[int, int, int, int]]:
    rng = np.random.default_rng(seed)
    cells = {}
    for model in range(10):
        sens, spec = rng.uniform(0.6, 0.95, 2)
        tp, fp = rng.binomial(positives, sens), rng.binomial(n - positives, 1 - spec)
        cells[f"model {model}"] = (tp, fp, positives - tp, n - positives - fp)
    return cells


@given(st.integers(60, 700), st.floats(0.2, 0.8), st.integers(0, 10**6))
@settings(deadline=None, max_examples=15)
def test_exchanged_columns_are_the_best_hypothesis_and_lead_to_the_true_matrices(n, prevalence, seed):
    positives = round(n * prevalence)
    cells = ten_models(n, positives, seed)
    rows = table_of(cells, holds=PPV_NPV)
    hypotheses = exchange(rows, n)
    assert len(hypotheses) == 12  # two columns, four meanings
    best = hypotheses.iloc[0]
    assert best[["sensitivity", "specificity"]].to_dict() == PPV_NPV
    assert best[["rows_explained", "rows_with_solution", "positives_needed"]].tolist() == [10, 10, 1]
    assert best["best_positives"] == positives
    for model, row in rows.items():
        assert nearest_matrix(n, positives, PPV_NPV, row) == (ConfusionMatrix(*cells[model]), {})


@given(st.integers(60, 700), st.floats(0.2, 0.8), st.integers(0, 10**6), st.sampled_from([3, 4]))
@settings(deadline=None, max_examples=15)
def test_an_honest_table_is_best_as_printed(n, prevalence, seed, decimals):
    rows = table_of(ten_models(n, round(n * prevalence), seed), decimals=decimals)
    best = exchange(rows, n).iloc[0]
    assert best[["sensitivity", "specificity"]].tolist() == ["sensitivity", "specificity"]
    assert best[["rows_explained", "positives_needed"]].tolist() == [10, 1]


def test_two_test_sets_in_one_table_need_two_numbers_of_positives():
    cells = ten_models(300, 120, 0)
    cells |= {f"other {name}": matrix for name, matrix in list(ten_models(300, 97, 1).items())[:4]}
    best = exchange(table_of(cells), 300, meanings=[{}]).iloc[0]
    assert best[["rows", "rows_with_solution", "positives_needed"]].tolist() == [14, 14, 2]
    assert best[["best_positives", "positives_tied", "rows_explained"]].tolist() == [120, 1, 10]


def test_a_wrong_digit_is_named_with_the_right_value():
    cells = ten_models(400, 150, 3)
    rows = table_of(cells)
    right = rows["model 4"]["specificity"]
    rows["model 4"]["specificity"] = printed(f"{float(right.value) + 0.01:.4f}")
    best = exchange(rows, 400, meanings=[{}]).iloc[0]
    assert best[["rows_explained", "best_positives"]].tolist() == [9, 150]
    matrix, off = nearest_matrix(400, 150, {}, rows["model 4"])
    assert matrix == ConfusionMatrix(*cells["model 4"])
    assert list(off) == ["specificity"] and off["specificity"] == pytest.approx(-0.01, abs=1e-4)


def test_a_running_total_is_recognised_as_a_pooled_test_set():
    first, second = ten_models(210, 80, 5), ten_models(333, 141, 6)
    rows = table_of({name: tuple(np.add(first[name], second[name])) for name in first})
    assert exchange(rows, 333).iloc[0]["rows_explained"] < 10
    best = pooled_n(rows, 900).iloc[0]
    assert best[["n", "positives", "rows_explained"]].tolist() == [543, 221, 10]
    assert best["explained"] == tuple(rows)


def test_no_row_at_all():
    rows = {"impossible": {"sensitivity": printed("0.95"), "accuracy": printed("0.01")}}
    row = exchange(rows, 20, meanings=[{}]).iloc[0]
    assert row[["rows_with_solution", "positives_needed", "rows_explained"]].tolist() == [0, 0, 0]
    assert row.isna()["best_positives"]
    assert pooled_n(rows, 20).empty


def test_two_columns_with_one_meaning_are_refused():
    rows = {"a": {"sensitivity": printed("0.9"), "ppv": printed("0.8")}}
    with pytest.raises(ValueError, match="two of the columns"):
        exchange(rows, 30, meanings=[{"sensitivity": "ppv"}])
    with pytest.raises(ValueError, match="n must be a whole number"):
        exchange(rows, 0)


def served_by_looking(row: dict, n: int, ways: list[list[str]]) -> set[int]:
    """Numbers of positives at which some table prints the whole row in one of the ways, by looking at every table."""
    tables = [(tp, fp, p - tp, n - p - fp) for p in range(n + 1) for tp in range(p + 1) for fp in range(n - p + 1)]
    found = set()
    for cells in tables:
        values = {name: made.ratio(name, cells) for name in row}
        if any(all(row[name].allows(values[name], way) for name in row) for way in ways):
            found.add(cells[0] + cells[2])
    return found


@given(st.integers(0, 10**6))
@settings(deadline=None, max_examples=10)
def test_one_way_of_rounding_a_row_serves_what_looking_at_every_table_serves(seed):
    """A row of a table, each cell printed with two digits in a way of its own, or all in one."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(10, 16))
    cells = tuple((rng.multinomial(n - 4, [0.3, 0.2, 0.2, 0.3]) + 1).tolist())
    ways = rng.choice(ROUNDINGS, 4) if seed % 2 else np.repeat(rng.choice(ROUNDINGS), 4)
    row = {name: print_as(made.ratio(name, cells), 2, way) for name, way in zip(COLUMNS, ways, strict=True)}
    for one, by in ((True, [[way] for way in ROUNDINGS]), (False, [list(ROUNDINGS)])):
        served = {positives for _, positives in served_by({"m": row}, {}, n, 1, ROUNDINGS, one)}
        assert served == served_by_looking(row, n, by)
        assert cells[0] + cells[2] in served or (one and seed % 2)


def test_a_row_rounded_in_two_ways_is_refused_where_one_is_asked_and_the_other_reading_is_named():
    """17 of 19 (0.8947) is cut to 0.894, 23 of 27 (0.8519) rounded to 0.852."""
    row = {"sensitivity": printed("0.894"), "specificity": printed("0.852"), "accuracy": printed("0.870")}
    asked = {"n": 46, "rows": {"m": row}, "roundings": ROUNDINGS}
    assert checks.exchange(**asked).verdict == "consistent"
    found = checks.exchange(**asked, one_rounding=True)
    assert found.verdict == "inconsistent"
    assert MIXED in ways_that_fit(checks.exchange, asked | {"one_rounding": True})


# What a published table says: TP-SwAV's Tables 2 and 3.


def published_rows(table: str, site: str) -> dict[str, dict]:
    shorts = {"acc": "accuracy", "sen_col": "sensitivity", "spe_col": "specificity", "f1": "f1"}
    pattern = re.compile(rf"tpswav2025_ct\.{table}\.{site}\.(.*)\.({'|'.join(shorts)})")
    rows = {}
    for published_id, reported in PUBLISHED.items():
        if match := pattern.fullmatch(published_id):
            rows.setdefault(match[1], {})[shorts[match[2]]] = printed(f"{reported} %")
    return rows


PUBLISHED = load_published("tpswav2025_ct").set_index("published_id")["reported"]
SITES = {"A": (1490, 586, 9, 10), "B": (610, 106, 7, 9), "C": (398, 67, 7, 8), "D": (271, 133, 7, 9)}


@pytest.mark.parametrize("site", SITES)
def test_the_columns_of_the_vertebra_table_are_ppv_and_npv(site):
    """T-02: 30 of 40 rows with nearest rounding, 36 with truncation, at one number of positives per site."""
    n, positives, nearest, truncation = SITES[site]
    rows = published_rows("T2", site)
    assert len(rows) == 10 and int(PUBLISHED[f"tpswav2025_ct.T1.{site}.v_test"].replace(",", "")) == n
    for roundings, explained in ((NEAREST, nearest), (ROUNDINGS, truncation)):
        table = exchange(rows, n, roundings=roundings).set_index(["sensitivity", "specificity"])
        best = table.loc[("ppv", "npv")]
        assert table.index[0] == ("ppv", "npv")
        assert best[["rows_explained", "best_positives", "positives_needed"]].tolist() == [explained, positives, 1]
        assert (table["rows_explained"].iloc[1:] <= 1).all()
        as_printed = table.loc[("sensitivity", "specificity")]
        assert as_printed["positives_needed"] == as_printed["rows_with_solution"] == explained


def test_four_single_cells_of_the_vertebra_table_cannot_be_right():
    """T-03: at the common number of positives all but these four cells are reproduced."""
    wrong = {
        (site, model, column): round(100 * float(row[column].value + Fraction(error)), 2)
        for site, (n, positives, _, _) in SITES.items()
        for model, row in published_rows("T2", site).items()
        for column, error in nearest_matrix(n, positives, PPV_NPV, row)[1].items()
    }
    assert wrong == {
        ("B", "ViT|MAE|Lclass", "specificity"): 93.64,
        ("C", "ViT|MAE|Lclass", "specificity"): 95.16,
        ("C", "ResNet34|TP-SwAV|Lunified", "f1"): 72.44,
        ("D", "ResNet34|TP-SwAV|Lunified", "sensitivity"): 87.38,
    }


@pytest.mark.parametrize(
    ("site", "n", "positives", "patients"), [("A", 776, 318, 669), ("B", 1101, 385, 325), ("D", 1295, 481, 193)]
)
def test_six_patient_rows_fit_running_totals(site, n, positives, patients):
    """T-07: six rows share one pooled size, the next best other size explains three."""
    rows = published_rows("T3", site)
    assert int(PUBLISHED[f"tpswav2025_ct.T1.{site}.pt_test"]) == patients
    table = pooled_n(rows, 2000, PPV_NPV)
    assert table.loc[0, ["n", "positives", "rows_explained"]].tolist() == [n, positives, 6]
    others = table[table["n"] % n != 0]
    assert others["rows_explained"].max() <= 3
    assert not set(table.loc[0, "explained"]) & {
        name for names in table.loc[table["n"] == patients, "explained"] for name in names
    }


@given(st.lists(st.lists(st.sampled_from("abcdefghij"), min_size=1, max_size=4), max_size=9))
@settings(deadline=None, max_examples=200)
def test_as_few_groups_as_have_every_name(groups):
    everyone = {name for group in groups for name in group}
    sizes = (k for k in range(10) if any({n for g in some for n in g} == everyone for some in combinations(groups, k)))
    assert smallest_cover(groups) == next(sizes)


@pytest.mark.parametrize("number", range(8))
def test_groups_without_a_name_in_common_are_all_needed_however_many(number):
    """Beyond four a solver of integer programmes finds the same."""
    assert smallest_cover([[f"{k}a", f"{k}b"] for k in range(number)] + [["0a"]] * bool(number)) == number
