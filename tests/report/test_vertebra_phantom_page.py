import numpy as np
import pandas as pd
import pytest

from osteolib.phantoms.settings import phantom_settings
from osteolib.phantoms.vertebra.truth import Attainable
from osteolib.report import vertebra_devices, vertebra_likeness
from osteolib.report import vertebra_phantom_page as page
from osteolib.stats import bootstrap_ci

USES = "vertebra-phantom"
SETTINGS = phantom_settings("vertebra-phantom")


def test_where_a_hologic_says_minus_2_5_the_others_read_what_their_lines_say():
    cut = vertebra_devices.at_the_cut(SETTINGS)
    share = SETTINGS["levels"]["L3"]["areal"]
    true = share * (1.0436 + 1.0550 * (1.047 - 0.972)) - 2.5 * 0.110 * share * 1.0550
    assert cut.loc["Hologic", "t_score"] == pytest.approx(-2.5)
    assert cut.loc["GE Lunar", "bmd"] == pytest.approx(1.100 + (true - 1.0436) / 0.9683)
    assert cut.loc["GE Lunar", "t_score"] == pytest.approx(-2.5, abs=0.03)


def vertebrae(**changes) -> pd.DataFrame:
    return pd.DataFrame({
        "subject_id": ["a", "a", "b", "b", "c"], "site": ["A", "A", "B", "B", "B"],
        "labelled": [True, True, True, True, False],
        "device": ["Hologic", "Hologic", "MEDIX", "MEDIX", "MEDIX"], "sex": ["F", "F", "M", "M", "M"],
        "label": ["osteoporosis", "normal", "normal", "osteopenia", None], "level": ["L1", "L2", "L1", "L2", "T12"],
        "level_number": [13, 14, 13, 14, 12], "bmd_true_g_cm2": [0.7, 0.8, 0.9, 1.0, 0.8],
        "spongy_mg_cm3": [80.0, 90, 120, 130, 125], "t_score_true": [-2.6, -2.0, -1.0, -0.5, -1.0],
    }).assign(**changes)  # fmt: skip


def test_prevalence_counts_labelled_vertebrae_by_maker():
    found = vertebra_devices.prevalences({"crossed": vertebrae()}).set_index("device")
    assert found["vertebrae"].to_dict() == {"Hologic": 2, "MEDIX": 2}
    assert found["osteoporosis"].to_dict() == {"Hologic": 0.5, "MEDIX": 0.0}
    assert found.loc["MEDIX", "hospitals"] == "B"


def test_levels_are_drawn_with_their_means_and_counted(run):
    axis = page.levels_figure(vertebrae()).axes[0]
    assert [tick.get_text() for tick in axis.get_xticklabels()] == ["T12", "L1", "L2"]
    page.show_levels(run, vertebrae())
    assert (run.facts["n_people"], run.facts["n_vertebrae"], run.facts["n_labelled"]) == (3, 5, 4)


@pytest.mark.parametrize(
    ("gains", "word"), [((0.001, 0.010), "Most"), ((0.009, 0.010), "Not most"), ((0.0, -0.001), "Not most")]
)
def test_what_the_makers_name_tells_follows_from_the_two_gains(run, gains, word):
    best = {}
    for preset, gain in zip(("crossed", "tpswav2025"), gains, strict=True):
        best[preset, "without"] = Attainable(0.87, 0.78, 0.100, 0.12, 900)
        best[preset, "with"] = Attainable(0.87 + gain, 0.82, 0.088, 0.11, 900)
    page.show_attainable(run, best)
    assert run.facts["most"] == word
    assert run.facts["less_crossed"] == pytest.approx(0.12)
    assert {row["n"] for row in run.rows} == {900}
    assert [row["metric"] for row in run.rows][:2] == ["attainable auroc, crossed, without the maker",
                                                      "attainable r, crossed, without the maker"]  # fmt: skip


@pytest.mark.parametrize(
    ("shift", "holds", "there"), [(0, "holds 0.5", "with so few"), (14, "does not hold 0.5", "above chance")]
)
def test_honest_or_not_is_said_by_the_interval(run, shift, holds, there):
    truth = np.repeat([0, 1], 30)
    score = truth * shift + np.tile(np.arange(30), 2)
    found = bootstrap_ci(truth, score, "auroc", n_boot=200, seed=0)
    page.show_honest(
        run, dict.fromkeys(("field, crossed", "field, tpswav2025", "age, sex and BMI", "mean HU of the body"), found)
    )
    assert run.facts["blind_word"] == holds
    assert run.facts["there_word"].startswith(there)
    assert len(run.rows) == 4


def test_machines_are_held_against_what_the_phantom_assumes(run):
    run.uses("hrpqct-phantoms", "real", "abc")
    machines = (("a", "I", 0.99), ("b", "I", 1.01), ("c", "II", 1.0), ("d", "II", 1.001))
    rows = [(s, d, k, 100 * k * g, v) for s, d, g in machines for k in (1, 2, 3) for v in (0, 6)]
    readings = pd.DataFrame(rows, columns=["site", "device", "insert", "mg_cm3", "visit"])
    lines = pd.DataFrame({"site": list("abcd"), "device": ["I", "I", "II", "II"], "gain": [0.99, 1.01, 1.0, 1.001],
                          "offset": 0.0, "residual": 0.3, "drift": [0.0, 0.01, 0.0, 0.001]})  # fmt: skip
    vertebra_devices.show_machines(run, readings, lines, SETTINGS)
    assert run.facts["gain_high"] == pytest.approx(0.02 / np.sqrt(2))
    assert run.facts["gain_word"] == "between these" and run.facts["drift_word"] == "between"
    assert run.facts["bend"] == pytest.approx(0.3 / 300.075, rel=1e-3)
    assert run.facts["fits"] == "a line is a rough form: what it leaves is as large as gains differ"  # 0.10 to 0.07 %
    assert run.rows[0]["n"] == 2  # of one generation
    vertebra_devices.show_machines(run, readings, lines.assign(residual=0.1), SETTINGS)
    assert run.facts["fits"] == "a line is the right form"


def test_shares_of_hospitals_stand_beside_those_of_the_settings(run):
    shown = vertebrae(site=["A", "B", "C", "D", "D"])
    vertebra_devices.show_hospitals(run, {"tpswav2025": shown, "crossed": shown}, SETTINGS)
    assert (run.facts["share_A"], run.facts["given_A"], run.facts["given_D"]) == (1, 0.393, 0.491)


def test_planes_of_each_patch_stand_in_a_column_and_masks_are_outlined():
    patch, mask = np.zeros((12, 12, 12), np.float32), np.zeros((12, 12, 12), np.uint8)
    mask[3:9, 3:9, 3:9] = 2
    fig = page.slices_figure({"thin": patch, "dense": patch}, [mask])
    assert [axis.get_title() for axis in fig.axes[:2]] == ["thin", "dense"]
    assert [axis.get_ylabel() for axis in fig.axes[::2]] == ["axial", "coronal", "sagittal"]


def block(level: float) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(int(level))
    voxels, mask = np.full((32, 48, 48), 40, np.float32), np.zeros((32, 48, 48), bool)
    mask[4:28, 10:38, 8:40] = True
    voxels[mask] = level
    voxels[4:28, 10:38, 8] = voxels[4:28, 10:38, 39] = 500
    return voxels + rng.normal(0, 10, voxels.shape).astype(np.float32), mask


def test_real_ones_outside_the_simulated_are_named(run):
    simulated = [block(level) for level in range(80, 130, 5)]
    vertebra_likeness.show_ranges(
        run, {1.5: [block(100)], 3.0: [block(300), block(310)]}, {1.5: simulated, 3.0: simulated}
    )
    assert (
        "mean within the body, HU (3 mm)" in run.facts["out"]
        and "mean within the body, HU (1.5 mm)" not in run.facts["out"]
    )
    assert run.facts["n_real"] == 2


def test_curves_have_a_row_a_vertebra_and_a_share_of_one():
    curves = vertebra_likeness.curves_of([block(100), block(120)], 1.5)
    np.testing.assert_allclose(curves["histogram"].sum(1), 1)
    assert curves["power"].shape == (2, len(vertebra_likeness.RINGS) - 1)
    fig = vertebra_likeness.curves_figure(curves, curves)
    assert [axis.get_title(loc="left") for axis in fig.axes] == ["Within the body", "Spectrum", "From left to right"]
