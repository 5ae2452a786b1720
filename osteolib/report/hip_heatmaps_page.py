"""What the page on heat maps of hips shows and records, section by section."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from osteolib.explain.heatmaps import roi_scores
from osteolib.report import heatmap_page
from osteolib.report.compared import Comparison
from osteolib.report.comparison import compare_statistics
from osteolib.report.show import figure, say, table, with_ci
from osteolib.runs import Run

GRAD_CAM, GUIDED, RANDOM, MIDDLE, EVEN = (
    "Grad-CAM", "guided Grad-CAM", "Grad-CAM, random weights", "the middle, unseen", "even over the femur",
)  # fmt: skip
NECK, FEMUR = "femoral neck", "femur"
WITH, WITHOUT = "osteoporosis", "none"


def hips_to_show(hips: pd.DataFrame, score: np.ndarray, classes: np.ndarray, seed: int) -> tuple[np.ndarray, list[str]]:
    """Rows and titles of six hips chosen by a rule: with and without osteoporosis, highest, lowest, nearest 0.5."""
    people = pd.DataFrame({"label": np.where(classes == 1, WITH, WITHOUT), "screen": score}, index=range(len(hips)))
    return heatmap_page.pick(people, 3, seed)


def show_maps(
    run: Run, films: np.ndarray, maps: Mapping[str, np.ndarray], titles: list[str], necks: np.ndarray
) -> None:
    """The paper's Fig. 5 with a truth: films, and under them the maps, guided ones by their square root."""
    rows: list = [("film", films, None)]
    for name, heat in maps.items():
        fine = np.sqrt(heat / np.maximum(heat.max((1, 2), keepdims=True), 1e-30)) if name == GUIDED else heat
        rows.append((name.replace(", ", ",\n").replace("guided ", "guided\n"), films, fine))
    figure(run, "maps", heatmap_page.maps_over_films(rows, [titles], necks),
           alt="Six simulated hips with the femoral neck outlined, three with osteoporosis and three without; below "
           + ", ".join(maps) + ".")  # fmt: skip


def show_localisation(
    run: Run, maps: Mapping[str, np.ndarray], neck: np.ndarray, femur: np.ndarray, hips: pd.DataFrame, **how: int
) -> None:
    """Scores of all maps in neck and femur, and Grad-CAM against a map that is even over the femur.

    ``how``: ``n_boot`` and ``seed``.
    """
    people = hips.assign(part="test hips").reset_index(drop=True)
    found = heatmap_page.localisation(maps, {NECK: neck, FEMUR: femur}, people, **how)
    for (region, _), compared in found.items():
        scores = Comparison(compared.rows[compared.rows["metric"] != "area"])
        scores.record(run, "hip-phantom", f"{{metric}}, {region}, {{method}}, phantom")
    figure(run, "energy", heatmap_page.energy_panels(found, list(maps)),
           alt="Energy inside the true regions. "
           + "; ".join(f"{place[0]}: {c.words('energy')}" for place, c in found.items()))  # fmt: skip
    table(run, "localisation", heatmap_page.localisation_table(found, people), "Phantom: the share of each map in neck "
          "and femur (95 % intervals over people). area is the chance level; empty maps are left out",
          index=False, folded="Every share, with its interval")  # fmt: skip
    share = {name: roi_scores(maps[name], neck)["energy"] for name in (GRAD_CAM, GUIDED, EVEN)}
    more = compare_statistics({"energy": np.mean}, share, reference=EVEN, groups=people["split_group"], **how)
    judged = GRAD_CAM, RANDOM, MIDDLE
    run.fact(words=heatmap_page.localisation_in_words(found[NECK, "test hips"], judged, len(people), "hips"))
    for short, name in (("plain", GRAD_CAM), ("guided", GUIDED)):
        value, low, high = more.difference(name, EVEN)
        verdict = "more than" if low > 0 else "less than" if high < 0 else "no more and no less than"
        run.fact(**{f"{short}_more": with_ci(100 * value, 100 * low, 100 * high, "+.0f"), f"{short}_verdict": verdict})
    say(run, "The femoral neck. {words} A map that is even over the visible bone knows of no neck either: Grad-CAM has "
        "there {plain_verdict} such a map ({plain_more} percentage points), guided Grad-CAM {guided_verdict} it "
        "({guided_more}).")  # fmt: skip


def show_cover(run: Run, compared: Comparison) -> None:
    """AUROC with parts of every femur covered; the reference is ``nothing``."""
    shown = compared.table(head="covered").assign(**{
        "change of the AUROC": ["", *compared.difference_table()["AUROC (95 % CI)"]]})  # fmt: skip
    compared.record(run, "hip-phantom", "{metric} of the class score, covered: {method}, phantom")
    table(run, "covered", shown, "Phantom, test hips: AUROC of the film's score when a part of every femur is covered; "
          "intervals draw people", index=False)  # fmt: skip
    _, low, high = compared.difference("the neck", "nothing")
    rest = compared.difference("all but the neck", "nothing")
    so = "costs" if high < 0 else "gains" if low > 0 else "changes no more than chance would"
    run.fact(cover=with_ci(*compared.difference("the neck", "nothing"), "+.2f"), rest=with_ci(*rest, "+.2f"), so=so)
    say(run, "Covering the neck {so} (AUROC {cover}); covering all but the neck changes it by {rest}.")


def show_randomisation(run: Run, checked: pd.DataFrame) -> None:
    """Likeness of the maps as the network is undone from the answer down."""
    figure(run, "randomisation", heatmap_page.likeness_panels(checked),
           alt="Likeness to the trained network's maps as its parts are made random.")  # fmt: skip
    run.fact(**heatmap_page.likeness_at_the_ends(checked))
    closer = "guided Grad-CAM" if run.facts["end_guided"] > run.facts["end_plain"] else "Grad-CAM"
    run.fact(closer=closer)
    say(run, "With all of the network random the structural similarity to the first map is {end_plain:.2f} for "
        "Grad-CAM and {end_guided:.2f} for guided Grad-CAM; with a random answer alone {top_plain:.2f} and "
        "{top_guided:.2f}. More of the picture of {closer} is the film's own.")  # fmt: skip
