import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from osteolib.phantoms.realism import Gap, inside_range
from osteolib.report import realism
from osteolib.stats import bootstrap_ci

USES = "knee-phantom"

REAL = pd.DataFrame(dict.fromkeys(("slope", "fine", "grey"), np.arange(101.0)))  # 5 to 95
PHANTOM = pd.DataFrame({"slope": np.arange(101) / 2 + 20, "fine": np.arange(101) + 30, "grey": np.arange(101) + 90})


def test_the_table_holds_ranges_shares_words_and_spread():
    table = realism.range_table(inside_range(REAL, PHANTOM, 50, 0), realism.NAMES, spread=True)
    assert table["measure"].tolist() == [realism.NAMES[name] for name in REAL]
    assert table["REAL: median (5 to 95 %)"].tolist() == ["50 (5 to 95)"] * 3
    assert table["PHANTOM: median (5 to 95 %)"][0] == "45 (22.5 to 67.5)"
    assert table["verdict"].tolist() == ["inside", "partly", "outside"]
    assert table["spread"].tolist() == [0.5, 1, 1]
    assert "spread" not in realism.range_table(inside_range(REAL, PHANTOM, 50, 0), realism.NAMES)


def test_shares_become_rows_and_words_become_facts(run):
    realism.record_shares(run, inside_range(REAL, PHANTOM, 50, 0), realism.NAMES, 101, "knee-phantom")
    assert [row["value"] for row in run.rows] == pytest.approx([1, 66 / 101, 6 / 101])
    assert run.rows[0]["metric"] == "share inside the real range, slope"
    assert (run.facts["partly"], run.facts["n_inside"]) == (realism.NAMES["fine"], 1)


def test_what_tells_films_apart_is_recorded_with_its_interval(run):
    told = bootstrap_ci(np.repeat([0, 1], 20), np.r_[np.arange(20), np.arange(20) + 10], "auroc", n_boot=100, seed=0)
    realism.record_told(run, told, "knee-phantom")
    (row,) = run.rows
    assert (row["value"], row["n"]) == (run.facts["told"], 40)
    assert run.facts["told"] == pytest.approx(1 - 50 / 400)  # of 400 pairs 45 are upside down and 10 even
    assert row["ci_low"] == run.facts["told_low"] < run.facts["told"] < run.facts["told_high"]


@pytest.mark.parametrize(("shift", "ends"), [(0, "together they do not"), (15, "what passes measure by measure")])
def test_the_sentence_follows_the_interval(run, shift, ends):
    scores = np.r_[np.arange(20), np.arange(20) + shift]
    told = bootstrap_ci(np.repeat([0, 1], 20), scores, "auroc", n_boot=100, seed=0)
    realism.show_told(run, told, ("canal", 0.6), pd.DataFrame({"measures": ["tibia"], "AUROC alone": [0.6]}))
    assert run.facts["ends"].startswith(ends)
    assert run.facts["best"] == realism.NAMES["canal"]


def test_regions_are_counted_by_kind(run, tmp_path):
    knees = {"real": pd.DataFrame({"n_legs": [1, 2]}), "phantom": pd.DataFrame({"n_legs": [2, 2, 2, 1]})}
    images = {kind: np.zeros((len(k), 32, 32), np.uint8) for kind, k in knees.items()}
    realism.show_regions(run, knees, images, {kind: [Gap(16, 16, 20.0)] * len(k) for kind, k in knees.items()})
    assert run.facts == {"n_real": 2, "both_real": 0.5, "n_phantom": 4, "both_phantom": 0.75}
    assert (tmp_path / "regions.png").is_file()


def test_every_measure_of_a_group_has_a_name():
    assert {m for group in realism.KNEE_GROUPS.values() for m in group} == set(realism.KNEE_NAMES)


def test_an_even_film_s_histogram_is_one_bin_in_the_figure():
    rng = np.random.default_rng(0)
    films = {"real": [np.full((96, 96), 100, np.uint8) + rng.integers(0, 2, (96, 96), np.uint8)] * 3,
             "phantom": [rng.integers(0, 255, (96, 96), dtype=np.uint8)] * 3}  # fmt: skip
    curves = realism.curves_of(films)
    assert curves["spectrum"]["real"].shape == (3, 32)
    fig = realism.band_figure(curves)
    assert [axis.get_title(loc="left") for axis in fig.axes] == ["Radial power spectrum", "Grey levels"]
    middle = fig.axes[1].lines[0].get_xydata()  # median of the real films
    assert middle[middle[:, 1] > 0].tolist() == [[100.0, 1.0]]


def test_boxes_are_drawn_on_a_copy():
    film = np.zeros((10, 10), np.uint8)
    shown = realism.with_boxes(film, {"above": (2, 3, 6, 8)})
    assert not film.any()
    assert np.argwhere(shown).min(0).tolist() == [3, 2]
    assert np.argwhere(shown).max(0).tolist() == [7, 5]
    assert (shown == 255).sum() == 4 * 5 - 2 * 3  # the rim of a box of four by five pixels


def test_bands_are_drawn_at_the_quantiles():
    curves = {"real": np.arange(101.0)[:, None] * [1, 2], "phantom": np.arange(101.0)[:, None] * [2, 1]}
    _, axis = plt.subplots()
    realism.draw_bands(axis, np.array([0, 1]), curves)
    drawn = [line.get_ydata().tolist() for line in axis.lines]
    assert drawn == [[50, 100], [100, 50], [10, 5], [190, 95]]
    assert axis.get_legend_handles_labels()[1] == ["real: median, 5–95 %", "phantom: median, 5–95 %"]
