"""Helpers behind an executable replication of five osteoporosis-screening studies.

Five names cover most uses: :func:`start` (a run), :func:`load_cohort` (verified subjects), and the packages ``stats``,
``radiograph`` and ``report``.
"""

from typing import TYPE_CHECKING

from osteolib.runs.lazy import lazy_names

if TYPE_CHECKING:
    from osteolib.cohorts import load_cohort
    from osteolib.runs import start

__all__ = ["load_cohort", "start"]
__version__ = "0.1.0"
__getattr__ = lazy_names(__name__)
