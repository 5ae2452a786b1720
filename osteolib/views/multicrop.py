"""Multi-crop views of bone images, conventional and extended (lee2025_hand, "Multi-crop data augmentation").

A view is a bone image in a random pose and light, cut by torchvision's ``RandomResizedCrop`` and resized. A bone image
is mostly zeros, so many conventional crops show next to nothing; the extended ones hold at least 10 % non-zero pixels.
The paper draws area, ratio and position anew until that is so. Here the same law is drawn and no image is turned or cut
before its box stands:

1. Content is counted in the bone image itself: its non-zero pixels whose centre lies in the turned box, over the area
   of the box. A turn changes no area, and no resampling rule enters (nearest and bilinear give slightly different
   counts). A turned box meets each row of pixels in one interval, so the sums along the rows, made once for a bone and
   all its views, give the count with two look-ups a row.
2. Boxes are drawn and counted until one is allowed (:func:`draw_boxes`, with the reason why this is the same law).
3. One bilinear sampling of the bone is rotation, crop and resize together. A crop is not smoothed before it is shrunk,
   so bones should come no larger than about twice the larger view.

The papers print no areas; those of the method they cite are taken (SwAV, arXiv:2006.09882: 14-100 % and 5-14 %).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

MAX_TRIES, AT_ONCE = 4096, 2  # an image with one allowed box in 400 fails in fewer than one view of 20,000
HALF_GREY = 0.5 / 255  # darker than this is zero, as in an 8-bit image: rounding leaks a little from pixel to pixel


@dataclass(frozen=True)
class Crop:
    """``n`` views of ``size`` x ``size`` pixels; ``scale`` is the range of the area, as a share of the bone image."""

    n: int
    size: int
    scale: tuple[float, float]
    ratio: tuple[float, float] = (3 / 4, 4 / 3)


CROPS = (Crop(2, 224, (0.14, 1.0)), Crop(4, 96, (0.05, 0.14)))


@dataclass(frozen=True)
class Augmentation:
    """Largest rotation in degrees, shift as a share of width and height, and change of brightness and contrast, all
    either way and uniform; ``flip`` is the probability of each of the two mirrorings. Defaults: lee2025_hand."""

    degrees: float = 30
    translation: float = 0.1
    flip: float = 0.5
    brightness: float = 0.5
    contrast: float = 0.5


PRESETS = {"lee2025": Augmentation(), "lee2023": Augmentation(degrees=20, translation=0, brightness=0, contrast=0)}


@dataclass(frozen=True)
class Placement:
    """Where one view of each of n bones comes from.

    Attributes
    ----------
    pose
        Shape (n, 2, 3): from a point of the rotated source to one of the bone image, pixels from the middle.
    boxes
        Shape (n, 4), int64: top, left, height and width in the rotated source.
    content
        Shape (n,), float64: share of non-zero pixels in the box, before resize; see :func:`content`.
    light
        Shape (n, 2): factors of brightness and contrast.
    """

    pose: Tensor
    boxes: Tensor
    content: Tensor
    light: Tensor


def multi_crop(
    bones: Tensor,
    generator: torch.Generator,
    crops: Sequence[Crop] = CROPS,
    augmentation: Augmentation = PRESETS["lee2025"],
    min_content: float = 0.10,
) -> list[Tensor]:
    """Views of a batch of bones.

    Parameters
    ----------
    bones
        Shape (n, 1, height, width), float32 in [0, 1], zero outside the bone.
    generator
        On the CPU; it alone decides what is drawn. Each size of crops has a stream of its own, so that the conventional
        and the extended views of one seed share pose and light, and are the same wherever the first box drawn has
        content.
    min_content
        0.10 gives the extended views, 0 the conventional ones.

    Returns
    -------
    For each crop a tensor of shape (crop.n, n, 1, size, size), float32 in [0, 1]. The background is 0: brightness and
    contrast change the bone alone.

    Raises
    ------
    ValueError
        Shape or range is wrong, a bone image is empty, or too little of it is bone (see :func:`draw_boxes`).
    """
    sums = sums_along_rows(bones)
    drawn = [draw_views(sums, generator, crop, augmentation, min_content) for crop in crops]
    return [
        render(bones, views, crop.size).unflatten(0, (len(bones), crop.n)).transpose(0, 1)
        for views, crop in zip(drawn, crops, strict=True)
    ]


def place(
    sums: Tensor, generator: torch.Generator, crop: Crop, augmentation: Augmentation, min_content: float
) -> Iterator[Placement]:
    """The ``crop.n`` views of :func:`multi_crop` one by one, not rendered: where they lie and what they contain.

    ``sums`` is from :func:`sums_along_rows`.
    """
    views = draw_views(sums, generator, crop, augmentation, min_content)
    for first in range(crop.n):
        yield Placement(*(drawn[first :: crop.n] for drawn in (views.pose, views.boxes, views.content, views.light)))


def draw_views(
    sums: Tensor, generator: torch.Generator, crop: Crop, augmentation: Augmentation, min_content: float
) -> Placement:
    """All views of all bones at once: ``crop.n`` of the first bone, then of the second."""
    n, height, width = sums.shape[0] * crop.n, sums.shape[1], sums.shape[2] - 1
    own = torch.Generator().manual_seed(int(torch.randint(2**62, (1,), generator=generator)))
    spread = torch.tensor([augmentation.brightness, augmentation.contrast])
    pose = draw_poses(n, height, width, own, augmentation).to(sums.device)
    light = (1 + spread * (2 * torch.rand(n, 2, generator=own) - 1)).to(sums.device)
    return Placement(pose, *draw_boxes(sums, pose, own, crop, min_content), light)


def draw_poses(n: int, height: int, width: int, generator: torch.Generator, augmentation: Augmentation) -> Tensor:
    """Flip, then rotate about the middle, then shift; what is returned is the inverse, shape (n, 2, 3)."""
    draw = torch.rand(n, 5, generator=generator)
    angle = torch.deg2rad(augmentation.degrees * (2 * draw[:, 0] - 1))
    shift = augmentation.translation * (2 * draw[:, 1:3] - 1) * torch.tensor([width, height])
    mirror = 1 - 2 * (draw[:, 3:] < augmentation.flip).float()
    cos, sin = torch.cos(angle), torch.sin(angle)
    inverse = torch.stack([cos, sin, -sin, cos], 1).view(n, 2, 2) * mirror[:, :, None]
    return torch.cat([inverse, -inverse @ shift[:, :, None]], 2)


def draw_boxes(
    sums: Tensor, pose: Tensor, generator: torch.Generator, crop: Crop, min_content: float
) -> tuple[Tensor, Tensor]:
    """One box for each pose, from the law of the loop that draws size and position anew until the box has content.

    Let size s have probability q(s), N(s) positions and a(s) allowed ones. The loop gives an allowed box a probability
    proportional to q(s) / N(s); accepting s with its share a(s) / N(s) and then one of the a(s) gives the same product.
    One position drawn uniformly and counted does both: it is allowed with that share, and then uniform among them.

    Parameters
    ----------
    sums
        From :func:`sums_along_rows`.
    pose
        Shape (n, 2, 3), from :func:`draw_poses`: as many for each bone, in the order of the bones.

    Returns
    -------
    Shape (n, 4), int64: top, left, height, width; and shape (n,), float64: their content.

    Raises
    ------
    ValueError
        None of 4,096 boxes was allowed: the first such image and its share of non-zero pixels are named.
    """
    n, height, width = len(pose), sums.shape[1], sums.shape[2] - 1
    views = n // len(sums)
    boxes = torch.zeros(n, 4, dtype=torch.int64, device=sums.device)
    held = torch.zeros(n, dtype=torch.float64, device=sums.device)
    waiting = torch.arange(n, device=sums.device)
    for _ in range(MAX_TRIES // AT_ONCE):
        tried = random_resized_crop(len(waiting) * AT_ONCE, height, width, generator, crop)
        tried = tried.view(-1, AT_ONCE, 4).to(sums.device)
        shares = content(sums, waiting // views, pose[waiting], tried)
        found, first = (shares >= min_content).max(1)
        boxes[waiting[found]] = tried[found, first[found]]
        held[waiting[found]] = shares[found, first[found]]
        waiting = waiting[~found]
        if not len(waiting):
            return boxes, held
    worst = int(waiting[0]) // views
    raise ValueError(
        f"bone image {worst}: {int(sums[worst, :, -1].sum()) / (height * width):.2%} of it is not zero, and none of "
        f"{MAX_TRIES:,} crops of {crop.scale[0]:.0%} to {crop.scale[1]:.0%} of its area holds {min_content:.0%}: cut "
        "the bone image closer to the bone, leave it out, or ask for less content"
    )


def random_resized_crop(count: int, height: int, width: int, generator: torch.Generator, crop: Crop) -> Tensor:
    """``torchvision.transforms.RandomResizedCrop.get_params``, ``count`` times: (count, 4) as top, left, height, width.

    Uniform area, log-uniform ratio, ten tries for a size that fits, then the largest central box of a permitted ratio.
    """
    draw = torch.rand(count, 10, 2, generator=generator, dtype=torch.float64)
    area = height * width * (crop.scale[0] + (crop.scale[1] - crop.scale[0]) * draw[..., 0])
    low, high = map(math.log, crop.ratio)
    ratio = torch.exp(low + (high - low) * draw[..., 1])
    size = torch.stack([torch.sqrt(area / ratio), torch.sqrt(area * ratio)], 2).round()
    frame = torch.tensor([height, width])
    fits = ((size > 0) & (size <= frame)).all(2)
    size = size[torch.arange(count), fits.int().argmax(1)]
    corner = (torch.rand(count, 2, generator=generator, dtype=torch.float64) * (frame - size + 1)).floor()
    boxes = torch.cat([corner, size], 1).long()
    nearest = min(max(width / height, crop.ratio[0]), crop.ratio[1])
    largest = torch.tensor([min(height, round(width / nearest)), min(width, round(height * nearest))])
    boxes[~fits.any(1)] = torch.cat([(frame - largest) // 2, largest])
    return boxes


def sums_along_rows(bones: Tensor) -> Tensor:
    """Number of non-zero pixels left of each column's edge: (n, height, width + 1), int16.

    ``bones`` and the errors are those of :func:`multi_crop`.
    """
    if bones.ndim != 4 or bones.shape[1] != 1 or bones.dtype != torch.float32:
        raise ValueError(
            f"bones: shape (n, 1, height, width) and float32 are needed, not {tuple(bones.shape)} and {bones.dtype}"
        )
    low, high = bones.aminmax()
    if not (low >= 0 and high <= 1):
        raise ValueError("bones: values must be within [0, 1] and not NaN; divide by the largest grey level")
    n, _, height, width = bones.shape
    sums = torch.empty(n, height, width + 1, dtype=torch.int16, device=bones.device)
    sums[:, :, 0] = 0
    torch.cumsum(bones[:, 0] > 0, 2, dtype=torch.int16, out=sums[:, :, 1:])
    empty = (sums[:, :, -1].sum(1) == 0).nonzero().flatten().tolist()
    if empty:
        raise ValueError(f"bone image {empty[0]}: every pixel is zero; leave out a bone that was not found")
    return sums


def content(sums: Tensor, image: Tensor, pose: Tensor, boxes: Tensor) -> Tensor:
    """Share of a turned box that non-zero pixels fill.

    With u = A'(p - c) for the pose [A | c], the row y of the bone image meets the box where both u_x and u_y, linear in
    x, are within its sides. Two lattices of pixels never count alike, so a full box may come out a little above 1.

    Parameters
    ----------
    sums
        From :func:`sums_along_rows`.
    image, pose, boxes
        Shapes (m,), (m, 2, 3) and (m, k, 4): which bone image, in which pose, and k boxes in it.

    Returns
    -------
    Shape (m, k), float64.
    """
    height, width = sums.shape[1], sums.shape[2] - 1
    y = torch.arange(height, device=sums.device) + 0.5 - height / 2
    corner = boxes[..., [1, 0]] - torch.tensor([width / 2, height / 2], device=sums.device)
    ends = []
    for axis in (0, 1):
        slope, across = pose[:, 0, axis, None], pose[:, 1, axis, None]
        slope = torch.where(slope.abs() < 1e-9, 1e-9, slope)  # an unturned box: a row is inside or outside
        offset = across * (y - pose[:, 1, 2, None]) - slope * pose[:, 0, 2, None]
        start = (corner[..., axis, None] - offset[:, None]) / slope[:, None]
        stop = start + boxes[..., 3 - axis, None] / slope[:, None]
        ends.append((torch.minimum(start, stop), torch.maximum(start, stop)))
    low, high = torch.maximum(ends[0][0], ends[1][0]), torch.minimum(ends[0][1], ends[1][1])
    first, last = ((x + (width - 1) / 2).ceil().clamp(0, width).long() for x in (low, high))
    image, row = image[:, None, None], torch.arange(height, device=sums.device)
    count = (sums[image, row, torch.maximum(first, last)] - sums[image, row, first]).sum(2)
    return count / boxes[..., 2:].prod(2).double()


def render(bones: Tensor, placed: Placement, size: int) -> Tensor:
    """The views that ``placed`` describes: (n, 1, size, size)."""
    return relight(sample(bones, placed.pose, placed.boxes, size, size), placed.light)


def relight(view: Tensor, light: Tensor) -> Tensor:
    """torchvision's brightness, then its contrast, each cut to [0, 1], on the bone alone.

    The mean about which contrast stretches is that of the bone, where torchvision takes the whole view and so makes the
    background grey.
    """
    brightness, contrast = light[:, :, None, None, None].unbind(1)
    bone = (view >= HALF_GREY).to(view.dtype)
    lit = (view * brightness).clamp_(max=1)
    mean = lit.sum((2, 3), keepdim=True) / bone.sum((2, 3), keepdim=True).clamp(min=1)
    return lit.mul_(contrast).add_((1 - contrast) * mean).clamp_(0, 1).mul_(bone)


def sample(images: Tensor, pose: Tensor, boxes: Tensor, rows: int, columns: int) -> Tensor:
    """Turned boxes at ``rows`` x ``columns`` pixels, bilinear from ``images`` (n, channels, ...); zero outside.

    The box (0, 0, height, width) gives the whole source as turned. Of several views of an image one lies below the
    other while it is sampled, so that the image is neither repeated nor read anew.
    """
    height, width, views = *images.shape[-2:], len(pose) // len(images)
    top, left, tall, wide = boxes[:, :, None].to(images.dtype).unbind(1)
    x = left + wide * (torch.arange(columns, device=images.device) + 0.5) / columns - width / 2
    y = top + tall * (torch.arange(rows, device=images.device) + 0.5) / rows - height / 2
    half = torch.tensor([width / 2, height / 2], device=images.device)  # grid_sample counts in halves of the frame
    a, b, c = (pose / half[:, None]).transpose(0, 1).contiguous()[..., None].unbind(2)
    grid = (a * x)[:, :, None] + (b * y + c)[..., None]  # (2, n * views, rows, columns)
    grid = grid.unflatten(1, (-1, views)).permute(1, 2, 3, 4, 0).flatten(1, 2)
    sampled = functional.grid_sample(images, grid, align_corners=False).unflatten(2, (views, rows))
    return sampled.transpose(1, 2).flatten(0, 1)
