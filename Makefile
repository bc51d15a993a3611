# What a person or CI does with fedbot. `make` alone lists it.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo test test-long check format words bench contract differential crash simulate mutants fuzz docs pins sbom audit dist image clean

BIN := .venv/bin
ARGS ?=
STORY ?=
SEEDS ?= 500
FIRST_SEED ?= 1
AGAINST ?= URL
SECONDS_EACH ?= 60
# one more than there are cores: those that start a homeserver wait for it most of the time
PROCESSES ?= $(shell expr $$(nproc) + 1)

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "Arguments go into ARGS: make demo ARGS=--fast, make test ARGS='-k loan'"

setup: .venv/.ready-test ## .venv with everything, pinned (quick when nothing changed)

.venv/.ready-%: requirements/build.txt requirements/%.txt pyproject.toml scripts/setup
	@scripts/setup $*

demo: .venv/.ready-demo ## watch two makerspaces connect and hand over an item
	@exec $(BIN)/fedbot demo $(ARGS)

test: .venv/.ready-test ## every test but the long ones (ARGS='-k loan')
	@$(BIN)/pytest -n $(PROCESSES) --dist loadfile --no-loadscope-reorder $(ARGS)

test-long: .venv/.ready-test ## the long tests: many moments, states, seeds, and each pair of InvenTree versions
	@$(BIN)/pytest -n auto -m long --timeout 1800 $(ARGS)

check: .venv/.ready-test ## lint, format, types, import rules, links of the docs
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(MAKE) --no-print-directory docs

format: .venv/.ready-test ## fix what ruff can fix
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

words: .venv/.ready-test ## bring other languages up to date with the English sentences (ARGS=fr for a new one)
	@$(BIN)/python -m tests.translations $(ARGS)

bench: .venv/.ready-test ## measure time, memory and calls; figures in build/bench.json
	@mkdir -p build
	@$(BIN)/python -m bench $(ARGS)

crash: .venv/.ready-test ## kill a bot before and after every write and effect of each story (STORY=push, ARGS=--help)
	@$(BIN)/python -m tests.crash $(addprefix --story ,$(STORY)) $(ARGS)

simulate: .venv/.ready-test ## play histories in which everything goes wrong, and check the promises (SEEDS=500 FIRST_SEED=1)
	@$(BIN)/python -m tests.simulation --seeds $(SEEDS) --first-seed $(FIRST_SEED)

mutants: .venv/.ready-test ## break the rules one by one; the simulation has to catch each
	@$(BIN)/python -m tests.simulation --mutants --seeds $(SEEDS) --first-seed $(FIRST_SEED)

differential: .venv/.ready-test ## make random calls on a live InvenTree and on the simulated one (AGAINST=URL, docs/tested-servers.md)
	@$(BIN)/python -m tests.differential --against $(AGAINST) $(ARGS)

contract: .venv/.ready-test ## test what fedbot expects of InvenTree, on each simulated version or on FEDBOT_LIVE_INVENTREE
	@$(BIN)/pytest tests/contract $(ARGS)

fuzz: .venv/.ready-test ## fuzz every parser of other people's input (SECONDS_EACH=60)
	@$(BIN)/python -m tests.fuzz --seconds-each $(SECONDS_EACH) $(ARGS)
	@$(BIN)/python -m tests.web.test_schema 200

docs: .venv/.ready-test ## build the documentation into build/docs; a broken link fails
	@$(BIN)/sphinx-build -q -E -W --keep-going -b html docs build/docs
	@echo "build/docs/index.html"

sbom: ## write a bot's software bill of materials to build/sbom.json (CycloneDX, from the pins, no network)
	@mkdir -p build
	@python3 scripts/sbom.py > build/sbom.json
	@echo "build/sbom.json"

audit: ## look the pins up among the known vulnerabilities (needs the network)
	@scripts/audit $(ARGS)

dist: .venv/.ready-test ## build wheel and sdist of the committed files into dist/
	@scripts/dist $(ARGS)

image: ## build the container image on the pinned base image (ARGS=--pin writes today's digest)
	@scripts/image $(ARGS)

pins: ## write requirements/*.txt from pyproject.toml (ARGS=--upgrade for the newest)
	@scripts/pins $(ARGS)

clean: ## remove everything that was built, the environment included
	rm -rf .venv build dist ./*.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
