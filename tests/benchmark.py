"""Speed and memory, measured on this machine: `make bench`, or parts of it by name.

    python -m tests.benchmark [start] [analyses] [memory] [app] [pages] [evaluate] [training] [pipeline] [onednn]

Prints, and writes to training/results/benchmark.json:
    start: the command line from the start of the process to the first analysis written,
    analyses: one analysis, and a folder of them, beside TensorFlow's own bare forward passes,
    memory: the peak of a process that analyses a photograph of 24 megapixels,
    app: the first result in a fresh app from the click on a sample, and its memory with all pages visited,
    pages: the time in which each page opens, without TensorFlow,
    evaluate: each view of Evaluate with 100,000 predictions, when opened and when used again,
    training, pipeline, onednn: training's images a second, its input pipeline's, and what oneDNN brings.
Ratios are taken within one run; seconds are of this machine, whose processor the file names.
"""

import argparse
import json

from core.systems.evaluations import RESULTS_DIR
from tests.bench import analyses, evaluate, start, training
from training.fit.environment import describe_environment

RESULTS_FILE = RESULTS_DIR / "benchmark.json"
PARTS = {
    "start": start.measure_start,
    "analyses": analyses.measure_analyses,
    "memory": start.measure_memory,
    "app": start.measure_app,
    "pages": start.measure_pages,
    "evaluate": evaluate.measure_evaluate,
    "training": training.measure_training,
    "pipeline": training.measure_pipeline,
    "onednn": training.measure_onednn,
}


def main() -> None:
    parser = argparse.ArgumentParser(description="Speed and memory; each ratio is taken within one run.")
    parser.add_argument(
        "parts", nargs="*", metavar="PART", help=f"measure only these, keep the rest: {', '.join(PARTS)}"
    )
    chosen = parser.parse_args().parts or list(PARTS)
    if unknown := set(chosen) - set(PARTS):
        parser.error(f"Unknown: {', '.join(sorted(unknown))}. Choose from {', '.join(PARTS)}.")
    results = json.loads(RESULTS_FILE.read_text()) if RESULTS_FILE.is_file() else {}
    results.setdefault("environments", {})
    for part in (part for part in PARTS if part in chosen):
        found = PARTS[part]()
        results |= found
        results["environments"][part] = describe_environment() | start.describe_processor()
        RESULTS_FILE.write_text(json.dumps(results, indent=1) + "\n")
        for name, value in found.items():
            print(f"{name:34s} {value:10.3f}", flush=True)


if __name__ == "__main__":
    main()
