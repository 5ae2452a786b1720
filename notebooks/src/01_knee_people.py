# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
#   osteolib:
#     minutes: {smoke: 0.5, quick: 0.8, long: 0.8, paper: 0.6}
#     needs: [knee-wani]
# ---
# %% [markdown]
# # The people behind the knee films
# *A model is never better than its table. Who are these people, which films are theirs, and what must go?*
#
# STR-Net {cite:p}`strnet2026_knee` was developed on two redistributed sets of knee radiographs. One of them, called
# Stage 2 in the paper, comes with a table of ages, body sizes and T-scores {cite:p}`wani2021_data`. We have its source.
#
# **You will** read a real cohort from its raw table, find duplicates that cross the classes, count legs, and build
# the paper's baseline table on the real rows. About one minute to run, thirty to work through.

# %% tags=["parameters"]
profile: str = "quick"  # smoke, quick, long or paper: osteolib/profiles.yaml
seed: int = 0  # seed of every random draw

# %% tags=["hide-input"]
import numpy as np
import osteolib
import pandas as pd
from osteolib.cohorts import flow, load_cohort
from osteolib.report import baseline, figure, knees, load_or_explain, plots
from osteolib.report import provenance, say, table
from osteolib.report.published import load_published
from scipy import stats

run = osteolib.start(globals(), "01_knee_people")
cohort = "knee-wani"  # this page is about these films; the next takes any
paper = load_published("strnet2026_knee").set_index("published_id")["value"]
everyone = load_or_explain(run, cohort, unit="film",
                           cross_class_duplicates="keep")

# %% [markdown]
# ## From the raw table to people
#
# The table has one row per person and, below them, three rows that hold the maximum, minimum and average of a column.
# Loading it checks every column against a description and every film against its SHA-256 in the manifest. What is
# excluded or changed is listed, never silent.

# %%
films = everyone.subjects
films[["image_id", "label", "sex", "age_years", "bmi_kg_m2", "t_score",
       "t_score_method"]].head(3)

# %% tags=["hide-input"]
kept = load_or_explain(run, cohort, unit="film")
table(run, "flow", flow(kept), "From the table to the cohort", index=False)
table(run, "exclusions", kept.exclusions, "Left out (excluded), changed (edited), kept "
      "with a question mark (flagged)", index=False, folded="Each of them")

# %% [markdown]
# ## One film, two people
#
# A radiograph belongs to one person. If the same file stands under two names, at least one row of the table carries
# another person's age and T-score, and no one can tell which. If the two names also have different *labels*, a model
# is shown one picture and told two answers.
#
# Two rules find duplicates. Byte-identical files have the same SHA-256. The paper's own check is a 64-bit perceptual
# hash $h$: a film and its copy are close in Hamming distance,
#
# $$ d(a, b) = \sum_{k=1}^{64} \left|h_k(a) - h_k(b)\right| \le 4 . $$

# %%
identical, near = knees.duplicate_groups(films)
label = films.set_index("image_id")["label"]
crossing = [group for group in identical if label[group].nunique() > 1]

# %% tags=["hide-input"]
within = baseline.contradictory_copies(films, identical)
run.fact(n_films=len(films), n_distinct=films["sha256"].nunique(),
         n_identical=len(identical), n_crossing=len(crossing),
         n_crossing_films=sum(map(len, crossing)), n_near=len(near),
         n_within=len(identical) - len(crossing), n_contradict=len(within))
say(run, "Of {n_films} films only **{n_distinct} are distinct**. "
    "{n_identical} groups hold the same file under several names, and "
    "**{n_crossing} of them cross the classes** ({n_crossing_films} films). Of the "
    "{n_within} groups within a class {n_contradict} give one file to people of "
    "another age, sex or T-score.")
knees.crossing_sheet(run, films, crossing)

# %% [markdown]
# The perceptual hash finds all of these, and some pairs more. Look at these pairs before you read on: same knee or not?

# %% tags=["hide-input"]
knees.near_pair_sheet(run, films, near)

# %% [markdown]
# A screw, a spur or another joint space tells two knees apart where the hash does not. A Hamming distance of 4 is
# generous for films this alike, so we use it only where a false alarm does no harm: near pairs share a fold
# (`split_group`), but a film is excluded only when an identical file has another label.
#
# ## Counting legs
#
# The paper splits bilateral films into knees. The shape of a film does not tell (landscape films show one leg or two), so
# we count legs in the picture.

# %% tags=["hide-input"]
both = int((films["n_legs"] == 2).sum())
run.fact(n_bilateral=both, n_single=len(films) - both,
         n_knees=len(films) + both, paper_both=int(paper["strnet2026_knee.flow.s2_bi"]),
         paper_single=int(paper["strnet2026_knee.flow.s2_single"]))
say(run, "We count **{n_bilateral} bilateral and {n_single} single films**, "
    "{n_knees} knees; the paper has {paper_both} and {paper_single}.")
knees.split_sheet(run, films, seed)

# %% [markdown]
# How a film was taken has nothing to do with bone, but it may go with the class. The next chapter asks how far a model
# gets on such things alone; here is how the classes differ in them.

# %% tags=["hide-input"]
films["size"] = knees.common_sizes(films, n=4)
columns = {"film_layout": "Layout", "size": "Size (pixels)", "sex": "Sex"}
figure(run, "composition", plots.composition(films, columns),
       alt="Stacked bars: share of single and bilateral films, of film sizes, "
           "and of women and men within each class.")

# %% [markdown]
# ## The baseline table
#
# Table 3 of the paper describes its Stage 2 *knees*, after exclusions and splitting. Ours describes the *people* with a
# film. A bilateral film puts a person into the paper's table twice; the tests do not know that and assume independent
# rows, so we count each person once.

# %% tags=["hide-input"]
table(run, "baseline", baseline.baseline_table(films),
      "Ours: all people with a film (our Table 3)")
table(run, "baseline_published", knees.published_baseline(),
      "Stage 2, one row per knee", folded="The paper's Table 3")
every_knee = load_cohort(cohort, cross_class_duplicates="keep").subjects
clean_knee = load_cohort(cohort).subjects
ways = {"films": films, "knees": every_knee,
        "knees, crossing duplicates left out": clean_knee}
table(run, "counts", knees.with_published_counts(ways), "Our Table 1; the paper prints "
      "Stage 2 alone as class totals", folded="Films and knees by class")
figure(run, "age_t_score", plots.age_and_t_score(films),
       alt="Left: T-scores against age, the classes as bands of the T-score. "
           "Right: the ages of each class.")
normal = films["label"] == "normal"
oldest = films["age_years"][normal].max()
run.fact(oldest_normal=oldest,
         share_older=(films["age_years"][~normal].dropna() > oldest).mean())
say(run, "The classes are bands of the T-score: the label *is* the T-score, cut at −1 "
    "and −2.5. And the oldest person with normal bone is {oldest_normal:.0f} years "
    "old, while {share_older:.0%} of those with bone loss are older. What could a "
    "model be reading, then? The next chapter asks.")

# %% [markdown]
# ## What the films look like
#
# Twelve films of each class, drawn at random. Side markers and burnt-in text are masked in every figure of this page.

# %% tags=["hide-input"]
knees.sample_sheet(run, kept.subjects, n_per_class=12, seed=seed)

# %% [markdown]
# ## Paper against ours
#
# Each value of the paper that these rows can answer is recorded with its interval; the scorecard reads it from there.

# %% tags=["hide-input"]
knees.record_counts(run, films)
knees.record_baseline(run, films)
knees.beside_published(run)

# %% [markdown]
# ```{admonition} Where we deviate
# :class: warning
# Table 3 of the paper has one row per knee after exclusions that it does not list; we cannot repeat these, and take each
# person with a film once. Ages that cannot be are left out of the means; the list of exclusions names them.
# ```
#
# ```{admonition} Exercise
# :class: tip
# The paper's chi-square test on sex has one row per knee. Suppose every film were bilateral, so that each person stands
# in the table twice. What happens to the chi-square statistic, and what to *p*? Predict, then compute.
# ```

# %% tags=["solution"]
people = pd.crosstab(films["label"], films["sex"])
once, twice = stats.chi2_contingency(people), stats.chi2_contingency(2 * people)
print(f"once: p = {once.pvalue:.4f}; everybody twice: p = {twice.pvalue:.6f}")
assert np.isclose(twice.statistic, 2 * once.statistic)  # the same people, twice

# %% tags=["hide-input"]
differ = baseline.traits_that_differ(films)
run.fact(n_copies=run.facts["n_films"] - run.facts["n_distinct"],
         differ=", ".join(differ) or "nothing that was looked at")
say(run, "**Take away.** The table and films are real, but {n_copies} of the {n_films} "
    "films are copies, some under two labels, others under two people; the T-scores "
    "are ultrasound, not DXA. Between the classes differ: {differ}.")

# %% tags=["hide-input"]
provenance(run)
