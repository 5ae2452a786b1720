"""Which file of a folder does a table mean? Names are compared as people read them, not byte by byte.

One name may be stored in two ways: accents composed or not, spaces doubled or at an end, another case, a backslash.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import PurePosixPath

import pandas as pd

from osteolib.cohorts.values import PLAIN_ID, squeezed


def plain_name(path: str) -> str:
    """A path below the folder as it is read: parts composed and squeezed, joined by /."""
    parts = [squeezed(part) for part in path.replace("\\", "/").split("/")]
    return "/".join(re.sub(r" (?=\.[^. ]+$)", "", part) for part in parts if part not in ("", "."))


def image_ids(paths: Iterable[str]) -> list[str]:
    """Identifier of each image: its name without ending, the folders above it joined by a dot."""
    return [".".join(PurePosixPath(plain_name(path)).with_suffix("").parts) for path in paths]


def match_images(stated: pd.Series, found: Sequence[str], others: Sequence[str] = ()) -> tuple[pd.Series, list[str]]:
    """The file that each row of a table means, and what is wrong: each row needs a file, and each file a row.

    Parameters
    ----------
    stated
        Names in the table, by row; missing ones are passed over.
    found
        Paths of the images below the folder.
    others
        Paths of files that are no images.

    Returns
    -------
    The path in ``found`` for each row (the name itself where there is none), and a line for each problem: rows without
    a file, files without a row, files that one name would mean, names no identifier can be made of.
    """
    exact, loose = _by_name(found, plain_name), _by_name(found, lambda path: plain_name(path).casefold())
    names = stated.dropna().map(plain_name)
    problems = [f"images {', '.join(map(repr, same))} have one name but for spaces or the coding of letters: rename one"
                for same in exact.values() if len(same) > 1]  # fmt: skip
    matched, claimed = stated.copy(), set(names) & set(exact)
    for row, name in names.items():
        free = [path for path in loose.get(name.casefold(), ()) if plain_name(path) not in claimed]
        if here := exact.get(name) or free[:1] * (len(free) == 1):
            matched[row] = here[0]
        else:
            problems.append(f"row {row}: there is no image {name!r} in the folder{_instead(name, found, others)}")
    means = matched.dropna()
    if twice := means[means.duplicated(keep=False) & ~names.duplicated(keep=False)].unique().tolist():
        problems += [f"image {image!r} is meant by several rows" for image in twice]
    problems += [f"image {image!r} has no row in the table" for image in found if image not in set(means)]
    ids = pd.Series(image_ids(found), found, dtype="str")
    problems += [f"image {image!r}: the name may hold letters, digits, spaces and . : + - _ only"
                 for image, name in ids.items() if not re.fullmatch(PLAIN_ID, name)]  # fmt: skip
    alike = ids.duplicated(keep=False) & ~ids.index.map(lambda path: len(exact[plain_name(path)]) > 1)
    return matched, problems + [f"image {image!r} has the same name as another" for image in ids.index[alike]]


def _by_name(found: Sequence[str], key) -> dict[str, list[str]]:
    by_name: dict[str, list[str]] = {}
    for path in found:
        by_name.setdefault(key(path), []).append(path)
    return by_name


def _instead(name: str, found: Sequence[str], others: Sequence[str]) -> str:
    """What the folder has in place of a name: a file of another kind, of another folder, or a name much like it."""
    for path in others:
        if plain_name(path).casefold() == name.casefold():
            return ": the file is there, but images end in .png, .jpg, .jpeg or .dcm; export it as one of them"
    last = PurePosixPath(name).name.casefold()
    here = [path for path in found if PurePosixPath(plain_name(path)).name.casefold() == last]
    here = here or [path for path in found if PurePosixPath(path).stem.casefold() == last]
    near = here or get_close_matches(name, found, 1, cutoff=0.85)
    return f"; did you mean {near[0]!r}?" if near else ""
