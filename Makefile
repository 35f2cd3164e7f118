# Everything works from a fresh checkout with nothing but make and Python 3.11 or newer.
# `make PYTHON=/path/to/python3.12 test` chooses another interpreter.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: apart browser help demo test lint bench docs accuracy clean

# Newer interpreters last: the pins in constraints.txt were made with 3.11.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3.14 python3 python; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.made-from-constraints
RUN := OMP_NUM_THREADS=1 $(BIN)

# Hundreds of processes of the tests import whygrad: without its bytecode each of them compiles 300 files, half a second's work.
export PYTHONDONTWRITEBYTECODE :=

help: ## what can be made
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 18

# torch comes first and alone, so that it is the build that the machine's own package index offers.
$(STAMP): constraints.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "whygrad needs Python 3.11 or newer with its venv and ensurepip modules, and found none on PATH."; \
		echo "Install one (for instance the packages python3.11 and python3.11-venv), or say: make PYTHON=/path/to/python3 $(MAKECMDGOALS)"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet torch==2.13.0
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev,corpus]'
	@touch $@

demo: $(STAMP) ## whygrad on the programs of examples/: reports on screen and in reports/demo
	@mkdir -p reports/demo
	@for program in examples/*.py; do \
		name=$$(basename $$program .py); \
		printf '\n\n======== whygrad run %s\n' $$program; \
		OMP_NUM_THREADS=1 $(BIN)/whygrad run --json reports/demo/$$name.json --html reports/demo/$$name.html --record reports/demo/$$name.whygrad $$program \
			> >(tail -n 3) 2> >(tee reports/demo/$$name.txt >&2) || printf '(the program ended with status %s)\n' $$?; \
		wait; sleep 0.1; \
	done
	@$(BIN)/python docs/site/pictures.py reports/demo/detached_encoder.whygrad reports/demo/detached_encoder.html
	@printf '\nThe reports (text, JSON, pages to open in a browser, records for `whygrad show`) are in %s/reports/demo\n' "$(CURDIR)"

lint: $(STAMP) ## ruff, mypy --strict and the import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Pages are tested in a real browser. Where there is none and Debian's packages can be installed, this does it.
browser:
	@command -v chromium chromium-browser google-chrome >/dev/null && exit 0; \
	if command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends chromium fonts-dejavu-core >/dev/null; \
	else echo "The tests of HTML pages need Chromium on PATH (Debian: apt-get install chromium)."; exit 1; fi

apart: $(STAMP) # the tests of front ends whose files each need a process of its own
	@TF_CPP_MIN_LOG_LEVEL=2 PYTHONPATH=src:tests $(RUN)/python tests/apart.py tensorflow
	@TF_CPP_MIN_LOG_LEVEL=2 PYTHONPATH=src:tests $(RUN)/python tests/apart.py jax

# mypy keeps one core busy and no more: what can run beside it does.
test: $(STAMP) browser ## lint, then every test
	@$(MAKE) --no-print-directory --jobs 2 lint apart
	$(RUN)/pytest -n 2 --ignore=tests/frontends/jax --ignore=tests/frontends/tensorflow

bench: $(STAMP) ## every benchmark, ratios in one run
	@for benchmark in benchmarks/*.py; do echo; echo "== $$benchmark"; $(RUN)/python $$benchmark || exit 1; done

docs: $(STAMP) ## the documentation site, in site/
	$(BIN)/python docs/site/every_page.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

# Each repair runs a program several times: so many cases are drawn for it. `make accuracy REPAIRS=0` repairs all of them.
REPAIRS ?= 40

accuracy: $(STAMP) ## the score over the programs of corpus/, and that of the fixes over a sample of them
	status=0; $(RUN)/python corpus/score.py || status=1; $(RUN)/python corpus/score.py --fixes --sample $(REPAIRS) || status=1; exit $$status

clean: ## everything that was made, the environment included
	rm -rf $(VENV) reports docs/rules docs/reference site .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .jax_cache build dist
