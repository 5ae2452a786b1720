# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
#   osteolib:
#     minutes: {smoke: 0.3, quick: 0.3, long: 0.3, paper: 0.4}
#     needs: []
# ---
# %% [markdown]
# # The numbers of the hip study
# *A film of the hip that measures a T-score as well as a second DXA scan would. Do the numbers behind this claim hold
# together?*
#
# The hip paper, X1AI-Osteo {cite:p}`chen2024_hip`, reports a classifier of osteoporosis and a predictor of T-scores. It prints
# enough to check nearly everything: four metrics for each of three models, three AUCs, a Bland-Altman plot with intervals. Most
# of it agrees, to the last digit. One column does not mean what its name says, and one number is so good that it asks for an
# explanation.
#
# **You will** recover three confusion matrices from percentages, recognise an AUC that was computed from yes and no, read
# the number of pairs off a printed interval, and hold a T-score's error against the best that DXA does. Half a minute to
# run, thirty to work through.

# %% tags=["parameters"]
n_studies: int = 4000  # simulated test sets of each model
profile: str = "quick"  # smoke, quick, long or paper: osteolib/profiles.yaml
seed: int = 0  # seed of every random draw

# %% tags=["hide-input"]
import numpy as np
import osteolib
import pandas as pd
from osteolib.report import audit_hip_page as page
from osteolib.report import provenance, style
from osteolib.report.audit_hip import auc_by_error, read_paper
from osteolib.report.audit_pages import show_findings
from osteolib.report.audits import audit_paper
from osteolib.stats.audit import confusion_matrices
from osteolib.stats.audit.implied import bland_altman_half_widths
from osteolib.stats.audit.normal_models import graded_leads, r_of_cells, share_of_sides

run = osteolib.start(globals(), "12_audit_hip")
style.use_style()
findings = audit_paper("chen2024_hip")
found = findings.set_index("id")["details"]  # the numbers behind each finding
published = read_paper()
paper = published.value
models = list(found["X-22"]["rows"])
n_hips, n_people = int(paper["test.images"]), int(paper["test.patients"])

# %% [markdown]
# ## What holds
#
# Behind four percentages stand four whole numbers. With $n$ hips,
#
# $$ \frac{TP}{TP + FN}, \quad \frac{TN}{TN + FP}, \quad \frac{TP}{TP + FP}, \quad \frac{TN}{TN + FN} $$
#
# must round to what is printed. Sensitivity and specificity alone fit many tables. All four, with $n$ known, leave few, and
# three models on one test set must share one number of positives. So: search every table of whole numbers.

# %%
confusion_matrices(n_hips, **published.reported("X1AI-Osteo"))

# %% tags=["hide-input"]
page.show_matrices(run, published, found)

# %% [markdown]
# That is a good sign, and rarer than one should think. The counts of patients and hips add up as well, the limits of agreement
# fit the correlation and the spread of T-scores, and the concordance fits both. And cutting a T-score this precise at −2.5 errs
# about as often as the printed classes do (finding X-11).
#
# ## An AUC without a score
#
# An AUC needs a score. It is the chance that an osteoporotic hip scores higher than another, over *all* cuts. A yes or no
# has one cut, so its "curve" is two straight lines through one point, and the area under them is
#
# $$ \mathrm{AUC}_\text{yes/no} = \frac{\text{sensitivity} + \text{specificity}}{2} . $$
#
# A graded score with the same operating point can have any area between the step (sensitivity × specificity) and the
# opposite step, $1 - (1 - \text{sensitivity})(1 - \text{specificity})$. Where in between do the printed AUCs lie?

# %%
for model in models:
    sens, spec = published.point(model)
    auc = paper[f"T3.{model}.auc"]
    print(f"{model:12} yes/no {50 * (sens + spec):.2f}, printed AUC {100 * auc:.1f}")

# %% [markdown]
# Could graded scores do that by luck? The model: negatives score $N(0, 1)$, positives $N(\mu, \sigma)$; $\sigma$ is drawn
# between a third and three, to be generous about the shape of the curve; cut and $\mu$ are such that the true sensitivity and
# specificity are the printed ones. In each simulated study we ask how far its AUC lies above its own yes/no area.

# %%
rng = np.random.default_rng(seed)
sizes = run.facts["positives"], run.facts["negatives"]
leads = {m: graded_leads(*published.point(m), *sizes, n_studies, rng) for m in models}

# %% tags=["hide-input"]
page.show_yes_no(run, published, found, leads)

# %% [markdown]
# The plain explanation is harmless: the routine that computes AUCs was given the predicted *classes*. A network whose scores
# are all 0 or 1, to the last digit stored, does the same. The Methods tie the ROC curve to augmentations and
# hyper-parameters instead of a threshold (N13), which fits. No printed number contradicts another here, so the finding is
# *derived*; and it does not flatter the tool: a graded AUC would nearly always be **higher**. But the number must not stand in
# a table beside AUCs of scores, and the comparison of the three models by it is one by balanced accuracy.
#
# ## As good as a second scan
#
# Two measurements with independent errors differ by
#
# $$ s_d = \sqrt{s_\text{film}^2 + s_\text{DXA}^2}, \qquad\text{and two scans by}\qquad s_d = \sqrt{2}\, s_\text{DXA} . $$
#
# The paper's limits of agreement give $s_d$ at once, as their distance over 3.92. How precise DXA is, studies tell that scanned
# the same people again.
#
# ```{admonition} Where the precision of DXA comes from
# :class: note, dropdown
# Literature values, found in abstracts: six women on a Lunar Prodigy, the make of this paper
# ([2003](https://doi.org/10.1385/JCD:6:2:159)); 222 people in daily practice
# ([2005](https://doi.org/10.1007/s00198-005-1916-2)); 195 people of the NOREPOS study on a Lunar Expert (*Eur J Epidemiol* 2008,
# 23). They are printed in per cent or in g/cm², and are turned into T here, at the paper's mean T-score, with the young adults
# of NHANES III {cite:p}`looker1998`. How far two *sites* of one hip differ is the subject of
# [Two real measurements of one person](03_two_measurements.ipynb).
# ```

# %%
film = np.mean(found["X-08"]["rows"]["bias"]["sd"])  # of what rounding allows
grid = np.linspace(0.02, 1, 50)  # error of a T-score
curve = pd.Series(auc_by_error(published, grid), grid)  # its AUC at the cut

# %% tags=["hide-input"]
page.show_second_scan(run, published, found, film, curve)

# %% [markdown]
# This is plausibility, not proof. What could make the error so small? The paper's design offers one candidate. Eight
# networks predict the T-score, each for one *sub-cluster* of T-scores. Whoever knows only the sub-cluster knows a lot: the
# correlation of a normal T-score with the mean of its cell is

# %%
mean, sd = paper["tscore.mean"], published.table.at["tscore.mean", "spread"]
cut = paper["cut.op"]  # −2.5
r_of_cells([cut], mean, sd), r_of_cells(cut + np.arange(-1.5, 1.6, 0.5), mean, sd)

# %% tags=["hide-input"]
page.show_sub_clusters(run, published)

# %% [markdown]
# So everything hangs on one question that the text leaves open: is a *test* hip sent to its sub-cluster by its features
# alone, or does its true T-score play a part, in the routing or in the filter for outliers, which the Methods describe with
# testing data? With the first, r is a feat; with the second, it is largely built in. A new patient has no true T-score.
#
# ## How many pairs?
#
# A 95 % interval narrows with $n$. For the bias and for a limit of agreement {cite:p}`blandaltman1986`
#
# $$ h_\text{bias} = \frac{1.96\, s_d}{\sqrt n}, \quad h_\text{limit} = 1.96\, s_d \sqrt{\frac{1}{n} +
# \frac{1.96^2}{2(n-1)}} , $$
#
# so a printed interval tells $n$, within what its digits allow.

# %%
for n in (n_people, n_hips):
    bias, limit = bland_altman_half_widths(film, n)
    print(f"{n} pairs: bias ± {bias:.4f}, limit ± {limit:.4f}")

# %% tags=["hide-input"]
page.show_pairs(run, published, found, film)

# %% [markdown]
# ## One hip or either hip
#
# Osteoporosis is printed for six patients in ten, but half of the test hips have it. No contradiction, if a patient counts
# once *either* hip is at −2.5 or below: with two normal T-scores and a left-right correlation $\rho$, that share of patients
# belongs to this share of hips.

# %%
share = {rho: share_of_sides(paper["op.pct"], rho) for rho in (0.7, 0.8, 0.9)}

# %% tags=["hide-input"]
page.show_sides(run, published, found, share)

# %% [markdown]
# ## All findings

# %% tags=["hide-input"]
show_findings(run, "What the hip paper's numbers say about each other", hip=findings)

# %% [markdown]
# ```{admonition} What to do with this paper now
# :class: important
# - Trust the counts: use the recovered confusion matrices, with intervals from X-17, widened for two hips of one person.
# - Read "AUC" as balanced accuracy, and leave it out of comparisons with other tools.
# - Compute PPV and NPV for your own prevalence.
# - Treat the printed r as a claim to be tested on films whose DXA result nobody in the pipeline has seen.
# - Ask the authors for three things: the scores, the rule that sends a new patient to a sub-cluster, and how the test
#   patients were chosen.
# ```
#
# ```{admonition} What this does not say
# :class: note, dropdown
# It does not say that the tool does not work. Its printed metrics agree with each other better than most, the classes and
# the T-scores support each other, and its lead over the two other networks is far beyond chance on these hips. An AUC of
# yes/no calls is a common slip of one line. An error as small as a second scan's is surprising, not impossible: the
# precision figures come from other people and other scanners, and the film shows the same bone. The supplement, which may
# answer several of the questions, could not be read here.
# ```
#
# ```{admonition} Exercise
# :class: tip
# A classifier returns scores with a single decimal: 0.0, 0.1, ... 1.0. Does its AUC still look like that of yes/no calls? And
# how coarse must scores be until it does? Predict first, then round normal scores to 2, 3, 5 and 11 levels.
# ```

# %% tags=["solution"]
from scipy import stats
from sklearn.metrics import roc_auc_score

truth = np.repeat([1, 0], sizes)
score = stats.norm.cdf(1.25 * (2 * truth - 1) + rng.standard_normal(truth.size))
for levels in (2, 3, 5, 11):
    coarse = np.round(score * (levels - 1)) / (levels - 1)
    print(f"{levels:>2} levels: {roc_auc_score(truth, coarse):.3f}")
one_point = roc_auc_score(truth, score >= 0.5)
eleven = roc_auc_score(truth, np.round(score, 1))
assert abs(eleven - roc_auc_score(truth, score)) < 0.01 < eleven - one_point

# %% [markdown]
# **Take away.** Four percentages and an $n$ are enough to get the counts back; try it on the next paper you read. If an AUC
# is the mean of sensitivity and specificity, there was no score. And before admiring an error, ask how well the reference
# repeats itself.

# %% tags=["hide-input"]
provenance(run)
