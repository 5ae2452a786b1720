import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from osteolib.stats.any_positive import any_positive, positives_of, rates_of_any

SHARE = st.floats(0, 1)


def test_a_subject_is_positive_if_any_unit_is():
    found = any_positive(["b", "a", "b", "c", "c"], [0, 0, 1, 0, 0])
    pd.testing.assert_series_equal(found, pd.Series([True, False, False], index=["b", "a", "c"]))


@pytest.mark.parametrize(
    ("subject", "positive", "message"),
    [(["a"], [0, 1], "2 units, but 1 subject"), (["a", "a"], [0, np.nan], "positive holds 1 values")],
)
def test_units_without_a_call_or_a_subject(subject, positive, message):
    with pytest.raises(ValueError, match=message):
        any_positive(subject, positive)


@settings(max_examples=50, deadline=None)
@given(sensitivity=SHARE, specificity=SHARE)
def test_one_unit_a_patient_changes_nothing(sensitivity, specificity):
    rates = rates_of_any(sensitivity, specificity, [0.7, 0.3])
    expected = (sensitivity, specificity, 0.3, 0.3 * sensitivity + 0.7 * (1 - specificity))
    np.testing.assert_allclose(rates, expected, atol=1e-12)


def test_by_hand():
    """Two units, one of them positive in 40 of 100: found unless it is missed and the other is rightly passed."""
    rates = rates_of_any(0.8, 0.9, [0.6, 0.4, 0.0])
    assert rates.sensitivity == pytest.approx(1 - 0.2 * 0.9) and rates.specificity == pytest.approx(0.81)
    assert rates.prevalence == 0.4 and rates.called == pytest.approx(0.4 * 0.82 + 0.6 * 0.19)
    four = rates_of_any(0.8, 0.9, positives_of(4, 0.2, alike=1))
    assert four.specificity == pytest.approx(0.9**4) and four.sensitivity == pytest.approx(1 - 0.2**4)


@pytest.mark.parametrize("alike", [0, 0.6, 1])
@pytest.mark.parametrize("n", [1, 3, 5])
def test_a_simulation_gives_the_same(n, alike):
    """Vertebrae of 200,000 patients, errors apart from each other; the rule itself is what the study does."""
    rng = np.random.default_rng(n)
    patients, prevalence = 200_000, 0.3
    if alike in (0, 1):
        share = np.full(patients, prevalence) if alike == 0 else (rng.random(patients) < prevalence).astype(float)
    else:
        share = rng.beta(prevalence * (1 / alike - 1), (1 - prevalence) * (1 / alike - 1), patients)
    truth = rng.random((patients, n)) < share[:, None]
    called = np.where(truth, rng.random(truth.shape) < 0.75, rng.random(truth.shape) > 0.92)
    who = np.repeat(np.arange(patients), n)
    ill, found = any_positive(who, truth.ravel()), any_positive(who, called.ravel())
    expected = found[ill].mean(), 1 - found[~ill].mean(), ill.mean(), found.mean()
    np.testing.assert_allclose(rates_of_any(0.75, 0.92, positives_of(n, prevalence, alike)), expected, atol=0.006)


def test_more_vertebrae_raise_sensitivity_and_prevalence_and_lower_specificity():
    table = [rates_of_any(0.8, 0.93, positives_of(n, 0.2, 0.7)) for n in range(1, 7)]
    sensitivity, specificity, prevalence, called = map(np.array, zip(*table, strict=True))
    assert (np.diff(sensitivity) > 0).all() and (np.diff(prevalence) > 0).all() and (np.diff(called) > 0).all()
    assert (np.diff(specificity) < 0).all()


@settings(max_examples=50, deadline=None)
@given(n=st.integers(1, 12), prevalence=st.floats(0.02, 0.98), alike=st.sampled_from([0, 0.001, 0.3, 0.9, 1]))
def test_the_units_have_the_prevalence_and_correlation_asked_for(n, prevalence, alike):
    p, k = positives_of(n, prevalence, alike), np.arange(n + 1)
    assert p.sum() == pytest.approx(1) and p @ k == pytest.approx(n * prevalence)
    spread = n * prevalence * (1 - prevalence) * (1 + (n - 1) * alike)
    assert p @ (k - n * prevalence) ** 2 == pytest.approx(spread, rel=1e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((1.2, 0.9, [0.5, 0.5]), "between 0 and 1: 1.2"),
        ((0.8, 0.9, [0.5, 0.4]), "sum to 1"),
        ((0.8, 0.9, [1.0]), "sum to 1"),
    ],
)
def test_what_is_no_probability_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        rates_of_any(*arguments)
    with pytest.raises(ValueError, match="prevalence between 0 and 1"):
        positives_of(3, 0.0)


def test_without_ill_or_without_well_patients_the_rate_is_missing():
    assert np.isnan(rates_of_any(0.8, 0.9, [1.0, 0.0]).sensitivity)
    assert np.isnan(rates_of_any(0.8, 0.9, [0.0, 1.0]).specificity)


@pytest.mark.parametrize("errors_alike", [0.3, 0.9, 1.0])
def test_a_simulation_of_readings_that_share_what_the_patient_adds_gives_the_same(errors_alike):
    rng = np.random.default_rng(5)
    patients, n, prevalence, alike = 200_000, 4, 0.3, 0.6
    share = rng.beta(prevalence * (1 / alike - 1), (1 - prevalence) * (1 / alike - 1), patients)
    truth = rng.random((patients, n)) < share[:, None]
    reading = np.sqrt(errors_alike) * rng.normal(size=(patients, 1))
    reading = reading + np.sqrt(1 - errors_alike) * rng.normal(size=(patients, n))
    called = reading > np.where(truth, norm.ppf(1 - 0.75), norm.ppf(0.92))
    ill, found = truth.any(axis=1), called.any(axis=1)
    expected = found[ill].mean(), 1 - found[~ill].mean(), ill.mean(), found.mean()
    rates = rates_of_any(0.75, 0.92, positives_of(n, prevalence, alike), errors_alike)
    np.testing.assert_allclose(rates, expected, atol=0.006)


def test_errors_alike_lie_between_errors_apart_and_a_person_who_decides():
    k = positives_of(6, 0.2, 0.5)
    table = np.array([rates_of_any(0.8, 0.9, k, r) for r in (0, 0.001, 0.2, 0.5, 0.9, 0.999, 1)])
    assert (np.diff(table[:, 1]) > 0).all() and (np.diff(table[:, 0]) < 0).all()
    assert np.abs(table[0] - table[1]).max() < 0.002 and np.abs(table[-1] - table[-2]).max() < 0.02
    assert table[-1, 1] == pytest.approx(0.9) and table[-1, 0] == pytest.approx(0.8)


@settings(max_examples=30, deadline=None)
@given(sensitivity=SHARE, specificity=SHARE, errors_alike=SHARE)
def test_one_unit_a_patient_cannot_be_alike(sensitivity, specificity, errors_alike):
    rates = rates_of_any(sensitivity, specificity, [0.7, 0.3], errors_alike)
    np.testing.assert_allclose(
        rates[:2], (sensitivity, specificity), atol=2.1e-3
    )  # half a step of U, where alike is near 1


def test_a_likeness_beyond_its_range_is_named():
    with pytest.raises(ValueError, match=r"errors_alike must lie between 0 and 1, got 1\.5"):
        rates_of_any(0.8, 0.9, [0.5, 0.5], 1.5)
