# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
#   osteolib:
#     minutes: {smoke: 2, quick: 6, long: 90, paper: 900}
#     needs: [strnet-stage1, knee-wani]
#     records: [stage1-image-0, stage1-bytes-0, stage1-picture-0, stage1-film-0, stage1-image-1, stage1-bytes-1, stage1-picture-1, stage1-film-1, stage1-image-2, stage1-bytes-2, stage1-picture-2, stage1-film-2, stage1-image-random-0, stage1-film-random-0]
#     trains: 2
# ---
# %% [markdown]
# # One model, four splits
# *The same films, the same network, the same rule for the threshold. Only one thing changes: what may not be torn apart
# when the films are dealt out to training and test. How much of the score goes with it?*
#
# STR-Net {cite:p}`strnet2026_knee` splits its larger stage by image and names the risk itself, as the first of its limitations
# after the labels: without patient identifiers, pictures of one person may stand on both sides. [The page on the films](25_stage1_films.ipynb)
# counts how often one film stands in the public set. Here that count becomes an AUROC.
#
# **You will** split one set four ways, let four simple models and one network loose on each, ask a model that can only look
# up the nearest picture, and see what is left when nothing can be remembered. About six minutes to run (`quick`), half an
# hour to work through.

# %% tags=["parameters"]
profile: str = "quick"  # smoke, quick, long or paper: osteolib/profiles.yaml
initialisation: str = "imagenet"  # of the network; or "none"
feature_size: int = 160  # pixels along each side of a knee for the frozen features
seed: int = 0  # seed of folds, splits, weights, augmentation and bootstrap
backbone: str | None = None  # resnet18, resnet50, efficientnet_lite0; None: profile
split_size: int | None = None  # pixels of the network; None: from the profile
split_epochs: int | None = None  # of the network; None: from the profile
n_folds: int | None = None  # folds of the simple models; None: from the profile
n_boot: int | None = None  # bootstrap replicates; None: from the profile

# %% tags=["hide-input"]
from dataclasses import asdict

import osteolib
from osteolib.report import figure, load_or_explain, provenance, say, table
from osteolib.report import split_networks, split_page, split_seeds, split_tables
from osteolib.report.published import load_published
from osteolib.report.recorded import training_size
from osteolib.runs.recorded import list_cells

run = osteolib.start(globals(), "26_stage1_splits")
stage1 = load_or_explain(run, "strnet-stage1")
paper = load_published("strnet2026_knee").set_index("published_id")
paper.index = paper.index.str.removeprefix("strnet2026_knee.")

# %% tags=["hide-input"]
people = load_or_explain(run, "knee-wani", cross_class_duplicates="keep")

# %% [markdown]
# ## Four ways to deal out one set
#
# Let $g(i)$ be the group of knee $i$. A split is a map of groups to folds, so that
#
# $$ g(i) = g(j) \;\Rightarrow\; \text{fold}(i) = \text{fold}(j) . $$
#
# By **image**, each knee is its own group, as in the paper. By **bytes**, identical files stay together; by **picture**, also
# the same picture resized or stored anew; by **film**, also the knees cut out of one film. Each way is stratified by bone loss.

# %%
from osteolib.screen.copy_splits import folds_by, with_rows

knees = with_rows(stage1.subjects, people.subjects)
folds = {split: folds_by(knees, split, n_folds, seed)
         for split in ("image", "bytes", "picture", "film")}

# %% tags=["hide-input"]
across = split_page.copies_across(knees, n_folds, seed)
shown = across.astype(object)
for grade in split_page.GRADES:
    shown[grade] = across[grade].map("{:.0%}".format)
table(run, "across", shown, f"{len(knees):,} knees in {n_folds} folds: groups, and "
      "the share of test knees of which training holds the same bytes, picture or film")
run.fact(n_knees=f"{len(knees):,}", seen=across.loc["by image", "the same film"],
         seen_picture=across.loc["by image", "the same picture"])
say(run, "Split by image, **{seen:.0%}** of the tested knees stand in training as "
    "another file of the same film, {seen_picture:.0%} as the same picture.")

# %% [markdown]
# ## Four simple models
#
# Two read the frozen features of an EfficientNet-Lite0 that was trained on photographs: a logistic regression that is free to
# use all of them, and one that is held to 100 principal components. The third has no idea of bones: it looks up the five
# training pictures that are nearest in grey values and repeats their labels. The fourth does not open the picture: it knows
# the sides, the bytes and the format of the original file.

# %%
from osteolib.screen.copies import views

looked_at = views(knees, feature_size)
compared, scores = split_page.compare_splits(knees, looked_at, n_folds, n_boot, seed)

# %% [markdown]
# ## And a network
#
# STR-Net as the paper describes it, on one split into a seventh for test, a seventh for validation and the rest, the paper's
# shares. Two are trained here at a small size, split by image and by film; longer ones are recorded.

# %%
from osteolib.runs.side_by_side import side_by_side
from osteolib.screen.knee_folds import Recipe
from osteolib.screen.stage1_cells import recording
from osteolib.screen.starts import as_started

recipe = as_started(Recipe(backbone, image_size=split_size, epochs=split_epochs,
                           seed=seed), initialisation)
calls = {split: (stage1, split, recipe) for split in ("image", "film")}
trained = side_by_side(recording, calls)

# %% tags=["hide-input"]
live = {split: done.predictions for split, done in trained.items()}
networks = split_tables.networks_auroc(trained)
printed = paper.loc["test.auroc", "value"], paper.loc["ext.auroc", "value"]
figure(run, "splits", split_page.splits_figure(compared, *printed, networks),
       alt="AUROC for bone loss of four simple models and a network when the films are "
           "split by image, by bytes, by picture and by source film, beside the "
           f"printed values. {compared.words()}.")
compared.record(run, "strnet-stage1",
                difference="{metric} difference, {method} - {reference}")
table(run, "auroc", split_page.by_split(compared), "AUROC for bone loss, out of fold "
      "(95 % CI; films drawn), and by film less by image", index=False)
words = split_page.in_words(compared, knees, printed[0])
run.fact(**words)
say(run, words["sentence"])

# %% [markdown]
# ## Figures 4, 5, 7 and 8, Tables 4 and 5, and ours
#
# The threshold is chosen on the validation knees by the paper's rule (Equation 2). Printed numbers stand above ours for
# orientation, not for a verdict: neither the paper's 1,570 films nor its split are known. The figure shows the recorded
# networks where there are some, else those of this page.

# %% tags=["hide-input"]
cells = [name for name in list_cells() if name.startswith("stage1-")]
t_class = knees.set_index("unit_id")["wani_label"].dropna()
made, missing = split_tables.network_table(live, training_size(asdict(recipe)), cells,
                                           paper, t_class, n_boot, seed)
shown = split_networks.longest_trained(
    {split: (done.history, done.predictions) for split, done in trained.items()}, seed)
figure(run, "networks_figure", split_networks.network_panels(shown),
       alt="For each split: validation AUPRC and AUROC by epoch, ROC curve with the "
           "operating point, confusion matrix at it, predicted against true T-scores.")
longer = split_tables.recorded_networks(trained, seed)
run.fact(**split_tables.networks_in_words(networks, split_epochs, longer),
         n_cells=len(cells), n_recorded=len(cells) - len(missing))
say(run, run.facts["networks_sentence"])
about = "test knees of one split each (95 % CI; films drawn)"
for name, columns, what, folded in (
        ("networks", split_tables.SCREENING, "screening", "Each network"),
        ("other_heads", split_tables.OTHER_HEADS, "other heads", "The other heads")):
    table(run, name, made[["network", "split", *columns]],
          f"STR-Net on Stage 1, {what}: {about}", index=False, group="network",
          folded=folded)
say(run, "Of {n_cells} longer runs that are declared, {n_recorded} are recorded.")
split_seeds.show_seeds(run, split_seeds.recorded_aurocs())

# %% [markdown]
# ## How much of it is memory?
#
# Split by bytes, some test knees still have their picture in training, as another file, and some have no copy of any kind. The
# same models score both. The two kinds of knees differ in other ways, too: what was copied once was copied often.

# %% tags=["hide-input"]
table(run, "memory", split_tables.with_and_without(
    knees, scores["bytes"], looked_at, n_boot, seed), "Split by bytes: AUROC (95 % CI) "
    "of test knees with and without a copy in training", index=False)

# %% [markdown]
# ## What is left, and what it may be made of
#
# Split by film nothing can be looked up. But a film also tells where it came from: classes differ in the size of their files
# and in how many show both legs. So count only pairs of a case and a normal of **one layout and one size class**; within
# these, neither says anything.

# %%
left = split_tables.beyond_shortcuts(knees, scores["film"], n_boot, seed)

# %% tags=["hide-input"]
table(run, "left", left.table(head="model"), "Split by film: AUROC over all pairs, and "
      "over pairs of one layout and size class", index=False)
left.record(run, "strnet-stage1", "AUROC by film, {metric}, {method}")
run.fact(**split_page.left_in_words(left))
say(run, run.facts["left_sentence"])

# %% [markdown]
# ## Other labels, another stage
#
# The label of a file is its folder. Where the film is one of `knee-wani`, that set's T-score (ultrasound of the heel) gives
# a second label, and the two often differ. And the paper's Stage 2 *is* `knee-wani`: what does a model say of it that learned
# from all other files of Stage 1?

# %% tags=["hide-input"]
shown, words = split_tables.labels_in_words(split_tables.under_both_labels(
    knees, looked_at, n_folds, n_boot, seed))
table(run, "labels", shown, "The knees whose film is one of knee-wani's: AUROC (95 % "
      "CI) by the label that is learned and tested", index=False)
run.fact(**words)
say(run, words["labels_sentence"])
stage2, about = split_tables.stage_table(knees, looked_at, n_boot, seed)
run.fact(**about)
table(run, "stage2", stage2, "Fitted on the other files of Stage 1, tested on the "
      "files that are knee-wani's", index=False)
say(run, "Of the {stage2_films} films in that test, {stage2_known} stand in training "
    "under other bytes. To learn from Stage 1 without any film of Stage 2 leaves "
    "**{films_left} films**: the two stages are no two sources.")

# %% [markdown]
# ```{admonition} What it means for the printed 0.933
# :class: note
# Its text says how it split, and warns that the split cannot exclude copies. Its files, exclusions and split are not
# published, and it announces an audit by perceptual hash: if that removed the copies, little of this page applies to its
# 0.933. What the page shows is what the split that is *described* can yield on the set that is *named*. Nobody has to have
# acted wrongly for that: the redistributions copied each other, and a folder of files does not say so.
# ```
#
# ```{admonition} Where we deviate
# :class: warning
# - Not all of the 1,947 files, most osteopenia films missing; reduced copies of 640 pixels; no exclusions by eye.
# - Films of both knees are cut by our rule. Groups by picture and film are inferred from pixels, people are unknown: two films
#   of one person still count as two.
# - The network is the one that can be had here, smaller and shorter than the paper's; class weights as the text has them.
# - Simple models are out of fold over all knees, networks tested on one seventh: their intervals differ for that reason.
# - The paper merges Stage 2 with its own split files; here Stage 2's files lie inside the set, as they do in public.
# ```
#
# ```{admonition} Exercise
# :class: tip
# Take the labels away: shuffle them among *pictures*, so that copies keep a common label. What do the five nearest pictures
# score when split by image, and when split by film?
# ```

# %% tags=["solution"]
import numpy as np
from osteolib.screen.copies import NEAREST, out_of_fold_scores
from sklearn.metrics import roc_auc_score

codes = knees["source_group"].astype("category").cat.codes.to_numpy()
given = np.random.default_rng(seed).permutation(codes.max() + 1) % 2
senseless = knees.assign(label=np.where(given[codes], "osteopenia", "normal"))
nearest = {split: roc_auc_score(given[codes], out_of_fold_scores(
    senseless, {NEAREST: looked_at[NEAREST]}, split, n_folds, seed)[NEAREST])
    for split in ("image", "film")}
print({split: round(auroc, 2) for split, auroc in nearest.items()})
# labels that mean nothing are remembered by image, and cannot be by film
assert nearest["image"] > 0.75 and nearest["film"] < 0.65

# %% [markdown]
# **Take away.** A test set answers the question that its split asks. Split by image, this set asks how well a model remembers;
# split by film, how well it reads a film it has never met.

# %% tags=["hide-input"]
provenance(run)
