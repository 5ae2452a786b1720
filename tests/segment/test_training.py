import numpy as np
import pytest
import torch

from osteolib.segment.mixture import MixtureUNet
from osteolib.segment.overlap import distance, ged_squared
from osteolib.segment.training import Annotated, Recipe, draw, train_mixture

torch.set_num_threads(1)
pytestmark = pytest.mark.filterwarnings("ignore:invalid escape sequence")  # docstrings of POT, where it is compiled


def bars(n=8, annotators=2):
    """Seven bright bars, one a class; an annotator (0.7) draws them as they are, another (0.3) half as long again."""
    rng = np.random.default_rng(0)
    images, labels = rng.normal(0.2, 0.03, (n, 1, 32, 32)).astype(np.float32), np.zeros((n, 2, 32, 32), np.uint8)
    for c in range(1, 8):
        columns = np.s_[4 * c - 2 : 4 * c + 1]
        images[:, 0, 8:24, columns] += 0.5
        labels[:, 0, 8:24, columns] = labels[:, 1, 4:28, columns] = c
    beta = torch.tensor([[0.7, 0.3]]) if annotators == 2 else torch.ones(1, 1)
    return Annotated(torch.from_numpy(images), torch.from_numpy(labels[:, :annotators]), beta.repeat(n, 1))


def test_two_annotators_and_their_weights_are_recovered(tmp_path):
    """Each of two modules becomes one way of drawing, used as often as its annotator; no single map comes as near."""
    data = bars()
    recipe = Recipe(k=2, n_samples=1, width=12, epochs=20, batch=2, lr=1e-2)
    model, fitted = train_mixture(data, data, recipe, tmp_path)
    drawn, labels, beta = draw(model, data.images), data.labels.numpy(), data.beta[0].double().numpy()
    apart = np.mean([distance(m, y) for m, y in zip(drawn.labels, labels, strict=True)], 0)
    nearest = apart.argmin(1)
    assert set(nearest) == {0, 1} and apart.min(1).max() < 0.1
    assert drawn.pi.mean(0)[nearest == 0][0] == pytest.approx(0.7, abs=0.1)
    always_the_first = np.mean([ged_squared(y[:1], [1.0], y, beta) for y in labels])
    assert fitted.history["ged"].min() < 0.5 * always_the_first


def test_draws_repeat_and_leave_the_generator_alone():
    model, images = MixtureUNet(k=2, latent=3, width=4), bars(3).images
    before = torch.random.get_rng_state()
    first, again, other = draw(model, images, 2), draw(model, images, 2), draw(model, images, 2, seed=1)
    assert torch.equal(before, torch.random.get_rng_state())
    np.testing.assert_array_equal(first.probability, again.probability)
    assert not np.array_equal(first.probability, other.probability)
    assert first.alpha.sum(1) == pytest.approx(1) and first.probability.sum(1) == pytest.approx(1, abs=1e-5)


def test_one_annotator_is_accepted_and_an_infeasible_gamma_named(tmp_path):
    data = bars(4, annotators=1)
    _, fitted = train_mixture(data, data, Recipe(k=2, n_samples=2, width=4, epochs=1, batch=1), tmp_path / "a")
    assert np.isfinite(fitted.history["loss"]).all()
    with pytest.raises(ValueError, match="gamma must be at least 1/4"):
        train_mixture(data, data, Recipe(k=2, n_samples=2, gamma0=0.2, width=4, epochs=1), tmp_path / "b")
