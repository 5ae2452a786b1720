import numpy as np
import pytest

from osteolib.segment.shaft_profile import ACROSS, profile_across, relative


def tube(angle: float, canal: float, half: float = 20.5) -> tuple[np.ndarray, np.ndarray]:
    """A hollow cylinder (canal in half-widths) and its mask, turned by an angle in degrees, on tissue of grey 30."""
    y, x = np.mgrid[:300, :300] - 150.0
    turn = np.deg2rad(angle)
    v, u = x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)
    chord = [np.sqrt(np.clip(r**2 - (v / half) ** 2, 0, None)) for r in (1, canal)]
    inside = (np.abs(u) < 110) & (np.abs(v) <= half)
    return 30 + 200 * inside * (chord[0] - chord[1]), inside


@pytest.mark.parametrize("angle", [0, 25, -60, 90])
@pytest.mark.parametrize("canal", [0.4, 0.6])
def test_a_tube_shows_its_chords_whatever_its_direction(angle, canal):
    profile = profile_across(*tube(angle, canal))
    true = 30 + 200 * (np.sqrt(np.clip(1 - ACROSS**2, 0, None)) - np.sqrt(np.clip(canal**2 - ACROSS**2, 0, None)))
    steady = (np.abs(np.abs(ACROSS) - 1) > 0.1) & (np.abs(np.abs(ACROSS) - canal) > 0.1)
    np.testing.assert_allclose(profile[steady], true[steady], atol=8)
    peaks = np.abs(ACROSS[[profile[:70].argmax(), 71 + profile[71:].argmax()]])
    assert peaks == pytest.approx([canal, canal], abs=0.08)  # a ray that grazes the canal has the longest way


def test_relative_profiles_know_neither_exposure_nor_window():
    profiles = np.array([profile_across(*tube(0, canal)) for canal in (0.4, 0.6)])
    scaled = relative(profiles)
    np.testing.assert_allclose(scaled[:, np.abs(ACROSS) > 1.3], 0, atol=1e-9)
    np.testing.assert_allclose(scaled.max(1), 1)
    np.testing.assert_allclose(relative(3 * profiles + 40), scaled)
