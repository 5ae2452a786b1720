"""LARC: SGD whose every tensor takes steps in proportion to its own norm (You et al., arXiv:1708.03888, Eq. 6)."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor


class LARC(torch.optim.SGD):
    """SGD with momentum; the local rate trust * |w| / (|g| + decay * |w|) only ever lowers ``lr``.

    That is the clipping form of NVIDIA's apex, whose defaults these are: the hand papers name LARC and no constants. As
    there, a tensor whose weights or gradient are all zero takes the step of SGD.
    """

    def __init__(
        self, params: Iterable[Tensor], lr: float, momentum: float = 0.9, decay: float = 1e-6, trust: float = 0.02
    ) -> None:
        super().__init__(params, lr=lr, momentum=momentum)
        self.decay, self.trust = decay, trust

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for weight in group["params"]:
                if (grad := weight.grad) is not None:
                    w, g = weight.norm(), grad.norm()
                    local = self.trust * w / (g + self.decay * w + 1e-8) / group["lr"]
                    factor = torch.where((w > 0) & (g > 0), local.clamp(max=1), 1.0)
                    grad.add_(weight, alpha=self.decay).mul_(factor)
        return super().step(closure)
