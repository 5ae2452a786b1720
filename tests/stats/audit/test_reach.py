from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from itertools import combinations_with_replacement, product
from statistics import mean, pstdev, stdev

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from osteolib.stats.audit.printed import printed
from osteolib.stats.audit.reach import (
    chance_of_spread,
    chance_run_prints_as_mean,
    f1_runs,
    member_of_sample,
    reachable_mean_sd,
    reachable_proportion,
    sd_floor,
    smallest_nonzero_sd,
)

MODES = {"half-up": ROUND_HALF_UP, "half-even": ROUND_HALF_EVEN, "truncation": ROUND_DOWN}
NEAREST = ("half-up", "half-even")
SD = {0: pstdev, 1: stdev}
# Hand radiographs 2023, Table 2: accuracy mean and SD (%) and F1 mean and SD of three runs on 167 segments, 48 positive
HAND_2023 = {
    "SimCLR": ("79.24 %", "0.69 %", "0.500", "0.014"),
    "SimCLR extended": ("79.84 %", "0.35 %", "0.655", "0.034"),
    "SupCon": ("77.45 %", "0.35 %", "0.562", "0.040"),
    "SupCon extended": ("74.85 %", "5.12 %", "0.611", "0.025"),
    "SwAV": ("76.45 %", "0.69 %", "0.400", "0.096"),
    "SwAV extended": ("67.07 %", "6.59 %", "0.567", "0.058"),
    "VICReg": ("77.05 %", "0.69 %", "0.522", "0.084"),
    "VICReg extended": ("74.45 %", "3.07 %", "0.634", "0.031"),
}


def show(x, decimals: int, rounding: str):
    """``x`` as a paper prints it: an honest author with ``decimals`` and one of the three roundings."""
    with localcontext(prec=40):
        exact = Decimal(x.numerator) / Decimal(x.denominator) if isinstance(x, Fraction) else Decimal(float(x))
        return printed(str(exact.quantize(Decimal(1).scaleb(-decimals), rounding=MODES[rounding])))


roundings = st.sampled_from(sorted(MODES))
decimals = st.integers(1, 4)


@st.composite
def some_runs(draw, most_runs: int = 4, most_n: int = 40):
    n = draw(st.integers(1, most_n))
    return n, sorted(draw(st.lists(st.integers(0, n), min_size=2, max_size=most_runs)))


@pytest.mark.parametrize("rounding", MODES)
def test_proportions_are_those_that_print_so(rounding):
    """Of 57 (three runs on 19) no share but 0 and 1 lies on a bound, so the definition itself is the oracle."""
    shown = {k: show(Fraction(k, 57), 2, rounding).value for k in range(1, 57)}
    for cents in range(2, 98):
        value = printed(f"0.{cents:02d}")
        assert reachable_proportion(value, 19, 3, (rounding,)) == [k for k, v in shown.items() if v == value.value]


@given(st.integers(1, 5000), st.integers(1, 5), decimals, roundings, st.data())
@settings(deadline=None, max_examples=200)
def test_an_honest_proportion_is_always_reachable(n, runs, places, rounding, data):
    k = data.draw(st.integers(0, n * runs))
    assert k in reachable_proportion(show(Fraction(k, n * runs), places, rounding), n, runs)


def test_published_proportions():
    """Hand 2025: .81 of three runs on 19 but not 20 subjects; knee: which class sizes its shares can come from."""
    assert reachable_proportion(printed("0.81"), 19, 3, NEAREST) == [46]
    assert reachable_proportion(printed("0.81"), 20, 3, NEAREST) == []
    assert reachable_proportion(printed("0.81"), 20, 3) == [49]  # 0.8167, if the authors cut digits off
    assert reachable_proportion(printed("0.904"), 136) == [123]
    assert reachable_proportion(printed("0.904"), 162, roundings=NEAREST) == []
    reached = {n: bool(reachable_proportion(printed("0.914"), n, roundings=NEAREST)) for n in (136, 680, 162, 810)}
    assert reached == {136: False, 680: False, 162: True, 810: True}
    five_seeds = [("0.818", 136), ("0.862", 74), ("0.765", 62)]
    assert not any(reachable_proportion(printed(share), n) for share, n in five_seeds)
    assert [reachable_proportion(printed(share), n, 5, NEAREST) for share, n in five_seeds] == [[556], [319], [237]]


def test_segment_accuracies_are_multiples_of_1_in_501():
    """All ten of Table 2, where a random number with two decimals in per cent is one in 5 % of cases."""
    shares = [row[0] for row in HAND_2023.values()]
    assert [reachable_proportion(printed(s), 167, 3, NEAREST) for s in ["28.74 %", *shares]] == [
        [k] for k in (144, 397, 400, 388, 375, 383, 336, 386, 373)
    ]
    hits = [bool(reachable_proportion(printed(f"{x / 100:.2f} %"), 167, 3, NEAREST)) for x in range(0, 10_001, 7)]
    assert np.mean(hits) == pytest.approx(0.05, abs=0.005)


@pytest.mark.parametrize("ddof", [0, 1])
@pytest.mark.parametrize(("n", "runs"), [(7, 2), (12, 3), (6, 5)])
def test_counts_behind_mean_and_sd_are_those_of_a_full_search(n, runs, ddof):
    everything = list(combinations_with_replacement(range(n + 1), runs))
    rng = np.random.default_rng(ddof)
    for _ in range(20):
        m, s = printed(f"{rng.uniform():.2f}"), printed(f"{rng.uniform(0, 0.3):.2f}")
        expected = [
            k for k in everything
            if m.allows(Fraction(sum(k), n * runs)) and s.allows(float(SD[ddof]([Fraction(x, n) for x in k])))
        ]  # fmt: skip
        assert reachable_mean_sd(m, s, n, runs, ddof) == expected
        assert set(expected) <= set(reachable_mean_sd(m, None, n, runs, ddof))


@given(some_runs(), decimals, roundings, st.sampled_from([0, 1]))
@settings(deadline=None, max_examples=100)
def test_honest_runs_are_always_found(runs, places, rounding, ddof):
    n, counts = runs
    shares = [Fraction(k, n) for k in counts]
    m, s = show(mean(shares), places, rounding), show(SD[ddof](shares), places, rounding)
    assert tuple(counts) in reachable_mean_sd(m, s, n, len(counts), ddof)
    assert sd_floor(m, n) <= float(SD[ddof](shares)) + 1e-12


def test_the_printed_spread_of_2023_is_the_sample_sd():
    """Every mean and SD has its integers with ddof 1, none with ddof 0."""
    found = {
        name: reachable_mean_sd(printed(m), printed(s), 167, 3) for name, (m, s, _, _) in HAND_2023.items()
    }  # fmt: skip
    assert found == {
        "SimCLR": [(131, 133, 133)],
        "SimCLR extended": [(133, 133, 134)],
        "SupCon": [(129, 129, 130)],
        "SupCon extended": [(116, 126, 133), (117, 124, 134)],
        "SwAV": [(127, 127, 129)],
        "SwAV extended": [(101, 112, 123)],
        "VICReg": [(128, 128, 130)],
        "VICReg extended": [(120, 123, 130)],
    }
    assert not any(reachable_mean_sd(printed(m), printed(s), 167, 3, ddof=0) for m, s, _, _ in HAND_2023.values())


def test_f1_of_2023_fits_in_six_of_eight_cells():
    solutions = {
        name: f1_runs(reachable_mean_sd(printed(m), printed(s), 167, 3), 167, 48, printed(f1), printed(sd), 1, NEAREST)
        for name, (m, s, f1, sd) in HAND_2023.items()
    }
    assert [len(found) for found in solutions.values()] == [1, 1, 0, 1, 0, 2, 1, 4]
    assert solutions["SimCLR extended"] == [((133, 28), (133, 38), (134, 31))]  # sensitivities .58, .79 and .65 of 48


def test_accuracy_and_f1_of_2025_fit_one_test_set_of_19_with_5_positives():
    """The supervised accuracy's SD of 0.01 fits none; where digits were cut off, P = 5 no longer stands alone."""

    def solutions(n, positives, rounding):
        rows = [("0.81", "0.68", "0.03"), ("0.72", "0.53", "0.04")]  # SimCLR, supervised
        accuracy = [reachable_mean_sd(printed(a), None, n, 3, roundings=rounding) for a, _, _ in rows]
        return [
            len(f1_runs(counts, n, positives, printed(f1), printed(sd), 1, rounding))
            for counts, (_, f1, sd) in zip(accuracy, rows, strict=True)
        ]

    table = {(n, p): solutions(n, p, NEAREST) for n in (19, 20) for p in (5, 6, 7)}
    assert table == {
        (19, 5): [1, 2], (19, 6): [1, 0], (19, 7): [0, 0], (20, 5): [0, 1], (20, 6): [0, 1], (20, 7): [0, 0],
    }  # fmt: skip
    assert solutions(20, 5, ("half-up", "half-even", "truncation")) == [3, 2]


@pytest.mark.parametrize(("n", "ddof"), list(product((19, 20), (0, 1))))
def test_an_sd_of_one_point_is_out_of_reach_on_19_or_20_subjects(n, ddof):
    assert reachable_mean_sd(printed("0.72"), printed("0.01"), n, 3, ddof) == []


def test_smallest_spread_on_19_and_20_subjects():
    found = [smallest_nonzero_sd(n, 3, ddof) for n in (19, 20, 163) for ddof in (1, 0)]
    assert found == pytest.approx([0.0304, 0.0248, 0.0289, 0.0236, 0.0035, 0.0029], abs=5e-5)
    assert smallest_nonzero_sd(19, 3, mean=printed("0.72")) == pytest.approx(0.0304, abs=5e-5)
    assert [sd_floor(printed("0.72"), n, NEAREST) for n in (19, 20)] == pytest.approx([0.022, 0.023], abs=5e-4)
    assert sd_floor(printed("0.72"), 19) == pytest.approx(0.0177, abs=5e-5)  # 0.72 may be a cut 0.7299


@pytest.mark.parametrize(("n", "runs"), [(1, 4), (2, 3), (5, 2), (5, 4)])
@pytest.mark.parametrize("ddof", [0, 1])
def test_smallest_spread_is_that_of_a_full_search(n, runs, ddof):
    everything = [k for k in combinations_with_replacement(range(n + 1), runs) if k[0] < k[-1]]
    assert smallest_nonzero_sd(n, runs, ddof) == pytest.approx(min(map(SD[ddof], everything)) / n)
    for k in everything:
        m = show(Fraction(sum(k), n * runs), 3, "half-up")
        same_mean = [SD[ddof](other) / n for other in everything if m.allows(Fraction(sum(other), n * runs))]
        assert smallest_nonzero_sd(n, runs, ddof, m) == pytest.approx(min(same_mean))


def test_sd_floor_is_reached_by_many_runs():
    """Mean 1.5 of 2: half the runs at 1, half at 2 correct, SD 0.25 of shares."""
    exact = show(Fraction(3, 4), 9, "half-up")
    assert sd_floor(exact, 2) == pytest.approx(pstdev([0.5, 1.0] * 500), abs=1e-8)
    assert sd_floor(printed("0.50"), 2) == 0


def test_the_headline_rmse_and_its_five_seeds():
    """Knee: .347 against .418 -/+ .036: never with the sample SD, with the other only if four seeds agree."""
    sample, population = (
        member_of_sample(printed("0.347"), printed("0.418"), printed("0.036"), 5, ddof, NEAREST) for ddof in (1, 0)
    )
    assert not sample.possible
    assert sample.z == pytest.approx((1.92, 2.03), abs=0.005)
    assert (sample.limit, population.limit) == pytest.approx((1.789, 2.0), abs=5e-4)
    assert population.possible
    assert population.sd_of_others == pytest.approx(0.012, abs=5e-4)


@given(st.lists(st.floats(-100, 100), min_size=3, max_size=8), decimals, roundings, st.sampled_from([0, 1]))
@settings(deadline=None, max_examples=200)
def test_a_true_member_is_never_refused(values, places, rounding, ddof):
    value, *others = values
    shown = [show(x, places, rounding) for x in (value, np.mean(values), np.std(values, ddof=ddof))]
    result = member_of_sample(*shown, len(values), ddof)
    assert result.possible
    assert result.z[0] <= result.limit * (1 + 1e-9)
    assert result.sd_of_others >= np.std(others, ddof=ddof) - 1e-6


@pytest.mark.parametrize("ddof", [0, 1])
@pytest.mark.parametrize("n", [3, 5, 40])
def test_the_limit_is_reached_when_all_others_agree(n, ddof):
    values = np.array([1.0] + [0.0] * (n - 1))
    z = (1 - values.mean()) / values.std(ddof=ddof)
    shown = [show(x, 9, "half-up") for x in (1.0, values.mean(), values.std(ddof=ddof))]
    result = member_of_sample(*shown, n, ddof)
    assert result.limit == pytest.approx(z)
    assert result.possible
    assert result.sd_of_others == pytest.approx(0, abs=1e-3)


def test_an_sd_of_zero_has_room_for_its_mean_only():
    assert member_of_sample(printed("3"), printed("3"), printed("0"), 5).z == (0.0, float("inf"))
    assert not member_of_sample(printed("4"), printed("3"), printed("0"), 5).possible


def test_f1_runs_are_those_of_a_full_search():
    n, positives, correct = 9, 4, [(5, 7), (6, 6)]
    m, s = printed("0.6"), printed("0.1")
    expected = set()
    for counts in correct:
        for matrices in product(*([t for t in product(range(5), range(6)) if t[0] + 5 - t[1] == k] for k in counts)):
            f1 = [2 * tp / (tp + fp + positives) for tp, fp in matrices]
            if m.allows(mean(f1)) and s.allows(stdev(f1)):
                expected.add(tuple(sorted(zip(counts, (tp for tp, _ in matrices), strict=True))))
    assert set(f1_runs(correct, n, positives, m, s)) == expected
    assert expected


@given(st.data(), decimals, roundings)
@settings(deadline=None, max_examples=60)
def test_honest_f1_is_always_found(data, places, rounding):
    n = data.draw(st.integers(2, 20))
    positives = data.draw(st.integers(1, n))
    runs = data.draw(
        st.lists(st.tuples(st.integers(0, positives), st.integers(0, n - positives)), min_size=2, max_size=3)
    )  # true positives, true negatives
    f1 = [2 * tp / (2 * tp + n - tp - tn) for tp, tn in runs]
    pairs = tuple(sorted((tp + tn, tp) for tp, tn in runs))
    found = f1_runs([[k for k, _ in pairs]], n, positives, show(mean(f1), places, rounding),
                    show(np.std(f1, ddof=1), places, rounding))  # fmt: skip
    assert pairs in found


def test_chance_of_a_small_spread():
    """Three redrawn test sets of 19 can only agree exactly below an SD of .030: the sum of cubed binomial chances."""
    exact = (stats.binom.pmf(np.arange(20), 19, 0.72) ** 3).sum()
    assert chance_of_spread(0.015, 0.72, 19, 3) == pytest.approx(exact, abs=0.0011)
    assert exact == pytest.approx(0.024, abs=5e-4)
    assert chance_of_spread(1, 0.72, 19, 3) == 1


def test_chance_that_a_run_prints_as_the_mean_of_all():
    """Against simulation; for the knee paper's four headline values it is a few in a million, or 25 if r = 0.9."""
    rng = np.random.default_rng(0)
    shared, own = rng.normal(size=(400_000, 5, 1)), rng.normal(size=(400_000, 5, 2))
    runs = np.array([0.02, 0.03]) * (np.sqrt(0.5) * shared + np.sqrt(0.5) * own) + 0.8 + rng.uniform(size=2) / 50
    alike = (np.round(runs[:, 0], 2) == np.round(runs.mean(axis=1), 2)).all(axis=1).mean()
    assert chance_run_prints_as_mean([0.02, 0.03], 5, 2, 0.5) == pytest.approx(alike, rel=0.15)
    knee = [chance_run_prints_as_mean([0.008, 0.012, 0.015, 0.018], 5, 3, r) for r in (0, 0.5, 0.9)]
    assert knee == pytest.approx([1.5e-6, 2.7e-6, 25e-6], rel=0.05)


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="n must be at least 1, got 0"):
        reachable_proportion(printed("0.5"), 0)
    with pytest.raises(ValueError, match="runs must be at least 2, got 1"):
        reachable_mean_sd(printed("0.5"), printed("0.1"), 10, 1)
    with pytest.raises(ValueError, match="too many to list"):
        reachable_mean_sd(printed("0.5"), printed("0.1"), 1000, 10)
    with pytest.raises(ValueError, match=r"no 3 unequal shares of n = 4 have the mean 0\.99"):
        smallest_nonzero_sd(4, 3, mean=printed("0.99"))
    with pytest.raises(ValueError, match="n must be at least 3, got 2"):
        member_of_sample(printed("0.1"), printed("0.2"), printed("0.1"), 2)
    with pytest.raises(ValueError, match="positives must lie between 1 and n = 10, got 11"):
        f1_runs([(5, 5)], 10, 11, printed("0.5"))
    with pytest.raises(ValueError, match="too many to list"):
        f1_runs([(500,) * 4], 1000, 500, printed("0.5"))
