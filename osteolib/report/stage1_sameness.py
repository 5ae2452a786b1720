"""What the page on the films of ``strnet-stage1`` shows of the search for copies: how clear it is, what it misses."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from statsmodels.stats.proportion import proportion_confint

from osteolib.cohorts.crop_controls import look_anywhere
from osteolib.cohorts.crops import TRIED
from osteolib.cohorts.groupings import pairs_joined
from osteolib.cohorts.planted_copies import COPIES, CROPS
from osteolib.radiograph import read_radiograph
from osteolib.report import stage1_counts as counts
from osteolib.report import stage1_figures as figures
from osteolib.report.show import figure, say, table, with_ci
from osteolib.report.stage1_page import COHORT
from osteolib.runs import Run


def show_detail(run: Run, pairs: pd.DataFrame, crops: pd.DataFrame, others: pd.DataFrame, rule: float) -> None:
    """Correlations of detail, and how often the rule would join a crop with a film that is not its own."""
    above = {name: int((table["detail"] >= rule).sum()) for name, table in
             (("pairs", pairs), ("crops", crops), ("others", others))}  # fmt: skip
    text = (
        f"Histograms of the correlation of detail. Of pairs proposed by hash {above['pairs']} of {len(pairs)} "
        f"reach the "
        f"rule, of crops with their best film {above['crops']} of {len(crops)}, of crops with the best of all other "
        f"films {above['others']} of {len(others)}."
    )
    figure(run, "detail", figures.detail_figure(pairs, crops, others, rule), alt=text)
    ci = proportion_confint(above["others"], len(others), method="wilson")
    wrong = above["others"] / len(others)
    run.result(None, "share of crops that fit another film", wrong, ci=ci, n=len(others), cohort=COHORT)
    fit, top = crops[crops["fits"]], float(others["detail"].max())
    run.fact(rule=rule, wrong_share=with_ci(*(100 * v for v in (wrong, *ci)), ".0f"), n_tried=len(others),
             top_other=top, n_fit=len(fit), n_narrow=len(crops), n_below=int((fit["detail"] <= top).sum()),
             n_pairs=len(pairs), n_same=int(pairs["same"].sum()),
             n_between=int(pairs["detail"].between(0.6, 0.85).sum()))  # fmt: skip
    say(run,
        "Of {n_pairs} pairs that the hash proposes {n_same} reach {rule:g}; only {n_between} lie between 0.6 "
        "and 0.85. Of {n_narrow} narrow pictures {n_fit} fit a film. But the best of many films, scales and "
        "places is high by chance too: with their own film left out, {wrong_share} % of {n_tried} crops still "
        "reach the rule, the highest with {top_other:.2f}. **So the rule can be trusted where the own film is "
        "there and fits better, not where it is absent.** {n_below} of the {n_fit} joins lie no higher than "
        "that.")  # fmt: skip


def show_again(run: Run, looked: dict[str, pd.DataFrame]) -> None:
    """The crops in doubt with the finer look, and what that settles."""
    doubt = looked["in doubt"]
    joined = doubt["fits"].map({True: "yes", False: "no"})
    shown = doubt[["crop", "film", "scale", "detail", "finer"]].round(2).assign(joined=joined)
    table(
        run,
        "again",
        shown,
        "The crops in doubt, with the film that fits best",
        index=False,
        folded="The crops in doubt",
    )
    line, sure = float(looked["wrong"]["finer"].max()), float(looked["clear"]["finer"].min())
    above = doubt["finer"] > line
    run.fact(line=line, sure_low=sure, n_sure=len(looked["clear"]), n_wrong=len(looked["wrong"]),
             n_confirmed=int((above & doubt["fits"]).sum()), n_open=int((~above & doubt["fits"]).sum()))  # fmt: skip
    say(run,
        "At that size {n_sure} clear joins have {sure_low:.2f} or more, and the {n_wrong} most tempting wrong "
        "films {line:.2f} or less. "
        + ("**{n_confirmed} of the joins in doubt lie above the wrong ones, {n_open} do not.** Those stay "
           "joined, as the rule has it. Each may be a film of its own or belong to another one, so the number "
           "of source films may be too small by {n_open}." if run.facts["n_open"] else
           "**All joins in doubt ({n_confirmed}) lie above the wrong ones.**"))  # fmt: skip


def show_pairs(run: Run, files: pd.DataFrame, pairs: pd.DataFrame, low: float, high: float) -> None:
    """The proposed pairs of pictures whose detail correlates between two bounds, where they may be shown."""
    shown = files[figures.may_be_shown(files) & ~files["small"]].set_index("image_id", drop=False)
    near = pairs[pairs["detail"].between(low, high) & pairs["a"].isin(shown.index) & pairs["b"].isin(shown.index)]
    near = near.sort_values("detail")
    text = "; ".join(f"{row.a} and {row.b}, {row.detail:.2f}" for row in near.itertuples())
    figure(run, "near_pairs", figures.pair_sheet(shown, near), alt=f"Pairs of pictures near the rule: {text}.")


def show_planted(run: Run, rows: pd.DataFrame) -> None:
    """Recall of planted copies by kind."""
    for kind, row in rows.iterrows():
        run.result(None, f"recall, {kind}", row["recall"], ci=(row["ci_low"], row["ci_high"]), n=int(row["n"]),
                   cohort=COHORT)  # fmt: skip
    shares = [with_ci(*row) for row in rows[["recall", "ci_low", "ci_high"]].to_numpy()]
    shown = rows[["n", "found", "wrong"]].assign(recall=shares)
    names = {"wrong": "joined with a wrong film", "recall": "recall (95 % CI)"}
    table(
        run,
        "planted",
        shown.rename(columns=names),
        "Copies made of films of this set, searched for among them",
        folded="Recall, kind by kind",
    )
    upright = rows[rows.index.isin(CROPS) & ~rows.index.str.contains("mirrored")].sum()
    whole = rows[rows.index.isin(COPIES)].sum()
    shares = {name: with_ci(part["found"] / part["n"],
                            *proportion_confint(part["found"], part["n"], method="wilson"))
              for name, part in (("whole", whole), ("upright", upright)) if part["n"]}  # fmt: skip
    run.fact(**{f"recall_{name}": text for name, text in shares.items()}, wrong_upright=int(upright["wrong"]))
    say(run, "Together: {recall_whole} of whole pictures, {recall_upright} of upright crops; {wrong_upright} of these "
             "were joined with a wrong film instead.")  # fmt: skip


def show_false(run: Run, files: pd.DataFrame) -> None:
    """Different films of ``knee-wani`` that were joined: its rows are another witness of who is who."""
    own = files[files["wani_file"]].drop_duplicates("content")
    n, joined = len(own), pairs_joined(own["source_group"], own["source_group"])["both"]
    run.fact(n_own=n, own_pairs=n * (n - 1) // 2, own_joined=joined)
    say(run,
        "And the whole films? The {n_own} different files of `knee-wani`, each with a row of its own there, "
        "make {own_pairs:,} pairs here. {own_joined} of them are joined, directly or through others.")  # fmt: skip


def show_earlier(run: Run, files: pd.DataFrame, crops: pd.DataFrame) -> None:
    """Our groups beside those that another count found, by pairs of contents."""
    first = files.drop_duplicates("bytes_group")
    columns: Sequence[tuple[str, str, str]] = (
        ("same picture", "picture_group", "near"), ("same film", "source_group", "earlier"))  # fmt: skip
    rows = {name: pairs_joined(first[ours], first[theirs]) for name, ours, theirs in columns}
    shown = pd.DataFrame.from_dict(rows, orient="index").rename_axis("pairs of contents")
    table(
        run,
        "earlier",
        shown,
        "Joined by both counts, by ours only, by the other only",
        folded="Both counts, in numbers",
    )
    fit = crops[crops["fits"]]
    earlier = files.set_index("image_id")["earlier"]
    new = fit[fit["crop"].map(earlier).to_numpy() != fit["film"].map(earlier).to_numpy()]
    old = fit.drop(new.index)
    path, asked = files.set_index("image_id")["path"], counts.other_films(files, crops)
    finer = {who: [look_anywhere(*(read_radiograph(path[name]).pixels for name in pair)) for pair in
                   asked[["crop", who]].itertuples(index=False)] for who in ("ours", "theirs")}  # fmt: skip
    asked = asked.assign(**{f"finer, {who}": values for who, values in finer.items()})
    better = [their > max(our, run.facts["line"]) for our, their in zip(finer["ours"], finer["theirs"], strict=True)]
    run.fact(n_new=len(new), new_high=int((new["detail"] > run.facts["top_other"]).sum()), n_old=len(old),
             new_smaller=int((new["scale"] < 0.97).sum()), old_smaller=int((old["scale"] < 0.97).sum()),
             theirs_only=rows["same film"]["theirs only"], n_asked=len(asked), theirs_right=sum(better),
             n_tried_films=TRIED)  # fmt: skip
    say(run,
        "{n_new} crops have their film only in ours; {new_high} of them correlate more than any wrong film did. "
        "{new_smaller} of them are lower than their film by more than three per cent, against {old_smaller} of "
        "the other {n_old}. "
        + ("The other count joins {theirs_only} pairs that ours does not." if run.facts["theirs_only"] else
           "The other count joins no pair that ours does not."))  # fmt: skip
    if len(asked):
        table(run, "asked", asked.drop(columns="fits").round(2), "Crops for which the other count names another "
                                                                 "film, with the finer look", index=False)  # fmt: skip
        say(run,
            "**In {theirs_right} of {n_asked} crops the other count is right**, by the finer look: above every "
            "wrong film, and above ours. The search looks closely at the {n_tried_films} likeliest films of "
            "each crop, and theirs is not among them. The groups are used as they are, here and on the pages "
            "that follow."
            if any(better) else "The finer look confirms none of these.")  # fmt: skip
