from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

from osteolib.report import hand_control_page as page
from osteolib.report import hand_control_rows as details

USES = "hand-rsna"

RNG = np.random.default_rng(0)
AGE = np.linspace(24, 190, 40)
MALE = np.tile([0, 1], 20)
SMALL = np.arange(40) < 24
SIMCLR, VICREG, RANDOM = "SimCLR", "VICReg", ["random encoder 1", "random encoder 2"]
PREDICTED = {
    SIMCLR: AGE + RNG.normal(0, 20, 40),
    VICREG: RNG.permutation(AGE),
    RANDOM[0]: AGE + RNG.normal(0, 60, 40),
    RANDOM[1]: AGE + RNG.normal(0, 60, 40),
    page.FORMAT: np.where(SMALL, 80.0, 130.0) + RNG.normal(0, 30, 40),
    page.LENGTH: AGE + RNG.normal(0, 5, 40),
}


@pytest.fixture(scope="module")
def compared():
    return page.compare_ages(AGE, PREDICTED, SMALL, 100, 0)


def gains():
    learned = {name: PREDICTED[name] for name in (SIMCLR, VICREG)}
    return page.compare_with_random(AGE, learned, [PREDICTED[r] for r in RANDOM], 100, 0)


def test_ages_are_compared_in_all_films_and_in_those_of_the_smaller_format(compared):
    assert compared.estimate(SIMCLR)[0] == pytest.approx(spearmanr(AGE, PREDICTED[SIMCLR]).statistic)
    inside = spearmanr(AGE[SMALL], PREDICTED[SIMCLR][SMALL]).statistic
    assert compared.estimate(SIMCLR, page.INSIDE)[0] == pytest.approx(inside)
    assert compared.estimate(SIMCLR, page.MAE)[0] == pytest.approx(np.abs(AGE - PREDICTED[SIMCLR]).mean())
    n = compared.rows.set_index(["method", "metric"])["n"]
    assert n[SIMCLR, page.AGE] == 40 and n[SIMCLR, page.INSIDE] == 24


def test_what_training_adds_is_paired_with_the_mean_of_the_random_encoders():
    others = np.mean([spearmanr(AGE, PREDICTED[r]).statistic for r in RANDOM])
    value, low, high = gains().difference(SIMCLR, page.OTHERS)
    assert value == pytest.approx(spearmanr(AGE, PREDICTED[SIMCLR]).statistic - others) and low < value < high


def test_found_needs_both_intervals_above_zero_and_the_sentences_follow(compared, run):
    assert page.word(compared, SIMCLR) == "found" and page.word(compared, VICREG) == "not found"
    page.show_ages(run, compared, AGE, np.full(40, AGE.mean()), 100, 0)
    page.show_verdict(run, compared, gains(), RANDOM, int(SMALL.sum()))
    assert run.facts["passed"] == SIMCLR and run.facts["better"] == SIMCLR and run.facts["worse"] == VICREG
    assert run.facts["mae_0"] == pytest.approx(np.abs(AGE - AGE.mean()).mean())
    assert {"bone age, spearman, SimCLR", "bone age, mae months, VICReg"} <= {row["metric"] for row in run.rows}
    last = pd.read_csv(run.folder / "bone_age.csv").iloc[-1]
    assert last["known"] == "nothing: mean of the others" and last["Spearman, all"] == "–"


@pytest.mark.parametrize(("passed", "n_found"), [([], 0), ([], 1), ([SIMCLR], 0), ([SIMCLR], 2)])
def test_a_control_is_passed_or_not_and_random_encoders_clear_the_chain_only_if_they_find(passed, n_found):
    said = " ".join(page.verdict_sentences(passed, [], [], n_found))
    assert ("control is passed" in said) == bool(passed) and ("control is not passed" in said) == (not passed)
    assert ("not to blame" in said) == bool(n_found and not passed)
    assert (
        ("not what pre-training does" in said) == bool(n_found and passed)
        and "{worse}" not in said
        and "{better}" not in said
    )


def test_a_score_that_lives_on_the_format_is_worth_nothing_within_it(run):
    large = (np.arange(40) % 4 > 1).astype(int)
    male = np.where(np.arange(40) % 5 == 0, 1 - large, large)
    blind, seeing = np.random.default_rng(1).normal(size=(2, 40))
    scores = {SIMCLR: blind, VICREG: seeing + male, page.FORMAT: large.astype(float)}
    compared = details.compare_sexes(male, scores, {"same film format": large}, 100, 0)
    assert compared.estimate(page.FORMAT)[0] == pytest.approx(roc_auc_score(male, large))
    assert compared.estimate(page.FORMAT, "same film format")[0] == 0.5
    details.show_sexes(run, compared)
    names = [row["metric"] for row in run.rows]
    assert "sex, auroc, SimCLR" in names and "sex, auroc, same film format, SimCLR" in names
    assert run.facts["seen"] == "is not shown to find"


def test_single_bones_are_judged_by_their_own_predictions(run):
    bones = pd.DataFrame({"hand": np.repeat(np.arange(40), 2), "bone": np.tile(["M1", "M3"], 40)})
    truth = AGE[bones["hand"]]
    three = {
        SIMCLR: np.where(bones["bone"].eq("M1"), truth, -truth),
        VICREG: truth,
        RANDOM[0]: np.random.default_rng(2).normal(size=80),
    }
    alone = details.compare_single_bones(AGE, bones, three, 100, 0)
    assert list(alone) == ["M1", "M3"]
    assert alone["M1"].estimate(SIMCLR)[0] == 1 and alone["M3"].estimate(SIMCLR)[0] == -1
    run.fact(n=40)
    details.show_single_bones(run, alone, dict.fromkeys(three, 0.4))
    assert run.facts["least"] == "M3 with SimCLR"
    (axis,) = details.alone_figure(alone, dict.fromkeys(three, 0.4)).axes
    assert [t.get_text() for t in axis.get_xticklabels()] == ["M1", "M3"]
    assert axis.lines[0].get_ydata()[0] == 0.4  # dashed, the vote


def test_predictions_have_a_row_for_each_hand_method_and_target(run):
    hands = pd.DataFrame({c: [f"{c}{k}" for k in range(40)] for c in ("subject_id", "image_id", "unit_id")})
    votes = {(SIMCLR, "age"): PREDICTED[SIMCLR], (SIMCLR, "sex"): np.random.default_rng(3).random(40)}
    details.record_predictions(run, hands, np.arange(40) % 3, votes, {"age": AGE, "sex": MALE}, 7)
    table = pd.read_csv(run.folder / "predictions.csv")
    assert len(table) == 80 and table["seed"].eq(7).all() and table["cohort"].eq("hand-rsna").all()
    assert table.loc[0, "y_score"] == pytest.approx(PREDICTED[SIMCLR][0])
    assert table.loc[table["target"] == "sex", "y_true"].tolist() == MALE.tolist()


def test_losses_of_a_method_share_a_panel_and_the_worst_part_is_told(run):
    parts = [(m, k) for m in ("simclr", "vicreg") for k in (0, 1)]
    history = {
        (m, k): pd.DataFrame(
            {"epoch": [0, 1], "loss": [4, 3 + k / 10], "collapsed_loss": 4.0, "embedding_sd": [0.2, 0.5 + k / 10]}
        )
        for m, k in parts
    }
    axes = page.losses_figure(history).axes
    assert [axis.get_title(loc="left") for axis in axes] == ["SimCLR", "VICReg"] and len(axes[0].lines) == 4
    page.show_pretraining(run, history, 180, 64)
    assert run.facts["simclr"] == pytest.approx(3.1 / 4) and run.facts["spread"] == 0.5 and run.facts["steps"] == 4


def test_six_hands_are_titled_with_age_and_sex_and_points_lie_in_years(run):
    film = np.zeros((60, 40), np.uint8)
    hands = pd.DataFrame({"bone_age_months": AGE[:7], "sex": list("FMFMFMF")})
    cut = [SimpleNamespace(images={"M1": np.ones((4, 4))}) for _ in range(7)]
    bones = SimpleNamespace(hands=hands, films=[film] * 7, masks=[film + 1] * 7, cut=cut)
    bones.masks[0][:30] = 0
    titles = [axis.get_title(loc="left") for axis in page.bones_figure(bones).axes[:6]]
    assert titles[0] == "2.0 years, F" and titles[-1].endswith("F")
    panels = page.age_figure(AGE, MALE, {SIMCLR: PREDICTED[SIMCLR]} | {VICREG: AGE}).axes
    assert panels[1].lines[0].get_ydata() == pytest.approx(AGE[MALE == 0] / 12)
