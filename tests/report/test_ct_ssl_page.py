import math

import numpy as np
import pandas as pd
import pytest

from osteolib.report import ct_designed_page as designed
from osteolib.report import ct_ssl_figures as figures
from osteolib.report import ct_ssl_page as page
from osteolib.screen.ct_designed import TARGETS, Designed
from osteolib.screen.ct_knows import MEASURED, QUESTIONS
from osteolib.screen.ct_pool import MEMBERS

USES = "vertebra-phantom"
KEYS = ("random resnet18-half", "random vit-tiny", "swav", "tp-swav", "mae", MEASURED)


def told(noise, n=80, seed=0):
    """Answers of all readers: the truth and noise of the SD that a reader is given."""
    rng, rows = np.random.default_rng(seed), []
    for question in QUESTIONS:
        truth = rng.normal(size=n) if question != "osteoporosis" else np.arange(n) % 2
        for reader in KEYS:
            answer = truth + noise.get(reader, 1.0) * rng.normal(size=n)
            if question == "scanner":
                truth, answer = np.ones(n), (rng.random(n) < 0.7).astype(float)
            rows.append(pd.DataFrame({"reader": reader, "question": question, "unit_id": np.arange(n),
                                      "subject_id": [f"V{k // 2}" for k in range(n)], "truth": truth,
                                      "answer": answer}))  # fmt: skip
    return pd.concat(rows, ignore_index=True)


@pytest.fixture(autouse=True)
def quick_attainable(monkeypatch):
    from osteolib.phantoms.vertebra.truth import Attainable

    monkeypatch.setattr(page, "attainable", lambda *_, **__: Attainable(0.9, 0.8, 0.1, 0.1, 100))


@pytest.mark.parametrize(
    ("noise", "verdict"),
    [
        ({"tp-swav": 3.0, "swav": 0.1}, "crops know more"),
        ({"tp-swav": 0.1, "swav": 3.0}, "the pool knows more"),
        ({}, "open: the interval holds zero"),
    ],
)
def test_the_verdict_follows_the_interval_of_the_difference(run, capsys, noise, verdict):
    compared = page.compare_readers(told(noise, seed=3), 200, 0)
    page.show_readers(run, compared, 0.4)
    assert run.facts["verdict"] == run.facts["density_verdict"] == run.facts["size_verdict"] == verdict
    assert all(row["published_id"] is None and row["kind"] == "phantom" for row in run.rows)
    page.show_all_questions(run, compared)
    shown = pd.read_csv(run.folder / "readers.csv")
    assert list(shown["reader"]) == [figures.NAMES.get(key, key) for key in KEYS] and "share" not in " ".join(shown)


def test_all_readers_are_held_against_what_is_attainable_and_r_is_that_of_numpy():
    answers = told({})
    compared = page.compare_readers(answers, 200, 0)
    assert compared.rows.loc[compared.rows["metric"] == "auroc", "attainable"].eq(0.9).all()
    part = answers[(answers["question"] == "density") & (answers["reader"] == "swav")]
    r = np.corrcoef(part["truth"], part["answer"])[0, 1]
    assert compared.estimate(page.CROPS, "r with density")[0] == pytest.approx(r)
    assert compared.estimate(page.CROPS, "scanner named")[0] == pytest.approx(
        answers[(answers["question"] == "scanner") & (answers["reader"] == "swav")]["answer"].mean()
    )
    assert page.pearson(np.arange(4.0), np.ones(4)) == 0
    x, y = np.random.default_rng(0).normal(size=(2, 30))
    assert page.pearson(x, x + y) == pytest.approx(np.corrcoef(x, x + y)[0, 1], rel=1e-12)


def history(swav, tp, mae, k=32):
    def frame(loss, floor, column):
        rows = {
            "epoch": [0, 1],
            "loss": [9.0, loss],
            column: [9.0, loss],
            "collapsed_loss": floor,
            "effective_rank": 3.0,
        }
        return pd.DataFrame(rows)

    return {"swav": frame(swav, math.log(k), "swapped"), "tp-swav": frame(tp, math.log(k), "swapped"),
            "mae": frame(mae, 0.6, "loss")}  # fmt: skip


def test_a_loss_within_a_hundredth_of_ln_k_is_named(run):
    run.fact(n_without=10)
    page.show_history(run, history(3.46, 1.6, 0.7))
    assert run.facts["stuck"] == "SwAV, crops" and run.facts["easier"] == "members of a pool"
    assert run.facts["painter"] == "still above" and run.facts["swav_floor"] == pytest.approx(math.log(32))
    page.show_history(run, history(1.5, 1.6, 0.5))
    assert (run.facts["stuck"], run.facts["easier"], run.facts["painter"]) == ("neither", "crops", "below")


def test_the_dotted_line_is_ln_k():
    swapped, painted, _ = figures.history_figure(history(2.0, 1.6, 0.7)).axes
    levels = [line.get_ydata()[0] for line in swapped.lines if line.get_linestyle() == ":"]
    assert levels == pytest.approx([math.log(32)] * 2)
    assert [line.get_ydata()[0] for line in painted.lines if line.get_linestyle() == ":"] == [0.6]


def test_codes_and_equation_are_told_by_their_numbers(run):
    page.show_equation(run, 8.0, 2.0)
    assert run.facts["times"] == 4
    codes = np.array([[1.0, 0.0], [0.0, 1.0]])
    page.show_codes(run, codes, codes, codes)
    assert run.facts["least"] == run.facts["most"] == run.facts["share"] == 1


def answers(pool_scale, crops_scale, pool_mean=0.1, n=80):
    rng, rows = np.random.default_rng(0), []
    noise = {"random": (0.5, 0.5), "swav": (crops_scale, 0.1), "tp-swav": (pool_scale, pool_mean)}
    for question in designed.QUESTIONS:
        truth = rng.normal(size=n)
        for reader, of in noise.items():
            predicted = truth + of[question == designed.QUESTIONS[2]] * rng.normal(size=n)
            told = {"reader": reader, "question": question, "picture": np.arange(n)}
            rows.append(pd.DataFrame(told | {"truth": truth, "predicted": predicted}))
    return pd.concat(rows, ignore_index=True)


@pytest.mark.parametrize(
    ("given", "first", "second"),
    [
        ((0.3, 5.0), "came out", "came out"),
        ((5.0, 0.3), "**did not come out**, and the opposite did", "came out"),
        ((0.5, 0.5, 0.001), "did not come out at this size", "did not come out at this size"),
    ],
)
def test_what_was_predicted_of_the_designed_case_is_held_to(run, given, first, second):
    truth = pd.DataFrame({TARGETS[0]: np.linspace(-1, 1, 20), TARGETS[1]: np.linspace(100, 300, 20)})
    pictures = Designed(np.random.default_rng(0).integers(0, 255, (20, 5, 3, 32, 32), dtype=np.uint8), truth)
    shown = designed.examples(pictures)
    assert len(shown) == 6 and {picture.shape for picture in shown.values()} == {(32, 32)}
    designed.show_designed(run, shown, designed.compare_designed(answers(*given), 200, 0))
    assert (run.facts["first"], run.facts["second"], run.facts["drowned"]) == (first, second, "no less")


def test_examples_are_fine_and_coarse_at_one_mean():
    pool = np.zeros((40, 5, 3, 32, 32), np.uint8)
    pool[:, 0] = np.arange(40)[:, None, None, None]
    truth = pd.DataFrame({TARGETS[0]: np.tile([0.0, 1.0], 20), TARGETS[1]: np.linspace(100, 300, 40)})
    shown = designed.examples(Designed(pool, truth))
    fine, coarse = int(shown["fine"][0, 0]), int(shown["coarse"][0, 0])
    assert fine % 2 == 0 and coarse % 2 == 1 and abs(fine - coarse) <= 4 and shown["a higher mean"][0, 0] == 39
    assert (shown["its middle, enlarged"] == fine).all()


def test_what_the_paper_prints_is_counted(run):
    """By hand from Tables 2 and 3: TP-SwAV is behind SwAV at D, and behind scratch at A, on vertebrae alone."""
    designed.show_printed(run, {"T2": "vertebrae", "T3": "patients"})
    facts = run.facts
    assert (facts["n_ahead"], facts["n_scratch"], facts["n_cells"]) == (7, 7, 8)
    assert (facts["behind"], facts["behind_scratch"]) == ("D", "A")
    assert facts["each"] == pytest.approx((30256 + 5001) / 2230)
    assert facts["of_all"] == pytest.approx((30256 + 5001 + 839 + 2498) / (2230 + 374 + 1100))
    assert not run.rows  # the paper's numbers are no results of ours


def test_the_pool_is_drawn_with_its_crops():
    fig = figures.pool_figure(np.zeros((5, 3, 8, 8)), MEMBERS, np.zeros((2, 3, 8, 8)))
    titles = [axis.get_title(loc="left") for axis in fig.axes[:7]]
    assert titles[0] == "original" and titles[4] == "difference\naverage" and titles[-1] == "crop 2"
