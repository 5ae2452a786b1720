"""The page on how closely DXA agrees with itself: a scan's precision, two sites of a hip, people without a film."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import yaml
from matplotlib.figure import Figure

from osteolib.cohorts import load_manifest
from osteolib.report.compared import Comparison
from osteolib.report.show import figure, interval_facts, say, table, with_ci
from osteolib.report.style import COLOURS, GREY, INK, use_style
from osteolib.runs import ROOT, Run
from osteolib.stats.agreement import Z_LIMIT
from osteolib.stats.repeat_scans import r_of_perfect_reader, r_of_second_scan, t_score_error
from osteolib.stats.t_score_calibration import ProportionalBias

PRECISION = ROOT / "data_manifests" / "precision" / "dxa_hip.yaml"
SITES = {"neck": "femoral neck", "total_hip": "total hip"}
RAW, LINE = "total hip as it is", "total hip, by a line"
FEW, SPINE = "age, BMI and sex", "age, BMI, sex and T-score of the spine"
LIMITS = ("lower limit", "upper limit")
LOOKS = {"one body, scanned": COLOURS["normal"], "real people, no film": COLOURS["osteopenia"],
         "film against DXA, printed": COLOURS["osteoporosis"]}  # fmt: skip
Paper = Mapping[str, float]


def scan_errors(t_score: float) -> pd.DataFrame:
    """Error of one DXA scan at a T-score: ``who, source, site, cv_pct``, and ``error``, its SD in T-scores."""
    reference, rows = load_manifest("nhanes-dxa").settings["reference"], []
    for scan in yaml.safe_load(PRECISION.read_text(encoding="utf-8"))["scans"]:
        for site, name in SITES.items():
            if site in scan:
                young = reference[site]["mean"], reference[site]["sd"]
                cv = scan[site]["cv_pct"]
                rows.append((scan["who"], scan["source"], name, cv, t_score_error(cv, t_score, *young)))
    return pd.DataFrame(rows, columns=["who", "source", "site", "cv_pct", "error"])


def against_a_scan(scans: pd.DataFrame, spread: float) -> pd.DataFrame:
    """What each error leaves where scans have an SD of ``spread``: r and half the limits of agreement (T).

    ``r_second, limit_second`` of a second scan, ``r_perfect, limit_perfect`` of whoever reads the bone without error.
    """
    return scans.assign(
        r_second=[r_of_second_scan(e, spread) for e in scans["error"]],
        limit_second=Z_LIMIT * np.sqrt(2) * scans["error"],
        r_perfect=[r_of_perfect_reader(e, spread) for e in scans["error"]],
        limit_perfect=Z_LIMIT * scans["error"],
    )


def show_scans(run: Run, scans: pd.DataFrame, paper: Paper) -> None:
    """The table of :func:`against_a_scan`, and where the printed agreement lies in it."""
    shown = scans[["who", "site", "cv_pct"]].set_axis(["error known from", "site", "% of BMD"], axis=1).assign(**{
        "one scan, SD (T)": scans["error"].map("{:.3f}".format),
        "second scan: r": scans["r_second"].map("{:.3f}".format),
        "its limits": scans["limit_second"].map("± {:.2f}".format),
        "perfect reader: r": scans["r_perfect"].map("{:.4f}".format),
        "reader's limits": scans["limit_perfect"].map("± {:.2f}".format),
    })  # fmt: skip
    table(run, "scans", shown, f"A scan against a second scan, and against a perfect reader of the bone, where "
          f"T-scores have a mean of {paper['tscore.mean']} and an SD of {paper['tscore.sd']}", index=False)  # fmt: skip
    table(run, "scan_sources", scans[["who", "source"]].drop_duplicates(), "Where the errors come from", index=False,
          folded="Where the errors of a scan come from")  # fmt: skip
    neck = scans[scans["site"] == SITES["neck"]]
    half = Z_LIMIT * paper["ba.sd"]
    run.fact(r_second_low=neck["r_second"].min(), r_second_high=neck["r_second"].max(),
             r_perfect_low=neck["r_perfect"].min(), r_perfect_high=neck["r_perfect"].max(),
             second_low=neck["limit_second"].min(), second_high=neck["limit_second"].max(),
             r=paper["r"], half=half, narrower=int((scans["limit_second"] > half).sum()), rows=len(scans),
             beyond=int((neck["r_perfect"] < paper["r"]).sum()), necks=len(neck))  # fmt: skip
    say(
        run,
        "At the neck a second scan would correlate with the first at r = {r_second_low:.3f} to {r_second_high:.3f}, "
        "with limits of ± {second_low:.2f} to ± {second_high:.2f} T. The printed limits of the film, ± {half:.2f}, are "
        "narrower than those of a second scan in {narrower} of the {rows} rows. A perfect reader would reach r = "
        "{r_perfect_low:.3f} to {r_perfect_high:.3f}; the printed r = {r} lies above what even that reader could "
        "reach in {beyond} of the {necks} rows of the neck.",
    )


def show_sites(
    run: Run, sites: Mapping[str, Comparison], slopes: Mapping[str, ProportionalBias], lower: Mapping[str, float]
) -> None:
    """Table, rows and words of neck against total hip, by cohort.

    ``slopes``: of the total hip as it is; ``lower``: share of people whose neck has the lower T-score.
    """
    shown = []
    for cohort, compared in sites.items():
        run.fact(**{f"{key}_{cohort.partition('-')[0]}": value for key, value in {
            "n": int(compared.rows["n"].iloc[0]), "r": compared.estimate(RAW, "r")[0],
            "lower": lower[cohort], "line": half_width(compared, LINE), "raw": half_width(compared, RAW),
        }.items()})  # fmt: skip
        compared.record(run, cohort, "{metric}, femoral neck from {method}")
        tilt = slopes[cohort].on_mean
        run.result(None, "slope of total hip minus neck on their mean", tilt.estimate, n=tilt.n, cohort=cohort,
                   ci=tilt.ci)  # fmt: skip
        shown.append(compared.table(("r", "bias", *LIMITS), "neck predicted by").assign(cohort=cohort))
    table(run, "sites", pd.concat(shown), "Two sites of one hip, by the same scan: the neck's T-score against the "
          "total hip's, raw and by a line fitted on other people", index=False, group="cohort")  # fmt: skip
    tilts = [slopes[cohort].on_mean for cohort in sites]
    alike = all(t.ci[0] > 0 for t in tilts) or all(t.ci[1] < 0 for t in tilts)
    same = "one direction in both" if alike else "no direction that both share"
    run.fact(
        same=same,
        **{
            f"tilt_{c.partition('-')[0]}": with_ci(slopes[c].on_mean.estimate, *slopes[c].on_mean.ci, "+.2f")
            for c in sites
        },
    )
    say(
        run,
        "The neck's T-score and the total hip's correlate at r = {r_nhanes:.2f} ({n_nhanes:,} people of NHANES) and "
        "{r_dxa:.2f} ({n_dxa} in Korea). As they stand, 95 % of the differences lie within ± {raw_nhanes:.2f} and "
        "± {raw_dxa:.2f} T of their bias; after the best line within ± {line_nhanes:.2f} and ± {line_dxa:.2f}. With "
        "each T of level the difference changes by {tilt_nhanes} and {tilt_dxa} T: {same}. The neck has the lower of "
        "the two T-scores in {lower_nhanes:.0%} and {lower_dxa:.0%} of people.",
    )


def half_width(compared: Comparison, method: str) -> float:
    """Half the distance of the limits of agreement."""
    low, high = (compared.estimate(method, end)[0] for end in LIMITS)
    return (high - low) / 2


def show_without_film(run: Run, agreement: Comparison, screening: Comparison, cohort: str) -> None:
    """Tables, rows and words of what is predicted of the lower T-score without a film."""
    agreement.record(run, cohort, "{metric}, lower T-score of the hip, {method}")
    screening.record(run, cohort, "{metric}, T-score of -2.5 or less, {method}")
    shown = agreement.table(("r", "MAE", *LIMITS), "known of a person").merge(
        screening.table(None, "known of a person")
    )
    table(run, "without_film", shown, "Real people, no film, out of fold: the lower T-score of the hip and, by its "
          "prediction, whether it is −2.5 or less", index=False)  # fmt: skip
    run.fact(**interval_facts("few_r", *agreement.estimate(FEW, "r")), few_mae=agreement.estimate(FEW, "MAE")[0],
             few_half=half_width(agreement, FEW), **interval_facts("few_auc", *screening.estimate(FEW)),
             spine_r=agreement.estimate(SPINE, "r")[0], spine_half=half_width(agreement, SPINE),
             n=int(agreement.rows["n"].max()))  # fmt: skip
    say(
        run,
        "Age, BMI and sex alone reach r = {few_r:.2f} ({few_r_low:.2f} to {few_r_high:.2f}) with the hip's T-score, "
        "an MAE of {few_mae:.2f} and limits of ± {few_half:.2f} T, and tell T-scores of −2.5 or less with an AUROC of "
        "{few_auc:.2f} ({few_auc_low:.2f} to {few_auc_high:.2f}), in {n} people that the line had not seen. With the "
        "T-score of the spine on top, another scan of the same body, r becomes {spine_r:.2f} and the limits "
        "± {spine_half:.2f}.",
    )


def scale_of(scans: pd.DataFrame, sites: Mapping[str, Comparison], agreement: Comparison, paper: Paper) -> pd.DataFrame:
    """Everything the page has met, from the widest limits to the narrowest: ``name, r, half, kind``."""
    bodies, people, printed = LOOKS
    rows = [(f"{FEW}, Korea", agreement.estimate(FEW, "r")[0], half_width(agreement, FEW), people)]
    for name, compared in sites.items():
        place = "NHANES" if name.startswith("nhanes") else "Korea"
        rows.append(
            (f"neck from the total hip, {place}", compared.estimate(LINE, "r")[0], half_width(compared, LINE), bodies)
        )
    for row in scans.itertuples():
        name = f"second scan, {row.site}: {row.who}"
        rows.append((name, row.r_second, row.limit_second, bodies))
    rows.append(("X1AI-Osteo, hip film", paper["r"], Z_LIMIT * paper["ba.sd"], printed))
    return pd.DataFrame(rows, columns=["name", "r", "half", "kind"]).sort_values(
        "half", ascending=False, ignore_index=True
    )


def draw_scale(scale: pd.DataFrame) -> Figure:
    """One bar each: 95 % of the differences, about their bias, with r beside it; :func:`scale_of`."""
    use_style()
    fig, axis = plt.subplots(figsize=(8.2, 0.42 * len(scale) + 1.3))
    for y, row in zip(range(len(scale) - 1, -1, -1), scale.itertuples(), strict=True):
        axis.barh(y, 2 * row.half, left=-row.half, height=0.55, color=LOOKS[row.kind], alpha=0.85, lw=0)
        axis.text(row.half + 0.05, y, f"± {row.half:.2f}   r = {row.r:.3f}", va="center", fontsize=8.5, color=INK)
    axis.axvline(0, color=GREY, lw=0.8)
    axis.set(yticks=range(len(scale)), xlabel="difference in T-scores about its bias, 95 % of people or scans",
             xlim=(-scale["half"].max() * 1.05, scale["half"].max() * 1.55))  # fmt: skip
    axis.set_yticklabels(scale["name"][::-1], fontsize=8.5)
    handles = [plt.Rectangle((0, 0), 1, 1, color=colour, alpha=0.85) for colour in LOOKS.values()]
    fig.legend(handles, LOOKS, loc="outside lower center", ncols=3, fontsize=8.5)
    return fig


def show_scale(run: Run, scale: pd.DataFrame) -> None:
    """The figure and the words beside it."""
    told = "; ".join(f"{row.name} ± {row.half:.2f}, r = {row.r:.3f}" for row in scale.itertuples(index=False))
    figure(run, "scale", draw_scale(scale), alt=f"Bars of the limits of agreement, widest first: {told}.")
    printed = scale[scale["kind"] == "film against DXA, printed"].iloc[0]
    second = scale[scale["name"].str.startswith("second scan")]
    necks = second["name"].str.startswith(f"second scan, {SITES['neck']}")
    narrower = second["half"] < printed.half
    run.fact(second_necks=int(necks.sum()), below_necks=int((narrower & necks).sum()),
             second_totals=int((~necks).sum()), below_totals=int((narrower & ~necks).sum()),
             times=scale.loc[scale["name"].str.startswith("neck"), "half"].min() / printed.half)  # fmt: skip
    say(run, "The other site of the same scan needs limits {times:.1f} times as wide as the printed ones. Narrower "
        "limits than the film's have {below_necks} of {second_necks} second scans of the neck and {below_totals} of "
        "{second_totals} of the total hip.")  # fmt: skip
