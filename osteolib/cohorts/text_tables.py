"""A CSV file as people's programs write it: its encoding, its delimiter, its rows; what is unclear is refused.

Encodings: UTF-8, and UTF-16 with its mark. Delimiters: comma, semicolon, tab, bar.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from pathlib import Path

DELIMITERS = ",;\t|"
LOOKED_AT = 50  # rows by which the delimiter is found
MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


def read_rows(path: Path) -> list[list[str]]:
    """The rows of a CSV file, blank ones too, so that a row's position is the one a spreadsheet shows.

    A first line ``sep=;`` names the delimiter and is no row, as in a spreadsheet.

    Raises
    ------
    ValueError
        Another encoding or format, a quotation mark that is not closed, no cells.
    """
    text = decoded(path.read_bytes())
    if named := re.match(r'"?sep=(.)"?[;,\t]*\r?\n', text, re.IGNORECASE):
        text = text[named.end() :]
    rows = _parsed(text, named[1] if named else delimiter(text))
    if not any(cell.strip() for row in rows for cell in row):
        raise ValueError("the file is empty")
    return rows


def decoded(content: bytes) -> str:
    """The text of a file; ValueError where its bytes are none, with what they seem to be."""
    if content.startswith(b"PK\x03\x04"):
        raise ValueError("its content is a workbook: give the file the ending .xlsx")
    encoding = next((name for mark, name in MARKS.items() if content.startswith(mark)), "utf-8")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        if encoding != "utf-8":
            raise ValueError(f"line {line}: damaged {encoding.upper()}; save it again as CSV in UTF-8") from None
        around = content[max(0, error.start - 12) : error.start + 12].splitlines()
        seen = next((part for part in around if content[error.start : error.start + 1] in part), b"")
        likely = f"{seen.decode('cp1252', 'replace')!r} in Windows-1252"
        raise ValueError(f"line {line} is not UTF-8 ({likely}); save it as CSV in UTF-8") from None
    if "\0" in text:
        raise ValueError("it holds zero bytes, as UTF-16 without its mark does; save it as CSV in UTF-8")
    return text


def delimiter(text: str) -> str:
    """The delimiter with which most rows have as many cells as the first that is not blank, and more than one."""
    best, most = ",", (0, 1)
    for candidate in DELIMITERS:
        try:
            rows = _parsed(text, candidate, LOOKED_AT)
        except ValueError:
            continue
        sizes = [len(row) for row in rows if any(cell.strip() for cell in row)]
        if sizes and sizes[0] > 1 and (score := (sizes.count(sizes[0]), sizes[0])) > most:
            best, most = candidate, score
    return best


def _parsed(text: str, separator: str, most: int | None = None) -> list[list[str]]:
    reader, rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True), []
    try:
        for row in reader:
            rows.append(row)
            if len(rows) == most:
                break
    except csv.Error as error:
        what = "a quotation mark is not closed" if "unexpected end" in str(error) else str(error)
        raise ValueError(f"row {len(rows) + 1}: {what}; put text with quotation marks in quotes, doubled") from None
    return rows
