# demo   the main job on the examples: two versions of one package, side by side
# test   linters and tests, all of them
# lint   linters alone
# faults the long form of the fault suite: a hundred kills of real packages for each case, and every step
# bench  isolate beside uv, timed in turn; CASES="noop warm" chooses, RUNS=3 says how often
# clean  delete what these targets made
#
# Each of them sets up what it needs, in .work/. PYTHON=... chooses the interpreter, of 3.10 or later.

RUNS ?= 5
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python3.10; do \
	$$p -I -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null && echo $$p && break; done)
BIN := .work/venv/bin
unexport PYTHONHOME PYTHONPATH PYTHONSTARTUP VIRTUAL_ENV

.PHONY: demo test lint faults bench clean setup

demo: setup
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(MAKE) --no-print-directory -C examples ISOLATE=isolate demo

test: lint
	@$(BIN)/python -m pytest -n 2

lint: setup
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy

setup:
	@test -n "$(PYTHON)" || { echo "install Python 3.10 or later, or say make PYTHON=..." >&2; exit 2; }
	@$(PYTHON) -I bootstrap

faults: setup
	@rm -f .work/faults.jsonl
	@FAULT_REAL=1 FAULT_KILLS=100 FAULT_STEPS=1000 FAULT_FIGURES="$(CURDIR)/.work/faults.jsonl" $(BIN)/python -m pytest -n 2 tests/faults
	@cat .work/faults.jsonl

bench: setup
	@rm -rf .work/bench .work/bench-work
	@$(BIN)/python -I -m venv --without-pip .work/bench
	@$(BIN)/python -m pip --python .work/bench/bin/python install --quiet . uv pip-tools
	@.work/bench/bin/python benchmarks/bench.py --bin "$(CURDIR)/.work/bench/bin" --work "$(CURDIR)/.work/bench-work" \
		--out "$(CURDIR)/.work/bench-results" --runs $(RUNS) $(CASES)

clean:
	@rm -rf .work dist .mypy_cache .ruff_cache .pytest_cache .hypothesis examples/*/.venv
