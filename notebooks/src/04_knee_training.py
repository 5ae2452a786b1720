# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
#   osteolib:
#     minutes: {smoke: 0.5, quick: 4, long: 14, paper: 400}
#     needs: [knee-wani]
#     records: [knee-wani-0, knee-wani-imagenet-0]
#     trains: 5
# ---
# %% [markdown]
# # Training STR-Net on the real knees
# *Given the films, what does the network see that age does not?*
#
# STR-Net {cite:p}`strnet2026_knee` is a ResNet-50 {cite:p}`he2016_resnet` with three heads, started from weights learned
# on photographs. Where torch's cache holds those weights they are taken; else the network is an EfficientNet-Lite0, whose
# ImageNet weights install as a package. It learns from a few hundred knees. That is a hard task, and the result is printed
# as it comes, beside age alone.
#
# **You will** prepare films as the paper does, see where each loss reaches, train in grouped folds, set the score beside
# age on the same knees, and choose a threshold inside each fold. About four minutes to run (`quick`), half an hour to
# work through.

# %% tags=["parameters"]
cohort: str = "knee-wani"  # or your own films of knees: osteolib data add
profile: str = "quick"  # smoke, quick, long or paper: osteolib/profiles.yaml
tarr: str = "released"  # routing module as in the released code, or "text"
class_weights: str = "text"  # rule for the weights of the classes, or "released"
initialisation: str = "imagenet"  # or "none", or the path of a weights file
seed: int = 0  # seed of folds, weights, augmentation and bootstrap
image_size: int | None = None  # pixels; None: from the profile
backbone: str | None = None  # resnet18, resnet50, efficientnet_lite0; None: profile
epochs: int | None = None  # None: from the profile
n_folds: int | None = None  # grouped folds; None: from the profile
n_boot: int | None = None  # bootstrap replicates; None: from the profile

# %% tags=["hide-input"]
from dataclasses import asdict

import osteolib
import torch
from osteolib.report import figure, knee_results, knee_settings
from osteolib.report import knee_training_page as page, own_films, plots
from osteolib.report import provenance, table
from osteolib.report.forest import forest
from osteolib.report.recorded import beside, training_size

run = osteolib.start(globals(), "04_knee_training")
loaded = own_films.load_films(run, cohort, "knee", "knee-wani")

# %% tags=["hide-input"]
lacking = own_films.end_without_training(
    run, loaded, n_folds, seed, "the training") or (
    own_films.show_left_out(run, loaded, {
        "age_years": "age, age with the image, and the gain over age",
        "t_score": "the T-score's loss, which has nothing to learn from"}))

# %% [markdown]
# ## From film to input
#
# How a film becomes a square is drawn [step by step elsewhere](06_knee_network.ipynb). In training each knee is also flipped,
# moved, and its borders are masked at random (Section 2.2).

# %%
from osteolib.radiograph import to_tensor_range
from osteolib.radiograph.augment import augment
from osteolib.screen.knee_folds import knee_images

images = knee_images(loaded.subjects, image_size)  # cropped, clipped, resized
first = torch.from_numpy(to_tensor_range(images[:2]))[:, None]
generator = torch.Generator().manual_seed(seed)
shown = [first] + [augment(first, generator) for _ in range(5)]

# %% tags=["hide-input"]
figure(run, "inputs", plots.contact_sheet(
    [*torch.stack(shown, dim=1).flatten(0, 2).numpy()],
    ["prepared", *["augmented"] * 5] * 2, columns=6),
    alt="Two prepared knees, each followed by five augmented versions.")

# %% [markdown]
# ## The network, and where its losses reach
#
# The total loss is (Equation 1)
#
# $$ \mathcal{L} = \mathcal{L}_\text{screen} + 0.3\, \mathcal{L}_\text{severe} + 0.1\, \mathcal{L}_\text{T-score}, $$
#
# severity on bone loss only, the T-score where it is known. How far does each loss reach back into the network? Take
# one batch and measure the size of each loss's gradient in each part.

# %%
from osteolib.screen.knee_folds import Recipe, covariates_of
from osteolib.screen.starts import as_started
from osteolib.screen.strnet import STRNet, encode_targets, gradient_reach

recipe = as_started(Recipe(backbone, tarr, class_weights=class_weights, epochs=epochs,
                           image_size=image_size, seed=seed), initialisation)
torch.manual_seed(seed)
some = loaded.subjects.groupby("label").head(6).index
known = loaded.subjects.loc[some]
reach = gradient_reach(
    STRNet(recipe.backbone, tarr),
    torch.from_numpy(to_tensor_range(images[some]))[:, None],
    encode_targets(known["label"], known["t_score"]),
    torch.from_numpy(covariates_of(known)))

# %% tags=["hide-input"]
run.fact(size=training_size(asdict(recipe)))
page.show_reach(run, reach, recipe.backbone)

# %% [markdown]
# Read the column *t score*: that loss reaches its own adapter, table encoder and fusion and nothing before them. Adding it
# can therefore not teach the image features anything; whatever a model with it gains over one without must come from
# elsewhere, such as the order of random numbers or the joint clipping of gradients. The column *normal* is a fourth loss
# of the released code that the paper does not mention; it is off here.
#
# ## The settings, one by one
#
# Table 2 of the paper lists what was trained and how. Ours are read from the objects that run: this run's, and those that
# the profile `paper` would take here.

# %% tags=["hide-input"]
knee_settings.show_settings(run, recipe, n_folds, loaded.subjects)

# %% [markdown]
# ## Training in grouped folds
#
# Each fold is tested once by a network that saw neither its people nor their duplicates. Of the other folds one validates
# (which epoch to keep, which threshold to use) and the rest train.

# %%
from osteolib.report.knee_results import out_of_fold_rows

rows, history = out_of_fold_rows(loaded, recipe, n_folds)  # test and validation knees

# %% tags=["hide-input"]
page.show_training(run, rows, history, recipe)

# %% [markdown]
# The validation loss holds all terms of Equation 1 from the first epoch on, as the paper's Figure 4b does; the training loss
# gets the T-score's term only at the dashed line, and jumps there. No film is augmented and no unit dropped in validation.
#
# ## What it sees
#
# On the same test knees stand three scores: age alone, the image alone, and both. Age, and age with the image's score, are
# regressions fitted on each fold's *validation* knees and applied to its test knees. Fitting them on the scores of other
# folds would leak: those come from networks that were trained on the test knees. It has a price: the same validation knees
# chose the epoch, so there the image may look better than it is and get too much weight in the joint score. Knees of one
# person are not independent, so intervals resample groups of people, and the difference from age is taken on the same
# resamples.

# %%
from osteolib.cohorts import bone_loss
from osteolib.report.comparison import compare_scores
from osteolib.report.knee_results import auroc_by_fold, fitted_on_validation

loss = bone_loss(rows["label"])
knees = rows[rows["part"] == "test"].set_index("unit_id")
scores = {"image": knees["screen"]}
if "age_years" not in lacking:
    age, both = (fitted_on_validation(rows, columns, loss)
                 for columns in (["age_years"], ["age_years", "image"]))
    scores = {"age": age, **scores, "age and image": both}
test_loss, first = bone_loss(knees["label"]), next(iter(scores))
compared = compare_scores(test_loss, scores, ("auroc", "auprc"), reference=first,
                          groups=knees["split_group"], n_boot=n_boot, seed=seed)
by_fold = auroc_by_fold(test_loss, scores, knees["fold"])

# %% tags=["hide-input"]
figure(run, "auroc", forest(compared, strokes={n: list(by_fold[n]) for n in by_fold},
                            xlabel="AUROC, 95 % interval (strokes: single folds)"),
       alt=f"AUROC with 95 % intervals, and by fold: {compared.words()}.")
shown = compared.table(head="score")
shown["AUROC, mean of the folds"] = by_fold.mean().round(2).to_numpy()
table(run, "screening", shown, f"Real knees, out of fold: {len(knees)} knees; "
      "intervals draw people", index=False)
compared.record(run, cohort, "{metric}, bone loss, {method}")
page.show_gain(run, compared, by_fold, knees)
if cohort == "knee-wani":  # the recorded runs are of these knees
    live = compared.rows.query("method == 'image' and metric == 'auroc'")
    live = live.assign(split="out-of-fold", method="STR-Net")
    table(run, "recorded", beside(live, run.facts["size"], knee_results.RECORDED_KNEES,
          "auroc", "bone_loss"), "Real knees, AUROC for bone loss: this run, and "
          "longer, recorded ones", index=False, group="run")

# %% [markdown]
# The pooled AUROC also sets knees of one fold against knees of another, which different networks scored; the mean of the
# folds does not. Where the two disagree, the networks' scales do.
#
# **How much could this comparison show?** An AUROC has no more witnesses than its rarer class has independent people. So
# give age, on these very knees, a simulated image score of known worth that is independent of it, joined as log-odds (the
# best way, if age's probability is calibrated), and count how often the interval of the gain lies above zero.

# %%
from osteolib.stats.added_value import added_value_found

power = None
if "age" in scores:
    power = added_value_found(test_loss, scores["age"], knees["split_group"],
                              aurocs=(0.6, 0.7, 0.8, 0.9), seed=seed)

# %% tags=["hide-input"]
width = run.facts["high"] - run.facts["low"]
if power is not None:
    page.show_power(run, power, knees[knees["label"] == "normal"], width)

# %% [markdown]
# ## A threshold that must not miss many
#
# The threshold of Equation 2 has the highest specificity among those that find enough of the cases,
#
# $$ \tau^\star \in \arg\max_{\tau \in \mathcal{G},\; \mathrm{Sens}(\tau) \ge 0.86} \mathrm{Spec}(\tau), \qquad
# \mathcal{G} = \{0.20, 0.21, \dots, 0.80\} . $$
#
# It is chosen on each fold's validation knees and then used, unchanged, on the test knees. Ties go to the lowest threshold.

# %%
from osteolib.screen.knee_folds import fold_thresholds

thresholds = fold_thresholds(rows, loaded.subjects.set_index("unit_id")["label"])

# %% tags=["hide-input"]
table(run, "thresholds", thresholds.round(3), "The threshold of each fold, and what "
      "it does on knees that had no part in choosing it", index=False)
made = "STR-Net, " + run.facts["size"]
run.predictions(knee_results.prediction_table(knees, "screen", seed, made, cohort))

# %% [markdown]
# A specificity of 0 with many tied thresholds means that the rule refers everybody: a score that does not separate can
# meet the constraint in no other way. [Another page](30_knee_scores.ipynb) goes on with these networks: curves, severity,
# calibration; [the page on T-scores](10_knee_t_scores.ipynb) reads their third head.
#
# ```{admonition} Where we deviate
# :class: warning
# - **Start**: EfficientNet-Lite0 from ImageNet where the paper's ResNet-50 from ImageNet is not in the cache.
# - **Data**: Stage 2 only, since Stage 1 names no person and is mostly copies ([its page](25_stage1_films.ipynb)); grouped folds instead of one split, and fewer training knees.
# - **Size**: pixels, epochs and steps are those of the table above.
# - **Class weights** are negatives / positives, the rule that we read in the text's *weighted*, although the routing module
#   is by default that of the released code, whose own rule hardly weighs: never below 1 for screening, none for severity.
#   Two reasons. The paper states the weights, and the code may differ from what was run; and without them a screening head
#   can lower its loss by calling every knee ill, the more so the rarer normal knees are. `-p class_weights released`
#   trains the other way.
# - **Seed** 0; the paper's is 42.
#
# So no number here is held against a published one: the rows of the scorecard belong to the paper's own split
# and weights.
# ```
#
# ```{admonition} Exercise
# :class: tip
# The threshold was chosen on the validation knees. Choose it on the test knees instead and compare. Which way do
# sensitivity and specificity move, and why is that not a better model?
# ```

# %% tags=["solution"]
from osteolib.stats import sensitivity_constrained_threshold

cheating = sensitivity_constrained_threshold(test_loss, scores["image"])
before = thresholds["sensitivity_test"].mean()
print(f"sensitivity {cheating.sensitivity:.2f}; chosen before looking {before:.2f}")
assert not cheating.feasible or cheating.sensitivity >= 0.86  # by construction

# %% [markdown]
# **Take away.** Trained on a few hundred knees, this network is to be read beside age, fold by fold and with its interval. A
# model that cannot beat one covariate has shown nothing about bone yet; one that can must show it as a difference on the
# same people, and there must be enough people for a difference to show.

# %% tags=["hide-input"]
provenance(run)
