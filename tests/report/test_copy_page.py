import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, norm

from osteolib.report import copy_page
from osteolib.report.published import load_published
from osteolib.stats.copies import Likeness, binormal
from osteolib.stats.copy_coverage import DRAWS, UNRELATED, Setting

LIKENESS = Likeness(1.0, 0.9, 0.5)


@pytest.fixture(scope="module")
def paper():
    table = load_published("strnet2026_knee").set_index("published_id")
    table.index = table.index.str.removeprefix("strnet2026_knee.")
    return table


@pytest.fixture(scope="module")
def files():
    """120 films of four files: two pictures, each twice; every fifth film has one file under another label."""
    film, picture = np.arange(480) // 4, np.arange(480) // 2
    label = np.array(["normal", "osteopenia", "osteoporosis"], object)[film % 3]
    label[(film % 5 == 0) & (np.arange(480) % 4 == 0)] = "osteoporosis"
    groups = {"bytes_group": picture, "picture_group": picture, "source_group": film}
    return pd.DataFrame({"label": label} | {name: codes.astype(str) for name, codes in groups.items()})


@pytest.fixture(scope="module")
def found(files, paper):
    settings = copy_page.printed_settings(paper, 0.77)
    return copy_page.study_all(files, settings, LIKENESS, 30, np.random.default_rng(0))


def test_settings_are_the_paper_s_and_take_its_values_as_the_truth(paper):
    screening, weaker, severity, whole = copy_page.printed_settings(paper, 0.77)
    assert screening.sizes == weaker.sizes == {"normal": 88, "osteopenia": 65, "osteoporosis": 71}
    assert severity.sizes == {"osteopenia": 62, "osteoporosis": 74} and severity.cases == ("osteoporosis",)
    assert whole.sizes is None and whole.model == screening.model
    printed = {"auroc": 0.933, "sensitivity": 0.904, "specificity": 0.773}
    assert screening.model.truth == pytest.approx(printed)
    assert severity.model.truth == pytest.approx({"auroc": 0.898, "sensitivity": 0.862, "specificity": 0.765})
    assert weaker.model.truth["auroc"] == pytest.approx(0.77) and weaker.model.sd == 1


def test_calls_are_less_alike_than_the_scores_behind_them():
    rng = np.random.default_rng(0)
    a = rng.normal(size=200_000)
    b = 0.9 * a + np.sqrt(1 - 0.81) * rng.normal(size=a.size)
    calls = np.corrcoef(a < norm.ppf(0.904), b < norm.ppf(0.904))[0, 1]
    assert copy_page.call_correlation(0.904, np.array([0.9, 1.0, 0.0])) == pytest.approx([calls, 1, 0], abs=0.01)
    assert calls < 0.9


def test_labels_crossed_are_counted_by_hand(files):
    """Films 0, 15, 30 ... are normal with a file under osteoporosis; other crossed films are bone loss throughout."""
    assert copy_page.labels_crossed(files) == {"crossed_bytes": 8, "crossed_films": 8}


def test_numbers_of_the_prose_are_those_of_the_table(found):
    short = copy_page.copies_in_short(found)
    at = found.set_index(["setting", "draw", "metric"]).sort_index()
    assert short["all_auroc_files"] == at.loc[("whole set", "files", "auroc"), "covers"]
    assert short["test_specificity_none"] == at.loc[("screening", UNRELATED, "specificity"), "covers"]
    ratio = (
        at.loc[("whole set", "films", "sensitivity"), "width"] / at.loc[("whole set", "files", "sensitivity"), "width"]
    )
    assert short["all_sensitivity_ratio"] == ratio
    assert short["all_sensitivity_ratio"] == pytest.approx(short["all_sensitivity_root"], rel=0.1)
    assert len(short) == 2 * 3 * 6 and all(isinstance(value, float) for value in short.values())


def test_the_whole_set_gets_fewer_studies(found):
    studies = found.groupby("setting")["studies"].first()
    assert studies["screening"] == 30 and studies["whole set"] == 20
    assert len(found) == 4 * 3 * (len(DRAWS) + 1)


def test_effective_numbers_are_files_over_the_design_effect(found):
    table = copy_page.effective_numbers(found)
    assert len(table) == 12 and table["metric"].tolist()[:3] == ["AUROC", "sensitivity", "specificity"]
    assert table["effective number"].to_numpy() == pytest.approx(table["files"] / table["design effect"], rel=0.03)
    first = table["design effect, simulated"].iloc[0]
    value, low, high = (float(part) for part in first.replace("(", "").replace(")", "").replace("to", "").split())
    assert low < value < high


def test_printed_widths_stand_beside_the_formula_s(found, paper):
    table = copy_page.beside_print(found, paper)
    assert table["printed"].to_dict() == pytest.approx({"AUROC": 0.108, "sensitivity": 0.158, "specificity": 0.212})
    assert table.loc["sensitivity", "unrelated"] == pytest.approx(3.92 * np.sqrt(0.862 * 0.138 / 74), rel=1e-4)
    assert (table["copies"] > table["unrelated"]).all() and list(DRAWS) == list(table.columns[-4:])
    sentence = copy_page.printed_sentence(table)
    assert "for 3 of 3 metrics" in copy_page.printed_sentence(table.assign(printed=table["unrelated"]))
    assert "for 0 of 3 metrics" in copy_page.printed_sentence(table.assign(printed=table["copies"]))
    assert f"{table.loc['AUROC', 'copies'] / table.loc['AUROC', 'unrelated'] - 1:+.0%} (AUROC)" in sentence


def test_the_words_follow_the_coverage(found):
    fine = found.assign(covers=0.95)
    assert "drawing files, nothing; drawing films, nothing." in copy_page.coverage_sentence(fine)
    bad = fine.assign(covers=fine["covers"].where(fine["draw"] != "files", 0.7))
    words = copy_page.coverage_sentence(bad)
    assert "drawing files, AUROC, sensitivity and specificity; drawing films, nothing." in words
    told = [k for k in range(31) if binom.cdf(k, 30, 0.95) < 0.01]  # of the 30 studies of a test set
    assert f"or {max(told) / 30:.0%} (test set) is told from 95 %." in words
    table = copy_page.coverage_table(found)
    assert table["draw"].tolist()[:5] == [*DRAWS, UNRELATED]
    assert table.columns.tolist() == ["setting", "draw", "AUROC", "sensitivity", "specificity"]


def test_figures_show_what_the_tables_say(found, files, paper):
    axes = copy_page.coverage_of_draws(found).axes
    whole = next(line for line in axes[0].lines if line.get_label() == "whole set")
    rows = found[(found["setting"] == "whole set") & (found["metric"] == "auroc")].set_index("draw")["covers"]
    assert whole.get_xdata().tolist() == rows.loc[[UNRELATED, *DRAWS[::-1]]].tolist()
    model = binormal(0.9, 0.8)
    settings = [Setting("whole set", ("osteopenia", "osteoporosis"), model)]
    line = copy_page.ratio_by_likeness(files, settings, LIKENESS, found).axes[0].lines[0]
    assert (np.diff(line.get_ydata()) > 0).all() and line.get_xdata()[-1] == 1
    assert line.get_ydata()[-1] == pytest.approx(2, abs=0.15)  # four files of one film, all alike: the root of four
