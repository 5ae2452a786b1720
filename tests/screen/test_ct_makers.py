import numpy as np
import pandas as pd
import pytest

from osteolib.screen.ct_makers import best_readers, blurred_gain, follows, own_offset, readings
from osteolib.stats.ranks import auroc_within


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    monkeypatch.setattr("osteolib.runs.store.STORE", tmp_path / "store")


def sample(n=300, seed=0):
    rng = np.random.default_rng(seed)
    device = np.array(["Hologic", "GE Lunar", "MEDIX"])[rng.integers(0, 3, n)]
    return rng.normal(0.95, 0.15, n), device


def test_readings_are_the_published_lines():
    read = readings([1.0436, 0.9])
    assert read["Hologic"].tolist() == pytest.approx([0.972, 0.972 - 0.1436 / 1.0550])
    assert read["GE Lunar"].tolist() == pytest.approx([1.100, 1.100 - 0.1436 / 0.9683])


def test_offsets_of_the_three_makers_of_one_bone_cancel():
    offsets = own_offset([0.9] * 3, ["Hologic", "GE Lunar", "MEDIX"])
    assert offsets.sum() == pytest.approx(0) and offsets[0] < offsets[2] < offsets[1]


@pytest.mark.parametrize(("device", "named"), [("Hologics", "'Hologics'"), (None, "'missing'")])
def test_a_device_that_is_no_maker_is_named(device, named):
    with pytest.raises(ValueError, match=rf"device {named} is no maker: use Hologic, GE Lunar, MEDIX"):
        own_offset([0.9, 0.9], ["Hologic", device])


@pytest.mark.parametrize("share", [0, 0.5, 1, 1.3])
def test_the_share_that_was_planted_is_found_however_much_a_prediction_is_shrunk(share):
    true, device = sample()
    offset = own_offset(true, device)
    assert follows(0.4 + 0.5 * true + share * offset, true, offset) == pytest.approx(share)


def test_a_hospital_of_thin_bones_is_no_device_effect_at_equal_true_bmd():
    """Mean residuals by maker would call a prediction biased that is only shrunk."""
    true, device = sample()
    true = true - 0.2 * (device == "Hologic")
    offset = own_offset(true, device)
    shrunk = true.mean() + 0.5 * (true - true.mean()) + offset
    residual = pd.Series(shrunk - (true + offset)).groupby(device).mean()
    assert residual["Hologic"] - residual["MEDIX"] > 0.05
    assert follows(shrunk, true, offset) == pytest.approx(1)


def test_one_maker_alone_cannot_be_told_from_the_bone():
    true, _ = sample()
    assert np.isnan(follows(true, true, own_offset(true, ["Hologic"] * len(true))))
    assert np.isnan(follows(true[:2], true[:2], [0.01, 0.02]))
    with pytest.raises(ValueError, match="offset"):
        follows(true, true, [0.1])


def test_the_best_reader_follows_makers_where_they_are_crossed_and_more_where_they_are_hospitals():
    shares, shifts = {}, {}
    for preset in ("crossed", "tpswav2025"):
        best = best_readers(preset, n_subjects=2500)
        assert set(best["site"]) == set("ABCD")
        offset = own_offset(best["bmd_true_g_cm2"], best["device"])
        shares[preset] = [follows(best[f"bmd{end}"], best["bmd_true_g_cm2"], offset) for end in ("", "_told")]
        shifts[preset] = (best["score_Hologic"] - best["score_GE Lunar"]).mean()
        own = best.loc[best["device"] == "MEDIX"]
        np.testing.assert_allclose(own["bmd_told"], own["bmd_MEDIX"])
        assert auroc_within(best["y"].to_numpy(), best["score"].to_numpy(), np.zeros(len(best))) > 0.83
    assert shares["crossed"] == pytest.approx([0, 1], abs=0.15)
    assert shares["tpswav2025"][0] > 0.3 and shares["tpswav2025"][1] > 1.1
    assert shifts["tpswav2025"] > 0.05 > abs(shifts["crossed"])


def population(share_by_maker, n=20_000, seed=0):
    """A reader with the true chances of people whose osteoporosis has another share at each maker's hospital."""
    rng = np.random.default_rng(seed)
    site = np.array(list("ABC"))[rng.integers(0, 3, n)]
    device = pd.Series(site).map({"A": "Hologic", "B": "GE Lunar", "C": "MEDIX"})
    y = (rng.random(n) < pd.Series(site).map(share_by_maker)).astype(int)
    return pd.DataFrame({"site": site, "device": device, "y": y, "score": 1 / (1 + np.exp(-rng.normal(1.5 * y, 1)))})


def test_a_blurred_reader_has_the_skill_asked_for_and_more_use_for_a_list_of_prevalences():
    unlike = population({"A": 0.5, "B": 0.2, "C": 0.2})
    sharp, blurred, blind = (blurred_gain(unlike, auroc) for auroc in (0.99, 0.7, 0.501))
    assert sharp[0] == pytest.approx(0.856, abs=0.01)  # Phi(1.5 / sqrt 2): it is not made better than it is
    assert blurred[0] == pytest.approx(0.7, abs=0.001) and 0 < sharp[1] < blurred[1] < blind[1]
    site = unlike["site"].eq("A").to_numpy() * 1.0
    alone = auroc_within(unlike["y"].to_numpy(), site, np.zeros(len(unlike)))
    assert sum(blind) == pytest.approx(alone, abs=0.01)  # nothing seen: the list alone is left


def test_names_add_nothing_where_all_hospitals_are_alike():
    assert abs(blurred_gain(population({"A": 0.3, "B": 0.3, "C": 0.3}), 0.7)[1]) < 0.005
    with pytest.raises(ValueError, match=r"auroc must lie between 0.5 and 1 .* got 0.4"):
        blurred_gain(population({"A": 0.3, "B": 0.3, "C": 0.3}, 100), 0.4)
