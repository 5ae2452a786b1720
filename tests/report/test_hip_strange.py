from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from osteolib.report import hip_strange as page
from osteolib.stats.exact import exact_interval

USES = "hip-phantom"


def hip(side, square=(0, 0, 4, 4), reason=""):
    return SimpleNamespace(side=side, square=square, reason=reason)


class Usual:
    """To whom a film whose first pixel is odd is strange on the right."""

    def strange(self, found, shape):
        return {one.side: "odd" if one.square and shape[0] == 3 and one.side == "right" else "" for one in found}


@pytest.fixture
def films(monkeypatch):
    """Four pelves with one odd hip, two knees with one odd half and none, a black film."""
    none = hip("left", None, "no femur")
    seen = {1: (hip("right"), hip("left")), 2: (hip("right"), none), 3: (hip("right", None, "no femur"), none)}
    monkeypatch.setattr(page, "find_hips", lambda model, pixels, columns: seen[int(pixels[0, 0])])
    monkeypatch.setattr(page, "fit_usual", lambda films: Usual())
    usual, odd = (2, 2), (3, 2)
    return {"pelves": [np.ones(usual)] * 3 + [np.ones(odd)], "black": [np.full(usual, 3)],
            "simulated knees": [np.full(odd, 2), np.full(usual, 3)]}  # fmt: skip


def test_halves_are_counted_that_have_a_femur_and_that_go_on(films):
    found = page.strange_table(None, Usual(), films, 32).set_index("film")
    counts = ["films", "halves", "femur", "let by", "films refused"]
    assert found.loc["pelves", counts].tolist() == [4, 8, 8, 7, 0] and found.loc["pelves", "first reason"] == "odd"
    assert found.loc["black", counts].tolist() == [1, 2, 0, 0, 1] and found.loc["black", "first reason"] == "no femur"
    assert found.loc["simulated knees", counts].tolist() == [2, 4, 1, 0, 2]


def test_the_price_is_told_with_an_interval_of_people(films, run):
    page.show_strange(run, None, [], films, 32)
    low, high = exact_interval(0.5, 4)  # one hip of eight is half a person of four
    rows = {row["metric"]: row for row in run.rows}
    assert rows["share of new hips refused as unusual"]["value"] == 1 / 8
    assert rows["share of new hips refused as unusual"]["ci_low"] == pytest.approx(low)
    assert run.facts["lost_share"] == f"0.125 ({low:.3f} to {high:.3f})"
    assert (run.facts["fooled"], run.facts["fooled_of"], run.facts["bones_refused"], run.facts["bones"]) == (1, 4, 2, 2)
    assert len(pd.read_csv(run.folder / "strange.csv")) == 3


def test_a_detector_that_finds_nothing_in_training_says_so(run):
    page.show_strange(run, None, [((2, 2), (hip("right", None),))], {}, 32)
    assert run.facts["not_usual"].startswith("0 hips were found") and not run.rows
