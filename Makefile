# Every recipe is also the documentation of how to do it by hand.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# Runs of `make demo` and `make refresh` show up in the UI of `make dev`, since all use this folder's dagster.yaml.
export DAGSTER_HOME := $(CURDIR)
export DAGSTER_DISABLE_TELEMETRY := 1

.DEFAULT_GOAL := help
.PHONY: help setup demo test serve refresh dev lint format clean

help:  ## Show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-9s %s\n", $$1, $$2 }'

setup: $(READY)  ## Make .venv and install everything, at the tested versions

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --disable-pip-version-check --quiet --constraint constraints.txt --editable '.[encoders,ui,web,dev]'
	@touch $(READY)

demo: $(READY)  ## Build the sample collection and serve it on http://127.0.0.1:8000
	$(BIN)/gallery demo

test: $(READY)  ## Run the tests (those in a browser need chromium, and skip without it)
	$(BIN)/pytest --numprocesses 2 --dist loadfile

serve: $(READY)  ## Serve the search page of the collection as it is
	$(BIN)/gallery serve

refresh: $(READY)  ## Bring the collection up to date with the dataset
	$(BIN)/gallery refresh

dev: $(READY)  ## Open the Dagster UI on http://127.0.0.1:3000
	$(BIN)/dg dev

lint: $(READY)  ## Check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY)  ## Rewrite the code in the project's style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:  ## Remove .venv and caches; the collection in .gallery stays
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
