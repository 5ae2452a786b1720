import pandas as pd
import pytest

from osteolib.cohorts.tables import read_table, tidy_table

COLUMNS = {
    "subject_id": {"column": "Patient Id", "required": True, "unique": True, "plain": True},
    "sex": {"column": "Gender", "values": {"female": "F", "male": "M"}},
    "t_score": {"column": "T-score Value", "required": True, "range": [-8, 6]},
    "occupation": {"column": "Occupation", "spellings": {"bussinesman": "businessman"}, "optional": True},
}


def table(**columns) -> pd.DataFrame:
    frame = pd.DataFrame(columns, dtype="str")
    return frame.set_axis(range(2, len(frame) + 2))


def test_a_table_is_read_alike_from_csv_and_xlsx(tmp_path):
    frame = pd.DataFrame({"id": ["007", "8"], "age ": [65.0, 41.5], "note": [" two  words ", None]})
    frame.to_excel(tmp_path / "t.xlsx", index=False)
    frame.to_csv(tmp_path / "comma.csv", index=False)
    frame.to_csv(tmp_path / "semicolon.csv", index=False, sep=";", encoding="utf-8-sig")
    first, *others = (read_table(tmp_path / name) for name in ("t.xlsx", "comma.csv", "semicolon.csv"))
    assert first.loc[2].tolist() == ["007", "65", "two words"]
    assert first.loc[3].isna().tolist() == [False, False, True]
    for other in others:
        pd.testing.assert_frame_equal(first, other)


def test_headers_and_words_are_matched_whatever_their_spaces_case_and_colon():
    raw = table(
        **{"patient  id:": ["a"], " GENDER ": ["Female"], "T-score Value": ["-1.5"], "Occupation ": ["Bussinesman"]}
    )
    tidy, problems = tidy_table(raw, COLUMNS)
    assert problems == []
    assert tidy.loc[2].tolist() == ["a", "F", -1.5, "businessman"]


def test_every_problem_is_told_at_once_with_row_column_and_remedy():
    raw = table(**{
        "Patient Id": ["1", "1", "<b>2</b>", None],
        "T-score Value": ["-2,5", "9", None, "low"],
    })  # fmt: skip
    _, problems = tidy_table(raw, COLUMNS)
    assert sorted(problems) == [
        "column 'Gender' is missing: the table has 'Patient Id', 'T-score Value'",
        "row 2, T-score Value: '-2,5' is not a number: write a decimal point, not a comma",
        "row 3, T-score Value: '9.0' must lie between -8 and 6: perhaps a misplaced decimal point",
        "row 4, Patient Id: '&lt;b&gt;2&lt;/b&gt;' may hold letters, digits, spaces and . : + - _ only",
        "row 4, T-score Value: the cell is empty",
        "row 5, Patient Id: the cell is empty",
        "row 5, T-score Value: 'low' is not a number; a missing value is an empty cell or NA, N/A, NaN, NULL, None",
        "rows 2, 3, Patient Id: '1' appears more than once",
    ]


def test_an_unknown_word_is_named_with_the_words_allowed():
    _, problems = tidy_table(table(**{"Patient Id": ["1"], "Gender": ["f"], "T-score Value": ["0"]}), COLUMNS)
    assert problems == ["row 2, Gender: 'f' must be one of female, male"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"id,t\n1,-2,5\n", "row 2: more cells than headers; is a decimal comma unquoted"),
        ("a.csv", b"", "cannot be read as a table"),
        ("a.csv", b"id\n\xff\xfe\n", "CSV in UTF-8"),
        ("a.xlsx", b"no workbook", "cannot be read as a table"),
    ],
)
def test_a_file_that_is_no_table_is_one_clear_error(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_table(tmp_path / name)
