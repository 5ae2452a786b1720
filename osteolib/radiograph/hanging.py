"""How a DICOM film is to be hung, and which side it shows, from what its elements say (PS3.3 C.7.6.1.1.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from osteolib.radiograph.film import RadiographError

if TYPE_CHECKING:
    from pydicom import Dataset

SIDES = {"R": "right", "L": "left"}
VIEWS = ("AP", "PA", "LL", "RL", "RLD", "LLD", "RLO", "LLO")  # PS3.3 C.8.7.1.1.1, View Position
AXES = {"L": "x", "R": "x", "A": "y", "P": "y", "H": "z", "F": "z"}
LIMBS = ("HAND", "WRIST", "FINGER", "THUMB", "FOREARM", "EXTREMITY")
"""Body parts that are not hung as they stand in the anatomical position, but with the fingers up: of these the letters
tell neither which end is up nor which side is seen."""

TURN = "turn it upright, the patient's left at the image's right, and remove PatientOrientation"


def hang(data: Dataset, name: str, pixels: NDArray) -> tuple[NDArray, bool]:
    """Turn pixels (height, width) head up and, seen from front or back, with the patient's left at the image's right.

    Returns
    -------
    The pixels, and whether rows and columns changed places. Without PatientOrientation, and of hands, the film is taken
    as it is stored.

    Raises
    ------
    RadiographError
        PatientOrientation is tilted on the film, along the body, no pair of directions, or contradicts ViewPosition.
    """
    letters = orientation(data).split("/")
    if letters == [""]:
        return pixels, False
    said = f"{name}: PatientOrientation {orientation(data)}"
    if len(letters) != 2 or not all(letters) or not set("".join(letters)) <= set(AXES):
        raise RadiographError(f"{said} names no two directions; {TURN}")
    # the first letter is the main direction; more tell how a person or the tube was turned, which the film shows anyway
    rows, columns = (letter[0] for letter in letters)
    axes = {AXES[rows], AXES[columns]}
    if len(axes) < 2:
        raise RadiographError(f"{said} names no two directions; {TURN}")
    if AXES[columns] in map(AXES.get, letters[0][1:]) or AXES[rows] in map(AXES.get, letters[1][1:]):
        raise RadiographError(f"{said} is tilted on the film, which no turn by right angles mends; {TURN}")
    if "z" not in axes:
        raise RadiographError(f"{said}: a view along the body; give one from the front, the back or the side")
    view, front = str(data.get("ViewPosition") or ""), "x" in axes
    if (front and view in ("LL", "RL")) or (not front and view in ("AP", "PA")):
        raise RadiographError(f"{said} contradicts ViewPosition {view}; correct the wrong one of the two, or remove it")
    if str(data.get("BodyPartExamined") or "").upper().startswith(LIMBS):
        if AXES[columns] != "z":
            raise RadiographError(f"{said}: it lies on its side; turn the fingers up and remove PatientOrientation")
        return pixels, False
    turned = AXES[rows] == "z"
    if turned and front:
        pixels, rows, columns = pixels.T, columns, rows
    elif turned:  # from the side there is no left and right to go by, so that it is turned and never mirrored
        pixels, columns = np.rot90(pixels, 1 if rows == "H" else -1), "F"
    if columns == "H":
        pixels = pixels[::-1] if front else pixels[::-1, ::-1]
    return (pixels[:, ::-1] if rows == "R" else pixels), turned


def side_of(data: Dataset, name: str) -> str | None:
    """``"right"``, ``"left"``, or None where both are shown or nothing is said.

    Raises
    ------
    RadiographError
        Two elements of laterality contradict each other.
    """
    keywords = ("FrameLaterality", "ImageLaterality", "Laterality")
    said = {keyword: str(data.get(keyword) or "").upper() for keyword in keywords}
    said = {keyword: side for keyword, side in said.items() if side in ("R", "L", "B")}
    if len(set(said.values())) > 1:
        told = ", ".join(f"{keyword} {side}" for keyword, side in said.items())
        raise RadiographError(f"{name}: {told} contradict each other; correct the wrong one, or remove it")
    return SIDES.get(next(iter(said.values()), ""))


def orientation(data: Dataset) -> str:
    """Directions of rows and columns, as in ``"L/F"``; empty where nothing is said."""
    value = data.get("PatientOrientation") or ""
    letters = [str(part).strip().upper() for part in ([value] if isinstance(value, str) else value)]
    return "/".join(letters) if any(letters) else ""
