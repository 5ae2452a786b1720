import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import proportion_confint

from osteolib.cohorts import planted_copies as planted


@pytest.fixture(scope="module")
def film():
    return np.random.default_rng(0).integers(0, 256, (120, 100)).astype(np.uint8)


@pytest.fixture(scope="module")
def found(draw_legs):
    """Two films of one leg and two of both, searched for among two others."""
    one = {f"one {i}": draw_legs(i) for i in range(2)}
    both = {f"both {i}": draw_legs(10 + i, 2) for i in range(2)}
    others = {f"other {i}": planted.reduced(draw_legs(20 + i, 2)) for i in range(2)}
    return planted.find_planted(one, both, others)


def test_every_copy_of_a_drawn_film_is_found_and_with_no_other(found):
    whole = found[found["kind"].isin(planted.COPIES)]
    assert len(whole) == 2 * len(planted.COPIES) and whole["found"].all() and not whole["wrong"].any()


def test_crops_are_found_unless_they_are_mirrored(found):
    upright = found[found["kind"].isin(planted.CROPS) & ~found["kind"].str.contains("mirrored")]
    assert len(upright) == 6 and upright["found"].mean() > 0.8
    assert not (found["found"] & found["wrong"] & found["kind"].isin(planted.CROPS)).any()
    assert set(found["kind"]) == {*planted.COPIES, *planted.CROPS}


def test_what_is_done_to_a_film_is_what_its_name_says(film):
    assert planted.squeezed(film).shape == (256, 128)
    assert (planted.brightened(film, 0.7) >= film).all() and (planted.brightened(film, 1.4) <= film).all()
    assert planted.brightened(np.array([[0, 255]], np.uint8), 3).tolist() == [[0, 255]]  # black and white stay
    assert (planted.COPIES["mirrored"](film) == np.fliplr(film)).all()
    rough, fine = (np.abs(planted.saved(film, quality).astype(float) - film).mean() for quality in (10, 95))
    assert 0 < fine < rough


@pytest.mark.parametrize("share", [1.0, 0.8])
def test_a_crop_holds_the_first_leg_at_the_share_asked_for(draw_legs, share):
    film = draw_legs(3, 2)
    crop = planted.one_knee(film, share)
    assert crop.shape[0] == round(0.8 * round(share * film.shape[0]))
    assert crop.shape[1] <= planted.WIDTH * crop.shape[0] + 1


def test_a_film_is_reduced_and_never_enlarged(film):
    assert planted.reduced(film, 60).shape == (60, 50)
    assert (planted.reduced(film) == film).all()


def test_recall_has_wilson_s_interval_and_keeps_the_order():
    rows = pd.DataFrame(
        {"kind": list("baab"), "found": [True, True, False, True], "wrong": [False, False, True, False]}
    )
    got = planted.recall(rows)
    assert got.index.tolist() == ["b", "a"] and got["recall"].tolist() == [1, 0.5] and got["wrong"].tolist() == [0, 1]
    assert got.loc["a", ["ci_low", "ci_high"]].tolist() == pytest.approx(proportion_confint(1, 2, method="wilson"))
