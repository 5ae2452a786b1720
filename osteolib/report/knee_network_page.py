"""The page on how STR-Net is built: the network with its gradients, both routing modules, two flows of films."""

from __future__ import annotations

from collections.abc import Mapping

import networkx as nx
import pandas as pd
import torch

from osteolib.cohorts import Cohort, flow
from osteolib.report import schematic
from osteolib.report.knee_flow import (
    chain,
    own_chart,
    published_chart,
    published_sums,
    published_values,
    stage_steps,
    unexplained,
)
from osteolib.report.show import figure, table
from osteolib.runs import Run
from osteolib.screen.strnet import STRNet


def count(net: torch.nn.Module) -> int:
    """Number of parameters."""
    return sum(p.numel() for p in net.parameters())


def show_network(run: Run, net: STRNet, batch: tuple[torch.Tensor, ...], reach: pd.DataFrame) -> None:
    """The graph of a network with each loss's gradient, and facts on what no loss trains and what the T-score trains.

    ``reach`` as for :func:`osteolib.report.schematic.with_gradients`, with a column ``t_score``.
    """
    graph = schematic.trace(net, batch)
    untrained, own = reach.index[(reach == 0).all(axis=1)], reach.index[reach["t_score"] > 0]
    idle = sum(d["parameters"] for name, d in graph.nodes.items() if name in untrained)
    run.fact(untrained=_code(untrained), own=_code(own), idle=idle)
    title = f"STR-Net, routing as released: {count(net):,} parameters"
    figure(run, "network", schematic.draw({title: schematic.with_gradients(graph, reach)}),
           alt="Graph of STR-Net from images and covariates to three outputs, with the gradient of each loss as far as "
           f"it reaches; no loss reaches {', '.join(untrained) or 'none of the parts'}.")  # fmt: skip


def _code(names: pd.Index) -> str:
    return ", ".join(f"`{name}`" for name in names) or "none"


def screening_route(net: STRNet, batch: tuple[torch.Tensor, ...], reach: pd.DataFrame) -> nx.DiGraph:
    """The way from the neck to the screening head, with the routing module looked into."""
    graph = schematic.trace(net, batch, opened=["tarr.screen"])
    between = nx.ancestors(graph, "screen_head") - nx.ancestors(graph, "neck")
    graph.remove_nodes_from(set(graph) - between - {"screen_head"})
    return schematic.with_gradients(graph, reach)


def show_routes(
    run: Run, nets: Mapping[str, STRNet], batch: tuple[torch.Tensor, ...], reach: Mapping[str, pd.DataFrame]
) -> None:
    """Both routing modules side by side, and the number of parameters beside the published one.

    ``nets`` and ``reach`` by ``released`` and ``text``.
    """
    routes = {}
    for tarr, where in (("released", "code"), ("text", "text")):
        title = f"As in the {where}: {count(nets[tarr]):,} parameters in the whole network"
        routes[title] = screening_route(nets[tarr], batch, reach[tarr])
    figure(run, "tarr", schematic.draw(routes), alt="The screening route twice. Code: a shared layer, then gate and "
           "adapter, multiplied and added. Text: a scale, then one projection.")  # fmt: skip
    stated, released = published_values()["T2.params"], count(nets["released"])
    if run.parameters["architecture"] == "resnet50":
        agrees = round(released / 1e6, 2) == stated
        run.result("strnet2026_knee.T2.params", "method_check", agrees, n=1, cohort="knee-phantom")
    run.fact(stated=stated, released=released, text=count(nets["text"]))


def show_published_flow(run: Run) -> None:
    """The paper's flow chart, and facts: how many of its sums hold, and how many knees leave without a reason."""
    values = published_values()
    figure(run, "flow_published", schematic.draw({"As published": published_chart(values)}), alt="Flow chart of the "
           "paper's counts: two sources, cut into knees, reduced to two cohorts, joined, split in three; the threshold "
           "goes to a third cohort.")  # fmt: skip
    sums = published_sums(values)
    run.write("sums.csv", sums.to_csv(index=False))
    run.fact(sums=len(sums), agree=int((sums["agrees"] == "yes").sum()))
    for stage in (1, 2):
        knees, gone = unexplained(values, stage)
        run.fact(**{f"knees_{stage}": knees, f"gone_{stage}": gone, f"share_{stage}": gone / knees})


def show_own_flow(run: Run, cohort: Cohort, n_folds: int) -> None:
    """The flow of the set that is here beside the published one of the same source, and its counts as facts."""
    printed, ours = nx.DiGraph(), own_chart(cohort, n_folds)
    chain(printed, *stage_steps(published_values(), 2))
    both = {"Stage 2, as published": printed, "The same source, here": ours}
    figure(run, "flow_ours", schematic.draw(both), alt="Two flow charts of one source. Published: "
           + ", ".join(printed) + ". Here: " + ", ".join(ours) + ".")  # fmt: skip
    counts = flow(cohort)["subjects"]
    people, kept = int(counts.iloc[0]), int(counts.iloc[-1])
    run.fact(people=people, kept=kept, lost=people - kept, n_knees=len(cohort.subjects))


def show_backbone(run: Run, net: STRNet, images: torch.Tensor) -> None:
    """The modules of the backbone in the order of computation."""
    inside = schematic.modules(schematic.trace(net.backbone, (images,)))
    table(run, "backbone", inside, "Inside the backbone, in the order of computation", index=False)
