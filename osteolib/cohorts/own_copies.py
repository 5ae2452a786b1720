"""Does a hospital's own folder hold one film several times, and do the rows of its copies agree?

What one film is stands in :mod:`osteolib.cohorts.pictures`: the same bytes, the same picture, cut out of the same film.
"""

from __future__ import annotations

from hashlib import sha256

import numpy as np
import pandas as pd

from osteolib.cohorts.duplicates import join_groups
from osteolib.cohorts.pictures import group_files
from osteolib.runs.store import cached

SURE = 0.85
"""Correlation of detail from which a knee counts as cut out of a film. Stricter than where copies are known to abound:
of 60 knees of ``strnet-stage1`` put to films that they were *not* cut from none reaches 0.8; of 248 put to their own,
two lie below 0.85."""

SHOWN = 10  # groups that are named
GRADES = ("bytes_group", "picture_group", "source_group")


def same_pixels(films: pd.DataFrame) -> pd.Series:
    """A hash of the decoded pixels of each film, equal for files that show one picture however it is stored.

    Parameters
    ----------
    films
        ``path, sha256``, one row per film; the result is indexed like it.
    """

    def make() -> pd.DataFrame:
        from osteolib.radiograph import read_radiograph

        found = {}
        for sha, path in zip(films["sha256"], films["path"], strict=True):
            if sha not in found:
                pixels = read_radiograph(path).pixels
                found[sha] = sha256(f"{pixels.shape} {pixels.dtype}".encode() + pixels.tobytes()).hexdigest()
        return pd.DataFrame(found.items(), columns=["sha256", "pixels"], dtype="str")

    key = {"sha256": sorted(set(films["sha256"]))}
    return films["sha256"].map(cached("pixels", key, [__name__], make).set_index("sha256")["pixels"])


def with_groups(films: pd.DataFrame, knees: bool) -> pd.DataFrame:
    """The films with ``bytes_group, picture_group, source_group``, each named after the group's first film, and
    ``pixels`` of :func:`same_pixels`.

    Only films of ``knees`` are searched for pictures of one leg that are cut out of a film of both. That takes about a
    minute for 250 of one leg among 200 of both; what was found is kept in the store until a file changes.

    Parameters
    ----------
    films
        ``image_id`` (each once), ``path, sha256``, one row per film.
    """
    films = films.assign(pixels=same_pixels(films))
    place = pd.Series(range(len(films)), index=films["image_id"])

    def positions(found: pd.DataFrame, one: str, two: str) -> np.ndarray:
        return np.column_stack([place[found[one]], place[found[two]]])

    grouped, _, crops = group_files(films.assign(same_as=films["pixels"]), look_for_crops=knees)
    picture, sure = grouped["picture_group"], crops[crops["detail"] >= SURE]
    source = join_groups(picture, pairs=positions(sure, "crop", "film"))
    groups = zip(GRADES, (films["sha256"].to_numpy(), picture.to_numpy(), source), strict=True)
    return films.assign(**{name: films.groupby(group)["image_id"].transform("first").astype("str")
                           for name, group in groups})  # fmt: skip


def contradictions(films: pd.DataFrame, column: str) -> list[str]:
    """The source films whose files differ in ``column``, each as ``"a = b: normal / osteopenia"``."""
    by_film = films.groupby("source_group", sort=False)
    mixed = films[by_film[column].transform("nunique") > 1]
    return [f"{' = '.join(group['image_id'])}: {' / '.join(map(str, group[column].unique()))}"
            for _, group in mixed.groupby("source_group", sort=False)]  # fmt: skip


def describe_copies(films: pd.DataFrame) -> str:
    """How many files are copies, and which of them carry more than one label or subject.

    Parameters
    ----------
    films
        From :func:`with_groups`, with ``label`` and ``subject_id``.
    """
    left = [len(films), *(films[grade].nunique() for grade in GRADES)]
    same_bytes, same_picture, same_film = -np.diff(left)
    if left[0] == left[-1]:
        return f"No copies: {left[0]:,} files, as many films."
    lines = [f"Copies: {left[0]:,} files are {left[-1]:,} films. Byte-identical to another file: {same_bytes:,}; the "
             f"same picture stored anew: {same_picture:,}; one leg cut out of a film of both: {same_film:,}. No split "
             "tears them apart."]  # fmt: skip
    for column, of in (("label", "label"), ("subject_id", "subject")):
        if found := contradictions(films, column):
            lines.append(f"Films with more than one {of}, to be looked at: {len(found):,}")
            lines += [f"  {group}" for group in found[:SHOWN]]
            lines += [f"  and {len(found) - SHOWN:,} more"] if len(found) > SHOWN else []
    return "\n".join(lines)
