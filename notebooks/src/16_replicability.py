# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
#   osteolib:
#     minutes: {smoke: 0.6, quick: 0.6, long: 0.6, paper: 0.7}
#     needs: []
# ---
# %% [markdown]
# # What these test sets can show
# *If somebody repeated each study with other people, how often would the printed difference come out again? And how often
# would it come out if the methods were equal?*
#
# Each of the five papers puts one method first. Whether it *is* first depends on the method. Whether a study *can tell*
# depends on how many people were tested, how alike the methods' errors are, and how many bones come from one person. No
# image is needed to ask: we take each paper's own test-set size and printed values, repeat the study thousands of times
# in a model that is stated in full, and count.
#
# Nothing here says that a claim is wrong. A true gain can be printed from a test set that was too small to show it; then
# the paper is right, and the reader cannot know.
#
# **You will** turn a test set into a model, read all claims in one figure, and plan a study of your own with sliders.
# Under a minute to run, thirty to work through.

# %% tags=["parameters"]
n_studies: int = 2000  # simulated studies for every number below; at least 100
correlation: float = 0.5  # of two methods' errors on one image: assumed; varied below
icc: float = 0.5  # of a method's errors on two units of a person: assumed; varied below
profile: str = "quick"  # smoke, quick, long or paper: osteolib/profiles.yaml
seed: int = 0  # seed of every random draw

# %% tags=["hide-input"]
import numpy as np
import osteolib
from osteolib.report import claims_page as page
from osteolib.report import provenance
from osteolib.report.claims import KNEES, SUBJECTS, all_claims, published_fractions
from osteolib.report.claims import samples_of_papers, several_units, vary
from osteolib.stats.replicability import Sample, Study, assess, from_auroc, simulate

run = osteolib.start(globals(), "16_replicability")
value = published_fractions()
sets = samples_of_papers(value)

# %% [markdown]
# ## The model
#
# Unit $u$ (a bone, a knee, a vertebra) of person $p$ gets from method $j$ the score
#
# $$ s_{upj} = b_j x_u + a_j + e_{upj}, \qquad e \sim N(0, 1), $$
#
# where $x_u$ is 1 with disease and 0 without. This is the *binormal* model {cite:p}`hanleymcneil1982`. It gives
# $\mathrm{AUROC} = \Phi(b / \sqrt 2)$, sensitivity $\Phi(b + a)$ and specificity $\Phi(-a)$ at the cut $s > 0$, so the printed
# values fix $a$ and $b$. For a predicted T-score, $x$ is the true one, standardised, and $r = b / \sqrt{1 + b^2}$. Two numbers
# say how errors hang together: $e$ correlates by $\rho$ between two methods on one unit, by ICC between two units of one
# person under one method, and by $\rho \cdot \mathrm{ICC}$ between different units under different methods.
#
# ```{admonition} The test sets
# :class: dropdown
# Most sizes are printed. Three have to be worked out:
#
# - *Hand, 2025*: the printed share of the subjects of each class, with and without osteoporosis.
# - *Hip*: the share of positive hips $\pi$ follows from sensitivity, specificity and the positive predictive value, since
#   $\mathrm{PPV}/(1-\mathrm{PPV}) = \pi\,\mathrm{sens}/((1-\pi)(1-\mathrm{spec}))$.
# - *CT*: from accuracy and F1 follows $TP = \frac{F_1}{2(1-F_1)}\, n (1 - \mathrm{acc})$, and with the column printed SEN read
#   as a predictive value ([why](11_audit_ct.ipynb)), the positives are $TP\,(2/F_1 - 1/\mathrm{PPV})$. It comes out within
#   0.4 of a whole number of vertebrae or patients wherever it is used.
# ```

# %% tags=["hide-input"]
page.show_test_sets(run, sets, correlation, icc)

# %% [markdown]
# ## One claim, step by step
#
# The hand paper of 2025 compares four ways to pre-train and prints an AUROC for each. Suppose all four
# were equally good. Draw its test set again and again, let the four score it, and look how far the best leads the last:

# %%
best, last = value["lee2025_hand.T3.SimCLR.auc"], value["lee2025_hand.T3.SwAV.auc"]
middle = (from_auroc((best + last) / 2),)  # slope and intercept of equal methods
equal = Study(sets[SUBJECTS], "auroc", 4 * middle, correlation, icc)

aurocs = simulate(equal, n_studies, seed)  # one row a study, one column a method
leads = aurocs.max(axis=1) - aurocs.min(axis=1)
by_chance = np.mean(leads >= best - last)

# %% tags=["hide-input"]
page.show_one_claim(run, sets, best, last, leads, by_chance)

# %% [markdown]
# The same is asked of every claim: the share of studies in which equal methods lead by as much, and the *power*, the share
# in which a true difference of the printed size is found at 5 % and in its direction. *k* methods were compared, and the
# best is set against the one of a certain *rank* (2: the runner-up, *k*: the last); both are counted from the printed
# tables where those are readable. Where a paper compares one change with its absence, *k* is 2.

# %%
claims = all_claims(value, sets, correlation, icc)
claims["found"] = [assess(c.study, c.claimed, c.k, c.rank, n_studies, seed)
                   for c in claims.itertuples()]

# %% [markdown]
# ## The dot and the hill
#
# The hill is what chance does: all methods are equal, one test set is drawn, and the best of them leads by so much. The dot
# is the printed lead. On the hill's flank or inside it, equal methods print such a lead often; the number says how often.

# %% tags=["hide-input"]
page.show_hills(run, claims)

# %% [markdown]
# ## An honest interval
#
# Several papers print "± " over a few trainings. That says how much the *training* wavers, on the same test people. It does
# not say how much the result would move with other people. Thin line: 95 % of what studies of this size print when the
# printed value is the truth. Thick line: the printed ±.

# %% tags=["hide-input"]
page.show_intervals(run, claims)

# %% [markdown]
# ## How many people would it take?
#
# To find a true difference of the printed size four times in five, and to know the best method's own value to within ± 0.05.

# %% tags=["hide-input"]
page.show_people_needed(run, claims, sets)

# %% [markdown]
# ## What the sizes do not weigh
#
# Three things speak for the papers and are not in the figures.
#
# - **A pattern.** If the steps of an ablation rise in just the order in which parts were added, equal methods do that once in
#   (number of steps)! times, and if one method is first on several separate test sets, equal methods do that rarely, too.
# - **Prior reason.** A part that ought to help needs less evidence than a surprise.
# - **Alike methods.** Two versions of one network err on the same images. The more alike, the smaller a difference can be
#   seen: that is $\rho$, next.
#
# And one speaks against: several comparisons on the *same* few people are not independent. The same fortunate test set
# carries all of them.

# %% tags=["hide-input"]
page.show_patterns(run, value)

# %% [markdown]
# ## How much hangs on the assumptions?
#
# Nobody printed $\rho$ or ICC. If two methods err almost alike ($\rho = 0.8$), smaller differences show; if the bones of a
# person fail together (high ICC), the many bones count for little more than the person. Two versions of one network may lie
# above 0.8. Then only the predictions tell, image by image: a paired test on them needs no assumed $\rho$, and any author can
# print it.

# %%
fewer = max(100, n_studies // 3)  # enough for three more looks at each claim
by_correlation = {rho: vary(claims, "correlation", rho, fewer, seed)
                  for rho in (0.0, 0.5, 0.8)}
bones = several_units(claims)  # claims tested on several units of a person
by_icc = {alike: vary(claims[bones], "icc", alike, fewer, seed)
          for alike in (0.0, 0.5, 0.8)}

# %% tags=["hide-input"]
page.show_other_assumptions(run, claims, by_correlation, bones, by_icc)

# %% [markdown]
# ## The second hospital
#
# The knee paper's AUROC is lower on the external knees than on its own test set. Is that a drop? Here the two test sets are
# separate, so each is simulated with the *same* true AUROC, halfway between.

# %%
inside, outside = (value[f"strnet2026_knee.{where}.auroc"] for where in ("test", "ext"))
same = (from_auroc((inside + outside) / 2),)
clinic = sets["knee, second hospital"]
ours = simulate(Study(sets[KNEES], "auroc", same), n_studies, seed)[:, 0]
theirs = simulate(Study(clinic, "auroc", same), n_studies, seed + 1)[:, 0]
drop = np.mean(ours - theirs >= inside - outside)

# %% tags=["hide-input"]
other = simulate(Study(clinic, "auroc", (from_auroc(outside),)), n_studies, seed)
page.show_second_hospital(run, inside, outside, drop, other)

# %% [markdown]
# ## Plan your own
#
# In JupyterLab the last cell of this section shows sliders: people, bones per person, the two AUROCs, $\rho$ and ICC. In
# the book it shows one setting of them. A lead half as large takes about four times the people, since the people needed
# go with $1 / \text{lead}^2$: try it.

# %%
def plan(positive=60, negative=120, units=1, other=0.80, lead=0.05, rho=0.5, alike=0.5):
    """Two methods on people with ``units`` images each: what would this study show?"""
    sample = Sample(positive * units, negative * units, positive + negative)
    better = min(other + lead, 0.999)
    pair = (from_auroc(better), from_auroc(other))
    study = Study(sample, "auroc", pair, rho, alike)
    found = assess(study, better - other, n_studies=600, seed=seed)
    return study, found, better - other

# %% tags=["hide-input"]
page.show_plan(run, plan, seed)

# %% [markdown]
# ```{admonition} Exercise
# :class: tip
# The hand paper of 2025 tests one radiograph of each subject. Suppose it had scored all seven bones of a subject and counted
# them as seven units. How much of the seven-fold would it gain at ICC 0.5, and how much at ICC 1? Predict first: the design
# effect of a mean is $1 + (m - 1)\,\mathrm{ICC}$.
# ```

# %% tags=["solution"]
spread, hand, auroc = {}, sets[SUBJECTS], claims["best"][0]
for m, alike in ((1, 0.0), (7, 0.5), (7, 1.0)):
    sample = Sample(hand.n_positive * m, hand.n_negative * m, hand.people)
    one = Study(sample, "auroc", (from_auroc(auroc),), icc=alike)
    spread[m, alike] = simulate(one, 2000, seed).std()
    print(f"{m} bones, ICC {alike}: AUROC {auroc} ± {1.96 * spread[m, alike]:.2f}")
assert spread[7, 0.5] < spread[1, 0.0]  # some gain
assert abs(spread[7, 1.0] / spread[1, 0.0] - 1) < 0.1  # none: seven copies of a person

# %% [markdown]
# **Take away.** Before asking who leads, ask by how much equal methods would lead in a test set of this size. Print an
# interval that resamples people, beside the ± over trainings. Plan the test set from the difference that would matter, and
# count people, not bones.

# %% tags=["hide-input"]
provenance(run)
