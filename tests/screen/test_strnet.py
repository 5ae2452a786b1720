import hashlib
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import save_file
from sklearn.metrics import roc_auc_score
from torch import nn
from torchvision import models

from osteolib.screen.strnet import (
    ClassWeights,
    Outputs,
    ReleasedRoute,
    STRNet,
    Targets,
    TextRoute,
    class_weights,
    encode_targets,
    gradient_reach,
    initialise,
    loss_terms,
    predict,
    start_sha256,
    strnet_loss,
)
from osteolib.screen.weights import pretrained_encoder, trained_encoder
from osteolib.train import ADAMW, fit

torch.set_num_threads(1)
NAN = torch.nan
IMAGES = torch.randn(6, 1, 32, 32, generator=torch.Generator().manual_seed(0))
TARGETS = encode_targets(["normal", "osteopenia", "osteoporosis"] * 2, [-0.5, -2.0, -3.0, np.nan, np.nan, np.nan])


def small(seed=0, **options):
    torch.manual_seed(seed)
    return STRNet("resnet18", **options)


@pytest.mark.parametrize(("tarr", "parameters"), [("released", 23_945_571), ("text", 23_830_691)])
def test_the_model_has_exactly_as_many_parameters_as_was_counted(tarr, parameters):
    """23.95 M in the paper; the released code's exact count, and that of the module which the text describes."""
    with torch.device("meta"):
        assert sum(p.numel() for p in STRNet("resnet50", tarr).parameters()) == parameters


def test_the_released_route_by_hand():
    route, h = ReleasedRoute(), torch.randn(5, 128)
    narrow, _, wide = route.adapter
    delta = torch.relu(h @ narrow.weight.T + narrow.bias) @ wide.weight.T + wide.bias
    gate = 1 / (1 + torch.exp(-(h @ route.gate.weight.T + route.gate.bias)))
    expected = (h + gate * delta) @ route.out.weight.T + route.out.bias
    torch.testing.assert_close(route(h), expected)
    assert narrow.weight.shape == (64, 128)


def test_the_route_of_the_text_by_hand():
    route, z = TextRoute().eval(), torch.randn(5, 128)
    route.scale.data.uniform_(0.5, 2)
    linear, norm = route.project[0], route.project[1]
    norm.running_mean.normal_()
    norm.running_var.uniform_(0.5, 2)
    before = ((route.scale * z) @ linear.weight.T + linear.bias - norm.running_mean) / (norm.running_var + 1e-5).sqrt()
    torch.testing.assert_close(route(z), before.clamp(min=0))


@pytest.mark.parametrize("options", [{"backbone": "vgg"}, {"tarr": "both"}, {"stop_gradient": "neck"}])
def test_an_unknown_variant_is_named(options):
    with pytest.raises(ValueError, match=f"{next(iter(options))} must be one of"):
        STRNet(**{"backbone": "resnet18"} | options)


# where gradients go


@pytest.mark.parametrize("tarr", ["released", "text"])
@pytest.mark.parametrize(
    ("stop", "further"),
    [
        ("adapter", set()),
        ("route", {"tarr.t_score"}),
        ("none", {"tarr.t_score", "tarr.shared", "neck", "backbone"}),
    ],
)
def test_the_t_score_s_gradient_reaches_exactly_these_parts(tarr, stop, further):
    """As text and code have it, its own modules alone: it cannot shape what the other tasks see."""
    table = gradient_reach(small(tarr=tarr, stop_gradient=stop), IMAGES, TARGETS, torch.randn(6, 3))
    own = {"image_adapter", "tabular_encoder", "fusion"}
    assert set(table.index[table.t_score > 0]) == own | (further & set(table.index))
    shared = {"backbone", "neck"} | ({"tarr.shared"} if tarr == "released" else set())
    assert set(table.index[table.screen > 0]) == shared | {"tarr.screen", "screen_head"}
    assert set(table.index[table.normal > 0]) == shared | {"tarr.screen", "screen_head"}
    assert set(table.index[table.severity > 0]) == shared | {"tarr.severity", "severity_head"}


def test_49600_parameters_of_the_released_model_learn_from_nothing(tmp_path):
    model = small()
    table = gradient_reach(model, IMAGES, TARGETS)
    idle = table[table.drop(columns="parameters").sum(axis=1) == 0]
    assert idle.parameters.to_dict() == {"tarr.t_score": 49_600}
    assert table.parameters.sum() == sum(p.numel() for p in model.parameters())
    assert model.training and all(p.grad is None for p in model.parameters())  # looked at, not touched


# losses


def outputs(*logits):
    return Outputs(*(torch.tensor(values, requires_grad=True) for values in logits))


def test_every_term_by_hand():
    """Logits 0 cost ln 2; severity sees two of four, T-score two of four: errors 0.5 (0.125) and 3 (2.5)."""
    targets = Targets(
        torch.tensor([0.0, 0.0, 1.0, 1.0]), torch.tensor([NAN, NAN, 0.0, 1.0]), torch.tensor([-1.0, NAN, NAN, 1.0])
    )
    out = outputs([0.0, -9.0, 0.0, 0.0], [50.0, -50.0, 0.0, np.log(3)], [-1.5, 7.0, 7.0, 4.0])
    terms = loss_terms(out, targets, ClassWeights(screen=3.0, severity=2.0))
    ln2 = np.log(2)
    assert terms["screen"].item() == pytest.approx((ln2 + np.log1p(np.exp(-9)) + 3 * ln2 + 3 * ln2) / 4)
    assert terms["severity"].item() == pytest.approx((ln2 + 2 * np.log(4 / 3)) / 2)
    assert terms["t_score"].item() == pytest.approx((0.125 + 2.5) / 2)
    assert terms["normal"].item() == pytest.approx(0.2**2 / 2)  # probabilities 0.5 and 0.0001 above 0.30


def test_masked_cases_have_no_say():
    """Whatever a normal bone's severity or an unmeasured T-score is predicted to be, loss and gradient are the same."""
    a = outputs([0.3] * 6, [0.1, 0.2, 0.3] * 2, [-1.0] * 6)
    b = outputs([0.3] * 6, [9.0, 0.2, 0.3] * 2, [-1.0] * 3 + [80.0] * 3)
    losses = [strnet_loss(out, TARGETS, epoch=9)["loss"] for out in (a, b)]
    for loss in losses:
        loss.backward()
    assert losses[0] == losses[1]
    assert all(torch.equal(x.grad, y.grad) and x.grad.isfinite().all() for x, y in zip(a, b, strict=True))
    assert a.severity.grad[[0, 3]].tolist() == [0, 0] and a.t_score.grad[3:].tolist() == [0, 0, 0]


def test_equation_1_with_warm_up_and_the_undeclared_term():
    out = outputs([0.5] * 6, [0.4] * 6, [0.0] * 6)
    t = loss_terms(out, TARGETS)
    first = t["screen"] + 0.3 * t["severity"]

    def loss(epoch, **options):
        return strnet_loss(out, TARGETS, epoch, **options)["loss"].item()

    assert loss(4) == loss(4, lambda_normal=0.1) == pytest.approx(first.item())
    assert loss(5) == pytest.approx((first + 0.1 * t["t_score"]).item())
    assert loss(5, lambda_normal=0.1) == pytest.approx((first + 0.1 * t["t_score"] + 0.1 * t["normal"]).item())
    assert t["normal"] > 0


def test_without_any_t_score_or_any_bone_loss_the_terms_are_zero_and_finite():
    out = outputs([0.5] * 2, [0.5] * 2, [0.5] * 2)
    result = strnet_loss(out, encode_targets(["normal", "normal"], [np.nan, np.nan]), epoch=9)
    assert result["t_score"] == result["severity"] == 0
    result["loss"].backward()
    assert all(x.grad.isfinite().all() for x in out)


def test_class_weights_of_table_1():
    """279 normal, 450 osteopenia, 391 osteoporosis: by balance .332 and 1.151; as released 1 and 1."""
    labels = ["normal"] * 279 + ["osteopenia"] * 450 + ["osteoporosis"] * 391
    targets = encode_targets(labels, [np.nan] * 1120)
    assert class_weights(targets) == pytest.approx((279 / 841, 450 / 391))
    assert class_weights(targets, "released") == (1.0, 1.0)
    few = encode_targets(labels[:300], [np.nan] * 300)
    with pytest.raises(ValueError, match=r"osteoporosis cannot be learned from one class: .* 0 with and 21 without"):
        class_weights(few)
    with pytest.raises(ValueError, match=r"bone loss cannot be learned from one class: .* 0 with and 279 without"):
        class_weights(Targets(*(t[:279] for t in targets)))
    with pytest.raises(ValueError, match="text or released"):
        class_weights(targets, "code")


def test_targets():
    t = encode_targets(pd.Series(["osteoporosis", "normal", "osteopenia"], index=[5, 6, 7]), [-3.0, None, -1.5])
    assert t.bone_loss.tolist() == [1, 0, 1]
    assert torch.equal(t.osteoporosis.nan_to_num(9), torch.tensor([1.0, 9.0, 0.0]))
    assert torch.equal(t.t_score.nan_to_num(9), torch.tensor([-3.0, 9.0, -1.5]))
    with pytest.raises(ValueError, match="drop these subjects"):
        encode_targets(["normal", None], [0, 0])


# covariates


def test_a_missing_covariate_is_the_training_mean():
    rows = torch.tensor([[50.0, 1.0, NAN], [70.0, 0.0, NAN], [NAN, 1.0, NAN]])
    model = small().eval()
    model.scale_covariates(rows)
    assert model.covariate_mean.tolist() == pytest.approx([60, 2 / 3, 0])
    assert model.covariate_sd.tolist() == pytest.approx([10, np.sqrt(2 / 9), 1])  # nobody has a BMI
    mean = torch.tensor([60.0, 2 / 3, 0.0]).expand(6, 3)
    t_mean, t_nan = model(IMAGES, mean).t_score, model(IMAGES, torch.full((6, 3), NAN)).t_score
    torch.testing.assert_close(t_nan, t_mean)
    assert torch.equal(t_nan, model(IMAGES).t_score)
    older = model(IMAGES, mean + torch.tensor([20.0, 0.0, 0.0]))
    assert (older.t_score != t_mean).all()
    assert torch.equal(older.screen, model(IMAGES).screen)  # age has no part in the screening answer
    model.scale_covariates(torch.tensor([[50.0, 1.0, 25.0]] * 3))
    assert model.covariate_sd.tolist() == [1, 1, 1]  # one value only


# initialisation


@pytest.fixture
def colour_backbone():
    torch.manual_seed(5)
    return models.resnet18().state_dict()


def holds(model, colour):
    own = model.backbone.state_dict()
    torch.testing.assert_close(own["conv1.weight"][:, 0], sum(colour["conv1.weight"].unbind(1)) / 3)
    return all(torch.equal(own[name], colour[name]) for name in own if name != "conv1.weight")


def test_a_backbone_for_colour_gets_the_mean_over_its_channels(tmp_path, colour_backbone):
    torch.save(colour_backbone, tmp_path / "backbone.pt")
    model = small()
    neck = model.neck[0].weight.clone()
    initialise(model, tmp_path / "backbone.pt")
    assert holds(model, colour_backbone) and torch.equal(model.neck[0].weight, neck)


def test_imagenet_comes_from_the_cache_or_not_at_all(tmp_path, monkeypatch, colour_backbone):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    model = small()
    before = model.backbone.conv1.weight.clone()
    with pytest.raises(ValueError, match=r"resnet18 are not in torch's cache: put resnet18-f37072fd.pth into .*'none'"):
        initialise(model, "imagenet")
    assert torch.equal(model.backbone.conv1.weight, before)
    (tmp_path / "checkpoints").mkdir()
    torch.save(colour_backbone, tmp_path / "checkpoints" / "resnet18-f37072fd.pth")
    initialise(model, "imagenet")
    assert holds(model, colour_backbone)


def test_the_installed_backbone_starts_from_imagenet_where_a_resnet_would_need_torch_s_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    with pytest.raises(ValueError, match="or take the backbone 'efficientnet_lite0', whose weights install"):
        initialise(small(), "imagenet")
    torch.manual_seed(0)
    model = STRNet("efficientnet_lite0")
    neck = model.neck[0].weight.clone()
    assert neck.shape == (128, 1280)
    initialise(model, "imagenet")
    own, colour = model.backbone.state_dict(), trained_encoder("efficientnet_lite0").state_dict()
    torch.testing.assert_close(own["conv_stem.weight"], colour["conv_stem.weight"].mean(1, keepdim=True))
    assert all(torch.equal(own[name], colour[name]) for name in colour if name != "conv_stem.weight")
    assert torch.equal(model.neck[0].weight, neck)
    assert model(IMAGES).severity.shape == (6,)
    save_file(model.state_dict(), tmp_path / "strnet.safetensors")
    again = STRNet("efficientnet_lite0")
    initialise(again, tmp_path / "strnet.safetensors")
    assert torch.equal(model.eval()(IMAGES).screen, again.eval()(IMAGES).screen)
    with pytest.raises(ValueError, match="is of another model than STRNet"):
        initialise(small(), tmp_path / "strnet.safetensors")


def test_another_file_under_the_same_path_is_another_start(tmp_path):
    path = tmp_path / "start.safetensors"
    path.write_bytes(b"one")
    first = start_sha256("resnet18", path)
    assert first == hashlib.sha256(b"one").hexdigest() and start_sha256("resnet18", "none") == ""
    path.write_bytes(b"two")
    assert start_sha256("resnet18", path) == hashlib.sha256(b"two").hexdigest() != first
    assert start_sha256("efficientnet_lite0", "imagenet") == pretrained_encoder("efficientnet_lite0").sha256
    with pytest.raises(ValueError, match=r"there is no weights file .*gone\.pt: give the path"):
        start_sha256("resnet18", tmp_path / "gone.pt")


def test_none_leaves_the_random_weights():
    model = small()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    initialise(model, "none")
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
    spread = before["backbone.conv1.weight"].std().item()
    assert spread == pytest.approx(np.sqrt(2 / (64 * 49)), rel=0.05)  # He et al. 2015, fan out


def test_a_whole_model_comes_back_and_another_one_is_refused(tmp_path, colour_backbone):
    model, other, text = small(1), small(2), small(tarr="text")
    save_file(model.state_dict(), tmp_path / "strnet.safetensors")
    initialise(other, tmp_path / "strnet.safetensors")
    assert torch.equal(model.eval()(IMAGES).screen, other.eval()(IMAGES).screen)
    with pytest.raises(
        ValueError, match=r"strnet.safetensors is of another model than STRNet; .* first tarr.screen.sc"
    ):
        initialise(text, tmp_path / "strnet.safetensors")
    del colour_backbone["layer4.1.bn2.weight"]
    torch.save(colour_backbone, tmp_path / "cut.pt")
    with pytest.raises(
        ValueError, match=r"cut.pt is of another model than ResNet; 1 tensors differ, first layer4.1.bn2"
    ):
        initialise(other, tmp_path / "cut.pt")
    with pytest.raises(ValueError, match=r"there is no weights file .*absent.pt"):
        initialise(other, tmp_path / "absent.pt")


# learning


def test_predictions_do_not_depend_on_the_batch():
    model = small().eval()
    covariates = torch.randn(6, 3)
    table = predict(model, IMAGES, covariates, batch_size=4)
    with torch.no_grad():
        out = model(IMAGES, covariates)
    expected = torch.stack([out.screen.sigmoid(), out.severity.sigmoid(), out.t_score], 1)
    assert list(table) == ["screen", "severity", "t_score"]
    np.testing.assert_allclose(table, expected, rtol=1e-4, atol=1e-6)


def test_it_finds_a_planted_signal(tmp_path):
    """One spot is bone loss, two are osteoporosis, no film is brighter than another: after a few epochs new films are
    ranked without a mistake and called right at 0.5, which before training they were not."""
    rng = np.random.default_rng(0)

    def films(n):
        grade = np.arange(n) % 3
        pixels = rng.normal(0, 1, (n, 1, 32, 32)).astype(np.float32)
        pixels[grade >= 1, :, 6:14, 6:14] += 3
        pixels[grade == 2, :, 18:26, 18:26] += 3
        pixels -= pixels.mean((1, 2, 3), keepdims=True)
        labels = np.array(["normal", "osteopenia", "osteoporosis"])[grade]
        return torch.from_numpy(pixels), encode_targets(labels, -1.0 - grade)

    (x, targets), (new, truth) = films(96), films(60)
    weights = class_weights(targets)

    def batches(epoch, generator):
        for rows in torch.randperm(96, generator=generator).split(16):
            yield x[rows], Targets(*(t[rows] for t in targets))

    def scores(model):
        lost = truth.bone_loss == 1
        table = predict(model, new)
        return {"screen": roc_auc_score(truth.bone_loss, table.screen),
                "severity": roc_auc_score(truth.osteoporosis[lost], table.severity[lost.numpy()]),
                "right": ((table.screen > 0.5) == lost.numpy()).mean()}  # fmt: skip

    def loss(model, batch, epoch):
        images, known = batch
        return strnet_loss(model(images), known, epoch, weights=weights, warmup_epochs=0)

    model = small()
    assert scores(model.eval())["right"] < 0.8
    faster = partial(ADAMW, lr=1e-3)
    history = fit(model, loss, batches, scores, folder=tmp_path, monitor="right", epochs=3, optimizer=faster).history
    after = scores(model)  # the best weights are in the model
    assert after["screen"] == 1.0 and after["right"] > 0.95 and after["severity"] > 0.95
    assert history.t_score.iloc[-1] < 0.75 * history.t_score.iloc[0]


def test_dropout_is_on_in_training_only():
    model = small()
    assert {m.p for m in model.modules() if isinstance(m, nn.Dropout)} == {0.3}
    model.eval()
    assert torch.equal(model(IMAGES).screen, model(IMAGES).screen)
