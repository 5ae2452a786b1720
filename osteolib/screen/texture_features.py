"""Texture of a film without any training: grey-level co-occurrence and local binary patterns, by tile.

Source: Haralick et al., IEEE Trans SMC 3:610, 1973; Ojala et al., IEEE Trans PAMI 24:971, 2002; both as scikit-image
computes them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LEVELS = 32
DISTANCES = (1, 3)
PROPERTIES = ("contrast", "homogeneity", "energy", "correlation")
NEIGHBOURS = 8
GRID = 3


def texture_features(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Features of every tile of a 3 x 3 grid over each film.

    Of a tile: the four properties of its co-occurrence matrix, mean of four directions, at 1 and at 3 pixels; and the
    histogram of the ten uniform patterns of eight neighbours at 1 pixel.

    Parameters
    ----------
    images
        Shape (n, size, size), uint8, size at least 24.

    Returns
    -------
    Shape (n, 162), float32: tile by tile, row after row.

    Raises
    ------
    ValueError
        The images have another shape or type.
    """
    images = np.asarray(images)
    if images.dtype != np.uint8 or images.ndim != 3 or images.shape[1] != images.shape[2] or images.shape[1] < 24:
        raise ValueError(f"images: shape (n, size, size) of uint8 with size >= 24 is needed, got {images.shape} "
                         f"{images.dtype}")  # fmt: skip
    width = GRID * GRID * (len(PROPERTIES) * len(DISTANCES) + NEIGHBOURS + 2)
    return np.array([_of_film(image) for image in images], np.float32).reshape(len(images), width)


def _of_film(image: NDArray[np.uint8]) -> NDArray[np.float64]:
    from skimage.feature import graycomatrix, graycoprops, local_binary_pattern

    patterns = local_binary_pattern(image, NEIGHBOURS, 1, method="uniform").astype(int)
    edges = np.linspace(0, len(image), GRID + 1).astype(int)
    tiles = [(slice(*edges[i : i + 2]), slice(*edges[j : j + 2])) for i in range(GRID) for j in range(GRID)]
    values = []
    for tile in tiles:
        grey = image[tile] // (256 // LEVELS)
        pairs = graycomatrix(grey, DISTANCES, np.arange(4) * np.pi / 4, LEVELS, symmetric=True, normed=True)
        values += [graycoprops(pairs, name).mean(1) for name in PROPERTIES]
        values.append(np.bincount(patterns[tile].ravel(), minlength=NEIGHBOURS + 2) / grey.size)
    return np.concatenate(values)
