import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from osteolib.screen.sub_clusters import (
    CUTS,
    FILTERS,
    ROUTINGS,
    ClusterRecipe,
    cells_of,
    fit_sub_clusters,
    joined_cuts,
    with_covariates,
)

RECIPE = ClusterRecipe(min_members=4)


@pytest.fixture(scope="module")
def fitted(toy_features):
    x, t, _ = toy_features(150)
    return x, t, fit_sub_clusters(x, t, RECIPE)


def test_a_cut_belongs_to_the_cell_below_it_as_minus_2_5_belongs_to_osteoporosis():
    assert cells_of([-9, -4, -3.99, -2.5, -2.49, -1, 3], CUTS).tolist() == [0, 0, 1, 3, 4, 6, 7]
    assert len(CUTS) == 7 and CUTS.index(-2.5) == 3  # four cells a class


def test_features_and_covariates_are_joined_and_a_gap_is_named():
    joined = with_covariates(np.zeros((2, 128)), [[70, 24, 1], [60, 25, 0]])
    assert joined.shape == (2, 131) and joined[1, 128:].tolist() == [60, 25, 0]
    with pytest.raises(ValueError, match="missing for 1 hips: impute first"):
        with_covariates(np.zeros((2, 128)), [[70, np.nan, 1], [60, 25, 0]])
    with pytest.raises(ValueError, match="2 hips have features, 1 have age"):
        with_covariates(np.zeros((2, 128)), [[70, 24, 1]])


def test_the_plane_holds_the_two_directions_of_largest_variance(fitted):
    x, _, found = fitted
    z = (x - x.mean(0)) / x.std(0)
    np.testing.assert_allclose(found.standardised(x), z, atol=1e-9)
    largest = np.linalg.svd(z, compute_uv=False)[:2]
    np.testing.assert_allclose(np.linalg.norm(found.plane(x), axis=0), largest)


def test_the_boundary_is_where_the_score_is_one_half(fitted):
    x, t, found = fitted
    a, b, c = found.line
    side = found.plane(x) @ [a, b] + c
    np.testing.assert_array_equal(side >= 0, found.score(x) >= 0.5)
    np.testing.assert_allclose(found.score(x), 1 / (1 + np.exp(-side)))
    assert np.corrcoef(found.score(x), t)[0, 1] < -0.7


def test_outliers_are_those_half_a_t_score_from_their_classs_regression(fitted):
    x, t, _ = fitted
    low = t <= -2.5
    for regress_on in ("features", "components"):
        found = fit_sub_clusters(x, t, ClusterRecipe(min_members=4, regress_on=regress_on))
        inputs = x if regress_on == "features" else found.plane(x)
        for chosen in (low, ~low):
            error = LinearRegression().fit(inputs[chosen], t[chosen]).predict(inputs[chosen]) - t[chosen]
            np.testing.assert_array_equal(found.kept[chosen], np.abs(error) < 0.5)
            np.testing.assert_allclose(found.regression_error(x, t, low.astype(int))[chosen], error, atol=1e-9)
        assert 0 < found.kept.mean() < 1


def test_a_hip_goes_to_the_nearest_cell_of_its_class(fitted):
    x, t, found = fitted
    z, centres = found.standardised(x), found.centroids
    by_features = found.route(x)
    known = found.route(x, t, "class known")
    for i in range(0, len(x), 7):
        far = np.linalg.norm(z[i] - centres, axis=1)
        low = found.score(x[i : i + 1])[0] >= 0.5
        own = range(found.n_low) if low else range(found.n_low, len(centres))
        assert by_features[i] == min(own, key=lambda cell: far[cell])
        own = range(found.n_low) if t[i] <= -2.5 else range(found.n_low, len(centres))
        assert known[i] == min(own, key=lambda cell: far[cell])
    np.testing.assert_array_equal(found.route(x, t, "true T-score"), cells_of(t, found.cuts))


def test_the_nearest_neighbour_of_a_training_hip_is_itself(toy_features):
    x, t, _ = toy_features(150)
    found = fit_sub_clusters(x, t, ClusterRecipe(min_members=4, nearest="neighbour"))
    np.testing.assert_array_equal(found.route(x, t, "class known")[found.kept], found.cell[found.kept])


def test_features_alone_route_without_a_t_score_and_the_others_ask_for_it(fitted):
    x, _, found = fitted
    assert ROUTINGS[0] == "features" and FILTERS[0] == "training"
    for routing in ROUTINGS[1:]:
        with pytest.raises(ValueError, match=f"{routing}' needs the true T-scores"):
            found.route(x, None, routing)
    with pytest.raises(ValueError, match="routing must be one of features"):
        found.route(x, None, "by magic")


def test_cells_that_are_too_small_are_joined_with_the_smaller_neighbour_of_their_class():
    t = np.repeat([-4.5, -3.7, -3.2, -2.7, -2.2, -1.7, -1.2, 0.0], [1, 5, 9, 9, 9, 9, 5, 1])
    assert joined_cuts(t, CUTS, 4) == (-3.5, -3.0, -2.5, -2.0, -1.5)
    assert joined_cuts(t, CUTS, 1) == CUTS
    t = np.repeat([-3.7, -3.2, -2.7, -2.2, -1.0], [9, 2, 5, 9, 9])  # the middle one joins the smaller side
    assert joined_cuts(t, (-3.5, -3.0, -2.5, -2.0), 4) == (-3.5, -2.5, -2.0)


def test_a_class_with_too_few_hips_is_named(toy_features):
    x, t, _ = toy_features(40)
    with pytest.raises(ValueError, match=r"class 0 \(no osteoporosis\) has 0 hips of training and needs 4"):
        fit_sub_clusters(x, np.minimum(t, -2.6), RECIPE)
    with pytest.raises(ValueError, match=r"class 1 \(osteoporosis\) keeps . hips after the filter"):
        joined_cuts([-3.0, -2.6, -1, -1.2, -1.1, -2, -2], CUTS, 4)
    with pytest.raises(ValueError, match="1 hips of training have no T-score"):
        fit_sub_clusters(x, np.append(t[:-1], np.nan), RECIPE)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"cuts": (-3, -2)}, "hold -2.5"),
        ({"cuts": (-2.5, -3)}, "cuts must rise"),
        ({"regress_on": "age"}, "regress_on must be one of features, components"),
        ({"nearest": "mean"}, "nearest must be one of"),
        ({"outlier": 0}, "outlier must be above 0"),
    ],
)
def test_a_recipe_refuses_what_cannot_be(wrong, message):
    with pytest.raises(ValueError, match=message):
        ClusterRecipe(**wrong)
