"""Profiles and parameters: what a notebook may be told, and the checks that papermill leaves out.

Papermill injects any name into any notebook: ``-p epocs 4`` trains with the default and says so in one line of a log.
Here the ``parameters`` cell is the declaration (names, annotations, defaults) and everything else is refused.
"""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any

import yaml
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from osteolib.runs.paths import ROOT

TYPES = {"int": int, "float": float, "str": str, "bool": bool, "list[int]": list[int], "list[str]": list[str]}
PROFILES_FILE = ROOT / "osteolib" / "profiles.yaml"


class ParameterError(ValueError):
    """A parameter that is unknown, of the wrong type or out of range."""

    def _render_traceback_(self) -> list[str]:
        """IPython prints these lines instead of a traceback: the mistake is in the call, not in the code."""
        return [f"ParameterError: {self}"]


@dataclass(frozen=True)
class Parameter:
    """One line of a parameters cell."""

    name: str
    annotation: str
    default: Any
    meaning: str


@cache
def _profiles_file() -> dict:
    content = yaml.safe_load(PROFILES_FILE.read_text(encoding="utf-8"))
    for name, values in content["profiles"].items():
        expected = set(content["keys"]) - {"seed"}
        if set(values) != expected:
            raise ValueError(f"{PROFILES_FILE.name}: profile {name!r} must have exactly the keys {sorted(expected)}")
    return content


def load_profile(name: str) -> dict[str, Any]:
    """The values of a profile: ``smoke``, ``quick``, ``long`` or ``paper``.

    Raises
    ------
    ParameterError
        There is no such profile.
    """
    profiles = _profiles_file()["profiles"]
    if name not in profiles:
        raise ParameterError(f"unknown profile {name!r}: choose one of {', '.join(profiles)}")
    return dict(profiles[name])


def read_parameters(cell: str) -> dict[str, Parameter]:
    """The declarations in the source of a ``parameters`` cell; a comment behind a line is its meaning."""
    lines = cell.splitlines()
    found = {}
    for node in ast.parse(cell).body:
        if not (isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None):
            raise ValueError(
                f"line {node.lineno} of the parameters cell: write `name: type = default`, "
                f"got {lines[node.lineno - 1]!r}"
            )
        comment = lines[node.end_lineno - 1][node.end_col_offset :].partition("#")[2].strip()
        found[node.target.id] = Parameter(
            node.target.id, ast.unparse(node.annotation), ast.literal_eval(node.value), comment
        )
    return found


def injected_names(history: Iterable[str]) -> set[str]:
    """Names set by the cell that papermill puts under the parameters cell, found in IPython's input history."""
    names = set()
    for cell in history:
        if cell.lstrip().startswith("# Parameters\n"):
            names |= {t.id for node in ast.parse(cell).body if isinstance(node, ast.Assign) for t in node.targets}
    return names


def resolve(declared: Mapping[str, Parameter], given: Mapping[str, Any]) -> dict[str, Any]:
    """Values for every declared parameter: as given, else its default, and where that is ``None`` the profile's.

    Raises
    ------
    ParameterError
        Unknown name (with the nearest known one), wrong type, value out of range, unknown profile.
    """
    for name in given:
        if name not in declared:
            near = difflib.get_close_matches(name, declared, n=1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise ParameterError(f"unknown parameter {name!r}: {hint}This notebook takes {', '.join(declared)}.")
    values = {name: given.get(name, p.default) for name, p in declared.items()}
    profile = load_profile(values.get("profile", "quick"))
    for name, value in values.items():
        values[name] = profile.get(name) if value is None and name in profile else _checked(declared[name], value)
    return values


def _checked(parameter: Parameter, value: Any) -> Any:
    kind, _, optional = parameter.annotation.partition(" | ")
    if kind not in TYPES or optional not in ("", "None"):
        raise ValueError(
            f"parameter {parameter.name}: annotate it with one of {', '.join(TYPES)}, or one of these | None"
        )
    if value is None and optional:
        return None
    limits = {k: v for k, v in _profiles_file()["keys"].get(parameter.name, {}).items() if k != "meaning"}
    try:
        adapter = TypeAdapter(Annotated[TYPES[kind], Field(**limits)], config=ConfigDict(strict=True))
        return adapter.validate_python(value)
    except ValidationError as error:
        first = error.errors()[0]
        hint = " Use papermill's -r to pass text that looks like a number." if first["type"] == "string_type" else ""
        raise ParameterError(
            f"parameter {parameter.name} = {value!r}: {first['msg']} (declared as {parameter.annotation}).{hint}"
        ) from None
