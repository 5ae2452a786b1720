"""Texture maps by PyRadiomics, made once: python make_golden.py, where that is installed (it is not in the lock).

    python -m venv env; env/bin/pip install "numpy<2" setuptools wheel versioneer SimpleITK PyWavelets pykwalify six
    env/bin/pip install --no-build-isolation --no-deps pyradiomics==3.0.1

Writes golden.npz (inputs and maps) and golden.json (versions, settings, sha256 of the inputs). The inputs follow from
whole numbers alone, so that any machine makes the same.
"""

from __future__ import annotations

import hashlib
import json
import platform
import warnings
from pathlib import Path

import numpy as np
import radiomics
import SimpleITK as sitk
from radiomics.glcm import RadiomicsGLCM

HERE = Path(__file__).parent
FEATURES = {"Autocorrelation": "autocorrelation", "JointAverage": "joint_average", "Contrast": "contrast",
            "DifferenceAverage": "difference_average"}  # fmt: skip


def volume(shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Something like bone in Hounsfield units, int16: noise of a linear congruence on a brighter ellipsoid."""
    state, noise = seed, []
    for _ in range(int(np.prod(shape))):
        state = (1103515245 * state + 12345) % 2**31
        noise.append(state // 65536 % 401 - 200)
    grid = np.indices(shape)
    far = sum((2 * index - n + 1) ** 2 * 1000 // n**2 for index, n in zip(grid, shape, strict=True))
    return (np.array(noise).reshape(shape) // 2 + np.where(far < 700, 180, -60)).astype(np.int16)


def ball(shape: tuple[int, ...]) -> np.ndarray:
    far = sum((2 * index - n + 1) ** 2 * 1000 // n**2 for index, n in zip(np.indices(shape), shape, strict=True))
    return far < 900


def spur(shape: tuple[int, ...]) -> np.ndarray:
    """A square, a line one pixel wide from it, and a pixel by itself: directions, and a pixel, without any pair."""
    mask = np.zeros(shape, bool)
    mask[2:7, 2:7], mask[4, 7:11], mask[12, 3] = True, True, True
    return mask


SOLID, FLAT = volume((9, 8, 10), 1), volume((17, 14), 2)
INPUTS = {"solid": SOLID, "solid_mask": ball(SOLID.shape), "solid_float": (SOLID / np.float32(7)).astype(np.float32),
          "flat": FLAT, "flat_mask": ball(FLAT.shape), "flat_spur": spur(FLAT.shape)}  # fmt: skip
CASES = {
    "solid, 8 levels, radius 1": ("solid", None, {"binCount": 8}, 1),
    "solid, 32 levels, radius 2": ("solid", None, {"binCount": 32}, 2),
    "solid, width 25, radius 1": ("solid", None, {"binWidth": 25}, 1),
    "solid, 16 levels, radius 1, mask": ("solid", "solid_mask", {"binCount": 16}, 1),
    "solid, width 40, radius 2, mask": ("solid", "solid_mask", {"binWidth": 40}, 2),
    "solid as float, 32 levels, radius 1": ("solid_float", None, {"binCount": 32}, 1),
    "flat, 32 levels, radius 1": ("flat", None, {"binCount": 32}, 1),
    "flat, width 25, radius 3, mask": ("flat", "flat_mask", {"binWidth": 25}, 3),
    "flat, width 25, radius 1, spur": ("flat", "flat_spur", {"binWidth": 25}, 1),
}


def maps(image: np.ndarray, mask: np.ndarray, bins: dict, radius: int) -> dict[str, np.ndarray]:
    images = [sitk.GetImageFromArray(array) for array in (image, mask.astype(np.uint8))]
    glcm = RadiomicsGLCM(*images, voxelBased=True, kernelRadius=radius, maskedKernel=True, distances=[1],
                         symmetricalGLCM=True, **bins)  # fmt: skip
    for name in FEATURES:
        glcm.enableFeatureByName(name)
    found = glcm.execute()
    return {ours: sitk.GetArrayFromImage(found[name]) for name, ours in FEATURES.items()}


def main() -> None:
    golden, described = dict(INPUTS), {}
    for name, (image, mask, bins, radius) in CASES.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # means over directions that are all empty
            found = maps(INPUTS[image], INPUTS[mask] if mask else np.ones(INPUTS[image].shape, bool), bins, radius)
        golden |= {f"{name}: {feature}": values for feature, values in found.items()}
        described[name] = {"image": image, "mask": mask, "levels": bins.get("binCount"),
                           "bin_width": bins.get("binWidth"), "window": 2 * radius + 1}  # fmt: skip
    np.savez_compressed(HERE / "golden.npz", **golden)
    versions = {"pyradiomics": radiomics.__version__, "numpy": np.__version__,
                "SimpleITK": sitk.Version.VersionString(), "python": platform.python_version()}  # fmt: skip
    hashes = {name: hashlib.sha256(array.tobytes()).hexdigest() for name, array in INPUTS.items()}
    text = json.dumps({"made_with": versions, "sha256": hashes, "cases": described}, indent=1)
    (HERE / "golden.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
