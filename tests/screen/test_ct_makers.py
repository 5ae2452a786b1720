import numpy as np
import pandas as pd
import pytest

from osteolib.screen.ct_makers import best_readers, follows, own_offset, readings
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
