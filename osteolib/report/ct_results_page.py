"""What the page on the results of the CT study shows and says of its tables; of patients: `ct_patients_page.py`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from osteolib.report import ct_results_differences as paired
from osteolib.report import ct_results_figures as figures
from osteolib.report import ct_results_rows as rows
from osteolib.report.audit_ct import PATIENTS, SITES, VERTEBRAE
from osteolib.report.compared import Comparison
from osteolib.report.show import figure, say, table, with_ci
from osteolib.runs import Run
from osteolib.screen import ct_ladder as ladder
from osteolib.screen.ct_cuts import chosen_epoch
from osteolib.screen.moe_training import Recipe
from osteolib.stats.bootstrap import FEW

PHANTOM = "vertebra-phantom"
EXACT = "exact: Clopper and Pearson, by patient, where every resample gives one value"
Found = Mapping[tuple[str, str], tuple[Comparison | None, str]]


def show_ladder(run: Run, recipes: Mapping[str, Recipe], networks: Mapping[str, Path], scored: rows.Scored) -> None:
    """The rows that are trained, and those that are not, with their reasons."""
    lines = []
    for name, recipe in recipes.items():
        told = [word for word, weight in zip(("class", "BMD", "position"), recipe.loss_weights, strict=True) if weight]
        lines.append({
            "row": name, "encoder": recipe.encoder, "starts from": ladder.LADDER[name].start or "random weights",
            "losses": " + ".join(told), "experts": recipe.n_experts, "seed": recipe.seed,
            "epoch kept": f"{chosen_epoch(networks[name])} of {recipe.epochs}",
            "cut": f"{scored[name]['cut'].iloc[0]:.2f}",
        })  # fmt: skip
    table(run, "ladder", pd.DataFrame(lines), "What is trained on the vertebrae of training patients", index=False,
          folded="The trainings")  # fmt: skip
    reasons = [{"printed row": name.replace("|", ", "), "not attempted because": why}
               for name, why in ladder.NOT_ATTEMPTED.items()]  # fmt: skip
    table(run, "not_attempted", pd.DataFrame(reasons), "Printed rows of Tables 2, 3 and 5 without a training of ours",
          index=False, folded="Rows that are not attempted, and why")  # fmt: skip
    test = scored[ladder.SCRATCH]
    people = test.groupby("site")["subject_id"].nunique()
    run.fact(n_rows=len(recipes), n_test=len(test), n_people=int(people.sum()),
             by_site=", ".join(f"{s} {people.get(s, 0)}" for s in SITES))  # fmt: skip
    say(run, "{n_rows} trainings; all judge the same {n_test} test vertebrae of {n_people} patients ({by_site}).")


def show_f1(run: Run, found: Found, scored: rows.Scored) -> None:
    """F1 of every row at every site, vertebrae and patients, and how little some sites can tell."""
    without = [f"{rows.UNITS[level]} of {site} ({why})" for (level, site), (one, why) in found.items() if one is None]
    test = rows.units(scored, PATIENTS, rows.ALL)[ladder.SCRATCH].groupby("site")["y"]
    ill = test.sum().reindex(list(SITES), fill_value=0)
    for (level, site), (one, _) in found.items():
        if one is not None:
            where = "all sites" if site == rows.ALL else f"site {site}"
            kept = one.rows[one.rows["metric"].isin(["f1", "auroc"])]  # the others stand in the tables' files
            replace(one, rows=kept).record(run, PHANTOM, f"{{metric}} of {rows.UNITS[level]}, {where}, {{method}}")
    alt = "F1 in per cent by row, of vertebrae and of patients: " + "; ".join(
        f"{rows.UNITS[level]} {site} " + (one.only([ladder.FULL]).words("f1") if one else "none")
        for (level, site), (one, _) in found.items() if site != rows.ALL
    )  # fmt: skip
    figure(run, "f1_by_site", figures.f1_by_site(found), alt=alt)
    few = [f"{site} ({int(n)})" for site, n in ill.items() if n < FEW]
    run.fact(few=", ".join(few) or "none", fewest=FEW, without="; ".join(without))
    if few:
        say(run, "Patients with osteoporosis in the test are fewer than {fewest} at {few}: no order of rows can be "
            "read there.")  # fmt: skip
    if without:
        say(run, "Nothing can be measured of {without}.")
    largest = str(test.size().idxmax())
    wide, _ = found[VERTEBRAE, largest]
    if wide and np.ptp(wide.estimate(ladder.FULL, "f1")) > 0:
        half = [50 * (high - low) for _, low, high in (wide.estimate(m, "f1") for m in ladder.TABLE_2)]
        f1 = [100 * wide.estimate(m, "f1")[0] for m in ladder.TABLE_2]
        run.fact(largest=largest, half_low=min(half), half_high=max(half), spread=float(np.ptp(f1)), n_table=len(f1))
        say(run, "At {largest}, where most are tested, F1 of a row's vertebrae is known to ± {half_low:.0f} to "
            "{half_high:.0f} points, and the {n_table} rows lie within {spread:.0f}.")  # fmt: skip


def show_tables(run: Run, found: Found) -> None:
    """Tables 2 and 3: one site open, the others folded."""
    for level, title in ((VERTEBRAE, "Table 2, vertebrae"), (PATIENTS, "Table 3, patients")):
        for site in SITES:
            shown = rows.site_table(found[level, site], level, site)
            why = found[level, site][1]
            caption = f"{title} of site {site}, per cent" + (f"; of the phantom nothing: {why}" if why else "")
            if found[level, site][0] and found[level, site][0].exact:
                caption += f"; {EXACT}"
            folded = f"{title}, site {site}"
            table(run, f"{level}_{site}", shown, caption, index=False, group="kind", folded=folded)


def show_roc(run: Run, scored: rows.Scored, found: Found) -> None:
    """Fig. 3, and AUROC over all sites."""
    alt = "ROC curves of five networks at four sites"
    everywhere, why = found[VERTEBRAE, rows.ALL]
    if everywhere is None:
        figure(run, "roc", figures.roc_by_site(scored), alt=f"{alt}; {why}.")
        return
    shown = everywhere.only(figures.LINES).words("auroc")
    figure(run, "roc", figures.roc_by_site(scored), alt=f"{alt}; AUROC of all sites together: {shown}.")
    run.fact(aurocs=shown)
    say(run, "AUROC of all test vertebrae together: {aurocs}.")


def show_tests(run: Run, all_sites: pd.DataFrame, p_values: pd.DataFrame) -> None:
    """Paired differences on all test vertebrae: intervals over patients and over vertebrae, and p of six tests."""
    if all_sites.empty:
        run.fact(no_pairs=len(p_values))
        say(run, "The test vertebrae are of one class: none of the {no_pairs} contrasts can be tested.")
        return
    told = [f"{d.method} − {d.reference} {d.metric} {with_ci(100 * d.value, 100 * d.ci_low, 100 * d.ci_high, '+.1f')}"
            for d in all_sites.itertuples()]  # fmt: skip
    alt = "Paired differences in points, intervals over patients: " + "; ".join(told)
    figure(run, "paired", figures.paired(all_sites, paired.printed_gaps()), alt=alt)
    for d in all_sites.itertuples():
        run.result(None, f"{d.metric} difference of vertebrae, {d.method} − {d.reference}", d.value, n=d.n,
                   cohort=PHANTOM, ci=(d.ci_low, d.ci_high))  # fmt: skip
    f1 = all_sites[all_sites["metric"] == "f1"].set_index(["method", "reference"])
    names = {"t_right": "t, right or wrong", "t_error": "t, probability", "mcnemar": "McNemar, exact",
             "delong": "DeLong", "delong_patients": "DeLong, patients",
             "exchanged": "exchanged by patient"}  # fmt: skip
    lines = []
    for row in p_values.itertuples():
        of = f1.loc[(row.method, row.reference)]
        gap = with_ci(*(100 * of[end] for end in ("value", "ci_low", "ci_high")), "+.1f")
        lines.append({"contrast": f"{row.method} − {row.reference}", "F1, points (95 % CI, patients)": gap}
                     | {head: _p(getattr(row, key)) for key, head in names.items()})  # fmt: skip
    table(run, "tests", pd.DataFrame(lines), "p of six tests of one difference; the last two count patients",
          index=False, folded="Six tests, six p-values")  # fmt: skip
    control = p_values[p_values["reference"].eq(ladder.SCRATCH) & p_values["method"].eq(ladder.AGAIN)].iloc[0]
    auroc = all_sites[all_sites["metric"].eq("auroc")].set_index("method")["value"]
    beyond = int((auroc.drop(ladder.AGAIN).abs() > abs(auroc[ladder.AGAIN])).sum())
    clear = (all_sites["ci_low"] > 0) | (all_sites["ci_high"] < 0)
    alone = (all_sites["alone_high"] - all_sites["alone_low"]).replace(0, np.nan)  # of equal networks
    ratio = float(((all_sites["ci_high"] - all_sites["ci_low"]) / alone).mean())
    starred = [f"{r.method} − {r.reference}" for r in p_values.itertuples() if r.t_error < 0.05]
    run.fact(
        n_contrasts=len(p_values), n_others=len(p_values) - 1, n_clear_f1=int(clear[all_sites["metric"] == "f1"].sum()),
        n_clear_auroc=int(clear[all_sites["metric"] == "auroc"].sum()), n_starred=len(starred),
        ratio=ratio, false_stars=100 * float(p_values["false_stars"].max()),
        false_three=100 * float(p_values["false_three"].max()),
        control=_control(control), beyond=beyond, luck=100 * float(auroc[ladder.AGAIN]),
        widened="wider" if ratio > 1 else "no wider",
    )  # fmt: skip
    say(
        run,
        "**{control} Its AUROC differs by {luck:+.1f} points for no reason but its random numbers; of the {n_others} "
        "other contrasts, {beyond} differ by more.** One training a row, as here and as far as the paper says, cannot "
        "tell a method from its luck.",
    )
    say(
        run,
        "A t-test of probabilities gives a star in {n_starred} of {n_contrasts} contrasts; with patients resampled, "
        "{n_clear_f1} differences in F1 and {n_clear_auroc} in AUROC keep clear of zero. Intervals over "
        "patients are {widened}: {ratio:.2f} times those over vertebrae on the mean. **If two networks are exchanged "
        "at random, patient by patient, a t-test over vertebrae gives a star in up to {false_stars:.0f} % of the draws "
        "(5 % were promised), and three stars in up to {false_three:.1f} % (0.1 %).**",
    )


def _p(value: float) -> str:
    return "–" if np.isnan(value) else "< 0.001" if value < 0.001 else f"{value:.3f}"


def _control(row: pd.Series) -> str:
    stars = "a star, too" if row["t_error"] < 0.05 else "no star"
    return f"The control, the same recipe with another seed, gets {stars} (p {_p(row['t_error'])})."


def show_power(run: Run, by_site: Mapping[str, pd.DataFrame], all_sites: pd.DataFrame) -> None:
    """Which differences in F1 such tests can show, here and at the paper's size."""
    found = paired.power(by_site, all_sites)

    def number(value: float, spec: str = ".1f") -> str:
        return f"{value:{spec}}".replace("-", "−") if np.isfinite(value) else "–"

    lines = [{"site": r.site, "patients here": r.people or "–", "± here, points": number(r.half),
              "patients in the paper": r.paper, "± at that number": number(r.at_paper),
              "printed gain of MoE, points": number(r.gap, "+.2f"),
              "patients for a power of 80 %": number(r.needed, ",.0f")} for r in found.itertuples()]  # fmt: skip
    caption = "Half width of the 95 % interval of a paired difference in F1, MoE against a single head"
    table(run, "power", pd.DataFrame(lines), caption, index=False)
    whole = paired.difference_of(all_sites, *paired.MIXTURE, "f1")
    if whole is None or not np.isfinite(found["at_paper"]).all():
        run.fact(n_power=int(np.isfinite(found["half"]).sum()))
        say(
            run,
            "Sites at which a paired difference has an interval in this run: {n_power}; of all together it has none.",
        )
        return
    half = 50 * (whole.ci_high - whole.ci_low)
    small = found[found["at_paper"] > found["gap"].abs()]["site"].tolist()
    gap = float(found["gap"].max())
    run.fact(half=half, half_people=int(whole.people), paper_small=", ".join(small) or "none", largest_gap=gap)
    too_small = half > gap
    say(
        run,
        ("**This run is too small for the paper's differences**: with" if too_small else "With")
        + " all {half_people} patients together the interval is ± {half:.1f} points, and the largest printed gain of "
        "MoE is {largest_gap:.2f}. If networks differ as ours do, as many patients as the paper has would leave its "
        "printed gain inside the half width at: {paper_small}.",
    )


def show_losses(run: Run, found: Found, all_sites: pd.DataFrame) -> None:
    """Table 4."""
    caption = "Table 4: F1 of vertebrae in per cent by loss, all from random weights"
    table(run, "T4", rows.losses(found), caption, index=False, group="kind", folded="Table 4")
    pair = all_sites.query("method == @ladder.SCRATCH_UNIFIED and metric == 'auroc'")
    if len(pair):
        d = pair.iloc[0]
        verdict = "helps" if d["ci_low"] > 0 else "harms" if d["ci_high"] < 0 else "cannot be told from none"
        run.fact(unified_gain=with_ci(100 * d["value"], 100 * d["ci_low"], 100 * d["ci_high"], "+.1f"), unified=verdict)
        say(run, "Unified against class alone on all test vertebrae: AUROC {unified_gain} points, which {unified}.")


def record_checks(run: Run, all_sites: pd.DataFrame) -> None:
    """The method checks of :data:`osteolib.report.ct_results_differences.CHECKS`."""
    for pair, answers in paired.CHECKS.items():
        d = paired.difference_of(all_sites, *pair, "auroc")
        if d is not None:
            run.result(f"{rows.PAPER}.{answers}", "method_check", float(d.ci_low > 0), n=d.n, cohort=PHANTOM)
