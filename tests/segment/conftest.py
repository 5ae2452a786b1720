"""A hand whose keypoints are known."""

import numpy as np
import pytest


@pytest.fixture
def points():
    """Keypoints of a hand by number, x and y in pixels, shape (21, 2); NaN but for the ends of five metacarpals."""
    points = np.full((21, 2), np.nan)
    points[[0, 1, 2]] = [100, 240], [140, 210], [170, 160]
    points[[5, 9, 13, 17]] = [140, 110], [110, 100], [80, 105], [50, 120]
    return points
