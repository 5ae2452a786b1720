import numpy as np
import pandas as pd
import pytest
import torch

from osteolib.runs import store
from osteolib.screen import knee_parts, knee_parts_cells
from osteolib.screen.knee_folds import Recipe, train_once
from osteolib.screen.knee_parts import OTHERS, RELEASED, STAGES, Variant, build, has_head, train_variant, variants
from osteolib.screen.strnet import STRNet, Targets, gradient_reach, strnet_loss

RECIPE = Recipe("resnet18", image_size=32, epochs=2, batch_size=8)


@pytest.fixture(autouse=True)
def own_store(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "STORE", tmp_path / "store")


@pytest.fixture
def given():
    """Two knees a person, labels in turn."""
    number = np.arange(36) // 2
    label = np.array(["normal", "osteopenia", "osteoporosis"])[number % 3]
    subjects = pd.DataFrame({"unit_id": [f"p{k}" for k in range(36)], "subject_id": [f"s{n}" for n in number],
                             "label": label, "t_score": np.array([0.0, -2.0, -3.0])[number % 3],
                             "age_years": 50.0 + number, "sex": "F", "bmi_kg_m2": 25.0})  # fmt: skip
    images = np.random.default_rng(0).integers(0, 256, (36, 32, 32), dtype=np.uint8)
    parts = {"test": number % 6 < 3, "validation": (number >= 12) & (number % 6 >= 3)}
    return subjects, images, parts | {"train": ~(parts["test"] | parts["validation"])}


def n_parameters(model):
    return sum(p.numel() for p in model.parameters())


def test_each_stage_adds_exactly_its_part():
    """Hand count: neck 512 x 128 + 128 less the head's 384; head 129; adapter, table and fusion; TARR."""
    torch.manual_seed(0)
    counts = [n_parameters(build(Variant(stage), RECIPE)) for stage in STAGES]
    neck, head = 512 * 128 + 128, 128 + 1
    branch = (128 * 64 + 64) + (3 * 32 + 32 + 32 * 32 + 32) + (96 * 64 + 64 + 64 + 1)
    tarr = n_parameters(STRNet("resnet18").tarr)
    assert np.diff(counts).tolist() == [neck + head - (512 + 1), head, branch, tarr]
    assert counts[-1] == n_parameters(STRNet("resnet18"))


def test_b4_is_the_network_of_the_other_chapters_bit_for_bit(given):
    subjects, images, parts = given
    ours = train_variant(subjects, images, parts, RECIPE, Variant(), {"cohort": "abc"})
    theirs = train_once(subjects, images, parts, RECIPE, {"cohort": "abc"})
    for table in ("scores", "history"):
        pd.testing.assert_frame_equal(*(pd.read_parquet(at / f"{table}.parquet") for at in (ours, theirs)))


def test_networks_of_one_seed_share_the_numbers_of_the_parts_they_share():
    def made(stage):
        torch.manual_seed(5)
        return dict(build(Variant(stage), RECIPE).named_parameters())

    whole = made("B4")
    for stage in STAGES[1:]:
        assert all(torch.equal(p, whole[name]) for name, p in made(stage).items())
    assert all(torch.equal(p, whole[name]) for name, p in made("B0").items() if name.startswith("backbone"))


def test_a_head_that_is_not_there_answers_nothing_and_costs_nothing():
    torch.manual_seed(0)
    images = torch.randn(6, 1, 32, 32)
    targets = Targets(*torch.tensor([[0, 1, 1, 0, 1, 1], [torch.nan, 1, 0, torch.nan, 0, 1], [0, -3, -2, 0, -2, -3]]))
    for stage in STAGES:
        variant = Variant(stage)
        model = build(variant, RECIPE).eval()
        out = model(images)
        assert bool((out.severity == 0).all()) != has_head(variant, "severity")
        assert bool((out.t_score == 0).all()) != has_head(variant, "t_score")
        lambdas = knee_parts.weights_of(variant)
        terms = strnet_loss(out, targets, 9, **lambdas)
        expected = terms["screen"] + (0.3 * terms["severity"] if has_head(variant, "severity") else 0)
        expected = expected + (0.1 * terms["t_score"] if has_head(variant, "t_score") else 0)
        assert terms["loss"].item() == pytest.approx(expected.item())
    assert knee_parts.weights_of(variants()[RELEASED])["lambda_normal"] == 0.1


@pytest.mark.parametrize("stage", ["B3", "B4"])
def test_the_t_score_reaches_neither_neck_nor_backbone(stage):
    torch.manual_seed(0)
    targets = Targets(*torch.tensor([[0.0, 1, 1, 0], [torch.nan, 1, 0, torch.nan], [0, -3, -2, 0]]))
    reach = gradient_reach(build(Variant(stage), RECIPE), torch.randn(4, 1, 32, 32), targets)["t_score"]
    assert set(reach.index[reach > 0]) == {"image_adapter", "tabular_encoder", "fusion"}


def test_every_other_backbone_answers_on_small_grey_knees():
    for name in OTHERS.values():
        torch.manual_seed(0)
        model = build(Variant(backbone=name), Recipe("resnet18", image_size=64, initialisation="imagenet")).eval()
        assert model(torch.zeros(2, 1, 64, 64)).screen.shape == (2,)


@pytest.mark.parametrize("wrong", [{"stage": "B5"}, {"backbone": "resnet51"}])
def test_what_is_no_variant_is_refused(wrong):
    with pytest.raises(ValueError, match=f"{next(iter(wrong))} must be one of"):
        Variant(**wrong)


def test_a_backbone_that_fails_is_named_and_the_others_stand(given, monkeypatch):
    subjects, images, parts = given
    cohort = type("Cohort", (), {"name": "made-up", "kind": "real", "fingerprint": "abc"})

    def scored(subjects, split, recipe, scores):
        units = scores.rename(columns={"part": "split"}).merge(subjects, on="unit_id")
        units = units.assign(y_true=(units["label"] != "normal").astype(float), split_group=units["subject_id"])
        return pd.concat(units.assign(target=t, y_score=units[c]) for t, c in
                         (("bone_loss", "screen"), ("severity", "severity")))  # fmt: skip

    def train(subjects, images, parts, recipe, variant, key):
        if variant.backbone == "b":
            raise RuntimeError("not enough memory")
        return original(subjects, images, parts, recipe, variant, key)

    original = train_variant
    monkeypatch.setattr(knee_parts_cells, "stage1_subjects", lambda _: subjects)
    monkeypatch.setattr(knee_parts_cells, "knee_pixels", lambda *_: images)
    monkeypatch.setattr(knee_parts_cells, "parts_by", lambda *_: parts)
    monkeypatch.setattr(knee_parts_cells, "scored_knees", scored)
    monkeypatch.setattr(knee_parts_cells, "train_variant", train)
    monkeypatch.setattr(knee_parts, "OTHERS", {"B": "b"})
    nets = {"early": Variant("B1"), "broken": Variant(backbone="b")}
    found = knee_parts_cells.recording(cohort, "film", RECIPE, nets, frozen={"ResNet-50": "resnet50"})
    assert found.configuration["failed"] == {"broken": "RuntimeError: not enough memory"}
    assert found.predictions.groupby("method")["target"].unique().map(list).to_dict() == {
        "early": ["bone_loss"], "ResNet-50, frozen": ["bone_loss"]}  # fmt: skip
    frozen = found.predictions.query("method == 'ResNet-50, frozen'")
    assert set(frozen["unit_id"]) == set(subjects["unit_id"][~parts["train"]]) and frozen["y_score"].between(0, 1).all()
