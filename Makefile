# `make app` and `make test` do all the set-up on a machine with Python 3.11 or newer and make.
.DEFAULT_GOAL := app
PYTHON ?= python3
BIN := .venv/bin
TEST_WORKERS ?= 2
# ImageNet weights: a file; downloaded by Keras if not given.
IMAGENET ?= imagenet

.PHONY: help app test bench fuzz train ablations evaluate classic lint

help:  ## list the targets
	@sed -nE 's/^([a-z]+):.*  ## (.*)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 12

app: .venv/.installed  ## open the app in the browser
	$(BIN)/streamlit run streamlit_app.py

test: .venv/.installed-dev  ## run all tests
	$(BIN)/python -m pytest -n $(TEST_WORKERS) --dist loadfile

bench: .venv/.installed-dev  ## measure speed and memory
	$(BIN)/python -m tests.benchmark

fuzz: .venv/.installed-dev  ## damage files of every kind; each must end in a result or a clear refusal
	$(BIN)/python -m tests.fuzz

# From the raw data to the shipped weights in six commands (training/recipe.py): segmenter, two
# classifiers, export, evaluation on validation, trust. A training that was stopped resumes.
train: .venv/.installed-dev  ## train the weights that ship (needs DERMALENS_DATA)
	$(BIN)/python -m training.recipe --imagenet $(IMAGENET)

ablations: .venv/.installed-dev  ## train short runs that differ in one choice each (needs DERMALENS_DATA)
	for task in classification segmentation; do for config in training/configs/ablations/ablation_$${task}*.py; do \
		$(BIN)/python -m training.fit.train_$$task --config $$(basename $$config .py) --imagenet $(IMAGENET) || exit 1; \
		done; done
	$(BIN)/python -m training.report.results

evaluate: .venv/.installed-dev  ## measure the weights that ship, on the test split too (needs DERMALENS_DATA)
	$(BIN)/python -m training.measure.evaluate --split test
	$(BIN)/python -m training.bundle.fit_trust --report-test
	$(BIN)/python -m training.measure.phantoms
	$(BIN)/python -m training.measure.robustness --images 42 --nevi 450
	$(BIN)/python -m training.measure.symmetries
	$(BIN)/python -m training.bundle.embed
	$(BIN)/python -m training.measure.patient_facts
	$(BIN)/python -m training.report.results
	$(BIN)/python -m training.report.readme_scores

classic: .venv/.installed-dev  ## train and measure the classic systems (needs DERMALENS_DATA)
	for config in classic_cnn_128 classic_efficientnet classic_binary_cnn_224; do \
		$(BIN)/python -m training.fit.train_classification --config $$config --imagenet $(IMAGENET) || exit 1; done
	for config in classic_unet_256 classic_unet_224 classic_unet_64_512; do \
		$(BIN)/python -m training.fit.train_segmentation --config $$config || exit 1; done
	$(BIN)/python -m training.bundle.export --one-view --name unet256_efficientnet --version 1 \
		--description "Classic: U-Net 16–256 and EfficientNet with a dense head" \
		--segmentation classic_unet_256 --classification classic_efficientnet \
		--out models/weights/unet256_efficientnet
	$(BIN)/python -m training.bundle.export --one-view --name unet224_cnn --version 1 \
		--description "Classic: U-Net at 224 px and plain CNN at 128 px" \
		--segmentation classic_unet_224 --classification classic_cnn_128 --out models/weights/unet224_cnn
	$(BIN)/python -m training.bundle.export --one-view --name unet64_512_cnn --version 1 \
		--description "Classic: U-Net 64–512 at 96 px and plain CNN at 128 px" \
		--segmentation classic_unet_64_512 --classification classic_cnn_128 --out models/weights/unet64_512_cnn
	$(BIN)/python -m training.measure.evaluate --split test --bundle models/weights/unet256_efficientnet
	$(BIN)/python -m training.measure.evaluate --split test --bundle models/weights/unet224_cnn
	$(BIN)/python -m training.measure.evaluate --split test --bundle models/weights/unet64_512_cnn
	$(BIN)/python -m training.measure.systems
	$(BIN)/python -m training.report.results

lint: .venv/.installed-dev  ## check style and formatting
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
