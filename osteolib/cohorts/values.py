"""What a cell of a table says, whatever program wrote it: its text, whether it is missing, its number.

Text is squeezed (no spaces at its ends, no doubled ones, nothing invisible) and in Unicode's composed form, so that one
name typed on two machines is one name.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime, time
from itertools import groupby
from typing import Any

import numpy as np
import pandas as pd

MISSING = frozenset(
    ("NA", "N/A", "n/a", "#N/A", "#NA", "#N/A N/A", "<NA>", "NaN", "nan", "-NaN", "-nan", "NULL", "null", "None",
     "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN")
)  # fmt: skip
"""Words that programs write for a missing value. They mean it in CSV and XLSX alike, but never in an identifier."""

FAILED = frozenset(("#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!"))
"""What a spreadsheet shows where a formula failed."""

INVISIBLE = dict.fromkeys([0x00AD, 0x200B, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0xFEFF])
MINUS = re.compile("^[-\u2010-\u2015\u2212\ufe58\ufe63\uff0d]\\s*(?=[\\d.])")
NOISE, DECIMALS = 1e-9, 6
"""A number within NOISE of one with so many decimals is that number: a formula leaves -2.4999999999999996 for -2.5."""

MONTHS = ("Jan(?:uary|uar)?|Feb(?:ruary|ruar)?|Mar(?:ch)?|Mär(?:z)?|Mrz|Apr(?:il)?|May|Mai|June?|Juni|July?|Juli|"
          "Aug(?:ust)?|Sept?(?:ember)?|O[ck]t(?:ober)?|Nov(?:ember)?|De[cz](?:ember)?")  # fmt: skip
DATE = re.compile(
    r"\d{4}-\d\d-\d\d(?:[ T]\d\d:.*)?|\d{1,2}\.\d{1,2}\.(?:\d{4})?"
    rf"|\d{{1,2}}(?:[-. ]|\. )(?:{MONTHS})\.?(?:[- ]\d{{2,4}})?|(?:{MONTHS})\.?[- ]\d\d"
)
"""What spreadsheets write for a date; they make one of 3-1 and of 2.5, by the country's habit."""

SHORTENED = re.compile(r"\d([.,]\d+)?[eE]\+\d+")


def _marks() -> str:
    """All accents and vowel signs as the inside of a character class; Python's \\w has letters and digits only."""
    marks = [c for c in range(0x300, 0x1E950) if unicodedata.category(chr(c)) in ("Mn", "Mc")]
    runs = [[c for _, c in run] for _, run in groupby(enumerate(marks), lambda pair: pair[1] - pair[0])]
    return "".join(f"{chr(run[0])}-{chr(run[-1])}" for run in runs) + "\u200c\u200d"  # and the (non-)joiners


PLAIN_ID = rf"[\w][\w{_marks()} .:+-]*"
"""What an identifier may look like: letters of every script, digits, spaces and . : + - _ only. Anything else, HTML
above all, has no business in a page or a file name."""


def squeezed(text: str) -> str:
    """Composed (NFC), without invisible characters, each run of spaces one space, none at the ends."""
    return " ".join(unicodedata.normalize("NFC", text).translate(INVISIBLE).split())


def cell_text(cell: Any) -> str | None:
    """The text of a cell, None where it is empty; a date as 2024-01-31, a truth value as TRUE or FALSE."""
    if cell is None or (isinstance(cell, float) and np.isnan(cell)):
        return None
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, datetime) and cell.time() == time.min:
        cell = cell.date()
    text = squeezed(cell.isoformat(" ") if isinstance(cell, datetime) else str(cell))
    return re.sub(r"^(-?\d+)\.0$", r"\1", text) or None  # 65.0 is a whole number: an id comes out as 65


def numbers(cells: pd.Series, settled: bool = False) -> pd.Series:
    """Cells as float64, NaN where one is missing or no finite number; a minus may have any of its shapes.

    ``settled`` takes binary noise off (:data:`NOISE`), so that a formula falls on the side of a cut-off that the sheet
    shows.
    """
    plain = cells.map(lambda cell: MINUS.sub("-", str(cell)), na_action="ignore")
    found = pd.to_numeric(plain, errors="coerce").astype(float).replace([np.inf, -np.inf], np.nan)
    shown = found.round(DECIMALS)
    return found.mask((found - shown).abs() <= NOISE, shown) if settled else found


def no_number(cell: str) -> str:
    """What to do about a text in a column of numbers; empty where nothing better can be said."""
    if cell in FAILED:
        return ": a formula failed there"
    if DATE.fullmatch(cell):
        return ": a date, perhaps made by the spreadsheet; give the column the format of numbers and type it anew"
    if re.fullmatch(r"[+-]?\d+,\d+", MINUS.sub("-", cell)):
        return ": write a decimal point, not a comma"
    if re.fullmatch(r"[+-]?\d{1,3}(?:([,.'’ ])\d{3})(?:\1\d{3})*(?:[.,]\d+)?", cell):
        return ": write it without thousands separators, with a decimal point"
    if re.fullmatch(r"\d+(?:[.,]\d+)?\s?-|\(\d+(?:[.,]\d+)?\)", cell):
        return ": write the minus sign in front"
    if cell.endswith("%"):
        return ": write the number without %"
    if re.fullmatch(r"[+-]?[\d.,]+\s*[^\W\d]\S*", cell):
        return ": write the number without its unit"
    if re.fullmatch(r"[<>≤≥~≈]\s*[+-]?[\d.,]+", cell):
        return ": a bound is no value; leave the cell empty"
    return f"; a missing value is an empty cell or {', '.join(('NA', 'N/A', 'NaN', 'NULL', 'None'))}"


def no_identifier(cell: str) -> str:
    """Why a text is not what was once typed as an identifier; empty where nothing speaks against it."""
    if DATE.fullmatch(cell):
        return ("is a date, perhaps made by the spreadsheet from an identifier such as 3-1: give the column the format "
                "of text and type it anew, with a letter in front if dates are meant")  # fmt: skip
    if SHORTENED.fullmatch(cell):
        return "is a long number that the spreadsheet has shortened: give the column the format of text, type it anew"
    if cell in FAILED:
        return "is a formula that failed"
    return ""
