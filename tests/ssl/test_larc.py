import copy

import pytest
import torch
from torch import nn

from osteolib.ssl.larc import LARC


def one_step(weight, gradient, **options):
    weight = torch.tensor(weight, requires_grad=True)
    weight.grad = torch.tensor(gradient)
    LARC([weight], **options).step()
    return weight.detach()


def test_a_step_by_hand():
    """|w| = 5, |g| = 10, trust 0.02: the local rate 0.01 is below lr 0.1, so w - 0.01 g."""
    torch.testing.assert_close(one_step([3.0, 4.0], [6.0, 8.0], lr=0.1, decay=0), torch.tensor([2.94, 3.92]))


def test_decay_is_part_of_the_gradient_and_of_its_norm():
    """Decay 2 adds 2 w = (6, 8): local rate 0.02 * 5 / (10 + 10), so w - 0.005 (12, 16)."""
    torch.testing.assert_close(one_step([3.0, 4.0], [6.0, 8.0], lr=0.1, decay=2), torch.tensor([2.94, 3.92]))


@pytest.mark.parametrize(("weight", "gradient"), [([3.0, 4.0], [0.006, 0.008]), ([0.0, 0.0], [6.0, 8.0])])
def test_a_small_gradient_and_a_tensor_of_zeros_take_the_step_of_sgd(weight, gradient):
    expected = torch.tensor(weight) - 0.1 * torch.tensor(gradient)
    torch.testing.assert_close(one_step(weight, gradient, lr=0.1, decay=0), expected)


def test_with_endless_trust_it_is_sgd():
    torch.manual_seed(0)
    ours = nn.Linear(4, 3)
    theirs = copy.deepcopy(ours)
    optimizers = [LARC(ours.parameters(), 0.1, decay=0.3, trust=1e9),
                  torch.optim.SGD(theirs.parameters(), 0.1, momentum=0.9, weight_decay=0.3)]  # fmt: skip
    for _ in range(4):
        x = torch.randn(5, 4)
        for model, optimizer in zip((ours, theirs), optimizers, strict=True):
            optimizer.zero_grad()
            model(x).square().sum().backward()
            optimizer.step()
    torch.testing.assert_close(ours.weight, theirs.weight)
    torch.testing.assert_close(ours.bias, theirs.bias)


def test_the_size_of_the_loss_does_not_matter_where_trust_decides():
    """Only lr caps it: gradients a thousand times larger give the same step."""
    steps = [one_step([3.0, 4.0], [scale * 1.0, scale * 2.0], lr=0.1, decay=0) for scale in (100, 100_000)]
    torch.testing.assert_close(*steps)
