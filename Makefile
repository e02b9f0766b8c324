# The office's commands: run, test, check, test-long, bench, vendor, bundle.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: run test check test-long bench vendor bundle lock documents screenshots clean

$(VENV)/installed: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "需要 Python 3.11 或更新的版本")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install --require-hashes -r requirements.txt
	@touch $@

$(VENV)/installed-dev: requirements-dev.txt $(VENV)/installed
	$(PIP) install --require-hashes -r requirements-dev.txt
	@touch $@

run: $(VENV)/installed
	@$(BIN)/python -m hub vendor --quiet || true
	@$(BIN)/python -m hub serve --rehearsal

test: $(VENV)/installed-dev
	@$(BIN)/python -m hub vendor --dev --quiet || true
	@$(BIN)/python -m tests.run

test-long: $(VENV)/installed-dev
	@$(BIN)/python -m tests.run --long

check: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/house

bench: $(VENV)/installed
	@$(BIN)/python -m hub bench tables --write

vendor: $(VENV)/installed
	$(BIN)/python -m hub vendor

bundle: $(VENV)/installed
	$(BIN)/python -m hub bundle

documents: $(VENV)/installed
	$(BIN)/python -m hub map --write

screenshots: $(VENV)/installed-dev
	$(BIN)/python -m tests.browser.pictures docs/pictures

lock:
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install uv
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header requirements.in -o requirements.txt
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header requirements-dev.in -c requirements.txt -o requirements-dev.txt

clean:
	rm -rf $(VENV) artefacts .mypy_cache .ruff_cache .pytest_cache .hypothesis
