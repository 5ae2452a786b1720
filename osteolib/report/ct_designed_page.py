"""What the page on pre-training shows of the designed case, and of what the paper prints of two starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from osteolib.report import ct_ssl_figures as figures
from osteolib.report.comparison import Comparison, compare_statistics
from osteolib.report.ct_ssl_figures import NAMES
from osteolib.report.ct_ssl_page import CROPS, POOL, pearson
from osteolib.report.published import load_published
from osteolib.report.show import figure, say, table, with_ci
from osteolib.runs import Run
from osteolib.screen.ct_designed import MEAN_HU, TARGETS, Designed
from osteolib.screen.ct_pool import MEMBERS

PAPER = "tpswav2025_ct"
QUESTIONS = ("scale, alone", "scale, both vary", "mean, both vary")
PRINTED = {"scratch": "from scratch", "SwAV": "SwAV", "TP-SwAV": "TP-SwAV"}


def examples(designed: Designed) -> dict[str, NDArray]:
    """Pictures (size, size) by title: finest and coarsest near the middle of the means, the middle of the finest
    enlarged, the contrast maps of both, three times as bright, and the highest mean."""
    scale, mean = (designed.truth[target].to_numpy() for target in TARGETS)
    near = np.argsort(abs(mean - np.mean(MEAN_HU)))[: max(2, len(mean) // 10)]
    fine, coarse = near[scale[near].argmin()], near[scale[near].argmax()]
    original = designed.pool[:, 0, 0]
    quarter = original.shape[-1] // 4
    middle = torch.from_numpy(original[fine][quarter:-quarter, quarter:-quarter].astype(np.float32))
    enlarged = torch.nn.functional.interpolate(middle[None, None], scale_factor=2, mode="bilinear")[0, 0].numpy()
    contrast = np.minimum(255, 3.0 * designed.pool[:, MEMBERS.index("contrast"), 0])
    return {"fine": original[fine], "its middle, enlarged": enlarged, "coarse": original[coarse],
            "contrast map, fine": contrast[fine], "contrast map, coarse": contrast[coarse],
            "a higher mean": original[mean.argmax()]}  # fmt: skip


def compare_designed(told: pd.DataFrame, n_boot: int, seed: int) -> dict[str, Comparison]:
    """r by question of the designed case; ``told`` is from :func:`osteolib.screen.ct_designed.designed_answers`."""
    found = {}
    for question, part in told.groupby("question", sort=False):
        readers = part.groupby("reader", sort=False)
        values = {NAMES.get(r, r): (d["truth"].to_numpy(), d["predicted"].to_numpy()) for r, d in readers}
        pairs = [(POOL, CROPS), (POOL, NAMES["random"])]
        found[question] = compare_statistics({"r": pearson}, values, n_boot=n_boot, seed=seed, reference=pairs)
    return found


def show_designed(run: Run, pictures: Mapping[str, NDArray], found: Mapping[str, Comparison]) -> None:
    """The designed case with what was predicted of it: ``pictures`` (size, size) by title, r by question."""
    alone, beside, mean = (found[question] for question in QUESTIONS)
    alt = "; ".join(f"{question}: {compared.words()}" for question, compared in found.items())
    figure(run, "designed", figures.designed_figure(pictures, found), alt=f"r with what was drawn. {alt}.")
    for name, compared in {"alone": alone, "beside": beside, "mean": mean}.items():
        for fact, reader in {"pool": POOL, "crops": CROPS, "random": NAMES["random"]}.items():
            run.fact(**{f"{name}_{fact}": with_ci(*compared.estimate(reader))})
        for fact, other in {"change": CROPS, "gain": NAMES["random"]}.items():
            run.fact(**{f"{name}_{fact}": with_ci(*compared.difference(POOL, other), "+.2f")})
    helps, more = alone.difference(POOL, CROPS), mean.difference(POOL, CROPS)
    gain = alone.difference(POOL, NAMES["random"])
    kept = "adds to" if gain[1] > 0 else "takes from" if gain[2] < 0 else "neither adds to nor takes from"
    drowned = beside.estimate(POOL)[2] < alone.estimate(POOL)[1]
    run.fact(first=_came_out(helps[1] > 0, helps[2] < 0), second=_came_out(more[1] <= 0, False), kept=kept,
             drowned="less" if drowned else "no less")  # fmt: skip
    say(run, "Scale alone: crops r = {alone_crops}, pool **{alone_pool}**, difference {alone_change}: the first "
        "prediction {first}. The pool {kept} what a random encoder knows, {alone_random} ({alone_gain}). Mean: crops "
        "{mean_crops}, pool {mean_pool}, difference {mean_change}: the second {second}. The scale where the mean "
        "varies, too: crops {beside_crops}, pool **{beside_pool}**, {drowned} than where it varied alone.")  # fmt: skip


def _came_out(as_predicted: bool, against: bool) -> str:
    if as_predicted:
        return "came out"
    return "**did not come out**, and the opposite did" if against else "did not come out at this size"


def show_printed(run: Run, level: Mapping[str, str]) -> None:
    """F1 of the three rows of the paper that differ in their start alone; ``level`` by table, as "T2": "vertebrae"."""
    paper = load_published(PAPER).set_index("published_id")["value"]
    rows, ahead, scratch = [], [], []
    for name, unit in level.items():
        f1 = {
            text: [paper[f"{PAPER}.{name}.{site}.ResNet34|{key}|Lclass.f1"] for site in "ABCD"]
            for key, text in PRINTED.items()
        }
        rows += [
            {"unit": unit, "start": text} | {site: f"{x:.2f}" for site, x in zip("ABCD", values, strict=True)}
            for text, values in f1.items()
        ]
        ahead += [(unit, s) for s, a, b in zip("ABCD", f1["TP-SwAV"], f1["SwAV"], strict=True) if a > b]
        scratch += [(unit, s) for s, a, b in zip("ABCD", f1["TP-SwAV"], f1["from scratch"], strict=True) if a > b]
    table(run, "printed", pd.DataFrame(rows), "F1 in %, ResNet34 with the class loss, as printed in Tables 2 and 3",
          index=False, group="unit")  # fmt: skip
    pre, own = paper[f"{PAPER}.T1.ALL.v_pre"], [paper[f"{PAPER}.T1.ALL.v_{part}"] for part in ("train", "valid")]
    train, all_three = paper[f"{PAPER}.T1.ALL.pt_train"], paper[f"{PAPER}.text.test_int_pt"]
    all_three += train + paper[f"{PAPER}.T1.ALL.pt_valid"]
    first = next(iter(level.values()))
    run.fact(n_cells=4 * len(level), n_ahead=len(ahead), n_scratch=len(scratch), pre=int(pre),
             behind=_sites(first, ahead), behind_scratch=_sites(first, scratch),
             each=(pre + own[0]) / train,
             of_all=(pre + sum(own) + paper[f"{PAPER}.text.test_int_v"]) / all_three)  # fmt: skip
    say(run, "As printed, TP-SwAV has the higher F1 of the two in {n_ahead} of {n_cells} cells (of vertebrae not at "
        "{behind}), and one above training from scratch in {n_scratch} (of vertebrae not at {behind_scratch}). The "
        "{pre:,} vertebrae without DXA and the labelled ones together are {each:.1f} a patient if they are of "
        "training patients alone, {of_all:.1f} if of all patients of A to C. Both are possible on a CT.")  # fmt: skip


def _sites(unit: str, ahead: Sequence[tuple[str, str]]) -> str:
    behind = [site for site in "ABCD" if (unit, site) not in ahead]
    return " and ".join(behind) or "none"
