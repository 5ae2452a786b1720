from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from osteolib.report.html import html_table
from osteolib.report.published import load_published
from osteolib.report.scorecard import State, load_states, scorecard, scorecard_html, summary_by_paper
from osteolib.report.verdict import STATES, VERDICTS
from osteolib.runs.run import RESULT_COLUMNS


@pytest.fixture(scope="module")
def published():
    return load_published()


@pytest.fixture(scope="module")
def states():
    return load_states()


def result(published_id, metric, value, ci=(np.nan, np.nan), kind="real", n=200):
    return (published_id, metric, value, *ci, n, "a cohort", kind, "quick", 0, "0123456789abcdef")


def results(*rows):
    return pd.DataFrame(rows, columns=RESULT_COLUMNS)


def only(card, published_id):
    return card.set_index("published_id").loc[published_id]


def test_without_results_every_value_has_a_state_and_a_reason(published, states):
    card = scorecard(published, pd.DataFrame(columns=["published_id"]), states)
    assert card["published_id"].tolist() == published["published_id"].tolist()
    assert set(card["verdict"]) <= set(STATES)
    assert card["reason"].str.len().gt(10).all()
    assert card["ours"].isna().all() and card["method_check"].isna().all()


def test_every_state_is_the_answer_for_some_value(published, states):
    """An id in states.yaml that fits nothing is a slip."""
    for state in states:
        for name in state.ids:
            assert (published["published_id"] + ".").str.startswith(f"{name}.").any(), name


def test_private_cohorts_are_said_to_be_private(published, states):
    card = scorecard(published, results(), states)
    for published_id in ("strnet2026_knee.ext.auroc", "chen2024_hip.r", "lee2025_hand.T3.SimCLR.auc"):
        row = only(card, published_id)
        assert row.verdict == "not attainable" and "private" in row.reason
    assert only(card, "strnet2026_knee.test.auroc").verdict == "not attainable"
    assert only(card, "chen2024_hip.cut.op").verdict == "setting"


def test_a_result_takes_the_place_of_the_state(published, states):
    rows = results(
        result("strnet2026_knee.T3.Normal.age", "age_mean", 34.4),
        result("strnet2026_knee.test.auroc", "auroc", 0.80, (0.77, 0.83), n=212),
        result("strnet2026_knee.ext.sens", "sensitivity", 0.82, (0.70, 0.91)),
        result(np.nan, "auroc", 0.5, (0.4, 0.6)),
    )
    card = scorecard(published, rows, states)
    assert only(card, "strnet2026_knee.T3.Normal.age").verdict == "reproduced"
    auroc = only(card, "strnet2026_knee.test.auroc")
    assert (auroc.verdict, auroc.reason, auroc.n) == ("direction reproduced", "", 212)
    assert only(card, "strnet2026_knee.ext.sens").verdict == "inconclusive"
    assert len(card) == 894 and card["ours"].notna().sum() == 3


def test_percent_in_print_is_compared_with_a_fraction(published, states):
    """97.2 % stands for 0.9715 to 0.9725; ours is 0.0505 below the lower end."""
    near = results(result("chen2024_hip.T3.X1AI-Osteo.sens", "sensitivity", 0.922, (0.90, 0.94)))
    far = results(result("chen2024_hip.T3.X1AI-Osteo.sens", "sensitivity", 0.921, (0.90, 0.94)))
    verdicts = [only(scorecard(published, rows, states), "chen2024_hip.T3.X1AI-Osteo.sens") for rows in (near, far)]
    assert [row.verdict for row in verdicts] == ["reproduced", "not reproduced"]
    assert verdicts[0].published == pytest.approx(0.972)


def test_a_phantom_fills_only_the_method_check(published, states):
    rows = results(
        result("chen2024_hip.r", "pearson_r", 0.996, (0.995, 0.997), kind="phantom"),
        result("chen2024_hip.r", "method_check", 1, kind="phantom"),
        result("chen2024_hip.ccc", "method_check", 1, kind="phantom"),
        result("chen2024_hip.ccc", "method_check", 0, kind="phantom"),
        result("chen2024_hip.ba.bias", "t_score_bias", -0.01, (-0.02, 0.0), kind="phantom"),
    )
    card, without = scorecard(published, rows, states), scorecard(published, results(), states)
    pd.testing.assert_frame_equal(card.drop(columns="method_check"), without.drop(columns="method_check"))
    checks = card.set_index("published_id")["method_check"].dropna()
    assert checks.to_dict() == {"chen2024_hip.r": "passed", "chen2024_hip.ccc": "failed"}


def test_a_value_that_contradicts_its_paper_stays_so_whatever_we_find(published, states):
    contradiction = State(ids=["chen2024_hip.r"], state="inconsistent as published", reason="Two tables differ.")
    rows = results(result("chen2024_hip.r", "pearson_r", 0.99, (0.98, 0.995)))
    row = only(scorecard(published, rows, (*states, contradiction)), "chen2024_hip.r")
    assert (row.verdict, row.reason, row.ours) == ("inconsistent as published", "Two tables differ.", 0.99)


def test_the_longest_id_decides_and_stops_at_dots(published):
    states = (
        State(ids=["strnet2026_knee"], state="data not here", reason="paper"),
        State(ids=["strnet2026_knee.ext"], state="not attainable", reason="cohort"),
        State(ids=["strnet2026_knee.ext.n"], state="data not here", reason="count"),
    )
    knee = published[published["paper"] == "strnet2026_knee"]
    reasons = scorecard(knee, results(), states).set_index("published_id")["reason"]
    assert reasons["strnet2026_knee.ext.n"] == "count"
    assert reasons["strnet2026_knee.ext.npv"] == "cohort"  # not the value 'ext.n' with two more letters
    assert reasons["strnet2026_knee.test.auroc"] == "paper"


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([result("strnet2026_knee.auc", "auroc", 0.9)], r"do not exist: \['strnet2026_knee\.auc'\]"),
        ([result("chen2024_hip.r", "pearson_r", 0.9)] * 2, r"two results name 'chen2024_hip\.r'"),
        ([result("chen2024_hip.r", "spearman", 0.9)], r"chen2024_hip\.r: metric 'spearman' has no margin"),
        ([result("chen2024_hip.female.pct", "proportion", 77.0)], r"77\.0 is not a fraction.*divided by 100"),
        ([result("chen2024_hip.r", "pearson_r", np.nan)], r"result for 'chen2024_hip\.r' is NaN"),
        ([result("strnet2026_knee.T2.optimizer", "count", 1)], r"the paper prints words, 'AdamW'"),
        ([result("chen2024_hip.r", "pearson_r", 0.9, kind="simulated")], r"kind must be 'real' or 'phantom'"),
    ],
)
def test_a_result_that_answers_nothing_is_named(published, states, rows, message):
    with pytest.raises(ValueError, match=message):
        scorecard(published, results(*rows), states)


def test_a_value_without_result_and_state_is_named(published):
    with pytest.raises(ValueError, match=r"chen2024_hip\.n_images has neither a result nor a state.*states\.yaml"):
        scorecard(published, results(), ())


def test_the_summary_counts_every_value_once(published, states):
    rows = results(result("strnet2026_knee.flow.s2", "count", 239), result("strnet2026_knee.T3.p.bmi", "p_value", 0.01))
    summary = summary_by_paper(scorecard(published, rows, states))
    assert summary.columns.tolist() == ["values", *VERDICTS]
    assert summary["values"].to_dict() == published.groupby("paper").size().to_dict()
    assert (summary[list(VERDICTS)].sum(axis="columns") == summary["values"]).all()
    knee = summary.loc["strnet2026_knee"]
    assert (knee["reproduced"], knee["not reproduced"], knee["direction reproduced"]) == (1, 1, 0)


def test_the_table_is_well_formed_labelled_and_escaped():
    table = pd.DataFrame({"<b>name</b>": ["<script>alert(1)</script>", 'a "b"\n\nc'], "n": [1, None]})
    text = html_table(table, "Ages & <sex>")
    assert "\n\n" not in text  # an empty line would end the block in Markdown
    root = ElementTree.fromstring(text)  # markup in a cell would be elements here
    assert root.get("class") == "table-scroll"
    assert root.findtext("table/caption") == root.get("aria-label") == "Ages & <sex>"
    assert [(th.get("scope"), th.text) for th in root.iter("th")] == [
        ("col", "<b>name</b>"),
        ("col", "n"),
        ("row", "<script>alert(1)</script>"),
        ("row", 'a "b" c'),
    ]
    assert [td.text for td in root.iter("td")] == ["1.0", None]


def test_an_interval_stays_on_one_line():
    table = pd.DataFrame({"": ["a"], "AUROC": ["0.72 (0.61 to 0.83)"], "words": ["up (to be seen) to here"]})
    auroc, words = (td.text for td in ElementTree.fromstring(html_table(table, "c")).iter("td"))
    assert auroc == "0.72 (0.61\xa0to\xa00.83)" and words == "up (to be seen) to here"


def test_numbers_are_shown_in_the_unit_and_with_the_decimals_of_the_paper(published, states):
    rows = results(
        result("strnet2026_knee.test.auroc", "auroc", 0.94049, (0.9, 0.96), n=212),
        result("chen2024_hip.female.pct", "proportion", 0.7612, n=50),
        result("strnet2026_knee.T3.Normal.tscore", "t_score_mean", -0.6512, n=36),
        result("strnet2026_knee.T3.p.age", "p_value", 1e-12, n=239),
        result("strnet2026_knee.flow.s2", "count", 239, n=239),
    )
    card = scorecard(published, rows, states)
    shown = ElementTree.fromstring(scorecard_html(card[card["ours"].notna()], "Scorecard"))
    rows = [row for row in shown.iter("tr") if len(row) > 5]
    cells = {row[0].text: tuple("".join(row[i].itertext()) for i in (2, 4, 3)) for row in rows}
    assert cells["AUROC; screening, internal test"] == ("0.933", "0.940 (0.900\xa0to\xa00.960), n = 212", "reproduced")
    assert cells["women"] == ("77.0 %", "76.1 %, n = 50", "reproduced")
    assert cells["T-score; Normal"] == ("−0.66 T-score", "−0.65 T-score, n = 36", "reproduced")
    assert cells["p-value, age"] == ("< 0.001", "< 0.001, n = 239", "direction reproduced")
    assert cells["source images with baseline data"] == ("239", "239, n = 239", "reproduced")


def test_a_book_without_any_result_still_has_its_tables(published, states):
    card = scorecard(published, results(), states)
    for part in (card, card.iloc[:0]):
        table = ElementTree.fromstring(scorecard_html(part, "Scorecard"))
        assert not any(cell.text == "real" for cell in table.iter("td"))
        assert len([row for row in table.iter("tr") if len(row) > 1]) == len(part) + 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- {ids: [a], state: reproduced, reason: x}", r"s\.yaml, entry 0, state: "),
        ("- {ids: [a], state: data not here}", r"s\.yaml, entry 0, reason: Field required"),
        ("- {ids: [], state: data not here, reason: x}", r"s\.yaml, entry 0, ids: "),
        (
            "- {ids: [a, b], state: data not here, reason: x}\n- {ids: [b], state: data not here, reason: x}",
            "'b' stands twice",
        ),
    ],
)
def test_a_state_that_makes_no_sense_is_named(tmp_path, text, message):
    (tmp_path / "s.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        load_states(tmp_path / "s.yaml")
