# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
#   osteolib:
#     minutes: {smoke: 0.5, quick: 0.5, long: 1, paper: 1}
#     needs: [knee-phantom, knee-wani]
# ---
# %% [markdown]
# # How STR-Net is built
# *A paper draws its network once, by hand. What does the network that is run look like, and what trains which part?*
#
# Figures 1 to 3 of STR-Net {cite:p}`strnet2026_knee` show whose films went in, the path of an image, and the module that
# routes it to three tasks. Here the same three are drawn from the running objects: a batch goes through the network, every
# part that it passes becomes a box, and every gradient that comes back becomes a line. A drawing of this kind cannot
# differ from the code.
#
# **You will** follow one film to the network's input, read the network and both versions of its routing module, find a part
# that no loss trains, and hold the flow of films as published beside the flow that we can count. Under a minute to run,
# thirty to work through.

# %% tags=["parameters"]
profile: str = "quick"  # smoke, quick, long or paper: osteolib/profiles.yaml
architecture: str = "resnet50"  # the backbone, as in the paper; or resnet18
seed: int = 0  # seed of weights, phantom and augmentation
image_size: int | None = None  # pixels; None: from the profile
n_folds: int | None = None  # grouped folds; None: from the profile

# %%
import osteolib
from osteolib.report import figure, load_or_explain, schematic
from osteolib.report import provenance, say, table

run = osteolib.start(globals(), "06_knee_network")
phantom = load_or_explain(run, "knee-phantom", n_subjects=40, seed=seed)

# %% [markdown]
# ## From film to input
#
# Section 2.2 in pictures, on a phantom film of both legs; a real one follows at the end of the page. The legs are found and
# cut apart (blue). Otsu's threshold {cite:p}`otsu1979` finds the foreground of each (orange), which is cropped with a
# margin; grey values are clipped at the 1st and 99th percentile; the crop is resized to a square, whatever its shape was.
# The last three pictures are what training sees.

# %%
import torch
from osteolib.radiograph import normalise_intensity, otsu_crop, resize, to_tensor_range
from osteolib.radiograph.augment import augment


def stages(leg):
    left, top, right, bottom = field = otsu_crop(leg)
    crop = leg[top:bottom, left:right]
    clipped = normalise_intensity(crop)
    square = to_tensor_range(resize(clipped, image_size))
    copies = torch.from_numpy(square).expand(3, 1, -1, -1)
    moved = augment(copies, torch.Generator().manual_seed(seed))[:, 0].numpy()
    return [leg, crop, clipped, square, *moved], field


# %%
import matplotlib.pyplot as plt
import networkx as nx
import numpy as np
import pandas as pd
from matplotlib.patches import Rectangle
from osteolib.report.style import use_style

STEPS = ["1 film", "2 one leg", "3 foreground", "4 clipped", "5 resized",
         "augmented", "augmented", "augmented"]


def outline(axis, box, colour):
    x0, y0, x1, y1 = box
    axis.add_patch(Rectangle((x0, y0), x1 - x0, y1 - y0, fill=False, ec=colour, lw=2))

# %%
def draw_stages(film, boxes):
    x0, y0, x1, y1 = boxes[0]
    pictures, field = stages(film[y0:y1, x0:x1])
    use_style()
    fig, axes = plt.subplots(2, 4, figsize=(6.6, 4.1))
    for axis, step, picture in zip(axes.flat, STEPS, [film, *pictures], strict=True):
        low, high = (0, 255) if picture.dtype == "uint8" else (-2, 2)
        axis.imshow(picture, cmap="gray", vmin=low, vmax=high)
        title = f"{step}\n{picture.shape[1]} × {picture.shape[0]}"
        axis.set_title(title, fontsize=9, weight="normal", loc="center")
        axis.set(anchor="N", frame_on=False, xticks=[], yticks=[])
    outline(axes.flat[0], boxes[0], "#56B4E9")
    outline(axes.flat[0], boxes[1], "#56B4E9")
    outline(axes.flat[1], field, "#E69F00")
    return fig

# %%
from osteolib.radiograph import read_radiograph

BOX = ["x0", "y0", "x1", "y1"]
legs = phantom.subjects[phantom.subjects["film_layout"] == "bilateral"]
legs = legs[legs["image_id"] == legs["image_id"].iloc[0]]
film = read_radiograph(legs["path"].iloc[0]).pixels
figure(run, "stages_phantom", draw_stages(film, legs[BOX].astype(int).to_numpy()),
       alt="A phantom film of both legs, one leg cut out, its foreground, clipped and "
           "resized, and three augmented versions.")

# %% [markdown]
# ## The network
#
# Under each name: what the part is, the shape of what it passes on, its number of parameters. The coloured lines are the
# gradients of the three losses of Equation 1, each as far back as it reaches. Follow them upwards.

# %%
from osteolib.screen.knee_folds import covariates_of, knee_images
from osteolib.screen.strnet import STRNet, encode_targets, gradient_reach

some = phantom.subjects.groupby("label").head(1)
pixels = torch.from_numpy(to_tensor_range(knee_images(some, image_size)))[:, None]
batch = (pixels, torch.from_numpy(covariates_of(some)))
truth = encode_targets(some["label"], some["t_score"])
torch.manual_seed(seed)
nets = {tarr: STRNet(architecture, tarr) for tarr in ("released", "text")}
LOSSES = ["screen", "severity", "t_score"]
reach = {tarr: gradient_reach(net, batch[0], truth, batch[1])[LOSSES]
         for tarr, net in nets.items()}
total = {tarr: sum(p.numel() for p in net.parameters()) for tarr, net in nets.items()}

# %%
network = schematic.trace(nets["released"], batch)
coloured = schematic.with_gradients(network, reach["released"])
untrained = reach["released"].index[(reach["released"] == 0).all(axis=1)]
title = f"STR-Net, routing as released: {total['released']:,} parameters"
figure(run, "network", schematic.draw({title: coloured}),
    alt="Graph of STR-Net from images and covariates to three outputs. The gradients "
        "of screening and severity reach the backbone; that of the T-score ends at a "
        f"stop-gradient, and no loss reaches {', '.join(untrained)}.")

# %%
own = reach["released"].index[reach["released"]["t_score"] > 0]
run.fact(
    released=total["released"],
    text=total["text"],
    untrained=", ".join(f"`{part}`" for part in untrained),
    own=", ".join(f"`{part}`" for part in own),
    idle=sum(d["parameters"] for n, d in network.nodes.items() if n in untrained),
)
say(
    run,
    "The T-score's loss trains {own}, and nothing before the stop-gradient. "
    "**No loss at all trains {untrained}**: its {idle:,} parameters stay the random "
    "numbers they started as, and the T-score is read through them.",
)

# %% [markdown]
# So the T-score cannot teach the image features anything, and whatever a model with this branch gains in screening over one
# without must come from elsewhere. The text of the paper has the stop at the same place; what follows from it is not said.
#
# ## Two routing modules
#
# The text and the released code describe two different modules for task-aware representation routing (TARR). Here is the way
# from the neck to the screening head in both; the other two routes are alike.

# %%
routes = {}
for tarr, net in nets.items():
    graph = schematic.trace(net, batch, opened=["tarr.screen"])
    between = nx.ancestors(graph, "screen_head") - nx.ancestors(graph, "neck")
    graph.remove_nodes_from(set(graph) - between - {"screen_head"})
    where = "code" if tarr == "released" else "text"
    title = f"As in the {where}: {total[tarr]:,} parameters in the whole network"
    routes[title] = schematic.with_gradients(graph, reach[tarr])
figure(run, "tarr", schematic.draw(routes),
       alt="The screening route twice. Code: a shared layer, then gate and adapter, "
           "multiplied and added. Text: a scale, then one projection.")

# %%
from osteolib.report.published import load_published

value = load_published("strnet2026_knee").set_index("published_id")["value"]
value.index = value.index.str.removeprefix("strnet2026_knee.")
stated = value["T2.params"]
if architecture == "resnet50":
    run.result("strnet2026_knee.T2.params", "method_check",
               round(total["released"] / 1e6, 2) == stated, n=1, cohort="knee-phantom")
run.fact(stated=stated)
say(run, "Counted: {released:,} with the released module and {text:,} with the "
    "module of the text. The paper states about {stated} million.")

# %%
inside = schematic.trace(nets["released"].backbone, batch[:1])
parts = pd.DataFrame.from_dict(dict(inside.nodes.items()), orient="index")
parts = parts[parts["kind"] == "module"]
parts["what it is"] = parts["detail"].str.split("\n").str[0]
parts["shape passed on"] = [" × ".join(f"{n:,}" for n in s) for s in parts["shape"]]
columns = ["title", "what it is", "shape passed on", "parameters"]
table(run, "backbone", parts[columns].rename(columns={"title": "part"}),
      "Inside the backbone, in the order of computation", index=False)

# %% [markdown]
# ## A flow of films, as published
#
# The flow chart of Figure 1 ends in 1,570 knees. We have the films of one of its two sources, so its chart stands here as
# printed, and only the sums are ours. Does it add up?

# %%
n = value.dropna()
n = n[n == n.round()].astype(int)
sums = [(what, n[whole], sum(n[part] for part in parts)) for what, whole, *parts in (
    ("Stage 1, source films", "flow.s1", "flow.s1_single", "flow.s1_bi"),
    ("Stage 2, source films", "flow.s2", "flow.s2_single", "flow.s2_bi"),
    ("knees of both stages", "n_dev", "stage1.n", "stage2.n"),
    ("knees of the split", "n_dev", "T1.Total.train", "T1.Total.val", "T1.Total.test"),
    ("knees of the classes", "n_dev", "T1.Normal.total", "T1.BoneLoss.total"))]
sums = pd.DataFrame(sums, columns=["what", "printed", "sum of its parts"])
sums["agrees"] = np.where(sums["printed"] == sums["sum of its parts"], "yes", "no")
table(run, "sums", sums, "Published counts, added up", index=False)

# %%
from itertools import pairwise


def chain(graph, *steps):
    for title, detail, kind, _ in steps:
        graph.add_node(title, title=title, detail=detail, kind=kind)
    for (before, *_), (after, *_, label) in pairwise(steps):
        graph.add_edge(before, after, label=label)


# %%
def source(i):
    films, single, both = (n[f"flow.s{i}{part}"] for part in ("", "_single", "_bi"))
    knees, kept = single + 2 * both, n[f"stage{i}.n"]
    gone = knees - kept
    run.fact(**{f"knees_{i}": knees, f"gone_{i}": gone, f"share_{i}": gone / knees})
    start = f"Stage {i}: {single:,} single, {both} of both legs"
    return ((f"{films:,} films", start, "published", ""),
            (f"{knees:,} knees", "if all cut: our sum", "box", ""),
            (f"{kept:,} knees", f"used, Stage {i}", "published",
             f"− {gone:,}, reasons\nnot counted"))

# %%
everyone = (f"{n['n_dev']:,} knees", "development", "published", "")
parts = [(f"{n[f'T1.Total.{part}']:,} {name}", "knees", "published", "") for part, name
         in (("train", "training"), ("val", "validation"), ("test", "internal test"))]
external = (f"{n['flow.ext']} external", "people of another hospital", "published",
            f"threshold {value['thr.tau']}")
chart = nx.DiGraph()
chain(chart, *source(1), everyone, parts[0])
chain(chart, *source(2), everyone, parts[1], external)
chain(chart, everyone, parts[2])
figure(run, "flow_published", schematic.draw({"As published": chart}),
       alt="Flow chart of the paper's counts: two sources, cut into knees, reduced to "
           "two cohorts, joined, split in three; the threshold goes to a third cohort.")

# %%
say(
    run,
    "Every sum holds. But {gone_1:,} of {knees_1:,} knees of Stage 1 "
    "({share_1:.0%}) and {gone_2} of {knees_2} of Stage 2 ({share_2:.0%}) are gone, "
    "and the paper does not say how many for which reason.",
)

# %% [markdown]
# The figure's caption takes Stage 1 from the larger set and Stage 2 from the one with ages and T-scores; Section 2.1 names
# the two sources the other way round. The caption is right: the counts, ages and T-scores of Stage 2 are those of the table
# in {cite:p}`wani2021_data`, which we have.
#
# ## The real films
#
# That source again: first the steps on one of its films, then what becomes of all of them here.

# %%
real = load_or_explain(run, "knee-wani")

# %%
from osteolib.radiograph import mask_markers

knees = real.subjects
legs = knees[knees["image_id"] == "OP23"]  # one where the crop has something to do
film, _ = mask_markers(read_radiograph(legs["path"].iloc[0]).pixels)
figure(run, "stages_real", draw_stages(film, legs[BOX].astype(int).to_numpy()),
       alt="A real film of both legs, one leg cut out, its foreground, clipped and "
           "resized, and three augmented versions.")

# %%
import textwrap

from osteolib.cohorts import flow

counts = flow(real).set_index("step")["subjects"]
why = "\n".join(textwrap.fill(f"− {-count} {step.removeprefix('left out: ')}", 26)
                for step, count in counts.iloc[1:-1].items())
films = knees.drop_duplicates("image_id")["film_layout"].value_counts()
films = "one a person: " + ", ".join(f"{k} {layout}" for layout, k in films.items())
ours = nx.DiGraph()
chain(ours, (f"{counts.iloc[0]} people", "rows of the table", "box", ""),
      (f"{counts.iloc[-1]} films", films, "box", why),
      (f"{len(knees)} knees", "all that are found", "box", ""),
      (f"{n_folds} folds", "by person; each knee is tested once", "box", ""))

# %%
printed = nx.DiGraph()
chain(printed, *source(2), everyone)
flows = {"Stage 2, as published": printed, "The same source, here": ours}
figure(run, "flow_ours", schematic.draw(flows),
       alt="Two flow charts of one source. Published: " + ", ".join(printed)
           + ". Here: " + ", ".join(ours) + ".")
run.fact(people=int(counts.iloc[0]), kept=int(counts.iloc[-1]), n_knees=len(knees),
         lost=int(counts.iloc[0] - counts.iloc[-1]))
say(run, "Here {lost} of {people} people leave, each for a stated reason, and every "
    "knee of the others stays: {n_knees}.")

# %% [markdown]
# ```{admonition} Where we deviate
# :class: warning
# The films of Stage 1 and of the external cohort are not here, so their boxes hold printed numbers only; nothing was
# recounted. The network has random weights: which parts a gradient reaches depends on the wiring, not on the weights.
# ```
#
# ```{admonition} Exercise
# :class: tip
# `STRNet(stop_gradient="route")` stops the T-score's gradient before its own route instead of behind it. Which box changes
# its colour? Does the backbone learn from T-scores then? Predict, then draw it.
# ```

# %% tags=["solution"]
moved = STRNet("resnet18", stop_gradient="route")  # smaller, with the same wiring
after = gradient_reach(moved, batch[0], truth, batch[1])[LOSSES]
graph = schematic.with_gradients(schematic.trace(moved, batch), after)
schematic.draw({"Stopped before the route": graph})
print(after["t_score"].round(3).to_string())
assert after.at["tarr.t_score", "t_score"] > 0 == after.at["backbone", "t_score"]

# %% [markdown]
# **Take away.** Draw a network from the object that runs, and draw the gradients with it: a box in a figure does not say
# that anything trains it. And add up a flow chart before believing it; where numbers leave, ask for the reason.

# %%
provenance(run)
