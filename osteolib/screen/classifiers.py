"""Networks from one-channel bone images to two classes, trained as a whole."""

from __future__ import annotations

from torch import nn
from torchvision.models.vgg import cfgs, make_layers

from osteolib.ssl.encoders import FEATURES, build_encoder

VGG = {"vgg16": 1, "vgg16-quarter": 4}
"""By what the widths of VGG16 are divided."""


def build_classifier(name: str) -> nn.Sequential:
    """A network with random weights from (n, 1, height, width) to logits (n, 2).

    ``name`` is a key of :data:`VGG` or of ``FEATURES``. The VGG16 is the one with batch normalisation, and averages its
    last maps where the original has two layers of 4,096: of images of 96 pixels too little is left for those.

    Raises
    ------
    ValueError
        There is no such network.
    """
    if name not in VGG | FEATURES:
        raise ValueError(f"no network {name!r}: there are {', '.join(VGG | FEATURES)}")
    if name in FEATURES:
        return nn.Sequential(build_encoder(name), nn.Linear(FEATURES[name], 2))
    widths = [step if step == "M" else step // VGG[name] for step in cfgs["D"]]
    layers = make_layers(widths, batch_norm=True)
    layers[0] = nn.Conv2d(1, widths[0], 3, padding=1)
    for module in layers:
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")  # as torchvision does
            nn.init.zeros_(module.bias)
    return nn.Sequential(layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(widths[-2], 2))
