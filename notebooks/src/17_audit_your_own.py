# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
#   osteolib:
#     minutes: {smoke: 0.2, quick: 0.2, long: 0.2, paper: 0.2}
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
profile: str = "quick"  # smoke, quick, long or paper: osteolib/profiles.yaml; all alike here
seed: int = 0  # of every run; nothing on this page is drawn at random

# %%
import matplotlib.pyplot as plt
import numpy as np
import osteolib
import pandas as pd
from osteolib.report import figure, provenance, say, style, table
from osteolib.report.audits import FOLDER, audit_paper, findings_table
from osteolib.stats.audit import ROUNDINGS, confusion_matrices, exchange, printed
from osteolib.stats.audit.audit_file import load_audit, report, vocabulary

run = osteolib.start(globals(), "17_audit_your_own")
style.use_style()
RED, BLUE, GREEN = "#D55E00", "#0072B2", "#009E73"
text = load_audit(FOLDER / "example.yaml").values  # what the made-up study prints
n, positives = int(text["n"]), int(text["positives"])

# %%
main = ["n", "positives", "abstract.auc", "auc", "sensitivity", "specificity",
        "accuracy.age", "accuracy.seeds", "accuracy.seeds.sd"]
table(run, "printed", pd.DataFrame({"name": main, "printed": [text[k] for k in main]}),
      "What the made-up study prints, of its main model", index=False)

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
def intervals(axis, texts):
    """What each printed text may have been, a bar for each way of rounding."""
    for row, shown in enumerate(reversed(texts)):
        for i, name in enumerate(ROUNDINGS):
            low, high = printed(shown).interval([name])
            axis.hlines(row + 0.22 * (1 - i), low, high, (BLUE, GREEN, RED)[i], lw=8,
                        label=name if row == 0 else None)
        value = float(printed(shown).value)
        axis.vlines(value, row - 0.36, row + 0.36, style.INK, lw=1.2)
    axis.set_yticks(range(len(texts)), reversed(texts))
    axis.set(ylim=(-0.6, len(texts) - 0.4), xlabel="what it may have been")
    axis.locator_params(axis="x", nbins=5)

# %%
fig, axes = plt.subplots(1, 2, figsize=(8.2, 2.6))
intervals(axes[0], ["0.9", "0.90"])
intervals(axes[1], [text["abstract.auc"], text["auc"]])
axes[0].set_title("Trailing zeros count")
axes[1].set_title("AUC: abstract and table")
fig.legend(*axes[0].get_legend_handles_labels(), ncols=3, loc="outside lower center")
figure(run, "intervals", fig, alt="Intervals behind 0.9, 0.90 and the two printed AUCs "
       "for three ways of rounding; those of the AUCs overlap.")

# %%
(low, high), (low_table, high_table) = (
    printed(text[name]).interval() for name in ("abstract.auc", "auc"))
agree = max(low, low_table) <= min(high, high_table)
run.fact(abstract=text["abstract.auc"], auc=text["auc"], low=low, high=high,
         agree="agree" if agree else "do not agree")
say(run, "The abstract's {abstract} may have been anything from {low:.3f} to "
    "{high:.3f}. The table's {auc} lies inside: the two {agree}. An audit must never "
    "call such a pair an error, so it allows whatever any of the three ways allows.")

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
from math import comb

reported, left = {}, {}
for metric, name in (("accuracy", "table3.cnn.acc"), ("sensitivity", "sensitivity"),
                     ("specificity", "specificity")):
    reported[metric] = printed(text[name])
    left[f"+ {metric}"] = confusion_matrices(n, **reported)
left["+ positives"] = confusion_matrices(n, positives=positives, **reported)
counts = pd.Series({"n alone": comb(n + 3, 3)} | {k: len(m) for k, m in left.items()})
counts.to_frame("matrices left")

# %% [markdown]
# With one accuracy there is one number of right answers, so a matrix is a point in a plane: true positives across, false
# negatives up. A fixed sensitivity is a ray from the origin, a fixed specificity a ray from the opposite corner. Here they
# cross at a small angle, so several whole-number points lie close enough to both; the number of positives, a falling line,
# picks one of them.

# %%
correct, = {m.tp + m.tn for m in left["+ accuracy"]}
sens, spec = (float(reported[k].value) for k in ("sensitivity", "specificity"))

# %%
def sieve(axis):
    """All matrices with the printed accuracy, and those that each condition leaves."""
    colours, sizes = ("#999999", BLUE, GREEN, RED), (1.5, 16, 60, 130)
    looks = zip(left.items(), colours, sizes, strict=True)
    for order, ((label, matrices), colour, size) in enumerate(looks, 2):
        axis.scatter([m.tp for m in matrices], [m.fn for m in matrices], size, colour,
                     edgecolors="white" if order > 3 else "none", zorder=order,
                     label=f"{label} ({len(matrices):,})")
    axis.axline((0, 0), slope=(1 - sens) / sens, color=BLUE, lw=1)
    axis.axline((correct, n - correct), slope=(1 - spec) / spec, color=GREEN, lw=1)
    axis.axline((positives, 0), slope=-1, color=RED, lw=1)
    axis.set(xlabel="true positives", ylabel="false negatives", xlim=(-3, correct + 3),
             ylim=(-1, n - correct + 1))

# %%
fig, (plane, bars) = plt.subplots(1, 2, figsize=(9, 4), width_ratios=(2.3, 1))
sieve(plane)
bars.barh(counts.index[::-1], counts[::-1], color=style.GREY)
bars.bar_label(bars.containers[0], fmt="{:,.0f}", padding=3)
bars.set(xscale="log", xlim=(0.5, 4e7), xlabel="matrices left (logarithmic)")
bars.minorticks_off()
bars.set_xticks([])
bars.tick_params(axis="y", length=0)
legend = fig.legend(*plane.get_legend_handles_labels(), ncols=4,
                    loc="outside lower center")
for handle in legend.legend_handles:
    handle.set(sizes=[45], edgecolor="none")
figure(run, "sieve", fig, alt="Left: lattice of matrices with the printed accuracy; "
       "few survive each further number. Right: how many are left, from "
       f"{counts.iloc[0]:,} to {counts.iloc[-1]}.")

# %%
only, = left["+ positives"]
run.fact(n=n, positives=positives, tp=only.tp, fp=only.fp, fn=only.fn, tn=only.tn,
         n_alone=int(counts["n alone"]), ppv=only.metric("ppv"), f1=only.metric("f1"),
         npv=only.metric("npv"), **{k[2:]: len(m) for k, m in left.items()
                                    if k != "+ positives"})
say(run, "Of {n_alone:,} tables {accuracy:,} print the accuracy, {sensitivity} the "
    "sensitivity as well, {specificity} all three, and one has the {positives} "
    "positives of Table 1: TP {tp}, FP {fp}, FN {fn}, TN {tn}. Now we know what the "
    "study does not print under these names: PPV {ppv:.3f}, NPV {npv:.3f}, F1 {f1:.3f}."
    " Keep the first two in mind.")

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

# %%
def lines(axis, values, labels, row=0):
    """A line for each value that can be reached."""
    axis.vlines(values, row, row + 0.65, BLUE, lw=2)
    for value, label in zip(values, labels, strict=True):
        axis.text(value, row + 0.7, label, ha="center", fontsize=9)

# %%
fig, axes = plt.subplots(1, 2, figsize=(8.6, 2.6))
k = np.arange(np.floor((float(age.value) - 0.012) * n), (float(age.value) + 0.016) * n)
lines(axes[0], 100 * k / n, [f"{count:.0f}" for count in k])
axes[0].set(ylim=(0, 0.9), yticks=[], xlabel=f"accuracy (%): counts of {n}")
for row, values in enumerate(sds.values()):
    near = 100 * values[values < 0.01]
    lines(axes[1], near, [f"{value:.3f}" for value in near], row)
axes[1].set(xlim=(0.2, 1), ylim=(0, 2.05), yticks=[0.3, 1.3], yticklabels=sds,
            xlabel=f"SD (%), mean {mean.text}")
for axis, number in zip(axes, (age, sd), strict=True):
    axis.axvspan(*(100 * x for x in number.interval()), color=RED, alpha=0.3, lw=0)
    axis.set_title(f"printed {number.text}: no line in the band")
figure(run, "reachable", fig, alt="Reachable accuracies, and reachable SDs of three "
       "runs, as lines; the bands of the two printed values hold none of them.")

# %%
grid = np.arange(n + 1) / n
run.fact(age=age.text, seeds=f"{mean.text} ± {sd.text}", three=len(triples),
         chance=np.unique(grid.round(3)).size / 1001, sd=sd.text,
         nearest=100 * sds["sample SD"][0])
assert not reachable_proportion(age, n)
assert not any(reachable_mean_sd(mean, sd, n, RUNS, ddof) for ddof in (0, 1))
say(run, "No count of {n} people prints {age}, and of {three:,} triples with the "
    "printed mean none has the SD {sd}; the nearest, {nearest:.3f} %, is too small.")
say(run, "How much does that say? Of all numbers with three decimals only {chance:.0%} "
    "are proportions of {n}, so a typing slip is mostly caught. With 1,000 people "
    "everything is reachable, and the test is mute.")

# %% [markdown]
# ## 4. What do the columns mean?
#
# Table 3 compares four models on **one** test set. Its columns are called sensitivity and specificity. The CNN's are not
# those of Table 2: they are the two that we were to keep in mind. So let us ask of each row, without Table 2: how many
# positives must the test set have had?

# %%
columns = {"accuracy": "acc", "sensitivity": "sens", "specificity": "spec"}
models = ["cnn", "linear", "forest", "nurse"]
rows = {model: {metric: printed(text[f"table3.{model}.{short}"])
                for metric, short in columns.items()} for model in models}
shown = pd.DataFrame(rows).T.map(lambda number: number.text)
table(run, "table3", shown, "Table 3 of the made-up study")

# %%
meanings = {"as printed": {},
            "as PPV and NPV": {"sensitivity": "ppv", "specificity": "npv"}}
fig, axes = plt.subplots(1, 2, figsize=(8.2, 2.5), sharex=True, sharey=True)
for axis, (title, meaning) in zip(axes, meanings.items(), strict=True):
    axis.axvline(positives, color=style.GREY, lw=1, ls="--")
    for model, row in rows.items():
        renamed = {meaning.get(name, name): number for name, number in row.items()}
        served = {m.positives for m in confusion_matrices(n, **renamed)}
        axis.plot(list(served), [model] * len(served), "o", color=BLUE, ms=9)
    axis.set(title=title, xlabel="positives in the test set")
    axis.set_ylim(len(models) - 0.5, -0.5)
figure(run, "positives", fig, alt="Number of positives that each row needs: four "
       "different ones as printed, the same one if read as PPV and NPV.")

# %% [markdown]
# Each row alone is possible as printed: no check of single rows would object. But one test set has one number of positives.
# `exchange` tries every reading and counts the rows that one number of positives explains.

# %%
readings = exchange(rows, n)
names = readings["sensitivity"] + " · " + readings["specificity"]
named = (readings["sensitivity"] == "sensitivity") & (readings["specificity"]
                                                      == "specificity")
fig, axis = plt.subplots(figsize=(7, 3.4))
axis.barh(names, readings["rows_explained"], color=np.where(named, RED, BLUE))
for i, row in readings[readings["rows_explained"] > 0].iterrows():
    others = f", or {row['positives_tied'] - 1} other numbers"
    axis.text(row["rows_explained"] + 0.05, i, f"with {row['best_positives']} positives"
              + others * (row["positives_tied"] > 1), va="center", fontsize=9)
axis.set(xlabel="rows explained", xlim=(0, len(rows) + 1), xticks=range(len(rows) + 1),
         title="What the columns sensitivity · specificity may really hold")
axis.invert_yaxis()
figure(run, "exchange", fig, alt="Rows explained by each reading of the two columns; "
       "as PPV and NPV all, as printed one.")

# %%
best, mirror = readings.iloc[0], readings.iloc[1]
run.fact(rows=len(rows), as_printed=int(readings.loc[named, "rows_explained"].iloc[0]),
         explained=int(best["rows_explained"]), best=int(best["best_positives"]),
         mirror=int(mirror["best_positives"]), reading=names[0], tied=names[1])
assert best["best_positives"] == positives
say(run, "As printed (orange) one number of positives explains {as_printed} of {rows} "
    "rows; read as *{reading}* it explains {explained}, with {best} positives, the "
    "number in Table 1. *{tied}* explains as many with {mirror}: the same people with "
    "the classes swapped. Table 1, or an F1, tells the two apart.")

# %% [markdown]
# ## 5. A whole paper at once
#
# All of this goes into one file: the printed values under names of your choice, and a list of findings that each name a
# *check*. `data_manifests/audits/example.yaml` is the file of this study, with a comment at every step; open it beside this
# page. Four verdicts are possible. *Inconsistent*: nothing that rounding allows satisfies the check. *Consistent*: something
# does. *Derived*: a number that the paper does not print. *Not checkable*: no arithmetic decides it.

# %%
findings = audit_paper(FOLDER / "example.yaml")
table(run, "findings", findings_table(findings), "The audit of the made-up study",
      index=False, filters=("Verdict",), chips={"Verdict"})

# %%
found = findings.set_index("id")
steps = ["W6", "W7", "W8"]  # found by hand in steps 3 and 4
assert found.loc[steps, "verdict"].eq("inconsistent").all()
assert found.loc["W5", "details"]["tp"] == only.tp  # step 2
of_labels = found.loc["W10", "details"]
run.fact(n_findings=len(found), n_bad=int((found["verdict"] == "inconsistent").sum()),
         labels=of_labels["labels"], chance_auc=of_labels["chance"])
say(run, "{n_findings} findings, {n_bad} of them inconsistent. Another planted "
    "error hides among the *derived*: the AUC {auc} is (sensitivity + specificity) / 2 "
    "= {labels:.4f}, what yes/no answers give instead of graded scores. It could be so "
    "by chance (about {chance_auc:.1%}), so the audit does not object, it only tells.")

# %% [markdown]
# ## 6. Your own paper
#
# These are all the words a file can use. Sort and search the table; the example shows what to write under `with`.

# %%
words = vocabulary()
words["meaning"] = words["meaning"].str.split("\n\n").str[0]
run.fact(n_checks=len(words))
table(run, "vocabulary", words[["check", "meaning", "arguments", "example"]],
      f"The {len(words)} checks", index=False, filters=())

# %% [markdown]
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
path = run.write("my_paper.yaml", my_paper)

# %%
own = audit_paper(path)
assert own["verdict"].tolist() == ["inconsistent"]
print(report(own))

# %% [markdown]
# The same from a terminal, where `--csv` writes a table as well and `--help-checks` prints the vocabulary:
#
# ```bash
# osteolib audit my_paper.yaml --csv findings.csv
# osteolib audit --help-checks
# ```
#
# A slip in the file is answered with the line and what to write instead; nothing is guessed. Here a number has lost its
# quotes and a key its last letter:

# %%
slip = my_paper.replace('"0.90"', "0.90").replace("claim:", "clai:")
path = run.write("slip.yaml", slip)
try:
    audit_paper(path)
except ValueError as error:
    message = str(error).replace(str(path), path.name)
print(message)
assert "quotes" in message

# %% [markdown]
# In practice: type in the tables first, all of them, with the place where each number stands. Write what *must* hold (sums,
# proportions, one number of positives) before looking at what comes out. Then read each inconsistency twice: your own typing
# is the first suspect. `expect: inconsistent` keeps a verdict that you have checked, and the audit fails if it ever changes.

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

# %% [markdown]
# ```{admonition} Exercise
# :class: tip
# Four models were tested on the same people; the paper prints their number, not how many were ill. **One digit in the table
# below is wrong.** How many were ill? Which cell is wrong, and what should it be? Hint: first find the number of positives
# that serves most rows. Then leave out one column of the odd row at a time.
# ```

# %%
tested = 90
quiz = pd.DataFrame({"accuracy": ["0.844", "0.867", "0.833", "0.856"],
                     "sensitivity": ["0.844", "0.781", "0.906", "0.688"],
                     "specificity": ["0.845", "0.914", "0.763", "0.948"],
                     "f1": ["0.794", "0.806", "0.795", "0.772"]},
                    index=["I", "II", "III", "IV"])
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

# %%
provenance(run)
