"""Questions to groups of files: which pairs do they join, how many files are left, what does a split tear apart?"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd


def pairs_joined(ours: pd.Series, theirs: pd.Series) -> dict[str, int]:
    """Pairs of members that both groupings join, that only the first joins, and only the second; equal index."""

    def pairs(*keys: pd.Series) -> int:
        sizes = pd.concat([key.rename(str(i)) for i, key in enumerate(keys)], axis=1).value_counts()
        return int((sizes * (sizes - 1) // 2).sum())

    both = pairs(ours, theirs)
    return {"both": both, "ours only": pairs(ours) - both, "theirs only": pairs(theirs) - both}


def left_by(files: pd.DataFrame, rules: Mapping[str, pd.Series], missing: int) -> pd.DataFrame:
    """How many files and knees a rule leaves that keeps one file of each of its groups, the one with most legs.

    Parameters
    ----------
    files
        With ``n_legs`` (1 or 2).
    rules
        The group of each file under each rule.
    missing
        Files that were never seen: each may be a new film of two knees, or a copy of one that is here.

    Returns
    -------
    Index: rule; ``files, knees`` of those here, ``most_files, most_knees`` with the missing ones.
    """
    rows = {}
    for name, group in rules.items():
        legs = files.groupby(group.to_numpy())["n_legs"].max()
        rows[name] = (len(legs), int(legs.sum()), len(legs) + missing, int(legs.sum()) + 2 * missing)
    columns = ["files", "knees", "most_files", "most_knees"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("rule")


def also_in_train(files: pd.DataFrame, part: pd.Series, groups: Mapping[str, str]) -> pd.DataFrame:
    """Of the files of each part but ``train``, how many have a member of their group in ``train``.

    Parameters
    ----------
    part
        ``train`` or another name, indexed like ``files``; files without one are left out.
    groups
        What is asked, by name: the column that names the group.

    Returns
    -------
    Index: part; ``files`` and a column for each of ``groups``, counts. A file that was never seen can only add.
    """
    train = files[part == "train"]
    others = files[part.notna() & (part != "train")]
    rows = {"files": others.groupby(part).size()}
    rows |= {name: others[key].isin(train[key]).groupby(part).sum() for name, key in groups.items()}
    return pd.DataFrame(rows).rename_axis("part")
