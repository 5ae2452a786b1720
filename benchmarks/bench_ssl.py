"""A step of self-supervised learning, side by side with a loop in lightly's style: python benchmarks/bench_ssl.py

Same encoder, head, views and batch, SimCLR over two global targets and all views. Theirs is float32, one view after the
other through the network, NTXentLoss on every pair and lightly's LARS; ours is what pre-training does. Both losses are
compared first. Steps alternate, and the fastest of each counts: other work on the machine only ever slows one down.
"""

from __future__ import annotations

import logging
import time
import warnings

import torch
from lightning_fabric import Fabric

from osteolib.ssl.larc import LARC
from osteolib.ssl.losses import METHODS
from osteolib.ssl.pretrain import Learner, Recipe
from osteolib.train import bf16_or_float32
from osteolib.views.multicrop import Crop

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from lightly.loss import NTXentLoss
    from lightly.utils.lars import LARS

CROPS, BATCH, STEPS, TARGET_RATIO = (Crop(2, 64, (0.14, 1)), Crop(4, 32, (0.05, 0.14))), 64, 8, 2.5
DEVICE = torch.accelerator.current_accelerator(check_available=True) or torch.device("cpu")


def learner(method: str) -> Learner:
    torch.manual_seed(0)
    return Learner(Recipe(method, "resnet18-half", "small", CROPS, batch_size=BATCH))


def ours(method: str, crops: list[torch.Tensor], labels: torch.Tensor):
    fabric = Fabric(accelerator=DEVICE.type, devices=1, precision=bf16_or_float32(DEVICE))
    model = learner(method).to(memory_format=torch.channels_last)
    model, optimizer = fabric.setup(model, LARC(model.parameters(), 0.1))

    def step() -> float:
        loss = model(crops, labels)["loss"]
        optimizer.zero_grad()
        fabric.backward(loss)
        optimizer.step()
        return loss.item()

    return step


def theirs(crops: list[torch.Tensor]):
    model, criterion = learner("simclr").to(DEVICE), NTXentLoss(temperature=0.1)
    optimizer = LARS(model.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-6)

    def step() -> float:
        z = [model.head(model.encoder(view)) for crop in crops for view in crop]
        pairs = [criterion(z[v], z[i]) for i in (0, 1) for v in range(len(z)) if v != i]
        loss = sum(pairs) / len(pairs)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def fastest_ms(calls: dict) -> dict[str, float]:
    times = {name: [] for name in calls}
    for _ in range(STEPS):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            times[name].append(1e3 * (time.perf_counter() - start))
    return {name: min(values) for name, values in times.items()}


if __name__ == "__main__":
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    torch.manual_seed(0)
    crops = [torch.rand(crop.n, BATCH, 1, crop.size, crop.size, device=DEVICE) for crop in CROPS]
    labels = torch.arange(BATCH, device=DEVICE).double() % 2
    calls = {"lightly's style, simclr": theirs(crops)} | {name: ours(name, crops, labels) for name in METHODS}
    first = [calls["lightly's style, simclr"](), calls["simclr"]()]
    assert abs(first[0] - first[1]) < 0.1 * first[0], first  # bf16, and batch statistics over views of one size
    views = BATCH * sum(crop.n for crop in CROPS)
    sizes = ", ".join(f"{crop.n} x {crop.size} px" for crop in CROPS)
    print(f"half-width ResNet-18, batch {BATCH}, {sizes}, {DEVICE}, {bf16_or_float32(DEVICE)}, "
          f"{torch.get_num_threads()} threads")  # fmt: skip
    times = fastest_ms(calls)
    for name, ms in times.items():
        print(f"  {name:<26}{ms:>8.0f} ms a step{1e3 / ms:>8.2f} steps/s{1e3 * views / ms:>9.0f} views/s")
    ratio = times["lightly's style, simclr"] / times["simclr"]
    print(f"Losses agree. Target {TARGET_RATIO}x: {'met' if ratio >= TARGET_RATIO else 'MISSED'} ({ratio:.1f}x)")
