import math
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from osteolib.ssl.losses import (
    SwAV,
    collapse_measures,
    collapsed_loss,
    mean_over_pairs,
    simclr,
    sinkhorn,
    supcon,
    vicreg,
)

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of other libraries, when they are imported
    from lightly.loss import NTXentLoss, SwaVLoss, VICRegLoss
    from lightly.loss.swav_loss import sinkhorn as lightly_sinkhorn
    from pytorch_metric_learning.losses import SupConLoss

torch.set_num_threads(1)
VIEWS, BATCH, DIM = 5, 8, 6
LABELS = torch.tensor([0, 1, torch.nan, 1, 0, 1, torch.nan, 0], dtype=torch.float64)


def embeddings(seed=0, views=VIEWS, batch=BATCH, dim=DIM):
    return torch.randn(views, batch, dim, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def by_pairs(loss, z):
    """The multi-crop sum of Appendix A written as it is printed, over its number of terms."""
    terms = [loss(z[v], z[i]) for i in (0, 1) for v in range(len(z)) if v != i]
    return torch.stack(terms).mean()


def same_value_and_gradient(ours, theirs, z):
    values, gradients = [], []
    for loss in (ours, theirs):
        leaf = z.clone().requires_grad_()
        values.append(loss(leaf))
        gradients.append(torch.autograd.grad(values[-1], leaf)[0])
    torch.testing.assert_close(*(value.detach() for value in values), rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(*gradients, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("views", [2, VIEWS])
def test_simclr_is_lightly_s_nt_xent_on_every_pair(views):
    peer = NTXentLoss(temperature=0.2)
    same_value_and_gradient(lambda z: simclr(z, 0.2), lambda z: by_pairs(peer, z), embeddings(views=views))


def test_supcon_is_that_of_pytorch_metric_learning_on_every_pair():
    numbered = torch.where(LABELS.isnan(), 10 + torch.arange(BATCH), LABELS)  # each of unknown class is its own
    peer = SupConLoss(temperature=0.3)

    def pair(a, b):
        return peer(torch.cat([a, b]), numbered.repeat(2))

    same_value_and_gradient(lambda z: supcon(z, LABELS, 0.3), lambda z: by_pairs(pair, z), embeddings(1))


def test_vicreg_is_lightly_s_on_every_pair():
    same_value_and_gradient(vicreg, lambda z: by_pairs(VICRegLoss(), z), 0.3 * embeddings(2) + 0.1)
    wide = embeddings(3, dim=40)  # more dimensions than samples, and far more samples than dimensions
    tall = embeddings(3, batch=40, dim=3)
    for z in (wide, tall):
        torch.testing.assert_close(vicreg(z), by_pairs(VICRegLoss(), z))


def test_codes_are_lightly_s():
    scores = functional.normalize(embeddings()[0]) @ functional.normalize(embeddings(5)[0]).T
    codes = sinkhorn(scores, 0.05, 3)
    torch.testing.assert_close(codes, lightly_sinkhorn(scores, 3, 0.05))
    torch.testing.assert_close(codes.sum(1), torch.ones(BATCH, dtype=torch.float64))


def test_many_iterations_use_every_prototype_equally():
    codes = sinkhorn(embeddings(batch=12, dim=4)[0], 0.5, 500)
    torch.testing.assert_close(codes.sum(0), torch.full((4,), 3.0, dtype=torch.float64))


def test_codes_do_not_overflow_at_any_temperature():
    codes = sinkhorn(torch.tensor([[1.0, 0.0], [0.0, 1.0]]), 1e-4)
    torch.testing.assert_close(codes, torch.eye(2))


def prototypes_of(swav, z):
    return functional.normalize(z, dim=2) @ functional.normalize(swav.prototypes.weight).T


def test_swav_is_lightly_s():
    swav = SwAV(DIM, 7).double()

    def peer(z):
        scores = prototypes_of(swav, z)
        return SwaVLoss()(list(scores[:2]), list(scores[2:]))[0]

    same_value_and_gradient(swav, peer, embeddings())


def test_the_queue_joins_the_codes_once_it_is_full_and_never_the_predictions():
    swav, first, second, third = SwAV(DIM, 7, queue=2 * BATCH).double(), embeddings(), embeddings(1), embeddings(2)
    for z in (first, second):
        scores = prototypes_of(swav, z)
        torch.testing.assert_close(swav(z), SwaVLoss()(list(scores[:2]), list(scores[2:]))[0])
    known = functional.normalize(torch.cat([second, first], 1), dim=2)
    torch.testing.assert_close(swav.queue, known[:2])
    scores, queued = prototypes_of(swav, third), prototypes_of(swav, known)
    torch.testing.assert_close(swav(third), SwaVLoss()(list(scores[:2]), list(scores[2:]), list(queued[:2]))[0])
    held = swav.queue.clone()
    swav.eval()(first)
    assert torch.equal(swav.queue, held)


def test_prototypes_have_length_one():
    swav = SwAV(DIM, 7).double()
    swav(embeddings())
    torch.testing.assert_close(swav.prototypes.weight.norm(dim=1).detach(), torch.ones(7, dtype=torch.float64))


def test_pairs_by_hand():
    """Two targets, three views: (1,2), (1,3), (2,1), (2,3) of a table whose other cells are never counted."""
    assert mean_over_pairs(torch.tensor([[1000.0, 1, 2], [3, 1000, 6]])) == 3


def test_contrast_by_hand():
    """Two samples at right angles, seen twice alike, T = 1: one positive at e, two negatives at 1 for each anchor."""
    z = torch.eye(2)[None].expand(2, 2, 2)
    assert simclr(z, 1.0).item() == pytest.approx(math.log(math.e + 2) - 1)
    both_of_one_class = supcon(z, torch.zeros(2), 1.0)  # the mean similarity to three positives is 1/3
    assert both_of_one_class.item() == pytest.approx(math.log(math.e + 2) - 1 / 3)


def test_vicreg_by_hand():
    """Samples -1 and 1 against -3 and 3, one dimension: distance 4, no hinge above SD 1, nothing off the diagonal."""
    z = torch.tensor([[[-1.0], [1.0]], [[-3.0], [3.0]]])
    assert vicreg(z).item() == pytest.approx(25 * 4)
    twice = z.repeat(1, 1, 2)  # covariances 2 and 18, each counted twice over two dimensions
    assert vicreg(twice).item() == pytest.approx(25 * 4 + 2**2 + 18**2)


def test_unknown_classes_alone_make_supcon_simclr():
    z = embeddings()
    assert torch.equal(supcon(z, torch.full((BATCH,), torch.nan)), simclr(z))


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 10**6))
def test_neither_order_of_samples_nor_of_local_views_matters(seed):
    generator = np.random.default_rng(seed)
    z, samples = embeddings(seed), generator.permutation(BATCH)
    views = [*generator.permutation(2), *(2 + generator.permutation(VIEWS - 2))]
    swav = SwAV(DIM, 7).double()
    mixed = z[views][:, samples]
    for loss in (simclr, vicreg, swav):
        torch.testing.assert_close(loss(mixed), loss(z))
    torch.testing.assert_close(supcon(mixed, LABELS[samples]), supcon(z, LABELS))


@pytest.mark.parametrize("method", ["simclr", "supcon", "swav", "vicreg"])
def test_collapsed_embeddings_have_the_loss_that_is_plotted_and_a_finite_gradient(method):
    """Sinkhorn's codes of one point are uniform; so are the predictions of a point that no prototype is nearer to."""
    z = torch.ones(VIEWS, BATCH, DIM).requires_grad_()
    swav = SwAV(DIM, 7)
    swav.prototypes.weight.data = torch.ones(7, DIM)
    losses = {"simclr": simclr, "supcon": lambda z: supcon(z, LABELS), "swav": swav, "vicreg": vicreg}
    loss = losses[method](z)
    assert loss.item() == pytest.approx(collapsed_loss(method, BATCH, 7), rel=1e-5)
    loss.backward()
    assert z.grad.isfinite().all()


def test_measures_of_a_point_and_of_an_even_spread():
    point = collapse_measures(torch.ones(10, 4))
    assert point["embedding_sd"].item() == pytest.approx(0, abs=1e-6)
    assert point["effective_rank"].item() == pytest.approx(1, abs=1e-3)
    assert collapse_measures(torch.zeros(10, 4))["effective_rank"] == 1
    spread = collapse_measures(torch.cat([torch.eye(4), -torch.eye(4)]).repeat(100, 1))
    assert spread["effective_rank"].item() == pytest.approx(4)
    assert spread["embedding_sd"].item() == pytest.approx(1, abs=2e-3)
    unequal = collapse_measures(torch.tensor([[1.0, 0]] * 9 + [[0, 1.0]]))  # singular values 3 and 1
    assert unequal["effective_rank"].item() == pytest.approx(0.75**-0.75 * 0.25**-0.25)


@pytest.mark.parametrize("shape", [(VIEWS, 1, DIM), (1, BATCH, DIM), (BATCH, DIM)])
def test_what_cannot_be_compared_is_refused(shape):
    for loss in (simclr, vicreg, SwAV(DIM, 7)):
        with pytest.raises(ValueError, match="a batch of one has nothing to differ from"):
            loss(torch.rand(shape))
