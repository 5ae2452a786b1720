"""Can the rule that joins a crop and a film be wrong? What fits when the right film is taken away, and a finer look.

The rule of :mod:`osteolib.cohorts.crops` takes the best of many films, scales and places, so its correlation is high by
chance alone more often than that of two given pictures. How high is measured on crops whose own film is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from osteolib.cohorts.crops import (
    BLUR,
    DETAIL_ROWS,
    FINE_BLUR,
    RIM,
    SCALES,
    SHAPES,
    TRIED,
    WIDE,
    Search,
    coarse_correlation,
    detail,
    lay,
)
from osteolib.cohorts.crops import FINE_ROWS as RULE_ROWS
from osteolib.cohorts.pictures import small_pictures
from osteolib.radiograph import read_radiograph
from osteolib.runs.store import cached

FINE_ROWS = 300
"""Rows of the film in the finer look; the rule has 192."""

STEPS = (-0.02, -0.01, 0.0, 0.01, 0.02)  # around the scale that the rule found


class Place(NamedTuple):
    """Where a crop fits best on a film: correlation of detail, and the box ``x0, y0, x1, y1`` in shares of the film."""

    value: float
    box: tuple[float, float, float, float]


def best_other_film(crops: Sequence[str], pictures: Mapping[str, NDArray[np.uint8]],
                    source: Mapping[str, str]) -> pd.DataFrame:  # fmt: skip
    """For each crop the film that fits best when all films of its own source are left out.

    Parameters
    ----------
    crops
        Keys of ``pictures``: narrow ones.
    pictures
        By name, shape (height, width), uint8; those wide enough for two knees are the films.
    source
        The source film that each picture is held to show.

    Returns
    -------
    ``crop, film, detail, scale``, found by the same search as the rule's, in the order of ``crops``.
    """
    wide = [name for name, p in pictures.items() if p.shape[1] >= WIDE * p.shape[0]]
    films = [pictures[name] for name in wide]
    coarse, scale = coarse_correlation([pictures[name] for name in crops], films)
    search = Search(lay(films, DETAIL_ROWS, BLUR), lay(films, RULE_ROWS, FINE_BLUR))
    rows = []
    for i, crop in enumerate(crops):
        others = np.array([j for j, name in enumerate(wide) if source[name] != source[crop]])
        likely = others[np.argsort(-coarse[i, others], kind="stable")[:TRIED]]
        film, *found = search.best(pictures[crop], likely, scale[i])
        rows.append((crop, wide[film], *found))
    return pd.DataFrame(rows, columns=["crop", "film", "detail", "scale"])


def fit_without_own(files: pd.DataFrame, crops: pd.DataFrame, n: int, seed: int) -> pd.DataFrame:
    """:func:`best_other_film` for ``n`` of the crops that fit, drawn at random, among all pictures of the files.

    Parameters
    ----------
    files
        ``image_id, path, sha256, bytes_group, picture_group, source_group``.
    crops
        From :func:`osteolib.cohorts.pictures.group_files`.
    """
    first = files.drop_duplicates("bytes_group").set_index("image_id")
    tried = crops.loc[crops["fits"], "crop"].sample(min(n, int(crops["fits"].sum())), random_state=seed)
    others = first.index[~first["picture_group"].duplicated() & ~first["picture_group"].isin(
        first.loc[[*crops["film"], *tried], "picture_group"])]  # fmt: skip
    names = [*dict.fromkeys([*crops["film"], *tried, *others])]

    def make() -> pd.DataFrame:
        contents, _ = small_pictures(
            {sha: Path(path) for sha, path in zip(first["sha256"], first["path"], strict=True)}
        )
        pictures = {name: contents[first["sha256"][name]] for name in names}
        return best_other_film(list(tried), pictures, first["source_group"].to_dict())

    key = {"tried": first["sha256"][tried].tolist(), "all": first["sha256"][names].tolist()}
    key["source"] = first["source_group"][names].tolist()
    return cached("crop-controls", key, [__name__, "osteolib.cohorts.crops"], make)


def place(crop: NDArray[np.uint8], film: NDArray[np.uint8], scale: float, rows: int = FINE_ROWS,
          shape: float = 1.0) -> Place:  # fmt: skip
    """Where a crop's detail lies on a film's, both with ``rows`` rows to the film's height, by scikit-image.

    Parameters
    ----------
    scale
        Height of the crop over that of the film.
    shape
        Factor of the crop's width.
    """
    from skimage.feature import match_template

    factor = rows / film.shape[0]
    blur = BLUR if rows <= DETAIL_ROWS else FINE_BLUR
    page = detail(_scaled(film, factor, factor, rim=0), blur)
    down = factor * scale * film.shape[0] / crop.shape[0]
    piece = detail(_scaled(crop, down, down * shape, rim=RIM), blur)  # cut by hand: white lines at the rim
    (high, wide), (tall, broad) = page.shape, piece.shape
    if tall > high or broad > wide:
        return Place(-1.0, (0.0, 0.0, 0.0, 0.0))
    fit = match_template(page, piece)
    y, x = np.unravel_index(fit.argmax(), fit.shape)
    return Place(
        float(fit.max()), (float(x / wide), float(y / high), float((x + broad) / wide), float((y + tall) / high))
    )


def look_again(crop: NDArray[np.uint8], film: NDArray[np.uint8], scale: float) -> float:
    """Best correlation of a crop and a film at :data:`FINE_ROWS` over scales and shapes near the one found."""
    return max(place(crop, film, scale + step, shape=shape).value for step in STEPS for shape in SHAPES)


def look_anywhere(crop: NDArray[np.uint8], film: NDArray[np.uint8]) -> float:
    """:func:`look_again` where no scale is known: first all of :data:`SCALES` and those between, then near the best."""
    steps = [scale + step for scale in SCALES for step in (-0.05, -0.025, 0.0, 0.025)]
    return look_again(crop, film, max(steps, key=lambda scale: place(crop, film, scale, DETAIL_ROWS).value))


def look_at_doubtful(files: pd.DataFrame, crops: pd.DataFrame, others: pd.DataFrame, rule: float,
                     n: int) -> dict[str, pd.DataFrame]:  # fmt: skip
    """:func:`look_again` at the crops in doubt, at clear ones, and at the most tempting wrong films.

    Parameters
    ----------
    files
        ``image_id, path``.
    crops, others
        ``crop, film, detail, scale`` with the best film (and ``fits``), and with the best of all others.
    n
        How many clear and how many wrong ones are looked at.

    Returns
    -------
    ``in doubt`` (detail from 0.1 below the rule to the highest of a wrong film), ``clear`` (above that), ``wrong``: the
    rows with ``finer``. Kept in the store.
    """
    path = files.set_index("image_id")["path"]
    high = others["detail"].max()
    clear = crops[crops["detail"] > high].sort_values("crop")
    parts = {
        "in doubt": crops[crops["detail"].between(rule - 0.1, high)].sort_values("detail"),
        "clear": clear.iloc[:: max(1, len(clear) // n)].head(n),
        "wrong": others.sort_values("detail").tail(n),
    }

    def finer(part: pd.DataFrame) -> pd.DataFrame:
        read = [(read_radiograph(path[row.crop]).pixels, read_radiograph(path[row.film]).pixels, float(row.scale))
                for row in part.itertuples()]  # fmt: skip
        return part.assign(finer=[look_again(*each) for each in read])

    looked = {}
    for name, part in parts.items():
        key = {"as": name} | {column: part[column].tolist() for column in ("crop", "film", "scale")}
        looked[name] = cached("crops-again", key, [__name__], lambda part=part: finer(part))
    return looked


def _scaled(picture: NDArray[np.uint8], down: float, across: float, rim: float) -> NDArray[np.float32]:
    """The middle of a picture without its rim, at exactly these scales: whole pixels of what is kept."""
    from PIL import Image

    rows, columns = (int(side * (1 - 2 * rim) * by) for side, by in zip(picture.shape, (down, across), strict=True))
    high, wide = min(picture.shape[0], rows / down), min(picture.shape[1], columns / across)
    top, left = (picture.shape[0] - high) / 2, (picture.shape[1] - wide) / 2
    image = Image.fromarray(picture.astype(np.float32))
    return np.array(image.resize((columns, rows), Image.Resampling.BILINEAR, (left, top, left + wide, top + high)))
