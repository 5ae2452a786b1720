"""What the page on the numbers of the hand studies shows and records, section by section.

``text`` are the printed values of both papers by their id; ``details`` the numbers behind the findings, by theirs.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from osteolib.report import audit_hand as hand
from osteolib.report.audit_hand import LONG, SHORT, number
from osteolib.report.show import figure, say, table
from osteolib.runs import Run
from osteolib.stats.audit.random_splits import printed_evenness

Text = Mapping[str, str]


def show_hands(run: Run, images: int, segments: int, bones: int) -> None:
    """As many hands as the segments need, with ``bones`` each, beside the named radiographs."""
    least = -(-segments // bones)  # rounded up
    alt = (
        f"{least} squares, one a hand of {bones} bones: {images} for the radiographs that are named and "
        f"{least - images} more that are needed."
    )
    figure(run, "hands", hand.squares(images, segments, bones), alt=alt)
    most = images * bones
    run.fact(images=images, segments=segments, bones=bones, most=most, excess=segments - most, least=least)
    say(
        run,
        "{images} radiographs of one hand give at most {most:,} segments, {excess} fewer than the {segments:,} that "
        "the short paper splits. Some films may show both hands, or some people have several films; then a person can "
        "have several hands in the study, and it matters on which side of the split they lie.",
    )


def show_splits(run: Run, text: Text, cohort: pd.DataFrame, splits: Mapping[tuple[str, bool], pd.DataFrame]) -> None:
    """Random splits by unit, and by label or not, beside the printed counts.

    Parameters
    ----------
    cohort
        Made-up segments with ``person`` and ``hand``.
    splits
        What ``describe_splits`` gives, by unit and whether it is by label.
    """
    counts = hand.cells(text)
    tests, segments = counts["test", "op"] + counts["test", "n"], number(text, f"{SHORT}.n_segments")
    alone = {unit: splits[unit, True] for unit in ("person", "hand", "segment")}
    seen = "; ".join(f"{unit} {f['seen'].mean():.0%}" for unit, f in alone.items())
    alt = f"Splits by label: test sizes, and share of test segments of people in training, by unit: {seen}"
    figure(run, "leakage", hand.leakage(alone, tests), alt=alt)
    caption = (
        f"Six ways to split {segments:,} segments 8:1:1, {len(alone['person'])} times each. Printed: {tests} test "
        f"segments, shares within {100 * printed_evenness(counts)[1]:.2f} points"
    )
    table(run, "splits", hand.splits_table(splits), caption, index=False, folded="All six ways")
    two = int(cohort.groupby("person")["hand"].nunique().eq(2).sum())
    run.fact(two=two, tests=tests, by_segment=round(segments / 10), **hand.split_facts(alone))
    say(
        run,
        "A plain split of single segments is unlikely: it gives {by_segment} test segments, not {tests}. Hands, split "
        "by label, come out at least as even as printed in {hand_even:.0%} of splits, people in {person_even:.1%}. "
        "That speaks for hands, or for people balanced with care; it is no proof. If hands were split and {two} "
        "people have two, {hand_seen:.0%} of the test segments are of somebody whose other hand trained the model: "
        "about {hand_both:.0f} people. The journal version says that it splits by subject.",
    )


def show_nineteen(run: Run, text: Text, n_test: int, runs: int) -> None:
    """Accuracies and SDs that a test set of so few people can have, beside those printed."""
    run.fact(**hand.people_needed(text, n_test, runs))
    alt = (
        "Possible accuracies of {n_test} people, with the printed ones on them; possible SDs by test size, and the "
        "printed {sup_sd}."
    )
    figure(run, "nineteen", hand.possible_accuracies(text, n_test, runs), alt=alt.format(**run.facts))
    say(
        run,
        "± {sup_sd} is possible on neither 19 nor 20, under any rounding. Rounded to nearest, three runs need {n_fit} "
        "people for it, or {n_sample} if ± is the sample SD as in the short paper. More runs do not help: with any "
        "number of them the SD is at least {floor:.3f} on {n_test} people and {floor_20:.3f} on 20 ({floor_any:.3f} "
        "on {n_test} if digits were cut off). A standard error, or another unit than people, would explain it.",
    )


def show_leads(run: Run, text: Text, details: Mapping[str, Mapping], ends: tuple[float, float]) -> None:
    """All compared AUROCs beside the 95 % interval of the best, ``ends``."""
    value, half = hand.aucs(text), number(text, f"{LONG}.T3.SimCLR.auc.spread")
    alt = f"All ablations and the baseline beside the best AUROC's interval, {ends[0]:.2f} to {ends[1]:.2f}."
    figure(run, "six", hand.six_aucs(value, half, ends), alt=alt)
    run.fact(top=value["SimCLR, full"], half=half, **hand.lead_facts(details, value, ends))
    say(
        run,
        "The printed {top} ± {half} has a 95 % interval of {auc_low:.2f} to {auc_high:.2f}. Of {n_other} compared "
        "AUROCs, {inside} lie inside. The largest lead is {z_max:.1f} standard errors, if errors of two methods "
        "correlate at 0.5. In accuracy the method leads the best earlier one by {by_accuracy:.1f} people of 19, and "
        "its own variant with a single decoder by {decoder:.1f}.",
    )


def show_single_runs(run: Run, text: Text, details: Mapping[str, Mapping], runs: int) -> None:
    """Right answers and true positives of every single run, found back from means and SDs."""
    counts = hand.cells(text)
    carriers, tests = counts["test", "op"], counts["test", "op"] + counts["test", "n"]
    rows, solutions = hand.single_runs(details, carriers, runs)
    alt = "Right answers of each run, by row: " + "; ".join(f"{name} {triples[0]}" for name, triples in rows.items())
    figure(run, "runs", hand.thirty_runs(rows, solutions, tests, carriers), alt=alt)
    right = hand.runs_table(text, rows, solutions, carriers)
    caption = f"Single runs, found back from means and SDs ({tests} segments, {carriers} with osteoporosis)"
    table(run, "runs", right, caption, index=False, folded="Every run as a table")
    spread = text[f"{SHORT}.T2.SimCLR.auc.ext.spread"]
    run.fact(n_tests=tests, auc_sd=spread, **hand.run_facts(details, solutions, carriers))
    say(
        run,
        "All {n_exact} accuracies are exact. Of {n_free} arbitrary numbers, all would be so with a chance of "
        "{by_luck:.0e}: these are careful tables. The supervised model has {carriers} right in every run, the number "
        "of segments with osteoporosis: it calls all {n_tests} ill, as the paper suspects. And with nearly equal "
        "accuracy, the runs of the best model find {low_sens:.0%} to at least {high_sens:.0%} of the segments with "
        "osteoporosis, while its AUROC has a ± of {auc_sd}: what wavers is the threshold. (An open mark is a second "
        "solution.)",
    )
