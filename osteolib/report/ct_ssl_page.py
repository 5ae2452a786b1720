"""What the page on texture-preserving pre-training shows, section by section: figures, tables, rows, sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from osteolib.phantoms.vertebra.truth import attainable
from osteolib.report import ct_ssl_figures as figures
from osteolib.report.comparison import Comparison, compare_scores, compare_statistics, together
from osteolib.report.ct_ssl_figures import NAMES
from osteolib.report.forest import forest
from osteolib.report.show import figure, say, table, with_ci
from osteolib.runs import Run
from osteolib.screen.ct_knows import MEASURED
from osteolib.screen.ct_pool import MEMBERS
from osteolib.screen.ct_study import CTStudy

PHANTOM = "vertebra-phantom"
POOL, CROPS = NAMES["tp-swav"], NAMES["swav"]
STATISTICS = {"density": "r with density", "size": "r with size", "scanner": "scanner named", "level": "r with level"}


def show_pool(run: Run, study: CTStudy, pool: NDArray, crops: NDArray, which: int) -> None:
    """The pool of one vertebra (``pool[which]``) beside two crops of it (2, 3, size, size)."""
    rows, test = study.without, study.parts["test"]
    run.fact(n_without=len(rows), n_people=rows["subject_id"].nunique(), n_test=int(test.sum()),
             n_train=int(study.parts["train"].sum()),
             n_test_people=study.rows["subject_id"][test].nunique())  # fmt: skip
    fig = figures.pool_figure(pool[which], MEMBERS, crops)
    alt = f"A simulated {rows['level'].iloc[which]} from above and the side: itself, four maps of it, two crops."
    figure(run, "pool", fig, alt=alt)
    say(run, "{n_without} vertebrae without DXA, of {n_people} patients who train, may be learned from without labels. "
        "Afterwards {n_train} labelled ones fit a straight line, and {n_test} of {n_test_people} other "
        "patients are asked.")  # fmt: skip


def show_equation(run: Run, by_hand: float, by_function: float) -> None:
    """Equation 1 summed by hand, and the function's mean over vertebrae and views."""
    run.fact(by_hand=by_hand, by_function=by_function, times=by_hand / by_function)
    say(run, "Equation 1, summed over both vertebrae: {by_hand:.4f}. The function, a mean over vertebrae and views: "
        "{by_function:.4f}, times {times:.0f} the same.")  # fmt: skip


def show_codes(run: Run, scores: NDArray, softmax: NDArray, codes: NDArray) -> None:
    """Codes of vertebrae that all lie nearest to one prototype, (n, K) each, and what each prototype gets."""
    names = [f"prototype {k}" for k in range(1, codes.shape[1] + 1)]
    rows = {"scores": scores, "softmax": softmax, "Sinkhorn": codes}
    blocks = [pd.DataFrame(values, columns=names).astype(float).assign(what=what, vertebra=np.arange(len(values)) + 1)
              for what, values in rows.items()]  # fmt: skip
    shown = pd.concat(blocks)[["what", "vertebra", *names]].round(2)
    gets = codes.sum(0)
    run.fact(least=gets.min(), most=gets.max(), share=len(codes) / codes.shape[1], soft=softmax.sum(0).max())
    table(run, "codes", shown, "Six vertebrae that prefer the first prototype", index=False, folded="The codes")
    say(run, "By their own softmax the first prototype would get {soft:.2f} of six vertebrae. Sinkhorn's codes give "
        "each between {least:.2f} and {most:.2f}; equal shares are {share:.2f}.")  # fmt: skip


def show_history(run: Run, history: Mapping[str, pd.DataFrame]) -> None:
    """Loss against that of a collapse, and the directions in use."""
    last = {method: h.iloc[-1] for method, h in history.items()}
    words = []
    for method, row in last.items():
        column = "loss" if method == "mae" else "swapped"
        words.append(f"{NAMES[method]} {row[column]:.2f} of {row['collapsed_loss']:.2f}")
        key = method.replace("-", "_")
        run.fact(
            **{f"{key}_loss": row[column], f"{key}_floor": row["collapsed_loss"], f"{key}_rank": row["effective_rank"]}
        )
        for name in (column, "effective_rank"):
            run.result(None, f"last {name}, {NAMES[method]}", row[name], n=run.facts["n_without"], cohort=PHANTOM)
    stuck = [NAMES[m] for m in last if m != "mae" and last[m]["swapped"] > 0.99 * last[m]["collapsed_loss"]]
    run.fact(n_epochs=len(next(iter(history.values()))), stuck=" and ".join(stuck) or "neither",
             easier="members of a pool" if run.facts["tp_swav_loss"] < run.facts["swav_loss"] else "crops",
             painter="below" if last["mae"]["loss"] < last["mae"]["collapsed_loss"] else "still above")  # fmt: skip
    alt = f"Last epoch, loss of that of a collapse: {'; '.join(words)}."
    figure(run, "history", figures.history_figure(history), alt=alt)
    say(run, "Within 1 % of ln K = {swav_floor:.2f} after {n_epochs} epochs: **{stuck}**. The swapped prediction ends "
        "at {swav_loss:.2f} with crops and {tp_swav_loss:.2f} with the pool: {easier} are easier to match. The "
        "painter's error, {mae_loss:.2f}, is {painter} that of the mean picture, {mae_floor:.2f}.")  # fmt: skip


def compare_readers(told: pd.DataFrame, n_boot: int, seed: int) -> Comparison:
    """All readers on the same test patients, by question, with the differences that the page speaks of.

    ``told`` is from :func:`osteolib.screen.ct_knows.what_vertebrae_tell`.
    """
    of = {
        q: {NAMES.get(r, r): d for r, d in part.groupby("reader", sort=False)} for q, part in told.groupby("question")
    }
    readers = list(of["osteoporosis"])
    first = of["osteoporosis"][readers[0]]
    pairs = [(POOL, CROPS), (POOL, NAMES["random resnet18-half"]), (CROPS, NAMES["random resnet18-half"]),
             (NAMES["mae"], NAMES["random vit-tiny"])]  # fmt: skip
    how = {"groups": first["subject_id"].to_numpy(), "n_boot": n_boot, "seed": seed, "reference": pairs}
    best = attainable("tpswav2025", seed=seed).auroc
    parts = [
        compare_scores(first["truth"], {r: of["osteoporosis"][r]["answer"] for r in readers}, attainable=best, **how)
    ]
    for question, name in STATISTICS.items():
        statistic = {name: _hits if question == "scanner" else pearson}
        values = {r: (d["truth"].to_numpy(), d["answer"].to_numpy()) for r, d in of[question].items()}
        parts.append(compare_statistics(statistic, values, **how))
    return together(*parts)


def pearson(truth: NDArray, answer: NDArray) -> float:
    """r, and 0 of an answer that is the same for all; a quarter of the time of ``np.corrcoef``, and asked often."""
    if np.ptp(answer) == 0:
        return 0.0
    x, y = truth - truth.mean(), answer - answer.mean()
    return float(x @ y / np.sqrt((x @ x) * (y @ y)))


def _hits(truth: NDArray, answer: NDArray) -> float:
    return float(np.mean(truth == answer))


def show_readers(run: Run, compared: Comparison, commonest: float) -> None:
    """What frozen features know: forest of the AUROC, table of all questions, and what it says.

    ``commonest`` is the share of the commonest scanner among those tested.
    """
    fig = forest(compared, styles=figures.READERS)
    figure(run, "auroc", fig, alt=f"AUROC of osteoporosis, chance and attainable as lines: {compared.words()}.")
    compared.record(run, PHANTOM, "{metric}, {method}", "{metric}, {method} minus {reference}")
    shown = {"pool": POOL, "crops": CROPS, "mae": NAMES["mae"], "random": NAMES["random resnet18-half"]}
    for fact, name in (shown | {"vit": NAMES["random vit-tiny"], "hu": MEASURED}).items():
        for question, metric in {"auroc": "auroc", **STATISTICS}.items():
            run.fact(**{f"{fact}_{question}": with_ci(*compared.estimate(name, metric))})
    d = {metric: compared.difference(POOL, CROPS, metric) for metric in compared.metrics}
    run.fact(change=with_ci(*d["auroc"], "+.2f"), change_density=with_ci(*d["r with density"], "+.2f"),
             attainable=compared.rows["attainable"].max(), verdict=_verdict(*d["auroc"]), commonest=commonest,
             density_verdict=_verdict(*d["r with density"]))  # fmt: skip
    say(
        run,
        "Attainable is {attainable:.2f}. Osteoporosis: crops {crops_auroc}, pool **{pool_auroc}**, random encoder "
        "{random_auroc}, mean HU without any network {hu_auroc}. Pool minus crops: {change}, **{verdict}**. Density: "
        "crops r = {crops_density}, pool {pool_density}, difference {change_density}, {density_verdict}.",
    )
    d_size = d["r with size"]
    run.fact(change_size=with_ci(*d_size, "+.2f"), size_verdict=_verdict(*d_size))
    say(run, "The size of the bone, which enlarging changes: crops r = {crops_size}, pool {pool_size}, difference "
        "{change_size}, {size_verdict}.")  # fmt: skip


def show_all_questions(run: Run, compared: Comparison) -> None:
    """All answers and the paired differences, folded."""
    caption = "Simulated test patients: what a straight line reads off frozen features; intervals by patient"
    plain = replace(compared, rows=compared.rows.assign(attainable=np.nan))
    table(run, "readers", plain.table(head="reader"), caption, index=False)
    caption = "Paired differences, not corrected for their number"
    table(run, "changes", compared.difference_table(spec="+.2f"), caption, index=False, folded="Differences")
    say(run, "The scanner, which should not matter, is named rightly in {random_scanner} of vertebrae by the line on a "
        "random encoder, {crops_scanner} by that on crops and {pool_scanner} on the pool; always saying the commonest "
        "gives {commonest:.2f}.")  # fmt: skip


def _verdict(value: float, low: float, high: float) -> str:
    if low > 0:
        return "the pool knows more"
    return "crops know more" if high < 0 else "open: the interval holds zero"
