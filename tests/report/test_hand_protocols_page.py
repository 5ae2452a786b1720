import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from osteolib.report import hand_protocols_page as page
from osteolib.report import hand_protocols_taught as taught
from osteolib.stats import bootstrap_ci

USES = "hand-phantom"

RNG = np.random.default_rng(0)
PERSON = np.repeat(np.arange(30), 4)
BONES = pd.DataFrame({"subject_id": [f"p{k}" for k in PERSON], "y": PERSON % 2})
LIKELY = 0.2 * BONES["y"].to_numpy() + RNG.uniform(0, 0.5, 30)[PERSON] + RNG.uniform(0, 0.3, 120)  # shared by a person
KEYS = [(name, "extended", by) for name in ("supervised", "SimCLR") for by in ("people", "bones")]
SCORED = {KEYS[0]: np.where(PERSON < 20, LIKELY, np.nan), KEYS[1]: LIKELY + 0.1 * BONES["y"], KEYS[2]: LIKELY,
          KEYS[3]: LIKELY + 0.3 * BONES["y"].to_numpy()}  # fmt: skip
SCORED = {key: np.asarray(p, float) for key, p in SCORED.items()}


def test_bones_that_are_not_scored_count_nowhere_and_people_are_resampled_whole():
    compared = page.compare_bones(BONES, SCORED, 100, 0)
    ok = PERSON < 20
    assert compared.estimate(page.method_name(KEYS[0]))[0] == pytest.approx(roc_auc_score(BONES["y"][ok], LIKELY[ok]))
    by_hand = bootstrap_ci(BONES["y"], LIKELY, "auroc", groups=PERSON, n_boot=100, seed=0)
    assert compared.estimate(page.method_name(KEYS[2]))[1:] == pytest.approx(by_hand.ci["auroc"])
    assert compared.rows["n"].tolist()[:3] == [80] * 3


def test_the_split_is_worth_the_difference_and_every_row_is_recorded(run):
    compared = page.compare_bones(BONES, SCORED, 100, 0)
    gap = page.gaps(compared, KEYS)
    better = roc_auc_score(BONES["y"], SCORED[KEYS[3]]) - roc_auc_score(BONES["y"], LIKELY)
    assert gap["SimCLR", "extended"] == pytest.approx(better)
    page.show_table_2(run, compared, KEYS, {("SimCLR", "extended"): (0.25, 3.5, 0.6)})
    assert run.facts["n_up"] == 2 and run.facts["rho_low"] == 0.25 and run.facts["worth"] == 0.6
    assert "auroc of bones, SimCLR, crops extended, split by bones" in {row["metric"] for row in run.rows}
    table = pd.read_csv(run.folder / "leak.csv", keep_default_na=False)
    assert table["ρ"].tolist() == ["–", "0.25"]  # supervised: no features before the labels


def test_bones_that_agree_are_worth_less_than_they_number():
    """Four bones with one score each person: the interval over people is twice as wide as that over bones."""
    same = {KEYS[2]: np.random.default_rng(2).normal(size=30)[PERSON] + BONES["y"].to_numpy()}
    widths = page.interval_widths(
        page.compare_bones(BONES, SCORED | same, 2000, 0), page.compare_bones(BONES, same, 2000, 0, by_person=False)
    )
    assert widths.index.tolist() == [page.method_name(KEYS[2])]
    assert widths["ratio"].iloc[0] == pytest.approx(2, rel=0.12)


def test_people_on_both_sides_are_counted(run):
    part = np.where(np.arange(120) % 4 == 0, "test", np.where(np.arange(120) % 4 == 1, "validation", "train"))
    page.show_table_1(run, BONES, {"people": np.repeat(["train", "validation", "test"], 40), "bones": part})
    assert run.facts["n_tested"] == run.facts["n_both"] == 30
    counts = pd.read_csv(run.folder / "table1.csv")
    assert counts.loc[counts["split by"] == "bones", "test"].tolist() == [15, 15]


def test_planted_curves_keep_their_means_and_the_sentence_reads_them(run):
    rho = np.array([0.0, 0.7])
    curve = {("bones", 8): np.array([[0.5, 0.5], [0.6, 0.8]]), ("bones", 256): np.array([[0.5, 0.5], [0.9, 1.0]]),
             ("people", 256): np.full((2, 2), 0.5)}  # fmt: skip
    lines = page.planted_figure(rho, curve).axes[0].lines
    assert lines[0].get_color() != lines[-1].get_color()
    assert lines[0].get_ydata() == pytest.approx([0.5, 0.7]) and lines[0].get_label() == "split by bones, 8 dimensions"
    page.show_planted(run, rho, curve)
    assert (run.facts["few"], run.facts["many"], run.facts["clean"]) == pytest.approx((0.7, 0.95, 0.5))
    assert run.rows[0]["metric"] == "AUROC of features without knowledge, split by bones, rho 0.7, 256 dimensions"


LAYER = pd.DataFrame({"epoch": [0, 1], "train_macro_f1": [0.5, 0.9], "macro_f1": [0.4, 0.5]})


def test_curves_speak_of_the_layers_alone(run):
    taught.show_curves(run, {"supervised": LAYER.assign(macro_f1=0.1), "SimCLR": LAYER})
    assert (run.facts["train_f1"], run.facts["val_f1"]) == (0.9, 0.5)
    left, right = taught.curves_figure({"supervised": LAYER, "SimCLR": LAYER}).axes
    assert [line.get_label() for line in right.lines] == ["training", "validation"] and left.get_ylabel() == "macro-F1"


def test_a_network_that_calls_all_alike_stands_beside_one_that_does_not(run):
    keys = {kind: ("supervised", kind, "people") for kind in ("whole", "views")}
    said = {keys["whole"]: LIKELY, keys["views"]: np.full(120, 0.9) + 0.01 * RNG.random(120)}
    compared = page.compare_bones(BONES, said, 100, 0)
    taught.show_taught(run, BONES, compared, said)
    shown = pd.read_csv(run.folder / "taught.csv").set_index("trained on")
    prevalence = BONES["y"].mean()
    assert run.facts["views_called"] == 1 and run.facts["all_ill"] == pytest.approx(2 * prevalence / (1 + prevalence))
    assert shown.loc["views", "bones called ill"] == shown.loc["calls all ill", "bones called ill"] == "100%"
    assert shown.loc["views", "F1"].startswith(f"{run.facts['all_ill']:.2f}")
    assert (run.facts["printed_f1"], run.facts["printed_acc"]) == ("0.447", "28.74")
