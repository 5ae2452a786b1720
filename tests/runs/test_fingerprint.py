from importlib import import_module

import pytest

from osteolib.runs import dependencies, fingerprint


@pytest.fixture
def project(tmp_path):
    """A small package: `b` uses `a`; `stats` passes on names of two modules; `c` stands alone."""
    files = {
        "__init__": "",
        "a": '"""A."""\n\ndef one():\n    """One."""\n    return 1  # a comment\n',
        "b": "from osteolib.a import one\n\ndef two():\n    return one() + 1\n",
        "c": "def three():\n    return 3\n",
        "stats/__init__": "from osteolib.stats.x import ex\nfrom osteolib.stats.y import why as y_name\n",
        "stats/x": "def ex():\n    return 'x'\n",
        "stats/y": "def why():\n    from osteolib.b import two\n    return two()\n",
        "late/__init__": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n"
        "    from osteolib.stats import ex as first\n    from osteolib.late.z import zed\n",
        "late/z": "from osteolib.c import three as zed\n",
        "report/__init__": "",
        "report/r": "from osteolib.c import three\n",
    }
    for name, text in files.items():
        path = tmp_path / "osteolib" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def edit(project, name, old, new):
    path = project / "osteolib" / f"{name}.py"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new"),
    [('"""One."""', '"""Another."""'), ("# a comment", ""), ('"""A."""\n', ""), ("return 1", "return  (1)")],
)
def test_words_and_layout_change_nothing(project, old, new):
    before = fingerprint(["osteolib.b"], root=project)
    edit(project, "a", old, new)
    assert fingerprint(["osteolib.b"], root=project) == before


def test_code_changes_what_depends_on_it_and_nothing_else(project):
    names = ["osteolib.a", "osteolib.b", "osteolib.c", "osteolib.stats.x", "osteolib.stats.y"]
    before = {name: fingerprint([name], root=project) for name in names}
    edit(project, "a", "return 1", "return 10")
    changed = {name for name in names if fingerprint([name], root=project) != before[name]}
    assert changed == {"osteolib.a", "osteolib.b", "osteolib.stats.y"}  # y imports b inside a function


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("from osteolib.stats import ex", {"osteolib.stats.x"}),
        ("from osteolib.stats import y_name", {"osteolib.stats.y", "osteolib.b", "osteolib.a"}),
        ("from osteolib.late import first", {"osteolib.stats.x"}),
        ("from osteolib.late import zed", {"osteolib.late.z", "osteolib.c"}),
        ("import osteolib.b", {"osteolib.b", "osteolib.a"}),
        ("from osteolib import c", {"osteolib.c"}),
        ("import osteolib\nosteolib.c.three()", {"osteolib.c"}),
        ("import numpy", set()),
    ],
)
def test_names_are_followed_to_the_module_that_defines_them(project, source, expected):
    assert dependencies(source, root=project) == expected


def test_bookkeeping_is_left_out_but_what_it_uses_is_not(project):
    before = fingerprint(["osteolib.report.r"], root=project)
    edit(project, "report/r", "import three", "import three as t")
    assert fingerprint(["osteolib.report.r"], root=project) == before
    edit(project, "c", "return 3", "return 4")
    assert fingerprint(["osteolib.report.r"], root=project) != before


def test_a_module_of_another_project_is_refused(project):
    with pytest.raises(ValueError, match=r"no module 'osteolib\.nowhere'"):
        fingerprint(["osteolib.nowhere"], root=project)


def test_names_of_the_project_s_own_doors_lead_to_their_modules():
    """The doors load late; what a fingerprint covers is still what defines a name, and nothing beside it."""
    for package in ("osteolib.stats", "osteolib.cohorts", "osteolib.screen", "osteolib.report", "osteolib.runs"):
        for name in import_module(package).__all__:
            thing = getattr(import_module(package), name)
            found = dependencies(f"from {package} import {name}")
            assert package not in found
            if str(getattr(thing, "__module__", "")).startswith("osteolib."):
                assert found == {thing.__module__} | dependencies(f"import {thing.__module__}")
