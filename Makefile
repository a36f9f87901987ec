# Needs python3 (3.11 or newer) with venv and pip; every target installs what it needs into .venv.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
WORKERS ?= 2

.PHONY: demo test test-slow bench lint clean
.DEFAULT_GOAL := demo

$(INSTALLED): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	$(BIN)/python -m compileall -q simulator
	touch $@

demo: $(INSTALLED)
	$(BIN)/gigawatt run scenarios/gigawatt-campus.yaml -o reports/gigawatt-campus

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/lint-imports --no-logo
	$(BIN)/mypy

test: lint
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m "not slow" -q

test-slow: lint
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -q

bench: $(INSTALLED)
	$(BIN)/python -m pytest benchmarks --benchmark-only --benchmark-columns=min,mean,rounds \
		--benchmark-sort=fullname -q

clean:
	rm -rf .venv build *.egg-info .pytest_cache .ruff_cache .mypy_cache
