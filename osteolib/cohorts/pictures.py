"""Which files show the same picture, and which picture is a crop of another? Found from pixels, not from names.

Three grades, each including the one before: the same bytes; the same *picture* (stored anew: resized, squeezed,
re-encoded, brightened, mirrored), proposed by a perceptual hash of 256 bits and confirmed by the correlation of fine
detail; the same *source film*, where a picture of one knee is cut out of a film of both
(:mod:`osteolib.cohorts.crops`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from osteolib.cohorts.crops import SAME_DETAIL, detail, find_crops
from osteolib.cohorts.duplicates import join_groups
from osteolib.runs.store import artefact, cached

HASH_SIDE = 16
REACH = 40
"""Bits of 256 by which the hashes of two pictures may differ to be compared; two random ones differ in some 128."""

SIDE, RIM = 96, 4  # pixels: of the square that pictures are compared as, and of its edge, which is left out

STORED = 256  # pixels of the longer side of the copies that are compared


def picture_hash(pixels: NDArray[np.uint8], mirrored: bool = False) -> str:
    """256-bit DCT hash of a film of shape (height, width), 64 hexadecimal digits; of its mirror image if asked for."""
    import imagehash
    from PIL import Image

    image = Image.fromarray(np.ascontiguousarray(pixels[:, ::-1] if mirrored else pixels))
    return str(imagehash.phash(image, hash_size=HASH_SIDE))


def small_pictures(paths: Mapping[str, Path]) -> tuple[dict[str, NDArray[np.uint8]], pd.Series]:
    """Each film reduced to at most 256 pixels, by the sha256 of its content; kept in the store.

    Parameters
    ----------
    paths
        ``sha256 -> file``.

    Returns
    -------
    ``sha256 -> pixels``, shape (height, width), uint8 (films of 16 bits are scaled by their largest value), and the
    number of pixels that each file has.
    """
    from PIL import Image

    from osteolib.radiograph import read_radiograph

    def make(folder: Path) -> None:
        small, size = {}, {}
        for sha, path in paths.items():
            pixels = read_radiograph(path).pixels
            size[sha] = pixels.size
            if pixels.dtype != np.uint8:
                pixels = (pixels / max(int(pixels.max()), 1) * 255).round().astype(np.uint8)
            image = Image.fromarray(pixels)
            image.thumbnail((STORED, STORED), Image.Resampling.BOX)
            small[sha] = np.asarray(image)
        np.savez(folder / "pictures.npz", **small)
        np.savez(folder / "sizes.npz", **size)

    folder = artefact("pictures", {"sha256": sorted(paths), "side": STORED}, [__name__], make)
    with (np.load(folder / "pictures.npz", allow_pickle=False) as small,
          np.load(folder / "sizes.npz", allow_pickle=False) as sizes):  # fmt: skip
        return {sha: small[sha] for sha in paths}, pd.Series({sha: int(sizes[sha]) for sha in paths})


def picture_pairs(pictures: Mapping[str, NDArray[np.uint8]]) -> pd.DataFrame:
    """Pairs of contents that look alike, upright or with one of them mirrored.

    Returns
    -------
    ``a, b`` (keys of ``pictures``), ``distance`` in bits, ``mirrored``, ``detail`` (correlation), ``same``: whether it
    is one picture. A pair that looks alike both ways stands once, the way that correlates better.
    """
    names = list(pictures)

    def bits(mirrored: bool) -> NDArray[np.float32]:  # counts to 256 are exact, and float products are fast
        hashes = "".join(picture_hash(pixels, mirrored) for pixels in pictures.values())
        return (
            np.unpackbits(np.frombuffer(bytes.fromhex(hashes), np.uint8))
            .reshape(len(names), HASH_SIDE**2)
            .astype(np.float32)
        )

    plain, turned = bits(False), bits(True)
    fine = {name: _square_detail(pixels) for name, pixels in pictures.items()}
    above, pairs = np.triu(np.ones((len(names), len(names)), bool), 1), []
    for mirrored, other in ((False, plain), (True, turned)):
        distance = plain.sum(1)[:, None] + other.sum(1)[None] - 2 * plain @ other.T  # Hamming, as |a| + |b| - 2ab
        for i, j in zip(*np.nonzero((distance <= REACH) & above), strict=True):
            one, two = fine[names[i]], fine[names[j]]
            r = float(np.vdot(one, two[:, ::-1] if mirrored else two))
            pairs.append((names[i], names[j], int(distance[i, j]), mirrored, r, r >= SAME_DETAIL))
    found = pd.DataFrame(pairs, columns=["a", "b", "distance", "mirrored", "detail", "same"])
    found = found.astype({"distance": "int64", "mirrored": bool, "detail": "float64", "same": bool})
    return found.sort_values("detail", ascending=False).drop_duplicates(["a", "b"]).sort_index(ignore_index=True)


def _square_detail(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Detail of a film squeezed to a square, shape (88, 88): copies keep it whatever sides they were stored with.

    Mean 0 and norm 1, so that a product is a correlation; all 0 where there is no detail.
    """
    from PIL import Image

    square = np.asarray(Image.fromarray(pixels).resize((SIDE, SIDE), Image.Resampling.BOX), float)
    inner = detail(square)[RIM:-RIM, RIM:-RIM]
    inner = inner - inner.mean()
    return inner / max(float(np.linalg.norm(inner)), 1e-6)


def group_files(files: pd.DataFrame, look_for_crops: bool = True) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """The three grades of sameness of files.

    Parameters
    ----------
    files
        ``image_id, path, sha256``, one row per file. A column ``same_as`` may name the content that a file was made
        from (a reduced copy of it): equal values are one content.
    look_for_crops
        Knees are cut out of films of both legs; without it ``source_group`` is ``picture_group``.

    Returns
    -------
    ``files`` with ``bytes_group, picture_group, source_group`` (text, each named after the group's first file), the
    pairs of :func:`picture_pairs` and the crops of :func:`osteolib.cohorts.crops.find_crops`, both by ``image_id``,
    with those that are none.
    """
    content = files["same_as"] if "same_as" in files else files["sha256"]
    first = files.assign(content=content).drop_duplicates("content").reset_index(drop=True)
    pictures, size = small_pictures(dict(zip(first["sha256"], map(Path, first["path"]), strict=True)))
    pairs = cached("picture-pairs", {"sha256": list(pictures)}, [__name__], lambda: picture_pairs(pictures))
    place = {sha: position for position, sha in enumerate(first["sha256"])}

    def joined(found: pd.DataFrame, one: str, two: str) -> NDArray[np.int64]:
        return np.column_stack([found[one].map(place), found[two].map(place)]).astype(int)

    # two originals may have one reduced copy: then they are one picture
    number = join_groups(first["content"], first["sha256"], pairs=joined(pairs[pairs["same"]], "a", "b"))
    # the largest of a picture's copies stands for it: small ones are squeezed
    largest = first["sha256"].map(size).groupby(number).idxmax()
    shown = {sha: pictures[sha] for sha in first["sha256"][largest]} if look_for_crops else {}
    crops = cached("crops", {"sha256": list(shown)}, [__name__], lambda: find_crops(shown))
    film = join_groups(pd.Series(number), pairs=joined(crops[crops["fits"]], "crop", "film"))
    names = dict(zip(first["sha256"], first["image_id"], strict=True))
    pairs = pairs.assign(a=pairs["a"].map(names), b=pairs["b"].map(names))
    crops = crops.assign(crop=crops["crop"].map(names), film=crops["film"].map(names))
    numbers = pd.DataFrame({"picture_group": number, "source_group": film}, index=first["content"].to_numpy())
    grouped = files.assign(bytes_group=content, **numbers.loc[content].set_index(files.index))
    for column in ("bytes_group", "picture_group", "source_group"):
        grouped[column] = grouped.groupby(column)["image_id"].transform("first").astype("str")
    return grouped, pairs, crops
