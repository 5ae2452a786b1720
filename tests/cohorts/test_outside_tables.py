"""Tables as other people's programs write them: each is read as what it means, or refused by row, column and reason."""

import codecs
from datetime import datetime

import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl.utils import get_column_letter

from osteolib.cohorts.own_people import COLUMNS, read_people, unused_columns
from osteolib.cohorts.plausible import doubts, likely_unit
from osteolib.cohorts.table_files import column_letters, read_table
from osteolib.cohorts.values import MISSING, cell_text, numbers

HEADER = ["subject_id", "image", "t_score"]
ROWS = [["p1", "a.png", "-2.7"], ["007", "b c.png", "0.5"]]


def written(path, rows, delimiter=",", encoding="utf-8", before="", end="\n"):
    text = before + end.join(delimiter.join(row) for row in rows) + end
    path.write_bytes(text.encode(encoding))
    return path


def workbook(path, rows, change=lambda book, sheet: None):
    """A workbook of one sheet; ``change`` alters it before it is saved."""
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    change(book, book.active)
    book.save(path)
    return path


def people(path):
    return read_people(path.parent, {"file": path.name, "headers": {}}, "who")


def problems(path):
    """All that is said of a table; an error of the reader counts as one line."""
    try:
        return people(path)[1]
    except ValueError as error:
        return [str(error)]


# ---- CSV: delimiters, encodings, blank lines

PLAIN = [HEADER, *ROWS]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("before", ["", "\n", "\r\n\n", "SEP", '"SEP"'])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_dialect_of_csv_is_one_table(tmp_path, delimiter, encoding, before, end):
    before = before.replace("SEP", f"sep={delimiter}") + ("\n" if "SEP" in before else "")
    read = read_table(written(tmp_path / "t.csv", PLAIN, delimiter, encoding, before, end))
    assert list(read) == HEADER and read.to_numpy().tolist() == ROWS
    blank = len(before.splitlines()) if "sep" not in before else 0  # a spreadsheet takes the sep line for no row
    assert read.index.tolist() == [2 + blank, 3 + blank]


@given(st.lists(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), max_size=8), min_size=3,
                         max_size=3), min_size=1, max_size=5), st.sampled_from(",;\t|"))  # fmt: skip
def test_what_a_program_quotes_comes_back(tmp_path_factory, rows, delimiter):
    path = tmp_path_factory.mktemp("t") / "t.csv"
    frame = pd.DataFrame([[cell_text(cell) or "" for cell in row] for row in rows], columns=["a", "b", "c"])
    frame.to_csv(path, sep=delimiter, index=False)
    read = read_table(path)
    full = frame[(frame != "").any(axis=1)]
    assert read.fillna("").to_numpy().tolist() == full.to_numpy().tolist()
    assert read.index.tolist() == (full.index + 2).tolist()


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("subject_id,image\nmüller,a.png\n".encode("cp1252"), r"line 2 is not UTF-8 \('müller.*Windows-1252"),
        ("subject_id\nGroße\n".encode("latin-1"), "line 2 is not UTF-8 .*Große.*save it as CSV in UTF-8"),
        ("id\nx\n".encode("utf-16-le"), "zero bytes, as UTF-16 without its mark"),
        (codecs.BOM_UTF16_LE + b"i\0d\0\n", "damaged UTF-16"),
        (b'id,t\n"p1,-2\n', "row 2: a quotation mark is not closed"),
        (b"PK\x03\x04rest", "its content is a workbook: give the file the ending .xlsx"),
        (b"\n , ,\n", "the file is empty"),
        (b"subject_id,image,t_score\np1,a.png,-2,5\n", "row 2: more cells than headers; is a decimal comma unquoted"),
        (b"subject_id,image,t_score,\np1,a.png,-2,5\n", "row 2: more cells than headers"),
        (b"subject_id,t_score,site\np1,-2,5,\np2,-1,5,\n", "rows 2, 3: more cells than headers"),
        (b"Clinic A\nsubject_id,image,t_score\np1,a.png,-2.5\n", r"is row 1 not the header \(delete"),
    ],
)  # fmt: skip
def test_what_is_unclear_in_a_csv_is_refused_with_the_reason(tmp_path, content, what):
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(ValueError, match=what):
        read_table(tmp_path / "t.csv")


def test_empty_columns_and_rows_at_the_ends_do_no_harm(tmp_path):
    rows = [[*HEADER, "", ""], *([*row, "", ""] for row in ROWS), [""] * 5, [""] * 5]
    read = read_table(written(tmp_path / "t.csv", rows))
    assert list(read) == HEADER and read.to_numpy().tolist() == ROWS


# ---- headers


@pytest.mark.parametrize("second", ["t_score", "T_SCORE ", " t_score:", "t_score\u200b"])
@pytest.mark.parametrize("ending", [".csv", ".xlsx"])
def test_two_columns_of_one_name_are_named_with_their_letters(tmp_path, second, ending):
    rows = [["subject_id", "image", "t_score", second], ["p1", "a.png", "-2.7", "-0.5"]]
    write = written if ending == ".csv" else workbook
    found = problems(write(tmp_path / f"t{ending}", rows))
    assert found[0].startswith("columns C ('t_score') and D (") and found[0].endswith("delete or rename one")


def test_columns_that_nobody_asks_for_may_share_a_name_and_are_listed(tmp_path):
    path = written(tmp_path / "t.csv", [[*HEADER, "note", "note"], [*ROWS[0], "x", "y"]])
    assert people(path)[1] == []
    assert unused_columns(tmp_path, {"file": "t.csv", "headers": {}}) == ["note", "note"]


def test_a_header_that_stands_lower_or_twice_is_told(tmp_path):
    title = [["Clinic A", "", ""], ["export", "", "2024"], HEADER, *ROWS]
    assert problems(written(tmp_path / "t.csv", title))[0].startswith("t.csv cannot be read")  # cells without header
    assert problems(workbook(tmp_path / "t.xlsx", title))[0] == "row 3 seems to be the header: delete the rows above it"
    assert "row 3 repeats the header: delete it" in problems(written(tmp_path / "t.csv", [HEADER, ROWS[0], HEADER]))


@given(st.integers(0, 20_000))
def test_letters_of_columns_are_those_of_a_spreadsheet(position):
    if position < 18_278:
        assert column_letters(position) == get_column_letter(position + 1)


# ---- numbers

CUTS = (-2.5, -1.0, -1.5, 0.0, 18.5, 25.0, 30.0)


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("ulps", range(-20, 21, 5))
def test_binary_noise_at_a_cut_off_is_taken_off(cut, ulps):
    noisy = cut + ulps * np.spacing(abs(cut) or 1.0)
    assert numbers(pd.Series([str(float(noisy))]), settled=True).tolist() == [cut]


@given(st.decimals(-9, 99, places=4), st.integers(-8, 8))
def test_a_formula_gives_the_number_that_the_sheet_shows(decimal, ulps):
    shown = float(decimal)
    noisy = shown + ulps * np.spacing(abs(shown))
    assert numbers(pd.Series([str(float(noisy))]), settled=True).tolist() == [shown]
    assert numbers(pd.Series([str(float(noisy))])).tolist() == [noisy]  # public tables are read as they are


@pytest.mark.parametrize("other", [-2.4999, -2.50001, -2.499999])
def test_what_is_no_noise_stays(other):
    assert numbers(pd.Series([str(other)]), settled=True).tolist() == [other]


def test_a_formula_at_the_cut_off_is_osteoporosis_in_either_kind_of_file(tmp_path):
    rows = [
        HEADER,
        ["p1", "a.png", (0.5875 - 0.858) / 0.1082],
        ["p2", "b.png", -2.5],
        ["p3", "c.png", -1.0000000000000002],
    ]
    for path in (workbook(tmp_path / "t.xlsx", rows),
                 written(tmp_path / "t.csv", [[str(cell) for cell in row] for row in rows])):  # fmt: skip
        assert people(path)[0].label.tolist() == ["osteoporosis", "osteoporosis", "normal"]


MINUS = "-\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d"


@pytest.mark.parametrize("minus", MINUS)
@pytest.mark.parametrize("space", ["", " ", "\u00a0", "\u2009"])
def test_a_minus_has_many_shapes(minus, space):
    assert numbers(pd.Series([cell_text(f"{minus}{space}2.5")])).tolist() == [-2.5]


@pytest.mark.parametrize(
    ("cell", "what"),
    [
        ("-2,5", "write a decimal point, not a comma"), ("0,904", "write a decimal point, not a comma"),
        ("−2,5", "write a decimal point, not a comma"), ("1,234.5", "without thousands separators"),
        ("1.234,5", "without thousands separators"), ("1'234", "without thousands separators"),
        ("2.5-", "write the minus sign in front"), ("(2.5)", "write the minus sign in front"),
        ("32%", "without %"), ("2.5 SD", "without its unit"), ("<-4", "a bound is no value"),
        ("#DIV/0!", "a formula failed there"), ("3-Jan", "a date, perhaps made by the spreadsheet"),
        ("2024-05-02", "a date, perhaps made"), ("TRUE", "a missing value is an empty cell or NA"),
        ("inf", "a missing value is"),
        ("1_0", "is not a number"), ("0x10", "is not a number"), ("?", "is not a number"),
        ("-", "is not a number"), ("\ufffd2.5", "is not a number"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("ending", [".csv", ".xlsx"])
def test_a_text_among_numbers_is_named_with_row_column_and_remedy(tmp_path, cell, what, ending):
    rows = [HEADER, ROWS[1], ["p1", "a.png", cell]]
    path = tmp_path / f"t{ending}"
    found = problems(written(path, rows, ";") if ending == ".csv" else workbook(path, rows))
    assert len(found) == 1 and found[0].startswith("row 3, t_score: ") and what in found[0], found


def test_a_column_of_decimal_commas_is_one_line_and_never_another_number(tmp_path):
    rows = [HEADER, *([f"p{i}", f"{i}.png", f"-{i},{i}04"] for i in range(1, 7))]
    assert problems(written(tmp_path / "t.csv", rows, ";")) == [
        "rows 2, 3, 4, 5, 6, 7, t_score: '-1,104' and 5 more are no numbers: write a decimal point, not a comma"
    ]


# ---- missing values and identifiers


@pytest.mark.parametrize("word", sorted(MISSING))
@pytest.mark.parametrize("ending", [".csv", ".xlsx"])
def test_a_word_for_missing_means_it_in_both_kinds_of_file_and_never_in_an_identifier(tmp_path, word, ending):
    rows = [
        [*HEADER, "label", "site"],
        [word, "a.png", word, "normal", word],
        ["p2", "b.png", "-0.4", "normal", "ward"],
    ]
    path = tmp_path / f"t{ending}"
    read, found = people(written(path, rows) if ending == ".csv" else workbook(path, rows))
    plain = word.isalnum()  # others are no identifiers, and told so
    assert (found == []) == plain, found
    assert read.subject_id.tolist() == [word, "p2"]
    assert read.t_score.isna().tolist() == [True, False] and read.site.isna().tolist() == [True, False]


def test_a_table_is_the_same_in_both_kinds_of_file_whatever_its_cells(tmp_path):
    rows = [["subject_id", "image", "t_score", "sex", "site"], ["007", "a.png", -1.5, "f", True],
            ["NA", "b.png", -2, "M", "None"], [" p  3 ", "c.png", 0.5, None, "ward\u00a07"]]  # fmt: skip
    texts = [["" if cell is None else str(cell) for cell in row] for row in rows]
    pd.testing.assert_frame_equal(
        people(workbook(tmp_path / "t.xlsx", rows))[0],
        people(written(tmp_path / "u.csv", texts))[0].replace("True", "TRUE"),
    )


@pytest.mark.parametrize(
    ("cell", "what"),
    [
        (datetime(2024, 1, 3), "'2024-01-03' is a date, perhaps made by the spreadsheet from an identifier"),
        ("3-Jan", "'3-Jan' is a date"), ("03. Mrz", "is a date"), ("Jan-03", "is a date"), ("2024-01-03", "is a date"),
        ("1.23E+17", "a long number that the spreadsheet has shortened"), ("#REF!", "is a formula that failed"),
        (12345678901234567890, "a number of which the spreadsheet keeps 15 digits"),
    ],
)  # fmt: skip
def test_an_identifier_that_a_spreadsheet_has_changed_is_named(tmp_path, cell, what):
    found = problems(workbook(tmp_path / "t.xlsx", [HEADER, [cell, "a.png", -1.5]]))
    assert any("row 2, subject_id: " in line and what in line for line in found), found


@pytest.mark.parametrize("kept", ["3-1", "P-03-01", "12E4", "1 Maria", "MAR-001", "2024", "2024-01", "3.1", "00012"])
def test_identifiers_that_only_look_like_dates_stay(tmp_path, kept):
    for path in (workbook(tmp_path / "t.xlsx", [HEADER, [kept, "a.png", -1.5]]),
                 written(tmp_path / "t.csv", [HEADER, [kept, "a.png", "-1.5"]])):  # fmt: skip
        read, found = people(path)
        assert found == [] and read.subject_id.tolist() == [kept]


def test_zeros_that_only_the_format_shows_belong_to_the_identifier(tmp_path):
    def form(book, sheet):
        sheet["A2"].number_format = "000"

    read, found = people(workbook(tmp_path / "t.xlsx", [HEADER, [7, "a.png", -1.5]], form))
    assert found == [] and read.subject_id.tolist() == ["007"]


@pytest.mark.parametrize(("one", "two"), [("P1", "p1"), ("007", "7"), ("Müller", "müller")])
def test_identifiers_that_may_be_one_person_are_asked_about(tmp_path, one, two):
    rows = [HEADER, [one, "a.png", "-1.5"], [two, "b.png", "-1.4"]]
    assert any("differ only in case or leading zeros" in line for line in problems(written(tmp_path / "t.csv", rows)))


@pytest.mark.parametrize("sex", ["0", "1", "2"])
def test_codes_for_sex_are_not_guessed(tmp_path, sex):
    found = problems(written(tmp_path / "t.csv", [[*HEADER, "sex"], [*ROWS[0], sex]]))
    assert "codes do not mean the same everywhere; write F or M" in found[0]


@pytest.mark.parametrize(
    ("word", "sex"), [("f", "F"), ("FEMALE", "F"), ("Woman", "F"), ("m", "M"), ("Male", "M"), ("man", "M")]
)
def test_words_for_sex(tmp_path, word, sex):
    assert people(written(tmp_path / "t.csv", [[*HEADER, "sex"], [*ROWS[0], word]]))[0].sex.tolist() == [sex]


# ---- workbooks


def test_the_visible_sheet_is_read_and_several_are_refused(tmp_path):
    def draft(book, sheet):
        sheet.sheet_state = "hidden"
        other = book.create_sheet("final")
        for row in [HEADER, ["p1", "a.png", -0.3]]:
            other.append(row)
        book.create_sheet("empty")
        book.active = 1

    rows = [HEADER, ["p1", "a.png", -2.7]]
    assert people(workbook(tmp_path / "t.xlsx", rows, draft))[0].t_score.tolist() == [-0.3]
    assert read_table(tmp_path / "t.xlsx", "Sheet").t_score.tolist() == ["-2.7"]
    with pytest.raises(ValueError, match=r"there is no sheet 'x': it has 'Sheet', 'final', 'empty'"):
        read_table(tmp_path / "t.xlsx", "x")

    def both(book, sheet):
        draft(book, sheet)
        sheet.sheet_state = "visible"

    assert (
        "the sheets 'Sheet', 'final' all hold cells: leave one"
        in problems(workbook(tmp_path / "t.xlsx", rows, both))[0]
    )

    def none(book, sheet):
        sheet.sheet_state = "hidden"
        book.create_sheet("empty")
        book.active = 1

    assert "no visible sheet holds a cell; hidden: 'Sheet'" in problems(workbook(tmp_path / "t.xlsx", rows, none))[0]


def hide_column(letter):
    return lambda book, sheet: setattr(sheet.column_dimensions[letter], "hidden", True)


ABOUT = [[*HEADER, "name"], ["p1", "a.png", -2.7, "x"], ["p2", "b.png", -1, "y"]]


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda b, s: s.__setitem__("C2", "=(0.6-0.858)/0.12"),
         "row 2, t_score: sheet 'Sheet', C2: a formula without a stored value; open the file in a spreadsheet program"),
        (lambda b, s: setattr(s.row_dimensions[3], "hidden", True), "row 3: the row is hidden, perhaps by a filter"),
        (hide_column("C"), "column t_score: the column is hidden; show it or delete it"),
        (lambda b, s: s.merge_cells("A2:A3"), "rows 2, 3, subject_id: the cells A2:A3 are merged; split them"),
        (lambda b, s: s.merge_cells("C1:D1"), "column t_score: the cells C1:D1 are merged"),
    ],
)  # fmt: skip
def test_what_a_reader_does_not_see_in_a_workbook_is_named_once(tmp_path, change, what):
    found = problems(workbook(tmp_path / "t.xlsx", ABOUT, change))
    assert len(found) == 1 and found[0].startswith(what), found


@pytest.mark.parametrize(
    "change",
    [
        hide_column("D"), lambda b, s: s.merge_cells("D2:D3"), lambda b, s: s.__setitem__("D2", "=1+1"),
        lambda b, s: setattr(s.row_dimensions[9], "hidden", True),
    ],
)  # fmt: skip
def test_what_is_hidden_where_nothing_is_read_does_no_harm(tmp_path, change):
    assert problems(workbook(tmp_path / "t.xlsx", ABOUT, change)) == []


def test_a_file_that_is_no_workbook_says_what_it_is(tmp_path):
    path = tmp_path / "t.xlsx"
    kinds = {
        b"a,b\n1,2\n": "its content is no workbook",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "protected by a password",
    }
    for content, what in kinds.items():
        path.write_bytes(content)
        assert what in problems(path)[0]
    data = workbook(path, ABOUT).read_bytes()
    path.write_bytes(data[:2000])
    assert "t.xlsx cannot be read as a table" in problems(path)[0]


# ---- units and signs


@pytest.mark.parametrize(
    ("column", "value", "what"),
    [
        ("bmi_kg_m2", 2.5, "a misplaced decimal point"), ("bmi_kg_m2", 250, "a misplaced decimal point"),
        ("bmi_kg_m2", 1.72, "a height in metres"), ("bmi_kg_m2", 172, "a height in centimetres"),
        ("age_years", 640, "an age in months"), ("age_years", 1958, "a year of birth"),
        ("age_years", 19580312, "a birthday"), ("age_years", 20_000, "an age in days"),
        ("t_score", -25, "a misplaced decimal point"), ("t_score", 75, "a percentage of young adults"),
        ("t_score", 858, "a BMD in mg/cm2"), ("bmd_g_cm2", 858, "a BMD in mg/cm2"),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_is_named_with_its_likely_unit(tmp_path, column, value, what):
    rows = [["subject_id", "image", "label", column], ["p1", "a.png", "normal", str(value)]]
    found = problems(written(tmp_path / "t.csv", rows))
    assert len(found) == 1 and found[0].startswith(f"row 2, {column}: ") and f"perhaps {what}" in found[0], found


def test_likely_units_never_speak_of_what_is_allowed():
    for name, about in COLUMNS.items():
        if "range" in about:
            low, high = about["range"]
            assert not any(likely_unit(name, value) for value in np.linspace(low, high, 500)[1:-1]), name


def test_columns_that_are_strange_as_a_whole_are_doubts():
    def said(**columns):
        return " ".join(doubts(pd.DataFrame(columns, dtype=float)))

    assert "All 3 T-scores lie above 0 (1.8 to 3.1)" in said(t_score=[2.7, 3.1, 1.8])
    assert "are they BMD in g/cm2" in said(t_score=[0.7, 0.9, 1.1])
    assert said(t_score=[2.7, -0.1, 1.8], age_years=[60, 70, 80], bmi_kg_m2=[22, 30, 41]) == ""
    assert said(t_score=[2.7, 1.0, None]) == ""  # two healthy people are no sign
    assert "were minus signs lost" in said(t_score=[2.7, 1.0, 0.3])
    assert "are they years" in said(age_years=[6.1, 7.2, 5.5])
    assert "a weight or a height" in said(bmi_kg_m2=[72, 65, 80])


def test_a_label_that_only_a_minus_sign_explains_says_so(tmp_path):
    rows = [[*HEADER, "label"], ["p1", "a.png", "2.7", "osteoporosis"], ["p2", "b.png", "-2.7", "normal"]]
    lost, other = problems(written(tmp_path / "t.csv", rows))
    assert lost.endswith("with a minus sign it would fit") and "minus sign" not in other
