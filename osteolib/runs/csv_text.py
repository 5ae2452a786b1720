"""Tables as CSV that a spreadsheet opens without running anything that stands in them."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd

FORMULA = re.compile(r"[\t\r\n ]*(?:[=@\uff1d\uff20]|[+\-\uff0b\uff0d].*(?:[|!]|[^\W\d]\())", re.DOTALL)
"""What begins as a formula does: ``=``, ``@``, or a sign before a call, another sheet or a program. Numbers and "+0.11
(0.02 to 0.20)" are none. After OWASP's page on CSV injection, with the wide forms that spreadsheets read alike."""


def csv_text(table: pd.DataFrame) -> str:
    """A table without its index as CSV; text that a spreadsheet would take for a formula has an apostrophe before it.

    Identifiers and file names come from people's own tables, and what this project writes is opened in spreadsheets.
    """
    return table.map(_harmless).rename(columns=_harmless).to_csv(index=False)


def _harmless(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    text = value.replace("\r", "\n")  # which pandas does not quote alone: what follows would be a row of its own
    return f"'{text}" if FORMULA.match(text) else text
