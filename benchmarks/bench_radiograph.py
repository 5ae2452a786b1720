"""Reading and preparing one film, side by side with scikit-image and numpy: python benchmarks/bench_radiograph.py

A drawn film of 2,430 x 1,994 pixels, as JPEG. Both ways give the same crop and the same pixels, which is checked.
With OSTEO_DATA set, the knee films found there are timed as well.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image
from skimage.filters import threshold_otsu
from skimage.io import imread

from osteolib.radiograph import count_legs, mask_markers, normalise_intensity, otsu_crop, preprocess, read_radiograph

SHAPE = (1994, 2430)
TARGET_MS = 150


def draw_film() -> np.ndarray:
    """One leg, brighter bone inside, film grain."""
    y, x = np.mgrid[-1 : 1 : SHAPE[0] * 1j, -1 : 1 : SHAPE[1] * 1j]
    tissue = np.sqrt(np.clip(1 - (x / (0.35 - 0.08 * y)) ** 2, 0, None))
    bone = np.abs(x) < 0.09 + 0.05 * np.exp(-((y / 0.15) ** 2))
    film = 8 + 90 * tissue + 90 * bone + np.random.default_rng(0).normal(0, 4, SHAPE)
    return np.clip(np.rint(film), 0, 255).astype(np.uint8)


def ours(path: Path) -> tuple[tuple[int, ...], np.ndarray]:
    pixels = read_radiograph(path).pixels
    x0, y0, x1, y1 = box = otsu_crop(pixels)
    return box, normalise_intensity(pixels[y0:y1, x0:x1])


def plain(path: Path) -> tuple[tuple[int, ...], np.ndarray]:
    """The same steps on the pixels themselves, without histograms."""
    pixels = imread(path)
    rows, columns = np.nonzero(pixels > threshold_otsu(pixels))
    top, bottom, left, right = rows.min(), rows.max() + 1, columns.min(), columns.max() + 1
    dy, dx = round(0.03 * (bottom - top)), round(0.03 * (right - left))
    box = (max(left - dx, 0), max(top - dy, 0), min(right + dx, SHAPE[1]), min(bottom + dy, SHAPE[0]))
    cut = pixels[box[1] : box[3], box[0] : box[2]]
    low, high = np.percentile(cut, [1, 99])
    return box, np.rint(np.clip((cut - low) / (high - low), 0, 1) * 255).astype(np.uint8)


def median_ms(call, repeats: int) -> float:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(1e3 * (time.perf_counter() - start))
    return float(np.median(times))


def drawn() -> float:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film.jpg"
        Image.fromarray(draw_film()).save(path, quality=92)
        (our_box, our_pixels), (box, pixels) = ours(path), plain(path)  # also loads what is imported late
        if our_box != box or not np.array_equal(our_pixels, pixels):
            raise SystemExit(f"results differ: {our_box} and {box}")
        film = read_radiograph(path).pixels
        count_legs(film), mask_markers(film), preprocess(film)
        fast, slow = median_ms(lambda: ours(path), 15), median_ms(lambda: plain(path), 5)
        title = f"one drawn film of {SHAPE[1]} x {SHAPE[0]}, JPEG, median, same results"
        print(f"{title:<80}{'ours, ms':>10}{'peer, ms':>12}{'ratio':>10}")
        print(f"  read, Otsu crop, window; scikit-image and numpy{fast:>41.1f}{slow:>12.1f}{slow / fast:>9.1f}x")
        for what, call in (
            ("count_legs", count_legs),
            ("mask_markers", mask_markers),
            ("preprocess to 512", preprocess),
        ):
            print(f"  {what:<47}{median_ms(lambda call=call: call(film), 9):>41.1f}")
    return fast


def real(folder: Path, n: int = 40) -> None:
    """Every so many-th film, so that all kinds are met."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    times = [median_ms(lambda path=path: ours(path), 1) for path in paths[:: max(1, len(paths) // n)]]
    if times:
        spread = f"median {np.median(times):.1f} ms, slowest {max(times):.1f} ms"
        print(f"{len(times)} of {len(paths)} real knee films: {spread}")


if __name__ == "__main__":
    fast = drawn()
    if data := os.environ.get("OSTEO_DATA"):
        real(Path(data) / "knee-wani" / "images")
    print(f"Target {TARGET_MS} ms a film: {'met' if fast < TARGET_MS else 'MISSED'} ({fast:.1f} ms)")
