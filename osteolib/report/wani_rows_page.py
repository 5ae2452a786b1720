"""What the page on films and rows of ``knee-wani`` shows: tables, figures and the sentences bound to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from osteolib.report.comparison import Comparison
from osteolib.report.plots import forest, in_words
from osteolib.report.show import figure, say, table, with_ci
from osteolib.report.style import COLOURS, GREY, INK, use_style
from osteolib.report.wani_rows import (
    LOSS,
    NORMAL,
    OLD_LOSS,
    YOUNG_LOSS,
    AsLow,
    Decoded,
    parts_of,
)
from osteolib.runs import Run

COHORT = "knee-wani"


def show_copies(run: Run, copies: pd.DataFrame, n_films: int, n_extra: int) -> None:
    """The groups of identical films of one class, and what follows from them alone.

    ``n_films`` films in the data set; ``n_extra`` of them repeat another one, of any class.
    """
    columns = [c for c in copies if c != "height_cm"]
    caption = "Byte-identical films of one class that the cohort keeps, with the values of their rows"
    table(run, "copies", copies[columns], caption, index=False, chips=())
    differ = {key: int(copies["fields that differ"].str.contains(word).sum())
              for key, word in (("d_age", "age"), ("d_bmi", "BMI"), ("d_t", "T-score"), ("d_sex", "sex"))}  # fmt: skip
    films = copies["films"].str.split(" = ").map(len)
    run.fact(n_groups=len(copies), n_copies=int(films.sum()), n_wrong=int((films - 1).sum()), n_films=n_films,
             n_extra=n_extra, least_height=copies["height_cm"].min(), **differ)  # fmt: skip
    say(
        run,
        "**{n_groups} groups, {n_copies} films.** Within a group the rows differ in age {d_age} times, in BMI {d_bmi}, "
        "in T-score {d_t} and in sex {d_sex} times; the statures differ by {least_height:.0f} cm or more in every "
        "group. Of each group one row at most can belong to the film, so at least {n_wrong} of these {n_copies} rows "
        "do not. Over the whole data set, with the groups that cross classes, {n_extra} of {n_films} films repeat "
        "another one under another person's row.",
    )


def show_sex(run: Run, rows: pd.DataFrame, rule: str) -> None:
    """Sex read from the film, by part and encoder; ``rule`` is the encoder that decides."""
    n = rows["n"]
    for name, row in rows.iterrows():
        run.result(None, f"auroc, sex, {name}", row["value"], ci=(row["ci_low"], row["ci_high"]), n=int(row["n"]),
                   cohort=COHORT)  # fmt: skip
    fig = forest(rows, "AUROC of sex, out of fold, by person", "How well does a film tell the sex of its row?", 0.5, {})
    figure(run, "sex", fig, alt="AUROC of sex: " + in_words(rows))
    shown = pd.DataFrame({"people (features)": rows.index, "people": n.to_numpy(),
                          "AUROC (95 % CI)": [with_ci(*r) for r in rows[["value", "ci_low", "ci_high"]].to_numpy()],
                          "95 % of shuffles": [f"{a:.2f} to {b:.2f}" for a, b in
                                               rows[["null_low", "null_high"]].to_numpy()],
                          "by models of bone loss alone": rows["from_loss"].map("{:.2f}".format).to_numpy()}
                         )  # fmt: skip
    table(run, "sex", shown, "The same as a table", index=False, folded="The same as a table")
    run.fact(**{key: with_ci(*rows.loc[f"{part} ({rule})", ["value", "ci_low", "ci_high"]])
                for key, part in (("sex_normal", NORMAL), ("sex_loss", LOSS), ("sex_young", YOUNG_LOSS))})  # fmt: skip


def show_rule(run: Run, normal: AsLow, young: AsLow, other: AsLow, below: float) -> None:
    """The rule's answer, the same question to the young among the ill, and to ``other`` features of the normal."""
    figure(run, "random_sets", random_sets_figure((normal, young)), alt=_sets_in_words(normal, young))
    run.fact(share=normal.share, share_young=young.share, below=below, n_sets=int(np.isfinite(normal.draws).sum()),
             low=normal.n_groups, young_groups=young.n_groups, share_other=other.share)  # fmt: skip
    say(run, "The rule: {share:.2%} of {n_sets:,} random sets of {low} bone-loss groups score as low as the normal "
             "films, whose AUROC is {sex_normal}; all films of bone loss give {sex_loss}. "
        + ("**Fewer than {below:.0%}: the sex of the normal rows is told worse than chance draws explain.** "
           if normal.share < below else "**Not fewer than {below:.0%}: chance draws explain it.** ")
        + "The control: the young with bone loss give {sex_young}, and {share_young:.1%} of random sets of "
          "{young_groups} groups score as low as they. "
        + ("**So low values also occur where nothing else casts doubt on the rows: being young may explain part or all "
           "of it**, and sex alone decides nothing. " if young.share < below
           else "They are not unusually low: being young does not explain it. ")
        + "With texture features {share_other:.1%} of random sets score as low as the normal films.")  # fmt: skip


def random_sets_figure(parts: Sequence[AsLow]) -> Figure:
    """Histograms of the AUROC of random sets, with each part's own as a line."""
    use_style()
    fig, axes = plt.subplots(1, len(parts), figsize=(7.4, 2.6), sharex=True, sharey=True)
    for axis, part in zip(axes, parts, strict=True):
        axis.hist(part.draws[np.isfinite(part.draws)], bins=np.linspace(0.4, 1, 41), color="#BBBBBB")
        axis.axvline(part.value, color=COLOURS["osteoporosis"], lw=2)
        axis.annotate(f"{part.value:.2f}", (part.value, 0.9), xycoords=("data", "axes fraction"), xytext=(-4, 0),
                      textcoords="offset points", ha="right", fontsize=9)  # fmt: skip
        axis.set(title=f"{part.part} ({part.n_groups} groups)", xlabel="AUROC of sex", yticks=[])
    axes[0].set_ylabel("random sets")
    return fig


def show_ages(run: Run, decoded: Mapping[str, Decoded], ages: Mapping[str, Comparison], rule: str) -> None:
    """Mean predicted ages beside the recorded ones."""
    people = decoded[rule].people
    parts = parts_of(people)
    true = {part: float(people.loc[parts[part], "age_years"].mean()) for part in (NORMAL, YOUNG_LOSS, OLD_LOSS)}
    figure(run, "ages", ages_figure(ages, true),
           alt="Mean predicted age: " + "; ".join(f"{e}: {c.words(spec='.1f')}" for e, c in ages.items())
               + ". Recorded: " + "; ".join(f"{part} {age:.1f}" for part, age in true.items()))  # fmt: skip
    for encoder, each in ages.items():
        each.record(run, COHORT, f"{{metric}}, {{method}} ({encoder})",
                    f"{{metric}} difference, {{method}} − {{reference}} ({encoder})")  # fmt: skip
    normal, young = (ages[rule].difference(part, OLD_LOSS) for part in (NORMAL, YOUNG_LOSS))
    other = next(encoder for encoder in ages if encoder != rule)
    apart = ages[rule].difference(NORMAL, YOUNG_LOSS)
    run.fact(apart=with_ci(*apart, "+.1f"), age_normal=true[NORMAL], age_young=true[YOUNG_LOSS], age_old=true[OLD_LOSS],
             seen_normal=with_ci(*normal, "+.1f"), seen_young=with_ci(*young, "+.1f"), other=other,
             other_normal=with_ci(*ages[other].difference(NORMAL, OLD_LOSS), "+.1f"),
             other_young=with_ci(*ages[other].difference(YOUNG_LOSS, OLD_LOSS), "+.1f"),
             other_apart=with_ci(*ages[other].difference(NORMAL, YOUNG_LOSS), "+.1f"))  # fmt: skip
    sees_young, sees_normal = young[2] < 0, normal[2] < 0
    say(run, "Recorded mean ages: {age_normal:.0f} years (normal), {age_young:.0f} (bone loss, young), {age_old:.0f} "
             "(bone loss, older). Against the older ones the model places the young with bone loss at {seen_young} "
             "years and the normal at {seen_normal}. "
        + (("**It sees that the young with bone loss are young, and does not see it of the normal, who are younger "
            "still.** " if not sees_normal else
            "It sees both as younger" + (", **the normal less so, though they are younger still.** "
                                         if normal[0] > young[0] else ", the normal more so. "))
           if sees_young else "It does not see the young as young, so it can say nothing about the normal. ")
        + "Directly: the normal are placed at {apart} years against the young with bone loss"
        + (", the wrong way round, and by more than chance. " if apart[1] > 0 else ". ")
        + "With {other} features: {other_young} and {other_normal} years, directly {other_apart}.")  # fmt: skip


def ages_figure(ages: Mapping[str, Comparison], true: Mapping[str, float]) -> Figure:
    """Mean predicted age with interval, one panel an encoder, the recorded mean as a diamond."""
    use_style()
    fig, axes = plt.subplots(1, len(ages), figsize=(7.6, 2.3), sharex=True, sharey=True)
    for axis, (encoder, each) in zip(axes, ages.items(), strict=True):
        for y, part in enumerate(reversed(list(true))):
            value, low, high = each.estimate(part)
            axis.plot([low, high], [y, y], color=INK, lw=2)
            axis.plot(value, y, "o", color=INK, ms=7, label="predicted, 95 % interval" if y == 0 else None)
            axis.plot(true[part], y, "D", color="white", mec=GREY, ms=7, label="recorded" if y == 0 else None)
        axis.set(title=encoder, xlabel="mean age (years)", yticks=range(len(true)), ylim=(-0.5, len(true) - 0.5))
        axis.set_yticklabels(reversed(list(true)))
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize="small")
    return fig


def show_files(run: Run, rows: pd.DataFrame) -> None:
    """Agreement of decoded and recorded sex by ending of the file."""
    percent = 100 * rows[["value", "ci_low", "ci_high"]].to_numpy()
    shown = rows[["people", "file", "n"]].assign(
        **{"decoded sex is the recorded one, % (95 % CI)": [with_ci(*row, ".0f") for row in percent]}
    )
    caption = "Exploratory: by ending of the file name, which follows how films were exported"
    table(run, "files", shown, caption, index=False, group="people")


def show_without(run: Run, columns: Mapping[str, Mapping[str, tuple | int]]) -> None:
    """The same questions to the cohort with and without the contradicting copies."""
    frame = pd.DataFrame({name: {key: with_ci(*v) if isinstance(v, tuple) else v for key, v in column.items()}
                          for name, column in columns.items()})  # fmt: skip
    table(run, "without", frame.rename_axis("question"), "What changes when these copies are left out")


def _sets_in_words(*parts: AsLow) -> str:
    texts = []
    for part in parts:
        low, high = np.nanpercentile(part.draws, (2.5, 97.5))
        texts.append(f"{part.part}: AUROC {part.value:.2f}; random sets of {part.n_groups} groups {low:.2f} to "
                     f"{high:.2f} (95 %)")  # fmt: skip
    return "Histograms of the AUROC of sex in random sets of bone-loss films. " + "; ".join(texts)
