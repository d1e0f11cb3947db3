# `make help` lists the targets. Everything runs in .venv, made from constraints.txt.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

# Where it is set, torch and all else is compiled anew by each process: 14 seconds of each command.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help install train test test-commands test-slow lint format docs doctor

help:  ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-10s %s\n", $$1, $$2}'

install: $(STAMP)  ## make .venv with the tested versions; does nothing when it is up to date

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --no-compile --disable-pip-version-check -c constraints.txt -e ".[face,ray,gpu,sweep,slurm,export,mlflow,weights,corpora,analysis,docs,dev]"
	@$(BIN)/python -c "import engine.train, engine.preprocess"  # compiled now; pip compiles what nothing imports, too
	@$(BIN)/python -m preprocessing.models || echo "Everything else is installed; only preprocess.py needs these files."
	@touch $@

train: install  ## make the synthetic cohort, train, evaluate and write the report
	$(BIN)/python train.py

test: install  ## the default tests: CPU, no network, about 12 minutes on 2 cores
	$(BIN)/python -m pytest

test-commands: install  ## of the default tests those that type a command, on small data; about 2 minutes
	$(BIN)/python -m pytest -m "command and not slow"

test-slow: install  ## what is heavy and no default test; about 75 minutes: before a release
	$(BIN)/python -m pytest -m "slow and not gpu"

lint: install  ## style, types and the import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: install  ## rewrite the sources the way `make lint` wants them
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: install  ## the site, strictly, into build/site: open build/site/index.html
	PYTHONPATH=. NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet --strict

doctor: install  ## what this machine can do: decoders, GPU, cores, disk
	$(BIN)/python -m datamodules.checks.doctor
