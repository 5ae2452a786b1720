import numpy as np
import pytest

from osteolib.stats.audit.leakage import share_with_sibling, split_leakage


@pytest.mark.parametrize(
    ("subjects", "n_train", "n_test"), [({1: 148, 2: 44}, 188, 24), ({3: 5, 7: 4}, 30, 8), ({4: 1, 1: 2}, 1, 2)]
)
def test_against_simulated_splits(subjects, n_train, n_test):
    rng = np.random.default_rng(0)
    subject = np.repeat(np.arange(sum(subjects.values())), np.repeat(list(subjects), list(subjects.values())))
    share, both, trials = 0.0, 0.0, 4000
    for _ in range(trials):
        order = rng.permutation(subject)
        train, test = order[:n_train], order[n_train : n_train + n_test]
        share += np.isin(test, train).mean() / trials
        both += np.intersect1d(train, test).size / trials
    found = split_leakage(subjects, n_train, n_test)
    assert found.test_share == pytest.approx(share, abs=0.01)
    assert found.subjects_on_both_sides == pytest.approx(both, rel=0.03)
    assert found.subjects == subject.max() + 1


def test_hand_computed_case():
    """Two twins, one unit to train and one to test: of 12 draws in order 4 take both units of one subject."""
    found = split_leakage({2: 2}, 1, 1)
    assert (found.test_share, found.subjects_on_both_sides) == pytest.approx((1 / 3, 1 / 3))


def test_many_subjects_approach_the_closed_form():
    found = split_leakage({8: 20_000}, 128_000, 16_000)
    assert found.test_share == pytest.approx(share_with_sibling(8, 0.8), abs=1e-4)


def test_a_subject_of_one_unit_cannot_leak():
    assert share_with_sibling(1, 0.8) == 0
    found = split_leakage({1: 100}, 80, 10)
    assert (found.test_share, found.subjects_on_both_sides) == pytest.approx((0, 0), abs=1e-12)


def test_published_splits():
    """Hand 2023: by segment, and by hand if 44 of 192 have two; knee: halves of bilateral films, 18 of 193 test knees.

    92 people with 8 and 100 with 9 segments are 1,636; 873 is Stage 1's share of 1,120 training knees, were Stage 2
    split 8:1:1.
    """
    assert share_with_sibling(8.5, 0.799) == pytest.approx(0.999994, abs=5e-7)
    by_segment = split_leakage({8: 92, 9: 100}, 1307, 167)
    assert by_segment.test_share == pytest.approx(0.99999, abs=5e-6)
    assert by_segment.subjects_on_both_sides == pytest.approx(115, abs=0.5)
    assert split_leakage({1: 148, 2: 44}, 188, 24).test_share == pytest.approx(0.37 * 0.80, abs=0.005)
    assert 193 * split_leakage({1: 1685, 2: 262}, 873, 193).test_share == pytest.approx(18, abs=0.5)


@pytest.mark.parametrize(
    ("subjects", "n_train", "n_test"), [({}, 1, 1), ({2: 5}, 9, 2), ({2: 5}, 0, 2), ({0: 3, 2: 5}, 3, 3)]
)
def test_impossible_splits_are_refused(subjects, n_train, n_test):
    with pytest.raises(ValueError, match="cannot draw"):
        split_leakage(subjects, n_train, n_test)
