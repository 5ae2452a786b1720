"""The diagnosis on the page on experts for DXA makers: probabilities when told another maker, order, calls."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from osteolib.phantoms.settings import phantom_settings
from osteolib.report import ct_experts_figures as draw
from osteolib.report.audit_ct import SITES, VERTEBRAE, read_tables
from osteolib.report.comparison import Comparison
from osteolib.report.ct_experts_figures import WITH, WITHOUT
from osteolib.report.ct_experts_order import ALL, WITHIN, attained, calls, printed_change, side_by_side
from osteolib.report.ct_experts_rows import Scored, with_interval
from osteolib.report.show import figure, say, table, with_ci
from osteolib.runs import Run
from osteolib.screen.ct_devices import CROSSED, EXPERTS, ONE, PAPER, SHUFFLED, TOLD, WITHHELD, moved
from osteolib.screen.ct_makers import blurred_gain
from osteolib.stats.power import power_of

COHORT = "vertebra-phantom"
FEW = "–"


def show_chances(
    run: Run, rows: pd.DataFrame, said: Mapping[str, Mapping[str, pd.DataFrame]], n_boot: int, seed: int
) -> None:
    """What another maker's name does to the probability of the same vertebra."""
    if rows.empty:
        run.fact(makers_known="one maker")
        say(run, "So few people train here that {makers_known} alone is known: there is none to exchange.")
        return
    told_all = "; ".join(f"{r.reader}, {r.arrangement}, told {r.told}: {r.chance:.2f}" for r in rows.itertuples())
    figure(run, "chances", draw.chances(rows), alt="Mean probability of osteoporosis of the same test vertebrae by the "
           f"maker told: {told_all}")  # fmt: skip
    shifts = {}
    for (arrangement, end), (reader, key) in ((a, r) for a in ((PAPER, "paper"), (CROSSED, "crossed"))
                                              for r in ((TOLD, "told"), (EXPERTS, "experts"))):  # fmt: skip
        told, makers = said[arrangement][reader], set(said[arrangement][reader]["told"])
        pair = ("GE Lunar", "Hologic") if makers >= {"GE Lunar", "Hologic"} else tuple(sorted(makers)[:2])
        d = moved(told, *pair)
        found = with_interval(np.mean, [100 * d["score"]], d["subject_id"], n_boot, seed)
        shifts[key, end] = found
        run.fact(**{f"shift_{key}_{end}": with_ci(*found, "+.0f")}, first=pair[0], second=pair[1])
    perfect = rows[rows["reader"] == WITH].set_index(["arrangement", "told"])["chance"]
    gap = {a: 100 * (perfect[a, run.facts["second"]] - perfect[a, run.facts["first"]]) for a in (PAPER, CROSSED)}
    run.fact(gap_paper=gap[PAPER], gap_crossed=gap[CROSSED])
    left, whole = (abs(shifts["experts", end][0]) for end in ("crossed", "paper"))
    of_it = "most" if left < whole / 2 else "a part" if left < whole else ""
    run.fact(chances_word=f"{of_it} of the experts' shift is the hospital, not the machine" if of_it
             else "in these trainings the experts' shift is no smaller crossed")  # fmt: skip
    say(run, "Say *{second}* instead of *{first}* about the same picture: in the paper's arrangement the experts' "
        "probability of osteoporosis moves by **{shift_experts_paper}** percentage points, that of one head that is "
        "told by {shift_told_paper}, that of the best reader by {gap_paper:+.0f}. Crossed it moves by "
        "{shift_experts_crossed}, {shift_told_crossed} and {gap_crossed:+.0f}: {chances_word}.")  # fmt: skip


def show_order(run: Run, found: Mapping[str, Comparison], best: Mapping[str, pd.DataFrame]) -> None:
    """AUROC over all hospitals and within them, what the maker adds, what it could, and whether this run can tell."""
    rows = []
    for arrangement, c in found.items():
        c.record(run, COHORT, "AUROC, {metric}, {method}, " + arrangement,
                 "AUROC difference, {metric}, {method} − {reference}, " + arrangement)  # fmt: skip
        for name in c.methods:
            values = {m: c.text(name, m) if m in c.metrics else FEW for m in (ALL, WITHIN)}
            rows.append({"kind": arrangement, "reader": name} | values)
        for name, end in ((WITHOUT, ""), (WITH, "_told")):
            values = {m: f"{v:.3f}" for m, v in attained(best[arrangement], end).items()}
            rows.append({"kind": arrangement, "reader": name} | values)
    table(run, "order", pd.DataFrame(rows), "Phantom: AUROC of osteoporosis over pairs of all hospitals, and of pairs "
          "within a hospital (95 % CI, people resampled; best reader: simulated people, not rendered)", index=False,
          group="kind", folded="Order of all pairs, and within a hospital")  # fmt: skip
    gain = {(a, m): attained(b, "_told")[m] - attained(b, "")[m] for a, b in best.items() for m in (ALL, WITHIN)}
    paper = found[PAPER]
    if ALL not in paper.metrics:
        run.fact(no_pairs="one class")
        say(run, "All test vertebrae here are of {no_pairs}: no order can be judged.")
        return
    adds = {key: paper.difference(name, ONE, ALL) for key, name in (("told", TOLD), ("experts", EXPERTS))}
    blind = [paper.estimate(name, ALL)[0] for name in (ONE, SHUFFLED, WITHHELD)]
    skill = min(max(paper.estimate(ONE, ALL)[0], 0.55), 0.99)
    hint = {a: blurred_gain(b, skill)[1] for a, b in best.items()}
    seen = power_of(hint[PAPER], adds["experts"][1:])
    knows = paper.difference(EXPERTS, WITHHELD, ALL)
    run.fact(gain_all=gain[PAPER, ALL], gain_within=gain[PAPER, WITHIN], gain_all_crossed=gain[CROSSED, ALL],
             add_told=with_ci(*adds["told"], "+.3f"), add_experts=with_ci(*adds["experts"], "+.3f"),
             control=with_ci(*knows, "+.3f"), blind_low=min(blind), blind_high=max(blind), chance=seen.chance,
             times=seen.times, skill=skill, hint=hint[PAPER], hint_crossed=hint[CROSSED],
             has_use="has more use" if hint[PAPER] > gain[PAPER, ALL] else "need not have more use",
             rest=hint[PAPER] - hint[CROSSED])  # fmt: skip
    say(run, "To be told the maker gives the best reader {gain_all:+.3f} in the paper's arrangement, "
        "{gain_within:+.3f} within hospitals, and {gain_all_crossed:+.3f} where makers are crossed. A reader who sees "
        "less {has_use} for a hint: blurred until it is as good as one head here ({skill:.2f}), it gains "
        "**{hint:+.3f}** and, crossed, {hint_crossed:+.3f}. What crossing takes away, {rest:+.3f}, is the "
        "hospital.")  # fmt: skip
    say(run, "Here one head gains {add_told} when it is told, and experts {add_experts} over one head. A true gain of "
        "{hint:+.3f} would be seen by a run like this one in {chance:.0%} of tries; 80 % need about {times:,.0f} times "
        "the test people.")  # fmt: skip
    spread = max(blind) - min(blind)
    word = "less than the experts gain here; another seed may change that"
    if adds["experts"][0] <= 0:
        word = "while the experts gain nothing that would have to be explained"
    elif spread >= adds["experts"][0]:
        word = "no less than the experts gain, which therefore needs no maker to be explained"
    beyond = ", more than the name can give a reader of that skill: part of it is the luck of a training"
    run.fact(luck=spread, luck_word=word, beyond=beyond if knows[1] > hint[PAPER] else "")
    say(run, "Three networks know nothing of the maker: one head, experts with makers shuffled, experts from whom it "
        "is withheld. They lie between {blind_low:.3f} and {blind_high:.3f}, {luck:.3f} apart, {luck_word}. Against "
        "experts from whom the maker is withheld, experts who know it have {control}{beyond}.")  # fmt: skip


def show_calls(run: Run, scored: Scored, best: Mapping[str, pd.DataFrame]) -> None:
    """Calls at 0.5 by hospital beside how common osteoporosis is there, and what the printed tables have."""
    some = {name: {n: of[n] for n in (ONE, TOLD, EXPERTS)} for name, of in scored.items()}
    ours, perfect = calls(some), calls({PAPER: best_scores(best[PAPER])})
    figure(run, "calls", draw.calls(ours), alt="Share of vertebrae called at 0.5 by hospital and network, before bars "
           "of how common osteoporosis is.")  # fmt: skip
    for r in ours.itertuples():
        run.result(None, f"called, {r.reader}, {r.arrangement}, hospital {r.site}", r.called, n=r.n, cohort=COHORT)
    settings = phantom_settings("vertebra-phantom")["hospitals"]
    tables = read_tables()
    positives = {s: round(settings[s]["osteoporosis"] * tables.size[VERTEBRAE][s]) for s in SITES}
    printed = printed_change(tables, positives)
    table(run, "calls", side_by_side(printed, ours, perfect), "What changes with the maker's name in the paper's "
          "arrangement; printed and simulated vertebrae have nothing in common but their arrangement", index=False,
          group="kind", folded="What changes with the maker's name")  # fmt: skip
    at, kept = perfect.set_index(["reader", "site"])["called"], printed.set_index("site")
    up = [s for s in SITES if at[WITH, s] > at[WITHOUT, s]]
    agree = [s for s in SITES if (kept.loc[s, "called_experts"] > kept.loc[s, "called_one"]) == (s in up)]
    rest = [s for s in SITES if s not in agree]
    others = f"; printed calls move against it at {_and(rest)}, which a list of prevalences alone does not explain"
    run.fact(up=_and(up), down=_and([s for s in SITES if s not in up]), agree=_and(agree),
             d_one=kept.loc["D", "called_one"], d_experts=kept.loc["D", "called_experts"],
             against=others if rest else "", best_d_one=100 * at[WITHOUT, "D"], best_d=100 * at[WITH, "D"])  # fmt: skip
    say(run, "A label of prevalence has a mark: it raises calls where osteoporosis is common and lowers them where it "
        "is rare. The best reader, told the maker, calls more at {up} and no more at {down}; at D {best_d_one:.0f} "
        "% becomes {best_d:.0f} %. In the recovered matrices of the paper D goes from {d_one:.1f} % to "
        "{d_experts:.1f} %. The direction agrees at {agree}{against}.")  # fmt: skip


def _and(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names) or "none"


def best_scores(best: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The best reader without and with the maker, as test vertebrae of a network are."""
    rows = best[["site", "y", "subject_id"]]
    return {WITHOUT: rows.assign(score=best["score"]), WITH: rows.assign(score=best["score_told"])}
