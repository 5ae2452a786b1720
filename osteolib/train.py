"""The training loop, the only one: clipping, schedule, early stopping, checkpoints, resume; one process or several.

Optimiser and schedule are given; the defaults are the knee paper's (STR-Net, arXiv:2604.20268, Section 2.4, Table 2).
Every epoch draws its random numbers from the seed and its own number, so a run that was cut off needs no generator
state to go on where it was.
"""

from __future__ import annotations

import io
import logging
import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

from osteolib.runs.paths import write_atomic

STATE = "state.pt"
SECONDS_BETWEEN_LINES = 30
ADAMW = partial(torch.optim.AdamW, lr=1e-4, weight_decay=1e-4)
HALVED_AT_REST = partial(ReduceLROnPlateau, mode="max", factor=0.5, patience=20)


@dataclass(frozen=True)
class Fitted:
    """What :func:`fit` returns.

    Attributes
    ----------
    history
        One row per epoch: ``epoch`` (from 0), ``lr``, the means of the loss terms, the metrics of ``validate``.
    best_epoch
        The first epoch with the highest monitored metric; its weights are in the model.
    weights
        The safetensors file that holds them.
    """

    history: pd.DataFrame
    best_epoch: int
    weights: Path


def bf16_or_float32(device: torch.device) -> str:
    """Fabric's name of the precision for a device: bf16 where the hardware computes in it, never by timing."""
    if device.type == "cuda":
        able = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        flags = torch.cpu.get_capabilities() if device.type == "cpu" else {}
        able = flags.get("avx512_bf16", False) or flags.get("amx_bf16", False)
    return "bf16-mixed" if able else "32-true"


def fit(
    model: nn.Module,
    loss_fn: Callable[[nn.Module, Any, int], Mapping[str, Tensor]],
    train_batches: Callable[[int, torch.Generator], Iterable[Any]],
    validate: Callable[[nn.Module], Mapping[str, float]] | None,
    *,
    folder: Path,
    monitor: str | None,
    epochs: int = 100,
    seed: int = 0,
    optimizer: Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer] = ADAMW,
    schedule: Callable[[torch.optim.Optimizer], LRScheduler] = HALVED_AT_REST,
    stop_patience: int = 30,
    max_norm: float = 1.0,
    precision: str | None = None,
    about: Mapping[str, Any] | None = None,
) -> Fitted:
    """Train a model and leave it with its best weights; started by ``torchrun``, on all its processes.

    Parameters
    ----------
    loss_fn
        ``loss_fn(model, batch, epoch)``: the scalar ``"loss"`` to minimise and any further terms to record.
    train_batches
        ``train_batches(epoch, generator)`` yields the batches of an epoch, drawing from the generator (on the CPU)
        alone; tensors in tuples or dictionaries are moved to the model's device. Of several processes each yields its
        own :func:`share`.
    validate
        Called after each epoch with the model in evaluation mode and without gradients; returns metrics by name.
    folder
        Of this run alone. A run found there goes on from its last whole epoch, on a CPU bit for bit as if it had never
        stopped.
    monitor
        The metric to maximise; None where nothing is validated, and the last epoch counts.
    optimizer, schedule
        Made from the parameters, and from the optimiser; the schedule steps once an epoch.
    stop_patience
        Epochs without improvement before training stops.
    max_norm
        To which the gradient is clipped; ``math.inf`` leaves it as it is.
    precision
        As Fabric names it; ``None`` for :func:`bf16_or_float32`.
    about
        What else a run in ``folder`` must share to be gone on with: plain values by name.

    Raises
    ------
    ValueError
        The folder holds a run with other settings or of another model; there are no batches; a loss or the monitored
        metric is not finite.
    """
    device = torch.accelerator.current_accelerator(check_available=True) or torch.device("cpu")
    precision = precision or bf16_or_float32(device)
    fabric = _fabric(device, precision)
    gpu = [fabric.device.index] if fabric.device.type == "cuda" else []
    if gpu and fabric.world_size > 1:
        model = nn.SyncBatchNorm.convert_sync_batchnorm(model)
    model.to(memory_format=torch.channels_last)
    wrapped, stepped = fabric.setup(model, optimizer(model.parameters()))
    rate = schedule(stepped.optimizer)
    settings = dict(about or {}) | {"monitor": monitor, "seed": seed, "stop_patience": stop_patience,
                                    "max_norm": max_norm, "precision": precision}  # fmt: skip
    for part in (stepped.optimizer, rate):
        values = part.defaults if isinstance(part, torch.optim.Optimizer) else part.state_dict()
        plain = {name: value for name, value in values.items() if isinstance(value, int | float | str)}
        settings |= {f"{type(part).__name__}.{name}": value for name, value in plain.items()}
    history = _resume(folder, settings, model, stepped, rate)
    printed = time.monotonic()
    with torch.random.fork_rng(gpu), torch.backends.cudnn.flags(benchmark=False, deterministic=True):
        for epoch in range(len(history), epochs):
            if monitor and history and epoch - 1 - _best(history, monitor) >= stop_patience:
                break
            draw = int(np.random.SeedSequence([seed, epoch]).generate_state(1)[0])
            torch.manual_seed(draw)
            batches = train_batches(epoch, torch.Generator().manual_seed(draw))
            row = {"epoch": epoch, "lr": stepped.param_groups[0]["lr"]}
            row |= _epoch(fabric, wrapped, stepped, loss_fn, batches, epoch, max_norm)
            if validate:
                wrapped.eval()
                with torch.no_grad():
                    row |= {name: float(value) for name, value in validate(wrapped).items()}
            if monitor and not np.isfinite(row[monitor]):
                raise ValueError(f"{monitor} is {row[monitor]} after epoch {epoch}: does the validation set hold it?")
            rate.step(*[row[monitor]] if isinstance(rate, ReduceLROnPlateau) else [])
            history.append(row)
            if fabric.is_global_zero:
                _save(folder, settings, model, stepped, rate, history)
            if time.monotonic() - printed > SECONDS_BETWEEN_LINES:
                printed = time.monotonic()
                reached = f", {monitor} {row[monitor]:.4f}" if monitor else ""
                print(f"epoch {epoch + 1}/{epochs}: loss {row['loss']:.4f}{reached}", file=sys.stderr)
    fabric.barrier()
    best = _best(history, monitor)
    weights = _weights_file(folder, best)
    put_weights(model, read_weights(weights), weights.name)
    model.eval()
    return Fitted(pd.DataFrame(history), best, weights)


def _fabric(device: torch.device, precision: str):
    """One process, or one of those that torchrun started."""
    from lightning_fabric import Fabric

    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # it announces the precision on every page
    local, nodes = (int(os.environ.get(name, 1)) for name in ("LOCAL_WORLD_SIZE", "GROUP_WORLD_SIZE"))
    strategy = "ddp" if local * nodes > 1 else "auto"
    fabric = Fabric(accelerator=device.type, strategy=strategy, devices=local, num_nodes=nodes, precision=precision)
    fabric.launch()
    return fabric


def share(n: int) -> slice:
    """Which of the n rows of a batch are this process's own: all of them where it is alone."""
    several = torch.distributed.is_available() and torch.distributed.is_initialized()
    rank, world = (torch.distributed.get_rank(), torch.distributed.get_world_size()) if several else (0, 1)
    return slice(rank * n // world, (rank + 1) * n // world)


def _epoch(fabric, model, optimizer, loss_fn, batches, epoch: int, max_norm: float) -> dict[str, float]:
    """Means of the loss terms over the batches of one epoch of training."""
    model.train()
    sums: dict[str, Tensor] = {}
    n = 0
    for n, batch in enumerate(batches, 1):  # noqa: B007
        terms = loss_fn(model, fabric.to_device(batch), epoch)
        optimizer.zero_grad()
        fabric.backward(terms["loss"])
        fabric.clip_gradients(model, optimizer, max_norm=max_norm, error_if_nonfinite=False)
        optimizer.step()
        for name, term in terms.items():
            sums[name] = sums.get(name, 0) + term.detach()
    if n == 0:
        raise ValueError(f"train_batches gave no batch in epoch {epoch}: are there fewer rows than a batch holds?")
    means = {name: float(total) / n for name, total in sums.items()}
    if not np.isfinite(means["loss"]):
        raise ValueError(f"the loss of epoch {epoch} is {means['loss']} ({means}): look for values that are not finite")
    return means


def _best(history: list[dict], monitor: str | None) -> int:
    """The epoch whose weights count: the first of the highest, or the last where nothing is monitored."""
    return int(np.argmax([row[monitor] for row in history])) if monitor else len(history) - 1


def _weights_file(folder: Path, epoch: int) -> Path:
    return folder / f"epoch-{epoch:04d}.safetensors"


def _save(folder: Path, settings: dict, model, optimizer, schedule, history: list[dict]) -> None:
    """Weights first; the state's renaming makes the epoch count, and only then are older weights removed."""
    from safetensors.torch import save

    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    write_atomic(_weights_file(folder, len(history) - 1), save(tensors))
    buffer = io.BytesIO()
    state = {"optimizer": optimizer.state_dict(), "schedule": schedule.state_dict()}
    torch.save(state | {"settings": settings, "history": history}, buffer)
    write_atomic(folder / STATE, buffer.getvalue())
    kept = {_weights_file(folder, epoch) for epoch in (len(history) - 1, _best(history, settings["monitor"]))}
    for old in set(folder.glob("epoch-*.safetensors")) - kept:
        old.unlink()


def _resume(folder: Path, settings: dict, model, optimizer, schedule) -> list[dict]:
    """Put the last whole epoch back, if there is one, and return its history."""
    if not (folder / STATE).is_file():
        return []
    state = torch.load(folder / STATE, map_location="cpu", weights_only=True)
    if differ := [name for name in settings if state["settings"].get(name) != settings[name]]:
        was = ", ".join(f"{name} {state['settings'].get(name)} (now {settings[name]})" for name in differ)
        raise ValueError(f"{folder.name} holds a run with other settings: {was}; use another folder or remove it")
    last = _weights_file(folder, len(state["history"]) - 1)
    put_weights(model, read_weights(last), last.name)
    optimizer.load_state_dict(state["optimizer"])
    schedule.load_state_dict(state["schedule"])
    return state["history"]


def read_weights(path: Path) -> dict[str, Tensor]:
    """Tensors by name from a safetensors file, or from a torch file without executing anything it holds.

    Raises
    ------
    ValueError
        There is no such file, or it is no file of plain tensors by name.
    """
    from safetensors.torch import load_file

    if not path.is_file():
        raise ValueError(f"there is no weights file {path}: give the path of a .safetensors, .pt or .pth file")
    try:
        safe = path.suffix == ".safetensors"
        state = load_file(path) if safe else torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise ValueError(f"{path.name} cannot be read as a file of weights: {str(error).splitlines()[0]}") from None
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise ValueError(f"{path.name} does not hold tensors by name: save the model's state_dict() alone")
    return state


def put_weights(model: nn.Module, state: Mapping[str, Tensor], source: str) -> None:
    """Copy tensors into a model that has exactly these names and shapes.

    Raises
    ------
    ValueError
        They are another model's; the message names ``source`` and the first names that differ.
    """
    here = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    there = {name: tuple(tensor.shape) for name, tensor in state.items()}
    if here != there:
        lines = [f"{name}: {there.get(name, 'absent')} in the file, {here.get(name, 'absent')} in the model"
                 for name in [*here, *(there.keys() - here.keys())] if here.get(name) != there.get(name)]  # fmt: skip
        raise ValueError(f"{source} is of another model than {type(model).__name__}; {len(lines)} tensors differ, "
                         f"first {'; '.join(lines[:3])}")  # fmt: skip
    model.load_state_dict(state)
