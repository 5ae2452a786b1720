"""Extended multi-crop views a second, side by side with lightly's multi-crop: python benchmarks/bench_views.py

Both on one core, in one process, on the same drawn bones: 2 x 224 and 4 x 96 views with at least 10 % bone. The peer is
lightly's ``MultiCropTranform`` on the turned and shifted bone, asked again until its view has enough bone. A harder
peer is a loop by hand, which looks at the crop before it resizes it.
"""

from __future__ import annotations

import time

import numpy as np
import torch
from lightly.transforms.multi_crop_transform import MultiCropTranform
from PIL import Image
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional

from osteolib.views.multicrop import CROPS, multi_crop

SIDES, BATCH, MIN_CONTENT, TARGET_RATIO = (128, 256, 512, 1024), 16, 0.10, 10
POSE = v2.RandomAffine(30, translate=(0.1, 0.1), interpolation=v2.InterpolationMode.BILINEAR)
LIGHT = v2.Compose(
    [
        v2.RandomHorizontalFlip(),
        v2.RandomVerticalFlip(),
        v2.ColorJitter(brightness=0.5, contrast=0.5),
        v2.PILToTensor(),
        v2.ToDtype(torch.float32, scale=True),
    ]
)
RESIZED_CROPS = [v2.RandomResizedCrop(crop.size, crop.scale) for crop in CROPS for _ in range(crop.n)]
LIGHTLY = MultiCropTranform(
    tuple(crop.size for crop in CROPS),
    tuple(crop.n for crop in CROPS),
    *(tuple(crop.scale[end] for crop in CROPS) for end in (0, 1)),
    LIGHT,
).transforms


def draw_bones(side: int) -> np.ndarray:
    """Shafts of several widths with wider ends, as 8-bit images."""
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    rng = np.random.default_rng(0)
    width = rng.uniform(0.12, 0.3, (BATCH, 1, 1)) * (1 + 0.6 * y**2)
    lean = rng.uniform(-0.2, 0.2, (BATCH, 1, 1))
    bone = (np.abs(x - lean * y) < width) & (np.abs(y) < 0.9)
    return (bone * rng.integers(80, 256, bone.shape)).astype(np.uint8)


def share(image: Image.Image | torch.Tensor) -> float:
    return float((np.asarray(image) > 0).mean())


def lightly_views(bone: Image.Image) -> list[torch.Tensor]:
    views = []
    for transform in LIGHTLY:
        source = POSE(bone)
        view = transform(source)
        while share(view) < MIN_CONTENT:
            view = transform(source)
        views.append(view)
    return views


def views_by_hand(bone: Image.Image) -> list[torch.Tensor]:
    views = []
    for resized_crop in RESIZED_CROPS:
        source = POSE(bone)
        while True:
            crop = resized_crop.make_params([source])
            cut = functional.crop(source, crop["top"], crop["left"], crop["height"], crop["width"])
            if share(cut) >= MIN_CONTENT:
                break
        views.append(LIGHT(functional.resize(cut, list(resized_crop.size))))
    return views


def views_per_second(calls: dict, rounds: int = 5) -> dict[str, float]:
    """By processor time. Calls alternate, and the fastest of each counts: other work only ever slows one down."""
    times = {name: [] for name in calls}
    for _ in range(rounds + 1):
        for name, call in calls.items():
            start = time.process_time()
            call()
            times[name].append(time.process_time() - start)
    return {name: BATCH * len(LIGHTLY) / min(values[1:]) for name, values in times.items()}


def compare(side: int) -> float:
    pixels = draw_bones(side)
    films, bones = [Image.fromarray(bone) for bone in pixels], torch.from_numpy(pixels)[:, None] / 255
    generator = torch.Generator().manual_seed(0)
    calls = {"ours": lambda: multi_crop(bones, generator)}
    calls |= {v.__name__: lambda v=v: [v(film) for film in films] for v in (lightly_views, views_by_hand)}
    ours, *peers = views_per_second(calls).values()
    print(f"{side:>6} x {side:<6}{ours:>10.0f}" + "".join(f"{peer:>12.0f}{ours / peer:>7.1f}x" for peer in peers))
    return ours / peers[0]


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.manual_seed(0)
    print(f"{BATCH} bones, extended views a second of one core")
    print(f"{'bone image':<15}{'ours':>10}{'lightly':>12}{'ratio':>8}{'by hand':>12}{'ratio':>8}")
    ratio = {side: compare(side) for side in SIDES}
    least = min(ratio[512], ratio[1024])
    verdict = "met" if least >= TARGET_RATIO else "MISSED"
    print(f"Target {TARGET_RATIO}x lightly on bones of 512 and of 1024 pixels: {verdict} (at least {least:.1f}x)")
