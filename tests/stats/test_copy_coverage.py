import numpy as np
import pandas as pd
import pytest

from osteolib.stats import bootstrap_ci
from osteolib.stats.copies import Likeness, binormal, draw_scores
from osteolib.stats.copy_coverage import (
    DRAWS,
    UNRELATED,
    Setting,
    expected_effects,
    groups_in,
    simulated_studies,
    width_and_coverage,
)  # fmt: skip

MODEL = binormal(0.85, 0.75, 0.8)


def quadruples(n_films: int) -> pd.DataFrame:
    """Films of one label with two pictures each, each picture in two files of the same bytes."""
    film, picture = np.arange(4 * n_films) // 4, np.arange(4 * n_films) // 2
    label = np.where(film % 2, "osteoporosis", "normal")
    groups = {"bytes_group": picture, "picture_group": picture, "source_group": film}
    return pd.DataFrame({"label": label} | {name: codes.astype(str) for name, codes in groups.items()})


def test_groups_are_counted_and_weighed_by_their_files():
    table = quadruples(6)
    table.loc[1, "label"] = "osteopenia"  # same bytes as row 0, another label
    found = groups_in(table).set_index("unit")
    assert found.index.tolist() == list(DRAWS)
    assert found["units"].tolist() == [24, 12, 12, 6] and found["files_each"].tolist() == [1, 2, 2, 4]
    assert found["both"].tolist() == [0, 1, 1, 1]
    uneven = groups_in(table.iloc[[0, 1, 2, 4]]).set_index("unit")
    assert uneven.loc["films", "files_each"] == (9 + 1) / 4


def test_the_intervals_are_those_of_the_bootstrap_of_the_project():
    """Replay the random stream of one study by hand."""
    table, setting, likeness = quadruples(20), Setting("whole", ("osteoporosis",), MODEL), Likeness()
    found = simulated_studies(table, setting, likeness, 1, np.random.default_rng(5), n_draws=150)
    rng = np.random.default_rng(5)
    seed, case = int(rng.integers(2**32)), (table["label"] == "osteoporosis").to_numpy().astype(int)
    codes = np.column_stack([table[c].astype(int) for c in ("bytes_group", "picture_group", "source_group")])
    scores = draw_scores(codes, case, MODEL, likeness, rng)
    for draw, groups in zip(DRAWS, (None, *(table[f"{g}_group"] for g in ("bytes", "picture", "source"))), strict=True):
        by_hand = bootstrap_ci(
            case, scores, list(MODEL.truth), MODEL.threshold, 150, method="percentile", groups=groups, seed=seed
        )
        rows = found[found["draw"] == draw].set_index("metric")
        assert rows["value"].to_dict() == by_hand.estimate and (rows["units"] == by_hand.n_subjects).all()
        assert dict(zip(rows.index, zip(rows["ci_low"], rows["ci_high"], strict=True), strict=True)) == by_hand.ci
    assert len(found) == 3 * (len(DRAWS) + 1)


def test_drawing_what_is_independent_keeps_the_promise_and_drawing_copies_breaks_it():
    table, setting = quadruples(80), Setting("whole", ("osteoporosis",), MODEL)
    studies = simulated_studies(table, setting, Likeness(1.0, 1.0, 0.8), 150, np.random.default_rng(1), n_draws=150)
    found = width_and_coverage(studies, setting).set_index(["draw", "metric"])
    for metric in MODEL.truth:
        covers = found["covers"].xs(metric, level="metric")
        assert covers["films"] > 0.87 and covers[UNRELATED] > 0.89 and covers["files"] < 0.85
        widths = found["width"].xs(metric, level="metric")
        effect = expected_effects(table, setting, Likeness(1.0, 1.0, 0.8)).set_index("metric").loc[metric]
        assert widths["films"] / widths["files"] == pytest.approx(effect["design_effect"] ** 0.5, rel=0.06)
        assert widths[UNRELATED] == pytest.approx(3.92 * effect["se_files"], rel=0.06)
        assert found.loc[("files", metric), "sd"] == pytest.approx(effect["se"], rel=0.2)
    assert (found["covers_low"] <= found["covers"]).all() and (found["covers"] <= found["covers_high"]).all()


def test_a_test_set_drawn_by_file_holds_fewer_copies_than_the_whole():
    table = quadruples(80)
    small = Setting("small", ("osteoporosis",), MODEL, {"normal": 20, "osteoporosis": 20})
    whole = Setting("whole", ("osteoporosis",), MODEL)
    studies = simulated_studies(table, small, Likeness(), 3, np.random.default_rng(0), n_draws=100)
    units = studies.groupby("draw")["units"].mean()
    assert units["files"] == 40 > units["distinct bytes"] >= units["films"]
    few, many = (expected_effects(table, setting, Likeness()).set_index("metric") for setting in (small, whole))
    assert (few["design_effect"] < many["design_effect"]).all() and few.loc["sensitivity", "n"] == 20
    # each of the 3 other files of a film is among the 20 of 160 with probability 19/159
    rho = {"own": many.loc["sensitivity", "design_effect"] - 1}
    assert few.loc["sensitivity", "design_effect"] - 1 == pytest.approx(rho["own"] * 19 / 159, rel=0.25)
