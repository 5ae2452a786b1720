from typing import NamedTuple

import networkx as nx
import pandas as pd
import pytest
import torch
from matplotlib.patches import FancyBboxPatch
from torch import nn

from osteolib.report import schematic
from osteolib.screen.strnet import STRNet, encode_targets, gradient_reach

LOSSES = ["first", "second"]


class Answers(NamedTuple):
    a: torch.Tensor
    b: torch.Tensor


class Route(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(3))
        self.out = nn.Linear(3, 3)

    def forward(self, x):
        return self.out(torch.sigmoid(self.scale * x))


class Small(nn.Module):
    """Two heads on one trunk; the second head sees the trunk, through a route, behind a planted detach."""

    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Conv2d(1, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3))
        self.nothing = nn.Sequential()
        self.route = Route()
        self.table = nn.Linear(2, 3)
        self.one = nn.Linear(3, 1)
        self.two = nn.Linear(6, 1)

    def forward(self, images, covariates):
        h = self.nothing(self.trunk(images))
        both = torch.cat([self.route(h).detach(), self.table(covariates)], dim=1)
        return Answers(self.one(h).squeeze(1), self.two(both).squeeze(1))


EDGES = {
    ("images", "trunk"), ("trunk", "route"), ("route", "detach"), ("detach", "cat"), ("covariates", "table"),
    ("table", "cat"), ("cat", "two"), ("two", "output b"), ("trunk", "one"), ("one", "output a"),
}  # fmt: skip


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


@pytest.fixture
def small():
    return Small(), (torch.randn(2, 1, 8, 6), torch.randn(2, 2))


def reach_of(model, inputs):
    """The norm of each output's gradient in every child, by autograd itself."""
    table = {}
    for name, output in zip(LOSSES, model(*inputs), strict=True):
        model.zero_grad()
        output.sum().backward(retain_graph=True)
        table[name] = {
            part: sum(float(p.grad.norm()) for p in child.parameters() if p.grad is not None)
            for part, child in model.named_children()
            if list(child.parameters())
        }
    return pd.DataFrame(table)


def test_every_edge_of_a_small_module_is_found_and_no_other(small):
    assert set(schematic.trace(*small).edges) == EDGES


def test_shapes_and_counts_are_those_computed_by_hand(small):
    nodes = schematic.trace(*small).nodes
    shapes = {"images": (1, 8, 6), "covariates": (2,), "trunk": (3,), "cat": (6,), "one": (1,), "output a": ()}
    assert {name: nodes[name]["shape"] for name in shapes} == shapes
    counts = {"trunk": 4 * 9 + 4 + 4 * 3 + 3, "route": 3 + 12, "table": 9, "one": 4, "two": 7, "cat": 0}
    assert {name: nodes[name]["parameters"] for name in counts} == counts
    assert nodes["trunk"]["detail"] == "Conv2d, AdaptiveAvgPool2d, Flatten, Linear\n→ 3\n55 parameters"
    assert nodes["detach"]["kind"] == "stop"


def test_an_opened_module_shows_its_inside_and_loses_no_parameter(small):
    graph = schematic.trace(*small, opened=["route"])
    inner = {("route.scale", "mul"), ("trunk", "mul"), ("mul", "sigmoid"), ("sigmoid", "route.out")}
    assert set(graph.edges) == EDGES - {("trunk", "route"), ("route", "detach")} | inner | {("route.out", "detach")}
    assert graph.nodes["route.out"]["title"] == "out"
    assert graph.nodes["route.scale"]["shape"] == (3,)
    assert sum(d["parameters"] for d in graph.nodes.values()) == sum(p.numel() for p in small[0].parameters())


def test_a_module_that_is_used_twice_is_counted_once():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(3, 3)

        def forward(self, x):
            return self.layer(self.layer(x))

    graph = schematic.trace(Twice(), (torch.randn(2, 3),))
    assert list(graph.edges) == [("x", "layer"), ("layer", "layer_1"), ("layer_1", "output output")]
    assert [graph.nodes[n]["parameters"] for n in ("layer", "layer_1")] == [12, 0]


def test_tracing_leaves_the_model_as_it_was():
    model = nn.Sequential(nn.BatchNorm1d(3), nn.Dropout(0.5)).train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    schematic.trace(model, (torch.randn(4, 3),))
    assert model.training and model[1].training
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


@pytest.mark.parametrize(("tarr", "count"), [("released", 23_945_571), ("text", 23_830_691)])
def test_the_boxes_of_the_paper_s_network_hold_all_its_parameters(tarr, count):
    graph = schematic.trace(STRNet("resnet50", tarr), (torch.zeros(2, 1, 32, 32), torch.zeros(2, 3)))
    assert sum(d["parameters"] for d in graph.nodes.values()) == count
    assert graph.nodes["backbone"]["shape"] == (2048,)
    assert nx.has_path(graph, "tarr.t_score", "output t_score")
    assert ("tarr.shared" in graph) == (tarr == "released")


def test_a_planted_detach_takes_the_loss_off_everything_before_it(small):
    graph = schematic.with_gradients(schematic.trace(*small), reach_of(*small))
    losses = dict(graph.nodes("losses"))
    assert losses["trunk"] == {"first"} == losses["one"] == losses["output a"]
    assert losses["two"] == {"second"} == losses["table"] == losses["cat"] == losses["output b"]
    assert losses["route"] == losses["detach"] == losses["images"] == set()


def test_a_part_s_gradient_stands_for_what_is_inside_it(small):
    reach = reach_of(*small)
    reach.loc["route"] = [0.0, 1.0]
    losses = dict(schematic.with_gradients(schematic.trace(*small, opened=["route"]), reach).nodes("losses"))
    assert losses["route.scale"] == losses["sigmoid"] == losses["route.out"] == {"second"}
    assert losses["detach"] == set()


def test_where_no_gradient_is_stopped_the_t_score_reaches_the_backbone():
    images, covariates = torch.randn(3, 1, 32, 32), torch.randn(3, 3)
    truth = encode_targets(["normal", "osteopenia", "osteoporosis"], [0.0, -2.0, -3.0])
    reached = {}
    for stop in ("adapter", "none"):
        model = STRNet("resnet18", stop_gradient=stop)
        reach = gradient_reach(model, images, truth, covariates)[["screen", "t_score"]]
        graph = schematic.with_gradients(schematic.trace(model, (images, covariates)), reach)
        reached[stop] = {n for n, losses in graph.nodes("losses") if "t_score" in losses}
    assert reached["none"] - reached["adapter"] == {"backbone", "neck", "tarr.shared", "tarr.t_score"}
    assert reached["adapter"] == {"image_adapter", "tabular_encoder", "cat", "fusion", "output t_score"}


def arrows(fig):
    """The lines between boxes; others are arrowheads and entries of the legend."""
    return [line for line in fig.axes[0].lines if len(line.get_xdata()) > 1]


def boxes(fig):
    patches = [p for p in fig.axes[0].patches if isinstance(p, FancyBboxPatch)]
    return [(p.get_x(), p.get_y(), p.get_x() + p.get_width(), p.get_y() + p.get_height()) for p in patches]


def test_a_part_without_gradient_is_grey_and_the_way_to_it_dashed(small):
    traced = schematic.trace(*small)
    fig = schematic.draw({"small": schematic.with_gradients(traced, reach_of(*small))})
    faces = [p.get_facecolor() for p in fig.axes[0].patches if isinstance(p, FancyBboxPatch)]
    grey = [name for name, face in zip(traced, faces, strict=True) if face == (*[0xE9 / 255] * 3, 1)]
    assert grey == ["route"]
    dashed = {e for e, line in zip(traced.edges, arrows(fig), strict=True) if line.get_linestyle() == "--"}
    assert dashed == {("trunk", "route"), ("route", "detach"), ("detach", "cat")}


def test_boxes_lie_apart_below_what_they_need_and_hold_their_text(small):
    traced = schematic.trace(*small, opened=["route"])
    fig = schematic.draw({"small": traced, "a second panel, beside the first": traced})
    fig.canvas.draw()
    found = boxes(fig)
    for i, (x0, y0, x1, y1) in enumerate(found):
        assert not any(x0 < b[2] and b[0] < x1 and y0 < b[3] and b[1] < y1 for b in found[:i])
    bottom_top = dict(zip(traced, [(y0, y1) for _, y0, _, y1 in found], strict=False))
    assert all(bottom_top[u][0] > bottom_top[v][1] for u, v in traced.edges)
    to_inches = fig.axes[0].transData.inverted()
    written = [t.get_window_extent().transformed(to_inches) for t in fig.axes[0].texts]
    outside = [
        t for t in written if not any(b[0] <= t.x0 and t.x1 <= b[2] and b[1] <= t.y0 and t.y1 <= b[3] for b in found)
    ]
    left, right = outside  # the two titles
    assert left.x1 < right.x0 and min(left.y0, right.y0) > max(y1 for *_, y1 in found)


def test_a_long_edge_goes_round_the_boxes_between():
    graph = nx.DiGraph()
    for name in "abcd":
        graph.add_node(name, kind="box", title=name, detail="")
    nx.add_path(graph, "abcd")
    graph.add_edge("a", "d", label="straight on")
    fig = schematic.draw({"": graph})
    long = max((line.get_xydata() for line in arrows(fig)), key=len)
    for x0, y0, x1, y1 in boxes(fig)[1:3]:
        assert not ((long[:, 0] > x0) & (long[:, 0] < x1) & (long[:, 1] > y0) & (long[:, 1] < y1)).any()
    assert "straight on" in [t.get_text() for t in fig.axes[0].texts]


def test_a_single_chain_is_one_straight_column():
    graph = nx.DiGraph()
    for name in "abc":
        graph.add_node(name, kind="box", title=name, detail="a line")
    nx.add_path(graph, "abc")
    middles = [(x0 + x1) / 2 for x0, _, x1, _ in boxes(schematic.draw({"": graph}))]
    assert middles == pytest.approx([middles[0]] * 3, abs=1e-3)


def test_the_table_of_a_network_names_its_modules_with_shapes_and_counts():
    table = schematic.modules(schematic.trace(STRNet("resnet18").backbone, (torch.zeros(2, 1, 32, 32),))).set_index(
        "part"
    )
    assert list(table.index[:4]) == ["conv1", "bn1", "relu", "maxpool"]
    assert table.loc["conv1"].tolist() == ["Conv2d", "64 × 16 × 16", 64 * 7 * 7]  # one grey channel, no bias
    assert table["parameters"].sum() == sum(p.numel() for p in STRNet("resnet18").backbone.parameters())
