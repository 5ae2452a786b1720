"""What the control on real hands shows and records: figures, tables, result rows and sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from osteolib.report.comparison import Comparison, compare_scores, compare_statistics, together
from osteolib.report.hand_ssl import NAMES
from osteolib.report.show import figure, say, table, with_ci
from osteolib.report.style import GREY, use_style
from osteolib.runs import Run
from osteolib.segment.real_metacarpals import RealBones
from osteolib.stats.ranks import spearman

REAL, OTHERS = "hand-rsna", "random encoders"
LOOKS = (("#0072B2", "o"), ("#D55E00", "^"), (GREY, "s"))
LENGTH, FORMAT = "length of M3, pixels (unseen)", "film: height and width"
AGE, MAE, INSIDE = "spearman", "mae months", "spearman in the smaller format"


def bones_figure(bones: RealBones, shown: Sequence[str] = ("M1", "M3")) -> Figure:
    """Six hands from the youngest to the oldest with their capsules, and some bone images of each."""
    use_style()
    some = np.linspace(0, len(bones.hands) - 1, 6).round().astype(int)
    fig, grid = plt.subplots(1 + len(shown), 6, figsize=(8.6, 4.8), height_ratios=(1.5, *[1] * len(shown)))
    for column, k in zip(grid.T, some, strict=True):
        months, sex = bones.hands.loc[k, ["bone_age_months", "sex"]]
        column[0].imshow(bones.films[k][::3, ::3], cmap="gray")
        column[0].contour(bones.masks[k][::3, ::3] > 0, [0.5], colors="#E69F00", linewidths=0.9)
        column[0].set_title(f"{months / 12:.1f} years, {sex}", fontsize=9)
        for axis, bone in zip(column[1:], shown, strict=True):
            axis.imshow(bones.cut[k].images.get(bone, np.zeros((2, 2))), cmap="gray", vmax=1)
            axis.text(0.03, 0.05, bone, transform=axis.transAxes, color="white", fontsize=8)
    for axis in grid.flat:
        axis.axis("off")
    return fig


def show_bones(run: Run, bones: RealBones, n_all: int, male: NDArray, large: NDArray, n_boot: int, seed: int) -> None:
    """The bones, how many there are, and who has the larger format of film (``large``, 0 or 1, shape (hands,))."""
    alt = "Six real hands from the youngest to the oldest bone age, capsules around their metacarpals, and bone images."
    figure(run, "bones", bones_figure(bones), alt=alt)
    age, n = bones.hands["bone_age_months"].to_numpy(float), len(bones.hands)
    by_age = compare_scores(male, {"bone age": age}, n_boot=n_boot, seed=seed)
    run.fact(n=n, n_all=n_all, without=n_all - n, n_bones=len(bones.table), n_missing=len(bones.missing),
             n_male=male.sum(), youngest=age.min() / 12, oldest=age.max() / 12, age_f=age[male == 0].mean(),
             age_m=age[male == 1].mean(), sex_by_age=with_ci(*by_age.estimate("bone age")), n_large=large.sum(),
             large_m=large[male == 1].sum(), large_f=large[male == 0].sum(), age_large=age[large == 1].mean(),
             age_small=age[large == 0].mean())  # fmt: skip
    say(
        run,
        "{n} of {n_all} hands have keypoints and give {n_bones} bone images ({n_missing} metacarpals are missing); "
        "{without} are left out. Bone ages: {youngest:.0f} to {oldest:.0f} years, on average {age_f:.0f} months in "
        "the girls, {age_m:.0f} in the {n_male} boys; bone age tells sex with AUROC {sex_by_age}. **A trap**: the "
        "films come in two formats. The larger one holds {large_m} boys and {large_f} girls, with a mean bone age of "
        "{age_large:.0f} months against {age_small:.0f}. Format alone must be a row of every table.",
    )


def losses_figure(history: Mapping[tuple[str, int], pd.DataFrame]) -> Figure:
    """Loss by epoch of each held-out part (method, part); dotted, the loss of a collapsed encoder."""
    use_style()
    methods = list(dict.fromkeys(m for m, _ in history))
    fig, axes = plt.subplots(1, len(methods), figsize=(7.4, 2.6))
    for (m, k), h in history.items():
        axis, colour = axes[methods.index(m)], ("#0072B2", "#D55E00", "#009E73")[k % 3]
        axis.plot(h["epoch"] + 1, h["loss"], color=colour, ls=("-", "--", "-.")[k % 3], label=f"without part {k + 1}")
        axis.axhline(h["collapsed_loss"].iloc[0], color=GREY, ls=":")
        axis.set(title=NAMES[m], xlabel="epoch", ylabel="loss (dotted: collapsed)")
    axes[-1].legend(fontsize="small")
    return fig


def show_pretraining(run: Run, history: Mapping[tuple[str, int], pd.DataFrame], n_bones: int, batch: int) -> None:
    """``n_bones``: the fewest that a pre-training sees."""
    alt = "Loss of pre-training by epoch for each held-out part, with the loss of a collapsed encoder."
    figure(run, "losses", losses_figure(history), alt=alt)
    last = pd.DataFrame({c: h.iloc[-1] for c, h in history.items()}).T
    ratio, epochs = (last["loss"] / last["collapsed_loss"]).groupby(level=0).max(), len(next(iter(history.values())))
    steps = epochs * (n_bones // min(batch, n_bones))
    run.fact(epochs=epochs, steps=steps, spread=last["embedding_sd"].min(), **ratio)
    say(
        run,
        "{epochs} epochs are only {steps} steps. In the worst part the last loss is {simclr:.2f} (SimCLR) and "
        "{vicreg:.2f} (VICReg) of a collapsed encoder's; the least spread of embeddings is {spread:.2f} (0: a "
        "point). The number of epochs is the profile's and was not tuned to what follows.",
    )


def mean_error(truth: NDArray, predicted: NDArray) -> float:
    """Mean absolute error."""
    return float(np.abs(truth - predicted).mean())


def mean_spearman(truth: NDArray, *predicted: NDArray) -> float:
    """Mean over several predictions."""
    return float(np.mean([spearman(truth, p) for p in predicted]))


def compare_ages(age: NDArray, predicted: Mapping[str, NDArray], small: NDArray, n_boot: int, seed: int) -> Comparison:
    """Spearman and mean absolute error of all hands, and Spearman of those on films of the smaller format."""
    how = {"n_boot": n_boot, "seed": seed}
    whole = {name: (age, p) for name, p in predicted.items()}
    inside = {name: (age[small], p[small]) for name, p in predicted.items()}
    everyone = compare_statistics({AGE: spearman, MAE: mean_error}, whole, **how)
    return together(everyone, compare_statistics({INSIDE: spearman}, inside, **how))


def compare_with_random(
    age: NDArray, learned: Mapping[str, NDArray], random: Sequence[NDArray], n_boot: int, seed: int
) -> Comparison:
    """Spearman of pre-trained encoders, and paired differences from the mean of the random ones, :data:`OTHERS`."""
    values = {name: (age, p) for name, p in learned.items()} | {OTHERS: (age, *random)}
    return compare_statistics({AGE: mean_spearman}, values, reference=OTHERS, n_boot=n_boot, seed=seed)


def show_ages(run: Run, compared: Comparison, age: NDArray, constant: NDArray, n_boot: int, seed: int) -> None:
    """``constant``: the mean age of the other parts, a prediction that knows nothing."""
    guess = compare_statistics({MAE: mean_error}, {"constant": (age, constant)}, n_boot=n_boot, seed=seed)
    lines = [
        {"known": name, "Spearman, all": with_ci(*compared.estimate(name, AGE)),
         "Spearman, smaller format": with_ci(*compared.estimate(name, INSIDE)),
         "MAE, months": with_ci(*compared.estimate(name, MAE), ".0f")}
        for name in compared.methods
    ]  # fmt: skip
    lines.append({"known": "nothing: mean of the others", "MAE, months": with_ci(*guess.estimate("constant"), ".0f")})
    caption = "Real hands: bone age of held-out hands. Above, frozen features of bone images; below, models without a "
    table(run, "bone_age", pd.DataFrame(lines).fillna("–"), f"{caption}network. 95 % CI", index=False)
    compared.record(run, REAL, "bone age, {metric}, {method}")
    run.fact(mae_0=guess.estimate("constant")[0])


def age_figure(age: NDArray, male: NDArray, predicted: Mapping[str, NDArray]) -> Figure:
    """Predicted against read bone age in years, a panel a model; girls and boys."""
    use_style()
    fig, panels = plt.subplots(1, len(predicted), figsize=(8.6, 3.2), sharex=True, sharey=True)
    for axis, (name, p) in zip(panels, predicted.items(), strict=True):
        for value, (colour, marker), who in ((0, ("#D55E00", "^"), "girls"), (1, ("#0072B2", "o"), "boys")):
            own = male == value
            axis.plot(age[own] / 12, p[own] / 12, marker, ms=5, color=colour, alpha=0.8, label=who)
        axis.plot([2, 16], [2, 16], color=GREY, lw=1, ls=":")
        axis.set(title=name, xlabel="bone age read (years)")
    panels[0].set_ylabel("predicted (years)")
    panels[0].legend(fontsize="small", loc="upper left")
    return fig


def word(compared: Comparison, name: str) -> str:
    """``found`` where Spearman's interval lies above zero in all films and in those of the smaller format."""
    if compared.estimate(name, AGE)[1] <= 0:
        return "not found"
    return "found" if compared.estimate(name, INSIDE)[1] > 0 else "not beyond the format"


def show_verdict(run: Run, compared: Comparison, gains: Comparison, random: Sequence[str], n_small: int) -> None:
    """Whether the control is passed, and what pre-training added to random weights, in words chosen by the numbers."""
    learned = [name for name in gains.methods if name != OTHERS]
    for name in learned:
        key = name[0].lower()
        run.fact(**{f"found_{key}": with_ci(*compared.estimate(name, AGE)), f"word_{key}": word(compared, name),
                    f"one_{key}": with_ci(*compared.estimate(name, INSIDE)),
                    f"mae_{key}": compared.estimate(name, MAE)[0],
                    f"gain_{key}": with_ci(*gains.difference(name, OTHERS))})  # fmt: skip
    value = {name: compared.estimate(name, AGE)[0] for name in compared.methods}
    n_found = sum(word(compared, name) == "found" for name in random)
    worse, better = ([m for m in learned if rule(*gains.difference(m, OTHERS)[1:])]
                     for rule in (lambda low, high: high < 0, lambda low, high: low > 0))  # fmt: skip
    passed = [m for m in learned if word(compared, m) == "found"]
    run.fact(n_one=n_small, short=max(v for n, v in value.items() if n.startswith(("film", "bone im"))),
             low_r=min(value[r] for r in random), high_r=max(value[r] for r in random), found_r=n_found,
             n_random=len(random), length=with_ci(*compared.estimate(LENGTH, AGE)), passed=" and ".join(passed),
             worse=" and ".join(worse), better=" and ".join(better))  # fmt: skip
    say(run, " ".join(verdict_sentences(passed, worse, better, n_found)))


def verdict_sentences(passed: list[str], worse: list[str], better: list[str], n_found: int) -> list[str]:
    """The sentences that hold, with ``{fields}`` for the facts of the run; the lists hold names of methods.

    ``n_found``: how many random encoders find bone age.
    """
    verdict = ("passed, as by random" if n_found else "passed") if passed else "not passed"
    possible = (("parts", n_found and not passed), ("worse", worse), ("better", better))
    names = ["chain", "added", verdict, *(name for name, holds in possible if holds)]
    return [SENTENCES[name] for name in names]


SENTENCES = {
    "chain": "**Bone age by the papers' chain. SimCLR: {word_s}. VICReg: {word_v}.** Spearman is {found_s} and "
    "{found_v}; in the {n_one} films of the smaller format {one_s} and {one_v}. The errors are {mae_s:.0f} and "
    "{mae_v:.0f} months against {mae_0:.0f} of a constant. The best shortcut in the pictures reaches {short:.2f}.\n\n",
    "added": "**What did pre-training add?** {found_r} of {n_random} encoders with random weights find bone age, with "
    "Spearman {low_r:.2f} to {high_r:.2f}. Against their mean SimCLR stands at {gain_s}, VICReg at {gain_v} (paired; "
    "negative: worse than no training). A ruler on one metacarpal, which no network here sees, reaches {length}.\n\n",
    "passed": "The control is passed with {passed}, and by no encoder with random weights.",
    "passed, as by random": "The control is passed with {passed}, and by {found_r} of {n_random} encoders with random "
    "weights, too: it shows that images, layer and vote carry bone age, not what pre-training does.",
    "not passed": "**The control is not passed.** A pre-training of this size cannot be relied on to keep even what is "
    "surely in the picture, so the silence of such an encoder about anything finer, bone loss included, means little.",
    "parts": "The bone images, the linear layer and the vote are not to blame: on top of random weights they find bone "
    "age in held-out hands.",
    "worse": "With {worse} the features hold *less* of bone age, in a straight line, than random ones. Telling bones "
    "apart under changes of pose and light does not by itself keep what differs between people.",
    "better": "With {better} pre-training added something.",
}
