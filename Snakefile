# The graph of papermill runs, then the book. `make book` calls it on a laptop; the same file serves a cluster, as in
#   snakemake ablations --profile clusters/slurm --config profile=paper
# A notebook runs again when its cells, the code it imports, its profile, the lock or its data changed: all of that is
# in `params`, as hashes. Time stamps decide nothing.
import os
import sys
from functools import cache
from pathlib import Path

from filelock import FileLock, Timeout

from osteolib.cohorts import load_manifest, state
from osteolib.report.site import site_hash
from osteolib.runs import list_notebooks, load_profile
from osteolib.runs.paths import digest, make_folder
from osteolib.runs.recorded import TABLES, list_cells

profile = config.get("profile", "quick")
try:
    load_profile(profile)
except ValueError as error:
    sys.exit(f"make book: {error}")
NOTEBOOKS = {notebook.name: notebook for notebook in list_notebooks()}
BUILD = f"build/{profile}"
PYTHON = Path(sys.executable).as_posix()

if "OSTEO_LOCK" not in os.environ:  # jobs on a cluster read this file again, below the run that holds the lock
    try:
        make_folder(Path(BUILD))
    except PermissionError as error:
        sys.exit(f"make book: {error}")
    lock = FileLock(f"{BUILD}/.lock")  # Snakemake's own outlives a killed run; this one ends with the process
    try:
        lock.acquire(timeout=0)
    except Timeout:
        sys.exit(f"another `make book` is at work on {BUILD}: wait for it, or choose another PROFILE")
    os.environ["OSTEO_LOCK"] = "held"


envvars:  # what a job in a container would not have otherwise
    "OSTEO_LOCK",
    *(["OSTEO_DATA"] if "OSTEO_DATA" in os.environ else []),


manifest = cache(load_manifest)  # asked for by every notebook; nothing changes while the graph is drawn
here = cache(state)
code_hash = cache(lambda name: NOTEBOOKS[name].fingerprint(profile))


def data_hash(names):
    """Changes when a manifest does, or when files appear, disappear or are damaged."""
    like = {manifest(name).settings.get("people", {}).get("like") for name in names} - {None}
    return digest({name: [manifest(name).content(), here(name)] for name in sorted({*names, *like})})


# quiet notebooks: no progress bars, no network, and a kernel that sees the same interpreter
os.environ.update(OSTEO_BOOK="1", TQDM_DISABLE="1", PYDEVD_DISABLE_FILE_VALIDATION="1")


EXECUTED = expand(f"{BUILD}/notebooks/{{notebook}}.ipynb", notebook=NOTEBOOKS)


def minutes_ahead(name):
    """Minutes of a notebook and of the longest row of those that wait for it: what is begun late ends the book late."""
    waiting = [other.name for other in NOTEBOOKS.values() if name in other.after]
    return NOTEBOOKS[name].minutes[profile] + max(map(minutes_ahead, waiting), default=0)


rule all:
    input:
        EXECUTED,
        f"{BUILD}/site/_build/html/index.html",


rule book:
    input:
        EXECUTED,
    output:
        f"{BUILD}/site/_build/html/index.html",
    params:
        pages=site_hash(),
        runs=[code_hash(name) + data_hash(notebook.needs) for name, notebook in NOTEBOOKS.items()],
    log:
        f"{BUILD}/logs/book.txt",
    shell:
        "{PYTHON} -m osteolib.report.site {profile} > {log} 2>&1 || (tail -n 40 {log} >&2; exit 1)"


rule notebook:
    input:
        notebook=ancient("notebooks/{notebook}.ipynb"),
        after=lambda w: [f"{BUILD}/notebooks/{name}.ipynb" for name in NOTEBOOKS[w.notebook].after],
    output:
        f"{BUILD}/notebooks/{{notebook}}.ipynb",
    params:
        code=lambda w: code_hash(w.notebook),
        data=lambda w: data_hash(NOTEBOOKS[w.notebook].needs),
    log:
        notebook=f"{BUILD}/logs/{{notebook}}.ipynb",  # kept when the run fails, with the cell that failed
        text=f"{BUILD}/logs/{{notebook}}.txt",
    benchmark:
        f"{BUILD}/logs/{{notebook}}.tsv"  # time and memory, for the page of timings
    priority: lambda w: minutes_ahead(w.notebook)
    # A core for each training, of half the cores: what a notebook does beside its trainings has one thread, and another
    # notebook fills the rest. In smoke one, since starting processes there costs more than they give.
    threads: lambda w: max(1, min(NOTEBOOKS[w.notebook].trains, workflow.cores // 2)) if profile != "smoke" else 1
    shell:
        "rm -rf {BUILD}/results/{wildcards.notebook}; "
        "OMP_NUM_THREADS={threads} {PYTHON} -m papermill --no-progress-bar -p profile {profile} "
        "{input.notebook} {log.notebook} > {log.text} 2>&1 || (tail -n 25 {log.text} >&2; exit 1); "
        "cp {log.notebook} {output}"


# Every pre-trained encoder of the hand chapters, a job each:  snakemake hand_grid --cores 2 --config profile=paper
HAND_GRID = f"{BUILD}/hand_grid/{{method}}-{{crops}}-{{grey}}-{{seed}}"


rule hand_grid:
    input:
        expand(
            HAND_GRID,
            method=["simclr", "supcon", "swav", "vicreg"],
            crops=["conventional", "extended", "large"],
            grey=["ranked"],
            seed=range(load_profile(profile)["n_seeds"]),
        ),
        expand(
            HAND_GRID,
            method=["simclr", "supcon", "swav", "vicreg"],
            crops=["extended"],
            grey=["filmed"],
            seed=range(load_profile(profile)["n_seeds"]),
        ),


rule hand_cell:
    output:
        touch(HAND_GRID),
    params:
        code=code_hash("22_hand_ssl"),
    log:
        f"{BUILD}/logs/hand_grid/{{method}}-{{crops}}-{{grey}}-{{seed}}.txt",
    # one thread each, as on the pages; the papers' sizes need the whole machine and what accelerates it
    threads: workflow.cores if profile == "paper" else 1
    shell:
        "OMP_NUM_THREADS={threads} {PYTHON} -m osteolib.screen.hand_grid "
        "{profile} {wildcards.method} {wildcards.crops} {wildcards.grey} {wildcards.seed} > {log} 2>&1 "
        "|| (tail -n 25 {log} >&2; exit 1)"


# Runs too long for the book, a job each (data_manifests/recorded/cells.yaml):  make record. Those declared for `paper`
# need an accelerator:  snakemake record --cores 8 --config profile=paper
RECORD = "data_manifests/recorded/{cell}/run.json"


rule record:
    input:
        expand(RECORD, cell=[name for name, cell in list_cells().items() if cell.profile == profile]),


# Those of them that take the methods apart, for all papers:  snakemake ablations --cores 2 --config profile=long
rule ablations:
    input:
        expand(RECORD, cell=[name for name, cell in list_cells().items() if cell.grid == "ablations"]),


rule recorded_cell:
    output:
        RECORD,
        [f"data_manifests/recorded/{{cell}}/{table}.csv" for table in TABLES],
    log:
        f"{BUILD}/logs/recorded/{{cell}}.txt",
    shell:
        "OMP_NUM_THREADS={threads} {PYTHON} -m osteolib.runs.recorded {wildcards.cell} > {log} 2>&1 "
        "|| (tail -n 25 {log} >&2; exit 1)"
