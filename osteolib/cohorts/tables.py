"""Tables as people keep them: read as text, mapped to our names, checked, every problem with its row and remedy.

The columns of a table are described by a mapping ``our name -> description`` (in a manifest, or in code)::

    column     header in the file; spaces at its ends, doubled spaces, a trailing colon and case do not matter
    range      the column holds numbers, in [low, high]
    values     the column holds these words and no others; each is replaced by its meaning
    spellings  words to be replaced by another; others stay
    required   no cell may be empty
    unique     no value may appear twice
    plain      identifiers: :data:`PLAIN_ID` only
    optional   the column itself may be absent
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import pandas as pd

PLAIN_ID = r"[\w][\w .:+-]*"
"""What an identifier may look like. Anything else, HTML above all, has no business in a page or a file name."""


def read_table(path: Path, sheet: str | None = None) -> pd.DataFrame:
    """Read a CSV or XLSX file without interpreting it.

    Returns
    -------
    Cells as text (missing where empty), headers as in the file, and as index the row numbers a spreadsheet shows.

    Raises
    ------
    ValueError
        The file is not a table, or a row has more cells than there are headers.
    """
    try:
        if path.suffix.lower() == ".xlsx":
            frame = pd.read_excel(path, sheet_name=sheet or 0, dtype=object)
        else:
            lines = path.read_text(encoding="utf-8-sig").splitlines()
            rows = list(csv.reader(lines, delimiter=max(",;\t", key=lines[0].count)))
            if long := [number for number, row in enumerate(rows, 1) if len(row) > len(rows[0])]:
                raise ValueError(f"{_rows(long)}: more cells than headers; is a decimal comma unquoted?")
            frame = pd.DataFrame(rows[1:], columns=rows[0])
    except (ValueError, KeyError, IndexError, BadZipFile, csv.Error) as error:
        raise ValueError(f"{path.name} cannot be read as a table (CSV in UTF-8, or XLSX): {error}") from None
    frame.columns = [str(c) for c in frame.columns]
    frame.index = pd.RangeIndex(2, len(frame) + 2)
    return frame.map(_text).dropna(how="all").astype("str")


def tidy_table(raw: pd.DataFrame, columns: Mapping[str, Mapping[str, Any]]) -> tuple[pd.DataFrame, list[str]]:
    """Rename, translate and check a table by the description of its columns.

    Returns
    -------
    The described columns under our names, numbers as float64, the rest as text; and a list of problems, each one line
    naming rows and column. The values are only to be used where the list is empty.
    """
    headers = {_plain(header): header for header in raw.columns}
    problems, tidy, unread = [], pd.DataFrame(index=raw.index), {}
    for name, about in columns.items():
        header = headers.get(_plain(about.get("column", name)))
        if header is None:
            if not about.get("optional"):
                found = ", ".join(repr(h) for h in raw.columns)
                problems.append(f"column {about.get('column', name)!r} is missing: the table has {found}")
            continue
        words = {_plain(old): new for part in ("values", "spellings") for old, new in about.get(part, {}).items()}
        cells = raw[header].map(lambda cell, words=words: words.get(_plain(cell), cell), na_action="ignore")
        if "range" in about:
            numbers = pd.to_numeric(cells, errors="coerce").astype(float)
            unread[name] = cells[numbers.isna() & cells.notna()]
            problems += [f"{_rows(same.index)}, {header}: {_show(cell)} is not a number{_comma(cell)}"
                         for cell, same in unread[name].groupby(unread[name], sort=False)]  # fmt: skip
            cells = numbers
        tidy[name] = cells
    described = {name: about for name, about in columns.items() if name in tidy}
    return tidy, problems + _check(tidy, described, unread)


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
                problems.append(f"{_rows(empty)}, {header}: the cell is empty")
            continue
        complaint = "appears more than once" if check == "field_uniqueness" else check
        problems += [f"{_rows(same['index'])}, {header}: {_show(value)} {complaint}"
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


def _text(cell: Any) -> Any:
    if pd.isna(cell) or not str(cell).strip():
        return None
    text = " ".join(str(cell).split())
    return re.sub(r"^(-?\d+)\.0$", r"\1", text)  # spreadsheets keep whole numbers as 65.0; an id must come out as 65


def _plain(text: Any) -> str:
    return " ".join(str(text).split()).rstrip(": ").casefold()


def _comma(value: Any) -> str:
    return ": write a decimal point, not a comma" if re.fullmatch(r"[+-]?\d+,\d+", str(value)) else ""


def _rows(rows: Any) -> str:
    rows = list(rows)
    return f"{'row' if len(rows) == 1 else 'rows'} {', '.join(map(str, rows[:10]))}{' ...' if len(rows) > 10 else ''}"


def _show(value: Any) -> str:
    return repr(escape(str(value), quote=False)[:60])
