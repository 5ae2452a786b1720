import numpy as np
import pandas as pd
import pytest

from osteolib.report import audit_hand, audit_hand_page
from osteolib.report.audit_hand import LONG, NEAREST, SHORT, number
from osteolib.report.audits import FOLDER
from osteolib.report.published import printed_texts
from osteolib.stats.audit import printed
from osteolib.stats.audit.audit_file import load_audit
from osteolib.stats.audit.random_splits import made_up_segments
from osteolib.stats.audit.reach import reachable_proportion


@pytest.fixture(scope="module")
def text():
    return printed_texts(SHORT) | printed_texts(LONG)


@pytest.fixture(scope="module")
def details(audit):
    return pd.concat([audit(paper) for paper in (SHORT, LONG)]).set_index("id")["details"]


def test_what_the_audit_files_take_as_given_stands_in_the_papers(text, details):
    """The fewest hands of L23-03, a tenth of the people, and what one version prints and the other does not."""
    short, long = (
        {k: float(v) for k, v in load_audit(FOLDER / f"{p}.yaml", printed_texts(p)).document.values.items()}
        for p in (SHORT, LONG)
    )
    images, hands = number(text, f"{SHORT}.n_xray"), details["L23-03"]
    assert (short["hands.train"], short["hands.test"]) == (hands["train"], hands["test"])
    assert short["hands"] == hands["train"] + hands["val"] + hands["test"]
    assert short["hands.two"] == short["hands"] - images and short["hands.one"] + short["hands.two"] == images
    test = number(text, f"{LONG}.split.test")
    groups = {"osteoporosis": "positives", "normal": "negatives"}
    for group, name in groups.items():
        people = number(text, f"{LONG}.T1.derived.{group}")
        assert short[f"journal.subjects.{group}"] == people
        assert long[f"test.{name}"] == short[f"journal.test.{name}"] == round(test * people)
    assert long["test.n"] == long["test.positives"] + long["test.negatives"]
    assert long["test.n"] == round(test * number(text, f"{LONG}.cohort.n_subjects"))
    assert short["journal.subjects"] == number(text, f"{LONG}.cohort.n_subjects")
    for metric in ("acc", "f1", "auc"):
        assert short[f"journal.supervised.{metric}"] == number(text, f"{LONG}.T6.sup.{metric}")
    assert long["short.segments"] == number(text, f"{SHORT}.n_segments")
    assert long["short.rotation"] == number(text, f"{SHORT}.aug.rot_high")
    assert long["short.local_views"] == number(text, f"{SHORT}.crop.local_n")
    people = {"op": short["journal.subjects.osteoporosis"], "n": short["journal.subjects.normal"]}
    cohort = made_up_segments(
        audit_hand.cells(text), {g: int(n) for g, n in people.items()}, 7, np.random.default_rng(0)
    )
    assert cohort.groupby("person")["hand"].nunique().eq(2).sum() == short["hands.two"]


def test_printed_accuracies_are_counts_of_19_people(text):
    for name in audit_hand.ACCURACIES.values():
        assert reachable_proportion(printed(text[f"{LONG}.{name}"]), 19, 3, NEAREST)
    facts = audit_hand.people_needed(text, 19, 3)
    assert (facts["n_fit"], facts["n_sample"]) == (33, 40) and facts["floor_any"] < facts["floor"]
    figure = audit_hand.possible_accuracies(text, 19, 3)
    labels = [words.get_text() for words in figure.axes[0].texts]
    assert labels == ["supervised\n0.72", "single decoder\n0.77", "SimCLR, full\n0.81"]
    at_19 = np.concatenate([line.get_ydata() for line in figure.axes[1].lines if set(line.get_xdata()) == {19}])
    assert at_19.size and not ((at_19 > 0.005) & (at_19 < 0.015)).any()


def test_squares_are_hands():
    figure = audit_hand.squares(images=10, segments=80, bones=7)
    assert [len(dots.get_offsets()) for dots in figure.axes[0].collections] == [10, 2]
    assert "2 hands more" in [words.get_text() for words in figure.axes[0].texts]


def test_splits_are_tabulated_and_drawn_by_unit():
    frame = pd.DataFrame({"size": [160, 170], "alike": [True, False], "even": [False, False], "seen": [0.2, 0.4],
                          "both": [1, 2]})  # fmt: skip
    row = audit_hand.splits_table({("hand", True): frame}).iloc[0]
    assert row["shares as alike as printed (%)"] == 50 and row["people on both sides"] == 1.5
    assert audit_hand.split_facts({"hand": frame})["hand_seen"] == pytest.approx(0.3)
    figure = audit_hand.leakage({"hand": frame}, 167)
    assert [words.get_text() for axis in figure.axes for words in axis.texts] == ["printed: 167", "30%"]
    assert figure.axes[0].lines[0].get_xdata()[0] == 165


def test_other_areas_stand_beside_the_interval_of_the_best(text, details):
    value = audit_hand.aucs(text)
    assert next(iter(value)) == "SimCLR, full" and value["SimCLR, full"] == 0.85
    facts = audit_hand.lead_facts(details, value, (0.64, 1.0))
    assert (facts["inside"], facts["n_other"]) == (5, 5)
    assert audit_hand.lead_facts(details, value, (0.75, 1.0))["inside"] == sum(0.75 <= a < 0.85 for a in value.values())
    figure = audit_hand.six_aucs(value, 0.01, (0.64, 1.0))
    assert [line.get_xdata()[0] for line in figure.axes[0].lines] == list(value.values())[::-1]


def test_every_run_is_found_back(text, details):
    rows, solutions = audit_hand.single_runs(details, 48, 3)
    assert rows["SimCLR ext"][0] == (133, 133, 134)  # 79.84 % of 501 is 400
    table = audit_hand.runs_table(text, rows, solutions, 48).set_index("row")
    assert table.at["SimCLR ext", "true positives, one solution"] == "28, 32, 37"
    assert table.at["Supervised conv", "true positives, one solution"] == "48 in each"
    facts = audit_hand.run_facts(details, solutions, 48)
    assert facts["low_sens"] == 28 / 48 and facts["high_sens"] == 37 / 48 and facts["n_exact"] == 10
    figure = audit_hand.thirty_runs(rows, solutions, 167, 48)
    drawn = [tuple(line.get_xdata()) for line in figure.axes[0].lines]
    assert all(triples[0] in drawn for triples in rows.values())
    assert sum(words.get_text() == "no whole numbers" for words in figure.axes[1].texts) == sum(
        not found for found in solutions.values()
    )


def test_sections_record_what_their_sentences_say(run, text, details):
    audit_hand_page.show_hands(run, images=10, segments=80, bones=7)
    assert [run.facts[name] for name in ("most", "excess", "least")] == [70, 10, 12]
    frame = pd.DataFrame({"size": [160, 170], "alike": [True, False], "even": [False, True], "seen": [0.2, 0.4],
                          "both": [1, 2]})  # fmt: skip
    splits = {(unit, by): frame for unit in ("segment", "hand", "person") for by in (False, True)}
    cohort = pd.DataFrame({"person": [1, 1, 1, 2, 3], "hand": [1, 1, 2, 3, 4]})
    audit_hand_page.show_splits(run, text, cohort, splits)
    assert (run.facts["two"], run.facts["tests"], run.facts["by_segment"]) == (1, 167, 164)
    audit_hand_page.show_nineteen(run, text, 19, 3)
    audit_hand_page.show_leads(run, text, details, (0.64, 1.0))
    assert (run.facts["n_fit"], run.facts["top"], run.facts["auc_low"]) == (33, 0.85, 0.64)
    audit_hand_page.show_single_runs(run, text, details, 3)
    assert (run.facts["n_tests"], run.facts["carriers"]) == (167, 48)
    assert len(pd.read_csv(run.folder / "splits.csv")) == 6 and (run.folder / "runs.png").exists()
