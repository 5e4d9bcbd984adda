# Everything a newcomer or a CI runs. `make help` lists it; nothing but python3 (3.10+), cargo and make is needed.

PYTHON     ?= python3
UV_VERSION := 0.13.9

VENV := .venv
BIN  := $(VENV)/bin
UV   := $(BIN)/uv

# Both builds put the extension in python/lakeflow_teams, so each one's stamp removes the other's.
STAMPS  := $(VENV)/.stamps
DEV     := $(STAMPS)/core-dev
RELEASE := $(STAMPS)/core-release
RUST    := $(shell find src -name '*.rs') Cargo.toml Cargo.lock pyproject.toml

# Tests of the Rust crate link this interpreter; the same one for every build keeps pyo3 from being compiled again.
export PYO3_PYTHON := $(CURDIR)/$(BIN)/python
export UV_PROJECT_ENVIRONMENT := $(CURDIR)/$(VENV)

.DEFAULT_GOAL := help
.PHONY: help build demo test test-rust test-python test-spark test-spark-quick lint lint-rust lint-python format connector-spec bench wheel audit clean

help:  ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

build: $(RELEASE)  ## .venv with the package built in release mode and every extra

demo: $(RELEASE)  ## Emulated tenant into Delta tables, twice, compared with the truth
	$(BIN)/lakeflow-teams demo --target lakehouse/demo

test: lint test-rust test-python test-spark-quick  ## Lint, type check and test everything

test-rust: $(STAMPS)/python
	LD_LIBRARY_PATH="$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_config_var("LIBDIR") or "")'):$$LD_LIBRARY_PATH" \
		cargo test --locked --quiet

test-python: $(DEV)
	$(BIN)/pytest

test-spark-quick: $(DEV)
	$(BIN)/pytest -m "spark and not slow and not bench"

test-spark: $(DEV)  ## All tests that start Spark (needs Java 17); `make test` runs the quick ones
	$(BIN)/pytest -m "spark and not bench"

lint: lint-rust lint-python  ## rustfmt, clippy, ruff, mypy and stubtest

lint-rust: $(STAMPS)/python
	cargo fmt --check
	cargo clippy --locked --all-targets --quiet -- -D warnings

lint-python: $(DEV)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/stubtest --mypy-config-file pyproject.toml lakeflow_teams._core

format: $(STAMPS)/python  ## Format Rust and Python
	cargo fmt
	$(BIN)/ruff check --fix-only --quiet
	$(BIN)/ruff format --quiet

connector-spec: $(DEV)  ## Write connector_spec.yaml from the catalogue of options
	$(BIN)/python -m lakeflow_teams.connector_spec > python/databricks/labs/community_connector/sources/microsoft_teams/connector_spec.yaml

bench: $(RELEASE)  ## Measure, asserting nothing; BENCH=quick takes two minutes, see docs/benchmarks.md
	cargo bench --locked --no-run --quiet --features bench --bench floor
	$(BIN)/python tests/bench
	$(BIN)/pytest -m bench -s

wheel: $(STAMPS)/python  ## A wheel for this machine and the source distribution, in dist/
	$(BIN)/maturin build --release --locked --sdist --out dist

# Not part of `make test`: both ask databases of advisories, and cargo-deny takes minutes to install.
audit: $(STAMPS)/python  ## Licences, sources and advisories of all dependencies (cargo-deny, pip-audit)
	cargo deny --version >/dev/null 2>&1 || cargo install cargo-deny --locked
	cargo deny --locked check
	$(UV) export --locked --all-extras --no-emit-project --quiet --output-file $(VENV)/audit.txt
	$(UV) tool run pip-audit --disable-pip --require-hashes --requirement $(VENV)/audit.txt

clean:  ## Remove what was built, the environment included
	cargo clean
	rm -rf $(VENV) dist lakehouse bench-results python/lakeflow_teams/_core*.so
	find python tests -name __pycache__ -type d -prune -exec rm -rf {} +

# The locked environment: every extra and the development tools, without the package itself.
$(STAMPS)/python: uv.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	test -x $(UV) || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	$(UV) sync --locked --inexact --all-extras --no-install-project --quiet
	mkdir -p $(STAMPS) && touch $@

$(DEV): $(STAMPS)/python $(RUST)
	VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/maturin develop --uv --locked --quiet
	rm -f $(RELEASE) && touch $@

$(RELEASE): $(STAMPS)/python $(RUST)
	VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/maturin develop --uv --locked --release --quiet
	rm -f $(DEV) && touch $@
