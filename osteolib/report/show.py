"""How a notebook shows what it found: a figure with alternative text, a table one can download, a sentence of facts."""

from __future__ import annotations

import html
import io
from string import Formatter
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from IPython import get_ipython
from IPython.display import HTML, Image, Markdown, display
from matplotlib.figure import Figure

from osteolib.cohorts import Cohort, DataNotFound, load_cohort
from osteolib.report.html import with_download
from osteolib.runs import Run
from osteolib.runs.csv_text import csv_text


def load_or_explain(run: Run, name: str, **options: Any) -> Cohort | None:
    """Load a cohort and record that the run used it.

    While the book is built, absent data end the page with a box instead of an error: the cells below stay unexecuted.
    By hand the same absence is an error, so that nobody mistakes an empty page for a result. Call it on the last line
    of a cell: the rest of that cell still runs.

    Raises
    ------
    DataNotFound
        The data are absent and the book is not being built.
    """
    try:
        cohort = load_cohort(name, **options)
    except DataNotFound as error:
        if not run.in_book:
            raise
        explain_missing(run, name, str(error))
        return None
    run.uses(cohort.name, cohort.kind, cohort.fingerprint)
    return cohort


def explain_missing(run: Run, name: str, reason: str) -> None:
    """Show which data are missing and how to get them, and leave the rest of the notebook unexecuted."""
    display(
        HTML(
            '<div class="admonition warning"><p class="admonition-title">The data of this page are not here</p>'
            f"<p>{html.escape(reason)}</p><p>The code below is shown but was not run, so it has no output.</p></div>"
        )
    )
    run.write("missing.txt", f"{name}: {reason}\n")
    run.finish()
    leave_rest_unexecuted()


def leave_rest_unexecuted() -> None:
    """Every later cell of a notebook becomes an empty one; outside of a notebook nothing happens."""
    if shell := get_ipython():
        shell.input_transformers_cleanup.append(lambda lines: [])


def figure(run: Run, name: str, fig: Figure, alt: str) -> None:
    """Save a figure beside the results and show it.

    Parameters
    ----------
    name
        File name without ending.
    alt
        What the figure shows, for readers who cannot see it; it may hold numbers of this run.
    """
    buffer = io.BytesIO()
    fig.savefig(buffer, format="png", dpi=160, bbox_inches="tight", facecolor="white", metadata={"Software": None})
    plt.close(fig)
    run.write(f"{name}.png", buffer.getvalue())
    display(Image(buffer.getvalue(), width=int(fig.get_figwidth() * 96), alt=alt))


def table(run: Run, name: str, frame: pd.DataFrame, caption: str, index: bool = True, **options: Any) -> None:
    """Save a table as CSV beside the results and show it with a caption and a download link.

    Text is escaped: a subject identifier is data, never markup. ``options`` are those of
    :func:`osteolib.report.html.html_table`: filters, group, chips, links, folds, folded.
    """
    frame = frame.reset_index() if index else frame
    run.write(f"{name}.csv", csv_text(frame))
    display(HTML(with_download(frame.rename(columns={"index": ""}), name, caption, **options)))


def say(run: Run, text: str) -> None:
    """Show a Markdown sentence whose ``{fields}`` are facts that the run recorded; an unknown one is an error.

    Facts that are text stand as they are: an identifier among them is never markup.
    """
    fields = {field.split(".")[0].split("[")[0] for _, field, _, _ in Formatter().parse(text) if field}
    if unknown := sorted(fields - set(run.facts)):
        raise ValueError(f"the text quotes facts that the run did not record: {unknown}")
    display(Markdown(_Plain().format(text, **run.facts)))


class _Plain(Formatter):
    """``str.format`` that writes a number below zero with a minus sign instead of a hyphen, and text without markup."""

    def format_field(self, value: Any, format_spec: str) -> Any:
        text = super().format_field(value, format_spec)
        if isinstance(value, str):
            return html.escape(text, quote=False).replace("](", "]\\(")  # neither tags nor links nor pictures
        return text.replace("-", "−", 1) if isinstance(value, (int, float)) and text.startswith("-") else text


def with_ci(value: float, low: float, high: float, spec: str = ".2f") -> str:
    """An estimate and its interval as text, ``0.72 (0.61 to 0.83)``; without interval ``0.72``, without value ``–``.

    An interval of one point, as resampling a sample without errors gives, is no certainty and is called ``no spread``.
    """
    ends = f"{low:{spec}} to {high:{spec}}" if low < high else "no spread"
    text = f"{value:{spec}} ({ends})" if low <= high else f"{value:{spec}}"
    return "–" if value != value else text.replace("-", "−")  # NaN is not itself


def interval_facts(name: str, value: float, low: float, high: float) -> dict[str, float]:
    """An estimate and its interval as the facts ``name``, ``name_low``, ``name_high`` of a sentence."""
    return {name: value, f"{name}_low": low, f"{name}_high": high}


def provenance(run: Run) -> None:
    """End the run and show how it was made: profile, cohorts, seed, versions, device, time."""
    record = run.finish()
    cohorts = (
        "; ".join(f"{n} ({c['kind']}, {', '.join(c['fingerprints'])})" for n, c in record["cohorts"].items()) or "none"
    )
    settings = ", ".join(f"{k} = {v}" for k, v in record["parameters"].items())
    rows = {
        "Parameters": settings,
        "Data": cohorts,
        "Configuration": record["config_hash"],
        "Device": record["device"],
        "Versions": f"Python {record['python']}, " + ", ".join(f"{n} {v}" for n, v in record["versions"].items()),
        "Time": f"{record['seconds']} s",
    }
    body = "".join(f"<tr><th scope='row'>{html.escape(k)}</th><td>{html.escape(v)}</td></tr>" for k, v in rows.items())
    display(
        HTML(f"<details class='provenance'><summary>How this page was made</summary><table>{body}</table></details>")
    )
