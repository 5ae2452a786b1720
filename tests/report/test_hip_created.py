from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from osteolib.report import hip_created_page as page
from osteolib.report.hip_created import INFORMED, KNOWS, PEOPLE, agreement_of, built_in_curves, ladder, ladder_table
from osteolib.report.hip_paper import published_hip
from osteolib.screen.hip_created import BOTH, CELL, CLASS, HELPS, HONEST, OUTLIERS
from osteolib.screen.hip_leaks import COPIES, SIBLINGS
from osteolib.stats import bootstrap_statistic
from osteolib.stats.built_in import r_when_routed

RNG = np.random.default_rng(0)
T = RNG.normal(-2.6, 1.1, 120)
PERSON = np.repeat(np.arange(60), 2)
ERRORS = dict(zip(HELPS, (0.8, 0.4, 0.6, 0.3, 0.1), strict=True))
PREDICTED = pd.DataFrame({name: T + RNG.normal(0, sd, 120) for name, sd in ERRORS.items()})
PREDICTED.loc[::3, [OUTLIERS, BOTH]] = np.nan
PAPER = published_hip()


@pytest.fixture(scope="module")
def steps():
    return agreement_of(T, PREDICTED, PERSON, n_boot=200)


@pytest.fixture
def run(tmp_path):
    said = []
    facts = {}
    run = SimpleNamespace(facts=facts, said=said, rows=[], write=lambda name, content: None)
    run.fact = facts.update
    run.result = lambda published_id, metric, value, **rest: run.rows.append((published_id, metric, value))
    return run


def test_a_step_is_judged_on_the_hips_it_counts(steps):
    kept = PREDICTED[OUTLIERS].notna().to_numpy()
    r = np.corrcoef(T[kept], PREDICTED[OUTLIERS][kept])[0, 1]
    assert steps.estimate(OUTLIERS, "r")[0] == pytest.approx(r)
    n = steps.rows.set_index(["method", "metric"])["n"]
    assert (n[HONEST, "r"], n[OUTLIERS, "r"]) == (120, kept.sum())
    d = PREDICTED[HONEST] - T
    assert steps.estimate(HONEST, "lower limit")[0] == pytest.approx(d.mean() - 1.96 * d.std(), abs=1e-3)


def test_intervals_draw_people(steps):
    alone = bootstrap_statistic(lambda x, y: np.corrcoef(x, y)[0, 1], T, PREDICTED[HONEST], groups=PERSON, n_boot=200)
    assert steps.estimate(HONEST, "r") == pytest.approx((alone.estimate, *alone.ci))


def test_the_ladder_stands_from_the_top_down_with_the_paper_as_lines(steps):
    kinds = {name: INFORMED if name == HONEST else KNOWS for name in HELPS}
    fig = ladder(steps, kinds, PAPER, "title", {"r": 0.99, "sd": 0.13})
    left, right = fig.axes
    assert [text.get_text() for text in left.get_yticklabels()][::-1] == list(HELPS)
    points = [line.get_xydata()[0] for line in left.lines if line.get_marker() in "os"]
    assert [y for _, y in points] == [4, 3, 2, 1, 0]
    assert [x for x, _ in points] == [steps.estimate(name, "r")[0] for name in HELPS]
    upright = [line.get_xdata()[0] for line in left.lines if line.get_linestyle() in ("--", ":")]
    assert upright == [0.996, 0.99]
    upright = [line.get_xdata()[0] for line in right.lines if line.get_linestyle() in ("--", ":")]
    assert upright == pytest.approx([-0.214, 0.194, -1.96 * 0.13, 1.96 * 0.13], abs=1e-4)
    low, high = (steps.estimate(HONEST, f"{end} limit")[0] for end in ("lower", "upper"))
    assert right.patches[0].get_x() == pytest.approx(low)
    assert right.patches[0].get_width() == pytest.approx(high - low)


def test_the_table_says_what_each_step_knows(steps):
    shown = ladder_table(steps, dict.fromkeys(HELPS, KNOWS), "real")
    assert shown["step"].tolist() == list(HELPS) and set(shown["kind"]) == {"real"}
    assert shown["n"].tolist() == [120, 80, 120, 120, 80]


def test_curves_pass_through_the_closed_form():
    (axis,) = built_in_curves((-3.0, -2.5, -2.0), 0.5, PAPER, 1.1).axes
    first = axis.lines[0].get_xydata()
    assert first[50, 1] == pytest.approx(r_when_routed(first[50, 0], (-3.0, -2.5, -2.0), -2.6, 1.1))
    assert axis.lines[3].get_xydata()[7] == pytest.approx([0.07, 0.07])


def test_published_values_are_those_of_the_paper():
    assert (PAPER["r"], PAPER["ba.lower"], PAPER["cut.op"], PAPER["tscore.sd"]) == (0.996, -0.214, -2.5, 1.1)


def test_the_words_of_the_closed_forms_follow_the_numbers(run, monkeypatch):
    monkeypatch.setattr(page, "say", lambda run, text: run.said.append(text.format(**run.facts)))
    page.show_closed_forms(run, PAPER, {"class": 0.8, "sub-cluster": 0.978})
    assert "does not quite reach 0.996" in run.said[0]
    rows = page.closed_forms(PAPER).set_index("r without help")
    assert rows.loc[0, "r, class told"] == pytest.approx(0.797, abs=1e-3)
    assert rows.loc[0.8, "r, outliers left out"] == pytest.approx(0.954, abs=1e-3)
    assert rows.loc[0.8, "share kept"] == pytest.approx(0.551, abs=1e-3)


def test_real_people_are_recorded_and_told(run, steps, monkeypatch):
    monkeypatch.setattr(page, "say", lambda run, text: run.said.append(text.format(**run.facts)))
    page.show_real(run, steps, PAPER)
    assert run.facts["real_kept"] == pytest.approx(80 / 120)
    assert not [row for row in run.rows if row[0] is not None]  # no film, no answer to a published value
    assert "120 real people" in run.said[0] and "67%" in run.said[0]


def test_the_whole_ladder_has_its_order_and_kinds(run, monkeypatch):
    monkeypatch.setattr(page, "say", lambda run, text: run.said.append(text.format(**run.facts)))
    leaked = pd.DataFrame({SIBLINGS: PREDICTED[CLASS], COPIES: PREDICTED[CELL]})
    whole = page.all_steps(PREDICTED, PREDICTED + 0.1, PREDICTED, leaked, T + 0.1)
    assert whole.columns[:5].tolist() == [page.PEOPLE_ONLY, page.FILM_ONLY, HONEST, COPIES, SIBLINGS]
    assert whole.columns[-2:].tolist() == [page.NO_FILM, page.NO_NETWORK]
    assert whole[page.NO_FILM].tolist() == PREDICTED[CELL].tolist()
    kinds = [page.kind_of(name) for name in whole]
    assert kinds == [INFORMED] * 3 + [PEOPLE] * 2 + [KNOWS] * 6
    steps = agreement_of(T, whole, PERSON, n_boot=200)
    page.show_phantom(run, steps, PAPER, {"r": 0.99, "sd": 0.13, "scan_r": 0.993, "scan_sd": 0.12})
    assert page.NO_NETWORK in run.said[0] and "± 0.24" in run.said[0]
    met = page.met_the_patient(T, whole, PERSON, 200, 0)
    same = whole[SIBLINGS].notna() & whole[HONEST].notna()
    r = [np.corrcoef(T[same], whole.loc[same, name])[0, 1] for name in (SIBLINGS, HONEST)]
    assert met.difference(SIBLINGS, HONEST, "r")[0] == pytest.approx(r[0] - r[1])
    page.show_met(run, met)
    told_apart = any(met.difference(name, HONEST, "r")[1] > 0 for name in (COPIES, SIBLINGS))
    assert ("neither is told apart" in run.said[-1]) != told_apart
    page.show_shares(run, steps)
    squares = [steps.estimate(name, "r")[0] ** 2 for name in (page.PEOPLE_ONLY, HONEST, CELL)]
    assert run.facts["from_people"] == pytest.approx(squares[0])
    assert run.facts["from_people"] + run.facts["from_film"] + run.facts["from_truth"] == pytest.approx(squares[2])
