import numpy as np
import pytest
from scipy import stats

from osteolib.stats.audit.implied import yardstick_of_classes
from osteolib.stats.audit.normal_models import curve_through_point, graded_leads, r_of_cells, share_of_sides


def test_the_area_under_the_curve_through_a_point_is_the_binormal_one():
    sensitivity, specificity = 0.9, 0.7
    fpr = np.linspace(0, 1, 20_001)
    curve = curve_through_point(fpr, sensitivity, specificity)
    assert curve_through_point(1 - specificity, sensitivity, specificity) == pytest.approx(sensitivity)
    distance = stats.norm.ppf(sensitivity) + stats.norm.ppf(specificity)
    assert np.trapezoid(curve, fpr) == pytest.approx(stats.norm.cdf(distance / np.sqrt(2)), abs=1e-4)


def test_graded_scores_lead_the_area_of_their_calls_by_what_the_integral_says():
    """Mean lead over the SDs: AUC = P(ill > well) of two normals, less the mean of sensitivity and specificity."""
    sensitivity, specificity = 0.85, 0.8
    sigma = np.exp(np.linspace(-np.log(3), np.log(3), 20_001))
    mean = stats.norm.ppf(specificity) + sigma * stats.norm.ppf(sensitivity)
    expected = stats.norm.cdf(mean / np.sqrt(1 + sigma**2)).mean() - (sensitivity + specificity) / 2
    leads = graded_leads(sensitivity, specificity, 60, 80, 4000, np.random.default_rng(0))
    assert leads.mean() == pytest.approx(expected, abs=4 * leads.std() / np.sqrt(4000))


def test_two_cells_at_the_mean_correlate_at_root_two_over_pi_and_many_cells_at_one():
    assert r_of_cells([0], 0, 1) == pytest.approx(np.sqrt(2 / np.pi))
    assert r_of_cells(np.linspace(-4, 4, 400), 0, 1) == pytest.approx(1, abs=1e-3)
    assert r_of_cells([-2.5], -2.6, 1.1) == pytest.approx(r_of_cells([0.1 / 1.1], 0, 1))
    below, above = -np.sqrt(2 / np.pi), np.sqrt(2 / np.pi)  # the same by means and SDs of the two halves
    half = np.sqrt(1 - 2 / np.pi)
    classes = yardstick_of_classes([1e6, 1e6], [below, above], [half, half])
    assert classes[1] == pytest.approx(np.sqrt(2 / np.pi), abs=1e-5)


@pytest.mark.parametrize("people", [0.2, 0.6])
def test_sides_are_ill_as_often_as_people_if_alike_and_less_often_if_not(people):
    assert share_of_sides(people, 0.999999) == pytest.approx(people, abs=2e-3)
    assert share_of_sides(people, 0.0) == pytest.approx(1 - np.sqrt(1 - people), abs=1e-6)
    assert share_of_sides(people, 0.5) < share_of_sides(people, 0.8) < people
