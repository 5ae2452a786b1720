import numpy as np
import pandas as pd
import pytest

from osteolib.phantoms.hand.truth import ANNOTATOR_WEIGHTS
from osteolib.report import hand_outline_page as page
from osteolib.report import hand_outline_rows as rows
from osteolib.report import hand_outlines as figures
from osteolib.segment.bones import BoneImages
from osteolib.segment.opinions import KnownHands, Likeness, likeness, truth_as_drawn
from osteolib.segment.real_hands import AnnotatedHand
from osteolib.segment.real_overlap import RealOverlap
from osteolib.segment.training import Drawn, Recipe
from osteolib.stats import bland_altman

USES = "hand-phantom"

pytestmark = pytest.mark.filterwarnings("ignore:invalid escape sequence")  # docstrings of POT, where it is compiled
WEIGHTS = {"tight": 0.7, "loose": 0.3}
MASK = np.zeros((32, 32), np.uint8)
MASK[4:28, 4:8], MASK[4:28, 12:16], MASK[4:28, 20:24] = 1, 4, 5
HANDS = KnownHands(
    np.full((2, 32, 32), 0.5, np.float32), np.stack([np.stack([MASK, np.roll(MASK, 1, 0)])] * 2), np.array([0.7, 0.3]),
    [MASK] * 2, np.array([0.5, 0.5]), np.stack([MASK] * 2),
)  # fmt: skip
TWO = Drawn(HANDS.labels, np.array([[0.6, 0.4]] * 2), np.array([[0.6, 0.4]] * 2), truth_as_drawn(HANDS).probability)


def titles(fig):
    return [axis.get_title(loc="left") or axis.get_title() for axis in fig.axes]


def test_the_flow_chart_counts_the_parameters_of_the_network_that_is_trained():
    from osteolib.segment.mixture import MixtureUNet

    graph = figures.mixture_graph(Recipe(k=3, n_samples=2, latent=4, width=4), 64)
    net = MixtureUNet(8, 3, 4, 4)
    decoder = sum(p.numel() for p in net.decoders[0].parameters())
    assert graph.nodes["decoder 2"]["detail"].startswith(f"{decoder:,} parameters")
    assert set(graph.pred["1×1, 1×1, 1×1"]) == {"decoder 1", "decoder 2", "decoder 3"}
    assert graph.nodes["mixture q"]["detail"] == "6 masks and their weights"
    assert set(graph.pred["router"]) == {"stop-gradient"}


def test_plans_are_written_out_entry_by_entry():
    fig = figures.transport_plans({"plan": np.array([[0.5, 0.0], [0.2, 0.3]]), "other": np.eye(2)}, [0.7, 0.3])
    assert [t.get_text() for t in fig.axes[0].texts] == ["0.5", "0.0", "0.2", "0.3"]
    assert [t.get_text() for t in fig.axes[0].get_xticklabels()] == ["0.7", "0.3"]


def test_the_training_figure_starts_at_gamma_0_and_ends_without_cross_entropy():
    history = pd.DataFrame({"transport": [1.0, 0.5, 0.4], "routing": [0.1, 0.1, 0.1], "ged": [0.5, 0.4, 0.3]})
    recipe = Recipe(k=4, n_samples=2, epochs=3)
    fig = figures.training({"mixture": history, "single decoder": history + 1}, recipe)
    gamma, weight = fig.axes[0].lines
    assert gamma.get_ydata()[0] == 1 / 8 and gamma.get_ydata()[-1] == 1
    assert weight.get_ydata()[-1] == 0
    assert fig.axes[2].lines[1].get_ydata() == pytest.approx([1.5, 1.4, 1.3])


def test_opinions_and_doubt_name_whose_they_are():
    fig = figures.hypotheses(HANDS, 0, TWO, WEIGHTS)
    assert titles(fig) == ["tight, β = 0.7", "loose, β = 0.3", "module 1, π = 0.60", "module 2, π = 0.40"]
    fig = figures.doubt(HANDS, 0, {"mixture": TWO})
    assert titles(fig)[:3] == ["truth", "annotators", "mixture"]
    assert fig.axes[1].images[0].get_array().max() == pytest.approx(0.8813, abs=1e-3)  # bits of 0.7 and 0.3
    assert fig.axes[2].images[0].get_array().max() == 0  # certain


def test_the_calmest_hand_is_whole_and_bare():
    hands = pd.DataFrame({"n_bones": [7, 6, 7, 7], "plate": [False, False, True, False], "cast": False,
                          "x": [-3.0, 0.0, 0.1, 2.0]})  # fmt: skip
    assert figures.calmest(hands) == 3


def test_a_reliability_curve_lies_where_pixels_are_right():
    fig = figures.reliability(HANDS, {"mixture": TWO}, {"mixture": 0.125})
    curve = fig.axes[0].lines[1]
    assert curve.get_label() == "mixture, ECE 0.125"
    assert curve.get_xdata().tolist() == [1.0] and 0.7 < curve.get_ydata()[0] < 1


def test_modes_show_who_owns_a_module_and_the_mass_beside_the_weight():
    like = {name: likeness(TWO, HANDS.labels) for name in figures.LOOK}
    mass = rows.masses(like, list(WEIGHTS), 100, 0)
    fig = figures.modes(like, WEIGHTS, mass)
    bold = [t.get_text() for t in fig.axes[0].texts if t.get_weight() == "bold"]
    assert bold == ["1.00", "1.00"]
    assert [bar.get_height() for bar in fig.axes[2].patches] == [0.7, 0.3]


def test_modes_table_by_hand():
    like = Likeness(np.array([[[0.9, 0.5], [0.8, 0.4]]]), np.array([[1.0, 0.0]]), np.array([[0.5, 0.5]]))
    row = rows.modes_table({"mixture": like}, WEIGHTS).loc["mixture"]
    assert row["modes recovered"] == "tight" and row["of K"] == 2
    assert row["modules in use, exp(H)"] == pytest.approx(2) and row["mass misplaced"] == pytest.approx(0.3)


SCORES = {
    "mixture": pd.DataFrame({"GED²": [0.1, 0.2, 0.3, 0.2], "Dice, truth": [0.8, 0.8, 0.8, 0.7]}),
    "single decoder": pd.DataFrame({"GED²": [0.2, 0.3, 0.4, 0.3], "Dice, truth": [0.7, 0.9, 0.8, 0.7]}),
    "true mask": pd.DataFrame({"GED²": [0.0, 0.0, 0.1, 0.1], "Dice, truth": [1.0, 1.0, 1.0, 1.0]}),
}


def test_less_ged_is_better_and_an_interval_with_zero_tells_nothing(run):
    pair = ("mixture", "single decoder")
    compared = rows.compare_means(SCORES, [pair], 200, 0)
    assert rows.sign_in_words(compared, *pair, "GED²") == "better"
    assert rows.sign_in_words(compared, *pair, "Dice, truth") == "not told apart"
    means, differences = rows.by_metric(compared)
    assert means.columns.tolist() == list(SCORES) and means.index.tolist() == ["GED²", "Dice, truth"]
    assert differences.loc["GED²", "mixture − single decoder"].startswith("−0.100")
    rows.record_models(run, compared)
    assert {row["metric"] for row in run.rows} == {f"{m}: {k}" for m in SCORES["mixture"] for k in pair}


def cut(*names, reason="absent from the label map"):
    images = {name: np.ones((4, 4), np.float32) for name in names}
    missing = {bone: reason for bone in rows.BONES if bone not in names}
    return BoneImages(images, {name: (2, 3, 9) for name in names}, missing)


def test_bones_found_missed_and_made_up_by_hand():
    predicted = [cut("ulna", "M2"), cut("M2"), cut("ulna", "M3")]
    true = [cut("ulna", "M2"), cut("ulna", "M2"), cut("ulna")]
    overlap = np.full((3, 7), 0.5)
    table, totals = rows.bones_found(predicted, true, overlap, 100, 0)
    table = table.set_index("bone")
    assert table.loc["ulna"].tolist()[:4] == [3, 2, 1, 0]
    assert table.loc["M3"].tolist()[:4] == [0, 0, 0, 1] and table.loc["M3"].iloc[-1] == "–"
    assert table.loc["ulna"].iloc[-1] == "0.500 (no spread)"
    assert totals == {"n_shown": 5, "n_found": 4, "n_lost": 1, "n_extra": 1, "why": "1 × absent from the label map"}


def test_squares_stand_around_the_bones_that_were_cut():
    fig = figures.cut_bones(np.zeros((32, 32)), MASK, cut("M2"))
    (square,) = fig.axes[0].patches
    assert (square.get_xy(), square.get_width()) == ((3, 2), 9)


def test_agreement_is_bland_altman_and_two_hands_are_too_few():
    known = pd.Series([50.0, 55, 60, 65])
    frame = pd.DataFrame({"percentage": [51.0, 57, 61, np.nan], "shaft_mm": 8.0, "canal_mm": 4.0, "reason": ""})
    table = rows.agreement_table(known, {"mixture": frame, "two": frame[2:]})
    assert table.loc["mixture", "measured"] == "3 of 4" and table.loc["two", "bias"] == "–"
    b = bland_altman(known[:3], frame["percentage"][:3])
    assert table.loc["mixture", "bias"].startswith(f"{b.bias:+.1f}")
    assert table.loc["mixture", "limits"] == f"{b.loa_low:+.1f} to {b.loa_high:+.1f}"


def test_less_cortex_is_more_ill_and_hands_without_a_reading_are_left_out():
    ill = pd.Series([1, 1, 0, 0, 0])
    read = {"true": [1, 2, 3, 4, 5], "some": [9, 1, 2, 3, None], "one class": [1, 2, None, None, None]}
    percentages = {name: pd.Series(values, dtype=float) for name, values in read.items()}
    compared = rows.compare_percentages(ill, percentages, 0.9, 100, 0)
    assert compared.methods == ["true", "some"]
    assert compared.estimate("true")[0] == 1 and compared.estimate("some")[0] == 0.5
    assert compared.rows["n"].tolist() == [5, 4]


def test_real_bones_are_averaged_over_accepted_masks_alone():
    there = np.zeros((4, 5), bool)
    there[:3, 1] = True
    gap = RealOverlap([], [], np.array([[0.9] * 5, [0.8] * 5, [0.1] * 5, [0.0] * 5]), there)
    table = rows.real_by_bone(gap, 100, 0).set_index("bone")
    assert table.loc["M2"].tolist()[0] == 3 and table.loc["M2", "mean Dice (95 % CI)"].startswith("0.60")
    assert table.loc["M2", "median"] == "0.80" and table.loc["M2", "of Dice over 0.7"] == 2
    assert table.loc["M1"].tolist() == [0, "–", "–", 0]
    film = np.full((60, 40), 100, np.uint8)
    fig = figures.outlined_films([film], [np.pad(MASK, ((0, 28), (0, 8)))], [np.zeros((60, 40), np.uint8)], ["REAL"])
    assert titles(fig) == ["REAL"] and fig.axes[0].images[0].get_array().max() == pytest.approx(100 / 255)


def facts(run, *names):
    return [run.facts[name] for name in names]


def test_the_sections_on_the_mixture_record_what_their_sentences_say(run):
    """Costs of two plans, hands by part, four hands with scores, and two mixtures of which one follows annotator 2."""
    cost, free, tight = np.array([[0.0, 1.0], [1.0, 0.5]]), np.diag([0.7, 0.3]), np.array([[0.5, 0.0], [0.2, 0.3]])
    page.show_toy(run, cost, {1.0: free, 0.5: tight}, (0.7, 0.3), "no plan", 1.25)
    assert facts(run, "free", "tight") == pytest.approx([0.3 * 0.5, 0.2 + 0.3 * 0.5])
    assert facts(run, "tightest", "refused", "loss") == [0.5, "no plan", 1.25]
    page.show_parts(run, Recipe(epochs=7), [range(5), range(3), range(2)], 1.5)
    assert facts(run, "n_train", "n_val", "n_test", "epochs", "mm") == [5, 3, 2, 7, 1.5]

    four = "mixture, one annotator"
    level = pd.DataFrame({name: [0.1, 0.2, 0.3, 0.2] for name in rows.ASKED})
    scores = {"true mask": level * 0.5, "single decoder": level + 0.1, "mixture": level.copy(), four: level + 0.2}
    scores["mixture"]["matched IoU"] += 0.1
    pairs = [("mixture", "single decoder"), (four, "mixture")]
    compared = rows.compare_means(scores, pairs, 200, 0)
    page.show_scores(run, [None] * 4, compared)
    assert facts(run, "mix_ged", "one_ged", "true_ged") == pytest.approx([0.2, 0.3, 0.1])
    assert (
        run.facts["words"]
        == "GED² better; matched IoU not told apart; ECE better; Dice, truth worse; outline, mm better"
    )

    beta = np.array([*ANNOTATOR_WEIGHTS.values()])
    near = np.array([[0.9, 0.1, 0.1, 0.1], [0.1, 0.8, 0.1, 0.1], [0.1, 0.1, 0.7, 0.1], [0.6, 0.1, 0.1, 0.5]])
    second = np.array([0.0, 1.0, 0.0, 0.0])
    mixed = Likeness(np.stack([near] * 2), np.stack([beta + np.array([0.1, -0.1, 0, 0])] * 2), np.full((2, 4), 0.25))
    alone = Likeness(np.stack([np.tile(second, (4, 1))] * 2), np.stack([second] * 2), np.stack([second] * 2))
    page.show_modes(run, {"mixture": mixed, four: alone}, compared, 100, 0)
    assert facts(run, "n_modes", "used", "wrong") == pytest.approx([3, 4, 0.1])
    assert facts(run, "n_modes_one", "used_one", "wrong_one") == pytest.approx([1, 1, 1 - beta[1]])
    assert facts(run, "best", "smallest", "ged_one") == pytest.approx([0.9, 0.6, 0.4])
    assert run.facts["worse"] == "worse"


def test_the_sections_on_the_cortex_record_what_their_sentences_say(run, monkeypatch):
    """Readings of four hands, off by 1, 2, 1 and 1 with true masks, by -2, -3 and -1 with the mixture's."""
    monkeypatch.setattr(page, "attainable_auroc", lambda **_: 0.9)
    ill = ["osteoporosis", "osteoporosis", "normal", "normal"]
    hands = pd.DataFrame({"cortical_percentage": [0.5, 0.55, 0.6, 0.65], "label": ill})

    def read(*values):
        frame = pd.DataFrame({"percentage": values, "shaft_mm": 8.0, "canal_mm": 4.0}, dtype=float)
        return frame.assign(reason=np.where(frame["percentage"].isna(), "the mask is empty", ""))

    readings = {"true mask, all hands": read(51, 57, np.nan, np.nan), "true mask": read(51, 57, 61, 66),
                "mixture": read(48, 52, np.nan, 64), "single decoder": read(48, 52, 60, 64)}  # fmt: skip
    page.show_cortex(run, hands, readings)
    assert facts(run, "true_bias", "true_sd", "auto_bias", "auto_sd") == pytest.approx([1.25, 0.5, -2, 1])
    assert run.facts["why_not"] == "3 × the mask is empty"
    value = {row["metric"]: (row["value"], row["n"]) for row in run.rows}
    assert value["cortical percentage, mixture: bias"] == pytest.approx((-2, 3))
    assert len(value) == 6  # bias and limits of two: two hands have no limits

    percentages = {"known": 100 * hands["cortical_percentage"], "mixture": pd.Series([48.0, 64.0, 52.0, np.nan])}
    page.show_screening(run, hands, percentages, 100, 0)
    assert run.facts["attainable"] == 0.9
    assert run.facts["screen"].startswith("known 1.00") and "mixture 0.50" in run.facts["screen"]


def test_the_sections_on_bones_and_real_films_record_what_their_sentences_say(run):
    """A missed and a made-up bone; 20 pixels inside accepted masks, of which 17 are called a metacarpal, 15 rightly."""
    run.uses("hand-rsna", "real", "abc")
    both = {"predicted": [cut("ulna"), cut("ulna", "M3")], "true": [cut("ulna", "M2"), cut("ulna")]}
    found = page.show_bones(run, [MASK, MASK], [MASK, np.zeros_like(MASK)], both, 100, 0)
    assert facts(run, "n_shown", "n_found", "n_lost", "n_extra") == [3, 2, 1, 1]
    assert run.facts["why"] == "1 × absent from the label map" and found["found"].sum() == 2

    accepted, seen = (np.zeros((2, 6, 10), np.uint8) for _ in range(2))
    m2, m3 = (rows.BONES.index(bone) + 1 for bone in ("M2", "M3"))
    accepted[0, 1], accepted[1, 1, :5], accepted[1, 3, :5] = m2, m2, m3
    seen[0, 1, :8], seen[1], seen[0, 5] = [m2] * 5 + [m3] * 2 + [2], accepted[1], m3  # 2 is the radius
    there = np.array([[0, 1, 0, 0, 0], [0, 1, 1, 0, 0]], bool)
    gap = RealOverlap([*seen], [*accepted], np.where(there, [[0, 0.6, 0, 0, 0], [0, 0.9, 0.5, 0, 0]], 0.99), there)
    page.show_real(run, [AnnotatedHand("a", seen[0], []), AnnotatedHand("b", seen[1], [])], gap, 100, 0)
    assert facts(run, "young", "old", "any_bone", "right") == pytest.approx([0.6, 0.7, 0.85, 0.75])
    assert facts(run, "n_real", "n_masks", "n_good") == [2, 3, 1]
    assert run.facts["real"] == "0.65"  # two hands are too few for an interval
    assert (run.rows[-1]["value"], run.rows[-1]["n"], run.rows[-1]["cohort"]) == (pytest.approx(0.65), 2, "hand-rsna")
