"""The people of a hospital's own table: the columns it may have, and what cannot be true of them together."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from osteolib.cohorts.cohort import RANGES, WORDS
from osteolib.cohorts.tables import not_used, read_table, tidy_table
from osteolib.radiograph.polarity import POLARITIES
from osteolib.stats.labels import LABELS, RULES, label_from_t_score

SEX = {"F": "F", "female": "F", "woman": "F", "M": "M", "male": "M", "man": "M"}
COLUMNS = {
    "subject_id": {"required": True, "plain": True},
    "image": {"required": True, "unique": True},
    "sex": {"values": SEX, "optional": True},
    **{name: {"range": limits, "settled": True, "optional": True} for name, limits in RANGES.items()},
    # beyond lie misplaced decimal points and BMD in mg/cm2
    **{
        name: {"range": (-8, 6), "settled": True, "optional": True}
        for name in ("t_score", "t_score_neck", "t_score_total_hip", "t_score_spine")
    },
    **{n: {"values": {w: w for w in WORDS[n]}, "optional": True} for n in ("label", "side", "t_score_method")},
    "polarity": {"values": {w: w for w in POLARITIES}, "optional": True},
    **{name: {"optional": True} for name in ("t_score_site", "level", "site", "device", "view")},
}
"""The columns a table may have; others are ignored. ``t_score`` or ``label`` must be among them; the T-scores of
three DXA sites are for the page on two measurements of one person, ``polarity`` for films that are taken for negatives,
or are negatives."""


def _columns(table: dict) -> dict[str, dict]:
    headers = table["headers"]
    return {name: about | {"column": headers.get(name, name)} for name, about in COLUMNS.items()}


def read_people(folder: Path, table: dict, label_rule: str) -> tuple[pd.DataFrame, list[str]]:
    """The table under our names with a label for everybody, and its problems."""
    people, problems = tidy_table(read_table(folder / table["file"]), _columns(table))
    if people.empty and not problems:
        problems.append("the table has headers and no rows")
    if "t_score" not in people and "label" not in people:
        problems.append("a column 't_score' or 'label' is needed")
    if label_rule not in RULES:
        return people, problems
    t_score = people.get("t_score", pd.Series(float("nan"), people.index))
    t_score = t_score.where(t_score.between(*COLUMNS["t_score"]["range"]))  # another unit means no label
    by_rule = label_from_t_score(t_score, label_rule)
    label = people.get("label", by_rule).fillna(by_rule)
    if not problems:  # else a cell that could not be read would be complained of twice
        problems += [f"row {row}: neither t_score nor label is given" for row in people.index[label.isna()]]
    other = by_rule.notna() & label.isin(LABELS) & (label != by_rule)
    lost = (t_score > 0) & (label_from_t_score(-t_score, label_rule) == label)
    problems += [f"row {row}: label {label[row]!r}, but T-score {t_score[row]:g} means {by_rule[row]!r} by the rule "
                 f"{label_rule!r}; {'with a minus sign it would fit' if lost[row] else 'correct one or leave one out'}"
                 for row in people.index[other]]  # fmt: skip
    if "subject_id" in people:
        problems += _same_person(people)
    return people.assign(label=label), problems


def _same_person(people: pd.DataFrame) -> list[str]:
    """Subjects of both sexes, and subjects whose identifiers may be one: such people would stand on both sides."""
    problems = []
    if "sex" in people:
        sexes = people[people.sex.isin(WORDS["sex"])].groupby("subject_id").sex.nunique()
        problems += [f"subject {subject!r} has rows of both sexes" for subject in sexes.index[sexes > 1]]
    ids = people.subject_id.dropna().drop_duplicates()
    alike = ids.groupby(ids.str.casefold().where(~ids.str.isdecimal(), ids.str.lstrip("0"))).agg(list)
    return problems + [f"subjects {' and '.join(map(repr, same))} differ only in case or leading zeros: one person has "
                       "one identifier, two have two" for same in alike if len(same) > 1]  # fmt: skip


def unused_columns(folder: Path, table: dict) -> list[str]:
    """Headers of the table that mean nothing to the cohort."""
    return not_used(read_table(folder / table["file"]), _columns(table))
