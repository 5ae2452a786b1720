import inspect
import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from osteolib.stats.audit import ConfusionMatrix, checks, printed, quantities
from osteolib.stats.audit.audit_file import Audit, Document, load_audit, run_audit, vocabulary
from osteolib.stats.audit.checks import CHECKS
from osteolib.stats.audit.quantities import QUANTITIES
from osteolib.stats.audit.table_metrics import TABLE_METRICS

METRICS = ("accuracy", "sensitivity", "specificity", "ppv", "npv", "f1", "balanced_accuracy", "mcc", "youden_j")
ROUNDED = {  # three honest ways to print a fraction
    "half-up": lambda x, d: Fraction(math.floor(x * 10**d + Fraction(1, 2)), 10**d),
    "half-even": lambda x, d: Fraction(round(x * 10**d), 10**d),
    "truncation": lambda x, d: Fraction(math.trunc(x * 10**d), 10**d),
}


def show(value, decimals, way):
    return printed(f"{float(ROUNDED[way](Fraction(value), decimals)):.{decimals}f}")


def row(cells, names, decimals=3, way="half-up"):
    return {name: show(ConfusionMatrix(*cells).metric(name), decimals, way) for name in names}


studies = st.tuples(
    st.tuples(*[st.integers(1, 60)] * 4), st.integers(2, 4), st.sampled_from(sorted(ROUNDED)), st.integers(0, 2**32 - 1)
)


@settings(deadline=None, max_examples=30)
@given(studies)
def test_an_honest_study_is_never_called_inconsistent(study):
    cells, decimals, way, seed = study
    matrix = ConfusionMatrix(*cells)
    rng = np.random.default_rng(seed)
    shown = row(cells, METRICS, decimals, way)
    n, positives = matrix.n, matrix.positives
    outcomes = [
        checks.confusion(n, {name: shown[name] for name in ("accuracy", "sensitivity", "f1", "mcc")}),
        checks.confusion(n, {name: shown[name] for name in ("ppv", "npv")}, positives),
        checks.matrix(*cells, shown, n, positives),
        checks.proportion(shown["accuracy"], n),
        checks.equation(
            "(a + b) / 2", shown["balanced_accuracy"], {"a": shown["sensitivity"], "b": shown["specificity"]}
        ),
        checks.equation(
            "a * p / n + b * (n - p) / n",
            shown["accuracy"],
            {"a": shown["sensitivity"], "b": shown["specificity"], "p": printed(str(positives)), "n": printed(str(n))},
        ),
        checks.auc_of_labels(shown["balanced_accuracy"], shown["sensitivity"], shown["specificity"]),
        checks.constant_classifier(n, positives, row((positives, n - positives, 0, 0), METRICS[:4], decimals, way)),
    ]
    assert outcomes[6].computed["equals_labels"]
    others = [(int(tp), int(fp), positives - int(tp), n - positives - int(fp)) for tp, fp in zip(
        rng.integers(1, positives + 1, 2), rng.integers(1, n - positives + 1, 2), strict=True)]  # fmt: skip
    names = ("accuracy", "sensitivity", "specificity")
    rows = {str(c): row(c, names, decimals, way) for c in (cells, *others) if not math.isnan(sum(map(float, c)))}
    outcomes.append(checks.exchange(n, rows))
    runs = rng.integers(0, n + 1, 3) if n < 60 else rng.integers(n // 2, n // 2 + 10, 3)
    mean, sd = runs.mean() / n, runs.std(ddof=int(rng.integers(2))) / n
    outcomes.append(checks.mean_sd(show(mean, 3, way), show(sd, 3, way), n, 3))
    sample = rng.normal(0, 1, 5)
    member = [show(x, 3, way) for x in (sample[0], sample.mean(), sample.std(ddof=1))]
    outcomes.append(checks.member_of_sample(*member, 5))
    assert "inconsistent" not in [outcome.verdict for outcome in outcomes]


def test_arithmetic():
    values = {"sens": printed("0.862"), "spec": printed("0.765")}
    wrong = checks.equation("(sens + spec) / 2", printed("0.806"), values)
    assert wrong.verdict == "inconsistent"
    assert wrong.computed == {
        "value": 0.8135, "between": (0.813, 0.8145), "printed": 0.806, "difference": pytest.approx(0.0075),
    }  # fmt: skip
    assert checks.equation("(sens + spec) / 2", printed("0.814"), values).verdict == "consistent"
    cut = checks.equation("a", printed("0.81"), {"a": printed("0.816")})
    assert cut.verdict == "consistent"  # the last digits may have been cut off ...
    strict = checks.equation("a", printed("0.81"), {"a": printed("0.816")}, ["half-up", "half-even"])
    assert strict.verdict == "inconsistent"  # ... unless the study rounds to the nearest
    found = checks.computed({"prevalence": "p / n"}, {"p": printed("48"), "n": printed("167")})
    assert found.verdict == "derived"
    assert found.computed == {"prevalence": 48 / 167, "prevalence_between": 48 / 167}
    assert checks.computed({"x": "x"}, {"x": (1, 3)}).computed == {"x": 2, "x_between": (1, 3)}
    assert checks.note("words").verdict == "not checkable"
    assert checks.same_text({"a": "224 x 224", "b": " 224  X 224"}).verdict == "consistent"
    assert checks.same_text({"a": "T < -2.5", "b": "T <= -2.5"}).verdict == "differs"


@pytest.mark.parametrize(
    ("new", "verdict", "certain"),
    [("0.85", "consistent", True), ("0.83", "consistent", False), ("0.79", "inconsistent", True)],
)
def test_a_comparison_is_inconsistent_only_where_it_must_fail(new, verdict, certain):
    outcome = checks.comparison("new > old", {"new": printed(new), "old": printed("0.827")})
    assert (outcome.verdict, outcome.computed["certain"]) == (verdict, certain)
    assert outcome.computed["difference"] == pytest.approx(float(new) - 0.827)


def test_counts_behind_shares():
    outcome = checks.proportion(printed("0.7924"), 167, 3)
    assert (outcome.verdict, outcome.computed["counts"]) == ("consistent", [397])
    assert outcome.computed["chance"] == 502 / 10001  # 502 numbers k/501, of 10,001 with four decimals
    outcome = checks.proportion(printed("0.818"), 136)
    assert outcome.verdict == "inconsistent"
    assert outcome.computed["nearest"] == pytest.approx(111 / 136)
    triple = checks.mean_sd(printed("79.24 %"), printed("0.69 %"), 167, 3)
    assert triple.computed["sample"] == [(131, 133, 133)]
    assert triple.computed["smallest_sample"] == pytest.approx(np.std([132, 132, 133], ddof=1) / 167)
    assert checks.mean_sd(printed("0.715"), printed("0.001"), 19, 3).verdict == "inconsistent"
    tp, correct = np.array([20, 24, 30]), np.array([120, 130, 128])
    f1 = 2 * tp / (2 * tp + 167 - correct)
    parts = [
        show(x, 4, "half-up") for x in (correct.mean() / 167, correct.std(ddof=1) / 167, f1.mean(), f1.std(ddof=1))
    ]
    outcome = checks.f1_runs(*parts, 167, 48, 3)
    assert ((120, 20), (128, 30), (130, 24)) in outcome.computed["solutions"]
    parts[2] = printed("0.9000")
    assert checks.f1_runs(*parts, 167, 48, 3).verdict == "inconsistent"
    outcome = checks.member_of_sample(printed("0.347"), printed("0.418"), printed("0.020"), 5)
    assert outcome.verdict == "inconsistent"
    assert outcome.computed["limit_sample"] == pytest.approx(4 / math.sqrt(5))
    assert outcome.computed["limit_population"] == 2


def test_matrices():
    reported = {"sensitivity": printed("0.904"), "specificity": printed("0.773")}
    outcome = checks.confusion(224, reported, 136)
    assert outcome.computed["n_solutions"] == 1
    assert [outcome.computed[cell] for cell in ("tp", "fp", "fn", "tn", "called")] == [123, 20, 13, 68, 143]
    assert outcome.computed["accuracy"] == pytest.approx(191 / 224)
    several = checks.confusion(224, reported).computed
    assert several["tp"][0] < 123 <= several["tp"][1]
    assert 136 in several["positives_possible"]
    wrong = checks.confusion(224, reported | {"accuracy": printed("0.883")}, 136)
    assert wrong.verdict == "inconsistent"
    assert wrong.computed["nearest"] == (123, 20, 13, 68)
    assert wrong.computed["off"] == {"accuracy": pytest.approx(191 / 224 - 0.883)}
    mean = checks.confusion(100, {"accuracy": printed("0.7967")}, 40, 3)  # 239 / 300
    assert mean.verdict == "consistent"
    assert mean.computed["accuracy"] == pytest.approx(239 / 300)
    with pytest.raises(ValueError, match="unknown metrics"):
        checks.confusion(224, {"runs": printed("0.9")})

    many = checks.confusion(10**7, {"sensitivity": printed("0.90"), "lr_positive": printed("5.6")}, 4 * 10**6)
    assert (many.verdict, many.computed) == ("consistent", {"n_solutions": "more than 2,000,000"})
    with pytest.raises(ValueError, match="give positives, more metrics or more decimals"):
        checks.confusion(5000, {"mcc": printed("0.5")})

    outcome = checks.matrix(146, 17, 16, 45, reported, 224, 136)
    assert outcome.verdict == "inconsistent"
    assert outcome.computed["disagrees"] == ["sensitivity", "specificity", "positives"]
    assert checks.matrix(24, 3, 6, 9, {"ppv": printed("0.889")}, 42).verdict == "consistent"
    assert checks.matrix(24, 3, 6, 9).computed["correct"] == 33
    assert checks.constant_classifier(10, 3).computed["accuracy_all_negative"] == 0.7
    always = checks.constant_classifier(167, 48, {"accuracy": printed("28.74 %"), "f1": printed("0.447")})
    assert always.computed["calls"] == ["all_positive"]
    never = checks.constant_classifier(167, 48, {"accuracy": printed("0.713"), "ppv": printed("0.000")})  # 0 / 0 as 0
    assert never.computed["calls"] == ["all_negative"]
    assert checks.constant_classifier(167, 48, {"accuracy": printed("0.72")}).verdict == "inconsistent"


MODELS = {"a": (40, 19, 8, 100), "b": (36, 14, 12, 105), "c": (42, 30, 6, 89), "d": (31, 9, 17, 110)}


def test_exchanged_columns_and_a_pooled_test_set():
    names = ("accuracy", "ppv", "npv")
    rows = {name: row(cells, names) for name, cells in MODELS.items()}
    assert checks.exchange(167, rows).verdict == "consistent"
    meant = {"accuracy": "accuracy", "sensitivity": "ppv", "specificity": "npv"}
    exchanged = {name: {column: r[metric] for column, metric in meant.items()} for name, r in rows.items()}
    outcome = checks.exchange(167, exchanged)
    assert outcome.verdict == "inconsistent"
    assert outcome.computed["best"]["meaning"] == "sensitivity is ppv, specificity is npv"
    assert (outcome.computed["best"]["rows_explained"], outcome.computed["best"]["best_positives"]) == (4, 48)
    assert outcome.computed["as_printed"]["rows_explained"] < 4
    mirror = outcome.computed["second"]  # without F1 nothing says which class is the positive one
    assert (mirror["meaning"], mirror["best_positives"]) == ("sensitivity is npv, specificity is ppv", 119)
    with_f1 = {name: r | row(MODELS[name], ["f1"]) for name, r in exchanged.items()}
    assert checks.exchange(167, with_f1).computed["second"]["rows_explained"] < 4

    assert checks.pooled(167, rows, 200).verdict == "consistent"
    outcome = checks.pooled(120, rows, 200)
    assert outcome.verdict == "inconsistent"
    best = [outcome.computed[f"best_{name}"] for name in ("n", "positives", "rows_explained", "explained")]
    assert best == [167, 48, 4, tuple(MODELS)]
    assert outcome.computed["second_rows_explained"] < 4
    assert checks.pooled(2, rows, 2).computed["sizes"] == []


def test_an_auc_and_its_operating_point():
    outcome = checks.auc_of_labels(printed("96.4 %"), printed("97.2 %"), printed("95.6 %"))
    assert outcome.verdict == "derived"
    assert outcome.computed["equals_labels"]
    assert outcome.computed["least"] == pytest.approx(0.972 * 0.956)
    assert outcome.computed["chance"] == pytest.approx(0.001 / (1 - 0.028 * 0.044 - 0.972 * 0.956))
    assert not checks.auc_of_labels(printed("0.99"), printed("0.972"), printed("0.956")).computed["equals_labels"]
    for auc in ("0.91", "0.9995"):
        assert checks.auc_of_labels(printed(auc), printed("0.972"), printed("0.956")).verdict == "inconsistent"


def test_limits_of_agreement_and_numbers_of_pairs():
    rng = np.random.default_rng(0)
    sd, n = 0.104, 497
    half = stats.norm.ppf(0.975) * sd
    bias = 1.96 * sd / math.sqrt(n)
    shown = [show(x, 3, "half-up") for x in (-0.01 - half, -0.01 + half, -0.01 - bias, -0.01 + bias)]
    outcome = checks.bland_altman(*shown, candidates=[497, 300])
    assert (outcome.verdict, outcome.computed["fitting"]) == ("consistent", [497])
    assert outcome.computed["n_low"] <= 497 <= outcome.computed["n_high"]
    assert checks.bland_altman(*shown, candidates=[int(rng.integers(100, 300))]).verdict == "inconsistent"
    assert checks.bland_altman(*shown[:2], printed("-9.0"), printed("9.0")).verdict == "inconsistent"


def test_quantities_against_other_ways_to_compute_them():
    assert quantities.proportion_interval(123, 136) == pytest.approx(proportion_confint(123, 136, method="wilson"))
    assert quantities.binomial_tails(2, 3, 0.5) == pytest.approx((7 / 8, 1 / 2))
    table = [[26, 43], [150, 90]]
    chi2 = 309 * (26 * 90 - 43 * 150) ** 2 / (69 * 240 * 176 * 133)
    assert quantities.contingency(table)[:2] == pytest.approx((chi2, stats.chi2.sf(chi2, 1)))
    assert quantities.contingency(table)[2] > quantities.contingency(table)[1]
    assert quantities.fisher_exact([[3, 1], [1, 3]]) == pytest.approx((9, 34 / 70))  # the lady tasting tea
    a, b = np.array([0.3, 0.5, 0.9]), np.array([0.6, 0.7, 0.9, 1.1])
    summary = (a.mean(), a.std(ddof=1), 3, b.mean(), b.std(ddof=1), 4)
    assert quantities.welch_test(*summary) == pytest.approx(tuple(stats.ttest_ind(a, b, equal_var=False)))
    assert quantities.mcnemar([5, -1]) == pytest.approx(stats.binomtest(5, 6).pvalue)
    low, high = quantities.bootstrap_interval(80, 10, 20, 90, "sensitivity")
    assert (low, high) == pytest.approx(stats.binom.ppf([0.025, 0.975], 100, 0.8) / 100, abs=0.011)


NAMES = {
    "accuracy": "0.7924", "sensitivity": "0.833", "specificity": "0.840", "f1": "0.555", "f1_sd": "0.021",
    "auc_extended": "0.83", "auc_conventional": "0.80",
} | {f"table{t}.{m}.{c}": "0.8012" for t in "23" for m in "xy" for c in ("acc", "sen", "spe")}  # fmt: skip


@pytest.mark.parametrize("name", [name for name in CHECKS if CHECKS[name] not in QUANTITIES])
def test_the_example_of_every_check_runs_and_its_words_name_what_is_computed(name, tmp_path):
    words = vocabulary().set_index("check").loc[name]
    arguments = yaml.safe_load(words["example"])
    lead = {"id": "a", "source": "s", "claim": "c", "check": name, "with": arguments}
    (tmp_path / "a.yaml").write_text(yaml.safe_dump({"study": "s", "findings": [lead]}))
    details = run_audit(load_audit(tmp_path / "a.yaml", NAMES)).loc[0, "details"]
    free = {"same_text", "computed", "note", "constant_classifier"}  # names come from the arguments or the metrics
    details.pop("fits_if", None)  # of every check that fails
    missing = [key for key in details if key not in words["meaning"] and key not in TABLE_METRICS and name not in free]
    assert not missing


@pytest.mark.parametrize("function", QUANTITIES, ids=lambda f: f.__name__)
def test_every_quantity_has_words_and_names_for_what_it_returns(function):
    words = vocabulary().set_index("check").loc[function.__name__]
    assert words["meaning"].count(".") >= 2
    assert all(name in words["arguments"] for name in inspect.signature(function).parameters)


@pytest.mark.parametrize(
    ("check", "arguments"),
    [
        ("proportion_interval", "{successes: '123', n: 136}"),
        ("bootstrap_interval", "{tp: 24, fp: 3, fn: 6, tn: 9, metric: npv}"),
        ("fisher_z_ci", "{r: '0.801', n: 31}"),
        ("binomial_tails", "{successes: 24, n: 30, p: 0.86}"),
        ("contingency", "{table: [[26, 43], [150, 90]]}"),
        ("fisher_exact", "{table: [['5', '18'], ['54', '115']]}"),
        ("welch_test", "{mean_a: '0.68', sd_a: '0.03', n_a: 3, mean_b: '0.54', sd_b: '0.13', n_b: 3}"),
        ("mcnemar", "{gains: [20, -3]}"),
        ("hanley_mcneil_se", "{auc: '0.85', n_pos: 6, n_neg: 13}"),
        ("binormal_auc_se", "{auc: '85 %', n_pos: 6, n_neg: 13}"),
        ("auc_max_se", "{auc: '0.878', n_pos: 30, n_neg: 12}"),
        ("auc_difference_z", "{auc_a: '0.933', auc_b: '0.878', n_pos: 136, n_neg: 88, other: [30, 12]}"),
        ("matrix_of_accuracy_f1", "{accuracy: '0.81', f1: '0.68', n: 19, positives: 5.8}"),
        ("predictive_values", "{sensitivity: '0.904', specificity: '0.773', prevalence: 0.05}"),
        ("implied_prevalence", "{sensitivity: '97.2 %', specificity: '95.6 %', ppv: '95.7 %'}"),
        ("yardstick_of_classes", "{n: [34, 206, 69], mean: ['-0.65', '-1.85', '-2.67'], sd: ['0.3', '0.3', '0.4']}"),
        ("normal_auroc", "{positive: [[69, '63.4', '9.1']], negative: [[34, '34.4', '8.0'], [20, '40', '8']]}"),
        ("binormal_auprc", "{auc: '0.933', prevalence: 0.607}"),
        ("thresholded_measurement", "{mean: '-2.6', sd: '1.1', error_sd: 0.104, threshold: -2.5}"),
        ("brier_skill", "{brier: '0.178', prevalence: 0.714}"),
        ("sd_floor", "{mean: '0.72', n: 19}"),
        ("chance_of_spread", "{sd: '0.015', share: '0.72', n: 19, runs: 3}"),
        ("chance_run_prints_as_mean", "{sds: ['0.011', '0.012'], runs: 5, decimals: 3}"),
        ("share_with_sibling", "{units_per_subject: 8.5, train_share: 0.8}"),
        ("split_leakage", "{subjects: {1: 148, 2: 44}, n_train: 188, n_test: 24}"),
    ],
)
def test_every_quantity_is_read_from_a_file_and_gives_finite_numbers(check, arguments, tmp_path):
    lead = {"id": "a", "source": "s", "claim": "c", "check": check, "with": yaml.safe_load(arguments)}
    (tmp_path / "a.yaml").write_text(yaml.safe_dump({"study": "s", "findings": [lead]}))
    finding = run_audit(load_audit(tmp_path / "a.yaml")).loc[0]
    assert finding["verdict"] == "derived"
    assert list(finding["details"]) == QUANTITIES[CHECKS[check]].split()
    assert np.isfinite(list(finding["details"].values())).all()


def test_every_quantity_is_tried_above():
    parameters = test_every_quantity_is_read_from_a_file_and_gives_finite_numbers.pytestmark[0].args[1]
    assert {name for name, _ in parameters} == {function.__name__ for function in QUANTITIES}


def test_one_way_of_rounding_for_a_row():
    """7 of 11 is 0.6363.., 5 of 9 is 0.5555..: 0.63 was cut off and 0.56 was not, which one rounding does not do."""
    row = {"sensitivity": printed("0.63"), "specificity": printed("0.56")}
    assert checks.confusion(20, row, 11).computed["n_solutions"] == 1
    assert checks.confusion(20, row, 11, one_rounding=True).verdict == "inconsistent"
    lead = {"n": "20", "positives": "11", "one_rounding": True, "reported": {k: v.text for k, v in row.items()}}
    found = run_audit(Audit(Path("a.yaml"), Document.model_validate({"study": "s", "findings": [
        {"id": "a", "source": "s", "claim": "c", "check": "confusion", "with": lead}]}), {}, [1])).iloc[0]  # fmt: skip
    assert found["verdict"] == "inconsistent" and "rounded in different ways" in found["computed"]
    assert "in the same way throughout" in found["assumes"]


@given(st.integers(2, 30), st.integers(2, 30), st.data())
@settings(deadline=None, max_examples=60)
def test_one_way_of_rounding_never_loses_the_truth(p, m, data):
    tp, tn = data.draw(st.integers(0, p)), data.draw(st.integers(0, m))
    way = data.draw(st.sampled_from(list(ROUNDED)))
    shown = row((tp, m - tn, p - tp, tn), METRICS[:3], 3, way)
    assert checks.confusion(p + m, shown, p, one_rounding=True).verdict == "consistent"
