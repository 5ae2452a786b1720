"""Vertebrae of one real CT that comes with a segmentation: ``ct-totalsegmentator`` and ``ct-vertebra-tptbox``.

Neither has a bone density. They show the intake at work, and what simulated vertebrae should look like.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from osteolib.cohorts.cohort import Cohort, make_cohort
from osteolib.cohorts.manifest import Manifest
from osteolib.volume import Vertebra, find_vertebrae, read_labels, read_volume, require_same_grid

SAID = {
    "cut": "the edge of the scan cuts through it",
    "tiny": "a few voxels of it were segmented",
    "metal": "metal lies in it",
}


def read(manifest: Manifest, folder: Path) -> Cohort:
    """Read the cohort from its verified files; one row per vertebra of the manifest's levels that the map shows.

    Returns
    -------
    Beside the usual columns ``mask_path`` and ``mask_label``, the file of vertebrae and this one's number in it;
    ``region_path``, the file of their parts, missing where there is none; ``spacing_mm``, the coarsest;
    ``volume_mm3``; ``problem``, empty for a vertebra that can be measured (:class:`osteolib.volume.Vertebra`). T-score,
    bone density and label are missing: nobody measured them.

    Raises
    ------
    osteolib.volume.VolumeError
        A file is no CT or no map of labels, or they do not fit each other.
    """
    about = manifest.settings
    volume, labels = read_volume(folder / about["ct"]), read_labels(folder / about["vertebrae"])
    found = find_vertebrae(volume, labels, about["numbers"], about["vertebrae"])
    regions = about.get("regions")
    if regions:
        require_same_grid(volume, read_labels(folder / regions), regions)
    person = about["subject"]
    rows = [_row(person, vertebra) for vertebra in found]
    vertebrae = pd.DataFrame(rows).assign(
        subject_id=person, split_group=person, image_id=person, unit="vertebra", bone="vertebra",
        path=str(folder / about["ct"]), mask_path=str(folder / about["vertebrae"]),
        region_path=str(folder / regions) if regions else None, spacing_mm=max(volume.spacing_mm),
    )  # fmt: skip
    flags = [(person, "flagged", SAID[v.problem], v.level) for v in found if v.problem]
    shape, mm = (" x ".join(f"{n:.4g}" for n in of) for of in (volume.voxels.shape, volume.spacing_mm))
    notes = (
        "One person without a measured bone density: nothing here is a label.",
        f"{shape} voxels of {mm} mm from foot to head, back to front, left to right; stored {volume.stored}.",
        *volume.notes,
    )
    return make_cohort(manifest, {}, vertebrae, flags, notes)


def _row(person: str, vertebra: Vertebra) -> dict[str, object]:
    return {"unit_id": f"{person}-{vertebra.level}", "level": vertebra.level, "mask_label": vertebra.label,
            "volume_mm3": vertebra.volume_mm3, "problem": vertebra.problem}  # fmt: skip
