import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from osteolib.segment.transport import (
    gamma_at,
    mean_cross_entropy,
    pair_cost,
    progress,
    transport_loss,
    transport_plan,
)  # fmt: skip

torch.set_num_threads(1)
pytestmark = pytest.mark.filterwarnings("ignore:invalid escape sequence")  # docstrings of POT, where it is compiled


def one_hot_logits(labels, n_classes, sure=50.0):
    """Logits (n, N, n_classes, height, width) of predictions without doubt."""
    return sure * torch.stack([torch.as_tensor(labels) == c for c in range(n_classes)], 2).float()


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 7), st.integers(1, 5), st.floats(0, 1), st.integers(0, 10_000))
def test_plan_costs_what_a_linear_program_says(n, m, share, seed):
    rng = np.random.default_rng(seed)
    cost, beta = rng.uniform(size=(n, m)), rng.dirichlet(np.ones(m))
    gamma = 1 / n + share * (1 - 1 / n)
    plan = transport_plan(cost, beta, gamma)
    assert plan.min() >= 0 and plan.sum(0) == pytest.approx(beta) and plan.sum(1).max() <= gamma + 1e-9
    program = linprog(cost.ravel(), A_ub=np.kron(np.eye(n), np.ones(m)), b_ub=np.full(n, gamma + 1e-12),
                      A_eq=np.tile(np.eye(m), n), b_eq=beta)  # fmt: skip
    assert (plan * cost).sum() == pytest.approx(program.fun, abs=1e-8)


def test_plans_by_hand():
    cost, beta = np.array([[0.1, 0.2], [0.5, 0.3], [0.9, 0.9]]), np.array([0.6, 0.4])
    np.testing.assert_allclose(
        transport_plan(cost, beta, 1), [[0.6, 0.4], [0, 0], [0, 0]], atol=1e-12
    )  # free: the best
    # half at most in row 0: the second annotation pays only 0.1 for row 1, the first 0.4
    np.testing.assert_allclose(transport_plan(cost, beta, 0.6), [[0.6, 0], [0, 0.4], [0, 0]], atol=1e-12)
    np.testing.assert_allclose(transport_plan(cost, beta, 1 / 3).sum(1), 1 / 3)  # the tightest bound: all take part
    bounded = transport_plan(cost, beta, [0.2, 0.3, 0.5])  # bounds that sum to 1 are Eq. 6
    np.testing.assert_allclose(bounded.sum(1), [0.2, 0.3, 0.5])


def test_with_one_annotation_the_plan_is_forced():
    """Whatever the annotator drew, all mass goes to the best row, or fills rows from the best on: nothing is learnt
    about annotators."""
    cost = np.array([[0.3], [0.1], [0.2]])
    np.testing.assert_allclose(transport_plan(cost, [1.0], 1), [[0], [1], [0]], atol=1e-12)
    np.testing.assert_allclose(transport_plan(cost, [1.0], 0.6), [[0], [0.6], [0.4]], atol=1e-12)
    np.testing.assert_allclose(transport_plan([[0.3]], [1.0], 1), [[1]])  # K = S = 1: no choice at all


@pytest.mark.parametrize(
    ("cost", "beta", "gamma", "message"),
    [
        (np.zeros((4, 2)), [0.5, 0.5], 0.2, "gamma must be at least 1/4"),
        (np.zeros((1, 2)), [0.5, 0.5], 0.9, "gamma must be at least 1/1"),
        (np.zeros((2, 2)), [0.5, 0.6], 1, "sum to 1"),
        (np.zeros((2, 2)), [1.5, -0.5], 1, "not be negative"),
        (np.full((2, 2), np.nan), [0.5, 0.5], 1, "finite"),
        (np.zeros((2, 3)), [0.5, 0.5], 1, "shapes"),
    ],
)
def test_infeasible_or_wrong_arguments_are_named(cost, beta, gamma, message):
    with pytest.raises(ValueError, match=message):
        transport_plan(cost, beta, gamma)


def test_pair_cost_by_hand():
    """Rows of 4 pixels, classes 0 to 2: (intersection + 1) / (union + 1) of classes 1 and 2."""
    predicted = torch.tensor([[[[1, 1, 0, 0]], [[0, 0, 0, 0]], [[2, 2, 1, 0]]]])
    annotated = torch.tensor([[[[1, 1, 2, 0]], [[0, 0, 0, 0]]]])
    expected = [
        [1 - (3 / 3 + 1 / 2) / 2, 1 - (1 / 3 + 1) / 2],  # class 2 missed; class 1 made up, class 2 absent from both
        [1 - (1 / 3 + 1 / 2) / 2, 0],  # empty against empty agrees
        [1 - (1 / 4 + 1 / 4) / 2, 1 - (1 / 2 + 1 / 3) / 2],
    ]
    got = pair_cost(one_hot_logits(predicted, 3), annotated)
    np.testing.assert_allclose(got[0].numpy(), expected, atol=1e-6)


def problem(n=2, k=2, s=2, m=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(n, k, s, 3, 4, 5, generator=generator, dtype=torch.float64)
    pi = torch.randn(n, k, generator=generator, dtype=torch.float64)
    labels = torch.randint(0, 3, (n, m, 4, 5), generator=generator)
    return logits.requires_grad_(), pi.requires_grad_(), labels, torch.full((n, m), 1 / m, dtype=torch.float64)


@pytest.mark.parametrize("gamma", [0.25, 0.4, 1.0])
def test_gradient_of_the_whole_loss_is_that_of_finite_differences(gamma):
    """The plan is a vertex of its polytope and stays so under small steps: taking it as a constant is exact."""
    logits, raw, labels, beta = problem()
    assert torch.autograd.gradcheck(
        lambda s, r: transport_loss(s, r.softmax(1), labels, beta, gamma, 0.7)["loss"], (logits, raw), atol=1e-6
    )


def test_loss_is_made_of_plan_and_cost_and_kl_has_the_gradient_of_cross_entropy():
    logits, raw, labels, beta = problem(n=1)
    terms = transport_loss(logits, raw.softmax(1), labels, beta, 0.5, 2.0)
    cost = pair_cost(logits.flatten(1, 2), labels).detach().numpy()[0]
    plan = transport_plan(cost, beta[0].numpy(), 0.5)
    assert terms["transport"].item() == pytest.approx((plan * cost).sum())
    assert terms["loss"].item() == pytest.approx(terms["transport"].item() + 2 * terms["routing"].item())
    target = torch.from_numpy(plan.sum(1))
    cross_entropy = -(target * (raw.softmax(1)[0] / 2).repeat_interleave(2).log()).sum()
    entropy = -torch.special.xlogy(target, target).sum()
    assert terms["routing"].item() == pytest.approx((cross_entropy - entropy).item())
    by_kl, by_ce = (torch.autograd.grad(loss, raw, retain_graph=True)[0] for loss in (terms["routing"], cross_entropy))
    torch.testing.assert_close(by_kl, by_ce)


def test_a_perfect_mixture_costs_nothing():
    """Two modules draw exactly the two annotators' maps, with their probabilities."""
    labels = torch.randint(0, 3, (1, 2, 6, 6), generator=torch.Generator().manual_seed(0))
    logits = one_hot_logits(labels.flip(1), 3)[:, :, None]
    terms = transport_loss(logits, torch.tensor([[0.3, 0.7]]), labels, torch.tensor([[0.7, 0.3]]))
    assert {name: round(term.item(), 5) for name, term in terms.items()} == {"loss": 0, "transport": 0, "routing": 0}


def test_a_module_that_the_routing_gives_up_has_a_finite_loss():
    logits, _, labels, beta = problem()
    assert transport_loss(logits, torch.tensor([[1.0, 0.0]] * 2), labels, beta, 0.25)["loss"].isfinite()


def test_gamma_rises_from_its_start_to_no_bound():
    assert [gamma_at(progress(epoch, 12), 0.2) for epoch in (0, 4, 6, 8, 11)] == pytest.approx([0.2, 0.2, 0.6, 1, 1])
    with pytest.raises(ValueError, match="gamma0"):
        gamma_at(0, 0)


def test_mean_cross_entropy_is_torch_s():
    logits, _, labels, beta = problem()
    pairs = [torch.nn.functional.cross_entropy(s[None].float(), y[None]) for i in range(2)
             for s in logits[i].flatten(0, 1) for y in labels[i]]  # fmt: skip
    assert mean_cross_entropy(logits, labels, beta).item() == pytest.approx(torch.stack(pairs).mean().item(), rel=1e-5)


def test_labels_that_do_not_fit_are_named():
    logits, pi, labels, beta = problem()
    with pytest.raises(ValueError, match="the class 9"):
        transport_loss(logits, pi.softmax(1), labels + 7, beta)
    with pytest.raises(ValueError, match="labels of shape"):
        transport_loss(logits, pi.softmax(1), labels[:, 0], beta)
