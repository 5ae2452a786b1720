"""What the papers report, beside checklists: TRIPOD+AI item by item, and checks of INSPECT-SR with those of the audit.

The files lie in ``data_manifests/checklists``. ``tripod-ai.yaml`` lists the sub-items and says how they are answered,
one file a paper answers them, ``inspect-sr.yaml`` names what the audit computes.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args

import pandas as pd
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from osteolib.report.audits import FOLDER as AUDITS
from osteolib.report.published import PAPERS
from osteolib.runs import ROOT
from osteolib.stats.audit.arguments import faults, near
from osteolib.stats.audit.audit_file import load_audit
from osteolib.stats.audit.checks import CHECKS
from osteolib.stats.audit.plain_yaml import read_yaml

FOLDER = ROOT / "data_manifests" / "checklists"
Kind = Literal["reported", "in part", "not reported", "does not apply", "not at hand"]
ANSWERS: tuple[Kind, ...] = get_args(Kind)
NEEDS = {"reported": {"where"}, "in part": {"where", "note"}, "does not apply": {"note"}, "not at hand": {"note"}}
"""What an answer must give: the place; what is missing, or why."""


def _words(text: str) -> str:
    if not text.strip():
        raise ValueError("is empty: fill it in, or leave the key out")
    return text.strip()


Words = Annotated[str, AfterValidator(_words)]


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Item(Part):
    section: Words
    for_: Literal["D", "E", "D;E"] = Field(alias="for")
    asks: Words


class Checklist(Part):
    checklist: Words
    source: Words
    licence: Words
    items: dict[str, Item] = Field(min_length=1)


class Answer(Part):
    """One cell. An empty place or note is a fault, not an answer without one."""

    answer: Kind
    where: Words | None = None
    note: Words | None = None
    findings: list[str] = []

    @model_validator(mode="after")
    def _gives_what_it_needs(self) -> Answer:
        needed, given = NEEDS.get(self.answer, set()), {"where": self.where, "note": self.note}
        if missing := [name for name, text in given.items() if name in needed and text is None]:
            raise ValueError(f"{self.answer!r} needs {' and '.join(missing)}")
        if self.where and "where" not in needed:
            raise ValueError(f"{self.answer!r} has no 'where': say 'in part', or write the place into 'note'")
        return self


class Answers(Part):
    paper: str
    at_hand: Words
    answers: dict[str, Answer]


class Check(Part):
    asks: Words
    computes: Literal["yes", "in part"]
    by: list[str] = Field(min_length=1)
    findings: dict[str, list[str]] = Field(min_length=1)
    limit: Words


class Checks(Part):
    checklist: Words
    source: Words
    checks: dict[str, Check] = Field(min_length=1)


File = TypeVar("File", Checklist, Answers, Checks)


def load_items(folder: Path = FOLDER) -> pd.DataFrame:
    """The sub-items of TRIPOD+AI.

    Returns
    -------
    DataFrame
        By sub-item (``1`` ... ``27c``, index ``item``): ``section``, ``for`` (D, E or D;E: development, evaluation,
        both) and ``asks``, in our words. Source: :cite:`collins2024_tripod`.

    Raises
    ------
    ValueError
        The file breaks its form; with file, line and sub-item.
    """
    items = _read(folder / "tripod-ai.yaml", Checklist)[0].items
    table = pd.DataFrame([item.model_dump(by_alias=True) for item in items.values()], index=[*items])
    return table.rename_axis("item")


def load_answers(folder: Path = FOLDER) -> pd.DataFrame:
    """What each of the five papers reports, read from the text at hand.

    Returns
    -------
    DataFrame
        A row a paper and sub-item, in the order of the book and of the checklist: ``paper`` (key), ``item``,
        ``section``, ``asks``, ``answer`` (one of :data:`ANSWERS`), ``where`` and ``note`` ("" for none), ``findings``
        (tuple of ids of the paper's audit that bear on it), ``at_hand`` (what could be read of the paper).

    Raises
    ------
    ValueError
        With file, line and sub-item: one is missing, unknown or there twice, an answer of no known kind, or without the
        place or reason that it needs, a finding that the paper's audit does not have.
    """
    items = load_items(folder)
    rows = []
    for paper in PAPERS:
        path = folder / f"{paper}.yaml"
        content, lines = _read(path, Answers)
        if content.paper != paper:
            raise ValueError(f"{path}:1: 'paper' is {content.paper!r}; it must be the file name, {paper!r}")
        if missing := [item for item in items.index if item not in content.answers]:
            raise ValueError(f"{path}:{lines['answers',]}: no answer for {', '.join(missing)}: add it under 'answers'")
        known = _finding_ids(paper)
        for item, answer in content.answers.items():
            at = f"{path}:{lines['answers', item]}: {item}"
            if item not in items.index:
                raise ValueError(f"{at}: the checklist has no such sub-item{near(item, items.index)}")
            _each_known(answer.findings, known, f"{at}: the audit of {paper} has no finding")
        for item, asked in items.iterrows():
            answer = content.answers[item]
            rows.append((paper, item, asked["section"], asked["asks"], answer.answer, answer.where or "",
                         answer.note or "", tuple(answer.findings), content.at_hand))  # fmt: skip
    columns = ["paper", "item", "section", "asks", "answer", "where", "note", "findings", "at_hand"]
    return pd.DataFrame(rows, columns=columns)


def load_checks(folder: Path = FOLDER) -> pd.DataFrame:
    """The checks of INSPECT-SR that the audit computes.

    Returns
    -------
    DataFrame
        By number (index ``check``, text): ``asks``, ``computes`` (yes or in part), ``by`` (checks of the audit),
        ``findings`` (paper to list of ids, examples), ``limit`` (what is left to a reader). Source:
        :cite:`wilkinson2025_inspect`.

    Raises
    ------
    ValueError
        With file, line and number: a check that the audit does not know, a paper or a finding that is not there.
    """
    path = folder / "inspect-sr.yaml"
    content, lines = _read(path, Checks)
    known = {paper: _finding_ids(paper) for paper in PAPERS}
    for number, check in content.checks.items():
        at = f"{path}:{lines['checks', number]}: {number}"
        _each_known(check.by, CHECKS, f"{at}: the audit has no check")
        _each_known(check.findings, known, f"{at}: there is no paper")
        for paper, ids in check.findings.items():
            _each_known(ids, known[paper], f"{at}: the audit of {paper} has no finding")
    table = pd.DataFrame([check.model_dump() for check in content.checks.values()], index=[*content.checks])
    return table.rename_axis("check")


def _read(path: Path, form: type[File]) -> tuple[File, dict[tuple[str, ...], int]]:
    """A file in its form, and the line of each entry; the first fault as FILE:LINE: what is wrong at which."""
    content, lines = read_yaml(path)
    try:
        return form.model_validate(_with_text_keys(content)), lines
    except ValidationError as error:
        place, what = faults(error)[0]
        line = next(lines[place[:k]] for k in range(len(place), -1, -1) if place[:k] in lines)
        raise ValueError(f"{path}:{line}: {what.replace(' : ', ': ')}") from None


def _with_text_keys(content: Any) -> Any:
    """YAML reads the key 7 as a number; sub-items are texts."""
    if isinstance(content, dict):
        return {str(key): _with_text_keys(value) for key, value in content.items()}
    return content


def _finding_ids(paper: str) -> list[str]:
    return [lead.id for lead in load_audit(AUDITS / f"{paper}.yaml").document.findings]


def _each_known(names: Iterable[str], known: Iterable[str], what: str) -> None:
    for name in names:
        if name not in known:
            raise ValueError(f"{what} {name!r}{near(name, known)}")
