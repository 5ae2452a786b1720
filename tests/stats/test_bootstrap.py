import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import average_precision_score, precision_score, roc_auc_score

from osteolib.stats import METRICS, bootstrap_ci, bootstrap_difference, delong_test
from osteolib.stats.resampling import design_resampling, draw_counts


def screening(n_negative=60, n_positive=40, shift=1.0, seed=0):
    """Probabilities of normal people and, shifted by ``shift`` SD, of people with osteoporosis."""
    rng = np.random.default_rng(seed)
    y = np.repeat([0, 1], [n_negative, n_positive])
    return y, stats.norm.cdf(rng.normal(size=y.size) + shift * y - shift / 2)


def test_replicates_are_scikit_learn_on_the_resampled_people():
    y, score = np.random.default_rng(0).permuted(screening(), axis=1)  # labels in no order, and unlike scores
    y, score = y.astype(int), score.round(1)  # heavy ties
    result = bootstrap_ci(y, score, ("auroc", "auprc", "ppv"), 0.4, n_boot=100, method="percentile", seed=3)
    design = design_resampling(y.size, None, y)
    counts = np.concatenate(list(draw_counts(design, 100, seed=3)))
    for b, drawn in enumerate(counts[:, design.subject]):
        y_b, score_b = np.repeat(y, drawn), np.repeat(score, drawn)
        assert result.replicates["auroc"][b] == pytest.approx(roc_auc_score(y_b, score_b))
        assert result.replicates["auprc"][b] == pytest.approx(average_precision_score(y_b, score_b))
        assert result.replicates["ppv"][b] == pytest.approx(precision_score(y_b, score_b >= 0.4))
    assert result.estimate["auroc"] == pytest.approx(roc_auc_score(y, score))
    assert result.ci["auroc"] == pytest.approx(np.percentile(result.replicates["auroc"], [2.5, 97.5]))


def test_auroc_interval_covers_the_truth_as_often_as_it_says():
    truth = stats.norm.cdf(1 / np.sqrt(2))  # two normals one SD apart
    trials, hits = 500, 0
    for seed in range(trials):
        y, score = screening(70, 50, seed=seed)
        low, high = bootstrap_ci(y, score, "auroc", n_boot=300, seed=seed).ci["auroc"]
        hits += low <= truth <= high
    assert 0.91 <= hits / trials <= 0.985  # 95 %, four standard errors of 500 trials are 0.039


def vectorised_auroc(positive, negative, axis=-1):
    u = stats.mannwhitneyu(positive, negative, axis=axis, method="asymptotic").statistic
    return u / (positive.shape[axis] * negative.shape[axis])


@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_stratified_interval_agrees_with_scipy(method):
    """Both draw the classes apart; what is left is the Monte Carlo error of a quantile in a thin tail."""
    y, score = screening(40, 15, shift=2.0, seed=4)
    ours = bootstrap_ci(y, score, "auroc", n_boot=10_000, method=method)
    peer = stats.bootstrap(
        (score[y == 1], score[y == 0]), vectorised_auroc, n_resamples=10_000, method=method, vectorized=True, rng=1
    )
    assert ours.replicates["auroc"].std() == pytest.approx(peer.standard_error, rel=0.05)
    assert ours.ci["auroc"] == pytest.approx(peer.confidence_interval, abs=0.2 * peer.standard_error)


def test_bca_moves_the_interval_of_a_high_auroc_away_from_one():
    """The replicates of a high AUROC are skewed to the left: the test above would see a missing correction."""
    y, score = screening(40, 15, shift=2.0, seed=4)
    plain, bca = (bootstrap_ci(y, score, "auroc", n_boot=4000, method=m) for m in ("percentile", "bca"))
    assert bca.ci["auroc"][0] < plain.ci["auroc"][0] - 0.3 * plain.replicates["auroc"].std()


def test_unstratified_bca_agrees_with_scipy_on_paired_data():
    y, score = screening(30, 20, shift=1.5, seed=2)

    def accuracy(y, score, axis=-1):
        return ((score >= 0.5) == y).mean(axis=axis)

    ours = bootstrap_ci(y, score, "accuracy", threshold=0.5, stratify=False, n_boot=4000, method="bca")
    peer = stats.bootstrap((y, score), accuracy, paired=True, vectorized=True, n_resamples=4000, method="bca", rng=1)
    assert ours.ci["accuracy"] == pytest.approx(peer.confidence_interval, abs=0.021)  # one step of 1/50


def test_bca_of_the_same_draws_is_scipys():
    """scipy's interval of *our* replicates: bias, acceleration and quantiles, nothing drawn anew."""
    y, score = screening(40, 15, shift=2.0, seed=4)
    ours = bootstrap_ci(y, score, "auroc", n_boot=500)
    sample, how = (score[y == 1], score[y == 0]), {"vectorized": True, "n_resamples": 0, "method": "BCa"}
    drawn = stats.bootstrap(sample, vectorised_auroc, **how | {"n_resamples": 9, "method": "percentile"})
    drawn.bootstrap_distribution = ours.replicates["auroc"]
    peer = stats.bootstrap(sample, vectorised_auroc, bootstrap_result=drawn, **how)
    assert ours.method == "bca" and ours.ci["auroc"] == pytest.approx(tuple(peer.confidence_interval), abs=1e-9)


@pytest.mark.parametrize(("fewer", "method"), [(49, "bca"), (50, "percentile")])
def test_the_method_follows_the_people_of_the_rarer_class_and_not_their_units(fewer, method):
    y, score = screening(60, fewer)
    twice = np.repeat(np.arange(y.size), 2)
    assert bootstrap_ci(y, score, n_boot=100).method == method
    grouped = bootstrap_ci(y[twice], score[twice], n_boot=100, groups=twice)
    assert grouped.method == method and set(grouped.to_frame()["method"]) == {method}
    assert bootstrap_difference(1 - y, score, score[::-1], n_boot=100).method == method
    assert bootstrap_ci(y, score, n_boot=100, method="percentile").method == "percentile"


@pytest.mark.parametrize("stratify", [True, False])
def test_bca_leaves_out_a_person_with_all_units(stratify):
    """Three films of everyone, shuffled, are no more people: the same interval as of one film each."""
    y, score = screening(30, 20)
    subject = np.random.default_rng(0).permutation(np.repeat(np.arange(y.size), 3))
    people = pd.unique(subject)
    how = dict(metrics=("auroc", "auprc", "sensitivity"), threshold=0.5, n_boot=200, stratify=stratify, method="bca")
    one = bootstrap_ci(y[people], score[people], **how)
    three = bootstrap_ci(y[subject], score[subject], groups=subject, **how)
    for name, ends in one.ci.items():
        assert three.ci[name] == pytest.approx(ends, abs=1e-9), name


@pytest.mark.parametrize("stratify", [True, False])
def test_copies_of_a_unit_are_not_more_people(stratify):
    """Three identical films of everyone, shuffled: the same replicates as one film of everyone."""
    y, score = screening()
    subject = np.random.default_rng(0).permutation(np.repeat(np.arange(y.size), 3))
    people = pd.unique(subject)  # subjects are numbered by first appearance
    kwargs = dict(threshold=0.5, n_boot=200, stratify=stratify)
    one = bootstrap_ci(y[people], score[people], METRICS, **kwargs)
    three = bootstrap_ci(y[subject], score[subject], METRICS, groups=subject, **kwargs)
    for name in METRICS:
        assert three.replicates[name] == pytest.approx(one.replicates[name], rel=1e-12), name
    for name in ("accuracy", "auroc"):  # one division of whole numbers: equal to the last bit
        assert np.array_equal(one.replicates[name], three.replicates[name])
    assert (three.n, three.n_subjects, one.n) == (300, 100, 100)

    ungrouped = bootstrap_ci(y[subject], score[subject], "auroc", n_boot=200, stratify=stratify)
    ratio = three.replicates["auroc"].std() / ungrouped.replicates["auroc"].std()
    assert ratio == pytest.approx(np.sqrt(3), rel=0.2)  # pooled films feign sqrt(3) times the precision


def test_a_subject_with_both_classes_is_drawn_whole():
    """Everyone has a healthy and a diseased knee: drawn whole, every replicate has as many of each."""
    rng = np.random.default_rng(0)
    y, person = np.tile([0, 1], 30), np.repeat(np.arange(30), 2)
    result = bootstrap_ci(y, rng.random(60), "accuracy", threshold=-1.0, groups=person, n_boot=100)
    assert (result.replicates["accuracy"] == 0.5).all()


def test_stratified_replicates_keep_the_prevalence():
    y, score = screening()
    everyone_called = dict(metrics="ppv", threshold=0.0, n_boot=100)
    assert (bootstrap_ci(y, score, **everyone_called).replicates["ppv"] == 0.4).all()
    assert bootstrap_ci(y, score, **everyone_called, stratify=False).replicates["ppv"].std() > 0.02


def test_undefined_replicates_are_counted_and_left_out():
    """One positive call in 12 people: the replicates without it have no ppv, about 1/e of them."""
    y = np.array([1] * 6 + [0] * 6)
    score = np.array([0.9] + [0.1] * 11)
    result = bootstrap_ci(y, score, ("ppv", "auroc"), threshold=0.5, stratify=False, n_boot=400, seed=1)
    counts = np.concatenate(list(draw_counts(design_resampling(12), 400, seed=1)))
    one_class = (counts[:, :6].sum(axis=1) == 0) | (counts[:, 6:].sum(axis=1) == 0)
    assert result.undefined == {"ppv": (counts[:, 0] == 0).sum(), "auroc": one_class.sum()}
    assert np.isnan(result.replicates["ppv"]).sum() == result.undefined["ppv"] > 100
    assert result.ci["ppv"] == (1.0, 1.0)


@pytest.mark.parametrize("method", ["percentile", "bca"])
@pytest.mark.parametrize("stratify", [True, False])
def test_scores_all_equal_say_nothing_and_do_not_crash(method, stratify):
    y = np.repeat([0, 1], 20)
    result = bootstrap_ci(y, np.full(40, 0.3), "auroc", n_boot=100, method=method, stratify=stratify)
    assert (result.estimate["auroc"], result.ci["auroc"]) == (0.5, (0.5, 0.5))


@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_perfect_separation_gives_one(method):
    y = np.repeat([0, 1], 20)
    result = bootstrap_ci(y, y * 0.8, METRICS, threshold=0.5, n_boot=100, method=method)
    assert all(result.ci[name] == (1.0, 1.0) for name in METRICS if name != "brier")


def test_same_seed_same_replicates():
    y, score = screening()
    a, b, c = (bootstrap_ci(y, score, "auroc", n_boot=100, seed=seed).replicates["auroc"] for seed in (1, 1, 2))
    assert np.array_equal(a, b)
    assert not np.array_equal(a, c)


def test_frame_has_a_row_per_metric():
    y, score = screening()
    result = bootstrap_ci(pd.Series(y == 1), pd.Series(score), ("auroc", "f1"), threshold=0.5, n_boot=100)
    frame = result.to_frame().set_index("metric")
    assert list(frame.index) == ["auroc", "f1"]
    assert frame.loc["f1", "value"] == result.estimate["f1"]
    assert (frame.loc["f1", "ci_low"], frame.loc["f1", "ci_high"]) == result.ci["f1"]
    assert frame.loc["f1", ["n", "n_subjects", "n_boot", "undefined"]].tolist() == [100, 100, 100, 0]


def test_difference_is_of_the_same_resamples():
    y, a = screening()
    b = screening(seed=9)[1]
    result = bootstrap_difference(y, a, b, n_boot=100, seed=5)
    alone = [bootstrap_ci(y, score, "auroc", n_boot=100, seed=5) for score in (a, b)]
    assert np.array_equal(result.replicates, alone[1].replicates["auroc"] - alone[0].replicates["auroc"])
    assert result.difference == result.estimate_b - result.estimate_a
    assert (result.estimate_a, result.estimate_b) == (alone[0].estimate["auroc"], alone[1].estimate["auroc"])


@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_difference_agrees_with_delong(method):
    """What a second, independent marker adds to the first; both intervals rest on the normal limit at n = 400."""
    y, age = screening(250, 150, shift=0.8, seed=1)
    image = screening(250, 150, shift=0.8, seed=2)[1]
    both = stats.norm.ppf(age) + stats.norm.ppf(image)
    ours = bootstrap_difference(y, age, both, method=method)
    delong = delong_test(y, age, both)
    assert ours.difference == pytest.approx(delong.difference)
    assert ours.ci == pytest.approx(delong.ci, abs=0.25 * (delong.ci[1] - delong.ci[0]) / 3.92)


def test_a_score_adds_nothing_to_itself():
    y, score = screening()
    result = bootstrap_difference(y, score, 2 * score, n_boot=100)
    assert (result.difference, result.ci) == (0, (0, 0))


GOOD = dict(y_true=[0, 1, 0, 1], y_score=[0.1, 0.9, 0.4, 0.3], metrics=("auroc",), n_boot=100)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(y_score=[0.1, np.nan, 0.4, 0.3]), r"y_score holds 1 values that are not finite, at positions \[1\]"),
        (dict(y_score=["a", "b", "c", "d"]), "y_score must hold numbers"),
        (dict(y_score=pd.Series([0.1, pd.NA, 0.4, 0.3], dtype="Float64")), "y_score"),
        (dict(y_score=[[0.1, 0.2, 0.3, 0.4]]), r"y_score must be a vector .* got shape \(1, 4\)"),
        (dict(y_score=[0.1, 0.9, 0.4]), "lengths differ: y_true 4, y_score 3"),
        (dict(y_true=[0, 0, 0, 0]), r"only the class \[0\]"),
        (dict(y_true=["normal", "osteoporosis"] * 2), "derive it first"),
        (dict(y_true=[1, 2, 1, 2]), "derive it first"),
        (dict(y_true=[0, 1, np.nan, 1]), "derive it first"),
        (dict(y_true=[0, 1, None, 1]), "derive it first"),
        (dict(y_true=pd.Series([0, 1, pd.NA, 1], dtype="Int64")), "derive it first"),
        (dict(metrics=("auroc", "aucroc")), r"unknown metrics \['aucroc'\]; known: auroc, auprc, sensitivity"),
        (dict(metrics=()), "at least one metric"),
        (dict(metrics=("auroc", "f1", "ppv")), "f1, ppv need a threshold"),
        (dict(metrics="f1", threshold=np.nan), "threshold must be a finite number"),
        (dict(metrics="ppv", threshold=2.0), "ppv undefined: no score reaches the threshold 2; .* 0.1 to 0.9"),
        (dict(metrics="npv", threshold=0.0), "npv undefined: every score reaches the threshold 0"),
        (dict(metrics="brier", y_score=[1, 9, 4, 3]), r"brier needs probabilities, scores in \[0, 1\]"),
        (dict(n_boot=99), "n_boot must be at least 100"),
        (dict(method="basic"), "unknown method 'basic'; known: percentile, bca"),
        (dict(confidence=95), "confidence must lie strictly between 0 and 1"),
        (dict(groups=["a", "b", "c"]), "4 units, but 3 groups"),
        (dict(groups=["a", None, "b", np.nan]), r"no subject for 2 units, at positions \[1, 3\]"),
        (dict(groups=[1, 2, np.nan, 4]), r"no subject for 1 units, at positions \[2\]"),
    ],
)
def test_bad_input_is_named(change, message):
    with pytest.raises(ValueError, match=message):
        bootstrap_ci(**{**GOOD, **change})


@pytest.mark.parametrize(
    ("scores", "metric", "message"),
    [
        (([1, 2, 3, 4], [1, 2, 3]), "auroc", "score_b 3"),
        (([1, 2, np.inf, 4], [1, 2, 3, 4]), "auroc", "score_a holds 1 values"),
        (([1, 2, 3, 4], [1, 2, 3, 4]), ("auroc", "auprc"), "one metric at a time"),
    ],
)
def test_bad_input_of_a_difference_is_named(scores, metric, message):
    with pytest.raises(ValueError, match=message):
        bootstrap_difference([0, 1, 0, 1], *scores, metric=metric)


def test_an_interval_that_measures_no_uncertainty_is_flagged():
    """Separated scores, or four people of a class with eight knees; else not, though one of two metrics is a point."""
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], [8, 40])
    score = rng.normal(size=48) + y
    assert bootstrap_ci(y, score, n_boot=100).degenerate == ()
    assert bootstrap_ci(y, y, n_boot=100).degenerate == ("auroc", "auprc")
    knees = bootstrap_ci(y, score, n_boot=100, groups=np.arange(48) // 2)
    assert knees.n_rarer == 4 and knees.degenerate == ("auroc", "auprc")
    assert knees.to_frame()["degenerate"].tolist() == [True, True]
    all_called = bootstrap_ci(y, score, ("auroc", "sensitivity"), threshold=-9, n_boot=100)
    assert all_called.degenerate == ("sensitivity",)


def test_metrics_may_be_the_names_of_a_mapping():
    y, score = np.tile([0, 1], 20), np.linspace(0, 1, 40)
    heads = {"auroc": "AUROC", "auprc": "AUPRC"}
    assert list(bootstrap_ci(y, score, heads, n_boot=100).estimate) == list(heads)
