import numpy as np
import pytest

from osteolib.stats.audit.random_splits import (
    describe_splits,
    evenness,
    made_up_segments,
    printed_evenness,
    random_split,
)

CELLS = {("train", "op"): 100, ("val", "op"): 13, ("test", "op"): 12,
         ("train", "n"): 200, ("val", "n"): 24, ("test", "n"): 27}  # fmt: skip


@pytest.fixture
def cohort():
    return made_up_segments(CELLS, {"op": 15, "n": 30}, 7, np.random.default_rng(0))


def test_a_made_up_cohort_has_the_printed_sums(cohort):
    assert cohort.groupby("ill").size().to_dict() == {False: 251, True: 125}
    people = cohort.groupby("person")
    assert people.ngroups <= 45 and people["ill"].nunique().max() == 1  # one label a person
    assert people["hand"].nunique().max() == 2 and cohort.groupby("hand").size().max() == 7
    # whole hands that fill the cells: 15 + 2 + 2 and 29 + 4 + 4
    assert cohort["hand"].nunique() <= 19 + 37


def test_whatever_is_kept_together_lies_in_one_part_and_a_tenth_is_tested(cohort):
    rng = np.random.default_rng(1)
    ill = cohort["ill"].to_numpy()
    for unit in ("segment", "hand", "person"):
        part = random_split(cohort[unit].to_numpy(), ill, False, rng)
        parts = cohort.assign(part=part).groupby(unit)["part"]
        assert parts.nunique().max() == 1
        units = parts.first().value_counts()
        assert units[1] == units[2] == round(len(parts) / 10)


def test_a_split_by_label_gives_each_class_its_tenth(cohort):
    ill = cohort["ill"].to_numpy()
    part = random_split(cohort["segment"].to_numpy(), ill, True, np.random.default_rng(2))
    assert [(part[ill] == 2).sum(), (part[~ill] == 2).sum()] == [12, 25]


def test_evenness_of_a_case_counted_by_hand():
    """Ten segments, two of them tested, one for validation: off by one from a tenth; shares 3/7, 0 and 1/2."""
    part = np.array([0] * 7 + [1] + [2, 2])
    ill = np.array([1, 1, 1, 0, 0, 0, 0, 0, 1, 0], bool)
    assert evenness(part, ill) == (1.0, 0.5)
    assert printed_evenness(CELLS) == pytest.approx((1.4, 13 / 37 - 12 / 39))


def test_nobody_is_on_both_sides_of_a_split_of_people_and_nearly_everybody_of_segments(cohort):
    rng = np.random.default_rng(3)
    apart = describe_splits(cohort, "person", True, (100.0, 1.0), 20, rng)
    assert (apart[["seen", "both"]] == 0).all(axis=None) and apart[["alike", "even"]].all(axis=None)
    pieces = describe_splits(cohort, "segment", True, (0.0, 0.0), 20, rng)
    assert (pieces["size"] == 37).all() and pieces["seen"].mean() > 0.95 and not pieces["even"].any()
