"""Encoders of one-channel bone images, and the heads that each method puts on them."""

from __future__ import annotations

from torch import nn
from torchvision import models
from torchvision.models.resnet import BasicBlock

FEATURES = {"resnet50": 2048, "resnet18": 512, "resnet18-half": 256}
# Widths after the encoder. `paper`: each method's own (arXiv:2002.05709 B.9, 2004.11362 Section 4, 2006.09882 A.1,
# 2105.04906 Section 4.2). Those with batch normalisation between their layers are in NORMALISED, as in released code.
HEADS = {
    "paper": {"simclr": (2048, 128), "supcon": (2048, 128), "swav": (2048, 128), "vicreg": (8192, 8192, 8192)},
    "small": {"simclr": (256, 64), "supcon": (256, 64), "swav": (256, 64), "vicreg": (512, 512)},
}
PROTOTYPES = {"paper": 3000, "small": 64}
NORMALISED = ("simclr", "swav", "vicreg")


def build_encoder(name: str) -> nn.Module:
    """A network with random weights from (n, 1, height, width) to pooled features (n, ``FEATURES[name]``).

    ``resnet18-half`` has half the channels of ResNet-18 and a 3 x 3 stem of stride 2: for views of 32 to 64 pixels.
    """
    net = getattr(models, name.removesuffix("-half"))(num_classes=1)
    net.fc = nn.Identity()
    net.conv1 = nn.Conv2d(1, 64, 7, stride=2, padding=3, bias=False)
    if name.endswith("-half"):
        net.conv1, net.bn1, net.inplanes = nn.Conv2d(1, 32, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(32), 32
        for number in range(1, 5):
            setattr(net, f"layer{number}", net._make_layer(BasicBlock, 16 * 2**number, 2, 1 + (number > 1)))
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")  # as torchvision does
    return net


def build_head(method: str, size: str, features: int) -> nn.Sequential:
    """The projection head of a method: linear layers of the widths in ``HEADS``, ReLU between them."""
    *hidden, last = HEADS[size][method]
    layers: list[nn.Module] = []
    for width in hidden:
        layers += [nn.Linear(features, width), nn.BatchNorm1d(width), nn.ReLU()]
        features = width
        if method not in NORMALISED:
            del layers[-2]
    return nn.Sequential(*layers, nn.Linear(features, last))
