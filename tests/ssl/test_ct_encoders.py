import pytest
import torch

from osteolib.ssl.ct_encoders import CT_FEATURES, build_ct_encoder, is_3d

torch.set_num_threads(1)


@pytest.mark.parametrize("name", CT_FEATURES)
def test_every_encoder_gives_the_features_it_says(name):
    torch.manual_seed(0)
    net = build_ct_encoder(name).eval()
    x = torch.randn(2, 1, 8, 32, 32) if is_3d(name) else torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        out = net(x)
    assert out.shape == (2, CT_FEATURES[name]) and out.isfinite().all()


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("resnet34", 21_797_672 - 513_000),  # torchvision's printed number without its layer of 1,000 classes
        ("swin_t", 28_288_354 - 769_000),
        ("swin_t-3d", 28_158_070 - 769 * 400 - 2 * 96 * 32),  # and a first layer of one channel instead of three
    ],
)
def test_sizes_are_those_torchvision_prints(name, parameters):
    with torch.device("meta"):
        assert sum(p.numel() for p in build_ct_encoder(name).parameters()) == parameters


def test_an_unknown_encoder_is_named():
    with pytest.raises(ValueError, match=r"encoder must be one of resnet18-half, .*, got 'resnet50'"):
        build_ct_encoder("resnet50")
