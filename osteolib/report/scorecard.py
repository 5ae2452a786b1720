"""The scorecard: every published value beside our result, or beside the reason why there is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from osteolib.report.html import html_table
from osteolib.report.published import PAPERS
from osteolib.report.verdict import STATES, VERDICTS, Margin, load_margins, method_check, verdict
from osteolib.runs import ROOT

STATES_FILE = ROOT / "book" / "states.yaml"
METHOD_CHECK = "method_check"
"""The metric of a phantom's result row that says whether a method passed (1) or failed (0)."""

OURS = {
    "metric": "str", "value": float, "ci_low": float, "ci_high": float, "n": "Int64", "cohort": "str",
    "profile": "str", "seed": "Int64", "config_hash": "str", "notebook": "str",
}  # fmt: skip


class State(BaseModel):
    """Why published values have no result of ours. ``ids`` are whole ids or their beginnings up to a dot."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ids: tuple[str, ...] = Field(min_length=1)
    state: Literal[STATES]
    reason: str = Field(min_length=1)


def load_states(path: Path = STATES_FILE) -> tuple[State, ...]:
    """The states in ``book/states.yaml``.

    Raises
    ------
    ValueError
        The file breaks the schema, or an id stands twice.
    """
    try:
        states = TypeAdapter(tuple[State, ...]).validate_python(yaml.safe_load(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        first = error.errors()[0]
        place = ", ".join(str(part) for part in first["loc"])
        raise ValueError(f"{path.name}, entry {place}: {first['msg']}") from error
    ids = pd.Series([name for state in states for name in state.ids])
    if ids.duplicated().any():
        raise ValueError(f"{path.name}: {ids[ids.duplicated()].iloc[0]!r} stands twice")
    return states


def scorecard(
    published: pd.DataFrame,
    results: pd.DataFrame,
    states: Sequence[State],
    margins: Mapping[str, Margin] | None = None,
) -> pd.DataFrame:
    """Join every published value with our result and give the verdict.

    Parameters
    ----------
    published
        From :func:`osteolib.report.published.load_published`.
    results
        Result rows of the runs: ``published_id, metric, value, ci_low, ci_high, n, cohort, kind, profile, seed,
        config_hash`` and, if known, ``notebook``. Fractions are in [0, 1], also where the paper prints percent. Rows
        without ``published_id`` are ignored. Of a phantom only rows with the metric ``method_check`` count.
    states
        What to say where there is no result; the longest matching id decides.
    margins
        By metric; ``None`` reads ``book/margins.yaml``.

    Returns
    -------
    DataFrame
        One row for each published value, in their order: ``published_id, paper, source, quantity, of, reported,
        unit, decimals, published`` (as a fraction where the paper prints percent), ``metric, ours, ci_low, ci_high,
        n, cohort, profile, seed, config_hash, notebook, verdict, reason, method_check``.

    Raises
    ------
    ValueError
        A result names an unknown published value, two results name the same one, a result is NaN or has a metric
        without margin, a percent was recorded where a fraction is due, or a value has neither result nor state.
    """
    margins = load_margins() if margins is None else margins
    results = results[results["published_id"].notna()].reindex(columns=["published_id", "kind", *OURS])
    if unknown := sorted(set(results["published_id"]) - set(published["published_id"])):
        raise ValueError(f"results name published values that do not exist: {unknown[:3]}")
    real, phantom = results[results["kind"] == "real"], results[results["kind"] == "phantom"]
    if len(real) + len(phantom) != len(results):
        raise ValueError(f"kind must be 'real' or 'phantom', got {sorted(set(results['kind']) - {'real', 'phantom'})}")
    if (twice := real["published_id"].duplicated()).any():
        raise ValueError(
            f"two results name {real['published_id'][twice].iloc[0]!r}: leave published_id empty in the one that is "
            "not the answer to it"
        )
    if (empty := real["value"].isna()).any():
        raise ValueError(f"the result for {real['published_id'][empty].iloc[0]!r} is NaN: record none instead")
    percent = published["unit"] == "%"
    card = published[["published_id", "paper", "source", "quantity", "of", "reported", "unit", "decimals"]].copy()
    card["published"] = published["value"].where(~percent, published["value"] / 100)
    ours = real.drop(columns="kind").astype(OURS).rename(columns={"value": "ours"})
    card = card.merge(ours, on="published_id", how="left", validate="one_to_one")
    decided = [_decide(row, states, margins) for row in card.itertuples()]
    card["verdict"], card["reason"] = zip(*decided, strict=True)
    checks = phantom[phantom["metric"] == METHOD_CHECK]
    passed = checks.groupby("published_id")["value"].apply(method_check)
    card["method_check"] = card["published_id"].map(passed).astype("str")
    made_by = checks.drop_duplicates("published_id").set_index("published_id")["notebook"]
    card["notebook"] = card["notebook"].where(card["ours"].notna(), card["published_id"].map(made_by)).astype("str")
    return card


def _decide(row, states: Sequence[State], margins: Mapping[str, Margin]) -> tuple[str, str]:
    state = _state(row.published_id, states)
    if pd.isna(row.ours):
        if state is None:
            raise ValueError(f"{row.published_id} has neither a result nor a state: add it to {STATES_FILE.name}")
        return state.state, state.reason
    if state is not None and state.state == "inconsistent as published":
        return state.state, state.reason
    if row.metric not in margins:
        raise ValueError(f"{row.published_id}: metric {row.metric!r} has no margin in {sorted(margins)}")
    if np.isnan(row.published):
        raise ValueError(f"{row.published_id}: the paper prints words, {row.reported!r}, which no number answers")
    fraction = row.unit in ("fraction", "%")
    if fraction and abs(row.ours) > 1:
        raise ValueError(f"{row.published_id}: {row.ours} is not a fraction in [0, 1]; record percent divided by 100")
    decimals = int(row.decimals) + (2 if row.unit == "%" else 0)
    margin = margins[row.metric]
    return verdict(row.published, row.ours, (row.ci_low, row.ci_high), margin, decimals=decimals), ""


def _state(published_id: str, states: Sequence[State]) -> State | None:
    """The state whose id is the longest beginning of ``published_id``, cut at dots."""
    found = [(len(name), state) for state in states for name in state.ids if f"{published_id}.".startswith(f"{name}.")]
    return max(found, key=lambda pair: pair[0])[1] if found else None


def summary_by_paper(card: pd.DataFrame) -> pd.DataFrame:
    """How many values of each paper have which verdict: ``values`` (all) and the verdicts in columns."""
    counts = pd.crosstab(card["paper"], card["verdict"]).reindex(columns=list(VERDICTS), fill_value=0)
    counts.insert(0, "values", counts.sum(axis="columns"))
    return counts.rename_axis(columns=None)


def for_reading(card: pd.DataFrame) -> pd.DataFrame:
    """The scorecard as text: units and decimals of the paper, columns without any entry left out.

    ``page`` is the address, seen from a page of the book, of the notebook that made the number before it.
    """
    shown = pd.DataFrame(
        {
            "Paper": card["paper"].map(PAPERS),
            "Published value": [f"{row.quantity}; {row.of}" if row.of == row.of else row.quantity
                                for row in card.itertuples()],
            "Where": card["source"],
            "Published": [f"{row.reported.replace('-', '−')}{_unit(row)}" for row in card.itertuples()],
            "Verdict": card["verdict"],
            "Ours": [_ours(row) or ("see method check" if row.method_check == row.method_check else "")
                     for row in card.itertuples()],
            "page": card["notebook"].map("../notebooks/{}.html".format, na_action="ignore"),
            "Why": card["reason"],
            "Data": np.select(
                [card["ours"].notna(), card["method_check"].notna()], ["real", "phantom or printed counts"], "none"
            ),
            "Method check": card["method_check"],
        }
    )  # fmt: skip
    optional = shown.columns.isin(["Ours", "Why", "Data", "Method check"])
    return shown.loc[:, (shown.notna() & (shown != "")).any() | ~optional]


def scorecard_html(card: pd.DataFrame, caption: str) -> str:
    """The scorecard as a table for reading, grouped by paper, see :func:`for_reading`."""
    shown = for_reading(card)
    filters = [name for name in ("Verdict", "Data", "Method check") if name in shown]
    return html_table(shown, caption, filters=filters, group="Paper", chips={"Verdict", "Method check"}, links="page")


def _unit(row) -> str:
    return "" if pd.isna(row.unit) or row.unit == "fraction" else f" {row.unit}"


def _ours(row) -> str:
    """Our number as the paper would print it, with interval and number of units: '0.941 (0.902 to 0.967), n = 212'."""
    if pd.isna(row.ours):
        return ""
    scale, decimals = (100, int(row.decimals)) if row.unit == "%" else (1, int(row.decimals))

    def shown(value: float) -> str:
        smallest = 10.0**-decimals
        if 0 < value * scale < smallest / 2:
            return f"< {smallest:.{decimals}f}"
        return f"{value * scale:z.{decimals}f}".replace("-", "−")

    interval = "" if pd.isna(row.ci_low) else f" ({shown(row.ci_low)} to {shown(row.ci_high)})"
    return f"{shown(row.ours)}{_unit(row)}{interval}" + ("" if pd.isna(row.n) else f", n = {row.n}")
