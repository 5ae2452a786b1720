"""The steps that leave a part of the hand paper's method out, and what each changes."""

from __future__ import annotations

from collections.abc import Mapping

from osteolib.report.ablation import Step
from osteolib.report.published import load_published
from osteolib.screen.hand_parts import (
    CONVENTIONAL,
    CROPS_ALONE,
    FILM,
    FILMED,
    HAND,
    LABELS,
    PATCHES,
    SQUARES,
    UNTRAINED,
    VGG,
)

PAPER = "lee2025_hand"


def steps() -> Mapping[str, Step]:
    """In the order of the paper's tables; the last is a part that the paper does not have.

    The paper prints what each step loses; a change is its negative.
    """
    known = load_published(PAPER).set_index("published_id")["value"]

    def printed(*ids: str) -> tuple[float, ...]:
        return tuple(-float(known[f"{PAPER}.{key}"]) for key in ids)

    return {
        SQUARES: Step("4", "no mask: what lies around the bone stays in its square"),
        PATCHES: Step("4", "no mask and no place: patches of a bone's size, anywhere", SQUARES),
        FILM: Step(
            "4", "the same encoder, and one answer from the film as a whole", PATCHES, printed("T4.SimCLR.dauc")
        ),
        CROPS_ALONE: Step("6", "views that are not turned, mirrored, shifted or relit"),
        UNTRAINED: Step("6", "no pre-training, a linear layer on random weights"),
        LABELS: Step(
            "6, 8", "no pre-training, ResNet-18 taught the labels", printed=printed("T6.sup.dauc", "T8.gain.auc")
        ),
        CONVENTIONAL: Step("7", "crops that may hold next to no bone"),
        VGG: Step("8", "as before with a VGG16", LABELS),
        HAND: Step("8", "as before on one image of the hand", LABELS),
        FILMED: Step("–", "grey levels as filmed in place of ranks"),
    }
