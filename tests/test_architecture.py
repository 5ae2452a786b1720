"""The house as it is drawn: imports go one way, modules stay small, top-level names are what they should be."""

import ast
import tomllib
from pathlib import Path

import pytest
import yaml

from osteolib.runs import ROOT

ORDER = (
    "runs", "stats", "radiograph", "volume", "train", "phantoms", "cohorts", "segment", "views", "ssl", "screen",
    "explain", "report", "cli",
)  # fmt: skip
MODULES = sorted((ROOT / "osteolib").rglob("*.py"))
INSIDE = [
    path for path in MODULES if path.parent != ROOT / "osteolib" or path.stem != "__init__"
]  # the door names any room


def package_of(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


@pytest.mark.parametrize("path", INSIDE, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_a_package_imports_only_from_those_before_it(path):
    here = path.relative_to(ROOT / "osteolib").parts[0].removesuffix(".py")
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        assert not (isinstance(node, ast.ImportFrom) and node.level), f"{path.name}: write absolute imports"
        for name in names:
            if name.split(".")[0] == "osteolib":
                assert ORDER.index(package_of(name)) <= ORDER.index(here), f"{path.name} imports {name}"


def code_lines(path: Path) -> int:
    """Lines that are neither blank nor comment nor documentation."""
    text = path.read_text(encoding="utf-8")
    words = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            words |= set(range(node.lineno, node.end_lineno + 1))
    lines = enumerate(text.splitlines(), 1)
    return sum(
        1 for number, line in lines if line.strip() and not line.lstrip().startswith("#") and number not in words
    )


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_no_module_imports_a_private_name_of_another(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("osteolib"):
            private = [alias.name for alias in node.names if alias.name.startswith("_")]
            assert not private, f"{path.name} imports {private} of {node.module}"


def test_modules_stay_small():
    long = {path.name: code_lines(path) for path in MODULES if code_lines(path) > 200}
    assert not long, "one idea, one module, about 200 lines"


def test_every_dependency_is_locked_with_a_hash():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = project["dependencies"] + project["optional-dependencies"]["dev"]
    lock = (ROOT / "requirements.txt").read_text()
    locked = {line.split("==")[0].lower() for line in lock.splitlines() if "==" in line and not line.startswith(" ")}
    names = {name.split(">")[0].split("=")[0].split("<")[0].strip().lower() for name in wanted}
    assert names <= locked, names - locked
    pins = [block for block in lock.split("\n") if "==" in block and not block.lstrip().startswith("#")]
    assert all(pin.endswith("\\") for pin in pins)  # each goes on with its hashes
    assert "://" not in lock  # no address of a registry


def test_environment_and_config_files_are_plain_yaml():
    for name in ("environment.yml", "_config.yml", "_toc.yml", "CITATION.cff"):
        assert isinstance(yaml.safe_load((ROOT / name).read_text(encoding="utf-8")), dict)


def test_every_page_and_notebook_is_in_the_table_of_contents():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    listed = {toc["root"]} | {c["file"] for part in toc["parts"] for c in part["chapters"]}
    pages = {p.relative_to(ROOT).with_suffix("").as_posix() for p in (ROOT / "book").rglob("*.md")}
    pages |= {f"notebooks/{p.stem}" for p in (ROOT / "notebooks").glob("*.ipynb")}
    assert listed == pages
    assert all(Path(ROOT / f"{name}.md").exists() or Path(ROOT / f"{name}.ipynb").exists() for name in listed)
