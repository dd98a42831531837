# `make run` shows what the product is for; `make test` proves it. Both set up all they need in .venv.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.DEFAULT_GOAL := help
.PHONY: help run test coverage lint bench snapshots record lock clean

help:            ## list the chores
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 20

# The lock pins every package by hash; the project itself is installed without building in isolation,
# so that nothing outside the lock is ever fetched.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed; set PYTHON=…")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

run: $(READY)    ## replay every scenario into builtin and sdk-helper, print the matrix, write build/
	@mkdir -p build
	@$(BIN)/harness run --target builtin --advisory sdk-helper \
	    --report terminal --report jsonl=build/report.jsonl --report junit=build/junit.xml

test: $(READY) lint  ## every gate: lint, types, all tests, photographs
	$(BIN)/python -m pytest

coverage: $(READY)  ## the same tests, with branch coverage by file
	$(BIN)/coverage run -m pytest -q
	$(BIN)/coverage report --fail-under=97

lint: $(READY)   ## ruff (ALL) and mypy (strict)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(READY)  ## measure the numbers the README quotes
	$(BIN)/python -m benchmarks

snapshots: $(READY)  ## take the photographs again; review them as a diff before committing
	$(BIN)/python -m pytest -q tests/conformance --snapshot-update

# Each engine has a lock and a folder of its own. Those of npm are left out where there is none.
NPM := $(if $(shell command -v npm),aimock openai-mock-api)
ENGINES ?= llamacpp mockllm ai-mock $(NPM)

record: $(READY) $(ENGINES:%=.venv-engines/%/.ready) ## make the recordings in cassettes/ again; ENGINES="litellm transformers" for more
	@mkdir -p build
	$(BIN)/python -m recording $(ENGINES:%=%/)

.venv-engines/%/.ready: recording/%/requirements.lock
	@test -x $(@D)/bin/python || $(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

# torch is pinned without a hash, as which file fits differs by machine: for Linux the usual index has
# the build for CUDA only (gigabytes, with what it needs). Who wants the one for CPUs, which is enough,
# lets pip find it in a folder (PIP_FIND_LINKS) or on PyTorch's own index (PIP_EXTRA_INDEX_URL).
.venv-engines/transformers/.ready: .venv-engines/transformers/.torch
.venv-engines/transformers/.torch:
	@test -x $(@D)/bin/python || $(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check torch==2.13.0
	@touch $@

.venv-engines/%/.ready: recording/%/package-lock.json
	@mkdir -p $(@D)
	@cp $(<D)/package*.json $(@D)
	npm ci --prefix $(@D) --no-audit --no-fund --ignore-scripts --silent
	@touch $@

# Extras stay in the lock: pip 23, which Python 3.11 brings, takes a pin without its extras for another.
lock: $(READY)   ## resolve pyproject.toml again into requirements.lock (hashes, no index address)
	$(BIN)/uv pip compile pyproject.toml --extra dev --generate-hashes --no-emit-index-url \
	    --universal --python-version 3.11 --no-strip-extras --upgrade --quiet -o requirements.lock

clean:           ## remove what the chores made
	rm -rf .venv .venv-engines build .pytest_cache .mypy_cache .ruff_cache .coverage
