"""Mutated files end in a picture or a clear refusal: python -m tests.fuzz [--count 10000] [--seed 0] [--only DICOM]

Each case must take at most 2 s of processor time and 300 MB. A case is made again from the seed, its target
and its number, which stand in the line that reports it.
"""

import argparse
import faulthandler
import resource
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.errors import DermalensError
from core.images.reading import read_image
from tests.fuzz_samples import dicom_samples, picture_samples
from tests.fuzz_tables import read_both_ways, table_samples, unpack_somewhere, zip_samples

MAX_SECONDS = 2.0
MAX_MEGABYTES = 300
# Sizes, lengths and counts that programs trip over.
_EXTREMES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)


@dataclass(frozen=True)
class Target:
    """What is tried: sound files by name, and the function that reads their bytes."""

    samples: dict[str, bytes]
    read: Callable[[bytes], object]


TARGETS: dict[str, Callable[[], Target]] = {
    "pictures": lambda: Target(picture_samples(), read_image),
    "DICOM": lambda: Target(dicom_samples(), read_image),
    "tables": lambda: Target(table_samples(), read_both_ways),
    "zips": lambda: Target(zip_samples(), unpack_somewhere),
}


def mutate(data: bytes, rng: np.random.Generator) -> bytes:
    """One to four random changes: bytes, numbers, cuts, copies; half of them in the first 700 bytes."""
    changed = bytearray(data)
    for _ in range(rng.integers(1, 5)):
        end = max(2, min(len(changed), 700) if rng.random() < 0.5 else len(changed))
        start = int(rng.integers(0, end - 1))
        length = int(rng.integers(1, 64))
        match rng.integers(0, 6):
            case 0:
                changed[start : start + 1] = rng.bytes(1)
            case 1:
                size = int(rng.choice([1, 2, 4]))
                value = int(rng.choice(_EXTREMES)) & (256**size - 1)
                changed[start : start + size] = value.to_bytes(size, str(rng.choice(["little", "big"])))
            case 2:
                del changed[start : start + length]
            case 3:
                changed[start:start] = changed[start : start + length]
            case 4:
                changed[start : start + length] = rng.bytes(length)
            case 5:
                if rng.random() < 0.3:
                    del changed[start:]
        if len(changed) < 4:
            break
    return bytes(changed)


def try_case(target: Target, seed: int, number: int) -> tuple[str, str]:
    """(outcome, complaint); the complaint is "" for a picture or a clear refusal in time."""
    rng = np.random.default_rng([seed, number])
    name = sorted(target.samples)[number % len(target.samples)]
    data = mutate(target.samples[name], rng)
    memory, started = _peak_megabytes(), time.process_time()
    try:
        target.read(data)
        outcome, complaint = "read", ""
    except DermalensError as error:
        outcome = f"refused: {getattr(error, 'reason', type(error).__name__)}"
        complaint = "" if len(str(error)) > 30 else f"says only {str(error)!r}"
    except Exception as error:  # the fault this looks for
        outcome, complaint = "escaped", f"{type(error).__name__}: {error}"
    seconds, megabytes = time.process_time() - started, _peak_megabytes() - memory
    if seconds > MAX_SECONDS or megabytes > MAX_MEGABYTES:
        complaint = f"{complaint} took {seconds:.1f} s, {megabytes:.0f} MB"
    return outcome, complaint and f"{name}: {complaint}"


def _peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=10_000, help="cases a target")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=sorted(TARGETS))
    options = parser.parse_args()
    faulthandler.enable()
    warnings.simplefilter("ignore")  # decoders comment on odd tags
    failed = 0
    for name in [options.only] if options.only else TARGETS:
        target, outcomes, slowest = TARGETS[name](), Counter(), 0.0
        for number in range(options.count):
            started = time.process_time()
            outcome, complaint = try_case(target, options.seed, number)
            slowest = max(slowest, time.process_time() - started)
            outcomes[outcome] += 1
            if complaint:
                failed += 1
                print(f"FAILED {name} seed {options.seed} case {number}: {complaint}", flush=True)
        counts = ", ".join(f"{count:,} {outcome}" for outcome, count in outcomes.most_common())
        print(
            f"{name}: {options.count:,} cases of {len(target.samples)} kinds, slowest {slowest:.2f} s; {counts}"
        )
    print(f"{failed} failed")
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main())
