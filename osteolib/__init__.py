"""Helpers behind an executable replication of five osteoporosis-screening studies.

Five names cover most uses: :func:`start` (a run), :func:`load_cohort` (verified subjects), and the packages ``stats``,
``radiograph`` and ``report``.
"""

from osteolib.cohorts import load_cohort
from osteolib.runs import start

__all__ = ["load_cohort", "start"]
__version__ = "0.1.0"
