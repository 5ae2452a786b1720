import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from osteolib.segment.mixture import MixtureUNet
from osteolib.segment.overlap import distance, ged_squared
from osteolib.segment.training import (
    Annotated,
    Recipe,
    draw,
    load_mixture,
    phantom_annotations,
    to_film,
    to_network,
    train_mixture,
    trained_mixture,
)

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


def test_an_empty_drawing_and_the_single_decoder_are_trained_on(tmp_path):
    """An annotator who sees no bone, a batch of one, K = 1: finite; and one map is not asked for two draws."""
    data = bars(3)
    data.labels[0] = 0
    recipe = Recipe(k=1, n_samples=1, latent=0, width=4, epochs=1, batch=2)
    model, fitted = train_mixture(data, data, recipe, tmp_path)
    assert np.isfinite(fitted.history).all(axis=None)
    assert draw(model, data.images[:1]).pi.tolist() == [[1.0]]
    with pytest.raises(ValueError, match="no more than 1 where latent is 0"):
        draw(model, data.images, 2)


def test_one_annotation_of_each_image_is_taken():
    data = bars(4)
    part = data.take([3, 0], annotators=[1, 0])
    assert torch.equal(part.labels[:, 0], torch.stack([data.labels[3, 1], data.labels[0, 0]]))
    assert torch.equal(part.beta, torch.ones(2, 1)) and torch.equal(part.images, data.images[[3, 0]])
    assert data.take([3, 0]).labels.shape == (2, 2, 32, 32)


def test_a_stored_training_is_found_again_and_loaded(tmp_path, monkeypatch):
    monkeypatch.setattr("osteolib.runs.store.STORE", tmp_path)
    data, recipe = bars(4), Recipe(k=2, n_samples=1, width=4, epochs=2, batch=2)
    folder = trained_mixture(data, data, recipe)
    model, _ = train_mixture(data, data, recipe, tmp_path / "again")
    stored = load_mixture(folder, recipe)
    loaded, own = (draw(m, data.images).probability for m in (stored, model))
    np.testing.assert_allclose(loaded, own, atol=1e-5)  # the layout in memory differs, and so the order of sums
    assert trained_mixture(data, data, recipe) == folder
    assert trained_mixture(data.take([0, 1, 2]), data, recipe) != folder
    with pytest.raises(ValueError, match="is of another model"):
        load_mixture(folder, Recipe(k=3, width=4))


@pytest.mark.parametrize("shape", [(128, 96), (300, 211), (211, 300), (517, 64)])
def test_classes_come_back_to_the_film_as_by_plain_interpolation(shape):
    size = 64
    noise = gaussian_filter(np.random.default_rng(0).normal(size=(8, size, size)), (0, 2, 2))
    probability = torch.from_numpy(20 * noise).float().softmax(0)
    rows, columns = (round(side * size / max(shape)) for side in shape)
    plain = torch.nn.functional.interpolate(probability[None, :, :rows, :columns], shape, mode="bilinear")[0].argmax(0)
    labels = to_film(probability.numpy(), shape)
    assert len(np.unique(labels)) == 8 and np.mean(labels != plain.numpy()) < 1e-4  # ties by rounding


def test_a_film_is_reduced_padded_and_brought_back():
    """Halving 64 x 40: pixels are means of their blocks, labels stay labels, and a half plane comes back as it was."""
    film = np.zeros((64, 40), np.uint8)
    film[:, 20:] = 200
    small = to_network(film, 32)
    assert small.shape == (32, 32) and not small[:, 20:].any()
    assert small[:, :9].max() == 0 and small[:, 11:20].min() == 200
    labels = to_network((film // 200 * 5).astype(np.uint8), 32, labels=True)
    assert set(np.unique(labels)) == {0, 5} and (labels[:, 10:20] == 5).all()
    sure = np.stack([labels == c for c in range(8)]).astype(np.float32)
    np.testing.assert_array_equal(to_film(sure, film.shape), film // 200 * 5)
    with pytest.raises(ValueError, match="multiple of 16"):
        to_network(film, 100)


def test_phantom_films_are_drawn_by_all_annotators(tmp_path, monkeypatch):
    """At the network's size the truth lies between the tight and the loose drawing; weights are the annotators'."""
    from osteolib.cohorts import load_cohort
    from osteolib.phantoms.hand.truth import ANNOTATOR_WEIGHTS

    monkeypatch.setattr("osteolib.runs.store.STORE", tmp_path)
    cohort = load_cohort("hand-phantom", n_subjects=2, seed=1, size=320)
    data, again = (phantom_annotations(cohort, 64) for _ in range(2))
    assert data.images.shape == (2, 1, 64, 48) and data.labels.shape == (2, 4, 64, 48)
    assert torch.equal(data.labels, again.labels) and data.images.max() <= 1
    assert data.beta[0].tolist() == pytest.approx([*ANNOTATOR_WEIGHTS.values()])
    area = dict(zip(ANNOTATOR_WEIGHTS, (data.labels > 0).sum((0, 2, 3)).tolist(), strict=True))
    assert area["tight"] < area["smooth"] < area["loose"] and area["shafts"] < area["smooth"]
