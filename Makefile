# Everything starts from a bare Python 3.11 or newer: no root, nothing preinstalled. `make` alone lists what there is.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

UV_VERSION := 0.13.9
PYTHON ?= $(shell for one in python3.11 python3 python3.12 python3.13 python; do \
  "$$one" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$one"; break; }; done)
JOBS ?= 2
KILLS ?= 200
BIN := .venv/bin
PY := $(BIN)/python
UV := .uv/bin/uv

# The environment may point pip or uv somewhere else than into this folder; what matters for that is set or cleared.
# Indexes, mirrors, certificates and proxies of the environment stay in force.
unexport PIP_USER PIP_TARGET PIP_PREFIX PIP_REQUIRE_VIRTUALENV PYTHONHOME PYTHONPATH VIRTUAL_ENV UV_PYTHON
export UV_PROJECT_ENVIRONMENT := .venv
export UV_PYTHON_DOWNLOADS := never

SYNCED := .venv/.synced
FULL := .venv/.full
ASSETS := .venv/.assets
KERNELS := .venv/.kernels

.PHONY: help setup demo test check bench hammer docs clean

help: ## list the targets
	@echo "Holdfast: the security incident response runbook that runs."
	@echo
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: $(SYNCED) $(ASSETS) $(KERNELS) ## make .venv with the holdfast command
	@echo "Ready: $(BIN)/holdfast --help"

demo: setup ## play a leaked-secret incident; EXIT=1 stops by itself with the pack's path as last line
	@$(PY) -m holdfast.demo $(if $(filter 1,$(EXIT)),--exit)

test: setup $(FULL) ## run every test; ARGS is passed to pytest
	$(PY) -m pytest -n $(JOBS) --dist loadfile $(ARGS)

check: setup $(FULL) ## lint, types, import contracts, spelling, docs and lock file
	$(PY) -m tools.check

bench: setup $(FULL) ## measure speed as ratios and CPU milliseconds
	$(PY) -m benchmarks $(ARGS)

hammer: setup $(FULL) ## kill the server KILLS times (200) for each database, and look for lost events
	HAMMER_KILLS=$(KILLS) $(PY) -m pytest -m hammer -n 0 $(ARGS)

docs: setup ## build the documentation site into docs/_build/html
	$(PY) -m tools.reference
	$(PY) -m sphinx -q -n -W --keep-going -b html docs docs/_build/html
	@echo "Read it: docs/_build/html/index.html"

# Compiled once, so that the first exposure search of an incident need not.
$(KERNELS): $(SYNCED) $(wildcard src/holdfast/exposure/git/*.py)
	$(PY) -m holdfast.engines.exposure.warming
	@touch $@

clean: ## remove everything that make made
	rm -rf .venv .uv build dist docs/_build src/holdfast/web/static/vendor
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(UV): Makefile
	@test -n "$(PYTHON)" || { echo "Holdfast needs Python 3.11 or newer, as python3; none was found." >&2; exit 1; }
	@"$(PYTHON)" -m venv --clear .uv || { \
	  echo "Python could not make a virtual environment. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	.uv/bin/python -m pip install --quiet --disable-pip-version-check --no-input uv==$(UV_VERSION)
	@touch $@

# Compiled now, as the environment may forbid Python to keep what it compiles: starting takes a third of the time.
$(SYNCED): $(UV) pyproject.toml uv.lock
	$(UV) sync --quiet --frozen --compile-bytecode --python "$(PYTHON)"
	@$(PY) -m compileall -q src
	@touch $@

# The optional parts (Spark, ClickHouse, Sigma, AWS): large, and needed by tests only.
$(FULL): $(SYNCED)
	$(UV) sync --quiet --frozen --compile-bytecode --all-extras --python "$(PYTHON)"
	@touch $@

$(ASSETS): $(SYNCED) tools/build_assets.py src/holdfast/web/package.json src/holdfast/web/package-lock.json
	$(PY) tools/build_assets.py
	@touch $@
