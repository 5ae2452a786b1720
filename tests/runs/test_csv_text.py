import io

import pandas as pd
import pytest

from osteolib.runs.csv_text import csv_text

HARM = ["=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3+cmd|' /C calc'!A0", "\t=1", "\r=1", " =1", "=HYPERLINK(\"x\")",
        "\uff1d1+1", "+SUM(A1:A9)", "-Sheet2!A1", "\n@x"]  # fmt: skip
NONE = ["7", "-7", "+0.11 (0.02 to 0.20)", "-0.5 to 3", "A-7", "a=b", "x@y", "-", "", "−0.38", "0.7 (0.6 to 0.8)"]


@pytest.mark.parametrize("text", HARM)
def test_a_formula_becomes_text_in_cells_and_in_headers(text):
    back = pd.read_csv(io.StringIO(csv_text(pd.DataFrame({text: [text]}))), keep_default_na=False)
    harmless = "'" + text.replace("\r", "\n")
    assert (back.columns[0], back.iloc[0, 0], back.shape) == (harmless, harmless, (1, 1))


@pytest.mark.parametrize("text", NONE)
def test_numbers_and_other_text_stay(text):
    back = pd.read_csv(io.StringIO(csv_text(pd.DataFrame({"a": [text]}))), keep_default_na=False, dtype=str)
    assert back.iloc[0, 0] == text


def test_what_is_no_text_is_written_as_pandas_does():
    table = pd.DataFrame({"a": [-1.5, None], "b": [True, False], "c": pd.Categorical(["x", "y"])})
    assert csv_text(table) == table.to_csv(index=False)
