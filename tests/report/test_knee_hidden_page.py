import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

from osteolib.report import knee_hidden_page as page
from osteolib.screen.knee_grey import IN_BONE, PREPARED, RANKED

USES = "knee-phantom"

RNG = np.random.default_rng(1)
N = 120
Y = np.arange(N) % 2
TRUTH = pd.DataFrame({a: RNG.normal(size=N) for a in page.ASKED} | {"y": Y}).assign(
    subject_id=[f"S{i // 2}" for i in range(N)]
)


def told(gain, r):
    """A reader whose risk rises by ``gain`` with the label and who knows the exposure with about ``r``."""
    said = pd.DataFrame({a: RNG.normal(size=N) for a in page.ASKED})
    said["exposure"] = r * TRUTH["exposure"] + np.sqrt(1 - r**2) * said["exposure"]
    return said.assign(risk=gain * Y + RNG.normal(size=N))


def test_the_phantoms_table_is_of_r_and_auroc_and_the_words_follow_the_interval(run):
    by_kind = {PREPARED: told(0.2, 0.9), RANKED: told(4.0, 0.0), IN_BONE: told(0.2, 0.0)}
    read, risk = page.compare_told(by_kind, TRUTH, 200, 0)
    page.show_told(run, read, risk, 0.9, N)
    shown = pd.read_csv(run.folder / "told.csv").set_index("grey levels")
    rho = spearmanr(by_kind[PREPARED]["exposure"], TRUTH["exposure"]).statistic
    assert shown.loc[PREPARED, "exposure, ρ"].startswith(f"{rho:.2f} (")
    assert shown.loc[RANKED, "bone loss, AUROC"].startswith(f"{roc_auc_score(Y, by_kind[RANKED]['risk']):.2f} (")
    assert run.facts["drowned"].startswith("That bone is told better than the film, this run")
    assert (run.facts["whole_word"], run.facts["bone_word"]) == ("a gain", "this run cannot tell")
    assert run.facts["whole_exposure"].startswith("−0.")


def test_a_bone_that_is_told_better_than_the_film_is_not_drowned(run):
    sharp = told(0.2, 0.1).assign(density=TRUTH["density"])
    read, risk = page.compare_told({PREPARED: sharp, RANKED: sharp, IN_BONE: sharp}, TRUTH, 200, 0)
    page.show_told(run, read, risk, 0.9, N)
    assert run.facts["drowned"].startswith("The bone is not drowned")


def test_real_knees_are_compared_in_pairs_and_each_model_speaks(run):
    groups = np.array([f"F{i // 3}" for i in range(N)])
    good, bad = Y + 0.5 * RNG.normal(size=N), 0.2 * Y + RNG.normal(size=N)
    scores = {"first": {PREPARED: good, RANKED: bad}, "second": {PREPARED: bad, RANKED: bad}}
    truth = RNG.normal(size=N)
    bright = {"truth": truth, PREPARED: truth + 0.1 * RNG.normal(size=N), RANKED: RNG.normal(size=N)}
    run.uses("strnet-stage1", "real", "def")
    page.show_real(run, Y, scores, bright, groups, 200, 0)
    shown = pd.read_csv(run.folder / "real.csv").set_index("model")
    expected = roc_auc_score(Y, bad) - roc_auc_score(Y, good)
    assert shown.loc["first", "ranked less prepared"].startswith(f"−{-expected:.2f} (")
    assert shown.loc["second", "ranked less prepared"].startswith("+0.00 (")
    assert (
        run.facts["real_changes"].count("a loss") == 1 and "second: this run cannot tell" in run.facts["real_changes"]
    )
    assert run.facts["real_bright"].startswith(("0.99", "1.00"))


@pytest.mark.parametrize(
    ("interval", "expected"),
    [((0.1, 0.01, 0.2), "a gain"), ((-0.1, -0.2, -0.01), "a loss"), ((0.1, -0.01, 0.2), "this run cannot tell")],
)
def test_words_follow_the_interval(interval, expected):
    assert page.word(interval) == expected


def test_the_pictures_are_of_the_least_and_the_most_exposure_under_their_kinds(run, monkeypatch):
    drawn = []
    monkeypatch.setattr(page, "figure", lambda run, name, fig, alt: drawn.append(fig))
    images = np.arange(3, dtype=np.uint8)[:, None, None] * np.ones((1, 8, 8), np.uint8)
    page.show_pictures(run, {PREPARED: images, RANKED: images, IN_BONE: images}, np.array([0.5, 2.0, 0.1]))
    axes = drawn[0].axes
    assert [axis.get_title(loc="left") for axis in axes] == [PREPARED, RANKED, IN_BONE, "", "", ""]
    assert [axis.images[0].get_array()[0, 0] for axis in axes] == [2, 2, 2, 1, 1, 1]
