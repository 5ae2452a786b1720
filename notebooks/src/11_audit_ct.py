# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
#   osteolib:
#     minutes: {smoke: 0.4, quick: 0.3, long: 0.3, paper: 0.4}
#     needs: []
# ---
# %% [markdown]
# # The numbers of the CT study
# *A table prints accuracy, sensitivity, specificity and F1 of ten models at four hospitals. Is there a set of vertebrae, and a
# set of patients, on which these models could have made exactly these numbers?*
#
# The study finds osteoporosis on CT, vertebra by vertebra, and calls a patient positive if any vertebra is
# {cite:p}`tpswav2025_ct`. It does not print how many vertebrae or patients have osteoporosis. Whole numbers leave little room,
# so that can be found out, and with it every confusion matrix.
#
# Everything here is arithmetic on printed numbers. It says which numbers fit together, never how a mismatch came about. **Where
# we correct a column, the authors' main message, that a mixture of experts (MoE) beats a single head, comes out stronger in
# sensitivity, not weaker.**
#
# **You will** find the meaning of two columns, take running totals apart, and see what MoE gains in vertebrae. Half a minute
# to run, half an hour to read.

# %% tags=["parameters"]
n_controls: int = 10  # per site: tables with moved digits, to see what chance would fit
profile: str = "quick"  # smoke, quick, long or paper: osteolib/profiles.yaml
seed: int = 0  # seed of the controls

# %% tags=["hide-input"]
import numpy as np
import osteolib
from osteolib.report import audit_ct_page as page
from osteolib.report import provenance, style
from osteolib.report.audit_ct import AS_PPV_NPV, PATIENTS, VERTEBRAE
from osteolib.report.audit_ct import positives_found, read_tables
from osteolib.report.audit_pages import show_findings
from osteolib.report.audits import audit_paper
from osteolib.stats.audit import ROUNDINGS, nearest_matrix, recovered
from osteolib.stats.audit.exchange import served_by
from osteolib.stats.audit.implied import smallest_mcnemar_p

run = osteolib.start(globals(), "11_audit_ct")
style.use_style()
printed = read_tables()  # Tables 2 (vertebrae) and 3 (patients)
rows, size, models = printed.rows, printed.size, printed.models
SINGLE, MOE = models[-2:]
findings = audit_paper("tpswav2025_ct")
detail = findings.set_index("id")["details"]  # the numbers behind each finding

# %% [markdown]
# ## One test set has one number of positives
#
# A model that calls $n$ vertebrae makes a confusion matrix of whole numbers, $TP + FP + FN + TN = n$. Four printed shares with
# two decimals fix it almost always. The number of vertebrae that *have* osteoporosis,
#
# $$ P = TP + FN, $$
#
# belongs to the patients, not to the model: **all ten rows of a site must give the same $P$**. That tests what the columns
# mean. If a column headed SEN holds $TP/(TP+FN)$, each row gives some $P$, the same for all. If it holds something else, each
# row still gives some $P$, but not the same.

# %%
table_d, n = rows[VERTEBRAE, "D"], size[VERTEBRAE]["D"]
for meaning in ({}, {"sensitivity": "ppv", "specificity": "npv"}):
    served = served_by(table_d, meaning, n, 1, ROUNDINGS)
    n, P = max(served, key=lambda key: len(served[key]))
    print(meaning or "as printed", f"P = {P} of {n} serves {len(served[n, P])} of 10")

# %% [markdown]
# There are twelve ways to give two columns a meaning among sensitivity, specificity, positive predictive value (PPV) and
# negative predictive value (NPV). The figure tries all.

# %% tags=["hide-input"]
page.show_meanings(run, printed, detail)

# %% [markdown]
# The rows that are left miss by one cell each, two of them by what looks like one mistyped digit (finding T-03).
#
# The innocent explanation is short. A function that computes both metrics takes the truth and the prediction. If the two change
# places, rows and columns of the confusion matrix change places: sensitivity becomes PPV, specificity becomes NPV. **Accuracy
# and F1 do not notice**, and the authors' conclusions rest on F1.
#
# ## What the highest printed SEN becomes
#
# With $P$ known, each row has its matrix, and the matrix its sensitivity.

# %%
positives = positives_found(detail)  # by table and site: what serves most rows
found = {(tab, s, m): nearest_matrix(size[tab][s], positives[tab][s], AS_PPV_NPV, row)
         for (tab, s), table_rows in rows.items() for m, row in table_rows.items()}
found[VERTEBRAE, "D", MOE][0]  # the full model at the external hospital

# %% tags=["hide-input"]
page.show_sensitivity(run, printed, found)

# %% [markdown]
# That the order turns over needs no reading of the two columns at all. With $E = n(1 - \mathrm{ACC})$ errors,
# $F_1 = 2TP/(2TP + E)$ gives the vertebrae found from accuracy and F1 alone (finding T-05):
#
# $$ TP = \frac{n\,(1 - \mathrm{ACC})}{2\,(1/F_1 - 1)}. $$
#
# ## Patients: six rows that carry the count on
#
# The next table judges patients. An accuracy over $n$ patients is a whole number over $n$, whatever the columns hold. For six
# of the ten models it is not, at A, at B and at D (finding T-26). So which $n$ would serve? For every $n$ up to 2,000 and every
# $P$ we ask how many of the ten rows have a matrix. Where some $n$ serves, twice $n$ serves as well, so the smallest says most.

# %%
sizes = np.arange(1, 2001)
fit = {s: served_by(rows[PATIENTS, s], AS_PPV_NPV, sizes, 1, ROUNDINGS) for s in "ABD"}
total = {s: max(fit[s], key=lambda key: (len(fit[s][key]), -key[0])) for s in fit}
total  # patients, and how many of them positive, that serve most rows of a site

# %% tags=["hide-input"]
page.show_sizes(run, printed, fit, total, n_controls, seed)

# %% [markdown]
# A list of results that is not emptied between hospitals does that. Whatever the reason, the rows are of different people: the
# last two and two others are of single sites, the six are of A with C, of A, B and C, or of everybody. Running totals can be
# taken apart, by subtracting one from the next:

# %%
after, until = (nearest_matrix(*total[s], AS_PPV_NPV, rows[PATIENTS, s][models[0]])[0]
                for s in "BA")  # ResNet34 in "B" and in "A"
alone = recovered.step_of_totals(after, until)
print(f"F1 of B {alone.metric('f1'):.1%}, printed {after.metric('f1'):.1%};", alone)

# %% tags=["hide-input"]
page.show_taken_apart(run, printed, found, fit, total)

# %% [markdown]
# ## MoE against a single head, in vertebrae
#
# Now the claim itself: same network, same pre-training, same loss, with and without MoE. In the recovered matrices one counts
# what it gains. A paired (McNemar) test needs to know which vertebrae changed; the tables only tell how many more are right.
# The smallest $p$ it can give assumes that nothing changed the other way within a class. The true $p$ can only be larger.

# %%
single, moe = (found[VERTEBRAE, "D", model][0] for model in (SINGLE, MOE))
more = recovered.gains(moe, single)  # with osteoporosis, without
print("more right at D:", more, "least p:", round(smallest_mcnemar_p(*more), 3))

# %% tags=["hide-input"]
page.show_moe(run, printed, found)

# %% [markdown]
# ## Two checks more
#
# The paper marks rows with stars: paired t-tests against the full model, on a quantity that is not named. If it was whether a
# vertebra is called correctly, the matrices bound $p$ from below. And a patient called positive in error has at least one
# vertebra called so, a missed patient at least one missed vertebra: the matrices of the two tables, found apart, can contradict
# each other.

# %% tags=["hide-input"]
page.show_further_checks(run, printed, found)

# %% [markdown]
# ## All findings
#
# *Inconsistent*: no rounding makes it fit. *Derived*: it follows and decides nothing alone. *Sure* says how far the reading
# goes beyond the arithmetic.

# %% tags=["hide-input"]
show_findings(run, "The CT study: all findings", ct=findings)

# %% [markdown]
# ## What to do with the paper now
#
# - **Keep** accuracy and F1 of vertebrae, and every ranking by them. They fit.
# - **Read** SEN as positive predictive value and SPE as negative predictive value, in both tables. For screening, the printed
#   SEN would choose the wrong model.
# - **Do not compare** the six rows of running totals with the four of single sites. For patients, compare MoE with the single
#   head: both are of single sites.
# - **Count** before believing a point of F1: at C it is one vertebra.
# - **Ask** the authors for the four counts of each row. One table of 40 lines would settle everything on this page.
#
# ```{admonition} What this does not say
# :class: important, dropdown
# Nothing here says how a number came about, and nothing suggests intent: exchanged arguments and a list that is not emptied are
# everyday slips, and both work *against* the authors' own result. The images, the training and the models were not examined. A
# gain that no test of this size can show may still be real. And matrices recovered from rounded shares are inferences: strong
# where ten rows agree on one number, weaker where one row stands alone.
# ```
#
# ```{admonition} Exercise
# :class: tip
# Do it by hand for one row. At site D, 271 vertebrae, the full model prints ACC 82.65, SEN 85.83, SPE 80.13, F1 81.42. From
# accuracy and F1: how many errors, and how many vertebrae with osteoporosis found? Which sensitivity follows if SEN is a
# sensitivity, and which if it is a predictive value? Why can this row alone not tell?
# ```

# %% tags=["solution"]
acc, f1, shown = (float(rows[VERTEBRAE, "D"][MOE][k].value)
                  for k in ("accuracy", "f1", "sensitivity"))
errors = round(size[VERTEBRAE]["D"] * (1 - acc))
tp = round(errors / 2 / (1 / f1 - 1))
one_kind = round(tp / shown) - tp  # missed, if SEN is a sensitivity; else false alarms
p_as_printed, p_as_ppv = tp + one_kind, tp + errors - one_kind
print(f"{errors} errors, {tp} found; P = {p_as_printed}, sensitivity {shown:.1%}, or "
      f"P = {p_as_ppv}, sensitivity {tp / p_as_ppv:.1%}: only the other rows decide")
assert p_as_ppv == positives[VERTEBRAE]["D"] != p_as_printed

# %% [markdown]
# **Take away.** Print the four counts. Where they are missing, ask of each table: is there one number of positives that serves
# every row? Here the question turns two columns into what they are, splits a table into running totals and single sites, and
# leaves the authors' main result standing, with more sensitivity than they printed.

# %% tags=["hide-input"]
provenance(run)
