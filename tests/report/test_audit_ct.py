import numpy as np
import pandas as pd
import pytest

from osteolib.report import audit_ct, audit_ct_figures, audit_ct_page
from osteolib.report.audit_ct import AS_PPV_NPV, PATIENTS, SITES, VERTEBRAE
from osteolib.report.audits import FOLDER
from osteolib.report.published import printed_texts
from osteolib.stats.audit import ROUNDINGS, ConfusionMatrix, nearest_matrix
from osteolib.stats.audit.audit_file import load_audit
from osteolib.stats.audit.exchange import served_by

PAPER = audit_ct.PAPER


@pytest.fixture(scope="module")
def tables():
    return audit_ct.read_tables()


@pytest.fixture(scope="module")
def detail(audit):
    return audit(PAPER).set_index("id")["details"]


@pytest.fixture(scope="module")
def found(tables, detail):
    positives = audit_ct.positives_found(detail)
    return {
        (tab, s, m): nearest_matrix(tables.size[tab][s], positives[tab][s], AS_PPV_NPV, row)
        for (tab, s), rows in tables.rows.items()
        for m, row in rows.items()
    }


def test_the_tables_are_those_of_the_paper(tables):
    assert tables.size[VERTEBRAE] == {"A": 1490, "B": 610, "C": 398, "D": 271}
    assert len(tables.models) == len(audit_ct.NAMES) == 10 and "MoE" in tables.models[-1]
    row = tables.rows[VERTEBRAE, "D"][tables.models[-1]]
    assert [row[m].text for m in audit_ct.COLUMNS] == ["82.65 %", "85.83 %", "80.13 %", "81.42 %"]


def test_what_the_audit_file_takes_as_given_is_what_its_findings_give(detail):
    """Positives of T-02 and T-25, running totals of T-07, and the ratios of N12 that rest on them."""
    given = load_audit(FOLDER / f"{PAPER}.yaml", printed_texts(PAPER)).document.values
    positives = audit_ct.positives_found(detail)
    kept = {f"{unit}.{s}": positives[tab][s] for unit, tab in (("vertebrae", "T2"), ("patients", "T3")) for s in SITES}
    rows = detail["T-07"]["rows"]
    kept |= {f"total.{s}": rows[s]["best_n"] for s in rows}
    kept |= {f"total.{s}.positives": rows[s]["best_positives"] for s in rows}
    assert {name: int(text) for name, text in given.items()} == kept


def test_gains_and_least_p_are_those_of_the_audit(tables, found, detail):
    table = audit_ct.gains_of_moe(tables, found)
    least = detail["N7"]["rows"]
    for g in table.itertuples():
        assert least[f"{g.unit} {g.site}"]["smallest_p"] == pytest.approx(g.p)
    facts = audit_ct.moe_facts(table, *(found[VERTEBRAE, "D", m][0] for m in tables.models[-2:]))
    assert facts["gain_D"] == 13 and facts["called_moe"] == pytest.approx(100 * 120 / 271)  # 103 + 17 called
    figure = audit_ct_figures.gains_of_moe(table)
    bars = [patch.get_width() for patch in figure.axes[0].patches]
    assert bars == [*table["positives"][:4], *table["negatives"][:4]]


def test_a_running_total_is_taken_apart(tables):
    """Made up: at A 2 of 3 positives found with 1 false alarm; up to B 5 of 7 with 2, so B alone 3 of 4 with 1."""
    a, b = ConfusionMatrix(2, 1, 1, 6), ConfusionMatrix(5, 2, 2, 11)
    d = ConfusionMatrix(9, 2, 2, 17)

    def row(matrix):
        names = {"accuracy": "accuracy", "sensitivity": "ppv", "specificity": "npv", "f1": "f1"}
        return {column: audit_ct.printed(f"{100 * matrix.metric(m):.2f} %") for column, m in names.items()}

    rows = {(PATIENTS, s): {"x": row(m)} for s, m in (("A", a), ("B", b), ("D", d))}
    made_up = audit_ct.Tables({(VERTEBRAE, "A"): {"x": {}}} | rows, {}, {})
    total = {"A": (a.n, 3), "B": (b.n, 7), "D": (d.n, 11)}
    apart = audit_ct.taken_apart(made_up, total, ["x"]).iloc[0]
    assert apart["B alone"] == pytest.approx(100 * 2 * 3 / (2 * 3 + 1 + 1))
    assert apart["D alone"] == pytest.approx(100) and apart["D, F1 printed"] == pytest.approx(81.82)


def test_figures_show_printed_beside_recovered(tables, found):
    facts = audit_ct.order_of_sensitivity(tables, found)
    both = audit_ct.shares(tables, found, "D", "sensitivity")
    assert facts["sen_d"] == both["printed"].max() and facts["lost"] == "C and D"
    figure = audit_ct_figures.dumbbells(tables, found, (facts["sen_d"], facts["true_d"]))
    axis = figure.axes[3]
    np.testing.assert_allclose(axis.lines[0].get_xdata(), both["printed"])
    np.testing.assert_allclose(axis.collections[1].get_offsets()[:, 0], both["recovered"])
    assert f"{facts['sen_d']:.2f} →" in axis.texts[0].get_text()


def test_meanings_and_sizes_are_drawn_with_their_counts(tables, detail):
    explained = audit_ct.rows_explained(detail["T-02"]["rows"])
    assert explained.shape == (12, 4) and explained.loc["PPV and NPV"].sum() == 36
    figure = audit_ct_figures.meanings(tables, explained, audit_ct.positives_found(detail)[VERTEBRAE])
    assert sorted(patch.get_width() for patch in figure.axes[0].patches) == sorted(explained.sum(axis=1))
    fit = {"A": {(669, 288): ["x"] * 3, (776, 318): ["y"] * 6}}
    figure = audit_ct_figures.sizes_that_fit(tables, fit, {"A": (776, 318)}, 2)
    assert [text.get_text() for text in figure.axes[0].texts] == ["669: site", "776: running total"]
    assert audit_ct.totals(tables, {"A": (776, 318)}) == {"total_A": 776, "sum_A": 775, "over_A": 1}
    who = audit_ct.patients_of_rows(
        tables, {(PATIENTS, "A", m): (None, {}) for m in tables.models},
        {"A": {(776, 318): [tables.models[0]]}}, {"A": (776, 318)},
    )  # fmt: skip
    assert who["Site A"].tolist() == ["running total"] + ["site"] * 9


def test_stars_and_the_rule_for_patients(tables, found):
    facts = audit_ct.further_checks(tables, found)
    assert facts["broken"] == 0 and 0 < facts["mcnemar"] <= facts["stars"] == sum(map(bool, _stars(tables)))


def _stars(tables):
    return [star.count("*") for star in tables.stars.values() if isinstance(star, str)]


def test_sections_on_vertebrae_record_what_their_sentences_say(run, tables, detail, found):
    audit_ct_page.show_meanings(run, tables, detail)
    assert (run.facts["explained"], run.facts["cells"]) == (36, 40)
    assert run.facts["p_D"] == audit_ct.positives_found(detail)[VERTEBRAE]["D"]
    audit_ct_page.show_sensitivity(run, tables, found)
    audit_ct_page.show_moe(run, tables, found)
    audit_ct_page.show_further_checks(run, tables, found)
    assert run.facts["called_single"] < run.facts["called_moe"] == pytest.approx(100 * 120 / 271)
    assert {path.name for path in run.folder.glob("*.png")} == {"hypotheses.png", "sensitivity.png", "moe.png"}


def test_sections_on_patients_take_the_rows_that_count_on(run, tables, detail, found, monkeypatch):
    rows = detail["T-07"]["rows"]
    total = {s: (rows[s]["best_n"], rows[s]["best_positives"]) for s in "ABD"}
    sizes = {s: np.sort([n, tables.size[PATIENTS][s]]) for s, (n, _) in total.items()}
    fit = {s: served_by(tables.rows[PATIENTS, s], AS_PPV_NPV, sizes[s], 1, ROUNDINGS) for s in total}
    monkeypatch.setattr(audit_ct_page.recovered, "fits_by_chance", lambda rows, *args, **options: [1, 2, 1])
    audit_ct_page.show_sizes(run, tables, fit, total, n_controls=1, seed=0)
    assert [run.facts[name] for name in ("n_counting", "tables", "chance", "total_A", "over_A")] == [6, 3, 2, 776, 1]
    audit_ct_page.show_taken_apart(run, tables, found, fit, total)
    kept = pd.read_csv(run.folder / "apart.csv")
    assert len(kept) == 6 and run.facts["next_d"] == kept["D, F1 printed"].max()
    assert run.facts["moe_b"] == pytest.approx(100 * float(tables.rows[PATIENTS, "B"][tables.models[-1]]["f1"].value))
    who = pd.read_csv(run.folder / "who.csv").set_index("model")
    assert who["Site B"].eq("running total").sum() == 6
    fit["B"] = {total["B"]: list(fit["B"][total["B"]])[1:]}
    with pytest.raises(ValueError, match="other rows carry the count on"):
        audit_ct_page.rows_that_count_on(fit, total)
