"""Audit files as people write them: what YAML or a habit would turn into another number is refused by name."""

import math
from inspect import signature

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from osteolib.stats.audit.audit_file import load_audit, run_audit
from osteolib.stats.audit.averages import averages_that_fit, two_folds
from osteolib.stats.audit.checks import CHECKS
from osteolib.stats.audit.printed import Printed, printed
from osteolib.stats.audit.quantities import QUANTITIES
from osteolib.stats.audit.reach import reachable_counts, reachable_proportion, smallest_nonzero_sd


def audited(tmp_path, check, arguments, values="n: '150'"):
    """The outcome of one check written as a file: verdict, sentence, numbers."""
    path = tmp_path / "a.yaml"
    path.write_text(
        f"study: S\nvalues:\n  {values}\nfindings:\n  - id: F\n    source: T\n    claim: c\n    check: {check}\n"
        f"    with: {arguments}\n",
        encoding="utf-8",
    )
    return run_audit(load_audit(path)).iloc[0]


@given(st.integers(0, 999), st.integers(1, 9), st.sampled_from(["", " %"]), st.sampled_from(["", "-", "−", "+"]))
def test_a_decimal_comma_is_never_a_comma_of_thousands(places, whole, percent, sign):
    for text in (f"{sign}0,{places:03d}{percent}", f"{sign}{whole},{places % 100:02d}{percent}"):
        with pytest.raises(ValueError, match=r"cannot read .*decimal comma: write digits with a decimal point"):
            printed(text)
    if sign or percent:
        with pytest.raises(ValueError, match="decimal comma"):
            printed(f"{sign}{whole},{places:03d}{percent}")
    else:
        assert printed(f"{whole},{places:03d}").value == 1000 * whole + places
        assert printed(f"{whole},{places:03d}.5").decimals == 1


@pytest.mark.parametrize("text", ["0,904", "00,904", "0,90", "1,3", "12,3456", "0,904 %", "-1,234", "97,200 %", ",5"])
def test_decimal_commas_of_a_file_are_named_with_their_lines(tmp_path, text):
    with pytest.raises(ValueError, match=r"a.yaml:3: values.x : cannot read .*decimal comma"):
        audited(tmp_path, "proportion", "{value: x, n: 150}", f'x: "{text}"')


@pytest.mark.parametrize(
    "number", ["0150", "0o17", "0x96", "0b11", "1_50", "1:30", "1:30.5", "+0150", "yes", "no", "on", "True", "off",
               "2024-01-05", ".inf", "-.inf", ".nan", ".NaN", "1_0.5"],
)  # fmt: skip
def test_a_word_that_yaml_takes_for_another_is_refused_or_no_number(tmp_path, number):
    with pytest.raises(ValueError, match=r"a.yaml:\d+: ") as error:
        audited(tmp_path, "proportion", f'{{value: "0.507", n: {number}}}')
    assert number in str(error.value)


def test_a_key_that_yaml_takes_for_another_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"a.yaml:3: .*'no' is read as true or false: put it in quotes"):
        audited(tmp_path, "note", "{text: x}", 'no: "150"')


def test_a_count_in_quotes_or_as_a_name_is_the_same_number(tmp_path):
    said = {audited(tmp_path, "proportion", f'{{value: "0.507", n: {n}}}')["computed"] for n in ("150", '"150"', "n")}
    assert len(said) == 1
    with pytest.raises(ValueError, match=r"-150 is not a count"):
        audited(tmp_path, "proportion", '{value: "0.507", n: -150}')


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        ('loa_low: "0.194", loa_high: "-0.214", ci_low: "-0.019", ci_high: "-0.001"', "loa_low 0.194 lies above"),
        ('loa_low: "-0.214", loa_high: "0.194", ci_low: "-0.001", ci_high: "-0.019"', "ci_low -0.001 lies above"),
    ],
)
def test_limits_from_high_to_low_are_refused(tmp_path, arguments, what):
    with pytest.raises(ValueError, match=f"{what} .*: exchange them"):
        audited(tmp_path, "bland_altman", f"{{{arguments}}}")


GOOD = {  # arguments that are right, for every quantity that takes a fraction
    "share_with_sibling": dict(units_per_subject=2, train_share=0.7), "binormal_auprc": dict(auc=0.9, prevalence=0.3),
    "brier_skill": dict(brier=0.1, prevalence=0.3), "binomial_tails": dict(successes=3, n=10, p=0.4),
    "predictive_values": dict(sensitivity=0.8, specificity=0.7, prevalence=0.3),
    "hanley_mcneil_se": dict(auc=0.8, n_pos=20, n_neg=30), "binormal_auc_se": dict(auc=0.8, n_pos=20, n_neg=30),
    "auc_max_se": dict(auc=0.8, n_pos=20, n_neg=30), "auc_difference_z": dict(auc_a=0.8, auc_b=0.7, n_pos=20, n_neg=30),
    "matrix_of_accuracy_f1": dict(accuracy=0.8, f1=0.7, n=50, positives=20),
    "chance_of_spread": dict(sd=0.01, share=0.8, n=100, runs=3),
}  # fmt: skip
SHARES = ("train_share", "auc", "auc_a", "auc_b", "prevalence", "brier", "p", "sensitivity", "specificity", "accuracy",
          "f1", "share")  # fmt: skip


def test_every_quantity_with_a_share_is_tried():
    shared = {f.__name__ for f in QUANTITIES for p, about in signature(f).parameters.items()
              if p in SHARES and "Printed" not in str(about.annotation)}  # fmt: skip
    assert shared <= set(GOOD), "write its good arguments above"


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("wrong", [70, 30.0, 1.01, -0.2, math.nan, math.inf])
def test_percent_for_a_fraction_is_refused_by_name(name, wrong):
    function = CHECKS[name]
    assert np.all(np.isfinite(function(**GOOD[name])))
    for share in set(SHARES) & set(GOOD[name]):
        with pytest.raises(ValueError, match=rf"{share} must be a fraction in \[0, 1\]"):
            function(**GOOD[name] | {share: wrong})


@given(st.integers(0, 1000), st.integers(1, 3), st.integers(1, 400), st.integers(1, 4))
def test_reachable_counts_are_those_of_the_search_over_all(digits, decimals, n, runs):
    value = printed(f"{min(digits, 10**decimals) / 10**decimals:.{decimals}f}")
    counts = np.arange(n * runs + 1)
    assert reachable_proportion(value, n, runs) == counts[value.allows(counts / (n * runs))].tolist()


@pytest.mark.parametrize("n", [1_300_000_000, 10**14])
def test_a_registry_has_an_answer_without_a_list_of_its_people(tmp_path, n):
    found = audited(tmp_path, "proportion", f'{{value: "0.123456", n: {n}}}')
    assert found["verdict"] == "consistent"
    assert len(found["details"]["counts"]) == 20 and found["details"]["n_counts"] == len(
        reachable_counts(printed("0.123456"), n)
    )
    with pytest.raises(ValueError, match="nearly everything is reachable"):
        audited(tmp_path, "mean_sd", f'{{mean: "0.8", sd: "0.1", n: {n}, runs: 3}}')
    with pytest.raises(ValueError, match=r"n must be a whole number from 1 to 1000000|too large"):
        audited(tmp_path, "confusion", f'{{n: {n}, positives: 5, accuracy: "0.9"}}')
    assert smallest_nonzero_sd(n, 3) == pytest.approx(math.sqrt(2 / 3 / 2) / n)
    with pytest.raises(ValueError, match="too large to draw"):
        audited(tmp_path, "bootstrap_interval", f"{{tp: {n}, fp: 1, fn: 1, tn: 1, metric: accuracy}}")


@pytest.mark.parametrize("runs", [2, 3, 5])
def test_chance_of_a_reachable_number_is_exact_where_it_is_not_counted(tmp_path, monkeypatch, runs):
    counted = audited(tmp_path, "proportion", f'{{value: "0.50", n: 7, runs: {runs}}}')["details"]["chance"]
    monkeypatch.setattr("osteolib.stats.audit.checks.MOST_LISTED", 0)
    assert audited(tmp_path, "proportion", f'{{value: "0.50", n: 7, runs: {runs}}}')["details"]["chance"] == counted


FOLDS = dict(accuracy="0.573", sensitivity="0.768", specificity="0.662")


def test_means_over_unequal_folds_are_asked_about_and_a_pair_of_folds_is_shown(tmp_path):
    text = ", ".join(f'{name}: "{value}"' for name, value in FOLDS.items())
    beside = audited(tmp_path, "confusion", f"{{n: 257, positives: 126, {text}}}")
    within = audited(tmp_path, "confusion", f"{{n: 257, positives: 126, reported: {{{text}}}}}")
    assert beside["computed"] == within["computed"] and beside["verdict"] == "inconsistent"
    assert "How were the values averaged" in beside["computed"]
    assert "It would fit as a mean over folds of unequal size, such as" in beside["computed"]
    assert "runs" not in " ".join(beside["details"]["fits_if"])  # accuracy lies below both, which no run allows


def test_the_folds_that_are_shown_print_so(tmp_path):
    reported = {name: printed(value) for name, value in FOLDS.items()}
    (p, m), (q, k) = two_folds(257, 126, reported, ["half-up"])
    assert (p + q, m + k) == (126, 131)
    tp, tn = np.meshgrid(np.arange(p + 1), np.arange(m + 1), indexing="ij")
    for tp_2 in range(q + 1):  # sensitivity fixes the true positives of the other fold, specificity its true negatives
        sens = (tp / p + tp_2 / q) / 2
        fits = reported["sensitivity"].allows(sens, ["half-up"])
        if not fits.any():
            continue
        for tn_2 in range(k + 1):
            spec = (tn / m + tn_2 / k) / 2
            acc = ((tp + tn) / (p + m) + (tp_2 + tn_2) / (q + k)) / 2
            if (fits & reported["specificity"].allows(spec, ["half-up"])
                    & reported["accuracy"].allows(acc, ["half-up"])).any():  # fmt: skip
                return
    raise AssertionError("no counts in these folds have the means")


def test_runs_are_named_where_they_fit():
    mean = {"accuracy": printed("0.825")}  # 16.5 of 20: a mean over two runs
    assert averages_that_fit(20, 10, mean, ["half-up"])[0] == "a mean over 2 runs on one test set"


def test_where_no_average_fits_none_is_named():
    cannot = {name: printed(text) for name, text in
              {"accuracy": "0.95", "sensitivity": "0.10", "specificity": "0.20"}.items()}  # fmt: skip
    assert averages_that_fit(100, 50, cannot, ["half-up"]) == []


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("study: S\nfindngs: []\nfindings: [{id: F, source: T, claim: c, check: note}]",
         "findngs is not known here; did you mean 'findings'"),
        ("study: S\nfindings:\n  - {id: F, source: T, claim: c, chek: note, check: note}",
         "chek is not known here; did you mean 'check'"),
        ("study: S\nfindings:\n  - {id: F, source: T, claim: c, check: proportion, value: '0.5', n: 4}",
         "findings.0.value is not known here: write it under 'with'"),
        ("study: S\nfindings:\n  - {id: F, source: T, claim: c, check: note, values: {}}",
         "findings.0.values is not known here: it belongs to the whole file"),
        ("study: S\nfindings: {id: F}", "findings must be a list: begin each entry with '- '"),
        ("study: S\nvalues: [a]\nfindings: [{id: F, source: T, claim: c, check: note}]", "values must be a mapping"),
        ("study: S\nfindings:\n  - F", "findings.0 must be a mapping"),
        ("study: S\nfindings:\n\t- id: F", "a.yaml:3: .*the line has a tab, indent with spaces"),
        ("study: S\nstudy: T\nfindings: []", "a.yaml:2: .*'study' stands twice"),
        ("study: S\nvalues: {n: '1', 'n': '2'}\nfindings: []", "'n' stands twice"),
        ("study: S\nfindings:\n  - {id: F, source: T, claim: c, check: confusion, with: {n: 9, acuracy: '0.5'}}",
         "acuracy is not known here; did you mean 'accuracy'"),
        ("study: S\nfindings:\n  - {id: F, source: T, claim: c, check: mean_sd, with: {mean: '0.5', sdd: '0.1', n: 9}}",
         "sdd is not known here; did you mean 'sd'"),
    ],
)  # fmt: skip
def test_what_stands_at_the_wrong_place_or_is_misspelt_says_where_it_belongs(tmp_path, text, what):
    (tmp_path / "a.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=what):
        run_audit(load_audit(tmp_path / "a.yaml"))


@pytest.mark.parametrize(
    ("check", "arguments", "what"),
    [
        ("welch_test", "{mean_a: 1, sd_a: 0, n_a: 5, mean_b: 2, sd_b: 0, n_b: 5}", "both SDs are 0"),
        ("welch_test", '{mean_a: 1, sd_a: "1", n_a: 1, mean_b: 2, sd_b: "1", n_b: 5}', "n_a must be at least 2"),
        ("binomial_tails", '{successes: 11, n: 10, p: "0.5"}', "successes must lie between 0 and 10"),
        ("auc_max_se", '{auc: "0.8", n_pos: 0, n_neg: 3}', "n_pos must be at least 1"),
        ("brier_skill", '{brier: "0.1", prevalence: 1}', "no skill to gain"),
        ("yardstick_of_classes", '{n: [3, -2], mean: [1, 2], sd: ["0.1", "0.1"]}', "each class has n >= 1"),
        ("yardstick_of_classes", '{n: [3], mean: [1, 2], sd: ["0.1", "0.1"]}', "lists of finite numbers"),
        ("normal_auroc", '{positive: [[3, 1, 0]], negative: [[3, 1, "0.1"]]}', "an SD must be above 0"),
        ("thresholded_measurement", '{mean: 0, sd: 0, error_sd: "0.1", threshold: 1}', "sd must be above 0"),
        ("split_leakage", "{subjects: {1: -5, 2: 20}, n_train: 10, n_test: 5}", "must be at least 0"),
        ("auc_difference_z", '{auc_a: "0.8", auc_b: "0.7", n_pos: 9, n_neg: 9, correlation: 50}', "correlation must"),
    ],
)
def test_counts_and_spreads_that_cannot_be_are_refused_by_name(tmp_path, check, arguments, what):
    with pytest.raises(ValueError, match=what):
        audited(tmp_path, check, arguments)


def test_printed_numbers_are_still_what_they_were():
    assert isinstance(printed("1,301"), Printed)
    assert [float(printed(t).value) for t in ("1,301", "12,345,678", "0.904", "97.2 %", "−0.5", ".5")] == [
        1301, 12_345_678, 0.904, 0.972, -0.5, 0.5,
    ]  # fmt: skip
