# The verbs of this project. People, README and CI call only these.

PYTHON ?= python3
PORT ?= 8000

ifeq ($(OS),Windows_NT)
RUN := .venv/Scripts/python.exe
else
RUN := .venv/bin/python
endif

# Material prints a notice about the future of MkDocs on every run.
export NO_MKDOCS_2_WARNING = 1
# Edit and source links need the address of the repository, and only that.
ifneq ($(REPO_URL),)
export EDIT_URI ?= edit/main/docs/
endif

.DEFAULT_GOAL := help
.PHONY: help setup serve site offline test outside update format evidence bench compare dist check lint types zensical lock clean

help: ## list the verbs
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1	\2/p' Makefile | expand -t 20

setup: # make .venv, if it is not there
	@command -v $(PYTHON) >/dev/null || { echo "setup: there is no $(PYTHON); install Python 3.11 or newer"; exit 1; }
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11))" || { \
		echo "setup: needs Python 3.11 or newer, not $$($(PYTHON) --version); name one with: make PYTHON=python3.13"; exit 1; }
	@$(PYTHON) tools/setup.py

serve: setup ## build and serve the site, with live reload (PORT=8000)
	@$(RUN) tools/serve.py $(PORT)

site: setup ## build the site into site/
	@$(RUN) -m mkdocs build --strict
	@$(RUN) -m evidence.publish site

offline: site ## pack the site to be read from disk, into dist/
	@$(RUN) -m evidence.offline site dist/process-terminate-site.zip

test: setup ## run all tests
	@$(RUN) tools/test.py

outside: setup ## stop real programs, run CPython's tests with the library, serve the site with nginx, validate its HTML
	@$(RUN) -m pytest -q -p no:cacheprovider tests/outside/check_programs.py tests/outside/check_cpython.py tests/outside/check_hosting.py tests/outside/check_html.py

update: setup ## run the examples and rewrite the outputs in them
	@$(RUN) -m pytest -q -rfE tests/test_examples.py --update-examples

format: setup ## format the code, and mend what ruff can mend
	@$(RUN) -m ruff check --quiet --fix || true
	@$(RUN) -m ruff format --quiet

evidence: setup ## measure changed examples on the Pythons at hand (PYTHONS="..."), redraw
	@$(RUN) -m evidence record $(addprefix --python ,$(PYTHONS)) $(if $(RUNS),--runs $(RUNS) --busy $(RUNS)) $(if $(ANYWAY),--anyway)

bench: setup ## measure the library against the floor, in ratios
	@$(RUN) -m pytest -q tests/bench/bench_stop.py --benchmark-group-by=group --benchmark-columns=min,median,mean,rounds --benchmark-sort=name

compare: setup ## measure the site against Material as it comes, in ratios
	@PYTHONPATH=tests $(RUN) tools/compare.py

dist: setup ## build the package twice, compare, and check it, into dist/
	@$(RUN) tools/dist.py
	@$(RUN) -m pip install --quiet --require-hashes --requirement requirements-release.txt
	@$(RUN) -m twine --no-color check --strict dist/*.whl dist/*.tar.gz

check: setup ## all that must pass: what CI runs; names what fails, and what mends it
	@$(RUN) tools/check.py "$(MAKE)"

lint: setup
	@$(RUN) -m ruff check --quiet
	@$(RUN) -m ruff format --check --quiet
	@$(RUN) -m codespell_lib

types: setup
	@$(RUN) -m mypy
	@$(RUN) -m mypy --platform darwin src/process_terminate
	@$(RUN) -m mypy --platform win32 src/process_terminate

zensical: setup
	@$(RUN) -m zensical build --strict --clean

# Extras stay in the pins: pip takes the newest version of what is pinned without
# the extra that another package asks for, and then misses its hash.
PIN := -m uv pip compile --quiet --upgrade --universal --generate-hashes --python-version 3.11 \
	--no-strip-extras --no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command "make lock"

lock: setup ## pin the newest tools in requirements.txt
	@$(RUN) -m pip install --quiet uv
	@$(RUN) $(PIN) --group dev --output-file requirements.txt
	@$(RUN) $(PIN) --group release --constraint requirements.txt --output-file requirements-release.txt

clean: ## remove all that was made, .venv too
	@rm -rf .venv site dist .coverage .mypy_cache .pytest_cache .ruff_cache .cache
	@find . -name __pycache__ -prune -exec rm -rf {} +
