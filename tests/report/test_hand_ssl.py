import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from osteolib.phantoms.hand.shapes import BONES
from osteolib.report import hand_ssl as figures
from osteolib.report import hand_ssl_page as page
from osteolib.report.comparison import compare_scores, together

USES = "hand-phantom"

RNG = np.random.default_rng(0)
Y = np.tile([0, 1], 20)
PEOPLE = {
    name: pd.DataFrame({"group": [f"s{k}" for k in range(40)], "y_true": Y, "y_score": score})
    for name, score in {
        page.RANDOM: RNG.uniform(0, 0.4, 40),
        "SimCLR, crops conventional": np.clip(0.3 * Y + RNG.uniform(0, 0.6, 40), 0, 1),
        "SimCLR, crops extended": np.where(Y == 1, 0.9, 0.1),
    }.items()
}
PLAIN = {"cortex of M2, true, crops none": Y + RNG.normal(0, 0.5, 40)}


@pytest.fixture
def compared(monkeypatch):
    monkeypatch.setattr(page, "attainable_auroc", lambda seed, preset: 0.9)
    return page.compare_encoders(PEOPLE, PLAIN, 100, 0)


def test_encoders_are_compared_with_the_random_one_and_crops_with_each_other(compared):
    for name, people in PEOPLE.items():
        assert compared.estimate(name)[0] == pytest.approx(roc_auc_score(Y, people["y_score"]))
    pairs = compared.differences[["method", "reference"]].to_numpy().tolist()
    assert pairs == [
        ["SimCLR, crops conventional", page.RANDOM],
        ["SimCLR, crops extended", page.RANDOM],
        ["SimCLR, crops extended", "SimCLR, crops conventional"],
    ]


def test_a_precision_of_a_handful_of_calls_is_not_given(compared):
    called = compared.rows.groupby("method")["metric"].agg(set)
    assert "ppv" in called["SimCLR, crops extended"] and "ppv" not in called[page.RANDOM]
    assert compared.estimate(page.RANDOM, "sensitivity")[0] == 0
    assert called["cortex of M2, true, crops none"] == {"auroc"}  # no calls of a measurement


def test_readers_see_short_names_and_results_keep_the_full_ones(compared, run):
    assert [page.for_reading(name) for name in compared.methods] == [
        "random encoder", "SimCLR, conventional", "SimCLR, extended", "cortex of M2, true"
    ]  # fmt: skip
    page.show_methods(run, compared, {page.RANDOM: [0.5, 0.6]}, 0)
    assert {"auroc, random encoder, crops none", "f1, SimCLR, crops extended"} <= {row["metric"] for row in run.rows}
    assert run.facts["best"] == "SimCLR, extended" and run.facts["n_above"] >= 1
    assert run.facts["attainable"] == 0.9 and run.facts["n_cells"] == 2
    assert (run.folder / "auroc.png").is_file()


def history(losses, spreads, ranks):
    columns = {"epoch": [0, 1], "loss": losses, "collapsed_loss": 4.0, "embedding_sd": spreads, "effective_rank": ranks}
    return pd.DataFrame(columns)


HISTORY = {
    ("simclr", "extended", 0): history([4.0, 2.0], [0.5, 0.8], [3, 9]),
    ("supcon", "extended", 0): history([4.0, 3.99], [0.1, 0], [2, 1]),
}


def test_a_loss_within_a_hundredth_of_its_collapse_is_named(run, monkeypatch):
    monkeypatch.setattr(figures, "NAMES", {"simclr": "SimCLR", "supcon": "SupCon"})
    page.show_pretraining(run, HISTORY, 120)
    assert run.facts["stuck"] == "SupCon" and run.facts["most"] == "SimCLR"
    last = page.last_epochs(HISTORY)
    assert last["loss"].tolist() == [2.0, 3.99] and last["rank"].tolist() == [9, 1]


def test_collapse_shows_losses_in_the_panel_of_their_method():
    axes = figures.collapse(HISTORY).axes
    assert [axis.get_title(loc="left") for axis in axes[:2]] == ["SimCLR", "SupCon"]
    assert axes[0].lines[0].get_ydata().tolist() == [4.0, 2.0] and axes[0].lines[0].get_xdata().tolist() == [1, 2]
    assert axes[1].lines[1].get_ydata()[0] == 4.0  # dotted
    assert axes[5].lines[0].get_ydata().tolist() == [0.1, 0]


def test_stages_hold_film_bones_views_and_both_lessons():
    grey = np.full((8, 8), 0.5)
    fig = figures.stages(np.ones((9, 9)), np.eye(9), [grey] * 7, [grey] * 6)
    assert len(fig.axes) == 1 + 7 + 6
    said = {text.get_text() for text in fig.texts}
    assert {"encoder $f$", "head $g$", "$f$, frozen", "linear layer", "1: without labels"} <= said


def test_a_bone_is_drawn_beside_its_own_auroc():
    rng = np.random.default_rng(1)
    means = pd.DataFrame(rng.random((7, 4)), index=list(BONES), columns=["a", "b", "c", "d"])
    alone = together(*(compare_scores(Y, {b: Y + rng.normal(size=40)}, n_boot=100) for b in BONES))
    left, right = figures.bone_by_bone(means, dict.fromkeys("abcd", 3), alone).axes
    assert left.lines[1].get_ydata() == pytest.approx(means["b"]) and left.lines[1].get_label() == "b, n = 3"
    points = [line.get_ydata()[0] for line in right.lines if line.get_marker() == "o"]
    assert points == pytest.approx([alone.estimate(b)[0] for b in BONES])


def test_what_features_know_is_told_beside_the_random_encoder(run):
    known = {("random encoder", "none", 0): {"which bone": 0.7, "sex": 0.5, "cortex of M2": 0.1},
             ("simclr", "extended", 0): {"which bone": 0.9, "sex": 0.6, "cortex of M2": 0.4},
             ("vicreg", "extended", 0): {"which bone": 0.8, "sex": 0.6, "cortex of M2": 0.2}}  # fmt: skip
    page.show_knowledge(run, known)
    assert (run.facts["bone_random"], run.facts["bone_low"], run.facts["bone_high"]) == (0.7, 0.8, 0.9)
    assert pd.read_csv(run.folder / "knows.csv")["encoder"].tolist() == ["random encoder", "SimCLR", "VICReg"]
