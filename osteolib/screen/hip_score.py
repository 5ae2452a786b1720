"""One film of the pelvis to a T-score a hip: find both femurs, cut the squares, describe them, let the pipeline speak.

The whole chain of chen2024_hip at work. A film of twelve million pixels is reduced once, to the width of the films
that the pipeline learned from: detector and network then see what they saw in training, and nothing is done to all of
its pixels twice. A hip behind metal is not scored, as in the paper, and says so; a film on which neither half shows a
hip is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from osteolib.radiograph import Radiograph, read_radiograph
from osteolib.screen.sub_clusters import with_covariates
from osteolib.screen.triplet import TripletNet, describe
from osteolib.screen.x1ai import X1ai
from osteolib.segment.hip_instances import eight_bit
from osteolib.segment.hip_usual import UsualHips
from osteolib.segment.mask_rcnn import HipFound
from osteolib.views.hip_views import enhance, right_hip

HALF = (0.3, 1.25)
"""Side of a hip's square in widths of half a film; a part of a bone, or a bone that fills the film, lies outside."""
SIDE_MM = (70.0, 190.0)
"""Side of a hip's square where the film knows its spacing; that of a magnified femur lies within."""
FILLED = (0.3, 0.7)
"""Share of its square that a proximal femur covers."""

Find = Callable[[NDArray[np.uint8]], tuple[HipFound, HipFound]]  # :func:`osteolib.segment.mask_rcnn.find_hips`


@dataclass(frozen=True)
class HipScore:
    """What a film says of one hip.

    Attributes
    ----------
    side
        ``right`` or ``left``, the patient's.
    t_score
        Predicted, of the lower of femoral neck and total hip; None for a hip that is not scored.
    score
        Of class 1, osteoporosis, 0 to 1; None likewise.
    reason
        Why a hip is not scored; empty where it is.
    square
        x0, y0, x1, y1 on the film, in pixels; None where no femur was found.
    """

    side: str
    t_score: float | None
    score: float | None
    reason: str
    square: tuple[int, int, int, int] | None


def score_hips(
    film: Radiograph | str | Path,
    find: Find,
    usual: UsualHips,
    network: TripletNet,
    pipeline: X1ai,
    covariates: tuple[float, float, float],
    size: int = 224,
    film_width: int = 2048,
) -> tuple[HipScore, HipScore]:
    """Read a film, find its hips and predict the T-score of each: the patient's right hip and the left one.

    Parameters
    ----------
    film
        AP film of the pelvis, bright bone; or the path of its DICOM, PNG or JPEG file.
    find, usual, network, pipeline
        As trained: :func:`osteolib.segment.mask_rcnn.find_hips` with its model, what it found on its own films
        (:func:`osteolib.segment.hip_usual.fit_usual`), :class:`TripletNet`, :class:`X1ai`.
    covariates
        Age, BMI and sex of the patient, as the pipeline was trained with them; none missing.
    size, film_width
        Side of a square and width of the films in pixels, those of the training; a narrower film is taken as it is.

    Raises
    ------
    ValueError
        The file cannot be read (:class:`osteolib.radiograph.RadiographError`), age, BMI or sex is missing, or there is
        a hip in neither half, as on a film of another bone; named is the file.
    """
    name = "the film" if isinstance(film, Radiograph) else Path(film).name
    film = film if isinstance(film, Radiograph) else read_radiograph(film)
    pixels = reduced(eight_bit(film.pixels), film_width)
    scale = film.pixels.shape[1] / pixels.shape[1]
    found = find(pixels)
    strange = usual.strange(found, pixels.shape)
    reasons = {
        one.side: why_not(one, pixels.shape, film.spacing_mm and scale * film.spacing_mm[1], strange[one.side])
        for one in found
    }
    behind_metal = [one.obstructed and one.square is not None and not strange[one.side] for one in found]
    if all(reasons.values()) and not any(behind_metal):
        why = "; ".join(reasons.values())
        raise ValueError(f"{name}: no hip can be scored ({why}); give an AP film of the pelvis, bright bone, head up")
    clear = [one for one in found if not reasons[one.side]]
    told = {}
    if clear:
        squares = [square_of(pixels, one, size) for one in clear]
        images, femur = (np.stack(part) for part in zip(*squares, strict=True))
        x = with_covariates(describe(network, images, femur), np.tile(covariates, (len(clear), 1)))
        said = pipeline.predict(x)
        told = {one.side: (float(t), float(p)) for one, t, p in zip(clear, said["t_score"], said["score"], strict=True)}
    places = [one.square and tuple(round(scale * edge) for edge in one.square) for one in found]
    return tuple(
        HipScore(one.side, *told.get(one.side, (None, None)), reasons[one.side], place)
        for one, place in zip(found, places, strict=True)
    )


def reduced(pixels: NDArray[np.uint8], width: int) -> NDArray[np.uint8]:
    """A film at this width, every new pixel a mean over those it covers; one that is no wider as it is."""
    from PIL import Image

    if pixels.shape[1] <= width:
        return pixels
    height = max(1, round(pixels.shape[0] * width / pixels.shape[1]))
    return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.BOX))


def why_not(found: HipFound, shape: tuple[int, int], spacing_mm: float | None, strange: str = "") -> str:
    """Why a hip is not scored: metal, no femur, or one that cannot be a proximal femur; empty where all is well.

    ``strange`` is what :meth:`osteolib.segment.hip_usual.UsualHips.strange` says of it.
    """
    if found.obstructed and not strange:
        what = {"joint": "an artificial joint", "screw": "screws"}
        seen = [f"{what[kind]} (score {found.scores[kind]:.2f})" for kind in what if kind in found.masks]
        return f"{found.side} hip: obstructed by {' and '.join(seen)}"
    if found.square is None:
        return f"{found.side} hip: {found.reason}"
    x0, y0, x1, y1 = found.square
    share = (x1 - x0) / (shape[1] / 2)
    inside = found.masks["femur"][max(y0, 0) : y1, max(x0, 0) : x1]
    filled = inside.sum() / (x1 - x0) ** 2
    problems = [strange] if strange else []
    if not HALF[0] <= share <= HALF[1]:
        problems.append(f"its square spans {share:.0%} of half the film")
    if spacing_mm is not None and not SIDE_MM[0] <= (x1 - x0) * spacing_mm <= SIDE_MM[1]:
        problems.append(f"its square is {(x1 - x0) * spacing_mm:.0f} mm wide")
    if not FILLED[0] <= filled <= FILLED[1]:
        problems.append(f"it fills {filled:.0%} of its square")
    return f"{found.side} hip: what was found is no proximal femur, {' and '.join(problems)}" if problems else ""


def square_of(pixels: NDArray, found: HipFound, size: int) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Enhanced square and femur of a hip that was found, both (size, size), as a right hip."""
    image, femur = right_hip(pixels, found.masks["femur"], found.side, size)
    return enhance(image), femur
