# Two commands on a fresh machine: `make demo` and `make test`. Everything lives in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt
DATA ?= ../shared/data

.PHONY: demo test test-all check lint types train train-student evaluate bench sim ptx gpu clean

demo: $(VENV)/core
	$(BIN)/drylab demo --out runs/demo-$$(date +%Y%m%d-%H%M%S)

test: $(VENV)/dev
	$(BIN)/python -m pytest -n 2 -m "not slow"

test-all: $(VENV)/dev
	$(BIN)/python -m pytest -n 2

check: lint types test

lint: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/dev
	$(BIN)/mypy

# The kernels' and the engine's claims against their peers, in one run (half an hour). Needs ../shared/data. chemprop gets .venv-chemprop.
bench: $(VENV)/bench
	$(BIN)/python bench/bench_featurize.py --data $(DATA)
	$(BIN)/python bench/bench_alerts.py
	$(BIN)/python bench/bench_message.py
	$(BIN)/python bench/bench_standardize.py
	$(BIN)/python bench/bench_library.py --rows 2000000
	$(BIN)/python bench/bench_engine.py --data $(DATA) --large 2000000
	$(BIN)/python bench/bench_screen_memory.py --data $(DATA) --rows 2000000

# GPU code without a GPU: stepped through in the CUDA simulator, and compiled for Hopper and Blackwell.
sim: $(VENV)/dev
	NUMBA_ENABLE_CUDASIM=1 NUMBA_DISABLE_JIT=1 $(BIN)/python -m pytest -n 2 -m twins tests/kernels

ptx: $(VENV)-cuda/ready
	$(VENV)-cuda/bin/python -m tests.gpu.compile_ptx

# On a machine with a GPU: equality first, then molecules a second, rows into bench/results. Under 8 minutes.
gpu:
	bash bench/gpu.sh $(DATA)

# The model that ships with all that belongs to it, an hour and a half of one quiet core; it goes on where it was stopped.
train: $(VENV)/dev
	mkdir -p runs
	$(BIN)/python -m drylab.train --data $(DATA) --out drylab/models/panel-2.safetensors --checkpoint runs/panel-2.pt

# The tables of docs/models.md again, and those of the other suites.
evaluate: $(VENV)/dev
	$(BIN)/drylab evaluate --all --data $(DATA) --out runs/evaluation.md

# The first stage of that model's cascade, after it: a quarter of an hour of one quiet core.
train-student: $(VENV)/dev
	$(BIN)/python -m drylab.train.student --data $(DATA) --teacher panel-2 --out drylab/models/panel-2-first.safetensors

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/core: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) --editable .
	touch $@

$(VENV)/dev: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) --editable ".[dev]"
	touch $@ $(VENV)/core

$(VENV)/bench: $(VENV)/dev
	$(PIP) --editable ".[bench]"
	touch $@

$(VENV)-cuda/ready: constraints.txt
	$(PYTHON) -m venv $(VENV)-cuda
	$(VENV)-cuda/bin/pip install --quiet --disable-pip-version-check --constraint constraints.txt numba numpy pyarrow "numba-cuda[cu13]>=0.20" "cuda-toolkit==13.0.*"
	touch $@

clean:
	rm -rf $(VENV) $(VENV)-cuda build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
