"""What texture maps say of a vertebra: their means where spongy bone lies deepest, on real and simulated ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from osteolib.cohorts import Cohort
from osteolib.runs.store import artefact
from osteolib.views.texture import FEATURES, WINDOW, grey_levels, level_maps, texture_maps

HU = "mean HU"
SPACING_MM = 1.5
RENDERED = ("image_id", "level", "spongy_mg_cm3", "cortex_mm", "marrow_fat", "scale", "fatness", "hu_offset", "kv",
            "noise_hu")  # fmt: skip
"""What a simulated vertebra is drawn from, beside scanner and settings."""
CLIP = (-200.0, 800.0)
"""HU from fat to all but the hardest cortex: in a patch with both, clipping gives every patient the same bins."""


@dataclass(frozen=True)
class Binning:
    """How HU become grey levels: so many, or a width in HU.

    ``inside``: set by the bone alone, not by the whole patch. ``clip``: HU beyond these ends are brought to them first.
    """

    levels: int | None = None
    bin_width: float | None = None
    inside: bool = False
    clip: tuple[float, float] | None = None

    @property
    def name(self) -> str:
        how = f"{self.levels} levels" if self.levels else f"width {self.bin_width:g} HU"
        if self.clip:
            return f"{how}, HU clipped"
        return f"{how}, by the {'bone' if self.inside else 'patch'}"


@dataclass(frozen=True, eq=False)
class Bodies:
    """Vertebrae and where to read them.

    Attributes
    ----------
    voxels
        Shape (n, depth, height, width), int16, HU.
    bone, core
        The same shape, bool: vertebral body with its cortex, and its inside far from every surface.
    """

    voxels: NDArray[np.int16]
    bone: NDArray[np.bool_]
    core: NDArray[np.bool_]


def relative_noise(settings: Mapping[str, Any], rows: pd.DataFrame) -> NDArray[np.float64]:
    """Noise of each patient's scan over that of the scanner: the dose, which a patient keeps on any scanner here."""
    own = rows["scanner"].map(lambda scanner: settings["scanners"][scanner]["noise_hu"])
    return (rows["noise_hu"] / own).to_numpy(float)


def simulated_bodies(
    settings: Mapping[str, Any], rows: pd.DataFrame, scanner: str, seed: int, *, noise: float = 1.0
) -> Bodies:
    """Simulated vertebrae, all on one scanner of the phantom, kept in the artefact store.

    Parameters
    ----------
    settings
        Of the manifest of ``vertebra-phantom``.
    rows
        Of its table, without patches. Bone and flesh of a vertebra are the same whatever the scanner; its noise is
        drawn with the patient's dose.
    scanner
        One of ``settings["scanners"]``.
    noise
        Times that of the scanner; 0 for a picture without any.
    """
    from osteolib.phantoms.vertebra.scanner import render_patch
    from osteolib.volume import body_core

    about = settings["scanners"][scanner]
    of_scan = noise * about["noise_hu"] * relative_noise(settings, rows)
    seen = rows.assign(scanner=scanner, kv=about["kv"], noise_hu=of_scan)

    def make(folder: Path) -> None:
        pairs = [render_patch(settings, row, SPACING_MM, seed) for row in seen.to_dict("records")]
        bone = [np.isin(mask, (1, 2)) for _, mask in pairs]
        np.savez_compressed(
            folder / "bodies.npz", voxels=np.rint([hu for hu, _ in pairs]).astype(np.int16), bone=bone,
            core=[body_core(body) for body in bone],
        )  # fmt: skip

    key = {"rows": seen[list(RENDERED)].to_dict("records"), "scanner": scanner, "seed": seed, "spacing_mm": SPACING_MM,
           "settings": dict(settings)}  # fmt: skip
    folder = artefact("texture-bodies", key, [__name__, "osteolib.phantoms.vertebra.scanner"], make)
    with np.load(folder / "bodies.npz", allow_pickle=False) as stored:
        return Bodies(stored["voxels"], stored["bone"], stored["core"])


def real_body(cohort: Cohort, level: str) -> tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.bool_]]:
    """One vertebra of ``ct-vertebra-tptbox``: HU of its patch, its body with cortex, and the core of that."""
    from osteolib.volume import body_core, cut_vertebra, find_vertebrae, read_labels, read_volume

    about = cohort.manifest.settings
    row = cohort.subjects.set_index("level").loc[level]
    volume, labels, regions = read_volume(row["path"]), read_labels(row["mask_path"]), read_labels(row["region_path"])
    vertebra = next(v for v in find_vertebrae(volume, labels, about["numbers"]) if v.level == level)
    patch = cut_vertebra(volume, labels, vertebra, regions=regions)
    body = np.isin(patch.regions, (about["body"], about["cortex"]))
    return patch.voxels, body, body_core(body)


def middle_slice(
    pool: Mapping[str, torch.Tensor], body: NDArray[np.bool_]
) -> tuple[dict[str, NDArray], NDArray[np.bool_]]:
    """Of a pool and the body in it: the sagittal slice through the body's middle, head up and front left."""
    at = int(np.argwhere(body)[:, 2].mean())
    return {name: view.numpy()[::-1, ::-1, at] for name, view in pool.items()}, body[::-1, ::-1, at]


def read_means(
    voxels: NDArray, bone: NDArray[np.bool_], core: NDArray[np.bool_], binning: Binning, window: int = WINDOW
) -> dict[str, float]:
    """Mean of each map, and of the HU, over the core of one body; arrays (depth, height, width).

    Grey levels come from the whole patch (or the bone); maps are made in a box that holds the core and its windows.
    """
    mask = bone if binning.inside else None
    seen = voxels if binning.clip is None else voxels.clip(*binning.clip)
    grey = grey_levels(seen, binning.levels, bin_width=binning.bin_width, mask=mask)
    reach = window // 2
    where = np.argwhere(core)
    box = tuple(
        slice(max(0, low - reach), high + reach + 1) for low, high in zip(where.min(0), where.max(0), strict=True)
    )
    inside = torch.from_numpy(np.ascontiguousarray(core[box]))
    maps = level_maps(grey[box], window=window)
    return {name: maps[name][inside].double().mean().item() for name in FEATURES} | {HU: float(voxels[core].mean())}


def read_all(bodies: Bodies, settings: Iterable[tuple[Binning, int]]) -> pd.DataFrame:
    """Means of every body by binning and window: ``vertebra`` (its row), ``binning``, ``window``, a column a map."""
    rows = []
    for binning, window in settings:
        for i, arrays in enumerate(zip(bodies.voxels, bodies.bone, bodies.core, strict=True)):
            rows.append(
                {"vertebra": i, "binning": binning.name, "window": window} | read_means(*arrays, binning, window)
            )
    return pd.DataFrame(rows)


def under_change(
    voxels: NDArray, bone: NDArray[np.bool_], core: NDArray[np.bool_], binnings: Sequence[Binning],
    changes: Mapping[Any, Callable[[NDArray], NDArray]], window: int = WINDOW,
) -> pd.DataFrame:  # fmt: skip
    """Means of one body after each change of its HU: ``change``, ``binning``, and a column a map."""
    return pd.DataFrame(
        {"change": name, "binning": binning.name} | read_means(change(voxels), bone, core, binning, window)
        for name, change in changes.items()
        for binning in binnings
    )


def enlarged_crops(
    image: NDArray, body: NDArray[np.bool_], scale: tuple[float, float], n: int, seed: int, bin_width: float = 25.0
) -> pd.DataFrame:
    """What crops of a slice keep: boxes as torchvision's ``RandomResizedCrop`` draws them, enlarged to the whole side.

    Parameters
    ----------
    image, body
        A slice in HU and the vertebral body in it, shape (height, width).
    scale
        Smallest and largest share of the area.

    Returns
    -------
    A row per crop: ``share`` of the body's pixels in it, 0 where it misses the body; ``enlarged`` how many times (root
    of the area); ``contrast`` of neighbours within the body after enlarging, over that before; NaN where too little is
    shown.
    """
    from torchvision.transforms import RandomResizedCrop
    from torchvision.transforms.functional import resized_crop

    picture, inside = torch.as_tensor(np.stack([image, body]).astype(np.float32))[:, None]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        boxes = [RandomResizedCrop.get_params(picture, scale, (3 / 4, 4 / 3)) for _ in range(n)]
    rows, size = [], list(image.shape)
    for top, left, tall, wide in boxes:
        cut = (slice(top, top + tall), slice(left, left + wide))
        before = _contrast(picture[0][cut], inside[0][cut] > 0, bin_width)
        large, bone = (resized_crop(part, top, left, tall, wide, size, antialias=True)[0] for part in (picture, inside))
        share, times = (inside[0][cut].sum() / inside.sum()).item(), float(np.sqrt(image.size / (tall * wide)))
        kept = _contrast(large, bone > 0.5, bin_width) / before
        rows.append({"share": share, "enlarged": times, "contrast": kept})
    return pd.DataFrame(rows)


def _contrast(picture: torch.Tensor, inside: torch.Tensor, bin_width: float) -> float:
    """Mean of the contrast map inside a mask; NaN of less than a window, or where every pixel is alike."""
    values = picture[inside]
    if min(picture.shape) < 3 or len(values) < 9 or values.max() - values.min() < bin_width:
        return float("nan")
    maps = texture_maps(picture, ("contrast",), None, 3, bin_width=bin_width, mask=inside)
    return maps["contrast"][inside].mean().item() or float("nan")
