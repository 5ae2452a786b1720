"""The tables that the pages of the book hold: scorecard, data, timings, versions."""

from __future__ import annotations

import html
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from osteolib.cohorts import Manifest, list_manifests, state
from osteolib.report.faults import fault_table, made_on, read_counts
from osteolib.report.html import html_table, with_download
from osteolib.report.published import PAPERS, load_published
from osteolib.report.scorecard import State, load_states, scorecard, scorecard_html, summary_by_paper
from osteolib.runs import ROOT, list_notebooks
from osteolib.runs.recorded import list_cells, machine, read_record, state_of

AUDIT = "15_audit_all"
"""The notebook that runs all audits and records which values they concern."""


def tables(recorded: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """HTML for every ``{{ ..._table }}`` of a page, from what the notebooks recorded."""
    card, timings = whole_scorecard(recorded), _timings(recorded)
    summary = summary_by_paper(card).reindex(PAPERS).rename(index=PAPERS).T.rename_axis("verdict")
    return {
        "scorecard_summary": block(html_table(summary.reset_index(), "Published values by verdict")),
        "scorecard_answered": block(
            scorecard_html(card[card["ours"].notna()], "Published values with a result of ours")
        ),
        "scorecard_all": block(scorecard_html(card, f"All {len(card)} published values")),
        "scorecard_bars": block(_bars(card)),
        "data_table": _data(),
        "data_problems": _problems(),
        "timings_table": block(with_download(timings.map(_plain), "timings", "Time and memory per notebook")),
        "peak_memory": _peak(timings),
        "records_table": block(with_download(_records(), "records", "Recorded runs")),
        "faults_table": block(with_download(fault_table(read_counts()), "faults", "What was tried, and how it ended")),
        "faults_made": made_on(read_counts()),
        "processor": machine(),
        "versions_table": block(with_download(_versions(recorded), "versions", "Versions")),
    }


def whole_scorecard(recorded: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """Every published value beside the results that the notebooks recorded."""
    rows = [r["rows"].assign(notebook=name) for name, r in recorded.items() if len(r["rows"])]
    results = pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=["published_id", "notebook"])
    published = load_published().sort_values("paper", key=lambda key: key.map(list(PAPERS).index), kind="stable")
    return scorecard(published, results, (*disputed(recorded), *load_states()))


def disputed(recorded: Mapping[str, Mapping[str, Any]]) -> list[State]:
    """The published values that the audit found at odds with each other, as the run of its page recorded them.

    Arithmetic alone says that of a paper's own numbers: what differs from words, from code, from a convention or from a
    model does not.
    """
    table = recorded[AUDIT]["folder"] / "concerns.csv" if AUDIT in recorded else None
    if table is None or not table.is_file():
        return []
    findings = pd.read_csv(table).dropna(subset="concerns")
    findings = findings[(findings["verdict"] == "inconsistent") & (findings["kind"] == "arithmetic")]
    lines = findings.assign(concerns=findings["concerns"].str.split(), said=findings["id"] + ": " + findings["claim"])
    by_value = lines.explode("concerns").groupby("concerns")["said"].agg("; ".join)
    return [
        State(ids=(name,), state="inconsistent as published", reason=f"Audit, {said}")
        for name, said in by_value.items()
    ]


def block(body: str) -> str:
    """HTML as a block inside a MyST page."""
    return f"```{{raw}} html\n{body}\n```"


def _bars(card: pd.DataFrame) -> str:
    """One bar a paper, its published values by verdict; the table of :func:`summary_by_paper` says the same."""
    counts = summary_by_paper(card).reindex(PAPERS).drop(columns="values")
    bars = []
    for key, row in counts.iterrows():
        parts = "".join(
            f'<span class="chip-{verdict.replace(" ", "-")}" style="flex-grow: {n}" title="{verdict}: {n}"></span>'
            for verdict, n in row.items()
            if n
        )
        bars.append(f'<dt>{html.escape(PAPERS[key])}</dt><dd aria-hidden="true">{parts}</dd>')
    seen = [verdict for verdict in counts if counts[verdict].any()]
    legend = " ".join(f'<span class="chip chip-{v.replace(" ", "-")}">{v}</span>' for v in seen)
    return f'<dl class="verdict-bars">{"".join(bars)}</dl>\n<p>{legend}</p>'


def _data() -> str:
    lines = []
    for m in _public_manifests():
        lines.append(f"{m.name}, *{state(m.name)}*\n: {m.title}. Licence: {m.licence}. Source: {m.source}")
    return "\n\n".join(lines)


def _public_manifests() -> list[Manifest]:
    """Without those of a hospital's own folders, whose very names may say too much; their folder is absolute."""
    return [m for m in list_manifests() if not Path(m.folder).is_absolute()]


def _problems() -> str:
    parts = []
    for manifest in _public_manifests():
        if manifest.known_problems:
            parts.append(f"**{manifest.name}**\n\n" + "\n".join(f"- {p}" for p in manifest.known_problems))
    return "\n\n".join(parts)


def _timings(recorded: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """Time, and the most memory, of each notebook with all its processes."""
    rows = []
    for notebook in list_notebooks():
        run = recorded[notebook.name]["run"]
        if run:
            profile = run["parameters"]["profile"]
            measured = ROOT / "build" / profile / "logs" / f"{notebook.name}.tsv"
            took = pd.read_csv(measured, sep="\t").iloc[-1] if measured.is_file() else {}
            peak = float(pd.to_numeric(took.get("max_rss", np.nan), errors="coerce"))
            minutes = f"{notebook.minutes[profile]:g}"
            rows.append((notebook.title, profile, minutes, f"{run['seconds']:.0f}", peak, run["device"]))
    columns = ["notebook", "profile", "minutes expected", "seconds", "peak memory, MB", "device"]
    return pd.DataFrame(rows, columns=columns)


def _plain(cell: str | float) -> str:
    """A cell of the table of timings: whole numbers, and a dash for what was not measured."""
    return cell if isinstance(cell, str) else "–" if np.isnan(cell) else f"{cell:.0f}"


def _peak(timings: pd.DataFrame) -> str:
    """The most memory at a time on two cores: a page with several trainings has both, two others stand side by side."""
    wide = {notebook.title for notebook in list_notebooks() if notebook.trains > 1}
    peaks = timings.set_index("notebook")["peak memory, MB"].dropna()
    alone, pair = peaks[peaks.index.isin(wide)].max(), peaks[~peaks.index.isin(wide)].nlargest(2).sum()
    return f"{np.nanmax([alone, pair]) / 1024:.1f} GiB" if len(peaks) else "not measured"


def _records() -> pd.DataFrame:
    """The recorded cells and their state."""
    rows = []
    for name, cell in list_cells().items():
        state = state_of(name)
        record = read_record(name) if state.startswith("recorded") else None
        made = (record.run["date"], record.run["hours"], record.run["machine"]) if record else ("", cell.hours, "")
        rows.append((name, cell.what, cell.profile, state, *made))
    columns = [
        "cell",
        "what",
        "profile",
        "state",
        "date",
        "hours of the last process (expected, where not recorded)",
        "machine",
    ]
    return pd.DataFrame(rows, columns=columns)


def _versions(recorded: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    seen = {}
    for results in recorded.values():
        if run := results["run"]:
            seen |= run["versions"] | {"Python": run["python"]}
    return pd.DataFrame(sorted(seen.items()), columns=["package", "version"])
