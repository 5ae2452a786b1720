# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
#   osteolib:
#     minutes: {smoke: 0.3, quick: 0.7, long: 2, paper: 6}
#     needs: [ct-vertebra-tptbox, vertebra-phantom]
# ---
# %% [markdown]
# # Maps of texture in place of crops
# *A crop shows part of a vertebra. A texture map shows all of it. What does the map keep, and what does it drop?*
#
# SwAV {cite:p}`caron2020_swav` learns from crops. Crops, the CT paper says {cite:p}`tpswav2025_ct`, may spoil the texture of
# bone; its TP-SwAV takes a *pool* instead: the vertebra itself and four maps of it, by PyRadiomics
# {cite:p}`vangriethuysen2017_pyradiomics`. The pool comes before any network, so it can be looked at alone.
#
# **You will** compute the four features by hand on sixteen pixels, see why no matrix is needed for a map, look at the pool of
# a real vertebra, and ask simulated ones, whose density is known, what each map says of it, of the scanner and of its noise.
# Under a minute to run, twenty to work through.

# %% tags=["parameters"]
profile: str = "quick"  # smoke, quick, long or paper: osteolib/profiles.yaml
seed: int = 0  # seed of every random draw
n_ct_people: int | None = None  # two in five give a vertebra; None: from the profile
levels: int = 32  # grey levels, where their number is fixed
bin_width: float = 25.0  # HU to a level, where that is fixed
window: int = 5  # voxels along a side of the window

# %% tags=["hide-input"]
import numpy as np
import osteolib
import torch
from osteolib.report import ct_texture_page as page
from osteolib.report import load_or_explain, provenance
from osteolib.report.published import load_published
from osteolib.views import texture_readings as readings
from osteolib.views.texture import FEATURES, level_maps, texture_maps
from osteolib.views.texture_readings import Binning

run = osteolib.start(globals(), "38_ct_texture")
phantom = load_or_explain(run, "vertebra-phantom", n_subjects=n_ct_people, seed=seed,
                          render=False)

# %% [markdown]
# ## Four features of one matrix
#
# A grey-level co-occurrence matrix (GLCM) counts neighbours: $p(i, j)$ is the share of pairs with grey levels $i$ and $j$. A
# pair is counted in both orders, so $p$ is symmetric. Of it the pool takes
#
# $$ \text{autocorrelation} = \sum_{i,j} p(i,j)\, i j , \qquad \text{joint average} = \sum_{i,j} p(i,j)\, i , $$
#
# $$ \text{contrast} = \sum_{i,j} p(i,j)\, (i-j)^2 , \qquad \text{difference average} = \sum_k k \sum_{|i-j| = k} p(i,j) . $$
#
# Here is the image that Haralick and colleagues drew {cite:p}`haralick1973_textural`, with its levels counted from 1, and neighbours along a row:

# %%
image = np.array([[1, 1, 2, 2], [1, 1, 2, 2], [1, 3, 3, 3], [3, 3, 4, 4]])
left, right = image[:, :-1].ravel(), image[:, 1:].ravel()
matrix = np.zeros((4, 4), int)
np.add.at(matrix, (left - 1, right - 1), 1)
matrix += matrix.T

p, (i, j) = matrix / matrix.sum(), np.indices((4, 4)) + 1
by_matrix = {"autocorrelation": (p * i * j).sum(), "joint_average": (p * i).sum(),
             "contrast": (p * (i - j) ** 2).sum(),
             "difference_average": (p * abs(i - j)).sum()}

# %% [markdown]
# ## No matrix is needed
#
# Each feature is a mean of some $f(i, j)$ over pairs. So take $f$ of every pair of the image and average:

# %%
by_pairs = {"autocorrelation": (left * right).mean(),
            "joint_average": ((left + right) / 2).mean(),
            "contrast": ((left - right) ** 2).mean(),
            "difference_average": abs(left - right).mean()}
maps = level_maps(torch.tensor(image), window=3)

# %% tags=["hide-input"]
page.show_by_hand(run, image, matrix, maps["contrast"].numpy())
page.show_two_ways(run, by_matrix, by_pairs)

# %% [markdown]
# A *map* is the same in a window around each voxel, for 4 directions in an image and 13 in a volume, averaged. A mean in a
# sliding window is a moving average, so a direction costs one pass over the volume and a window of any size a few additions.
# Windows end at the border of the image. The maps equal those of PyRadiomics, made once and kept with the tests.
#
# One identity says what to expect. As $ij = \tfrac12(i^2 + j^2) - \tfrac12(i-j)^2$,
#
# $$ \text{autocorrelation} = \text{mean square of the levels} - \tfrac12\, \text{contrast} . $$
#
# ## The pool of a simulated vertebra
#
# The image and its maps in a slice from the side, front to the left; the orange line is the vertebral body.

# %% tags=["hide-input"]
labelled = phantom.subjects[phantom.subjects["labelled"]]
people = labelled.drop_duplicates("subject_id").head(n_ct_people * 2 // 5)
settings = phantom.manifest.settings
soft = readings.simulated_bodies(settings, people, "A", seed)
run.fact(n_bodies=len(people))

# %%
pool = texture_maps(soft.voxels[0], levels=levels, window=window)

# %% tags=["hide-input"]
page.show_maps(run, "maps_simulated", "simulated",
               *readings.middle_slice(pool, soft.bone[0]))

# %% [markdown]
# ## Do the maps know the density?
#
# Simulated vertebrae, one a person, first all on scanner A (soft kernel), then the same bones on B (sharp, noisy). Each map is
# averaged over the core of the body and held against the mineral density that was drawn there. The question is what HU
# become before any map: a fixed *number* of levels between the smallest and the largest value, or a fixed *width*; of the
# whole patch, or of the bone alone, as PyRadiomics does with a mask; or after the HU are clipped to one range for all.

# %%
patch, bone_bins = Binning(levels), Binning(levels, inside=True)
clipped = Binning(levels, clip=readings.CLIP)
wide = [Binning(bin_width=bin_width), Binning(bin_width=bin_width, inside=True)]
every = [(b, window) for b in (patch, Binning(8), bone_bins, *wide, clipped)]
every += [(patch, 3), (patch, 7)]
sharp = readings.simulated_bodies(settings, people, "B", seed)
means = {"scanner A": readings.read_all(soft, every),
         "scanner B": readings.read_all(sharp, every)}
truth = people["spongy_mg_cm3"].to_numpy()
found = {name: page.correlations(rows, truth) for name, rows in means.items()}

# %% tags=["hide-input"]
page.show_density(run, found, patch, bone_bins, clipped, window)

# %% [markdown]
# A fixed number of levels takes offset and scale of the HU away, by construction: $v$ and $a v + b$ have the same maps. What
# is left of density depends on what else is in the patch, whose darkest and brightest voxel set the scale. That is noise and
# cortex, not the spongy bone. With bins from the bone alone, whatever density does to all its voxels alike is divided out. A
# fixed width keeps the scale and drops the offset: PyRadiomics counts levels from the smallest value.
#
# A map's mean is one summary of it. A network sees the whole map, beside the original, which has the HU. So this tells what a
# *single* view of the pool can give to the match with another, not what the encoder can learn. And with few people r moves:
# the intervals are wide in `quick`, and a chance link between dose and density goes into that of the contrast.
#
# ## Kernel and noise

# %%
clean = readings.simulated_bodies(settings, people, "A", seed, noise=0.0)
clean = page.correlations(readings.read_all(clean, [(clipped, window)]), truth)

# %% tags=["hide-input"]
moved = page.shifts(means, "scanner A", "scanner B")
dose = page.correlations(means["scanner A"], readings.relative_noise(settings, people))
page.show_kernel(run, moved, dose, clean, clipped, window)

# %% [markdown]
# ## The pool of a real vertebra
#
# A third lumbar vertebra from a public CT, noisy, of a person of whom nothing is known.

# %% tags=["hide-input"]
real = load_or_explain(run, "ct-vertebra-tptbox")

# %%
l3, bone, core = readings.real_body(real, "L3")
pool = texture_maps(l3, levels=levels, window=window)

# %% tags=["hide-input"]
page.show_maps(run, "maps_real", "real L3", *readings.middle_slice(pool, bone))
page.show_sameness(run, pool, core)

# %% [markdown]
# ## What a crop does
#
# SwAV's crops are enlarged to one size before the encoder sees them. Two kinds, with the areas that the hand papers take: 14
# to 100 % and 5 to 14 %.

# %%
middle = int(np.argwhere(core)[:, 2].mean())  # the sagittal slice through the core
here = l3[:, :, middle], bone[:, :, middle]
crops = {"large crop": readings.enlarged_crops(*here, (0.14, 1.0), 300, seed),
         "small crop": readings.enlarged_crops(*here, (0.05, 0.14), 300, seed)}

# %% tags=["hide-input"]
page.show_crops(run, here[1], crops)

# %% [markdown]
# ## What noise does
#
# White noise of SD $\sigma$ adds $2\sigma^2 / w^2$ to the contrast in bins of width $w$, since both voxels of a pair carry it.
# The real vertebra with noise added, its HU in three kinds of bins:

# %%
rng, sds = np.random.default_rng(seed), (0.0, 20.0, 40.0, 60.0, 80.0)
noise = rng.normal(size=l3.shape)
noisy = {sd: (lambda hu, sd=sd: hu + sd * noise) for sd in sds}
read = {b.name: readings.under_change(l3, bone, core, [b], noisy, window)
        for b in (wide[0], patch, bone_bins)}

# %% tags=["hide-input"]
page.show_noise(run, sds, read, bin_width)

# %% [markdown]
# ## What the paper tests of this
#
# No table of the paper varies the pool: Table 4 varies the loss and Table 5 the backbone. The nearest rows are crops against
# pool with everything else equal; which of them differ is a question for [the audit](11_audit_ct.ipynb). Which of the four
# maps, or which bins, carry the gain is open.

# %% tags=["hide-input"]
paper = load_published("tpswav2025_ct").set_index("published_id")
paper.index = paper.index.str.removeprefix("tpswav2025_ct.")
page.show_nearest_rows(run, paper)

# %% [markdown]
# ```{admonition} Deviations from the paper's pool, and what of it is open
# :class: warning
# Not given: the window, number or width of levels, what sets them (patch or mask), the spacing of voxels, whether maps are
# made in slices or in 3-D, and how a map is scaled for the encoder. We take 3-D maps, distance 1 and all directions, the
# default of PyRadiomics, and a wider window than its default of 3 voxels, which holds few pairs. The paper interpolates maps to
# the size of the image; ours have a value at every voxel, so nothing is to interpolate. The phantom's struts are a few networks,
# closer where bone is dense, so that a voxel averages over them; its scanners are assumptions. r on it is a check of the
# method, of no use for patients.
# ```
#
# ```{admonition} Exercise
# :class: tip
# Thin the real bone: multiply all HU by 0.7, as a scanner might show less mineral everywhere. Which maps of the pool notice, with
# a fixed number of levels and with a fixed width?
# ```

# %% tags=["solution"]
ratio = {}
for how in ({"levels": levels}, {"levels": None, "bin_width": bin_width}):
    two = [texture_maps(hu, window=window, **how) for hu in (l3, 0.7 * l3)]
    ratio[next(reversed(how))] = {name: float(two[1][name][core].mean()
                                              / two[0][name][core].mean())
                                  for name in FEATURES}
for how, by_map in ratio.items():
    print(how, {name: round(value, 2) for name, value in by_map.items()})
assert all(abs(value - 1) < 0.02 for value in ratio["levels"].values())
assert ratio["bin_width"]["contrast"] < 0.6

# %% [markdown]
# **Take away.** A texture map keeps the whole bone and averages its neighbourhoods. What it knows of density is decided by the
# bins, before any feature: clip the HU to one range first, or bin in a fixed width from a fixed zero. What it says of texture
# at clinical voxels must be held against the kernel and the noise before it is called bone.

# %% tags=["hide-input"]
provenance(run)
