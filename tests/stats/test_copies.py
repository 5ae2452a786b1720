import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import multivariate_normal, norm

from osteolib.stats import bootstrap_ci
from osteolib.stats.copies import (
    Binormal,
    Likeness,
    binormal,
    copy_codes,
    covariance_of_signs,
    design_effects,
    draw_files,
    draw_scores,
)  # fmt: skip


def nested(n_films: int, rng: np.random.Generator) -> np.ndarray:
    """Films of one to three pictures, pictures of one or two byte strings, bytes in one to three files."""
    rows, picture, string = [], 0, 0
    for film in range(n_films):
        for _ in range(rng.integers(1, 4)):
            for _ in range(rng.integers(1, 3)):
                rows += [(string, picture, film)] * rng.integers(1, 4)
                string += 1
            picture += 1
    return np.array(rows)


def as_table(codes: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(codes.astype(str), columns=["bytes_group", "picture_group", "source_group"])


def test_three_printed_values_fix_the_scores():
    model = binormal(0.933, 0.773, 0.904)
    assert model.truth == pytest.approx({"auroc": 0.933, "sensitivity": 0.904, "specificity": 0.773})
    rng = np.random.default_rng(0)
    cases, normals = model.mean + model.sd * rng.normal(size=400_000), rng.normal(size=400_000)
    found = (cases > normals).mean(), (cases >= model.threshold).mean(), (normals < model.threshold).mean()
    assert found == pytest.approx((0.933, 0.904, 0.773), abs=0.002)
    equal = binormal(0.77, 0.773)
    assert equal.sd == 1 and equal.truth["auroc"] == pytest.approx(0.77)


def test_values_that_no_normal_scores_have_are_refused():
    with pytest.raises(ValueError, match=r"no normal scores have AUROC 0\.55, sensitivity 0\.99"):
        binormal(0.55, 0.99, 0.99)
    with pytest.raises(ValueError, match="a closer copy cannot be less alike"):
        Likeness(picture=0.4, film=0.5)


@given(st.floats(-2.5, 2.5), st.floats(-0.99, 0.99))
def test_the_covariance_of_two_signs_is_that_of_the_bivariate_normal(h, r):
    both = multivariate_normal.cdf([h, h], cov=[[1, r], [r, 1]], abseps=1e-10)
    assert covariance_of_signs(h, r) == pytest.approx(both - norm.cdf(h) ** 2, abs=1e-7)


def test_the_covariance_of_a_sign_with_itself_is_its_variance_and_at_0_sheppard_s_arcsine():
    p = norm.cdf(1.3)
    assert covariance_of_signs(1.3, 1.0) == pytest.approx(p * (1 - p), abs=1e-6)
    r = np.array([-0.5, 0.0, 0.8])
    assert covariance_of_signs(0.0, r) == pytest.approx(np.arcsin(r) / (2 * np.pi))


def test_with_equal_groups_the_design_effect_is_kish_s():
    """Films of five files, all of one class: 1 + (m - 1) rho with rho the correlation of two calls."""
    m, model = 5, binormal(0.9, 0.8)
    film = np.repeat(np.arange(40), m)
    codes = np.column_stack([np.arange(200), np.arange(200), film])
    found = design_effects(codes, np.repeat([1, 0], 100), model, Likeness(film=0.6)).set_index("metric")
    for metric in ("sensitivity", "specificity"):
        p = model.truth[metric]
        rho = covariance_of_signs(norm.ppf(p), 0.6) / (p * (1 - p))
        assert found.loc[metric, "design_effect"] == pytest.approx(1 + (m - 1) * rho, rel=1e-5)
        assert found.loc[metric, "se_files"] == pytest.approx(np.sqrt(p * (1 - p) / 100), rel=1e-5)
    assert (found["n_eff"] == found["n"] / found["design_effect"]).all()


def test_files_of_the_same_bytes_count_once():
    codes = np.column_stack([np.repeat(np.arange(30), 2)] * 3)
    found = design_effects(codes, np.repeat([1, 0], 30), binormal(0.8, 0.7), Likeness())
    assert found["design_effect"].to_numpy() == pytest.approx(2) and found["n_eff"].tolist() == pytest.approx(
        [30, 15, 15]
    )


def test_a_case_and_a_normal_of_one_film_make_the_auroc_steadier():
    """As in a matched study: what the film adds to the case it adds to the normal too."""
    apart = np.column_stack([np.arange(80)] * 3)
    matched = np.column_stack([np.arange(80), np.arange(80), np.tile(np.arange(40), 2)])
    case, model = np.repeat([1, 0], 40), binormal(0.8, 0.7)
    found = [design_effects(codes, case, model, Likeness(film=0.7)).set_index("metric") for codes in (apart, matched)]
    assert found[0]["design_effect"].to_numpy() == pytest.approx(1)
    assert found[1].loc["auroc", "design_effect"] < 0.8
    assert found[1].loc["sensitivity", "design_effect"] == pytest.approx(1)


def obuchowski(case: np.ndarray, score: np.ndarray, cluster: np.ndarray) -> float:
    """Variance of the AUROC of clustered data, Obuchowski 1997, equations 3 to 6, written out."""
    x, y = score[case == 1], score[case == 0]
    psi = (x[:, None] > y) + 0.5 * (x[:, None] == y)
    auc, m, n, clusters = psi.mean(), x.size, y.size, np.unique(cluster)
    of_cases = [psi.mean(1)[cluster[case == 1] == c] - auc for c in clusters]
    of_normals = [psi.mean(0)[cluster[case == 0] == c] - auc for c in clusters]
    a, b = (np.array([part.sum() for part in parts]) for parts in (of_cases, of_normals))
    i = len(clusters)
    i10, i01 = (sum(len(part) > 0 for part in parts) for parts in (of_cases, of_normals))
    s10, s01 = i10 / ((i10 - 1) * m) * (a**2).sum(), i01 / ((i01 - 1) * n) * (b**2).sum()
    return s10 / m + s01 / n + 2 * i / (i - 1) * (a * b).sum() / (m * n)


def test_formula_simulation_obuchowski_and_the_bootstrap_of_films_agree():
    """Labels cut across films, as in the real set: spread by brute force against three ways to say it beforehand."""
    rng = np.random.default_rng(3)
    codes = nested(90, rng)
    case = (rng.random(codes[-1, 2] + 1)[codes[:, 2]] * 0.6 + rng.random(len(codes)) * 0.4 > 0.5).astype(int)
    mixed = pd.Series(case).groupby(codes[:, 2]).nunique()
    assert (mixed == 2).sum() > 20  # films under both classes
    model, likeness = binormal(0.83, 0.7, 0.8), Likeness(1.0, 0.9, 0.6)
    draws = [draw_scores(codes, case, model, likeness, rng) for _ in range(3000)]
    psi = [(s[case == 1][:, None] > s[case == 0]).mean() for s in draws]
    calls = np.array([s >= model.threshold for s in draws])
    told = design_effects(codes, case, model, likeness).set_index("metric")["se"]
    assert np.std(psi) == pytest.approx(told["auroc"], rel=0.06)
    assert np.mean(psi) == pytest.approx(0.83, abs=0.006)
    assert calls[:, case == 1].mean(1).std() == pytest.approx(told["sensitivity"], rel=0.06)
    assert (~calls[:, case == 0]).mean(1).std() == pytest.approx(told["specificity"], rel=0.06)
    clustered = np.sqrt(np.mean([obuchowski(case, s, codes[:, 2]) for s in draws[:100]]))
    assert clustered == pytest.approx(told["auroc"], rel=0.06)
    films = [
        bootstrap_ci(case, s, "auroc", n_boot=300, groups=codes[:, 2]).replicates["auroc"].std() for s in draws[:60]
    ]
    assert np.mean(films) == pytest.approx(clustered, rel=0.06)
    files = [bootstrap_ci(case, s, "auroc", n_boot=300).replicates["auroc"].std() for s in draws[:60]]
    assert np.mean(files) < 0.75 * told["auroc"]


def test_scores_of_copies_are_as_alike_as_asked():
    model, likeness = Binormal(1.0, 2.0, 0.5), Likeness(0.95, 0.8, 0.3)
    codes = np.column_stack([np.repeat(np.arange(4), 2)[:7], [0, 0, 1, 1, 2, 2, 2], [0, 0, 0, 0, 0, 0, 0]])
    rng = np.random.default_rng(0)
    case = np.array([1, 1, 1, 0, 0, 1, 0])
    scores = np.array([draw_scores(codes, case, model, likeness, rng) for _ in range(20_000)])
    r = np.corrcoef(scores.T)
    assert (r[0, 1], r[0, 2], r[0, 3], r[4, 6]) == pytest.approx((0.95, 0.3, 0.3, 0.8), abs=0.02)
    assert scores[:, 0].mean() == pytest.approx(1, abs=0.05) and scores[:, 0].std() == pytest.approx(2, rel=0.02)
    assert scores[:, 3].mean() == pytest.approx(0, abs=0.03) and scores[:, 3].std() == pytest.approx(1, rel=0.02)


def test_same_bytes_get_one_answer_from_a_network():
    codes = np.column_stack([[0, 0, 1], [0, 0, 0], [0, 0, 0]])
    scores = draw_scores(codes, np.array([1, 1, 1]), binormal(0.9, 0.8), Likeness(), np.random.default_rng(0))
    assert scores[0] == scores[1] != scores[2]


def test_a_picture_of_two_films_is_refused_and_codes_keep_the_groups():
    codes = nested(10, np.random.default_rng(0))
    assert (copy_codes(as_table(codes)) == codes).all()
    torn = as_table(codes)
    torn.loc[len(torn)] = ["new", "0", "9"]
    with pytest.raises(ValueError, match="1 groups of picture_group lie in several of source_group, first '0'"):
        copy_codes(torn)


def test_a_test_set_has_the_class_counts_asked_for_and_no_file_twice():
    label = np.repeat(["normal", "osteopenia", "osteoporosis"], (50, 20, 30))
    rows = draw_files(label, {"normal": 12, "osteoporosis": 7}, np.random.default_rng(0))
    assert len(set(rows)) == 19 and pd.Series(label[rows]).value_counts().to_dict() == {"normal": 12, "osteoporosis": 7}
