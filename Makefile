# `make app` and `make test` do all the set-up on a machine with Python 3.11 or newer and make.
PYTHON ?= python3
BIN := .venv/bin
TEST_WORKERS ?= 2
# Where ImageNet weights come from: a file, or downloaded by Keras.
IMAGENET ?= imagenet

.PHONY: app test bench train ablations evaluate classic lint

app: .venv/.installed
	$(BIN)/streamlit run streamlit_app.py

test: .venv/.installed-dev
	$(BIN)/python -m pytest -n $(TEST_WORKERS) --dist loadfile

bench: .venv/.installed-dev
	$(BIN)/python -m tests.benchmark

# Needs DERMALENS_DATA. From raw HAM10000 to the shipped weights; training picks up where it stopped.
train: .venv/.installed-dev
	$(BIN)/python -m training.fit.train_segmentation --config segmentation_v2b0 --imagenet $(IMAGENET)
	$(BIN)/python -m training.fit.train_segmentation --config segmentation_v2b0_long --imagenet $(IMAGENET)
	$(BIN)/python -m training.fit.train_segmentation --config segmentation_v2b0_on --imagenet $(IMAGENET)
	$(BIN)/python -m training.fit.train_segmentation --config segmentation_v2b0_more --imagenet $(IMAGENET)
	$(BIN)/python -m training.average --runs segmentation_v2b0_on segmentation_v2b0_more \
		--name segmentation_v2b0_mean --sizes 192
	$(BIN)/python -m training.fit.train_segmentation --config segmentation_v2b0_camera --imagenet $(IMAGENET)
	$(BIN)/python -m training.average --runs segmentation_v2b0_mean segmentation_v2b0_camera \
		--name segmentation_v2b0_camera_mean --sizes 192 --worse
	$(BIN)/python -m training.fit.train_segmentation --config segmentation_v2b0_steady --imagenet $(IMAGENET)
	$(BIN)/python -m training.fit.train_segmentation --config segmentation_v2b0_steady_on --imagenet $(IMAGENET)
	$(BIN)/python -m training.average --runs segmentation_v2b0_steady segmentation_v2b0_steady_on \
		--name segmentation_v2b0_steady_mean --sizes 192 --worse
	$(BIN)/python -m training.fit.train_segmentation --config segmentation_v2b0_rare --imagenet $(IMAGENET)
	$(BIN)/python -m training.average --runs segmentation_v2b0_steady_mean segmentation_v2b0_rare \
		--name segmentation_v2b0_rare_mean --sizes 192 --worse
	$(BIN)/python -m training.fit.train_classification --config classification_v2b0 --imagenet $(IMAGENET)
	$(BIN)/python -m training.fit.train_classification --config classification_v2b0_mixup --imagenet $(IMAGENET)
	$(BIN)/python -m training.average --runs classification_v2b0 classification_v2b0_mixup \
		--name classification_v2b0_soup --sizes 192 160
	$(BIN)/python -m training.fit.train_classification --config classification_v2b0_first_on --imagenet $(IMAGENET)
	$(BIN)/python -m training.average --runs classification_v2b0_soup classification_v2b0_first_on \
		--name classification_v2b0_first_mean --sizes 160
	$(BIN)/python -m training.fit.train_classification --config classification_v2b0_first_hair --imagenet $(IMAGENET)
	$(BIN)/python -m training.average --runs classification_v2b0_first_mean classification_v2b0_first_hair \
		--name classification_v2b0_first_hair_mean --sizes 160
	$(BIN)/python -m training.fit.train_classification --config classification_v2b0_first_camera --imagenet $(IMAGENET)
	$(BIN)/python -m training.average --runs classification_v2b0_first_hair_mean classification_v2b0_first_camera \
		--name classification_v2b0_first_camera_mean --sizes 160 --worse
	$(BIN)/python -m training.fit.train_classification --config classification_v2b0_second --imagenet $(IMAGENET)
	$(BIN)/python -m training.fit.train_classification --config classification_v2b0_second_on --imagenet $(IMAGENET)
	$(BIN)/python -m training.fit.train_classification --config classification_v2b0_second_more --imagenet $(IMAGENET)
	$(BIN)/python -m training.average --runs classification_v2b0_second_on classification_v2b0_second_more \
		--name classification_v2b0_second_mean --sizes 160
	$(BIN)/python -m training.fit.train_classification --config classification_v2b0_second_hair --imagenet $(IMAGENET)
	$(BIN)/python -m training.average --runs classification_v2b0_second_mean classification_v2b0_second_hair \
		--name classification_v2b0_second_hair_mean --sizes 160
	$(BIN)/python -m training.fit.train_classification --config classification_v2b0_second_camera --imagenet $(IMAGENET)
	$(BIN)/python -m training.average --runs classification_v2b0_second_hair_mean classification_v2b0_second_camera \
		--name classification_v2b0_second_camera_mean --sizes 160 --worse
	$(BIN)/python -m training.fit.train_classification --config classification_v2b0_first_taught --imagenet $(IMAGENET)
	$(BIN)/python -m training.fit.train_classification --config classification_v2b0_second_taught --imagenet $(IMAGENET)
	$(BIN)/python -m training.average --runs classification_v2b0_second_camera_mean classification_v2b0_second_taught \
		--name classification_v2b0_second_taught_mean --sizes 160 --worse
	$(BIN)/python -m training.join --runs classification_v2b0_first_taught classification_v2b0_second_taught_mean \
		--name classification_v2b0_pair_taught_both --sizes 176
	for member in first second; do \
		$(BIN)/python -m training.fit.train_classification --config classification_v2b0_$${member}_long --epochs 11 \
			|| exit 1; done
	$(BIN)/python -m training.join --runs classification_v2b0_first_long classification_v2b0_second_long \
		--name classification_v2b0_pair_long --sizes 176 --shares 0.5
	$(BIN)/python -m training.average --runs classification_v2b0_pair_taught_both classification_v2b0_pair_long \
		--name classification_v2b0_pair_long_mean --sizes 176 --shares 0.5 --worse
	for half in a b; do \
		$(BIN)/python -m training.fit.train_segmentation --config segmentation_v2b0_clock_$$half --epochs 11 || exit 1; \
		$(BIN)/python -m training.average --runs segmentation_v2b0_rare_mean segmentation_v2b0_clock_$$half \
			--name segmentation_v2b0_clock_$${half}_mean --sizes 224 --shares 0.5 1 --worse || exit 1; done
	$(BIN)/python -m training.merge_halves --name segmentation_v2b0_clock_halves \
		--runs segmentation_v2b0_clock_a_mean segmentation_v2b0_clock_b_mean
	$(BIN)/python -m training.bundle.export --version 19 --prior -0.2 --filters hair_removal \
		--description "Two classifiers joined" \
		--segmentation segmentation_v2b0_clock_halves --classification classification_v2b0_pair_long_mean
	$(BIN)/python -m training.measure.evaluate --split validation
	$(BIN)/python -m training.bundle.fit_trust

# Needs DERMALENS_DATA. Short runs of equal length that differ from a base in one thing each.
ablations: .venv/.installed-dev
	for task in classification segmentation; do for config in training/configs/ablation_$${task}*.py; do \
		$(BIN)/python -m training.train_$$task --config $$(basename $$config .py) --imagenet $(IMAGENET) || exit 1; \
		done; done
	$(BIN)/python -m training.report.results

# Needs DERMALENS_DATA and what `make train` left: bundles of the halves, which judge the validation split.
# Everything that is measured about the shipped weights; looks at the test split.
evaluate: .venv/.installed-dev
	$(BIN)/python -m training.measure.evaluate --split test
	$(BIN)/python -m training.bundle.fit_trust --report-test
	$(BIN)/python -m training.measure.phantoms
	$(BIN)/python -m training.measure.robustness --images 42 --nevi 450
	$(BIN)/python -m training.measure.symmetries
	$(BIN)/python -m training.bundle.embed
	$(BIN)/python -m training.measure.patient_facts
	$(BIN)/python -m training.report.results
	$(BIN)/python -m training.report.readme_scores

# Needs DERMALENS_DATA. The classic systems on the same split: trains, packs and measures them.
classic: .venv/.installed-dev
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
	$(BIN)/python -m training.score_binary --config classic_binary_cnn_224
	$(BIN)/python -m training.measure.systems
	$(BIN)/python -m training.report.results

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
