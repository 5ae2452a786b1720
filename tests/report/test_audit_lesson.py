import numpy as np
import pandas as pd
import pytest
import yaml

from osteolib.report import audit_lesson, audit_lesson_page, audit_trials_page
from osteolib.report.audits import FOLDER
from osteolib.stats.audit import confusion_matrices, exchange, printed
from osteolib.stats.audit.honest import ASSUMED, OTHERWISE, PLANTED


def test_bars_end_where_each_rounding_ends():
    """0.9 is 0.85 to 0.95 rounded, and 0.9 to 1.0 cut off."""
    (axis,) = audit_lesson.what_was_printed({"one": ["0.9"]}).axes
    ends = [bars.get_segments()[0][:, 0].tolist() for bars in axis.collections[:3]]
    assert ends == [pytest.approx([0.85, 0.95])] * 2 + [pytest.approx([0.9, 1.0])]


def test_each_sieve_shows_what_it_leaves():
    """8 of 10 right, all of 4 positives found: one matrix, and 286 of 10 people without any number."""
    reported = {"accuracy": printed("0.80"), "sensitivity": printed("1.00"), "specificity": printed("0.67")}
    first = confusion_matrices(10, accuracy=reported["accuracy"])
    left = {"a": first, "b": first[:3], "c": first[:2], "d": [m for m in first if (m.tp, m.fn) == (4, 0)]}
    plane, bars = audit_lesson.sieve(left, 10, 4, reported).axes
    assert plane.collections[-1].get_offsets().tolist() == [[4, 0]]
    assert [bar.get_width() for bar in bars.patches][::-1] == [286, len(first), 3, 2, 1]
    assert plane.lines[0].get_slope() == 0 and plane.lines[1].get_slope() == pytest.approx(0.33 / 0.67)


def test_reachable_values_stand_beside_the_band_of_the_printed_one():
    sds = {"sample SD": np.array([0.0035, 0.005, 0.2])}
    left, right = audit_lesson.out_of_reach(printed("50.5 %"), 100, printed("0.4 %"), sds, "50 %").axes
    assert [segment[0, 0] for segment in left.collections[0].get_segments()] == pytest.approx([49, 50, 51, 52])
    assert [t.get_text() for t in left.texts] == ["49", "50", "51", "52"]
    assert [t.get_text() for t in right.texts] == ["0.350", "0.500"]  # 20 % is far from the band
    band = left.patches[0]
    assert (band.get_x(), band.get_x() + band.get_width()) == pytest.approx((50.45, 50.6))


def test_positives_of_a_row_are_found_under_the_meaning_that_it_has():
    """TP 8, FP 2, FN 4, TN 16: PPV 0.80 and NPV 0.80 stand in the columns of sensitivity and specificity."""
    rows = {"m": {"accuracy": printed("0.800"), "sensitivity": printed("0.800"), "specificity": printed("0.800")}}
    named, swapped = audit_lesson.positives_needed(
        rows,
        30,
        12,
    ).axes
    assert 12 in swapped.lines[1].get_xdata()
    assert 12 not in named.lines[1].get_xdata()


def test_readings_become_facts_and_bars():
    rows = {name: {k: printed(v) for k, v in row.items()} for name, row in audit_lesson.QUIZ.T.to_dict().items()}
    readings = exchange(rows, 90)
    facts = audit_lesson.readings_as_facts(readings)
    assert (facts["reading"], facts["explained"], facts["best"]) == ("sensitivity · specificity", 3, 32)
    axis = audit_lesson.rows_explained(readings, 4).axes[0]
    assert axis.patches[0].get_width() == 3 and "with 32 positives" in axis.texts[0].get_text()


def test_rows_of_a_table_are_gathered_by_their_names():
    rows = audit_lesson.rows_of({"t.x.acc": "0.90", "t.x.sens": "0.8", "u.x.acc": "0.1", "n": "3"}, "t")
    assert {metric: number.text for metric, number in rows["x"].items()} == {"accuracy": "0.90", "sensitivity": "0.8"}
    assert pd.Series(rows).index.tolist() == ["x"]


def test_sections_record_what_their_sentences_say(run):
    audit_lesson_page.show_intervals(run, printed("0.9"), printed("0.85"), agree=True)
    assert (run.facts["low"], run.facts["high"], run.facts["agree"]) == pytest.approx((0.85, 1.0, "agree"))
    reported = {"accuracy": printed("0.80"), "sensitivity": printed("1.00"), "specificity": printed("0.67")}
    first = confusion_matrices(10, accuracy=reported["accuracy"])
    last = [m for m in first if (m.tp, m.fn) == (4, 0)]
    left = {"+ accuracy": first, "+ sensitivity": first[:3], "+ specificity": first[:2], "+ positives": last}
    audit_lesson_page.show_sieve(run, left, 10, 4, reported)
    assert [run.facts[name] for name in ("n_alone", "sensitivity", "tp", "fp", "fn", "tn")] == [286, 3, 4, 2, 0, 4]
    assert run.facts["ppv"] == pytest.approx(4 / 6)
    with pytest.raises(ValueError, match="unpack"):
        audit_lesson_page.show_sieve(run, left | {"+ positives": first}, 10, 4, reported)
    sds = {"population SD": np.array([0.003]), "sample SD": np.array([0.0035])}
    reach = printed("50.5 %"), printed("50 %"), printed("0.4 %"), 100
    audit_lesson_page.show_out_of_reach(run, *reach, np.zeros((7, 3)), sds)
    assert (run.facts["three"], run.facts["nearest"]) == (7, pytest.approx(0.35))
    assert run.facts["chance"] == 101 / 1001


def test_the_trial_is_told_by_group_and_names_what_it_never_sees(run):
    rows = [(ASSUMED, "a", 10, 0.0, np.nan), (OTHERWISE, "b", 10, 1.0, 0.5), (OTHERWISE, "c", 10, 0.2, np.nan),
            (PLANTED, "d", 10, 0.9, np.nan), (PLANTED, "e", 10, 0.0, np.nan)]  # fmt: skip
    audit_trials_page.show_trial(run, pd.DataFrame(rows, columns=["group", "way", "studies", "objected", "named"]))
    facts = ("n_assumed", "assumed", "n_otherwise", "otherwise", "named", "planted", "missed")
    assert [run.facts[name] for name in facts] == [10, 0, 20, pytest.approx(0.6), 0.5, 0.45, "never seen: e"]
    assert len(pd.read_csv(run.folder / "trial.csv")) == 5


def test_the_trial_of_each_check_is_told_with_its_bounds(run, tmp_path, monkeypatch):
    """No accusation among 10 honest studies: at most 1 - 0.025^(1/10) = 30.8 %; 9 of 9 found: at least 66.4 %."""
    checks = {"a": {"honest": 10, "accused": 0, "planted": 10, "invisible": 1, "found": 9},
              "b": {"honest": 10, "accused": 0, "planted": 10, "invisible": 6, "found": 3}}  # fmt: skip
    counted = {"date": "2026-01-02", "commit": "abc", "code": "other", "checks": checks}
    (tmp_path / "data_manifests").mkdir()
    (tmp_path / "data_manifests" / "audit_trial.yaml").write_text(yaml.safe_dump(counted))
    monkeypatch.setattr(audit_trials_page, "ROOT", tmp_path)
    audit_trials_page.show_both_directions(run)
    facts = ("trial_checks", "trial_honest", "trial_accused", "trial_invisible", "trial_visible", "trial_found")
    assert [run.facts[name] for name in facts] == [2, 20, 0, 7, 13, 12]
    assert run.facts["trial_most"] == pytest.approx(0.3085, abs=1e-4)
    assert (run.facts["trial_weakest"], run.facts["trial_least"]) == ("b", 0.75)
    assert run.facts["trial_code"] == "changed since"
    shown = pd.read_csv(run.folder / "both_directions.csv")
    assert shown["at least"].tolist() == ["66.37%", "19.41%"]


def test_the_record_of_the_benchmark_is_shown_as_counted(run, tmp_path, monkeypatch):
    counted = {"mlscorecheck": "1.0", "documented": {"cases": 4, "both": 3},
               "made_up": {"rows": 9, "ours": 8, "theirs": 7},
               "papers": {"chen2024_hip": {"rows": 3, "verdict": 3, "tables": 2},
                          "tpswav2025_ct": {"rows": 5, "verdict": 4, "tables": 5}}}  # fmt: skip
    (tmp_path / "data_manifests").mkdir()
    (tmp_path / "data_manifests" / "audit_peer.yaml").write_text(yaml.safe_dump(counted))
    monkeypatch.setattr(audit_trials_page, "ROOT", tmp_path)
    audit_trials_page.show_peer(run)
    facts = ("documented_alike", "n_documented", "n_paper_rows", "paper_rows_alike", "ours_right", "theirs_right")
    assert [run.facts[name] for name in facts] == [3, 4, 8, 6, 8, 7]
    assert pd.read_csv(run.folder / "peer.csv")["cases"].tolist() == [4, 3, 5]


def test_the_made_up_study_is_shown_and_audited(run, audit, capsys):
    rows = {name: {k: printed(v) for k, v in row.items()} for name, row in audit_lesson.QUIZ.T.to_dict().items()}
    audit_lesson_page.show_study(run, {"n": "90", "t.x": "1", "abstract.auc": "0.9"})
    assert pd.read_csv(run.folder / "printed.csv")["name"].tolist() == ["n", "abstract.auc"]
    audit_lesson_page.show_table_3(run, rows, 90, 32)
    audit_lesson_page.show_readings(run, exchange(rows, 90), len(rows))
    assert (run.facts["rows"], run.facts["best"]) == (4, 32)
    findings = audit(FOLDER / "example.yaml")
    audit_lesson_page.show_audit(run, findings)
    assert run.facts["n_bad"] == findings["verdict"].eq("inconsistent").sum() > 0
    audit_lesson_page.show_own(run, findings)
    assert findings["id"].iloc[0] in capsys.readouterr().out
    assert "confusion" in set(pd.read_csv(run.folder / "vocabulary.csv")["check"])
