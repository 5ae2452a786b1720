from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from osteolib.explain.heatmaps import roi_scores
from osteolib.report import hip_heatmaps_page as page
from osteolib.report.comparison import compare_scores

RNG = np.random.default_rng(0)
N, SIZE = 20, 12
FEMUR = np.zeros((N, SIZE, SIZE), bool)
FEMUR[:, 2:10, 2:10] = True
NECK = np.zeros_like(FEMUR)
NECK[:, 4:6, 4:8] = True
HIPS = pd.DataFrame({"split_group": np.arange(N) // 2})
CLASSES = np.tile([0, 1], N // 2)


@pytest.fixture
def run(monkeypatch):
    run = SimpleNamespace(facts={}, said=[], rows=[], shown=[], write=lambda name, content: None)
    run.fact = run.facts.update
    run.result = lambda published_id, metric, value, **rest: run.rows.append((published_id, metric, value, rest))
    monkeypatch.setattr(page, "say", lambda run, text: run.said.append(text.format(**run.facts)))
    monkeypatch.setattr(page, "figure", lambda run, name, fig, alt: run.shown.append((name, fig, alt)))
    monkeypatch.setattr(
        page, "table", lambda run, name, frame, caption, **how: run.shown.append((name, frame, caption))
    )
    return run


def maps(grad_cam):
    grain = RNG.random(FEMUR.shape)
    return {page.GRAD_CAM: grad_cam, page.GUIDED: FEMUR * 1.0, page.RANDOM: grain, page.EVEN: FEMUR * 1.0,
            page.MIDDLE: np.ones(FEMUR.shape)}  # fmt: skip


def test_a_map_on_the_neck_is_told_from_one_that_knows_the_bone(run):
    found = maps(NECK * RNG.uniform(0.5, 1, FEMUR.shape))
    page.show_localisation(run, found, NECK, FEMUR, HIPS, n_boot=200, seed=0)
    assert "**100%** of Grad-CAM lies in the region" in run.said[0] and "On 20 hips" in run.said[0]
    assert "Grad-CAM has there more than such a map" in run.said[0]
    assert "guided Grad-CAM no more and no less than it" in run.said[0]
    recorded = {metric: value for _, metric, value, _ in run.rows}
    assert recorded["energy, femoral neck, Grad-CAM, phantom"] == pytest.approx(1)
    assert recorded["energy, femoral neck, even over the femur, phantom"] == pytest.approx(8 / 64)
    assert not [metric for metric in recorded if metric.startswith("area")]
    assert all(rest["cohort"] == "hip-phantom" and published is None for published, _, _, rest in run.rows)
    table = next(frame for name, frame, _ in run.shown if name == "localisation")
    assert set(table["region"]) == {page.NECK, page.FEMUR} and len(table) == 10


def test_a_map_beside_the_neck_is_less(run):
    page.show_localisation(run, maps((~NECK) * RNG.uniform(0.5, 1, FEMUR.shape)), NECK, FEMUR, HIPS, n_boot=200, seed=0)
    assert "Grad-CAM has there less than such a map" in run.said[0]
    assert roi_scores((~NECK) * 1.0, NECK)["energy"].max() == 0


@pytest.mark.parametrize(("hidden", "words"), [(0, "costs"), (1, "changes no more than chance would")])
def test_the_cover_is_told_by_its_interval(run, hidden, words):
    score = CLASSES + RNG.normal(0, 0.1, N)
    known = {"nothing": score, "the neck": score * hidden, "all but the neck": score}
    cover = compare_scores(CLASSES, known, reference="nothing", groups=HIPS["split_group"], n_boot=200)
    page.show_cover(run, cover)
    assert f"Covering the neck {words}" in run.said[0]
    table = next(frame for name, frame, _ in run.shown if name == "covered")
    assert table["covered"].tolist() == list(known) and table["change of the AUROC"].iloc[0] == ""


def test_hips_are_shown_by_their_score_and_the_figure_has_a_row_a_map(run):
    rows, titles = page.hips_to_show(HIPS, np.linspace(0, 1, N), CLASSES, 0)
    assert len(rows) == 6 and titles[0] == "none\n0.95" and titles[3] == "osteoporosis\n1.00"
    films = RNG.integers(0, 255, (6, SIZE, SIZE))
    heat = {page.GRAD_CAM: RNG.random(films.shape), page.GUIDED: RNG.random(films.shape)}
    page.show_maps(run, films, heat, titles, NECK[:6])
    (_, fig, alt) = run.shown[0]
    assert len(fig.axes) == 18 and "Grad-CAM, guided Grad-CAM" in alt
    assert fig.axes[12].get_ylabel() == "guided\nGrad-CAM"


def test_likeness_is_told_at_both_ends(run):
    checked = pd.DataFrame({"part": ["answer", "block1"] * 2, "knee": 0, "ssim": [0.5, 0.1, 0.4, 0.3],
                            "rank_correlation": 0.2, "kind": [page.GRAD_CAM] * 2 + [page.GUIDED] * 2})  # fmt: skip
    page.show_randomisation(run, checked)
    assert "0.10 for Grad-CAM and 0.30 for guided Grad-CAM" in run.said[0]
    assert run.facts["closer"] == "guided Grad-CAM"
