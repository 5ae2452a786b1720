"""What a page shows: figures, tables and boxes, the scorecard, and the book itself."""

from osteolib.report.show import explain_missing, figure, load_or_explain, provenance, say, table, with_ci

__all__ = ["explain_missing", "figure", "load_or_explain", "provenance", "say", "table", "with_ci"]
