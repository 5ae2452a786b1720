"""Which images are the same picture? Identical files by sha256, look-alikes by a perceptual hash.

The perceptual hash is the 64-bit DCT hash of the imagehash package; two films within a Hamming distance of 4 count as
look-alikes, the rule of STR-Net's own audit (Section 2.1). It is a property of a file's content, so manifests hold it
beside the sha256: decoding 239 films for it takes seconds, comparing 239 numbers does not.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

MAX_DISTANCE = 4
"""Hamming distance, of 64 bits, up to which two images are kept on one side of a split."""

CROSS_CLASS = ("exclude", "keep")


def perceptual_hash(path: Path, polarity: str | None = None) -> str:
    """64-bit perceptual hash of an image file (PNG, JPEG or DICOM), 16 hexadecimal digits; bone is bright on it.

    Raises
    ------
    ValueError
        The file is no radiograph; see :func:`osteolib.radiograph.read_radiograph`.
    """
    import imagehash
    from PIL import Image

    from osteolib.radiograph import read_radiograph

    pixels = read_radiograph(path, polarity).pixels
    if pixels.dtype != np.uint8:  # the hash compares DCT terms with their median: scale does not matter
        pixels = (pixels / max(int(pixels.max()), 1) * 255).round().astype(np.uint8)
    return str(imagehash.phash(Image.fromarray(pixels)))


def same_perceptual_hash(path: Path, phash: str | None, polarity: str | None = None) -> bool:
    """Whether a file still has the hash that its manifest states; decoders may differ in a bit or two."""
    return phash is None or int.bit_count(int(perceptual_hash(path, polarity), 16) ^ int(phash, 16)) <= 2


def join_groups(*keys: pd.Series, pairs: np.ndarray | None = None) -> np.ndarray:
    """Number the groups of rows that are connected through an equal key or a pair.

    Parameters
    ----------
    keys
        Each of length n: two rows with one value of a key belong together. Missing values join nothing.
    pairs
        Shape (p, 2), positions of further rows that belong together.

    Returns
    -------
    Group number per row, shape (n,), counted from 0 in order of first appearance.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    nodes = n = len(keys[0])  # rows are nodes, and so is each value of a key
    edges = [np.empty((0, 2), int) if pairs is None else np.asarray(pairs, int).reshape(-1, 2)]
    for key in keys:
        codes, values = pd.factorize(key)
        known = np.flatnonzero(codes >= 0)
        edges.append(np.column_stack([known, nodes + codes[known]]))
        nodes += len(values)
    left, right = np.concatenate(edges).T
    graph = coo_array((np.ones(len(left), bool), (left, right)), shape=(nodes, nodes))
    return pd.factorize(connected_components(graph, directed=False)[1][:n])[0]


def look_alike_pairs(phash: pd.Series, max_distance: int = MAX_DISTANCE) -> np.ndarray:
    """Positions of images whose hashes differ in at most ``max_distance`` bits, shape (p, 2)."""
    from scipy.spatial import KDTree

    raw = np.frombuffer(bytes.fromhex("".join(phash)), np.uint8).reshape(len(phash), -1)
    bits = np.unpackbits(raw, axis=1)
    return KDTree(bits).query_pairs(max_distance + 0.5, p=1, output_type="ndarray")  # L1 on bits is Hamming


def split_groups(films: pd.DataFrame) -> pd.Series:
    """The group of each film that no split may tear apart, named after its first film.

    Films of one subject, byte-identical films and look-alikes are joined, also through a third. ``films`` has the
    columns ``subject_id``, ``image_id``, ``sha256`` and ``phash``, one row per film.
    """
    group = join_groups(films.subject_id, films.sha256, pairs=look_alike_pairs(films.phash))
    return films.groupby(group).image_id.transform("first").astype("str")


def cross_class_groups(films: pd.DataFrame) -> pd.Series:
    """Groups of byte-identical films with different labels: no one can tell whose film it is.

    Returns
    -------
    For each film in such a group the image ids of the whole group, ``"N1 = OP13"``, indexed like ``films``.
    """
    by_content = films.groupby("sha256")
    mixed = films[by_content.label.transform("nunique") > 1]
    return mixed.groupby("sha256").image_id.transform(" = ".join).astype("str").sort_values()


def leave_out_cross_class(films: pd.DataFrame, handling: str) -> tuple[pd.DataFrame, list]:
    """Leave out, or keep and flag, films whose identical copy carries another label."""
    if handling not in CROSS_CLASS:
        raise ValueError(f"cross_class_duplicates must be one of {', '.join(CROSS_CLASS)}, got {handling!r}")
    mixed = cross_class_groups(films)
    reason = "film identical to one of another class"
    action = "excluded" if handling == "exclude" else "flagged"
    listed = [(films.subject_id[row], action, reason, group) for row, group in mixed.items()]
    return (films.drop(mixed.index) if handling == "exclude" else films), listed
