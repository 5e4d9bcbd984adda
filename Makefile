# Everything a newcomer or a CI runs. `make help` lists it; nothing but python3 (3.10+), cargo and make is needed.

PYTHON     ?= python3
UV_VERSION := 0.13.9
AZURITE_VERSION := 3.37.0
APP_MANIFEST_VERSION := 1.1.2

VENV := .venv
BIN  := $(VENV)/bin
UV   := $(BIN)/uv

STAMPS  := $(VENV)/.stamps
DEV     := $(STAMPS)/core-dev
RELEASE := $(STAMPS)/core-release
AZURITE := $(STAMPS)/azurite-$(AZURITE_VERSION)
APP_MANIFEST := $(STAMPS)/app-manifest-$(APP_MANIFEST_VERSION)
RUST    := $(shell find src -name "*.rs" -o -name Cargo.toml) Cargo.toml Cargo.lock pyproject.toml

# The optimised module lies in python/lakeflow_teams, the one of the tests in a folder of its own that leads to the same sources.
DEV_SITE := $(CURDIR)/$(VENV)/dev
TARGET   := $(or $(CARGO_TARGET_DIR),target)

# One set of features and one interpreter for the tests' module and `cargo test`: dependencies are compiled once.
CARGO_FLAGS := --locked --quiet --features extension-module,test-util
# What is tested is compiled by clippy, so that its lints cost no second reading of everything. Arguments are given as cargo gives them.
CLIPPY := RUSTC_WORKSPACE_WRAPPER=clippy-driver CLIPPY_ARGS=-D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__
export PYO3_PYTHON := $(CURDIR)/$(BIN)/python
export UV_PROJECT_ENVIRONMENT := $(CURDIR)/$(VENV)
# Tests start hundreds of interpreters, each of which would compile every module it imports where none may be kept.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help build demo test compiled test-rust test-python test-slow test-stores azurite test-spark test-spark-4.0 test-bot-clients test-spark-quick lint lint-rust lint-python format connector-spec reference examples bench docs picture wheel clean audit

help:  ## List the targets
	@grep -hE '^[a-z0-9.-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

build: $(RELEASE)  ## .venv with the package built in release mode and every extra

demo: $(RELEASE)  ## Emulated tenant into Delta tables, twice, compared with the truth
	$(BIN)/lakeflow-teams demo --target lakehouse/demo

# What is needed is built and fetched side by side, and so is all that is tried: much of it is waiting.
test:  ## Lint, type check, build the docs and test everything
	$(MAKE) --no-print-directory --jobs=3 --output-sync=target compiled $(STAMPS)/docs $(AZURITE) $(APP_MANIFEST)
	$(MAKE) --no-print-directory --jobs=5 --output-sync=target test-rust test-spark-quick test-python lint-python docs
	cargo fmt --all --check

# The module and the test programs in one go: the module alone leaves cores idle behind its last crates.
compiled: $(STAMPS)/venv
	$(CLIPPY) cargo build $(CARGO_FLAGS) --lib --tests

# Without make's job slots, which rustdoc cannot reach.
test-rust: export MAKEFLAGS :=
test-rust: $(STAMPS)/python  ## Tests of the Rust crates; ARGS="--test client" runs one program
	$(CLIPPY) cargo test $(CARGO_FLAGS) $(ARGS)

test-python test-slow test-stores lint-python test-spark test-spark-quick test-bot-clients docs connector-spec reference examples: export PYTHONPATH := $(DEV_SITE)

test-python: $(STAMPS)/python $(DEV) $(AZURITE) $(APP_MANIFEST)  ## Tests of the package; ARGS="-k resume" runs some
	$(BIN)/pytest -n 3 --dist worksteal $(ARGS)

test-slow: $(STAMPS)/python $(DEV)  ## Those that kill long runs again and again, or bring much
	$(BIN)/pytest -m "slow and not spark and not bench and not stores" $(ARGS)

test-stores: $(STAMPS)/python $(DEV) $(AZURITE)  ## All tests with servers of object stores; `make test` runs the quick ones
	$(BIN)/pytest -n 2 --dist worksteal -m "stores or not stores" tests/python/store $(ARGS)

azurite: $(AZURITE)  ## Azurite, Azure's storage on this machine, for the tests (needs npm)

test-spark-quick: $(STAMPS)/python $(DEV)
	$(BIN)/pytest -m "spark and not slow and not bench"

test-spark: $(STAMPS)/python $(DEV)  ## All tests that start Spark (needs Java 17); `make test` runs the quick ones
	$(BIN)/pytest -m "spark and not bench" $(ARGS)

test-bot-clients: $(DEV) .venvs/bot-clients/.installed  ## Other people's clients of the Bot Connector against the emulator
	$(BIN)/pytest tests/python/bot/test_other_clients.py

test-spark-4.0: .venvs/spark-4.0/.installed  ## The same against the built wheel on Spark 4.0, which Databricks' pipelines run
	$(<D)/bin/pytest -m "spark and not bench" tests/python/spark

lint: lint-rust lint-python  ## rustfmt, clippy, ruff, mypy and stubtest

lint-rust: $(STAMPS)/python
	cargo fmt --all --check
	cargo clippy $(CARGO_FLAGS) --all-targets -- -D warnings

lint-python: $(STAMPS)/python $(DEV)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/stubtest --mypy-config-file pyproject.toml lakeflow_teams._core

format: $(STAMPS)/python  ## Format Rust and Python
	cargo fmt --all
	$(BIN)/ruff check --fix-only --quiet
	$(BIN)/ruff format --quiet

connector-spec: $(STAMPS)/python $(DEV)  ## Write connector_spec.yaml and the option types from the catalogue of options
	$(BIN)/python tools/option_types.py > python/lakeflow_teams/options/typed.py
	$(BIN)/python tools/connector_spec.py > python/databricks/labs/community_connector/sources/microsoft_teams/connector_spec.yaml

reference: $(STAMPS)/python $(DEV)  ## Write docs/reference from the declarations of tables, options and errors, and the SQL of the views
	$(BIN)/python tools/view_sql.py python/lakeflow_teams/views/sql
	$(BIN)/python tools/reference.py docs/reference

examples: $(STAMPS)/python $(DEV)  ## Write the examples that `lakeflow-teams init` and `databricks` make
	$(BIN)/python -m lakeflow_teams init --tables teams,channels,members,messages,message_replies,chats --output examples/pipeline.yaml --force --yes
	$(BIN)/python -m lakeflow_teams databricks examples/pipeline.yaml --to examples/databricks --source ../.. --force

bench: $(RELEASE)  ## Measure, asserting nothing; BENCH=quick takes two minutes, see docs/benchmarks.md
	cargo bench --locked --no-run --quiet --package teams-benches --bench floor
	$(BIN)/python tests/bench
	$(BIN)/pytest -m bench -s

docs: $(DEV) $(STAMPS)/docs  ## The documentation site in dist/docs; a broken link or anchor is an error
	$(BIN)/sphinx-build -W --keep-going -n -q -b html docs dist/docs
	@echo "dist/docs/index.html"

wheel: $(STAMPS)/python  ## A wheel for this machine and the source distribution, in dist/
	$(BIN)/maturin build --release --locked --sdist --out dist

# Not part of `make test`: both ask databases of advisories, and cargo-deny takes minutes to install.
audit: $(STAMPS)/python  ## Licences, sources and advisories of all dependencies (cargo-deny, pip-audit)
	cargo deny --version >/dev/null 2>&1 || cargo install cargo-deny --locked
	cargo deny --locked check
	$(UV) export --locked --all-extras --no-emit-project --quiet --output-file $(VENV)/audit.txt
	$(UV) tool run pip-audit --disable-pip --require-hashes --requirement $(VENV)/audit.txt

# Needs Chromium and pngquant (apt-get install chromium pngquant).
picture: $(RELEASE)  ## docs/_static/report.png, the report of a demo's second run
	rm -rf dist/picture && mkdir -p dist
	$(BIN)/lakeflow-teams demo --target dist/picture > dist/picture.txt
	chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --window-size=1180,1070 \
		--screenshot=dist/report.png file://$(CURDIR)/dist/picture/_reports/latest.html
	pngquant --force --quality 70-95 --speed 1 --strip --output docs/_static/report.png dist/report.png

clean:  ## Remove what was built, the environment included
	cargo clean
	rm -rf $(VENV) .venvs dist lakehouse bench-results python/lakeflow_teams/_core*.so
	find python tests -name __pycache__ -type d -prune -exec rm -rf {} +

# An interpreter, which is all that building the core needs of Python.
$(STAMPS)/venv:
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	test -x $(UV) || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	mkdir -p $(STAMPS) && touch $@

# The locked environment: every extra and the development tools, without the package itself.
$(STAMPS)/python: uv.lock pyproject.toml | $(STAMPS)/venv
	$(UV) sync --locked --inexact --all-extras --no-install-project --quiet
	touch $@

# Without npm its tests are skipped, and say so.
$(AZURITE): | $(STAMPS)/python
	! command -v npm >/dev/null || npm install --silent --no-audit --no-fund --prefix $(VENV)/azurite azurite@$(AZURITE_VERSION) \
		|| echo "Azurite could not be installed: the tests that need it are skipped"
	touch $@

# Microsoft's schemas of an app's manifest, as its own tools have them.
$(APP_MANIFEST): | $(STAMPS)/python
	! command -v npm >/dev/null || npm install --silent --no-audit --no-fund --ignore-scripts --prefix $(VENV)/app-manifest \
		@microsoft/app-manifest@$(APP_MANIFEST_VERSION) || echo "The schemas could not be installed: the test that needs them is skipped"
	touch $@

# An environment of its own with another Spark and our wheel, built like the extension of the tests: `spark-4.1` works too.
.venvs/spark-%/.installed: $(STAMPS)/python $(RUST) $(shell find python -name '*.py' -o -name '*.yaml')
	rm -rf $(@D)/wheel
	test -x $(@D)/bin/python || $(UV) venv --quiet --python $(BIN)/python $(@D)
	$(BIN)/maturin build --locked --profile dev --quiet --out $(@D)/wheel
	$(UV) pip install --quiet --compile-bytecode --python $(@D)/bin/python --reinstall-package lakeflow-teams \
		"$$(echo $(@D)/wheel/*.whl)[local,spark,listen,kafka]" 'pyspark[pipelines]==$*.*' pytest
	touch $@

.venvs/bot-clients/.installed: | $(STAMPS)/python
	test -x $(@D)/bin/python || $(UV) venv --quiet --python $(BIN)/python $(@D)
	$(UV) pip install --quiet --python $(@D)/bin/python botframework-connector microsoft-teams-apps microsoft-agents-hosting-core
	touch $@

$(STAMPS)/docs: $(STAMPS)/python
	$(UV) sync --locked --inexact --all-extras --group docs --no-install-project --quiet
	touch $@

$(DEV): $(STAMPS)/venv $(RUST) python/lakeflow_teams tools/dev_site.py
	$(CLIPPY) cargo build $(CARGO_FLAGS)
	$(BIN)/python tools/dev_site.py $(DEV_SITE) $(TARGET)/debug
	touch $@

$(RELEASE): $(STAMPS)/python $(RUST)
	VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/maturin develop --uv --locked --release --quiet
	touch $@
