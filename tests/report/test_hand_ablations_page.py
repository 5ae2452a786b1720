import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from osteolib.report import ablation
from osteolib.report import hand_ablations as steps
from osteolib.report import hand_ablations_page as page
from osteolib.screen import hand_parts as parts
from osteolib.screen.hand_grid import Segments
from osteolib.stats import delong_test
from osteolib.stats.power import power_of

USES = "hand-phantom"

RNG = np.random.default_rng(0)
N = 120
Y = np.tile([0, 1, 0], N // 3)
SHARED = RNG.normal(size=N)


def votes(gain, noise=0.3):
    score = gain * Y + SHARED + noise * RNG.normal(size=N)
    return pd.DataFrame({"group": [f"s{k}" for k in range(N)], "y_true": Y, "y_score": score})


STEPS = steps.steps()
PEOPLE = {parts.FULL: votes(1.5)} | {name: votes(1.5) for name in STEPS}
PEOPLE[parts.FILMED] = votes(0.0)  # the only step that costs anything, and much
PEOPLE[parts.FILM] = votes(1.5).sample(frac=1, random_state=0)  # the same people in another order


SCORED = ablation.on_same_units(PEOPLE, parts.FULL, unit="group")


def compare(scored):
    return ablation.compare_steps(scored, STEPS, parts.FULL, 200, 0, more=[(parts.FULL, parts.UNTRAINED)])


@pytest.fixture(scope="module")
def compared():
    return compare(SCORED)


def summed(compared):
    return ablation.summary(SCORED, compared, STEPS, parts.FULL, {"few": 12, "all": N}).set_index("method")


def test_every_step_is_told_from_the_full_method_and_from_its_base(compared):
    pairs = set(compared.differences[["method", "reference"]].itertuples(index=False, name=None))
    assert pairs == {(name, parts.FULL) for name in STEPS} | {
        (name, step.base or parts.FULL) for name, step in STEPS.items()
    } | {(parts.FULL, parts.UNTRAINED)}
    assert not compared.differences.duplicated(["method", "reference"]).any()


def test_people_are_matched_by_name_and_not_by_place(compared):
    assert compared.estimate(parts.FILM)[0] == pytest.approx(
        roc_auc_score(PEOPLE[parts.FILM]["y_true"], PEOPLE[parts.FILM]["y_score"])
    )
    others = PEOPLE | {parts.VGG: votes(1).assign(group=[f"t{k}" for k in range(N)])}
    with pytest.raises(ValueError, match="'labels, VGG16' scored other units than 'full method'"):
        ablation.on_same_units(others, parts.FULL, unit="group")


def test_printed_losses_are_changes_below_zero():
    """As the text prints them: 0.07 without segmentation, 0.18 without pre-training, 0.19 over DeepDXA."""
    assert {name: step.printed for name, step in STEPS.items() if step.printed} == {
        parts.FILM: (-0.07,), parts.LABELS: (-0.18, -0.19)}  # fmt: skip


def test_only_the_planted_loss_is_called_one_and_p_is_holms(compared):
    found = summed(compared)
    assert found["verdict"].to_dict() == dict.fromkeys(STEPS, "cannot tell") | {parts.FILMED: "a loss"}
    raw = delong_test(Y, PEOPLE[parts.FULL]["y_score"], PEOPLE[parts.FILMED]["y_score"]).p
    assert found.loc[parts.FILMED, "p"] == pytest.approx(len(STEPS) * raw)  # the smallest of all
    assert found.loc[parts.LABELS, "printed"] == [-0.18, -0.19] and not found.loc[parts.SQUARES, "printed"]


def test_the_least_difference_is_that_of_the_interval_and_grows_with_the_root_of_fewer_people(compared):
    found = summed(compared)
    np.testing.assert_allclose(found["few"], found["all"] * 10**0.5)
    ci = compared.difference(parts.SQUARES, parts.FULL)[1:]
    assert power_of(found.loc[parts.SQUARES, "all"], ci).chance == pytest.approx(0.8, abs=1e-3)


def test_the_figure_has_a_line_a_step_the_printed_changes_and_what_few_people_could_not_show(compared, run):
    single = {0: PEOPLE, 1: {name: people for name, people in PEOPLE.items() if name != parts.UNTRAINED}}
    found = page.show_differences(run, SCORED, compared, 1.5 * Y + SHARED, single)
    facts = run.facts
    assert (facts["n_few"], facts["n_printed"], facts["n_steps"]) == (19, 3, len(STEPS))
    assert facts["n_clear"] == 1 and facts["clear"].startswith("*as filmed*, a loss")
    assert facts["few_high"] == found["least of 19 people"].max()
    printed = [(0.07, parts.FILM), (0.18, parts.LABELS), (0.19, parts.LABELS)]
    least = found.set_index("method")["least of 192 people"]
    assert facts["all_seen"] == sum(size >= least[name] for size, name in printed)
    assert len(pd.read_csv(run.folder / "steps.csv")) == len(STEPS)
    figure = ablation.differences_figure(compared, found, parts.FULL, "least of 19 people", 0.1)
    axis = figure.axes[0]
    assert axis.get_yticklabels()[0].get_text() == "squares, no mask (4)"
    bars = {round(bar.get_y() + bar.get_height() / 2): bar.get_width() / 2 for bar in axis.patches}
    assert bars[len(found) - 1] == pytest.approx(found["least of 19 people"].iloc[0])
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        "attainable", "published", "too small for 19 people"]  # fmt: skip


def test_single_steps_are_those_with_a_base_of_their_own(compared, run):
    page.show_single_steps(run, compared)
    found = pd.read_csv(run.folder / "single.csv")
    assert found["to"].tolist() == [parts.SQUARES, parts.PATCHES, parts.FILM, parts.VGG, parts.HAND]
    assert run.facts["hand"] == found["AUROC (95 % CI)"].iloc[4] and run.facts["costs"] == "none of them"


def test_the_part_of_the_segmentation_that_costs_is_named(run):
    blind = {name: votes(0.0) for name in (parts.PATCHES, parts.FILM)}
    page.show_single_steps(run, compare(ablation.on_same_units(PEOPLE | blind, parts.FULL, unit="group")))
    assert run.facts["costs"] == "the place"


def test_each_training_is_told_as_its_recipe_is(run):
    recipes = parts.unlabelled_steps(("resnet18", 7, 128), 0)
    page.show_recipes(run, recipes | {parts.LABELS: ("bones", parts.taught_recipe("whole", 0, "resnet18", 7, 128))})
    shown = pd.read_csv(run.folder / "recipes.csv", index_col=0)
    assert shown.loc[parts.FULL, "views"] == "2 of 64 px + 4 of 32 px, at least 10% bone"
    assert shown.loc[parts.CONVENTIONAL, "views"] == "2 of 64 px + 4 of 32 px"
    assert shown.loc[parts.CROPS_ALONE, "augmentation"] != shown.loc[parts.FULL, "augmentation"]
    assert shown["told"].tolist() == ["nothing"] * len(recipes) + ["labels"] and set(shown["epochs"]) == {7}


def test_the_paper_may_have_tested_one_fold_one_a_seed_or_all():
    assert page.people_tested() == {"least of 19 people": 19, "least of 57 people": 57, "least of 192 people": 192}


def test_the_hand_is_told_how_much_coarser_it_is(run, monkeypatch):
    labels = np.zeros((120, 90), np.uint8)
    labels[20:60, 40:50], labels[60:100, 20:30] = 4, 1
    film = RNG.integers(1, 255, labels.shape).astype(np.uint8)
    monkeypatch.setattr(page, "read_masks", lambda *_: labels)
    monkeypatch.setattr(page, "read_radiograph", lambda _: type("Film", (), {"pixels": film}))
    hands = pd.DataFrame({"n_bones": [7], "path": [""], "masks_path": [""], "image_id": [""]})
    rows = pd.DataFrame({"subject_id": ["a", "a"], "bone": ["M2", "hand"]})
    one = Segments(np.zeros((2, 8, 8), np.uint8), rows, rows[:0])
    page.show_windows(
        run, hands.assign(subject_id="a"), dict.fromkeys(("bones", "squares", "patches", "hand", "film"), one)
    )
    assert run.facts["hand_coarser"] == pytest.approx(88 / 44) and run.facts["film_coarser"] == pytest.approx(120 / 44)
