"""What a comparison of methods found, ready to be read off, shown and recorded; `comparison.py` makes it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import pandas as pd

from osteolib.report.show import with_ci
from osteolib.runs import Run

INTERVAL = ["value", "ci_low", "ci_high"]
ROWS = ["method", "metric", *INTERVAL, "n", "people", "attainable"]
DIFFERENCES = ["method", "reference", "metric", *INTERVAL, "n", "people"]
LABELS = {
    "auroc": "AUROC", "auprc": "AUPRC", "brier": "Brier score", "ppv": "PPV", "npv": "NPV", "f1": "F1", "mcc": "MCC",
    "balanced_accuracy": "balanced accuracy", "youden_j": "Youden's J",
}  # fmt: skip

Interval = tuple[float, float, float]  # value, lower end, upper end


@dataclass(frozen=True, eq=False)
class Comparison:
    """Methods on the same people; made by :func:`compare_scores`, :func:`compare_statistics`, :func:`together`.

    ``rows`` has the columns :data:`ROWS`, one row a method and metric; ``differences`` the columns
    :data:`DIFFERENCES`, method minus reference on the same resamples. An interval that cannot be had is NaN. ``exact``
    holds the pairs of method and metric whose interval in ``rows`` is Clopper and Pearson's, resampling giving one
    point.
    """

    rows: pd.DataFrame
    differences: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=DIFFERENCES))
    exact: frozenset[tuple[str, str]] = frozenset()

    def __post_init__(self):
        if (twice := self.rows.duplicated(["method", "metric"])).any():
            raise ValueError(f"{' of '.join(self.rows.loc[twice, ['metric', 'method']].iloc[0])} stands twice")

    @property
    def methods(self) -> list[str]:
        return list(self.rows["method"].unique())

    @property
    def metrics(self) -> list[str]:
        return list(self.rows["metric"].unique())

    def estimate(self, method: str, metric: str | None = None) -> Interval:
        """Value and interval of a method; ``metric`` defaults to the first one."""
        return _interval_of(self.rows, method=method, metric=metric or self.metrics[0])

    def difference(self, method: str, reference: str, metric: str | None = None) -> Interval:
        """Method minus reference and its interval, for a pair that was asked for."""
        return _interval_of(self.differences, method=method, reference=reference, metric=metric or self.metrics[0])

    def text(self, method: str, metric: str | None = None, spec: str = ".2f", times: float = 1) -> str:
        """An estimate and its interval as :func:`interval_text` has them, both ``times`` a number (100: per cent)."""
        exact = (method, metric or self.metrics[0]) in self.exact
        return interval_text(*(times * end for end in self.estimate(method, metric)), spec, exact)

    def share(self, method: str) -> Interval:
        """Share of the attainable above chance, ``(auroc - 0.5) / (attainable - 0.5)``; the ends likewise."""
        rows = self.rows[self.rows["attainable"].notna()]
        value, low, high = _interval_of(rows, method=method)
        above = rows.loc[rows["method"] == method, "attainable"].iloc[0] - 0.5
        return (value - 0.5) / above, (low - 0.5) / above, (high - 0.5) / above

    def table(self, metrics: Iterable[str] | None = None, head: str = "method", spec: str = ".2f") -> pd.DataFrame:
        """One row a method: each metric with its interval as text, the share of the attainable, n where it differs."""
        lines = []
        for method, rows in self.rows.groupby("method", sort=False):
            line = {head: method} | {
                f"{label(metric)} (95 % CI)": self.text(method, metric, spec)
                for metric in rows["metric"]
                if metrics is None or metric in metrics
            }
            if rows["attainable"].notna().any():
                percent = (100 * end for end in self.share(method))
                line["share of the attainable, % (95 % CI)"] = with_ci(*percent, ".0f")
            lines.append(line | ({"n": rows["n"].iloc[0]} if self.rows["n"].nunique() > 1 else {}))
        return pd.DataFrame(lines).fillna("–")

    def difference_table(self, metrics: Iterable[str] | None = None, spec: str = "+.3f") -> pd.DataFrame:
        """One row a pair, ``method − reference``; each metric's difference with its interval as text."""
        lines = {}
        for row in self.differences.itertuples():
            if metrics is None or row.metric in metrics:
                pair = f"{row.method} − {row.reference}"
                shown = with_ci(row.value, row.ci_low, row.ci_high, spec)
                lines.setdefault(pair, {"difference": pair})[f"{label(row.metric)} (95 % CI)"] = shown
        return pd.DataFrame(lines.values()).fillna("–")

    def words(self, metric: str | None = None, spec: str = ".2f") -> str:
        """The estimates of one metric as text, for readers who cannot see the figure."""
        metric = metric or self.metrics[0]
        methods = self.rows.loc[self.rows["metric"] == metric, "method"]
        return "; ".join(f"{method} {self.text(method, metric, spec)}" for method in methods)

    def record(
        self,
        run: Run,
        cohort: str,
        text: str = "{metric}, {method}",
        difference: str | None = None,
        published: Mapping[tuple[str, str], str] | None = None,
    ) -> None:
        """Record every row as a result of the run; with ``difference`` the differences too.

        Parameters
        ----------
        text, difference
            How a result is called, with the fields ``{metric}``, ``{method}`` and, of a difference, ``{reference}``.
        published
            The published value that a ``(method, metric)`` answers. One that is not there is an error.
        """
        published = dict(published or {})
        for form, rows in ((text, self.rows), (difference, self.differences if difference else self.rows[:0])):
            for row in rows.to_dict("records"):
                answers = published.pop((row["method"], row["metric"]), None) if form is text else None
                ci = row["ci_low"], row["ci_high"]
                run.result(answers, form.format(**row), row["value"], n=row["n"], cohort=cohort, ci=ci)
        if published:
            raise ValueError(f"no result answers these published values: {sorted(published.values())}")

    def only(self, methods: Iterable[str]) -> Comparison:
        """The same with some of the methods; a name that is not there is an error."""
        chosen = list(methods)
        if missing := sorted(set(chosen) - set(self.methods)):
            raise KeyError(f"{missing} are not compared; there are {self.methods}")
        rows, d = self.rows, self.differences
        both = d["method"].isin(chosen) & d["reference"].isin(chosen)
        return replace(self, rows=rows[rows["method"].isin(chosen)], differences=d[both])

    def renamed(self, names: str | Mapping[str, str]) -> Comparison:
        """The same under other names of methods: all put into a form, ``"{}, recorded"``, or some looked up."""

        def new(name: str) -> str:
            return names.format(name) if isinstance(names, str) else names.get(name, name)

        both = {side: self.differences[side].map(new) for side in ("method", "reference")}
        return replace(
            self,
            rows=self.rows.assign(method=self.rows["method"].map(new)),
            differences=self.differences.assign(**both),
            exact=frozenset((new(method), metric) for method, metric in self.exact),
        )


def interval_text(value: float, low: float, high: float, spec: str = ".2f", exact: bool = False) -> str:
    """As :func:`with_ci`; an exact interval is marked as one, ``1.00 (0.74 to 1.00, exact)``."""
    text = with_ci(value, low, high, spec)
    return f"{text.removesuffix(')')}, exact)" if exact else text


def label(metric: str) -> str:
    """A metric as a reader writes it: ``auroc`` is AUROC."""
    return LABELS.get(metric, metric)


def _interval_of(rows: pd.DataFrame, **where: str) -> Interval:
    for column, name in where.items():
        if name not in set(rows[column]):
            raise KeyError(f"{column} {name!r} is not compared; there are {sorted(set(rows[column]))}")
        rows = rows[rows[column] == name]
    return tuple(float(rows[end].iloc[0]) for end in INTERVAL)
