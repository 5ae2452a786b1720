# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
#   osteolib:
#     minutes: {smoke: 0.6, quick: 1.5, long: 8, paper: 20}
#     needs: [knee-wani]
# ---
# %% [markdown]
# # Is there anything in these films?
# *A network trained on two hundred knees that finds nothing has shown little. What would have been found, had it been there?*
#
# Training on so few films is noisy, and a null result of it says as much about the training as about the films. So leave the
# training out. Features that are fixed beforehand cost nothing but their evaluation; a linear model of a few of their
# components has little to overfit; and the same features can be asked questions whose answer is known to be in the
# film. Only where those *controls* come out does a silence about bone mean something.
#
# **You will** fix one question, read it from whole knees and from joints, count the looks, see what the film adds to age, and
# compute what these people could have shown. About two minutes to run, thirty to work through.

# %% tags=["parameters"]
profile: str = "quick"  # smoke, quick, long or paper: osteolib/profiles.yaml
seed: int = 0  # seed of the folds, the shuffles and every draw
n_boot: int | None = None  # bootstrap replicates; None: from the profile
n_folds: int | None = None  # grouped folds; None: from the profile
n_repeats: int | None = None  # times the folds are drawn; None: profile
n_shuffles: int | None = None  # shuffled targets; None: from the profile

# %% tags=["hide-input"]
import numpy as np
import osteolib
from osteolib.report import film_content as content
from osteolib.report import film_content_page as page
from osteolib.report import load_or_explain, provenance
from osteolib.screen.knee_views import knee_views, view_features
from osteolib.stats import bootstrap_ci

run = osteolib.start(globals(), "28_wani_content")

# %% tags=["hide-input"]
cohort = load_or_explain(run, "knee-wani")

# %% [markdown]
# ## Two views
#
# Each knee is prepared as in the paper {cite:p}`strnet2026_knee`. The *joint* is a square of it: around the dark line between
# femur and tibia, as far to each side as 0.6 times the length of that line, and scaled to the same number of pixels. So
# it shows bone at a finer scale, and less of how the leg was framed.

# %%
sizes = {"smoke": (64,), "quick": (224,)}.get(profile, (224, 320))
units = cohort.subjects
views = {size: knee_views(units, size) for size in sizes}

# %% tags=["hide-input"]
page.show_views(run, units, views[sizes[0]], seed)

# %% [markdown]
# ## One question, fixed beforehand
#
# Osteoporosis against the rest has more independent people in its rarer class than normal against bone loss, so it is asked
# first. It is also a lead: an earlier, free look at the joint with the same network found something, as one of about ten looks.
# Here one set of features decides by a rule; everything else on this page is shown beside it and decides nothing. The
# films are the same ones, so the lead can fail here, and cannot be confirmed: that takes other films.

# %%
RULE = {"question": "osteoporosis", "features": "ImageNet", "view": "joint",
        "found if": "interval above 0.5, and value above 97.5 % of the shuffles"}
MAIN = f"{RULE['features']}, {RULE['view']}, {sizes[0]} px"

# %% [markdown]
# Features are EfficientNet-Lite0 with its ImageNet weights (1,280 numbers), and texture: co-occurrence and local binary
# patterns on a grid of nine tiles (162 numbers). In each training fold 30 principal components are kept, a number set by the
# films alone: about one to ten knees. On them a logistic regression with parameters $w$,
#
# $$ \operatorname{logit} \hat p_i = w_0 + w^\top z_i^{(-k(i))} , $$
#
# where $z_i^{(-k(i))}$ are the components fitted without the fold of knee $i$. A person's score is the mean over knees and over
# the draws of the folds; copies of a film stay in one fold and are resampled together.

# %%
how = {"n_folds": n_folds, "n_repeats": n_repeats, "n_shuffles": n_shuffles}
features = {f"{encoder}, {view}, {size} px": view_features(encoder, views[size][view])
            for size in sizes for encoder in ("ImageNet", "texture")
            for view in ("whole", "joint")}
answers = {name: content.ask(units, x, **how, seed=seed)
           for name, x in features.items()}
rows = content.answer_rows(answers, n_boot, seed)

# %% tags=["hide-input"]
page.show_answers(run, rows)
page.show_verdict(run, rows, answers, MAIN)

# %% [markdown]
# "Mean of the folds" never sets people of two folds, scored by two models, against each other. Where it and the pooled value
# differ, the models' scales do. Shuffled targets are read in the first draw of the folds only, so their range is a little wide.
#
# ## What is it that was read?
#
# Men and the old have osteoporosis more often here, and both sex and age can be read from the film. A model that is asked
# for osteoporosis may answer with these. So rank people by what the same features say of *sex*, or of *age*, and
# score that against osteoporosis; and look within men and within women, and within each kind of file.

# %%
groups = content.subgroups(answers[MAIN], RULE["question"], n_boot, seed)

# %% tags=["hide-input"]
page.show_subgroups(run, groups, RULE["question"])

# %% [markdown]
# ## Beside age
#
# The fair question is what the image adds. It is asked nested: within the training folds the image is scored by models that
# did not see the knee, the combination with age is fitted to those scores, and the fold left out is judged by both. So
# nothing that the test people could tell enters their own score, and the image pays for no validation set.

# %%
added = content.image_added(units, features[MAIN], n_folds, n_repeats, n_boot, seed)

# %% tags=["hide-input"]
page.show_added(run, added)

# %% [markdown]
# ## What could have been found?
#
# Simulate a score of known worth for the same people and copies, bring it in alone and beside age, and count the studies whose
# interval shows it. (Alone: added to a probability that is the same for everybody.) Such a score is given;
# one that must first be learned from the films has it harder. Age's probability
# is fitted out of fold, as above.

# %%
from osteolib.stats.added_value import added_value_found

main = answers[MAIN]
sick = main.truth["osteoporosis"].astype(int)
by_age = content.age_probability(units, n_folds, n_repeats, seed)
worth, people = (0.55, 0.6, 0.65, 0.7, 0.8), main.people["split_group"]
studies = {"aurocs": worth, "n_studies": 200 if profile != "smoke" else 20}
alone, beside = (added_value_found(sick, known, people, **studies, seed=seed)
                 for known in (np.full(len(sick), 0.5), by_age))

# %% tags=["hide-input"]
page.show_power(run, alone, beside)

# %% [markdown]
# ## What it means
#
# Three readings fit a silence or a whisper about bone beside controls that are loud. Bone loss by heel ultrasound may leave no
# trace in a knee film at this resolution. It may leave one that features of photographs and simple textures do not catch; a
# network trained on thousands of films could. Or the films are in part not those of the rows, as
# [copies of films show](27_wani_rows.ipynb); then the labels are noise to that extent, and so is the answer. These films
# cannot tell the three apart. What they do say: whoever reports a high AUROC on them should show what the model gains
# over age and sex, on the same people.
#
# ```{admonition} Where we deviate
# :class: warning
# No network is trained, the knee's own label is the person's, and the score is by person, the paper's by knee. The reference is
# heel ultrasound. An age that cannot be counts as missing. Nothing here is held against a published value.
# ```
#
# ```{admonition} Exercise
# :class: tip
# Pretend that every knee is a person, and resample knees. How much narrower does the interval of the first control get, and
# why is it wrong?
# ```

# %% tags=["solution"]
y = (units["sex"] == "M").astype(int)
score = main.score("sex")[units["subject_id"].factorize()[0]]  # both knees: one score
right, wrong = (bootstrap_ci(y, score, "auroc", n_boot=n_boot, groups=by, seed=seed)
                .ci["auroc"] for by in (units["split_group"], None))
print(f"by group {right[0]:.3f} to {right[1]:.3f}; "
      f"by knee {wrong[0]:.3f} to {wrong[1]:.3f}")
assert np.ptp(wrong) < np.ptp(right)  # two knees of a person are not two people

# %% [markdown]
# **Take away.** Ask first what the features can read at all, fix one question, count the looks, and let the film compete
# with age and sex before bone gets the credit.

# %% tags=["hide-input"]
run.predictions(content.prediction_table(main, RULE["question"], MAIN, seed))
provenance(run)
