"""What the lesson on auditing shows of the trials of the audit: in both directions, and beside another audit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import yaml

from osteolib.report.published import PAPERS
from osteolib.report.show import say, table
from osteolib.runs import ROOT, Run, fingerprint
from osteolib.stats.audit.honest import ASSUMED, OTHERWISE, PLANTED
from osteolib.stats.exact import exact_interval

TRIALS = "osteolib.stats.audit.trials"


def show_trial(run: Run, rates: pd.DataFrame) -> None:
    """How often the audit objects to honest studies and to planted errors; ``rates`` as from ``trials.rates``."""
    studies = rates.assign(hits=rates["objected"] * rates["studies"])
    groups = studies.groupby("group", sort=False)[["studies", "hits"]].sum()
    share = groups["hits"] / groups["studies"]
    knows = studies[studies["named"].notna() & (studies["group"] == OTHERWISE)]
    missed = rates.loc[(rates["group"] == PLANTED) & (rates["objected"] == 0), "way"]
    run.fact(
        n_assumed=int(groups.loc[ASSUMED, "studies"]),
        assumed=round(groups.loc[ASSUMED, "hits"]),
        n_otherwise=int(groups.loc[OTHERWISE, "studies"]),
        otherwise=share[OTHERWISE],
        otherwise_percent=round(100 * share[OTHERWISE]),
        named=np.average(knows["named"], weights=knows["hits"]),
        n_planted=int(groups.loc[PLANTED, "studies"]),
        planted=share[PLANTED],
        missed=f"never seen: {', '.join(missed)}" if len(missed) else "each kind was seen at least once",
    )
    say(
        run,
        "{n_assumed:,} honest studies that work as assumed: {assumed} objections. {n_otherwise:,} honest ones that "
        "work otherwise: {otherwise:.0%} are called inconsistent, and where the audit knows the other way, {named:.0%} "
        "of its findings name it. {n_planted:,} studies with an error: {planted:.0%} are called so; {missed}.",
    )
    order = rates["group"].map([ASSUMED, OTHERWISE, PLANTED].index).sort_values(kind="stable").index
    shown = rates.loc[order].drop(columns="studies").round(2)
    caption = "Studies called inconsistent, by the way they were made"
    options = {"index": False, "filters": ("group",), "folded": f"All {len(rates)} ways of working, with the checks"}
    table(run, "trial", shown, caption, **options)


def show_both_directions(run: Run) -> None:
    """What ``benchmarks/record_audit_trial.py`` counted, check by check, with Clopper-Pearson bounds."""
    counted = yaml.safe_load((ROOT / "data_manifests" / "audit_trial.yaml").read_text(encoding="utf-8"))
    shown = pd.DataFrame(counted["checks"]).T.rename_axis("check").reset_index()
    visible = shown["planted"] - shown["invisible"]
    ends = [exact_interval(*pair) for pair in zip(shown["accused"], shown["honest"], strict=True)]
    least = [exact_interval(*pair)[0] for pair in zip(shown["found"], visible, strict=True)]
    share = shown["found"] / visible
    run.fact(
        trial_checks=len(shown),
        trial_each=int(shown["honest"].min()),
        trial_honest=int(shown["honest"].sum()),
        trial_accused=int(shown["accused"].sum()),
        trial_most=max(high for _, high in ends),
        trial_invisible=int(shown["invisible"].sum()),
        trial_planted=int(shown["planted"].sum()),
        trial_found=int(shown["found"].sum()),
        trial_visible=int(visible.sum()),
        trial_least=share.min(),
        trial_weakest=shown["check"][share.idxmin()],
        trial_least_low=min(least),
        trial_date=str(counted["date"]),
        trial_commit=counted["commit"],
        trial_code="as it is now" if counted["code"] == fingerprint([TRIALS]) else "changed since",
    )
    say(
        run,
        "At length, each of {trial_checks} checks by itself (recorded on {trial_date}, commit {trial_commit}, code "
        "{trial_code}): of {trial_honest:,} honest studies, {trial_each:,} a check, {trial_accused} are accused; for a "
        "single check that is at most {trial_most:.3%} (95 %). Of {trial_planted:,} errors {trial_invisible:,} leave "
        "whole counts that print just so, which nobody can see; of the other {trial_visible:,} the checks find "
        "{trial_found:,}, and the weakest, `{trial_weakest}`, {trial_least:.1%}.",
    )
    shown["accused at most"] = [f"{high:.3%}" for _, high in ends]
    shown["found of visible"] = [f"{value:.2%}" for value in share]
    shown["at least"] = [f"{low:.2%}" for low in least]
    names = {"honest": "honest studies", "planted": "with an error", "invisible": "of these invisible"}
    order = [
        "check",
        "honest",
        "accused",
        "accused at most",
        "planted",
        "invisible",
        "found",
        "found of visible",
        "at least",
    ]
    options = {"index": False, "filters": (), "folded": f"All {len(shown)} checks, in both directions"}
    caption = "Each check by itself; bounds: 95 % Clopper-Pearson"
    table(run, "both_directions", shown[order].rename(columns=names), caption, **options)


def show_peer(run: Run) -> None:
    """What the benchmark of the audit counted beside mlscorecheck (``benchmarks/bench_audit.py --record``)."""
    counted = yaml.safe_load((ROOT / "data_manifests" / "audit_peer.yaml").read_text(encoding="utf-8"))
    documented, rows = counted["documented"], counted["made_up"]
    papers = pd.DataFrame(counted["papers"]).T
    lines = [("cases of its documentation", documented["cases"], documented["both"], None)]
    lines += [(f"rows of {PAPERS[name]}", *counts) for name, *counts in papers.itertuples()]
    shown = pd.DataFrame(lines, columns=["put to both", "cases", "same verdict", "same number of tables"])
    caption = f"Beside mlscorecheck {counted['mlscorecheck']}, with the same interval around each printed value"
    options = {"index": False, "filters": (), "folded": "The two side by side"}
    table(run, "peer", shown.astype({"same number of tables": "Int64"}), caption, **options)
    run.fact(
        n_documented=documented["cases"],
        documented_alike=documented["both"],
        n_paper_rows=int(papers["rows"].sum()),
        paper_rows_alike=int(papers[["verdict", "tables"]].min(axis=1).sum()),
        n_invented=rows["rows"],
        ours_right=rows["ours"],
        theirs_right=rows["theirs"],
    )
    say(
        run,
        "Put to both: {documented_alike} of {n_documented} cases of its documentation come out as documented; "
        "{paper_rows_alike} of {n_paper_rows} rows of the papers get the same verdict and the same number of tables; "
        "of {n_invented} made-up rows this audit counts the tables of {ours_right} right, and mlscorecheck of "
        "{theirs_right}.",
    )
