"""``load_cohort``: one door for public sets, a hospital's own folders and phantoms."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from osteolib.cohorts.cohort import Cohort
from osteolib.cohorts.files import find_data, how_to_mend, verify_files
from osteolib.cohorts.manifest import Manifest, load_manifest


def load_cohort(name: str, **options: Any) -> Cohort:
    """Verify the files of a cohort and turn them into subjects.

    Parameters
    ----------
    name
        A manifest under ``data_manifests/cohorts``; ``osteolib data list`` shows them.
    options
        Those of the cohort's reader, such as ``unit="knee"`` or ``cross_class_duplicates="keep"``.

    Raises
    ------
    DataNotFound
        The files are not here.
    ValueError
        No such cohort or option, a file was changed, or the table breaks a rule; the message names row and remedy.
    """
    manifest = load_manifest(name)
    folder = None if manifest.kind == "phantom" else find_data(manifest)
    read = reader_of(manifest)
    if read is None:
        raise ValueError(f"{name} has files but no table of subjects yet. {manifest.what_would_run}")
    defaults = {p.name: p.default for p in inspect.signature(read).parameters.values() if p.kind is p.KEYWORD_ONLY}
    if unknown := sorted(set(options) - set(defaults)):
        raise ValueError(f"{name} has no option {', '.join(unknown)}: its options are {', '.join(defaults) or 'none'}")
    report = verify_files(manifest, folder) if folder else None
    if report and not report.ok:
        raise ValueError(how_to_mend(manifest, report))
    if report and manifest.partial:  # what is there decides what the cohort is
        manifest = replace(manifest, files=report.present)
    return read(manifest, folder, **(defaults | options))


def reader_of(manifest: Manifest) -> Callable[..., Cohort] | None:
    """What makes subjects from this manifest; simulated people have no files to read. None: nothing does yet."""
    if manifest.kind == "phantom":
        from osteolib.cohorts import hip_phantom, phantoms, vertebra_phantom

        made = {"hand-phantom": phantoms.read_hand_phantom, "hip-phantom": hip_phantom.read_hip_phantom,
                "knee-phantom": phantoms.read_knee_phantom,
                "vertebra-phantom": vertebra_phantom.read_vertebra_phantom}  # fmt: skip
        return made.get(manifest.name)
    from osteolib.cohorts import ct_vertebrae, dxa_korea, hand_rsna, hrpqct, knee_wani, nhanes, own, strnet_stage1

    readers = {"ct_vertebrae": ct_vertebrae.read, "dxa_korea": dxa_korea.read, "hand_rsna": hand_rsna.read,
               "hrpqct": hrpqct.read, "knee_wani": knee_wani.read, "nhanes": nhanes.read, "own": own.read,
               "strnet_stage1": strnet_stage1.read}  # fmt: skip
    return readers.get(manifest.reader)
