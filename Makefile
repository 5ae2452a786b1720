# make book             the whole book, profile quick     (make book PROFILE=smoke | long | paper)
# make test             the test suite
# make record           runs too long for the book that are not recorded yet (hours; make record CELL=knee-wani-0)
# make lab              JupyterLab on the notebooks, on this machine only
# make data             what data the book knows, and what is there
# make exercises        copies of the notebooks without solutions, in exercises/
# make bench            speed and memory, side by side with other libraries
# make faults           spoiled inputs by the thousand, runs killed at random moments, full disks (two hours)
# make lint             style
# make notebooks        notebooks/*.ipynb from notebooks/src/*.py
# make lock             requirements.txt anew (needs uv)

PROFILE ?= quick
CORES ?= $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
PYTHON ?= $(shell command -v python3.11 || command -v python3 || echo python)
ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
else
BIN := .venv/bin
endif
READY := .venv/.ready

.PHONY: book test record lab data exercises bench faults lint notebooks lock

book: $(READY)
	$(BIN)/snakemake --cores $(CORES) --nolock --rerun-incomplete --rerun-triggers params --quiet all \
	  --config profile=$(PROFILE)
	@echo "The book: build/$(PROFILE)/site/_build/html/index.html"

# as many processes as cores, a file's tests in one of them, since they share what is slow to make
test: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q --numprocesses $(CORES) --dist loadfile

record: $(READY)
	$(BIN)/snakemake $(if $(CELL),data_manifests/recorded/$(CELL)/run.json,record) --cores $(CORES) --nolock \
	  --rerun-incomplete --rerun-triggers params --keep-going --quiet all --config profile=long

lab: $(READY) notebooks
	$(BIN)/jupyter lab --ip=127.0.0.1 notebooks

data: $(READY)
	$(BIN)/osteolib data list

exercises: $(READY)
	$(BIN)/osteolib exercises

bench: $(READY)
	@for script in benchmarks/bench_*.py; do $(BIN)/python $$script || exit 1; done

faults: $(READY)
	$(BIN)/python tests/faults/campaign.py

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

notebooks: $(READY)
	$(BIN)/osteolib notebooks

lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --extra dev pyproject.toml -o requirements.txt

# The environment is complete only when .ready stands: an interrupted installation is taken up again.
$(READY): requirements.txt pyproject.toml
	$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'Python 3.11 or newer is needed: set PYTHON=')"
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@
