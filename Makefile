# Development in one command each: `make demo`, `make test`. Every target sets up what it needs in
# .venv and does it again only when the declared dependencies change. Written for GNU make 3.81 on.

.DEFAULT_GOAL := help
.PHONY: help demo results test test-all lint format

# The first interpreter that is new enough; `make PYTHON=/path/to/python3 ...` chooses another.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	if "$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
	then echo "$$p"; break; fi; done)

ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
else
BIN := .venv/bin
endif

PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

help:
	@echo "make demo      render a sample film, index it, search it, write its report (into demo/)"
	@echo "make results   docs/results.md and the leaderboard, from experiments/results"
	@echo "make test      linters, types and the tests that take minutes"
	@echo "make test-all  the same with the slow tests"
	@echo "make format    lay the code out and sort its imports"

demo: .venv/.demo demo/sample.mp4
	$(BIN)/python -m experiments.demo demo

demo/sample.mp4: experiments/sample_film.py $(wildcard experiments/recurrence*.py) | .venv/.demo
	@echo "Rendering the sample film (under a minute) ..."
	$(BIN)/python -m experiments.sample_film $@

results: .venv/.created
	$(BIN)/python -m experiments.results

test: lint
	$(BIN)/python -m pytest

test-all: lint
	$(BIN)/python -m pytest -m "slow or not slow"

lint: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: .venv/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.venv/.demo: pyproject.toml constraints.txt | .venv/.created
	@echo "Installing semantic-video and what the demo needs into .venv ..."
	$(PIP_INSTALL) -e ".[demo]"
	@touch $@

.venv/.dev: pyproject.toml constraints.txt | .venv/.created
	@echo "Installing semantic-video and its development tools into .venv ..."
	$(PIP_INSTALL) -e ".[dev]"
	@touch $@

.venv/.created:
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	echo "semantic-video needs Python 3.11 or later: install one, or say which to use with" \
	"make PYTHON=/path/to/python3" >&2; exit 1; }
	"$(PYTHON)" -m venv .venv
	@touch $@
