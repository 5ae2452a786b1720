"""What is cut out with a segmentation: seven bone images, and the cortical percentage of the second metacarpal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from osteolib.phantoms.hand.shapes import BONES
from osteolib.radiograph import resize

SMALLEST, LARGEST = 0.001, 0.25  # share of the image that one bone may cover
CONNECTED = 0.7  # smallest share of a bone's pixels in its largest piece
MARGIN = 1.1  # side of the square, in units of the longer side of the bone
MIDDLE = (0.45, 0.55)  # of the length of the shaft: where the cortex is measured
NARROWEST = 12  # pixels across the shaft
SHALLOWEST = 0.05  # depth of the canal in the profile, in units of the cortex above the outer edge
NAN = float("nan")


@dataclass(frozen=True)
class BoneImages:
    """``images`` by name in the order of BONES, each (size, size) float32, zero outside the bone; ``boxes`` as row and
    column of the upper left corner, which may be negative, and side; ``missing`` bones with the reason."""

    images: dict[str, NDArray[np.float32]]
    boxes: dict[str, tuple[int, int, int]]
    missing: dict[str, str]


@dataclass(frozen=True)
class Cortex:
    """Mid-shaft measurement; all numbers are NaN where ``reason`` is not empty.

    Attributes
    ----------
    percentage
        (outer - canal) / outer, 0 to 1, with the canal of the tube that would give this profile.
    half_depth
        The same with the canal as it appears, between the half-depth points of its profile.
    outer_width, canal_width
        Of the shaft and of the tube's canal, in ``unit``: mm where spacing is known, else px.
    """

    percentage: float
    half_depth: float
    outer_width: float
    canal_width: float
    unit: str
    reason: str = ""


def film_rows(image_size: int) -> int:
    """Rows of the films whose bones come to about ``image_size`` pixels."""
    return max(64, 5 * image_size)


def bone_images(pixels: ArrayLike, labels: ArrayLike, size: int) -> BoneImages:
    """Seven Hadamard products of image and mask, cut to squares (lee2025_hand, Fig. 3).

    A bone is its largest connected piece. It is missing, and no image is made up for it, where that piece covers less
    than 0.1 % of the image (absent or a speck) or more than 25 %; where it holds less than 70 % of the class (broken by
    a plate, a ring, a failed segmentation); where a metacarpal reaches the edge of the image (cut off; the forearm
    bones always do); or where the image is constant in all of it.

    Parameters
    ----------
    pixels
        Shape (height, width), in [0, 1].
    labels
        Same shape, integers: 0 and 1 to 7 in the order of BONES.
    size
        Side of the bone images in pixels.
    """
    from scipy.ndimage import find_objects

    pixels, labels = _same_frame(pixels, labels)
    images, boxes, missing = {}, {}, {}
    for number, (name, found) in enumerate(zip(BONES, find_objects(labels, len(BONES)), strict=True), 1):
        if found is None:
            missing[name] = "absent from the label map"
            continue
        piece, areas = largest_piece(labels[found] == number)
        top, left = (cut.start for cut in found)
        (up, down), (first, last) = ((cut.start, cut.stop) for cut in find_objects(piece.astype(np.uint8))[0])
        product = (pixels[found] * piece)[up:down, first:last]
        frame = np.array([top + up, left + first]), np.array([top + down, left + last])
        at_edge = (frame[0] == 0).any() or (frame[1] == labels.shape).any()
        if reason := _defect(name, areas, labels.size, at_edge, np.ptp(pixels[found][piece]) == 0):
            missing[name] = reason
            continue
        side = int(np.ceil(MARGIN * max(product.shape)))
        corner = (frame[0] + frame[1] - side) // 2
        square = np.zeros((side, side), np.float32)
        square[tuple(map(slice, frame[0] - corner, frame[1] - corner))] = product
        images[name], boxes[name] = resize(square, size), (int(corner[0]), int(corner[1]), side)
    return BoneImages(images, boxes, missing)


def largest_piece(mask: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """The largest connected piece of a mask that is not empty, and the areas of all pieces."""
    from scipy.ndimage import label

    pieces, _ = label(mask)
    areas = np.bincount(pieces.ravel())[1:]
    return pieces == np.argmax(areas) + 1, areas


def _defect(name: str, areas: NDArray, n_pixels: int, at_edge: bool, constant: bool) -> str:
    """Why a bone counts as missing, empty where it does not."""
    largest = areas.max()
    share = largest / n_pixels
    if share < SMALLEST:
        return f"{share:.2%} of the image"
    if share > LARGEST:
        return f"{share:.0%} of the image, more than any bone"
    if largest < CONNECTED * areas.sum():
        return f"in {len(areas)} pieces, the largest with {largest / areas.sum():.0%} of it"
    if name.startswith("M") and at_edge:
        return "cut off by the edge of the image"
    return "the image is constant in all of it" if constant else ""


def cortical_percentage(pixels: ArrayLike, mask: ArrayLike, spacing: tuple[float, float] | None = None) -> Cortex:
    """Cortical percentage of a long bone at mid-shaft, the second metacarpal's as a rule.

    The axis is the mask's principal one, corrected by a line through the middles of the shaft. Across it, the middle
    tenth of the length gives profiles; scaled to the shaft's width row by row, which takes out its taper, they are
    averaged. Outer edges are the mask's. A side of the canal is where the profile is half-way from the cortex's peak
    to the canal's minimum. In the projection of a round tube that point lies inside the canal (for a true percentage of
    0.50 it would read 0.55), so the tube is looked for whose own half-depth point is the measured one.

    Parameters
    ----------
    pixels
        Shape (height, width), bone brighter than soft tissue, as linear in attenuation as the display window leaves it.
    mask
        Same shape, bool: the whole bone.
    spacing
        Rows and columns, mm per pixel.

    Returns
    -------
    With NaN and a reason where the mask is empty, reaches the edge of the image, is no shaft, or has fewer than 12
    pixels across; or where the profile has no canal between two cortices (a constant image, a filled canal).
    """
    from scipy.ndimage import gaussian_filter1d, map_coordinates

    pixels, mask = _same_frame(pixels, np.asarray(mask, bool))
    step = np.array(spacing or (1.0, 1.0))
    unit = "mm" if spacing else "px"

    def give_up(reason: str) -> Cortex:
        return Cortex(NAN, NAN, NAN, NAN, unit, reason)

    def sample(image: NDArray, u: NDArray, v: NDArray) -> NDArray:
        """``image`` at u along the axis, one row each, and v across it."""
        grid = (centre + u[:, None, None] * axis + v[..., None] * across) / step
        return map_coordinates(image, np.moveaxis(grid, 2, 0), output=float, order=1)

    if mask.sum() < NARROWEST**2:
        return give_up(f"the mask holds {mask.sum()} pixels: " + ("too few" if mask.any() else "it is empty"))
    if _at_edge(mask):
        return give_up("the mask reaches the edge of the image: the bone may be cut off")
    points = np.argwhere(mask) * step
    centre, slope, offset = points.mean(0), 0.0, 0.0
    axis = np.linalg.eigh(np.cov(points.T))[1][:, 1]
    for _ in range(3):
        across = np.array([-axis[1], axis[0]])
        axis, centre = (axis + slope * across) / np.hypot(1, slope), centre + offset * across
        across = np.array([-axis[1], axis[0]])
        along, aside = (points - centre) @ axis, np.abs((points - centre) @ across).max() + step.max()
        u = along.min() + np.ptp(along) * np.linspace(*MIDDLE, 50)
        v = np.arange(-aside, aside, 0.1 * step.min())
        inside = sample(mask, u, np.broadcast_to(v, (50, len(v)))) > 0.5
        if not inside.any(1).all():
            return give_up("the mask is no shaft: its axis leaves it half-way")
        width, middle = 0.1 * step.min() * inside.sum(1), (inside * v).sum(1) / inside.sum(1)
        slope, offset = np.polyfit(u, middle, 1)
    outer = float(width.mean())
    if np.ptp(along) < 3 * outer:
        return give_up(f"the mask is no shaft: {np.ptp(along) / outer:.1f} times as long as wide")
    if outer < NARROWEST * step.max():
        return give_up(f"{outer / step.max():.1f} pixels across the shaft: at least {NARROWEST} are needed")
    t = np.linspace(-1, 1, 401)
    profile = gaussian_filter1d(sample(pixels, u, middle[:, None] + t * width[:, None] / 2).mean(0), 2)
    left, right = np.argmax(profile[:200]), 201 + np.argmax(profile[201:])
    canal = left + np.argmin(profile[left:right])
    contrast = profile[[left, right]].min() - profile[[0, -1]].mean()
    if contrast <= 0 or profile[[left, right]].min() - profile[canal] < SHALLOWEST * contrast:
        return give_up("no canal between two cortices in the profile across the shaft")
    edges = [_crossing(t[side], profile[side]) for side in (np.s_[left : canal + 1], np.s_[right : canal - 1 : -1])]
    seen = (edges[1] - edges[0]) / 2
    tube = _tube(seen)
    return Cortex(1 - tube, 1 - seen, outer, outer * tube, unit)


def _crossing(t: NDArray, profile: NDArray) -> float:
    """Where a profile from the cortex's peak to the canal's minimum was last half-way, by linear interpolation."""
    half = (profile[0] + profile[-1]) / 2
    i = np.flatnonzero(profile >= half)[-1]
    return float(np.interp(half, profile[[i + 1, i]], t[[i + 1, i]]))


def _tube(seen: float) -> float:
    """Inner radius r of the tube of outer radius 1 whose chord 2 (sqrt(1 - v^2) - sqrt(r^2 - v^2)) is half-way between
    its peak (v = r) and its minimum (v = 0) at v = ``seen``."""
    from scipy.optimize import brentq

    def excess(r: float) -> float:
        return np.sqrt(1 - seen**2) - np.sqrt(max(r**2 - seen**2, 0)) - (np.sqrt(1 - r**2) + 1 - r) / 2

    return float(brentq(excess, seen, 1 - 1e-9))


def _at_edge(mask: NDArray) -> bool:
    return bool(mask[[0, -1]].any() or mask[:, [0, -1]].any())


def _same_frame(pixels: ArrayLike, mask: ArrayLike) -> tuple[NDArray, NDArray]:
    pixels, mask = np.asarray(pixels), np.asarray(mask)
    if pixels.ndim != 2 or pixels.shape != mask.shape or not np.isfinite(pixels).all():
        raise ValueError(
            f"image and mask must be finite and of one shape (height, width), got {pixels.shape} and {mask.shape}"
        )
    return pixels, mask
