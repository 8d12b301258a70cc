# Everything happens in a virtual environment of the project's own; only Python is needed.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
UV = $(shell command -v uv 2>/dev/null)
# With uv and without a GPU, torch comes without CUDA (4 GB less); where its processor-only builds can't be reached, as it is.
CPU_ONLY = $(if $(shell command -v nvidia-smi 2>/dev/null),,--torch-backend=cpu)
INSTALL = $(if $(UV),install() { $(UV) pip install --python $(BIN)/python -q $(CPU_ONLY) -e "$$1" || $(UV) pip install --python $(BIN)/python -q -e "$$1"; }; install,$(BIN)/python -m pip install -q -e)

ROUTINES = $(wildcard cliqa/compiled/*.[ch])  # compiled by the installation, where a C compiler is at hand

SUDO = $(shell [ "$$(id -u)" = 0 ] || echo sudo)

.PHONY: demo test soak browser lint install install-test clean

demo: $(VENV)/.installed  ## install, filter the example photographs and say what was found
	$(BIN)/python examples/demo.py

test: $(VENV)/.installed-test $(if $(CI),browser)  ## install, check the code and run the tests
	$(BIN)/ruff check --no-cache .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n auto

soak: $(VENV)/.installed-test  ## the reliability suite in full; writes the figures of docs/reliability.md
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m tests.reliability.soak $(SOAK)

browser:  ## a Chromium for the tests of the report and two XMP readers: tests skip without them, but not where CI is set
	for tool in chromium exiftool exiv2; do command -v $$tool >/dev/null || missing=1; done; test -z "$$missing" || \
	{ $(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq --no-install-recommends chromium libimage-exiftool-perl exiv2; }

lint: $(VENV)/.installed-test
	$(BIN)/ruff check --no-cache . && $(BIN)/ruff format --check . && $(BIN)/mypy

install: $(VENV)/.installed
install-test: $(VENV)/.installed-test

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml $(ROUTINES) | $(VENV)/bin/python
	$(INSTALL) '.[demo]'
	touch $@

$(VENV)/.installed-test: pyproject.toml $(ROUTINES) | $(VENV)/bin/python
	$(INSTALL) '.[test]'
	touch $@ $(VENV)/.installed

clean:
	rm -rf $(VENV) build dist demo_output .pytest_cache .mypy_cache .ruff_cache
