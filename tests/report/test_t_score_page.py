import numpy as np
import pandas as pd

from osteolib.report import t_score_page as page
from osteolib.report.knee_results import compare_agreement
from osteolib.report.published import load_published

FISHER = {"internal test": (0.8, 0.6, 0.9), "external": (0.5, 0.3, 0.7)}


def printed() -> pd.DataFrame:
    paper = load_published("strnet2026_knee").set_index("published_id")
    return paper.set_axis(paper.index.str.removeprefix("strnet2026_knee."))


def test_the_sentence_names_the_yardstick_that_is_nearer(run):
    """Printed is 0.347: 0.30 is nearer than 0.70, and 0.36 nearer than 0.10."""
    page.show_yardsticks(run, printed(), 0.30, 0.70, FISHER)
    assert run.facts["nearer"] == "naming the true class"
    assert run.facts["class_r"] == np.sqrt(1 - 0.30**2 / 0.70**2)
    page.show_yardsticks(run, printed(), 0.10, 0.36, FISHER)
    assert run.facts["nearer"] == "naming one number"


def test_published_intervals_that_hold_the_r_of_age_are_named(run):
    rng = np.random.default_rng(0)
    true = rng.normal(size=400)
    predictions = {"age": 0.65 * true + np.sqrt(1 - 0.65**2) * rng.normal(size=400), "head": rng.normal(size=400)}
    ours = compare_agreement(true, predictions, np.arange(400), n_boot=100)
    page.show_correlations(run, ours, FISHER, "age")
    assert run.facts["held"] == "internal test, external"
    page.show_correlations(run, ours, FISHER, "head")
    assert run.facts["held"] == "none"
