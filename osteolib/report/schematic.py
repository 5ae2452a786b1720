"""Drawings made from the running objects, so that a drawing cannot differ from the code.

:func:`trace` follows a batch through a network with ``torch.fx`` and returns the graph of its parts,
:func:`with_gradients` adds where each loss's gradient passes, and :func:`draw` draws such graphs, or a flow chart built
by hand, from top to bottom: everything stands below what it needs.
"""

from __future__ import annotations

import copy
import textwrap
from collections.abc import Collection, Mapping
from itertools import pairwise

import matplotlib.pyplot as plt
import networkx as nx
import numpy as np
import pandas as pd
import torch
from matplotlib.patches import FancyBboxPatch
from scipy.optimize import LinearConstraint, minimize
from torch import fx, nn
from torch.fx.passes.shape_prop import ShapeProp

from osteolib.report.style import GREY, INK, use_style

NAMES = {"cat": "concatenate", "detach": "stop-gradient", "mul": "×", "add": "+", "sub": "−", "truediv": "÷"}
SHOWN = ("detach", "sigmoid", "softmax")  # of the operations on one value; the others only change its form or scale
FLOWS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7")  # a colour each loss, of Okabe and Ito
FILL = {"input": "#E6EFF6", "output": "#E6EFF6", "stop": "#B83A00", "published": "#F5F1E8"}
WIDTH, LINE, GAP = 1.58, 0.145, 0.13  # of a box, of a line of text, and between boxes; inches


def trace(model: nn.Module, inputs: tuple[torch.Tensor, ...], opened: Collection[str] = ()) -> nx.DiGraph:
    """The dataflow of a network, from one batch in evaluation mode.

    Parameters
    ----------
    inputs
        What ``model.forward`` takes, in order; it returns a tensor or a named tuple of tensors.
    opened
        Names of submodules to look into; any other one that the model calls is one box.

    Returns
    -------
    A graph of inputs, modules (under their dotted names), parameters used without a module, operations that join values
    or matter to the gradient (:data:`SHOWN`), and outputs. Attributes: ``kind``, ``title``, ``detail``, ``part`` (the
    dotted name), ``shape`` (without the batch) and ``parameters`` (0 where a module is used a second time).
    """
    model, tracer = copy.deepcopy(model).eval(), fx.Tracer()
    tracer.is_leaf_module = lambda module, name: name not in opened
    traced = fx.GraphModule(model, tracer.trace(model))
    with torch.no_grad():
        ShapeProp(traced).propagate(*inputs)
    things = dict(model.named_modules()) | dict(model.named_parameters())
    graph, made_by = nx.DiGraph(), {}

    def add(node: fx.Node, kind: str, name: str, title: str, makers: list[str], what="", part="", parameters=0) -> None:
        shape = tuple(getattr(node.meta.get("tensor_meta"), "shape", ()))[node.op != "get_attr" :]
        form = " × ".join(f"{n:,}" for n in shape) or "1"
        detail = {"input": form, "module": f"{what}\n→ {form}\n{parameters:,} parameters"}.get(kind, "")
        known = {"part": part, "parameters": parameters, "shape": shape}
        graph.add_node(name, kind=kind, title=title, detail=detail, **known)
        graph.add_edges_from((maker, name) for maker in makers)
        made_by[node] = [name]

    for node in traced.graph.nodes:
        name, thing = node.target, things.get(node.target) if node.op in ("call_module", "get_attr") else None
        layers = thing if isinstance(thing, nn.Sequential) else [] if thing is None else [thing]
        what, step = ", ".join(type(layer).__name__ for layer in layers), getattr(name, "__name__", name)
        made_by[node] = makers = list(dict.fromkeys(m for before in node.all_input_nodes for m in made_by[before]))
        if node.op == "placeholder":
            add(node, "input", name, name, [])
        elif node.op == "output":
            made = node.args[0]
            fields = getattr(made.target, "_fields", None)
            for title, value in zip(fields, made.args, strict=True) if fields else [("output", made)]:
                add(value, "output", f"output {title}", title, made_by[value])
        elif what not in ("", "Identity"):
            own = [thing] if isinstance(thing, nn.Parameter) else thing.parameters()
            key, count = (node.name, 0) if name in graph else (name, sum(p.numel() for p in own))
            parent, _, last = name.rpartition(".")
            add(node, "module", key, last if parent in opened else name, makers, what, name, count)
        elif step in SHOWN or (len(makers) > 1 and not isinstance(name, type)):
            add(node, "stop" if step == "detach" else "step", node.name, NAMES.get(step, step), makers)
    return graph


def with_gradients(graph: nx.DiGraph, reach: pd.DataFrame) -> nx.DiGraph:
    """The graph with ``losses`` on each node: those whose gradient passes it on the way back to a parameter.

    ``reach``: one row a part (its name stands for whatever lies inside it, too), one column a loss, the norm of the
    loss's gradient there. What has no parameters is passed where a gradient is before it and after it.
    """
    graph, on, row = copy.deepcopy(graph), {}, {}
    order = list(nx.topological_sort(graph))
    for n in order:
        part, kind = graph.nodes[n]["part"], graph.nodes[n]["kind"]
        row[n] = max((p for p in reach.index if f"{part}.".startswith(f"{p}.")), key=len, default=None)
        before = set().union(*(on[m] for m in graph.pred[n])) if kind != "stop" else set()
        on[n] = set(reach.columns[reach.loc[row[n]] > 0]) if row[n] else before
    for n in reversed(order):
        if graph.succ[n] and not row[n]:
            on[n] = on[n] & set().union(*(on[m] for m in graph.succ[n]))
    nx.set_node_attributes(graph, on, "losses")
    graph.graph["losses"] = dict(zip(reach, FLOWS, strict=False))
    return graph


def modules(graph: nx.DiGraph) -> pd.DataFrame:
    """The modules of a traced network in the order of computation: part, what it is, shape passed on, parameters."""
    rows = [
        (d["title"], d["detail"].split("\n")[0], " × ".join(f"{n:,}" for n in d["shape"]), d["parameters"])
        for _, d in graph.nodes.items()
        if d["kind"] == "module"
    ]
    return pd.DataFrame(rows, columns=["part", "what it is", "shape passed on", "parameters"])


def draw(panels: Mapping[str, nx.DiGraph]) -> plt.Figure:
    """Graphs side by side under their titles.

    Nodes have ``kind``, ``title`` and ``detail`` (lines); an edge may have a ``label``. After :func:`with_gradients`
    each loss has a coloured line along the edges that its gradient passes; an edge that none passes is dashed, and a
    module that none reaches is grey.
    """
    use_style()
    fig, axis = plt.subplots()
    left = bottom = 0.0
    for title, graph in panels.items():
        places = _place(graph, left)
        right = max(x + w / 2 for x, _, w, _ in places.values())
        for u, v in graph.edges:
            _arrow(axis, graph, u, v, [places[n] for n in (u, *((u, v, i) for i in range(99)), v) if n in places])
        for name, data in graph.nodes.items():
            _box(axis, data, *places[name])
        head = textwrap.fill(title, round((right - left) / 0.095))
        axis.text((left + right) / 2, 0.14, head, ha="center", va="bottom", fontsize=10, weight="bold")
        left, bottom = right + 0.4, min(bottom, *(y - h / 2 for _, y, _, h in places.values()))
    axis.set(xlim=(-0.02, right + 0.02), ylim=(bottom - 0.02, 0.14), aspect="equal")
    axis.set_axis_off()
    fig.set_size_inches(right + 0.04, 0.16 - bottom)
    if losses := graph.graph.get("losses"):
        for loss, colour in losses.items():
            axis.plot([], [], color=colour, lw=2.2, label=f"gradient of {loss}")
        axis.plot([], [], "--", color=GREY, lw=1.2, label="no gradient")
        fig.legend(loc="outside lower center", ncols=5, fontsize=8.5, handlelength=1.5, columnspacing=1.3)
    return fig


def _lines(data: Mapping) -> list[str]:
    return [data["title"], *(part for line in data["detail"].splitlines() for part in textwrap.wrap(line, 22))]


def _place(graph: nx.DiGraph, left: float) -> dict:
    """Centre and size (x, y, w, h) of each node, inches; an edge (u, v) that skips a row is a place (u, v, row)."""
    main = {next(iter(graph)), *nx.descendants(graph, next(iter(graph)))}
    row = {n: i for i, nodes in enumerate(nx.topological_generations(graph)) for n in nodes}
    for n in [n for n in reversed(list(nx.topological_sort(graph))) if n not in main]:
        row[n] = min((row[m] for m in graph.succ[n]), default=1) - 1  # just above where it joins from the side
    wide = {n: WIDTH if d["detail"] else 0.085 * len(d["title"]) + 0.2 for n, d in graph.nodes.items()}
    high, net = {n: LINE * len(_lines(d)) + 0.12 for n, d in graph.nodes.items()}, nx.DiGraph()
    for u, v in graph.edges:
        bends = [(u, v, i) for i in range(row[u] + 1, row[v])]
        row |= {bend: bend[2] for bend in bends}
        nx.add_path(net, [u, *bends, v])
    rows, at = [], {}
    for i in range(min(row.values()), max(row.values()) + 1):  # in the order of what is before; from the side: first
        rows.append(sorted((n for n in row if row[n] == i), key=lambda n: np.mean([at[m] for m in net.pred[n]] or -1)))
        at |= {n: k for k, n in enumerate(rows[-1])}
    # x: short edges, above all those that could be straight, and a distance between neighbours in a row
    eye = dict(zip(row, np.eye(len(row)), strict=True))
    pull = np.zeros((len(row), len(row)))
    for u, v in net.edges:
        straight = net.out_degree(u) == net.in_degree(v) == 1
        pull += (1000 if straight else 1) * np.outer(eye[u] - eye[v], eye[u] - eye[v])
    pairs = [pair for nodes in rows for pair in pairwise(nodes)]
    apart = np.array([eye[b] - eye[a] for a, b in pairs]).reshape(-1, len(row))
    rule = LinearConstraint(apart, [(wide.get(a, 0) + wide.get(b, 0)) / 2 + GAP for a, b in pairs])
    x = minimize(lambda x: x @ pull @ x, apart.sum(0), jac=lambda x: 2 * pull @ x, constraints=rule if pairs else ()).x
    x += left - min(at - wide.get(n, 0) / 2 for n, at in zip(row, x, strict=True))
    y, places, labels = 0.0, {}, [label.count("\n") + 1 for *_, label in graph.edges(data="label") if label]
    for nodes in rows:
        h = max(high.get(n, 0) for n in nodes)
        places |= {n: (x @ eye[n], y - h / 2, wide.get(n, 0), high.get(n, h)) for n in nodes}
        y -= h + 0.27 + LINE * max(labels, default=0)
    return places


def _box(axis: plt.Axes, data: Mapping, x: float, y: float, w: float, h: float) -> None:
    kind, lines = data["kind"], _lines(data)
    grey = kind == "module" and data.get("losses") == set()
    colour = "white" if kind == "stop" else GREY if grey else INK
    look = {"fc": "#E9E9E9" if grey else FILL.get(kind, "white"), "ec": "none" if kind in FILL else colour, "zorder": 2}
    round_ = f"round,pad=0,rounding_size={0.05 if data['detail'] else 0.12}"
    axis.add_patch(FancyBboxPatch((x - w / 2, y - h / 2), w, h, boxstyle=round_, **look))
    for i, line in enumerate(lines):
        font = {"fontsize": 8} if i or kind == "step" else {"fontsize": 9, "weight": "bold"}
        place = y + LINE * ((len(lines) - 1) / 2 - i)
        axis.text(x, place, line, ha="center", va="center", color=colour, zorder=3, **font)


def _arrow(axis: plt.Axes, graph: nx.DiGraph, u: str, v: str, stops: list[tuple]) -> None:
    known, xs, ys, t = graph.graph.get("losses", {}), [], [], np.linspace(0, 1, 30)
    colours = [known[n] for n in known if n in graph.nodes[u]["losses"] & graph.nodes[v]["losses"]]
    for (xa, ya, wa, ha), (xb, yb, wb, hb) in pairwise(stops):
        a, b = (x + np.clip(0.12 * (xb - xa), -w / 3, w / 3) * sign for x, w, sign in ((xa, wa, 1), (xb, wb, -1)))
        top, end = ya - ha / 2, yb + hb / 2
        xs += [*(a + (b - a) * t**2 * (3 - 2 * t))]
        ys += [*(top + (end - top) * t)]
    plain = not known or graph.nodes[u]["kind"] == "input"
    look = {"lw": 2.2 if colours else 1.2, "ls": "-" if colours or plain else "--", "zorder": 1}
    for i, colour in enumerate(colours or [GREY]):
        axis.plot(np.array(xs) + 0.045 * (i - max(len(colours) - 1, 0) / 2), ys, color=colour, **look)
    axis.plot(b, end + 0.04, marker="v", ms=5, color=INK if colours else GREY, zorder=3)
    if label := graph.edges[u, v].get("label"):
        back = {"fc": "white", "ec": "none", "pad": 1}
        axis.text((a + b) / 2, (top + end) / 2, label, ha="center", va="center", fontsize=8, bbox=back, zorder=4)
