"""What a command does not load: an import, a help text and an audit cost what they need and no more."""

import subprocess
import sys

import pytest

from osteolib.runs import ROOT

NETWORKS = {"torch", "torchvision", "timm", "sklearn"}
FIGURES = {"matplotlib", "IPython", "seaborn"}
SOLVERS = {"scipy.stats", "scipy.optimize", "statsmodels"}
PHANTOMS = {"osteolib.phantoms"}


def loaded(program: str) -> set[str]:
    """Names of the modules in memory after a program, run by a fresh interpreter."""
    code = f"import sys\n{program}\nprint('\\nLOADED', *sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(done.stdout.split("\nLOADED ")[1].split())


def command(*arguments: str) -> str:
    """A program that runs ``osteolib`` with arguments and goes on after it."""
    return (f"from osteolib.cli import app\nsys.argv = {['osteolib', *arguments]!r}\n"
            "try:\n    app()\nexcept SystemExit as stop:\n    assert not stop.code")  # fmt: skip


@pytest.mark.parametrize(
    "program", ["import osteolib", command("--help"), command("data", "--help"), command("audit", "--help")]
)
def test_the_package_and_its_help_load_nothing_heavy(program):
    heavy = NETWORKS | FIGURES | SOLVERS | PHANTOMS | {"pandas", "numpy", "scipy", "yaml"}
    assert not loaded(program) & heavy


def test_an_audit_loads_tables_but_no_networks_solvers_figures_or_phantoms():
    modules = loaded(command("audit", "data_manifests/audits/example.yaml"))
    assert "osteolib.stats.audit.audit_file" in modules
    assert not modules & (NETWORKS | FIGURES | SOLVERS | PHANTOMS | {"osteolib.report.published"})


def test_one_name_of_a_package_does_not_load_the_others():
    assert not loaded("from osteolib.stats import METRICS") & (SOLVERS | NETWORKS | {"pandas"})
    assert not loaded("from osteolib.cohorts import load_cohort") & (SOLVERS | NETWORKS | PHANTOMS)
    assert not loaded("from osteolib.screen.weights import list_encoders; list_encoders()") & NETWORKS
