"""What the test of two processes runs: ``train`` in one; this file, given a folder, in two as torchrun starts them."""

import multiprocessing
import os
import socket
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn

from osteolib.ssl import pretrain
from osteolib.views.multicrop import Crop

METHODS = ("simclr", "supcon", "swav", "vicreg")


def without_batch_statistics(*_) -> nn.Module:
    """Batch normalisation sees the own part of a batch alone on a CPU, so exact agreement is asked for without it."""
    return nn.Sequential(nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(16, 512), nn.Tanh())


def train(folder: Path) -> None:
    torch.set_num_threads(1)
    pretrain.build_encoder = without_batch_statistics
    pretrain.build_head = lambda method, size, features: nn.Linear(features, 64)
    bones = np.random.default_rng(0).integers(1, 256, (16, 24, 24), dtype=np.uint8)
    labels = np.r_[np.zeros(6), np.ones(6), np.full(4, np.nan)]
    for method in METHODS:
        recipe = pretrain.Recipe(
            method,
            "resnet18",
            "small",
            (Crop(2, 24, (0.3, 1)), Crop(1, 17, (0.1, 0.3))),
            batch_size=8,
            epochs=2,
            queue=8,
        )
        fitted = pretrain.pretrain(bones, range(16), labels, [], recipe, folder / method, precision="32-true")
        fitted.history.to_csv(folder / f"{method}.csv", index=False)


def as_torchrun(rank: int, port: int, folder: Path) -> None:
    os.environ |= {"TORCHELASTIC_RUN_ID": "test", "TORCHELASTIC_USE_AGENT_STORE": "False", "GROUP_RANK": "0",
                   "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2",
                   "RANK": str(rank), "LOCAL_RANK": str(rank)}  # fmt: skip
    train(folder)


if __name__ == "__main__":
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    context = multiprocessing.get_context("fork" if hasattr(os, "fork") else "spawn")  # forks import nothing again
    processes = [context.Process(target=as_torchrun, args=(rank, port, Path(sys.argv[1]))) for rank in (0, 1)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    sys.exit(any(process.exitcode for process in processes))
