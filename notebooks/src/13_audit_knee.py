# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
#   osteolib:
#     minutes: {smoke: 0.3, quick: 0.4, long: 0.4, paper: 0.4}
#     needs: []
# ---
# %% [markdown]
# # The numbers of the knee study
# *A sensitivity of 0.904 on 136 knees is 123 of them: no other count prints so. What else follows from what is printed?*
#
# STR-Net {cite:p}`strnet2026_knee` prints two confusion matrices, a table of five-seed means, a table with eleven intervals,
# and its code. Each says something about the others. This page lets them speak: arithmetic on printed numbers, and a network
# that is built and counted. No film is needed.
#
# **You will** find the matrix behind a sensitivity, tell two test sets apart by their fractions, see what one run of five
# can look like, hold eleven intervals against a bootstrap, and ask a network which of its parts a loss can reach. It runs
# in half a minute and reads in half an hour.

# %% tags=["parameters"]
n_studies: int = 200_000  # simulated sets of five runs
profile: str = "quick"  # smoke, quick, long or paper: osteolib/profiles.yaml
seed: int = 0  # seed of every random draw

# %% tags=["hide-input"]
import numpy as np
import osteolib
import torch
from osteolib.report import audit_knee_page as page
from osteolib.report import provenance, say, style, table
from osteolib.report.audit_knee import PAPER, read_values, seeds_table, what_holds
from osteolib.report.audit_pages import show_findings
from osteolib.report.audits import FOLDER, audit_paper
from osteolib.report.published import printed_texts
from osteolib.screen.strnet import STRNet, encode_targets, gradient_reach
from osteolib.stats.audit import confusion_matrices
from osteolib.stats.audit.audit_file import load_audit

run = osteolib.start(globals(), "13_audit_knee")
style.use_style()
audit = load_audit(FOLDER / f"{PAPER}.yaml", printed_texts(PAPER))
findings = audit_paper(PAPER)
of = findings.set_index("id")["details"]  # the numbers behind each finding
value = read_values()  # what the paper prints

# %% [markdown]
# ## What holds
#
# Before anything else: the counts add up, the headline is a possible result on the stated test set, the external test can be
# recomputed to the last digit, intervals included, and the code has the printed settings and the printed size.

# %% tags=["hide-input"]
table(run, "holds", what_holds(findings), "Conditions that hold",
      folded="Nine of the findings that say yes")

# %% [markdown]
# ## Two test sets
#
# A sensitivity is a count over the knees with bone loss, a specificity one over the normal knees,
#
# $$ \mathrm{sens} = \frac{TP}{P}, \qquad \mathrm{spec} = \frac{TN}{n - P} , $$
#
# so three decimals leave few choices. We ask the printed pair for *every* number of positives $P$ that 224 knees can have.
# Table 1 has 136; the confusion matrix in Figure 7 has 162.

# %%
both = {"sensitivity": "0.904", "specificity": "0.773"}
matrices = confusion_matrices(224, roundings=("half-up", "half-even"), **both)
sorted({matrix.positives for matrix in matrices})

# %% tags=["hide-input"]
page.show_two_test_sets(run, value, of)

# %% [markdown]
# **What to do with it.** Use the left matrix. Leave the comparison of backbones aside until it is known which split it rests
# on: its best sensitivity is possible with 162 positives in one run, and with 136 only as a mean over runs.
#
# ## One run, or five?
#
# The methods fix the seed at 42; Table 4 gives means over five seeds. The headline equals those means in four metrics, to the
# third decimal. How often would one run of five do that by accident? Our model: five runs are draws from a normal
# distribution with the SDs of Table 4 and correlation 0.5 between metrics; one of the five is the headline. A run then differs
# from the mean of all by a normal amount of SD $s\sqrt{1 - 1/5}$.

# %%
seeds = seeds_table(value)
mean, sd = seeds.iloc[:4]["mean"].to_numpy(), seeds.iloc[:4]["sd"].to_numpy()
rng = np.random.default_rng(seed)
common = rng.standard_normal((n_studies, 5, 1))  # what a run does to all metrics
own = rng.standard_normal((n_studies, 5, 4))
runs = mean + sd * np.sqrt(0.5) * (common + own)
alike = (runs[:, 0].round(3) == runs.mean(axis=1).round(3)).sum(axis=1)

# %% tags=["hide-input"]
page.show_five_seeds(run, value, of, seeds, alike)

# %% [markdown]
# The simplest reading is that the headline reports five-seed means without saying so. That is a *better* summary than one run,
# and nothing is lost but a word; only counts and intervals of a single run do not belong to it.
#
# ## Table 5
#
# The severity head is tested on 74 and 62 knees. Values that follow from sensitivity, specificity and the two counts can be
# checked; the balanced accuracy needs the first two alone, in one run and in any mean over runs:

# %%
sens, spec, bacc = (value.at[f"T5.{k}", "value"] for k in ("sens", "spec", "bacc"))
print(f"mean of sensitivity and specificity {(sens + spec) / 2:.4f}, printed {bacc}")

# %% tags=["hide-input"]
page.show_table_5(run, value, of, audit.values)

# %% [markdown]
# The formula of a share, $p \pm 1.96\sqrt{p(1-p)/n}$, gives the intervals of accuracy, sensitivity and specificity, and that of
# F1 if $n$ is 74 (S-49). Wider intervals are the safe side. And sensitivity, specificity and accuracy together are no matrix of 136 knees, but they are
# means over five runs for exactly one pair of sums (S-14, S-45): once more, five-seed means explain the table.
#
# ## Text against code
#
# The page [How STR-Net is built](06_knee_network.ipynb) draws both versions of the routing module and the ways of all
# gradients. Here they are counted: one made-up image of each class goes through the network as released (on a smaller backbone),
# and each loss is asked for its gradient in every part.

# %%
labels = ["normal", "osteopenia", "osteoporosis"]
torch.manual_seed(seed)
reach = gradient_reach(STRNet("resnet18"), torch.randn(3, 1, 32, 32),
                       encode_targets(labels, [-0.5, -1.7, -2.8]))
idle = (reach.drop(columns="parameters") == 0).all(axis=1)
reach.loc[idle, "parameters"]  # parts that no loss reaches

# %% tags=["hide-input"]
page.show_text_and_code(run, value, of, reach, audit)

# %% [markdown]
# ## All findings
#
# Age alone, copies of films under two labels, and T-scores are measured on real films elsewhere:
# [people](01_knee_people.ipynb), [shortcuts](02_knee_shortcuts.ipynb), [training](04_knee_training.ipynb),
# [T-scores](10_knee_t_scores.ipynb); here stands what the printed tables say about them.

# %% tags=["hide-input"]
show_findings(run, "STR-Net: all findings", knee=findings)

# %% [markdown]
# ## What a reader should do now
#
# - **Internal test**: quote AUROC, AUPRC and sensitivity as five-seed means on 88 + 136 knees, beside what age alone gives.
# - **External test**: use it as it stands. It is small, says so, and holds.
# - **Table 5**: do not use PPV and F1 together; the intervals are on the wide side.
# - **Figures 6 and 7**: wait for the split.
# - **To replicate**: take the module of the code, decide about the fourth loss, and let the T-score's gradient through, or say
#   that it stops.

# %% tags=["hide-input"]
say(run, "- **Numbers to use instead**: balanced accuracy {bacc:.4f}; T-score "
    "{mean_rmse} ± {sd_rmse}, beside the {yardstick:.3f} of naming the true class.")

# %% [markdown]
# ```{admonition} What this does not say
# :class: note, dropdown
# It does not say that a result is wrong, or how a mismatch came about: a figure from an earlier split, a table filled from
# means, a digit mistyped are ordinary in long work. The paper's main claim, that knee films carry a signal of bone loss which
# partly transfers to another hospital, rests on numbers that hold together here. The code is a snapshot of April 2026 and may
# differ from what was run.
# ```
#
# ```{admonition} Exercise
# :class: tip
# Another paper prints a sensitivity of 0.857 and a specificity of 0.918 on 91 knees. How many have bone loss? Guess from the
# fractions first: 0.857 is 6/7. Then ask `confusion_matrices`.
# ```

# %% tags=["solution"]
matrices = confusion_matrices(91, sensitivity="0.857", specificity="0.918")
possible = sorted({m.positives for m in matrices})
print(possible, matrices[0])  # 36 of 42 are 6 of 7, but 30 of 35 would not do
assert possible == [42]

# %% [markdown]
# **Take away.** A fraction with three decimals remembers its denominator. Ask it before you quote it, and ask every part of a
# network which loss it has ever heard of.

# %% tags=["hide-input"]
provenance(run)
