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

demo: .venv/.ready-demo ## two makerspaces connect and hand over an item, before your eyes
	@exec $(BIN)/fedbot demo $(ARGS)

test: .venv/.ready-test ## all tests, in one process more than there are cores, a file in one of them
	@$(BIN)/pytest -n $(PROCESSES) --dist loadfile --no-loadscope-reorder $(ARGS)

test-long: .venv/.ready-test ## many moments, states, seeds, and each pair of InvenTree versions
	@$(BIN)/pytest -n auto -m long --timeout 1800 $(ARGS)

check: .venv/.ready-test ## lint, format, types, import rule, links of the docs
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(MAKE) --no-print-directory docs

format: .venv/.ready-test ## mend what ruff can mend
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

words: .venv/.ready-test ## other languages brought up to date with the English sentences (ARGS=fr for a new one)
	@$(BIN)/python -m tests.translations $(ARGS)

bench: .venv/.ready-test ## measure; table here, numbers in build/bench.json
	@mkdir -p build
	@$(BIN)/python -m bench $(ARGS)

crash: .venv/.ready-test ## kill a bot before and after every write and effect of each story (STORY=push, ARGS=--help)
	@$(BIN)/python -m tests.crash $(addprefix --story ,$(STORY)) $(ARGS)

simulate: .venv/.ready-test ## histories with everything going wrong, promises looked at (SEEDS=500 FIRST_SEED=1)
	@$(BIN)/python -m tests.simulation --seeds $(SEEDS) --first-seed $(FIRST_SEED)

mutants: .venv/.ready-test ## broken variants of the rules, each to be caught by the simulation
	@$(BIN)/python -m tests.simulation --mutants --seeds $(SEEDS) --first-seed $(FIRST_SEED)

differential: .venv/.ready-test ## random calls on a live InvenTree and on the simulated one (AGAINST=URL, docs/tested-servers.md)
	@$(BIN)/python -m tests.differential --against $(AGAINST) $(ARGS)

contract: .venv/.ready-test ## what we believe of InvenTree, on each simulated version or on FEDBOT_LIVE_INVENTREE
	@$(BIN)/pytest tests/contract $(ARGS)

fuzz: .venv/.ready-test ## feed all that reads what others wrote (SECONDS_EACH=60)
	@$(BIN)/python -m tests.fuzz --seconds-each $(SECONDS_EACH) $(ARGS)
	@$(BIN)/python -m tests.web.test_schema 200

docs: .venv/.ready-test ## the documentation as a site in build/docs; a link that leads nowhere fails
	@$(BIN)/sphinx-build -q -E -W --keep-going -b html docs build/docs
	@echo "build/docs/index.html"

sbom: ## the software bill of materials of a bot into build/sbom.json (CycloneDX, from the pins, no network)
	@mkdir -p build
	@python3 scripts/sbom.py > build/sbom.json
	@echo "build/sbom.json"

audit: ## look the pins up among the known vulnerabilities (needs the network, and says if it isn't there)
	@scripts/audit $(ARGS)

dist: .venv/.ready-test ## wheel and sdist of what is committed, into dist/
	@scripts/dist $(ARGS)

image: ## the container image, on the base image whose digest is pinned (ARGS=--pin writes the digest of today)
	@scripts/image $(ARGS)

pins: ## write requirements/*.txt from pyproject.toml (ARGS=--upgrade for the newest)
	@scripts/pins $(ARGS)

clean: ## remove what was built, the environment included
	rm -rf .venv build dist ./*.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
