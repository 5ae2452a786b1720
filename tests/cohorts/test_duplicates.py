import networkx
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from osteolib.cohorts.duplicates import (
    cross_class_groups,
    join_groups,
    leave_out_cross_class,
    look_alike_pairs,
    perceptual_hash,
    same_perceptual_hash,
    split_groups,
)


def films(*rows) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["subject_id", "image_id", "sha256", "phash", "label"])


FAR = ["0" * 16, "f" * 16, "0f" * 8, "00ff" * 4]  # 32 bits and more apart


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 6), st.one_of(st.none(), st.integers(0, 6))), min_size=1, max_size=25))
def test_groups_are_the_connected_components_of_a_graph(rows):
    """Oracle: networkx on the graph in which rows are joined to the values of their keys."""
    frame = pd.DataFrame(rows, columns=["a", "b"], dtype="Int64")
    graph = networkx.Graph()
    graph.add_nodes_from(range(len(rows)))
    for i, (a, b) in enumerate(rows):
        graph.add_edge(i, ("a", a))
        if b is not None:
            graph.add_edge(i, ("b", b))
    expected = {frozenset(n for n in part if isinstance(n, int)) for part in networkx.connected_components(graph)}
    group = join_groups(frame.a, frame.b)
    assert {frozenset(np.flatnonzero(group == g).tolist()) for g in set(group)} == expected


@settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(0, 2**64 - 1), min_size=2, max_size=12), st.integers(0, 63), st.integers(0, 63))
def test_look_alikes_are_the_pairs_within_four_bits(numbers, one, two):
    numbers = [*numbers, numbers[0] ^ (1 << one) ^ (1 << two)]
    expected = {(i, j) for j in range(len(numbers)) for i in range(j) if int.bit_count(numbers[i] ^ numbers[j]) <= 4}
    found = look_alike_pairs(pd.Series([f"{n:016x}" for n in numbers]))
    assert {tuple(sorted(map(int, pair))) for pair in found} == expected


def test_a_chain_of_look_alikes_is_one_group():
    """a and c are 8 bits apart, each within 4 of b."""
    table = films(
        ("1", "a", "x", "0" * 16, ""), ("2", "b", "y", "0" * 15 + "f", ""), ("3", "c", "z", "0" * 14 + "ff", "")
    )
    assert split_groups(table).tolist() == ["a", "a", "a"]


def test_films_of_one_subject_and_identical_files_share_a_group():
    table = films(
        ("1", "a", "x", FAR[0], ""),
        ("1", "b", "y", FAR[1], ""),
        ("2", "c", "y", FAR[1], ""),
        ("3", "d", "w", FAR[2], ""),
    )
    assert split_groups(table).tolist() == ["a", "a", "a", "d"]


def test_only_identical_files_of_different_classes_are_left_out():
    table = films(
        ("N1", "N1", "x", FAR[0], "normal"),
        ("OP13", "OP13", "x", FAR[0], "osteopenia"),
        ("OP2", "OP2", "y", FAR[1], "osteopenia"),
        ("OP3", "OP3", "y", FAR[1], "osteopenia"),  # identical, but of one class
        ("N9", "N9", "z", FAR[1][:-1] + "e", "normal"),  # a look-alike of another class
    )
    assert cross_class_groups(table).to_dict() == {0: "N1 = OP13", 1: "N1 = OP13"}
    kept, listed = leave_out_cross_class(table, "exclude")
    assert kept.subject_id.tolist() == ["OP2", "OP3", "N9"]
    assert [(subject, action) for subject, action, *_ in listed] == [("N1", "excluded"), ("OP13", "excluded")]
    kept, listed = leave_out_cross_class(table, "keep")
    assert len(kept) == 5
    assert {action for _, action, *_ in listed} == {"flagged"}
    with pytest.raises(ValueError, match="exclude, keep"):
        leave_out_cross_class(table, "drop")


def test_a_perceptual_hash_survives_another_encoding_and_not_another_picture(tmp_path):
    rng = np.random.default_rng(0)
    pictures = [Image.fromarray(rng.integers(0, 255, (8, 8)).astype(np.uint8)).resize((200, 160)) for _ in range(2)]
    pictures[0].save(tmp_path / "a.png")
    pictures[0].save(tmp_path / "a.jpg", quality=90)
    pictures[1].save(tmp_path / "b.png")
    stated = perceptual_hash(tmp_path / "a.png")
    assert same_perceptual_hash(tmp_path / "a.jpg", stated)
    assert not same_perceptual_hash(tmp_path / "b.png", stated)
