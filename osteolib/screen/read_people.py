"""What linear models read off the bones of people who did not train them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from osteolib.screen.readout import read_out


def read_by_bone(features: NDArray, bones: pd.DataFrame, target: ArrayLike, held: NDArray[np.bool_]) -> pd.Series:
    """Prediction of a number for each held-out person, a ridge regression for each of the seven bones.

    A bone tells the same thing in its own way: one model for all of them would have to know first which bone it sees.

    Parameters
    ----------
    features
        Shape (n, features).
    bones
        A row each: ``subject_id, bone``.
    target
        Of each bone's person, shape (n,), float.
    held
        Bones of people who did not train, shape (n,).

    Returns
    -------
    By ``subject_id``: the mean over the person's bones.
    """
    said, target = np.full(len(bones), np.nan), np.asarray(target, float)
    for bone in bones["bone"].unique():
        own = bones["bone"].eq(bone).to_numpy()
        said[own & held] = read_out(features, target, own & ~held, own & held)
    return pd.Series(said[held]).groupby(bones["subject_id"].to_numpy()[held]).mean()


def what_bones_tell(
    features: NDArray, bones: pd.DataFrame, truth: Mapping[str, pd.Series], held: NDArray[np.bool_]
) -> dict[str, float]:
    """``which bone`` (accuracy), and of each number of ``truth`` Pearson's r with what :func:`read_by_bone` says.

    ``truth``: numbers of each person, by ``subject_id``; the rest as in :func:`read_by_bone`.
    """
    name = bones["bone"].to_numpy(str)
    told = {"which bone": float((read_out(features, name, ~held, held) == name[held]).mean())}
    for what, number in truth.items():
        said = read_by_bone(features, bones, number[bones["subject_id"]], held)
        told[what] = float(np.corrcoef(said, number[said.index])[0, 1])
    return told
