# The targets of this project. People and CI call only these.

PYTHON ?= python3
PORT ?= 8000

ifeq ($(OS),Windows_NT)
RUN := .venv/Scripts/python.exe
else
RUN := .venv/bin/python
endif

# Material prints a notice about the future of MkDocs on every run.
export NO_MKDOCS_2_WARNING = 1
# Edit and source links need the repository's URL.
ifneq ($(REPO_URL),)
export EDIT_URI ?= edit/main/docs/
endif

.DEFAULT_GOAL := help
.PHONY: help python setup serve site zensical offline test platforms pidfds outside update format record bench \
	mutants dist check prose lint types coverage lock clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1	\2/p; s/^##  /	/p' Makefile | expand -t 16

python:
	@command -v $(PYTHON) >/dev/null || { echo "setup: there is no $(PYTHON); install Python 3.11 or newer"; exit 1; }
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11))" || { \
		echo "setup: needs Python 3.11 or newer, not $$($(PYTHON) --version); name one with: make PYTHON=python3.13"; exit 1; }

setup: python ## install the tools into .venv; other targets do it when they need it
	@$(PYTHON) tools/setup.py

# The tools of one more group in requirements/.
setup-%: python
	@$(PYTHON) tools/setup.py $*

serve: setup ## build and serve the site, and reload it after each change (PORT=8000)
	@$(RUN) -m evidence serve $(PORT)

site: setup ## build the site into site/
	@$(RUN) -m evidence render
	@$(RUN) -m mkdocs build --strict
	@$(RUN) -m evidence finish site

zensical: setup ## build the site with Zensical, which follows Material in 2027
	@$(RUN) -m evidence render
	@$(RUN) -m zensical build --strict --clean
	@$(RUN) -m evidence finish site

offline: site ## pack the site into dist/, to be read without a server
	@$(RUN) -m evidence offline site dist/process-terminate-site.zip

test: setup ## run all tests, or some: ARGS="-k NAME"
	@$(RUN) tools/test.py $(ARGS)

platforms: setup ## run the library's tests on all other platforms, or some (ARGS="i386 linux-6.1"):
##  i386, wine-3.11, wine-3.13: 2 to 4 minutes each; free-threaded: 7 minutes
##  linux-5.10, linux-6.1, linux-6.12: 10 minutes each; arm64, s390x: half an hour each
	@sh tools/platforms/run.sh $(ARGS)

pidfds: setup ## test stopping, handles and trees as on a system without pidfds
	@WITHOUT_PIDFDS=1 $(RUN) -m pytest -q -n 3 -p no:cacheprovider -p no:benchmark tests/library/processes/test_handle.py tests/library/stopping tests/library/tree

outside: setup ## test real programs, nginx, valid HTML, and CPython's own tests
	@$(RUN) -m pytest -q -p no:cacheprovider tests/outside/check_*.py

update: setup ## run the examples and rewrite the outputs in them (ARGS="-k NAME")
	@$(RUN) -m pytest -q -rfE -m "alone or not alone" tests/examples --update-examples $(ARGS)

format: setup-check ## format the code and fix what ruff can fix
	@$(RUN) -m ruff check --quiet --fix || true
	@$(RUN) -m ruff format --quiet

record: setup ## measure new and changed examples on the Pythons on PATH (ARGS=NAME)
	@$(RUN) -m evidence record $(ARGS)

bench: setup-measure ## compare the speed of the library with the standard library
	@$(RUN) -m pytest -q tests/library/bench_stop.py --benchmark-group-by=group --benchmark-columns=min,median,mean,rounds --benchmark-sort=name

mutants: setup-measure ## change the library at random and see whether its tests fail
	@$(RUN) tools/mutants.py $(ARGS)

dist: setup-release ## build the package twice, compare and check it, into dist/
	@$(RUN) tools/dist.py
	@$(RUN) -m twine --no-color check --strict dist/*.whl dist/*.tar.gz

check: setup-check ## run all that must pass; name each failure and its fix
	@$(RUN) tools/check.py "$(MAKE)"

prose: setup ## check how the pages are written, and count words (ARGS=docs/guides)
	@$(RUN) -m evidence prose $(ARGS)

lint: setup-check ## check style, spelling and the workflows
	@$(RUN) -m ruff check --quiet
	@$(RUN) -m ruff format --check --quiet
	@$(RUN) -m codespell_lib
	@$(RUN) -m check_jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	@$(dir $(RUN))zizmor --quiet --offline --persona pedantic .github/workflows

types: setup-check ## check types, for each platform
	@$(RUN) -m mypy
	@$(RUN) -m mypy --platform darwin src/process_terminate
	@$(RUN) -m mypy --platform win32 src/process_terminate

coverage: setup-check ## run all tests, and list the lines of the library that none reached
	@$(RUN) tools/test.py --coverage $(ARGS)

PIN := -m uv pip compile --quiet --universal --generate-hashes --python-version 3.11 \
	--no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command "make lock"
GROUPS := docs test check measure release uv

lock: setup-uv ## pin the newest tools in requirements/
	@$(RUN) $(PIN) --upgrade $(addprefix --group ,$(GROUPS)) --output-file .venv/all.txt
	@for group in $(GROUPS); do \
		$(RUN) $(PIN) --constraint .venv/all.txt --group $$group --output-file requirements/$$group.txt || exit; done

clean: ## remove all that was made, and .venv
	@rm -rf .venv .build site dist .coverage .mypy_cache .pytest_cache .ruff_cache .cache
	@find . -name __pycache__ -prune -exec rm -rf {} +
