# Needs Python 3.11 or newer with pip, and make; builds its own environment in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore

.DEFAULT_GOAL := help
.PHONY: help demo test check bench latency reliability mutate lock docs clean check-core

help:  ## Show what there is.
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/ \t/' | expand -t 14

# `--without-pip` works where Debian's python3-venv is missing; the outer pip then serves the environment.
define environment
$(PYTHON) -m venv --without-pip $(1)
$(PYTHON) -m pip --python $(1)/bin/python install --quiet --require-hashes --requirement $(2)
$(PYTHON) -m pip --python $(1)/bin/python install --quiet --no-deps --no-build-isolation --editable .
endef

$(VENV)/.run: requirements/run.lock pyproject.toml
	$(call environment,$(VENV),requirements/run.lock)
	touch $@

$(VENV)/.dev: requirements/dev.lock pyproject.toml
	$(call environment,$(VENV),requirements/dev.lock)
	touch $@ $(VENV)/.run

.venv-core/.run: requirements/run.lock pyproject.toml
	$(call environment,.venv-core,requirements/run.lock)
	touch $@

.venv-bench/.run: requirements/bench.lock pyproject.toml
	$(call environment,.venv-bench,requirements/bench.lock)
	touch $@

demo: $(VENV)/.run  ## Simulate a small company's CloudTrail, steal two keys, find them.
	@$(BIN)/straykey demo

test: $(VENV)/.dev  ## Run all tests.
	$(BIN)/pytest --numprocesses auto

check: $(VENV)/.dev check-core  ## What CI runs: style, types, layers, dead code, tests, documentation.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/deptry src
	$(BIN)/vulture
	$(BIN)/pytest --numprocesses auto

check-core: .venv-core/.run  ## Run the smoke test where no extra is installed.
	.venv-core/bin/python tests/without_extras.py

bench: .venv-bench/.run  ## Time a scan beside its rivals and as logs grow; ARGS=--help tells more.
	.venv-bench/bin/python -m benchmarks $(ARGS)

reliability: $(VENV)/.dev  ## Kill, starve and confuse watch, and hold what is left against a scan; ARGS=--help tells more.
	$(BIN)/python -m reliability $(ARGS)

latency: .venv-bench/.run  ## Time from notice to stored finding at 10,000 records a second; ARGS="--soak 3600" for an hour's soak.
	.venv-bench/bin/python -m benchmarks.notices $(ARGS)

docs: $(VENV)/.dev  ## Write the generated pages and golden files anew; read the diff.
	$(BIN)/pytest --numprocesses 0 --update tests/test_docs.py tests/test_benchmarks.py tests/test_reliability.py tests/test_latency.py tests/formats tests/contain tests/harden

mutate: $(VENV)/.dev  ## Break home and judge in every small way; tests must notice. Takes half an hour.
	$(BIN)/mutmut run
	$(BIN)/mutmut results

lock: $(VENV)/.dev  ## Pin the newest versions.
	$(PYTHON) -m pip --python $(BIN)/python install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --extra dev --universal --generate-hashes --no-header --no-annotate \
		--quiet --upgrade --output-file requirements/dev.lock
	$(BIN)/uv pip compile pyproject.toml --extra build --constraint requirements/dev.lock --universal \
		--generate-hashes --no-header --no-annotate --quiet --upgrade --output-file requirements/run.lock
	$(BIN)/uv pip compile pyproject.toml --extra bench --constraint requirements/dev.lock --universal \
		--generate-hashes --no-header --no-annotate --quiet --upgrade --output-file requirements/bench.lock

clean:  ## Remove what was built.
	rm -rf mutants .venv .venv-core .venv-bench straykey-demo .mypy_cache .pytest_cache .ruff_cache .hypothesis dist build
