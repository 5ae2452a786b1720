"""Training augmentation of the knee paper (STR-Net, arXiv:2604.20268, Section 2.2) on batches of prepared films.

The paper does not say what stands where a moved film has no pixel, nor how wide a strip is drawn: here the edge pixel
goes on, and each side's width is uniform from none to the largest.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def augment(
    images: Tensor,
    generator: torch.Generator,
    *,
    flip: float = 0.5,
    degrees: float = 8.0,
    translation: float = 0.04,
    scaling: float = 0.05,
    border: float = 0.04,
    border_probability: float = 0.5,
) -> Tensor:
    """Flip, move and mask each film of a batch independently.

    Parameters
    ----------
    images
        Shape (n, 1, height, width), float32, normalised.
    generator
        On the CPU; its state alone decides what is drawn.
    flip, border_probability
        Probability of a mirrored film and of masked borders.
    degrees, translation, scaling
        Largest rotation, shift (fraction of width and of height) and change of size, either way; each uniform.
    border
        Widest strip, as a fraction of height (top and bottom) or width (left and right).

    Returns
    -------
    A new tensor like ``images``.
    """
    n, _, height, width = images.shape
    draw = torch.rand(n, 10, generator=generator).to(images.device)
    around_zero = 2 * draw[:, 1:5] - 1
    moved = warp(
        images,
        mirrored=draw[:, 0] < flip,
        degrees=degrees * around_zero[:, 0],
        shift=translation * around_zero[:, 1:3],
        scale=1 + scaling * around_zero[:, 3],
    )
    widest = torch.tensor([height, height, width, width], device=images.device).mul(border).floor()
    strips = (draw[:, 6:] * (widest + 1)).floor() * (draw[:, 5:6] < border_probability)
    return mask_borders(moved, strips)


def warp(images: Tensor, mirrored: Tensor, degrees: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
    """Mirror left and right, then rotate and scale about the centre, then shift; bilinear.

    Parameters
    ----------
    images
        Shape (n, 1, height, width), float.
    mirrored, degrees, scale
        Shape (n,): bool; clockwise as seen, since rows count downwards; above 1 enlarges.
    shift
        Shape (n, 2): to the right and down, as fractions of width and height.
    """
    height, width = images.shape[-2:]
    sign, angle = 1 - 2 * mirrored.float(), torch.deg2rad(degrees)
    cos, sin = torch.cos(angle) / scale, torch.sin(angle) / scale
    # grid_sample asks where an output point comes from: the inverse, in units of half the width and half the height
    inverse = torch.stack([sign * cos, sign * sin * height / width, -sin * width / height, cos], 1).view(-1, 2, 2)
    theta = torch.cat([inverse, -inverse @ (2 * shift)[:, :, None]], dim=2)
    grid = functional.affine_grid(theta, list(images.shape), align_corners=False)
    return functional.grid_sample(images, grid.to(images.dtype), padding_mode="border", align_corners=False)


def mask_borders(images: Tensor, strips: Tensor) -> Tensor:
    """Replace strips along the four sides by the film's median pixel.

    Parameters
    ----------
    images
        Shape (n, 1, height, width).
    strips
        Shape (n, 4): whole pixels at top, bottom, left and right.
    """
    height, width = images.shape[-2:]
    row, column = torch.arange(height, device=images.device), torch.arange(width, device=images.device)
    top, bottom, left, right = strips[:, :, None].unbind(1)
    rows, columns = (row < top) | (row >= height - bottom), (column < left) | (column >= width - right)
    median = images.flatten(1).median(1).values.view(-1, 1, 1, 1)
    return torch.where(rows[:, None, :, None] | columns[:, None, None, :], median, images)
