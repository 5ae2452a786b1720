"""What the page on experts for DXA makers shows and records, section by section."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from osteolib.report import ct_experts_figures as draw
from osteolib.report.audit_ct import PAPER as CT
from osteolib.report.audit_ct import SITES
from osteolib.report.ct_experts_figures import WITH, WITHOUT
from osteolib.report.ct_experts_rows import Scored, asked_apart, biases, with_interval
from osteolib.report.show import figure, say, table, with_ci
from osteolib.runs import Run
from osteolib.screen.ct_devices import CROSSED, EXPERTS, ONE, PAPER, SHUFFLED, TOLD, WITHHELD
from osteolib.screen.ct_study import CTStudy

COHORT = "vertebra-phantom"
MOE = "ResNet34+MoE|TP-SwAV|Lunified"
FEW = "–"


def show_study(run: Run, study: CTStudy) -> None:
    """How many vertebrae learn, choose and test, and where they come from."""
    count = {part: int(rows.sum()) for part, rows in study.parts.items()}
    by_site = study.rows[study.parts["test"]].groupby("site").size()
    run.fact(n_train=count["train"], n_validation=count["validation"], n_test=count["test"],
             people=study.rows.loc[study.parts["test"], "subject_id"].nunique(),
             sites=", ".join(f"{n} of {site}" for site, n in by_site.items()))  # fmt: skip
    say(run, "{n_train} vertebrae with a DXA train, {n_validation} choose the epoch, and {n_test} of {people} other "
        "people test: {sites}.")  # fmt: skip


def show_biases(run: Run, scored: Scored) -> None:
    """Bland-Altman by maker: figure and folded table of one head, the same told the maker, and experts."""
    some = {name: {n: of[n] for n in (ONE, TOLD, EXPERTS)} for name, of in scored.items()}
    rows = biases(some)
    figure(run, "biases", draw.biases(rows), alt="Bias and limits of agreement of predicted BMD by maker, for three "
           "networks in two arrangements; a dotted stroke where nothing of the maker is used.")  # fmt: skip
    shown = rows.assign(
        bias=[with_ci(*r, "+.3f") for r in rows[["bias", "low", "high"]].to_numpy()],
        limits=[FEW if lo != lo else f"{lo:+.2f} to {hi:+.2f}".replace("-", "−")
                for lo, hi in rows[["loa_low", "loa_high"]].to_numpy()],
    )  # fmt: skip
    names = {"group": "DXA", "n": "vertebrae", "bias": "bias, g/cm² (95 % CI)", "limits": "limits of agreement, g/cm²"}
    table(run, "biases", shown[["arrangement", *list(names)[:1], "network", "n", "people", "bias", "limits"]]
          .rename(columns=names), "Phantom: predicted − read BMD, people as clusters", index=False,
          folded="Bias and limits by maker")  # fmt: skip
    for r in rows.dropna(subset=["bias"]).itertuples():
        run.result(None, f"bias of BMD, g/cm2, {r.network}, {r.arrangement}, {r.group}", r.bias, ci=(r.low, r.high),
                   n=r.n, cohort=COHORT)  # fmt: skip


def show_follows(
    run: Run, rows: pd.DataFrame, said: Mapping[str, Mapping[str, pd.DataFrame]], n_boot: int, seed: int
) -> None:
    """How far predictions follow the maker; ``rows`` from :func:`osteolib.report.ct_experts_rows.followed`."""
    figure(run, "follows", draw.follows(rows), alt="Share of the makers' difference that predictions follow, by reader "
           "and arrangement: " + "; ".join(f"{r.reader}, {r.arrangement}, {r.how}: {r.value:.2f}"
                                           for r in rows.itertuples()))  # fmt: skip
    for r in rows[np.isfinite(rows["value"])].itertuples():
        run.result(None, f"share of makers' difference followed, {r.reader}, {r.arrangement}, {r.how}", r.value,
                   ci=None if r.low != r.low else (r.low, r.high), n=r.n, cohort=COHORT)  # fmt: skip
    at = rows.set_index(["arrangement", "reader", "how"])[["value", "low", "high"]]

    def words(arrangement: str, reader: str, how: str) -> str:
        return with_ci(*at.loc[arrangement, reader, how]) if (arrangement, reader, how) in at.index else FEW

    short = {ONE: "one", TOLD: "told", EXPERTS: "experts", SHUFFLED: "shuffled", WITHHELD: "withheld"}
    run.fact(**{f"{key}_{end}": words(a, reader, "patients")
                for a, end in ((PAPER, "paper"), (CROSSED, "crossed")) for reader, key in short.items()},
             **{f"{key}_asked_{end}": words(a, reader, "told")
                for a, end in ((PAPER, "paper"), (CROSSED, "crossed")) for reader, key in ((TOLD, "told"),
                                                                                         (EXPERTS, "experts"))},
             best_without=at.loc[(PAPER, WITHOUT, "patients"), "value"],
             best_with=at.loc[(PAPER, WITH, "patients"), "value"],
             best_crossed_without=at.loc[(CROSSED, WITHOUT, "patients"), "value"],
             best_crossed=at.loc[(CROSSED, WITH, "patients"), "value"],
             past_one=": what goes beyond 1 is no maker's calibration but how thin bones are at its hospital"
             if round(at.loc[(PAPER, WITH, "patients"), "value"], 2) > 1 else "")  # fmt: skip
    say(run, "Crossed, the best reader follows {best_crossed_without:.2f} of the difference without the name "
        "and {best_crossed:.2f} with it. One head reaches {one_crossed}, one head that is told {told_crossed}, experts "
        "{experts_crossed}. In the paper's arrangement the best reader has {best_without:.2f} without the name, "
        "because the scanner on the picture hints at the hospital, and **{best_with:.2f}** with it{past_one}. "
        "One head: {one_paper}; told: {told_paper}; experts: {experts_paper}; with makers shuffled {shuffled_paper}, "
        "withheld {withheld_paper}.")  # fmt: skip
    _record_check(run, at, rows)
    if {EXPERTS, TOLD} <= set(said[CROSSED]):
        apart = asked_apart(said[CROSSED], n_boot, seed)
        verdict = "more than" if apart[1] > 0 else "less than" if apart[2] < 0 else "no more and no less than"
        run.fact(told_verdict=verdict, asked_apart=with_ci(*apart, "+.2f"))
        say(run, "Told each maker in turn about the same picture, experts follow {experts_asked_crossed} crossed and "
            "{experts_asked_paper} in the paper's arrangement, one head that is told {told_asked_crossed} and "
            "{told_asked_paper}. Crossed, these experts follow {told_verdict} this one head (difference "
            "{asked_apart}). The intervals draw patients; the luck of a training is in none of them.")  # fmt: skip


def _record_check(run: Run, at: pd.DataFrame, rows: pd.DataFrame) -> None:
    """Method check of the MoE rows: crossed, where a name tells nothing else, experts follow it, and the right way."""
    key = (CROSSED, EXPERTS, "told")
    if key in at.index and np.isfinite(at.loc[key, "low"]):
        n = int(rows.set_index(["arrangement", "reader", "how"]).loc[key, "n"])
        for site in SITES:
            run.result(f"{CT}.T2.{site}.{MOE}.f1", "method_check", float(at.loc[key, "low"] > 0), n=n, cohort=COHORT)


def show_unknown(run: Run, said: pd.DataFrame, n_boot: int, seed: int) -> None:
    """An external hospital whose maker nobody trained on: bias of BMD and mean probability by what is told."""
    d = said[said["site"] == "D"]
    rows = []
    for told, own in d.groupby("told", sort=False):
        off = with_interval(np.mean, [own["bmd"] - own["bmd_g_cm2"]], own["subject_id"], n_boot, seed)
        rows.append((told, own["score"].mean(), (own["score"] >= 0.5).mean(), *off, len(own)))
        if np.isfinite(off[0]):
            run.result(None, f"bias of BMD, g/cm2, unseen maker, told {told}", off[0], n=len(own), cohort=COHORT,
                       ci=None if off[1] != off[1] else off[1:])  # fmt: skip
    found = pd.DataFrame(rows, columns=["told", "chance", "called", "bias", "low", "high", "n"])
    shown = pd.DataFrame({"told at D": found["told"], "mean probability": found["chance"].map("{:.2f}".format),
                          "called": found["called"].map("{:.0%}".format),
                          "bias of BMD, g/cm² (95 % CI)": [with_ci(*r, "+.3f") for r in
                                                           found[["bias", "low", "high"]].to_numpy()],
                          "n": found["n"]})  # fmt: skip
    table(run, "unknown", shown, "Phantom: hospital D with a MEDIX, which no training vertebra had, and what experts "
          "say by what they are told", index=False, folded="Told one of four things")  # fmt: skip
    bias = found.set_index("told")["bias"]
    known, unknown = bias.drop(["mean", "learned"]), bias[["mean", "learned"]]
    inside = known.min() <= unknown.min() and unknown.max() <= known.max()
    run.fact(mean_bias=unknown["mean"], learned_bias=unknown["learned"], unknown_n=d["unit_id"].nunique(),
             between="both between" if inside else "not both between")  # fmt: skip
    say(run, "On {unknown_n} vertebrae of D the bias is {mean_bias:+.3f} with the mean of the known makers and "
        "{learned_bias:+.3f} with the learned unknown, {between} what the names of the known makers give. The "
        "phantom's MEDIX reads half-way between the two by assumption, which favours any answer in the middle: a maker "
        "that reads outside the known ones would be missed by as much as it lies outside.")  # fmt: skip
