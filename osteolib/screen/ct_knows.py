"""What frozen encoders know of vertebrae: straight lines fitted on training patients, answers for test patients."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from osteolib.screen.ct_images import WINDOW_HU
from osteolib.screen.ct_starts import ENCODERS
from osteolib.screen.ct_study import CTStudy
from osteolib.screen.readout import read_out
from osteolib.ssl.ct_encoders import build_ct_encoder
from osteolib.ssl.ct_pretrain import embed_vertebrae, load_ct_encoder

QUESTIONS = ("osteoporosis", "density", "size", "scanner", "level")
CENTRE = 9
"""Voxels along a side of the square whose mean HU is read, as a radiologist lays a region into a vertebra."""
MEASURED = "mean HU"


def features_of(study: CTStudy, folders: Mapping[str, Path], seed: int) -> dict[str, NDArray]:
    """Features (n, any number) of the labelled vertebrae by reader.

    First each untrained encoder, as ``random resnet18-half``; then those of ``folders``, by method of
    :mod:`osteolib.screen.ct_starts`; last :data:`MEASURED`, one number.
    """
    found = {}
    for name in dict.fromkeys(ENCODERS[method] for method in folders):
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            found[f"random {name}"] = embed_vertebrae(build_ct_encoder(name), study.images)
    for method, folder in folders.items():
        found[method] = embed_vertebrae(load_ct_encoder(folder, ENCODERS[method]), study.images)
    return found | {MEASURED: central_hu(study.images)[:, None]}


def central_hu(images: NDArray[np.uint8]) -> NDArray:
    """Mean HU of a square in the middle of each of the three planes, (n,); its side is :data:`CENTRE` voxels.

    Raises
    ------
    ValueError
        The planes are smaller.
    """
    if images.shape[-1] < CENTRE:
        raise ValueError(f"planes of {images.shape[-1]} pixels are smaller than the square that is read, {CENTRE}")
    low = images.shape[-1] // 2 - CENTRE // 2
    square = images[..., low : low + CENTRE, low : low + CENTRE]
    return WINDOW_HU[0] + (WINDOW_HU[1] - WINDOW_HU[0]) * square.mean((1, 2, 3)) / 255


def alive(features: NDArray, fitted: NDArray[np.bool_], share: float = 0.2) -> NDArray:
    """The features (n, fewer) that differ from their own median in so many of the rows that a line is fitted on.

    A unit that is 0 but for a few of those rows has next to no spread in them: divided by it, a row on which the unit
    wakes outweighs all others. Where none is left, all stay.
    """
    x = features[fitted]
    kept = (x != np.median(x, axis=0)).mean(0) >= share
    return features[:, kept] if kept.any() else features


def what_vertebrae_tell(features: Mapping[str, NDArray], study: CTStudy) -> pd.DataFrame:
    """The :data:`QUESTIONS` to each reader, by :func:`osteolib.screen.readout.read_out` from what is :func:`alive`.

    Returns
    -------
    A row for each reader, question and test vertebra: ``reader, question, unit_id, subject_id, truth, answer``. Of
    ``osteoporosis`` the answer is a probability, of ``density`` (logarithm of the true mg/cm³ of the spongy bone),
    ``size`` (of the bone, a factor) and ``level`` (1 to 18) a number, and of ``scanner`` 1 where it is named rightly,
    0 where not.

    Raises
    ------
    ValueError
        A reader does not have a row for each vertebra.
    """
    rows, train, test = study.rows, study.parts["train"], study.parts["test"]
    truth = {"osteoporosis": rows["label"].eq("osteoporosis").to_numpy(int),
             "density": np.log(rows["spongy_mg_cm3"].to_numpy(float)), "size": rows["scale"].to_numpy(float),
             "scanner": rows["scanner"].to_numpy(str),
             "level": rows["level_number"].to_numpy(float)}  # fmt: skip
    told = []
    for reader, x in features.items():
        if len(x) != len(rows):
            raise ValueError(f"{reader} has features of {len(x)} vertebrae, the study has {len(rows)}")
        steady = alive(x, train)
        for question, y in truth.items():
            answer, known = read_out(steady, y, train, test), y[test]
            if question == "scanner":
                answer, known = (answer == known).astype(float), np.ones(len(known))
            told.append(pd.DataFrame({
                "reader": reader, "question": question, "unit_id": rows["unit_id"][test],
                "subject_id": rows["subject_id"][test], "truth": known, "answer": answer,
            }))  # fmt: skip
    return pd.concat(told, ignore_index=True)
