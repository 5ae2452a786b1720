import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import save_file

from osteolib.screen import moe_training
from osteolib.screen.moe import unified_loss
from osteolib.screen.moe_training import Recipe, check_parts, load_net, predict, told_devices, train_once, warm_up
from osteolib.ssl.ct_encoders import build_ct_encoder

torch.set_num_threads(1)
SMALL = {"encoder": "resnet18-half", "epochs": 2, "warmup": 1, "batch_size": 8, "lr": 1e-3}


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    monkeypatch.setattr("osteolib.runs.store.STORE", tmp_path / "store")


def people(n=24, seed=0):
    """Two vertebrae each of n people; those with osteoporosis are dark in the middle."""
    rng = np.random.default_rng(seed)
    bmd = np.repeat(rng.normal(0.9, 0.15, n), 2)
    table = pd.DataFrame({
        "unit_id": [f"p{k // 2}-{k % 2}" for k in range(2 * n)], "subject_id": [f"p{k // 2}" for k in range(2 * n)],
        "level": ["L1", "L2"] * n, "device": np.repeat(np.array(["A", "B", "C"])[np.arange(n) % 3], 2),
        "bmd_g_cm2": bmd, "label": np.where(bmd < 0.8, "osteoporosis", "normal"),
    })  # fmt: skip
    table["split_group"] = table["subject_id"]
    images = (rng.integers(0, 40, (2 * n, 3, 32, 32)) + 180 * (bmd[:, None, None, None] - 0.4)).clip(0, 255)
    who = np.repeat(np.arange(n), 2)
    parts = {"train": who < n // 2, "validation": (who >= n // 2) & (who < 3 * n // 4), "test": who >= 3 * n // 4}
    return table, images.astype(np.uint8), parts


def test_defaults_are_the_paper_s():
    recipe = Recipe()
    assert (recipe.encoder, recipe.n_experts, recipe.loss_weights) == ("resnet34", 3, (1.0, 1.0, 0.5))
    assert (recipe.batch_size, recipe.epochs, recipe.warmup) == (32, 400, 150)
    assert (recipe.lr, recipe.weight_decay) == (1e-5, 0.1)
    for bad in ({"encoder": "vgg"}, {"devices": "guessed"}, {"epochs": 0}):
        with pytest.raises(ValueError, match=next(iter(bad))):
            Recipe(**bad)


def test_the_rate_grows_in_a_straight_line_and_stays():
    optimizer = torch.optim.AdamW([torch.zeros(1, requires_grad=True)], lr=1e-5)
    schedule, rates = warm_up(optimizer, 4), []
    for _ in range(7):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    assert rates == pytest.approx([0.2e-5, 0.4e-5, 0.6e-5, 0.8e-5, 1e-5, 1e-5, 1e-5])


def test_a_training_leaves_scores_of_unseen_vertebrae_a_history_and_its_network():
    table, images, parts = people(16)
    folder = train_once(table, images, parts, Recipe(**SMALL), {"cohort": "planted"})
    scores = pd.read_parquet(folder / "scores.parquet")
    assert sorted(scores.part.unique()) == ["test", "validation"]
    assert set(scores.unit_id) == set(table.unit_id[~parts["train"]])
    assert scores.osteoporosis.between(0, 1).all() and scores.bmd_g_cm2.between(0.2, 2).all()
    np.testing.assert_allclose(scores.filter(like="gate_").sum(axis=1), 1, rtol=1e-5)
    history = pd.read_parquet(folder / "history.parquet")
    assert len(history) == 2 and {"class", "bmd", "level", "validation_bmd", "negative_loss"} <= set(history)
    assert history.loss.tolist() == pytest.approx((history["class"] + history.bmd + 0.5 * history.level).tolist())
    net = load_net(folder)
    rows = np.flatnonzero(parts["test"])
    again = predict(net, images[rows], table["device"].iloc[rows])
    test = scores[scores.part == "test"]
    np.testing.assert_allclose(again.osteoporosis, test.osteoporosis, rtol=1e-5)
    assert (again.told.to_numpy() == table.device.to_numpy()[rows]).all()
    elsewhere = predict(net, images[rows], pd.Series(["D"] * len(rows)))
    assert elsewhere.told.isna().all() and not np.allclose(elsewhere.bmd_g_cm2, again.bmd_g_cm2)
    assert train_once(table, images, parts, Recipe(**SMALL), {"cohort": "planted"}) == folder


@pytest.mark.parametrize(("epochs", "trained"), [(4, 4), (12, 6), (24, 9)])
def test_a_training_ends_where_a_third_of_its_epochs_brought_nothing(monkeypatch, epochs, trained):
    """A loss that only grows, so that the first epoch stays the best: it and five more, or it and a third."""
    grow = iter(range(100))
    worse = {"loss": torch.zeros(())} | dict.fromkeys(("class", "bmd", "level"), torch.zeros(()))
    real = moe_training.unified_loss

    def growing(answers, truth, *given):
        terms = real(answers, truth, *given)
        return terms if torch.is_grad_enabled() else worse | {"loss": torch.tensor(float(next(grow)))}

    monkeypatch.setattr(moe_training, "unified_loss", growing)
    table, images, parts = people(8)
    folder = train_once(table, images, parts, Recipe(**SMALL | {"epochs": epochs}), {"of": epochs})
    assert len(pd.read_parquet(folder / "history.parquet")) == trained


def test_a_training_that_was_cut_off_goes_on(cut_in_epoch):
    table, images, parts = people(12)
    begun = cut_in_epoch(2)
    recipe = Recipe(**SMALL | {"n_experts": 1, "loss_weights": (1.0, 0.0, 0.0)})
    with pytest.raises(KeyboardInterrupt):
        train_once(table, images, parts, recipe, {})
    folder = train_once(table, images, parts, recipe, {})
    assert len(begun) == 3  # the first epoch, the second cut off, the second again
    assert "gate_2" not in pd.read_parquet(folder / "scores.parquet")


def test_it_starts_from_a_pretrained_encoder_whose_content_names_the_artefact(tmp_path):
    table, images, parts = people(12)
    torch.manual_seed(3)
    start = tmp_path / "encoder.safetensors"
    save_file(build_ct_encoder("resnet18-half").state_dict(), start)
    recipe = Recipe(**SMALL | {"start": str(start), "epochs": 1, "lr": 1e-12, "weight_decay": 0.0})
    folder = train_once(table, images, parts, recipe, {})
    first = load_net(folder).encoder.conv1.weight
    torch.manual_seed(3)
    torch.testing.assert_close(first, build_ct_encoder("resnet18-half").conv1.weight)
    save_file(build_ct_encoder("resnet18-half").state_dict(), start)
    assert train_once(table, images, parts, recipe, {}) != folder


def test_parts_that_share_a_person_or_train_without_labels_are_refused():
    table, _, parts = people(8)
    check_parts(table, parts)
    shared = parts | {"test": parts["test"] | (np.arange(16) == 0)}
    with pytest.raises(ValueError, match="1 split groups are in test and in train, first p0: split by group"):
        check_parts(table, shared)
    with pytest.raises(ValueError, match="1 vertebrae of train have no label, first p0-1: leave them to pre-training"):
        check_parts(table.assign(label=table.label.where(table.unit_id != "p0-1")), parts)
    check_parts(table.assign(label=table.label.where(table.unit_id != "p7-1")), parts)  # only scored


def test_what_the_network_is_told():
    table, _, parts = people(60)
    assert told_devices(table, parts, "known", 0).equals(table.device)
    assert told_devices(table, parts, "withheld", 0).isna().all()
    shuffled = told_devices(table, parts, "shuffled", 0)
    assert shuffled.groupby(table.subject_id).nunique().eq(1).all()  # one device a person, still
    assert 0.15 < (shuffled == table.device).mean() < 0.55
    assert shuffled.equals(told_devices(table, parts, "shuffled", 0))


def test_shuffled_devices_stay_in_their_part_and_hear_of_no_other_and_of_no_label():
    table, _, parts = people(60)
    shuffled = told_devices(table, parts, "shuffled", 0)
    for rows in parts.values():
        assert shuffled[rows].value_counts().to_dict() == table.device[rows].value_counts().to_dict()
    other = table.assign(device=table.device.where(~parts["test"], "Z"), label="normal", bmd_g_cm2=1.0)
    again = told_devices(other, parts, "shuffled", 0)
    assert again[~parts["test"]].equals(shuffled[~parts["test"]]) and (again[parts["test"]] == "Z").all()
    without = {name: parts[name] for name in ("train", "validation")}
    assert told_devices(table, without, "shuffled", 0)[parts["test"]].isna().all()


def test_nothing_of_a_test_vertebra_reaches_the_training():
    """Other pictures, labels and devices of test people: the same weights."""
    table, images, parts = people(12)
    folder = train_once(table, images, parts, Recipe(**SMALL), {"of": "one"})
    other, pictures = table.copy(), images.copy()
    other.loc[parts["test"], ["bmd_g_cm2", "device", "label"]] = [2.0, "Z", "normal"]
    pictures[parts["test"]] = 255 - pictures[parts["test"]]
    again = train_once(other, pictures, parts, Recipe(**SMALL), {"of": "other"})
    a, b = load_net(folder), load_net(again)
    assert all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))
    assert a.devices == b.devices == ("A", "B", "C")


def test_the_loss_that_is_watched_is_the_one_that_is_minimised(monkeypatch):
    monkeypatch.setattr("osteolib.train.bf16_or_float32", lambda device: "32-true")  # bf16 would blur it by 1 %
    table, images, parts = people(12)
    folder = train_once(table, images, parts, Recipe(**SMALL), {})
    history = pd.read_parquet(folder / "history.parquet")
    best = history.negative_loss.idxmax()
    net, rows = load_net(folder), np.flatnonzero(parts["validation"])
    with torch.no_grad():
        answers = net(moe_training.to_input(images[rows]), net.device_index(table.device.iloc[rows]))
        truth = moe_training.encode_truth(table.iloc[rows])
        loss = unified_loss(answers, truth, float(net.bmd_sd))["loss"].item()
    assert -loss == pytest.approx(history.negative_loss[best], rel=1e-4)


def test_cubes_train_as_planes_do():
    table, _, parts = people(8)
    cubes = np.random.default_rng(0).integers(0, 256, (16, 1, 8, 16, 16)).astype(np.uint8)
    recipe = Recipe(**SMALL | {"encoder": "resnet34-3d", "epochs": 1})
    scores = pd.read_parquet(train_once(table, cubes, parts, recipe, {}) / "scores.parquet")
    assert len(scores) == 8 and scores.osteoporosis.between(0, 1).all()
