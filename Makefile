# make advise   set up, then the questionnaire (or the example report where there is no terminal)
# make test     set up, then every test
# make check    style, types, import laws, rules
# make fuzz     a hundred thousand made-up inputs, and the questionnaire used for long (an hour and more)
# make docs     the pages and the man page that are made from the data
# make bench    ratios and caps, measured here
# make examples the JSON documents in examples/, make picture the README's; both measure
# make snapshots the screens that the tests compare with
# make clean    remove what the others left in this folder
# TORCH_INDEX=https://download.pytorch.org/whl/cpu takes torch's CPU build; CONSTRAINTS=constraints-lowest.txt the lowest
# versions allowed, CONSTRAINTS=/dev/null the newest.

PYTHON ?= python3
TORCH_INDEX ?=
CONSTRAINTS ?= constraints.txt
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c $(CONSTRAINTS)
INPUTS := pyproject.toml constraints.txt

.PHONY: advise test check fuzz bench docs examples snapshots picture clean

advise: .venv/.ready-profile
	@if [ -t 0 ] && [ -t 1 ]; then $(BIN)/advisor; else $(BIN)/advisor advise examples/ticket-routing.yaml; fi; \
	code=$$?; [ $$code -lt 2 ] || exit $$code

test: .venv/.ready-test
	$(BIN)/python -m pytest $(PYTEST_ARGS)

check: .venv/.ready-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/advisor rules check

fuzz: .venv/.ready-test
	FUZZ_EXAMPLES=100000 SOAK_ROUNDS=200 $(BIN)/python -m pytest tests/fuzz tests/tui/test_soak.py $(PYTEST_ARGS)

bench: .venv/.ready-test
	$(BIN)/python -m bench

picture: .venv/.ready-profile
	$(BIN)/python docs/picture.py examples/ticket-routing.yaml

docs: .venv/.ready-test
	$(BIN)/python -m docs.pages

examples: .venv/.ready-test
	$(BIN)/python docs/examples.py

snapshots: .venv/.ready-test
	$(BIN)/python -m pytest tests/tui/test_snapshots.py --snapshot-update

.venv/bin/python:
	@command -v $(PYTHON) >/dev/null || { echo "archadvisor needs Python 3.11 or later; $(PYTHON) was not found." >&2; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "archadvisor needs Python 3.11 or later; $(PYTHON) is older: call make PYTHON=python3.11." >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "This Python cannot make virtual environments: install the package python3-venv (Debian, Ubuntu) and run make again." >&2; exit 2; }
	@rm -rf .venv
	@$(PYTHON) -m venv .venv

.venv/.ready-profile: .venv/bin/python $(INPUTS)
	@echo "Setting up .venv (once; torch is large) …" >&2
	@$(PIP) hatchling editables
	@$(if $(TORCH_INDEX),$(BIN)/python -m pip install --quiet --disable-pip-version-check -c $(CONSTRAINTS) --index-url $(TORCH_INDEX) torch)
	@$(PIP) --no-build-isolation -e '.[profile]'
	@$(BIN)/python -m compileall -q advisor
	@touch $@

.venv/.ready-test: .venv/.ready-profile
	@echo "Adding what the tests need …" >&2
	@$(PIP) --no-build-isolation -e '.[profile,test]'
	@touch $@

clean:
	rm -rf .venv dist build *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis snapshot_report.html
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
