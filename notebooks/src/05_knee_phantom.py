# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
#   osteolib:
#     minutes: {smoke: 0.7, quick: 5, long: 22, paper: 300}
#     needs: [knee-phantom]
#     records: [knee-phantom-0]
#     trains: 1
# ---
# %% [markdown]
# # A phantom knee with known truth
# *If the network finds little on the real knees, is the code broken, are the films too few, or is there little to find?*
#
# On real films nobody knows what could be found. On a *phantom*, a simulated radiograph of a simulated person, we do: bone
# density is drawn first and the film is made from it, so the best possible score can be computed. A phantom shows that a
# method does what it says and how much of the attainable it attains. **It never confirms a clinical number**, and no value
# of a paper is answered on this page.
#
# **You will** look at phantom knees, check that they are honest, compute what is attainable, train the network of the last
# chapter on them, read its share of the attainable with an interval, and carry it unchanged to a second kind of phantom.
# About five minutes to run (`quick`).

# %% tags=["parameters"]
profile: str = "quick"  # smoke, quick, long or paper: osteolib/profiles.yaml
seed: int = 0  # seed of the people, films, weights and bootstrap
n_phantoms: int | None = None  # simulated people; None: from the profile
image_size: int | None = None  # pixels; None: from the profile
backbone: str | None = None  # resnet18 or resnet50; None: from the profile
epochs: int | None = None  # None: from the profile
n_boot: int | None = None  # bootstrap replicates; None: from the profile

# %% tags=["hide-input"]
from dataclasses import asdict

import osteolib
import pandas as pd
from osteolib.radiograph import read_radiograph
from osteolib.report import figure, load_or_explain, model_plots, plots
from osteolib.report import provenance, say, table, with_ci
from osteolib.report.forest import forest
from osteolib.report.knee_settings import joins
from osteolib.report.recorded import beside, recorded_difference, training_size

run = osteolib.start(globals(), "05_knee_phantom")
a = load_or_explain(run, "knee-phantom", n_subjects=n_phantoms, seed=seed)

# %% [markdown]
# ## People and films
#
# Age, sex, body size and T-score come from a model fitted to NHANES {cite:p}`nhanes_dxa`. Knee density follows the T-score
# only in part, as density at one place of the skeleton follows another. From it come the thickness of the cortex and the
# pattern of the spongy bone. The film follows the physics: attenuation along each ray, exposure, scatter, blur, noise.
# Exposure, window and position are drawn independently of density.

# %% tags=["hide-input"]
people = a.subjects
some = people.drop_duplicates("image_id").sample(12, random_state=seed)
figure(run, "films", plots.contact_sheet(
    [read_radiograph(path).pixels for path in some["path"]],
    [f"{row.label}, T {row.t_score:.1f}" for row in some.itertuples()]),
    alt="Twelve simulated knee films, single and bilateral, with labels and T-scores.")

# %% [markdown]
# ## Is the phantom honest?
#
# If the brightness of a whole film told the label, a network could score without seeing bone, and the phantom would be a
# toy. So a regression on five whole-film statistics must stay near chance. It need not be at chance: women have smaller
# bones and lower T-scores, and a smaller bone leaves more of the film dark.

# %%
from osteolib.cohorts import bone_loss, grouped_folds
from osteolib.screen.baselines import film_brightness, out_of_fold
from osteolib.stats import bootstrap_ci

films = people.drop_duplicates("image_id").set_index("image_id")
statistics = film_brightness(films["path"])  # mean, SD, three percentiles
film_loss = bone_loss(films["label"])
folds = grouped_folds(films, film_loss, 4, seed)
films["brightness"] = out_of_fold(statistics, film_loss, folds)
brightness = bootstrap_ci(film_loss, films["brightness"], "auroc", n_boot=n_boot,
                          seed=seed)

# %% [markdown]
# ## What is attainable?
#
# The AUROC of $P(\text{label} \mid \text{everything that reaches the pixels})$: density, cortex, shape and soft tissue, and
# nothing else. No network that sees the film alone can do better, however large. It is fitted on 100,000 people that are
# never rendered.

# %%
from osteolib.phantoms.knee.truth import attainable_auroc

attainable = {name: attainable_auroc(name, seed=seed) for name in "AB"}

# %% tags=["hide-input"]
run.fact(attainable_a=attainable["A"], attainable_b=attainable["B"],
         brightness=brightness.estimate["auroc"],
         bright_low=brightness.ci["auroc"][0], bright_high=brightness.ci["auroc"][1])
say(run, "Attainable are {attainable_a:.3f} with acquisition A and {attainable_b:.3f} "
    "with B, whose label is measured with more error. Whole-film brightness reaches "
    "{brightness:.2f} ({bright_low:.2f} to {bright_high:.2f}) on all films of A.")

# %% [markdown]
# ## Training on A, testing on A and on B
#
# B differs in tube, detector and in how its label was measured: to a network trained on A it is another hospital. The
# losses and the training are those of the last chapter; the network is the profile's ResNet, from random numbers.

# %% tags=["hide-input"]
b = load_or_explain(run, "knee-phantom", acquisition="B", seed=seed + 1,
                    n_subjects=n_phantoms // 2)

# %%
from osteolib.screen.knee_folds import Recipe
from osteolib.screen.phantom_control import phantom_control

recipe = Recipe(backbone=backbone, image_size=image_size, epochs=epochs, seed=seed)
everyone, _, parts, folder = phantom_control(a, b, recipe)

# %% tags=["hide-input"]
history = pd.read_parquet(folder / "history.parquet").assign(fold=0)
figure(run, "training", model_plots.training_curves(history, joins()),
       alt="Phantom: AUPRC, AUROC and loss on validation knees, and training loss, by "
           "epoch.")
scores = pd.read_parquet(folder / "scores.parquet").set_index("unit_id")
known = everyone.join(scores[["screen", "part"]], on="unit_id")
known = known.join(films["brightness"], on="image_id")

# %% [markdown]
# ## How much of it does the network attain?
#
# An AUROC $A$ attains the share $(A - 0.5) / (A_\text{attainable} - 0.5)$; the ends of its interval become shares in the
# same way. Beside the network stands whole-film brightness on the same knees: what a reader gets that looks for no bone.

# %%
from osteolib.report.comparison import compare_scores, together

def compared(part, acquisition, columns, reference=None):
    held = known[known["part"] == part]
    scores = {name: held[column] for name, column in columns.items()}
    return compare_scores(bone_loss(held["label"]), scores, reference=reference,
                          attainable=attainable[acquisition],
                          groups=held["split_group"], n_boot=n_boot, seed=seed)

on_a = compared("test, A", "A", {"test, A": "screen", "whole film, A": "brightness"},
                reference="whole film, A")
on_b = compared("external, B", "B", {"external, B": "screen"})

# %% tags=["hide-input"]
both = together(on_a, on_b)
both.record(run, "knee-phantom", "{metric}, phantom, {method}")
both = both.renamed({"test, A": "network, new people of A",
                     "external, B": "network, other hospital B",
                     "whole film, A": "brightness of A's films"})
figure(run, "auroc", forest(both), alt=f"Phantom: AUROC, {both.words()}; attainable "
       f"{attainable['A']:.2f} on A, {attainable['B']:.2f} on B.")
table(run, "phantom", both.table(head="score"), "Phantom: AUROC, and its share of what "
      "is attainable; intervals draw people", index=False)

# %% tags=["hide-input"]
(value, low, high), share = on_a.estimate("test, A"), on_a.share("test, A")
film = on_a.estimate("whole film, A")[0]
marks = {"chance": 0.5, "what brightness reaches": film,
         "the attainable": attainable["A"]}
run.fact(auroc_a=value, low_a=low, high_a=high, auroc_b=on_b.estimate("external, B")[0],
         share_percent=100 * share[0], share=with_ci(*(100 * s for s in share), ".0f"),
         film=film, n_train=int(parts["train"].sum()),
         n_test=int(parts["test, A"].sum()),
         minus=with_ci(*on_a.difference("test, A", "whole film, A"), "+.2f"),
         holds=", ".join(m for m, at in marks.items() if low <= at <= high) or "none")
say(run, "Trained on {n_train} phantom knees, the network reaches **AUROC "
    "{auroc_a:.2f}** ({low_a:.2f} to {high_a:.2f}) on {n_test} new knees of A and "
    "{auroc_b:.2f} on B. On A that is {share} % of the way from chance to the "
    "attainable. Brightness alone reaches {film:.2f} on the same knees; the network "
    "differs from it by {minus}. Of three marks, chance, brightness and the "
    "attainable, the network's interval holds: **{holds}**.")
about = asdict(recipe) | {"n_phantoms": n_phantoms}
live = pd.concat([on_a.rows.query("method == 'test, A'"), on_b.rows])
live = live.assign(split=live["method"], method="STR-Net")
table(run, "recorded", beside(live, training_size(about), ["knee-phantom-0"], "auroc",
      "bone_loss"), "Phantom, AUROC for bone loss: this run, and a longer one that was "
      "recorded, with whole-film brightness on its knees", index=False, group="run")
longer = recorded_difference("knee-phantom-0", "STR-Net", "whole-film brightness",
                             "test, A", n_boot, seed) or [float("nan")] * 3
run.fact(longer=with_ci(*longer, "+.2f"), more="does" if longer[1] > 0 else "does not")
say(run, "In the recorded run the network's AUROC less that of brightness is "
    "**{longer}** on A's knees: it {more} show that more than brightness was read.")

# %% [markdown]
# Read the share together with what its interval holds. If chance or brightness lies inside, this run has not shown that the
# network reads bone, whatever the share; if both lie below it, the network has found something that brightness does not tell.
#
# [Another page](30_knee_scores.ipynb) carries the network's threshold from A to B.
#
# ```{admonition} How to read this
# :class: note
# The share is what this network, from random weights and this many knees, makes of a signal that is certainly there. If
# it is small here, a score near chance on the real knees says little about the real knees; if it is large, it says more.
# The phantom has no arthritis, its soft tissue is smooth, and how closely knee density follows the T-score is an assumption
# (its manifest names each).
# ```
#
# ```{admonition} Exercise
# :class: tip
# Is osteoporosis easier to tell from the rest than bone loss from normal, for an ideal reader of the phantom? Predict which
# attainable AUROC is higher, then compute it.
# ```

# %% tags=["solution"]
osteoporosis = attainable_auroc("A", positive=("osteoporosis",), seed=seed)
print(f"osteoporosis {osteoporosis:.3f}, bone loss {attainable['A']:.3f}")
assert osteoporosis > attainable["A"]  # further apart in density

# %% [markdown]
# **Take away.** A control with known truth tells a weak method from a weak signal. Say what was attainable, how much of it
# was attained and how surely, and keep both away from clinical numbers.

# %% tags=["hide-input"]
provenance(run)
