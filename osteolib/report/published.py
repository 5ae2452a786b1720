"""The published values: every number that the five papers report, as printed and as read.

One YAML file a paper lies in ``data_manifests/published``. A value keeps its printed form beside the number, so that
rounding can be allowed for when it is compared: 0.93 stands for anything from 0.925 to 0.935.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from osteolib.runs import ROOT

FOLDER = ROOT / "data_manifests" / "published"

PAPERS = {
    "strnet2026_knee": "STR-Net, knee (2026)",
    "lee2025_hand": "Hand, journal version (2025)",
    "lee2023_hand": "Hand, short version (2023)",
    "chen2024_hip": "X1AI-Osteo, hip (2024)",
    "tpswav2025_ct": "TP-SwAV, CT (2025)",
}
"""What the tables call the papers, in the order of the book."""

STRICT = ConfigDict(extra="forbid", strict=True, frozen=True)


class Spread(BaseModel):
    """A printed 95 % interval (``low``, ``high``) or a printed ± (``value``; ``kind`` says of what)."""

    model_config = STRICT

    kind: str
    reported: str
    value: float | None = None
    low: float | None = None
    high: float | None = None

    @model_validator(mode="after")
    def _is_what_is_reported(self) -> Spread:
        numbers = [self.low, self.high] if self.kind == "95% CI" else [self.value]
        if [float(part) for part in self.reported.split(" to ")] != numbers:
            raise ValueError(f"the spread {numbers} is not what is reported, {self.reported!r}")
        return self


class Value(BaseModel):
    """One published value. Words (an optimiser, a period) have no ``decimals``, and ``value`` equals ``reported``."""

    model_config = STRICT

    id: str
    source: str
    quantity: str
    of: str | None = None
    value: float | str
    reported: str
    decimals: int | None = None
    bound: str | None = Field(default=None, pattern="^below$")
    unit: str | None = None
    spread: Spread | None = None
    status: str | None = None
    note: str | None = None

    @model_validator(mode="after")
    def _is_what_is_reported(self) -> Value:
        if self.decimals is None:
            if self.value != self.reported:
                raise ValueError("a number needs 'decimals'; words need 'value' equal to 'reported'")
            return self
        try:
            printed = Decimal(self.reported.removeprefix("<").strip().replace(",", ""))
        except InvalidOperation:
            raise ValueError(f"{self.reported!r} is not a number, so it has no 'decimals'") from None
        if float(printed) != self.value:
            raise ValueError(f"value {self.value!r} is not what is reported, {self.reported!r}")
        if -int(printed.as_tuple().exponent) != self.decimals:
            raise ValueError(f"{self.reported!r} is not printed with {self.decimals} decimals")
        if self.reported.startswith("<") != (self.bound == "below"):
            raise ValueError("'bound: below' and a printed '<' go together")
        return self

    def row(self) -> dict[str, Any]:
        """The value as a flat row of :func:`load_published`."""
        fields = self.model_dump(exclude={"id", "spread"})
        fields["published_id"] = self.id
        fields["value"] = self.value if self.decimals is not None else None
        if self.spread is not None:
            fields |= {"spread": self.spread.value, "spread_kind": self.spread.kind}
            fields |= {"ci_low": self.spread.low, "ci_high": self.spread.high}
        return fields


class Paper(BaseModel):
    """One file: the paper, how it evaluates, its values, and what could not be read from it."""

    model_config = STRICT

    paper: str
    title: str
    authors: list[str]
    year: int
    venue: str
    doi: str | None
    arxiv: str | None
    code: str | None
    modality: str
    label: str
    unit_of_evaluation: str
    seeds: str
    n_values: int
    values: list[Value]
    not_recoverable: list[dict[str, str]]
    code_defaults: dict[str, bool | int | float | str] = {}  # settings of the code that the paper points to
    notes: list[str]


def load_published(paper: str | None = None, folder: Path = FOLDER) -> pd.DataFrame:
    """The published values, one row each.

    Parameters
    ----------
    paper
        Key of one paper (its file name); ``None`` loads all.
    folder
        Where the YAML files lie.

    Returns
    -------
    DataFrame
        ``published_id`` (unique, begins with the key of the paper), ``paper``, ``source`` (section, table or figure),
        ``quantity``, ``of`` (method, site or group), ``value`` (NaN where the paper prints words), ``reported`` (as
        printed), ``decimals`` (of the printed number), ``unit`` (``fraction`` lies in [0, 1]; ``%``, ``T-score``,
        ``years`` ...; missing for counts and settings), ``bound`` (``below`` where the paper prints "<"), ``spread``
        and ``spread_kind`` (a printed SD or ±), ``ci_low`` and ``ci_high`` (a printed 95 % CI), ``status`` (how it
        was read when not printed as digits), ``note``.

    Raises
    ------
    ValueError
        No such paper, or a file breaks the schema: the message names the file and, where it can, the value's id.
    """
    known = _files(folder)
    if paper is not None and paper not in known:
        raise ValueError(f"no published values for {paper!r}: known papers are {sorted(known)}")
    return pd.concat([_table(path) for key, path in known.items() if paper in (None, key)], ignore_index=True)


def printed_texts(paper: str, folder: Path = FOLDER) -> dict[str, str]:
    """Every number of a paper by its id, as printed: '97.2 %' where its unit is percent.

    A spread stands under the id and ``.spread`` (a ±), or ``.low`` and ``.high`` (an interval); a numeric setting of
    the released code under ``<paper>.code.<name>``.
    """
    content = _read(_files(folder)[paper])
    texts = {
        f"{paper}.code.{key}": str(value)
        for key, value in content.code_defaults.items()
        if isinstance(value, (int, float)) and not isinstance(value, bool)
    }
    for value in content.values:
        if value.decimals is None:
            continue
        percent = " %" if value.unit == "%" else ""
        texts[value.id] = value.reported.removeprefix("<").strip() + percent
        if value.spread is not None:
            ends = value.spread.reported.split(" to ")
            names = ("spread",) if len(ends) == 1 else ("low", "high")
            texts |= {f"{value.id}.{name}": end + percent for name, end in zip(names, ends, strict=True)}
    return texts


def _files(folder: Path) -> dict[str, Path]:
    files = {path.stem: path for path in sorted(folder.glob("*.yaml"))}
    if not files:
        raise ValueError(f"no YAML files with published values in {folder}")
    return files


def _read(path: Path) -> Paper:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ValueError(f"{path.name} is not plain YAML: {' '.join(str(error).split())}") from error
    try:
        paper = Paper.model_validate(content)
    except ValidationError as error:
        raise ValueError(f"{path.name}{_place(content, error)}") from error
    if paper.paper != path.stem:
        raise ValueError(f"{path.name}: 'paper' is {paper.paper!r}; it must be the file name, {path.stem!r}")
    if paper.n_values != len(paper.values):
        raise ValueError(f"{path.name}: n_values is {paper.n_values}, but {len(paper.values)} values stand there")
    return paper


def _place(content: Any, error: ValidationError) -> str:
    """Pydantic's first complaint as ', <id>: <field> <what>'."""
    first = error.errors()[0]
    place = first["loc"]
    message = first["msg"].removeprefix("Value error, ")
    if len(place) > 1 and place[0] == "values" and isinstance(place[1], int):
        entry = content["values"][place[1]]
        name = entry.get("id") if isinstance(entry, dict) else None
        return f", {name or f'value {place[1] + 1}'}: {' '.join(map(str, [*place[2:], message]))}"
    return f": {' '.join(map(str, [*place, message]))}"


def _table(path: Path) -> pd.DataFrame:
    """The values of one file, checked as a whole."""
    import pandera.pandas as pa  # half a second

    paper = _read(path)
    rows = [{"paper": paper.paper, **value.row()} for value in paper.values]
    text = pa.Column("str", nullable=True, coerce=True)
    number = pa.Column(float, nullable=True, coerce=True)
    prefixed = pa.Check(lambda ids: ids.str.startswith(f"{paper.paper}."), error=f"must begin with '{paper.paper}.'")
    unique = pa.Check(lambda ids: ~ids.duplicated(), error="stands twice")
    fraction = pa.Check(
        lambda t: (t["unit"] != "fraction") | t["value"].between(0, 1), error="is a fraction outside [0, 1]"
    )
    inside = pa.Check(
        lambda t: t["ci_low"].isna() | ((t["ci_low"] <= t["value"]) & (t["value"] <= t["ci_high"])),
        error="lies outside its own interval",
    )
    columns = {
        "published_id": pa.Column("str", [prefixed, unique]),
        **dict.fromkeys(("paper", "source", "quantity"), pa.Column("str")),
        "of": text,
        "value": number,
        "reported": pa.Column("str"),
        "decimals": pa.Column("Int64", nullable=True, coerce=True),
        **dict.fromkeys(("unit", "bound"), text),
        "spread": number,
        "spread_kind": text,
        **dict.fromkeys(("ci_low", "ci_high"), number),
        **dict.fromkeys(("status", "note"), text),
    }
    schema = pa.DataFrameSchema(columns, checks=[fraction, inside], strict=True)
    table = pd.DataFrame(rows).reindex(columns=list(columns))
    try:
        return schema.validate(table)
    except pa.errors.SchemaError as error:
        where = table["published_id"].iloc[int(error.failure_cases["index"].iloc[0])]
        raise ValueError(f"{path.name}, {where}: {error.check.error}") from error
