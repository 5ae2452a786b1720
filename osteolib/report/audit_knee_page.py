"""What the page on the numbers of the knee study shows and records, section by section.

``value`` is the frame of printed values (:func:`osteolib.report.audit_knee.read_values`); ``of`` holds the numbers
behind the findings of the audit, by their id.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from osteolib.report import audit_knee as knee
from osteolib.report import audit_knee_code as network
from osteolib.report.show import figure, say
from osteolib.runs import Run
from osteolib.stats.audit.audit_file import Audit

Findings = Mapping[str, Mapping]
CELLS = ("tp", "fp", "fn", "tn")


def show_two_test_sets(run: Run, value: pd.DataFrame, of: Findings) -> None:
    """The matrix of the abstract and that of Fig. 7, and which printed value each can give."""
    lines = knee.possible_values(value, of["S-10"]["rows"])
    figure7 = [float(value.at[f"F7.{cell.upper()}", "value"]) for cell in CELLS]
    fig = knee.two_test_sets([of["S-07"][cell] for cell in CELLS], figure7, lines)
    alt = "Two confusion matrices of 224 knees, and which printed value each test set can give: "
    figure(run, "two_test_sets", fig, alt=alt + "; ".join(map(", ".join, lines)))
    run.fact(
        possible=", ".join(f"{p:.0f}" for p in of["S-39"]["positives_possible"]),
        correct=int(of["S-08"]["correct"]),
        share=of["S-40"]["share"],
        overall=of["S-40"]["overall"],
        odd=f"{of['S-08']['specificity']:.3f}",
    )
    say(
        run,
        "Possible numbers of positives: {possible}. The abstract goes with Table 1, and so do Tables 4 and 5, which "
        "name 136. Fig. 7 has the share of bone loss of the whole collection ({share:.1%} and {overall:.1%}): it "
        "looks like another split, stratified by class. Both matrices have {correct} knees right; the specificity in "
        "Fig. 7 is {odd}.",
    )


def show_five_seeds(
    run: Run, value: pd.DataFrame, of: Findings, seeds: pd.DataFrame, alike: NDArray[np.integer]
) -> None:
    """Headline values among runs of five; ``alike``: metrics of four that agree by accident in each simulated study."""
    accidents = np.bincount(alike, minlength=5)
    chances = [*(accidents / len(alike))[:4], of["S-25"]["chance"]]
    alt = (
        "Left: four headline values lie on their five-seed means, the T-score RMSE two SDs below. Right: chance that "
        f"0, 1, 2, 3 or 4 metrics agree by accident: {', '.join(f'{s:.1g}' for s in chances)}."
    )
    figure(run, "five_seeds", knee.five_seeds(seeds, chances), alt=alt)
    run.fact(**knee.seed_facts(of, value), seen=int(accidents[4]), tries=len(alike))
    say(
        run,
        "All four agreed in {seen} of {tries:,} simulated studies; the closed form says {chance:.0e}. The fifth value "
        "behaves otherwise: the RMSE of the T-score, {rmse}, lies {z} SDs from its mean {mean_rmse}; no one of five "
        "can lie more than {limit:.2f} sample SDs away. For the T-score, use {mean_rmse} ± {sd_rmse}.",
    )


def show_table_5(run: Run, value: pd.DataFrame, of: Findings, resampled: Mapping[str, str]) -> None:
    """Values of Table 5 beside what follows from others, intervals beside a bootstrap (``boot.T5.NAME``)."""
    gaps, widths = knee.implied_gaps(of, value), knee.half_widths(value, resampled)
    alt = (
        "Left: printed less implied values of Table 5, balanced accuracy "
        f"{gaps.at['balanced accuracy', 'printed']:+.4f}. Right: half-widths, printed and resampled: "
        + "; ".join(f"{name} {row['printed']:.3f}, {row['high']:.3f}" for name, row in widths.iterrows())
    )
    figure(run, "table5", knee.table_5(gaps, widths), alt=alt)
    ratio = widths["printed"] / widths["high"]
    run.fact(bacc=of["S-15"]["value"], wide=int((ratio > 1.1).sum()), ratio=ratio["F1"], middle=of["S-48"]["n_rows"])
    say(
        run,
        "The bars on the left are all that rounding allows. Youden's J, accuracy and F1 follow. **The balanced "
        "accuracy does not**: it is {bacc:.4f}. PPV, NPV and MCC are off by little *if the table is of one run*; "
        "means over runs can explain that, but not PPV and F1 together. Of the intervals, {wide} of 9 are more than a "
        "tenth wider than a stratified bootstrap of the nearest matrix gives, that of F1 {ratio:.1f} times as wide; "
        "and all {middle} of the table are symmetric.",
    )


def show_text_and_code(run: Run, value: pd.DataFrame, of: Findings, reach: pd.DataFrame, audit: Audit) -> None:
    """What the fourth loss pulls and which loss reaches which part (``reach``), held against what the audit keeps.

    Raises
    ------
    ValueError
        A value that the audit file keeps is no longer what is computed.
    """
    count = value["value"].dropna()
    now = network.network_values(reach, count)
    network.check_kept(now | network.printed_values(count, of["S-40"]["share"]), audit.document.values)
    code = {name: audit.values[f"{knee.PAPER}.code.{name}"] for name in ("fp_margin", "lambda_fp")}
    alt = (
        "Left: pull on the logit of a normal knee with and without the fourth loss term. Right: which loss reaches "
        f"which part; none: {network.untouched(reach)}."
    )
    figure(run, "text_and_code", network.text_and_code(reach, count, code), alt=alt)
    run.fact(
        released=now["net.released.parameters"],
        text=now["net.text.parameters"],
        idle=now["net.idle.parameters"],
        most=of["S-56"]["most"],
        gain=of["N1"]["auroc"],
        yardstick=of["N2"]["rmse"],
    )
    say(
        run,
        "**Size.** Built as in the code, the network has {released:,} parameters, as printed; built as in the text, "
        "{text:,}.\n\n"
        "**A route that does not learn.** The stop-gradient stands where the text says. What follows is not said: "
        "{idle:,} parameters of the T-score's route get a gradient from no loss, and nothing before them learns from "
        "T-scores. If the reported runs were wired as the released code is, the gain of {gain:.3f} in AUROC from B2 "
        "to B3 cannot come from learning the T-score jointly; of another wiring this page says nothing.\n\n"
        "**A fourth loss.** It is in the code, on by default, and not in the text; it pulls at a normal knee with at "
        "most {most:.1%} of the force of the cross-entropy. Whether the reported runs had it is unknown.",
    )
