"""A reader's own films of hands on the page of outlines: what the network draws, where no outline is known."""

from __future__ import annotations

import numpy as np

from osteolib.cohorts import Cohort
from osteolib.phantoms.hand.shapes import BONES
from osteolib.radiograph import read_radiograph
from osteolib.report import own_films
from osteolib.report.hand_outlines import outlined_films
from osteolib.report.show import figure, say
from osteolib.runs import Run
from osteolib.segment.mixture import MixtureUNet
from osteolib.segment.real_overlap import drawn_by

SHOWN = 6


def show_outlines(
    run: Run, cohort: Cohort, model: MixtureUNet, size: int, n_samples: int, seed: int, n_hands: int
) -> None:
    """Outline some films with a network that was trained on simulated ones: pictures, and how many bones it names.

    Films stand evenly in the order of their names, at most ``n_hands``. There is no score, which would need
    outlines, and the page ends.
    """
    films = cohort.subjects.sort_values("image_id")
    films = films.iloc[np.unique(np.linspace(0, len(films) - 1, min(n_hands, len(films))).round().astype(int))]
    pixels = [read_radiograph(path).pixels for path in films["path"]]
    seen = drawn_by(model, pixels, size, n_samples, seed)
    named = [len(set(np.unique(labels)) - {0}) for labels in seen]
    run.fact(n_own=len(films), own_name=cohort.name, all_named=sum(n == len(BONES) for n in named))
    say(run, "**Left out on this page**, because {own_name} has neither outlines nor keypoints of bones, and an own "
        "table cannot hold them: the overlap with masks, and its table by bone. Of {n_own} of these hands the network "
        "names all seven bones in {all_named}; whether it is right, only the eye can say, below.")  # fmt: skip
    some = np.unique(np.linspace(0, len(films) - 1, min(SHOWN, len(films))).round().astype(int))
    blank = [np.zeros_like(labels) for labels in seen]
    titles = [f"{n} of {len(BONES)} bones" for n in named]
    shown = outlined_films(*([each[i] for i in some] for each in (pixels, seen, blank, titles)))
    figure(run, "real", shown, alt="Films of hands with what the network takes for bones in colour.")
    own_films.stop(run)
