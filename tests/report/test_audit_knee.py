import numpy as np
import pandas as pd
import pytest

from osteolib.report import audit_knee, audit_knee_code, audit_knee_page
from osteolib.report.audits import FOLDER
from osteolib.report.published import printed_texts
from osteolib.stats.audit.audit_file import load_audit

PAPER = "strnet2026_knee"


@pytest.fixture(scope="module")
def findings(audit):
    return audit(PAPER)


@pytest.fixture(scope="module")
def of(findings):
    return findings.set_index("id")["details"]


@pytest.fixture(scope="module")
def value():
    return audit_knee.read_values()


@pytest.fixture
def reach():
    """Made up: the second and the last part are trained by nobody."""
    parts = ["backbone", "neck", "tarr.shared", "tarr.screen", "screen_head", "tarr.severity", "severity_head",
             "tarr.t_score", "image_adapter", "tabular_encoder", "fusion"]  # fmt: skip
    table = pd.DataFrame(0.0, index=parts, columns=["screen", "severity", "t_score"])
    table.loc[["backbone", "tarr.shared", "tarr.screen", "screen_head"], "screen"] = 0.5
    table.loc[["backbone", "tarr.severity", "severity_head"], "severity"] = 0.5
    table.loc[["image_adapter", "fusion"], "t_score"] = 0.5
    return table.assign(parameters=10)


def test_what_is_said_to_hold_is_consistent(findings):
    holds = findings.set_index("id").loc[audit_knee.GOOD]
    assert set(holds["verdict"]) == {"consistent"}
    assert audit_knee.what_holds(findings)["what we computed"].tolist() == holds["computed"].tolist()


def test_a_printed_share_names_its_count():
    assert audit_knee.as_count("0.904", 136) == "123/136"
    assert audit_knee.as_count("0.904", 162) == "no count of 162"


def test_the_two_test_sets_are_drawn_with_counts_and_shares(of, value):
    lines = audit_knee.possible_values(value, of["S-10"]["rows"])
    assert lines[0] == ("Abstract, sensitivity 0.904", "123/136", "no count of 162")
    figure = audit_knee.two_test_sets([123, 20, 13, 68], [146, 17, 16, 45], lines)
    assert [text.get_text() for text in figure.axes[0].texts] == ["68\n0.773", "20\n0.227", "13\n0.096", "123\n0.904"]
    words = [text.get_text() for text in figure.axes[2].texts]
    assert {"88 + 136 knees", "62 + 162 knees", "148/162"} <= set(words)


def test_headlines_stand_beside_the_means_of_five_seeds(of, value):
    seeds = audit_knee.seeds_table(value)
    assert (seeds["headline"] == seeds["mean"]).tolist() == [True] * 4 + [False]
    facts = audit_knee.seed_facts(of, value)
    assert (facts["rmse"], facts["mean_rmse"], facts["sd_rmse"]) == ("0.347", "0.418", "0.036")
    figure = audit_knee.five_seeds(seeds, [0.9, 0.09, 0.01, 1e-4, 1e-6])
    dots = [line.get_xdata()[0] for line in figure.axes[0].lines]
    assert dots == pytest.approx([(0.347 - 0.418) / 0.036, 0, 0, 0, 0])
    assert [bar.get_height() for bar in figure.axes[1].patches] == [0.9, 0.09, 0.01, 1e-4, 1e-6]


def test_values_of_table_5_are_held_against_sensitivity_specificity_and_counts(of, value):
    gaps = audit_knee.implied_gaps(of, value)
    assert gaps.at["balanced accuracy", "printed"] == pytest.approx(0.806 - (0.862 + 0.765) / 2)
    ppv = 0.862 * 74 / (0.862 * 74 + 0.235 * 62)
    assert gaps.at["PPV", "printed"] == pytest.approx(0.810 - ppv)
    fits = gaps["printed"].between(gaps["low"], gaps["high"])
    assert fits[fits].index.tolist() == ["Youden's J", "accuracy", "F1"]
    widths = audit_knee.half_widths(value, {f"boot.T5.{k}": "0.05" for k in audit_knee.T5.values()})
    assert widths.at["F1", "printed"] == pytest.approx((value.at["T5.f1", "ci_high"] - value.at["T5.f1", "ci_low"]) / 2)
    figure = audit_knee.table_5(gaps, widths)
    drawn = [line.get_xdata()[0] for line in figure.axes[0].lines]
    np.testing.assert_allclose(drawn, gaps["printed"][::-1])


def test_shares_and_intervals_that_the_audit_file_keeps_are_computed_again(of, value):
    kept = load_audit(FOLDER / f"{PAPER}.yaml", printed_texts(PAPER)).document.values
    now = audit_knee_code.printed_values(value["value"].dropna(), of["S-40"]["share"])
    audit_knee_code.check_kept(now, {name: text for name, text in kept.items() if not name.startswith("net.")})
    with pytest.raises(ValueError, match=r"boot\.T5\.acc: 0\.06.*, kept 0\.9"):
        audit_knee_code.check_kept({"boot.T5.acc": 0.0625}, {"boot.T5.acc": "0.9"})
    with pytest.raises(ValueError, match=r"a: 1\.0, kept None"):
        audit_knee_code.check_kept({"a": 1.0}, {})


def test_networks_are_counted_and_a_part_without_gradient_is_marked(reach, value):
    count = value["value"].dropna()
    now = audit_knee_code.network_values(reach, count)
    assert (now["net.released.parameters"], now["net.text.parameters"]) == (23_945_571, 23_830_691)
    assert now["net.idle.parameters"] == 30  # neck, route and tabular encoder of the made-up table
    assert now["net.before.gradient"] == 0 and now["net.weight.screen"] == 1
    assert audit_knee_code.untouched(reach) == "T-score, route"
    figure = audit_knee_code.text_and_code(reach, count, {"fp_margin": "0.3", "lambda_fp": "0.1"})
    four, three = (line.get_ydata() for line in figure.axes[0].lines[:2])
    p = np.linspace(0, 1, 401)
    np.testing.assert_array_equal(four > three, (p > 0.3) & (p < 1))
    assert [text.get_text() for text in figure.axes[1].get_yticklabels()] == list(audit_knee_code.PARTS)


def test_sections_record_what_their_sentences_say(run, of, value):
    audit_knee_page.show_two_test_sets(run, value, of)
    assert "136" in run.facts["possible"] and run.facts["correct"] == 123 + 68
    alike = np.repeat([0, 1, 4], [7, 2, 1])
    audit_knee_page.show_five_seeds(run, value, of, audit_knee.seeds_table(value), alike)
    assert (run.facts["seen"], run.facts["tries"]) == (1, 10)
    printed = (value.at["T5.f1", "ci_high"] - value.at["T5.f1", "ci_low"]) / 2
    kept = {f"boot.T5.{key}": "1" for key in audit_knee.T5.values()} | {"boot.T5.f1": str(printed / 2)}
    audit_knee_page.show_table_5(run, value, of, kept)
    assert run.facts["wide"] == 1 and run.facts["ratio"] == pytest.approx(2)
    assert run.facts["bacc"] == pytest.approx((0.862 + 0.765) / 2)


def test_a_network_other_than_the_audit_file_keeps_is_refused(run, of, value, reach):
    audit = load_audit(FOLDER / f"{PAPER}.yaml", printed_texts(PAPER))
    with pytest.raises(ValueError, match=r"net\.idle\.parameters: 30, kept"):
        audit_knee_page.show_text_and_code(run, value, of, reach, audit)
