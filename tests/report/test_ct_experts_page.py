import numpy as np
import pandas as pd
import pytest

from osteolib.report import ct_experts_diagnosis as diagnosis
from osteolib.report import ct_experts_gates as gates
from osteolib.report import ct_experts_order as ordered
from osteolib.report import ct_experts_page as page
from osteolib.report import ct_experts_rows as rows
from osteolib.report.audit_ct import SITES, read_tables
from osteolib.report.ct_experts_figures import WITH, WITHOUT
from osteolib.report.ct_experts_order import ALL, WITHIN
from osteolib.screen.ct_devices import CROSSED, EXPERTS, ONE, PAPER, SHUFFLED, TOLD, WITHHELD
from osteolib.screen.ct_makers import own_offset, readings

USES = "vertebra-phantom"
MAKERS = ["GE Lunar", "Hologic", "MEDIX"]
OF_SITE = {"A": "Hologic", "B": "GE Lunar", "C": "MEDIX", "D": "Hologic"}


def test_set(arrangement, share, n=120, seed=0):
    """Two vertebrae each of n people; the prediction follows a share of the makers' readings at the true BMD."""
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(n), 2)
    site = np.array(list("ABCD"))[who % 4]
    true = np.repeat(rng.normal(0.95, 0.12, n), 2) - 0.08 * np.isin(site, ["A", "D"])
    names = np.array([OF_SITE[s] for s in site]) if arrangement == PAPER else np.array(MAKERS)[(who // 4) % 3]
    offset = own_offset(true, names)
    rest = np.repeat(rng.normal(0, 0.05, n), 2) + rng.normal(0, 0.02, 2 * n)
    ill = true < 0.87
    gate = rng.dirichlet([1, 1, 1], 2 * n)
    return pd.DataFrame({
        "unit_id": [f"v{k}" for k in range(2 * n)], "subject_id": [f"p{k}" for k in who], "site": site, "device": names,
        "bmd_true_g_cm2": true, "bmd_g_cm2": true + offset, "bmd_predicted": 0.1 + 0.9 * true + share * offset + rest,
        "y": ill.astype(int), "score": 1 / (1 + np.exp(20 * (true + rest - 0.87))),
        **{f"gate_{k + 1}": gate[:, k] for k in range(3)},
    })  # fmt: skip


test_set.__test__ = False


def asked(of, share, shift):
    """The same vertebrae told each maker; a Hologic adds ``shift`` to the probability."""
    read = readings(of["bmd_true_g_cm2"])
    return pd.concat([
        of.assign(told=name, bmd=0.1 + share * read[name].to_numpy(), score=0.3 + shift * (name == "Hologic"))
        for name in MAKERS
    ])  # fmt: skip


def readers(arrangement, gain):
    """A best reader without and with the maker, who is told the truth with some noise."""
    of = test_set(arrangement, 0, n=200, seed=3)
    rng = np.random.default_rng(4)
    noise = rng.normal(0, 0.1, len(of))
    score = 1 / (1 + np.exp(20 * (of["bmd_true_g_cm2"] + noise - 0.87)))
    told = 1 / (
        1 + np.exp(20 * (of["bmd_true_g_cm2"] + (1 - gain) * noise - 0.87 - gain * np.isin(of["site"], ["A", "D"])))
    )
    read = readings(of["bmd_true_g_cm2"])
    each = {f"{what}_{m}": read[m].to_numpy() if what == "bmd" else told + 0.1 * gain * (m == "Hologic")
            for m in MAKERS for what in ("bmd", "score")}  # fmt: skip
    offset = own_offset(of["bmd_true_g_cm2"], of["device"])
    return of[["unit_id", "subject_id", "site", "device", "bmd_true_g_cm2", "y"]].assign(
        score=score, bmd=of["bmd_true_g_cm2"], score_told=told, bmd_told=of["bmd_true_g_cm2"] + offset, **each
    )


SHARES = {ONE: 0.0, TOLD: 1.0, EXPERTS: 0.5, SHUFFLED: 0.0, WITHHELD: 0.0}


@pytest.fixture(scope="module")
def scored():
    return {
        PAPER: {name: test_set(PAPER, share) for name, share in SHARES.items()},
        CROSSED: {name: test_set(CROSSED, SHARES[name]) for name in (ONE, TOLD, EXPERTS)},
    }


@pytest.fixture(scope="module")
def said(scored):
    return {
        a: {n: asked(of[n], SHARES[n], 0.25 if a == PAPER else 0.01) for n in (TOLD, EXPERTS)}
        for a, of in scored.items()
    }


@pytest.fixture(scope="module")
def best():
    return {PAPER: readers(PAPER, 0.1), CROSSED: readers(CROSSED, 0.0)}


def test_biases_are_those_of_the_planted_share(scored, run):
    found = rows.biases({CROSSED: scored[CROSSED]}).set_index(["network", "group"])
    blind = found.loc[ONE]
    assert blind.loc["GE Lunar", "bias"] - blind.loc["Hologic", "bias"] == pytest.approx(
        blind.loc["GE Lunar", "alike"] - blind.loc["Hologic", "alike"], abs=0.03
    )
    assert np.ptp(found.loc[TOLD, "bias"]) < 0.03
    assert set(rows.biases({PAPER: scored[PAPER]})["group"]) == {"Hologic, A", "GE Lunar, B", "MEDIX, C", "Hologic, D"}
    page.show_biases(run, scored)
    assert len(pd.read_csv(run.folder / "biases.csv")) == 3 * (4 + 3)


def test_two_people_of_a_maker_have_no_limits_and_no_result(scored, run):
    few = {a: {n: of[n].groupby("site").head(4) for n in (ONE, TOLD, EXPERTS)} for a, of in scored.items()}
    assert rows.biases({PAPER: few[PAPER]})["bias"].isna().all()
    page.show_biases(run, few)
    assert not run.rows or all(row["n"] >= 3 for row in run.rows)
    assert "–" in pd.read_csv(run.folder / "biases.csv")["limits of agreement, g/cm²"].to_numpy()


def test_the_planted_share_is_found_across_patients_and_in_one_picture(scored, said, best, run):
    found = rows.followed(scored, said, best, 100, 0)
    at = found.set_index(["arrangement", "reader", "how"])
    for name, share in SHARES.items():
        one = at.loc[PAPER, name, "patients"]
        assert one["low"] < share < one["high"]
    assert at.loc[(CROSSED, EXPERTS, "told"), "value"] == pytest.approx(0.5)
    assert at.loc[(CROSSED, WITH, "patients"), "value"] == pytest.approx(1)
    assert at.loc[(PAPER, WITHOUT, "patients"), "value"] == pytest.approx(0, abs=1e-9)
    page.show_follows(run, found, said, 100, 0)
    assert run.facts["told_verdict"] == "less than" and run.facts["asked_apart"].startswith("−0.50")
    assert "goes beyond 1" not in run.facts["past_one"]
    checks = [row for row in run.rows if row["metric"] == "method_check"]
    assert len(checks) == 4 and all(row["value"] == 1 for row in checks)
    assert checks[0]["published_id"] == "tpswav2025_ct.T2.A.ResNet34+MoE|TP-SwAV|Lunified.f1"


def test_a_study_of_one_maker_has_nothing_to_exchange(scored, best, run):
    nothing = {PAPER: {}, CROSSED: {}}
    page.show_follows(run, rows.followed(scored, nothing, best, 100, 0), nothing, 100, 0)
    assert run.facts["experts_asked_crossed"] == "–" and not [r for r in run.rows if r["metric"] == "method_check"]
    diagnosis.show_chances(run, rows.chances(nothing, best), nothing, 100, 0)
    assert run.facts["makers_known"] == "one maker"


def test_a_shift_that_is_there_only_where_hospital_is_maker_is_the_hospital_s(said, best, run):
    shown = rows.chances(said, best)
    assert shown.query("reader == @EXPERTS and told == 'Hologic'")["chance"].tolist() == pytest.approx([0.55, 0.31])
    diagnosis.show_chances(run, shown, said, 100, 0)
    assert run.facts["shift_experts_paper"].startswith("+25") and run.facts["shift_experts_crossed"].startswith("+1")
    assert run.facts["chances_word"] == "most of the experts' shift is the hospital, not the machine"
    half = {PAPER: said[PAPER], CROSSED: {n: asked(d.drop_duplicates("unit_id"), SHARES[n], 0.2)
                                          for n, d in said[CROSSED].items()}}  # fmt: skip
    diagnosis.show_chances(run, rows.chances(half, best), half, 100, 0)
    assert run.facts["chances_word"].startswith("a part of the experts' shift")
    swapped = {PAPER: said[CROSSED], CROSSED: said[PAPER]}
    diagnosis.show_chances(run, rows.chances(swapped, best), swapped, 100, 0)
    assert run.facts["chances_word"] == "in these trainings the experts' shift is no smaller crossed"


def order_of(scored, n_boot=100):
    pairs = [(TOLD, ONE), (EXPERTS, ONE)]
    return {a: ordered.order(of, pairs + [(EXPERTS, WITHHELD)] * (a == PAPER), n_boot, 0) for a, of in scored.items()}


def test_order_within_hospitals_and_the_power_to_see_what_is_attainable(scored, best, run):
    found = order_of(scored)
    assert found[PAPER].metrics == [ALL, WITHIN]
    diagnosis.show_order(run, found, best)
    facts = run.facts
    assert facts["gain_all"] == pytest.approx(
        ordered.attained(best[PAPER], "_told")[ALL] - ordered.attained(best[PAPER], "")[ALL]
    )
    assert facts["gain_all_crossed"] == pytest.approx(0)
    assert facts["luck"] == pytest.approx(0)  # equal scores were planted
    assert facts["luck_word"] == "while the experts gain nothing that would have to be explained"
    assert 0.05 <= facts["chance"] <= 1 or np.isnan(facts["chance"])


@pytest.mark.parametrize(("noise", "word"), [(0.5, "no less than"), (0.0, "less than")])
def test_a_gain_is_held_against_what_three_networks_that_know_nothing_differ_by(scored, best, run, noise, word):
    of, error = dict(scored[PAPER]), np.random.default_rng(0).normal(size=len(scored[PAPER][ONE]))
    for name, own in ((ONE, 0.3), (SHUFFLED, 0.3 + noise), (WITHHELD, 0.3 + 2 * noise), (EXPERTS, 0.2)):
        z = (0.87 - of[name]["bmd_true_g_cm2"]) / 0.12 + own * error
        of[name] = of[name].assign(score=1 / (1 + np.exp(-z)))
    found = order_of(scored | {PAPER: of})
    diagnosis.show_order(run, found, best)
    gain = found[PAPER].difference(EXPERTS, ONE)[0]
    assert gain > 0 and run.facts["luck_word"].startswith(word)
    assert (run.facts["luck"] >= gain) == (word == "no less than")


def test_an_order_without_a_fault_has_its_exact_interval(scored, run):
    """60 people of each class at most, a pair of them is in order with probability AUROC: Clopper and Pearson."""
    sure = scored[PAPER][ONE]
    sure = {ONE: sure.assign(score=sure["y"] + 0.0), TOLD: sure}
    found = ordered.order(sure, [(TOLD, ONE)], 100, 0)
    people = [sure[ONE].loc[sure[ONE]["y"] == k, "subject_id"].nunique() for k in (0, 1)]
    pairs = min(*people, sure[ONE]["subject_id"].nunique() // 2)
    assert found.exact == {(ONE, ALL)}
    assert found.estimate(ONE, ALL) == pytest.approx((1, 0.025 ** (1 / pairs), 1))
    assert found.text(ONE, ALL).endswith("to 1.00, exact)") and found.text(ONE, WITHIN) == "1.00 (no spread)"


def test_where_nobody_is_ill_no_order_is_judged(scored, best, run):
    well = {a: {n: v.assign(y=0) for n, v in of.items()} for a, of in scored.items()}
    found = order_of(well)
    assert found[PAPER].metrics == []
    diagnosis.show_order(run, found, best)
    assert run.facts["no_pairs"] == "one class"


def test_calls_at_the_cut_and_the_printed_ones_beside_them(scored, best, run):
    called = ordered.calls({PAPER: {ONE: scored[PAPER][ONE]}}).set_index("site")
    own = scored[PAPER][ONE].query("site == 'A'")
    assert called.loc["A", "called"] == (own["score"] >= 0.5).mean() and called.loc["A", "ill"] == own["y"].mean()
    diagnosis.show_calls(run, scored, best)
    shown = pd.read_csv(run.folder / "calls.csv")
    assert shown["kind"].unique().tolist() == ["printed", "phantom, networks", "phantom, best reader"]
    assert shown.iloc[1]["D"] == "38.0 → 44.3" and shown.iloc[0]["D"] == "76.3 → 81.4"
    assert set(run.facts["agree"].replace(",", " ").split()) - {"and", "none"} <= set(SITES)


def test_f1_by_hand_and_undefined():
    assert ordered.f1(pd.Series([1, 1, 0, 0]), pd.Series([0.9, 0.1, 0.8, 0.2])) == pytest.approx(0.5)
    assert np.isnan(ordered.f1(pd.Series([0, 0]), pd.Series([0.1, 0.2])))


def test_recovered_calls_of_the_printed_rows():
    printed = ordered.printed_change(read_tables(), {"A": 586, "B": 106, "C": 67, "D": 133}).set_index("site")
    assert printed.loc["D", "called_experts"] == pytest.approx(100 * 120 / 271)
    assert (printed["called_experts"] > printed["called_one"]).all()


def gated(of, leaders, strength=0.3):
    """Vertebrae whose gate asks the expert planted for their maker for so much more than the two others."""
    rest = np.random.default_rng(5).dirichlet([30, 30, 30], len(of)) * (1 - strength)
    lead = np.array([[k == leaders[d] for k in range(3)] for d in of["device"]])
    return of.assign(**{f"gate_{k + 1}": w for k, w in enumerate((rest + strength * lead).T)})


@pytest.mark.parametrize(("leaders", "word"), [
    ((0, 1, 2), "each maker has an expert of its own"), ((0, 1, 1), "different experts lead for some makers"),
    ((2, 2, 2), "one and the same expert leads"),
])  # fmt: skip
def test_planted_leaders_are_found_maker_by_maker(scored, said, run, leaders, word):
    planted = {
        a: of | {EXPERTS: gated(of[EXPERTS], dict(zip(MAKERS, leaders, strict=True)))} for a, of in scored.items()
    }
    found = gates.gate_rows(planted, 100, 0).set_index(["arrangement", "device", "what"])
    assert found.loc[(CROSSED, "MEDIX", gates.LEAD), "first"] == leaders[2] + 1
    weight = found.loc[(CROSSED, "MEDIX", f"expert {leaders[2] + 1}")]
    own = planted[CROSSED][EXPERTS].query("device == 'MEDIX'")
    assert (
        weight["value"] == pytest.approx(own[f"gate_{leaders[2] + 1}"].mean()) == pytest.approx(0.3 + 0.7 / 3, abs=0.02)
    )
    assert weight["low"] < weight["value"] < weight["high"]
    gates.show_gates(run, planted, said, 100, 0)
    assert run.facts["special_paper"].startswith(word) and run.facts["special_crossed"].startswith(word)
    assert run.facts["moved_paper"].startswith("0.0") and len(pd.read_csv(run.folder / "gates.csv")) == 6


def test_experts_that_share_alike_do_not_specialise(scored, said, run):
    alike = {a: of | {EXPERTS: gated(of[EXPERTS], dict.fromkeys(MAKERS, 0), 0)} for a, of in scored.items()}
    found = gates.gate_rows(alike, 100, 0)
    assert found.loc[found["what"] == gates.EVEN, "value"].between(0.95, 1).all()
    gates.show_gates(run, alike, {PAPER: {}, CROSSED: {}}, 100, 0)
    assert run.facts["special_paper"].startswith("no two makers are led") and run.facts["moved_paper"] == "–"


@pytest.mark.parametrize(("mean", "word"), [(0.0, "both between"), (0.2, "not both between")])
def test_an_unseen_maker_is_met_between_the_known_or_not(scored, run, mean, word):
    of = scored[PAPER][EXPERTS]
    at = {"GE Lunar": 0.05, "Hologic": -0.05, "mean": mean, "learned": 0.01}
    said = pd.concat([of.assign(told=name, bmd=of["bmd_g_cm2"] + off, score=0.4) for name, off in at.items()])
    page.show_unknown(run, said, 100, 0)
    assert run.facts["between"] == word and run.facts["mean_bias"] == pytest.approx(mean)
    assert run.facts["unknown_n"] == (of["site"] == "D").sum()
