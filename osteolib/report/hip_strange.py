"""Films that show no hip, or hips that are new, before a detector whose answers are asked once more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
from numpy.typing import NDArray
from torch import nn

from osteolib.report.show import say, table, with_ci
from osteolib.runs import Run
from osteolib.segment.hip_usual import Seen, UsualHips, fit_usual
from osteolib.segment.mask_rcnn import find_hips
from osteolib.stats.exact import exact_interval

PHANTOM = "hip-phantom"


def strange_table(
    model: nn.Module, usual: UsualHips, films: Mapping[str, Sequence[NDArray]], columns: int
) -> pd.DataFrame:
    """What is found in the halves of films, and what of it goes on; ``films`` by what they are.

    Returns
    -------
    ``film``; numbers of ``films``, of ``halves``, of those with a ``femur`` that has a square, of hips ``let by``
    because they are like those of the training, and of ``films refused``: those of which no half goes on; the
    ``first reason`` of a refusal.
    """
    rows = []
    for name, some in films.items():
        femora, let_by, refused, reasons = 0, 0, 0, []
        for pixels in some:
            found = find_hips(model, pixels, columns)
            strange = usual.strange(found, pixels.shape)
            hips = [one for one in found if one.square is not None]
            good = [one for one in hips if not strange[one.side]]
            femora, let_by, refused = femora + len(hips), let_by + len(good), refused + (not good)
            reasons += [strange[one.side] or one.reason for one in found if one not in good]
        rows.append({"film": name, "films": len(some), "halves": 2 * len(some), "femur": femora, "let by": let_by,
                     "films refused": refused, "first reason": reasons[0] if reasons else "–"})  # fmt: skip
    return pd.DataFrame(rows)


def show_strange(
    run: Run, model: nn.Module, trained_on: Sequence[Seen], films: Mapping[str, Sequence[NDArray]], columns: int
) -> None:
    """What is usual on the films of the training, :func:`strange_table`, and two sentences.

    The first of ``films`` are new pelves, one a person; those whose name begins with ``simulated`` show other bones.
    """
    try:
        usual = fit_usual(trained_on)
    except ValueError as error:
        run.fact(not_usual=str(error))
        say(run, "What is usual cannot be said after so short a training: {not_usual}.")
        return
    found = strange_table(model, usual, films, columns)
    table(run, "strange", found, "Phantom: halves of films in which a femur is seen, and which of these are let by",
          index=False)  # fmt: skip
    pelves, other = found.iloc[0], found[found["film"].str.startswith("simulated")].sum(numeric_only=True)
    hips, people, n = int(pelves["femur"]), int(pelves["films"]), int(other["films"])
    lost, refused = hips - int(pelves["let by"]), int(other["films refused"])
    share = (lost / hips, *exact_interval(lost / hips * people, people))  # of people: two hips are not independent
    run.result(None, "share of new hips refused as unusual", share[0], ci=share[1:], n=hips, cohort=PHANTOM)
    run.result(None, "share of films of other bones refused", refused / n, ci=exact_interval(refused, n), n=n,
               cohort=PHANTOM)  # fmt: skip
    run.fact(lost=lost, lost_of=hips, lost_share=with_ci(*share, ".3f"), fooled=int(other["femur"]),
             fooled_of=int(other["halves"]), let_by=int(other["let by"]), bones_refused=refused, bones=n,
             bones_share=with_ci(refused / n, *exact_interval(refused, n)),
             pelves_refused=int(pelves["films refused"]))  # fmt: skip
    say(
        run,
        "In {fooled} of {fooled_of} halves of knees and hands the detector sees a femur. Of these, let by: {let_by}; "
        "films refused whole: {bones_refused} of {bones}, a share of **{bones_share}**. The price is {lost} of "
        "{lost_of} new hips that are refused as well, a share of **{lost_share}**; pelves refused whole: "
        "{pelves_refused}.",
    )
