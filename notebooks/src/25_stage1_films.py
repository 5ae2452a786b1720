# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
#   osteolib:
#     minutes: {smoke: 1.5, quick: 2.5, long: 4, paper: 4}
#     needs: [strnet-stage1]
# ---
# %% [markdown]
# # What the 1,947 films are
# *A folder holds 1,947 files. How many radiographs is that, of how many people, and under how many labels?*
#
# The larger stage of STR-Net {cite:p}`strnet2026_knee` comes from a public set of knees in three folders: normal, osteopenia,
# osteoporosis. Nothing in a folder says that two files are different films. Whoever collects films from several public sets
# may collect one film several times, and each time with the label of the place where it was found.
#
# **You will** take the set apart into the sets it was made of, find the same picture and the same film from pixels, measure
# how well that works and where it does not, and see what is left of three folders and of one random split. About two minutes
# to run, forty to work through.

# %% tags=["parameters"]
profile: str = "quick"  # smoke, quick, long or paper: osteolib/profiles.yaml
seed: int = 0  # seed of the films that are drawn for planted copies
n_planted: int | None = None  # films of each kind of planted copy; None: profile

# %% tags=["hide-input"]
import osteolib
from osteolib.cohorts import crop_controls, pictures, planted_copies
from osteolib.cohorts.crops import SAME_DETAIL
from osteolib.cohorts.strnet_stage1 import file_list
from osteolib.radiograph import read_radiograph
from osteolib.report import figure, load_or_explain, provenance
from osteolib.report import stage1_counts, stage1_figures, stage1_page as page
from osteolib.report import stage1_sameness as sameness
from osteolib.report.knee_flow import published_values

run = osteolib.start(globals(), "25_stage1_films")

# %% tags=["hide-input"]
cohort = load_or_explain(run, "strnet-stage1", unit="film")

# %% [markdown]
# ## Sets within a set
#
# The bytes of two folders survive in a public repository {cite:p}`jainadhya_preprocessing`, the names of all files in the list
# of another {cite:p}`iftekhar_osteo`. The third folder is known in part only, by the order of its names; that part is an
# inference. A third repository counted the same copies before us {cite:p}`aishwaryav_radiomics`. With that, each folder can
# be written as a sum.

# %% tags=["hide-input"]
listed = file_list()
files = stage1_counts.with_listed(cohort.subjects, listed)
page.show_sets(run, files, listed)

# %% [markdown]
# That is how a set looks that was put together from what others had put together. Each step is natural: knees are cut out
# because a network wants one, pictures are made small because it wants them small, folders are poured together because more
# seems better. No step says that what comes out was in there before.

# %% tags=["hide-input"]
page.show_composition(run, files, listed)

# %% [markdown]
# ## The same picture, the same film
#
# Bytes are compared by their hash, and that is certain. A picture that was stored anew has other bytes. With $G_\sigma$ a
# Gaussian blur, the *detail* of a picture and the likeness of two are
#
# $$ D = I - G_\sigma * I , \qquad r = \max_{\text{place},\,\text{scale}}
#    \frac{\sum D_a D_b}{\sqrt{\sum D_a^2 \sum D_b^2}} . $$
#
# For two **pictures** there is one place: both become squares. A perceptual hash proposes pairs, the detail confirms them. A
# **crop** is laid over every wide film at every place and several scales {cite:p}`lewis1995_ncc`: first coarsely, at 32 rows,
# then by detail, at 96 to find the film and at 192 to say whether it fits. Here is the last step again, for one crop, with
# another library and from the files as they are stored.

# %%
grouped = files.assign(same_as=files["bytes_group"])
_, pairs, crops = pictures.group_files(grouped)
shown = files[stage1_figures.may_be_shown(files)].set_index("image_id")
known = crops["crop"].isin(shown.index) & crops["film"].isin(shown.index)
one = crops[known & (crops["scale"] < 0.96) & (crops["detail"] > 0.95)].iloc[0]
crop, film = (read_radiograph(shown["path"][one[k]]).pixels for k in ("crop", "film"))
place = crop_controls.place(crop, film, one["scale"], rows=192)
print(f"{one['crop']} on {one['film']} at {one['scale']:.2f} of its height: "
      f"{place.value:.3f} by scikit-image, {one['detail']:.3f} by the search")

# %% tags=["hide-input"]
small = [stage1_figures.thumbnail(shown["path"][one[k]]) for k in ("crop", "film")]
figure(run, "place", stage1_figures.place_figure(*small, place.box,
       tuple(f"{shown['label'][one[k]]} folder" for k in ("crop", "film"))),
       alt="A picture of one knee, the film of both knees with the box it was cut "
           "from, and that part of the film: they are the same.")

# %% [markdown]
# How clear is the cut? A pair or a crop counts as the same from one value on. The second curve is a control: each crop once
# more, with all films of its own source left out. Whatever it finds then is wrong.

# %%
others = crop_controls.fit_without_own(files, crops, 5 * n_planted, seed)
print(f"rule {SAME_DETAIL}: {(crops['detail'] >= SAME_DETAIL).sum()} of {len(crops)} "
      f"crops fit a film, {(others['detail'] >= SAME_DETAIL).sum()} of {len(others)} "
      "a film that is not theirs")

# %% tags=["hide-input"]
sameness.show_detail(run, pairs, crops, others, SAME_DETAIL)
looked = crop_controls.look_at_doubtful(files, crops, others, SAME_DETAIL,
                                        n_planted // 2)

# %% [markdown]
# The crops in doubt deserve a second look, finer still and from the files as they are stored.

# %% tags=["hide-input"]
sameness.show_again(run, looked)

# %% [markdown]
# Pairs of pictures are another matter: hardly any lies near the rule. These do, and the eye can judge them. All of them look
# like one film to us, stored once brighter or with another edge; that is our reading, and no fact of the files.

# %% tags=["hide-input"]
sameness.show_pairs(run, files, pairs, 0.6, 0.92)

# %% [markdown]
# What would the search miss? Copies were made on purpose, of films drawn at random, and searched for. A mirrored crop is
# there because nothing in the search looks for it.

# %% tags=["hide-input"]
own = files[files["wani_file"]]
found = planted_copies.plant_and_search(own, n_planted, seed)
sameness.show_planted(run, planted_copies.recall(found))
sameness.show_false(run, files)

# %% [markdown]
# An earlier count, made by hand with other tools, is in the list of files too. It is no independent witness of the
# truth, but where two counts differ one should look.

# %% tags=["hide-input"]
sameness.show_earlier(run, files, crops)

# %% [markdown]
# ## One film, several classes
#
# The films of `knee-wani` have a T-score each, by ultrasound of the heel. So for most files the folder can be set beside the
# class that the T-score gives the film.

# %% tags=["hide-input"]
page.show_classes(run, files)

# %% [markdown]
# Nobody need have made a mistake. The set of single knees has two classes only, so whoever sorted it had to put the films of
# osteopenia somewhere; it may have been sorted by eye, knee by knee, without the T-score; and a T-score of the heel is itself
# no truth about a knee. Each set can be right in its own terms. Poured into one folder tree, two answers to two questions
# become two answers to one, and a network is told both.
#
# Here are films chosen because they stand under most classes, with all their pictures and folders. The licence of the other pictures is
# not known to us, so all figures here show films of `knee-wani` (CC BY 4.0), small and as they are stored; those with numbers
# burnt in are left out.

# %% tags=["hide-input"]
page.show_sheet(run, files)

# %% [markdown]
# ## What shows without looking at bone
#
# A network need not compare bones to tell these folders apart.

# %% tags=["hide-input"]
page.show_facts(run, files)

# %% [markdown]
# Of the third folder a part is missing, so its bars may change; those of the other two cannot. A square of 512 pixels made
# from 128 is blurred, whatever it shows.
#
# ## The paper's own flow
#
# Figure 1 of the paper starts with the films of this set, cuts those of both knees in two and ends in fewer single knees than
# there are; exclusions are named and not counted. It merged both stages by path, upper and lower case alike, and looked for
# look-alikes across the splits with a 64-bit hash, as a check of the data. What the check found is not printed. What would
# each way of finding copies leave?

# %% tags=["hide-input"]
page.show_flow(run, files, listed, published_values())

# %% [markdown]
# The released lists may still show that copies were kept together, or left out more than these bounds ask for. The number of
# names is the one the paper prints. How many show one knee and how many both is left open by the missing files.
#
# ## A public split
#
# One of the repositories publishes a random split by file {cite:p}`iftekhar_osteo`. It is *not* the paper's, which is not
# known; it shows what a split by file does to this set.

# %% tags=["hide-input"]
page.show_split(run, files)

# %% [markdown]
# The paper says of its Stage 1 that "residual identity leakage cannot be excluded", since the set names nobody, and lists it
# second among its limitations: uncertain, and "first-order when interpreting internal performance". That is fair. The count
# here adds what can be known without names. What it does to a score is measured on [the next page](26_stage1_splits.ipynb).
#
# ```{admonition} Where we deviate
# :class: warning
# The files here are reduced copies; bytes are those of the originals as listed, pixels are not. Part of one folder is missing,
# another part is inferred from names. Legs are counted by our code. A source film stands for one person, though a person may
# have several. The paper's exclusions, its path list and its split are not known, so nothing here says what its test set held.
# ```
#
# ```{admonition} Exercise
# :class: tip
# A careful colleague first removes every file whose bytes stand there already, and then splits at random, seven tenths for
# training. For how many of the test files is their film in training now? Predict, then compute.
# ```

# %% tags=["solution"]
import numpy as np

once = files.drop_duplicates("bytes_group")
train = np.random.default_rng(seed).random(len(once)) < 0.7
seen = once["source_group"][~train].isin(once["source_group"][train])
print(f"{seen.mean():.0%} of {len(seen)} test files; by file it was "
      f"{run.facts['test_share']:.0%}")
assert 0.5 < seen.mean() <= 1  # equal bytes are the smaller part of it

# %% [markdown]
# **Take away.** Hash the bytes, then look at the pixels, then for crops, and measure what the search finds and what it makes
# up. Count films, not files; and before films are split, ask how often each one stands there, and under which label.

# %% tags=["hide-input"]
provenance(run)
