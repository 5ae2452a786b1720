"""Cohorts: from a manifest to verified files to subjects with fixed column names and units."""

from typing import TYPE_CHECKING

from osteolib.runs.lazy import lazy_names

if TYPE_CHECKING:
    from osteolib.cohorts.cohort import Cohort, flow
    from osteolib.cohorts.files import DataNotFound, Verification, find_data, state, verify
    from osteolib.cohorts.folds import grouped_folds
    from osteolib.cohorts.load import load_cohort
    from osteolib.cohorts.manifest import Manifest, list_manifests, load_manifest
    from osteolib.cohorts.own import FolderProblems, add_folder
    from osteolib.stats.labels import LABELS, RULES, bone_loss, label_from_t_score

__all__ = [
    "LABELS",
    "RULES",
    "Cohort",
    "DataNotFound",
    "FolderProblems",
    "Manifest",
    "Verification",
    "add_folder",
    "bone_loss",
    "find_data",
    "flow",
    "grouped_folds",
    "label_from_t_score",
    "list_manifests",
    "load_cohort",
    "load_manifest",
    "state",
    "verify",
]
__getattr__ = lazy_names(__name__)
