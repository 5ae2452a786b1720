import numpy as np
import pytest

from osteolib.report import interval_checks, interval_plots
from osteolib.report.published import load_published
from osteolib.stats import bootstrap_ci

COUNTS = [9, 3, 6, 24]  # the external matrix of the knee paper
NAMES = interval_checks.FOUR


@pytest.fixture(scope="module")
def paper():
    table = load_published("strnet2026_knee").set_index("published_id")
    table.index = table.index.str.removeprefix("strnet2026_knee.")
    return table


def test_counts_become_people_and_shares():
    y, called = interval_checks.people_of(COUNTS)
    assert (y.size, y.sum(), called.sum(), (y & called).sum()) == (42, 30, 27, 24)
    assert interval_checks.shares_of(COUNTS) == {
        "sensitivity": (24, 30), "specificity": (9, 12), "ppv": (24, 27), "npv": (9, 15),
    }  # fmt: skip


def test_the_printed_matrices_and_the_one_nearest_to_table_5(paper):
    assert interval_checks.printed_counts(paper, "F10").tolist() == COUNTS
    counts = interval_checks.nearest_counts(paper)
    tn, fp, fn, tp = counts
    assert (tp + fn, tn + fp) == (74, 62)
    assert tp / 74 == pytest.approx(paper.loc["T5.sens", "value"], abs=0.5 / 74)
    assert tn / 62 == pytest.approx(paper.loc["T5.spec", "value"], abs=0.5 / 62)


def test_a_bootstrap_is_lopsided_by_the_distance_of_its_middle(paper):
    y, called = interval_checks.people_of(COUNTS)
    boot = bootstrap_ci(y, called, "sensitivity", 0.5, n_boot=200)
    found = interval_checks.symmetry(paper, boot)
    assert found["lopsided"] == pytest.approx(abs(np.mean(boot.ci["sensitivity"]) - 0.8))
    assert found["n_t5"] >= 4 and 0 <= found["off"] < 0.01


def test_a_printed_interval_passes_only_where_a_seed_gives_it(paper):
    printed = interval_checks.printed_shares(paper, "ext")
    found = interval_checks.against_seeds(printed, COUNTS, n_seeds=20).set_index("metric")
    assert found["method check"].eq("passed").all() and found.loc["sensitivity", "ours"] == "0.800"
    moved = printed.copy()
    for metric, column, wrong in (
        ("sensitivity", "ci_low", 0.5), ("specificity", "ci_high", 0.99), ("ppv", "value", 0.81)
    ):  # fmt: skip
        moved.loc[metric, column] = wrong
    again = interval_checks.against_seeds(moved, COUNTS, n_seeds=20).set_index("metric")["method check"]
    assert again.to_dict() == {"sensitivity": "failed", "specificity": "failed", "ppv": "failed", "npv": "passed"}


def test_formulas_stand_beside_the_bootstrap_with_their_widths(paper):
    y, called = interval_checks.people_of(COUNTS)
    boot = bootstrap_ci(y, called, list(NAMES), 0.5, n_boot=200)
    row = (
        interval_checks.against_formulas(interval_checks.printed_shares(paper, "ext"), COUNTS, boot)
        .set_index("metric")
        .loc["sensitivity"]
    )
    half = 1.96 * np.sqrt(0.8 * 0.2 / 30)
    assert row["normal approximation"] == f"{0.8 - half:.3f} to {0.8 + half:.3f}  ({2 * half:.3f})"
    low, high = boot.ci["sensitivity"]
    assert row["bootstrap"] == f"{low:.3f} to {high:.3f}  ({high - low:.3f})"
    assert row["nearest"] == 0.8


def test_coverage_is_asked_at_the_paper_s_sizes_and_drawn_where_it_belongs(paper):
    found = interval_checks.coverage_at_printed_sizes(paper, 0.7, 100, np.random.default_rng(0))
    assert found.columns.tolist() == ["external, 30 + 12", "internal, 136 + 88", "severity, 74 + 62"]
    bca = found.index.get_level_values("interval").str.endswith("BCa")
    assert len(found) == 2 * (7 + 7) and found.min(axis=None) > 0.5 and not found[~bca].isna().any(axis=None)
    tried = found.notna().groupby("interval").all()  # 12 normals; 6, 44 and 31 people of the rarer class
    assert tried.loc["bootstrap, stratified, BCa"].tolist() == [True, False, False]
    assert tried.loc["bootstrap of people, BCa"].all()
    short = interval_checks.coverage_in_short(found, 100)
    assert short["pair_auroc_people"] == found.loc[("auroc", True, "bootstrap of people"), "internal, 136 + 88"]
    assert short["small_sensitivity_wilson"] == found.loc[("sensitivity", False, "Wilson"), "external, 30 + 12"]
    assert len(short) == 16 and short["noise"] == pytest.approx(0.0427, abs=1e-4)
    panels = interval_plots.coverage_panels(found, 100).axes
    drawn = panels[3].lines[0]  # AUROC, correlated knees
    names = [name for name in interval_plots.ORDER if name in found.loc[("auroc", True)].index]
    assert drawn.get_xdata().tolist() == found.loc[("auroc", True)].loc[names, "external, 30 + 12"].tolist()


def test_a_printed_width_is_given_to_the_kind_of_interval_that_made_it(paper):
    """Two shares printed with the normal approximation of the same counts, two with the bootstrap itself."""
    printed = interval_checks.printed_shares(paper, "ext").copy()
    boot = bootstrap_ci(*interval_checks.people_of(COUNTS), [*NAMES], 0.5, n_boot=500)
    for metric in ("sensitivity", "ppv"):
        k, n = interval_checks.shares_of(COUNTS)[metric]
        half = 1.959964 * np.sqrt(k / n * (1 - k / n) / n)
        printed.loc[metric, ["ci_low", "ci_high"]] = k / n - half, k / n + half
    for metric in ("specificity", "npv"):
        printed.loc[metric, ["ci_low", "ci_high"]] = boot.ci[metric]
    found = interval_checks.widths(printed, COUNTS, boot)
    assert found["nearer"] == "sensitivity, ppv"
    width = {metric: high - low for metric, (low, high) in boot.ci.items()}
    shares = interval_checks.shares_of(COUNTS).items()
    halves = {metric: (k / n, 1.959964 * np.sqrt(k * (n - k) / n**3)) for metric, (k, n) in shares}
    normal = {metric: min(p + half, 1) - (p - half) for metric, (p, half) in halves.items()}  # cut at 1
    gap = {metric: abs(normal[metric] - width[metric]) for metric in normal}
    assert found["little"] == pytest.approx(max(gap["sensitivity"], gap["specificity"]), abs=1e-6)
    assert found["much"] == pytest.approx(min(gap["ppv"], gap["npv"]), abs=1e-6)
