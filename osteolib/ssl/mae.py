"""A masked autoencoder (arXiv:2111.06377): most of a picture is hidden, and a network paints it in."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from osteolib.ssl.vit import HEADS, PATCH, VisionTransformer, patches, positions, transformer_blocks

HIDDEN = 0.75
"""Share of the patches that is hidden (their Section 4.1)."""


class MaskedAutoencoder(nn.Module):
    """Encoder of the visible patches, and a light decoder that sees a mark where one is hidden.

    Targets are grey values. The paper that this follows also divides each patch by its own mean and SD and finds that
    better on photographs (its Table 1d); on CT the mean of a patch is a density.

    Parameters
    ----------
    encoder
        What stays after pre-training.
    mean, sd
        Of the grey values, as the encoder takes them: the unit of the targets.
    width, depth
        Of the decoder.
    """

    def __init__(
        self, encoder: VisionTransformer, mean: float = 0.0, sd: float = 1.0, width: int = 64, depth: int = 2
    ) -> None:
        super().__init__()
        self.encoder, self.mean, self.sd = encoder, mean, sd
        self.narrow = nn.Linear(encoder.embed.out_features, width)
        self.mark = nn.Parameter(torch.zeros(width))
        nn.init.normal_(self.mark, std=0.02)
        self.blocks = transformer_blocks(width, depth, HEADS)
        self.paint = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, encoder.embed.in_features))

    def forward(self, images: Tensor, order: Tensor) -> tuple[Tensor, Tensor]:
        """Loss and features of what was visible.

        Parameters
        ----------
        images
            Shape (n, channels, height, width).
        order
            Shape (n, patches): the patches of each picture in a random order, of which the first quarter is visible.

        Returns
        -------
        Mean squared error over the hidden patches; the mean of the encoded visible patches, (n, features).
        """
        known, (rows, columns) = visible(order.shape[1]), (side // PATCH for side in images.shape[-2:])
        tokens = self.encoder.encode(pick(self.encoder.tokens(images), order[:, :known]))
        seen = self.narrow(tokens)
        marks = self.mark.to(seen).expand(len(seen), order.shape[1] - known, -1)
        whole = pick(torch.cat([seen, marks], 1), order.argsort(1))
        painted = self.paint(self.blocks(whole + positions(rows, columns, whole.shape[2]).to(whole)))
        missed = (painted - (patches(images) - self.mean) / self.sd).float().square().mean(2)
        return pick(missed[:, :, None], order[:, known:]).mean(), tokens.mean(1)


def visible(n_patches: int) -> int:
    """How many patches the encoder sees: a quarter, at least one."""
    return max(1, round((1 - HIDDEN) * n_patches))


def pick(tokens: Tensor, which: Tensor) -> Tensor:
    """Tokens (n, all, width) at the places (n, some) of each picture: (n, some, width)."""
    return tokens.gather(1, which[:, :, None].expand(-1, -1, tokens.shape[2]))
