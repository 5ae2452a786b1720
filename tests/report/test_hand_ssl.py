import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from osteolib.phantoms.hand.shapes import BONES
from osteolib.report import hand_ssl as figures
from osteolib.report import hand_ssl_page as page
from osteolib.report import hand_ssl_results as results
from osteolib.report.comparison import compare_scores, together

USES = "hand-phantom"

RNG = np.random.default_rng(0)
Y = np.tile([0, 1], 20)
SAID = {
    results.RANDOM: RNG.uniform(0, 0.4, 40),
    "SimCLR, conventional": np.clip(0.3 * Y + RNG.uniform(0, 0.6, 40), 0, 1),
    "SimCLR, extended": np.where(Y == 1, 0.9, 0.1),
    "SimCLR, extended, as filmed": np.clip(0.2 * Y + RNG.uniform(0, 0.6, 40), 0, 1),
    "SimCLR, large": np.clip(0.6 * Y + RNG.uniform(0, 0.4, 40), 0, 1),
    "supervised": np.clip(0.4 * Y + RNG.uniform(0, 0.6, 40), 0, 1),
}
PEOPLE = {name: pd.DataFrame({"group": [f"s{k}" for k in range(40)], "y_true": Y, "y_score": score})
          for name, score in SAID.items()}  # fmt: skip
PLAIN = {"cortex of M2, true": Y + RNG.normal(0, 0.5, 40)}
IDEAL = Y + RNG.normal(0, 0.3, 40)


@pytest.fixture
def compared():
    return results.compare_encoders(PEOPLE, PLAIN, IDEAL, 100, 0)


def test_encoders_are_compared_with_the_random_one_and_in_single_steps(compared):
    for name, people in PEOPLE.items():
        assert compared.estimate(name)[0] == pytest.approx(roc_auc_score(Y, people["y_score"]))
    pairs = compared.differences[["method", "reference"]].to_numpy().tolist()
    against = ["SimCLR, conventional", "SimCLR, extended", "SimCLR, large", "supervised"]
    assert pairs == [[name, results.RANDOM] for name in against] + [
        ["SimCLR, extended", "SimCLR, extended, as filmed"],
        ["SimCLR, large", "SimCLR, extended"],
        ["SimCLR, extended", "SimCLR, conventional"],
    ]


def test_the_attainable_is_what_the_ideal_reader_makes_of_these_very_people(compared):
    attainable = compared.rows.loc[compared.rows["metric"] == "auroc", "attainable"].unique()
    assert attainable == pytest.approx([roc_auc_score(Y, IDEAL)])


def test_a_precision_of_a_handful_of_calls_is_not_given(compared):
    called = compared.rows.groupby("method")["metric"].agg(set)
    assert "ppv" in called["SimCLR, extended"] and "ppv" not in called[results.RANDOM]
    assert compared.estimate(results.RANDOM, "sensitivity")[0] == 0
    assert called["cortex of M2, true"] == {"auroc"}  # no calls of a measurement


def test_every_row_is_recorded_and_the_best_on_large_views_is_named(compared, run, monkeypatch):
    monkeypatch.setattr(results, "attainable_auroc", lambda preset: 0.9)
    results.show_methods(run, compared, {results.RANDOM: [0.5, 0.6]}, 0)
    assert {"auroc, random encoder", "f1, SimCLR, extended"} <= {row["metric"] for row in run.rows}
    assert run.facts["best"] == run.facts["worst"] == "SimCLR, large" and run.facts["at_large"] == 0.9
    assert run.facts["best_share"] == pytest.approx(compared.share("SimCLR, large")[0])
    assert (run.folder / "auroc.png").is_file()


def test_a_step_is_called_a_gain_a_loss_or_neither_by_its_interval(compared, run):
    results.show_contrasts(run, compared)
    for key, (method, reference) in results.CONTRASTS.items():
        _, low, high = compared.difference(method, reference)
        expected = "a gain" if low > 0 else "a loss" if high < 0 else "this run cannot tell"
        assert run.facts[f"verdict_{key}"] == expected
    assert run.facts["verdict_ranks"] == "a gain"  # all told against chance and a little
    assert len(pd.read_csv(run.folder / "steps.csv")) == 4


def history(losses, spreads, ranks):
    columns = {"epoch": [0, 1], "loss": losses, "collapsed_loss": 4.0, "embedding_sd": spreads, "effective_rank": ranks}
    return pd.DataFrame(columns)


HISTORY = {
    ("simclr", "extended", "ranked", 0): history([4.0, 2.0], [0.5, 0.8], [3, 9]),
    ("supcon", "extended", "ranked", 0): history([4.0, 3.99], [0.1, 0], [2, 1]),
}


def test_a_loss_within_a_hundredth_of_its_collapse_is_named(run):
    page.show_pretraining(run, HISTORY, 120)
    assert run.facts["stuck"] == "SupCon, extended" and run.facts["most"] == "SimCLR, extended"
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


def test_what_features_know_is_told_of_the_cortex_and_of_the_window(run):
    names = results.RANDOM, "SimCLR, extended, as filmed", "SimCLR, large"
    known = {name: {"which bone": 0.7, "cortex": 0.1 * k, "window": 0.9 - 0.3 * k} for k, name in enumerate(names)}
    page.show_knowledge(run, known)
    assert run.facts["filmed_window"] == pytest.approx(0.6) and run.facts["large_cortex"] == 0.2
    assert pd.read_csv(run.folder / "knows.csv")["encoder"].tolist() == list(names)
