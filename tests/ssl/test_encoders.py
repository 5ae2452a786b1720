import pytest
import torch
from torch import nn
from torchvision import models

from osteolib.ssl.encoders import FEATURES, HEADS, build_encoder, build_head


def count(module):
    return sum(p.numel() for p in module.parameters())


@pytest.mark.parametrize("name", ["resnet18", "resnet50"])
def test_whole_encoders_are_torchvision_s_without_classifier_and_two_input_channels(name):
    peer = getattr(models, name)()
    assert count(build_encoder(name)) == count(peer) - count(peer.fc) - 2 * 64 * 7 * 7


def test_the_half_encoder_is_half_as_wide_at_every_stage():
    half, whole = build_encoder("resnet18-half"), build_encoder("resnet18")
    shapes = [[tuple(p.shape) for p in net.layer4.parameters()] for net in (half, whole)]
    assert shapes[0] == [tuple(n // 2 if n > 3 else n for n in shape) for shape in shapes[1]]
    assert half.conv1.weight.shape == (32, 1, 3, 3) and half.conv1.stride == (2, 2)
    strides = [net.layer3[0].conv1.stride for net in (half, whole)] + [half.layer1[0].conv1.stride]
    assert strides == [(2, 2), (2, 2), (1, 1)]


@pytest.mark.parametrize("name", ["resnet18", "resnet18-half"])
def test_features_have_the_promised_width_and_a_scale_that_survives_the_depth(name):
    torch.manual_seed(0)
    features = build_encoder(name)(torch.rand(4, 1, 64, 64))
    assert features.shape == (4, FEATURES[name])
    assert 0.1 < features.std() < 10


@pytest.mark.parametrize("size", HEADS)
@pytest.mark.parametrize("method", ["simclr", "supcon", "swav", "vicreg"])
def test_heads_end_in_the_width_of_their_method(method, size):
    with torch.device("meta"):
        head = build_head(method, size, 256)
    widths = [layer.out_features for layer in head if isinstance(layer, nn.Linear)]
    assert tuple(widths) == HEADS[size][method]
    assert sum(isinstance(layer, nn.ReLU) for layer in head) == len(widths) - 1 and isinstance(head[-1], nn.Linear)
    normalised = sum(isinstance(layer, nn.BatchNorm1d) for layer in head)
    assert normalised == (0 if method == "supcon" else len(widths) - 1)
