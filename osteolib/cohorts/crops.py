"""Which picture of one knee is cut out of which film of both? Normalised cross-correlation, coarse, then fine.

Every narrow picture is laid over every wide film at several scales, all at 32 rows, by Fourier transform (Lewis 1995,
"Fast normalized cross-correlation"). At that size many knees look alike, so in the likeliest films what is finer than
the outline of a leg is compared, at 96 rows to find the film, at 192 to say whether it fits.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

WIDE = 0.7
"""Width over height from which a picture may hold two knees; narrower ones are looked for in wider ones."""

ROWS, DETAIL_ROWS, FINE_ROWS = 32, 96, 192
SCALES = (1.0, 0.93, 0.86, 0.79, 0.72, 0.65, 0.58, 0.51)  # height of the crop over that of the film
NEAR = tuple(step / 100 for step in range(-14, 15, 2))  # from the coarse scale, in shares of the film's height
NEARER = (-0.01, -0.005, 0.0, 0.005, 0.01)  # from the scale found at 96 rows
SHAPES = (0.98, 1.0, 1.02)  # widths over those of the crop as it is stored; some were resized by hand
RIM = 0.04
"""Share cut from each side of a crop before it is compared: pictures cut out by hand carry white lines there."""

TRIED = 8  # films that are looked at closely for each picture: the right one was seventh by the coarse look at worst
BLUR, FINE_BLUR = 2.0, 3.0  # pixels at 96 and 192 rows, SD of a Gaussian: what it takes away is not detail
SAME_DETAIL = 0.75
"""Correlation of detail from which two pictures are one, or one is cut out of the other. Copies and crops lie above 0.9
nearly all, different knees below 0.75: all pairs of pictures, and more than nine in ten of the best places that a
crop finds on films that it was not cut from. Between them the rule joins, since a pair that is joined wrongly costs a
little data, and one that is missed leaks."""


class Laid(NamedTuple):
    """Films of one height side by side: ``pages`` (n, rows, columns), their ``spectrum``, and the ``widths`` in use."""

    pages: Tensor
    spectrum: Tensor
    widths: Tensor


def find_crops(pictures: Mapping[str, NDArray[np.uint8]]) -> pd.DataFrame:
    """Each narrow picture's best film, whether it fits or not.

    Parameters
    ----------
    pictures
        By name, shape (height, width), uint8.

    Returns
    -------
    ``crop, film`` (keys of ``pictures``), ``coarse`` (correlation of grey values at 32 rows), ``detail`` (at 192 rows),
    ``scale`` (height of the crop over that of the film), ``fits``; one row for each narrow picture, if any is wide.
    """
    wide = [name for name, p in pictures.items() if p.shape[1] >= WIDE * p.shape[0]]
    narrow = [name for name, p in pictures.items() if p.shape[1] < WIDE * p.shape[0]]
    rows = []
    if wide and narrow:
        films = [pictures[name] for name in wide]
        coarse, scale = coarse_correlation([pictures[name] for name in narrow], films)
        search = Search(lay(films, DETAIL_ROWS, BLUR), lay(films, FINE_ROWS, FINE_BLUR))
        for i, name in enumerate(narrow):
            likely = np.argsort(-coarse[i], kind="stable")[:TRIED]
            film, value, at = search.best(pictures[name], likely, scale[i])
            rows.append((name, wide[film], coarse[i, film], value, at, value >= SAME_DETAIL))
    kinds = {"crop": "str", "film": "str", "coarse": "float64", "detail": "float64", "scale": "float64", "fits": bool}
    return pd.DataFrame(rows, columns=list(kinds)).astype(kinds)


def coarse_correlation(crops: list[NDArray], films: list[NDArray]) -> tuple[NDArray, NDArray]:
    """Best correlation of each crop with each film over all places and :data:`SCALES`, and the scale it has there.

    Returns
    -------
    Two arrays of shape (crops, films); correlations lie in [-1, 1], -1 where a crop is wider than the film.
    """
    import torch

    laid = lay(films, ROWS)
    best = torch.full((len(crops), len(films)), -1.0)
    scale = torch.ones_like(best)
    sizes: dict[tuple[int, ...], list[tuple[int, float, NDArray]]] = {}
    for i, crop in enumerate(crops):
        for s in SCALES:
            template = _template(crop, ROWS * s)
            sizes.setdefault(template.shape, []).append((i, s, template))
    for size, members in sizes.items():  # templates of one size share the norms of the windows they lie on
        norm = _window_norm(laid, *size)
        for i, s, template in members:
            top = _slide(laid, template, norm)
            scale[i] = torch.where(top > best[i], s, scale[i])
            best[i] = torch.maximum(top, best[i])
    return best.numpy(), scale.numpy()


class Search(NamedTuple):
    """The detail of the films, at 96 rows to find the one, at 192 to say how well it fits."""

    rough: Laid
    fine: Laid

    def best(self, crop: NDArray, likely: NDArray[np.int64], scale: NDArray) -> tuple[int, float, float]:
        """The film among ``likely`` that fits best, its correlation at 192 rows, and the scale there.

        ``scale`` is the coarse one for each film.
        """
        value, at, film = max((*detail_correlation(crop, self.rough, int(j), float(scale[j])), int(j)) for j in likely)
        tried = ((at + step, shape) for step in NEARER for shape in SHAPES)
        value, at = max((_fit(crop, self.fine, film, s, FINE_BLUR, shape), s) for s, shape in tried)
        return film, value, at


def detail_correlation(crop: NDArray, laid: Laid, film: int, scale: float) -> tuple[float, float]:
    """Best correlation of the detail of a crop and of one film near a scale, and that scale."""
    best = max((_fit(crop, laid, film, scale + step, BLUR), scale + step) for step in NEAR)
    for step in (0.01, 0.005):
        best = max(best, *((_fit(crop, laid, film, best[1] + s, BLUR), best[1] + s) for s in (-step, step)))
    return best


def detail(picture: NDArray[np.floating], blur: float = BLUR) -> NDArray:
    """What is finer than ``blur`` pixels (SD of a Gaussian) in a picture."""
    from scipy.ndimage import gaussian_filter

    return picture - gaussian_filter(picture, blur)


def lay(films: list[NDArray], rows: int, blur: float | None = None) -> Laid:
    """Films at one height, padded to one width; with a ``blur``, their detail."""
    import torch

    scaled = [_scaled(film, rows / film.shape[0], rows, int(rows * film.shape[1] / film.shape[0])) for film in films]
    widths = [film.shape[1] for film in scaled]
    pages = torch.zeros(len(films), rows, -(-max(widths) // 16) * 16)
    for page, film, width in zip(pages, scaled, widths, strict=True):
        page[:, :width] = torch.from_numpy(detail(film, blur) if blur else film - film.mean())
    return Laid(pages, torch.fft.rfft2(pages), torch.tensor(widths))


def _fit(crop: NDArray, laid: Laid, film: int, scale: float, blur: float, shape: float = 1.0) -> float:
    one = Laid(*(part[film : film + 1] for part in laid))
    template = detail(_template(crop, laid.pages.shape[1] * scale, shape), blur)
    if any(side > room for side, room in zip(template.shape, laid.pages.shape[1:], strict=True)):
        return -1.0
    return float(_slide(one, template, _window_norm(one, *template.shape))[0])


def _template(crop: NDArray, height: float, shape: float = 1.0) -> NDArray[np.float32]:
    """The inner part of a crop whose full height would be ``height`` pixels: whole pixels at exactly that scale.

    ``shape`` stretches its width.
    """
    factor = height / crop.shape[0]
    factors = factor, factor * shape
    rows, columns = (max(4, int(side * (1 - 2 * RIM) * by)) for side, by in zip(crop.shape, factors, strict=True))
    return _scaled(crop, factor, rows, columns, shape)


def _scaled(picture: NDArray, factor: float, rows: int, columns: int, shape: float = 1.0) -> NDArray[np.float32]:
    """The middle of a picture, resized by exactly ``factor`` (its width by ``factor * shape``), to (rows, columns)."""
    from PIL import Image

    high, wide = min(picture.shape[0], rows / factor), min(picture.shape[1], columns / (factor * shape))
    top, left = (picture.shape[0] - high) / 2, (picture.shape[1] - wide) / 2
    image = Image.fromarray(picture.astype(np.float32))
    return np.array(image.resize((columns, rows), Image.Resampling.BILINEAR, (left, top, left + wide, top + high)))


def _slide(laid: Laid, template: NDArray[np.float32], norm: Tensor) -> Tensor:
    """Highest correlation of a template with each film over all places inside it, shape (films,)."""
    import torch

    (height, width), (rows, columns) = template.shape, laid.pages.shape[1:]
    if height > rows or width > columns:
        return torch.full((len(laid.pages),), -1.0)
    centred = template - template.mean()
    padded = torch.zeros(rows, columns)
    padded[:height, :width] = torch.from_numpy(centred / max(float(np.linalg.norm(centred)), 1e-6))
    product = torch.fft.irfft2(laid.spectrum * torch.fft.rfft2(padded).conj(), s=(rows, columns))
    ncc = product[:, : rows - height + 1, : columns - width + 1] / norm
    inside = torch.arange(columns - width + 1) <= (laid.widths - width)[:, None]
    return ncc.masked_fill(~inside[:, None], -1.0).flatten(1).max(1).values.clamp(-1, 1)


def _window_norm(laid: Laid, height: int, width: int) -> Tensor:
    """Norm of each window of this size about its mean, shape (films, places down, places across)."""
    import torch

    def sums(values: Tensor) -> Tensor:
        total = torch.nn.functional.pad(values, (1, 0, 1, 0)).cumsum(1).cumsum(2)
        down = total[:, height:] - total[:, : total.shape[1] - height]
        return down[:, :, width:] - down[:, :, : down.shape[2] - width]

    exact = laid.pages.double()
    # a window without any contrast fits nothing: its norm is kept from being zero
    return (sums(exact**2) - sums(exact) ** 2 / (height * width)).clamp(min=float(height * width)).sqrt().float()
