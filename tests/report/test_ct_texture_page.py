import numpy as np
import pandas as pd
import pytest

from osteolib.report import ct_texture_page as page
from osteolib.report.published import load_published
from osteolib.stats import fisher_z_ci
from osteolib.views.texture import FEATURES
from osteolib.views.texture_readings import HU, Binning

USES = "vertebra-phantom"
PATCH, BONE, CLIPPED = Binning(32), Binning(32, inside=True), Binning(32, clip=(-200, 800))
TRUTH = np.random.default_rng(0).normal(120, 30, 40)


def means(shift=0.0, contrast=0.0, seed=1):
    """Brightness that knows the density, but not with bins of the bone; contrast that is noise plus what is asked."""
    rng, rows = np.random.default_rng(seed), []
    for binning in (PATCH, BONE, CLIPPED):
        knows = 0 if binning is BONE else 1
        for i, d in enumerate(TRUTH):
            brightness = knows * d + rng.normal(0, 5)
            difference = contrast * d + rng.normal(0, 5) + shift
            rows.append({"vertebra": i, "binning": binning.name, "window": 5, "autocorrelation": brightness**2,
                         "joint_average": brightness, "contrast": difference, "difference_average": difference,
                         HU: d + rng.normal(0, 2)})  # fmt: skip
    return pd.DataFrame(rows)


def test_correlations_are_those_of_numpy_with_fishers_interval():
    found = page.correlations(means(), TRUTH)
    row = found[(found["binning"] == PATCH.name) & (found["map"] == "joint_average")].iloc[0]
    part = means()[lambda m: m["binning"] == PATCH.name]
    r = np.corrcoef(part["joint_average"], TRUTH)[0, 1]
    assert row["r"] == pytest.approx(r) and (row["low"], row["high"]) == pytest.approx(fisher_z_ci(r, 40))
    assert len(found) == 3 * 5


def test_the_density_sentence_tells_bins_apart_and_records_each_row(run):
    found = {name: page.correlations(means(seed=seed), TRUTH) for name, seed in (("scanner A", 1), ("scanner B", 2))}
    run.fact(n_bodies=40)
    page.show_density(run, found, PATCH, BONE, CLIPPED, 5)
    assert run.facts["mean_patch_A"].startswith("0.9") and run.facts["hu_B"].startswith(("0.99", "1.00"))
    assert float(run.facts["mean_bone_A"].split()[0].replace("−", "-")) < 0.5
    assert len(run.rows) == 2 * (3 * 4 + 1) and {row["kind"] for row in run.rows} == {"phantom"}
    assert all(row["published_id"] is None for row in run.rows)


def test_the_density_figure_has_a_line_a_binning_and_a_panel_a_scanner():
    found = {name: page.correlations(means(), TRUTH) for name in ("scanner A", "scanner B")}
    fig = page.density_figure(found)
    assert [axis.get_title(loc="left") for axis in fig.axes] == ["scanner A", "scanner B"]
    labels = [tick.get_text() for tick in fig.axes[0].get_yticklabels()]
    assert labels == [f"{b.name}, 5³" for b in (PATCH, BONE, CLIPPED)]
    assert [text.get_text() for text in fig.legends[0].get_texts()][-1] == HU


def test_shifts_count_in_standard_deviations_between_people():
    first = means()
    second = first.assign(contrast=first["contrast"] + 20)
    moved = page.shifts({"one": first, "other": second}, "one", "other")
    sd = first[first["binning"] == BONE.name]["contrast"].std()
    assert moved.loc[(BONE.name, 5), "contrast"] == pytest.approx(20 / sd) and moved.loc[(PATCH.name, 5), HU] == 0


@pytest.mark.parametrize(("slope", "said"), [(0.5, "rises"), (-0.5, "falls"), (0.0, "leave its sign open")])
def test_the_kernel_sentence_follows_the_interval_of_the_clean_contrast(run, slope, said):
    first = means()
    moved = page.shifts({"one": first, "other": means(shift=50)}, "one", "other")
    dose = first["contrast"][-40:].to_numpy() + np.linspace(0, 1, 40)  # the clipped bins come last
    noise = page.correlations(first, dose)
    page.show_kernel(run, moved, noise, page.correlations(means(contrast=slope), TRUTH), CLIPPED, 5)
    assert said in run.facts["verdict"]
    assert f"{run.facts['moved_hu']:+.1f}" != "-0.0" and run.facts["louder"] == "more"
    assert run.facts["of_noise"].startswith(("0.99", "1.00"))
    page.show_kernel(run, moved / 100, noise, page.correlations(means(), TRUTH), CLIPPED, 5)
    assert run.facts["louder"] == "less"


def test_four_maps_are_called_two_messages_only_where_they_are(run):
    rng = np.random.default_rng(0)
    inside = np.ones((6, 6, 6), bool)
    mean, contrast = rng.uniform(1, 9, (2, 6, 6, 6))
    twins = {"original": mean, "autocorrelation": mean**2, "joint_average": mean, "contrast": contrast,
             "difference_average": contrast**0.5}  # fmt: skip
    page.show_sameness(run, twins, inside)
    assert run.facts["messages"] == "about two messages" and run.facts["r_square"] == pytest.approx(1)
    page.show_sameness(run, twins | {"autocorrelation": rng.random((6, 6, 6))}, inside)
    assert run.facts["messages"] == "more than two messages"


def test_noise_is_held_against_the_closed_form(run):
    def frame(values):
        return pd.DataFrame({"contrast": values, "joint_average": [5, 5.1, 5.2]})

    page.show_noise(run, (0.0, 25.0, 50.0), {"width 25": frame([4.0, 6.0, 12.0]), "8 levels": frame([4.0, 5, 6])}, 25.0)
    assert run.facts["expected"] == 1 + 2 * 4 / 4 and run.facts["noisy"] == 3


def test_crops_are_told_by_their_medians(run):
    frame = pd.DataFrame({"share": [0.2, 0.5, 0.8, 0], "enlarged": 2.0, "contrast": [0.1, 0.3, np.nan, np.nan]})
    page.show_crops(run, np.ones((3, 3), bool), {"large crop": frame, "small crop": frame / 2})
    assert run.facts["large_met"] == 0.75 and run.facts["large_share"] == 0.5  # of those that meet the body
    assert run.facts["small_kept"] == pytest.approx(0.1)


def test_the_two_ways_and_the_maps_are_drawn(run):
    image = np.arange(16).reshape(4, 4) % 4 + 1
    page.show_by_hand(run, image, np.eye(4, dtype=int), image / 7)
    values = dict.fromkeys(FEATURES, 1.25)
    page.show_two_ways(run, values, values)
    pool = {name: np.random.default_rng(0).random((9, 9)) for name in ("original", *FEATURES)}
    page.show_maps(run, "maps", "simulated", pool, np.eye(9, dtype=bool))
    assert {"by_hand.png", "two_ways.csv", "maps.png"} <= {path.name for path in run.folder.iterdir()}


def test_the_nearest_rows_are_those_of_table_2(run):
    paper = load_published("tpswav2025_ct").set_index("published_id")
    page.show_nearest_rows(run, paper.set_axis(paper.index.str.removeprefix("tpswav2025_ct.")))
    shown = pd.read_csv(run.folder / "nearest.csv", index_col=0)
    assert shown.loc["TP-SwAV"].tolist() == [79.97, 60.10, 69.42, 73.97]
