"""Are these Hounsfield units? What a file without its rescale, or scaled to grey values, betrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from osteolib.volume.grid import VolumeError

PADDED = -1500  # below: what a scanner writes outside its circle
NO_BONE = 100  # HU; spongy bone of an old spine has about as many, cortex some hundreds
SHIFTED = (
    900,
    1300,
)  # where soft tissue lies when 1024 were not taken away; of a body hardly more than cortex lies there
SHIFTED_SHARE = 0.15


def check_hounsfield(voxels: NDArray[np.float32], name: str) -> None:
    """Refuse what cannot be Hounsfield units of a body.

    Raises
    ------
    VolumeError
        A value is not finite; all are alike; none lies below water, although fat and air do, or too many where soft
        tissue without the rescale intercept does; none is as bright as bone (scaled to grey values); half the picture
        is far darker than air (the intercept was applied twice).
    """
    if not np.isfinite(voxels).all():
        raise VolumeError(f"{name}: {int((~np.isfinite(voxels)).sum())} voxels are not numbers; convert the scan again")
    shown = voxels[voxels > PADDED]
    if 2 * len(shown) < voxels.size:
        raise VolumeError(f"{name}: half of its voxels lie below {PADDED}, darker than air: the rescale intercept was "
                          "applied twice; convert the scan again")  # fmt: skip
    low, high = float(shown.min()), float(shown.max())
    if low == high:
        raise VolumeError(f"{name}: every voxel is {low:g}; there is no picture in it")
    if high < NO_BONE:
        raise VolumeError(f"{name}: nothing exceeds {high:.4g}, where bone has hundreds of Hounsfield units; "
                          "give the scan before it was scaled to grey values")  # fmt: skip
    remedy = "convert the scan again, or read it with offset_hu=-1024 if its soft tissue lies near 1060"
    shifted = float(((shown > SHIFTED[0]) & (shown < SHIFTED[1])).mean())
    if shifted > SHIFTED_SHARE:
        raise VolumeError(f"{name}: {shifted:.0%} of its voxels lie between {SHIFTED[0]} and {SHIFTED[1]}, as soft "
                          f"tissue does without the rescale intercept; {remedy}")  # fmt: skip
    if low >= 0:
        raise VolumeError(f"{name}: nothing lies below 0, where fat has -100 Hounsfield units and air -1000: stored "
                          f"values without the rescale; {remedy}")  # fmt: skip
