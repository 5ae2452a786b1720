"""Texture maps a second, side by side with one matrix a window: python benchmarks/bench_texture.py [PYTHON ...]

On one core: four features, 32 levels, all windows that lie inside the image. The peer is scikit-image's
``graycomatrix`` in a loop; it knows images only. For volumes the peers are PyRadiomics, which makes the same maps, and
mirp, which makes none and is asked for single windows. Neither fits into the project's environment: name the python of
one where either is installed, and it is timed there on the same volume. Maps are compared first, where there are any.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from skimage.feature import graycomatrix, graycoprops

from osteolib.views.texture import FEATURES, grey_levels, texture_maps

LEVELS, TARGET_RATIO, LOOKED_AT = 32, 20, 400
PEER = """
import logging, sys, time
import numpy as np
volume, window, levels = np.load(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
try:
    import SimpleITK as sitk
    from radiomics.glcm import RadiomicsGLCM
    logging.getLogger("radiomics").setLevel(logging.ERROR)
    images = [sitk.GetImageFromArray(a) for a in (volume, np.ones(volume.shape, np.uint8))]
    start = time.process_time()
    glcm = RadiomicsGLCM(*images, voxelBased=True, kernelRadius=window // 2, binCount=levels, voxelBatch=4000)
    for name in ("Autocorrelation", "JointAverage", "Contrast", "DifferenceAverage"):
        glcm.enableFeatureByName(name)
    found = glcm.execute()
    print("PyRadiomics", (time.process_time() - start) / volume.size)
    np.save(sys.argv[4], sitk.GetArrayFromImage(found["Contrast"]))
except ImportError:
    import mirp
    logging.disable(logging.CRITICAL)
    times = []
    for at in range(4):
        mask = np.zeros(volume.shape, np.uint8)
        mask[at : at + window, at : at + window, at : at + window] = 1
        start = time.process_time()
        mirp.extract_features(image=volume.astype(float), mask=mask, base_feature_families="cm",
                              base_discretisation_method="fixed_bin_number", base_discretisation_n_bins=levels,
                              glcm_spatial_method="3d_average")
        times.append(time.process_time() - start)
    print("mirp", min(times))
"""


def bone(*shape: int) -> np.ndarray:
    """Noise of 60 HU on waves of 6 voxels, whole numbers."""
    waves = sum(np.sin(2 * np.pi * axis / 6) for axis in np.indices(shape))
    return (150 + 80 * waves + np.random.default_rng(0).normal(0, 60, shape)).astype(np.int16)


def fastest(call, rounds: int = 4) -> float:
    """Seconds of processor time: other work only ever slows one down."""
    times = []
    for _ in range(rounds + 1):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return min(times[1:])


def of_window(grey: np.ndarray) -> list[float]:
    """The four features by scikit-image, levels counted from 1."""
    pairs = graycomatrix(grey, [1], np.arange(4) * np.pi / 4, LEVELS, symmetric=True, normed=True)
    level = np.arange(1, LEVELS + 1)
    products = (pairs * np.outer(level, level)[:, :, None, None]).sum((0, 1)).mean()
    return [products, graycoprops(pairs, "mean").mean() + 1, graycoprops(pairs, "contrast").mean(),
            graycoprops(pairs, "dissimilarity").mean()]  # fmt: skip


def compare_images(side: int, window: int) -> float:
    """Windows a second, ours and of a loop over some of the same windows; returns the ratio."""
    image = bone(side, side)
    grey = grey_levels(image, LEVELS).numpy().astype(np.uint8) - 1
    rng, reach = np.random.default_rng(0), window // 2
    middles = rng.integers(reach, side - reach, (LOOKED_AT, 2))
    windows = [grey[r - reach : r + reach + 1, c - reach : c + reach + 1] for r, c in middles]
    maps = texture_maps(image, levels=LEVELS, window=window)
    ours = np.array([[maps[name][r, c].item() for name in FEATURES] for r, c in middles])
    np.testing.assert_allclose(ours, [of_window(part) for part in windows], rtol=1e-4)
    ours = side**2 / fastest(lambda: texture_maps(image, levels=LEVELS, window=window))
    loop = LOOKED_AT / fastest(lambda: [of_window(part) for part in windows], 2)
    print(f"{f'{side} x {side}':<16}{window:>6}{ours:>14,.0f}  scikit-image{loop:>12,.0f}{ours / loop:>10,.0f}x")
    return ours / loop


def compare_volumes(side: int, window: int, peers: list[str]) -> None:
    volume = bone(side, side, side)
    ours = side**3 / fastest(lambda: texture_maps(volume, levels=LEVELS, window=window))
    label = f"{f'{side} x {side} x {side}':<16}{window:>6}{ours:>14,.0f}"
    with tempfile.TemporaryDirectory() as folder:
        np.save(Path(folder) / "volume.npy", volume)
        for python in peers:
            files = [str(Path(folder) / name) for name in ("volume.npy", "contrast.npy")]
            command = [python, "-c", PEER, files[0], str(window), str(LEVELS), files[1]]
            environment = os.environ | {"OMP_NUM_THREADS": "1"}
            done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
            name, seconds = done.stdout.splitlines()[-1].split()
            if Path(files[1]).exists():
                contrast = texture_maps(volume, ("contrast",), LEVELS, window)["contrast"].numpy()
                np.testing.assert_allclose(contrast, np.load(files[1]), rtol=1e-4)
                Path(files[1]).unlink()
            print(f"{label}  {name:<12}{1 / float(seconds):>12,.0f}{ours * float(seconds):>10,.0f}x")
        if not peers:
            print(f"{label}  (no python of a peer was named)")


def peak_mib(side: int, slab_voxels: int) -> float:
    """Memory that maps of a cube need beyond the cube and the maps themselves, by a fresh process."""
    code = (
        "import resource, numpy as np, torch; from osteolib.views.texture import texture_maps;"
        "torch.set_num_threads(1);"
        f"v = np.random.default_rng(0).integers(-200, 900, ({side},) * 3).astype(np.int16);"
        "texture_maps(v[:16, :16, :16]);"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss;"
        f"m = texture_maps(v, slab_voxels={slab_voxels});"
        "print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    return float(out) - 5 * 4 * side**3 / 2**20


if __name__ == "__main__":
    torch.set_num_threads(1)
    print(f"{LEVELS} levels, four features, windows a second of one core")
    print(f"{'image':<16}{'window':>6}{'ours':>14}  {'peer':<12}{'windows/s':>12}{'ratio':>11}")
    least = min(compare_images(side, window) for side in (64, 256) for window in (3, 5, 7))
    for window in (3, 5):
        compare_volumes(24, window, sys.argv[1:])
    for side in (96, 192):
        own = {"slabs": peak_mib(side, 2**19), "in one": peak_mib(side, side**3)}
        print(
            f"{side}^3 voxels: working memory {own['slabs']:,.0f} MiB in slabs, {own['in one']:,.0f} MiB in one piece"
        )
    verdict = "met" if least >= TARGET_RATIO else "MISSED"
    print(f"Maps agree. Target {TARGET_RATIO}x a loop of graycomatrix: {verdict} (at least {least:,.0f}x)")
