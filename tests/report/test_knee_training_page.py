import numpy as np
import pandas as pd
import torch

from osteolib.report import knee_training_page as page
from osteolib.screen.knee_folds import Recipe
from osteolib.screen.strnet import STRNet, encode_targets, gradient_reach

USES = "knee-wani"


def test_the_network_trained_here_is_counted_and_so_are_both_of_the_paper(run):
    net = STRNet("resnet18")
    pixels = torch.randn(3, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    truth = encode_targets(["normal", "osteopenia", "osteoporosis"], [0.0, -2.0, -3.0])
    page.show_reach(run, gradient_reach(net, pixels, truth), "resnet18")
    assert run.facts["parameters"] == sum(p.numel() for p in net.parameters())
    assert (run.facts["released"], run.facts["text"]) == (23_945_571, 23_830_691)


def test_training_is_told_in_steps_kept_epochs_and_turns_of_the_validation_loss(run):
    """Of 40 knees in 4 folds 20 train: two batches of 16 an epoch. Fold 0 turns after its second epoch, 1 never."""
    fold = np.arange(40) % 4
    rows = pd.concat([pd.DataFrame({"unit_id": range(40), "fold": (fold + k) % 4}) for k in range(2)])
    losses, auprc = [3.0, 1.0, 2.0], [0.1, 0.3, 0.2]
    history = [pd.DataFrame({"fold": k, "epoch": range(3), "auprc": auprc, "validation_loss": losses}) for k in (0, 2)]
    falling = {"epoch": range(3), "auprc": [0.1, 0.2, 0.3], "validation_loss": [3.0, 2.0, 1.0]}
    history = pd.concat([*history, *(pd.DataFrame({"fold": k, **falling}) for k in (1, 3))]).assign(auroc=0.5, loss=1.0)
    page.show_training(run, rows, history, Recipe(batch_size=16))
    facts = run.facts
    assert (facts["n_train"], facts["steps"]) == (20, 6)
    assert (facts["turned"], facts["n_trainings"], facts["kept"]) == (2, 4, "2, 2, 3, 3")
    assert (facts["their_train"], facts["their_steps"]) == (1120, 3500)


def test_the_smallest_worth_that_is_usually_seen_is_named(run):
    normal = pd.DataFrame({"split_group": ["a", "a", "b"]})
    power = pd.DataFrame({"auroc": [0.6, 0.7, 0.8, 0.9], "found": [0.1, 0.3, 0.8, 1.0]})
    page.show_power(run, power, normal, 0.2)
    assert (run.facts["n_normal"], run.facts["n_groups"], run.facts["found_80"]) == (3, 2, 0.8)
    assert run.facts["seen"] == "from an AUROC of 0.8 on"
    page.show_power(run, power.assign(found=0.5), normal, 0.2)
    assert run.facts["seen"] == "for none of the scores tried"
