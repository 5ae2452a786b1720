"""Toy hips with a planted T-score: squares whose stripes fade as it falls, and features that follow it."""

import numpy as np
import pytest


@pytest.fixture(scope="session")
def toy_squares():
    """``toy_squares(n)``: squares as right hips with their femur masks and classes, and their T-scores."""
    from osteolib.screen.triplet import Hips

    def make(n, size=32, seed=0):
        rng = np.random.default_rng(seed)
        t = rng.normal(-2.6, 1.1, n)
        y, x = np.mgrid[:size, :size] / size
        stripes = np.sin(40 * (x + y) + rng.uniform(0, 6, (n, 1, 1)))
        contrast = np.clip((t + 6) / 6, 0, 1)[:, None, None]
        noise = rng.normal(0, 0.05, (n, size, size))
        images = (0.5 + 0.3 * contrast * stripes + noise) * rng.uniform(0.8, 1.2, (n, 1, 1))
        femur = np.broadcast_to(np.hypot(y - 0.5, x - 0.5) < 0.45, images.shape).copy()
        return Hips((np.clip(images, 0, 1) * 255).astype(np.uint8), femur, (t <= -2.5).astype(np.int64)), t

    return make


@pytest.fixture(scope="session")
def toy_features():
    """``toy_features(n)``: features with covariates (2n, k + 3) of two hips a person, T-scores, whose they are."""

    def make(n_people, seed=0, noise=0.5, k=12):
        rng = np.random.default_rng(seed)
        people = np.repeat([f"p{i}" for i in range(n_people)], 2)
        t = rng.normal(-2.6, 1.1, len(people))
        seen = np.outer(t + rng.normal(0, noise, len(t)), rng.normal(size=k)) + rng.normal(size=(len(t), k))
        covariates = np.column_stack([rng.normal(72, 9, len(t)), rng.normal(24, 4, len(t)), rng.random(len(t)) < 0.7])
        return np.column_stack([seen, covariates]), t, people

    return make
