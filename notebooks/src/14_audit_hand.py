# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
#   osteolib:
#     minutes: {smoke: 0.4, quick: 0.4, long: 0.4, paper: 0.4}
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
from osteolib.report import audit_hand, figure, provenance, say, style, table
from osteolib.report.audit_hand import LONG, NEAREST, SHORT, number
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
cells = audit_hand.cells(text)
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
figure(run, "hands", audit_hand.squares(images, segments, bones), alt=f"{least} "
       f"squares, one a hand of {bones} bones: {images} for the radiographs that are "
       f"named and {least - images} more that are needed.")
run.fact(images=images, segments=segments, bones=bones, most=images * bones,
         excess=segments - images * bones, least=least)
say(run, "{images} radiographs of one hand give at most {most:,} segments, {excess} "
    "fewer than the {segments:,} that the short paper splits. Some films may show both "
    "hands, or some people have several films; then a person can have several hands in "
    "the study, and it matters on which side of the split they lie.")

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
cohort = made_up_segments(cells, people, bones, rng)
as_printed = printed_evenness(cells)
splits = {(unit, by): describe_splits(cohort, unit, by, as_printed, n_splits, rng)
          for unit in ("segment", "hand", "person") for by in (False, True)}

# %% tags=["hide-input"]
tests = cells["test", "op"] + cells["test", "n"]
alone = {unit: splits[unit, True] for unit in ("person", "hand", "segment")}
figure(run, "leakage", audit_hand.leakage(alone, tests), alt="Splits by label: test "
       "sizes, and share of test segments of people in training, by unit: " + "; ".join(
           f"{u} {f['seen'].mean():.0%}" for u, f in alone.items()))
table(run, "splits", audit_hand.splits_table(splits), f"Six ways to split {segments:,} "
      f"segments 8:1:1, {n_splits} times each. Printed: {tests} test segments, shares "
      f"within {100 * as_printed[1]:.2f} points", index=False, folded="All six ways")
run.fact(two=int(cohort.groupby("person")["hand"].nunique().eq(2).sum()), tests=tests,
         by_segment=round(segments / 10),
         **audit_hand.split_facts(alone))
say(run, "A plain split of single segments is unlikely: it gives {by_segment} test "
    "segments, not {tests}. Hands, split by label, come out at least as even as "
    "printed in {hand_even:.0%} of splits, people in {person_even:.1%}. That speaks "
    "for hands, or for people balanced with care; it is no proof. If hands were split "
    "and {two} people have two, {hand_seen:.0%} of the test segments are of somebody "
    "whose other hand trained the model: about {hand_both:.0f} people. The journal "
    "version says that it splits by subject.")

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
run.fact(**audit_hand.people_needed(text, n_test, runs))
fig = audit_hand.possible_accuracies(text, n_test, runs)
figure(run, "nineteen", fig, alt="Possible accuracies of {n_test} people, with the "
       "printed ones on them; possible SDs by test size, and the printed {sup_sd}."
       .format(**run.facts))
say(run, "± {sup_sd} is possible on neither 19 nor 20, under any rounding. Rounded to "
    "nearest, three runs need {n_fit} people for it, or {n_sample} if ± is the sample "
    "SD as in the short paper. More runs do not help: with any number of them the SD "
    "is at least {floor:.3f} on {n_test} people and {floor_20:.3f} on 20 "
    "({floor_any:.3f} on {n_test} if digits were cut off). A standard error, or "
    "another unit than people, would explain it.")

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
value = audit_hand.aucs(text)
top, se = value["SimCLR, full"], hanley_mcneil_se(value["SimCLR, full"], 6, 13)
ends = top - 1.96 * se, min(1.0, top + 1.96 * se)

# %% tags=["hide-input"]
half = number(text, f"{LONG}.T3.SimCLR.auc.spread")
figure(run, "six", audit_hand.six_aucs(value, half, ends), alt="All ablations and the "
       f"baseline beside the best AUROC's interval, {ends[0]:.2f} to {ends[1]:.2f}.")
run.fact(top=top, half=half, **audit_hand.lead_facts(details, value, ends))
say(run, "The printed {top} ± {half} has a 95 % interval of {auc_low:.2f} to "
    "{auc_high:.2f}. Of {n_other} compared AUROCs, {inside} lie inside. The largest "
    "lead is {z_max:.1f} standard errors, if errors of two methods correlate at 0.5. "
    "In accuracy the method leads the best earlier one by {by_accuracy:.1f} people of "
    "19, and its own variant with a single decoder by {decoder:.1f}.")

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
carriers = cells["test", "op"]
rows, solutions = audit_hand.single_runs(details, carriers, runs)
fig = audit_hand.thirty_runs(rows, solutions, tests, carriers)
figure(run, "runs", fig, alt="Right answers of each run, by row: " + "; ".join(
           f"{name} {triples[0]}" for name, triples in rows.items()))
right = audit_hand.runs_table(text, rows, solutions, carriers)
table(run, "runs", right, "Single runs, found back from means and SDs "
      f"({tests} segments, {carriers} with osteoporosis)", index=False,
      folded="Every run as a table")
run.fact(n_tests=tests, auc_sd=text[f"{SHORT}.T2.SimCLR.auc.ext.spread"],
         **audit_hand.run_facts(details, solutions, carriers))
say(run, "All {n_exact} accuracies are exact. Of {n_free} arbitrary numbers, "
    "all would be so with a chance of {by_luck:.0e}: these are careful tables. "
    "The supervised model has {carriers} right in every run, the number of segments "
    "with osteoporosis: it calls all {n_tests} ill, as the paper suspects. And with "
    "nearly equal accuracy, the runs of the best model find {low_sens:.0%} to at least "
    "{high_sens:.0%} of the segments with osteoporosis, while its AUROC has a ± of "
    "{auc_sd}: what wavers is the threshold. (An open mark is a second solution.)")

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
