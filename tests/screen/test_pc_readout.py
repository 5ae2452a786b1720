import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from osteolib.screen.pc_readout import by_person, components, joined_scores, pc_scores, repeated_scores, shuffled_groups


@pytest.fixture
def films():
    """120 films of 60 people with 300 features; the first ten carry one hidden number of the person."""
    rng = np.random.default_rng(0)
    hidden = np.repeat(rng.normal(size=60), 2)
    features = rng.normal(size=(120, 300))
    features[:, :10] += 3 * hidden[:, None]
    people = np.repeat([f"p{i}" for i in range(60)], 2)
    return (
        features,
        hidden,
        pd.DataFrame({"subject_id": people, "split_group": people}),
        np.repeat(np.arange(60) % 4, 2),
    )


def test_components_are_those_of_another_library_up_to_their_sign(films):
    train, new = np.split(films[0], [90])
    ours = components(train, new, 5)
    pca = make_pipeline(StandardScaler(), PCA(5, whiten=True, svd_solver="full")).fit(train)
    for found, theirs in zip(ours, (pca.transform(train), pca.transform(new)), strict=True):
        assert np.abs(found[:, ::-1]) == pytest.approx(np.abs(theirs), abs=1e-8)


def test_constant_features_and_more_components_than_films_do_no_harm():
    few = np.column_stack([np.arange(6.0), np.ones(6)])
    train, new = components(few, few[:2] + 100, 30)
    assert train.shape == (6, 1)
    assert np.isfinite(new).all()


def test_scores_are_those_of_a_pipeline_that_never_saw_the_fold(films):
    features, hidden, _, folds = films
    sick, test = (hidden > 0).astype(float), folds == 2
    models = LogisticRegression(), LinearRegression()
    line, straight = (make_pipeline(StandardScaler(), PCA(8, whiten=True, svd_solver="full"), m) for m in models)
    logit = line.fit(features[~test], sick[~test]).decision_function(features[test])
    value = straight.fit(features[~test], hidden[~test]).predict(features[test])
    found = pc_scores(features, [sick, hidden], folds, 8)[:, test]
    assert found[0] == pytest.approx(logit, abs=0.01)  # another solver
    assert found[1] == pytest.approx(value, abs=1e-9)


def test_rows_without_target_are_scored_by_a_model_of_the_others(films):
    features, hidden, _, folds = films
    partly = np.where(np.arange(120) < 40, np.nan, hidden)
    moved = np.where(np.arange(120) < 40, -100, hidden)
    found = pc_scores(features, partly, folds)[0]
    assert np.isfinite(found).all()
    assert np.corrcoef(found[:40], hidden[:40])[0, 1] > 0.8
    assert np.abs(found - pc_scores(features, moved, folds)[0]).max() > 1


def test_what_is_hidden_is_found_and_a_shuffle_is_not(films):
    features, hidden, subjects, folds = films
    sick = (hidden > 0).astype(float)
    each = repeated_scores(features, [sick], [folds, folds[::-1]])
    assert each.shape == (2, 1, 120)
    assert roc_auc_score(sick, each.mean(0)[0]) > 0.9
    shuffled = shuffled_groups(sick, subjects["subject_id"], 40, 0)
    nothing = [roc_auc_score(*pair) for pair in zip(shuffled, pc_scores(features, shuffled, folds), strict=True)]
    assert np.quantile(nothing, 0.975) < 0.8
    assert (shuffled.reshape(40, 60, 2) == shuffled.reshape(40, 60, 2)[..., :1]).all()  # both knees alike
    assert (shuffled.sum(1) == sick.sum()).all()


def test_joining_finds_what_the_covariate_lacks_and_gains_nothing_from_noise(films):
    features, hidden, subjects, folds = films
    rng = np.random.default_rng(1)
    age = np.repeat(rng.normal(size=60), 2)
    age[:4] = np.nan
    sick = (np.nan_to_num(age) + hidden > 0).astype(int)
    alone, both = joined_scores(features, {"age": age[:, None]}, sick, subjects, folds)["age"]
    assert roc_auc_score(sick, both) > roc_auc_score(sick, alone) + 0.05
    noise = rng.normal(size=features.shape)
    alone, both = joined_scores(noise, {"age": age[:, None]}, sick, subjects, folds)["age"]
    assert roc_auc_score(sick, both) < roc_auc_score(sick, alone) + 0.03


def test_a_fold_is_judged_without_its_own_labels(films):
    features, hidden, subjects, folds = films
    sick, age = (hidden > 0).astype(int), {"age": np.arange(120.0)[:, None]}
    turned = np.where(folds == 1, 1 - sick, sick)
    before, after = (joined_scores(features, age, y, subjects, folds)["age"][1] for y in (sick, turned))
    assert before[folds == 1] == pytest.approx(after[folds == 1])


def test_a_person_has_the_mean_of_the_knees():
    found = by_person(np.array([[1.0, 5, 3], [0, 2, 4]]), ["b", "a", "b"])
    assert found.tolist() == [[2, 5], [2, 2]]


def test_refusals(films):
    features, hidden, _, folds = films
    with pytest.raises(ValueError, match="differ in length: 120, 119, 120"):
        pc_scores(features, hidden[1:], folds)
    with pytest.raises(ValueError, match="fold 0 have one class"):
        pc_scores(features, (folds == 0).astype(float), folds)
