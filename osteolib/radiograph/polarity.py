"""Is there a picture, and is bone bright on it? Found from a film's pixels, whatever its file says.

Film, tube and bone leave three marks on a film of bright bone: its left and right edges are darker than its middle,
most of it is darker than mid-grey, and more of it is black than white. A negative turns each of them round. Their sum
is -2 to 2 and changes its sign with the film. :data:`NEGATIVE` was set after a look at 2,070 films of three public sets
(knees and hands) and 1,420 simulated ones: the highest has 0.08, and of their negatives 21, all of hands, stay below.
Of 240 simulated afterwards none is taken for a negative, and 3 of their negatives are missed. So a film is hardly ever
refused for nothing, and about one negative of a hand in 25 passes. A film cut close to a joint has no dark edges: of
406 knees cut out of 300 of these films none is refused with a half of its height and width left, 3 with 0.4 of it.
Real films of the hip were not at hand. Whoever knows a film better says so, in a word of :data:`POLARITIES`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

POLARITIES = ("bright bone", "dark bone")
"""What bone is on a film, as a viewer shows it. Where it is said, the picture is not asked."""

NEGATIVE = 0.2
"""Score from which a film counts as a negative, and below minus which as certainly none."""

SIDE = 96  # pixels of the longer side of what is looked at
LEAST = 16  # pixels of the shorter side; what is smaller has no edges to compare
EDGE = 0.04  # of the longer side: how wide an edge is
EQUAL = 0.97  # share of pixels of one value from which there is no picture: at most 0.72 on the films named above
CONTRAST = 0.04  # of the largest value, between the 0.5th and the 99.5th percentile: at least 0.14
BETWEEN = 0.02  # share of pixels that are neither black nor white: at least 0.20
WHITE = 0.5  # share of pixels at the very top: at most 0.18


class Sample(NamedTuple):
    """A film thinned to (height, width) of at most :data:`SIDE`, and how many of its pixels have each value from 0."""

    pixels: NDArray[np.unsignedinteger]
    counts: NDArray[np.int64]

    def percentiles(self, *shares: float) -> list[int]:
        """Smallest values that these shares (0 to 1) of the pixels do not exceed."""
        return np.searchsorted(np.cumsum(self.counts), np.multiply(shares, self.pixels.size)).tolist()


def sample(pixels: NDArray[np.unsignedinteger]) -> Sample:
    """Single pixels of a film of shape (height, width), so that looking at it costs the same whatever its size."""
    step = -(-max(pixels.shape) // SIDE)
    small = np.ascontiguousarray(pixels[::step, ::step])
    return Sample(small, np.bincount(small.ravel()))


def negative_score(film: Sample) -> float:
    """How much a film looks like a negative, -2 (bright bone) to 2 (dark bone).

    0 where nothing can be said: a film too small, or flat.
    """
    height, width = film.pixels.shape
    low, high = film.percentiles(0.01, 0.99)
    if min(height, width) < LEAST or high <= low:
        return 0.0
    scale = ((np.arange(len(film.counts)) - low) / (high - low)).clip(0, 1)
    grey, share = scale[film.pixels], film.counts / film.pixels.size
    edge = max(1, round(EDGE * max(height, width)))
    sides = (grey[:, :edge].mean() + grey[:, -edge:].mean()) / 2
    middle = grey[height // 4 : height - height // 4, width // 4 : width - width // 4].mean()
    white, black = share[scale > 0.96].sum(), share[scale < 0.04].sum()
    return float((sides - middle) + (share @ scale - 0.5) + (white - black))


def is_negative(film: Sample) -> bool:
    """Whether a film clearly shows dark bone on a bright ground."""
    return negative_score(film) > NEGATIVE


def why_empty(film: Sample) -> str:
    """Why an array is no picture: flat, nearly flat, black and white only; empty text if it is one."""
    n, values = film.pixels.size, np.flatnonzero(film.counts)
    low, high, most = int(values[0]), int(values[-1]), int(film.counts.argmax())
    if low == high:
        return f"every pixel is equal ({low}), of {n:,} looked at"
    if (share := film.counts[most] / n) >= EQUAL:
        return f"{share:.1%} of its pixels are equal ({most})"
    dark, bright = film.percentiles(0.005, 0.995)
    if bright - dark < CONTRAST * high:
        return f"it is nearly flat, with values from {dark} to {bright}"
    rim = 0.02 * (high - low)
    between = film.counts[math.floor(low + rim) + 1 : math.ceil(high - rim)].sum() / n
    if between < BETWEEN:
        return f"{1 - between:.0%} of its pixels are black or white"
    return ""


def why_saturated(film: Sample) -> str:
    """Why a film shows no bone for brightness; empty text where it does."""
    top = len(film.counts) - 1
    share = film.counts[top] / film.pixels.size
    return f"it is saturated, {share:.0%} of its pixels have the largest value ({top})" if share > WHITE else ""
