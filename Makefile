# `make` lists the targets. Everything runs inside .venv, which the first target that needs it creates.

PYTHON ?= python3
ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
else
BIN := .venv/bin
endif
INOSUKE := $(BIN)/inosuke
CORPUS ?=

.DEFAULT_GOAL := help
# Folders of the same names exist, so make must not take them for files that are up to date.
.PHONY: help setup dataset review label-studio train evaluate gguf serve publish space test test-label-studio lint bench clean

help:  ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/.ready  ## create .venv with everything pinned in constraints.txt

dataset: .venv/.ready  ## sources + review log -> queue and export (CORPUS=folder: that folder alone)
	@$(INOSUKE) review sync
	@$(INOSUKE) dataset $(if $(CORPUS),--corpus "$(CORPUS)")
	@# What import has just approved goes to the store as well, so that the next run finds nothing to do.
	@$(INOSUKE) review sync

review: .venv/.ready  ## open the review desk in a browser
	@test -f datasets/build/samples.parquet || $(INOSUKE) dataset
	@$(BIN)/streamlit run app_review.py --server.address 127.0.0.1

label-studio: .venv/.ready  ## push the queue to Label Studio and pull verdicts back
	@$(INOSUKE) label-studio push
	@$(INOSUKE) label-studio pull

# glibc's malloc keeps the few bytes that it cuts off beside each tensor to itself, so that the next tensor of that size
# does not fit into the place of the first. Told not to, a training takes 80 MB less.
train: export GLIBC_TUNABLES ?= glibc.malloc.tcache_count=0
train: .venv/.ready  ## train an adapter on the newest export
	@$(INOSUKE) train

evaluate: .venv/.ready  ## measure the newest adapter beside its base
	@$(INOSUKE) evaluate

gguf: .venv/.ready  ## write the newest adapter as GGUF files for llama.cpp, measured
	@$(INOSUKE) gguf

serve: .venv/.ready  ## chat with the trained character at http://127.0.0.1:7860
	@$(INOSUKE) serve

publish: .venv/.ready  ## publish the newest export to the Hugging Face Hub (REPO=OWNER/NAME)
	@test -n "$(REPO)" || { echo "Name the repository: make publish REPO=OWNER/NAME"; exit 2; }
	@$(INOSUKE) publish "$(REPO)"

space: .venv/.ready  ## write a folder that a Hugging Face Space builds, into build/space
	@$(INOSUKE) space --out build/space

test: .venv/.ready-dev  ## run the test suite
	@$(BIN)/python -m pytest -m "not label_studio"

test-label-studio: .venv/.ready-dev  ## the part against a real Label Studio server (the first time installs 1 GB)
	@$(BIN)/python -m pytest -m label_studio

lint: .venv/.ready-dev  ## ruff and mypy
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

bench: .venv/.ready-bench  ## measure, both sides in one run, into benchmarks/results.md
	@$(BIN)/python -m benchmarks

clean:  ## remove what can be rebuilt (the review store and the log stay)
	rm -rf datasets/build datasets/export datasets/quarantine build *.egg-info .mypy_cache .ruff_cache .pytest_cache

.venv/.ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if v >= (3, 11) else f"Python {v.major}.{v.minor} seen, 3.11 or newer expected: make PYTHON=python3.11 ...")'
	@echo "Setting up .venv; the first time this downloads about 1 GB."
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	@touch $@

.venv/.ready-dev: .venv/.ready
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[dev]"
	@touch $@

.venv/.ready-bench: .venv/.ready-dev
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[bench]"
	@touch $@
