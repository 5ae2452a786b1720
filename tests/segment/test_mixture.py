import pytest
import torch
from torch import nn
from torch.nn import functional

from osteolib.segment.mixture import MixtureUNet, hypothesis_weights, mixture_probability

torch.set_num_threads(1)


def model(**options):
    torch.manual_seed(0)
    return MixtureUNet(**{"n_classes": 3, "k": 2, "latent": 4, "width": 4} | options)


IMAGES = torch.rand(2, 1, 32, 48, generator=torch.Generator().manual_seed(1))


def test_a_hypothesis_is_the_printed_formula():
    """W_s z * (u + W_b z), then three 1x1 convolutions, written with maps and nn.functional.conv2d."""
    net = model().double()
    u = torch.randn(2, 4, 5, 6, dtype=torch.float64)
    torch.manual_seed(7)
    got = net.hypotheses(1, u, n_samples=3)
    torch.manual_seed(7)
    z = net.mu[1] + net.log_sigma[1].exp() * torch.randn(2, 3, 4)
    for image in range(2):
        for sample in range(3):
            scale, shift = net.scale.weight @ z[image, sample], net.shift.weight @ z[image, sample]
            x = (scale[:, None, None] * (u[image] + shift[:, None, None]))[None]
            for number, layer in enumerate(net.convolutions):
                x = functional.conv2d(x if number == 0 else x.relu(), layer.weight[:, :, None, None], layer.bias)
            torch.testing.assert_close(got[image, sample], x[0])


def test_shapes_weights_and_probabilities():
    logits, pi = model()(IMAGES, n_samples=3)
    assert logits.shape == (2, 2, 3, 3, 32, 48) and pi.shape == (2, 2)
    alpha = hypothesis_weights(pi, 3)
    torch.testing.assert_close(alpha.sum(1), torch.ones(2))
    torch.testing.assert_close(alpha[:, 3], pi[:, 1] / 3)  # module by module, as flatten(1, 2) orders the logits
    by_hand = sum(alpha[:, i, None, None, None] * logits.flatten(1, 2)[:, i].softmax(1) for i in range(6))
    torch.testing.assert_close(mixture_probability(logits, pi), by_hand)


def test_latents_are_the_only_noise_and_have_the_learned_mean_and_spread():
    net = model().eval()
    with torch.no_grad():
        net.log_sigma.fill_(-torch.inf)
        still, _ = net(IMAGES, 2)
        torch.testing.assert_close(still[:, :, 0], still[:, :, 1])
        net.log_sigma.fill_(0)
        moving, _ = net(IMAGES, 2)
        assert (moving[:, :, 0] - moving[:, :, 1]).abs().amax() > 1e-3


def test_one_decoder_without_latent_is_a_plain_network():
    net = model(k=1, latent=0).eval()
    assert not {"mu", "log_sigma", "scale.weight", "shift.weight"} & set(net.state_dict())
    logits, pi = net(IMAGES[:1])
    assert logits.shape == (1, 1, 1, 3, 32, 48) and pi.tolist() == [[1.0]]
    plain = nn.Conv2d(4, 3, 1)  # the last convolution of the head, as a convolution
    with torch.no_grad():
        features, states = [IMAGES[:1]], net.convolutions
        for level in net.encoder:
            features.append(level(features[-1]))
        u = net.decoders[0](features[1:])
        for layer in states[:2]:
            u = functional.conv2d(u, layer.weight[:, :, None, None], layer.bias).relu()
        plain.weight.copy_(states[2].weight[:, :, None, None])
        plain.bias.copy_(states[2].bias)
        torch.testing.assert_close(plain(u), logits[:, 0, 0], atol=1e-5, rtol=1e-5)


def test_routing_does_not_move_the_encoder():
    net = model()
    net(IMAGES)[1][:, 0].sum().backward()
    assert all(p.grad is None for p in net.encoder.parameters())
    assert all(p.grad is not None for p in net.routing.parameters())


def test_every_parameter_learns_from_a_batch_of_one():
    net = model()
    logits, pi = net(IMAGES[:1], 2)
    (logits.square().mean() + pi[:, 0].sum()).backward()
    silent = [name for name, p in net.named_parameters() if p.grad is None or not p.grad.isfinite().all()]
    assert not silent


def test_a_constant_image_gives_finite_hypotheses():
    logits, pi = model()(torch.full((2, 1, 32, 32), 0.5), 2)
    assert logits.isfinite().all() and pi.isfinite().all()


@pytest.mark.parametrize("shape", [(2, 32, 32), (2, 3, 32, 32), (1, 1, 40, 32), (1, 1, 16, 16)])
def test_shapes_that_do_not_fit_are_named(shape):
    with pytest.raises(ValueError, match="multiples of 16"):
        model()(torch.zeros(shape))


def test_several_samples_need_a_latent():
    with pytest.raises(ValueError, match="no more than 1 where latent is 0"):
        model(latent=0)(IMAGES, 2)
    with pytest.raises(ValueError, match="k >= 1"):
        MixtureUNet(k=0)
