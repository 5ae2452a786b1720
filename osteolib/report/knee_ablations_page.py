"""What the page on the knee network's parts and backbones shows: Table 4 in our numbers, differences, backbones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from osteolib.report.ablation import (
    Scored,
    Step,
    compare_steps,
    differences_figure,
    on_same_units,
    shown_summary,
    summary,
)
from osteolib.report.published import load_published
from osteolib.report.show import figure, say, table, with_ci
from osteolib.runs import Run
from osteolib.runs.recorded import Record, find_cell, read_record, state_of
from osteolib.screen.knee_parts import RELEASED, STAGES, WORDS
from osteolib.screen.knee_parts_cells import FROZEN, OWN
from osteolib.stats import bootstrap_ci, bootstrap_statistic, sensitivity_constrained_threshold

PAPER, REAL = "strnet2026_knee", "strnet-stage1"
FULL = "B4"
LEAST = "least of {} knees"
METRICS = {"AUPRC": "auprc", "AUROC": "auroc", "sensitivity": "sens", "severity AUROC": "sev_auroc",
           "T-score RMSE": "rmse"}  # fmt: skip
"""Columns of Table 4, by the end of their ids."""
WITHOUT = {"B3": "without TARR", "B2": "and without the T-score branch", "B1": "and without the severity head",
           "B0": "and without the neck"}  # fmt: skip


def paper_values() -> pd.DataFrame:
    """Table 4 as printed: a row a stage, a column a metric, NaN where the stage has none."""
    known = load_published(PAPER).set_index("published_id")["value"]
    ids = {(s, m): f"{PAPER}.T4.{s}.{end}" for s in STAGES for m, end in METRICS.items()}
    found = {key: float(known[i]) if i in known else np.nan for key, i in ids.items()}
    return pd.Series(found).unstack()[list(METRICS)]


def n_tested() -> int:
    """Knees of the paper's held-out test."""
    return int(load_published(PAPER).set_index("published_id")["value"][f"{PAPER}.T4.n"])


def steps() -> dict[str, Step]:
    """Table 4 read from the whole network downwards, with the changes that it prints; and the loss of the code."""
    printed = paper_values()["AUROC"]
    found, base = {}, ""
    for stage, words in WITHOUT.items():
        found[stage] = Step("4", words, base, (float(printed[stage] - printed[FULL]),))
        base = stage
    return found | {RELEASED: Step("–", "with the fourth term of the released loss")}


def scored(predictions: pd.DataFrame, methods: Iterable[str], full: str) -> Scored:
    """Bone loss of the test knees by method; films are the groups."""
    test = predictions.query("split == 'test' and target == 'bone_loss'")
    test = test.rename(columns={"split_group": "group"})[["method", "unit_id", "group", "y_true", "y_score"]]
    by_method = dict(list(test.groupby("method")))
    return on_same_units({name: by_method[name] for name in (full, *methods) if name in by_method}, full)


def measured(predictions: pd.DataFrame, n_boot: int, seed: int) -> dict[str, str]:
    """One network's test knees in Table 4's metrics, as text; its threshold is chosen on validation knees (Eq. 2)."""
    by = {key: part for key, part in predictions.groupby(["split", "target"])}
    row: dict[str, str] = {}
    asked = {"bone_loss": {"AUPRC": "auprc", "AUROC": "auroc"}, "severity": {"severity AUROC": "auroc"}}
    for target, names in asked.items():
        part = by.get(("test", target))
        if part is None or part["y_true"].nunique() < 2:
            continue
        how = {"groups": part["split_group"].to_numpy(str), "n_boot": n_boot, "seed": seed}
        y, score = part["y_true"].astype(int), part["y_score"]
        found = bootstrap_ci(y, score, tuple(names.values()), **how)
        row |= {name: with_ci(found.estimate[metric], *found.ci[metric]) for name, metric in names.items()}
        if target == "bone_loss":
            valid = by["validation", target]
            chosen = sensitivity_constrained_threshold(valid["y_true"].astype(int), valid["y_score"])
            row["sensitivity"] = row["specificity"] = "none feasible"
            if chosen.feasible:
                called = bootstrap_ci(y, score, ("sensitivity", "specificity"), threshold=chosen.threshold, **how)
                row |= {name: with_ci(called.estimate[name], *called.ci[name]) for name in called.ci}
    part = by.get(("test", "t_score"))
    if part is not None and len(part) > 2:
        rmse = bootstrap_statistic(lambda a, b: float(np.sqrt(((a - b) ** 2).mean())), part["y_true"].to_numpy(float),
                                   part["y_score"].to_numpy(float), groups=part["split_group"].to_numpy(str),
                                   n_boot=n_boot, seed=seed)  # fmt: skip
        row["T-score RMSE"] = with_ci(rmse.estimate, *rmse.ci)
    return row


def show_cells(run: Run, cells: Iterable[str]) -> dict[str, Record]:
    """The records of the cells; which are missing, and which backbones failed in one, is said."""
    found = {name: record for name in cells if (record := read_record(name)) is not None}
    missing = [name for name in cells if name not in found]
    if missing:
        run.fact(missing="; ".join(f"{name}, {state_of(name)}" for name in missing),
                 missing_hours=sum(find_cell(name).hours for name in missing))  # fmt: skip
        say(run, "Longer runs that are declared and not there: {missing}; about {missing_hours:.1f} hours on one core.")
    failed = {f"{net} in {name}": error for name, record in found.items()
              for net, error in record.run["configuration"].get("failed", {}).items()}  # fmt: skip
    if failed:
        run.fact(failed="; ".join(f"{where}: {error.splitlines()[0]}" for where, error in failed.items()))
        say(run, "Failed: {failed}. The others stand.")
    return found


def show_table_4(run: Run, runs: Mapping[str, pd.DataFrame], n_boot: int, seed: int) -> None:
    """Table 4 printed, and each run's predictions in its metrics; ``runs``: predictions by words on the run."""
    printed = paper_values()
    rows = [{"run": "printed, the paper's films and split", "stage": f"{s} {WORDS[s]}"}
            | {m: f"{v:.3f}" if v == v else "–" for m, v in printed.loc[s].items()} for s in STAGES]  # fmt: skip
    for words, predictions in runs.items():
        for stage in (*STAGES, RELEASED):
            own = predictions[predictions["method"] == stage]
            if len(own):
                rows.append({"run": words, "stage": f"{stage} {WORDS.get(stage, '')}".strip()}
                            | measured(own, n_boot, seed))  # fmt: skip
    table(run, "table_4", pd.DataFrame(rows).fillna("–"), "Real knees of Stage 1: Table 4 in our numbers (95 % CI; "
          "films drawn), on other splits, sizes and starts than the paper's", index=False, group="run",
          folded="Table 4 in numbers")  # fmt: skip


def show_differences(run: Run, name: str, words: str, predictions: pd.DataFrame, n_boot: int, seed: int) -> None:
    """The forest of one run's stages against the whole network, its table, and what it says of the printed gains."""
    declared, n = steps(), n_tested()
    least = LEAST.format(n)
    own = scored(predictions, declared, FULL)
    present = {step: about for step, about in declared.items() if step in own.scores}
    compared = compare_steps(own, present, FULL, n_boot, seed)
    found = summary(own, compared, present, FULL, {least: n})
    listed = "; ".join(f"{row.method} {row.difference}" for row in found.itertuples())
    labels = {stage: f"{stage}: {without}" for stage, without in WITHOUT.items()}
    drawn = differences_figure(compared, found, FULL, least, labels=labels)
    figure(run, name, drawn, alt=f"Change of the AUROC against B4, {words}, "
           f"with the printed changes as squares: {listed}.")  # fmt: skip
    table(run, f"{name}_steps", shown_summary(found, [least], "printed"), f"Real knees, {words}: AUROC of "
          f"{len(own.y)} test knees of {len(set(own.groups))} films, the paired change against B4, and the change that "
          f"{n} knees would show four times in five", index=False, folded="Each step in numbers")  # fmt: skip
    compared.record(run, REAL, f"{{metric}}, {{method}}, {words}", f"{{metric}}, {{method}} − {{reference}}, {words}")
    printed = [abs(p) for step in present.values() for p in step.printed]
    clear = found[found["verdict"] != "cannot tell"]
    told = "; ".join(f"*{r.method}*, {r.verdict}: {r.difference}" for r in clear.itertuples()) or "none"
    run.fact(**{f"{name}_full": with_ci(*compared.estimate(FULL)), f"{name}_least": found[least].min(),
                f"{name}_most": found[least].max(), f"{name}_n": n, f"{name}_largest": max(printed),
                f"{name}_clear": told})  # fmt: skip
    say(run, f"The whole network has an AUROC of {{{name}_full}} {words}. Of its steps, corrected by Holm, these can "
        f"be told from no change: **{{{name}_clear}}**. Four times in five, {{{name}_n}} knees would show a change of "
        f"{{{name}_least:.2f}} to {{{name}_most:.2f}}; the largest that Table 4 prints is "
        f"{{{name}_largest:.3f}}, from B0 to B4.")  # fmt: skip


def show_backbones(run: Run, runs: Mapping[str, pd.DataFrame], n_boot: int, seed: int) -> None:
    """Figures 6 and 7 in our numbers: each backbone trained and frozen; ``runs``: predictions by words on the run."""
    if not runs:
        say(run, "No training of another backbone is recorded yet. What the paper prints of them stands in the audit.")
        return
    rows, told = [], []
    for words, predictions in runs.items():
        names = [n for n in predictions["method"].unique() if n != OWN and not n.endswith(FROZEN.format(""))]
        own = scored(predictions, names, OWN)
        compared = compare_steps(own, {n: Step("–", "") for n in names}, OWN, n_boot, seed)
        for name in (OWN, *names):
            frozen = predictions[predictions["method"] == FROZEN.format(name)]
            apart = with_ci(*compared.difference(name, OWN), "+.2f") if name != OWN else "–"
            numbers = measured(predictions[predictions["method"] == name], n_boot, seed)
            rows.append({"run": words, "backbone": name, "start": "ImageNet" if name == OWN else "random"}
                        | {k: numbers.get(k, "–") for k in ("AUROC", "sensitivity", "specificity", "T-score RMSE")}
                        | {"less the first": apart, "AUROC, frozen": measured(frozen, n_boot, seed)["AUROC"]
                           if len(frozen) else "–"})  # fmt: skip
        best = max(names, key=lambda n: compared.estimate(n)[0])
        behind = [n for n in names if compared.difference(n, OWN)[2] < 0]
        told.append(f"{words}: {best} leads the random starts with {with_ci(*compared.estimate(best))}; {len(behind)} "
                    f"of {len(names)} lie beyond chance behind the start from photographs")  # fmt: skip
    table(run, "backbones", pd.DataFrame(rows), "Real knees of Stage 1: ten backbones from random weights beside the "
          "one whose ImageNet weights install (95 % CI; films drawn); thresholds from validation knees", index=False,
          group="run")  # fmt: skip
    run.fact(backbones="; ".join(told))
    say(run, "AUROC, {backbones}.")
