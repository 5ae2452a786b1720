# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
#   osteolib:
#     minutes: {smoke: 1, quick: 4, long: 240, paper: 600}
#     needs: [hand-phantom]
#     trains: 8
# ---
# %% [markdown]
# # Four ways to learn without labels
# *Does a network that was never told who is ill arrange bones so that a straight line can tell?*
#
# Few patients have both a hand film and a bone density. Both hand papers {cite:p}`lee2023_hand,lee2025_hand` therefore
# pre-train an encoder on views of bones without labels and then put one linear layer on its frozen features. They compare
# SimCLR {cite:p}`chen2020_simclr`, SupCon {cite:p}`khosla2020_supcon`, SwAV {cite:p}`caron2020_swav` and VICReg
# {cite:p}`bardes2021_vicreg`, and report that extended crops and pre-training carry the result: an AUROC of 0.85 for
# SimCLR on private films.
#
# Those films cannot be had. Simulated hands can show what each step does, whether it works at this size, and how much of
# the attainable it attains. **They never confirm a clinical number, and no value of a paper is answered on this page.**
#
# **You will** pre-train all four with both kinds of crops, watch whether they collapse, ask the frozen features what they
# know, put them beside a random encoder, a plain measurement and the attainable score, and take Figure 5 of the journal
# version apart. About four minutes the first time (`quick`), seconds afterwards.

# %% tags=["parameters"]
profile: str = "quick"  # smoke, quick, long or paper: osteolib/profiles.yaml
seed: int = 0  # of the hands, the split, the first pre-training and the bootstrap
image_size: int | None = None  # pixels along a side of a bone; None: from the profile
backbone: str | None = None  # resnet50 for the papers' sizes; None: from the profile
ssl_epochs: int | None = None  # epochs of each pre-training; None: from the profile
n_seeds: int | None = None  # pre-trainings of each kind; None: from the profile
n_probes: int = 3  # seeds of the linear layer
probe_epochs: int = 100  # epochs of the linear layer; smoke takes five
n_boot: int | None = None  # bootstrap replicates; None: from the profile

# %%
import matplotlib.pyplot as plt
import numpy as np
import osteolib
import pandas as pd
import torch
from osteolib.report import figure, load_or_explain, provenance, say, table, with_ci
from osteolib.report.style import GREY, INK, use_style
from osteolib.segment.bones import film_rows

run = osteolib.start(globals(), "22_hand_ssl")
cohort = load_or_explain(run, "hand-phantom", preset="lee2025", seed=seed,
                         size=film_rows(image_size))

# %% [markdown]
# ## Bones and split
#
# Bones are cut out with the **true** masks, so that nothing on this page is due to a bad segmentation. All bones of a person
# stay on one side of the split. Half of the people train encoder and layer. The other half is two quarters: one chooses the
# epoch of the layer, the other is scored, and then they change places. So one pre-training gives honest scores for half of all
# people. The papers' 8:1:1 would leave about 19 to score, and [so few can show next to nothing](16_replicability.ipynb).

# %%
from osteolib.screen.bone_probe import split_bones
from osteolib.screen.hand_grid import N_FOLDS, cut_segments

hands = cohort.subjects
segments = cut_segments(cohort, image_size)
bones, rows = segments.images, segments.table
subject, y = rows["subject_id"].to_numpy(str), rows["y"].to_numpy()
part = split_bones(rows, y, n_folds=N_FOLDS, seed=seed)
held = part != "train"

# %%
run.fact(n_bones=len(rows), n_hands=len(hands), n_train=len(set(subject[~held])),
         n_test=len(set(subject[held])), n_missing=len(segments.missing),
         n_ill=int(hands["label"].eq("osteoporosis").sum()),
         n_test_ill=len(set(subject[held & (y == 1)])))
say(run, "{n_hands} simulated people, {n_ill} with osteoporosis, give {n_bones} bones; "
    "{n_missing} are not on the film or cut off, and none is made up for them. "
    "{n_train} people train, {n_test} are scored, {n_test_ill} of them ill.")

# %% [markdown]
# ## Two stages
#
# Figures 1 and 4 of the journal version, drawn from one hand of this run: film and masks, seven bones, views of one bone
# (two global, four local) that pull the encoder $f$ and a projection head $g$ together; then $f$ stands still, a linear
# layer reads its features of each whole bone, and a person's score is the mean over the bones present.

# %%
from osteolib.phantoms.hand.truth import read_masks
from osteolib.radiograph import read_radiograph
from osteolib.screen.hand_grid import grid_recipe
from osteolib.views.multicrop import PRESETS, multi_crop

sizes = backbone, ssl_epochs, image_size
recipe = grid_recipe("simclr", "extended", seed, *sizes)
one = hands[hands["n_bones"] == 7].iloc[0]
film = read_radiograph(one["path"]).pixels
mine = rows["subject_id"].eq(one["subject_id"]).to_numpy()
m2 = torch.from_numpy(bones[mine & rows["bone"].eq("M2")])
views = multi_crop(m2[:, None] / 255, torch.Generator().manual_seed(seed), recipe.crops,
                   PRESETS[recipe.augmentation], recipe.min_content)

# %%
use_style()
fig = plt.figure(figsize=(8.8, 3.3))
fig.set_layout_engine("none")
labels = read_masks(one["masks_path"], one["image_id"])


def place(x, y, w, h, image, **options):
    axis = fig.add_axes((x, y, w, h))
    axis.imshow(image, cmap="gray", vmin=0, **options)
    axis.axis("off")
    return axis


axis = place(0.0, 0.12, 0.17, 0.76, film)
_ = axis.contour(labels > 0, [0.5], colors="#E69F00", linewidths=0.7)

# %%
for k, image in enumerate(bones[mine]):
    place(0.19 + 0.065 * (k % 2), 0.68 - 0.19 * (k // 2), 0.06, 0.17, image)
flat = [view for size in views for view in size[:, 0, 0].numpy()]
for k, image in enumerate(flat):
    large = k < 2
    x, high = (0.37, 0.62 - 0.25 * k) if large else (0.475, 0.68 - 0.15 * (k - 2))
    place(x, high, 0.09 if large else 0.05, 0.23 if large else 0.13, image, vmax=1)
for (x, w), text in {(0.56, 0.11): "encoder $f$", (0.7, 0.11): "head $g$"}.items():
    fig.text(x + w / 2, 0.7, text, ha="center", va="center", parse_math=True,
             bbox={"boxstyle": "round,pad=0.5", "fc": "#E8F1F8", "ec": "#0072B2"})
_ = fig.text(0.93, 0.7, "loss between\nviews", ha="center", va="center")

# %%
for x, text in ((0.6, "$f$, frozen"), (0.765, "linear layer"),
                (0.93, "mean over\nbones")):
    box = {"boxstyle": "round,pad=0.5", "fc": "#FBEDE3", "ec": "#D55E00"}
    fig.text(x, 0.28, text, ha="center", va="center", parse_math=True,
             bbox=None if "mean" in text else box)

# %%
for start, end, level in ((0.525, 0.56, 0.7), (0.672, 0.705, 0.7), (0.81, 0.865, 0.7),
                          (0.525, 0.545, 0.28), (0.655, 0.7, 0.28),
                          (0.83, 0.875, 0.28)):
    fig.add_artist(plt.matplotlib.patches.FancyArrowPatch(
        (start, level), (end, level), arrowstyle="-|>", mutation_scale=10, color=INK))
for x, text in ((0.085, "film, masks"), (0.25, "bones"), (0.445, "views of M2"),
                (0.75, "1: without labels")):
    fig.text(x, 0.94, text, ha="center", fontweight="bold", fontsize=9)
fig.text(0.75, 0.46, "2: whole bones, with labels", ha="center", fontweight="bold",
         fontsize=9)
figure(run, "stages", fig, alt="Film with bone outlines, seven bone images, six views "
       "of one bone, and the two stages: pre-training and a linear layer with a vote.")

# %% [markdown]
# ## Pre-training
#
# With embeddings $z_v = g(f(x_v))$ of the views every method minimises one sum over the two global targets and all other
# views,
#
# $$ L = \sum_{i \in \{1, 2\}} \; \sum_{v \ne i} \ell(z_v, z_i) , $$
#
# with its own $\ell$. **SimCLR**: find the other view of the same bone among all bones of the batch. **SupCon**: find any bone of the
# same class; it is shown the labels of training people and of nobody else. **SwAV**: predict to which cluster the other view is assigned,
# with clusters of equal size. **VICReg**: be alike between views, spread over bones, uncorrelated between dimensions.
#
# Each has a trivial answer that must be avoided: the same embedding for every image. The dotted line is the loss of that
# collapse. The lower row shows the spread of the embeddings (0: a point, 1: even on the sphere).

# %%
from osteolib.runs.side_by_side import side_by_side
from osteolib.screen.hand_grid import CONTENT, grid_encoder
from osteolib.ssl.losses import METHODS

NAMES = dict(zip(METHODS, ("SimCLR", "SupCon", "SwAV", "VICReg"), strict=True))
CELLS = [(m, crops, seed + k) for m in METHODS for crops in CONTENT
         for k in range(n_seeds)]
folders = side_by_side(grid_encoder, {
    c: (segments, part, grid_recipe(*c, *sizes)) for c in CELLS})
history = {c: pd.read_parquet(f / "history.parquet") for c, f in folders.items()}

# %%
STYLE = {"conventional": ("#767676", "o"), "extended": ("#D55E00", "^")}
fig, axes = plt.subplots(2, 4, figsize=(8.8, 4.2), sharex=True)
for (m, crops, s), h in history.items():
    column, (colour, marker) = axes[:, METHODS.index(m)], STYLE[crops]
    known = {"color": colour, "marker": marker, "ms": 4, "lw": 1.2}
    column[0].plot(h["epoch"] + 1, h["loss"], label=crops if s == seed else "", **known)
    column[1].plot(h["epoch"] + 1, h["embedding_sd"], **known)
    column[0].axhline(h["collapsed_loss"].iloc[0], color=INK, ls=":")
    column[0].set_title(NAMES[m])
    column[1].set_ylim(0, 1.05)

# %%
axes[0, 0].set_ylabel("loss")
axes[1, 0].set_ylabel("spread of embeddings")
fig.supxlabel("epoch (dotted: the loss of a collapsed encoder)", fontsize=9)
fig.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper right", ncols=2)
figure(run, "collapse", fig, alt="Loss and spread of embeddings by epoch, four methods "
       "and two kinds of crops, with the loss of a collapsed encoder as a dotted line.")

# %%
last = pd.DataFrame({c: h.iloc[-1] for c, h in history.items()}).T
last.index.names = ["method", "crops", "seed"]
ends = last[["loss", "collapsed_loss", "embedding_sd", "effective_rank"]].reset_index()
ends["method"] = ends["method"].map(NAMES)
ends.columns = [*last.index.names, "loss", "collapsed", "spread", "rank"]
table(run, "pretraining", ends.round(2), "Last epoch of each pre-training. Collapsed: "
      "loss of a collapse. Spread: SD of embeddings. Rank: directions they use",
      index=False)
gain = (1 - last["loss"] / last["collapsed_loss"]).groupby("method").mean()
stuck = [NAMES[m] for m in METHODS if gain[m] < 0.01]
run.fact(ssl_epochs=ssl_epochs,
         steps=ssl_epochs * int((~held).sum() // recipe.batch_size),
         stuck=" and ".join(stuck) or "no method", most=NAMES[gain.idxmax()])

# %%
say(run, "{ssl_epochs} epochs are {steps} steps. Farthest below its collapsed loss is "
    "{most}. Within 1 % of it ended: **{stuck}**.")

# %% [markdown]
# SupCon is the one to watch. It is told to put all bones of one class into one place, and on a film the classes can hardly
# be told apart, so pulling a class together pulls everything together. With two unequal classes that is a known failure
# of the method {cite:p}`mildenberger2025`. It needs no bug and no bad luck, only a question that is hard.
#
# ## What do the features know?
#
# Before asking for osteoporosis, ask for something that should be there. On features of training people one linear model
# each is fitted: which of the seven bones is it? Is the person a woman? How thick is the cortex of M2 (ridge regression)? All are
# scored on people who did not train.

# %%
from osteolib.screen.bone_probe import embed
from osteolib.ssl.encoders import build_encoder
from osteolib.ssl.pretrain import load_encoder

torch.manual_seed(seed)
RANDOM = ("random encoder", "none", seed)
encoders = {RANDOM: build_encoder(recipe.encoder)} | {
    c: load_encoder(f, recipe.encoder) for c, f in folders.items()}
features = {c: embed(e, bones, recipe.crops[0].size) for c, e in encoders.items()}
known = rows.merge(hands[["subject_id", "sex", "cortical_percentage"]], on="subject_id")

# %%
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.metrics import accuracy_score, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

def asked(x, model, target, rows):
    """Predictions for held-out rows of a model fitted on training rows."""
    fit, ask = rows & ~held, rows & held
    line = make_pipeline(StandardScaler(), clone(model)).fit(x[fit], target[fit])
    return line, x[ask]

# %%
LOGIT, EVERY = LogisticRegression(C=0.01, max_iter=500), np.full(len(rows), True)
only_m2 = known["bone"].eq("M2").to_numpy()
woman = known["sex"].eq("F").to_numpy(int)
cortex = known["cortical_percentage"].to_numpy()

# %%
def knows(x):
    name, at = asked(x, LOGIT, known["bone"], EVERY)
    sex, _ = asked(x, LOGIT, woman, EVERY)
    thick, m2 = asked(x, RidgeCV(np.logspace(0, 5, 11)), cortex, only_m2)
    votes = pd.Series(sex.predict_proba(at)[:, 1]).groupby(subject[held]).mean()
    truth = pd.Series(woman[held]).groupby(subject[held]).first()
    r = np.corrcoef(thick.predict(m2), cortex[only_m2 & held])[0, 1]
    right = accuracy_score(known["bone"][held], name.predict(at))
    return {"which bone, accuracy": right, "sex, AUROC": roc_auc_score(truth, votes),
            "cortex of M2, r": r}


# %%
seen = pd.DataFrame({c: knows(x) for c, x in features.items()}).T
seen.index = pd.MultiIndex.from_tuples(
    [(NAMES.get(m, m), crops, s) for m, crops, s in seen.index],
    names=["encoder", "crops", "seed"])

# %%
table(run, "knows", seen.round(2), "Simulated people who did not train: what a linear "
      "model reads off the frozen features. By chance: about 0.15, 0.5 and 0")
trained = seen.drop(index="random encoder", level=0)
run.fact(bone_random=seen.iloc[0, 0], bone_low=trained.iloc[:, 0].min(),
         bone_high=trained.iloc[:, 0].max(), r_random=seen.iloc[0, 2],
         r_low=trained.iloc[:, 2].min(), r_high=trained.iloc[:, 2].max())
say(run, "A random encoder names {bone_random:.0%} of the bones correctly, a "
    "pre-trained one {bone_low:.0%} to {bone_high:.0%}. The thickness of M2's cortex, "
    "which decides most of what can be known here, is read with r = "
    "{r_random:.2f} from the random encoder and {r_low:.2f} to {r_high:.2f} "
    "from the pre-trained.")

# %% [markdown]
# Look at the last column before you blame the number of steps: the random encoder took none. Whatever changes between two views of one bone, a method
# is asked to **ignore**: position, size, turn, and with the later recipe brightness and contrast from 50 to 150 %. But bone mineral *is* brightness on a
# film, and at this size a thin cortex is a contrast of one or two pixels, so the light is a suspect. This table does not convict it. The earlier recipe
# leaves the light alone (`augmentation="lee2023"`): pre-train with it, by more than one method and seed, before you believe the story. Sex is no help as
# a control: every bone is scaled to its own length, and there are few men.
#
# ## Probe and vote
#
# Now the question of the papers. The linear layer is trained as they train theirs, the epoch with the highest macro-F1 on the
# choosing quarter counts, and a person's score is the mean over the bones present (Equation 10 of the journal version):
#
# $$ p = \frac{1}{|B|} \sum_{b \in B} p_b . $$

# %%
from osteolib.screen.bone_probe import linear_probe, vote

probe_epochs = 5 if profile == "smoke" else probe_epochs
SWAP = {"test": "validation", "validation": "test"}
ways = part, pd.Series(part).replace(SWAP).to_numpy(str)

# %%
def probed(x):
    """Probability of each held-out bone by each seed of the layer, (n_probes, n)."""
    p = np.full((n_probes, len(y)), np.nan)
    for k in range(n_probes):
        for way in ways:
            now = way == "test"
            layer, _ = linear_probe(x, y, subject, way, seed=seed + k,
                                    epochs=probe_epochs)
            p[k, now] = layer(x[now])
    return p

# %%
each = {c: probed(x) for c, x in features.items()}
scores = {}
for c, p in each.items():
    key = (NAMES.get(c[0], c[0]), c[1])
    scores[key] = np.concatenate([scores[key], p]) if key in scores else p
people = {key: vote(subject[held], y[held], p.mean(0)[held])
          for key, p in scores.items()}

# %% [markdown]
# Two rows beside them need no network: the cortical percentage of M2 as
# [measured automatically](21_hand_segmentation.ipynb) on the film, and its true value. Where it cannot be measured the median
# stands in.

# %%
from osteolib.segment.bones import cortical_percentage

tested = hands.set_index("subject_id").loc[people["random encoder", "none"]["group"]]
measured = np.array([cortical_percentage(
    read_radiograph(r.path).pixels / 255, read_masks(r.masks_path, r.image_id) == 4,
    (r.spacing_mm, r.spacing_mm)).percentage for r in tested.itertuples()])
n_blind = int(np.isnan(measured).sum())
ill = tested["label"].eq("osteoporosis").to_numpy(int)
plain = {("cortex of M2, true", "none"): tested["cortical_percentage"].to_numpy()}
if n_blind < len(tested) / 2:
    filled = np.where(np.isnan(measured), np.nanmedian(measured), measured)
    plain = {("cortex of M2, measured", "none"): filled} | plain

# %%
from osteolib.phantoms.hand.truth import attainable_auroc
from osteolib.stats import bootstrap_ci

CALLED = ("auroc", "ppv", "sensitivity", "f1", "accuracy")
attainable = attainable_auroc(seed=seed)

# %%
def judged(truth, score, metrics=CALLED):
    if (score >= 0.5).sum() < 5:  # no precision of a handful of calls
        metrics = tuple(m for m in metrics if m != "ppv")
    r = bootstrap_ci(truth, score, metrics, n_boot=n_boot, seed=seed,
                     threshold=None if metrics == ("auroc",) else 0.5)
    return {m: (r.estimate[m], *r.ci[m]) for m in metrics}


results = {key: judged(v["y_true"], v["y_score"]) for key, v in people.items()}
results |= {key: judged(ill, -c, ("auroc",)) for key, c in plain.items()}

# %%
def auroc_of(p):
    v = vote(subject[held], y[held], p[held])
    return roc_auc_score(v["y_true"], v["y_score"])



seeds = {key: [auroc_of(p) for p in ps] for key, ps in scores.items()}

# %%
COLUMNS = {"auroc": "AUROC", "ppv": "precision", "sensitivity": "recall", "f1": "F1",
           "accuracy": "accuracy"}
lines = [{"encoder": key[0], "crops": key[1]}
         | {COLUMNS[m]: with_ci(*r[m]) if m in r else "" for m in CALLED}
         | {"AUROC, each seed": " ".join(f"{s:.2f}" for s in seeds.get(key, []))}
         | {"share, %": round(100 * (r["auroc"][0] - 0.5) / (attainable - 0.5))}
         for key, r in results.items()]

# %%
lines = pd.DataFrame(lines)
ranks = ["AUROC", "AUROC, each seed", "share, %"]
table(run, "methods", lines[["encoder", "crops", *ranks]],
      "Our Table 3, simulated people, 95 % intervals that resample people. Share: of "
      "what is attainable above chance", index=False)
called = lines[lines["F1"] != ""].drop(columns=ranks)
table(run, "calls", called, "Our Table 3, continued: calls at 0.5, and no precision of "
      "fewer than five of them", index=False)
for (name, crops), r in results.items():
    for metric, value in r.items():
        run.result(None, f"{metric}, {name}, crops {crops}", value[0], ci=value[1:],
                   n=len(tested), cohort="hand-phantom")

# %%
fig, axis = plt.subplots(figsize=(7.6, 4.6))
for k, (key, r) in enumerate(reversed(results.items())):
    value, low, high = r["auroc"]
    colour, marker = STYLE.get(key[1], ("#0072B2", "s"))
    axis.plot([low, high], [k, k], color=colour, lw=2)
    axis.plot(value, k, marker, color=colour, ms=8)
    axis.plot(seeds.get(key, []), [k + 0.28] * len(seeds.get(key, [])), "|", color=INK,
              ms=6)
axis.set_yticks(range(len(results)), [
    a + ("" if b == "none" else f", {b}") for a, b in reversed(results)])
axis.axvline(0.5, color=GREY, ls=":")
axis.axvline(attainable, color=GREY, ls="--")
axis.set(xlabel="AUROC (dotted: chance; dashed: attainable; small strokes: seeds)")
figure(run, "auroc", fig, alt="AUROC with intervals of every encoder and kind of crops "
       "and of the cortical percentage, with chance and the attainable value as lines.")

# %%
from osteolib.stats import bootstrap_difference


def change(new, old):
    a, b = people[new], people[old]
    d = bootstrap_difference(a["y_true"], b["y_score"], a["y_score"], n_boot=n_boot,
                             seed=seed)
    return d.difference, *d.ci

# %%
ours = [key for key in people if key[0] != "random encoder"]
versus = {key: change(key, ("random encoder", "none")) for key in ours}
crops = {m: change((m, "extended"), (m, "conventional")) for m in NAMES.values()}
gains = pd.DataFrame([
    {"change": f"{' '.join(key)} - random encoder", "AUROC": with_ci(*d)}
    for key, d in versus.items()] + [
    {"change": f"{m}: extended - conventional", "AUROC": with_ci(*d)}
    for m, d in crops.items()])

# %%
table(run, "changes", gains, "Paired changes of the AUROC, simulated people, 95 % CI, "
      "not corrected for their number", index=False)
best = max(ours, key=lambda key: results[key]["auroc"][0])
worst = min(ours, key=lambda key: results[key]["auroc"][0])
run.fact(attainable=attainable, best=", ".join(best), worst=", ".join(worst),
         best_auroc=with_ci(*results[best]["auroc"]), n_cells=len(ours),
         worst_auroc=with_ci(*results[worst]["auroc"]), n_blind=n_blind,
         random=with_ci(*results["random encoder", "none"]["auroc"]),
         cortex=with_ci(*results[next(iter(plain))]["auroc"]), row=next(iter(plain))[0],
         n_above=sum(low > 0 for _, low, _ in versus.values()),
         n_gain=sum(low > 0 for _, low, _ in crops.values()),
         n_loss=sum(high < 0 for *_, high in crops.values()))

# %%
say(run, "Attainable is an AUROC of **{attainable:.2f}**. The {n_cells} rows of "
    "pre-trained encoders lie from {worst_auroc}, {worst}, to **{best_auroc}**, "
    "{best}, a random encoder at {random}. {n_above} of {n_cells} "
    "differences from the random encoder have an interval above zero. Extended crops "
    "help {n_gain} of four methods and harm {n_loss} by that rule. The row *{row}*, "
    "one number without any training, reaches **{cortex}** ({n_blind} people could "
    "not be measured).")

# %% [markdown]
# The random encoder is the row that both papers lack. Features that nobody trained already carry brightness and shape, and a linear
# layer can use them; what pre-training adds is the difference from that row. The best of eight is picked after the fact and looks
# better than it is. And a measurement that a ruler could make belongs into every such table: here it is what a network has to beat.
#
# Nothing in this says that pre-training fails on real films: these are a small network, small views and few steps. It says that at this
# size a table of methods, each with one decimal more than its interval allows, would rank luck. What the papers print is shown for
# reference and is **not comparable**: private films, other sizes, and in the earlier paper bones instead of people.

# %%
from osteolib.report.published import load_published

printed = pd.concat([load_published("lee2023_hand"), load_published("lee2025_hand")])
wanted = r"lee2023_hand\.T2\..*auc\.(?:conv|ext)$|lee2025_hand\.T3\..*\.auc$"
printed = printed[printed["published_id"].str.contains(wanted)]
table(run, "printed", printed[["paper", "source", "of", "reported", "spread"]],
      "Printed AUROC of both papers, for reference only", index=False)

# %% [markdown]
# ## Which bone matters?
#
# Figure 5 of the journal version shows the mean probability of each bone in **true positives** of SimCLR and reads from it that M2,
# radius and ulna contribute most. But a bone whose probability is high in everybody would look as important, and true positives are people
# chosen for high probabilities. So here are the same means for everyone else too, and the AUROC of each bone alone.

# %%
from osteolib.phantoms.hand.shapes import BONES

SHOWN = ("SimCLR", "extended")
by_bone = rows.assign(p=scores[SHOWN].mean(0))[held].merge(
    people[SHOWN][["group", "y_score"]], left_on="subject_id", right_on="group")
called, sick = by_bone["y_score"] > 0.5, by_bone["y"].eq(1)
GROUPS = {"true positives": called & sick, "all with osteoporosis": sick,
          "all without": ~sick, "false positives": called & ~sick}
means = pd.DataFrame({name: by_bone[who].groupby("bone")["p"].mean()
                      for name, who in GROUPS.items()}).reindex(BONES)
alone = {b: judged(d["y"], d["p"], ("auroc",))["auroc"]
         for b, d in by_bone.groupby("bone")}

# %%
COLOURS = ("#D55E00", "#E69F00", "#0072B2", "#56B4E9")
fig, (left, right) = plt.subplots(1, 2, figsize=(8.8, 3.5))
for name, colour, marker in zip(means, COLOURS, "^sov", strict=True):
    count = by_bone[GROUPS[name]]["subject_id"].nunique()
    left.plot(BONES, means[name], marker, ls="-", color=colour,
              label=f"{name}, n = {count}")
for k, b in enumerate(BONES):
    right.plot([k, k], alone[b][1:], color=INK)
    right.plot(k, alone[b][0], "o", color=INK)
right.axhline(0.5, color=GREY, ls=":")
right.set_xticks(range(7), BONES)
left.set(ylabel="mean probability")
_ = right.set(ylabel="AUROC of the bone alone")

# %%
fig.legend(loc="outside lower center", ncols=2)
figure(run, "bones", fig, alt="Left: mean probability per bone for true positives, all "
       "ill, all healthy and false positives. Right: AUROC of each bone alone.")
tp = means["true positives"]
run.fact(highest="nobody is a true positive" if tp.isna().all() else str(tp.idxmax()),
         n_tp=by_bone[called & sick]["subject_id"].nunique(),
         best_bone=(top := max(alone, key=lambda b: alone[b][0])),
         bone_auroc=with_ci(*alone[top]), offset=np.ptp(means["all without"]),
         gap=(means["all with osteoporosis"] - means["all without"]).abs().max())
say(run, "{n_tp} people are true positives; highest in them: {highest}. By itself "
    "{best_bone} separates best, {bone_auroc}. In people **without** the disease the "
    "means already differ between bones by up to {offset:.2f}; between all ill and all "
    "others they differ, in any one bone, by at most {gap:.2f}.")

# %% [markdown]
# True positives lie above ½ on average because that is how they were chosen, and so do false positives. Only the distance between
# *all* ill and *all* others, or a bone's own AUROC, says that a bone knows something. The paper's figure shows neither.
#
# ```{admonition} Deviations, and what the papers leave open
# :class: note
# - **Masks** are the phantom's true ones: no bone is lost to a bad mask.
# - **Size.** In `quick` a half-width ResNet-18, 64 and 32 px views, 8 epochs, batches of 64, one seed of the pre-training. The
#   papers train ResNet-50 at 224 and 96 px with batches of 128, three seeds, and print no number of epochs; `paper` takes 100.
# - **Split** 2:1:1 with test and validation changing places, for 8:1:1. One drawing of it: its luck is not in the intervals, nor is that
#   of the pre-training.
# - **Other films.** The journal version also pre-trains on 1,154 public hands; here the encoder sees the training half alone.
# - **SupCon** sees the labels of training people. The papers do not say whose labels it saw.
# - **SwAV** uses ε = 0.03. With its authors' 0.05 its loss stayed at that of a collapsed encoder, in a trial that is not on this page; they warn
#   of values that are too high.
# - **Learning rate, temperature, areas of crops** are those of the methods' own papers: neither hand paper prints them.
# ```
#
# ```{admonition} Exercise
# :class: tip
# The vote is a mean over up to seven bones. Does it beat the average single bone? Predict, then compare the AUROC of the vote with
# the mean of the AUROCs of the bones alone.
# ```

# %% tags=["solution"]
single = np.mean([a[0] for a in alone.values()])
together = results[SHOWN]["auroc"][0]
print(f"vote {together:.2f}, mean of single bones {single:.2f}")
# bones of one person share what is known and each adds noise of its own: averaging
# helps unless nothing is known, when both are chance
assert together > single - 0.06

# %% [markdown]
# **Take away.** Put a random encoder, a plain measurement, the attainable score and an interval over people beside every pre-trained encoder,
# and ask its features first for something that should be there. Without these a table of methods ranks luck.

# %%
provenance(run)
