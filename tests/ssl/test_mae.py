import numpy as np
import pytest
import torch

from osteolib.ssl.mae import MaskedAutoencoder, pick, visible
from osteolib.ssl.vit import VisionTransformer, patches

torch.set_num_threads(1)


@pytest.fixture
def net():
    torch.manual_seed(0)
    return MaskedAutoencoder(VisionTransformer(width=16, depth=1, heads=4), mean=0.2, sd=0.5).eval()


def drawn(n, places, seed=0):
    return torch.rand(n, places, generator=torch.Generator().manual_seed(seed)).argsort(1)


def test_a_quarter_is_visible():
    assert [visible(n) for n in (1, 4, 16, 36, 64)] == [1, 1, 4, 9, 16]


def test_what_is_hidden_reaches_the_loss_alone_and_what_is_visible_the_features(net):
    """Hidden pixels change no feature; painted alike, the loss of visible patches counts for nothing."""
    images, order = torch.randn(2, 3, 32, 32), drawn(2, 16)
    known = pick(patches(images), order[:, :4])
    other = torch.randn(2, 16, 192)
    other.scatter_(1, order[:, :4, None].expand(-1, -1, 192), known)
    fold = other.reshape(2, 4, 4, 3, 8, 8).permute(0, 3, 1, 4, 2, 5).reshape(2, 3, 32, 32)
    with torch.no_grad():
        (loss, features), (changed, same) = net(images, order), net(fold, order)
    torch.testing.assert_close(features, same)
    assert loss != changed


def test_the_loss_is_the_mean_square_over_hidden_patches_by_hand(net):
    """With a painter that always answers 0 every hidden pixel is missed by what it is, in units of the SD."""
    torch.nn.init.zeros_(net.paint[1].weight)
    torch.nn.init.zeros_(net.paint[1].bias)
    images, order = torch.randn(3, 3, 24, 24), drawn(3, 9)
    with torch.no_grad():
        loss, _ = net(images, order)
    cut = patches(images).numpy()
    missed = [((cut[n, p] - 0.2) / 0.5) ** 2 for n in range(3) for p in order[n, visible(9) :].tolist()]
    np.testing.assert_allclose(float(loss), np.mean(missed), rtol=1e-5)


def test_the_order_among_visible_and_among_hidden_patches_counts_for_nothing(net):
    images, order = torch.randn(1, 3, 32, 32), drawn(1, 16)
    mixed = torch.cat([order[:, :4].flip(1), order[:, 4:].flip(1)], 1)
    with torch.no_grad():
        torch.testing.assert_close(net(images, order)[0], net(images, mixed)[0], rtol=1e-4, atol=1e-5)
