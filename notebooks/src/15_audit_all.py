# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
#   osteolib:
#     minutes: {smoke: 1, quick: 1, long: 1, paper: 1}
#     needs: []
# ---
# %% [markdown]
# # Do the published numbers hold together?
# *Before asking whether a result can be repeated: do the numbers in the paper agree with each other?*
#
# A paper prints a sensitivity, a specificity, an accuracy and the number of people, and these cannot be chosen freely:
# behind them stands one table of whole numbers. Five papers print some nine hundred numbers. Here each is held against the
# others, by arithmetic alone. No patient's data are needed, nothing is taken on trust, and anybody can repeat it.
#
# **You will** see what the audit found in each paper, how often it would be wrong, and the whole list, to sort and to
# search. One minute to run, half an hour to read.

# %% tags=["parameters"]
profile: str = "quick"  # smoke, quick, long or paper: osteolib/profiles.yaml
seed: int = 0  # seed of the made-up studies
n_studies: int = 1000  # made-up studies of each kind

# %%
import osteolib
import pandas as pd
from osteolib.report import figure, provenance, say, table
from osteolib.report.audits import audit_paper, findings_table
from osteolib.report.published import PAPERS

run = osteolib.start(globals(), "15_audit_all")
audits = {paper: audit_paper(paper) for paper in PAPERS}
findings = pd.concat(audits.values(), keys=PAPERS.values(), names=["paper"])
findings = findings.reset_index("paper").reset_index(drop=True)

# %% [markdown]
# ## The idea
#
# A printed number $p$ with $d$ decimals stands for a set of numbers: everything that gives $p$ when it is rounded half up,
# half to even, or cut off. Let $A(p)$ be that set. A table of results with metrics $m_1, m_2, \dots$ is *consistent* if
# there are whole numbers such that
#
# $$
# \begin{aligned}
# & \exists\, (TP, FP, FN, TN) \in \mathbb{N}^4: \quad TP + FP + FN + TN = n, \\
# & m_j(TP, FP, FN, TN) \in A(p_j) \ \text{ for all } j .
# \end{aligned}
# $$
#
# Sums, differences, means over seeds, intervals and areas under curves have conditions of the same kind. A finding is
# called *inconsistent* only where **nothing** that rounding allows satisfies its condition. *Derived* is a number that the
# paper does not print and that follows from those it does. *Not checkable* is what no arithmetic decides.

# %%
counts = pd.crosstab(findings["paper"], findings["verdict"]).reindex(PAPERS.values())
verdicts = ["inconsistent", "derived", "consistent", "not checkable"]
counts = counts.reindex(columns=verdicts, fill_value=0)
run.fact(n=len(findings), papers=len(PAPERS),
         **{v.replace(" ", "_"): int(counts[v].sum()) for v in verdicts})
high = findings[(findings["verdict"] == "inconsistent") & (findings["sure"] == "high")]
disputed = findings["concerns"].explode().dropna().drop_duplicates()
run.fact(n_high=len(high), n_values=len(disputed),
         n_values_ct=int(disputed.str.startswith("tpswav2025_ct").sum()))
say(run, "{n} findings in {papers} papers: {consistent} conditions hold, "
    "{inconsistent} do not ({n_high} of these with little room for another reading), "
    "{derived} are derived numbers, and {not_checkable} cannot be decided from the "
    "paper.")

# %%
import matplotlib.pyplot as plt
from osteolib.report.style import use_style

use_style()
colours = ["#b5432f", "#3b78a8", "#1b7f5c", "#8a8f98"]
fig, axis = plt.subplots(figsize=(7.2, 2.6))
counts.iloc[::-1].plot.barh(stacked=True, color=colours, ax=axis, width=0.7)
for bars in axis.containers:
    axis.bar_label(bars, fmt=lambda n: f"{n:.0f}" if n else "", label_type="center",
                   color="white", fontsize=8)
axis.set(xlabel="findings", ylabel="")
axis.legend(ncols=4, loc="lower center", bbox_to_anchor=(0.4, 1), frameon=False)
figure(run, "counts", fig, alt="Findings of each paper by verdict.")

# %% [markdown]
# ## Those that matter most
#
# Findings whose arithmetic leaves little room. Each names an innocent explanation: a slip in a table is not a slip in the
# study, and most of these can be mended with one line from the authors.

# %%
shown = findings_table(high).drop(columns=["Where", "Verdict", "Sure"])
table(run, "high", shown, "Conditions that do not hold, most certain", index=False,
      group="Paper")

# %% [markdown]
# ## How often would the audit be wrong?
#
# An audit that objects to honest papers is worse than none. So it is tried on made-up studies whose truth is known: honest
# ones, with any of the three roundings, and ones with a planted error. It must never object to the first.

# %%
from osteolib.stats.audit.trials import detection_rates

rates = detection_rates(n_studies, seed)
honest = rates.set_index("kind").loc["honest"]
run.fact(n_studies=n_studies, false_calls=int(honest["called"]),
         upper_percent=100 * honest["ci_high"])
table(run, "rates", rates.drop(columns="called").round(3), "Made-up studies that the "
      "audit calls inconsistent", index=False)
say(run, "It objected to {false_calls} of {n_studies:,} honest studies (95 % interval "
    "up to {upper_percent:.2f} %).")

# %% [markdown]
# ## All findings
#
# Choose a paper or a verdict, or search for a word.

# %%
kept = findings[["id", "paper", "verdict", "sure", "claim"]].assign(
    concerns=findings["concerns"].str.join(" "))
run.write("concerns.csv", kept.to_csv(index=False))  # what the scorecard reads
table(run, "findings", findings_table(findings), f"All {len(findings)} findings",
      index=False, filters=("Paper", "Verdict", "Sure"), chips={"Verdict"})

# %% [markdown]
# ## What was looked at and dropped
#
# Suspicions that did not survive the computation, or that no computation can decide. They are listed so that nobody has
# to have them again.

# %%
dropped = pd.DataFrame(
    [(PAPERS[paper], *lead) for paper, found in audits.items()
     for lead in found.attrs["dropped"]],
    columns=["Paper", "Lead", "Why it was dropped"])
table(run, "dropped", dropped, "Leads that did not hold", index=False)

# %% [markdown]
# ```{admonition} What this does not say
# :class: warning
# That two printed numbers cannot both be right does not say which one is wrong, nor that a conclusion is. Papers are typed
# by people, tables are assembled from several runs, and text outlives the version it was written for. We report
# arithmetic. Who wants to know more asks the authors, who hold the data.
# ```
#
# ```{admonition} Exercise
# :class: tip
# A test on 40 people prints an accuracy of 0.81. Why can that not be, however it was rounded? Which are the next larger
# tests that can print it?
# ```

# %% tags=["solution"]
from osteolib.stats.audit import printed
from osteolib.stats.audit.reach import reachable_proportion

accuracy = printed("0.81")
assert not reachable_proportion(accuracy, 40)  # 32 of 40 is 0.800, 33 of 40 is 0.825
can = {n: correct for n in range(41, 50)
       if (correct := reachable_proportion(accuracy, n))}
print(can)
assert all(0.805 <= k / n <= 0.82 for n, correct in can.items() for k in correct)

# %% [markdown]
# **Take away.** Numbers in a paper constrain each other. Checking them needs no data, takes minutes, and tells a reader
# which numbers to lean on. [Audit a paper yourself](17_audit_your_own.ipynb) shows how.

# %%
provenance(run)
