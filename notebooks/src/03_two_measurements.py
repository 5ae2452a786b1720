# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
#   osteolib:
#     minutes: {smoke: 0.2, quick: 0.2, long: 0.2, paper: 0.3}
#     needs: [nhanes-dxa]
# ---
# %% [markdown]
# # Two real measurements of one person
# *A correlation of 0.99 can hide a bias of a whole T-score. And how well do two DXA sites agree with each other?*
#
# Every paper here predicts a T-score, or a class cut from one, and compares it with DXA. Before judging such a
# comparison, look at the best case: two DXA measurements of the same person on the same day, from NHANES
# {cite:p}`nhanes_dxa`.
#
# **You will** draw a Bland-Altman plot step by step, see where correlation misleads, and learn the ceiling that a
# predicted T-score is read against. Under a minute to run, thirty to work through.

# %% tags=["parameters"]
cohort: str = "nhanes-dxa"  # a cohort with T-scores at several sites
min_age: int = 50  # years; below, T-scores are not meant for diagnosis
profile: str = "quick"  # smoke, quick, long or paper: osteolib/profiles.yaml
seed: int = 0  # seed of every random draw

# %% tags=["hide-input"]
import numpy as np
import osteolib
import pandas as pd
from osteolib.cohorts import label_from_t_score
from osteolib.report import agreement_page, figure, load_or_explain, own_films
from osteolib.report import plots, provenance, say, table
from osteolib.stats import bland_altman, lin_ccc

run = osteolib.start(globals(), "03_two_measurements")
loaded = load_or_explain(run, cohort)

# %% tags=["hide-input"]
if cohort != "nhanes-dxa":
    own_films.show_other(run, cohort, "nhanes-dxa")
if not own_films.end_page(run, loaded, ["t_score_neck", "t_score_total_hip"],
                          "all that compares two sites of one person"):
    own_films.show_left_out(run, loaded, {
        "age_years": "the choice of people by age, so that everybody is taken",
        "t_score_spine": "hip against spine"})

# %%
everyone, people = agreement_page.sites_of(loaded, min_age)
people[["t_score_neck", "t_score_total_hip", "t_score_spine"]].describe().round(2)

# %% [markdown]
# ## What a T-score is
#
# A T-score counts standard deviations from a young reference population, for one site of the skeleton:
#
# $$ T = \frac{\mathrm{BMD} - \mu_\mathrm{young}}{\sigma_\mathrm{young}} . $$
#
# So a T-score depends on its reference, and a cohort must name it. Here all sites use young women, for both sexes, as the
# WHO definition does (for the hip NHANES III {cite:p}`looker1998`). The extract of NHANES that we read came with T-scores
# of its own. $\mathrm{BMD} = \mu + \sigma T$ is a straight line, so its intercept and slope tell which reference its author
# used:

# %% tags=["hide-input"]
agreement_page.show_references(run, everyone)

# %% [markdown]
# The last column is by how much a T-score moves with the choice of the young people alone, before any scanner or model
# has erred. Where a row of men has a mean of its own, men were held against young men there; here it is young women.
#
# ## Step 1: the difference
#
# Take the femoral neck as reference and the total femur as the second measurement. Two measurements of person $i$ differ by
# $d_i = T^\mathrm{total}_i - T^\mathrm{neck}_i$. First look at it, before any statistic.

# %%
hips = people.dropna(subset=["t_score_neck", "t_score_total_hip"])
neck, total = hips["t_score_neck"], hips["t_score_total_hip"]
d = total - neck
d.describe().round(3)

# %% [markdown]
# ## Step 2: bias and limits
#
# Bland and Altman {cite:p}`blandaltman1986` ask two things of $d$: its mean (the bias) and the range that holds 95 % of it,
#
# $$ \bar d \quad\text{and}\quad \bar d \pm 1.96\, s_d . $$

# %%
neck_total = bland_altman(neck, total)

# %% tags=["hide-input"]
in_words = {"sd": "SD", "loa_low": "lower limit", "loa_high": "upper limit"}
table(run, "bias_limits", neck_total.to_frame().rename(index=in_words).round(3),
      "Total femur minus femoral neck, in T-scores")
names = ("femoral neck", "total femur")
figure(run, "neck_total",
       plots.scatter_and_difference(neck, total, neck_total, names, "T-score"),
       alt="Left: total femur against femoral neck, close to a line. Right: their "
           f"difference against their mean; bias {neck_total.bias:.2f}, limits "
           f"{neck_total.loa_low:.2f} to {neck_total.loa_high:.2f}.")

# %% [markdown]
# ## Step 3: is 1.96 right here?
#
# The limits assume that differences are normal and that their spread does not depend on the level. Count rather than trust:
# how many differences lie within the limits, and does the spread change from low to high T-scores?

# %%
inside = float(d.between(neck_total.loa_low, neck_total.loa_high).mean())
quarter = pd.qcut((neck + total) / 2, 4, labels=["lowest", "low", "high", "highest"])
by_level = d.groupby(quarter, observed=True).agg(["mean", "std", "size"])

# %% tags=["hide-input"]
run.fact(inside=inside)
by_level = by_level.set_axis(["bias", "SD", "people"], axis=1)
table(run, "by_level", by_level.round(3).rename_axis("quarter of the T-score"),
      "The difference by level")
say(run, "{inside:.1%} of all differences lie within the limits.")

# %% [markdown]
# Where bias or SD change with the level, one pair of limits is too wide at one end and too narrow at the other, even if
# the overall share within them is what it should be.
#
# ## Step 4: two different places
#
# The spine and the hip are different bones of one person. A hand, a knee or a heel is no closer to the hip.

# %%
spines = people.dropna(subset=["t_score_total_hip", "t_score_spine"])
hip, spine = spines["t_score_total_hip"], spines["t_score_spine"]
hip_spine = bland_altman(hip, spine) if len(spines) > 2 else None

# %% tags=["hide-input"]
pairs = {"femoral neck and total femur": (neck, total, neck_total)}
if hip_spine:
    pairs["total femur and lumbar spine"] = (hip, spine, hip_spine)
    names = ("total femur", "lumbar spine")
    figure(run, "hip_spine",
           plots.scatter_and_difference(hip, spine, hip_spine, names, "T-score"),
           alt="Left: lumbar spine against total femur, a wide cloud. Right: bias "
               f"{hip_spine.bias:.2f}, limits {hip_spine.loa_low:.2f} to "
               f"{hip_spine.loa_high:.2f}.")
agreement_page.record_agreement(run, pairs, cohort)
of = "NHANES" if cohort == "nhanes-dxa" else cohort
table(run, "ceiling", agreement_page.beside_the_hip_paper(pairs).round(3),
      f"Two measurements of one person ({of}), and a published prediction")

# %% [markdown]
# ## Same person, another class
#
# A label is a T-score with a cut. How often do two DXA sites of one person put them into different classes?

# %%
neck_class, total_class, hip_class, spine_class = (
    label_from_t_score(t.to_numpy(), "who") for t in (neck, total, hip, spine))

# %% tags=["hide-input"]
table(run, "classes", pd.crosstab(neck_class, total_class,
                                  rownames=["femoral neck"], colnames=["total femur"]),
      "People by class at the two sites of one hip")
run.fact(n=neck_total.n, r=neck.corr(total), low=neck_total.loa_low,
         high=neck_total.loa_high, agree=(neck_class == total_class).mean(),
         min_age=min_age)
if hip_spine:
    run.fact(spine_n=hip_spine.n, spine_low=hip_spine.loa_low,
             spine_high=hip_spine.loa_high,
             spine_agree=(hip_class == spine_class).mean())
say(run, "Two sites of the *same hip*, in the same scan, correlate at r = {r:.2f}, "
    "while 95 % of the differences span {low:+.2f} to {high:+.2f}, and {agree:.0%} "
    "of people keep their class." + bool(hip_spine) * (
        " Hip and spine span {spine_low:+.2f} to {spine_high:+.2f}, and "
        "{spine_agree:.0%} keep their class."))

# %% [markdown]
# This is a ceiling for a model that measures *another place* than its reference, as a hand or knee film does for the hip:
# DXA itself does not do better than the hip-to-spine row. A model that reads *the same hip* can do better than the
# neck-to-total row; its ceiling is how well a second scan repeats the first.
#
# ## Where correlation misleads
#
# Correlation depends on who is in the room. Keep only people whose reference lies in a narrow band, and r falls, although
# not one measurement has changed.

# %%
kept = []
for width in (1, 2, 3, 4, 6, 8):
    band = (neck - neck.median()).abs() <= width / 2
    if band.sum() > 2:
        half_width = 1.96 * bland_altman(neck[band], total[band]).sd
        kept.append((width, neck[band].corr(total[band]), half_width))
kept = pd.DataFrame(kept, columns=["width", "r", "half_width"])

# %% tags=["hide-input"]
figure(run, "range", plots.correlation_against_range(kept),
       alt="By the width of the range of T-scores, r and half width of the limits: "
           + "; ".join(f"{w}: {r:.2f}, {h:.2f}" for w, r, h in kept.to_numpy()))

# %% [markdown]
# ```{admonition} Exercise 1
# :class: tip
# Add 1 to every second measurement. What happens to r, what to the concordance coefficient, and what to the plot?
# Predict first.
# ```

# %% tags=["solution"]
shifted = bland_altman(neck, total + 1)
assert np.isclose(neck.corr(total + 1), neck.corr(total))  # r does not move
assert lin_ccc(neck, total + 1).ccc < lin_ccc(neck, total).ccc
assert np.isclose(shifted.bias - neck_total.bias, 1)  # the plot moves by one

# %% [markdown]
# ```{admonition} Exercise 2
# :class: tip
# How many people are needed to know the limits of agreement to within ± 0.05 T-score? Use the standard error of a limit,
# $s_d \sqrt{1/n + 1.96^2 / (2(n - 1))}$, for the neck-to-total pair. (The external cohort of the knee paper has 42.)
# ```

# %% tags=["solution"]
n = np.arange(10, 5000)
half = 1.96 * neck_total.sd * np.sqrt(1 / n + 1.96**2 / (2 * (n - 1)))
print(f"{n[half <= 0.05][0]} people; with 42 the limits are known to "
      f"± {half[n == 42][0]:.2f}")
assert half[n == 42][0] > 0.05

# %% [markdown]
# **Take away.** Report the bias, the limits and their intervals; a correlation alone says how spread out the sample was.
# And read any predicted T-score against the agreement of two real measurements of one person.

# %% tags=["hide-input"]
provenance(run)
