import pandas as pd
import pytest
from sklearn.metrics.cluster import pair_confusion_matrix

from osteolib.cohorts.groupings import also_in_train, left_by, pairs_joined

OURS = pd.Series(list("aaabbccd"))
THEIRS = pd.Series(list("xxyyyzzz"))


def test_pairs_are_those_of_sklearn():
    (_, theirs), (ours, both) = pair_confusion_matrix(OURS, THEIRS) // 2
    assert pairs_joined(OURS, THEIRS) == {"both": both, "ours only": ours, "theirs only": theirs}


def test_pairs_by_hand():
    """Ours joins 3 + 1 + 1 pairs, theirs 1 + 3 + 3; one of the three of a is shared, and those of b and c."""
    assert pairs_joined(OURS, THEIRS) == {"both": 3, "ours only": 2, "theirs only": 4}
    assert pairs_joined(OURS, OURS) == {"both": 5, "ours only": 0, "theirs only": 0}


@pytest.fixture
def files():
    """Film a as film of both knees, twice, and as two crops; film b once; film c as two pictures."""
    return pd.DataFrame(
        {
            "n_legs": [2, 2, 1, 1, 1, 1, 1],
            "bytes_group": list("aalrbcd"),
            "source_group": list("aaaabcc"),
        }
    )


def test_what_a_rule_leaves_by_hand(files):
    left = left_by(files, {"bytes": files["bytes_group"], "film": files["source_group"]}, missing=3)
    assert left.loc["bytes"].tolist() == [6, 7, 9, 13]  # a has two legs, the other five contents one
    assert left.loc["film"].tolist() == [3, 4, 6, 10]


def test_a_coarser_rule_never_leaves_more(files):
    left = left_by(files, {"fine": files["bytes_group"], "coarse": files["source_group"]}, missing=0)
    assert (left.loc["coarse"] <= left.loc["fine"]).all() and (left["files"] == left["most_files"]).all()


def test_copies_in_train_by_hand(files):
    part = pd.Series(["train", "test", "test", "val", "test", "train", None])
    found = also_in_train(files, part, {"bytes": "bytes_group", "film": "source_group"})
    assert found.loc["test"].to_dict() == {"files": 3, "bytes": 1, "film": 2}  # b is in test alone
    assert found.loc["val"].to_dict() == {"files": 1, "bytes": 0, "film": 1}
    assert list(found.index) == ["test", "val"]
