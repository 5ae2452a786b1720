import numpy as np
import pytest
import torch

from osteolib.ssl.vit import PATCH, WIDTH, VisionTransformer, patches, positions

torch.set_num_threads(1)


def test_patches_are_the_squares_of_the_picture_row_by_row():
    images = torch.arange(2 * 3 * 16 * 24).float().reshape(2, 3, 16, 24)
    cut = patches(images)
    assert cut.shape == (2, 6, 3 * PATCH**2)
    torch.testing.assert_close(cut[1, 4], images[1, :, 8:16, 8:16].flatten())  # second row, second column


def test_a_size_that_does_not_divide_is_named():
    with pytest.raises(ValueError, match="pictures of 48 x 42 pixels do not divide into patches of 8"):
        patches(torch.zeros(1, 3, 48, 42))


def test_positions_are_sines_and_cosines_by_the_formula():
    found = positions(3, 5, 16).numpy()
    row, column, k = 2, 3, 1
    rate = 10_000 ** (-k / 4)
    expected = [np.sin(row * rate), np.cos(row * rate), np.sin(column * rate), np.cos(column * rate)]
    np.testing.assert_allclose(found[row * 5 + column, k::4], expected, rtol=1e-5)


def test_blocks_are_initialised_each_by_itself_and_any_size_goes_in():
    torch.manual_seed(0)
    net = VisionTransformer().eval()
    first, second = (block.linear1.weight for block in net.blocks.layers[:2])
    assert not torch.equal(first, second)
    assert net(torch.randn(2, 3, 48, 48)).shape == net(torch.randn(2, 3, 32, 64)).shape == (2, WIDTH)


def test_the_order_of_patches_counts_for_nothing_once_they_have_their_positions():
    torch.manual_seed(0)
    net = VisionTransformer().eval()
    tokens, order = net.tokens(torch.randn(2, 3, 32, 32)), torch.randperm(16)
    with torch.no_grad():
        torch.testing.assert_close(net.encode(tokens)[:, order], net.encode(tokens[:, order]), rtol=1e-4, atol=1e-5)
