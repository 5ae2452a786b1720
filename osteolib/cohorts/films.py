"""From films to units: how large and how bright each film is, how many legs it shows, where each knee lies."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd

from osteolib.runs.store import cached

UNITS = ("knee", "film")
BOX = ["x0", "y0", "x1", "y1"]


def measure_film(path: Path, knees: bool, polarity: str | None = None) -> list[dict[str, float | str]]:
    """Measure one film; one entry per knee, or a single one without ``knees``; ``polarity`` where it is known.

    Whole-image intensities are those of the pixels as stored, before any crop or window: what a model could read
    without looking at bone. Boxes are in pixels, ``x1`` and ``y1`` excluded.

    Raises
    ------
    ValueError
        The file is no radiograph, it shows no leg or more than two, or two where it says that it shows one side; the
        message names it.
    """
    from osteolib.radiograph import read_radiograph, split_knees

    read = read_radiograph(path, polarity)
    pixels = read.pixels
    p05, p50, p95 = np.percentile(pixels, [5, 50, 95])
    height, width = pixels.shape
    film = {
        "width": width, "height": height, "intensity_mean": float(pixels.mean()), "intensity_sd": float(pixels.std()),
        "intensity_p05": float(p05), "intensity_p50": float(p50), "intensity_p95": float(p95),
    }  # fmt: skip
    if not knees:
        return [film | dict(zip(BOX, (0, 0, width, height), strict=True))]
    try:
        found = split_knees(pixels)
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from None
    film["n_legs"] = len(found)
    if read.side and len(found) > 1:
        raise ValueError(
            f"{path.name}: two legs are seen, but its laterality says {read.side}; correct ImageLaterality (B of both) "
            "or crop the film to one knee"
        )
    return [film | {"side": side or read.side} | dict(zip(BOX, box, strict=True)) for side, box in found]


def check_side(measured: list[dict[str, float | str]], stated: str | None) -> None:
    """ValueError where a film of one leg (from :func:`measure_film`) says another side than ``stated``, a table's."""
    side = measured[0].get("side")
    if len(measured) == 1 and side and stated in ("right", "left") and stated != side:
        raise ValueError(f"its laterality says {side}, the table {stated}; correct the wrong one")


def film_notes(films: pd.DataFrame) -> list[str]:
    """What was decided when films (``image_id``, ``path``) were read, as a turn or a contradiction; DICOM only."""
    from osteolib.radiograph import read_radiograph

    dicom = films[films.path.str.lower().str.endswith(".dcm")]
    return [f"{row.image_id}: {note}" for row in dicom.itertuples() for note in read_radiograph(row.path).notes]


def measure_films(paths: Mapping[str, Path], knees: bool) -> pd.DataFrame:
    """Measurements of films given as ``sha256 -> path``, computed once for each content and kept in the store.

    Returns
    -------
    One row per knee (per film without ``knees``): ``sha256``, ``width``, ``height``, ``n_legs``, ``side``, the box and
    ``intensity_*``.
    """

    def make() -> pd.DataFrame:
        with ThreadPoolExecutor() as pool:  # decoding releases the interpreter lock
            measured = pool.map(lambda path: measure_film(path, knees), paths.values())
        rows = [{"sha256": sha} | row for sha, film in zip(paths, measured, strict=True) for row in film]
        return pd.DataFrame(rows).astype({"side": "str"} if knees else {})

    return cached("films", {"sha256": sorted(paths), "knees": knees}, [__name__], make)


def to_units(films: pd.DataFrame, unit: str, knees: bool = True) -> pd.DataFrame:
    """Turn one row per film into one row per unit, with the measurements of :func:`measure_films`.

    Parameters
    ----------
    films
        With ``image_id``, ``path`` and ``sha256``; further columns are repeated for each knee of a film.
    unit
        ``"knee"``: two rows for a film that shows two legs. ``"film"``: one row per film.

    Raises
    ------
    ValueError
        The unit is unknown, knees are asked for from films of another bone, or a film of one leg and its row state
        different sides.
    """
    if unit not in UNITS or (unit == "knee" and not knees):
        raise ValueError(f"unit must be one of {', '.join(UNITS) if knees else 'film'}, got {unit!r}")
    paths = dict(zip(films.sha256, map(Path, films.path), strict=True))
    measured = measure_films(paths, knees)
    if unit == "film":
        measured = measured.drop_duplicates("sha256").drop(columns=["side"], errors="ignore")
        measured = measured.assign(x0=0, y0=0, x1=measured.width, y1=measured.height)
    units = films.merge(measured, on="sha256", how="left", suffixes=("_stated", ""))
    if "side_stated" in units:  # a table may say which knee a film shows; of both knees the pixels say it
        stated, told = units.pop("side_stated").where(units.n_legs == 1), units.side.notna()
        if (wrong := units.image_id[told & stated.notna() & (stated != units.side)]).size:
            raise ValueError(f"films whose laterality is not the side in the table: {', '.join(wrong)}; correct one")
        units["side"] = units.side.where(stated.isna(), stated)
    if knees:
        units["film_layout"] = np.where(units.n_legs > 1, "bilateral", "single")
    several = units.duplicated("image_id", keep=False)
    suffix = ("-" + units.side) if "side" in units else ""
    return units.assign(unit=unit, unit_id=units.image_id + np.where(several, suffix, ""))
