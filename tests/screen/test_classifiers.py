import pytest
import torch
from torchvision.models import vgg16_bn

from osteolib.screen.classifiers import build_classifier
from osteolib.ssl.encoders import build_encoder


def weights(network):
    return sum(p.numel() for p in network.parameters())


def test_the_whole_vgg16_is_torchvisions_for_one_channel_without_the_two_large_layers():
    ours, theirs = build_classifier("vgg16"), vgg16_bn(num_classes=2).features
    assert weights(ours[0]) == weights(theirs) - 64 * 2 * 9
    assert weights(ours[3]) == 2 * 512 + 2


@pytest.mark.parametrize("name", ["vgg16-quarter", "resnet18-half"])
@pytest.mark.parametrize("size", [48, 96])
def test_images_of_any_size_become_two_logits(name, size):
    assert build_classifier(name)(torch.rand(2, 1, size, size)).shape == (2, 2)


def test_a_quarter_has_a_quarter_of_the_channels_everywhere():
    narrow, wide = (
        [m.out_channels for m in build_classifier(n)[0] if hasattr(m, "out_channels")]
        for n in ("vgg16-quarter", "vgg16")
    )
    assert [4 * n for n in narrow] == wide and len(wide) == 13


def test_an_encoder_is_the_one_that_is_pre_trained():
    torch.manual_seed(0)
    first = build_classifier("resnet18-half")[0].state_dict()
    torch.manual_seed(0)
    torch.testing.assert_close(first, build_encoder("resnet18-half").state_dict())


def test_an_unknown_network_is_named():
    with pytest.raises(ValueError, match="no network 'vgg19': there are vgg16, vgg16-quarter, resnet50"):
        build_classifier("vgg19")
