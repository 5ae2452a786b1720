"""A U-Net with several decoders: a distribution over segmentations instead of their average (lee2025_hand, Fig. 2).

Each of K decoder modules may stand for one way of drawing the bones, its Gaussian latent for what varies within that
way, and a routing network says how likely each way is for this image (Eqs. 1 and 2).
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

LEVELS = 5  # of resolution: at 128 px a bottom of 8 x 8, whose field of view tells one metacarpal from the next


class Decoder(nn.Module):
    """One module f_dec^(k): encoder features, finest first, to u_d of shape (n, width, height, width)."""

    def __init__(self, widths: list[int]) -> None:
        super().__init__()
        pairs = list(pairwise(widths))[::-1]
        self.up = nn.ModuleList(nn.ConvTranspose2d(coarse, fine, 2, stride=2) for fine, coarse in pairs)
        self.merge = nn.ModuleList(block(2 * fine, fine, 1) for fine, _ in pairs)

    def forward(self, features: list[Tensor]) -> Tensor:
        u = features[-1]
        for up, merge, skip in zip(self.up, self.merge, features[-2::-1], strict=True):
            u = merge(torch.cat([up(u), skip], 1))
        return u


class MixtureUNet(nn.Module):
    """Shared encoder, K decoder modules with a latent each, routing.

    Parameters
    ----------
    n_classes
        Background and the seven bones.
    k
        Decoder modules.
    latent
        Length L of the latent vectors. 0 leaves them out: with ``k=1`` that is the U-Net with a single decoder, the
        paper's comparison (Table 5), in the same code.
    width
        Channels at full resolution, doubled at each of the four coarser levels; F_2 of the paper.

    Notes
    -----
    W_s, W_b and the three 1x1 convolutions are printed without an index k, so all modules share them; mu_k and sigma_k
    are the module's own. The paper gives neither K, L and S nor a start value: mu_k starts as N(0, I) because a scale
    W_s z of mean zero would give every feature a random sign in each sample, and sigma_k at 0.5.
    """

    def __init__(self, n_classes: int = 8, k: int = 4, latent: int = 8, width: int = 16) -> None:
        super().__init__()
        if min(n_classes - 1, k, latent + 1, width) < 1:
            raise ValueError(
                f"at least 2 classes, k >= 1, latent >= 0 and width >= 1 are needed, got {n_classes}, {k}, {latent}, "
                f"{width}"
            )
        widths = [width * 2**level for level in range(LEVELS)]
        self.encoder = nn.ModuleList([block(1, width)])
        self.encoder.extend(nn.Sequential(nn.MaxPool2d(2), block(fine, 2 * fine)) for fine in widths[:-1])
        self.decoders = nn.ModuleList(Decoder(widths) for _ in range(k))
        self.latent = latent
        if latent:
            self.mu = nn.Parameter(1 + 0.1 * torch.randn(k, latent))
            self.log_sigma = nn.Parameter(torch.full((k,), 0.5).log())
            self.scale = nn.Linear(latent, width, bias=False)  # W_s
            self.shift = nn.Linear(latent, width, bias=False)  # W_b
            nn.init.normal_(self.scale.weight, 1 / latent, 0.5 / latent)
        self.convolutions = nn.ModuleList(nn.Linear(width, outputs) for outputs in (width, width, n_classes))  # 1x1
        for convolution in self.convolutions:
            nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
        self.routing = nn.Sequential(nn.Linear(widths[-1], width), nn.ReLU(), nn.Linear(width, k))

    def forward(self, images: Tensor, n_samples: int = 1) -> tuple[Tensor, Tensor]:
        """Draw hypotheses.

        Parameters
        ----------
        images
            Shape (n, 1, height, width), float32, both sides a multiple of 16 and at least 32.
        n_samples
            Latent draws S per module, from torch's global generator.

        Returns
        -------
        Logits of shape (n, k, n_samples, n_classes, height, width) and pi(x) of shape (n, k), which sums to 1.

        Raises
        ------
        ValueError
            The shape does not fit, or several samples are asked of a model without latents.
        """
        if images.ndim != 4 or images.shape[1] != 1 or any(side % 16 or side < 32 for side in images.shape[2:]):
            raise ValueError(
                f"images: shape (n, 1, height, width) with sides that are multiples of 16 from 32 on is needed, not "
                f"{tuple(images.shape)}: resize or pad them"
            )
        if n_samples < 1 or (n_samples > 1 and not self.latent):
            raise ValueError(f"n_samples is {n_samples}: at least 1, and no more than 1 where latent is 0")
        features = [images]
        for level in self.encoder:
            features.append(level(features[-1]))
        # alpha depends on theta_pi alone (Eqs. 6 and 7): the encoder is not moved for the sake of the routing
        pi = self.routing(features[-1].detach().mean((2, 3))).float().softmax(1)
        hypotheses = [self.hypotheses(module, decoder(features[1:]), n_samples)
                      for module, decoder in enumerate(self.decoders)]  # fmt: skip
        return torch.stack(hypotheses, 1), pi

    def hypotheses(self, module: int, u: Tensor, n_samples: int) -> Tensor:
        """Decoded features u (n, width, height, width) to logits (n, n_samples, n_classes, height, width).

        The first convolution A of ``W_s z * (u + W_b z)`` is a convolution of u itself, with weights A diag(W_s z) and
        bias A (W_s z * W_b z) + a: the modulated maps, one set a sample, are never written to memory.
        """
        first, second, third = self.convolutions
        v = u.permute(0, 2, 3, 1).flatten(1, 2)  # (n, pixels, width)
        if self.latent:
            noise = torch.randn(len(u), n_samples, self.latent, device=u.device)
            z = self.mu[module] + self.log_sigma[module].exp() * noise
            scale, shift = self.scale(z), self.shift(z)  # (n, n_samples, width)
            weight = (scale[..., None] * first.weight.T).transpose(1, 2).flatten(2)  # (n, width, n_samples * width)
            v = (v @ weight).unflatten(2, (n_samples, -1)) + first(scale * shift)[:, None]
        else:
            v = first(v)[:, :, None]
        v = third(second(v.relu()).relu())  # (n, pixels, n_samples, n_classes)
        return v.permute(0, 2, 3, 1).unflatten(3, u.shape[2:])


def block(inputs: int, outputs: int, times: int = 2) -> nn.Sequential:
    """3x3 convolution, batch normalisation, ReLU."""
    layers: list[nn.Module] = []
    for channels in (inputs, outputs)[:times]:
        convolution = nn.Conv2d(channels, outputs, 3, padding=1, bias=False)
        layers += [convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)


def hypothesis_weights(pi: Tensor, n_samples: int) -> Tensor:
    """alpha of Eq. 2, shape (n, k * n_samples): pi_k / S for each sample of module k."""
    return (pi / n_samples).repeat_interleave(n_samples, 1)


def mixture_probability(logits: Tensor, pi: Tensor) -> Tensor:
    """Mean class probability under Eq. 1, shape (n, n_classes, height, width)."""
    return torch.einsum("nk,nkschw->nchw", pi, logits.float().softmax(3)) / logits.shape[2]
