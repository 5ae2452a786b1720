"""Tables of the page on four splits: networks beside print, memory, shortcuts, other labels, the other stage."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from osteolib.cohorts import bone_loss
from osteolib.report.compared import Comparison
from osteolib.report.comparison import compare_statistics
from osteolib.report.recorded import training_size
from osteolib.report.show import interval_facts, with_ci
from osteolib.report.split_page import GRADES
from osteolib.runs.recorded import Record, Recording, find_cell, list_cells, read_record, state_of
from osteolib.screen.copies import FACTS, FREE, HELD, NEAREST, auroc_within, has_copy, models, out_of_fold_scores
from osteolib.stats import bootstrap_ci, bootstrap_statistic, sensitivity_constrained_threshold

WARM_UP = 5  # epochs before the T-score's loss counts (Section 2.4)
SCREENING = ["AUROC", "AUROC, T-score's class", "AUPRC", "sensitivity", "specificity"]
OTHER_HEADS = ["severity AUROC", "T-score r", "T-score MAE"]
PRINTED = {"AUROC": "test.auroc", "AUPRC": "test.auprc", "sensitivity": "test.sens", "specificity": "test.spec",
           "severity AUROC": "T5.auroc", "T-score r": "ts.r", "T-score MAE": "ts.mae"}  # fmt: skip


def networks_auroc(trained: Mapping[str, Recording | Record]) -> dict[str, tuple[float, float, float]]:
    """AUROC of bone loss on the test knees, with its interval, of the network of each split."""
    asked = "split == 'test' and target == 'bone_loss' and metric == 'auroc'"
    rows = {split: done.results.query(asked).iloc[0] for split, done in trained.items()}
    return {split: (row["value"], row["ci_low"], row["ci_high"]) for split, row in rows.items()}


def recorded_networks(splits: Iterable[str], seed: int) -> dict[str, tuple[float, float, float]]:
    """:func:`networks_auroc` of the cells ``stage1-<split>-<seed>``; empty unless every one is recorded."""
    names = {split: f"stage1-{split}-{seed}" for split in splits}
    declared = list_cells()
    found = {split: read_record(name) for split, name in names.items() if name in declared}
    return networks_auroc(found) if len(found) == len(names) and all(found.values()) else {}


def networks_in_words(
    auroc: Mapping[str, tuple[float, float, float]], epochs: int, longer: Mapping[str, tuple[float, float, float]]
) -> dict[str, object]:
    """AUROC by image and by film of the page's networks and of recorded ones, and what so short a training can say."""
    facts: dict[str, object] = {"epochs": epochs}
    for split, found in auroc.items():
        facts |= interval_facts(f"net_{split}", *found)
    for split, found in longer.items():
        facts |= interval_facts(f"long_{split}", *found)
    sentence = (
        "The small networks of this page score {net_image:.2f} ({net_image_low:.2f} to {net_image_high:.2f}) by image "
        "and {net_film:.2f} ({net_film_low:.2f} to {net_film_high:.2f}) by film, on different test knees. "
    )
    if facts["net_film_high"] > facts["net_image_low"]:
        sentence += "The two intervals meet: {epochs} epochs are too few to remember much, and one test set to tell."
    else:
        sentence += "The two intervals do not meet."
    if epochs <= WARM_UP:
        sentence += " Their T-score heads have not begun to learn: that loss joins after five epochs."
    if longer:
        sentence += (
            " The recorded ones, larger images and twice as long, score {long_image:.2f} ({long_image_low:.2f} to "
            "{long_image_high:.2f}) by image and {long_film:.2f} ({long_film_low:.2f} to {long_film_high:.2f}) by film."
        )
        apart = facts["long_film_high"] < facts["long_image_low"]
        sentence += " **The split alone moves them further than chance.**" if apart else " These intervals meet, too."
    return facts | {"networks_sentence": sentence}


def with_and_without(
    subjects: pd.DataFrame, scores: pd.DataFrame, models: Iterable[str], n_boot: int, seed: int
) -> pd.DataFrame:
    """Split by bytes: AUROC of the knees whose picture another fold holds, and of those whose film none holds."""
    seen = {name: has_copy(subjects, scores["fold"], grade) for name, grade in GRADES.items()}
    apart = {"the same picture in training": seen["the same picture"], "no copy of any kind": ~seen["the same film"]}
    y, groups = bone_loss(subjects["label"]), subjects["source_group"].to_numpy(str)
    rows = []
    for name, chosen in apart.items():
        row = {"test knees": name, "knees": int(chosen.sum()), "films": len(set(groups[chosen]))}
        if len(set(y[chosen])) == 2:
            for model in models:
                found = bootstrap_ci(y[chosen], scores[model].to_numpy()[chosen], "auroc", groups=groups[chosen],
                                     n_boot=n_boot, seed=seed)  # fmt: skip
                row[model] = with_ci(found.estimate["auroc"], *found.ci["auroc"])
        rows.append(row)
    return pd.DataFrame(rows).fillna("one class only")


def shortcut_strata(subjects: pd.DataFrame) -> pd.Series:
    """Knees that look alike from outside: one or both legs on the film, and the size class of the original."""
    longer = subjects[["original_width", "original_height"]].max(axis=1)
    size = pd.cut(longer, [0, 300, 1100, np.inf], labels=["small", "middle", "large"]).astype(str)
    return subjects["film_layout"].astype(str) + ", " + size


def beyond_shortcuts(subjects: pd.DataFrame, scores: pd.DataFrame, n_boot: int, seed: int) -> Comparison:
    """Split by film: AUROC of each model over all pairs, and over pairs of one layout and size class."""
    y, stratum = bone_loss(subjects["label"]).astype(float), pd.factorize(shortcut_strata(subjects))[0].astype(float)
    values = {model: (y, scores[model].to_numpy(), stratum) for model in (FREE, HELD, NEAREST, FACTS)}
    statistics = {
        "all pairs": lambda y, s, g: auroc_within(y, s, np.zeros(len(y))),
        "pairs of one layout and size": auroc_within,
    }
    groups = subjects["source_group"].to_numpy(str)
    return compare_statistics(statistics, values, groups=groups, n_boot=n_boot, seed=seed)


def under_both_labels(
    subjects: pd.DataFrame, looked_at: Mapping[str, NDArray], n_folds: int, n_boot: int, seed: int
) -> pd.DataFrame:
    """Knees whose film is one of ``knee-wani``: AUROC by folder and by T-score labels, split by image and by film."""
    linked = subjects["wani_label"].notna().to_numpy()
    knees, seen = subjects[linked], {model: x[linked] for model, x in looked_at.items()}
    rows = []
    for labels, column in {"folder": "label", "T-score": "wani_label"}.items():
        labelled = knees.assign(label=knees[column])
        y, groups = bone_loss(labelled["label"]), labelled["source_group"].to_numpy(str)
        for split in ("image", "film"):
            scores = out_of_fold_scores(labelled, seen, split, n_folds, seed)
            for model in looked_at:
                found = bootstrap_ci(y, scores[model], "auroc", groups=groups, n_boot=n_boot, seed=seed)
                about = (labels, split, int((y == 0).sum()), len(set(groups[y == 0])), model)
                rows.append((*about, found.estimate["auroc"], *found.ci["auroc"]))
    columns = ["labels by", "split", "normal", "normal_films", "model", "auroc", "low", "high"]
    return pd.DataFrame(rows, columns=columns)


def labels_in_words(found: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, object]]:
    """The rows of :func:`under_both_labels` as a table, and the sentence that they bear, with its facts."""
    shown = found.assign(auroc=[with_ci(*row) for row in found[["auroc", "low", "high"]].to_numpy()])
    shown = shown.pivot(index=["labels by", "split", "normal", "normal_films"], columns="model", values="auroc")
    shown = shown[list(dict.fromkeys(found["model"]))].reset_index().rename(columns={"normal_films": "of films"})
    one = found.set_index(["labels by", "split", "model"])
    facts: dict[str, object] = {"normal_films": int(one.loc[("T-score", "film", HELD), "normal_films"])}
    for labels in ("folder", "T-score"):
        for split in ("image", "film"):
            row = one.loc[(labels, split, HELD)]
            facts |= interval_facts(f"{labels[0].lower()}_{split}", row["auroc"], row["low"], row["high"])
    sentence = ("With the T-score's class in place of the folder's, the frozen features (100 components) score "
                "{t_image:.2f} ({t_image_low:.2f} to {t_image_high:.2f}) when split by image, and {t_film:.2f} "
                "({t_film_low:.2f} to {t_film_high:.2f}) when split by film; with the folder's, {f_image:.2f} and "
                "{f_film:.2f} ({f_film_low:.2f} to {f_film_high:.2f}). ")  # fmt: skip
    if facts["t_film_low"] <= 0.5 < facts["f_film_low"]:
        sentence += ("**So what is left by film belongs to the folders: against the T-score it cannot be told from "
                     "chance**, on the {normal_films} normal films that there are.")  # fmt: skip
    elif facts["t_film_low"] > 0.5:
        sentence += "What is left by film is there under both labels, on {normal_films} normal films."
    else:
        sentence += "Under neither label can what is left by film be told from chance."
    return shown, facts | {"labels_sentence": sentence}


def of_another_stage(subjects: pd.DataFrame, looked_at: Mapping[str, NDArray], seed: int) -> dict[str, NDArray]:
    """Scores of Stage 2's files (those with the bytes of ``knee-wani``) by models fitted on all other files."""
    test, y = subjects["wani_file"].to_numpy(bool), bone_loss(subjects["label"])
    fresh = models(seed, int((~test).sum()))
    fitted = {name: model.fit(looked_at[name][~test], y[~test]) for name, model in fresh.items()}
    return {name: model.predict_proba(looked_at[name][test])[:, 1] for name, model in fitted.items()}


def measured(predictions: pd.DataFrame, t_class: pd.Series, n_boot: int, seed: int) -> dict[str, str]:
    """One network's test knees in the paper's metrics, as text; the threshold comes from validation knees (Eq. 2).

    ``t_class`` is the class by T-score of the knees that have one, by ``unit_id``; against it the same scores are read
    once more.
    """
    row: dict[str, str] = {}
    test = predictions[predictions["split"] == "test"]
    for target, names in {"bone_loss": ("AUROC", "AUPRC"), "severity": ("severity AUROC",)}.items():
        part = test[test["target"] == target]
        how = {"groups": part["split_group"].to_numpy(str), "n_boot": n_boot, "seed": seed}
        found = bootstrap_ci(part["y_true"].astype(int), part["y_score"], ("auroc", "auprc"), **how)
        for name, metric in zip(names, ("auroc", "auprc"), strict=False):
            row[name] = with_ci(found.estimate[metric], *found.ci[metric])
        if target == "bone_loss":
            known = part[part["unit_id"].isin(t_class.index)]
            y = bone_loss(t_class.loc[known["unit_id"]])
            if len(set(y)) == 2:
                how_t = how | {"groups": known["split_group"].to_numpy(str)}
                by_t = bootstrap_ci(y, known["y_score"], "auroc", **how_t)
                row["AUROC, T-score's class"] = with_ci(by_t.estimate["auroc"], *by_t.ci["auroc"])
            valid = predictions.query("split == 'validation' and target == 'bone_loss'")
            chosen = sensitivity_constrained_threshold(valid["y_true"].astype(int), valid["y_score"])
            row["threshold"] = f"{chosen.threshold:.2f}" if chosen.feasible else "none feasible"
            if chosen.feasible:
                called = bootstrap_ci(part["y_true"].astype(int), part["y_score"], ("sensitivity", "specificity"),
                                      threshold=chosen.threshold, **how)  # fmt: skip
                row |= {name: with_ci(called.estimate[name], *called.ci[name]) for name in called.ci}
    part = test[test["target"] == "t_score"]
    if len(part) > 2:
        y, s, groups = (
            part["y_true"].to_numpy(float),
            part["y_score"].to_numpy(float),
            part["split_group"].to_numpy(str),
        )
        r = bootstrap_statistic(lambda a, b: np.corrcoef(a, b)[0, 1], y, s, groups=groups, n_boot=n_boot, seed=seed)
        mae = bootstrap_statistic(lambda a, b: np.abs(a - b).mean(), y, s, groups=groups, n_boot=n_boot, seed=seed)
        row |= {"T-score r": with_ci(r.estimate, *r.ci), "T-score MAE": with_ci(mae.estimate, *mae.ci)}
    return row


def network_table(
    live: Mapping[str, pd.DataFrame], live_size: str, cells: Iterable[str], paper: pd.DataFrame, t_class: pd.Series,
    n_boot: int, seed: int,
) -> tuple[pd.DataFrame, list[str]]:  # fmt: skip
    """Tables 4 (row B4) and 5 as printed, the networks trained on the page, and the recorded ones, a row each.

    Beside it the names of the cells that have no record yet.
    """
    rows = [
        {"network": "printed", "split": "not published"} | {k: paper.loc[i, "reported"] for k, i in PRINTED.items()}
    ]
    for split, predictions in live.items():
        rows.append(
            {"network": f"live, {live_size}", "split": f"by {split}"} | measured(predictions, t_class, n_boot, seed)
        )
    missing = []
    for name in cells:
        record = read_record(name)
        if record is None:
            missing.append(name)
            if (state := state_of(name)).startswith("failed"):
                rows.append({"network": f"{name}: {state}", "split": f"by {find_cell(name).options['split']}"})
            continue
        old = ", other code than today's" if record.stale else ""
        head = f"recorded, {name}: {training_size(record.run['configuration'])}{old}"
        split = f"by {find_cell(name).options['split']}"
        rows.append({"network": head, "split": split} | measured(record.predictions, t_class, n_boot, seed))
    return pd.DataFrame(rows).fillna(""), missing


def stage_table(
    subjects: pd.DataFrame, looked_at: Mapping[str, NDArray], n_boot: int, seed: int
) -> tuple[pd.DataFrame, dict[str, int]]:
    """AUROC on the files of Stage 2 of models fitted on all others, and how many of its films those others show."""
    test = subjects["wani_file"].to_numpy(bool)
    y, groups = bone_loss(subjects["label"])[test], subjects["source_group"].to_numpy(str)
    row = {"test knees": int(test.sum()), "normal": int((y == 0).sum())}
    for model, score in of_another_stage(subjects, looked_at, seed).items():
        found = bootstrap_ci(y, score, "auroc", groups=groups[test], n_boot=n_boot, seed=seed)
        row[model] = with_ci(found.estimate["auroc"], *found.ci["auroc"])
    films, others = set(groups[test]), set(groups[~test])
    about = {"stage2_films": len(films), "stage2_known": len(films & others), "films_left": len(others - films)}
    return pd.DataFrame([row]), about
