import numpy as np
import pytest

from osteolib.stats import resampling
from osteolib.stats.resampling import design_resampling, draw_counts, interval, leave_one_out_counts


def all_counts(design, n_boot=300, seed=0):
    return np.concatenate(list(draw_counts(design, n_boot, seed)))


def test_each_stratum_keeps_its_number_of_subjects():
    """Subjects a (0, 0), b (1), c (0, 1), d (1, 0): c and d have both classes and are a stratum of their own."""
    groups = ["a", "a", "b", "c", "c", "d", "d", "e", "f"]
    y_true = np.array([0, 0, 1, 0, 1, 1, 0, 1, 0])
    design = design_resampling(9, groups, y_true)
    assert design.stratum_sizes == (2, 2, 2)
    assert design.subject.tolist() == [0, 0, 2, 4, 4, 5, 5, 3, 1]  # a and f, then b and e, then c and d
    counts = all_counts(design)
    for members in design.strata:
        assert (counts[:, members].sum(axis=1) == 2).all()
        assert len(np.unique(counts[:, members], axis=0)) == 3  # (2, 0), (1, 1) and (0, 2): it does resample


def test_counts_are_multinomial():
    """Mean 1 and variance 1 - 1/n for each subject; 4,000 replicates of 10 subjects."""
    counts = all_counts(design_resampling(10), n_boot=4000)
    assert counts.mean(axis=0) == pytest.approx(np.ones(10), abs=4 / np.sqrt(4000))
    assert counts.var(axis=0).mean() == pytest.approx(0.9, abs=0.03)


def test_replicates_do_not_depend_on_the_size_of_a_piece(monkeypatch):
    design = design_resampling(23, None, (np.arange(23) < 8).astype(int))
    whole = all_counts(design)
    monkeypatch.setattr(resampling, "CHUNK", 23 * 7)
    pieces = list(draw_counts(design, 300, seed=0))
    assert max(map(len, pieces)) == 7
    assert np.array_equal(np.concatenate(pieces), whole)


def test_a_piece_stays_small_at_any_n():
    design = design_resampling(200_000)
    assert next(draw_counts(design, 2000, seed=0)).shape == (1, 200_000)


def test_leave_one_out_drops_each_subject_once():
    counts = np.concatenate(list(leave_one_out_counts(design_resampling(5, list("aabbc")))))
    assert np.array_equal(counts, 1 - np.eye(3))


def test_percentile_interval_ignores_undefined_replicates():
    replicates = np.append(np.arange(101.0), [np.nan] * 50)
    assert interval(50, replicates, None, design_resampling(5), 0.90) == pytest.approx((5, 95))


def test_an_interval_needs_a_defined_replicate():
    with pytest.raises(ValueError, match="undefined in every replicate"):
        interval(0.5, np.full(100, np.nan), None, design_resampling(5), 0.95)


def test_bca_of_a_symmetric_unbiased_statistic_is_the_percentile_interval():
    replicates = np.linspace(-1, 1, 1001)
    left_out = np.array([-1.0, 1.0, -2.0, 2.0])  # symmetric influence: no acceleration
    assert interval(0.0, replicates, left_out, design_resampling(4), 0.95) == pytest.approx((-0.95, 0.95))
