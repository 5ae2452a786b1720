"""The recorded trainings on vertebrae: experts beside those of a page, the paper's two backbones, frozen encoders."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from osteolib.report.compared import Comparison
from osteolib.report.comparison import compare_scores, compare_statistics
from osteolib.report.ct_experts_order import ALL, WITHIN, order
from osteolib.report.ct_experts_rows import Scored, followed_by_patients
from osteolib.report.ct_ssl_figures import NAMES
from osteolib.report.ct_ssl_page import pearson
from osteolib.report.show import say, table, with_ci
from osteolib.runs import Run
from osteolib.runs.parameters import load_profile
from osteolib.runs.recorded import Record, find_cell, read_record, state_of
from osteolib.screen.ct_cells import BACKBONES, BMD, OSTEOPOROSIS
from osteolib.screen.ct_devices import CROSSED, EXPERTS, ONE, PAPER, TOLD
from osteolib.screen.ct_frozen import INSTALLED, UNTRAINED

SWIN, RESNET = list(BACKBONES)[:2]
SHOWN = (ONE, TOLD, EXPERTS)


def scored_of(predictions: pd.DataFrame) -> dict[str, dict[str, pd.DataFrame]]:
    """Predictions of :func:`osteolib.screen.ct_cells.experts` as :data:`osteolib.report.ct_experts_rows.Scored`."""
    found: dict[str, dict[str, pd.DataFrame]] = {}
    for (arrangement, name), own in predictions.groupby(["split", "method"], sort=False):
        ill, bmd = (own[own["target"] == target].set_index("unit_id") for target in (OSTEOPOROSIS, BMD))
        rows = ill[["subject_id", "site", "device", "bmd_true_g_cm2"]].assign(
            y=ill["y_true"].astype(int), score=ill["y_score"], bmd_g_cm2=bmd["y_true"], bmd_predicted=bmd["y_score"]
        )
        found.setdefault(arrangement, {})[name] = rows.reset_index()
    return found


def show_experts(run: Run, cell: str, scored: Scored, orders: Mapping[str, Comparison], n_boot: int, seed: int) -> None:
    """What longer trainings of more people say of the page's three questions, or that they are not recorded yet.

    ``scored`` and ``orders`` are this page's own, by arrangement; the latter from :func:`ct_experts_order.order`.
    """
    record = read_record(cell)
    if record is None:
        _say_declared(run, cell, "ct_epochs")
        say(run, "Longer trainings on {declared_people} simulated people, of at most {declared_epochs} epochs each, "
            "are declared, about {declared_hours:g} hours on one core: {declared_state}.")  # fmt: skip
        return
    long = scored_of(record.predictions)
    pairs = [(TOLD, ONE), (EXPERTS, ONE)]
    long_orders = {a: order({n: of[n] for n in SHOWN}, pairs, n_boot, seed) for a, of in long.items()}
    lines = []
    for kind, of, compared in (("live, this page", scored, orders), ("recorded", long, long_orders)):
        for arrangement, networks in of.items():
            for name in SHOWN:
                areas = {f"AUROC, {metric}": compared[arrangement].text(name, metric)
                         if metric in compared[arrangement].metrics else "–" for metric in (ALL, WITHIN)}  # fmt: skip
                follow = with_ci(*followed_by_patients(networks[name], n_boot, seed))
                lines.append({"run": kind, "arrangement": arrangement, "network": name, **areas,
                              "makers' difference followed": follow, "n": len(networks[name])})  # fmt: skip
    caption = "Phantom: this page's trainings and the recorded ones, each on its own test vertebrae (95 % CI)"
    table(run, "recorded", pd.DataFrame(lines), caption, index=False, group="run", folded="Recorded beside live")
    within = long_orders[PAPER].difference(EXPERTS, ONE, WITHIN)
    followed = followed_by_patients(long[CROSSED][EXPERTS], n_boot, seed)
    _say_made(run, record)
    word = "gain" if within[1] > 0 else "lose" if within[2] < 0 else "neither gain nor lose"
    run.fact(recorded_all=with_ci(*long_orders[PAPER].difference(EXPERTS, ONE, ALL), "+.3f"), recorded_word=word,
             recorded_within=with_ci(*within, "+.3f"), recorded_follow=with_ci(*followed))  # fmt: skip
    say(run, "Recorded{recorded_code}, {recorded_people} people and at most {recorded_epochs} epochs, tested on "
        "{recorded_test} vertebrae: in the paper's arrangement experts differ from one head by {recorded_all} in AUROC "
        "over all hospitals and by **{recorded_within} within hospitals**, where they {recorded_word} order beyond "
        "chance; crossed, they follow {recorded_follow} of the makers' difference.")  # fmt: skip


def show_backbones(run: Run, cell: str, n_boot: int, seed: int) -> None:
    """AUROC of the recorded Swin-T and ResNet-34, or that they are not recorded yet."""
    record = read_record(cell)
    if record is None:
        _say_declared(run, cell)
        say(run, "The paper's second backbone, Swin-T, is trained on no page: it learns from a tenth as many vertebrae "
            "a second as the ResNet-18 here. A training beside ResNet-34, on {declared_people} simulated people and of "
            "at most {declared_epochs} epochs, is declared: {declared_state}.")  # fmt: skip
        return
    rows = record.predictions
    scores = rows.pivot(index="unit_id", columns="method", values="y_score")[list(BACKBONES)]
    first = rows[rows["method"] == SWIN].set_index("unit_id").loc[scores.index]
    found = compare_scores(first["y_true"], scores, reference=[(SWIN, RESNET)], groups=first["split_group"],
                           n_boot=n_boot, seed=seed)  # fmt: skip
    apart = found.difference(SWIN, RESNET)
    _say_made(run, record)
    run.fact(backbones=found.words(), backbones_apart=with_ci(*apart, "+.3f"), backbones_word=_which(apart))
    say(run, "The paper's second backbone, recorded{recorded_code} from random weights on {recorded_people} simulated "
        "people, class alone, at most {recorded_epochs} epochs, tested on {recorded_test} vertebrae. AUROC: "
        "{backbones}; Swin-T less ResNet-34 **{backbones_apart}**: {backbones_word}.")  # fmt: skip


def show_frozen(run: Run, cell: str, n_boot: int, seed: int) -> None:
    """What the encoder that installs knows of vertebrae beside the recorded ones, or that it is not recorded yet."""
    record = read_record(cell)
    if record is None:
        _say_declared(run, cell, "ct_ssl_epochs")
        say(run, "A ResNet-152 in 3-D that was trained on CT of chest and abdomen installs as a package. What it knows "
            "of vertebrae, beside encoders pre-trained here for {declared_epochs} epochs on {declared_people} "
            "simulated people, is declared: {declared_state}.")  # fmt: skip
        return
    of, pool, start = {}, NAMES["tp-swav"], NAMES["random resnet18-half"]
    for target in ("osteoporosis", "density", "size"):
        own = record.predictions[record.predictions["target"] == target]
        scores = own.pivot(index="unit_id", columns="method", values="y_score").rename(columns=NAMES)
        first = own.drop_duplicates("unit_id").set_index("unit_id").loc[scores.index]
        how = {"groups": first["split_group"].to_numpy(str), "n_boot": n_boot, "seed": seed,
               "reference": [(INSTALLED, pool), (INSTALLED, UNTRAINED), (pool, start)]}  # fmt: skip
        y = first["y_true"].to_numpy()
        if target == "osteoporosis":
            of[target] = compare_scores(y, scores, **how)
        else:
            pairs = {name: (y, score.to_numpy()) for name, score in scores.items()}
            of[target] = compare_statistics({"r": pearson}, pairs, **how)
    shown = pd.DataFrame([
        {"reader": name, "AUROC of osteoporosis": of["osteoporosis"].text(name), "r with density":
         of["density"].text(name)} for name in of["osteoporosis"].methods
    ])  # fmt: skip
    table(run, "recorded", shown, "Phantom: straight lines from frozen features, recorded (95 % CI, people resampled)",
          index=False, folded="Recorded: an encoder that installs, beside longer pre-trainings")  # fmt: skip
    above = of["osteoporosis"].difference(INSTALLED, NAMES["tp-swav"])
    word = "above" if above[1] > 0 else "below" if above[2] < 0 else "level with"
    _say_made(run, record)
    run.fact(installed_auroc=of["osteoporosis"].text(INSTALLED), installed_word=word,
             installed_above=with_ci(*above, "+.2f"), installed_density=of["density"].text(INSTALLED),
             installed_trained=with_ci(*of["density"].difference(INSTALLED, UNTRAINED), "+.2f"))  # fmt: skip
    say(run, "Recorded{recorded_code}, with encoders pre-trained for {recorded_epochs} epochs on {recorded_people} "
        "simulated people and tested on {recorded_test} vertebrae: a ResNet-152 in 3-D that others trained on CT of "
        "chest and abdomen, and that installs, has an AUROC of **{installed_auroc}**, {installed_word} the pool's "
        "encoder (difference {installed_above}). It answers the density with r {installed_density}; its training "
        "gives {installed_trained} of that over random weights.")  # fmt: skip
    lost, kept = (of[target].difference(pool, start) for target in ("density", "size"))
    last = record.history[record.history["method"].eq("tp-swav")].iloc[-1]
    run.fact(pool_density=of["density"].text(pool), pool_lost=with_ci(*lost, "+.2f"), pool_size=of["size"].text(pool),
             pool_kept=with_ci(*kept, "+.2f"), pool_loss=float(last["loss"]),
             pool_collapsed=float(last["collapsed_loss"]), pool_rank=float(last["effective_rank"]))  # fmt: skip
    if lost[2] < 0:
        say(run, "So long a pre-training on the pool makes the encoder *worse* than it began: it tells the density "
            "with r **{pool_density}**, {pool_lost} against the same network with random weights, and the size of the "
            "bone with {pool_size} ({pool_kept}). It has not collapsed (loss {pool_loss:.2f}, a collapsed one "
            "{pool_collapsed:.2f}; effective rank {pool_rank:.0f}). One reading, which this run does not prove: place "
            "and shape, common to all members of a pool, answer the swap, and their grey levels differ.")  # fmt: skip


def _which(apart: tuple[float, float, float]) -> str:
    better = SWIN if apart[1] > 0 else RESNET if apart[2] < 0 else ""
    return f"{better} is the better of these two trainings" if better else "these two trainings cannot be told apart"


def _say_declared(run: Run, cell: str, epochs: str = "") -> None:
    declared = find_cell(cell)
    sizes = load_profile(declared.profile)
    run.fact(declared_people=sizes["n_ct_study"], declared_hours=declared.hours, declared_state=state_of(cell),
             declared_epochs=sizes[epochs] if epochs else declared.options["epochs"])  # fmt: skip


def _say_made(run: Run, record: Record) -> None:
    about = record.run["configuration"]
    run.fact(recorded_people=about["n_phantoms"], recorded_epochs=about["epochs"], recorded_test=about["n_test"],
             recorded_code=", by other code than today's" * record.stale)  # fmt: skip
