"""What a page shows: figures, tables and boxes, the scorecard, and the book itself."""

from typing import TYPE_CHECKING

from osteolib.runs.lazy import lazy_names

if TYPE_CHECKING:
    from osteolib.report.show import explain_missing, figure, load_or_explain, provenance, say, table, with_ci

__all__ = ["explain_missing", "figure", "load_or_explain", "provenance", "say", "table", "with_ci"]
__getattr__ = lazy_names(__name__)
