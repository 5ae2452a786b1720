"""A small vision transformer (arXiv:2010.11929) for planes of a vertebra, whose patches can be left out.

Positions are sines and cosines, fixed, as the masked autoencoder has them (arXiv:2111.06377, Section A.1), so that one
network takes pictures of any size; features are the mean over patches, which stands beside a class token there.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

PATCH = 8
WIDTH, DEPTH, HEADS = 128, 6, 4


class VisionTransformer(nn.Module):
    """From planes (n, channels, height, width), sides multiples of ``PATCH``, to features (n, ``WIDTH``)."""

    def __init__(self, channels: int = 3, width: int = WIDTH, depth: int = DEPTH, heads: int = HEADS) -> None:
        super().__init__()
        self.embed = nn.Linear(channels * PATCH**2, width)
        self.blocks = transformer_blocks(width, depth, heads)
        self.norm = nn.LayerNorm(width)

    def tokens(self, images: Tensor) -> Tensor:
        """Patches with their positions, (n, patches, width), in the order of :func:`patches`."""
        rows, columns = (side // PATCH for side in images.shape[-2:])
        return self.embed(patches(images)) + positions(rows, columns, self.embed.out_features).to(images)

    def encode(self, tokens: Tensor) -> Tensor:
        """Tokens (n, any number, width) as the blocks and the last normalisation leave them."""
        return self.norm(self.blocks(tokens))

    def forward(self, images: Tensor) -> Tensor:
        return self.encode(self.tokens(images)).mean(1)


def transformer_blocks(width: int, depth: int, heads: int) -> nn.TransformerEncoder:
    """Blocks that normalise first, with hidden layers four times as wide, and no dropout."""
    block = nn.TransformerEncoderLayer(width, heads, 4 * width, 0.0, "gelu", batch_first=True, norm_first=True)
    blocks = nn.TransformerEncoder(block, depth, enable_nested_tensor=False)
    for weight in blocks.parameters():  # the layers of nn.TransformerEncoder are copies of one
        if weight.ndim > 1:
            nn.init.xavier_uniform_(weight)
    return blocks


def patches(images: Tensor) -> Tensor:
    """(n, channels, height, width) as (n, patches, channels * ``PATCH``²): row by row, channels first within each.

    Raises
    ------
    ValueError
        A side is no multiple of ``PATCH``.
    """
    n, channels, height, width = images.shape
    if height % PATCH or width % PATCH:
        raise ValueError(f"pictures of {height} x {width} pixels do not divide into patches of {PATCH}: choose a size "
                         f"that is a multiple of {PATCH}")  # fmt: skip
    cut = images.reshape(n, channels, height // PATCH, PATCH, width // PATCH, PATCH)
    return cut.permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(1, 2)


def positions(rows: int, columns: int, width: int) -> Tensor:
    """Sines and cosines of row and column at frequencies from 1 down to 1/10,000: (rows * columns, width), float32.

    ``width`` is a multiple of 4; a quarter each for sine and cosine of the row, then of the column.
    """
    rate = 10_000 ** (-torch.arange(width // 4) / (width // 4))
    y, x = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
    angles = [place.reshape(-1, 1) * rate for place in (y, x)]
    return torch.cat([wave(angle) for angle in angles for wave in (torch.sin, torch.cos)], 1)
