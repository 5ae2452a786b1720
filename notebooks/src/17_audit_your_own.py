# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
#   osteolib:
#     minutes: {smoke: 1.5, quick: 1.5, long: 1.5, paper: 1.5}
#     needs: []
# ---
# %% [markdown]
# # Audit a paper yourself
# *You hold a paper and a pencil, no data. What can you find out about its numbers?*
#
# More than one would think. Accuracy, sensitivity and specificity of one test set hang together by four whole numbers, and
# a mean over three seeds by three. Whoever knows this can check a table in minutes, before building on it or before
# sending in one's own.
#
# The study on this page is **made up**, with errors planted in it. We find them one at a time by hand, then all at once
# with a small file, and then you write such a file.
#
# **You will** turn printed numbers into sets of possible numbers, list every confusion matrix behind a table, expose
# impossible means and exchanged columns, and run `osteolib audit` on a paper of your own. Seconds to run, forty minutes to
# work through.

# %% tags=["parameters"]
profile: str = "quick"  # smoke, quick, long or paper: all alike here
seed: int = 0  # of the made-up studies
n_studies: int = 10  # made-up studies of each way of working, and of each planted error

# %% tags=["hide-input"]
import numpy as np
import osteolib
from osteolib.report import audit_lesson_page as page
from osteolib.report import audit_trials_page as trials
from osteolib.report import provenance, table
from osteolib.report.audit_lesson import QUIZ, rows_of
from osteolib.report.audits import FOLDER, audit_paper
from osteolib.stats.audit import confusion_matrices, exchange, printed
from osteolib.stats.audit.audit_file import load_audit
from osteolib.stats.audit.trials import rates

run = osteolib.start(globals(), "17_audit_your_own")
text = load_audit(FOLDER / "example.yaml").values  # what the made-up study prints
n, positives = int(text["n"]), int(text["positives"])
page.show_study(run, text)

# %% [markdown]
# ## 1. What a printed number may have been
#
# A number with $d$ decimals was rounded, and three ways are in use: half up, half to even, and cutting off. Let $A(p)$ be all
# numbers that one of them prints as $p$. With $u = 10^{-d}$ and $p > 0$,
#
# $$ A(p) = \left[\, p - \tfrac{u}{2},\ p + u \,\right], $$
#
# half a unit down because of rounding, a whole unit up because of cutting. This is why the file keeps numbers as **text**:
# 0.9 and 0.90 are one number for a computer and two for an auditor. A count stands for itself.

# %%
abstract, in_table = printed(text["abstract.auc"]), printed(text["auc"])
(low, high), (low_table, high_table) = abstract.interval(), in_table.interval()
agree = max(low, low_table) <= min(high, high_table)

# %% tags=["hide-input"]
page.show_intervals(run, abstract, in_table, agree)

# %% [markdown]
# ## 2. Every table behind the numbers
#
# A test of $n$ people ends in four counts. The paper prints metrics $p_1, p_2, \dots$ and we ask for **all** whole-number
# solutions of
#
# $$
# \begin{aligned}
# & TP + FP + FN + TN = n, \\
# & \frac{TP + TN}{n} \in A(p_1), \quad \frac{TP}{TP + FN} \in A(p_2), \quad \frac{TN}{TN + FP} \in A(p_3) .
# \end{aligned}
# $$
#
# Without any metric there are $\binom{n + 3}{3}$. Each printed number is a sieve. Take the accuracy from Table 3 (the CNN,
# the main model) and the sensitivity and specificity from Table 2.

# %%
reported, left = {}, {}
for metric, name in (("accuracy", "table3.cnn.acc"), ("sensitivity", "sensitivity"),
                     ("specificity", "specificity")):
    reported[metric] = printed(text[name])
    left[f"+ {metric}"] = confusion_matrices(n, **reported)
left["+ positives"] = confusion_matrices(n, positives=positives, **reported)
{condition: len(matrices) for condition, matrices in left.items()}

# %% [markdown]
# With one accuracy there is one number of right answers, so a matrix is a point in a plane: true positives across, false
# negatives up. A fixed sensitivity is a ray from the origin, a fixed specificity a ray from the opposite corner. Here they
# cross at a small angle, so several whole-number points lie close enough to both; the number of positives, a falling line,
# picks one of them.

# %% tags=["hide-input"]
page.show_sieve(run, left, n, positives, reported)

# %% [markdown]
# Had *no* table been left, two of the numbers could not both be right. One left is not a proof of anything, but it can be
# used: for a meta-analysis, or an interval that the paper does not give.
#
# ## 3. Means that cannot be
#
# A proportion of $n$ people is $k/n$. Between two neighbours lies a gap, and a printed value may fall into it. That is the
# GRIM test {cite:p}`brown2017_grim`. A mean over $R$ seeds on one test set is $\sum k_i / (nR)$, on a finer grid; but its
# SD comes from the same whole numbers (GRIMMER {cite:p}`anaya2016_grimmer`), and few seeds leave few SDs:
#
# $$ s = \frac{1}{n} \sqrt{\frac{\sum_i (k_i - \bar k)^2}{R - 1}}, \qquad \sum_i k_i = R \bar k . $$

# %%
from osteolib.stats.audit.reach import reachable_mean_sd, reachable_proportion

age, mean, sd = (printed(text[name]) for name in
                 ("accuracy.age", "accuracy.seeds", "accuracy.seeds.sd"))
RUNS = 3
print("counts that print", age.text, "of", n, "people:", reachable_proportion(age, n))
print("sums of three runs that print", mean.text, reachable_proportion(mean, n, RUNS))
triples = np.array(reachable_mean_sd(mean, None, n, RUNS))  # any SD
sds = {name: np.unique(np.round(triples.std(axis=1, ddof=d) / n, 9))
       for d, name in enumerate(("population SD", "sample SD"))}

# %% tags=["hide-input"]
page.show_out_of_reach(run, age, mean, sd, n, triples, sds)

# %% [markdown]
# So a typing slip is mostly caught here. With 1,000 people every number of three decimals is reachable, and the test is mute.
#
# ## 4. What do the columns mean?
#
# Table 3 compares four models on **one** test set. Its columns are called sensitivity and specificity. The CNN's are not
# those of Table 2: they are the two that we were to keep in mind. So let us ask of each row, without Table 2: how many
# positives must the test set have had?

# %% tags=["hide-input"]
rows = rows_of(text, "table3")
page.show_table_3(run, rows, n, positives)

# %% [markdown]
# Each row alone is possible as printed: no check of single rows would object. But one test set has one number of positives.
# `exchange` tries every reading and counts the rows that one number of positives explains.

# %%
readings = exchange(rows, n)
readings[["sensitivity", "specificity", "rows_explained", "best_positives"]].head(3)

# %% tags=["hide-input"]
page.show_readings(run, readings, len(rows))

# %% [markdown]
# ## 5. A whole paper at once
#
# All of this goes into one file: the printed values under names of your choice, and a list of findings that each name a
# *check*. `data_manifests/audits/example.yaml` is the file of this study, with a comment at every step; open it beside this
# page. Five verdicts are possible. *Inconsistent*: nothing that rounding allows satisfies the check, under what it assumes.
# *Differs*: the same, but words, released code, a convention or a statistical model stand on one side; only arithmetic may
# call a paper inconsistent. *Consistent*: something satisfies it. *Derived*: a number, or a reading, that the paper does
# not print and that follows from what it does. *Not checkable*: no arithmetic decides it.

# %% tags=["hide-input"]
page.show_audit(run, audit_paper(FOLDER / "example.yaml"))

# %% [markdown]
# Another planted error hides among the *derived*: an AUC that is the mean of sensitivity and specificity, which is what
# yes/no answers give instead of graded scores. It could be so by chance, so the audit does not object, it only tells.
#
# ## 6. Your own paper
#
# A file can be as short as this. Numbers stand in quotes, as printed; `with` names them; `means` is the sentence that readers
# get, and what stands in double braces is filled in with what the check computed.

# %%
my_paper = """\
study: A made-up study of heel films
values: {n: "60", ill: "24", sens: "0.90", spec: "0.78"}
findings:
  - id: H1
    source: Table 2
    claim: sensitivity 0.90 and specificity 0.78 of 60 people, 24 of them ill
    check: confusion
    with: {n: n, positives: ill, reported: {sensitivity: sens, specificity: spec}}
    means: >-
      {{ n_solutions }} matrices print this. The nearest has {{ nearest[0] }} hits, a
      sensitivity of {{ (nearest[0] / 24) | percent }}.
"""

# %% tags=["hide-input"]
own = audit_paper(run.write("my_paper.yaml", my_paper))
assert own["verdict"].tolist() == ["inconsistent"]
page.show_own(run, own)

# %% [markdown]
# From a terminal `osteolib audit my_paper.yaml --csv findings.csv` does the same and writes a table as well, and
# `osteolib audit --help-checks` prints the vocabulary. A slip in the file (a number without its quotes, a key without its
# last letter) is answered with the line and what to write instead; nothing is guessed.
#
# In practice: type in the tables first, all of them, with the place where each number stands. Write what *must* hold (sums,
# proportions, one number of positives) before looking at what comes out. Then read each inconsistency twice: your own typing
# is the first suspect. `expect: inconsistent` keeps a verdict that you have checked, and the audit fails if it ever changes.
#
# ## 7. Right in both directions?
#
# An audit can accuse the honest and miss the error; on made-up studies, most of three models, both can be counted. Some work as the
# checks assume. Some are as honest but work otherwise and do not say so: arithmetic cannot tell them from errors, so a finding
# also names other ways of writing or averaging that would fit. The last have one error planted.

# %% tags=["hide-input"]
trials.show_trial(run, rates(n_studies, seed))
trials.show_both_directions(run)

# %% [markdown]
# The idea of section 2 is older than this page. `mlscorecheck` {cite:p}`kovacs2024_mlscorecheck` asks the same of one test
# set, of means over folds and data sets {cite:p}`fazekas2023_consistency`, of each of several classes and of regressions, and knows
# public data sets by name. There a user gives the width of the interval and the positives; here both may be left open, and
# innocent readings are tried. Neither replaces the other.

# %% tags=["hide-input"]
trials.show_peer(run)

# %% [markdown]
# ```{admonition} What this cannot show
# :class: warning
# - **Which number is wrong.** Only that they cannot all be right; a table with more columns than it needs may hint at one.
# - **Why.** A typing slip, a table from an older run, people without a result, swapped arguments of a function: arithmetic does
#   not tell them apart, and none of these is bad faith. Hence the field `innocent`: if you cannot fill it in, think longer.
# - **That a consistent paper is right.** Leakage, a wrong label, a chosen threshold leave the arithmetic untouched.
# - **Anything about numbers with few decimals and many people.** There everything is reachable.
# - **More than was assumed.** One test set, one run, the $n$ that is printed: if a row was tested on fewer people, what is said
#   here about it falls. Ask the authors, politely and with the calculation, before you tell others.
# ```
#
# ```{admonition} Exercise
# :class: tip
# Four models were tested on the same people; the paper prints their number, not how many were ill. **One digit in the table
# below is wrong.** How many were ill? Which cell is wrong, and what should it be? Hint: first find the number of positives
# that serves most rows. Then leave out one column of the odd row at a time.
# ```

# %% tags=["hide-input"]
quiz, tested = QUIZ, 90
table(run, "quiz", quiz, f"A made-up table: four models, {tested} people")

# %% tags=["solution"]
cells = {model: {name: printed(shown) for name, shown in row.items()}
         for model, row in quiz.to_dict("index").items()}
ill = int(exchange(cells, tested, [{}])["best_positives"].iloc[0])
odd, = [m for m, row in cells.items()
        if not confusion_matrices(tested, positives=ill, **row)]
suspects = {}
for name in quiz:
    others = {k: v for k, v in cells[odd].items() if k != name}
    if matrices := confusion_matrices(tested, positives=ill, **others):
        suspects[name] = [f"{m.metric(name):.3f}" for m in matrices]
wrong = quiz.loc[odd, [*suspects]].to_dict()
print(f"{ill} ill; model {odd}: {wrong} should be {suspects}")
assert (ill, odd, suspects) == (32, "III", {"specificity": ["0.793"]})

# %% [markdown]
# **Take away.** A printed number is a set of numbers, and the counts behind a table are whole. Together they allow few
# tables, sometimes one, sometimes none. Check a paper before you build on it, and your own before you print it.

# %% tags=["hide-input"]
provenance(run)
