# make install   create .venv and install what the app and its tests need
# make run       install, then open the app on http://127.0.0.1:7860 (PORT=8000 make run for another port)
# make test      install, look for a browser, run every test
# make lint      ruff
# make deploy-check   would this tree run as a Space and as a container?
# make audit     ask for known holes in what the app depends on

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PYTEST_ARGS ?=

.PHONY: install run test browser lint deploy-check audit
.DELETE_ON_ERROR:

install: $(STAMP)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "GenSOT Demo needs Python 3.11 or newer; choose one with make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)

$(STAMP): requirements.txt requirements-dev.txt | $(BIN)/python
	$(BIN)/python -m pip install --disable-pip-version-check --quiet -r requirements.txt -r requirements-dev.txt
	@touch $@

run: install
	$(BIN)/python app.py

browser: install
	@$(BIN)/python -m tools.chromium

# One process per core for what computes; then the browser, alone: its tests wait for pictures to come. What fails there
# once is tried once more and listed as RERUN: a busy machine is late, a defect fails twice.
test: browser
	$(BIN)/python -m pytest -n auto --dist loadfile -m "not browser" $(PYTEST_ARGS)
	$(BIN)/python -m pytest -m browser --reruns 1 -rR $(PYTEST_ARGS)

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

deploy-check: install
	@$(BIN)/python -m tools.deploy_check

audit: install
	@$(BIN)/python -m tools.dependencies audit
