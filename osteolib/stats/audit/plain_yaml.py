"""YAML from anybody, read with the line of every entry: nothing in it is executed, and its size is bounded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

MOST_BYTES, MOST_LEVELS = 1_000_000, 12
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
Place = tuple[str, ...]  # keys and positions that lead to an entry


def read_yaml(path: Path) -> tuple[Any, dict[Place, int]]:
    """Content of a small plain YAML file, and the line of every entry by the keys and positions that lead to it.

    Raises
    ------
    ValueError
        With file and line: over 1 MB, tags of code, an alias (few bytes can stand for millions), more than 12 levels, a
        key that stands twice, a word that YAML takes for another (0150 for 104, 1:30 for 90, yes for true, a date), a
        number that is not finite, or no YAML at all.
    """
    if not path.is_file():
        raise ValueError(f"{path}: there is no such file")
    if (size := path.stat().st_size) > MOST_BYTES:
        raise ValueError(f"{path}:1: {size / 1e6:.1f} MB is more than the 1 MB that an audit may have: split it")
    text, level = "", 0
    try:
        text = path.read_text(encoding="utf-8")
        for event in yaml.parse(text, LOADER):
            level += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if isinstance(event, yaml.AliasEvent) or level > MOST_LEVELS:
                raise yaml.MarkedYAMLError(problem="an alias (*), or nested too deeply", problem_mark=event.start_mark)
        node = yaml.compose(text, LOADER)
        for scalar in _scalars(node):
            if wrong := _unclear(scalar):
                raise yaml.MarkedYAMLError(problem=wrong, problem_mark=scalar.start_mark)
        return node and yaml.SafeLoader("").construct_document(node), {(): 1} | dict(_places(node, ()))
    except (yaml.YAMLError, ValueError) as error:
        mark, what = getattr(error, "problem_mark", None), getattr(error, "problem", None) or error
        if mark and "\t" in "".join(text.split("\n")[mark.line : mark.line + 1]):
            what = f"{what}: the line has a tab, indent with spaces"
        raise ValueError(f"{path}:{mark.line + 1 if mark else 1}: not a plain YAML file: {what}") from None


def _scalars(node: yaml.Node | None) -> Iterator[yaml.ScalarNode]:
    """Every scalar, keys too."""
    if isinstance(node, yaml.ScalarNode):
        yield node
    for child in node.value if isinstance(node, yaml.CollectionNode) else ():
        for part in child if isinstance(child, tuple) else (child,):
            yield from _scalars(part)


def _unclear(scalar: yaml.ScalarNode) -> str:
    """Why a scalar without quotes may not be what its author meant; empty where it is clear."""
    kind, text = scalar.tag.rpartition(":")[2], scalar.value
    meant = {"int": r"[-+]?(0|[1-9]\d*)", "float": r"[-+]?(\d+\.\d*|\.\d+)([eE][-+]\d+)?"}
    if scalar.style or kind not in ("int", "float", "bool", "timestamp") or re.fullmatch(meant.get(kind, "$."), text):
        return ""
    if kind == "bool":
        return f"{text!r} is read as true or false: put it in quotes"
    if kind == "timestamp":
        return f"{text!r} is read as a date: put it in quotes"
    if text.strip("+-.").casefold() in ("inf", "nan"):
        return f"{text!r} is no finite number: leave the entry out"
    return f"{text!r} would be read as another number: write plain decimal digits, or put it in quotes"


def _places(node: yaml.Node | None, path: Place) -> Iterator[tuple[Place, int]]:
    """Every entry below a node, by keys and positions, and its line; an error where a key stands twice."""
    keys = [key for key, _ in node.value] if isinstance(node, yaml.MappingNode) else []
    if len(names := [str(key.value) for key in keys]) > len(set(names)):
        twice = next(key for i, key in enumerate(keys) if str(key.value) in names[:i])
        raise yaml.MarkedYAMLError(problem=f"{twice.value!r} stands twice", problem_mark=twice.start_mark)
    children = [child for _, child in node.value] if keys else node.value if isinstance(node, yaml.SequenceNode) else []
    for name, at, child in zip(names or map(str, range(len(children))), keys or children, children, strict=True):
        yield (*path, name), at.start_mark.line + 1
        yield from _places(child, (*path, name))
