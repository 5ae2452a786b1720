"""An audit as a YAML file: printed values, and findings that each name a check of :mod:`~osteolib.stats.audit.checks`.

A file may come from anybody: plain YAML only, at most 1 MB, no aliases, 12 levels; sentences are filled in by a
sandbox. All that is wrong is said in one ValueError, a line for each fault: FILE:LINE: what, and what to write instead.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, is_dataclass
from inspect import Parameter, getdoc, signature
from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from osteolib.stats.audit.arguments import Exact, faults, near, read
from osteolib.stats.audit.checks import CHECKS
from osteolib.stats.audit.expression import did_you_mean
from osteolib.stats.audit.kinds import Kind, assumptions, kind_of
from osteolib.stats.audit.other_ways import ways_that_fit
from osteolib.stats.audit.outcome import Outcome, Verdict
from osteolib.stats.audit.plain_yaml import read_yaml
from osteolib.stats.audit.printed import ROUNDINGS, printed
from osteolib.stats.audit.quantities import QUANTITIES
from osteolib.stats.audit.sentences import say
from osteolib.stats.audit.table_metrics import TABLE_METRICS

COLUMNS = [
    "id", "study", "source", "claim", "check", "kind", "computed", "verdict", "assumes", "sure", "innocent", "reader",
    "concerns", "details",
]  # fmt: skip
SERIOUS: tuple[Verdict, ...] = ("inconsistent", "differs", "not checkable", "consistent", "derived")  # the first first
Name = Annotated[str, StringConstraints(pattern=r"^[^\W\d]")]  # an argument that begins otherwise is a printed text
Text = Annotated[str, AfterValidator(lambda text: printed(text).text)]


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Lead(Part):
    """A finding as its author writes it."""

    id: str
    source: str
    claim: str
    check: str
    with_: dict[str, Any] = Field({}, alias="with")
    rows: dict[str, dict[str, Any]] = {}
    kind: Kind | None = None  # that of the check, where it is not given
    assumes: str = ""  # beside what the check takes for granted
    expect: Verdict | None = None
    sure: Literal["high", "medium", "low", ""] = ""
    means: str = ""
    innocent: str = ""
    reader: str = ""
    concerns: list[str] = []  # the published values that cannot all be right


class Dropped(Part):
    id: str
    reason: str


class Document(Part):
    study: str
    source: str = ""
    values: dict[Name, Text] = {}
    findings: list[Lead] = Field(min_length=1)
    dropped: list[Dropped] = []


@dataclass(frozen=True)
class Audit:
    """A file as read, every name that its findings can use, and the line of each finding."""

    path: Path
    document: Document
    values: dict[str, str]
    lines: list[int]


def load_audit(path: Path | str, values: Mapping[str, str] | None = None) -> Audit:
    """Read an audit file; ``data_manifests/audits/example.yaml`` explains one.

    Parameters
    ----------
    path
        YAML of at most 1 MB.
    values
        Further names to printed texts, beside the file's own.

    Raises
    ------
    ValueError
        With file and line: not such a YAML, an entry missing or unknown, a value that is no printed number.
    """
    path, given = Path(path), dict(values or {})
    content, lines = read_yaml(path)
    try:
        document = Document.model_validate(content)
    except ValidationError as error:
        found = faults(error, lambda place: _meant(place, content))
    else:
        taken = [name for name in document.values if name in given]
        found = [(("values", name), f"{name} is a published value: rename it") for name in taken]
        parts = {"findings": document.findings, "dropped": document.dropped}
        ids = [(entry.id, (part, str(i))) for part, entries in parts.items() for i, entry in enumerate(entries)]
        first = dict(reversed(ids))
        found += [(place, f"the id {name} stands twice") for name, place in ids if first[name] != place]
    if found:
        enclosing = [next(place[:k] for k in range(len(place), -1, -1) if place[:k] in lines) for place, _ in found]
        raise ValueError("\n".join(f"{path}:{lines[at]}: {f[1]}" for at, f in zip(enclosing, found, strict=True)))
    starts = [lines["findings", str(position)] for position in range(len(document.findings))]
    return Audit(path, document, given | document.values, starts)


def run_audit(audit: Audit) -> pd.DataFrame:
    """All findings, computed.

    Returns
    -------
    DataFrame
        One row per finding: id, study, source, claim, check, kind, computed (a sentence), verdict, assumes (what it
        takes for granted), sure, innocent, reader, concerns and details (the numbers behind ``computed``, by name).

    Raises
    ------
    ValueError
        With file and line: an unknown check, name or metric, an argument missing or impossible, a sentence that quotes
        what was not computed, a verdict that is not the one expected.
    """
    table, found = [], []
    for line, lead in zip(audit.lines, audit.document.findings, strict=True):
        try:
            kind, (outcome, assumed) = kind_of(lead.check, lead.kind), _examine(lead, audit.values)
            text = say(lead.means, outcome.computed, audit.values)
            if outcome.verdict == "inconsistent" and kind != "arithmetic":
                outcome = Outcome("differs", outcome.computed)
            if outcome.verdict == "inconsistent" and (ways := outcome.computed.get("fits_if")):
                text = f"{text.rstrip('.')}. It would fit as {' or as '.join(ways)}."
            if lead.expect not in (None, outcome.verdict):
                raise ValueError(f"expected {lead.expect}, but {lead.check} finds {outcome.verdict}: {text}")
        except (ValueError, TypeError, ArithmeticError) as error:
            found.append(f"{audit.path}:{line}: {lead.id}: {error}")
        else:
            said = {"study": audit.document.study, "computed": text, "verdict": outcome.verdict, "kind": kind}
            table.append(lead.model_dump() | said | {"assumes": "; ".join(assumed), "details": outcome.computed})
    if found:
        raise ValueError("\n".join(found))
    return pd.DataFrame(table, columns=COLUMNS)


def report(findings: pd.DataFrame) -> str:
    """Findings of :func:`run_audit` as plain text: a block for each, and how many have each verdict."""
    blocks = [
        f"{f.id}  {f.verdict}  ({f.source})\n    {f.claim}\n    {f.computed}\n"
        f"    Kind: {f.kind}. Assumes: {f.assumes}.\n"
        for f in findings.itertuples()
    ]
    counts = [f"{count} {verdict}" for verdict, count in findings["verdict"].value_counts().items()]
    return "\n".join([*blocks, f"{len(findings)} findings: {', '.join(counts)}"])


def vocabulary() -> pd.DataFrame:
    """Every check that an audit file can name: check, arguments, verdict (which kind it gives), meaning, example."""
    table = []
    for name, function in CHECKS.items():
        meaning, _, example = getdoc(function).partition("\n\nExample: ")
        if function in QUANTITIES:
            meaning = f"{meaning.splitlines()[0]}\n\ncomputed: {QUANTITIES[function].replace(' ', ', ')}."
        defaults = {p.name: p.default for p in signature(function).parameters.values()}
        names = [p if default in (Parameter.empty, ROUNDINGS) else f"{p}={default}" for p, default in defaults.items()]
        table.append((name, ", ".join(names), meaning, example))
    return pd.DataFrame(table, columns=["check", "arguments", "meaning", "example"])


def _meant(place: tuple[str, ...], content: Any) -> str:
    """What a key that is not known at its place may be: one that is much like it, or that belongs elsewhere."""
    part = {"findings": Lead, "dropped": Dropped}.get(place[0], Document) if len(place) > 2 else Document
    known = [field.alias or name for name, field in part.model_fields.items()]
    key = place[-1]
    if part is Lead and isinstance(entry := content["findings"][int(place[1])], dict):
        check = CHECKS.get(str(entry.get("check")))
        if check and key in (*signature(check).parameters, *TABLE_METRICS):
            return ": write it under 'with', indented"
    if part is Lead and key in Document.model_fields:
        return ": it belongs to the whole file, not indented"
    return near(key, known)


def _examine(lead: Lead, values: Mapping[str, str]) -> tuple[Outcome, list[str]]:
    """The check of a finding, of several rows with the most serious verdict; and what it takes for granted."""
    if lead.check not in CHECKS:
        raise ValueError(f"unknown check {lead.check!r}; {did_you_mean(lead.check, CHECKS)}")
    outcomes, assumed = {}, {}
    for row, more in _expand(lead.rows or {"": {}}, values).items():
        try:
            outcomes[row], arguments = perform(lead.check, lead.with_ | more, values)
        except ValueError as error:
            raise ValueError(f"row {row}: {error}" if row else str(error)) from None
        assumed |= dict.fromkeys(assumptions(lead.check, arguments, lead.assumes))
        if outcomes[row].verdict == "inconsistent":
            outcomes[row].computed["fits_if"] = ways_that_fit(CHECKS[lead.check], arguments)
    if not lead.rows:
        return outcomes[""], [*assumed]
    by = {verdict: [row for row in outcomes if outcomes[row].verdict == verdict] for verdict in SERIOUS}
    found = {verdict.replace(" ", "_"): rows for verdict, rows in by.items()}
    rows = {row: outcome.computed for row, outcome in outcomes.items()}
    ways = [rows[row]["fits_if"] for row in by["inconsistent"]]
    common = [way for way in (ways or [[]])[0] if all(way in others for others in ways)]
    computed = {"n_rows": len(rows), **found, "rows": rows, "fits_if": common}
    return Outcome(next(v for v in SERIOUS if by[v]), computed), [*assumed]


def perform(check: str, arguments: Mapping[str, Any], values: Mapping[str, str]) -> tuple[Outcome, dict[str, Any]]:
    """What a check finds, and the arguments that it was given; ValueErrors as in :func:`run_audit`, without a place."""
    function = CHECKS[check]
    if function not in QUANTITIES:
        given = read(function, _expand(arguments, values), values)
        return function(**given), given
    given = read(function, arguments, values, Exact)
    result = function(**given)
    results = asdict(result).values() if is_dataclass(result) else result if isinstance(result, tuple) else (result,)
    return Outcome("derived", dict(zip(QUANTITIES[function].split(), map(float, results), strict=True))), given


def _expand(entry: Any, names: Mapping[str, str]) -> Any:
    """Each mapping {"*": row}: one row for every text that can stand for * in all texts of the row with a *."""
    if not isinstance(entry, dict):
        return entry
    if list(entry) != ["*"]:
        return {key: _expand(value, names) for key, value in entry.items()}
    row = json.dumps(entry["*"], ensure_ascii=False)
    patterns = [re.compile(re.escape(text).replace(r"\*", "(.+)")) for text in re.findall(r'"([^"*]*\*[^"*]*)"', row)]
    fitting = [dict.fromkeys(m[1] for name in names if (m := pattern.fullmatch(name))) for pattern in patterns]
    stars = [star for star in (fitting or [{}])[0] if all(star in others for others in fitting)]
    if not stars:
        raise ValueError(f"no names of values fit the row '*': {row}")
    return {star: json.loads(row.replace("*", star)) for star in stars}
