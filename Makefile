# `make` alone lists what there is. Everything runs in .venv, which is made when it is missing.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

export PIP_DISABLE_PIP_VERSION_CHECK := 1
# albumentations asks the network for a newer release at every import
export NO_ALBUMENTATIONS_UPDATE := 1
# mkdocs-material advertises its successor otherwise
export NO_MKDOCS_2_WARNING := 1

.DEFAULT_GOAL := help
.PHONY: help venv demo test docs format clean

help:
	@echo "make demo    render held-out simulated pages, read them back, print the SNR table"
	@echo "make test    ruff, mypy and pytest"
	@echo "make docs    build the documentation into site/; open site/index.html"
	@echo "make format  let ruff tidy the code"
	@echo "make venv    only create or refresh $(VENV) (another interpreter: make venv PYTHON=python3.12)"
	@echo "make clean   remove caches and build products; $(VENV), runs/ and out/ stay"

venv: $(STAMP)

# an existing environment is kept; what pyproject.toml or constraints.txt changed is installed into it
$(STAMP): pyproject.toml constraints.txt | $(BIN)/python
	@echo "installing ecgdig and its dependencies into $(VENV) (new: about 4 minutes, 6 GB) ..."
	@$(BIN)/python -m pip install -q -c constraints.txt -e '.[dev,docs]'
	@touch $@

# the second attempt is for a Debian that has pip but not python3-venv
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || { \
		echo "$(PYTHON) is missing or not Python 3.11 to 3.13; name one that is: make venv PYTHON=python3.12" >&2; exit 1; }
	@echo "creating $(VENV) with $(PYTHON)"
	@$(PYTHON) -m venv --clear $(VENV) >/dev/null 2>&1 \
		|| { $(PYTHON) -m venv --clear --without-pip $(VENV) && $(PYTHON) -m pip --python $@ install -q pip; } \
		|| { rm -rf $(VENV); echo "$(PYTHON) cannot create $(VENV); on Debian: apt install python3-venv" >&2; exit 1; }

demo: venv
	$(BIN)/python scripts/demo.py

# one thread a worker: two workers with a thread pool each would fight over the cores
test: venv
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2

docs: venv
	$(BIN)/mkdocs build --strict --quiet
	@echo "open site/index.html"

format: venv
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf build dist site *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +
