from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from osteolib.cohorts import DataNotFound
from osteolib.report import audit_hip, audit_hip_page
from osteolib.report.audits import FOLDER
from osteolib.report.published import printed_texts
from osteolib.stats.audit import confusion_matrices
from osteolib.stats.audit.audit_file import load_audit
from osteolib.stats.audit.normal_models import graded_leads, share_of_sides


@pytest.fixture(scope="module")
def paper():
    return audit_hip.read_paper()


@pytest.fixture(scope="module")
def found(audit):
    return audit(audit_hip.PAPER).set_index("id")["details"]


def test_what_the_audit_file_takes_from_the_page_is_what_it_computes(paper, found):
    given = load_audit(FOLDER / f"{audit_hip.PAPER}.yaml", printed_texts(audit_hip.PAPER)).document.values
    positives = found["X-04"]["best_positives"]
    assert (int(given["positives"]), int(given["negatives"])) == (positives, 497 - positives)
    assert float(given["error.sd"]) == pytest.approx(np.mean(found["X-08"]["rows"]["bias"]["sd"]), abs=5e-4)
    for rho in (0.7, 0.9):
        assert float(given[f"hips.r{rho * 100:.0f}"]) == pytest.approx(share_of_sides(0.604, rho), abs=1e-3)
    cells = audit_hip.cell_facts(paper)
    assert float(given["cells.full"]) == pytest.approx(cells["full"], abs=5e-4)
    assert float(given["cells.half"]) == pytest.approx(cells["half"], abs=5e-4)
    assert cells["two"] == pytest.approx(found["N15"]["class_r"], abs=1e-4)
    rng = np.random.default_rng(0)
    for model, area in found["X-22"]["rows"].items():  # a larger AUC in 99 of 100 test sets
        leads = graded_leads(*paper.point(model), positives, 497 - positives, 1000, rng)
        assert area["labels"] + np.quantile(leads, 0.01) > float(given[f"graded.{model}"])


def test_printed_rates_give_one_matrix_for_each_model(paper, found):
    table = audit_hip.matrices_table(paper, found["X-21"]["rows"])
    for model, row in table.iterrows():
        (only,) = confusion_matrices(497, **paper.reported(model))
        assert row[["TP", "FP", "FN", "TN"]].tolist() == [only.tp, only.fp, only.fn, only.tn]
        assert row["sensitivity"] == f"{100 * paper.point(model)[0]:.1f} ({100 * only.metric('sensitivity'):.2f})"


def test_the_areas_are_written_out_and_the_printed_lead_is_marked(paper, found):
    areas = found["X-22"]["rows"]
    leads = {model: np.array([0.02, 0.03, 0.0005]) for model in areas}
    facts = audit_hip.yes_no_facts(areas, leads)
    assert (facts["hits"], facts["closest"], facts["models"]) == (3, pytest.approx(0.05), 3)
    figure = audit_hip.yes_no_areas(paper, areas, leads)
    words = " ".join(text.get_text() for text in figure.axes[0].texts)
    assert "two lines       96.40" in words and "PRINTED         96.4" in words
    assert figure.axes[3].lines[0].get_xdata()[0] == pytest.approx(100 * (0.964 - areas["X1AI-Osteo"]["labels"]))


def test_an_error_is_read_off_the_curve_and_drawn_beside_that_of_scans(paper):
    curve = pd.Series([1.0, 0.9, 0.8], [0.0, 0.5, 1.0])
    assert audit_hip.error_of_auc(curve, 0.85) == pytest.approx(0.75)
    people = pd.DataFrame({"t_score_total_hip": [0.0, 1.0, 2.0], "t_score_neck": [0.0, 0.0, 0.0]})
    errors = audit_hip.two_scans({"a": {"two_scans": 0.1}}, 0.2, people)
    assert errors == {"two scans: a": 0.1, "this film against DXA": 0.2, "neck and total hip of one scan": 1.0}
    figure = audit_hip.second_scan(errors, 0.2, 0.96, 0.85, curve)
    left, right = figure.axes
    assert [text.get_text() for text in left.texts] == ["0.10", "0.20", "1.00"]
    assert "error 0.75 T" in [text.get_text() for text in right.texts]
    auc = audit_hip.auc_by_error(paper, np.array([0.05, 0.5]))
    assert 1 > auc[0] > auc[1] > 0.9


def test_the_printed_intervals_are_bands_that_the_curves_cross_near_the_hips(paper):
    figure = audit_hip.pairs_behind(paper, 0.104)
    n, limit = figure.axes[0].lines[0].get_data()
    assert limit[n == 497] == pytest.approx((0.210 - 0.178) / 2, abs=5e-4)
    assert {"300 people", "497 hips"} <= {text.get_text() for text in figure.axes[0].texts}


def test_sections_record_counts_that_add_up(run, paper, found):
    audit_hip_page.show_matrices(run, paper, found)
    assert run.facts["positives"] + run.facts["negatives"] == run.facts["hips"] == 497
    (only,) = confusion_matrices(497, **paper.reported("X1AI-Osteo"))
    assert run.facts["right"] == only.tp + only.tn
    leads = {model: np.array([0.02, 0.03, 0.0005]) for model in found["X-22"]["rows"]}
    audit_hip_page.show_yes_no(run, paper, found, leads)
    assert (run.facts["n_studies"], run.facts["hits"]) == (3, 3)
    audit_hip_page.show_sub_clusters(run, paper)
    audit_hip_page.show_pairs(run, paper, found, 0.104)
    assert run.facts["n_low"] <= 497 <= run.facts["n_high"] and run.facts["missing"] == 497 - run.facts["n_low"]
    audit_hip_page.show_sides(run, paper, found, {0.7: 0.5, 0.8: 0.52, 0.9: 0.55})
    assert run.facts["share_7"] == 50 and run.facts["test"] == pytest.approx(100 * run.facts["positives"] / 497)


def test_the_page_does_without_people_of_nhanes_and_says_so(run, paper, found, monkeypatch):
    people = pd.DataFrame({"age_years": [20, 90, 90, 90], "t_score_total_hip": [9.0, 0, 1, 2], "t_score_neck": 0.0})
    cohort = SimpleNamespace(name="nhanes-dxa", kind="real", fingerprint="abc", subjects=people)
    monkeypatch.setattr(audit_hip_page, "load_cohort", lambda name: cohort)
    assert len(audit_hip_page.nhanes_of_age(run, 50)) == 3 and "nhanes-dxa" in run.cohorts

    def absent(name):
        raise DataNotFound(name)

    monkeypatch.setattr(audit_hip_page, "load_cohort", absent)
    said = []
    monkeypatch.setattr(audit_hip_page, "say", lambda run, text: said.append(text))
    audit_hip_page.show_second_scan(run, paper, found, 0.1, pd.Series([1.0, 0.9, 0.8], [0.0, 0.5, 1.0]))
    assert said[0].startswith("NHANES is not here")
    assert run.facts["needed"] == pytest.approx(5 * (1 - run.facts["told"] / 100))  # on the line from 1 to 0.8
    assert run.facts["low"] < run.facts["high"]
