"""How many copies are found? Copies made on purpose, laid among real films, and searched for as the real ones are.

The search is that of :mod:`osteolib.cohorts.pictures`; what was done to a film is known, so each miss can be counted.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from osteolib.cohorts.crops import find_crops
from osteolib.cohorts.pictures import STORED, picture_pairs

Pixels = NDArray[np.uint8]

WIDTH = 0.6
"""Width of a planted crop over its height, at most: a narrow picture, as those of one knee in the real set are."""


def saved(pixels: Pixels, quality: int) -> Pixels:
    """A film as it comes back from a JPEG file of this quality (0 to 95)."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="JPEG", quality=quality)
    return np.array(Image.open(buffer))


def squeezed(pixels: Pixels) -> Pixels:
    """A film at 128 x 256 pixels whatever its shape, as half of the real set is stored."""
    from PIL import Image

    return np.asarray(Image.fromarray(pixels).resize((128, 256), Image.Resampling.BILINEAR))


def brightened(pixels: Pixels, gamma: float) -> Pixels:
    """Grey values to the power ``gamma``; below 1 is brighter."""
    return ((pixels / 255.0) ** gamma * 255).round().astype(np.uint8)


def one_knee(pixels: Pixels, share: float) -> Pixels:
    """The first leg of a film, ``share`` of its height from the middle, saved anew; a film without legs: its left half.

    The pixels are stored at 0.8 of their size, so that the crop's own size tells nothing.
    """
    from PIL import Image

    from osteolib.radiograph import split_knees

    boxes = [box for _, box in split_knees(pixels)] or [(0, 0, pixels.shape[1] // 2, pixels.shape[0])]
    left, _, right, _ = boxes[0]
    rows = round(share * pixels.shape[0])
    columns = min(right - left, int(WIDTH * rows))
    top, middle = (pixels.shape[0] - rows) // 2, (left + right) // 2
    crop = pixels[top : top + rows, middle - columns // 2 : middle - columns // 2 + columns]
    small = Image.fromarray(crop).resize((round(0.8 * columns), round(0.8 * rows)), Image.Resampling.BILINEAR)
    return saved(np.asarray(small), 80)


COPIES: dict[str, Callable[[Pixels], Pixels]] = {
    "128 × 256 pixels": squeezed,
    "JPEG of quality 30": lambda pixels: saved(pixels, 30),
    "brighter, gamma 0.7": lambda pixels: brightened(pixels, 0.7),
    "darker, gamma 1.4": lambda pixels: brightened(pixels, 1.4),
    "mirrored": lambda pixels: pixels[:, ::-1],
}
"""The whole film, stored anew."""

CROPS: dict[str, Callable[[Pixels], Pixels]] = {
    "one knee, full height": lambda pixels: one_knee(pixels, 1.0),
    "one knee, 0.9 of the height": lambda pixels: one_knee(pixels, 0.9),
    "one knee, 0.8 of the height": lambda pixels: one_knee(pixels, 0.8),
    "one knee, 0.9, mirrored": lambda pixels: one_knee(pixels, 0.9)[:, ::-1],
}
"""One knee of a film of both."""


def find_planted(films: Mapping[str, Pixels], both_legs: Mapping[str, Pixels],
                 others: Mapping[str, Pixels]) -> pd.DataFrame:  # fmt: skip
    """Plant each of :data:`COPIES` of the films and each of :data:`CROPS` of those of both legs, and search for them.

    Parameters
    ----------
    films, both_legs
        By name, shape (height, width), uint8, no two of one scene.
    others
        Wide films, reduced, among which the crops must find their own; those of ``both_legs`` join them.

    Returns
    -------
    One row for each planted copy: ``kind, film``, ``found`` (joined with its own film) and ``wrong`` (joined with
    another one).
    """
    planted = {(kind, name): reduced(make(film)) for kind, make in COPIES.items() for name, film in films.items()}
    own = {("", name): reduced(film) for name, film in films.items()}
    keys = [*own, *planted]
    pairs = picture_pairs({str(i): {**own, **planted}[key] for i, key in enumerate(keys)})
    joined: dict[tuple, set] = {key: set() for key in keys}
    for a, b in pairs.loc[pairs["same"], ["a", "b"]].astype(int).to_numpy():
        joined[keys[a]].add(keys[b][1])
        joined[keys[b]].add(keys[a][1])
    # a copy counts as found through another copy of its film too: groups are joined through a third
    rows = [(kind, name, name in joined[kind, name], bool(joined[kind, name] - {name})) for kind, name in planted]

    wide = {**others, **{name: reduced(film) for name, film in both_legs.items()}}
    crops = [(kind, name) for kind in CROPS for name in both_legs]
    cut = {f"crop {i}": reduced(CROPS[kind](both_legs[name])) for i, (kind, name) in enumerate(crops)}
    best = find_crops({**wide, **cut}).set_index("crop")
    for i, (kind, name) in enumerate(crops):
        fits = f"crop {i}" in best.index and bool(best.at[f"crop {i}", "fits"])
        right = fits and best.at[f"crop {i}", "film"] == name
        rows.append((kind, name, right, fits and not right))
    return pd.DataFrame(rows, columns=["kind", "film", "found", "wrong"])


def plant_and_search(files: pd.DataFrame, n: int, seed: int) -> pd.DataFrame:
    """:func:`find_planted` for ``n`` source films drawn at random and ``n`` of both legs, among all wide films.

    ``files`` have ``image_id, path, sha256, source_group, n_legs``; each source film is taken once. Kept in the store.
    """
    from osteolib.radiograph import read_radiograph
    from osteolib.runs.store import cached

    each = files.drop_duplicates("source_group")
    wide = each[each["n_legs"] == 2]
    drawn, cut = (part.sample(min(n, len(part)), random_state=seed) for part in (each, wide))

    def read(part: pd.DataFrame) -> dict[str, Pixels]:
        return {row.image_id: read_radiograph(row.path).pixels for row in part.itertuples()}

    def search() -> pd.DataFrame:
        others = {name: reduced(pixels) for name, pixels in read(wide.drop(cut.index)).items()}
        return find_planted(read(drawn), read(cut), others)

    key = {"films": [part["sha256"].tolist() for part in (drawn, cut, wide)]}
    return cached("planted-copies", key, [__name__], search)


def recall(found: pd.DataFrame) -> pd.DataFrame:
    """Share found of each kind with Wilson's interval, and how many were joined with a wrong film.

    Returns
    -------
    Index: kind, in order of first appearance; ``n, found, recall, ci_low, ci_high, wrong``.
    """
    from statsmodels.stats.proportion import proportion_confint

    rows = found.groupby("kind", sort=False).agg(n=("found", "size"), found=("found", "sum"), wrong=("wrong", "sum"))
    low, high = proportion_confint(rows["found"], rows["n"], method="wilson")
    return rows.assign(recall=rows["found"] / rows["n"], ci_low=low, ci_high=high)


def reduced(pixels: Pixels, side: int = STORED) -> Pixels:
    """A film with at most ``side`` pixels along its longer side; as it stands, the size at which films are compared."""
    from PIL import Image

    image = Image.fromarray(np.ascontiguousarray(pixels))
    image.thumbnail((side, side), Image.Resampling.BOX)
    return np.asarray(image)
