"""What the page on the content of real films shows: views, answers, verdicts bound to numbers, power."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from osteolib.report.comparison import Comparison
from osteolib.report.film_content import CONTROLS, QUESTIONS, Answers, best_of_looks
from osteolib.report.show import figure, say, table, with_ci
from osteolib.report.style import GREY, INK, use_style
from osteolib.runs import Run

COHORT = "knee-wani"
INTERVAL = ["value", "ci_low", "ci_high"]


def show_views(run: Run, subjects: pd.DataFrame, views: Mapping[str, NDArray[np.uint8]], seed: int) -> None:
    """Some knees, whole and at the joint; films with burnt-in text are not shown."""
    use_style()
    names, plain = subjects["film_layout"].to_numpy(), subjects["mask_boxes"].isna().to_numpy()
    rng = np.random.default_rng(seed)
    some = np.concatenate(
        [rng.choice(np.flatnonzero(plain & (names == name)), 4, replace=False) for name in sorted(set(names))]
    )
    fig, axes = plt.subplots(2, len(some), figsize=(8.4, 2.5))
    for column, k in zip(axes.T, some, strict=True):
        for axis, view in zip(column, views, strict=True):
            axis.imshow(views[view][k], cmap="gray")
            axis.axis("off")
        column[0].set_title(names[k], fontsize=8, weight="normal", loc="center")
    alt = "Eight prepared knees, four of films of both legs, four of single ones; below each the square at its joint."
    figure(run, "views", fig, alt=alt)


def show_answers(run: Run, rows: pd.DataFrame) -> None:
    """All sets of features, all targets: a figure, and a table with the mean of the folds."""
    for row in rows.itertuples():
        metric = "pearson r" if row.target == "T-score" else "auroc"
        run.result(None, f"{metric}, {row.target}, {row.features}", row.value, ci=(row.ci_low, row.ci_high), n=row.n,
                   cohort=COHORT)  # fmt: skip
    words = "; ".join(f"{row.target}, {row.features}: {row.value:.2f}" for row in rows.itertuples())
    figure(run, "answers", answers_figure(rows), alt=f"AUROC (r for the T-score) by features and target. {words}")
    shown = pd.DataFrame({"target": rows["target"], "features": rows["features"],
                          "AUROC or r (95 % CI)": [with_ci(*r) for r in rows[INTERVAL].to_numpy()],
                          "mean of the folds": rows["folds"].map("{:.2f}".format),
                          "95 % of shuffles": [f"{a:.2f} to {b:.2f}" if a == a else "–" for a, b in
                                               rows[["null_low", "null_high"]].to_numpy()], "people": rows["n"]}
                         )  # fmt: skip
    table(run, "answers", shown, "All answers, by person; intervals resample groups", index=False, group="target",
          folded="The same as a table")  # fmt: skip


def answers_figure(rows: pd.DataFrame) -> Figure:
    """One panel a target, controls above, questions below; bars are what 95 % of the shuffles give."""
    use_style()
    features = list(rows["features"].unique())
    fig, axes = plt.subplots(2, 3, figsize=(8.6, 1.4 + 0.42 * len(features)), sharey=True)
    for axis, target in zip(axes.flat, (*CONTROLS, *QUESTIONS), strict=True):
        some = rows[rows["target"] == target].set_index("features").loc[features]
        y = np.arange(len(features))[::-1]
        axis.axvline(0 if target == "T-score" else 0.5, color=GREY, lw=1, ls=":")
        axis.barh(y, some["null_high"] - some["null_low"], left=some["null_low"], height=0.6, color="#D9D9D9")
        axis.hlines(y, some["ci_low"], some["ci_high"], color=INK, lw=1.8)
        axis.plot(some["value"], y, "o", color=INK, ms=5)
        axis.set(title=target, xlim=(-0.3, 0.5) if target == "T-score" else (0.25, 1.03), yticks=y,
                 ylim=(-0.6, len(features) - 0.4))  # fmt: skip
        axis.set_yticklabels(features)
    axes[1, 1].set_xlabel("AUROC (T-score: Pearson r), 95 % interval; grey: 95 % of shuffled targets")
    return fig


def show_verdict(run: Run, rows: pd.DataFrame, answers: Mapping[str, Answers], main: str) -> None:
    """The rule's answer for ``main``, the controls, and what so many looks find by chance."""
    asked = rows[rows["target"].isin(QUESTIONS)]
    one = rows[(rows["features"] == main) & (rows["target"] == QUESTIONS[0])].iloc[0]
    control = rows[(rows["features"] == main) & rows["target"].isin(CONTROLS)].set_index("target")
    loss, t = (rows[(rows["features"] == main) & (rows["target"] == name)].iloc[0] for name in QUESTIONS[1:])
    best, found = best_of_looks(answers, QUESTIONS[0]), one["ci_low"] > 0.5 and one["value"] > one["null_high"]
    chance = asked["target"].map({"T-score": 0.0}).fillna(0.5)
    people = answers[main].people
    independent = {name: people.loc[people["label"] == name, "split_group"].nunique()
                   for name in ("osteoporosis", "normal")}  # fmt: skip
    run.fact(os_groups=independent["osteoporosis"], normal_groups=independent["normal"], main=main,
             os=with_ci(*one[INTERVAL]), os_folds=one["folds"], os_null=one["null_high"], os_best=best,
             loss=with_ci(*loss[INTERVAL]), t_r=with_ci(*t[INTERVAL]), looks=len(asked),
             above=int((asked["ci_low"] > chance).sum()),
             **{f"control_{k}": with_ci(*control.loc[name, INTERVAL]) for k, name in enumerate(CONTROLS)})  # fmt: skip
    say(run, "**Controls.** With the features that decide ({main}) the layout of the film is read at {control_0}, sex "
             "at {control_1} and age over 50 at {control_2}. "
        + ("All three intervals lie above one half: these features and so many films can carry an answer."
           if (control["ci_low"] > 0.5).all() else "Not all of them are read, so what follows proves little.")
    )  # fmt: skip
    say(run, "**The rule.** Osteoporosis ({os_groups} independent groups of films; the normal are {normal_groups}) "
             "against the rest: {os}; mean of the folds {os_folds:.2f}; 97.5 % of the shuffles lie below "
             "{os_null:.2f}. "
        + ("**Found, by the rule.** " if found else "**Not found.** ")
        + "With the same features bone loss against normal is {loss} and r of the T-score {t_r}."
    )  # fmt: skip
    say(run, "**Looks.** {looks} pairs of features and question stand above; of these {above} have an interval wholly "
             "above chance, where one in forty would by luck alone. The best of all sets of features reaches "
             "{os_best:.2f} for osteoporosis in 2.5 % of the shuffles: "
        + ("the result holds even against that." if one["value"] > best else
           "a result below that line would not survive if the features had been picked after looking."))  # fmt: skip


def show_subgroups(run: Run, rows: pd.DataFrame, target: str) -> None:
    """Within men, women and kinds of file; and what the film's own reading of sex and age makes of the target."""
    readings = {target: "the film's reading of it", "sex": "its reading of sex", "age over 50": "its reading of age"}
    shown = rows[["people", "n", "with"]].rename(columns={"with": f"with {target}"})
    for column, name in readings.items():
        shown[f"{name} (95 % CI)"] = [with_ci(*r) for r in rows[column]]
    table(run, "subgroups", shown, f"AUROC for {target}, within groups of people; exploratory", index=False)
    everybody, men, women = (rows.set_index("people").loc[name] for name in ("everybody", "men", "women"))
    run.fact(by_own=everybody[target][0], by_sex=everybody["sex"][0], by_age=everybody["age over 50"][0],
             in_men=with_ci(*men[target]), in_women=with_ci(*women[target]), share_men=men["with"] / men["n"],
             share_women=women["with"] / women["n"])  # fmt: skip
    close = max(everybody["sex"][0], everybody["age over 50"][0]) > everybody[target][0] - 0.05
    say(run, "In this set {share_men:.0%} of the men and {share_women:.0%} of the women have osteoporosis. Ranked by "
             "what the film says of *sex*, osteoporosis gets an AUROC of {by_sex:.2f}; by what it says of *age*, "
             "{by_age:.2f}; by what it says of osteoporosis, {by_own:.2f}. "
        + ("**So sex or age, as read from the film, ranks people about as well**; bone density is not needed to "
           "explain it. " if close else
           "The last is higher, so it may say more than those two. ")
        + "Within men it is {in_men}, within women {in_women}.")  # fmt: skip


def show_added(run: Run, added: Comparison) -> None:
    """Age, and age and sex, with and without the image."""
    added.record(run, COHORT, "auroc, {metric}, {method}", "auroc difference, {metric}, {method} − {reference}")
    shown = added.table(head="told")
    table(run, "told", shown, "AUROC by person of what the model is told", index=False)
    table(run, "added", added.difference_table(), "What the image adds, on the same resampled people", index=False)
    gains = [added.difference(f"{name}, image", name, QUESTIONS[0]) for name in ("age", "age and sex")]
    run.fact(age_os=added.estimate("age", QUESTIONS[0])[0], gain_age=with_ci(*gains[0], "+.3f"),
             gain_both=with_ci(*gains[1], "+.3f"))  # fmt: skip
    say(run, "Age alone tells osteoporosis from the rest with AUROC {age_os:.2f}. The image changes that by "
             "{gain_age}, and beside age and sex by {gain_both}. "
        + ("**A gain is seen.**" if min(g[1] for g in gains) > 0 else
           "**No gain is seen**: the interval reaches 0 in " + ("both cases."
           if max(g[1] for g in gains) <= 0 else "one of the two.")))  # fmt: skip


def show_power(run: Run, alone: pd.DataFrame, beside: pd.DataFrame) -> None:
    """How often scores of known worth would have been found, alone and beside age."""
    both = alone.set_index("auroc")[["found"]].rename(columns={"found": "found alone"})
    both = both.join(beside.set_index("auroc")[["gain", "found"]].rename(columns={"found": "found beside age"}))
    shown = pd.DataFrame({"AUROC of the simulated score": [f"{a:.2f}" for a in both.index],
                          "found alone, %": (100 * both["found alone"]).map("{:.0f}".format).to_numpy(),
                          "its gain beside age": both["gain"].map("{:+.3f}".format).to_numpy(),
                          "found beside age, %": (100 * both["found beside age"]).map("{:.0f}".format).to_numpy()}
    )  # fmt: skip
    table(run, "power", shown, "Simulated scores for osteoporosis on these people: how often the interval shows it",
          index=False)  # fmt: skip
    sure = both.index[both["found alone"] >= 0.8]
    run.fact(sure=f"{sure.min():.2f}" if len(sure) else "none of these",
             **{f"power_{100 * a:.0f}": float(both.loc[a, "found alone"]) for a in both.index})  # fmt: skip
    say(run, "A film that told osteoporosis with AUROC 0.60 would have been seen in {power_60:.0%} of such studies, "
             "one with 0.70 in {power_70:.0%}; of the values tried, 80 % are first reached at: "
             "{sure}. What a page like this does not find may "
             "still be there, below that.")  # fmt: skip
