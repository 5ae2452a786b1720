# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
#   osteolib:
#     minutes: {smoke: 0.6, quick: 5, long: 17, paper: 60}
#     trains: 3
#     needs: [hand-phantom, hand-rsna]
# ---
# %% [markdown]
# # Outlines, and how sure they are
# *Four experts draw one bone in four ways. Should a network learn their average, or all four?*
#
# A network with one output learns a compromise. The journal version of the hand study {cite:p}`lee2025_hand` lets it learn
# a *distribution* of masks instead, as MoSE {cite:p}`gao2023_mose` does, whose equations it follows: several decoders, one for
# each way of drawing, and a router that says how likely each way is. Here films and experts are simulated, so it is known what
# each expert draws and how much he weighs. **Everything before the last section is measured on simulated hands** and answers no
# value of the paper, which prints no measure of the masks themselves.
#
# **You will** solve a transport problem by hand, train the mixture and its simpler relatives under the same conditions, see
# which module draws like whom, measure a cortex without a hand on the mouse, and try the network on real films. About five
# minutes (`quick`), most of them training.

# %% tags=["parameters"]
cohort: str = "hand-rsna"  # real hands of the last section, or your own films of hands
profile: str = "quick"  # smoke, quick, long or paper: osteolib/profiles.yaml
seed: int = 0  # seed of hands, annotators, weights and bootstrap
image_size: int | None = None  # longer side of the network's input; films: five times
segment_epochs: int | None = None  # epochs of each training; None: from the profile
n_boot: int | None = None  # bootstrap replicates; None: from the profile
n_real_hands: int | None = None  # with outlines by prompt; None: from the profile

# %% tags=["hide-input"]
import numpy as np
import osteolib
from osteolib.report import hand_outline_page as page
from osteolib.report import load_or_explain, own_films, own_hands, provenance
from osteolib.segment.bones import film_rows

run = osteolib.start(globals(), "21_hand_segmentation")
own_films.check_films(cohort, "hand", "hand-rsna")
phantom = load_or_explain(run, "hand-phantom", preset="lee2025", seed=seed,
                          size=film_rows(image_size))

# %% [markdown]
# ## The network
#
# The encoder is a U-Net's {cite:p}`ronneberger2015_unet`. Each of $K$ decoders turns its features into a map $u$, and a random
# vector $z_k \sim \mathcal{N}(\mu_k, \sigma_k^2 I)$ shifts and scales the channels of $u$: $\bar u = W_s z_k \odot (u + W_b z_k)$.
# Three $1 \times 1$ convolutions make a mask of it. $S$ draws of each $z_k$ give $N = K S$ masks; the router, which sees
# the encoder's averaged features, weighs the modules by $\pi_k(x)$:
#
# $$ q_\theta(y \mid x) = \sum_{k=1}^{K} \pi_k(x)\, \frac{1}{S} \sum_{j=1}^{S} \delta\big(s_k^{(j)}\big)
# = \sum_{i=1}^{N} \alpha^{(i)} \delta\big(s^{(i)}\big), \tag{1, 2} $$
#
# $$ p(y \mid x) = \sum_{j=1}^{M} \beta^{(j)} \delta\big(y^{(j)}\big) . \tag{3} $$
#
# $p$ is what $M$ annotators drew, with their weights $\beta$.

# %%
from osteolib.segment.training import Recipe

common = {"width": 8, "epochs": segment_epochs, "batch": 2, "seed": seed}
RECIPES = {"mixture": Recipe(k=4, n_samples=2, latent=8, **common),
           "single decoder": Recipe(k=1, n_samples=1, latent=0, **common),
           "mixture, one annotator": Recipe(k=4, n_samples=2, latent=8, **common)}

# %% tags=["hide-input"]
mine = RECIPES["mixture"]
page.show_network(run, mine, image_size)

# %% [markdown]
# ## The loss, by hand
#
# Which mask should learn from which annotator? That is left to optimal transport. $C_{ij}$ is one minus the soft
# intersection over union of mask $i$ and annotation $j$. The cheapest plan $T^*$ carries the annotators' mass to the masks,
# and no mask may take more than $\gamma$:
#
# $$ T^* = \arg\min_{T \ge 0} \sum_{ij} T_{ij} C_{ij} \quad \text{with} \quad
# \textstyle\sum_j T_{ij} \le \gamma, \;\; \sum_i T_{ij} = \beta_j , \tag{8, 9} $$
#
# $$ \min_\theta \; \sum_{ij} T^*_{ij}\, C_{ij}(\theta) \;+\; \lambda\, D_{\mathrm{KL}}\Big(\textstyle\sum_j T^*_{ij} \,\Big\|\,
# \alpha^{(i)}(\theta)\Big) . \tag{7} $$
#
# The first term moves masks towards the annotations they were matched with, the second teaches the router how much mass
# each mask was given. $\gamma$ starts at $\gamma_0$ and rises to 1, no bound at all: so in the beginning every module must take part.
#
# Two masks, two annotators with weights 0.7 and 0.3. Solve it in your head before you look.

# %%
from osteolib.segment.transport import transport_plan

cost, weights = np.array([[0.1, 0.6], [0.5, 0.2]]), np.array([0.7, 0.3])
plans = {gamma: transport_plan(cost, weights, gamma) for gamma in (0.5, 0.6, 1.0)}
try:
    transport_plan(cost, weights, 0.4)
except ValueError as error:
    refused = str(error)
given, alpha = plans[1.0].sum(1), np.array([0.5, 0.5])  # by the plan; the router's
loss = (plans[1.0] * cost).sum() + (given * np.log(given / alpha)).sum()  # Eq. 7

# %% tags=["hide-input"]
page.show_toy(run, cost, plans, weights, refused, loss)

# %% [markdown]
# ## Hands and annotators
#
# Each person has one hand here: one ninth of them to test, one ninth to choose the epoch (the smallest energy distance, below),
# the rest to train, all drawn by four annotators. Three trainings, alike in all else: the mixture; one decoder without latent,
# which gives one mask; and the mixture again with **one annotator an image**, drawn by weight. The paper does not say how many
# annotations an image had.

# %% tags=["hide-input"]
from osteolib.cohorts import grouped_folds
from osteolib.phantoms.hand.truth import ANNOTATOR_WEIGHTS, annotate, read_masks
from osteolib.runs.side_by_side import side_by_side
from osteolib.segment.training import draw, load_mixture, phantom_annotations
from osteolib.segment.training import to_film, trained_mixture

hands = phantom.subjects.reset_index(drop=True)
mm, names = hands["spacing_mm"], list(ANNOTATOR_WEIGHTS)
data = phantom_annotations(phantom, image_size, seed)
fold = grouped_folds(hands, hands["label"], 9, seed)
some = 8 if profile == "smoke" else len(hands)
train, val, test = (np.flatnonzero(rows)[:some]
                    for rows in (fold > 1, fold == 1, fold == 0))
weight = list(ANNOTATOR_WEIGHTS.values())
lone = np.random.default_rng(seed).choice(4, len(hands), p=weight)
coarse = float(mm.median() * hands["height"].iloc[0] / image_size)
folders = side_by_side(trained_mixture, {
    name: (*(data.take(rows, lone[rows] if name.endswith("one annotator") else None)
             for rows in (train, val)), recipe) for name, recipe in RECIPES.items()})
models = {name: load_mixture(folders[name], RECIPES[name]) for name in RECIPES}
page.show_parts(run, mine, (train, val, test), coarse)

# %% [markdown]
# ## One hand, eight opinions
#
# Above the four annotators, below what each module draws of the same hand, with the weight that the router gives it; white,
# the true outline.

# %% tags=["hide-input"]
from osteolib.report.hand_outline_rows import compare_means
from osteolib.report.hand_outlines import calmest
from osteolib.segment.opinions import known_hands, likeness, scores_by_hand
from osteolib.segment.opinions import truth_as_drawn

known = known_hands(hands, data, test, image_size)
drawn = {name: draw(model, data.images[test], RECIPES[name].n_samples, seed)
         for name, model in models.items()}
one = calmest(hands.iloc[test])
page.show_hand(run, known, one, drawn["mixture"])

# %% [markdown]
# ## How good are the masks?
#
# The mask of a model is the most probable class of each pixel, held against the truth on the film. Distributions of masks are
# compared with the annotators' by the squared **generalized energy distance**, with $d = 1 - \mathrm{IoU}$ averaged over the
# bones,
#
# $$ \mathrm{GED}^2 = 2\, \mathbb{E}\, d(s, y) - \mathbb{E}\, d(s, s') - \mathbb{E}\, d(y, y') , $$
#
# which is zero only if model and annotators draw the same masks equally often, and by the mean IoU under the best matching
# of the two. ECE is the mean gap between a pixel's probability and how often it is right, by the weight of the annotators who
# agree. The first column is no model: the true mask itself, the best that one outline could be.

# %%
judged = {"true mask": truth_as_drawn(known)} | drawn
scores = {name: scores_by_hand(d, known) for name, d in judged.items()}

# %% tags=["hide-input"]
compared = compare_means(scores, (
    ("mixture", "single decoder"), ("mixture, one annotator", "mixture")), n_boot, seed)
page.show_scores(run, known, compared)

# %% [markdown]
# ## Who draws like whom?
#
# The rule, fixed beforehand: a mask draws *like* the annotator with whom its IoU is highest. A module belongs to the annotator
# it is nearest to on average; an annotator's **mode is recovered** if a module of at least 5 % of the mean routing weight
# belongs to him. The mass of all masks like an annotator should be his weight $\beta$.

# %% tags=["hide-input"]
like = {name: likeness(d, known.labels) for name, d in drawn.items()}
page.show_modes(run, like, compared, n_boot, seed)

# %% [markdown]
# A module whose IoU is far below the others has not learned to draw. As long as $\gamma$ is small it must take its share of the
# annotations. Once the bound is gone the plan prefers whoever is best already, and the others get no gradient. How long $\gamma$
# stays at $\gamma_0$ matters, and the paper does not print it.
#
# With $M = 1$ the plan is forced: $\sum_i T_{i1} = 1$ leaves nothing to share out within an image. What the modules can still share
# out is the *images*, if different people drew different hands, as here. Had one person, or one piece of software, drawn all,
# several decoders could only learn one answer.
#
# ## Seven bones and a cortex
#
# Image times mask, cut to squares: Figure 3 (top) of the paper, from the predicted mask. A bone that is absent, in pieces or
# cut off counts as missing, with the reason; none is made up. On [the phantom's page](18_hand_phantom.ipynb) the cortical
# percentage $c = (W - w) / W$ of M2 ties a hand to the hip. Can it be read off the film without a person? The mask gives axis
# and width $W$, the profile across the middle of the shaft the canal $w$. The *true* mask tests the reading alone, the
# *predicted* one the whole chain, each annotator's mask what it matters who draws.

# %% tags=["hide-input"]
from osteolib.radiograph import read_radiograph
from osteolib.segment.bones import bone_images
from osteolib.segment.cortex_table import cortex_table

films = [read_radiograph(path).pixels for path in hands["path"]]
true = [read_masks(row.masks_path, row.image_id) for row in hands.itertuples()]
every = draw(models["mixture"], data.images, mine.n_samples, seed).probability
auto = [to_film(p, film.shape) for p, film in zip(every, films, strict=True)]
cut = {kind: [bone_images(films[i] / 255, masks[i], 128) for i in test]
       for kind, masks in (("predicted", auto), ("true", true))}
found = page.show_bones(run, [auto[i] for i in test], known.true, cut, n_boot, seed)
rng = np.random.default_rng(seed)
single = [to_film(p, films[i].shape)
          for i, p in zip(test, drawn["single decoder"].probability, strict=True)]
masks = {"true mask": known.true, "mixture": [auto[i] for i in test],
         "single decoder": single}
masks |= {f"annotator {name}": [annotate(true[i], name, rng, mm[i]) for i in test]
          for name in names}
read = {"true mask, all hands": cortex_table(films, true, mm)} | {
    who: cortex_table([films[i] for i in test], drawings, mm[test]).set_axis(test)
    for who, drawings in masks.items()}
page.show_cortex(run, hands, read)

# %% [markdown]
# Does the measured percentage screen as well as the true one? The segmenter has learned from the outlines of most of these
# hands, never from a diagnosis.

# %% tags=["hide-input"]
by_network = cortex_table(films, auto, mm)["percentage"]
screen = page.show_screening(run, hands, {
    "true percentage": 100 * hands["cortical_percentage"],
    "measured, true mask": read["true mask, all hands"]["percentage"],
    "measured, predicted mask": by_network,
    "the same, hands not trained on": by_network[fold < 2]}, n_boot, seed)

# %% [markdown]
# Folded here: courses of the trainings, doubt, all scores and differences, modes, bones, agreement, screening.

# %% tags=["hide-input", "hide-output"]
page.show_curves(run, folders, mine, known, drawn, compared)
page.show_doubt(run, known, one, drawn)
page.show_all_scores(run, compared)
page.show_modes_table(run, like)
page.show_found(run, found, films[test[one]] / 255, auto[test[one]],
                cut["predicted"][one])
page.show_agreement(run, hands, read)
page.show_screen_table(run, screen)

# %% [markdown]
# ```{admonition} Deviations, and what the paper leaves open
# :class: note dropdown
# - **K, S, L, γ₀, λ, widths, epochs, learning rate**: the paper prints none of them. Here $K = 4$, $S = 2$, $L = 8$,
#   $\gamma_0 = 1/(KS)$, the smallest that is feasible, $\lambda = 1$; $\gamma$ stays there for a third of the epochs and rises
#   linearly in the second third.
# - **The batch was chosen after a look.** In a trial with batches of 4, in half as many steps, the mixture recovered one habit of
#   four; with 2 it did better. So the scores of the mixture here are those of the better of two tries.
# - **One training of each.** Sums taken in another order are enough to lead the same recipe and seed to another network. Small
#   differences between the models are not to be trusted.
# - **Cross-entropy at the start.** The soft IoU of a bone that no pixel predicts has hardly any gradient. A pixel cross-entropy
#   with all annotations helps until $\gamma$ is 1 and is gone then. The paper has no such term.
# - **KL or cross-entropy?** The formula says one, the text the other; their gradients are equal.
# - **Weights** of scale, shift and 1×1 convolutions are shared by all modules, as they are printed without an index $k$.
# - **Annotators.** The paper had masks from SAM {cite:p}`kirillov2023_sam` under expert guidance. Ours are four rules with a
#   tremor, and half of each habit is smaller than one pixel of the network.
# - **The epoch** is the one with the smallest GED² on the validation hands, against the same number of annotators as in training.
# - **Size.** The network sees the film at the profile's size. The paper prints none.
# ```
#
# ```{admonition} Exercise
# :class: tip
# Two annotators draw masks with $d(y_1, y_2) = 0.4$ and weights ½ each. Model A always draws $y_1$. Model B draws a compromise
# $s$ with $d(s, y_1) = d(s, y_2) = 0.2$. Model C draws $y_1$ and $y_2$ half the time each. Compute GED² of each by hand. Which
# of them would a Dice score with the annotators call best?
# ```

# %% tags=["solution"]
from osteolib.segment.overlap import ged_squared

y = np.zeros((2, 1, 10), int)
y[0, 0, :8], y[1, 0, 2:] = 1, 1  # 6 shared pixels of 10: d = 0.4
A = 2 * (0.4 / 2) - 0 - 0.4 / 2
B = 2 * 0.2 - 0 - 0.4 / 2  # equal to A: a compromise gains nothing over a side
C = 2 * (0.4 / 2) - 0.4 / 2 - 0.4 / 2
side = ged_squared(y[:1], [1.0], y, [0.5, 0.5], n_classes=2)
hand_made = ged_squared(y, [0.5, 0.5], y, [0.5, 0.5], n_classes=2)
print(f"GED²: A {A:.1f}, B {B:.1f}, C {C:.1f}")
# a mean overlap with the annotators, which sees one mask at a time, calls them equal
assert np.isclose(side, A) and np.isclose(hand_made, C) and np.isclose(A, B)

# %% [markdown]
# ## Real hands
#
# Last, films of children and adolescents {cite:p}`halabi2019_rsna`. Their metacarpals were outlined by prompts from keypoints
# and kept where they broke no written rule; nobody has drawn or checked them. The network has seen simulated films only, and
# nothing is tuned on the real ones.

# %% tags=["hide-input"]
from osteolib.segment.real_hands import annotated_hands
from osteolib.segment.real_overlap import real_overlap

real = own_films.load_films(run, cohort, "hand", "hand-rsna")

# %% tags=["hide-input"]
if "has_keypoints" not in real.subjects:  # own films: pictures, and the page ends
    own_hands.show_outlines(run, real, models["mixture"], image_size, mine.n_samples,
                            seed, n_real_hands)

# %% tags=["hide-input"]
marked = annotated_hands(real.subjects, n_real_hands)
gap = real_overlap(models["mixture"], marked, image_size, mine.n_samples, seed)
page.show_real(run, marked, gap, n_boot, seed)

# %% tags=["hide-input", "hide-output"]
page.show_real_by_bone(run, gap, n_boot, seed)

# %% [markdown]
# A network that draws well on simulated films has learned *those* films; real hands need masks that people have seen. None of the
# scores further up may be read as accuracy on patients.
#
# **Take away.** A distribution of masks can be trained and can be checked, where the annotators are known. Whether several
# decoders see what one does not depends on what they were shown: ask how many people drew each image before believing in
# an uncertainty.

# %% tags=["hide-input"]
provenance(run)
