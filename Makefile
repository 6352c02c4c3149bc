# `make app` and `make test` do all the set-up on a machine with make and Python 3.11, 3.12 or 3.13.
# `make test PYTHON=/path/to/python3.12` uses another interpreter, in a folder of its own.
.DEFAULT_GOAL := app
PYTHON ?= python3
PYTHONS := 3.11 3.12 3.13
VENV := .venv$(if $(filter-out file default,$(origin PYTHON)),-$(notdir $(PYTHON)))
BIN := $(VENV)/bin
# The `dermalens` command of the clone, which needs no `pip install .`.
DERMALENS := $(BIN)/python -m training.cli
TEST_WORKERS ?= 2
# ImageNet weights: a file; downloaded by Keras if not given.
IMAGENET ?= imagenet

.PHONY: help app test check pins wheel-test audit bench fuzz soak train ablations evaluate classic lint

help:  ## list the targets
	@sed -nE 's/^([a-z-]+):.*  ## (.*)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 12

app: $(VENV)/.installed  ## open the app in the browser
	$(BIN)/streamlit run streamlit_app.py

test: $(VENV)/.installed-dev  ## run all tests, in a real browser too
	$(BIN)/python -m pytest -n $(TEST_WORKERS) --dist loadfile

check: lint  ## style, structure and logic: no browser, no shipped weights, no pages
	$(BIN)/python -m pytest -n $(TEST_WORKERS) --dist loadfile -m "not slow and not browser" \
		tests/test_structure.py tests/core tests/models core models

pins: $(VENV)/.installed  ## ask the package index for a wheel of every pin for every Python
	for version in $(PYTHONS); do $(BIN)/python -m pip download -q --no-deps --only-binary=:all: \
		--python-version $$version -d build/pins -r requirements-dev.txt $(foreach tag,2_28 2_27 2_17,\
		--platform manylinux_$(tag)_x86_64) --platform manylinux2014_x86_64 || exit 1; done

wheel-test: $(VENV)/.installed  ## build the wheel, install it afresh, analyse a drawn lesion elsewhere
	rm -rf build/wheel && mkdir -p build/wheel/elsewhere
	$(BIN)/python -m pip wheel -q --no-deps -w build/wheel .
	$(BIN)/python -m venv build/wheel/venv
	build/wheel/venv/bin/pip install -q build/wheel/*.whl
	cd build/wheel/elsewhere && ../venv/bin/python -c "from pathlib import Path; \
		from core.images.drawing import encode_png; from core.phantoms.lesions import draw_sample; \
		image = draw_sample('Irregular, several colours').image; Path('lesion.png').write_bytes(encode_png(image))" \
		&& ../venv/bin/dermalens analyze lesion.png --csv table.csv && cat table.csv

# In a folder of its own: pip-audit's own dependencies are no part of the app's. With --strict a pin that the
# index cannot judge fails the audit, instead of counting as safe.
audit: $(VENV)/.installed  ## look for known weaknesses in the pinned packages (needs the network)
	$(BIN)/python -m venv build/audit
	build/audit/bin/pip install -q pip-audit || { echo "Not audited: pip-audit cannot be installed from here."; exit 1; }
	build/audit/bin/pip-audit --strict --no-deps --disable-pip -r requirements.txt -r requirements-dev.txt \
		|| { echo "Weaknesses are listed above, or the package index could not judge a pin: then it is not audited."; exit 1; }

bench: $(VENV)/.installed-dev  ## measure speed and memory
	$(BIN)/python -m tests.benchmark

fuzz: $(VENV)/.installed-dev  ## damage files of every kind; each must end in a result or a clear refusal
	$(BIN)/python -m tests.fuzz

soak: $(VENV)/.installed-dev  ## eight browser sessions at once, 1,000 analyses in a row, ten kills: hours
	$(BIN)/python -m tests.soak $(SOAK)

# From the raw data to the shipped weights in seven commands (training/recipe.py): segmenter, two
# classifiers, export, structures, evaluation on validation, trust. A training that was stopped resumes.
train: $(VENV)/.installed-dev  ## train the weights that ship (needs DERMALENS_DATA)
	$(DERMALENS) train recipe --imagenet $(IMAGENET)

ablations: $(VENV)/.installed-dev  ## train short runs that differ in one choice each (needs DERMALENS_DATA)
	for config in training/configs/ablations/ablation_classification*.py; do \
		$(DERMALENS) train classifier --config $$(basename $$config .py) --imagenet $(IMAGENET) || exit 1; done
	for config in training/configs/ablations/ablation_segmentation*.py; do \
		$(DERMALENS) train segmenter --config $$(basename $$config .py) --imagenet $(IMAGENET) || exit 1; done
	$(DERMALENS) evaluate results

evaluate: $(VENV)/.installed-dev  ## measure the weights that ship, on the test split too (needs DERMALENS_DATA)
	$(DERMALENS) evaluate scores --split test
	$(DERMALENS) evaluate scores --split test --sets isic2018_task1
	$(DERMALENS) train trust --report-test
	$(DERMALENS) evaluate phantoms
	$(DERMALENS) evaluate robustness --images 42 --nevi 450
	$(DERMALENS) evaluate symmetries
	$(DERMALENS) train features
	$(DERMALENS) evaluate facts
	$(DERMALENS) evaluate results
	$(DERMALENS) evaluate readme

classic: $(VENV)/.installed-dev  ## train and measure the classic systems (needs DERMALENS_DATA)
	for config in classic_cnn_128 classic_efficientnet classic_binary_cnn_224; do \
		$(DERMALENS) train classifier --config $$config --imagenet $(IMAGENET) || exit 1; done
	for config in classic_unet_256 classic_unet_224 classic_unet_64_512; do \
		$(DERMALENS) train segmenter --config $$config || exit 1; done
	$(DERMALENS) train export --one-view --name unet256_efficientnet --version 1 \
		--description "Classic: U-Net 16–256 and EfficientNet with a dense head" \
		--segmentation classic_unet_256 --classification classic_efficientnet \
		--out models/weights/unet256_efficientnet
	$(DERMALENS) train export --one-view --name unet224_cnn --version 1 \
		--description "Classic: U-Net at 224 px and plain CNN at 128 px" \
		--segmentation classic_unet_224 --classification classic_cnn_128 --out models/weights/unet224_cnn
	$(DERMALENS) train export --one-view --name unet64_512_cnn --version 1 \
		--description "Classic: U-Net 64–512 at 96 px and plain CNN at 128 px" \
		--segmentation classic_unet_64_512 --classification classic_cnn_128 --out models/weights/unet64_512_cnn
	$(DERMALENS) train export --one-view --name unet224_binary --version 1 \
		--description "Classic: U-Net at 224 px and binary CNN at 224 px" \
		--segmentation classic_unet_224 --classification classic_binary_cnn_224 --out models/weights/unet224_binary
	$(DERMALENS) evaluate scores --split test --bundle models/weights/unet256_efficientnet
	$(DERMALENS) evaluate scores --split test --bundle models/weights/unet224_cnn
	$(DERMALENS) evaluate scores --split test --bundle models/weights/unet64_512_cnn
	$(DERMALENS) evaluate scores --split test --bundle models/weights/unet224_binary
	$(DERMALENS) evaluate systems
	$(DERMALENS) evaluate results

lint: $(VENV)/.installed-dev  ## check style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14) and "Dermalens needs Python 3.11, 3.12 or 3.13: make PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install -q -r requirements.txt
	touch $@

$(VENV)/.installed-dev: requirements.txt requirements-dev.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install -q -r requirements-dev.txt
	touch $@ $(VENV)/.installed
