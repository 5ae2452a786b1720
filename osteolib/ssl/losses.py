"""Four self-supervised losses under one multi-crop sum, and measures of collapse.

Every loss takes embeddings z of shape (views, batch, dim), the two global views first, and returns the mean of
l(z_v, z_i) over the targets i in {1, 2} and all views v != i: the sum of lee2023_hand, Appendix A, over its
2 (V + 1) terms, so that a loss means the same whatever the number V of local views. The constants are those of each
method's own paper: neither hand paper prints any.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, distributed, nn
from torch.nn import functional

METHODS = ("simclr", "supcon", "swav", "vicreg")
VARIANCE_FLOOR = 1e-4


def mean_over_pairs(pairs: Tensor) -> Tensor:
    """Mean of l(z_v, z_i) over v != i; ``pairs``, of shape (2, views), holds target i in row i."""
    return (pairs.sum() - pairs.diagonal().sum()) / (2 * (pairs.shape[1] - 1))


def simclr(z: Tensor, temperature: float = 0.1) -> Tensor:
    """NT-Xent (arXiv:2002.05709, Eq. 1): a sample is recognised among the 2 ``batch`` - 1 others of two views."""
    return supcon(z, z.new_full(z.shape[1:2], torch.nan), temperature)


def supcon(z: Tensor, labels: Tensor, temperature: float = 0.1) -> Tensor:
    """Supervised contrast (arXiv:2004.11362, Eq. 2): all samples of the same class count as positives.

    Parameters
    ----------
    z
        Shape (views, batch, dim), any length.
    labels
        Shape (batch,), NaN where the class is not shown: such a sample has its own other view as its only positive, as
        in SimCLR, and is a negative of all others.

    Raises
    ------
    ValueError
        Fewer than two views or two samples.
    """
    check_embeddings(z)
    views, batch, _ = z.shape
    own = torch.eye(batch, dtype=torch.bool, device=z.device)
    same = own | (labels[:, None] == labels)  # NaN equals nothing
    z = functional.normalize(z, dim=2)
    s = torch.einsum("vbd,wcd->vwbc", z, z) / temperature
    itself = torch.eye(views, dtype=torch.bool, device=z.device)[:, :, None, None] & own
    log_sum = s.masked_fill(itself, -torch.inf).logsumexp(3)
    agreement = (s * (same & ~itself)).sum(3)
    within = range(views)
    # Anchor b of view v, contrasted with view v without itself and with view w: both (views, views, batch).
    denominator = torch.logaddexp(log_sum[within, within][:, None], log_sum)
    agreement = agreement[within, within][:, None] + agreement
    anchors = (denominator - agreement / (2 * same.sum(1) - 1)).mean(2)
    return mean_over_pairs((anchors + anchors.T)[:2] / 2)


@torch.no_grad()
def sinkhorn(scores: Tensor, epsilon: float = 0.05, iterations: int = 3) -> Tensor:
    """Soft codes (samples, prototypes) that use all prototypes equally (arXiv:2006.09882, Eqs. 3 and 5); rows sum to 1.

    In logarithms, so that no temperature overflows.
    """
    log_codes = scores / epsilon
    for _ in range(iterations):
        log_codes = log_codes - log_codes.logsumexp(0)
        log_codes = log_codes - log_codes.logsumexp(1, keepdim=True)
    return log_codes.exp()


class SwAV(nn.Module):
    """Swapped prediction (arXiv:2006.09882): the codes of a global view are predicted from every other view.

    Parameters
    ----------
    queue
        Embeddings of earlier batches that join each global view's codes once so many are there; 0 for none. It helps
        where a batch is smaller than the number of prototypes (their Section 4.1).
    epsilon
        Of the codes; one that is too high ends with every sample in every prototype alike (their Section 3.1).
    """

    def __init__(
        self, dim: int, prototypes: int, queue: int = 0, temperature: float = 0.1, epsilon: float = 0.05
    ) -> None:
        super().__init__()
        self.prototypes = nn.Linear(dim, prototypes, bias=False)
        self.register_buffer("queue", torch.zeros(2, queue, dim))
        self.temperature, self.epsilon = temperature, epsilon

    def forward(self, z: Tensor) -> Tensor:
        """Mean cross-entropy of the swapped predictions; ln(prototypes) when they carry nothing."""
        check_embeddings(z)
        if self.training:
            with torch.no_grad():
                self.prototypes.weight.copy_(functional.normalize(self.prototypes.weight))
        z = functional.normalize(z, dim=2)
        scores = self.prototypes(z)
        codes = torch.stack([sinkhorn(known, self.epsilon)[: z.shape[1]] for known in self._with_queue(z, scores)])
        log_p = functional.log_softmax(scores / self.temperature, dim=2)
        return mean_over_pairs(-torch.einsum("ibk,vbk->iv", codes, log_p) / z.shape[1])

    @torch.no_grad()
    def _with_queue(self, z: Tensor, scores: Tensor) -> Tensor:
        length = self.queue.shape[1]
        if length and self.queue[:, -1].any():  # the oldest place is taken: the queue is full
            scores = torch.cat([scores[:2], self.prototypes(self.queue)], 1)
        if self.training:
            self.queue = torch.cat([z[:2].detach(), self.queue], 1)[:, :length]
        return scores[:2]


def vicreg(z: Tensor, invariance: float = 25, variance: float = 25, covariance: float = 1) -> Tensor:
    """Variance, invariance, covariance (arXiv:2105.04906, Eqs. 1 to 6), as its released code weighs them.

    The code averages the squared distance over dimensions and halves the variance term; the text does neither.
    """
    check_embeddings(z)
    n, dim = z.shape[1:]
    distance = (z[:2, None] - z).square().mean((2, 3))
    centred = z - z.mean(1, keepdim=True)
    var = centred.square().sum(1) / (n - 1)
    hinge = functional.relu(1 - (var + VARIANCE_FLOOR).sqrt()).mean(1)
    gram = centred @ centred.mT / (n - 1)  # of the batch: as many squares as dim x dim has, and far smaller in `paper`
    off_diagonal = (gram.square().sum((1, 2)) - var.square().sum(1)) / dim

    def both(term: Tensor) -> Tensor:
        return term[:2, None] + term

    return mean_over_pairs(invariance * distance + variance * both(hinge) / 2 + covariance * both(off_diagonal))


def check_embeddings(z: Tensor) -> None:
    if z.ndim != 3 or min(z.shape[:2]) < 2:
        raise ValueError(
            f"embeddings of shape {tuple(z.shape)}: (views, batch, dim) is needed with two views and two samples or "
            "more; a batch of one has nothing to differ from"
        )


def collapsed_loss(method: str, batch: int, prototypes: int) -> float:
    """The loss when every embedding is the same and, for SwAV, tells no prototype from another."""
    if method == "swav":
        return math.log(prototypes)
    return 25 * (1 - math.sqrt(VARIANCE_FLOOR)) if method == "vicreg" else math.log(2 * batch - 1)


@torch.no_grad()
def collapse_measures(z: Tensor) -> dict[str, Tensor]:
    """How far embeddings (batch, dim) are from all being one.

    ``embedding_sd`` is the SD of unit-length embeddings times the root of ``dim``: 0 for a point, near 1 when spread
    evenly (arXiv:2011.10566, Section 4.1). ``effective_rank`` is the exponential of the entropy of their singular
    values, 1 to min(batch, dim) (arXiv:2210.02885, Eqs. 1 and 2).
    """
    unit = functional.normalize(z, dim=1).nan_to_num()  # a diverged loss says so itself
    singular = torch.linalg.svdvals(unit)
    share = singular / singular.sum().clamp(min=torch.finfo(z.dtype).tiny)
    return {
        "embedding_sd": unit.std(0).mean() * z.shape[1] ** 0.5,
        "effective_rank": torch.special.entr(share).sum().exp(),
    }


def gathered(z: Tensor) -> Tensor:
    """The batch (dimension 1) of all processes, so that each computes the loss of the whole.

    Gradients flow into the own part, times the number of processes, which the mean that DDP takes divides out again.
    """
    world = distributed.get_world_size() if distributed.is_initialized() else 1
    if world == 1:
        return z
    fixed = z.detach().contiguous()
    parts = [torch.empty_like(fixed) for _ in range(world)]
    distributed.all_gather(parts, fixed)
    parts[distributed.get_rank()] = fixed + world * (z - fixed)
    return torch.cat(parts, 1)
