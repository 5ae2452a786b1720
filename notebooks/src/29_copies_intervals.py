# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
#   osteolib:
#     minutes: {smoke: 0.3, quick: 1, long: 1, paper: 4}
#     needs: [strnet-stage1]
# ---
# %% [markdown]
# # What does a duplicate do to an interval?
# *A film lies in a test set five times. Is that five pieces of evidence, or one that is counted five times?*
#
# The public set behind the larger stage of STR-Net {cite:p}`strnet2026_knee` holds many films more than once: as the same
# bytes, as a smaller picture, as a crop of one knee. An interval that takes each file for a new person is then too narrow.
# By how much depends on how many copies the test set really holds and on how alike a network scores them. Both can be worked
# out, and checked by simulated studies on the copies of this very set.
#
# **You will** turn likeness into an effective number, count what four bootstraps draw, see which of them holds a known truth
# as often as it says, and set their widths beside printed ones. Under a minute to run, twenty to work through.

# %% tags=["parameters"]
profile: str = "quick"  # smoke, quick, long or paper: osteolib/profiles.yaml
film_likeness: float = 0.5  # correlation of scores: one film, two pictures of it
picture_likeness: float = 0.9  # one picture, other bytes (size, format, contrast)
weaker_auroc: float = 0.77  # truth of a second, weaker score
seed: int = 0  # seed of every random draw
n_boot: int | None = None  # an eighth of it: studies; None: from the profile

# %% tags=["hide-input"]
import numpy as np
import osteolib
import pandas as pd
from osteolib.report import figure, load_or_explain, provenance, say, table
from osteolib.report import copy_page
from osteolib.report.compared import label
from osteolib.report.published import load_published
from osteolib.stats import bootstrap_ci
from osteolib.stats.copies import Likeness, copy_codes, draw_scores
from osteolib.stats.copy_coverage import groups_in

run = osteolib.start(globals(), "29_copies_intervals")
paper = load_published("strnet2026_knee").set_index("published_id")
paper.index = paper.index.str.removeprefix("strnet2026_knee.")

# %% [markdown]
# ## How many films are so many files worth?
#
# Let $n$ files come in groups of $m$, and let $\rho$ be the correlation of what is averaged, within a group. The variance of
# the mean is then $D$ times that of $n$ unrelated files, the *design effect* {cite:p}`kish1965`:
#
# $$ D = 1 + (m - 1)\,\rho , \qquad n_\mathrm{eff} = n / D , \qquad \text{width} \propto \sqrt{D} . $$
#
# A sensitivity averages calls, yes or no, and calls are less alike than the scores behind them: near the threshold a small
# difference decides. So first the likeness of scores, then that of calls, at the sensitivity that STR-Net prints.

# %%
sensitivity = paper.loc["test.sens", "value"]
r = np.array([film_likeness, picture_likeness, 1.0])
rho = copy_page.call_correlation(sensitivity, r)
worth = {f"{m} files each": paper.loc["test.n", "value"] / (1 + (m - 1) * rho)
         for m in (1, 2, 4, 8)}

# %% tags=["hide-input"]
about = ["one film", "one picture", "same bytes"]
shown = pd.DataFrame({"scores": r, "calls": rho.round(2)}
                     | {name: n.round().astype(int) for name, n in worth.items()},
                     pd.Index(about, name="the files share"))
table(run, "worth", shown, "Correlation of scores, of calls, and the effective number "
      "of 224 files in groups of one size")

# %% [markdown]
# ## The set, and a test set out of it
#
# A split by file draws a test set as one draws from an urn, and most copies of a film in it fall outside. So two things must
# be told apart: the copies *inside* the test set, which make its interval too narrow, and the copies *across* the split,
# which let the network remember. No interval repairs the second, because it moves the value itself; that is the matter of
# [one model, four splits](26_stage1_splits.ipynb).

# %% tags=["hide-input"]
cohort = load_or_explain(run, "strnet-stage1", unit="film")

# %%
from osteolib.stats.copies import draw_files

files = cohort.subjects
settings = copy_page.printed_settings(paper, weaker_auroc)
rng = np.random.default_rng(seed)
test_set = draw_files(files["label"].to_numpy(object), settings[0].sizes, rng)
counted = pd.concat({"whole set": groups_in(files),
                     "one test set": groups_in(files.iloc[test_set])}, names=["of"])

# %% tags=["hide-input"]
names = {"units": "how many", "files_each": "files behind a file",
         "both": "under several labels"}
shown = counted.droplevel(1).reset_index().rename(columns=names).round(2)
table(run, "groups", shown, f"What a bootstrap can draw: of all {len(files):,} files, "
      f"and of one test set of {len(test_set)}", index=False, group="of")
whole = groups_in(files).set_index("unit")
run.fact(n_films=whole.loc["films", "units"], torn=whole.loc["films", "both"],
         m_all=whole.loc["films", "files_each"], n_files=f"{len(files):,}",
         **copy_page.labels_crossed(files))
say(run, "*Files behind a file* is the *m* of the formula for groups of unequal size: "
    "how many files the group of a file has, on average over files. It is {m_all:.1f} "
    "for the films of the whole set. **{torn} of {n_films} films stand under more than "
    "one label**, and {crossed_bytes} byte strings under both bone loss and normal.")

# %% [markdown]
# ## The simulated scores
#
# The score of file $i$ is its class's mean $\mu_{y_i}$ and SD, and the sum of four normal effects, of its film, its picture,
# its bytes and its own:
#
# $$ s_i = \mu_{y_i} + \sigma_{y_i} \left( F_{f(i)} + P_{p(i)} + B_{b(i)} + E_i \right) . $$
#
# Their variances follow from the likeness of two files that share that much and no more: films and pictures as set above,
# same bytes 1. Mean, SD and threshold are those that give the printed AUROC, sensitivity and specificity at once. **The label
# is the file's.** A film under two labels gives its effect to a case and to a normal, which makes the AUROC *steadier*, as in
# a matched study, while it makes each class's own share less steady. A real network gives one answer to the same bytes under
# any label; here the two differ by their classes' means, a kindness to the score.
#
# Each study draws a test set with the class counts of Table 1, and scores; the project's own bootstrap then draws files (as
# the paper did), distinct bytes, pictures, or films with all their files. Beside them, as yardstick: as many files of as many
# different films.

# %%
likeness = Likeness(1.0, picture_likeness, film_likeness)
n_studies = max(n_boot // 8, 30)
found = copy_page.study_all(files, settings, likeness, n_studies, rng)

# %% tags=["hide-input"]
run.fact(n_studies=n_studies, **copy_page.copies_in_short(found))
ends = [f"{run.facts[f'all_auroc_{draw}']:.0%}" for draw in ("files", "films")]
figure(run, "coverage", copy_page.coverage_of_draws(found),
       alt="Share of simulated studies whose interval holds the truth, for AUROC, "
           "sensitivity and specificity, by what the bootstrap draws. AUROC of the "
           f"whole set: files {ends[0]}, films {ends[1]}.")
table(run, "covered", copy_page.coverage_table(found), "Coverage, with its own 95 % "
      f"interval; {n_studies} studies each, of the whole set a third as many",
      index=False, group="setting", folded="In numbers")
say(run, copy_page.coverage_sentence(found))

# %% [markdown]
# *Screening* and *severity* have the paper's printed values as truth, *weaker score* an AUROC that the parameters set, and the
# *whole set* is every file at hand scored once, as in cross-validation. A bar is the interval of the coverage itself.
#
# ## Was it foreseen?
#
# The formula can be summed over all pairs of files with what each pair shares. For the AUROC the pairs of a case and a normal
# of one film enter too, with the opposite sign {cite:p}`obuchowski1997`. In the figure only the likeness of films varies; that
# of pictures follows where it would be less.

# %% tags=["hide-input"]
table(run, "effective", copy_page.effective_numbers(found), "Design effect by formula "
      "and from the spread of the simulated estimates (95 % CI)", index=False,
      group="setting")
figure(run, "likeness", copy_page.ratio_by_likeness(files, settings, likeness, found),
       alt="How many times wider the interval of an AUROC has to be, against how alike "
           "two files of one film are scored: lines by formula for a test set and for "
           "the whole set, markers from the simulation.")
say(run, "In a test set of the paper's size the interval of the AUROC has to be "
    "{test_auroc_root:.2f} times as wide as one that draws files (simulated: "
    "{test_auroc_ratio:.2f}), and its files are worth {test_auroc_n_eff:.0f}. For the "
    "whole set it is {all_auroc_root:.2f} times (simulated: {all_auroc_ratio:.2f}): "
    "{n_files} files are worth {all_auroc_n_eff:.0f}.")

# %% [markdown]
# ## Beside the printed widths
#
# For the screening head the text prints values without intervals; those of Figure 5c are drawn, not written. Table 5 prints
# intervals of the severity head, for 74 cases and 62 others.

# %% tags=["hide-input"]
printed = copy_page.beside_print(found, paper)
table(run, "printed", printed.round(3).rename_axis("metric"), "Width of the intervals "
      "of Table 5 as printed; by formula, for unrelated files and with these copies; "
      "and the mean simulated width by what is drawn")
wide = copy_page.widths(found).round(3).rename(index=label, level=1).reset_index()
table(run, "widths", wide, "Mean width of the intervals", index=False, group="setting",
      folded="Every setting and metric")
say(run, copy_page.printed_sentence(printed))

# %% [markdown]
# ```{admonition} What it means for the printed widths
# :class: note
# Drawing files is the usual thing to do, and right where each file is a person. Nobody outside can say how many copies the
# paper's test set held: 1,947 files became 1,261 after exclusions and a merge by path, and its audit by perceptual hash is
# announced without a result. If copies were taken out, the printed widths may be right; the tables above are what they
# would have to become if none were.
# ```
#
# ```{admonition} Where we deviate
# :class: warning
# - More than half of the osteopenia files are not at hand, and those that are hardly repeat each other. The missing ones may,
#   so for severity the design effect is likely on the small side.
# - Two of the three likenesses are chosen, not measured; the curve shows what other choices give.
# - Which files share a film was found from pixels. Films that look unrelated may still be of one person.
# - Films of both knees count as one file here; the paper cut them in two, and its test set comes out of 1,570 images of both
#   stages, ours out of the files of Stage 1 at hand.
# - Thresholds are fixed at their true place, so the intervals hold no uncertainty of having chosen them. No row of this page
#   is held against a published value.
# ```
#
# ```{admonition} Exercise
# :class: tip
# Put every file in a second time. What becomes of the width of an interval that draws files, and of one that draws films?
# Predict both from the design effect before you run it.
# ```

# %% tags=["solution"]
codes, case = copy_codes(files), (files["label"] != "normal").to_numpy(int)
score = draw_scores(codes, case, settings[0].model, likeness, rng)
width = {}
for times in (1, 2):
    y, s, film = (np.repeat(v, times) for v in (case, score, codes[:, 2]))
    for draw, groups in {"files": None, "films": film}.items():
        low, high = bootstrap_ci(y, s, "auroc", n_boot=2000, groups=groups).ci["auroc"]
        width[draw, times] = high - low
print({draw: round(width[draw, 2] / width[draw, 1], 3) for draw in ("files", "films")})
# D = 1 + (2 - 1) * 1 = 2: files shrink by 1 / sqrt(2) and films, rightly, not at all
assert abs(width["files", 2] / width["files", 1] * 2**0.5 - 1) < 0.15
assert np.isclose(width["films", 1], width["films", 2])

# %% [markdown]
# **Take away.** Ask what the bootstrap drew. Count the copies inside the test set, weigh them by how alike they are scored,
# and draw what is independent. And mend the split first: a right interval around a remembered value is still about memory.

# %% tags=["hide-input"]
provenance(run)
