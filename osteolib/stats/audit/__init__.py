"""Audit of reported numbers: what printed values say about each other, by computation alone."""

from osteolib.stats.audit.confusion import ConfusionMatrix, confusion_matrices
from osteolib.stats.audit.exchange import exchange, nearest_matrix, pooled_n
from osteolib.stats.audit.printed import ROUNDINGS, Printed, printed

__all__ = [
    "ROUNDINGS",
    "ConfusionMatrix",
    "Printed",
    "confusion_matrices",
    "exchange",
    "nearest_matrix",
    "pooled_n",
    "printed",
]
