"""The grid on a cluster: Snakemake reads the profiles, and a dry run lists a job for each cell without a record."""

import os
import re
import subprocess
import sys
from importlib.util import find_spec

import pytest
import yaml

from osteolib.runs.paths import ROOT
from osteolib.runs.recorded import RECORDED, list_cells

PROFILES = sorted((ROOT / "clusters").glob("*/config.yaml"))
WAITING = {name for name, cell in list_cells().items()
           if cell.profile == "long" and not (RECORDED / name / "run.json").is_file()}  # fmt: skip
PLUGINS = ("snakemake_executor_plugin_slurm", "snakemake_executor_plugin_kubernetes", "snakemake_storage_plugin_fs")


def dry_run(*options):
    """Cells that the target ``record`` would make at the profile ``long``."""
    command = [sys.executable, "-m", "snakemake", "record", "--dry-run", *map(str, options)]
    env = os.environ | {"OSTEO_LOCK": "held"}  # nothing is made: a book may be at work
    done = subprocess.run([*command, "--config", "profile=long"], cwd=ROOT, capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stdout + done.stderr
    return set(re.findall(r"wildcards: cell=(\S+)", done.stdout + done.stderr))


@pytest.mark.parametrize("profile", PROFILES, ids=lambda p: p.parent.name)
def test_what_a_profile_says_beside_its_executor_is_known_to_snakemake(profile, tmp_path):
    said = yaml.safe_load(profile.read_text())
    assert said["executor"] == profile.parent.name and said["keep-going"] and said["rerun-triggers"] == ["params"]
    of_executor = "executor|kubernetes|container|default-storage"
    own = {key: value for key, value in said.items() if not re.match(of_executor, key)}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(own))
    assert dry_run("--profile", tmp_path) == WAITING


@pytest.mark.skipif(not all(map(find_spec, PLUGINS)), reason="needs the extra: pip install -e .[cluster]")
@pytest.mark.parametrize("profile", PROFILES, ids=lambda p: p.parent.name)
def test_a_whole_profile_is_known_to_its_executor(profile):
    found = dry_run("--profile", profile.parent)
    assert found >= WAITING  # with storage of its own nothing is there yet
