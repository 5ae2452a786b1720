"""Films of a hospital's own folder of which its table says what bone is on them, bright or dark.

Whatever reads films asks the picture. So such a film is read once, as its table says, and kept in the store as a PNG
with bright bone that says so in its text: its ``path`` is then that of the copy. The folder itself is left as it is.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from osteolib.runs.paths import file_sha256
from osteolib.runs.store import artefact


def as_stated(films: pd.DataFrame) -> pd.DataFrame:
    """The films with ``path`` and ``sha256`` of a copy in the store where ``polarity`` is stated.

    A DICOM's side, which a PNG cannot tell, goes to the column ``side`` where the table is silent.

    Parameters
    ----------
    films
        ``path, sha256, polarity`` (missing where nothing is said), one row per film, and ``side`` or not.
    """
    stated = films[films["polarity"].notna()]
    if stated.empty:
        return films
    kept = _kept(stated)
    sides = kept["side"] if "side" not in films else films["side"].fillna(kept["side"])
    new = films.assign(
        path=kept["path"].combine_first(films["path"]), sha256=kept["sha256"].combine_first(films["sha256"])
    )
    return new if sides.isna().all() else new.assign(side=sides)


def polarity_note(films: pd.DataFrame) -> list[str]:
    """What a reader of any result on these films should know: how many were not asked what bone is on them."""
    said = films["polarity"].value_counts().sort_index()
    counted = " and ".join(f"{n:,} with {word}" for word, n in said.items())
    return (
        [f"By the column polarity of the table films are {counted}, whatever their pictures look like."]
        if counted
        else []
    )


def _kept(films: pd.DataFrame) -> pd.DataFrame:
    """``path``, ``sha256`` and ``side`` of the copy of each film, indexed like ``films``."""
    named = [f"{sha}-{word.split()[0]}.png" for sha, word in zip(films["sha256"], films["polarity"], strict=True)]

    def make(folder: Path) -> None:
        from PIL import Image
        from PIL.PngImagePlugin import PngInfo

        from osteolib.radiograph import read_radiograph
        from osteolib.radiograph.images import POLARITY
        from osteolib.radiograph.polarity import POLARITIES

        text, sides = PngInfo(), {}
        text.add_text(POLARITY, POLARITIES[0])
        for name, path, polarity in zip(named, films["path"], films["polarity"], strict=True):
            if name not in sides:
                film = read_radiograph(path, polarity)
                Image.fromarray(film.pixels).save(folder / name, pnginfo=text)
                sides[name] = film.side
        pd.Series(sides, dtype="str").to_frame("side").to_parquet(folder / "sides.parquet")

    folder = artefact("stated-polarity", {"films": sorted(set(named))}, [__name__], make)
    sides = pd.read_parquet(folder / "sides.parquet")["side"]
    rows = [(str(folder / name), file_sha256(folder / name), sides[name]) for name in named]
    return pd.DataFrame(rows, films.index, ["path", "sha256", "side"], dtype="str")
