"""Profiles, parameters, fingerprints, the artefact store and the run behind every notebook."""

from typing import TYPE_CHECKING

from osteolib.runs.fingerprint import dependencies, fingerprint
from osteolib.runs.lazy import lazy_names
from osteolib.runs.paths import ROOT

if TYPE_CHECKING:
    from osteolib.runs.notebooks import Notebook, list_notebooks
    from osteolib.runs.parameters import ParameterError, load_profile
    from osteolib.runs.run import Run, start
    from osteolib.runs.store import artefact, cached

__all__ = [
    "ROOT",
    "Notebook",
    "ParameterError",
    "Run",
    "artefact",
    "cached",
    "dependencies",
    "fingerprint",
    "list_notebooks",
    "load_profile",
    "start",
]
__getattr__ = lazy_names(__name__)
