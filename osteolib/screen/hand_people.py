"""Bones of thousands of simulated people, and training sets that lie within one another.

Each cohort of the preset ``lee2025`` has the 192 people of the paper's Table 1 and is cut into four blocks of 48 with
its share of ill people. The first m blocks are a training set of 48 m people, the next m another drawing of it: sets of
one drawing lie within one another as far as they can, and sets of one size share nobody.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from osteolib.cohorts import Cohort, load_cohort
from osteolib.cohorts.folds import grouped_folds
from osteolib.screen.hand_grid import Segments, cut_segments
from osteolib.segment.bones import film_rows
from osteolib.segment.grey import ranked

COHORT, BLOCK = 192, 48  # people
NEW_COHORTS = 3  # whose people are scored, and train nothing
SEEDS_APART = 1000  # between the seeds of two runs; new people stand half as far off


@dataclass(frozen=True)
class HandPeople:
    """Ranked bones of people who may train, and of new people who are scored.

    Attributes
    ----------
    training, new
        Bones; ``training.table`` has a column ``block`` besides, from 0 on. A person's name begins with the seed of
        its cohort.
    people
        The phantom's table of the new people of whom a bone is seen, by ``subject_id``.
    cohorts
        All cohorts used.
    """

    training: Segments
    new: Segments
    people: pd.DataFrame
    cohorts: list[Cohort]

    def drawn(self, n_people: int, draw: int) -> np.ndarray:
        """Which training bones a drawing of ``n_people`` has, shape (bones,), bool.

        Raises
        ------
        ValueError
            Not a multiple of 48, or there are not that many people left.
        """
        blocks, there = n_people // BLOCK, self.training.table["block"].to_numpy()
        if n_people < BLOCK or n_people % BLOCK or (draw + 1) * blocks > there.max() + 1:
            raise ValueError(
                f"drawing {draw} of {n_people} people: a multiple of {BLOCK} is needed, and in all "
                f"{(there.max() + 1) * BLOCK} people are there"
            )
        return there // blocks == draw


def hand_people(n_people: int, seed: int, image_size: int) -> HandPeople:
    """``n_people`` who may train, a multiple of 192, and 576 new ones."""
    if n_people < COHORT or n_people % COHORT:
        raise ValueError(f"n_people must be a multiple of {COHORT}, the people of one cohort, got {n_people}")
    first = SEEDS_APART * (seed + 1)
    old = range(first, first + n_people // COHORT)
    new = range(first + SEEDS_APART // 2, first + SEEDS_APART // 2 + NEW_COHORTS)
    cohorts = {
        s: load_cohort("hand-phantom", preset="lee2025", seed=s, size=film_rows(image_size)) for s in (*old, *new)
    }
    cut = {s: _named(cut_segments(cohort, image_size), s) for s, cohort in cohorts.items()}
    for number, s in enumerate(old):
        table = cut[s].table
        quarter = grouped_folds(table, table["y"], COHORT // BLOCK, seed)
        cut[s] = replace(cut[s], table=table.assign(block=number * (COHORT // BLOCK) + quarter))
    people = pd.concat([
        cohorts[s].subjects.assign(subject_id=f"{s} " + cohorts[s].subjects["subject_id"]) for s in new
    ])  # fmt: skip
    scored, people = _joined(cut[s] for s in new), people.set_index("subject_id")
    people = people[people.index.isin(scored.table["subject_id"])]  # a hand may lie off the film with all its bones
    return HandPeople(_joined(cut[s] for s in old), scored, people, [*cohorts.values()])


def _named(segments: Segments, seed: int) -> Segments:
    """With ranked grey levels, and names that no other cohort has: every cohort counts its people from one."""
    ids = ["bone_id", "subject_id", "split_group"]
    tables = [t.assign(**{c: f"{seed} " + t[c] for c in ids if c in t}) for t in (segments.table, segments.missing)]
    return Segments(ranked(segments.images), *tables)


def _joined(parts: Iterable[Segments]) -> Segments:
    images, tables, missing = zip(*((p.images, p.table, p.missing) for p in parts), strict=True)
    return Segments(np.concatenate(images), *(pd.concat(t, ignore_index=True) for t in (tables, missing)))
