"""Tables as people keep them: read as text, mapped to our names, checked, every problem with its row and remedy.

The columns of a table are described by a mapping ``our name -> description`` (in a manifest, or in code)::

    column     header in the file; spaces at its ends, doubled spaces, a trailing colon and case do not matter
    range      the column holds numbers, in [low, high]
    settled    its numbers may come from formulas: binary noise is taken off, -2.4999999999999996 is -2.5
    values     the column holds these words and no others; each is replaced by its meaning
    spellings  words to be replaced by another; others stay
    required   no cell may be empty
    unique     no value may appear twice
    plain      identifiers: :data:`PLAIN_ID` only; as in a unique column no word stands for a missing value
    optional   the column itself may be absent
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from osteolib.cohorts import values
from osteolib.cohorts.plausible import likely_unit
from osteolib.cohorts.table_files import column_letters, read_table, row_list
from osteolib.cohorts.values import PLAIN_ID

HEADER_WITHIN = 30  # rows in which a header is looked for that does not stand first


def tidy_table(raw: pd.DataFrame, columns: Mapping[str, Mapping[str, Any]]) -> tuple[pd.DataFrame, list[str]]:
    """Rename, translate and check a table by the description of its columns.

    Returns
    -------
    The described columns under our names, numbers as float64, the rest as text; and a list of problems, each one line
    naming rows and column. The values are only to be used where the list is empty.
    """
    places: dict[str, list[int]] = {}
    for position, header in enumerate(raw.columns):
        places.setdefault(_plain(header), []).append(position)
    problems, tidy, unread, used = [], pd.DataFrame(index=raw.index), {}, {}
    for name, about in columns.items():
        wanted = about.get("column", name)
        found = places.get(_plain(wanted), [])
        if len(found) > 1:
            problems.append(_twice(raw, found, wanted))
        if not found and not about.get("optional"):
            there = ", ".join(repr(h) for h in raw.columns if h)
            problems.append(f"column {wanted!r} is missing: the table has {there or 'no headers'}")
        if len(found) != 1:
            continue
        header, cells = raw.columns[found[0]], raw.iloc[:, found[0]]
        used[found[0]] = name
        identifier = about.get("plain") or about.get("unique")
        if not identifier:
            cells = cells.mask(cells.isin(values.MISSING))
        words = {_plain(old): new for part in ("values", "spellings") for old, new in about.get(part, {}).items()}
        cells = cells.map(lambda cell, words=words: words.get(_plain(cell), cell), na_action="ignore")
        cells = cells.astype("str")  # an empty column has come out as one of numbers
        if "range" in about:
            read = values.numbers(cells, about.get("settled", False))
            unread[name] = cells[read.isna() & cells.notna()]
            problems += _not_numbers(unread[name], header)
            cells = read
        elif identifier or cells.isin(values.FAILED).any():
            problems += [f"{row_list(same.index)}, {header}: {_show(cell)} {why}"
                         for cell, same in cells.dropna().groupby(cells.dropna(), sort=False)
                         if (why := values.no_identifier(cell)) and (identifier or cell in values.FAILED)]  # fmt: skip
        tidy[name] = cells
    problems = _header_below(raw, columns, problems)
    problems += _doubted(raw, used, unread)
    described = {name: about for name, about in columns.items() if name in tidy}
    return tidy, problems + _check(tidy, described, unread)


def not_used(raw: pd.DataFrame, columns: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Headers of the table that no description names."""
    known = {_plain(about.get("column", name)) for name, about in columns.items()}
    return [header for header in raw.columns if header and _plain(header) not in known]


def _twice(raw: pd.DataFrame, found: list[int], wanted: str) -> str:
    letters = raw.attrs.get("letters") or [column_letters(position) for position in range(raw.shape[1])]
    named = " and ".join(f"{letters[position]} ({raw.columns[position]!r})" for position in found)
    return f"columns {named} are both {wanted!r}: delete or rename one"


def _not_numbers(cells: pd.Series, header: str) -> Iterator[str]:
    """A line for each text that is no number, and one for all that need the same remedy where there are several."""
    for remedy, alike in cells.groupby(cells.map(values.no_number), sort=False):
        if alike.nunique() > 1:
            others = f"{_show(alike.iloc[0])} and {alike.nunique() - 1} more are no numbers"
            yield f"{row_list(alike.index)}, {header}: {others}{remedy}"
        else:
            yield f"{row_list(alike.index)}, {header}: {_show(alike.iloc[0])} is not a number{remedy}"


def _header_below(raw: pd.DataFrame, columns: Mapping[str, Mapping[str, Any]], problems: list[str]) -> list[str]:
    """Where a row below the first has the names that the first lacks, that is what is wrong."""
    wanted = {_plain(about.get("column", name)) for name, about in columns.items()}
    first = len(wanted & {_plain(header) for header in raw.columns})
    for row, cells in raw.head(HEADER_WITHIN).iterrows():
        if (here := len(wanted & {_plain(cell) for cell in cells.dropna()})) > max(first, 1):
            return [f"row {row} seems to be the header: delete the rows above it"]
        if here > 1:
            problems = [*problems, f"row {row} repeats the header: delete it"]
    return problems


def _doubted(raw: pd.DataFrame, used: Mapping[int, str], unread: dict[str, pd.Series]) -> list[str]:
    """Doubts of the reader about cells that are used; those cells are not complained of as empty."""
    problems = []
    for rows, positions, what in raw.attrs.get("doubts", ()):
        known = [position for position in positions if position in used]
        here = [row for row in rows if row in raw.index] if rows else []
        if not known or (rows and not here and raw.attrs["header"] not in rows):
            continue
        for name in (used[position] for position in known):
            unread[name] = pd.concat([unread.get(name, pd.Series(dtype="str")), pd.Series("", index=here)])
        headers = dict.fromkeys(raw.columns[position] for position in known)
        place = f", {', '.join(headers)}" if len(headers) < len(used) else ""
        problems.append(f"{row_list(here)}{place}: {what}" if here else f"column {', '.join(headers)}: {what}")
    return problems


def tidy_file(folder: Path, table: Mapping[str, Any]) -> pd.DataFrame:
    """The whole table that a manifest's ``table`` (``file``, ``columns``) describes, read and tidied.

    Raises
    ------
    ValueError
        The file is not a table, or it breaks its description: every problem, and the file.
    """
    tidy, problems = tidy_table(read_table(folder / table["file"]), table["columns"])
    if problems:
        raise ValueError(f"{table['file']}: " + "\n".join(problems))
    return tidy


def _check(frame: pd.DataFrame, columns: Mapping[str, Mapping], unread: Mapping[str, pd.Series]) -> list[str]:
    import pandera.pandas as pa

    schema = pa.DataFrameSchema({name: _column(about) for name, about in columns.items()}, strict=True)
    try:
        schema.validate(frame, lazy=True)
        return []
    except pa.errors.SchemaErrors as errors:
        cases = errors.failure_cases
    problems = []
    for (name, check), group in cases.groupby(["column", "check"], sort=False):
        header = columns[name].get("column", name)
        if check == "not_nullable":
            if empty := [row for row in group["index"] if row not in unread.get(name, ())]:
                problems.append(f"{row_list(empty)}, {header}: the cell is empty")
            continue
        complaint = "appears more than once" if check == "field_uniqueness" else check
        problems += [f"{row_list(same['index'])}, {header}: {_show(value)} {complaint}{likely_unit(name, value)}"
                     for value, same in group.groupby("failure_case", sort=False)]  # fmt: skip
    return problems


def _column(about: Mapping[str, Any]):
    import pandera.pandas as pa

    checks, kind = [], str
    if "range" in about:
        low, high = about["range"]
        kind, checks = float, [pa.Check.in_range(low, high, error=f"must lie between {low} and {high}")]
    elif "values" in about:
        allowed = list(dict.fromkeys(about["values"].values()))
        words = ", ".join(map(str, about["values"]))
        checks = [pa.Check.isin(allowed, error=f"must be one of {words}")]
    elif about.get("plain"):
        checks = [pa.Check.str_matches(f"^{PLAIN_ID}$", error="may hold letters, digits, spaces and . : + - _ only")]
    return pa.Column(kind, checks, nullable=not about.get("required"), unique=bool(about.get("unique")))


def _plain(text: Any) -> str:
    return values.squeezed(str(text)).rstrip(": ").casefold()


def _show(value: Any) -> str:
    return repr(escape(str(value), quote=False)[:60])
