import numpy as np
import pandas as pd
import pytest

from osteolib.phantoms.vertebra import likeness
from osteolib.phantoms.vertebra.machines import machine_lines


def block():
    """A body of 100 HU with walls of 500 HU in tissue of 40 HU, 24 voxels wide."""
    voxels, mask = np.full((30, 40, 40), 40, np.float32), np.zeros((30, 40, 40), bool)
    mask[5:25, 10:30, 8:32] = True
    voxels[mask] = 100
    voxels[5:25, 10:30, 8], voxels[5:25, 10:30, 31] = 500, 500
    return voxels, mask


def test_the_profile_has_its_cortices_at_minus_one_and_one():
    profile = likeness.profile_across(*block())
    at = likeness.ACROSS
    assert profile[np.isclose(at, -1)] == pytest.approx(500) and profile[np.isclose(at, 1)] == pytest.approx(500)
    assert profile[np.abs(at) < 0.8] == pytest.approx(100) and profile[np.abs(at) > 1.2] == pytest.approx(40)


def test_measures_of_a_block_are_those_it_was_built_with():
    found = likeness.measures(*block(), 1.5)
    assert (found["core"], found["core_sd"], found["outside"]) == pytest.approx((100, 0, 40))
    assert found["cortex"] == pytest.approx(400)
    assert found["contrast"] == 0 and found["homogeneity"] == pytest.approx(1)
    assert np.isnan(likeness.measures(*block(), 3.0)["contrast"])
    with pytest.raises(ValueError, match="mask is empty"):
        likeness.measures(block()[0], np.zeros((30, 40, 40), bool), 1.5)


def test_white_noise_has_a_flat_spectrum_and_a_slow_wave_none_above():
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(60, 24, 24)).astype(np.float32)
    rings = likeness.radial_power(noise, 1.5, (0.05, 0.12, 0.2, 0.33))
    np.testing.assert_allclose(rings, 1, atol=0.15)
    wave = np.sin(2 * np.pi * np.arange(24) / 12)[None, None, :] + np.zeros((3, 24, 1))
    assert likeness.fine_power(wave.astype(np.float32), 1.5) < 0.02 < 0.5 < likeness.fine_power(noise, 1.5)


def test_what_lies_beside_the_bone_is_free_of_it_and_its_noise_is_read():
    _, mask = block()
    field = likeness.beside_bone(mask, reach=3)
    assert not field[:, 7:33, 8:32].any() and field[:, :6].all()
    noise = np.random.default_rng(0).normal(0, 25, mask.shape).astype(np.float32)
    found = likeness.field_statistics(noise, mask)
    for name in ("noise_x", "noise_y", "noise_z", "sd"):
        assert found[name] == pytest.approx(25, rel=0.03)
    loud = noise + 3000 * mask
    assert likeness.field_statistics(loud, mask) == pytest.approx(found, rel=1e-4)


def test_real_ones_are_counted_between_the_simulated_5_and_95_percent():
    phantom = pd.DataFrame({"core": np.arange(101.0), "contrast": np.nan})
    found = likeness.compare(pd.DataFrame({"core": [50.0, 97.0, 3.0, 90.0], "contrast": np.nan}), phantom)
    assert list(found.index) == ["core"]
    assert found.loc["core", ["phantom_low", "phantom_high", "inside", "real"]].tolist() == [5, 95, 0.5, 70]


def test_planted_lines_of_machines_are_found():
    truth = {1: 0.0, 2: 100.0, 3: 400.0}
    lines = {"a": (2.0, 1.02, 0.01), "b": (-2.0, 0.98, -0.01)}
    readings = pd.DataFrame([
        {"site": site, "device": "X", "insert": k, "years": year,
         "mg_cm3": offset + gain * value * (1 + drift * (year - 0.5))}
        for site, (offset, gain, drift) in lines.items() for k, value in truth.items() for year in (0.0, 1.0)
    ])  # fmt: skip
    found = machine_lines(readings).set_index("site")
    np.testing.assert_allclose(found["gain"], [1.02, 0.98], atol=1e-9)
    np.testing.assert_allclose(found["offset"], [2, -2], atol=1e-9)
    np.testing.assert_allclose(found["residual"], 0, atol=1e-9)
    np.testing.assert_allclose(found["drift"], [0.01, -0.01], rtol=0.01)
    once = machine_lines(readings[readings.years == 0])
    assert once["drift"].isna().all()
