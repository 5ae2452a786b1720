"""Encoders of vertebrae: three planes as channels (2.5-D), or the whole cube."""

from __future__ import annotations

from torch import nn
from torchvision import models
from torchvision.models import video
from torchvision.models.resnet import BasicBlock

from osteolib.ssl.vit import WIDTH, VisionTransformer

CT_FEATURES = {
    "resnet18-half": 256, "resnet34-half": 256, "resnet34": 512, "swin_t": 768, "vit-tiny": WIDTH, "resnet34-3d": 512,
    "swin_t-3d": 768,
}  # fmt: skip
"""Number of features by name; tpswav2025_ct has ResNet-34 (Tables 2 to 4), a ViT under its MAE (Tables 2 and 3) and
Swin-T (Table 5), printing neither the size of a patch nor whether the networks are 2-D or 3-D."""

PLANES = 3


def is_3d(name: str) -> bool:
    """Does this encoder take cubes (n, 1, depth, height, width), or planes (n, 3, height, width)?"""
    return name.endswith("-3d")


def build_ct_encoder(name: str) -> nn.Module:
    """A network with random weights to pooled features (n, ``CT_FEATURES[name]``); its input: :func:`is_3d`.

    Those called half have half the channels and a 3 x 3 stem of stride 2, for planes of 32 to 64 pixels.
    ``vit-tiny`` takes pictures whose sides are multiples of 8.

    Raises
    ------
    ValueError
        The name is unknown.
    """
    if name not in CT_FEATURES:
        raise ValueError(f"encoder must be one of {', '.join(CT_FEATURES)}, got {name!r}")
    if name == "swin_t":
        net = models.swin_t()
        net.head = nn.Identity()
    elif name == "swin_t-3d":
        net = video.swin3d_t()
        embed = net.patch_embed.proj
        net.patch_embed.proj = nn.Conv3d(1, embed.out_channels, embed.kernel_size, embed.stride)
        net.head = nn.Identity()
    elif name == "resnet34-3d":
        net = _resnet34_3d()
    elif name == "vit-tiny":
        net = VisionTransformer(PLANES)
    else:
        net = models.resnet34() if name.startswith("resnet34") else models.resnet18()
        if name.endswith("-half"):
            _halve(net, [3, 4, 6, 3] if name.startswith("resnet34") else [2, 2, 2, 2])
        net.fc = nn.Identity()
    return net


def _halve(net: models.ResNet, depths: list[int]) -> None:
    net.conv1, net.bn1, net.inplanes = nn.Conv2d(PLANES, 32, 3, 2, 1, bias=False), nn.BatchNorm2d(32), 32
    for number, depth in enumerate(depths, 1):
        setattr(net, f"layer{number}", net._make_layer(BasicBlock, 16 * 2**number, depth, 1 + (number > 1)))
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")  # as torchvision does


def _resnet34_3d() -> nn.Module:
    from torchvision.models.video import resnet as parts

    conv = [parts.Conv3DSimple] * 4
    net = video.VideoResNet(parts.BasicBlock, conv, [3, 4, 6, 3], parts.BasicStem)
    net.stem[0] = nn.Conv3d(1, 64, (3, 7, 7), stride=(1, 2, 2), padding=(1, 3, 3), bias=False)
    nn.init.kaiming_normal_(net.stem[0].weight, mode="fan_out", nonlinearity="relu")
    net.fc = nn.Identity()
    return net
