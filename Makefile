# `make` lists the targets. Everything runs inside .venv, which the first target that needs it creates.

PYTHON ?= python3
ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
else
BIN := .venv/bin
endif
# CHARACTER=folder: the targets of dataset and model work in that folder, whose persona.toml `inosuke new` has written.
CHARACTER ?=
THERE := $(if $(CHARACTER),cd "$(CHARACTER)" &&)
HERE := $(if $(CHARACTER),$(CURDIR)/)
INOSUKE := $(if $(CHARACTER),$(THERE) "$(HERE)$(BIN)/inosuke",$(BIN)/inosuke)
CORPUS ?=
STARTER ?=
PORT ?=
SERVE = $(if $(PORT),--port "$(PORT)")
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --no-deps
# Each file of requirements/ lists every package with its hash, so pip need not resolve dependencies.
LOCKED := --require-hashes --requirement
PROJECT := --no-build-isolation --editable .
TORCH_FOR_CUDA := import sys, importlib.metadata as m; sys.exit(not any('nvidia' in r for r in m.requires('torch')))
# Many images set it, and then each start of a command compiles the whole project again.
unexport PYTHONDONTWRITEBYTECODE
FAST := not slow and not label_studio and not browser and not model

.DEFAULT_GOAL := help
# Some targets share their name with a folder, which make would take for a file that is up to date.
.PHONY: help setup dataset review label-studio train evaluate gguf improve serve publish space test test-fast \
  test-label-studio coverage lint bench docs lock clean

##@ Start
help:  ## list the targets
	@awk -F':.*## ' '/^##@ / {printf "%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' \
	  $(MAKEFILE_LIST)
	@echo "CHARACTER=folder: dataset, review, label-studio, publish and the model's targets work there (inosuke new)"

setup: .venv/.ready  ## create .venv and install what requirements/ pins

##@ Dataset
dataset: .venv/.ready  ## build queue and export (CORPUS=folder: from it alone, from now on; STARTER=1: from persona.toml's)
	@$(INOSUKE) review sync
	@$(INOSUKE) dataset $(if $(CORPUS),--corpus "$(CORPUS)") $(if $(STARTER),--starter)
	@# Again: what import has just approved goes to the store as well, so that the next run has nothing to do.
	@$(INOSUKE) review sync

review: .venv/.ready  ## open the review desk in a browser
	@$(THERE) test datasets/build/samples.parquet -nt persona.toml || "$(HERE)$(BIN)/inosuke" dataset || \
	  test -f datasets/build/samples.parquet
	@$(THERE) "$(HERE)$(BIN)/streamlit" run "$(HERE)app_review.py" --server.address 127.0.0.1

label-studio: .venv/.ready  ## push the queue to Label Studio and pull verdicts back
	@$(INOSUKE) label-studio push
	@$(INOSUKE) label-studio pull

publish: .venv/.ready  ## publish the newest export to the Hugging Face Hub (REPO=OWNER/NAME)
	@test -n "$(REPO)" || { echo "Name the repository: make publish REPO=OWNER/NAME"; exit 2; }
	@$(INOSUKE) publish "$(REPO)"

##@ Model
train: .venv/.ready  ## train an adapter on the newest export
	@$(INOSUKE) train

evaluate: .venv/.ready  ## measure the newest adapter beside its base
	@$(INOSUKE) evaluate

gguf: .venv/.ready  ## write the newest adapter as GGUF files for llama.cpp, and measure them
	@$(INOSUKE) gguf

improve: NAME := $(shell date +%Y%m%d-%H%M%S)-improved
improve: dataset  ## learn from new verdicts: dataset, train --preferences, blind page of old and new run, serve
	@$(INOSUKE) train --preferences --run $(NAME)
	@$(INOSUKE) evaluate $(NAME) --against start --dialogues 0
	@$(INOSUKE) serve $(SERVE)

serve: .venv/.ready  ## chat with the trained character at http://127.0.0.1:7860 (PORT=number: at another port)
	@$(INOSUKE) serve $(SERVE)

space: .venv/.ready  ## write the folder of a Hugging Face Space into build/space
	@$(INOSUKE) space --out build/space

##@ Development
test: .venv/.ready-dev  ## run the test suite
	@$(BIN)/python -m pytest -n 2 --dist loadfile --durations 40 -m "not label_studio"

test-fast: .venv/.ready-dev  ## run the fast tests (under three minutes on two cores)
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m "$(FAST)"

test-label-studio: .venv/.ready-dev  ## run the tests against a real Label Studio server (the first time installs 1 GB)
	@$(BIN)/python -m pytest -m label_studio

coverage: .venv/.ready-dev  ## run the test suite and write its line coverage into build/coverage
	@$(BIN)/python -m pytest -m "$(or $(MARKS),not label_studio)" --cov --cov-report=term --cov-report=html

lint: .venv/.ready-dev  ## run ruff, mypy, codespell, and the type check of the page's JavaScript
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/codespell
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory node_modules/.ready && npm run --silent check; \
	  else echo "Skipped the check of the page's JavaScript: npm is not installed."; fi

bench: .venv/.ready-bench  ## run the benchmarks, each with what it is compared with, into benchmarks/results.md
	@$(BIN)/python -m benchmarks

docs: .venv/.ready-dev  ## write docs/cli.md from each command's --help
	@$(BIN)/python -m tests.tools.cli_reference

lock: .venv/.ready-dev  ## write constraints.txt and requirements/ from pyproject.toml (needs uv)
	@$(BIN)/python -m tests.tools.lock

clean:  ## remove what can be built again (the review store and the log stay)
	rm -rf datasets/build datasets/export datasets/quarantine build *.egg-info .mypy_cache .ruff_cache .pytest_cache node_modules

.venv/.ready: pyproject.toml requirements/torch-cpu.txt requirements/base.txt requirements/cuda.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if (3, 11) <= v < (3, 14) else f"Python {v.major}.{v.minor} seen, 3.11 to 3.13 expected: make PYTHON=python3.11 ...")'
	@echo "Setting up .venv; the first time this downloads about 1 GB."
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(PIP) $(LOCKED) requirements/torch-cpu.txt 2>/dev/null || \
	  echo "pip finds no torch without CUDA here, so the one with CUDA is installed: about 3 GB more."
	@$(PIP) $(LOCKED) requirements/base.txt
	@! $(BIN)/python -c "$(TORCH_FOR_CUDA)" || $(PIP) $(LOCKED) requirements/cuda.txt
	@$(PIP) $(PROJECT)
	@touch $@

.venv/.ready-dev: .venv/.ready requirements/dev.txt
	@$(PIP) $(LOCKED) requirements/dev.txt
	@touch $@

.venv/.ready-bench: .venv/.ready-dev requirements/bench.txt
	@$(PIP) $(LOCKED) requirements/bench.txt
	@touch $@

node_modules/.ready: package.json package-lock.json
	@npm ci --silent
	@touch $@
