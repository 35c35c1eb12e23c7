# Everything a developer or an operator types. Needs Python >= 3.11 and make, nothing else.
# `make` alone lists the targets; PYTHON=… chooses the interpreter the environment is made from.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes
# Two, since the tests themselves start servers, workers and databases beside pytest.
TEST_PROCESSES ?= 2
PYTEST := $(BIN)/python -m pytest -n $(TEST_PROCESSES) --durations=10
PYTHON_CODE := backend tests bench run.py celery_worker.py
LOCK := $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: setup ## Install what is missing, then serve everything on http://127.0.0.1:8000
	@$(BIN)/python run.py

.PHONY: setup
setup: $(VENV)/.installed ## Make the environment and install the locked dependencies; start nothing

.PHONY: dev
dev: setup ## As run, and start the processes again whenever a Python file changes
	@$(BIN)/python run.py --reload

.PHONY: test
test: $(VENV)/.installed-tests ## Run the tests, on SQLite and PostgreSQL
	@$(PYTEST) -m "not long"

.PHONY: test-long
test-long: $(VENV)/.installed-tests ## Run the long races and fault tests
	@$(PYTEST) -m long

.PHONY: check
check: $(VENV)/.installed-tests ## Check format, lint, types and the order of the packages
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

.PHONY: fix
fix: $(VENV)/.installed-tests ## Format, and mend what the linter can mend
	@$(BIN)/ruff check --fix-only .
	@$(BIN)/ruff format .

.PHONY: bench
bench: $(VENV)/.installed-tests ## Measure against the goals and write bench/results/
	@$(BIN)/python -m bench

.PHONY: migrate
migrate: setup ## Bring the database of DATABASE_URL to the newest schema
	@$(BIN)/flask --app run db upgrade

.PHONY: lock
lock: $(VENV)/.installed-tests ## Resolve pyproject.toml again into both requirements files
	@$(LOCK) --quiet -o requirements.txt pyproject.toml
	@$(LOCK) --quiet --group dev -c requirements.txt -o tests/requirements.txt pyproject.toml

# Stamps: what is installed is newer than the lock it came from, so the second time costs nothing.
$(VENV)/.installed: requirements.txt | $(BIN)/python
	@echo "Installing the locked dependencies (about a minute, once) …"
	@$(PIP) -r requirements.txt
	@touch $@

$(VENV)/.installed-tests: tests/requirements.txt $(VENV)/.installed
	@echo "Installing what the tests and checks need (about a minute, once) …"
	@$(PIP) -r tests/requirements.txt
	@touch $@

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 or newer is needed, and $(PYTHON) was not found; name another with PYTHON=…" >&2; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed, and $(PYTHON) is $$($(PYTHON) -V 2>&1); name another with PYTHON=…" >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "$(PYTHON) cannot make a virtual environment; on Debian and Ubuntu: apt install python3-venv" >&2; exit 2; }
