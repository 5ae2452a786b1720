"""Doors of packages that load a module when one of its names is asked for (PEP 562).

Such a door lists its names as import statements under ``if TYPE_CHECKING:``, where editors, linters and fingerprints
read them and Python does not run them, and has ``__getattr__ = lazy_names(__name__)``. So ``from osteolib.stats import
bootstrap_ci`` loads :mod:`osteolib.stats.bootstrap` and what that needs, and nothing else.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any


def lazy_names(package: str) -> Callable[[str], Any]:
    """The ``__getattr__`` of a door: finds the module of a name in the door's own text, and keeps the object."""
    door = sys.modules[package]
    where: dict[str, tuple[str, str]] = {}

    def __getattr__(name: str) -> Any:
        if not where:
            where.update(passed_on(ast.parse(Path(door.__file__).read_text(encoding="utf-8"))))
        if name not in where:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module, original = where[name]
        found = getattr(import_module(module), original)
        setattr(door, name, found)
        return found

    door.__dir__ = lambda: sorted({*vars(door), *door.__all__})
    return __getattr__


def passed_on(door: ast.Module) -> dict[str, tuple[str, str]]:
    """Names that a door passes on, imported at once or under ``if TYPE_CHECKING:``, to module and name there."""
    imports = (node for node in _statements(door.body) if isinstance(node, ast.ImportFrom))
    return {alias.asname or alias.name: (node.module, alias.name) for node in imports for alias in node.names}


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for node in body:
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            yield from node.body
        else:
            yield node
