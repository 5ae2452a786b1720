"""Films whose truth is known because they are drawn here."""

import numpy as np
import pytest


def draw_film(
    centres=(0.5,), shape=(600, 480), leg_width=0.24, background=8, tissue=70, bone=80, noise=4, seed=0
) -> np.ndarray:
    """Legs as a radiograph shows them: a thigh that tapers to the calf, femur, condyles, tibia and fibula.

    ``centres`` are fractions of the width, ``leg_width`` that of a calf. A round cross-section of soft tissue is
    brightest in its middle; bone adds to it. Returns uint8, bright bone.
    """
    height, width = shape
    t = np.linspace(0, 1, height)[:, None]  # 0 at the thigh, 1 at the calf
    x = np.arange(width)[None] / width
    film = np.full(shape, float(background))
    for centre in centres:
        out = np.sign(centre - 0.5) or 1.0  # the fibula lies on the outer side
        half = leg_width / 2 * (1.3 - 0.3 * t)
        film += tissue * np.sqrt(np.clip(1 - ((x - centre) / half) ** 2, 0, None))
        knee = np.exp(-(((t - 0.45) / 0.08) ** 2))
        film += bone * (np.abs(x - centre) < leg_width * (0.16 + 0.18 * knee))
        film += bone * ((np.abs(x - centre - out * leg_width * 0.3) < leg_width * 0.05) & (t > 0.55))
    film += np.random.default_rng(seed).normal(0, noise, shape)
    return np.clip(np.rint(film), 0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def film():
    return draw_film
