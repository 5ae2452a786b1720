# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
#   osteolib:
#     minutes: {smoke: 0.5, quick: 3, long: 5, paper: 4}
#     needs: [hand-phantom, hand-rsna]
# ---
# %% [markdown]
# # Annotating with a promptable segmenter
# *Where do training masks come from when nobody has drawn any, and which of them may be used?*
#
# The hand papers look at seven bones, each cut out by a mask {cite:p}`lee2023_hand,lee2025_hand`. A network that finds such
# masks must first be shown some. The papers made theirs with SAM {cite:p}`kirillov2023_sam`, a segmenter that is told
# by points or a box what to outline. It returns a mask for every prompt, good or bad, and does not say which.
#
# Here prompts come from joints instead of a mouse, and written rules decide which masks are kept. **An accepted mask is one
# that breaks no rule. It is not a truth, and no person has confirmed it.** Whether the rules help is measured on simulated
# hands, whose outlines are known.
#
# **You will** see what the segmenter is told and what it answers, read the rules, count what they keep, hold kept and
# rejected masks against the truth of the phantom, and see how a person would review them. Three minutes to run the
# first time; the masks are stored.

# %% tags=["parameters"]
profile: str = "quick"  # smoke, quick, long or paper: osteolib/profiles.yaml
seed: int = 0  # seed of the simulated hands and the bootstrap
n_boot: int | None = None  # bootstrap replicates; None: from the profile
n_real_hands: int | None = None  # None: from the profile; smoke takes one bone of each
n_simulated: int = 6  # simulated hands, of the first twelve; smoke takes one
checkpoint: str = ""  # your own checkpoint of SAM; empty: LiteMedSAM
sam_model: str = "vit_b"  # which SAM it is: vit_b, vit_l or vit_h

# %% tags=["hide-input"]
from functools import partial

import osteolib
from osteolib.report import annotation, figure, load_or_explain, provenance, say, table
from osteolib.segment.judged_masks import OFF, dice_with_truth, kept_by, listed
from osteolib.segment.prompts import Rules, lite_medsam, segment_anything
from osteolib.segment.real_hands import METACARPALS, annotated_hands
from osteolib.segment.real_hands import annotated_phantoms

run = osteolib.start(globals(), "20_hand_annotation")
segmenter = (partial(segment_anything, checkpoint, sam_model) if checkpoint
             else lite_medsam)
hands = load_or_explain(run, "hand-phantom", n_subjects=12, seed=seed,
                        size=640).subjects

# %% [markdown]
# ## What the papers did
#
# The short paper set positive points inside and negative points outside each bone, by hand, and took the masks that SAM gave
# (its Section 2.1). The journal version finds SAM in need of such manual help to come up to an expert, uses it *guided by expert
# feedback* to make training masks, and trains a U-Net on them so that later films need no points. Neither says who looked, how
# many masks were turned down or corrected, which of SAM's three models it was, or how well two experts agreed.
#
# ## From joints to prompts
#
# A metacarpal is told by two points: its base $\mathbf b$ towards the wrist and its head $\mathbf h$. With
# $\ell = |\mathbf h - \mathbf b|$, the film is turned so that the bone stands upright, and a square of side $1.6\,\ell$ around
# its middle is brought to 256 pixels. In that crop, with $x$ across and $y$ along from the middle,
#
# $$ \text{box} = \{\, |x| \le w\,\ell,\; |y| \le 0.53\,\ell \,\}, \qquad w = 0.14,\; 0.21 \text{ for the thumb's}. $$
#
# Positive points lie at a quarter, half and three quarters of the axis; negative ones beside the box, beyond both joints, and
# in the middle of the neighbours. SAM is given the points, LiteMedSAM knows boxes only. The turn is the point: a box
# around a slanted bone on the upright film would hold its neighbours as well.

# %%
bones = ("M2",) if profile == "smoke" else METACARPALS
whole = hands[(hands["n_bones"] == 7) & ~hands["plate"] & ~hands["cast"]]
some = whole.head(1 if profile == "smoke" else n_simulated)
simulated = annotated_phantoms(some, segmenter, bones)
one = simulated[0]
example = next(r for r in one.records if r["bone"] == "M2")

# %% tags=["hide-input"]
figure(run, "prompt", annotation.prompt_figure(one, "M2"), alt="A simulated hand with "
       "the axes of its metacarpals; the second cut out upright with box and points; "
       "the outline that came back.")

# %% [markdown]
# ## Rules of acceptance
#
# A mask is kept if it breaks none of these. They know the axis and the shape of a metacarpal, and nothing else. Their bounds
# were set after a look at sixty masks of twelve real hands, so how many real masks they keep is no test of them.

# %% tags=["hide-input"]
table(run, "rules", annotation.rules_table(Rules()), "A mask is kept if it meets all "
      "six; the first one broken, in this order, is its reason", index=False)

# %% [markdown]
# What is stored is one record a mask: run lengths in COCO's order, the prompt, the verdict with its reason, the rules, and
# the SHA-256 of the weights that made it. From that the mask can be made, or judged by other rules, again.

# %% tags=["hide-input"]
import json

print("\n".join(f"{key}: {json.dumps(value)}"
                for key, value in annotation.in_short(example).items()))

# %% [markdown]
# ## Do the rules tell good from bad?
#
# On the phantom the true outline is known, and with it each mask's overlap, $\text{Dice} = 2\,|A \cap B| / (|A| + |B|)$.
# The prompts, too, are as good as they can be: their axes are those of the true bones.

# %%
judged = listed(simulated)
judged["dice"] = dice_with_truth(simulated, some["masks_path"])

# %% tags=["hide-input"]
annotation.show_dice(run, judged, n_boot, seed)
say(run, "Of {n_sim} masks of simulated hands ({hands_sim} in all) the rules keep "
    "{kept_sim}. Mean Dice: kept {good}, rejected {bad}. With 0.8 as the line, they "
    "keep {kept_low} that lie below it, and turn down {lost} that lie above. "
    "So few hands show a tendency, no rate; and films without arthritis or growth "
    "plates are the easy case.")

# %% [markdown]
# A person reviews masks in JupyterLab: `review(pixels, records)` shows one after the other with its verdict and two
# buttons. A click writes `reviewed` into the record beside the verdict of the rules, which stays. This is a drawing of it;
# in the book nobody can click.
#
# ```
# from osteolib.segment.review import review
# review(one.pixels, one.records)
# ```

# %% tags=["hide-input"]
figure(run, "review", annotation.review_figure(one, example), alt="The review "
       "widget, drawn: the film with the outline of one mask, the rules' verdict, "
       "buttons to accept or reject.")
run.fact(reviewed_sim=sum("reviewed" in r for hand in simulated for r in hand.records))
say(run, "Of the {n_sim} records above, {reviewed_sim} are marked as reviewed by a "
    "person.")

# %% [markdown]
# ```{admonition} SAM with your own checkpoint
# :class: dropdown note
# SAM's checkpoints are large and are not part of the project. With one of the three published files,
#
#     papermill notebooks/20_hand_annotation.ipynb out.ipynb -p checkpoint sam_vit_b_01ec64.pth -p sam_model vit_b
#
# makes every mask of this page by points instead of boxes. The file must be the published one, byte for byte, and only
# tensors are read from it; a wrong file is refused.
# ```
#
# ```{admonition} Exercise
# :class: tip
# Which rule turns down most masks of the simulated hands on its own? Switch the rules off one at a time, judge the stored
# masks again with `kept_by(rules, hands)`, and compare how many are kept and their mean Dice. Can a looser set of rules
# keep fewer masks?
# ```

# %% tags=["solution"]
keeps = {name: kept_by(Rules(**off), simulated) for name, off in OFF.items()}
for name, keep in keeps.items():
    mean = f"{judged['dice'][keep].mean():.3f}" if keep.any() else "none"
    print(f"without {name:<10}: {keep.sum():2d} of {len(keep)} kept, mean Dice {mean}")
assert all((keep >= keeps["none"]).all() for keep in keeps.values())

# %% [markdown]
# ## Real hands
#
# Films of the bone age challenge {cite:p}`halabi2019_rsna`, of children and adolescents; for some of them 21 points were
# marked by hand. Some of these are taken evenly from the youngest to the oldest bone, as many as the profile says
# (`n_real_hands`). A finger's points begin at the head of its metacarpal, so the bases of M2 to M5 are *placed* from the wrist
# and the heads, as in the drawn hand of the phantom. These axes are less exact than those above, and growing bones have gaps
# at their ends.

# %% tags=["hide-input"]
real = load_or_explain(run, "hand-rsna")

# %%
films = real.subjects
found = annotated_hands(films, n_real_hands, segmenter, bones)
masks = listed(found)

# %% tags=["hide-input"]
ages = films.set_index("image_id")["bone_age_months"] / 12
figure(run, "real", annotation.hands_figure(found, ages), alt="Metacarpals of real "
       "hands with the outlines that came back: accepted solid blue, rejected dashed "
       "orange, with the rule they broke.")
table(run, "accepted", annotation.accepted_table(masks), "REAL hands: masks asked for "
      "and accepted, and the first rule broken by the others")
everything = [r for hand in (*simulated, *found) for r in hand.records]
run.fact(n_real=len(masks), kept_real=int(masks["accepted"].sum()), n_films=len(found),
         full=int(masks.groupby("image_id")["accepted"].all().sum()),
         n_all=len(everything), reviewed=sum("reviewed" in r for r in everything))
run.result(None, "share of masks accepted", masks["accepted"].mean(), n=len(masks),
           cohort="hand-rsna")
say(run, "{n_films} real hands were taken in this run. Of their {n_real} masks "
    "{kept_real} are accepted; hands that keep all of theirs: {full}. What is right "
    "among them is unknown: nobody has drawn these bones. **Reviewed by a person: "
    "{reviewed} of all {n_all} records of this page.**")

# %% [markdown]
# ```{admonition} What it means
# :class: important
# The rules refuse masks that cannot be a metacarpal. They do not make a mask right: do the solid outlines above leave
# out part of a shaft, have holes, or run past a joint? Still less do they see an outline that is off by a
# cortex's width, and that width is what the cortical percentage is about. A network trained on what they keep learns the
# segmenter's habits with it, and the hands they turn down are not a random part: faint, tilted or very young ones may be
# lost first.
# ```
#
# ```{admonition} Deviations from the papers
# :class: dropdown note
# - **LiteMedSAM instead of SAM.** It is a small descendant of SAM trained on medical images
#   ([Ma et al. 2024](https://doi.org/10.1038/s41467-024-44824-z)); its weights come with a package, so the page needs no download.
#   Which SAM the papers used is not said.
# - **Boxes instead of points**, for LiteMedSAM takes nothing else. With your checkpoint it is points.
# - **No expert.** Rules instead of a doctor's look, and no mask is corrected, only kept or left out.
# - **Five bones of seven.** The keypoints do not tell ulna and radius.
# - **Children's hands.** No film of the papers is public.
# ```
#
# **Take away.** A promptable segmenter always answers. Write down when you believe it, store prompt and verdict with the
# mask, and check the rules where the truth is known. What was machine-made stays so until a person has looked.

# %% tags=["hide-input"]
provenance(run)
