# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
#   osteolib:
#     minutes: {smoke: 0.5, quick: 0.5, long: 0.5, paper: 0.5}
#     needs: []
# ---
# %% [markdown]
# # Do the published numbers hold together?
# *Before asking whether a result can be repeated: do the numbers in the paper agree with each other?*
#
# A paper prints a sensitivity, a specificity, an accuracy and the number of people, and these cannot be chosen freely:
# behind them stands one table of whole numbers,
#
# $$ \mathrm{acc} = \frac{TP + TN}{n}, \quad \mathrm{sens} = \frac{TP}{TP + FN}, \quad n = TP + FP + FN + TN . $$
#
# No patient's data are needed to ask whether there is such a table, nothing is taken on trust, and anybody can repeat it.
#
# **You will** see what the audit found in each paper, and what each finding takes for granted. A minute to run, ten to read.

# %% tags=["parameters"]
profile: str = "quick"  # smoke, quick, long or paper: osteolib/profiles.yaml
seed: int = 0  # of every run; nothing on this page is drawn at random

# %% tags=["hide-input"]
import osteolib
import pandas as pd
from osteolib.report import audit_pages, provenance, say, table
from osteolib.report.audits import audit_paper, findings_table
from osteolib.report.published import PAPERS
from osteolib.stats.audit import printed
from osteolib.stats.audit.reach import reachable_proportion

run = osteolib.start(globals(), "15_audit_all")

# %%
audits = {paper: audit_paper(paper) for paper in PAPERS}  # every check, computed now
findings = pd.concat(audits.values(), keys=PAPERS.values(), names=["paper"])

# %% tags=["hide-input"]
findings = findings.reset_index("paper").reset_index(drop=True)
counts = pd.crosstab(findings["paper"], findings["verdict"])
counts = counts.reindex(index=PAPERS.values(), columns=audit_pages.WEIGHT, fill_value=0)
table(run, "counts", counts.rename_axis("Paper"), "Findings of each paper by verdict")
high = findings[(findings["verdict"] == "inconsistent") & (findings["sure"] == "high")]
disputed = findings["concerns"].explode().dropna().drop_duplicates()
run.fact(**audit_pages.verdict_counts(findings), papers=len(PAPERS), n_high=len(high),
         n_values=len(disputed),
         n_values_ct=int(disputed.str.startswith("tpswav2025_ct").sum()))
say(run, "{n} findings in {papers} papers: {consistent} conditions hold, "
    "{inconsistent} do not ({n_high} of these with little room for another reading), "
    "{differs} differ from words or from code, "
    "{derived} are numbers or readings that follow from the printed ones, and "
    "{not_checkable} cannot be decided from the paper.")

# %% [markdown]
# Each paper has its page, with the findings one by one and the arithmetic behind the weightiest:
#
# - [the CT study](11_audit_ct.ipynb), [the hip study](12_audit_hip.ipynb), [the knee study](13_audit_knee.ipynb), [the two
#   versions of the hand study](14_audit_hand.ipynb);
# - [Audit a paper yourself](17_audit_your_own.ipynb) explains each kind of check, on a made-up study;
# - [What these test sets can show](16_replicability.ipynb) asks another question: what studies of this size can tell.
#
# How often the audit accuses an honest study, and how often it sees an error that was planted, is measured
# [there](17_audit_your_own.ipynb), by the way the study was made. In short: what is called
# inconsistent here is so under what the finding assumes.

# %% tags=["hide-input"]
kept = findings[["id", "paper", "verdict", "kind", "sure", "claim"]].assign(
    concerns=findings["concerns"].str.join(" "))
run.write("concerns.csv", kept.to_csv(index=False))  # what the scorecard reads
table(run, "findings", findings_table(findings), f"All {len(findings)} findings",
      index=False, filters=("Paper", "Verdict", "Kind", "Sure"), chips={"Verdict"},
      folds={"What the paper says": audit_pages.BEHIND},
      folded=f"All {len(findings)} findings, to sort and to search")
dropped = pd.DataFrame([(PAPERS[paper], *lead) for paper, found in audits.items()
                        for lead in found.attrs["dropped"]],
                       columns=["Paper", "Lead", "Why it was dropped"])
table(run, "dropped", dropped, "Suspicions that did not survive the computation, or "
      "that none can decide", index=False,
      folded=f"Looked at and left out ({len(dropped)})")

# %% [markdown]
# ```{admonition} What this does not say
# :class: warning
# That two printed numbers cannot both be right does not say which one is wrong, nor that a conclusion is. Papers are typed
# by people, tables are assembled from several runs, and text outlives the version it was written for. Each finding says
# what it takes for granted and names an innocent explanation. Who wants to know more asks the authors, who hold the data.
# ```
#
# ```{admonition} Exercise
# :class: tip
# A test on 40 people prints an accuracy of 0.81. Why can that not be, however it was rounded? Which are the next larger
# tests that can print it?
# ```

# %% tags=["solution"]
accuracy = printed("0.81")
assert not reachable_proportion(accuracy, 40)  # 32 of 40 is 0.800, 33 of 40 is 0.825
can = {n: correct for n in range(41, 50)
       if (correct := reachable_proportion(accuracy, n))}
print(can)
assert all(0.805 <= k / n <= 0.82 for n, correct in can.items() for k in correct)

# %% [markdown]
# **Take away.** Numbers in a paper constrain each other. Checking them needs no data, takes minutes, and tells a reader
# which numbers to lean on.

# %% tags=["hide-input"]
provenance(run)
