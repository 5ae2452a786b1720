"""What code does a result depend on? A hash of it that a comment or a docstring does not change.

The hash covers the syntax trees, without docstrings, of the modules named and of every ``osteolib`` module they import,
directly or through others. Imports are followed name by name: ``from osteolib.stats import bland_altman`` depends on
``osteolib.stats.agreement`` and not on the rest of the package, so an edit re-executes what needs it and nothing else.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from osteolib.runs.lazy import passed_on
from osteolib.runs.paths import ROOT

PACKAGE = "osteolib"
BOOKKEEPING = ("osteolib.runs", "osteolib.report", "osteolib.cli")
"""Code that names, draws and prints results but computes none: artefacts in the store do not depend on it."""


def fingerprint(modules: Iterable[str], exclude: tuple[str, ...] = BOOKKEEPING, root: Path = ROOT) -> str:
    """Hash of the code behind ``modules`` (dotted names), 16 hexadecimal digits.

    Raises
    ------
    ValueError
        A module is not part of the project.
    """
    modules = set(modules)
    if strange := sorted(module for module in modules if _file(module, root) is None):
        raise ValueError(f"no module {strange[0]!r} under {root.name}/: fingerprints cover the project's own code only")
    names = modules | _reach(modules, root)
    files = {name: _file(name, root) for name in sorted(names) if not _within(name, exclude)}
    parts = [f"{name}:{_tree_hash(path, path.stat().st_mtime_ns)}" for name, path in files.items()]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def dependencies(source: str, root: Path = ROOT) -> frozenset[str]:
    """Dotted names of the project's modules that Python source text depends on, directly or through others."""
    direct = _modules(_mentions(ast.parse(source)), root)
    return frozenset(direct | _reach(direct, root))


def _within(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(package + ".") for package in packages)


def _file(module: str, root: Path) -> Path | None:
    base = root.joinpath(*module.split("."))
    for candidate in (base.with_suffix(".py"), base / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None


def _reach(modules: Iterable[str], root: Path) -> set[str]:
    """Modules reached from some modules; a loop rather than recursion, as two modules may import each other."""
    found: set[str] = set()
    todo = [*modules]
    while todo:
        path = _file(todo.pop(), root)
        new = _modules(_mentioned(path, path.stat().st_mtime_ns), root) - found
        found |= new
        todo += new
    return found


def _mentions(tree: ast.AST) -> set[tuple[str, str]]:
    """Pairs of a package and a name imported from it; the name is empty where the module itself is imported."""
    found: set[tuple[str, str]] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and _within(node.module, (PACKAGE,)):
            found |= {(node.module, alias.name) for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {(alias.name, "") for alias in node.names if alias.name.startswith(PACKAGE + ".")}
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == PACKAGE:
            found.add((PACKAGE, node.attr))  # `import osteolib`, then `osteolib.start`
    return found


def _modules(mentions: Iterable[tuple[str, str]], root: Path) -> set[str]:
    return set().union(*(_resolve(package, name, root) if name else {package} for package, name in mentions))


def _resolve(package: str, name: str, root: Path) -> set[str]:
    """The module that defines ``name``, looking through packages that only pass a name on."""
    if _file(f"{package}.{name}", root):
        return {f"{package}.{name}"}
    path = _file(package, root)
    if path is None:
        raise ValueError(f"`from {package} import {name}`: there is no module {package}")
    if path.name == "__init__.py":
        names = passed_on(_parse(path, path.stat().st_mtime_ns))
        if name in names:
            return _resolve(*names[name], root)
    return {package}


# Two dozen notebooks share most of their modules: each is read once as long as its time stamp stays.
@lru_cache(maxsize=1024)
def _mentioned(path: Path, mtime_ns: int) -> frozenset[tuple[str, str]]:
    return frozenset(_mentions(_parse(path, mtime_ns)))


@lru_cache(maxsize=1024)
def _parse(path: Path, mtime_ns: int) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


@lru_cache(maxsize=1024)
def _tree_hash(path: Path, mtime_ns: int) -> str:
    tree = ast.parse(path.read_text(encoding="utf-8"))  # parsed anew: the next lines change it
    for node in ast.walk(tree):
        if isinstance(getattr(node, "body", None), list):  # a bare string documents, wherever it stands
            node.body = [child for child in node.body if not _is_bare_string(child)]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()


def _is_bare_string(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
