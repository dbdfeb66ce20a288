# Two commands on a fresh machine: `make demo` and `make test`. Everything lives in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt
DATA ?= ../shared/data

.PHONY: demo test test-all check lint types train clean

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

train: $(VENV)/dev
	$(BIN)/python -m drylab.train --data $(DATA) --out drylab/models/panel-1.safetensors

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/core: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) --editable .
	touch $@

$(VENV)/dev: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) --editable ".[dev]"
	touch $@ $(VENV)/core

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
