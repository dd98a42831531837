# `make run` shows what the project does; `make test` checks it. Both set up all they need in .venv.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.DEFAULT_GOAL := help
.PHONY: help run test coverage lint bench snapshots record lock clean

help:            ## list the commands
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 20

# The lock pins every package by hash. The project itself is installed without build isolation, so
# that nothing outside the lock is fetched.
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

test: $(READY) lint  ## lint, types, all tests and snapshots
	$(BIN)/python -m pytest

coverage: $(READY)  ## the same tests, with branch coverage by file
	$(BIN)/coverage run -m pytest -q
	$(BIN)/coverage report --fail-under=97

lint: $(READY)   ## ruff (ALL) and mypy (strict)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(READY)  ## measure the figures in docs/benchmarks.md
	$(BIN)/python -m benchmarks

snapshots: $(READY)  ## write the snapshots again; review the diff before committing
	$(BIN)/python -m pytest -q tests/conformance --snapshot-update

# Each engine has its own lock and folder. Those that need npm are skipped where it is not installed.
NPM := $(if $(shell command -v npm),aimock openai-mock-api)
ENGINES ?= llamacpp mockllm ai-mock $(NPM)

record: $(READY) $(ENGINES:%=.venv-engines/%/.ready) ## record the cassettes in cassettes/ again; ENGINES="litellm transformers" for more
	@mkdir -p build
	$(BIN)/python -m recording $(ENGINES:%=%/)

.venv-engines/%/.ready: recording/%/requirements.lock
	@test -x $(@D)/bin/python || $(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

# torch is pinned without a hash because the file differs by machine: for Linux the usual index has
# only the CUDA build, which needs gigabytes. The build for CPUs is enough; let pip find it in a
# folder (PIP_FIND_LINKS) or on PyTorch's own index (PIP_EXTRA_INDEX_URL).
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

# Extras stay in the lock: pip 23, which comes with Python 3.11, takes a pin without its extras for
# another package.
lock: $(READY)   ## resolve pyproject.toml into requirements.lock (with hashes)
	$(BIN)/uv pip compile pyproject.toml --extra dev --generate-hashes --no-emit-index-url \
	    --universal --python-version 3.11 --no-strip-extras --upgrade --quiet -o requirements.lock

clean:           ## remove what these commands made
	rm -rf .venv .venv-engines build .pytest_cache .mypy_cache .ruff_cache .coverage
