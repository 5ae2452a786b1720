import copy
import pickle
from functools import partial

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional

from osteolib import train
from osteolib.train import bf16_or_float32, fit, put_weights, read_weights

torch.set_num_threads(1)
RNG = torch.Generator().manual_seed(0)
X = torch.randn(24, 1, 6, 6, generator=RNG)
Y = (X.mean((1, 2, 3)) > 0).float()


def small_model(width=4):
    """Convolution, batch normalisation and dropout: all that a resumed run could get wrong."""
    torch.manual_seed(3)
    return nn.Sequential(
        nn.Conv2d(1, width, 3),
        nn.BatchNorm2d(width),
        nn.ReLU(),
        nn.Flatten(),
        nn.Dropout(0.3),
        nn.Linear(16 * width, 1),
    )


def cross_entropy(model, batch, epoch):
    x, y = batch
    return {"loss": functional.binary_cross_entropy_with_logits(model(x).squeeze(1), y)}


def shuffled(epoch, generator):
    for rows in torch.randperm(24, generator=generator).split(8):
        yield X[rows], Y[rows]


def accuracy(model):
    return {"accuracy": ((model(X).squeeze(1) > 0) == (Y > 0)).float().mean().item()}


def run(folder, model=None, **options):
    options = {"epochs": 5, "monitor": "accuracy", "lr": 1e-2, "precision": "32-true"} | options
    how = {name: options.pop(name) for name in ("lr", "weight_decay") if name in options}
    patience = {"patience": options.pop("plateau_patience")} if "plateau_patience" in options else {}
    options |= {"optimizer": partial(train.ADAMW, **how), "schedule": partial(train.HALVED_AT_REST, **patience)}
    given = [options.pop(name, default) for name, default in
             (("loss_fn", cross_entropy), ("train_batches", shuffled), ("validate", accuracy))]  # fmt: skip
    model = model or small_model()
    return fit(model, *given, folder=folder, **options), model


def scripted(values):
    left = iter(values)
    return lambda model: {"accuracy": next(left)}


def test_one_step_by_hand(tmp_path):
    """AdamW, and a gradient clipped to norm 0.05, as torch does them."""
    torch.manual_seed(0)
    model = nn.Linear(3, 1)
    by_hand = copy.deepcopy(model)
    x = torch.tensor([[1.0, 2.0, 3.0], [0.0, -1.0, 1.0]])
    optimizer = torch.optim.AdamW(by_hand.parameters(), lr=0.1, weight_decay=0.2)
    (by_hand(x) ** 2).mean().backward()
    norm = nn.utils.clip_grad_norm_(by_hand.parameters(), 0.05)
    assert norm > 0.05
    optimizer.step()
    run(tmp_path, model, epochs=1, lr=0.1, weight_decay=0.2, max_norm=0.05, train_batches=lambda epoch, generator: [x],
        loss_fn=lambda model, batch, epoch: {"loss": (model(batch) ** 2).mean()},
        validate=lambda model: {"accuracy": 0})  # fmt: skip
    assert torch.equal(model.weight, by_hand.weight) and torch.equal(model.bias, by_hand.bias)


@pytest.mark.parametrize("where", ["within an epoch", "between weights and state"])
def test_an_interrupted_run_ends_bit_for_bit_where_it_would_have(tmp_path, monkeypatch, where):
    whole, model = run(tmp_path / "whole", plateau_patience=0)

    def cut(epoch, generator):
        for number, batch in enumerate(shuffled(epoch, generator)):
            if (epoch, number) == (3, 1):
                raise KeyboardInterrupt
            yield batch

    written = []

    def dies(path, content, write=train.write_atomic):
        if path.name == train.STATE and len(written) == 3:
            raise KeyboardInterrupt
        written.extend([path] * (path.name == train.STATE))
        return write(path, content)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        if where == "within an epoch":
            run(tmp_path / "cut", plateau_patience=0, train_batches=cut)
        else:
            patch.setattr(train, "write_atomic", dies)
            run(tmp_path / "cut", plateau_patience=0)
    torch.manual_seed(99)  # neither the state of the process nor the weights at hand have a say
    resumed, other = run(tmp_path / "cut", plateau_patience=0)
    assert resumed.history.equals(whole.history) and len(whole.history) == 5
    assert whole.history.lr.nunique() > 1  # the schedule went on, too
    for name in (p.name for p in (tmp_path / "whole").glob("*.safetensors")):
        assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert all(torch.equal(a, b) for a, b in zip(model.state_dict().values(), other.state_dict().values(), strict=True))


def test_a_finished_run_is_read_and_not_trained_again(tmp_path):
    first, model = run(tmp_path)
    again, other = run(tmp_path, train_batches=None, validate=None)
    assert again.history.equals(first.history) and again.best_epoch == first.best_epoch
    assert torch.equal(model[0].weight, other[0].weight)


def test_a_longer_run_goes_on_from_a_shorter_one(tmp_path):
    run(tmp_path / "a", epochs=2)
    assert run(tmp_path / "a", epochs=4)[0].history.equals(run(tmp_path / "b", epochs=4)[0].history)


def test_training_stops_after_its_patience_and_the_first_best_weights_stay(tmp_path):
    seen = []

    def falls(model):
        seen.append(load_file(sorted(tmp_path.glob("*.safetensors"))[-1])["0.weight"] if seen else None)
        return {"accuracy": [0.1, 0.5, 0.5, 0.2, 0.1, 0.9][len(seen) - 1]}

    result, model = run(tmp_path, epochs=6, stop_patience=3, validate=falls)
    assert result.history.accuracy.tolist() == [0.1, 0.5, 0.5, 0.2, 0.1]
    assert (result.best_epoch, result.weights.name) == (1, "epoch-0001.safetensors")
    assert torch.equal(model[0].weight, seen[2])  # the newest file when epoch 2 was validated
    assert {p.name for p in tmp_path.iterdir()} == {"state.pt", "epoch-0001.safetensors", "epoch-0004.safetensors"}


def test_the_learning_rate_is_halved_when_the_metric_rests(tmp_path):
    """Patience 1: the second epoch in a row without improvement halves it for the next."""
    result, _ = run(tmp_path, epochs=6, lr=1.0, plateau_patience=1, validate=scripted([0.5] * 6))
    assert result.history.lr.tolist() == [1, 1, 1, 0.5, 0.5, 0.25]


def test_the_seed_decides_and_the_caller_s_random_numbers_are_left_alone(tmp_path):
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    model = small_model()
    torch.manual_seed(7)
    first = run(tmp_path / "a", model, seed=1)[0].history
    assert torch.equal(torch.rand(3), expected)
    assert run(tmp_path / "b", seed=1)[0].history.equals(first)
    assert not run(tmp_path / "c", seed=2)[0].history.equals(first)


def test_history_holds_the_mean_of_every_term_and_every_metric(tmp_path):
    batches = [torch.tensor(1.0), torch.tensor(4.0)]

    def terms(model, batch, epoch):
        return {"loss": batch + 0 * next(model.parameters()).sum(), "twice": 2 * batch}

    result, _ = run(tmp_path, epochs=1, train_batches=lambda *_: batches, loss_fn=terms, validate=scripted([0.25]))
    assert result.history.to_dict("records") == [{"epoch": 0, "lr": 1e-2, "loss": 2.5, "twice": 5.0, "accuracy": 0.25}]


def test_lines_on_the_terminal_are_rare(tmp_path, capfd, monkeypatch):
    run(tmp_path / "a")
    assert capfd.readouterr() == ("", "")
    monkeypatch.setattr(train, "SECONDS_BETWEEN_LINES", -1)
    run(tmp_path / "b", epochs=2, validate=scripted([0.5, 0.75]))
    lines = capfd.readouterr().err.splitlines()
    assert len(lines) == 2 and lines[1].startswith("epoch 2/2: loss ") and lines[1].endswith("accuracy 0.7500")


@pytest.mark.parametrize(
    ("flags", "precision"),
    [({"avx512_bf16": True}, "bf16-mixed"), ({"amx_bf16": True}, "bf16-mixed"), ({"avx2": True}, "32-true")],
)
def test_precision_follows_what_the_processor_can_do(monkeypatch, flags, precision):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: flags)
    assert bf16_or_float32(torch.device("cpu")) == precision


def test_bf16_learns_as_float32_does(tmp_path):
    loss = [run(tmp_path / p, precision=p)[0].history.loss.to_numpy() for p in ("bf16-mixed", "32-true")]
    np.testing.assert_allclose(*loss, rtol=0.05)
    assert not np.array_equal(*loss)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"train_batches": lambda *_: []}, "no batch in epoch 0"),
        ({"loss_fn": lambda m, b, e: {"loss": m(b[0]).mean() * torch.nan}}, "the loss of epoch 0 is nan"),
        ({"validate": lambda model: {"accuracy": float("nan")}}, "accuracy is nan after epoch 0"),
    ],
)
def test_what_cannot_be_trained_is_named_and_leaves_no_checkpoint(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        run(tmp_path, **options)
    assert not list(tmp_path.iterdir())


def test_a_folder_of_another_run_is_refused(tmp_path):
    run(tmp_path / "mine", epochs=1)
    with pytest.raises(ValueError, match=r"mine holds a run with .*: seed 0 \(now 5\), AdamW.lr 0.01 \(now 0.1\)"):
        run(tmp_path / "mine", seed=5, lr=0.1)
    with pytest.raises(
        ValueError, match=r"epoch-0000.safetensors is of another model .*first 0.weight: \(4, 1, 3, 3\)"
    ):
        run(tmp_path / "mine", small_model(width=8))


def test_weights_come_back_from_either_kind_of_file(tmp_path):
    state = nn.Linear(2, 3).state_dict()
    save_file(state, tmp_path / "a.safetensors")
    torch.save(state, tmp_path / "a.pt")
    for name in ("a.safetensors", "a.pt"):
        model = nn.Linear(2, 3)
        put_weights(model, read_weights(tmp_path / name), name)
        assert torch.equal(model.weight, state["weight"])


class Trap:
    def __reduce__(self):
        return pytest.fail, ("the file's code was executed",)


def test_files_that_are_no_weights_are_named_and_never_executed(tmp_path):
    (tmp_path / "trap.pt").write_bytes(pickle.dumps(Trap(), protocol=2))
    torch.save({"w": Trap()}, tmp_path / "zipped.pt")
    (tmp_path / "cut.safetensors").write_bytes(b"\x10")
    torch.save({"epoch": 3}, tmp_path / "state.pt")
    for name, message in (
        ("trap.pt", "trap.pt cannot be read"),
        ("zipped.pt", "zipped.pt cannot be read"),
        ("cut.safetensors", "cut.safetensors cannot be read"),
        ("state.pt", "state.pt does not hold tensors by name"),
        ("absent.pt", "there is no weights file"),
    ):
        with pytest.raises(ValueError, match=message):
            read_weights(tmp_path / name)
