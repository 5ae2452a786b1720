# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
#   osteolib:
#     minutes: {smoke: 0.3, quick: 0.3, long: 0.3, paper: 0.4}
#     needs: []
# ---
# %% [markdown]
# # The numbers of the hand studies
# *1,636 bones from 192 hands of seven. And a test set of 19 people. What do these two counts say?*
#
# Two papers of one group: a short one of 2023 {cite:p}`lee2023_hand`, which scores single bone segments, and the journal
# version of 2025 {cite:p}`lee2025_hand`, which scores people. Both cut the ulna, the radius and five metacarpals out of a
# hand radiograph, pre-train a network without labels on the pieces, and train one linear layer to say "osteoporosis".
#
# No image is needed to ask whether the printed numbers can stand beside each other. Both papers come out well: their sums
# are right, and the accuracies of the short one are exact to the last digit. What is left are a count that does not fit,
# a ± that 19 people cannot have, and how little 19 people can show.
#
# **You will** see how to read a count as a multiple of seven, draw every accuracy that 19 people can have, and find back
# the number of right answers of each single run from a mean and an SD. Under half a minute to run, twenty to work
# through.

# %% tags=["parameters"]
profile: str = "quick"  # smoke, quick, long or paper: osteolib/profiles.yaml
seed: int = 0  # seed of every random draw
n_splits: int = 1000  # random splits of each kind; at least 200

# %% tags=["hide-input"]
import numpy as np
import osteolib
import pandas as pd
from osteolib.report import audit_hand_page as page
from osteolib.report import provenance, style
from osteolib.report.audit_hand import LONG, NEAREST, SHORT, aucs, cells, number
from osteolib.report.audit_pages import show_findings
from osteolib.report.audits import audit_paper
from osteolib.report.published import printed_texts
from osteolib.stats.audit import printed
from osteolib.stats.audit.implied import hanley_mcneil_se
from osteolib.stats.audit.random_splits import describe_splits, made_up_segments
from osteolib.stats.audit.random_splits import printed_evenness
from osteolib.stats.audit.reach import f1_runs, reachable_mean_sd

run = osteolib.start(globals(), "14_audit_hand")
style.use_style()
audits = {paper: audit_paper(paper) for paper in (SHORT, LONG)}
details = pd.concat(audits.values()).set_index("id")["details"]  # behind each finding
text = printed_texts(SHORT) | printed_texts(LONG)
images, segments, bones = (number(text, f"{SHORT}.{name}")
                           for name in ("n_xray", "n_segments", "bones"))

# %% [markdown]
# ## 1,636 bones
#
# A hand has seven of the bones that are cut out. With $N$ hands there are at most
#
# $$ S \le 7 N \quad\Longleftrightarrow\quad N \ge \lceil S / 7 \rceil $$
#
# segments. Each square below is one hand with all its bones.

# %%
least = -(-segments // bones)  # rounded up
print(f"{images} hands: {images * bones} segments; {segments} segments: {least} hands")

# %% tags=["hide-input"]
page.show_hands(run, images, segments, bones)

# %% [markdown]
# ## What was split?
#
# The caption of the table splits segments 8:1:1. What was kept together, it does not say. Three units are possible. With
# single **segments**, a test bone nearly always has another bone of the same hand in training, with the same label. With
# **hands**, only people with two hands are at risk. With **people**, nobody is.
#
# Do the counts tell which? We make up a cohort with the printed sums: the 192 people of the journal version, 59 with
# osteoporosis, as many second hands as the cells need, and the missing bones missing at random. It is split many times in six
# ways.

# %%
people = {"op": number(text, f"{LONG}.T1.derived.osteoporosis"),
          "n": number(text, f"{LONG}.T1.derived.normal")}
rng = np.random.default_rng(seed)
cohort = made_up_segments(cells(text), people, bones, rng)
as_printed = printed_evenness(cells(text))
splits = {(unit, by): describe_splits(cohort, unit, by, as_printed, n_splits, rng)
          for unit in ("segment", "hand", "person") for by in (False, True)}

# %% tags=["hide-input"]
page.show_splits(run, text, cohort, splits)

# %% [markdown]
# ## 19 people
#
# A tenth of 192 is 19 people, 6 of them with osteoporosis. Three runs have 57 answers, so a mean accuracy is one of
#
# $$ 0, \tfrac{1}{57}, \tfrac{2}{57}, \dots, 1 . $$
#
# The printed accuracies have to lie on these marks, and they do. A spread cannot be anything, either: if three accuracies
# are not all equal, they differ by at least one person.

# %%
n_test = round(number(text, f"{LONG}.split.test") * sum(people.values()))
runs = number(text, f"{LONG}.eval.trials")
mean, sd = (printed(text[f"{LONG}.T6.sup.acc{end}"]) for end in ("", ".spread"))
for n in (n_test, n_test + 1, 33):
    print(f"{n} people, {mean.text} ± {sd.text}: right answers of {runs} runs can be",
          reachable_mean_sd(mean, sd, n, runs, 0, NEAREST) or "nothing")

# %% tags=["hide-input"]
page.show_nineteen(run, text, n_test, runs)

# %% [markdown]
# A small ± also says something else. If each seed had drawn its own 19 people, accuracies would differ by about 0.1. So
# the test people were most likely fixed, and every ± of the paper is that of *training*, on the same 19. What other
# people would have given is the standard error of an area under the curve {cite:p}`hanleymcneil1982`: $n_+$ people with
# and $n_-$ without osteoporosis,
#
# $$
# \begin{aligned}
# s^2 &= \frac{A (1 - A) + (n_+ - 1)(Q_1 - A^2) + (n_- - 1)(Q_2 - A^2)}{n_+ n_-}, \\
# Q_1 &= \frac{A}{2 - A}, \quad Q_2 = \frac{2 A^2}{1 + A}.
# \end{aligned}
# $$

# %%
top = aucs(text)["SimCLR, full"]
se = hanley_mcneil_se(top, 6, 13)
ends = top - 1.96 * se, min(1.0, top + 1.96 * se)

# %% tags=["hide-input"]
page.show_leads(run, text, details, ends)

# %% [markdown]
# How often such leads come up between equal methods, and how many people it would take, is counted in
# [what the test sets can show](16_replicability.ipynb).
#
# ## Ten accuracies and thirty runs
#
# The short paper scores 167 bone segments in three runs: 501 answers. All its accuracies have to be multiples of 1/501,
# and with two decimals only one number in twenty is. A mean and an SD then leave so few possibilities for the three runs
# that one can list them: whole numbers $k_1 \le k_2 \le k_3$ with
#
# $$ \frac{k_1 + k_2 + k_3}{3 \cdot 167} \text{ and } \frac{1}{167}\sqrt{\tfrac{1}{2} \textstyle\sum_i (k_i - \bar k)^2}
# \text{ that print as published.} $$
#
# F1 goes further. A run with $k$ right answers has $167 - k$ errors, so $F_1 = 2\,TP / (2\,TP + 167 - k)$ gives back the
# true positives.

# %%
acc, acc_sd, f1, f1_sd = (printed(text[f"{SHORT}.T2.SimCLR.{name}"]) for name in (
    "acc.ext", "acc.ext.spread", "f1.ext", "f1.ext.spread"))
right = reachable_mean_sd(acc, acc_sd, 167, 3)  # right answers of the three runs
f1_runs(right, 167, 48, f1, f1_sd)[0]  # and true positives, one solution

# %% tags=["hide-input"]
page.show_single_runs(run, text, details, runs)

# %% [markdown]
# ## All findings

# %% tags=["hide-input"]
show_findings(run, "What the printed numbers of the two papers say",
              **{"2023": audits[SHORT], "2025": audits[LONG]})

# %% [markdown]
# ## What to do with the papers
#
# - **Use** the counts of people, the sums and the accuracies: they hold. So do the printed differences, one of them only if
#   digits were cut off (L23-11).
# - **Quote** the AUROC of 0.85 with the interval of a test set of 19 people, and that of 0.83 as one of bone segments.
# - **Ask** three questions that one line each would answer: how many hands and films a person has; what was split in 2023;
#   what the ± of 0.01 is.
# - **Do not rank** the parts of the method by these 19 people, and do not compare numbers across the two versions: the unit,
#   the recipe and the supervised model changed.
# - **In a replication** keep both hands of a person on one side, use four local views, follow Eq. 10, fix the threshold on
#   validation people, and print an interval over people beside the ± over trainings.
#
# ```{admonition} What this does not say
# :class: warning, dropdown
# That any test person was seen in training: the counts fit a split of hands best, but a careful split of people can give
# them, too, and the journal version says that it splits by subject. That the parts of the method do not help: 19 people
# cannot show it either way. That any number was made otherwise than the papers say: most of them check out to the last
# digit, and each of the others has an innocent explanation in the table. The tables of the journal version were read only
# as far as its text quotes them.
# ```
#
# ```{admonition} Exercise
# :class: tip
# A paper prints an accuracy of 0.85 ± 0.02 over five seeds on 25 images. Possible? And 0.85 ± 0.01, rounded to nearest? And
# the same on 200 images? Guess first.
# ```

# %% tags=["solution"]
def possible(mean, sd, n, seeds=5):
    """Whether whole numbers of right answers print this mean and SD."""
    return any(reachable_mean_sd(printed(mean), printed(sd), n, seeds, ddof, NEAREST)
               for ddof in (0, 1))

few = possible("0.85", "0.02", 25), possible("0.85", "0.01", 25)
many = possible("0.85", "0.01", 200)
print("25 images, ± 0.02:", few[0], " ± 0.01:", few[1], " 200 images, ± 0.01:", many)
# one image is 0.04: four runs alike and one off by one have an SD of 0.016 or 0.018
assert few == (True, False) and many

# %% [markdown]
# **Take away.** Counts betray their unit: a multiple of 1/501 says "three runs on 167 pieces", whatever the abstract
# counts. A ± over seeds is silent about other people. And a test set of 19 can find a great difference, but cannot rank
# the parts of a method.

# %% tags=["hide-input"]
provenance(run)
