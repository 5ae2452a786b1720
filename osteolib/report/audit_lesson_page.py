"""What the lesson on auditing a paper shows and records, section by section.

``text`` holds the printed values of the made-up study by their names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from osteolib.report import audit_lesson as lesson
from osteolib.report.audit_pages import BEHIND
from osteolib.report.audits import findings_table
from osteolib.report.show import figure, say, table
from osteolib.runs import Run
from osteolib.stats.audit import ConfusionMatrix, Printed
from osteolib.stats.audit.audit_file import report, vocabulary


def show_study(run: Run, text: Mapping[str, str]) -> None:
    """What the study prints of its main model."""
    main = [name for name in text if "." not in name or name.startswith(("abstract", "accuracy"))][:9]
    printed = pd.DataFrame({"name": main, "printed": [text[name] for name in main]})
    table(run, "printed", printed, "Of its main model", index=False, folded="What the made-up study prints")


def show_intervals(run: Run, abstract: Printed, in_table: Printed, agree: bool) -> None:
    """What a printed number may have been, and whether two of one value can be the same."""
    panels = {"Trailing zeros count": ["0.9", "0.90"], "AUC: abstract and table": [abstract.text, in_table.text]}
    alt = "Intervals behind 0.9, 0.90 and the two printed AUCs for three ways of rounding."
    figure(run, "intervals", lesson.what_was_printed(panels), alt=alt)
    low, high = abstract.interval()
    word = "agree" if agree else "do not agree"
    run.fact(abstract=abstract.text, auc=in_table.text, low=low, high=high, agree=word)
    say(
        run,
        "The abstract's {abstract} may have been anything from {low:.3f} to {high:.3f}; the table prints {auc}. The "
        "two {agree}. An audit must never call a pair that can agree an error, so it allows whatever any of the three "
        "ways allows.",
    )


def show_sieve(
    run: Run, left: Mapping[str, Sequence[ConfusionMatrix]], n: int, positives: int, reported: Mapping[str, Printed]
) -> None:
    """The matrices that each printed number leaves (``left``, by condition), and what the last one gives.

    Raises
    ------
    ValueError
        More than one matrix, or none, is left at the end.
    """
    alt = "Left: matrices with the printed accuracy, and those that each further number leaves. Right: how many."
    figure(run, "sieve", lesson.sieve(left, n, positives, reported), alt=alt)
    (only,) = left["+ positives"]
    run.fact(
        n=n,
        positives=positives,
        n_alone=(n + 1) * (n + 2) * (n + 3) // 6,
        **{count: getattr(only, count) for count in ("tp", "fp", "fn", "tn")},
        **{metric: only.metric(metric) for metric in ("ppv", "npv", "f1")},
        **{condition[2:]: len(m) for condition, m in left.items() if condition != "+ positives"},
    )
    say(
        run,
        "Of {n_alone:,} tables {accuracy:,} print the accuracy, {sensitivity} the sensitivity as well, {specificity} "
        "all three, and one has the {positives} positives of Table 1: TP {tp}, FP {fp}, FN {fn}, TN {tn}. Now we know "
        "what the study does not print under these names: PPV {ppv:.3f}, NPV {npv:.3f}, F1 {f1:.3f}. Keep the first "
        "two in mind.",
    )


def show_out_of_reach(
    run: Run, age: Printed, mean: Printed, sd: Printed, n: int, triples: np.ndarray, sds: Mapping[str, np.ndarray]
) -> None:
    """A proportion and an SD that whole numbers cannot give.

    Parameters
    ----------
    age, mean, sd
        The printed proportion of n people, and the printed mean and SD of three runs.
    triples, sds
        Counts of three runs with the printed mean, shape (k, 3), and the SDs that they have, by the kind of SD.
    """
    alt = "Reachable accuracies and SDs as lines beside the bands of what is printed."
    figure(run, "reachable", lesson.out_of_reach(age, n, sd, sds, mean.text), alt=alt)
    run.fact(
        age=age.text,
        seeds=f"{mean.text} ± {sd.text}",
        three=len(triples),
        sd=sd.text,
        chance=np.unique((np.arange(n + 1) / n).round(3)).size / 1001,
        nearest=100 * sds["sample SD"][0],
    )
    say(
        run,
        "No count of {n} people prints {age}, and of {three:,} triples with the printed mean none has the SD {sd}; "
        "the nearest, {nearest:.3f} %, is too small. Of all numbers with three decimals only {chance:.0%} are "
        "proportions of {n}.",
    )


def show_table_3(run: Run, rows: Mapping[str, Mapping[str, Printed]], n: int, positives: int) -> None:
    """The table of four models, and the positives that each of its rows needs under two meanings."""
    shown = pd.DataFrame(rows).T.map(lambda number: number.text)
    caption = "Table 3 of the made-up study"
    table(run, "table3", shown, caption, folded=caption)
    alt = "Numbers of positives that each row needs, under two meanings."
    figure(run, "positives", lesson.positives_needed(rows, n, positives), alt=alt)


def show_readings(run: Run, readings: pd.DataFrame, n_rows: int) -> None:
    """Rows that each reading of two columns explains; ``readings`` as from ``exchange``."""
    alt = "Rows explained by each reading of the two columns."
    figure(run, "exchange", lesson.rows_explained(readings, n_rows), alt=alt)
    run.fact(rows=n_rows, **lesson.readings_as_facts(readings))
    say(
        run,
        "As printed (orange) one number of positives explains {as_printed} of {rows} rows; read as *{reading}* it "
        "explains {explained}, with {best} positives, the number in Table 1. *{tied}* explains as many with {mirror}: "
        "the same people with the classes swapped. Table 1, or an F1, tells the two apart.",
    )


def show_audit(run: Run, findings: pd.DataFrame) -> None:
    """All findings of the study's file."""
    shown = findings_table(findings).drop(columns="Sure")
    options = {"filters": ("Verdict",), "chips": {"Verdict"}, "folds": {"What the paper says": BEHIND}}
    options |= {"index": False, "folded": f"All {len(shown)} findings of the file"}
    table(run, "findings", shown, "A click on a claim tells what was computed", **options)
    run.fact(n_findings=len(findings), n_bad=sum(findings["verdict"] == "inconsistent"))
    say(run, "{n_findings} findings, {n_bad} of them inconsistent.")


def show_own(run: Run, findings: pd.DataFrame) -> None:
    """The report on a file of one's own, and all checks that a file can name."""
    print(report(findings))
    words = vocabulary().assign(meaning=lambda w: w["meaning"].str.split("\n\n").str[0])
    shown = words[["check", "meaning", "arguments", "example"]]
    line = f"All {len(words)} words that a file can use"
    table(run, "vocabulary", shown, "The checks that a file can name", index=False, filters=(), folded=line)
