"""From vertebrae to patients: what the page on the results of the CT study shows of the rule "any vertebra"."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from osteolib.report import ct_results_figures as figures
from osteolib.report import ct_results_rows as rows
from osteolib.report.audit_ct import PATIENTS, VERTEBRAE
from osteolib.report.compared import interval_text
from osteolib.report.comparison import compare_scores
from osteolib.report.ct_results_page import EXACT, PHANTOM
from osteolib.report.show import figure, say, table, with_ci
from osteolib.runs import Run
from osteolib.screen import ct_ladder as ladder
from osteolib.screen.ct_patients import CUT, T_CUT, drawn, patients, rates, with_t_score
from osteolib.stats.any_positive import positives_of, rates_of_any
from osteolib.stats.likeness import Likeness, likeness_of_errors, likeness_of_truth

AT_LEAST, ON_CT, LEVELS = 3, 6, 18
"""Vertebrae of a patient: labelled at least, on the CT at least, levels that the network can name."""
CHECK = "T3.A.ResNet34+MoE|TP-SwAV|Lunified.f1"


class Vertebrae(NamedTuple):
    """What the closed form needs of one unit, measured on patients with ``AT_LEAST`` or more labelled vertebrae."""

    people: int
    prevalence: float
    sensitivity: float
    specificity: float
    truth: Likeness
    errors: Likeness

    @property
    def complete(self) -> bool:
        """Are there both classes, and pairs of vertebrae to compare?"""
        return bool(np.isfinite([self.sensitivity, self.specificity, self.truth.value, self.errors.value]).all())


def vertebrae_of(scored: pd.DataFrame, n_boot: int, seed: int) -> Vertebrae:
    """Measured on one row's test vertebrae; NaN where a class or a pair is missing."""
    many = scored[scored.groupby("subject_id")["y"].transform("size") >= AT_LEAST]
    y, called = many["y"].to_numpy(), (many["score"] >= CUT).to_numpy()
    nothing = Likeness(np.nan, np.nan, np.nan)
    if not len(many):
        return Vertebrae(0, np.nan, np.nan, np.nan, nothing, nothing)
    given = many["subject_id"].to_numpy(), y
    sensitivity = float(called[y == 1].mean()) if y.any() else np.nan
    specificity = float(1 - called[y == 0].mean()) if not y.all() else np.nan
    return Vertebrae(
        many["subject_id"].nunique(), float(y.mean()), sensitivity, specificity,
        likeness_of_truth(*given, n_boot, seed), likeness_of_errors(*given, called, n_boot, seed),
    )  # fmt: skip


def closed_form(unit: Vertebrae, errors_alike: float, sizes: Sequence[int]) -> pd.DataFrame:
    """Rates of patients with n vertebrae each, a row for each n of ``sizes``."""
    found = [
        rates_of_any(
            unit.sensitivity, unit.specificity, positives_of(n, unit.prevalence, unit.truth.value), errors_alike
        )
        for n in sizes
    ]
    return pd.DataFrame(found).assign(n=list(sizes))


def show_any(run: Run, scored: pd.DataFrame, every: pd.DataFrame, n_boot: int, seed: int) -> None:
    """The rule as vertebrae are added: what patients show, and the closed form.

    ``scored`` is the full model's row, ``every`` what it says of all vertebrae on the same patients' CT.
    """
    unit, told = vertebrae_of(scored, n_boot, seed), with_t_score(scored)
    run.fact(any_people=unit.people, at_least=AT_LEAST)
    if not unit.complete:
        say(
            run,
            "Of the {any_people} test patients with {at_least} labelled vertebrae or more none are ill, or none are "
            "not: the rule cannot be followed here.",
        )
        return
    seen = pd.concat(
        [rates(drawn(told, n, max(n, AT_LEAST)), n_boot, seed).assign(n=n) for n in range(1, AT_LEAST + 2)]
        + [
            rates(drawn(every, n, ON_CT), n_boot, seed).query("rule == 'any'").assign(n=n, rule=figures.EVERY)
            for n in (1, 2, 4, ON_CT)
        ]
    )
    sizes = range(1, LEVELS + 1)
    closed = {
        "errors alike": closed_form(unit, unit.errors.value, sizes),
        "errors apart": closed_form(unit, 0.0, sizes),
    }
    words = f"errors alike by {unit.errors.value:.2f}"
    printed = printed_c()
    last, apart = closed["errors alike"].iloc[-1], closed["errors apart"].iloc[-1]
    any_seen = seen[seen["rule"] == "any"].set_index(["metric", "n"])["value"]
    alt = (
        f"Patients by the rule any vertebra as 1 to {LEVELS} vertebrae are looked at. With one, {AT_LEAST} and "
        f"{LEVELS} (closed form): prevalence {any_seen['prevalence', 1]:.0%}, {any_seen['prevalence', AT_LEAST]:.0%}, "
        f"{last['prevalence']:.0%}; sensitivity {any_seen['sensitivity', 1]:.0%}, "
        f"{any_seen['sensitivity', AT_LEAST]:.0%}, {last['sensitivity']:.0%}; specificity "
        f"{any_seen['specificity', 1]:.0%}, {any_seen['specificity', AT_LEAST]:.0%}, {last['specificity']:.0%}."
    )
    figure(run, "rule_any", figures.rule_any(seen, closed, printed, words), alt=alt)
    for row in seen.itertuples():
        run.result(None, f"{row.metric} of patients, {row.n} vertebrae, {row.rule}", row.value, n=row.people,
                   cohort=PHANTOM, ci=None if np.isnan(row.ci_low) else (row.ci_low, row.ci_high))  # fmt: skip
    _say_any(run, unit, seen, last, apart)
    at = seen[(seen["rule"] == "any") & (seen["n"] == AT_LEAST)].set_index("metric")
    form = closed["errors alike"].set_index("n").loc[AT_LEAST]
    both = ["sensitivity", "specificity"]
    decides = at.loc[both, "value"].notna() & ~at.loc[both, "exact"].astype(bool)  # one point decides nothing
    if decides.all():
        within = (at.loc[both, "ci_low"] <= form[both]) & (form[both] <= at.loc[both, "ci_high"])
        run.result(f"{rows.PAPER}.{CHECK}", "method_check", float(within.all()), n=unit.people, cohort=PHANTOM)


def _say_any(run: Run, unit: Vertebrae, seen: pd.DataFrame, last: pd.Series, apart: pd.Series) -> None:
    at = seen.set_index(["rule", "metric", "n"])

    def percent(metric: str, n: int, rule: str = "any") -> str:
        value, low, high, _, exact = at.loc[(rule, metric, n), :]
        return interval_text(100 * value, 100 * low, 100 * high, ".0f", exact)

    drop = at.loc[("any", "specificity", AT_LEAST), "value"] < at.loc[("any", "specificity", 1), "value"]
    run.fact(
        errors=with_ci(*unit.errors), alike=with_ci(*unit.truth), sens_1=percent("sensitivity", 1),
        sens_n=percent("sensitivity", AT_LEAST), spec_1=percent("specificity", 1),
        spec_n=percent("specificity", AT_LEAST),
        prev_1=percent("prevalence", 1), prev_n=percent("prevalence", AT_LEAST), spec_last=100 * last["specificity"],
        spec_apart=100 * apart["specificity"], prev_last=100 * last["prevalence"], falls="falls" if drop else "goes",
        together_1=percent("prevalence", 1, "together"), together_n=percent("prevalence", AT_LEAST, "together"),
        levels=LEVELS,
    )  # fmt: skip
    say(
        run,
        "The {any_people} patients with {at_least} labelled vertebrae or more, looked at by one vertebra and by "
        "{at_least}: “osteoporosis” in {prev_1} and in {prev_n} %; sensitivity {sens_1} and {sens_n} %; **specificity "
        "{falls} from {spec_1} to {spec_n} %**. Truth is alike by {alike} within a patient, readings beyond the truth "
        "by {errors}. With {levels} levels the closed form says {prev_last:.0f} % ill and a specificity of "
        "{spec_last:.0f} %; if errors were apart, {spec_apart:.0f} %. By T-scores together, {together_1} % are ill "
        "by one vertebra and {together_n} % by {at_least}.",
    )
    six = seen[seen["rule"] == figures.EVERY].set_index(["metric", "n"])
    run.fact(on_ct=ON_CT, ct_people=int(six["people"].iloc[0]))
    if six["people"].iloc[0]:
        one, many = (six.loc[("specificity", n), "value"] for n in (1, ON_CT))
        ill, more = (six.loc[("prevalence", n), "value"] for n in (1, ON_CT))
        run.fact(ct_spec_1=100 * one, ct_spec_n=100 * many, ct_ill_1=100 * ill, ct_ill_n=100 * more)
        say(
            run,
            "On {ct_people} patients whose CT shows {on_ct} vertebrae or more, at levels without any label too and "
            "judged by their true density, “osteoporosis” goes from {ct_ill_1:.0f} to {ct_ill_n:.0f} % and specificity "
            "from {ct_spec_1:.0f} to {ct_spec_n:.0f} % (squares).",
        )


def printed_c() -> dict[str, tuple[float, float]]:
    """Site C, as the audit reads the print: vertebrae a patient, and the share with osteoporosis, of either."""
    tables, found = rows.printed_tables()
    model = tables.models[-1]
    size = {level: tables.size[level]["C"] for level in (VERTEBRAE, PATIENTS)}
    ill = {level: found[level, "C", model][0].positives / size[level] for level in size}
    return {"vertebra": (1.0, ill[VERTEBRAE]), "patient": (size[VERTEBRAE] / size[PATIENTS], ill[PATIENTS])}


def show_rules(run: Run, scored: pd.DataFrame, n_boot: int, seed: int) -> None:
    """All test patients by two truths and three ways to call them; ``scored`` is the full model's row."""
    people = patients(with_t_score(scored))
    truths = {
        "any vertebra at −2.5 or below": people["y"],
        "T-scores together": (people["t_score"] <= T_CUT).astype(int),
    }
    graded = {"any vertebra called": people["score"], "mean probability": people["mean"]}
    together = "predicted T-scores together"
    lines = []
    for truth, y in truths.items():
        if y.nunique() < 2:
            lines.append({"truth": truth, "patient called by": f"all {len(y)} patients are of one class"})
            continue
        how = {"groups": people["subject_id"], "n_boot": n_boot, "seed": seed}
        calls = {name: (score >= CUT).astype(float) for name, score in graded.items()}
        calls |= {together: (people["t_predicted"] <= T_CUT).astype(float)}
        cut = compare_scores(y, calls, ["sensitivity", "specificity"], threshold=CUT, **how)
        area = compare_scores(y, graded | {together: -people["t_predicted"]}, "auroc", **how)
        for name, called in calls.items():
            lines.append({
                "truth": truth, "patient called by": name, "ill, %": f"{100 * y.mean():.0f}",
                "called, %": f"{100 * called.mean():.0f}",
                **{f"{m}, %": cut.text(name, m, ".0f", 100) for m in cut.metrics}, "AUROC": area.text(name),
            })  # fmt: skip
    shown = pd.DataFrame(lines).fillna("–")
    caption = f"{len(people)} test patients of all sites under two truths; {ladder.FULL}"
    if any("exact" in cell for line in lines for cell in line.values()):
        caption += f"; {EXACT}"
    table(run, "rules", shown, caption, index=False, group="truth", folded="Three ways to call a patient, two truths")
    apart = float((truths["any vertebra at −2.5 or below"] != truths["T-scores together"]).mean())
    bmd = scored[["bmd_g_cm2", "bmd_predicted"]].dropna()
    off = (bmd["bmd_predicted"] - bmd["bmd_g_cm2"]).abs().mean()
    r = bmd.corr().iloc[0, 1] if len(bmd) > 2 else float("nan")
    run.fact(apart=100 * apart, bmd_r="–" if np.isnan(r) else f"{r:.2f}".replace("-", "−"), bmd_mae=float(off))
    say(
        run,
        "The two truths disagree on {apart:.0f} % of the patients. BMD behind the last way: r = {bmd_r}, mean error "
        "{bmd_mae:.3f} g/cm².",
    )
