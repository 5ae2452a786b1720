"""From a vertebra to a CT patch in HU: mineral and marrow, partial volume, the kernel, correlated noise.

    HU = (1 - f) soft + c h (cortex) + s [marrow + h density texture]

with shares f, c, s of a voxel that are bone, cortex and spongy bone, h HU per mg/cm3 of mineral at the tube voltage.
Surfaces are drawn at half the voxel and averaged, struts at a third; the kernel is a factor on spatial frequencies,
and the noise has its spectrum.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from osteolib.phantoms.vertebra.anatomy import Bone, Shape, draw, shape_of
from osteolib.phantoms.vertebra.soft_tissue import soft_tissue
from osteolib.phantoms.vertebra.trabeculae import network
from osteolib.volume import LabelMap, Volume, write_nifti

FIELD_MM = 72.0
"""Side of a patch."""


def plan_scans(settings: Mapping[str, Any], vertebrae: pd.DataFrame, preset: str | None, seed: int) -> pd.DataFrame:
    """How each patient was scanned, a row per vertebra: ``scanner``, ``kv``, ``noise_hu``, ``hu_offset``, ``fatness``.

    One scanner a patient, of all or more often of the hospital. The rest is drawn apart from the patient: ``fatness``,
    in SDs, does not follow BMI, which the label follows.
    """
    rng = np.random.default_rng([seed, 32])
    scanners = settings["scanners"]
    first = vertebrae.drop_duplicates("subject_id").set_index("subject_id")
    n, own = len(first), settings["presets"][preset or "default"]["own_scanner"]
    name = np.where(rng.random(n) < own, first["site"], rng.choice(list(scanners), n))
    plan = pd.DataFrame({"scanner": name, "kv": [scanners[s]["kv"] for s in name]}, index=first.index)
    plan["noise_hu"] = [scanners[s]["noise_hu"] for s in name] * np.exp(settings["dose_log_sd"] * rng.normal(size=n))
    plan["hu_offset"] = settings["hu_offset_sd"] * rng.normal(size=n)
    plan["fatness"] = rng.normal(size=n).round(3)
    return plan.loc[vertebrae["subject_id"]].reset_index(drop=True)


def render_patches(
    settings: Mapping[str, Any], vertebrae: pd.DataFrame, spacing_mm: float, seed: int, into: Path
) -> None:
    """Write ``<image_id>.nii.gz`` (int16 HU) and ``<image_id>_mask.nii.gz`` (uint8) of every row, axes R, A, S."""
    for row in vertebrae.to_dict("records"):
        hu, mask = render_patch(settings, row, spacing_mm, seed)
        affine = np.diag([spacing_mm] * 3 + [1.0])  # the middle of the patch is the origin
        affine[:3, 3] = -(len(hu) - 1) / 2 * spacing_mm
        write_nifti(Volume(hu, affine, "RAS"), into / f"{row['image_id']}.nii.gz")
        write_nifti(LabelMap(mask, affine, "RAS"), into / f"{row['image_id']}_mask.nii.gz")


def render_patch(
    settings: Mapping[str, Any], row: Mapping[str, Any], spacing_mm: float, seed: int
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """One patch in HU and its mask (1 cortex of the body, 2 its spongy bone, 3 posterior elements), axes (z, y, x).

    ``row``: a vertebra of :func:`osteolib.phantoms.vertebra.people.simulate` with its :func:`plan_scans`.
    """
    rng = np.random.default_rng([seed, zlib.crc32(row["image_id"].encode())])
    n = round(FIELD_MM / spacing_mm)
    shape = shape_of(settings["levels"], row["level"], row["scale"], row["cortex_mm"], rng)
    bone = draw(shape, n, spacing_mm, rng)
    mineral, share, mask = compose(settings, row, shape, bone, spacing_mm, rng)
    soft = soft_tissue(shape, row["level"], row["fatness"], n, spacing_mm, rng, bone.q, bone.w)
    hu = soft * (1 - share) + mineral + np.float32(row["hu_offset"])
    return scan(hu, settings["scanners"][row["scanner"]], row["noise_hu"], spacing_mm, rng), mask


def compose(
    settings: Mapping[str, Any],
    row: Mapping[str, Any],
    shape: Shape,
    bone: Bone,
    voxel_mm: float,
    rng: np.random.Generator,
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.uint8]]:
    """HU that bone adds to each voxel, the share of it that is bone, and the mask; all of the shape of ``bone``.

    Surfaces are looked at on a grid of half the distance, and shares averaged over blocks of 2 x 2 x 2.
    """
    tissue, n = settings["tissue"], len(bone.body)
    per_mg = tissue["hu_per_mg_cm3"][row["kv"]]
    marrow = row["marrow_fat"] * tissue["yellow_marrow_hu"] + (1 - row["marrow_fat"]) * tissue["red_marrow_hu"]

    def filled(distance: NDArray) -> NDArray[np.float32]:
        cover = finer(distance)
        cover *= np.float32(2 / voxel_mm)
        cover += np.float32(0.5)
        return np.clip(cover, 0, 1, out=cover)

    # the vein's way into the body from behind: a gap in the wall and thin bone behind it
    gate = np.exp(-np.square(bone.u / 4.5) - np.square(bone.w / 3.5)) * np.clip(0.15 - bone.v / shape.b, 0, 1)
    high = np.clip(np.abs(bone.w) / (0.5 * shape.h), 0, 1)
    wall = shape.cortex * (1 + 0.35 * np.clip((high - 0.72) / 0.2, 0, 1)) * (1 - 0.85 * gate)
    behind = np.clip((-bone.v - shape.b) / 4, 0, 1)
    out = np.clip((np.abs(bone.u) - shape.canal - 11) / 12, 0, 1)  # the transverse process has the thinner wall
    arch_wall = shape.cortex * (2.6 - 1.5 * out)

    whole, back = filled(bone.body), filled(bone.posterior)
    share = np.maximum(whole, back)
    hard = (share - filled(bone.body - wall)) * (1 - filled(bone.posterior - arch_wall))  # a pedicle opens the wall
    share, hard, whole = halved(share), halved(hard), halved(whole)
    mask = _mask(bone, whole, share - whole)
    profile = (0.86 + 0.24 * np.square(high) + 0.10 * np.square(np.minimum(bone.q, 1))) * (1 - 0.5 * gate)
    density = row["spongy_mg_cm3"] * network(row["spongy_mg_cm3"], n, voxel_mm, rng) * (profile + 0.35 * behind)
    hu = (share - hard) * (marrow + per_mg * density) + hard * (per_mg * tissue["cortex_mg_cm3"])
    if bone.ribs is not None:
        rib, core = (halved(filled(distance)) for distance in (bone.ribs, bone.ribs - 0.8))
        free = np.clip(1 - share, 0, 1)
        hu += free * (core * (marrow + per_mg * 90) + (rib - core) * (per_mg * tissue["cortex_mg_cm3"]))
        share += free * rib
    return hu.astype(np.float32), share, mask


def scan(
    hu: NDArray[np.float32], scanner: Mapping[str, Any], noise_hu: float, spacing_mm: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """What a scanner makes of an object: its kernel in the slice, its slice thickness, and noise of the same kernel.

    Noise has ``noise_hu`` SD in a voxel of 1.5 mm; its spectrum rises from 0 with frequency and falls with the kernel.
    """
    from scipy.fft import irfftn, rfftn

    n = len(hu)
    f = [np.fft.fftfreq(n, spacing_mm), np.fft.fftfreq(n, spacing_mm), np.fft.rfftfreq(n, spacing_mm)]
    in_slice = np.hypot(f[1][:, None], f[2])
    mtf = (1 + scanner["edge"] * (1 - np.exp(-np.square(in_slice / 0.3)))) * np.exp(
        -np.log(2) * np.square(in_slice / scanner["mtf50_per_mm"])
    )
    along = np.sinc(f[0] * scanner["slice_mm"])
    kernel = (along[:, None, None] * mtf).astype(np.float32)
    ramp = np.sqrt(in_slice * mtf**2 + 0.004)  # reconstruction filters the noise by a ramp; a little is white
    noise_kernel = (np.abs(along)[:, None, None] * ramp).astype(np.float32)
    white = rfftn(rng.standard_normal(hu.shape, np.float32)) * noise_kernel
    noise = irfftn(white, s=hu.shape)
    noise *= noise_hu * (1.5 / spacing_mm) / noise.std()
    return (irfftn(rfftn(hu) * kernel, s=hu.shape) + noise).astype(np.float32)


def _mask(bone: Bone, body: NDArray, back: NDArray) -> NDArray[np.uint8]:
    mask = np.where((body >= 0.5) & (bone.cell_body == 0), np.where(bone.body < 1.5, 1, 2), 0)
    return np.where((mask == 0) & (back >= 0.5) & (bone.cell_posterior == 0), 3, mask).astype(np.uint8)


def finer(coarse: NDArray) -> NDArray[np.float32]:
    """Linear interpolation of a cube to twice as many points a side, each a quarter of the distance beside the old."""
    fine = coarse.astype(np.float32)
    for axis in range(3):
        fine = np.moveaxis(fine, axis, 0)
        padded = np.concatenate([fine[:1], fine, fine[-1:]])
        double = np.empty((2 * len(fine), *fine.shape[1:]), np.float32)
        double[0::2] = 0.75 * padded[1:-1] + 0.25 * padded[:-2]
        double[1::2] = 0.75 * padded[1:-1] + 0.25 * padded[2:]
        fine = np.moveaxis(double, 0, axis)
    return fine


def halved(fine: NDArray) -> NDArray[np.float32]:
    """Means over blocks of 2 x 2 x 2."""
    pairs = fine[0::2] + fine[1::2]
    pairs = pairs[:, 0::2] + pairs[:, 1::2]
    return ((pairs[:, :, 0::2] + pairs[:, :, 1::2]) / 8).astype(np.float32)
