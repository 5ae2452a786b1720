import numpy as np
import pandas as pd
import pytest

from osteolib.report import dxa_agreement_page as page
from osteolib.report.comparison import compare_scores
from osteolib.report.hip_paper import published_hip
from osteolib.report.knee_results import compare_agreement
from osteolib.stats.t_score_calibration import proportional_bias

USES = "dxa-korea969"
PAPER = published_hip()


def sites_of(noise: float, tilt: float = 1.0, n: int = 300, seed: int = 0):
    """Neck and total hip of people, the neck ``tilt`` times the total hip but for noise."""
    rng = np.random.default_rng(seed)
    total = rng.normal(-1, 1.2, n)
    neck = -0.5 + tilt * total + noise * rng.normal(size=n)
    line = np.polyval(np.polyfit(total, neck, 1), total)
    compared = compare_agreement(neck, {page.RAW: total, page.LINE: line}, np.arange(n), n_boot=100)
    return compared, proportional_bias(neck, total, n_boot=100)


def test_the_sd_of_the_papers_differences_is_that_of_its_limits():
    assert PAPER["ba.sd"] == pytest.approx((0.194 + 0.214) / 3.92, abs=1e-4)
    assert PAPER["tscore.sd"] == 1.1


def test_errors_of_scans_are_told_in_t_scores_with_a_source_each():
    """By hand: at T = -2.6 the neck has 0.546 g/cm2 and the total hip 0.6248."""
    scans = page.scan_errors(-2.6)
    neck = scans[scans.site == "femoral neck"]
    np.testing.assert_allclose(neck.error, neck.cv_pct / 100 * 0.546 / 0.120)
    total = scans[scans.site == "total hip"]
    np.testing.assert_allclose(total.error, total.cv_pct / 100 * 0.6248 / 0.122)
    assert scans.source.str.contains(r"\d{4}|no year").all()
    limit = scans[scans.who.str.startswith("the least precise")].set_index("site").cv_pct
    assert limit.to_dict() == {"total hip": 1.8, "femoral neck": 2.5}  # LSC 5.0 % and 6.9 %: 2.77 times as much


def test_a_second_scan_agrees_less_than_a_perfect_reader():
    scans = page.against_a_scan(page.scan_errors(-2.6), 1.1)
    np.testing.assert_allclose(scans.limit_second, np.sqrt(2) * scans.limit_perfect)
    np.testing.assert_allclose(scans.r_second, scans.r_perfect**2)
    assert (scans.r_second < scans.r_perfect).all()


@pytest.mark.parametrize(("half", "narrower", "beyond"), [(0.01, 2, 2), (5.0, 0, 0)])
def test_the_sentence_counts_what_the_printed_agreement_surpasses(run, half, narrower, beyond):
    scans = pd.DataFrame(
        {"who": ["a", "b"], "source": "2000", "site": "femoral neck", "cv_pct": 2.0, "error": [0.1, 0.2]}
    )
    paper = PAPER | {"ba.sd": half / 1.96, "r": 0.9999 if beyond else 0.5}
    page.show_scans(run, page.against_a_scan(scans, 1.1), paper)
    assert (run.facts["narrower"], run.facts["beyond"]) == (narrower, beyond)


@pytest.mark.parametrize(("tilts", "same"), [((0.7, 0.7), "one direction in both"), ((0.7, 1.4), "no direction that")])
def test_the_slopes_of_two_cohorts_are_called_alike_only_where_they_are(run, tilts, same):
    run.uses("nhanes-dxa", "real", "abc")
    sites, slopes = {}, {}
    for cohort, tilt in zip(("nhanes-dxa", "dxa-korea969"), tilts, strict=True):
        sites[cohort], slopes[cohort] = sites_of(0.1, tilt)
    page.show_sites(run, sites, slopes, dict.fromkeys(sites, 0.75))
    assert run.facts["same"].startswith(same)
    assert run.facts["line_nhanes"] < run.facts["raw_nhanes"]  # a line takes the slope away
    assert run.facts["lower_dxa"] == 0.75
    rows = [row for row in run.rows if row["metric"].startswith("slope")]
    assert [row["cohort"] for row in rows] == list(sites)


def without_film(n: int = 400):
    rng = np.random.default_rng(1)
    t = rng.normal(-1.5, 1.4, n)
    said = {page.FEW: t + rng.normal(0, 1, n), page.SPINE: t + rng.normal(0, 0.5, n)}
    agreement = compare_agreement(t, said, np.arange(n), n_boot=100)
    return t, said, agreement, compare_scores(t <= -2.5, {k: -v for k, v in said.items()}, n_boot=100)


def test_what_is_known_without_a_film_is_recorded_and_told(run):
    t, said, agreement, screening = without_film()
    page.show_without_film(run, agreement, screening, USES)
    assert run.facts["few_r"] == pytest.approx(np.corrcoef(t, said[page.FEW])[0, 1])
    assert run.facts["few_half"] == pytest.approx(1.96 * np.std(said[page.FEW] - t, ddof=1), rel=1e-3)
    assert run.facts["few_auc"] > 0.5  # a low prediction means osteoporosis
    assert any(row["metric"].startswith("auroc, T-score of -2.5 or less") for row in run.rows)


def test_the_scale_runs_from_the_widest_limits_to_the_narrowest(run):
    scans = page.against_a_scan(page.scan_errors(-2.6), 1.1)
    sites = {"nhanes-dxa": sites_of(0.5)[0], USES: sites_of(0.6)[0]}
    scale = page.scale_of(scans, sites, without_film()[2], PAPER)
    assert scale.half.is_monotonic_decreasing and len(scale) == 1 + 2 + len(scans) + 1
    printed = scale[scale.kind == "film against DXA, printed"].iloc[0]
    assert (printed.r, round(printed.half, 3)) == (0.996, 0.204)
    page.show_scale(run, scale)
    assert run.facts["second_necks"] == 3 and run.facts["below_necks"] == 0  # as counted in the table by eye
    assert run.facts["second_totals"] == 4 and run.facts["below_totals"] == 3
    assert run.facts["times"] == pytest.approx(
        sites["nhanes-dxa"].estimate(page.LINE, "upper limit")[0] / 0.204, rel=0.01
    )
