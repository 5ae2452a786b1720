"""The loss of the mixture U-Net: transport between what is predicted and what was annotated (lee2025_hand, Eqs. 2-9).

The inner problem (Eqs. 8 and 9) is linear and solved exactly; its plan is a constant for the outer one (Eq. 7), which
moves the segmentations to the annotations they were matched with, and the routing to the mass they were given.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor
from torch.nn import functional

from osteolib.segment.mixture import hypothesis_weights

PIXEL = 1.0  # see pair_cost


def pair_cost(logits: Tensor, labels: Tensor) -> Tensor:
    """C_ij = 1 - soft IoU, the inner distance of the generalized energy distance, between hypotheses and annotations.

    Soft IoU of a class is sum(p y) / sum(p + y - p y), with one pixel added above and below; the mean is over the
    foreground classes. A class absent from the annotation so counts 1 where nothing of it is predicted and falls
    towards 0 with every predicted pixel: it is not left out, and a bone made up is punished.

    Parameters
    ----------
    logits
        Shape (n, N, n_classes, height, width), class 0 the background.
    labels
        Shape (n, M, height, width), integers below n_classes.

    Returns
    -------
    Shape (n, N, M), in [0, 1], differentiable in ``logits``.
    """
    n_classes = logits.shape[2]
    if labels.ndim != 4 or labels.shape[::2] != logits.shape[:4:3] or labels.shape[3] != logits.shape[4]:
        raise ValueError(f"labels of shape (n, M, height, width) are needed for logits of shape {tuple(logits.shape)}, "
                         f"not {tuple(labels.shape)}")  # fmt: skip
    if int(labels.max()) >= n_classes:
        raise ValueError(f"labels hold the class {int(labels.max())}: the model knows 0 to {n_classes - 1}")
    with torch.autocast(logits.device.type, enabled=False):  # sums over all pixels: not in bf16
        p = (
            (logits if logits.dtype == torch.float64 else logits.float())
            .softmax(2)[:, :, 1:]
            .flatten(3)
            .transpose(1, 2)
        )
        y = torch.stack([labels == c for c in range(1, n_classes)], 1).flatten(3).to(p.dtype)
        both = p @ y.transpose(2, 3)  # (n, class, N, M)
        either = p.sum(3)[..., None] + y.sum(3)[:, :, None] - both
        return 1 - ((both + PIXEL) / (either + PIXEL)).mean(1)


def transport_plan(cost: ArrayLike, beta: ArrayLike, row_bound: float | ArrayLike) -> NDArray[np.float64]:
    """The cheapest T >= 0 with T 1 <= row_bound and T' 1 = beta (Eqs. 8 and 9), exact.

    What the rows may hold beyond 1 goes to a slack column of cost 0, which makes it an ordinary transport problem for
    POT's network simplex. With row bounds that sum to 1 nothing is left over: Eq. 6.

    Parameters
    ----------
    cost
        Shape (N, M), finite.
    beta
        Shape (M,), not negative, sum 1: the annotations' probabilities.
    row_bound
        gamma, or one bound per row, shape (N,).

    Raises
    ------
    ValueError
        The bounds sum to less than 1 (N gamma < 1: infeasible), or an argument is not as above.
    """
    import ot

    cost, beta = np.asarray(cost, float), np.asarray(beta, float)
    if cost.ndim != 2 or cost.shape[1:] != beta.shape or not np.isfinite(cost).all():
        raise ValueError(f"cost (N, M) must be finite and beta (M,), got shapes {cost.shape} and {beta.shape}")
    if beta.min() < 0 or abs(beta.sum() - 1) > 1e-6:
        raise ValueError(f"beta must not be negative and sum to 1, got {beta}: divide the weights by their sum")
    rows = np.broadcast_to(np.asarray(row_bound, float), len(cost))
    slack = rows.sum() - 1
    if rows.min() < 0 or slack < -1e-6:
        raise ValueError(
            f"{len(cost)} hypotheses may hold {rows.sum():.4g} in all, but the annotations weigh 1: gamma must be at "
            f"least 1/{len(cost)}, or more modules or samples are needed"
        )
    columns = np.append(beta / beta.sum(), max(slack, 0))
    plan = ot.emd(rows / rows.sum(), columns / columns.sum(), np.pad(cost, ((0, 0), (0, 1))))
    return plan[:, :-1] * columns.sum()


def progress(epoch: int, epochs: int) -> float:
    """0 in the first third of the epochs, linear to 1 in the second, 1 in the last."""
    return min(1.0, max(0.0, 3 * epoch / epochs - 1))


def gamma_at(progress: float, gamma0: float) -> float:
    """The row bound, linear from gamma0 to 1, which is no bound at all."""
    if not 0 < gamma0 <= 1:
        raise ValueError(f"gamma0 must be in (0, 1], got {gamma0}")
    return gamma0 + (1 - gamma0) * progress


def mean_cross_entropy(logits: Tensor, labels: Tensor, beta: Tensor) -> Tensor:
    """Pixel cross-entropy of every hypothesis with every annotation, mean over hypotheses, weighted by beta; a scalar.

    Not in the paper: the soft IoU of a class that no pixel predicts has hardly a gradient, and classes that are dead in
    the first steps stay so. Training starts with this term and lets it fade while gamma rises to 1.
    """
    log_p = logits.float().flatten(1, 2).log_softmax(2).mean(1)
    losses = [functional.nll_loss(log_p, annotation.long(), reduction="none").mean((1, 2))
              for annotation in labels.unbind(1)]  # fmt: skip
    return (torch.stack(losses, 1) * beta).sum(1).mean()


def transport_loss(
    logits: Tensor, pi: Tensor, labels: Tensor, beta: Tensor, gamma: float = 1.0, weight: float = 1.0
) -> dict[str, Tensor]:
    """Eq. 7, mean over the images: sum_ij T*_ij C_ij + weight KL(sum_j T*_ij || alpha_i).

    The formula has KL, the text calls the term a cross-entropy. They differ by the entropy of the plan's rows, which
    is constant here, so the gradient is the same; KL is what is computed, since it is 0 where the routing is right.

    Parameters
    ----------
    logits, pi
        What :class:`osteolib.segment.mixture.MixtureUNet` returns.
    labels, beta
        Annotations (n, M, height, width) and their probabilities (n, M). With M = 1 the plan no longer depends on the
        annotators: all mass goes to the best hypothesis (at gamma = 1), and nothing asks for a second mode.
    gamma
        Row bound, from 1/(K S) to 1.
    weight
        lambda.

    Returns
    -------
    ``loss`` and its two terms, ``transport`` and ``routing``; scalars.
    """
    cost = pair_cost(logits.flatten(1, 2), labels)
    pairs = zip(cost.detach().cpu().double().numpy(), beta.cpu().double().numpy(), strict=True)
    plan = torch.from_numpy(np.stack([transport_plan(c, b, gamma) for c, b in pairs])).to(cost)
    log_alpha = hypothesis_weights(pi, logits.shape[2]).clamp_min(torch.finfo(torch.float32).tiny).log()
    transport = (plan * cost).sum((1, 2)).mean()
    routing = functional.kl_div(log_alpha, plan.sum(2).to(log_alpha), reduction="batchmean")
    return {"loss": transport + weight * routing, "transport": transport, "routing": routing}
