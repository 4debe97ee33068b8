# `make` lists the targets.
PYTHON ?= python3
# Port of the page or UI: make demo PORT=8080
PORT ?=
# On Linux, PyPI's torch needs 3.6 GB of CUDA libraries. Name PyTorch's index of CPU wheels to do without them:
# make demo TORCH_INDEX=https://...  (README.md says where to find its address)
TORCH_INDEX ?=
VENV := .venv
BIN := $(VENV)/bin
# One marker file for each level of installation; dev includes demo.
DEMO := $(VENV)/.installed-demo
DEV := $(VENV)/.installed-dev
comma := ,
# uv is about five times as fast as pip, but ignores pip's settings. If pip has an index configured, or uv fails, pip is used.
# It does not compile all 23,000 files, which takes minutes: Python compiles what it imports.
PIP := $(BIN)/python -m pip install --no-compile --disable-pip-version-check --constraint constraints.txt
UV := $(BIN)/uv pip install --python $(BIN)/python --system-certs --constraint constraints.txt
# Runs of `make demo` and `make refresh` show up in the UI of `make dev`, since all use this folder's dagster.yaml.
export DAGSTER_HOME := $(CURDIR)
export DAGSTER_DISABLE_TELEMETRY := 1
# Some container images switch off stored bytecode; then every process compiles what it imports.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo serve refresh dev test test-all lint format clean

help:  ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-9s %s\n", $$1, $$2 }'

setup: $(DEV)  ## Create .venv and install everything, at the tested versions

demo: $(DEMO)  ## Build the sample collection and serve it on http://127.0.0.1:8000 (or PORT=)
	@$(BIN)/gallery demo $(if $(PORT),--port $(PORT))

serve: $(DEMO)  ## Serve the search pages without a refresh (or PORT=)
	@$(BIN)/gallery serve $(if $(PORT),--port $(PORT))

refresh: $(DEMO)  ## Bring the collection up to date with the dataset
	@$(BIN)/gallery refresh

dev: $(DEV)  ## Open the Dagster UI on http://127.0.0.1:3000 (or PORT=)
	@$(BIN)/python -m pipelines.dev $(if $(PORT),--port $(PORT))

test: $(DEV)  ## Run the fast tests; CONTRIBUTING.md says which those are
	$(BIN)/pytest -m "$(FAST)" $(SPREAD)

test-all: $(DEV)  ## Run all tests; those in a browser are skipped without Chromium
	$(BIN)/pytest $(SPREAD)

lint: $(DEV)  ## Check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(DEV)  ## Rewrite the code in the project's style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:  ## Remove .venv and caches; the collection in .gallery stays
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis

# The tiers of tests; pyproject.toml says what each marker stands for.
FAST := not browser and not services and not load and not chaos and not slow
# Three processes even on two cores: much of the suite waits. A file stays in one process; slow files start first.
SPREAD := --numprocesses 3 --dist loadfile --no-loadscope-reorder

# torch comes first, so that the second command finds it installed and asks for no other build.
define install
	$(PIP) --quiet uv || true
	$(if $(TORCH_INDEX),$(call with_uv_or_pip,--no-deps --index-url $(TORCH_INDEX) torch))
	$(call with_uv_or_pip,--editable '.[$(1)]')
endef
with_uv_or_pip = { ! $(BIN)/python -m pip config list | grep -q index-url && $(UV) $(1); } || $(PIP) $(1)

$(DEMO): pyproject.toml constraints.txt | $(BIN)/pip
	@echo "Installing what the demo needs into $(VENV); README.md says how large it is and how to make it smaller."
	$(call install,demo)
	@touch $(DEMO)

$(DEV): pyproject.toml constraints.txt | $(BIN)/pip
	@echo "Installing everything into $(VENV); README.md says how large it is and how to make it smaller."
	$(call install,demo$(comma)ui$(comma)dev)
	@touch $(DEMO) $(DEV)

$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
