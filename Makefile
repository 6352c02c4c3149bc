# `make app` and `make test` do all the set-up on a machine with Python 3.11 or newer and make.
PYTHON ?= python3
BIN := .venv/bin
TEST_WORKERS ?= 2
# The two runs of which the shipped bundle is made, and where ImageNet weights come from.
SEGMENTATION ?= segmentation_v2b0
CLASSIFICATION ?= classification_v2b0
IMAGENET ?= imagenet

.PHONY: app test bench train evaluate lint

app: .venv/.installed
	$(BIN)/streamlit run streamlit_app.py

test: .venv/.installed-dev
	$(BIN)/python -m pytest -n $(TEST_WORKERS) --dist loadfile

bench: .venv/.installed-dev
	$(BIN)/python -m tests.benchmark

# Needs DERMALENS_DATA; each step picks up where it stopped.
train: .venv/.installed-dev
	$(BIN)/python -m training.train_segmentation --config $(SEGMENTATION) --imagenet $(IMAGENET)
	$(BIN)/python -m training.train_classification --config $(CLASSIFICATION) --imagenet $(IMAGENET)
	$(BIN)/python -m training.export --segmentation $(SEGMENTATION) --classification $(CLASSIFICATION)

evaluate: .venv/.installed-dev
	$(BIN)/python -m training.evaluate --split validation
	$(BIN)/python -m training.evaluate --split test

lint: .venv/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Dermalens needs Python 3.11 or newer: make PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv .venv

.venv/.installed: requirements.txt | .venv/bin/python
	$(BIN)/python -m pip install -q -r requirements.txt
	touch $@

.venv/.installed-dev: requirements.txt requirements-dev.txt | .venv/bin/python
	$(BIN)/python -m pip install -q -r requirements-dev.txt
	touch $@ .venv/.installed
