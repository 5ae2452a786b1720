import pandas as pd
import pytest
import torch

from osteolib.report import knee_network_page as page
from osteolib.screen.strnet import STRNet, encode_targets, gradient_reach

USES = "knee-phantom"

BATCH = torch.randn(3, 1, 32, 32, generator=torch.Generator().manual_seed(0)), torch.zeros(3, 3)
TRUTH = encode_targets(["normal", "osteopenia", "osteoporosis"], [0.0, -2.0, -3.0])


@pytest.fixture
def run(run):
    run.parameters["architecture"] = "resnet18"
    return run


def reach_of(net: STRNet) -> pd.DataFrame:
    return gradient_reach(net, BATCH[0], TRUTH, BATCH[1])[["screen", "severity", "t_score"]]


def test_the_part_that_no_loss_trains_is_named_with_its_parameters(run):
    net = STRNet("resnet18", "released")
    page.show_network(run, net, BATCH, reach_of(net))
    assert run.facts["untrained"] == "`tarr.t_score`"
    assert run.facts["own"] == "`image_adapter`, `tabular_encoder`, `fusion`"
    layers = [(128, 64), (64, 128), (128, 128), (128, 128)]  # down and up again, gate, output
    assert run.facts["idle"] == sum(inputs * outputs + outputs for inputs, outputs in layers) == 49_600


def test_a_network_without_a_stop_has_no_idle_part(run):
    net = STRNet("resnet18", "released", stop_gradient="none")
    page.show_network(run, net, BATCH, reach_of(net))
    assert (run.facts["untrained"], run.facts["idle"]) == ("none", 0)


def test_the_route_starts_at_the_neck_and_ends_at_its_head():
    net = STRNet("resnet18", "text")
    route = page.screening_route(net, BATCH, reach_of(net))
    assert {n for n in route if not route.succ[n]} == {"screen_head"}
    assert "neck" in route and "severity_head" not in route and "backbone" not in route


def test_only_the_paper_s_own_backbone_answers_the_published_count(run):
    nets = {tarr: STRNet("resnet18", tarr) for tarr in ("released", "text")}
    page.show_routes(run, nets, BATCH, {tarr: reach_of(net) for tarr, net in nets.items()})
    assert not run.rows
    assert run.facts["released"] - run.facts["text"] == 23_945_571 - 23_830_691  # the backbone does not matter
    assert run.facts["stated"] == 23.95


def test_the_published_flow_gives_its_sums_and_what_leaves(run):
    page.show_published_flow(run)
    assert (run.facts["sums"], run.facts["agree"]) == (5, 5)
    assert (run.facts["knees_1"], run.facts["gone_2"]) == (1685 + 2 * 262, 95 + 2 * 144 - 309)
    assert (run.folder / "sums.csv").is_file()
