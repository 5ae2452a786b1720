# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
#   osteolib:
#     minutes: {smoke: 1, quick: 5, long: 240, paper: 300}
#     needs: [knee-phantom]
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
# chapter on them, and carry its threshold unchanged to a second kind of phantom. About five minutes to run (`quick`).

# %% tags=["parameters"]
profile: str = "quick"  # smoke, quick, long or paper: osteolib/profiles.yaml
seed: int = 0  # seed of the people, films, weights and bootstrap
n_phantoms: int | None = None  # simulated people; None: from the profile
image_size: int | None = None  # pixels; None: from the profile
backbone: str | None = None  # resnet18 or resnet50; None: from the profile
epochs: int | None = None  # None: from the profile
n_boot: int | None = None  # bootstrap replicates; None: from the profile

# %%
import numpy as np
import osteolib
import pandas as pd
from osteolib.report import figure, load_or_explain, model_plots, plots
from osteolib.report import provenance, say, table

run = osteolib.start(globals(), "05_knee_phantom")
a = load_or_explain(run, "knee-phantom", n_subjects=n_phantoms, seed=seed)

# %% [markdown]
# ## People and films
#
# Age, sex, body size and T-score come from a model fitted to NHANES {cite:p}`nhanes_dxa`. Knee density follows the T-score
# only in part, as density at one place of the skeleton follows another. From it come the thickness of the cortex and the
# pattern of the spongy bone. The film follows the physics: attenuation along each ray, exposure, scatter, blur, noise.
# Exposure, window and position are drawn independently of density.

# %%
from osteolib.radiograph import read_radiograph

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
# toy. So a regression on whole-film statistics must stay near chance. It need not be at chance: women have smaller bones
# and lower T-scores, and a smaller bone leaves more of the film dark.

# %%
from osteolib.cohorts import bone_loss, grouped_folds
from osteolib.screen import out_of_fold
from osteolib.stats import bootstrap_ci

films = people.drop_duplicates("image_id")
pixels = [read_radiograph(path).pixels for path in films["path"]]
statistics = pd.DataFrame([[p.mean(), p.std(), *np.percentile(p, (5, 50, 95))]
                           for p in pixels])
film_loss = bone_loss(films["label"])
folds = grouped_folds(films, film_loss, 4, seed)
brightness = bootstrap_ci(film_loss, out_of_fold(statistics, film_loss, folds),
                          "auroc", n_boot=n_boot, seed=seed)

# %% [markdown]
# ## What is attainable?
#
# The AUROC of $P(\text{label} \mid \text{everything that reaches the pixels})$: density, cortex, shape and soft tissue, and
# nothing else. No network that sees the film alone can do better, however large. It is fitted on 100,000 people that are
# never rendered.

# %%
from osteolib.phantoms.knee.truth import attainable_auroc

attainable = {name: attainable_auroc(name, seed=seed) for name in "AB"}
run.fact(attainable_a=attainable["A"], attainable_b=attainable["B"],
         brightness=brightness.estimate["auroc"],
         bright_low=brightness.ci["auroc"][0], bright_high=brightness.ci["auroc"][1])
say(run, "Whole-film brightness reaches AUROC {brightness:.2f} ({bright_low:.2f} to "
    "{bright_high:.2f}). Attainable are {attainable_a:.3f} with acquisition A and "
    "{attainable_b:.3f} with B, whose label is measured with more error.")

# %% [markdown]
# ## Training on A, testing on A and on B
#
# B differs in tube, detector and in how its label was measured: to a network trained on A it is another hospital. The
# network, its losses and its training are those of the last chapter.

# %%
from osteolib.screen.knee_folds import Recipe

recipe = Recipe(backbone=backbone, image_size=image_size, epochs=epochs, seed=seed)
b = load_or_explain(run, "knee-phantom", acquisition="B", seed=seed + 1,
                    n_subjects=n_phantoms // 2)

# %%
from osteolib.screen.phantom_control import phantom_control

everyone, _, parts, folder = phantom_control(a, b, recipe)
history = pd.read_parquet(folder / "history.parquet").assign(fold=0)
figure(run, "training", model_plots.training_curves(history),
       alt="Validation AUPRC and AUROC and training loss by epoch on the phantom.")

# %%
from osteolib.stats import sensitivity_constrained_threshold

scores = pd.read_parquet(folder / "scores.parquet").set_index("unit_id")
known = everyone.set_index("unit_id").join(scores[["screen", "part"]])
val = known[known["part"] == "validation"]
chosen = sensitivity_constrained_threshold(bone_loss(val["label"]), val["screen"])
at_threshold = ("sensitivity", "specificity") if chosen.feasible else ()
rows = []
for part, name in (("test, A", "A"), ("external, B", "B")):
    held = known[known["part"] == part]
    r = bootstrap_ci(bone_loss(held["label"]), held["screen"], ("auroc", *at_threshold),
                     threshold=chosen.threshold if chosen.feasible else None,
                     groups=held["split_group"], n_boot=n_boot, seed=seed)
    rows.append(r.to_frame().assign(part=part, attainable=attainable[name]))

# %%
result = pd.concat(rows).set_index(["part", "metric"])
share = (result["value"] - 0.5) / (result["attainable"] - 0.5)
shown = result[["value", "ci_low", "ci_high", "n", "attainable"]].assign(
    share=share).reset_index()
shown.loc[shown["metric"] != "auroc", ["attainable", "share"]] = np.nan
table(run, "phantom", shown.round(3), "Phantom: AUROC beside the attainable; the "
      "threshold, if there is one, is that of A's validation knees", index=False)
for (part, metric), row in result.iterrows():
    run.result(None, f"{metric}, phantom, {part}", row["value"], n=row["n"],
               ci=(row["ci_low"], row["ci_high"]), cohort="knee-phantom")

# %%
auroc = result.xs("auroc", level="metric")
run.fact(auroc_a=auroc.loc["test, A", "value"],
         auroc_b=auroc.loc["external, B", "value"],
         low_a=auroc.loc["test, A", "ci_low"], high_a=auroc.loc["test, A", "ci_high"],
         share_percent=100 * share["test, A", "auroc"],
         n_train=int(parts["train"].sum()),
         threshold=f"is {chosen.threshold:.2f}" if chosen.feasible else
         "does not exist: none from 0.20 to 0.80 finds 86 % of the validation cases")
say(run, "Trained on {n_train} phantom knees, the network reaches "
    "**AUROC {auroc_a:.2f}** ({low_a:.2f} to {high_a:.2f}) on new knees of A, "
    "{share_percent:.0f} % of the way from chance to the attainable, and "
    "{auroc_b:.2f} on B. The threshold of Equation 2 {threshold}.")

# %% [markdown]
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
# was attained, and keep both away from clinical numbers.

# %%
provenance(run)
