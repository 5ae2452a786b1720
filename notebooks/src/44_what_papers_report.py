# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
#   osteolib:
#     minutes: {smoke: 0.5, quick: 0.5, long: 0.5, paper: 0.5}
#     needs: []
# ---
# %% [markdown]
# # What the papers report
# *You want to judge a study, to repeat it, or to use its model. What does its report tell you, and what must you ask?*
#
# What a reader needs is much the same for every prediction model: who was studied, what was predicted and from what, how
# the data were divided, how well it went. Guidelines turn this into lists. TRIPOD+AI {cite:p}`collins2024_tripod` has 27
# items in 52 sub-items for models that learn from data. The knee paper of 2026 says that it follows the list, the hip paper
# that it follows another one, for observational studies, and the short hand paper is older than the list.
#
# The audit asks whether printed numbers can be right. This page asks what is printed at all, and where the two meet: a number
# that is not given can sometimes be computed from others.
#
# **You will** see five papers beside 52 sub-items, find what all tell and what none does, and see which questions arithmetic
# can answer. Half a minute to run, twenty to read.

# %% tags=["parameters"]
profile: str = "quick"  # smoke, quick, long or paper: all alike here
seed: int = 0  # of every run; nothing on this page is drawn at random

# %% tags=["hide-input"]
import osteolib
from osteolib.report import checklists_page as page
from osteolib.report import provenance
from osteolib.report.audits import audit_paper
from osteolib.report.checklists import load_answers, load_checks
from osteolib.report.published import PAPERS

run = osteolib.start(globals(), "44_what_papers_report")
answers = load_answers()  # a row a paper and sub-item

# %% [markdown]
# ## Five papers, 52 sub-items
#
# A cell is filled from the text at hand, which is not always the whole paper: of the hip paper the supplement and the
# declarations are missing, of the hand paper of 2025 the first page and all that follows the discussion. What would stand
# there is marked as such and held against nobody. *In part* needs a word on what is missing, *does not apply* a reason.

# %% tags=["hide-input"]
page.show_grid(run, answers)

# %% [markdown]
# Where it stands, what is missing, and an innocent explanation where we know one:

# %% tags=["hide-input"]
page.show_papers(run, answers)

# %% [markdown]
# ## What all tell, and none
#
# Read along the rows. A sub-item that no paper answers says more about the habits of a field than about a paper.

# %%
wide = answers.pivot(index="item", columns="paper", values="answer")
asked = wide.isin(["reported", "in part", "not reported"])  # applies, and could be read
everywhere = wide.index[(wide == "reported").all(axis=1)]
silent = (wide == "not reported") | ~asked
nowhere = wide.index[asked.any(axis=1) & silent.all(axis=1)]

# %% tags=["hide-input"]
page.show_alike(run, answers, everywhere, nowhere)

# %% [markdown]
# ```{admonition} Why there is no score
# :class: note
# It would be easy to count the full circles. The sum would mislead.
#
# - **Sub-items weigh unequally.** Whether people were kept apart in the split can undo a result, a missing grant number cannot.
# - **Reported is not right.** A number can stand where it should and contradict another; and a good study can be told badly.
# - **The papers are not alike.** A short paper, a conference paper, a preprint and two journal articles had different room,
#   different forms to fill in, and different parts of them could be read here.
# - **A cell is a reading.** No second reader has filled in the grid independently, and *in part* is a wide word.
#
# The guideline is made for writing and reading reports, not for grading studies. How likely a study is biased is
# asked by PROBAST+AI {cite:p}`moons2025_probast`; what a study with images should add, by CLAIM {cite:p}`tejani2024_claim`.
# Neither is filled in here.
# ```
#
# ## Where arithmetic answers
#
# How many people of the test set had osteoporosis? If a paper does not say, sensitivity, specificity and predictive values may
# leave one number only. How wide is the interval of an AUC? The counts give it roughly. So some findings of the
# [audit](15_audit_all.ipynb) answer a sub-item; others question an answer that is printed.

# %%
audits = {paper: audit_paper(paper) for paper in PAPERS}  # every check, computed now
bearing = answers.explode("findings").dropna(subset="findings")  # a row a finding

# %% tags=["hide-input"]
page.show_bearing(run, bearing, audits)

# %% [markdown]
# ## Which checks of trust are arithmetic
#
# INSPECT-SR {cite:p}`wilkinson2025_inspect` asks whether a randomised trial can be trusted before a review uses it: 21 checks,
# from retraction notices to impossible means. Our five papers are no trials, and we give no judgement of that kind. But its
# checks of the *results* ask what an audit asks. Seven of them arithmetic can reach; the other four of that group concern
# eligibility, allocation, baseline and drop-out.

# %% tags=["hide-input"]
page.show_checks(run, load_checks(), audits)

# %% [markdown]
# ```{admonition} What a cell does not say
# :class: warning
# *Not reported* means that we did not find it in the text at hand. The work may have been done, the sentence cut for length,
# the statement made on a form or in a supplement. Who needs to know asks the authors. If you find a place that we overlooked,
# the files under `data_manifests/checklists` are short, and a slip in them is answered with its line.
# ```
#
# ```{admonition} Exercise
# :class: tip
# The hand study was published twice: a short paper in 2023, a journal article in 2025. Which sub-items does the journal version
# answer fully that the short one does not? Predict three, then look. Does any go the other way?
# ```

# %% tags=["solution"]
long, short = (wide[f"lee{year}_hand"] for year in (2025, 2023))
order = answers["item"].unique()
less = ("in part", "not reported")
gained = [i for i in order if long[i] == "reported" and short[i] in less]
lost = [i for i in order if short[i] == "reported" and long[i] in less]
print(f"gained: {', '.join(gained)}; lost: {', '.join(lost) or 'none'}")
assert {"12a", "17", "20b", "26"} <= set(gained)  # split, ethics, people, limits
assert not lost

# %% [markdown]
# **Take away.** Before asking whether a result is right, ask what you are told. A list helps to see what is not there, a
# sentence from the authors can close a gap, and some of the rest can be computed.
#
# *TRIPOD+AI was published under the [CC BY 4.0](https://creativecommons.org/licenses/by/4.0/) licence by its authors
# {cite:p}`collins2024_tripod`. Numbers and sections are theirs; the sub-items are shortened and reworded here, without their
# endorsement.*

# %% tags=["hide-input"]
provenance(run)
