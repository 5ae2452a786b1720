"""What the page on shortcuts shows and records of sets of covariates, and what it says where there is no age."""

from __future__ import annotations

import pandas as pd

from osteolib.report import plots
from osteolib.report.show import figure, say, table
from osteolib.runs import Run

FILE = "size, layout, intensity"
"""The set of all that the file gives away."""


def show_screening(run: Run, rows: pd.DataFrame, n_films: int, paper: pd.Series) -> None:
    """AUROC of each set for bone loss, from :func:`osteolib.screen.covariates.sets_beside_shuffles`.

    Facts: ``age_auroc, age_low, age_high`` where age is among the sets, ``file_auroc, file_low, file_high``.
    """
    figure(run, "screening",
           plots.forest(rows, "AUROC, bone loss against normal", "No bone was looked at",
                        0.5, {"STR-Net, internal": paper["test.auroc"], "external": paper["ext.auroc"]}),
           alt="AUROC for each set of covariates: " + plots.in_words(rows))  # fmt: skip
    table(run, "screening", rows.round(3), "AUROC for bone loss, out of fold", folded="The same as a table")
    for name, key in (("age", "age"), (FILE, "file")):
        if name in rows.index:
            ends = dict(zip(("auroc", "low", "high"), rows.loc[name, ["value", "ci_low", "ci_high"]], strict=True))
            run.fact(**{f"{key}_{end}": value for end, value in ends.items()})
    run.fact(n_films=n_films, paper_auroc=paper["test.auroc"], with_t=int(paper["ts.n"]),
             paper_n=int(paper[["T1.BoneLoss.test", "T1.Normal.test"]].sum()))  # fmt: skip
    of_age = ("**Age alone reaches AUROC {age_auroc:.3f}** (95 % CI {age_low:.3f} to {age_high:.3f}) on these "
              "{n_films} films. " if "age_auroc" in run.facts else "")  # fmt: skip
    say(run, of_age + "The paper reports {paper_auroc} for its model on another test set: {paper_n} knees of both "
        "stages, {with_t} of them with a T-score. File size, layout and grey level together reach {file_auroc:.3f} "
        "({file_low:.3f} to {file_high:.3f}) here.")  # fmt: skip


def show_t_scores(run: Run, rows: pd.DataFrame, films: pd.DataFrame, paper: pd.Series) -> None:
    """Pearson's r of each set with the T-score; with ages also that of age and T-score, as ``raw_r``."""
    published = {f"STR-Net, internal (n = {paper['ts.n']:.0f})": paper["ts.r"], "external": paper["ext.r"]}
    figure(run, "t_score",
           plots.forest(rows, "Pearson r with the T-score, out of fold", "The T-score without bone", 0.0, published),
           alt="Correlation with the T-score for each set: " + plots.in_words(rows))  # fmt: skip
    if films["age_years"].notna().any():
        run.fact(raw_r=films[["age_years", "t_score"]].corr().iloc[0, 1])
        say(run, "Age and T-score correlate at r = {raw_r:.2f} in these people, with no fit.")
