from dataclasses import replace

import numpy as np
import pytest

from osteolib.phantoms.physics import (
    ENERGIES_KEV,
    TISSUES,
    Acquisition,
    attenuation_per_mm,
    detect,
    expose,
    optical_depth,
)

IDEAL = Acquisition(
    energy_kev=50, photons_per_mm2=1e6, heel=0, scatter=0, scatter_mm=20, blur_mm=1e-6, read_noise=0, window=(-1, 2),
    detail=0, detail_mm=5, exposure_sd=0, window_shift_sd=0, window_width_sd=0,
)  # fmt: skip


def flat(depth: float, n: int = 128) -> np.ndarray:
    return np.full((n, n), depth, np.float32)


def test_linear_attenuation_is_the_tabulated_mass_attenuation_times_density():
    """Oracle: NIST, cortical bone at 50 keV, 0.4242 cm2/g at 1.92 g/cm3."""
    assert attenuation_per_mm("cortical", 50) == pytest.approx(0.4242 * 1.92 / 10)
    for tissue in TISSUES:
        values = [attenuation_per_mm(tissue, e) for e in np.linspace(30, 100, 71)]
        assert np.all(np.diff(values) < 0)  # no absorption edge of these tissues lies in the range


def test_between_tabulated_energies_attenuation_follows_a_power_law():
    low, high = ENERGIES_KEV[1], ENERGIES_KEV[2]
    middle = attenuation_per_mm("soft", np.sqrt(low * high))
    assert middle == pytest.approx(np.sqrt(attenuation_per_mm("soft", low) * attenuation_per_mm("soft", high)))


def test_a_slab_follows_beer_and_lambert():
    """Closed form: 100 mm of soft tissue and 5 mm of cortical bone let exp(-mu t) of the photons through."""
    depth = optical_depth({"soft": flat(100.0), "cortical": flat(5.0)}, 50)
    photons = detect(depth, 1.0, IDEAL, np.random.default_rng(0), exposure=1.0)
    expected = 1e6 * np.exp(-(0.2264 * 1.06 * 10 + 0.4242 * 1.92 * 0.5))
    assert photons.mean() == pytest.approx(expected, rel=4 / np.sqrt(expected * photons.size))


@pytest.mark.parametrize("read_noise", [0.0, 30.0])
def test_noise_has_the_planted_variance(read_noise):
    """Poisson: variance = mean; the read noise adds its own."""
    tube = replace(IDEAL, photons_per_mm2=4000, read_noise=read_noise)
    photons = detect(flat(1.0, 256), 0.5, tube, np.random.default_rng(1), exposure=2.0)
    mean = 4000 * 0.25 * 2 * np.exp(-1)
    assert photons.mean() == pytest.approx(mean, rel=0.01)
    assert photons.var() == pytest.approx(mean + read_noise**2, rel=0.03)  # 1.6 % is two standard errors


def test_scatter_keeps_the_exposure_of_a_wide_object_and_flattens_contrast():
    object_ = flat(0.0, 256)
    object_[:, 128:] = 1.0
    clean = detect(object_, 1.0, IDEAL, np.random.default_rng(0), 1.0)
    foggy = detect(object_, 1.0, replace(IDEAL, scatter=1.0), np.random.default_rng(0), 1.0)
    assert foggy[:, :8].mean() == pytest.approx(clean[:, :8].mean(), rel=0.01)
    # at the edge half of the neighbourhood is bright: the scatter there is the mean of both sides
    ratio = foggy[100:156, 140:150].mean() / foggy[100:156, 106:116].mean()
    assert clean[:, 140:150].mean() / clean[:, 106:116].mean() == pytest.approx(np.exp(-1), rel=0.01)
    assert ratio > 1.2 * np.exp(-1)


def test_the_heel_falls_linearly_from_row_to_row():
    photons = detect(flat(0.0), 1.0, replace(IDEAL, heel=0.2), np.random.default_rng(0), 1.0)
    rows = photons.mean(1)
    assert rows[0] / rows[-1] == pytest.approx(1.1 / 0.9, rel=0.002)
    assert np.polyfit(np.arange(128), rows, 1)[0] == pytest.approx(-0.2e6 / 127, rel=0.01)


def test_the_window_maps_optical_depth_to_grey_levels():
    """Closed form, window -1 to 2: the logistic of 4 (depth - 0.5) / 3; an e-fold exposure lies one depth lower."""
    rng = np.random.default_rng(0)
    for depth, exposure, grey in ((-1, 1, 30.4), (0.5, 1, 127.5), (2, 1, 224.6), (0.5, np.e, 53.2), (9, 1, 255)):
        assert expose(flat(depth), 1.0, IDEAL, rng, exposure).mean() == pytest.approx(grey, abs=0.8)
    assert expose(flat(0.5), 1.0, IDEAL, rng, window=(0.5, 1)).mean() == pytest.approx(30.4, abs=0.8)


def test_what_has_no_table_is_named():
    with pytest.raises(ValueError, match="no attenuation for 'gold': there are cortical, soft, fat"):
        attenuation_per_mm("gold", 50)
    with pytest.raises(ValueError, match="energy_kev 20 lies outside 30 to 100"):
        attenuation_per_mm("soft", 20)
