import ast
import importlib
import sys

import pytest

from osteolib.runs import ROOT
from osteolib.runs.lazy import passed_on

DOORS = [path for path in sorted((ROOT / "osteolib").rglob("__init__.py")) if "lazy_names" in path.read_text()]


def package_of(path):
    return ".".join(path.parent.relative_to(ROOT).parts)


@pytest.fixture
def package(tmp_path, monkeypatch):
    """`rooms` passes on `one` of rooms.first, as it is, and `two` of rooms.second under the name `deux`."""
    folder = tmp_path / "rooms"
    folder.mkdir()
    (folder / "__init__.py").write_text(
        "from typing import TYPE_CHECKING\n\nfrom osteolib.runs.lazy import lazy_names\n\nif TYPE_CHECKING:\n"
        "    from rooms.first import one\n    from rooms.second import two as deux\n\n"
        "__all__ = ['deux', 'one']\n__getattr__ = lazy_names(__name__)\n"
    )
    (folder / "first.py").write_text("one = object()\n")
    (folder / "second.py").write_text("two = object()\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for name in [name for name in sys.modules if name.split(".")[0] == "rooms"]:
        del sys.modules[name]


def test_a_name_loads_its_own_module_once_and_no_other(package):
    rooms = importlib.import_module("rooms")
    assert "rooms.first" not in sys.modules
    from rooms import one

    assert one is sys.modules["rooms.first"].one is rooms.one
    assert "one" in vars(rooms) and "rooms.second" not in sys.modules
    assert rooms.deux is sys.modules["rooms.second"].two
    assert {"deux", "one"} <= set(dir(rooms))


def test_another_name_is_an_attribute_error_as_in_any_module(package):
    rooms = importlib.import_module("rooms")
    with pytest.raises(AttributeError, match="module 'rooms' has no attribute 'three'"):
        _ = rooms.three
    assert not hasattr(rooms, "two")
    with pytest.raises(ImportError, match="cannot import name 'three' from 'rooms'"):
        from rooms import three  # noqa: F401


@pytest.mark.parametrize("path", DOORS, ids=package_of)
def test_each_name_of_a_door_is_there_and_is_no_module_beside_it(path):
    """Python sets a package's attribute to a submodule when that is imported: it would hide a name written alike."""
    names = passed_on(ast.parse(path.read_text()))
    door = importlib.import_module(package_of(path))
    assert set(door.__all__) == names.keys() - {"lazy_names", "TYPE_CHECKING"}
    for name in door.__all__:
        module, original = names[name]
        assert getattr(door, name) is getattr(importlib.import_module(module), original)
    late = {name for node in ast.parse(path.read_text()).body if isinstance(node, ast.If) for name in passed_on(node)}
    beside = {p.stem for p in [*path.parent.glob("*.py"), *(p.parent for p in path.parent.glob("*/__init__.py"))]}
    assert not late & beside
