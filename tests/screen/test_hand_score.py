"""From a file to a score, with a segmenter that knows the truth and an encoder simple enough to follow by hand."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torch.nn import functional

from osteolib.phantoms.dicom import write_dicom
from osteolib.phantoms.hand.shapes import BONES
from osteolib.radiograph import Radiograph, RadiographError
from osteolib.screen.bone_probe import Probe
from osteolib.screen.hand_score import score_film, segment
from osteolib.segment.bones import bone_images, cortical_percentage
from osteolib.segment.mixture import MixtureUNet
from osteolib.segment.training import to_network

torch.set_num_threads(1)
SIZES = {"network_size": 128, "bone_size": 48, "view_size": 8, "n_samples": 1}
RNG = np.random.default_rng(0)
ENCODER = nn.Sequential(nn.Flatten(), nn.Linear(64, 5))
PROBE = Probe(RNG.normal(size=5), RNG.uniform(0.5, 2, 5), torch.randn(2, 5, generator=torch.Generator().manual_seed(1)),
              torch.tensor([0.1, -0.3]))  # fmt: skip


class Known(nn.Module):
    """A segmenter that sees the truth: label maps of films, at the network's size."""

    def __init__(self, labels):
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(30.0))
        self.labels = torch.from_numpy(to_network(labels, SIZES["network_size"], labels=True)).long()

    def forward(self, images, n_samples):
        assert images.shape[2:] == self.labels.shape and images.max() <= 1
        logits = self.scale * functional.one_hot(self.labels, 8).permute(2, 0, 1).float()
        return logits[None, None, None], torch.ones(1, 1)


def hand(height=900, width=700):
    """Seven upright tubes, wall half as thick as the radius; the forearm's two run off the lower edge."""
    labels, film = np.zeros((height, width), np.uint8), np.full((height, width), 40.0)
    x = np.arange(width)
    for number, (rows, middle, radius) in enumerate(
        [((640, height), 220, 30), ((630, height), 360, 40), *(((150, 480), 110 * n + 80, 30) for n in range(5))], 1
    ):
        across = np.abs(x - middle) / radius
        depth = np.sqrt(np.clip(1 - across**2, 0, None)) - np.sqrt(np.clip(0.25 - across**2, 0, None))
        labels[slice(*rows)][:, across < 1] = number
        film[slice(*rows)] += 200 * depth * (1 + 0.04 * number)
    return np.clip(film + np.random.default_rng(1).normal(0, 2, film.shape), 0, 255).round().astype(np.uint8), labels


@pytest.fixture
def saved(tmp_path):
    pixels, labels = hand()
    Image.fromarray(pixels).save(tmp_path / "hand.png")
    write_dicom(pixels, 0.1, tmp_path / "hand.dcm", "left", "HAND", "PA")
    return tmp_path, pixels, labels


def score(pixels, labels):
    film = pixels if not isinstance(pixels, np.ndarray) else Radiograph(pixels)
    return score_film(film, Known(labels), ENCODER, PROBE, **SIZES)


def test_a_film_is_scored_as_step_by_step(saved):
    folder, pixels, labels = saved
    scored = score(folder / "hand.png", labels)
    found = segment(pixels / np.float32(255), Known(labels), 128, 1)
    assert tuple(scored.per_bone) == BONES and scored.n_bones == 7 and not scored.missing
    for name, image in bone_images(pixels / 255, found, 48).images.items():
        seen = torch.from_numpy(np.rint(255 * image.clip(0, 1)))[None, None] / 255
        seen = functional.interpolate(seen, (8, 8), mode="bilinear", antialias=True)
        x = (ENCODER(seen).detach().numpy()[0] - PROBE.mean) / PROBE.sd
        healthy, ill = PROBE.weight.numpy() @ x + PROBE.bias.numpy()
        assert scored.per_bone[name] == pytest.approx(1 / (1 + np.exp(healthy - ill)), abs=2e-3)
    assert scored.score == pytest.approx(np.mean(list(scored.per_bone.values())))


def test_png_and_dicom_give_one_score_and_dicom_knows_millimetres(saved):
    folder, pixels, labels = saved
    png, dicom = score(folder / "hand.png", labels), score(folder / "hand.dcm", labels)
    assert png.per_bone == dicom.per_bone and png.cortex.percentage == pytest.approx(dicom.cortex.percentage, abs=5e-3)
    assert (png.cortex.unit, dicom.cortex.unit) == ("px", "mm")
    assert dicom.cortex.percentage == pytest.approx(0.5, abs=0.06)
    assert dicom.cortex.outer_width == pytest.approx(6.0, rel=0.15)  # a network pixel is 0.7 mm
    film = (pixels.astype(np.uint16) * 257) // 16  # 12 bits: scaled by its own largest value
    assert score(film, labels).score == pytest.approx(png.score, abs=0.05)


def test_the_cortex_is_that_of_the_second_metacarpal_on_the_whole_film():
    pixels, labels = hand()
    islands = labels.copy()
    islands[820:880, 600:660] = 4
    found = segment(pixels / np.float32(255), Known(labels), 128, 1)
    whole = cortical_percentage(pixels / np.float32(255), found == 4)
    for seen in (labels, islands):
        assert score(pixels, seen).cortex.percentage == pytest.approx(whole.percentage, abs=1e-6)


@pytest.mark.parametrize("k", [1, 3])
def test_the_mixture_itself_can_segment(k):
    pixels, _ = hand(256, 200)
    labels = segment(pixels / np.float32(255), MixtureUNet(k=k, latent=0, width=2), 64, 1)
    assert labels.shape == pixels.shape and labels.dtype == np.uint8 and labels.max() < 8


def test_a_cut_off_wrist_and_a_single_bone_are_scored_with_what_is_there():
    pixels, labels = hand()
    whole = score(pixels, labels)
    cut = score(pixels[:600], labels[:600])
    assert cut.missing == dict.fromkeys(("ulna", "radius"), "absent from the label map") and cut.n_bones == 5
    assert cut.score == pytest.approx(np.mean(list(cut.per_bone.values())))
    one = score(pixels, labels * (labels == 3))
    assert one.n_bones == 1 and one.score == one.per_bone["M1"] == pytest.approx(whole.per_bone["M1"], abs=1e-3)
    assert one.cortex.reason == "M2: absent from the label map" and np.isnan(one.cortex.percentage)


def test_no_hand_is_refused_by_the_name_of_the_file(tmp_path):
    pixels, labels = hand()
    Image.fromarray(np.full_like(pixels, 90)).save(tmp_path / "blank.png")
    with pytest.raises(ValueError, match=r"^blank\.png: every pixel is equal"):
        score(tmp_path / "blank.png", labels)
    with pytest.raises(ValueError, match=r"^the film: no bone .*ulna: absent .*M5: absent.* give a film of one hand"):
        score(np.full_like(pixels, 90), np.zeros_like(labels))
    with pytest.raises(ValueError, match=r"^the film: .*radius: the image is constant in all of it"):
        score(np.full_like(pixels, 90), labels)
    with pytest.raises(ValueError, match=r"^the film: .*M2: 100% of the image"):
        score(pixels, np.full_like(labels, 4))
    with pytest.raises(RadiographError, match=r"none\.png: cannot be opened"):
        score(tmp_path / "none.png", labels)


def test_two_hands_on_one_film_are_suspected():
    pixels, labels = (np.concatenate([side, side[:, ::-1]], 1) for side in hand())
    with pytest.raises(ValueError, match=r"M1: in 2 pieces, the largest with 50% of it; two hands\?"):
        score(pixels, labels)
    pixels, labels = hand()
    labels[300:340][labels[300:340] == 5] = 0  # a ring on one bone is no second hand
    assert score(pixels, labels).missing == {"M3": "in 2 pieces, the largest with 52% of it"}
