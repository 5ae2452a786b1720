import inspect
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from osteolib.report import claim_plots, claims, claims_page
from osteolib.report.published import PAPERS
from osteolib.stats.replicability import Replicability, Sample, Study, assess, from_auroc

VALUE = claims.published_fractions()
SETS = claims.samples_of_papers(VALUE)


@pytest.fixture
def two():
    """Two claims on one test set: seen and lucky in half of all studies, and always seen."""
    study = Study(Sample(6, 13, 19), "auroc", (from_auroc(0.9), from_auroc(0.8)))
    found = [
        Replicability(0.5, 0.25, (0.7, 1.0), 123, 45, np.array([0.0, 0.1, 0.2])),
        Replicability(0.8, 0.001, (0.8, 0.9), 17, 456, np.array([0.0, 0.0, 0.1])),
    ]
    rows = [("lee2025_hand", "a", 0.03), ("chen2024_hip", "b", np.nan)]
    table = pd.DataFrame(rows, columns=["paper", "label", "spread"])
    return table.assign(study=study, best=0.9, other=0.8, claimed=0.1, k=2, rank=2, set="hands", found=found)


def test_positives_come_back_from_the_row_that_they_print():
    """40 hits, 10 misses, 20 false alarms, 130 cleared: accuracy 0.85, F1 80/110, PPV 40/60; 50 were positive."""
    row = f"tpswav2025_ct.T2.A.{claims.FULL}"
    value = pd.Series({f"{row}.acc": 170 / 200, f"{row}.f1": 80 / 110, f"{row}.sen_col": 40 / 60})
    assert claims.ct_positives(value, "A", "T2", 200) == 50
    value[f"{row}.sen_col"] = 0.9  # read as something that it is not
    with pytest.raises(ValueError, match="no whole number"):
        claims.ct_positives(value, "A", "T2", 200)


def test_printed_sizes_are_the_samples():
    assert SETS["knee, test"] == Sample(136, 88, 224)  # Table 1
    assert SETS[claims.BONES].people == round((SETS[claims.BONES].n_positive + SETS[claims.BONES].n_negative) / 7)
    hips = SETS["hip"]
    assert (hips.n_positive + hips.n_negative, hips.people) == (497, 300)
    sens, spec = (VALUE[f"chen2024_hip.T3.X1AI-Osteo.{k}"] for k in ("sens", "spec"))
    ppv = sens * hips.n_positive / (sens * hips.n_positive + (1 - spec) * hips.n_negative)
    assert ppv == pytest.approx(VALUE["chen2024_hip.T3.X1AI-Osteo.ppv"], abs=0.002)  # whole hips, rounded rates
    for site in "ACD":
        assert SETS[f"CT {site}, vertebrae"].positive_people == SETS[f"CT {site}, patients"].n_positive


def test_a_place_is_counted_from_the_best():
    value = pd.Series({"T.a.auc": 0.7, "T.b.auc": 0.9, "T.c.auc": 0.8, "other": 1.0})
    assert claims.placed(value, r"T\..*\.auc", "T.c.auc") == (3, 2)
    with pytest.raises(KeyError):
        claims.placed(value, r"T\..*\.auc", "other")


def test_every_paper_claims_a_lead_and_every_study_prints_its_values():
    table = claims.all_claims(VALUE, SETS, 0.5, 0.5)
    assert set(table["paper"]) == set(PAPERS) and table["label"].is_unique
    assert (table["claimed"] > 0).all() and (table["rank"] <= table["k"]).all()
    knee = table[table["claim"] == "full, over plain, AUROC"].iloc[0]
    assert knee.study.methods[0] == from_auroc(knee.best) and knee.claimed == pytest.approx(knee.best - knee.other)
    several = claims.several_units(table)
    assert not several[table["set"] == claims.SUBJECTS].any() and several[table["set"] == claims.BONES].all()


def test_varying_an_assumption_to_what_it_was_changes_nothing(two):
    c = two.iloc[0]
    expected = assess(c.study, c.claimed, 2, 2, 200, seed=3)
    for name in ("correlation", "icc"):
        varied = claims.vary(two, name, 0.5, 200, seed=3)
        assert varied.to_numpy().tolist() == [[expected.power, expected.luck]] * 2


def test_power_rises_with_the_correlation_of_methods_and_falls_with_that_of_units():
    """A difference of 0.05 on seven bones each of 24 people: both assumptions matter."""
    study = Study(Sample(48, 119, 24), "auroc", (from_auroc(0.85), from_auroc(0.8)), icc=0.0)
    claim = pd.DataFrame({"study": [study], "claimed": 0.05, "k": 2, "rank": 2})

    def powers(name, settings):
        return [claims.vary(claim, name, setting, 600, seed=3)["power"].item() for setting in settings]

    rising, falling = powers("correlation", (0.0, 0.5, 0.8)), powers("icc", (0.0, 0.2, 0.8))
    assert (np.diff(rising) > 0.04).all() and (np.diff(falling) < -0.04).all()
    assert rising[1] == falling[0]  # both are 0.5 and 0


def test_claims_are_counted_at_the_limits_that_the_sentence_names(two):
    facts = claims.in_one_sentence(two)
    assert {k: facts[k] for k in ("n", "n_powered", "n_weak", "n_lucky")} == {
        "n": 2, "n_powered": 1, "n_weak": 0, "n_lucky": 1}  # fmt: skip
    assert facts["powered"] == "b (19 people, where 17 would do)"
    assert claims.in_one_sentence(two.iloc[:1])["powered"] == "none"


def test_patterns_of_made_up_tables():
    row = "tpswav2025_ct.T2.{}.{}.f1".format
    value = pd.Series({f"strnet2026_knee.T4.B{i}.auroc": v for i, v in enumerate((0.7, 0.8, 0.75))})
    value = pd.concat([value, pd.Series({row("A", claims.FULL): 0.9, row("A", "x"): 0.8,
                                         row("B", claims.FULL): 0.7, row("B", "x"): 0.8})])  # fmt: skip
    assert claims.patterns(value) == {"rising": 1, "steps": 2, "orders": 6, "sites": 2, "sites_first": 1,
                                      "models": 2, "all_sites": 0.5}  # fmt: skip


def test_figures_hold_each_claim_on_its_line(two):
    hills = claim_plots.lead_hills(two).axes[0]
    assert [t.get_text() for t in hills.get_yticklabels()] == ["a", "b"]
    assert [(line.get_xdata()[0], round(line.get_ydata()[0])) for line in hills.lines] == [(0.1, 1), (0.1, 0)]
    assert [t.get_text() for t in hills.texts][:2] == ["25 %", "< 1 %"]
    intervals = claim_plots.honest_intervals(two).axes[0]
    assert intervals.collections[0].get_segments()[0][:, 0].tolist() == [0.7, 1.0]
    assert intervals.collections[1].get_segments()[0][:, 0].tolist() == pytest.approx([0.87, 0.93])
    people = claim_plots.people_needed(two).axes[0]
    assert [t.get_text() for t in people.texts if t.get_text()] == ["120", "17"]
    by = {rho: pd.DataFrame({"power": [rho, 1], "luck": [0, 0.5]}) for rho in (0.0, 0.5, 0.8)}
    left, right = claim_plots.under_other_assumptions(two, by).axes
    assert [line.get_xdata().tolist() for line in left.lines] == [[0, 100], [50, 100], [80, 100]]
    assert right.lines[0].get_xdata().tolist() == [0, 50]


def test_tables_hold_what_the_figures_show(two):
    row = claim_plots.claims_table(two).iloc[0]
    assert (row["people"], row["place"], row["seen (%)"], row["people, 80 % power"]) == (19, "2 of 2", 50, 120)
    by_icc = {0.5: pd.DataFrame({"power": [0.514, 1], "luck": [0.2, 0]})}
    table = claim_plots.icc_table(two, by_icc)
    assert table.loc["a"].tolist() == [51, 20] and table.columns[0] == "seen, ICC 0.5 (%)"
    assert "knee, with T-score" not in claim_plots.sizes_table(SETS).index
    assert "assumed 0.3" in set(claim_plots.what_is_assumed(0.3, 0.5)["where it comes from"])


def test_a_plan_is_drawn_with_its_answers():
    study = Study(Sample(20, 20, 40), "auroc", (from_auroc(0.85), from_auroc(0.8)))
    result = SimpleNamespace(power=0.33, people_for_power=1234, people_for_width=99)
    axis = claim_plots.plan_leads(study, result, 0.05, seed=0).axes[0]
    assert axis.get_title(loc="left") == "seen 33% · 80 % power: 1,234 people · ± 0.05: 99 people"
    assert axis.lines[0].get_xdata()[0] == 0.05


def test_sections_record_what_their_sentences_say(run, two):
    claims_page.show_test_sets(run, SETS, 0.3, 0.5)
    claims_page.show_one_claim(run, SETS, 0.85, 0.76, np.array([0.0, 0.1, 0.3]), 0.25)
    assert (run.facts["one_median"], run.facts["one_people"]) == (0.1, 19)
    claims_page.show_hills(run, two)
    claims_page.show_intervals(run, two)
    claims_page.show_people_needed(run, two, SETS)
    assert [run.facts[name] for name in ("n", "hand_low", "hand_high", "hand_auroc")] == [2, 0.7, 1.0, 0.9]
    claims_page.show_patterns(run, VALUE)
    by = {rho: pd.DataFrame({"power": [rho, 1.0], "luck": [0, 0.5]}) for rho in (0.0, 0.5, 0.8)}
    by_icc = {rho: part.iloc[1:] for rho, part in by.items()}
    claims_page.show_other_assumptions(run, two, by, np.array([False, True]), by_icc)
    assert [run.facts[f"powered_{k}"] for k in (0, 5, 8)] == [1, 1, 2]
    assert (run.facts["median_0"], run.facts["median_8"]) == pytest.approx((50, 90))
    claims_page.show_second_hospital(run, 0.9, 0.8, 0.04, np.linspace(0.5, 1, 1001))
    assert run.facts["clinic"] == SETS["knee, second hospital"].people
    assert (run.facts["drop"], run.facts["ext_low"], run.facts["ext_high"]) == pytest.approx((4, 0.5125, 0.9875))
    assert pd.read_csv(run.folder / "icc.csv")["claim"].tolist() == ["b"]


def test_every_slider_moves_something_that_a_plan_takes(run, monkeypatch):
    def plan(positive=60, negative=120, units=1, other=0.80, lead=0.05, rho=0.5, alike=0.5):
        study = Study(Sample(positive, negative, positive + negative), "auroc", (from_auroc(other + lead),) * 2)
        return study, SimpleNamespace(power=0.33, people_for_power=1234, people_for_width=99), lead

    asked = {}
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    monkeypatch.setattr("ipywidgets.interact_manual", lambda function, **ranges: asked.update(ranges))
    claims_page.show_plan(run, plan, 0)
    assert (run.folder / "plan.png").exists() and not asked
    monkeypatch.setenv("JPY_SESSION_NAME", "a.ipynb")
    claims_page.show_plan(run, plan, 0)
    settings = inspect.signature(plan).parameters
    assert set(asked) == set(settings)
    assert all(low <= settings[name].default <= high for name, (low, high, *_) in asked.items())
