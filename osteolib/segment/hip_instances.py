"""Femur, artificial joint and screws of one hip as a detector sees them: half films, targets, masks brought back.

Each half of a film of the pelvis holds one hip and is looked at alone, the left one mirrored, so that all hips stand
alike. A class is one instance a hip: boxes of parallel screws overlap so far that non-maximum suppression would leave
one of them anyway, and the question asked is whether a hip is obstructed, not by how many pieces.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from math import ceil
from pathlib import Path

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from osteolib.cohorts import Cohort
from osteolib.phantoms.hip.truth import FEMUR, JOINT, SCREW, read_masks
from osteolib.radiograph import read_radiograph
from osteolib.runs.store import artefact
from osteolib.segment.hip_squares import half_of_film

BITS = {"femur": FEMUR, "joint": JOINT, "screw": SCREW}
CLASSES = tuple(BITS)
"""In the order of the network's labels 1, 2, 3; a joint is an artificial one."""

TALL = 1.5  # rows of the network's frame, in units of its columns: half a film whose height is 3/4 of its width
FEWEST = 12  # network pixels of a class below which it is no target: the tip of something in the other half


@dataclass(frozen=True)
class HipHalves:
    """``images`` (n, rows, columns) uint8, one a hip, left ones mirrored; ``bits`` of the same shape, flags of BITS."""

    images: Tensor
    bits: Tensor

    def take(self, rows: ArrayLike) -> HipHalves:
        """Some of the hips: by position, or by a mask of the length n."""
        rows = torch.from_numpy(np.array(rows))
        return HipHalves(self.images[rows], self.bits[rows])

    def digest(self) -> str:
        return sha256(self.images.numpy().tobytes() + self.bits.numpy().tobytes()).hexdigest()


def frame(columns: int) -> tuple[int, int]:
    """Rows and columns of the network's frame.

    Raises
    ------
    ValueError
        ``columns`` is no multiple of 32, the stride of the coarsest features.
    """
    if columns % 32 or columns < 32:
        raise ValueError(f"the network's width must be a multiple of 32 pixels, got {columns}")
    return ceil(TALL * columns / 32) * 32, columns


def reduction(shape: tuple[int, int], columns: int) -> float:
    """Network pixels per film pixel for half a film: it fits into the frame, its proportions are kept."""
    rows, columns = frame(columns)
    return min(columns / (shape[1] - shape[1] // 2), rows / shape[0])


def to_network(pixels: NDArray[np.uint8], side: str, columns: int, flags: bool = False) -> NDArray[np.uint8]:
    """Half a film in the network's frame, zeros below and on the right.

    Parameters
    ----------
    pixels
        Shape (height, width), uint8: the whole film, or its bit flags.
    side
        ``right`` or ``left``, the patient's; a left hip is mirrored.
    flags
        Every new pixel of a film is a mean over those it covers; a flag is set where it covers at least half of it.
    """
    from PIL import Image

    if pixels.ndim != 2 or pixels.dtype != np.uint8 or pixels.shape[1] < 2:
        raise ValueError(f"a film must have the shape (height, width) and type uint8: {pixels.shape}, {pixels.dtype}")
    half = pixels[:, half_of_film(pixels.shape[1], side)]
    half = half if side == "right" else half[:, ::-1]
    scale = reduction(pixels.shape, columns)
    height, width = (max(1, round(n * scale)) for n in half.shape)

    def reduced(plane: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return np.asarray(Image.fromarray(np.ascontiguousarray(plane)).resize((width, height), Image.Resampling.BOX))

    into = np.zeros(frame(columns), np.uint8)
    if flags:
        for flag in BITS.values():
            into[:height, :width] |= np.where(reduced(255 * (half & flag > 0).astype(np.uint8)) >= 128, flag, 0).astype(
                np.uint8
            )
    else:
        into[:height, :width] = reduced(half)
    return into


def targets(bits: Tensor) -> dict[str, Tensor]:
    """What Mask R-CNN is to find in one half film.

    Parameters
    ----------
    bits
        Shape (rows, columns), uint8 flags.

    Returns
    -------
    ``boxes`` (k, 4) float32, x0, y0, x1, y1 with ends excluded; ``labels`` (k,) int64, 1 to 3; ``masks`` (k, rows,
    columns) uint8. k may be 0.
    """
    masks = torch.stack([(bits & flag) > 0 for flag in BITS.values()])
    there = masks.flatten(1).sum(1) >= FEWEST
    masks, labels = masks[there], 1 + torch.nonzero(there)[:, 0]
    boxes = torch.zeros(len(masks), 4)
    for k, mask in enumerate(masks):
        ys, xs = torch.nonzero(mask, as_tuple=True)
        boxes[k] = torch.stack([xs.min(), ys.min(), xs.max() + 1, ys.max() + 1])
    return {"boxes": boxes, "labels": labels, "masks": masks.to(torch.uint8)}


def paste(probability: Tensor, box: ArrayLike, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """A mask that fills its box, drawn on an image: where its bilinear interpolation is at least one half.

    Parameters
    ----------
    probability
        Shape (m, m), the mask head's output for one box.
    box
        x0, y0, x1, y1 in pixels of the image, ends excluded; fractions count, which torchvision's own pasting rounds.
    shape
        Height and width of the image.
    """
    x0, y0, x1, y1 = np.asarray(box, float)
    into = np.zeros(shape, bool)
    left, top = max(int(x0), 0), max(int(y0), 0)
    right, bottom = min(int(np.ceil(x1)), shape[1]), min(int(np.ceil(y1)), shape[0])
    if right <= left or bottom <= top:
        return into
    v = 2 * (torch.arange(top, bottom) + 0.5 - y0) / (y1 - y0) - 1
    u = 2 * (torch.arange(left, right) + 0.5 - x0) / (x1 - x0) - 1
    grid = torch.stack(torch.broadcast_tensors(u[None, :], v[:, None]), -1)[None].float()
    drawn = torch.nn.functional.grid_sample(probability[None, None].float(), grid, align_corners=False)
    into[top:bottom, left:right] = drawn[0, 0].numpy() >= 0.5
    return into


def hip_halves(cohort: Cohort, columns: int) -> HipHalves:
    """Half films and flags of a rendered hip phantom, in the order of its rows; kept in the store.

    Raises
    ------
    ValueError
        The cohort has no films, or no true masks, to learn from.
    """
    hips = cohort.subjects
    if "masks_path" not in hips or hips["path"].isna().any():
        raise ValueError(f"{cohort.name} has no films with true masks here: load the hip phantom with render=True")

    def make(folder: Path) -> None:
        images, bits = np.zeros((2, len(hips), *frame(columns)), np.uint8)
        for _, film in hips.reset_index(drop=True).groupby("image_id", sort=False):
            pixels, truth = (
                read_radiograph(film["path"].iloc[0]).pixels,
                read_masks(*film[["masks_path", "image_id"]].iloc[0]),
            )
            for at, side in film["side"].items():
                images[at] = to_network(eight_bit(pixels), side, columns)
                bits[at] = to_network(truth, side, columns, flags=True)
        np.savez_compressed(folder / "halves.npz", images=images, bits=bits)

    key = {"cohort": cohort.fingerprint, "films": [*hips["path"]], "units": [*hips["unit_id"]], "columns": columns}
    with np.load(artefact("hip-halves", key, (__name__,), make) / "halves.npz") as arrays:
        return HipHalves(torch.from_numpy(arrays["images"]), torch.from_numpy(arrays["bits"]))


def eight_bit(pixels: NDArray[np.uint8] | NDArray[np.uint16]) -> NDArray[np.uint8]:
    """A film as uint8; one of 16 bits between its percentiles 0.1 and 99.9."""
    from osteolib.radiograph import normalise_intensity

    return pixels if pixels.dtype == np.uint8 else normalise_intensity(pixels, 0.1, 99.9)
