# demo      sync the examples and run them: two versions of one package, side by side
# test      run the linters and the tests, with some cases of those that have many slow ones
# test-all  the same with every case
# lint      run the linters only
# faults    run the long fault suite: a hundred kills for each case, with real packages, and one around every rename
# bench     time isolate, uv and pip-tools in turn; CASES="noop warm" selects cases, RUNS=3 sets the repetitions
# setup     create .work/venv, the environment for development
# clean     delete what these targets created
#
# Every target sets up what it needs, in .work/. PYTHON=... selects the interpreter (3.10 or later).

RUNS ?= 5
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python3.10; do \
	$$p -I -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null && echo $$p && break; done)
BIN := .work/venv/bin
unexport PYTHONHOME PYTHONPATH PYTHONSTARTUP VIRTUAL_ENV

.PHONY: demo test test-all lint faults bench clean setup

demo: setup
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(MAKE) --no-print-directory -C examples ISOLATE=isolate demo

test: lint
	@$(BIN)/python -m pytest -n 2

test-all: lint
	@TEST_CASES=0 $(BIN)/python -m pytest -n 2

lint: setup
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy

setup:
	@test -n "$(PYTHON)" || { echo "no Python 3.10 or later found: install one, or run make PYTHON=/path/to/python" >&2; exit 2; }
	@$(PYTHON) -I bootstrap

faults: setup
	@rm -f .work/faults.jsonl
	@TEST_CASES=0 FAULT_REAL=1 FAULT_KILLS=100 FAULT_STEPS=1000 FAULT_FIGURES="$(CURDIR)/.work/faults.jsonl" $(BIN)/python -m pytest -n 2 tests/faults tests/environment/test_surroundings.py
	@cat .work/faults.jsonl

bench: setup
	@rm -rf .work/bench .work/bench-work
	@$(BIN)/python -I -m venv --without-pip .work/bench
	@$(BIN)/python -m pip --python .work/bench/bin/python install --quiet . uv pip-tools
	@.work/bench/bin/python benchmarks/bench.py --bin "$(CURDIR)/.work/bench/bin" --work "$(CURDIR)/.work/bench-work" \
		--out "$(CURDIR)/.work/bench-results" --runs $(RUNS) $(CASES)

clean:
	@rm -rf .work dist .mypy_cache .ruff_cache .pytest_cache .hypothesis examples/*/.venv
