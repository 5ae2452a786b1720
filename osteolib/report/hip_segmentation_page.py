"""What the page on hip contours shows and records, section by section."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from torch import nn

from osteolib.phantoms.hip.truth import read_masks
from osteolib.radiograph import read_radiograph
from osteolib.report import hip_outlines as figures
from osteolib.report.comparison import Comparison, compare_scores, compare_statistics, together
from osteolib.report.hip_outlines import NAMES, Shown
from osteolib.report.scorecard import METHOD_CHECK
from osteolib.report.show import figure, say, table, with_ci
from osteolib.runs import Run
from osteolib.segment.hip_instances import BITS
from osteolib.segment.hip_judged import outline_room
from osteolib.segment.mask_rcnn import SURE, HipFound, MaskRecipe, find_hips

PHANTOM = "hip-phantom"
PRINTED = {"femur": "femur", "joint": "joint", "screw": "nail"}
FOUND = 0.5
"""IoU from which a thing counts as found where the method is checked, as is customary for detectors."""
MOST = 0.95
"""Share of hips of which that is asked."""


def required(paper: Mapping[str, float]) -> dict[str, float]:
    """The IoU that the paper asks of each class."""
    return {"femur": paper["seg.iou_req1"], "joint": paper["seg.iou_req1"], "screw": paper["seg.iou_req2"]}


def show_room(run: Run, hips: pd.DataFrame, least: Mapping[str, float], columns: int) -> None:
    """What each required IoU allows an outline to be off, on the true masks of some films."""
    rooms = {name: [] for name in BITS}
    for image, film in hips.groupby("image_id", sort=False):
        truth = read_masks(film["masks_path"].iloc[0], image)
        for row in film.itertuples():
            own = truth[row.y0 : row.y1, row.x0 : row.x1]
            for name, flag in BITS.items():
                rooms[name].append(outline_room(own & flag > 0, row.spacing_mm, least[name]))
    spacing, width = hips["spacing_mm"].mean(), hips["width"].iloc[0]
    frame = pd.DataFrame(rooms).median()
    shown = pd.DataFrame({"required IoU": least, "may be off by, mm": frame.round(2),
                          "pixels of the film": (frame / spacing).round(2),
                          "pixels of the network": (frame / spacing * 2 * columns / width).round(2)})  # fmt: skip
    caption = f"Phantom: how far inside the truth an outline may lie everywhere; medians of {len(hips)} hips"
    table(run, "room", shown.rename(NAMES).rename_axis("class"), caption)
    run.fact(**{f"room_{name}": frame[name] for name in BITS}, room_spacing=spacing)
    if frame[["femur", "screw"]].notna().all():
        run.fact(harder="the narrower margin" if frame["screw"] < frame["femur"] else "no narrower a margin")
        say(run, "An outline of the femur that lies {room_femur:.2f} mm too far inside everywhere has just the "
            "required IoU, one of screws at {room_screw:.2f} mm: the lower number is {harder}, because thin things "
            "are mostly edge. A pixel of these films is {room_spacing:.2f} mm wide.")  # fmt: skip


def show_training(run: Run, folder: Path, recipe: MaskRecipe, train: pd.DataFrame, test: pd.DataFrame) -> None:
    """Who was trained on and who is tested, and how the loss went."""
    wide = test["spacing_mm"].mean() * test["width"].mean() / 2 / recipe.columns
    run.fact(n_train=len(train), people_train=train["subject_id"].nunique(), n_test=len(test),
             people_test=test["subject_id"].nunique(), metal_train=int(train["obstructed"].sum()),
             visits=recipe.epochs * recipe.visits, columns=recipe.columns, network_mm=wide)  # fmt: skip
    loss = pd.read_parquet(folder / "history.parquet")["loss"]
    run.fact(fall=f"{loss.iloc[0]:.2f} to " * (len(loss) > 1) + f"{loss.iloc[-1]:.2f}")
    say(run, "{n_train} hips of {people_train} people to train on, {metal_train} of them with metal; {n_test} hips of "
        "{people_test} other people to test. The network is shown {visits} half films, {columns} pixels wide "
        "({network_mm:.1f} mm a pixel). Mean loss, first and last epoch: {fall}.")  # fmt: skip


def seen(model: nn.Module, hips: pd.DataFrame, columns: int) -> list[Shown]:
    """Film, truth and what is found, for each film of the rows."""
    films = []
    for image, film in hips.groupby("image_id", sort=False):
        pixels = read_radiograph(film["path"].iloc[0]).pixels
        films.append((pixels, read_masks(film["masks_path"].iloc[0], image), find_hips(model, pixels, columns)))
    return films


def examples(hips: pd.DataFrame) -> pd.DataFrame:
    """The first film of each kind, as its two rows: no metal, a joint, screws."""
    kinds = hips.groupby("image_id", sort=False)["obstacle"].agg(frozenset)
    wanted = (frozenset({"none"}), frozenset({"none", "joint"}), frozenset({"none", "screw"}))
    first = [kinds.index[kinds == kind][0] for kind in wanted if (kinds == kind).any()]
    return hips[hips["image_id"].isin(first)]


def show_films(run: Run, films: Sequence[Shown]) -> None:
    """The films of :func:`examples` with what was found."""
    titles = [_words(found) for _, _, found in films]
    told = "; ".join(titles).replace("\n", ", ")
    alt = f"Simulated films of the pelvis with found and true contours and the squares. Found: {told}."
    figure(run, "films", figures.films_found(films, titles), alt=alt)


def _words(found: Sequence[HipFound]) -> str:
    parts = [f"{hip.side}: {', '.join(NAMES[name] for name in hip.masks) or 'nothing'}" for hip in found]
    return "\n".join(parts)


def compare_overlap(judged: pd.DataFrame, least: Mapping[str, float], n_boot: int, seed: int) -> Comparison:
    """Mean IoU, share of hips over the required IoU, share found at all, of each class where a hip has it."""
    parts = []
    for name in BITS:
        values = judged[f"iou_{name}"]
        arrays = {"mean IoU": values, "share over the required IoU": (values > least[name]).where(values.notna()),
                  "share found": judged[f"found_{name}"].where(judged[f"there_{name}"])}  # fmt: skip
        how = {"groups": judged["split_group"].to_numpy(), "n_boot": n_boot, "seed": seed}
        for metric, array in arrays.items():
            parts.append(compare_statistics({metric: np.mean}, {NAMES[name]: array.astype(float)}, **how))
    return together(*parts)


def show_overlap(run: Run, judged: pd.DataFrame, paper: Mapping[str, float], n_boot: int, seed: int) -> Comparison:
    """IoU by class: figure, sentence, and the method check."""
    least = required(paper)
    compared = compare_overlap(judged, least, n_boot, seed)
    compared.record(run, PHANTOM, "{metric}, {method}")
    for name, printed in PRINTED.items():
        values = judged[f"iou_{name}"].dropna()
        if len(values):
            passed = float((values >= FOUND).mean() >= MOST)
            run.result(f"chen2024_hip.seg.{printed}", METHOD_CHECK, passed, n=len(values), cohort=PHANTOM)
    alt = f"IoU of test hips by class with the required values. Means: {compared.words('mean IoU', '.3f')}."
    figure(run, "iou", figures.overlaps(judged, least, seed), alt=alt)
    share = compared.estimate(NAMES["femur"], "share over the required IoU")[0]
    reach = "All femurs reach" if share == 1 else "No femur reaches" if share == 0 else f"{share:.0%} of femurs reach"
    run.fact(iou=compared.words("mean IoU", ".3f"), reach=reach, asked=least["femur"],
             femur_found=with_ci(*compared.estimate(NAMES["femur"], "share found"), ".3f"))  # fmt: skip
    say(run, "Mean IoU on test hips: **{iou}**. {reach} the {asked} that the paper asks for. A femur is found in a "
        "share of {femur_found} of hips.")  # fmt: skip
    return compared


def show_overlap_table(run: Run, judged: pd.DataFrame, compared: Comparison) -> None:
    """All shares by class, with those found where there is nothing."""
    shown = compared.table(head="class", spec=".3f").set_index("class")
    false = {NAMES[n]: f"{int((judged[f'found_{n}'] & ~judged[f'there_{n}']).sum())} of "
             f"{int((~judged[f'there_{n}']).sum())}" for n in BITS}  # fmt: skip
    shown["found where there is none"] = pd.Series(false)
    table(run, "overlap", shown, "Phantom: test hips by class; intervals draw people")


def paper_table(
    judged: pd.DataFrame, train: pd.DataFrame, compared: Comparison, paper: Mapping[str, float]
) -> pd.DataFrame:
    """What the paper prints of its contours beside ours, with the kind of our data."""
    counts = {"femur": len(train)} | {name: int(train["obstacle"].eq(name).sum()) for name in ("joint", "screw")}
    lines = [(f"hips to learn from: {NAMES[n]}", f"{paper[f'seg.{PRINTED[n]}']:.0f}", counts[n]) for n in BITS]
    for name, least in required(paper).items():
        mean = with_ci(*compared.estimate(NAMES[name], "mean IoU"), ".3f")
        lines.append((f"IoU: {NAMES[name]}", f"over {least} required", mean))
    out, of = int(judged["flagged"].sum()), len(judged)
    share = paper["excluded.n"] / paper["n_images"]
    lines.append(("hips left out", f"{paper['excluded.n']:.0f} of {paper['n_images']:.0f} ({share:.1%})",
                  f"{out} of {of} ({out / of:.1%})"))  # fmt: skip
    return pd.DataFrame(lines, columns=["", "paper", "ours"]).assign(kind="phantom")


def show_paper(
    run: Run, judged: pd.DataFrame, train: pd.DataFrame, compared: Comparison, paper: Mapping[str, float]
) -> None:  # fmt: skip
    """:func:`paper_table` as a table."""
    caption = "The paper's text to its Table 2 beside simulated hips; the values that were reached stand in no text"
    table(run, "paper", paper_table(judged, train, compared, paper), caption, index=False)


def show_exclusion(run: Run, judged: pd.DataFrame, n_boot: int, seed: int) -> None:
    """Metal found against metal there, and what becomes of the squares and of the people who are left."""
    metal, score = judged["obstructed"], judged[["score_joint", "score_screw"]].max(axis=1)
    how = {"groups": judged["split_group"].to_numpy(), "n_boot": n_boot, "seed": seed}
    call = compare_scores(metal, {"metal found": score}, ("sensitivity", "specificity"), threshold=SURE, **how)
    call.record(run, PHANTOM, "{metric}, {method}")
    missed, wrong = int((metal & ~judged["flagged"]).sum()), int((~metal & judged["flagged"]).sum())
    means = {
        "left out": judged["t_score"].where(judged["flagged"]),
        "kept": judged["t_score"].where(~judged["flagged"]),
    }
    rows = pd.DataFrame({"squares": judged.groupby("obstacle")["off_px"].count(),
                         "flagged": judged.groupby("obstacle")["flagged"].mean().map("{:.0%}".format),
                         "IoU of the femur": judged.groupby("obstacle")["iou_femur"].mean().round(3),
                         "IoU of the square": judged.groupby("obstacle")["iou_square"].mean().round(3)})  # fmt: skip
    rows.insert(0, "hips", judged["obstacle"].value_counts())
    order = [kind for kind in ("none", "screw", "joint") if kind in rows.index]
    table(run, "exclusion", rows.loc[order].rename_axis("truth"), "Phantom: test hips by what lies in them")
    run.fact(sensitivity=with_ci(*call.estimate("metal found", "sensitivity")), missed=missed, wrong=wrong,
             specificity=with_ci(*call.estimate("metal found", "specificity")),
             n_flagged=int(judged["flagged"].sum()), t_out=float(means["left out"].mean()),
             t_kept=float(means["kept"].mean()))  # fmt: skip
    say(run, "Metal is found with a sensitivity of **{sensitivity}** and a specificity of **{specificity}**. "
        "Obstructed hips that would go on to the T-score: {missed}; free ones that are lost: {wrong}.")  # fmt: skip
    if run.facts["n_flagged"]:
        say(run, "The mean true T-score is {t_out:.2f} of hips left out and {t_kept:.2f} of those kept; metal was "
            "drawn without a look at density: what lies between the two is chance, or false alarms.")  # fmt: skip


def show_squares(run: Run, films: Sequence[Shown], judged: pd.DataFrame) -> None:
    """The squares of the example films, and how far those of all test hips are off."""
    figure(run, "squares", figures.squares(films), alt="Squares cut around the proximal femurs of the films above.")
    off = (judged["off_px"] * judged["spacing_mm"])[~judged["obstructed"]].dropna()
    if not len(off):
        say(run, "No square could be cut from a free hip: the training was too short for that.")
        return
    n = int((~judged["obstructed"]).sum())
    run.fact(n_squares=len(off), n_free=n, off_mm=off.median(), off_px=judged.loc[off.index, "off_px"].median(),
             off_95=off.quantile(0.95), no_square=n - len(off))  # fmt: skip
    run.result(None, "median shift of a square's edge, mm", off.median(), n=len(off), cohort=PHANTOM)
    alt = f"Shares of squares by the largest shift of an edge; median of free hips {off.median():.1f} mm."
    figure(run, "offsets", figures.offsets(judged), alt=alt)
    say(run, "Of {n_free} free hips {n_squares} have a square. The edge that is furthest off lies **{off_mm:.1f} mm** "
        "({off_px:.0f} pixels of the film) from where the true mask puts it in the median; in one square of twenty "
        "it is more than {off_95:.1f} mm.")  # fmt: skip


def show_loss(run: Run, folder: Path) -> None:
    """The terms of the loss by epoch."""
    history = pd.read_parquet(folder / "history.parquet")
    figure(run, "loss", figures.loss_terms(history), alt="Terms of the loss of Mask R-CNN by epoch of the training.")
