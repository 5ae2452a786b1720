"""Learning curves read from records: planted curves come back, and what does not belong together is refused."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtri

from osteolib.report import hand_curves_gain as gain
from osteolib.report import hand_curves_page as page
from osteolib.report.hand_curves_rows import in_words, read_curves, title
from osteolib.screen.hand_curves import CORTEX, IDEAL, RANDOM, TAUGHT, drawings

N = 48 * 2 ** np.arange(7)
ATTAINABLE = 0.85


def scored(auroc, seed=0, n=400):
    """Scores of n people of each class whose AUROC is the one asked for, as far as n quantiles can have it."""
    place = ndtri((np.arange(n) + 0.5) / n)
    ill = np.random.default_rng(seed).permutation(place) + np.sqrt(2) * ndtri(auroc)
    return np.append(np.random.default_rng(seed + 1).permutation(place), ill)


def table(methods):
    """Predictions of 400 healthy and 400 ill people, as a record has them."""
    people = [f"P{k:03}" for k in range(800)]
    y = np.repeat([0.0, 1.0], 400)
    return pd.concat([
        pd.DataFrame({"unit_id": people, "y_true": y, "method": name, "y_score": s}) for name, s in methods.items()
    ])  # fmt: skip


def falling(n, scale, floor=0.0):
    return ATTAINABLE - floor - scale * n**-0.5


@pytest.fixture(scope="module")
def curves():
    taught = {f"{TAUGHT}, {n} people, draw {d}": scored(falling(n, 2.0)) for n in N for d in range(2)}
    frozen = {f"simclr of {u}, {n} people, draw 0": scored(falling(n, 1.0, 0.05)) for u in (192, 3072) for n in N}
    still = {f"{RANDOM}, {n} people, draw 0": scored(0.7) for n in N}
    fixed = {f"{IDEAL}, 0 people, draw 0": scored(ATTAINABLE), f"{CORTEX}, 0 people, draw 0": scored(0.8)}
    return read_curves([table(fixed | taught), table(frozen | still)], n_boot=200, seed=0)


def test_the_planted_curve_and_its_people_come_back(curves):
    assert curves.attainable == pytest.approx(ATTAINABLE, abs=0.005)
    assert curves.estimate(TAUGHT, 192)[0] == pytest.approx(falling(192, 2.0), abs=0.005)
    people, low, high = curves.people_for(TAUGHT, 0.5)
    assert people == pytest.approx((2.0 / (0.5 * 0.35)) ** 2, rel=0.15)
    assert low < people < high
    assert curves.people_for("simclr of 3072", 0.95)[0] == np.inf  # its floor leaves 86 %
    assert curves.people_for(RANDOM, 0.8)[0] == np.inf


def test_differences_are_paired(curves):
    assert curves.estimate(TAUGHT, 48, (TAUGHT, 48)) == (0, 0, 0)
    value, low, high = curves.estimate("simclr of 3072", 48, (TAUGHT, 48))
    assert value == pytest.approx(falling(48, 1.0, 0.05) - falling(48, 2.0), abs=0.01)
    assert low < value < high


def test_drawings_are_averaged_and_kept(curves):
    own = curves.drawings[curves.drawings["name"].eq(TAUGHT)]
    assert own.groupby("n").size().eq(2).all()
    assert list(curves.sizes(TAUGHT)) == list(N)


def test_a_share_is_one_for_the_ideal_reader(curves):
    assert curves.share(IDEAL, 0) == (1, 1, 1)


def test_only_encoders_that_saw_most_stand_in_the_figure(curves):
    whole, frozen = page.families(curves)
    assert (whole, frozen) == ([TAUGHT], ["simclr of 3072", RANDOM])
    assert len(page.curves_figure(curves, whole, frozen).axes) == 2
    assert gain.gain_figure(curves, ["simclr of 3072"]).axes[0].get_ylabel().startswith("AUROC")


def test_without_the_frozen_encoders_one_panel_is_drawn():
    scores = {f"{TAUGHT}, {n} people, draw 0": scored(falling(n, 2.0)) for n in N}
    scores |= {f"{IDEAL}, 0 people, draw 0": scored(ATTAINABLE), f"{CORTEX}, 0 people, draw 0": scored(0.8)}
    alone = read_curves([table(scores)], n_boot=100, seed=0)
    whole, frozen = page.families(alone)
    assert (whole, frozen) == ([TAUGHT], [])
    assert len(page.curves_figure(alone, whole).axes) == 1


def test_records_of_other_people_are_not_joined():
    one = table({f"{IDEAL}, 0 people, draw 0": scored(0.8)})
    with pytest.raises(ValueError, match="different people"):
        read_curves([one, one.assign(y_true=1 - one["y_true"])], 200, 0)


def test_a_method_without_its_people_is_refused():
    with pytest.raises(ValueError, match="N people, draw D"):
        read_curves([table({"supervised": scored(0.8)})], 200, 0)


def test_words_of_people():
    assert in_words(7, 12, 3072) == "under 12"
    assert in_words(13.4, 12, 3072) == "13"
    assert in_words(1234, 12, 3072) == "1,200"
    assert in_words(np.inf, 12, 3072) == in_words(1e9, 12, 3072) == "over 30,720"
    assert title("simclr of 3072") == "SimCLR, pre-trained on 3,072"


def test_small_sets_are_drawn_several_times_and_fit_into_the_people():
    sets = list(drawings(3072))
    assert sorted({n for n, _ in sets}) == list(N)
    assert sum(n == 48 for n, _ in sets) == 3
    assert all((draw + 1) * n <= 192 for n, draw in drawings(192))
