import numpy as np
import pytest

from osteolib.report import with_ci
from osteolib.report.comparison import compare_scores, compare_statistics, together
from osteolib.report.forest import forest
from osteolib.stats import bootstrap_ci, bootstrap_difference, bootstrap_statistic

RNG = np.random.default_rng(3)
Y = np.tile([0, 1, 1], 20)
GROUPS = np.repeat(np.arange(30), 2)
SCORES = {"age": Y + RNG.normal(size=60), "image": RNG.normal(size=60), "both": Y + RNG.normal(size=60)}
HOW = {"groups": GROUPS, "n_boot": 200, "seed": 5}


@pytest.fixture(scope="module")
def scored():
    return compare_scores(Y, SCORES, ("auroc", "f1"), reference="age", attainable=0.9, threshold=0.5, **HOW)


def test_estimates_are_those_of_bootstrap_ci(scored):
    for method, score in SCORES.items():
        r = bootstrap_ci(Y, score, ("auroc", "f1"), threshold=0.5, **HOW)
        for metric in ("auroc", "f1"):
            assert scored.estimate(method, metric) == (r.estimate[metric], *r.ci[metric])
    assert scored.estimate("age") == scored.estimate("age", "auroc")
    assert set(scored.rows["n"]) == {60} and set(scored.rows["people"]) == {30}


def test_differences_are_those_of_bootstrap_difference(scored):
    assert list(scored.differences["method"].unique()) == ["image", "both"]
    for method, metric in [("image", "auroc"), ("both", "f1")]:
        d = bootstrap_difference(Y, SCORES["age"], SCORES[method], metric, threshold=0.5, **HOW)
        assert scored.difference(method, "age", metric) == (d.difference, *d.ci)


def test_pairs_name_their_own_references():
    pairs = [("image", "age"), ("both", "image")]
    found = compare_scores(Y, SCORES, reference=pairs, **HOW).differences
    assert list(zip(found["method"], found["reference"], strict=True)) == pairs


def test_the_share_of_the_attainable_moves_the_ends_like_the_value():
    perfect = compare_scores([0, 0, 1, 1], {"m": [1, 3, 2, 4]}, attainable=1.0, n_boot=100)
    assert perfect.share("m")[0] == pytest.approx((0.75 - 0.5) / 0.5)  # three of four pairs in order
    _, low, high = perfect.estimate("m")
    assert perfect.share("m")[1:] == pytest.approx((2 * low - 1, 2 * high - 1))
    half = compare_scores([0, 0, 1, 1], {"m": [1, 3, 2, 4]}, attainable=0.75, n_boot=100)
    assert half.share("m")[0] == pytest.approx(1)


def test_the_same_seed_draws_the_same_people_whatever_the_score():
    twice = compare_scores(Y, {"a": SCORES["age"], "b": SCORES["age"].copy()}, reference="a", **HOW)
    assert twice.difference("b", "a") == (0, 0, 0)
    again = compare_scores(Y, {"a": SCORES["age"]}, **HOW)
    assert again.estimate("a") == twice.estimate("a")


def test_a_metric_that_does_not_exist_is_left_out():
    found = compare_scores(
        Y, {"nobody": np.zeros(60), "some": Y}, ("ppv", "npv"), reference="some", threshold=0.5, **HOW
    )
    assert found.rows.loc[found.rows["method"] == "nobody", "metric"].tolist() == ["npv"]
    assert found.differences["metric"].tolist() == ["npv"]
    assert found.table()["PPV (95 % CI)"].tolist() == ["–", "1.00 (0.88 to 1.00, exact)"]


@pytest.mark.parametrize(
    ("y", "scores", "how", "message"),
    [
        (Y, {"image": [0.1, 0.2, 0.3]}, {}, "method 'image' has 3 scores for 60 units"),
        (np.ones(60), SCORES, {}, r"y_true holds only the class \[1\]"),
        (Y, {"image": np.full(60, np.nan)}, {}, "method 'image' holds 60 values that are not finite"),
        (Y, SCORES, {"reference": "sex"}, r"reference \['sex'\] is no method"),
        (Y, SCORES, {"attainable": 0.5}, "attainable is an AUROC above 0.5"),
    ],
)
def test_what_cannot_be_compared_is_refused_by_name(y, scores, how, message):
    with pytest.raises(ValueError, match=message):
        compare_scores(y, scores, n_boot=100, **how)


def mae(truth, predicted):
    return np.abs(truth - predicted).mean()


def test_statistics_and_their_differences_are_those_of_bootstrap_statistic():
    truth, near, far = np.random.default_rng(0).normal(size=(3, 60))
    found = compare_statistics({"MAE": mae}, {"near": (truth, near), "far": (truth, far)}, reference="far", **HOW)
    alone = bootstrap_statistic(mae, truth, near, **HOW)
    assert found.estimate("near") == (alone.estimate, *alone.ci)
    gain = bootstrap_statistic(lambda a, b, c, d: mae(a, b) - mae(c, d), truth, near, truth, far, **HOW)
    assert found.difference("near", "far") == pytest.approx((gain.estimate, *gain.ci))


def test_a_unit_without_value_leaves_its_row_and_its_difference():
    a, b = np.random.default_rng(0).normal(size=(2, 10))
    a[0] = np.nan
    found = compare_statistics({"mean": np.mean}, {"a": a, "b": b}, reference="b", n_boot=100)
    assert dict(zip(found.rows["method"], found.rows["n"], strict=True)) == {"a": 9, "b": 10}
    assert found.difference("a", "b")[0] == pytest.approx((a - b)[1:].mean())
    few = compare_statistics({"mean": np.mean}, {"a": [1.0, 3.0, np.nan]}, n_boot=100)
    assert few.estimate("a")[0] == 2 and np.isnan(few.estimate("a")[1])
    assert few.table()["mean (95 % CI)"].tolist() == ["2.00"]
    alone = compare_statistics({"mean": np.mean}, {"a": [1.0, 3, 5, 7]}, groups=["one"] * 4, n_boot=100)
    assert alone.rows["people"].tolist() == [1] and alone.table()["mean (95 % CI)"].tolist() == ["4.00"]


def test_statistics_of_different_length_are_refused_by_name():
    with pytest.raises(ValueError, match="method 'b' has 4 values, 'a' has 5"):
        compare_statistics({"mean": np.mean}, {"a": np.ones(5), "b": np.ones(4)}, n_boot=100)
    with pytest.raises(ValueError, match="method 'c': its arrays differ in length"):
        compare_statistics({"MAE": mae}, {"c": (np.ones(5), np.ones(4))}, n_boot=100)
    with pytest.raises(ValueError, match="log of a: the statistic of the whole sample is nan"):
        compare_statistics({"log": lambda v: np.nan}, {"a": np.ones(5)}, n_boot=100)


def test_together_keeps_every_row_and_refuses_the_same_one_twice(scored):
    other = scored.renamed("{}, recorded")
    both = together(scored, other)
    assert both.methods == [*SCORES, *(f"{name}, recorded" for name in SCORES)]
    assert both.estimate("age, recorded", "f1") == scored.estimate("age", "f1")
    assert both.difference("both, recorded", "age, recorded") == scored.difference("both", "age")
    assert scored.renamed({"age": "years"}).methods == ["years", "image", "both"]
    assert scored.renamed({"age": "years"}).difference("both", "years") == scored.difference("both", "age")
    with pytest.raises(ValueError, match="auroc of age stands twice"):
        together(scored, scored)


def test_some_methods_alone_keep_their_rows_and_the_differences_between_them(scored):
    some = scored.only(["both", "age"])
    assert some.methods == ["age", "both"]
    assert some.difference("both", "age") == scored.difference("both", "age")
    assert len(some.differences) == 2
    with pytest.raises(KeyError, match=r"\['sex'\] are not compared"):
        scored.only(["sex"])


def test_the_tables_have_a_row_a_method_and_a_row_a_pair(scored):
    shown = scored.table(head="score")
    assert shown.columns.tolist() == [
        "score", "AUROC (95 % CI)", "F1 (95 % CI)", "share of the attainable, % (95 % CI)",
    ]  # fmt: skip
    assert shown["score"].tolist() == list(SCORES)
    assert shown.loc[1, "AUROC (95 % CI)"] == with_ci(*scored.estimate("image"))
    gains = scored.difference_table(["auroc"])
    assert gains["difference"].tolist() == ["image − age", "both − age"]
    assert gains.columns.tolist() == ["difference", "AUROC (95 % CI)"]
    assert scored.words().startswith("age " + with_ci(*scored.estimate("age")))


class Recorder:
    def __init__(self):
        self.rows = []

    def result(self, published_id, metric, value, *, n, cohort, ci):
        self.rows.append((published_id, metric, value, n, cohort, ci))


def test_one_call_records_every_row(scored):
    run = Recorder()
    answers = {("image", "auroc"): "paper.auc"}
    scored.record(run, "knees", "{metric}, bone loss, {method}", "{metric}, {method} - {reference}", answers)
    assert len(run.rows) == len(scored.rows) + len(scored.differences)
    assert run.rows[0][:2] == (None, "auroc, bone loss, age")
    assert [row[1] for row in run.rows if row[0] == "paper.auc"] == ["auroc, bone loss, image"]
    assert run.rows[-1][1] == "f1, both - age"
    assert run.rows[-1][5] == scored.difference("both", "age", "f1")[1:]
    with pytest.raises(ValueError, match=r"no result answers these published values: \['paper.auc'\]"):
        scored.record(Recorder(), "knees", published={("images", "auroc"): "paper.auc"})


def test_an_interval_has_one_text_form():
    assert with_ci(0.5, -0.25, 1, "+.2f") == "+0.50 (−0.25 to +1.00)"
    assert with_ci(0.5, np.nan, np.nan) == "0.50"
    assert with_ci(1, 1, 1) == "1.00 (no spread)"
    assert with_ci(np.nan, np.nan, np.nan) == "–"


def test_the_forest_has_each_point_interval_and_line_where_it_belongs(scored):
    published = {"printed": (0.8, 0.7, 0.9), "image": (0.6,)}
    axis = forest(scored, published=published, strokes={"age": [0.4, 0.45]}).axes[0]
    names = {t.get_text(): y for t, y in zip(axis.get_yticklabels(), axis.get_yticks(), strict=True)}
    assert list(names) == ["printed", *SCORES]
    lines = [(line.get_marker(), line.get_linestyle(), *line.get_xydata().tolist()) for line in axis.lines]
    points = {y: x for marker, _, (x, y), *_ in lines if marker == "o"}
    assert points == {names[method]: scored.estimate(method)[0] for method in SCORES}
    spans = {start[1]: (start[0], end[0]) for _, style, start, *rest in lines if style == "-" for end in rest}
    assert [spans[names[method]] for method in SCORES] == [scored.estimate(method)[1:] for method in SCORES]
    assert spans[names["printed"]] == (0.7, 0.9)
    assert [start[0] for marker, _, start, *_ in lines if marker == "s"] == [0.8, 0.6]
    assert [start[0] for _, style, start, *_ in lines if style == "--"] == [0.9] * 3  # the attainable, on every line
    assert [start[0] for _, style, start, *_ in lines if style == ":"] == [0.5]
    assert [[x for x, _ in marks] for marker, _, *marks in lines if marker == "|"] == [[0.4, 0.45]]
    assert axis.get_xlabel() == "AUROC, 95 % interval"
