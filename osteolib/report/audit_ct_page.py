"""What the page on the numbers of the CT study shows and records, section by section."""

from __future__ import annotations

from collections.abc import Mapping

from osteolib.report import audit_ct as ct
from osteolib.report import audit_ct_figures as draw
from osteolib.report.audit_ct import AS_PPV_NPV, PATIENTS, SITES, VERTEBRAE, Found, Tables
from osteolib.report.show import figure, say, table
from osteolib.runs import Run
from osteolib.stats.audit import recovered

Fit = Mapping[str, Mapping[tuple[int, int], list[str]]]  # by site, patients and positives: the rows that these serve
Total = Mapping[str, tuple[int, int]]  # by site: patients and positives that serve most rows


def show_meanings(run: Run, tables: Tables, detail: Mapping[str, Mapping]) -> None:
    """Rows that each meaning of two columns explains; ``detail`` holds the numbers behind findings, by their id."""
    readings = detail["T-02"]["rows"]
    explained = ct.rows_explained(readings)
    positives = ct.positives_found(detail)[VERTEBRAE]
    total = explained.sum(axis=1)
    run.fact(
        explained=int(total["PPV and NPV"]),
        cells=sum(len(tables.rows[VERTEBRAE, site]) for site in SITES),
        exact=sum(readings[f"{site}, nearest"]["best"]["rows_explained"] for site in SITES),
        others=int(explained.drop("PPV and NPV").to_numpy().max()),
        **{f"p_{site}": p for site, p in positives.items()},
    )
    alt = (
        "Rows of 40 explained by each meaning of the two columns: "
        + ", ".join(f"{meaning} {k}" for meaning, k in total.items())
        + ". As printed each row needs its own number, as PPV and NPV one serves nearly all."
    )
    figure(run, "hypotheses", draw.meanings(tables, explained, positives), alt=alt)
    say(
        run,
        "Read as PPV and NPV, one number per site, {p_A} at A, {p_B} at B, {p_C} at C and {p_D} at D, serves "
        "**{explained} of {cells} rows** ({exact} if no digit was cut off instead of rounded). As printed, and in any "
        "other reading, no number serves more than {others} row of a site.",
    )


def show_sensitivity(run: Run, tables: Tables, found: Found) -> None:
    """Printed columns beside what the matrices give, and whose sensitivity is the highest."""
    run.fact(**ct.order_of_sensitivity(tables, found))
    fig = draw.dumbbells(tables, found, (run.facts["sen_d"], run.facts["true_d"]))
    alt = (
        "Printed SEN and recovered sensitivity, printed SPE and recovered specificity, of ten models at four sites. "
        "At D {leader} prints {sen_d:.2f} and finds {true_d:.1f} %."
    )
    figure(run, "sensitivity", fig, alt=alt.format(**run.facts))
    say(
        run,
        "At the external hospital the highest printed SEN, {sen_d:.2f} ({leader}), is a precision: that model finds "
        "**{true_d:.1f} %** of the osteoporotic vertebrae. The model with the highest SEN is not the most sensitive "
        "one at {turned} of 4 sites; the most sensitive is {most}. F1 is what it was.",
    )


def show_sizes(run: Run, tables: Tables, fit: Fit, total: Total, n_controls: int, seed: int) -> None:
    """Numbers of patients that serve the rows of three sites, beside what tables with moved digits reach by chance.

    Raises
    ------
    ValueError
        The rows that carry the count on from site to site are not the same at every site, so the text would not hold.
    """
    counting = rows_that_count_on(fit, total)
    rows = {site: {model: tables.rows[PATIENTS, site][model] for model in counting} for site in fit}
    controls = recovered.fits_by_chance(rows, AS_PPV_NPV, n_max=1300, n_controls=n_controls, seed=seed)
    run.fact(n_counting=len(counting), tables=len(controls), chance=max(controls), **ct.totals(tables, total))
    alt = (
        "Rows that each number of patients can serve, at A, B and D, the site's own number and the running total "
        f"marked; grey band: controls reach {max(controls)} of six."
    )
    figure(run, "sizes", draw.sizes_that_fit(tables, fit, total, max(controls)), alt=alt)
    say(
        run,
        "{n_counting} rows fit {total_A:,}, {total_B:,} and {total_D:,} patients. Added up in the order C, A, B, D, "
        "the sites have {sum_A:,}, {sum_B:,} and {sum_D:,}: the rows behave as **running totals**, {over_A}, {over_B} "
        "and {over_D} above. They do so without F1, too; in {tables} controls without F1 and with moved digits no "
        "number of patients serves more than {chance} of the six (grey band).",
    )


def rows_that_count_on(fit: Fit, total: Total) -> list[str]:
    """The models whose rows are running totals, the same at each site (``ValueError`` if not)."""
    first, *others = (list(fit[site][total[site]]) for site in fit)
    if any(set(models) != set(first) for models in others):
        raise ValueError(f"other rows carry the count on at other sites: {first} and {others}")
    return first


def show_taken_apart(run: Run, tables: Tables, found: Found, fit: Fit, total: Total) -> None:
    """F1 of patients of the sites alone, and which row is of which patients."""
    apart = ct.taken_apart(tables, total, rows_that_count_on(fit, total))
    caption = "F1 of patients: as printed, and of the site alone if the row is a running total"
    table(run, "apart", apart.round(2), caption, index=False)
    who = ct.patients_of_rows(tables, found, fit, total)
    caption = "Which patients a row of the patient table fits"
    table(run, "who", who, caption, folded="Which rows are of which patients")
    for site in "BD":
        end = site.lower()
        run.fact(**{
            f"moe_{end}": ct.printed_f1(tables, site, tables.models[-1]),
            f"next_{end}": apart[f"{site}, F1 printed"].max(),
            f"alone_{end}": apart[f"{site} alone"].max(),
        })  # fmt: skip
    say(
        run,
        "MoE, whose row is of single sites, prints {moe_b:.2f} at B and {moe_d:.2f} at D. The best of the six prints "
        "{next_b:.2f} and {next_d:.2f}; taken apart, the best has {alone_b:.1f} and {alone_d:.1f}.",
    )


def show_moe(run: Run, tables: Tables, found: Found) -> None:
    """What a mixture of experts has right beyond a single head, in vertebrae and patients."""
    gains = ct.gains_of_moe(tables, found)
    run.fact(**ct.moe_facts(gains, *(found[VERTEBRAE, "D", model][0] for model in tables.models[-2:])))
    told = [
        f"{g.unit} {g.site} {g.positives:+d} with and {g.negatives:+d} without osteoporosis, p at least {g.p:.2g}"
        for g in gains.itertuples()
    ]
    figure(run, "moe", draw.gains_of_moe(gains), alt="What MoE gains over a single head: " + "; ".join(told))
    say(
        run,
        "By the printed SEN, MoE loses sensitivity at {lost}. In the recovered matrices it finds more osteoporotic "
        "vertebrae at **{more} of 4** sites: {gain_A:+d} at A, {gain_B:+d} at B, {gain_C:+d} at C, {gain_D:+d} at D. "
        "No such test can reach 5 % at {out}. At D MoE calls {called_moe:.1f} % of the vertebrae positive, a single "
        "head {called_single:.1f} %.",
    )


def show_further_checks(run: Run, tables: Tables, found: Found) -> None:
    """Stars out of reach of a test, and patients' rows against those of vertebrae."""
    run.fact(**ct.further_checks(tables, found))
    say(
        run,
        "{mcnemar} of {stars} stars would be out of reach of McNemar's test, {paired_t} out of reach of a paired "
        "t-test; so the tests may have compared something else, perhaps probabilities. Of {pairs} rows of single "
        "sites, {broken} contradict the rule for patients.",
    )
