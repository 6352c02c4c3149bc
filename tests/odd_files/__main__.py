"""Try a folder of odd files and print a line a case: python -m tests.odd_files FOLDER [--only icc,dicom]

Every subfolder holds cases and a README with lines "name: right behaviour". To judge another folder, add a
module beside this one with a function under `@judges("folder")`.
"""

import argparse
import importlib
import pkgutil
import sys
import warnings
from pathlib import Path

import tests.odd_files
from tests.odd_files.registry import run


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root", type=Path)
    parser.add_argument("--only", default="", help="folders, separated by commas")
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # decoders comment on odd tags; what counts is the outcome
    for module in pkgutil.iter_modules(tests.odd_files.__path__):
        if not module.name.startswith("_"):
            importlib.import_module(f"tests.odd_files.{module.name}")
    outcomes = []
    for folder, name, outcome in run(options.root, set(filter(None, options.only.split(",")))):
        outcomes.append(outcome)
        print(f"{'right' if outcome.right else 'WRONG'}  {folder}/{name}: {outcome.text}", flush=True)
    right = sum(outcome.right for outcome in outcomes)
    print(f"{right} of {len(outcomes)} right")
    return 0 if right == len(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
