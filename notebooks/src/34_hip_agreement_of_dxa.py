# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
#   osteolib:
#     minutes: {smoke: 0.3, quick: 0.5, long: 0.5, paper: 1}
#     needs: [nhanes-dxa, dxa-korea969]
# ---
# %% [markdown]
# # How closely does DXA agree with itself?
# *A film is said to predict DXA with r = 0.996 and limits of ± 0.2 T. On which scale should such numbers be read?*
#
# The hip paper {cite:p}`chen2024_hip` holds its prediction against one DXA scan of each patient. A scan is a measurement and has
# an error of its own, so that there is a ceiling, however good the film is read. And there is a floor: what anybody could say of a
# hip who has seen no picture of it.
#
# **You will** turn a scanner's precision into a correlation, let one site of a hip predict the other in two countries, ask how
# far age, BMI and sex get on real people, and lay everything on one scale. Under a minute to run, twenty to work through.

# %% tags=["parameters"]
min_age: int = 50  # years; the paper's patients are as old or older
profile: str = "quick"  # smoke, quick, long or paper: osteolib/profiles.yaml
seed: int = 0  # seed of every random draw
n_folds: int | None = None  # folds of people; None: from the profile
n_boot: int | None = None  # bootstrap replicates; None: from the profile

# %% tags=["hide-input"]
import numpy as np
import osteolib
from osteolib.report import dxa_agreement_page as page
from osteolib.report import load_or_explain, provenance
from osteolib.report.hip_paper import published_hip

run = osteolib.start(globals(), "34_hip_agreement_of_dxa")
paper = published_hip()

# %% [markdown]
# ## A ceiling that the scanner sets
#
# Let a scan read the truth with an error of SD $s$, and let scans vary between people with SD $S$. Whoever knew the true density
# would correlate with the scan, and two scans with each other, at
#
# $$ r_\text{perfect} = \sqrt{1 - s^2 / S^2} \qquad\text{and}\qquad r_\text{second} = 1 - s^2 / S^2 , $$
#
# and 95 % of their differences from a scan lie within $1.96\, s$ and $1.96 \sqrt 2\, s$. Precision is printed in per cent of BMD,
# so it needs the BMD at a T-score: at the mean of the paper's patients a percent is worth

# %%
from osteolib.cohorts import load_manifest

neck = load_manifest("nhanes-dxa").settings["reference"]["neck"]
bmd = neck["mean"] + paper["tscore.mean"] * neck["sd"]
one_percent = 0.01 * bmd / neck["sd"]  # T-scores
scans = page.against_a_scan(page.scan_errors(paper["tscore.mean"]), paper["tscore.sd"])
print(f"{one_percent:.3f} T of the femoral neck")

# %% tags=["hide-input"]
page.show_scans(run, scans, paper)

# %% [markdown]
# The last two rows are a limit, not a measurement: the least precise that a technologist may be by the rules of the
# densitometry society. [The audit of the paper](12_audit_hip.ipynb) asks how much of the printed error is left for the film; here the same
# studies become a scale. A number near the ceiling is no proof of anything wrong: a film that shows the whole of the bone may
# come near it. But on top of the scan's error nothing else has much room: no error of the network, no weeks between film and scan,
# no leg turned outwards.
#
# ## The other site of the same hip
#
# Now real people. One scan of a hip gives two T-scores, of the femoral neck and of the total hip, read off the same picture. How
# well does the second stand in for the first, as it is, and after the best line?

# %% tags=["hide-input"]
nhanes = load_or_explain(run, "nhanes-dxa", min_age_years=min_age)

# %% tags=["hide-input"]
korea = load_or_explain(run, "dxa-korea969")

# %% tags=["hide-input"]
from osteolib.cohorts import grouped_folds
from osteolib.report.knee_results import compare_agreement
from osteolib.screen.baselines import out_of_fold
from osteolib.stats.t_score_calibration import proportional_bias

# %%
sites, slopes, lower = {}, {}, {}
for cohort in (nhanes, korea):
    people = cohort.subjects
    neck, total = people["t_score_neck"], people["t_score_total_hip"]
    fold = grouped_folds(people, neck <= -2.5, n_folds, seed)
    line = out_of_fold(total.to_frame(), neck, fold)
    sites[cohort.name] = compare_agreement(neck, {page.RAW: total, page.LINE: line},
                                           people["subject_id"], (), n_boot, seed)
    slopes[cohort.name] = proportional_bias(neck, total, n_boot=n_boot, seed=seed)
    lower[cohort.name] = float((neck < total).mean())

# %% tags=["hide-input"]
page.show_sites(run, sites, slopes, lower)

# %% [markdown]
# A bias may come from the young people of reference, and from bone that the two sites lose at different rates; a table of older
# people cannot part the two. A line takes bias and slope away, as any trained model does, and leaves what the two sites really differ in. The two surveys differ as well, in people, scanner and
# reference: in Korea the T-scores are those of the hospital, as printed.
#
# ## Without any film
#
# What can be said of a hip from the questionnaire alone? The lower T-score of the two sites, as in the paper, predicted by a line
# from age, BMI and sex, for people whom the line has not seen. Beside it the same with the T-score of the spine, where it is known.

# %%
from osteolib.report.comparison import compare_scores

people = korea.subjects.dropna(subset=["t_score_spine"])
t_score, person = people["t_score"], people["subject_id"]
known = people[["age_years", "bmi_kg_m2", "sex", "t_score_spine"]]
osteoporosis = (t_score <= -2.5).to_numpy()
fold = grouped_folds(people, osteoporosis, n_folds, seed)
said = {"age": out_of_fold(known[["age_years"]], t_score, fold),
        page.FEW: out_of_fold(known.drop(columns="t_score_spine"), t_score, fold),
        page.SPINE: out_of_fold(known, t_score, fold)}

# %% tags=["hide-input"]
agreement = compare_agreement(t_score, said, person, (), n_boot, seed)
screening = compare_scores(osteoporosis, {k: -v for k, v in said.items()},
                           groups=person, n_boot=n_boot, seed=seed)
page.show_without_film(run, agreement, screening, korea.name)

# %% [markdown]
# A network that is told age, BMI and sex starts from here, and so does every comparison of it with networks that are not told.
#
# ## One scale

# %% tags=["hide-input"]
page.show_scale(run, page.scale_of(scans, sites, agreement, paper))

# %% [markdown]
# Between the widest bar and the narrowest lies all that a film can be worth. A model that reads the same bone as the scan may end
# anywhere between the other site and a second scan without surprising anyone. The printed result stands where second scans stand,
# which see the same bone by the same machine within days. That can be true, and it deserves a test on people
# of another hospital first. Which steps of a pipeline alone could bring a result there is tried on
# [the next page](35_hip_what_pipeline_creates.ipynb).
#
# ```{admonition} Deviations and limits
# :class: warning
# No row here answers a published value: there is no film on this page. Precision comes from other people, other scanners and
# abstracts, is printed in per cent, and is turned into T with the young women of NHANES III {cite:p}`looker1998`; the paper's
# scanner may use another reference. The paper's T-score is the lower of two sites, whose error lies between theirs and nearer to
# that of the site that is lower more often. Scans are also printed to one decimal, which adds an error with an SD of 0.03 T. The Korean patients
# {cite:p}`kim2022_korea` are of another hospital, younger, and with fewer women than the paper's.
# ```
#
# ```{admonition} Exercise
# :class: tip
# The paper's limits belong to an SD of differences of about 0.104 T. How imprecise may the scan of the neck be, in per cent of
# BMD, if a *perfect* reader of the bone should just get these limits? Compare with the table. Then let every hip be scanned twice
# and take the mean as reference: by what factor do a perfect reader's limits narrow?
# ```

# %% tags=["solution"]
allowed = paper["ba.sd"] / one_percent
print(f"{allowed:.2f} % of BMD")
rng = np.random.default_rng(seed)
truth = rng.normal(paper["tscore.mean"], paper["tscore.sd"], 50_000)
two = truth + rng.normal(0, paper["ba.sd"], (2, truth.size))
narrower = np.std(two.mean(axis=0) - truth) / np.std(two[0] - truth)
assert 1.97 < allowed < 2.5 and np.isclose(narrower, 1 / np.sqrt(2), atol=0.01)

# %% [markdown]
# **Take away.** Before asking whether a predicted T-score is good, mark the two ends of the scale: what is known without a film, and
# how well DXA repeats itself. The nearer a result lies to the second end, the more it depends on how it was tested.

# %% tags=["hide-input"]
provenance(run)
