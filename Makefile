# Everything that a developer or a user runs; `make` alone prints what there is.

.DEFAULT_GOAL := help
.PHONY: help setup engines demo test unit check format generate lock bench pictures mutants mutations clean

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3
SETUP := $(VENV)/.done-$(shell cat requirements.lock pyproject.toml | cksum | cut -d' ' -f1)

help: ## print this help
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

setup: $(SETUP) ## make the virtual environment with all pinned dependencies

$(SETUP):
	@./scripts/setup $(PYTHON) $(VENV)
	@touch $@

engines: setup ## build the engines that are not there (once; about 5 minutes on 2 cores)
	@$(BIN)/python -m stack.engines build

demo: engines ## run the drill error-burst on real engines and write its report
	@$(BIN)/tocsin run error-burst

test: engines ## all tests, unit to end to end
	@$(BIN)/python -m pytest

unit: setup ## the unit tests alone: no network, no engines
	@$(BIN)/python -m pytest tests/unit tests/contract

check: setup ## lint, format, types, arrows, generated files
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python -m stack.slo generate --check
	@$(BIN)/python -m stack.dashboards generate --check
	@$(BIN)/python -m stack.compose generate --check
	@$(BIN)/python -m stack.images lock --check

format: setup ## put the code in shape
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

generate: setup ## write all generated files anew
	@$(BIN)/python -m stack.slo generate
	@$(BIN)/python -m stack.dashboards generate
	@$(BIN)/python -m stack.compose generate
	@$(BIN)/python -m stack.images lock

lock: setup ## pin all dependencies anew, with hashes and without addresses
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
		--no-emit-find-links --extra dev --prerelease=if-necessary pyproject.toml -o requirements.lock

bench: engines ## measure: each benchmark compares with a peer or a bound in the same run
	@for file in benchmarks/*.py; do echo "== $$file"; $(BIN)/python $$file || exit 1; done

pictures: engines ## take the pictures of the documentation anew (needs Chromium)
	@PYTHONPATH=. $(BIN)/python scripts/pictures

mutants: setup ## judge the tests of the judges: which small changes of them go unnoticed?
	@$(BIN)/python scripts/mutants

mutations: engines ## judge the drills: which rule, query, route or link could be deleted unnoticed? (half an hour)
	@$(BIN)/tocsin mutate --json benchmarks/results/mutations.json

clean: ## remove what make made here; the engines stay in the user's cache
	@rm -rf $(VENV) runs .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .coverage
