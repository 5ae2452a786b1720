import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score, roc_auc_score

from osteolib.cohorts import load_cohort
from osteolib.report import ct_patients_page as patients_page
from osteolib.report import ct_results_differences as paired
from osteolib.report import ct_results_figures as figures
from osteolib.report import ct_results_page as page
from osteolib.report import ct_results_rows as rows
from osteolib.report.audit_ct import PATIENTS, VERTEBRAE
from osteolib.report.published import load_published
from osteolib.runs.run import PREDICTION_COLUMNS
from osteolib.screen import ct_ladder as ladder
from osteolib.screen.ct_ladder import LADDER
from osteolib.screen.ct_patients import patients, with_t_score
from osteolib.screen.moe_training import Recipe

USES = "vertebra-phantom"


def made_up(n_people, seed, better=()):
    """What networks would say: the labelled vertebrae of a phantom without pictures, and readers that err."""
    cohort = load_cohort(USES, n_subjects=n_people, seed=seed, preset="tpswav2025", render=False)
    spine = cohort.subjects[cohort.subjects["labelled"]].reset_index(drop=True)
    rng = np.random.default_rng(seed)
    person = spine["subject_id"].map(dict(zip(spine["subject_id"].unique(), rng.normal(size=n_people), strict=False)))
    y = (spine["t_score"] <= -2.5).astype(int)
    scored = {}
    for name in LADDER:
        own = 0.3 if name in better else 1.5
        logit = -(spine["t_score"] + 2.5) * 1.5 + own * person + rng.normal(0, own, len(spine))
        scored[name] = spine.assign(
            y=y, cut=0.4, score=1 / (1 + np.exp(-logit)), bmd_predicted=spine["bmd_g_cm2"] + 0.02
        )
    return scored


@pytest.fixture(scope="module")
def scored():
    return made_up(260, 1, better=(ladder.FULL,))


@pytest.fixture(scope="module")
def found(scored):
    return rows.every_measure(scored, 200, 0)


@pytest.fixture(scope="module")
def all_sites(scored):
    return paired.differences(scored, rows.ALL, 200, 0)


def test_measures_are_those_of_scikit_learn_and_patients_are_any_vertebra(scored, found):
    at_a = scored[ladder.SCRATCH].query("site == 'A'")
    one, _ = found[VERTEBRAE, "A"]
    assert one.estimate(ladder.SCRATCH, "f1")[0] == pytest.approx(f1_score(at_a["y"], at_a["score"] >= 0.5))
    assert one.estimate(ladder.SCRATCH, "auroc")[0] == pytest.approx(roc_auc_score(at_a["y"], at_a["score"]))
    by = at_a.groupby("subject_id")
    ill, called = by["y"].max(), by["score"].max() >= 0.5
    both, _ = found[PATIENTS, "A"]
    assert both.estimate(ladder.SCRATCH, "f1")[0] == pytest.approx(f1_score(ill, called))
    assert both.rows["people"].iloc[0] == one.rows["people"].iloc[0] == len(ill)


def test_the_recovered_counts_are_those_of_the_audit():
    _, matrices = rows.printed_tables()
    positives = {site: matrices[VERTEBRAE, site, LADDER[ladder.FULL].printed][0].positives for site in "ABCD"}
    assert positives == {"A": 586, "B": 106, "C": 67, "D": 133}  # finding T-02
    assert matrices[PATIENTS, "C", LADDER[ladder.FULL].printed][0].positives == 29
    c = patients_page.printed_c()
    assert c["vertebra"] == pytest.approx((1, 67 / 398)) and c["patient"] == pytest.approx((398 / 106, 29 / 106))


def test_the_print_stands_under_its_heads_and_once_more_as_the_audit_reads_it(found):
    shown = rows.site_table(found[VERTEBRAE, "D"], VERTEBRAE, "D").set_index(["kind", "row"])
    printed = shown.loc[("printed, as headed", ladder.TP_SWAV)]
    assert printed[["sensitivity", "PPV", "AUROC"]].tolist() == ["94.19", "–", "–"]
    read = shown.loc[("printed, as the audit reads it", ladder.TP_SWAV)]
    assert read[["sensitivity", "PPV", "F1"]].tolist() == ["60.9", "94.19", "73.97"]  # finding T-05
    patients_a = rows.site_table(found[PATIENTS, "A"], PATIENTS, "A").set_index(["kind", "row"])
    assert patients_a.loc[("printed, as the audit reads it", ladder.SWAV), "sensitivity"] == "–"  # a running total
    assert patients_a.loc[("printed, as the audit reads it", ladder.FULL), "sensitivity"] == "89.9"
    assert {"phantom"} <= set(shown.index.get_level_values(0))


def test_printed_gaps_are_differences_of_the_tables():
    gaps = paired.printed_gaps()
    assert gaps[ladder.FULL, ladder.SINGLE] == pytest.approx([2.60, 2.58, 0.07, 5.15])
    assert gaps[ladder.SCRATCH_UNIFIED, ladder.SCRATCH] == pytest.approx([0.69, 1.90, 5.93, 1.64])
    assert (ladder.AGAIN, ladder.SCRATCH) not in gaps


def test_power_by_hand():
    frame = pd.DataFrame([{"method": ladder.FULL, "reference": ladder.SINGLE, "metric": "f1", "value": 0.0,
                           "ci_low": -0.10, "ci_high": 0.10, "people": 62}])  # fmt: skip
    row = paired.power({"A": frame}, frame).iloc[0]
    assert row["half"] == pytest.approx(10) and row["gap"] == pytest.approx(2.60) and row["paper"] == 669
    assert row["at_paper"] == pytest.approx(10 * np.sqrt(62 / 669))
    assert row["needed"] == pytest.approx(62 * (2.8016 / 1.9600 * 10 / 2.60) ** 2, rel=1e-3)
    nothing = paired.power({"C": frame.iloc[:0]}, frame.iloc[:0]).iloc[0]
    assert np.isnan(nothing["half"]) and nothing["people"] == 0


def test_the_width_at_the_papers_size_is_what_so_many_patients_show(scored):
    """The rule of the square root, against four times as many patients of the same kind."""
    few, many = scored, made_up(1040, 1, better=(ladder.FULL,))
    found = [paired.differences(s, "A", 300, 0) for s in (few, many)]
    halves = [paired.power({"A": frame}, frame).iloc[0] for frame in found]
    expected = halves[0]["half"] * np.sqrt(halves[0]["people"] / halves[1]["people"])
    assert halves[1]["half"] == pytest.approx(expected, rel=0.25)


def test_tests_of_equal_networks_find_nothing_and_patients_widen(scored, all_sites):
    same = {name: scored[ladder.SCRATCH] for name in LADDER}
    p = paired.tested(same, 200, 0)
    assert (p[["t_right", "t_error", "mcnemar", "delong", "exchanged"]] == 1).all(axis=None)
    p = paired.tested(scored, 500, 0).set_index(["method", "reference"])
    assert (p.loc[(ladder.FULL, ladder.SCRATCH), ["delong_patients", "exchanged"]] < 0.01).all()
    assert (p["false_stars"] > 0.05).mean() > 0.5  # readings of one patient err together
    wider = (all_sites["ci_high"] - all_sites["ci_low"]) / (all_sites["alone_high"] - all_sites["alone_low"])
    assert wider.mean() > 1.05


def test_the_page_says_what_its_numbers_say(run, scored, found, all_sites, tmp_path):
    recipes = {name: Recipe("resnet18-half", n_experts=rung.n_experts, loss_weights=rung.loss_weights)
               for name, rung in LADDER.items()}  # fmt: skip
    pd.DataFrame({"negative_loss": [-2.0, -1.0]}).to_parquet(tmp_path / "history.parquet")
    page.show_ladder(run, recipes, dict.fromkeys(recipes, tmp_path), scored)
    page.show_f1(run, found, scored)
    page.show_tables(run, found)
    page.show_roc(run, scored, found)
    page.show_tests(run, all_sites, paired.tested(scored, 200, 0))
    page.show_power(run, {site: paired.differences(scored, site, 200, 0) for site in "ABCD"}, all_sites)
    page.show_losses(run, found, all_sites)
    page.record_checks(run, all_sites)
    assert run.facts["n_rows"] == 10 and run.facts["n_test"] == len(scored[ladder.SCRATCH])
    recorded = pd.DataFrame(run.rows)
    checks = recorded[recorded["metric"] == "method_check"].set_index("published_id")["value"]
    assert checks["tpswav2025_ct.T2.A.ResNet34+MoE|TP-SwAV|Lunified.f1"] == 1  # made better
    assert set(checks.index) <= set(load_published("tpswav2025_ct")["published_id"]) and len(checks) == 4
    assert recorded.loc[recorded["metric"] != "method_check", "published_id"].isna().all()
    assert run.facts["largest"] == scored[ladder.FULL].groupby("site")["subject_id"].nunique().idxmax()
    assert (
        0 < run.facts["half_low"] < run.facts["half_high"]
        and run.facts["half_people"] == scored[ladder.FULL]["subject_id"].nunique()
    )


def test_the_page_on_patients_follows_the_rule(run, scored):
    every = with_t_score(scored[ladder.FULL])
    patients_page.show_any(run, scored[ladder.FULL], every, 200, 0)
    patients_page.show_rules(run, scored[ladder.FULL], 200, 0)
    recorded = pd.DataFrame(run.rows).set_index("metric")["value"]
    some = [recorded[f"prevalence of patients, {n} vertebrae, any"] for n in (1, 2, 3)]
    assert some[0] < some[1] < some[2]
    assert run.facts["falls"] == "falls" and run.facts["spec_apart"] < run.facts["spec_last"]
    assert run.facts["bmd_r"] == "1.00" and run.facts["bmd_mae"] == pytest.approx(0.02)
    assert "method_check" in recorded


def test_the_closed_form_starts_where_one_vertebra_is(scored):
    unit = patients_page.vertebrae_of(scored[ladder.FULL], 100, 0)
    first = patients_page.closed_form(unit, unit.errors.value, (1, 18)).iloc[0]
    assert first[["sensitivity", "specificity", "prevalence"]].tolist() == pytest.approx(
        [unit.sensitivity, unit.specificity, unit.prevalence], abs=1e-5
    )


def test_a_site_of_one_class_or_of_nobody_is_said(run, scored):
    well = {name: one[one["y"].eq(0) | one["site"].ne("B")] for name, one in scored.items()}
    gone = {name: one[one["site"] != "D"] for name, one in well.items()}
    found = rows.every_measure(gone, 100, 0)
    assert found[VERTEBRAE, "B"] == (None, "all of one class")
    assert found[VERTEBRAE, "D"] == (None, "no vertebrae in the test") and found[PATIENTS, "A"][0] is not None
    page.show_f1(run, found, gone)
    page.show_tables(run, found)
    page.show_roc(run, gone, found)
    page.show_losses(run, found, paired.differences(gone, rows.ALL, 100, 0))
    every = paired.differences(gone, rows.ALL, 100, 0)
    page.show_power(run, {site: paired.differences(gone, site, 100, 0) for site in "ABCD"}, every)
    assert "B (all of one class)" in run.facts["without"]


def test_a_test_without_any_ill_vertebra_still_makes_a_page(run, scored):
    well = {name: one[one["y"] == 0] for name, one in scored.items()}
    found, nothing = rows.every_measure(well, 100, 0), paired.differences(well, rows.ALL, 100, 0)
    page.show_f1(run, found, well)
    page.show_roc(run, well, found)
    page.show_tests(run, nothing, pd.DataFrame(index=range(6)))
    page.show_power(run, dict.fromkeys("ABCD", nothing), nothing)
    page.show_losses(run, found, nothing)
    page.record_checks(run, nothing)
    patients_page.show_any(run, well[ladder.FULL], with_t_score(well[ladder.FULL]), 100, 0)
    patients_page.show_rules(run, well[ladder.FULL], 100, 0)
    assert nothing.empty and not [row for row in run.rows if row["metric"] == "method_check"]


def test_predictions_have_the_contracts_columns(scored):
    kept = rows.predictions(scored, USES, 0)
    assert tuple(kept.columns) == PREDICTION_COLUMNS and len(kept) == 10 * len(scored[ladder.SCRATCH])
    assert set(kept["method"]) == set(LADDER)


def test_the_figure_of_the_rule_draws_what_it_is_given():
    seen = pd.DataFrame({"n": [1, 3], "rule": "any", "metric": "specificity", "value": [0.9, 0.8],
                         "ci_low": [0.85, 0.7], "ci_high": [0.95, 0.9]})  # fmt: skip
    curve = pd.DataFrame({"n": [1, 18], "prevalence": [0.2, 0.5], "sensitivity": [0.8, 0.9],
                          "specificity": [0.9, 0.4]})  # fmt: skip
    fig = figures.rule_any(seen, {"errors alike": curve, "errors apart": curve},
                           {"vertebra": (1, 0.168), "patient": (3.75, 0.274)}, "errors alike by 0.40")  # fmt: skip
    drawn = [line.get_ydata() for line in fig.axes[2].lines]
    assert [0.9, 0.4] in [list(y) for y in drawn] and [0.85, 0.95] in [list(y) for y in drawn]
    assert not [line for line in fig.axes[1].lines if list(line.get_ydata()) == [0.85, 0.95]]


def test_patients_of_all_sites_are_counted_once(scored):
    table = patients(scored[ladder.FULL])
    assert table["subject_id"].is_unique and table["n"].sum() == len(scored[ladder.FULL])


def test_an_interval_of_one_point_decides_no_check_and_is_shown_exact(run, scored):
    """Every ill patient is found, in every draw: nothing that the closed form could lie within."""
    sure = scored[ladder.FULL]
    sure = sure.assign(score=sure["score"].where(sure["y"] == 0, 0.9))
    patients_page.show_any(run, sure, with_t_score(sure), 200, 0)
    assert not [row for row in run.rows if row["metric"] == "method_check"]
    many = patients(sure).query("n >= 3")
    low = 0.025 ** (1 / int(many["y"].sum()))  # Clopper and Pearson of n among n
    assert run.facts["sens_n"] == f"100 ({100 * low:.0f} to 100, exact)"
    patients_page.show_rules(run, sure, 200, 0)
    shown = pd.read_csv(run.folder / "rules.csv")
    assert shown["sensitivity, %"].iloc[0].endswith("to 100, exact)")


def test_a_table_marks_an_exact_interval(scored):
    sure = {name: one.assign(score=one["score"].where(one["y"] == 0, 0.9)) for name, one in scored.items()}
    found = rows.measured(rows.units(sure, PATIENTS, "A"), PATIENTS, 100, 0)
    shown = rows.site_table(found, PATIENTS, "A").set_index(["kind", "row"]).loc[("phantom", ladder.FULL)]
    ill = patients(sure[ladder.FULL]).query("site == 'A'")["y"].sum()
    assert shown["sensitivity"] == f"100 ({100 * 0.025 ** (1 / ill):.0f} to 100, exact)"
    assert "exact" not in shown["F1"]  # no share of patients
